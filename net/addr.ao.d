net/addr.ao: net/addr.c net/net.h util/blob.h util/mail.h util/sv.h
net/net.h:
util/blob.h:
util/mail.h:
util/sv.h:

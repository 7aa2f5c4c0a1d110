net/timer.ao: net/timer.c net/internal.h net/net.h util/blob.h \
 util/mail.h util/sv.h
net/internal.h:
net/net.h:
util/blob.h:
util/mail.h:
util/sv.h:

net/listen.ao: net/listen.c net/internal.h net/net.h util/blob.h \
 util/mail.h util/sv.h util/log.h
net/internal.h:
net/net.h:
util/blob.h:
util/mail.h:
util/sv.h:
util/log.h:

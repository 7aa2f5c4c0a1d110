net/worker.ao: net/worker.c net/internal.h net/net.h util/blob.h \
 util/mail.h util/sv.h util/clock.h util/log.h
net/internal.h:
net/net.h:
util/blob.h:
util/mail.h:
util/sv.h:
util/clock.h:
util/log.h:

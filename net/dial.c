/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Connections that we open. A connection being opened is one whose output
 * is blocked: what is queued waits, and the event that ends the wait tells
 * of success or failure.
 */
#include <sys/epoll.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <unistd.h>

#include "net/internal.h"

static struct conn *
dial(struct worker *w, int type, const struct addr *a,
    const struct conn_ops *ops, void *proto)
{
	int fd, save;

	fd = socket(a->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return NULL;
	if (connect(fd, &a->sa, a->len) == -1 && errno != EINPROGRESS) {
		save = errno;
		close(fd);
		errno = save;
		return NULL;
	}
	return conn_new(w, fd, a, ops, proto);
}

/* see net.h */
struct conn *
conn_dial(struct worker *w, const struct addr *a, const struct conn_ops *ops,
    void *proto)
{
	const int	 on = 1;
	struct conn	*c;

	if ((c = dial(w, SOCK_STREAM, a, ops, proto)) == NULL)
		return NULL;
	setsockopt(c->io.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->blocked = true;
	c->blocked_at = w->now;
	if (io_want(w, &c->io, EPOLLIN | EPOLLOUT) == -1)
		conn_fail(c, errno);
	return c;
}

/* see net.h */
struct conn *
conn_dial_udp(struct worker *w, const struct addr *a,
    const struct conn_ops *ops, void *proto)
{
	return dial(w, SOCK_DGRAM, a, ops, proto);
}

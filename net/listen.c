/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Listeners, and what happens when descriptors run out: connections over
 * the limit are marked so that only health checks are served on them, later
 * ones are told so and closed, and when accept(2) itself has no descriptor
 * left, the worker's spare one is spent to say so, and accepting rests for
 * a moment instead of spinning.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/internal.h"
#include "util/log.h"

#define ACCEPT_BATCH	64	/* in one turn, so that others have theirs */
#define ACCEPT_SHARED	8	/* likewise for the other workers */
#define ACCEPT_REST_MS	100

struct listener {
	struct io	 io;
	struct worker	*w;
	struct timer	 rest;
	void		(*on_accept)(struct conn *, void *);
	void		*ctx;
	bool		 shared;
};

static struct {
	atomic_uint	 open;
	unsigned	 max;		/* 0: no limit */
	const char	*refusal;
	struct limiter	*limiter;	/* or NULL */
} conns;

/* see net.h */
void
net_set_conn_limit(unsigned max_conns, const char *refusal)
{
	conns.max = max_conns;
	conns.refusal = refusal;
}

/* see net.h */
unsigned
net_conns(void)
{
	return atomic_load_explicit(&conns.open, memory_order_relaxed);
}

/* see net.h */
void
net_set_limiter(struct limiter *l)
{
	conns.limiter = l;
}

/* see net.h */
void
net_limit_stats(struct limit_stats *stats)
{
	*stats = (struct limit_stats){ 0 };
	if (conns.limiter != NULL)
		limiter_stats(conns.limiter, stats);
}

/* see net.h */
enum limit_verdict
conn_limit(struct conn *c)
{
	if (conns.limiter == NULL || c->limited || ip_is_none(c->peer_ip))
		return LIMIT_OK;
	return limiter_take(conns.limiter, c->peer_ip, c->w->now,
	    &c->limited);
}

static void
count_down(void)
{
	atomic_fetch_sub_explicit(&conns.open, 1, memory_order_relaxed);
}

/* see internal.h */
void
net_conn_gone(const struct conn *c)
{
	if (c->counted)
		count_down();
	if (c->limited)
		limiter_give(conns.limiter, c->peer_ip, c->w->now);
}

/* see net.h */
unsigned
net_raise_nofile(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return 1024;
	if (rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
		getrlimit(RLIMIT_NOFILE, &rl);
	}
	return rl.rlim_cur > 1u << 30 ? 1u << 30 : (unsigned)rl.rlim_cur;
}

static int
set_opt(int fd, int level, int name, int on)
{
	return setsockopt(fd, level, name, &on, sizeof(on));
}

/* A bound socket; accepted connections inherit its options. */
static int
bind_socket(const struct addr *a, bool shared)
{
	int fd, save;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (set_opt(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    (shared && set_opt(fd, SOL_SOCKET, SO_REUSEPORT, 1) == -1))
		goto fail;
	set_opt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_opt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (a->sa.sa_family == AF_INET6)
		set_opt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
		    !IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr));
	if (bind(fd, &a->sa, a->len) == 0)
		return fd;
fail:
	save = errno;
	close(fd);
	errno = save;
	return -1;
}

/* see net.h */
int
net_listen(const struct addr *a, bool shared, int backlog)
{
	int fd, save;

	if ((fd = bind_socket(a, shared)) == -1)
		return -1;
	if (listen(fd, backlog) == 0)
		return fd;
	save = errno;
	close(fd);
	errno = save;
	return -1;
}

/* see net.h */
int
net_probe(const struct addr *a)
{
	int fd = bind_socket(a, false);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

static void
refuse(struct worker *w, int fd)
{
	w->stats.conns_refused++;
	if (conns.refusal != NULL)
		(void)!send(fd, conns.refusal, strlen(conns.refusal),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* A shared socket wakes one worker for a connection, the one that has been
 * registered the longest: each is registered anew after its turn. */
static int
listener_add(struct listener *l)
{
	return io_add(l->w, &l->io, l->shared ? EPOLLIN | EPOLLEXCLUSIVE :
	    EPOLLIN);
}

static void
listener_resume(struct listener *l)
{
	if (listener_add(l) == -1)
		timer_set(l->w, &l->rest, l->w->now + ACCEPT_REST_MS);
}

/* No descriptor left: spend the spare one on an answer and rest. */
static void
accept_exhausted(struct listener *l)
{
	struct worker	*w = l->w;
	int		 fd;

	log_warn("no file descriptors left, accepting rests: raise the limit "
	    "of open files", kv_u("connections", net_conns()));
	if (w->spare_fd != -1) {
		close(w->spare_fd);
		fd = accept4(l->io.fd, NULL, NULL, SOCK_NONBLOCK);
		if (fd != -1)
			refuse(w, fd);
		w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (w->spare_fd == -1)
			w->spare_fd = dup(w->wake.fd);
	}
	io_del(w, &l->io);
	timer_set(w, &l->rest, w->now + ACCEPT_REST_MS);
}

static void
rest_over(struct timer *t)
{
	listener_resume(container_of(t, struct listener, rest));
}

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct worker	*w = l->w;
	struct conn	*c;
	unsigned	 n;

	n = atomic_fetch_add_explicit(&conns.open, 1, memory_order_relaxed);
	if (conns.max != 0 && n >= conns.max + NET_RESERVE) {
		count_down();
		refuse(w, fd);
		return;
	}
	w->stats.conns_accepted++;
	if ((c = conn_new(w, fd, peer, NULL, NULL)) == NULL) {
		count_down();
		return;
	}
	c->counted = true;
	c->reserve = conns.max != 0 && n >= conns.max;
	l->on_accept(c, l->ctx);
}

/* false: accepting rests. */
static bool
accept_some(struct listener *l)
{
	struct addr	peer;
	int		fd, i;

	for (i = l->shared ? ACCEPT_SHARED : ACCEPT_BATCH; i > 0; i--) {
		memset(&peer, 0, sizeof(peer));
		peer.len = sizeof(peer.in6);
		fd = accept4(l->io.fd, &peer.sa, &peer.len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			accepted(l, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			accept_exhausted(l);
			return false;
		}
		if (errno == EAGAIN)
			break;
		/* ECONNABORTED and other errors of that one connection. */
	}
	return true;
}

static void
listener_event(struct io *io, struct worker *w, uint32_t ev)
{
	struct listener *l = container_of(io, struct listener, io);

	(void)ev;
	if (!accept_some(l) || !l->shared)
		return;
	io_del(w, io);
	listener_resume(l);
}

/* see net.h */
struct listener *
listener_new(struct worker *w, int fd, bool shared,
    void (*on_accept)(struct conn *, void *), void *ctx)
{
	struct listener *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->io.fd = fd;
	l->io.on_event = listener_event;
	l->w = w;
	l->rest.fn = rest_over;
	l->on_accept = on_accept;
	l->ctx = ctx;
	l->shared = shared;
	if (listener_add(l) == -1) {
		free(l);
		return NULL;
	}
	return l;
}

/* see net.h */
void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	timer_stop(&l->rest);
	io_del(l->w, &l->io);
	close(l->io.fd);
	free(l);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Workers: mail between threads, addresses, listeners, and what happens when
 * there are too many connections.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <arpa/inet.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/unit/test.h"
#include "util/clock.h"
#include "net/internal.h"

/* ---- addresses ---- */

TEST(addresses)
{
	static const struct {
		const char	*host;
		bool		 any6;
		const char	*text;		/* NULL: refused */
	} row[] = {
		{ "127.0.0.1", false, "127.0.0.1:80" },
		{ "localhost", true, "127.0.0.1:80" },
		{ "", false, "0.0.0.0:80" },
		{ "", true, "[::]:80" },
		{ "::1", false, "[::1]:80" },
		{ "[::1]", false, "[::1]:80" },
		{ "[2001:db8::7]", true, "[2001:db8::7]:80" },
		{ "[::1", true, NULL },
		{ "256.1.1.1", true, NULL },
		{ "example.com", true, NULL },
		{ "[127.0.0.1]", true, NULL },
		{ "11111111111111111111111111111111111111111111111111111111",
		    true, NULL },
	};
	struct addr	a;
	char		text[ADDR_STRLEN];
	size_t		i;
	int		r;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("host %s", row[i].host);
		r = addr_parse(&a, row[i].host, 80, row[i].any6);
		CHECK_INT(r, row[i].text == NULL ? -1 : 0);
		if (r == 0)
			CHECK_STR(addr_format(&a, text), row[i].text);
	}
}

TEST(cpus)
{
	CHECK(net_cpus() >= 1);
	CHECK(net_cpus() <= WORKERS_MAX);
}

/* ---- workers ---- */

TEST(a_worker_leaves_nothing)
{
	struct worker	*w;
	int		 fd[3], i;

	for (i = 0; i < 3; i++)
		fd[i] = dup(0);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	w = worker_new(0);
	CHECK(!worker_has_mail(w));
	worker_free(w);
	for (i = 0; i < 3; i++)
		CHECK_INT(dup(0), fd[i]);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

static bool
worker_sweep(void)
{
	struct worker *w = worker_new(0);

	worker_free(w);
	return w != NULL;
}

TEST(a_worker_without_memory)
{
	ALLOC_SWEEP(worker_sweep);
}

static int fired;

static void
fire(struct timer *t)
{
	(void)t;
	fired++;
}

/* The loop sleeps as long as its timers allow, not longer. */
TEST(a_timer_wakes_the_loop)
{
	struct worker	*w = worker_new(0);
	struct timer	 t = { .fn = fire };
	int64_t		 began = clock_mono_ms();

	fired = 0;
	timer_set(w, &t, began + 50);
	while (fired == 0)
		worker_turn(w, -1);
	CHECK(clock_mono_ms() - began >= 50);
	CHECK(clock_mono_ms() - began < 5000);
	CHECK(w->stats.turns < 5);
	worker_free(w);
}

/* ---- mail ---- */

#define LETTERS	5000

struct letter {
	struct mail	mail;	/* first */
	struct worker	*to, *back;
	int		seq, hops;
};

static int arrived[2], disorder;

static void
letter_run(struct mail *m, void *ctx)
{
	struct letter	*l = (struct letter *)(void *)m;
	struct worker	*here = ctx;

	if (--l->hops > 0) {
		worker_post(here == l->to ? l->back : l->to, m);
		return;
	}
	if (l->seq != arrived[here->id]++)
		disorder++;
	free(l);
	if (arrived[here->id] == LETTERS)
		worker_stop(here);
}

TEST(mail_keeps_its_order)
{
	struct worker	*w[2];
	struct letter	*l;
	sigset_t	 mask;
	int		 i, k;

	for (i = 0; i < 2; i++) {
		w[i] = worker_new((unsigned)i);
		w[i]->ctx = w[i];
		arrived[i] = 0;
	}
	CHECK_INT(worker_start(w[0]), 0);
	CHECK_INT(worker_start(w[1]), 0);
	/* Signals are the starting thread's, as before. */
	CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	CHECK(!sigismember(&mask, SIGTERM));
	for (i = 0; i < LETTERS; i++)
		for (k = 0; k < 2; k++) {
			l = calloc(1, sizeof(*l));
			l->mail.run = letter_run;
			l->to = w[k];
			l->back = w[!k];
			l->seq = i;
			l->hops = 3;	/* there, back and there again */
			worker_post(w[k], &l->mail);
		}
	worker_join(w[0]);
	worker_join(w[1]);
	CHECK_INT(disorder, 0);
	CHECK_INT(arrived[0], LETTERS);
	CHECK_INT(arrived[1], LETTERS);
	worker_free(w[0]);
	worker_free(w[1]);
}

/* ---- listeners ---- */

static struct {
	int	accepted, reserve, closed;
} seen;

static size_t
take_all(struct conn *c, char *p, size_t n)
{
	(void)c;
	(void)p;
	return n;
}

static void
nothing(struct conn *c)
{
	(void)c;
}

static void
count_close(struct conn *c)
{
	(void)c;
	seen.closed++;
}

static const struct conn_ops ops = {
	.on_read = take_all,
	.on_timer = nothing,
	.on_close = count_close,
};

static void
on_accept(struct conn *c, void *ctx)
{
	CHECK(ctx == &seen);
	seen.accepted++;
	seen.reserve += c->reserve;
	c->ops = &ops;
}

static int
dial(const struct addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM, 0);

	CHECK_INT(connect(fd, &a->sa, a->len), 0);
	return fd;
}

/* A listener on a port that the kernel chose. */
static int
listen_any(struct addr *a, bool shared)
{
	int fd;

	CHECK_INT(addr_parse(a, "127.0.0.1", 0, false), 0);
	fd = net_listen(a, shared, 128);
	CHECK(fd != -1);
	getsockname(fd, &a->sa, &a->len);
	return fd;
}

TEST(accepts_and_counts)
{
	struct worker	*w = worker_new(0);
	struct listener	*l;
	struct addr	 a;
	int		 fd[3], i;

	memset(&seen, 0, sizeof(seen));
	l = listener_new(w, listen_any(&a, false), false, on_accept, &seen);
	for (i = 0; i < 3; i++)
		fd[i] = dial(&a);
	worker_turn(w, 100);
	CHECK_INT(seen.accepted, 3);
	CHECK_INT(net_conns(), 3);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	for (i = 0; i < 10 && seen.closed < 3; i++)
		worker_turn(w, 100);
	CHECK_INT(seen.closed, 3);
	CHECK_INT(net_conns(), 0);
	listener_free(l);
	worker_free(w);
}

TEST(an_address_in_use_is_noticed)
{
	struct addr	a;
	int		fd = listen_any(&a, true);

	CHECK_INT(net_probe(&a), -1);
	CHECK_INT(errno, EADDRINUSE);
	CHECK_INT(net_listen(&a, false, 1), -1);
	close(fd);
	CHECK_INT(net_probe(&a), 0);
}

static atomic_int shared_accepted;

static void
on_shared(struct conn *c, void *ctx)
{
	(void)ctx;
	conn_close(c);
	shared_accepted++;
}

static void
stop_run(struct mail *m, void *ctx)
{
	(void)m;
	worker_stop(ctx);
}

/* A socket that several wait on: each has its share, also of connections
 * that come one after the other. */
TEST(a_shared_socket_is_shared)
{
	enum { N = 3, CONNS = 60 };
	struct worker	*w[N];
	struct listener	*l[N];
	struct mail	 mail[N] = { { NULL, stop_run }, { NULL, stop_run },
			    { NULL, stop_run } };
	struct addr	 a;
	int		 fd = listen_any(&a, false), i, k, peer;

	shared_accepted = 0;
	for (i = 0; i < N; i++) {
		w[i] = worker_new((unsigned)i);
		w[i]->ctx = w[i];
		l[i] = listener_new(w[i], dup(fd), true, on_shared, NULL);
		CHECK_INT(worker_start(w[i]), 0);
	}
	close(fd);
	for (i = 0; i < CONNS; i++) {
		peer = dial(&a);
		for (k = 0; k < 1000 && shared_accepted <= i; k++)
			usleep(1000);
		close(peer);
	}
	for (i = 0; i < N; i++)
		worker_post(w[i], &mail[i]);
	for (i = 0; i < N; i++) {
		worker_join(w[i]);
		CHECK(w[i]->stats.conns_accepted >= CONNS / N / 3);
		listener_free(l[i]);
		worker_close_conns(w[i]);
		worker_free(w[i]);
	}
	CHECK_INT(shared_accepted, CONNS);
	CHECK_INT(net_conns(), 0);
}

/* ---- mail and events of one turn ---- */

struct order {
	struct mail	mail;		/* first */
	struct io	io;
	char		seen[8];
	struct listener	*listener;
};

static void
order_event(struct io *io, struct worker *w, uint32_t ev)
{
	struct order	*o = container_of(io, struct order, io);
	char		 c;

	(void)w;
	(void)ev;
	CHECK_INT(read(io->fd, &c, 1), 1);
	strcat(o->seen, "e");
}

static void
order_mail(struct mail *m, void *ctx)
{
	(void)ctx;
	strcat(((struct order *)(void *)m)->seen, "m");
}

/* What another worker posted is done before what its peers, who may know of
 * it, say then. */
TEST(mail_comes_before_events)
{
	struct worker	*w = worker_new(0);
	struct order	 o = { .mail.run = order_mail,
			    .io.on_event = order_event };
	int		 fd[2];

	CHECK_INT(pipe(fd), 0);
	o.io.fd = fd[0];
	CHECK_INT(io_add(w, &o.io, EPOLLIN), 0);
	CHECK_INT(write(fd[1], "x", 1), 1);
	worker_post(w, &o.mail);
	worker_turn(w, 100);
	CHECK_STR(o.seen, "me");
	close(fd[0]);
	close(fd[1]);
	worker_free(w);
}

static void
end_listener(struct mail *m, void *ctx)
{
	(void)ctx;
	listener_free(((struct order *)(void *)m)->listener);
}

/* The event of one that waits there is in hand by then. */
TEST(mail_may_end_a_listener)
{
	struct worker	*w = worker_new(0);
	struct order	 o = { .mail.run = end_listener };
	struct addr	 a;
	int		 fd;

	memset(&seen, 0, sizeof(seen));
	o.listener = listener_new(w, listen_any(&a, false), false, on_accept,
	    &seen);
	fd = dial(&a);
	worker_post(w, &o.mail);
	worker_turn(w, 100);
	CHECK_INT(seen.accepted, 0);
	close(fd);
	worker_free(w);
}

/* Over the limit a connection is marked, and over the reserve it is told so
 * and closed. */
TEST(too_many_connections)
{
	struct worker	*w = worker_new(0);
	struct listener	*l;
	struct addr	 a;
	int		 fd[2 + NET_RESERVE + 1], n, i;
	char		 text[16] = "";

	memset(&seen, 0, sizeof(seen));
	net_set_conn_limit(2, "busy");
	n = 2 + NET_RESERVE + 1;
	l = listener_new(w, listen_any(&a, false), false, on_accept, &seen);
	for (i = 0; i < n; i++) {
		fd[i] = dial(&a);
		worker_turn(w, 100);
	}
	CHECK_INT(seen.accepted, 2 + NET_RESERVE);
	CHECK_INT(seen.reserve, NET_RESERVE);
	CHECK_INT(w->stats.conns_refused, 1);
	CHECK_INT(read(fd[n - 1], text, sizeof(text) - 1), 4);
	CHECK_STR(text, "busy");
	CHECK_INT(read(fd[n - 1], text, sizeof(text)), 0);
	for (i = 0; i < n; i++)
		close(fd[i]);
	worker_close_conns(w);
	CHECK_INT(net_conns(), 0);
	net_set_conn_limit(0, NULL);
	listener_free(l);
	worker_free(w);
}

/* A connection that there is no memory for is closed and not counted. */
TEST(no_memory_for_a_connection)
{
	struct worker	*w = worker_new(0);
	struct listener	*l;
	struct addr	 a;
	char		 c;
	int		 fd;

	memset(&seen, 0, sizeof(seen));
	l = listener_new(w, listen_any(&a, false), false, on_accept, &seen);
	fd = dial(&a);
	alloc_fail_at(1);
	worker_turn(w, 100);
	alloc_fail_at(0);
	CHECK_INT(seen.accepted, 0);
	CHECK_INT(net_conns(), 0);
	CHECK_INT(read(fd, &c, 1), 0);
	close(fd);
	listener_free(l);
	worker_free(w);
}

TEST(the_limit_of_descriptors_is_raised)
{
	struct rlimit was, now;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
	if (!CHECK(was.rlim_max > 200))
		return;
	now = was;
	now.rlim_cur = 200;
	setrlimit(RLIMIT_NOFILE, &now);
	CHECK(net_raise_nofile() > 200);
	getrlimit(RLIMIT_NOFILE, &now);
	CHECK(now.rlim_cur == was.rlim_max);
	setrlimit(RLIMIT_NOFILE, &was);
}

/* Without descriptors one connection is told so with the spare one, the
 * others wait, and the loop sleeps meanwhile. */
TEST(out_of_descriptors)
{
	struct worker	*w = worker_new(0);
	struct listener	*l;
	struct addr	 a;
	struct rlimit	 was, low;
	int		 fd[3], i, last;
	char		 text[16] = "";

	memset(&seen, 0, sizeof(seen));
	net_set_conn_limit(100, "busy");
	l = listener_new(w, listen_any(&a, false), false, on_accept, &seen);
	for (i = 0; i < 3; i++)
		fd[i] = dial(&a);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
	last = dup(0);
	close(last);
	low = was;
	low.rlim_cur = (rlim_t)last;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
	worker_turn(w, 100);
	CHECK_INT(seen.accepted, 0);
	CHECK_INT(w->stats.conns_refused, 1);
	CHECK_INT(read(fd[0], text, sizeof(text) - 1), 4);
	CHECK_STR(text, "busy");
	worker_turn(w, 20);
	CHECK_INT(w->stats.conns_refused, 1);
	setrlimit(RLIMIT_NOFILE, &was);
	for (i = 0; i < 20 && seen.accepted < 2; i++)
		worker_turn(w, 100);
	CHECK_INT(seen.accepted, 2);
	CHECK(w->stats.turns < 10);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	worker_close_conns(w);
	net_set_conn_limit(0, NULL);
	listener_free(l);
	worker_free(w);
}

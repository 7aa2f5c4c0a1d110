/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Opening connections: to a listener of the test, to nobody, and UDP.
 */
#include <errno.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/unit/test.h"
#include "util/clock.h"

static struct worker	*w;

static struct {
	char	got[256];
	size_t	ngot;
	int	reads, drained, closed, err;
} seen;

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	(void)c;
	seen.reads++;
	if (CHECK(seen.ngot + n <= sizeof(seen.got))) {
		memcpy(seen.got + seen.ngot, p, n);
		seen.ngot += n;
	}
	return n;
}

static void
on_drained(struct conn *c)
{
	(void)c;
	seen.drained++;
}

static void
on_close(struct conn *c)
{
	seen.closed++;
	seen.err = c->err;
}

static const struct conn_ops ops = {
	.on_read = on_read, .on_drained = on_drained, .on_close = on_close
};

/* A socket on a free port of the loopback address, which *a becomes. */
static int
bind_free(struct addr *a, int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK_INT(addr_parse(a, "127.0.0.1", 0, false), 0);
	CHECK_INT(bind(fd, &a->sa, a->len), 0);
	CHECK_INT(getsockname(fd, &a->sa, &a->len), 0);
	return fd;
}

static void
start(void)
{
	memset(&seen, 0, sizeof(seen));
	w = worker_new(0);
}

/* Turn until *what is not 0, for two seconds at most. */
static void
turn_until(const int *what)
{
	int64_t end = clock_mono_ms() + 2000;

	while (*what == 0 && clock_mono_ms() < end)
		worker_turn(w, 20);
	CHECK(*what != 0);
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(w->stats.conns_open, 0);
	worker_free(w);
}

TEST(sends_what_was_queued_and_reads)
{
	struct addr	 a;
	struct conn	*c;
	char		 text[8];
	int		 fd, peer;

	start();
	fd = bind_free(&a, SOCK_STREAM);
	CHECK_INT(listen(fd, 1), 0);
	c = conn_dial(w, &a, &ops, NULL);
	CHECK_INT(conn_send_copy(c, "hello", 5), 0);
	turn_until(&seen.drained);
	peer = accept(fd, NULL, NULL);
	CHECK_INT(read(peer, text, sizeof(text)), 5);
	CHECK_SV(sv_make(text, 5), "hello");
	CHECK_INT(write(peer, "ok", 2), 2);
	turn_until(&seen.reads);
	CHECK_SV(sv_make(seen.got, seen.ngot), "ok");
	CHECK_INT(seen.drained, 1);
	close(peer);
	turn_until(&seen.closed);
	CHECK_INT(seen.err, 0);
	close(fd);
	stop();
}

/* With nothing queued the callback tells that it stands, once, and the loop
 * does not spin. */
TEST(tells_when_it_stands)
{
	struct addr	 a;
	uint64_t	 turns;
	int		 fd, i;

	start();
	fd = bind_free(&a, SOCK_STREAM);
	CHECK_INT(listen(fd, 1), 0);
	CHECK(conn_dial(w, &a, &ops, NULL) != NULL);
	turn_until(&seen.drained);
	turns = w->stats.turns;
	for (i = 0; i < 5; i++)
		worker_turn(w, 10);
	CHECK_INT(w->stats.turns - turns, 5);
	CHECK_INT(seen.drained, 1);
	CHECK_INT(LIST_FIRST(&w->conns)->blocked, false);
	close(fd);
	stop();
}

TEST(refused)
{
	struct addr	 a;
	struct conn	*c;
	int		 fd;

	start();
	fd = bind_free(&a, SOCK_STREAM);
	close(fd);
	c = conn_dial(w, &a, &ops, NULL);
	if (c != NULL) {
		CHECK_INT(conn_send_copy(c, "hello", 5), 0);
		turn_until(&seen.closed);
		CHECK_INT(seen.err, ECONNREFUSED);
	} else {
		CHECK_INT(errno, ECONNREFUSED);
	}
	CHECK_INT(seen.drained, 0);
	CHECK_INT(seen.reads, 0);
	stop();
}

TEST(closed_while_connecting)
{
	struct addr	 a;
	struct conn	*c;
	int		 fd;

	start();
	fd = bind_free(&a, SOCK_STREAM);
	CHECK_INT(listen(fd, 1), 0);
	c = conn_dial(w, &a, &ops, NULL);
	conn_close(c);
	worker_turn(w, 0);
	CHECK_INT(seen.closed, 1);
	CHECK_INT(seen.drained, 0);
	close(fd);
	stop();
}

TEST(unreachable_at_once)
{
	struct addr a;

	start();
	CHECK_INT(addr_parse(&a, "255.255.255.255", 9, false), 0);
	CHECK(conn_dial(w, &a, &ops, NULL) == NULL);
	CHECK(errno != 0);
	CHECK_INT(seen.closed, 0);
	stop();
}

TEST(datagrams_one_by_one)
{
	struct addr	 a, from = { .len = sizeof(from) - sizeof(socklen_t) };
	struct conn	*c;
	char		 text[8];
	int		 fd;

	start();
	fd = bind_free(&a, SOCK_DGRAM);
	c = conn_dial_udp(w, &a, &ops, NULL);
	CHECK_INT(conn_send_copy(c, "one", 3), 0);
	conn_flush(c);
	CHECK_INT(conn_send_copy(c, "two", 3), 0);
	conn_flush(c);
	CHECK_INT(recvfrom(fd, text, sizeof(text), 0, &from.sa, &from.len), 3);
	CHECK_SV(sv_make(text, 3), "one");
	CHECK_INT(recv(fd, text, sizeof(text), 0), 3);
	CHECK_SV(sv_make(text, 3), "two");
	CHECK_INT(sendto(fd, "a", 1, 0, &from.sa, from.len), 1);
	CHECK_INT(sendto(fd, "b", 1, 0, &from.sa, from.len), 1);
	turn_until(&seen.reads);
	worker_turn(w, 0);
	CHECK_INT(seen.reads, 2);
	CHECK_SV(sv_make(seen.got, seen.ngot), "ab");
	close(fd);
	stop();
}

static bool
sweep_dial(void)
{
	struct addr	 a;
	struct conn	*c;
	bool		 ok;
	int		 fd;

	start();
	if (w == NULL)
		return false;
	fd = bind_free(&a, SOCK_STREAM);
	CHECK_INT(listen(fd, 1), 0);
	c = conn_dial(w, &a, &ops, NULL);
	ok = c != NULL && conn_send_copy(c, "x", 1) == 0;
	close(fd);
	stop();
	return ok;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_dial);
}

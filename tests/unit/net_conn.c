/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Connections over socket pairs: input in pieces, pausing, output queues,
 * slow peers, and every way to close.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/unit/test.h"
#include "util/clock.h"

static struct worker	*w;
static struct conn	*c;
static int		 peer;		/* our end */

/* What the callbacks saw and do. */
static struct {
	char	got[1 << 16];
	size_t	ngot;
	size_t	take;		/* bytes to take in one call; 0: all */
	int	reads, eofs, drained, timers, closed;
	bool	pause, close;
} seen;

static size_t
on_read(struct conn *conn, char *p, size_t n)
{
	size_t take = seen.take == 0 || seen.take > n ? n : seen.take;

	CHECK(conn == c);
	seen.reads++;
	if (n < seen.take)
		return 0;
	memcpy(seen.got + seen.ngot, p, take);
	seen.ngot += take;
	memset(p, 'x', take);
	if (seen.pause)
		conn_pause(conn);
	if (seen.close)
		conn_close(conn);
	return take;
}

static void
on_eof(struct conn *conn)
{
	(void)conn;
	seen.eofs++;
}

static void
on_drained(struct conn *conn)
{
	(void)conn;
	seen.drained++;
}

static void
on_timer(struct conn *conn)
{
	(void)conn;
	seen.timers++;
}

static void
on_close(struct conn *conn)
{
	(void)conn;
	seen.closed++;
	c = NULL;
}

static const struct conn_ops ops = {
	.on_read = on_read,
	.on_eof = on_eof,
	.on_drained = on_drained,
	.on_timer = on_timer,
	.on_close = on_close,
};
static const struct conn_ops no_eof = {
	.on_read = on_read,
	.on_timer = on_timer,
	.on_close = on_close,
};

static bool
start(const struct conn_ops *o)
{
	int fd[2], small = 4096;

	memset(&seen, 0, sizeof(seen));
	if ((w = worker_new(0)) == NULL)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return false;
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	peer = fd[1];
	c = conn_new(w, fd[0], NULL, o, NULL);
	if (c == NULL) {
		close(peer);
		worker_free(w);
	}
	return c != NULL;
}

static void
turns(int n)
{
	while (n-- > 0)
		worker_turn(w, 0);
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(seen.closed, 1);
	CHECK_INT(w->stats.conns_open, 0);
	close(peer);
	worker_free(w);
}

static void
put(const char *s)
{
	CHECK_INT(write(peer, s, strlen(s)), strlen(s));
}

TEST(input_whole)
{
	start(&ops);
	put("hello");
	turns(1);
	CHECK_SV(sv_make(seen.got, seen.ngot), "hello");
	CHECK(c->in == NULL);
	stop();
}

/* What is not taken comes again in front of what follows, and nothing is
 * owned when all has been taken. */
TEST(input_in_pieces)
{
	start(&ops);
	seen.take = 4;
	put("ab");
	turns(1);
	CHECK_INT(seen.ngot, 0);
	CHECK(c->in != NULL);
	put("cd");
	turns(1);
	CHECK_SV(sv_make(seen.got, seen.ngot), "abcd");
	CHECK(c->in == NULL);
	stop();
}

TEST(large_input_grows)
{
	static char	big[50000];
	size_t		sent = 0;
	ssize_t		n;

	start(&ops);
	memset(big, 'b', sizeof(big));
	seen.take = sizeof(big);
	while (sent < sizeof(big)) {
		if ((n = write(peer, big + sent, sizeof(big) - sent)) > 0)
			sent += (size_t)n;
		turns(1);
	}
	turns(40);
	CHECK_INT(seen.ngot, sizeof(big));
	CHECK(memcmp(seen.got, big, sizeof(big)) == 0);
	stop();
}

TEST(paused_input_waits)
{
	start(&ops);
	seen.take = 2;
	seen.pause = true;
	put("abcd");
	turns(3);
	CHECK_SV(sv_make(seen.got, seen.ngot), "ab");
	put("ef");
	turns(3);
	CHECK_INT(seen.reads, 1);
	seen.pause = false;
	seen.take = 0;
	conn_resume(c);
	turns(2);
	CHECK_SV(sv_make(seen.got, seen.ngot), "abcdef");
	stop();
}

/* A paused connection whose peer is gone does not spin, and is closed. */
TEST(paused_and_reset)
{
	start(&ops);
	seen.pause = true;
	put("a");
	turns(2);
	close(peer);
	peer = -1;
	turns(3);
	CHECK_INT(seen.closed, 1);
	peer = dup(0);
	stop();
}

TEST(eof_is_told)
{
	start(&ops);
	put("last");
	shutdown(peer, SHUT_WR);
	turns(3);
	CHECK_SV(sv_make(seen.got, seen.ngot), "last");
	CHECK_INT(seen.eofs, 1);
	CHECK_INT(seen.closed, 0);
	CHECK_INT(conn_send_copy(c, "answer", 6), 0);
	turns(1);
	CHECK_INT(read(peer, seen.got, 100), 6);
	stop();
}

TEST(eof_closes_without_a_callback)
{
	start(&no_eof);
	shutdown(peer, SHUT_WR);
	turns(2);
	CHECK_INT(seen.closed, 1);
	stop();
}

/* Everything queued in a turn goes out, in order, whatever its number. */
TEST(output_order)
{
	char	text[16], all[8000];
	size_t	n = 0;
	ssize_t	k;
	int	i;

	start(&ops);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d,", i);
		CHECK_INT(conn_send_copy(c, text, strlen(text)), 0);
	}
	while (c->out_n > 0 || n == 0) {
		turns(1);
		while ((k = read(peer, all + n, sizeof(all) - n)) > 0)
			n += (size_t)k;
	}
	for (k = 0, i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d,", i);
		if (!CHECK(memcmp(all + k, text, strlen(text)) == 0))
			break;
		k += (ssize_t)strlen(text);
	}
	CHECK_INT(k, n);
	CHECK(c->out == c->out_one);
	CHECK_INT(c->out_bytes, 0);
	stop();
}

/* A queue that is never empty goes round its ring, again and again. */
TEST(output_order_of_a_long_queue)
{
	enum { SIZE = 2000, COUNT = 1000 };
	unsigned char	in[3 * SIZE];
	struct blob	*b;
	unsigned	sent = 0, got = 0;
	ssize_t		n, i;

	start(&ops);
	while (got < COUNT * SIZE) {
		while (sent < COUNT && c->out_n < 20 + sent % 7) {
			b = blob_new(SIZE);
			memset(b->data, (int)(sent++ % 251), b->n);
			CHECK_INT(conn_send(c, b), 0);
		}
		turns(1);
		CHECK(sent == COUNT || c->out_n > 0);
		n = read(peer, in, sizeof(in));
		for (i = 0; i < n; i++)
			if (in[i] != got++ / SIZE % 251)
				break;
		if (!CHECK(n <= 0 || i == n))
			break;
	}
	stop();
}

TEST(slow_peer_blocks_and_drains)
{
	static char	big[200000], in[200000];
	size_t		n = 0;
	ssize_t		k;

	start(&ops);
	memset(big, 'z', sizeof(big));
	CHECK_INT(conn_send_copy(c, big, sizeof(big)), 0);
	turns(1);
	CHECK(c->blocked);
	CHECK(c->out_bytes > 0 && c->out_bytes < sizeof(big));
	CHECK_INT(seen.drained, 0);
	while (n < sizeof(big)) {
		if ((k = read(peer, in, sizeof(in))) > 0)
			n += (size_t)k;
		turns(1);
	}
	turns(1);
	CHECK_INT(n, sizeof(big));
	CHECK(!c->blocked);
	CHECK_INT(seen.drained, 1);
	stop();
}

/* A blob that was begun is finished, those behind it go. */
TEST(dropped_output_keeps_framing)
{
	static char	big[200000], in[200100];
	struct blob	*b = blob_new(3);
	size_t		 n = 0, left;
	ssize_t		 k;

	start(&ops);
	memset(big, 'z', sizeof(big));
	memcpy(b->data, "abc", 3);
	conn_send_copy(c, big, sizeof(big));
	turns(1);
	left = c->out_bytes;
	conn_send(c, blob_ref(b));
	conn_send(c, blob_ref(b));
	CHECK_INT(c->out_bytes, left + 6);
	conn_drop_output(c);
	CHECK_INT(b->refs, 1);
	CHECK_INT(c->out_n, 1);
	CHECK_INT(c->out_bytes, left);
	conn_send(c, b);
	while (c->out_n > 0) {
		if ((k = read(peer, in + n, sizeof(in) - n)) > 0)
			n += (size_t)k;
		turns(1);
	}
	while ((k = read(peer, in + n, sizeof(in) - n)) > 0)
		n += (size_t)k;
	CHECK_INT(n, sizeof(big) + 3);
	CHECK(memcmp(in + n - 3, "abc", 3) == 0);
	stop();
}

TEST(close_drained_waits_for_the_peer)
{
	char buf[16];

	start(&ops);
	conn_send_copy(c, "bye", 3);
	conn_close_drained(c);
	conn_send_copy(c, "lost", 4);
	put("ignored");
	turns(3);
	CHECK_INT(seen.closed, 0);
	CHECK_INT(seen.reads, 0);
	CHECK_INT(read(peer, buf, sizeof(buf)), 3);
	CHECK_INT(read(peer, buf, sizeof(buf)), 0);
	shutdown(peer, SHUT_WR);
	turns(3);
	CHECK_INT(seen.closed, 1);
	CHECK_INT(seen.eofs, 0);
	stop();
}

/* Who pauses what is being closed must not keep the loop from seeing the
 * peer's end. */
TEST(close_drained_is_not_paused)
{
	start(&ops);
	conn_pause(c);
	conn_close_drained(c);
	conn_pause(c);
	turns(2);
	put("ignored");
	turns(1);
	shutdown(peer, SHUT_WR);
	turns(3);
	CHECK_INT(seen.closed, 1);
	stop();
}

/* A peer that reads nothing and says nothing is given up in the end. */
TEST(close_drained_ends)
{
	static char big[200000];

	start(&ops);
	conn_send_copy(c, big, sizeof(big));
	conn_close_drained(c);
	turns(3);
	CHECK(timer_is_set(&c->timer));
	CHECK(c->timer.at - w->now > CONN_LINGER_MS - 1000);
	CHECK(c->timer.at - w->now <= CONN_LINGER_MS);
	CHECK_INT(seen.closed, 0);
	conn_timer(c, w->now);
	worker_turn(w, 100);
	CHECK_INT(seen.timers, 0);
	CHECK_INT(seen.closed, 1);
	stop();
}

/* What has been queued before the close is still tried once. */
TEST(close_tries_to_write)
{
	char buf[8];

	start(&ops);
	conn_send_copy(c, "bye", 3);
	conn_close(c);
	conn_close(c);
	turns(1);
	CHECK_INT(read(peer, buf, sizeof(buf)), 3);
	CHECK_INT(seen.closed, 1);
	stop();
}

/* ---- nothing spins ---- */

static bool
sleeps(void)
{
	int64_t began;

	turns(3);
	began = clock_mono_ms();
	worker_turn(w, 40);
	return clock_mono_ms() - began >= 35;
}

TEST(waiting_sleeps)
{
	static char big[200000];

	start(&ops);
	test_note("idle");
	CHECK(sleeps());
	test_note("paused with input at hand");
	seen.pause = true;
	put("a");
	turns(1);
	put("b");
	CHECK(sleeps());
	test_note("and blocked");
	conn_send_copy(c, big, sizeof(big));
	CHECK(sleeps());
	seen.pause = false;
	conn_resume(c);
	test_note("the peer has sent its last");
	shutdown(peer, SHUT_WR);
	CHECK(sleeps());
	CHECK_INT(seen.eofs, 1);
	test_note("and the end waits for the output");
	conn_close_drained(c);
	CHECK(sleeps());
	CHECK_INT(seen.closed, 0);
	stop();
}

TEST(close_in_a_callback)
{
	start(&ops);
	seen.close = true;
	put("x");
	turns(2);
	CHECK_INT(seen.closed, 1);
	stop();
}

/* Another process that has the descriptor as well, for as long as it takes
 * from fork to exec, makes no difference. */
TEST(closed_here_while_open_elsewhere)
{
	int other;

	start(&ops);
	CHECK((other = dup(c->io.fd)) != -1);
	conn_close(c);
	turns(1);
	CHECK_INT(seen.closed, 1);
	put("hello");
	turns(2);
	CHECK_INT(seen.ngot, 0);
	close(other);
	stop();
}

TEST(the_timer_fires)
{
	int i;

	start(&ops);
	conn_timer(c, w->now + 20);
	for (i = 0; i < 50 && seen.timers == 0; i++)
		worker_turn(w, 20);
	CHECK_INT(seen.timers, 1);
	stop();
}

TEST(peer_address)
{
	char		text[ADDR_STRLEN];
	struct addr	a;
	int		fd[2];

	start(&ops);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	addr_parse(&a, "192.0.2.1", 99, false);
	c = conn_new(w, fd[0], &a, &ops, NULL);
	CHECK_STR(conn_peer(c, text), "192.0.2.1");
	CHECK_INT(c->peer_port, 99);
	conn_close(c);
	turns(1);
	addr_parse(&a, "[2001:db8::1]", 99, false);
	c = conn_new(w, fd[1], &a, &ops, NULL);
	CHECK_STR(conn_peer(c, text), "2001:db8::1");
	conn_close(c);
	turns(1);
	CHECK_INT(seen.closed, 2);
	seen.closed = 0;
	stop();
}

static bool
sweep(void)
{
	bool	ok;
	int	i;

	if (!start(&ops))
		return false;
	seen.take = 4;
	put("ab");
	turns(1);
	ok = seen.closed == 0;
	for (i = 0; ok && i < 5; i++)
		ok = conn_send_copy(c, "abc", 3) == 0;
	turns(1);
	stop();
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

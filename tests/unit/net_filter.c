/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Filters under connections, with one that is easy to follow: it opens with
 * the peer's "!", flips a bit of every byte, takes three bytes at a time and
 * ends with a zero.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/unit/test.h"

struct toy {
	struct conn_filter	filter;
	char			held[8];
	size_t			nheld;
	bool			finished, freed, stuck, deaf;
	const char	       *why;
};

static struct worker	*w;
static struct conn	*c;
static struct toy	 toy;
static int		 peer;

static struct {
	char	got[100], why[100];
	size_t	ngot;
	int	eofs, drained, closed, err;
} seen;

static bool
may_read(struct conn *conn)
{
	(void)conn;
	return !toy.deaf;
}

static void
on_input(struct conn *conn, char *p, size_t n)
{
	size_t i;

	if (conn->opening && n > 0 && *p == '!') {
		conn_filter_open(conn);
		p++;
		n--;
	}
	for (i = 0; i < n && p[i] != '\0'; i++)
		p[i] ^= 1;
	conn_filter_input(conn, p, i);
	if (i < n)
		conn_filter_eof(conn);
}

static void
toy_eof(struct conn *conn)
{
	toy.why = "no zero";
	conn->err = EPROTO;
	conn_close(conn);
}

static int
toy_flush(struct conn *conn)
{
	ssize_t n;

	if (toy.stuck) {
		errno = EAGAIN;
		return toy.nheld > 0 ? -1 : 0;
	}
	n = send(conn->io.fd, toy.held, toy.nheld, MSG_NOSIGNAL);
	toy.nheld = 0;
	return n < 0 ? -1 : 0;
}

static ssize_t
toy_send(struct conn *conn, const struct iovec *iov, int n)
{
	const char	*p = iov->iov_base;
	size_t		 i;

	CHECK(n > 0 && !conn->opening && toy.nheld == 0);
	for (i = 0; i < 3 && i < iov->iov_len; i++)
		toy.held[toy.nheld++] = p[i] ^ 1;
	(void)!toy_flush(conn);
	return (ssize_t)i;
}

static bool
toy_holds(const struct conn *conn)
{
	(void)conn;
	return toy.nheld > 0;
}

static void
toy_finish(struct conn *conn)
{
	(void)conn;
	if (!toy.finished)
		toy.held[toy.nheld++] = '\0';
	toy.finished = true;
}

static const char *
toy_why(const struct conn *conn)
{
	(void)conn;
	return toy.why;
}

static void
toy_free(struct conn *conn)
{
	(void)conn;
	CHECK_INT(seen.closed, 1);
	toy.freed = true;
}

static const struct conn_filter_ops toy_ops = {
	may_read, on_input, toy_eof, toy_send, toy_flush, toy_holds,
	toy_finish, toy_why, toy_free
};

static size_t
on_read(struct conn *conn, char *p, size_t n)
{
	(void)conn;
	memcpy(seen.got + seen.ngot, p, n);
	seen.ngot += n;
	return n;
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
}

static void
on_close(struct conn *conn)
{
	seen.closed++;
	seen.err = conn->err;
	sv_copy(seen.why, sizeof(seen.why), sv_from(conn_why(conn)));
}

static const struct conn_ops ops = {
	.on_read = on_read,
	.on_eof = on_eof,
	.on_drained = on_drained,
	.on_timer = on_timer,
	.on_close = on_close,
};

static bool
start(void)
{
	int fd[2];

	memset(&seen, 0, sizeof(seen));
	toy = (struct toy){ .filter = { &toy_ops } };
	if ((w = worker_new(0)) == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return false;
	peer = fd[1];
	if ((c = conn_new(w, fd[0], NULL, &ops, NULL)) == NULL)
		return false;
	conn_set_filter(c, &toy.filter);
	return true;
}

static void
turn(const char *in, size_t n)
{
	if (n > 0)
		CHECK_INT(write(peer, in, n), n);
	worker_turn(w, 0);
	worker_turn(w, 0);
}

/* What came, or "end". */
static const char *
got(void)
{
	static char	buf[100];
	ssize_t		n = read(peer, buf, sizeof(buf) - 1);

	if (n == 0)
		return "end";
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(seen.closed, 1);
	CHECK(toy.freed);
	close(peer);
	worker_free(w);
}

TEST(both_ways_once_open)
{
	if (!CHECK(start()))
		return;
	conn_send_copy(c, "@@@@@@@@", 8);
	turn("", 0);
	CHECK_STR(got(), "");
	CHECK(c->blocked);
	CHECK_INT(c->out_bytes, 8);
	turn("!`a", 3);
	CHECK_STR(got(), "AAAAAAAA");
	CHECK_INT(seen.drained, 1);
	CHECK(!c->blocked);
	CHECK_SVEQ(sv_make(seen.got, seen.ngot), SV("a`"));
	turn("c\0ignored", 9);
	CHECK_SVEQ(sv_make(seen.got, seen.ngot), SV("a`b"));
	CHECK_INT(seen.eofs, 1);
	stop();
}

TEST(what_is_held_blocks)
{
	if (!CHECK(start()))
		return;
	turn("!", 1);
	toy.stuck = true;
	conn_send_copy(c, "@@@@", 4);
	turn("", 0);
	CHECK(c->blocked);
	CHECK_INT(c->out_bytes, 1);
	CHECK_INT(seen.drained, 0);
	CHECK_STR(got(), "");
	toy.stuck = false;
	turn("", 0);
	CHECK_STR(got(), "AAAA");
	CHECK_INT(seen.drained, 1);
	CHECK(!c->blocked);
	stop();
}

TEST(last_words)
{
	int i;

	for (i = 0; i < 2; i++) {
		test_note("drained: %d", i);
		if (!CHECK(start()))
			return;
		turn("!", 1);
		conn_send_copy(c, "@@", 2);
		if (i == 0)
			conn_close(c);
		else
			conn_close_drained(c);
		turn("", 0);
		CHECK_STR(got(), "AA");
		CHECK(toy.finished);
		CHECK_STR(got(), "end");
		CHECK_INT(seen.closed, 1 - i);
		stop();
		CHECK_STR(seen.why, "connection closed");
	}
}

TEST(a_fin_is_the_filters_matter)
{
	if (!CHECK(start()))
		return;
	turn("!", 1);
	shutdown(peer, SHUT_WR);
	turn("", 0);
	CHECK_INT(seen.eofs, 0);
	CHECK_INT(seen.err, EPROTO);
	CHECK_STR(seen.why, "no zero");
	CHECK(!toy.finished);
	stop();
}

TEST(reading_can_be_put_off)
{
	if (!CHECK(start()))
		return;
	toy.deaf = true;
	turn("!a", 2);
	CHECK_INT(seen.ngot, 0);
	toy.deaf = false;
	turn("", 0);
	CHECK_INT(seen.ngot, 1);
	stop();
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The PROXY protocol: what is a header, and what happens to connections with
 * one, a wrong one and none.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <unistd.h>

#include "net/proxyproto.h"
#include "tests/unit/test.h"
#include "util/clock.h"

#define SIG	"\r\n\r\n\0\r\nQUIT\n"
#define V4	"\x01\x02\x03\x04" "\x7f\0\0\1" "\x30\x39" "\x01\xbb"
#define V6	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" "\x30\x39" "\x01\xbb"
#define ROW(s)	{ s, sizeof(s) - 1 }

struct row {
	struct sv	 in;
	const char	*src;	/* NULL: the socket's; "": refused */
};

static const struct row rows[] = {
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 12345 443\r\n"), "1.2.3.4" },
	{ ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    "255.255.255.255" },
	{ ROW("PROXY TCP6 2001:db8::9 ::1 12345 443\r\n"), "2001:db8::9" },
	{ ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ ROW("PROXY UNKNOWN\r\n"), NULL },
	{ ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), NULL },
	/* v2: PROXY over TCP, LOCAL, UNSPEC, UDP and Unix, TLVs. */
	{ ROW(SIG "\x21\x11\0\x0c" V4), "1.2.3.4" },
	{ ROW(SIG "\x21\x21\0\x24" V6), "2001:db8::9" },
	{ ROW(SIG "\x21\x11\0\x15" V4 "\x04\0\x06" "abcdef"), "1.2.3.4" },
	{ ROW(SIG "\x20\0\0\0"), NULL },
	{ ROW(SIG "\x20\x11\0\x0c" V4), NULL },
	{ ROW(SIG "\x21\0\0\0"), NULL },
	{ ROW(SIG "\x21\0\0\x03" "abc"), NULL },
	{ ROW(SIG "\x21\x12\0\x0c" V4), NULL },
	{ ROW(SIG "\x21\x31\0\x04" "abcd"), NULL },
	/* wrong */
	{ ROW("GET / HTTP/1.1\r\n"), "" },
	{ ROW("PROXZ"), "" },
	{ ROW("proxy TCP4 1.2.3.4 127.0.0.1 1 2\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 1 2\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 1 2 \r\n"), "" },
	{ ROW("PROXY  TCP4 1.2.3.4 127.0.0.1 1 2\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 1\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 1 \r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 01 2\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 65536 2\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.4 127.0.0.1 1 -2\r\n"), "" },
	{ ROW("PROXY TCP4 1.2.3.256 127.0.0.1 1 2\r\n"), "" },
	{ ROW("PROXY TCP4 ::1 ::1 1 2\r\n"), "" },
	{ ROW("PROXY TCP6 1.2.3.4 127.0.0.1 1 2\r\n"), "" },
	{ ROW("PROXY TCP5 1.2.3.4 127.0.0.1 1 2\r\n"), "" },
	{ ROW("PROXY \r\n"), "" },
	{ ROW("PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"), "" },
	{ ROW(SIG "\x11\x11\0\x0c" V4), "" },
	{ ROW(SIG "\x22\x11\0\x0c" V4), "" },
	{ ROW(SIG "\x21\x41\0\x0c" V4), "" },
	{ ROW(SIG "\x21\x13\0\x0c" V4), "" },
	{ ROW(SIG "\x21\x11\0\x0b" V4), "" },
	{ ROW(SIG "\x21\x21\0\x0c" V4), "" },
	{ ROW(SIG "\x21\x11\x0f\xf1" V4), "" },
	{ ROW("\r\n\r\n\0\r\nQUIX\n"), "" },
};
#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* The outcome may depend on the bytes alone: a prefix of a good header wants
 * more, and of a bad one it is never taken for good. */
TEST(headers_whole_and_at_every_truncation)
{
	struct proxy_header	 h;
	const char		*why;
	char			*p, text[IP_STRLEN];
	ptrdiff_t		 k;
	size_t			 i, n;

	for (i = 0; i < NROWS; i++) {
		const struct row *r = &rows[i];
		bool bad = r->src != NULL && *r->src == '\0';

		test_note("row %zu", i);
		for (n = 0; n <= r->in.n; n++) {
			p = guard_dup(sv_make(r->in.p, n));
			k = proxy_parse(&h, sv_make(p, n), &why);
			if (n < r->in.n)
				CHECK(bad ? k <= 0 : k == 0);
			guard_free(p);
		}
		CHECK_INT(k < 0, bad);
		if (bad) {
			CHECK(why != NULL);
			continue;
		}
		CHECK_INT(k, r->in.n);
		CHECK_INT(h.has_src, r->src != NULL);
		if (r->src == NULL)
			continue;
		CHECK_STR(ip_format(h.src, text), r->src);
		if (*r->src == '1' || *r->src == '2')
			CHECK_INT(h.src_port, *r->src == '2' &&
			    r->src[1] == '5' ? 65535 : 12345);
	}
}

TEST(what_follows_is_not_the_headers)
{
	struct proxy_header	 h;
	const char		*why;

	CHECK_INT(proxy_parse(&h, SV("PROXY UNKNOWN\r\nGET /"), &why), 15);
	CHECK_INT(proxy_parse(&h, sv_make(SIG "\x20\0\0\0GET /", 21), &why),
	    16);
}

TEST(length_limits)
{
	char			 text[PROXY_V2_MAX + 1] = SIG "\x21\0\x0f\xf0";
	struct proxy_header	 h;
	const char		*why;
	size_t			 n;

	CHECK_INT(proxy_parse(&h, sv_make(text, PROXY_V2_MAX), &why),
	    PROXY_V2_MAX);
	/* The longest line, and one byte more. */
	n = (size_t)snprintf(text, sizeof(text), "PROXY UNKNOWN %091d\r\n", 0);
	CHECK_INT(n, PROXY_V1_MAX);
	CHECK_INT(proxy_parse(&h, sv_make(text, n), &why), n);
	CHECK_INT(proxy_parse(&h, sv_make(text, n - 1), &why), 0);
	n = (size_t)snprintf(text, sizeof(text), "PROXY UNKNOWN %092d\r\n", 0);
	CHECK_INT(proxy_parse(&h, sv_make(text, n), &why), -1);
	CHECK_INT(proxy_parse(&h, sv_make(text, n - 1), &why), -1);
	CHECK_STR(why, "the line is too long");
}

/* ---- connections ---- */

static struct worker	*w;
static struct conn	*c;
static int		 peer;

static struct {
	char	got[256];
	size_t	n;
	int	served, closed;
	bool	refuse;
} seen;

static size_t
on_read(struct conn *conn, char *p, size_t n)
{
	(void)conn;
	memcpy(seen.got + seen.n, p, n);
	seen.n += n;
	return n;
}

static void
on_close(struct conn *conn)
{
	(void)conn;
	seen.closed++;
}

static const struct conn_ops ops = { .on_read = on_read, .on_close = on_close };

static void
serve(struct conn *conn, void *ctx)
{
	CHECK(ctx == &seen);
	seen.served++;
	if (seen.refuse)
		conn_close(conn);
	else
		conn->ops = &ops;
}

/* For a header within that many milliseconds. */
static void
start_for(bool trusted, int ms)
{
	static struct ip_set	nobody, unix_peers = { .none = true };
	int			fd[2];

	memset(&seen, 0, sizeof(seen));
	CHECK((w = worker_new(0)) != NULL);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	peer = fd[1];
	c = conn_new(w, fd[0], NULL, NULL, NULL);
	proxy_accept(c, trusted ? &unix_peers : &nobody, ms, serve, &seen);
}

static void
start(bool trusted)
{
	start_for(trusted, 60000);
}

static void
put(const char *s, size_t n)
{
	CHECK_INT(write(peer, s, n), n);
	worker_turn(w, 0);
	worker_turn(w, 0);
}

static bool
is_closed(void)
{
	char byte;

	worker_turn(w, 0);
	return read(peer, &byte, 1) == 0;
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(w->stats.conns_open, 0);
	worker_free(w);
	close(peer);
}

TEST(header_byte_by_byte_and_the_rest)
{
	const char	text[] = "PROXY TCP4 9.8.7.6 127.0.0.1 77 443\r\nhello";
	char		who[ADDR_STRLEN];
	size_t		i;

	start(true);
	for (i = 0; i < sizeof(text) - 1; i++)
		put(text + i, 1);
	CHECK_INT(seen.served, 1);
	CHECK_STR(conn_peer(c, who), "9.8.7.6");
	CHECK_INT(c->peer_port, 77);
	CHECK_SV(sv_make(seen.got, seen.n), "hello");
	CHECK(!timer_is_set(&c->timer));
	stop();
	CHECK_INT(seen.closed, 1);
}

TEST(header_and_the_rest_at_once)
{
	char who[ADDR_STRLEN];

	start(true);
	put("PROXY UNKNOWN\r\nhello", 20);
	CHECK_SV(sv_make(seen.got, seen.n), "hello");
	CHECK_STR(conn_peer(c, who), "unix:");
	put(" you", 4);
	CHECK_SV(sv_make(seen.got, seen.n), "hello you");
	stop();
}

TEST(no_header_is_no_service)
{
	start(true);
	put("GET / HTTP/1.1\r\n\r\n", 18);
	CHECK(is_closed());
	CHECK_INT(seen.served, 0);
	stop();
}

TEST(an_untrusted_peer_is_not_listened_to)
{
	start(false);
	CHECK(is_closed());
	CHECK_INT(seen.served, 0);
	stop();
}

TEST(a_header_that_does_not_come)
{
	int64_t until;

	start_for(true, 100);
	put("PROXY TCP4", 10);
	until = clock_mono_ms() + 10000;
	while (!c->closing && clock_mono_ms() < until) {
		worker_turn(w, 10);
		if (is_closed())
			break;
	}
	CHECK(clock_mono_ms() < until);
	CHECK_INT(seen.served, 0);
	stop();
}

TEST(closed_by_the_next_layer)
{
	start(true);
	seen.refuse = true;
	put("PROXY UNKNOWN\r\nhello", 20);
	CHECK_INT(seen.served, 1);
	CHECK_INT(seen.n, 0);
	CHECK(is_closed());
	stop();
}

TEST(gone_before_the_header)
{
	start(true);
	put("PROXY", 5);
	close(peer);
	worker_turn(w, 0);
	CHECK_INT(w->stats.conns_open, 0);
	peer = -1;
	stop();
}

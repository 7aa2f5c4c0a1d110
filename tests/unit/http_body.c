/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Chunked bodies. Each row is decoded whole, cut in two at every place, and
 * byte by byte, in place against a guard page; all must come to the same.
 */
#include "http/http.h"
#include "tests/unit/test.h"

#define MAX_BODY	64

struct outcome {
	ptrdiff_t	 used;		/* of all bytes; -1: refused, 0: more */
	int		 status;
	const char	*why;
	struct buf	 body;
};

/* Feed s in pieces: the first of `first' bytes, the others of `then'. */
static struct outcome
decode(struct sv s, size_t first, size_t then)
{
	struct http_chunked	 d;
	struct outcome		 o = { .body = BUF_INIT };
	size_t			 at = 0, n = first, out;
	ptrdiff_t		 k = 0;
	char			*p;

	http_chunked_init(&d, MAX_BODY);
	for (; k == 0 && at < s.n; at += n, n = then) {
		if (n > s.n - at)
			n = s.n - at;
		p = guard_dup(sv_make(s.p + at, n));
		k = http_chunked_feed(&d, p, n, &out);
		if (k >= 0)
			buf_put(&o.body, p, out);
		guard_free(p);
		if (k > 0)
			o.used = (ptrdiff_t)at + k;
	}
	if (k < 0)
		o.used = -1;
	o.status = d.status;
	o.why = d.why;
	return o;
}

static void
same(const struct outcome *a, const struct outcome *b)
{
	CHECK_INT(a->used, b->used);
	CHECK_INT(a->status, b->status);
	CHECK_STR(a->why, b->why);
	if (a->used >= 0)
		CHECK_SVEQ(buf_sv(&a->body), buf_sv(&b->body));
}

static void
row(struct sv in, struct outcome want)
{
	struct outcome	o;
	size_t		n;

	test_note("%.*s", SV_ARG(in));
	for (n = 1; n <= in.n; n++) {
		o = decode(in, n, in.n);
		same(&o, &want);
		buf_fini(&o.body);
	}
	o = decode(in, 1, 1);
	same(&o, &want);
	buf_fini(&o.body);
}

TEST(accepted)
{
	static const struct {
		struct sv	 in;
		const char	*body;
		ptrdiff_t	 rest;	/* bytes that are not the body's */
	} v[] = {
		{ SV_INIT("0\r\n\r\n"), "", 0 },
		{ SV_INIT("000000000000000\r\n\r\n"), "", 0 },
		{ SV_INIT("5\r\nhello\r\n0\r\n\r\n"), "hello", 0 },
		{ SV_INIT("5\r\nhello\r\n0\r\n\r\nGET /"), "hello", 5 },
		{ SV_INIT("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"),
		    "abcdef", 0 },
		{ SV_INIT("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n", 0 },
		{ SV_INIT("A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"),
		    "01234567890123456789a", 0 },
		{ SV_INIT("40\r\n0123456789012345678901234567890123456789012345"
		    "678901234567890123\r\n0\r\n\r\n"), "01234567890123456789"
		    "01234567890123456789012345678901234567890123", 0 },
		{ SV_INIT("1;a=b;c=\"d e\"\r\nx\r\n0;z\r\n\r\n"), "x", 0 },
		{ SV_INIT("1\r\nx\r\n0\r\nA: b\r\nC:\t\xe9\r\n\r\n"), "x", 0 },
	};
	struct outcome	want;
	size_t		i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		want = (struct outcome){
			.used = (ptrdiff_t)v[i].in.n - v[i].rest
		};
		buf_puts(&want.body, v[i].body);
		row(v[i].in, want);
		buf_fini(&want.body);
	}
}

TEST(refused)
{
	static const struct {
		struct sv	 in;
		int		 status;
		const char	*why;
	} v[] = {
#define BAD(in, why)	{ SV_INIT(in), 400, why }
		BAD("\r\n", "malformed chunk size"),
		BAD(" 5\r\n", "malformed chunk size"),
		BAD("5 \r\n", "malformed chunk size"),
		BAD("5 ;a\r\n", "malformed chunk size"),
		BAD("+5\r\n", "malformed chunk size"),
		BAD("-5\r\n", "malformed chunk size"),
		BAD("0x5\r\n", "malformed chunk size"),
		BAD(";a\r\n", "malformed chunk size"),
		BAD("1\r\na\r\n\r\n", "malformed chunk size"),
		BAD("g\r\n", "malformed chunk size"),
		BAD("5\n", "malformed chunk size"),
		BAD("5\0\r\n", "malformed chunk size"),
		BAD("5\rh", "chunk does not end in CRLF"),
		BAD("0000000000000001\r\n", "chunk size is too long"),
		BAD("fffffffffffffffff\r\n", "chunk size is too long"),
		BAD("1\r\nab", "chunk does not end in CRLF"),
		BAD("1\r\na\n", "chunk does not end in CRLF"),
		BAD("1\r\na\rb", "chunk does not end in CRLF"),
		BAD("1;a\n", "bad character in a chunk extension or trailer"),
		BAD("1;a\0\r\n",
		    "bad character in a chunk extension or trailer"),
		BAD("1;a\rb", "chunk does not end in CRLF"),
		BAD("0\r\n\rx", "chunk does not end in CRLF"),
		BAD("0\r\n\n", "malformed trailer"),
		BAD("0\r\n a: b\r\n", "malformed trailer"),
		BAD("0\r\n: b\r\n", "malformed trailer"),
		BAD("0\r\na : b\r\n", "malformed trailer"),
		BAD("0\r\nGET / HTTP/1.1\r\n", "malformed trailer"),
		BAD("0\r\na\r\n", "malformed trailer"),
		BAD("0\r\na\xe9:\r\n", "malformed trailer"),
		BAD("0\r\na: b\n",
		    "bad character in a chunk extension or trailer"),
		BAD("0\r\na: b\rc", "chunk does not end in CRLF"),
		{ SV_INIT("41\r\n"), 413, "body is too large" },
		{ SV_INIT("41;a"), 413, "body is too large" },
		{ SV_INIT("fffffffffffffff\r\n"), 413, "body is too large" },
		{ SV_INIT("8\r\n12345678\r\n39\r\n"), 413,
		    "body is too large" },
	};
	struct outcome	want;
	size_t		i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		want = (struct outcome){ .used = -1, .status = v[i].status,
		    .why = v[i].why };
		row(v[i].in, want);
	}
}

static void
put_many(struct buf *b, char c, int n)
{
	while (n-- > 0)
		buf_putc(b, c);
}

/* What is dropped adds up over the whole body, wherever it stands: each
 * byte after the semicolon, and of trailer lines, up to and with the CR. */
TEST(extensions_and_trailers_are_bounded)
{
	struct buf	b = BUF_INIT;
	struct outcome	o;
	int		i, over;

	for (over = 0; over < 2; over++) {
		buf_reset(&b);
		for (i = 0; i < 8; i++) {
			buf_puts(&b, "1;");
			put_many(&b, 'e', 255);
			buf_puts(&b, "\r\nx\r\n");
		}
		buf_puts(&b, "0\r\nt:");
		put_many(&b, 't', HTTP_CHUNK_EXTRA - 8 * 256 - 3 + over);
		buf_puts(&b, "\r\n\r\n");
		o = decode(buf_sv(&b), b.n, 1);
		CHECK_INT(o.status, over ? 400 : 0);
		CHECK_INT(o.used, over ? -1 : (ptrdiff_t)b.n);
		CHECK_SV(buf_sv(&o.body), over ? "" : "xxxxxxxx");
		buf_fini(&o.body);
	}
	buf_fini(&b);
}

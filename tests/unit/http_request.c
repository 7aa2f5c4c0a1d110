/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Request heads. What a row expects is a line made of all that the parser
 * says: `METHOD path?query 1.minor flags; name=value; ...', or `status why'.
 * Every row is parsed at every length, each against a guard page: all
 * lengths before the decisive byte need more, all from there on agree.
 */
#include "http/http.h"
#include "tests/unit/test.h"

#define HOST	"Host: h\r\n"
#define GET	"GET / HTTP/1.1\r\n" HOST
#define POST	"POST / HTTP/1.1\r\n" HOST
#define END	"\r\n"

static const struct http_limits limits = { 4096, 1000 };

static void
describe(struct buf *b, const struct http_request *r, ptrdiff_t k)
{
	size_t i;

	buf_reset(b);
	if (k == 0) {
		buf_puts(b, "more");
		return;
	}
	if (k < 0) {
		buf_printf(b, "%d %s", r->status, r->why);
		return;
	}
	buf_printf(b, "%.*s %.*s", SV_ARG(r->method_text), SV_ARG(r->path));
	if (r->query.p != NULL)
		buf_printf(b, "?%.*s", SV_ARG(r->query));
	buf_printf(b, " 1.%d", r->minor);
	if (r->keep_alive)
		buf_puts(b, " keep");
	if (r->chunked)
		buf_puts(b, " chunked");
	if (r->has_length)
		buf_printf(b, " length=%llu", (unsigned long long)r->length);
	if (r->expect_continue)
		buf_puts(b, " expect");
	for (i = 0; i < r->nheader; i++)
		buf_printf(b, "; %.*s=%.*s", SV_ARG(r->header[i].name),
		    SV_ARG(r->header[i].value));
}

static ptrdiff_t
parse_guarded(struct http_request *r, struct sv s, struct buf *b)
{
	char		*p = guard_dup(s);
	ptrdiff_t	 k = http_request_parse(r, sv_make(p, s.n), &limits);

	describe(b, r, k);
	guard_free(p);
	return k;
}

static void
row(struct sv in, const char *want, size_t rest)
{
	struct http_request	 r;
	struct buf		 b = BUF_INIT;
	ptrdiff_t		 k, whole;
	size_t			 n;

	test_note("%.*s", SV_ARG(in));
	whole = parse_guarded(&r, in, &b);
	CHECK_SV(buf_sv(&b), want);
	if (whole > 0)
		CHECK_INT(whole, in.n - rest);
	for (n = 0; n < in.n; n++) {
		k = parse_guarded(&r, sv_make(in.p, n), &b);
		if (k != 0)
			break;
	}
	for (; n < in.n; n++) {
		CHECK_INT(parse_guarded(&r, sv_make(in.p, n), &b), whole);
		CHECK_SV(buf_sv(&b), want);
	}
	buf_fini(&b);
}

struct row { struct sv in; const char *want; };
#define ROW(in, want)	{ SV_INIT(in), want }

static void
rows(const struct row *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		row(v[i].in, v[i].want, 0);
}
#define ROWS(v)	rows(v, sizeof(v) / sizeof((v)[0]))

TEST(accepted)
{
	static const struct row v[] = {
		ROW(GET END, "GET / 1.1 keep; Host=h"),
		ROW("\r\n" GET END, "GET / 1.1 keep; Host=h"),
		ROW("GET /a/b?c=d&e HTTP/1.1\r\nHost: h:80\r\n\r\n",
		    "GET /a/b?c=d&e 1.1 keep; Host=h:80"),
		ROW("GET /a? HTTP/1.1\r\nHost: h\r\n\r\n",
		    "GET /a? 1.1 keep; Host=h"),
		ROW("GET /a?b?c HTTP/1.1\r\nHost:\r\n\r\n",
		    "GET /a?b?c 1.1 keep; Host="),
		ROW("GET /{a|b}?\"<^`> HTTP/1.1\r\n" HOST END,
		    "GET /{a|b}?\"<^`> 1.1 keep; Host=h"),
		ROW("HEAD / HTTP/1.1\r\nhOsT: h\r\n\r\n",
		    "HEAD / 1.1 keep; hOsT=h"),
		ROW("DELETE / HTTP/1.1\r\n" HOST END,
		    "DELETE / 1.1 keep; Host=h"),
		ROW("OPTIONS * HTTP/1.1\r\n" HOST END,
		    "OPTIONS * 1.1 keep; Host=h"),
		ROW("TRACE / HTTP/1.1\r\n" HOST END,
		    "TRACE / 1.1 keep; Host=h"),
		ROW("GET / HTTP/1.0\r\n\r\n", "GET / 1.0"),
		ROW(GET "A: \t b c\t \r\nb:\r\nC:d" END END,
		    "GET / 1.1 keep; Host=h; A=b c; b=; C=d"),
		ROW(GET "A: a longer value, with\ta tab and \xc3\xa9\r\n" END,
		    "GET / 1.1 keep; Host=h; "
		    "A=a longer value, with\ta tab and \xc3\xa9"),
		ROW(GET "!#$%&'*+-.^_`|~09azAZ: x\r\n" END,
		    "GET / 1.1 keep; Host=h; !#$%&'*+-.^_`|~09azAZ=x"),
		ROW("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
		    "GET / 1.1 keep; Host=[::1]:8000"),
		ROW("GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]\r\n\r\n",
		    "GET / 1.1 keep; Host=[::ffff:1.2.3.4]"),
		ROW("GET / HTTP/1.1\r\nHost: a-b.c_d~%20!$&'()*+,;=\r\n\r\n",
		    "GET / 1.1 keep; Host=a-b.c_d~%20!$&'()*+,;="),
	};

	ROWS(v);
}

TEST(absolute_targets)
{
	static const struct row v[] = {
		ROW("GET http://h/x?y HTTP/1.1\r\n" HOST END,
		    "GET /x?y 1.1 keep; Host=h"),
		ROW("GET HTTPS://H:1/x HTTP/1.1\r\nHost: h:1\r\n\r\n",
		    "GET /x 1.1 keep; Host=h:1"),
		ROW("GET http://h HTTP/1.1\r\n" HOST END,
		    "GET / 1.1 keep; Host=h"),
		ROW("GET http://h?q HTTP/1.1\r\n" HOST END,
		    "GET /?q 1.1 keep; Host=h"),
		ROW("GET http://other/ HTTP/1.1\r\n" HOST END,
		    "400 target and Host differ"),
		ROW("GET http:/// HTTP/1.1\r\n" HOST END,
		    "400 bad host in the target"),
		ROW("GET http://u@h/ HTTP/1.1\r\n" HOST END,
		    "400 bad host in the target"),
		ROW("GET http:/h HTTP/1.1\r\n" HOST END,
		    "400 target is neither a path nor a URL"),
		ROW("GET ftp://h/ HTTP/1.1\r\n" HOST END,
		    "400 target is neither a path nor a URL"),
		ROW("GET h:80 HTTP/1.1\r\n" HOST END,
		    "400 target is neither a path nor a URL"),
		ROW("GET * HTTP/1.1\r\n" HOST END,
		    "400 target is neither a path nor a URL"),
	};

	ROWS(v);
}

TEST(malformed_request_lines)
{
	static const struct row v[] = {
		ROW("\r\n\r\n", "400 malformed request line"),
		ROW("\n" GET END, "400 malformed request line"),
		ROW("\rGET", "400 CR without LF"),
		ROW(" GET / HTTP/1.1\r\n", "400 malformed request line"),
		ROW("GET\t/ HTTP/1.1\r\n", "400 malformed request line"),
		ROW("G(T / HTTP/1.1\r\n", "400 malformed request line"),
		ROW("G\0T / HTTP/1.1\r\n", "400 malformed request line"),
		ROW("\x16\x03\x01\x02", "400 malformed request line"),
		ROW("GET  / HTTP/1.1\r\n", "400 bad character in the target"),
		ROW("GET /\r\n", "400 bad character in the target"),
		ROW("GET /\n", "400 bad character in the target"),
		ROW("GET /a#b HTTP/1.1\r\n",
		    "400 bad character in the target"),
		ROW("GET /\xc3\xa9 HTTP/1.1\r\n",
		    "400 bad character in the target"),
		ROW("GET /\0 HTTP/1.1\r\n", "400 bad character in the target"),
		ROW("GET /\t HTTP/1.1\r\n", "400 bad character in the target"),
		ROW("GET /a b HTTP/1.1\r\n", "400 malformed request line"),
		ROW("GET /  HTTP/1.1\r\n", "400 malformed request line"),
		ROW("GET / HTTP/1.1 \r\n", "400 malformed request line"),
		ROW("GET / HTTP/1.1\n", "400 malformed request line"),
		ROW("GET / HTTP/1.1\r ", "400 CR without LF"),
		ROW("GET / HTTP/11\r\n", "400 malformed request line"),
		ROW("GET / HTTP/1.10\r\n", "400 malformed request line"),
		ROW("GET / http/1.1\r\n", "400 malformed request line"),
		ROW("GET / HTTP/x.1\r\n", "400 malformed request line"),
		ROW("GET / HTTP/2.0\r\n",
		    "505 neither HTTP/1.1 nor HTTP/1.0"),
		ROW("GET / HTTP/1.2\r\n",
		    "505 neither HTTP/1.1 nor HTTP/1.0"),
		ROW("PRI * HTTP/2.0\r\n",
		    "505 neither HTTP/1.1 nor HTTP/1.0"),
		ROW("get / HTTP/1.1\r\n", "501 method not implemented"),
		ROW("BREW / HTTP/1.1\r\n", "501 method not implemented"),
		ROW("CONNECT h:80 HTTP/1.1\r\n",
		    "501 method not implemented"),
	};

	ROWS(v);
}

TEST(malformed_headers)
{
	static const struct row v[] = {
		ROW(GET "A : b\r\n" END,
		    "400 blank in or after a header name"),
		ROW(GET "A\t: b\r\n" END,
		    "400 blank in or after a header name"),
		ROW(GET "A B: b\r\n" END,
		    "400 blank in or after a header name"),
		ROW(GET "A: b\r\n c\r\n" END, "400 folded header line"),
		ROW(GET "A: b\r\n\tc\r\n" END, "400 folded header line"),
		ROW("GET / HTTP/1.1\r\n Host: h\r\n" END,
		    "400 folded header line"),
		ROW(GET ": b\r\n" END, "400 empty header name"),
		ROW(GET "A\r\n" END, "400 bad character in a header name"),
		ROW(GET "A\xe9: b\r\n" END,
		    "400 bad character in a header name"),
		ROW(GET "A\0: b\r\n" END, "400 bad character in a header name"),
		ROW(GET "A@b: b\r\n" END, "400 bad character in a header name"),
		ROW(GET "A: b\n" END, "400 bad character in a header value"),
		ROW(GET "A: b\0c\r\n" END,
		    "400 bad character in a header value"),
		ROW(GET "A: a long value with a \x01 in it\r\n" END,
		    "400 bad character in a header value"),
		ROW(GET "A: b\x7f\r\n" END,
		    "400 bad character in a header value"),
		ROW(GET "A: a long value with a \x7f in it\r\n" END,
		    "400 bad character in a header value"),
		ROW(GET "A: b\rc\r\n" END, "400 CR without LF"),
		ROW(GET "A: b\r\r\n" END, "400 CR without LF"),
		ROW(GET "A: b\r\n\rX", "400 CR without LF"),
		ROW(GET "A: b\r\n\n", "400 bad character in a header name"),
	};

	ROWS(v);
}

TEST(host)
{
	static const struct row v[] = {
		ROW("GET / HTTP/1.1\r\n\r\n", "400 no Host header"),
		ROW(GET HOST END, "400 several Host headers"),
		ROW("GET / HTTP/1.0\r\n" HOST HOST END,
		    "400 several Host headers"),
		ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: []\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n",
		    "400 bad character in Host"),
		ROW("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n",
		    "400 bad character in Host"),
	};

	ROWS(v);
}

TEST(framing)
{
	static const struct row v[] = {
		ROW(POST "Content-Length: 5\r\n" END,
		    "POST / 1.1 keep length=5; Host=h; Content-Length=5"),
		ROW(GET "Content-Length: 0\r\n" END,
		    "GET / 1.1 keep length=0; Host=h; Content-Length=0"),
		ROW(POST "content-LENGTH: 01000\r\n" END,
		    "POST / 1.1 keep length=1000; Host=h; "
		    "content-LENGTH=01000"),
		ROW(POST "Transfer-Encoding: Chunked\r\n" END,
		    "POST / 1.1 keep chunked; Host=h; "
		    "Transfer-Encoding=Chunked"),
		ROW(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n" END,
		    "POST / 1.1 keep length=1 expect; Host=h; "
		    "Expect=100-Continue; Content-Length=1"),
		ROW("POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
		    "Content-Length: 1\r\n" END,
		    "POST / 1.0 length=1; Expect=100-continue; "
		    "Content-Length=1"),
		ROW(POST "Expect: 200-ok\r\n" END, "417 unknown expectation"),
		ROW(POST "Expect:\r\n" END, "417 unknown expectation"),
		ROW(POST END, "411 no Content-Length"),
		ROW("PUT / HTTP/1.0\r\n" END, "411 no Content-Length"),
		ROW("PATCH / HTTP/1.1\r\n" HOST END, "411 no Content-Length"),
		ROW(POST "Content-Length: 1001\r\n" END,
		    "413 body is too large"),
		ROW(POST "Content-Length: 18446744073709551615\r\n" END,
		    "413 body is too large"),
	};

	ROWS(v);
}

/* Each of these is read one way by one server and another by the next. */
TEST(smuggling)
{
	static const struct row v[] = {
		ROW(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
		    END, "400 both Content-Length and Transfer-Encoding"),
		ROW(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
		    END, "400 both Content-Length and Transfer-Encoding"),
		ROW(POST "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"
		    END, "400 both Content-Length and Transfer-Encoding"),
		ROW(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END,
		    "400 several Content-Length values"),
		ROW(POST "Content-Length: 5\r\nContent-Length: 5\r\n" END,
		    "400 several Content-Length values"),
		ROW(POST "Content-Length: 5, 5\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: +5\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: -5\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: 0x5\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: 5 5\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: 5;\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length:\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Content-Length: 18446744073709551616\r\n" END,
		    "400 malformed Content-Length"),
		ROW(POST "Transfer-Encoding: chunked, chunked\r\n" END,
		    "400 chunked is not the last coding"),
		ROW(POST "Transfer-Encoding: chunked, gzip\r\n" END,
		    "400 chunked is not the last coding"),
		ROW(POST "Transfer-Encoding: chunked\r\n"
		    "Transfer-Encoding: identity\r\n" END,
		    "400 chunked is not the last coding"),
		ROW(POST "Transfer-Encoding:\r\n" END,
		    "400 malformed Transfer-Encoding"),
		ROW(POST "Transfer-Encoding: ,chunked\r\n" END,
		    "400 malformed Transfer-Encoding"),
		ROW(POST "Transfer-Encoding: chunked,\r\n" END,
		    "400 malformed Transfer-Encoding"),
		ROW(POST "Transfer-Encoding: \vchunked\r\n" END,
		    "400 bad character in a header value"),
		ROW(POST "Transfer-Encoding : chunked\r\n" END,
		    "400 blank in or after a header name"),
		ROW(POST "X: y\r\n Transfer-Encoding: chunked\r\n" END,
		    "400 folded header line"),
		ROW(POST "X: y\nTransfer-Encoding: chunked\r\n" END,
		    "400 bad character in a header value"),
		ROW(POST "Transfer-Encoding: xchunked\r\n" END,
		    "501 transfer coding not implemented"),
		ROW(POST "Transfer-Encoding: gzip, chunked\r\n" END,
		    "501 transfer coding not implemented"),
		ROW(POST "Transfer-Encoding: identity\r\n" END,
		    "501 transfer coding not implemented"),
		ROW(POST "Transfer-Encoding: chunked;x=y\r\n" END,
		    "501 transfer coding not implemented"),
		ROW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END,
		    "400 Transfer-Encoding in HTTP/1.0"),
	};

	ROWS(v);
}

TEST(keep_alive)
{
	static const struct row v[] = {
		ROW(GET "Connection: close\r\n" END,
		    "GET / 1.1; Host=h; Connection=close"),
		ROW(GET "Connection: Upgrade , CLOSE\r\n" END,
		    "GET / 1.1; Host=h; Connection=Upgrade , CLOSE"),
		ROW("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n" END,
		    "GET / 1.0 keep; Connection=Keep-Alive"),
		ROW("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n" END,
		    "GET / 1.0; Connection=keep-alive, close"),
		ROW(GET "Connection: keep-alive\r\nConnection: close\r\n" END,
		    "GET / 1.1; Host=h; Connection=keep-alive; "
		    "Connection=close"),
	};

	ROWS(v);
}

TEST(bytes_after_the_head_stay)
{
	row(SV(GET END "rest\n\0"), "GET / 1.1 keep; Host=h", 6);
}

/* A head of exactly n bytes, padded in front of its last CRLF or in its
 * target. */
static struct sv
padded(struct buf *b, size_t n, bool in_target)
{
	const struct sv	tail = in_target ? SV(" HTTP/1.1\r\n" HOST END) :
	    SV("\r\n" END);

	buf_reset(b);
	buf_puts(b, in_target ? "GET /" : GET "A: ");
	while (b->n < n - tail.n)
		buf_putc(b, 'x');
	buf_putsv(b, tail);
	return buf_sv(b);
}

TEST(limits)
{
	struct http_request	r;
	struct buf		b = BUF_INIT, out = BUF_INIT;
	struct sv		s;
	int			i;

	for (i = 0; i < 2; i++) {
		s = padded(&b, limits.head, i);
		CHECK_INT(parse_guarded(&r, s, &out), limits.head);
		s = padded(&b, limits.head + 1, i);
		CHECK_INT(parse_guarded(&r, s, &out), -1);
		CHECK_INT(r.status, 431);
		CHECK_INT(parse_guarded(&r, sv_make(s.p, limits.head - 1),
		    &out), 0);
		CHECK_INT(parse_guarded(&r, sv_make(s.p, limits.head),
		    &out), -1);
		CHECK_INT(r.status, 431);
	}
	s = padded(&b, limits.head + 100, true);
	CHECK_INT(parse_guarded(&r, s, &out), -1);
	CHECK_INT(r.status, 414);
	buf_fini(&b);
	buf_fini(&out);
}

TEST(number_of_headers)
{
	struct buf		b = BUF_INIT, out = BUF_INIT;
	struct http_request	r;
	int			i;

	buf_puts(&b, "GET / HTTP/1.0\r\n");
	for (i = 0; i < HTTP_MAX_HEADERS; i++)
		buf_printf(&b, "n%d: v\r\n", i);
	buf_puts(&b, "\r\n");
	CHECK_INT(http_request_parse(&r, buf_sv(&b), &limits), b.n);
	CHECK_INT(r.nheader, HTTP_MAX_HEADERS);
	CHECK_SV(http_header_get(&r, "N99"), "v");
	b.n -= 2;
	buf_puts(&b, "x: y\r\n\r\n");
	CHECK_INT(parse_guarded(&r, buf_sv(&b), &out), -1);
	CHECK_INT(r.status, 431);
	buf_fini(&b);
	buf_fini(&out);
}

TEST(rebase)
{
	struct sv		 s = SV("GET http://h?q HTTP/1.1\r\nHost: h\r\n"
	    "a: b\r\n\r\n");
	struct http_request	 r;
	struct buf		 b = BUF_INIT;
	char			*from = guard_dup(s), *to = guard_dup(s);
	ptrdiff_t		 k;

	k = http_request_parse(&r, sv_make(from, s.n), &limits);
	http_request_rebase(&r, from, to);
	guard_free(from);
	describe(&b, &r, k);
	CHECK_SV(buf_sv(&b), "GET /?q 1.1 keep; Host=h; a=b");
	CHECK_SV(r.target, "http://h?q");
	guard_free(to);
	buf_fini(&b);
}

TEST(fields)
{
	struct sv s = SV(GET "Upgrade: websocket\r\nX-A: 1\r\nx-a: 2\r\n"
	    "Connection: keep-alive, Upgrade\r\nE:\r\n"
	    "Accept-Encoding: gzip\r\nAccept-Encoding: br , deflate\r\n" END);
	struct http_request r;

	CHECK_INT(http_request_parse(&r, s, &limits), s.n);
	CHECK_SV(http_header_get(&r, "x-a"), "1");
	CHECK_SV(http_header_get(&r, "UPGRADE"), "websocket");
	CHECK(http_header_get(&r, "e").p != NULL);
	CHECK(http_header_get(&r, "x").p == NULL);
	CHECK(http_header_has_token(&r, "connection", "upgrade"));
	CHECK(!http_header_has_token(&r, "connection", "up"));
	CHECK(http_header_has_token(&r, "accept-encoding", "GZIP"));
	CHECK(http_header_has_token(&r, "accept-encoding", "deflate"));
	CHECK(http_header_has_token(&r, "accept-encoding", "br"));
	CHECK(!http_header_has_token(&r, "nothing", ""));
}

TEST(query)
{
	static const struct {
		const char *query, *name, *want;	/* NULL: not there */
	} v[] = {
		{ "a=1&b=2", "b", "2" },
		{ "a=1&b=2&a=3", "a", "1" },
		{ "a=1", "A", NULL },
		{ "ab=1", "a", NULL },
		{ "", "a", NULL },
		{ "a", "a", "" },
		{ "a=", "a", "" },
		{ "&&a=b=c", "a", "b=c" },
		{ "a=x+y%2Bz%00%c3%A9", "a", "x y+z" },
		{ "%61=b", "a", "b" },
		{ "a=%4", "a", NULL },
		{ "a=%4g", "a", NULL },
		{ "a=%", "a", NULL },
		{ "%zz=1&a=2", "a", "2" },
		{ "a%=1&a=2", "a", "2" },
	};
	struct buf	b = BUF_INIT;
	struct sv	out;
	size_t		i, n;
	bool		ok;
	char		*p;

	buf_puts(&b, "kept");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%s", v[i].query);
		p = guard_dup(sv_from(v[i].query));
		n = b.n;
		ok = http_query_get(sv_make(p, strlen(v[i].query)), v[i].name,
		    &b, &out);
		guard_free(p);
		CHECK_INT(ok, v[i].want != NULL);
		if (i == 8) {
			CHECK_SVEQ(out, SV("x y+z\0\xc3\xa9"));
			continue;
		}
		CHECK_SV(out, v[i].want == NULL ? "" : v[i].want);
		if (v[i].want == NULL)
			CHECK_INT(b.n, n);
	}
	CHECK(sv_starts(buf_sv(&b), SV("kept")));
	buf_fini(&b);
	CHECK(!http_query_get(sv_make(NULL, 0), "a", &b, &out));
}

static bool
query_without_memory(void)
{
	struct buf	b = BUF_INIT;
	struct sv	out;
	bool		ok = http_query_get(SV("b=1&a=%41"), "a", &b, &out);

	if (ok)
		CHECK_SV(out, "A");
	buf_fini(&b);
	return ok;
}

TEST(query_out_of_memory)
{
	ALLOC_SWEEP(query_without_memory);
}

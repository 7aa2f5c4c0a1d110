/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The HTTP client: URLs and heads by table, then calls to a server that the
 * test plays, which says what it is told to, in pieces if need be.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/client.h"
#include "tests/unit/test.h"
#include "util/clock.h"

/* ---- URLs ---- */

static const struct {
	const char	*url, *host;
	unsigned	 port;
	const char	*target, *authority;
} urls[] = {
	{ "http://h", "h", 80, "", "h" },
	{ "HTTP://h.example:8080/a?b=c", "h.example", 8080, "/a?b=c",
	    "h.example:8080" },
	{ "http://1.2.3.4/", "1.2.3.4", 80, "/", "1.2.3.4" },
	{ "http://[::1]:9/x", "::1", 9, "/x", "[::1]:9" },
	{ "http://[::1]", "::1", 80, "", "[::1]" },
	{ "http://h?q", "h", 80, "?q", "h" },
	{ "http://h:65535/:@", "h", 65535, "/:@", "h:65535" },
	{ "https://h/x", "h", 443, "/x", "h" },
	{ "HTTPS://[::1]:80/", "::1", 80, "/", "[::1]:80" },
};

static const struct {
	const char	*url, *why;
} bad_urls[] = {
	{ "", "not an absolute http:// or https:// URL" },
	{ "/x", "not an absolute http:// or https:// URL" },
	{ "http:/h", "not an absolute http:// or https:// URL" },
	{ "http://", "not an absolute http:// or https:// URL" },
	{ "http:///x", "not an absolute http:// or https:// URL" },
	{ "http://:80", "not an absolute http:// or https:// URL" },
	{ "http://h:", "not an absolute http:// or https:// URL" },
	{ "http://h:0", "not an absolute http:// or https:// URL" },
	{ "http://h:65536", "not an absolute http:// or https:// URL" },
	{ "http://h:8x", "not an absolute http:// or https:// URL" },
	{ "http://[]", "not an absolute http:// or https:// URL" },
	{ "http://[::1", "not an absolute http:// or https:// URL" },
	{ "http://[::1]x", "not an absolute http:// or https:// URL" },
	{ "http://h/a b", "not an absolute http:// or https:// URL" },
	{ "http://h/a\r\nX: y", "not an absolute http:// or https:// URL" },
	{ "http://h/#a", "not an absolute http:// or https:// URL" },
	{ "http://h/\xc3\xa9", "not an absolute http:// or https:// URL" },
	{ "ftp://h/", "not an absolute http:// or https:// URL" },
	{ "http://u:p@h/", "no user and password in a URL" },
	{ "https:/h/", "not an absolute http:// or https:// URL" },
};

TEST(urls_by_table)
{
	struct http_url	u;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		test_note("%s", urls[i].url);
		CHECK_INT(http_url_parse(&u, sv_from(urls[i].url), &why), 0);
		CHECK_SV(u.host, urls[i].host);
		CHECK_INT(u.port, urls[i].port);
		CHECK_INT(u.https, (urls[i].url[4] | 0x20) == 's');
		CHECK_SV(u.target, urls[i].target);
		CHECK_SV(u.authority, urls[i].authority);
	}
	for (i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
		test_note("%s", bad_urls[i].url);
		CHECK_INT(http_url_parse(&u, sv_from(bad_urls[i].url), &why),
		    -1);
		CHECK_STR(why, bad_urls[i].why);
	}
}

/* ---- heads ---- */

#define OK	"HTTP/1.1 200 OK\r\n"
#define BAD(text, why)	{ text, 0, why, false, false, false, 0 }

static const struct {
	const char	*text;
	int		 status;	/* 0: refused */
	const char	*why;
	bool		 keep_alive, chunked, has_length;
	uint64_t	 length;
} heads[] = {
	{ OK "\r\n", 200, NULL, true, false, false, 0 },
	{ OK "Content-Length: 12\r\n\r\n", 200, NULL, true, false, true, 12 },
	{ OK "transfer-encoding: Chunked\r\n\r\n", 200, NULL, true, true,
	    false, 0 },
	{ OK "Connection: x, CLOSE\r\n\r\n", 200, NULL, false, false, false,
	    0 },
	{ "HTTP/1.0 404 \r\nA:\r\n\r\n", 404, NULL, false, false, false, 0 },
	{ "HTTP/1.1 599\r\n\r\n", 599, NULL, true, false, false, 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 100, NULL, true, false, false, 0 },
	BAD("HTTP/1.1 200OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/1.1 099 OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/1.1 20x OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/1.1  200 OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/1.2 200 OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/2.0 200 OK\r\n\r\n", "malformed status line"),
	BAD("http/1.1 200 OK\r\n\r\n", "malformed status line"),
	BAD("HTTP/1.1 200 O\x01K\r\n\r\n", "malformed status line"),
	BAD("\r\n\r\n", "malformed status line"),
	BAD(OK "A : b\r\n\r\n", "malformed header line"),
	BAD(OK " a: b\r\n\r\n", "malformed header line"),
	BAD(OK "a\r\n\r\n", "malformed header line"),
	BAD(OK ": b\r\n\r\n", "malformed header line"),
	BAD(OK "a: b\nc: d\r\n\r\n", "bad character in a header value"),
	BAD(OK "a: b\rc: d\r\n\r\n", "CR without LF"),
	BAD(OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
	    "bad Content-Length"),
	BAD(OK "Content-Length: +1\r\n\r\n", "bad Content-Length"),
	BAD(OK "Content-Length: \r\n\r\n", "bad Content-Length"),
	BAD(OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    "bad Transfer-Encoding"),
	BAD(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n", "bad Transfer-Encoding"),
	BAD(OK "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	    "both Content-Length and Transfer-Encoding"),
	BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "Transfer-Encoding in HTTP/1.0"),
};

TEST(heads_by_table)
{
	struct http_reply	r;
	size_t			i, k, n;
	char			*p;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		test_note("row %zu", i);
		n = strlen(heads[i].text);
		p = guard_dup(sv_from(heads[i].text));
		CHECK_INT(http_reply_parse(&r, sv_make(p, n)),
		    heads[i].status == 0 ? -1 : (ptrdiff_t)n);
		if (heads[i].status == 0) {
			CHECK_STR(r.why, heads[i].why);
		} else {
			CHECK_INT(r.status, heads[i].status);
			CHECK_INT(r.keep_alive, heads[i].keep_alive);
			CHECK_INT(r.chunked, heads[i].chunked);
			CHECK_INT(r.has_length, heads[i].has_length);
			CHECK_INT(r.length, heads[i].length);
		}
		guard_free(p);
		for (k = 0; k < n && heads[i].status != 0; k++) {
			p = guard_dup(sv_make(heads[i].text, k));
			CHECK_INT(http_reply_parse(&r, sv_make(p, k)), 0);
			guard_free(p);
		}
	}
}

TEST(head_limits)
{
	struct http_reply	r;
	struct buf		b = BUF_INIT;
	int			i;

	buf_puts(&b, OK);
	for (i = 0; i < HTTP_MAX_HEADERS; i++)
		buf_puts(&b, "a: b\r\n");
	buf_puts(&b, "\r\n");
	CHECK_INT(http_reply_parse(&r, buf_sv(&b)), b.n);
	CHECK_INT(r.nheader, HTTP_MAX_HEADERS);
	b.n -= 2;
	buf_puts(&b, "a: b\r\n\r\n");
	CHECK_INT(http_reply_parse(&r, buf_sv(&b)), -1);
	CHECK_STR(r.why, "too many headers");
	buf_reset(&b);
	buf_puts(&b, OK "a: ");
	while (b.n < HTTP_REPLY_HEAD_MAX - 1)
		buf_putc(&b, 'x');
	CHECK_INT(http_reply_parse(&r, buf_sv(&b)), 0);
	buf_putc(&b, 'x');
	CHECK_INT(http_reply_parse(&r, buf_sv(&b)), -1);
	CHECK_STR(r.why, "headers are too long");
	buf_fini(&b);
}

TEST(header_by_name)
{
	struct http_reply r;

	CHECK(http_reply_parse(&r, SV(OK "A: 1\r\na: 2\r\nB:\r\n\r\n")) > 0);
	CHECK_SV(http_reply_header(&r, "a"), "1");
	CHECK(http_reply_header(&r, "b").p != NULL);
	CHECK(http_reply_header(&r, "c").p == NULL);
}

/* ---- the server ---- */

#define PEERS	(HTTP_CLIENT_IDLE_MAX + 3)

static struct worker		*w;
static struct http_client	*hc;
static struct addr		 at;
static int			 lfd, npeers;
static struct peer { int fd; char in[65536 * 4]; size_t n; } peers[PEERS];

/* What the server says to each request, whole or byte by byte, and whether
 * it closes afterwards. */
static struct {
	struct sv	 text;
	bool		 bytewise, close;
	int		 requests;	/* answered */
} script;

static struct {
	int		 calls, status;
	char		 why[256], body[70000], type[64];
	size_t		 n;
} got;

static void
done(void *arg, const struct http_answer *a)
{
	CHECK(arg == &got);
	got.calls++;
	strlcpy(got.why, a->why == NULL ? "" : a->why, sizeof(got.why));
	if (a->why != NULL) {
		CHECK(a->reply == NULL && a->body.n == 0);
		return;
	}
	got.status = a->reply->status;
	got.n = a->body.n;
	if (a->body.n > 0 && CHECK(a->body.n < sizeof(got.body)))
		memcpy(got.body, a->body.p, a->body.n);
	snprintf(got.type, sizeof(got.type), "%.*s",
	    SV_ARG(http_reply_header(a->reply, "content-type")));
}

static void
start(void)
{
	memset(&got, 0, sizeof(got));
	memset(&script, 0, sizeof(script));
	npeers = 0;
	w = worker_new(0);
	hc = http_client_new(w);
	CHECK_INT(addr_parse(&at, "127.0.0.1", 0, false), 0);
	lfd = net_listen(&at, false, PEERS);
	CHECK(lfd != -1);
	CHECK_INT(getsockname(lfd, &at.sa, &at.len), 0);
}

static void
drop_peers(void)
{
	while (npeers > 0)
		if (peers[--npeers].fd != -1)
			close(peers[npeers].fd);
}

static void
stop(void)
{
	http_client_free(hc);
	worker_close_conns(w);
	CHECK_INT(w->stats.conns_open, 0);
	worker_free(w);
	drop_peers();
	if (lfd != -1)
		close(lfd);
}

/* The client may have closed in the middle of what it refuses. */
static void
say(struct peer *p)
{
	size_t i, step = script.bytewise ? 1 : script.text.n;

	for (i = 0; i < script.text.n; i += step) {
		(void)send(p->fd, script.text.p + i, step, MSG_NOSIGNAL);
		if (script.bytewise)
			worker_turn(w, 0);
	}
	script.requests++;
	if (script.close) {
		close(p->fd);
		p->fd = -1;
	}
}

/* Accept, read, and answer requests that are whole. */
static void
serve(void)
{
	struct peer	*p;
	char		*end, *len;
	ssize_t		 k;
	size_t		 body;
	int		 fd, i;

	fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1 && CHECK(npeers < PEERS))
		peers[npeers++] = (struct peer){ .fd = fd };
	for (i = 0; i < npeers; i++) {
		p = &peers[i];
		if (p->fd == -1)
			continue;
		k = read(p->fd, p->in + p->n, sizeof(p->in) - 1 - p->n);
		if (k <= 0)
			continue;
		p->n += (size_t)k;
		p->in[p->n] = '\0';
		if ((end = strstr(p->in, "\r\n\r\n")) == NULL)
			continue;
		len = strstr(p->in, "Content-Length: ");
		body = len == NULL ? 0 : strtoul(len + 16, NULL, 10);
		if (p->n < (size_t)(end - p->in) + 4 + body)
			continue;
		say(p);
		p->n = 0;
	}
}

static struct http_call *
call(enum http_method m, const char *path, const char *headers,
    struct sv body, int timeout)
{
	static char	url[128];
	struct http_ask	ask = { m, SV(""), sv_from(headers), body, 60000,
	    timeout, NULL };

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	    (unsigned)ntohs(at.in.sin_port), path);
	ask.url = sv_from(url);
	return http_call(hc, &ask, done, &got);
}

/* Until that many calls have been answered. */
static void
serve_until(int calls)
{
	int64_t end = clock_mono_ms() + 3000;

	while (got.calls < calls && clock_mono_ms() < end) {
		worker_turn(w, 5);
		if (lfd != -1)
			serve();
	}
	CHECK_INT(got.calls, calls);
	worker_turn(w, 0);
}

static void
run(void)
{
	got.calls = 0;
	serve_until(1);
}

static void
get(const char *text)
{
	script.text = sv_from(text);
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	run();
}

/* ---- calls ---- */

TEST(request_as_sent)
{
	start();
	script.text = SV(OK "Content-Length: 0\r\n\r\n");
	CHECK(call(HTTP_POST, "/a?b", "X-A: 1\r\nX-B: 2\r\n", SV("{}"),
	    2000) != NULL);
	CHECK_INT(got.calls, 0);
	run();
	CHECK(sv_starts(sv_from(peers[0].in),
	    SV("POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:")));
	CHECK(strstr(peers[0].in, "\r\nContent-Length: 2\r\nX-A: 1\r\n"
	    "X-B: 2\r\n\r\n{}") != NULL);
	stop();
	start();
	script.text = SV(OK "Content-Length: 0\r\n\r\n");
	CHECK(call(HTTP_GET, "?q", "", SV(""), 2000) != NULL);
	run();
	CHECK(sv_starts(sv_from(peers[0].in), SV("GET /?q HTTP/1.1\r\n")));
	CHECK(strstr(peers[0].in, "Content-Length") == NULL);
	stop();
}

static const struct {
	const char	*text;
	bool		 close;
	int		 status;	/* 0: why */
	const char	*body;
} answers[] = {
	{ OK "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello", false,
	    200, "hello" },
	{ OK "Content-Length: 0\r\n\r\n", false, 200, "" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0"
	    "\r\n\r\n", false, 200, "abcde" },
	{ OK "\r\nto the end", true, 200, "to the end" },
	{ "HTTP/1.0 500 Oh\r\n\r\n", true, 500, "" },
	{ "HTTP/1.1 204 No\r\n\r\n", false, 204, "" },
	{ "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", false, 304, "" },
	{ "HTTP/1.1 103 Early\r\nA: b\r\n\r\n" OK "Content-Length: 1\r\n\r\nx",
	    false, 200, "x" },
	{ "HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
	    false, 302, "" },
	{ "HTTP/1.1 101 Sure\r\n\r\n", false, 0,
	    "switched protocols without being asked" },
	{ "SSH-2.0-x\r\n\r\n", false, 0, "malformed status line" },
	{ OK "Content-Length: 60001\r\n\r\n", false, 0,
	    "answer is too large" },
	{ OK "Transfer-Encoding: chunked\r\n\r\nea61\r\n", false, 0,
	    "answer is too large" },
	{ OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", false, 0,
	    "malformed chunk size" },
	{ OK "Content-Length: 5\r\n\r\nhell", true, 0,
	    "connection closed before the end of the answer" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true, 0,
	    "connection closed before the end of the answer" },
	{ OK "Content-Le", true, 0,
	    "connection closed before the end of the answer" },
	{ "", true, 0, "connection closed before the answer" },
};

TEST(answers_by_table)
{
	size_t	i;
	int	bytewise;

	for (bytewise = 0; bytewise < 2; bytewise++)
		for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
			test_note("row %zu, bytewise %d", i, bytewise);
			start();
			script.bytewise = bytewise == 1;
			script.close = answers[i].close;
			script.text = sv_from(answers[i].text);
			/* No end of a turn between the last byte and FIN. */
			CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
			run();
			if (answers[i].status == 0) {
				CHECK_STR(got.why, answers[i].body);
			} else {
				CHECK_STR(got.why, "");
				CHECK_INT(got.status, answers[i].status);
				CHECK_SV(sv_make(got.body, got.n),
				    answers[i].body);
			}
			stop();
		}
}

TEST(head_has_no_body)
{
	start();
	script.text = SV(OK "Content-Length: 100000\r\n\r\n");
	CHECK(call(HTTP_HEAD, "/", "", SV(""), 2000) != NULL);
	run();
	CHECK_INT(got.status, 200);
	CHECK_INT(got.n, 0);
	stop();
}

TEST(body_to_the_end_has_a_limit)
{
	char *text = malloc(70000);

	start();
	memset(text, 'x', 70000);
	memcpy(text, OK "\r\n", 19);
	script.text = sv_make(text, 19 + 60000);
	script.close = true;
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	run();
	CHECK_INT(got.n, 60000);
	script.text.n++;
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	run();
	CHECK_STR(got.why, "answer is too large");
	stop();
	free(text);
}

TEST(large_request)
{
	char *body = calloc(1, 200000);

	start();
	script.text = SV(OK "Content-Length: 2\r\n\r\nok");
	CHECK(call(HTTP_POST, "/", "", sv_make(body, 200000), 2000) != NULL);
	run();
	CHECK_SV(sv_make(got.body, got.n), "ok");
	stop();
	free(body);
}

#define EMPTY	OK "Content-Length: 0\r\n\r\n"

TEST(connections_are_kept)
{
	int i;

	start();
	for (i = 0; i < 5; i++)
		get(EMPTY);
	CHECK_INT(npeers, 1);
	CHECK_INT(script.requests, 5);
	/* Two at once need two, and both are kept. */
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	got.calls = 0;
	serve_until(2);
	get(EMPTY);
	CHECK_INT(npeers, 2);
	CHECK_INT(w->stats.conns_open, 2);
	stop();
}

TEST(connections_that_are_not_kept)
{
	static const char *const text[] = {
		OK "Connection: close\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		EMPTY "x",
	};
	size_t i;

	for (i = 0; i < 3; i++) {
		test_note("row %zu", i);
		start();
		get(text[i]);
		CHECK_INT(got.status, 200);
		CHECK_INT(w->stats.conns_open, 0);
		get(text[i]);
		CHECK_INT(npeers, 2);
		stop();
	}
}

TEST(bytes_on_an_idle_connection)
{
	start();
	get(EMPTY);
	CHECK_INT(w->stats.conns_open, 1);
	CHECK_INT(write(peers[0].fd, EMPTY, 10), 10);
	worker_turn(w, 5);
	CHECK_INT(w->stats.conns_open, 0);
	stop();
}

TEST(kept_connection_that_the_server_closed)
{
	start();
	get(EMPTY);
	close(peers[0].fd);
	peers[0].fd = -1;
	worker_turn(w, 5);
	CHECK_INT(w->stats.conns_open, 0);
	get(EMPTY);
	CHECK_INT(got.status, 200);
	stop();
}

/* The server's FIN crosses our request: a GET goes out again, a POST not. */
TEST(kept_connection_that_dies_under_a_call)
{
	start();
	get(EMPTY);
	close(peers[0].fd);
	peers[0].fd = -1;
	get(EMPTY);
	CHECK_STR(got.why, "");
	CHECK_INT(got.status, 200);
	CHECK_INT(npeers, 2);
	close(peers[1].fd);
	peers[1].fd = -1;
	CHECK(call(HTTP_POST, "/", "", SV("x"), 2000) != NULL);
	run();
	CHECK_STR(got.why, "connection closed before the answer");
	stop();
}

TEST(too_many_to_keep)
{
	int i;

	start();
	for (i = 0; i < PEERS; i++)
		CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	script.text = SV(EMPTY);
	serve_until(PEERS);
	worker_turn(w, 0);
	CHECK_INT(npeers, PEERS);
	CHECK_INT(w->stats.conns_open, HTTP_CLIENT_IDLE_MAX);
	stop();
}

TEST(no_answer_in_time)
{
	int64_t begin;

	start();
	begin = clock_mono_ms();
	CHECK(call(HTTP_GET, "/", "", SV(""), 100) != NULL);
	while (got.calls == 0)
		worker_turn(w, 5);
	CHECK_STR(got.why, "no answer in time");
	CHECK(clock_mono_ms() - begin < 5000);
	worker_turn(w, 0);
	CHECK_INT(w->stats.conns_open, 0);
	stop();
}

TEST(nobody_listens)
{
	start();
	close(lfd);
	lfd = -1;
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	CHECK_INT(got.calls, 0);
	run();
	CHECK_STR(got.why, "can't connect");
	stop();
}

static void
call_url(const char *url)
{
	struct http_ask	ask = { HTTP_GET, sv_from(url), SV(""), SV(""), 100,
	    500, NULL };

	CHECK(http_call(hc, &ask, done, &got) != NULL);
	CHECK_INT(got.calls, 0);
	run();
	got.calls = 0;
}

TEST(urls_that_fail)
{
	static const struct dns_files files = { "/dev/null", "/dev/null", 9 };

	start();
	http_client_set_files(hc, &files);
	call_url("https://127.0.0.1/");
	CHECK_STR(got.why, "https needs TLS, which is not set up here");
	call_url("nonsense");
	CHECK_STR(got.why, "not an absolute http:// or https:// URL");
	call_url("http://a..b/");
	CHECK_STR(got.why, "not a host name");
	call_url("http://nobody.invalid/");
	CHECK_STR(got.why, "no answer from the name servers");
	stop();
}

TEST(host_by_name)
{
	char		 path[] = "/tmp/fugu-hosts.XXXXXX", url[64];
	struct dns_files files = { path, "/dev/null", 9 };
	FILE		*f = fdopen(mkstemp(path), "w");

	/* Of several addresses the first that answers will do. */
	fputs("127.0.0.9 service\n127.0.0.1 service\n", f);
	fclose(f);
	start();
	http_client_set_files(hc, &files);
	script.text = SV(EMPTY);
	snprintf(url, sizeof(url), "http://service:%u/",
	    (unsigned)ntohs(at.in.sin_port));
	call_url(url);
	CHECK_STR(got.why, "");
	CHECK_INT(got.status, 200);
	stop();
	unlink(path);
}

TEST(cancelled_at_every_stage)
{
	struct http_call	*x;
	struct http_ask		 ask = { HTTP_GET, SV("https://x"), SV(""),
	    SV(""), 100, 500, NULL };
	int			 i, k;

	start();
	http_call_cancel(http_call(hc, &ask, done, &got));
	ask.url = SV("http://nobody.invalid/");
	http_call_cancel(http_call(hc, &ask, done, &got));
	for (i = 0; i < 4; i++) {
		x = call(HTTP_GET, "/", "", SV(""), 2000);
		script.text = SV(OK "Content-Length: 10\r\n\r\nx");
		for (k = 0; k < i; k++) {
			worker_turn(w, 5);
			serve();
		}
		http_call_cancel(x);
		worker_turn(w, 0);
		CHECK_INT(w->stats.conns_open, 0);
	}
	CHECK_INT(got.calls, 0);
	/* And by the end of the client. */
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	ask.url = SV("http://nobody.invalid/");
	CHECK(http_call(hc, &ask, done, &got) != NULL);
	worker_turn(w, 0);
	stop();
	CHECK_INT(got.calls, 0);
}

/* ---- https, with a room below that puts nothing under it ---- */

struct under {
	struct http_tls	 tls;
	int		 started, result;
	char		 host[32];
};

static int
start_under(const struct http_tls *tls, struct conn *c, const char *host)
{
	struct under *u = (struct under *)(uintptr_t)tls;

	CHECK(!c->closing);
	u->started++;
	strlcpy(u->host, host, sizeof(u->host));
	return u->result;
}

static void
call_scheme(const char *scheme, const struct http_tls *tls)
{
	char		url[64];
	struct http_ask	ask = { .method = HTTP_GET, .max_body = 100,
	    .timeout_ms = 2000, .tls = tls };

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/", scheme,
	    (unsigned)ntohs(at.in.sin_port));
	ask.url = sv_from(url);
	CHECK(http_call(hc, &ask, done, &got) != NULL);
	run();
}

TEST(tls_by_settings)
{
	struct under	a = { .tls = { start_under } }, b = a;
	int		i;

	start();
	script.text = SV(EMPTY);
	http_client_set_tls(hc, &a.tls);
	for (i = 0; i < 2; i++) {
		call_scheme("http", &b.tls);
		call_scheme("https", NULL);
		call_scheme("https", &b.tls);
	}
	/* A connection for each, kept. */
	CHECK_INT(npeers, 3);
	CHECK_INT(a.started, 1);
	CHECK_INT(b.started, 1);
	CHECK_STR(a.host, "127.0.0.1");
	/* The settings have changed: only their connection goes. */
	http_client_set_tls(hc, &a.tls);
	call_scheme("https", NULL);
	call_scheme("https", &b.tls);
	call_scheme("http", NULL);
	CHECK_INT(npeers, 4);
	CHECK_INT(a.started, 2);
	a.result = -1;
	http_client_set_tls(hc, NULL);
	call_scheme("https", &a.tls);
	CHECK_STR(got.why, "can't connect");
	stop();
}

TEST(tls_changed_during_a_call)
{
	struct under	a = { .tls = { start_under } };
	char		url[64];
	struct http_ask	ask = { .method = HTTP_GET, .max_body = 100,
	    .timeout_ms = 2000 };

	start();
	script.text = SV(EMPTY);
	http_client_set_tls(hc, &a.tls);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/",
	    (unsigned)ntohs(at.in.sin_port));
	ask.url = sv_from(url);
	CHECK(http_call(hc, &ask, done, &got) != NULL);
	worker_turn(w, 5);
	CHECK_INT(a.started, 1);
	http_client_set_tls(hc, &a.tls);
	run();
	CHECK_INT(got.status, 200);
	call_scheme("https", NULL);
	CHECK_INT(a.started, 2);
	stop();
}

/* A call that is started when another is answered finds its connection. */
static int chained;

static void
chain(void *arg, const struct http_answer *a)
{
	CHECK(a->why == NULL);
	CHECK(arg == &chained);
	if (++chained == 2)
		CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
}

TEST(call_from_within_an_answer)
{
	char		url[64];
	struct http_ask	ask = { HTTP_GET, SV(""), SV(""), SV(""), 100, 2000,
	    NULL };
	int		i;

	start();
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
	    (unsigned)ntohs(at.in.sin_port));
	ask.url = sv_from(url);
	script.text = SV(EMPTY);
	chained = 0;
	for (i = 0; i < 2; i++) {
		CHECK(http_call(hc, &ask, chain, &chained) != NULL);
		while (chained <= i) {
			worker_turn(w, 5);
			serve();
		}
	}
	run();
	CHECK_INT(npeers, 1);
	CHECK_INT(got.status, 200);
	stop();
}

static void
post_next(void *arg, const struct http_answer *a)
{
	(void)arg;
	CHECK(a->why == NULL);
	CHECK(call(HTTP_POST, "/", "", SV("x"), 2000) != NULL);
}

/* A kept connection whose end was seen in this very turn. */
TEST(dying_connection_is_not_taken)
{
	char		url[64], c;
	struct http_ask	ask = { HTTP_GET, SV(""), SV(""), SV(""), 100, 2000,
	    NULL };
	int		busy;

	start();
	script.text = SV(EMPTY);
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	CHECK(call(HTTP_GET, "/", "", SV(""), 2000) != NULL);
	serve_until(2);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/",
	    (unsigned)ntohs(at.in.sin_port));
	ask.url = sv_from(url);
	CHECK(http_call(hc, &ask, post_next, NULL) != NULL);
	worker_turn(w, 5);
	busy = recv(peers[0].fd, &c, 1, MSG_PEEK) == 1 ? 0 : 1;
	close(peers[!busy].fd);
	peers[!busy].fd = -1;
	script.text = SV(OK "Connection: close\r\nContent-Length: 0\r\n\r\n");
	serve();
	run();
	CHECK_STR(got.why, "");
	CHECK_INT(got.status, 200);
	CHECK_INT(npeers, 3);
	stop();
}

static bool
sweep_call(void)
{
	int	i;
	bool	ok;

	memset(&got, 0, sizeof(got));
	drop_peers();
	if (call(HTTP_GET, "/", "", SV(""), 200) == NULL)
		return false;
	for (i = 0; i < 100 && got.calls == 0; i++) {
		worker_turn(w, 5);
		serve();
	}
	CHECK_INT(got.calls, 1);
	worker_turn(w, 0);
	ok = got.status == 200 && got.n == 2;
	if (alloc_failed() == 0)
		CHECK_STR(got.why, "");
	/* Begin anew each time. */
	drop_peers();
	worker_turn(w, 5);
	worker_turn(w, 0);
	return ok;
}

TEST(allocation_sweep)
{
	start();
	script.text = SV(OK "Content-Length: 2\r\n\r\nok");
	ALLOC_SWEEP(sweep_call);
	stop();
}

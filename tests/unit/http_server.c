/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The HTTP server over socket pairs. The test is the peer: it says bytes,
 * lets the worker turn, and compares all it hears, without Date lines.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/unit/test.h"
#include "util/clock.h"

#define HOST	"Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST	"POST /echo HTTP/1.1\r\n" HOST
#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"	\
	"Content-Length: " n "\r\n\r\n" body
#define HI	OK("2", "hi")
#define ERR(status, n, body) "HTTP/1.1 " status "\r\n"			\
	"Content-Type: text/plain; charset=utf-8\r\n"			\
	"Content-Length: " n "\r\nConnection: close\r\n\r\n" body
#define BIG	60000

/* ---- the site ---- */

static struct http_exchange	*held;
static int			 hellos, bigs, done;
static char			 done_text[64];
static char			 taken[64];	/* by the other protocol */
static size_t			 taken_n;
static int			 taken_closed;

static void
hello(struct http_exchange *x)
{
	hellos++;
	CHECK(x->ctx == &hellos);
	http_respond(x, 200, "text/plain", SV("hi"));
}

static void
echo(struct http_exchange *x)
{
	http_respond(x, 200, "text/plain", x->body);
}

static void
hold(struct http_exchange *x)
{
	held = x;
}

static void
big(struct http_exchange *x)
{
	char *p = calloc(1, BIG);

	bigs++;
	http_respond(x, 200, NULL, sv_make(p, p == NULL ? 0 : BIG));
	free(p);
}

static void
nothing(struct http_exchange *x)
{
	buf_puts(&x->headers, "X-A: b\r\n");
	http_respond(x, 204, NULL, SV("ignored"));
}

static size_t
taken_read(struct conn *c, char *p, size_t n)
{
	(void)c;
	/* One byte is left over each time. */
	memcpy(taken + taken_n, p, n - 1);
	taken_n += n - 1;
	return n - 1;
}

static void
taken_close(struct conn *c)
{
	CHECK(c->proto == taken);
	taken_closed++;
}

static const struct conn_ops taken_ops = {
	.on_read = taken_read, .on_close = taken_close
};

static int
take(struct http_exchange *x)
{
	return http_upgrade(x, SV("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
	    &taken_ops, taken);
}

static void
upgrade(struct http_exchange *x)
{
	(void)take(x);
}

static void
on_done(struct worker *w, const char *path, enum http_method m, int status)
{
	(void)w;
	done++;
	snprintf(done_text, sizeof(done_text), "%s %s %d", http_method_name(m),
	    path == NULL ? "-" : path, status);
}

static const struct http_route routes[] = {
	{ .path = "/", .methods = 1u << HTTP_GET, .handler = hello,
	    .ctx = &hellos },
	{ .path = "/echo", .methods = 1u << HTTP_POST, .max_body = 100,
	    .handler = echo },
	{ .path = "/hold", .methods = 1u << HTTP_GET | 1u << HTTP_POST,
	    .max_body = 100, .handler = hold, .reserve_ok = true },
	{ .path = "/big", .methods = 1u << HTTP_GET, .handler = big },
	{ .path = "/nothing", .methods = 1u << HTTP_GET, .handler = nothing },
	{ .path = "/up", .methods = 1u << HTTP_GET, .handler = upgrade },
};

static struct http_site site = {
	.route = routes, .nroute = sizeof(routes) / sizeof(routes[0]),
	.max_head = 1000, .header_timeout_ms = 10000,
	.body_timeout_ms = 10000, .idle_timeout_ms = 10000,
	.on_done = on_done
};

/* ---- the peer ---- */

struct peer {
	struct worker	*w;
	struct conn	*c;		/* NULL: no memory for it */
	int		 fd;
	char		 got[1024];
	size_t		 n;
	bool		 eof;
};

static void
turns(struct worker *w)
{
	int i;

	for (i = 0; i < 4; i++)
		worker_turn(w, 0);
}

static void
dial(struct peer *p, struct worker *w, bool reserve)
{
	int fd[2];

	*p = (struct peer){ .w = w };
	held = NULL;
	hellos = bigs = done = taken_closed = 0;
	taken_n = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1) {
		perror("socketpair");
		exit(1);
	}
	p->fd = fd[1];
	if ((p->c = conn_new(w, fd[0], NULL, NULL, NULL)) == NULL)
		return;
	p->c->reserve = reserve;
	http_serve(p->c, &site);
}

static bool
try_say(struct peer *p, struct sv s)
{
	ssize_t n = send(p->fd, s.p, s.n, MSG_NOSIGNAL);

	turns(p->w);
	return n == (ssize_t)s.n;
}

static void
say(struct peer *p, struct sv s)
{
	CHECK(try_say(p, s));
}

/* Everything heard so far, without dates. */
static struct sv
hear(struct peer *p)
{
	ssize_t	n;
	char	*at;

	while (p->n < sizeof(p->got) - 1 && (n = recv(p->fd, p->got + p->n,
	    sizeof(p->got) - 1 - p->n, 0)) != -1) {
		p->eof = n == 0;
		if (n == 0)
			break;
		p->n += (size_t)n;
	}
	p->got[p->n] = '\0';
	while ((at = strstr(p->got, "Date: ")) != NULL) {
		n = (ssize_t)sizeof("Date: \r\n") - 1 + HTTP_DATE_LEN;
		p->n -= (size_t)n;
		memmove(at, at + n, p->n - (size_t)(at - p->got) + 1);
	}
	return sv_make(p->got, p->n);
}

static void
hang_up(struct peer *p)
{
	close(p->fd);
	turns(p->w);
	CHECK_INT(p->w->stats.conns_open, 0);
}

static void
talk(struct worker *w, struct sv in, const char *want, bool closed)
{
	struct peer	p;
	size_t		i;

	dial(&p, w, false);
	test_note("whole: %.*s", SV_ARG(in));
	say(&p, in);
	CHECK_SV(hear(&p), want);
	CHECK_INT(p.eof, closed);
	hang_up(&p);

	dial(&p, w, false);
	test_note("bytes: %.*s", SV_ARG(in));
	/* What comes after the end is of no interest to it. */
	for (i = 0; i < in.n && send(p.fd, in.p + i, 1, MSG_NOSIGNAL) == 1;
	    i++)
		worker_turn(w, 0);
	turns(w);
	CHECK_SV(hear(&p), want);
	CHECK_INT(p.eof, closed);
	hang_up(&p);
}

static struct worker *
new_worker(unsigned id)
{
	struct worker *w = worker_new(id);

	if (w == NULL) {
		perror("worker_new");
		exit(1);
	}
	return w;
}

/* ---- tests ---- */

TEST(conversations)
{
	static const struct {
		struct sv	 in;
		const char	*want;
		bool		 closed;
	} v[] = {
		{ SV_INIT(GET("/")), HI, false },
		{ SV_INIT(GET("/") GET("/?q") GET("/")), HI HI HI, false },
		{ SV_INIT("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
		    GET("/")), "HTTP/1.1 200 OK\r\nContent-Type: text/plain"
		    "\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
		    true },
		{ SV_INIT("GET / HTTP/1.0\r\n\r\n"),
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Content-Length: 2\r\nConnection: close\r\n\r\nhi",
		    true },
		{ SV_INIT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
		    GET("/")), "HTTP/1.1 200 OK\r\nContent-Type: text/plain"
		    "\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"
		    "hi" HI, false },
		{ SV_INIT("HEAD / HTTP/1.1\r\n" HOST "\r\n" GET("/")),
		    OK("2", "") HI, false },
		{ SV_INIT(GET("/nothing") GET("/")),
		    "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n" HI, false },
		{ SV_INIT(POST "Content-Length: 5\r\n\r\nhello" GET("/")),
		    OK("5", "hello") HI, false },
		{ SV_INIT(POST "Content-Length: 0\r\n\r\n" GET("/")),
		    OK("0", "") HI, false },
		{ SV_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"
		    "3;x\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n" GET("/")),
		    OK("5", "hello") HI, false },
		/* Our router's own answers; with a body unread, the last. */
		{ SV_INIT(GET("/no") GET("/")),
		    "HTTP/1.1 404 Not Found\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Length: 14\r\n\r\n404 Not Found\n" HI, false },
		{ SV_INIT("DELETE / HTTP/1.1\r\n" HOST "\r\n" GET("/")),
		    "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n"
		    "Allow: GET, HEAD\r\n\r\n" HI, false },
		{ SV_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"
		    "x" GET("/")), "HTTP/1.1 405 Method Not Allowed\r\n"
		    "Content-Length: 0\r\nConnection: close\r\n"
		    "Allow: GET, HEAD\r\n\r\n", true },
		{ SV_INIT(POST "Content-Length: 101\r\n\r\n" GET("/")),
		    ERR("413 Content Too Large", "22",
		    "413 Content Too Large\n"), true },
		{ SV_INIT(POST "Transfer-Encoding: chunked\r\n\r\n65\r\n"),
		    ERR("413 Content Too Large", "41",
		    "413 Content Too Large: body is too large\n"), true },
		{ SV_INIT("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"
		    "x"), ERR("413 Content Too Large", "22",
		    "413 Content Too Large\n"), true },
	};
	struct worker	*w = new_worker(0);
	size_t		 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		talk(w, v[i].in, v[i].want, v[i].closed);
	worker_free(w);
}

/* One answer and the end, whatever follows; no handler is called. */
TEST(refusals)
{
	static const struct { int status; struct sv in; } v[] = {
		{ 400, SV_INIT("GET / HTTP/1.1\r\n\r\n" GET("/")) },
		{ 400, SV_INIT("\x16\x03\x01\x02\x00") },
		{ 400, SV_INIT(POST "Content-Length: 1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET("/")) },
		{ 400, SV_INIT(POST "Content-Length: 1\r\n"
		    "Content-Length: 2\r\n\r\nx" GET("/")) },
		{ 400, SV_INIT(POST "Content-Length: 1\r\nX : y\r\n\r\nx"
		    GET("/")) },
		{ 400, SV_INIT(POST "Content-Length: 1\r\n X: y\r\n\r\nx"
		    GET("/")) },
		{ 400, SV_INIT(POST "Content-Length: 1\n\r\nx" GET("/")) },
		{ 400, SV_INIT(POST "Transfer-Encoding: chunked, x\r\n\r\n"
		    "0\r\n\r\n" GET("/")) },
		{ 400, SV_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"
		    "0x0\r\n\r\n" GET("/")) },
		{ 400, SV_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"
		    "1\r\nxGET / HTTP/1.1\r\n" HOST "\r\n") },
		{ 411, SV_INIT(POST "\r\n" GET("/")) },
		{ 417, SV_INIT(POST "Expect: x\r\nContent-Length: 1\r\n\r\nx"
		    GET("/")) },
		{ 501, SV_INIT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"
		    "0\r\n\r\n" GET("/")) },
		{ 501, SV_INIT("BREW / HTTP/1.1\r\n" HOST "\r\n" GET("/")) },
		{ 505, SV_INIT("GET / HTTP/3.0\r\n" HOST "\r\n" GET("/")) },
	};
	struct worker	*w = new_worker(0);
	struct peer	 p;
	struct sv	 got;
	size_t		 i;
	char		 line[16];

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%.*s", SV_ARG(v[i].in));
		dial(&p, w, false);
		say(&p, v[i].in);
		got = hear(&p);
		snprintf(line, sizeof(line), "HTTP/1.1 %d ", v[i].status);
		CHECK(sv_starts(got, sv_from(line)));
		CHECK(strstr(p.got, "Connection: close\r\n") != NULL);
		CHECK(strstr(p.got, "\nHTTP/1.1 ") == NULL);
		CHECK(p.eof);
		CHECK_INT(hellos, 0);
		CHECK_INT(done, 1);
		hang_up(&p);
	}
	worker_free(w);
}

TEST(head_limits)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;
	char		 in[1100];

	memset(in, 'x', sizeof(in));
	memcpy(in, "GET /", 5);
	dial(&p, w, false);
	say(&p, sv_make(in, 999));
	CHECK_SV(hear(&p), "");
	say(&p, SV("x"));
	CHECK(sv_starts(hear(&p), SV("HTTP/1.1 414 ")));
	CHECK(p.eof);
	CHECK_STR(done_text, "GET - 414");
	hang_up(&p);

	memcpy(in, "GET / HTTP/1.1\r\nA: ", 19);
	dial(&p, w, false);
	say(&p, sv_make(in, sizeof(in)));
	CHECK(sv_starts(hear(&p), SV("HTTP/1.1 431 ")));
	CHECK(p.eof);
	CHECK_STR(done_text, "GET - 431");
	hang_up(&p);
	worker_free(w);
}

TEST(expect_continue)
{
	const struct sv	 head = SV(POST "Expect: 100-continue\r\n"
	    "Content-Length: 2\r\n\r\n");
	struct worker	*w = new_worker(0);
	struct peer	 p;

	dial(&p, w, false);
	say(&p, head);
	CHECK_SV(hear(&p), "HTTP/1.1 100 Continue\r\n\r\n");
	say(&p, SV("ok"));
	CHECK_SV(hear(&p), "HTTP/1.1 100 Continue\r\n\r\n" OK("2", "ok"));
	hang_up(&p);

	/* Not when the body is here, nor when it is not wanted. */
	dial(&p, w, false);
	say(&p, SV(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok"));
	CHECK_SV(hear(&p), OK("2", "ok"));
	hang_up(&p);
	dial(&p, w, false);
	say(&p, SV(POST "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n"));
	CHECK(sv_starts(hear(&p), SV("HTTP/1.1 413 ")));
	hang_up(&p);
	worker_free(w);
}

/* While a request is held nothing else is answered, then all in order. */
TEST(late_answer)
{
	struct worker		*w = new_worker(0);
	struct http_exchange	*x;
	struct peer		 p, other;

	dial(&p, w, false);
	say(&p, SV(GET("/") "POST /hold?a=b HTTP/1.1\r\n" HOST
	    "Content-Length: 4\r\nX: y\r\n\r\nbody" GET("/")));
	CHECK_SV(hear(&p), HI);
	/* More comes meanwhile, here and elsewhere: the views stay. */
	say(&p, SV(GET("/")));
	if (!CHECK((x = held) != NULL))
		return;
	dial(&other, w, false);
	say(&other, SV("POST /xxxx?xxx xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	close(other.fd);
	CHECK_SV(x->req.query, "a=b");
	CHECK_SV(http_header_get(&x->req, "x"), "y");
	CHECK_SV(x->body, "body");
	http_respond(x, 200, "text/plain", SV("late"));
	turns(w);
	CHECK_SV(hear(&p), HI OK("4", "late") HI HI);
	CHECK_INT(hellos, 2);
	hang_up(&p);
	worker_free(w);
}

TEST(late_answer_to_nobody)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;

	dial(&p, w, false);
	say(&p, SV(GET("/hold") GET("/")));
	hang_up(&p);
	if (!CHECK(held != NULL))
		return;
	CHECK(held->conn == NULL);
	http_respond(held, 200, "text/plain", SV("late"));
	CHECK_STR(done_text, "GET /hold 200");
	CHECK_INT(hellos, 0);

	dial(&p, w, false);
	say(&p, SV(GET("/hold")));
	hang_up(&p);
	CHECK_INT(take(held), -1);
	CHECK_INT(taken_closed, 0);
	worker_free(w);
}

TEST(half_close)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;

	dial(&p, w, false);
	CHECK_INT(send(p.fd, GET("/hold"), sizeof(GET("/hold")) - 1, 0),
	    sizeof(GET("/hold")) - 1);
	shutdown(p.fd, SHUT_WR);
	turns(w);
	CHECK_SV(hear(&p), "");
	CHECK(!p.eof);
	if (!CHECK(held != NULL))
		return;
	http_respond(held, 200, "text/plain", SV("late"));
	turns(w);
	CHECK_SV(hear(&p), OK("4", "late"));
	CHECK(p.eof);
	hang_up(&p);

	/* Also if it is said while the connection is paused. */
	dial(&p, w, false);
	say(&p, SV(GET("/hold")));
	p.c->ops->on_eof(p.c);
	turns(w);
	if (CHECK(held != NULL))
		http_respond(held, 204, NULL, SV(""));
	turns(w);
	CHECK_SV(hear(&p), "HTTP/1.1 204 No Content\r\n"
	    "Connection: close\r\n\r\n");
	hang_up(&p);

	/* Half a request is no request. */
	dial(&p, w, false);
	say(&p, SV(POST "Content-Length: 2\r\n\r\nx"));
	shutdown(p.fd, SHUT_WR);
	turns(w);
	CHECK_SV(hear(&p), "");
	CHECK(p.eof);
	CHECK_INT(done, 0);
	hang_up(&p);
	worker_free(w);
}

TEST(upgrade_hands_over)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;

	site.header_timeout_ms = 300;
	dial(&p, w, false);
	site.header_timeout_ms = 10000;
	say(&p, SV(GET("/") GET("/up") "extra"));
	CHECK_SV(hear(&p), HI "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	CHECK_SV(sv_make(taken, taken_n), "extr");
	CHECK_STR(done_text, "GET /up 101");
	/* Our deadlines are not the other protocol's. */
	usleep(400 * 1000);
	say(&p, SV("bc"));
	CHECK_SV(sv_make(taken, taken_n), "extrab");
	hang_up(&p);
	CHECK_INT(taken_closed, 1);

	dial(&p, w, false);
	say(&p, SV(GET("/hold") "later"));
	if (!CHECK(held != NULL))
		return;
	CHECK_INT(taken_n, 0);
	CHECK_INT(take(held), 0);
	turns(w);
	CHECK_SV(hear(&p), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	CHECK_SV(sv_make(taken, taken_n), "late");
	hang_up(&p);
	CHECK_INT(taken_closed, 1);
	worker_free(w);
}

/* A peer that does not read its answers is not asked for more requests. */
TEST(unread_answers)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;
	char		 sink[65536];
	int64_t		 total = 0;
	int		 i, at_first;
	ssize_t		 n;

	dial(&p, w, false);
	for (i = 0; i < 40; i++)
		say(&p, SV(GET("/big")));
	at_first = bigs;
	CHECK(at_first > 2);
	CHECK(at_first < 20);
	for (i = 0; i < 1000 && bigs < 40; i++) {
		while ((n = recv(p.fd, sink, sizeof(sink), 0)) > 0)
			total += n;
		turns(w);
	}
	while ((n = recv(p.fd, sink, sizeof(sink), 0)) > 0) {
		total += n;
		turns(w);
	}
	CHECK_INT(bigs, 40);
	CHECK(total > 40 * BIG);
	hang_up(&p);
	worker_free(w);
}

/* How long until the server hangs up on a peer that says `in' and no more,
 * within ten seconds. */
static int64_t
patience(struct worker *w, struct sv in, const char *want)
{
	struct peer	p;
	int64_t		start = clock_mono_ms(), ms = 0;

	test_note("%.*s", SV_ARG(in));
	dial(&p, w, false);
	if (in.n > 0)
		say(&p, in);
	while (!p.eof && ms < 10000) {
		worker_turn(w, 5);
		hear(&p);
		ms = clock_mono_ms() - start;
	}
	CHECK(p.eof);
	CHECK_SV(hear(&p), want);
	hang_up(&p);
	return ms;
}

TEST(timeouts)
{
	struct worker	*w = new_worker(0);

	site.header_timeout_ms = 200;
	CHECK(patience(w, SV(""), "") >= 200);
	CHECK(patience(w, SV("GET /"), ERR("408 Request Timeout", "20",
	    "408 Request Timeout\n")) >= 200);
	CHECK(patience(w, SV(GET("/") "G"), HI ERR("408 Request Timeout", "20",
	    "408 Request Timeout\n")) >= 200);
	site.header_timeout_ms = 10000;
	site.body_timeout_ms = 200;
	CHECK(patience(w, SV(POST "Content-Length: 2\r\n\r\nx"),
	    ERR("408 Request Timeout", "20", "408 Request Timeout\n")) >= 200);
	site.body_timeout_ms = 10000;
	site.idle_timeout_ms = 200;
	CHECK(patience(w, SV(GET("/")), HI) >= 200);
	site.idle_timeout_ms = 10000;
	worker_free(w);
}

/* A deadline is not put off by bytes that trickle in, but each request has
 * its own, and none runs while a handler has the request. */
TEST(deadlines)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;
	int		 i;

	site.header_timeout_ms = 300;
	dial(&p, w, false);
	for (i = 0; i < 400 && !p.eof; i++) {
		if (send(p.fd, "x", 1, MSG_NOSIGNAL) == -1)
			break;
		usleep(5000);
		turns(w);
		hear(&p);
	}
	CHECK(i < 150);
	CHECK(sv_starts(hear(&p), SV("HTTP/1.1 408 ")));
	hang_up(&p);

	site.header_timeout_ms = 1000;
	dial(&p, w, false);
	say(&p, SV("GET / HTTP/1.1\r\n"));
	usleep(550 * 1000);
	say(&p, SV(HOST "\r\nGET / HTTP/1.1\r\n"));
	usleep(550 * 1000);
	turns(w);
	say(&p, SV(HOST "\r\n"));
	CHECK_SV(hear(&p), HI HI);
	hang_up(&p);

	site.header_timeout_ms = site.body_timeout_ms =
	    site.idle_timeout_ms = 300;
	dial(&p, w, false);
	say(&p, SV(GET("/hold")));
	usleep(400 * 1000);
	turns(w);
	if (CHECK(held != NULL))
		http_respond(held, 200, "text/plain", SV("late"));
	turns(w);
	CHECK_SV(hear(&p), OK("4", "late"));
	hang_up(&p);
	site.header_timeout_ms = site.body_timeout_ms =
	    site.idle_timeout_ms = 10000;
	worker_free(w);
}

TEST(out_of_descriptors)
{
	struct worker	*w = new_worker(0);
	struct peer	 p;

	dial(&p, w, true);
	say(&p, SV(GET("/")));
	CHECK_SV(hear(&p), ERR("503 Service Unavailable", "24",
	    "503 Service Unavailable\n"));
	CHECK(p.eof);
	hang_up(&p);
	dial(&p, w, true);
	say(&p, SV(GET("/hold")));
	if (CHECK(held != NULL))
		http_respond(held, 204, NULL, SV(""));
	turns(w);
	CHECK_SV(hear(&p), "HTTP/1.1 204 No Content\r\n"
	    "Connection: close\r\n\r\n");
	hang_up(&p);
	worker_free(w);
}

TEST(drain)
{
	struct worker	*w = new_worker(1);
	struct peer	 idle, busy, half;

	dial(&idle, w, false);
	say(&idle, SV(GET("/")));
	dial(&half, w, false);
	say(&half, SV("GET / HT"));
	dial(&busy, w, false);
	say(&busy, SV(GET("/hold") GET("/")));
	http_drain(w);
	turns(w);
	CHECK_SV(hear(&idle), HI);
	CHECK(idle.eof);
	if (CHECK(held != NULL))
		http_respond(held, 204, NULL, SV(""));
	say(&half, SV("TP/1.0\r\n\r\n"));
	CHECK_SV(hear(&busy), "HTTP/1.1 204 No Content\r\n"
	    "Connection: close\r\n\r\n");
	CHECK(busy.eof);
	hear(&half);
	CHECK(half.eof);
	CHECK_INT(hellos, 1);
	close(idle.fd);
	close(half.fd);
	hang_up(&busy);
	worker_free(w);
}

/* All is answered, or less; never something else. */
static bool
converse(struct peer *p)
{
	struct sv got;

	if (!try_say(p, SV(GET("/no") POST "Content-Length: 5\r\n\r\nhel")))
		return false;
	(void)try_say(p, SV("lo" POST "Transfer-Encoding: chunked\r\n\r\n"
	    "1\r\nx\r\n0\r\n\r\n" GET("/nothing") GET("/up") "ab"));
	got = hear(p);
	CHECK(strstr(p->got, "Content-Length: 0\r\n") == NULL);
	CHECK(strstr(p->got, "No Content\r\n\r\n") == NULL);
	return sv_ends(got, SV("X-A: b\r\n\r\n"
	    "HTTP/1.1 101 Switching Protocols\r\n\r\n"));
}

/* Every run has a worker without spare exchanges. */
static bool
converse_without_memory(void)
{
	static unsigned	 id;
	struct worker	*w = worker_new(2 + id++ % (WORKERS_MAX - 2));
	struct peer	 p;
	bool		 ok;

	if (w == NULL)
		return false;
	dial(&p, w, false);
	ok = p.c != NULL && converse(&p);
	hang_up(&p);
	worker_free(w);
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(converse_without_memory);
}

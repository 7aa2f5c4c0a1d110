/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Answers that end with the connection, what a route does for every answer,
 * and cross-origin requests, over socket pairs.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/cors.h"
#include "http/server.h"
#include "tests/unit/test.h"

#define HOST	"Host: h\r\n"
#define ORIGIN	"Origin: http://a.example\r\n"
#define CORS	"Access-Control-Allow-Origin: http://a.example\r\n"	\
		"Access-Control-Allow-Credentials: true\r\n"
#define STREAM	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" \
		"Connection: close\r\nX-A: b\r\n\r\n\r\n"

static int		 proto, closed, begun;
static struct conn	*stream;
static size_t		 ignored;
static char		 done_text[64];
static struct http_exchange *held;

static size_t
stream_read(struct conn *c, char *p, size_t n)
{
	(void)c;
	(void)p;
	ignored += n;
	return n;
}

static void
stream_closed(struct conn *c)
{
	CHECK(c->proto == &proto);
	closed++;
	stream = NULL;
}

static const struct conn_ops stream_ops = {
	.on_read = stream_read, .on_close = stream_closed
};

static int
begin(struct http_exchange *x)
{
	struct conn *c = x->conn;

	buf_puts(&x->headers, "X-A: b\r\n");
	if (http_take(x, &stream_ops, &proto) == -1)
		return -1;
	stream = c;
	if (http_begin(x, 200, "text/event-stream", SV("\r\n"), false) == -1)
		conn_close(c);
	else
		begun++;
	http_release(x);
	return 0;
}

static void
stream_now(struct http_exchange *x)
{
	CHECK_INT(begin(x), 0);
}

/* Taken, but answered as others are. */
static void
taken(struct http_exchange *x)
{
	struct conn *c = x->conn;

	CHECK_INT(http_take(x, &stream_ops, &proto), 0);
	CHECK_SV(x->body, "hi");
	CHECK_INT(http_begin(x, 418, "text/plain", SV("tea"), true), 0);
	http_release(x);
	conn_close_drained(c);
}

static void
stream_later(struct http_exchange *x)
{
	held = x;
}

static void
cors(struct http_exchange *x)
{
	if (x->req.method == HTTP_OPTIONS)
		http_cors_preflight(x, "POST, OPTIONS");
	else
		http_respond(x, 200, NULL, SV("hi"));
}

static void
prepare(struct http_exchange *x)
{
	CHECK(x->ctx == &proto);
	http_cors_allow(x);
}

static void
on_done(struct worker *w, const char *path, enum http_method m, int status)
{
	(void)w;
	snprintf(done_text, sizeof(done_text), "%s %s %d", http_method_name(m),
	    path == NULL ? "-" : path, status);
}

static const struct http_route routes[] = {
	{ .path = "/now", .methods = 1u << HTTP_GET, .handler = stream_now },
	{ .path = "/later", .methods = 1u << HTTP_POST, .max_body = 10,
	    .handler = stream_later },
	{ .path = "/taken", .methods = 1u << HTTP_POST, .max_body = 10,
	    .handler = taken },
	{ .path = "/cors", .methods = 1u << HTTP_POST | 1u << HTTP_OPTIONS,
	    .max_body = 5, .prepare = prepare, .handler = cors,
	    .ctx = &proto },
};

static const struct http_site site = {
	.route = routes, .nroute = sizeof(routes) / sizeof(routes[0]),
	.max_head = 1000, .header_timeout_ms = 10000,
	.body_timeout_ms = 10000, .idle_timeout_ms = 10000,
	.on_done = on_done
};

struct peer {
	struct worker	*w;
	int		 fd;
	char		 got[2048];
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
dial(struct peer *p)
{
	struct conn	*c;
	int		 fd[2];

	*p = (struct peer){ .w = worker_new(0) };
	stream = NULL;
	held = NULL;
	closed = begun = 0;
	ignored = 0;
	if (p->w == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK,
	    0, fd) == -1 ||
	    (c = conn_new(p->w, fd[0], NULL, NULL, NULL)) == NULL) {
		perror("dial");
		exit(1);
	}
	p->fd = fd[1];
	http_serve(c, (void *)(uintptr_t)&site);
}

static void
say(struct peer *p, struct sv s)
{
	CHECK(send(p->fd, s.p, s.n, MSG_NOSIGNAL) == (ssize_t)s.n);
	turns(p->w);
}

/* What was heard since the last time, without dates. */
static const char *
hear(struct peer *p)
{
	ssize_t	n;
	char	*at;

	p->n = 0;
	p->got[0] = '\0';
	while (p->n < sizeof(p->got) - 1 && (n = recv(p->fd, p->got + p->n,
	    sizeof(p->got) - 1 - p->n, 0)) != -1) {
		if ((p->eof = n == 0))
			break;
		p->n += (size_t)n;
	}
	p->got[p->n] = '\0';
	while ((at = strstr(p->got, "Date: ")) != NULL)
		memmove(at, at + 37, strlen(at + 37) + 1);
	return p->got;
}

static void
hang_up(struct peer *p)
{
	close(p->fd);
	turns(p->w);
	CHECK_INT(p->w->stats.conns_open, 0);
	http_worker_fini(p->w);
	worker_free(p->w);
}

static void
tell(struct peer *p, const char *s)
{
	if (CHECK(stream != NULL))
		CHECK_INT(conn_send_copy(stream, s, strlen(s)), 0);
	turns(p->w);
}

TEST(streams_until_the_end)
{
	static const char *const version[] = { "1.0", "1.1" };
	struct peer	p;
	char		head[128];
	size_t		i;

	for (i = 0; i < 2; i++) {
		test_note("HTTP/%s", version[i]);
		dial(&p);
		snprintf(head, sizeof(head), "GET /now HTTP/%s\r\n" HOST
		    "\r\nGET /cors HTTP/1.1\r\n" HOST "\r\n", version[i]);
		say(&p, sv_from(head));
		CHECK_STR(hear(&p), STREAM);
		CHECK_STR(done_text, "GET /now 200");
		/* Another request is nothing but noise now. */
		CHECK(ignored > 0);
		tell(&p, "one");
		CHECK_STR(hear(&p), "one");
		tell(&p, "two");
		conn_close_drained(stream);
		turns(p.w);
		CHECK_STR(hear(&p), "two");
		CHECK(p.eof);
		hang_up(&p);
		CHECK_INT(closed, 1);
	}
}

TEST(streams_begun_later)
{
	struct peer p;

	dial(&p);
	say(&p, SV("POST /later HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n"
	    "hi"));
	CHECK_STR(hear(&p), "");
	if (!CHECK(held != NULL))
		return;
	CHECK_SV(held->body, "hi");
	CHECK_INT(begin(held), 0);
	turns(p.w);
	CHECK_STR(hear(&p), STREAM);
	/* The peer goes away. */
	hang_up(&p);
	CHECK_INT(closed, 1);
}

TEST(streams_begun_too_late)
{
	struct peer p;

	dial(&p);
	say(&p, SV("POST /later HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
	    "\r\n"));
	if (!CHECK(held != NULL))
		return;
	close(p.fd);
	worker_close_conns(p.w);
	CHECK(held->conn == NULL);
	CHECK_INT(begin(held), -1);
	http_worker_fini(p.w);
	worker_free(p.w);
	CHECK_INT(closed, 0);
}

/* Without memory for the head the connection is lost. */
TEST(streams_without_memory)
{
	struct peer	p;
	unsigned long	n;

	begun = 0;
	for (n = 1; begun == 0 && n < 10; n++) {
		dial(&p);
		say(&p, SV("POST /later HTTP/1.1\r\n" HOST
		    "Content-Length: 0\r\n\r\n"));
		if (!CHECK(held != NULL))
			return;
		alloc_fail_at(n);
		(void)begin(held);
		alloc_fail_at(0);
		turns(p.w);
		CHECK_STR(hear(&p), begun ? STREAM : "");
		CHECK_INT(p.eof, !begun);
		CHECK_INT(closed, !begun);
		hang_up(&p);
		CHECK_INT(closed, 1);
	}
	CHECK(n > 2);
}

TEST(taken_and_answered)
{
	struct peer p;

	dial(&p);
	say(&p, SV("POST /taken HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
	    "\r\nhi"));
	CHECK_STR(hear(&p), "HTTP/1.1 418 Unknown\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 3\r\n"
	    "Connection: close\r\n\r\ntea");
	CHECK(p.eof);
	CHECK_STR(done_text, "POST /taken 418");
	hang_up(&p);
	CHECK_INT(closed, 1);
}

TEST(cross_origin)
{
	static const struct { struct sv in; const char *want; } v[] = {
		{ SV_INIT("POST /cors HTTP/1.1\r\n" HOST
		    "Content-Length: 0\r\n\r\n"),
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" },
		{ SV_INIT("POST /cors HTTP/1.1\r\n" HOST ORIGIN
		    "Content-Length: 0\r\n\r\n"),
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" CORS "\r\nhi" },
		{ SV_INIT("OPTIONS /cors HTTP/1.1\r\n" HOST ORIGIN
		    "Access-Control-Request-Headers: a, b\r\n\r\n"),
		    "HTTP/1.1 204 No Content\r\n"
		    "Access-Control-Allow-Origin: http://a.example\r\n"
		    "Access-Control-Allow-Headers: a, b\r\n"
		    "Access-Control-Allow-Credentials: true\r\n"
		    "Access-Control-Allow-Methods: POST, OPTIONS\r\n"
		    "Access-Control-Max-Age: 300\r\n\r\n" },
		{ SV_INIT("OPTIONS /cors HTTP/1.1\r\n" HOST ORIGIN
		    "Access-Control-Request-Headers: null\r\n\r\n"),
		    "HTTP/1.1 204 No Content\r\n" CORS
		    "Access-Control-Allow-Methods: POST, OPTIONS\r\n"
		    "Access-Control-Max-Age: 300\r\n\r\n" },
		/* Refusals can be read, too. */
		{ SV_INIT("GET /cors HTTP/1.1\r\n" HOST ORIGIN "\r\n"),
		    "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n"
		    CORS "Allow: POST, OPTIONS\r\n\r\n" },
		{ SV_INIT("POST /cors HTTP/1.1\r\n" HOST ORIGIN
		    "Content-Length: 6\r\n\r\n"),
		    "HTTP/1.1 413 Content Too Large\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Length: 22\r\nConnection: close\r\n" CORS
		    "\r\n413 Content Too Large\n" },
		{ SV_INIT("POST /cors HTTP/1.1\r\n" HOST ORIGIN
		    "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n"),
		    "HTTP/1.1 413 Content Too Large\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Length: 41\r\nConnection: close\r\n" CORS
		    "\r\n413 Content Too Large: body is too large\n" },
	};
	struct peer	p;
	size_t		i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		dial(&p);
		test_note("%.*s", SV_ARG(v[i].in));
		say(&p, v[i].in);
		CHECK_STR(hear(&p), v[i].want);
		hang_up(&p);
	}
}

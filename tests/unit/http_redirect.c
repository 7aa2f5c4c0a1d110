/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * From http to https: where requests are sent, and which are not.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/redirect.h"
#include "tests/unit/test.h"

static struct http_redirect to = { 301, 443 };

static void
challenge(struct http_exchange *x)
{
	http_respond(x, 200, "text/plain", SV("token"));
}

static const struct http_route routes[] = {
	{ .path = "/", .prefix = true, .methods = (1u << HTTP_OTHER) - 1,
	    .max_body = 100, .handler = http_redirect_handler, .ctx = &to },
	{ .path = "/.well-known/acme-challenge/", .prefix = true,
	    .methods = 1u << HTTP_GET, .handler = challenge },
};
static const struct http_site site = {
	.route = routes, .nroute = 2, .max_head = 2048,
	.header_timeout_ms = 1000, .body_timeout_ms = 1000,
	.idle_timeout_ms = 1000,
};

/* What a request is answered. */
static const char *
ask(const char *request)
{
	static char	 got[4096];
	struct worker	*w = worker_new(0);
	ssize_t		 n;
	size_t		 at = 0;
	int		 fd[2], i;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	http_serve(conn_new(w, fd[0], NULL, NULL, NULL),
	    (void *)(uintptr_t)&site);
	CHECK_INT(write(fd[1], request, strlen(request)), strlen(request));
	for (i = 0; i < 4; i++) {
		worker_turn(w, 0);
		n = read(fd[1], got + at, sizeof(got) - 1 - at);
		at += n > 0 ? (size_t)n : 0;
	}
	got[at] = '\0';
	close(fd[1]);
	worker_close_conns(w);
	http_worker_fini(w);
	worker_free(w);
	return got;
}

static const struct row {
	const char	*request;
	int		 port;
	const char	*location;	/* NULL: a refusal with 400 */
} rows[] = {
	{ "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example/" },
	{ "HEAD /x HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example/x" },
	{ "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi",
	    443, "https://a.example/x" },
	{ "PUT /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked"
	    "\r\n\r\n0\r\n\r\n", 443, "https://a.example/x" },
	{ "OPTIONS /x HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example/x" },
	{ "DELETE /x HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example/x" },
	{ "GET /x?y=1&z=/%0d%0a HTTP/1.1\r\nHost: a.example\r\n\r\n", 8443,
	    "https://a.example:8443/x?y=1&z=/%0d%0a" },
	{ "GET /x? HTTP/1.1\r\nHost: A.example:80\r\n\r\n", 443,
	    "https://A.example/x?" },
	{ "GET /x HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", 8443,
	    "https://a.example:8443/x" },
	{ "GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n", 443,
	    "https://127.0.0.1/x" },
	{ "GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 443,
	    "https://[::1]/x" },
	{ "GET /x HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", 444,
	    "https://[2001:db8::1]:444/x" },
	{ "GET http://b.example:80/x?y HTTP/1.1\r\nHost: b.example:80\r\n\r\n",
	    443, "https://b.example/x?y" },
	{ "GET http://b.example HTTP/1.1\r\nHost: b.example\r\n\r\n", 443,
	    "https://b.example/" },
	{ "GET //evil.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example//evil.example/x" },
	{ "GET /.well-known/acme HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    "https://a.example/.well-known/acme" },
	/* no host, or none to be believed */
	{ "GET /x HTTP/1.0\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost:\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 443,
	    NULL },
	{ "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: a.example/evil\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: u@a.example\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: a.example\rX: y\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: [1:2]\r\n\r\n", 443, NULL },
	{ "GET /x HTTP/1.1\r\nHost: :80\r\n\r\n", 443, NULL },
	{ "GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n", 443,
	    NULL },
	{ "GET /x\ry HTTP/1.1\r\nHost: a.example\r\n\r\n", 443, NULL },
};

TEST(locations)
{
	const struct row	*r;
	const char		*got, *at;
	char			 want[256];
	size_t			 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = &rows[i];
		test_note("%s", r->request);
		to.status = i % 2 ? 301 : 308;
		to.port = (uint16_t)r->port;
		got = ask(r->request);
		if (r->location == NULL) {
			CHECK(strncmp(got, "HTTP/1.1 400 ", 13) == 0);
			CHECK(strstr(got, "Location") == NULL);
			continue;
		}
		snprintf(want, sizeof(want), "HTTP/1.1 %d ", to.status);
		CHECK(strncmp(got, want, strlen(want)) == 0);
		snprintf(want, sizeof(want), "\r\nLocation: %s\r\n",
		    r->location);
		CHECK((at = strstr(got, want)) != NULL);
		if (at != NULL)
			CHECK(strstr(at + strlen(want), "Location") ==
			    NULL);
	}
}

TEST(a_challenge_comes_before_the_redirect)
{
	const char *got;

	got = ask("GET /.well-known/acme-challenge/abc HTTP/1.1\r\n"
	    "Host: a.example\r\n\r\n");
	CHECK(strncmp(got, "HTTP/1.1 200 ", 13) == 0);
	CHECK(strstr(got, "token") != NULL);
}

TEST(a_body_over_the_limit)
{
	CHECK(strncmp(ask("POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 101\r\n\r\n"), "HTTP/1.1 413 ", 13) == 0);
}

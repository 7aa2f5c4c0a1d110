/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The one-way transports on workers in process: what is refused and how, and
 * answers that wait for connect.
 */
#include "client/stream.h"
#include "jwt/jwt.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define GET	(1u << HTTP_GET)
#define POST	(1u << HTTP_POST)
#define HEADERS	"X-Accel-Buffering: no\r\n"
#define ASK(headers) "POST /stream HTTP/1.1\r\nHost: x\r\n" headers	\
	"Content-Length: 2\r\n\r\n{}"
#define ANN	"X-User: ann\r\n"
#define ANYBODY "\"client\":{\"allow_anonymous_connect_without_token\":true"
/* Of {"sub":"u","exp":1000}, signed with "e2e-secret". */
#define EXPIRED "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." \
	"eyJzdWIiOiJ1IiwiZXhwIjoxMDAwfQ." \
	"bzeNLnu0ISyloc0MVqInIaNMnwN542zU-LewYuM0EV0"
/* Who connects is named by a header, and may do so once; whether it may is
 * asked of both workers. */
#define ONCE	"\"client\":{\"user_id_http_header\":\"X-User\"," \
	"\"user_connection_limit\":1}"
#define STATUS	"\"uni_http_stream\":{\"connect_code_to_http_response\":" \
	"{\"enabled\":true,\"transforms\":[{\"code\":3504,\"to\":" \
	"{\"status_code\":429,\"body\":\"enough\"}},{\"code\":3501,\"to\":" \
	"{\"status_code\":403}}]}}"

static const struct http_route routes[] = {
	{ .path = "/sse", .methods = GET | POST, .max_body = 1000,
	    .handler = uni_sse_handler },
	{ .path = "/stream", .methods = POST, .max_body = 20000,
	    .handler = uni_http_stream_handler },
	{ .path = "/ws", .methods = GET, .handler = uni_ws_handler },
};
static const struct http_site site = {
	.route = routes, .nroute = sizeof(routes) / sizeof(routes[0]),
	.max_head = 4096, .header_timeout_ms = 10000,
	.body_timeout_ms = 10000, .idle_timeout_ms = 10000,
};

/* What has come up to now. */
static const char *
hear(int fd)
{
	static char	text[1 << 14];
	ssize_t		n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool
is_over(int fd)
{
	char c;

	turns(2);
	return read(fd, &c, 1) == 0;
}

TEST(requests)
{
	static const struct { struct sv in; bool ok; const char *out; } v[] = {
		{ SV_INIT("{}"), true, "{}" },
		{ SV_INIT(" {\"token\":\"x\"}\n"), true,
		    " {\"token\":\"x\"}\n" },
		{ SV_INIT("null"), true, "{}" },
		{ SV_INIT(""), false, "" },
		{ SV_INIT("[]"), false, "" },
		{ SV_INIT("\"x\""), false, "" },
		{ SV_INIT("{}{}"), false, "" },
		{ SV_INIT("{\"a\":\"\xff\"}"), false, "" },
	};
	struct sv	out;
	size_t		i;

	if (!CHECK(start(1, "{}")))
		return;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%.*s", SV_ARG(v[i].in));
		CHECK_INT(uni_request(srv.node[0], v[i].in, &out), v[i].ok);
		if (v[i].ok)
			CHECK_SV(out, v[i].out);
	}
	CHECK(stop());
}

/* A page of another site may have a stream that it can't read, but not in
 * the name of a user whom something else than the page names. */
TEST(pages_of_other_sites_speak_for_nobody)
{
	static const struct { const char *head, *answer; } v[] = {
		{ ASK(ANN "Origin: http://b.example\r\n"),
		    "HTTP/1.1 403 " },
		{ ASK(ANN "Origin: http://a.example\r\n"),
		    "HTTP/1.1 200 " },
		{ ASK(ANN), "HTTP/1.1 200 " },
		{ ASK("Origin: http://b.example\r\n"), "HTTP/1.1 200 " },
	};
	size_t	i;
	int	fd;

	if (!CHECK(start(1, "{" ANYBODY ",\"user_id_http_header\":\"X-User\","
	    "\"allowed_origins\":[\"http://a.example\"]}}")))
		return;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%s", v[i].head);
		fd = dial_site(0, &site, v[i].head);
		CHECK(begins(hear(fd), v[i].answer));
		CHECK_INT(LIST_EMPTY(&srv.node[0]->clients), i == 0);
		close(fd);
		turns(3);
	}
	CHECK(stop());
}

/* An error that can't be sent becomes a disconnect. */
TEST(errors_become_disconnects)
{
	static const struct { uint32_t error; const char *push; } v[] = {
		{ 109, "{\"disconnect\":{\"code\":3005,"
		    "\"reason\":\"connection expired\"}}\n" },
		{ 110, "{\"disconnect\":{\"code\":3005,"
		    "\"reason\":\"connection expired\"}}\n" },
		{ 111, "{\"disconnect\":{\"code\":3013,"
		    "\"reason\":\"too many requests\"}}\n" },
		{ 103, "{\"disconnect\":{\"code\":4103,"
		    "\"reason\":\"not \\\"you\\\"\"}}\n" },
		{ 100, "{\"disconnect\":{\"code\":3004,"
		    "\"reason\":\"internal server error\"}}\n" },
		{ 4999, "{\"disconnect\":{\"code\":3004,"
		    "\"reason\":\"internal server error\"}}\n" },
	};
	size_t	i;
	int	fd;

	if (!CHECK(start(1, "{" ANYBODY
	    ",\"connect_code_to_unidirectional_disconnect\":{\"enabled\":true,"
	    "\"transforms\":[{\"code\":103,\"to\":{\"code\":4103,"
	    "\"reason\":\"not \\\"you\\\"\"}}]}}}")))
		return;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("error %u", v[i].error);
		fd = dial_site(0, &site, ASK(""));
		CHECK(strstr(hear(fd), "{\"connect\":{") != NULL);
		uni_refused(LIST_FIRST(&srv.node[0]->clients), v[i].error);
		turns(2);
		CHECK_STR(hear(fd), v[i].push);
		CHECK(is_over(fd));
		close(fd);
		turns(2);
	}
	CHECK(stop());
}

/* The answer is begun when the other worker has said that it may be. */
TEST(answers_wait_for_connect)
{
	int a, b;

	if (!CHECK(start(2, "{" ONCE "," STATUS "}")))
		return;
	a = dial_site(0, &site, ASK(ANN));
	turns(3);
	CHECK(strstr(hear(a), HEADERS) != NULL);
	b = dial_site(1, &site, ASK(ANN));
	turns(3);
	CHECK(begins(hear(b), "HTTP/1.1 429 "));
	CHECK(is_over(b));
	close(b);
	b = dial_site(1, &site, ASK(""));
	CHECK(begins(hear(b), "HTTP/1.1 403 "));
	CHECK(is_over(b));
	close(b);
	close(a);
	turns(3);
	/* Gone before it is decided. */
	a = dial_site(0, &site, "");
	(void)!send(a, ASK(ANN), strlen(ASK(ANN)), MSG_NOSIGNAL);
	worker_turn(srv.worker[0], 0);
	CHECK_INT(srv.node[0]->nclients, 1);
	close(a);
	turns(4);
	CHECK_INT(srv.node[0]->nclients, 0);
	CHECK(stop());
}

/* An error, not a disconnect: the client is not kept for it. */
TEST(errors_become_statuses)
{
	char	request[512];
	int	fd;

	if (!CHECK(start(1, "{\"client\":{\"token\":"
	    "{\"hmac_secret_key\":\"e2e-secret\"}},\"uni_http_stream\":"
	    "{\"connect_code_to_http_response\":{\"enabled\":true,"
	    "\"transforms\":[{\"code\":109,\"to\":"
	    "{\"status_code\":418}}]}}}")))
		return;
	snprintf(request, sizeof(request), "POST /stream HTTP/1.1\r\n"
	    "Host: x\r\nContent-Length: %zu\r\n\r\n{\"token\":\"%s\"}",
	    strlen("{\"token\":\"" EXPIRED "\"}"), EXPIRED);
	fd = dial_site(0, &site, request);
	if (CHECK_INT(srv.node[0]->nclients, 1))
		CHECK_INT(LIST_FIRST(&srv.node[0]->clients)->state,
		    CLIENT_CLOSED);
	CHECK(strstr(hear(fd), "\r\n\r\ntoken expired") != NULL);
	CHECK(is_over(fd));
	close(fd);
	CHECK(stop());
}

static const char *
with_claims(const char *claims)
{
	static char	text[1024];
	struct buf	b = BUF_INIT;

	CHECK_INT(jwt_sign(&b, JWT_HS256, SV("e2e-secret"),
	    sv_from(claims)), 0);
	snprintf(text, sizeof(text), "POST /stream HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: %zu\r\n\r\n{\"token\":\"%.*s\"}",
	    b.n + strlen("{\"token\":\"\"}"), SV_ARG(buf_sv(&b)));
	buf_fini(&b);
	return text;
}

/* The subscriptions that come with connect are a part of it. */
TEST(subscriptions_come_before_the_status)
{
	static const struct { const char *more, *answer; } v[] = {
		{ "", "HTTP/1.1 200 " },
		{ ",\"no:way\"", "HTTP/1.1 418 " },
		{ ",\"x\",\"y\",\"z\"", "HTTP/1.1 419 " },
	};
	char		far[8], claims[128];
	const char	*request;
	unsigned	 k = 0;
	size_t		 i;
	int		 fd;

	do	/* a channel of the other worker */
		snprintf(far, sizeof(far), "c%u", k++ % 1000);
	while (hash_sv(sv_from(far)) % 2 != 1);

	if (!CHECK(start(2, "{\"client\":{\"channel_limit\":3,\"token\":"
	    "{\"hmac_secret_key\":\"e2e-secret\"}},\"uni_http_stream\":"
	    "{\"connect_code_to_http_response\":{\"enabled\":true,"
	    "\"transforms\":[{\"code\":102,\"to\":{\"status_code\":418}},"
	    "{\"code\":3505,\"to\":{\"status_code\":419}}]}}}")))
		return;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%s", v[i].more);
		snprintf(claims, sizeof(claims), "{\"channels\":[\"%s\"%s]}",
		    far, v[i].more);
		request = with_claims(claims);
		fd = dial_site(0, &site, "");
		(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
		worker_turn(srv.worker[0], 0);
		CHECK_STR(hear(fd), "");
		turns(3);
		CHECK(begins(hear(fd), v[i].answer));
		CHECK(i == 0 || is_over(fd));
		close(fd);
		turns(3);
	}
	CHECK(stop());
}

/* The request is done with when connect has been read, not before. */
TEST(requests_are_released)
{
	static char	request[12000];
	const struct stream_client *sc;
	int		fd, n;

	if (!CHECK(start(1, "{" ANYBODY "}}")))
		return;
	n = snprintf(request, sizeof(request), "POST /stream HTTP/1.1\r\n"
	    "Host: x\r\nContent-Length: 10002\r\n\r\n{%10000s}", "");
	CHECK(n < (int)sizeof(request));
	fd = dial_site(0, &site, request);
	turns(3);
	CHECK(strstr(hear(fd), "{\"connect\":{") != NULL);
	sc = (const void *)LIST_FIRST(&srv.node[0]->clients);
	CHECK(sc != NULL && sc->x == NULL);
	close(fd);
	CHECK(stop());
}

/* Without a table of statuses it is a stream at once. */
TEST(answers_that_do_not_wait)
{
	const char	*got;
	int		 fd;

	if (!CHECK(start(2, "{" ONCE "}")))
		return;
	fd = dial_site(0, &site, "");
	(void)!send(fd, ASK(ANN), strlen(ASK(ANN)), MSG_NOSIGNAL);
	worker_turn(srv.worker[0], 0);
	got = hear(fd);
	CHECK(begins(got, "HTTP/1.1 200 "));
	CHECK(strstr(got, "connect\"") == NULL);
	turns(3);
	CHECK(begins(hear(fd), "{\"connect\":{\"client\":"));
	close(fd);
	CHECK(stop());
}

TEST(first_message_of_a_websocket)
{
	const char	*got;
	int		 fd;

	if (!CHECK(start(1, "{" ANYBODY "}}")))
		return;
	fd = dial_site(0, &site, PEER_HEAD "\r\n");
	CHECK(begins(hear(fd), "HTTP/1.1 101 "));
	put(fd, "{}");
	put(fd, "whatever");
	turns(2);
	got = get(fd);
	CHECK(begins(got, "{\"connect\":{\"client\":\""));
	CHECK(strstr(got, "|") == NULL);
	put(fd, "{\"id\":1,\"connect\":{}}");
	turns(2);
	CHECK_STR(hear(fd), "");
	client_disconnect(LIST_FIRST(&srv.node[0]->clients), 3503, NULL);
	turns(2);
	CHECK_STR(get(fd), "{\"disconnect\":{\"code\":3503,\"reason\":"
	    "\"force disconnect\"}}|close 3503");
	close(fd);
	turns(2);
	fd = dial_site(0, &site, PEER_HEAD "\r\n");
	(void)hear(fd);
	put(fd, "[]");
	turns(2);
	CHECK_STR(get(fd), "{\"disconnect\":{\"code\":3501,\"reason\":"
	    "\"bad request\"}}|close 3501");
	close(fd);
	CHECK(stop());
}

/* One stream, of any kind; whether it has its connect push. */
static bool
open_one(const char *conf_text, const char *request, const char *message)
{
	bool	ok = false;
	int	fd;

	if (!start(2, conf_text))
		return false;
	if ((fd = dial_site(1, &site, request)) != -1) {
		if (message != NULL) {
			(void)hear(fd);
			put(fd, message);
		}
		turns(3);
		ok = strstr(message == NULL ? hear(fd) : get(fd),
		    "\"connect\":{\"client\"") != NULL;
		close(fd);
	}
	return stop() && ok;
}

static bool
sse_opens(void)
{
	return open_one("{" ANYBODY "}}", "GET /sse HTTP/1.1\r\nHost: x\r\n"
	    "\r\n", NULL);
}

static bool
stream_opens_later(void)
{
	return open_one("{" ONCE "," STATUS "}", ASK(ANN), NULL);
}

static bool
websocket_opens(void)
{
	return open_one("{" ANYBODY "}}", PEER_HEAD "\r\n", "{}");
}

TEST(without_memory)
{
	ALLOC_SWEEP(sse_opens);
	ALLOC_SWEEP(stream_opens_later);
	ALLOC_SWEEP(websocket_opens);
}

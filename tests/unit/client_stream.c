/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Streams over HTTP, sessions and /emulation, on workers in process. The
 * one-way streams are in client_uni.c.
 */
#include "client/stream.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"
#include "util/pb.h"

#define GET	(1u << HTTP_GET)
#define POST	(1u << HTTP_POST)
#define CONNECT	"%7B%22id%22%3A1%2C%22connect%22%3A%7B%7D%7D"
#define OPEN	"GET /sse?cf_connect=" CONNECT " HTTP/1.1\r\nHost: x\r\n\r\n"
#define ANYBODY \
	"{\"client\":{\"allow_anonymous_connect_without_token\":true}," \
	"\"channel\":{\"without_namespace\":" \
	"{\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true}}}"

static const struct http_route routes[] = {
	{ .path = "/sse", .methods = GET | POST, .max_body = 1000,
	    .handler = sse_handler },
	{ .path = "/stream", .methods = POST, .max_body = 1000,
	    .handler = http_stream_handler },
	{ .path = "/emulation", .methods = POST, .max_body = 1000,
	    .handler = emulation_handler },
};
static const struct http_site site = {
	.route = routes, .nroute = sizeof(routes) / sizeof(routes[0]),
	.max_head = 4096, .header_timeout_ms = 10000,
	.body_timeout_ms = 10000, .idle_timeout_ms = 10000,
};

/* What has come, up to now; no head. */
static const char *
hear(int fd)
{
	static char	text[1 << 16];
	char		*body;
	ssize_t		 n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (strncmp(text, "HTTP/1.1 ", 9) != 0)
		return text;
	body = strstr(text, "\r\n\r\n");
	return body == NULL ? "" : body + 4;
}

/* POST from worker i; its answer with the head. */
static const char *
post(unsigned i, const char *path, const char *type, struct sv body)
{
	static char	text[4096];
	char		head[256];
	ssize_t		n;
	int		fd;

	snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: x\r\n"
	    "Content-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n", path, type, body.n);
	text[0] = '\0';
	if ((fd = dial_site(i, &site, head)) == -1)
		return text;
	(void)!send(fd, body.p, body.n, MSG_NOSIGNAL);
	turns(4);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	turns(2);
	return text;
}

/* The session in a reply to connect. */
static bool
session_in(const char *reply, char out[CLIENT_SESSION_MAX])
{
	const char	*p = strstr(reply, "\"session\":\"");
	size_t		 n;

	if (p == NULL)
		return false;
	p += strlen("\"session\":\"");
	n = strcspn(p, "\"");
	if (n >= CLIENT_SESSION_MAX)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static const char *
emulate(unsigned i, const char *node, const char *session, const char *data)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"node\":\"%s\",\"session\":\"%s\","
	    "\"data\":\"%s\"}", node, session, data);
	return post(i, "/emulation", "application/json", sv_from(body));
}

#define UID	"11111111-1111-4111-8111-111111111111"
#define HISTORY(id) "{\\\"id\\\":" id ",\\\"history\\\":" \
	"{\\\"channel\\\":\\\"c\\\"}}"

TEST(bodies_in_json)
{
	static const struct {
		struct sv	 in;
		int		 ret;
		const char	*node, *session, *data;
	} v[] = {
		{ SV_INIT("{\"node\":\"n\",\"session\":\"s\",\"data\":\"d\"}"),
		    0, "n", "s", "d" },
		{ SV_INIT("{\"data\":\"{\\\"id\\\":1}\\n{}\",\"session\":"
		    "\"\\u0041\",\"x\":[{}],\"node\":\"\"}"),
		    0, "", "A", "{\"id\":1}\n{}" },
		{ SV_INIT("{}"), 0, "", "", "" },
		{ SV_INIT("{\"node\":\"a\",\"node\":\"b\"}"), 0, "b", "", "" },
		{ SV_INIT(""), -1, "", "", "" },
		{ SV_INIT("null"), -1, "", "", "" },
		{ SV_INIT("[]"), -1, "", "", "" },
		{ SV_INIT("\"\""), -1, "", "", "" },
		{ SV_INIT("{\"node\":1}"), -1, "", "", "" },
		{ SV_INIT("{\"session\":{}}"), -1, "", "", "" },
		{ SV_INIT("{\"data\":{\"id\":1}}"), -1, "", "", "" },
		{ SV_INIT("{\"data\":\"\\ud800\"}"), -1, "", "", "" },
		{ SV_INIT("{\"data\":\"d\"} {}"), -1, "", "", "" },
	};
	struct emulation	 e;
	struct buf		 scratch = BUF_INIT;
	struct json		 json;
	size_t			 i, n;
	char			*p;

	json_init(&json);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%.*s", SV_ARG(v[i].in));
		p = guard_dup(v[i].in);
		CHECK_INT(emulation_parse(&e, sv_make(p, v[i].in.n), false,
		    &json, &scratch), v[i].ret);
		if (v[i].ret == 0) {
			CHECK_SV(e.node, v[i].node);
			CHECK_SV(e.session, v[i].session);
			CHECK_SV(e.data, v[i].data);
		}
		guard_free(p);
		/* Nothing shorter is whole. */
		for (n = 0; v[i].ret == 0 && n < v[i].in.n; n++)
			CHECK_INT(emulation_parse(&e, sv_make(v[i].in.p, n),
			    false, &json, &scratch), -1);
	}
	json_fini(&json);
	buf_fini(&scratch);
}

TEST(bodies_in_protobuf)
{
	struct buf		b = BUF_INIT;
	struct emulation	e;
	size_t			n;

	pb_put_sv(&b, 3, SV("d\0ta"));
	pb_put_u64(&b, 9, 7);
	pb_put_sv(&b, 1, SV("node"));
	pb_put_sv(&b, 2, SV("session"));
	CHECK_INT(emulation_parse(&e, buf_sv(&b), true, NULL, NULL), 0);
	CHECK_SV(e.node, "node");
	CHECK_SV(e.session, "session");
	CHECK_SVEQ(e.data, SV("d\0ta"));
	/* Only between fields can it end. */
	for (n = 0; n < b.n; n++)
		CHECK_INT(emulation_parse(&e, sv_make(b.p, n), true, NULL,
		    NULL), n == 0 || n == 6 || n == 8 || n == 14 ? 0 : -1);
	buf_reset(&b);
	pb_put_u64(&b, 2, 5);
	CHECK_INT(emulation_parse(&e, buf_sv(&b), true, NULL, NULL), -1);
	buf_fini(&b);
}

/* The stream lives on the first worker, commands come to both. */
TEST(sessions_are_found_on_their_worker)
{
	char	session[CLIENT_SESSION_MAX];
	int	fd;

	if (!CHECK(start(2, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fd = dial_site(0, &site, OPEN);
	if (CHECK(session_in(hear(fd), session))) {
		CHECK(strncmp(emulate(1, UID, session, HISTORY("7")),
		    "HTTP/1.1 204 ", 13) == 0);
		CHECK_STR(hear(fd), "data: {\"id\":7,\"error\":{\"code\":108,"
		    "\"message\":\"not available\"}}\n\n");
		CHECK(strncmp(emulate(0, UID, session, HISTORY("8")),
		    "HTTP/1.1 204 ", 13) == 0);
		CHECK(strstr(hear(fd), "\"id\":8") != NULL);
	}
	close(fd);
	turns(2);
	/* It has gone. */
	CHECK(strncmp(emulate(1, UID, session, HISTORY("9")), "HTTP/1.1 204 ",
	    13) == 0);
	CHECK(stop());
}

/* A command that was answered goes before one that is sent later, even if
 * the first came to another worker and the later one to its own, which sees
 * the start of that request before its mail. */
TEST(commands_keep_their_order)
{
	static const char	head[] = "POST /emulation HTTP/1.1\r\n"
				    "Host: x\r\nContent-Length: %zu\r\n\r\n";
	char	session[CLIENT_SESSION_MAX], req[2][512], body[256];
	int	i, fd, peer[2];
	ssize_t	n;

	if (!CHECK(start(2, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fd = dial_site(0, &site, OPEN);
	if (!CHECK(session_in(hear(fd), session)))
		return;
	for (i = 0; i < 2; i++) {
		snprintf(body, sizeof(body), "{\"node\":\"" UID "\","
		    "\"session\":\"%s\",\"data\":\"{\\\"id\\\":%d,"
		    "\\\"rpc\\\":{}}\"}", session, 7 + i);
		n = snprintf(req[i], sizeof(req[i]), head, strlen(body));
		strcpy(req[i] + n, body);
		peer[i] = dial_site(1 - (unsigned)i, &site, "");
	}
	n = 20;
	(void)!send(peer[1], req[1], (size_t)n, MSG_NOSIGNAL);
	(void)!send(peer[0], req[0], strlen(req[0]), MSG_NOSIGNAL);
	worker_turn(srv.worker[1], 0);
	CHECK(read(peer[0], body, sizeof(body)) > 0);
	CHECK(strncmp(body, "HTTP/1.1 204 ", 13) == 0);
	(void)!send(peer[1], req[1] + n, strlen(req[1]) - (size_t)n,
	    MSG_NOSIGNAL);
	turns(3);
	CHECK_STR(hear(fd), "data: {\"id\":7,\"error\":{\"code\":108,"
	    "\"message\":\"not available\"}}\n\n"
	    "data: {\"id\":8,\"error\":{\"code\":108,"
	    "\"message\":\"not available\"}}\n\n");
	close(peer[0]);
	close(peer[1]);
	close(fd);
	CHECK(stop());
}

TEST(sessions_that_are_not)
{
	char	session[CLIENT_SESSION_MAX], wrong[CLIENT_SESSION_MAX];
	size_t	i, n;
	int	fd;

	if (!CHECK(start(2, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fd = dial_site(0, &site, OPEN);
	if (!CHECK(session_in(hear(fd), session)))
		return;
	n = strlen(session);
	for (i = 0; i < n; i++) {
		memcpy(wrong, session, n + 1);
		wrong[i] = wrong[i] == '0' ? '1' : '0';
		CHECK(strncmp(emulate(0, UID, wrong, HISTORY("2")),
		    "HTTP/1.1 204 ", 13) == 0);
		wrong[i] = 'x';
		CHECK(strncmp(emulate(0, UID, wrong, HISTORY("2")),
		    "HTTP/1.1 204 ", 13) == 0);
		wrong[i] = '\0';
		CHECK(strncmp(emulate(0, UID, wrong, HISTORY("2")),
		    "HTTP/1.1 204 ", 13) == 0);
	}
	/* Longer, and of a worker that there is not. */
	memcpy(wrong, session, n + 1);
	wrong[n] = '0';
	wrong[n + 1] = '\0';
	CHECK(strncmp(emulate(0, UID, wrong, HISTORY("2")), "HTTP/1.1 204 ",
	    13) == 0);
	wrong[1] = '2';
	wrong[n] = '\0';
	CHECK(strncmp(emulate(0, UID, wrong, HISTORY("2")), "HTTP/1.1 204 ",
	    13) == 0);
	CHECK(strncmp(emulate(0, "", session, HISTORY("2")), "HTTP/1.1 404 ",
	    13) == 0);
	CHECK(strncmp(emulate(0, UID "x", session, HISTORY("2")),
	    "HTTP/1.1 404 ", 13) == 0);
	CHECK(strncmp(post(0, "/emulation", "application/json", SV("{")),
	    "HTTP/1.1 400 ", 13) == 0);
	CHECK_STR(hear(fd), "");
	close(fd);
	CHECK(stop());
}

/* Two clients at once have two secrets. */
TEST(sessions_differ)
{
	char	a[CLIENT_SESSION_MAX], b[CLIENT_SESSION_MAX];
	int	fa, fb;

	if (!CHECK(start(1, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fa = dial_site(0, &site, OPEN);
	fb = dial_site(0, &site, OPEN);
	if (CHECK(session_in(hear(fa), a)) && CHECK(session_in(hear(fb), b))) {
		CHECK(strcmp(a, b) != 0);
		(void)emulate(0, UID, b, HISTORY("3"));
		CHECK_STR(hear(fa), "");
		CHECK(strstr(hear(fb), "\"id\":3") != NULL);
	}
	close(fa);
	close(fb);
	CHECK(stop());
}

/* A body that breaks the protocol ends the stream, told by a push. */
TEST(malformed_commands)
{
	char	session[CLIENT_SESSION_MAX];
	char	rest[8];
	int	fd;

	if (!CHECK(start(1, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fd = dial_site(0, &site, OPEN);
	if (CHECK(session_in(hear(fd), session))) {
		(void)emulate(0, UID, session, "x");
		CHECK_STR(hear(fd), "data: {\"push\":{\"disconnect\":"
		    "{\"code\":3501,\"reason\":\"bad request\"}}}\n\n");
		CHECK_INT(read(fd, rest, sizeof(rest)), 0);
		/* Nor is it there for more. */
		(void)emulate(0, UID, session, HISTORY("2"));
	}
	close(fd);
	CHECK(stop());
}

TEST(what_the_peer_sends_is_ignored)
{
	char	session[CLIENT_SESSION_MAX];
	int	fd;

	if (!CHECK(start(1, ANYBODY)))
		return;
	memcpy(srv.uid, UID, sizeof(UID));
	fd = dial_site(0, &site, OPEN OPEN);
	CHECK(session_in(hear(fd), session));
	CHECK(send(fd, OPEN, strlen(OPEN), MSG_NOSIGNAL) > 0);
	turns(3);
	CHECK_STR(hear(fd), "");
	CHECK_INT(srv.node[0]->nclients, 1);
	(void)emulate(0, UID, session, HISTORY("2"));
	CHECK(strstr(hear(fd), "\"id\":2") != NULL);
	close(fd);
	CHECK(stop());
}

static bool
open_and_call(void)
{
	char	session[CLIENT_SESSION_MAX];
	bool	ok = false;
	int	fd;

	if (!start(2, ANYBODY))
		return false;
	memcpy(srv.uid, UID, sizeof(UID));
	if ((fd = dial_site(1, &site, OPEN)) != -1) {
		if (session_in(hear(fd), session) && strncmp(emulate(0, UID,
		    session, HISTORY("5")), "HTTP/1.1 204 ", 13) == 0)
			ok = strstr(hear(fd), "\"id\":5") != NULL;
		close(fd);
	}
	return stop() && ok;
}

TEST(without_memory)
{
	ALLOC_SWEEP(open_and_call);
}

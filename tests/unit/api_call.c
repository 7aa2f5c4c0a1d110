/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The API in process: answers, forms, and what happens to clients.
 */
#include "tests/unit/api_server.h"

static const char conf_text[] =
    "{\"http_api\":{\"key\":\"k\"},"
    "\"health\":{\"enabled\":true},\"prometheus\":{\"enabled\":true},"
    "\"client\":{\"allow_anonymous_connect_without_token\":true},"
    "\"channel\":{\"without_namespace\":{"
    "\"allow_subscribe_for_client\":true,"
    "\"allow_subscribe_for_anonymous\":true}}}";

#define NODE	"200 {\"result\":{\"nodes\":[{\"uid\":\"uid\"," \
		"\"name\":\"node\",\"version\":\"" FUGU_VERSION "\"," \
		"\"num_clients\":0,\"num_users\":0,\"num_channels\":0}]}}"

/* Answers as the real server gives them. */
TEST(answers)
{
	static const struct {
		const char	*path, *body, *answer;
	} row[] = {
		{ "publish", "{\"channel\":\"a\",\"data\":1}", OK },
		{ "publish", "{\"channel\":\"b\",\"data\":null}", OK },
		{ "publish", "{\"channel\":\"\\u0063\",\"data\":\"\"}", OK },
		{ "publish", "{\"channel\":\"d\",\"b64data\":\"MQ==\"}", OK },
		{ "publish", "{\"channel\":\"d\",\"b64data\":\"%\"}", BAD },
		{ "publish", "{\"channel\":\"x:d\",\"b64data\":\"%\"}", BAD },
		{ "publish", "{\"data\":1}", BAD },
		{ "publish", "{\"channel\":\"a\"}", BAD },
		{ "publish", "null", BAD },
		{ "publish", "{\"channel\":\"x:a\",\"data\":1}", UNKNOWN },
		{ "publish", "{\"channel\":\"x:a\"}", UNKNOWN },
		{ "publish", "{\"channel\":1,\"data\":1}",
		    "400 Bad Request\n" },
		{ "publish", "", "400 Bad Request\n" },
		{ "publish", "{", "400 Bad Request\n" },
		{ "publish", "{} {}", "400 Bad Request\n" },
		{ "broadcast", "{\"channels\":[\"a\",\"x:b\",\"\",null,\"c\"],"
		    "\"data\":1}", "200 {\"result\":{\"responses\":["
		    "{\"result\":{}},"
		    "{\"error\":{\"code\":102,"
		    "\"message\":\"unknown channel\"}},"
		    "{\"error\":{\"code\":107,\"message\":\"bad request\"}},"
		    "{\"error\":{\"code\":107,\"message\":\"bad request\"}},"
		    "{\"result\":{}}]}}" },
		{ "broadcast", "{\"channels\":[\"a\"]}",
		    "200 {\"result\":{\"responses\":[{\"error\":"
		    "{\"code\":107,\"message\":\"bad request\"}}]}}" },
		{ "broadcast", "{\"channels\":[],\"data\":1}", BAD },
		{ "broadcast", "{\"channels\":[\"a\"],\"b64data\":\"%\"}",
		    BAD },
		{ "channels", "{}", "200 {\"result\":{\"channels\":{}}}" },
		{ "info", "{}", NODE },
		{ "channels", "{\"pattern\":\"[\"}", "200 {\"error\":"
		    "{\"code\":100,\"message\":\"internal server error\"}}" },
		{ "rpc", "{\"method\":\"x\"}", "200 {\"error\":"
		    "{\"code\":104,\"message\":\"not found\"}}" },
		{ "rpc", "{}", BAD },
		{ "disconnect", "{\"user\":\"u\"}", OK },
		{ "disconnect", "{}", OK },
		{ "unsubscribe", "{\"user\":\"u\",\"channel\":\"a\"}", OK },
		{ "unsubscribe", "{\"user\":\"u\"}", OK },
		{ "unsubscribe", "{\"channel\":\"x:a\"}", UNKNOWN },
		{ "presence", "{\"channel\":\"a\"}", NOT },
		{ "presence", "{}", BAD },
		{ "presence_stats", "{\"channel\":\"x:a\"}", UNKNOWN },
		{ "history", "{\"channel\":\"a\",\"limit\":1}", NOT },
		{ "history_remove", "{\"channel\":\"a\"}", NOT },
		{ "subscribe", "{\"channel\":\"a\"}", OK },
		{ "refresh", "{}", OK },
		{ "batch", "{}", "200 {}" },
		{ "batch", "{\"commands\":[]}", "200 {}" },
		{ "batch", "{\"commands\":[{\"publish\":{\"channel\":1}}]}",
		    "400 Bad Request\n" },
		{ "batch", "{\"commands\":[null,{},{\"batch\":{}},"
		    "{\"publish\":null}]}", "200 {\"replies\":["
		    "{\"error\":{\"code\":107,\"message\":\"bad request\"}},"
		    "{\"error\":{\"code\":104,\"message\":\"not found\"}},"
		    "{\"error\":{\"code\":104,\"message\":\"not found\"}},"
		    "{\"error\":{\"code\":104,\"message\":\"not found\"}}]}" },
		{ "batch", "{\"commands\":["
		    "{\"publish\":{\"channel\":\"a\",\"data\":1}},"
		    "{\"publish\":{\"channel\":\"b\",\"data\":1}},"
		    "{\"channels\":{}},{\"disconnect\":{\"user\":\"u\"}}]}",
		    "200 {\"replies\":[{\"publish\":{}},{\"publish\":{}},"
		    "{\"channels\":{\"channels\":{}}},{\"disconnect\":{}}]}" },
		{ "batch", "{\"parallel\":true,\"commands\":["
		    "{\"publish\":{\"channel\":\"a\",\"data\":1}},"
		    "{\"publish\":{}},{\"channels\":{}},"
		    "{\"publish\":{\"channel\":\"b\",\"data\":1}}]}",
		    "200 {\"replies\":[{\"publish\":{}},"
		    "{\"error\":{\"code\":107,\"message\":\"bad request\"}},"
		    "{\"channels\":{\"channels\":{}}},{\"publish\":{}}]}" },
		{ "../api", "{}", "404 404 Not Found\n" },
		{ "nope", "{}", "404 404 Not Found\n" },
	};
	char	path[64];
	size_t	i;

	start(conf_text);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s %s", row[i].path, row[i].body);
		snprintf(path, sizeof(path), "/api/%s", row[i].path);
		if (row[i].body[0] == '\0')
			CHECK(strncmp(post(path, " "), "400 ", 4) == 0);
		else
			CHECK_STR(post(path, row[i].body), row[i].answer);
	}
	stop();
}

TEST(legacy_form)
{
	static const struct {
		const char	*body, *answer;
	} row[] = {
		{ "{\"method\":\"publish\",\"params\":{\"channel\":\"a\","
		    "\"data\":1}}", OK },
		{ "{\"params\":{\"channel\":\"a\",\"data\":1}}", OK },
		{ "{\"id\":7,\"method\":0,\"params\":{\"channel\":\"b\","
		    "\"data\":1}}", "200 {\"id\":7,\"result\":{}}" },
		{ "{\"id\":1,\"method\":\"PUBLISH\",\"params\":{}}"
		    "{\"id\":2,\"method\":\"channels\"}\n"
		    " {\"id\":3,\"method\":13}",
		    "200 {\"id\":1,\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}}\n"
		    "{\"id\":2,\"result\":{\"channels\":{}}}\n"
		    "{\"id\":3,\"error\":{\"code\":104,"
		    "\"message\":\"not found\"}}" },
		{ "{\"id\":1,\"method\":\"publish\","
		    "\"params\":{\"channel\":1}}",
		    "200 {\"id\":1,\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}}" },
		{ "{}", BAD },
		{ "{\"method\":\"nope\"}", "400 Bad Request\n" },
		{ "{\"method\":\"batch\"}", "400 Bad Request\n" },
		{ "{\"method\":1.5}", "400 Bad Request\n" },
		{ "{\"id\":-1}", "400 Bad Request\n" },
		{ "{\"id\":4294967296}", "400 Bad Request\n" },
		{ "[]", "400 Bad Request\n" },
		{ " ", "400 Bad Request\n" },
		{ "{}{", "400 Bad Request\n" },
		{ "{} x", "400 Bad Request\n" },
	};
	size_t i;

	start(conf_text);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].body);
		CHECK_STR(post("/api", row[i].body), row[i].answer);
	}
	stop();
}

/* More channels than fit the window, of both owners. */
TEST(broadcast_answers_for_each_channel_in_order)
{
	struct buf	b = BUF_INIT;
	const char	*p;
	int		 i, n = 0;

	start(conf_text);
	buf_puts(&b, "{\"data\":1,\"channels\":[\"a\"");
	for (i = 1; i < 300; i++)
		buf_printf(&b, ",\"%s%d\"", i % 3 == 0 ? "x:" : "c", i);
	buf_puts(&b, "]}");
	buf_putc(&b, '\0');
	p = post("/api/broadcast", b.p);
	for (p = strchr(p, '['); p != NULL && *p != ']'; n++) {
		test_note("channel %d", n);
		CHECK_INT(strncmp(p + 1, "{\"error", 7) == 0,
		    n > 0 && n % 3 == 0);
		p += strcspn(p + 1, ",]") + 1;
		if (strncmp(p, ",\"message", 9) == 0)
			p += strcspn(p + 1, ",]") + 1;
	}
	CHECK_INT(n, 300);
	CHECK_INT(srv.node[0]->stats.published, 201);
	buf_fini(&b);
	stop();
}

TEST(publications_reach_clients_of_all_workers)
{
	int a, b, c;

	start(conf_text);
	a = client(0, "x");
	b = client(1, "x");
	c = client(1, "y");
	CHECK_STR(post("/api/publish", "{\"channel\":\"x\",\"data\":{\"a\":\n"
	    "1},\"tags\":{\"t\":\"<\",\"n\":null},\"version\":3}"), OK);
	CHECK(heard(a, "{\"push\":{\"channel\":\"x\",\"pub\":{\"data\":{\"a\":"
	    "1},\"tags\":{\"t\":\"\\u003c\",\"n\":\"\"},\"version\":3}}}"));
	CHECK(heard(b, "\"version\":3"));
	CHECK(!heard(c, "pub"));
	CHECK_STR(post("/api/publish", "{\"channel\":\"y\","
	    "\"b64data\":\"eyJhIjoxfQ==\"}"), OK);
	CHECK(heard(c, "{\"data\":{\"a\":1}}"));
	CHECK_STR(post("/api/publish", "{\"channel\":\"y\","
	    "\"b64data\":\"AAEC\"}"), OK);
	CHECK(heard(c, "inappropriate protocol"));
	close(a);
	close(b);
	close(c);
	turns(4);
	stop();
}

TEST(idempotent_publish_is_delivered_once)
{
	static const char	body[] = "{\"channel\":\"x\",\"data\":1,"
	    "\"idempotency_key\":\"k\"}";
	int			a;

	start(conf_text);
	a = client(1, "x");
	CHECK_STR(post("/api/publish", body), OK);
	CHECK(heard(a, "push"));
	CHECK_STR(post("/api/publish", body), OK);
	CHECK(!heard(a, "push"));
	close(a);
	turns(4);
	stop();
}

TEST(channels_and_info_sum_over_workers)
{
	int a, b, c;

	start(conf_text);
	a = client(0, "x");
	b = client(1, "x");
	c = client(1, "y<");
	CHECK_STR(post("/api/channels", "{}"), "200 {\"result\":{\"channels\":{"
	    "\"x\":{\"num_clients\":2},"
	    "\"y\\u003c\":{\"num_clients\":1}}}}");
	CHECK_STR(post("/api/channels", "{\"pattern\":\"y*\"}"),
	    "200 {\"result\":{\"channels\":{"
	    "\"y\\u003c\":{\"num_clients\":1}}}}");
	CHECK(strstr(post("/api/info", "{}"), "\"num_clients\":3,"
	    "\"num_users\":1,\"num_channels\":2,") != NULL);
	CHECK(strstr(post("/api/info", "{}"), "\"num_subs\":3}") != NULL);
	close(a);
	close(b);
	close(c);
	turns(4);
	stop();
}

TEST(unsubscribe_pushes_and_takes_out)
{
	int a, b;

	start(conf_text);
	a = client(0, "x");
	b = client(1, "x");
	CHECK_STR(post("/api/unsubscribe", "{\"channel\":\"x\"}"), OK);
	CHECK(heard(a, "{\"push\":{\"channel\":\"x\",\"unsubscribe\":{"
	    "\"code\":2000,\"reason\":\"server unsubscribe\"}}}"));
	CHECK(heard(b, "\"code\":2000"));
	CHECK_INT(srv.hub[0]->nsubs + srv.hub[1]->nsubs, 0);
	/* Not subscribed any more: a push all the same (spec 12.48). */
	CHECK_STR(post("/api/unsubscribe", "{\"channel\":\"x\"}"), OK);
	CHECK(heard(a, "\"code\":2000"));
	CHECK_STR(post("/api/unsubscribe", "{\"user\":\"\"}"), OK);
	CHECK(heard(b, "|{\"push\":{\"unsubscribe\"") ||
	    strstr(answer, "{\"push\":{\"unsubscribe\"") != NULL);
	CHECK_STR(post("/api/unsubscribe", "{\"user\":\"other\"}"), OK);
	CHECK(!heard(a, "other"));
	close(a);
	close(b);
	turns(4);
	stop();
}

/* The id of the only client on that worker. */
static const char *
only_client(unsigned worker, char id[37])
{
	return client_id(LIST_FIRST(&srv.node[worker]->clients), id);
}

TEST(disconnect_finds_whom_it_is_told)
{
	char	id[37], body[200];
	int	a, b;

	start(conf_text);
	a = client(0, "x");
	b = client(1, "x");
	CHECK_STR(post("/api/disconnect", "{\"user\":\"other\"}"), OK);
	CHECK_STR(post("/api/disconnect", "{\"session\":\"s\"}"), OK);
	CHECK_STR(post("/api/disconnect", "{\"client\":\"nobody\"}"), OK);
	CHECK(!heard(a, "") && !heard(b, ""));
	snprintf(body, sizeof(body), "{\"whitelist\":[\"x\",\"%s\"],"
	    "\"disconnect\":{\"code\":4001,\"reason\":\"bye\"}}",
	    only_client(0, id));
	CHECK_STR(post("/api/disconnect", body), OK);
	CHECK(heard(b, "\x88\x05\x0f\xa1" "bye"));
	CHECK(!heard(a, ""));
	snprintf(body, sizeof(body), "{\"client\":\"%s\"}",
	    only_client(0, id));
	CHECK_STR(post("/api/disconnect", body), OK);
	CHECK(heard(a, "\x0d\xaf" "force disconnect"));
	close(a);
	close(b);
	turns(4);
	stop();
}

/* The register shrinks and goes while it is walked. */
TEST(disconnect_reaches_all_of_a_user)
{
	int fd[20], i;

	start(conf_text);
	for (i = 0; i < 20; i++)
		fd[i] = client(1, "x");
	CHECK_STR(post("/api/disconnect", "{}"), OK);
	for (i = 0; i < 20; i++) {
		CHECK(heard(fd[i], "force disconnect"));
		close(fd[i]);
	}
	turns(4);
	stop();
}

/* Strings that had escapes stay where they are while others follow. */
TEST(unescaped_strings_do_not_move)
{
	char	text[600];
	int	a;

	start(conf_text);
	a = client(1, "x");
	snprintf(text, sizeof(text), "{\"user\":\"\\u0061\","
	    "\"whitelist\":[\"\\u0062\",\"\\n%0500d\"]}", 0);
	CHECK_STR(post("/api/disconnect", text), OK);
	CHECK(!heard(a, ""));
	close(a);
	turns(4);
	stop();
}

TEST(keys_modes_and_methods)
{
	static const struct {
		const char	*request, *status;
	} row[] = {
		{ "POST /api/info HTTP/1.1\r\nHost: x\r\n", "401" },
		{ "POST /api HTTP/1.1\r\nHost: x\r\n", "401" },
		{ "POST /api/info?api_key=k HTTP/1.1\r\nHost: x\r\n", "200" },
		{ "GET /api/info HTTP/1.1\r\nHost: x\r\n", "405" },
		{ "POST /api/rpc HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n"
		    "X-Centrifugo-Error-Mode: transport\r\n", "400" },
		{ "POST /api/presence HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n"
		    "X-Centrifugo-Error-Mode: Transport\r\n", "200" },
		{ "GET /health HTTP/1.1\r\nHost: x\r\n", "200" },
		{ "GET /healthz HTTP/1.1\r\nHost: x\r\n", "200" },
		{ "GET /readyz HTTP/1.1\r\nHost: x\r\n", "200" },
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n", "200" },
	};
	char	text[300];
	size_t	i;
	int	fd;

	start(conf_text);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].request);
		fd = dial(0);
		say(fd, text, (size_t)snprintf(text, sizeof(text),
		    "%sContent-Length: 2\r\n\r\n{}", row[i].request));
		CHECK(strncmp(receive(fd) + 9, row[i].status, 3) == 0);
		close(fd);
	}
	srv.node[0]->draining = true;
	fd = dial(0);
	say(fd, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 34);
	CHECK(strncmp(receive(fd) + 9, "503", 3) == 0);
	srv.node[0]->draining = false;
	close(fd);
	turns(4);
	stop();
}

/* Each request survives the failure of any one allocation, and is answered
 * or its connection is closed. */
TEST(lack_of_memory_is_survived)
{
	static const struct {
		const char	*path, *body;
	} row[] = {
		{ "/api/publish", "{\"channel\":\"\\u0078\",\"data\":1,"
		    "\"tags\":{\"a\":\"\\n\"},\"idempotency_key\":\"i\"}" },
		{ "/api/publish", "{\"channel\":\"x\",\"b64data\":\"MQ==\"}" },
		{ "/api/broadcast",
		    "{\"channels\":[\"x\",\"y\",\"z\\n\"],\"data\":1}" },
		{ "/api/channels", "{\"pattern\":\"*\"}" },
		{ "/api/info", "{}" },
		{ "/api/disconnect",
		    "{\"user\":\"a\\n\",\"whitelist\":[\"a\"]}" },
		{ "/api/unsubscribe", "{\"channel\":\"x\"}" },
		{ "/api/batch", "{\"parallel\":true,\"commands\":["
		    "{\"publish\":{\"channel\":\"x\",\"data\":1}},"
		    "{\"channels\":{}},{\"history\":{}}]}" },
		{ "/api", "{\"method\":\"info\"}{\"method\":\"channels\"}" },
		{ "/metrics", "{}" },
	};
	unsigned long	n;
	size_t		i;
	int		fd;

	start(conf_text);
	fd = client(1, "x");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (n = 1; n < 1000; n++) {
			test_note("%s, allocation %lu", row[i].path, n);
			alloc_fail_at(n);
			post(row[i].path, row[i].body);
			if (alloc_failed() == 0)
				break;
		}
		alloc_fail_at(0);
		CHECK(n > 1 && n < 1000);
		CHECK(strncmp(post("/api/info", "{}"), "200 ", 4) == 0);
	}
	close(fd);
	turns(4);
	stop();
}

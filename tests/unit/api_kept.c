/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the API puts into channels that keep something, and what it gets out
 * of them: history, presence, versions and idempotency keys. What is asked
 * belongs to either worker.
 */
#include "tests/unit/api_server.h"

static const char conf_text[] =
    "{\"http_api\":{\"key\":\"k\"},\"prometheus\":{\"enabled\":true},"
    "\"client\":{\"allow_anonymous_connect_without_token\":true},"
    "\"channel\":{\"namespaces\":["
    "{\"name\":\"plain\"},"
    "{\"name\":\"hi\",\"history_size\":3,\"history_ttl\":\"300s\","
    "\"presence\":true,\"allow_subscribe_for_client\":true,"
    "\"allow_subscribe_for_anonymous\":true},"
    "{\"name\":\"delta\",\"history_size\":3,\"history_ttl\":\"300s\","
    "\"delta_publish\":true,\"allow_subscribe_for_client\":true,"
    "\"allow_subscribe_for_anonymous\":true,"
    "\"force_positioning\":true,"
    "\"allowed_delta_types\":[\"fossil\"]},"
    "{\"name\":\"pos\",\"history_size\":3,\"history_ttl\":\"300s\","
    "\"allow_subscribe_for_client\":true,"
    "\"allow_subscribe_for_anonymous\":true,"
    "\"force_positioning\":true,"
    "\"allowed_delta_types\":[\"fossil\"]},"
    "{\"name\":\"json\",\"publication_data_format\":\"json\"},"
    "{\"name\":\"object\",\"publication_data_format\":\"json_object\"},"
    "{\"name\":\"bin\",\"publication_data_format\":\"binary\"}]}}";

#define ERROR(code, text)						\
	"200 {\"error\":{\"code\":" #code ",\"message\":\"" text "\"}}"
#define INTERNAL	ERROR(100, "internal server error")
#define LOST		ERROR(112, "unrecoverable position")
#define AT(offset)							\
	"200 {\"result\":{\"offset\":" #offset ",\"epoch\":\"E\"}}"
#define HISTORY(pubs, offset)						\
	"200 {\"result\":{\"publications\":[" pubs "],\"epoch\":\"E\"," \
	"\"offset\":" #offset "}}"

/* The answer, with E for every epoch. */
static const char *
ask(const char *method, const char *body)
{
	static char	 text[1 << 16];
	const char	*p, *key = "\"epoch\":\"";
	char		 path[64], *out = text;

	snprintf(path, sizeof(path), "/api%s%s", *method == '\0' ? "" : "/",
	    method);
	for (p = post(path, body); *p != '\0'; *out++ = *p++) {
		if (strncmp(p, key, 9) != 0 || p[9] == '"')
			continue;
		out += snprintf(out, 11, "%sE", key);
		p += 9 + strcspn(p + 9, "\"");
	}
	*out = '\0';
	return text;
}

struct row {
	const char	*method, *body, *answer;
};

/* The rows, one after the other; @ in a body is the given digit. */
static void
run(const struct row *row, size_t n, char digit)
{
	char	body[1024], *p;
	size_t	i;

	for (i = 0; i < n; i++) {
		snprintf(body, sizeof(body), "%s", row[i].body);
		while ((p = strchr(body, '@')) != NULL)
			*p = digit;
		test_note("%s %s", row[i].method, body);
		CHECK_STR(ask(row[i].method, body), row[i].answer);
	}
}
#define RUN(row, digit)	run(row, sizeof(row) / sizeof((row)[0]), digit)

TEST(channels_that_keep_nothing)
{
	static const char *const method[] = {
		"history", "history_remove", "presence", "presence_stats",
	};
	size_t i;

	start(conf_text);
	for (i = 0; i < sizeof(method) / sizeof(method[0]); i++) {
		test_note("%s", method[i]);
		CHECK_STR(ask(method[i], "{}"), BAD);
		CHECK_STR(ask(method[i], "{\"channel\":\"no:1\"}"), UNKNOWN);
		CHECK_STR(ask(method[i], "{\"channel\":\"plain:1\"}"), NOT);
	}
	/* What is wrong with the channel comes first. */
	CHECK_STR(ask("history", "{\"channel\":\"plain:1\",\"since\":{},"
	    "\"reverse\":true}"), NOT);
	stop();
}

#define H(rest)	"{\"channel\":\"hi:@\"" rest "}"
#define P2	"{\"data\":\"two\",\"offset\":2}"
#define P3	"{\"data\":3,\"offset\":3}"
#define P4	"{\"data\":[4,\"\\u003c\"],\"offset\":4," \
		"\"tags\":{\"t\":\"\\u0026\"}}"

/* As the real server answers them. */
static const struct row history[] = {
	{ "history", H(""), HISTORY("", 0) },
	{ "publish", H(",\"data\":{\"a\": 1}"), AT(1) },
	{ "history", H(",\"limit\":-1"),
	    HISTORY("{\"data\":{\"a\":1},\"offset\":1}", 1) },
	{ "publish", H(",\"data\":\"two\",\"idempotency_key\":\"i\","
	    "\"version\":5"), AT(2) },
	{ "publish", H(",\"data\":0,\"idempotency_key\":\"i\""), AT(2) },
	{ "publish", H(",\"data\":0,\"version\":5"), AT(2) },
	{ "publish", H(",\"data\":3,\"version\":4,\"version_epoch\":\"e\""),
	    AT(3) },
	{ "publish", H(",\"data\":0,\"version\":4,\"version_epoch\":\"e\""),
	    AT(3) },
	{ "publish", H(",\"data\":0,\"skip_history\":true"), OK },
	{ "publish", H(",\"data\":0,\"skip_history\":true,\"version\":1"),
	    OK },
	{ "publish", H(",\"data\":[ 4, \"<\" ],\"delta\":true,"
	    "\"tags\":{\"t\":\"&\"}"), AT(4) },
	{ "history", H(""), HISTORY("", 4) },
	{ "history", H(",\"limit\":0"), HISTORY("", 4) },
	{ "history", H(",\"limit\":-1"), HISTORY(P2 "," P3 "," P4, 4) },
	{ "history", H(",\"limit\":-5"), HISTORY(P2 "," P3 "," P4, 4) },
	{ "history", H(",\"limit\":2"), HISTORY(P2 "," P3, 4) },
	{ "history", H(",\"limit\":2,\"reverse\":true"),
	    HISTORY(P4 "," P3, 4) },
	{ "history", H(",\"limit\":-1,\"since\":{\"offset\":2}"),
	    HISTORY(P3 "," P4, 4) },
	{ "history", H(",\"limit\":-1,\"since\":{}"),
	    HISTORY(P2 "," P3 "," P4, 4) },
	{ "history", H(",\"limit\":-1,\"since\":null,\"reverse\":true"),
	    HISTORY(P4 "," P3 "," P2, 4) },
	{ "history", H(",\"limit\":-1,\"since\":{\"offset\":4}"),
	    HISTORY("", 4) },
	{ "history", H(",\"limit\":-1,\"since\":{\"offset\":9}"),
	    HISTORY("", 4) },
	{ "history", H(",\"limit\":-1,\"since\":{\"offset\":4},"
	    "\"reverse\":true"), HISTORY(P3 "," P2, 4) },
	{ "history", H(",\"limit\":-1,\"since\":{\"offset\":1},"
	    "\"reverse\":true"), HISTORY("", 4) },
	{ "history", H(",\"limit\":-1,\"since\":{},\"reverse\":true"),
	    INTERNAL },
	{ "history", H(",\"since\":{\"offset\":2,\"epoch\":\"\"}"),
	    HISTORY("", 4) },
	{ "history", H(",\"since\":{\"offset\":2,\"epoch\":\"z\"}"), LOST },
	{ "history", H(",\"limit\":2147483648"), "400 Bad Request\n" },
	{ "history", H(",\"since\":[]"), "400 Bad Request\n" },
	{ "history_remove", H(""), OK },
	{ "history", H(",\"limit\":-1"), HISTORY("", 4) },
	{ "publish", H(",\"b64data\":\"AAEC\""), AT(5) },
	{ "history", H(",\"limit\":-1"), INTERNAL },
	{ "history", H(""), HISTORY("", 5) },
};

TEST(history_as_the_real_server_has_it)
{
	char digit;

	start(conf_text);
	for (digit = '0'; digit < '4'; digit++)
		RUN(history, digit);
	stop();
}

/* The epoch that was told is the one to ask for. */
TEST(history_since_a_position)
{
	char		 body[200], epoch[32] = "";
	const char	*p;

	start(conf_text);
	p = strstr(post("/api/publish", "{\"channel\":\"hi:1\",\"data\":1}"),
	    "\"epoch\":\"");
	if (CHECK(p != NULL))
		snprintf(epoch, sizeof(epoch), "%.*s",
		    (int)strcspn(p + 9, "\""), p + 9);
	snprintf(body, sizeof(body), "{\"channel\":\"hi:1\",\"limit\":-1,"
	    "\"since\":{\"epoch\":\"%s\"}}", epoch);
	CHECK_STR(ask("history", body),
	    HISTORY("{\"data\":1,\"offset\":1}", 1));
	stop();
}

TEST(what_clients_publish_has_their_info)
{
	static const char	pub[] = "{\"id\":3,\"publish\":{\"channel\":"
	    "\"hi:1\",\"data\":1}}";
	char			id[37], expected[300];
	int			fd;

	start("{\"http_api\":{\"key\":\"k\"},\"client\":{\"insecure\":true},"
	    "\"channel\":{\"namespaces\":[{\"name\":\"hi\","
	    "\"history_size\":3,\"history_ttl\":\"9s\"}]}}");
	fd = client(1, "hi:1");
	frame(fd, pub);
	CHECK(heard(fd, "{\"id\":3,\"publish\":{}}"));
	snprintf(expected, sizeof(expected), HISTORY("{\"data\":1,\"info\":{"
	    "\"user\":\"\",\"client\":\"%s\"},\"offset\":1}", 1),
	    client_id(LIST_FIRST(&srv.node[1]->clients), id));
	CHECK_STR(ask("history", "{\"channel\":\"hi:1\",\"limit\":-1}"),
	    expected);
	close(fd);
	turns(4);
	stop();
}

TEST(presence_of_clients_of_all_workers)
{
	char	id[2][37], expected[500];
	int	a, b, first;

	start(conf_text);
	CHECK_STR(ask("presence", "{\"channel\":\"hi:1\"}"),
	    "200 {\"result\":{\"presence\":{}}}");
	CHECK_STR(ask("presence_stats", "{\"channel\":\"hi:1\"}"),
	    "200 {\"result\":{\"num_clients\":0,\"num_users\":0}}");
	a = client(0, "hi:1");
	b = client(1, "hi:1");
	turns(4);
	CHECK_STR(ask("presence_stats", "{\"channel\":\"hi:1\"}"),
	    "200 {\"result\":{\"num_clients\":2,\"num_users\":1}}");
	client_id(LIST_FIRST(&srv.node[0]->clients), id[0]);
	client_id(LIST_FIRST(&srv.node[1]->clients), id[1]);
	first = strcmp(id[0], id[1]) > 0;
	snprintf(expected, sizeof(expected), "200 {\"result\":{\"presence\":{"
	    "\"%s\":{\"user\":\"\",\"client\":\"%s\"},"
	    "\"%s\":{\"user\":\"\",\"client\":\"%s\"}}}}", id[first],
	    id[first], id[!first], id[!first]);
	CHECK_STR(ask("presence", "{\"channel\":\"hi:1\"}"), expected);
	close(a);
	close(b);
	turns(4);
	CHECK_STR(ask("presence", "{\"channel\":\"hi:1\"}"),
	    "200 {\"result\":{\"presence\":{}}}");
	stop();
}

TEST(presence_is_in_order)
{
	const char	*p, *last = "";
	int		 fd[12], i, n = 0;

	start(conf_text);
	for (i = 0; i < 12; i++)
		fd[i] = client((unsigned)i % 2, "hi:1");
	turns(4);
	p = ask("presence", "{\"channel\":\"hi:1\"}");
	for (; (p = strstr(p, "\":{\"user")) != NULL; last = p - 36, p++)
		n += strncmp(last, p - 36, 36) < 0;
	CHECK_INT(n, 12);
	for (i = 0; i < 12; i++)
		close(fd[i]);
	turns(4);
	stop();
}

/* Where the request or the namespace asks for it. */
TEST(deltas)
{
	static const struct {
		const char	*channel, *rest;
		bool		 delta;
	} row[] = {
		{ "pos:1", "", false },
		{ "pos:2", ",\"delta\":true", true },
		{ "delta:1", "", true },
	};
	char	text[300];
	size_t	i;
	int	fd, k;

	start(conf_text);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("row %zu", i);
		fd = client(1, NULL);
		snprintf(text, sizeof(text), "{\"id\":2,\"subscribe\":{"
		    "\"channel\":\"%s\",\"delta\":\"fossil\"}}",
		    row[i].channel);
		frame(fd, text);
		CHECK(heard(fd, "\"delta\":true"));
		for (k = 0; k < 2; k++) {
			snprintf(text, sizeof(text), "{\"channel\":\"%s\","
			    "\"data\":\"%0100d\"%s}", row[i].channel, k,
			    row[i].rest);
			post("/api/publish", text);
		}
		CHECK_INT(heard(fd, "\"delta\":true"), row[i].delta);
		close(fd);
		turns(4);
	}
	stop();
}

TEST(data_are_what_the_namespace_asks_for)
{
	static const struct row row[] = {
		{ "publish", "{\"channel\":\"json:1\",\"data\":1}", OK },
		{ "publish", "{\"channel\":\"json:1\"}", BAD },
		{ "publish", "{\"channel\":\"json:1\",\"b64data\":\"e30=\"}",
		    OK },
		{ "publish", "{\"channel\":\"json:1\",\"b64data\":\"AAEC\"}",
		    BAD },
		{ "publish", "{\"channel\":\"object:1\",\"data\":{}}", OK },
		{ "publish", "{\"channel\":\"object:1\",\"data\":null}",
		    BAD },
		{ "publish", "{\"channel\":\"bin:1\",\"b64data\":\"AAEC\"}",
		    OK },
		{ "publish", "{\"channel\":\"bin:1\"}", OK },
		{ "broadcast", "{\"channels\":[\"json:1\",\"object:1\","
		    "\"bin:1\"],\"data\":1}", "200 {\"result\":{"
		    "\"responses\":[{\"result\":{}},{\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}},{\"result\":{}}]}}" },
	};

	start(conf_text);
	RUN(row, '0');
	stop();
}

#define BROADCAST(rest)	"{\"channels\":[\"hi:1\",\"plain:1\",\"hi:2\"]," \
			"\"data\":1" rest "}"
#define EACH(a, b)	"200 {\"result\":{\"responses\":[{\"result\":{" a \
			"}},{\"result\":{}},{\"result\":{" b "}}]}}"
#define POS(n)		"\"offset\":" #n ",\"epoch\":\"E\""

TEST(broadcast_keeps_in_each_channel)
{
	static const struct row row[] = {
		{ "broadcast", BROADCAST(""), EACH(POS(1), POS(1)) },
		{ "broadcast", BROADCAST(",\"idempotency_key\":\"i\","
		    "\"version\":3"), EACH(POS(2), POS(2)) },
		{ "broadcast", BROADCAST(",\"idempotency_key\":\"i\","
		    "\"version\":4"), EACH(POS(2), POS(2)) },
		{ "broadcast", BROADCAST(",\"version\":2"),
		    EACH(POS(2), POS(2)) },
		{ "broadcast", BROADCAST(",\"skip_history\":true"),
		    EACH("", "") },
		{ "broadcast", BROADCAST(""), EACH(POS(3), POS(3)) },
	};

	start(conf_text);
	RUN(row, '0');
	stop();
}

TEST(many_methods_in_one_request)
{
	static const struct row row[] = {
		{ "batch", "{\"parallel\":true,\"commands\":["
		    "{\"publish\":{\"channel\":\"hi:1\",\"data\":1}},"
		    "{\"history\":{\"channel\":\"hi:1\",\"limit\":1}},"
		    "{\"presence\":{\"channel\":\"hi:1\"}},"
		    "{\"presence_stats\":{\"channel\":\"hi:1\"}},"
		    "{\"history\":{\"channel\":\"hi:1\","
		    "\"since\":{\"epoch\":\"q\"}}},"
		    "{\"history_remove\":{\"channel\":\"hi:1\"}},"
		    "{\"history\":{\"channel\":\"hi:1\",\"limit\":-1}},"
		    "{\"subscribe\":{\"channel\":\"hi:1\"}},"
		    "{\"refresh\":{}},{\"history\":null}]}",
		    "200 {\"replies\":[{\"publish\":{" POS(1) "}},"
		    "{\"history\":{\"publications\":[{\"data\":1,"
		    "\"offset\":1}],\"epoch\":\"E\",\"offset\":1}},"
		    "{\"presence\":{\"presence\":{}}},{\"presence_stats\":{"
		    "\"num_clients\":0,\"num_users\":0}},{\"error\":{"
		    "\"code\":112,\"message\":\"unrecoverable position\"}},"
		    "{\"history_remove\":{}},{\"history\":{"
		    "\"publications\":[],\"epoch\":\"E\",\"offset\":1}},"
		    "{\"subscribe\":{}},{\"refresh\":{}},{\"error\":{"
		    "\"code\":104,\"message\":\"not found\"}}]}" },
		{ "", "{\"id\":1,\"method\":\"history\",\"params\":{"
		    "\"channel\":\"hi:1\"}}{\"id\":2,\"method\":5,"
		    "\"params\":{\"channel\":\"hi:1\"}}",
		    "200 {\"id\":1,\"result\":{\"publications\":[],"
		    "\"epoch\":\"E\",\"offset\":1}}\n{\"id\":2,\"result\":{"
		    "\"num_clients\":0,\"num_users\":0}}" },
	};

	start(conf_text);
	RUN(row, '0');
	stop();
}

/* Keys whose escapes were undone in a buffer that the next command uses. */
TEST(escaped_keys_outlive_their_command)
{
	struct buf	 b = BUF_INIT;
	const char	*p;
	int		 round, i, n = 0;

	start(conf_text);
	for (round = 0; round < 2; round++) {
		buf_puts(&b, "{\"parallel\":true,\"commands\":[null");
		for (i = 0; i < 8; i++)
			buf_printf(&b, ",{\"publish\":{\"channel\":\"hi:%d\","
			    "\"data\":1,\"idempotency_key\":\"\\u006%d\"}}",
			    i, (i + round) % 8 + 1);
		buf_puts(&b, ",{\"publish\":{\"channel\":\"hi:9\",\"data\":1,"
		    "\"idempotency_key\":\"\\u0078\"}}]}");
		buf_putc(&b, '\0');
		p = ask("batch", b.p);
		buf_reset(&b);
	}
	/* Other keys than before but for the last command's. */
	while ((p = strstr(p, "\"offset\":2")) != NULL) {
		p++;
		n++;
	}
	CHECK_INT(n, 8);
	buf_fini(&b);
	stop();
}

TEST(what_was_suppressed_is_counted)
{
	static const char	*const body[] = {
		("{\"channel\":\"hi:1\",\"data\":1,\"version\":1,"
		    "\"idempotency_key\":\"i\"}"),
		"{\"channel\":\"hi:1\",\"data\":1,\"version\":1}",
		"{\"channel\":\"hi:1\",\"data\":1,\"idempotency_key\":\"i\"}",
		"{\"channel\":\"hi:1\",\"data\":1,\"version\":1}",
	};
	static const char	 get[] =
	    "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t			 i;
	int			 fd;

	start(conf_text);
	for (i = 0; i < sizeof(body) / sizeof(body[0]); i++)
		CHECK_STR(ask("publish", body[i]), AT(1));
	fd = dial(1);
	say(fd, get, sizeof(get) - 1);
	receive(fd);
	CHECK(strstr(answer, "publish_suppressed_count{channel_namespace="
	    "\"\",reason=\"idempotency\"} 1\n") != NULL);
	CHECK(strstr(answer, "publish_suppressed_count{channel_namespace="
	    "\"\",reason=\"version\"} 2\n") != NULL);
	close(fd);
	stop();
}

/* Any allocation may fail; the next request finds all in order. */
TEST(lack_of_memory_is_survived)
{
	static const struct row row[] = {
		{ "publish", "{\"channel\":\"hi:1\",\"data\":1,\"tags\":"
		    "{\"a\":\"b\"},\"idempotency_key\":\"\\u0069\"}", NULL },
		{ "history", "{\"channel\":\"hi:1\",\"limit\":-1}", NULL },
		{ "history", "{\"channel\":\"hi:2\",\"since\":{"
		    "\"epoch\":\"\\u0069\"}}", NULL },
		{ "presence", "{\"channel\":\"hi:1\"}", NULL },
		{ "presence_stats", "{\"channel\":\"hi:2\"}", NULL },
		{ "history_remove", "{\"channel\":\"hi:1\"}", NULL },
		{ "subscribe", "{\"channel\":\"hi:1\",\"b64info\":\"e30=\","
		    "\"b64data\":\"e30=\"}", NULL },
		{ "refresh", "{\"expire_at\":9999999999,\"info\":{}}", NULL },
	};
	unsigned long	n;
	size_t		i;
	int		a, b;

	start(conf_text);
	a = client(0, "hi:1");
	b = client(1, "hi:2");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (n = 1; n < 1000; n++) {
			test_note("%s, allocation %lu", row[i].method, n);
			alloc_fail_at(n);
			ask(row[i].method, row[i].body);
			if (alloc_failed() == 0)
				break;
		}
		alloc_fail_at(0);
		CHECK(n > 1 && n < 1000);
		CHECK(strncmp(ask("info", "{}"), "200 ", 4) == 0);
	}
	close(a);
	close(b);
	turns(4);
	stop();
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the API does to the connections of a user, on all workers: subscribe
 * and refresh.
 */
#include "tests/unit/api_server.h"

static const char conf_text[] =
    "{\"http_api\":{\"key\":\"k\"},"
    "\"client\":{\"allow_anonymous_connect_without_token\":true},"
    "\"channel\":{\"without_namespace\":{},\"namespaces\":["
    "{\"name\":\"hi\",\"history_size\":3,\"history_ttl\":\"300s\","
    "\"presence\":true},"
    "{\"name\":\"full\",\"history_size\":3,\"history_ttl\":\"300s\","
    "\"presence\":true,\"join_leave\":true,\"force_recovery\":true,"
    "\"force_push_join_leave\":true,\"force_positioning\":true},"
    "{\"name\":\"cache\",\"history_size\":1,\"history_ttl\":\"300s\","
    "\"force_recovery\":true,\"force_recovery_mode\":\"cache\"}]}}";

#define INTERNAL							\
	"200 {\"error\":{\"code\":100,\"message\":\"internal server error\"}}"
#define PUSH(channel, rest)						\
	"{\"push\":{\"channel\":\"" channel "\"," rest "}"

static int a, b;	/* a client on each worker */

static void
begin(void)
{
	start(conf_text);
	a = client(0, NULL);
	b = client(1, NULL);
}

static void
end(void)
{
	close(a);
	close(b);
	turns(4);
	stop();
}

static bool
both_heard(const char *what)
{
	bool first = heard(a, what);

	return heard(b, what) && first;
}

static const char *
subscribe(const char *rest)
{
	char body[2000];

	snprintf(body, sizeof(body), "{\"channel\":%s}", rest);
	test_note("%s", body);
	return post("/api/subscribe", body);
}

/* The id of the only client on that worker. */
static const char *
only_client(unsigned worker)
{
	static char id[37];

	return client_id(LIST_FIRST(&srv.node[worker]->clients), id);
}

TEST(subscribe_is_refused)
{
	static const struct {
		const char	*rest, *answer;
	} row[] = {
		{ "null", BAD },
		{ "\"x:1\"", UNKNOWN },
		{ "\"x:1\",\"b64data\":\"%\"", UNKNOWN },
		{ "\"a\",\"b64data\":\"%\"", BAD },
		{ "\"a\",\"b64info\":\"%\"", BAD },
		{ "\"a\",\"override\":{\"presence\":true}",
		    "400 Bad Request\n" },
		{ "\"a\",\"recover_since\":{\"epoch\":1}",
		    "400 Bad Request\n" },
		/* Only where there is somebody whom it matters to. */
		{ "\"a\",\"expire_at\":1", INTERNAL },
		{ "\"a\",\"expire_at\":1,\"user\":\"x\"", OK },
		{ "\"a\",\"b64data\":\"AAEC\"", INTERNAL },
		{ "\"a\",\"b64info\":\"AAEC\"", INTERNAL },
		{ "\"a\",\"b64info\":\"AAEC\",\"client\":\"x\"", OK },
		{ "\"a\",\"session\":\"x\"", OK },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		CHECK_STR(subscribe(row[i].rest), row[i].answer);
	CHECK(!heard(a, "") && !heard(b, ""));
	CHECK_INT(srv.hub[0]->nsubs + srv.hub[1]->nsubs, 0);
	end();
}

TEST(subscribe_reaches_the_user_on_all_workers)
{
	char body[200];

	begin();
	CHECK_STR(subscribe("\"a\""), OK);
	CHECK(both_heard(PUSH("a", "\"subscribe\":{}}")));
	CHECK_STR(post("/api/publish", "{\"channel\":\"a\",\"data\":1}"), OK);
	CHECK(both_heard(PUSH("a", "\"pub\":{\"data\":1}}")));
	CHECK_STR(post("/api/unsubscribe", "{\"channel\":\"a\"}"), OK);
	CHECK(both_heard("\"channel\":\"a\",\"unsubscribe\":{\"code\":2000,"));
	CHECK_INT(srv.hub[0]->nsubs + srv.hub[1]->nsubs, 0);
	snprintf(body, sizeof(body), "\"c\",\"expire_at\":-1,"
	    "\"client\":\"%s\"", only_client(1));
	CHECK_STR(subscribe(body), OK);
	CHECK(!heard(a, ""));
	CHECK(heard(b, PUSH("c", "\"subscribe\":{}}")));
	CHECK_INT(srv.hub[0]->nsubs + srv.hub[1]->nsubs, 1);
	end();
}

TEST(subscribe_brings_data_and_info)
{
	char expected[300], b64[600], rest[1300];
	int  i;

	begin();
	/* Base 64 comes before plain. */
	CHECK_STR(subscribe("\"hi:1\",\"data\":1,\"info\":2,"
	    "\"b64data\":\"eyJiIjoxfQ==\",\"b64info\":\"eyJpIjoxfQ==\""), OK);
	CHECK(both_heard(PUSH("hi:1", "\"subscribe\":{\"data\":{\"b\":1}}}")));
	snprintf(expected, sizeof(expected), "\"client\":\"%s\","
	    "\"chan_info\":{\"i\":1}}", only_client(1));
	CHECK(strstr(post("/api/presence", "{\"channel\":\"hi:1\"}"),
	    expected) != NULL);
	CHECK_STR(subscribe("\"hi:2\",\"data\":{\"d\":1},\"info\":[]"), OK);
	CHECK(both_heard(PUSH("hi:2", "\"subscribe\":{\"data\":{\"d\":1}}}")));
	CHECK(strstr(post("/api/presence", "{\"channel\":\"hi:2\"}"),
	    "\"chan_info\":[]}") != NULL);
	/* 1 and much white space: more than a buffer has at first. */
	strlcpy(b64, "MSAg", sizeof(b64));
	for (i = 0; i < 140; i++)
		strlcat(b64, "ICAg", sizeof(b64));
	snprintf(rest, sizeof(rest), "\"hi:3\",\"b64data\":\"%s\","
	    "\"b64info\":\"%s\"", b64, b64);
	CHECK_STR(subscribe(rest), OK);
	CHECK(both_heard("\"channel\":\"hi:3\",\"subscribe\":{\"data\":1"));
	end();
}

TEST(subscribe_overrides_the_namespace)
{
	begin();
	CHECK_STR(subscribe("\"full:1\""), OK);
	CHECK(both_heard("\"subscribe\":{\"recoverable\":true,\"epoch\":"));
	CHECK(strstr(answer, "\"channel\":\"full:1\",\"join\":{") != NULL);
	CHECK_STR(subscribe("\"full:2\",\"override\":{\"presence\":{},"
	    "\"join_leave\":{\"value\":false},\"force_recovery\":{"
	    "\"value\":false},\"force_positioning\":{\"value\":null},"
	    "\"force_push_join_leave\":{\"value\":false}}"), OK);
	CHECK(both_heard(PUSH("full:2", "\"subscribe\":{}}")));
	CHECK(strstr(post("/api/presence", "{\"channel\":\"full:2\"}"),
	    "{\"presence\":{}}") != NULL);
	CHECK_STR(subscribe("\"hi:1\",\"override\":{\"force_positioning\":{"
	    "\"value\":true},\"presence\":null}"), OK);
	CHECK(both_heard("\"positioned\":true}}}"));
	CHECK(strstr(answer, "recoverable") == NULL);
	CHECK(strstr(post("/api/presence", "{\"channel\":\"hi:1\"}"),
	    "{\"presence\":{}}") == NULL);
	end();
}

/* The push tells where it goes on: there when that could be recovered, else
 * at the top. */
TEST(subscribe_recovers_since)
{
	int i;

	begin();
	for (i = 0; i < 2; i++)
		post("/api/broadcast", "{\"channels\":[\"full:1\","
		    "\"full:2\",\"cache:1\",\"cache:2\"],\"data\":1}");
	CHECK_STR(subscribe("\"full:1\",\"recover_since\":{\"offset\":1}"),
	    OK);
	CHECK(both_heard("\"offset\":1,\"positioned\":true"));
	CHECK_STR(subscribe("\"full:2\",\"recover_since\":{\"offset\":1,"
	    "\"epoch\":\"x\"}"), OK);
	CHECK(both_heard("\"offset\":2,\"positioned\":true"));
	/* A place in the stream, whatever clients get of it. */
	CHECK_STR(subscribe("\"cache:1\",\"recover_since\":{}"), OK);
	CHECK(both_heard("\"offset\":2,\"positioned\":true"));
	end();
}

TEST(refresh_prolongs_and_ends)
{
	begin();
	CHECK_STR(post("/api/refresh", "{\"expired\":true,\"user\":\"x\"}"),
	    OK);
	CHECK(!heard(a, "") && !heard(b, ""));
	CHECK_STR(post("/api/refresh", "{\"expire_at\":-1}"), OK);
	CHECK(both_heard("{\"push\":{\"refresh\":{}}}"));
	subscribe("\"hi:1\"");
	/* Infos are for those who have an end. */
	post("/api/refresh", "{\"info\":{\"n\":1}}");
	CHECK(both_heard("{\"push\":{\"refresh\":{}}}"));
	subscribe("\"hi:2\"");
	CHECK(strstr(post("/api/presence", "{\"channel\":\"hi:2\"}"),
	    "conn_info") == NULL);
	post("/api/refresh", "{\"expire_at\":9999999999,\"info\":{\"n\":2}}");
	CHECK(both_heard("{\"push\":{\"refresh\":{\"expires\":true,\"ttl\":"));
	subscribe("\"hi:3\"");
	CHECK(strstr(post("/api/presence", "{\"channel\":\"hi:3\"}"),
	    "\"conn_info\":{\"n\":2}") != NULL);
	CHECK_STR(post("/api/refresh", "{\"expire_at\":1}"), OK);
	CHECK(both_heard("connection expired"));
	end();
}

TEST(refresh_ends_at_once)
{
	char body[100];

	begin();
	snprintf(body, sizeof(body), "{\"expired\":true,\"client\":\"%s\","
	    "\"expire_at\":9999999999}", only_client(1));
	CHECK_STR(post("/api/refresh", body), OK);
	CHECK(heard(b, "connection expired"));
	CHECK(!heard(a, ""));
	end();
}

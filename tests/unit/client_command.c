/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands one by one: how a connect may end, what tokens give, what is
 * counted. What is said in one conversation is in client_session.c.
 */
#include "client/jwks.h"
#include "jwt/jwt.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"
#include "util/clock.h"

#define KEY	"\"token\":{\"hmac_secret_key\":\"secret\"}"
#define OPEN \
	"\"channel\":{\"without_namespace\":{" \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_publish_for_client\":true}}"

static struct node *
node(void)
{
	return srv.node[0];
}

static struct client *
the_client(void)
{
	return LIST_FIRST(&srv.node[0]->clients);
}

/* A command with a token of these claims: @ is now, in Unix s. The command
 * may go on with other members: method":{"name":value, */
static const char *
with_token(unsigned id, const char *method, const char *claims)
{
	static char	text[2048];
	char		full[512], *o = full;
	struct buf	b = BUF_INIT;

	for (; *claims != '\0'; claims++)
		if (*claims == '@')
			o += sprintf(o, "%lld", (long long)
			    (clock_wall_ms() / MSEC_PER_SEC));
		else
			*o++ = *claims;
	*o = '\0';
	CHECK_INT(jwt_sign(&b, JWT_HS256, SV("secret"), sv_from(full)), 0);
	snprintf(text, sizeof(text), "{\"id\":%u,\"%s%s\"token\":"
	    "\"%.*s\"}}", id, method, strchr(method, '"') == NULL ?
	    "\":{" : "", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
	return text;
}

/* The answer with the client's id as ID. */
static const char *
said(int fd, const char *text)
{
	static char	 out[4096];
	const char	*got = ask(fd, text);
	char		 id[37], *at;

	strlcpy(out, got, sizeof(out));
	if (the_client() == NULL)
		return out;
	client_id(the_client(), id);
	if ((at = strstr(out, id)) != NULL) {
		memcpy(at, "ID", 2);
		memmove(at + 2, at + 36, strlen(at + 36) + 1);
	}
	return out;
}

/* ---- how a connect ends ---- */

#define HELLO	"{\"id\":1,\"connect\":{\"client\":\"ID\",\"version\":\"" \
		FUGU_VERSION "\""
#define PINGS	",\"ping\":25,\"pong\":true"

TEST(connects)
{
	static const struct {
		const char	*conf;		/* of client */
		const char	*claims;	/* NULL: no token */
		const char	*want;
	} row[] = {
		{ KEY, NULL, "close 3501" },
		{ KEY ",\"insecure\":true", NULL, HELLO PINGS "}}" },
		{ KEY ",\"allow_anonymous_connect_without_token\":true", NULL,
		    HELLO PINGS "}}" },
		{ KEY, "{\"sub\":\"42\"}", HELLO PINGS "}}" },
		{ KEY, "{}", HELLO PINGS "}}" },
		{ KEY ",\"disallow_anonymous_connection_tokens\":true", "{}",
		    "close 3507" },
		{ KEY ",\"disallow_anonymous_connection_tokens\":true",
		    "{\"sub\":\"a\"}", HELLO PINGS "}}" },
		{ KEY, "{\"exp\":1}", "{\"id\":1,\"error\":{\"code\":109,"
		    "\"message\":\"token expired\"}}" },
		{ KEY, "{\"expire_at\":1}", "{\"id\":1,\"error\":{"
		    "\"code\":110,\"message\":\"expired\"}}" },
		{ KEY ",\"insecure\":true", "{\"expire_at\":1}",
		    HELLO PINGS "}}" },
		{ KEY, "{\"sub\":7}", "close 3500" },
		{ "\"token\":{\"hmac_secret_key\":\"other\"}", "{}",
		    "close 3500" },
		/* A year at most, in s. */
		{ KEY, "{\"expire_at\":99999999999}", HELLO
		    ",\"expires\":true,\"ttl\":31536000" PINGS "}}" },
		{ KEY ",\"ping_interval\":\"900ms\",\"pong_timeout\":\"1ms\"",
		    "{}", HELLO ",\"pong\":true}}" },
		{ KEY ",\"ping_interval\":\"1s\",\"pong_timeout\":\"-1s\"",
		    "{}", HELLO ",\"ping\":1}}" },
	};
	char	text[512];
	size_t	i;
	int	fd;
	bool	in;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s %s", row[i].conf,
		    row[i].claims == NULL ? "" : row[i].claims);
		snprintf(text, sizeof(text), "{\"client\":{%s}}",
		    row[i].conf);
		if (!CHECK(start(1, text)))
			return;
		fd = upgraded(0);
		CHECK_STR(said(fd, row[i].claims == NULL ?
		    "{\"id\":1,\"connect\":{}}" :
		    with_token(1, "connect", row[i].claims)), row[i].want);
		in = sv_starts(sv_from(row[i].want), SV(HELLO));
		CHECK_INT(node()->stats.connections_accepted, in);
		CHECK_INT(node()->stats.num_clients, in);
		CHECK_INT(the_client()->stale_at == 0, in);
		CHECK_INT(the_client()->ping_at != 0, in);
		close(fd);
		CHECK(stop());
	}
}

TEST(malformed_connects)
{
	static const char *const row[] = {
		"{\"id\":1,\"connect\":{\"token\":1}}",
		"{\"id\":1,\"connect\":{\"name\":1}}",
		"{\"id\":1,\"connect\":{\"version\":1}}",
		"{\"id\":\"1\",\"connect\":{}}",
		"{\"id\":1.5,\"connect\":{}}",
		"{\"connect\":{}}",
		"{\"id\":1,\"connect\":[]}",
		"{\"id\":1,\"subscribe\":{\"channel\":\"a\"}}",
		"{}",
	};
	size_t	i;
	int	fd;

	start(1, "{\"client\":{\"insecure\":true}}");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i]);
		fd = upgraded(0);
		CHECK_STR(ask(fd, row[i]), "close 3501");
		close(fd);
		turns(3);
	}
	/* null is as good as nothing. */
	fd = upgraded(0);
	CHECK(strstr(ask(fd, "{\"id\":1,\"subscribe\":null,\"connect\":"
	    "{\"token\":null,\"name\":null}}"), "\"connect\":{") != NULL);
	close(fd);
	CHECK(stop());
}

/* spec 12.15: nothing can be done after a refusal, not even another try. */
TEST(a_refused_connect_is_the_end)
{
	int fd;

	start(1, "{\"client\":{" KEY "}}");
	fd = upgraded(0);
	ask(fd, with_token(1, "connect", "{\"exp\":1}"));
	CHECK_INT(the_client()->state, CLIENT_REFUSED);
	CHECK(the_client()->stale_at != 0);
	CHECK_STR(ask(fd, with_token(2, "connect", "{}")), "close 3501");
	close(fd);
	CHECK(stop());
}

TEST(server_time)
{
	const char	*at;
	int64_t		 ms;
	int		 fd;

	start(1, "{\"client\":{\"insecure\":true,"
	    "\"connect_include_server_time\":true}}");
	fd = upgraded(0);
	at = strstr(ask(fd, "{\"id\":1,\"connect\":{}}"), "\"time\":");
	if (CHECK(at != NULL)) {
		ms = strtoll(at + 7, NULL, 10);
		CHECK(ms <= clock_wall_ms());
		CHECK(ms > clock_wall_ms() - 10000);
	}
	close(fd);
	CHECK(stop());
}

/* ---- expiry ---- */

#define EXPIRING "{\"client\":{" KEY ",\"expired_close_delay\":\"10s\"}," \
		 OPEN "}"

/* Connected with a token that expires in thousands of years. */
static int
expiring(void)
{
	int fd;

	start(1, EXPIRING);
	fd = upgraded(0);
	CHECK(strstr(ask(fd, with_token(1, "connect",
	    "{\"sub\":\"42\",\"info\":{\"n\": 1},\"exp\":@1}")),
	    "\"expires\":true,\"ttl\":") != NULL);
	return fd;
}

/* The deadlines, ms from now; the next turn sets the clock right again. */
static void
after(int64_t ms)
{
	srv.worker[0]->now += ms;
	client_timer(the_client());
	turns(1);
}

TEST(who_does_not_refresh_expires)
{
	struct client	*c;
	int		 fd;

	start(1, EXPIRING);
	fd = upgraded(0);
	ask(fd, with_token(1, "connect", "{\"expire_at\":@}"));
	c = the_client();
	CHECK(c->expire_at - srv.worker[0]->now <= 10000);
	CHECK(c->expire_at - srv.worker[0]->now > 8000);
	after(8000);
	CHECK_STR(get(fd), "");
	after(10001);
	CHECK_STR(get(fd), "close 3005");
	close(fd);
	CHECK(stop());
}

TEST(refreshes)
{
	static const struct { const char *claims, *want; } row[] = {
		{ "{\"sub\":\"42\"}", "{\"id\":2,\"refresh\":{}}" },
		{ "{\"sub\":\"42\",\"expire_at\":99999999999}",
		    "{\"id\":2,\"refresh\":{\"expires\":true,"
		    "\"ttl\":31536000}}" },
		{ "{\"sub\":\"43\"}", "close 3500" },
		{ "{}", "close 3500" },
		{ "{\"sub\":7}", "close 3500" },
		{ "{\"sub\":\"42\",\"exp\":1}", "close 3005" },
		{ "{\"sub\":\"42\",\"expire_at\":1}", "{\"id\":2,"
		    "\"error\":{\"code\":110,\"message\":\"expired\"}}" },
		{ "{\"sub\":\"42\",\"channels\":[\"a\"]}", "close 3010" },
		{ "{\"sub\":\"42\",\"channels\":\"a\"}", "close 3500" },
	};
	size_t	i;
	int	fd;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].claims);
		fd = expiring();
		CHECK_STR(ask(fd, with_token(2, "refresh", row[i].claims)),
		    row[i].want);
		close(fd);
		CHECK(stop());
	}
}

/* A refresh moves the end, and brings other connection info. */
TEST(what_a_refresh_changes)
{
	int fd = expiring();

	CHECK_SVEQ(sv_make(the_client()->info, the_client()->ninfo),
	    SV("{\"n\": 1}"));
	/* A year and ten seconds. */
	CHECK(the_client()->expire_at - srv.worker[0]->now > 31536000000);
	CHECK(the_client()->expire_at - srv.worker[0]->now <= 31536010000);
	ask(fd, "{\"id\":3,\"subscribe\":{\"channel\":\"a\"}}");
	CHECK_STR(said(fd, "{\"id\":4,\"publish\":{\"channel\":\"a\","
	    "\"data\":1}}"), "{\"push\":{\"channel\":\"a\",\"pub\":{"
	    "\"data\":1,\"info\":{\"user\":\"42\",\"client\":\"ID\","
	    "\"conn_info\":{\"n\": 1}}}}}|{\"id\":4,\"publish\":{}}");
	ask(fd, with_token(5, "refresh",
	    "{\"sub\":\"42\",\"info\":[2]}"));
	CHECK_INT(the_client()->expire_at, 0);
	CHECK_SVEQ(sv_make(the_client()->info, the_client()->ninfo),
	    SV("[2]"));
	/* One that has none leaves it. */
	ask(fd, with_token(6, "refresh", "{\"sub\":\"42\"}"));
	CHECK_SVEQ(sv_make(the_client()->info, the_client()->ninfo),
	    SV("[2]"));
	close(fd);
	CHECK(stop());
}

/* The end that was set before stays: a token whose own has come does not make
 * a connection live for ever. */
TEST(a_refused_refresh_changes_nothing)
{
	int	fd = expiring();
	int64_t	at = the_client()->expire_at;

	CHECK(at != 0);
	CHECK(strstr(ask(fd, with_token(2, "refresh", "{\"sub\":\"42\","
	    "\"info\":[2],\"expire_at\":1}")), "\"code\":110") != NULL);
	CHECK_INT(the_client()->expire_at, at);
	CHECK_SVEQ(sv_make(the_client()->info, the_client()->ninfo),
	    SV("{\"n\": 1}"));
	close(fd);
	CHECK(stop());
}

/* ---- the others ---- */

#define ERROR(n, text) \
	"{\"id\":2,\"error\":{\"code\":" #n ",\"message\":\"" text "\"}}"

TEST(answers)
{
	static const struct { const char *send, *want; } row[] = {
		{ "{\"id\":2,\"publish\":{\"channel\":\"x:a\",\"data\":1}}",
		    ERROR(102, "unknown channel") },
		{ "{\"id\":2,\"publish\":{\"channel\":\"\\u00fc\","
		    "\"data\":1}}", ERROR(107, "bad request") },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":1}}",
		    "{\"id\":2,\"publish\":{}}" },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":null}}",
		    "{\"id\":2,\"publish\":{}}" },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":1,"
		    "\"type\":1}}", ERROR(108, "not available") },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":1,"
		    "\"type\":\"x\"}}", "close 3501" },
		{ "{\"id\":2,\"publish\":{\"data\":1}}", "close 3501" },
		{ "{\"id\":2,\"presence\":{\"channel\":\"a\"}}",
		    ERROR(108, "not available") },
		{ "{\"id\":2,\"presence\":{\"channel\":\"x:a\"}}",
		    ERROR(102, "unknown channel") },
		{ "{\"id\":2,\"presence\":{}}", "close 3501" },
		{ "{\"id\":2,\"presence_stats\":{\"channel\":\"a\"}}",
		    ERROR(108, "not available") },
		{ "{\"id\":2,\"unsubscribe\":{}}", "close 3501" },
		{ "{\"id\":2,\"sub_refresh\":{\"channel\":\"b\"}}",
		    ERROR(103, "permission denied") },
		{ "{\"id\":2,\"sub_refresh\":{\"channel\":\"a\"}}",
		    ERROR(107, "bad request") },
		{ "{\"id\":2,\"sub_refresh\":{\"channel\":\"a\","
		    "\"token\":\"x\"}}", "close 3500" },
		{ "{\"id\":2,\"sub_refresh\":{\"channel\":\"a\","
		    "\"token\":1}}", "close 3501" },
		{ "{\"id\":2,\"sub_refresh\":{}}", "close 3501" },
		/* The first of the known members, not of the text. */
		{ "{\"id\":2,\"rpc\":{},\"unsubscribe\":{\"channel\":\"a\"}}",
		    "{\"id\":2,\"unsubscribe\":{}}" },
		{ "{\"id\":2,\"unsubscribe\":{\"channel\":\"a\"},"
		    "\"rpc\":1}", "close 3501" },
		{ "{\"id\":4294967295,\"rpc\":{}}",
		    "{\"id\":4294967295,\"error\":{\"code\":108,"
		    "\"message\":\"not available\"}}" },
		{ "{\"rpc\":{}}", "close 3501" },
		{ "{\"send\":{}}", "close 3508" },
	};
	const char	*push;
	size_t		 i;
	int		 fd;

	start(1, "{\"client\":{" KEY "}," OPEN "}");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].send);
		fd = upgraded(0);
		ask(fd, with_token(1, "connect", "{\"sub\":\"a\"}"));
		ask(fd, "{\"id\":9,\"subscribe\":{\"channel\":\"a\"}}");
		push = ask(fd, row[i].send);
		if (sv_starts(sv_from(push), SV("{\"push\"")))
			push = strchr(push, '|') + 1;
		CHECK_STR(push, row[i].want);
		close(fd);
		turns(3);
	}
	CHECK(stop());
}

/* spec 12.26. */
TEST(subscription_tokens)
{
	static const struct { const char *claims, *want; } row[] = {
		{ "{\"channel\":\"$a\"}", "{\"id\":2,\"subscribe\":{}}" },
		{ "{\"channel\":\"$a\",\"info\":{\"i\": 1},"
		    "\"expire_at\":0}", "{\"id\":2,\"subscribe\":{}}" },
		{ "{\"channel\":\"$a\",\"exp\":1}",
		    ERROR(109, "token expired") },
		{ "{\"channel\":\"$a\",\"expire_at\":1}",
		    ERROR(110, "expired") },
		{ "{\"sub\":7}", ERROR(103, "permission denied") },
		{ "{}", ERROR(103, "permission denied") },
		{ "{\"channel\":\"$a\",\"override\":1}",
		    ERROR(103, "permission denied") },
		{ "{\"channel\":\"$b\"}", "close 3500" },
		{ "{\"channel\":\"$a\",\"sub\":\"x\"}", "close 3500" },
		{ "{\"channel\":\"$a\",\"client\":\"x\"}", "close 3500" },
	};
	size_t	i;
	int	fd;

	start(1, "{\"client\":{" KEY ",\"insecure\":true}," OPEN "}");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].claims);
		fd = connected(0);
		CHECK_STR(ask(fd, with_token(2, "subscribe\":{\"channel\":"
		    "\"$a\",", row[i].claims)), row[i].want);
		close(fd);
		turns(3);
	}
	fd = connected(0);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"b\","
	    "\"type\":1}}"), ERROR(103, "permission denied"));
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"b\","
	    "\"tf\":{}}}"), ERROR(107, "bad request"));
	CHECK_INT(node()->hub.nsubs, 0);
	close(fd);
	CHECK(stop());
}

/* client.insecure opens what permissions keep shut, but no private channel
 * and no unknown namespace. */
/* A command that waited for a key and then did not need it any more. The
 * token is of {"alg":"RS256","kid":"k"} and {"channel":"a"}. */
TEST(a_key_fetched_for_nothing)
{
	struct client	*c;
	int		 fd;

	start(1, "{\"client\":{\"allow_anonymous_connect_without_token\":"
	    "true,\"token\":{\"jwks_public_endpoint\":\"http://127.0.0.1:9\""
	    "}},\"channel\":{\"without_namespace\":{"
	    "\"allow_subscribe_for_client\":true,"
	    "\"allow_subscribe_for_anonymous\":true}}}");
	fd = connected(0);
	c = the_client();
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
	put(fd, "{\"id\":3,\"sub_refresh\":{\"channel\":\"a\",\"token\":\""
	    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ."
	    "eyJjaGFubmVsIjoiYSJ9.AAAA\"}}");
	turns(1);
	if (CHECK(c->key_wait != NULL)) {
		client_unsubscribe(c, SV("a"));
		jwks_cancel(c->key_wait);
		c->key_wait = NULL;
		client_resume(c);
	}
	turns(1);
	CHECK(strstr(get(fd), "\"code\":103") != NULL);
	CHECK(!c->key_tried);
	close(fd);
	CHECK(stop());
}

TEST(insecure)
{
	int fd;

	start(1, "{\"client\":{\"insecure\":true}}");
	fd = connected(0);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}"),
	    "{\"id\":2,\"subscribe\":{}}");
	CHECK_STR(ask(fd, "{\"id\":2,\"publish\":{\"channel\":\"b\","
	    "\"data\":1}}"), "{\"id\":2,\"publish\":{}}");
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"$a\"}}"),
	    ERROR(103, "permission denied"));
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"x:a\"}}"),
	    ERROR(102, "unknown channel"));
	close(fd);
	CHECK(stop());
}

/* ---- what is counted ---- */

TEST(counters)
{
	static const char	*commands =
	    "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":1}}\n"
	    "{\"id\":4,\"history\":{\"channel\":\"a\"}}\n"
	    "{\"id\":5,\"unsubscribe\":{\"channel\":\"a\"}}";
	struct node_stats	*s;
	const char		*got;
	int			 fd, m;

	start(1, "{\"client\":{\"insecure\":true}," OPEN "}");
	s = &node()->stats;
	fd = connected(0);
	CHECK_INT(ws_stats(0)->received, 1);
	CHECK_INT(ws_stats(0)->sent[OUT_REPLY], 1);
	got = ask(fd, commands);
	CHECK_INT(ws_stats(0)->received, 2);
	CHECK_INT(ws_stats(0)->received_size, strlen(commands) +
	    strlen("{\"id\":1,\"connect\":{}}"));
	for (m = 0; m < METHOD_MAX; m++) {
		bool sent = m <= METHOD_PUBLISH || m == METHOD_HISTORY;

		test_note("%s", client_method_name[m]);
		CHECK_INT(s->commands[m], sent);
		CHECK_INT(s->command_duration[m].count, sent);
		CHECK_INT(s->command_errors[m][8], m == METHOD_HISTORY);
	}
	/* The reply to subscribe goes before the publication. */
	CHECK_INT(ws_stats(0)->sent[OUT_REPLY], 3);
	CHECK_INT(ws_stats(0)->sent[OUT_PUB], 1);
	CHECK_INT(ws_stats(0)->sent_size[OUT_PUB],
	    strcspn(strchr(got, '|') + 1, "|") + 2);
	CHECK_INT(s->published, 1);
	CHECK_INT(s->subscriptions_accepted, 1);
	CHECK_INT(s->transport_open, 1);
	client_unsubscribe_push(the_client(), SV("a"), UNSUBSCRIBE_SERVER);
	CHECK_INT(s->unsubscribes, 1);
	CHECK_INT(ws_stats(0)->sent[OUT_PUSH], 1);
	srv.worker[0]->now += 25000;
	client_timer(the_client());
	turns(1);
	get(fd);
	CHECK_INT(ws_stats(0)->sent[OUT_PING], 1);
	ask(fd, "{}");
	CHECK_INT(ws_stats(0)->pongs, 1);
	CHECK_INT(ws_stats(0)->ping_pong.count, 1);
	client_disconnect(the_client(), 3503, NULL);
	CHECK_INT(s->disconnects[disconnect_slot(3503)], 1);
	CHECK_INT(ws_stats(0)->outgoing_close[disconnect_slot(3503)], 1);
	CHECK_INT(s->num_clients, 0);
	close(fd);
	CHECK(stop());
}

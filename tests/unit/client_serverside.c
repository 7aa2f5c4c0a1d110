/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions that the server makes: with connect, by token, wish and
 * personal channel, and later by the API. Each with one worker, and with the
 * owner of the channel on another.
 */
#include "client/connect.h"
#include "client/sub.h"
#include "tests/unit/channels.h"
#include "util/clock.h"

#define PERSONAL_CONF \
	"{\"client\":{" KEY ",\"subscribe_to_user_personal_channel\":{" \
	"\"enabled\":true,\"personal_channel_namespace\":\"keep\"}," \
	"\"ping_interval\":\"9h\",\"pong_timeout\":\"-1s\"}," NAMESPACES "}"
#define HELLO	"{'id':1,'connect':{'client':'ID','version':'" \
		FUGU_VERSION "'"
#define BYE	",'ping':32400}}"
#define IN(m)	HELLO ",'subs':{'@':{" m "}}" BYE
#define AT(n)	"'recoverable':true,'epoch':'E','offset':" #n "," \
		"'positioned':true"
#define BACK	"'recoverable':true,'epoch':'E','publications':[{'data':2," \
		"'offset':2}],'recovered':true,'offset':1," \
		"'positioned':true,'was_recovering':true"

/* A connect command with a token of these claims and more members. */
static const char *
connect_with(const char *claims, const char *more)
{
	static char	text[2048];
	char		full[1024];
	struct buf	b = BUF_INIT;

	strlcpy(full, fill(claims), sizeof(full));
	CHECK_INT(jwt_sign(&b, JWT_HS256, SV("secret"), sv_from(full)), 0);
	snprintf(text, sizeof(text), "{'id':1,'connect':{'token':'%.*s'%s}}",
	    SV_ARG(buf_sv(&b)), more);
	buf_fini(&b);
	return text;
}

/* A peer of worker i that has not connected. */
static int
knock(unsigned i)
{
	return remember(upgraded(i));
}

/* ---- with connect ---- */

struct row {
	const char *claims, *more, *want;
};

static void
connects(const char *text, const char *ns, const struct row *row, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		WITH_WORKERS(text, ns) {
			test_note("%u workers: %s %s", workers, row[i].claims,
			    row[i].more);
			say("1");
			say("2");
			CHECK_STR(tell(knock(0), connect_with(row[i].claims,
			    row[i].more)), want(row[i].want));
			CHECK(end());
		}
}

TEST(subscriptions_by_token)
{
	static const struct row row[] = {
		{ "{'channels':['@']}", "", IN(AT(2)) },
		{ "{'channels':['@','@','']}", "", IN(AT(2)) },
		{ "{'subs':{'@':{}},'channels':['c1']}", "", IN(AT(2)) },
		{ "{'subs':{'@':null}}", "", IN(AT(2)) },
		{ "{'subs':{'@':{'data':[1],'override':{"
		    "'force_recovery':{'value':false}}}}}", "",
		    IN("'data':[1]") },
		{ "{'channels':['@']}", ",'subs':{'@':{'recover':true,"
		    "'offset':1}}", IN(BACK) },
		{ "{'channels':['@']}", ",'subs':{'@':{'recover':true,"
		    "'offset':9}}", IN(AT(2) ",'was_recovering':true") },
		{ "{'channels':['c1','@','no:way']}", "", "{'id':1,'error':{"
		    "'code':102,'message':'unknown channel'}}" },
		{ "{'channels':['@',1]}", "", "close 3500" },
		{ "{'channels':'@'}", "", "close 3500" },
		{ "{'subs':{'@':1}}", "", "close 3500" },
		{ "{'subs':{'@':{'override':1}}}", "", "close 3500" },
		{ "{'channels':['@']}", ",'subs':{'@':1}", "close 3501" },
		{ "{'channels':['@']}", ",'subs':1", "close 3501" },
		{ "{'channels':['@','c1']}", ",'subs':{'@':{'offset':-1}}",
		    "close 3501" },
	};

	connects(CHANNELS_CONF, "must", row, sizeof(row) / sizeof(row[0]));
}

/* spec 12.33. */
TEST(wishes)
{
	static const struct row row[] = {
		{ "{}", ",'subs':{'@':{}}", IN(AT(2)) },
		{ "{}", ",'subs':{'@':{'recover':true,'offset':1}}",
		    IN(BACK) },
		{ "{}", ",'subs':{'$private':{},'\\u00fc':{},'@':null}",
		    IN(AT(2)) },
		{ "{}", ",'subs':{'@':{},'no:way':{}}", "close 3501" },
		{ "{}", ",'subs':{'@':7}", "close 3501" },
		{ "{}", ",'subs':{}", HELLO BYE },
	};

	connects(CHANNELS_CONF, "must", row, sizeof(row) / sizeof(row[0]));
}

TEST(personal_channels)
{
	static const struct row row[] = {
		{ "{'sub':'7'}", "", HELLO ",'subs':{'keep:#7':{}}" BYE },
		{ "{'sub':'7','channels':['keep:#7']}", "",
		    HELLO ",'subs':{'keep:#7':{}}" BYE },
		{ "{}", "", HELLO BYE },
	};

	connects(PERSONAL_CONF, "keep", row, sizeof(row) / sizeof(row[0]));
}

TEST(too_many_channels)
{
	static const struct row row[] = {
		{ "{'channels':['@','c1']}", "", "close 3505" },
		{ "{'channels':['@']}", "", IN(AT(2)) },
	};

	connects("{\"client\":{\"channel_limit\":1,\"ping_interval\":\"9h\","
	    "\"pong_timeout\":\"-1s\"," KEY "}," NAMESPACES "}", "must", row,
	    sizeof(row) / sizeof(row[0]));
}

/* A refused connect leaves nothing but a connection that goes stale
 * (spec 12.15), and nobody hears of a leave without a join. */
TEST(refused_half_way)
{
	struct client	*c;
	int		 fd, other;

	WITH_WORKERS(CHANNELS_CONF, "seen") {
		other = come(workers - 1);
		join(other, ",'join_leave':true");
		fd = knock(0);
		c = newest(0);
		CHECK_STR(tell(fd, connect_with("{'sub':'7',"
		    "'expire_at':99999999999,'channels':['@','no:way']}", "")),
		    "{'id':1,'error':{'code':102,"
		    "'message':'unknown channel'}}");
		CHECK_INT(c->state, CLIENT_REFUSED);
		CHECK_INT(c->nsubs, 0);
		CHECK_STR(heard(other), "");
		CHECK_INT(c->ping_at, 0);
		CHECK_INT(c->expire_at, 0);
		tick_after(c, 16000);
		CHECK_STR(heard(fd), "close 3502");
		CHECK(end());
	}
}

/* ---- while connect waits ---- */

/* Up to the point where the owner has answered, but not yet been heard. */
static int
waiting(const char *claims)
{
	int fd = knock(0);

	put(fd, fill(connect_with(claims, "")));
	worker_turn(srv.worker[0], 0);
	CHECK(newest(0)->connecting != NULL);
	return fd;
}

/* Pushes of channels that were answered early stand behind the reply. */
TEST(pushes_wait_for_connect)
{
	struct client	*c;
	int		 fd, talker;

	workers = 2;
	if (!began(CHANNELS_CONF, "must"))
		return;
	talker = come(0);
	/* The first worker has this one itself. */
	CHECK_INT(hash_sv(SV("c0")) % 2, 0);
	fd = waiting("{'channels':['c0','@']}");
	c = newest(0);
	put(talker, fill("{'id':3,'publish':{'channel':'c0','data':0}}"));
	worker_turn(srv.worker[0], 0);
	CHECK_STR(get(talker), "{\"id\":3,\"publish\":{}}");
	client_unsubscribe(c, SV("c9"));
	CHECK(c->connecting != NULL);
	CHECK_STR(get(fd), "");
	CHECK_STR(heard(fd), want(HELLO ",'subs':{'c0':{},'@':{"
	    "'recoverable':true,'epoch':'E','positioned':true}}" BYE
	    "|{'push':{'channel':'c0','pub':{'data':0,'info':{'user':'',"
	    "'client':'ID'}}}}|{'push':{'channel':'c9','unsubscribe':{"
	    "'code':2000,'reason':'server unsubscribe'}}}"));
	CHECK(c->connecting == NULL);
	CHECK(end());
}

TEST(gone_while_connect_waits)
{
	int how, fd, other;

	for (how = 0; how < 3; how++) {
		workers = 2;
		if (!began(CHANNELS_CONF, "seen"))
			return;
		other = come(1);
		join(other, ",'join_leave':true");
		fd = waiting("{'sub':'7','channels':['@','keep:x']}");
		if (how == 0)
			client_disconnect(newest(0), 3503, NULL);
		else if (how == 1)
			worker_close_conns(srv.worker[0]);
		else
			client_unsubscribe(newest(0), sv_from(channel));
		turns(4);
		CHECK(how == 2 || srv.node[0]->hub.nsubs == 0);
		CHECK(how != 2 || strstr(heard(fd), "'code':2000") != NULL);
		CHECK((strstr(heard(other), "join") != NULL) == (how == 2));
		CHECK(end());
	}
}

/* ---- later ---- */

#define SUBSCRIBED "{'push':{'channel':'@','subscribe':{'recoverable':true," \
	"'epoch':'E','offset':1,'positioned':true}}}"

static void
subscribe(struct client *c)
{
	const struct sub_request	 r = { .channel = sv_from(channel) };
	struct sub_options		 o;

	sub_options_default(&o, conf, channel_options(conf, r.channel, NULL));
	client_subscribe(c, &r, &o);
}

/* spec 12.9, 12.25. */
TEST(subscribed_by_the_api)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "must") {
		fd = come(0);
		say("1");
		subscribe(newest(0));
		CHECK_STR(heard(fd), want(SUBSCRIBED));
		CHECK_STR(join(fd, ""), "{'id':2,'error':{'code':105,"
		    "'message':'already subscribed'}}");
		forge(5, epoch);
		CHECK_STR(heard(fd), "close 3010");
		CHECK_INT(srv.node[0]->hub.nsubs, 0);
		CHECK(end());
	}
}

/* While connect waits, too: it is answered before or after, and the others
 * are told once. */
TEST(subscribed_by_the_api_while_connect_waits)
{
	const char	*at;
	char		 first[32], second[32];
	unsigned	 by;
	int		 other;

	for (by = 0; by < 2; by++) {
		workers = 2;
		if (!began(CHANNELS_CONF, "seen"))
			return;
		/* The second is owned by this worker or the other one. */
		strlcpy(first, channel, sizeof(first));
		strlcpy(second, "seen:a", sizeof(second));
		while (hash_sv(sv_from(second)) % 2 != by)
			second[5]++;
		strlcpy(channel, second, sizeof(channel));
		other = come(1);
		join(other, ",'join_leave':true");
		strlcpy(channel, first, sizeof(channel));
		waiting("{'sub':'7','channels':['@']}");
		strlcpy(channel, second, sizeof(channel));
		subscribe(newest(0));
		CHECK(newest(0)->connecting != NULL);
		at = strstr(heard(other), "'join'");
		CHECK(at != NULL && strstr(at + 1, "'join'") == NULL);
		CHECK(end());
	}
}

TEST(gone_while_the_api_subscribes)
{
	int fd;

	workers = 2;
	if (!began(CHANNELS_CONF, "must"))
		return;
	fd = come(0);
	subscribe(newest(0));
	client_disconnect(newest(0), 3503, NULL);
	CHECK_STR(heard(fd), "close 3503");
	CHECK(end());
}

/* ---- without memory ---- */

static bool
is_whole(const char *s)
{
	int depth = 0;

	for (; *s != '\0'; s++)
		depth += (*s == '{') - (*s == '}');
	return depth == 0;
}

static bool
sweep(void)
{
	const char	*got;
	bool		 ok = false;
	int		 fd;

	if (!begin_with(PERSONAL_CONF, "must"))
		return false;
	if ((fd = knock(0)) != -1) {
		got = tell(fd, "{'id':1,'connect':{'token':'"
		    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3IiwiY2hhbm5lbHMiOlsiYSIsI"
		    "mtlZXA6YiJdfQ.g11MA1nYWUd1cvN6wZY1cabBgBzu67h4oIn6DX"
		    "xVb98','subs':{'must:c':{}}}}");
		ok = strstr(got, "'connect':{") != NULL;
		/* Either all of it or nothing. */
		CHECK(!ok || (strstr(got, "'must:c':{") != NULL &&
		    strstr(got, "'keep:b':{}") != NULL &&
		    strstr(got, "'keep:#7':{}") != NULL && is_whole(got)));
		if (newest(0) != NULL)
			subscribe(newest(0));
		ok = strstr(heard(fd), "'subscribe':{") != NULL && ok;
	}
	CHECK(end() || workers > 1);
	return ok;
}

TEST(out_of_memory)
{
	for (workers = 1; workers <= 2; workers++)
		ALLOC_SWEEP(sweep);
}

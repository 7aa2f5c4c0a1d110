/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What subscribers get, and in which form: deltas, filters, joins and leaves;
 * presence; and the end of subscriptions that expire. Each with one worker,
 * and with the owner of the channel on another.
 */
#include "client/sub.h"
#include "tests/unit/channels.h"
#include "util/clock.h"

#define RECOVER		",'recoverable':true,'recover':true"
#define FOSSIL		",'recoverable':true,'delta':'fossil'"
#define SUB_OK(m)	"{'id':2,'subscribe':{" m "}}"
#define PUSH(s)		"{'push':{'channel':'@'," s "}}"

/* ---- deltas ---- */

#define LONG	"the quick brown fox jumps over the lazy dog"
#define WHOLE(n) "'{\\'t\\':\\'" LONG "\\',\\'n\\':" #n "}'"

/* spec 12.21 to 12.23. */
TEST(deltas)
{
	int fd, late, plain, unsure;

	WITH_WORKERS(CHANNELS_CONF, "delta") {
		fd = come(0);
		CHECK_STR(join(fd, FOSSIL), SUB_OK("'recoverable':true,"
		    "'epoch':'E','positioned':true,'delta':true"));
		plain = come(0);
		join(plain, "");
		/* Without a position there is no base. */
		unsure = come(0);
		CHECK_STR(join(unsure, ",'delta':'fossil'"), SUB_OK(
		    "'delta':true"));
		say("{'t':'" LONG "','n':1}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':" WHOLE(1) ",'offset':1}}}"));
		late = come(workers - 1);
		join(late, FOSSIL);
		say("{'t':'" LONG "','n':2}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':'u\\ns@0,2:2}2qf7Aj;','offset':2,"
		    "'delta':true}}}"));
		CHECK(strstr(heard(late), "'delta':true") == NULL);
		/* A patch would be longer than this. */
		say("7");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':'7','offset':3}}}"));
		CHECK_STR(heard(late), want("{'push':{'channel':'@',"
		    "'pub':{'data':'7','offset':3}}}"));
		CHECK(strstr(heard(plain), "'{") == NULL);
		CHECK(strstr(heard(unsure), "'delta':true") == NULL);
		CHECK(end());
	}
}

/* The first recovered is whole, the others follow; the next one live goes on
 * from there. */
TEST(recovered_deltas)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "delta") {
		fd = come(0);
		say("{'t':'" LONG "','n':1}");
		say("{'t':'" LONG "','n':2}");
		say("{'t':'" LONG "','n':3}");
		CHECK_STR(join(fd, FOSSIL ",'recover':true,'offset':1"),
		    SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':" WHOLE(2) ",'offset':2},"
		    "{'data':'u\\ns@0,"
		    "2:3}2qf7Ak;','offset':3,'delta':true}],"
		    "'recovered':true,'offset':1,'positioned':true,"
		    "'was_recovering':true,'delta':true"));
		say("{'t':'" LONG "','n':4}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':'u\\ns@0,2:4}2qf7Al;','offset':4,"
		    "'delta':true}}}"));
		CHECK(end());
	}
}

/* What a filter kept from the client is no base. */
TEST(recovered_deltas_through_a_filter)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "delta") {
		fd = come(0);
		say_tagged("{'t':'" LONG "','n':1}", "{'k':'a'}");
		say_tagged("{'t':'" LONG "','n':2}", "{'k':'b'}");
		CHECK_STR(join(fd, FOSSIL ",'recover':true,"
		    "'tf':{'key':'k','cmp':'eq','val':'a'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':" WHOLE(1) ",'offset':1,"
		    "'tags':{'k':'a'}}],"
		    "'recovered':true,'positioned':true,"
		    "'was_recovering':true,'delta':true"));
		say_tagged("{'t':'" LONG "','n':3}", "{'k':'b'}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':" WHOLE(3) ",'offset':3,"
		    "'tags':{'k':'b'}}}}"));
		CHECK(end());
	}
}

/* Who missed nothing has its position, maybe from elsewhere, and that is
 * all that is known of it. */
TEST(nothing_recovered_is_no_base)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "delta") {
		fd = come(0);
		say("{'t':'" LONG "','n':1}");
		CHECK_STR(join(fd, FOSSIL ",'recover':true,'offset':1"),
		    SUB_OK("'recoverable':true,'epoch':'E','recovered':true,"
		    "'offset':1,'positioned':true,'was_recovering':true,"
		    "'delta':true"));
		say("{'t':'" LONG "','n':2}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':" WHOLE(2) ",'offset':2}}}"));
		say("{'t':'" LONG "','n':3}");
		CHECK(strstr(heard(fd), "'delta':true") != NULL);
		CHECK(end());
	}
}

/* A delta is one of what was kept before, so the publication behind one that
 * was not kept is whole. */
TEST(what_is_not_kept_is_no_base)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "delta") {
		fd = come(0);
		join(fd, FOSSIL);
		say("{'t':'" LONG "','n':1}");
		forge(0, epoch);
		heard(fd);
		say("{'t':'" LONG "','n':2}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':" WHOLE(2) ",'offset':2}}}"));
		say("{'t':'" LONG "','n':3}");
		CHECK(strstr(heard(fd), "'delta':true") != NULL);
		CHECK(end());
	}
}

/* ---- filters ---- */

/* spec 12.10: what is filtered out counts. */
TEST(filters)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "keep") {
		fd = come(0);
		CHECK_STR(join(fd, ",'recoverable':true,"
		    "'tf':{'key':'k','cmp':'eq','val':'a'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E','positioned':true"));
		say_tagged("1", "{'k':'a'}");
		say_tagged("2", "{'k':'b'}");
		say("3");
		say_tagged("4", "{'k':'a'}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'pub':{'data':1,'offset':1,'tags':{'k':'a'},"
		    "'epoch':'E'}}}|{'push':{'channel':'@',"
		    "'pub':{'data':4,'offset':4,'tags':{'k':'a'}}}}"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ",'offset':1,"
		    "'tf':{'key':'k','cmp':'eq','val':'b'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':2,'offset':2,"
		    "'tags':{'k':'b'}}],'recovered':true,'offset':1,"
		    "'positioned':true,'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ",'offset':1,"
		    "'tf':{'key':'k','cmp':'eq','val':'c'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E','recovered':true,"
		    "'offset':1,'positioned':true,'was_recovering':true"));
		CHECK(end());
	}
}

TEST(filters_of_caches)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "cache") {
		fd = come(0);
		say_tagged("1", "{'k':'a'}");
		say_tagged("2", "{'k':'a'}");
		say_tagged("3", "{'k':'b'}");
		CHECK_STR(join(fd, RECOVER
		    ",'tf':{'key':'k','cmp':'eq','val':'a'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':2,'offset':2,"
		    "'tags':{'k':'a'}}],'recovered':true,"
		    "'positioned':true,'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER
		    ",'tf':{'key':'k','cmp':'eq','val':'c'}"), SUB_OK(
		    "'recoverable':true,'epoch':'E','recovered':true,"
		    "'positioned':true,'was_recovering':true"));
		CHECK(end());
	}
}

#define BAD	"{'id':2,'error':{'code':107,'message':'bad request'}}"

TEST(bad_filters)
{
	static const struct { const char *tf, *want; } row[] = {
		{ "{}", BAD }, { "{'op':'xor','nodes':[]}", BAD },
		{ "7", "close 3501" },
	};
	char	text[128];
	size_t	i;
	int	fd;

	workers = 1;
	began(CHANNELS_CONF, "keep");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fd = come(0);
		snprintf(text, sizeof(text), ",'tf':%s", row[i].tf);
		CHECK_STR(join(fd, text), row[i].want);
	}
	CHECK_INT(srv.node[0]->hub.nsubs, 0);
	CHECK(end());
}

/* ---- joins, leaves and presence ---- */

#define STATS(c, u) \
	"{'id':3,'presence_stats':{'num_clients':" #c ",'num_users':" #u "}}"

static const char *
stats(int fd)
{
	return tell(fd, "{'id':3,'presence_stats':{'channel':'@'}}");
}

/* spec 12.11. */
TEST(joins_and_leaves)
{
	struct client	*c;
	int		 fd, other, deaf;

	WITH_WORKERS(CHANNELS_CONF, "seen") {
		deaf = come(0);
		join(deaf, "");
		fd = come(0);
		c = newest(0);
		CHECK_STR(join(fd, ",'join_leave':true"), want("{'id':2,"
		    "'subscribe':{}}|{'push':{'channel':'@',"
		    "'join':{'info':{'user':'','client':'ID'}}}}"));
		CHECK_STR(stats(fd), STATS(2, 1));
		other = come(workers - 1);
		CHECK_STR(join(other, ""), SUB_OK(""));
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'join':{'info':{'user':'','client':'ID'}}}}"));
		CHECK_STR(tell(fd, "{'id':3,'presence':{'channel':'@'}}"), ""
		    "{'id':3,'presence':{'presence':{'ID':{'user':'',"
		    "'client':'ID'},'ID':{'user':'','client':'ID'},"
		    "'ID':{'user':'','client':'ID'}}}}");
		CHECK_STR(tell(other, "{'id':4,'unsubscribe':"
		    "{'channel':'@'}}"), "{'id':4,'unsubscribe':{}}");
		CHECK_STR(heard(fd), want("{'push':{'channel':'@',"
		    "'leave':{'info':{'user':'','client':'ID'}}}}"));
		CHECK_STR(stats(fd), STATS(2, 1));
		client_disconnect(c, 3503, NULL);
		CHECK_STR(heard(fd), "close 3503");
		CHECK_STR(stats(deaf), STATS(1, 1));
		CHECK_STR(heard(deaf), "");
		CHECK(end());
	}
}

/* The owner's answer comes after the end: nobody was ever there. */
TEST(gone_before_the_answer)
{
	int fd, other, how;

	for (how = 0; how < 2; how++) {
		workers = 2;
		began(CHANNELS_CONF, "seen");
		other = come(1);
		join(other, ",'join_leave':true");
		fd = come(0);
		put(fd, fill("{'id':2,'subscribe':{'channel':'@'"
		    ",'positioned':true}}"));
		worker_turn(srv.worker[0], 0);
		CHECK_INT(srv.node[0]->hub.nsubs, 1);
		if (how == 0)
			client_disconnect(newest(0), 3503, NULL);
		else
			worker_close_conns(srv.worker[0]);
		CHECK_STR(heard(other), "");
		CHECK_STR(stats(other), STATS(1, 1));
		CHECK(end());
	}
}

/* Presence is said again with each tick, so one lost comes back. */
TEST(presence_is_renewed)
{
	struct hub_presence_change	 p = {
		.req = { .op = HUB_PRESENCE_REMOVE, .done = nothing_done },
	};
	struct client			*c;
	char				 id[37];
	int				 fd;

	WITH_WORKERS(CHANNELS_CONF, "seen") {
		fd = come(0);
		c = newest(0);
		join(fd, "");
		p.req.channel = sv_from(channel);
		p.info.client = sv_from(client_id(c, id));
		hub_request(&srv.node[0]->hub, &p.req);
		CHECK_STR(stats(fd), STATS(0, 0));
		tick_after(c, 26000);
		CHECK_STR(stats(fd), STATS(0, 0));
		tick_after(c, 28000);
		CHECK_STR(stats(fd), STATS(1, 1));
		CHECK(end());
	}
}

/* ---- the end of subscriptions ---- */

/* A subscription token for the channel: @ is now, in Unix s. */
static const char *
token(const char *more)
{
	static char	text[1024];
	char		claims[512], *o = claims;
	struct buf	b = BUF_INIT;

	o += sprintf(o, "{\"channel\":\"%s\"", channel);
	for (; *more != '\0'; more++)
		if (*more == '@')
			o += sprintf(o, "%lld", (long long)
			    (clock_wall_ms() / MSEC_PER_SEC));
		else
			*o++ = *more == '\'' ? '"' : *more;
	strcpy(o, "}");
	CHECK_INT(jwt_sign(&b, JWT_HS256, SV("secret"), sv_from(claims)), 0);
	snprintf(text, sizeof(text), ",'token':'%.*s'", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
	return text;
}

static const char *
refresh(int fd, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{'id':5,'sub_refresh':{'channel':'@'%s}}", token(more));
	return tell(fd, text);
}

TEST(subscriptions_expire)
{
	struct client	*c;
	int		 fd;

	WITH_WORKERS("{\"client\":{\"expired_sub_close_delay\":\"1ms\","
	    "\"allow_anonymous_connect_without_token\":true,"
	    "\"ping_interval\":\"9h\",\"pong_timeout\":\"-1s\"," KEY "},"
	    NAMESPACES "}", "seen") {
		fd = come(0);
		c = newest(0);
		CHECK(sv_starts(sv_from(join(fd, token(",'expire_at':@0,"
		    "'info':{'i':1}"))), SV("{'id':2,'subscribe':"
		    "{'expires':true,'ttl':")));
		tick_after(c, 28000);
		CHECK_STR(heard(fd), "");
		/* Expired now, and so said. */
		CHECK(sv_starts(sv_from(refresh(fd, ",'expire_at':@,"
		    "'info':{'i':2}")), SV("{'id':5,'sub_refresh':{")));
		CHECK_STR(tell(fd, "{'id':3,'presence':{'channel':'@'}}"), ""
		    "{'id':3,'presence':{'presence':{'ID':{'user':'',"
		    "'client':'ID','chan_info':{'i':1}}}}}");
		while (clock_wall_ms() % MSEC_PER_SEC == 0)
			continue;
		usleep(5000);
		tick_after(c, 56000);
		CHECK_STR(heard(fd), want(PUSH("'unsubscribe':{'code':2501,"
		    "'reason':'subscription expired'}")));
		CHECK_INT(srv.node[0]->hub.nsubs, 0);
		CHECK(c->state == CLIENT_CONNECTED);
		CHECK(end());
	}
}

/* The API takes any number for it. */
TEST(subscriptions_that_expire_never)
{
	const struct conf_channel	*opt;
	struct sub_request		 r = { .recover = false };
	struct sub_options		 o;

	WITH_WORKERS(CHANNELS_CONF, "keep") {
		come(0);
		r.channel = sv_from(channel);
		opt = channel_options(conf, r.channel, NULL);
		sub_options_default(&o, conf, opt);
		o.expire_at = INT64_MAX;
		client_subscribe(newest(0), &r, &o);
		turns(4);
		tick_after(newest(0), 28000);
		CHECK_INT(newest(0)->nsubs, 1);
		CHECK_INT(newest(0)->state, CLIENT_CONNECTED);
		CHECK(end());
	}
}

/* A refresh without an end takes the end away. */
TEST(refreshes_of_subscriptions)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "seen") {
		fd = come(0);
		join(fd, token(",'expire_at':@0"));
		CHECK_STR(refresh(fd, ""), "{'id':5,'sub_refresh':{}}");
		CHECK_STR(refresh(fd, ",'exp':1"), "{'id':5,"
		    "'error':{'code':109,'message':'token expired'}}");
		CHECK_STR(refresh(fd, ",'expire_at':1"), "{'id':5,"
		    "'error':{'code':110,'message':'expired'}}");
		CHECK_STR(refresh(fd, ",'sub':'x'"), "close 3500");
		CHECK(end());
	}
}

/* ---- without memory ---- */

static bool
sweep_in(const char *ns, const char *members)
{
	bool	ok = false;
	int	fd, other;

	if (!begin_with(CHANNELS_CONF, ns))
		return false;
	other = remember(upgraded(workers - 1));
	fd = remember(upgraded(0));
	if (fd != -1 && other != -1) {
		tell(other, "{'id':1,'connect':{}}");
		join(other, ",'join_leave':true");
		ok = say_tagged("'" LONG "'", "{'k':'a'}");
		tell(fd, "{'id':1,'connect':{}}");
		ok = strstr(join(fd, members), "'subscribe':{") != NULL && ok;
		ok = say_tagged("\"" LONG ".\"", "{\"k\":\"a\"}") && ok;
		ok = say_tagged("\"" LONG "!\"", "{\"k\":\"b\"}") && ok;
		forge(9, epoch);
		if (newest(0) != NULL)
			tick_after(newest(0), 60000);
		ok = strstr(heard(fd), "forged") == NULL && ok;
		ok = strstr(tell(fd, "{'id':3,'history':{'channel':'@',"
		    "'limit':10}}\n{'id':4,'presence':{'channel':'@'}}\n"
		    "{'id':5,'unsubscribe':{'channel':'@'}}"),
		    "'id':5,'unsubscribe'") != NULL && ok;
	}
	/* Without memory for it another worker may not hear of the end. */
	CHECK(end() || workers > 1);
	return ok;
}

static bool
sweep_deltas(void)
{
	return sweep_in("delta", FOSSIL ",'recover':true,"
	    "'tf':{'key':'k','cmp':'eq','val':'a'}");
}

static bool
sweep_presence(void)
{
	return sweep_in("seen", ",'positioned':true,'join_leave':true");
}

TEST(out_of_memory)
{
	for (workers = 1; workers <= 2; workers++) {
		ALLOC_SWEEP(sweep_deltas);
		ALLOC_SWEEP(sweep_presence);
	}
}

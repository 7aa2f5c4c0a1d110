/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions: recovery, positions, presence and what goes to whom in
 * which form; each with one worker, and with the owner on another.
 */
#include "client/sub.h"
#include "tests/unit/channels.h"

#define POSITIONED	",'positioned':true"
#define RECOVER		",'recoverable':true,'recover':true"
#define FOSSIL		RECOVER ",'delta':'fossil'"
#define SUB_OK(m)	"{'id':2,'subscribe':{" m "}}"
#define TOP(n)		"'epoch':'E','offset':" #n ",'positioned':true"
#define PUSH(s)		"{'push':{'channel':'@'," s "}}"
#define PUB(n, o)	"{'data':" #n ",'offset':" #o "}"

/* ---- recovery ---- */

struct recovery {
	const char	*ask, *want;
};

/* Five publications, of which three are kept, and a client that knows them
 * up to somewhere. */
static void
recoveries(const char *ns, const struct recovery *row, size_t n)
{
	int	fd, i;
	size_t	k;

	WITH_WORKERS(CHANNELS_CONF, ns) {
		fd = come(0);
		join(fd, POSITIONED);
		for (i = 1; i <= 5; i++)
			say((const char[2]){ (char)('0' + i), '\0' });
		get(fd);
		for (k = 0; k < n; k++) {
			test_note("%u workers: %s", workers, row[k].ask);
			tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
			CHECK_STR(join(fd, row[k].ask), row[k].want);
		}
		CHECK(end());
	}
}

/* spec 12.1 to 12.3, and 12.7. */
TEST(recovery_of_streams)
{
	static const struct recovery row[] = {
		{ RECOVER ",'offset':2,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':3,'offset':3},{'data':4,"
		    "'offset':4},{'data':5,'offset':5}],'recovered':true,"
		    "'offset':2,'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':4,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'offset':4,'positioned':true,"
		    "'was_recovering':true") },
		{ RECOVER ",'offset':5,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'recovered':true,'offset':5,'positioned':true,"
		    "'was_recovering':true") },
		{ RECOVER ",'offset':1,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':5,'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':6,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':5,'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':3", SUB_OK("'recoverable':true,"
		    "'epoch':'E','publications':[{'data':4,'offset':4},"
		    "{'data':5,'offset':5}],'recovered':true,'offset':3,"
		    "'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':3,"
		    "'epoch':''", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':4,'offset':4},{'data':5,"
		    "'offset':5}],'recovered':true,'offset':3,"
		    "'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':3,"
		    "'epoch':'x'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':5,'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':5,"
		    "'epoch':'x'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':5,'positioned':true,'was_recovering':true") },
		{ RECOVER ",'offset':1,'epoch':'^','flag':2", "{'id':2,"
		    "'error':{'code':112,"
		    "'message':'unrecoverable position'}}" },
		{ RECOVER ",'offset':2,'epoch':'^',"
		    "'flag':2", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':3,'offset':3},{'data':4,"
		    "'offset':4},{'data':5,'offset':5}],'recovered':true,"
		    "'offset':2,'positioned':true,'was_recovering':true") },
		{ ",'recover':true,'offset':4,"
		    "'epoch':'^'", SUB_OK("'was_recovering':true") },
		{ ",'recoverable':true,"
		    "'offset':4", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':5,'positioned':true") },
		{ POSITIONED, SUB_OK("'epoch':'E','offset':5,"
		    "'positioned':true") },
		{ "", SUB_OK("") },
	};

	recoveries("keep", row, sizeof(row) / sizeof(row[0]));
}

/* spec 12.4. */
TEST(recovery_of_caches)
{
	static const struct recovery row[] = {
		{ ",'recover':true", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'positioned':true,"
		    "'was_recovering':true") },
		{ ",'recover':true,'offset':3,"
		    "'epoch':'x'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'offset':3,'positioned':true,"
		    "'was_recovering':true") },
		{ ",'recover':true,'offset':5,"
		    "'epoch':'^'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'recovered':true,'offset':5,'positioned':true,"
		    "'was_recovering':true") },
		{ ",'recover':true,'offset':5", SUB_OK("'recoverable':true,"
		    "'epoch':'E','publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'offset':5,'positioned':true,"
		    "'was_recovering':true") },
		{ ",'recover':true,'offset':5,"
		    "'epoch':'x'", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'offset':5,'positioned':true,"
		    "'was_recovering':true") },
		{ "", SUB_OK("'recoverable':true,'epoch':'E','offset':5,"
		    "'positioned':true") },
	};
	static const struct recovery self[] = {
		{ "", SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':5,'offset':5}],"
		    "'recovered':true,'positioned':true,"
		    "'was_recovering':true") },
	};

	recoveries("cache", row, sizeof(row) / sizeof(row[0]));
	recoveries("auto", self, 1);
}

/* Nothing was ever published: there is nothing to recover, and who was at
 * the beginning has missed nothing. spec 12.5. */
TEST(recovery_of_nothing)
{
	int fd;

	WITH_WORKERS(CHANNELS_CONF, "keep") {
		fd = come(0);
		CHECK_STR(join(fd, RECOVER), SUB_OK("'recoverable':true,"
		    "'epoch':'E','recovered':true,'positioned':true,"
		    "'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ","
		    "'epoch':'^'"), SUB_OK("'recoverable':true,'epoch':'E',"
		    "'recovered':true,'positioned':true,"
		    "'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ","
		    "'epoch':'old'"), SUB_OK("'recoverable':true,"
		    "'epoch':'E','positioned':true,'was_recovering':true"));
		CHECK(end());
	}
	WITH_WORKERS(CHANNELS_CONF, "cache") {
		fd = come(0);
		CHECK_STR(join(fd, ","
		    "'recover':true"), SUB_OK("'recoverable':true,"
		    "'epoch':'E','positioned':true,'was_recovering':true"));
		CHECK(end());
	}
}

/* As many as may be given are, one more is too many. spec 12.2. */
TEST(recovery_of_too_many)
{
	int fd;

	WITH_WORKERS("{\"client\":{\"recovery_max_publication_limit\":2,"
	    "\"allow_anonymous_connect_without_token\":true}," NAMESPACES "}",
    "keep") {
		fd = come(0);
		say("1");
		say("2");
		say("3");
		CHECK_STR(join(fd, RECOVER), SUB_OK("'recoverable':true,"
		    "'epoch':'E','offset':3,'positioned':true,"
		    "'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ","
		    "'offset':1"), SUB_OK("'recoverable':true,'epoch':'E',"
		    "'publications':[{'data':2,'offset':2},{'data':3,"
		    "'offset':3}],'recovered':true,'offset':1,"
		    "'positioned':true,'was_recovering':true"));
		CHECK(end());
	}
}

/* spec 12.6. */
TEST(recovery_after_removal)
{
	struct hub_request	req = { .op = HUB_HISTORY_REMOVE };
	int			fd;

	WITH_WORKERS(CHANNELS_CONF, "keep") {
		fd = come(0);
		say("1");
		say("2");
		req.channel = sv_from(channel);
		req.done = nothing_done;
		hub_request(&srv.node[0]->hub, &req);
		CHECK_STR(join(fd, RECOVER ","
		    "'offset':1"), SUB_OK("'recoverable':true,'epoch':'E',"
		    "'offset':2,'positioned':true,'was_recovering':true"));
		tell(fd, "{'id':1,'unsubscribe':{'channel':'@'}}");
		CHECK_STR(join(fd, RECOVER ",'offset':2,'epoch':'^'"),
		    SUB_OK("'recoverable':true,'epoch':'E','recovered':true,"
		    "'offset':2,'positioned':true,'was_recovering':true"));
		CHECK(end());
	}
}

/* ---- positions ---- */

/* spec 12.9, 12.7: what is old is dropped in silence. */
TEST(gaps)
{
	static const struct { uint64_t offset; const char *ep; bool gap; }
	row[] = {
		{ 1, NULL, false }, { 2, NULL, false }, { 4, NULL, true },
		{ 3, "other", true }, { 1, "other", true }, { 99, NULL, true },
		{ 0, NULL, false },
	};
	size_t	i;
	int	fd, plain;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		WITH_WORKERS(CHANNELS_CONF, "keep") {
			test_note("%u workers: row %zu", workers, i);
			fd = come(0);
			join(fd, POSITIONED);
			plain = come(0);
			join(plain, "");
			say("1");
			say("2");
			get(fd);
			get(plain);
			forge(row[i].offset, row[i].ep == NULL ? epoch :
			    row[i].ep);
			CHECK_STR(heard(fd), row[i].gap ?
			    want(PUSH("'unsubscribe':{'code':2500,"
			    "'reason':'insufficient state'}")) :
			    row[i].offset > 0 ? "" :
			    want(PUSH("'pub':{'data':'forged'}")));
			/* Who keeps no position does not care. */
			CHECK(strstr(heard(plain), "forged") != NULL);
			CHECK_INT(srv.node[0]->hub.nsubs, row[i].gap ? 1 : 2);
			say("3");
			CHECK((strstr(heard(fd), "'data':3") != NULL) ==
			    !row[i].gap);
			CHECK(strstr(heard(plain), "'data':3") != NULL);
			CHECK(end());
		}
}

/* Many lose their position in one fan-out, on both workers. */
TEST(gaps_of_many)
{
	int	 fd[10];
	unsigned i;

	WITH_WORKERS(CHANNELS_CONF, "seen") {
		for (i = 0; i < 10; i++) {
			fd[i] = come(i % workers);
			join(fd[i], i % 3 == 0 ? "" :
			    POSITIONED ",'join_leave':true");
		}
		say("1");
		for (i = 0; i < 10; i++)
			heard(fd[i]);
		forge(7, epoch);
		for (i = 0; i < 10; i++)
			CHECK((strstr(heard(fd[i]), "2500") != NULL) ==
			    (i % 3 != 0));
		CHECK_STR(tell(fd[0], "{'id':3,"
		    "'presence_stats':{'channel':'@'}}"), "{'id':3,"
		    "'presence_stats':{'num_clients':4,'num_users':1}}");
		CHECK_INT(srv.node[0]->hub.nsubs +
		    (workers > 1 ? srv.node[1]->hub.nsubs : 0), 4);
		CHECK(end());
	}
}

static void
deaf(struct hub_sub *s, struct hub_fanout *f)
{
	(void)s;
	(void)f;
}

/* A publication that the clients of the first worker never get. */
static void
say_to_the_deaf(void)
{
	struct hub_ops ops = client_hub_ops;

	ops.deliver = deaf;
	srv.node[0]->hub.ops = &ops;
	say("0");
	srv.node[0]->hub.ops = &client_hub_ops;
}

TEST(positions_are_checked)
{
	struct client	*c;
	int		 fd;

	WITH_WORKERS(CHANNELS_CONF, "keep") {
		fd = come(0);
		c = newest(0);
		join(fd, POSITIONED);
		say("1");
		get(fd);
		/* All is well. */
		tick_after(c, 41000);
		CHECK_STR(heard(fd), "");
		say_to_the_deaf();
		tick_after(c, 39000);
		CHECK_STR(heard(fd), "");
		tick_after(c, 90000);
		CHECK_STR(heard(fd), want(PUSH("'unsubscribe':{'code':2500,"
		    "'reason':'insufficient state'}")));
		CHECK(c->state == CLIENT_CONNECTED);
		CHECK(end());
	}
}

/* The subscription is gone, or another one, when the answer comes. */
TEST(positions_of_the_gone)
{
	struct client	*c;
	int		 fd;

	workers = 2;
	if (!began(CHANNELS_CONF, "keep"))
		return;
	fd = come(0);
	c = newest(0);
	join(fd, POSITIONED);
	say("1");
	say_to_the_deaf();
	get(fd);
	srv.worker[0]->now += 60000;
	client_timer(c);
	client_unsubscribe(c, sv_from(channel));
	CHECK(strstr(join(fd, POSITIONED), SUB_OK(TOP(2))) != NULL);
	srv.worker[0]->now += 60000;
	client_timer(c);
	client_disconnect(c, 3503, NULL);
	CHECK(end());
}

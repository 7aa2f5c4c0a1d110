/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Limits that concern more than one connection, and the commands that are
 * set aside while every worker is asked; with one worker and with two.
 */
#include "client/admission.h"
#include "tests/unit/channels.h"

#define LIMIT_CONF(more) \
	"{\"client\":{" KEY ",\"allow_anonymous_connect_without_token\":true," \
	"\"ping_interval\":\"9h\",\"pong_timeout\":\"-1s\"," more "}," \
	NAMESPACES "}"
#define TWO	LIMIT_CONF("\"user_connection_limit\":2")
#define ONE	LIMIT_CONF("\"subscribe_to_user_personal_channel\":{" \
		"\"enabled\":true,\"single_connection\":true," \
		"\"personal_channel_namespace\":\"seen\"}")

/* The token of {"sub":"7"}. */
#define TOKEN	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0." \
		"xVQSOq2j3z_wBYTFH9v0hJl3HbNI7jgMU9jXEN4lbkc"
#define CONNECT	"{'id':1,'connect':{'token':'" TOKEN "'}}"

static bool
is_in(int fd)
{
	return strstr(heard(fd), "'connect':{") != NULL;
}

/* A peer of worker i that has sent its connect; nobody took a turn. */
static int
connecting(unsigned i)
{
	int fd = remember(upgraded(i));

	put(fd, fill(CONNECT));
	return fd;
}

TEST(connections_of_a_user)
{
	int fd[3], i;

	WITH_WORKERS(TWO, "") {
		for (i = 0; i < 3; i++) {
			fd[i] = connecting((unsigned)i % workers);
			if (i < 2)
				CHECK(is_in(fd[i]));
		}
		CHECK_STR(heard(fd[2]), "close 3504");
		/* Users without a name are not counted. */
		for (i = 0; i < 3; i++)
			CHECK(strstr(tell(remember(upgraded(0)),
			    "{'id':1,'connect':{}}"), "'client'") != NULL);
		client_disconnect(newest(workers - 1), 3503, NULL);
		CHECK(is_in(connecting(0)) || workers == 1);
		CHECK(end());
	}
}

/* Who was sent away during a fan-out leaves when its connection is over. */
TEST(who_is_on_the_way_out_is_not_counted)
{
	struct hub_pub_view	 v = { .data = SV("\xff"), .is_binary = true };
	struct client		*c;
	int			 fd;

	WITH_WORKERS(LIMIT_CONF("\"user_connection_limit\":1"), "") {
		fd = connecting(0);
		CHECK(is_in(fd));
		join(fd, "");
		c = newest(0);
		v.channel = sv_from(channel);
		hub_deliver(owner, hub_pub_new(&v), NULL, "");
		CHECK_STR(heard(fd), "close 3506");
		CHECK(newest(0) == c && c->user.entry != NULL);
		CHECK(is_in(connecting(workers - 1)));
		CHECK(end());
	}
}

TEST(one_connection_at_a_time)
{
	int first, second;

	WITH_WORKERS(ONE, "") {
		first = connecting(0);
		CHECK(is_in(first));
		second = connecting(workers - 1);
		CHECK(strstr(heard(second), "'subs':{'seen:#7':{}}") != NULL);
		CHECK_STR(heard(first), "close 3504");
		CHECK_INT(srv.node[0]->stats.num_clients, workers == 1);
		CHECK(end());
	}
}

#define SAID(n, more) \
	"{'push':{'channel':'@','pub':{'data':" #n ",'info':{'user':'7'," \
	"'client':'ID'},'offset':" #n more "}}}"

/* What was heard, whatever went in one frame. */
static char *
lines(int fd)
{
	static char	 out[8192];
	char		*at;

	strlcpy(out, heard(fd), sizeof(out));
	while ((at = strchr(out, '|')) != NULL)
		*at = '\n';
	return out;
}

/* What stands behind the connect in its frame, and in the next ones, is done
 * after it, once, and in order. */
TEST(commands_behind_a_connect)
{
	int fd;

	WITH_WORKERS(TWO, "keep") {
		fd = remember(upgraded(0));
		put(fd, fill(CONNECT "\n{'id':2,'subscribe':{'channel':'@'}}\n"
		    "{'id':3,'publish':{'channel':'@','data':1}}\n"
		    "{'id':4,'publish':{'channel':'@','data':2}}"));
		put(fd, fill("{'id':5,'unsubscribe':{'channel':'@'}}\n"
		    "{'id':6,'history':{'channel':'@'}}\n"));
		turns(20);
		CHECK_STR(lines(fd), want("{'id':1,'connect':{'client':'ID',"
		    "'version':'" FUGU_VERSION "','ping':32400}}\n"
		    "{'id':2,'subscribe':{}}\n" SAID(1, ",'epoch':'E'") "\n"
		    "{'id':3,'publish':{}}\n" SAID(2, "") "\n"
		    "{'id':4,'publish':{}}\n{'id':5,'unsubscribe':{}}\n"
		    "{'id':6,'history':{'publications':[],'epoch':'E',"
		    "'offset':2}}"));
		CHECK_INT(srv.node[0]->stats.commands[METHOD_CONNECT], 1);
		CHECK_INT(srv.node[0]->stats.commands[METHOD_PUBLISH], 2);
		CHECK(newest(0)->backlog == NULL);
		CHECK(end());
	}
}

/* Many commands in one frame, each of which waits. */
TEST(a_long_backlog)
{
	static char	 text[20000], *t = text;
	const char	*got;
	unsigned	 i;
	int		 fd;

	WITH_WORKERS(TWO, "keep") {
		t = text + sprintf(text, "%s", CONNECT);
		for (i = 2; i < 102; i++)
			t += sprintf(t, "\n{'id':%u,'%s':{'channel':'@'}}", i,
			    i % 2 == 0 ? "subscribe" : "unsubscribe");
		fd = remember(upgraded(0));
		put(fd, fill(text));
		turns(250);
		got = heard(fd);
		for (i = 2; i < 102; i++) {
			snprintf(text, sizeof(text), "{'id':%u,'%s':{}}", i,
			    i % 2 == 0 ? "subscribe" : "unsubscribe");
			got = strstr(got, text);
			if (!CHECK(got != NULL))
				break;
			CHECK(strstr(got + 1, text) == NULL);
		}
		CHECK(newest(0)->backlog == NULL);
		CHECK_INT(srv.node[0]->hub.nsubs, 0);
		CHECK(end());
	}
}

TEST(gone_while_asking)
{
	int fd, how;

	for (how = 0; how < 2; how++) {
		workers = 2;
		if (!began(TWO, ""))
			return;
		fd = connecting(0);
		worker_turn(srv.worker[0], 0);
		CHECK(newest(0)->admission != NULL);
		if (how == 0)
			worker_close_conns(srv.worker[0]);
		else
			client_disconnect(newest(0), 3503, NULL);
		turns(6);
		CHECK_STR(heard(fd), how == 0 ? "" : "close 3503");
		CHECK(end());
	}
}

static bool
rate_ok(struct node *n)
{
	if (!admission_enter(n))
		return false;
	admission_leave(n);
	return true;
}

/* A burst of N, then one a second; shared by all workers. */
TEST(connection_rate)
{
	unsigned i;

	WITH_WORKERS(LIMIT_CONF("\"connection_rate_limit\":2"), "") {
		for (i = 0; i < 2; i++)
			CHECK(rate_ok(srv.node[i % workers]));
		CHECK(!rate_ok(srv.node[0]));
		srv.worker[0]->now += 999;
		CHECK(!rate_ok(srv.node[0]));
		srv.worker[0]->now += 1;
		CHECK(rate_ok(srv.node[0]));
		CHECK(!rate_ok(srv.node[0]));
		srv.worker[0]->now += 60000;
		for (i = 0; i < 2; i++)
			CHECK(rate_ok(srv.node[0]));
		CHECK(!rate_ok(srv.node[0]));
		CHECK(end());
	}
}

/* spec 12.32: used only if nothing else says who it is, and without a
 * personal channel. */
TEST(users_by_header)
{
	static const char *const head = PEER_HEAD "X-User: 7\r\n\r\n";
	static const char *const text[] = {
		"{\"client\":{" KEY ",\"user_id_http_header\":\"X-User\","
		"\"subscribe_to_user_personal_channel\":{\"enabled\":true}},"
		NAMESPACES "}",
		LIMIT_CONF("\"user_id_http_header\":\"X-User\""),
	};
	unsigned i;
	int	 fd;

	workers = 1;
	for (i = 0; i < 2; i++) {
		if (!began(text[i], ""))
			return;
		fd = remember(dial(0, head));
		(void)!read(fd, (char[512]){ 0 }, 512);
		CHECK(strstr(tell(fd, "{'id':1,'connect':{}}"),
		    "'connect':{") != NULL);
		CHECK_SV(client_user(newest(0)), i == 0 ? "7" : "");
		CHECK_INT(srv.node[0]->hub.nsubs, 0);
		CHECK(end());
	}
}

/* ---- without memory ---- */

static bool
sweep_with(const char *text)
{
	bool	ok = false;
	int	fd, other;

	if (!begin_with(text, "keep"))
		return false;
	other = remember(upgraded(workers - 1));
	fd = remember(upgraded(0));
	if (fd != -1 && other != -1) {
		tell(other, CONNECT);
		put(fd, fill(CONNECT "\n{'id':2,'subscribe':{'channel':'@'}}\n"
		    "{'id':3,'publish':{'channel':'@','data':1}}"));
		turns(8);
		ok = strstr(heard(fd), "'id':3,'publish':{}") != NULL;
	}
	CHECK(end() || workers > 1);
	return ok;
}

static bool
sweep_limit(void)
{
	return sweep_with(TWO);
}

static bool
sweep_single(void)
{
	return sweep_with(ONE);
}

TEST(out_of_memory)
{
	for (workers = 1; workers <= 2; workers++) {
		ALLOC_SWEEP(sweep_limit);
		ALLOC_SWEEP(sweep_single);
	}
}

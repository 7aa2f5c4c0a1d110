/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Clients of one worker and channels of another: commands whose answers take
 * a way through the mail, and everything that can happen meanwhile. Two
 * workers, whose turns the tests take in one thread.
 */
#include <stdarg.h>

#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define CONF \
	"{\"client\":{\"allow_anonymous_connect_without_token\":true," \
	"\"queue_max_size\":100000}," \
	"\"channel\":{\"without_namespace\":{" \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true," \
	"\"allow_publish_for_client\":true," \
	"\"allow_publish_for_anonymous\":true}}}"

/* Channels that the worker itself and the other one own, seen from 0. */
static char near[8], far[8];

static void
choose(char out[8], unsigned owner)
{
	unsigned i = 0;

	do
		snprintf(out, 8, "c%u", i++ % 1000);
	while (hash_sv(sv_from(out)) % 2 != owner);
}

static bool
begin(void)
{
	choose(near, 0);
	choose(far, 1);
	return start(2, CONF);
}

static void
turn(unsigned i)
{
	worker_turn(srv.worker[i], 0);
}

/* A text with @ for the far channel and ~ for the near one. */
static const char *
fill(const char *s)
{
	static char	out[2][4096];
	static unsigned	which;
	char		*o = out[which ^= 1];

	for (; *s != '\0'; s++)
		if (*s == '@' || *s == '~')
			o = stpcpy(o, *s == '@' ? far : near);
		else
			*o++ = *s;
	*o = '\0';
	return out[which];
}

static struct client *
client_of(unsigned i)
{
	return LIST_FIRST(&srv.node[i]->clients);
}

/* Pushes without the publisher's ClientInfo, which has its random id. */
static const char *
plain(const char *s)
{
	static char	out[1 << 16];
	char		*o = out;
	const char	*info;

	while ((info = strstr(s, ",\"info\":{")) != NULL) {
		o += sprintf(o, "%.*s", (int)(info - s), s);
		s = strchr(info, '}') + 1;
	}
	strcpy(o, s);
	return out;
}

/* ---- waiting ---- */

TEST(subscribe_waits_for_the_owner)
{
	int fd;

	begin();
	fd = connected(0);
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}"));
	turn(0);
	turn(0);
	CHECK_STR(get(fd), "");
	CHECK(client_of(0)->waiting);
	CHECK(client_of(0)->conn->paused);
	turn(1);
	CHECK_STR(get(fd), "");
	turn(0);
	CHECK_STR(get(fd), "{\"id\":2,\"subscribe\":{}}");
	CHECK(!client_of(0)->waiting);
	CHECK(!client_of(0)->conn->paused);
	close(fd);
	CHECK(stop());
}

TEST(the_rest_of_a_frame_waits)
{
	int fd;

	begin();
	fd = connected(0);
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}\n"
	    "{\"id\":3,\"subscribe\":{\"channel\":\"@\"}}\n"
	    "{\"id\":4,\"unsubscribe\":{\"channel\":\"@\"}}\n"
	    "{\"id\":5,\"subscribe\":{\"channel\":\"@\"}}\n"
	    "{\"id\":6,\"publish\":{\"channel\":\"@\",\"data\":1}}\n"
	    "{\"id\":7,\"rpc\":{}}\n"));
	turn(0);
	CHECK_STR(get(fd), "");
	CHECK(client_of(0)->backlog != NULL);
	turn(1);
	turn(0);
	/* Up to the next command that waits. */
	CHECK_STR(get(fd), "{\"id\":2,\"subscribe\":{}}\n"
	    "{\"id\":3,\"error\":{\"code\":105,"
	    "\"message\":\"already subscribed\"}}\n"
	    "{\"id\":4,\"unsubscribe\":{}}");
	turn(1);
	turn(0);
	CHECK_STR(get(fd), "{\"id\":5,\"subscribe\":{}}");
	turn(1);
	turn(0);
	CHECK_STR(plain(get(fd)), fill(
	    "{\"push\":{\"channel\":\"@\",\"pub\":{\"data\":1}}}|"
	    "{\"id\":6,\"publish\":{}}\n"
	    "{\"id\":7,\"error\":{\"code\":108,"
	    "\"message\":\"not available\"}}"));
	CHECK(client_of(0)->backlog == NULL);
	CHECK_INT(srv.node[0]->hub.nsubs, 1);
	close(fd);
	CHECK(stop());
}

TEST(the_next_frames_wait)
{
	uint64_t	had;
	int		fd;

	begin();
	fd = connected(0);
	had = ws_stats(0)->received;
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}"));
	put(fd, fill("{\"id\":3,\"unsubscribe\":{\"channel\":\"@\"}}"));
	turn(0);
	put(fd, fill("{\"id\":4,\"publish\":{\"channel\":\"@\",\"data\":1}}"));
	put(fd, "{\"id\":5,\"rpc\":{}}");
	turn(0);
	turn(0);
	CHECK_INT(ws_stats(0)->received, had + 1);
	CHECK_STR(get(fd), "");
	turn(1);
	turn(0);
	CHECK_STR(get(fd), "{\"id\":2,\"subscribe\":{}}|"
	    "{\"id\":3,\"unsubscribe\":{}}");
	turns(4);
	CHECK_STR(get(fd), "{\"id\":4,\"publish\":{}}|"
	    "{\"id\":5,\"error\":{\"code\":108,"
	    "\"message\":\"not available\"}}");
	CHECK_INT(ws_stats(0)->received, had + 4);
	close(fd);
	CHECK(stop());
}

/* Transports that can't hold their input back bring whole messages, however
 * far the command before is: still on its way with others behind it, or the
 * last of all; with an end of line behind the last command or none. */
TEST(more_input_waits)
{
	static const char	*end[] = { "", "\n" };
	struct client		*c;
	unsigned		 i, k, id = 2;
	char			 text[64], want[512], *w;
	int			 fd;

	begin();
	fd = connected(0);
	c = client_of(0);
	for (k = 0; k < 2; k++) {
		w = want;
		for (i = 0; i < 12; i++, id++) {
			snprintf(text, sizeof(text), "{\"id\":%u,\"publish\":"
			    "{\"channel\":\"%s\",\"data\":1}}%s", id, far,
			    end[k]);
			client_input(c, sv_from(text));
			w += sprintf(w, "%s{\"id\":%u,\"publish\":{}}",
			    i == 0 ? "" : "|", id);
			/* One answer for each, from the second on; then
			 * more comes than goes. */
			if (i > 0 && i < 6) {
				turn(1);
				turn(0);
			}
		}
		turns(20);
		CHECK_STR(get(fd), want);
		CHECK_INT(c->state, CLIENT_CONNECTED);
		CHECK(c->backlog == NULL);
	}
	close(fd);
	CHECK(stop());
}

/* A ping goes out meanwhile; its pong waits in line. */
TEST(a_ping_does_not_wait)
{
	struct client	*c;
	int		 fd;

	begin();
	fd = connected(0);
	c = client_of(0);
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}"));
	turn(0);
	c->ping_at = srv.worker[0]->now;
	client_timer(c);
	turn(0);
	CHECK_STR(get(fd), "{}");
	put(fd, "{}");
	turn(0);
	CHECK(c->ping_out);
	turns(3);
	CHECK(!c->ping_out);
	CHECK_STR(get(fd), "{\"id\":2,\"subscribe\":{}}");
	close(fd);
	CHECK(stop());
}

/* ---- much of it ---- */

#define MANY	100

/* Publications are seen in the order in which they were sent, by clients of
 * both workers, and the replies come in order, too. */
static void
publish_many(bool one_frame)
{
	static char	text[MANY * 64], want[MANY * 64], *t, *o;
	int		pub, sub[2], i;
	unsigned	k;

	begin();
	pub = connected(0);
	for (k = 0; k < 2; k++) {
		sub[k] = connected(k);
		CHECK_STR(ask(sub[k], fill(
		    "{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}")),
		    "{\"id\":2,\"subscribe\":{}}");
	}
	for (i = 0, o = want, t = text; i < MANY; i++) {
		t += sprintf(t, "{\"id\":%d,\"publish\":{\"channel\":\"%s\","
		    "\"data\":%d}}\n", i + 2, far, i);
		if (!one_frame) {
			put(pub, text);
			t = text;
		}
		o += sprintf(o, "%s{\"id\":%d,\"publish\":{}}",
		    i > 0 ? "|" : "", i + 2);
	}
	if (one_frame)
		put(pub, text);
	turns(MANY + 4);
	CHECK_STR(get(pub), want);
	for (i = 0, o = want; i < MANY; i++)
		o += sprintf(o, "%s{\"push\":{\"channel\":\"%s\","
		    "\"pub\":{\"data\":%d}}}", i > 0 ? "|" : "", far, i);
	CHECK_STR(plain(get(sub[0])), want);
	CHECK_STR(plain(get(sub[1])), want);
	close(pub);
	close(sub[0]);
	close(sub[1]);
	CHECK(stop());
}

TEST(many_frames)
{
	publish_many(false);
}

TEST(many_commands_in_a_frame)
{
	publish_many(true);
}

/* ---- the end while something waits ---- */

TEST(gone_while_subscribing)
{
	int fd;

	begin();
	fd = connected(0);
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}\n"
	    "{\"id\":3,\"subscribe\":{\"channel\":\"~\"}}"));
	turn(0);
	close(fd);
	/* Whether the reset or the answer comes first. */
	turn(0);
	turns(4);
	CHECK_INT(srv.node[0]->nclients, 0);
	CHECK_INT(srv.node[0]->hub.nsubs, 0);
	CHECK(stop());
}

TEST(gone_while_publishing)
{
	int fd, sub;

	begin();
	sub = connected(1);
	ask(sub, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}"));
	fd = connected(0);
	put(fd, fill("{\"id\":2,\"publish\":{\"channel\":\"@\",\"data\":1}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"@\",\"data\":2}}"));
	turn(0);
	CHECK(client_of(0)->request != NULL);
	close(fd);
	turn(0);
	CHECK_INT(srv.node[0]->nclients, 0);
	turns(3);
	/* What was under way is done, what waited behind it is not. */
	CHECK_STR(plain(get(sub)), fill(
	    "{\"push\":{\"channel\":\"@\",\"pub\":{\"data\":1}}}"));
	close(sub);
	CHECK(stop());
}

/* Send the client away while cmd of its waits; cmd is followed by a publish
 * that must not happen. */
static void
sent_away_behind(const char *cmd)
{
	char	text[256];
	int	fd, sub;

	begin();
	sub = connected(0);
	ask(sub, fill("{\"id\":2,\"subscribe\":{\"channel\":\"~\"}}"));
	fd = connected(0);
	snprintf(text, sizeof(text), "%s\n{\"id\":9,\"connect\":{}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"~\",\"data\":2}}", cmd);
	put(fd, fill(text));
	put(fd, fill("{\"id\":4,\"publish\":{\"channel\":\"~\",\"data\":3}}"));
	turn(0);
	CHECK(client_of(0)->waiting);
	client_disconnect(client_of(0), DISCONNECT_FORCE_NO_RECONNECT, NULL);
	turns(4);
	CHECK_STR(get(fd), "close 3503");
	CHECK_STR(get(sub), "");
	CHECK_INT(srv.node[0]->stats.commands[METHOD_CONNECT], 2);
	CHECK_INT(srv.node[0]->hub.nsubs, 1);
	CHECK(!client_of(0)->conn->paused);
	close(fd);
	close(sub);
	turns(3);
	CHECK_INT(srv.node[0]->nclients, 0);
	CHECK(stop());
}

TEST(sent_away_while_subscribing)
{
	sent_away_behind("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}");
}

TEST(sent_away_while_publishing)
{
	sent_away_behind("{\"id\":2,\"publish\":{\"channel\":\"@\","
	    "\"data\":1}}");
}

/* The replies that go out when a command begins to wait can be too much for
 * the peer: it is sent away, and nothing waits any more. */
TEST(too_slow_when_it_begins_to_wait)
{
	static char	text[3000], *t;
	struct client	*c;
	struct blob	*b;
	int		 fd, i;

	begin();
	fd = connected(0);
	c = client_of(0);
	b = blob_new(99000);
	memset(b->data, 'x', b->n);
	for (i = 0; !c->conn->blocked; i++) {
		conn_send(c->conn, blob_ref(b));
		conn_flush(c->conn);
	}
	conn_send(c->conn, b);
	for (i = 0, t = text; i < 50; i++)
		t += sprintf(t, "{\"id\":%d,\"rpc\":{}}\n", i + 2);
	sprintf(t, "{\"id\":99,\"subscribe\":{\"channel\":\"%s\"}}\n"
	    "{\"id\":100,\"rpc\":{}}", far);
	put(fd, text);
	turn(0);
	CHECK_INT(c->state, CLIENT_CLOSED);
	CHECK_INT(srv.node[0]->stats.disconnects[
	    disconnect_slot(DISCONNECT_SLOW)], 1);
	CHECK_INT(srv.node[0]->hub.nsubs, 0);
	CHECK(!c->conn->paused);
	turns(3);
	close(fd);
	turns(3);
	CHECK_INT(srv.node[0]->nclients, 0);
	CHECK(stop());
}

/* ---- the server's side ---- */

#define UNSUBSCRIBED \
	"{\"push\":{\"channel\":\"@\",\"unsubscribe\":" \
	"{\"code\":2000,\"reason\":\"server unsubscribe\"}}}"

/* It is answered, and then ended (spec 12.41). */
TEST(the_server_ends_a_pending_subscription)
{
	struct client	*c;
	int		 fd;

	begin();
	fd = connected(0);
	c = client_of(0);
	put(fd, fill("{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}"));
	turn(0);
	client_unsubscribe(c, sv_from(far));
	CHECK_STR(get(fd), "");
	turns(2);
	CHECK_STR(get(fd), fill("{\"id\":2,\"subscribe\":{}}|" UNSUBSCRIBED));
	CHECK_INT(srv.node[0]->hub.nsubs, 0);
	/* Said also where there is none. */
	client_unsubscribe(c, sv_from(far));
	turns(2);
	CHECK_STR(get(fd), fill(UNSUBSCRIBED));
	CHECK_INT(srv.node[1]->hub.table[HUB_CHANNELS].owned, 0);
	close(fd);
	CHECK(stop());
}

/* The owner knows which workers have subscribers, and users. */
TEST(the_owner_knows)
{
	int fd[2], i;

	begin();
	for (i = 0; i < 2; i++) {
		fd[i] = connected(0);
		ask(fd[i], fill("{\"id\":2,\"subscribe\":"
		    "{\"channel\":\"@\"}}"));
	}
	CHECK_INT(srv.node[1]->hub.table[HUB_CHANNELS].owned, 1);
	CHECK_INT(srv.node[0]->hub.table[HUB_CHANNELS].owned, 0);
	CHECK_INT(srv.node[0]->hub.table[HUB_USERS].owned +
	    srv.node[1]->hub.table[HUB_USERS].owned, 1);
	ask(fd[0], fill("{\"id\":3,\"unsubscribe\":{\"channel\":\"@\"}}"));
	CHECK_INT(srv.node[1]->hub.table[HUB_CHANNELS].owned, 1);
	close(fd[1]);
	turns(3);
	CHECK_INT(srv.node[1]->hub.table[HUB_CHANNELS].owned, 0);
	close(fd[0]);
	turns(3);
	CHECK_INT(srv.node[0]->hub.table[HUB_USERS].owned +
	    srv.node[1]->hub.table[HUB_USERS].owned, 0);
	CHECK(stop());
}

/* Who was told of a subscription finds it in the presence, although the
 * owner has not been waited for. */
TEST(presence_is_there_with_the_reply)
{
	int fd[2];

	choose(near, 0);
	start(2, "{\"client\":{"
	    "\"allow_anonymous_connect_without_token\":true},"
	    "\"channel\":{\"without_namespace\":{\"presence\":true,"
	    "\"allow_subscribe_for_client\":true,"
	    "\"allow_subscribe_for_anonymous\":true,"
	    "\"allow_presence_for_client\":true,"
	    "\"allow_presence_for_anonymous\":true}}}");
	fd[0] = connected(0);
	fd[1] = connected(1);
	put(fd[1], fill("{\"id\":2,\"subscribe\":{\"channel\":\"~\"}}"));
	turn(1);
	turn(0);
	turn(1);
	CHECK_STR(get(fd[1]), "{\"id\":2,\"subscribe\":{}}");
	put(fd[0], fill("{\"id\":2,\"presence_stats\":"
	    "{\"channel\":\"~\"}}"));
	turn(0);
	CHECK_STR(get(fd[0]), "{\"id\":2,\"presence_stats\":"
	    "{\"num_clients\":1,\"num_users\":1}}");
	close(fd[0]);
	close(fd[1]);
	CHECK(stop());
}

/* ---- without memory ---- */

static bool
sweep(void)
{
	bool	ok;
	int	fd;

	if (!begin())
		return false;
	ok = (fd = upgraded(0)) != -1;
	if (ok) {
		put(fd, fill("{\"id\":1,\"connect\":{}}\n"
		    "{\"id\":2,\"subscribe\":{\"channel\":\"@\"}}\n"
		    "{\"id\":3,\"publish\":{\"channel\":\"@\",\"data\":1}}"));
		put(fd, fill("{\"id\":4,\"unsubscribe\":{\"channel\":\"@\"}}"));
		turns(8);
		ok = strstr(get(fd), "\"id\":4,\"unsubscribe\":{}") != NULL;
		close(fd);
		turns(3);
	}
	stop();
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The client protocol in process: a worker, a node, and peers at the other
 * end of socket pairs that speak WebSocket.
 */
#include "client/encode.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define CONF \
	"{\"client\":{\"allowed_origins\":[\"https://*.example.com\"]," \
	"\"allow_anonymous_connect_without_token\":true," \
	"\"token\":{\"hmac_secret_key\":\"secret\"}," \
	"\"channel_limit\":3,\"queue_max_size\":100000}," \
	"\"channel\":{\"max_length\":20,\"without_namespace\":{" \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true," \
	"\"allow_publish_for_subscriber\":true," \
	"\"allow_publish_for_anonymous\":true}," \
	"\"namespaces\":[{\"name\":\"closed\"}]}}"

/* ---- the conversation ---- */

TEST(replies_share_a_frame)
{
	int fd;

	start(1, CONF);
	fd = connected(0);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"unsubscribe\":{\"channel\":\"a\"}}\n"),
	    "{\"id\":2,\"subscribe\":{}}\n{\"id\":3,\"unsubscribe\":{}}");
	close(fd);
	CHECK(stop());
}

/* spec 12.11: the reply to subscribe goes before any publication. */
TEST(subscribe_reply_precedes_publications)
{
	char	want[512], id[37];
	int	fd;

	start(1, CONF);
	fd = connected(0);
	client_id(LIST_FIRST(&srv.node[0]->clients), id);
	snprintf(want, sizeof(want), "{\"id\":2,\"subscribe\":{}}|"
	    "{\"push\":{\"channel\":\"a\",\"pub\":{\"data\":{\"x\": 1},"
	    "\"info\":{\"user\":\"\",\"client\":\"%s\"}}}}|"
	    "{\"id\":3,\"publish\":{}}", id);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":{\"x\": 1}}}"),
	    want);
	close(fd);
	CHECK(stop());
}

TEST(errors_and_disconnects)
{
	static const struct { const char *send, *want; } row[] = {
		/* Errors leave the connection as it is. */
		{ "{\"id\":2,\"subscribe\":{\"channel\":\"closed:a\"}}",
		    "{\"id\":2,\"error\":{\"code\":103,"
		    "\"message\":\"permission denied\"}}" },
		{ "{\"id\":2,\"subscribe\":{\"channel\":\"nowhere:a\"}}",
		    "{\"id\":2,\"error\":{\"code\":102,"
		    "\"message\":\"unknown channel\"}}" },
		{ "{\"id\":2,\"subscribe\":{\"channel\":\"$a\"}}",
		    "{\"id\":2,\"error\":{\"code\":103,"
		    "\"message\":\"permission denied\"}}" },
		{ "{\"id\":2,\"subscribe\":{\"channel\":\"\u00fc\"}}",
		    "{\"id\":2,\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}}" },
		{ "{\"id\":2,\"subscribe\":"
		    "{\"channel\":\"aaaaaaaaaaaaaaaaaaaaa\"}}",
		    "{\"id\":2,\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}}" },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":1}}",
		    "{\"id\":2,\"error\":{\"code\":103,"
		    "\"message\":\"permission denied\"}}" },
		{ "{\"id\":2,\"publish\":{\"channel\":\"a\"}}",
		    "{\"id\":2,\"error\":{\"code\":107,"
		    "\"message\":\"bad request\"}}" },
		{ "{\"id\":2,\"history\":{\"channel\":\"a\"}}",
		    "{\"id\":2,\"error\":{\"code\":108,"
		    "\"message\":\"not available\"}}" },
		{ "{\"id\":2,\"rpc\":{\"method\":\"m\"}}",
		    "{\"id\":2,\"error\":{\"code\":108,"
		    "\"message\":\"not available\"}}" },
		{ "{\"id\":2,\"unsubscribe\":{\"channel\":\"a\"}}",
		    "{\"id\":2,\"unsubscribe\":{}}" },
		/* These send the peer away. */
		{ "{\"id\":2,\"connect\":{}}", "close 3501" },
		{ "{}", "close 3501" },
		{ "", "close 3501" },
		{ "[]", "close 3501" },
		{ "{\"id\":2}", "close 3501" },
		{ "{\"id\":2,\"ping\":{}}", "close 3501" },
		{ "{\"id\":-1,\"rpc\":{}}", "close 3501" },
		{ "{\"id\":4294967296,\"rpc\":{}}", "close 3501" },
		{ "{\"id\":2,\"rpc\":1}", "close 3501" },
		{ "{\"id\":2,\"subscribe\":{}}", "close 3501" },
		{ "{\"id\":2,\"subscribe\":{\"channel\":7}}", "close 3501" },
		{ "{\"id\":2,\"subscribe\":{\"channel\":\"a\","
		    "\"delta\":\"x\"}}", "close 3501" },
		{ "{\"id\":2,\"send\":{}}", "close 3508" },
		{ "{\"id\":2,\"refresh\":{}}", "close 3501" },
		{ "{\"id\":2,\"refresh\":{\"token\":\"x\"}}",
		    "close 3500" },
		{ "{\"id\":2,\"rpc\":{}}\n\n{\"id\":3,\"rpc\":{}}",
		    "{\"id\":2,\"error\":{\"code\":108,"
		    "\"message\":\"not available\"}}|close 3501" },
	};
	size_t	i;
	int	fd;

	start(1, CONF);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].send);
		fd = connected(0);
		CHECK_STR(ask(fd, row[i].send), row[i].want);
		CHECK_INT(srv.node[0]->hub.nsubs, 0);
		CHECK_INT(srv.node[0]->stats.num_clients,
		    strstr(row[i].want, "close") == NULL);
		close(fd);
		turns(3);
	}
	CHECK(stop());
}

TEST(limits_of_channels)
{
	int fd;

	start(1, CONF);
	fd = connected(0);
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"subscribe\":{\"channel\":\"b\"}}\n"
	    "{\"id\":4,\"subscribe\":{\"channel\":\"c\"}}");
	CHECK_STR(ask(fd, "{\"id\":5,\"subscribe\":{\"channel\":\"d\"}}"),
	    "{\"id\":5,\"error\":{\"code\":106,"
	    "\"message\":\"limit exceeded\"}}");
	CHECK_STR(ask(fd, "{\"id\":6,\"subscribe\":{\"channel\":\"c\"}}"),
	    "{\"id\":6,\"error\":{\"code\":105,"
	    "\"message\":\"already subscribed\"}}");
	ask(fd, "{\"id\":7,\"unsubscribe\":{\"channel\":\"c\"}}");
	CHECK_STR(ask(fd, "{\"id\":8,\"subscribe\":{\"channel\":\"d\"}}"),
	    "{\"id\":8,\"subscribe\":{}}");
	CHECK_INT(srv.node[0]->hub.nsubs, 3);
	close(fd);
	CHECK(stop());
}

/* Who is sent away leaves its channels at once, also after it was given
 * something in them. */
TEST(who_is_sent_away_leaves)
{
	struct client	*c;
	int		 fd;

	start(1, CONF);
	fd = connected(0);
	c = LIST_FIRST(&srv.node[0]->clients);
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":1}}");
	client_disconnect(c, 4000, "own \"words\"");
	CHECK_INT(srv.node[0]->hub.nsubs, 0);
	CHECK_INT(srv.node[0]->stats.num_clients, 0);
	client_disconnect(c, 4001, NULL);
	client_unsubscribe_push(c, SV("a"), 2000);
	turns(2);
	CHECK_STR(get(fd), "close 4000");
	CHECK_INT(srv.node[0]->stats.disconnects[CODE_SLOTS - 1], 1);
	close(fd);
	CHECK(stop());
}

/* ---- deadlines ---- */

/* The one client's deadlines, ms after it came. A turn sets the clock right
 * again. */
static void
at(int64_t ms)
{
	struct client *c = LIST_FIRST(&srv.node[0]->clients);

	srv.worker[0]->now += ms;
	client_timer(c);
	turns(1);
}

TEST(ping_and_pong)
{
	struct client	*c;
	int		 fd;

	start(1, CONF);
	fd = connected(0);
	c = LIST_FIRST(&srv.node[0]->clients);
	CHECK(c->ping_at - srv.worker[0]->now >= 12000);
	CHECK(c->ping_at - srv.worker[0]->now <= 25000);
	at(25000);
	CHECK_STR(get(fd), "{}");
	CHECK_STR(ask(fd, "{}"), "");
	CHECK_STR(ask(fd, "{}"), "close 3501");
	close(fd);
	turns(3);
	fd = connected(0);
	at(25000);
	CHECK_STR(get(fd), "{}");
	at(25000 + 8000);
	CHECK_STR(get(fd), "close 3012");
	close(fd);
	CHECK(stop());
}

TEST(stale_connections_go)
{
	int fd;

	start(1, CONF);
	fd = upgraded(0);
	at(9000);
	CHECK_STR(get(fd), "");
	at(10000);
	CHECK_STR(get(fd), "close 3502");
	close(fd);
	CHECK(stop());
}

/* ---- slow consumers ---- */

/* Much in one turn is no fault of a peer that reads. */
TEST(a_burst_is_not_slow)
{
	struct node	*n;
	struct hub_pub_view	 from = { .channel = SV("a") };
	struct hub_pub	*pub;
	static char	 data[1000];
	size_t		 got = 0;
	ssize_t		 k;
	int		 fd, i;

	start(1, CONF);
	fd = connected(0);
	n = srv.node[0];
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
	memset(data, '1', sizeof(data));
	from.data = sv_make(data, sizeof(data));
	for (i = 0; i < 150; i++) {
		pub = hub_pub_new(&from);
		hub_deliver(&n->hub, pub, NULL, "");
	}
	for (i = 0; i < 50; i++) {
		turns(1);
		if ((k = read(fd, data, sizeof(data))) > 0)
			got += (size_t)k;
		while ((k = read(fd, data, sizeof(data))) > 0)
			got += (size_t)k;
	}
	CHECK(got > 150 * sizeof(data));
	CHECK_INT(n->stats.num_clients, 1);
	close(fd);
	CHECK(stop());
}

/* Nor does a message with many commands make replies without limit: they go
 * out when they are as long as what may wait for the peer. */
TEST(replies_to_many_commands)
{
	static char	 text[60000], *t = text;
	unsigned	 i;
	int		 fd;

	start(1, CONF);
	fd = connected(0);
	for (i = 0; i < 3000; i++)
		t += sprintf(t, "{\"id\":1,\"rpc\":{}}\n");
	put(fd, text);
	turns(2);
	CHECK_INT(srv.node[0]->stats.commands[METHOD_RPC], 3000);
	CHECK(srv.node[0]->reply.cap >= 100000);
	CHECK(srv.node[0]->reply.cap < 200000);
	close(fd);
	CHECK(stop());
}

TEST(a_peer_that_does_not_read_is_cut_off)
{
	struct node	*n;
	struct hub_pub_view	 from = { .channel = SV("a") };
	static char	 data[10000];
	int		 fd, i;

	start(1, CONF);
	fd = connected(0);
	n = srv.node[0];
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
	memset(data, '1', sizeof(data));
	from.data = sv_make(data, sizeof(data));
	for (i = 0; i < 100; i++) {
		hub_deliver(&n->hub, hub_pub_new(&from), NULL, "");
		turns(1);
		if (!LIST_EMPTY(&n->clients))
			CHECK(LIST_FIRST(&n->clients)->conn->out_bytes <=
			    100200);
	}
	CHECK_INT(n->stats.disconnects[disconnect_slot(DISCONNECT_SLOW)], 1);
	close(fd);
	CHECK(stop());
}

/* The kernel has taken nothing of its output for websocket.write_timeout:
 * what waits is dropped, but for what has been begun. */
TEST(a_peer_that_stalls_is_cut_off)
{
	struct client	*c;
	struct blob	*b = blob_new(50000);
	int		 fd;

	start(1, CONF);
	fd = connected(0);
	c = LIST_FIRST(&srv.node[0]->clients);
	memset(b->data, 'x', b->n);
	while (!c->conn->blocked) {
		conn_send(c->conn, blob_ref(b));
		conn_flush(c->conn);
	}
	conn_send(c->conn, b);
	CHECK_INT(c->conn->blocked_at, srv.worker[0]->now);
	srv.worker[0]->now += 1000;
	client_send(c, encode_ping(WIRE_WS_JSON), OUT_PING);
	CHECK_INT(c->state, CLIENT_CONNECTED);
	CHECK_INT(c->conn->out_n, 3);
	srv.worker[0]->now++;
	client_send(c, encode_ping(WIRE_WS_JSON), OUT_PING);
	CHECK_INT(c->state, CLIENT_CLOSED);
	CHECK_INT(srv.node[0]->stats.disconnects[
	    disconnect_slot(DISCONNECT_WRITE_ERROR)], 1);
	CHECK_INT(ws_stats(0)->sent[OUT_PING], 1);
	/* The rest of the one begun, and the close frame. */
	CHECK_INT(c->conn->out_n, 2);
	close(fd);
	CHECK(stop());
}

/* That it can be written to again is seen in a turn, and turns may take long:
 * a peer that has read meanwhile is neither stalled nor slow. */
TEST(a_turn_that_takes_long)
{
	static char	 rest[1 << 16];
	struct client	*c;
	struct blob	*b = blob_new(50000);
	int		 fd, how;

	start(1, CONF);
	memset(b->data, 'x', b->n);
	for (how = 0; how < 2; how++) {
		fd = connected(0);
		c = LIST_FIRST(&srv.node[0]->clients);
		while (!c->conn->blocked) {
			conn_send(c->conn, blob_ref(b));
			conn_flush(c->conn);
		}
		conn_send(c->conn, blob_ref(b));
		while (read(fd, rest, sizeof(rest)) > 0)
			continue;
		if (how == 0)
			srv.worker[0]->now += 1001;
		client_send(c, how == 0 ? encode_ping(WIRE_WS_JSON) :
		    blob_ref(b), OUT_PING);
		CHECK_INT(c->state, CLIENT_CONNECTED);
		close(fd);
		turns(3);
	}
	blob_unref(b);
	CHECK(stop());
}

/* ---- handshake ---- */

static int
status_of(const char *head)
{
	char	text[512] = "";
	int	fd = dial(0, head), status = 0;

	(void)!read(fd, text, sizeof(text) - 1);
	sscanf(text, "HTTP/1.1 %d", &status);
	close(fd);
	turns(3);
	return status;
}

TEST(origins)
{
	start(1, CONF);
	CHECK_INT(status_of(PEER_HEAD "\r\n"), 101);
	CHECK_INT(status_of(PEER_HEAD "Origin: https://a.example.com\r\n\r\n"),
	    101);
	CHECK_INT(status_of(PEER_HEAD "Origin: HTTPS://A.EXAMPLE.COM\r\n\r\n"),
	    101);
	CHECK_INT(status_of(PEER_HEAD "Origin: https://example.com\r\n\r\n"),
	    403);
	CHECK_INT(status_of(PEER_HEAD
	    "Origin: https://a.example.com.evil.org\r\n\r\n"), 403);
	CHECK_INT(status_of("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
	CHECK(stop());
}

/* ---- everything, without memory ---- */

static bool
sweep(void)
{
	struct client	*c;
	bool		 ok;
	int		 fd;

	if (!start(1, CONF))
		return false;
	ok = (fd = upgraded(0)) != -1;
	if (ok) {
		put(fd, "{\"id\":1,\"connect\":{}}\n"
		    "{\"id\":2,\"subscribe\":{\"channel\":\"a\\u0062\"}}\n"
		    "{\"id\":3,\"publish\":{\"channel\":\"ab\",\"data\":1}}");
		turns(3);
		ok = strstr(get(fd), "\"id\":3,\"publish\":{}") != NULL;
		c = LIST_FIRST(&srv.node[0]->clients);
		if (c != NULL) {
			c->ping_at = srv.worker[0]->now;
			client_timer(c);
			client_unsubscribe_push(c, SV("ab"), 2000);
			turns(1);
			ok = ok && sv_starts(sv_from(get(fd)), SV("{}|{")) &&
			    c->state == CLIENT_CONNECTED;
		}
		close(fd);
		turns(3);
	}
	CHECK(stop());
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The WebSocket transport: handshakes, pings of either kind, and closes.
 */
#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define CONF \
	"{\"client\":{\"allow_anonymous_connect_without_token\":true}," \
	"\"websocket\":{\"message_size_limit\":1000}," \
	"\"channel\":{\"without_namespace\":{" \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true}}}"

#define REQUEST(query) \
	"GET /ws" query " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

/* ---- handshakes ---- */

TEST(handshakes)
{
	static const struct {
		const char	*request;
		int		 status;
		const char	*protocol;	/* NULL: none */
	} row[] = {
		{ REQUEST("") "\r\n", 101, NULL },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-json\r\n"
		    "\r\n", 101, "centrifuge-json" },
		{ REQUEST("") "Sec-WebSocket-Protocol: a, centrifuge-json\r\n"
		    "\r\n", 101, "centrifuge-json" },
		/* The list may stand on several lines. */
		{ REQUEST("") "Sec-WebSocket-Protocol: a\r\n"
		    "sec-websocket-protocol: centrifuge-json\r\n"
		    "\r\n", 101, "centrifuge-json" },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-json\r\n"
		    "Sec-WebSocket-Protocol: a\r\n"
		    "\r\n", 101, "centrifuge-json" },
		{ REQUEST("") "Sec-WebSocket-Protocol: other\r\n\r\n", 101,
		    NULL },
		{ REQUEST("") "X-Protocol: centrifuge-json\r\n\r\n", 101,
		    NULL },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n"
		    "\r\n", 101, "centrifuge-protobuf" },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-protobuf, "
		    "centrifuge-json\r\n\r\n", 101, "centrifuge-protobuf" },
		{ REQUEST("?cf_protocol=protobuf") "\r\n", 101, NULL },
		{ REQUEST("?cf_protocol=json&format=json") "\r\n", 101,
		    NULL },
		{ "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
		    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		    426, NULL },
		{ "GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		    400, NULL },
		{ "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL },
	};
	char	text[1024], want[128];
	size_t	i;
	int	fd, status;

	start(1, CONF);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].request);
		fd = dial(0, row[i].request);
		memset(text, 0, sizeof(text));
		(void)!read(fd, text, sizeof(text) - 1);
		status = 0;
		sscanf(text, "HTTP/1.1 %d", &status);
		CHECK_INT(status, row[i].status);
		CHECK((strstr(text, "Sec-WebSocket-Version: 13\r\n") != NULL)
		    == (status == 426));
		snprintf(want, sizeof(want), "Sec-WebSocket-Protocol: %s\r\n",
		    row[i].protocol == NULL ? "" : row[i].protocol);
		CHECK((strstr(text, want) != NULL) ==
		    (row[i].protocol != NULL));
		if (row[i].protocol == NULL)
			CHECK(strcasestr(text, "sec-websocket-protocol") ==
			    NULL);
		CHECK_INT(atomic_load(&srv.transports), status == 101);
		close(fd);
		turns(3);
		CHECK_INT(atomic_load(&srv.transports), 0);
	}
	CHECK(stop());
}

/* The encoding is chosen by the URL or by the subprotocol. */
TEST(encodings)
{
	static const struct {
		const char	*request;
		enum wire_form	 form;
	} row[] = {
		{ REQUEST("") "\r\n", WIRE_WS_JSON },
		{ REQUEST("?cf_protocol=json&format=json") "\r\n",
		    WIRE_WS_JSON },
		{ REQUEST("?cf_protocol=protobuf") "\r\n", WIRE_WS_PB },
		{ REQUEST("?format=protobuf") "\r\n", WIRE_WS_PB },
		{ REQUEST("?a=b&format=%70rotobuf") "\r\n", WIRE_WS_PB },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-json\r\n"
		    "\r\n", WIRE_WS_JSON },
		{ REQUEST("") "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n"
		    "\r\n", WIRE_WS_PB },
		{ REQUEST("?format=protobuf")
		    "Sec-WebSocket-Protocol: centrifuge-json\r\n\r\n",
		    WIRE_WS_PB },
	};
	size_t	i;
	int	fd;

	start(1, CONF);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].request);
		fd = dial(0, row[i].request);
		CHECK_INT(LIST_FIRST(&srv.node[0]->clients)->form, row[i].form);
		close(fd);
		turns(3);
	}
	CHECK(stop());
}

/* What comes in one piece with the request is the first message. */
TEST(a_message_behind_the_request)
{
	char	text[1024];
	int	fd;
	ssize_t	n;

	start(1, CONF);
	fd = dial(0, REQUEST("") "\r\n\x81\x82\1\1\1\1z|");
	n = read(fd, text, sizeof(text));
	if (CHECK(n > 15))
		CHECK_SVEQ(sv_make(text + n - 15, 15),
		    SV("\x88\x0d\x0d\xad" "bad request"));
	close(fd);
	CHECK(stop());
}

/* ---- pings of the peer ---- */

static struct sv
raw(int fd)
{
	static char	text[4096];
	ssize_t		n = read(fd, text, sizeof(text));

	return sv_make(text, n > 0 ? (size_t)n : 0);
}

TEST(pings_are_answered)
{
	int fd;

	start(1, CONF);
	fd = connected(0);
	put_frame(fd, WS_OP_PING, "");
	put_frame(fd, WS_OP_PING, "hello");
	turns(2);
	CHECK_SVEQ(raw(fd), sv_make("\x8a\0\x8a\5hello", 9));
	/* And their answers are no answers of ours. */
	put_frame(fd, WS_OP_PONG, "");
	turns(2);
	CHECK_INT(raw(fd).n, 0);
	CHECK_INT(srv.node[0]->nclients, 1);
	close(fd);
	CHECK(stop());
}

/* ---- our pings as frames ---- */

static struct client *
the_client(void)
{
	return LIST_FIRST(&srv.node[0]->clients);
}

/* The deadlines, ms from now; the next turn sets the clock right again. */
static void
after(int64_t ms)
{
	srv.worker[0]->now += ms;
	client_timer(the_client());
	turns(1);
}

static int
frame_pinged(void)
{
	char	text[512], id[37], want[256];
	int	fd = dial(0, REQUEST("?cf_ws_frame_ping_pong=true") "\r\n");

	(void)!read(fd, text, sizeof(text));
	client_id(the_client(), id);
	/* The peer needs not know of pings. */
	snprintf(want, sizeof(want), "{\"id\":1,\"connect\":{\"client\":"
	    "\"%s\",\"version\":\"" FUGU_VERSION "\"}}", id);
	CHECK_STR(ask(fd, "{\"id\":1,\"connect\":{}}"), want);
	return fd;
}

TEST(ping_frames)
{
	int fd;

	start(1, CONF);
	fd = frame_pinged();
	after(25000);
	CHECK_SVEQ(raw(fd), sv_make("\x89\0", 2));
	put_frame(fd, WS_OP_PONG, "");
	turns(2);
	CHECK_INT(the_client()->pong_at, 0);
	after(49000);
	CHECK_INT(raw(fd).n, 0);
	after(51000);
	CHECK_SVEQ(raw(fd), sv_make("\x89\0", 2));
	after(60000);
	CHECK_STR(get(fd), "close 3012");
	close(fd);
	CHECK(stop());
}

/* The protocol's own pong is not awaited then. */
TEST(no_other_pong_for_a_ping_frame)
{
	int fd;

	start(1, CONF);
	fd = frame_pinged();
	after(25000);
	raw(fd);
	CHECK_STR(ask(fd, "{}"), "close 3501");
	close(fd);
	CHECK(stop());
}

TEST(a_pong_frame_is_no_pong_otherwise)
{
	int fd;

	start(1, CONF);
	fd = connected(0);
	after(25000);
	CHECK_STR(get(fd), "{}");
	put_frame(fd, WS_OP_PONG, "");
	turns(2);
	CHECK(the_client()->pong_at != 0);
	CHECK(the_client()->ping_out);
	close(fd);
	CHECK(stop());
}

/* ---- closes ---- */

TEST(closes)
{
	static const struct {
		enum ws_op	 op;
		const char	*payload;
		struct sv	 want;
	} row[] = {
		{ WS_OP_CLOSE, "", SV_INIT("\x88\0") },
		{ WS_OP_CLOSE, "\x03\xe8", SV_INIT("\x88\2\x03\xe8") },
		{ WS_OP_CLOSE, "\x03\xe9" "bye", SV_INIT("\x88\2\x03\xe9") },
		/* 999 is no code: a protocol error, 1002. */
		{ WS_OP_CLOSE, "\x03\xe7", SV_INIT("\x88\2\x03\xea") },
		{ WS_OP_TEXT, "\xff", SV_INIT("\x88\2\x03\xef") },
		{ (enum ws_op)3, "", SV_INIT("\x88\2\x03\xea") },
	};
	struct node	*n;
	size_t		 i;
	int		 fd;

	start(1, CONF);
	n = srv.node[0];
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("row %zu", i);
		fd = connected(0);
		ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
		CHECK_INT(n->hub.nsubs, 1);
		put_frame(fd, row[i].op, row[i].payload);
		put(fd, "{\"id\":3,\"subscribe\":{\"channel\":\"b\"}}");
		turns(2);
		CHECK_SVEQ(raw(fd), row[i].want);
		/* All is left at once, though the peer is still there. */
		CHECK_INT(n->hub.nsubs, 0);
		CHECK_INT(n->stats.num_clients, 0);
		CHECK_INT(n->nclients, 1);
		close(fd);
		turns(2);
		CHECK_INT(n->nclients, 0);
	}
	/* Only what we begin is counted. */
	CHECK_INT(ws_stats(0)->outgoing_close[disconnect_slot(1002)], 3);
	CHECK(stop());
}

TEST(too_big)
{
	static char	text[1001];
	int		fd;

	start(1, CONF);
	fd = connected(0);
	memset(text, ' ', 1000);
	memcpy(text, "{\"id\":2,\"rpc\":{}}", 17);
	CHECK(strstr(ask(fd, text), "\"code\":108") != NULL);
	text[999] = 'x';
	CHECK_STR(ask(fd, text), "close 3501");
	close(fd);
	turns(3);
	fd = connected(0);
	(void)!send(fd, "\x81\xfe\x03\xe9\0\0\0\0", 8, 0);
	turns(2);
	CHECK_STR(get(fd), "close 1009");
	close(fd);
	CHECK(stop());
}

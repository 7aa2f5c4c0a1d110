/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The client protocol in process: a worker, a node, and peers at the other
 * end of socket pairs that speak WebSocket.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client.h"
#include "client/transport.h"
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

#define HEAD \
	"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

static const struct http_route route = {
	.path = "/ws", .methods = 1u << HTTP_GET,
	.handler = ws_transport_handler,
};
static const struct http_site site = {
	.route = &route, .nroute = 1, .max_head = 4096,
	.header_timeout_ms = 10000, .body_timeout_ms = 10000,
	.idle_timeout_ms = 10000,
};

static struct server		 srv;
static struct worker		*w;
static const struct conf	*conf;

static void
drained(struct node *n)
{
	(void)n;
}

static bool
start(void)
{
	struct conf_errors	errs = CONF_ERRORS_INIT;
	struct conf_source	src = { .path = "test", .text = SV(CONF) };

	srv = (struct server){ .n = 1, .drained = drained };
	w = NULL;
	if (conf_load(&conf, &src, &errs) == -1) {
		conf_errors_fini(&errs);
		return false;
	}
	conf_errors_fini(&errs);
	if ((w = worker_new(0)) != NULL && node_init(&srv, w, conf) == 0)
		return true;
	worker_free(w);
	conf_unref(conf);
	return false;
}

static void
stop(void)
{
	struct node *n = srv.node[0];

	worker_close_conns(w);
	CHECK_INT(n->hub.nsubs, 0);
	CHECK_INT(n->stats.num_clients, 0);
	CHECK_INT(n->stats.transport_open, 0);
	CHECK_INT(atomic_load(&srv.transports), 0);
	node_free(n);
	http_worker_fini(w);
	worker_free(w);
	conf_unref(conf);
}

static void
turns(int n)
{
	while (n-- > 0)
		worker_turn(w, 0);
}

/* A peer that has connected and sent a request; -1 on failure. */
static int
dial(const char *head)
{
	struct conn	*c;
	int		 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return -1;
	if ((c = conn_new(w, fd[0], NULL, NULL, NULL)) == NULL) {
		close(fd[1]);
		return -1;
	}
	http_serve(c, (void *)(uintptr_t)&site);
	(void)!send(fd[1], head, strlen(head), MSG_NOSIGNAL);
	turns(3);
	return fd[1];
}

static void
send_text(int fd, const char *text)
{
	unsigned char	frame[8 + 2048] = { 0x81 };
	size_t		n = strlen(text), h = 6;

	frame[1] = 0x80 | (n < 126 ? n : 126);
	if (n >= 126) {
		frame[2] = (unsigned char)(n >> 8);
		frame[3] = (unsigned char)n;
		h = 8;
	}
	memcpy(frame + h, text, n);
	(void)!send(fd, frame, h + n, MSG_NOSIGNAL);
	turns(2);
}

/* What has come, frame headers left out, frames separated by '|'. A close
 * frame shows as its code. */
static const char *
receive(int fd)
{
	static unsigned char	raw[1 << 17];
	static char		text[1 << 17];
	size_t			at = 0, out = 0, len;
	ssize_t			n = read(fd, raw, sizeof(raw));

	while (n > 0 && at + 2 <= (size_t)n) {
		unsigned char op = raw[at] & 15;

		len = raw[at + 1];
		at += 2;
		if (len == 126) {
			len = (size_t)raw[at] << 8 | raw[at + 1];
			at += 2;
		}
		if (out > 0)
			text[out++] = '|';
		if (op == WS_OP_CLOSE && len >= 2) {
			out += (size_t)sprintf(text + out, "close %d",
			    raw[at] << 8 | raw[at + 1]);
		} else {
			memcpy(text + out, raw + at, len);
			out += len;
		}
		at += len;
	}
	text[out] = '\0';
	return text;
}

static const char *
ask(int fd, const char *text)
{
	send_text(fd, text);
	return receive(fd);
}

/* A connected peer. */
static int
connected(void)
{
	int fd = dial(HEAD "\r\n");

	if (fd == -1)
		return -1;
	(void)!read(fd, (char[512]){ 0 }, 512);
	ask(fd, "{\"id\":1,\"connect\":{}}");
	return fd;
}

/* ---- the conversation ---- */

TEST(replies_share_a_frame)
{
	int fd;

	start();
	fd = connected();
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"unsubscribe\":{\"channel\":\"a\"}}\n"),
	    "{\"id\":2,\"subscribe\":{}}\n{\"id\":3,\"unsubscribe\":{}}");
	close(fd);
	stop();
}

/* spec 12.11: the reply to subscribe goes before any publication. */
TEST(subscribe_reply_precedes_publications)
{
	char	want[512], id[37];
	int	fd;

	start();
	fd = connected();
	client_id(LIST_FIRST(&srv.node[0]->clients), id);
	snprintf(want, sizeof(want), "{\"id\":2,\"subscribe\":{}}|"
	    "{\"push\":{\"channel\":\"a\",\"pub\":{\"data\":{\"x\": 1},"
	    "\"info\":{\"user\":\"\",\"client\":\"%s\"}}}}|"
	    "{\"id\":3,\"publish\":{}}", id);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n"
	    "{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":{\"x\": 1}}}"),
	    want);
	close(fd);
	stop();
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

	start();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].send);
		fd = connected();
		CHECK_STR(ask(fd, row[i].send), row[i].want);
		close(fd);
		turns(3);
	}
	stop();
}

TEST(limits_of_channels)
{
	int fd;

	start();
	fd = connected();
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
	stop();
}

/* ---- deadlines ---- */

/* The one client's deadlines, ms after it came. A turn sets the clock right
 * again. */
static void
at(int64_t ms)
{
	struct client *c = LIST_FIRST(&srv.node[0]->clients);

	w->now += ms;
	client_timer(c);
	turns(1);
}

TEST(ping_and_pong)
{
	struct client	*c;
	int		 fd;

	start();
	fd = connected();
	c = LIST_FIRST(&srv.node[0]->clients);
	CHECK(c->ping_at - w->now >= 12000);
	CHECK(c->ping_at - w->now <= 25000);
	at(25000);
	CHECK_STR(receive(fd), "{}");
	CHECK_STR(ask(fd, "{}"), "");
	CHECK_STR(ask(fd, "{}"), "close 3501");
	close(fd);
	turns(3);
	fd = connected();
	at(25000);
	CHECK_STR(receive(fd), "{}");
	at(25000 + 8000);
	CHECK_STR(receive(fd), "close 3012");
	close(fd);
	stop();
}

TEST(stale_connections_go)
{
	int fd;

	start();
	fd = dial(HEAD "\r\n");
	(void)!read(fd, (char[512]){ 0 }, 512);
	at(9000);
	CHECK_STR(receive(fd), "");
	at(10000);
	CHECK_STR(receive(fd), "close 3502");
	close(fd);
	stop();
}

/* ---- slow consumers ---- */

/* Much in one turn is no fault of a peer that reads. */
TEST(a_burst_is_not_slow)
{
	struct node	*n;
	struct hub_pub	 from = { .channel = SV("a") };
	struct hub_pub	*pub;
	static char	 data[1000];
	size_t		 got = 0;
	ssize_t		 k;
	int		 fd, i;

	start();
	fd = connected();
	n = srv.node[0];
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
	memset(data, '1', sizeof(data));
	from.data = sv_make(data, sizeof(data));
	for (i = 0; i < 150; i++) {
		pub = hub_pub_new(&n->hub, &from);
		hub_deliver(&n->hub, pub);
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
	stop();
}

TEST(a_peer_that_does_not_read_is_cut_off)
{
	struct node	*n;
	struct hub_pub	 from = { .channel = SV("a") };
	static char	 data[10000];
	int		 fd, i;

	start();
	fd = connected();
	n = srv.node[0];
	ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
	memset(data, '1', sizeof(data));
	from.data = sv_make(data, sizeof(data));
	for (i = 0; i < 100; i++) {
		hub_deliver(&n->hub, hub_pub_new(&n->hub, &from));
		turns(1);
		if (!LIST_EMPTY(&w->conns))
			CHECK(LIST_FIRST(&w->conns)->out_bytes <= 100200);
	}
	CHECK_INT(n->stats.disconnects[disconnect_slot(DISCONNECT_SLOW)], 1);
	close(fd);
	stop();
}

/* ---- handshake ---- */

static int
status_of(const char *head)
{
	char	text[512] = "";
	int	fd = dial(head), status = 0;

	(void)!read(fd, text, sizeof(text) - 1);
	sscanf(text, "HTTP/1.1 %d", &status);
	close(fd);
	turns(3);
	return status;
}

TEST(origins)
{
	start();
	CHECK_INT(status_of(HEAD "\r\n"), 101);
	CHECK_INT(status_of(HEAD "Origin: https://a.example.com\r\n\r\n"),
	    101);
	CHECK_INT(status_of(HEAD "Origin: HTTPS://A.EXAMPLE.COM\r\n\r\n"),
	    101);
	CHECK_INT(status_of(HEAD "Origin: https://example.com\r\n\r\n"),
	    403);
	CHECK_INT(status_of(HEAD
	    "Origin: https://a.example.com.evil.org\r\n\r\n"), 403);
	CHECK_INT(status_of("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
	stop();
}

/* ---- everything, without memory ---- */

static bool
sweep(void)
{
	bool	ok;
	int	fd;

	if (!start())
		return false;
	ok = (fd = dial(HEAD "\r\n")) != -1;
	if (ok) {
		(void)!read(fd, (char[512]){ 0 }, 512);
		send_text(fd, "{\"id\":1,\"connect\":{}}\n"
		    "{\"id\":2,\"subscribe\":{\"channel\":\"a\\u0062\"}}\n"
		    "{\"id\":3,\"publish\":{\"channel\":\"ab\",\"data\":1}}");
		turns(3);
		ok = strstr(receive(fd), "\"id\":3,\"publish\":{}") != NULL;
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

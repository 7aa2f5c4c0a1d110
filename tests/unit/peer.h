/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A server in process for tests of clients: workers whose turns the test
 * takes one by one, nodes, and peers at the other end of socket pairs that
 * speak WebSocket. One source a program includes it.
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/transport.h"
#include "ws/ws.h"

#define PEER_HEAD \
	"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

static const struct http_route peer_route = {
	.path = "/ws", .methods = 1u << HTTP_GET,
	.handler = ws_transport_handler,
};
static const struct http_site peer_site = {
	.route = &peer_route, .nroute = 1, .max_head = 4096,
	.header_timeout_ms = 10000, .body_timeout_ms = 10000,
	.idle_timeout_ms = 10000,
};

static struct server		 srv;
static const struct conf	*conf;
static int			 drains;	/* calls of srv.drained */

static inline void
peer_drained(struct node *n)
{
	(void)n;
	drains++;
}

static inline struct transport_stats *
ws_stats(unsigned i)
{
	return &srv.node[i]->stats.transport[TRANSPORT_WEBSOCKET];
}

static inline const struct conf *
load(const char *text)
{
	struct conf_errors	 errs = CONF_ERRORS_INIT;
	struct conf_source	 src = { .path = "test" };
	const struct conf	*c;

	src.text = sv_from(text);
	conf_load(&c, &src, &errs);
	conf_errors_fini(&errs);
	return c;
}

/* Free what there is. Whether nothing was left in any register. */
static inline bool
stop(void)
{
	bool		empty = true;
	unsigned	i, round;

	for (i = 0; i < srv.n; i++)
		if (srv.worker[i] != NULL)
			worker_close_conns(srv.worker[i]);
	for (round = 0; round < 4; round++)
		for (i = 0; i < srv.n; i++)
			if (srv.node[i] != NULL)
				worker_turn(srv.worker[i], 0);
	for (i = 0; i < srv.n; i++) {
		struct node *n = srv.node[i];

		if (n != NULL && (n->hub.nsubs != 0 ||
		    n->hub.table[HUB_CHANNELS].entries.n != 0 ||
		    n->hub.table[HUB_USERS].entries.n != 0 ||
		    n->hub.table[HUB_CHANNELS].owned != 0 ||
		    n->hub.table[HUB_USERS].owned != 0 ||
		    n->stats.num_clients != 0 || n->stats.transport_open != 0))
			empty = false;
	}
	for (i = 0; i < srv.n; i++) {
		node_free(srv.node[i]);
		if (srv.worker[i] != NULL)
			http_worker_fini(srv.worker[i]);
		worker_free(srv.worker[i]);
	}
	conf_unref(conf);
	return empty && atomic_load(&srv.transports) == 0;
}

/* A server of n workers with a configuration, whose reference it takes;
 * false: no memory, and nothing is left. */
static inline bool
start_with(unsigned n, const struct conf *c)
{
	unsigned i;

	srv = (struct server){ .n = n, .drained = peer_drained };
	drains = 0;
	if ((conf = c) == NULL)
		return false;
	for (i = 0; i < n; i++) {
		if ((srv.worker[i] = worker_new(i)) == NULL ||
		    node_init(&srv, srv.worker[i], conf) == -1) {
			stop();
			return false;
		}
	}
	return true;
}

static inline bool
start(unsigned n, const char *text)
{
	return start_with(n, load(text));
}

/* n turns of each worker. */
static inline void
turns(int n)
{
	unsigned i;

	while (n-- > 0)
		for (i = 0; i < srv.n; i++)
			worker_turn(srv.worker[i], 0);
}

/* A peer that has connected to that site on worker i and sent a request; -1
 * on failure. */
static inline int
dial_site(unsigned i, const struct http_site *site, const char *head)
{
	struct conn	*c;
	int		 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return -1;
	if ((c = conn_new(srv.worker[i], fd[0], NULL, NULL, NULL)) == NULL) {
		close(fd[1]);
		return -1;
	}
	http_serve(c, (void *)(uintptr_t)site);
	(void)!send(fd[1], head, strlen(head), MSG_NOSIGNAL);
	turns(3);
	return fd[1];
}

static inline int
dial(unsigned i, const char *head)
{
	return dial_site(i, &peer_site, head);
}

/* Send a frame, masked with zeros; no turn is taken. */
static inline void
put_frame(int fd, enum ws_op op, const char *text)
{
	unsigned char	head[8] = { (unsigned char)(0x80 | op) };
	size_t		n = strlen(text), h = 6;

	head[1] = (unsigned char)(0x80 | (n < 126 ? n : 126));
	if (n >= 126) {
		head[2] = (unsigned char)(n >> 8);
		head[3] = (unsigned char)n;
		h = 8;
	}
	(void)!send(fd, head, h, MSG_NOSIGNAL | MSG_MORE);
	(void)!send(fd, text, n, MSG_NOSIGNAL);
}

static inline void
put(int fd, const char *text)
{
	put_frame(fd, WS_OP_TEXT, text);
}

/* What has come, frame headers left out, frames separated by '|'. A close
 * frame shows as its code. */
static inline const char *
get(int fd)
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

static inline const char *
ask(int fd, const char *text)
{
	put(fd, text);
	turns(4);
	return get(fd);
}

/* A peer of worker i that has shaken hands. */
static inline int
upgraded(unsigned i)
{
	int fd = dial(i, PEER_HEAD "\r\n");

	if (fd != -1)
		(void)!read(fd, (char[512]){ 0 }, 512);
	return fd;
}

/* And one that has connected as a client, without a token. */
static inline int
connected(unsigned i)
{
	int fd = upgraded(i);

	if (fd != -1)
		ask(fd, "{\"id\":1,\"connect\":{}}");
	return fd;
}

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A server in process: two workers that take turns in one thread, requests
 * at the other end of socket pairs, and clients on both workers. The worker
 * that is asked owns about half of the channels.
 */
#ifndef TESTS_UNIT_API_SERVER_H
#define TESTS_UNIT_API_SERVER_H

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/site.h"
#include "client/client.h"
#include "tests/unit/test.h"
#include "util/clock.h"

#define WORKERS	2

static struct server		 srv;
static struct site		 site, none;
static const struct conf	*conf;

static inline void
drained(struct node *n)
{
	(void)n;
}

static inline bool
make_worker(unsigned i)
{
	struct worker *w = worker_new(i);

	if (w == NULL)
		return false;
	if (node_init(&srv, w, conf) == -1) {
		worker_free(w);
		return false;
	}
	return api_node_init(srv.node[i]) == 0;
}

static inline void
free_workers(void)
{
	unsigned	 i;
	struct worker	*w;

	for (i = 0; i < WORKERS; i++) {
		if (srv.node[i] == NULL)
			continue;
		w = srv.node[i]->w;
		api_node_fini(srv.node[i]);
		node_free(srv.node[i]);
		http_worker_fini(w);
		worker_free(w);
	}
}

static inline void
start(const char *conf_text)
{
	struct conf_errors	errs = CONF_ERRORS_INIT;
	struct conf_source	src = { .path = "test" };
	unsigned		i;

	src.text = sv_from(conf_text);
	srv = (struct server){ .n = WORKERS, .drained = drained };
	srv.started_wall_ms = clock_wall_ms() + 60000;	/* no uptime */
	snprintf(srv.uid, sizeof(srv.uid), "uid");
	snprintf(srv.name, sizeof(srv.name), "node");
	if (conf_load(&conf, &src, &errs) == -1 ||
	    site_build(&site, &none, conf, false, NULL, 0) == -1)
		abort();
	conf_errors_fini(&errs);
	for (i = 0; i < WORKERS; i++)
		if (!make_worker(i))
			abort();
}

static inline void
turns(int n)
{
	unsigned i;

	while (n-- > 0)
		for (i = 0; i < WORKERS; i++)
			worker_turn(srv.node[i]->w, 0);
}

static inline void
stop(void)
{
	unsigned i;

	for (i = 0; i < WORKERS; i++)
		worker_close_conns(srv.node[i]->w);
	turns(3);
	free_workers();
	site_fini(&site);
	site_fini(&none);
	conf_unref(conf);
}

/* A connection to that worker. */
static inline int
dial(unsigned worker)
{
	struct conn	*c;
	int		 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		abort();
	c = conn_new(srv.node[worker]->w, fd[0], NULL, NULL, NULL);
	if (c != NULL)
		http_serve(c, &site.http);
	return fd[1];
}

static char answer[1 << 16];

/* What has come on fd. */
static inline const char *
receive(int fd)
{
	ssize_t	n = 0;
	int	i;

	for (i = 0; i < 50 && n <= 0; i++) {
		turns(1);
		n = read(fd, answer, sizeof(answer) - 1);
	}
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

static inline void
say(int fd, const char *text, size_t n)
{
	(void)!send(fd, text, n, MSG_NOSIGNAL);
	turns(1);
}

/* The status and the body of the answer, with a blank between. */
static inline const char *
post(const char *path, const char *body)
{
	static char	 text[1 << 16];
	const char	*p;
	int		 fd = dial(0);

	say(fd, text, (size_t)snprintf(text, sizeof(text),
	    "POST %s HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n"
	    "Content-Length: %zu\r\n\r\n", path, strlen(body)));
	say(fd, body, strlen(body));
	receive(fd);
	close(fd);
	turns(2);
	p = strstr(answer, "\r\n\r\n");
	snprintf(text, sizeof(text), "%.3s %s",
	    strlen(answer) > 12 ? answer + 9 : "---",
	    p == NULL ? "" : p + 4);
	return text;
}

static inline void
frame(int fd, const char *text)
{
	char	f[6 + 125] = { (char)0x81 };
	size_t	n = strlen(text);

	f[1] = (char)(0x80 | n);
	memcpy(f + 6, text, n);
	say(fd, f, 6 + n);
}

/* An anonymous client on that worker, subscribed to the channel if it is not
 * NULL. */
static inline int
client(unsigned worker, const char *channel)
{
	static const char	head[] =
	    "GET /connection/websocket HTTP/1.1\r\nHost: x\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	char			text[125];
	int			fd = dial(worker);

	say(fd, head, sizeof(head) - 1);
	frame(fd, "{\"id\":1,\"connect\":{}}");
	if (channel == NULL) {
		CHECK(strstr(receive(fd), "{\"id\":1,\"connect\"") != NULL);
		return fd;
	}
	snprintf(text, sizeof(text),
	    "{\"id\":2,\"subscribe\":{\"channel\":\"%s\"}}", channel);
	frame(fd, text);
	CHECK(strstr(receive(fd), "{\"id\":2,\"subscribe\":{}}") != NULL);
	return fd;
}

/* Whether those bytes are in what has come on fd. */
static inline bool
heard(int fd, const char *what)
{
	ssize_t n;

	turns(6);
	n = read(fd, answer, sizeof(answer));
	return n > 0 && memmem(answer, (size_t)n, what, strlen(what)) != NULL;
}

#define BAD	"200 {\"error\":{\"code\":107,\"message\":\"bad request\"}}"
#define UNKNOWN	"200 {\"error\":{\"code\":102,\"message\":\"unknown channel\"}}"
#define NOT	"200 {\"error\":{\"code\":108,\"message\":\"not available\"}}"
#define OK	"200 {\"result\":{}}"

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Who a request comes from, and limits for each address: at the handshake
 * behind trusted proxies, before anything is read for others.
 */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/unit/test.h"

static struct worker	*w;
static struct limiter	*limiter;
static int		 taken, closed;

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	(void)c;
	(void)p;
	return n;
}

static void
on_close(struct conn *c)
{
	(void)c;
	closed++;
}

static const struct conn_ops ops = { .on_read = on_read, .on_close = on_close };

static void
who(struct http_exchange *x)
{
	char text[IP_STRLEN];

	http_respond(x, 200, NULL, sv_from(http_client(x, text)));
}

static void
upgrade(struct http_exchange *x)
{
	if (http_upgrade(x, SV("HTTP/1.1 101 Go\r\n\r\n"), &ops, NULL) == 0)
		taken++;
}

static void
take(struct http_exchange *x)
{
	if (http_take(x, &ops, NULL) == -1)
		return;
	taken++;
	CHECK_INT(http_begin(x, 200, NULL, SV("stream"), false), 0);
	http_release(x);
}

static const struct http_route routes[] = {
	{ .path = "/who", .methods = 1u << HTTP_GET, .handler = who },
	{ .path = "/up", .methods = 1u << HTTP_GET, .handler = upgrade },
	{ .path = "/take", .methods = 1u << HTTP_GET, .handler = take },
};
static struct ip_net	proxies = { { [10] = 0xff, [11] = 0xff, 10 }, 104 };
static const struct ip_set trusted = { &proxies, 1, false };
static const struct http_site site = {
	.route = routes, .nroute = 3, .max_head = 2048,
	.header_timeout_ms = 1000, .body_timeout_ms = 1000,
	.idle_timeout_ms = 1000,
	.trusted = &trusted, .forwarded_header = "X-Forwarded-For",
};

static void
start(unsigned conns, unsigned rate)
{
	taken = closed = 0;
	w = worker_new(0);
	limiter = limiter_new(conns, rate);
	net_set_limiter(limiter);
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(closed, taken);
	net_set_limiter(NULL);
	limiter_free(limiter);
	http_worker_fini(w);
	worker_free(w);
}

/* A connection from peer; our end. */
static int
dial(const char *peer, bool serve)
{
	struct conn	*c;
	int		 fd[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	c = conn_new(w, fd[0], NULL, NULL, NULL);
	ip_parse(c->peer_ip, sv_from(peer));
	if (serve)
		http_serve(c, (void *)(uintptr_t)&site);
	else
		http_refuse(c, LIMIT_RATE);
	return fd[1];
}

static const char *
hear(int fd)
{
	static char	got[2048];
	ssize_t		n;
	int		i;

	for (i = 0; i < 3; i++)
		worker_turn(w, 0);
	n = read(fd, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static const char *
ask(int fd, const char *path, const char *from)
{
	char	text[256];
	int	n;

	n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n"
	    "X-Forwarded-For: %s\r\n\r\n", path, from);
	CHECK_INT(write(fd, text, (size_t)n), n);
	return hear(fd);
}

static bool
is(const char *got, const char *status, const char *text)
{
	return strncmp(got, "HTTP/1.1 ", 9) == 0 &&
	    strncmp(got + 9, status, 3) == 0 && strstr(got, text) != NULL;
}

TEST(each_request_has_its_client)
{
	int fd;

	start(1, 0);
	fd = dial("10.0.0.1", true);
	CHECK(is(ask(fd, "/who", "1.2.3.4"), "200", "\r\n\r\n1.2.3.4"));
	CHECK(is(ask(fd, "/who", "5.6.7.8"), "200", "\r\n\r\n5.6.7.8"));
	CHECK(is(ask(fd, "/who", "?"), "200", "\r\n\r\n10.0.0.1"));
	close(fd);
	fd = dial("9.9.9.9", true);
	CHECK(is(ask(fd, "/who", "1.2.3.4"), "200", "\r\n\r\n9.9.9.9"));
	close(fd);
	stop();
}

static struct conn *
newest(void)
{
	return LIST_FIRST(&w->conns);
}

static void
handshakes(const char *path, const char *status)
{
	char	text[ADDR_STRLEN];
	int	a, b, c;

	start(1, 0);
	a = dial("10.0.0.1", true);
	CHECK(is(ask(a, path, "1.2.3.4"), status, ""));
	CHECK_STR(conn_peer(newest(), text), "1.2.3.4");
	b = dial("10.0.0.2", true);
	CHECK(is(ask(b, path, "1.2.3.4"), "429", "\r\nRetry-After: 10\r\n"));
	c = dial("10.0.0.2", true);
	CHECK(is(ask(c, path, "1.2.3.5"), status, ""));
	CHECK_INT(taken, 2);
	close(a);
	close(b);
	worker_turn(w, 0);
	worker_turn(w, 0);
	/* Its place is free again. */
	b = dial("10.0.0.2", true);
	CHECK(is(ask(b, path, "1.2.3.4"), status, ""));
	close(b);
	close(c);
	stop();
}

TEST(handshakes_behind_a_proxy)
{
	handshakes("/up", "101");
}

TEST(streams_behind_a_proxy)
{
	handshakes("/take", "200");
}

/* Counted when it was accepted, it is not counted twice. */
TEST(who_comes_directly_counts_once)
{
	struct limit_stats	stats;
	int			fd, fd2;

	start(1, 0);
	fd = dial("9.9.9.9", true);
	CHECK_INT(conn_limit(newest()), LIMIT_OK);
	CHECK(is(ask(fd, "/up", "1.2.3.4"), "101", ""));
	fd2 = dial("9.9.9.9", true);
	CHECK_INT(conn_limit(newest()), LIMIT_CONNS);
	net_limit_stats(&stats);
	CHECK_INT(stats.refused_conns, 1);
	CHECK_INT(stats.refused_rate, 0);
	CHECK_INT(stats.addresses, 1);
	close(fd);
	close(fd2);
	stop();
	net_limit_stats(&stats);
	CHECK_INT(stats.refused_conns + stats.addresses, 0);
}

TEST(rate_of_handshakes)
{
	int fd;

	start(0, 1);
	fd = dial("10.0.0.1", true);
	CHECK(is(ask(fd, "/up", "1.2.3.4"), "101", ""));
	close(fd);
	fd = dial("10.0.0.1", true);
	CHECK(is(ask(fd, "/up", "1.2.3.4"), "429", "\r\nRetry-After: 1\r\n"));
	close(fd);
	stop();
}

/* The answer comes whatever was sent, and then the end. */
TEST(refused_before_it_was_heard)
{
	const char	*got;
	char		 byte;
	int		 fd;

	start(0, 0);
	fd = dial("9.9.9.9", false);
	CHECK_INT(write(fd, "GET / HT", 8), 8);
	got = hear(fd);
	CHECK(is(got, "429", "\r\nRetry-After: 1\r\n"));
	CHECK(strstr(got, "too many new connections") != NULL);
	CHECK(strstr(got, "Connection: close\r\n") != NULL);
	CHECK_INT(read(fd, &byte, 1), 0);
	close(fd);
	stop();
}

/* Who never hangs up has few of our descriptors all the same. */
TEST(refused_many_times)
{
	enum { MANY = 200 };
	char	got[16];
	int	fd[MANY], i;

	start(0, 0);
	for (i = 0; i < MANY; i++)
		fd[i] = dial("9.9.9.9", false);
	for (i = 0; i < 3; i++)
		worker_turn(w, 0);
	CHECK(w->stats.conns_open > 0 && w->stats.conns_open <= 64);
	for (i = 0; i < MANY; i++) {
		CHECK_INT(read(fd[i], got, 12), 12);
		CHECK_SV(sv_make(got, 12), "HTTP/1.1 429");
		close(fd[i]);
	}
	/* And there is room for others when they have gone. */
	for (i = 0; i < 3; i++)
		worker_turn(w, 0);
	CHECK_INT(w->stats.conns_open, 0);
	fd[0] = dial("9.9.9.9", false);
	hear(fd[0]);
	CHECK_INT(w->stats.conns_open, 1);
	close(fd[0]);
	stop();
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The yardstick: the least that a server can do to hand a message to every
 * subscriber. It keeps the descriptors of each channel in an array, makes
 * the frame once and calls send() for each. No protocol, no queue, no
 * limits, no time-outs: what another server needs beyond this is the price
 * of being one.
 *
 * GET /sub/N is answered with the handshake of RFC 6455 1.3, which is right
 * for the one key that the load generator uses; POST /pub/N takes a message.
 * A request has to come in one piece. With -i it sends each subscriber a
 * ping every so many seconds, spread evenly.
 *
 * usage: yardstick [-i seconds] port
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAXFD	65536
#define MAXCHAN	1024
#define TICK_MS	100

struct chan {
	int	*fd;
	int	 n, cap;
};

struct conn {
	int	chan;		/* -1: not a subscriber */
	int	slot;		/* in the channel's array */
};

static struct chan chans[MAXCHAN];
static struct conn conns[MAXFD];
static int maxfd;

static void
send_all(int fd, const char *p, size_t n)
{
	ssize_t r = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (r != (ssize_t)n && errno != EPIPE && errno != ECONNRESET)
		err(1, "send");
}

static void
chan_add(int c, int fd)
{
	struct chan *ch = &chans[c];

	if (ch->n == ch->cap) {
		ch->cap = ch->cap != 0 ? ch->cap * 2 : 16;
		ch->fd = realloc(ch->fd, (size_t)ch->cap * sizeof(int));
		if (ch->fd == NULL)
			err(1, NULL);
	}
	conns[fd].chan = c;
	conns[fd].slot = ch->n;
	ch->fd[ch->n++] = fd;
}

static void
chan_del(int fd)
{
	struct chan *ch = &chans[conns[fd].chan];
	int last = ch->fd[--ch->n];

	ch->fd[conns[fd].slot] = last;
	conns[last].slot = conns[fd].slot;
	conns[fd].chan = -1;
}

static void
publish(int c, const char *p, size_t n)
{
	static char frame[65536 + 4];
	size_t head = 2;
	int i;

	if (n > 65535)
		errx(1, "message too long");
	frame[0] = (char)0x81;
	frame[1] = (char)n;
	if (n > 125) {
		frame[1] = 126;
		frame[2] = (char)(n >> 8);
		frame[3] = (char)n;
		head = 4;
	}
	memcpy(frame + head, p, n);
	for (i = 0; i < chans[c].n; i++)
		send_all(chans[c].fd[i], frame, head + n);
}

static void
on_request(int fd, char *p, size_t n)
{
	static const char handshake[] = "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	char *body, *len;
	int c = 0;

	p[n] = '\0';
	if ((body = strstr(p, "\r\n\r\n")) == NULL)
		errx(1, "request in pieces");
	body += 4;
	if (sscanf(p, "GET /sub/%d", &c) == 1 && c < MAXCHAN) {
		send_all(fd, handshake, sizeof(handshake) - 1);
		chan_add(c, fd);
	} else if (sscanf(p, "POST /pub/%d", &c) == 1 && c < MAXCHAN &&
	    (len = strstr(p, "Content-Length: ")) != NULL &&
	    strtoul(len + 16, NULL, 10) == (size_t)(p + n - body)) {
		publish(c, body, (size_t)(p + n - body));
		send_all(fd, ok, sizeof(ok) - 1);
	} else
		errx(1, "not understood: %s", p);
}

static void
on_readable(int fd)
{
	static char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (conns[fd].chan != -1)
			chan_del(fd);
		close(fd);
	} else if (conns[fd].chan == -1)
		on_request(fd, buf, (size_t)n);
	/* what a subscriber sends is a pong */
}

static void
on_accept(int ep, int listener)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK |
	    SOCK_CLOEXEC)) != -1) {
		if (fd >= MAXFD)
			errx(1, "too many connections");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		conns[fd].chan = -1;
		maxfd = fd > maxfd ? fd : maxfd;
		e.data.fd = fd;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == -1)
			err(1, "epoll_ctl");
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "accept4");
}

/* Ping as many descriptors as the time since the last call asks for. */
static void
ping_some(int period)
{
	static double last, owed;
	static int fd;
	struct timespec t;
	double now;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	if (last != 0)
		owed += (now - last) / period * (maxfd + 1);
	last = now;
	for (; owed >= 1; owed--) {
		if (conns[fd].chan != -1)
			send_all(fd, "\x89\x00", 2);
		fd = fd < maxfd ? fd + 1 : 0;
	}
}

static int
listen_on(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd, on = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)atoi(port));
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, 4096) == -1)
		err(1, "port %s", port);
	return fd;
}

static void
loop(int ep, int listener, int period)
{
	struct epoll_event e[256];
	int i, n;

	for (;;) {
		n = epoll_wait(ep, e, 256, period > 0 ? TICK_MS : -1);
		for (i = 0; i < n; i++)
			if (e[i].data.fd == listener)
				on_accept(ep, listener);
			else
				on_readable(e[i].data.fd);
		if (period > 0)
			ping_some(period);
	}
}

int
main(int argc, char *argv[])
{
	struct epoll_event e = { .events = EPOLLIN };
	int c, ep, i, period = 0;
	struct rlimit lim;

	while ((c = getopt(argc, argv, "i:")) != -1)
		if (c != 'i' || (period = atoi(optarg)) < 1)
			errx(64, "usage: yardstick [-i seconds] port");
	if (argc - optind != 1)
		errx(64, "usage: yardstick [-i seconds] port");
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	for (i = 0; i < MAXFD; i++)
		conns[i].chan = -1;
	e.data.fd = listen_on(argv[optind]);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e) == -1)
		err(1, "epoll");
	loop(ep, e.data.fd, period);
}

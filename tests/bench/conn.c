/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A client's connection: TLS if asked for, a request, its answer, and what
 * then comes, cut by ws.c or stream.c and msg.c.
 *
 * Connections come from many addresses of 127.0.0.0/8, because one pair of
 * addresses has only some 28,000 ports.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define SOURCES		250

static char rbuf[256 * 1024];

void
conn_write(struct conn *c, const void *p, size_t n)
{
	if (c->tls != NULL)
		tls_write(c, p, n);
	else if (send(c->ev.fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
}

/* What is left of the buffer waits for the rest of its frame. */
static void
keep(struct conn *c, const char *p, size_t n)
{
	free(c->part);
	c->part = NULL;
	c->npart = (uint32_t)n;
	if (n == 0)
		return;
	if ((c->part = malloc(n)) == NULL)
		err(1, NULL);
	memcpy(c->part, p, n);
}

static bool
is_ws(void)
{
	return load.dialect == PLAIN || load.way->ws;
}

/* n bytes have come, of which the first `old' wait since earlier. */
static void
input(struct conn *c, size_t old, size_t n, uint64_t now)
{
	bool ws = is_ws();
	char *p = rbuf;
	size_t used;

	if (!c->is_open) {
		if ((used = ws ? ws_head(p, n) : stream_head(c, p, n)) == 0) {
			keep(c, p, n);
			return;
		}
		c->is_open = true;
		c->on_open(c);
		p += used;
		n -= used;
		old = 0;
	}
	if (!ws)
		n = old + stream_chunks(c, p + old, n - old);
	while (n > 0 && (used = ws ? ws_frame(c, p, n, now) :
	    msg_take(c, p, n, now)) > 0) {
		p += used;
		n -= used;
	}
	if (n > 0 || c->part != NULL)
		keep(c, p, n);
}

static void
send_request(struct conn *c)
{
	conn_write(c, c->request.p, c->request.n);
	free(c->request.p);
	c->request.p = NULL;
}

static void
conn_ready(struct ev *ev, uint32_t events)
{
	struct conn *c = (struct conn *)ev;
	size_t n = c->npart;
	ssize_t r;

	(void)events;
	if (c->shaking) {
		if (!tls_shake(c))
			return;
		c->shaking = false;
		send_request(c);
	}
	if (n > 0)
		memcpy(rbuf, c->part, n);
	if (c->tls != NULL)
		r = tls_read(c, rbuf + n, sizeof(rbuf) - n);
	else
		r = read(ev->fd, rbuf + n, sizeof(rbuf) - n);
	if (r == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0)
		errx(1, "the server hangs up: %s", r == 0 ? "end of file" :
		    strerror(errno));
	input(c, n, n + (size_t)r, now_ns());
}

void
conn_dial(struct conn *c, unsigned i)
{
	struct in_addr source;

	source.s_addr = htonl(0x7f000101 + i % SOURCES);
	c->ev.fd = dial(&load.addr, &source);
	if (load.tls.on)
		tls_begin(c);
}

void
conn_start(struct conn *c, unsigned i, struct text request)
{
	c->ev.on_ready = conn_ready;
	c->request = request;
	conn_dial(c, i);
	c->shaking = c->tls != NULL && !tls_shake(c);
	if (!c->shaking)
		send_request(c);
	loop_add(&c->ev, EPOLLIN);
}

void
conn_drop(struct conn *c)
{
	if (c->tls != NULL)
		tls_drop(c);
	close(c->ev.fd);
	free(c->part);
	c->part = NULL;
	c->npart = 0;
	c->is_open = false;
	c->in_chunk = 0;
	c->chunk = 0;
}

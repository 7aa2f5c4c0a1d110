/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A client's WebSocket connection: handshake, frames, pings, and the split
 * of what comes into lines.
 *
 * Connections come from many addresses of 127.0.0.0/8, because one pair of
 * addresses has only some 28,000 ports. The handshake is the example of
 * RFC 6455 1.3, so the answer to expect is a constant.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define KEY		"dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT		"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define SOURCES		250

struct frame {
	unsigned	 op;
	char		*p;
	size_t		 n;
};

static char rbuf[256 * 1024];

/* A client's frame: masked, and never longer than 125 bytes here. */
void
conn_send(struct conn *c, unsigned op, const char *p, size_t n)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char f[6 + 125];
	size_t i;

	f[0] = (unsigned char)(0x80 | op);
	f[1] = (unsigned char)(0x80 | n);
	memcpy(f + 2, mask, 4);
	for (i = 0; i < n; i++)
		f[6 + i] = (unsigned char)p[i] ^ mask[i & 3];
	if (send(c->ev.fd, f, 6 + n, MSG_NOSIGNAL) != (ssize_t)(6 + n))
		err(1, "send");
}

static void
on_line(struct conn *c, const char *p, size_t n, uint64_t now)
{
	if (n == 2 && p[0] == '{' && p[1] == '}') {
		load.pings++;
		conn_send(c, 1, "{}", 2);
	} else
		c->on_line(c, p, n, now);
}

static void
on_text(struct conn *c, const char *p, size_t n, uint64_t now)
{
	const char *nl;

	while (n > 0 && (nl = memchr(p, '\n', n)) != NULL) {
		if (nl > p)
			on_line(c, p, (size_t)(nl - p), now);
		n -= (size_t)(nl + 1 - p);
		p = nl + 1;
	}
	if (n > 0)
		on_line(c, p, n, now);
}

static void
on_frame(struct conn *c, const struct frame *f, uint64_t now)
{
	switch (f->op) {
	case 1:
	case 2:
		on_text(c, f->p, f->n, now);
		break;
	case 8:
		errx(1, "the server closes: %.*s", f->n > 2 ? (int)f->n - 2 :
		    0, f->n > 2 ? f->p + 2 : "");
	case 9:
		load.pings++;
		conn_send(c, 10, f->p, f->n);
		break;
	default:
		errx(1, "frame of type %u", f->op);
	}
}

/* A server's frame: whole, unmasked. The bytes it takes, or 0: need more. */
static size_t
frame_parse(struct frame *f, char *p, size_t n)
{
	unsigned char *u = (unsigned char *)p;
	size_t head = 2, i;

	if (n < 2)
		return 0;
	if ((u[0] & 0xf0) != 0x80 || (u[1] & 0x80) != 0)
		errx(1, "frame begins with %02x %02x", u[0], u[1]);
	f->op = u[0] & 15;
	f->n = u[1];
	if (f->n >= 126) {
		head += f->n == 126 ? 2 : 8;
		if (n < head)
			return 0;
		for (f->n = 0, i = 2; i < head; i++)
			f->n = f->n << 8 | u[i];
	}
	f->p = p + head;
	return n - head < f->n ? 0 : head + f->n;
}

/* The answer to the handshake. The bytes it takes, or 0: need more. */
static size_t
on_handshake(struct conn *c, const char *p, size_t n)
{
	const char *end;

	if ((end = memmem(p, n, "\r\n\r\n", 4)) == NULL)
		return 0;
	if (strncmp(p, "HTTP/1.1 101 ", 13) != 0 ||
	    memmem(p, n, ACCEPT, strlen(ACCEPT)) == NULL)
		errx(1, "no handshake: %.*s", (int)n, p);
	c->is_open = true;
	c->on_open(c);
	return (size_t)(end + 4 - p);
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

static void
conn_ready(struct ev *ev, uint32_t events)
{
	struct conn *c = (struct conn *)ev;
	struct frame f;
	size_t n = c->npart, used;
	uint64_t now;
	char *p = rbuf;
	ssize_t r;

	(void)events;
	if (n > 0)
		memcpy(rbuf, c->part, n);
	if ((r = read(ev->fd, rbuf + n, sizeof(rbuf) - n)) <= 0) {
		if (r == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		errx(1, "the server hangs up: %s", r == 0 ? "end of file" :
		    strerror(errno));
	}
	n += (size_t)r;
	now = now_ns();
	if (!c->is_open) {
		used = on_handshake(c, p, n);
		p += used;
		n -= used;
	}
	while (c->is_open && (used = frame_parse(&f, p, n)) > 0) {
		on_frame(c, &f, now);
		p += used;
		n -= used;
	}
	if (n > 0 || c->part != NULL)
		keep(c, p, n);
}

void
conn_start(struct conn *c, unsigned i, const char *path)
{
	struct in_addr source;
	char req[512];
	int n;

	source.s_addr = htonl(0x7f000101 + i % SOURCES);
	c->ev.on_ready = conn_ready;
	c->ev.fd = dial(&source);
	n = snprintf(req, sizeof(req), "GET %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    path);
	if (send(c->ev.fd, req, (size_t)n, MSG_NOSIGNAL) != n)
		err(1, "send");
	loop_add(&c->ev, EPOLLIN);
}

void
conn_drop(struct conn *c)
{
	close(c->ev.fd);
	free(c->part);
	c->part = NULL;
	c->npart = 0;
	c->is_open = false;
}

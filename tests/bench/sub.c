/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscribers: WebSocket connections that say what the server's dialect
 * asks for, answer pings, and check and count what they are sent.
 *
 * They are opened from many addresses of 127.0.0.0/8, because one pair of
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
#define MARK		"{\"s\":\""	/* begins the data of a message */
#define UNDER_WAY	128
#define SOURCES		250

enum state { HANDSHAKE, CONNECT, SUBSCRIBE, READY };

struct sub {
	struct ev	 ev;
	enum state	 state;
	uint32_t	 chan;
	uint32_t	 seq;		/* of the last message */
	uint32_t	 npart;		/* bytes of an unfinished frame */
	char		*part;
};

struct frame {
	unsigned	 op;
	char		*p;
	size_t		 n;
};

static unsigned nready;
static char rbuf[256 * 1024];

/* A client's frame: masked, and never longer than 125 bytes here. */
static void
sub_send(struct sub *s, unsigned op, const char *p, size_t n)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char f[6 + 125];
	size_t i;

	f[0] = (unsigned char)(0x80 | op);
	f[1] = (unsigned char)(0x80 | n);
	memcpy(f + 2, mask, 4);
	for (i = 0; i < n; i++)
		f[6 + i] = (unsigned char)p[i] ^ mask[i & 3];
	if (send(s->ev.fd, f, 6 + n, MSG_NOSIGNAL) != (ssize_t)(6 + n))
		err(1, "subscriber: send");
}

static uint64_t
digits(const char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v * 10 + (uint64_t)(*p++ - '0');
	return v;
}

/* p points at MARK; see msg_format in pub.c. */
static void
on_message(struct sub *s, const char *p, size_t n, uint64_t now)
{
	uint32_t seq;
	uint64_t sent;

	if (n < load.size)
		errx(1, "a message of %zu bytes came as %zu", load.size, n);
	seq = (uint32_t)digits(p + 6, 10);
	sent = digits(p + 23, 20);
	if (load.ordered && seq != s->seq + 1)
		errx(1, "channel b%u: message %u came after %u", s->chan, seq,
		    s->seq);
	s->seq = seq;
	load.received++;
	hist_add(&load.lat, now > sent ? now - sent : 0);
}

static void
on_reply(struct sub *s, const char *p, size_t n)
{
	char cmd[64];
	int len;

	if (memmem(p, n, "\"error\"", 7) != NULL)
		errx(1, "the server refuses: %.*s", (int)n, p);
	if (s->state == CONNECT && memmem(p, n, "\"connect\"", 9) != NULL) {
		len = snprintf(cmd, sizeof(cmd),
		    "{\"id\":2,\"subscribe\":{\"channel\":\"b%u\"}}", s->chan);
		sub_send(s, 1, cmd, (size_t)len);
		s->state = SUBSCRIBE;
	} else if (s->state == SUBSCRIBE &&
	    memmem(p, n, "\"subscribe\"", 11) != NULL) {
		s->state = READY;
		nready++;
	} else
		errx(1, "not understood: %.*s", (int)n, p);
}

static void
on_line(struct sub *s, const char *p, size_t n, uint64_t now)
{
	const char *mark;

	if (n == 2 && p[0] == '{' && p[1] == '}') {
		load.pings++;
		sub_send(s, 1, "{}", 2);
	} else if (s->state == READY &&
	    (mark = memmem(p, n, MARK, strlen(MARK))) != NULL) {
		load.bytes += n;
		on_message(s, mark, n - (size_t)(mark - p), now);
	} else
		on_reply(s, p, n);
}

static void
on_text(struct sub *s, const char *p, size_t n, uint64_t now)
{
	const char *nl;

	while (n > 0 && (nl = memchr(p, '\n', n)) != NULL) {
		if (nl > p)
			on_line(s, p, (size_t)(nl - p), now);
		n -= (size_t)(nl + 1 - p);
		p = nl + 1;
	}
	if (n > 0)
		on_line(s, p, n, now);
}

static void
on_frame(struct sub *s, const struct frame *f, uint64_t now)
{
	switch (f->op) {
	case 1:
	case 2:
		on_text(s, f->p, f->n, now);
		break;
	case 8:
		errx(1, "the server closes: %.*s", f->n > 2 ? (int)f->n - 2 :
		    0, f->n > 2 ? f->p + 2 : "");
	case 9:
		load.pings++;
		sub_send(s, 10, f->p, f->n);
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
on_handshake(struct sub *s, const char *p, size_t n)
{
	const char *end;

	if ((end = memmem(p, n, "\r\n\r\n", 4)) == NULL)
		return 0;
	if (strncmp(p, "HTTP/1.1 101 ", 13) != 0 ||
	    memmem(p, n, ACCEPT, strlen(ACCEPT)) == NULL)
		errx(1, "no handshake: %.*s", (int)n, p);
	if (load.dialect == PLAIN) {
		s->state = READY;
		nready++;
	} else {
		sub_send(s, 1, "{\"id\":1,\"connect\":{}}", 21);
		s->state = CONNECT;
	}
	return (size_t)(end + 4 - p);
}

/* What is left of the buffer waits for the rest of its frame. */
static void
keep(struct sub *s, const char *p, size_t n)
{
	free(s->part);
	s->part = NULL;
	s->npart = (uint32_t)n;
	if (n == 0)
		return;
	if ((s->part = malloc(n)) == NULL)
		err(1, NULL);
	memcpy(s->part, p, n);
}

static void
sub_ready(struct ev *ev, uint32_t events)
{
	struct sub *s = (struct sub *)ev;
	struct frame f;
	size_t n = s->npart, used;
	uint64_t now;
	char *p = rbuf;
	ssize_t r;

	(void)events;
	if (n > 0)
		memcpy(rbuf, s->part, n);
	if ((r = read(ev->fd, rbuf + n, sizeof(rbuf) - n)) <= 0) {
		if (r == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		errx(1, "the server hangs up: %s", r == 0 ? "end of file" :
		    strerror(errno));
	}
	n += (size_t)r;
	now = now_ns();
	if (s->state == HANDSHAKE) {
		used = on_handshake(s, p, n);
		p += used;
		n -= used;
	}
	while (s->state != HANDSHAKE && (used = frame_parse(&f, p, n)) > 0) {
		on_frame(s, &f, now);
		p += used;
		n -= used;
	}
	if (n > 0 || s->part != NULL)
		keep(s, p, n);
}

static void
sub_start(struct sub *s, unsigned i)
{
	struct in_addr source;
	char req[512], path[32] = "/connection/websocket";
	int n;

	source.s_addr = htonl(0x7f000101 + i % SOURCES);
	s->chan = i % load.nchan;
	s->ev.on_ready = sub_ready;
	s->ev.fd = dial(&source);
	if (load.dialect == PLAIN)
		snprintf(path, sizeof(path), "/sub/%u", s->chan);
	n = snprintf(req, sizeof(req), "GET %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    path);
	if (send(s->ev.fd, req, (size_t)n, MSG_NOSIGNAL) != n)
		err(1, "subscriber: send");
	loop_add(&s->ev, EPOLLIN);
}

void
subs_open(unsigned n)
{
	struct sub *subs;
	unsigned i;

	if ((subs = calloc(n, sizeof(*subs))) == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++) {
		sub_start(&subs[i], i);
		while (i + 1 - nready >= UNDER_WAY)
			loop_turn(now_ns() + NSEC);
	}
	while (nready < n)
		loop_turn(now_ns() + NSEC);
}

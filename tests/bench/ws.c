/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * WebSocket, the client's side: handshake, frames, pings, and frames that
 * were compressed (permessage-deflate without context takeover). Of these
 * all subscribers of a channel are sent the same bytes, so what was inflated
 * last is kept, and a frame that equals it costs a comparison.
 *
 * The handshake is the example of RFC 6455 1.3, so the answer to expect is a
 * constant.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "bench.h"

#define KEY		"dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT		"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define ZIPPED		0x40

struct frame {
	unsigned	 op;
	bool		 zipped;
	char		*p;
	size_t		 n;
};

struct text
ws_request(const char *target)
{
	struct text t;
	int n;

	if ((n = asprintf(&t.p, "GET %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s"
	    "\r\n", target, load.deflate ?
	    "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "")) == -1)
		err(1, NULL);
	t.n = (size_t)n;
	return t;
}

size_t
ws_head(const char *p, size_t n)
{
	const char *end;

	if ((end = memmem(p, n, "\r\n\r\n", 4)) == NULL)
		return 0;
	if (strncmp(p, "HTTP/1.1 101 ", 13) != 0 ||
	    memmem(p, n, ACCEPT, strlen(ACCEPT)) == NULL)
		errx(1, "no handshake: %.*s", (int)n, p);
	if (load.deflate && memmem(p, n, "permessage-deflate", 18) == NULL)
		errx(1, "no permessage-deflate: %.*s", (int)n, p);
	return (size_t)(end + 4 - p);
}

/* A client's frame: masked, and never longer than 600 bytes here. */
void
conn_send(struct conn *c, unsigned op, const char *p, size_t n)
{
	static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char f[8 + 600];
	size_t head = 2, i;

	f[0] = (unsigned char)(0x80 | op);
	f[1] = (unsigned char)(0x80 | n);
	if (n > 125) {
		f[1] = 0x80 | 126;
		f[head++] = (unsigned char)(n >> 8);
		f[head++] = (unsigned char)n;
	}
	memcpy(f + head, mask, 4);
	head += 4;
	for (i = 0; i < n; i++)
		f[head + i] = (unsigned char)p[i] ^ mask[i & 3];
	conn_write(c, f, head + n);
}

/* A message's text instead of what was sent. */
static void
inflate_frame(struct frame *f)
{
	static const char tail[4] = { 0, 0, (char)0xff, (char)0xff };
	static char was[32768], text[65536];
	static size_t nwas, ntext;
	z_stream z = {0};

	if (nwas != f->n || memcmp(was, f->p, nwas) != 0) {
		if (f->n > sizeof(was) - 4)
			errx(1, "a compressed message of %zu bytes", f->n);
		memcpy(was, f->p, f->n);
		memcpy(was + f->n, tail, 4);
		nwas = f->n;
		z.next_in = (void *)was;
		z.avail_in = (unsigned)nwas + 4;
		z.next_out = (void *)text;
		z.avail_out = sizeof(text);
		if (inflateInit2(&z, -15) != Z_OK ||
		    inflate(&z, Z_SYNC_FLUSH) != Z_OK || z.avail_in > 0)
			errx(1, "a message can't be inflated");
		ntext = sizeof(text) - z.avail_out;
		inflateEnd(&z);
	}
	load.zipped++;
	f->p = text;
	f->n = ntext;
}

static void
on_frame(struct conn *c, struct frame *f, uint64_t now)
{
	switch (f->op) {
	case 1:
	case 2:
		if (f->zipped)
			inflate_frame(f);
		if (msg_take(c, f->p, f->n, now) != f->n)
			errx(1, "half a message in a frame");
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
	unsigned flags = load.deflate ? 0xf0 & ~ZIPPED : 0xf0;
	size_t head = 2, i;

	if (n < 2)
		return 0;
	if ((u[0] & flags) != 0x80 || (u[1] & 0x80) != 0)
		errx(1, "frame begins with %02x %02x", u[0], u[1]);
	f->op = u[0] & 15;
	f->zipped = (u[0] & ZIPPED) != 0;
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

size_t
ws_frame(struct conn *c, char *p, size_t n, uint64_t now)
{
	struct frame f;
	size_t used = frame_parse(&f, p, n);

	if (used > 0)
		on_frame(c, &f, now);
	return used;
}

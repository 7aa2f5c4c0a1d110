/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Server-sent events and HTTP streams, the client's side: a request that
 * says all that there is to say, and an answer without end. It may come in
 * chunks, which a proxy may cut anew, so no chunk has to be a message.
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { SIZE, DATA, END, NONE };	/* conn.in_chunk */

/* Everything but letters and digits as %XX. */
static void
escape(char *out, const char *p, size_t n)
{
	for (; n > 0; p++, n--)
		out += isalnum((unsigned char)*p) ? sprintf(out, "%c", *p) :
		    sprintf(out, "%%%02X", (unsigned char)*p);
	*out = '\0';
}

static size_t
body_format(char *p, size_t cap, unsigned chan)
{
	size_t n = msg_connect(p, cap);

	return load.way->one_way ? n :
	    n + msg_subscribe(p + n, cap - n, chan, "");
}

struct text
stream_request(unsigned chan)
{
	char body[1024], value[3 * sizeof(body) + 1] = "";
	size_t nbody = body_format(body, sizeof(body), chan);
	struct text t;
	int n;

	if (load.way->in_url) {
		escape(value, body, nbody);
		nbody = 0;
	}
	if ((n = asprintf(&t.p, "%s %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "Content-Type: application/%s\r\nContent-Length: %zu\r\n\r\n"
	    "%*s", load.way->in_url ? "GET" : "POST", load.way->target,
	    value, load.way->protobuf ? "octet-stream" : "json", nbody,
	    (int)nbody, "")) == -1)
		err(1, NULL);
	t.n = (size_t)n;
	memcpy(t.p + t.n - nbody, body, nbody);
	return t;
}

size_t
stream_head(struct conn *c, const char *p, size_t n)
{
	static const char chunked[] = "\r\nTransfer-Encoding: chunked\r\n";
	const char *end;

	if ((end = memmem(p, n, "\r\n\r\n", 4)) == NULL)
		return 0;
	if (strncmp(p, "HTTP/1.1 200 ", 13) != 0)
		errx(1, "not a stream: %.*s", (int)n, p);
	n = (size_t)(end + 4 - p);
	c->in_chunk = memmem(p, n, chunked, strlen(chunked)) != NULL ?
	    SIZE : NONE;
	return n;
}

static void
chunk_sign(struct conn *c, char sign)
{
	if (c->in_chunk == END) {
		if (sign == '\n')
			c->in_chunk = SIZE;
	} else if (isxdigit((unsigned char)sign))
		c->chunk = c->chunk * 16 + (uint32_t)(isdigit(
		    (unsigned char)sign) ? sign - '0' : (sign | 32) - 'a' + 10);
	else if (sign == '\n') {
		if (c->chunk == 0)
			errx(1, "the server ends a stream");
		c->in_chunk = DATA;
	}
}

size_t
stream_chunks(struct conn *c, char *p, size_t n)
{
	size_t i, out = 0, k;

	if (c->in_chunk == NONE)
		return n;
	for (i = 0; i < n; i += k) {
		k = 1;
		if (c->in_chunk != DATA) {
			chunk_sign(c, p[i]);
			continue;
		}
		k = n - i < c->chunk ? n - i : c->chunk;
		memmove(p + out, p + i, k);
		out += k;
		c->chunk -= (uint32_t)k;
		if (c->chunk == 0)
			c->in_chunk = END;
	}
	return out;
}

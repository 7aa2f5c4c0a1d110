/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The client protocol as far as a subscriber needs it, in JSON and in
 * protobuf. A publication's data is JSON in either, so whoever looks for it
 * needs no parser.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* Protobuf: numbers of fields. */
enum {
	ID = 1,
	CMD_CONNECT = 4, CMD_SUBSCRIBE = 5,
	REPLY_FIELD_ERROR = 2, REPLY_FIELD_CONNECT = 5,
	REPLY_FIELD_SUBSCRIBE = 6,
	CHANNEL = 1
};
#define TAG(field)	((field) << 3 | 2)	/* with a length */

static const struct way ways[] = {
	{ .name = "ws", .target = "/connection/websocket", .ws = true },
	{ .name = "ws-pb", .target = "/connection/websocket?format=protobuf",
	  .ws = true, .protobuf = true },
	{ .name = "sse", .target = "/connection/sse?cf_connect=",
	  .in_url = true },
	{ .name = "http", .target = "/connection/http_stream" },
	{ .name = "http-pb", .target = "/connection/http_stream",
	  .protobuf = true },
	{ .name = "uni-ws", .target = "/connection/uni_websocket",
	  .ws = true, .one_way = true },
	{ .name = "uni-sse", .target = "/connection/uni_sse?cf_connect=",
	  .one_way = true, .in_url = true },
	{ .name = "uni-http", .target = "/connection/uni_http_stream",
	  .one_way = true },
};

const struct way *
way_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	errx(64, "no way in is called %s", name);
}

/* ---- what comes ---- */

static void
on_ping(struct conn *c)
{
	load.pings++;
	if (load.dialect == PLAIN || !load.way->ws || load.way->one_way)
		return;
	if (load.way->protobuf)
		conn_send(c, 2, "", 1);
	else
		conn_send(c, 1, "{}", 2);
}

static void
on_line(struct conn *c, const char *p, size_t n, uint64_t now)
{
	if (n > 6 && memcmp(p, "data: ", 6) == 0) {
		p += 6;
		n -= 6;
	}
	if (n > 0 && p[n - 1] == '\r')
		n--;
	if (n == 2 && p[0] == '{' && p[1] == '}')
		on_ping(c);
	else if (n > 0)
		c->on_line(c, p, n, now);
}

/* The last line of a frame needs no end. */
static size_t
take_lines(struct conn *c, const char *p, size_t n, uint64_t now)
{
	const char *nl, *from = p, *end = p + n;

	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		on_line(c, p, (size_t)(nl - p), now);
		p = nl + 1;
	}
	if (p < end && (load.dialect == PLAIN || load.way->ws)) {
		on_line(c, p, (size_t)(end - p), now);
		p = end;
	}
	return (size_t)(p - from);
}

/* The length before a message; false: it is not there yet. */
static bool
varint(const char **p, const char *end, size_t *v)
{
	unsigned shift;

	for (*v = 0, shift = 0; *p < end && shift < 28; shift += 7) {
		*v |= (size_t)(**p & 0x7f) << shift;
		if ((*(*p)++ & 0x80) == 0)
			return true;
	}
	return false;
}

static size_t
take_protobuf(struct conn *c, const char *p, size_t n, uint64_t now)
{
	const char *from = p, *end = p + n, *q = p;
	size_t k;

	while (varint(&q, end, &k) && (size_t)(end - q) >= k) {
		if (k == 0)
			on_ping(c);
		else
			c->on_line(c, q, k, now);
		q += k;
		p = q;
	}
	return (size_t)(p - from);
}

size_t
msg_take(struct conn *c, const char *p, size_t n, uint64_t now)
{
	if (load.dialect == CENTRIFUGO && load.way->protobuf)
		return take_protobuf(c, p, n, now);
	return take_lines(c, p, n, now);
}

static enum reply
protobuf_reply(const char *p, size_t n)
{
	if (n < 4 || p[0] != ID << 3 || (p[1] != 1 && p[1] != 2))
		return REPLY_NONE;
	switch (p[2]) {
	case TAG(REPLY_FIELD_ERROR): return REPLY_ERROR;
	case TAG(REPLY_FIELD_CONNECT): return REPLY_CONNECT;
	case TAG(REPLY_FIELD_SUBSCRIBE): return REPLY_SUBSCRIBE;
	default: return REPLY_NONE;
	}
}

enum reply
msg_reply(const char *p, size_t n)
{
	if (load.way->protobuf)
		return protobuf_reply(p, n);
	if (memmem(p, n, "\"error\"", 7) != NULL)
		return REPLY_ERROR;
	if (memmem(p, n, "\"connect\"", 9) != NULL)
		return REPLY_CONNECT;
	if (memmem(p, n, "\"subscribe\"", 11) != NULL)
		return REPLY_SUBSCRIBE;
	return REPLY_NONE;
}

/* ---- what is said ---- */

static size_t
fits(int n, size_t cap)
{
	if (n < 0 || (size_t)n >= cap)
		errx(1, "a command of %d bytes", n);
	return (size_t)n;
}

size_t
msg_connect(char *p, size_t cap)
{
	static const char command[] = { 4, ID << 3, 1, TAG(CMD_CONNECT), 0 };

	if (load.way->protobuf) {
		memcpy(p, command, sizeof(command));
		return sizeof(command);
	}
	if (load.way->one_way)
		return fits(snprintf(p, cap, "{\"token\":\"%s\"}",
		    load.token), cap);
	return fits(snprintf(p, cap, "{\"id\":1,\"connect\":{}}%s",
	    load.way->ws ? "" : "\n"), cap);
}

size_t
msg_subscribe(char *p, size_t cap, unsigned chan, const char *more)
{
	char name[32];
	size_t n;

	n = fits(snprintf(name, sizeof(name), "%sb%u", load.prefix, chan),
	    sizeof(name));
	if (load.way->protobuf)
		return fits(snprintf(p, cap, "%c%c%c%c%c%c%c%s", (int)n + 6,
		    ID << 3, 2, TAG(CMD_SUBSCRIBE), (int)n + 2, TAG(CHANNEL),
		    (int)n, name), cap);
	return fits(snprintf(p, cap, "{\"id\":2,\"subscribe\":"
	    "{\"channel\":\"%s\"%s}}", name, more), cap);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscribers: connections that say what the server's dialect asks for, and
 * check and count what they are sent. They can be dropped all at once, and
 * come back where they were: with everything that they missed, or this
 * program ends.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MARK		"{\"s\":\""	/* begins the data of a message */

enum state { CONNECT, SUBSCRIBE, READY };

struct sub {
	struct conn	 conn;
	enum state	 state;
	uint32_t	 chan;
	uint32_t	 seq;		/* of the last message */
	bool		 is_back;	/* was here before */
	uint64_t	 offset;	/* where the subscription began */
	char		 epoch[16];
};

static struct sub *subs;
static unsigned nready, missed;

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
subscribe(struct sub *s)
{
	char cmd[125], more[80] = "";
	size_t n;

	s->state = SUBSCRIBE;
	if (!load.way->ws)
		return;		/* said in the request */
	if (s->is_back)
		snprintf(more, sizeof(more),
		    ",\"recover\":true,\"offset\":%llu,\"epoch\":\"%s\"",
		    (unsigned long long)s->offset, s->epoch);
	n = msg_subscribe(cmd, sizeof(cmd), s->chan, more);
	conn_send(&s->conn, load.way->protobuf ? 2 : 1, cmd, n);
}

/* Where a new subscriber stands, if the channel has a position. */
static void
position(struct sub *s, const char *p, size_t n)
{
	const char *end = p + n, *v;
	size_t i = 0;

	if ((v = memmem(p, n, "\"epoch\":\"", 9)) == NULL)
		return;
	for (v += 9; v < end && *v != '"' && i < sizeof(s->epoch) - 1; v++)
		s->epoch[i++] = *v;
	s->epoch[i] = '\0';
	if ((v = memmem(p, n, "\"offset\":", 9)) != NULL)
		s->offset = strtoull(v + 9, NULL, 10);
}

/* All the messages that a subscriber missed, in order, and none else. */
static void
recovered(struct sub *s, const char *p, size_t n, uint64_t now)
{
	const char *end = p + n, *mark;
	unsigned count = 0;

	if (memmem(p, n, "\"recovered\":true", 16) == NULL)
		errx(1, "not recovered: %.*s", (int)n, p);
	while ((mark = memmem(p, (size_t)(end - p), MARK,
	    strlen(MARK))) != NULL) {
		on_message(s, mark, (size_t)(end - mark), now);
		count++;
		p = mark + 1;
	}
	if (count != missed)
		errx(1, "channel b%u: %u of %u recovered", s->chan, count,
		    missed);
}

static void
ready(struct sub *s)
{
	s->state = READY;
	nready++;
}

static void
on_reply(struct sub *s, const char *p, size_t n, uint64_t now)
{
	enum reply r = msg_reply(p, n);

	if (r == REPLY_ERROR)
		errx(1, "the server refuses: %.*s", (int)n, p);
	if (s->state == CONNECT && r == REPLY_CONNECT) {
		if (load.way->one_way)
			ready(s);
		else
			subscribe(s);
	} else if (s->state == SUBSCRIBE && r == REPLY_SUBSCRIBE) {
		if (s->is_back)
			recovered(s, p, n, now);
		else
			position(s, p, n);
		ready(s);
	} else
		errx(1, "not understood: %.*s", (int)n, p);
}

static void
sub_line(struct conn *c, const char *p, size_t n, uint64_t now)
{
	struct sub *s = (struct sub *)c;
	const char *mark;

	if (s->state == READY &&
	    (mark = memmem(p, n, MARK, strlen(MARK))) != NULL) {
		load.bytes += n;
		on_message(s, mark, n - (size_t)(mark - p), now);
	} else
		on_reply(s, p, n, now);
}

static void
sub_open(struct conn *c)
{
	struct sub *s = (struct sub *)c;
	char cmd[600];
	size_t n;

	if (load.dialect == PLAIN) {
		ready(s);
		return;
	}
	s->state = CONNECT;
	if (!load.way->ws)
		return;
	n = msg_connect(cmd, sizeof(cmd));
	conn_send(c, load.way->protobuf ? 2 : 1, cmd, n);
}

static struct text
sub_request(const struct sub *s)
{
	char target[32];

	if (load.dialect == CENTRIFUGO)
		return load.way->ws ? ws_request(load.way->target) :
		    stream_request(s->chan);
	snprintf(target, sizeof(target), "/sub/%u", s->chan);
	return ws_request(target);
}

static void
sub_start(struct sub *s, unsigned i)
{
	s->chan = i % load.nchan;
	s->conn.on_open = sub_open;
	s->conn.on_line = sub_line;
	conn_start(&s->conn, i, sub_request(s));
}

static void
start_all(unsigned under_way)
{
	unsigned i;

	nready = 0;
	for (i = 0; i < load.nsub; i++) {
		sub_start(&subs[i], i);
		while (i + 1 - nready >= under_way)
			loop_turn(now_ns() + NSEC);
	}
	while (nready < load.nsub)
		loop_turn(now_ns() + NSEC);
}

void
subs_open(void)
{
	if ((subs = calloc(load.nsub, sizeof(*subs))) == NULL)
		err(1, NULL);
	start_all(128);
}

void
subs_drop(void)
{
	unsigned i;

	for (i = 0; i < load.nsub; i++) {
		conn_drop(&subs[i].conn);
		subs[i].is_back = true;
	}
}

void
subs_return(unsigned n)
{
	missed = n;
	start_all(2000);
}

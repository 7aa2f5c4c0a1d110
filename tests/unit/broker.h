/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The in-memory broker as its tests see it: one or several hubs in this
 * process, mail in one queue, a clock set by hand, and requests that are run
 * to their end. Each test program has its own of everything.
 */
#ifndef TESTS_UNIT_BROKER_H
#define TESTS_UNIT_BROKER_H

#include <stdio.h>
#include <stdlib.h>

#include "hub/hub.h"
#include "tests/unit/test.h"

#define HUBS_MAX	4

static struct hub	hub[HUBS_MAX];
static struct hub	*peer[HUBS_MAX];
static unsigned		nhubs;
static struct mail	*first, **last;
static int64_t		now;
static uint32_t		seed;

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static void
post(void *ctx, unsigned to, struct mail *m)
{
	CHECK((struct hub *)ctx != &hub[to]);
	m->next = NULL;
	*last = m;
	last = &m->next;
}

static inline void
settle(void)
{
	struct mail *m;

	while ((m = first) != NULL) {
		if ((first = m->next) == NULL)
			last = &first;
		m->run(m, NULL);
	}
}

static int64_t
mono(void *ctx)
{
	(void)ctx;
	return now;
}

/* ---- subscribers and what they saw ---- */

struct sub {
	struct hub_sub		hub;		/* first */
	enum hub_err		err;
	int			answers, ngot;
	struct hub_position	top;
	char			text[256];	/* recovered */
	/* The newest delivery. */
	int			number, prev;	/* prev -1: none */
	uint64_t		offset;
	char			epoch[HUB_EPOCH_MAX];
};

static int
number_of(const struct hub_pub *pub)
{
	char text[16];

	snprintf(text, sizeof(text), "%.*s", SV_ARG(hub_pub_data(pub)));
	return atoi(text);
}

/* "offset=number ..." */
static void
describe(char *text, size_t size, struct hub_pub *const *pub, size_t n)
{
	size_t i, at = 0;

	text[0] = '\0';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%llu=%d",
		    i > 0 ? " " : "", (unsigned long long)pub[i]->offset,
		    number_of(pub[i]));
}

static void
deliver(struct hub_sub *hs, struct hub_fanout *f)
{
	struct sub *s = (struct sub *)(void *)hs;

	s->ngot++;
	s->number = number_of(f->pub);
	s->prev = f->prev == NULL ? -1 : number_of(f->prev);
	s->offset = f->pub->offset;
	strlcpy(s->epoch, f->epoch, sizeof(s->epoch));
}

static void
joined(struct hub_sub *hs, enum hub_err err, const struct hub_recover *r)
{
	struct sub *s = (struct sub *)(void *)hs;

	s->answers++;
	s->err = err;
	s->top = r->top;
	describe(s->text, sizeof(s->text), r->pub, r->npub);
}

static const struct hub_ops ops = {
	.post = post, .now = mono, .deliver = deliver, .joined = joined,
};

static void
fill(void *p, size_t n)
{
	unsigned char *at = p;

	for (; n > 0; n--)
		*at++ = (unsigned char)rnd(256);
}

static inline bool
start(unsigned n)
{
	unsigned i;

	nhubs = n;
	now = 5000000;
	first = NULL;
	last = &first;
	for (i = 0; i < n; i++)
		peer[i] = &hub[i];
	for (i = 0; i < n; i++)
		hub_init(&hub[i], i, n, peer, &ops, &hub[i]);
	for (i = 0; i < n; i++)
		if ((hub[i].broker = memory_broker_new(&hub[i], fill)) == NULL)
			return false;
	return true;
}

static inline void
stop(void)
{
	unsigned i;

	settle();
	for (i = 0; i < nhubs; i++)
		hub_fini(&hub[i]);
}

static inline size_t
expire(void)
{
	unsigned i;
	size_t	 n = 0;

	for (i = 0; i < nhubs; i++)
		n += hub_expire(&hub[i]);
	return n;
}

/* ---- requests, each run to its end ---- */

static struct hub *asker;
static int	   answers;

static void
answered(struct hub_request *p)
{
	CHECK(p->home == asker);
	answers++;
}

static inline void
run(struct hub_request *p, enum hub_op op, const char *channel)
{
	p->op = op;
	p->channel = sv_from(channel);
	p->done = answered;
	asker = &hub[rnd(nhubs)];
	answers = 0;
	hub_request(asker, p);
	settle();
	CHECK_INT(answers, 1);
}

/* A publication whose data is a number; p has the rest. */
static inline enum hub_err
publish(struct hub_publish *p, const char *channel, int number)
{
	char			text[16];
	struct hub_pub_view	in = { .channel = sv_from(channel) };

	snprintf(text, sizeof(text), "%d", number);
	in.data = sv_from(text);
	p->req.done = answered;
	if ((p->pub = hub_pub_new(&in)) == NULL)
		return HUB_INTERNAL;
	asker = &hub[rnd(nhubs)];
	answers = 0;
	hub_publish(asker, p);
	settle();
	CHECK_INT(answers, 1);
	CHECK(p->pub == NULL);
	return p->req.err;
}

static inline const char *
history(struct hub_history *p, const char *channel)
{
	static char text[1024];

	/* All of the answer is set, whatever was there. */
	memset(&p->top, 'x', sizeof(p->top));
	p->npub = 99;
	run(&p->req, HUB_HISTORY, channel);
	describe(text, sizeof(text), p->pub, p->npub);
	hub_pubs_free(&hub[0], p->pub, p->npub);
	return p->req.err == HUB_OK ? text : "failed";
}

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The in-memory broker: a publication goes straight to the subscribers of
 * this process. Streams and presence are in files of their own; here are the
 * idempotency keys. They are remembered for a fixed time, so they expire in
 * the order in which they came.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"
#include "hub/roster.h"
#include "hub/stream.h"

struct seen {
	struct hnode		node;
	STAILQ_ENTRY(seen)	entry;
	int64_t			expires;
	struct hub_position	pos;
	size_t			nkey;
	char			key[];	/* channel, NUL, idempotency key */
};

struct memory_broker {
	struct hub_broker	base;
	struct hub_streams	streams;
	struct hub_roster	roster;
	struct htab		seen;
	STAILQ_HEAD(, seen)	order;
};

static int64_t
now_of(const struct memory_broker *b)
{
	return b->base.hub->ops->now(b->base.hub->ctx);
}

static struct sv
seen_key(const struct hnode *n)
{
	const struct seen *s = (const struct seen *)(const void *)n;

	return sv_make(s->key, s->nkey);
}

static size_t
seen_expire(struct memory_broker *b, int64_t now)
{
	struct seen	*s;
	size_t		 count = 0;

	for (; (s = STAILQ_FIRST(&b->order)) != NULL && s->expires <= now;
	    count++) {
		STAILQ_REMOVE_HEAD(&b->order, entry);
		htab_del(&b->seen, &s->node);
		free(s);
	}
	return count;
}

static struct seen *
seen_new(const struct hub_publish *p)
{
	struct sv	 channel = p->req.channel;
	size_t		 n = channel.n + 1 + p->idempotency_key.n;
	struct seen	*s;

	if ((s = calloc(1, sizeof(*s) + n)) == NULL)
		return NULL;
	s->nkey = n;
	memcpy(s->key, channel.p, channel.n);
	memcpy(s->key + channel.n + 1, p->idempotency_key.p,
	    p->idempotency_key.n);
	return s;
}

/* Look the key of p up: p->suppressed, with the first one's position, if it
 * was there. Else *s is it, in the table, until seen_keep() or seen_drop().
 * -1: no memory. */
static int
seen_check(struct memory_broker *b, struct hub_publish *p, int64_t now,
    struct seen **s)
{
	struct seen	*e, *old;
	uint64_t	 hash;

	seen_expire(b, now);
	if ((e = seen_new(p)) == NULL)
		return -1;
	hash = hash_sv(seen_key(&e->node));
	old = (struct seen *)(void *)htab_get(&b->seen, hash,
	    seen_key(&e->node));
	if (old != NULL) {
		free(e);
		p->pos = old->pos;
		p->suppressed = true;
		return 0;
	}
	if (htab_put(&b->seen, hash, &e->node) == -1) {
		free(e);
		return -1;
	}
	*s = e;
	return 0;
}

static void
seen_keep(struct memory_broker *b, struct seen *s,
    const struct hub_position *pos, int64_t now)
{
	s->pos = *pos;
	s->expires = now + HUB_IDEMPOTENCY_TTL_MS;
	STAILQ_INSERT_TAIL(&b->order, s, entry);
}

static void
seen_drop(struct memory_broker *b, struct seen *s)
{
	htab_del(&b->seen, &s->node);
	free(s);
}

/* Give p its position, unless it is suppressed. *prev is a reference or
 * NULL. 0, or -1 without memory. */
static int
admit(struct memory_broker *b, struct hub_publish *p, struct hub_pub **prev)
{
	bool		 keep = p->history_size > 0 && p->history_ttl > 0;
	struct seen	*s = NULL;
	int64_t		 now;
	int		 res = 0;

	if (!keep && p->idempotency_key.n == 0)
		return 0;
	now = now_of(b);
	if (p->idempotency_key.n > 0 && seen_check(b, p, now, &s) == -1)
		return -1;
	if (keep && !p->suppressed)
		res = hub_streams_add(&b->streams, p, now, prev);
	if (s != NULL && res == 0 && !p->suppressed)
		seen_keep(b, s, &p->pos, now);
	else if (s != NULL)
		seen_drop(b, s);
	return res;
}

static int
memory_publish(struct memory_broker *b, struct hub_publish *p)
{
	struct hub	*h = b->base.hub;
	struct hub_pub	*prev = NULL;
	int		 res = admit(b, p, &prev);

	if (res == 0 && !p->suppressed)
		hub_deliver(h, p->pub, prev, p->pos.epoch);
	else
		hub_pub_unref(h, p->pub);
	hub_pub_unref(h, prev);
	p->pub = NULL;
	return res;
}

/* 0, or -1 without memory. */
static int
serve(struct memory_broker *b, struct hub_request *p)
{
	struct hub_presence_change *change = (void *)p;

	switch (p->op) {
	case HUB_PUBLISH:
		return memory_publish(b, (void *)p);
	case HUB_HISTORY:
		return hub_streams_history(&b->streams, (void *)p, now_of(b));
	case HUB_HISTORY_REMOVE:
		hub_streams_remove(&b->streams, p->channel, now_of(b));
		break;
	case HUB_PRESENCE_ADD:
		return hub_roster_put(&b->roster, p->channel, &change->info);
	case HUB_PRESENCE_REMOVE:
		hub_roster_del(&b->roster, p->channel, change->info.client);
		break;
	case HUB_PRESENCE:
	case HUB_PRESENCE_STATS:
		return hub_roster_get(&b->roster, (void *)p);
	}
	return 0;
}

static void
memory_request(struct hub_broker *base, struct hub_request *p)
{
	if (serve((struct memory_broker *)base, p) == -1)
		p->err = HUB_INTERNAL;
	hub_answered(p);
}

static void
memory_recover(struct hub_broker *base, struct sv channel,
    struct hub_recover *r, void (*done)(struct hub_recover *, void *,
    enum hub_err), void *arg)
{
	struct memory_broker	*b = (struct memory_broker *)base;
	int			 res;

	res = hub_streams_recover(&b->streams, channel, r, now_of(b));
	done(r, arg, res == -1 ? HUB_INTERNAL : HUB_OK);
}

static size_t
memory_expire(struct hub_broker *base, int64_t now)
{
	struct memory_broker *b = (struct memory_broker *)base;

	return seen_expire(b, now) + hub_streams_expire(&b->streams, now);
}

static void
memory_free(struct hub_broker *base)
{
	struct memory_broker *b = (struct memory_broker *)base;

	seen_expire(b, INT64_MAX);
	htab_fini(&b->seen);
	hub_streams_fini(&b->streams);
	hub_roster_fini(&b->roster);
	free(b);
}

static const struct hub_broker_ops memory_ops = {
	.request = memory_request,
	.recover = memory_recover,
	.expire = memory_expire,
	.free = memory_free,
};

/* see hub.h */
struct hub_broker *
memory_broker_new(struct hub *h, void (*random)(void *, size_t))
{
	struct memory_broker *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->base.ops = &memory_ops;
	b->base.hub = h;
	hub_streams_init(&b->streams, h, random);
	hub_roster_init(&b->roster);
	htab_init(&b->seen, seen_key);
	STAILQ_INIT(&b->order);
	return &b->base;
}

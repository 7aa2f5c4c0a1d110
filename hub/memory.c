/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The in-memory broker: a publication goes straight to the subscribers of
 * this process. It remembers idempotency keys for a fixed time, so the keys
 * expire in the order in which they came.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"

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
	void			(*random)(void *, size_t);
	struct htab		seen;
	STAILQ_HEAD(, seen)	order;
};

static struct sv
seen_key(const struct hnode *n)
{
	const struct seen *s = (const struct seen *)(const void *)n;

	return sv_make(s->key, s->nkey);
}

static void
seen_expire(struct memory_broker *b, int64_t now)
{
	struct seen *s;

	while ((s = STAILQ_FIRST(&b->order)) != NULL && s->expires <= now) {
		STAILQ_REMOVE_HEAD(&b->order, entry);
		htab_del(&b->seen, &s->node);
		free(s);
	}
}

/* Remember the key of pub. 1 if it was there: *old is it; 0 if it is new
 * and now remembered; -1 without memory. */
static int
seen_check(struct memory_broker *b, const struct hub_publish *p, int64_t now,
    struct seen **s)
{
	struct sv	 channel = p->req.channel;
	size_t		 n = channel.n + 1 + p->idempotency_key.n;
	struct seen	*e, *old;
	uint64_t	 hash;

	seen_expire(b, now);
	if ((e = calloc(1, sizeof(*e) + n)) == NULL)
		return -1;
	e->nkey = n;
	memcpy(e->key, channel.p, channel.n);
	memcpy(e->key + channel.n + 1, p->idempotency_key.p,
	    p->idempotency_key.n);
	hash = hash_sv(seen_key(&e->node));
	old = (struct seen *)(void *)htab_get(&b->seen, hash,
	    seen_key(&e->node));
	if (old != NULL) {
		free(e);
		*s = old;
		return 1;
	}
	if (htab_put(&b->seen, hash, &e->node) == -1) {
		free(e);
		return -1;
	}
	e->expires = now + HUB_IDEMPOTENCY_TTL_MS;
	STAILQ_INSERT_TAIL(&b->order, e, entry);
	*s = e;
	return 0;
}

static void
memory_publish(struct memory_broker *b, struct hub_publish *p)
{
	struct hub	*h = b->base.hub;
	struct seen	*s = NULL;
	int		 known = 0;

	if (p->idempotency_key.n > 0)
		known = seen_check(b, p, h->ops->now(h->ctx), &s);
	if (known == 0) {
		if (s != NULL)
			s->pos = p->pos;
		hub_deliver(h, p->pub, NULL, "");
	} else {
		if (known == 1)
			p->pos = s->pos;
		else
			p->req.err = HUB_INTERNAL;
		hub_pub_unref(h, p->pub);
	}
	p->pub = NULL;
	hub_answered(&p->req);
}

static void
memory_request(struct hub_broker *base, struct hub_request *p)
{
	struct memory_broker *b = (struct memory_broker *)base;

	if (p->op == HUB_PUBLISH) {
		memory_publish(b, (struct hub_publish *)(void *)p);
	} else {
		p->err = HUB_INTERNAL;
		hub_answered(p);
	}
}

static void
memory_recover(struct hub_broker *base, struct sv channel,
    struct hub_recover *r, void (*done)(struct hub_recover *, void *,
    enum hub_err), void *arg)
{
	(void)base;
	(void)channel;
	done(r, arg, HUB_OK);
}

static size_t
memory_expire(struct hub_broker *base, int64_t now)
{
	seen_expire((struct memory_broker *)base, now);
	return 0;
}

static void
memory_free(struct hub_broker *base)
{
	struct memory_broker *b = (struct memory_broker *)base;

	seen_expire(b, INT64_MAX);
	htab_fini(&b->seen);
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
	b->random = random;
	htab_init(&b->seen, seen_key);
	STAILQ_INIT(&b->order);
	return &b->base;
}

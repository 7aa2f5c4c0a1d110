/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See limit.h. The rate is kept by one number an address: the moment from
 * which on a whole second's allowance is there again. Each connection moves
 * it on by its share of a second, and none may move it further than a
 * second ahead.
 */
#include <sys/queue.h>

#include <pthread.h>
#include <stdlib.h>

#include "net/internal.h"
#include "util/hash.h"

#define SHARDS		16		/* a power of two */
#define SECOND		INT64_C(1000000)	/* in what times are kept */

struct holder {
	struct hnode		node;
	TAILQ_ENTRY(holder)	idle;	/* while it has no connection */
	uint8_t			ip[IP_LEN];
	uint32_t		conns;
	int64_t			full_at;
};

struct shard {
	pthread_mutex_t		lock;
	struct htab		tab;
	TAILQ_HEAD(, holder)	idle;
	struct limit_stats	stats;
};

struct limiter {
	unsigned	conns, rate;
	struct shard	shard[SHARDS];
};

static struct sv
holder_key(const struct hnode *n)
{
	const struct holder *h = container_of(n, struct holder, node);

	return sv_make(h->ip, IP_LEN);
}

/* see limit.h */
struct limiter *
limiter_new(unsigned conns, unsigned rate)
{
	struct limiter	*l;
	unsigned	 i;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->conns = conns;
	l->rate = rate;
	for (i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&l->shard[i].lock, NULL);
		htab_init(&l->shard[i].tab, holder_key);
		TAILQ_INIT(&l->shard[i].idle);
	}
	return l;
}

/* see limit.h */
void
limiter_free(struct limiter *l)
{
	struct htab_iter	 it;
	struct hnode		*n;
	unsigned		 i;

	if (l == NULL)
		return;
	for (i = 0; i < SHARDS; i++) {
		it = (struct htab_iter)HTAB_ITER_INIT;
		while ((n = htab_next(&l->shard[i].tab, &it)) != NULL) {
			htab_del(&l->shard[i].tab, n);
			free(container_of(n, struct holder, node));
		}
		htab_fini(&l->shard[i].tab);
		pthread_mutex_destroy(&l->shard[i].lock);
	}
	free(l);
}

/* What an address counts as, and its hash. */
static uint64_t
key_of(const uint8_t ip[IP_LEN], uint8_t key[IP_LEN])
{
	memcpy(key, ip, IP_LEN);
	if (!ip_is_v4(ip))
		memset(key + IP_LEN / 2, 0, IP_LEN / 2);
	return hash_sv(sv_make(key, IP_LEN));
}

static struct shard *
shard_of(struct limiter *l, uint64_t hash)
{
	/* The low bits choose the bucket. */
	return &l->shard[hash >> 60 & (SHARDS - 1)];
}

static struct holder *
find(struct shard *s, uint64_t hash, const uint8_t key[IP_LEN])
{
	struct hnode *n = htab_get(&s->tab, hash, sv_make(key, IP_LEN));

	return n == NULL ? NULL : container_of(n, struct holder, node);
}

/* Forget who has had its second. They are in the order of their leaving,
 * which is nearly that of their moments. */
static void
forget(struct shard *s, int64_t now)
{
	struct holder *h;

	while ((h = TAILQ_FIRST(&s->idle)) != NULL && h->full_at <= now) {
		TAILQ_REMOVE(&s->idle, h, idle);
		htab_del(&s->tab, &h->node);
		free(h);
	}
}

static struct holder *
find_or_make(struct shard *s, uint64_t hash, const uint8_t key[IP_LEN])
{
	struct holder *h = find(s, hash, key);

	if (h != NULL || (h = calloc(1, sizeof(*h))) == NULL)
		return h;
	memcpy(h->ip, key, IP_LEN);
	if (htab_put(&s->tab, hash, &h->node) == -1) {
		free(h);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&s->idle, h, idle);
	return h;
}

static enum limit_verdict
take(const struct limiter *l, struct shard *s, struct holder *h, int64_t now)
{
	int64_t full_at = h->full_at > now ? h->full_at : now;

	if (l->conns > 0 && h->conns >= l->conns) {
		s->stats.refused_conns++;
		return LIMIT_CONNS;
	}
	if (l->rate > 0) {
		full_at += SECOND / l->rate;
		if (full_at > now + SECOND) {
			s->stats.refused_rate++;
			return LIMIT_RATE;
		}
		h->full_at = full_at;
	}
	if (h->conns++ == 0)
		TAILQ_REMOVE(&s->idle, h, idle);
	return LIMIT_OK;
}

/* see limit.h */
enum limit_verdict
limiter_take(struct limiter *l, const uint8_t ip[IP_LEN], int64_t now,
    bool *counted)
{
	uint8_t			 key[IP_LEN];
	uint64_t		 hash = key_of(ip, key);
	struct shard		*s = shard_of(l, hash);
	struct holder		*h;
	enum limit_verdict	 v = LIMIT_OK;

	*counted = false;
	now *= SECOND / 1000;
	pthread_mutex_lock(&s->lock);
	forget(s, now);
	if ((h = find_or_make(s, hash, key)) != NULL) {
		v = take(l, s, h, now);
		*counted = v == LIMIT_OK;
	}
	pthread_mutex_unlock(&s->lock);
	return v;
}

/* see limit.h */
void
limiter_give(struct limiter *l, const uint8_t ip[IP_LEN], int64_t now)
{
	uint8_t		 key[IP_LEN];
	uint64_t	 hash = key_of(ip, key);
	struct shard	*s = shard_of(l, hash);
	struct holder	*h;

	pthread_mutex_lock(&s->lock);
	h = find(s, hash, key);
	if (--h->conns == 0)
		TAILQ_INSERT_TAIL(&s->idle, h, idle);
	forget(s, now * (SECOND / 1000));
	pthread_mutex_unlock(&s->lock);
}

/* see limit.h */
void
limiter_stats(struct limiter *l, struct limit_stats *sum)
{
	struct shard	*s;

	*sum = (struct limit_stats){ 0 };
	for (s = l->shard; s < l->shard + SHARDS; s++) {
		pthread_mutex_lock(&s->lock);
		sum->refused_conns += s->stats.refused_conns;
		sum->refused_rate += s->stats.refused_rate;
		sum->addresses += s->tab.n;
		pthread_mutex_unlock(&s->lock);
	}
}

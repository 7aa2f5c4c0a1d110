/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF")
 * and the hash table: see hash.h.
 *
 * The table resizes by setting its array aside as `old' and moving some of
 * its buckets in each put and del. Invariants while it does:
 *	- buckets of old below `moved' are empty;
 *	- a node is in old, or in bucket, at its hash under that one's mask;
 *	- new nodes go to bucket only.
 * No other resize starts until old is empty and freed. It grows when there
 * are more nodes than buckets, and shrinks by four when there are fewer than
 * an eighth, so that it does not swing between two sizes.
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define MIN_BUCKETS	4
/* A step looks at so many buckets of old, and stops after so many nodes:
 * fast enough to be done before the next resize is due. */
#define STEP_BUCKETS	16
#define STEP_NODES	4

static unsigned char	process_key[16];

static uint64_t
load64(const void *p)
{
	uint64_t	u;

	memcpy(&u, p, sizeof(u));
	return le64toh(u);
}

static uint64_t
rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

uint64_t
siphash24(const unsigned char key[16], struct sv s)
{
	uint64_t	k0 = load64(key), k1 = load64(key + 8);
	uint64_t	v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t	last = (uint64_t)s.n << 56;
	size_t		i;

	for (; s.n >= 8; s = sv_skip(s, 8))
		sip_word(v, load64(s.p));
	for (i = 0; i < s.n; i++)
		last |= (uint64_t)(unsigned char)s.p[i] << (8 * i);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
hash_seed(const unsigned char key[16])
{
	memcpy(process_key, key, sizeof(process_key));
}

uint64_t
hash_sv(struct sv s)
{
	return siphash24(process_key, s);
}

void
htab_init(struct htab *t, struct sv (*key)(const struct hnode *))
{
	*t = (struct htab){ .key = key };
}

void
htab_fini(struct htab *t)
{
	free(t->bucket);
	free(t->old);
	htab_init(t, t->key);
}

/* Where the node with this key hangs in a chain, or NULL. */
static struct hnode *
chain_find(const struct htab *t, struct hnode *n, uint64_t hash, struct sv k)
{
	for (; n != NULL; n = n->next)
		if (n->hash == hash && sv_eq(t->key(n), k))
			return n;
	return NULL;
}

struct hnode *
htab_get(struct htab *t, uint64_t hash, struct sv k)
{
	struct hnode	*n;

	if (t->bucket == NULL)
		return NULL;
	n = chain_find(t, t->bucket[hash & t->mask], hash, k);
	if (n == NULL && t->old != NULL)
		n = chain_find(t, t->old[hash & t->oldmask], hash, k);
	return n;
}

static void
link_node(struct htab *t, struct hnode *n)
{
	struct hnode	**head = &t->bucket[n->hash & t->mask];

	n->next = *head;
	*head = n;
}

/* Move one bucket of old; the nodes in it. */
static size_t
move_bucket(struct htab *t)
{
	struct hnode	*n = t->old[t->moved], *next;
	size_t		 count = 0;

	t->old[t->moved++] = NULL;
	for (; n != NULL; n = next, count++) {
		next = n->next;
		link_node(t, n);
	}
	if (t->moved > t->oldmask) {
		free(t->old);
		t->old = NULL;
	}
	return count;
}

static void
resize(struct htab *t, size_t buckets)
{
	struct hnode	**p = calloc(buckets, sizeof(struct hnode *));

	if (p == NULL)
		return;		/* the next call tries again */
	t->old = t->bucket;
	t->oldmask = t->mask;
	t->moved = 0;
	t->bucket = p;
	t->mask = buckets - 1;
}

/* The table's share of work in a put or del: resize, or go on with it. */
static void
step(struct htab *t)
{
	size_t	size = t->mask + 1, nodes = 0, i;

	if (t->old == NULL && t->n > size)
		resize(t, size * 2);
	else if (t->old == NULL && size > MIN_BUCKETS && t->n < size / 8)
		resize(t, size / 4);
	for (i = 0; t->old != NULL && i < STEP_BUCKETS &&
	    nodes < STEP_NODES; i++)
		nodes += move_bucket(t);
}

int
htab_put(struct htab *t, uint64_t hash, struct hnode *n)
{
	if (t->bucket == NULL) {
		t->bucket = calloc(MIN_BUCKETS, sizeof(struct hnode *));
		if (t->bucket == NULL)
			return -1;
		t->mask = MIN_BUCKETS - 1;
	}
	t->iterators = 0;	/* a change ends them all */
	n->hash = hash;
	link_node(t, n);
	t->n++;
	step(t);
	return 0;
}

static bool
chain_del(struct hnode **p, struct hnode *n)
{
	for (; *p != NULL; p = &(*p)->next) {
		if (*p == n) {
			*p = n->next;
			return true;
		}
	}
	return false;
}

void
htab_del(struct htab *t, struct hnode *n)
{
	bool	found = t->n > 0 &&
		    (chain_del(&t->bucket[n->hash & t->mask], n) ||
		    (t->old != NULL &&
		    chain_del(&t->old[n->hash & t->oldmask], n)));

	assert(found);
	n->next = NULL;
	if (--t->n == 0)
		htab_fini(t);
	else if (t->iterators == 0)
		step(t);
}

struct hnode *
htab_next(struct htab *t, struct htab_iter *it)
{
	struct hnode	*n = it->next;

	if (!it->started) {
		it->started = true;
		while (t->old != NULL)
			move_bucket(t);
		t->iterators++;
	}
	while (n == NULL && t->bucket != NULL && it->i <= t->mask)
		n = t->bucket[it->i++];
	it->next = n == NULL ? NULL : n->next;
	if (n == NULL && t->iterators > 0)
		t->iterators--;
	return n;
}

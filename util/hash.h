/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A chained hash table of intrusive nodes, keyed by byte strings under
 * SipHash-2-4 with a key of this process: names of channels and users are
 * the attacker's choice. It grows and shrinks by moving a few buckets a
 * call, so that no single operation is slow, however large the table.
 * Owns only its bucket arrays, never the nodes.
 */
#ifndef UTIL_HASH_H
#define UTIL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sv.h"

/* SipHash-2-4 of s under a 16-byte key. */
uint64_t siphash24(const unsigned char key[16], struct sv s);

/* The key every table of this process uses; set once at start, before any
 * table has a node (tests set their own). */
void	hash_seed(const unsigned char key[16]);
/* Hash of s under that key; the same on every worker of the process. */
uint64_t hash_sv(struct sv s);

struct hnode {
	struct hnode	*next;
	uint64_t	 hash;
};

struct htab {
	struct hnode	**bucket;	/* NULL while empty */
	struct hnode	**old;		/* being moved from; NULL otherwise */
	size_t		  mask, oldmask;
	size_t		  moved;	/* buckets of old already moved */
	size_t		  n;		/* nodes in the table */
	unsigned	  iterators;	/* at work: del moves no bucket then */
	/* The key of a node; borrowed from it. */
	struct sv	(*key)(const struct hnode *);
};

void	htab_init(struct htab *, struct sv (*key)(const struct hnode *));
/* Frees the bucket arrays; the table must hold no node that matters. */
void	htab_fini(struct htab *);

/* The node whose key is k (hash = hash_sv(k)), or NULL. */
struct hnode *htab_get(struct htab *, uint64_t hash, struct sv k);
/* Put a node whose key is not in the table; sets node->hash. 0, or -1 when
 * there is no memory for the first bucket array (nothing changes). A failed
 * growth is not an error: chains get longer. */
int	htab_put(struct htab *, uint64_t hash, struct hnode *);
/* Take a node out that is in the table. */
void	htab_del(struct htab *, struct hnode *);

/*
 * Visit every node once: it = NULL starts, each call gives the next node or
 * NULL. The node just returned may be deleted by the caller, no other
 * change may be made meanwhile. An iteration may be left before its end.
 */
struct htab_iter { size_t i; struct hnode *next; bool started; };
#define HTAB_ITER_INIT	{ 0, NULL, false }
struct hnode *htab_next(struct htab *, struct htab_iter *);

#endif

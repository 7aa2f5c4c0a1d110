/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * SipHash against the vectors of its authors, and the hash table against a
 * naive model under random operations.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test.h"
#include "util/buf.h"
#include "util/hash.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define KEYS	3000

struct item {
	struct hnode	node;
	char		name[16];
	bool		in;		/* the model */
	unsigned	seen;
};

static struct item	items[KEYS];

static struct sv
item_key(const struct hnode *n)
{
	return sv_from(((const struct item *)(const void *)n)->name);
}

static void
items_init(void)
{
	int	i;

	for (i = 0; i < KEYS; i++) {
		snprintf(items[i].name, sizeof(items[i].name), "c:%d", i);
		items[i].in = false;
	}
}

static int
put(struct htab *t, struct item *it)
{
	it->in = true;
	return htab_put(t, hash_sv(sv_from(it->name)), &it->node);
}

static void
del(struct htab *t, struct item *it)
{
	it->in = false;
	htab_del(t, &it->node);
}

static struct hnode *
get(struct htab *t, const char *name)
{
	return htab_get(t, hash_sv(sv_from(name)), sv_from(name));
}

/* Of 64 inputs 00 01 02 ... with key 00 01 ... 0f: the paper's appendix and
 * the reference implementation's first and last lines. */
TEST(siphash_vectors)
{
	static const struct {
		size_t		n;
		uint64_t	hash;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 2, UINT64_C(0x0d6c8009d9a94f5a) },
		{ 3, UINT64_C(0x85676696d7fb7e2d) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
		{ 63, UINT64_C(0x958a324ceb064572) },
	};
	unsigned char	key[16], in[64];
	size_t		i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)i;
	memcpy(key, in, sizeof(key));
	for (i = 0; i < N(rows); i++) {
		char	*p = guard_dup(sv_make(in, rows[i].n));

		test_note("row %zu", i);
		CHECK(siphash24(key, sv_make(p, rows[i].n)) == rows[i].hash);
		guard_free(p);
	}
	hash_seed(key);
	CHECK(hash_sv(sv_make(in, 15)) == rows[6].hash);
}

TEST(empty_table)
{
	struct htab		t;
	struct htab_iter	it = HTAB_ITER_INIT;

	htab_init(&t, item_key);
	CHECK(get(&t, "x") == NULL);
	CHECK(htab_next(&t, &it) == NULL);
	CHECK(t.bucket == NULL);
	htab_fini(&t);
}

TEST(nodes_with_equal_hashes)
{
	struct htab	t;

	items_init();
	htab_init(&t, item_key);
	CHECK_INT(htab_put(&t, 5, &items[0].node), 0);
	CHECK_INT(htab_put(&t, 5, &items[1].node), 0);
	CHECK(htab_get(&t, 5, SV("c:0")) == &items[0].node);
	CHECK(htab_get(&t, 5, SV("c:1")) == &items[1].node);
	CHECK(htab_get(&t, 5, SV("c:2")) == NULL);
	CHECK(htab_get(&t, 9, SV("c:0")) == NULL);	/* same bucket */
	htab_del(&t, &items[0].node);
	CHECK(htab_get(&t, 5, SV("c:0")) == NULL);
	CHECK(htab_get(&t, 5, SV("c:1")) == &items[1].node);
	htab_fini(&t);
}

/* Every item is found exactly when the model has it. */
static void
check_model(struct htab *t)
{
	size_t	i, n = 0;

	for (i = 0; i < KEYS; i++) {
		struct hnode	*got = get(t, items[i].name);

		n += items[i].in;
		if (!CHECK(got == (items[i].in ? &items[i].node : NULL)))
			return;
	}
	CHECK_INT(t->n, n);
}

/* An iteration, deleting every step-th node (0: none), sees each once. */
static void
check_iteration(struct htab *t, unsigned step)
{
	struct htab_iter	it = HTAB_ITER_INIT;
	struct hnode		*n;
	size_t			i, count = 0, want = t->n;

	for (i = 0; i < KEYS; i++)
		items[i].seen = 0;
	while ((n = htab_next(t, &it)) != NULL) {
		struct item	*m = (struct item *)(void *)n;

		m->seen++;
		CHECK(m->in);
		if (step > 0 && ++count % step == 0)
			del(t, m);
	}
	for (i = 0; i < KEYS; i++) {
		CHECK(items[i].seen <= 1);
		want -= items[i].seen;
	}
	CHECK_INT(want, 0);
}

TEST(random_operations_against_a_model)
{
	/* the chance of a put in 100, so that the table grows and shrinks */
	static const int	bias[] = { 90, 50, 10, 70, 30, 95, 2 };
	struct htab		t;
	unsigned		rnd = 1;
	size_t			phase;
	int			op;
	bool			moving = false;

	items_init();
	htab_init(&t, item_key);
	for (phase = 0; phase < N(bias); phase++) {
		for (op = 0; op < 6000; op++) {
			struct item	*it;

			rnd = rnd * 1664525 + 1013904223;
			it = &items[(rnd >> 8) % KEYS];
			rnd = rnd * 1664525 + 1013904223;
			if ((int)((rnd >> 8) % 100) >= bias[phase]) {
				if (it->in)
					del(&t, it);
			} else if (!it->in) {
				CHECK_INT(put(&t, it), 0);
			}
			moving |= t.old != NULL;
			if (t.old != NULL && op % 97 == 0)
				check_model(&t);
			if (op % 997 == 0)
				check_iteration(&t, (unsigned)op % 5);
		}
		test_note("phase %zu", phase);
		check_model(&t);
	}
	CHECK(moving);
	htab_fini(&t);
}

TEST(grows_shrinks_and_vanishes)
{
	struct htab	t;
	size_t		i;

	items_init();
	htab_init(&t, item_key);
	for (i = 0; i < KEYS; i++) {
		put(&t, &items[i]);
		CHECK(t.n <= (t.mask + 1) * 2);
	}
	CHECK_INT(t.mask + 1, 4096);
	for (i = 0; i < KEYS - 1; i++)
		del(&t, &items[i]);
	CHECK(t.mask + 1 <= 16);
	CHECK(get(&t, items[KEYS - 1].name) == &items[KEYS - 1].node);
	del(&t, &items[KEYS - 1]);
	CHECK(t.bucket == NULL && t.old == NULL);
	CHECK_INT(put(&t, &items[0]), 0);
	CHECK(get(&t, "c:0") == &items[0].node);
	htab_fini(&t);
}

TEST(empties_itself_during_iteration)
{
	struct htab	t;
	size_t		i;

	items_init();
	htab_init(&t, item_key);
	for (i = 0; i < KEYS; i++)
		put(&t, &items[i]);
	check_iteration(&t, 1);
	CHECK_INT(t.n, 0);
	CHECK(t.bucket == NULL);
}

TEST(iteration_left_early)
{
	struct htab		t;
	struct htab_iter	it = HTAB_ITER_INIT;
	size_t			i;

	items_init();
	htab_init(&t, item_key);
	for (i = 0; i < KEYS; i++)
		put(&t, &items[i]);
	CHECK(htab_next(&t, &it) != NULL);
	del(&t, &items[0]);
	CHECK_INT(t.iterators, 1);
	put(&t, &items[0]);		/* a change ends the iteration */
	for (i = 0; i < KEYS - 2; i++)
		del(&t, &items[i]);
	CHECK(t.mask + 1 < 4096);
	check_model(&t);
	check_iteration(&t, 0);
	htab_fini(&t);
}

static bool
fill(void)
{
	struct htab	t;
	size_t		i;
	bool		ok = true;

	items_init();
	htab_init(&t, item_key);
	for (i = 0; i < 100 && ok; i++)
		ok = put(&t, &items[i]) == 0;
	if (!ok)
		items[i - 1].in = false;
	check_model(&t);
	if (i > 1)
		CHECK(ok);	/* a failed growth is no error */
	htab_fini(&t);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(fill);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A histogram of fixed size for latencies. Values below 32 have a bucket
 * each; above, the highest set bit chooses a row of 32 buckets and the five
 * bits after it the bucket, so no value is reported more than 1/32 off.
 */
#include <string.h>

#include "bench.h"

#define STEPS	32
#define BITS	5

void
hist_reset(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

static size_t
bucket_of(uint64_t v)
{
	int shift;

	if (v < STEPS)
		return v;
	shift = 63 - __builtin_clzll(v) - BITS;
	return (size_t)(shift + 1) * STEPS + ((v >> shift) - STEPS);
}

/* The middle of the values that fall into bucket i. */
static uint64_t
value_of(size_t i)
{
	size_t shift;

	if (i < STEPS)
		return i;
	shift = i / STEPS - 1;
	return ((i % STEPS + STEPS) << shift) + (((uint64_t)1 << shift) >> 1);
}

void
hist_add(struct hist *h, uint64_t v)
{
	h->n++;
	h->bucket[bucket_of(v)]++;
	if (v > h->max)
		h->max = v;
}

uint64_t
hist_quantile(const struct hist *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;
	size_t i;

	for (i = 0; i < sizeof(h->bucket) / sizeof(h->bucket[0]); i++) {
		seen += h->bucket[i];
		if (seen > want)
			return value_of(i);
	}
	return h->max;
}

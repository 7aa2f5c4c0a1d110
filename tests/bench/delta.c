/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Fossil deltas by themselves: a stream of JSON documents of 4 KB, each the
 * one before it with a few numbers changed, some of them to another length.
 *
 * usage: delta seconds
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hub/delta.h"

#define DOCS	256
#define ROWS	61
#define CHANGES	4

struct row {
	unsigned	price, amount;
};

static char doc[DOCS][8192];
static size_t ndoc[DOCS];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The same numbers each time. */
static unsigned
pick(unsigned below)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % below);
}

static void
write_doc(unsigned d, const struct row *row)
{
	size_t cap = sizeof(doc[d]), n;
	unsigned i;

	n = (size_t)snprintf(doc[d], cap, "{\"version\":%u,\"rows\":[", d);
	for (i = 0; i < ROWS; i++)
		n += (size_t)snprintf(doc[d] + n, cap - n,
		    "%s{\"symbol\":\"FUGU%03u\",\"price\":%u.%02u,"
		    "\"amount\":%u,\"currency\":\"EUR\"}", i > 0 ? "," : "",
		    i * 7, row[i].price / 100, row[i].price % 100,
		    row[i].amount);
	ndoc[d] = n + (size_t)snprintf(doc[d] + n, cap - n, "]}");
}

static void
write_docs(void)
{
	struct row row[ROWS];
	unsigned d, i;

	for (i = 0; i < ROWS; i++)
		row[i] = (struct row){ pick(100000), pick(10000) };
	for (d = 0; d < DOCS; d++) {
		for (i = 0; i < CHANGES; i++)
			row[pick(ROWS)] = (struct row){ pick(100000),
			    pick(10000) };
		write_doc(d, row);
	}
}

int
main(int argc, char *argv[])
{
	double from, seconds = argc > 1 ? atof(argv[1]) : 1;
	double plain = 0, packed = 0;
	struct buf out;
	unsigned d;

	write_docs();
	buf_init(&out);
	from = now();
	do
		for (d = 1; d < DOCS; d++) {
			buf_reset(&out);
			if (delta_fossil(&out, sv_make(doc[d - 1],
			    ndoc[d - 1]), sv_make(doc[d], ndoc[d])) == -1)
				errx(1, "no memory");
			plain += (double)ndoc[d];
			packed += (double)out.n;
		}
	while (now() - from < seconds);
	printf("mb_per_s %.1f\n", plain / 1e6 / (now() - from));
	printf("doc_bytes %.0f\n", (double)ndoc[DOCS - 1]);
	printf("saved %.4f\n", 1 - packed / plain);
	buf_fini(&out);
	return 0;
}

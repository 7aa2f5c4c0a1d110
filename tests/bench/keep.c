/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What keeping publications costs in memory, and whether it comes back. Both
 * begin with publications that are not kept, so that what the server needs
 * for serving them at all is there before the first look.
 */
#include <stdio.h>

#include "bench.h"

#define BATCH	50	/* channels of a broadcast */
#define AFTER	6	/* seconds to forget everything in */

static struct mem
begin(void)
{
	const char *prefix = load.prefix;

	pubs_open(4);
	load.prefix = "pl:";
	pubs_send(load.nchan);
	load.prefix = prefix;
	pause_for(.5);
	return mem_read();
}

void
do_keep(unsigned n)
{
	struct mem a = begin(), b;

	pubs_send(n);
	b = mem_read();
	printf("total %.1f\n", ((double)b.rss - (double)a.rss) / n);
	printf("overhead %.1f\n", ((double)b.rss - (double)a.rss) / n -
	    (double)load.size);
}

void
do_expire(unsigned n)
{
	struct span s, all = {0};
	struct mem a, b;
	double peak;

	load.nchan = n / BATCH;
	load.broadcast = BATCH;
	a = begin();
	mem_peak_reset();
	s = span_begin();
	pubs_send(n / BATCH);
	span_add(&all, &s);
	pause_for(AFTER);
	peak = (double)mem_peak();
	b = mem_read();
	printf("publish_s %.3f\n", (double)all.wall / NSEC);
	report_cpu("publish", &all, n);
	printf("rss_before %.0f\n", (double)a.rss);
	printf("rss_peak %.0f\n", peak);
	printf("rss_after %.0f\n", (double)b.rss);
	printf("rss_ratio %.3f\n", (double)b.rss / (double)a.rss);
}

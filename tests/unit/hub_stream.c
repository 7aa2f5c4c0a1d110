/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What streams take and give back: sizes, and that everything expires on
 * time, however far away that is. What they answer is in hub_memory.c.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/stream.h"
#include "tests/unit/test.h"

#define DAY	((int64_t)86400 * 1000)

static struct hub		hub = { .n = 1 };
static struct hub_streams	streams;
static unsigned char		counter;

static void
fill(void *p, size_t n)
{
	memset(p, ++counter, n);
}

static void
start(void)
{
	hub_streams_init(&streams, &hub, fill);
}

/* 0 or -1; the position is in p. */
static int
add(struct hub_publish *p, struct sv channel, struct sv data, int64_t now)
{
	struct hub_pub_view	 in = { .channel = channel, .data = data };
	struct hub_pub		*prev;
	int			 res;

	p->req.channel = channel;
	p->req.hash = hash_sv(channel);
	if ((p->pub = hub_pub_new(&in)) == NULL)
		return -1;
	res = hub_streams_add(&streams, p, now, &prev);
	hub_pub_unref(&hub, prev);
	hub_pub_unref(&hub, p->pub);
	return res;
}

static int
keep(struct sv channel, int64_t ttl, int64_t meta_ttl, int64_t now)
{
	struct hub_publish p = { .history_size = 10, .history_ttl = ttl,
	    .meta_ttl = meta_ttl };

	return add(&p, channel, SV("data"), now);
}

static void
read_position(struct sv channel, int64_t meta_ttl, int64_t now)
{
	struct hub_history p = { .req = { .channel = channel,
	    .hash = hash_sv(channel) }, .meta_ttl = meta_ttl };

	CHECK_INT(hub_streams_history(&streams, &p, now), 0);
}

/* The bytes that malloc uses for what was asked of it, as glibc and musl do
 * it: a word in front, in steps of 16. */
static size_t
footprint(void *p)
{
	return (malloc_usable_size(p) + sizeof(size_t) + 15) & ~(size_t)15;
}

TEST(a_kept_publication_is_small)
{
	static const char	 data[200];
	struct hub_publish	 p = { .history_size = 100,
				     .history_ttl = 1000 };
	struct hub_history	 read = { .limit = -1 };

	start();
	CHECK_INT(add(&p, SV("chat:room-number-17"), sv_make(data, 200), 0),
	    0);
	read.req.channel = SV("chat:room-number-17");
	read.req.hash = hash_sv(read.req.channel);
	CHECK_INT(hub_streams_history(&streams, &read, 0), 0);
	if (CHECK_INT(read.npub, 1))
		CHECK(footprint(read.pub[0]) - 200 +
		    sizeof(struct hub_pub *) <= 64);
	hub_pubs_free(&hub, read.pub, read.npub);
	hub_streams_fini(&streams);
}

TEST(a_position_is_small)
{
	struct htab_iter it = HTAB_ITER_INIT;

	start();
	read_position(SV("chat:room-number-17"), 0, 0);
	CHECK(footprint(htab_next(&streams.table, &it)) <= 100);
	hub_streams_fini(&streams);
}

/* 50,000 channels with a publication each: everything comes back, and each
 * part at its time. */
TEST(many_channels_leave_nothing_behind)
{
	size_t	 i, count = 0;
	char	 name[32];
	int64_t	 now;

	start();
	for (i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "channel%zu", i);
		CHECK_INT(keep(sv_from(name), 1000, 2000,
		    (int64_t)i * 10), 0);
	}
	CHECK_INT(streams.table.n, 50000);
	/* For each stream itself, its ring and a publication. */
	for (now = 0; now < 503000; now += 1000)
		count += hub_streams_expire(&streams, now);
	CHECK_INT(count, 150000);
	CHECK_INT(streams.table.n, 0);
	CHECK(streams.table.bucket == NULL);
	CHECK_INT(hub_streams_expire(&streams, now), 0);
	hub_streams_fini(&streams);
}

TEST(publications_go_before_their_position)
{
	start();
	keep(SV("ch"), 1000, 5000, 7300);
	keep(SV("ch"), 1000, 5000, 7400);
	CHECK_INT(hub_streams_expire(&streams, 8399), 0);
	CHECK_INT(hub_streams_expire(&streams, 8400), 0);
	/* By the second. */
	CHECK_INT(hub_streams_expire(&streams, 9000), 3);
	CHECK_INT(streams.table.n, 1);
	CHECK_INT(hub_streams_expire(&streams, 12399), 0);
	CHECK_INT(hub_streams_expire(&streams, 13000), 1);
	CHECK_INT(streams.table.n, 0);
	hub_streams_fini(&streams);
}

/* A short time may be set after a long one, and the other way round. */
TEST(the_earlier_time_counts)
{
	int64_t now;

	start();
	read_position(SV("ch"), 0, 0);
	keep(SV("ch"), 1000, 30 * DAY, 0);
	CHECK_INT(hub_streams_expire(&streams, 1000), 2);
	read_position(SV("ch"), 3000, 1000);
	CHECK_INT(hub_streams_expire(&streams, 3999), 0);
	CHECK_INT(hub_streams_expire(&streams, 4000), 1);
	test_note("renewals");
	for (now = 5000; now < 5000000; now += 700) {
		keep(SV("ch"), 1000, 2000, now);
		hub_streams_expire(&streams, now);
	}
	CHECK_INT(streams.table.n, 1);
	now += 2000;
	hub_streams_expire(&streams, now);
	CHECK_INT(streams.table.n, 0);
	hub_streams_fini(&streams);
}

/* Times around the size of the wheel and far beyond it, swept each second
 * from some beginning: gone at the first sweep that may, and not before. */
TEST(far_away_times)
{
	static const int64_t	seconds[] = { 1, 2, HUB_STREAM_BUCKETS - 2,
				    HUB_STREAM_BUCKETS - 1,
				    HUB_STREAM_BUCKETS,
				    HUB_STREAM_BUCKETS + 1,
				    2 * HUB_STREAM_BUCKETS,
				    3 * HUB_STREAM_BUCKETS + 17, 30 * 86400 };
	static const int64_t	begin[] = { 0, 1, 999, 1000, 12345678 };
	int64_t			ttl, now, end;
	size_t			i, k;

	for (i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		for (k = 0; k < sizeof(begin) / sizeof(*begin); k++) {
			ttl = seconds[i] * 1000;
			end = begin[k] + ttl;
			test_note("%lld from %lld", (long long)ttl,
			    (long long)begin[k]);
			start();
			read_position(SV("ch"), ttl, begin[k]);
			for (now = begin[k]; now + 1000 <= end; now += 1000)
				hub_streams_expire(&streams, now);
			CHECK_INT(hub_streams_expire(&streams, end - 1), 0);
			CHECK_INT(streams.table.n, 1);
			CHECK_INT(hub_streams_expire(&streams,
			    (end + 999) / 1000 * 1000), 1);
			hub_streams_fini(&streams);
		}
}

TEST(a_leap_of_time)
{
	size_t	i;
	char	name[16];

	start();
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "ch%zu", i);
		read_position(sv_from(name), ((int64_t)i + 1) * 1000, 0);
	}
	CHECK_INT(hub_streams_expire(&streams, 1500000), 1500);
	CHECK_INT(hub_streams_expire(&streams, 2999000), 1499);
	CHECK_INT(hub_streams_expire(&streams, 400 * DAY), 1);
	hub_streams_fini(&streams);
}

TEST(for_ever)
{
	size_t i;

	start();
	read_position(SV("ch"), 0, 0);
	read_position(SV("ch2"), INT64_MAX, 5);
	/* Nothing to look at every few minutes. */
	for (i = 0; i < HUB_STREAM_BUCKETS; i++)
		CHECK(LIST_EMPTY(&streams.due[i]));
	CHECK_INT(hub_streams_expire(&streams, 1000 * 365 * DAY), 0);
	CHECK_INT(streams.table.n, 2);
	hub_streams_fini(&streams);
}

/* A version outlives the publications, in little room. */
TEST(versions_stay)
{
	struct hub_publish p = { .history_size = 10, .history_ttl = 1000,
	    .meta_ttl = 5000, .version = 7, .version_epoch = SV("e") };

	start();
	CHECK_INT(add(&p, SV("ch"), SV("data"), 0), 0);
	CHECK_INT(hub_streams_expire(&streams, 1000), 1);
	CHECK_INT(add(&p, SV("ch"), SV("data"), 1000), 0);
	CHECK(p.suppressed);
	CHECK_INT(p.pos.offset, 1);
	p.version = 8;
	CHECK_INT(add(&p, SV("ch"), SV("data"), 2000), 0);
	CHECK(!p.suppressed);
	CHECK_INT(p.pos.offset, 2);
	CHECK_INT(hub_streams_expire(&streams, 3000), 1);
	CHECK_INT(hub_streams_expire(&streams, 6999), 0);
	/* Stream, ring and version. */
	CHECK_INT(hub_streams_expire(&streams, 7000), 3);
	CHECK_INT(streams.table.n, 0);
	hub_streams_fini(&streams);
}

/* What fails leaves nothing where nothing was. */
static bool
sweep(void)
{
	struct hub_publish	p = { .history_size = 3, .history_ttl = 1000,
				    .version = 1 };
	struct hub_history	read = { .req = { .channel = SV("b"),
				    .hash = hash_sv(SV("b")) }, .limit = -1 };
	struct hub_recover	r = { .history = true, .limit = 9 };
	bool			ok;

	start();
	ok = add(&p, SV("a"), SV("data"), 0) == 0;
	CHECK_INT(streams.table.n, ok);
	if (ok) {
		ok = hub_streams_history(&streams, &read, 0) == 0;
		CHECK_INT(streams.table.n, ok ? 2 : 1);
	}
	if (ok) {
		ok = hub_streams_recover(&streams, SV("a"), &r, 0) == 0;
		CHECK_INT(r.npub, ok);
		hub_pubs_free(&hub, r.pub, r.npub);
	}
	hub_streams_fini(&streams);
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

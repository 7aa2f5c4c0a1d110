/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The in-memory broker through the requests of the hub, with one worker and
 * with four: positions, history, recovery, versions, idempotency and
 * presence. Random operations are in hub_model.c, the times and sizes of
 * streams themselves in hub_stream.c.
 */
#include <ctype.h>

#include "tests/unit/broker.h"

/* Kept for a minute, the position for an hour. */
static struct hub_publish
keep(uint32_t size)
{
	return (struct hub_publish){ .history_size = size,
	    .history_ttl = 60000, .meta_ttl = 3600000 };
}

static struct hub_position
publish_kept(const char *channel, int number, uint32_t size)
{
	struct hub_publish p = keep(size);

	CHECK_INT(publish(&p, channel, number), HUB_OK);
	return p.pos;
}

/* All of it, and top. */
static const char *
read_all(const char *channel, struct hub_position *top)
{
	struct hub_history	 p = { .limit = -1, .meta_ttl = 3600000 };
	const char		*text = history(&p, channel);

	*top = p.top;
	return text;
}

/* ---- positions ---- */

TEST(reading_creates_the_position)
{
	struct hub_position	a, b;
	size_t			i;

	start(1);
	CHECK_STR(read_all("ch", &a), "");
	CHECK_INT(a.offset, 0);
	CHECK_INT(strlen(a.epoch), 8);
	for (i = 0; i < 8; i++)
		CHECK(isalpha((unsigned char)a.epoch[i]));
	read_all("ch", &b);
	CHECK_STR(b.epoch, a.epoch);
	b = publish_kept("ch", 1, 10);
	CHECK_INT(b.offset, 1);
	CHECK_STR(b.epoch, a.epoch);
	CHECK_STR(read_all("ch", &b), "1=1");
	read_all("other", &b);
	CHECK(strcmp(b.epoch, a.epoch) != 0);
	stop();
}

TEST(without_history_there_is_no_position)
{
	struct hub_publish	p = { .meta_ttl = 1000 };
	struct sub		s = { 0 };
	struct hub_position	top;

	start(1);
	hub_subscribe(&hub[0], &s.hub, SV("ch"), NULL);
	CHECK_STR(s.top.epoch, "");
	CHECK_INT(publish(&p, "ch", 1), HUB_OK);
	CHECK_INT(p.pos.offset, 0);
	CHECK_STR(p.pos.epoch, "");
	CHECK_INT(s.ngot, 1);
	CHECK_INT(s.offset, 0);
	CHECK_STR(s.epoch, "");
	p = (struct hub_publish){ .history_size = 5 };	/* no ttl */
	CHECK_INT(publish(&p, "ch", 2), HUB_OK);
	CHECK_INT(p.pos.offset, 0);
	CHECK_INT(s.ngot, 2);
	CHECK_STR(read_all("ch", &top), "");
	hub_unsubscribe(&hub[0], &s.hub);
	stop();
}

TEST(subscribers_get_offset_and_epoch)
{
	struct sub		s[8];
	struct hub_position	pos;
	unsigned		n, i;

	for (n = 1; n <= 4; n += 3) {
		start(n);
		memset(s, 0, sizeof(s));
		for (i = 0; i < 8; i++)
			hub_subscribe(&hub[i % n], &s[i].hub, SV("ch"), NULL);
		settle();
		publish_kept("ch", 1, 2);
		pos = publish_kept("ch", 2, 2);
		for (i = 0; i < 8; i++) {
			CHECK_INT(s[i].offset, 2);
			CHECK_STR(s[i].epoch, pos.epoch);
			hub_unsubscribe(&hub[i % n], &s[i].hub);
		}
		stop();
	}
}

/* ---- reading ---- */

/* Offsets 6 to 10 of ten are kept. */
static const struct {
	bool		 reverse, has_since;
	uint64_t	 since;
	int64_t		 limit;
	const char	*want;
} reads[] = {
	{ false, false, 0, 0, "" },
	{ false, false, 0, -1, "6=6 7=7 8=8 9=9 10=10" },
	{ false, false, 0, 2, "6=6 7=7" },
	{ false, false, 0, 5, "6=6 7=7 8=8 9=9 10=10" },
	{ false, false, 0, 99, "6=6 7=7 8=8 9=9 10=10" },
	{ false, true, 0, -1, "6=6 7=7 8=8 9=9 10=10" },
	{ false, true, 3, 2, "6=6 7=7" },
	{ false, true, 5, 1, "6=6" },
	{ false, true, 6, 1, "7=7" },
	{ false, true, 6, 0, "" },
	{ false, true, 7, -1, "8=8 9=9 10=10" },
	{ false, true, 9, -1, "10=10" },
	{ false, true, 10, -1, "" },
	{ false, true, 11, -1, "" },
	{ false, true, UINT64_MAX, -1, "" },
	{ true, false, 0, 0, "" },
	{ true, false, 0, -1, "10=10 9=9 8=8 7=7 6=6" },
	{ true, false, 0, 1, "10=10" },
	{ true, false, 0, 99, "10=10 9=9 8=8 7=7 6=6" },
	{ true, true, 0, -1, "" },
	{ true, true, 1, -1, "" },
	{ true, true, 5, -1, "" },
	{ true, true, 6, -1, "" },
	{ true, true, 7, -1, "6=6" },
	{ true, true, 9, 2, "8=8 7=7" },
	{ true, true, 9, 0, "" },
	{ true, true, 10, -1, "9=9 8=8 7=7 6=6" },
	{ true, true, 11, 1, "10=10" },
	{ true, true, 12, -1, "" },
	{ true, true, UINT64_MAX, -1, "" },
};

TEST(history_reads)
{
	struct hub_history	p;
	size_t			i;
	int			k;

	start(1);
	for (k = 1; k <= 10; k++)
		publish_kept("ch", k, 5);
	for (i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
		test_note("row %zu", i);
		p = (struct hub_history){ .reverse = reads[i].reverse,
		    .has_since = reads[i].has_since, .since = reads[i].since,
		    .limit = reads[i].limit };
		CHECK_STR(history(&p, "ch"), reads[i].want);
		CHECK_INT(p.top.offset, 10);
	}
	stop();
}

TEST(size_changes)
{
	struct hub_position top;

	start(1);
	publish_kept("ch", 1, 2);
	publish_kept("ch", 2, 2);
	publish_kept("ch", 3, 4);
	publish_kept("ch", 4, 4);
	publish_kept("ch", 5, 4);
	CHECK_STR(read_all("ch", &top), "2=2 3=3 4=4 5=5");
	publish_kept("ch", 6, 2);
	CHECK_STR(read_all("ch", &top), "5=5 6=6");
	publish_kept("ch", 7, 1);
	CHECK_STR(read_all("ch", &top), "7=7");
	publish_kept("ch", 8, 7);
	publish_kept("ch", 9, UINT32_MAX);
	CHECK_STR(read_all("ch", &top), "7=7 8=8 9=9");
	CHECK_INT(top.offset, 9);
	stop();
}

TEST(removal_keeps_the_position)
{
	struct hub_request	remove = { 0 };
	struct hub_position	was, top;

	start(4);
	run(&remove, HUB_HISTORY_REMOVE, "ch");
	CHECK_INT(remove.err, HUB_OK);
	publish_kept("ch", 1, 5);
	was = publish_kept("ch", 2, 5);
	run(&remove, HUB_HISTORY_REMOVE, "ch");
	CHECK_STR(read_all("ch", &top), "");
	CHECK_INT(top.offset, 2);
	CHECK_STR(top.epoch, was.epoch);
	publish_kept("ch", 3, 5);
	CHECK_STR(read_all("ch", &top), "3=3");
	stop();
}

/* ---- recovery ---- */

/* Offsets 6 to 10 of ten are kept. */
static const struct {
	struct hub_recover	 ask;
	uint64_t		 top;
	const char		*want;
} recoveries[] = {
	{ { .position = true, .limit = 300 }, 10, "" },
	{ { .position = true, .history = true, .since = 8, .limit = 300 },
	    10, "9=9 10=10" },
	{ { .history = true, .since = 8, .limit = 300 }, 10, "9=9 10=10" },
	{ { .history = true, .since = 5, .limit = 3 }, 10, "6=6 7=7 8=8" },
	{ { .history = true, .since = 2, .limit = 300 },
	    10, "6=6 7=7 8=8 9=9 10=10" },
	{ { .history = true, .since = 10, .limit = 300 }, 10, "" },
	{ { .history = true, .since = 11, .limit = 300 }, 10, "" },
	{ { .history = true, .since = 0, .limit = 0 }, 10, "" },
	{ { .history = true, .newest = true, .since = 99 }, 10, "10=10" },
	{ { .since = 3, .limit = 9 }, 0, "" },
};

TEST(recovery)
{
	struct sub	s;
	size_t		i;
	unsigned	n;
	int		k;

	for (n = 1; n <= 4; n += 3) {
		start(n);
		for (k = 1; k <= 10; k++)
			publish_kept("ch", k, 5);
		for (i = 0; i < sizeof(recoveries) / sizeof(*recoveries);
		    i++) {
			test_note("%u workers, row %zu", n, i);
			s = (struct sub){ .answers = 0 };
			k = (int)rnd(n);
			CHECK_INT(hub_subscribe(&hub[k], &s.hub, SV("ch"),
			    &recoveries[i].ask), 0);
			settle();
			CHECK_INT(s.answers, 1);
			CHECK_INT(s.err, HUB_OK);
			CHECK_STR(s.text, recoveries[i].want);
			CHECK_INT(s.top.offset, recoveries[i].top);
			CHECK_INT(strlen(s.top.epoch),
			    recoveries[i].top > 0 ? 8 : 0);
			hub_unsubscribe(&hub[k], &s.hub);
			settle();
		}
		stop();
	}
}

TEST(recovering_creates_and_renews_the_position)
{
	struct hub_recover	ask = { .position = true, .meta_ttl = 5000 };
	struct sub		s = { 0 }, t = { 0 };
	struct hub_position	top;

	start(1);
	hub_subscribe(&hub[0], &s.hub, SV("ch"), &ask);
	CHECK_INT(s.top.offset, 0);
	CHECK_INT(strlen(s.top.epoch), 8);
	now += 4999;
	ask.newest = ask.history = true;
	hub_subscribe(&hub[0], &t.hub, SV("ch"), &ask);
	CHECK_STR(t.text, "");
	CHECK_STR(t.top.epoch, s.top.epoch);
	now += 4999;
	read_all("ch", &top);
	CHECK_STR(top.epoch, s.top.epoch);
	hub_unsubscribe(&hub[0], &s.hub);
	hub_unsubscribe(&hub[0], &t.hub);
	stop();
}

/* ---- versions ---- */

TEST(versions)
{
	static const struct {
		uint64_t	 version;
		const char	*epoch;
		bool		 suppressed;
		uint64_t	 offset;
	} rows[] = {
		{ 5, "a", false, 1 },
		{ 5, "a", true, 1 },
		{ 4, "a", true, 1 },
		{ 5, "", true, 1 },	/* whichever */
		{ 6, "", false, 2 },	/* its own is "" now */
		{ 1, "a", false, 3 },
		{ 1, "b", false, 4 },
		{ 1, "ba", false, 5 },
		{ 2, "ba", false, 6 },
		{ 1, "ba", true, 6 },
		{ 0, "", false, 7 },	/* without: forgotten */
		{ 1, "ba", false, 8 },
		{ UINT64_MAX, "", false, 9 },
		{ UINT64_MAX - 1, "", true, 9 },
	};
	struct hub_publish	p;
	struct hub_request	remove = { 0 };
	struct sub		s = { 0 };
	size_t			i;
	int			got = 0;

	start(1);
	hub_subscribe(&hub[0], &s.hub, SV("ch"), NULL);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		test_note("row %zu", i);
		p = keep(3);
		p.version = rows[i].version;
		p.version_epoch = sv_from(rows[i].epoch);
		CHECK_INT(publish(&p, "ch", 1), HUB_OK);
		CHECK_INT(p.suppressed, rows[i].suppressed);
		CHECK_INT(p.pos.offset, rows[i].offset);
		CHECK_INT(strlen(p.pos.epoch), 8);
		got += !rows[i].suppressed;
		CHECK_INT(s.ngot, got);
	}
	test_note("after the publications, before the position");
	run(&remove, HUB_HISTORY_REMOVE, "ch");
	now += 3599999;
	expire();
	p = keep(3);
	p.version = 7;
	publish(&p, "ch", 1);
	CHECK(p.suppressed);
	now += 3600000;
	publish(&p, "ch", 1);
	CHECK(!p.suppressed);
	CHECK_INT(p.pos.offset, 1);
	test_note("without history it means nothing");
	p = (struct hub_publish){ .version = 1 };
	publish(&p, "ch", 1);
	CHECK(!p.suppressed);
	hub_unsubscribe(&hub[0], &s.hub);
	stop();
}

/* As with the real server, what is suppressed renews the ttl. */
TEST(suppressed_publications_renew)
{
	struct hub_publish	p = keep(3);
	struct hub_position	top;

	start(1);
	p.version = 2;
	publish(&p, "ch", 1);
	now += 59999;
	p.version = 1;
	publish(&p, "ch", 2);
	CHECK(p.suppressed);
	now += 59999;
	CHECK_STR(read_all("ch", &top), "1=1");
	now += 1;
	CHECK_STR(read_all("ch", &top), "");
	stop();
}

/* ---- idempotency ---- */

TEST(idempotency_with_history)
{
	struct hub_publish	p = keep(5);
	struct sub		s = { 0 };
	struct hub_position	top;
	unsigned		n;

	for (n = 1; n <= 4; n += 3) {
		start(n);
		s = (struct sub){ 0 };
		hub_subscribe(&hub[0], &s.hub, SV("ch"), NULL);
		settle();
		p = keep(5);
		p.idempotency_key = SV("k");
		publish(&p, "ch", 1);
		CHECK(!p.suppressed);
		publish_kept("ch", 2, 5);
		publish(&p, "ch", 3);
		CHECK(p.suppressed);
		CHECK_INT(p.pos.offset, 1);
		CHECK_STR(read_all("ch", &top), "1=1 2=2");
		CHECK_STR(p.pos.epoch, top.epoch);
		CHECK_INT(s.ngot, 2);
		test_note("without history");
		p = (struct hub_publish){ .idempotency_key = SV("l") };
		publish(&p, "ch", 4);
		CHECK(!p.suppressed);
		publish(&p, "ch", 5);
		CHECK(p.suppressed);
		CHECK_INT(p.pos.offset, 0);
		CHECK_STR(p.pos.epoch, "");
		CHECK_INT(s.ngot, 3);
		hub_unsubscribe(&hub[0], &s.hub);
		stop();
	}
}

/* A key is used up by what was published, not by what was suppressed. */
TEST(idempotency_with_versions)
{
	struct hub_publish p = keep(5);

	start(1);
	p.version = 3;
	publish(&p, "ch", 1);
	p.idempotency_key = SV("k");
	p.version = 2;
	publish(&p, "ch", 2);
	CHECK(p.suppressed);
	CHECK_INT(p.pos.offset, 1);
	p.version = 4;
	publish(&p, "ch", 3);
	CHECK(!p.suppressed);
	CHECK_INT(p.pos.offset, 2);
	now += HUB_IDEMPOTENCY_TTL_MS;
	CHECK_INT(expire(), 3);		/* the key, and two publications */
	p.version = 5;
	publish(&p, "ch", 4);
	CHECK(!p.suppressed);
	stop();
}

/* ---- delta ---- */

TEST(deltas_come_with_what_was_before)
{
	struct hub_publish	p;
	struct sub		s = { 0 };
	unsigned		n;
	uint32_t		size;

	for (n = 1; n <= 4; n += 3)
		for (size = 1; size <= 2; size++) {
			test_note("%u workers, size %u", n, size);
			start(n);
			s = (struct sub){ 0 };
			hub_subscribe(&hub[n - 1], &s.hub, SV("ch"), NULL);
			settle();
			p = keep(size);
			p.delta = true;
			publish(&p, "ch", 1);
			CHECK_INT(s.prev, -1);
			publish(&p, "ch", 2);
			CHECK_INT(s.number, 2);
			CHECK_INT(s.prev, 1);
			p.delta = false;
			publish(&p, "ch", 3);
			CHECK_INT(s.prev, -1);
			p.delta = true;
			publish(&p, "ch", 4);
			CHECK_INT(s.prev, 3);
			now += 60000;
			publish(&p, "ch", 5);
			CHECK_INT(s.prev, -1);
			hub_unsubscribe(&hub[n - 1], &s.hub);
			stop();
		}
}

/* ---- time ---- */

TEST(the_ttl_slides)
{
	struct hub_position	was, top;
	int			swept;

	for (swept = 0; swept < 2; swept++) {
		start(1);
		publish_kept("ch", 1, 5);
		now += 59999;
		was = publish_kept("ch", 2, 5);
		now += 59999;
		if (swept)
			expire();
		CHECK_STR(read_all("ch", &top), "1=1 2=2");
		now += 1;
		if (swept)
			expire();
		CHECK_STR(read_all("ch", &top), "");
		CHECK_INT(top.offset, 2);
		CHECK_STR(top.epoch, was.epoch);
		test_note("reading has renewed the position");
		now += 3599999;
		if (swept)
			expire();
		read_all("ch", &top);
		CHECK_STR(top.epoch, was.epoch);
		now += 3600000;
		if (swept)
			expire();
		read_all("ch", &top);
		CHECK_INT(top.offset, 0);
		CHECK(strcmp(top.epoch, was.epoch) != 0);
		test_note(" ");
		stop();
	}
}

/* ---- presence ---- */

static void
change(enum hub_op op, const char *channel, const char *client,
    const char *user)
{
	struct hub_presence_change p = { .info = { .client = sv_from(client),
	    .user = sv_from(user), .conn_info = SV("{\"a\":1}") } };

	run(&p.req, op, channel);
	CHECK_INT(p.req.err, HUB_OK);
}

TEST(presence)
{
	struct hub_presence	p;
	unsigned		n;
	size_t			i;

	for (n = 1; n <= 4; n += 3) {
		start(n);
		change(HUB_PRESENCE_REMOVE, "ch", "c1", "");
		change(HUB_PRESENCE_ADD, "ch", "c1", "ann");
		change(HUB_PRESENCE_ADD, "ch", "c2", "ann");
		change(HUB_PRESENCE_ADD, "ch", "c3", "bob");
		change(HUB_PRESENCE_ADD, "other", "c1", "ann");
		p = (struct hub_presence){ .num_clients = 9 };
		run(&p.req, HUB_PRESENCE_STATS, "ch");
		CHECK_INT(p.num_clients, 3);
		CHECK_INT(p.num_users, 2);
		CHECK(p.info == NULL);
		run(&p.req, HUB_PRESENCE, "ch");
		CHECK_INT(p.num_clients, 3);
		for (i = 0; i < p.num_clients; i++) {
			CHECK(sv_starts(p.info[i].client, SV("c")));
			CHECK_SV(p.info[i].conn_info, "{\"a\":1}");
		}
		free(p.info);
		change(HUB_PRESENCE_REMOVE, "ch", "c3", "");
		run(&p.req, HUB_PRESENCE_STATS, "ch");
		CHECK_INT(p.num_clients, 2);
		CHECK_INT(p.num_users, 1);
		stop();
	}
}

/* ---- out of memory ---- */

/* The publication after a failure continues what was there before it. */
static bool
sweep_run(unsigned n)
{
	struct hub_publish	p = keep(3);
	struct hub_history	read = { .limit = -1 };
	struct hub_recover	ask = { .history = true, .limit = 9 };
	struct hub_presence_change who = { .req = { .err = HUB_OK } };
	struct hub_presence	there = { .num_clients = 0 };
	struct sub		s = { 0 };
	uint64_t		done = 0;
	bool			ok = start(n), subscribed = false;
	int			i;
	const char		*text;

	p.delta = true;
	p.version_epoch = SV("e");
	p.idempotency_key = SV("key");
	for (i = 1; ok && i <= 5; i++) {
		p.version = (uint64_t)i;
		p.idempotency_key = sv_make("abcdef", (size_t)i);
		ok = publish(&p, "ch", i) == HUB_OK;
		if (ok)
			CHECK_INT(p.pos.offset, ++done);
		CHECK(!p.suppressed);
	}
	if (ok) {
		text = history(&read, "ch");
		ok = read.req.err == HUB_OK;
		CHECK_STR(text, ok ? "3=3 4=4 5=5" : "failed");
		CHECK(ok || read.npub == 0);
	}
	if (ok) {
		who.info.client = SV("c");
		run(&who.req, HUB_PRESENCE_ADD, "ch");
		ok = who.req.err == HUB_OK;
	}
	if (ok) {
		run(&there.req, HUB_PRESENCE, "ch");
		ok = there.req.err == HUB_OK;
		CHECK_INT(there.num_clients, ok);
		free(there.info);
	}
	if (ok)
		subscribed = hub_subscribe(&hub[0], &s.hub, SV("ch"),
		    &ask) == 0;
	settle();
	ok = ok && subscribed && s.err == HUB_OK;
	if (ok)
		CHECK_STR(s.text, "3=3 4=4 5=5");
	if (subscribed)
		hub_unsubscribe(&hub[0], &s.hub);
	settle();
	for (i = 0; i < (int)n; i++)
		hub_fini(&hub[i]);
	return ok;
}

static bool
sweep_one(void)
{
	return sweep_run(1);
}

static bool
sweep_two(void)
{
	return sweep_run(2);
}

/* One failure, then the same request again: it must go as if it were the
 * first. */
static bool
sweep_again(void)
{
	struct hub_publish	p = keep(3);
	struct hub_position	top;
	unsigned long		failed;
	int			i;
	bool			ok;

	alloc_fail_at(0);
	start(1);
	publish_kept("ch", 1, 3);
	for (i = 1; i < 12; i++) {
		test_note("allocation %d", i);
		p.version = (uint64_t)i;
		p.version_epoch = SV("e");
		p.idempotency_key = sv_make("abcdefghijklmnop", (size_t)i);
		alloc_fail_at((unsigned long)i);
		ok = publish(&p, "ch", i) == HUB_OK;
		failed = alloc_failed();
		alloc_fail_at(0);
		CHECK_INT(ok, failed == 0);
		if (!ok)
			CHECK_INT(publish(&p, "ch", i), HUB_OK);
		CHECK(!p.suppressed);
		CHECK_INT(p.pos.offset, i + 1);
	}
	CHECK_STR(read_all("ch", &top), "10=9 11=10 12=11");
	stop();
	return true;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep_one);
	ALLOC_SWEEP(sweep_two);
	CHECK(sweep_again());
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The hub against a model: several hubs in one process, mail delivered in
 * random interleavings that keep each sender's order, as workers do it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/hub.h"
#include "tests/unit/test.h"

#define HUBS_MAX	4
#define SUBS		24
#define CHANNELS	5

/* A mailbox for each pair of hubs, so that interleavings can vary. */
struct box {
	struct mail	*head, **tail;
};

static struct hub	hub[HUBS_MAX];
static struct hub	*peer[HUBS_MAX];
static struct box	box[HUBS_MAX][HUBS_MAX];
static unsigned		nhubs;
static int64_t		now;
static uint32_t		seed;

struct sub {
	struct hub_sub	hub;		/* first */
	int		joined, failed;
	int		channel;	/* -1: none */
	unsigned	home;
	/* What it got since it joined: the numbers of publications. */
	int		got[512];
	size_t		ngot;
	/* How many of its channel were published when it was answered. */
	int		wire_made;
};

static struct sub subs[SUBS];

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static void
post(void *ctx, unsigned to, struct mail *m)
{
	unsigned	 from = (unsigned)((struct hub *)ctx - hub);
	struct box	*b = &box[from][to];

	CHECK(from != to);
	CHECK(nhubs > 1);
	m->next = NULL;
	*b->tail = m;
	b->tail = &m->next;
}

static int64_t
mono(void *ctx)
{
	(void)ctx;
	return now;
}

static void
deliver(struct hub_sub *hs, struct hub_fanout *f)
{
	struct sub	*s = (struct sub *)(void *)hs;
	char		 text[16];

	CHECK(s->joined);
	CHECK(hub_sub_live(hs));
	CHECK_SVEQ(hub_sub_name(hs), hub_pub_channel(f->pub));
	if (f->wire[0] == NULL) {
		f->wire[0] = blob_new(1);
		s->wire_made++;
	}
	snprintf(text, sizeof(text), "%.*s", SV_ARG(hub_pub_data(f->pub)));
	if (s->ngot < 512)
		s->got[s->ngot++] = atoi(text);
}

static void
joined(struct hub_sub *hs, enum hub_err err, const struct hub_recover *r)
{
	struct sub *s = (struct sub *)(void *)hs;

	CHECK_INT(r->npub, 0);
	if (err == HUB_OK)
		s->joined++;
	else
		s->failed++;
}

static const struct hub_ops ops = { post, mono, deliver, NULL, joined };

static void
fill(void *p, size_t n)
{
	memset(p, 'e', n);
}

static bool
start(unsigned n)
{
	unsigned i, k;

	nhubs = n;
	now = 1000;
	seed = n * 7919;
	for (i = 0; i < n; i++)
		peer[i] = &hub[i];
	for (i = 0; i < n; i++) {
		hub_init(&hub[i], i, n, peer, &ops, &hub[i]);
		for (k = 0; k < n; k++)
			box[i][k].tail = &box[i][k].head;
	}
	for (i = 0; i < SUBS; i++)
		subs[i] = (struct sub){ .channel = -1, .home = i % n };
	for (i = 0; i < n; i++)
		if ((hub[i].broker = memory_broker_new(&hub[i], fill)) == NULL)
			return false;
	return true;
}

/* Hand over one mail of a random pair; false if there is none. */
static bool
step(void)
{
	unsigned	 i, k, at = rnd(nhubs * nhubs);
	struct box	*b;
	struct mail	*m;

	for (i = 0; i < nhubs * nhubs; i++) {
		k = (at + i) % (nhubs * nhubs);
		b = &box[k / nhubs][k % nhubs];
		if ((m = b->head) == NULL)
			continue;
		if ((b->head = m->next) == NULL)
			b->tail = &b->head;
		m->run(m, NULL);
		return true;
	}
	return false;
}

static void
settle(void)
{
	while (step())
		continue;
}

static void
stop(void)
{
	unsigned i;

	settle();
	for (i = 0; i < SUBS; i++)
		if (subs[i].hub.entry != NULL)
			hub_unsubscribe(&hub[subs[i].home], &subs[i].hub);
	settle();
	for (i = 0; i < nhubs; i++) {
		CHECK_INT(hub[i].table[HUB_CHANNELS].entries.n, 0);
		CHECK_INT(hub[i].table[HUB_CHANNELS].owned, 0);
		CHECK_INT(hub[i].nsubs, 0);
		hub_fini(&hub[i]);
	}
}

/* ---- publishing ---- */

struct request {
	struct hub_publish	p;	/* first */
	int			done;
	enum hub_err		err;
};

static void
published(struct hub_request *p)
{
	struct request *r = (struct request *)(void *)p;

	r->done++;
	r->err = p->err;
}

static bool
publish(unsigned from, const char *channel, int number, const char *key,
    struct request *r)
{
	char			text[16];
	struct hub_pub_view	in = { .channel = sv_from(channel) };

	snprintf(text, sizeof(text), "%d", number);
	in.data = sv_from(text);
	*r = (struct request){ .p = { .req = { .done = published } } };
	if (key != NULL)
		r->p.idempotency_key = sv_from(key);
	r->p.pub = hub_pub_new(&in);
	if (r->p.pub == NULL)
		return false;
	hub_publish(&hub[from], &r->p);
	return true;
}

static bool
subscribe(struct sub *s, int channel)
{
	char name[16];

	snprintf(name, sizeof(name), "ch%d", channel);
	s->joined = 0;
	s->ngot = 0;
	s->channel = channel;
	return hub_subscribe(&hub[s->home], &s->hub, sv_from(name), NULL) == 0;
}

/* ---- tests ---- */

TEST(one_worker_answers_at_once)
{
	struct request r;

	start(1);
	CHECK(subscribe(&subs[0], 1));
	CHECK_INT(subs[0].joined, 1);
	CHECK(publish(0, "ch1", 7, NULL, &r));
	CHECK_INT(r.done, 1);
	CHECK_INT(subs[0].ngot, 1);
	CHECK_INT(subs[0].got[0], 7);
	CHECK(publish(0, "ch2", 8, NULL, &r));
	CHECK_INT(subs[0].ngot, 1);
	stop();
}

TEST(one_encoding_a_worker)
{
	struct request	r;
	int		i, made = 0;

	start(1);
	for (i = 0; i < SUBS; i++)
		subscribe(&subs[i], 0);
	publish(0, "ch0", 1, NULL, &r);
	for (i = 0; i < SUBS; i++) {
		CHECK_INT(subs[i].ngot, 1);
		made += subs[i].wire_made;
	}
	CHECK_INT(made, 1);
	stop();
}

/* Subscribers come and go at random while others publish. Every live
 * subscriber of a channel must see consecutive numbers, and all that were
 * published after its answer came. */
static void
churn(unsigned n, unsigned rounds)
{
	static struct request	 req[512];
	int			 count[CHANNELS] = { 0 };
	struct sub		*s;
	char			 name[16];
	unsigned		 round;
	size_t			 i, used = 0;
	int			 c;

	start(n);
	for (round = 0; round < rounds; round++) {
		s = &subs[rnd(SUBS)];
		switch (rnd(4)) {
		case 0:
			if (s->hub.entry == NULL)
				subscribe(s, (int)rnd(CHANNELS));
			break;
		case 1:
			if (s->hub.entry != NULL && rnd(3) == 0)
				hub_unsubscribe(&hub[s->home], &s->hub);
			break;
		case 2:
			if (used == 512)
				break;
			c = (int)rnd(CHANNELS);
			snprintf(name, sizeof(name), "ch%d", c);
			publish(c % nhubs, name, ++count[c], NULL,
			    &req[used++]);
			break;
		default:
			step();
		}
	}
	settle();
	for (i = 0; i < used; i++) {
		CHECK_INT(req[i].done, 1);
		CHECK_INT(req[i].err, HUB_OK);
	}
	for (s = subs; s < subs + SUBS; s++) {
		test_note("workers %u, subscriber %d", n, (int)(s - subs));
		for (i = 1; i < s->ngot; i++)
			CHECK_INT(s->got[i], s->got[i - 1] + 1);
		if (s->hub.entry != NULL && s->ngot > 0)
			CHECK_INT(s->got[s->ngot - 1], count[s->channel]);
	}
	stop();
}

TEST(order_survives_churn)
{
	unsigned n, k;

	for (n = 1; n <= HUBS_MAX; n++)
		for (k = 0; k < 40; k++) {
			seed = k;
			churn(n, 400);
		}
}

/* What was published after the subscriber's answer arrives, wherever the
 * owner is. */
TEST(nothing_is_lost_after_the_answer)
{
	struct request	r;
	unsigned	i;
	int		c;

	start(HUBS_MAX);
	for (i = 0; i < SUBS; i++)
		subscribe(&subs[i], (int)i % CHANNELS);
	settle();
	for (c = 0; c < CHANNELS; c++) {
		char name[16];

		snprintf(name, sizeof(name), "ch%d", c);
		publish((unsigned)c % nhubs, name, 1, NULL, &r);
		settle();
		CHECK_INT(r.done, 1);
	}
	for (i = 0; i < SUBS; i++)
		CHECK_INT(subs[i].ngot, 1);
	stop();
}

TEST(unsubscribed_before_the_answer)
{
	unsigned i;

	start(2);
	for (i = 0; i < SUBS; i++) {
		subscribe(&subs[i], (int)i % CHANNELS);
		if (hub_sub_pending(&subs[i].hub)) {
			hub_unsubscribe(&hub[subs[i].home], &subs[i].hub);
			CHECK(subs[i].hub.entry == NULL);
		}
	}
	settle();
	for (i = 0; i < SUBS; i++)
		CHECK_INT(subs[i].joined, subs[i].hub.entry != NULL);
	stop();
}

TEST(idempotency_key_is_kept_for_its_time)
{
	unsigned	n;
	struct request	r;

	for (n = 1; n <= 2; n++) {
		start(n);
		subscribe(&subs[0], 3);
		settle();
		publish(0, "ch3", 1, "k", &r);
		settle();
		publish(0, "ch3", 2, "k", &r);
		settle();
		CHECK_INT(r.done, 1);
		CHECK_INT(subs[0].ngot, 1);
		publish(0, "ch3", 3, "other", &r);
		settle();
		CHECK_INT(subs[0].ngot, 2);
		now += HUB_IDEMPOTENCY_TTL_MS - 1;
		publish(0, "ch3", 4, "k", &r);
		settle();
		CHECK_INT(subs[0].ngot, 2);
		now += 1;
		publish(0, "ch3", 5, "k", &r);
		settle();
		CHECK_INT(subs[0].ngot, 3);
		now += HUB_IDEMPOTENCY_TTL_MS;
		hub_expire(&hub[0]);
		stop();
	}
}

/* The key of one channel is not the key of another. */
TEST(idempotency_is_per_channel)
{
	struct request r;

	start(1);
	subscribe(&subs[0], 1);
	publish(0, "ch", 1, "1x", &r);
	publish(0, "ch1", 2, "x", &r);
	publish(0, "ch2", 3, "x", &r);
	publish(0, "ch3", 4, "x", &r);
	CHECK_INT(subs[0].ngot, 1);
	subscribe(&subs[1], 3);
	publish(0, "ch4", 5, "y", &r);
	publish(0, "ch3", 6, "y", &r);
	CHECK_INT(subs[1].ngot, 1);
	stop();
}

/* A publication owns what it was made of. */
TEST(publications_are_copies)
{
	char	 text[] = "channel data tags user client conn chan";
	struct hub_pub_view in = {
		.channel = sv_make(text, 7), .data = sv_make(text + 8, 4),
		.tags = sv_make(text + 13, 4), .version = UINT64_MAX,
		.info = {
			.user = sv_make(text + 18, 4),
			.client = sv_make(text + 23, 6),
			.conn_info = sv_make(text + 30, 4),
			.chan_info = sv_make(text + 35, 4),
		},
	}, v;
	struct hub_pub	*with, *without;

	start(3);
	without = hub_pub_new(&in);
	in.type = HUB_PUB_LEAVE;
	in.has_info = in.is_binary = true;
	in.offset = 7;
	with = hub_pub_new(&in);
	memset(text, 'x', sizeof(text));
	hub_pub_view(with, &v);
	CHECK_SV(v.channel, "channel");
	CHECK_SV(v.data, "data");
	CHECK_SV(v.tags, "tags");
	CHECK_SV(v.info.user, "user");
	CHECK_SV(v.info.client, "client");
	CHECK_SV(v.info.conn_info, "conn");
	CHECK_SV(v.info.chan_info, "chan");
	CHECK_INT(v.type, HUB_PUB_LEAVE);
	CHECK(v.has_info);
	CHECK(v.is_binary);
	CHECK_INT(v.offset, 7);
	CHECK(v.version == UINT64_MAX);
	hub_pub_view(without, &v);
	CHECK(!v.has_info);
	CHECK(!v.is_binary);
	CHECK_INT(v.type, HUB_PUB);
	CHECK_INT(v.info.user.n, 0);
	CHECK_SV(v.tags, "tags");
	hub_pub_ref(&hub[0], with);
	hub_pub_unref(&hub[0], with);
	hub_pub_unref(&hub[0], with);
	hub_pub_unref(&hub[0], without);
	hub_pub_unref(&hub[0], NULL);
	stop();
}

TEST(users_are_counted_once)
{
	struct hub_sub		 a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	struct hub_sub *const	*m;
	size_t			 total = 0;
	unsigned		 i;

	start(2);
	CHECK_INT(hub_user_add(&hub[0], &a, SV("ann")), 0);
	CHECK_INT(hub_user_add(&hub[0], &b, SV("ann")), 0);
	CHECK_INT(hub_user_add(&hub[1], &c, SV("ann")), 0);
	CHECK_INT(hub_user_add(&hub[1], &d, SV("")), 0);
	settle();
	for (i = 0; i < 2; i++)
		total += hub[i].table[HUB_USERS].owned;
	CHECK_INT(total, 2);
	CHECK_INT(hub_members(&hub[0], HUB_USERS, SV("ann"), &m), 2);
	CHECK_INT(hub_members(&hub[1], HUB_USERS, SV("ann"), &m), 1);
	CHECK(m[0] == &c);
	CHECK_INT(hub_members(&hub[1], HUB_USERS, SV("bob"), &m), 0);
	hub_user_del(&hub[0], &a);
	hub_user_del(&hub[0], &b);
	hub_user_del(&hub[1], &c);
	hub_user_del(&hub[1], &d);
	settle();
	CHECK_INT(hub[0].table[HUB_USERS].entries.n, 0);
	CHECK_INT(hub[1].table[HUB_USERS].entries.n, 0);
	stop();
}

/* The owner hears of a worker's first connection of a user. */
TEST(the_owner_knows_each_user)
{
	struct hub_sub	a[8] = { 0 };
	char		name[8];
	unsigned	i;

	start(2);
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		CHECK_INT(hub_user_add(&hub[0], &a[i], sv_from(name)), 0);
	}
	settle();
	CHECK_INT(hub[0].table[HUB_USERS].owned +
	    hub[1].table[HUB_USERS].owned, 8);
	CHECK(hub[1].table[HUB_USERS].owned > 0);
	for (i = 0; i < 8; i++)
		hub_user_del(&hub[0], &a[i]);
	settle();
	CHECK_INT(hub[1].table[HUB_USERS].owned, 0);
	stop();
}

static void
count_members(void *arg, struct sv name, size_t members)
{
	size_t *sum = arg;

	CHECK(sv_starts(name, SV("ch")));
	*sum += members;
}

TEST(each_channel_is_visited)
{
	size_t		sum = 0;
	unsigned	i;

	start(1);
	for (i = 0; i < SUBS; i++)
		subscribe(&subs[i], (int)i % CHANNELS);
	hub_each(&hub[0], HUB_CHANNELS, count_members, &sum);
	CHECK_INT(sum, SUBS);
	stop();
}

static bool
sweep_run(unsigned n)
{
	struct request	r = { .done = 1 };
	struct hub_sub	user = { 0 };
	bool		ok = start(n);
	unsigned	i;

	for (i = 0; ok && i < 3; i++) {
		ok = subscribe(&subs[i], (int)i);
		settle();
		if (ok && subs[i].failed > 0) {
			ok = false;
			hub_unsubscribe(&hub[subs[i].home], &subs[i].hub);
		}
	}
	if (ok && hub_user_add(&hub[0], &user, SV("ann")) == -1)
		ok = false;
	if (ok)
		ok = publish(0, "ch1", 1, "key", &r);
	settle();
	ok = ok && r.done == 1 && r.err == HUB_OK && subs[1].ngot == 1;
	/* Leaving never fails: an entry that the owner still counts is told
	 * off when something arrives for it. */
	if (user.entry != NULL)
		hub_user_del(&hub[0], &user);
	for (i = 0; i < SUBS; i++)
		if (subs[i].hub.entry != NULL)
			hub_unsubscribe(&hub[subs[i].home], &subs[i].hub);
	settle();
	for (i = 0; i < n; i++)
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

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep_one);
	ALLOC_SWEEP(sweep_two);
}

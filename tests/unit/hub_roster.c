/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Presence in memory against a model: a square of channels and clients.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/roster.h"
#include "tests/unit/test.h"

static struct hub_roster	roster;
static uint32_t			seed;

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static int
put(const char *channel, const char *client, const char *user,
    const char *conn, const char *chan)
{
	struct hub_info v = { .user = sv_from(user),
	    .client = sv_from(client), .conn_info = sv_from(conn),
	    .chan_info = sv_from(chan) };

	return hub_roster_put(&roster, sv_from(channel), &v);
}

static void
check_empty(void)
{
	CHECK_INT(roster.channels.n, 0);
	CHECK_INT(roster.members.n, 0);
	CHECK_INT(roster.users.n, 0);
	hub_roster_fini(&roster);
}

/* The info of the channel's only client. */
static struct hub_info *
only(const char *channel)
{
	struct hub_presence p = { .req = { .op = HUB_PRESENCE,
	    .channel = sv_from(channel) } };

	CHECK_INT(hub_roster_get(&roster, &p), 0);
	CHECK_INT(p.num_clients, 1);
	CHECK_INT(p.num_users, 1);
	return p.info;
}

TEST(an_info_is_replaced)
{
	static const struct {
		const char *user, *conn, *chan;
	} rows[] = {
		{ "ann", "{}", "" },
		{ "ann", "{}", "" },
		{ "ann", "{\"longer\":1}", "" },
		{ "ann", "", "{\"longer\":1}" },
		{ "ann", "", "[]" },
		{ "bob", "", "[]" },
		{ "", "", "" },
		{ "a user with a name longer than all before it", "1", "2" },
	};
	struct hub_info	*info;
	size_t		 i;

	hub_roster_init(&roster);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		test_note("row %zu", i);
		CHECK_INT(put("ch", "c", rows[i].user, rows[i].conn,
		    rows[i].chan), 0);
		if (!CHECK((info = only("ch")) != NULL))
			continue;
		CHECK_SV(info->user, rows[i].user);
		CHECK_SV(info->client, "c");
		CHECK_SV(info->conn_info, rows[i].conn);
		CHECK_SV(info->chan_info, rows[i].chan);
		free(info);
	}
	info = only("ch");
	hub_roster_del(&roster, SV("ch"), SV("c"));
	check_empty();
	test_note("an answer outlives what it tells of");
	CHECK_SV(info->client, "c");
	CHECK_SV(info->conn_info, "1");
	free(info);
}

/* What says the same costs no memory, whichever update comes. */
TEST(the_same_again_is_free)
{
	hub_roster_init(&roster);
	CHECK_INT(put("ch", "c", "ann", "{}", "{}"), 0);
	alloc_fail_at(0);
	CHECK_INT(put("ch", "c", "ann", "{}", "{}"), 0);
	CHECK_INT(alloc_count(), 0);
	hub_roster_del(&roster, SV("ch"), SV("c"));
	check_empty();
}

TEST(names_do_not_mix)
{
	hub_roster_init(&roster);
	CHECK_INT(put("ch", "cc", "u", "", ""), 0);
	CHECK_INT(put("chc", "c", "u", "", ""), 0);
	hub_roster_del(&roster, SV("ch"), SV("c"));
	hub_roster_del(&roster, SV("chc"), SV("cc"));
	hub_roster_del(&roster, SV("c"), SV("c"));
	hub_roster_del(&roster, SV("ch"),
	    SV("a name longer than any that was put"));
	free(only("ch"));
	free(only("chc"));
	hub_roster_del(&roster, SV("ch"), SV("cc"));
	hub_roster_del(&roster, SV("chc"), SV("c"));
	check_empty();
}

#define CHANNELS	4
#define CLIENTS		12
#define USERS		5

/* Who is there: the user, or -1. */
static int model[CHANNELS][CLIENTS];

static void
compare(int ch)
{
	struct hub_presence	 p = { .req = { .op = HUB_PRESENCE } };
	char			 name[16];
	int			 c, users = 0, clients = 0;
	bool			 there[USERS] = { false };
	size_t			 i;

	for (c = 0; c < CLIENTS; c++)
		if (model[ch][c] != -1) {
			clients++;
			users += !there[model[ch][c]];
			there[model[ch][c]] = true;
		}
	snprintf(name, sizeof(name), "ch%d", ch);
	p.req.channel = sv_from(name);
	CHECK_INT(hub_roster_get(&roster, &p), 0);
	CHECK_INT(p.num_clients, clients);
	CHECK_INT(p.num_users, users);
	for (i = 0; i < p.num_clients; i++) {
		c = p.info[i].client.p[1] - 'a';
		snprintf(name, sizeof(name), "user%d", model[ch][c]);
		CHECK_SV(p.info[i].user, name);
		model[ch][c] -= 100;	/* seen once */
	}
	for (c = 0; c < CLIENTS; c++) {
		CHECK(model[ch][c] < 0);
		if (model[ch][c] < -1)
			model[ch][c] += 100;
	}
	free(p.info);
}

TEST(random_operations_against_a_model)
{
	char	channel[8], client[4], user[8];
	int	i, ch, c;

	hub_roster_init(&roster);
	memset(model, -1, sizeof(model));
	seed = 42;
	for (i = 0; i < 5000; i++) {
		test_note("step %d", i);
		ch = (int)rnd(CHANNELS);
		c = (int)rnd(CLIENTS);
		snprintf(channel, sizeof(channel), "ch%d", ch);
		snprintf(client, sizeof(client), "c%c", 'a' + c);
		/* Now more come, now more leave. */
		if (rnd(10) < (i / 500 % 2 ? 3 : 6)) {
			model[ch][c] = (int)rnd(USERS);
			snprintf(user, sizeof(user), "user%d", model[ch][c]);
			CHECK_INT(put(channel, client, user, "{}", ""), 0);
		} else {
			model[ch][c] = -1;
			hub_roster_del(&roster, sv_from(channel),
			    sv_from(client));
		}
		compare(ch);
	}
	hub_roster_fini(&roster);
}

TEST(many_clients)
{
	struct hub_presence	p = { .req = { .op = HUB_PRESENCE_STATS,
				    .channel = SV("ch") } };
	char			client[24], user[24];
	int			i;

	hub_roster_init(&roster);
	for (i = 0; i < 20000; i++) {
		snprintf(client, sizeof(client), "client%d", i);
		snprintf(user, sizeof(user), "user%d", i / 2);
		CHECK_INT(put("ch", client, user, "", ""), 0);
	}
	CHECK_INT(hub_roster_get(&roster, &p), 0);
	CHECK_INT(p.num_clients, 20000);
	CHECK_INT(p.num_users, 10000);
	for (i = 0; i < 20000; i++) {
		snprintf(client, sizeof(client), "client%d", i);
		hub_roster_del(&roster, SV("ch"), sv_from(client));
	}
	check_empty();
}

/* After each failure everything is as it was. */
static bool
sweep(void)
{
	struct hub_info	*info = NULL;
	bool		 ok;

	hub_roster_init(&roster);
	ok = put("ch", "c", "ann", "{}", "") == 0;
	CHECK_INT(roster.channels.n, ok);
	CHECK_INT(roster.users.n, ok);
	CHECK_INT(roster.members.n, ok);
	if (ok)
		ok = put("ch", "c", "somebody else", "[]", "") == 0;
	CHECK_INT(roster.users.n, roster.members.n);
	if (ok) {
		struct hub_presence p = { .req = { .op = HUB_PRESENCE,
		    .channel = SV("ch") } };

		ok = hub_roster_get(&roster, &p) == 0;
		info = p.info;
		CHECK_INT(p.num_clients, ok);
	}
	if (info != NULL)
		CHECK_SV(info->user, "somebody else");
	free(info);
	hub_roster_del(&roster, SV("ch"), SV("c"));
	check_empty();
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

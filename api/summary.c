/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See summary.h.
 */
#include "api/summary.h"
#include "util/clock.h"
#include "util/log.h"

/* Of one worker, or of all. */
struct summary {
	uint64_t clients, transports, users, channels, subs, conns, turns;
};

static void
collect(struct node *n, void *arg, void *result)
{
	struct summary *s = result;

	(void)arg;
	s->clients = n->stats.num_clients;
	s->transports = n->stats.transport_open;
	s->users = n->hub.table[HUB_USERS].owned;
	s->channels = n->hub.table[HUB_CHANNELS].owned;
	s->subs = n->hub.nsubs;
	s->conns = n->w->stats.conns_open;
	s->turns = n->w->stats.turns;
}

static void
collected(struct gather *g)
{
	const struct server	*srv = g->home->srv;
	struct summary		 all = { 0 }, *s;
	unsigned		 i;

	for (i = 0; i < srv->n; i++) {
		s = gather_result(g, i);
		all.clients += s->clients;
		all.transports += s->transports;
		all.users += s->users;
		all.channels += s->channels;
		all.subs += s->subs;
		all.conns += s->conns;
		log_info("worker", kv_u("id", i), kv_u("clients", s->clients),
		    kv_u("connections", s->conns), kv_u("turns", s->turns));
	}
	log_info("summary", kv_u("clients", all.clients),
	    kv_u("users", all.users), kv_u("channels", all.channels),
	    kv_u("subscriptions", all.subs),
	    kv_u("connections", all.conns), kv_u("workers", srv->n),
	    kv_i("uptime", (clock_wall_ms() - srv->started_wall_ms) /
	    MSEC_PER_SEC));
}

/* see summary.h */
void
summary_log(struct node *home)
{
	if (node_gather(home, sizeof(struct summary), NULL, collect,
	    collected) == -1)
		log_error("out of memory");
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Limits that concern more than one connection: of connections a second, of
 * connections of one user (client.user_connection_limit), and of one at a
 * time (subscribe_to_user_personal_channel.single_connection). The latter
 * two ask every worker, so the command that connects is set aside and run
 * again when the answer is there.
 */
#include <stdlib.h>

#include "client/admission.h"
#include "util/clock.h"
#include "util/log.h"

struct admission {
	struct client	*client;	/* NULL: gone */
	bool		 kick;		/* the others must go */
	size_t		 nuser;
	char		 user[];
};

/* On every worker: count the user's connections, or send them away. */
static void
count_others(struct node *n, void *arg, void *result)
{
	const struct admission	*a = arg;
	size_t			*count = result;
	struct hub_sub *const	*v;
	size_t			 i = 0;

	while (i < hub_members(&n->hub, HUB_USERS,
	    sv_make(a->user, a->nuser), &v)) {
		struct client *c = client_of_user_sub(v[i]);

		/* Who is sent away leaves its place to another; who was
		 * during a fan-out is still here, but not for long. */
		if (c->state == CLIENT_CLOSED) {
			i++;
		} else if (a->kick) {
			client_disconnect(c, DISCONNECT_CONNECTION_LIMIT,
			    NULL);
		} else {
			++*count;
			i++;
		}
	}
}

static void
counted(struct gather *g)
{
	struct admission	*a = g->arg;
	struct client		*c = a->client;
	const int64_t		 limit =
				    g->home->conf->client.user_connection_limit;
	size_t			 n = 0;
	unsigned		 i;

	for (i = 0; i < g->home->srv->n; i++)
		n += *(size_t *)gather_result(g, i);
	if (c != NULL) {
		c->admission = NULL;
		c->admitted = true;
		if (limit > 0 && n >= (uint64_t)limit) {
			log_info("limit of connections of a user reached",
			    kv_sv("user", sv_make(a->user, a->nuser)));
			client_disconnect(c, DISCONNECT_CONNECTION_LIMIT,
			    NULL);
		}
		client_resume(c);
	}
	free(a);
}

/* see admission.h */
bool
admission_needed(const struct client *c, struct sv user)
{
	const struct conf_client *conf = &c->node->conf->client;

	return !c->admitted && user.n > 0 &&
	    (conf->user_connection_limit > 0 ||
	    (conf->subscribe_to_user_personal_channel.enabled &&
	    conf->subscribe_to_user_personal_channel.single_connection));
}

/* see admission.h */
void
admission_ask(struct client *c, struct sv user)
{
	const struct conf_personal_channel *personal = &c->node->conf->client.
	    subscribe_to_user_personal_channel;
	struct admission *a;

	if ((a = calloc(1, sizeof(*a) + user.n)) == NULL) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	a->client = c;
	a->kick = personal->enabled && personal->single_connection;
	a->nuser = user.n;
	memcpy(a->user, user.p, user.n);
	c->admission = a;
	client_retry(c);
	if (node_gather(c->node, sizeof(size_t), a, count_others,
	    counted) == -1) {
		c->admission = NULL;
		free(a);
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	}
}

/* see admission.h */
void
admission_forget(struct client *c)
{
	if (c->admission != NULL)
		c->admission->client = NULL;
	c->admission = NULL;
}

static bool
rate_ok(struct node *n)
{
	int64_t		 burst = n->conf->client.connection_rate_limit;
	int64_t		 was, next, now = n->w->now;

	if (burst <= 0)
		return true;
	/* srv->rate_at is when the bucket, which gets one place a second,
	 * would be full again. */
	was = atomic_load(&n->srv->rate_at);
	do {
		next = (was > now ? was : now) + MSEC_PER_SEC;
		if (next - now > burst * MSEC_PER_SEC)
			return false;
	} while (!atomic_compare_exchange_weak(&n->srv->rate_at, &was, next));
	return true;
}

/* see admission.h */
bool
admission_enter(struct node *n)
{
	unsigned	was;
	int64_t		limit = n->conf->client.connection_limit;

	if (n->draining || !rate_ok(n))
		return false;
	was = atomic_fetch_add_explicit(&n->srv->transports, 1,
	    memory_order_relaxed);
	if (limit <= 0 || was < (uint64_t)limit)
		return true;
	admission_leave(n);
	return false;
}

/* see admission.h */
void
admission_leave(struct node *n)
{
	atomic_fetch_sub_explicit(&n->srv->transports, 1,
	    memory_order_relaxed);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What is done for subscriptions from time to time: those that have expired
 * end, presence is renewed, and positions are compared with the channel's
 * (spec 3, Positioning).
 */
#include <stdlib.h>
#include <string.h>

#include "client/sub_state.h"
#include "util/clock.h"

/* All that was published before the answer has been delivered, and nothing
 * else: so the subscription is at the top, or has missed something. */
static void
check_answered(struct hub_request *req)
{
	struct sub_check	*k = (struct sub_check *)(void *)req;
	struct client_sub	*s = k->sub;
	struct hub_position	 top = k->history.top;
	enum hub_err		 err = req->err;

	if (s != NULL)
		s->x->check = NULL;
	free(k);
	if (s == NULL || err != HUB_OK)
		return;
	if (s->x->pos.offset == top.offset &&
	    strcmp(s->x->pos.epoch, top.epoch) == 0)
		s->x->checked = s->client->node->w->now;
	else
		sub_insufficient(s);
}

static void
send_check(struct client_sub *s)
{
	struct sv		 channel = hub_sub_name(&s->hub);
	struct sub_check	*k;

	if ((k = calloc(1, sizeof(*k) + channel.n)) == NULL)
		return;		/* another time */
	memcpy(k->channel, channel.p, channel.n);
	k->sub = s;
	k->history.req.op = HUB_HISTORY;
	k->history.req.channel = sv_make(k->channel, channel.n);
	k->history.req.done = check_answered;
	k->history.meta_ttl = s->x->meta_ttl;
	s->x->check = k;
	hub_request(&s->client->node->hub, &k->history.req);
}

/* false: the subscription has expired and is gone. */
static bool
still_valid(struct client_sub *s)
{
	const struct conf	*conf = s->client->node->conf;
	int64_t			 late = clock_wall_ms() -
				    conf->client.expired_sub_close_delay;

	/* The end is any number that the API was given. */
	if (s->x == NULL || s->x->expire_at == 0 ||
	    s->x->expire_at > (late - 1) / MSEC_PER_SEC)
		return true;
	if (s->flags & SUB_SERVER_SIDE)
		client_disconnect(s->client, DISCONNECT_SUBSCRIPTION_EXPIRED,
		    NULL);
	else
		sub_drop_push(s, UNSUBSCRIBE_EXPIRED);
	return false;
}

/* see sub_state.h */
void
sub_want_tick(struct client_sub *s)
{
	struct client	*c = s->client;
	int64_t		 every = c->node->conf->client.
			    presence_update_interval;

	if (c->tick_at != 0 || every <= 0 ||
	    (s->x == NULL && !(s->flags & SUB_PRESENCE)))
		return;
	c->tick_at = c->node->w->now + every;
	client_set_timer(c);
}

static void
tick_one(struct client_sub *s)
{
	struct node	*n = s->client->node;
	int64_t		 delay = n->conf->client.
			    channel_position_check_delay;

	if (s->setup != NULL || !still_valid(s))
		return;
	if (s->flags & SUB_PRESENCE)
		sub_send_presence(s, HUB_PRESENCE_ADD);
	if (s->flags & SUB_POSITIONED && s->x->check == NULL &&
	    delay > 0 && n->w->now - s->x->checked > delay)
		send_check(s);
}

/* see sub.h */
void
sub_tick(struct client *c)
{
	struct client_sub *s, *next;

	c->tick_at = c->node->w->now +
	    c->node->conf->client.presence_update_interval;
	for (s = SLIST_FIRST(&c->subs); s != NULL; s = next) {
		next = SLIST_NEXT(s, entry);
		tick_one(s);
		if (c->state == CLIENT_CLOSED)
			return;
	}
	if (SLIST_EMPTY(&c->subs))
		c->tick_at = 0;
}

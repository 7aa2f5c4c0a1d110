/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions: from what is asked and granted to a live subscription with
 * its position, and to its end. See sub.h. The answer is written in
 * sub_result.c, publications go out in deliver.c, what is done from time to
 * time is in sub_tick.c.
 *
 * The owner of the channel answers a subscription together with its position
 * and what was missed, and nothing that is published later can overtake that
 * answer; so there is no buffering and merging here.
 */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/connect.h"
#include "client/sub_state.h"
#include "hub/filter.h"

/* ---- options ---- */

/* see sub.h */
void
sub_options_default(struct sub_options *o, const struct conf *conf,
    const struct conf_channel *opt)
{
	*o = (struct sub_options){
		.presence = opt->presence,
		.join_leave = opt->join_leave,
		.push_join_leave = opt->force_push_join_leave,
		.positioning = opt->force_positioning,
		.recovery = opt->force_recovery,
		.cache = strcmp(opt->force_recovery_mode, "cache") == 0,
		.fossil = opt->allowed_delta_types.n > 0,
		.filter = opt->allow_tags_filter,
		.meta_ttl = conf_meta_ttl(conf, opt),
	};
	o->auto_recover = opt->auto_cache_recover && o->cache;
}

static int
override_one(struct jv obj, const char *name, bool *out)
{
	struct jv v = jv_get(obj, name), value;

	if (!jv_is(v) || jv_type(v) == JSON_NULL)
		return 0;
	if (jv_type(v) != JSON_OBJECT)
		return -1;
	value = jv_get(v, "value");
	if (!jv_is(value) || jv_type(value) == JSON_NULL) {
		*out = false;
		return 0;
	}
	return jv_bool(value, out);
}

/* see sub.h */
int
sub_options_override(struct sub_options *o, struct jv obj)
{
	if (!jv_is(obj) || jv_type(obj) == JSON_NULL)
		return 0;
	if (jv_type(obj) != JSON_OBJECT ||
	    override_one(obj, "presence", &o->presence) == -1 ||
	    override_one(obj, "join_leave", &o->join_leave) == -1 ||
	    override_one(obj, "force_push_join_leave",
	    &o->push_join_leave) == -1 ||
	    override_one(obj, "force_recovery", &o->recovery) == -1 ||
	    override_one(obj, "force_positioning", &o->positioning) == -1)
		return -1;
	return 0;
}

/* ---- messages that nobody waits for ---- */

struct presence_note {
	struct hub_presence_change	change;		/* first */
	char				bytes[];
};

static void
note_done(struct hub_request *req)
{
	free(req);
}

static struct sv
note_put(char **at, struct sv s)
{
	struct sv out = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return out;
}

/* see sub_state.h */
void
sub_send_presence(struct client_sub *s, enum hub_op op)
{
	struct client		*c = s->client;
	struct presence_note	*p;
	struct sv		 channel = hub_sub_name(&s->hub);
	char			 id[37], *at;
	struct hub_info		 i = client_info(c, s, id);

	p = calloc(1, sizeof(*p) + channel.n + i.user.n + i.client.n +
	    i.conn_info.n + i.chan_info.n);
	if (p == NULL)
		return;
	at = p->bytes;
	p->change.req.op = op;
	p->change.req.done = note_done;
	p->change.req.channel = note_put(&at, channel);
	p->change.info = (struct hub_info){
		.user = note_put(&at, i.user),
		.client = note_put(&at, i.client),
		.conn_info = note_put(&at, i.conn_info),
		.chan_info = note_put(&at, i.chan_info),
	};
	hub_request(&c->node->hub, &p->change.req);
}

/* What tells the others; NULL: no memory, and they are not told. */
static struct hub_publish *
make_join_leave(struct client_sub *s, enum hub_pub_type type)
{
	struct hub_publish	*p;
	char			 id[37];
	struct hub_pub_view	 view = {
		.type = type,
		.channel = hub_sub_name(&s->hub),
		.has_info = true,
		.info = client_info(s->client, s, id),
	};

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	if ((p->pub = hub_pub_new(&view)) == NULL) {
		free(p);
		return NULL;
	}
	p->req.done = note_done;
	return p;
}

/* ---- beginning ---- */

/* see sub.h */
struct sv
sub_info(const struct client_sub *s)
{
	if (s->x == NULL)
		return (struct sv){ NULL, 0 };
	return sv_make(s->x->info, s->x->ninfo);
}

static void
sub_free(struct client_sub *s)
{
	if (s->x != NULL) {
		if (s->x->check != NULL)
			s->x->check->sub = NULL;
		filter_free(s->x->filter);
		free(s->x->info);
		free(s->x);
	}
	free(s->setup);
	free(s);
}

static uint16_t
flags_of(const struct sub_request *r, const struct sub_options *o)
{
	uint16_t flags = 0;

	if (o->positioning || o->recovery)
		flags |= SUB_POSITIONED;
	if (o->presence)
		flags |= SUB_PRESENCE;
	if (o->join_leave)
		flags |= SUB_JOIN_LEAVE;
	if (o->push_join_leave)
		flags |= SUB_PUSH_JOIN_LEAVE;
	if (o->server_side)
		flags |= SUB_SERVER_SIDE;
	if (o->by_token)
		flags |= SUB_BY_TOKEN;
	if (o->fossil && sv_eq(r->delta, SV("fossil")))
		flags |= SUB_DELTA;
	return flags;
}

/* What is special about it, if anything is. -1: no memory. */
static int
make_state(struct client_sub *s, const struct sub_options *o,
    struct filter *filter)
{
	struct sub_state *x;

	if (!(s->flags & SUB_POSITIONED) && o->expire_at == 0 &&
	    o->info.n == 0 && filter == NULL)
		return 0;
	if ((s->x = x = calloc(1, sizeof(*x))) == NULL)
		return -1;
	x->expire_at = o->expire_at;
	x->meta_ttl = o->meta_ttl;
	if (o->info.n > 0) {
		if ((x->info = sv_dup(o->info)) == NULL)
			return -1;
		x->ninfo = (uint32_t)o->info.n;
	}
	x->filter = filter;
	return 0;
}

static int
make_setup(struct client_sub *s, const struct sub_request *r,
    const struct sub_options *o, sub_done *done, uint32_t arg)
{
	struct sub_setup *p;

	if ((s->setup = p = calloc(1, sizeof(*p) + o->data.n)) == NULL)
		return -1;
	p->done = done;
	p->arg = arg;
	p->recovery = o->recovery;
	p->cache = o->cache;
	p->recover = o->recovery && (r->recover || o->auto_recover);
	p->was_recovering = r->recover || p->recover;
	p->must_recover = r->flag & SUB_FLAG_MUST_RECOVER;
	p->as_push = o->as_push;
	p->offset = r->offset;
	sv_copy(p->epoch, sizeof(p->epoch), r->epoch);
	p->ndata = o->data.n;
	if (o->data.n > 0)
		memcpy(p->data, o->data.p, o->data.n);
	return 0;
}

static int
begin(struct client_sub *s, struct sv channel, const struct sub_options *o)
{
	const struct conf	*conf = s->client->node->conf;
	struct sub_setup	*p = s->setup;
	int64_t			 max = conf->client.
				    recovery_max_publication_limit;
	bool			 filtered = s->x != NULL &&
				    s->x->filter != NULL;
	struct hub_recover	 ask = {
		.position = true,
		.history = p->recover,
		.newest = p->recover && p->cache && !filtered,
		.since = p->cache ? 0 : p->offset,
		/* One more than may be given, to see that it is too many. */
		.limit = max > 0 && !p->cache ? (uint32_t)max + 1 :
		    UINT32_MAX,
		.meta_ttl = o->meta_ttl,
	};

	return hub_subscribe(&s->client->node->hub, &s->hub, channel,
	    s->flags & SUB_POSITIONED ? &ask : NULL);
}

/* see sub.h */
int
sub_start(struct client *c, const struct sub_request *r,
    const struct sub_options *o, struct filter *filter, sub_done *done,
    uint32_t arg)
{
	struct client_sub *s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		filter_free(filter);
		return -1;
	}
	s->client = c;
	s->flags = flags_of(r, o);
	if (make_state(s, o, filter) == -1) {
		if (s->x == NULL || s->x->filter == NULL)
			filter_free(filter);
		sub_free(s);
		return -1;
	}
	if (make_setup(s, r, o, done, arg) == -1) {
		sub_free(s);
		return -1;
	}
	SLIST_INSERT_HEAD(&c->subs, s, entry);
	c->nsubs++;
	if (begin(s, r->channel, o) == -1) {
		SLIST_REMOVE(&c->subs, s, client_sub, entry);
		c->nsubs--;
		sub_free(s);
		return -1;
	}
	return 0;
}

/* see sub.h */
void
sub_drop_quietly(struct client_sub *s)
{
	struct client *c = s->client;

	SLIST_REMOVE(&c->subs, s, client_sub, entry);
	c->nsubs--;
	hub_unsubscribe(&c->node->hub, &s->hub);
	sub_free(s);
}

/* ---- the owner's answer ---- */

static void
go_live(struct client_sub *s, const struct hub_recover *r)
{
	struct client	*c = s->client;
	struct node	*n = c->node;

	if (s->flags & SUB_POSITIONED) {
		s->x->pos = r->top;
		s->x->checked = n->w->now;
	}
	n->stats.subscriptions_accepted++;
	if (s->flags & SUB_PRESENCE)
		sub_send_presence(s, HUB_PRESENCE_ADD);
	sub_want_tick(s);
}

/* Live: answer, and end it if that was asked for meanwhile. The answer may
 * have ended the client or the subscription. */
static void
answer(struct client_sub *s, const struct hub_recover *r)
{
	struct client		*c = s->client;
	struct sub_setup	*p = s->setup;
	struct enc		 e = client_push_begin(c);
	char			*unwanted = NULL;

	sub_put_result(&e, s, r);
	s->setup = NULL;
	if (s->flags & SUB_UNWANTED)
		unwanted = sv_dup(hub_sub_name(&s->hub));
	if (e.unfit || e.b->failed ||
	    (s->flags & SUB_UNWANTED && unwanted == NULL)) {
		client_disconnect(c, e.unfit ?
		    DISCONNECT_INAPPROPRIATE_PROTOCOL :
		    DISCONNECT_SERVER_ERROR, NULL);
		p->done(c, NULL, ERROR_INTERNAL, (struct sv){ NULL, 0 },
		    p->arg);
	} else {
		go_live(s, r);
		p->done(c, s, 0, buf_sv(e.b), p->arg);
	}
	if (unwanted != NULL && c->state != CLIENT_CLOSED)
		client_unsubscribe(c, sv_from(unwanted));
	free(unwanted);
	free(p);
}

/* see sub.h */
void
sub_joined(struct hub_sub *hs, enum hub_err err, const struct hub_recover *r)
{
	struct client_sub	*s = (struct client_sub *)(void *)hs;
	struct client		*c = s->client;
	struct sub_setup	*p = s->setup;
	uint32_t		 code = 0;

	if (err == HUB_OK && p->recover)
		p->recovered = sub_is_recovered(p, r, c->node->conf->client.
		    recovery_max_publication_limit);
	if (err != HUB_OK)
		code = ERROR_INTERNAL;
	else if (p->recover && !p->recovered && p->must_recover)
		code = ERROR_UNRECOVERABLE_POSITION;
	if (code == 0) {
		answer(s, r);
		return;
	}
	s->setup = NULL;
	sub_drop_quietly(s);
	p->done(c, NULL, code, (struct sv){ NULL, 0 }, p->arg);
	free(p);
}

/* see sub.h */
void
sub_announce(struct client_sub *s)
{
	struct hub_publish *join;

	if (!(s->flags & SUB_JOIN_LEAVE) || s->flags & SUB_ANNOUNCED ||
	    s->setup != NULL)
		return;
	s->flags |= SUB_ANNOUNCED;
	if ((join = make_join_leave(s, HUB_PUB_JOIN)) != NULL)
		hub_publish(&s->client->node->hub, join);
}

/* ---- the end ---- */

/* see sub.h */
void
sub_drop(struct client_sub *s)
{
	struct hub		*h = &s->client->node->hub;
	struct hub_publish	*leave = NULL;

	if (s->flags & SUB_ANNOUNCED)
		leave = make_join_leave(s, HUB_PUB_LEAVE);
	if (s->setup == NULL && s->flags & SUB_PRESENCE)
		sub_send_presence(s, HUB_PRESENCE_REMOVE);
	sub_drop_quietly(s);
	/* Who leaves does not hear of it. */
	if (leave != NULL)
		hub_publish(h, leave);
}

/* see sub.h */
void
sub_drop_push(struct client_sub *s, uint32_t code)
{
	struct client	*c = s->client;
	struct sv	 name = hub_sub_name(&s->hub);
	char		*copy = sv_dup(name);

	sub_drop(s);
	if (copy == NULL)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	else
		client_unsubscribe_push(c, sv_from(copy), code);
	free(copy);
}

/* see sub.h */
void
sub_insufficient(struct client_sub *s)
{
	if (s->flags & SUB_SERVER_SIDE)
		client_disconnect(s->client, DISCONNECT_INSUFFICIENT_STATE,
		    NULL);
	else
		sub_drop_push(s, UNSUBSCRIBE_INSUFFICIENT);
}

/* see sub.h */
int
sub_refresh(struct client_sub *s, int64_t expire_at, struct sv info)
{
	char *copy = NULL;

	if (info.n > 0 && (copy = sv_dup(info)) == NULL)
		return -1;
	if (s->x == NULL && (s->x = calloc(1, sizeof(*s->x))) == NULL) {
		free(copy);
		return -1;
	}
	free(s->x->info);
	s->x->info = copy;
	s->x->ninfo = (uint32_t)info.n;
	s->x->expire_at = expire_at;
	sub_want_tick(s);
	return 0;
}

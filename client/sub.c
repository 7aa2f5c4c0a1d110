/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions: from what is asked and granted to a live subscription with
 * its position, and to its end. See sub.h.
 *
 * The owner of the channel answers a subscription together with its position
 * and what was missed, and nothing that is published later can overtake that
 * answer; so there is no buffering and merging here.
 */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/connect.h"
#include "client/sub.h"
#include "client/wire.h"
#include "hub/delta.h"
#include "util/clock.h"
#include "util/utf8.h"

/* What only some subscriptions have. */
struct sub_state {
	struct hub_position	 pos;
	int64_t			 checked;	/* when pos was last confirmed,
						 * monotonic ms */
	int64_t			 expire_at;	/* Unix s; 0: never */
	int64_t			 meta_ttl;
	struct sub_check	*check;		/* being made, or NULL */
	struct filter		*filter;	/* NULL: everything */
	char			*info;
	uint32_t		 ninfo;
};

/* A question for the top of a channel. */
struct sub_check {
	struct hub_history	 history;	/* first */
	struct client_sub	*sub;		/* NULL: gone */
	char			 channel[];
};

/* What is needed until the owner has answered. */
struct sub_setup {
	sub_done	*done;
	uint32_t	 arg;
	bool		 recovery, cache, recover, must_recover, as_push;
	bool		 recovered, was_recovering;
	uint64_t	 offset;
	char		 epoch[HUB_EPOCH_MAX];
	size_t		 ndata;
	char		 data[];
};

/* The delta from one text to another, where it is shorter and can stand in
 * JSON. */
static bool
delta_make(struct buf *patch, struct sv from, struct sv to)
{
	buf_reset(patch);
	return delta_fossil(patch, from, to) == 0 && patch->n < to.n &&
	    utf8_valid(buf_sv(patch));
}

/* Whether a subscription's filter lets a publication through. Without memory
 * for its tags it does not. */
static bool
passes(const struct client_sub *s, const struct hub_pub *pub)
{
	struct fan		*fan = &s->client->node->fan;
	struct hub_pub_view	 v;

	if (s->x == NULL || s->x->filter == NULL)
		return true;
	if (fan->tags_of != pub) {
		hub_pub_view(pub, &v);
		fan->tags_of = NULL;
		if (filter_tags_load(&fan->tags, v.tags) == -1)
			return false;
		fan->tags_of = pub;
	}
	return filter_match(s->x->filter, &fan->tags);
}

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

/* Tell the owner that the subscriber is there, or no longer. Without memory
 * presence is what it was. */
static void
send_presence(struct client_sub *s, enum hub_op op)
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
	if (o->fossil && r->delta)
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
	p->must_recover = r->must_recover;
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
put_member(struct buf *b, bool *first, const char *name)
{
	buf_printf(b, "%s\"%s\":", *first ? "" : ",", name);
	*first = false;
}

/* Whether everything from the client's position on is in r: spec 3,
 * Recovery, and 12.2 to 12.4. */
static bool
is_recovered(const struct sub_setup *p, const struct hub_recover *r,
    int64_t max)
{
	bool same = strcmp(p->epoch, r->top.epoch) == 0;

	if (p->cache) {
		if (r->npub == 0)
			return p->offset > 0 && same &&
			    p->offset == r->top.offset;
		return r->pub[r->npub - 1]->offset == r->top.offset;
	}
	if (p->epoch[0] != '\0' && !same)
		return false;
	if (r->npub == 0)
		return p->offset == r->top.offset;
	if (max > 0 && r->npub > (uint64_t)max)
		return false;
	return r->pub[0]->offset == p->offset + 1 &&
	    r->pub[r->npub - 1]->offset == r->top.offset;
}

/* In cache mode nothing is sent to who has it already. */
static bool
has_newest(const struct sub_setup *p, const struct hub_recover *r)
{
	return p->cache && p->offset > 0 && p->offset == r->top.offset &&
	    strcmp(p->epoch, r->top.epoch) == 0;
}

/* A recovered publication of a subscription with delta: the first whole, each
 * other as a delta of the one before where that is shorter. */
static void
put_recovered_delta(struct buf *b, struct buf *patch,
    const struct hub_pub *pub, const struct hub_pub *prev)
{
	struct pub_form f = { .kind = PUB_STRING };

	if (prev != NULL && delta_make(patch, hub_pub_data(prev),
	    hub_pub_data(pub))) {
		f.kind = PUB_DELTA;
		f.patch = buf_sv(patch);
	}
	encode_pub(b, pub, &f);
}

/* The publications that the client missed, those that its filter lets
 * through; in cache mode only the newest of them. */
static void
put_recovered(struct buf *b, bool *member, struct client_sub *s,
    const struct hub_recover *r)
{
	const struct pub_form	 f = { .epoch = r->top.epoch };
	struct buf		 patch = BUF_INIT;
	const struct hub_pub	*prev = NULL;
	size_t			 i = 0;

	if (s->setup->cache)
		for (i = r->npub; i > 0 && !passes(s, r->pub[i - 1]); i--)
			continue;
	i -= i > 0;
	for (; i < r->npub; i++) {
		if (!passes(s, r->pub[i]))
			continue;
		if (prev == NULL) {
			put_member(b, member, "publications");
			buf_putc(b, '[');
		} else {
			buf_putc(b, ',');
		}
		if (s->flags & SUB_DELTA)
			put_recovered_delta(b, &patch, r->pub[i], prev);
		else
			encode_pub(b, r->pub[i], &f);
		prev = r->pub[i];
	}
	if (prev != NULL)
		buf_putc(b, ']');
	buf_fini(&patch);
}

static void
put_offset(struct buf *b, bool *first, uint64_t offset)
{
	if (offset == 0)
		return;
	put_member(b, first, "offset");
	buf_putu64(b, offset);
}

static void
put_flag(struct buf *b, bool *first, const char *name, bool set)
{
	if (!set)
		return;
	put_member(b, first, name);
	buf_puts(b, "true");
}

/* SubscribeResult, or the Subscribe push, which has less: spec 3, fields in
 * the protocol's order. */
static void
put_result(struct buf *b, struct client_sub *s, const struct hub_recover *r)
{
	struct sub_setup	*p = s->setup;
	bool			 first = true, positioned, with;
	int64_t			 ttl;

	positioned = s->flags & SUB_POSITIONED;
	with = !p->as_push && p->recovered && !has_newest(p, r) && r->npub > 0;
	buf_putc(b, '{');
	if (!p->as_push && s->x != NULL && s->x->expire_at > 0) {
		ttl = s->x->expire_at - clock_wall_ms() / MSEC_PER_SEC;
		put_member(b, &first, "expires");
		buf_printf(b, "true,\"ttl\":%lld", (long long)ttl);
	}
	put_flag(b, &first, "recoverable", p->recovery);
	if (positioned) {
		put_member(b, &first, "epoch");
		json_put_str(b, sv_from(r->top.epoch));
	}
	if (with)
		put_recovered(b, &first, s, r);
	/* Who has recovered has a base for deltas, unless its filter kept the
	 * newest from it. */
	if (p->recovered && s->flags & SUB_DELTA &&
	    (r->npub == 0 || passes(s, r->pub[r->npub - 1])))
		s->flags |= SUB_DELTA_READY;
	s->client->node->fan.tags_of = NULL;
	put_flag(b, &first, "recovered", !p->as_push && p->recovered);
	put_offset(b, &first, p->recovered ? p->offset :
	    positioned ? r->top.offset : 0);
	put_flag(b, &first, "positioned", positioned);
	if (p->ndata > 0) {
		put_member(b, &first, "data");
		json_put_raw(b, sv_make(p->data, p->ndata));
	}
	put_flag(b, &first, "was_recovering", !p->as_push && p->was_recovering);
	put_flag(b, &first, "delta", !p->as_push && s->flags & SUB_DELTA);
	buf_putc(b, '}');
}

/* The periodic work is due, now that there is something to do. */
static void
want_tick(struct client_sub *s)
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
		send_presence(s, HUB_PRESENCE_ADD);
	want_tick(s);
}

/* Live: answer, and end it if that was asked for meanwhile. The answer may
 * have ended the client or the subscription. */
static void
answer(struct client_sub *s, const struct hub_recover *r)
{
	struct client		*c = s->client;
	struct sub_setup	*p = s->setup;
	struct buf		*b = &c->node->push;
	char			*unwanted = NULL;

	buf_reset(b);
	put_result(b, s, r);
	s->setup = NULL;
	if (s->flags & SUB_UNWANTED)
		unwanted = sv_dup(hub_sub_name(&s->hub));
	if (b->failed || (s->flags & SUB_UNWANTED && unwanted == NULL)) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		p->done(c, NULL, ERROR_INTERNAL, (struct sv){ NULL, 0 },
		    p->arg);
	} else {
		go_live(s, r);
		p->done(c, s, 0, buf_sv(b), p->arg);
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
		p->recovered = is_recovered(p, r, c->node->conf->client.
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

	if (!(s->flags & SUB_JOIN_LEAVE))
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
		send_presence(s, HUB_PRESENCE_REMOVE);
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

/* ---- publications ---- */

/* Whether the publication is the next for a positioned subscription. If it
 * is not, it is dropped, and the subscription with it when one is missing
 * (spec 3, Positioning). */
static bool
is_next(struct client_sub *s, const struct hub_fanout *f)
{
	struct sub_state	*x = s->x;
	struct fan		*fan = &s->client->node->fan;

	if (strcmp(x->pos.epoch, f->epoch) != 0 ||
	    f->pub->offset > x->pos.offset + 1) {
		s->flags |= SUB_DOOMED;
		fan->doomed = true;
		return false;
	}
	if (f->pub->offset <= x->pos.offset)
		return false;
	x->pos.offset = f->pub->offset;
	x->checked = s->client->node->w->now;
	return true;
}

/* In which form the data of a publication go to a subscription. A delta
 * needs the publication before, so only who keeps a position gets one. */
static enum pub_kind
kind_of(struct client_sub *s, struct hub_fanout *f)
{
	struct fan *fan = &s->client->node->fan;

	if (!(s->flags & SUB_DELTA))
		return PUB_PLAIN;
	if (!(s->flags & SUB_DELTA_READY)) {
		s->flags |= SUB_DELTA_READY;
		return PUB_STRING;
	}
	if (f->prev == NULL || !(s->flags & SUB_POSITIONED))
		return PUB_STRING;
	if (!fan->tried) {
		fan->tried = true;
		if (!delta_make(&fan->patch, hub_pub_data(f->prev),
		    hub_pub_data(f->pub)))
			buf_reset(&fan->patch);
	}
	return fan->patch.n > 0 ? PUB_DELTA : PUB_STRING;
}

/* The publication in a wire form, encoded by the first that needs it. NULL:
 * no memory. */
static struct blob *
wire_of(struct client *c, struct hub_fanout *f, enum pub_kind kind)
{
	struct node	 *n = c->node;
	struct blob	**wire = &f->wire[c->form * PUB_KINDS + kind];
	struct pub_form	  form = { kind, buf_sv(&n->fan.patch), f->epoch };

	if (*wire != NULL)
		return *wire;
	buf_reset(&n->push);
	encode_pub_push(&n->push, f->pub, &form);
	if (!n->push.failed)
		*wire = wire_message(n, c->form, buf_sv(&n->push));
	return *wire;
}

static void
deliver(struct client_sub *s, struct hub_fanout *f)
{
	struct client	*c = s->client;
	enum pub_kind	 kind = PUB_PLAIN;
	struct blob	*b;

	if (f->pub->type != HUB_PUB) {
		if (!(s->flags & SUB_PUSH_JOIN_LEAVE))
			return;
	} else {
		if (s->flags & SUB_POSITIONED && f->pub->offset > 0 &&
		    !is_next(s, f))
			return;
		/* Who gets deltas gets them all (spec 12.23). */
		if (!(s->flags & SUB_DELTA) && !passes(s, f->pub))
			return;
		if (f->pub->is_binary) {	/* spec 12.20 */
			client_disconnect(c,
			    DISCONNECT_INAPPROPRIATE_PROTOCOL, NULL);
			return;
		}
		kind = kind_of(s, f);
	}
	/* The reply to its subscribe goes before the first publication. */
	if (c->node->replying == c)
		client_reply_flush(c);
	if ((b = wire_of(c, f, kind)) == NULL)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	else
		client_send(c, blob_ref(b), f->pub->type == HUB_PUB ?
		    OUT_PUB : OUT_PUSH);
}

/* see sub.h */
void
sub_deliver(struct hub_sub *hs, struct hub_fanout *f)
{
	struct client_sub	*s = (struct client_sub *)(void *)hs;
	struct node		*n = s->client->node;

	if (s->client->state == CLIENT_CLOSED || s->flags & SUB_DOOMED)
		return;
	f->shared = n;
	n->delivering = true;
	deliver(s, f);
	n->delivering = false;
}

/* see sub.h */
void
sub_delivered(struct hub_fanout *f)
{
	struct node		*n = f->shared;
	struct hub_sub *const	*member;
	struct client_sub	*s;
	size_t			 i = 0;

	if (n == NULL)
		return;
	n->fan.tried = false;
	n->fan.tags_of = NULL;
	buf_reset(&n->fan.patch);
	if (!n->fan.doomed)
		return;
	n->fan.doomed = false;
	/* Who is dropped gives its place to another. */
	while (i < hub_members(&n->hub, HUB_CHANNELS,
	    hub_pub_channel(f->pub), &member)) {
		s = (struct client_sub *)(void *)member[i];
		if (!(s->flags & SUB_DOOMED)) {
			i++;
			continue;
		}
		s->flags &= (uint16_t)~SUB_DOOMED;
		sub_insufficient(s);
	}
}

/* ---- periodic work ---- */

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
	int64_t			 now = clock_wall_ms();

	if (s->x == NULL || s->x->expire_at == 0 || now <=
	    s->x->expire_at * MSEC_PER_SEC +
	    conf->client.expired_sub_close_delay)
		return true;
	if (s->flags & SUB_SERVER_SIDE)
		client_disconnect(s->client, DISCONNECT_SUBSCRIPTION_EXPIRED,
		    NULL);
	else
		sub_drop_push(s, UNSUBSCRIBE_EXPIRED);
	return false;
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
		send_presence(s, HUB_PRESENCE_ADD);
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
	want_tick(s);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions that the server makes: those that come with connect (named
 * by the token, wished for by the client, the user's personal channel), and
 * those made later over the API. Connect is answered when all of its
 * subscriptions have been; what is published to them meanwhile is held back.
 */
#include <stdlib.h>

#include "client/command.h"
#include "client/connect.h"
#include "client/encode.h"
#include "client/sub.h"
#include "client/token.h"

#define HELD_MAX	1024	/* publications held back for one client */

struct connecting {
	uint32_t	 id;			/* of the connect command */
	struct connect_result result;
	unsigned	 left;			/* answers to come */
	uint32_t	 error;
	bool		 collecting;		/* more are being started */
	struct buf	 subs;			/* their results: entries */
	struct blob	*held[HELD_MAX];
	unsigned	 nheld;
};

/* ---- while connect waits ---- */

/* see connect.h */
void
connecting_free(struct client *c)
{
	struct connecting	*k = c->connecting;
	unsigned		 i;

	if (k == NULL)
		return;
	for (i = 0; i < k->nheld; i++)
		blob_unref(k->held[i]);
	buf_fini(&k->subs);
	free(k);
	c->connecting = NULL;
}

/* see connect.h */
bool
connecting_hold(struct client *c, struct blob *b)
{
	struct connecting *k = c->connecting;

	if (k == NULL)
		return false;
	if (k->nheld == HELD_MAX) {
		blob_unref(b);
		client_disconnect(c, DISCONNECT_SLOW, NULL);
	} else {
		k->held[k->nheld++] = b;
	}
	return true;
}

/* Everything has been answered. */
static void
finish(struct client *c)
{
	struct connecting	*k = c->connecting;
	struct client_sub	*s, *next;
	unsigned		 i;

	c->connecting = NULL;
	if (c->state == CLIENT_CLOSED) {
		;
	} else if (k->error != 0) {
		client_leave(c);
		connect_refuse(c, k->id, k->error);
	} else if (k->subs.failed) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else {
		connect_reply(c, k->id, &k->result, buf_sv(&k->subs));
		client_reply_flush(c);
		for (i = 0; i < k->nheld; i++)
			client_send(c, blob_ref(k->held[i]), OUT_PUB);
		for (s = SLIST_FIRST(&c->subs); s != NULL &&
		    c->state != CLIENT_CLOSED; s = next) {
			next = SLIST_NEXT(s, entry);
			sub_announce(s);
		}
	}
	c->connecting = k;
	connecting_free(c);
	client_resume(c);
}

static void
one_answered(struct client *c, struct client_sub *s, uint32_t error,
    struct sv result, uint32_t arg)
{
	struct connecting	*k = c->connecting;
	struct enc		 e;

	(void)arg;
	if (k == NULL)
		return;
	if (error != 0) {
		k->error = error;
	} else {
		encode_init(&e, &k->subs, c->form);
		enc_entry(&e, e.uni ? 4 : 6, hub_sub_name(&s->hub));
		buf_putsv(&k->subs, result);
		enc_entry_end(&e);
	}
	if (--k->left == 0 && !k->collecting)
		finish(c);
}

/* ---- which subscriptions come with connect ---- */

/* What the client says of a channel in its connect request: where to recover
 * from. */
static void
wish_of(const struct connect_request *q, struct sub_request *r)
{
	const struct sub_request *s;

	for (s = q->subs; s < q->subs + q->nsubs; s++) {
		if (!sv_eq(s->channel, r->channel))
			continue;
		r->recover = s->recover;
		r->offset = s->offset;
		r->epoch = s->epoch;
		r->delta = s->delta;
	}
}

/* Start one; a channel that is there already is left as it is. */
static void
start_one(struct client *c, struct sv channel, struct sub_options *o,
    const struct connect_request *wishes)
{
	struct connecting	*k = c->connecting;
	struct sub_request	 r = { .channel = channel };
	int64_t			 limit = c->node->conf->client.channel_limit;

	if (channel.n == 0 || k->error != 0 ||
	    client_find_sub(c, channel) != NULL)
		return;
	if (limit > 0 && c->nsubs >= (uint64_t)limit) {
		k->error = DISCONNECT_CHANNEL_LIMIT;
		return;
	}
	wish_of(wishes, &r);
	o->server_side = true;
	k->left++;
	if (sub_start(c, &r, o, NULL, one_answered, 0) == -1) {
		k->left--;
		k->error = ERROR_INTERNAL;
	}
}

static void
start_sub(struct client *c, struct sv channel, struct jv spec,
    const struct connect_request *wishes, bool by_token)
{
	const struct conf		*conf = c->node->conf;
	const struct conf_channel	*opt;
	struct sub_options		 o;
	struct buf			 info = BUF_INIT, data = BUF_INIT;
	enum jwt_err			 err = JWT_OK;

	if ((opt = channel_options(conf, channel, NULL)) == NULL) {
		c->connecting->error = ERROR_UNKNOWN_CHANNEL;
		return;
	}
	sub_options_default(&o, conf, opt);
	o.by_token = by_token;
	if (jv_type(spec) == JSON_OBJECT) {
		err = token_json(spec, "info", "b64info", &info, &o.info);
		if (err == JWT_OK)
			err = token_json(spec, "data", "b64data", &data,
			    &o.data);
		if (err == JWT_OK && sub_options_override(&o,
		    jv_get(spec, "override")) == -1)
			err = JWT_CLAIMS;
	}
	if (err != JWT_OK)
		c->connecting->error = DISCONNECT_INVALID_TOKEN;
	else
		start_one(c, channel, &o, wishes);
	buf_fini(&info);
	buf_fini(&data);
}

static void
start_token_sub(struct client *c, struct sv channel, struct jv spec,
    void *wishes)
{
	start_sub(c, channel, spec, *(const struct connect_request **)wishes,
	    true);
}

/* The channels that a token names: the claim "subs" if it names any,
 * otherwise "channels". fn gets the name and the spec (absent for the
 * latter). */
static void
each_token_sub(struct client *c, struct jv claims, void *arg,
    void (*fn)(struct client *, struct sv, struct jv, void *arg))
{
	struct buf	scratch = BUF_INIT;
	struct jv	subs = jv_get(claims, "subs");
	struct jv	v, none = { NULL, 0 };
	struct sv	name;
	bool		by_name = jv_len(subs) == 0;

	v = jv_first(by_name ? jv_get(claims, "channels") : subs);
	for (; jv_is(v); v = jv_next(v)) {
		buf_reset(&scratch);
		if (jv_str(by_name ? v : jv_key(v), &scratch, &name) == 0)
			fn(c, name, by_name ? none : v, arg);
	}
	buf_fini(&scratch);
}

/* see connect.h */
bool
connect_claims_ok(struct jv claims)
{
	struct jv	subs = jv_get(claims, "subs");
	struct jv	channels = jv_get(claims, "channels"), v;

	if (jv_is(subs) && jv_type(subs) != JSON_OBJECT &&
	    jv_type(subs) != JSON_NULL)
		return false;
	if (jv_is(channels) && jv_type(channels) != JSON_ARRAY &&
	    jv_type(channels) != JSON_NULL)
		return false;
	for (v = jv_first(subs); jv_is(v); v = jv_next(v))
		if (jv_type(v) != JSON_OBJECT && jv_type(v) != JSON_NULL)
			return false;
	for (v = jv_first(channels); jv_is(v); v = jv_next(v))
		if (jv_type(v) != JSON_STRING)
			return false;
	return true;
}

/* ---- refresh with other channels ---- */

static void
mark_token_sub(struct client *c, struct sv channel, struct jv spec, void *arg)
{
	struct client_sub	*s = client_find_sub(c, channel);
	bool			*same = arg;

	(void)spec;
	if (s == NULL)
		*same = false;
	else
		s->flags |= SUB_MARK;
}

/* see connect.h */
bool
connect_same_channels(struct client *c, struct jv claims)
{
	struct client_sub	*s;
	bool			 same = true;

	each_token_sub(c, claims, &same, mark_token_sub);
	SLIST_FOREACH(s, &c->subs, entry) {
		if ((s->flags & (SUB_BY_TOKEN | SUB_MARK)) == SUB_BY_TOKEN)
			same = false;
		s->flags &= (uint16_t)~SUB_MARK;
	}
	return same;
}

static void
start_personal(struct client *c, const struct connect_request *wishes)
{
	const struct conf	*conf = c->node->conf;
	const char		*ns = conf->client.
				    subscribe_to_user_personal_channel.
				    personal_channel_namespace;
	struct buf		 name = BUF_INIT;

	if (!conf->client.subscribe_to_user_personal_channel.enabled ||
	    client_user(c).n == 0)
		return;
	if (*ns != '\0') {
		buf_puts(&name, ns);
		buf_puts(&name, conf->channel.namespace_boundary);
	}
	buf_puts(&name, conf->channel.user_boundary);
	buf_putsv(&name, client_user(c));
	if (name.failed)
		c->connecting->error = ERROR_INTERNAL;
	else
		start_sub(c, buf_sv(&name), (struct jv){ NULL, 0 }, wishes,
		    false);
	buf_fini(&name);
}

/* Whether the client could subscribe to this by itself, without a token. */
static bool
is_permitted(struct client *c, struct sv channel,
    const struct conf_channel *opt, struct sv rest)
{
	const struct conf	*conf = c->node->conf;
	struct sv		 user = client_user(c);

	if (channel_is_private(conf, channel) ||
	    !channel_name_valid(opt, rest) ||
	    channel.n > channel_max_length(conf))
		return false;
	if (conf->client.insecure)
		return true;
	if (channel_is_user_limited(conf, opt, channel))
		return user.n > 0 && channel_lists_user(conf, channel, user);
	return channel_may_subscribe(opt, user.n == 0);
}

/* What the client wishes for: not permitted is passed over in silence, but
 * an unknown namespace is a bad request (spec 12.33). */
static void
start_wishes(struct client *c, const struct connect_request *wishes)
{
	const struct conf_channel	*opt;
	struct sub_options		 o;
	struct sv			 name, rest;
	size_t				 i;

	for (i = 0; i < wishes->nsubs; i++) {
		name = wishes->subs[i].channel;
		opt = channel_options(c->node->conf, name, &rest);
		if (opt == NULL) {
			c->connecting->error = DISCONNECT_BAD_REQUEST;
			return;
		}
		if (!is_permitted(c, name, opt, rest))
			continue;
		sub_options_default(&o, c->node->conf, opt);
		start_one(c, name, &o, wishes);
	}
}

/* see connect.h */
void
connecting_start(struct client *c, uint32_t id,
    const struct connect_result *result, struct jv claims,
    const struct connect_request *wishes)
{
	struct connecting *k;

	if (!jv_is(jv_get(claims, "subs")) &&
	    !jv_is(jv_get(claims, "channels")) && wishes->nsubs == 0 &&
	    !c->node->conf->client.subscribe_to_user_personal_channel.
	    enabled) {
		connect_reply(c, id, result, (struct sv){ NULL, 0 });
		return;
	}
	if ((c->connecting = k = calloc(1, sizeof(*k))) == NULL) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	k->id = id;
	k->result = *result;
	k->collecting = true;
	c->waiting = true;
	each_token_sub(c, claims, &wishes, start_token_sub);
	start_personal(c, wishes);
	start_wishes(c, wishes);
	if (c->connecting != k)
		return;		/* the client is gone */
	k->collecting = false;
	if (k->left == 0)
		finish(c);
}

/* ---- over the API ---- */

static void
pushed(struct client *c, struct client_sub *s, uint32_t error,
    struct sv result, uint32_t arg)
{
	struct buf	b = BUF_INIT;
	struct enc	e;

	(void)arg;
	if (error != 0 || c->state == CLIENT_CLOSED)
		return;
	/* The result lies in the buffer for pushes. */
	encode_init(&e, &b, c->form);
	encode_push_begin(&e, hub_sub_name(&s->hub), 9, "subscribe");
	buf_putsv(&b, result);
	encode_push_end(&e);
	client_push_send(c, &e);
	buf_fini(&b);
	if (c->state != CLIENT_CLOSED)
		sub_announce(s);
}

/* see client.h */
void
client_subscribe(struct client *c, const struct sub_request *r,
    const struct sub_options *o)
{
	struct sub_options	 push = *o;
	struct client_sub	*s = client_find_sub(c, r->channel);
	int64_t			 limit = c->node->conf->client.channel_limit;

	if (c->state != CLIENT_CONNECTED ||
	    (s != NULL && hub_sub_pending(&s->hub)))
		return;
	/* The client hears of it, and of what was granted, also when it was
	 * subscribed already; the server's subscription takes the place of
	 * its own. */
	if (s != NULL)
		sub_drop_quietly(s);
	if (limit > 0 && c->nsubs >= (uint64_t)limit) {
		client_disconnect(c, DISCONNECT_CHANNEL_LIMIT, NULL);
		return;
	}
	push.server_side = push.as_push = true;
	if (sub_start(c, r, &push, NULL, pushed, 0) == -1)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
}

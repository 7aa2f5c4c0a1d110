/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * subscribe, unsubscribe and sub_refresh: who may, in the order in which
 * Centrifugo checks it (spec 3).
 */
#include "client/command.h"
#include "client/sub.h"
#include "client/token.h"
#include "hub/filter.h"
#include "util/clock.h"
#include "util/log.h"

#define TTL_MAX		(365 * 24 * 3600)	/* s */

/* The command has been set aside. */
#define LATER	UINT32_MAX

/* What refuses a request: an error, or a disconnect code, or 0. */
static bool
is_disconnect(uint32_t code)
{
	return code >= 3000;
}

static void
refuse(struct client *c, enum client_method m, uint32_t id, uint32_t code)
{
	if (code == LATER)
		return;
	if (is_disconnect(code))
		client_disconnect(c, code, NULL);
	else
		client_reply_error(c, m, id, code);
}

/* ---- who may ---- */

/* What a subscription token grants. Its info and data are views into t. */
static uint32_t
by_token(struct client *c, const struct sub_request *r, struct sub_token *t,
    struct sub_options *o)
{
	char		id[37];
	enum jwt_err	err;

	err = sub_token_verify(t, c->node->sub_verifier, r->token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t->jwt))
		return LATER;
	if (err == JWT_EXPIRED)
		return ERROR_TOKEN_EXPIRED;
	if (err == JWT_NOMEM)
		return ERROR_INTERNAL;
	if (err == JWT_OK && sub_options_override(o, t->override) == -1)
		err = JWT_CLAIMS;
	if (err != JWT_OK) {
		log_info("invalid subscription token",
		    kv_s("error", jwt_strerror(err)),
		    kv_sv("channel", r->channel));
		return ERROR_PERMISSION_DENIED;
	}
	if (!sub_token_is_for(t, r->channel, client_user(c),
	    sv_make(client_id(c, id), 36)))
		return DISCONNECT_INVALID_TOKEN;
	o->expire_at = t->expire_at;
	o->info = t->info;
	o->data = t->data;
	return 0;
}

static uint32_t
by_permission(struct client *c, const struct sub_request *r,
    const struct conf_channel *opt)
{
	const struct conf	*conf = c->node->conf;
	bool			 limited;

	limited = channel_is_user_limited(conf, opt, r->channel);
	if (limited && channel_lists_user(conf, r->channel, client_user(c)))
		return 0;
	if (!limited && channel_may_subscribe(opt, client_user(c).n == 0))
		return 0;
	return conf->client.insecure ? 0 : ERROR_PERMISSION_DENIED;
}

/* What the client asks for beyond that and may have. */
static void
grant_wishes(struct client *c, const struct sub_request *r,
    const struct conf_channel *opt, struct sub_options *o)
{
	bool	anonymous = client_user(c).n == 0;
	bool	insecure = c->node->conf->client.insecure;
	bool	history = insecure ||
		    channel_may_history(opt, anonymous, true);

	if (r->positioned && (opt->allow_positioning || history))
		o->positioning = true;
	if (r->recoverable && (opt->allow_recovery || history))
		o->recovery = true;
	if (r->join_leave && opt->join_leave && (insecure ||
	    channel_may_presence(opt, anonymous, true)))
		o->push_join_leave = true;
}

/* Everything before the token or permission. */
static uint32_t
check_limits(struct client *c, const struct sub_request *r,
    const struct conf_channel **opt)
{
	const struct conf	*conf = c->node->conf;
	struct sv		 rest;

	if (r->channel.n > channel_max_length(conf))
		return ERROR_BAD_REQUEST;
	if (client_find_sub(c, r->channel) != NULL)
		return ERROR_ALREADY_SUBSCRIBED;
	if (conf->client.channel_limit > 0 &&
	    c->nsubs >= (uint64_t)conf->client.channel_limit)
		return ERROR_LIMIT_EXCEEDED;
	if ((*opt = channel_options(conf, r->channel, &rest)) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_name_valid(*opt, rest))
		return ERROR_BAD_REQUEST;
	if (r->type != 0)
		return ERROR_PERMISSION_DENIED;
	if (channel_is_private(conf, r->channel) && r->token.n == 0)
		return ERROR_PERMISSION_DENIED;
	return 0;
}

/* ---- subscribe ---- */

static void
subscribed(struct client *c, struct client_sub *s, uint32_t error,
    struct sv result, uint32_t id)
{
	if (c->state == CLIENT_CLOSED)
		return;
	if (error != 0) {
		client_reply_error(c, METHOD_SUBSCRIBE, id, error);
	} else {
		buf_putsv(command_reply(c, METHOD_SUBSCRIBE, id)->b, result);
		command_reply_end(c, METHOD_SUBSCRIBE);
		sub_announce(s);
	}
	client_resume(c);
}

/* The tags filter that is asked for. 0, or the error. */
static uint32_t
make_filter(const struct sub_request *r, const struct sub_options *o,
    struct filter **filter)
{
	enum filter_err err;

	*filter = NULL;
	if (!jv_is(r->tf))
		return 0;
	if (!o->filter)
		return ERROR_BAD_REQUEST;
	if ((*filter = filter_new(r->tf, &err)) != NULL)
		return 0;
	if (err == FILTER_NOMEM)
		return ERROR_INTERNAL;
	return err == FILTER_INVALID ? ERROR_BAD_REQUEST :
	    DISCONNECT_BAD_REQUEST;
}

static void
start(struct client *c, uint32_t id, const struct sub_request *r,
    const struct sub_options *o)
{
	struct filter	*filter;
	uint32_t	 code;

	if (o->expire_at > 0 &&
	    o->expire_at <= clock_wall_ms() / MSEC_PER_SEC) {
		client_reply_error(c, METHOD_SUBSCRIBE, id, ERROR_EXPIRED);
		return;
	}
	if ((code = make_filter(r, o, &filter)) != 0) {
		refuse(c, METHOD_SUBSCRIBE, id, code);
		return;
	}
	c->waiting = true;
	if (sub_start(c, r, o, filter, subscribed, id) == -1) {
		c->waiting = false;
		client_reply_error(c, METHOD_SUBSCRIBE, id, ERROR_INTERNAL);
	}
}

/* see command.h */
void
command_subscribe(struct client *c, uint32_t id,
    const struct sub_request *r)
{
	const struct conf_channel	*opt;
	struct sub_options		 o;
	struct sub_token		 t;
	uint32_t			 code;

	if (!command_channel(c, r->channel))
		return;
	if (r->delta.n > 0 && !sv_eq(r->delta, SV("fossil"))) {
		command_bad(c, "unknown kind of delta");
		return;
	}
	if ((code = check_limits(c, r, &opt)) != 0) {
		refuse(c, METHOD_SUBSCRIBE, id, code);
		return;
	}
	sub_options_default(&o, c->node->conf, opt);
	sub_token_init(&t);
	code = r->token.n > 0 ? by_token(c, r, &t, &o) :
	    by_permission(c, r, opt);
	if (code != 0) {
		refuse(c, METHOD_SUBSCRIBE, id, code);
	} else {
		grant_wishes(c, r, opt, &o);
		start(c, id, r, &o);
	}
	sub_token_fini(&t);
}

/* ---- unsubscribe ---- */

/* see command.h */
void
command_unsubscribe(struct client *c, uint32_t id,
    const struct channel_request *q)
{
	struct client_sub *s;

	if (!command_channel(c, q->channel))
		return;
	if ((s = client_find_sub(c, q->channel)) != NULL)
		sub_drop(s);
	command_reply_empty(c, METHOD_UNSUBSCRIBE, id);
}

/* ---- sub_refresh ---- */

/* The error, disconnect code or 0; see by_token. An expired token is told as
 * such (spec 12.27 is not copied). */
static uint32_t
refresh_by_token(struct client *c, struct sv channel, struct sv token,
    struct sub_token *t)
{
	char		id[37];
	enum jwt_err	err;

	err = sub_token_verify(t, c->node->sub_verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t->jwt))
		return LATER;
	if (err == JWT_EXPIRED)
		return ERROR_TOKEN_EXPIRED;
	if (err == JWT_NOMEM)
		return ERROR_INTERNAL;
	if (err != JWT_OK || !sub_token_is_for(t, channel, client_user(c),
	    sv_make(client_id(c, id), 36)))
		return DISCONNECT_INVALID_TOKEN;
	if (t->expire_at > 0 && t->expire_at < clock_wall_ms() / MSEC_PER_SEC)
		return ERROR_EXPIRED;
	return 0;
}

static void
reply_refresh(struct client *c, uint32_t id, int64_t expire_at)
{
	struct enc	*e = command_reply(c, METHOD_SUB_REFRESH, id);
	int64_t		 ttl = expire_at - clock_wall_ms() / MSEC_PER_SEC;

	enc_bool(e, 1, "expires", expire_at > 0);
	if (expire_at > 0)
		enc_u64_always(e, 2, "ttl",
		    (uint64_t)(ttl > TTL_MAX ? TTL_MAX : ttl));
	command_reply_end(c, METHOD_SUB_REFRESH);
}

/* see command.h */
void
command_sub_refresh(struct client *c, uint32_t id,
    const struct refresh_request *q)
{
	struct client_sub	*s;
	struct sub_token	 t;
	uint32_t		 code = 0;

	if (!command_channel(c, q->channel))
		return;
	if ((s = client_find_sub(c, q->channel)) == NULL)
		code = ERROR_PERMISSION_DENIED;
	else if (q->token.n == 0)
		code = ERROR_BAD_REQUEST;
	sub_token_init(&t);
	if (code == 0)
		code = refresh_by_token(c, q->channel, q->token, &t);
	if (code == 0 && sub_refresh(s, t.expire_at, t.info) == -1)
		code = ERROR_INTERNAL;
	if (code == 0)
		reply_refresh(c, id, t.expire_at);
	else
		refuse(c, METHOD_SUB_REFRESH, id, code);
	sub_token_fini(&t);
}

/* see client.h */
void
client_unsubscribe(struct client *c, struct sv channel)
{
	struct client_sub *s = client_find_sub(c, channel);

	if (s != NULL && hub_sub_pending(&s->hub)) {
		s->flags |= SUB_UNWANTED;
		return;
	}
	if (s != NULL)
		sub_drop(s);
	client_unsubscribe_push(c, channel, UNSUBSCRIBE_SERVER);
}

/* see client.h */
struct client_sub *
client_find_sub(struct client *c, struct sv channel)
{
	struct client_sub *s;

	SLIST_FOREACH(s, &c->subs, entry)
		if (sv_eq(hub_sub_name(&s->hub), channel))
			return s;
	return NULL;
}

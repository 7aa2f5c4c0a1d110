/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands of the client protocol (spec 3): decode, check in the order
 * that Centrifugo checks in, act, answer.
 */
#include <stdlib.h>
#include <string.h>

#include "client/channel.h"
#include "client/client.h"
#include "client/command.h"
#include "client/encode.h"
#include "client/token.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

#define TTL_MAX			(365 * 24 * 3600)	/* s */

/* In the order in which they are looked for. */
const char *const client_method_name[METHOD_MAX] = {
	[METHOD_CONNECT] = "connect",
	[METHOD_SUBSCRIBE] = "subscribe",
	[METHOD_UNSUBSCRIBE] = "unsubscribe",
	[METHOD_PUBLISH] = "publish",
	[METHOD_PRESENCE] = "presence",
	[METHOD_PRESENCE_STATS] = "presence_stats",
	[METHOD_HISTORY] = "history",
	[METHOD_RPC] = "rpc",
	[METHOD_SEND] = "send",
	[METHOD_REFRESH] = "refresh",
	[METHOD_SUB_REFRESH] = "sub_refresh",
};

/* ---- decoding ---- */

/* The string member of that name, empty when absent or null; -1 if it is
 * something else. Unescaped into the node's scratch buffer. */
static int
get_str(struct client *c, struct jv obj, const char *name, struct sv *out)
{
	struct jv v = jv_get(obj, name);

	*out = (struct sv){ NULL, 0 };
	if (!jv_is(v) || jv_type(v) == JSON_NULL)
		return 0;
	return jv_str(v, &c->node->scratch, out);
}

/* A whole number, 0 when absent or null. */
static int
get_i64(struct jv obj, const char *name, int64_t *out)
{
	struct jv v = jv_get(obj, name);

	*out = 0;
	if (!jv_is(v) || jv_type(v) == JSON_NULL)
		return 0;
	return jv_i64(v, out);
}

static void
bad_request(struct client *c, const char *why)
{
	char id[37];

	log_debug("bad request from client", kv_s("why", why),
	    kv_s("client", client_id(c, id)), kv_sv("user", client_user(c)));
	client_disconnect(c, DISCONNECT_BAD_REQUEST, NULL);
}

/* The channel of a request. false: the client has been sent away. */
static bool
get_channel(struct client *c, struct jv req, struct sv *channel)
{
	if (get_str(c, req, "channel", channel) == -1)
		bad_request(c, "channel is no string");
	else if (channel->n == 0)
		bad_request(c, "channel is empty");
	else
		return true;
	return false;
}

static struct client_sub *
find_sub(struct client *c, struct sv channel)
{
	struct client_sub *s;

	SLIST_FOREACH(s, &c->subs, entry)
		if (sv_eq(hub_sub_name(&s->hub), channel))
			return s;
	return NULL;
}

/* ---- answers ---- */

static void
count_duration(struct client *c, enum client_method m)
{
	duration_observe(&c->node->stats.command_duration[m],
	    clock_mono_ns() - c->cmd_started);
}

/* see client.h */
void
client_reply_error(struct client *c, enum client_method m, uint32_t id,
    uint32_t code)
{
	unsigned slot = code - 100 < ERROR_SLOTS - 1 ? code - 100 :
	    ERROR_SLOTS - 1;

	encode_error(client_reply_begin(c), id, code);
	c->node->stats.command_errors[m][slot]++;
	count_duration(c, m);
}

/* An empty result. */
static void
reply_empty(struct client *c, enum client_method m, uint32_t id)
{
	struct buf *b = client_reply_begin(c);

	encode_reply_begin(b, id, client_method_name[m]);
	buf_puts(b, "{}");
	encode_reply_end(b);
	count_duration(c, m);
}

/* ---- connect ---- */

struct connect_result {
	bool	expires;
	int64_t	ttl;
};

static void
reply_connect(struct client *c, uint32_t id, const struct connect_result *r)
{
	const struct conf	*conf = c->node->conf;
	struct buf		*b = client_reply_begin(c);
	char			 uid[37];

	encode_reply_begin(b, id, "connect");
	buf_printf(b, "{\"client\":\"%s\",\"version\":\"" FUGU_VERSION "\"",
	    client_id(c, uid));
	if (r->expires)
		buf_printf(b, ",\"expires\":true,\"ttl\":%lld",
		    (long long)r->ttl);
	if (!c->frame_ping && conf->client.ping_interval >= MSEC_PER_SEC) {
		buf_printf(b, ",\"ping\":%lld", (long long)
		    (conf->client.ping_interval / MSEC_PER_SEC));
	}
	if (!c->frame_ping && conf->client.pong_timeout > 0)
		buf_puts(b, ",\"pong\":true");
	if (conf->client.connect_include_server_time)
		buf_printf(b, ",\"time\":%lld", (long long)clock_wall_ms());
	buf_putc(b, '}');
	encode_reply_end(b);
	count_duration(c, METHOD_CONNECT);
}

/* The first ping comes at a random time in the second half of the interval,
 * so that clients that came back together spread. */
static void
start_pings(struct client *c)
{
	int64_t		interval = c->node->conf->client.ping_interval;
	uint32_t	r;

	if (interval <= 0)
		return;
	random_bytes(&r, sizeof(r));
	c->ping_at = c->node->w->now + interval / 2 +
	    (int64_t)(r % (uint64_t)(interval - interval / 2));
}

/* The connection's end as the token says it. -1: it lies in the past. */
static int
set_expiry(struct client *c, int64_t expire_at, struct connect_result *r)
{
	int64_t now = clock_wall_ms() / MSEC_PER_SEC;

	c->expire_at = 0;
	r->expires = expire_at > 0;
	r->ttl = 0;
	if (expire_at <= 0)
		return 0;
	if (expire_at < now)
		return -1;
	r->ttl = expire_at - now;
	if (r->ttl > TTL_MAX)
		r->ttl = TTL_MAX;
	c->expire_at = c->node->w->now + r->ttl * MSEC_PER_SEC +
	    c->node->conf->client.expired_close_delay;
	return 0;
}

static int
set_info(struct client *c, struct sv info)
{
	free(c->info);
	c->info = NULL;
	c->ninfo = 0;
	if (info.n == 0)
		return 0;
	if ((c->info = sv_dup(info)) == NULL)
		return -1;
	c->ninfo = (uint32_t)info.n;
	return 0;
}

/* A connect that ends with an error leaves a connection that is good for
 * nothing: any further command is a bad request (spec 12.15). */
static void
refuse_connect(struct client *c, uint32_t id, uint32_t code)
{
	c->state = CLIENT_REFUSED;
	client_reply_error(c, METHOD_CONNECT, id, code);
}

static void
accept_connect(struct client *c, uint32_t id, struct sv user, struct sv info,
    int64_t expire_at)
{
	struct connect_result	r;
	char			uid[37], peer[ADDR_STRLEN];

	if (c->node->conf->client.insecure)
		expire_at = 0;
	if (set_expiry(c, expire_at, &r) == -1) {
		refuse_connect(c, id, ERROR_EXPIRED);
		return;
	}
	if (set_info(c, info) == -1 ||
	    hub_user_add(&c->node->hub, &c->user, user) == -1) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	c->state = CLIENT_CONNECTED;
	c->stale_at = 0;
	c->node->stats.num_clients++;
	c->node->stats.connections_accepted++;
	start_pings(c);
	client_set_timer(c);
	log_debug("client connected", kv_s("client", client_id(c, uid)),
	    kv_sv("user", user), kv_s("peer", conn_peer(c->conn, peer)));
	reply_connect(c, id, &r);
}

static void
connect_with_token(struct client *c, uint32_t id, struct sv token)
{
	struct connect_token	t;
	enum jwt_err		err;
	char			uid[37];

	connect_token_init(&t);
	err = connect_token_verify(&t, &c->node->verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_EXPIRED) {
		refuse_connect(c, id, ERROR_TOKEN_EXPIRED);
	} else if (err == JWT_NOMEM) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else if (err != JWT_OK) {
		log_info("invalid connection token",
		    kv_s("error", jwt_strerror(err)),
		    kv_s("client", client_id(c, uid)));
		client_disconnect(c, DISCONNECT_INVALID_TOKEN, NULL);
	} else if (t.user.n == 0 &&
	    c->node->conf->client.disallow_anonymous_connection_tokens) {
		client_disconnect(c, DISCONNECT_PERMISSION_DENIED, NULL);
	} else {
		accept_connect(c, id, t.user, t.info, t.expire_at);
	}
	connect_token_fini(&t);
}

static void
do_connect(struct client *c, uint32_t id, struct jv req)
{
	const struct conf_client	*conf = &c->node->conf->client;
	struct sv			 token, name, version;

	if (c->state != CLIENT_NEW) {
		bad_request(c, "second connect");
		return;
	}
	if (get_str(c, req, "token", &token) == -1 ||
	    get_str(c, req, "name", &name) == -1 ||
	    get_str(c, req, "version", &version) == -1) {
		bad_request(c, "malformed connect");
		return;
	}
	if (token.n > 0)
		connect_with_token(c, id, token);
	else if (conf->allow_anonymous_connect_without_token ||
	    conf->insecure)
		accept_connect(c, id, SV(""), (struct sv){ NULL, 0 }, 0);
	else
		bad_request(c, "connect without a token");
}

/* ---- subscribe ---- */

struct subscribe_request {
	struct sv	channel, token;
	bool		filter;		/* a tags filter is asked for */
	int64_t		type;
};

/* false: malformed, and the client has been sent away. */
static bool
decode_subscribe(struct client *c, struct jv obj, struct subscribe_request *r)
{
	struct jv	tf = jv_get(obj, "tf");
	struct sv	delta;

	if (!get_channel(c, obj, &r->channel))
		return false;
	r->filter = jv_is(tf) && jv_type(tf) != JSON_NULL;
	if (get_str(c, obj, "token", &r->token) == 0 &&
	    get_i64(obj, "type", &r->type) == 0 &&
	    get_str(c, obj, "delta", &delta) == 0 &&
	    (delta.n == 0 || sv_eq(delta, SV("fossil"))))
		return true;
	bad_request(c, "malformed subscribe");
	return false;
}

/* What a subscription token gets: no channel is opened by one yet. */
static uint32_t
check_subscription_token(struct client *c, struct sv token)
{
	struct jwt	t;
	enum jwt_err	err;

	jwt_init(&t);
	err = jwt_verify(&t, &c->node->verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	jwt_fini(&t);
	if (err == JWT_EXPIRED)
		return ERROR_TOKEN_EXPIRED;
	return err == JWT_OK ? ERROR_NOT_AVAILABLE : ERROR_PERMISSION_DENIED;
}

/* The error that refuses a subscription, or 0. */
static uint32_t
check_subscribe(struct client *c, const struct subscribe_request *r)
{
	const struct conf		*conf = c->node->conf;
	const struct conf_channel	*opt;
	struct sv			 rest;

	if (r->channel.n > channel_max_length(conf))
		return ERROR_BAD_REQUEST;
	if (find_sub(c, r->channel) != NULL)
		return ERROR_ALREADY_SUBSCRIBED;
	if (conf->client.channel_limit > 0 &&
	    c->nsubs >= (uint64_t)conf->client.channel_limit)
		return ERROR_LIMIT_EXCEEDED;
	if ((opt = channel_options(conf, r->channel, &rest)) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_name_valid(rest))
		return ERROR_BAD_REQUEST;
	if (r->type != 0)
		return ERROR_PERMISSION_DENIED;
	if (r->token.n > 0)
		return check_subscription_token(c, r->token);
	if (channel_is_private(conf, r->channel))
		return ERROR_PERMISSION_DENIED;
	if (!channel_may_subscribe(opt, client_user(c).n == 0) &&
	    !conf->client.insecure)
		return ERROR_PERMISSION_DENIED;
	/* No channel allows filters. */
	return r->filter ? ERROR_BAD_REQUEST : 0;
}

static void
do_subscribe(struct client *c, uint32_t id, struct jv obj)
{
	struct client_sub		*s;
	struct subscribe_request	 req;
	uint32_t			 code;

	if (!decode_subscribe(c, obj, &req))
		return;
	if ((code = check_subscribe(c, &req)) != 0) {
		client_reply_error(c, METHOD_SUBSCRIBE, id, code);
		return;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		client_reply_error(c, METHOD_SUBSCRIBE, id, ERROR_INTERNAL);
		return;
	}
	s->client = c;
	s->cmd_id = id;
	SLIST_INSERT_HEAD(&c->subs, s, entry);
	c->nsubs++;
	c->waiting = true;
	if (hub_subscribe(&c->node->hub, &s->hub, req.channel, NULL) == -1) {
		c->waiting = false;
		SLIST_REMOVE(&c->subs, s, client_sub, entry);
		c->nsubs--;
		free(s);
		client_reply_error(c, METHOD_SUBSCRIBE, id, ERROR_INTERNAL);
	}
}

static void
drop_sub(struct client *c, struct client_sub *s)
{
	SLIST_REMOVE(&c->subs, s, client_sub, entry);
	c->nsubs--;
	hub_unsubscribe(&c->node->hub, &s->hub);
	free(s);
}

/* see command.h */
void
command_joined(struct hub_sub *hs, enum hub_err err,
    const struct hub_recover *r)
{
	struct client_sub	*s = (struct client_sub *)(void *)hs;
	struct client		*c = s->client;
	uint32_t		 id = s->cmd_id;

	(void)r;
	if (err == HUB_OK) {
		c->node->stats.subscriptions_accepted++;
		reply_empty(c, METHOD_SUBSCRIBE, id);
	} else {
		drop_sub(c, s);
		client_reply_error(c, METHOD_SUBSCRIBE, id, ERROR_INTERNAL);
	}
	client_resume(c);
}

static void
do_unsubscribe(struct client *c, uint32_t id, struct jv req)
{
	struct client_sub	*s;
	struct sv		 channel;

	if (!get_channel(c, req, &channel))
		return;
	if ((s = find_sub(c, channel)) != NULL)
		drop_sub(c, s);
	reply_empty(c, METHOD_UNSUBSCRIBE, id);
}

/* see client.h */
bool
client_unsubscribe(struct client *c, struct sv channel)
{
	struct client_sub *s = find_sub(c, channel);

	if (s == NULL || hub_sub_pending(&s->hub))
		return false;
	drop_sub(c, s);
	return true;
}

/* ---- publish ---- */

static uint32_t
check_publish(struct client *c, struct sv channel, struct sv data)
{
	const struct conf_channel	*opt;
	struct sv			 rest;

	opt = channel_options(c->node->conf, channel, &rest);
	if (opt == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_name_valid(rest) || data.n == 0)
		return ERROR_BAD_REQUEST;
	if (channel_may_publish(opt, client_user(c).n == 0,
	    find_sub(c, channel) != NULL) || c->node->conf->client.insecure)
		return 0;
	return ERROR_PERMISSION_DENIED;
}

static void
publish_done(struct hub_request *req)
{
	struct client_publish	*p = (struct client_publish *)(void *)req;
	struct client		*c = p->client;
	uint32_t		 id = p->cmd_id;
	enum hub_err		 err = req->err;

	free(p);
	if (c == NULL)
		return;
	c->publish = NULL;
	if (c->state != CLIENT_CLOSED) {
		if (err == HUB_OK)
			reply_empty(c, METHOD_PUBLISH, id);
		else
			client_reply_error(c, METHOD_PUBLISH, id,
			    ERROR_INTERNAL);
	}
	client_resume(c);
}

static struct hub_pub *
make_pub(struct client *c, struct sv channel, struct sv data)
{
	char			uid[37];
	struct hub_pub_view	from = {
		.channel = channel,
		.data = data,
		.has_info = true,
		.info = {
			.user = client_user(c),
			.client = sv_make(client_id(c, uid), 36),
			.conn_info = sv_make(c->info, c->ninfo),
		},
	};

	return hub_pub_new(&from);
}

static void
do_publish(struct client *c, uint32_t id, struct jv req)
{
	struct client_publish	*p;
	struct hub_pub		*pub;
	struct sv		 channel, data = { NULL, 0 };
	struct jv		 v = jv_get(req, "data");
	int64_t			 type;
	uint32_t		 code;

	if (!get_channel(c, req, &channel))
		return;
	if (get_i64(req, "type", &type) == -1) {
		bad_request(c, "malformed publish");
		return;
	}
	if (jv_is(v))
		data = jv_raw(v);
	code = type != 0 ? ERROR_NOT_AVAILABLE :
	    check_publish(c, channel, data);
	if (code != 0) {
		client_reply_error(c, METHOD_PUBLISH, id, code);
		return;
	}
	p = calloc(1, sizeof(*p));
	pub = make_pub(c, channel, data);
	if (p == NULL || pub == NULL) {
		free(p);
		hub_pub_unref(&c->node->hub, pub);
		client_reply_error(c, METHOD_PUBLISH, id, ERROR_INTERNAL);
		return;
	}
	p->client = c;
	p->cmd_id = id;
	p->hub.pub = pub;
	p->hub.req.done = publish_done;
	c->publish = p;
	c->waiting = true;
	c->node->stats.published++;
	hub_publish(&c->node->hub, &p->hub);
}

/* ---- refresh ---- */

static void
do_refresh(struct client *c, uint32_t id, struct jv req)
{
	struct connect_token	 t;
	struct connect_result	 r;
	struct sv		 token;
	enum jwt_err		 err;
	struct buf		*b;

	if (get_str(c, req, "token", &token) == -1 || token.n == 0) {
		bad_request(c, "refresh without a token");
		return;
	}
	connect_token_init(&t);
	err = connect_token_verify(&t, &c->node->verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_EXPIRED ||
	    (err == JWT_OK && set_expiry(c, t.expire_at, &r) == -1)) {
		client_disconnect(c, DISCONNECT_EXPIRED, NULL);
	} else if (err == JWT_NOMEM) {
		client_reply_error(c, METHOD_REFRESH, id, ERROR_INTERNAL);
	} else if (err != JWT_OK || !sv_eq(t.user, client_user(c))) {
		client_disconnect(c, DISCONNECT_INVALID_TOKEN, NULL);
	} else if (set_info(c, t.info) == -1) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else {
		client_set_timer(c);
		b = client_reply_begin(c);
		encode_reply_begin(b, id, "refresh");
		buf_putc(b, '{');
		if (r.expires)
			buf_printf(b, "\"expires\":true,\"ttl\":%lld",
			    (long long)r.ttl);
		buf_putc(b, '}');
		encode_reply_end(b);
		count_duration(c, METHOD_REFRESH);
	}
	connect_token_fini(&t);
}

/* ---- what is answered with an error only ---- */

/* presence, presence_stats, history: no channel keeps any. */
static void
do_not_kept(struct client *c, enum client_method m, uint32_t id,
    struct jv req)
{
	struct sv channel;

	if (!get_channel(c, req, &channel))
		return;
	client_reply_error(c, m, id,
	    channel_options(c->node->conf, channel, NULL) == NULL ?
	    ERROR_UNKNOWN_CHANNEL : ERROR_NOT_AVAILABLE);
}

static void
do_sub_refresh(struct client *c, uint32_t id, struct jv req)
{
	struct sv channel, token;

	if (!get_channel(c, req, &channel))
		return;
	if (get_str(c, req, "token", &token) == -1)
		bad_request(c, "malformed sub_refresh");
	else if (find_sub(c, channel) == NULL)
		client_reply_error(c, METHOD_SUB_REFRESH, id,
		    ERROR_PERMISSION_DENIED);
	else
		client_reply_error(c, METHOD_SUB_REFRESH, id, token.n == 0 ?
		    ERROR_BAD_REQUEST : ERROR_NOT_AVAILABLE);
}

/* ---- dispatch ---- */

static void
do_pong(struct client *c)
{
	if (!c->ping_out || c->frame_ping) {
		bad_request(c, "pong without a ping");
		return;
	}
	c->ping_out = false;
	c->pong_at = 0;
	c->node->stats.pongs_received++;
	duration_observe(&c->node->stats.ping_pong,
	    clock_mono_ns() - c->ping_sent);
}

struct command {
	int64_t			id;
	enum client_method	method;		/* METHOD_MAX: none */
	struct jv		req;
};

/* Which command it is: the first of the known members in the protocol's
 * order, null ones passed over. -1: malformed. */
static int
decode(struct jv obj, struct command *cmd)
{
	struct jv	v;
	int		m;

	*cmd = (struct command){ .method = METHOD_MAX };
	if (jv_type(obj) != JSON_OBJECT)
		return -1;
	if (get_i64(obj, "id", &cmd->id) == -1 || cmd->id < 0 ||
	    cmd->id > UINT32_MAX)
		return -1;
	for (m = 0; m < METHOD_MAX; m++) {
		v = jv_get(obj, client_method_name[m]);
		if (!jv_is(v) || jv_type(v) == JSON_NULL)
			continue;
		if (jv_type(v) != JSON_OBJECT)
			return -1;
		if (cmd->method == METHOD_MAX) {
			cmd->method = (enum client_method)m;
			cmd->req = v;
		}
	}
	return 0;
}

static void
run(struct client *c, const struct command *cmd)
{
	uint32_t id = (uint32_t)cmd->id;

	c->node->stats.commands[cmd->method]++;
	c->cmd_started = clock_mono_ns();
	switch (cmd->method) {
	case METHOD_CONNECT:
		do_connect(c, id, cmd->req);
		break;
	case METHOD_SUBSCRIBE:
		do_subscribe(c, id, cmd->req);
		break;
	case METHOD_UNSUBSCRIBE:
		do_unsubscribe(c, id, cmd->req);
		break;
	case METHOD_PUBLISH:
		do_publish(c, id, cmd->req);
		break;
	case METHOD_PRESENCE:
	case METHOD_PRESENCE_STATS:
	case METHOD_HISTORY:
		do_not_kept(c, cmd->method, id, cmd->req);
		break;
	case METHOD_RPC:
		/* Nobody answers calls: there is no rpc proxy. */
		client_reply_error(c, METHOD_RPC, id, ERROR_NOT_AVAILABLE);
		break;
	case METHOD_SEND:
		client_disconnect(c, DISCONNECT_NOT_AVAILABLE, NULL);
		break;
	case METHOD_REFRESH:
		do_refresh(c, id, cmd->req);
		break;
	case METHOD_SUB_REFRESH:
		do_sub_refresh(c, id, cmd->req);
		break;
	case METHOD_MAX:
		break;
	}
}

/* see client.h */
void
client_command(struct client *c, struct jv obj)
{
	struct command cmd;

	if (decode(obj, &cmd) == -1)
		bad_request(c, "malformed command");
	else if (c->state != CLIENT_CONNECTED &&
	    cmd.method != METHOD_CONNECT)
		bad_request(c, "command before connect");
	else if (cmd.id == 0 && cmd.method != METHOD_SEND &&
	    cmd.method != METHOD_CONNECT)
		do_pong(c);
	else if (cmd.method == METHOD_MAX ||
	    (cmd.id == 0 && cmd.method == METHOD_CONNECT))
		bad_request(c, "no command, or one without an id");
	else
		run(c, &cmd);
}

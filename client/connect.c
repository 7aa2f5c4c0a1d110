/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The beginning of a client: connect, and refresh, which prolongs it.
 */
#include <stdlib.h>

#include "client/admission.h"
#include "client/command.h"
#include "client/connect.h"
#include "client/token.h"
#include "client/wire.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

#define TTL_MAX	(365 * 24 * 3600)	/* s */

/* see connect.h */
void
connect_reply(struct client *c, uint32_t id, const struct connect_result *r,
    struct sv subs)
{
	const struct conf	*conf = c->node->conf;
	struct buf		*b = command_reply(c, METHOD_CONNECT, id);
	char			 uid[37];

	buf_printf(b, "{\"client\":\"%s\",\"version\":\"" FUGU_VERSION "\"",
	    client_id(c, uid));
	if (r->expires)
		buf_printf(b, ",\"expires\":true,\"ttl\":%lld",
		    (long long)r->ttl);
	if (subs.n > 0) {
		buf_puts(b, ",\"subs\":{");
		buf_putsv(b, subs);
		buf_putc(b, '}');
	}
	if (!c->frame_ping && conf->client.ping_interval >= MSEC_PER_SEC) {
		buf_printf(b, ",\"ping\":%lld", (long long)
		    (conf->client.ping_interval / MSEC_PER_SEC));
	}
	if (!c->frame_ping && conf->client.pong_timeout > 0)
		buf_puts(b, ",\"pong\":true");
	if (conf->client.connect_include_server_time)
		buf_printf(b, ",\"time\":%lld", (long long)clock_wall_ms());
	buf_putc(b, '}');
	command_reply_end(c, METHOD_CONNECT);
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
/* see connect.h */
void
connect_refuse(struct client *c, uint32_t id, uint32_t code)
{
	if (code >= DISCONNECT_CONNECTION_CLOSED) {
		client_disconnect(c, code, NULL);
		return;
	}
	c->state = CLIENT_REFUSED;
	c->ping_at = c->expire_at = 0;
	if (c->node->conf->client.stale_close_delay > 0)
		c->stale_at = c->node->w->now +
		    c->node->conf->client.stale_close_delay;
	client_set_timer(c);
	if (c->tr->refused != NULL)
		c->tr->refused(c, code);
	else
		client_reply_error(c, METHOD_CONNECT, id, code);
}

/* Who is connecting, and with what. */
struct credentials {
	struct sv	user, info;
	int64_t		expire_at;
	struct jv	claims;		/* of the token, or absent */
	struct jv	subs;		/* of the request, or absent */
	bool		bare;		/* no subscriptions come with it */
};

static void
accept_connect(struct client *c, uint32_t id, const struct credentials *who)
{
	int64_t			expire_at = who->expire_at;
	struct connect_result	r;
	char			uid[37], peer[ADDR_STRLEN];

	if (admission_needed(c, who->user)) {
		admission_ask(c, who->user);
		return;
	}
	if (c->node->conf->client.insecure)
		expire_at = 0;
	if (set_expiry(c, expire_at, &r) == -1) {
		connect_refuse(c, id, ERROR_EXPIRED);
		return;
	}
	if (set_info(c, who->info) == -1 ||
	    hub_user_add(&c->node->hub, &c->user, who->user) == -1) {
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
	    kv_sv("user", who->user), kv_s("peer", conn_peer(c->conn, peer)));
	if (c->tr->accepted != NULL)
		c->tr->accepted(c);
	if (who->bare)
		connect_reply(c, id, &r, (struct sv){ NULL, 0 });
	else
		connecting_start(c, id, &r, who->claims, who->subs);
}

static void
connect_with_token(struct client *c, uint32_t id, struct sv token,
    struct jv subs)
{
	struct credentials	who = { .subs = subs };
	struct connect_token	t;
	enum jwt_err		err;

	connect_token_init(&t);
	err = connect_token_verify(&t, c->node->verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t.jwt)) {
		connect_token_fini(&t);
		return;
	}
	c->key_tried = false;
	if (err == JWT_OK && !connect_claims_ok(json_root(&t.jwt.json)))
		err = JWT_CLAIMS;
	if (err == JWT_EXPIRED) {
		connect_refuse(c, id, ERROR_TOKEN_EXPIRED);
	} else if (err == JWT_NOMEM) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else if (err != JWT_OK) {
		log_info("invalid connection token",
		    kv_s("error", jwt_strerror(err)));
		client_disconnect(c, DISCONNECT_INVALID_TOKEN, NULL);
	} else if (t.user.n == 0 &&
	    c->node->conf->client.disallow_anonymous_connection_tokens) {
		client_disconnect(c, DISCONNECT_PERMISSION_DENIED, NULL);
	} else {
		who.user = t.user;
		who.info = t.info;
		who.expire_at = t.expire_at;
		who.claims = json_root(&t.jwt.json);
		accept_connect(c, id, &who);
	}
	connect_token_fini(&t);
}

/* A proxy in front has said who it is (client.user_id_http_header). Such a
 * connection gets no subscriptions from the server (spec 12.32). */
static void
connect_by_header(struct client *c, uint32_t id)
{
	struct credentials who = { .user = sv_from(c->about->user),
	    .bare = true };

	accept_connect(c, id, &who);
}

/* see command.h */
void
command_connect(struct client *c, uint32_t id, struct jv req)
{
	const struct conf_client	*conf = &c->node->conf->client;
	struct credentials		 who = { .subs = jv_get(req, "subs") };
	struct sv			 token, name, version;

	if (c->state != CLIENT_NEW) {
		command_bad(c, "second connect");
		return;
	}
	if (command_str(c, req, "token", &token) == -1 ||
	    command_str(c, req, "name", &name) == -1 ||
	    command_str(c, req, "version", &version) == -1) {
		command_bad(c, "malformed connect");
		return;
	}
	if (token.n > 0)
		connect_with_token(c, id, token, who.subs);
	else if (conf->allow_anonymous_connect_without_token ||
	    conf->insecure)
		accept_connect(c, id, &who);
	else if (c->about != NULL && c->about->user != NULL)
		connect_by_header(c, id);
	else
		command_bad(c, "connect without a token");
}

/* ---- refresh ---- */

/* see command.h */
void
command_refresh(struct client *c, uint32_t id, struct jv req)
{
	struct connect_token	 t;
	struct connect_result	 r;
	struct sv		 token;
	enum jwt_err		 err;
	struct buf		*b;

	if (command_str(c, req, "token", &token) == -1 || token.n == 0) {
		command_bad(c, "refresh without a token");
		return;
	}
	connect_token_init(&t);
	err = connect_token_verify(&t, c->node->verifier, token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t.jwt)) {
		connect_token_fini(&t);
		return;
	}
	c->key_tried = false;
	if (err == JWT_OK && (!connect_claims_ok(json_root(&t.jwt.json)) ||
	    !sv_eq(t.user, client_user(c))))
		err = JWT_CLAIMS;
	if (err == JWT_EXPIRED) {
		client_disconnect(c, DISCONNECT_EXPIRED, NULL);
	} else if (err == JWT_NOMEM) {
		client_reply_error(c, METHOD_REFRESH, id, ERROR_INTERNAL);
	} else if (err != JWT_OK) {
		client_disconnect(c, DISCONNECT_INVALID_TOKEN, NULL);
	} else if (!connect_same_channels(c, json_root(&t.jwt.json))) {
		client_disconnect(c, DISCONNECT_INSUFFICIENT_STATE, NULL);
	} else if (set_expiry(c, t.expire_at, &r) == -1) {
		client_reply_error(c, METHOD_REFRESH, id, ERROR_EXPIRED);
	} else if (set_info(c, t.info) == -1) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else {
		client_set_timer(c);
		b = command_reply(c, METHOD_REFRESH, id);
		buf_putc(b, '{');
		if (r.expires)
			buf_printf(b, "\"expires\":true,\"ttl\":%lld",
			    (long long)r.ttl);
		buf_putc(b, '}');
		command_reply_end(c, METHOD_REFRESH);
	}
	connect_token_fini(&t);
}


/* see client.h */
void
client_refresh(struct client *c, bool expired, int64_t expire_at,
    struct sv info)
{
	struct connect_result	 r;
	struct buf		 b = BUF_INIT;
	struct blob		*blob = NULL;

	if (c->state != CLIENT_CONNECTED)
		return;
	if (expired || set_expiry(c, expire_at, &r) == -1 ||
	    (r.expires && r.ttl == 0)) {
		client_disconnect(c, DISCONNECT_EXPIRED, NULL);
		return;
	}
	encode_push_begin(&b, SV(""), "refresh");
	buf_putc(&b, '{');
	if (r.expires)
		buf_printf(&b, "\"expires\":true,\"ttl\":%lld",
		    (long long)r.ttl);
	buf_putc(&b, '}');
	encode_push_end(&b);
	if (!b.failed && (info.n == 0 || set_info(c, info) == 0))
		blob = wire_message(c->node, c->form, buf_sv(&b));
	buf_fini(&b);
	if (blob == NULL) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	client_set_timer(c);
	client_send(c, blob, OUT_PUSH);
}

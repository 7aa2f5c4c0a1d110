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
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

#define TTL_MAX	(365 * 24 * 3600)	/* s */

/* Whether and when it ends. */
static void
put_expiry(struct enc *e, unsigned num, const struct connect_result *r)
{
	enc_bool(e, num, "expires", r->expires);
	if (r->expires)
		enc_u64_always(e, num + 1, "ttl", (uint64_t)r->ttl);
}

/* The entries as connect_put_sub() has written them. */
static void
put_subs(struct enc *e, struct sv subs)
{
	if (subs.n == 0)
		return;
	enc_map(e, "subs");
	buf_putsv(e->b, subs);
	enc_map_end(e);
}

/* ConnectResult, or the Connect push, which has another order. */
static void
put_result(struct client *c, struct enc *e, const struct connect_result *r,
    struct sv subs)
{
	const struct conf_client	*conf = &c->node->conf->client;
	char				 id[37], session[CLIENT_SESSION_MAX];
	int64_t				 ping = conf->ping_interval;

	enc_str(e, 1, "client", sv_from(client_id(c, id)));
	enc_str(e, 2, "version", sv_from(FUGU_VERSION));
	if (!e->uni)
		put_expiry(e, 3, r);
	put_subs(e, subs);
	if (e->uni)
		put_expiry(e, 5, r);
	if (!c->frame_ping || e->uni)
		enc_u64(e, 7, "ping", (uint64_t)(ping / MSEC_PER_SEC));
	enc_bool(e, 8, "pong", !c->frame_ping && !e->uni &&
	    conf->pong_timeout > 0);
	if (c->tr->session != NULL)
		enc_str(e, 9, "session", sv_make(session,
		    c->tr->session(c, session)));
	if (c->tr->emulated)
		enc_str(e, 10, "node", sv_from(c->node->srv->uid));
	if (conf->connect_include_server_time)
		enc_u64(e, 11, "time", (uint64_t)clock_wall_ms());
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
	client_set_timer(c);
}

/* see connect.h */
void
connect_reply(struct client *c, uint32_t id, const struct connect_result *r,
    struct sv subs)
{
	struct enc *e = client_reply_begin(c);

	if (c->tr->accepted != NULL)
		c->tr->accepted(c);
	start_pings(c);
	if (e->uni)
		encode_push_begin(e, SV(""), 10, "connect");
	else
		encode_reply_begin(e, id, METHOD_CONNECT);
	put_result(c, e, r, subs);
	command_reply_end(c, METHOD_CONNECT);
}

/* The connection's end as the token says it. -1: it lies in the past, and what
 * was set before stays. */
static int
set_expiry(struct client *c, int64_t expire_at, struct connect_result *r)
{
	int64_t now = clock_wall_ms() / MSEC_PER_SEC;

	if (expire_at > 0 && expire_at < now)
		return -1;
	c->expire_at = 0;
	r->expires = expire_at > 0;
	r->ttl = 0;
	if (expire_at <= 0)
		return 0;
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
	c->expire_at = 0;
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
	const struct connect_request *request;
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
	client_stats(c)->inflight++;
	client_stats(c)->accepted++;
	client_set_timer(c);
	log_debug("client connected", kv_s("client", client_id(c, uid)),
	    kv_sv("user", who->user), kv_s("peer", conn_peer(c->conn, peer)));
	if (who->bare)
		connect_reply(c, id, &r, (struct sv){ NULL, 0 });
	else
		connecting_start(c, id, &r, who->claims, who->request);
}

static void
connect_with_token(struct client *c, uint32_t id,
    const struct connect_request *q)
{
	struct credentials	who = { .request = q };
	struct connect_token	t;
	enum jwt_err		err;

	connect_token_init(&t);
	err = connect_token_verify(&t, c->node->verifier, q->token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t.jwt)) {
		connect_token_fini(&t);
		return;
	}
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
command_connect(struct client *c, uint32_t id,
    const struct connect_request *q)
{
	const struct conf_client	*conf = &c->node->conf->client;
	struct credentials		 who = { .request = q };

	if (c->state != CLIENT_NEW) {
		command_bad(c, "second connect");
		return;
	}
	/* A certificate goes before being nobody. */
	if (c->about != NULL && c->about->proven)
		who.user = sv_from(c->about->user);
	if (q->token.n > 0)
		connect_with_token(c, id, q);
	else if (conf->allow_anonymous_connect_without_token ||
	    conf->insecure || who.user.n > 0)
		accept_connect(c, id, &who);
	else if (c->about != NULL && c->about->user != NULL)
		connect_by_header(c, id);
	else
		command_bad(c, "connect without a token");
}

/* ---- refresh ---- */

/* see command.h */
void
command_refresh(struct client *c, uint32_t id,
    const struct refresh_request *q)
{
	struct connect_token	 t;
	struct connect_result	 r;
	enum jwt_err		 err;

	if (q->token.n == 0) {
		command_bad(c, "refresh without a token");
		return;
	}
	connect_token_init(&t);
	err = connect_token_verify(&t, c->node->verifier, q->token,
	    clock_wall_ms() / MSEC_PER_SEC);
	if (err == JWT_KEY_UNKNOWN && client_fetch_key(c, &t.jwt)) {
		connect_token_fini(&t);
		return;
	}
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
	} else if (t.info.n > 0 && set_info(c, t.info) == -1) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	} else {
		client_set_timer(c);
		put_expiry(command_reply(c, METHOD_REFRESH, id), 3, &r);
		command_reply_end(c, METHOD_REFRESH);
	}
	connect_token_fini(&t);
}


/* see client.h */
void
client_refresh(struct client *c, bool expired, int64_t expire_at,
    struct sv info)
{
	struct connect_result	r;
	struct enc		e;

	if (c->state != CLIENT_CONNECTED)
		return;
	if (expired || set_expiry(c, expire_at, &r) == -1 ||
	    (r.expires && r.ttl == 0)) {
		client_disconnect(c, DISCONNECT_EXPIRED, NULL);
		return;
	}
	if (info.n > 0 && set_info(c, info) == -1) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	e = client_push_begin(c);
	encode_push_begin(&e, SV(""), 12, "refresh");
	put_expiry(&e, 1, &r);
	encode_push_end(&e);
	client_set_timer(c);
	client_push_send(c, &e);
}

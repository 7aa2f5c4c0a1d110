/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server API over HTTP: who may, what is asked, and how the answer is
 * said. A request holds its exchange, and with it the text of the
 * parameters, until the call is done.
 */
#include <stdlib.h>

#include "api/api.h"
#include "api/call.h"
#include "api/stats.h"
#include "client/code.h"
#include "util/ct.h"
#include "util/log.h"

struct request {
	struct api_call		 call;	/* first */
	struct http_exchange	*x;
	bool			 transport;	/* errors by HTTP status */
};

/* ---- authorisation ---- */

/* The next word of *rest, cut off. */
static struct sv
word(struct sv *rest)
{
	struct sv w;

	*rest = sv_trim(*rest);
	for (w = *rest; rest->n > 0 && *rest->p != ' ' && *rest->p != '\t'; )
		*rest = sv_skip(*rest, 1);
	w.n -= rest->n;
	return w;
}

/* Exactly two words, the first of which is `apikey'. */
static bool
authorization_ok(struct sv value, struct sv key)
{
	struct sv scheme = word(&value), given = word(&value);

	return sv_trim(value).n == 0 && sv_ieq(scheme, SV("apikey")) &&
	    ct_eq(given, key);
}

/* see api.h; the order is that of spec 12.45 */
bool
api_auth_ok(const struct api_auth *a, struct sv key, bool insecure)
{
	struct buf	scratch = BUF_INIT;
	struct sv	given;
	bool		ok;

	if (insecure)
		return true;
	if (key.n == 0)
		return false;
	if (a->x_api_key.n > 0)
		ok = ct_eq(a->x_api_key, key);
	else
		ok = authorization_ok(a->authorization, key);
	if (!ok && http_query_get(a->query, "api_key", &scratch, &given))
		ok = ct_eq(given, key);
	buf_fini(&scratch);
	return ok;
}

static bool
may_call(struct http_exchange *x)
{
	const struct node	*n = x->w->ctx;
	const struct api_auth	 a = {
		.x_api_key = http_header_get(&x->req, "X-API-Key"),
		.authorization = http_header_get(&x->req, "Authorization"),
		.query = x->req.query,
	};

	return api_auth_ok(&a, sv_from(n->conf->http_api.key),
	    n->conf->http_api.insecure);
}

/* ---- answers ---- */

/* see api.h */
void
api_reply_json(struct http_exchange *x, int status, struct sv body)
{
	http_respond(x, status, "application/json", body);
}

/* see api.h */
void
api_reply_malformed(struct http_exchange *x, unsigned method,
    enum json_err err, const char *why)
{
	char peer[IP_STRLEN];

	api_count_error(x->w->ctx, method, API_ERROR_MALFORMED);
	if (err == JSON_NOMEM) {
		http_respond_error(x, 500, NULL);
		return;
	}
	log_info("API request is malformed", kv_sv("path", x->req.path),
	    kv_s("error", err == JSON_OK ? why : json_strerror(err)),
	    kv_s("peer", http_client(x, peer)));
	http_respond(x, 400, "text/plain; charset=utf-8",
	    SV("Bad Request\n"));
}

static bool
is_transport_mode(const struct http_exchange *x)
{
	const struct node *n = x->w->ctx;

	return sv_eq(sv_from(n->conf->http_api.error_mode), SV("transport")) ||
	    sv_eq(http_header_get(&x->req, "X-Centrifugo-Error-Mode"),
	    SV("transport"));
}

static void
request_free(struct request *r)
{
	api_call_fini(&r->call);
	free(r);
}

static void
reply_error(struct request *r)
{
	struct buf	b = BUF_INIT;
	int		status = 200;

	if (r->transport) {
		status = api_error_status(r->call.error);
		api_put_error(&b, r->call.error);
	} else {
		buf_puts(&b, "{\"error\":");
		api_put_error(&b, r->call.error);
		buf_putc(&b, '}');
	}
	if (b.failed)
		http_respond_error(r->x, 500, NULL);
	else
		api_reply_json(r->x, status, buf_sv(&b));
	buf_fini(&b);
}

static void
reply_result(struct request *r)
{
	struct buf b = BUF_INIT;

	if (r->call.result.n == 0) {
		api_reply_json(r->x, 200, SV("{\"result\":{}}"));
		return;
	}
	buf_puts(&b, "{\"result\":");
	buf_putsv(&b, buf_sv(&r->call.result));
	buf_putc(&b, '}');
	if (b.failed)
		http_respond_error(r->x, 500, NULL);
	else
		api_reply_json(r->x, 200, buf_sv(&b));
	buf_fini(&b);
}

static void
on_done(struct api_call *c)
{
	struct request *r = (struct request *)(void *)c;

	if (c->error != 0)
		reply_error(r);
	else
		reply_result(r);
	request_free(r);
}

/* ---- requests ---- */

static void
run(struct http_exchange *x, enum api_method method)
{
	struct node	*n = x->w->ctx;
	struct request	*r;

	if (json_parse(&n->json, x->body, 0) == -1) {
		api_reply_malformed(x, method, n->json.err, NULL);
		return;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		http_respond_error(x, 500, NULL);
		return;
	}
	r->x = x;
	r->transport = is_transport_mode(x);
	r->call.node = n;
	r->call.method = method;
	r->call.done = on_done;
	if (api_call_run(&r->call, json_root(&n->json)) == -1) {
		request_free(r);
		api_reply_malformed(x, method, JSON_OK, "wrong type");
	}
}

/* see api.h */
void
api_handler(struct http_exchange *x)
{
	const char *const	*name = x->ctx;
	const enum api_method	 method =
	    (enum api_method)(name - api_method_name);

	if (!may_call(x))
		http_respond(x, 401, NULL, SV(""));
	else if (method == API_BATCH)
		api_batch(x);
	else
		run(x, method);
}

/* see api.h */
void
api_legacy_handler(struct http_exchange *x)
{
	if (!may_call(x))
		http_respond(x, 401, NULL, SV(""));
	else
		api_legacy(x);
}

/* ---- health ---- */

/* see api.h */
void
health_handler(struct http_exchange *x)
{
	api_reply_json(x, 200, SV("{}"));
}

/* see api.h */
void
ready_handler(struct http_exchange *x)
{
	const struct node *n = x->w->ctx;

	if (n->srv->wants_cert && n->srv->cert_not_after == 0)
		api_reply_json(x, 503,
		    SV("{\"reason\":\"no certificate yet\"}"));
	else
		api_reply_json(x, n->draining ? 503 : 200, SV("{}"));
}

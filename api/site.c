/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See site.h.
 */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/params.h"
#include "api/site.h"
#include "api/stats.h"
#include "client/transport.h"
#include "util/log.h"

#define READ	(1u << HTTP_GET)
#define WRITE	(1u << HTTP_POST)
#define ASK	(1u << HTTP_OPTIONS)

#define READ_BODY_MAX	4096	/* some send one with a GET */

/* Transports and what belongs to them, the methods and the legacy form, health
 * three times, metrics. */
#define ROUTES_MAX	(8 + API_METHODS + 1 + 3 + 1)

struct builder {
	struct site	*site;
	size_t		 cap;
	bool		 failed;
};

static bool
is_taken(const struct site *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->http.nroute; i++)
		if (strcmp(s->route[i].path, path) == 0)
			return true;
	return false;
}

/* Add a route with a copy of its path, which is prefix and tail; prefix "/"
 * stands for none if there is a tail. */
static void
add(struct builder *b, const struct http_route *r, const char *prefix,
    const char *tail)
{
	struct site	*s = b->site;
	struct buf	 path = BUF_INIT;
	size_t		 n;

	if (b->failed)
		return;
	if (*tail == '\0' || strcmp(prefix, "/") != 0)
		buf_puts(&path, prefix);
	if (*tail != '\0') {
		buf_putc(&path, '/');
		buf_puts(&path, tail);
	}
	buf_putc(&path, '\0');
	if (path.failed || s->http.nroute == b->cap) {
		log_error("out of memory");
		b->failed = true;
	} else if (is_taken(s, path.p)) {
		log_error("two endpoints have the same path",
		    kv_s("path", path.p));
		b->failed = true;
	}
	if (b->failed) {
		buf_fini(&path);
		return;
	}
	s->route[s->http.nroute] = *r;
	s->route[s->http.nroute++].path = buf_steal(&path, &n);
}

static void
add_api(struct builder *b, const struct conf_http_api *conf)
{
	struct http_route r = {
		.methods = WRITE,
		.max_body = (uint64_t)conf->max_body_size,
		.handler = api_handler,
	};
	int m;

	for (m = 0; m < API_METHODS; m++) {
		/* The name's place says which one it is. */
		r.ctx = (void *)(uintptr_t)&api_method_name[m];
		add(b, &r, conf->handler_prefix, api_method_name[m]);
	}
	r.ctx = NULL;
	r.handler = api_legacy_handler;
	add(b, &r, conf->handler_prefix, "");
}

static void
add_health(struct builder *b, const char *prefix)
{
	struct http_route r = {
		.methods = READ,
		.reserve_ok = true,
		.max_body = READ_BODY_MAX,
		.handler = health_handler,
	};

	add(b, &r, prefix, "");
	if (!is_taken(b->site, "/healthz"))
		add(b, &r, "/", "healthz");
	r.handler = ready_handler;
	if (!is_taken(b->site, "/readyz"))
		add(b, &r, "/", "readyz");
}

static void
add_transport(struct builder *b, bool enabled, const char *prefix,
    unsigned methods, int64_t max_body, http_handler *handler)
{
	const struct http_route r = {
		.methods = methods,
		.max_body = (uint64_t)max_body,
		.prepare = transport_prepare,
		.handler = handler,
	};

	if (enabled)
		add(b, &r, prefix, "");
}

static void
add_transports(struct builder *b, const struct conf *c)
{
	add_transport(b, !c->websocket.disabled, c->websocket.handler_prefix,
	    READ, 0, ws_transport_handler);
	add_transport(b, c->sse.enabled, c->sse.handler_prefix,
	    READ | WRITE | ASK, c->sse.max_request_body_size, sse_handler);
	add_transport(b, c->http_stream.enabled, c->http_stream.handler_prefix,
	    WRITE | ASK, c->http_stream.max_request_body_size,
	    http_stream_handler);
	add_transport(b, c->sse.enabled || c->http_stream.enabled,
	    c->emulation.handler_prefix, WRITE | ASK,
	    c->emulation.max_request_body_size, emulation_handler);
	add_transport(b, c->uni_websocket.enabled,
	    c->uni_websocket.handler_prefix, READ, 0, uni_ws_handler);
	add_transport(b, c->uni_sse.enabled, c->uni_sse.handler_prefix,
	    READ | WRITE | ASK, c->uni_sse.max_request_body_size,
	    uni_sse_handler);
	add_transport(b, c->uni_http_stream.enabled,
	    c->uni_http_stream.handler_prefix, WRITE | ASK,
	    c->uni_http_stream.max_request_body_size,
	    uni_http_stream_handler);
	add_transport(b, c->init.enabled, c->init.handler_prefix, READ,
	    READ_BODY_MAX, init_handler);
}

static void
build_external(struct builder *b, const struct conf *conf,
    const struct http_route *extra, size_t nextra)
{
	size_t i;

	add_transports(b, conf);
	if (!conf->http_api.disabled && conf->http_api.external)
		add_api(b, &conf->http_api);
	for (i = 0; i < nextra; i++)
		add(b, &extra[i], extra[i].path, "");
}

static void
build_internal(struct builder *b, const struct conf *conf)
{
	const struct http_route metrics = {
		.methods = READ,
		.reserve_ok = true,
		.max_body = READ_BODY_MAX,
		.handler = metrics_handler,
	};

	if (!conf->http_api.disabled && !conf->http_api.external)
		add_api(b, &conf->http_api);
	if (conf->prometheus.enabled)
		add(b, &metrics, conf->prometheus.handler_prefix, "");
	if (conf->health.enabled)
		add_health(b, conf->health.handler_prefix);
}

/* Whose headers are believed. */
static int
set_trusted(struct site *s, const struct conf_http_server *conf)
{
	const struct conf_cidrs	*from = &conf->trusted_cidrs;
	size_t			 i;

	s->trusted.none = conf->trusted_unix;
	s->trusted.net = calloc(from->n + 1, sizeof(*s->trusted.net));
	if (s->trusted.net == NULL)
		return -1;
	for (i = 0; i < from->n; i++) {
		memcpy(s->trusted.net[i].ip, from->v[i].addr, IP_LEN);
		s->trusted.net[i].bits = from->v[i].bits;
	}
	s->trusted.n = from->n;
	return 0;
}

static void
builder_init(struct builder *b, struct site *s, const struct conf *conf,
    size_t cap)
{
	memset(s, 0, sizeof(*s));
	*b = (struct builder){ .site = s, .cap = cap };
	s->conf = conf_ref(conf);
	s->route = calloc(cap, sizeof(*s->route));
	if (s->route == NULL || set_trusted(s, &conf->http_server) == -1) {
		log_error("out of memory");
		b->failed = true;
	}
	s->http = (struct http_site){
		.route = s->route,
		.max_head = (size_t)conf->http_server.max_header_size,
		.header_timeout_ms = (int)conf->http_server.header_timeout,
		.body_timeout_ms = (int)conf->http_server.body_timeout,
		.idle_timeout_ms = (int)conf->http_server.idle_timeout,
		.trusted = &s->trusted,
		.forwarded_header = conf->http_server.forwarded_header,
		.on_done = api_http_done,
	};
}

/* see site.h */
int
site_build(struct site *external, struct site *internal,
    const struct conf *conf, bool separate, const struct http_route *extra,
    size_t nextra)
{
	struct builder out, in;

	builder_init(&out, external, conf, ROUTES_MAX + nextra);
	builder_init(&in, internal, conf, ROUTES_MAX);
	build_external(&out, conf, extra, nextra);
	build_internal(separate ? &in : &out, conf);
	if (!out.failed && !in.failed)
		return 0;
	site_fini(external);
	site_fini(internal);
	return -1;
}

/* see site.h */
int
site_build_redirect(struct site *s, const struct conf *conf, uint16_t port,
    const struct http_route *extra, size_t nextra)
{
	const struct http_route	all = {
		.path = "/",
		.prefix = true,
		.methods = (1u << HTTP_OTHER) - 1,
		.max_body = READ_BODY_MAX,
		.handler = http_redirect_handler,
		.ctx = &s->redirect,
	};
	struct builder		b;
	size_t			i;

	builder_init(&b, s, conf, 1 + nextra);
	s->redirect = (struct http_redirect){
		.status = (int)conf->http_server.tls_redirect.code,
		.port = port,
	};
	for (i = 0; i < nextra; i++)
		add(&b, &extra[i], extra[i].path, "");
	add(&b, &all, "/", "");
	if (!b.failed)
		return 0;
	site_fini(s);
	return -1;
}

/* see site.h */
void
site_fini(struct site *s)
{
	size_t i;

	for (i = 0; i < s->http.nroute; i++)
		free((void *)(uintptr_t)s->route[i].path);
	free(s->route);
	free(s->trusted.net);
	conf_unref(s->conf);
	memset(s, 0, sizeof(*s));
}

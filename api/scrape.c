/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The metrics endpoint: collects the figures of all workers.
 */
#include "api/api.h"
#include "api/metrics.h"

static void
collect(struct node *n, void *arg, void *result)
{
	struct metrics_worker		*w = result;
	const struct api_stats		*api = n->api;

	(void)arg;
	w->node = n->stats;
	w->net = n->w->stats;
	w->api = *api;
	if (n->tls != NULL)
		w->tls = *n->tls;
	w->users = n->hub.table[HUB_USERS].owned;
	w->channels = n->hub.table[HUB_CHANNELS].owned;
	w->subs = n->hub.nsubs;
}

static void
collected(struct gather *g)
{
	struct http_exchange	*x = g->arg;
	const struct server	*srv = g->home->srv;
	struct buf		 b = BUF_INIT;
	struct metrics		 m = {
		.worker = gather_result(g, 0),
		.n = srv->n,
		.started_wall_ms = srv->started_wall_ms,
		.cert_not_after = srv->cert_not_after,
		.acme_failures = srv->acme_failures,
	};

	process_read(&m.process);
	net_limit_stats(&m.limits);
	if (metrics_put(&b, &m) == -1)
		http_respond_error(x, 500, NULL);
	else
		http_respond(x, 200,
		    "text/plain; version=0.0.4; charset=utf-8", buf_sv(&b));
	buf_fini(&b);
}

/* see api.h */
void
metrics_handler(struct http_exchange *x)
{
	if (node_gather(x->w->ctx, sizeof(struct metrics_worker), x, collect,
	    collected) == -1)
		http_respond_error(x, 500, NULL);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server API over HTTP (spec 5): handlers for site.c.
 */
#ifndef API_API_H
#define API_API_H

#include "client/node.h"
#include "http/server.h"

/* Give a node what it counts in; -1: no memory. */
int	api_node_init(struct node *);
void	api_node_fini(struct node *);

/* <prefix>/<method>; the route's ctx is the method's name in
 * api_method_name[]. */
void	api_handler(struct http_exchange *);
/* <prefix> itself: commands one after the other, as Centrifugo's first
 * versions had them. */
void	api_legacy_handler(struct http_exchange *);

/* Liveness and readiness: 200, the second 503 while draining or as long as
 * the TLS port has no certificate. */
void	health_handler(struct http_exchange *);
void	ready_handler(struct http_exchange *);
/* Prometheus, text format 0.0.4. */
void	metrics_handler(struct http_exchange *);

/*
 * Whether a request may use the API, from its headers (empty: absent) and
 * its query string. Pure.
 */
struct api_auth {
	struct sv	x_api_key;
	struct sv	authorization;
	struct sv	query;
};
bool	api_auth_ok(const struct api_auth *, struct sv key, bool insecure);

/* ---- between the files of this room ---- */

void	api_reply_json(struct http_exchange *, int status, struct sv body);
/* Refuse a request that could not be decoded: 400, or 500 without memory.
 * why stands in the log only. */
void	api_reply_malformed(struct http_exchange *, unsigned method,
	    enum json_err, const char *why);
/* Run the commands of a batch, or of the legacy form. */
void	api_batch(struct http_exchange *);
void	api_legacy(struct http_exchange *);

#endif

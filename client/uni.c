/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What one-way transports have in common (spec 4): a connect request that
 * comes with the URL, a body or a first message, and ends that are told by a
 * push.
 */
#include "client/stream.h"

/* The disconnect that an error of connect becomes, by the configuration or
 * as a rule. */
static uint32_t
disconnect_of(const struct conf *conf, uint32_t error, const char **reason)
{
	const struct conf_code_to_disconnect *map =
	    &conf->client.connect_code_to_unidirectional_disconnect;
	size_t i;

	*reason = NULL;
	for (i = 0; map->enabled && i < map->transforms.n; i++) {
		if (map->transforms.v[i].code != error)
			continue;
		*reason = map->transforms.v[i].to.reason;
		return (uint32_t)map->transforms.v[i].to.code;
	}
	switch (error) {
	case ERROR_EXPIRED:
	case ERROR_TOKEN_EXPIRED:
		return DISCONNECT_EXPIRED;
	case ERROR_TOO_MANY_REQUESTS:
		return DISCONNECT_TOO_MANY_REQUESTS;
	case ERROR_PERMISSION_DENIED:
		return DISCONNECT_PERMISSION_DENIED;
	default:
		return DISCONNECT_SERVER_ERROR;
	}
}

/* see stream.h */
void
uni_refused(struct client *c, uint32_t error)
{
	const char	*reason;
	uint32_t	 code = disconnect_of(c->node->conf, error, &reason);

	client_disconnect(c, code, reason);
}

/* see stream.h */
bool
uni_request(struct node *n, struct sv text, struct sv *out)
{
	enum json_type t;

	*out = SV("{}");
	if (json_parse(&n->json, text, 0) == -1)
		return false;
	t = jv_type(json_root(&n->json));
	if (t == JSON_OBJECT)
		*out = text;
	return t == JSON_OBJECT || t == JSON_NULL;
}

/* see stream.h */
bool
uni_query(const struct http_request *req, struct buf *scratch, struct sv *out)
{
	return http_query_get(req->query, "cf_connect", scratch, out) &&
	    out->n > 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See stats.h.
 */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/stats.h"

static struct api_stats *
stats_of(struct node *n)
{
	return n->api;
}

/* see api.h */
int
api_node_init(struct node *n)
{
	n->api = calloc(1, sizeof(struct api_stats));
	return n->api == NULL ? -1 : 0;
}

/* see api.h */
void
api_node_fini(struct node *n)
{
	free(n->api);
	n->api = NULL;
}

/* see stats.h */
void
api_count_call(struct node *n, enum api_method m, int64_t ns)
{
	duration_observe(&stats_of(n)->counters.duration[m], ns);
}

/* see stats.h */
void
api_count_error(struct node *n, unsigned method, uint32_t error)
{
	unsigned slot = error == API_ERROR_MALFORMED ? error : error - 100;

	if (slot < API_ERROR_SLOTS)
		stats_of(n)->counters.errors[method][slot]++;
}

/* see stats.h */
void
api_count_suppressed(struct node *n, unsigned why)
{
	stats_of(n)->counters.suppressed[why]++;
}

static bool
same_path(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* see stats.h */
void
api_count_http(struct api_stats *s, const char *path, uint32_t method,
    uint32_t status, uint64_t n)
{
	struct http_count	*c;
	unsigned		 i;

	for (i = 0; i < s->nhttp; i++) {
		c = &s->http[i];
		if (c->method == method && c->status == status &&
		    same_path(c->path, path))
			break;
	}
	if (i == HTTP_COUNTS) {
		i--;
	} else if (i == s->nhttp) {
		s->nhttp++;
		s->http[i] = i + 1 < HTTP_COUNTS ?
		    (struct http_count){ path, method, status, 0 } :
		    (struct http_count){ NULL, HTTP_OTHER, 0, 0 };
	}
	s->http[i].n += n;
}

/* see stats.h */
void
api_http_done(struct worker *w, const char *path, enum http_method method,
    int status)
{
	struct node *n = w->ctx;

	api_count_http(n->api, path, method, (uint32_t)status, 1);
}

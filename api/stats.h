/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What a node counts for the server API and the HTTP server (node->api).
 */
#ifndef API_STATS_H
#define API_STATS_H

#include "api/params.h"
#include "client/node.h"
#include "http/http.h"

/* Errors are counted for each method and for these two as well. */
#define API_BROADCAST_PUBLISH	API_METHODS	/* one channel of it */
#define API_UNKNOWN		(API_METHODS + 1)
#define API_ERROR_METHODS	(API_METHODS + 2)

/* Error codes 100-113, and text that could not be decoded. */
#define API_ERROR_MALFORMED	14
#define API_ERROR_SLOTS		15

struct http_count {
	const char	*path;		/* of a route; NULL: of none */
	uint32_t	 method;	/* enum http_method */
	uint32_t	 status;
	uint64_t	 n;
};

/* Routes have few outcomes; what does not fit is counted in the last. */
#define HTTP_COUNTS	128

/* Why a publication was not delivered. One that has both counts for its
 * key. */
enum { API_SUPPRESSED_KEY, API_SUPPRESSED_VERSION, API_SUPPRESSED };

struct api_counters {
	struct duration_stats	duration[API_METHODS];
	uint64_t		errors[API_ERROR_METHODS][API_ERROR_SLOTS];
	uint64_t		suppressed[API_SUPPRESSED];
};

struct api_stats {
	struct api_counters	counters;
	struct http_count	http[HTTP_COUNTS];
	unsigned		nhttp;
};

void	api_count_call(struct node *, enum api_method, int64_t ns);
/* error: a code, or API_ERROR_MALFORMED. */
void	api_count_error(struct node *, unsigned method, uint32_t error);
void	api_count_suppressed(struct node *, unsigned why);
/* Add n to the count of that outcome. */
void	api_count_http(struct api_stats *, const char *path, uint32_t method,
	    uint32_t status, uint64_t n);
/* A site's on_done. */
void	api_http_done(struct worker *, const char *path, enum http_method,
	    int status);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * HTTP/1.1 (RFC 9112), the codec: pure functions over bytes. The server on
 * top of net/ is in http/server.h. Strict where leniency enables request
 * smuggling; every refusal has its status.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

#define HTTP_MAX_HEADERS	100

struct http_header { struct sv name, value; };

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS,
	HTTP_PATCH, HTTP_CONNECT, HTTP_TRACE, HTTP_OTHER
};

/* A parsed request head; all views borrow from the parsed bytes. */
struct http_request {
	enum http_method   method;
	struct sv	   method_text;
	struct sv	   target;	/* as received */
	struct sv	   path;	/* up to '?', not decoded */
	struct sv	   query;	/* after '?', or empty */
	int		   minor;	/* HTTP/1.minor */
	struct http_header header[HTTP_MAX_HEADERS];
	size_t		   nheader;
	bool		   keep_alive;
	bool		   chunked;
	bool		   expect_continue;
	bool		   has_length;
	uint64_t	   length;	/* Content-Length */
	/* When parsing failed: */
	int		   status;	/* what to answer */
	const char	  *why;		/* static: which rule was broken */
};

struct http_limits {
	size_t	head;		/* request line and headers: 431 (414 if the
				 * target alone is over) */
	uint64_t body;		/* 413 */
};

/* Parse a request head from the front of s. >0: its length; 0: need more;
 * <0: refused with r->status and r->why. Leading CRLFs are skipped once. */
ptrdiff_t http_request_parse(struct http_request *r, struct sv s,
	    const struct http_limits *);
/* The value of the first header of that name (any case); empty view with
 * p == NULL if absent. */
struct sv http_header_get(const struct http_request *, const char *name);
/* Whether a header that is a comma-separated list has the token (any case),
 * over all its lines. */
bool	http_header_has_token(const struct http_request *, const char *name,
	    const char *token);
/* Parameter of a query string, %-decoded and + as space, appended to
 * scratch; false if absent or badly encoded. */
bool	http_query_get(struct sv query, const char *name, struct buf *scratch,
	    struct sv *out);
const char *http_status_text(int status);

#endif

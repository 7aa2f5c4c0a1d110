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

/* "GET" ...; "" for HTTP_OTHER. */
const char *http_method_name(enum http_method);

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
 * <0: refused with r->status and r->why. One CRLF in front of it is skipped.
 * The outcome depends on the bytes alone, not on the pieces they come in. */
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
/* Move every view of r by the distance from `from' to `to', where the head's
 * bytes have been copied. */
void	http_request_rebase(struct http_request *r, const char *from,
	    const char *to);

/* The value of a hexadecimal digit, or -1. */
static inline int
http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Chunked bodies (RFC 9112, 7.1), decoded in place as they arrive. Chunk
 * extensions are checked and dropped, so are trailer fields; both may have
 * HTTP_CHUNK_EXTRA bytes a body.
 */
#define HTTP_CHUNK_EXTRA	4096

struct http_chunked {
	uint64_t	 room;		/* body bytes still allowed */
	uint64_t	 left;		/* of this chunk */
	uint32_t	 extra;		/* extension and trailer bytes so far */
	uint8_t		 state, digits;
	int		 status;	/* 400 or 413, once refused */
	const char	*why;
};

void	http_chunked_init(struct http_chunked *, uint64_t max_body);
/* Feed the next n bytes. *out: how many bytes of body now stand at p, moved
 * to the front. >0: the body has ended, that many of the n bytes were its
 * own; 0: all were, and more must come; <0: refused, see status and why.
 * Not to be called again after the end or a refusal. */
ptrdiff_t http_chunked_feed(struct http_chunked *, char *p, size_t n,
	    size_t *out);

/*
 * Responses.
 */
const char *http_status_text(int status);

#define HTTP_DATE_LEN	29		/* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* The Date of the second it was last made for; all zero at first. */
struct http_date {
	int64_t	sec;
	char	text[HTTP_DATE_LEN + 1];
};

/* Bring the date to a wall clock time in seconds since 1970. */
const char *http_date_set(struct http_date *, int64_t sec);

struct http_response {
	int		 status;
	const char	*date;		/* of HTTP_DATE_LEN bytes */
	struct sv	 ctype;		/* empty: no Content-Type */
	struct sv	 headers;	/* more lines, each with its CRLF */
	uint64_t	 length;	/* of the body */
	bool		 until_close;	/* no length; needs close */
	bool		 close;		/* Connection: close */
	bool		 keep_alive;	/* say so (to HTTP/1.0) */
};

/* Whether a response of that status has no body and no Content-Length. */
bool	http_status_bodiless(int status);
/* An upper bound of what http_response_put() writes. */
size_t	http_response_size(const struct http_response *);
/* Write the head, up to and with the empty line; its length. */
size_t	http_response_put(const struct http_response *, char *out);

#endif

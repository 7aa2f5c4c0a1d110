/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The HTTP client: requests to absolute http:// and https:// URLs, answered
 * by a call back. One client a worker. A connection serves one request at a
 * time and is kept for the next to the same host and port under the same
 * TLS settings. Redirects are not followed, and there is no cookie, cache,
 * proxy or content coding.
 *
 * A GET or HEAD whose kept connection turns out to be dead is sent again on
 * a new one; any other request is sent once.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/http.h"
#include "net/dns.h"
#include "net/net.h"

/* ---- URLs and the response codec: pure ---- */

struct http_url {
	bool		https;
	struct sv	authority;	/* host and perhaps port, as written */
	struct sv	host;		/* without brackets */
	uint16_t	port;
	struct sv	target;		/* path and query; may be empty, or
					 * begin with '?' */
};

/* Split an absolute URL into views of it. 0, or -1 with *why, a static
 * text. */
int	http_url_parse(struct http_url *, struct sv url, const char **why);

#define HTTP_REPLY_HEAD_MAX	32768

/* A parsed response head; all views borrow from the parsed bytes. */
struct http_reply {
	int		   status;
	int		   minor;	/* HTTP/1.minor */
	struct http_header header[HTTP_MAX_HEADERS];
	size_t		   nheader;
	bool		   keep_alive;
	bool		   chunked;
	bool		   has_length;	/* neither: until the end */
	uint64_t	   length;
	const char	  *why;		/* when refused: by which rule */
};

/* Parse a response head from the front of s. >0: its length; 0: need more;
 * <0: refused, see r->why. As strict as the server is with requests. */
ptrdiff_t http_reply_parse(struct http_reply *r, struct sv s);
/* The value of the first header of that name (any case); p == NULL if it is
 * absent. */
struct sv http_reply_header(const struct http_reply *, const char *name);

/* ---- calls ---- */

#define HTTP_CLIENT_IDLE_MAX	64	/* connections kept, a client */
#define HTTP_CLIENT_IDLE_MS	30000	/* for how long */

struct http_client;
struct http_call;

/* How to put TLS under connections, by the room that knows: embedded in its
 * settings. */
struct http_tls {
	/* c has just been dialled; host (a name, or an address without
	 * brackets) is whom the certificate must be for. -1: no memory. */
	int	(*start)(const struct http_tls *, struct conn *c,
		    const char *host);
};

struct http_ask {
	enum http_method method;
	struct sv	 url;
	struct sv	 headers;	/* more lines, each with its CRLF */
	struct sv	 body;
	size_t		 max_body;	/* of the answer */
	int		 timeout_ms;	/* for everything, from now on */
	const struct http_tls *tls;	/* for https; NULL: the client's. Must
					 * live as long as the client */
};

struct http_answer {
	const char	*why;		/* NULL: there is an answer; otherwise
					 * a sentence, and nothing else */
	const struct http_reply *reply;
	struct sv	 body;
};

struct http_client *http_client_new(struct worker *);
/* Cancel every call, close every connection (they go at the end of the
 * turn, or with worker_close_conns()). */
void	http_client_free(struct http_client *);
/* What https calls use that bring nothing of their own; NULL: nothing, they
 * fail. No connection made under what was set before serves another call,
 * also when the same is set again because its contents have changed. */
void	http_client_set_tls(struct http_client *, const struct http_tls *);
/* Use these instead of the system's files; for tests. */
void	http_client_set_files(struct http_client *, const struct dns_files *);

/* Start a call; everything in ask is copied. done is called later, once,
 * never from within, and what it is given is valid until it returns. NULL:
 * no memory. */
struct http_call *http_call(struct http_client *, const struct http_ask *,
	    void (*done)(void *arg, const struct http_answer *), void *arg);
/* done will not be called. Not to be called once it has been. */
void	http_call_cancel(struct http_call *);

#endif

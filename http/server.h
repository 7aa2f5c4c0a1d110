/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The HTTP server: connections, the router, exchanges.
 *
 * A handler gets an exchange when the request is whole (head and body). It
 * answers at once or later (an API call waits for a channel's owner); until
 * then nothing more is read from that connection, so pipelined requests are
 * answered in order. If the peer goes away first, http_respond() just frees
 * the exchange, so a handler needs no cancellation of its own.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/http.h"
#include "net/net.h"

struct http_route;
struct http_site;

struct http_exchange {
	struct http_request	 req;	/* views valid until answered */
	struct sv		 body;	/* likewise */
	struct conn		*conn;	/* NULL once the peer is gone */
	struct worker		*w;
	void			*ctx;	/* the route's */
	uint8_t			 client_ip[IP_LEN];	/* see forwarded.h */
	/* Extra response headers, complete lines with CRLF, appended by
	 * middleware and handlers before they answer. */
	struct buf		 headers;
	/* Private from here on. */
	struct http_exchange	*next;		/* unused ones of a worker */
	const struct http_site	*site;
	const struct http_route	*route;		/* NULL: none was found */
	struct buf		 head_bytes, body_bytes;
	struct http_chunked	 chunked;
	uint64_t		 left;		/* of a Content-Length body */
	bool			 close;		/* after the answer */
};

typedef void http_handler(struct http_exchange *);

struct http_route {
	const char	*path;
	bool		 prefix;	/* and all below it; ends in / */
	bool		 reserve_ok;	/* also when out of descriptors */
	unsigned	 methods;	/* bit 1 << HTTP_GET ...; HEAD comes
					 * with GET; others get 405 */
	uint64_t	 max_body;	/* 413 over it */
	/* May append to x->headers, for whatever answer the request gets
	 * from then on; or NULL. x->ctx is set. */
	void		(*prepare)(struct http_exchange *);
	http_handler	*handler;
	void		*ctx;
};

/* What one listener serves; shared by the workers, immutable once serving. */
struct http_site {
	const struct http_route	*route;
	size_t			 nroute;
	size_t			 max_head;		/* bytes */
	/* How long a head may take, a whole request (also: a peer to read
	 * its answers), and the next request to begin. */
	int			 header_timeout_ms;
	int			 body_timeout_ms;
	int			 idle_timeout_ms;
	/* Whose word about clients is taken, and in which header ("": none);
	 * may be NULL: nobody's. */
	const struct ip_set	*trusted;
	const char		*forwarded_header;
	/* Called for every finished exchange (metrics); may be NULL. The
	 * path is the route's, or NULL if the request got to none. */
	void			(*on_done)(struct worker *,
				    const char *route_path, enum http_method,
				    int status);
};

/* The route of a path: the exact one, else the longest prefix; NULL: 404. */
const struct http_route *http_route_find(const struct http_site *,
	    struct sv path);
bool	http_route_allows(const struct http_route *, enum http_method);
/* Append the Allow line of a route. */
void	http_route_put_allow(const struct http_route *, struct buf *);

/* Begin to serve a connection just accepted (listener's on_accept with
 * ctx = the site). */
void	http_serve(struct conn *, void *site);

/* Answer a connection just accepted, whatever it will ask for, with 429 and
 * close it. */
void	http_refuse(struct conn *, enum limit_verdict);

/* The address of who asks, as text. */
static inline const char *
http_client(const struct http_exchange *x, char out[IP_STRLEN])
{
	return ip_format(x->client_ip, out);
}

/* Answer and free the exchange. body is copied (ignored for HEAD, 204, 304,
 * but its length is announced for HEAD). ctype NULL: no Content-Type. */
void	http_respond(struct http_exchange *, int status, const char *ctype,
	    struct sv body);
/* The same with a one-line text/plain body made of the status and why. */
void	http_respond_error(struct http_exchange *, int status, const char *why);

/*
 * Leave HTTP: take the connection for another protocol. Sends `head' (the
 * 101 response, whole), frees the exchange and its HTTP state and gives the
 * connection to ops/proto. Bytes that the peer sent after the request are
 * delivered to ops->on_read, not before the handler has returned. The
 * connection is the client's alone from then on, peer_ip is its address, and
 * it counts for the limits of that. -1 if they are reached (429 is answered),
 * the peer is gone or memory is out: the exchange is freed, proto stays the
 * caller's.
 */
int	http_upgrade(struct http_exchange *, struct sv head,
	    const struct conn_ops *ops, void *proto);

/*
 * Take the connection, to answer later or without end: it is given to
 * ops/proto as http_upgrade() does it, with nothing sent. The exchange and
 * its views stay, for http_begin(), which is called once or not at all, and
 * http_release(). -1 as there: the exchange is freed.
 */
int	http_take(struct http_exchange *, const struct conn_ops *ops,
	    void *proto);
/* Send the head of an answer and the first bytes of its body, which ends with
 * the connection (conn_close_drained()). If they are not all of it there is
 * no length, and no chunking either (RFC 9112, 6.3, rule 8): what is sent is
 * then the same for HTTP/1.0, which proxies speak, and HTTP/1.1. Not without
 * end for HEAD. -1: no memory; the caller closes. */
int	http_begin(struct http_exchange *, int status, const char *ctype,
	    struct sv body, bool all);
/* Free the exchange; its connection may be gone already. */
void	http_release(struct http_exchange *);

/* Refuse new requests on keep-alive connections of this worker from now on
 * (answers carry Connection: close) and close the idle ones. */
void	http_drain(struct worker *);
/* Whether no request is being read or answered on this worker. */
bool	http_is_idle(const struct worker *);
/* Free what the server keeps for a worker whose connections are gone. */
void	http_worker_fini(struct worker *);

#endif

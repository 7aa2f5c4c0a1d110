/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * From http:// to https://, for a listener that does nothing else. What must
 * be answered before it (a certificate authority's challenge) is a route of
 * the same site: a longer prefix wins.
 */
#ifndef HTTP_REDIRECT_H
#define HTTP_REDIRECT_H

#include "http/server.h"

struct http_redirect {
	int		status;		/* 301 or 308 */
	uint16_t	port;		/* where https is served */
};

/* Append the URL that a request is sent to; host and path are the request's,
 * so nothing is in it that was not on one line. -1, with nothing appended: it
 * names no usable host. */
int	http_redirect_put(struct buf *, const struct http_request *,
	    uint16_t port);
/* A route's handler; its ctx is a struct http_redirect. */
void	http_redirect_handler(struct http_exchange *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The PROXY protocol, versions 1 and 2, as HAProxy's document describes it:
 * what a load balancer says of its client in front of everything else. The
 * parser is pure; proxy_accept() reads the header off a connection, and
 * takes from the socket not one byte more.
 */
#ifndef NET_PROXYPROTO_H
#define NET_PROXYPROTO_H

#include "net/net.h"

#define PROXY_V1_MAX	107		/* with CRLF */
#define PROXY_V2_MAX	4096		/* far more than any TLVs need */

struct proxy_header {
	bool		has_src;	/* no: the socket's address holds */
	uint8_t		src[IP_LEN];
	uint16_t	src_port;
};

/* Read a header off the front of s. >0: its length; 0: need more; <0: it is
 * none, and *why says so in a static sentence. */
ptrdiff_t proxy_parse(struct proxy_header *, struct sv s, const char **why);

/* Read the header of a connection just accepted, which must come within
 * timeout_ms, set the peer's address by it and go on with next(c, ctx). A
 * connection whose peer is not trusted, or that sends something else, is
 * closed with a line in the log. trusted outlives it. */
void	proxy_accept(struct conn *, const struct ip_set *trusted,
	    int timeout_ms, void (*next)(struct conn *, void *), void *ctx);

#endif

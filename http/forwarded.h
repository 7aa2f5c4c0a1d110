/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Who a request comes from when proxies stand in front (X-Forwarded-For,
 * X-Real-IP, or Forwarded, RFC 7239). Each hop adds the address it was
 * talked to from; anybody can send such a header, so what a hop says is
 * believed only if that hop is trusted itself. Pure.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/http.h"
#include "net/ip.h"

/* In ip the address of the peer; out of it that of the client: the
 * right-most hop that is not trusted, or the farthest that can be told.
 * header is the name of the header to look at; "": none. */
void	http_forwarded(const struct http_request *, const char *header,
	    const struct ip_set *trusted, uint8_t ip[IP_LEN]);

#endif

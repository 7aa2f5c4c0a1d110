/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Which endpoint is served where (spec 1): clients on the external address,
 * the API (unless it is external), health and metrics on the internal one.
 * When there is no listener for the latter alone, one site serves everything.
 */
#ifndef API_SITE_H
#define API_SITE_H

#include "conf/conf.h"
#include "http/redirect.h"
#include "http/server.h"

struct site {
	struct http_site	 http;
	struct http_route	*route;		/* of http, paths our own */
	const struct conf	*conf;		/* a reference */
	struct ip_set		 trusted;
	struct http_redirect	 redirect;
};

/*
 * Build both sites; extra routes go to the external one. Unless separate the
 * external one serves everything, and the internal one has no route. 0, or
 * -1 after a line in the log: out of memory, or two endpoints have one path;
 * both are empty then.
 */
int	site_build(struct site *external, struct site *internal,
	    const struct conf *, bool separate,
	    const struct http_route *extra, size_t nextra);
/* The one that sends everybody to https on that port, but for the extra
 * routes. */
int	site_build_redirect(struct site *, const struct conf *,
	    uint16_t port, const struct http_route *extra, size_t nextra);
/* All zero is fine. */
void	site_fini(struct site *);

#endif

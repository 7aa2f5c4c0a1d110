/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Which endpoint is served where (spec 1): clients on the external address,
 * the API (unless it is external), health and metrics on the internal one.
 * When both are one address, one site serves everything.
 */
#ifndef API_SITE_H
#define API_SITE_H

#include "conf/conf.h"
#include "http/server.h"

struct site {
	struct http_site	 http;
	struct http_route	*route;		/* of http, paths our own */
	bool			 separate;	/* has an address of its own */
};

/*
 * Build both sites; extra routes go to the external one. The internal one
 * is not separate and has no route if the addresses are one. 0, or -1 after
 * a line in the log: out of memory, or two endpoints have one path; both are
 * empty then.
 */
int	site_build(struct site *external, struct site *internal,
	    const struct conf *, const struct http_route *extra,
	    size_t nextra);
void	site_fini(struct site *);

#endif

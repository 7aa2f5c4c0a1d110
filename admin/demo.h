/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The demonstration: a built-in configuration with fresh secrets and a page
 * on which browser windows talk to each other through this server.
 */
#ifndef ADMIN_DEMO_H
#define ADMIN_DEMO_H

#include "http/server.h"
#include "util/buf.h"

struct demo {
	struct buf	conf;		/* JSON text */
	struct buf	page;
	struct buf	token;
};

/* Make the configuration, with new secrets; random fills its argument
 * (random_bytes). 0, or -1 when out of memory. */
int	demo_init(struct demo *, void (*random)(void *, size_t));
/* Make the page, whose connections use token and whose curl line uses the
 * key of the server API. 0 or -1 as above. */
int	demo_fill(struct demo *, struct sv token, struct sv key);
void	demo_fini(struct demo *);

/* GET /: the page; the route's ctx is the struct demo. */
void	demo_handler(struct http_exchange *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the main worker has all workers do, each in its own time.
 */
#ifndef API_ORDER_H
#define API_ORDER_H

#include "client/node.h"

/* fn(node, conf) once on every worker; conf, or NULL, is referenced
 * meanwhile. 0; or -1: no memory, and nobody does it. */
int	order_all(struct server *, void (*fn)(struct node *,
	    const struct conf *), const struct conf *);

#endif

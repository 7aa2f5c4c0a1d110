/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The metrics in Prometheus' text format 0.0.4 under Centrifugo's names
 * (spec 10). Pure: from figures to text.
 */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/process.h"
#include "api/stats.h"
#include "net/limit.h"
#include "tls/tls.h"

/* The figures of one worker. */
struct metrics_worker {
	struct node_stats	node;
	struct worker_stats	net;
	struct api_stats	api;
	struct tls_stats	tls;
	uint64_t		users, channels, subs;	/* its share */
};

struct metrics {
	const struct metrics_worker *worker;
	unsigned		 n;
	struct process		 process;
	struct limit_stats	 limits;
	int64_t			 started_wall_ms;
	int64_t			 cert_not_after;	/* Unix s; 0: none */
	unsigned		 acme_failures;		/* in a row */
};

/* Append them all; -1: no memory. */
int	metrics_put(struct buf *, const struct metrics *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A lock-free queue of intrusive nodes, many producers and one consumer:
 * producers push on a stack, the consumer takes the whole stack and reverses
 * it, so everything that one producer pushed comes out in its order.
 * net/worker.c puts an eventfd behind it; the pure rooms only fill in nodes.
 */
#ifndef UTIL_MAIL_H
#define UTIL_MAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mail {
	struct mail	 *next;
	/* Run on the receiving worker; owns the mail (frees or reuses it).
	 * ctx is what the receiver registered for itself. */
	void		(*run)(struct mail *, void *ctx);
};

struct mailq {
	_Atomic(struct mail *)	head;
};

#define MAILQ_INIT	{ NULL }

/* Push; true if the queue was empty, that is, the consumer may sleep. */
bool	mailq_push(struct mailq *, struct mail *);

/* Take everything, oldest first, linked by next; NULL if empty. */
struct mail *mailq_take(struct mailq *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files about subscriptions share. See sub.h.
 */
#ifndef CLIENT_SUB_STATE_H
#define CLIENT_SUB_STATE_H

#include "client/encode.h"
#include "client/sub.h"

/* What only some subscriptions have. */
struct sub_state {
	struct hub_position	 pos;
	int64_t			 checked;	/* when pos was last confirmed,
						 * monotonic ms */
	int64_t			 expire_at;	/* Unix s; 0: never */
	int64_t			 meta_ttl;
	struct sub_check	*check;		/* being made, or NULL */
	struct filter		*filter;	/* NULL: everything */
	char			*info;
	uint32_t		 ninfo;
};

/* A question for the top of a channel. */
struct sub_check {
	struct hub_history	 history;	/* first */
	struct client_sub	*sub;		/* NULL: gone */
	char			 channel[];
};

/* What is needed until the owner has answered. */
struct sub_setup {
	sub_done	*done;
	uint32_t	 arg;
	bool		 recovery, cache, recover, must_recover, as_push;
	bool		 recovered, was_recovering;
	uint64_t	 offset;
	char		 epoch[HUB_EPOCH_MAX];
	size_t		 ndata;
	char		 data[];
};

/* ---- sub.c ---- */

/* Tell the owner that the subscriber is there, or no longer. Without memory
 * presence is what it was. */
void	sub_send_presence(struct client_sub *, enum hub_op);

/* ---- sub_result.c ---- */

/* Whether everything from the client's position on is in r: spec 3,
 * Recovery, and 12.2 to 12.4. max: publications that may be recovered. */
bool	sub_is_recovered(const struct sub_setup *, const struct hub_recover *r,
	    int64_t max);
/* The members of SubscribeResult, or of the Subscribe push, which has
 * less. */
void	sub_put_result(struct enc *, struct client_sub *,
	    const struct hub_recover *);

/* ---- deliver.c ---- */

/* Whether a subscription's filter lets a publication through. Without memory
 * for its tags it does not. */
bool	sub_passes(const struct client_sub *, const struct hub_pub *);
/* The delta from one text to another, where it is shorter. */
bool	sub_delta(struct buf *patch, struct sv from, struct sv to);

/* ---- sub_tick.c ---- */

/* The periodic work is due, now that there is something to do. */
void	sub_want_tick(struct client_sub *);

#endif

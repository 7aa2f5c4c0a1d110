/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscriptions of a client: what they were granted, where they stand, and
 * what happens to them (spec 3). Used by subscribe.c, deliver.c and the
 * commands.
 */
#ifndef CLIENT_SUB_H
#define CLIENT_SUB_H

#include "client/client.h"

struct filter;

/* What a subscription is granted, by its namespace, a token or the API. */
struct sub_options {
	bool		presence;	/* shown in presence */
	bool		join_leave;	/* causes joins and leaves */
	bool		push_join_leave; /* gets those of others */
	bool		positioning, recovery;
	bool		cache;		/* recovery gives the newest only */
	bool		auto_recover;	/* also if not asked (cache) */
	bool		fossil;		/* delta may be negotiated */
	bool		filter;		/* a tags filter may be set */
	bool		server_side, by_token;
	bool		as_push;	/* the result is for a push */
	int64_t		expire_at;	/* Unix s; 0: never */
	int64_t		meta_ttl;	/* ms */
	struct sv	info;		/* chan_info, JSON or empty */
	struct sv	data;		/* for the reply, JSON or empty */
};

/* What a client asked for with a subscription. */
struct sub_request {
	struct sv	channel, token, epoch;
	struct sv	delta;		/* "fossil" or empty */
	uint64_t	offset;
	bool		recover, positioned, recoverable, join_leave;
	struct jv	tf;		/* tags filter, or absent */
	int64_t		flag;		/* SUB_FLAG_* */
	int64_t		type;
};
#define SUB_FLAG_MUST_RECOVER	2

/* Options as the channel's namespace has them. */
void	sub_options_default(struct sub_options *, const struct conf *,
	    const struct conf_channel *);
/* Changed by an "override" object of a token or the API. -1: malformed. */
int	sub_options_override(struct sub_options *, struct jv override);

/*
 * Begin to subscribe. done is called once with the subscription, live, and
 * the members of its result (encoded, in the node's push buffer), or with the
 * error code that refuses it (the subscription is gone then) - possibly
 * before sub_start() returns. The filter (or NULL) is taken. 0, or -1 when
 * out of memory (done is not called).
 */
typedef void sub_done(struct client *, struct client_sub *, uint32_t error,
	    struct sv result, uint32_t arg);
int	sub_start(struct client *, const struct sub_request *,
	    const struct sub_options *, struct filter *, sub_done *done,
	    uint32_t arg);

/* chan_info of a subscription; empty if it has none. */
struct sv sub_info(const struct client_sub *);
/* Tell the others of a subscription, if it has been answered, once. */
void	sub_announce(struct client_sub *);
/* Another end and chan_info. -1: no memory, nothing changed. */
int	sub_refresh(struct client_sub *, int64_t expire_at, struct sv info);
/* Leave: presence and leave message too. */
void	sub_drop(struct client_sub *);
/* Leave without presence and leave message. */
void	sub_drop_quietly(struct client_sub *);
/* Leave and tell the client: an unsubscribe push. */
void	sub_drop_push(struct client_sub *, uint32_t code);
/* The client can't go on from where it is: 2500, or 3010 for those that the
 * server subscribed (spec 12.9). Not during a fan-out. */
void	sub_insufficient(struct client_sub *);
/* Periodic work: expiry, presence, position. */
void	sub_tick(struct client *);

/* hub_ops of subscriptions. */
void	sub_joined(struct hub_sub *, enum hub_err, const struct hub_recover *);
void	sub_deliver(struct hub_sub *, struct hub_fanout *);
void	sub_delivered(struct hub_fanout *);

#endif

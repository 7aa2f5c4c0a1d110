/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The hub: who is subscribed to what, and the way of a publication.
 *
 * Each worker has one hub. A channel has an owner, the worker
 * hash(channel) % n. Every worker keeps an entry for the channels that its
 * own connections are subscribed to; the owner's entry also holds the set of
 * workers that have subscribers. A publication goes to the owner, the owner
 * hands it to each worker in that set, and each of those fans it out. Mail
 * between two workers arrives in order, so all subscribers see one order per
 * channel, and the answer to a subscription can't be overtaken by what was
 * published after it.
 *
 * The same two-level register serves users: who has connections, and where.
 *
 * Pure: no socket, no clock, no thread. Mail and time come by struct
 * hub_ops; with one worker nothing is ever mailed and no atomic operation
 * is made.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/blob.h"
#include "util/hash.h"
#include "util/mail.h"
#include "util/sv.h"

#define HUB_WORKERS_MAX	64

struct hub;
struct hub_entry;

enum hub_err { HUB_OK, HUB_INTERNAL };

/* ---- publications ---- */

/* Who published, joined or left: what clients see as ClientInfo. Infos are
 * JSON texts. */
struct hub_info {
	struct sv	user, client, conn_info, chan_info;
};

/* Where a channel stands. */
#define HUB_EPOCH_MAX	16
struct hub_position {
	uint64_t	offset;
	char		epoch[HUB_EPOCH_MAX];	/* "": the channel keeps none */
};

enum hub_pub_type { HUB_PUB, HUB_PUB_JOIN, HUB_PUB_LEAVE };

/* A publication spelled out: the input of hub_pub_new() and the output of
 * hub_pub_view(). */
struct hub_pub_view {
	enum hub_pub_type type;
	uint64_t	 offset;	/* 0: the channel keeps no history */
	uint64_t	 version;	/* 0: none */
	struct sv	 channel;
	struct sv	 data;		/* as the publisher gave it */
	struct sv	 tags;		/* JSON object of strings, or empty */
	bool		 is_binary;	/* data is no JSON text */
	bool		 has_info;
	struct hub_info	 info;
};

/* A publication: one allocation, counted, immutable once published. Many
 * are kept, so the rare parts take room only where they are. */
struct hub_pub {
	atomic_uint	 refs;
	uint32_t	 ndata;
	uint64_t	 offset;
	uint16_t	 nchannel;
	uint8_t		 type : 2;
	bool		 has_info : 1, is_binary : 1, has_extra : 1;
	char		 bytes[];	/* channel, data, extra */
};

/* A new publication with one reference: a copy of what the view has. NULL:
 * no memory (or the channel's name is over 65535 bytes). */
struct hub_pub *hub_pub_new(const struct hub_pub_view *);
/* Everything in it; views borrow from the publication. */
void	hub_pub_view(const struct hub_pub *, struct hub_pub_view *);
static inline struct sv
hub_pub_channel(const struct hub_pub *p)
{
	return sv_make(p->bytes, p->nchannel);
}
static inline struct sv
hub_pub_data(const struct hub_pub *p)
{
	return sv_make(p->bytes + p->nchannel, p->ndata);
}
/* h tells whether other threads count too. */
void	hub_pub_ref(const struct hub *, struct hub_pub *);
/* NULL is fine. */
void	hub_pub_unref(const struct hub *, struct hub_pub *);

/* ---- subscriptions ---- */

struct hub_sub {
	struct hub_entry *entry;	/* NULL: not in the hub */
	struct hub_join	 *join;		/* being set up, or NULL */
	uint32_t	  index;	/* in the entry's array */
};

/* What a fan-out on one worker shares between its subscribers: the encoded
 * forms, made when the first subscriber needs them. */
#define HUB_WIRE_MAX	36
struct hub_fanout {
	const struct hub_pub	*pub;
	/* The publication before it, where pub may go out as a delta of it;
	 * or NULL. */
	const struct hub_pub	*prev;
	const char		*epoch;	/* of the channel; "" without history */
	struct blob		*wire[HUB_WIRE_MAX];
	void			*shared;	/* see ops->done */
};

/* What was asked for with a subscription, and what the owner found. */
struct hub_recover {
	/* Asked. */
	bool		 position;	/* tell the top, which creates it */
	bool		 history;	/* and publications: */
	bool		 newest;	/* only the newest one; or */
	uint64_t	 since;		/* those after this offset, */
	uint32_t	 limit;		/* the oldest so many of them */
	int64_t		 meta_ttl;	/* ms; 0: for ever */
	/* Answered. */
	struct hub_position top;
	struct hub_pub	**pub;		/* references, oldest first */
	size_t		 npub;
};

struct hub_ops {
	/* Run m on worker i (m->run gets whatever ctx that worker has). */
	void	(*post)(void *ctx, unsigned i, struct mail *m);
	/* Monotonic milliseconds. */
	int64_t	(*now)(void *ctx);
	/* A publication for a live subscriber. Must not add or remove
	 * subscriptions; wire forms it makes are released by the hub. */
	void	(*deliver)(struct hub_sub *, struct hub_fanout *);
	/* A fan-out is over: release f->shared. NULL: nothing to do. */
	void	(*done)(struct hub_fanout *);
	/* HUB_OK: the owner knows of the subscription; from here on the
	 * subscriber gets everything published after r->top. Otherwise the
	 * owner could not take it; the callee unsubscribes. r is valid
	 * during the call only. May be called before hub_subscribe()
	 * returns. */
	void	(*joined)(struct hub_sub *, enum hub_err,
		    const struct hub_recover *r);
};

enum hub_kind { HUB_CHANNELS, HUB_USERS, HUB_KINDS };

struct hub_table {
	struct htab	entries;
	size_t		owned;		/* live entries this hub owns */
};

struct hub {
	unsigned	  id, n;	/* this worker, of how many */
	struct hub	**peer;		/* all n hubs, this one among them */
	const struct hub_ops *ops;
	void		 *ctx;		/* for ops->post and ops->now */
	struct hub_table  table[HUB_KINDS];
	size_t		  nsubs;	/* channel subscriptions here */
	struct hub_broker *broker;	/* of the channels it owns */
};

/* The peers' array must be filled, and h->broker set, before the first call
 * of anything else. hub_fini frees the broker. */
void	hub_init(struct hub *, unsigned id, unsigned n, struct hub **peer,
	    const struct hub_ops *, void *ctx);
void	hub_fini(struct hub *);

/* Subscribe s (zeroed) to the channel; ops->joined(s) follows. ask may be
 * NULL: no position. 0, or -1 when out of memory and nothing happened. */
int	hub_subscribe(struct hub *, struct hub_sub *s, struct sv channel,
	    const struct hub_recover *ask);
/* At any time after hub_subscribe(), also before joined (which does not
 * come then). */
void	hub_unsubscribe(struct hub *, struct hub_sub *s);
/* The channel (or user) an attached subscription belongs to. */
struct sv hub_sub_name(const struct hub_sub *);
static inline bool
hub_sub_live(const struct hub_sub *s)
{
	return s->entry != NULL && s->join == NULL;
}
static inline bool
hub_sub_pending(const struct hub_sub *s)
{
	return s->join != NULL;
}

/* Register a connection of a user and take it out; no callback. */
int	hub_user_add(struct hub *, struct hub_sub *, struct sv user);
void	hub_user_del(struct hub *, struct hub_sub *);

/* The members of a channel or user on this worker: returns their number
 * and the array, valid until the register changes. */
size_t	hub_members(struct hub *, enum hub_kind, struct sv name,
	    struct hub_sub *const **members);
/* Visit the names on this worker with their number of local members. fn
 * must not change the register. */
void	hub_each(struct hub *, enum hub_kind,
	    void (*fn)(void *arg, struct sv name, size_t members), void *arg);

/* ---- requests to a channel's owner ---- */

/*
 * A request under way. The caller embeds it first in what it allocates for
 * the purpose, fills in op, channel, done and the inputs of the struct around
 * it, and calls hub_request(); everything, the views too, must live until
 * done was called, on the calling worker and possibly before hub_request()
 * returned.
 */
enum hub_op {
	HUB_PUBLISH, HUB_HISTORY, HUB_HISTORY_REMOVE,
	HUB_PRESENCE_ADD, HUB_PRESENCE_REMOVE, HUB_PRESENCE, HUB_PRESENCE_STATS
};

struct hub_request {
	struct mail	 mail;		/* private */
	struct hub	*home, *owner;	/* private */
	enum hub_op	 op;
	struct sv	 channel;
	uint64_t	 hash;		/* of channel; private */
	enum hub_err	 err;		/* answer */
	void		(*done)(struct hub_request *);
};
void	hub_request(struct hub *, struct hub_request *);

#define HUB_IDEMPOTENCY_TTL_MS	(300 * 1000)

/*
 * HUB_PUBLISH. The reference to pub is taken. An idempotency key that was
 * seen in this channel within HUB_IDEMPOTENCY_TTL_MS gives the first one's
 * position and delivers nothing. A version that is not above the channel's
 * (of the same version_epoch, or if the request has none) is dropped; the
 * position is the channel's then.
 */
struct hub_publish {
	struct hub_request	 req;
	struct hub_pub		*pub;
	struct sv		 idempotency_key;	/* empty: none */
	struct sv		 version_epoch;
	uint64_t		 version;
	uint32_t		 history_size;	/* 0: keep none */
	int64_t			 history_ttl;	/* ms */
	int64_t			 meta_ttl;	/* ms; 0: for ever */
	bool			 delta;		/* subscribers may get deltas */
	/* Answer. */
	struct hub_position	 pos;
	bool			 suppressed;
};

/* Fill in op and channel from p->pub, and hub_request(). */
void	hub_publish(struct hub *, struct hub_publish *p);

/* HUB_HISTORY: publications of the channel. top is answered always, and
 * creates the position. */
struct hub_history {
	struct hub_request	 req;
	bool			 reverse;
	bool			 has_since;
	uint64_t		 since;		/* exclusive */
	int64_t			 limit;		/* 0: only top; <0: all */
	int64_t			 meta_ttl;
	/* Answer; the caller unrefs and frees: hub_pubs_free(). */
	struct hub_position	 top;
	struct hub_pub	       **pub;
	size_t			 npub;
};
void	hub_pubs_free(const struct hub *, struct hub_pub **, size_t);

/* HUB_HISTORY_REMOVE is a plain struct hub_request. It forgets publications;
 * offset and epoch go on. */

/* HUB_PRESENCE_ADD puts (or renews) info.client, HUB_PRESENCE_REMOVE takes it
 * out; channel and info are copied by the owner. */
struct hub_presence_change {
	struct hub_request	 req;
	struct hub_info		 info;
};

/* HUB_PRESENCE and HUB_PRESENCE_STATS (the numbers only). */
struct hub_presence {
	struct hub_request	 req;
	/* Answer: infos whose views lie in the same allocation; the caller
	 * frees info. */
	struct hub_info		*info;
	size_t			 num_clients, num_users;
};

/* Let go of what has expired; call about once a second. The number of
 * allocations given back, for those who trim. */
size_t	hub_expire(struct hub *);

/* ---- brokers ---- */

/*
 * What gives publications their position, keeps them and brings them to
 * every node. A hub calls its own broker only, for channels it owns.
 */
struct hub_broker_ops {
	/* Serve p, fill in the answer and call hub_answered(), now or
	 * later; the kind is p->op. */
	void	(*request)(struct hub_broker *, struct hub_request *p);
	/* Answer what a new subscriber asks for; calls done with the same
	 * r, its answer filled in, now or later. */
	void	(*recover)(struct hub_broker *, struct sv channel,
		    struct hub_recover *r, void (*done)(struct hub_recover *,
		    void *arg, enum hub_err), void *arg);
	size_t	(*expire)(struct hub_broker *, int64_t now);
	void	(*free)(struct hub_broker *);
};

struct hub_broker {
	const struct hub_broker_ops *ops;
	struct hub	*hub;
};

/* The answer of a broker: goes to p->done on the worker that asked. */
void	hub_answered(struct hub_request *p);
/* A publication came from the broker: to all subscribers of this process.
 * The reference to pub is taken; prev (or NULL) and epoch as in struct
 * hub_fanout, both only borrowed. */
void	hub_deliver(struct hub *owner, struct hub_pub *pub,
	    struct hub_pub *prev, const char *epoch);

/* The in-memory broker: everything in this process. Epochs are made of
 * random (random_bytes). NULL: no memory. */
struct hub_broker *memory_broker_new(struct hub *,
	    void (*random)(void *, size_t));

#endif

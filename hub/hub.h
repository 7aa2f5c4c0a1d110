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

/* Who published: what clients see as ClientInfo. Infos are JSON texts. */
struct hub_info {
	struct sv	user, client, conn_info, chan_info;
};

struct hub_mail {		/* private: carries a publication to a hub */
	struct mail	 mail;
	struct hub	*to;
	struct hub_pub	*pub;
};

/* A publication: one allocation, counted, immutable once published. */
struct hub_pub {
	atomic_uint	 refs;
	uint64_t	 offset;	/* 0: the channel keeps no history */
	uint64_t	 version;	/* the publisher's, or 0 */
	struct sv	 channel;
	struct sv	 data;		/* as the publisher gave it */
	struct sv	 tags;		/* JSON object of strings, or empty */
	struct sv	 idempotency_key; /* empty: none */
	bool		 is_binary;	/* data is no JSON text */
	bool		 has_info;
	struct hub_info	 info;
	/* Private: one for each worker, so that nothing can run out of
	 * memory between the owner and the last subscriber. */
	struct hub_mail	*mail;
};

/* A new publication with one reference: a copy of the views in 'from'
 * (refs, offset and mail of which are ignored). NULL: no memory. */
struct hub_pub *hub_pub_new(const struct hub *, const struct hub_pub *from);
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
#define HUB_WIRE_MAX	4
struct hub_fanout {
	struct hub_pub	*pub;
	struct blob	*wire[HUB_WIRE_MAX];
};

struct hub_ops {
	/* Run m on worker i (m->run gets whatever ctx that worker has). */
	void	(*post)(void *ctx, unsigned i, struct mail *m);
	/* Monotonic milliseconds. */
	int64_t	(*now)(void *ctx);
	/* A publication for a live subscriber. Must not add or remove
	 * subscriptions; wire forms it makes are released by the hub. */
	void	(*deliver)(struct hub_sub *, struct hub_fanout *);
	/* HUB_OK: the owner knows of the subscription; from here on the
	 * subscriber gets everything. Otherwise the owner could not take it;
	 * the callee unsubscribes. May be called before hub_subscribe()
	 * returns. */
	void	(*joined)(struct hub_sub *, enum hub_err);
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

/* Subscribe s (zeroed) to the channel; ops->joined(s) follows. 0, or -1
 * when out of memory and nothing happened. */
int	hub_subscribe(struct hub *, struct hub_sub *s, struct sv channel);
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

/* ---- publishing ---- */

struct hub_position {
	uint64_t	offset;
	char		epoch[16];	/* "" without history */
};

/* A publish under way. The caller embeds it in what it allocates for the
 * request; it must live until done was called. */
struct hub_publish {
	struct mail	 mail;
	struct hub	*home;		/* private */
	struct hub	*owner;		/* private */
	struct hub_pub	*pub;
	enum hub_err	 err;
	struct hub_position pos;
	/* On the calling worker; possibly before hub_publish() returns. */
	void		(*done)(struct hub_publish *);
};

#define HUB_IDEMPOTENCY_TTL_MS	(300 * 1000)

/*
 * Publish p->pub (the reference is taken). p->done gets err and the
 * position. An idempotency key that was seen in this channel within
 * HUB_IDEMPOTENCY_TTL_MS gives the first one's position and delivers
 * nothing.
 */
void	hub_publish(struct hub *, struct hub_publish *p);

/* Let go of what has expired; call about once a second. */
void	hub_expire(struct hub *);

/* ---- brokers ---- */

/*
 * What gives publications their position, keeps them and brings them to
 * every node. A hub calls its own broker only, for channels it owns.
 */
struct hub_broker_ops {
	/* Take p->pub, publish it, fill in err and pos and call
	 * hub_published(), now or later. */
	void	(*publish)(struct hub_broker *, struct hub_publish *p);
	void	(*expire)(struct hub_broker *, int64_t now);
	void	(*free)(struct hub_broker *);
};

struct hub_broker {
	const struct hub_broker_ops *ops;
	struct hub	*hub;
};

/* The answer of a broker: goes to p->done on the worker that asked. */
void	hub_published(struct hub_publish *p);
/* A publication came from the broker: to all subscribers of this process.
 * The reference is taken. */
void	hub_deliver(struct hub *owner, struct hub_pub *);

/* The in-memory broker: everything in this process. NULL: no memory. */
struct hub_broker *memory_broker_new(struct hub *);

#endif

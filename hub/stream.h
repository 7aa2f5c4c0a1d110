/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The streams of the channels that a hub owns: for each its position, and in
 * a ring the newest publications, oldest first out. A stream exists from the
 * first publication that is to be kept, or the first question about it,
 * until its meta ttl has passed without either. Its publications vanish
 * earlier, when their ttl has passed since the last of them.
 *
 * Both times hold to the millisecond, since whoever looks at a stream looks
 * at the time too. Memory comes back with hub_streams_expire(): streams hang
 * in a wheel of buckets of one second, each at the earlier of its two times
 * or, after a renewal, before it; only the visit moves it on. So a renewal
 * costs nothing, and what is due beyond the wheel's end is looked at once a
 * turn.
 */
#ifndef HUB_STREAM_H
#define HUB_STREAM_H

#include <sys/queue.h>

#include "hub/hub.h"

#define HUB_STREAM_BUCKETS	1024

LIST_HEAD(hub_stream_list, hub_stream);

struct hub_streams {
	const struct hub *hub;
	void		(*random)(void *, size_t);
	struct htab	  table;
	struct hub_stream_list due[HUB_STREAM_BUCKETS], never;
	int64_t		  second;	/* the next bucket to look at */
};

void	hub_streams_init(struct hub_streams *, const struct hub *,
	    void (*random)(void *, size_t));
void	hub_streams_fini(struct hub_streams *);

/* Give p->pub its offset and keep it (p->history_size and history_ttl are
 * not 0): p->pos is filled in, and *prev is a reference to the publication
 * before it where p->delta wants that, or NULL. Or p->suppressed is set and
 * nothing was kept. The caller's reference to p->pub stays the caller's.
 * -1: no memory, and nothing happened. */
int	hub_streams_add(struct hub_streams *, struct hub_publish *p,
	    int64_t now, struct hub_pub **prev);
/* Fill in the answer. 0, or -1 without memory: there are none then. */
int	hub_streams_history(struct hub_streams *, struct hub_history *,
	    int64_t now);
int	hub_streams_recover(struct hub_streams *, struct sv channel,
	    struct hub_recover *, int64_t now);
void	hub_streams_remove(struct hub_streams *, struct sv channel,
	    int64_t now);
/* Let go of what has expired; the number of allocations given back. */
size_t	hub_streams_expire(struct hub_streams *, int64_t now);

#endif

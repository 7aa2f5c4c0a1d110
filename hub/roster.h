/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Presence in memory: who is in the channels that a hub owns. Whoever is put
 * stays until taken out. The numbers of clients and of distinct users of a
 * channel are always at hand. A channel without clients takes no memory.
 */
#ifndef HUB_ROSTER_H
#define HUB_ROSTER_H

#include "hub/hub.h"

struct hub_roster {
	struct htab	channels, members, users;
	char		*key;		/* room for looking up */
	size_t		 nkey;
};

void	hub_roster_init(struct hub_roster *);
void	hub_roster_fini(struct hub_roster *);

/* Put who->client in the channel, or its new info in place of the old. 0, or
 * -1 without memory: all is as it was. */
int	hub_roster_put(struct hub_roster *, struct sv channel,
	    const struct hub_info *who);
/* Take the client out, if it is there. */
void	hub_roster_del(struct hub_roster *, struct sv channel,
	    struct sv client);
/* Fill in the answer: the numbers, and the infos where that is what is
 * asked for. 0, or -1 without memory. */
int	hub_roster_get(struct hub_roster *, struct hub_presence *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What connect.c and serverside.c share: a connect that waits for its
 * subscriptions.
 */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

#include "client/client.h"
#include "client/decode.h"

struct connect_result {
	bool	expires;
	int64_t	ttl;		/* s */
};

/* Answer connect; subs are the entries of its map, encoded, or empty. */
void	connect_reply(struct client *, uint32_t id,
	    const struct connect_result *, struct sv subs);
/* Refuse it with an error or a disconnect code. */
void	connect_refuse(struct client *, uint32_t id, uint32_t code);

/* Whether the claims that name channels are well-formed, and whether they
 * name what the client has been subscribed to by its last token. */
bool	connect_claims_ok(struct jv claims);
bool	connect_same_channels(struct client *, struct jv claims);
/* Start the subscriptions that come with connect, by the token's claims (or
 * absent) and the request's subs, and answer connect when they are there. */
void	connecting_start(struct client *, uint32_t id,
	    const struct connect_result *, struct jv claims,
	    const struct connect_request *);
/* Hold a push back (the reference is taken) while connect is not
 * answered; false if it is. */
bool	connecting_hold(struct client *, struct blob *);
void	connecting_free(struct client *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files of the HTTP transports share: clients whose messages are
 * one answer without end, the register in which requests to /emulation find
 * them, and what all one-way transports have in common.
 */
#ifndef CLIENT_STREAM_H
#define CLIENT_STREAM_H

#include "client/client.h"
#include "util/hash.h"

#define SECRET_LEN	16

struct stream_client {
	struct client		 c;		/* first */
	struct http_exchange	*x;		/* not released yet, or NULL */
	bool			 begun;		/* its answer is under way */
	bool			 opening;	/* views of x are in use */
	bool			 listed;	/* in the register */
	struct hnode		 entry;		/* in it */
	uint8_t			 secret[SECRET_LEN];
};

/* Whether a request's body is protobuf, by its Content-Type. */
bool	stream_is_protobuf(const struct http_request *);

/* Queue the push that says that the client is sent away. -1: no memory. */
int	stream_farewell(struct client *, uint32_t code, const char *reason);

/* ---- emulation.c ---- */

/* Enter a client, whose secret is set, in its worker's register. -1: no
 * memory. */
int	emulation_add(struct stream_client *);
void	emulation_del(struct stream_client *);
/* The session of a client: its worker, and a secret that nobody guesses. Its
 * length. */
size_t	session_format(const struct client *, const uint8_t secret[SECRET_LEN],
	    char out[CLIENT_SESSION_MAX]);

/* What a body asks for. */
struct emulation {
	struct sv	node, session, data;
};
/* Parse one, in JSON or protobuf. The views are of body, or of scratch. 0, or
 * -1: malformed, or no memory. Pure. */
int	emulation_parse(struct emulation *, struct sv body, bool protobuf,
	    struct json *, struct buf *scratch);

/* ---- uni.c ---- */

/* transport.refused of those who can't be sent an error: a disconnect in its
 * place. */
void	uni_refused(struct client *, uint32_t error);
/* The connect request of a URL or a body as client_input() wants it; an
 * empty one stands for none. false: malformed. */
bool	uni_request(struct node *, struct sv text, struct sv *out);
/* Append the value of cf_connect to scratch; false if there is none. */
bool	uni_query(const struct http_request *, struct buf *scratch,
	    struct sv *out);

#endif

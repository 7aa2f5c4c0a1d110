/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Encoding what goes to clients: replies and pushes (spec 3) by the writer
 * of enc.h, and the wire forms that carry them. To a connection that is one
 * way (spec 4) a push goes bare. Pure: into buffers and blobs.
 */
#ifndef CLIENT_ENCODE_H
#define CLIENT_ENCODE_H

#include "client/client.h"
#include "client/enc.h"

/* A writer to a buffer, as the form has it. */
void	encode_init(struct enc *, struct buf *, enum wire_form);

/* The reply to command id with its result begun; the caller writes what is
 * in the result. Several replies may follow each other in a frame. */
void	encode_reply_begin(struct enc *, uint32_t id, enum client_method);
void	encode_reply_end(struct enc *);
void	encode_error(struct enc *, uint32_t id, uint32_t code);

/* How to spell a publication out. */
struct pub_form {
	enum pub_kind	 kind;
	struct sv	 patch;		/* PUB_DELTA: instead of the data */
	const char	*epoch;		/* or NULL; only the first has it */
};

/* The members of a Publication; f NULL: plain. */
void	encode_pub(struct enc *, const struct hub_pub *,
	    const struct pub_form *f);
/* Pushes, whole: a publication, or a join or leave. */
void	encode_pub_push(struct enc *, const struct hub_pub *,
	    const struct pub_form *f);
/* Any other push, of a channel or (empty) of none: begun, with the member
 * that makes its kind; and its end. */
void	encode_push_begin(struct enc *, struct sv channel, unsigned num,
	    const char *kind);
void	encode_push_end(struct enc *);
void	encode_unsubscribe_push(struct enc *, struct sv channel,
	    uint32_t code, const char *reason);
void	encode_disconnect_push(struct enc *, uint32_t code,
	    const char *reason);

/* The members of a ClientInfo. */
void	encode_info(struct enc *, const struct hub_info *);

/* Messages as they go over the wire in this form. NULL: no memory. */
struct blob *encode_wire(enum wire_form, struct sv messages);
/* The server's ping. */
struct blob *encode_ping(enum wire_form);

#endif

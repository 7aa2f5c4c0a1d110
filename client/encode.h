/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Encoding what goes to clients: the JSON protocol's replies and pushes
 * (spec 3), and the wire forms that carry them. Pure: into buffers and
 * blobs.
 */
#ifndef CLIENT_ENCODE_H
#define CLIENT_ENCODE_H

#include "client/client.h"

/* Where a reply begins: {"id":N,"method": -- the caller appends the result
 * and closes with encode_reply_end(). Several replies of one frame are
 * separated by newlines. */
void	encode_reply_begin(struct buf *, uint32_t id, const char *method);
void	encode_reply_end(struct buf *);
void	encode_error(struct buf *, uint32_t id, uint32_t code);

/* How to spell a publication out. */
struct pub_form {
	enum pub_kind	 kind;
	struct sv	 patch;		/* PUB_DELTA: instead of the data */
	const char	*epoch;		/* or NULL; only the first has it */
};

/* A Publication; f NULL: plain. */
void	encode_pub(struct buf *, const struct hub_pub *,
	    const struct pub_form *f);
/* Pushes, whole: a publication, or a join or leave. */
void	encode_pub_push(struct buf *, const struct hub_pub *,
	    const struct pub_form *f);
/* Any other push of a channel: {"push":{"channel":...,"kind": and its end. */
void	encode_push_begin(struct buf *, struct sv channel, const char *kind);
void	encode_push_end(struct buf *);
/* {"presence":{...}} */
void	encode_presence(struct buf *, const struct hub_info *, size_t n);
void	encode_unsubscribe_push(struct buf *, struct sv channel,
	    uint32_t code, const char *reason);

/* ClientInfo as JSON. */
void	encode_info(struct buf *, const struct hub_info *);

/* One message as it goes over the wire in this form. NULL: no memory. */
struct blob *encode_wire(enum wire_form, struct sv message);
/* The server's ping. */
struct blob *encode_ping(enum wire_form);

#endif

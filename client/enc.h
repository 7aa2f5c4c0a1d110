/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * One writer for both encodings of the client protocol. A call names a
 * member by its number, for protobuf, and by its name, for JSON; what is zero
 * or empty is left out, as proto3 and Centrifugo's JSON do. So each message
 * is written once:
 *
 *	enc_open(&e);
 *	enc_u64(&e, 1, "id", id);
 *	enc_begin(&e, 2, "error");
 *	enc_str(&e, 2, "message", text);
 *	enc_end(&e);
 *	enc_close(&e);
 *
 * Lengths in protobuf are put in when a message ends. No memory makes the
 * buffer failed. Pure.
 */
#ifndef CLIENT_ENC_H
#define CLIENT_ENC_H

#include "util/buf.h"
#include "util/sv.h"

#define ENC_DEPTH	8	/* messages within messages, entries are two */

struct enc {
	struct buf	*b;
	bool		 pb;		/* protobuf; otherwise JSON */
	bool		 uni;		/* see encode.h */
	bool		 unfit;		/* had data that JSON can't carry */
	uint8_t		 depth;
	size_t		 mark[ENC_DEPTH];	/* where lengths go */
};

void	enc_init(struct enc *, struct buf *, bool pb);

/* A message by itself: a line of JSON (behind a newline unless it is the
 * first), or protobuf behind its length. */
void	enc_open(struct enc *);
void	enc_close(struct enc *);

/* A member that is a message; also when it remains empty. */
void	enc_begin(struct enc *, unsigned num, const char *name);
void	enc_end(struct enc *);
/* One that has been encoded before, without what is around it. */
void	enc_encoded(struct enc *, unsigned num, const char *name, struct sv);

/* A repeated member: items, each ended by enc_end(), between the two. */
void	enc_list(struct enc *, const char *name);
void	enc_item(struct enc *, unsigned num);
void	enc_list_end(struct enc *);

/* A map of strings to messages: entries between the two. */
void	enc_map(struct enc *, const char *name);
void	enc_entry(struct enc *, unsigned num, struct sv key);
void	enc_entry_end(struct enc *);
void	enc_map_end(struct enc *);

void	enc_u64(struct enc *, unsigned num, const char *name, uint64_t);
void	enc_bool(struct enc *, unsigned num, const char *name, bool);
void	enc_str(struct enc *, unsigned num, const char *name, struct sv);
/* Data of the application: a JSON text, bytes in protobuf. */
void	enc_data(struct enc *, unsigned num, const char *name, struct sv);
/* A map of strings to strings, given as a JSON object. */
void	enc_strings(struct enc *, unsigned num, const char *name,
	    struct sv object);
/* These stand in JSON also when zero or empty. */
void	enc_u64_always(struct enc *, unsigned num, const char *name,
	    uint64_t);
void	enc_str_always(struct enc *, unsigned num, const char *name,
	    struct sv);

#endif

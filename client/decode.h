/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands of the client protocol (spec 3), from either encoding into the
 * same structs. What a message has is in one table, by number and by name;
 * the two decoders walk it. Pure.
 */
#ifndef CLIENT_DECODE_H
#define CLIENT_DECODE_H

#include "client/node.h"
#include "client/sub.h"

/* Strings and data are views into the text, or into a buffer of the decoder.
 * What is absent is zero. Data are the JSON text, or the bytes. */
struct connect_request {
	struct sv		 token, data, name, version;
	struct sub_request	*subs;		/* by channel; allocated */
	size_t			 nsubs;
};

struct channel_request {
	struct sv	channel;
};

struct publish_request {
	struct sv	channel, data;
	int64_t		type;
};

struct history_request {
	struct sv	channel;
	int64_t		limit;
	bool		reverse;
	struct since {
		bool		given;
		uint64_t	offset;
		struct sv	epoch;
	} since;
};

struct rpc_request {
	struct sv	data, method;
};

struct refresh_request {
	struct sv	channel;	/* sub_refresh only */
	struct sv	token;
};

struct command {
	uint32_t		id;
	enum client_method	method;		/* METHOD_MAX: none */
	union {
		struct connect_request	connect;
		struct sub_request	subscribe;
		struct channel_request	channel;
		struct publish_request	publish;
		struct history_request	history;
		struct rpc_request	rpc;
		struct refresh_request	refresh;
	} u;
};

enum decode_err { DECODE_OK = 0, DECODE_BAD = -1, DECODE_NOMEM = -2 };

/* What decoders need: a document and a buffer for strings, which must live
 * and stay as they are as long as the command is in use. */
struct decode {
	struct json	*json;
	struct buf	*scratch;
	const char	*why;		/* DECODE_BAD: a word for the log */
};

/* One command. It is to be given to command_fini() in any case. */
enum decode_err decode_command_json(struct decode *, struct sv text,
	    struct command *);
enum decode_err decode_command_pb(struct decode *, struct sv bytes,
	    struct command *);
/* A connect request by itself, as one-way transports have it (JSON). */
enum decode_err decode_connect_json(struct decode *, struct sv text,
	    struct command *);
void	command_fini(struct command *);

/* ---- the table, for the decoders ---- */

enum field_type {
	FIELD_STR, FIELD_DATA, FIELD_BOOL, FIELD_U64, FIELD_I64,
	FIELD_SINCE,		/* struct since */
	FIELD_SUBS,		/* map of SubscribeRequest: connect.subs */
	FIELD_FILTER		/* FilterNode: sub_request.tf */
};

struct field {
	const char	*name;
	uint8_t		 num, type;
	uint16_t	 at;		/* in the struct */
};

struct message {
	uint8_t			 num;		/* in Command */
	uint8_t			 nfield;
	const struct field	*field;
};

extern const struct message decode_request[METHOD_MAX];
extern const struct message decode_since;

/* Room for n subs of connect. -1: no memory. */
int	decode_subs_new(struct connect_request *, size_t n);

#endif

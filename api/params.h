/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server API's methods and their parameters (spec 5). Pure.
 */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "util/json.h"

/* In the order of the numbers that the legacy form knows them by. */
enum api_method {
	API_PUBLISH, API_BROADCAST, API_UNSUBSCRIBE, API_DISCONNECT,
	API_PRESENCE, API_PRESENCE_STATS, API_HISTORY, API_HISTORY_REMOVE,
	API_CHANNELS, API_INFO, API_RPC, API_SUBSCRIBE, API_REFRESH,
	API_BATCH,
	API_METHODS		/* no such method */
};
extern const char *const api_method_name[API_METHODS];

/* The method of that name, in any case; API_METHODS if there is none. */
enum api_method api_method_find(struct sv name);

/* The parameters of all methods; what a method does not have, was not given
 * or is null is zero. */
struct api_params {
	struct sv	channel, user, client, session, pattern, method;
	struct sv	data, info;	/* raw JSON */
	struct sv	b64data, b64info;
	struct sv	idempotency_key, version_epoch, reason, epoch;
	struct jv	tags;		/* object of strings and nulls */
	struct jv	channels, whitelist;	/* arrays of the same */
	struct jv	disconnect;	/* object: code and reason are its */
	struct jv	commands;	/* array of objects and nulls */
	struct jv	since;		/* object: offset and epoch are its */
	struct jv	override;	/* object of {"value":bool} */
	uint64_t	version, offset;
	int64_t		limit, expire_at;
	uint32_t	code;
	bool		skip_history, delta, reverse, expired, parallel, value;
};

/* Decode the parameters of a method. Strings with escapes are appended to
 * scratch, which must have room for all of them (see jv_str). 0, or -1 if
 * they are malformed: something is not of its type. */
int	api_params_decode(enum api_method, struct jv, struct buf *scratch,
	    struct api_params *);

/* A string of an array or object member whose type was checked; a null is
 * empty. */
struct sv api_string(struct jv, struct buf *scratch);

#endif

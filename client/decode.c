/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The messages of commands: see decode.h. Members that nothing here acts on
 * are not listed; both decoders pass them over.
 */
#include <stddef.h>
#include <stdlib.h>

#include "client/decode.h"

#define FIELD(s, member, num, type) \
	{ #member, num, FIELD_ ## type, offsetof(struct s, member) }
#define MESSAGE(num, fields) \
	{ num, sizeof(fields) / sizeof((fields)[0]), fields }

static const struct field connect_fields[] = {
	FIELD(connect_request, token, 1, STR),
	FIELD(connect_request, data, 2, DATA),
	FIELD(connect_request, subs, 3, SUBS),
	FIELD(connect_request, name, 4, STR),
	FIELD(connect_request, version, 5, STR),
};

static const struct field subscribe_fields[] = {
	FIELD(sub_request, channel, 1, STR),
	FIELD(sub_request, token, 2, STR),
	FIELD(sub_request, recover, 3, BOOL),
	FIELD(sub_request, epoch, 6, STR),
	FIELD(sub_request, offset, 7, U64),
	FIELD(sub_request, positioned, 9, BOOL),
	FIELD(sub_request, recoverable, 10, BOOL),
	FIELD(sub_request, join_leave, 11, BOOL),
	FIELD(sub_request, delta, 12, STR),
	FIELD(sub_request, tf, 13, FILTER),
	FIELD(sub_request, flag, 14, I64),
	FIELD(sub_request, type, 15, I64),
};

static const struct field channel_fields[] = {
	FIELD(channel_request, channel, 1, STR),
};

static const struct field publish_fields[] = {
	FIELD(publish_request, channel, 1, STR),
	FIELD(publish_request, data, 2, DATA),
	FIELD(publish_request, type, 3, I64),
};

static const struct field history_fields[] = {
	FIELD(history_request, channel, 1, STR),
	FIELD(history_request, limit, 7, I64),
	FIELD(history_request, since, 8, SINCE),
	FIELD(history_request, reverse, 9, BOOL),
};

static const struct field since_fields[] = {
	FIELD(since, offset, 1, U64),
	FIELD(since, epoch, 2, STR),
};

static const struct field rpc_fields[] = {
	FIELD(rpc_request, data, 1, DATA),
	FIELD(rpc_request, method, 2, STR),
};

static const struct field refresh_fields[] = {
	FIELD(refresh_request, token, 1, STR),
};

static const struct field sub_refresh_fields[] = {
	FIELD(refresh_request, channel, 1, STR),
	FIELD(refresh_request, token, 2, STR),
};

const struct message decode_request[METHOD_MAX] = {
	[METHOD_CONNECT] = MESSAGE(4, connect_fields),
	[METHOD_SUBSCRIBE] = MESSAGE(5, subscribe_fields),
	[METHOD_UNSUBSCRIBE] = MESSAGE(6, channel_fields),
	[METHOD_PUBLISH] = MESSAGE(7, publish_fields),
	[METHOD_PRESENCE] = MESSAGE(8, channel_fields),
	[METHOD_PRESENCE_STATS] = MESSAGE(9, channel_fields),
	[METHOD_HISTORY] = MESSAGE(10, history_fields),
	[METHOD_SEND] = { 12, 1, rpc_fields },	/* has the data only */
	[METHOD_RPC] = MESSAGE(13, rpc_fields),
	[METHOD_REFRESH] = MESSAGE(14, refresh_fields),
	[METHOD_SUB_REFRESH] = MESSAGE(15, sub_refresh_fields),
};
const struct message decode_since = MESSAGE(0, since_fields);

/* see decode.h */
int
decode_subs_new(struct connect_request *r, size_t n)
{
	free(r->subs);
	r->subs = NULL;
	r->nsubs = 0;
	if (n == 0)
		return 0;
	r->subs = calloc(n, sizeof(*r->subs));
	return r->subs == NULL ? -1 : 0;
}

/* see decode.h */
void
command_fini(struct command *cmd)
{
	if (cmd->method == METHOD_CONNECT)
		free(cmd->u.connect.subs);
	cmd->method = METHOD_MAX;
}

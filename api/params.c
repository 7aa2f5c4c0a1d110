/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See params.h. One table of fields for each method; members that are not
 * in it are ignored, as Centrifugo does it.
 */
#include <assert.h>
#include <stddef.h>

#include "api/params.h"

const char *const api_method_name[API_METHODS] = {
	[API_PUBLISH] = "publish",
	[API_BROADCAST] = "broadcast",
	[API_UNSUBSCRIBE] = "unsubscribe",
	[API_DISCONNECT] = "disconnect",
	[API_PRESENCE] = "presence",
	[API_PRESENCE_STATS] = "presence_stats",
	[API_HISTORY] = "history",
	[API_HISTORY_REMOVE] = "history_remove",
	[API_CHANNELS] = "channels",
	[API_INFO] = "info",
	[API_RPC] = "rpc",
	[API_SUBSCRIBE] = "subscribe",
	[API_REFRESH] = "refresh",
	[API_BATCH] = "batch",
};

enum kind {
	STR,		/* struct sv */
	RAW,		/* struct sv of any JSON, null too */
	BOOL,		/* bool */
	U32, U64, I64,
	I32,		/* in an int64_t */
	STRS, MAP,	/* struct jv: array, object of strings */
	OBJS,		/* struct jv: array of objects */
	OBJ		/* more fields; struct jv if off is one's */
};

struct field {
	const char		*name;
	enum kind		 kind;
	size_t			 off;
	const struct field	*sub;
};

#define F(name, kind)	{ #name, kind, offsetof(struct api_params, name), NULL }
#define END		{ NULL, STR, 0, NULL }
#define NOWHERE		SIZE_MAX	/* an object of which only the fields
					 * matter */

static const struct field disconnect_sub[] = {
	F(code, U32), F(reason, STR), END
};
static const struct field since_sub[] = {
	F(offset, U64), F(epoch, STR), END
};
static const struct field value_sub[] = { F(value, BOOL), END };
static const struct field override_sub[] = {
	{ "presence", OBJ, NOWHERE, value_sub },
	{ "join_leave", OBJ, NOWHERE, value_sub },
	{ "force_recovery", OBJ, NOWHERE, value_sub },
	{ "force_positioning", OBJ, NOWHERE, value_sub },
	{ "force_push_join_leave", OBJ, NOWHERE, value_sub },
	END
};

#define TARGET	F(user, STR), F(client, STR), F(session, STR)
#define PUBLICATION							\
	F(data, RAW), F(b64data, STR), F(skip_history, BOOL),		\
	F(tags, MAP), F(idempotency_key, STR), F(delta, BOOL),		\
	F(version, U64), F(version_epoch, STR)

static const struct field publish[] = {
	F(channel, STR), PUBLICATION, END
};
static const struct field broadcast[] = {
	F(channels, STRS), PUBLICATION, END
};
static const struct field unsubscribe[] = {
	TARGET, F(channel, STR), END
};
static const struct field disconnect[] = {
	TARGET, F(whitelist, STRS),
	{ "disconnect", OBJ, offsetof(struct api_params, disconnect),
	    disconnect_sub },
	END
};
static const struct field channel_only[] = { F(channel, STR), END };
static const struct field history[] = {
	F(channel, STR), F(limit, I32), F(reverse, BOOL),
	{ "since", OBJ, offsetof(struct api_params, since), since_sub },
	END
};
static const struct field channels[] = { F(pattern, STR), END };
static const struct field info[] = { END };
static const struct field rpc[] = { F(method, STR), END };
static const struct field subscribe[] = {
	TARGET, F(channel, STR), F(expire_at, I64), F(info, RAW),
	F(b64info, STR), F(data, RAW), F(b64data, STR),
	{ "recover_since", OBJ, offsetof(struct api_params, since),
	    since_sub },
	{ "override", OBJ, offsetof(struct api_params, override),
	    override_sub },
	END
};
static const struct field refresh[] = {
	TARGET, F(expired, BOOL), F(expire_at, I64), F(info, RAW), END
};
static const struct field batch[] = {
	F(commands, OBJS), F(parallel, BOOL), END
};

static const struct field *const fields[API_METHODS] = {
	[API_PUBLISH] = publish,
	[API_BROADCAST] = broadcast,
	[API_UNSUBSCRIBE] = unsubscribe,
	[API_DISCONNECT] = disconnect,
	[API_PRESENCE] = channel_only,
	[API_PRESENCE_STATS] = channel_only,
	[API_HISTORY] = history,
	[API_HISTORY_REMOVE] = channel_only,
	[API_CHANNELS] = channels,
	[API_INFO] = info,
	[API_RPC] = rpc,
	[API_SUBSCRIBE] = subscribe,
	[API_REFRESH] = refresh,
	[API_BATCH] = batch,
};

/* see params.h */
enum api_method
api_method_find(struct sv name)
{
	int m;

	for (m = 0; m < API_METHODS; m++)
		if (sv_ieq(name, sv_from(api_method_name[m])))
			break;
	return (enum api_method)m;
}

/* Whether all elements of v are of the type, or null. */
static bool
all_are(struct jv v, enum json_type type)
{
	struct jv e;

	for (e = jv_first(v); jv_is(e); e = jv_next(e))
		if (jv_type(e) != type && jv_type(e) != JSON_NULL)
			return false;
	return true;
}

static int
decode_container(struct jv v, enum kind kind, struct jv *out)
{
	const enum json_type whole = kind == MAP ? JSON_OBJECT : JSON_ARRAY;
	const enum json_type part = kind == OBJS ? JSON_OBJECT : JSON_STRING;

	if (jv_type(v) != whole || !all_are(v, part))
		return -1;
	*out = v;
	return 0;
}

static int
decode_number(struct jv v, enum kind kind, void *out)
{
	uint64_t	u;
	int64_t		i;

	switch (kind) {
	case U64:
		return jv_u64(v, out);
	case U32:
		if (jv_u64(v, &u) == -1 || u > UINT32_MAX)
			return -1;
		*(uint32_t *)out = (uint32_t)u;
		return 0;
	default:
		if (jv_i64(v, &i) == -1 || (kind == I32 &&
		    (i < INT32_MIN || i > INT32_MAX)))
			return -1;
		*(int64_t *)out = i;
		return 0;
	}
}

static int	decode_object(const struct field *, struct jv, struct buf *,
		    struct api_params *);

static int
decode_field(const struct field *f, struct jv v, struct buf *scratch,
    struct api_params *p)
{
	void *out = f->off == NOWHERE ? NULL : (char *)p + f->off;

	switch (f->kind) {
	case STR:
		return jv_str(v, scratch, out);
	case RAW:
		*(struct sv *)out = jv_raw(v);
		return 0;
	case BOOL:
		return jv_bool(v, out);
	case STRS:
	case MAP:
	case OBJS:
		return decode_container(v, f->kind, out);
	case OBJ:
		if (out != NULL)
			*(struct jv *)out = v;
		return decode_object(f->sub, v, scratch, p);
	default:
		return decode_number(v, f->kind, out);
	}
}

static int
decode_object(const struct field *f, struct jv obj, struct buf *scratch,
    struct api_params *p)
{
	struct jv v;

	if (jv_type(obj) != JSON_OBJECT)
		return -1;
	for (; f->name != NULL; f++) {
		v = jv_get(obj, f->name);
		if (!jv_is(v) ||
		    (jv_type(v) == JSON_NULL && f->kind != RAW))
			continue;
		if (decode_field(f, v, scratch, p) == -1)
			return -1;
	}
	return 0;
}

/* see params.h */
int
api_params_decode(enum api_method m, struct jv v, struct buf *scratch,
    struct api_params *p)
{
	assert(m < API_METHODS);
	*p = (struct api_params){ .code = 0 };
	if (!jv_is(v) || jv_type(v) == JSON_NULL)
		return 0;
	return decode_object(fields[m], v, scratch, p);
}

/* see params.h */
struct sv
api_string(struct jv v, struct buf *scratch)
{
	struct sv s = { NULL, 0 };

	if (jv_type(v) == JSON_STRING)
		jv_str(v, scratch, &s);
	return s;
}

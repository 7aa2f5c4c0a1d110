/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See call.h: the way in and out that all methods share.
 */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/stats.h"
#include "client/code.h"
#include "util/base64.h"
#include "util/clock.h"

/* see call.h */
void
api_put_error(struct buf *b, uint32_t code)
{
	buf_puts(b, "{\"code\":");
	buf_putu64(b, code);
	buf_puts(b, ",\"message\":");
	/* Clients get another text for this one. */
	json_put_str(b, code == ERROR_METHOD_NOT_FOUND ? SV("not found") :
	    sv_from(error_message(code)));
	buf_putc(b, '}');
}

/* see call.h */
int
api_error_status(uint32_t code)
{
	switch (code) {
	case ERROR_UNKNOWN_CHANNEL:
	case ERROR_METHOD_NOT_FOUND:
		return 404;
	case ERROR_BAD_REQUEST:
	case ERROR_NOT_AVAILABLE:
		return 400;
	case ERROR_UNRECOVERABLE_POSITION:
		return 416;
	default:
		return 500;
	}
}

/* see call.h */
void
api_call_finish(struct api_call *c, uint32_t error)
{
	c->error = c->result.failed ? ERROR_INTERNAL : error;
	if (c->error != 0)
		api_count_error(c->node, c->method, c->error);
	api_count_call(c->node, c->method, clock_mono_ns() - c->started);
	c->done(c);
}

/* see call.h */
void
api_call_fini(struct api_call *c)
{
	buf_fini(&c->result);
	buf_fini(&c->strings);
	buf_fini(&c->decoded);
	buf_fini(&c->tags);
	free(c->work);
	c->work = NULL;
}

/* see call.h */
uint32_t
api_payload(struct api_call *c, struct sv json, struct sv b64,
    struct sv *out, bool *is_json)
{
	struct json	j;
	size_t		at = c->decoded.n;

	*out = json;
	*is_json = true;
	if (b64.n == 0)
		return 0;
	if (base64_get(&c->decoded, b64) == -1)
		return c->decoded.failed ? ERROR_INTERNAL : ERROR_BAD_REQUEST;
	*out = sv_skip(buf_sv(&c->decoded), at);
	json_init(&j);
	*is_json = json_parse(&j, *out, 0) == 0;
	json_fini(&j);
	return 0;
}

static void
api_rpc(struct api_call *c, const struct api_params *p)
{
	/* There are no extensions that would answer one. */
	api_call_finish(c, p->method.n == 0 ? ERROR_BAD_REQUEST :
	    ERROR_METHOD_NOT_FOUND);
}

static void (*const method[API_BATCH])(struct api_call *,
    const struct api_params *) = {
	[API_PUBLISH] = api_publish,
	[API_BROADCAST] = api_broadcast,
	[API_UNSUBSCRIBE] = api_unsubscribe,
	[API_DISCONNECT] = api_disconnect,
	[API_PRESENCE] = api_presence,
	[API_PRESENCE_STATS] = api_presence_stats,
	[API_HISTORY] = api_history,
	[API_HISTORY_REMOVE] = api_history_remove,
	[API_CHANNELS] = api_channels,
	[API_INFO] = api_info,
	[API_RPC] = api_rpc,
	[API_SUBSCRIBE] = api_subscribe,
	[API_REFRESH] = api_refresh,
};

/* Strings that were unescaped into the node's buffer live on with the
 * call: the buffer becomes the call's, so they do not move. */
static void
take_strings(struct api_call *c, struct buf *from)
{
	if (from == &c->strings)
		return;
	c->strings = *from;
	buf_init(from);
}

/* see call.h */
int
api_call_run(struct api_call *c, struct jv params)
{
	struct sv		 text = SV("");
	struct api_params	 p;
	struct buf		*strings = &c->strings;

	c->started = clock_mono_ns();
	/* A publish copies what it keeps, see below. */
	if (c->method == API_PUBLISH) {
		strings = &c->node->scratch;
		buf_reset(strings);
	}
	if (jv_is(params))
		text = jv_raw(params);
	/* Strings get shorter when unescaped, so that this is room for all
	 * and they do not move. */
	if (text.n > 0 && memchr(text.p, '\\', text.n) != NULL &&
	    buf_reserve(strings, text.n) == NULL) {
		api_call_finish(c, ERROR_INTERNAL);
		return 0;
	}
	if (api_params_decode(c->method, params, strings, &p) == -1)
		return -1;
	/* But for what the channel's owner looks at. */
	if (p.idempotency_key.n > 0 || p.version_epoch.n > 0)
		take_strings(c, strings);
	method[c->method](c, &p);
	return 0;
}

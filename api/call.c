/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See call.h: the way in and out that all methods share, and those that
 * only ever answer with an error.
 */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/stats.h"
#include "client/channel.h"
#include "client/code.h"
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

/* Methods on what no channel keeps yet. */
static uint32_t
check_channel(const struct api_call *c, struct sv channel)
{
	if (channel.n == 0)
		return ERROR_BAD_REQUEST;
	if (channel_options(c->node->conf, channel, NULL) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	return ERROR_NOT_AVAILABLE;
}

static void
run(struct api_call *c, const struct api_params *p)
{
	switch (c->method) {
	case API_PUBLISH:
		api_publish(c, p);
		break;
	case API_BROADCAST:
		api_broadcast(c, p);
		break;
	case API_UNSUBSCRIBE:
		api_unsubscribe(c, p);
		break;
	case API_DISCONNECT:
		api_disconnect(c, p);
		break;
	case API_CHANNELS:
		api_channels(c, p);
		break;
	case API_INFO:
		api_info(c);
		break;
	case API_RPC:
		/* There are no extensions that would answer one. */
		api_call_finish(c, p->method.n == 0 ? ERROR_BAD_REQUEST :
		    ERROR_METHOD_NOT_FOUND);
		break;
	case API_REFRESH:
		api_call_finish(c, ERROR_NOT_AVAILABLE);
		break;
	default:
		api_call_finish(c, check_channel(c, p->channel));
		break;
	}
}

/* see call.h */
int
api_call_run(struct api_call *c, struct jv params)
{
	struct sv		 text = SV("");
	struct api_params	 p;
	struct buf		*strings = &c->strings;

	c->started = clock_mono_ns();
	/* A publish keeps nothing of its parameters. */
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
	run(c, &p);
	return 0;
}

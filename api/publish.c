/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The methods publish and broadcast (spec 5). No channel keeps history, so
 * skip_history and delta, which are about it, change nothing, and a version
 * is only told to clients.
 */
#include <stdlib.h>

#include "api/call.h"
#include "api/stats.h"
#include "api/window.h"
#include "client/channel.h"
#include "client/code.h"
#include "util/base64.h"

static void
put_string(struct buf *b, struct jv v, struct buf *scratch)
{
	buf_reset(scratch);
	json_put_str(b, api_string(v, scratch));
	b->failed |= scratch->failed;
}

/* Tags as clients get them: an object of strings, null being empty. */
static void
put_tags(struct buf *b, struct jv tags)
{
	struct buf	scratch = BUF_INIT;
	struct jv	v;
	char		sep = '{';

	for (v = jv_first(tags); jv_is(v); v = jv_next(v)) {
		buf_putc(b, sep);
		put_string(b, jv_key(v), &scratch);
		buf_putc(b, ':');
		put_string(b, v, &scratch);
		sep = ',';
	}
	if (sep == ',')
		buf_putc(b, '}');
	buf_fini(&scratch);
}

static bool
is_json(struct sv s)
{
	struct json	j;
	bool		ok;

	json_init(&j);
	ok = json_parse(&j, s, 0) == 0;
	json_fini(&j);
	return ok;
}

/* What publish and broadcast have in common: everything but the channel.
 * The views in *pub live as long as the call and its text. */
static uint32_t
prepare(struct api_call *c, const struct api_params *p, struct hub_pub_view *pub)
{
	*pub = (struct hub_pub_view){
		.data = p->data,
		.version = p->version,
	};
	if (p->b64data.n > 0) {
		if (base64_get(&c->decoded, p->b64data) == -1)
			return c->decoded.failed ? ERROR_INTERNAL :
			    ERROR_BAD_REQUEST;
		pub->data = buf_sv(&c->decoded);
		pub->is_binary = !is_json(pub->data);
	}
	put_tags(&c->tags, p->tags);
	pub->tags = buf_sv(&c->tags);
	return c->tags.failed ? ERROR_INTERNAL : 0;
}

/* Publish to one channel; hp->done follows unless an error is returned. */
static uint32_t
publish_one(struct node *n, const struct hub_pub_view *from,
    struct sv idempotency_key, struct hub_publish *hp)
{
	if (from->channel.n == 0)
		return ERROR_BAD_REQUEST;
	if (channel_options(n->conf, from->channel, NULL) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (from->data.n == 0)
		return ERROR_BAD_REQUEST;
	hp->idempotency_key = idempotency_key;
	if ((hp->pub = hub_pub_new(from)) == NULL)
		return ERROR_INTERNAL;
	n->stats.published++;
	hub_publish(&n->hub, hp);
	return 0;
}

static bool
is_positioned(const struct hub_position *pos)
{
	return pos->offset > 0 || pos->epoch[0] != '\0';
}

static void
put_position(struct buf *b, const struct hub_position *pos)
{
	buf_putc(b, '{');
	if (pos->offset > 0) {
		buf_puts(b, "\"offset\":");
		buf_putu64(b, pos->offset);
	}
	if (pos->epoch[0] != '\0')
		buf_printf(b, "%s\"epoch\":\"%s\"",
		    pos->offset > 0 ? "," : "", pos->epoch);
	buf_putc(b, '}');
}

/* ---- publish ---- */

static void
publish_done(struct hub_request *req)
{
	struct hub_publish *hp = (struct hub_publish *)(void *)req;
	struct api_call *c = (struct api_call *)(void *)((char *)hp -
	    offsetof(struct api_call, publish));

	if (req->err == HUB_OK && is_positioned(&hp->pos))
		put_position(&c->result, &hp->pos);
	api_call_finish(c, req->err == HUB_OK ? 0 : ERROR_INTERNAL);
}

/* see call.h */
void
api_publish(struct api_call *c, const struct api_params *p)
{
	struct hub_pub_view	pub;
	uint32_t		error;

	if (p->channel.n == 0) {
		api_call_finish(c, ERROR_BAD_REQUEST);
		return;
	}
	c->publish.req.done = publish_done;
	if ((error = prepare(c, p, &pub)) == 0) {
		pub.channel = p->channel;
		error = publish_one(c->node, &pub, p->idempotency_key,
		    &c->publish);
	}
	if (error != 0)
		api_call_finish(c, error);
}

/* ---- broadcast ---- */

struct slot {
	struct hub_publish	 publish;	/* first */
	struct broadcast	*broadcast;
	uint32_t		 error;
};

struct broadcast {
	struct window	 window;	/* first */
	struct api_call	*call;
	struct hub_pub_view pub;	/* but for the channel */
	struct sv	 idempotency_key;
	struct slot	*slot;
	size_t		 next, n;
	struct sv	 channel[];
};

static void
slot_done(struct hub_request *req)
{
	struct slot *s = (struct slot *)(void *)req;

	s->error = req->err == HUB_OK ? 0 : ERROR_INTERNAL;
	window_done(&s->broadcast->window,
	    (unsigned)(s - s->broadcast->slot));
}

static bool
broadcast_start(struct window *w, unsigned i)
{
	struct broadcast	*b = (struct broadcast *)(void *)w;
	struct slot		*s = &b->slot[i];
	uint32_t		 error;

	if (b->next == b->n)
		return false;
	b->pub.channel = b->channel[b->next++];
	s->publish.req.done = slot_done;
	s->broadcast = b;
	error = publish_one(b->call->node, &b->pub, b->idempotency_key,
	    &s->publish);
	if (error != 0) {
		s->error = error;
		window_done(w, i);
	}
	return true;
}

static void
broadcast_take(struct window *w, unsigned i)
{
	struct broadcast	*b = (struct broadcast *)(void *)w;
	struct slot		*s = &b->slot[i];
	struct buf		*out = &b->call->result;

	buf_puts(out, out->n == 0 ? "{\"responses\":[" : ",");
	if (s->error != 0) {
		api_count_error(b->call->node, API_BROADCAST_PUBLISH,
		    s->error);
		buf_puts(out, "{\"error\":");
		api_put_error(out, s->error);
		buf_putc(out, '}');
	} else {
		buf_puts(out, "{\"result\":");
		put_position(out, &s->publish.pos);
		buf_putc(out, '}');
	}
}

static void
broadcast_finish(struct window *w)
{
	struct broadcast	*b = (struct broadcast *)(void *)w;
	struct api_call		*c = b->call;

	buf_puts(&c->result, "]}");
	free(b->slot);
	api_call_finish(c, 0);
}

/* see call.h */
void
api_broadcast(struct api_call *c, const struct api_params *p)
{
	const size_t		 n = jv_len(p->channels);
	const unsigned		 limit = n < WINDOW_MAX ? (unsigned)n :
				    WINDOW_MAX;
	struct broadcast	*b;
	struct jv		 v;
	uint32_t		 error;

	if (n == 0) {
		api_call_finish(c, ERROR_BAD_REQUEST);
		return;
	}
	c->work = b = calloc(1, sizeof(*b) + n * sizeof(b->channel[0]));
	if (b == NULL || (b->slot = calloc(limit, sizeof(*b->slot))) == NULL) {
		api_call_finish(c, ERROR_INTERNAL);
		return;
	}
	if ((error = prepare(c, p, &b->pub)) != 0) {
		free(b->slot);
		api_call_finish(c, error);
		return;
	}
	b->call = c;
	b->idempotency_key = p->idempotency_key;
	for (v = jv_first(p->channels); jv_is(v); v = jv_next(v))
		b->channel[b->n++] = api_string(v, &c->strings);
	b->window = (struct window){
		.limit = limit,
		.start = broadcast_start,
		.take = broadcast_take,
		.finish = broadcast_finish,
	};
	window_run(&b->window);
}

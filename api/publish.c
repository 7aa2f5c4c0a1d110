/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The methods publish and broadcast (spec 5).
 */
#include <stdlib.h>

#include "api/call.h"
#include "api/stats.h"
#include "api/window.h"
#include "client/channel.h"
#include "client/code.h"

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

/* What publish and broadcast have in common: everything but the channel.
 * The views live as long as the call and its text. */
struct publication {
	struct hub_pub_view	view;
	struct sv		idempotency_key, version_epoch;
	bool			skip_history, delta;
};

static uint32_t
prepare(struct api_call *c, const struct api_params *p,
    struct publication *pub)
{
	bool		is_json;
	uint32_t	error;

	*pub = (struct publication){
		.view = { .version = p->version },
		.idempotency_key = p->idempotency_key,
		.version_epoch = p->version_epoch,
		.skip_history = p->skip_history,
		.delta = p->delta,
	};
	error = api_payload(c, p->data, p->b64data, &pub->view.data,
	    &is_json);
	pub->view.is_binary = !is_json;
	put_tags(&c->tags, p->tags);
	pub->view.tags = buf_sv(&c->tags);
	return c->tags.failed ? ERROR_INTERNAL : error;
}

/* Publish to one channel; done follows unless an error is returned. */
static uint32_t
publish_one(struct node *n, const struct publication *from,
    struct sv channel, struct hub_publish *hp,
    void (*done)(struct hub_request *))
{
	const struct conf_channel	*opt;
	struct hub_pub_view		 view = from->view;

	if (channel.n == 0)
		return ERROR_BAD_REQUEST;
	if ((opt = channel_options(n->conf, channel, NULL)) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_data_valid(n->conf, opt, view.data))
		return ERROR_BAD_REQUEST;
	view.channel = channel;
	*hp = (struct hub_publish){
		.req.done = done,
		.pub = hub_pub_new(&view),
		.idempotency_key = from->idempotency_key,
		.version_epoch = from->version_epoch,
		.version = view.version,
		.delta = from->delta || opt->delta_publish,
	};
	if (hp->pub == NULL)
		return ERROR_INTERNAL;
	if (!from->skip_history)
		channel_keep(n->conf, opt, hp);
	n->stats.published++;
	hub_publish(&n->hub, hp);
	return 0;
}

/* The error of a publication that has come back. */
static uint32_t
outcome(struct node *n, const struct hub_publish *hp)
{
	if (hp->req.err != HUB_OK)
		return ERROR_INTERNAL;
	if (hp->suppressed)
		api_count_suppressed(n, hp->idempotency_key.n > 0 ?
		    API_SUPPRESSED_KEY : API_SUPPRESSED_VERSION);
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
	struct api_call *c = (struct api_call *)(void *)((char *)req -
	    offsetof(struct api_call, hub));
	const struct hub_publish *hp = &c->hub.publish;

	if (req->err == HUB_OK && is_positioned(&hp->pos))
		put_position(&c->result, &hp->pos);
	api_call_finish(c, outcome(c->node, hp));
}

/* see call.h */
void
api_publish(struct api_call *c, const struct api_params *p)
{
	struct publication	pub;
	uint32_t		error = ERROR_BAD_REQUEST;

	if (p->channel.n > 0 && (error = prepare(c, p, &pub)) == 0)
		error = publish_one(c->node, &pub, p->channel,
		    &c->hub.publish, publish_done);
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
	struct publication pub;
	struct slot	*slot;
	size_t		 next, n;
	struct sv	 channel[];
};

static void
slot_done(struct hub_request *req)
{
	struct slot *s = (struct slot *)(void *)req;

	s->error = outcome(s->broadcast->call->node, &s->publish);
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
	s->broadcast = b;
	error = publish_one(b->call->node, &b->pub, b->channel[b->next++],
	    &s->publish, slot_done);
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

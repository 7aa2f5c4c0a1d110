/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What channels keep: history, history_remove, presence and presence_stats
 * (spec 5). Their owners are asked; what they answer becomes JSON without
 * white space (spec 12.52).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "client/channel.h"
#include "client/code.h"

static struct api_call *
call_of(struct hub_request *req)
{
	return (struct api_call *)(void *)((char *)req -
	    offsetof(struct api_call, hub));
}

/* The options of a channel that keeps what is asked for. NULL: the call has
 * been answered. */
static const struct conf_channel *
options_of(struct api_call *c, struct sv channel,
    bool (*keeps)(const struct conf_channel *))
{
	const struct conf_channel	*opt = NULL;
	uint32_t			 error = ERROR_NOT_AVAILABLE;

	if (channel.n == 0)
		error = ERROR_BAD_REQUEST;
	else if ((opt = channel_options(c->node->conf, channel, NULL)) == NULL)
		error = ERROR_UNKNOWN_CHANNEL;
	else if (keeps(opt))
		return opt;
	api_call_finish(c, error);
	return NULL;
}

static void
ask(struct api_call *c, enum hub_op op, struct sv channel,
    void (*done)(struct hub_request *))
{
	c->hub.req.op = op;
	c->hub.req.channel = channel;
	c->hub.req.done = done;
	hub_request(&c->node->hub, &c->hub.req);
}

static void
put_info(struct buf *b, const struct hub_info *info)
{
	buf_puts(b, "{\"user\":");
	json_put_str(b, info->user);
	buf_puts(b, ",\"client\":");
	json_put_str(b, info->client);
	if (info->conn_info.n > 0) {
		buf_puts(b, ",\"conn_info\":");
		json_put_compact(b, info->conn_info);
	}
	if (info->chan_info.n > 0) {
		buf_puts(b, ",\"chan_info\":");
		json_put_compact(b, info->chan_info);
	}
	buf_putc(b, '}');
}

/* ---- history ---- */

static void
put_pub(struct buf *b, const struct hub_pub_view *v)
{
	buf_putc(b, '{');
	if (v->data.n > 0) {
		buf_puts(b, "\"data\":");
		json_put_compact(b, v->data);
		buf_putc(b, ',');
	}
	if (v->has_info) {
		buf_puts(b, "\"info\":");
		put_info(b, &v->info);
		buf_putc(b, ',');
	}
	buf_printf(b, "\"offset\":%" PRIu64, v->offset);
	if (v->tags.n > 0) {
		buf_puts(b, ",\"tags\":");
		json_put_compact(b, v->tags);
	}
	buf_putc(b, '}');
}

/* JSON has no place for a publication that is none. */
static uint32_t
put_history(struct buf *b, const struct hub_history *h)
{
	struct hub_pub_view	v;
	size_t			i;

	buf_puts(b, "{\"publications\":[");
	for (i = 0; i < h->npub; i++) {
		hub_pub_view(h->pub[i], &v);
		if (v.is_binary)
			return ERROR_INTERNAL;
		if (i > 0)
			buf_putc(b, ',');
		put_pub(b, &v);
	}
	buf_puts(b, "],\"epoch\":");
	json_put_str(b, sv_from(h->top.epoch));
	buf_printf(b, ",\"offset\":%" PRIu64 "}", h->top.offset);
	return 0;
}

static void
history_done(struct hub_request *req)
{
	struct api_call		*c = call_of(req);
	struct hub_history	*h = &c->hub.history;
	uint32_t		 error = ERROR_INTERNAL;

	if (req->err == HUB_OK) {
		if (c->epoch.n > 0 &&
		    !sv_eq(c->epoch, sv_from(h->top.epoch)))
			error = ERROR_UNRECOVERABLE_POSITION;
		else
			error = put_history(&c->result, h);
	}
	hub_pubs_free(&c->node->hub, h->pub, h->npub);
	api_call_finish(c, error);
}

/* see call.h */
void
api_history(struct api_call *c, const struct api_params *p)
{
	const struct conf_channel	*opt;
	struct hub_history		*h = &c->hub.history;

	opt = options_of(c, p->channel, channel_keeps_history);
	if (opt == NULL)
		return;
	h->has_since = jv_is(p->since);
	h->since = p->offset;
	h->reverse = p->reverse;
	h->limit = p->limit;
	h->meta_ttl = conf_meta_ttl(c->node->conf, opt);
	c->epoch = p->epoch;
	/* There is nothing before 0; clients get another error (spec
	 * 12.53). */
	if (h->reverse && h->has_since && h->since == 0)
		api_call_finish(c, ERROR_INTERNAL);
	else
		ask(c, HUB_HISTORY, p->channel, history_done);
}

static void
remove_done(struct hub_request *req)
{
	api_call_finish(call_of(req), req->err == HUB_OK ? 0 :
	    ERROR_INTERNAL);
}

/* see call.h */
void
api_history_remove(struct api_call *c, const struct api_params *p)
{
	if (options_of(c, p->channel, channel_keeps_history) != NULL)
		ask(c, HUB_HISTORY_REMOVE, p->channel, remove_done);
}

/* ---- presence ---- */

static int
by_client(const void *a, const void *b)
{
	const struct hub_info	*x = a, *y = b;
	size_t			 n = x->client.n < y->client.n ?
				    x->client.n : y->client.n;
	int			 d = memcmp(x->client.p, y->client.p, n);

	if (d != 0)
		return d;
	return x->client.n < y->client.n ? -1 : x->client.n > y->client.n;
}

static void
presence_done(struct hub_request *req)
{
	struct api_call		*c = call_of(req);
	struct hub_presence	*p = &c->hub.presence;
	struct buf		*b = &c->result;
	size_t			 i;

	if (req->err == HUB_OK) {
		if (p->num_clients > 0)
			qsort(p->info, p->num_clients, sizeof(p->info[0]),
			    by_client);
		buf_puts(b, "{\"presence\":{");
		for (i = 0; i < p->num_clients; i++) {
			if (i > 0)
				buf_putc(b, ',');
			json_put_str(b, p->info[i].client);
			buf_putc(b, ':');
			put_info(b, &p->info[i]);
		}
		buf_puts(b, "}}");
	}
	free(p->info);
	api_call_finish(c, req->err == HUB_OK ? 0 : ERROR_INTERNAL);
}

static void
stats_done(struct hub_request *req)
{
	struct api_call			*c = call_of(req);
	const struct hub_presence	*p = &c->hub.presence;

	buf_printf(&c->result, "{\"num_clients\":%zu,\"num_users\":%zu}",
	    p->num_clients, p->num_users);
	api_call_finish(c, req->err == HUB_OK ? 0 : ERROR_INTERNAL);
}

/* see call.h */
void
api_presence(struct api_call *c, const struct api_params *p)
{
	if (options_of(c, p->channel, channel_keeps_presence) != NULL)
		ask(c, HUB_PRESENCE, p->channel, presence_done);
}

/* see call.h */
void
api_presence_stats(struct api_call *c, const struct api_params *p)
{
	if (options_of(c, p->channel, channel_keeps_presence) != NULL)
		ask(c, HUB_PRESENCE_STATS, p->channel, stats_done);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The way of a publication to the subscribers of one worker: who gets it, in
 * which form, encoded once for each.
 */
#include <string.h>

#include "client/sub_state.h"
#include "client/wire.h"
#include "hub/delta.h"
#include "hub/filter.h"
#include "util/utf8.h"

/* see sub_state.h */
bool
sub_delta(struct buf *patch, struct sv from, struct sv to)
{
	buf_reset(patch);
	return delta_fossil(patch, from, to) == 0 && patch->n < to.n;
}

/* see sub_state.h */
bool
sub_passes(const struct client_sub *s, const struct hub_pub *pub)
{
	struct fan		*fan = &s->client->node->fan;
	struct hub_pub_view	 v;

	if (s->x == NULL || s->x->filter == NULL)
		return true;
	if (fan->tags_of != pub) {
		hub_pub_view(pub, &v);
		fan->tags_of = NULL;
		if (filter_tags_load(&fan->tags, v.tags) == -1)
			return false;
		fan->tags_of = pub;
	}
	return filter_match(s->x->filter, &fan->tags);
}

/* Whether the publication is the next for a positioned subscription. If it
 * is not, it is dropped, and the subscription with it when one is missing
 * (spec 3, Positioning). */
static bool
is_next(struct client_sub *s, const struct hub_fanout *f)
{
	struct sub_state	*x = s->x;
	struct fan		*fan = &s->client->node->fan;

	if (strcmp(x->pos.epoch, f->epoch) != 0 ||
	    f->pub->offset > x->pos.offset + 1) {
		s->flags |= SUB_DOOMED;
		fan->doomed = true;
		return false;
	}
	if (f->pub->offset <= x->pos.offset)
		return false;
	x->pos.offset = f->pub->offset;
	x->checked = s->client->node->w->now;
	return true;
}

/* In which form the data of a publication go to a subscription. A delta
 * needs the publication before, so only who keeps a position gets one. */
static enum pub_kind
kind_of(struct client_sub *s, struct hub_fanout *f)
{
	struct fan *fan = &s->client->node->fan;

	if (!(s->flags & SUB_DELTA))
		return PUB_PLAIN;
	if (f->pub->offset == 0) {
		/* Not kept: no delta will be one of this, which the client
		 * has now. */
		s->flags &= (uint16_t)~SUB_DELTA_READY;
		return PUB_STRING;
	}
	if (!(s->flags & SUB_DELTA_READY)) {
		s->flags |= SUB_DELTA_READY;
		return PUB_STRING;
	}
	if (f->prev == NULL || !(s->flags & SUB_POSITIONED))
		return PUB_STRING;
	if (!fan->tried) {
		fan->tried = true;
		if (!sub_delta(&fan->patch, hub_pub_data(f->prev),
		    hub_pub_data(f->pub)))
			buf_reset(&fan->patch);
		fan->patch_is_text = utf8_valid(buf_sv(&fan->patch));
	}
	return fan->patch.n > 0 && (fan->patch_is_text ||
	    wire_forms[s->client->form].protobuf) ? PUB_DELTA : PUB_STRING;
}

/* The publication in a wire form, encoded by the first that needs it. NULL:
 * no memory. */
static struct blob *
wire_of(struct client *c, struct hub_fanout *f, enum pub_kind kind)
{
	struct node	 *n = c->node;
	struct blob	**wire = &f->wire[c->form * PUB_KINDS + kind];
	struct pub_form	  form = { kind, buf_sv(&n->fan.patch), f->epoch };
	struct enc	  e;

	if (*wire != NULL)
		return *wire;
	e = client_push_begin(c);
	encode_pub_push(&e, f->pub, &form);
	if (!n->push.failed)
		*wire = wire_message(n, c->form, buf_sv(&n->push));
	return *wire;
}

static void
deliver(struct client_sub *s, struct hub_fanout *f)
{
	struct client	*c = s->client;
	enum pub_kind	 kind = PUB_PLAIN;
	struct blob	*b;

	if (f->pub->type != HUB_PUB) {
		if (!(s->flags & SUB_PUSH_JOIN_LEAVE))
			return;
	} else {
		if (s->flags & SUB_POSITIONED && f->pub->offset > 0 &&
		    !is_next(s, f))
			return;
		/* Who gets deltas gets them all (spec 12.23). */
		if (!(s->flags & SUB_DELTA) && !sub_passes(s, f->pub))
			return;
		if (f->pub->is_binary &&	/* spec 12.20 */
		    !wire_forms[c->form].protobuf) {
			client_disconnect(c,
			    DISCONNECT_INAPPROPRIATE_PROTOCOL, NULL);
			return;
		}
		kind = kind_of(s, f);
	}
	/* The reply to its subscribe goes before the first publication. */
	if (c->node->replying == c)
		client_reply_flush(c);
	if ((b = wire_of(c, f, kind)) == NULL)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	else
		client_send(c, blob_ref(b), f->pub->type == HUB_PUB ?
		    OUT_PUB : OUT_PUSH);
}

/* see sub.h */
void
sub_deliver(struct hub_sub *hs, struct hub_fanout *f)
{
	struct client_sub	*s = (struct client_sub *)(void *)hs;
	struct node		*n = s->client->node;

	if (s->client->state == CLIENT_CLOSED || s->flags & SUB_DOOMED)
		return;
	f->shared = n;
	n->delivering = true;
	deliver(s, f);
	n->delivering = false;
}

/* see sub.h */
void
sub_delivered(struct hub_fanout *f)
{
	struct node		*n = f->shared;
	struct hub_sub *const	*member;
	struct client_sub	*s;
	size_t			 i = 0;

	if (n == NULL)
		return;
	n->fan.tried = false;
	n->fan.tags_of = NULL;
	buf_reset(&n->fan.patch);
	if (!n->fan.doomed)
		return;
	n->fan.doomed = false;
	/* Who is dropped gives its place to another. */
	while (i < hub_members(&n->hub, HUB_CHANNELS,
	    hub_pub_channel(f->pub), &member)) {
		s = (struct client_sub *)(void *)member[i];
		if (!(s->flags & SUB_DOOMED)) {
			i++;
			continue;
		}
		s->flags &= (uint16_t)~SUB_DOOMED;
		sub_insufficient(s);
	}
}

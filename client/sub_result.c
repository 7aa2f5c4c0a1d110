/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The answer to a subscription: its position and what it has missed (spec 3,
 * Recovery).
 */
#include <string.h>

#include "client/sub_state.h"
#include "util/clock.h"
#include "util/utf8.h"

/* see sub_state.h */
bool
sub_is_recovered(const struct sub_setup *p, const struct hub_recover *r,
    int64_t max)
{
	bool same = strcmp(p->epoch, r->top.epoch) == 0;

	if (p->cache) {
		if (r->npub == 0)
			return p->offset > 0 && same &&
			    p->offset == r->top.offset;
		return r->pub[r->npub - 1]->offset == r->top.offset;
	}
	if (p->epoch[0] != '\0' && !same)
		return false;
	if (r->npub == 0)
		return p->offset == r->top.offset;
	if (max > 0 && r->npub > (uint64_t)max)
		return false;
	return r->pub[0]->offset == p->offset + 1 &&
	    r->pub[r->npub - 1]->offset == r->top.offset;
}

/* In cache mode nothing is sent to who has it already. */
static bool
has_newest(const struct sub_setup *p, const struct hub_recover *r)
{
	return p->cache && p->offset > 0 && p->offset == r->top.offset &&
	    strcmp(p->epoch, r->top.epoch) == 0;
}

/* How to spell out a recovered publication of a subscription with delta: the
 * first whole, each other as a delta of the one before where that is
 * shorter. */
static void
delta_form(struct pub_form *f, struct buf *patch, bool pb,
    const struct hub_pub *pub, const struct hub_pub *prev)
{
	f->kind = PUB_STRING;
	if (prev == NULL || !sub_delta(patch, hub_pub_data(prev),
	    hub_pub_data(pub)))
		return;
	f->patch = buf_sv(patch);
	if (pb || utf8_valid(f->patch))
		f->kind = PUB_DELTA;
}

/* The publications that the client missed, those that its filter lets
 * through; in cache mode only the newest of them. */
static void
put_recovered(struct enc *e, struct client_sub *s,
    const struct hub_recover *r)
{
	struct pub_form		 f = { .epoch = r->top.epoch };
	struct buf		 patch = BUF_INIT;
	const struct hub_pub	*prev = NULL;
	size_t			 i = 0;

	if (s->setup->cache)
		for (i = r->npub; i > 0 && !sub_passes(s, r->pub[i - 1]); i--)
			continue;
	i -= i > 0;
	for (; i < r->npub; i++) {
		if (!sub_passes(s, r->pub[i]))
			continue;
		if (prev == NULL)
			enc_list(e, "publications");
		if (s->flags & SUB_DELTA)
			delta_form(&f, &patch, e->pb, r->pub[i], prev);
		enc_item(e, 7);
		encode_pub(e, r->pub[i], &f);
		enc_end(e);
		prev = r->pub[i];
	}
	if (prev != NULL)
		enc_list_end(e);
	buf_fini(&patch);
}

static void
put_expiry(struct enc *e, const struct client_sub *s)
{
	int64_t ttl;

	if (s->x == NULL || s->x->expire_at == 0)
		return;
	ttl = s->x->expire_at - clock_wall_ms() / MSEC_PER_SEC;
	enc_bool(e, 1, "expires", true);
	enc_u64_always(e, 2, "ttl", ttl > 0 ? (uint64_t)ttl : 0);
}

/* see sub_state.h */
void
sub_put_result(struct enc *e, struct client_sub *s,
    const struct hub_recover *r)
{
	struct sub_setup	*p = s->setup;
	bool			 push = p->as_push;
	bool			 positioned = s->flags & SUB_POSITIONED;

	if (!push)
		put_expiry(e, s);
	enc_bool(e, push ? 1 : 3, "recoverable", p->recovery);
	if (positioned)
		enc_str_always(e, push ? 4 : 6, "epoch",
		    sv_from(r->top.epoch));
	if (!push && p->recovered && !has_newest(p, r)) {
		put_recovered(e, s, r);
		/* The newest is a base for deltas, where it was sent: a
		 * filter may have kept it back. Without one it is not known
		 * what the client has besides its position. */
		if (s->flags & SUB_DELTA && r->npub > 0 &&
		    sub_passes(s, r->pub[r->npub - 1]))
			s->flags |= SUB_DELTA_READY;
	}
	s->client->node->fan.tags_of = NULL;
	enc_bool(e, 8, "recovered", !push && p->recovered);
	enc_u64(e, push ? 5 : 9, "offset", p->recovered ? p->offset :
	    positioned ? r->top.offset : 0);
	enc_bool(e, push ? 6 : 10, "positioned", positioned);
	enc_data(e, push ? 7 : 11, "data", sv_make(p->data, p->ndata));
	enc_bool(e, 12, "was_recovering", !push && p->was_recovering);
	enc_bool(e, 13, "delta", !push && s->flags & SUB_DELTA);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Streams, see stream.h. A channel of which only the position is known is
 * one small allocation; what is kept is a second one with the ring in it,
 * which lives as long as there are publications or a version to remember.
 * Offsets of kept publications have no gaps and end at top, so they need
 * not be searched.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/stream.h"

#define EPOCH_LEN	8
#define NEVER		INT64_MAX

/* The newest publication's version. */
struct version {
	uint64_t	number;
	size_t		nepoch;
	char		epoch[];
};

/* n publications are in the ring, or else there is a version. */
struct kept {
	int64_t		 expires;	/* NEVER if n is 0 */
	struct version	*version;	/* NULL: it has none */
	uint32_t	 first, n, cap;
	struct hub_pub	*ring[];
};

struct hub_stream {
	struct hnode	 node;
	LIST_ENTRY(hub_stream) entry;
	int64_t		 expires;	/* with everything in it */
	uint64_t	 top;
	struct kept	*kept;		/* or NULL */
	char		 epoch[EPOCH_LEN];
	uint32_t	 nname;
	char		 name[];
};

static struct sv
stream_key(const struct hnode *n)
{
	const struct hub_stream *s = (const struct hub_stream *)
	    (const void *)n;

	return sv_make(s->name, s->nname);
}

/* see stream.h */
void
hub_streams_init(struct hub_streams *ss, const struct hub *h,
    void (*random)(void *, size_t))
{
	memset(ss, 0, sizeof(*ss));	/* which empties the lists too */
	ss->hub = h;
	ss->random = random;
	htab_init(&ss->table, stream_key);
}

/* ---- the ring ---- */

/* Where the i-th oldest publication is; i may be n. */
static struct hub_pub **
kept_at(struct kept *k, uint64_t i)
{
	i += k->first;
	return &k->ring[i < k->cap ? i : i - k->cap];
}

/* Forget the oldest publications until n are left; how many went. */
static size_t
kept_trim(const struct hub_streams *ss, struct kept *k, uint32_t n)
{
	size_t count = 0;

	for (; k->n > n; k->n--, count++) {
		hub_pub_unref(ss->hub, k->ring[k->first]);
		if (++k->first == k->cap)
			k->first = 0;
	}
	return count;
}

/* A larger ring, or the first one. */
static struct kept *
kept_resize(struct kept *old, uint32_t cap)
{
	struct kept	*k;
	uint32_t	 i;

	k = malloc(sizeof(*k) + cap * sizeof(struct hub_pub *));
	if (k == NULL)
		return NULL;
	*k = (struct kept){ .expires = NEVER, .cap = cap };
	if (old != NULL) {
		k->expires = old->expires;
		k->version = old->version;
		k->n = old->n;
		for (i = 0; i < k->n; i++)
			k->ring[i] = *kept_at(old, i);
		free(old);
	}
	return k;
}

/* Room for one more of at most size. */
static int
kept_reserve(struct kept **kp, uint32_t size)
{
	struct kept	*k = *kp;
	uint32_t	 cap = k == NULL ? 0 : k->cap;

	if (k != NULL && (k->n < cap || k->n >= size) && cap > 0)
		return 0;
	if (cap == 0)
		cap = 1;
	else
		cap = cap > size / 2 ? size : cap * 2;
	if ((k = kept_resize(k, cap)) == NULL)
		return -1;
	*kp = k;
	return 0;
}

/* ---- versions ---- */

static struct version *
version_new(uint64_t number, struct sv epoch)
{
	struct version *v;

	if ((v = malloc(sizeof(*v) + epoch.n)) == NULL)
		return NULL;
	v->number = number;
	v->nepoch = epoch.n;
	if (epoch.n > 0)
		memcpy(v->epoch, epoch.p, epoch.n);
	return v;
}

/* A request without a version_epoch means whichever the channel has. */
static bool
is_outdated(const struct kept *k, const struct hub_publish *p)
{
	const struct version *v = k == NULL ? NULL : k->version;

	return p->version > 0 && v != NULL && p->version <= v->number &&
	    (p->version_epoch.n == 0 ||
	    sv_eq(p->version_epoch, sv_make(v->epoch, v->nepoch)));
}

/* ---- streams and their time ---- */

/* The second by which everything that is due at t has passed. */
static int64_t
second_of(int64_t t)
{
	return t / 1000 + (t % 1000 > 0);
}

static int64_t
until(int64_t now, int64_t ttl)
{
	return ttl <= 0 || ttl > NEVER - now ? NEVER : now + ttl;
}

static int64_t
stream_due(const struct hub_stream *s)
{
	return s->kept != NULL && s->kept->expires < s->expires ?
	    s->kept->expires : s->expires;
}

static void
stream_link(struct hub_streams *ss, struct hub_stream *s)
{
	int64_t due = stream_due(s);

	if (due == NEVER)
		LIST_INSERT_HEAD(&ss->never, s, entry);
	else
		LIST_INSERT_HEAD(&ss->due[second_of(due) %
		    HUB_STREAM_BUCKETS], s, entry);
}

/* Set one of the stream's times. A visit that would come too early is left
 * as it is. */
static void
stream_renew(struct hub_streams *ss, struct hub_stream *s, int64_t *expires,
    int64_t to)
{
	int64_t was = stream_due(s);

	*expires = to;
	if (stream_due(s) < was) {
		LIST_REMOVE(s, entry);
		stream_link(ss, s);
	}
}

/* Forget the publications; the number of allocations given back. */
static size_t
stream_clear(struct hub_streams *ss, struct hub_stream *s)
{
	struct kept	*k = s->kept, *less;
	size_t		 count;

	if (k == NULL)
		return 0;
	count = kept_trim(ss, k, 0);
	k->expires = NEVER;
	if (k->version == NULL) {
		free(k);
		s->kept = NULL;
		return count + 1;
	}
	if ((less = realloc(k, sizeof(*k))) != NULL) {
		less->cap = 0;
		s->kept = less;
	}
	return count;
}

static size_t
stream_free(struct hub_streams *ss, struct hub_stream *s)
{
	size_t count = 1;

	if (s->kept != NULL) {
		count += s->kept->version != NULL;
		free(s->kept->version);
		s->kept->version = NULL;
		count += stream_clear(ss, s);
	}
	LIST_REMOVE(s, entry);
	htab_del(&ss->table, &s->node);
	free(s);
	return count;
}

/* Bring the stream up to date, which may be its end: then it is NULL. */
static size_t
stream_expire(struct hub_streams *ss, struct hub_stream **s, int64_t now)
{
	struct hub_stream *was = *s;

	if (was->expires <= now) {
		*s = NULL;
		return stream_free(ss, was);
	}
	if (was->kept != NULL && was->kept->expires <= now)
		return stream_clear(ss, was);
	return 0;
}

static struct hub_stream *
stream_find(struct hub_streams *ss, uint64_t hash, struct sv name,
    int64_t now)
{
	struct hub_stream *s = (struct hub_stream *)(void *)
	    htab_get(&ss->table, hash, name);

	if (s != NULL)
		stream_expire(ss, &s, now);
	return s;
}

/* Random letters: positions of two lives of a channel must differ. */
static void
make_epoch(struct hub_streams *ss, char epoch[EPOCH_LEN])
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char	byte[EPOCH_LEN];
	size_t		i;

	ss->random(byte, sizeof(byte));
	for (i = 0; i < EPOCH_LEN; i++)
		epoch[i] = letters[byte[i] % (sizeof(letters) - 1)];
}

static struct hub_stream *
stream_new(struct hub_streams *ss, uint64_t hash, struct sv name,
    int64_t expires)
{
	struct hub_stream *s;

	/* Not sizeof: there may be very many, and padding is no use. */
	s = malloc(offsetof(struct hub_stream, name) + name.n);
	if (s == NULL)
		return NULL;
	s->top = 0;
	s->kept = NULL;
	s->expires = expires;
	make_epoch(ss, s->epoch);
	s->nname = (uint32_t)name.n;
	if (name.n > 0)
		memcpy(s->name, name.p, name.n);
	if (htab_put(&ss->table, hash, &s->node) == -1) {
		free(s);
		return NULL;
	}
	stream_link(ss, s);
	return s;
}

static void
get_position(const struct hub_stream *s, struct hub_position *pos)
{
	pos->offset = s->top;
	memcpy(pos->epoch, s->epoch, EPOCH_LEN);
	pos->epoch[EPOCH_LEN] = '\0';
}

/* ---- publishing ---- */

/* Allocate all that keeping p->pub takes. */
static int
stream_reserve(struct hub_stream *s, const struct hub_publish *p,
    struct version **v)
{
	*v = NULL;
	if (p->version > 0 &&
	    (*v = version_new(p->version, p->version_epoch)) == NULL)
		return -1;
	if (kept_reserve(&s->kept, p->history_size) == -1) {
		free(*v);
		return -1;
	}
	return 0;
}

static void
stream_push(struct hub_streams *ss, struct hub_stream *s,
    struct hub_publish *p, struct version *v)
{
	struct kept *k = s->kept;

	p->pub->offset = ++s->top;
	kept_trim(ss, k, p->history_size - 1);
	hub_pub_ref(ss->hub, p->pub);
	*kept_at(k, k->n++) = p->pub;
	free(k->version);
	k->version = v;
}

/* The newest publication, if a delta may be made of it. */
static struct hub_pub *
delta_base(struct hub_streams *ss, const struct hub_stream *s,
    const struct hub_publish *p)
{
	struct hub_pub *prev;

	if (!p->delta || s->kept->n == 0)
		return NULL;
	prev = *kept_at(s->kept, s->kept->n - 1);
	hub_pub_ref(ss->hub, prev);
	return prev;
}

/* see stream.h */
int
hub_streams_add(struct hub_streams *ss, struct hub_publish *p, int64_t now,
    struct hub_pub **prev)
{
	int64_t			 whole = until(now, p->meta_ttl);
	struct sv		 channel = p->req.channel;
	struct hub_stream	*s, *fresh = NULL;
	struct version		*v;

	*prev = NULL;
	if ((s = stream_find(ss, p->req.hash, channel, now)) == NULL)
		s = fresh = stream_new(ss, p->req.hash, channel, whole);
	if (s == NULL)
		return -1;
	p->suppressed = is_outdated(s->kept, p);
	if (!p->suppressed) {
		if (stream_reserve(s, p, &v) == -1) {
			if (fresh != NULL)
				stream_free(ss, fresh);
			return -1;
		}
		*prev = delta_base(ss, s, p);
		stream_push(ss, s, p, v);
	}
	if (s->kept != NULL && s->kept->n > 0)
		stream_renew(ss, s, &s->kept->expires,
		    until(now, p->history_ttl));
	stream_renew(ss, s, &s->expires, whole);
	get_position(s, &p->pos);
	return 0;
}

/* ---- reading ---- */

/* The stream that a question is about, which it creates or renews. */
static struct hub_stream *
stream_ask(struct hub_streams *ss, uint64_t hash, struct sv channel,
    int64_t now, int64_t meta_ttl)
{
	int64_t			 whole = until(now, meta_ttl);
	struct hub_stream	*s = stream_find(ss, hash, channel, now);

	if (s == NULL)
		return stream_new(ss, hash, channel, whole);
	stream_renew(ss, s, &s->expires, whole);
	return s;
}

/* At most limit publications from the i-th kept one on, forward or back. */
static int
read_ring(struct hub_streams *ss, struct kept *k, uint64_t i,
    uint64_t limit, bool reverse, struct hub_pub ***pub, size_t *npub)
{
	uint64_t	 n = reverse ? i + 1 : k->n - i;
	uint64_t	 at;
	struct hub_pub	*p;

	if (n > limit)
		n = limit;
	if (n == 0)
		return 0;
	if ((*pub = calloc(n, sizeof(struct hub_pub *))) == NULL)
		return -1;
	for (at = 0; at < n; at++) {
		p = *kept_at(k, reverse ? i - at : i + at);
		hub_pub_ref(ss->hub, p);
		(*pub)[at] = p;
	}
	*npub = n;
	return 0;
}

static int
read_forward(struct hub_streams *ss, const struct hub_stream *s,
    uint64_t since, uint64_t limit, struct hub_pub ***pub, size_t *npub)
{
	uint64_t last_gone;

	if (s->kept == NULL || since >= s->top)
		return 0;
	last_gone = s->top - s->kept->n;
	return read_ring(ss, s->kept, since > last_gone ? since - last_gone :
	    0, limit, false, pub, npub);
}

/* From the one before `before' down, if that one is kept. */
static int
read_reverse(struct hub_streams *ss, const struct hub_stream *s,
    uint64_t before, uint64_t limit, struct hub_pub ***pub, size_t *npub)
{
	uint64_t last_gone;

	if (s->kept == NULL || before > s->top + 1)
		return 0;
	last_gone = s->top - s->kept->n;
	if (before <= last_gone + 1)
		return 0;
	return read_ring(ss, s->kept, before - last_gone - 2, limit, true,
	    pub, npub);
}

/* see stream.h */
int
hub_streams_history(struct hub_streams *ss, struct hub_history *p,
    int64_t now)
{
	uint64_t		 limit;
	struct hub_stream	*s;

	p->pub = NULL;
	p->npub = 0;
	s = stream_ask(ss, p->req.hash, p->req.channel, now, p->meta_ttl);
	if (s == NULL)
		return -1;
	get_position(s, &p->top);
	limit = (uint64_t)p->limit;	/* <0 is more than there can be */
	if (p->reverse)
		return read_reverse(ss, s, p->has_since ? p->since :
		    s->top + 1, limit, &p->pub, &p->npub);
	return read_forward(ss, s, p->has_since ? p->since : 0, limit,
	    &p->pub, &p->npub);
}

/* see stream.h */
int
hub_streams_recover(struct hub_streams *ss, struct sv channel,
    struct hub_recover *r, int64_t now)
{
	struct hub_stream *s;

	r->pub = NULL;
	r->npub = 0;
	if (!r->position && !r->history)
		return 0;
	s = stream_ask(ss, hash_sv(channel), channel, now, r->meta_ttl);
	if (s == NULL)
		return -1;
	get_position(s, &r->top);
	if (!r->history)
		return 0;
	if (r->newest)
		return read_reverse(ss, s, s->top + 1, 1, &r->pub, &r->npub);
	return read_forward(ss, s, r->since, r->limit, &r->pub, &r->npub);
}

/* ---- forgetting ---- */

/* see stream.h */
void
hub_streams_remove(struct hub_streams *ss, struct sv channel, int64_t now)
{
	struct hub_stream *s = stream_find(ss, hash_sv(channel), channel,
	    now);

	if (s != NULL)
		stream_clear(ss, s);
}

static size_t
visit(struct hub_streams *ss, struct hub_stream_list *due, int64_t now)
{
	struct hub_stream	*s, *next;
	size_t			 count = 0;

	for (s = LIST_FIRST(due); s != NULL; s = next) {
		next = LIST_NEXT(s, entry);
		count += stream_expire(ss, &s, now);
		if (s != NULL) {
			LIST_REMOVE(s, entry);
			stream_link(ss, s);
		}
	}
	return count;
}

/* see stream.h */
size_t
hub_streams_expire(struct hub_streams *ss, int64_t now)
{
	int64_t	last = now / 1000;
	size_t	count = 0;

	if (last - ss->second >= HUB_STREAM_BUCKETS)	/* once round will do */
		ss->second = last - HUB_STREAM_BUCKETS + 1;
	while (ss->second <= last)
		count += visit(ss,
		    &ss->due[ss->second++ % HUB_STREAM_BUCKETS], now);
	return count;
}

/* see stream.h */
void
hub_streams_fini(struct hub_streams *ss)
{
	struct htab_iter	 it = HTAB_ITER_INIT;
	struct hnode		*n;

	while ((n = htab_next(&ss->table, &it)) != NULL)
		stream_free(ss, (struct hub_stream *)(void *)n);
	htab_fini(&ss->table);
}

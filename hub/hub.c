/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The register of channels and users, and the fan-out. An entry has two
 * roles, of which it may play either or both: the members of this worker,
 * and, at the owner, the set of the other workers that have members. It
 * lives as long as one of them is not empty.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"

struct hub_entry {
	struct hnode	  node;
	struct hub_sub	**member;	/* of this worker */
	uint32_t	  nmember, cap;
	uint32_t	  nname;
	uint64_t	  workers;	/* others with members; owner only */
	char		  name[];
};

/* A worker tells the owner that it has or no longer has members. A join for
 * a subscription comes back; it outlives the subscription. */
struct hub_join {
	struct mail	 mail;
	struct hub	*home, *owner;
	struct hub_sub	*sub;		/* NULL: nobody waits */
	enum hub_kind	 kind;
	bool		 leave;
	enum hub_err	 err;
	bool		 ask;		/* recover is to be answered */
	struct hub_recover recover;
	uint64_t	 hash;
	size_t		 nname;
	char		 name[];
};

static struct sv
entry_key(const struct hnode *n)
{
	const struct hub_entry *e = (const struct hub_entry *)(const void *)n;

	return sv_make(e->name, e->nname);
}

/* see hub.h */
void
hub_init(struct hub *h, unsigned id, unsigned n, struct hub **peer,
    const struct hub_ops *ops, void *ctx)
{
	memset(h, 0, sizeof(*h));
	h->id = id;
	h->n = n;
	h->peer = peer;
	h->ops = ops;
	h->ctx = ctx;
	htab_init(&h->table[HUB_CHANNELS].entries, entry_key);
	htab_init(&h->table[HUB_USERS].entries, entry_key);
}

/* see hub.h */
void
hub_fini(struct hub *h)
{
	struct htab_iter	 it;
	struct hnode		*n;
	struct hub_entry	*e;
	int			 k;

	for (k = 0; k < HUB_KINDS; k++) {
		it = (struct htab_iter)HTAB_ITER_INIT;
		while ((n = htab_next(&h->table[k].entries, &it)) != NULL) {
			e = (struct hub_entry *)(void *)n;
			htab_del(&h->table[k].entries, n);
			free(e->member);
			free(e);
		}
		htab_fini(&h->table[k].entries);
	}
	if (h->broker != NULL)
		h->broker->ops->free(h->broker);
}

static struct hub *
owner_of(const struct hub *h, uint64_t hash)
{
	return h->peer[hash % h->n];
}

/* ---- entries ---- */

static struct hub_entry *
entry_find(struct hub *h, enum hub_kind kind, uint64_t hash, struct sv name)
{
	return (struct hub_entry *)(void *)
	    htab_get(&h->table[kind].entries, hash, name);
}

static struct hub_entry *
entry_get(struct hub *h, enum hub_kind kind, uint64_t hash, struct sv name)
{
	struct hub_table	*t = &h->table[kind];
	struct hub_entry	*e;

	if ((e = entry_find(h, kind, hash, name)) != NULL)
		return e;
	if ((e = calloc(1, sizeof(*e) + name.n)) == NULL)
		return NULL;
	if (name.n > 0)
		memcpy(e->name, name.p, name.n);
	e->nname = (uint32_t)name.n;
	if (htab_put(&t->entries, hash, &e->node) == -1) {
		free(e);
		return NULL;
	}
	if (owner_of(h, hash) == h)
		t->owned++;
	return e;
}

static void
entry_release(struct hub *h, enum hub_kind kind, struct hub_entry *e)
{
	struct hub_table *t = &h->table[kind];

	if (e->nmember > 0 || e->workers != 0)
		return;
	if (owner_of(h, e->node.hash) == h)
		t->owned--;
	htab_del(&t->entries, &e->node);
	free(e->member);
	free(e);
}

static int
member_add(struct hub_entry *e, struct hub_sub *s)
{
	struct hub_sub	**v;
	uint32_t	  cap;

	if (e->nmember == e->cap) {
		cap = e->cap == 0 ? 1 : e->cap * 2;
		if ((v = realloc(e->member, cap * sizeof(*v))) == NULL)
			return -1;
		e->member = v;
		e->cap = cap;
	}
	s->entry = e;
	s->index = e->nmember;
	e->member[e->nmember++] = s;
	return 0;
}

static void
member_del(struct hub_sub *s)
{
	struct hub_entry  *e = s->entry;
	struct hub_sub	 **v, *last = e->member[--e->nmember];

	e->member[s->index] = last;
	last->index = s->index;
	s->entry = NULL;
	if (e->nmember < e->cap / 4) {
		v = realloc(e->member, e->cap / 2 * sizeof(*v));
		if (v != NULL) {
			e->member = v;
			e->cap /= 2;
		}
	}
}

/* ---- mail between member and owner ---- */

/* The end of a join, on its home worker. */
static void
join_answered(struct mail *m, void *ctx)
{
	struct hub_join	*j = (struct hub_join *)(void *)m;
	struct hub_sub	*s = j->sub;
	struct hub	*h = j->home;

	(void)ctx;
	if (s != NULL) {
		s->join = NULL;
		h->ops->joined(s, j->err, &j->recover);
	}
	hub_pubs_free(h, j->recover.pub, j->recover.npub);
	free(j);
}

static void
join_return(struct hub_join *j)
{
	j->mail.run = join_answered;
	if (j->home == j->owner)
		join_answered(&j->mail, NULL);
	else
		j->owner->ops->post(j->owner->ctx, j->home->id, &j->mail);
}

static void
join_recovered(struct hub_recover *r, void *arg, enum hub_err err)
{
	struct hub_join *j = arg;

	(void)r;
	j->err = err;
	join_return(j);
}

/* Enter or remove another worker as one that has members. */
static enum hub_err
set_worker(struct hub_join *j)
{
	struct hub_entry	*e;
	uint64_t		 bit = (uint64_t)1 << j->home->id;
	struct sv		 name = sv_make(j->name, j->nname);

	if (j->leave) {
		e = entry_find(j->owner, j->kind, j->hash, name);
		if (e != NULL) {
			e->workers &= ~bit;
			entry_release(j->owner, j->kind, e);
		}
		return HUB_OK;
	}
	if ((e = entry_get(j->owner, j->kind, j->hash, name)) == NULL)
		return HUB_INTERNAL;
	e->workers |= bit;
	return HUB_OK;
}

/* A join, on the owner. */
static void
join_serve(struct hub_join *j)
{
	struct hub_broker *b = j->owner->broker;

	if (j->home != j->owner)
		j->err = set_worker(j);
	if (j->err == HUB_OK && j->ask)
		b->ops->recover(b, sv_make(j->name, j->nname), &j->recover,
		    join_recovered, j);
	else
		join_return(j);
}

static void
join_arrived(struct mail *m, void *ctx)
{
	(void)ctx;
	join_serve((struct hub_join *)(void *)m);
}

static struct hub_join *
join_new(struct hub *h, enum hub_kind kind, uint64_t hash, struct sv name)
{
	struct hub_join *j;

	if ((j = calloc(1, sizeof(*j) + name.n)) == NULL)
		return NULL;
	j->mail.run = join_arrived;
	j->home = h;
	j->owner = owner_of(h, hash);
	j->kind = kind;
	j->hash = hash;
	j->nname = name.n;
	if (name.n > 0)
		memcpy(j->name, name.p, name.n);
	return j;
}

static void
join_post(struct hub_join *j)
{
	j->home->ops->post(j->home->ctx, j->owner->id, &j->mail);
}

/* No member left here: tell the owner, unless that is us. Without memory for
 * the mail the owner keeps counting us in, which costs it one mail for each
 * publication; arrivals for nobody say it again. */
static void
leave(struct hub *h, enum hub_kind kind, uint64_t hash, struct sv name)
{
	struct hub_join *j;

	if (owner_of(h, hash) == h)
		return;
	if ((j = join_new(h, kind, hash, name)) == NULL)
		return;
	j->leave = true;
	join_post(j);
}

/* ---- membership ---- */

/* Add a member; the owner is asked when it is another worker, or when there
 * is more to ask. *j is the question to send, or NULL. */
static int
attach(struct hub *h, enum hub_kind kind, struct hub_sub *s, struct sv name,
    bool ask, struct hub_join **j)
{
	uint64_t		 hash = hash_sv(name);
	struct hub_entry	*e;

	*j = NULL;
	if ((ask || owner_of(h, hash) != h) &&
	    (*j = join_new(h, kind, hash, name)) == NULL)
		return -1;
	if ((e = entry_get(h, kind, hash, name)) == NULL) {
		free(*j);
		return -1;
	}
	if (member_add(e, s) == -1) {
		entry_release(h, kind, e);
		free(*j);
		return -1;
	}
	return 0;
}

static void
detach(struct hub *h, enum hub_kind kind, struct hub_sub *s)
{
	struct hub_entry *e = s->entry;

	member_del(s);
	if (e->nmember == 0)
		leave(h, kind, e->node.hash, entry_key(&e->node));
	entry_release(h, kind, e);
}

/* see hub.h */
int
hub_subscribe(struct hub *h, struct hub_sub *s, struct sv channel,
    const struct hub_recover *ask)
{
	static const struct hub_recover	 nothing;
	struct hub_join			*j;

	if (attach(h, HUB_CHANNELS, s, channel, ask != NULL, &j) == -1)
		return -1;
	h->nsubs++;
	if (j == NULL) {
		h->ops->joined(s, HUB_OK, &nothing);
		return 0;
	}
	j->sub = s;
	s->join = j;
	if (ask != NULL) {
		j->ask = true;
		j->recover = *ask;
	}
	if (j->owner == h)
		join_serve(j);
	else
		join_post(j);
	return 0;
}

/* see hub.h */
void
hub_unsubscribe(struct hub *h, struct hub_sub *s)
{
	if (s->join != NULL) {
		s->join->sub = NULL;
		s->join = NULL;
	}
	h->nsubs--;
	detach(h, HUB_CHANNELS, s);
}

/* see hub.h */
int
hub_user_add(struct hub *h, struct hub_sub *s, struct sv user)
{
	struct hub_join *j;

	if (attach(h, HUB_USERS, s, user, false, &j) == -1)
		return -1;
	if (s->entry->nmember > 1)
		free(j);	/* the owner knows of us */
	else if (j != NULL)
		join_post(j);
	return 0;
}

/* see hub.h */
void
hub_user_del(struct hub *h, struct hub_sub *s)
{
	detach(h, HUB_USERS, s);
}

/* see hub.h */
struct sv
hub_sub_name(const struct hub_sub *s)
{
	return entry_key(&s->entry->node);
}

/* see hub.h */
size_t
hub_members(struct hub *h, enum hub_kind kind, struct sv name,
    struct hub_sub *const **members)
{
	struct hub_entry *e = entry_find(h, kind, hash_sv(name), name);

	*members = e == NULL ? NULL : e->member;
	return e == NULL ? 0 : e->nmember;
}

/* see hub.h */
void
hub_each(struct hub *h, enum hub_kind kind,
    void (*fn)(void *, struct sv, size_t), void *arg)
{
	struct htab_iter	 it = HTAB_ITER_INIT;
	struct hnode		*n;
	struct hub_entry	*e;

	while ((n = htab_next(&h->table[kind].entries, &it)) != NULL) {
		e = (struct hub_entry *)(void *)n;
		if (e->nmember > 0)
			fn(arg, entry_key(n), e->nmember);
	}
}

/* ---- publications ---- */

/* A publication on its way to another worker. */
struct hub_mail {
	struct mail	 mail;
	struct hub	*to;
	struct hub_pub	*pub, *prev;
	char		 epoch[HUB_EPOCH_MAX];
};

static void
fan_out(struct hub *h, struct hub_fanout *f, struct hub_entry *e)
{
	uint32_t i;

	for (i = 0; i < e->nmember; i++)
		if (e->member[i]->join == NULL)
			h->ops->deliver(e->member[i], f);
	for (i = 0; i < HUB_WIRE_MAX; i++)
		blob_unref(f->wire[i]);
	if (h->ops->done != NULL)
		h->ops->done(f);
}

static void
pub_arrived(struct mail *m, void *ctx)
{
	struct hub_mail		*hm = (struct hub_mail *)(void *)m;
	struct hub		*h = hm->to;
	struct sv		 channel = hub_pub_channel(hm->pub);
	uint64_t		 hash = hash_sv(channel);
	struct hub_fanout	 f = { .pub = hm->pub, .prev = hm->prev,
				     .epoch = hm->epoch };
	struct hub_entry	*e;

	(void)ctx;
	e = entry_find(h, HUB_CHANNELS, hash, channel);
	if (e != NULL)
		fan_out(h, &f, e);
	else
		leave(h, HUB_CHANNELS, hash, channel);
	hub_pub_unref(h, hm->pub);
	hub_pub_unref(h, hm->prev);
	free(hm);
}

/* Without memory that worker's subscribers miss the publication; those who
 * keep a position will notice. */
static void
pub_post(struct hub *h, unsigned to, const struct hub_fanout *f,
    struct hub_pub *pub, struct hub_pub *prev)
{
	struct hub_mail *hm;

	if ((hm = malloc(sizeof(*hm))) == NULL)
		return;
	hm->mail.run = pub_arrived;
	hm->to = h->peer[to];
	hub_pub_ref(h, pub);
	hm->pub = pub;
	if (prev != NULL)
		hub_pub_ref(h, prev);
	hm->prev = prev;
	strlcpy(hm->epoch, f->epoch, sizeof(hm->epoch));
	h->ops->post(h->ctx, to, &hm->mail);
}

/* see hub.h */
void
hub_deliver(struct hub *h, struct hub_pub *pub, struct hub_pub *prev,
    const char *epoch)
{
	struct hub_fanout	 f = { .pub = pub, .prev = prev,
				     .epoch = epoch };
	struct sv		 channel = hub_pub_channel(pub);
	struct hub_entry	*e;
	uint64_t		 set;

	e = entry_find(h, HUB_CHANNELS, hash_sv(channel), channel);
	if (e != NULL) {
		for (set = e->workers; set != 0; set &= set - 1)
			pub_post(h, (unsigned)__builtin_ctzll(set), &f, pub,
			    prev);
		fan_out(h, &f, e);
	}
	hub_pub_unref(h, pub);
}

/* ---- requests ---- */

static void
request_done(struct mail *m, void *ctx)
{
	struct hub_request *p = (struct hub_request *)(void *)m;

	(void)ctx;
	p->done(p);
}

/* see hub.h */
void
hub_answered(struct hub_request *p)
{
	if (p->home == p->owner) {
		p->done(p);
		return;
	}
	p->mail.run = request_done;
	p->owner->ops->post(p->owner->ctx, p->home->id, &p->mail);
}

static void
request_arrived(struct mail *m, void *ctx)
{
	struct hub_request *p = (struct hub_request *)(void *)m;

	(void)ctx;
	p->owner->broker->ops->request(p->owner->broker, p);
}

/* see hub.h */
void
hub_request(struct hub *h, struct hub_request *p)
{
	p->home = h;
	p->hash = hash_sv(p->channel);
	p->owner = owner_of(h, p->hash);
	p->err = HUB_OK;
	if (p->owner == h) {
		h->broker->ops->request(h->broker, p);
		return;
	}
	p->mail.run = request_arrived;
	h->ops->post(h->ctx, p->owner->id, &p->mail);
}

/* see hub.h */
void
hub_publish(struct hub *h, struct hub_publish *p)
{
	p->req.op = HUB_PUBLISH;
	p->req.channel = hub_pub_channel(p->pub);
	p->suppressed = false;
	memset(&p->pos, 0, sizeof(p->pos));
	hub_request(h, &p->req);
}

/* see hub.h */
size_t
hub_expire(struct hub *h)
{
	return h->broker->ops->expire(h->broker, h->ops->now(h->ctx));
}

/* see hub.h */
void
hub_pubs_free(const struct hub *h, struct hub_pub **pub, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		hub_pub_unref(h, pub[i]);
	free(pub);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Presence in memory, see roster.h. Most channels have few members, so there
 * are no tables for each of them: members and users of all channels are in
 * one table each, keyed by the address of their channel's struct and their
 * name.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "hub/roster.h"

struct channel {
	struct hnode	 node;
	LIST_HEAD(, member) members;
	uint32_t	 nmember, nuser;
	uint32_t	 nname;
	char		 name[];
};

#define PREFIX	sizeof(struct channel *)	/* of the keys */

/* A user in a channel. */
struct user {
	struct hnode	 node;
	uint32_t	 refs;		/* members */
	uint32_t	 nname;
	char		 key[];		/* channel, name */
};

struct member {
	struct hnode	 node;
	LIST_ENTRY(member) entry;
	struct user	*user;
	uint32_t	 nclient, nconn, nchan;
	char		 key[];		/* channel, client; then the infos */
};

static struct sv
channel_key(const struct hnode *n)
{
	const struct channel *c = (const struct channel *)(const void *)n;

	return sv_make(c->name, c->nname);
}

static struct sv
user_key(const struct hnode *n)
{
	const struct user *u = (const struct user *)(const void *)n;

	return sv_make(u->key, PREFIX + u->nname);
}

static struct sv
member_key(const struct hnode *n)
{
	const struct member *m = (const struct member *)(const void *)n;

	return sv_make(m->key, PREFIX + m->nclient);
}

static void
member_view(const struct member *m, struct hub_info *v)
{
	v->user = sv_skip(user_key(&m->user->node), PREFIX);
	v->client = sv_skip(member_key(&m->node), PREFIX);
	v->conn_info = sv_make(v->client.p + v->client.n, m->nconn);
	v->chan_info = sv_make(v->conn_info.p + m->nconn, m->nchan);
}

static char *
place(char *at, struct sv s)
{
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	return at + s.n;
}

static struct sv
place_key(char *key, const struct channel *c, struct sv name)
{
	place(place(key, sv_make(&c, PREFIX)), name);
	return sv_make(key, PREFIX + name.n);
}

/* see roster.h */
void
hub_roster_init(struct hub_roster *r)
{
	memset(r, 0, sizeof(*r));
	htab_init(&r->channels, channel_key);
	htab_init(&r->members, member_key);
	htab_init(&r->users, user_key);
}

/* ---- channels ---- */

static struct channel *
channel_find(struct hub_roster *r, uint64_t hash, struct sv name)
{
	return (struct channel *)(void *)htab_get(&r->channels, hash, name);
}

static struct channel *
channel_get(struct hub_roster *r, struct sv name)
{
	uint64_t	 hash = hash_sv(name);
	struct channel	*c = channel_find(r, hash, name);

	if (c != NULL || (c = calloc(1, sizeof(*c) + name.n)) == NULL)
		return c;
	c->nname = (uint32_t)name.n;
	place(c->name, name);
	if (htab_put(&r->channels, hash, &c->node) == -1) {
		free(c);
		return NULL;
	}
	return c;
}

static void
channel_release(struct hub_roster *r, struct channel *c)
{
	if (c->nmember > 0)
		return;
	htab_del(&r->channels, &c->node);
	free(c);
}

/* ---- users ---- */

static struct user *
user_get(struct hub_roster *r, struct channel *c, struct sv name)
{
	struct sv	 key = place_key(r->key, c, name);
	uint64_t	 hash = hash_sv(key);
	struct user	*u;

	u = (struct user *)(void *)htab_get(&r->users, hash, key);
	if (u == NULL) {
		if ((u = calloc(1, sizeof(*u) + key.n)) == NULL)
			return NULL;
		u->nname = (uint32_t)name.n;
		place(u->key, key);
		if (htab_put(&r->users, hash, &u->node) == -1) {
			free(u);
			return NULL;
		}
		c->nuser++;
	}
	u->refs++;
	return u;
}

static void
user_release(struct hub_roster *r, struct channel *c, struct user *u)
{
	if (--u->refs > 0)
		return;
	c->nuser--;
	htab_del(&r->users, &u->node);
	free(u);
}

/* ---- members ---- */

static struct member *
member_find(struct hub_roster *r, const struct channel *c, struct sv client)
{
	struct sv key;

	if (PREFIX + client.n > r->nkey)	/* no such name was ever put */
		return NULL;
	key = place_key(r->key, c, client);
	return (struct member *)(void *)
	    htab_get(&r->members, hash_sv(key), key);
}

/* It takes over the reference to u. */
static struct member *
member_new(struct hub_roster *r, struct channel *c, struct user *u,
    const struct hub_info *v)
{
	struct member *m;

	m = malloc(sizeof(*m) + PREFIX + v->client.n + v->conn_info.n +
	    v->chan_info.n);
	if (m == NULL)
		return NULL;
	m->user = u;
	m->nclient = (uint32_t)v->client.n;
	m->nconn = (uint32_t)v->conn_info.n;
	m->nchan = (uint32_t)v->chan_info.n;
	place_key(m->key, c, v->client);
	place(place(m->key + PREFIX + m->nclient, v->conn_info),
	    v->chan_info);
	if (htab_put(&r->members, hash_sv(member_key(&m->node)),
	    &m->node) == -1) {
		free(m);
		return NULL;
	}
	LIST_INSERT_HEAD(&c->members, m, entry);
	c->nmember++;
	return m;
}

static void
member_free(struct hub_roster *r, struct channel *c, struct member *m)
{
	user_release(r, c, m->user);
	LIST_REMOVE(m, entry);
	c->nmember--;
	htab_del(&r->members, &m->node);
	free(m);
}

static bool
is_same(const struct member *m, const struct hub_info *v)
{
	struct hub_info old;

	member_view(m, &old);
	return sv_eq(old.user, v->user) &&
	    sv_eq(old.conn_info, v->conn_info) &&
	    sv_eq(old.chan_info, v->chan_info);
}

/* ---- what is asked ---- */

static int
reserve_key(struct hub_roster *r, size_t n)
{
	char *p;

	if (n <= r->nkey)
		return 0;
	if ((p = realloc(r->key, n)) == NULL)
		return -1;
	r->key = p;
	r->nkey = n;
	return 0;
}

/* see roster.h */
int
hub_roster_put(struct hub_roster *r, struct sv channel,
    const struct hub_info *v)
{
	struct channel	*c;
	struct member	*old;
	struct user	*u;

	if (reserve_key(r, PREFIX + v->client.n) == -1 ||
	    reserve_key(r, PREFIX + v->user.n) == -1 ||
	    (c = channel_get(r, channel)) == NULL)
		return -1;
	old = member_find(r, c, v->client);
	if (old != NULL && is_same(old, v))
		return 0;
	if ((u = user_get(r, c, v->user)) == NULL)
		goto fail;
	/* For a moment both are there: nothing can fail afterwards. */
	if (member_new(r, c, u, v) == NULL) {
		user_release(r, c, u);
		goto fail;
	}
	if (old != NULL)
		member_free(r, c, old);
	return 0;
fail:
	channel_release(r, c);
	return -1;
}

/* see roster.h */
void
hub_roster_del(struct hub_roster *r, struct sv channel, struct sv client)
{
	struct channel	*c = channel_find(r, hash_sv(channel), channel);
	struct member	*m = c == NULL ? NULL : member_find(r, c, client);

	if (m == NULL)
		return;
	member_free(r, c, m);
	channel_release(r, c);
}

/* A copy of the view at `at'; the end of it. */
static char *
copy_info(char *at, struct hub_info *v)
{
	struct sv	*part[] = { &v->user, &v->client, &v->conn_info,
			    &v->chan_info };
	size_t		 i;

	for (i = 0; i < sizeof(part) / sizeof(*part); i++) {
		place(at, *part[i]);
		part[i]->p = at;
		at += part[i]->n;
	}
	return at;
}

static struct hub_info *
copy_members(const struct channel *c)
{
	const struct member	*m;
	struct hub_info		*info, v;
	size_t			 n = c->nmember * sizeof(*info), i = 0;
	char			*at;

	LIST_FOREACH(m, &c->members, entry)
		n += m->user->nname + m->nclient + m->nconn + m->nchan;
	if ((info = malloc(n)) == NULL)
		return NULL;
	at = (char *)&info[c->nmember];
	LIST_FOREACH(m, &c->members, entry) {
		member_view(m, &v);
		at = copy_info(at, &v);
		info[i++] = v;
	}
	return info;
}

/* see roster.h */
int
hub_roster_get(struct hub_roster *r, struct hub_presence *p)
{
	struct sv	 name = p->req.channel;
	struct channel	*c = channel_find(r, hash_sv(name), name);

	p->info = NULL;
	p->num_clients = p->num_users = 0;
	if (c == NULL)
		return 0;
	if (p->req.op == HUB_PRESENCE && (p->info = copy_members(c)) == NULL)
		return -1;
	p->num_clients = c->nmember;
	p->num_users = c->nuser;
	return 0;
}

/* see roster.h */
void
hub_roster_fini(struct hub_roster *r)
{
	struct htab_iter	 it = HTAB_ITER_INIT;
	struct hnode		*n;
	struct channel		*c;
	struct member		*m;

	while ((n = htab_next(&r->channels, &it)) != NULL) {
		c = (struct channel *)(void *)n;
		while ((m = LIST_FIRST(&c->members)) != NULL)
			member_free(r, c, m);
		channel_release(r, c);
	}
	htab_fini(&r->channels);
	htab_fini(&r->members);
	htab_fini(&r->users);
	free(r->key);
}

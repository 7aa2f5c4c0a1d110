/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The session cache: see session.h. The id was made by this process from
 * random bytes, so its first ones say where the session is, and nobody can
 * choose ids that crowd one bucket. Every slot that was ever used is wiped
 * before the memory goes.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tls/session.h"

#define WAYS	4

struct slot {
	unsigned char		 id[32], secret[48];
	struct tls_session_scope scope;
	int64_t			 until;		/* 0: empty */
	char			*subject;	/* or NULL */
	uint16_t		 version, suite;
};

struct tls_sessions {
	pthread_mutex_t	 lock;
	size_t		 nbuckets;
	struct slot	*slot;		/* WAYS for each bucket */
};

static void
wipe(struct slot *s)
{
	free(s->subject);
	explicit_bzero(s, sizeof(*s));
}

static struct slot *
bucket(struct tls_sessions *ss, const unsigned char *id)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return ss->slot + h % ss->nbuckets * WAYS;
}

/* The slot with that id, still good. */
static struct slot *
find(struct tls_sessions *ss, const unsigned char *id, int64_t now)
{
	struct slot	*s = bucket(ss, id), *end = s + WAYS;

	for (; s < end; s++)
		if (s->until != 0 && memcmp(s->id, id, 32) == 0) {
			if (s->until > now)
				return s;
			wipe(s);
		}
	return NULL;
}

/* see session.h */
void
tls_sessions_put(struct tls_sessions *ss, const br_ssl_session_parameters *p,
    const struct tls_session_scope *scope, const char *subject, int64_t now,
    int64_t until)
{
	struct slot	*s, *best;
	char		*copy = NULL;
	int		 i;

	if (until <= now ||
	    (subject[0] != '\0' && (copy = strdup(subject)) == NULL))
		return;
	pthread_mutex_lock(&ss->lock);
	best = s = bucket(ss, p->session_id);
	for (i = 1; i < WAYS; i++)
		if (s[i].until < best->until)
			best = s + i;
	wipe(best);
	memcpy(best->id, p->session_id, sizeof(best->id));
	memcpy(best->secret, p->master_secret, sizeof(best->secret));
	best->version = p->version;
	best->suite = p->cipher_suite;
	best->scope = *scope;
	best->until = until;
	best->subject = copy;
	pthread_mutex_unlock(&ss->lock);
}

static bool
take(const struct slot *s, br_ssl_session_parameters *p, char **subject)
{
	if (s->subject != NULL && (*subject = strdup(s->subject)) == NULL)
		return false;
	memcpy(p->master_secret, s->secret, sizeof(s->secret));
	p->version = s->version;
	p->cipher_suite = s->suite;
	return true;
}

/* see session.h */
bool
tls_sessions_get(struct tls_sessions *ss, br_ssl_session_parameters *p,
    const struct tls_session_scope *scope, int64_t now, char **subject)
{
	const struct slot	*s;
	bool			 good;

	*subject = NULL;
	pthread_mutex_lock(&ss->lock);
	s = find(ss, p->session_id, now);
	good = s != NULL && s->scope.name == scope->name &&
	    s->scope.trust == scope->trust && take(s, p, subject);
	pthread_mutex_unlock(&ss->lock);
	return good;
}

/* see tls.h */
struct tls_sessions *
tls_sessions_new(size_t entries)
{
	struct tls_sessions *ss;

	if ((ss = calloc(1, sizeof(*ss))) == NULL)
		return NULL;
	ss->nbuckets = entries / WAYS + (entries % WAYS != 0);
	if (ss->nbuckets == 0)
		ss->nbuckets = 1;
	ss->slot = calloc(ss->nbuckets, WAYS * sizeof(*ss->slot));
	if (ss->slot == NULL || pthread_mutex_init(&ss->lock, NULL) != 0) {
		free(ss->slot);
		free(ss);
		return NULL;
	}
	return ss;
}

/* see tls.h */
void
tls_sessions_free(struct tls_sessions *ss)
{
	size_t i;

	if (ss == NULL)
		return;
	for (i = 0; i < ss->nbuckets * WAYS; i++)
		if (ss->slot[i].until != 0)
			wipe(&ss->slot[i]);
	pthread_mutex_destroy(&ss->lock);
	free(ss->slot);
	free(ss);
}

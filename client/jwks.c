/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See jwks.h. A source is a URL, its set, and those who wait for it. Its
 * timer starts the next fetch, at once or when the last is long enough ago.
 */
#include <sys/queue.h>

#include <stdlib.h>

#include "client/jwks.h"
#include "jwt/jwks.h"
#include "util/log.h"

struct jwks_wait {
	LIST_ENTRY(jwks_wait)	 entry;
	void			(*on_key)(void *, const struct jwt_key *);
	void			*arg;
	struct sv		 kid;	/* behind the struct */
};

LIST_HEAD(wait_list, jwks_wait);

struct source {
	LIST_ENTRY(source)	 entry;
	struct jwks		*jwks;
	struct timer		 timer;
	struct http_call	*call;		/* the fetch under way */
	int			 tries;
	int64_t			 fetched_at;	/* started; 0: never */
	int64_t			 expires_at;	/* of the set */
	int64_t			 used_at;
	bool			 answering;	/* not to be evicted now */
	struct jwt_set		 set;
	struct wait_list	 waits;
	struct sv		 url;		/* behind the struct */
};

struct jwks {
	struct worker		*w;
	struct http_client	*hc;
	LIST_HEAD(, source)	 sources;
	size_t			 n;
};

/* ---- sources ---- */

static struct source *
source_find(struct jwks *j, struct sv url)
{
	struct source *s;

	LIST_FOREACH(s, &j->sources, entry)
		if (sv_eq(s->url, url))
			break;
	return s;
}

static void
source_free(struct source *s)
{
	struct jwks_wait *x;

	if (s->call != NULL)
		http_call_cancel(s->call);
	timer_stop(&s->timer);
	while ((x = LIST_FIRST(&s->waits)) != NULL)
		jwks_cancel(x);
	jwt_set_fini(&s->set);
	LIST_REMOVE(s, entry);
	s->jwks->n--;
	free(s);
}

/* Make room: the source that was not used for longest goes. */
static int
evict(struct jwks *j)
{
	struct source *s, *oldest = NULL;

	LIST_FOREACH(s, &j->sources, entry)
		if (LIST_EMPTY(&s->waits) && s->call == NULL &&
		    !s->answering && (oldest == NULL ||
		    s->used_at < oldest->used_at))
			oldest = s;
	if (oldest == NULL)
		return -1;
	source_free(oldest);
	return 0;
}

static void	fetch(struct timer *);

static struct source *
source_new(struct jwks *j, struct sv url)
{
	struct source *s;

	if (j->n == JWKS_URLS_MAX && evict(j) == -1)
		return NULL;
	if ((s = calloc(1, sizeof(*s) + url.n)) == NULL)
		return NULL;
	memcpy(s + 1, url.p, url.n);
	s->url = sv_make(s + 1, url.n);
	s->jwks = j;
	s->timer.fn = fetch;
	LIST_INIT(&s->waits);
	LIST_INSERT_HEAD(&j->sources, s, entry);
	j->n++;
	return s;
}

/* ---- fetching ---- */

/* Tell all who wait. They may cancel each other and ask again meanwhile. */
static void
answer(struct source *s)
{
	struct wait_list	 due = LIST_HEAD_INITIALIZER(due);
	struct jwks_wait	*x;
	bool			 valid = s->expires_at > s->jwks->w->now;

	s->answering = true;
	while ((x = LIST_FIRST(&s->waits)) != NULL) {
		LIST_REMOVE(x, entry);
		LIST_INSERT_HEAD(&due, x, entry);
	}
	while ((x = LIST_FIRST(&due)) != NULL) {
		LIST_REMOVE(x, entry);
		x->on_key(x->arg, valid ? jwt_set_find(&s->set, x->kid) :
		    NULL);
		free(x);
	}
	s->answering = false;
}

static void
log_failure(const struct source *s, const char *why, int status)
{
	struct sv url = s->url;

	/* A query may hold a secret. */
	log_warn("can't get the keys that tokens are signed with",
	    kv_sv("url", sv_cut(&url, '?')), kv_s("error", why),
	    kv_i("status", status));
}

static void
on_fetched(void *arg, const struct http_answer *a)
{
	struct source	*s = arg;
	struct jwt_set	 set = JWT_SET_INIT;
	const char	*why = a->why;
	int		 status = a->why == NULL ? a->reply->status : 0;

	s->call = NULL;
	if (why == NULL && status != 200)
		why = "unexpected status";
	if (why != NULL && ++s->tries < JWKS_TRIES) {
		fetch(&s->timer);
		return;
	}
	if (why == NULL && jwt_set_parse(&set, a->body, &why) == 0) {
		jwt_set_fini(&s->set);
		s->set = set;
		s->expires_at = s->jwks->w->now + JWKS_TTL_MS;
	} else {
		log_failure(s, why, status);
	}
	s->tries = 0;
	answer(s);
}

static void
fetch(struct timer *t)
{
	struct source	*s = (struct source *)(void *)((char *)t -
	    offsetof(struct source, timer));
	struct http_ask	 ask = { .method = HTTP_GET, .url = s->url,
	    .headers = SV("Accept: application/json\r\n"),
	    .max_body = JWKS_BODY_MAX, .timeout_ms = JWKS_TIMEOUT_MS };

	s->fetched_at = s->jwks->w->now;
	s->call = http_call(s->jwks->hc, &ask, on_fetched, s);
	if (s->call == NULL)
		answer(s);
}

/* Fetch now, or when a fetch may be again. */
static void
want(struct source *s)
{
	int64_t now = s->jwks->w->now, at = now;

	if (s->call != NULL || timer_is_set(&s->timer))
		return;
	if (s->fetched_at != 0 && s->fetched_at + JWKS_INTERVAL_MS > now)
		at = s->fetched_at + JWKS_INTERVAL_MS;
	timer_set(s->jwks->w, &s->timer, at);
}

/* ---- the interface ---- */

/* see jwks.h */
const struct jwt_key *
jwks_find(struct jwks *j, struct sv url, struct sv kid)
{
	struct source *s = source_find(j, url);

	if (s == NULL || s->expires_at <= j->w->now)
		return NULL;
	s->used_at = j->w->now;
	return jwt_set_find(&s->set, kid);
}

/* see jwks.h */
struct jwks_wait *
jwks_get(struct jwks *j, struct sv url, struct sv kid,
    void (*on_key)(void *, const struct jwt_key *), void *arg)
{
	struct jwks_wait	*x;
	struct source		*s;

	if ((x = malloc(sizeof(*x) + kid.n)) == NULL)
		return NULL;
	if ((s = source_find(j, url)) == NULL &&
	    (s = source_new(j, url)) == NULL) {
		free(x);
		return NULL;
	}
	memcpy(x + 1, kid.p, kid.n);
	x->kid = sv_make(x + 1, kid.n);
	x->on_key = on_key;
	x->arg = arg;
	LIST_INSERT_HEAD(&s->waits, x, entry);
	s->used_at = j->w->now;
	want(s);
	return x;
}

/* see jwks.h */
void
jwks_cancel(struct jwks_wait *x)
{
	LIST_REMOVE(x, entry);
	free(x);
}

/* see jwks.h */
struct jwks *
jwks_new(struct worker *w, struct http_client *hc)
{
	struct jwks *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->w = w;
	j->hc = hc;
	LIST_INIT(&j->sources);
	return j;
}

/* see jwks.h */
void
jwks_free(struct jwks *j)
{
	if (j == NULL)
		return;
	while (!LIST_EMPTY(&j->sources))
		source_free(LIST_FIRST(&j->sources));
	free(j);
}

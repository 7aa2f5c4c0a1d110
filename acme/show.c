/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See show.h.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/show.h"

#define TOKEN_MAX	512
#define BODY_MAX	4096	/* some send one with a GET */

struct acme_token {
	struct acme_token	*next;
	struct sv		 token, key_auth;	/* behind the struct */
};

/* see show.h */
void
acme_show_init(struct acme_show *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->first = NULL;
}

/* see show.h */
void
acme_show_fini(struct acme_show *s)
{
	acme_show_drop_all(s);
	pthread_mutex_destroy(&s->lock);
}

/* see show.h */
bool
acme_show_is_token(struct sv s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
		    (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		    (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' ||
		    s.p[i] == '_'))
			return false;
	return s.n > 0 && s.n <= TOKEN_MAX;
}

/* Where the token stands, or the end. */
static struct acme_token **
find(struct acme_show *s, struct sv token)
{
	struct acme_token **t;

	for (t = &s->first; *t != NULL; t = &(*t)->next)
		if (sv_eq((*t)->token, token))
			break;
	return t;
}

/* see show.h */
int
acme_show_put(struct acme_show *s, struct sv token, struct sv key_auth)
{
	struct acme_token	*t;
	char			*p;

	if (!acme_show_is_token(token) || key_auth.n == 0)
		return -1;
	if ((t = malloc(sizeof(*t) + token.n + key_auth.n)) == NULL)
		return -1;
	p = (char *)(t + 1);
	memcpy(p, token.p, token.n);
	memcpy(p + token.n, key_auth.p, key_auth.n);
	t->token = sv_make(p, token.n);
	t->key_auth = sv_make(p + token.n, key_auth.n);
	acme_show_drop(s, token);
	pthread_mutex_lock(&s->lock);
	t->next = s->first;
	s->first = t;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* see show.h */
void
acme_show_drop(struct acme_show *s, struct sv token)
{
	struct acme_token **place, *t;

	pthread_mutex_lock(&s->lock);
	place = find(s, token);
	if ((t = *place) != NULL)
		*place = t->next;
	pthread_mutex_unlock(&s->lock);
	free(t);
}

/* see show.h */
void
acme_show_drop_all(struct acme_show *s)
{
	while (s->first != NULL)
		acme_show_drop(s, s->first->token);
}

/* ---- over HTTP ---- */

static void
handler(struct http_exchange *x)
{
	struct acme_show	*s = x->ctx;
	struct sv		 token = sv_skip(x->req.path,
				    sizeof(ACME_WELL_KNOWN) - 1);
	struct acme_token	*t;
	struct buf		 b = BUF_INIT;

	if (sv_eq(token, SV(ACME_SELF)))
		buf_puts(&b, ACME_SELF);
	pthread_mutex_lock(&s->lock);
	if ((t = *find(s, token)) != NULL)
		buf_putsv(&b, t->key_auth);
	pthread_mutex_unlock(&s->lock);
	if (b.failed)
		http_respond_error(x, 500, NULL);
	else if (b.n == 0)
		http_respond_error(x, 404, NULL);
	else
		http_respond(x, 200, "application/octet-stream", buf_sv(&b));
	buf_fini(&b);
}

/* see show.h */
void
acme_show_route(struct acme_show *s, struct http_route *r)
{
	*r = (struct http_route){
		.path = ACME_WELL_KNOWN,
		.prefix = true,
		.reserve_ok = true,
		.methods = 1u << HTTP_GET,
		.max_body = BODY_MAX,
		.handler = handler,
		.ctx = s,
	};
}

/* ---- in files ---- */

static int
write_file(const char *path, struct sv text)
{
	ssize_t	n;
	int	fd, error;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (fd == -1)
		return -1;
	/* The web server runs as somebody else. */
	fchmod(fd, 0644);
	n = write(fd, text.p, text.n);
	error = n == -1 ? errno : ENOSPC;
	close(fd);
	if (n == (ssize_t)text.n)
		return 0;
	errno = error;
	return -1;
}

/* see show.h */
int
acme_show_file(const char *webroot, struct sv token, struct sv key_auth)
{
	static const char *const dir[] = { "/.well-known", ACME_WELL_KNOWN };
	char	path[4096];
	size_t	i;

	if (!acme_show_is_token(token)) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; key_auth.n > 0 && i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", webroot, dir[i]);
		if (mkdir(path, 0755) == -1 && errno != EEXIST)
			return -1;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s%s%.*s", webroot,
	    ACME_WELL_KNOWN, SV_ARG(token)) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return key_auth.n > 0 ? write_file(path, key_auth) : unlink(path);
}

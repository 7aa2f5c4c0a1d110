/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What a CA is shown over plain HTTP (RFC 8555, 8.3): the answers to http-01
 * challenges, by their tokens. Read by every worker, changed by one.
 */
#ifndef ACME_SHOW_H
#define ACME_SHOW_H

#include <pthread.h>

#include "http/server.h"

#define ACME_WELL_KNOWN	"/.well-known/acme-challenge/"
/* A token that is always answered, with itself: for fugu acme check. */
#define ACME_SELF	"fugu-check"

struct acme_token;

struct acme_show {
	pthread_mutex_t		 lock;
	struct acme_token	*first;
};

void	acme_show_init(struct acme_show *);
void	acme_show_fini(struct acme_show *);
/* Answer for a token from now on. -1: no memory, or it is no token (RFC 8555,
 * 8.3: base64url). */
int	acme_show_put(struct acme_show *, struct sv token,
	    struct sv key_auth);
void	acme_show_drop(struct acme_show *, struct sv token);
void	acme_show_drop_all(struct acme_show *);
bool	acme_show_is_token(struct sv);

/* The route to be served on every plain port, before any redirect. It lives
 * as long as the table. */
void	acme_show_route(struct acme_show *, struct http_route *);

/* The same as a file below the root directory of another web server; key_auth
 * empty: remove it. 0, or -1 with errno. */
int	acme_show_file(const char *webroot, struct sv token,
	    struct sv key_auth);

#endif

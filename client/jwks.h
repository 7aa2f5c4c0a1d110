/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Key sets behind URLs, one cache a worker. A key is looked for by URL and
 * id together: ids of different issuers may collide. What is not at hand is
 * fetched without blocking anybody, once for all who wait: with one second
 * to answer and two tries, and one fetch a second and URL at most, so that
 * tokens with invented ids cost the key server little. A set is believed for
 * an hour, and replaced as a whole: a key that its owner took out is gone
 * with the next fetch.
 *
 *	err = jwt_verify(&t, v, token, now);
 *	if (err == JWT_KEY_UNKNOWN) {
 *		if ((key = jwks_find(jwks, t.key_url, t.kid)) == NULL)
 *			wait = jwks_get(jwks, t.key_url, t.kid, on_key, c);
 *		else
 *			err = jwt_verify_key(&t, v, key, token, now);
 *	}
 */
#ifndef CLIENT_JWKS_H
#define CLIENT_JWKS_H

#include "http/client.h"
#include "jwt/key.h"

#define JWKS_TTL_MS		(3600 * 1000)
#define JWKS_TIMEOUT_MS		1000
#define JWKS_TRIES		2
#define JWKS_INTERVAL_MS	1000	/* between fetches of a URL */
#define JWKS_BODY_MAX		(256 * 1024)
#define JWKS_URLS_MAX		64

struct jwks;
struct jwks_wait;

/* NULL: no memory. Both arguments must outlive it. */
struct jwks *jwks_new(struct worker *, struct http_client *);
/* Whoever still waits will not be called. */
void	jwks_free(struct jwks *);

/* The key, if it is at hand; to be used at once. */
const struct jwt_key *jwks_find(struct jwks *, struct sv url, struct sv kid);
/* Fetch the key. on_key is called later, once, never from within, with a key
 * that is valid until it returns, or with NULL: there is none such, or the
 * set can't be had. NULL: no memory or too many URLs; it will not be called.
 */
struct jwks_wait *jwks_get(struct jwks *, struct sv url, struct sv kid,
	    void (*on_key)(void *arg, const struct jwt_key *), void *arg);
/* on_key will not be called. Not to be called once it has been. */
void	jwks_cancel(struct jwks_wait *);

#endif

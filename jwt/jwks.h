/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * JSON Web Key Sets (RFC 7517): public keys by their ids. Of a set those
 * keys are taken that are for signatures ("use" is "sig"), have an id, and
 * are RSA or EC keys that jwt/key.h accepts; others are passed over, so that
 * one key that we can't use (an EdDSA one, say) does not cost the rest.
 */
#ifndef JWT_JWKS_H
#define JWT_JWKS_H

#include "jwt/key.h"

#define JWT_SET_MAX	64	/* keys taken of one set */
#define JWT_KID_MAX	1024	/* bytes of an id */

struct jwt_set_key {
	char		*kid;
	size_t		 kid_n;
	struct jwt_key	 key;
};

struct jwt_set {
	struct jwt_set_key	*v;
	size_t			 n;
};

#define JWT_SET_INIT	{ NULL, 0 }

/* Read a set into *set, which must be empty. 0, or -1 with *why, a static
 * text, and *set empty: not a set, too many keys, or no memory. A set of
 * which no key can be used is fine. */
int	jwt_set_parse(struct jwt_set *set, struct sv text, const char **why);
void	jwt_set_fini(struct jwt_set *);
/* The key of that id (the last one, if several have it), or NULL. */
const struct jwt_key *jwt_set_find(const struct jwt_set *, struct sv kid);

#endif

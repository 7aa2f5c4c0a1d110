/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Inside jwt/: the algorithms by their names (RFC 7518, 3.1), what each is
 * made of, and the MAC of those that have one.
 */
#ifndef JWT_ALG_H
#define JWT_ALG_H

#include <bearssl.h>

#include "jwt/jwt.h"

#define JWT_MAC_MAX	64

struct jwt_alg_info {
	const char		*name;
	enum jwt_family		 family;
	const br_hash_class	*hash;
	const unsigned char	*hash_oid;	/* RSA */
	int			 curve;		/* EC: the only one */
};

/* What is known of an algorithm; of JWT_NONE that it has no family. */
const struct jwt_alg_info *jwt_alg_info(enum jwt_alg);
/* The algorithm of that exact name; JWT_NONE if there is none such, for
 * "none" too. */
enum jwt_alg	jwt_alg_parse(struct sv name);
/* HMAC of text into out; its length. */
size_t		jwt_hmac(enum jwt_alg, struct sv secret, struct sv text,
		    unsigned char out[JWT_MAC_MAX]);

#endif

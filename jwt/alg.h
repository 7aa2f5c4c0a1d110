/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Inside jwt/: the algorithms by their names (RFC 7518, 3.1) and the MAC of
 * those that have one.
 */
#ifndef JWT_ALG_H
#define JWT_ALG_H

#include "jwt/jwt.h"

#define JWT_MAC_MAX	64

/* The algorithm of that exact name; JWT_NONE if there is none such, for
 * "none" too. */
enum jwt_alg	jwt_alg_parse(struct sv name);
/* HMAC of text into out; its length. */
size_t		jwt_hmac(enum jwt_alg, struct sv secret, struct sv text,
		    unsigned char out[JWT_MAC_MAX]);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Public keys: read from PEM (RFC 7468) or from the members of a JSON Web
 * Key, checked once, then only used. A key belongs to one family of
 * algorithms, and what is weak or not on its curve never becomes a key: RSA
 * of 2048 to 4096 bits with an odd exponent from 3 on, and points of P-256,
 * P-384 and P-521. A key is plain data: copy it, keep it anywhere.
 */
#ifndef JWT_KEY_H
#define JWT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "jwt/jwt.h"

#define JWT_RSA_BITS_MIN	2048
#define JWT_RSA_BITS_MAX	4096	/* the most that BearSSL has */
#define JWT_KEY_BYTES		(JWT_RSA_BITS_MAX / 8 + 4)

struct jwt_key {
	enum jwt_family	family;		/* JWT_NO_FAMILY: no key */
	enum jwt_alg	alg;		/* this one only; JWT_NONE: all of the
					 * family */
	int		curve;		/* BearSSL's number, of an EC key */
	uint16_t	n;		/* bytes of the modulus or the point */
	uint16_t	e;		/* bytes of the exponent behind it */
	unsigned char	bytes[JWT_KEY_BYTES];
};

/* One key in PEM: PUBLIC KEY (SubjectPublicKeyInfo), or RSA PUBLIC KEY
 * (PKCS#1). 0, or -1 with *why, a static text; *key is no key then. */
int	jwt_key_pem(struct jwt_key *key, struct sv pem, const char **why);
/* The same without the armour. */
int	jwt_key_der(struct jwt_key *key, struct sv der, const char **why);
/* From big-endian numbers; leading zeros of n and e don't count, x and y
 * have exactly the curve's size. */
int	jwt_key_rsa(struct jwt_key *key, struct sv n, struct sv e,
	    const char **why);
int	jwt_key_ec(struct jwt_key *key, int curve, struct sv x, struct sv y,
	    const char **why);

/* Bytes of a coordinate; 0 if the curve is not known. */
size_t	jwt_curve_size(int curve);

/* Whether the key is for that algorithm: its family, its curve, and the one
 * algorithm it may be bound to. */
bool	jwt_key_fits(const struct jwt_key *, enum jwt_alg);
/* Whether sig is the key's signature of text by that algorithm, which it
 * fits. */
bool	jwt_key_verify(const struct jwt_key *, enum jwt_alg, struct sv text,
	    struct sv sig);

#endif

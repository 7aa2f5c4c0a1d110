/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See alg.h. Key material on the stack is wiped.
 */
#include <assert.h>
#include <string.h>

#include "jwt/alg.h"

static const struct jwt_alg_info algs[] = {
	[JWT_NONE] = { .name = "none", .family = JWT_NO_FAMILY },
	[JWT_HS256] = { .name = "HS256", .family = JWT_HMAC,
	    .hash = &br_sha256_vtable },
	[JWT_HS384] = { .name = "HS384", .family = JWT_HMAC,
	    .hash = &br_sha384_vtable },
	[JWT_HS512] = { .name = "HS512", .family = JWT_HMAC,
	    .hash = &br_sha512_vtable },
	[JWT_RS256] = { .name = "RS256", .family = JWT_RSA,
	    .hash = &br_sha256_vtable, .hash_oid = BR_HASH_OID_SHA256 },
	[JWT_RS384] = { .name = "RS384", .family = JWT_RSA,
	    .hash = &br_sha384_vtable, .hash_oid = BR_HASH_OID_SHA384 },
	[JWT_RS512] = { .name = "RS512", .family = JWT_RSA,
	    .hash = &br_sha512_vtable, .hash_oid = BR_HASH_OID_SHA512 },
	[JWT_ES256] = { .name = "ES256", .family = JWT_EC,
	    .hash = &br_sha256_vtable, .curve = BR_EC_secp256r1 },
	[JWT_ES384] = { .name = "ES384", .family = JWT_EC,
	    .hash = &br_sha384_vtable, .curve = BR_EC_secp384r1 },
	[JWT_ES512] = { .name = "ES512", .family = JWT_EC,
	    .hash = &br_sha512_vtable, .curve = BR_EC_secp521r1 },
};

#define NALGS	(sizeof(algs) / sizeof(algs[0]))

_Static_assert(NALGS == JWT_ES512 + 1, "an algorithm without a name");
_Static_assert(br_sha512_SIZE <= JWT_MAC_MAX, "a MAC too long");

/* see alg.h */
const struct jwt_alg_info *
jwt_alg_info(enum jwt_alg alg)
{
	return &algs[alg];
}

/* see alg.h */
enum jwt_alg
jwt_alg_parse(struct sv name)
{
	size_t	i;

	for (i = JWT_NONE + 1; i < NALGS; i++)
		if (sv_eq(name, sv_from(algs[i].name)))
			return (enum jwt_alg)i;
	return JWT_NONE;
}

/* see alg.h */
size_t
jwt_hmac(enum jwt_alg alg, struct sv secret, struct sv text,
    unsigned char out[JWT_MAC_MAX])
{
	br_hmac_key_context	key;
	br_hmac_context		mac;
	size_t			n;

	assert(algs[alg].family == JWT_HMAC);
	br_hmac_key_init(&key, algs[alg].hash, secret.p, secret.n);
	br_hmac_init(&mac, &key, 0);
	br_hmac_update(&mac, text.p, text.n);
	n = br_hmac_out(&mac, out);
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(&mac, sizeof(mac));
	return n;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Signatures by public keys (RFC 7518, 3.3 and 3.4): RSASSA-PKCS1-v1_5, and
 * ECDSA with r and s side by side. Nothing here is secret, so no care is
 * taken to hide anything; every length is exact.
 */
#include <assert.h>
#include <string.h>

#include <bearssl.h>

#include "jwt/alg.h"
#include "jwt/key.h"

#define HASH_MAX	br_sha512_SIZE

static size_t
hash(const br_hash_class *class, struct sv text, unsigned char *out)
{
	br_hash_compat_context ctx;

	class->init(&ctx.vtable);
	class->update(&ctx.vtable, text.p, text.n);
	class->out(&ctx.vtable, out);
	return class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

/* RFC 8017, 8.2.2. BearSSL takes a signature of the modulus's length only,
 * and compares the padding whole. */
static bool
rsa_verify(const struct jwt_key *key, const struct jwt_alg_info *info,
    struct sv text, struct sv sig)
{
	unsigned char		want[HASH_MAX], got[HASH_MAX];
	unsigned char		bytes[JWT_KEY_BYTES];
	br_rsa_public_key	pk;
	size_t			n;

	if (sig.n != key->n)
		return false;
	memcpy(bytes, key->bytes, sizeof(bytes));
	pk = (br_rsa_public_key){ .n = bytes, .nlen = key->n,
	    .e = bytes + key->n, .elen = key->e };
	n = hash(info->hash, text, want);
	return br_rsa_pkcs1_vrfy_get_default()((const unsigned char *)sig.p,
	    sig.n, info->hash_oid, n, &pk, got) == 1 &&
	    memcmp(want, got, n) == 0;
}

/* Whether 0 < v < order, of the same length: FIPS 186-5, 6.4.2, step 1. No
 * need to know what BearSSL makes of other numbers. */
static bool
in_range(struct sv v, struct sv order)
{
	size_t i;

	for (i = 0; i < v.n && v.p[i] == 0; i++)
		continue;
	return i < v.n && memcmp(v.p, order.p, v.n) < 0;
}

static bool
ec_verify(const struct jwt_key *key, const struct jwt_alg_info *info,
    struct sv text, struct sv sig)
{
	const br_ec_impl	*ec = br_ec_get_default();
	size_t			 size = jwt_curve_size(key->curve), n;
	unsigned char		 digest[HASH_MAX], bytes[JWT_KEY_BYTES];
	br_ec_public_key	 pk;
	struct sv		 order;

	if (sig.n != 2 * size)
		return false;
	order.p = (const char *)ec->order(key->curve, &order.n);
	if (!in_range(sv_make(sig.p, size), order) ||
	    !in_range(sv_skip(sig, size), order))
		return false;
	memcpy(bytes, key->bytes, sizeof(bytes));
	pk = (br_ec_public_key){ .curve = key->curve, .q = bytes,
	    .qlen = key->n };
	n = hash(info->hash, text, digest);
	return br_ecdsa_vrfy_raw_get_default()(ec, digest, n, &pk, sig.p,
	    sig.n) == 1;
}

/* see key.h */
bool
jwt_key_fits(const struct jwt_key *key, enum jwt_alg alg)
{
	const struct jwt_alg_info *info = jwt_alg_info(alg);

	return alg != JWT_NONE && key->family == info->family &&
	    key->curve == info->curve &&
	    (key->alg == JWT_NONE || key->alg == alg);
}

/* see key.h */
bool
jwt_key_verify(const struct jwt_key *key, enum jwt_alg alg, struct sv text,
    struct sv sig)
{
	const struct jwt_alg_info *info = jwt_alg_info(alg);

	assert(jwt_key_fits(key, alg));
	return key->family == JWT_RSA ? rsa_verify(key, info, text, sig) :
	    ec_verify(key, info, text, sig);
}

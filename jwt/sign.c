/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Making tokens, and the MAC that making and verifying share (RFC 7515,
 * RFC 7518 section 3.2). Key material on the stack is wiped.
 */
#include <assert.h>
#include <string.h>

#include <bearssl.h>

#include "jwt/alg.h"
#include "util/base64.h"

static const struct {
	const char		*name;
	const br_hash_class	*hash;
} algs[] = {
	[JWT_HS256] = { "HS256", &br_sha256_vtable },
	[JWT_HS384] = { "HS384", &br_sha384_vtable },
	[JWT_HS512] = { "HS512", &br_sha512_vtable },
};

#define NALGS	(sizeof(algs) / sizeof(algs[0]))

_Static_assert(NALGS == JWT_HS512 + 1, "an algorithm without a name");
_Static_assert(br_sha512_SIZE <= JWT_MAC_MAX, "a MAC too long");

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

	assert(alg != JWT_NONE && alg < NALGS);
	br_hmac_key_init(&key, algs[alg].hash, secret.p, secret.n);
	br_hmac_init(&mac, &key, 0);
	br_hmac_update(&mac, text.p, text.n);
	n = br_hmac_out(&mac, out);
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(&mac, sizeof(mac));
	return n;
}

/* see jwt.h */
int
jwt_sign(struct buf *out, enum jwt_alg alg, struct sv secret,
    struct sv claims)
{
	struct buf	header = BUF_INIT;
	unsigned char	mac[JWT_MAC_MAX];
	size_t		start = out->n, n;

	if (alg == JWT_NONE || secret.n == 0)
		return -1;
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
	    algs[alg].name);
	base64url_put(out, buf_sv(&header));
	buf_putc(out, '.');
	base64url_put(out, claims);
	if (!header.failed && !out->failed) {
		n = jwt_hmac(alg, secret, sv_skip(buf_sv(out), start), mac);
		buf_putc(out, '.');
		base64url_put(out, sv_make(mac, n));
	}
	if (header.failed || out->failed) {
		out->n = start;
		buf_fini(&header);
		return -1;
	}
	buf_fini(&header);
	return 0;
}

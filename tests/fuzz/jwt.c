/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tokens: the input as a token, and as the claims of a token that is signed
 * with our secret, so that the claims are reached. What a verifier accepts
 * one that does not look at the signature accepts too.
 */
#include <assert.h>

#include "jwt/jwt.h"

#define NOW	1700000000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static enum jwt_err
verify(struct sv token, bool skip)
{
	struct jwt_verifier	v = { .hmac_secret = SV("secret"),
	    .insecure_skip_signature = skip };
	struct jwt		t;
	enum jwt_err		err;

	jwt_init(&t);
	err = jwt_verify(&t, &v, token, NOW);
	if (err == JWT_OK) {
		assert(jv_type(json_root(&t.json)) == JSON_OBJECT);
		assert(t.exp == 0 || t.exp > NOW);
		assert(t.has_channel == (t.channel.n > 0));
	}
	v.user_id_claim = SV("uid");
	v.audience = v.issuer = SV("a");
	if (jwt_verify(&t, &v, token, NOW) == JWT_OK)
		assert(jv_is(jv_get(json_root(&t.json), "aud")));
	jwt_fini(&t);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf	token = BUF_INIT;
	enum jwt_err	err;

	err = verify(sv_make(p, n), false);
	assert(err != JWT_OK || verify(sv_make(p, n), true) == JWT_OK);
	if (jwt_sign(&token, JWT_HS256, SV("secret"), sv_make(p, n)) == 0) {
		err = verify(buf_sv(&token), false);
		assert(err == verify(buf_sv(&token), true));
		assert(err != JWT_SIGNATURE && err != JWT_ALG);
	}
	buf_fini(&token);
	return 0;
}

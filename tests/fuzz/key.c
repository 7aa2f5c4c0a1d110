/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Public keys: the input as PEM, and as the DER in it. What is accepted can
 * be used, and a key with a byte behind it is none.
 */
#include <assert.h>
#include <stdlib.h>

#include "jwt/key.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
use(const struct jwt_key *key)
{
	static const enum jwt_alg algs[] = {
		JWT_RS256, JWT_RS512, JWT_ES256, JWT_ES384, JWT_ES512
	};
	char		sig[512] = { 1 };
	unsigned	i, fits = 0;

	for (i = 0; i < 5; i++)
		if (jwt_key_fits(key, algs[i])) {
			fits++;
			assert(!jwt_key_verify(key, algs[i], SV("x"),
			    sv_make(sig, key->family == JWT_RSA ? key->n :
			    key->n - 1u)));
		}
	assert(fits > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct jwt_key	key;
	const char	*why;
	char		*more;

	if (jwt_key_pem(&key, sv_make(p, n), &why) == 0)
		use(&key);
	if (jwt_key_der(&key, sv_make(p, n), &why) == -1)
		return 0;
	use(&key);
	if ((more = malloc(n + 1)) == NULL)
		abort();
	memcpy(more, p, n);
	more[n] = 0;
	assert(jwt_key_der(&key, sv_make(more, n + 1), &why) == -1);
	free(more);
	return 0;
}

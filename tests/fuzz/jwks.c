/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Key sets: every key that is taken has an id, a family and a sane size.
 */
#include <assert.h>

#include "jwt/jwks.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct jwt_set	set = JWT_SET_INIT;
	const char	*why;
	struct sv	kid;
	size_t		i;

	if (jwt_set_parse(&set, sv_make(p, n), &why) == -1) {
		assert(why != NULL && set.n == 0 && set.v == NULL);
		return 0;
	}
	assert(set.n <= JWT_SET_MAX);
	for (i = 0; i < set.n; i++) {
		kid = sv_make(set.v[i].kid, set.v[i].kid_n);
		assert(kid.n > 0 && jwt_set_find(&set, kid) != NULL);
		assert(set.v[i].key.family == JWT_RSA ?
		    set.v[i].key.n >= JWT_RSA_BITS_MIN / 8 :
		    set.v[i].key.n == 1 +
		    2 * jwt_curve_size(set.v[i].key.curve));
	}
	jwt_set_fini(&set);
	return 0;
}

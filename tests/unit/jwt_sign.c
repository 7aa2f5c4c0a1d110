/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Making tokens.
 */
#include "jwt/jwt.h"
#include "tests/unit/test.h"

#define SECRET	"bbe7d157-a253-4094-9759-06a8236543f9"
#define CLAIMS	"{\"sub\":\"42\",\"exp\":1700000060}"

TEST(tokens_as_another_implementation_makes_them)
{
	static const char *const	want[] = {
	    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
	    ".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	    ".dKa564nDp-svtApi0qtXEop65a-OnIH8qeECZcd_Oxs",
	    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9"
	    ".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	    ".JfljUXmeUjSpmeH0mBrAO7aU3goG7dqokLJ2EkM_h87MudSWgQl2Dwx_ky8WU5j7",
	    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9"
	    ".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	    ".RhszsETLBp4oSKZU18J400DSOtXdttcjGYE3Ta-gMv5JkDPmYxFqkuE9xtDJGr6Q"
	    "xngK_x2C5aZsfe56nL7Y3w"
	};
	struct buf	b = BUF_INIT;
	int		i;

	for (i = 0; i < 3; i++) {
		buf_reset(&b);
		CHECK_INT(jwt_sign(&b, (enum jwt_alg)(JWT_HS256 + i),
		    SV(SECRET), SV(CLAIMS)), 0);
		CHECK_SV(buf_sv(&b), want[i]);
	}
	buf_fini(&b);
}

TEST(what_is_in_the_buffer_is_not_signed)
{
	struct jwt_verifier	v = { .hmac_secret = SV(SECRET) };
	struct buf		b = BUF_INIT;
	struct jwt		t;

	buf_puts(&b, "Bearer ");
	CHECK_INT(jwt_sign(&b, JWT_HS384, SV(SECRET), SV(CLAIMS)), 0);
	CHECK(sv_starts(buf_sv(&b), SV("Bearer eyJ")));
	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &v, sv_skip(buf_sv(&b), 7), 1700000000),
	    JWT_OK);
	CHECK_SV(t.sub, "42");
	jwt_fini(&t);
	buf_fini(&b);
}

TEST(no_algorithm_or_secret_no_token)
{
	struct buf	b = BUF_INIT;

	buf_puts(&b, "x");
	CHECK_INT(jwt_sign(&b, JWT_NONE, SV(SECRET), SV(CLAIMS)), -1);
	CHECK_INT(jwt_sign(&b, JWT_HS256, SV(""), SV(CLAIMS)), -1);
	CHECK_SV(buf_sv(&b), "x");
	buf_fini(&b);
}

static bool
sweep_sign(void)
{
	struct buf	b = BUF_INIT;
	int		r;

	r = jwt_sign(&b, JWT_HS512, SV(SECRET), SV(CLAIMS));
	CHECK(r == 0 || b.n == 0);
	CHECK_INT(r, alloc_failed() == 0 ? 0 : -1);
	buf_fini(&b);
	return r == 0;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_sign);
}

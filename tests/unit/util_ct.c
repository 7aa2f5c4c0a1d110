/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Constant-time comparison (its results, not its timing), random bytes,
 * UUIDs, and the clocks.
 */
#include "tests/unit/test.h"
#include "util/clock.h"
#include "util/ct.h"

TEST(equal)
{
	CHECK(ct_eq(SV("secret"), SV("secret")));
	CHECK(ct_eq(SV(""), sv_from(NULL)));
	CHECK(!ct_eq(SV("secret"), SV("secre")));
	CHECK(!ct_eq(SV(""), SV("x")));
}

TEST(every_single_bit_counts)
{
	char	a[32] = { 0 }, b[32] = { 0 };
	size_t	i;
	int	bit;

	for (i = 0; i < sizeof(a); i++) {
		for (bit = 0; bit < 8; bit++) {
			b[i] = (char)(1 << bit);
			CHECK(!ct_eq(sv_make(a, sizeof(a)),
			    sv_make(b, sizeof(b))));
		}
		b[i] = 0;
	}
	CHECK(ct_eq(sv_make(a, sizeof(a)), sv_make(b, sizeof(b))));
}

TEST(random_fills_all_and_no_more)
{
	unsigned char	p[300], seen[300] = { 0 };
	size_t		i;
	int		round;

	p[0] = p[299] = 0x5a;
	for (round = 0; round < 64; round++) {
		random_bytes(p + 1, 298);
		for (i = 0; i < sizeof(p); i++)
			seen[i] |= p[i];
	}
	CHECK(p[0] == 0x5a && p[299] == 0x5a);
	/* a bit that stays 0 in 64 rounds: once in 2^64 / 2384 runs */
	for (i = 1; i < 299; i++)
		CHECK_INT(seen[i], 0xff);
	random_bytes(NULL, 0);
}

TEST(uuid)
{
	static const unsigned char	zero[16];
	unsigned char			r[16];
	char				out[37];
	int				i;

	uuid4_format(out, zero);
	CHECK_STR(out, "00000000-0000-4000-8000-000000000000");
	memset(r, 0xff, sizeof(r));
	uuid4_format(out, r);
	CHECK_STR(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	for (i = 0; i < 16; i++)
		r[i] = (unsigned char)(i * 17);
	uuid4_format(out, r);
	CHECK_STR(out, "00112233-4455-4677-8899-aabbccddeeff");
}

TEST(clocks)
{
	int64_t	a = clock_mono_ns(), b = clock_mono_ns();
	int64_t	ms = clock_mono_ms();

	CHECK(a > 0 && b >= a);
	CHECK(ms >= b / NSEC_PER_MSEC && ms < b / NSEC_PER_MSEC + 10000);
	CHECK(clock_wall_ms() > INT64_C(1735689600000));	/* 2025 */
}

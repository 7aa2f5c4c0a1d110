/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Decimal numbers.
 */
#include "hub/decimal.h"
#include "tests/unit/test.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define D19	"1234567890123456789"
#define D99	D19 D19 D19 D19 D19 "1234"

/* From least to most; what is equal is so by name. */
static const struct {
	const char	*text;
	bool		 same;		/* as the one before */
} sorted[] = {
	{ "-" D99 D99, false },
	{ "-100000000000000000000000000000000000000000.5", false },
	{ "-100000000000000000000000000000000000000000", false },
	{ "-10", false },
	{ "-9.99", false },
	{ "-9.9", false },
	{ "-9.90", true },
	{ "-0.0000000000000000001", false },
	{ "0", false },
	{ "-0", true },
	{ "+0", true },
	{ "-00.000", true },
	{ "0.0000000000000000001", false },
	{ "0.01", false },
	{ "0.1", false },
	{ "00.10", true },
	{ "0.11", false },
	{ "1", false },
	{ "+1", true },
	{ "001.0", true },
	{ "1.5", false },
	{ "9", false },
	{ "10", false },
	{ D99 "." D19, false },
	{ D99 D99, false },
	{ "+" D99 D99, true },
	{ D99 D99 "00", false },
};

TEST(order)
{
	struct decimal	a, b;
	size_t		i, k, rank[N(sorted)] = { 0 };
	int		want;

	for (i = 1; i < N(sorted); i++)
		rank[i] = rank[i - 1] + !sorted[i].same;
	for (i = 0; i < N(sorted); i++) {
		for (k = 0; k < N(sorted); k++) {
			char	*t = guard_dup(sv_from(sorted[i].text));

			test_note("rows %zu and %zu", i, k);
			CHECK_INT(decimal_parse(&a, sv_make(t,
			    strlen(sorted[i].text))), 0);
			CHECK_INT(decimal_parse(&b, sv_from(sorted[k].text)),
			    0);
			want = (rank[i] > rank[k]) - (rank[i] < rank[k]);
			CHECK_INT((decimal_compare(&a, &b) > 0) -
			    (decimal_compare(&a, &b) < 0), want);
			guard_free(t);
		}
	}
}

TEST(none)
{
	static const char *const	bad[] = {
		"", "-", "+", ".", "-.", ".5", "-.5", "5.", "-5.", "1e3",
		"1_000", "1,5", " 1", "1 ", "--1", "+-1", "1.2.3", "1.-2",
		"0x10", "a", "NaN", "0.00000000000000000000",
		"1.12345678901234567890", D99 D99 "000", "\xd9\xa1",
	};
	struct decimal	d;
	size_t		i;

	for (i = 0; i < N(bad); i++) {
		char	*t = guard_dup(sv_from(bad[i]));

		test_note("row %zu", i);
		CHECK_INT(decimal_parse(&d, sv_make(t, strlen(bad[i]))), -1);
		guard_free(t);
	}
	CHECK_INT(decimal_parse(&d, SV("1\0")), -1);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * UTF-8 validation: torture rows, and every code point there is.
 */
#include "tests/unit/test.h"
#include "util/utf8.h"

enum verdict { GOOD, BAD, CUT };

static const struct {
	struct sv	in;
	enum verdict	want;
	size_t		bad_at;		/* BAD: index of the refused byte */
} rows[] = {
	{ { NULL, 0 }, GOOD, 0 },
	{ SV_INIT(""), GOOD, 0 },
	{ SV_INIT("a\0b"), GOOD, 0 },
	{ SV_INIT("\x7f"), GOOD, 0 },
	{ SV_INIT("0123456789abcdef0123456789abcdef"), GOOD, 0 },
	{ SV_INIT("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"), GOOD, 0 },
	/* first and last of each length */
	{ SV_INIT("\xc2\x80"), GOOD, 0 },
	{ SV_INIT("\xdf\xbf"), GOOD, 0 },
	{ SV_INIT("\xe0\xa0\x80"), GOOD, 0 },
	{ SV_INIT("\xef\xbf\xbf"), GOOD, 0 },
	{ SV_INIT("\xf0\x90\x80\x80"), GOOD, 0 },
	{ SV_INIT("\xf4\x8f\xbf\xbf"), GOOD, 0 },
	/* around the surrogates; U+FFFD */
	{ SV_INIT("\xed\x9f\xbf"), GOOD, 0 },
	{ SV_INIT("\xee\x80\x80"), GOOD, 0 },
	{ SV_INIT("\xef\xbf\xbd"), GOOD, 0 },
	/* beyond U+10FFFF */
	{ SV_INIT("\xf4\x90\x80\x80"), BAD, 1 },
	{ SV_INIT("\xf5\x80\x80\x80"), BAD, 0 },
	{ SV_INIT("\xf8\x88\x80\x80\x80"), BAD, 0 },
	{ SV_INIT("\xfc\x84\x80\x80\x80\x80"), BAD, 0 },
	{ SV_INIT("\xfe"), BAD, 0 },
	{ SV_INIT("\xff"), BAD, 0 },
	/* continuation without a start */
	{ SV_INIT("\x80"), BAD, 0 },
	{ SV_INIT("\xbf"), BAD, 0 },
	{ SV_INIT("a\x80"), BAD, 1 },
	{ SV_INIT("\xc2\x80\x80"), BAD, 2 },
	/* start without its continuation */
	{ SV_INIT("\xc2 "), BAD, 1 },
	{ SV_INIT("\xe1\x80 "), BAD, 2 },
	{ SV_INIT("\xf1\x80\x80 "), BAD, 3 },
	{ SV_INIT("\xc2\xc2\x80"), BAD, 1 },
	{ SV_INIT("\xe1\xe1\x80\x80"), BAD, 1 },
	{ SV_INIT("\xf1\x80\xf1\x80\x80\x80"), BAD, 2 },
	/* over-long */
	{ SV_INIT("\xc0\x80"), BAD, 0 },
	{ SV_INIT("\xc0\xaf"), BAD, 0 },
	{ SV_INIT("\xc1\xbf"), BAD, 0 },
	{ SV_INIT("\xe0\x80\xaf"), BAD, 1 },
	{ SV_INIT("\xe0\x9f\xbf"), BAD, 1 },
	{ SV_INIT("\xf0\x80\x80\xaf"), BAD, 1 },
	{ SV_INIT("\xf0\x8f\xbf\xbf"), BAD, 1 },
	/* surrogates, single and paired */
	{ SV_INIT("\xed\xa0\x80"), BAD, 1 },
	{ SV_INIT("\xed\xbf\xbf"), BAD, 1 },
	{ SV_INIT("\xed\xa0\x80\xed\xb0\x80"), BAD, 1 },
	/* incomplete at the end */
	{ SV_INIT("\xc2"), CUT, 0 },
	{ SV_INIT("\xe0\xa0"), CUT, 0 },
	{ SV_INIT("\xe1"), CUT, 0 },
	{ SV_INIT("\xed\x9f"), CUT, 0 },
	{ SV_INIT("\xf0\x90\x80"), CUT, 0 },
	{ SV_INIT("abc\xf4\x8f"), CUT, 0 },
	/* behind whole words of ASCII */
	{ SV_INIT("0123456789abcdef\xff"), BAD, 16 },
	{ SV_INIT("0123456789abcde\xff"), BAD, 15 },
	{ SV_INIT("0123456789abcdef01234567\xc3\xa4 0123456789abcdef"),
	    GOOD, 0 },
};

static bool
is_verdict(uint8_t state, enum verdict v)
{
	if (v == BAD)
		return state == UTF8_REJECT;
	if (v == GOOD)
		return state == UTF8_ACCEPT;
	return state != UTF8_REJECT && state != UTF8_ACCEPT;
}

TEST(rows_whole_against_a_guard_page)
{
	size_t	i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char	*p = guard_dup(rows[i].in);

		test_note("row %zu", i);
		CHECK(is_verdict(utf8_feed(UTF8_ACCEPT, p, rows[i].in.n),
		    rows[i].want));
		CHECK(utf8_valid(sv_make(p, rows[i].in.n)) ==
		    (rows[i].want == GOOD));
		guard_free(p);
	}
}

TEST(rows_byte_by_byte)
{
	size_t	i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t	state = UTF8_ACCEPT;

		test_note("row %zu", i);
		for (k = 0; k < rows[i].in.n; k++) {
			state = utf8_feed(state, rows[i].in.p + k, 1);
			if (rows[i].want == BAD)
				CHECK((state == UTF8_REJECT) ==
				    (k >= rows[i].bad_at));
		}
		CHECK(is_verdict(state, rows[i].want));
	}
}

TEST(rows_in_two_pieces)
{
	size_t	i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		for (k = 1; k < rows[i].in.n; k++) {
			uint8_t	state = utf8_feed(UTF8_ACCEPT,
				    rows[i].in.p, k);

			state = utf8_feed(state, rows[i].in.p + k,
			    rows[i].in.n - k);
			CHECK(is_verdict(state, rows[i].want));
		}
	}
}

TEST(rejection_is_sticky)
{
	CHECK_INT(utf8_feed(UTF8_REJECT, "a", 1), UTF8_REJECT);
	CHECK_INT(utf8_feed(UTF8_REJECT, NULL, 0), UTF8_REJECT);
}

/* Encode cp in n bytes, shortest or not. */
static void
encode(char *out, uint32_t cp, size_t n)
{
	static const unsigned	mark[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t			i;

	for (i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(mark[n] | cp);
}

TEST(every_code_point_in_every_length)
{
	static const uint32_t	first[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const uint32_t	limit[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
	uint32_t		cp, wrong = 0;
	size_t			n;
	char			s[4];

	for (n = 1; n <= 4; n++) {
		for (cp = 0; cp < limit[n]; cp++) {
			bool	good = cp >= first[n] && cp <= 0x10ffff &&
				    (cp < 0xd800 || cp > 0xdfff);

			encode(s, cp, n);
			if (utf8_valid(sv_make(s, n)) != good)
				wrong++;
		}
	}
	CHECK_INT(wrong, 0);
}

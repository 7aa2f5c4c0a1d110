/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * String views.
 */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "util/sv.h"

TEST(equality)
{
	struct sv	none = { NULL, 0 };

	CHECK(sv_eq(SV("abc"), SV("abc")));
	CHECK(!sv_eq(SV("abc"), SV("abd")));
	CHECK(!sv_eq(SV("abc"), SV("ab")));
	CHECK(sv_eq(none, SV("")));
	CHECK(sv_eq(SV("a\0b"), SV("a\0b")));
	CHECK(!sv_eq(SV("a\0b"), SV("a\0c")));
	CHECK(sv_eq(sv_from(NULL), none));
}

TEST(equality_without_case)
{
	CHECK(sv_ieq(SV("Sec-WebSocket-KEY"), SV("sec-websocket-key")));
	CHECK(sv_ieq(SV(""), sv_from(NULL)));
	CHECK(!sv_ieq(SV("abc"), SV("abcd")));
	CHECK(!sv_ieq(SV("@"), SV("`")));	/* 0x20 apart, no letters */
	CHECK(!sv_ieq(SV("["), SV("{")));
	CHECK(!sv_ieq(SV("\xc4"), SV("\xe4")));	/* Latin-1 is not folded */
}

TEST(prefix_and_suffix)
{
	CHECK(sv_starts(SV("Bearer x"), SV("Bearer ")));
	CHECK(!sv_starts(SV("Bear"), SV("Bearer ")));
	CHECK(sv_starts(SV(""), sv_from(NULL)));
	CHECK(sv_ends(SV("a.pem"), SV(".pem")));
	CHECK(!sv_ends(SV("pem"), SV(".pem")));
	CHECK(sv_ends(sv_from(NULL), SV("")));
}

TEST(skip)
{
	CHECK_SV(sv_skip(SV("abc"), 1), "bc");
	CHECK_SV(sv_skip(SV("abc"), 3), "");
	CHECK_SV(sv_skip(SV("abc"), 9), "");
	CHECK_SV(sv_skip(sv_from(NULL), 1), "");
}

TEST(find_byte)
{
	CHECK_INT(sv_chr(SV("a=b=c"), '='), 1);
	CHECK_INT(sv_chr(SV("abc"), '='), -1);
	CHECK_INT(sv_chr(sv_from(NULL), 'a'), -1);
	CHECK_INT(sv_chr(SV("a\0b"), 'b'), 2);
	CHECK_INT(sv_chr((struct sv){ "abc", 2 }, 'c'), -1);
}

TEST(trim)
{
	CHECK_SV(sv_trim(SV(" \t a b\t ")), "a b");
	CHECK_SV(sv_trim(SV("ab")), "ab");
	CHECK_SV(sv_trim(SV(" \t ")), "");
	CHECK_SV(sv_trim(sv_from(NULL)), "");
	CHECK_SV(sv_trim(SV("\na\r")), "\na\r");
}

TEST(cut)
{
	struct sv	rest = SV("a,,b,");

	CHECK_SV(sv_cut(&rest, ','), "a");
	CHECK_SV(sv_cut(&rest, ','), "");
	CHECK_SV(sv_cut(&rest, ','), "b");
	CHECK(rest.p != NULL);		/* an empty part is still to come */
	CHECK_SV(sv_cut(&rest, ','), "");
	CHECK(rest.p == NULL);
	CHECK_SV(sv_cut(&rest, ','), "");
	CHECK(rest.p == NULL);
}

TEST(numbers_unsigned)
{
	static const struct {
		const char	*in;
		int		 rc;
		uint64_t	 out;
	} rows[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -1, 0 },
		{ "18446744073709551620", -1, 0 },
		{ "99999999999999999999", -1, 0 },
		{ "184467440737095516150", -1, 0 },
		{ "", -1, 0 },
		{ "-1", -1, 0 },
		{ "+1", -1, 0 },
		{ " 1", -1, 0 },
		{ "1 ", -1, 0 },
		{ "1a", -1, 0 },
		{ "0x1", -1, 0 },
		{ "/", -1, 0 },
		{ ":", -1, 0 },
		{ "\xb0", -1, 0 },
	};
	size_t		i;
	uint64_t	u;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char	*p = guard_dup(sv_from(rows[i].in));

		test_note("row %zu: %s", i, rows[i].in);
		u = 99;
		CHECK_INT(sv_u64(sv_make(p, strlen(rows[i].in)), &u),
		    rows[i].rc);
		CHECK(u == rows[i].out);
		guard_free(p);
	}
}

TEST(numbers_signed)
{
	static const struct {
		const char	*in;
		int		 rc;
		int64_t		 out;
	} rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-1", 0, -1 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -1, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -1, 0 },
		{ "-", -1, 0 },
		{ "--1", -1, 0 },
		{ "", -1, 0 },
		{ "1-", -1, 0 },
	};
	size_t		i;
	int64_t		v;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char	*p = guard_dup(sv_from(rows[i].in));

		test_note("row %zu: %s", i, rows[i].in);
		v = 99;
		CHECK_INT(sv_i64(sv_make(p, strlen(rows[i].in)), &v),
		    rows[i].rc);
		CHECK_INT(v, rows[i].out);
		guard_free(p);
	}
}

static bool
dup_once(void)
{
	char	*p = sv_dup((struct sv){ "abcd", 3 });
	bool	 ok = p != NULL && strcmp(p, "abc") == 0;

	free(p);
	return ok;
}

TEST(duplicate)
{
	char	*p = sv_dup(sv_from(NULL));

	CHECK_STR(p, "");
	free(p);
	CHECK(sv_dup((struct sv){ NULL, SIZE_MAX }) == NULL);
	ALLOC_SWEEP(dup_once);
}

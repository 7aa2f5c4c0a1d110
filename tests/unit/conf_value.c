/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Scalars: durations, booleans, numbers.
 */
#include "conf/load.h"
#include "tests/unit/test.h"

#define BAD	INT64_MIN
#define N(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*text;
	int64_t		 ms;
} durations[] = {
	{ "25s", 25000 }, { "1h30m", 5400000 }, { "1.5s", 1500 },
	{ "300ms", 300 }, { "1000ms", 1000 }, { "720h", 2592000000 },
	{ "0", 0 }, { "0s", 0 }, { "+5m", 300000 }, { "-1s", -1000 },
	{ "1ns", 1 }, { "-1ns", -1 }, { "1us", 1 }, { "999us", 1 },
	{ "1001us", 2 }, { "1\xc2\xb5s", 1 }, { "1\xce\xbcs", 1 },
	{ ".5s", 500 }, { "1.s", 1000 }, { "1h1m1s1ms", 3661001 },
	{ "0.000000001s", 1 }, { "2562047h", 9223369200000 },
	{ "1.12345678901234567890s", 1124 },
	{ "", BAD }, { "5", BAD }, { "s", BAD }, { "5 s", BAD },
	{ " 5s", BAD }, { "5s ", BAD }, { "5d", BAD }, { "5S", BAD },
	{ ".s", BAD }, { "-", BAD }, { "1.5.5s", BAD }, { "--1s", BAD },
	{ "1e3s", BAD }, { "9223372036854775808ns", BAD },
	{ "2562048h", BAD }, { "99999999999999999999h", BAD },
	{ "2562047h2562047h", BAD }, { "5sm", BAD }, { "0x5s", BAD },
};

TEST(durations_are_gos)
{
	size_t i;
	int64_t ms;
	char *p;
	int ret;

	for (i = 0; i < N(durations); i++) {
		struct sv s = sv_from(durations[i].text);

		test_note("%s", durations[i].text);
		p = guard_dup(s);
		ret = conf_parse_duration(sv_make(p, s.n), &ms);
		guard_free(p);
		if (durations[i].ms == BAD) {
			CHECK_INT(ret, -1);
			CHECK_INT(ms, 0);
		} else {
			CHECK_INT(ret, 0);
			CHECK_INT(ms, durations[i].ms);
		}
	}
}

TEST(durations_are_written_as_they_are_read)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "0s" }, { 1, "1ms" }, { 25000, "25s" },
		{ 1500, "1s500ms" }, { 5400000, "1h30m" },
		{ 2592000000, "720h" }, { -1000, "-1s" },
	};
	struct buf b = BUF_INIT;
	int64_t ms;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		buf_reset(&b);
		conf_put_duration(&b, rows[i].ms);
		CHECK_SV(buf_sv(&b), rows[i].text);
		CHECK_INT(conf_parse_duration(buf_sv(&b), &ms), 0);
		CHECK_INT(ms, rows[i].ms);
	}
	buf_fini(&b);
}

TEST(booleans_are_a_few_words)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE",
	    "True", "yes", "YES", "on", "y" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE",
	    "no", "off", "n", "Off" };
	static const char *const bad[] = { "", "maybe", "2", "tru", "truee",
	    " true", "10", "-1" };
	size_t i;
	bool b;

	for (i = 0; i < N(yes); i++) {
		test_note("%s", yes[i]);
		CHECK(conf_parse_bool(sv_from(yes[i]), &b) == 0 && b);
	}
	for (i = 0; i < N(no); i++) {
		test_note("%s", no[i]);
		CHECK(conf_parse_bool(sv_from(no[i]), &b) == 0 && !b);
	}
	for (i = 0; i < N(bad); i++) {
		test_note("%s", bad[i]);
		CHECK(conf_parse_bool(sv_from(bad[i]), &b) == -1 && !b);
	}
}

/* Spec 12.60. */
TEST(numbers_may_be_hexadecimal)
{
	static const struct { const char *text; int64_t n; } rows[] = {
		{ "0", 0 }, { "128", 128 }, { "0x10", 16 }, { "0XfF", 255 },
		{ "010", 8 }, { "-5", -5 }, { "+7", 7 },
		{ "9223372036854775807", INT64_MAX },
		{ "", BAD }, { "x", BAD }, { "1x", BAD }, { " 1", BAD },
		{ "1 ", BAD }, { "0x", BAD }, { "08", BAD }, { "1.0", BAD },
		{ "1e3", BAD }, { "- 1", BAD }, { "--1", BAD }, { "-", BAD },
		{ "9223372036854775808", BAD },
		{ "00000000000000000000000000000001", BAD },
	};
	size_t i;
	int64_t n;
	int ret;

	for (i = 0; i < N(rows); i++) {
		test_note("%s", rows[i].text);
		ret = conf_parse_int(sv_from(rows[i].text), &n);
		CHECK_INT(ret, rows[i].n == BAD ? -1 : 0);
		CHECK_INT(n, rows[i].n == BAD ? 0 : rows[i].n);
	}
}

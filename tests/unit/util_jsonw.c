/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON writer.
 */
#include "tests/unit/test.h"
#include "util/json.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

struct put_row {
	struct sv	in, out;
};

static void
check_put(void (*put)(struct buf *, struct sv), const struct put_row *rows,
    size_t n)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < n; i++) {
		char	*p = guard_dup(rows[i].in);

		test_note("row %zu", i);
		buf_reset(&b);
		put(&b, sv_make(p, rows[i].in.n));
		CHECK_SVEQ(buf_sv(&b), rows[i].out);
		guard_free(p);
	}
	buf_fini(&b);
}

TEST(put_str)
{
	static const struct put_row	rows[] = {
		{ { NULL, 0 }, SV_INIT("\"\"") },
		{ SV_INIT("abc"), SV_INIT("\"abc\"") },
		{ SV_INIT("a\"b\\c/"), SV_INIT("\"a\\\"b\\\\c/\"") },
		{ SV_INIT("\n\r\t"), SV_INIT("\"\\n\\r\\t\"") },
		{ SV_INIT("\0\x01\x1f\x7f"),
		    SV_INIT("\"\\u0000\\u0001\\u001f\x7f\"") },
		{ SV_INIT("<b>&"), SV_INIT("\"\\u003cb\\u003e\\u0026\"") },
		{ SV_INIT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
		    SV_INIT("\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"") },
		{ SV_INIT("\xc3\xa4\xf0\x9f\x98\xb9"),
		    SV_INIT("\"\xc3\xa4\xf0\x9f\x98\xb9\"") },
		{ SV_INIT("a\xff\x80z"), SV_INIT("\"a\\ufffd\\ufffdz\"") },
		{ SV_INIT("\xe2\x80"), SV_INIT("\"\\ufffd\\ufffd\"") },
		{ SV_INIT("\xed\xa0\x80"),
		    SV_INIT("\"\\ufffd\\ufffd\\ufffd\"") },
	};

	check_put(json_put_str, rows, N(rows));
}

TEST(put_raw)
{
	static const struct put_row	rows[] = {
		{ { NULL, 0 }, SV_INIT("") },
		{ SV_INIT("{\"a\":1}"), SV_INIT("{\"a\":1}") },
		{ SV_INIT("{\n \"a\":\t1.50\n}\n"),
		    SV_INIT("{ \"a\":\t1.50}") },
		{ SV_INIT("\n\n\n"), SV_INIT("") },
		{ SV_INIT("\r\n<&>\0"), SV_INIT("\r<&>\0") },
	};

	check_put(json_put_raw, rows, N(rows));
}

TEST(put_compact)
{
	static const struct put_row	rows[] = {
		{ { NULL, 0 }, SV_INIT("") },
		{ SV_INIT(" { \"a b\" : [ 1 ,\t-2.50e+1,\r\n true , {} ] } "),
		    SV_INIT("{\"a b\":[1,-2.50e+1,true,{}]}") },
		{ SV_INIT("\" <x> & \""),
		    SV_INIT("\" \\u003cx\\u003e \\u0026 \"") },
		{ SV_INIT("[ \"\\\"  \\\\\" , \"\\n \" ]"),
		    SV_INIT("[\"\\\"  \\\\\",\"\\n \"]") },
		{ SV_INIT("\"\xe2\x80\xa8\xe2\x82\xac\xe2\x80\xa9\xc3\xa4\""),
		    SV_INIT("\"\\u2028\xe2\x82\xac\\u2029\xc3\xa4\"") },
		{ SV_INIT("\"\\u003C\\/\""), SV_INIT("\"\\u003C\\/\"") },
		/* no JSON: anything may come out, but nothing may break */
		{ SV_INIT("\"\\"), SV_INIT("\"\\") },
		{ SV_INIT("\"\xe2"), SV_INIT("\"\xe2") },
		{ SV_INIT("\"ab"), SV_INIT("\"ab") },
	};

	check_put(json_put_compact, rows, N(rows));
}

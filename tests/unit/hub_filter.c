/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tags filters: rows by hand, and a corpus of random ones with what the
 * filter of github.com/centrifugal/centrifuge said of them
 * (data/filter.txt).
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/filter.h"
#include "tests/unit/test.h"
#include "util/clock.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define CORPUS	"tests/unit/data/filter.txt"

static struct filter *
compile(struct sv s, enum filter_err *err)
{
	struct json	j;
	struct filter	*f = NULL;

	json_init(&j);
	*err = FILTER_NOMEM;
	if (json_parse(&j, s, 0) == 0)
		f = filter_new(json_root(&j), err);
	json_fini(&j);
	return f;
}

/* YES, NO, or why there is no filter. */
static const char *
judge(struct sv filter, struct sv tags)
{
	struct filter_tags	t;
	struct filter		*f;
	enum filter_err		err;
	const char		*what;

	char	*p = guard_dup(filter);

	f = compile(sv_make(p, filter.n), &err);
	guard_free(p);
	CHECK((f == NULL) == (err != FILTER_OK));
	if (f == NULL)
		return err == FILTER_INVALID ? "INVALID" :
		    err == FILTER_MALFORMED ? "MALFORMED" : "NOMEM";
	filter_tags_init(&t);
	p = guard_dup(tags);
	CHECK_INT(filter_tags_load(&t, sv_make(p, tags.n)), 0);
	what = filter_match(f, &t) ? "YES" : "NO";
	guard_free(p);
	filter_tags_fini(&t);
	filter_free(f);
	return what;
}

#define TAGS	"{\"a\":\"abc\",\"n\":\"12.50\",\"e\":\"\",\"u\":\"\\u00e4\"}"
#define LEAF(cmp, key, val)						\
	"{\"key\":\"" key "\",\"cmp\":\"" cmp "\",\"val\":\"" val "\"}"
#define SET(cmp, key, vals)						\
	"{\"key\":\"" key "\",\"cmp\":\"" cmp "\",\"vals\":[" vals "]}"
#define HAS(cmp, key)	"{\"key\":\"" key "\",\"cmp\":\"" cmp "\"}"
#define NODES(op, nodes) "{\"op\":\"" op "\",\"nodes\":[" nodes "]}"
#define YES	HAS("ex", "a")
#define NO	HAS("nex", "a")

static const struct {
	const char	*filter, *want;
} rows[] = {
	{ LEAF("eq", "a", "abc"), "YES" },
	{ LEAF("eq", "a", "ab"), "NO" },
	{ LEAF("eq", "z", "ab"), "NO" },
	{ LEAF("eq", "u", "\xc3\xa4"), "YES" },
	{ LEAF("eq", "\\u0061", "a\\u0062c"), "YES" },
	{ LEAF("neq", "a", "abc"), "NO" },
	{ LEAF("neq", "a", "x"), "YES" },
	{ LEAF("neq", "z", "x"), "YES" },
	{ LEAF("sw", "a", "ab"), "YES" },
	{ LEAF("sw", "a", "bc"), "NO" },
	{ LEAF("sw", "z", "a"), "NO" },
	{ LEAF("ew", "a", "bc"), "YES" },
	{ LEAF("ew", "a", "ab"), "NO" },
	{ LEAF("ct", "a", "b"), "YES" },
	{ LEAF("ct", "a", "abc"), "YES" },
	{ LEAF("ct", "a", "ac"), "NO" },
	{ LEAF("ct", "e", "a"), "NO" },
	{ LEAF("ct", "z", "a"), "NO" },
	{ SET("in", "a", "\"x\",\"abc\""), "YES" },
	{ SET("in", "a", "\"x\""), "NO" },
	{ SET("in", "z", "\"x\",\"\""), "YES" },
	{ SET("nin", "a", "\"abc\""), "NO" },
	{ SET("nin", "z", "\"x\""), "YES" },
	{ SET("nin", "z", "\"\""), "NO" },
	{ HAS("ex", "e"), "YES" },
	{ HAS("ex", "z"), "NO" },
	{ HAS("nex", "z"), "YES" },
	{ HAS("nex", ""), "YES" },
	{ LEAF("gt", "n", "12.5"), "NO" },
	{ LEAF("gte", "n", "12.5"), "YES" },
	{ LEAF("lt", "n", "12.51"), "YES" },
	{ LEAF("lt", "n", "12.5"), "NO" },
	{ LEAF("lte", "n", "12.5"), "YES" },
	{ LEAF("gt", "n", "9"), "YES" },
	{ LEAF("gt", "a", "9"), "NO" },
	{ LEAF("lt", "n", "x"), "NO" },
	{ LEAF("lt", "z", "9"), "NO" },
	/* trees */
	{ NODES("and", YES), "YES" },
	{ NODES("and", YES "," YES), "YES" },
	{ NODES("and", YES "," NO), "NO" },
	{ NODES("and", NO "," YES), "NO" },
	{ NODES("or", NO "," NO), "NO" },
	{ NODES("or", NO "," YES), "YES" },
	{ NODES("or", YES "," NO), "YES" },
	{ NODES("not", YES), "NO" },
	{ NODES("not", NODES("not", YES)), "YES" },
	{ NODES("and", NODES("or", NO "," YES "," NO) "," YES), "YES" },
	{ NODES("and", NODES("or", NO "," YES "," NO) "," NO), "NO" },
	{ NODES("or", NODES("and", NO "," YES) "," NODES("not", NO)), "YES" },
	{ NODES("or", NODES("and", YES "," NO) "," NODES("not", YES)), "NO" },
	{ NODES("not", NODES("and", YES "," NODES("or", NO "," NO))), "YES" },
	/* what does not count there */
	{ "{\"op\":null,\"key\":\"a\",\"cmp\":\"ex\",\"val\":null,"
	  "\"vals\":null,\"nodes\":null,\"more\":[1]}", "YES" },
	{ "{\"key\":\"a\",\"cmp\":\"ex\",\"nodes\":[{}]}", "YES" },
	{ "{\"op\":\"not\",\"key\":\"a\",\"cmp\":\"foo\",\"nodes\":["
	  YES "]}", "NO" },
	{ "{\"op\":\"foo\",\"op\":\"\",\"key\":\"a\",\"cmp\":\"ex\"}", "YES" },
	/* trees that make no sense */
	{ "{}", "INVALID" },
	{ HAS("", "a"), "INVALID" },
	{ HAS("EQ", "a"), "INVALID" },
	{ LEAF("eq", "a", ""), "INVALID" },
	{ LEAF("gt", "", "1"), "INVALID" },
	{ HAS("ct", "a"), "INVALID" },
	{ LEAF("in", "a", "b"), "INVALID" },
	{ LEAF("ex", "a", "b"), "INVALID" },
	{ SET("in", "a", ""), "INVALID" },
	{ SET("in", "", "\"\""), "INVALID" },
	{ SET("eq", "a", "\"b\""), "INVALID" },
	{ SET("nex", "a", "\"b\""), "INVALID" },
	{ "{\"key\":\"a\",\"cmp\":\"in\",\"val\":\"b\",\"vals\":[\"b\"]}",
	  "INVALID" },
	{ "{\"key\":\"a\",\"cmp\":\"eq\",\"val\":\"b\",\"vals\":[\"b\"]}",
	  "INVALID" },
	{ NODES("and", ""), "INVALID" },
	{ "{\"op\":\"or\"}", "INVALID" },
	{ NODES("not", ""), "INVALID" },
	{ NODES("not", YES "," YES), "INVALID" },
	{ NODES("xor", YES), "INVALID" },
	{ NODES("and", YES "," NODES("or", NODES("not", "{}"))), "INVALID" },
	/* no trees */
	{ "null", "MALFORMED" },
	{ "[]", "MALFORMED" },
	{ "\"a\"", "MALFORMED" },
	{ "{\"op\":1}", "MALFORMED" },
	{ "{\"key\":[],\"cmp\":\"ex\"}", "MALFORMED" },
	{ "{\"key\":\"a\",\"cmp\":true}", "MALFORMED" },
	{ "{\"key\":\"a\",\"cmp\":\"eq\",\"val\":5}", "MALFORMED" },
	{ SET("in", "a", "1"), "MALFORMED" },
	{ SET("in", "a", "null"), "MALFORMED" },
	{ "{\"key\":\"a\",\"cmp\":\"in\",\"vals\":{}}", "MALFORMED" },
	{ "{\"op\":\"and\",\"nodes\":{}}", "MALFORMED" },
	{ NODES("and", "1"), "MALFORMED" },
	{ NODES("and", "null"), "MALFORMED" },
	{ NODES("xor", "{\"op\":1}"), "MALFORMED" },
	{ "{\"key\":\"a\",\"cmp\":\"ex\",\"nodes\":[{\"val\":1}]}",
	  "MALFORMED" },
};

TEST(judges)
{
	size_t	i;

	for (i = 0; i < N(rows); i++) {
		test_note("row %zu: %s", i, rows[i].filter);
		CHECK_STR(judge(sv_from(rows[i].filter), SV(TAGS)),
		    rows[i].want);
	}
}

TEST(agrees_with_centrifuge)
{
	FILE		*f = fopen(CORPUS, "r");
	struct sv	rest, filter, tags;
	char		line[4096];
	int		n = 0;

	if (!CHECK(f != NULL))
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		test_note("line %d: %s", ++n, line);
		rest = sv_from(line);
		filter = sv_cut(&rest, '\t');
		tags = sv_cut(&rest, '\t');
		CHECK_SV(rest, judge(filter, tags));
	}
	fclose(f);
	CHECK(n > 400);
}

TEST(tags)
{
	static const char *const	bad[] = {
		"[]", "1", "{", "{\"a\":1}", "{\"a\":\"b\",\"c\":null}",
		"{\"a\":{}}", " ",
	};
	struct filter_tags	t;
	size_t			i;

	filter_tags_init(&t);
	CHECK_INT(filter_tags_load(&t, SV("{\"bb\":\"1\",\"a\":\"\\\"x\","
	    "\"\\u0062b\":\"2\",\"\":\"\",\"c\\n\":\"y\\tz\",\"bb\":\"3\"}")),
	    0);
	if (CHECK_INT(t.n, 4)) {	/* by length, then by bytes */
		CHECK_SV(t.tag[0].key, "");
		CHECK_SV(t.tag[0].val, "");
		CHECK_SV(t.tag[1].key, "a");
		CHECK_SV(t.tag[1].val, "\"x");
		CHECK_SV(t.tag[2].key, "bb");
		CHECK_SV(t.tag[2].val, "3");
		CHECK_SV(t.tag[3].key, "c\n");
		CHECK_SV(t.tag[3].val, "y\tz");
	}
	for (i = 0; i < N(bad); i++) {
		test_note("row %zu", i);
		CHECK_INT(filter_tags_load(&t, sv_from(bad[i])), -1);
		CHECK_INT(t.n, 0);
	}
	CHECK_INT(filter_tags_load(&t, SV("{\"a\":\"b\"}")), 0);
	CHECK_INT(t.n, 1);
	CHECK_INT(filter_tags_load(&t, SV("")), 0);
	CHECK_INT(t.n, 0);
	CHECK_INT(filter_tags_load(&t, SV("{}")), 0);
	CHECK_INT(t.n, 0);
	filter_tags_fini(&t);
}

/* Unescaped strings stay where they are while others follow. */
TEST(escaped_tags)
{
	struct filter_tags	t;
	struct buf		b = BUF_INIT;
	char			want[16];
	int			i;

	buf_puts(&b, "{");
	for (i = 100; i < 999; i++)
		buf_printf(&b, "\"\\u0061%d\":\"\\n%d\",", i, i);
	buf_puts(&b, "\"\\u0061999\":\"\\n999\"}");
	filter_tags_init(&t);
	CHECK_INT(filter_tags_load(&t, buf_sv(&b)), 0);
	CHECK_INT(t.n, 900);
	for (i = 100; i < 1000 && t.n == 900; i++) {
		snprintf(want, sizeof(want), "a%d", i);
		CHECK_SV(t.tag[i - 100].key, want);
		snprintf(want, sizeof(want), "\n%d", i);
		CHECK_SV(t.tag[i - 100].val, want);
	}
	filter_tags_fini(&t);
	buf_fini(&b);
}

static void
repeat(struct buf *b, const char *s, int n)
{
	while (n-- > 0)
		buf_puts(b, s);
}

/* As deep as JSON may be nested. */
TEST(deep)
{
	struct buf	b = BUF_INIT;
	int		depth = JSON_MAX_DEPTH / 2 - 1;

	repeat(&b, "{\"op\":\"not\",\"nodes\":[", depth);
	buf_puts(&b, YES);
	repeat(&b, "]}", depth);
	CHECK_STR(judge(buf_sv(&b), SV(TAGS)), depth % 2 ? "NO" : "YES");
	buf_reset(&b);
	repeat(&b, "{\"op\":\"and\",\"nodes\":[" YES ",", depth);
	buf_puts(&b, YES);
	repeat(&b, "]}", depth);
	CHECK_STR(judge(buf_sv(&b), SV(TAGS)), "YES");
	buf_fini(&b);
}

/* Many nodes, values and tags: what is looked at is so once. */
TEST(wide)
{
	struct filter_tags	t;
	struct filter		*f;
	struct buf		filter = BUF_INIT, tags = BUF_INIT;
	enum filter_err		err;
	int			i;
	int64_t			start = clock_mono_ms();

	buf_puts(&filter, "{\"op\":\"or\",\"nodes\":[");
	buf_puts(&tags, "{");
	for (i = 0; i < 20000; i++) {
		buf_printf(&filter, NODES("and", HAS("ex", "k%d") ","
		    SET("in", "k%d", "\"x\",\"%d\"")) ",", i, i, i + 1);
		buf_printf(&tags, "\"k%d\":\"%d\",", i, i);
	}
	buf_puts(&filter, LEAF("eq", "k77", "77") "]}");
	buf_puts(&tags, "\"x\":\"\"}");
	filter_tags_init(&t);
	CHECK_INT(filter_tags_load(&t, buf_sv(&tags)), 0);
	CHECK_INT(t.n, 20001);
	if (CHECK((f = compile(buf_sv(&filter), &err)) != NULL)) {
		for (i = 0; i < 10; i++)
			CHECK(filter_match(f, &t));
		CHECK_INT(filter_tags_load(&t, SV("")), 0);
		CHECK(!filter_match(f, &t));
	}
	filter_free(f);
	filter_tags_fini(&t);
	buf_fini(&filter);
	buf_fini(&tags);
	CHECK(clock_mono_ms() - start < 10000);
}

static bool
compile_and_match(void)
{
	struct filter_tags	t;
	enum filter_err		err;
	bool			ok = false;
	struct filter		*f;

	f = compile(SV(NODES("and", SET("in", "\\u0061", "\"abc\",\"\\n\"")
	    "," LEAF("gt", "n", "1"))), &err);
	CHECK((f == NULL) == (err != FILTER_OK));
	CHECK(f != NULL || err == FILTER_NOMEM);
	filter_tags_init(&t);
	if (f != NULL && filter_tags_load(&t, SV(TAGS)) == 0) {
		CHECK(filter_match(f, &t));
		ok = true;
	}
	filter_tags_fini(&t);
	filter_free(f);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(compile_and_match);
}

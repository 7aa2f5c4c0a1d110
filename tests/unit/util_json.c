/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON reader. The rows of the grammar follow the categories of the
 * well-known JSON parsing test suites: structure, strings, numbers, objects,
 * arrays, and what must be refused of each.
 */
#include <stdlib.h>
#include <time.h>

#include "tests/unit/test.h"
#include "util/json.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

static const struct sv good[] = {
	/* scalars and white space */
	SV_INIT("0"), SV_INIT(" 0 "), SV_INIT("\t\n\r 1\r\n\t"),
	SV_INIT("null"), SV_INIT("true"), SV_INIT("false"), SV_INIT("\"\""),
	/* arrays */
	SV_INIT("[]"), SV_INIT("[ ]"), SV_INIT("[[]]"), SV_INIT("[[]   ]"),
	SV_INIT("[\"\"]"), SV_INIT("[false]"), SV_INIT("[1\n]"),
	SV_INIT(" [1]"), SV_INIT("[2] "), SV_INIT("[1,null,null,null,2]"),
	SV_INIT("[null, 1, \"1\", {}]"), SV_INIT("[ 1 , 2 ]"),
	SV_INIT("[[],[],[[]]]"), SV_INIT("[{},{}]"),
	/* objects */
	SV_INIT("{}"), SV_INIT("{ }"), SV_INIT("{\"\":0}"),
	SV_INIT("{\"a\":[]}"), SV_INIT("{\"a\" : \"b\" , \"c\":\"d\"}"),
	SV_INIT("{\"a\":\"b\",\"a\":\"b\"}"), SV_INIT("{\"a\":{\"b\":{}}}"),
	SV_INIT("{\n\"a\": \"b\"\n}"), SV_INIT("{\"foo\\u0000bar\": 42}"),
	SV_INIT("{\"\\u043f\":\"\\u0410\"}"),
	/* numbers */
	SV_INIT("-0"), SV_INIT("[-1]"), SV_INIT("[-123]"), SV_INIT("[123]"),
	SV_INIT("[0e+1]"), SV_INIT("[0e1]"), SV_INIT("[1E22]"),
	SV_INIT("[1E-2]"), SV_INIT("[1E+2]"), SV_INIT("[123e45]"),
	SV_INIT("[123.456e78]"), SV_INIT("[1e-2]"), SV_INIT("[0.5]"),
	SV_INIT("[-0.0]"), SV_INIT("[0.4e00669999999999999999999999]"),
	SV_INIT("[-237462374673276894279832749832423479823246327846]"),
	SV_INIT("[123123123123123123123123123123]"), SV_INIT("[1e9999]"),
	/* strings */
	SV_INIT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), SV_INIT("[\"a/*b*/c\"]"),
	SV_INIT("[\"\\u0060\\u012a\\u12AB\"]"), SV_INIT("[\"\\u0000\"]"),
	SV_INIT("[\"\\ud801\\udc37\"]"), SV_INIT("[\"\\uDBFF\\uDFFF\"]"),
	SV_INIT("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"), SV_INIT("[\"\\uFFFF\"]"),
	SV_INIT("[\"\x7f\"]"), SV_INIT("[\"\xc2\x80\"]"),
	SV_INIT("[\"\xe2\x82\xac\xf0\x9d\x84\x9e\"]"),
	SV_INIT("[\"\xef\xbf\xbf\"]"), SV_INIT("[\"\xf4\x8f\xbf\xbf\"]"),
	SV_INIT("\"0123456789abcdef\xe2\x80\xa8 0123456789abcdef\""),
	SV_INIT("[\"\\\\u0000\",\"\\\\\",\"\\\"\"]"), SV_INIT("[\"]\",\"}\"]"),
};

static const struct {
	struct sv	in;
	enum json_err	err;
	size_t		pos;
} bad[] = {
	/* nothing */
	{ SV_INIT(""), JSON_EMPTY, 0 },
	{ { NULL, 0 }, JSON_EMPTY, 0 },
	{ SV_INIT(" \n "), JSON_EMPTY, 3 },
	/* structure */
	{ SV_INIT("["), JSON_SYNTAX, 1 },
	{ SV_INIT("]"), JSON_SYNTAX, 0 },
	{ SV_INIT("{"), JSON_SYNTAX, 1 },
	{ SV_INIT("}"), JSON_SYNTAX, 0 },
	{ SV_INIT(","), JSON_SYNTAX, 0 },
	{ SV_INIT(":"), JSON_SYNTAX, 0 },
	{ SV_INIT("[1"), JSON_SYNTAX, 2 },
	{ SV_INIT("[1,"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1}"), JSON_SYNTAX, 2 },
	{ SV_INIT("{\"a\":1]"), JSON_SYNTAX, 6 },
	{ SV_INIT("[[1}]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[{\"a\":1]"), JSON_SYNTAX, 7 },
	{ SV_INIT("[1]]"), JSON_TRAILING, 3 },
	{ SV_INIT("[]["), JSON_TRAILING, 2 },
	{ SV_INIT("{} {}"), JSON_TRAILING, 3 },
	{ SV_INIT("{}}"), JSON_TRAILING, 2 },
	{ SV_INIT("\"a\"b"), JSON_TRAILING, 3 },
	{ SV_INIT("\"a\" \"b\""), JSON_TRAILING, 4 },
	{ SV_INIT("1 2"), JSON_TRAILING, 2 },
	{ SV_INIT("{\"a\":1}#"), JSON_TRAILING, 7 },
	{ SV_INIT("{\"a\":\"b\"}/**/"), JSON_TRAILING, 9 },
	{ SV_INIT("1,"), JSON_TRAILING, 1 },
	{ SV_INIT("[]\0"), JSON_TRAILING, 2 },
	{ SV_INIT("\0[]"), JSON_SYNTAX, 0 },
	{ SV_INIT("[\0]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[1\0]"), JSON_SYNTAX, 2 },
	{ SV_INIT("\xef\xbb\xbf{}"), JSON_SYNTAX, 0 },
	{ SV_INIT("\xef\xbb\xbf"), JSON_SYNTAX, 0 },
	{ SV_INIT("[\f]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[\v1]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[\xe2\x81\xa0]"), JSON_SYNTAX, 1 },
	{ SV_INIT("\xc2\xa0" "1"), JSON_SYNTAX, 0 },
	{ SV_INIT("<null>"), JSON_SYNTAX, 0 },
	{ SV_INIT("[<null>]"), JSON_SYNTAX, 1 },
	{ SV_INIT("*"), JSON_SYNTAX, 0 },
	{ SV_INIT("/**/1"), JSON_SYNTAX, 0 },
	{ SV_INIT("//\n1"), JSON_SYNTAX, 0 },
	{ SV_INIT("abc"), JSON_SYNTAX, 0 },
	/* arrays */
	{ SV_INIT("[1,,3]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[,1]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[,]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[1,]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1 true]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[3[4]]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"a\" \"b\"]"), JSON_SYNTAX, 5 },
	{ SV_INIT("[\"\": 1]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1:2]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"x\",,]"), JSON_SYNTAX, 5 },
	{ SV_INIT("[*]"), JSON_SYNTAX, 1 },
	/* objects */
	{ SV_INIT("{,}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{\"a\"}"), JSON_SYNTAX, 4 },
	{ SV_INIT("{\"a\":}"), JSON_SYNTAX, 5 },
	{ SV_INIT("{\"a\":nope}"), JSON_SYNTAX, 5 },
	{ SV_INIT("{\"a\":1,}"), JSON_SYNTAX, 7 },
	{ SV_INIT("{\"a\":1,,\"b\":2}"), JSON_SYNTAX, 7 },
	{ SV_INIT("{\"a\" 1}"), JSON_SYNTAX, 5 },
	{ SV_INIT("{\"a\",1}"), JSON_SYNTAX, 4 },
	{ SV_INIT("{\"a\"::1}"), JSON_SYNTAX, 5 },
	{ SV_INIT("{\"a\":1:2}"), JSON_SYNTAX, 6 },
	{ SV_INIT("{\"a\":1 \"b\":2}"), JSON_SYNTAX, 7 },
	{ SV_INIT("{:1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{1:1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{a:1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{'a':1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{null:null}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{[]:1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{{}:1}"), JSON_SYNTAX, 1 },
	{ SV_INIT("{\"a\""), JSON_SYNTAX, 4 },
	{ SV_INIT("{\"a\":"), JSON_SYNTAX, 5 },
	{ SV_INIT("{\"a\":1"), JSON_SYNTAX, 6 },
	{ SV_INIT("{\"a"), JSON_SYNTAX, 3 },
	{ SV_INIT("{\"a\":1,\"b\"}"), JSON_SYNTAX, 10 },
	{ SV_INIT("[{},\"a\":1]"), JSON_SYNTAX, 7 },
	/* words */
	{ SV_INIT("nul"), JSON_SYNTAX, 0 },
	{ SV_INIT("[nul]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[tru]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[fals]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[True]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[NULL]"), JSON_SYNTAX, 1 },
	{ SV_INIT("nulls"), JSON_SYNTAX, 4 },
	{ SV_INIT("[true1]"), JSON_SYNTAX, 5 },
	{ SV_INIT("truefalse"), JSON_SYNTAX, 4 },
	{ SV_INIT("[NaN]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[Infinity]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[undefined]"), JSON_SYNTAX, 1 },
	/* numbers */
	{ SV_INIT("01"), JSON_SYNTAX, 1 },
	{ SV_INIT("[01]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[-01]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[00]"), JSON_SYNTAX, 2 },
	{ SV_INIT("-"), JSON_SYNTAX, 1 },
	{ SV_INIT("[-]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[--1]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[- 1]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[-a]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[-Infinity]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[+1]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[++1]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[.5]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[-.5]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[1.]"), JSON_SYNTAX, 3 },
	{ SV_INIT("1."), JSON_SYNTAX, 2 },
	{ SV_INIT("[0.e1]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1.e1]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1e]"), JSON_SYNTAX, 3 },
	{ SV_INIT("1e"), JSON_SYNTAX, 2 },
	{ SV_INIT("[1e+]"), JSON_SYNTAX, 4 },
	{ SV_INIT("1e-"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1E+-1]"), JSON_SYNTAX, 4 },
	{ SV_INIT("[1ee1]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1e1.5]"), JSON_SYNTAX, 4 },
	{ SV_INIT("[1.2.3]"), JSON_SYNTAX, 4 },
	{ SV_INIT("[1+2]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[0x1]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[1a]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[1 000]"), JSON_SYNTAX, 3 },
	{ SV_INIT("[1_000]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\xef\xbc\x91]"), JSON_SYNTAX, 1 },
	{ SV_INIT("[1\xe5]"), JSON_SYNTAX, 2 },
	/* strings */
	{ SV_INIT("\""), JSON_SYNTAX, 1 },
	{ SV_INIT("\"abc"), JSON_SYNTAX, 4 },
	{ SV_INIT("[\"a]"), JSON_SYNTAX, 4 },
	{ SV_INIT("['a']"), JSON_SYNTAX, 1 },
	{ SV_INIT("[a]"), JSON_SYNTAX, 1 },
	{ SV_INIT("\"\\"), JSON_SYNTAX, 1 },
	{ SV_INIT("\"\\\""), JSON_SYNTAX, 3 },
	{ SV_INIT("[\"\\x00\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\a\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\'\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\\0\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\U0041\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\\xf0\x9f\x8c\x80\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\u\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\u00A\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\u00G0\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\\u 123\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("\"\\u004"), JSON_SYNTAX, 1 },
	{ SV_INIT("\"\\ud800\\u00"), JSON_UTF8, 1 },
	{ SV_INIT("[\"\n\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\t\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\0\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"\x1f\"]"), JSON_SYNTAX, 2 },
	{ SV_INIT("[\"0123456789abcdef\x01\"]"), JSON_SYNTAX, 18 },
	{ SV_INIT("[\"01\x1f" "3456789abcdef\"]"), JSON_SYNTAX, 4 },
	{ SV_INIT("{\"\n\":1}"), JSON_SYNTAX, 2 },
	/* surrogates */
	{ SV_INIT("[\"\\ud800\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\ud800abc\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\udc00\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\udc00\\ud800\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\ud800\\ud800\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\ud800\\n\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\\ud800\\u0041\"]"), JSON_UTF8, 2 },
	{ SV_INIT("{\"\\udfff\":1}"), JSON_UTF8, 2 },
	/* UTF-8 */
	{ SV_INIT("[\"\xff\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\x80\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"a\xe9\"]"), JSON_UTF8, 3 },
	{ SV_INIT("[\"\xc0\xaf\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\xe0\x80\x80\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\xed\xa0\x80\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\xf4\x90\x80\x80\"]"), JSON_UTF8, 2 },
	{ SV_INIT("[\"\xe2\x82\"]"), JSON_UTF8, 2 },
	{ SV_INIT("\"\xe2\x82"), JSON_UTF8, 1 },
	{ SV_INIT("{\"\xff\":1}"), JSON_UTF8, 2 },
};

TEST(accepts_what_is_json)
{
	struct json	j;
	size_t		i, k;

	json_init(&j);
	for (i = 0; i < N(good); i++) {
		char	*p = guard_dup(good[i]);

		test_note("row %zu: %.*s", i, SV_ARG(good[i]));
		CHECK_INT(json_parse(&j, sv_make(p, good[i].n), 0), 0);
		CHECK_INT(j.err, JSON_OK);
		CHECK_INT(j.used, good[i].n);
		CHECK(jv_is(json_root(&j)));
		guard_free(p);
		/* cut anywhere: no crash, and an error, but for scalars and
		 * white space at the end */
		for (k = 0; k < good[i].n; k++) {
			p = guard_dup(sv_make(good[i].p, k));
			if (json_parse(&j, sv_make(p, k), 0) == 0)
				CHECK(jv_len(json_root(&j)) == 0 ||
				    sv_trim(sv_skip(good[i], k)).n == 0);
			guard_free(p);
		}
	}
	json_fini(&j);
}

TEST(refuses_what_is_not)
{
	struct json	j;
	size_t		i;

	json_init(&j);
	for (i = 0; i < N(bad); i++) {
		char	*p = guard_dup(bad[i].in);

		test_note("row %zu: %.*s", i, SV_ARG(bad[i].in));
		CHECK_INT(json_parse(&j, sv_make(p, bad[i].in.n), 0), -1);
		CHECK_INT(j.err, bad[i].err);
		CHECK_INT(j.errpos, bad[i].pos);
		CHECK(!jv_is(json_root(&j)));
		CHECK(json_strerror(j.err)[0] != '\0');
		guard_free(p);
	}
	json_fini(&j);
}

/* Every text of up to five bytes of this alphabet: the reader and a parser
 * of four lines by recursion must agree. */
static const char	alphabet[] = "[]{}:,\"1";

static const char	*naive(const char *p);

static const char *
naive_list(const char *p, bool object, char close)
{
	p++;
	if (*p == close)
		return p + 1;
	for (;; p++) {
		if (object && (*p != '"' || (p = naive(p)) == NULL ||
		    *p++ != ':'))
			return NULL;
		if ((p = naive(p)) == NULL)
			return NULL;
		if (*p != ',')
			return *p == close ? p + 1 : NULL;
	}
}

static const char *
naive(const char *p)
{
	switch (*p) {
	case '[':
		return naive_list(p, false, ']');
	case '{':
		return naive_list(p, true, '}');
	case '"':
		p = strchr(p + 1, '"');
		return p == NULL ? NULL : p + 1;
	case '1':
		return p + strspn(p, "1");
	default:
		return NULL;
	}
}

TEST(agrees_with_a_naive_parser)
{
	struct json	j;
	char		text[8];
	unsigned long	i, u, wrong = 0, accepted = 0;
	size_t		n;

	json_init(&j);
	for (n = 1; n <= 6; n++) {
		for (i = 0; i < 1ul << (3 * n); i++) {
			const char	*end;
			bool		 want, got;
			size_t		 k;

			for (k = 0, u = i; k < n; k++, u >>= 3)
				text[k] = alphabet[u & 7];
			text[n] = '\0';
			end = naive(text);
			want = end != NULL && *end == '\0';
			got = json_parse(&j, sv_make(text, n), 0) == 0;
			accepted += got;
			if (want != got && wrong++ < 5) {
				test_note("%s", text);
				CHECK(want == got);
			}
		}
	}
	CHECK_INT(wrong, 0);
	CHECK(accepted > 100);
	json_fini(&j);
}

/* n times s, then middle, then n times t. */
static struct buf
nested(const char *s, const char *middle, const char *t, size_t n)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < n; i++)
		buf_puts(&b, s);
	buf_puts(&b, middle);
	for (i = 0; i < n; i++)
		buf_puts(&b, t);
	return b;
}

/* [ s, s, ... ] with n elements. */
static struct buf
array_of(const char *s, size_t n)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < n; i++) {
		buf_putc(&b, i == 0 ? '[' : ',');
		buf_puts(&b, s);
	}
	buf_putc(&b, ']');
	return b;
}

TEST(depth)
{
	static const struct {
		const char	*s, *middle, *t;
		size_t		 n;
		enum json_err	 err;
	} rows[] = {
		{ "[", "", "]", 512, JSON_OK },
		{ "[", "", "]", 513, JSON_DEPTH },
		{ "[", "1", "]", 512, JSON_OK },
		{ "{\"a\":", "1", "}", 512, JSON_OK },
		{ "{\"a\":", "1", "}", 513, JSON_DEPTH },
		{ "{\"a\":", "{}", "}", 63, JSON_OK },
		{ "{\"a\":", "{}", "}", 512, JSON_DEPTH },
		{ "[{\"a\":", "1", "}]", 32, JSON_OK },
		{ "[{\"a\":", "[]", "}]", 256, JSON_DEPTH },
		{ "[", "", "", 1000000, JSON_DEPTH },
		{ "[{\"\":", "", "", 1000000, JSON_DEPTH },
	};
	struct json	j;
	size_t		i;

	json_init(&j);
	for (i = 0; i < N(rows); i++) {
		struct buf	b = nested(rows[i].s, rows[i].middle,
				    rows[i].t, rows[i].n);

		test_note("row %zu", i);
		json_parse(&j, buf_sv(&b), 0);
		CHECK_INT(j.err, rows[i].err);
		buf_fini(&b);
	}
	json_fini(&j);
}

TEST(long_documents_are_walked_in_linear_time)
{
	struct buf	b = array_of("[[1],{\"a\":[2]}]", 100000);
	struct json	j;
	struct jv	v;
	size_t		n = 0;

	json_init(&j);
	CHECK_INT(json_parse(&j, buf_sv(&b), JSON_NODUP), 0);
	CHECK_INT(jv_len(json_root(&j)), 100000);
	for (v = jv_first(json_root(&j)); jv_is(v); v = jv_next(v))
		n += jv_len(v);
	CHECK_INT(n, 200000);
	json_fini(&j);
	buf_fini(&b);
}

/* Processor time of one parse, in seconds: the least of several. */
static double
parse_time(struct sv text)
{
	struct json	j;
	struct timespec	a, b;
	double		t, best = 1e9;
	int		i;

	json_init(&j);
	for (i = 0; i < 10; i++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		CHECK_INT(json_parse(&j, text, 0), 0);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		t = (double)(b.tv_sec - a.tv_sec) +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		if (t < best)
			best = t;
	}
	json_fini(&j);
	return best;
}

/* As many brackets cost as much whether they are flat or nested. */
TEST(nesting_costs_no_time)
{
	static const char *const	ends[][2] = {
		{ "[", "]" }, { "{\"a\":", "}" }, { "[{\"a\":", "}]" },
	};
	size_t	i;

	for (i = 0; i < N(ends); i++) {
		size_t		depth = i == 2 ? 255 : 510;
		struct buf	one = nested(ends[i][0], "0", ends[i][1], 1);
		struct buf	many = nested(ends[i][0], "0", ends[i][1],
				    depth);
		struct buf	flat, deep;

		buf_putc(&one, '\0');
		buf_putc(&many, '\0');
		flat = array_of(one.p, 64 * depth);
		deep = array_of(many.p, 64);
		test_note("row %zu", i);
		CHECK(parse_time(buf_sv(&deep)) <
		    4 * parse_time(buf_sv(&flat)));
		buf_fini(&one);
		buf_fini(&many);
		buf_fini(&flat);
		buf_fini(&deep);
	}
}

TEST(limits_the_tokens)
{
	struct json	j;

	json_init(&j);
	j.max_tokens = 4;
	CHECK_INT(json_parse(&j, SV("[1,2,3]"), 0), 0);
	CHECK_INT(json_parse(&j, SV("[1,2,3,4]"), 0), -1);
	CHECK_INT(j.err, JSON_TOOBIG);
	CHECK_INT(json_parse(&j, SV("{\"a\":1,\"b\":2}"), 0), -1);
	CHECK_INT(j.err, JSON_TOOBIG);
	j.max_tokens = 0;
	CHECK_INT(json_parse(&j, sv_make("1", (size_t)INT32_MAX + 1), 0), -1);
	CHECK_INT(j.err, JSON_TOOBIG);
	json_fini(&j);
}

TEST(duplicate_keys)
{
	static const struct {
		const char	*in;
		int		 rc;
		size_t		 pos;
	} rows[] = {
		{ "{\"a\":1,\"b\":2}", 0, 0 },
		{ "{\"a\":1,\"a\":2}", -1, 7 },
		{ "{\"a\":1,\"b\":2,\"c\":3,\"a\":1}", -1, 19 },
		{ "{\"a\":1,\"\\u0061\":2}", -1, 7 },
		{ "{\"\\n\":1,\"\\u000a\":2}", -1, 8 },
		{ "{\"\xc3\xa4\":1,\"\\u00e4\":2}", -1, 8 },
		{ "{\"\\ud83d\\ude39\":1,\"\xf0\x9f\x98\xb9\":2}", -1, 18 },
		{ "{\"\":1,\"\":2}", -1, 6 },
		{ "{\"a\":1,\"A\":2}", 0, 0 },
		{ "{\"a\":{\"a\":1},\"b\":{\"a\":1}}", 0, 0 },
		{ "[{\"a\":1},{\"a\":1}]", 0, 0 },
		{ "[[{\"x\":{\"b\":1,\"b\":1}}]]", -1, 14 },
		{ "{\"a\":\"a\",\"b\":\"a\"}", 0, 0 },
		{ "{\"a\\u0000\":1,\"a\":2}", 0, 0 },
	};
	struct json	j;
	size_t		i;

	json_init(&j);
	for (i = 0; i < N(rows); i++) {
		char	*p = guard_dup(sv_from(rows[i].in));

		test_note("row %zu: %s", i, rows[i].in);
		CHECK_INT(json_parse(&j, sv_make(p, strlen(rows[i].in)),
		    JSON_NODUP), rows[i].rc);
		CHECK_INT(j.err, rows[i].rc == 0 ? JSON_OK : JSON_DUPKEY);
		CHECK_INT(j.errpos, rows[i].pos);
		CHECK_INT(json_parse(&j, sv_from(rows[i].in), 0), 0);
		guard_free(p);
	}
	json_fini(&j);
}

TEST(duplicate_among_many)
{
	struct buf	b = BUF_INIT;
	struct json	j;
	size_t		last;
	int		i;

	json_init(&j);
	buf_putc(&b, '{');
	for (i = 0; i < 100000; i++)
		buf_printf(&b, "\"k%d\":%d,", i, i);
	last = b.n;
	buf_puts(&b, "\"k100000\":0}");
	CHECK_INT(json_parse(&j, buf_sv(&b), JSON_NODUP), 0);
	memcpy(b.p + last, "\"k77777\" :0}", 12);
	CHECK_INT(json_parse(&j, buf_sv(&b), JSON_NODUP), -1);
	CHECK_INT(j.err, JSON_DUPKEY);
	CHECK_INT(j.errpos, last);
	buf_fini(&b);
	json_fini(&j);
}

TEST(stream_of_documents)
{
	static const struct {
		const char	*in;
		const char	*docs[5];
		enum json_err	 end;
	} rows[] = {
		{ "{}", { "{}" }, JSON_EMPTY },
		{ " {\"a\":1}\n{\"b\":2}\n", { "{\"a\":1}", "{\"b\":2}" },
		    JSON_EMPTY },
		{ "1 2\n3", { "1", "2", "3" }, JSON_EMPTY },
		{ "[]{}\"a\"\"b\"", { "[]", "{}", "\"a\"", "\"b\"" },
		    JSON_EMPTY },
		{ "{}]", { "{}" }, JSON_SYNTAX },
		{ "{},{}", { "{}" }, JSON_SYNTAX },
		{ "01", { NULL }, JSON_SYNTAX },
		{ "truefalse", { NULL }, JSON_SYNTAX },
		{ "{} {", { "{}" }, JSON_SYNTAX },
	};
	struct json	j;
	size_t		i, k;

	json_init(&j);
	for (i = 0; i < N(rows); i++) {
		struct sv	s = sv_from(rows[i].in);
		char		*p = guard_dup(s);

		test_note("row %zu: %s", i, rows[i].in);
		s.p = p;
		for (k = 0; rows[i].docs[k] != NULL; k++) {
			if (!CHECK_INT(json_parse(&j, s, JSON_STREAM), 0))
				break;
			CHECK_SV(jv_raw(json_root(&j)), rows[i].docs[k]);
			CHECK(!jv_is(jv_next(json_root(&j))));
			s = sv_skip(s, j.used);
		}
		CHECK_INT(json_parse(&j, s, JSON_STREAM), -1);
		CHECK_INT(j.err, rows[i].end);
		guard_free(p);
	}
	json_fini(&j);
}

TEST(walks_values)
{
	struct json	j;
	struct jv	root, v;

	json_init(&j);
	CHECK_INT(json_parse(&j, SV(" { \"a\" : [ 1 , \"x\" , [ ] , { } ,"
	    " {\"b\":\"c\"} , true ] , \"d\" : null , "
	    "\"e\" : -1.5e3 } "), 0), 0);
	root = json_root(&j);
	CHECK_INT(jv_type(root), JSON_OBJECT);
	CHECK_INT(jv_len(root), 3);
	CHECK(!jv_is(jv_key(root)));
	CHECK(!jv_is(jv_next(root)));

	v = jv_first(root);
	CHECK_SV(jv_raw(jv_key(v)), "\"a\"");
	CHECK_INT(jv_type(jv_key(v)), JSON_STRING);
	CHECK_INT(jv_type(v), JSON_ARRAY);
	CHECK_INT(jv_len(v), 6);
	v = jv_first(v);
	CHECK_SV(jv_raw(v), "1");
	CHECK_INT(jv_type(v), JSON_NUMBER);
	CHECK(!jv_is(jv_key(v)));
	v = jv_next(v);
	CHECK_SV(jv_raw(v), "\"x\"");
	CHECK_INT(jv_type(v), JSON_STRING);
	CHECK_INT(jv_len(v), 0);
	v = jv_next(v);
	CHECK_SV(jv_raw(v), "[ ]");
	CHECK_INT(jv_len(v), 0);
	CHECK(!jv_is(jv_first(v)));
	v = jv_next(v);
	CHECK_SV(jv_raw(v), "{ }");
	CHECK(!jv_is(jv_first(v)));
	v = jv_next(v);
	CHECK_SV(jv_raw(v), "{\"b\":\"c\"}");
	CHECK_SV(jv_raw(jv_get(v, "b")), "\"c\"");
	CHECK(!jv_is(jv_next(jv_first(v))));
	v = jv_next(v);
	CHECK_INT(jv_type(v), JSON_BOOL);
	CHECK(!jv_is(jv_key(v)));
	CHECK(!jv_is(jv_next(v)));

	v = jv_next(jv_first(root));
	CHECK_SV(jv_raw(jv_key(v)), "\"d\"");
	CHECK_INT(jv_type(v), JSON_NULL);
	v = jv_next(v);
	CHECK_SV(jv_raw(jv_key(v)), "\"e\"");
	CHECK_SV(jv_raw(v), "-1.5e3");
	CHECK(!jv_is(jv_next(v)));
	json_fini(&j);
}

/* A container that stands last, in another that does. */
TEST(nested_containers_have_no_next)
{
	struct json	j;
	struct jv	v;
	int		depth;

	json_init(&j);
	CHECK_INT(json_parse(&j, SV("[0,[1,{\"a\":{\"b\":[[],[{}]]}}]]"), 0),
	    0);
	v = jv_next(jv_first(json_root(&j)));
	CHECK(!jv_is(jv_next(v)));
	v = jv_next(jv_first(v));
	for (depth = 2; jv_is(v); depth++) {
		test_note("depth %d", depth);
		CHECK(!jv_is(jv_next(v)));
		v = jv_first(v);
		if (depth == 4)
			v = jv_next(v);
	}
	CHECK_INT(depth, 7);
	json_fini(&j);
}

TEST(absent_values)
{
	struct json	j;
	struct jv	v;
	struct buf	b = BUF_INIT;
	struct sv	s = SV("x");
	bool		t = true;
	double		d = 1;

	json_init(&j);
	CHECK(!jv_is(json_root(&j)));
	CHECK_INT(json_parse(&j, SV("[1]"), 0), 0);
	v = jv_get(json_root(&j), "a");
	CHECK(!jv_is(v));
	CHECK_INT(jv_type(v), JSON_NONE);
	CHECK_SV(jv_raw(v), "");
	CHECK_INT(jv_len(v), 0);
	CHECK(!jv_is(jv_get(v, "a")));
	CHECK(!jv_is(jv_first(v)));
	CHECK(!jv_is(jv_next(v)));
	CHECK(!jv_is(jv_key(v)));
	CHECK_INT(jv_str(v, &b, &s), -1);
	CHECK_INT(s.n, 0);
	CHECK_INT(jv_bool(v, &t), -1);
	CHECK(!t);
	CHECK_INT(jv_double(v, &d), -1);
	CHECK(!(d > 0));
	json_fini(&j);
}

TEST(get_by_name)
{
	struct json	j;
	struct jv	r;

	json_init(&j);
	CHECK_INT(json_parse(&j, SV("{\"a\":1,\"ab\":2,\"\\u0061bc\":3,"
	    "\"x\\ny\":4,\"\\\\n\":5,\"\\n\":6,\"\\u00e4\\ud83d\\ude39\":7,"
	    "\"\":8,\"o\":{\"z\":9},\"twice\":1,\"twice\":10}"), 0), 0);
	r = json_root(&j);
	CHECK_SV(jv_raw(jv_get(r, "a")), "1");
	CHECK_SV(jv_raw(jv_get(r, "ab")), "2");
	CHECK_SV(jv_raw(jv_get(r, "abc")), "3");
	CHECK_SV(jv_raw(jv_get(r, "x\ny")), "4");
	CHECK_SV(jv_raw(jv_get(r, "\\n")), "5");
	CHECK_SV(jv_raw(jv_get(r, "\n")), "6");
	CHECK_SV(jv_raw(jv_get(r, "\xc3\xa4\xf0\x9f\x98\xb9")), "7");
	CHECK_SV(jv_raw(jv_get(r, "")), "8");
	CHECK_SV(jv_raw(jv_get(r, "twice")), "10");
	CHECK(!jv_is(jv_get(r, "z")));
	CHECK(!jv_is(jv_get(r, "abcd")));
	CHECK(!jv_is(jv_get(r, "A")));
	CHECK(!jv_is(jv_get(r, "\xc3\xa4\xf0\x9f\x98")));
	CHECK(!jv_is(jv_get(jv_get(r, "a"), "a")));
	json_fini(&j);
}

TEST(strings)
{
	static const struct {
		const char	*in;
		struct sv	 out;
	} rows[] = {
		{ "\"\"", SV_INIT("") },
		{ "\"abc\"", SV_INIT("abc") },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		    SV_INIT("\"\\/\b\f\n\r\t") },
		{ "\"a\\u0000b\"", SV_INIT("a\0b") },
		{ "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", SV_INIT("\x7f"
		    "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf") },
		{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"",
		    SV_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
		{ "\"x\\nyz\\n\"", SV_INIT("x\nyz\n") },
		{ "\"\\u00e4\\u00E4\"", SV_INIT("\xc3\xa4\xc3\xa4") },
		{ "\"\\\\u0041\"", SV_INIT("\\u0041") },
	};
	struct json	j;
	struct buf	b = BUF_INIT;
	struct sv	s;
	size_t		i;

	json_init(&j);
	for (i = 0; i < N(rows); i++) {
		char	*p = guard_dup(sv_from(rows[i].in));

		test_note("row %zu", i);
		buf_reset(&b);
		buf_puts(&b, "kept");
		CHECK_INT(json_parse(&j, sv_make(p, strlen(rows[i].in)), 0), 0);
		CHECK_INT(jv_str(json_root(&j), &b, &s), 0);
		CHECK_SVEQ(s, rows[i].out);
		CHECK(sv_starts(buf_sv(&b), SV("kept")));
		guard_free(p);
	}
	CHECK_INT(json_parse(&j, SV("[12]"), 0), 0);
	CHECK_INT(jv_str(json_root(&j), &b, &s), -1);
	CHECK_INT(jv_str(jv_first(json_root(&j)), &b, &s), -1);
	buf_fini(&b);
	json_fini(&j);
}

TEST(numbers)
{
	static const struct {
		const char	*in;
		int		 irc, urc, drc;
		int64_t		 i;
		uint64_t	 u;
		double		 d;
	} rows[] = {
		{ "0", 0, 0, 0, 0, 0, 0 },
		{ "-0", 0, -1, 0, 0, 0, 0 },
		{ "42", 0, 0, 0, 42, 42, 42 },
		{ "-42", 0, -1, 0, -42, 0, -42 },
		{ "1.0", -1, -1, 0, 0, 0, 1 },
		{ "1e2", -1, -1, 0, 0, 0, 100 },
		{ "-2.5E-1", -1, -1, 0, 0, 0, -0.25 },
		{ "9223372036854775807", 0, 0, 0, INT64_MAX, INT64_MAX,
		    9223372036854775807.0 },
		{ "9223372036854775808", -1, 0, 0, 0,
		    UINT64_C(9223372036854775808), 9223372036854775808.0 },
		{ "-9223372036854775808", 0, -1, 0, INT64_MIN, 0,
		    -9223372036854775808.0 },
		{ "18446744073709551616", -1, -1, 0, 0, 0,
		    18446744073709551616.0 },
		{ "1e999", -1, -1, -1, 0, 0, 0 },
		{ "\"1\"", -1, -1, -1, 0, 0, 0 },
		{ "true", -1, -1, -1, 0, 0, 0 },
		{ "null", -1, -1, -1, 0, 0, 0 },
		{ "[]", -1, -1, -1, 0, 0, 0 },
	};
	struct json	j;
	size_t		i;
	int64_t		v;
	uint64_t	u;
	double		d;

	json_init(&j);
	for (i = 0; i < N(rows); i++) {
		char	*p = guard_dup(sv_from(rows[i].in));

		test_note("row %zu", i);
		CHECK_INT(json_parse(&j, sv_make(p, strlen(rows[i].in)), 0), 0);
		v = 9;
		u = 9;
		d = 9;
		CHECK_INT(jv_i64(json_root(&j), &v), rows[i].irc);
		CHECK_INT(jv_u64(json_root(&j), &u), rows[i].urc);
		CHECK_INT(jv_double(json_root(&j), &d), rows[i].drc);
		CHECK_INT(v, rows[i].i);
		CHECK(u == rows[i].u);
		CHECK(d >= rows[i].d && d <= rows[i].d);
		guard_free(p);
	}
	json_fini(&j);
}

TEST(booleans)
{
	struct json	j;
	bool		v = false;

	json_init(&j);
	CHECK_INT(json_parse(&j, SV("true"), 0), 0);
	CHECK_INT(jv_bool(json_root(&j), &v), 0);
	CHECK(v);
	CHECK_INT(json_parse(&j, SV("false"), 0), 0);
	CHECK_INT(jv_bool(json_root(&j), &v), 0);
	CHECK(!v);
	CHECK_INT(json_parse(&j, SV("1"), 0), 0);
	CHECK_INT(jv_bool(json_root(&j), &v), -1);
	json_fini(&j);
}

TEST(position)
{
	struct sv	s = SV("ab\n\ncd\n");
	static const unsigned	want[][3] = {
		{ 0, 1, 1 }, { 1, 1, 2 }, { 2, 1, 3 }, { 3, 2, 1 },
		{ 4, 3, 1 }, { 5, 3, 2 }, { 7, 4, 1 }, { 99, 4, 1 },
	};
	unsigned	line, col;
	size_t		i;

	for (i = 0; i < N(want); i++) {
		test_note("row %zu", i);
		json_position(s, want[i][0], &line, &col);
		CHECK_INT(line, want[i][1]);
		CHECK_INT(col, want[i][2]);
	}
}

static bool
parse_much(void)
{
	struct json	j;
	struct buf	b = BUF_INIT;
	struct sv	s;
	double		d = 0;
	bool		ok;

	json_init(&j);
	ok = json_parse(&j, SV("{\"a\\n\":1.5,\"b\":{\"x\":1,\"y\":2}}"),
	    JSON_NODUP) == 0 &&
	    jv_double(jv_get(json_root(&j), "a\n"), &d) == 0 && d > 1.4 &&
	    jv_str(jv_key(jv_first(json_root(&j))), &b, &s) == 0 &&
	    sv_eq(s, SV("a\n")) && jv_len(json_root(&j)) == 2;
	if (!ok && j.err != JSON_OK)
		ok = !CHECK_INT(j.err, JSON_NOMEM);
	json_fini(&j);
	buf_fini(&b);
	return ok;
}

/* So long that the token array grows on the way, from one parse to the
 * next and within one. */
static bool
parse_long(void)
{
	static char	text[2 * 200 + 2];
	struct json	j;
	bool		ok;
	int		i;

	text[0] = '[';
	for (i = 1; i < 400; i++)
		text[i] = i % 2 == 1 ? '1' : ',';
	text[i] = ']';
	json_init(&j);
	ok = json_parse(&j, SV("[1]"), 0) == 0 &&
	    json_parse(&j, sv_from(text), 0) == 0 &&
	    jv_len(json_root(&j)) == 200;
	if (!ok) {
		CHECK_INT(j.err, JSON_NOMEM);
		CHECK(!jv_is(json_root(&j)));
	}
	json_fini(&j);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(parse_much);
	ALLOC_SWEEP(parse_long);
}

/* Every length around the array's sizes: names and values, whichever comes
 * when it is full. */
TEST(grows_the_token_array)
{
	struct buf	b = BUF_INIT;
	struct json	j;
	struct jv	v;
	size_t		n, i;

	for (n = 1; n < 300; n++) {
		test_note("%zu members", n);
		json_init(&j);
		buf_reset(&b);
		buf_puts(&b, n % 2 == 0 ? "{" : "[0,{");
		for (i = 0; i < n; i++)
			buf_printf(&b, "%s\"%zu\":%zu", i > 0 ? "," : "", i, i);
		buf_puts(&b, n % 2 == 0 ? "}" : "}]");
		CHECK_INT(json_parse(&j, buf_sv(&b), 0), 0);
		v = json_root(&j);
		if (n % 2 == 1)
			v = jv_next(jv_first(v));
		CHECK_INT(jv_len(v), n);
		for (v = jv_first(v), i = 0; jv_is(v); v = jv_next(v), i++) {
			struct sv	key = jv_raw(jv_key(v));

			key = sv_make(key.p + 1, key.n - 2);
			CHECK_SVEQ(key, jv_raw(v));
		}
		CHECK_INT(i, n);
		/* as many tokens as there are, and one too few */
		j.max_tokens = j.ntok;
		CHECK_INT(json_parse(&j, buf_sv(&b), 0), 0);
		j.max_tokens--;
		CHECK_INT(json_parse(&j, buf_sv(&b), 0), -1);
		CHECK_INT(j.err, JSON_TOOBIG);
		json_fini(&j);
	}
	buf_fini(&b);
}

TEST(gives_back_a_large_token_array)
{
	struct buf	b = array_of("1", 100000);
	struct json	j;

	json_init(&j);
	CHECK_INT(json_parse(&j, buf_sv(&b), 0), 0);
	CHECK_INT(jv_len(json_root(&j)), 100000);
	CHECK(j.cap > 100000);
	CHECK_INT(json_parse(&j, SV("[1]"), 0), 0);
	CHECK(j.cap <= 4096);
	json_fini(&j);
	buf_fini(&b);
}

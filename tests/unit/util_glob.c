/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Glob patterns.
 */
#include "tests/unit/test.h"
#include "util/clock.h"
#include "util/glob.h"
#include "util/buf.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*pattern, *text;
	bool		 match;
} rows[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "abc", "abc", true },
	{ "abc", "ab", false },
	{ "abc", "abcd", false },
	{ "abc", "Abc", false },
	/* runs */
	{ "*", "", true },
	{ "*", "a/b.c:d", true },
	{ "**", "", true },
	{ "a**b", "ab", true },
	{ "a*", "a", true },
	{ "a*", "ba", false },
	{ "*a", "ba", true },
	{ "*a", "ab", false },
	{ "a*b*c", "axxbyyc", true },
	{ "a*b*c", "abbc", true },
	{ "a*b*c", "acb", false },
	{ "*.example.com", "https://a.example.com", true },
	{ "*.example.com", "https://example.com", false },
	{ "*.example.com", "https://a.example.com.evil.org", false },
	{ "https://*.example.com", "https://a.b.example.com", true },
	{ "http*://localhost:*", "https://localhost:3000", true },
	/* one character */
	{ "?", "", false },
	{ "?", "a", true },
	{ "?", "ab", false },
	{ "a?c", "abc", true },
	{ "??", "\xc3\xa4\xf0\x9f\x98\xb9", true },
	{ "?", "\xff", true },
	{ "??", "\xe2\x82", true },
	{ "?*?", "a", false },
	{ "?*?", "ab", true },
	/* sets */
	{ "[abc]", "b", true },
	{ "[abc]", "d", false },
	{ "[abc]", "", false },
	{ "[abc]", "ab", false },
	{ "[!abc]", "d", true },
	{ "[!abc]", "a", false },
	{ "[!abc]", "", false },
	{ "[a-z]x", "qx", true },
	{ "[a-z]", "A", false },
	{ "[a-a]", "a", true },
	{ "[!a-z]", "A", true },
	{ "[!a-z]", "m", false },
	{ "[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true },
	{ "[\xc3\xa4\xc3\xb6]", "\xc3\xb6", true },
	{ "[\xc3\xa4\xc3\xb6]", "\xc3", false },
	{ "[ab-d]", "c", false },	/* no range: a b - d */
	{ "[ab-d]", "-", true },
	{ "[a\\]b]", "]", true },
	{ "[a!]", "!", true },
	{ "[*]", "*", true },
	{ "[*]", "a", false },
	{ "[{,}]", ",", true },
	{ "a]", "a]", true },
	/* alternatives */
	{ "{a,b}", "a", true },
	{ "{a,b}", "b", true },
	{ "{a,b}", "c", false },
	{ "{a,b}", "ab", false },
	{ "{a}", "a", true },
	{ "{}", "", true },
	{ "{}", "a", false },
	{ "x{,y}z", "xz", true },
	{ "x{,y}z", "xyz", true },
	{ "x{y,}z", "xz", true },
	{ "{ab,a}b", "ab", true },
	{ "{ab,a}b", "abb", true },
	{ "{a,{b,c}d}e", "ae", true },
	{ "{a,{b,c}d}e", "bde", true },
	{ "{a,{b,c}d}e", "cde", true },
	{ "{a,{b,c}d}e", "be", false },
	{ "{a,{b,c}d}e", "ade", false },
	{ "{a*,*b}", "xxb", true },
	{ "{a*,*b}", "axx", true },
	{ "{a*,*b}", "xax", false },
	{ "{[ab],?x}", "qx", true },
	{ "{a,b}{c,d}", "bc", true },
	{ "{a,b}{c,d}", "ab", false },
	{ "{https,http}://{a,b}.org", "http://b.org", true },
	{ "a,b", "a,b", true },
	{ "a}", "a}", true },
	/* escapes */
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "\\?\\[\\{\\\\", "?[{\\", true },
	{ "{a\\,b,c}", "a,b", true },
	{ "{a\\}}", "a}", true },
	{ "\\a", "a", true },
	{ "\\\xc3\xa4", "\xc3\xa4", true },
	/* bytes that are no UTF-8 */
	{ "\xff*", "\xff\xfe", true },
	{ "\xff", "\xfe", false },
	{ "\xc3\xbf", "\xff", false },
};

TEST(matches)
{
	size_t	i;

	for (i = 0; i < N(rows); i++) {
		char		*p = guard_dup(sv_from(rows[i].pattern));
		char		*t = guard_dup(sv_from(rows[i].text));
		const char	*err;
		struct glob	*g;

		test_note("row %zu: %s %s", i, rows[i].pattern, rows[i].text);
		g = glob_new(sv_make(p, strlen(rows[i].pattern)), &err);
		guard_free(p);
		if (CHECK(g != NULL))
			CHECK(glob_match(g, sv_make(t, strlen(rows[i].text)))
			    == rows[i].match);
		guard_free(t);
		glob_free(g);
	}
}

TEST(malformed)
{
	static const char *const	bad[] = {
		"[", "[a", "[!", "[!a", "[]", "[!]", "[a-", "[a-]", "[a-z",
		"[a-zx]", "[z-a]", "[a\\", "{", "{a", "{a,", "{a,b", "{{a}",
		"{[}", "\\", "a\\", "{{{{{{{{{{{{{{{{{}}}}}}}}}}}}}}}}}",
	};
	size_t				i;
	const char			*err;

	for (i = 0; i < N(bad); i++) {
		char	*p = guard_dup(sv_from(bad[i]));

		test_note("row %zu", i);
		err = NULL;
		CHECK(glob_new(sv_make(p, strlen(bad[i])), &err) == NULL);
		CHECK(err != NULL);
		guard_free(p);
	}
}

TEST(length)
{
	struct buf	b = BUF_INIT;
	const char	*err;
	struct glob	*g;
	int		i;

	/* the most instructions a byte can make */
	buf_puts(&b, "{");
	for (i = 0; i < 510; i++)
		buf_puts(&b, ",");
	buf_puts(&b, "}");
	g = glob_new(buf_sv(&b), &err);
	if (CHECK(g != NULL)) {
		CHECK(glob_match(g, SV("")));
		CHECK(!glob_match(g, SV(",")));
	}
	glob_free(g);
	buf_puts(&b, "x");
	CHECK(glob_new(buf_sv(&b), &err) == NULL);
	CHECK_STR(err, "pattern too long");
	buf_fini(&b);
}

/* What takes a matcher that tries one way after the other for ever. */
TEST(no_catastrophe)
{
	static const char *const	patterns[] = {
		"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
		"{a,aa}{a,aa}{a,aa}{a,aa}{a,aa}{a,aa}{a,aa}{a,aa}*b",
		"{*a,*a}{*a,*a}{*a,*a}{*a,*a}{*a,*a}{*a,*a}{*a,*a}b",
		"{{{{*a,a*},*a*},a},?a}*{{{*a,a*},*a*},a}*{*,a,?}b",
		"?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*b",
	};
	char				text[10000];
	size_t				i;
	int64_t				start = clock_mono_ms();

	memset(text, 'a', sizeof(text));
	for (i = 0; i < N(patterns); i++) {
		const char	*err;
		struct glob	*g = glob_new(sv_from(patterns[i]), &err);

		test_note("row %zu", i);
		if (!CHECK(g != NULL))
			continue;
		CHECK(!glob_match(g, sv_make(text, sizeof(text))));
		text[sizeof(text) - 1] = 'b';
		CHECK(glob_match(g, sv_make(text, sizeof(text))));
		text[sizeof(text) - 1] = 'a';
		glob_free(g);
	}
	CHECK(clock_mono_ms() - start < 10000);
}

/* Pattern and text of up to some bytes over a small alphabet, against a
 * matcher of a few lines that tries everything. */
static bool
naive(const char *p, const char *t)
{
	if (*p == '\0')
		return *t == '\0';
	if (*p == '*')
		return naive(p + 1, t) || (*t != '\0' && naive(p, t + 1));
	return *t != '\0' && (*p == '?' || *p == *t) && naive(p + 1, t + 1);
}

TEST(agrees_with_a_naive_matcher)
{
	static const char	pa[] = "ab*?", ta[] = "ab";
	char			p[6], t[7];
	unsigned		i, k, u, n, wrong = 0;

	for (i = 0; i < 1024; i++) {
		const char	*err;
		struct glob	*g;

		for (n = 0, u = i; n < 5; n++, u >>= 2)
			p[n] = pa[u & 3];
		p[5] = '\0';
		if ((g = glob_new(sv_from(p), &err)) == NULL) {
			wrong++;
			continue;
		}
		for (k = 1; k < 128; k++) {	/* the top bit ends t */
			for (n = 0, u = k; u > 1; n++, u >>= 1)
				t[n] = ta[u & 1];
			t[n] = '\0';
			if (glob_match(g, sv_from(t)) != naive(p, t))
				wrong++;
		}
		glob_free(g);
	}
	CHECK_INT(wrong, 0);
}

static bool
compile(void)
{
	const char	*err;
	struct glob	*g = glob_new(SV("{a,[bc]}*"), &err);
	bool		 ok = g != NULL && glob_match(g, SV("cx"));

	CHECK(ok || strcmp(err, "out of memory") == 0);
	glob_free(g);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(compile);
}

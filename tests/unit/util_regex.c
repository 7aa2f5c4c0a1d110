/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Regular expressions: rows by hand, and a corpus of random patterns with
 * the answers that Go's regexp package gave (data/regex.txt).
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/regex.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define CORPUS	"tests/unit/data/regex.txt"

static const struct {
	const char	*pattern, *text;
	bool		 match;
} rows[] = {
	{ "", "", true },
	{ "", "abc", true },
	{ "abc", "xabcx", true },
	{ "abc", "ab", false },
	{ "^abc$", "abc", true },
	{ "^abc$", "xabc", false },
	{ "^abc$", "abc\n", false },
	{ "^$", "", true },
	{ "^$", "a", false },
	{ "a^b", "ab", false },
	{ "a.c", "abc", true },
	{ "a.c", "a\nc", false },
	{ "(?s)a.c", "a\nc", true },
	{ "^.$", "\xe6\x97\xa5", true },
	{ "^.$", "\xff", true },
	{ "^..$", "\xe6\x97", true },
	{ "^\\x{fffd}$", "\xff", true },
	/* what channels look like */
	{ "^[a-z0-9_-]+$", "chat-room_1", true },
	{ "^[a-z0-9_-]+$", "Chat", false },
	{ "^\\d{1,5}$", "12345", true },
	{ "^\\d{1,5}$", "123456", false },
	{ "^user_\\d+:(in|out)box$", "user_42:inbox", true },
	{ "^user_\\d+:(in|out)box$", "user_:inbox", false },
	{ "^(?:public|private)\\.[A-Za-z]{2,}$", "public.ab", true },
	{ "^(?:public|private)\\.[A-Za-z]{2,}$", "publicxab", false },
	{ "^https://[^/]+\\.example\\.com/?$", "https://a.example.com", true },
	{ "^https://[^/]+\\.example\\.com/?$", "https://a.examplexcom",
	    false },
	/* classes */
	{ "^[^a-c]$", "d", true },
	{ "^[^a-c]$", "b", false },
	{ "^[^a-c]$", "\n", true },
	{ "^[]a]$", "]", true },
	{ "^[^]a]$", "]", false },
	{ "^[a-]$", "-", true },
	{ "^[-a]$", "-", true },
	{ "^[a\\-z]$", "m", false },
	{ "^[\\w.]+$", "a_1.b", true },
	{ "^[^\\d\\s]+$", "ab", true },
	{ "^[^\\d\\s]+$", "a b", false },
	{ "^\\s$", "\v", false },
	{ "^[[:space:]]$", "\v", true },
	{ "^[[:alpha:][:digit:]]+$", "a1", true },
	{ "^[[:^alpha:]]+$", "1-", true },
	{ "^[\xc3\xa4-\xc3\xbc]$", "\xc3\xb6", true },
	{ "^[\xc3\xa4-\xc3\xbc]$", "\xc3\xa3", false },
	{ "^\\D\\W\\S$", "a-b", true },
	/* repetitions */
	{ "^a*$", "", true },
	{ "^a+$", "", false },
	{ "^ab?c$", "ac", true },
	{ "^ab?c$", "abbc", false },
	{ "^a{3}$", "aaa", true },
	{ "^a{3}$", "aa", false },
	{ "^a{2,}$", "a", false },
	{ "^a{2,}$", "aaaaa", true },
	{ "^a{2,3}$", "aaaa", false },
	{ "^a{0}b$", "b", true },
	{ "^(ab){2}$", "abab", true },
	{ "^(a|bc){2,3}$", "abca", true },
	{ "^a{,2}$", "a{,2}", true },
	{ "^a{$", "a{", true },
	{ "^a{02}$", "a{02}", true },
	{ "^(a*)*$", "aaa", true },
	{ "^(a*)+b$", "aab", true },
	{ "^(|a)*b$", "aab", true },
	{ "^a{1000}$", "a", false },
	/* alternatives */
	{ "^(a|b|cd)$", "cd", true },
	{ "^(a|b|cd)$", "c", false },
	{ "^(a|)$", "", true },
	{ "a|b|", "x", true },
	{ "^a|b$", "ax", true },
	{ "^a|b$", "xb", true },
	{ "^a|b$", "xax", false },
	/* flags */
	{ "(?i)^hello$", "HeLLo", true },
	{ "(?i)^[a-c]+$", "AbC", true },
	{ "(?i)^[^a-c]$", "B", false },
	{ "(?i)^k$", "\xe2\x84\xaa", true },
	{ "(?i)^K$", "\xe2\x84\xaa", true },
	{ "(?i)^s$", "\xc5\xbf", true },
	{ "(?i)^S$", "\xc5\xbf", true },
	{ "(?i)^\\W$", "\xc5\xbf", false },
	{ "^(?i:a)b$", "Ab", true },
	{ "^(?i:a)b$", "AB", false },
	{ "^(?i)a(?-i)b$", "Ab", true },
	{ "^(?i)a(?-i)b$", "AB", false },
	{ "^a(?i)b|c$", "C", true },
	{ "(?m)^b$", "a\nb\nc", true },
	{ "^b$", "a\nb\nc", false },
	{ "(?m)\\Ab\\z", "a\nb", false },
	/* boundaries */
	{ "\\bcat\\b", "a cat.", true },
	{ "\\bcat\\b", "concat", false },
	{ "\\Bcat", "concat", true },
	{ "\\b", "", false },
	{ "\\B", "", true },
	/* escapes */
	{ "^\\.\\*\\\\\\_\\-$", ".*\\_-", true },
	{ "^\\x41\\x{1F639}\\t\\101\\07$", "A\xf0\x9f\x98\xb9\tA\a", true },
	{ "^[\\x41-\\x43\\]]+$", "AC]", true },
};

TEST(matches)
{
	size_t	i;

	for (i = 0; i < N(rows); i++) {
		char		*p = guard_dup(sv_from(rows[i].pattern));
		char		*t = guard_dup(sv_from(rows[i].text));
		const char	*err = "";
		struct regex	*re;

		test_note("row %zu: %s %s", i, rows[i].pattern, rows[i].text);
		re = regex_new(sv_make(p, strlen(rows[i].pattern)), &err);
		guard_free(p);
		if (CHECK(re != NULL)) {
			CHECK(err == NULL);
			CHECK(regex_match(re, sv_make(t, strlen(
			    rows[i].text))) == rows[i].match);
		}
		guard_free(t);
		regex_free(re);
	}
}

static const struct {
	const char	*pattern, *err;
} bad[] = {
	{ "*", "nothing to repeat" },
	{ "a|*", "nothing to repeat" },
	{ "(+)", "nothing to repeat" },
	{ "{1}", "nothing to repeat" },
	{ "(?i)*", "nothing to repeat" },
	{ "a**", "repetition of a repetition" },
	{ "a+*", "repetition of a repetition" },
	{ "a*??", "repetition of a repetition" },
	{ "a{2}{3}", "repetition of a repetition" },
	{ "a{1001}", "invalid repeat count" },
	{ "a{99999999999}", "invalid repeat count" },
	{ "a{1,99999999999}", "invalid repeat count" },
	{ "a{3,2}", "invalid repeat count" },
	{ "(a{100}){11}", "invalid repeat count" },
	{ "((a{10}){10}){11,}", "invalid repeat count" },
	{ "(", "missing )" },
	{ "(a", "missing )" },
	{ "(a|b", "missing )" },
	{ ")", "unexpected )" },
	{ "a)b", "unexpected )" },
	{ "[", "missing ]" },
	{ "[a", "missing ]" },
	{ "[]", "missing ]" },
	{ "[^]", "missing ]" },
	{ "[a-", "missing ]" },
	{ "[[:alpha:]", "missing ]" },
	{ "[\\d", "missing ]" },
	{ "[b-a]", "invalid class range" },
	{ "[[:foo:]]", "invalid class name" },
	{ "[[:d:]]", "invalid class name" },
	{ "[[::]]", "invalid class name" },
	{ "\\", "pattern ends with \\" },
	{ "[\\", "pattern ends with \\" },
	{ "\\q", "unknown or unsupported escape sequence" },
	{ "\\Qa\\E", "unknown or unsupported escape sequence" },
	{ "[\\b]", "unknown or unsupported escape sequence" },
	{ "[a-\\d]", "unknown or unsupported escape sequence" },
	{ "\\\xc3\xa4", "unknown or unsupported escape sequence" },
	{ "\\pL", "Unicode classes are not supported" },
	{ "[\\PN]", "Unicode classes are not supported" },
	{ "(a)\\1", "back references are not supported" },
	{ "\\x", "invalid escape sequence" },
	{ "\\x1", "invalid escape sequence" },
	{ "\\x{}", "invalid escape sequence" },
	{ "\\x{12", "invalid escape sequence" },
	{ "\\x{110000}", "invalid escape sequence" },
	{ "\\x{00000000000000000110000}", "invalid escape sequence" },
	{ "(?", "unknown or unsupported group" },
	{ "(?=a)", "unknown or unsupported group" },
	{ "(?!a)", "unknown or unsupported group" },
	{ "(?-)", "unknown or unsupported group" },
	{ "(?i-:a)", "unknown or unsupported group" },
	{ "(?--i)", "unknown or unsupported group" },
	{ "(?Pa)", "unknown or unsupported group" },
	{ "(?P=a)", "unknown or unsupported group" },
	{ "(?<=a)", "invalid group name" },
	{ "(?P<>a)", "invalid group name" },
	{ "(?P<a", "invalid group name" },
	{ "(?P<a-b>c)", "invalid group name" },
	{ "(?P<a>b)(?<a>c)", "group name used twice" },
	{ "(?i)\xc3\xa4", "case folding beyond ASCII is not supported" },
	{ "(?i)[\\x{3b1}-\\x{3c9}]",
	    "case folding beyond ASCII is not supported" },
	{ "\xff", "pattern is not UTF-8" },
	{ "(a{1000}|b{1000}|c{1000}|d{1000}|e{1000})", "pattern too big" },
};

TEST(malformed)
{
	const char	*err;
	size_t		 i;

	for (i = 0; i < N(bad); i++) {
		char	*p = guard_dup(sv_from(bad[i].pattern));

		test_note("row %zu", i);
		err = "none";
		CHECK(regex_new(sv_make(p, strlen(bad[i].pattern)), &err) ==
		    NULL);
		CHECK_STR(err, bad[i].err);
		guard_free(p);
	}
}

static struct regex *
must(const char *pattern)
{
	const char	*err;
	struct regex	*re = regex_new(sv_from(pattern), &err);

	if (!CHECK(re != NULL))
		abort();
	return re;
}

TEST(groups)
{
	struct regex	*re = must("^https://(?P<host>[^/]+?)(?::(?<port>"
			    "\\d+))?/(x)(?P<path_1>.*)$");
	struct sv	 g[3];
	bool		 m;

	CHECK_INT(regex_ngroups(re), 3);
	CHECK_SV(regex_group_name(re, 0), "host");
	CHECK_SV(regex_group_name(re, 1), "port");
	CHECK_SV(regex_group_name(re, 2), "path_1");
	CHECK_INT(regex_groups(re, SV("https://a.org:80/xyz"), g, &m), 0);
	CHECK(m);
	CHECK_SV(g[0], "a.org");
	CHECK_SV(g[1], "80");
	CHECK_SV(g[2], "yz");
	CHECK_INT(regex_groups(re, SV("https://a.org/x"), g, &m), 0);
	CHECK(m);
	CHECK_SV(g[0], "a.org");
	CHECK_SV(g[1], "");
	CHECK_SV(g[2], "");
	CHECK_INT(regex_groups(re, SV("http://a.org/x"), g, &m), 0);
	CHECK(!m);
	CHECK_SV(g[0], "");
	regex_free(re);
	re = must("a+(b)");
	CHECK_INT(regex_ngroups(re), 0);
	CHECK_INT(regex_groups(re, SV("xaab"), NULL, &m), 0);
	CHECK(m);
	regex_free(re);
}

/* Which of several matches, as Perl and Go have it. */
TEST(preferences)
{
	static const struct {
		const char	*pattern, *text, *group;
	} pref[] = {
		{ "(?P<g>a|ab)", "ab", "a" },
		{ "(?P<g>ab|a)", "ab", "ab" },
		{ "(?P<g>a+)", "baaa", "aaa" },
		{ "(?P<g>a+?)", "baaa", "a" },
		{ "(?P<g>a*)", "baaa", "" },
		{ "(?P<g>a{2,3})", "aaaa", "aaa" },
		{ "(?P<g>a{2,3}?)", "aaaa", "aa" },
		{ "(?U)(?P<g>a+)", "aaa", "a" },
		{ "(?U)(?P<g>a+?)", "aaa", "aaa" },
		{ "(?:(?P<g>a)|b)*", "ab", "a" },
		{ "(?:(?P<g>a|b))*", "ab", "b" },
		{ "(?P<g>b|c)", "acb", "c" },
		{ "x*(?P<g>x)", "xxx", "x" },
		{ "^(?P<g>.*?),", "a,b,c", "a" },
		{ "^(?P<g>.*),", "a,b,c", "a,b" },
		{ "(?P<g>a?\?)b", "ab", "a" },
	};
	struct sv	g;
	size_t		i;
	bool		m;

	for (i = 0; i < N(pref); i++) {
		struct regex	*re = must(pref[i].pattern);

		test_note("row %zu: %s", i, pref[i].pattern);
		CHECK_INT(regex_groups(re, sv_from(pref[i].text), &g, &m), 0);
		CHECK(m);
		CHECK_SV(g, pref[i].group);
		regex_free(re);
	}
}

/* The corpus has % and two hex digits for what is not plain. */
static struct sv
plain(struct sv s, struct buf *b)
{
	char	hex[3] = "";
	size_t	i;

	buf_reset(b);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_putc(b, s.p[i]);
			continue;
		}
		memcpy(hex, s.p + i + 1, 2);
		buf_putc(b, (char)strtoul(hex, NULL, 16));
		i += 2;
	}
	return buf_sv(b);
}

/* What Go says: ERROR, NO, or YES and name=value for each named group. */
static void
check_answer(const struct regex *re, struct sv text, struct sv answer)
{
	struct sv	group[32], word, want;
	struct buf	b = BUF_INIT;
	size_t		i;
	bool		m;

	CHECK(regex_ngroups(re) <= N(group));
	CHECK_INT(regex_groups(re, text, group, &m), 0);
	word = sv_cut(&answer, ' ');
	CHECK(m == sv_eq(word, SV("YES")));
	CHECK(regex_match(re, text) == m);
	for (i = 0; m && i < regex_ngroups(re); i++) {
		want = sv_cut(&answer, ' ');
		CHECK_SVEQ(sv_cut(&want, '='), regex_group_name(re, i));
		CHECK_SVEQ(group[i], plain(want, &b));
	}
	CHECK_SV(answer, "");
	buf_fini(&b);
}

static void
check_line(struct sv line)
{
	struct buf	bp = BUF_INIT, bt = BUF_INIT;
	struct sv	pattern, text;
	struct regex	*re;
	const char	*err;

	pattern = plain(sv_cut(&line, '\t'), &bp);
	text = plain(sv_cut(&line, '\t'), &bt);
	re = regex_new(pattern, &err);
	CHECK((re == NULL) == sv_eq(line, SV("ERROR")));
	if (re != NULL)
		check_answer(re, text, line);
	regex_free(re);
	buf_fini(&bp);
	buf_fini(&bt);
}

TEST(agrees_with_go)
{
	FILE	*f = fopen(CORPUS, "r");
	char	 line[4096];
	int	 n = 0;

	if (!CHECK(f != NULL))
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		test_note("line %d: %s", ++n, line);
		check_line(sv_from(line));
	}
	fclose(f);
	CHECK(n > 500);
}

/* What takes a matcher that tries one way after the other for ever. */
TEST(no_catastrophe)
{
	static const char *const	patterns[] = {
		"(a*)*b", "(a+)+b", "(a|a)*b", "(a|aa)+b", "^(a?){50}a{50}b",
		"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b", "^(([a-z])+.)+[A-Z]$",
		"(?P<x>(?P<y>a*)*)*b", "(((((a*)*)*)*)*)*b", "(a*?)*?b",
	};
	static char			text[100000];
	struct sv			g[2];
	size_t				i;
	bool				m;
	int64_t				start = clock_mono_ms();

	memset(text, 'a', sizeof(text));
	for (i = 0; i < N(patterns); i++) {
		struct regex	*re = must(patterns[i]);

		test_note("row %zu", i);
		CHECK(!regex_match(re, sv_make(text, sizeof(text))));
		CHECK_INT(regex_groups(re, sv_make(text, sizeof(text)), g,
		    &m), 0);
		CHECK(!m);
		regex_free(re);
	}
	CHECK(clock_mono_ms() - start < 20000);
}

/* The biggest program there may be, with every instruction on the way. */
TEST(limits)
{
	struct buf	 b = BUF_INIT;
	struct regex	*re;
	const char	*err;
	int		 i;

	buf_puts(&b, "^");
	for (i = 0; i < (REGEX_INST_MAX - 4) / 2; i++)
		buf_puts(&b, "|");
	buf_puts(&b, "x");
	re = regex_new(buf_sv(&b), &err);
	if (CHECK(re != NULL)) {
		CHECK(regex_match(re, SV("")));
		CHECK(regex_match(re, SV("x")));
	}
	regex_free(re);
	buf_puts(&b, "xx");
	CHECK(regex_new(buf_sv(&b), &err) == NULL);
	CHECK_STR(err, "pattern too big");
	buf_reset(&b);
	for (i = 0; i < 200; i++)
		buf_puts(&b, "(");
	buf_puts(&b, "a");
	for (i = 0; i < 200; i++)
		buf_puts(&b, ")");
	re = regex_new(buf_sv(&b), &err);
	if (CHECK(re != NULL))
		CHECK(regex_match(re, SV("a")));
	regex_free(re);
	b.p[200] = '(';
	CHECK(regex_new(buf_sv(&b), &err) == NULL);
	CHECK_STR(err, "nested too deeply");
	buf_reset(&b);
	for (i = 0; i < 33; i++)
		buf_printf(&b, "(?P<g%d>a)", i);
	CHECK(regex_new(buf_sv(&b), &err) == NULL);
	CHECK_STR(err, "too many named groups");
	buf_fini(&b);
}

static bool
compile_and_match(void)
{
	struct sv	 g[2];
	const char	*err;
	struct regex	*re;
	bool		 m, ok;

	re = regex_new(SV("^(?i)(?P<a>[a-z\\D]+){2,9}[^k]|(?<b>x){17}$"),
	    &err);
	if (re == NULL) {
		CHECK_STR(err, "out of memory");
		return false;
	}
	ok = regex_groups(re, SV("abcd"), g, &m) == 0;
	CHECK(m == ok);
	regex_free(re);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(compile_and_match);
}

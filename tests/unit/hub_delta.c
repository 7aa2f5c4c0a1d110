/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Fossil deltas: every one is applied again by a decoder that shares no
 * code with the encoder, and that itself is tried on deltas of another.
 */
#include <stdlib.h>

#include "hub/delta.h"
#include "tests/unit/delta_apply.h"
#include "tests/unit/test.h"
#include "util/clock.h"
#include "util/utf8.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

/* Made by github.com/shadowspore/fossil-delta. */
static const struct {
	const char	*source, *target, *delta;
} foreign[] = {
	{ "{\"count\":1,\"name\":\"a channel of some length\","
	  "\"tail\":\"the end of it\"}",
	  "{\"count\":27,\"name\":\"a channel of some length\","
	  "\"tail\":\"the very end of it\"}",
	  "1A\nB:{\"count\":27k@A,G:very end of it\"}1XKLy_;" },
	{ "abcdefghijklmnopqrstuvwxyz0123456789",
	  "0123456789abcdefghijklmnopqrstuvwxyz"
	  "0123456789abcdefghijklmnopqrstuvwxyz",
	  "18\nA:0123456789_@0,Q@0,1QRCoO;" },
	{ "", "abc\xff\xfe\x80~", "7\n7:abc\xff\xfe\x80~1Vtj7~;" },
};

TEST(decoder)
{
	struct buf	out = BUF_INIT;
	struct sv	delta;
	size_t		i, k;

	for (i = 0; i < N(foreign); i++) {
		test_note("row %zu", i);
		delta = sv_from(foreign[i].delta);
		buf_reset(&out);
		CHECK(delta_apply(&out, sv_from(foreign[i].source), delta));
		CHECK_SV(buf_sv(&out), foreign[i].target);
		for (k = 0; k < delta.n; k++) {
			buf_reset(&out);
			CHECK(!delta_apply(&out, sv_from(foreign[i].source),
			    sv_make(delta.p, k)));
		}
	}
	buf_reset(&out);
	CHECK(!delta_apply(&out, SV("abc"), SV("3\n3:abd30W7W0;")));
	buf_fini(&out);
}

/* What target costs as one run of bytes. */
static size_t
plain_length(struct sv target)
{
	struct buf	b = BUF_INIT;
	size_t		n;

	CHECK_INT(delta_fossil(&b, SV(""), target), 0);
	n = b.n;
	buf_fini(&b);
	return n;
}

/* The delta's length; all that must hold of any is checked. */
static size_t
check_pair(struct sv source, struct sv target)
{
	struct buf	delta = BUF_INIT, got = BUF_INIT;
	char		*s = guard_dup(source), *t = guard_dup(target);
	size_t		n;

	CHECK_INT(delta_fossil(&delta, sv_make(s, source.n),
	    sv_make(t, target.n)), 0);
	guard_free(s);
	guard_free(t);
	n = delta.n;
	CHECK(delta_apply(&got, source, buf_sv(&delta)));
	CHECK_SVEQ(buf_sv(&got), target);
	CHECK(n <= plain_length(target));
	if (utf8_valid(source) && utf8_valid(target))
		CHECK(utf8_valid(buf_sv(&delta)));
	buf_fini(&delta);
	buf_fini(&got);
	return n;
}

#define T16	"0123456789abcdef"
#define T64	T16 "ghijklmnopqrstuv" "wxyzABCDEFGHIJKL" "MNOPQRSTUVWXYZ_~"

static const struct {
	const char	*source, *target, *delta;
} rows[] = {
	{ "", "", "0\n0;" },
	{ "abc", "", "0\n0;" },
	{ "", "a", "1\n1:a1X0000;" },
	{ "", "\xff\xff\xff\xff\xff", "5\n5:\xff\xff\xff\xff\xff" "3z~~~~;" },
	{ "abc", "abcd", "4\n4:abcd1XObD_;" },
	{ T64, T64, "10\n10@0,1AMeMz;" },
	{ T64, T64 "!", "11\n10@0,1:!1gMeMz;" },
	{ "!" T64, T64, "10\n10@1,1AMeMz;" },
	/* the longest of the places that have a block */
	{ T16 "----------------" T64, "!" T64 "!",
	  "12\n1:!10@W,1:!3_QqfG;" },
	{ T64, T16 "!" T64, "1H\nG@0,1:!10@0,3_Jdc2;" },
};

TEST(exact)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < N(rows); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		CHECK_INT(delta_fossil(&b, sv_from(rows[i].source),
		    sv_from(rows[i].target)), 0);
		CHECK_SV(buf_sv(&b), rows[i].delta);
		check_pair(sv_from(rows[i].source), sv_from(rows[i].target));
	}
	buf_reset(&b);
	buf_puts(&b, "kept ");
	CHECK_INT(delta_fossil(&b, SV(""), SV("")), 0);
	CHECK_SV(buf_sv(&b), "kept 0\n0;");
	buf_fini(&b);
}

static uint32_t	seed;

static uint32_t
dice(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
put_word(struct buf *b)
{
	static const char *const	words[] = {
		"a", "{\"", "\xc3\xa4", "\xe6\x97\xa5\xe6\x9c\xac", "\n",
		"\xf0\x9f\x98\xb9", "lorem ipsum dolor sit amet, ", "}",
		"\"price\":", "0123456789", "\xe6\x97\xa4", "\xc3\xa5",
	};

	buf_puts(b, words[dice(N(words))]);
}

/* Some pieces of source in some order, between words of their own. */
static void
put_variant(struct buf *b, struct sv source)
{
	size_t	from = 0, n;
	int	i;

	for (i = (int)dice(8); i >= 0; i--) {
		if (dice(4) == 0)
			from = dice((uint32_t)source.n + 1);
		n = dice((uint32_t)(source.n - from) + 1);
		while (from + n < source.n &&
		    (source.p[from + n] & 0xc0) == 0x80)
			n++;
		while (n > 0 && (source.p[from] & 0xc0) == 0x80) {
			from++;
			n--;
		}
		buf_put(b, source.p + from, n);
		from += n;
		if (dice(2) == 0)
			put_word(b);
	}
}

TEST(variants)
{
	struct buf	a = BUF_INIT, b = BUF_INIT;
	unsigned	i, k;

	for (seed = i = 0; i < 3000; i++) {
		test_note("variant %u", i);
		buf_reset(&a);
		buf_reset(&b);
		buf_puts(&a, "x");
		for (k = dice(100); k > 0; k--)
			put_word(&a);
		put_variant(&b, buf_sv(&a));
		CHECK(utf8_valid(buf_sv(&b)));
		check_pair(buf_sv(&a), buf_sv(&b));
	}
	buf_fini(&a);
	buf_fini(&b);
}

TEST(bytes)
{
	char		a[300], b[300];
	size_t		n, m, k;
	unsigned	i;

	for (seed = i = 0; i < 3000; i++) {
		test_note("bytes %u", i);
		n = dice(sizeof(a) + 1);
		m = dice(sizeof(b) + 1);
		for (k = 0; k < n; k++)
			a[k] = (char)dice(i % 256 + 1);
		for (k = 0; k < m; k++)
			b[k] = k < n && dice(20) != 0 ? a[k] :
			    (char)(0x80 | dice(64));
		check_pair(sv_make(a, n), sv_make(b, m));
	}
}

static void
put_document(struct buf *b, unsigned changed)
{
	unsigned	i;

	buf_puts(b, "[");
	for (i = 0; i < 80; i++)
		buf_printf(b, "{\"id\":%u,\"name\":\"item-%u\",\"price\":%u,"
		    "\"open\":true},", i, i * 7919 % 1000,
		    i == changed ? 4711 : i * 104729 % 10000);
	buf_puts(b, "{}]");
}

/* Small changes of a document of 4 KB, anywhere in it, cost little. */
TEST(saves)
{
	struct buf	a = BUF_INIT, b = BUF_INIT;
	unsigned	i;

	for (i = 0; i < 80; i++) {
		test_note("item %u", i);
		buf_reset(&a);
		buf_reset(&b);
		put_document(&a, i);
		put_document(&b, 79 - i);
		CHECK(check_pair(buf_sv(&a), buf_sv(&b)) < 60);
	}
	buf_fini(&a);
	buf_fini(&b);
}

/* What moved is found, also where the blocks are far apart. */
TEST(moves)
{
	struct buf	a = BUF_INIT, b = BUF_INIT;
	uint32_t	i;
	size_t		half;

	for (seed = i = 0; i < 3000000; i++)
		buf_putc(&a, (char)('a' + dice(26)));
	half = a.n / 2;
	buf_put(&b, a.p + half, half);
	buf_puts(&b, "-");
	buf_put(&b, a.p, half);
	CHECK(check_pair(buf_sv(&a), buf_sv(&b)) < 100);
	buf_fini(&a);
	buf_fini(&b);
}

/* Texts made of one block, of few different ones, and of parts of a block
 * must not take time that grows with the square. */
TEST(linear_time)
{
	static char	a[1 << 20], b[1 << 20];
	size_t		i;
	int64_t		start = clock_mono_ms();

	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	for (i = 0; i < sizeof(b); i += 1000)
		b[i] = 'b';
	check_pair(sv_make(a, sizeof(a)), sv_make(b, sizeof(b)));
	check_pair(sv_make(b, sizeof(b)), sv_make(a, sizeof(a)));
	for (i = 0; i < sizeof(b); i += 17)
		b[i] = 'b';
	check_pair(sv_make(a, sizeof(a)), sv_make(b, sizeof(b)));
	for (i = 15; i < sizeof(a); i += 16)
		a[i] = 'c';
	check_pair(sv_make(a, sizeof(a)), sv_make(b, sizeof(b)));
	CHECK(clock_mono_ms() - start < 10000);
}

TEST(too_long)
{
	struct buf	b = BUF_INIT;

	CHECK_INT(delta_fossil(&b, sv_make("", (size_t)INT32_MAX + 1),
	    SV("")), -1);
	CHECK_INT(delta_fossil(&b, SV(""), sv_make("",
	    (size_t)INT32_MAX + 1)), -1);
	buf_fini(&b);
}

static bool
encode(void)
{
	struct buf	b = BUF_INIT;
	int		rc;

	rc = delta_fossil(&b, SV(T64), SV("!" T16 "!" T64 "!"));
	buf_fini(&b);
	return rc == 0;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(encode);
}

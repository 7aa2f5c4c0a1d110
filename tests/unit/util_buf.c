/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Growable buffers, and blobs.
 */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "util/blob.h"
#include "util/buf.h"

TEST(starts_empty)
{
	struct buf	b = BUF_INIT;
	size_t		n = 9;

	CHECK_SV(buf_sv(&b), "");
	CHECK(buf_steal(&b, &n) == NULL);
	CHECK_INT(n, 0);
	buf_fini(&b);
}

TEST(puts_everything)
{
	struct buf	b;

	buf_init(&b);
	buf_put(&b, "ab", 2);
	buf_put(&b, NULL, 0);
	buf_putsv(&b, SV("cd"));
	buf_putsv(&b, sv_from(NULL));
	buf_puts(&b, "ef");
	buf_putc(&b, 'g');
	buf_putc(&b, ' ');
	buf_putu64(&b, 0);
	buf_putc(&b, ' ');
	buf_putu64(&b, UINT64_MAX);
	buf_putc(&b, ' ');
	buf_puti64(&b, INT64_MIN);
	buf_putc(&b, ' ');
	buf_puti64(&b, INT64_MAX);
	buf_putc(&b, ' ');
	buf_puti64(&b, -1);
	buf_printf(&b, " %s-%d", "x", 7);
	CHECK_SV(buf_sv(&b), "abcdefg 0 18446744073709551615 "
	    "-9223372036854775808 9223372036854775807 -1 x-7");
	CHECK(!b.failed);
	buf_fini(&b);
	CHECK(b.p == NULL && b.n == 0 && b.cap == 0);
}

TEST(grows_byte_by_byte)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < 10000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	CHECK_INT(b.n, 10000);
	for (i = 0; i < 10000; i++)
		if (!CHECK_INT(b.p[i], 'a' + i % 26))
			break;
	buf_fini(&b);
}

TEST(printf_of_every_length_around_the_capacity)
{
	char	text[200];
	int	i;

	memset(text, 'x', sizeof(text));
	for (i = 0; i < (int)sizeof(text); i++) {
		struct buf	b = BUF_INIT;

		buf_puts(&b, "<");
		buf_printf(&b, "%.*s", i, text);
		buf_puts(&b, ">");
		CHECK_INT(b.n, i + 2);
		CHECK(b.p[0] == '<' && b.p[b.n - 1] == '>');
		buf_fini(&b);
	}
}

TEST(reserve_and_commit)
{
	struct buf	b = BUF_INIT;
	char		*p = buf_reserve(&b, 1000);

	if (!CHECK(p != NULL))
		return;
	memset(p, 'x', 1000);
	buf_commit(&b, 3);
	CHECK_SV(buf_sv(&b), "xxx");
	CHECK(b.cap >= 1000);
	CHECK(buf_reserve(&b, 0) == b.p + 3);
	buf_fini(&b);
	CHECK(buf_reserve(&b, 0) != NULL);
	buf_fini(&b);
}

TEST(consume)
{
	struct buf	b = BUF_INIT;

	buf_consume(&b, 0);
	buf_puts(&b, "abcdef");
	buf_consume(&b, 2);
	CHECK_SV(buf_sv(&b), "cdef");
	buf_puts(&b, "gh");
	CHECK_SV(buf_sv(&b), "cdefgh");
	buf_consume(&b, 6);
	CHECK_SV(buf_sv(&b), "");
	buf_fini(&b);
}

TEST(reset_keeps_memory)
{
	struct buf	b = BUF_INIT;
	char		*p;

	buf_puts(&b, "abc");
	p = b.p;
	buf_reset(&b);
	CHECK(b.n == 0 && b.p == p);
	buf_puts(&b, "d");
	CHECK_SV(buf_sv(&b), "d");
	buf_fini(&b);
}

TEST(steal)
{
	struct buf	b = BUF_INIT;
	size_t		n;
	char		*p;

	buf_puts(&b, "abc");
	p = buf_steal(&b, &n);
	CHECK_SV(sv_make(p, n), "abc");
	CHECK(b.p == NULL && b.n == 0 && b.cap == 0);
	free(p);
}

TEST(fails_once_for_all)
{
	struct buf	b = BUF_INIT;
	size_t		n;

	buf_puts(&b, "ab");
	alloc_fail_at(1);
	CHECK(buf_reserve(&b, 100) == NULL);
	alloc_fail_at(0);
	CHECK(b.failed);
	buf_puts(&b, "c");	/* ignored although there is room */
	CHECK_SV(buf_sv(&b), "ab");
	CHECK(buf_steal(&b, &n) == NULL);
	CHECK(!b.failed);

	CHECK(buf_reserve(&b, SIZE_MAX) == NULL);
	CHECK(b.failed);
	buf_reset(&b);
	buf_puts(&b, "c");
	CHECK_SV(buf_sv(&b), "c");
	CHECK(buf_reserve(&b, SIZE_MAX / 2) == NULL);
	buf_fini(&b);
}

static bool
write_much(void)
{
	struct buf	b = BUF_INIT;
	bool		ok;
	int		i;

	for (i = 0; i < 100; i++)
		buf_printf(&b, "%d,", i);
	ok = !b.failed && b.n == 290;
	buf_fini(&b);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(write_much);
}

TEST(blob_counts_references)
{
	struct blob	*b = blob_new(3);

	if (!CHECK(b != NULL))
		return;
	memcpy(b->data, "abc", 3);
	CHECK(blob_ref(b) == b);
	CHECK_INT(b->refs, 2);
	blob_unref(b);
	CHECK_SV(sv_make(b->data, b->n), "abc");
	blob_unref(b);		/* a leak or double free the sanitizer tells */
	blob_unref(NULL);
}

TEST(blob_without_memory)
{
	alloc_fail_at(1);
	CHECK(blob_new(3) == NULL);
	alloc_fail_at(0);
	CHECK(blob_new((size_t)UINT32_MAX + 1) == NULL);
	CHECK(blob_new(SIZE_MAX) == NULL);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Growable buffers: see buf.h. The capacity doubles, so that n bytes written
 * one at a time cost n copies. Invariant: n <= cap, and p is NULL exactly
 * while cap is 0.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

#define BUF_MIN	64	/* the first allocation */

void
buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b);
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* Make cap at least b->n + n. */
static int
buf_grow(struct buf *b, size_t n)
{
	size_t	 cap = b->cap == 0 ? BUF_MIN : b->cap;
	char	*p;

	if (n > SIZE_MAX / 2 - b->n)
		return -1;
	while (cap < b->n + n)
		cap *= 2;
	if ((p = realloc(b->p, cap)) == NULL)
		return -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if ((n > b->cap - b->n || b->cap == 0) && buf_grow(b, n) == -1) {
		b->failed = true;
		return NULL;
	}
	return b->p + b->n;
}

void
buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->n);
	b->n += n;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	char	*to;

	if (n == 0 || (to = buf_reserve(b, n)) == NULL)
		return;
	memcpy(to, p, n);
	b->n += n;
}

void
buf_putsv(struct buf *b, struct sv s)
{
	buf_put(b, s.p, s.n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	char	*to = buf_reserve(b, 1);

	if (to == NULL)
		return;
	*to = c;
	b->n++;
}

void
buf_putu64(struct buf *b, uint64_t u)
{
	char	 digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	buf_put(b, p, (size_t)(digits + sizeof(digits) - p));
}

void
buf_puti64(struct buf *b, int64_t i)
{
	uint64_t	u = (uint64_t)i;

	if (i < 0) {
		buf_putc(b, '-');
		u = 0 - u;
	}
	buf_putu64(b, u);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	char	*p;
	int	 len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		b->failed = true;
		return;
	}
	/* vsnprintf writes a NUL, which is not committed */
	if ((p = buf_reserve(b, (size_t)len + 1)) == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, (size_t)len);
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n -= n;
	if (n > 0 && b->n > 0)
		memmove(b->p, b->p + n, b->n);
}

char *
buf_steal(struct buf *b, size_t *n)
{
	char	*p = NULL;

	*n = 0;
	if (!b->failed && b->n > 0) {
		p = b->p;
		*n = b->n;
		b->p = NULL;
	}
	buf_fini(b);
	return p;
}

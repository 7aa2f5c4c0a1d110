/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * DER: see der.h.
 */
#include <string.h>

#include "util/der.h"
#include "util/clock.h"

#define LENGTH_MAX	0xffff

/* ---- reading ---- */

/* The size of the head of the next value, and that of its contents; 0 if
 * it is malformed or not all there. */
static size_t
read_head(struct sv s, size_t *n)
{
	const unsigned char	*p = (const unsigned char *)s.p;
	size_t			 head = 2;

	if (s.n < head || (p[0] & 0x1f) == 0x1f)
		return 0;
	*n = p[1];
	if (*n == 0x81 && s.n >= 3 && p[2] >= 0x80) {
		head = 3;
		*n = p[2];
	} else if (*n == 0x82 && s.n >= 4 && p[2] > 0) {
		head = 4;
		*n = (size_t)p[2] << 8 | p[3];
	} else if (*n >= 0x80) {
		return 0;
	}
	return s.n - head < *n ? 0 : head;
}

/* see der.h */
bool
der_is(struct sv s, unsigned tag)
{
	return s.n > 0 && (unsigned char)s.p[0] == tag;
}

/* see der.h */
int
der_get_any(struct sv *s, unsigned *tag, struct sv *value)
{
	size_t	head, n;

	*value = sv_make(NULL, 0);
	*tag = 0;
	if ((head = read_head(*s, &n)) == 0)
		return -1;
	*tag = (unsigned char)s->p[0];
	*value = sv_make(s->p + head, n);
	*s = sv_skip(*s, head + n);
	return 0;
}

/* see der.h */
int
der_get(struct sv *s, unsigned tag, struct sv *value)
{
	*value = sv_make(NULL, 0);
	return der_is(*s, tag) ? der_get_any(s, &tag, value) : -1;
}

/* see der.h */
int
der_get_whole(struct sv *s, unsigned tag, struct sv *value)
{
	struct sv	start = *s;

	if (der_get(s, tag, value) == -1)
		return -1;
	*value = sv_make(start.p, start.n - s->n);
	return 0;
}

/* see der.h */
int
der_get_unsigned(struct sv *s, struct sv *value)
{
	struct sv	start = *s, v;

	*value = sv_make(NULL, 0);
	if (der_get(s, DER_INTEGER, &v) == -1)
		return -1;
	if (v.n == 0 || v.p[0] & 0x80 ||
	    (v.n > 1 && v.p[0] == 0 && !(v.p[1] & 0x80))) {
		*s = start;
		return -1;
	}
	*value = v.p[0] == 0 ? sv_skip(v, 1) : v;
	return 0;
}

/* see der.h */
int
der_get_bits(struct sv *s, struct sv *value)
{
	struct sv	start = *s, v;

	*value = sv_make(NULL, 0);
	if (der_get(s, DER_BITS, &v) == -1)
		return -1;
	if (v.n == 0 || v.p[0] != 0) {
		*s = start;
		return -1;
	}
	*value = sv_skip(v, 1);
	return 0;
}

/* Take n digits. */
static int
digits(struct sv *s, size_t n, unsigned min, unsigned max, unsigned *out)
{
	uint64_t	u;

	if (s->n < n || sv_u64(sv_make(s->p, n), &u) == -1 || u < min ||
	    u > max)
		return -1;
	*s = sv_skip(*s, n);
	*out = (unsigned)u;
	return 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. A year is
 * counted from March, so that the leap day is its last. */
static int64_t
days_since_1970(int64_t year, unsigned month, unsigned day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	return year * 365 + year / 4 - year / 100 + year / 400 +
	    (153 * (month - 3) + 2) / 5 + day - 719469;
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ; 50 to 99 are of the last century. */
static int
parse_time(struct sv s, bool two_digits, int64_t *unix_s)
{
	unsigned	year, month, day, hour, minute, second;

	if (digits(&s, two_digits ? 2 : 4, 0, 9999, &year) == -1 ||
	    digits(&s, 2, 1, 12, &month) == -1 ||
	    digits(&s, 2, 1, 31, &day) == -1 ||
	    digits(&s, 2, 0, 23, &hour) == -1 ||
	    digits(&s, 2, 0, 59, &minute) == -1 ||
	    digits(&s, 2, 0, 59, &second) == -1 || !sv_eq(s, SV("Z")))
		return -1;
	if (two_digits)
		year += year < 50 ? 2000 : 1900;
	*unix_s = ((days_since_1970(year, month, day) * 24 + hour) * 60 +
	    minute) * 60 + second;
	return 0;
}

/* see der.h */
int
der_get_time(struct sv *s, int64_t *unix_s)
{
	struct sv	start = *s, v;
	unsigned	tag;

	*unix_s = 0;
	if (der_get_any(s, &tag, &v) == 0 &&
	    (tag == DER_UTC_TIME || tag == DER_TIME) &&
	    parse_time(v, tag == DER_UTC_TIME, unix_s) == 0)
		return 0;
	*s = start;
	return -1;
}

/* ---- writing ---- */

/* see der.h */
size_t
der_begin(struct buf *b, unsigned tag)
{
	buf_putc(b, (char)tag);
	buf_putc(b, 0);
	return b->n;
}

/* see der.h */
void
der_end(struct buf *b, size_t begun)
{
	size_t	n, more;
	char	*p;

	if (b->failed)
		return;
	n = b->n - begun;
	more = n < 0x80 ? 0 : n < 0x100 ? 1 : 2;
	if (n > LENGTH_MAX || buf_reserve(b, 2) == NULL) {
		b->failed = true;
		return;
	}
	p = b->p + begun;
	memmove(p + more, p, n);
	buf_commit(b, more);
	p[-1] = (char)(more == 0 ? n : 0x80 + more);
	if (more == 2)
		*p++ = (char)(n >> 8);
	if (more > 0)
		*p = (char)(n & 0xff);
}

/* see der.h */
void
der_put(struct buf *b, unsigned tag, struct sv contents)
{
	size_t	begun = der_begin(b, tag);

	buf_putsv(b, contents);
	der_end(b, begun);
}

/* see der.h */
void
der_put_unsigned(struct buf *b, struct sv v)
{
	size_t	begun = der_begin(b, DER_INTEGER);

	while (v.n > 0 && v.p[0] == 0)
		v = sv_skip(v, 1);
	if (v.n == 0 || v.p[0] & 0x80)
		buf_putc(b, 0);
	buf_putsv(b, v);
	der_end(b, begun);
}

/* see der.h */
void
der_put_bits(struct buf *b, struct sv v)
{
	size_t	begun = der_begin(b, DER_BITS);

	buf_putc(b, 0);
	buf_putsv(b, v);
	der_end(b, begun);
}

/* see der.h */
void
der_put_time(struct buf *b, int64_t unix_s)
{
	struct clock_date	d;
	bool			two_digits;
	size_t			begun;

	clock_date(&d, unix_s);
	two_digits = d.year < 2050;
	begun = der_begin(b, two_digits ? DER_UTC_TIME : DER_TIME);
	buf_printf(b, "%0*u%02u%02u%02u%02u%02uZ", two_digits ? 2 : 4,
	    two_digits ? d.year % 100 : d.year, d.month, d.day, d.hour,
	    d.minute, d.second);
	der_end(b, begun);
}

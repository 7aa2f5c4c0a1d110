/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Applies a fossil delta, checking every byte of it: for tests of what makes
 * deltas. See hub/delta.h for the format.
 */
#ifndef TESTS_UNIT_DELTA_APPLY_H
#define TESTS_UNIT_DELTA_APPLY_H

#include "util/buf.h"

static inline uint32_t
delta_number(struct sv *s)
{
	static const char	digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTU"
				    "VWXYZ_abcdefghijklmnopqrstuvwxyz~";
	const char		*p;
	uint32_t		 v = 0;

	while (s->n > 0 && s->p[0] != '\0' &&
	    (p = strchr(digits, s->p[0])) != NULL) {
		v = v << 6 | (uint32_t)(p - digits);
		*s = sv_skip(*s, 1);
	}
	return v;
}

/* The next byte, or -1 at the end. */
static inline int
delta_byte(struct sv *s)
{
	struct sv	before = *s;

	*s = sv_skip(*s, 1);
	return before.n == 0 ? -1 : (unsigned char)before.p[0];
}

static inline bool
delta_is_sum(struct sv s, uint32_t sum)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		sum -= (uint32_t)(unsigned char)s.p[i] << (3 - i % 4) * 8;
	return sum == 0;
}

/* Append what the delta makes of source to out; false if it is wrong. */
static inline bool
delta_apply(struct buf *out, struct sv source, struct sv delta)
{
	uint32_t	length = delta_number(&delta), n, from;

	if (delta_byte(&delta) != '\n')
		return false;
	for (;;) {
		n = delta_number(&delta);
		switch (delta_byte(&delta)) {
		case '@':
			from = delta_number(&delta);
			if (delta_byte(&delta) != ',' || n > source.n ||
			    from > source.n - n)
				return false;
			buf_put(out, source.p + from, n);
			break;
		case ':':
			if (n > delta.n)
				return false;
			buf_put(out, delta.p, n);
			delta = sv_skip(delta, n);
			break;
		case ';':
			return delta.n == 0 && out->n == length &&
			    delta_is_sum(buf_sv(out), n);
		default:
			return false;
		}
	}
}

#endif

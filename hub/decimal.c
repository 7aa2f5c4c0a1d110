/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Decimal numbers: see decimal.h.
 */
#include "hub/decimal.h"

#define MAX_LENGTH	200
#define MAX_FRACTION	19

static struct sv
take_digits(struct sv *s)
{
	struct sv	all = *s;
	size_t		n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	*s = sv_skip(*s, n);
	return sv_make(all.p, n);
}

/* see decimal.h */
int
decimal_parse(struct decimal *d, struct sv s)
{
	*d = (struct decimal){ .negative = false };
	if (s.n > MAX_LENGTH)
		return -1;
	if (sv_starts(s, SV("-")) || sv_starts(s, SV("+"))) {
		d->negative = s.p[0] == '-';
		s = sv_skip(s, 1);
	}
	d->whole = take_digits(&s);
	if (d->whole.n == 0)
		return -1;
	if (sv_starts(s, SV("."))) {
		s = sv_skip(s, 1);
		d->fraction = take_digits(&s);
		if (d->fraction.n == 0 || d->fraction.n > MAX_FRACTION)
			return -1;
	}
	if (s.n > 0)
		return -1;
	while (sv_starts(d->whole, SV("0")))
		d->whole = sv_skip(d->whole, 1);
	while (sv_ends(d->fraction, SV("0")))
		d->fraction.n--;
	if (d->whole.n == 0 && d->fraction.n == 0)
		d->negative = false;
	return 0;
}

static int
compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int
compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
	struct sv	x = a->fraction, y = b->fraction;
	size_t		n = x.n < y.n ? x.n : y.n;
	int		order;

	if ((order = compare_sizes(a->whole.n, b->whole.n)) != 0)
		return order;
	order = memcmp(a->whole.p, b->whole.p, a->whole.n);
	if (order == 0 && n > 0)
		order = memcmp(x.p, y.p, n);
	return order != 0 ? order : compare_sizes(x.n, y.n);
}

/* see decimal.h */
int
decimal_compare(const struct decimal *a, const struct decimal *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? compare_magnitudes(b, a) :
	    compare_magnitudes(a, b);
}

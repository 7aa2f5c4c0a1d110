/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Character classes of regular expressions: see regex_prog.h.
 */
#include <stdlib.h>

#include "util/regex_prog.h"

#define KELVIN	0x212a		/* folds to k */
#define LONG_S	0x017f		/* folds to s */

/* Pairs of first and last. */
static const struct {
	struct sv	name, pairs;
} named[] = {
	{ SV_INIT("d"), SV_INIT("09") },
	{ SV_INIT("s"), SV_INIT("\t\n\f\r  ") },
	{ SV_INIT("w"), SV_INIT("09AZ__az") },
	{ SV_INIT("alnum"), SV_INIT("09AZaz") },
	{ SV_INIT("alpha"), SV_INIT("AZaz") },
	{ SV_INIT("ascii"), SV_INIT("\0\x7f") },
	{ SV_INIT("blank"), SV_INIT("\t\t  ") },
	{ SV_INIT("cntrl"), SV_INIT("\0\x1f\x7f\x7f") },
	{ SV_INIT("digit"), SV_INIT("09") },
	{ SV_INIT("graph"), SV_INIT("!~") },
	{ SV_INIT("lower"), SV_INIT("az") },
	{ SV_INIT("print"), SV_INIT(" ~") },
	{ SV_INIT("punct"), SV_INIT("!/:@[`{~") },
	{ SV_INIT("space"), SV_INIT("\t\r  ") },
	{ SV_INIT("upper"), SV_INIT("AZ") },
	{ SV_INIT("word"), SV_INIT("09AZ__az") },
	{ SV_INIT("xdigit"), SV_INIT("09AFaf") },
};

static int
add(struct regex_set *s, uint32_t lo, uint32_t hi)
{
	struct regex_range	*p;
	size_t			 cap = s->cap;

	if (s->n == cap) {
		cap = cap == 0 ? 8 : cap * 2;
		p = reallocarray(s->range, cap, sizeof(*p));
		if (p == NULL)
			return -1;
		s->range = p;
		s->cap = cap;
	}
	s->range[s->n++] = (struct regex_range){ lo, hi };
	return 0;
}

/* Add the part of lo to hi that lies in first to last, moved. */
static int
add_moved(struct regex_set *s, uint32_t lo, uint32_t hi, uint32_t first,
    uint32_t last, int32_t by)
{
	if (lo < first)
		lo = first;
	if (hi > last)
		hi = last;
	if (lo > hi)
		return 0;
	return add(s, lo + (uint32_t)by, hi + (uint32_t)by);
}

/* see regex_prog.h */
int
regex_set_add(struct regex_set *s, uint32_t lo, uint32_t hi, bool fold)
{
	if (add(s, lo, hi) == -1)
		return -1;
	if (!fold)
		return 0;
	if (add_moved(s, lo, hi, 'A', 'Z', 'a' - 'A') == -1 ||
	    add_moved(s, lo, hi, 'a', 'z', 'A' - 'a') == -1 ||
	    add_moved(s, lo, hi, 'K', 'K', KELVIN - 'K') == -1 ||
	    add_moved(s, lo, hi, 'k', 'k', KELVIN - 'k') == -1 ||
	    add_moved(s, lo, hi, 'S', 'S', LONG_S - 'S') == -1 ||
	    add_moved(s, lo, hi, 's', 's', LONG_S - 's') == -1)
		return -1;
	return 0;
}

static int
by_start(const void *a, const void *b)
{
	const struct regex_range	*x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* see regex_prog.h */
int
regex_set_close(struct regex_set *s, size_t from, bool negate)
{
	struct regex_range	*r;
	size_t			 i, n = 0, count = s->n - from;
	uint32_t		 next = 0;

	if (count > 1)
		qsort(s->range + from, count, sizeof(*r), by_start);
	for (i = 0; i < count; i++) {
		r = s->range + from;
		if (n > 0 && r[i].lo <= r[n - 1].hi + 1) {
			if (r[i].hi > r[n - 1].hi)
				r[n - 1].hi = r[i].hi;
		} else {
			r[n++] = r[i];
		}
	}
	s->n = from + n;
	if (!negate)
		return 0;
	/* the gaps take the ranges' places; there may be one more of them */
	for (i = 0, count = n, n = 0; i < count; i++) {
		struct regex_range	at = s->range[from + i];

		if (at.lo > next)
			s->range[from + n++] =
			    (struct regex_range){ next, at.lo - 1 };
		next = at.hi + 1;
	}
	s->n = from + n;
	return next > REGEX_CHAR_MAX ? 0 : add(s, next, REGEX_CHAR_MAX);
}

/* see regex_prog.h */
enum regex_found
regex_set_add_named(struct regex_set *s, struct sv name, bool negate,
    bool fold)
{
	size_t		i, k, from = s->n;
	struct sv	pairs;

	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (sv_eq(named[i].name, name))
			break;
	if (i == sizeof(named) / sizeof(named[0]))
		return REGEX_UNKNOWN;
	pairs = named[i].pairs;
	for (k = 0; k < pairs.n; k += 2)
		if (regex_set_add(s, (unsigned char)pairs.p[k],
		    (unsigned char)pairs.p[k + 1], fold) == -1)
			return REGEX_NOMEM;
	return regex_set_close(s, from, negate) == -1 ?
	    REGEX_NOMEM : REGEX_FOUND;
}

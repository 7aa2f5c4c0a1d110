/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * String views: see sv.h. What is too long to be inline. Characters are
 * ASCII; nothing here looks at the locale.
 */
#include <stdlib.h>
#include <string.h>

#include "util/sv.h"

static unsigned char
lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A' + 'a');
	return (unsigned char)c;
}

bool
sv_ieq(struct sv a, struct sv b)
{
	size_t	i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

ptrdiff_t
sv_chr(struct sv s, char c)
{
	const char	*p;

	if (s.n == 0 || (p = memchr(s.p, c, s.n)) == NULL)
		return -1;
	return p - s.p;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct sv
sv_trim(struct sv s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = sv_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct sv
sv_cut(struct sv *rest, char sep)
{
	struct sv	head = *rest;
	ptrdiff_t	i = sv_chr(head, sep);

	if (i == -1) {
		*rest = (struct sv){ NULL, 0 };
		return head;
	}
	head.n = (size_t)i;
	*rest = sv_skip(*rest, head.n + 1);
	return head;
}

int
sv_u64(struct sv s, uint64_t *out)
{
	uint64_t	v = 0;
	size_t		i;

	*out = 0;
	if (s.n == 0)
		return -1;
	for (i = 0; i < s.n; i++) {
		unsigned	d = (unsigned char)s.p[i] - (unsigned)'0';

		if (d > 9 || v > UINT64_MAX / 10 ||
		    v * 10 > UINT64_MAX - d)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

int
sv_i64(struct sv s, int64_t *out)
{
	bool		neg = sv_starts(s, SV("-"));
	uint64_t	u, max = (uint64_t)INT64_MAX + neg;

	*out = 0;
	if (sv_u64(sv_skip(s, neg), &u) == -1 || u > max)
		return -1;
	/* -INT64_MIN is no int64_t: negate one less. */
	if (neg && u > 0)
		*out = -(int64_t)(u - 1) - 1;
	else
		*out = (int64_t)u;
	return 0;
}

char *
sv_dup(struct sv s)
{
	char	*p;

	if (s.n == SIZE_MAX || (p = malloc(s.n + 1)) == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

/* see sv.h */
void
sv_copy(char *out, size_t n, struct sv s)
{
	if (s.n > n - 1)
		s.n = n - 1;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

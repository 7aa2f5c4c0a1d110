/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * String views: a pointer and a length into memory that somebody else owns.
 * Parsed data are views into the receive buffer and are valid until the
 * caller consumes those bytes. A view is not NUL-terminated. The empty view
 * may have p == NULL.
 */
#ifndef UTIL_SV_H
#define UTIL_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sv {
	const char	*p;
	size_t		 n;
};

/* A view of a string literal: as a value, and as an initialiser of static
 * storage (a compound literal is no constant). */
#define SV(lit)		((struct sv)SV_INIT(lit))
#define SV_INIT(lit)	{ "" lit, sizeof(lit) - 1 }
/* For printf("%.*s", SV_ARG(s)). */
#define SV_ARG(s)	(int)(s).n, (s).n ? (s).p : ""

static inline struct sv
sv_from(const char *s)
{
	return (struct sv){ s, s == NULL ? 0 : strlen(s) };
}

static inline struct sv
sv_make(const void *p, size_t n)
{
	return (struct sv){ p, n };
}

static inline bool
sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
sv_starts(struct sv s, struct sv prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
sv_ends(struct sv s, struct sv suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 ||
	    memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The view without its first n bytes (all of them if it is shorter). */
static inline struct sv
sv_skip(struct sv s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (struct sv){ s.n ? s.p + n : s.p, s.n - n };
}

/* Equal without regard to ASCII case; no locale. */
bool	sv_ieq(struct sv, struct sv);

/* Index of the first byte c, or -1. */
ptrdiff_t sv_chr(struct sv, char c);

/* Without leading and trailing SP and HTAB. */
struct sv sv_trim(struct sv);

/*
 * Cut the part before the first sep off *rest and return it; *rest becomes
 * what follows sep. Without sep the whole of *rest is returned and *rest
 * becomes { NULL, 0 }, by which the caller knows that the list has ended.
 */
struct sv sv_cut(struct sv *rest, char sep);

/*
 * Decimal numbers: digits only (an optional '-' for sv_i64), the whole view,
 * no overflow. 0, or -1 with *out = 0.
 */
int	sv_u64(struct sv, uint64_t *out);
int	sv_i64(struct sv, int64_t *out);

/* Copy into a buffer of n bytes (n > 0) with a NUL; what does not fit is cut
 * off. */
void	sv_copy(char *out, size_t n, struct sv);

/* A NUL-terminated malloc'd copy, or NULL when out of memory. */
char	*sv_dup(struct sv);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Private to util/regex*.c: the program that a pattern is compiled to. All
 * jumps are relative, so a piece of program may be moved and copied.
 *
 *	ab|c*	->	0 NEXT +4; 1 CHAR a; 2 CHAR b; 3 GOTO +4;
 *			4 NEXT +3; 5 CHAR c; 6 JUMP -1; 7 MATCH
 */
#ifndef UTIL_REGEX_PROG_H
#define UTIL_REGEX_PROG_H

#include "util/regex.h"
#include "util/utf8.h"

enum regex_op {
	RX_CHAR,	/* the character arg */
	RX_ANY,		/* any character */
	RX_CLASS,	/* one of the n ranges from range[arg] on */
	RX_GOTO,	/* on at +arg */
	RX_NEXT,	/* on at the next, or else at +arg */
	RX_JUMP,	/* on at +arg, or else at the next */
	RX_SAVE,	/* note the position in slot arg */
	RX_ASSERT,	/* on if enum regex_assert arg holds here */
	RX_MATCH
};

enum regex_assert {
	RX_TEXT_START, RX_TEXT_END, RX_LINE_START, RX_LINE_END, RX_WORD,
	RX_NOT_WORD
};

struct regex_inst {
	uint16_t	op;
	uint16_t	n;
	int32_t		arg;
};

struct regex_range {
	uint32_t	lo, hi;
};

struct regex {
	struct regex_inst	*inst;
	size_t			 ninst;
	struct regex_range	*range;	/* those of a class are sorted */
	struct sv		*name;	/* views into pattern */
	size_t			 ngroup;
	char			*pattern;
};

#define REGEX_CHAR_MAX	0x10ffff

/* Take a character off *s, which is not empty. */
static inline uint32_t
regex_take(struct sv *s)
{
	static const unsigned char	mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t			c = (unsigned char)s->p[0];
	size_t				n = c < 0x80 ? 1 : utf8_char(*s), i;

	if (n == 0) {
		*s = sv_skip(*s, 1);
		return 0xfffd;
	}
	c &= mask[n];
	for (i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s->p[i] & 0x3f);
	*s = sv_skip(*s, n);
	return c;
}

/* ---- regex_class.c: a set of characters under construction ---- */

/* The class being built is range[from] up to the array's end. */
struct regex_set {
	struct regex_range	*range;
	size_t			 n, cap;
};

/* Add a range; fold: in either case (of ASCII letters, and of the two
 * characters beyond that fold to one). -1: no memory. */
int	regex_set_add(struct regex_set *, uint32_t lo, uint32_t hi, bool fold);
/* Sort and join the ranges from `from' on; negate: what is not in them. */
int	regex_set_close(struct regex_set *, size_t from, bool negate);
enum regex_found { REGEX_FOUND, REGEX_UNKNOWN, REGEX_NOMEM };

/* Add what \d, \s and \w (named by their letter) or [:alpha:] and the like
 * stand for; negate: all others. */
enum regex_found regex_set_add_named(struct regex_set *, struct sv name,
	    bool negate, bool fold);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Glob patterns: see glob.h. A pattern becomes a small program that is run
 * for all possible matches at once, as Thompson's regular expressions are:
 * the text is read once, and the instructions a match may be at are a set.
 * All jumps go forward, so one pass over the set in order takes every step
 * that needs no character.
 *
 *	{a,b}	->	0 SPLIT 3; 1 CHAR a; 2 JUMP 5; 3 JUMP 4; 4 CHAR b; 5
 */
#include <stdlib.h>
#include <string.h>

#include "util/glob.h"
#include "util/utf8.h"

#define MAX_PATTERN	512		/* bytes */
#define MAX_INST	(2 * MAX_PATTERN + 1)
#define MAX_NESTING	16
#define NONE		UINT32_MAX

enum op {
	OP_CHAR,	/* the character lo */
	OP_ANY,		/* any character */
	OP_STAR,	/* stays here with any character, or goes on */
	OP_RANGE,	/* lo to hi */
	OP_SET,		/* any of set[lo] ... set[lo + hi - 1] */
	OP_SPLIT,	/* goes on, and to lo */
	OP_JUMP,	/* to lo */
	OP_MATCH
};

struct inst {
	uint8_t		op;
	bool		negate;		/* RANGE and SET */
	uint32_t	lo, hi;
};

struct glob {
	size_t		 ninst, nset;
	uint32_t	*set;		/* behind inst, in the same memory */
	struct inst	 inst[];
};

struct level {
	uint32_t	split;		/* of the current alternative */
	uint32_t	jumps;		/* at the ends of those before, chained
					 * by lo, to be sent behind the brace */
};

struct compiler {
	struct glob	*g;
	struct sv	 in;
	const char	*err;
	struct level	 level[MAX_NESTING];
	size_t		 depth;
};

/* Take a character off *s, which is not empty. A byte that is not UTF-8
 * counts as a character of its own, beyond Unicode. */
static uint32_t
take_char(struct sv *s)
{
	static const unsigned char	mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t				n = utf8_char(*s), i;
	uint32_t			c = (unsigned char)s->p[0];

	if (n == 0) {
		*s = sv_skip(*s, 1);
		return 0x110000 + c;
	}
	c &= mask[n];
	for (i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s->p[i] & 0x3f);
	*s = sv_skip(*s, n);
	return c;
}

static uint32_t
emit(struct compiler *c, enum op op, uint32_t lo, uint32_t hi)
{
	struct inst	*i = &c->g->inst[c->g->ninst];

	*i = (struct inst){ .op = (uint8_t)op, .lo = lo, .hi = hi };
	return (uint32_t)c->g->ninst++;
}

static void
fail(struct compiler *c, const char *err)
{
	c->err = err;
	c->in.n = 0;
}

/* Whether c is next; it is taken if so. */
static bool
take(struct sv *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = sv_skip(*s, 1);
	return true;
}

/* lo-hi]: -1 if it is no range. */
static int
parse_range(struct compiler *c, bool negate)
{
	struct sv	s = c->in;
	uint32_t	lo, hi;

	if (s.n == 0)
		return -1;
	lo = take_char(&s);
	if (!take(&s, '-'))
		return -1;
	c->in = s;
	hi = s.n > 0 ? take_char(&c->in) : 0;
	if (!take(&c->in, ']'))
		fail(c, "missing ] after a range");
	else if (lo > hi)
		fail(c, "the range runs backwards");
	else
		c->g->inst[emit(c, OP_RANGE, lo, hi)].negate = negate;
	return 0;
}

/* [abc] or [a-z], or with ! before: all but these. As in gobwas/glob, a
 * hyphen that does not come second is itself. Behind the bracket. */
static void
parse_set(struct compiler *c)
{
	bool		negate = take(&c->in, '!');
	uint32_t	first = (uint32_t)c->g->nset;

	if (parse_range(c, negate) == 0)
		return;
	while (!take(&c->in, ']')) {
		take(&c->in, '\\');
		if (c->in.n == 0) {
			fail(c, "missing ]");
			return;
		}
		c->g->set[c->g->nset++] = take_char(&c->in);
	}
	if (c->g->nset == first)
		fail(c, "empty set");
	else
		c->g->inst[emit(c, OP_SET, first,
		    (uint32_t)c->g->nset - first)].negate = negate;
}

static void
open_brace(struct compiler *c)
{
	if (c->depth == MAX_NESTING) {
		fail(c, "nested too deeply");
		return;
	}
	c->level[c->depth].jumps = NONE;
	c->level[c->depth].split = emit(c, OP_SPLIT, NONE, 0);
	c->depth++;
}

static void
next_alternative(struct compiler *c)
{
	struct level	*l = &c->level[c->depth - 1];

	l->jumps = emit(c, OP_JUMP, l->jumps, 0);
	c->g->inst[l->split].lo = (uint32_t)c->g->ninst;
	l->split = emit(c, OP_SPLIT, NONE, 0);
}

static void
close_brace(struct compiler *c)
{
	struct level	*l = &c->level[--c->depth];
	uint32_t	 end = (uint32_t)c->g->ninst, i, next;

	/* nothing to choose from after the last alternative */
	c->g->inst[l->split].op = OP_JUMP;
	c->g->inst[l->split].lo = l->split + 1;
	for (i = l->jumps; i != NONE; i = next) {
		next = c->g->inst[i].lo;
		c->g->inst[i].lo = end;
	}
}

static void
compile_one(struct compiler *c)
{
	if (take(&c->in, '*')) {
		while (take(&c->in, '*'))
			continue;
		emit(c, OP_STAR, 0, 0);
	} else if (take(&c->in, '?')) {
		emit(c, OP_ANY, 0, 0);
	} else if (take(&c->in, '[')) {
		parse_set(c);
	} else if (take(&c->in, '{')) {
		open_brace(c);
	} else if (c->depth > 0 && take(&c->in, ',')) {
		next_alternative(c);
	} else if (c->depth > 0 && take(&c->in, '}')) {
		close_brace(c);
	} else if (take(&c->in, '\\') && c->in.n == 0) {
		fail(c, "backslash at the end");
	} else {
		emit(c, OP_CHAR, take_char(&c->in), 0);
	}
}

struct glob *
glob_new(struct sv pattern, const char **err)
{
	struct compiler	c = { .in = pattern };
	size_t		ninst = 2 * pattern.n + 1;

	*err = NULL;
	if (pattern.n > MAX_PATTERN) {
		*err = "pattern too long";
		return NULL;
	}
	c.g = malloc(sizeof(*c.g) + ninst * sizeof(struct inst) +
	    pattern.n * sizeof(uint32_t));
	if (c.g == NULL) {
		*err = "out of memory";
		return NULL;
	}
	c.g->ninst = c.g->nset = 0;
	c.g->set = (uint32_t *)(void *)(c.g->inst + ninst);
	while (c.in.n > 0)
		compile_one(&c);
	if (c.err == NULL && c.depth > 0)
		c.err = "missing }";
	emit(&c, OP_MATCH, 0, 0);
	if ((*err = c.err) != NULL) {
		free(c.g);
		return NULL;
	}
	return c.g;
}

void
glob_free(struct glob *g)
{
	free(g);
}

/* Take all steps without a character from the instructions in at. */
static void
settle(const struct glob *g, uint8_t *at)
{
	size_t	i;

	for (i = 0; i < g->ninst; i++) {
		const struct inst	*in = &g->inst[i];

		if (!at[i])
			continue;
		if (in->op == OP_STAR || in->op == OP_SPLIT)
			at[i + 1] = 1;
		if (in->op == OP_JUMP || in->op == OP_SPLIT)
			at[in->lo] = 1;
	}
}

static bool
in_set(const struct glob *g, const struct inst *in, uint32_t c)
{
	uint32_t	i;

	for (i = 0; i < in->hi; i++)
		if (g->set[in->lo + i] == c)
			return true;
	return false;
}

static bool
takes(const struct glob *g, const struct inst *in, uint32_t c)
{
	switch (in->op) {
	case OP_CHAR:
		return in->lo == c;
	case OP_ANY:
	case OP_STAR:
		return true;
	case OP_RANGE:
		return (c >= in->lo && c <= in->hi) != in->negate;
	case OP_SET:
		return in_set(g, in, c) != in->negate;
	default:
		return false;
	}
}

/* From the instructions in at to those in next, by the character c; whether
 * there are any. */
static bool
advance(const struct glob *g, const uint8_t *at, uint8_t *next, uint32_t c)
{
	bool	any = false;
	size_t	i;

	memset(next, 0, g->ninst);
	for (i = 0; i < g->ninst; i++) {
		const struct inst	*in = &g->inst[i];

		if (!at[i] || !takes(g, in, c))
			continue;
		next[in->op == OP_STAR ? i : i + 1] = 1;
		any = true;
	}
	return any;
}

bool
glob_match(const struct glob *g, struct sv text)
{
	uint8_t	set[2][MAX_INST], *at = set[0], *next = set[1], *tmp;

	memset(at, 0, g->ninst);
	at[0] = 1;
	settle(g, at);
	while (text.n > 0) {
		if (!advance(g, at, next, take_char(&text)))
			return false;
		settle(g, next);
		tmp = at;
		at = next;
		next = tmp;
	}
	return at[g->ninst - 1];
}

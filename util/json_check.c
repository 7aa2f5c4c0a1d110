/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The grammar of RFC 8259 in one pass: see json_check.h. Above each
 * function stands the production it recognises. There is no recursion: the
 * open containers are kept on a stack of their own.
 *
 * Functions that return an error leave p at the offending byte.
 */
#include <endian.h>
#include <string.h>

#include "util/json_check.h"
#include "util/utf8.h"

struct scan {
	const char	*p, *end;
	size_t		 ntok, max_tokens;
	bool		*object;	/* of the open containers, from outside:
					 * whether it is one */
	unsigned	 depth;
};

/* What a byte is inside a string. */
enum { PLAIN, QUOTE, ESCAPE, CONTROL, HIGH };

static unsigned char
string_class(unsigned char c)
{
	if (c >= 0x80)
		return HIGH;
	if (c < 0x20)
		return CONTROL;
	return c == '"' ? QUOTE : c == '\\' ? ESCAPE : PLAIN;
}

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void
skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
	    *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* Skip ws, then whether c is next; it is taken if so. */
static bool
take(struct scan *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 4HEXDIG, at p: its value, or -1. */
static int
hex4(const struct scan *s, const char *p)
{
	int	u = 0, i;

	if (s->end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char	c = p[i], l = (char)(c | 0x20);

		if (is_digit(c))
			u = u << 4 | (c - '0');
		else if (l >= 'a' && l <= 'f')
			u = u << 4 | (l - 'a' + 10);
		else
			return -1;
	}
	return u;
}

/* %x75 4HEXDIG; p is at the backslash. A high surrogate must be followed
 * by the escape of a low one, which is taken too. */
static enum json_err
check_unicode(struct scan *s)
{
	int	u = hex4(s, s->p + 2), low;

	if (u == -1)
		return JSON_SYNTAX;
	if (u < 0xd800 || u > 0xdfff) {
		s->p += 6;
		return JSON_OK;
	}
	if (u > 0xdbff || s->end - s->p < 8 || s->p[6] != '\\' ||
	    s->p[7] != 'u')
		return JSON_UTF8;
	low = hex4(s, s->p + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return JSON_UTF8;
	s->p += 12;
	return JSON_OK;
}

/* escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / ... ) */
static enum json_err
check_escape(struct scan *s)
{
	if (s->end - s->p < 2)
		return JSON_SYNTAX;
	if (s->p[1] == 'u')
		return check_unicode(s);
	if (s->p[1] == '\0' || strchr("\"\\/bfnrt", s->p[1]) == NULL)
		return JSON_SYNTAX;
	s->p += 2;
	return JSON_OK;
}

/* How many of eight bytes, from the lowest, are PLAIN: the usual tests for a
 * zero byte in w ^ quote and w ^ backslash, and for one below 0x20. Their
 * borrows only reach bytes above the first hit. */
static size_t
plain_bytes(uint64_t w)
{
	const uint64_t	ones = UINT64_C(0x0101010101010101);
	uint64_t	q = w ^ (ones * '"'), e = w ^ (ones * '\\');
	uint64_t	hit = ((q - ones) | (e - ones) | (w - ones * 0x20) |
			    w) & (ones * 0x80);

	return hit == 0 ? 8 : (size_t)__builtin_ctzll(hit) / 8;
}

static void
skip_plain(struct scan *s)
{
	uint64_t	w;
	size_t		n = sizeof(w);

	while (n == sizeof(w) && s->end - s->p >= (ptrdiff_t)sizeof(w)) {
		memcpy(&w, s->p, sizeof(w));
		n = plain_bytes(le64toh(w));
		s->p += n;
	}
	while (s->p < s->end && string_class((unsigned char)*s->p) == PLAIN)
		s->p++;
}

/* A run of characters beyond ASCII. */
static enum json_err
check_high(struct scan *s)
{
	const char	*p = s->p;

	while (p < s->end && (unsigned char)*p >= 0x80)
		p++;
	if (!utf8_valid(sv_make(s->p, (size_t)(p - s->p))))
		return JSON_UTF8;
	s->p = p;
	return JSON_OK;
}

/* string = quotation-mark *char quotation-mark; p is behind the first. */
static enum json_err
check_string(struct scan *s)
{
	enum json_err	e = JSON_OK;

	while (e == JSON_OK) {
		skip_plain(s);
		if (s->p == s->end)
			return JSON_SYNTAX;
		switch (string_class((unsigned char)*s->p)) {
		case QUOTE:
			s->p++;
			return JSON_OK;
		case ESCAPE:
			e = check_escape(s);
			break;
		case HIGH:
			e = check_high(s);
			break;
		default:
			return JSON_SYNTAX;
		}
	}
	return e;
}

/* 1*DIGIT */
static bool
take_digits(struct scan *s)
{
	const char	*start = s->p;

	while (s->p < s->end && is_digit(*s->p))
		s->p++;
	return s->p > start;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static enum json_err
check_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!take_digits(s))
		return JSON_SYNTAX;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!take_digits(s))
			return JSON_SYNTAX;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!take_digits(s))
			return JSON_SYNTAX;
	}
	return JSON_OK;
}

static enum json_err
check_word(struct scan *s, struct sv word)
{
	if (!sv_starts(sv_make(s->p, (size_t)(s->end - s->p)), word))
		return JSON_SYNTAX;
	s->p += word.n;
	return JSON_OK;
}

/* Whether c may stand behind a number or a word. */
static bool
is_delimiter(char c)
{
	switch (c) {
	case ' ': case '\t': case '\r': case '\n':
	case ',': case ']': case '}':
		return true;
	default:
		return false;
	}
}

/* false / null / true / number. Behind it, nothing that could be part of
 * it: `01' is no 0 with something after it. */
static enum json_err
check_primitive(struct scan *s)
{
	enum json_err	e;

	switch (*s->p) {
	case 't':
		e = check_word(s, SV("true"));
		break;
	case 'f':
		e = check_word(s, SV("false"));
		break;
	case 'n':
		e = check_word(s, SV("null"));
		break;
	default:
		e = check_number(s);
		break;
	}
	if (e == JSON_OK && s->p < s->end && !is_delimiter(*s->p))
		return JSON_SYNTAX;
	return e;
}

static enum json_err
count_token(struct scan *s)
{
	s->ntok++;
	if (s->max_tokens != 0 && s->ntok > s->max_tokens)
		return JSON_TOOBIG;
	return JSON_OK;
}

/* member = string name-separator value, up to the value. */
static enum json_err
check_name(struct scan *s)
{
	enum json_err	e;

	if (!take(s, '"'))
		return JSON_SYNTAX;
	if ((e = count_token(s)) != JSON_OK || (e = check_string(s)) != JSON_OK)
		return e;
	return take(s, ':') ? JSON_OK : JSON_SYNTAX;
}

/* begin-object / begin-array; *opened unless it closes at once. */
static enum json_err
check_open(struct scan *s, bool *opened)
{
	bool	object = *s->p == '{';

	if (s->depth == JSON_MAX_DEPTH)
		return JSON_DEPTH;
	s->p++;
	*opened = !take(s, object ? '}' : ']');
	if (!*opened)
		return JSON_OK;
	s->object[s->depth++] = object;
	return object ? check_name(s) : JSON_OK;
}

/* value = false / null / true / object / array / number / string; of an
 * object or array that is not empty only what leads to its first value. */
static enum json_err
check_value(struct scan *s, bool *opened)
{
	enum json_err	e;

	*opened = false;
	skip_space(s);
	if (s->p == s->end)
		return JSON_SYNTAX;
	if ((e = count_token(s)) != JSON_OK)
		return e;
	switch (*s->p) {
	case '{':
	case '[':
		return check_open(s, opened);
	case '"':
		s->p++;
		return check_string(s);
	default:
		return check_primitive(s);
	}
}

/* What follows a value: the ends of containers, then a value-separator (and
 * a member's name), or the end of the document: depth is 0 then. */
static enum json_err
check_after(struct scan *s)
{
	while (s->depth > 0) {
		bool	object = s->object[s->depth - 1];

		if (take(s, ','))
			return object ? check_name(s) : JSON_OK;
		if (!take(s, object ? '}' : ']'))
			return JSON_SYNTAX;
		s->depth--;
	}
	return JSON_OK;
}

static enum json_err
check_document(struct scan *s)
{
	enum json_err	e;
	bool		opened;

	skip_space(s);
	if (s->p == s->end)
		return JSON_EMPTY;
	do {
		e = check_value(s, &opened);
		if (e == JSON_OK && !opened)
			e = check_after(s);
	} while (e == JSON_OK && s->depth > 0);
	return e;
}

enum json_err
json_check(struct json_check *c, struct sv text, size_t max_tokens,
    unsigned flags)
{
	bool		object[JSON_MAX_DEPTH];
	struct scan	s = { .p = text.p, .max_tokens = max_tokens,
			    .object = object };
	enum json_err	e = JSON_TOOBIG;

	*c = (struct json_check){ 0 };
	if (text.n > INT32_MAX)
		return e;
	s.end = text.n > 0 ? text.p + text.n : text.p;
	e = check_document(&s);
	c->ntok = s.ntok;
	c->end = text.n > 0 ? (size_t)(s.p - text.p) : 0;
	if (e == JSON_OK) {
		skip_space(&s);
		if (s.p < s.end && (flags & JSON_STREAM) == 0)
			e = JSON_TRAILING;
	}
	c->used = text.n > 0 ? (size_t)(s.p - text.p) : 0;
	c->errpos = e == JSON_OK ? 0 : c->used;
	return e;
}

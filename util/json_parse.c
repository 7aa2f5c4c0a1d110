/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON parser: see json.h. One pass checks the whole grammar of RFC 8259
 * and makes the tokens of json_tok.h, in time linear in the text however it
 * is nested. Above each function stands the production it recognises.
 *
 * There is no recursion and no stack: as long as a container is open, its
 * token's `next', which is not known yet, is the container around it.
 *
 * The functions take the place in the text and return the place behind what
 * they recognised, or NULL when they have called fail().
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/json_tok.h"
#include "util/utf8.h"

/* A token array longer than this is not kept for the next document. */
#define KEEP_TOKENS	4096
#define MIN_TOKENS	64

static const char *const errors[] = {
	[JSON_OK] = "no error",
	[JSON_EMPTY] = "no JSON value",
	[JSON_SYNTAX] = "syntax error",
	[JSON_UTF8] = "invalid UTF-8 or lone surrogate",
	[JSON_DEPTH] = "nested too deeply",
	[JSON_DUPKEY] = "duplicate key",
	[JSON_TRAILING] = "data after the JSON value",
	[JSON_TOOBIG] = "too big",
	[JSON_NOMEM] = "out of memory",
};

struct scan {
	struct json	*j;
	struct json_tok	*tok;		/* j->tok */
	size_t		 ntok, limit;	/* see has_room() */
	const char	*text, *end;
	unsigned	 depth;		/* how many containers are open */
	uint32_t	 open;		/* token of the innermost, */
	char		 close;		/* and what closes it */
};

void
json_init(struct json *j)
{
	memset(j, 0, sizeof(*j));
}

void
json_fini(struct json *j)
{
	free(j->tok);
	json_init(j);
}

const char *
json_strerror(enum json_err e)
{
	return errors[e];
}

void
json_position(struct sv src, size_t off, unsigned *line, unsigned *col)
{
	size_t	i;

	*line = *col = 1;
	for (i = 0; i < off && i < src.n; i++) {
		++*col;
		if (src.p[i] == '\n') {
			++*line;
			*col = 1;
		}
	}
}

static const char *
fail(struct scan *s, enum json_err e, const char *p)
{
	s->j->err = e;
	s->j->errpos = (size_t)(p - s->text);
	return NULL;
}

/* Note where the array of j is and how much it takes: see has_room(). */
static void
use_tokens(struct scan *s)
{
	const struct json	*j = s->j;

	s->tok = j->tok;
	s->limit = j->cap == 0 ? 0 : j->cap - 1;
	if (j->max_tokens != 0 && j->max_tokens < s->limit)
		s->limit = j->max_tokens;
}

static bool
grow_tokens(struct scan *s, const char *at)
{
	struct json	*j = s->j;
	struct json_tok	*p;
	size_t		 cap = j->cap == 0 ? MIN_TOKENS : j->cap * 2;

	if (s->ntok >= j->max_tokens && j->max_tokens != 0) {
		fail(s, JSON_TOOBIG, at);
		return false;
	}
	if ((p = reallocarray(j->tok, cap, sizeof(*p))) == NULL) {
		fail(s, JSON_NOMEM, at);
		return false;
	}
	j->tok = p;
	j->cap = cap;
	use_tokens(s);
	return true;
}

/* Room for a value and for a name behind it. */
static bool
has_room(struct scan *s, const char *p)
{
	return s->ntok < s->limit || grow_tokens(s, p);
}

/* A token that starts at p; there must be room. */
static struct json_tok *
add_token(struct scan *s, const char *p)
{
	struct json_tok	*t = &s->tok[s->ntok++];

	*t = (struct json_tok){ .start = (uint32_t)(p - s->text) };
	return t;
}

static void
end_token(const struct scan *s, struct json_tok *t, const char *p)
{
	t->end = (uint32_t)(p - s->text);
}

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' ||
	    *p == '\t'))
		p++;
	return p;
}

/* ws, behind which the text must go on. Most often there is none. */
static inline const char *
next_byte(struct scan *s, const char *p)
{
	if (p < s->end && (unsigned char)*p > ' ')
		return p;
	p = skip_space(p, s->end);
	return p < s->end ? p : fail(s, JSON_SYNTAX, p);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
json_hex4(const char *p)
{
	int	u = 0, i;

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
static const char *
parse_unicode(struct scan *s, const char *p)
{
	int	u = s->end - p < 6 ? -1 : json_hex4(p + 2), low;

	if (u == -1)
		return fail(s, JSON_SYNTAX, p);
	if (u < 0xd800 || u > 0xdfff)
		return p + 6;
	if (u > 0xdbff || s->end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return fail(s, JSON_UTF8, p);
	low = json_hex4(p + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, JSON_UTF8, p);
	return p + 12;
}

/* escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / ... ) */
static const char *
parse_escape(struct scan *s, const char *p)
{
	if (s->end - p < 2)
		return fail(s, JSON_SYNTAX, p);
	if (p[1] == 'u')
		return parse_unicode(s, p);
	if (p[1] == '\0' || strchr("\"\\/bfnrt", p[1]) == NULL)
		return fail(s, JSON_SYNTAX, p);
	return p + 2;
}

/* A run of characters beyond ASCII. */
static const char *
parse_high(struct scan *s, const char *p)
{
	const char	*start = p;

	while (p < s->end && (unsigned char)*p >= 0x80)
		p++;
	if (!utf8_valid(sv_make(start, (size_t)(p - start))))
		return fail(s, JSON_UTF8, start);
	return p;
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 &&
	    c != '"' && c != '\\';
}

/* How many of eight bytes, from the lowest, are plain: the usual tests for a
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

static const char *
skip_plain(const char *p, const char *end)
{
	uint64_t	w;
	size_t		n;

	while (end - p >= (ptrdiff_t)sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		n = plain_bytes(le64toh(w));
		p += n;
		if (n < sizeof(w))
			return p;
	}
	while (p < end && is_plain(*p))
		p++;
	return p;
}

/* string = quotation-mark *char quotation-mark; p is at the first. */
static const char *
parse_string(struct scan *s, struct json_tok *t, const char *p)
{
	for (p++; p != NULL;) {
		p = skip_plain(p, s->end);
		if (p == s->end)
			return fail(s, JSON_SYNTAX, p);
		if (*p == '"') {
			end_token(s, t, ++p);
			return p;
		}
		if (*p == '\\') {
			t->n |= JSON_TOK_ESCAPED;
			p = parse_escape(s, p);
		} else if ((unsigned char)*p >= 0x80) {
			p = parse_high(s, p);
		} else {
			return fail(s, JSON_SYNTAX, p);
		}
	}
	return NULL;
}

/* 1*DIGIT */
static const char *
parse_digits(struct scan *s, const char *p)
{
	if (p == s->end || !is_digit(*p))
		return fail(s, JSON_SYNTAX, p);
	do
		p++;
	while (p < s->end && is_digit(*p));
	return p;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static const char *
parse_number(struct scan *s, const char *p)
{
	if (*p == '-')
		p++;
	if (p < s->end && *p == '0')
		p++;
	else if ((p = parse_digits(s, p)) == NULL)
		return NULL;
	if (p < s->end && *p == '.' && (p = parse_digits(s, p + 1)) == NULL)
		return NULL;
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		return parse_digits(s, p);
	}
	return p;
}

static const char *
parse_word(struct scan *s, const char *p, struct sv word)
{
	if (!sv_starts(sv_make(p, (size_t)(s->end - p)), word))
		return fail(s, JSON_SYNTAX, p);
	return p + word.n;
}

/* false / null / true / number */
static const char *
parse_primitive(struct scan *s, struct json_tok *t, const char *p)
{
	switch (*p) {
	case 't':
		p = parse_word(s, p, SV("true"));
		break;
	case 'f':
		p = parse_word(s, p, SV("false"));
		break;
	case 'n':
		p = parse_word(s, p, SV("null"));
		break;
	default:
		p = parse_number(s, p);
		break;
	}
	if (p != NULL)
		end_token(s, t, p);
	return p;
}

/* string name-separator */
static const char *
parse_name(struct scan *s, const char *p)
{
	struct json_tok	*t;

	if ((p = next_byte(s, p)) == NULL)
		return NULL;
	if (*p != '"')
		return fail(s, JSON_SYNTAX, p);
	t = add_token(s, p);
	t->n = JSON_TOK_NAME;
	if ((p = parse_string(s, t, p)) == NULL ||
	    (p = next_byte(s, p)) == NULL)
		return NULL;
	return *p == ':' ? p + 1 : fail(s, JSON_SYNTAX, p);
}

static void
set_open(struct scan *s, uint32_t i)
{
	s->open = i;
	s->close = s->text[s->tok[i].start] == '{' ? '}' : ']';
}

/* begin-object / begin-array, up to what is behind it. */
static const char *
parse_open(struct scan *s, struct json_tok *t, const char *p)
{
	if (s->depth == JSON_MAX_DEPTH)
		return fail(s, JSON_DEPTH, p);
	s->depth++;
	t->next = s->open;
	set_open(s, (uint32_t)(t - s->tok));
	return next_byte(s, p + 1);
}

/* end-object / end-array, at p: the token that is complete now. */
static struct json_tok *
close_container(struct scan *s, const char *p)
{
	struct json_tok	*t = &s->tok[s->open];

	end_token(s, t, p + 1);
	set_open(s, t->next);
	t->next = 0;
	s->depth--;
	return t;
}

/* What follows the value of token t: the ends of containers, and then a
 * value-separator or the end of the document: depth is 0 then. */
static const char *
parse_after(struct scan *s, struct json_tok *t, const char *p)
{
	for (; s->depth > 0; p++) {
		if ((p = next_byte(s, p)) == NULL)
			return NULL;
		if (*p == ',') {
			t->next = (uint32_t)s->ntok + (s->close == '}');
			return p + 1;
		}
		if (*p != s->close)
			return fail(s, JSON_SYNTAX, p);
		t = close_container(s, p);
	}
	return p;
}

/* value = false / null / true / object / array / number / string; and what
 * follows it. Of an object or array that is not empty only its beginning. */
static const char *
parse_value(struct scan *s, const char *p)
{
	struct json_tok	*t;

	if ((p = next_byte(s, p)) == NULL || !has_room(s, p))
		return NULL;
	t = add_token(s, p);
	if (*p == '"') {
		p = parse_string(s, t, p);
	} else if (*p == '{' || *p == '[') {
		p = parse_open(s, t, p);
		if (p != NULL && *p != s->close)
			return p;
	} else {
		p = parse_primitive(s, t, p);
	}
	return p == NULL ? NULL : parse_after(s, t, p);
}

/* What stands before one more value of the container that is open. */
static const char *
parse_member(struct scan *s, const char *p)
{
	s->tok[s->open].n++;
	return s->close == '}' ? parse_name(s, p) : p;
}

/* Whether what stands before p may end there: `01' is no 0 with something
 * after it. */
static bool
is_delimited(const struct scan *s, const char *p)
{
	switch (p[-1]) {
	case '"': case ']': case '}':
		return true;
	default:
		return p == s->end || (*p != '\0' &&
		    strchr(" \t\r\n,]}", *p) != NULL);
	}
}

/* The value of the document, with all that is in it. */
static const char *
parse_document(struct scan *s, const char *p)
{
	do {
		if (s->depth > 0 && (p = parse_member(s, p)) == NULL)
			return NULL;
		p = parse_value(s, p);
	} while (p != NULL && s->depth > 0);
	return p;
}

/* JSON-text = ws value ws */
static const char *
parse_text(struct scan *s, unsigned flags)
{
	const char	*p = skip_space(s->text, s->end);

	if (p == s->end)
		return fail(s, JSON_EMPTY, p);
	if ((p = parse_document(s, p)) == NULL)
		return NULL;
	if (!is_delimited(s, p))
		return fail(s, JSON_SYNTAX, p);
	p = skip_space(p, s->end);
	if (p < s->end && (flags & JSON_STREAM) == 0)
		return fail(s, JSON_TRAILING, p);
	return p;
}

/* Begin with the array that j has, unless it is a long one. */
static void
reuse_tokens(struct scan *s, struct json *j)
{
	if (j->cap > KEEP_TOKENS) {
		free(j->tok);
		j->tok = NULL;
		j->cap = 0;
	}
	use_tokens(s);
}

int
json_parse(struct json *j, struct sv src, unsigned flags)
{
	struct scan	 s = { .j = j, .text = src.n > 0 ? src.p : "" };
	const char	*p;

	j->src = src;
	j->err = src.n > INT32_MAX ? JSON_TOOBIG : JSON_OK;
	j->ntok = j->errpos = j->used = 0;
	if (j->err != JSON_OK)
		return -1;
	s.end = s.text + src.n;
	reuse_tokens(&s, j);
	if ((p = parse_text(&s, flags)) == NULL)
		return -1;
	j->ntok = s.ntok;
	j->used = (size_t)(p - s.text);
	if ((flags & JSON_NODUP) != 0)
		j->err = json_unique_names(j);
	if (j->err == JSON_OK)
		return 0;
	j->ntok = 0;
	return -1;
}

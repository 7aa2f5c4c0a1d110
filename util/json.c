/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the JSON reader says of a document once it is parsed: see json.h. It
 * reads the tokens of json_tok.h and, as what they point to is known to be
 * JSON, looks at no more of the text than it must.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/json.h"
#include "util/json_tok.h"

static const struct jv	absent = { NULL, 0 };

static struct jv
jv_at(const struct json *j, size_t i)
{
	return (struct jv){ j, (uint32_t)i };
}

static const struct json_tok *
tok_of(struct jv v)
{
	return &v.j->tok[v.i];
}

static char
first_byte(struct jv v)
{
	return v.j->src.p[tok_of(v)->start];
}

static bool
is_container(struct jv v)
{
	return first_byte(v) == '{' || first_byte(v) == '[';
}

struct jv
json_root(const struct json *j)
{
	return j->ntok > 0 ? jv_at(j, 0) : absent;
}

enum json_type
jv_type(struct jv v)
{
	if (!jv_is(v))
		return JSON_NONE;
	switch (first_byte(v)) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

struct sv
jv_raw(struct jv v)
{
	const struct json_tok	*t;

	if (!jv_is(v))
		return (struct sv){ NULL, 0 };
	t = tok_of(v);
	return sv_make(v.j->src.p + t->start, t->end - t->start);
}

/* A string without its quotes, as it stands. */
static struct sv
inner(struct jv v)
{
	struct sv	raw = jv_raw(v);

	return sv_make(raw.p + 1, raw.n - 2);
}

size_t
jv_len(struct jv v)
{
	return jv_is(v) && is_container(v) ? tok_of(v)->n : 0;
}

struct jv
jv_first(struct jv v)
{
	if (jv_len(v) == 0)
		return absent;
	return jv_at(v.j, v.i + (first_byte(v) == '{' ? 2 : 1));
}

struct jv
jv_next(struct jv v)
{
	if (!jv_is(v) || tok_of(v)->next == 0)
		return absent;
	return jv_at(v.j, tok_of(v)->next);
}

struct jv
jv_key(struct jv v)
{
	if (!jv_is(v) || v.i == 0 ||
	    (tok_of(v)[-1].n & JSON_TOK_NAME) == 0)
		return absent;
	return jv_at(v.j, v.i - 1);
}

static size_t
put_utf8(char *out, unsigned cp)
{
	static const unsigned	lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t	n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;

	for (i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(lead[n] | cp);
	return n;
}

/* Decode the escape at the front of *s (valid: checked) and skip it. Gives
 * the bytes written, never more than the escape had. */
static size_t
unescape(char *out, struct sv *s)
{
	static const char	from[] = "bfnrt", to[] = "\b\f\n\r\t";
	int			cp;
	char			c = s->p[1];
	const char		*f;

	if (c != 'u') {
		f = strchr(from, c);
		*out = f == NULL ? c : to[f - from];
		*s = sv_skip(*s, 2);
		return 1;
	}
	cp = json_hex4(s->p + 2);
	*s = sv_skip(*s, 6);
	if (cp >= 0xd800 && cp <= 0xdfff) {
		cp = 0x10000 + ((cp & 0x3ff) << 10) +
		    (json_hex4(s->p + 2) & 0x3ff);
		*s = sv_skip(*s, 6);
	}
	return put_utf8(out, (unsigned)cp);
}

int
jv_str(struct jv v, struct buf *scratch, struct sv *out)
{
	struct sv	s;
	ptrdiff_t	i;
	char		*start, *p;

	*out = (struct sv){ NULL, 0 };
	if (jv_type(v) != JSON_STRING)
		return -1;
	s = inner(v);
	if ((tok_of(v)->n & JSON_TOK_ESCAPED) == 0) {
		*out = s;
		return 0;
	}
	if ((start = buf_reserve(scratch, s.n)) == NULL)
		return -1;
	for (p = start; (i = sv_chr(s, '\\')) != -1; p += unescape(p, &s)) {
		memcpy(p, s.p, (size_t)i);
		p += i;
		s = sv_skip(s, (size_t)i);
	}
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*out = sv_make(start, (size_t)(p - start) + s.n);
	buf_commit(scratch, out->n);
	return 0;
}

/* Whether a member's name is key, unescaping as it goes. */
static bool
name_is(struct jv v, struct sv key)
{
	struct sv	name = inner(v);
	char		tmp[4];
	size_t		n;

	if ((tok_of(v)->n & JSON_TOK_ESCAPED) == 0)
		return sv_eq(name, key);
	while (name.n > 0) {
		if (name.p[0] == '\\') {
			n = unescape(tmp, &name);
		} else {
			tmp[0] = name.p[0];
			name = sv_skip(name, 1);
			n = 1;
		}
		if (!sv_starts(key, sv_make(tmp, n)))
			return false;
		key = sv_skip(key, n);
	}
	return key.n == 0;
}

struct jv
jv_get(struct jv obj, const char *name)
{
	struct sv	key = sv_from(name);
	struct jv	v, found = absent;

	if (jv_type(obj) != JSON_OBJECT)
		return absent;
	for (v = jv_first(obj); jv_is(v); v = jv_next(v))
		if (name_is(jv_at(v.j, v.i - 1), key))
			found = v;
	return found;
}

int
jv_i64(struct jv v, int64_t *out)
{
	*out = 0;
	if (jv_type(v) != JSON_NUMBER)
		return -1;
	return sv_i64(jv_raw(v), out);
}

int
jv_u64(struct jv v, uint64_t *out)
{
	*out = 0;
	if (jv_type(v) != JSON_NUMBER)
		return -1;
	return sv_u64(jv_raw(v), out);
}

int
jv_double(struct jv v, double *out)
{
	char	*copy;

	*out = 0;
	if (jv_type(v) != JSON_NUMBER || (copy = sv_dup(jv_raw(v))) == NULL)
		return -1;
	*out = strtod(copy, NULL);
	free(copy);
	if (isfinite(*out))
		return 0;
	*out = 0;
	return -1;
}

int
jv_bool(struct jv v, bool *out)
{
	*out = false;
	if (jv_type(v) != JSON_BOOL)
		return -1;
	*out = first_byte(v) == 't';
	return 0;
}

/* Open addressing; a slot with hash and token index + 1, 0 if free. */
struct name_slot {
	uint64_t	hash;
	uint32_t	tok;
};

static int
names_equal(struct jv a, struct jv b, bool *equal)
{
	struct buf	ba = BUF_INIT, bb = BUF_INIT;
	struct sv	sa, sb;
	int		rc = -1;

	*equal = false;
	if (jv_str(a, &ba, &sa) == 0 && jv_str(b, &bb, &sb) == 0) {
		*equal = sv_eq(sa, sb);
		rc = 0;
	}
	buf_fini(&ba);
	buf_fini(&bb);
	return rc;
}

/* Put a name into the table: JSON_OK, or why the document is refused. */
static enum json_err
add_name(struct name_slot *slot, size_t mask, struct jv name,
    struct buf *scratch)
{
	struct sv	s;
	uint64_t	hash;
	size_t		i;
	bool		equal;

	buf_reset(scratch);
	if (jv_str(name, scratch, &s) == -1)
		return JSON_NOMEM;
	hash = hash_sv(s);
	for (i = hash & mask; slot[i].tok != 0; i = (i + 1) & mask) {
		if (slot[i].hash != hash)
			continue;
		if (names_equal(name, jv_at(name.j, slot[i].tok - 1),
		    &equal) == -1)
			return JSON_NOMEM;
		if (equal)
			return JSON_DUPKEY;
	}
	slot[i].hash = hash;
	slot[i].tok = name.i + 1;
	return JSON_OK;
}

static enum json_err
check_names(struct json *j, struct jv obj)
{
	struct buf		 scratch = BUF_INIT;
	struct name_slot	*slot;
	struct jv		 v;
	size_t			 size = 4;
	enum json_err		 e = JSON_OK;

	while (size < jv_len(obj) * 2)
		size *= 2;
	if ((slot = calloc(size, sizeof(*slot))) == NULL)
		return JSON_NOMEM;
	for (v = jv_first(obj); jv_is(v) && e == JSON_OK; v = jv_next(v)) {
		e = add_name(slot, size - 1, jv_key(v), &scratch);
		j->errpos = tok_of(jv_key(v))->start;
	}
	buf_fini(&scratch);
	free(slot);
	return e;
}

enum json_err
json_unique_names(struct json *j)
{
	enum json_err	e;
	size_t		i;

	for (i = 0; i < j->ntok; i++) {
		struct jv	v = jv_at(j, i);

		if (first_byte(v) == '{' && jv_len(v) > 1 &&
		    (e = check_names(j, v)) != JSON_OK)
			return e;
	}
	j->errpos = 0;
	return JSON_OK;
}

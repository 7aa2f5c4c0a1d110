/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON reader: see json.h. Three passes, none recursive, each linear in
 * the text: json_check.c validates the whole grammar and finds where the
 * document ends; jsmn makes tokens of what is then known to be JSON; and
 * link_tokens notes where each value's subtree ends, so that iteration
 * jumps over it.
 *
 * How jsmn lays out its tokens: in order of their start; a member's name is
 * a string token of size 1 and its value the next token; other strings have
 * size 0; a container's size counts its members. Of a string, start and end
 * leave the quotes out.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "util/hash.h"
#include "util/json.h"
#include "util/json_check.h"

/* A token array longer than this is not kept for the next document. */
#define KEEP_TOKENS	4096
#define MIN_TOKENS	64

struct json_tok {
	jsmntok_t	t;	/* parent: after link_tokens, the next token
				 * outside this value */
};

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

static int
reserve_tokens(struct json *j, size_t n)
{
	struct json_tok	*p;

	if (j->cap > KEEP_TOKENS && n <= KEEP_TOKENS) {
		free(j->tok);
		j->tok = NULL;
		j->cap = 0;
	}
	if (n <= j->cap)
		return 0;
	if (n < MIN_TOKENS)
		n = MIN_TOKENS;
	if ((p = reallocarray(j->tok, n, sizeof(*p))) == NULL)
		return -1;
	j->tok = p;
	j->cap = n;
	return 0;
}

static bool
is_container(const jsmntok_t *t)
{
	return t->type == JSMN_OBJECT || t->type == JSMN_ARRAY;
}

static void
link_tokens(struct json *j)
{
	jsmntok_t	*open[JSON_MAX_DEPTH];
	size_t		 depth = 0, i;

	for (i = 0; i < j->ntok; i++) {
		jsmntok_t	*t = &j->tok[i].t;

		while (depth > 0 && open[depth - 1]->end <= t->start)
			open[--depth]->parent = (int)i;
		t->parent = (int)i + 1;
		if (is_container(t) && t->size > 0)
			open[depth++] = t;
	}
	while (depth > 0)
		open[--depth]->parent = (int)j->ntok;
}

static struct jv
jv_at(const struct json *j, size_t i)
{
	return (struct jv){ j, (uint32_t)i };
}

static const jsmntok_t *
tok_of(struct jv v)
{
	return &v.j->tok[v.i].t;
}

/* A token's text, a string's without its quotes. */
static struct sv
inner(struct jv v)
{
	const jsmntok_t	*t = tok_of(v);

	return sv_make(v.j->src.p + t->start, (size_t)(t->end - t->start));
}

static bool
is_name(struct jv v)
{
	const jsmntok_t	*t = tok_of(v);

	return t->type == JSMN_STRING && t->size == 1;
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
		j->errpos = (size_t)tok_of(jv_key(v))->start - 1;
	}
	buf_fini(&scratch);
	free(slot);
	return e;
}

/* No object of the document has a name twice. */
static enum json_err
check_all_names(struct json *j)
{
	enum json_err	e;
	size_t		i;

	for (i = 0; i < j->ntok; i++) {
		const jsmntok_t	*t = &j->tok[i].t;

		if (t->type == JSMN_OBJECT && t->size > 1 &&
		    (e = check_names(j, jv_at(j, i))) != JSON_OK)
			return e;
	}
	j->errpos = 0;
	return JSON_OK;
}

static enum json_err
tokenize(struct json *j, size_t end, size_t ntok)
{
	jsmn_parser	jp;

	if (reserve_tokens(j, ntok) == -1)
		return JSON_NOMEM;
	jsmn_init(&jp);
	if (jsmn_parse(&jp, j->src.p, end, &j->tok->t,
	    (unsigned)ntok) != (int)ntok)
		return JSON_SYNTAX;
	j->ntok = ntok;
	link_tokens(j);
	return JSON_OK;
}

int
json_parse(struct json *j, struct sv s, unsigned flags)
{
	struct json_check	c;

	j->src = s;
	j->ntok = j->errpos = j->used = 0;
	j->err = json_check(&c, s, j->max_tokens, flags);
	j->errpos = c.errpos;
	if (j->err == JSON_OK)
		j->err = tokenize(j, c.end, c.ntok);
	if (j->err == JSON_OK && (flags & JSON_NODUP) != 0)
		j->err = check_all_names(j);
	if (j->err != JSON_OK)
		j->ntok = 0;
	j->used = c.used;
	return j->err == JSON_OK ? 0 : -1;
}

struct jv
json_root(const struct json *j)
{
	return j->ntok > 0 ? jv_at(j, 0) : jv_at(NULL, 0);
}

enum json_type
jv_type(struct jv v)
{
	if (!jv_is(v))
		return JSON_NONE;
	switch (tok_of(v)->type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	default:
		break;
	}
	switch (inner(v).p[0]) {
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
	struct sv	s = { NULL, 0 };

	if (!jv_is(v))
		return s;
	s = inner(v);
	if (tok_of(v)->type == JSMN_STRING) {
		s.p--;
		s.n += 2;
	}
	return s;
}

size_t
jv_len(struct jv v)
{
	if (!jv_is(v) || !is_container(tok_of(v)))
		return 0;
	return (size_t)tok_of(v)->size;
}

struct jv
jv_first(struct jv v)
{
	if (jv_len(v) == 0)
		return jv_at(NULL, 0);
	return jv_at(v.j, v.i + (tok_of(v)->type == JSMN_OBJECT ? 2 : 1));
}

/* There is a sibling if a comma follows in the text, which is valid. */
struct jv
jv_next(struct jv v)
{
	struct sv	raw;
	const char	*p;

	if (!jv_is(v) || v.i == 0)
		return jv_at(NULL, 0);
	raw = jv_raw(v);
	for (p = raw.p + raw.n; *p != ','; p++)
		if (*p == ']' || *p == '}')
			return jv_at(NULL, 0);
	v.i = (uint32_t)tok_of(v)->parent;
	if (is_name(v))
		v.i++;
	return v;
}

struct jv
jv_key(struct jv v)
{
	if (!jv_is(v) || v.i == 0 || !is_name(jv_at(v.j, v.i - 1)))
		return jv_at(NULL, 0);
	return jv_at(v.j, v.i - 1);
}

static unsigned
hex4(const char *p)
{
	unsigned	u = 0, c;
	int		i;

	for (i = 0; i < 4; i++) {
		c = (unsigned char)p[i];
		u = u << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return u;
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
	unsigned		cp;
	char			c = s->p[1];
	const char		*f;

	if (c != 'u') {
		f = strchr(from, c);
		*out = f == NULL ? c : to[f - from];
		*s = sv_skip(*s, 2);
		return 1;
	}
	cp = hex4(s->p + 2);
	*s = sv_skip(*s, 6);
	if (cp >= 0xd800 && cp <= 0xdfff) {
		cp = 0x10000 + ((cp & 0x3ff) << 10) + (hex4(s->p + 2) & 0x3ff);
		*s = sv_skip(*s, 6);
	}
	return put_utf8(out, cp);
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
	if (sv_chr(s, '\\') == -1) {
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

/* Whether a name is key, unescaping as it goes. */
static bool
name_is(struct sv name, struct sv key)
{
	char	tmp[4];
	size_t	n;

	if (sv_chr(name, '\\') == -1)
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
	struct jv	v, found = { NULL, 0 };

	if (jv_type(obj) != JSON_OBJECT)
		return found;
	for (v = jv_first(obj); jv_is(v); v = jv_next(v))
		if (name_is(inner(jv_key(v)), key))
			found = v;
	return found;
}

int
jv_i64(struct jv v, int64_t *out)
{
	*out = 0;
	if (jv_type(v) != JSON_NUMBER)
		return -1;
	return sv_i64(inner(v), out);
}

int
jv_u64(struct jv v, uint64_t *out)
{
	*out = 0;
	if (jv_type(v) != JSON_NUMBER)
		return -1;
	return sv_u64(inner(v), out);
}

int
jv_double(struct jv v, double *out)
{
	char	*copy;

	*out = 0;
	if (jv_type(v) != JSON_NUMBER || (copy = sv_dup(inner(v))) == NULL)
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
	*out = inner(v).p[0] == 't';
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Reading values of options: durations, booleans, numbers, lists and maps,
 * in the notation of variables and flags and in JSON. As Centrifugo's
 * loader does, JSON may give a number or a boolean as a string, a string as
 * a number, and a list of one as its element.
 */
#include <errno.h>
#include <stdlib.h>

#include "conf/load.h"

#define NS_PER_MS	1000000

static const struct unit {
	struct sv	name;
	uint64_t	ns;
} units[] = {
	{ { "ns", 2 }, 1 },
	{ { "us", 2 }, 1000 },
	{ { "\xc2\xb5s", 3 }, 1000 },	/* micro sign */
	{ { "\xce\xbcs", 3 }, 1000 },	/* mu */
	{ { "ms", 2 }, NS_PER_MS },
	{ { "s", 1 }, 1000000000 },
	{ { "m", 1 }, 60000000000 },
	{ { "h", 1 }, 3600000000000 },
};
#define NUNITS	(sizeof(units) / sizeof(units[0]))

static const char *const expected[] = {
	[CONF_BOOL] = "true or false",
	[CONF_INT] = "a whole number",
	[CONF_PORT] = "a port number",
	[CONF_DUR] = "a duration such as 25s or 1h30m",
	[CONF_STR] = "a string",
	[CONF_PEM] = "PEM text, base 64 of it, or a file name",
	[CONF_LIST] = "a list of strings",
	[CONF_MAP] = "an object of strings, or a list of {key, value}",
	[CONF_GROUP] = "an object",
	[CONF_ITEMS] = "a list of objects",
};
_Static_assert(sizeof(expected) / sizeof(expected[0]) == CONF_ITEMS + 1,
    "every type has its description");

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Nanoseconds of one "1.5h", taken off the front of *s. */
static int
duration_part(struct sv *s, uint64_t *ns)
{
	uint64_t whole = 0, frac = 0, scale = 1;
	size_t i = 0, digits = 0, u, n = 0;

	for (; i < s->n && is_digit(s->p[i]); i++, digits++) {
		if (whole > INT64_MAX / 10 - 1)
			return -1;
		whole = whole * 10 + (uint64_t)(s->p[i] - '0');
	}
	if (i < s->n && s->p[i] == '.')
		for (i++; i < s->n && is_digit(s->p[i]); i++, digits++)
			if (scale < 100000000000000) {
				frac = frac * 10 + (uint64_t)(s->p[i] - '0');
				scale *= 10;
			}
	if (digits == 0)
		return -1;
	*s = sv_skip(*s, i);
	while (n < s->n && s->p[n] != '.' && !is_digit(s->p[n]))
		n++;
	for (u = 0; u < NUNITS; u++)
		if (sv_eq(sv_make(s->p, n), units[u].name))
			break;
	if (u == NUNITS || whole > INT64_MAX / units[u].ns)
		return -1;
	*s = sv_skip(*s, n);
	/* Exact enough: the rest of a division is less than 1 ns. */
	*ns = whole * units[u].ns +
	    (uint64_t)((double)frac / (double)scale * (double)units[u].ns);
	return 0;
}

static int64_t
ns_to_ms(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	if (ns % NS_PER_MS != 0)
		ms += ns < 0 ? -1 : 1;
	return ms;
}

/* see load.h */
int
conf_parse_duration(struct sv s, int64_t *ms)
{
	uint64_t part, sum = 0;
	bool minus = false;

	*ms = 0;
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		minus = s.p[0] == '-';
		s = sv_skip(s, 1);
	}
	if (sv_eq(s, SV("0")))
		return 0;
	if (s.n == 0)
		return -1;
	while (s.n > 0) {
		if (duration_part(&s, &part) == -1 ||
		    part > INT64_MAX - sum)
			return -1;
		sum += part;
	}
	*ms = ns_to_ms(minus ? -(int64_t)sum : (int64_t)sum);
	return 0;
}

/* see load.h */
int
conf_parse_bool(struct sv s, bool *out)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "0", "1" }, { "f", "t" },
		{ "no", "yes" }, { "off", "on" }, { "n", "y" },
	};
	size_t i;
	int b;

	*out = false;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (b = 0; b < 2; b++)
			if (sv_ieq(s, sv_from(words[i][b]))) {
				*out = b == 1;
				return 0;
			}
	return -1;
}

/* see load.h */
int
conf_parse_int(struct sv s, int64_t *out)
{
	char text[32], *end;
	size_t sign;
	long long n;

	*out = 0;
	sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
	if (s.n <= sign || s.n >= sizeof(text) || !is_digit(s.p[sign]))
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	errno = 0;
	n = strtoll(text, &end, 0);
	if (errno != 0 || end != text + s.n)
		return -1;
	*out = n;
	return 0;
}

/* see load.h */
void
conf_put_duration(struct buf *b, int64_t ms)
{
	static const struct { int64_t ms; const char *unit; } parts[] = {
		{ 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" },
	};
	size_t i;

	if (ms == 0)
		buf_puts(b, "0s");
	if (ms < 0) {
		buf_putc(b, '-');
		ms = -ms;
	}
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (ms >= parts[i].ms) {
			buf_puti64(b, ms / parts[i].ms);
			buf_puts(b, parts[i].unit);
		}
		ms %= parts[i].ms;
	}
}

/* Say what was expected, and what came unless that is a secret. */
static int
bad_value(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, struct sv got)
{
	const char *what = expected[o->type];

	if (o->flags & OF_SECRET)
		conf_say(l->errs, CONF_BAD, at, key, "expected %s", what);
	else
		conf_say(l->errs, CONF_BAD, at, key, "expected %s, got %.*s%s",
		    what, got.n > 60 ? 60 : SV_ARG(got),
		    got.n > 60 ? "..." : "");
	return -1;
}

static int
no_memory(struct conf_load *l)
{
	conf_say(l->errs, CONF_NOMEM, (struct conf_at){ 0 }, "", "memory");
	return -1;
}

static int
take_string(struct conf_load *l, struct sv s, const char **out)
{
	*out = conf_strdup(l->mem, s);
	return *out == NULL ? no_memory(l) : 0;
}

/* Words separated by spaces. */
static int
text_list(struct conf_load *l, struct sv s, struct conf_list *out)
{
	struct sv word;

	out->v = conf_alloc(l->mem, (s.n / 2 + 1) * sizeof(out->v[0]));
	if (out->v == NULL)
		return no_memory(l);
	while (s.p != NULL) {
		word = sv_cut(&s, ' ');
		if (word.n == 0)
			continue;
		if (take_string(l, word, &out->v[out->n]) == -1)
			return -1;
		out->n++;
	}
	return 0;
}

static int
text_map(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, const char *text, struct conf_value *out)
{
	struct json j;
	int ret;

	json_init(&j);
	at.text = sv_from(text);
	if (json_parse(&j, at.text, 0) == 0) {
		ret = conf_value_json(l, at, key, o, json_root(&j), out);
	} else {
		at.p = text + j.errpos;
		conf_say(l->errs, CONF_BAD, at, key, "%s",
		    json_strerror(j.err));
		ret = -1;
	}
	json_fini(&j);
	return ret;
}

/* The scalar types; 1: o is of another type. */
static int
text_scalar(const struct conf_opt *o, struct sv s, struct conf_value *out)
{
	switch (o->type) {
	case CONF_BOOL:
		return conf_parse_bool(s, &out->b);
	case CONF_PORT:
		if (s.n == 0)
			return 0;
		return conf_parse_int(s, &out->i);
	case CONF_INT:
		return conf_parse_int(s, &out->i);
	case CONF_DUR:
		return conf_parse_duration(s, &out->i);
	default:
		return 1;
	}
}

/* see load.h */
int
conf_value_text(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, const char *text, struct conf_value *out)
{
	struct sv s = sv_from(text);
	int ret;

	*out = (struct conf_value){ .s = "" };
	if (o->type == CONF_LIST)
		return text_list(l, s, &out->list);
	if (o->type == CONF_MAP)
		return s.n == 0 ? 0 : text_map(l, at, key, o, text, out);
	ret = text_scalar(o, s, out);
	if (ret == 1)
		return take_string(l, s, &out->s);
	return ret == -1 ? bad_value(l, at, key, o, s) : 0;
}

/* A JSON string copied; -1 without a finding if v is none. */
static int
json_string(struct conf_load *l, struct jv v, const char **out)
{
	struct buf scratch = BUF_INIT;
	struct sv s;
	int ret = -1;

	*out = "";
	if (jv_str(v, &scratch, &s) == 0) {
		/* A string with a NUL is none of ours. */
		if (s.n == 0 || memchr(s.p, '\0', s.n) == NULL)
			ret = take_string(l, s, out);
	} else if (scratch.failed) {
		ret = no_memory(l);
	}
	buf_wipe(&scratch);
	return ret;
}

static int
json_list(struct conf_load *l, struct jv v, struct conf_list *out)
{
	size_t n = jv_type(v) == JSON_ARRAY ? jv_len(v) : 1;

	out->v = conf_alloc(l->mem, n * sizeof(out->v[0]));
	if (out->v == NULL)
		return no_memory(l);
	if (jv_type(v) == JSON_STRING) {
		if (json_string(l, v, &out->v[0]) == -1)
			return -1;
		out->n = *out->v[0] != '\0';
		return 0;
	}
	if (jv_type(v) != JSON_ARRAY)
		return -1;
	for (v = jv_first(v); jv_is(v); v = jv_next(v))
		if (json_string(l, v, &out->v[out->n++]) == -1)
			return -1;
	return 0;
}

/* Replace ${CENTRIFUGO_VAR_X} and ${FUGU_VAR_X} in *s. */
static int
expand(struct conf_load *l, struct conf_at at, const char *key,
    const char **s)
{
	struct buf b = BUF_INIT;
	const char *p = *s, *open, *end, *name, *value;
	int ret = 0;

	while ((open = strstr(p, "${")) != NULL &&
	    (end = strchr(open, '}')) != NULL) {
		buf_put(&b, p, (size_t)(open - p));
		name = conf_strdup(l->mem, sv_make(open + 2,
		    (size_t)(end - open - 2)));
		if (name == NULL) {
			ret = no_memory(l);
			break;
		}
		p = end + 1;
		if (strncmp(name, "CENTRIFUGO_VAR_", 15) != 0 &&
		    strncmp(name, "FUGU_VAR_", 9) != 0) {
			buf_put(&b, open, (size_t)(p - open));
			continue;
		}
		value = conf_var_get(l, name);
		if (value == NULL) {
			conf_say(l->errs, CONF_BAD, at, key,
			    "variable %s is not set", name);
			ret = -1;
		} else
			buf_puts(&b, value);
	}
	buf_puts(&b, p);
	if (b.failed)
		ret = no_memory(l);
	else if (ret == 0)
		ret = take_string(l, buf_sv(&b), s);
	buf_wipe(&b);
	return ret;
}

/* One pair: a member of an object, or a {key, value} of a list. */
static int
json_pair(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, struct jv k, struct jv v, struct conf_map *out)
{
	struct conf_pair *pair = &out->v[out->n];
	size_t i;

	if (json_string(l, k, &pair->key) == -1 ||
	    json_string(l, v, &pair->value) == -1)
		return bad_value(l, at, key, o, jv_raw(v));
	for (i = 0; i < out->n; i++)
		if (strcmp(out->v[i].key, pair->key) == 0) {
			conf_say(l->errs, CONF_BAD, at, key,
			    "%s stands twice", pair->key);
			return -1;
		}
	out->n++;
	return expand(l, at, key, &pair->value);
}

static int
json_map(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, struct jv map, struct conf_map *out)
{
	enum json_type type = jv_type(map);
	struct jv v, k;

	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return bad_value(l, at, key, o, jv_raw(map));
	out->v = conf_alloc(l->mem, jv_len(map) * sizeof(out->v[0]));
	if (out->v == NULL)
		return no_memory(l);
	for (v = jv_first(map); jv_is(v); v = jv_next(v)) {
		struct jv value = v;

		at.p = at.text.p == NULL ? NULL : jv_raw(v).p;
		if (type == JSON_OBJECT) {
			k = jv_key(v);
		} else {
			k = jv_get(v, "key");
			value = jv_get(v, "value");
		}
		if (json_pair(l, at, key, o, k, value, out) == -1)
			return -1;
	}
	return 0;
}

static int
json_scalar(struct conf_load *l, const struct conf_opt *o, struct jv v,
    struct conf_value *out)
{
	const char *s;
	int64_t ns;

	if (jv_type(v) == JSON_STRING) {
		if (json_string(l, v, &s) == -1)
			return -1;
		/* "" is zero, and so stands for the default. */
		return *s == '\0' ? 0 : text_scalar(o, sv_from(s), out);
	}
	switch (o->type) {
	case CONF_BOOL:
		if (jv_type(v) == JSON_NUMBER)
			return conf_parse_bool(jv_raw(v), &out->b);
		return jv_bool(v, &out->b);
	case CONF_DUR:
		if (jv_i64(v, &ns) == -1)
			return -1;
		out->i = ns_to_ms(ns);
		return 0;
	default:
		return jv_i64(v, &out->i);
	}
}

/* see load.h */
int
conf_value_json(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, struct jv v, struct conf_value *out)
{
	int ret;

	*out = (struct conf_value){ .s = "" };
	switch (o->type) {
	case CONF_MAP:
		return json_map(l, at, key, o, v, &out->map);
	case CONF_LIST:
		ret = json_list(l, v, &out->list);
		break;
	case CONF_STR:
	case CONF_PEM:
		if (jv_type(v) == JSON_NUMBER && !(o->flags & OF_TEXT))
			return take_string(l, jv_raw(v), &out->s);
		ret = json_string(l, v, &out->s);
		break;
	default:
		ret = json_scalar(l, o, v, out);
	}
	if (ret == -1 && !l->errs->nomem)
		return bad_value(l, at, key, o, jv_raw(v));
	return ret;
}

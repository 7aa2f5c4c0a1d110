/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Values of options once they are read: comparing, writing, checking
 * against the table, and keeping. See load.h.
 */
#include "conf/load.h"

/* see load.h */
bool
conf_value_is_zero(const struct conf_opt *o, const struct conf_value *v)
{
	switch (o->type) {
	case CONF_BOOL:
		return !v->b;
	case CONF_STR:
	case CONF_PEM:
		return *v->s == '\0';
	case CONF_LIST:
		return v->list.n == 0;
	case CONF_MAP:
		return v->map.n == 0;
	default:
		return v->i == 0;
	}
}

static bool
list_eq(struct conf_list a, struct conf_list b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (strcmp(a.v[i], b.v[i]) != 0)
			return false;
	return true;
}

static bool
map_eq(struct conf_map a, struct conf_map b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (strcmp(a.v[i].key, b.v[i].key) != 0 ||
		    strcmp(a.v[i].value, b.v[i].value) != 0)
			return false;
	return true;
}

/* see load.h */
bool
conf_value_eq(const struct conf_opt *o, const struct conf_value *a,
    const struct conf_value *b)
{
	switch (o->type) {
	case CONF_BOOL:
		return a->b == b->b;
	case CONF_STR:
	case CONF_PEM:
		return strcmp(a->s, b->s) == 0;
	case CONF_LIST:
		return list_eq(a->list, b->list);
	case CONF_MAP:
		return map_eq(a->map, b->map);
	default:
		return a->i == b->i;
	}
}

static int
default_value(struct conf_load *l, const struct conf_opt *o,
    struct conf_value *out)
{
	const char *def = conf_default(o);

	if (*def == '\0') {
		*out = (struct conf_value){ .s = "" };
		return 0;
	}
	return conf_value_text(l, (struct conf_at){ 0 }, o->name, o, def,
	    out);
}

/* see load.h */
bool
conf_value_is_default(struct conf_load *l, const struct conf_opt *o,
    const struct conf_value *v)
{
	struct conf_value def;

	return default_value(l, o, &def) == 0 && conf_value_eq(o, v, &def);
}

/* see load.h */
struct conf_value
conf_value_of(const struct conf_opt *o, const void *slot)
{
	struct conf_value v = { .s = "" };

	switch (o->type) {
	case CONF_BOOL:
		v.b = *(const bool *)slot;
		break;
	case CONF_STR:
	case CONF_PEM:
		v.s = *(const char *const *)slot;
		break;
	case CONF_LIST:
		v.list = *(const struct conf_list *)slot;
		break;
	case CONF_MAP:
		v.map = *(const struct conf_map *)slot;
		break;
	default:
		v.i = *(const int64_t *)slot;
	}
	return v;
}

static void
store(const struct conf_opt *o, void *slot, const struct conf_value *v)
{
	switch (o->type) {
	case CONF_BOOL:
		*(bool *)slot = v->b;
		break;
	case CONF_STR:
	case CONF_PEM:
		*(const char **)slot = v->s;
		break;
	case CONF_LIST:
		*(struct conf_list *)slot = v->list;
		break;
	case CONF_MAP:
		*(struct conf_map *)slot = v->map;
		break;
	default:
		*(int64_t *)slot = v->i;
	}
}

/* see load.h */
void
conf_put_number(struct buf *b, const struct conf_opt *o, int64_t n)
{
	if (o->type == CONF_DUR)
		conf_put_duration(b, n);
	else
		buf_puti64(b, n);
}

/* see load.h */
void
conf_put_value(struct buf *b, const struct conf_opt *o,
    const struct conf_value *v)
{
	size_t i;

	switch (o->type) {
	case CONF_BOOL:
		buf_puts(b, v->b ? "true" : "false");
		break;
	case CONF_STR:
	case CONF_PEM:
		buf_puts(b, v->s);
		break;
	case CONF_LIST:
		for (i = 0; i < v->list.n; i++) {
			if (i > 0)
				buf_putc(b, ' ');
			buf_puts(b, v->list.v[i]);
		}
		break;
	case CONF_PORT:
		if (v->i == 0)
			break;
		/* FALLTHROUGH */
	default:
		conf_put_number(b, o, v->i);
	}
}

static bool
is_choice(const char *choices, const char *s)
{
	struct sv rest = sv_from(choices);

	while (rest.p != NULL)
		if (sv_eq(sv_cut(&rest, ' '), sv_from(s)))
			return true;
	return false;
}

/* An empty string is no choice, but stands for having made none. */
static bool
is_chosen(const struct conf_opt *o, const struct conf_value *v)
{
	size_t i;

	if (o->type == CONF_STR)
		return *v->s == '\0' || is_choice(o->choices, v->s);
	for (i = 0; i < v->list.n; i++)
		if (!is_choice(o->choices, v->list.v[i]))
			return false;
	return true;
}

/* Ranges and choices. 0, or -1 after a finding. */
static int
check_value(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, const struct conf_value *v)
{
	bool number = o->type == CONF_INT || o->type == CONF_PORT ||
	    o->type == CONF_DUR;
	struct conf_range r = conf_range(o);
	struct buf b = BUF_INIT;
	int ret = -1;

	if (number && (o->flags & OF_STORED) &&
	    (v->i < r.min || v->i > r.max)) {
		buf_puts(&b, "must be from ");
		conf_put_number(&b, o, r.min);
		if (r.max != INT64_MAX) {
			buf_puts(&b, " to ");
			conf_put_number(&b, o, r.max);
		} else
			buf_puts(&b, " up");
		conf_say(l->errs, CONF_BAD, at, key, "%.*s",
		    SV_ARG(buf_sv(&b)));
	} else if (conf_choices(o) != NULL && !is_chosen(o, v)) {
		conf_say(l->errs, CONF_BAD, at, key, "must be one of: %s",
		    o->choices);
	} else if ((o->flags & OF_FULL) && *v->s == '\0') {
		conf_say(l->errs, CONF_BAD, at, key, "must not be empty");
	} else
		ret = 0;
	buf_fini(&b);
	return ret;
}

/* see load.h */
void
conf_set(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, void *slot, const struct conf_value *v)
{
	if (check_value(l, at, key, o, v) == -1)
		return;
	if (slot != NULL)
		store(o, slot, v);
	else if (!(o->flags & OF_NOP) && !conf_value_is_default(l, o, v))
		conf_say(l->errs, CONF_BAD, at, key, "not supported yet");
}

/* see load.h */
int
conf_set_defaults(struct conf_load *l, const struct conf_opt *group,
    void *base)
{
	struct conf_rows rows = conf_rows(group);
	const struct conf_opt *o;
	struct conf_value v;
	void *slot;

	while ((o = conf_rows_next(&rows)) != NULL) {
		slot = conf_slot(o, base);
		if (slot == NULL || o->type == CONF_ITEMS)
			continue;
		if (o->type == CONF_GROUP || o->type == CONF_SQUASH) {
			if (conf_set_defaults(l, o, slot) == -1)
				return -1;
			continue;
		}
		if (default_value(l, o, &v) == -1)
			return -1;
		store(o, slot, &v);
	}
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Moving about in the table of options: dotted names, visiting, finding,
 * and the nearest name to one that does not exist. See table.h.
 */
#include <stdio.h>

#include "conf/table.h"

/* Longest text whose distance to a name is computed. */
#define NEAR_MAX	80

/* see table.h */
void
conf_path_add(struct conf_path *p, struct sv s)
{
	if (s.n >= sizeof(p->s) - p->n)
		s.n = sizeof(p->s) - p->n - 1;
	if (s.n > 0)
		memcpy(p->s + p->n, s.p, s.n);
	p->n += s.n;
	p->s[p->n] = '\0';
}

/* see table.h */
size_t
conf_path_push(struct conf_path *p, struct sv name)
{
	size_t was = p->n;

	if (was > 0)
		conf_path_add(p, SV("."));
	conf_path_add(p, name);
	return was;
}

/* see table.h */
size_t
conf_path_index(struct conf_path *p, size_t i)
{
	size_t was = p->n;
	char s[32];

	snprintf(s, sizeof(s), "[%zu]", i);
	conf_path_add(p, sv_from(s));
	return was;
}

/* see table.h */
void
conf_path_pop(struct conf_path *p, size_t n)
{
	p->n = n;
	p->s[n] = '\0';
}

/* see table.h */
void
conf_visit(struct conf_visitor *v, const struct conf_opt *group,
    const void *base)
{
	struct conf_rows rows = conf_rows(group);
	const struct conf_opt *o;
	size_t was;
	void *slot;

	while ((o = conf_rows_next(&rows)) != NULL) {
		slot = conf_slot(o, base);
		if (o->type == CONF_SQUASH) {
			conf_visit(v, o, slot);
			continue;
		}
		was = conf_path_push(&v->path, sv_from(o->name));
		if (v->visit(v, o, slot) && o->type == CONF_GROUP)
			conf_visit(v, o, slot);
		conf_path_pop(&v->path, was);
	}
}

/* see table.h */
bool
conf_find(const struct conf_opt *group, struct sv name, const void *base,
    struct conf_opt *found, void **slot)
{
	struct conf_rows rows = conf_rows(group);
	const struct conf_opt *o;

	while ((o = conf_rows_next(&rows)) != NULL) {
		*slot = conf_slot(o, base);
		if (o->type == CONF_SQUASH) {
			if (conf_find(o, name, *slot, found, slot))
				return true;
		} else if (sv_ieq(sv_from(o->name), name)) {
			*found = *o;
			return true;
		}
	}
	*slot = NULL;
	return false;
}

/* see table.h */
bool
conf_find_dotted(struct sv name, const struct conf *c, struct conf_opt *o,
    void **slot, struct conf_path *canon)
{
	struct conf_opt group = conf_root;
	const void *base = c;

	conf_path_pop(canon, 0);
	*slot = NULL;
	do {
		if (group.type != CONF_GROUP ||
		    !conf_find(&group, sv_cut(&name, '.'), base, o, slot))
			return false;
		conf_path_push(canon, sv_from(o->name));
		group = *o;
		base = *slot;
	} while (name.p != NULL);
	return true;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edit distance (insert, delete, replace) without regard to case; SIZE_MAX
 * if the lengths alone make it more than limit. */
static size_t
distance(struct sv a, struct sv b, size_t limit)
{
	size_t row[NEAR_MAX + 1], i, j, diag, up;

	if (a.n > NEAR_MAX || b.n > NEAR_MAX || a.n > b.n + limit ||
	    b.n > a.n + limit)
		return SIZE_MAX;
	for (j = 0; j <= b.n; j++)
		row[j] = j;
	for (i = 1; i <= a.n; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= b.n; j++) {
			up = row[j];
			row[j] = min3(up + 1, row[j - 1] + 1,
			    diag + (lower(a.p[i - 1]) != lower(b.p[j - 1])));
			diag = up;
		}
	}
	return row[b.n];
}

/* The part after the last dot. */
static struct sv
last_part(struct sv s)
{
	size_t i;

	for (i = s.n; i > 0; i--)
		if (s.p[i - 1] == '.')
			return sv_skip(s, i);
	return s;
}

struct near {
	struct conf_visitor	 v;
	struct sv		 wrong;
	size_t			 best;
	struct conf_path	*out;
};

/*
 * Names are near as a whole, or in their last part, as when an option is
 * given in the wrong group. The latter counts as one error more. How many
 * errors are likely depends on the last part alone: the others were right,
 * or they would be what is unknown.
 */
static bool
near_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct near *near = (struct near *)v;
	struct sv name = { v->path.s, v->path.n };
	struct sv last = last_part(near->wrong);
	size_t d, part, limit = 1 + last.n / 3;

	(void)slot;
	d = distance(near->wrong, name, limit);
	if (o->type != CONF_GROUP && d > 1 && last.n > 4) {
		part = distance(last, sv_from(o->name), limit);
		if (part < last.n / 4 && part + 1 < d)
			d = part + 1;
	}
	if (d < near->best && d <= limit) {
		near->best = d;
		*near->out = v->path;
	}
	if (o->type == CONF_ITEMS)
		conf_visit(v, o, NULL);
	return true;
}

/* see table.h */
bool
conf_suggest(const char *wrong, struct conf_path *out)
{
	struct near near = { .v = { .visit = near_visit }, .out = out,
	    .best = SIZE_MAX };
	char plain[NEAR_MAX + 1];
	size_t n = 0;
	bool in = false;

	/* Without the indices of items. */
	for (; *wrong != '\0' && n < NEAR_MAX; wrong++) {
		in = *wrong == '[' || (in && wrong[-1] != ']');
		if (!in)
			plain[n++] = *wrong;
	}
	if (*wrong != '\0')
		return false;
	near.wrong = sv_make(plain, n);
	conf_visit(&near.v, &conf_root, NULL);
	return near.best != SIZE_MAX;
}

/* Append s as it is spelt in the environment. */
static void
add_upper(struct conf_path *out, const char *s)
{
	char *p = out->s + out->n;

	conf_path_add(out, sv_from(s));
	for (; *p != '\0'; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '.' || *p == '-')
			*p = '_';
	}
}

/* see table.h */
void
conf_env_name(struct conf_path *out, const char *prefix, const char *dotted)
{
	conf_path_pop(out, 0);
	conf_path_add(out, sv_from(prefix));
	add_upper(out, dotted);
}

/* see table.h */
void
conf_env_item(struct conf_path *out, const char *list, const char *name)
{
	conf_env_name(out, list, "_");
	add_upper(out, name);
	conf_path_add(out, SV("_"));
}

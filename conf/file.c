/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The configuration file: JSON walked along the table. Keys are compared
 * without case and may be dotted ("http_server.port": 80). An unknown key,
 * and a key that stands twice, are errors with their line and column. A
 * zero value (0, "", false, [], null) leaves the default in place.
 */
#include <stdlib.h>

#include "conf/load.h"

/* A key that stood in the file: for finding those that stand twice. */
struct seen {
	const char	*path;
	const char	*p;	/* where, in the text */
};

struct file {
	struct conf_load *l;
	struct conf_at	  at;
	struct conf_path  path;
	struct seen	 *seen;
	size_t		  nseen, cap;
	bool		  keys_only;	/* in a list that was refused */
};

static void	walk_object(struct file *, const struct conf_opt *group,
		    void *, struct jv);

static void
no_memory(struct file *f)
{
	conf_say(f->l->errs, CONF_NOMEM, f->at, "", "memory");
}

static void
note_seen(struct file *f)
{
	struct seen *v;
	size_t cap;

	if (f->nseen == f->cap) {
		cap = f->cap ? f->cap * 2 : 64;
		v = reallocarray(f->seen, cap, sizeof(*v));
		if (v == NULL) {
			no_memory(f);
			return;
		}
		f->seen = v;
		f->cap = cap;
	}
	v = &f->seen[f->nseen];
	v->p = f->at.p;
	v->path = conf_strdup(f->l->mem, sv_from(f->path.s));
	if (v->path == NULL)
		no_memory(f);
	else
		f->nseen++;
}

static int
seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int c = strcmp(x->path, y->path);

	return c != 0 ? c : (x->p > y->p) - (x->p < y->p);
}

static void
find_twice(struct file *f)
{
	size_t i;

	if (f->nseen > 1)
		qsort(f->seen, f->nseen, sizeof(*f->seen), seen_cmp);
	for (i = 1; i < f->nseen; i++)
		if (strcmp(f->seen[i].path, f->seen[i - 1].path) == 0) {
			f->at.p = f->seen[i].p;
			conf_say(f->l->errs, CONF_BAD, f->at,
			    f->seen[i].path, "stands twice");
		}
}

static void
unknown_key(struct file *f)
{
	struct conf_path near = { .n = 0 };

	if (f->l->nsuggest > 0) {
		f->l->nsuggest--;
		if (conf_suggest(f->path.s, &near)) {
			conf_say(f->l->errs, CONF_BAD, f->at, f->path.s,
			    "unknown key (did you mean %s?)", near.s);
			return;
		}
	}
	conf_say(f->l->errs, CONF_BAD, f->at, f->path.s, "unknown key");
}

static void
expect(struct file *f, const char *what)
{
	conf_say(f->l->errs, CONF_BAD, f->at, f->path.s, "expected %s", what);
}

static void
walk_items(struct file *f, const struct conf_opt *o, struct conf_items *items,
    struct jv list)
{
	bool keys_only = f->keys_only;
	size_t i, was;
	char *item = NULL;
	struct jv v;

	if (jv_type(list) != JSON_ARRAY) {
		expect(f, "a list of objects");
		return;
	}
	if (jv_len(list) == 0)
		return;
	if (items == NULL) {
		if (!f->keys_only)
			conf_say(f->l->errs, CONF_BAD, f->at, f->path.s,
			    "not supported yet");
		f->keys_only = true;
	} else {
		if (conf_items_alloc(f->l, o, items, jv_len(list)) == -1)
			return;
		item = items->v;
	}
	for (i = 0, v = jv_first(list); jv_is(v); i++, v = jv_next(v)) {
		was = conf_path_index(&f->path, i);
		f->at.p = jv_raw(v).p;
		if (jv_type(v) == JSON_OBJECT)
			walk_object(f, o, item, v);
		else
			expect(f, "an object");
		conf_path_pop(&f->path, was);
		if (item != NULL)
			item += o->item_size;
	}
	f->keys_only = keys_only;
}

static void
walk_value(struct file *f, const struct conf_opt *o, void *slot, struct jv v)
{
	struct conf_value value;

	if (jv_type(v) == JSON_NULL)
		return;
	if (o->type == CONF_GROUP) {
		if (jv_type(v) == JSON_OBJECT)
			walk_object(f, o, slot, v);
		else
			expect(f, "an object");
	} else if (o->type == CONF_ITEMS) {
		walk_items(f, o, slot, v);
	} else if (!f->keys_only) {
		f->at.p = jv_raw(v).p;
		if (conf_value_json(f->l, f->at, f->path.s, o, v,
		    &value) == 0 && !conf_value_is_zero(o, &value))
			conf_set(f->l, f->at, f->path.s, o, slot, &value);
	}
}

/* The option that a key, perhaps dotted, leads to. Its name is appended to
 * the path, with the key's own spelling for what there is not. */
static bool
resolve(struct file *f, const struct conf_opt *group, const void *base,
    struct sv key, struct conf_opt *o, void **slot)
{
	struct conf_opt in = *group;
	bool found = true;
	struct sv part;

	do {
		part = sv_cut(&key, '.');
		found = found && conf_find(&in, part, base, o, slot);
		conf_path_push(&f->path, found ? sv_from(o->name) : part);
		if (!found)
			continue;
		in = *o;
		base = *slot;
		found = key.p == NULL || o->type == CONF_GROUP;
	} while (key.p != NULL);
	return found;
}

static void
walk_member(struct file *f, const struct conf_opt *group, const void *base,
    struct jv member)
{
	struct buf scratch = BUF_INIT;
	struct conf_opt o;
	size_t was = f->path.n;
	struct sv key;
	void *slot;

	f->at.p = jv_raw(jv_key(member)).p;
	if (jv_str(jv_key(member), &scratch, &key) == -1) {
		no_memory(f);
	} else if (!resolve(f, group, base, key, &o, &slot)) {
		unknown_key(f);
	} else {
		note_seen(f);
		walk_value(f, &o, slot, member);
	}
	conf_path_pop(&f->path, was);
	buf_fini(&scratch);
}

static void
walk_object(struct file *f, const struct conf_opt *group, void *base,
    struct jv obj)
{
	struct jv v;

	for (v = jv_first(obj); jv_is(v) && !f->l->errs->nomem;
	    v = jv_next(v))
		walk_member(f, group, base, v);
}

static int
parse(struct file *f, struct json *j)
{
	if (json_parse(j, f->at.text, 0) == 0)
		return 0;
	if (j->err == JSON_NOMEM) {
		no_memory(f);
		return -1;
	}
	f->at.p = f->at.text.p + j->errpos;
	conf_say(f->l->errs, CONF_BAD, f->at, "", "not valid JSON: %s",
	    json_strerror(j->err));
	return -1;
}

/* see load.h */
void
conf_load_json(struct conf_load *l, const char *name, struct sv text)
{
	struct file f = { .l = l, .at = { name, text, NULL } };
	struct json j;

	if (text.p == NULL)
		f.at.text = SV("");
	json_init(&j);
	if (parse(&f, &j) == 0) {
		if (jv_type(json_root(&j)) == JSON_OBJECT)
			walk_object(&f, &conf_root, l->c, json_root(&j));
		else
			conf_say(l->errs, CONF_BAD, f.at, "",
			    "expected an object");
		find_twice(&f);
	}
	free(f.seen);
	json_fini(&j);
}

/* Names separated by spaces: items with everything else at its default. */
static void
items_by_name(struct conf_load *l, struct conf_at at, const char *key,
    const struct conf_opt *o, struct conf_items *items, const char *text)
{
	static const struct conf_opt words = { .type = CONF_LIST };
	struct conf_value names;
	struct conf_opt in;
	const char **name;
	void *slot;
	size_t i;

	if (conf_value_text(l, at, key, &words, text, &names) == -1 ||
	    conf_items_alloc(l, o, items, names.list.n) == -1)
		return;
	for (i = 0; i < items->n; i++) {
		conf_find(o, SV("name"),
		    (char *)items->v + i * o->item_size, &in, &slot);
		name = slot;
		*name = names.list.v[i];
	}
}

/* see load.h */
void
conf_load_items(struct conf_load *l, const char *name, const char *text,
    const struct conf_opt *o, const char *key, void *slot)
{
	struct file f = { .l = l, .at = { name, sv_from(text), NULL } };
	struct json j;

	if (*sv_trim(f.at.text).p == '[') {
		json_init(&j);
		conf_path_push(&f.path, sv_from(key));
		if (parse(&f, &j) == 0) {
			walk_items(&f, o, slot, json_root(&j));
			find_twice(&f);
		}
		free(f.seen);
		json_fini(&j);
	} else if (!(o->flags & OF_NAMED)) {
		conf_say(l->errs, CONF_BAD, f.at, key,
		    "expected a list of objects");
	} else if (slot == NULL) {
		conf_say(l->errs, CONF_BAD, f.at, key, "not supported yet");
	} else
		items_by_name(l, f.at, key, o, slot, text);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The environment: every option has a variable, named by its path in upper
 * case with '_' for '.'. A variable that is empty is not set. An option
 * that is a secret can also come from a file, named by the variable with
 * _FILE appended. Items that have a name (namespaces) have a variable for
 * each of their options.
 *
 * Variables are looked up by name, option by option; what is never looked
 * up is unknown, and only worth a warning.
 */
#include <errno.h>

#include "conf/load.h"

struct env {
	struct conf_visitor	 v;
	struct conf_load	*l;
	const char		*prefix;
	/* Inside an item: what its variables begin with. */
	const struct conf_path	*item;
};


static struct conf_var *
var_find(struct conf_load *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->nvar; i++)
		if (strcmp(l->var[i].name, name) == 0)
			return &l->var[i];
	return NULL;
}

/* see load.h */
const char *
conf_var_get(struct conf_load *l, const char *name)
{
	struct conf_var *var = var_find(l, name);

	return var == NULL ? NULL : var->value;
}

/* The variable's value; NULL if it is not set or empty. */
static const char *
take(struct conf_load *l, const char *name)
{
	struct conf_var *var = var_find(l, name);

	if (var == NULL)
		return NULL;
	var->used = true;
	return *var->value == '\0' ? NULL : var->value;
}

/* The contents of the file that a _FILE variable names. */
static const char *
read_secret(struct conf_load *l, const char *name, const char *path)
{
	struct conf_at at = { name, { NULL, 0 }, NULL };
	struct buf b = BUF_INIT;
	const char *s = NULL;

	if (conf_read_file(path, &b) == -1) {
		conf_say(l->errs, b.failed ? CONF_NOMEM : CONF_BAD, at, "",
		    "%s: %s", path, strerror(errno));
		goto out;
	}
	if (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	if (b.n > 0 && memchr(b.p, '\0', b.n) != NULL)
		conf_say(l->errs, CONF_BAD, at, "", "%s: holds a zero byte",
		    path);
	else if ((s = conf_strdup(l->mem, buf_sv(&b))) == NULL)
		conf_say(l->errs, CONF_NOMEM, at, "", "memory");
out:
	buf_wipe(&b);
	return s;
}

/* The value for the variable called *name, directly or by _FILE; the name
 * becomes that of the variable which gave it. */
static const char *
lookup(struct conf_load *l, const struct conf_opt *o, struct conf_path *name)
{
	struct conf_path file = *name;
	const char *value = take(l, name->s), *path;

	if (!(o->flags & OF_SECRET))
		return value;
	conf_path_add(&file, SV("_FILE"));
	path = take(l, file.s);
	if (path == NULL)
		return value;
	if (value != NULL) {
		conf_say(l->errs, CONF_BAD,
		    (struct conf_at){ file.s, { NULL, 0 }, NULL }, "",
		    "%s is set, too", name->s);
		return NULL;
	}
	*name = file;
	return read_secret(l, file.s, path);
}

/* Whether a group is worth a visit. */
static bool
any_begins(const struct conf_load *l, const struct conf_path *group)
{
	size_t i;

	for (i = 0; i < l->nvar; i++)
		if (strncmp(l->var[i].name, group->s, group->n) == 0)
			return true;
	return false;
}

static void
variable_name(const struct env *e, struct conf_path *name)
{
	if (e->item == NULL) {
		conf_env_name(name, e->prefix, e->v.path.s);
		return;
	}
	conf_env_name(name, e->item->s, e->v.path.s);
}

static bool	env_visit(struct conf_visitor *, const struct conf_opt *,
		    void *);

/* CENTRIFUGO_CHANNEL_NAMESPACES_<NAME>_<OPTION> */
static void
visit_items(struct env *e, const struct conf_opt *o, struct conf_items *items,
    const struct conf_path *list)
{
	struct conf_path prefix = { .n = 0 };
	struct env sub = { .v = { .visit = env_visit }, .l = e->l,
	    .item = &prefix };
	struct conf_opt in;
	const char *name;
	char *item;
	void *slot;
	size_t i;

	for (i = 0; i < items->n; i++) {
		item = (char *)items->v + i * o->item_size;
		conf_find(o, SV("name"), item, &in, &slot);
		name = *(const char **)slot;
		conf_env_item(&prefix, list->s, name);
		conf_visit(&sub.v, o, item);
	}
}

/* Items that were refused: their variables are not unknown. */
static void
forget_items(struct conf_load *l, const struct conf_path *list)
{
	size_t i;

	for (i = 0; i < l->nvar; i++)
		if (strncmp(l->var[i].name, list->s, list->n) == 0 &&
		    l->var[i].name[list->n] == '_')
			l->var[i].used = true;
}

static void
env_items(struct env *e, const struct conf_opt *o, void *slot,
    const struct conf_path *name)
{
	const char *text = take(e->l, name->s);

	if (text != NULL)
		conf_load_items(e->l, name->s, text, o, e->v.path.s, slot);
	if (!(o->flags & OF_NAMED))
		return;
	if (slot != NULL)
		visit_items(e, o, slot, name);
	else if (text != NULL)
		forget_items(e->l, name);
}

static bool
env_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct env *e = (struct env *)v;
	struct conf_path name = { .n = 0 };
	struct conf_value value;
	const char *text;
	struct conf_at at;

	if (e->l->errs->nomem)
		return false;
	variable_name(e, &name);
	if (o->type == CONF_GROUP)
		return any_begins(e->l, &name);
	if (o->type == CONF_ITEMS) {
		env_items(e, o, slot, &name);
		return true;
	}
	text = lookup(e->l, o, &name);
	if (text == NULL)
		return true;
	at = (struct conf_at){ name.s, { NULL, 0 }, NULL };
	if (conf_value_text(e->l, at, e->v.path.s, o, text, &value) == 0)
		conf_set(e->l, at, e->v.path.s, o, slot, &value);
	return true;
}

/* see load.h */
void
conf_load_env(struct conf_load *l, const char *prefix)
{
	struct env e = { .v = { .visit = env_visit }, .l = l,
	    .prefix = prefix };

	if (l->nvar > 0)
		conf_visit(&e.v, &conf_root, l->c);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What must agree among the options of a namespace, and among namespaces
 * and what refers to them. Expressions are compiled on the way.
 */
#include <stdlib.h>

#include "conf/load.h"

#define NAME_MAX_LEN	100
#define MS_PER_S	1000

/* [-a-zA-Z0-9_.]{2,} */
static bool
is_name(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (!conf_is_letter(s[n]) && !(s[n] >= '0' && s[n] <= '9') &&
		    s[n] != '-' && s[n] != '.')
			return false;
	return n >= 2 && n <= NAME_MAX_LEN;
}

static int
name_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
check_names(struct conf_load *l, const struct conf_namespaces *ns)
{
	struct conf_at none = { 0 };
	const char **name;
	size_t i;

	if (ns->n == 0)
		return;
	name = conf_alloc(l->mem, ns->n * sizeof(*name));
	if (name == NULL) {
		conf_say(l->errs, CONF_NOMEM, none, "", "memory");
		return;
	}
	for (i = 0; i < ns->n; i++) {
		name[i] = ns->v[i].name;
		if (!is_name(name[i]))
			conf_say(l->errs, CONF_BAD, none,
			    "channel.namespaces", "the name \"%s\" is not 2 "
			    "to %d letters, digits and -_.", name[i],
			    NAME_MAX_LEN);
	}
	qsort(name, ns->n, sizeof(*name), name_cmp);
	for (i = 1; i < ns->n; i++)
		if (strcmp(name[i], name[i - 1]) == 0)
			conf_say(l->errs, CONF_BAD, none,
			    "channel.namespaces", "the name \"%s\" stands "
			    "twice", name[i]);
}

static void
check_seconds(struct conf_load *l, const char *group, const char *name,
    int64_t ms)
{
	if (ms % MS_PER_S != 0)
		conf_bad(l, CONF_BAD, group, name, "must be whole seconds");
}

static void
check_history(struct conf_load *l, const char *group,
    const struct conf_channel *ch)
{
	check_seconds(l, group, "history_ttl", ch->history_ttl);
	check_seconds(l, group, "history_meta_ttl", ch->history_meta_ttl);
	if (ch->history_size == 0 && ch->history_ttl != 0)
		conf_bad(l, CONF_BAD, group, "history_ttl",
		    "needs history_size");
	if (ch->history_size != 0 && ch->history_ttl == 0)
		conf_bad(l, CONF_BAD, group, "history_size",
		    "needs history_ttl");
	if (ch->history_ttl > conf_meta_ttl(l->c, ch))
		conf_bad(l, CONF_BAD, group, "history_ttl",
		    "must not be longer than history_meta_ttl");
	if (ch->force_recovery && ch->history_size == 0)
		conf_bad(l, CONF_BAD, group, "force_recovery",
		    "needs history_size and history_ttl");
	if (ch->auto_cache_recover && (!ch->force_recovery ||
	    strcmp(ch->force_recovery_mode, "cache") != 0))
		conf_bad(l, CONF_BAD, group, "auto_cache_recover",
		    "needs force_recovery, and cache as force_recovery_mode");
}

static void
check_channel(struct conf_load *l, const char *group, struct conf_channel *ch)
{
	check_history(l, group, ch);
	conf_compile(l, group, "channel_regex", ch->channel_regex,
	    &ch->channel_re);
}

static void
check_personal(struct conf_load *l)
{
	const struct conf_personal_channel *p =
	    &l->c->client.subscribe_to_user_personal_channel;
	const char *group = "client.subscribe_to_user_personal_channel";
	const struct conf_channel *ch = conf_channel_find(l->c,
	    sv_from(p->enabled ? p->personal_channel_namespace : ""));

	if (ch == NULL)
		conf_bad(l, CONF_BAD, group, "personal_channel_namespace",
		    "there is no such namespace");
	else if (p->single_connection && !ch->presence)
		conf_bad(l, CONF_BAD, group, "single_connection",
		    "needs presence in the personal channels");
}

/* see load.h */
void
conf_check_channels(struct conf_load *l)
{
	struct conf_channels *c = &l->c->channel;
	struct conf_path group;
	size_t i;

	check_seconds(l, "channel", "history_meta_ttl", c->history_meta_ttl);
	check_channel(l, "channel.without_namespace", &c->without_namespace);
	check_names(l, &c->namespaces);
	for (i = 0; i < c->namespaces.n; i++) {
		conf_path_pop(&group, 0);
		conf_path_add(&group, SV("channel.namespaces["));
		conf_path_add(&group, sv_from(c->namespaces.v[i].name));
		conf_path_add(&group, SV("]"));
		check_channel(l, group.s, &c->namespaces.v[i].opt);
	}
	check_personal(l);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The command line: flags of the table, of the command, and operands.
 */
#include <stdlib.h>

#include "conf/load.h"

struct parser {
	struct conf_args	*args;
	struct conf_own_flag	*own;
	size_t			 nown;
	char *const		*argv;		/* what is left */
	FILE			*err;
	struct conf_path	 names;		/* scratch */
};

static int
complain(struct parser *p, const char *flag, const char *what)
{
	/* Without the value, which may be a secret. */
	fprintf(p->err, "%.*s: %s\n", (int)strcspn(flag, "="), flag, what);
	return -1;
}

/* The value after '=' if there is one, otherwise the next word. */
static const char *
take_value(struct parser *p, const char *flag, struct sv attached)
{
	if (attached.p != NULL)
		return attached.p;
	if (*p->argv == NULL) {
		complain(p, flag, "needs a value");
		return NULL;
	}
	return *p->argv++;
}

static int
add_flag(struct parser *p, const char *name, const char *value)
{
	struct conf_args *a = p->args;
	struct conf_flag *v;

	v = reallocarray(a->flags, a->nflags + 1, sizeof(*v));
	if (v == NULL)
		return complain(p, name, "out of memory");
	a->flags = v;
	v[a->nflags++] = (struct conf_flag){ name, value };
	return 0;
}

static int
add_operand(struct parser *p, const char *word)
{
	struct conf_args *a = p->args;
	const char **v;

	v = reallocarray(a->operands, a->noperands + 1, sizeof(*v));
	if (v == NULL)
		return complain(p, word, "out of memory");
	a->operands = v;
	v[a->noperands++] = word;
	return 0;
}

/* An own flag, by its letter or its name. */
static struct conf_own_flag *
find_own(const struct parser *p, char letter, struct sv name)
{
	size_t i;

	for (i = 0; i < p->nown; i++)
		if ((letter != 0 && p->own[i].letter == letter) ||
		    (letter == 0 && p->own[i].name != NULL &&
		    sv_eq(sv_from(p->own[i].name), name)))
			return &p->own[i];
	return NULL;
}

static int
set_own(struct parser *p, const char *flag, struct conf_own_flag *own,
    struct sv attached)
{
	if (!own->has_value && attached.p != NULL)
		return complain(p, flag, "takes no value");
	if (own->has_value &&
	    (own->value = take_value(p, flag, attached)) == NULL)
		return -1;
	own->set = true;
	return 0;
}

static int
set_option(struct parser *p, const char *flag, const struct conf_opt *o,
    const char *name, struct sv attached)
{
	const char *value;
	bool b;

	if (o->type == CONF_BOOL && attached.p == NULL) {
		value = "true";
		if (*p->argv != NULL &&
		    conf_parse_bool(sv_from(*p->argv), &b) == 0)
			value = *p->argv++;
	} else if ((value = take_value(p, flag, attached)) == NULL)
		return -1;
	return add_flag(p, name, value);
}

static int
unknown(struct parser *p, struct sv name)
{
	struct conf_path near = { .n = 0 }, wrong = { .n = 0 };
	struct conf_opt o;
	void *slot;

	conf_path_push(&wrong, name);
	if (conf_suggest(wrong.s, &near) && conf_find_dotted(sv_from(near.s),
	    NULL, &o, &slot, &p->names) && o.type != CONF_GROUP)
		fprintf(p->err, "--%s: unknown flag (did you mean --%s?)\n",
		    wrong.s, near.s);
	else
		fprintf(p->err, "--%s: unknown flag\n", wrong.s);
	return -1;
}

/* --name, --name=value, --name value */
static int
long_flag(struct parser *p, const char *flag)
{
	struct sv rest = sv_from(flag + 2), name = sv_cut(&rest, '=');
	struct conf_own_flag *own = find_own(p, 0, name);
	struct conf_opt o;
	void *slot;

	if (own != NULL)
		return set_own(p, flag, own, rest);
	if (sv_eq(name, SV("config"))) {
		p->args->config = take_value(p, flag, rest);
		return p->args->config == NULL ? -1 : 0;
	}
	if (!conf_find_dotted(name, NULL, &o, &slot, &p->names))
		return unknown(p, name);
	if (o.type == CONF_GROUP)
		return complain(p, flag, "is a group of options");
	return set_option(p, flag, &o, flag + 2, rest);
}

/* -x, -xvalue, -x value; letters without values may be joined. */
static int
short_flags(struct parser *p, const char *flag)
{
	const char *at, *value;
	struct conf_own_flag *own;
	struct sv rest;

	for (at = flag + 1; *at != '\0'; at++) {
		rest = at[1] != '\0' ? sv_from(at + 1) : (struct sv){ 0 };
		own = find_own(p, *at, rest);
		if (own != NULL && !own->has_value) {
			own->set = true;
			continue;
		}
		if (own != NULL)
			return set_own(p, flag, own, rest);
		if (*at != 'c' && *at != 'a' && *at != 'p')
			return complain(p, flag, "unknown flag");
		if ((value = take_value(p, flag, rest)) == NULL)
			return -1;
		if (*at != 'c')
			return add_flag(p, *at == 'a' ?
			    "http_server.address" : "http_server.port",
			    value);
		p->args->config = value;
		return 0;
	}
	return 0;
}

/* see conf.h */
int
conf_args_parse(struct conf_args *args, char *const *argv,
    struct conf_own_flag *own, size_t nown, FILE *err)
{
	struct parser p = { .args = args, .own = own, .nown = nown,
	    .argv = argv, .err = err };
	const char *word;
	bool flags = true;
	int ret = 0;

	*args = (struct conf_args){ 0 };
	while (ret == 0 && (word = *p.argv) != NULL) {
		p.argv++;
		if (flags && strcmp(word, "--") == 0)
			flags = false;
		else if (flags && strncmp(word, "--", 2) == 0)
			ret = long_flag(&p, word);
		else if (flags && word[0] == '-' && word[1] != '\0')
			ret = short_flags(&p, word);
		else
			ret = add_operand(&p, word);
	}
	return ret;
}

/* see conf.h */
void
conf_args_fini(struct conf_args *args)
{
	free(args->flags);
	free(args->operands);
	*args = (struct conf_args){ 0 };
}

/* see conf.h */
struct conf_source
conf_args_source(const struct conf_args *args, char *const *env)
{
	return (struct conf_source){ .path = args->config,
	    .environ = env, .flags = args->flags,
	    .nflags = args->nflags };
}

/* see load.h; names may carry their "=value", as they stand in argv. */
void
conf_load_flags(struct conf_load *l, const struct conf_flag *flags, size_t n)
{
	struct conf_at at = { "command line", { NULL, 0 }, NULL };
	struct conf_path canon = { .n = 0 };
	struct conf_opt o;
	struct conf_value value;
	struct sv name, rest;
	void *slot;
	size_t i;

	for (i = 0; i < n; i++) {
		rest = sv_from(flags[i].name);
		name = sv_cut(&rest, '=');
		if (!conf_find_dotted(name, l->c, &o, &slot, &canon) ||
		    o.type == CONF_GROUP)
			conf_say(l->errs, CONF_BAD, at, "",
			    "--%.*s: unknown option", SV_ARG(name));
		else if (o.type == CONF_ITEMS)
			conf_load_items(l, at.name, flags[i].value, &o,
			    canon.s, slot);
		else if (conf_value_text(l, at, canon.s, &o, flags[i].value,
		    &value) == 0)
			conf_set(l, at, canon.s, &o, slot, &value);
	}
}

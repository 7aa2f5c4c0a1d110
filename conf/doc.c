/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The table as documentation: the list of flags, and configdoc in plain
 * text, Markdown, and mdoc for man/fugu.conf.5.
 */
#include <stdio.h>
#include <sysexits.h>

#include "conf/load.h"

#define WIDTH	78

enum form { FORM_TEXT, FORM_MARKDOWN, FORM_MDOC };

static const char *const type_names[] = {
	[CONF_BOOL] = "Boolean",
	[CONF_INT] = "Integer",
	[CONF_PORT] = "Port",
	[CONF_DUR] = "Duration",
	[CONF_STR] = "String",
	[CONF_PEM] = "PEM",
	[CONF_LIST] = "List of strings",
	[CONF_MAP] = "Map of strings",
	[CONF_GROUP] = "Object",
	[CONF_ITEMS] = "List of objects",
};
_Static_assert(sizeof(type_names) / sizeof(type_names[0]) == CONF_ITEMS + 1,
    "every type has its name");

/* Gives every option a slot, which tells what is supported. Never written,
 * and not const, because then it would take room in the program. */
static struct conf any;

struct doc {
	struct conf_visitor	 v;
	FILE			*out;
	enum form		 form;
	struct sv		 section;	/* only names that begin so */
};

/* Text broken at spaces into lines of WIDTH, each after the indent; in mdoc
 * a sentence begins a line. */
static void
put_wrapped(FILE *out, const char *indent, const char *text, enum form form)
{
	size_t col = 0, n;

	if (*text == '\0')
		return;
	for (; *text != '\0'; text += n) {
		text += strspn(text, " ");
		n = strcspn(text, " ");
		if (col > 0 && (col + 1 + n > WIDTH - strlen(indent) ||
		    (form == FORM_MDOC && text[-2] == '.'))) {
			fputc('\n', out);
			col = 0;
		}
		fputs(col == 0 ? indent : " ", out);
		fwrite(text, 1, n, out);
		col += n + (col > 0);
	}
	fputc('\n', out);
}

/* "Duration from 1ms to 24h; default 25s." and the like. */
static void
describe(struct buf *b, const struct conf_opt *o)
{
	bool text = o->type == CONF_STR || o->type == CONF_PEM ||
	    o->type == CONF_LIST;
	const char *def = conf_default(o);
	struct conf_range r = conf_range(o);

	buf_puts(b, type_names[o->type]);
	if (r.max != INT64_MAX) {
		buf_puts(b, " from ");
		conf_put_number(b, o, r.min);
		buf_puts(b, " to ");
		conf_put_number(b, o, r.max);
	}
	if (conf_choices(o) != NULL)
		buf_printf(b, ", one of: %s", o->choices);
	if (*def != '\0')
		buf_printf(b, text ? "; default \"%s\"." : "; default %s.",
		    def);
	else if (o->type == CONF_BOOL)
		buf_puts(b, "; default false.");
	else if (o->type == CONF_INT || o->type == CONF_DUR)
		buf_puts(b, "; default 0.");
	else
		buf_puts(b, "; default empty.");
}

static const char *
standing(const struct conf_opt *o, const void *slot)
{
	if (o->flags & OF_NOP)
		return "Accepted for compatibility, without effect.";
	if (slot == NULL)
		return "Not supported yet.";
	if ((o->flags & OF_EXTRA) && (o->flags & OF_RELOAD))
		return "Not in Centrifugo. Changed by a reload.";
	if (o->flags & OF_EXTRA)
		return "Not in Centrifugo.";
	return o->flags & OF_RELOAD ? "Changed by a reload." : "";
}

static void
put_text(const struct doc *d, const struct conf_opt *o, const char *what,
    const char *how)
{
	fprintf(d->out, "%s\n", d->v.path.s);
	put_wrapped(d->out, "    ", conf_help(o), d->form);
	put_wrapped(d->out, "    ", what, d->form);
	put_wrapped(d->out, "    ", how, d->form);
}

static void
put_markdown(const struct doc *d, const struct conf_opt *o, const char *what,
    const char *how)
{
	struct conf_path env = { .n = 0 };
	const char *help = conf_help(o);

	conf_env_name(&env, o->flags & OF_EXTRA ? "FUGU_" : "CENTRIFUGO_",
	    d->v.path.s);
	fprintf(d->out, "## `%s`\n\nType: %s\n", d->v.path.s, what);
	if (strchr(env.s, '[') == NULL)
		fprintf(d->out, "Variable: `%s`.\n", env.s);
	fprintf(d->out, "\n%s%s%s\n\n", help,
	    *how != '\0' && *help != '\0' ? " " : "", how);
}

static void
put_mdoc(const struct doc *d, const struct conf_opt *o, const char *what,
    const char *how)
{
	fprintf(d->out, ".It Ic %s\n", d->v.path.s);
	put_wrapped(d->out, "", conf_help(o), d->form);
	put_wrapped(d->out, "", what, d->form);
	put_wrapped(d->out, "", how, d->form);
}

static void
put_option(const struct doc *d, const struct conf_opt *o, const void *slot)
{
	static void (*const put[])(const struct doc *,
	    const struct conf_opt *, const char *, const char *) = {
		[FORM_TEXT] = put_text,
		[FORM_MARKDOWN] = put_markdown,
		[FORM_MDOC] = put_mdoc,
	};
	struct buf b = BUF_INIT;

	describe(&b, o);
	buf_putc(&b, '\0');
	if (!b.failed)
		put[d->form](d, o, b.p, standing(o, slot));
	buf_fini(&b);
}

/* The options of a list's objects, as LIST[].NAME. */
static void
visit_items(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	size_t was = v->path.n;

	conf_path_add(&v->path, SV("[]"));
	conf_visit(v, o, slot);
	conf_path_pop(&v->path, was);
}

/* Every option, for text and Markdown. */
static bool
all_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct doc *d = (struct doc *)v;
	struct sv path = { v->path.s, v->path.n };

	if (o->type == CONF_GROUP)
		return true;
	if (sv_starts(path, d->section))
		put_option(d, o, slot);
	if (o->type == CONF_ITEMS)
		visit_items(v, o, slot);
	return true;
}

/* What does something, or is accepted; namespaces have the options of
 * without_namespace. */
static bool
supported_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	if (o->type != CONF_GROUP && (slot != NULL || (o->flags & OF_NOP)))
		put_option((struct doc *)v, o, slot);
	if (o->type == CONF_ITEMS && slot != NULL && !(o->flags & OF_NAMED))
		visit_items(v, o, slot);
	return true;
}

static bool
has_accepted(const struct conf_opt *group)
{
	struct conf_rows rows = conf_rows(group);
	const struct conf_opt *o;

	while ((o = conf_rows_next(&rows)) != NULL)
		if ((o->flags & OF_NOP) ||
		    ((o->type == CONF_GROUP || o->type == CONF_SQUASH) &&
		    has_accepted(o)))
			return true;
	return false;
}

/* The names of the rest; a group that is refused as a whole is one name. */
static bool
refused_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct doc *d = (struct doc *)v;

	if (slot != NULL || (o->flags & OF_NOP))
		return true;
	if (o->type != CONF_GROUP)
		fprintf(d->out, ".It\n.Ic %s\n", v->path.s);
	else if (has_accepted(o))
		return true;
	else
		fprintf(d->out, ".It\n.Ic %s.*\n", v->path.s);
	return false;
}

static void
put_lists(struct doc *d)
{
	fprintf(d->out, ".Sh OPTIONS\n.Bl -tag -width Ds\n");
	d->v.visit = supported_visit;
	conf_visit(&d->v, &conf_root, &any);
	fprintf(d->out, ".El\n.Sh OPTIONS NOT SUPPORTED YET\n"
	    "These are known, and refused unless they are set to their "
	    "default.\n"
	    ".Pp\n.Bl -item -compact\n");
	d->v.visit = refused_visit;
	conf_visit(&d->v, &conf_root, &any);
	fprintf(d->out, ".El\n");
}

/* see conf.h */
int
conf_cmd_configdoc(const struct conf_cmd_env *env)
{
	struct conf_own_flag own[] = {
		{ .name = "markdown", .letter = 'm' },
		{ .name = "section", .letter = 's', .has_value = true },
		{ .name = "mdoc" },
	};
	struct doc d = { .v = { .visit = all_visit }, .out = env->out };
	struct conf_args args;
	int ret = EX_USAGE;

	if (conf_args_parse(&args, env->argv, own,
	    sizeof(own) / sizeof(own[0]), env->err) == 0) {
		d.section = sv_from(own[1].value);
		if (own[2].set) {
			d.form = FORM_MDOC;
			put_lists(&d);
		} else {
			d.form = own[0].set ? FORM_MARKDOWN : FORM_TEXT;
			conf_visit(&d.v, &conf_root, &any);
		}
		ret = fflush(env->out) == EOF || ferror(env->out) ?
		    EX_IOERR : 0;
	}
	conf_args_fini(&args);
	return ret;
}

static bool
usage_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	static const char *const meta[] = {
		[CONF_INT] = "=N", [CONF_PORT] = "=PORT",
		[CONF_DUR] = "=TIME", [CONF_STR] = "=TEXT",
		[CONF_PEM] = "=PEM", [CONF_LIST] = "=WORDS",
		[CONF_MAP] = "=JSON", [CONF_ITEMS] = "=NAMES",
	};
	struct doc *d = (struct doc *)v;
	const char *m;

	if (slot == NULL || o->type == CONF_GROUP)
		return true;
	m = o->type == CONF_BOOL ? "" : meta[o->type];
	fprintf(d->out, "  --%s%s\n", v->path.s, m);
	put_wrapped(d->out, "        ", conf_help(o), FORM_TEXT);
	return true;
}

/* see conf.h */
void
conf_usage(FILE *out)
{
	struct doc d = { .v = { .visit = usage_visit }, .out = out };

	conf_visit(&d.v, &conf_root, &any);
}

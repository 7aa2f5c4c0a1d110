/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands that check, make and show configurations, and what a reload
 * can't change. Files are written with mode 0600 and never over another.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/load.h"
#include "util/base64.h"

#define DEFAULT_FILE	"config.json"
#define NOWN(a)		(sizeof(a) / sizeof((a)[0]))

/* Parse the command's flags, which take no operands. 0 or EX_USAGE. */
static int
parse_args(const struct conf_cmd_env *env, struct conf_args *args,
    struct conf_own_flag *own, size_t nown)
{
	if (conf_args_parse(args, env->argv, own, nown, env->err) == -1)
		return EX_USAGE;
	if (args->noperands > 0) {
		fprintf(env->err, "%s: unexpected argument\n",
		    args->operands[0]);
		return EX_USAGE;
	}
	return 0;
}

static void
show_errors(FILE *f, const struct conf_errors *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		fprintf(f, "%s%s\n", e->v[i].kind == CONF_WARN ?
		    "warning: " : "", e->v[i].text);
	if (e->nomem)
		fprintf(f, "out of memory\n");
}

/* see conf.h */
int
conf_cmd_checkconfig(const struct conf_cmd_env *env)
{
	struct conf_own_flag own[] = {
		{ .name = "strict", .letter = 's' },
	};
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c = NULL;
	struct conf_args args;
	struct conf_source src;
	const char *file;
	int ret;

	if ((ret = parse_args(env, &args, own, NOWN(own))) != 0)
		goto out;
	src = conf_args_source(&args, env->environ);
	file = src.path != NULL ? src.path : DEFAULT_FILE;
	if (src.path == NULL && access(DEFAULT_FILE, F_OK) == -1) {
		fprintf(env->err, "%s: %s\n", file, strerror(errno));
		ret = EX_NOINPUT;
		goto out;
	}
	conf_load(&c, &src, &errs);
	show_errors(env->err, &errs);
	ret = conf_errors_exit(&errs);
	if (ret == 0 && own[0].set && errs.n > 0)
		ret = EX_CONFIG;
	if (ret == 0 && env->look != NULL)
		ret = env->look(c, env->out, env->err);
	if (ret == 0)
		fprintf(env->out, "%s: OK\n", file);
out:
	conf_unref(c);
	conf_errors_fini(&errs);
	conf_args_fini(&args);
	return ret;
}

static int
write_all(int fd, struct sv s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			s = sv_skip(s, (size_t)n);
	}
	return 0;
}

/* Make a file of b's contents. An exit code. */
static int
create_file(const struct conf_cmd_env *env, const char *path,
    const struct buf *b)
{
	int fd, e;

	if (b->failed) {
		fprintf(env->err, "out of memory\n");
		return EX_OSERR;
	}
	if (!sv_ends(sv_from(path), SV(".json"))) {
		fprintf(env->err, "%s: the name must end in .json\n", path);
		return EX_USAGE;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		fprintf(env->err, "%s: %s\n", path, strerror(errno));
		return EX_CANTCREAT;
	}
	e = write_all(fd, buf_sv(b)) == -1 ? errno : 0;
	if (close(fd) == -1 && e == 0)
		e = errno;
	if (e == 0)
		return 0;
	fprintf(env->err, "%s: %s\n", path, strerror(e));
	unlink(path);
	return EX_IOERR;
}

/* n random bytes as text between quotes. */
static void
put_random(const struct conf_cmd_env *env, struct buf *b, size_t n)
{
	unsigned char raw[64];

	env->random(raw, n);
	buf_putc(b, '"');
	base64url_put(b, sv_make(raw, n));
	buf_putc(b, '"');
	explicit_bzero(raw, sizeof(raw));
}

/* see conf.h */
int
conf_cmd_genconfig(const struct conf_cmd_env *env)
{
	struct buf b = BUF_INIT;
	struct conf_args args;
	int ret;

	if ((ret = parse_args(env, &args, NULL, 0)) == 0) {
		buf_puts(&b, "{\n  \"client\": {\n    \"token\": {\n"
		    "      \"hmac_secret_key\": ");
		put_random(env, &b, 64);
		buf_puts(&b, "\n    },\n    \"allowed_origins\": []\n  },\n"
		    "  \"admin\": {\n    \"enabled\": false,\n"
		    "    \"password\": ");
		put_random(env, &b, 16);
		buf_puts(&b, ",\n    \"secret\": ");
		put_random(env, &b, 64);
		buf_puts(&b, "\n  },\n  \"http_api\": {\n    \"key\": ");
		put_random(env, &b, 64);
		buf_puts(&b, "\n  }\n}\n");
		ret = create_file(env, args.config != NULL ? args.config :
		    DEFAULT_FILE, &b);
	}
	buf_wipe(&b);
	conf_args_fini(&args);
	return ret;
}

static void	put_rows(struct buf *, const struct conf_opt *, const void *,
		    unsigned depth, bool *first);

static void
newline(struct buf *b, unsigned depth)
{
	buf_putc(b, '\n');
	while (depth-- > 0)
		buf_puts(b, "  ");
}

static void
put_object(struct buf *b, const struct conf_opt *group, const void *base,
    unsigned depth)
{
	bool first = true;

	buf_putc(b, '{');
	put_rows(b, group, base, depth + 1, &first);
	if (!first)
		newline(b, depth);
	buf_putc(b, '}');
}

static void
put_items(struct buf *b, const struct conf_opt *o,
    const struct conf_items *items, unsigned depth)
{
	size_t i;

	buf_putc(b, '[');
	for (i = 0; i < items->n; i++) {
		if (i > 0)
			buf_putc(b, ',');
		newline(b, depth + 1);
		put_object(b, o, (char *)items->v + i * o->item_size,
		    depth + 1);
	}
	if (items->n > 0)
		newline(b, depth);
	buf_putc(b, ']');
}

static void
put_map(struct buf *b, const struct conf_map *map)
{
	size_t i;

	buf_putc(b, '{');
	for (i = 0; i < map->n; i++) {
		if (i > 0)
			buf_puts(b, ", ");
		json_put_str(b, sv_from(map->v[i].key));
		buf_puts(b, ": ");
		json_put_str(b, sv_from(map->v[i].value));
	}
	buf_putc(b, '}');
}

static void
put_json(struct buf *b, const struct conf_opt *o, const void *slot)
{
	struct conf_value v = conf_value_of(o, slot);
	struct buf text = BUF_INIT;
	size_t i;

	switch (o->type) {
	case CONF_BOOL:
	case CONF_INT:
		conf_put_value(b, o, &v);
		return;
	case CONF_MAP:
		put_map(b, &v.map);
		return;
	case CONF_LIST:
		buf_putc(b, '[');
		for (i = 0; i < v.list.n; i++) {
			if (i > 0)
				buf_puts(b, ", ");
			json_put_str(b, sv_from(v.list.v[i]));
		}
		buf_putc(b, ']');
		return;
	default:
		conf_put_value(&text, o, &v);
		json_put_str(b, buf_sv(&text));
		b->failed |= text.failed;
		buf_wipe(&text);
	}
}

/* The supported options of a group as members of an object. */
static void
put_rows(struct buf *b, const struct conf_opt *group, const void *base,
    unsigned depth, bool *first)
{
	struct conf_rows rows = conf_rows(group);
	const struct conf_opt *o;
	void *slot;

	while ((o = conf_rows_next(&rows)) != NULL) {
		slot = conf_slot(o, base);
		if (slot == NULL)
			continue;
		if (o->type == CONF_SQUASH) {
			put_rows(b, o, slot, depth, first);
			continue;
		}
		if (!*first)
			buf_putc(b, ',');
		*first = false;
		newline(b, depth);
		buf_printf(b, "\"%s\": ", o->name);
		if (o->type == CONF_GROUP)
			put_object(b, o, slot, depth);
		else if (o->type == CONF_ITEMS)
			put_items(b, o, slot, depth);
		else
			put_json(b, o, slot);
	}
}

/* The configuration of -b (without: the defaults), the environment and the
 * flags. NULL after messages, *ret set. */
static const struct conf *
load_base(const struct conf_cmd_env *env, const struct conf_args *args,
    const char *base, int *ret)
{
	struct conf_source src = conf_args_source(args, env->environ);
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;

	src.path = base;
	if (base == NULL)
		src.text = SV("{}");
	conf_load(&c, &src, &errs);
	show_errors(env->err, &errs);
	*ret = conf_errors_exit(&errs);
	conf_errors_fini(&errs);
	return c;
}

/* b on standard output. An exit code. */
static int
print(const struct conf_cmd_env *env, const struct buf *b)
{
	if (b->failed) {
		fprintf(env->err, "out of memory\n");
		return EX_OSERR;
	}
	if ((b->n > 0 && fwrite(b->p, 1, b->n, env->out) != b->n) ||
	    fflush(env->out) == EOF) {
		fprintf(env->err, "%s\n", strerror(errno));
		return EX_IOERR;
	}
	return 0;
}

/* see conf.h */
int
conf_cmd_defaultconfig(const struct conf_cmd_env *env)
{
	struct conf_own_flag own[] = {
		{ .name = "base", .letter = 'b', .has_value = true },
		{ .name = "dry-run", .letter = 'd' },
	};
	struct buf b = BUF_INIT;
	const struct conf *c = NULL;
	struct conf_args args;
	int ret;

	if ((ret = parse_args(env, &args, own, NOWN(own))) == 0 &&
	    (c = load_base(env, &args, own[0].value,
	    &ret)) != NULL) {
		put_object(&b, &conf_root, c, 0);
		buf_putc(&b, '\n');
		ret = own[1].set ? print(env, &b) : create_file(env,
		    args.config != NULL ? args.config : DEFAULT_FILE, &b);
	}
	conf_unref(c);
	buf_wipe(&b);
	conf_args_fini(&args);
	return ret;
}

struct env_out {
	struct conf_visitor	 v;
	struct buf		*b;
	struct conf_load	*l;	/* to compare with defaults */
	bool			 changed_only;
	/* Inside an item: what its variables begin with. */
	const struct conf_path	*item;
};

static bool	env_out_visit(struct conf_visitor *, const struct conf_opt *,
		    void *);

/* A list of items that have no name, as JSON on one line. */
static void
put_env_json(struct buf *b, const struct conf_opt *o,
    const struct conf_items *items)
{
	struct buf json = BUF_INIT;
	size_t i;

	put_items(&json, o, items, 0);
	buf_putc(b, '\'');
	for (i = 0; i < json.n; i++)
		if (json.p[i] == '\'')
			buf_puts(b, "\\u0027");
		else if (json.p[i] != '\n')
			buf_putc(b, json.p[i]);
	buf_puts(b, "'\n");
	b->failed |= json.failed;
	buf_wipe(&json);
}

static void
put_env_items(struct env_out *e, const struct conf_opt *o,
    const struct conf_items *items, const struct conf_path *name)
{
	struct conf_path prefix = { .n = 0 };
	struct env_out sub = { .v = { .visit = env_out_visit }, .b = e->b,
	    .l = e->l, .changed_only = e->changed_only, .item = &prefix };
	const char *item = items->v;
	struct conf_opt in;
	void *slot;
	size_t i;

	if (e->changed_only && items->n == 0)
		return;
	buf_printf(e->b, "%s=", name->s);
	if (!(o->flags & OF_NAMED)) {
		put_env_json(e->b, o, items);
		return;
	}
	buf_putc(e->b, '"');
	for (i = 0; i < items->n; i++) {
		conf_find(o, SV("name"), item + i * o->item_size, &in,
		    &slot);
		buf_printf(e->b, "%s%s", i > 0 ? " " : "",
		    *(const char **)slot);
	}
	buf_puts(e->b, "\"\n");
	for (i = 0; i < items->n; i++) {
		conf_find(o, SV("name"), item + i * o->item_size, &in,
		    &slot);
		conf_env_item(&prefix, name->s, *(const char **)slot);
		conf_visit(&sub.v, o, item + i * o->item_size);
	}
}

static bool
env_out_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct env_out *e = (struct env_out *)v;
	struct conf_path name = { .n = 0 };
	struct conf_value value;
	bool quoted;

	if (slot == NULL || o->type == CONF_GROUP)
		return true;
	conf_env_name(&name, e->item != NULL ? e->item->s :
	    o->flags & OF_EXTRA ? "FUGU_" : "CENTRIFUGO_", v->path.s);
	if (o->type == CONF_ITEMS) {
		put_env_items(e, o, slot, &name);
		return true;
	}
	value = conf_value_of(o, slot);
	if (e->changed_only && conf_value_is_default(e->l, o, &value))
		return true;
	quoted = o->type != CONF_BOOL && o->type != CONF_INT &&
	    o->type != CONF_DUR;
	buf_printf(e->b, "%s=%s", name.s, quoted ? "\"" : "");
	conf_put_value(e->b, o, &value);
	buf_puts(e->b, quoted ? "\"\n" : "\n");
	return true;
}

/* see conf.h */
int
conf_cmd_defaultenv(const struct conf_cmd_env *env)
{
	struct conf_own_flag own[] = {
		{ .name = "base", .letter = 'b', .has_value = true },
		{ .name = "base-non-zero-only" },
	};
	struct buf b = BUF_INIT;
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_mem *mem = NULL;
	struct conf_load l = { .mem = &mem, .errs = &errs };
	struct env_out e = { .v = { .visit = env_out_visit }, .b = &b,
	    .l = &l };
	const struct conf *c = NULL;
	struct conf_args args;
	int ret;

	if ((ret = parse_args(env, &args, own, NOWN(own))) == 0 &&
	    (c = load_base(env, &args, own[0].value,
	    &ret)) != NULL) {
		e.changed_only = own[1].set;
		conf_visit(&e.v, &conf_root, c);
		b.failed |= errs.nomem;
		ret = print(env, &b);
	}
	conf_unref(c);
	conf_mem_free(mem);
	conf_errors_fini(&errs);
	buf_wipe(&b);
	conf_args_fini(&args);
	return ret;
}

struct diff {
	struct conf_visitor	 v;
	const struct conf	*was, *now;
	struct buf		*names;
	size_t			 n;
};

/* Whether two lists of items differ. */
static bool
items_differ(struct diff *d, const struct conf_opt *o,
    const struct conf_items *was, const struct conf_items *now)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool differ;

	put_items(&a, o, was, 0);
	put_items(&b, o, now, 0);
	d->names->failed |= a.failed || b.failed;
	differ = !sv_eq(buf_sv(&a), buf_sv(&b));
	buf_wipe(&a);
	buf_wipe(&b);
	return differ;
}

static bool
diff_visit(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct diff *d = (struct diff *)v;
	const void *other;
	struct conf_value a, b;
	bool differ;

	if (slot == NULL || o->type == CONF_GROUP || (o->flags & OF_RELOAD))
		return true;
	other = (const char *)d->now +
	    ((const char *)slot - (const char *)d->was);
	if (o->type == CONF_ITEMS) {
		differ = items_differ(d, o, slot, other);
	} else {
		a = conf_value_of(o, slot);
		b = conf_value_of(o, other);
		differ = !conf_value_eq(o, &a, &b);
	}
	if (differ)
		buf_printf(d->names, "%s%s", d->n++ > 0 ? ", " : "",
		    v->path.s);
	return true;
}

/* see conf.h */
size_t
conf_diff_reload(const struct conf *was, const struct conf *now,
    struct buf *names)
{
	struct diff d = { .v = { .visit = diff_visit }, .was = was,
	    .now = now, .names = names };

	conf_visit(&d.v, &conf_root, was);
	return d.n;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Making a configuration out of its sources, and its life.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "util/regex.h"

#define DEFAULT_FILE	"config.json"
#define DOTENV_FILE	".env"
#define SUGGESTIONS	10	/* computing one takes a walk of the table */

struct box {
	atomic_uint	 refs;
	struct conf_mem	*mem;
	struct conf	 c;
};

static struct box *
box_of(const struct conf *c)
{
	return (struct box *)((uintptr_t)c - offsetof(struct box, c));
}

/* see conf.h */
const struct conf *
conf_ref(const struct conf *c)
{
	atomic_fetch_add_explicit(&box_of(c)->refs, 1, memory_order_relaxed);
	return c;
}

static void
drop(const struct regex *re)
{
	regex_free((struct regex *)(uintptr_t)re);
}

/* What conf_compile has made. */
static void
free_expressions(const struct conf *c)
{
	const struct conf_channels *ch = &c->channel;
	size_t i;

	drop(c->client.token.audience_re);
	drop(c->client.token.issuer_re);
	drop(c->client.subscription_token.token.audience_re);
	drop(c->client.subscription_token.token.issuer_re);
	drop(ch->without_namespace.channel_re);
	for (i = 0; i < ch->namespaces.n; i++)
		drop(ch->namespaces.v[i].opt.channel_re);
}

/* see conf.h */
void
conf_unref(const struct conf *c)
{
	struct box *box;

	if (c == NULL)
		return;
	box = box_of(c);
	if (atomic_fetch_sub_explicit(&box->refs, 1,
	    memory_order_acq_rel) > 1)
		return;
	free_expressions(c);
	conf_mem_free(box->mem);
	free(box);
}

/* see conf.h */
const struct conf_channel *
conf_channel_find(const struct conf *c, struct sv name)
{
	const struct conf_namespaces *ns = &c->channel.namespaces;
	size_t i;

	if (name.n == 0)
		return &c->channel.without_namespace;
	for (i = 0; i < ns->n; i++)
		if (sv_eq(sv_from(ns->v[i].name), name))
			return &ns->v[i].opt;
	return NULL;
}

/* see conf.h */
int64_t
conf_meta_ttl(const struct conf *c, const struct conf_channel *ch)
{
	return ch->history_meta_ttl != 0 ? ch->history_meta_ttl :
	    c->channel.history_meta_ttl;
}

/* see conf.h */
const char *
conf_data_format(const struct conf *c, const struct conf_channel *ch)
{
	return *ch->publication_data_format != '\0' ?
	    ch->publication_data_format : c->channel.publication_data_format;
}

/* see conf.h */
const char *
conf_client_auth(const struct conf_tls *t)
{
	if (*t->client_ca_pem == '\0')
		return "";
	return *t->client_auth != '\0' ? t->client_auth : "require";
}

/* see conf.h */
const char *
conf_internal_address(const struct conf *c)
{
	return *c->http_server.internal_address != '\0' ?
	    c->http_server.internal_address : c->http_server.address;
}

/* see conf.h */
int64_t
conf_internal_port(const struct conf *c)
{
	return c->http_server.internal_port != 0 ?
	    c->http_server.internal_port : c->http_server.port;
}

/* see conf.h */
bool
conf_is_separate(const struct conf *c)
{
	return conf_internal_port(c) != c->http_server.port ||
	    strcmp(conf_internal_address(c), c->http_server.address) != 0;
}

/* see load.h */
int
conf_items_alloc(struct conf_load *l, const struct conf_opt *o,
    struct conf_items *items, size_t n)
{
	size_t i;

	items->n = 0;
	items->v = conf_alloc(l->mem, n * o->item_size);
	if (items->v == NULL) {
		conf_say(l->errs, CONF_NOMEM, (struct conf_at){ 0 }, "",
		    "memory");
		return -1;
	}
	for (i = 0; i < n; i++)
		if (conf_set_defaults(l, o,
		    (char *)items->v + i * o->item_size) == -1)
			return -1;
	items->n = n;
	return 0;
}

static bool
is_ours(struct sv var)
{
	return sv_starts(var, SV("CENTRIFUGO_")) ||
	    sv_starts(var, SV("FUGU_"));
}

static int
no_memory(struct conf_load *l)
{
	conf_say(l->errs, CONF_NOMEM, (struct conf_at){ 0 }, "", "memory");
	return -1;
}

/* Keep a NAME=value, unless the name is there already. */
static int
add_var(struct conf_load *l, struct sv name, struct sv value)
{
	struct conf_var *v;
	size_t i;

	for (i = 0; i < l->nvar; i++)
		if (sv_eq(sv_from(l->var[i].name), name))
			return 0;
	v = reallocarray(l->var, l->nvar + 1, sizeof(*v));
	if (v == NULL)
		return no_memory(l);
	l->var = v;
	v += l->nvar;
	v->used = false;
	v->name = conf_strdup(l->mem, name);
	v->value = conf_strdup(l->mem, value);
	if (v->name == NULL || v->value == NULL)
		return no_memory(l);
	l->nvar++;
	return 0;
}

static int
take_environ(struct conf_load *l, char *const *env)
{
	struct sv value, name;

	for (; env != NULL && *env != NULL; env++) {
		value = sv_from(*env);
		name = sv_cut(&value, '=');
		if (value.p != NULL && is_ours(name) &&
		    add_var(l, name, value) == -1)
			return -1;
	}
	return 0;
}

/* A line of .env: [export] NAME=value, value perhaps in quotes. */
static int
dotenv_line(struct conf_load *l, struct sv line)
{
	struct sv value = sv_trim(line), name;

	if (sv_starts(value, SV("export ")))
		value = sv_skip(value, 7);
	name = sv_trim(sv_cut(&value, '='));
	if (value.p == NULL || !is_ours(name))
		return 0;
	value = sv_trim(value);
	if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
	    value.p[value.n - 1] == value.p[0])
		value = sv_make(value.p + 1, value.n - 2);
	return add_var(l, name, value);
}

/* .env adds what the environment has not. */
static int
take_dotenv(struct conf_load *l, const struct conf_source *src)
{
	struct conf_at at = { DOTENV_FILE, { NULL, 0 }, NULL };
	struct buf b = BUF_INIT;
	struct sv rest, line;
	int ret = 0;

	if (conf_read_file(DOTENV_FILE, &b) == 0) {
		l->c->has_dotenv = true;
		rest = buf_sv(&b);
		while (rest.p != NULL && ret == 0) {
			line = sv_cut(&rest, '\n');
			if (line.n > 0 && line.p[line.n - 1] == '\r')
				line.n--;
			ret = dotenv_line(l, line);
		}
	} else if (b.failed)
		ret = no_memory(l);
	else if (src->was != NULL && src->was->has_dotenv)
		conf_say(l->errs, CONF_NOFILE, at, "", "%s",
		    strerror(errno));
	buf_wipe(&b);
	return ret;
}

/* Kubernetes sets these for every service, whatever it is called. */
static bool
is_kubernetes(const char *name)
{
	const char *rest = strchr(name, '_');

	return rest != NULL && (strstr(rest, "_PORT") != NULL ||
	    strstr(rest, "_SERVICE_") != NULL);
}

static void
warn_unknown_vars(struct conf_load *l)
{
	size_t i;

	for (i = 0; i < l->nvar; i++)
		if (!l->var[i].used && !is_kubernetes(l->var[i].name) &&
		    strncmp(l->var[i].name, "CENTRIFUGO_VAR_", 15) != 0 &&
		    strncmp(l->var[i].name, "FUGU_VAR_", 9) != 0)
			conf_say(l->errs, CONF_WARN,
			    (struct conf_at){ l->var[i].name, { NULL, 0 },
			    NULL }, "", "unknown variable");
}

/* 1 if the name ends as files in another language do. */
static int
is_foreign(struct conf_load *l, const char *path)
{
	static const char *const ext[][2] = {
		{ ".yaml", "YAML" }, { ".yml", "YAML" }, { ".toml", "TOML" },
	};
	struct conf_at at = { path, { NULL, 0 }, NULL };
	size_t i;

	for (i = 0; i < sizeof(ext) / sizeof(ext[0]); i++)
		if (sv_ends(sv_from(path), sv_from(ext[i][0]))) {
			conf_say(l->errs, CONF_BAD, at, "",
			    "%s is not supported: convert it to JSON, for "
			    "instance with yq -o json", ext[i][1]);
			return 1;
		}
	return 0;
}

static void
take_file(struct conf_load *l, const struct conf_source *src)
{
	const char *path = src->path != NULL ? src->path : DEFAULT_FILE;
	struct conf_at at = { path, { NULL, 0 }, NULL };
	struct buf b = BUF_INIT;

	if (src->text.p != NULL) {
		conf_load_json(l, path, src->text);
		return;
	}
	if (is_foreign(l, path))
		return;
	if (strcmp(path, "-") == 0)
		at.name = "standard input";
	if (conf_read_file(path, &b) == 0) {
		l->c->has_file = true;
		conf_load_json(l, at.name, buf_sv(&b));
	} else if (b.failed)
		no_memory(l);
	else if (src->path == NULL && errno == ENOENT &&
	    (src->was == NULL || !src->was->has_file))
		conf_say(l->errs, CONF_WARN, at, "",
		    "no such file: starting without a configuration file");
	else
		conf_say(l->errs, CONF_NOFILE, at, "", "%s",
		    strerror(errno));
	buf_wipe(&b);
}

static void
build(struct conf_load *l, const struct conf_source *src)
{
	if (conf_set_defaults(l, &conf_root, l->c) == -1 ||
	    take_environ(l, src->environ) == -1)
		return;
	if (src->path == NULL && src->text.p == NULL &&
	    take_dotenv(l, src) == -1)
		return;
	take_file(l, src);
	conf_load_env(l, "CENTRIFUGO_");
	conf_load_env(l, "FUGU_");
	conf_load_flags(l, src->flags, src->nflags);
	warn_unknown_vars(l);
	/* What is wrong by itself would be reported again by its effects. */
	if (l->errs->bad == 0 && !l->errs->nomem)
		conf_check(l);
}

/* see conf.h */
int
conf_load(const struct conf **out, const struct conf_source *src,
    struct conf_errors *errs)
{
	struct box *box = calloc(1, sizeof(*box));
	struct conf_load l = { .errs = errs, .nsuggest = SUGGESTIONS };
	size_t was = errs->bad;

	*out = NULL;
	if (box == NULL) {
		no_memory(&l);
		return -1;
	}
	atomic_init(&box->refs, 1);
	l.c = &box->c;
	l.mem = &box->mem;
	errs->bad = 0;
	build(&l, src);
	free(l.var);
	if (errs->bad > 0 || errs->nomem)
		conf_unref(&box->c);
	else
		*out = &box->c;
	errs->bad += was;
	return *out == NULL ? -1 : 0;
}

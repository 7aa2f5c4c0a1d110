/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What can only be said about a configuration as a whole: options that
 * must agree with each other, names, patterns, and paths of endpoints.
 */
#include <stdlib.h>

#include "conf/load.h"
#include "util/glob.h"

#define NAME_MAX_LEN	100

static void
bad(struct conf_load *l, const char *key, const char *what)
{
	conf_say(l->errs, CONF_BAD, (struct conf_at){ 0 }, key, "%s", what);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* [-a-zA-Z0-9_.]{2,} */
static bool
is_name(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (!is_letter(s[n]) && !(s[n] >= '0' && s[n] <= '9') &&
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
check_namespaces(struct conf_load *l)
{
	const struct conf_namespaces *ns = &l->c->channel.namespaces;
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
check_client(struct conf_load *l)
{
	const struct conf_client *cl = &l->c->client;
	const char *p, *why;
	struct glob *g;
	size_t i;

	if (cl->ping_interval <= cl->pong_timeout)
		bad(l, "client.ping_interval",
		    "must be longer than client.pong_timeout");
	for (p = cl->token.user_id_claim; *p != '\0'; p++)
		if (!is_letter(*p)) {
			bad(l, "client.token.user_id_claim",
			    "must be of letters and _ only");
			break;
		}
	for (i = 0; i < cl->allowed_origins.n; i++) {
		g = glob_new(sv_from(cl->allowed_origins.v[i]), &why);
		if (g == NULL)
			conf_say(l->errs, CONF_BAD, (struct conf_at){ 0 },
			    "client.allowed_origins", "%s: %s",
			    cl->allowed_origins.v[i], why);
		glob_free(g);
	}
}

/* A prefix without '/' at the end; "/" for the empty one. */
static const char *
normal_prefix(struct conf_load *l, const char *prefix)
{
	struct sv s = sv_from(prefix);
	const char *out;

	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	if (s.n == 0)
		return "/";
	if (prefix[s.n] == '\0')
		return prefix;
	out = conf_strdup(l->mem, s);
	if (out == NULL)
		conf_say(l->errs, CONF_NOMEM, (struct conf_at){ 0 }, "",
		    "memory");
	return out;
}

struct prefixes {
	struct conf_visitor	 v;
	struct conf_load	*l;
};

static bool
check_prefix(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct conf_load *l = ((struct prefixes *)v)->l;
	const char **prefix = slot, *p, *normal;

	if (slot == NULL || !(o->flags & OF_PREFIX))
		return true;
	if (**prefix != '\0' && **prefix != '/')
		bad(l, v->path.s, "must begin with /");
	for (p = *prefix; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || *p == '?' || *p == '#' ||
		    *p == '%') {
			bad(l, v->path.s, "must be a plain path");
			break;
		}
	if ((normal = normal_prefix(l, *prefix)) != NULL)
		*prefix = normal;
	return true;
}

struct endpoint {
	const char	*key;
	const char	*prefix;
	bool		 enabled;
	bool		 external;
};

/* Two endpoints of one port can't have one path. */
static void
check_collisions(struct conf_load *l)
{
	const struct conf *c = l->c;
	const struct endpoint e[] = {
		{ "websocket.handler_prefix", c->websocket.handler_prefix,
		    !c->websocket.disabled, true },
		{ "http_api.handler_prefix", c->http_api.handler_prefix,
		    !c->http_api.disabled, c->http_api.external },
		{ "prometheus.handler_prefix", c->prometheus.handler_prefix,
		    c->prometheus.enabled, false },
		{ "health.handler_prefix", c->health.handler_prefix,
		    c->health.enabled, false },
	};
	bool one = conf_internal_port(c) == c->http_server.port &&
	    strcmp(conf_internal_address(c), c->http_server.address) == 0;
	size_t i, j;

	for (i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		for (j = 0; j < i; j++)
			if (e[i].enabled && e[j].enabled &&
			    (one || e[i].external == e[j].external) &&
			    strcmp(e[i].prefix, e[j].prefix) == 0)
				conf_say(l->errs, CONF_BAD,
				    (struct conf_at){ 0 }, e[i].key,
				    "is the same as %s", e[j].key);
}

/* see load.h */
void
conf_check(struct conf_load *l)
{
	struct prefixes prefixes = { .v = { .visit = check_prefix }, .l = l };

	check_client(l);
	check_namespaces(l);
	conf_visit(&prefixes.v, conf_root, l->c);
	if (!l->errs->nomem)
		check_collisions(l);
}

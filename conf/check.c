/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What can only be said about a configuration as a whole: options that
 * must agree with each other, patterns, and paths of endpoints.
 */
#include "conf/load.h"
#include "util/glob.h"
#include "util/regex.h"

#define REASON_MAX	123	/* what a close frame can hold */

/* see load.h */
void
conf_bad(struct conf_load *l, enum conf_kind kind, const char *group,
    const char *name, const char *what)
{
	struct conf_path key = { .n = 0 };

	conf_path_push(&key, sv_from(group));
	conf_path_push(&key, sv_from(name));
	conf_say(l->errs, kind, (struct conf_at){ 0 }, key.s, "%s", what);
}

/* see load.h */
void
conf_compile(struct conf_load *l, const char *group, const char *name,
    const char *pattern, const struct regex **out)
{
	const char *why;

	if (*pattern == '\0')
		return;
	*out = regex_new(sv_from(pattern), &why);
	if (*out == NULL)
		conf_bad(l, CONF_BAD, group, name, why);
}

/* see load.h */
bool
conf_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void
check_client(struct conf_load *l)
{
	const struct conf_client *cl = &l->c->client;
	const char *why;
	struct glob *g;
	size_t i;

	if (cl->ping_interval <= cl->pong_timeout)
		conf_bad(l, CONF_BAD, "client", "ping_interval",
		    "must be longer than client.pong_timeout");
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
		conf_bad(l, CONF_BAD, "", v->path.s, "must begin with /");
	for (p = *prefix; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || *p == '?' || *p == '#' ||
		    *p == '%') {
			conf_bad(l, CONF_BAD, "", v->path.s,
			    "must be a plain path");
			break;
		}
	if ((normal = normal_prefix(l, *prefix)) != NULL)
		*prefix = normal;
	return true;
}

static bool
is_reason(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if ((unsigned char)s[n] >= 0x80)
			return false;
	return n <= REASON_MAX;
}

static void
check_disconnects(struct conf_load *l)
{
	const struct conf_disconnect_transforms *t =
	    &l->c->client.connect_code_to_unidirectional_disconnect.transforms;
	const char *group = "client.connect_code_to_unidirectional_disconnect";
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->v[i].code == 0 || t->v[i].to.code == 0)
			conf_bad(l, CONF_BAD, group, "transforms",
			    "each needs code and to.code");
		if (!is_reason(t->v[i].to.reason))
			conf_bad(l, CONF_BAD, group, "transforms",
			    "to.reason must be ASCII, at most 123 bytes");
	}
}

static void
check_responses(struct conf_load *l, const char *group,
    const struct conf_stream *s)
{
	const struct conf_response_transforms *t =
	    &s->connect_code_to_http_response.transforms;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].code == 0 || t->v[i].to.status_code == 0)
			conf_bad(l, CONF_BAD, group,
			    "connect_code_to_http_response.transforms",
			    "each needs code and to.status_code");
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
		{ "sse.handler_prefix", c->sse.handler_prefix,
		    c->sse.enabled, true },
		{ "http_stream.handler_prefix",
		    c->http_stream.handler_prefix,
		    c->http_stream.enabled, true },
		{ "emulation.handler_prefix", c->emulation.handler_prefix,
		    c->sse.enabled || c->http_stream.enabled, true },
		{ "uni_websocket.handler_prefix",
		    c->uni_websocket.handler_prefix,
		    c->uni_websocket.enabled, true },
		{ "uni_sse.handler_prefix", c->uni_sse.handler_prefix,
		    c->uni_sse.enabled, true },
		{ "uni_http_stream.handler_prefix",
		    c->uni_http_stream.handler_prefix,
		    c->uni_http_stream.enabled, true },
		{ "init.handler_prefix", c->init.handler_prefix,
		    c->init.enabled, true },
		{ "http_api.handler_prefix", c->http_api.handler_prefix,
		    !c->http_api.disabled, c->http_api.external },
		{ "prometheus.handler_prefix", c->prometheus.handler_prefix,
		    c->prometheus.enabled, false },
		{ "health.handler_prefix", c->health.handler_prefix,
		    c->health.enabled, false },
	};
	size_t i, j;

	for (i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		for (j = 0; j < i; j++)
			if (e[i].enabled && e[j].enabled &&
			    (!conf_is_separate(c) ||
			    e[i].external == e[j].external) &&
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
	check_disconnects(l);
	check_responses(l, "uni_sse", &l->c->uni_sse);
	check_responses(l, "uni_http_stream", &l->c->uni_http_stream);
	conf_check_server(l);
	conf_check_tokens(l);
	conf_check_channels(l);
	conf_visit(&prefixes.v, &conf_root, l->c);
	if (!l->errs->nomem)
		check_collisions(l);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The table of options against a list of Centrifugo's options that was made
 * without it, and what becomes of every option that is not supported.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/load.h"
#include "tests/unit/test.h"

#define KEYS	"tests/unit/data/conf_keys.txt"
#define MAXKEYS	2000

struct key {
	char	name[160];
	char	type[16];
	char	def[64];
};

static struct key keys[MAXKEYS];
static size_t nkeys;

static void
read_keys(void)
{
	char line[256];
	FILE *f;

	nkeys = 0;
	if (!CHECK((f = fopen(KEYS, "r")) != NULL))
		return;
	while (fgets(line, sizeof(line), f) != NULL && nkeys < MAXKEYS) {
		struct key *k = &keys[nkeys];

		k->def[0] = '\0';
		if (line[0] != '#' && sscanf(line, "%159s %15s %63s",
		    k->name, k->type, k->def) >= 2)
			nkeys++;
	}
	fclose(f);
	CHECK_INT(nkeys, 1168);
}

/* The row for a name in which [] stands after lists of objects. */
static bool
row_of(const char *name, struct conf_opt *o, const void **slot)
{
	const void *base = *slot;
	struct sv rest = sv_from(name), part;
	struct conf_opt group;
	void *next;

	*o = conf_root;
	while (rest.p != NULL) {
		part = sv_cut(&rest, '.');
		if (sv_ends(part, SV("[]")))
			part.n -= 2;
		group = *o;
		if ((group.type != CONF_GROUP && group.type != CONF_ITEMS) ||
		    !conf_find(&group, part, base, o, &next))
			return false;
		base = next;
	}
	*slot = base;
	return true;
}

static const char *
type_name(const struct conf_opt *o)
{
	static const char *const names[] = {
		[CONF_BOOL] = "bool", [CONF_INT] = "int",
		[CONF_PORT] = "string", [CONF_DUR] = "duration",
		[CONF_STR] = "string", [CONF_PEM] = "pem",
		[CONF_LIST] = "list", [CONF_MAP] = "map",
		[CONF_ITEMS] = "items",
	};

	return names[o->type];
}

TEST(every_option_of_centrifugo_is_known)
{
	static const struct conf any;
	struct conf_opt o;
	const void *slot;
	const char *def;
	size_t i;

	read_keys();
	for (i = 0; i < nkeys; i++) {
		test_note("%s", keys[i].name);
		slot = &any;
		if (!CHECK(row_of(keys[i].name, &o, &slot)))
			continue;
		CHECK_STR(type_name(&o), keys[i].type);
		def = conf_default(&o);
		CHECK_STR(strcmp(def, "0") == 0 ? "" : def, keys[i].def);
		CHECK(!(o.flags & OF_EXTRA));
	}
}

static bool
is_key(const char *name)
{
	size_t i;

	for (i = 0; i < nkeys; i++)
		if (strcmp(keys[i].name, name) == 0)
			return true;
	return false;
}

/* One row by itself. */
static bool
check_row(struct conf_visitor *v, const struct conf_opt *o, void *slot)
{
	struct conf_mem *mem = NULL;
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_load l = { .mem = &mem, .errs = &errs };
	struct conf_value value;
	struct conf_range r = conf_range(o);
	const char *def = o->type == CONF_GROUP ? "" : conf_default(o);
	size_t n, was;

	test_note("%s", v->path.s);
	CHECK(!(o->flags & OF_STORED) == (slot == NULL));
	if (o->type == CONF_GROUP)
		return true;
	n = strlen(conf_help(o));
	CHECK(slot == NULL ? n == 0 : n > 3 && conf_help(o)[n - 1] == '.');
	CHECK(is_key(v->path.s) != !!(o->flags & OF_EXTRA));
	if (o->type == CONF_ITEMS) {
		was = v->path.n;
		conf_path_add(&v->path, SV("[]"));
		conf_visit(v, o, slot);
		conf_path_pop(&v->path, was);
	} else {
		CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, "", o,
		    def, &value), *def != '\0' || o->type == CONF_STR ||
		    o->type == CONF_PEM || o->type == CONF_LIST ||
		    o->type == CONF_MAP || o->type == CONF_PORT ? 0 : -1);
		CHECK(r.min < r.max);
		CHECK(!(slot != NULL && (o->flags & OF_NOP)));
	}
	conf_mem_free(mem);
	conf_errors_fini(&errs);
	return true;
}

TEST(rows_are_sound_and_additions_are_marked)
{
	static const struct conf any;
	struct conf_visitor v = { .visit = check_row };

	read_keys();
	conf_visit(&v, &conf_root, &any);
}

/* JSON for an option: its groups around the value. */
static void
put_nested(struct buf *b, const char *name, struct sv value)
{
	struct sv rest = sv_from(name), part;
	int depth = 0;

	while (rest.p != NULL) {
		part = sv_cut(&rest, '.');
		buf_printf(b, "{\"%.*s\":", SV_ARG(part));
		depth++;
	}
	buf_putsv(b, value);
	while (depth-- > 0)
		buf_putc(b, '}');
}

/* A value that is not the default, as JSON and as text. */
static void
other_value(const struct conf_opt *o, struct buf *json, struct buf *text)
{
	struct sv choices, s;

	switch (o->type) {
	case CONF_BOOL:
		s = SV("true");
		break;
	case CONF_INT:
		s = SV("12345");
		break;
	case CONF_DUR:
		s = SV("77s");
		break;
	case CONF_LIST:
		buf_puts(json, "[\"zz\"]");
		s = SV("zz");
		break;
	case CONF_MAP:
		s = SV("{\"a\":\"zz\"}");
		break;
	case CONF_ITEMS:
		s = SV("[{}]");
		break;
	default:
		s = SV("zz");
		if (conf_choices(o) == NULL)
			break;
		choices = sv_from(o->choices);
		s = sv_cut(&choices, ' ');
		if (sv_eq(s, sv_from(conf_default(o))))
			s = sv_cut(&choices, ' ');
	}
	buf_putsv(text, s);
	buf_putc(text, '\0');
	if (o->type == CONF_DUR || o->type == CONF_STR || o->type == CONF_PEM)
		buf_printf(json, "\"%.*s\"", SV_ARG(s));
	else if (o->type != CONF_LIST)
		buf_putsv(json, s);
}

/* Load it; "" or the first finding. */
static const char *
load(const struct conf_source *src, char *out, size_t n)
{
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;

	conf_load(&c, src, &errs);
	snprintf(out, n, "%s", errs.n > 0 ? errs.v[0].text : "");
	CHECK((c == NULL) == (conf_errors_exit(&errs) == 78));
	conf_unref(c);
	conf_errors_fini(&errs);
	return out;
}

static void
check_refused(const struct key *k, const struct conf_opt *o)
{
	struct buf json = BUF_INIT, text = BUF_INIT, doc = BUF_INIT;
	char got[256], want[256], var[600];
	char *vars[] = { var, NULL };
	struct conf_flag flag = { k->name, NULL };
	struct conf_path name = { .n = 0 };
	struct conf_source src = { .path = "x" };
	bool nop = o->flags & OF_NOP;

	other_value(o, &json, &text);
	put_nested(&doc, k->name, buf_sv(&json));
	src.text = buf_sv(&doc);
	snprintf(want, sizeof(want), "%s: not supported yet", k->name);
	load(&src, got, sizeof(got));
	CHECK(nop ? got[0] == '\0' : strstr(got, want) != NULL);

	src.text = SV("{}");
	src.flags = &flag;
	src.nflags = 1;
	flag.value = text.p;
	load(&src, got, sizeof(got));
	CHECK(nop ? got[0] == '\0' : strstr(got, want) != NULL);

	src.nflags = 0;
	conf_env_name(&name, "CENTRIFUGO_", k->name);
	snprintf(var, sizeof(var), "%s=%s", name.s, text.p);
	src.environ = vars;
	load(&src, got, sizeof(got));
	CHECK(nop ? got[0] == '\0' : strstr(got, want) != NULL);
	buf_fini(&json);
	buf_fini(&text);
	buf_fini(&doc);
}

/* Its default, and zero, in the file. */
static void
check_default(const struct key *k, const struct conf_opt *o)
{
	static const char *const zero[] = {
		[CONF_BOOL] = "false", [CONF_INT] = "0", [CONF_PORT] = "\"\"",
		[CONF_DUR] = "0", [CONF_STR] = "\"\"", [CONF_PEM] = "\"\"",
		[CONF_LIST] = "[]", [CONF_MAP] = "{}", [CONF_ITEMS] = "[]",
	};
	struct buf b = BUF_INIT;
	char got[256], def[80];

	snprintf(def, sizeof(def), "\"%s\"", conf_default(o));
	put_nested(&b, k->name, sv_from(zero[o->type]));
	load(&(struct conf_source){ .path = "x", .text = buf_sv(&b) }, got,
	    sizeof(got));
	CHECK_STR(got, "");
	buf_reset(&b);
	put_nested(&b, k->name, sv_from(*conf_default(o) == '\0' ?
	    "null" : def));
	load(&(struct conf_source){ .path = "x", .text = buf_sv(&b) }, got,
	    sizeof(got));
	CHECK_STR(got, "");
	buf_fini(&b);
}

TEST(what_is_not_supported_is_refused_by_name_unless_it_is_the_default)
{
	static const struct conf any;
	struct conf_opt o;
	const void *slot;
	size_t i, refused = 0;

	read_keys();
	for (i = 0; i < nkeys; i++) {
		test_note("%s", keys[i].name);
		slot = &any;
		if (strstr(keys[i].name, "[]") != NULL ||
		    !row_of(keys[i].name, &o, &slot))
			continue;
		check_default(&keys[i], &o);
		if (slot != NULL)
			continue;
		check_refused(&keys[i], &o);
		refused++;
	}
	CHECK(refused > 600);
}

/* Valid where what other_value gives is not. */
static const char *const valid[][2] = {
	{ "http_server.internal_port", "81" },
	{ "http_server.tls_autocert.host_whitelist", "a.example" },
	{ "http_server.tls_autocert.cache_dir", "/zz" },
	{ "http_server.tls_autocert.http_addr", ":81" },
	{ "http_server.tls.cert_pem", "-----BEGIN CERTIFICATE-----" },
	{ "http_server.tls.key_pem", "-----BEGIN KEY-----" },
	{ "http_server.internal_tls.cert_pem",
	    "-----BEGIN CERTIFICATE-----" },
	{ "http_server.internal_tls.key_pem", "-----BEGIN KEY-----" },
	{ "websocket.compression_level", "9" },
	{ "uni_websocket.compression_level", "9" },
	{ "uni_websocket.handler_prefix", "/zz" },
	{ "sse.handler_prefix", "/zz" },
	{ "http_stream.handler_prefix", "/zz" },
	{ "uni_sse.handler_prefix", "/zz" },
	{ "uni_http_stream.handler_prefix", "/zz" },
	{ "emulation.handler_prefix", "/zz" },
	{ "init.handler_prefix", "/zz" },
	{ "http_api.handler_prefix", "/zz" },
	{ "websocket.handler_prefix", "/zz" },
	{ "prometheus.handler_prefix", "/zz" },
	{ "health.handler_prefix", "/zz" },
	{ "client.pong_timeout", "-1s" },
	{ "client.token.rsa_public_key", "-----BEGIN KEY-----" },
	{ "client.token.ecdsa_public_key", "-----BEGIN KEY-----" },
	{ "client.token.jwks_public_endpoint", "http://zz/" },
	{ "channel.without_namespace.allowed_delta_types", "fossil" },
};

/* What makes the others valid. */
static char *const needed[] = {
	"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_PRESENCE=true",
	"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_HISTORY_SIZE=5",
	"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_HISTORY_TTL=5s",
	"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_FORCE_RECOVERY=true",
	"CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE_FORCE_RECOVERY_MODE=cache",
	"CENTRIFUGO_CHANNEL_NAMESPACES=zz",
	"CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT=9",
	"CENTRIFUGO_HTTP_SERVER_TLS_CERT_PEM=-----BEGIN CERTIFICATE-----",
	"CENTRIFUGO_HTTP_SERVER_TLS_KEY_PEM=-----BEGIN KEY-----",
	"CENTRIFUGO_HTTP_SERVER_INTERNAL_TLS_CERT_PEM=-----BEGIN CERT-----",
	"CENTRIFUGO_HTTP_SERVER_INTERNAL_TLS_KEY_PEM=-----BEGIN KEY-----",
	"CENTRIFUGO_HTTP_SERVER_TLS_AUTOCERT_HOST_WHITELIST=a.example",
	"CENTRIFUGO_HTTP_SERVER_TLS_AUTOCERT_CACHE_DIR=/a",
};
#define NNEEDED	(sizeof(needed) / sizeof(needed[0]))

/* Load it with what is needed, unless that is the variable called skip, and
 * find in the option what the text says. */
static void
check_is(struct conf_source *src, char *var, const char *skip,
    const char *name, const char *text)
{
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_mem *mem = NULL;
	struct conf_load l = { .mem = &mem, .errs = &errs };
	char *vars[NNEEDED + 2], **next = vars;
	struct conf_opt o;
	const struct conf *c;
	struct conf_path canon = { .n = 0 };
	struct conf_value want, got;
	size_t i, len = strlen(skip);
	void *slot;

	if (var != NULL)
		*next++ = var;
	for (i = 0; i < NNEEDED; i++)
		if (strncmp(needed[i], skip, len) != 0 ||
		    needed[i][len] != '=')
			*next++ = needed[i];
	*next = NULL;
	src->environ = vars;
	if (!CHECK_INT(conf_load(&c, src, &errs), 0))
		test_note("%s: %s", name, errs.v[0].text);
	if (CHECK(c != NULL) &&
	    CHECK(conf_find_dotted(sv_from(name), c, &o, &slot, &canon) &&
	    slot != NULL) &&
	    CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, name, &o,
	    text, &want), 0)) {
		got = conf_value_of(&o, slot);
		CHECK(conf_value_eq(&o, &got, &want));
		CHECK(!conf_value_is_default(&l, &o, &got));
	}
	conf_unref(c);
	conf_mem_free(mem);
	conf_errors_fini(&errs);
}

/* From the file, a flag, and the environment. */
static void
check_taken(const char *name, const struct conf_opt *o)
{
	struct buf json = BUF_INIT, text = BUF_INIT, doc = BUF_INIT;
	struct conf_path env = { .n = 0 };
	struct conf_source src = { .path = "x" };
	struct conf_flag flag = { name, NULL };
	char var[600];
	size_t i;

	other_value(o, &json, &text);
	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		if (strcmp(valid[i][0], name) == 0) {
			buf_reset(&json);
			buf_reset(&text);
			buf_printf(&json, "\"%s\"", valid[i][1]);
			buf_printf(&text, "%s%c", valid[i][1], '\0');
		}
	conf_env_name(&env, "CENTRIFUGO_", name);
	put_nested(&doc, name, buf_sv(&json));
	src.text = buf_sv(&doc);
	check_is(&src, NULL, env.s, name, text.p);

	src.text = SV("{}");
	src.flags = &flag;
	src.nflags = 1;
	flag.value = text.p;
	check_is(&src, NULL, env.s, name, text.p);

	src.nflags = 0;
	snprintf(var, sizeof(var), "%s=%s", env.s, text.p);
	check_is(&src, var, env.s, name, text.p);
	buf_fini(&json);
	buf_fini(&text);
	buf_fini(&doc);
}

TEST(what_is_supported_is_taken_from_every_source)
{
	static const struct conf any;
	struct conf_opt o;
	const void *slot;
	size_t i, taken = 0;

	read_keys();
	for (i = 0; i < nkeys; i++) {
		test_note("%s", keys[i].name);
		slot = &any;
		if (strstr(keys[i].name, "[]") != NULL ||
		    !row_of(keys[i].name, &o, &slot) ||
		    slot == NULL || o.type == CONF_ITEMS)
			continue;
		check_taken(keys[i].name, &o);
		taken++;
	}
	CHECK(taken > 150);
}

static const struct {
	const char	*wrong;
	const char	*near;		/* "": none */
} near_rows[] = {
	{ "client.ping_intervall", "client.ping_interval" },
	{ "client.ping_intervl", "client.ping_interval" },
	{ "clientt.ping_interval", "client.ping_interval" },
	{ "ping_interval", "client.ping_interval" },
	{ "http_server.prot", "http_server.port" },
	{ "CLIENT.INSECUR", "client.insecure" },
	{ "http_api.kye", "http_api.key" },
	{ "http_api.xy", "" },
	{ "channel.namespaces[0].x", "" },
	{ "channel.namespaces[12].force_recoveryy",
	    "channel.namespaces.force_recovery" },
	{ "namespaces", "channel.namespaces" },
	{ "websockets", "websocket" },
	{ "rubbish", "" },
	{ "x", "" },
	{ "", "" },
	{ "a.very.long.name.that.goes.on.and.on.and.on.and.on.and.on.and.on."
	    "and.on.and.on.and.on", "" },
};

TEST(the_nearest_name_is_found)
{
	struct conf_path near;
	size_t i;

	for (i = 0; i < sizeof(near_rows) / sizeof(near_rows[0]); i++) {
		test_note("%s", near_rows[i].wrong);
		near.n = 0;
		near.s[0] = '\0';
		CHECK_INT(conf_suggest(near_rows[i].wrong, &near),
		    *near_rows[i].near != '\0');
		CHECK_STR(near.s, near_rows[i].near);
	}
}

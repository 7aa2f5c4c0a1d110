/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The command line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/load.h"
#include "tests/unit/test.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

/* Words; and what comes of them: "name=value" of each flag, then c= the
 * file, u= and s the own flags, and the operands after a '|'. */
static const struct {
	char		*argv[8];
	const char	*out;		/* or what is said, if it is wrong */
	int		 ret;
} rows[] = {
	{ { NULL }, "|", 0 },
	{ { "-c", "x.json" }, "c=x.json |", 0 },
	{ { "-cx.json" }, "c=x.json |", 0 },
	{ { "--config", "x.json" }, "c=x.json |", 0 },
	{ { "--config=x.json" }, "c=x.json |", 0 },
	{ { "--config=" }, "c= |", 0 },
	{ { "-c", "a", "-c", "b" }, "c=b |", 0 },
	{ { "-p", "80", "-a", "::1" },
	    "http_server.port=80 http_server.address=::1 |", 0 },
	{ { "-p80" }, "http_server.port=80 |", 0 },
	{ { "--http_server.port=80" }, "http_server.port=80 |", 0 },
	{ { "--http_server.port", "80" }, "http_server.port=80 |", 0 },
	{ { "--HTTP_SERVER.Port", "80" }, "HTTP_SERVER.Port=80 |", 0 },
	{ { "--http_server.address=" }, "http_server.address= |", 0 },
	{ { "--node.name", "--x" }, "node.name=--x |", 0 },
	{ { "--client.insecure" }, "client.insecure=true |", 0 },
	{ { "--client.insecure=false" }, "client.insecure=false |", 0 },
	{ { "--client.insecure", "no", "x" },
	    "client.insecure=no | x", 0 },
	{ { "--client.insecure", "--health.enabled" },
	    "client.insecure=true health.enabled=true |", 0 },
	{ { "--client.insecure", "x" }, "client.insecure=true | x", 0 },
	{ { "--uni_grpc.enabled" }, "uni_grpc.enabled=true |", 0 },
	{ { "--channel.namespaces", "a b" }, "channel.namespaces=a b |", 0 },
	{ { "x", "-", "--", "-c", "--" }, "| x - -c --", 0 },
	{ { "-u", "42" }, "u=42 |", 0 },
	{ { "-su42" }, "s u=42 |", 0 },
	{ { "-s", "--user=42", "x" }, "s u=42 | x", 0 },
	{ { "--strict" }, "s |", 0 },
	{ { "-sp9" }, "http_server.port=9 s |", 0 },
	{ { "--strict=1" }, "--strict: takes no value\n", -1 },
	{ { "-u" }, "-u: needs a value\n", -1 },
	{ { "-c" }, "-c: needs a value\n", -1 },
	{ { "--config" }, "--config: needs a value\n", -1 },
	{ { "--http_server.port" }, "--http_server.port: needs a value\n",
	    -1 },
	{ { "-x" }, "-x: unknown flag\n", -1 },
	{ { "--http_server=1" }, "--http_server: is a group of options\n",
	    -1 },
	{ { "--http_serve" }, "--http_serve: unknown flag\n", -1 },
	{ { "--client.insecur" }, "--client.insecur: unknown flag (did you "
	    "mean --client.insecure?)\n", -1 },
	{ { "--http_api.kye=S3CRET" }, "--http_api.kye: unknown flag (did "
	    "you mean --http_api.key?)\n", -1 },
	{ { "--rubbish=S3CRET" }, "--rubbish: unknown flag\n", -1 },
	{ { "--http_server.port.x=1" }, "--http_server.port.x: unknown "
	    "flag\n", -1 },
};

static void
describe(FILE *f, const struct conf_args *a, const struct conf_own_flag *own)
{
	size_t i;

	for (i = 0; i < a->nflags; i++)
		fprintf(f, "%.*s=%s ", (int)strcspn(a->flags[i].name, "="),
		    a->flags[i].name, a->flags[i].value);
	if (a->config != NULL)
		fprintf(f, "c=%s ", a->config);
	if (own[0].set)
		fprintf(f, "s ");
	if (own[1].set)
		fprintf(f, "u=%s ", own[1].value);
	fprintf(f, "|");
	for (i = 0; i < a->noperands; i++)
		fprintf(f, " %s", a->operands[i]);
}

TEST(words_of_the_command_line)
{
	struct conf_args a;
	char out[512];
	FILE *f;
	size_t i;
	int ret;

	for (i = 0; i < N(rows); i++) {
		struct conf_own_flag own[] = {
			{ .name = "strict", .letter = 's' },
			{ .name = "user", .letter = 'u', .has_value = true },
		};

		test_note("row %zu %s", i, rows[i].argv[0]);
		memset(out, 0, sizeof(out));
		if (!CHECK((f = fmemopen(out, sizeof(out), "w")) != NULL))
			return;
		ret = conf_args_parse(&a, rows[i].argv, own, N(own), f);
		CHECK_INT(ret, rows[i].ret);
		if (ret == 0)
			describe(f, &a, own);
		fclose(f);
		CHECK_STR(out, rows[i].out);
		conf_args_fini(&a);
	}
}

TEST(flags_make_a_configuration)
{
	char *argv[] = { "-p", "0x50", "--client.insecure",
	    "--client.allowed_origins=a b", "--channel.namespaces",
	    "[{\"name\":\"chat\",\"allow_publish_for_client\":true}]",
	    "--shutdown.timeout", "1m", NULL };
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_source src;
	struct conf_args a;
	const struct conf *c;

	CHECK_INT(conf_args_parse(&a, argv, NULL, 0, stderr), 0);
	src = conf_args_source(&a, NULL);
	src.text = SV("{}");
	if (CHECK_INT(conf_load(&c, &src, &errs), 0)) {
		CHECK_INT(c->http_server.port, 80);
		CHECK(c->client.insecure);
		CHECK_INT(c->client.allowed_origins.n, 2);
		CHECK_INT(c->channel.namespaces.n, 1);
		CHECK(c->channel.namespaces.v[0].opt.allow_publish_for_client);
		CHECK_INT(c->shutdown.timeout, 60000);
		conf_unref(c);
	}
	CHECK_INT(errs.n, 0);
	conf_errors_fini(&errs);
	conf_args_fini(&a);
}

TEST(values_of_flags_are_checked)
{
	static const struct conf_flag flags[] = {
		{ "http_server.port", "x" }, { "log.level", "loud" },
		{ "channel.user_boundary", "" },
		{ "uni_grpc.enabled", "1" }, { "uni_grpc.enabled", "false" },
		{ "channel.namespaces", "[1" }, { "client", "1" },
	};
	static const char *const want[] = {
		"command line: http_server.port: expected a whole number, "
		    "got x",
		"command line: log.level: must be one of: trace debug info "
		    "warn error fatal none",
		"command line: channel.user_boundary: must not be empty",
		"command line: uni_grpc.enabled: not supported yet",
		"command line:1:3: not valid JSON: ",
		"command line: --client: unknown option",
	};
	struct conf_source src = { .path = "x", .text = SV("{}"),
	    .flags = flags, .nflags = N(flags) };
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;
	size_t i;

	CHECK_INT(conf_load(&c, &src, &errs), -1);
	CHECK_INT(errs.n, N(want));
	for (i = 0; i < errs.n && i < N(want); i++) {
		test_note("%s", errs.v[i].text);
		CHECK(strncmp(errs.v[i].text, want[i], strlen(want[i])) == 0);
	}
	conf_errors_fini(&errs);
}

static bool
sweep_args(void)
{
	char *argv[] = { "-p", "80", "--client.insecure", "x", "y", NULL };
	struct conf_args a;
	FILE *null = fopen("/dev/null", "w");
	bool ok = false;

	if (null == NULL)
		return false;
	ok = conf_args_parse(&a, argv, NULL, 0, null) == 0;
	conf_args_fini(&a);
	fclose(null);
	return ok;
}

TEST(no_memory_is_an_error_and_nothing_leaks)
{
	ALLOC_SWEEP(sweep_args);
}

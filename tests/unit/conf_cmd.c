/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands about configurations, and that man/fugu.conf.5 is what its
 * frame and the table make. To make it anew:
 *
 *	./fugu configdoc --mdoc | sed -e '/^@OPTIONS@$/{' -e 'r /dev/stdin' \
 *	    -e d -e '}' man/fugu.conf.5.in >man/fugu.conf.5
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/load.h"
#include "tests/unit/test.h"

#define REAL	"tests/unit/data/centrifugo.json"

/* Run a command; what it wrote to standard output, or to standard error
 * if that is nothing, until the next run. */
static char *output;

static int
run(int (*cmd)(const struct conf_cmd_env *), char *const *argv,
    char *const *vars)
{
	char *out = NULL, *err = NULL;
	size_t nout, nerr;
	struct conf_cmd_env env = { .argv = argv, .environ = vars };
	int ret;

	env.out = open_memstream(&out, &nout);
	env.err = open_memstream(&err, &nerr);
	env.random = (void (*)(void *, size_t))arc4random_buf;
	ret = cmd(&env);
	fclose(env.out);
	fclose(env.err);
	free(output);
	output = nout > 0 ? out : err;
	free(nout > 0 ? err : out);
	return ret;
}

#define RUN(cmd, ...)							\
	run(cmd, (char *const []){ __VA_ARGS__, NULL }, NULL)

/* A name in a directory of this test. */
static char dir[] = "/tmp/fugu-cmd-XXXXXX";

static char *
path(const char *name)
{
	static char buf[128];

	if (strstr(dir, "XXXXXX") != NULL)
		CHECK(mkdtemp(dir) != NULL);
	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static bool
says(const char *what)
{
	bool ok = output != NULL && strstr(output, what) != NULL;

	if (!ok)
		test_note("%.200s", output);
	return ok;
}

TEST(checkconfig)
{
	char *unknown[] = { "CENTRIFUGO_FOO=1", NULL };
	char *strict[] = { "-c", REAL, "-s", NULL };
	char *lax[] = { "-c", REAL, NULL };

	CHECK_INT(RUN(conf_cmd_checkconfig, "-c", REAL), 0);
	CHECK_STR(output, REAL ": OK\n");
	CHECK_INT(RUN(conf_cmd_checkconfig, "-c", REAL, "-s",
	    "--http_server.port=1"), 0);
	CHECK_INT(RUN(conf_cmd_checkconfig, "-c", REAL,
	    "--http_server.port=x", "--uni_grpc.enabled"), EX_CONFIG);
	CHECK_STR(output, "command line: http_server.port: expected a whole "
	    "number, got x\ncommand line: uni_grpc.enabled: not supported "
	    "yet\n");
	CHECK_INT(RUN(conf_cmd_checkconfig, "-c", "/nonexistent"),
	    EX_NOINPUT);
	CHECK(says("/nonexistent: No such file"));
	CHECK_INT(RUN(conf_cmd_checkconfig, "-x"), EX_USAGE);
	CHECK_INT(RUN(conf_cmd_checkconfig, "x"), EX_USAGE);
	CHECK(says("x: unexpected argument"));
	CHECK_INT(run(conf_cmd_checkconfig, lax, unknown), 0);
	CHECK_INT(run(conf_cmd_checkconfig, strict, unknown), EX_CONFIG);
	CHECK(says("warning: CENTRIFUGO_FOO: unknown variable"));
}

TEST(checkconfig_wants_a_file)
{
	int was = open(".", O_RDONLY | O_DIRECTORY);

	if (!CHECK(was != -1 && chdir("/") == 0))
		return;
	CHECK_INT(RUN(conf_cmd_checkconfig, "--"), EX_NOINPUT);
	CHECK(says("config.json: No such file"));
	CHECK(fchdir(was) == 0);
	close(was);
}

TEST(genconfig_makes_what_loads_and_never_overwrites)
{
	char *file = strdup(path("gen.json"));
	struct conf_source src = { .path = file };
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;
	struct stat st;

	CHECK_INT(RUN(conf_cmd_genconfig, "-c", file), 0);
	CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
	if (CHECK_INT(conf_load(&c, &src, &errs), 0)) {
		/* 64 bytes in base 64. */
		CHECK_INT(strlen(c->client.token.hmac_secret_key), 86);
		CHECK_INT(strlen(c->http_api.key), 86);
		CHECK(strcmp(c->client.token.hmac_secret_key,
		    c->http_api.key) != 0);
		CHECK_INT(c->client.allowed_origins.n, 0);
	}
	CHECK_INT(errs.n, 0);
	conf_unref(c);
	CHECK_INT(RUN(conf_cmd_genconfig, "-c", file), EX_CANTCREAT);
	CHECK(says("File exists"));
	unlink(file);
	CHECK_INT(RUN(conf_cmd_genconfig, "-c", path("x.yaml")), EX_USAGE);
	CHECK(says("must end in .json"));
	CHECK_INT(RUN(conf_cmd_genconfig, "-c", "/nonexistent/x.json"),
	    EX_CANTCREAT);
	CHECK_INT(RUN(conf_cmd_genconfig, "x"), EX_USAGE);
	free(file);
}

TEST(defaultconfig_gives_the_configuration_back)
{
	char *file = strdup(path("default.json")), *first;

	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d"), 0);
	CHECK(says("\"ping_interval\": \"25s\""));
	CHECK(says("\"internal_port\": \"\""));
	CHECK(says("\"namespaces\": []"));
	CHECK(!says("\"uni_grpc\""));
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-c", file, "-b", REAL), 0);
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d", "-b", REAL), 0);
	CHECK(says("\"name\": \"news-1.public\""));
	CHECK(says("\"internal_port\": \"8011\""));
	first = strdup(output);
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d", "-b", file), 0);
	CHECK_STR(output, first);
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-c", file), EX_CANTCREAT);
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d", "-b", "/nonexistent"),
	    EX_NOINPUT);
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d", "-b", REAL, "-p1"), 0);
	CHECK(says("\"port\": 1,"));
	unlink(file);
	free(first);
	free(file);
}

/* The lines of a file of variables, without quotes, as an environment. */
static char **
as_environ(char *text, char **env, size_t n)
{
	size_t i = 0;
	char *line, *to;

	for (; (line = strsep(&text, "\n")) != NULL && i + 1 < n;) {
		if (*line == '\0')
			continue;
		env[i++] = line;
		for (to = line; *line != '\0'; line++)
			if (*line != '"')
				*to++ = *line;
		*to = '\0';
	}
	env[i] = NULL;
	return env;
}

TEST(defaultenv_gives_the_configuration_back)
{
	char *env[256], *dry[] = { "-d", NULL }, *want, *vars;

	CHECK_INT(RUN(conf_cmd_defaultenv, "--base-non-zero-only"), 0);
	CHECK_STR(output, "");
	CHECK_INT(RUN(conf_cmd_defaultenv, "--"), 0);
	CHECK(says("CENTRIFUGO_CLIENT_PING_INTERVAL=25s\n"));
	CHECK(says("FUGU_WORKERS=0\n"));
	CHECK(says("CENTRIFUGO_CHANNEL_NAMESPACES=\"\"\n"));
	CHECK_INT(RUN(conf_cmd_defaultconfig, "-d", "-b", REAL), 0);
	want = strdup(output);
	CHECK_INT(RUN(conf_cmd_defaultenv, "-b", REAL,
	    "--base-non-zero-only"), 0);
	CHECK(says("CENTRIFUGO_CHANNEL_NAMESPACES=\"chat news-1.public\"\n"));
	CHECK(says("CENTRIFUGO_CHANNEL_NAMESPACES_NEWS_1_PUBLIC_ALLOW_"
	    "SUBSCRIBE_FOR_CLIENT=true\n"));
	CHECK(!says("PING_TIMEOUT"));
	vars = strdup(output);
	CHECK_INT(run(conf_cmd_defaultconfig, dry,
	    as_environ(vars, env, 256)), 0);
	CHECK_STR(output, want);
	free(want);
	free(vars);
	rmdir(dir);
}

TEST(configdoc_shows_every_option)
{
	CHECK_INT(RUN(conf_cmd_configdoc, "--"), 0);
	CHECK(says("\nclient.ping_interval\n    How often a client"));
	CHECK(says("\nconsumers[].kafka.brokers\n"));
	CHECK(says("\nchannel.namespaces[].allow_publish_for_client\n"));
	CHECK(says("Not supported yet."));
	CHECK_INT(RUN(conf_cmd_configdoc, "-m", "-s", "client.ping"), 0);
	CHECK(says("## `client.ping_interval`\n"));
	CHECK(says("`CENTRIFUGO_CLIENT_PING_INTERVAL`"));
	CHECK(!says("client.pong_timeout`"));
	CHECK_INT(RUN(conf_cmd_configdoc, "-q"), EX_USAGE);
}

TEST(usage_lists_what_is_supported)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_usage(f);
	fclose(f);
	CHECK(strstr(text, "  --http_server.port=N\n        Port to") != NULL);
	CHECK(strstr(text, "  --client.insecure\n") != NULL);
	CHECK(strstr(text, "--uni_grpc") == NULL);
	free(text);
}

static char *
slurp(const char *name)
{
	struct buf b = BUF_INIT;
	size_t n;

	CHECK_INT(conf_read_file(name, &b), 0);
	buf_putc(&b, '\0');
	return buf_steal(&b, &n);
}

TEST(the_manual_page_is_up_to_date)
{
	char *frame = slurp("man/fugu.conf.5.in");
	char *page = slurp("man/fugu.conf.5"), *mark;
	struct buf b = BUF_INIT;

	CHECK_INT(RUN(conf_cmd_configdoc, "--mdoc"), 0);
	mark = strstr(frame, "@OPTIONS@\n");
	if (CHECK(mark != NULL)) {
		buf_put(&b, frame, (size_t)(mark - frame));
		buf_puts(&b, output);
		buf_puts(&b, mark + 10);
		CHECK(sv_eq(buf_sv(&b), sv_from(page)));
	}
	/* Options of objects are options. */
	CHECK(strstr(page, ".It Ic http_server.listeners[].unix_socket\n") !=
	    NULL);
	CHECK(strstr(page, ".It Ic http_server.tls.certificates[].key_pem\n")
	    != NULL);
	CHECK(strstr(page, "namespaces[]") == NULL);
	buf_fini(&b);
	free(frame);
	free(page);
}

static bool
sweep_commands(void)
{
	char *argv[] = { "-d", "-b", REAL, NULL };
	char *vars[] = { "-b", REAL, NULL };
	FILE *null = fopen("/dev/null", "w");
	struct conf_cmd_env env = { .argv = argv, .out = null, .err = null };
	bool ok;

	if (null == NULL)
		return false;
	ok = conf_cmd_defaultconfig(&env) == 0;
	env.argv = vars;
	ok = conf_cmd_defaultenv(&env) == 0 && ok;
	fclose(null);
	return ok;
}

TEST(no_memory_is_an_error_and_nothing_leaks)
{
	ALLOC_SWEEP(sweep_commands);
	free(output);
	output = NULL;
}

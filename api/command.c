/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See command.h.
 */
#include <string.h>
#include <sysexits.h>

#include "api/autocert.h"
#include "api/certs.h"
#include "api/command.h"
#include "client/token.h"
#include "conf/conf.h"
#include "util/clock.h"
#include "util/ct.h"

extern char **environ;

/* see command.h */
void
command_usage(FILE *out)
{
	fprintf(out,
	    "usage: fugu [-t] [-c file] [--option=value ...]\n"
	    "       fugu command [...]\n\n"
	    "commands:\n"
	    "  acme           obtain certificates, or see how they are\n"
	    "  demo           serve a page to try it on, with fresh secrets\n"
	    "  checkconfig    check a configuration file\n"
	    "  genconfig      write a configuration file with fresh secrets\n"
	    "  gentoken       make a connection token\n"
	    "  gensubtoken    make a subscription token\n"
	    "  checktoken     check a connection token\n"
	    "  checksubtoken  check a subscription token\n"
	    "  defaultconfig  print the default configuration\n"
	    "  defaultenv     print it as environment variables\n"
	    "  configdoc      describe every option\n"
	    "  version        print the version\n\n"
	    "options:\n"
	    "  -c, --config file  JSON configuration file (config.json)\n"
	    "  -t                 check the configuration and exit\n"
	    "  -h, --help         this text\n"
	    "  -v, --version      the version\n");
	conf_usage(out);
}

/* see command.h */
int
command_version(void)
{
	printf("fugu %s\n", FUGU_VERSION);
	return 0;
}

static void
say_finding(void *arg, bool fatal, const char *text)
{
	fprintf(arg, "%s%s\n", fatal ? "" : "warning: ", text);
}

/* The certificates: what they are, and what is wrong with them. */
static int
look_at_certs(const struct conf *conf, FILE *out, FILE *err)
{
	struct certs	certs;
	struct buf	text = BUF_INIT;
	int		ret;

	certs_describe(conf, &text);
	fprintf(out, "%.*s", SV_ARG(buf_sv(&text)));
	buf_fini(&text);
	ret = certs_load(&certs, conf, NULL, 0, NULL, say_finding, err);
	certs_fini(&certs);
	return ret == 0 ? 0 : EX_CONFIG;
}

/* see command.h */
int
command_run(const char *name, char *const *argv)
{
	const struct conf_cmd_env e = {
		.argv = argv,
		.environ = environ,
		.out = stdout,
		.err = stderr,
		.random = random_bytes,
		.look = look_at_certs,
	};
	int64_t now = clock_wall_ms() / MSEC_PER_SEC;

	if (strcmp(name, "version") == 0)
		return command_version();
	if (strcmp(name, "acme") == 0)
		return autocert_command(argv);
	if (strcmp(name, "checkconfig") == 0)
		return conf_cmd_checkconfig(&e);
	if (strcmp(name, "genconfig") == 0)
		return conf_cmd_genconfig(&e);
	if (strcmp(name, "defaultconfig") == 0)
		return conf_cmd_defaultconfig(&e);
	if (strcmp(name, "defaultenv") == 0)
		return conf_cmd_defaultenv(&e);
	if (strcmp(name, "configdoc") == 0)
		return conf_cmd_configdoc(&e);
	if (strcmp(name, "gentoken") == 0)
		return token_cmd_gentoken(&e, now);
	if (strcmp(name, "checktoken") == 0)
		return token_cmd_checktoken(&e, now);
	if (strcmp(name, "gensubtoken") == 0)
		return token_cmd_gensubtoken(&e, now);
	if (strcmp(name, "checksubtoken") == 0)
		return token_cmd_checksubtoken(&e, now);
	return -1;
}

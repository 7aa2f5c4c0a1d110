/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Files of certificates that change under a server: what is taken, what is
 * not, and how often that is said.
 */
#include <sys/stat.h>

#include "api/ports.h"
#include "api/secure.h"
#include "tests/unit/api_server.h"
#include "tests/unit/tls_fixtures.h"
#include "util/log.h"

static char		dir[40];
static struct secure	secure;
static struct ports	ports;

static const char *
path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A new file in the place of that one. */
static void
put_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of("new"), "w");
	char  from[200];

	if (!CHECK(f != NULL))
		return;
	fputs(text, f);
	fclose(f);
	strcpy(from, path_of("new"));
	CHECK_INT(rename(from, path_of(name)), 0);
}

/* How often the log says so. */
static int
said(const char *what)
{
	static char	text[1 << 16];
	FILE	       *f = fopen(path_of("log"), "r");
	int		n = 0;
	char	       *p;

	if (!CHECK(f != NULL))
		return -1;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
forget(void)
{
	CHECK_INT(truncate(path_of("log"), 0), 0);
}

/* The watch looks at the files. */
static void
look(int times)
{
	while (times-- > 0)
		secure.watch.fn(&secure.watch);
	turns(2);
}

static bool
begin(void)
{
	char text[1000];

	strcpy(dir, "/tmp/fugu-secure-XXXXXX");
	if (!CHECK(mkdtemp(dir) != NULL))
		return false;
	log_init(&(struct log_options){ .level = LOG_INFO,
	    .file = path_of("log") });
	put_file("cert", TLS_EC_PEM);
	put_file("key", TLS_EC_KEY);
	snprintf(text, sizeof(text), "{\"http_server\":{\"tls\":{"
	    "\"enabled\":true,\"cert_pem\":\"%s/cert\",\"key_pem\":\"%s/key\""
	    "}}}", dir, dir);
	start(text);
	CHECK_INT(secure_load(&secure, conf), 0);
	CHECK_INT(secure_start(&secure, &ports, &srv, srv.worker[0]), 0);
	CHECK_INT(secure_start(&secure, &ports, &srv, srv.worker[1]), 0);
	secure_watch(&secure);
	return true;
}

static void
end(void)
{
	unsigned i;

	for (i = 0; i < WORKERS; i++) {
		ports_set_tls(&ports, srv.worker[i], NULL, NULL, NULL);
		secure_end(&secure, srv.worker[i]);
	}
	secure_fini(&secure);
	stop();
	log_init(&(struct log_options){ .level = LOG_NONE });
	unlink(path_of("cert"));
	unlink(path_of("key"));
	unlink(path_of("log"));
	rmdir(dir);
}

TEST(bad_files_are_told_of_once)
{
	struct tls_server *old;

	if (!begin())
		return;
	old = ports.tls[1].external;
	look(2);
	CHECK_INT(said("certificates"), 0);
	forget();
	put_file("cert", "-----BEGIN CERTIFICATE-----\n");
	look(5);
	CHECK_INT(said("level=error"), 2);
	CHECK_INT(said("http_server.tls: "), 1);
	CHECK_INT(said("the old ones stay in force"), 1);
	CHECK(ports.tls[1].external == old);
	/* Other ones, and none. */
	put_file("cert", TLS_RSA_PEM);
	look(5);
	CHECK_INT(said("level=error"), 4);
	unlink(path_of("cert"));
	look(5);
	CHECK_INT(said("level=error"), 6);
	CHECK_INT(said("level=info"), 0);
	CHECK(ports.tls[1].external == old);
	/* Asked for, it is said again. */
	CHECK_INT(secure_load(&secure, conf), -1);
	CHECK_INT(said("level=error"), 7);
	forget();
	put_file("cert", TLS_EC_PEM);
	look(5);
	CHECK_INT(said("level=error"), 0);
	CHECK_INT(said("were read again"), 1);
	CHECK(ports.tls[1].external != old);
	end();
}

/* What was wrong with them need not have been in the files. */
TEST(what_was_refused_is_tried_again)
{
	struct tls_server *old;

	if (!begin())
		return;
	old = ports.tls[1].external;
	put_file("cert", TLS_EC_PEM);
	alloc_fail_at(1);
	look(1);
	CHECK_INT(alloc_failed(), 1);
	alloc_fail_at(0);
	CHECK(ports.tls[1].external == old);
	CHECK_INT(said("were read again"), 0);
	look(1);
	CHECK(ports.tls[1].external != old);
	CHECK_INT(said("were read again"), 1);
	/* A reload does as well. */
	put_file("cert", "");
	look(1);
	CHECK(secure.refused);
	put_file("cert", TLS_EC_PEM);
	CHECK_INT(secure_load(&secure, conf), 0);
	CHECK_INT(secure_apply(&secure), 0);
	look(3);
	CHECK_INT(said("were read again"), 1);
	end();
}

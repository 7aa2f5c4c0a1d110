/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The listeners that a configuration makes, with and without inherited
 * sockets.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/ports.h"
#include "tests/unit/test.h"

#define PEM	"\"cert_pem\":\"-----BEGIN \",\"key_pem\":\"-----BEGIN \""
#define TLS	"\"tls\":{\"enabled\":true," PEM "}"

static const struct http_site	 site;
static const struct ports_sites	 sites = { &site, &site, &site };
static const struct conf	*conf;
static char			 dir[64];

/* The text is what is inside http_server, with DIR for a directory. */
static bool
load(const char *text)
{
	struct conf_errors	errs = CONF_ERRORS_INIT;
	struct conf_source	src = { .path = "test" };
	struct buf		b = BUF_INIT;
	const char		*p;

	test_note("%s", text);
	buf_puts(&b, "{\"http_server\":{");
	for (; (p = strstr(text, "DIR")) != NULL; text = p + 3) {
		buf_put(&b, text, (size_t)(p - text));
		buf_puts(&b, dir);
	}
	buf_puts(&b, text);
	buf_puts(&b, "}}");
	src.text = buf_sv(&b);
	conf = NULL;
	CHECK_INT(conf_load(&conf, &src, &errs), 0);
	conf_errors_fini(&errs);
	buf_fini(&b);
	return conf != NULL;
}

static unsigned
mode_of(const char *name)
{
	char		path[128];
	struct stat	st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == -1 ? 0 : st.st_mode;
}

/* A listener's socket has the mode of the main one of its kind, whether that
 * exists or not. */
TEST(modes_of_more_sockets)
{
	struct activated	none = { .n = 0 };
	struct ports		ports;

	strcpy(dir, "/tmp/fugu-ports-XXXXXX");
	if (!CHECK(mkdtemp(dir) != NULL) || !load("\"tcp_disabled\":true,"
	    "\"unix_socket\":{\"path\":\"DIR/a\",\"mode\":\"600\"},"
	    "\"internal_unix_socket\":{\"mode\":\"622\"},\"listeners\":["
	    "{\"unix_socket\":\"DIR/b\"},"
	    "{\"unix_socket\":\"DIR/c\",\"internal\":true}]"))
		return;
	if (CHECK_INT(ports_open(&ports, conf, &none, &sites, 1), 0)) {
		CHECK_INT(mode_of("a"), S_IFSOCK | 0600);
		CHECK_INT(mode_of("b"), S_IFSOCK | 0600);
		CHECK_INT(mode_of("c"), S_IFSOCK | 0622);
		ports_close(&ports);
	}
	CHECK_INT(rmdir(dir), 0);
	conf_unref(conf);
}

/* A listening socket of any port as an inherited one; the port. */
static uint16_t
pass(struct activated *a, const char *name)
{
	struct activated_fd	*v = &a->v[a->n++];
	struct addr		 at;
	uint8_t			 ip[IP_LEN];

	CHECK_INT(addr_parse(&at, "127.0.0.1", 0, false), 0);
	v->fd = net_listen(&at, false, 1);
	CHECK_INT(getsockname(v->fd, &at.sa, &at.len), 0);
	strcpy(v->name, name);
	return addr_ip(&at, ip);
}

TEST(where_the_redirect_leads)
{
	static const struct row {
		const char	*text, *name[2];
		int		 port;		/* or inherited one: -1, -2 */
	} rows[] = {
		{ "", { NULL }, 443 },
		{ TLS, { NULL }, 8000 },
		{ TLS ",\"port\":8443", { "redirect" }, 8443 },
		{ TLS, { "http", "https" }, -2 },
		{ TLS, { "https", "redirect" }, -1 },
		{ TLS, { "fugu.socket" }, -1 },
		{ TLS, { "internal" }, 8000 },
		{ TLS ",\"tcp_disabled\":true", { "http", "internal" }, 443 },
		{ "\"tls\":{" PEM "},\"listeners\":[{\"port\":1,\"tls\":true,"
		    "\"internal\":true},{\"port\":2},{\"port\":3,"
		    "\"tls\":true}]", { NULL }, 3 },
		{ "\"tls\":{" PEM "},\"listeners\":[{\"port\":1,\"tls\":true,"
		    "\"name\":\"side\"}]", { "redirect", "side" }, -2 },
	};
	struct activated	a;
	uint16_t		port[2];
	size_t			i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (!load(r->text))
			continue;
		a.n = 0;
		for (k = 0; k < 2 && r->name[k] != NULL; k++)
			port[k] = pass(&a, r->name[k]);
		CHECK_INT(ports_https(conf, &a), r->port < 0 ?
		    port[-r->port - 1] : r->port);
		while (a.n > 0)
			close(a.v[--a.n].fd);
		conf_unref(conf);
	}
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What a CA is shown over HTTP: the table, the route and the files.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/show.h"
#include "tests/unit/test.h"

static struct acme_show show;

/* What a request for that token is answered: the last line. */
static const char *
answer(const char *token)
{
	static char		 got[4096];
	struct http_route	 route;
	struct http_site	 site = {
		.route = &route, .nroute = 1, .max_head = 2048,
		.header_timeout_ms = 1000, .body_timeout_ms = 1000,
		.idle_timeout_ms = 1000,
	};
	struct worker		*w = worker_new(0);
	ssize_t			 n;
	size_t			 at = 0;
	int			 fd[2], i;

	acme_show_route(&show, &route);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	http_serve(conn_new(w, fd[0], NULL, NULL, NULL), &site);
	dprintf(fd[1], "GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n",
	    ACME_WELL_KNOWN, token);
	for (i = 0; i < 4; i++) {
		worker_turn(w, 0);
		n = read(fd[1], got + at, sizeof(got) - 1 - at);
		at += n > 0 ? (size_t)n : 0;
	}
	got[at] = '\0';
	close(fd[1]);
	worker_close_conns(w);
	http_worker_fini(w);
	worker_free(w);
	return strrchr(got, '\n') == NULL ? got : strrchr(got, '\n') + 1;
}

TEST(answers_for_the_tokens_shown)
{
	acme_show_init(&show);
	CHECK_INT(acme_show_put(&show, SV("t1"), SV("t1.one")), 0);
	CHECK_INT(acme_show_put(&show, SV("t2"), SV("t2.two")), 0);
	CHECK_STR(answer("t1"), "t1.one");
	CHECK_STR(answer("t2"), "t2.two");
	CHECK(strstr(answer("t"), "one") == NULL);
	CHECK(strstr(answer(""), "one") == NULL);
	/* Again: the later counts, and there is one. */
	CHECK_INT(acme_show_put(&show, SV("t1"), SV("t1.other")), 0);
	CHECK_STR(answer("t1"), "t1.other");
	acme_show_drop(&show, SV("t1"));
	CHECK(strstr(answer("t1"), "t1.") == NULL);
	CHECK_STR(answer("t2"), "t2.two");
	acme_show_drop(&show, SV("t1"));
	acme_show_drop_all(&show);
	CHECK(strstr(answer("t2"), "two") == NULL);
	CHECK_STR(answer(ACME_SELF), ACME_SELF);
	acme_show_fini(&show);
}

TEST(takes_tokens_only)
{
	static char	longest[513];
	size_t		i;
	const char     *bad[] = { "", "../x", "a/b", "a b", "a.b", "a%2f",
	    "\xc3\xa9", "a\n" };

	acme_show_init(&show);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("%s", bad[i]);
		CHECK(!acme_show_is_token(sv_from(bad[i])));
		CHECK_INT(acme_show_put(&show, sv_from(bad[i]), SV("x")), -1);
		CHECK_INT(acme_show_file("/tmp", sv_from(bad[i]), SV("x")),
		    -1);
	}
	memset(longest, 'a', 512);
	CHECK(acme_show_is_token(sv_from(longest)));
	CHECK(!acme_show_is_token(sv_make(longest, 513)));
	CHECK(acme_show_is_token(SV("azAZ09-_")));
	CHECK_INT(acme_show_put(&show, SV("a"), SV("")), -1);
	acme_show_fini(&show);
}

static bool
put_one(void)
{
	bool ok;

	acme_show_init(&show);
	ok = acme_show_put(&show, SV("t"), SV("x")) == 0;
	acme_show_fini(&show);
	return ok;
}

TEST(survives_lack_of_memory)
{
	ALLOC_SWEEP(put_one);
}

TEST(writes_and_removes_files)
{
	char		root[] = "/tmp/fugu-show-XXXXXX", path[128], text[16];
	struct stat	st;
	FILE	       *f;
	size_t		n;

	CHECK(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s%stok", root, ACME_WELL_KNOWN);
	CHECK_INT(acme_show_file(root, SV("tok"), SV("tok.key")), 0);
	/* The web server is somebody else. */
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0644);
	f = fopen(path, "r");
	n = f == NULL ? 0 : fread(text, 1, sizeof(text), f);
	CHECK_SV(sv_make(text, n), "tok.key");
	if (f != NULL)
		fclose(f);
	CHECK_INT(acme_show_file(root, SV("tok"), SV("")), 0);
	CHECK_INT(stat(path, &st), -1);
	CHECK_INT(acme_show_file(root, SV("tok"), SV("")), -1);
	/* A link that somebody left there is not followed. */
	CHECK_INT(symlink("/dev/null", path), 0);
	CHECK_INT(acme_show_file(root, SV("tok"), SV("x")), -1);
	CHECK_INT(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	CHECK_INT(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	CHECK_INT(rmdir(path), 0);
	CHECK_INT(rmdir(root), 0);
	CHECK_INT(acme_show_file("/dev/null", SV("tok"), SV("x")), -1);
	CHECK_INT(errno, ENOTDIR);
}

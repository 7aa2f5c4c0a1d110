/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The directory: made, locked, and files that are whole or not there.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/store.h"
#include "tests/unit/test.h"

static char base[64];

static const char *
path(const char *tail)
{
	static char text[4200];

	snprintf(text, sizeof(text), "%s%s", base, tail);
	return text;
}

static void
begin(void)
{
	strcpy(base, "/tmp/fugu-store-XXXXXX");
	CHECK(mkdtemp(base) != NULL);
}

static void
end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	CHECK_INT(system(command), 0);
}

static int
try_open(struct acme_store *s, const char *where, struct buf *why)
{
	buf_reset(why);
	return acme_store_open(s, where, (uid_t)-1, why);
}

static mode_t
mode_of(const char *where)
{
	struct stat st;

	return lstat(where, &st) == 0 ? st.st_mode & 07777 : 0;
}

TEST(makes_the_directory_and_what_leads_to_it)
{
	struct acme_store	s;
	struct buf		why = BUF_INIT;
	mode_t			mask = umask(022);

	begin();
	CHECK_INT(try_open(&s, path("/a//b/c/"), &why), 0);
	umask(mask);
	CHECK_INT(mode_of(path("/a/b/c")), 0700);
	/* Its owner may be somebody else. */
	CHECK_INT(mode_of(path("/a/b")), 0755);
	acme_store_close(&s);
	CHECK_INT(s.dir, -1);
	CHECK_INT(try_open(&s, path("/a/b/c"), &why), 0);
	acme_store_close(&s);
	/* Nothing is left of trying whether it can be written. */
	CHECK_INT(rmdir(path("/a/b/c")), 0);
	buf_fini(&why);
	end();
}

TEST(says_why_a_directory_is_of_no_use)
{
	struct acme_store	s;
	struct buf		why = BUF_INIT;
	char			longest[5000];

	begin();
	CHECK_INT(try_open(&s, "/dev/null/x", &why), -1);
	CHECK_SV(buf_sv(&why), "the directory /dev/null/x can't be made: "
	    "Not a directory");
	CHECK_INT(try_open(&s, "/proc/self", &why), -1);
	CHECK(memmem(why.p, why.n, "is not writable", 15) != NULL);
	CHECK_INT(s.dir, -1);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK_INT(try_open(&s, longest, &why), -1);
	if (geteuid() == 0) {
		buf_reset(&why);
		CHECK_INT(mkdir(path("/root"), 0700), 0);
		CHECK_INT(acme_store_open(&s, path("/root"), 12345, &why), -1);
		CHECK(memmem(why.p, why.n, "another user", 12) != NULL);
		CHECK_INT(acme_store_open(&s, path("/mine"), 12345, &why), 0);
		acme_store_close(&s);
	}
	buf_fini(&why);
	end();
}

TEST(writes_and_reads)
{
	static char		big[300000];
	struct acme_store	s;
	struct buf		b = BUF_INIT;

	begin();
	CHECK_INT(try_open(&s, base, &b), 0);
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_INT(b.n, 0);
	CHECK_INT(acme_store_write(&s, "a", SV("one")), 0);
	CHECK_INT(acme_store_write(&s, "a", SV("two two")), 0);
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_SV(buf_sv(&b), "two two");
	CHECK_INT(mode_of(path("/a")), 0600);
	/* Behind what there is. */
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_SV(buf_sv(&b), "two twotwo two");
	CHECK_INT(acme_store_remove(&s, "a"), 0);
	CHECK_INT(acme_store_remove(&s, "a"), 0);
	CHECK_INT(access(path("/a"), F_OK), -1);
	/* Ours are small. */
	CHECK_INT(acme_store_write(&s, "a", sv_make(big, sizeof(big))), 0);
	buf_reset(&b);
	CHECK_INT(acme_store_read(&s, "a", &b), -1);
	CHECK_INT(errno, EFBIG);
	acme_store_close(&s);
	buf_fini(&b);
	end();
}

TEST(follows_no_link_and_waits_for_no_pipe)
{
	struct acme_store	s;
	struct buf		b = BUF_INIT;

	begin();
	CHECK_INT(try_open(&s, base, &b), 0);
	CHECK_INT(symlink("/etc/passwd", path("/a")), 0);
	CHECK_INT(acme_store_read(&s, "a", &b), -1);
	CHECK_INT(mkfifo(path("/b"), 0600), 0);
	CHECK_INT(acme_store_read(&s, "b", &b), 0);
	CHECK_INT(b.n, 0);
	/* The link itself is what is replaced. */
	CHECK_INT(acme_store_write(&s, "a", SV("x")), 0);
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_SV(buf_sv(&b), "x");
	acme_store_close(&s);
	buf_fini(&b);
	end();
}

/* A disk that takes no more, as far as a process can have one. */
TEST(a_write_that_fails_changes_nothing)
{
	static char		big[8192];
	struct rlimit		was, now;
	struct acme_store	s;
	struct buf		b = BUF_INIT;

	begin();
	CHECK_INT(try_open(&s, base, &b), 0);
	CHECK_INT(acme_store_write(&s, "a", SV("old")), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	now = was;
	now.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &now);
	CHECK_INT(acme_store_write(&s, "a", sv_make(big, sizeof(big))), -1);
	CHECK_INT(errno, EFBIG);
	setrlimit(RLIMIT_FSIZE, &was);
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_SV(buf_sv(&b), "old");
	CHECK_INT(acme_store_remove(&s, "a"), 0);
	acme_store_close(&s);
	/* Nor does it leave anything behind. */
	CHECK_INT(rmdir(base), 0);
	buf_fini(&b);
}

/* One cut off by a crash before does not stand in the way. */
TEST(a_left_over_is_replaced)
{
	struct acme_store	s;
	struct buf		b = BUF_INIT;
	int			fd;

	begin();
	CHECK_INT(try_open(&s, base, &b), 0);
	fd = open(path("/fugu.tmp"), O_WRONLY | O_CREAT, 0400);
	CHECK_INT(write(fd, "half", 4), 4);
	close(fd);
	CHECK_INT(acme_store_write(&s, "a", SV("whole")), 0);
	CHECK_INT(acme_store_read(&s, "a", &b), 0);
	CHECK_SV(buf_sv(&b), "whole");
	CHECK_INT(mode_of(path("/a")), 0600);
	acme_store_close(&s);
	buf_fini(&b);
	end();
}

/* In a process of its own: 1 if it can lock, and 0 if another has; 2 if that
 * one is our parent and has signed. */
static int
other_locks(void)
{
	struct acme_store	s;
	struct buf		b = BUF_INIT;
	pid_t			parent = getpid(), pid = fork(), by;
	int			status;

	if (pid == 0) {
		if (try_open(&s, base, &b) == -1)
			_exit(9);
		by = acme_store_signed(&s);
		if (acme_store_lock(&s) == 0)
			_exit(by == 0 ? 1 : 8);
		_exit(errno != EWOULDBLOCK ? 7 : by == parent ? 2 :
		    by == 0 ? 0 : 6);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* fugu acme status, while the server writes. */
TEST(a_look_leaves_who_writes_alone)
{
	struct acme_store	s;
	struct buf		why = BUF_INIT;
	int			fd;

	begin();
	fd = open(path("/fugu.tmp"), O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1);
	CHECK_INT(write(fd, "half a ke", 9), 9);
	CHECK_INT(try_open(&s, base, &why), 0);
	CHECK_INT(write(fd, "y", 1), 1);
	CHECK_INT(renameat(s.dir, "fugu.tmp", s.dir, "host"), 0);
	buf_reset(&why);
	CHECK_INT(acme_store_read(&s, "host", &why), 0);
	CHECK_SV(buf_sv(&why), "half a key");
	acme_store_close(&s);
	close(fd);
	buf_fini(&why);
	end();
}

TEST(locks_for_one_process)
{
	struct acme_store	s;
	struct buf		b = BUF_INIT;

	begin();
	CHECK_INT(try_open(&s, base, &b), 0);
	CHECK_INT(other_locks(), 1);
	CHECK_INT(acme_store_lock(&s), 0);
	CHECK_INT(other_locks(), 0);
	acme_store_sign(&s);
	CHECK_INT(other_locks(), 2);
	acme_store_close(&s);
	CHECK_INT(other_locks(), 1);
	end();
}

/* Only who has the lock is asked by signals, and only if it said that it takes
 * them: whatever an earlier one has left in the file is another process by
 * now. */
TEST(nobody_is_asked_for_what_another_signed)
{
	struct acme_store	s;
	struct buf		b = BUF_INIT;
	FILE		       *f;

	begin();
	f = fopen(path("/fugu.lock"), "w");
	CHECK(fprintf(f, "%ld\n", (long)getppid()) > 0);
	fclose(f);
	CHECK_INT(try_open(&s, base, &b), 0);
	CHECK_INT(acme_store_signed(&s), 0);
	CHECK_INT(other_locks(), 1);
	CHECK_INT(acme_store_lock(&s), 0);
	CHECK_INT(other_locks(), 0);
	dprintf(s.lock, "%ld\n", (long)getppid());
	CHECK_INT(other_locks(), 0);
	acme_store_close(&s);
	end();
}

TEST(names_are_those_of_go_autocert)
{
	char name[ACME_STORE_NAME];
	const struct sv host = SV("a.example");

	CHECK_STR(acme_store_name(name, ACME_STORE_CERT, host, false),
	    "a.example");
	CHECK_STR(acme_store_name(name, ACME_STORE_CERT, host, true),
	    "a.example+rsa");
	CHECK_STR(acme_store_name(name, ACME_STORE_STATE, host, false),
	    "a.example+state");
	CHECK_STR(acme_store_name(name, ACME_STORE_KEY, host, true),
	    "a.example+rsa+newkey");
	CHECK_STR(acme_store_name(name, ACME_STORE_ACCOUNT, host, true),
	    "acme_account+key");
}

TEST(finds_the_chain)
{
	static const char chain[] = "-----BEGIN CERTIFICATE-----\nA\n";
	char file[128];

	snprintf(file, sizeof(file), "-----BEGIN EC PRIVATE KEY-----\nK\n%s",
	    chain);
	CHECK_SV(acme_store_chain(sv_from(file)), chain);
	CHECK_SV(acme_store_chain(sv_from(chain)), chain);
	CHECK_INT(acme_store_chain(SV("-----BEGIN EC PRIVATE KEY-----")).n, 0);
	CHECK_INT(acme_store_chain(sv_from(NULL)).n, 0);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Unix sockets to listen on: what is taken, what is left alone, and who may
 * connect. Also the service manager, whom one talks to over such a socket.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/activate.h"
#include "net/unix.h"
#include "tests/unit/test.h"

static char		 dir[64], path[128];
static struct unix_file	 file;
static const char	*why;

static void
setup(void)
{
	strcpy(dir, "/tmp/fugu-unix-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/s", dir);
}

static void
teardown(void)
{
	unlink(path);
	CHECK_INT(rmdir(dir), 0);
}

static int
make(const char *p, unsigned mode)
{
	const struct unix_options o = { p, mode, "", "" };

	return unix_listen(&o, 8, &file, &why);
}

static unsigned
mode_of(const char *p)
{
	struct stat st;

	return lstat(p, &st) == -1 ? 0 : st.st_mode;
}

static int
dial(const char *p)
{
	struct sockaddr_un	un = { .sun_family = AF_UNIX };
	size_t			n = strlen(p);
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(un.sun_path, p, n);
	if (*p == '@')
		un.sun_path[0] = '\0';
	if (connect(fd, (struct sockaddr *)&un, (socklen_t)
	    (offsetof(struct sockaddr_un, sun_path) + n +
	    (*p != '@'))) == 0)
		return fd;
	close(fd);
	return -1;
}

TEST(modes_whatever_the_mask)
{
	static const unsigned	mask[] = { 0, 022, 077, 0777 };
	static const unsigned	mode[] = { 0600, 0660, 0666, 0777, 0 };
	mode_t			old;
	size_t			i, k;
	int			fd;

	setup();
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 5; k++) {
			old = umask(mask[i]);
			fd = make(path, mode[k]);
			CHECK_INT(umask(old), mask[i]);
			CHECK(fd != -1);
			CHECK_INT(mode_of(path), S_IFSOCK | mode[k]);
			close(fd);
			unix_remove(path, &file);
			CHECK_INT(mode_of(path), 0);
		}
	}
	teardown();
}

TEST(a_stale_socket_is_replaced)
{
	int fd, fd2, conn;

	setup();
	fd = make(path, 0600);
	close(fd);
	CHECK_INT(mode_of(path), S_IFSOCK | 0600);
	fd2 = make(path, 0640);
	CHECK(fd2 != -1);
	CHECK_INT(mode_of(path), S_IFSOCK | 0640);
	CHECK((conn = dial(path)) != -1);
	close(conn);
	close(fd2);
	teardown();
}

TEST(who_answers_is_left_alone)
{
	struct unix_file	first;
	int			fd, conn, i, busy[16];

	setup();
	fd = make(path, 0600);
	first = file;
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(errno, EADDRINUSE);
	CHECK((conn = dial(path)) != -1);
	close(conn);
	/* Nor when it has too much to do to answer. */
	for (i = 0; i < 16; i++) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };

		busy[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		strcpy(un.sun_path, path);
		(void)!connect(busy[i], (struct sockaddr *)&un, sizeof(un));
	}
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(errno, EADDRINUSE);
	for (i = 0; i < 16; i++)
		close(busy[i]);
	CHECK_INT(mode_of(path), S_IFSOCK | 0600);
	close(fd);
	unix_remove(path, &first);
	CHECK_INT(mode_of(path), 0);
	teardown();
}

TEST(what_is_no_socket_is_never_removed)
{
	char other[160];

	setup();
	close(open(path, O_CREAT | O_WRONLY, 0644));
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(errno, EEXIST);
	CHECK(why != NULL);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFREG);
	unlink(path);

	mkdir(path, 0755);
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFDIR);
	rmdir(path);

	/* Neither a link, even to a stale socket. */
	snprintf(other, sizeof(other), "%s/other", dir);
	close(make(other, 0600));
	CHECK_INT(symlink(other, path), 0);
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(errno, EEXIST);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFLNK);
	CHECK_INT(mode_of(other) & S_IFMT, S_IFSOCK);
	unlink(other);
	CHECK_INT(make(path, 0600), -1);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFLNK);
	teardown();
}

/* A successor takes the path while we let our last clients go, and may get
 * the number of the file that it has replaced. */
TEST(a_successor_with_the_same_number_is_not_removed)
{
	const struct timespec	later[2] = { { 1, 0 }, { 1, 0 } };
	int			fd;

	setup();
	fd = make(path, 0600);
	CHECK_INT(utimensat(AT_FDCWD, path, later, 0), 0);
	unix_remove(path, &file);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFSOCK);
	close(fd);
	teardown();
}

TEST(somebody_elses_is_not_removed_at_the_end)
{
	struct unix_file	first;
	int			fd, fd2;

	setup();
	fd = make(path, 0600);
	first = file;
	close(fd);
	/* Keep the number of the first from being used again. */
	char other[160];
	snprintf(other, sizeof(other), "%s/other", dir);
	CHECK_INT(link(path, other), 0);
	fd2 = make(path, 0600);
	unix_remove(path, &first);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFSOCK);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0644));
	unix_remove(path, &file);
	CHECK_INT(mode_of(path) & S_IFMT, S_IFREG);
	close(fd2);
	unlink(other);
	teardown();
}

TEST(paths_that_are_refused)
{
	static const char *const	bad[] = { "", "s", "./s", "/", "@", };
	char				text[200];
	size_t				i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("<%s>", bad[i]);
		CHECK_INT(make(bad[i], 0600), -1);
		CHECK_INT(errno, EINVAL);
		CHECK(why != NULL);
	}
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[108] = '\0';
	CHECK_INT(make(text, 0600), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(make("/nonexistent/s", 0600), -1);
	CHECK_INT(errno, ENOENT);
}

TEST(the_longest_path)
{
	char	text[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t	n;
	int	fd, conn;

	setup();
	n = strlen(dir);
	memcpy(text, dir, n);
	memset(text + n, 'x', sizeof(text) - 1 - n);
	text[n] = '/';
	text[sizeof(text) - 1] = '\0';
	CHECK((fd = make(text, 0600)) != -1);
	CHECK((conn = dial(text)) != -1);
	close(conn);
	close(fd);
	unix_remove(text, &file);
	teardown();
}

TEST(abstract_names)
{
	char	name[64];
	int	fd, conn;

	snprintf(name, sizeof(name), "@fugu-test-%d", (int)getpid());
	CHECK((fd = make(name, 0600)) != -1);
	CHECK_INT(make(name, 0600), -1);
	CHECK_INT(errno, EADDRINUSE);
	CHECK((conn = dial(name)) != -1);
	close(conn);
	unix_remove(name, &file);
	close(fd);
	CHECK((fd = make(name, 0600)) != -1);
	close(fd);
}

TEST(owner_and_group)
{
	struct unix_options	o = { path, 0660, "", "" };
	struct stat		st;
	char			gid[16];
	int			fd;

	setup();
	o.owner = "no such user";
	CHECK_INT(unix_listen(&o, 8, &file, &why), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(mode_of(path), 0);
	o.owner = "";
	snprintf(gid, sizeof(gid), "%u", (unsigned)getegid());
	o.group = gid;
	CHECK((fd = unix_listen(&o, 8, &file, &why)) != -1);
	CHECK_INT(mode_of(path), S_IFSOCK | 0660);
	close(fd);
	unix_remove(path, &file);
	if (geteuid() == 0) {
		o.group = "daemon";
		o.owner = "65534";
		CHECK((fd = unix_listen(&o, 8, &file, &why)) != -1);
		CHECK(lstat(path, &st) == 0 && st.st_uid == 65534);
		CHECK_INT(st.st_gid, 1);
		CHECK_INT(st.st_mode, S_IFSOCK | 0660);
		close(fd);
		unix_remove(path, &file);
	}
	teardown();
}

/* The owner of the directory puts a link in place of the socket that is about
 * to be his. */
static void
replace_for_ever(const char *target)
{
	struct stat st;

	CHECK_INT(setuid(65534), 0);
	for (;;)
		if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		    st.st_uid == 65534 && unlink(path) == 0)
			(void)!symlink(target, path);
}

TEST(an_owner_gets_nothing_but_the_socket)
{
	const struct unix_options o = { path, 0666, "65534", "" };
	char		 target[80];
	struct stat	 st;
	pid_t		 pid;
	int		 fd, i;

	if (geteuid() != 0)
		return;
	setup();
	snprintf(target, sizeof(target), "%s-target", dir);
	fd = open(target, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1);
	close(fd);
	CHECK_INT(chown(dir, 65534, 65534), 0);
	if ((pid = fork()) == 0)
		replace_for_ever(target);
	for (i = 0; i < 4000; i++) {
		if ((fd = unix_listen(&o, 8, &file, &why)) != -1)
			close(fd);
		unlink(path);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(stat(target, &st), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0600);
	CHECK_INT(st.st_uid, 0);
	unlink(target);
	teardown();
}

TEST(numbers_of_users)
{
	unsigned id = 7;

	CHECK(unix_id("/etc/passwd", "root", &id) == 0 && id == 0);
	CHECK(unix_id("/etc/group", "daemon", &id) == 0 && id == 1);
	CHECK(unix_id("/etc/passwd", "1234", &id) == 0 && id == 1234);
	CHECK_INT(unix_id("/etc/passwd", "4294967295", &id), -1);
	CHECK_INT(unix_id("/etc/passwd", "roo", &id), -1);
	CHECK_INT(unix_id("/etc/passwd", "x", &id), -1);
	CHECK_INT(unix_id("/no/such/file", "root", &id), -1);
}

TEST(peers)
{
	int	fd[2];
	pid_t	pid = 0;
	uid_t	uid = 12345;

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	CHECK(unix_peer(fd[0], &pid, &uid));
	CHECK_INT(pid, getpid());
	CHECK_INT(uid, geteuid());
	close(fd[0]);
	close(fd[1]);
}

/* Of many who start over the same stale socket one gets it, and keeps it. */
TEST(simultaneous_start)
{
	enum { RACERS = 6, ROUNDS = 60 };
	int	go[2], ready[2], done[2], i, round, fd, status, winners;
	pid_t	pid[RACERS];
	char	byte = 0;

	setup();
	for (round = 0; round < ROUNDS; round++) {
		close(make(path, 0600));
		CHECK(pipe(go) == 0 && pipe(ready) == 0 && pipe(done) == 0);
		for (i = 0; i < RACERS; i++) {
			if ((pid[i] = fork()) != 0)
				continue;
			close(go[1]);
			close(done[1]);
			(void)!read(go[0], &byte, 1);
			fd = make(path, 0600);
			(void)!write(ready[1], &byte, 1);
			(void)!read(done[0], &byte, 1);
			_exit(fd != -1 ? 42 : errno != EADDRINUSE);
		}
		close(go[0]);
		close(go[1]);
		for (i = 0; i < RACERS; i++)
			CHECK_INT(read(ready[0], &byte, 1), 1);
		CHECK((fd = dial(path)) != -1);
		close(fd);
		close(done[0]);
		close(done[1]);
		for (winners = i = 0; i < RACERS; i++) {
			waitpid(pid[i], &status, 0);
			winners += WEXITSTATUS(status) == 42;
			CHECK(WEXITSTATUS(status) == 42 ||
			    WEXITSTATUS(status) == 0);
		}
		CHECK_INT(winners, 1);
		close(ready[0]);
		close(ready[1]);
		unlink(path);
	}
	teardown();
}

/* ---- the service manager ---- */

static struct sockaddr_un notify_at;

static int
notify_socket(const char *p)
{
	size_t	n = strlen(p);
	int	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	notify_at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(notify_at.sun_path, p, n);
	if (*p == '@')
		notify_at.sun_path[0] = '\0';
	CHECK_INT(bind(fd, (struct sockaddr *)&notify_at, (socklen_t)
	    (offsetof(struct sockaddr_un, sun_path) + n)), 0);
	setenv("NOTIFY_SOCKET", p, 1);
	return fd;
}

static void
heard(int fd, const char *text)
{
	char	got[256] = "";
	ssize_t n = recv(fd, got, sizeof(got), 0);

	CHECK_SV(sv_make(got, n < 0 ? 0 : (size_t)n), text);
}

TEST(notification)
{
	char	name[64];
	int	fd;

	setup();
	unsetenv("NOTIFY_SOCKET");
	notify_init();
	notify_send("READY=1");
	fd = notify_socket(path);
	setenv("WATCHDOG_USEC", "3000000", 1);
	notify_init();
	CHECK(getenv("NOTIFY_SOCKET") == NULL);
	CHECK(getenv("WATCHDOG_USEC") == NULL);
	CHECK_INT(notify_watchdog_ms(), 1500);
	notify_send("READY=1\nSTATUS=%s", "well");
	heard(fd, "READY=1\nSTATUS=well");
	heard(fd, "");
	close(fd);
	notify_send("WATCHDOG=1");

	snprintf(name, sizeof(name), "@fugu-notify-%d", (int)getpid());
	fd = notify_socket(name);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init();
	CHECK_INT(notify_watchdog_ms(), 0);
	notify_send("STOPPING=1");
	heard(fd, "STOPPING=1");
	close(fd);
	teardown();
}

TEST(nothing_is_inherited_by_chance)
{
	struct activated	a;
	char			pid[16];
	int			fd;

	unsetenv("LISTEN_FDS");
	CHECK(activate_take(&a, &why, &fd) == 0 && a.n == 0);
	setenv("LISTEN_FDS", "1", 1);
	CHECK(activate_take(&a, &why, &fd) == 0 && a.n == 0);
	CHECK(getenv("LISTEN_FDS") == NULL);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	CHECK(activate_take(&a, &why, &fd) == 0 && a.n == 0);
	CHECK(getenv("LISTEN_PID") == NULL);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "65", 1);
	CHECK_INT(activate_take(&a, &why, &fd), -1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "x", 1);
	CHECK_INT(activate_take(&a, &why, &fd), -1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "0", 1);
	CHECK(activate_take(&a, &why, &fd) == 0 && a.n == 0);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See store.h.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/store.h"
#include "util/log.h"

#define ACCOUNT		"acme_account+key"
#define LOCK		"fugu.lock"
#define TEMPORARY	"fugu.tmp"
#define FILE_MAX_BYTES	(256 * 1024)

/* ---- the directory ---- */

/* By its descriptor: a name may have become another's meanwhile. */
static int
give(const char *dir, uid_t user)
{
	int fd, ret;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	ret = fchown(fd, user, (gid_t)-1);
	close(fd);
	return ret;
}

/* Make it and what leads to it, which its owner must get through. 0 or -1 with
 * errno. */
static int
make_dirs(const char *path, uid_t user)
{
	char	copy[4096], *p;
	bool	last = false;

	if (strlcpy(copy, path, sizeof(copy)) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (p = copy; !last; p++) {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		last = p[strspn(p, "/")] == '\0';
		*p = '\0';
		if (mkdir(copy, last ? 0700 : 0755) == 0) {
			if (last && user != (uid_t)-1 &&
			    give(copy, user) == -1)
				return -1;
		} else if (errno != EEXIST) {
			return -1;
		}
		*p = '/';
	}
	return 0;
}

static int
write_all(int fd, struct sv s)
{
	ssize_t n;

	while (s.n > 0) {
		if ((n = write(fd, s.p, s.n)) == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			s = sv_skip(s, (size_t)n);
	}
	return fsync(fd);
}

/* Whether a file could be written now. Another process may be at it, and one
 * that has the lock may be writing: neither is disturbed. */
static int
probe(const struct acme_store *s)
{
	char	name[32];
	int	fd, error = 0;

	snprintf(name, sizeof(name), "fugu.probe.%ld", (long)getpid());
	unlinkat(s->dir, name, 0);
	fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_all(fd, SV("x")) == -1)
		error = errno;
	close(fd);
	unlinkat(s->dir, name, 0);
	errno = error;
	return error != 0 ? -1 : 0;
}

/* The one who will write there can't be tried out, but who owns it can be
 * seen. */
static bool
is_owner(int fd, uid_t user)
{
	struct stat st;

	return user == (uid_t)-1 || user == 0 ||
	    (fstat(fd, &st) == 0 && st.st_uid == user);
}

/* see store.h */
int
acme_store_open(struct acme_store *s, const char *path, uid_t user,
    struct buf *why)
{
	const char *what = NULL;

	*s = (struct acme_store)ACME_STORE_CLOSED;
	if (make_dirs(path, user) == -1)
		what = "can't be made";
	else if ((s->dir = open(path, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		what = "can't be opened";
	else if (probe(s) == -1)
		what = "is not writable";
	if (what != NULL) {
		buf_printf(why, "the directory %s %s: %s", path, what,
		    log_strerror(errno));
	} else if (!is_owner(s->dir, user)) {
		what = path;
		buf_printf(why, "the directory %s belongs to another user "
		    "than tls_autocert.user", path);
	}
	if (what == NULL)
		return 0;
	acme_store_close(s);
	return -1;
}

/* see store.h */
void
acme_store_close(struct acme_store *s)
{
	if (s->dir != -1)
		close(s->dir);
	if (s->lock != -1)
		close(s->lock);
	*s = (struct acme_store)ACME_STORE_CLOSED;
}

/* ---- the lock ---- */

/* One of a process, and the system tells of which. */
static struct flock
whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static int
open_lock(const struct acme_store *s, int flags)
{
	return openat(s->dir, LOCK, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* see store.h */
int
acme_store_lock(struct acme_store *s)
{
	struct flock	lock = whole_file();
	struct stat	st;
	int		fd, error;

	if ((fd = open_lock(s, O_RDWR | O_CREAT)) == -1)
		return -1;
	if (fcntl(fd, F_SETLK, &lock) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	s->lock = fd;
	/* Made by root, it is the directory's owner's. */
	if (fstat(s->dir, &st) == 0 && geteuid() == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	(void)!ftruncate(fd, 0);
	return 0;
}

/* see store.h */
void
acme_store_sign(const struct acme_store *s)
{
	dprintf(s->lock, "%ld\n", (long)getpid());
}

/* see store.h */
pid_t
acme_store_signed(const struct acme_store *s)
{
	struct flock	lock = whole_file();
	char		text[16] = "";
	int		fd;

	if ((fd = open_lock(s, O_RDONLY)) == -1)
		return 0;
	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK ||
	    read(fd, text, sizeof(text) - 1) <= 0 ||
	    strtol(text, NULL, 10) != lock.l_pid)
		lock.l_pid = 0;
	close(fd);
	return lock.l_pid;
}

/* ---- files ---- */

/* see store.h */
const char *
acme_store_name(char out[ACME_STORE_NAME], enum acme_store_file f,
    struct sv host, bool rsa)
{
	static const char *const	suffix[] = {
		[ACME_STORE_CERT] = "",
		[ACME_STORE_STATE] = "+state",
		[ACME_STORE_KEY] = "+newkey",
	};

	if (f == ACME_STORE_ACCOUNT)
		return ACCOUNT;
	snprintf(out, ACME_STORE_NAME, "%.*s%s%s", SV_ARG(host),
	    rsa ? "+rsa" : "", suffix[f]);
	return out;
}

/* see store.h */
int
acme_store_read(const struct acme_store *s, const char *name,
    struct buf *out)
{
	size_t	 start = out->n;
	ssize_t	 n = -1;
	char	*p;
	int	 fd;

	fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	while ((p = buf_reserve(out, 4096)) != NULL &&
	    out->n - start < FILE_MAX_BYTES && (n = read(fd, p, 4096)) > 0)
		buf_commit(out, (size_t)n);
	close(fd);
	if (n == 0)
		return 0;
	if (n > 0)
		errno = EFBIG;
	else if (out->failed)
		errno = ENOMEM;
	return -1;
}

/* see store.h */
int
acme_store_write(const struct acme_store *s, const char *name,
    struct sv text)
{
	int fd, error = 0;

	unlinkat(s->dir, TEMPORARY, 0);
	fd = openat(s->dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_all(fd, text) == -1)
		error = errno;
	if (close(fd) == -1 && error == 0)
		error = errno;
	if (error == 0 && renameat(s->dir, TEMPORARY, s->dir, name) == -1)
		error = errno;
	if (error != 0) {
		unlinkat(s->dir, TEMPORARY, 0);
		errno = error;
		return -1;
	}
	return fsync(s->dir);
}

/* see store.h */
int
acme_store_remove(const struct acme_store *s, const char *name)
{
	if (unlinkat(s->dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	return fsync(s->dir);
}

/* see store.h */
struct sv
acme_store_chain(struct sv file)
{
	static const char	begin[] = "-----BEGIN CERTIFICATE-----";
	const char	       *p;

	p = file.n == 0 ? NULL :
	    memmem(file.p, file.n, begin, sizeof(begin) - 1);
	return p == NULL ? SV("") : sv_skip(file, (size_t)(p - file.p));
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See unix.h. Two processes that start at the same time, over the same stale
 * socket, must not remove each other's: from the look at what is there until
 * the socket listens, the directory is locked.
 */
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/unix.h"
#include "util/sv.h"

#define LOCK_TRIES	200
#define LOCK_PAUSE_US	10000

/* see unix.h */
int
unix_id(const char *file, const char *name, unsigned *id)
{
	char		 line[512];
	struct sv	 rest;
	uint64_t	 n;
	FILE		*f;
	int		 rc = -1;

	if (sv_u64(sv_from(name), &n) == 0) {
		*id = (unsigned)n;
		return n < UINT32_MAX ? 0 : -1;
	}
	if ((f = fopen(file, "re")) == NULL)
		return -1;
	/* name:password:number:... */
	while (rc == -1 && fgets(line, sizeof(line), f) != NULL) {
		rest = sv_make(line, strcspn(line, "\n"));
		if (!sv_eq(sv_cut(&rest, ':'), sv_from(name)))
			continue;
		sv_cut(&rest, ':');
		if (sv_u64(sv_cut(&rest, ':'), &n) == -1 || n >= UINT32_MAX)
			break;
		*id = (unsigned)n;
		rc = 0;
	}
	fclose(f);
	return rc;
}

/* see unix.h */
bool
unix_peer(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred	cred;
	socklen_t	n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1)
		return false;
	*pid = cred.pid;
	*uid = cred.uid;
	return true;
}

/* see unix.h */
void
unix_remove(const char *path, const struct unix_file *file)
{
	struct stat st;

	if (*path == '/' && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == file->dev && st.st_ino == file->ino &&
	    st.st_mtim.tv_sec == file->made.tv_sec &&
	    st.st_mtim.tv_nsec == file->made.tv_nsec)
		unlink(path);
}

static int
open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
set_address(struct sockaddr_un *un, socklen_t *len, const char *path,
    const char **why)
{
	size_t n = strlen(path);

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (n < 2 || n >= sizeof(un->sun_path) ||
	    (*path != '/' && *path != '@')) {
		*why = "the path must be absolute, or @ and a name, and have "
		    "107 bytes at most";
		errno = EINVAL;
		return -1;
	}
	memcpy(un->sun_path, path, n);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (*path == '@')
		un->sun_path[0] = '\0';
	else
		*len += 1;
	return 0;
}

/* A lock on the directory of a path: an fd, or -1; then it goes without. */
static int
lock_directory(const char *path)
{
	char	dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t	n = (size_t)(strrchr(path, '/') - path);
	int	fd, i;

	sv_copy(dir, sizeof(dir), sv_make(path, n == 0 ? 1 : n));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	/* Anybody may hold such a lock, so there is an end to waiting. */
	for (i = 0; i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) == -1; i++)
		usleep(LOCK_PAUSE_US);
	return fd;
}

/* Make room at the path: nothing there, or a socket nobody listens on. */
static int
clear_path(const struct sockaddr_un *un, socklen_t len, const char **why)
{
	struct stat	st;
	int		fd, rc, error;

	if (lstat(un->sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		*why = "there is something that is no socket, and it is not "
		    "removed";
		errno = EEXIST;
		return -1;
	}
	if ((fd = open_socket()) == -1)
		return -1;
	rc = connect(fd, (const struct sockaddr *)un, len);
	error = errno;
	close(fd);
	if (rc == -1 && error == ECONNREFUSED)
		return unlink(un->sun_path);
	/* Answered; or it is there, but busy or not ours to ask. */
	errno = rc == 0 || error == EAGAIN ? EADDRINUSE : error;
	return -1;
}

/* Give away what was bound there. Whoever owns the directory may have put
 * something else in its place: nothing but a socket is touched. */
static int
change_owner(const char *path, unsigned uid, unsigned gid)
{
	struct stat	st;
	int		fd, rc = -1, save;

	if ((fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return -1;
	errno = ENOTSOCK;
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		rc = fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
	save = errno;
	close(fd);
	errno = save;
	return rc;
}

/* Bind a path with owner and mode. Nobody can connect before it listens. */
static int
bind_path(int fd, const struct sockaddr_un *un, socklen_t len,
    const struct unix_options *o, const char **why)
{
	unsigned	uid = (unsigned)-1, gid = (unsigned)-1;
	mode_t		old;
	int		rc;

	if ((*o->owner != '\0' &&
	    unix_id("/etc/passwd", o->owner, &uid) == -1) ||
	    (*o->group != '\0' &&
	    unix_id("/etc/group", o->group, &gid) == -1)) {
		*why = "its owner or group does not exist";
		errno = EINVAL;
		return -1;
	}
	old = umask(~o->mode & 0777);
	rc = bind(fd, (const struct sockaddr *)un, len);
	umask(old);
	if (rc == -1 || (*o->owner == '\0' && *o->group == '\0') ||
	    change_owner(un->sun_path, uid, gid) == 0)
		return rc;
	*why = "its owner can't be set";
	rc = errno;
	unlink(un->sun_path);
	errno = rc;
	return -1;
}

static int
listen_path(int fd, const struct sockaddr_un *un, socklen_t len,
    const struct unix_options *o, int backlog, struct unix_file *file,
    const char **why)
{
	struct stat st;

	if (clear_path(un, len, why) == -1 ||
	    bind_path(fd, un, len, o, why) == -1)
		return -1;
	if (listen(fd, backlog) == -1 || lstat(un->sun_path, &st) == -1)
		return -1;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->made = st.st_mtim;
	return 0;
}

/* see unix.h */
int
unix_listen(const struct unix_options *o, int backlog,
    struct unix_file *file, const char **why)
{
	struct sockaddr_un	un;
	socklen_t		len;
	int			fd, lock = -1, rc, save;

	*why = NULL;
	memset(file, 0, sizeof(*file));
	if (set_address(&un, &len, o->path, why) == -1 ||
	    (fd = open_socket()) == -1)
		return -1;
	if (un.sun_path[0] == '\0') {
		rc = bind(fd, (const struct sockaddr *)&un, len);
		if (rc == 0)
			rc = listen(fd, backlog);
	} else {
		lock = lock_directory(o->path);
		rc = listen_path(fd, &un, len, o, backlog, file, why);
	}
	save = errno;
	if (lock != -1)
		close(lock);
	if (rc == 0)
		return fd;
	close(fd);
	errno = save;
	return -1;
}

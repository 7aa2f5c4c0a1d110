/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Unix sockets to listen on. A path is taken only from a socket on which
 * nobody listens any more; nothing else is ever removed. Before anybody can
 * connect, the file's owner and mode are what they shall be, and at no
 * moment are they wider.
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct unix_options {
	const char	*path;		/* absolute, or "@name": abstract */
	unsigned	 mode;		/* 0660 ... */
	const char	*owner, *group;	/* names or numbers; "": our own */
};

/* The file of a socket, to be removed in the end. Its number alone does not
 * tell it from its successor's, which may get the same once it is gone. */
struct unix_file {
	dev_t		dev;
	ino_t		ino;
	struct timespec	made;
};

/*
 * Bind and listen; before any thread is started, because the mask of modes
 * is the process's. An fd; or -1 with errno, and *why a static sentence if
 * errno does not tell all: EADDRINUSE somebody answers there, EEXIST there is
 * something that is no socket, EINVAL the path or an owner.
 */
int	unix_listen(const struct unix_options *, int backlog,
	    struct unix_file *, const char **why);
/* Remove the file if it is still the one that was made. */
void	unix_remove(const char *path, const struct unix_file *);
/* Who is at the other end; false if there is no telling. */
bool	unix_peer(int fd, pid_t *pid, uid_t *uid);

/* The number of a user (file "/etc/passwd") or group ("/etc/group"), given
 * as that or by name. 0 or -1. */
int	unix_id(const char *file, const char *name, unsigned *id);

#endif

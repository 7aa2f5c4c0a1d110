/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Sockets that the service manager opened for us, and what it wants to hear
 * (sd_listen_fds(3), sd_notify(3)), without its library.
 */
#ifndef NET_ACTIVATE_H
#define NET_ACTIVATE_H

#include <stddef.h>
#include <stdint.h>

/* ---- inherited listening sockets ---- */

#define ACTIVATED_MAX	64

struct activated_fd {
	int	fd;		/* non-blocking, closed on exec */
	char	name[64];	/* as of LISTEN_FDNAMES, or "" */
};

struct activated {
	size_t			n;
	struct activated_fd	v[ACTIVATED_MAX];
};

/* Take them from the environment, which forgets them: LISTEN_FDS of them, if
 * LISTEN_PID is this process. 0; or -1 with *why, static: one of them, *fd, is
 * no listening stream socket of IP or Unix, or a number makes no sense. */
int	activate_take(struct activated *, const char **why, int *fd);

/* ---- notification ---- */

/* Take NOTIFY_SOCKET and WATCHDOG_USEC from the environment, which forgets
 * them. Without them the following does nothing. */
void	notify_init(void);
/* Send lines ("READY=1\nSTATUS=..."). Who does not listen is not waited
 * for. */
void	notify_send(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));
/* How often WATCHDOG=1 is due, in ms; 0: never. */
int64_t	notify_watchdog_ms(void);

#endif

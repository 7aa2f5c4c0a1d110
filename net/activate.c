/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See activate.h.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/tcp.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/activate.h"
#include "util/sv.h"

#define FIRST_FD	3

/* ---- inherited listening sockets ---- */

static int
get_opt(int fd, int name)
{
	int		value;
	socklen_t	n = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, name, &value, &n) == -1)
		return -1;
	return value;
}

static int
check_fd(int fd, const char **why)
{
	const int	on = 1;
	int		flags, family;

	*why = "it is no listening stream socket";
	if (get_opt(fd, SO_TYPE) != SOCK_STREAM ||
	    get_opt(fd, SO_ACCEPTCONN) != 1)
		return -1;
	family = get_opt(fd, SO_DOMAIN);
	*why = "it is neither an IP nor a Unix socket";
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return -1;
	/* As our own have it; a Unix socket does not. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*why = "it can't be set up";
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int
take(struct activated *a, const char *count, const char *names,
    const char **why, int *fd)
{
	struct sv		 rest = sv_from(names);
	struct activated_fd	*v;
	uint64_t		 n;

	*why = "LISTEN_FDS makes no sense";
	if (sv_u64(sv_from(count), &n) == -1 || n > ACTIVATED_MAX)
		return -1;
	for (; a->n < n; a->n++) {
		v = &a->v[a->n];
		v->fd = *fd = FIRST_FD + (int)a->n;
		sv_copy(v->name, sizeof(v->name), sv_cut(&rest, ':'));
		if (check_fd(v->fd, why) == -1)
			return -1;
	}
	return 0;
}

/* see activate.h */
int
activate_take(struct activated *a, const char **why, int *fd)
{
	const char	*pid = getenv("LISTEN_PID");
	const char	*count = getenv("LISTEN_FDS");
	uint64_t	 n;
	int		 rc = 0;

	a->n = 0;
	*why = NULL;
	*fd = -1;
	if (count != NULL && pid != NULL && sv_u64(sv_from(pid), &n) == 0 &&
	    n == (uint64_t)getpid())
		rc = take(a, count, getenv("LISTEN_FDNAMES"), why, fd);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}

/* ---- notification ---- */

static struct {
	struct sockaddr_un	to;
	socklen_t		len;		/* 0: nobody wants to hear */
	int64_t			watchdog_ms;
} notify;

static void
set_destination(const char *path)
{
	size_t n = path == NULL ? 0 : strlen(path);

	if (n < 2 || n >= sizeof(notify.to.sun_path) ||
	    (*path != '/' && *path != '@'))
		return;
	notify.to.sun_family = AF_UNIX;
	memcpy(notify.to.sun_path, path, n);
	if (*path == '@')
		notify.to.sun_path[0] = '\0';
	notify.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* see activate.h */
void
notify_init(void)
{
	const char	*pid = getenv("WATCHDOG_PID");
	const char	*usec = getenv("WATCHDOG_USEC");
	uint64_t	 n;

	memset(&notify, 0, sizeof(notify));
	set_destination(getenv("NOTIFY_SOCKET"));
	if (usec != NULL && sv_u64(sv_from(usec), &n) == 0 && n >= 2000 &&
	    n <= INT64_MAX)
		notify.watchdog_ms = (int64_t)(n / 2000);
	if (pid != NULL && (sv_u64(sv_from(pid), &n) == -1 ||
	    n != (uint64_t)getpid()))
		notify.watchdog_ms = 0;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

/* see activate.h */
void
notify_send(const char *format, ...)
{
	char	text[512];
	va_list	ap;
	int	fd, n;

	if (notify.len == 0)
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || n < 0 || (size_t)n >= sizeof(text))
		n = 0;
	if (n > 0)
		(void)!sendto(fd, text, (size_t)n, MSG_NOSIGNAL,
		    (const struct sockaddr *)&notify.to, notify.len);
	if (fd != -1)
		close(fd);
}

/* see activate.h */
int64_t
notify_watchdog_ms(void)
{
	return notify.len == 0 ? 0 : notify.watchdog_ms;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See process.h: the process itself.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "acme/message.h"
#include "acme/process.h"
#include "net/unix.h"
#include "util/log.h"

#define SOCKET		3
#define LOCK_TRIES	50
#define LOCK_PAUSE_US	100000

static struct child {
	struct io		 io;		/* the socket; first */
	struct io		 signals;
	struct acme_options	 o;
	struct acme_store	 store;
	struct acme_drive	 drive;
	char			*options;	/* their bytes */
	char			*packet;
} child;

/* see process.h */
int
acme_process_user(const struct acme_options *o, uid_t *uid, struct buf *why)
{
	const char	*user = o->text[ACME_USER];
	unsigned	 id;

	*uid = (uid_t)-1;
	if (*user == '\0' || geteuid() != 0)
		return 0;
	if (unix_id("/etc/passwd", user, &id) == -1) {
		buf_printf(why, "tls_autocert.user: there is no user %s",
		    user);
		return -1;
	}
	*uid = (uid_t)id;
	return 0;
}

/* see process.h */
int
acme_process_become(const struct acme_options *o, struct buf *why)
{
	unsigned	gid;
	uid_t		uid;

	if (acme_process_user(o, &uid, why) == -1)
		return -1;
	if (uid == (uid_t)-1)
		return 0;
	if (unix_id("/etc/group", o->text[ACME_USER], &gid) == -1)
		gid = uid;
	if (setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0)
		return 0;
	buf_printf(why, "can't become tls_autocert.user: %s",
	    log_strerror(errno));
	return -1;
}

/* ---- messages ---- */

/* The server may be busy, but it won't be for long: waits. */
static void
tell(char type, const char *const *v, size_t n)
{
	struct buf b = BUF_INIT;

	acme_message_put(&b, type, v, n);
	if (b.failed || send(SOCKET, b.p, b.n, MSG_NOSIGNAL) == -1)
		_exit(EX_IOERR);
	buf_wipe(&b);
}

static const char *
own(struct sv s)
{
	char *p = sv_dup(s);

	if (p == NULL)
		_exit(EX_OSERR);
	return p;
}

static void
tell_svs(char type, unsigned number, const struct sv *s, size_t n)
{
	const char	*v[ACME_MSG_STRINGS];
	char		 digits[16];
	size_t		 i;

	snprintf(digits, sizeof(digits), "%u", number);
	v[0] = digits;
	for (i = 0; i < n; i++)
		v[1 + i] = own(s[i]);
	tell(type, v, 1 + n);
	for (i = 0; i < n; i++)
		freezero((char *)(uintptr_t)v[1 + i], s[i].n);
}

static void
say(void *arg, bool warn, struct sv line)
{
	const char *v[] = { warn ? "warn" : "info", own(line) };

	(void)arg;
	tell(ACME_MSG_SAY, v, 2);
	free((char *)(uintptr_t)v[1]);
}

static const char *
show(void *arg, const struct acme_step *st)
{
	const struct sv s[] = { st->name, st->token, st->key_auth };

	(void)arg;
	tell_svs(ACME_MSG_SHOW, st->challenge, s, 3);
	return acme_later;
}

static const char *
hide(void *arg, const struct acme_step *st)
{
	const struct sv s[] = { st->name, st->token };

	(void)arg;
	tell_svs(ACME_MSG_HIDE, st->challenge, s, 2);
	return acme_later;
}

static const char *
have(void *arg, size_t set, struct sv chain, struct sv key)
{
	const struct sv s[] = { chain, key };

	(void)arg;
	tell_svs(ACME_MSG_HAVE, (unsigned)set, s, 2);
	return acme_later;
}

static void
idle(void *arg, size_t set, int64_t until)
{
	struct child		*c = arg;
	struct acme_status	 status;
	char			 n[2][16];
	const char		*v[] = { n[0], n[1] };

	(void)until;
	acme_drive_status(&c->drive, set, &status);
	snprintf(n[0], sizeof(n[0]), "%u", (unsigned)set);
	snprintf(n[1], sizeof(n[1]), "%u", status.failures);
	tell(ACME_MSG_FAILING, v, 2);
}

static const struct acme_drive_ops ops = {
	.show = show, .hide = hide, .have = have, .say = say, .idle = idle
};

/* The server's answer; or it is gone, and so are we. */
static void
on_message(struct io *io, struct worker *w, uint32_t ev)
{
	struct acme_message	m;
	ssize_t			n;

	(void)w;
	(void)ev;
	n = recv(io->fd, child.packet, ACME_MSG_BYTES, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || acme_message_get(&m, sv_make(child.packet,
	    (size_t)n)) == -1 || m.type != ACME_MSG_DONE || m.n != 1)
		_exit(0);
	acme_drive_done(&child.drive, *m.v[0] == '\0' ? NULL : m.v[0]);
}

/* fugu acme renew, and with --force. */
static void
on_signals(struct io *io, struct worker *w, uint32_t ev)
{
	struct signalfd_siginfo si;

	(void)w;
	(void)ev;
	while (read(io->fd, &si, sizeof(si)) == sizeof(si))
		acme_drive_renew(&child.drive, si.ssi_signo == SIGUSR2);
}

/* ---- beginning ---- */

/* Never again more than it has now. The server ends, so do we. */
static void
confine(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, "fugu-acme", 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

static int
read_options(void)
{
	struct acme_message	m;
	ssize_t			n;

	child.options = malloc(ACME_MSG_BYTES);
	child.packet = malloc(ACME_MSG_BYTES);
	if (child.options == NULL || child.packet == NULL)
		return -1;
	n = recv(SOCKET, child.options, ACME_MSG_BYTES, 0);
	if (n <= 0 || acme_message_get(&m, sv_make(child.options,
	    (size_t)n)) == -1)
		return -1;
	return acme_message_get_options(&m, &child.o);
}

/* The one before us may not be quite gone. */
static int
lock(void)
{
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (acme_store_lock(&child.store) == 0) {
			acme_store_sign(&child.store);
			return 0;
		}
		if (errno != EWOULDBLOCK)
			break;
		usleep(LOCK_PAUSE_US);
	}
	return -1;
}

static int
take_signals(struct worker *w)
{
	sigset_t set;

	/* Those of a terminal are for the server, which tells us by its
	 * end. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child.signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	child.signals.on_event = on_signals;
	return child.signals.fd == -1 ? -1 :
	    io_add(w, &child.signals, EPOLLIN);
}

static void
fail(struct buf *why)
{
	say(NULL, true, buf_sv(why));
	_exit(EX_CANTCREAT);
}

/* see process.h */
int
acme_process_main(void)
{
	const struct log_options quiet = { .level = LOG_NONE };
	struct worker	*w;
	struct buf	 why = BUF_INIT;

	/* What there is to say is said to the server. */
	log_init(&quiet);
	if (fcntl(SOCKET, F_SETFD, FD_CLOEXEC) == -1 || read_options() == -1)
		return EX_USAGE;
	closefrom(SOCKET + 1);
	if (acme_process_become(&child.o, &why) == -1)
		fail(&why);
	confine();
	child.io.fd = SOCKET;
	child.io.on_event = on_message;
	if ((w = worker_new(0)) == NULL || take_signals(w) == -1 ||
	    io_add(w, &child.io, EPOLLIN) == -1)
		return EX_OSERR;
	if (acme_store_open(&child.store, child.o.text[ACME_DIR],
	    (uid_t)-1, &why) == -1)
		fail(&why);
	if (lock() == -1) {
		buf_printf(&why, "the directory can't be locked: %s",
		    log_strerror(errno));
		fail(&why);
	}
	if (acme_drive_init(&child.drive, w, &child.o, &child.store, &ops,
	    &child, &why) == -1)
		fail(&why);
	worker_run(w);
	return 0;
}

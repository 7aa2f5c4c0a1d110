/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See process.h: the server's end.
 */
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/message.h"
#include "acme/process.h"
#include "util/clock.h"
#include "util/log.h"

#define PAUSE_MS	1000
#define PAUSE_MOST_MS	300000
#define GOOD_MS		600000	/* having run for that long, it was well */

static void	ended(struct acme_process *);

/* ---- messages ---- */

static void
send_done(struct acme_process *p, const char *why)
{
	struct buf b = BUF_INIT;

	if (why == NULL)
		why = "";
	acme_message_put(&b, ACME_MSG_DONE, &why, 1);
	/* It waits for this one and has nothing else to read. */
	if (b.failed || send(p->io.fd, b.p, b.n, MSG_DONTWAIT |
	    MSG_NOSIGNAL) == -1)
		kill(p->pid, SIGKILL);
	buf_fini(&b);
}

static int
handle_challenge(struct acme_process *p, const struct acme_message *m)
{
	unsigned	challenge;
	const char     *why = NULL;
	bool		show = m->type == ACME_MSG_SHOW;

	if (m->n != (show ? 4 : 3) ||
	    acme_message_number(m->v[0], &challenge) == -1 ||
	    challenge >= ACME_CHALLENGES)
		return -1;
	if (show)
		why = p->ops->show(p->arg, (enum acme_challenge)challenge,
		    m->v[1], m->v[2], m->v[3]);
	else
		p->ops->hide(p->arg, (enum acme_challenge)challenge, m->v[1],
		    m->v[2]);
	send_done(p, why);
	return 0;
}

/* Nothing that comes from there is taken on trust: -1 ends it. */
static int
handle(struct acme_process *p, const struct acme_message *m)
{
	unsigned set, failures;

	switch (m->type) {
	case ACME_MSG_SAY:
		if (m->n != 2)
			return -1;
		p->ops->say(p->arg, strcmp(m->v[0], "warn") == 0, m->v[1]);
		return 0;
	case ACME_MSG_SHOW:
	case ACME_MSG_HIDE:
		return handle_challenge(p, m);
	case ACME_MSG_HAVE:
		if (m->n != 3 || acme_message_number(m->v[0], &set) == -1 ||
		    set >= acme_sets(p->o))
			return -1;
		send_done(p, p->ops->have(p->arg, set, m->v[1], m->v[2]));
		return 0;
	case ACME_MSG_FAILING:
		if (m->n != 2 || acme_message_number(m->v[0], &set) == -1 ||
		    set >= acme_sets(p->o) ||
		    acme_message_number(m->v[1], &failures) == -1)
			return -1;
		p->ops->failing(p->arg, set, failures);
		return 0;
	default:
		return -1;
	}
}

static void
on_event(struct io *io, struct worker *w, uint32_t ev)
{
	struct acme_process	*p = (struct acme_process *)(void *)io;
	struct acme_message	 m;
	ssize_t			 n;

	(void)w;
	(void)ev;
	n = recv(io->fd, p->packet, ACME_MSG_BYTES, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || acme_message_get(&m, sv_make(p->packet,
	    (size_t)n)) == -1 || handle(p, &m) == -1)
		ended(p);
	explicit_bzero(p->packet, n > 0 ? (size_t)n : 0);
}

/* ---- beginning and end ---- */

/* In the child: nothing but system calls before the program begins. */
static void
become(int fd, const char *path)
{
	static char	 name[] = "fugu", command[] = "acme",
			 word[] = ACME_PROCESS_WORD;
	char		*argv[] = { name, command, word, NULL };
	char		*envp[] = { NULL, NULL, NULL };
	const char	*file = getenv("SSL_CERT_FILE");
	const char	*dir = getenv("SSL_CERT_DIR");
	size_t		 n = 0;

	/* Where the system's authorities are, and nothing else. */
	if (file != NULL)
		envp[n++] = (char *)(uintptr_t)file -
		    sizeof("SSL_CERT_FILE");
	if (dir != NULL)
		envp[n++] = (char *)(uintptr_t)dir - sizeof("SSL_CERT_DIR");
	if (fd == 3)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, 3);
	execve("/proc/self/exe", argv, envp);
	execve(path, argv, envp);
	_exit(127);
}

static int
spawn(struct acme_process *p)
{
	const char	*path = (const char *)getauxval(AT_EXECFN);
	int		 fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	p->pid = fork();
	if (p->pid == 0)
		become(fd[1], path);
	close(fd[1]);
	if (p->pid == -1) {
		close(fd[0]);
		return -1;
	}
	p->io.fd = fd[0];
	return 0;
}

static int
send_options(const struct acme_process *p)
{
	struct buf	b = BUF_INIT;
	ssize_t		n = -1;

	acme_message_put_options(&b, p->o);
	if (!b.failed)
		n = send(p->io.fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_wipe(&b);
	return n == -1 ? -1 : 0;
}

static void
reap(struct acme_process *p)
{
	if (p->io.fd == -1)
		return;
	io_del(p->w, &p->io);
	close(p->io.fd);
	p->io.fd = -1;
	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

static void
begin(struct acme_process *p)
{
	p->begun_at = p->w->now;
	if (spawn(p) == 0 && io_add(p->w, &p->io, EPOLLIN) == 0 &&
	    send_options(p) == 0)
		return;
	p->ops->say(p->arg, true, log_strerror(errno));
	ended(p);
}

static void
on_timer(struct timer *t)
{
	begin((struct acme_process *)(void *)((char *)t -
	    offsetof(struct acme_process, timer)));
}

static void
ended(struct acme_process *p)
{
	int64_t pause = PAUSE_MS;
	unsigned i;

	reap(p);
	p->ops->ended(p->arg);
	if (p->w->now - p->begun_at > GOOD_MS)
		p->tries = 0;
	for (i = 0; i < p->tries && pause < PAUSE_MOST_MS; i++)
		pause *= 2;
	p->tries++;
	p->ops->say(p->arg, true, "the process that speaks to the CA has "
	    "ended; it is started again");
	timer_set(p->w, &p->timer, p->w->now + pause);
}

/* see process.h */
int
acme_process_start(struct acme_process *p, struct worker *w,
    const struct acme_options *o, const struct acme_process_ops *ops,
    void *arg)
{
	*p = (struct acme_process){ .io = { .fd = -1, .on_event = on_event },
	    .w = w, .o = o, .ops = ops, .arg = arg };
	p->timer.fn = on_timer;
	/* Ignored, as some let us begin, the number of one that has ended would
	 * be another's at once, and we kill by it. */
	signal(SIGCHLD, SIG_DFL);
	if ((p->packet = malloc(ACME_MSG_BYTES)) == NULL)
		return -1;
	begin(p);
	return 0;
}

/* see process.h */
void
acme_process_stop(struct acme_process *p)
{
	if (p->packet == NULL)
		return;
	timer_stop(&p->timer);
	reap(p);
	free(p->packet);
	p->packet = NULL;
}

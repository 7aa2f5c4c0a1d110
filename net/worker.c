/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A worker: an epoll loop with a mailbox. See net.h for the order of a turn.
 * Everything is level-triggered; what must not fire is not registered.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"
#include "util/clock.h"
#include "util/log.h"

#define EVENTS_MAX	256

/* see net.h */
int
io_add(struct worker *w, struct io *io, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = io };

	io->want = events;
	return epoll_ctl(w->epfd, EPOLL_CTL_ADD, io->fd, &ev);
}

/* see net.h */
int
io_want(struct worker *w, struct io *io, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = io };

	if (io->want == events)
		return 0;
	io->want = events;
	return epoll_ctl(w->epfd, EPOLL_CTL_MOD, io->fd, &ev);
}

/* see net.h */
void
io_del(struct worker *w, struct io *io)
{
	struct epoll_event	ev = { .events = 0 };
	int			i;

	epoll_ctl(w->epfd, EPOLL_CTL_DEL, io->fd, &ev);
	for (i = 0; i < w->nev; i++)
		if (w->ev[i].data.ptr == io)
			w->ev[i].data.ptr = NULL;
}

static void
wake_event(struct io *io, struct worker *w, uint32_t ev)
{
	uint64_t n;

	(void)w;
	(void)ev;
	while (read(io->fd, &n, sizeof(n)) == -1 && errno == EINTR)
		continue;
}

/* see net.h */
struct worker *
worker_new(unsigned id)
{
	struct worker *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->id = id;
	w->epfd = w->wake.fd = w->spare_fd = -1;
	w->dirty_tail = &w->dirty;
	LIST_INIT(&w->conns);
	w->now = clock_mono_ms();
	w->wheel_at = w->now / WHEEL_TICK_MS;
	w->wake.on_event = wake_event;
	if ((w->rbuf = malloc(WORKER_RBUF)) == NULL)
		goto fail;
	if ((w->epfd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		goto fail;
	w->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake.fd == -1 || io_add(w, &w->wake, EPOLLIN) == -1)
		goto fail;
	if ((w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1 &&
	    (w->spare_fd = dup(w->wake.fd)) == -1)
		goto fail;
	return w;
fail:
	worker_free(w);
	return NULL;
}

/* see net.h */
void
worker_free(struct worker *w)
{
	int save = errno;

	if (w == NULL)
		return;
	if (w->epfd != -1)
		close(w->epfd);
	if (w->wake.fd != -1)
		close(w->wake.fd);
	if (w->spare_fd != -1)
		close(w->spare_fd);
	free(w->rbuf);
	free(w);
	errno = save;
}

/* see net.h */
void
worker_post(struct worker *w, struct mail *m)
{
	const uint64_t one = 1;

	if (!mailq_push(&w->mail, m))
		return;		/* the receiver has been woken already */
	while (write(w->wake.fd, &one, sizeof(one)) == -1 && errno == EINTR)
		continue;
}

/* see net.h */
bool
worker_has_mail(struct worker *w)
{
	return atomic_load_explicit(&w->mail.head, memory_order_relaxed) !=
	    NULL;
}

static void
run_mail(struct worker *w)
{
	struct mail *m = mailq_take(&w->mail), *next;

	for (; m != NULL; m = next) {
		next = m->next;
		m->run(m, w->ctx);
	}
}

/* How long to sleep: not at all while work is left over. */
static int
turn_wait(const struct worker *w, int max_ms)
{
	int ms;

	if (w->dirty != NULL || w->closing != NULL)
		return 0;
	ms = wheel_wait(w);
	if (ms == -1 || (max_ms != -1 && max_ms < ms))
		ms = max_ms;
	return ms;
}

/* Mail comes before the events: a peer who says something now may have been
 * told by another worker what that one had posted before. The mail may end
 * descriptors whose events are in hand.
 * see net.h */
void
worker_turn(struct worker *w, int max_ms)
{
	struct epoll_event	 ev[EVENTS_MAX];
	struct io		*io;
	int			 i, n;

	w->now = clock_mono_ms();
	n = epoll_wait(w->epfd, ev, EVENTS_MAX, turn_wait(w, max_ms));
	w->now = clock_mono_ms();
	w->stats.turns++;
	w->ev = ev;
	w->nev = n;
	run_mail(w);
	for (i = 0; i < n; i++)
		if ((io = ev[i].data.ptr) != NULL)
			io->on_event(io, w, ev[i].events);
	w->nev = 0;
	run_mail(w);
	wheel_run(w);
	conns_flush(w);
	conns_reap(w);
}

/* see net.h */
void
worker_run(struct worker *w)
{
	while (!w->stop)
		worker_turn(w, -1);
}

static void *
worker_thread(void *arg)
{
	worker_run(arg);
	return NULL;
}

/* see net.h */
int
worker_start(struct worker *w)
{
	sigset_t	all, old;
	int		error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&w->thread, NULL, worker_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		errno = error;
		return -1;
	}
	w->running = true;
	return 0;
}

/* see net.h */
void
worker_join(struct worker *w)
{
	if (w->running)
		pthread_join(w->thread, NULL);
	w->running = false;
}

/* see net.h */
void
worker_stop(struct worker *w)
{
	w->stop = true;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A reconnect storm: all subscribers lose their connection at once, miss
 * some messages of their channels, and come back with recovery. Meanwhile a
 * process of its own, the observer, has other clients whose messages go on
 * and tells how late they come. It counts from the time when a message was
 * due, so that one that waited for its predecessor's answer is not flattered.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define OTHERS		96
#define OTHER_CHANNELS	16
#define OTHER_RATE	400
#define LONG		60	/* seconds: as long as it takes */

/*
 * The storm's word to the observer: 'c' when all are there and it is calm,
 * 's' when the storm begins, the end when it is over.
 */
static void
on_word(struct ev *ev, uint32_t events)
{
	char c;

	(void)events;
	if (read(ev->fd, &c, 1) != 1) {
		pubs_stop();
		close(ev->fd);
		return;
	}
	if (c == 's')
		printf("calm_p99_ms %.3f\n",
		    (double)hist_quantile(&load.lat, .99) / 1e6);
	hist_reset(&load.lat);
}

static void
tell(int fd, const char *word)
{
	if (write(fd, word, 1) != 1)
		err(1, "observer");
}

static void
observe(int in, int out)
{
	struct ev word = { .on_ready = on_word, .fd = in };

	setpriority(PRIO_PROCESS, 0, -10);	/* only root may */
	if ((load.ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	load.nsub = OTHERS;
	load.nchan = OTHER_CHANNELS;
	load.prefix = "pl:";
	load.since_due = true;
	subs_open();
	pubs_open(OTHER_CHANNELS);
	loop_add(&word, EPOLLIN);
	tell(out, "r");
	pubs_run(OTHER_RATE, LONG);
	printf("others %.0f\n", (double)load.lat.n);
	printf("others_p50_ms %.3f\n",
	    (double)hist_quantile(&load.lat, .5) / 1e6);
	printf("others_p99_ms %.3f\n",
	    (double)hist_quantile(&load.lat, .99) / 1e6);
	printf("others_max_ms %.3f\n", (double)load.lat.max / 1e6);
	exit(0);
}

/* Its descriptor to write words to. */
static int
observer_start(void)
{
	int in[2], out[2];
	char c;

	if (pipe(in) == -1 || pipe(out) == -1)
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(in[1]);
		close(out[0]);
		observe(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	if (read(out[0], &c, 1) != 1)
		errx(1, "the observer failed");
	return in[1];
}

static void
observer_end(int fd)
{
	int status;

	close(fd);
	if (wait(&status) == -1 || status != 0)
		errx(1, "the observer failed");
}

void
do_storm(unsigned missed)
{
	struct span s, all = {0};
	unsigned n = load.nsub;
	struct mem before;
	int observer;

	observer = observer_start();
	subs_open();
	pubs_open(8);
	tell(observer, "c");
	pause_for(1);
	before = mem_read();
	mem_peak_reset();
	tell(observer, "s");
	subs_drop();
	load.nsub = 0;
	pubs_send((uint64_t)missed * load.nchan);
	load.nsub = n;
	s = span_begin();
	subs_return(missed);
	span_add(&all, &s);
	observer_end(observer);
	printf("live_s %.3f\n", (double)all.wall / NSEC);
	report_cpu("live", &all, n);
	printf("rss_before %.0f\n", (double)before.rss);
	printf("rss_peak %.0f\n", (double)mem_peak());
	pubs_send(load.nchan);	/* they are live: each gets this */
}

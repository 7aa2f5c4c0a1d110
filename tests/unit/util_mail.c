/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Mail queues: order, the empty signal, and several producers at once (to be
 * run under ThreadSanitizer too).
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "tests/unit/test.h"
#include "util/mail.h"

#define PRODUCERS	4
#define PER_PRODUCER	20000

struct letter {
	struct mail	mail;
	int		from, seq;
};

static struct mailq	shared = MAILQ_INIT;
static atomic_long	wakes;

TEST(oldest_first)
{
	struct mailq	q = MAILQ_INIT;
	struct mail	m[3], *p;

	CHECK(mailq_take(&q) == NULL);
	CHECK(mailq_push(&q, &m[0]));
	CHECK(!mailq_push(&q, &m[1]));
	CHECK(!mailq_push(&q, &m[2]));
	p = mailq_take(&q);
	CHECK(p == &m[0] && p->next == &m[1] && m[1].next == &m[2] &&
	    m[2].next == NULL);
	CHECK(mailq_take(&q) == NULL);
	CHECK(mailq_push(&q, &m[0]));
	CHECK(mailq_take(&q) == &m[0]);
}

static void *
producer(void *arg)
{
	int	from = *(int *)arg, i;

	for (i = 0; i < PER_PRODUCER; i++) {
		struct letter	*l = malloc(sizeof(*l));

		if (l == NULL)
			abort();
		l->from = from;
		l->seq = i;
		if (mailq_push(&shared, &l->mail))
			atomic_fetch_add(&wakes, 1);
	}
	return NULL;
}

TEST(each_producer_in_its_order)
{
	pthread_t	thread[PRODUCERS];
	int		id[PRODUCERS], expect[PRODUCERS] = { 0 }, i;
	long		got = 0, takes = 0, misordered = 0;

	for (i = 0; i < PRODUCERS; i++) {
		id[i] = i;
		if (pthread_create(&thread[i], NULL, producer, &id[i]) != 0)
			abort();
	}
	while (got < (long)PRODUCERS * PER_PRODUCER) {
		struct mail	*m = mailq_take(&shared), *next;

		if (m == NULL) {
			sched_yield();
			continue;
		}
		takes++;
		for (; m != NULL; m = next, got++) {
			struct letter	*l = (struct letter *)m;

			next = m->next;
			if (l->seq != expect[l->from]++)
				misordered++;
			free(l);
		}
	}
	for (i = 0; i < PRODUCERS; i++)
		pthread_join(thread[i], NULL);
	CHECK_INT(misordered, 0);
	/* exactly one push found each batch's queue empty */
	CHECK_INT(atomic_load(&wakes), takes);
	CHECK(mailq_take(&shared) == NULL);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The timer wheel: against a model, with a clock set by hand.
 */
#include <stdlib.h>

#include "net/internal.h"
#include "tests/unit/test.h"

#define TIMERS	300

struct probe {
	struct timer	t;	/* first */
	int64_t		at;	/* when it should fire, or -1 */
	int		fired;
};

static struct worker	*w;
static struct probe	 probe[TIMERS];

static void
fire(struct timer *t)
{
	struct probe *p = (struct probe *)(void *)t;

	CHECK(!timer_is_set(t));
	CHECK(p->at != -1);
	CHECK(w->now >= p->at);
	p->at = -1;
	p->fired++;
}

static void
advance(int64_t ms)
{
	w->now += ms;
	wheel_run(w);
}

static void
start(void)
{
	int i;

	w = worker_new(0);
	for (i = 0; i < TIMERS; i++)
		probe[i] = (struct probe){ .t = { .fn = fire }, .at = -1 };
}

TEST(fires_within_a_tick)
{
	start();
	probe[0].at = w->now + 100;
	timer_set(w, &probe[0].t, probe[0].at);
	advance(99);
	CHECK_INT(probe[0].fired, 0);
	advance(1 + WHEEL_TICK_MS);
	CHECK_INT(probe[0].fired, 1);
	advance(100000);
	CHECK_INT(probe[0].fired, 1);
	worker_free(w);
}

TEST(past_and_now_fire_at_the_next_tick)
{
	start();
	probe[0].at = w->now - 5000;
	timer_set(w, &probe[0].t, probe[0].at);
	probe[1].at = w->now;
	timer_set(w, &probe[1].t, probe[1].at);
	advance(2 * WHEEL_TICK_MS);
	CHECK_INT(probe[0].fired, 1);
	CHECK_INT(probe[1].fired, 1);
	worker_free(w);
}

TEST(stopped_does_not_fire)
{
	start();
	timer_stop(&probe[0].t);
	timer_set(w, &probe[0].t, w->now + 50);
	timer_stop(&probe[0].t);
	CHECK(!timer_is_set(&probe[0].t));
	advance(1000);
	CHECK_INT(probe[0].fired, 0);
	worker_free(w);
}

/* More than one turn of the wheel away. */
TEST(later_rounds_wait)
{
	const int64_t round = (int64_t)WHEEL_SLOTS * WHEEL_TICK_MS;
	int		i;

	start();
	probe[0].at = w->now + 3 * round + 7;
	timer_set(w, &probe[0].t, probe[0].at);
	for (i = 0; i < 3; i++) {
		advance(round);
		CHECK_INT(probe[0].fired, 0);
	}
	advance(7 + WHEEL_TICK_MS);
	CHECK_INT(probe[0].fired, 1);
	worker_free(w);
}

TEST(a_long_sleep_misses_nothing)
{
	const int64_t round = (int64_t)WHEEL_SLOTS * WHEEL_TICK_MS;
	int		i;

	start();
	for (i = 0; i < TIMERS; i++) {
		probe[i].at = w->now + i * 997;
		timer_set(w, &probe[i].t, probe[i].at);
	}
	advance(10 * round);
	for (i = 0; i < TIMERS; i++)
		CHECK_INT(probe[i].fired, 1);
	worker_free(w);
}

static void
rearm(struct timer *t)
{
	struct probe	*p = (struct probe *)(void *)t;
	int		 i;

	p->fired++;
	timer_set(w, t, w->now);
	/* Others in the same slot may go away meanwhile. */
	for (i = 0; i < 3; i++)
		if (&probe[i] != p)
			timer_stop(&probe[i].t);
}

TEST(callbacks_may_set_and_stop)
{
	int i;

	start();
	/* At the start of a tick: one that is due twice in an advance would
	 * rightly fire twice. */
	w->now = w->wheel_at * WHEEL_TICK_MS;
	for (i = 0; i < 3; i++) {
		probe[i].t.fn = rearm;
		timer_set(w, &probe[i].t, w->now + 2 * WHEEL_TICK_MS + 8);
	}
	advance(3 * WHEEL_TICK_MS);
	CHECK_INT(probe[0].fired + probe[1].fired + probe[2].fired, 1);
	advance(WHEEL_TICK_MS);
	CHECK_INT(probe[0].fired + probe[1].fired + probe[2].fired, 2);
	worker_free(w);
}

/* wheel_wait never sleeps over a timer, and not much less than needed. */
TEST(waits_until_the_next)
{
	start();
	CHECK_INT(wheel_wait(w), -1);
	timer_set(w, &probe[0].t, w->now + 5000);
	CHECK(wheel_wait(w) >= 5000 - WHEEL_TICK_MS);
	CHECK(wheel_wait(w) <= 5000 + WHEEL_TICK_MS);
	timer_set(w, &probe[1].t, w->now + 40);
	CHECK(wheel_wait(w) <= 40 + WHEEL_TICK_MS);
	timer_stop(&probe[0].t);
	timer_stop(&probe[1].t);
	/* A whole round away is the slot looked at last. */
	worker_free(w);
	start();
	timer_set(w, &probe[0].t,
	    (w->wheel_at + WHEEL_SLOTS) * WHEEL_TICK_MS);
	CHECK(wheel_wait(w) > (WHEEL_SLOTS - 2) * WHEEL_TICK_MS);
	timer_stop(&probe[0].t);
	worker_free(w);
}

TEST(random_against_model)
{
	int	round, i, late = 0;
	struct probe *p;

	start();
	srandom(4711);
	for (round = 0; round < 20000; round++) {
		p = &probe[random() % TIMERS];
		switch (random() % 4) {
		case 0:
		case 1:
			p->at = w->now + random() % 200000;
			timer_set(w, &p->t, p->at);
			break;
		case 2:
			timer_stop(&p->t);
			p->at = -1;
			break;
		default:
			advance(random() % 300);
			for (i = 0; i < TIMERS; i++) {
				if (probe[i].at != -1 && probe[i].at +
				    WHEEL_TICK_MS <= w->now)
					late++;
				CHECK(timer_is_set(&probe[i].t) ==
				    (probe[i].at != -1));
			}
		}
	}
	CHECK_INT(late, 0);
	worker_free(w);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A hashed timer wheel: WHEEL_SLOTS lists, one for each tick modulo the
 * wheel's size. Setting and stopping are a list operation. A slot is looked
 * at when its tick comes; timers of later rounds stay in it. A bitmap of the
 * slots that may hold something tells how long the loop can sleep.
 */
#include "net/internal.h"

static void
slot_insert(struct worker *w, struct timer *t, int64_t tick)
{
	size_t		  i = (size_t)tick & (WHEEL_SLOTS - 1);
	struct timer	**head = &w->slot[i];

	t->next = *head;
	t->prev = head;
	if (*head != NULL)
		(*head)->prev = &t->next;
	*head = t;
	w->slot_used[i / 64] |= (uint64_t)1 << (i % 64);
}

/* see net.h */
void
timer_set(struct worker *w, struct timer *t, int64_t at)
{
	int64_t tick = (at + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;

	timer_stop(t);
	t->at = at;
	if (tick <= w->wheel_at)
		tick = w->wheel_at + 1;
	slot_insert(w, t, tick);
}

/* see net.h */
void
timer_stop(struct timer *t)
{
	if (t->prev == NULL)
		return;
	*t->prev = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	t->next = NULL;
	t->prev = NULL;
}

/* Run what is due in one slot. The list is moved aside first, so that
 * callbacks may set and stop any timer, also those still waiting in it. */
static void
slot_run(struct worker *w, int64_t tick)
{
	size_t		 i = (size_t)tick & (WHEEL_SLOTS - 1);
	struct timer	*list = w->slot[i], *t;

	w->slot[i] = NULL;
	w->slot_used[i / 64] &= ~((uint64_t)1 << (i % 64));
	if (list != NULL)
		list->prev = &list;
	while ((t = list) != NULL) {
		timer_stop(t);
		if (t->at <= tick * WHEEL_TICK_MS)
			t->fn(t);
		else
			slot_insert(w, t, tick);
	}
}

/* Run every timer that is due at w->now. */
void
wheel_run(struct worker *w)
{
	int64_t to = w->now / WHEEL_TICK_MS;

	/* After a long sleep one round visits every slot. The timers of
	 * the skipped rounds are due all the same: see slot_run. */
	if (to - w->wheel_at > WHEEL_SLOTS)
		w->wheel_at = to - WHEEL_SLOTS;
	while (w->wheel_at < to) {
		size_t i = (size_t)(w->wheel_at + 1) & (WHEEL_SLOTS - 1);

		if (i % 64 == 0 && w->slot_used[i / 64] == 0 &&
		    to - w->wheel_at >= 64) {
			w->wheel_at += 64;
			continue;
		}
		w->wheel_at++;
		if (w->slot_used[i / 64] & (uint64_t)1 << (i % 64))
			slot_run(w, w->wheel_at);
	}
}

/* Milliseconds until the next slot that may hold something is due; -1 if
 * all are empty. */
int
wheel_wait(const struct worker *w)
{
	int64_t	at;
	size_t	k, i;

	for (k = 1; k <= WHEEL_SLOTS; k++) {
		i = (size_t)(w->wheel_at + (int64_t)k) & (WHEEL_SLOTS - 1);
		if (i % 64 == 0 && w->slot_used[i / 64] == 0) {
			k += 63;
			continue;
		}
		if (w->slot_used[i / 64] & (uint64_t)1 << (i % 64)) {
			at = (w->wheel_at + (int64_t)k) * WHEEL_TICK_MS;
			return at > w->now ? (int)(at - w->now) : 0;
		}
	}
	return -1;
}

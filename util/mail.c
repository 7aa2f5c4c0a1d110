/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Mail queues: see mail.h. The producers' stack has no ABA problem, because
 * nobody pops a single node: the consumer takes all of it or nothing.
 */
#include "util/mail.h"

bool
mailq_push(struct mailq *q, struct mail *m)
{
	struct mail	*head;

	head = atomic_load_explicit(&q->head, memory_order_relaxed);
	do {
		m->next = head;
		/* release: who takes m sees what its sender wrote into it */
	} while (!atomic_compare_exchange_weak_explicit(&q->head, &head, m,
	    memory_order_release, memory_order_relaxed));
	return head == NULL;
}

struct mail *
mailq_take(struct mailq *q)
{
	struct mail	*m, *next, *list = NULL;

	/* An empty queue is the common case: look before writing. */
	if (atomic_load_explicit(&q->head, memory_order_relaxed) == NULL)
		return NULL;
	m = atomic_exchange_explicit(&q->head, NULL, memory_order_acquire);
	for (; m != NULL; m = next) {
		next = m->next;
		m->next = list;
		list = m;
	}
	return list;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See window.h.
 */
#include "api/window.h"

/* see window.h */
void
window_run(struct window *w)
{
	unsigned slot;

	w->running = true;
	for (;;) {
		slot = (unsigned)(w->taken % w->limit);
		if (w->taken < w->started && w->done[slot]) {
			w->take(w, slot);
			w->taken++;
			continue;
		}
		if (w->ended || w->started - w->taken == w->limit)
			break;
		slot = (unsigned)(w->started++ % w->limit);
		w->done[slot] = false;
		if (!w->start(w, slot)) {
			w->started--;
			w->ended = true;
		}
	}
	w->running = false;
	if (w->ended && w->taken == w->started)
		w->finish(w);
}

/* see window.h */
void
window_done(struct window *w, unsigned slot)
{
	w->done[slot] = true;
	if (!w->running)
		window_run(w);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A long row of steps, each of which may be finished later: at most `limit'
 * are under way at once, and what they gave is taken in their order. So a
 * request with very many parts costs the memory of few.
 */
#ifndef API_WINDOW_H
#define API_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#define WINDOW_MAX	64

struct window {
	unsigned	  limit;	/* 1 .. WINDOW_MAX */
	/* Begin the next step in that slot; window_done() follows, now or
	 * later. false: there is none left. */
	bool		(*start)(struct window *, unsigned slot);
	/* Take what the step in that slot gave; the slot is free then. */
	void		(*take)(struct window *, unsigned slot);
	/* The last one was taken: the last call, may free the window. */
	void		(*finish)(struct window *);
	/* Private. */
	size_t		  started, taken;
	bool		  done[WINDOW_MAX];
	bool		  running, ended;
};

void	window_run(struct window *);
void	window_done(struct window *, unsigned slot);

#endif

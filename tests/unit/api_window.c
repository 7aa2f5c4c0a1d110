/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The window: whatever the order in which steps are done, they are taken
 * in the order in which they began, and never too many are under way.
 */
#include "api/window.h"
#include "tests/unit/test.h"

#define STEPS	500

static struct row {
	struct window	 window;	/* first */
	size_t		 n, next, taken, open, most;
	size_t		 step[WINDOW_MAX];	/* of a slot */
	bool		 is_open[WINDOW_MAX];
	bool		 at_once;
	int		 finished;
} r;

static bool
start(struct window *w, unsigned slot)
{
	if (r.next == r.n)
		return false;
	CHECK(!r.is_open[slot]);
	r.step[slot] = r.next++;
	r.is_open[slot] = true;
	if (++r.open > r.most)
		r.most = r.open;
	if (r.at_once || r.next % 7 == 0) {
		r.open--;
		r.is_open[slot] = false;
		window_done(w, slot);
	}
	return true;
}

static void
take(struct window *w, unsigned slot)
{
	(void)w;
	CHECK(!r.is_open[slot]);
	CHECK_INT(r.step[slot], r.taken);
	r.taken++;
}

static void
finish(struct window *w)
{
	(void)w;
	r.finished++;
}

/* Finish what is open, from the highest slot down. */
static void
run(size_t n, unsigned limit, bool at_once)
{
	unsigned i;

	r = (struct row){ .n = n, .at_once = at_once };
	r.window = (struct window){ .limit = limit, .start = start,
	    .take = take, .finish = finish };
	test_note("%zu steps, %u at once", n, limit);
	window_run(&r.window);
	while (r.open > 0) {
		for (i = limit; i-- > 0 && !r.is_open[i]; )
			continue;
		r.is_open[i] = false;
		r.open--;
		CHECK_INT(r.finished, 0);
		window_done(&r.window, i);
	}
	CHECK_INT(r.taken, n);
	CHECK_INT(r.finished, 1);
	CHECK(r.most <= limit);
	if (!at_once && n >= limit && limit < 7)
		CHECK_INT(r.most, limit);
}

TEST(steps_are_taken_in_order)
{
	static const size_t	n[] = { 0, 1, 2, 3, 63, 64, 65, STEPS };
	static const unsigned	limit[] = { 1, 2, 3, WINDOW_MAX };
	size_t			i, k;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		for (k = 0; k < sizeof(limit) / sizeof(limit[0]); k++) {
			run(n[i], limit[k], false);
			run(n[i], limit[k], true);
		}
	}
}

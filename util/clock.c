/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The clocks: see clock.h.
 */
#include <stdbool.h>
#include <time.h>

#include "util/clock.h"

int64_t
clock_mono_ns(void)
{
	struct timespec	ts;

	/* Neither clock can fail on Linux. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * MSEC_PER_SEC * NSEC_PER_MSEC + ts.tv_nsec;
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_ns() / NSEC_PER_MSEC;
}

int64_t
clock_wall_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * MSEC_PER_SEC + ts.tv_nsec / NSEC_PER_MSEC;
}

static bool
is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* see clock.h */
void
clock_date(struct clock_date *d, int64_t s)
{
	static const unsigned char length[12] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	unsigned days, n;

	if (s < 0)
		s = 0;
	if (s > 253402300799)
		s = 253402300799;
	d->second = (unsigned)(s % 60);
	d->minute = (unsigned)(s / 60 % 60);
	d->hour = (unsigned)(s / 3600 % 24);
	days = (unsigned)(s / 86400);
	d->weekday = (days + 4) % 7;		/* it began on a Thursday */
	/* 400 years have 146097 days, so at most 400 steps remain. */
	d->year = 1970 + days / 146097 * 400;
	days %= 146097;
	for (; days >= (n = is_leap(d->year) ? 366 : 365); d->year++)
		days -= n;
	for (d->month = 1; ; d->month++) {
		n = length[d->month - 1] +
		    (d->month == 2 && is_leap(d->year));
		if (days < n)
			break;
		days -= n;
	}
	d->day = days + 1;
}

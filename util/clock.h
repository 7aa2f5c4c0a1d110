/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The three clocks. Pure rooms never call these: they take the time as an
 * argument.
 */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define MSEC_PER_SEC	1000
#define NSEC_PER_MSEC	1000000

/* A moment in UTC, by the Gregorian calendar. */
struct clock_date {
	unsigned	year, month, day;	/* month 1-12, day 1-31 */
	unsigned	hour, minute, second;
	unsigned	weekday;		/* 0: Sunday */
};
/* The date of a Unix time from 0 to the end of the year 9999; what lies
 * outside becomes the nearer end. Pure, and without the library's time
 * zones, which are large. */
void	clock_date(struct clock_date *, int64_t unix_s);

/* Monotonic milliseconds (CLOCK_MONOTONIC; does not go back or jump). */
int64_t	clock_mono_ms(void);
/* Monotonic nanoseconds, for measuring. */
int64_t	clock_mono_ns(void);
/* Wall clock: milliseconds since 1970-01-01 UTC. */
int64_t	clock_wall_ms(void);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * How many CPUs this process may use: the affinity mask, cut by the CPU
 * quota of its control group (version 2 and 1).
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/net.h"

/* Two numbers of a file; how many were read. */
static int
read_numbers(const char *path, long long *a, long long *b)
{
	char	 text[64] = "", *p = text, *end;
	FILE	*f;
	int	 n;

	if ((f = fopen(path, "re")) == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	for (n = 0; n < 2; n++, p = end) {
		*(n == 0 ? a : b) = strtoll(p, &end, 10);
		if (end == p)
			break;
	}
	return n;
}

/* The quota in CPUs, rounded up; 0 if there is none. */
static unsigned
cgroup_cpus(void)
{
	long long quota = 0, period = 0, none;

	if (read_numbers("/sys/fs/cgroup/cpu.max", &quota, &period) != 2 &&
	    (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &quota,
	    &none) < 1 ||
	    read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period,
	    &none) < 1))
		return 0;
	if (quota <= 0 || period <= 0)
		return 0;
	quota = (quota + period - 1) / period;
	return quota > WORKERS_MAX ? WORKERS_MAX : (unsigned)quota;
}

/* see net.h */
unsigned
net_cpus(void)
{
	cpu_set_t	set;
	unsigned	n = 1, quota = cgroup_cpus();

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (unsigned)CPU_COUNT(&set);
	if (quota != 0 && quota < n)
		n = quota;
	return n > WORKERS_MAX ? WORKERS_MAX : n;
}

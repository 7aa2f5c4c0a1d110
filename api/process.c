/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See process.h.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/process.h"

/* Kernels from 6.2 on give the number of descriptors as the directory's
 * size; for older ones they are counted. */
static int64_t
count_fds(void)
{
	struct stat	 st;
	struct dirent	*e;
	DIR		*d;
	int64_t		 n = 0;

	if (stat("/proc/self/fd", &st) == -1)
		return -1;
	if (st.st_size > 0)
		return st.st_size;
	if ((d = opendir("/proc/self/fd")) == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1;	/* without the directory's own */
}

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void
read_memory(struct process *p)
{
	const int64_t	 page = sysconf(_SC_PAGESIZE);
	char		 text[64], *end;
	FILE		*f;

	if ((f = fopen("/proc/self/statm", "re")) == NULL)
		return;
	if (fgets(text, sizeof(text), f) != NULL) {
		p->virtual = strtoll(text, &end, 10) * page;
		p->resident = strtoll(end, NULL, 10) * page;
	}
	fclose(f);
}

/* see process.h */
void
process_read(struct process *p)
{
	struct rusage	ru;
	struct rlimit	rl;

	*p = (struct process){ -1, -1, -1, -1, -1 };
	if (getrusage(RUSAGE_SELF, &ru) == 0)
		p->cpu_seconds = seconds(&ru.ru_utime) +
		    seconds(&ru.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur != RLIM_INFINITY)
		p->max_fds = (int64_t)rl.rlim_cur;
	p->open_fds = count_fds();
	read_memory(p);
}

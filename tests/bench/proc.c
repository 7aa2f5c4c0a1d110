/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the kernel tells about the server's processes. The time spent is
 * taken from the scheduler's own account (schedstat, nanoseconds, every
 * thread); how it divides into user and kernel is only sampled by the
 * clock tick, so that split is good to a few per cent and no better.
 */
#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static FILE *
proc_open(pid_t pid, const char *name)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((f = fopen(path, "r")) == NULL)
		err(1, "the server is gone: %s", path);
	return f;
}

static uint64_t
schedstat(pid_t pid, const char *tid)
{
	char path[320];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid,
	    tid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;	/* a thread may end at any time */
	if (fscanf(f, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

static uint64_t
threads_ns(pid_t pid)
{
	char path[64];
	struct dirent *d;
	uint64_t ns = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if ((dir = opendir(path)) == NULL)
		err(1, "the server is gone: %s", path);
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			ns += schedstat(pid, d->d_name);
	closedir(dir);
	return ns;
}

struct cpu
cpu_read(void)
{
	struct cpu c = {0};
	char line[1024], *p;
	uint64_t user, sys;
	size_t i;
	FILE *f;

	for (i = 0; i < load.npid; i++) {
		c.ns += threads_ns(load.pid[i]);
		f = proc_open(load.pid[i], "stat");
		/* fields 14 and 15, counted from behind the name */
		if (fgets(line, sizeof(line), f) == NULL ||
		    (p = strrchr(line, ')')) == NULL ||
		    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u"
		    " %*u %" SCNu64 " %" SCNu64, &user, &sys) != 2)
			errx(1, "/proc/PID/stat: not understood");
		fclose(f);
		c.user += user;
		c.sys += sys;
	}
	return c;
}

/* Sum of the lines "key: N kB" of an open file, in bytes. */
static uint64_t
sum_kb(FILE *f, const char *const *key, size_t nkey)
{
	char line[256];
	uint64_t kb, sum = 0;
	size_t i;

	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		for (i = 0; i < nkey; i++)
			if (strncmp(line, key[i], strlen(key[i])) == 0 &&
			    sscanf(line + strlen(key[i]), " %" SCNu64,
			    &kb) == 1)
				sum += kb * 1024;
	return sum;
}

static uint64_t
kernel_bytes(void)
{
	static const char *const slab[] = { "Slab:" };
	char line[256];
	uint64_t sum, pages;
	FILE *f;

	if ((f = fopen("/proc/meminfo", "r")) == NULL)
		err(1, "/proc/meminfo");
	sum = sum_kb(f, slab, 1);
	fclose(f);
	if ((f = fopen("/proc/net/sockstat", "r")) == NULL)
		return sum;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "TCP: inuse %*u orphan %*u tw %*u alloc %*u"
		    " mem %" SCNu64, &pages) == 1)
			sum += pages * 4096;
	fclose(f);
	return sum;
}

struct mem
mem_read(void)
{
	static const char *const rss[] = { "Rss:" }, *const pss[] = { "Pss:" },
	    *const priv[] = { "Private_Clean:", "Private_Dirty:" };
	struct mem m = {0};
	size_t i;
	FILE *f;

	for (i = 0; i < load.npid; i++) {
		f = proc_open(load.pid[i], "smaps_rollup");
		m.rss += sum_kb(f, rss, 1);
		m.pss += sum_kb(f, pss, 1);
		m.priv += sum_kb(f, priv, 2);
		fclose(f);
	}
	m.kernel = kernel_bytes();
	return m;
}

void
mem_peak_reset(void)
{
	char path[64];
	size_t i;
	FILE *f;

	for (i = 0; i < load.npid; i++) {
		snprintf(path, sizeof(path), "/proc/%d/clear_refs",
		    (int)load.pid[i]);
		if ((f = fopen(path, "w")) == NULL)
			err(1, "%s", path);
		fputs("5", f);
		if (fclose(f) == EOF)
			err(1, "%s", path);
	}
}

uint64_t
mem_peak(void)
{
	static const char *const hwm[] = { "VmHWM:" };
	uint64_t sum = 0;
	size_t i;
	FILE *f;

	for (i = 0; i < load.npid; i++) {
		f = proc_open(load.pid[i], "status");
		sum += sum_kb(f, hwm, 1);
		fclose(f);
	}
	return sum;
}

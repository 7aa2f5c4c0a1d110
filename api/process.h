/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the kernel knows of this process, for the metrics.
 */
#ifndef API_PROCESS_H
#define API_PROCESS_H

#include <stdint.h>

/* What could not be read is -1: no /proc, say. */
struct process {
	double	cpu_seconds;
	int64_t	resident, virtual;	/* bytes */
	int64_t	open_fds, max_fds;
};

void	process_read(struct process *);

#endif

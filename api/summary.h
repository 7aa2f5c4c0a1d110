/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the process holds, in the log: a line for each worker and one for
 * all, as SIGUSR2 asks for.
 */
#ifndef API_SUMMARY_H
#define API_SUMMARY_H

#include "client/node.h"

/* Ask every worker, then log. From the worker of home. */
void	summary_log(struct node *home);

#endif

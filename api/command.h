/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands of the program that serve nothing, and its help.
 */
#ifndef API_COMMAND_H
#define API_COMMAND_H

#include <stdio.h>

void	command_usage(FILE *);
int	command_version(void);
/* Run one of them; argv is what follows its name. Its exit status, or -1:
 * there is no such command. */
int	command_run(const char *name, char *const *argv);

#endif

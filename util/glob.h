/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Glob patterns as gobwas/glob has them without separators: * any run
 * (also **), ? one character, [abc] [a-z] [!abc] one of a set, {a,b}
 * alternatives (may nest and hold patterns), \ escapes. Matching takes time
 * linear in pattern x text in the worst case: no catastrophic input.
 */
#ifndef UTIL_GLOB_H
#define UTIL_GLOB_H

#include <stdbool.h>

#include "util/sv.h"

struct glob;

/* Compile; NULL if the pattern is malformed or memory is out (*err says
 * which, a static string). Free with glob_free. */
struct glob *glob_new(struct sv pattern, const char **err);
void	glob_free(struct glob *);
/* Whether the whole text matches. Reentrant; allocates nothing. */
bool	glob_match(const struct glob *, struct sv text);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Regular expressions in the syntax of Go's regexp package (RE2), as far as
 * channel names and token claims need it: characters, . [classes] with
 * ranges, negation and [:alpha:], \d \w \s \D \W \S, ^ $ \A \z \b \B,
 * groups ( ) (?: ) (?P<name> ) (?<name> ), | * + ? {n,m} and their lazy
 * forms, flags (?imsU), escapes. Refused with an error that says so: \pL,
 * \Q, case folding of characters beyond ASCII, programs that grow beyond
 * REGEX_INST_MAX instructions (a repetition counts as often as it repeats).
 *
 * There is no backtracking: time is linear in text x pattern, whatever
 * either holds. Text is UTF-8; a byte that is not counts as one U+FFFD.
 */
#ifndef UTIL_REGEX_H
#define UTIL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "util/sv.h"

#define REGEX_INST_MAX	4096

struct regex;

/* Compile; NULL if the pattern is malformed or memory is out (*err says
 * which, a static string). Immutable: any number of threads may match with
 * it. Free with regex_free. */
struct regex *regex_new(struct sv pattern, const char **err);
void	regex_free(struct regex *);

/* Whether the text matches somewhere (Go's MatchString). Allocates nothing;
 * uses about 25 KB of stack. */
bool	regex_match(const struct regex *, struct sv text);

/* The named groups, in the order of the pattern; others are not kept. */
size_t	regex_ngroups(const struct regex *);
struct sv regex_group_name(const struct regex *, size_t i);
/*
 * Match, and give what each named group stands for in the leftmost match
 * (as Go's FindStringSubmatch): group[i], of regex_ngroups(), is a view into
 * text, empty if the group took no part. 0 with *matched set, or -1 when out
 * of memory.
 */
int	regex_groups(const struct regex *, struct sv text, struct sv *group,
	    bool *matched);

#endif

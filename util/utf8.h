/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * UTF-8 validation (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF), incremental: a text may arrive in any pieces.
 */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sv.h"

#define UTF8_ACCEPT	0	/* between characters */
#define UTF8_REJECT	1	/* sticky: what came is not UTF-8 */

/* Feed n bytes into state (UTF8_ACCEPT at first); the new state: ACCEPT,
 * REJECT, or another value inside a character. Rejects at the first byte
 * that no continuation can mend. Fast over runs of ASCII. */
uint8_t	utf8_feed(uint8_t state, const char *p, size_t n);

static inline bool
utf8_valid(struct sv s)
{
	return utf8_feed(UTF8_ACCEPT, s.p, s.n) == UTF8_ACCEPT;
}

/* Length of the character at the front of s: 1 to 4; 0 if s is empty or
 * does not start with a whole, valid character. */
size_t	utf8_char(struct sv s);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * UTF-8 validation: see utf8.h. A state is what may come next: a range for
 * the next byte, and the state after it. Only the byte after E0, ED, F0 and
 * F4 has a range of its own; these four exclude over-long forms, surrogates
 * and what lies beyond U+10FFFF (the table in RFC 3629, section 4).
 */
#include <string.h>

#include "util/utf8.h"

enum {
	TAIL1 = 2,	/* one more continuation byte */
	TAIL2, TAIL3,
	AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4
};

static const struct {
	uint8_t	lo, hi, next;
} expect[] = {
	[TAIL1] = { 0x80, 0xbf, UTF8_ACCEPT },
	[TAIL2] = { 0x80, 0xbf, TAIL1 },
	[TAIL3] = { 0x80, 0xbf, TAIL2 },
	[AFTER_E0] = { 0xa0, 0xbf, TAIL1 },
	[AFTER_ED] = { 0x80, 0x9f, TAIL1 },
	[AFTER_F0] = { 0x90, 0xbf, TAIL2 },
	[AFTER_F4] = { 0x80, 0x8f, TAIL2 },
};

/* The state after the first byte of a character. */
static uint8_t
lead(uint8_t c)
{
	if (c < 0x80)
		return UTF8_ACCEPT;
	if (c < 0xc2)
		return UTF8_REJECT;
	if (c < 0xe0)
		return TAIL1;
	if (c < 0xf0)
		return c == 0xe0 ? AFTER_E0 : c == 0xed ? AFTER_ED : TAIL2;
	if (c < 0xf4)
		return c == 0xf0 ? AFTER_F0 : TAIL3;
	return c == 0xf4 ? AFTER_F4 : UTF8_REJECT;
}

/* Skip ASCII, a word at a time; end - p bytes are there. */
static const char *
skip_ascii(const char *p, const char *end)
{
	uint64_t	w[2];

	while (end - p >= (ptrdiff_t)sizeof(w)) {
		memcpy(w, p, sizeof(w));
		if (((w[0] | w[1]) & UINT64_C(0x8080808080808080)) != 0)
			break;
		p += sizeof(w);
	}
	while (p < end && (unsigned char)*p < 0x80)
		p++;
	return p;
}

uint8_t
utf8_feed(uint8_t state, const char *p, size_t n)
{
	const char	*end = n > 0 ? p + n : p;
	uint8_t		 c;

	if (state == UTF8_REJECT)
		return UTF8_REJECT;
	for (;;) {
		if (state == UTF8_ACCEPT)
			p = skip_ascii(p, end);
		if (p == end)
			return state;
		c = (uint8_t)*p++;
		if (state == UTF8_ACCEPT) {
			state = lead(c);
			if (state == UTF8_REJECT)
				return UTF8_REJECT;
		} else if (c < expect[state].lo || c > expect[state].hi) {
			return UTF8_REJECT;
		} else {
			state = expect[state].next;
		}
	}
}

size_t
utf8_char(struct sv s)
{
	uint8_t	state;
	size_t	i;

	if (s.n == 0)
		return 0;
	state = lead((uint8_t)s.p[0]);
	for (i = 1; state > UTF8_REJECT; i++) {
		if (i == s.n || (uint8_t)s.p[i] < expect[state].lo ||
		    (uint8_t)s.p[i] > expect[state].hi)
			return 0;
		state = expect[state].next;
	}
	return state == UTF8_REJECT ? 0 : i;
}

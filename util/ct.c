/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Constant-time comparison and randomness: see ct.h. Random bytes come from
 * the kernel on every call: a pool of our own would save a system call a
 * connection, but would have to be wiped, and be known to fork(2).
 */
#include <sys/random.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/ct.h"

bool
ct_eq(struct sv a, struct sv b)
{
	/* volatile: the compiler may not stop at the first difference */
	volatile unsigned char	diff = 0;
	size_t			i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ b.p[i]);
	return diff == 0;
}

void
random_bytes(void *buf, size_t n)
{
	unsigned char	*p = buf;

	while (n > 0) {
		ssize_t	got = getrandom(p, n, 0);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			perror("getrandom");
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

void
uuid4_format(char out[37], const unsigned char random[16])
{
	static const char	hex[] = "0123456789abcdef";
	size_t			i;

	for (i = 0; i < 16; i++) {
		unsigned char	c = random[i];

		if (i == 6)
			c = (c & 0x0f) | 0x40;		/* version 4 */
		else if (i == 8)
			c = (c & 0x3f) | 0x80;		/* variant */
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	*out = '\0';
}

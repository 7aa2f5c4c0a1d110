/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Base 64: see base64.h. Secrets pass through here (keys, signatures), but
 * no decision on them does: table look-ups may show in the cache.
 */
#include <string.h>

#include "util/base64.h"

static const char	std_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char	url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One to three bytes, without padding: n + 1 digits. */
static char *
encode_group(char *out, const unsigned char *p, size_t n, const char *digits)
{
	unsigned	u = (unsigned)p[0] << 16;

	if (n > 1)
		u |= (unsigned)p[1] << 8;
	if (n > 2)
		u |= p[2];
	*out++ = digits[u >> 18];
	*out++ = digits[u >> 12 & 63];
	if (n > 1)
		*out++ = digits[u >> 6 & 63];
	if (n > 2)
		*out++ = digits[u & 63];
	return out;
}

static void
encode(struct buf *b, struct sv s, const char *digits, bool pad)
{
	char	*start, *out;
	size_t	 n;

	if ((start = buf_reserve(b, s.n / 3 * 4 + 4)) == NULL)
		return;
	for (out = start; s.n > 0; s = sv_skip(s, n)) {
		n = s.n < 3 ? s.n : 3;
		out = encode_group(out, (const unsigned char *)s.p, n, digits);
		for (; pad && n < 3; n++)
			*out++ = '=';
	}
	buf_commit(b, (size_t)(out - start));
}

void
base64_put(struct buf *b, struct sv s)
{
	encode(b, s, std_digits, true);
}

void
base64url_put(struct buf *b, struct sv s)
{
	encode(b, s, url_digits, false);
}

/* The value of a digit, or -1; c62 and c63 are the alphabet's last two. */
static int
digit(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Up to four digits without padding; the bytes written, 0 if malformed. */
static size_t
decode_group(char *out, struct sv s, char c62, char c63)
{
	unsigned	u = 0;
	size_t		i;

	if (s.n < 2)
		return 0;
	for (i = 0; i < 4; i++) {
		int	d = i < s.n ? digit(s.p[i], c62, c63) : 0;

		if (d == -1)
			return 0;
		u = u << 6 | (unsigned)d;
	}
	out[0] = (char)(u >> 16);
	out[1] = (char)(u >> 8 & 0xff);
	out[2] = (char)(u & 0xff);
	/* what a short group has no byte for must be zero */
	if ((s.n == 2 && (u & 0xffff) != 0) || (s.n == 3 && (u & 0xff) != 0))
		return 0;
	return s.n - 1;
}

static int
decode(struct buf *b, struct sv s, char c62, char c63)
{
	char	*start, *out;
	size_t	 n, got;

	if ((start = buf_reserve(b, s.n / 4 * 3 + 3)) == NULL)
		return -1;
	for (out = start; s.n > 0; s = sv_skip(s, n)) {
		n = s.n < 4 ? s.n : 4;
		if ((got = decode_group(out, sv_make(s.p, n), c62, c63)) == 0)
			return -1;
		out += got;
	}
	buf_commit(b, (size_t)(out - start));
	return 0;
}

int
base64_get(struct buf *b, struct sv s)
{
	if (s.n % 4 != 0)
		return -1;
	if (sv_ends(s, SV("==")))
		s.n -= 2;
	else if (sv_ends(s, SV("=")))
		s.n--;
	return decode(b, s, '+', '/');
}

int
base64url_get(struct buf *b, struct sv s)
{
	return decode(b, s, '-', '_');
}

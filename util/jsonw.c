/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON writer: see json.h. Escapes are those of Go's encoder, so that
 * what fugu sends can be compared byte by byte with what Centrifugo sends.
 */
#include <string.h>

#include "util/json.h"
#include "util/utf8.h"

/* Characters that are left as they are, wherever they stand. */
static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' &&
	    c != '>' && c != '&';
}

static size_t
plain_run(struct sv s)
{
	size_t	n = 0;

	while (n < s.n && is_plain((unsigned char)s.p[n]))
		n++;
	return n;
}

static void
put_escape(struct buf *b, unsigned u)
{
	static const char	hex[] = "0123456789abcdef";
	char			e[6] = { '\\', 'u', hex[u >> 12],
				    hex[u >> 8 & 15], hex[u >> 4 & 15],
				    hex[u & 15] };

	buf_put(b, e, sizeof(e));
}

/* A character beyond ASCII, of n bytes. */
static void
put_high(struct buf *b, struct sv s, size_t n)
{
	if (sv_starts(s, SV("\xe2\x80\xa8")))
		put_escape(b, 0x2028);
	else if (sv_starts(s, SV("\xe2\x80\xa9")))
		put_escape(b, 0x2029);
	else
		buf_put(b, s.p, n);
}

/* One character that is not plain; the bytes it took. */
static size_t
put_special(struct buf *b, struct sv s)
{
	unsigned char	c = (unsigned char)s.p[0];
	size_t		n = utf8_char(s);

	if (n == 0) {
		put_escape(b, 0xfffd);
		return 1;
	}
	if (n > 1)
		put_high(b, s, n);
	else if (c == '"' || c == '\\')
		buf_put(b, (const char[]){ '\\', (char)c }, 2);
	else if (c == '\n')
		buf_put(b, "\\n", 2);
	else if (c == '\r')
		buf_put(b, "\\r", 2);
	else if (c == '\t')
		buf_put(b, "\\t", 2);
	else
		put_escape(b, c);
	return n;
}

void
json_put_str(struct buf *b, struct sv s)
{
	size_t	n;

	buf_putc(b, '"');
	while (s.n > 0) {
		n = plain_run(s);
		buf_put(b, s.p, n);
		s = sv_skip(s, n);
		if (s.n > 0)
			s = sv_skip(s, put_special(b, s));
	}
	buf_putc(b, '"');
}

void
json_put_raw(struct buf *b, struct sv s)
{
	while (s.n > 0)
		buf_putsv(b, sv_cut(&s, '\n'));
}

/* The inside of a string up to and including its closing quote, from *s. */
static void
compact_string(struct buf *b, struct sv *s)
{
	while (s->n > 0) {
		size_t		n = plain_run(*s);
		unsigned char	c;

		buf_put(b, s->p, n);
		*s = sv_skip(*s, n);
		if (s->n == 0)
			return;
		c = (unsigned char)s->p[0];
		n = 1;
		if (c == '\\' || c == '"') {
			n = c == '\\' && s->n > 1 ? 2 : 1;
			buf_put(b, s->p, n);
		} else if (c >= 0x80) {
			n = c == 0xe2 && s->n >= 3 ? 3 : 1;
			put_high(b, *s, n);
		} else {
			put_escape(b, c);
		}
		*s = sv_skip(*s, n);
		if (c == '"')
			return;
	}
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

void
json_put_compact(struct buf *b, struct sv s)
{
	size_t	n;

	while (s.n > 0) {
		for (n = 0; n < s.n && !is_space(s.p[n]); n++)
			if (s.p[n] == '"')
				break;
		buf_put(b, s.p, n);
		s = sv_skip(s, n);
		if (s.n > 0 && s.p[0] == '"') {
			buf_putc(b, '"');
			s = sv_skip(s, 1);
			compact_string(b, &s);
		} else {
			s = sv_skip(s, 1);
		}
	}
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The chunked coding (RFC 9112, 7.1): a machine with one state a syntax
 * element, fed byte by byte but for the data, which is moved in one piece.
 * Line ends are CRLF and nothing else; a size is 1 to 15 digits with nothing
 * around them; what is dropped (extensions, trailers) is checked all the
 * same and limited, because dropping it costs time and nobody sends much.
 */
#include "http/http.h"

#define DIGITS_MAX	15	/* of a chunk's size: no overflow */

/* chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF */
enum {
	SIZE, EXT, SIZE_LF, DATA, DATA_CR, DATA_LF,
	/* trailer-section = *( field-line CRLF ), then CRLF */
	TRAILER, NAME, VALUE, VALUE_LF, END_LF, DONE
};

/* see http.h */
void
http_chunked_init(struct http_chunked *d, uint64_t max_body)
{
	*d = (struct http_chunked){ .room = max_body, .state = SIZE };
}

static int
refuse(struct http_chunked *d, int status, const char *why)
{
	d->status = status;
	d->why = why;
	return -1;
}

static int
on_size(struct http_chunked *d, char c)
{
	int v = http_hex_digit(c);

	if (v >= 0) {
		if (++d->digits > DIGITS_MAX)
			return refuse(d, 400, "chunk size is too long");
		d->left = d->left << 4 | (uint64_t)v;
		return 0;
	}
	if (d->digits == 0 || (c != '\r' && c != ';'))
		return refuse(d, 400, "malformed chunk size");
	if (d->left > d->room)
		return refuse(d, 413, "body is too large");
	d->state = c == ';' ? EXT : SIZE_LF;
	return 0;
}

/* Text up to the CR of a chunk's or a trailer field's line. */
static int
on_text(struct http_chunked *d, char c, uint8_t after)
{
	if (c == '\r')
		d->state = after;
	else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
		return refuse(d, 400,
		    "bad character in a chunk extension or trailer");
	return 0;
}

/* A trailer's name is checked no further than that its line can't be taken
 * for anything else: it ends in a colon and has no blanks or controls. */
static int
on_name(struct http_chunked *d, char c, bool first)
{
	if (c == ':' && !first)
		d->state = VALUE;
	else if ((unsigned char)c <= 0x20 || (unsigned char)c >= 0x7f ||
	    c == ':')
		return refuse(d, 400, "malformed trailer");
	else
		d->state = NAME;
	return 0;
}

static int
expect(struct http_chunked *d, char c, char want, uint8_t next)
{
	if (c != want)
		return refuse(d, 400, "chunk does not end in CRLF");
	d->state = next;
	return 0;
}

static int
on_data_lf(struct http_chunked *d, char c)
{
	d->digits = 0;
	return expect(d, c, '\n', SIZE);
}

static int
count_extra(struct http_chunked *d)
{
	if (++d->extra > HTTP_CHUNK_EXTRA)
		return refuse(d, 400,
		    "chunk extensions or trailers are too long");
	return 0;
}

static int
step(struct http_chunked *d, char c)
{
	switch (d->state) {
	case SIZE:
		return on_size(d, c);
	case EXT:
		return count_extra(d) == -1 ? -1 : on_text(d, c, SIZE_LF);
	case SIZE_LF:
		return expect(d, c, '\n', d->left > 0 ? DATA : TRAILER);
	case DATA_CR:
		return expect(d, c, '\r', DATA_LF);
	case DATA_LF:
		return on_data_lf(d, c);
	case TRAILER:
		if (c == '\r')
			return expect(d, c, '\r', END_LF);
		return count_extra(d) == -1 ? -1 : on_name(d, c, true);
	case NAME:
		return count_extra(d) == -1 ? -1 : on_name(d, c, false);
	case VALUE:
		return count_extra(d) == -1 ? -1 : on_text(d, c, VALUE_LF);
	case VALUE_LF:
		return expect(d, c, '\n', TRAILER);
	default:
		return expect(d, c, '\n', DONE);
	}
}

/* Move the data at p + i to its place; how much that was. */
static size_t
move_data(struct http_chunked *d, char *p, size_t i, size_t n, size_t *out)
{
	size_t k = n - i < d->left ? n - i : (size_t)d->left;

	if (*out != i)
		memmove(p + *out, p + i, k);
	*out += k;
	d->left -= k;
	d->room -= k;
	if (d->left == 0)
		d->state = DATA_CR;
	return k;
}

/* see http.h */
ptrdiff_t
http_chunked_feed(struct http_chunked *d, char *p, size_t n, size_t *out)
{
	size_t i = 0;

	*out = 0;
	while (i < n) {
		if (d->state == DATA) {
			i += move_data(d, p, i, n, out);
			continue;
		}
		if (step(d, p[i++]) == -1)
			return -1;
		if (d->state == DONE)
			return (ptrdiff_t)i;
	}
	return 0;
}

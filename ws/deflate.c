/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Compressing and inflating messages with zlib: see deflate.h. Negotiation
 * is in handshake.c, the RSV1 bit in frame.c.
 *
 * How long a message will be is not known before it has been inflated. So it
 * is inflated into the scratch buffer, which is written round and round when
 * it is full; what turns out to be longer is inflated once more, into memory
 * of its size. That is work done twice for the few long messages, but a bomb
 * gets no memory at all.
 */
#include <limits.h>
#include <stdlib.h>

#include "util/utf8.h"
#include "ws/deflate.h"

#ifdef FUGU_DEFLATE
#define ZLIB_CONST
#include <zlib.h>

#define SCRATCH_SIZE	4096
#define MEM_LEVEL	5	/* more is neither smaller nor faster */

/* What a flush ends with; it is not sent (RFC 7692, 7.2.1). */
static const unsigned char tail[WS_ZIP_SPARE] = { 0, 0, 0xff, 0xff };

/* Where inflated bytes go. */
struct sink {
	char	*p;
	size_t	 size;
	size_t	 n;		/* so far; written round and round */
	size_t	 limit;		/* n may not be more */
};

/* see deflate.h */
void
ws_zip_init(struct ws_zip *z, int window)
{
	*z = (struct ws_zip){ .window = window };
}

/* see deflate.h */
void
ws_zip_fini(struct ws_zip *z)
{
	if (z->out != NULL)
		deflateEnd(z->out);
	if (z->in != NULL)
		inflateEnd(z->in);
	free(z->out);
	free(z->in);
	free(z->scratch);
	free(z->large);
	ws_zip_init(z, z->window);
}

/* zlib's memory comes from where ours comes from. */
static void *
zip_alloc(void *arg, unsigned n, unsigned size)
{
	(void)arg;
	return calloc(n, size);
}

static void
zip_free(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static z_stream *
stream_new(void)
{
	z_stream *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->zalloc = zip_alloc;
		s->zfree = zip_free;
	}
	return s;
}

/* ---- out ---- */

/* z->out, ready for a message. */
static int
begin_deflate(struct ws_zip *z, int level)
{
	z_stream *s;

	if (z->out == NULL) {
		if ((s = stream_new()) == NULL)
			return -1;
		if (deflateInit2(s, level, Z_DEFLATED, -z->window,
		    MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
			free(s);
			return -1;
		}
		z->out = s;
		z->level = level;
	}
	deflateReset(z->out);
	if (level != z->level) {
		deflateParams(z->out, level, Z_DEFAULT_STRATEGY);
		z->level = level;
	}
	return 0;
}

/* see deflate.h */
size_t
ws_zip_deflate(struct ws_zip *z, int level, struct sv in, char *out,
    size_t n)
{
	z_stream *s;

	if (in.n > INT_MAX || n > INT_MAX || begin_deflate(z, level) == -1)
		return 0;
	s = z->out;
	s->next_in = (const unsigned char *)in.p;
	s->avail_in = (unsigned)in.n;
	s->next_out = (unsigned char *)out;
	s->avail_out = (unsigned)n + WS_ZIP_SPARE;
	/* That there is room left says that it is all there. */
	if (deflate(s, Z_SYNC_FLUSH) != Z_OK || s->avail_out == 0)
		return 0;
	return n - s->avail_out;
}

/* ---- in ---- */

/* z->in, ready for a message. */
static int
begin_inflate(struct ws_zip *z)
{
	z_stream *s;

	if (z->scratch == NULL && (z->scratch = malloc(SCRATCH_SIZE)) == NULL)
		return -1;
	if (z->in == NULL) {
		if ((s = stream_new()) == NULL)
			return -1;
		if (inflateInit2(s, -MAX_WBITS) != Z_OK) {
			free(s);
			return -1;
		}
		z->in = s;
	}
	inflateReset(z->in);
	return 0;
}

/* Feed a piece of a message. Returns a close code, or 0; *end: the piece
 * ended with a block that said it was the last one. */
static unsigned
inflate_piece(z_stream *s, const void *p, size_t n, struct sink *to,
    bool *end)
{
	size_t	at, room;
	int	r;

	*end = false;
	s->next_in = p;
	s->avail_in = (unsigned)n;
	for (;;) {
		at = to->n % to->size;
		room = to->size - at;
		if (room > to->limit - to->n)
			room = to->limit - to->n + 1;
		s->next_out = (unsigned char *)to->p + at;
		s->avail_out = (unsigned)room;
		r = inflate(s, Z_SYNC_FLUSH);
		to->n += room - s->avail_out;
		if (to->n > to->limit)
			return WS_CLOSE_TOO_BIG;
		if (r == Z_MEM_ERROR)
			return WS_CLOSE_INTERNAL;
		if (r == Z_STREAM_END) {
			if ((*end = s->avail_in == 0))
				return 0;
			inflateReset(s);	/* and others behind it */
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			return WS_CLOSE_INVALID_DATA;
		} else if (s->avail_out > 0) {
			return 0;
		}
	}
}

/* The whole message. Returns a close code, or 0. */
static unsigned
inflate_all(struct ws_zip *z, struct sv in, struct sink *to)
{
	unsigned	code;
	bool		end;

	if (begin_inflate(z) == -1)
		return WS_CLOSE_INTERNAL;
	if (to->p == NULL) {
		to->p = z->scratch;
		to->size = SCRATCH_SIZE;
	}
	code = inflate_piece(z->in, in.p, in.n, to, &end);
	if (code != 0 || end)
		return code;
	code = inflate_piece(z->in, tail, sizeof(tail), to, &end);
	/* zlib says "between two blocks", and "no bit left over". */
	if (code == 0 && !end && z->in->data_type != 128)
		return WS_CLOSE_INVALID_DATA;
	return code;
}

static unsigned
inflate_event(struct ws_zip *z, struct ws_event *ev, size_t limit)
{
	struct sink	to = { .limit = limit };
	unsigned	code;

	if (ev->data.n > INT_MAX)
		return WS_CLOSE_TOO_BIG;
	if (limit == 0 || limit > INT_MAX)
		to.limit = limit = INT_MAX;
	if ((code = inflate_all(z, ev->data, &to)) != 0)
		return code;
	if (to.n > to.size) {
		z->large = malloc(to.n);
		to = (struct sink){ z->large, to.n, 0, limit };
		if (to.p == NULL)
			return WS_CLOSE_INTERNAL;
		if ((code = inflate_all(z, ev->data, &to)) != 0)
			return code;
	}
	ev->data = sv_make(to.p, to.n);
	if (ev->op == WS_OP_TEXT && !utf8_valid(ev->data))
		return WS_CLOSE_INVALID_DATA;
	return 0;
}

/* see deflate.h */
enum ws_event_type
ws_zip_inflate(struct ws_zip *z, struct ws_event *ev, size_t limit)
{
	unsigned code = inflate_event(z, ev, limit);

	if (code == 0)
		return WS_MESSAGE;
	ws_zip_release(z);
	*ev = (struct ws_event){ .type = WS_ERROR, .code = (uint16_t)code };
	if (code == WS_CLOSE_TOO_BIG)
		ev->clause = "RFC 7692 8: inflated message over the limit";
	else if (code == WS_CLOSE_INTERNAL)
		ev->clause = "out of memory";
	else
		ev->clause = "RFC 7692 6.2: damaged message, or text that is "
		    "not UTF-8";
	return WS_ERROR;
}

/* see deflate.h */
void
ws_zip_release(struct ws_zip *z)
{
	free(z->large);
	z->large = NULL;
}

#else

/* see deflate.h */
void
ws_zip_init(struct ws_zip *z, int window)
{
	*z = (struct ws_zip){ .window = window };
}

/* see deflate.h */
void
ws_zip_fini(struct ws_zip *z)
{
	(void)z;
}

/* see deflate.h */
size_t
ws_zip_deflate(struct ws_zip *z, int level, struct sv in, char *out,
    size_t n)
{
	(void)z, (void)level, (void)in, (void)out, (void)n;
	return 0;
}

/* see deflate.h */
enum ws_event_type
ws_zip_inflate(struct ws_zip *z, struct ws_event *ev, size_t limit)
{
	(void)z, (void)limit;
	*ev = (struct ws_event){ .type = WS_ERROR, .clause = "no zlib",
	    .code = WS_CLOSE_INTERNAL };
	return WS_ERROR;
}

/* see deflate.h */
void
ws_zip_release(struct ws_zip *z)
{
	(void)z;
}

#endif

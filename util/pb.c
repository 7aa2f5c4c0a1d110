/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Protocol Buffers wire format: see pb.h and "Encoding" in the Protocol
 * Buffers documentation. Groups, which proto3 has not, are refused.
 */
#include <endian.h>
#include <string.h>

#include "util/pb.h"

#define VARINT_MAX	10	/* bytes of a 64-bit varint */

int
pb_varint(struct sv s, uint64_t *out)
{
	uint64_t	u = 0;
	size_t		i;

	*out = 0;
	for (i = 0; i < s.n && i < VARINT_MAX; i++) {
		unsigned char	c = (unsigned char)s.p[i];

		/* the tenth byte has the 64th bit only */
		if (i == VARINT_MAX - 1 && c > 1)
			return -1;
		u |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			*out = u;
			return (int)i + 1;
		}
	}
	return 0;
}

/* As pb_varint, but taken off *s; -1 also if it is cut. */
static int
take_varint(struct sv *s, uint64_t *out)
{
	int	n = pb_varint(*s, out);

	if (n <= 0)
		return -1;
	*s = sv_skip(*s, (size_t)n);
	return 0;
}

static int
take_fixed(struct sv *s, size_t n, uint64_t *out)
{
	size_t	i;

	if (s->n < n)
		return -1;
	for (i = 0; i < n; i++)
		*out |= (uint64_t)(unsigned char)s->p[i] << (8 * i);
	*s = sv_skip(*s, n);
	return 0;
}

static int
take_len(struct sv *s, struct sv *out)
{
	uint64_t	n;

	if (take_varint(s, &n) == -1 || n > s->n)
		return -1;
	*out = sv_make(s->p, (size_t)n);
	*s = sv_skip(*s, (size_t)n);
	return 0;
}

int
pb_next(struct sv *s, struct pb_field *f)
{
	uint64_t	tag;
	int		rc;

	memset(f, 0, sizeof(*f));
	if (s->n == 0)
		return 0;
	if (take_varint(s, &tag) == -1 || tag > UINT32_MAX || tag >> 3 == 0)
		return -1;
	f->num = (uint32_t)(tag >> 3);
	f->wire = (enum pb_wire)(tag & 7);
	switch (tag & 7) {
	case PB_VARINT:
		rc = take_varint(s, &f->u);
		break;
	case PB_I64:
		rc = take_fixed(s, 8, &f->u);
		break;
	case PB_LEN:
		rc = take_len(s, &f->s);
		break;
	case PB_I32:
		rc = take_fixed(s, 4, &f->u);
		break;
	default:
		rc = -1;
		break;
	}
	return rc == -1 ? -1 : 1;
}

int64_t
pb_zigzag(uint64_t u)
{
	return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

size_t
pb_varint_size(uint64_t u)
{
	size_t	n = 1;

	while ((u >>= 7) > 0)
		n++;
	return n;
}

void
pb_put_varint(struct buf *b, uint64_t u)
{
	char	tmp[VARINT_MAX];
	size_t	n = 0;

	for (; u >= 0x80; u >>= 7)
		tmp[n++] = (char)(0x80 | (u & 0x7f));
	tmp[n++] = (char)u;
	buf_put(b, tmp, n);
}

static void
put_tag(struct buf *b, uint32_t num, enum pb_wire wire)
{
	pb_put_varint(b, (uint64_t)num << 3 | wire);
}

void
pb_put_u64(struct buf *b, uint32_t num, uint64_t u)
{
	if (u == 0)
		return;
	put_tag(b, num, PB_VARINT);
	pb_put_varint(b, u);
}

void
pb_put_i64(struct buf *b, uint32_t num, int64_t i)
{
	pb_put_u64(b, num, (uint64_t)i);
}

void
pb_put_sint(struct buf *b, uint32_t num, int64_t i)
{
	uint64_t	u = (uint64_t)i << 1;

	pb_put_u64(b, num, i < 0 ? ~u : u);
}

void
pb_put_bool(struct buf *b, uint32_t num, bool v)
{
	pb_put_u64(b, num, v);
}

void
pb_put_double(struct buf *b, uint32_t num, double d)
{
	uint64_t	u;

	memcpy(&u, &d, sizeof(u));
	if (u == 0)		/* -0.0 is not the default */
		return;
	u = htole64(u);
	put_tag(b, num, PB_I64);
	buf_put(b, &u, sizeof(u));
}

void
pb_put_sv(struct buf *b, uint32_t num, struct sv s)
{
	if (s.n == 0)
		return;
	pb_put_head(b, num, s.n);
	buf_putsv(b, s);
}

void
pb_put_head(struct buf *b, uint32_t num, size_t n)
{
	put_tag(b, num, PB_LEN);
	pb_put_varint(b, n);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Protocol Buffers wire format (proto3): a reader that walks fields and a
 * writer, no schema and no reflection.
 */
#ifndef UTIL_PB_H
#define UTIL_PB_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

enum pb_wire { PB_VARINT = 0, PB_I64 = 1, PB_LEN = 2, PB_I32 = 5 };

struct pb_field {
	uint32_t	num;
	enum pb_wire	wire;
	uint64_t	u;	/* varint, I64 and I32 (zero extended) */
	struct sv	s;	/* LEN: borrowed */
};

/* Read the next field from *s and advance it. >0: a field; 0: the end;
 * -1: malformed (truncated, number 0, group, varint over 64 bits). */
int	pb_next(struct sv *s, struct pb_field *f);

/* A varint from the front of s: bytes consumed, 0 need more, -1 malformed. */
int	pb_varint(struct sv s, uint64_t *out);
int64_t	pb_zigzag(uint64_t u);

void	pb_put_varint(struct buf *, uint64_t);
/* Fields; as proto3 does, a zero or empty value is left out. */
void	pb_put_u64(struct buf *, uint32_t num, uint64_t);
void	pb_put_i64(struct buf *, uint32_t num, int64_t);
void	pb_put_sint(struct buf *, uint32_t num, int64_t);
void	pb_put_bool(struct buf *, uint32_t num, bool);
void	pb_put_double(struct buf *, uint32_t num, double);
void	pb_put_sv(struct buf *, uint32_t num, struct sv);
/* A message field of n bytes follows, written by the caller; also for n 0. */
void	pb_put_head(struct buf *, uint32_t num, size_t n);
size_t	pb_varint_size(uint64_t);

#endif

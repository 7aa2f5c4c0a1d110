/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Source, newline, target: the delta gives the target back, is no longer
 * than the target in one piece, and is UTF-8 if both are.
 */
#include <stdlib.h>

#include "hub/delta.h"
#include "tests/unit/delta_apply.h"
#include "util/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv	target = sv_make(p, n), source = sv_cut(&target, '\n');
	struct buf	delta = BUF_INIT, plain = BUF_INIT, got = BUF_INIT;

	if (delta_fossil(&delta, source, target) == -1 ||
	    delta_fossil(&plain, SV(""), target) == -1 ||
	    !delta_apply(&got, source, buf_sv(&delta)) ||
	    !sv_eq(buf_sv(&got), target) || delta.n > plain.n)
		abort();
	if (utf8_valid(source) && utf8_valid(target) &&
	    !utf8_valid(buf_sv(&delta)))
		abort();
	buf_fini(&delta);
	buf_fini(&plain);
	buf_fini(&got);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Compressed messages. As one: whatever comes inflates to no more than the
 * limit, the same by an inflater that has seen others before; compressed it
 * comes back. As an offer: what is accepted is a number of bits.
 */
#include <assert.h>
#include <stdlib.h>

#include "ws/deflate.h"

#define LIMIT	20000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct ws_zip	used = { .window = WS_DEFLATE_WINDOW };

static void
there_and_back(struct sv in, int level)
{
	struct ws_event	ev = { .type = WS_MESSAGE, .op = WS_OP_BINARY };
	char		*zip = malloc(in.n + 64 + WS_ZIP_SPARE);
	size_t		n;

	n = ws_zip_deflate(&used, level, in, zip, in.n + 64);
	ev.data = sv_make(zip, n);
	assert(n > 0 && ws_zip_inflate(&used, &ev, 0) == WS_MESSAGE);
	assert(sv_eq(ev.data, in));
	ws_zip_release(&used);
	free(zip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ws_event	a = { .type = WS_MESSAGE, .op = WS_OP_TEXT,
			    .data = sv_make(p, n) }, b = a;
	struct ws_zip	fresh;
	unsigned	window = ws_deflate_select(a.data).window;

	assert(window == 0 || (window >= 8 && window <= 15));
	ws_zip_init(&fresh, WS_DEFLATE_WINDOW);
	assert(ws_zip_inflate(&fresh, &a, LIMIT) ==
	    ws_zip_inflate(&used, &b, LIMIT));
	assert(a.code == b.code && sv_eq(a.data, b.data));
	assert(a.code != 0 || a.data.n <= LIMIT);
	there_and_back(sv_make(p, n), n == 0 ? 1 : 1 + p[0] % 9);
	ws_zip_release(&used);
	ws_zip_fini(&fresh);
	return 0;
}

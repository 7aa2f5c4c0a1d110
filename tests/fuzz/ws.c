/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The frame engine: however the bytes are cut, the events are the same. The
 * first byte gives the size of the pieces, the second the size limit.
 */
#include <assert.h>
#include <stdlib.h>

#include "ws/ws.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
run(struct sv in, size_t piece, uint32_t limit, struct buf *log)
{
	enum ws_event_type	type = WS_NEED;
	struct ws_event		ev;
	struct ws		ws;
	size_t			n, off, used;
	char			*p;

	ws_init(&ws, limit);
	for (; in.n > 0 && type == WS_NEED; in = sv_skip(in, n)) {
		n = piece < in.n ? piece : in.n;
		p = malloc(n);
		memcpy(p, in.p, n);
		off = 0;
		do {
			type = ws_feed(&ws, p + off, n - off, &used, &ev);
			off += used;
			if (type == WS_NEED)
				break;
			buf_printf(log, "%d %d %u %zu ", ev.type,
			    ev.op, ev.code, ev.data.n);
			buf_putsv(log, ev.data);
		} while (type != WS_CLOSE && type != WS_ERROR);
		assert(type != WS_NEED || off == n);
		free(p);
	}
	ws_fini(&ws);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf	whole = BUF_INIT, cut = BUF_INIT;
	struct sv	in = n < 2 ? SV("") : sv_make(p + 2, n - 2);

	if (n < 2)
		return 0;
	run(in, in.n, p[1], &whole);
	run(in, 1 + p[0] % 32, p[1], &cut);
	assert(sv_eq(buf_sv(&whole), buf_sv(&cut)));
	buf_fini(&whole);
	buf_fini(&cut);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What parses also parses after json_put_compact, with equal structure and
 * equal strings, and every value can be walked. The first byte is flags.
 */
#include <stdlib.h>

#include "util/json.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
same(struct jv a, struct jv b)
{
	struct buf	ba = BUF_INIT, bb = BUF_INIT;
	struct sv	sa, sb;

	must(jv_is(a) == jv_is(b) && jv_type(a) == jv_type(b));
	must(jv_len(a) == jv_len(b));
	must(jv_str(a, &ba, &sa) == jv_str(b, &bb, &sb) && sv_eq(sa, sb));
	buf_fini(&ba);
	buf_fini(&bb);
	if (jv_type(a) == JSON_NUMBER)
		must(sv_eq(jv_raw(a), jv_raw(b)));
	if (jv_is(jv_key(a)))
		same(jv_key(a), jv_key(b));
	a = jv_first(a);
	b = jv_first(b);
	for (; jv_is(a); a = jv_next(a), b = jv_next(b))
		same(a, b);
	must(!jv_is(b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct json	a, b;
	struct buf	out = BUF_INIT;

	if (n == 0)
		return 0;
	json_init(&a);
	json_init(&b);
	a.max_tokens = p[0] >> 2;
	if (json_parse(&a, sv_make(p + 1, n - 1), p[0] & 3) == 0) {
		json_put_compact(&out, jv_raw(json_root(&a)));
		must(json_parse(&b, buf_sv(&out), p[0] & 3) == 0);
		same(json_root(&a), json_root(&b));
	}
	must(a.err == JSON_OK ? a.used < n : a.errpos < n);
	buf_reset(&out);
	json_put_str(&out, sv_make(p, n));
	must(json_parse(&b, buf_sv(&out), 0) == 0);
	buf_fini(&out);
	json_fini(&a);
	json_fini(&b);
	return 0;
}

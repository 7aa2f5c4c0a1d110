/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Request heads and chunked bodies: what comes out must not depend on the
 * pieces that the bytes come in. The input is a request, head and body.
 */
#include <assert.h>
#include <stdlib.h>

#include "http/http.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Decode s in pieces of n bytes, at most 1000 of body; its length, or -1. */
static ptrdiff_t
decode(struct sv s, size_t n, struct buf *body)
{
	struct http_chunked	 d;
	ptrdiff_t		 k = 0;
	size_t			 out;
	char			*p;

	http_chunked_init(&d, 1000);
	for (; k == 0 && s.n > 0; s = sv_skip(s, n)) {
		n = s.n < n ? s.n : n;
		if ((p = malloc(n)) == NULL)
			abort();
		memcpy(p, s.p, n);
		k = http_chunked_feed(&d, p, n, &out);
		assert(out <= n);
		if (k >= 0)
			buf_put(body, p, out);
		free(p);
	}
	assert(body->n <= 1000);
	return k < 0 ? -1 : (ptrdiff_t)body->n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_limits limits = { 512, 1000 };
	struct sv		 s = sv_make(data, size);
	struct http_request	 whole, part;
	struct buf		 a = BUF_INIT, b = BUF_INIT, q = BUF_INIT;
	struct sv		 value;
	ptrdiff_t		 k, i = 0;
	size_t			 n;

	k = http_request_parse(&whole, s, &limits);
	for (n = 0; n < s.n && i == 0; n++)
		i = http_request_parse(&part, sv_make(s.p, n + 1), &limits);
	assert(i == k && whole.status == part.status);
	if (k > 0)
		http_query_get(whole.query, "a", &q, &value);
	if (k > 0 && whole.chunked) {
		s = sv_skip(s, (size_t)k);
		k = decode(s, s.n + 1, &a);
		assert(decode(s, 1, &b) == k);
		assert(k < 0 || sv_eq(buf_sv(&a), buf_sv(&b)));
	}
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&q);
	return 0;
}

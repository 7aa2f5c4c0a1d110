/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Response heads: what comes out of one must not depend on the pieces that
 * it comes in, and how its body ends is one thing only. Also URLs.
 */
#include <assert.h>

#include "http/client.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct http_reply	r, part;
	struct http_url		u;
	const char		*why;
	ptrdiff_t		k, i = 0;
	size_t			len;

	k = http_reply_parse(&r, sv_make(p, n));
	for (len = 0; len < n && i == 0; len++)
		i = http_reply_parse(&part, sv_make(p, len + 1));
	assert(i == k && (k <= 0 || part.status == r.status));
	assert((k < 0) == (r.why != NULL));
	if (k > 0) {
		assert(r.status >= 100 && r.status <= 999);
		assert(!(r.chunked && r.has_length));
		assert(r.nheader <= HTTP_MAX_HEADERS);
	}
	if (http_url_parse(&u, sv_make(p, n), &why) == 0)
		assert(u.host.n > 0 && u.port > 0 &&
		    u.authority.n + u.target.n + 7 + u.https == n);
	return 0;
}

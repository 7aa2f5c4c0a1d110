/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * PROXY protocol headers: what is read must not depend on what follows, and
 * before its last byte there is none.
 */
#include <assert.h>

#include "net/proxyproto.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header	 h, part;
	const char		*why;
	ptrdiff_t		 k = proxy_parse(&h, sv_make(data, size), &why);

	assert(k <= (ptrdiff_t)size && k <= PROXY_V2_MAX);
	assert(k >= 0 || why != NULL);
	assert(size < PROXY_V2_MAX || k != 0);
	if (k <= 0)
		return 0;
	assert(proxy_parse(&part, sv_make(data, (size_t)k - 1), &why) == 0);
	assert(proxy_parse(&part, sv_make(data, (size_t)k), &why) == k);
	assert(memcmp(h.src, part.src, IP_LEN) == 0 &&
	    h.has_src == part.has_src && h.src_port == part.src_port);
	return 0;
}

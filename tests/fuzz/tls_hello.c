/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The part of a ClientHello that is read ahead. What is accepted whole must
 * not be accepted with a byte less or more.
 */
#include <assert.h>
#include <stdint.h>

#include "tls/hello.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tls_hello h;

	if (tls_hello_parse(&h, sv_make(data, n)) == -1)
		return 0;
	assert(h.name.n == 0 || ((const uint8_t *)h.name.p >= data &&
	    (const uint8_t *)h.name.p + h.name.n <= data + n));
	assert(!h.http || h.alpn);
	assert(tls_hello_parse(&h, sv_make(data, n - 1)) == -1);
	return 0;
}

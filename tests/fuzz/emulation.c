/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Bodies of /emulation. The first byte says which encoding.
 */
#include "client/stream.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct json	json;
	static struct buf	scratch;
	struct emulation	e;
	size_t			sum = 0, i;

	if (n == 0 || emulation_parse(&e, sv_make((const char *)data + 1,
	    n - 1), data[0] & 1, &json, &scratch) == -1)
		return 0;
	/* The views can be read, whole. */
	for (i = 0; i < e.node.n; i++)
		sum += (unsigned char)e.node.p[i];
	for (i = 0; i < e.session.n; i++)
		sum += (unsigned char)e.session.p[i];
	for (i = 0; i < e.data.n; i++)
		sum += (unsigned char)e.data.p[i];
	return sum == SIZE_MAX ? -1 : 0;
}

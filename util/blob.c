/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Shared immutable bytes: see blob.h.
 */
#include <assert.h>
#include <stdlib.h>

#include "util/blob.h"

struct blob *
blob_new(size_t n)
{
	struct blob	*b;

	if (n > UINT32_MAX - sizeof(*b))
		return NULL;
	if ((b = malloc(sizeof(*b) + n)) == NULL)
		return NULL;
	b->refs = 1;
	b->n = (uint32_t)n;
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b == NULL)
		return;
	assert(b->refs > 0);
	if (--b->refs == 0)
		free(b);
}

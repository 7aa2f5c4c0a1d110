/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Immutable bytes that several output queues of one worker share. The count
 * is not atomic: a blob never leaves the worker that made it.
 */
#ifndef UTIL_BLOB_H
#define UTIL_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
	uint32_t	refs;
	uint32_t	n;		/* bytes of data */
	char		data[];
};

/* A blob of n uninitialised bytes with one reference; NULL: no memory. */
struct blob *blob_new(size_t n);

static inline struct blob *
blob_ref(struct blob *b)
{
	b->refs++;
	return b;
}

void	blob_unref(struct blob *);	/* NULL is fine */

#endif

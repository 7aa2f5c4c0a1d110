/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See heap.h. glibc keeps what is free below the top of its heaps; musl gives
 * back by itself.
 */
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "util/heap.h"

/* see heap.h */
void
heap_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

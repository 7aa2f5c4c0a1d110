/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The heap as a whole.
 */
#ifndef UTIL_HEAP_H
#define UTIL_HEAP_H

/* Give free memory back to the kernel, where the C library keeps it until
 * asked. Takes time in proportion to the heap: after much was freed only. */
void	heap_trim(void);

#endif

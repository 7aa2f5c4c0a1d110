/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What secrets need: comparison in constant time and random bytes.
 */
#ifndef UTIL_CT_H
#define UTIL_CT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/sv.h"

/* Whether a and b are the same bytes. The time depends on the lengths only,
 * never on the contents; lengths are not secret. */
bool	ct_eq(struct sv a, struct sv b);

/* Fill p with n bytes from the kernel's generator (getrandom(2)). Never
 * fails: without randomness the process ends, before it has a peer. */
void	random_bytes(void *p, size_t n);

/* A lower-case version 4 UUID (RFC 9562, 5.4), 36 characters and a NUL,
 * made of 16 random bytes given by the caller. */
void	uuid4_format(char out[37], const unsigned char random[16]);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The roots of the Internet Security Research Group (Let's Encrypt), for a
 * machine that has no certificates of its own.
 */
#ifndef TLS_ROOTS_H
#define TLS_ROOTS_H

#include <bearssl.h>

#define TLS_ROOTS	2

extern const br_x509_trust_anchor tls_roots[TLS_ROOTS];

#endif

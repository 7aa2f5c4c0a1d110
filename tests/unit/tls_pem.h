/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * For tests of what is read from PEM: the bytes of a block, and findings
 * collected as text.
 */
#ifndef TESTS_UNIT_TLS_PEM_H
#define TESTS_UNIT_TLS_PEM_H

#include "tests/unit/test.h"
#include "tls/pem.h"
#include "tls/tls.h"

/* The first block's bytes. */
static inline struct buf
der_of(const char *text)
{
	struct buf	out = BUF_INIT;
	struct sv	rest = sv_from(text);
	struct pem	pem;

	CHECK_INT(pem_next(&rest, &pem), 1);
	CHECK_INT(pem_decode(&out, &pem), 0);
	return out;
}

/* Each finding on a line, with "!" before a fatal one. */
static inline void
collect(void *arg, bool fatal, const char *text)
{
	struct buf	*b = arg;

	if (fatal)
		buf_putc(b, '!');
	buf_puts(b, text);
	buf_putc(b, '\n');
}

#endif

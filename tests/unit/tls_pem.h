/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * For tests of what is read from PEM: the bytes of a block and the other
 * way round, and findings collected as text.
 */
#ifndef TESTS_UNIT_TLS_PEM_H
#define TESTS_UNIT_TLS_PEM_H

#include "tests/unit/test.h"
#include "tls/pem.h"
#include "tls/tls.h"
#include "util/base64.h"

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

static inline void
pem_write(struct buf *out, const char *label, struct sv der)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	base64_put(out, der);
	buf_printf(out, "\n-----END %s-----\n", label);
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

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * For tests of what is read from PEM: the bytes of a block and the other
 * way round, certificates that nobody would write, and findings collected as
 * text.
 */
#ifndef TESTS_UNIT_TLS_PEM_H
#define TESTS_UNIT_TLS_PEM_H

#include "tests/unit/test.h"
#include "util/der.h"
#include "util/pem.h"
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

/* A certificate with that algorithm's identifier, what stands after its key,
 * and what stands after its signature. Nothing in it is signed. */
static inline struct buf
make_cert(struct sv signature, struct sv extensions, struct sv tail)
{
	static const char	point[65] = "\4";
	struct buf		b = BUF_INIT;
	size_t			cert, tbs, a, c;

	cert = der_begin(&b, DER_SEQUENCE);
	tbs = der_begin(&b, DER_SEQUENCE);
	der_put_unsigned(&b, SV("\1"));
	a = der_begin(&b, DER_SEQUENCE);
	der_put(&b, DER_OID, signature);
	der_end(&b, a);
	der_put(&b, DER_SEQUENCE, SV(""));
	a = der_begin(&b, DER_SEQUENCE);
	der_put_time(&b, 0);
	der_put_time(&b, 4102444800);
	der_end(&b, a);
	der_put(&b, DER_SEQUENCE, SV(""));
	a = der_begin(&b, DER_SEQUENCE);
	c = der_begin(&b, DER_SEQUENCE);
	der_put(&b, DER_OID, SV(OID_EC));
	der_put(&b, DER_OID, SV(OID_P256));
	der_end(&b, c);
	der_put_bits(&b, sv_make(point, sizeof(point)));
	der_end(&b, a);
	buf_putsv(&b, extensions);
	der_end(&b, tbs);
	der_put(&b, DER_SEQUENCE, SV(""));
	der_put_bits(&b, SV("x"));
	buf_putsv(&b, tail);
	der_end(&b, cert);
	return b;
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

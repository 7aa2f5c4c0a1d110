/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Certificates as DER, and what can be asked of one: the input is the
 * certificate, a distinguished name, and a host.
 */
#include <assert.h>

#include "tls/x509.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv	in = sv_make(p, n);
	struct buf	out = BUF_INIT;
	struct x509	x;
	const char	*why;
	bool		exact;

	if (x509_read(&x, in, &why) == 0) {
		assert(why == NULL);
		x509_name_put(&out, x.subject, 1000);
		x509_name_put(&out, x.issuer, 1000);
		x509_names_put(&out, &x, 1000);
		x509_matches(&x, SV("www.a.example"), &exact);
	} else {
		assert(why != NULL && x.names.n == 0);
		x.names = in;
		x509_names_put(&out, &x, 1000);
		x509_name_put(&out, in, 1000);
	}
	x509_matches(&x, in, NULL);
	assert(out.n < 4096 && sv_chr(buf_sv(&out), '\n') == -1);
	buf_fini(&out);
	return 0;
}

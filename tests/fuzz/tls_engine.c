/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What clients of a TLS port may send: however it is cut, the end is the
 * same. The first byte gives the size of the pieces.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tls_fixtures.h"
#include "tls/engine.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct tls_engine
run(struct tls_server *server, struct sv in, size_t piece)
{
	static unsigned char	scratch[TLS_SCRATCH];
	struct tls_engine	e;
	struct tls_span		span, plain;
	enum tls_step		step = TLS_MORE;
	size_t			n;
	char			*p;

	tls_engine_server(&e, server, scratch);
	for (; in.n > 0 && step == TLS_MORE; in = sv_skip(in, n)) {
		n = piece < in.n ? piece : in.n;
		span.p = p = malloc(n);
		span.n = n;
		memcpy(p, in.p, n);
		do
			step = tls_engine_feed(&e, &span, &plain);
		while (step != TLS_MORE && step != TLS_FAILED);
		free(p);
		tls_engine_sent(&e, tls_engine_output(&e).n);
	}
	assert(e.failed == (step == TLS_FAILED) && !e.open);
	tls_engine_fini(&e);
	return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tls_server	*server;
	struct tls_server_options	 o = { .ncred = 1 };
	struct tls_cred			*cred;
	struct tls_engine		 a, b;

	if (server == NULL) {
		tls_cred_load(&cred, SV(TLS_EC_PEM), SV(TLS_EC_KEY),
		    1800000000, NULL);
		o.cred = &cred;
		server = tls_server_new(&o);
		tls_cred_unref(cred);
	}
	if (n == 0)
		return 0;
	a = run(server, sv_make(p + 1, n - 1), n);
	b = run(server, sv_make(p + 1, n - 1), 1 + p[0] % 64);
	assert(a.failed == b.failed && a.failure == b.failure);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The answers of an ACME server and its headers. What is a URL or a token by
 * then has no characters that it must not have, what is a line is one.
 */
#include <assert.h>
#include <stdlib.h>

#include "acme/wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
headers(struct sv s)
{
	struct sv	rest = s, url;
	struct buf	b = BUF_INIT;

	while ((url = acme_link(&rest, "alternate")).n > 0)
		assert(url.p >= s.p && url.p + url.n <= rest.p);
	assert(acme_date(s) >= -400000);
	assert(acme_retry_after(s, 1800000000) >= 0);
	acme_problem_put(&b, 400, SV("text/html"), s);
	assert(b.n < 4096 && sv_chr(buf_sv(&b), '\n') == -1);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv		s = sv_make(p, n);
	struct acme_directory	d;
	struct acme_order	o;
	struct acme_authz	z;
	struct acme_window	w;
	size_t			i;

	if (acme_directory_read(&d, s) == 0) {
		assert(acme_is_url(sv_from(d.new_order)));
		acme_directory_fini(&d);
	}
	if (acme_order_read(&o, s) == 0) {
		for (i = 0; i < o.nauthz; i++)
			assert(acme_is_url(sv_from(o.authz[i])));
		acme_order_fini(&o);
	}
	if (acme_authz_read(&z, s, "http-01") == 0) {
		assert(z.url == NULL || strchr(z.token, '/') == NULL);
		acme_authz_fini(&z);
	}
	if (acme_window_read(&w, s) == 0)
		assert(w.start <= w.end);
	headers(s);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A PEM text as a chain with its key and as trust anchors. What is refused
 * has a reason, what is accepted has none to be refused for.
 */
#include <assert.h>

#include "tls/tls.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
count(void *arg, bool fatal, const char *text)
{
	assert(text[0] != '\0' && strchr(text, '\n') == NULL);
	if (fatal)
		++*(unsigned *)arg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv		 s = sv_make(p, n);
	struct buf		 out = BUF_INIT;
	unsigned		 fatal = 0;
	struct tls_report	 report = { count, &fatal };
	struct tls_cred		*c;
	struct tls_trust	*t;

	assert((tls_cred_load(&c, s, s, 1767830400, &report) == 0) ==
	    (fatal == 0));
	tls_cred_unref(c);
	tls_cred_describe(s, s, 1767830400, &out);
	buf_fini(&out);
	fatal = 0;
	assert((tls_trust_load(&t, s, &report) == 0) == (fatal == 0));
	tls_trust_unref(t);
	return 0;
}

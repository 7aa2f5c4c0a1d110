/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A pattern, a newline, a text. A pattern that compiles must give the same
 * answer when it stands in braces, as the only alternative.
 */
#include <stdlib.h>

#include "util/buf.h"
#include "util/glob.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv	text = sv_make(p, n), pattern = sv_cut(&text, '\n');
	struct buf	b = BUF_INIT;
	const char	*err;
	struct glob	*g = glob_new(pattern, &err), *braced;

	if ((g == NULL) == (err == NULL))
		abort();
	/* outside of braces a comma is itself */
	if (g != NULL && sv_chr(pattern, ',') == -1 &&
	    sv_chr(pattern, '}') == -1) {
		buf_putc(&b, '{');
		buf_putsv(&b, pattern);
		buf_putc(&b, '}');
		braced = glob_new(buf_sv(&b), &err);
		if (braced != NULL &&
		    glob_match(g, text) != glob_match(braced, text))
			abort();
		glob_free(braced);
	}
	buf_fini(&b);
	glob_free(g);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A pattern, a newline, a text. Both ways of matching agree, a group is a
 * piece of the text, and a pattern in a group of its own matches as before.
 */
#include <stdlib.h>

#include "util/buf.h"
#include "util/regex.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
match(const struct regex *re, struct sv text)
{
	struct sv	group[32];
	size_t		i;
	bool		matched;

	if (regex_groups(re, text, group, &matched) == -1 ||
	    matched != regex_match(re, text))
		abort();
	for (i = 0; i < regex_ngroups(re); i++)
		if (group[i].n > 0 && (group[i].p < text.p ||
		    group[i].p + group[i].n > text.p + text.n))
			abort();
	return matched;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv	text = sv_make(p, n), pattern = sv_cut(&text, '\n');
	struct buf	b = BUF_INIT;
	const char	*err;
	struct regex	*re = regex_new(pattern, &err), *grouped;

	if ((re == NULL) == (err == NULL))
		abort();
	buf_puts(&b, "(?:");
	buf_putsv(&b, pattern);
	buf_puts(&b, ")");
	if (re != NULL && (grouped = regex_new(buf_sv(&b), &err)) != NULL) {
		if (match(re, text) != match(grouped, text))
			abort();
		regex_free(grouped);
	}
	regex_free(re);
	buf_fini(&b);
	return 0;
}

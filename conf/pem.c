/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * PEM options: the text itself, base 64 of it, or the name of a file.
 * Only the armour is looked for here; what is inside concerns others.
 */
#include <errno.h>
#include <string.h>

#include "conf/load.h"
#include "util/base64.h"

static bool
is_pem(struct sv s)
{
	static const struct sv begin = { "-----BEGIN ", 11 };

	for (; s.n >= begin.n; s = sv_skip(s, 1))
		if (sv_starts(s, begin))
			return true;
	return false;
}

/* see conf.h */
int
conf_pem_read(const char *value, struct buf *out, const char **why)
{
	struct sv text = sv_from(value);
	size_t was = out->n;

	*why = NULL;
	if (is_pem(text)) {
		buf_putsv(out, text);
	} else if (base64_get(out, text) == -1 ||
	    !is_pem(sv_skip(buf_sv(out), was))) {
		if (!out->failed)
			out->n = was;
		if (conf_read_file(value, out) == -1)
			*why = strerror(errno);
		else if (!is_pem(sv_skip(buf_sv(out), was)))
			*why = "the file holds no PEM text";
	}
	if (out->failed)
		*why = "out of memory";
	if (*why == NULL)
		return 0;
	if (out->n > was)
		explicit_bzero(out->p + was, out->n - was);
	out->n = was;
	return -1;
}

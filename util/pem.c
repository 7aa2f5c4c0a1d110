/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * PEM: see pem.h.
 */
#include <string.h>

#include "util/pem.h"
#include "util/base64.h"

/* Cut what precedes the first `what' off *s, and `what' itself; false, and
 * all of it cut, if it is not there. */
static bool
cut_at(struct sv *s, struct sv what, struct sv *before)
{
	const char	*p;

	*before = *s;
	p = s->n == 0 ? NULL : memmem(s->p, s->n, what.p, what.n);
	if (p == NULL) {
		*s = sv_make(NULL, 0);
		return false;
	}
	before->n = (size_t)(p - s->p);
	*s = sv_skip(*s, before->n + what.n);
	return true;
}

/* see pem.h */
int
pem_next(struct sv *text, struct pem *pem)
{
	static const struct sv	dashes = SV_INIT("-----"),
	    begin = SV_INIT("-----BEGIN "), end = SV_INIT("-----END ");
	struct sv		skipped, label;

	*pem = (struct pem){ 0 };
	if (!cut_at(text, begin, &skipped))
		return 0;
	if (!cut_at(text, dashes, &pem->label) ||
	    !cut_at(text, end, &pem->body) ||
	    !cut_at(text, dashes, &label) || !sv_eq(label, pem->label)) {
		*text = sv_make(NULL, 0);
		return -1;
	}
	/* RFC 1421 has headers, of which one says that it is encrypted. */
	pem->encrypted = sv_starts(pem->label, SV("ENCRYPTED ")) ||
	    sv_chr(pem->body, ':') != -1;
	return 1;
}

/* see pem.h */
int
pem_decode(struct buf *out, const struct pem *pem)
{
	struct buf	digits = BUF_INIT;
	size_t		i;
	char		*p;
	int		rc = -1;

	/* Room for all of it, so that nothing is moved and left behind. */
	if (buf_reserve(out, pem->body.n + 3) == NULL)
		return -1;
	if ((p = buf_reserve(&digits, pem->body.n)) == NULL) {
		out->failed = true;
		return -1;
	}
	for (i = 0; i < pem->body.n; i++)
		if (strchr(" \t\r\n", pem->body.p[i]) == NULL ||
		    pem->body.p[i] == '\0')
			p[digits.n++] = pem->body.p[i];
	rc = base64_get(out, buf_sv(&digits));
	explicit_bzero(digits.p, digits.n);
	buf_fini(&digits);
	return rc;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * PEM (RFC 7468): the blocks of a text, whatever stands between them. Lines
 * end in LF or CRLF. Pure.
 */
#ifndef UTIL_PEM_H
#define UTIL_PEM_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/sv.h"

struct pem {
	struct sv	label;		/* "CERTIFICATE" */
	struct sv	body;		/* still in base 64 */
	bool		encrypted;	/* by its label or its headers */
};

/* Take the next block off *text. 1: there is one; 0: no more; -1: one that
 * begins but does not end, or ends under another label (*text is empty
 * then). */
int	pem_next(struct sv *text, struct pem *);
/* Append the bytes of the block. 0, or -1: not base 64, or no memory (see
 * buf->failed). Leaves no copy behind, so that a secret in out is the only
 * one. */
int	pem_decode(struct buf *out, const struct pem *);

#endif

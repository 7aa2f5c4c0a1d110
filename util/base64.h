/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Base 64 (RFC 4648 sections 4 and 5). Decoders are strict: no white space,
 * no characters outside the alphabet, no non-zero trailing bits.
 */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include "util/buf.h"
#include "util/sv.h"

/* Append the encoding of s: standard alphabet with padding, and the URL and
 * file name safe alphabet without padding. */
void	base64_put(struct buf *, struct sv s);
void	base64url_put(struct buf *, struct sv s);

/* Append the decoded bytes. 0, or -1 on malformed input or lack of memory
 * (the buffer's length is as before then). The standard form needs its
 * padding, the url form must have none. */
int	base64_get(struct buf *, struct sv s);
int	base64url_get(struct buf *, struct sv s);

#endif

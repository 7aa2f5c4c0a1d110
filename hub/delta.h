/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Fossil deltas: how to make one version of a document from another. The
 * text is
 *
 *	length "\n" *( count "@" offset "," / count ":" bytes ) checksum ";"
 *
 * where count@offset, copies from the source, count: takes what follows, and
 * numbers have the digits 0-9 A-Z _ a-z ~, most significant first. The
 * checksum is the sum of the target's bytes taken four at a time, big-endian.
 *
 * If source and target are UTF-8, the delta is UTF-8 too: no character is
 * cut, so that a delta can travel as a JSON string.
 */
#ifndef HUB_DELTA_H
#define HUB_DELTA_H

#include "util/buf.h"
#include "util/sv.h"

/*
 * Append to out the delta that makes target from source; never longer than
 * target as a single run of bytes would be. Takes time linear in both, and
 * memory for at most 65536 blocks of the source. -1 when out of memory, or
 * if one of them has more than INT32_MAX bytes.
 */
int	delta_fossil(struct buf *out, struct sv source, struct sv target);

#endif

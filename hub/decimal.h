/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Decimal numbers as text, compared exactly: [+-] digits [. digits], at most
 * 19 digits after the point and 200 bytes in all.
 */
#ifndef HUB_DECIMAL_H
#define HUB_DECIMAL_H

#include <stdbool.h>

#include "util/sv.h"

struct decimal {
	bool		negative;	/* never of zero */
	struct sv	whole;		/* without zeros in front */
	struct sv	fraction;	/* without zeros at the end */
};

/* 0, or -1 if s is none; d borrows s. */
int	decimal_parse(struct decimal *d, struct sv s);
/* Below, at or above zero as a is less, equal or more than b. */
int	decimal_compare(const struct decimal *a, const struct decimal *b);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The version of this release, as `fugu version' and clients see it.
 */
#ifndef UTIL_VERSION_H
#define UTIL_VERSION_H

#define FUGU_VERSION	"0.1.0"

#endif

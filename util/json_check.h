/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Validation of JSON text (RFC 8259), before jsmn sees it. Private to
 * json.c.
 */
#ifndef UTIL_JSON_CHECK_H
#define UTIL_JSON_CHECK_H

#include <stddef.h>

#include "util/json.h"
#include "util/sv.h"

struct json_check {
	size_t	ntok;		/* values and names */
	size_t	end;		/* of the document */
	size_t	used;		/* and of the white space after it */
	size_t	errpos;
};

/* Check the document in s; JSON_STREAM as for json_parse. max_tokens 0: no
 * limit. Everything in c is set. */
enum json_err json_check(struct json_check *c, struct sv s,
		    size_t max_tokens, unsigned flags);

#endif

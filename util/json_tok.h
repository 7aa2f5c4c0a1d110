/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the parser (json_parse.c) leaves for the functions that read values
 * (json.c), and private to the two: an array of tokens, one for each value
 * and each member's name, in the order of the text. A name stands right
 * before its value. What a value is, its first byte tells.
 */
#ifndef UTIL_JSON_TOK_H
#define UTIL_JSON_TOK_H

#include <stdint.h>

#include "util/json.h"

struct json_tok {
	uint32_t	start, end;	/* in the text; a string's quotes are
					 * part of it */
	uint32_t	next;		/* the next sibling's token (a member's
					 * value), 0: none */
	uint32_t	n;		/* of a container: how many members;
					 * of a string: flags */
};

/* In n. A text of INT32_MAX bytes has fewer members than these. */
#define JSON_TOK_NAME		0x80000000u	/* a member's name */
#define JSON_TOK_ESCAPED	0x40000000u	/* has escapes */

/* The value of 4HEXDIG at p, -1 if it is none. */
int	json_hex4(const char *p);

/* Whether no object has a name twice: JSON_OK, or JSON_DUPKEY with errpos
 * set, or JSON_NOMEM. */
enum json_err json_unique_names(struct json *);

#endif

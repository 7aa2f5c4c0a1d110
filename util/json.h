/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * JSON (RFC 8259): a reader that accepts one document and nothing less
 * (UTF-8, no lone surrogates, no deeper than JSON_MAX_DEPTH) in time linear
 * in the text, and a writer. Values are views into the text that was parsed:
 * nothing is copied, number formatting and key order survive.
 */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

enum json_type {
	JSON_NONE,		/* absent: what jv_get gives for no such key */
	JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_BOOL, JSON_NULL
};

enum json_err {
	JSON_OK,
	JSON_EMPTY,		/* no document */
	JSON_SYNTAX,
	JSON_UTF8,		/* not UTF-8, or a lone surrogate escape */
	JSON_DEPTH,		/* deeper than JSON_MAX_DEPTH */
	JSON_DUPKEY,		/* a key twice in an object (JSON_NODUP) */
	JSON_TRAILING,		/* bytes after the document */
	JSON_TOOBIG,		/* more than INT32_MAX bytes or max_tokens */
	JSON_NOMEM
};

#define JSON_MAX_DEPTH	512

#define JSON_NODUP	0x1	/* refuse duplicate keys, compared unescaped */
#define JSON_STREAM	0x2	/* other documents may follow: see used */

struct json_tok;		/* private */

/* A parsed document. The token array is kept between parses, so one struct
 * json a worker serves all its parsing. */
struct json {
	struct sv	  src;
	struct json_tok	 *tok;
	size_t		  ntok, cap;
	size_t		  max_tokens;	/* 0: no limit but memory */
	enum json_err	  err;
	size_t		  errpos;	/* byte offset of the error in src */
	size_t		  used;		/* bytes up to the document's end */
};

/* One value of a document; valid while the struct json holds that document
 * and the text stays. Passed by value. */
struct jv {
	const struct json *j;
	uint32_t	   i;		/* token index; j == NULL: absent */
};

void	json_init(struct json *);
void	json_fini(struct json *);

/* Parse s, which the document borrows. 0, or -1 with err and errpos set.
 * With JSON_STREAM the text may go on after the first document (white space
 * before it is skipped); `used' then says where, trailing white space
 * included. A text with no document at all is JSON_EMPTY. */
int	json_parse(struct json *, struct sv s, unsigned flags);
const char *json_strerror(enum json_err);
/* Line and column (both from 1, column in bytes) of a byte offset. */
void	json_position(struct sv src, size_t off, unsigned *line,
	    unsigned *col);

struct jv json_root(const struct json *);
enum json_type jv_type(struct jv);
/* Text of the value as it stands in the source, quotes included. */
struct sv jv_raw(struct jv);
/* Member of an object by (unescaped) name; the last one wins if a key
 * stands twice; absent if it is no object or has no such member. */
struct jv jv_get(struct jv obj, const char *key);
/* Number of members or elements; 0 for anything else. */
size_t	jv_len(struct jv);
/* Iterate: first element (or member value), next sibling; absent at the
 * end. jv_key: the member's name as a JSON_STRING value. */
struct jv jv_first(struct jv container);
struct jv jv_next(struct jv);
struct jv jv_key(struct jv member);

static inline bool
jv_is(struct jv v)
{
	return v.j != NULL;
}

/*
 * The string's value without quotes and escapes. Without escapes it is a
 * view into the source, otherwise the bytes are appended to scratch (whose
 * earlier contents stay; but growth moves them, so take several strings
 * with several buffers or copy). 0, or -1 if v is no string or memory ran
 * out; *out is empty then.
 */
int	jv_str(struct jv v, struct buf *scratch, struct sv *out);
/* Whole numbers without fraction or exponent, in range; -1 otherwise. */
int	jv_i64(struct jv, int64_t *out);
int	jv_u64(struct jv, uint64_t *out);
int	jv_double(struct jv, double *out);
int	jv_bool(struct jv, bool *out);

/*
 * Writer. A string with quotes: escapes ", \, control bytes, and (as Go's
 * encoder and so Centrifugo does) <, >, &, U+2028, U+2029 as \uXXXX.
 * Invalid UTF-8 becomes U+FFFD.
 */
void	json_put_str(struct buf *, struct sv);
/* Raw JSON text with its newlines deleted: one message is one line. Other
 * bytes pass through (spec 12.19). */
void	json_put_raw(struct buf *, struct sv);
/* Raw JSON text without white space between tokens and with <, >, &,
 * U+2028, U+2029 escaped in strings (spec 12.52). s must be valid JSON. */
void	json_put_compact(struct buf *, struct sv s);

#endif

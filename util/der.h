/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * DER (X.690), as much of it as certificates, keys and certificate requests
 * need. The reader takes values off the front of a view and accepts only the
 * canonical form: definite lengths in the fewest bytes, at most 65535. The
 * writer appends to a buffer; a failed buffer is noticed at the end, as
 * always. Pure.
 */
#ifndef UTIL_DER_H
#define UTIL_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

enum {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BITS = 0x03,
	DER_OCTETS = 0x04, DER_NULL = 0x05, DER_OID = 0x06, DER_UTF8 = 0x0c,
	DER_UTC_TIME = 0x17, DER_TIME = 0x18, DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};
/* Context-specific tags: constructed, and primitive (as IMPLICIT ones). */
#define DER_CONTEXT(n)		(0xa0u + (n))
#define DER_IMPLICIT(n)		(0x80u + (n))

/* Object identifiers, as the bytes in them: SV(OID_RSA). */
#define OID_RSA			"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC			"\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256		"\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_P384		"\x2b\x81\x04\x00\x22"
#define OID_P521		"\x2b\x81\x04\x00\x23"
#define OID_RSA_SHA256		"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define OID_ECDSA_SHA256	"\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define OID_ECDSA_SHA384	"\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define OID_COMMON_NAME		"\x55\x04\x03"
#define OID_KEY_USAGE		"\x55\x1d\x0f"
#define OID_SUBJECT_ALT_NAME	"\x55\x1d\x11"
#define OID_BASIC_CONSTRAINTS	"\x55\x1d\x13"
#define OID_EXT_KEY_USAGE	"\x55\x1d\x25"

/* ---- reading: 0, or -1 with *value empty and *s as it was ---- */

/* Whether the next value has that tag. */
bool	der_is(struct sv s, unsigned tag);
/* Take the next value's contents, if it has that tag; with its head. */
int	der_get(struct sv *s, unsigned tag, struct sv *value);
int	der_get_whole(struct sv *s, unsigned tag, struct sv *value);
/* Take the next value, whatever it is. */
int	der_get_any(struct sv *s, unsigned *tag, struct sv *value);
/* An INTEGER that is not negative, without zeros in front ("" for 0). */
int	der_get_unsigned(struct sv *s, struct sv *value);
/* A BIT STRING of whole bytes. */
int	der_get_bits(struct sv *s, struct sv *value);
/* A UTCTime or GeneralizedTime in the form of RFC 5280, 4.1.2.5, as Unix
 * seconds. */
int	der_get_time(struct sv *s, int64_t *unix_s);

/* ---- writing ---- */

/* What is put between these two is the contents of one value. At most 65535
 * bytes: more makes the buffer fail. */
size_t	der_begin(struct buf *, unsigned tag);
void	der_end(struct buf *, size_t begun);

void	der_put(struct buf *, unsigned tag, struct sv contents);
/* An INTEGER of these big-endian bytes, without sign. */
void	der_put_unsigned(struct buf *, struct sv);
void	der_put_bits(struct buf *, struct sv);
/* UTCTime until 2049, GeneralizedTime after. */
void	der_put_time(struct buf *, int64_t unix_s);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The peer's chain of certificates: BearSSL's minimal X.509 engine for
 * signatures, dates and path, and around it what that leaves out: IP
 * addresses, extended key usage, no look at the common name, keys of 2048
 * bits, chains of a sensible length. One of these serves one handshake.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <bearssl.h>

#include "tls/tls.h"

/* When this version was made: a clock that shows less is wrong. */
#define TLS_MADE	1793491200	/* 2026-11-01 */

/* The longest subject that is taken as an identity, in bytes of text. */
#define TLS_SUBJECT_MAX	512

struct tls_verify;

struct tls_verify_options {
	br_ssl_engine_context	*eng;	/* whose handshake it is */
	/* Both outlive it. NULL trust: whoever it is, which is no
	 * verification. */
	const struct tls_trust	*trust;
	unsigned		 purpose;	/* X509_FOR_*, one */
	const char		*host;	/* name or address; NULL: any */
	int64_t			 now;	/* Unix seconds */
};

/* Made to check eng's peer. NULL: no memory. */
struct tls_verify *tls_verify_new(const struct tls_verify_options *);
void	tls_verify_free(struct tls_verify *);
/* After a chain was accepted: the subject, and when the certificate ends. Of
 * a peer without certificate "", and the end of time. */
const char *tls_verify_subject(const struct tls_verify *);
int64_t	tls_verify_not_after(const struct tls_verify *);
/* Append a sentence about the chain that was refused with err. */
void	tls_verify_explain(const struct tls_verify *, int err,
	    struct buf *out);

#endif

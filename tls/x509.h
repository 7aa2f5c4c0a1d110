/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Reading certificates (X.509, RFC 5280) for what a person or a check wants
 * to know of them. Nothing is verified here: signatures and paths are
 * BearSSL's. Pure; everything in struct x509 is a view into the DER.
 */
#ifndef TLS_X509_H
#define TLS_X509_H

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "util/buf.h"
#include "util/sv.h"

#define X509_KEY_NAME	16

/* What the extended key usage allows. */
#define X509_FOR_SERVER	0x1
#define X509_FOR_CLIENT	0x2

struct x509 {
	struct sv	serial;
	struct sv	issuer, subject;	/* DER, with the head */
	int64_t		not_before, not_after;	/* Unix seconds */
	struct sv	names;			/* of the subject: DER */
	br_x509_pkey	key;		/* key_type 0: none that BearSSL can
					 * use */
	unsigned	key_bits;	/* RSA only */
	char		key_name[X509_KEY_NAME];	/* "EC P-256" */
	int		signer;		/* BR_KEYTYPE_* it is signed with */
	bool		weak_hash;	/* signed with MD5 or SHA-1 */
	bool		has_extensions;
	bool		is_ca;
	bool		may_sign;	/* by the key usage */
	unsigned	purposes;	/* X509_FOR_* */
};

/* 0; or -1 with *why, a sentence's end ("is cut off or malformed"). */
int	x509_read(struct x509 *, struct sv der, const char **why);
/* Whether it says that it was signed by itself. */
bool	x509_is_self_signed(const struct x509 *);

/* What the contents of an AlgorithmIdentifier say: "RSA", "EC P-256",
 * "Ed25519", ..., "unknown"; *curve is BearSSL's number or 0. */
const char *x509_key_kind(struct sv algorithm, int *curve);

/* A distinguished name as text (RFC 4514: the most specific part first,
 * special, control and malformed bytes escaped), at most about max bytes. 0,
 * or -1 if it is malformed or longer: the text then ends in "...", and is no
 * identity. */
int	x509_name_put(struct buf *, struct sv dn, size_t max);
/* Append the first common name in such a text, as it was before it was
 * escaped: any bytes. Nothing if there is none. */
void	x509_name_cn(struct buf *, struct sv text);

enum x509_name { X509_DNS, X509_IP };

/* Take the next DNS name or IP address (4 or 16 bytes) off a copy of
 * x509.names; false at the end. */
bool	x509_next_name(struct sv *names, enum x509_name *, struct sv *value);
/* All of them with blanks between, at most about max bytes and "..." then. */
void	x509_names_put(struct buf *, const struct x509 *, size_t max);
/* Whether it is good for this host name or IP address (RFC 6125: exact, or
 * a wildcard that is the whole first label; case and a final dot don't
 * matter). exact, if not NULL, tells which. */
bool	x509_matches(const struct x509 *, struct sv host, bool *exact);

#endif

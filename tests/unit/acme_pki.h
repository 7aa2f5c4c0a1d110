/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The other half of acme/csr.c, for tests: requests for certificates read
 * and verified, and certificates made, of any names and dates.
 */
#ifndef TESTS_UNIT_ACME_PKI_H
#define TESTS_UNIT_ACME_PKI_H

#include <bearssl.h>

#include "acme/jws.h"
#include "jwt/key.h"
#include "tests/unit/test.h"
#include "util/der.h"

#define OID_REQUESTED	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define OID_AUTH_KEY	"\x55\x1d\x23"
/* The key identifier in every certificate that is made. */
#define PKI_KEY_ID	"\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3" \
			"\x7b\x84\x7b\xa0\xae\x2c\xde\x01\x08\xd4"

/* ---- requests ---- */

struct pki_csr {
	struct sv	signed_part, spki, names;	/* views */
	struct jwt_key	key;
};

static inline void
pki_sha256(struct sv s, unsigned char digest[32])
{
	br_sha256_context ctx;

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, s.p, s.n);
	br_sha256_out(&ctx, digest);
}

/* Whether sig, in the form of X.509, is the key's signature. */
static inline bool
pki_verify(const struct jwt_key *key, struct sv text, struct sv sig)
{
	br_ec_public_key	pk = { .curve = key->curve,
				    .q = (unsigned char *)(uintptr_t)
				    key->bytes, .qlen = key->n };
	unsigned char		digest[32];

	if (key->family == JWT_RSA)
		return jwt_key_verify(key, JWT_RS256, text, sig);
	pki_sha256(text, digest);
	return br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), digest,
	    sizeof(digest), &pk, sig.p, sig.n) == 1;
}

/* Read the names out of the one extension requested. */
static inline int
pki_csr_names(struct sv attributes, struct sv *names)
{
	struct sv attribute, oid, set, list, ext, octets;

	if (der_get(&attributes, DER_SEQUENCE, &attribute) == -1 ||
	    attributes.n > 0 || der_get(&attribute, DER_OID, &oid) == -1 ||
	    !sv_eq(oid, SV(OID_REQUESTED)) ||
	    der_get(&attribute, DER_SET, &set) == -1 || attribute.n > 0 ||
	    der_get(&set, DER_SEQUENCE, &list) == -1 || set.n > 0 ||
	    der_get(&list, DER_SEQUENCE, &ext) == -1 || list.n > 0 ||
	    der_get(&ext, DER_OID, &oid) == -1 ||
	    !sv_eq(oid, SV(OID_SUBJECT_ALT_NAME)) ||
	    der_get(&ext, DER_OCTETS, &octets) == -1 || ext.n > 0)
		return -1;
	return der_get(&octets, DER_SEQUENCE, names) == -1 || octets.n > 0 ?
	    -1 : 0;
}

/* 0 if it is one, and signed by the key in it if that is to be verified. */
static inline int
pki_csr_read(struct pki_csr *c, struct sv der, bool verify)
{
	struct sv	all, info, v, sig, algorithm;
	const char     *why;

	if (der_get(&der, DER_SEQUENCE, &all) == -1 || der.n > 0)
		return -1;
	v = all;
	if (der_get_whole(&v, DER_SEQUENCE, &c->signed_part) == -1 ||
	    der_get(&all, DER_SEQUENCE, &info) == -1 ||
	    der_get(&all, DER_SEQUENCE, &algorithm) == -1 ||
	    der_get_bits(&all, &sig) == -1 || all.n > 0)
		return -1;
	if (der_get_unsigned(&info, &v) == -1 || v.n > 0 ||
	    der_get(&info, DER_SEQUENCE, &v) == -1 || v.n > 0 ||
	    der_get_whole(&info, DER_SEQUENCE, &c->spki) == -1 ||
	    der_get(&info, DER_CONTEXT(0), &v) == -1 || info.n > 0 ||
	    pki_csr_names(v, &c->names) == -1 ||
	    jwt_key_der(&c->key, c->spki, &why) == -1 ||
	    der_get(&algorithm, DER_OID, &v) == -1 ||
	    !sv_eq(v, c->key.family == JWT_RSA ? SV(OID_RSA_SHA256) :
	    SV(OID_ECDSA_SHA256)))
		return -1;
	return !verify || pki_verify(&c->key, c->signed_part, sig) ? 0 : -1;
}

/* ---- certificates ---- */

struct pki_cert {
	const char	*issuer, *subject;	/* common names */
	struct sv	 spki;
	uint32_t	 serial;
	int64_t		 not_before, not_after;
	struct sv	 names;		/* as in a request; empty: a CA */
};

static inline void
pki_name(struct buf *b, const char *cn)
{
	size_t name = der_begin(b, DER_SEQUENCE), set, pair;

	set = der_begin(b, DER_SET);
	pair = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_OID, SV(OID_COMMON_NAME));
	der_put(b, DER_UTF8, sv_from(cn));
	der_end(b, pair);
	der_end(b, set);
	der_end(b, name);
}

static inline void
pki_extension(struct buf *b, struct sv oid, struct sv value)
{
	size_t ext = der_begin(b, DER_SEQUENCE), octets, seq;

	der_put(b, DER_OID, oid);
	octets = der_begin(b, DER_OCTETS);
	seq = der_begin(b, DER_SEQUENCE);
	buf_putsv(b, value);
	der_end(b, seq);
	der_end(b, octets);
	der_end(b, ext);
}

static inline void
pki_extensions(struct buf *b, const struct pki_cert *c)
{
	size_t at = der_begin(b, DER_CONTEXT(3)), list;

	list = der_begin(b, DER_SEQUENCE);
	if (c->names.n > 0)
		pki_extension(b, SV(OID_SUBJECT_ALT_NAME), c->names);
	else
		pki_extension(b, SV(OID_BASIC_CONSTRAINTS), SV("\1\1\xff"));
	pki_extension(b, SV(OID_AUTH_KEY), SV("\x80\x14" PKI_KEY_ID));
	der_end(b, list);
	der_end(b, at);
}

static inline void
pki_algorithm(struct buf *b)
{
	size_t at = der_begin(b, DER_SEQUENCE);

	der_put(b, DER_OID, SV(OID_ECDSA_SHA256));
	der_end(b, at);
}

static inline void
pki_pem(struct buf *pem, struct sv der, const char *label)
{
	size_t n = br_pem_encode(NULL, NULL, der.n, label, BR_PEM_LINE64);
	char  *p = buf_reserve(pem, n + 1);

	buf_commit(pem, br_pem_encode(p, der.p, der.n, label,
	    BR_PEM_LINE64));
}

/* Append a certificate signed with that key: PEM. */
static inline void
pki_cert_put(struct buf *pem, const struct pki_cert *c,
    const struct acme_key *signer)
{
	br_ec_private_key sk = { .curve = BR_EC_secp256r1,
	    .x = (unsigned char *)(uintptr_t)signer->secret, .xlen = 32 };
	unsigned char	serial[4] = { (unsigned char)(c->serial >> 24),
			    (unsigned char)(c->serial >> 16),
			    (unsigned char)(c->serial >> 8),
			    (unsigned char)c->serial };
	unsigned char	digest[32], sig[80];
	struct buf	b = BUF_INIT;
	size_t		cert, tbs, at, from, n;

	cert = der_begin(&b, DER_SEQUENCE);
	from = b.n;
	tbs = der_begin(&b, DER_SEQUENCE);
	at = der_begin(&b, DER_CONTEXT(0));
	der_put_unsigned(&b, SV("\2"));
	der_end(&b, at);
	der_put_unsigned(&b, sv_make(serial, sizeof(serial)));
	pki_algorithm(&b);
	pki_name(&b, c->issuer);
	at = der_begin(&b, DER_SEQUENCE);
	der_put_time(&b, c->not_before);
	der_put_time(&b, c->not_after);
	der_end(&b, at);
	pki_name(&b, c->subject);
	buf_putsv(&b, c->spki);
	pki_extensions(&b, c);
	der_end(&b, tbs);
	pki_sha256(sv_make(b.p + from, b.n - from), digest);
	n = br_ecdsa_sign_asn1_get_default()(br_ec_get_default(),
	    &br_sha256_vtable, digest, &sk, sig);
	pki_algorithm(&b);
	der_put_bits(&b, sv_make(sig, n));
	der_end(&b, cert);
	pki_pem(pem, buf_sv(&b), "CERTIFICATE");
	buf_fini(&b);
}

/* Append the public key as DER. */
static inline void
pki_spki(struct buf *b, const struct acme_key *key)
{
	size_t at = der_begin(b, DER_SEQUENCE), alg;

	alg = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_OID, SV(OID_EC));
	der_put(b, DER_OID, SV(OID_P256));
	der_end(b, alg);
	der_put_bits(b, sv_make(key->point, sizeof(key->point)));
	der_end(b, at);
}

#endif

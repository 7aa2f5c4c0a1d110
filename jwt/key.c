/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Reading public keys. There is one way to write a given key, and any other
 * is refused.
 */
#include <string.h>

#include <bearssl.h>

#include "jwt/key.h"
#include "util/der.h"
#include "util/pem.h"

static int
refuse(struct jwt_key *key, const char **why, const char *text)
{
	memset(key, 0, sizeof(*key));
	*why = text;
	return -1;
}

/* ---- numbers to keys ---- */

static struct sv
strip_zeros(struct sv s)
{
	while (s.n > 0 && s.p[0] == 0)
		s = sv_skip(s, 1);
	return s;
}

static unsigned
bit_length(struct sv s)
{
	unsigned	bits = (unsigned)s.n * 8;
	unsigned char	top;

	if (s.n == 0)
		return 0;
	for (top = (unsigned char)s.p[0]; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

/* see key.h */
int
jwt_key_rsa(struct jwt_key *key, struct sv n, struct sv e, const char **why)
{
	*why = NULL;
	n = strip_zeros(n);
	e = strip_zeros(e);
	if (n.n > JWT_RSA_BITS_MAX / 8)
		return refuse(key, why, "RSA key of more than 4096 bits");
	if (bit_length(n) < JWT_RSA_BITS_MIN)
		return refuse(key, why, "RSA key of less than 2048 bits");
	if ((n.p[n.n - 1] & 1) == 0)
		return refuse(key, why, "RSA modulus is even");
	/* With an exponent of 1 anything is its own signature. */
	if (e.n == 0 || e.n > 4 || (e.p[e.n - 1] & 1) == 0 ||
	    (e.n == 1 && e.p[0] == 1))
		return refuse(key, why, "RSA exponent is not an odd number "
		    "from 3 to 4294967295");
	memset(key, 0, sizeof(*key));
	key->family = JWT_RSA;
	key->n = (uint16_t)n.n;
	key->e = (uint16_t)e.n;
	memcpy(key->bytes, n.p, n.n);
	memcpy(key->bytes + n.n, e.p, e.n);
	return 0;
}

/* see key.h */
size_t
jwt_curve_size(int curve)
{
	switch (curve) {
	case BR_EC_secp256r1:
		return 32;
	case BR_EC_secp384r1:
		return 48;
	case BR_EC_secp521r1:
		return 66;
	default:
		return 0;
	}
}

/* Whether the point is on its curve: BearSSL multiplies no other. */
static bool
on_curve(const struct jwt_key *key)
{
	static const unsigned char	one[] = { 1 };
	const br_ec_impl		*ec = br_ec_get_default();
	unsigned char			 point[JWT_KEY_BYTES];

	memcpy(point, key->bytes, key->n);
	return (ec->supported_curves >> key->curve & 1) == 1 &&
	    ec->mul(point, key->n, one, sizeof(one), key->curve) == 1;
}

/* see key.h */
int
jwt_key_ec(struct jwt_key *key, int curve, struct sv x, struct sv y,
    const char **why)
{
	size_t size = jwt_curve_size(curve);

	*why = NULL;
	if (size == 0)
		return refuse(key, why, "curve is none of P-256, P-384, P-521");
	if (x.n != size || y.n != size)
		return refuse(key, why, "point of the wrong size");
	memset(key, 0, sizeof(*key));
	key->family = JWT_EC;
	key->curve = curve;
	key->n = (uint16_t)(1 + 2 * size);
	key->bytes[0] = 4;	/* uncompressed: SEC 1, 2.3.3 */
	memcpy(key->bytes + 1, x.p, size);
	memcpy(key->bytes + 1 + size, y.p, size);
	if (!on_curve(key))
		return refuse(key, why, "point is not on the curve");
	return 0;
}

/* ---- DER ---- */

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static int
der_rsa(struct jwt_key *key, struct sv der, const char **why)
{
	struct sv seq, n, e;

	if (der_get(&der, DER_SEQUENCE, &seq) == -1 || der.n > 0 ||
	    der_get_unsigned(&seq, &n) == -1 ||
	    der_get_unsigned(&seq, &e) == -1 || seq.n > 0)
		return refuse(key, why, "malformed RSA public key");
	return jwt_key_rsa(key, n, e, why);
}

/* ECPoint ::= OCTET STRING, as it stands in a BIT STRING (RFC 5480, 2.2) */
static int
der_ec(struct jwt_key *key, struct sv params, struct sv point,
    const char **why)
{
	static const struct {
		struct sv	oid;
		int		curve;
	} curves[] = {
		{ SV_INIT(OID_P256), BR_EC_secp256r1 },
		{ SV_INIT(OID_P384), BR_EC_secp384r1 },
		{ SV_INIT(OID_P521), BR_EC_secp521r1 },
	};
	struct sv	oid;
	size_t		i, size;
	int		curve = 0;

	if (der_get(&params, DER_OID, &oid) == -1 || params.n > 0)
		return refuse(key, why, "elliptic curve is not a named one");
	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (sv_eq(oid, curves[i].oid))
			curve = curves[i].curve;
	size = jwt_curve_size(curve);
	if (size > 0 && (point.n != 1 + 2 * size || point.p[0] != 4))
		return refuse(key, why,
		    "point of the wrong size or compressed");
	return jwt_key_ec(key, curve, sv_make(point.p + 1, size),
	    sv_make(point.p + 1 + size, size), why);
}

/* SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { OBJECT IDENTIFIER,
 * parameters }, BIT STRING } (RFC 5280, 4.1) */
static int
der_spki(struct jwt_key *key, struct sv der, const char **why)
{
	struct sv	seq, alg, oid, bits, null;

	if (der_get(&der, DER_SEQUENCE, &seq) == -1 || der.n > 0 ||
	    der_get(&seq, DER_SEQUENCE, &alg) == -1 ||
	    der_get(&alg, DER_OID, &oid) == -1 ||
	    der_get_bits(&seq, &bits) == -1 || seq.n > 0)
		return refuse(key, why, "malformed public key");
	if (sv_eq(oid, SV(OID_EC)))
		return der_ec(key, alg, bits, why);
	if (!sv_eq(oid, SV(OID_RSA)))
		return refuse(key, why, "neither an RSA nor an EC public key");
	if (der_get(&alg, DER_NULL, &null) == -1 || null.n > 0 || alg.n > 0)
		return refuse(key, why, "malformed RSA public key");
	return der_rsa(key, bits, why);
}

/* Whether the first thing in the outer sequence is a number: PKCS#1. */
static bool
is_pkcs1(struct sv der)
{
	struct sv seq;

	return der_get(&der, DER_SEQUENCE, &seq) == 0 &&
	    der_is(seq, DER_INTEGER);
}

/* see key.h */
int
jwt_key_der(struct jwt_key *key, struct sv der, const char **why)
{
	*why = NULL;
	return is_pkcs1(der) ? der_rsa(key, der, why) :
	    der_spki(key, der, why);
}

/* ---- PEM ---- */

/* see key.h */
int
jwt_key_pem(struct jwt_key *key, struct sv pem, const char **why)
{
	struct buf	der = BUF_INIT;
	struct sv	label;
	struct pem	block;
	int		rc;

	*why = NULL;
	if (pem_next(&pem, &block) != 1)
		return refuse(key, why, "no PEM block");
	label = block.label;
	if (sv_ends(label, SV("PRIVATE KEY")))
		return refuse(key, why,
		    "a private key, where only its public part belongs");
	if (!sv_eq(label, SV("PUBLIC KEY")) &&
	    !sv_eq(label, SV("RSA PUBLIC KEY")))
		return refuse(key, why, "the PEM block is not a PUBLIC KEY");
	if (pem_decode(&der, &block) == -1)
		rc = refuse(key, why, der.failed ? "out of memory" :
		    "malformed base 64 in the PEM block");
	else if (is_pkcs1(buf_sv(&der)) != sv_starts(label, SV("RSA ")))
		rc = refuse(key, why, "the PEM block is not what it says");
	else
		rc = jwt_key_der(key, buf_sv(&der), why);
	buf_fini(&der);
	return rc;
}

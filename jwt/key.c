/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Reading public keys. The DER reader knows four types and what X.690 calls
 * canonical: lengths in their shortest form, numbers without needless zeros,
 * nothing left over. There is one way to write a given key, and any other is
 * refused.
 */
#include <string.h>

#include <bearssl.h>

#include "jwt/key.h"
#include "util/base64.h"

#define PEM_MAX		8192

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

enum {
	DER_INTEGER = 0x02, DER_BITS = 0x03, DER_NULL = 0x05, DER_OID = 0x06,
	DER_SEQUENCE = 0x30
};

/* Take one value of that type off *s. 0, or -1 if it is anything else. */
static int
der_take(struct sv *s, unsigned char type, struct sv *value)
{
	const unsigned char	*p = (const unsigned char *)s->p;
	size_t			 head = 2, n;

	*value = sv_make(NULL, 0);
	if (s->n < head || p[0] != type)
		return -1;
	n = p[1];
	if (n == 0x81 && s->n >= 3 && p[2] >= 0x80) {
		head = 3;
		n = p[2];
	} else if (n == 0x82 && s->n >= 4 && p[2] > 0) {
		head = 4;
		n = (size_t)p[2] << 8 | p[3];
	} else if (n >= 0x80) {
		return -1;
	}
	if (s->n - head < n)
		return -1;
	*value = sv_make(p + head, n);
	*s = sv_skip(*s, head + n);
	return 0;
}

/* A positive INTEGER in its shortest form. */
static int
der_take_number(struct sv *s, struct sv *value)
{
	if (der_take(s, DER_INTEGER, value) == -1 || value->n == 0 ||
	    value->p[0] & 0x80)
		return -1;
	if (value->p[0] == 0 && (value->n == 1 || !(value->p[1] & 0x80)))
		return -1;
	return 0;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static int
der_rsa(struct jwt_key *key, struct sv der, const char **why)
{
	struct sv seq, n, e;

	if (der_take(&der, DER_SEQUENCE, &seq) == -1 || der.n > 0 ||
	    der_take_number(&seq, &n) == -1 ||
	    der_take_number(&seq, &e) == -1 || seq.n > 0)
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
		{ SV_INIT("\x2a\x86\x48\xce\x3d\x03\x01\x07"),
		    BR_EC_secp256r1 },
		{ SV_INIT("\x2b\x81\x04\x00\x22"), BR_EC_secp384r1 },
		{ SV_INIT("\x2b\x81\x04\x00\x23"), BR_EC_secp521r1 },
	};
	struct sv	oid;
	size_t		i, size;
	int		curve = 0;

	if (der_take(&params, DER_OID, &oid) == -1 || params.n > 0)
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
	static const struct sv	rsa =
	    SV_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
	static const struct sv	ec = SV_INIT("\x2a\x86\x48\xce\x3d\x02\x01");
	struct sv		seq, alg, oid, bits, null;

	if (der_take(&der, DER_SEQUENCE, &seq) == -1 || der.n > 0 ||
	    der_take(&seq, DER_SEQUENCE, &alg) == -1 ||
	    der_take(&alg, DER_OID, &oid) == -1 ||
	    der_take(&seq, DER_BITS, &bits) == -1 || seq.n > 0 ||
	    bits.n == 0 || bits.p[0] != 0)
		return refuse(key, why, "malformed public key");
	bits = sv_skip(bits, 1);
	if (sv_eq(oid, ec))
		return der_ec(key, alg, bits, why);
	if (!sv_eq(oid, rsa))
		return refuse(key, why, "neither an RSA nor an EC public key");
	if (der_take(&alg, DER_NULL, &null) == -1 || null.n > 0 || alg.n > 0)
		return refuse(key, why, "malformed RSA public key");
	return der_rsa(key, bits, why);
}

/* Whether the first thing in the outer sequence is a number: PKCS#1. */
static bool
is_pkcs1(struct sv der)
{
	struct sv seq;

	return der_take(&der, DER_SEQUENCE, &seq) == 0 && seq.n > 0 &&
	    seq.p[0] == DER_INTEGER;
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

static ptrdiff_t
find(struct sv s, struct sv what)
{
	size_t i;

	for (i = 0; i + what.n <= s.n; i++)
		if (sv_starts(sv_skip(s, i), what))
			return (ptrdiff_t)i;
	return -1;
}

/* The text between BEGIN and END lines of the same label. */
static int
pem_body(struct sv s, struct sv *label, struct sv *body)
{
	static const struct sv	begin = SV_INIT("-----BEGIN "),
	    end = SV_INIT("-----END "), dashes = SV_INIT("-----");
	ptrdiff_t		i;

	if ((i = find(s, begin)) == -1)
		return -1;
	s = sv_skip(s, (size_t)i + begin.n);
	if ((i = find(s, dashes)) == -1)
		return -1;
	*label = sv_make(s.p, (size_t)i);
	s = sv_skip(s, (size_t)i + dashes.n);
	if ((i = find(s, end)) == -1)
		return -1;
	*body = sv_make(s.p, (size_t)i);
	s = sv_skip(s, (size_t)i + end.n);
	return sv_starts(s, *label) &&
	    sv_starts(sv_skip(s, label->n), dashes) ? 0 : -1;
}

/* Base 64 in lines. */
static int
pem_decode(struct buf *out, struct sv body)
{
	char	packed[PEM_MAX];
	size_t	i, n = 0;

	if (body.n > sizeof(packed))
		return -1;
	for (i = 0; i < body.n; i++)
		if (strchr(" \t\r\n", body.p[i]) == NULL || body.p[i] == '\0')
			packed[n++] = body.p[i];
	return base64_get(out, sv_make(packed, n));
}

/* see key.h */
int
jwt_key_pem(struct jwt_key *key, struct sv pem, const char **why)
{
	struct buf	der = BUF_INIT;
	struct sv	label, body;
	int		rc;

	*why = NULL;
	if (pem_body(pem, &label, &body) == -1)
		return refuse(key, why, "no PEM block");
	if (sv_ends(label, SV("PRIVATE KEY")))
		return refuse(key, why,
		    "a private key, where only its public part belongs");
	if (!sv_eq(label, SV("PUBLIC KEY")) &&
	    !sv_eq(label, SV("RSA PUBLIC KEY")))
		return refuse(key, why, "the PEM block is not a PUBLIC KEY");
	if (pem_decode(&der, body) == -1)
		rc = refuse(key, why, der.failed ? "out of memory" :
		    "malformed base 64 in the PEM block");
	else if (is_pkcs1(buf_sv(&der)) != sv_starts(label, SV("RSA ")))
		rc = refuse(key, why, "the PEM block is not what it says");
	else
		rc = jwt_key_der(key, buf_sv(&der), why);
	buf_fini(&der);
	return rc;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See csr.h.
 */
#include <arpa/inet.h>

#include <string.h>

#include <bearssl.h>

#include "acme/csr.h"
#include "acme/jws.h"
#include "util/der.h"
#include "util/pem.h"

#define RSA_BITS		2048
#define RSA_BYTES		(RSA_BITS / 8)
#define RSA_EXPONENT		65537
#define RSA_DER			1300	/* of a whole private key */
#define RSA_MAX			512	/* bytes of a key that is there */
#define ALPN_DAYS		7

#define OID_EXTENSION_REQUEST	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define OID_ACME_IDENTIFIER	"\x2b\x06\x01\x05\x05\x07\x01\x1f"

/* ---- keys ---- */

static void
put_pem(struct buf *pem, const unsigned char *der, size_t n,
    const char *label)
{
	char *p = buf_reserve(pem, br_pem_encode(NULL, NULL, n, label,
	    BR_PEM_LINE64) + 1);

	if (p != NULL)
		buf_commit(pem, br_pem_encode(p, der, n, label,
		    BR_PEM_LINE64));
}

static int
new_rsa(struct buf *pem, const unsigned char seed[ACME_SEED])
{
	static const unsigned	exponent = RSA_EXPONENT;
	unsigned char		priv[BR_RSA_KBUF_PRIV_SIZE(RSA_BITS)];
	unsigned char		pub[BR_RSA_KBUF_PUB_SIZE(RSA_BITS)];
	unsigned char		d[RSA_BYTES], der[RSA_DER];
	br_hmac_drbg_context	drbg;
	br_rsa_private_key	sk;
	br_rsa_public_key	pk;
	size_t			n, dlen;
	int			ret = -1;

	br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, ACME_SEED);
	if (br_rsa_keygen_get_default()(&drbg.vtable, &sk, priv, &pk, pub,
	    RSA_BITS, exponent) == 0)
		goto out;
	dlen = br_rsa_compute_privexp_get_default()(d, &sk, exponent);
	n = br_encode_rsa_raw_der(NULL, &sk, &pk, d, dlen);
	if (dlen == 0 || n == 0 || n > sizeof(der))
		goto out;
	br_encode_rsa_raw_der(der, &sk, &pk, d, dlen);
	put_pem(pem, der, n, "RSA PRIVATE KEY");
	ret = pem->failed ? -1 : 0;
out:
	explicit_bzero(&drbg, sizeof(drbg));
	explicit_bzero(priv, sizeof(priv));
	explicit_bzero(d, sizeof(d));
	explicit_bzero(der, sizeof(der));
	return ret;
}

/* see csr.h */
int
acme_cert_key(struct buf *pem, bool rsa, const unsigned char seed[ACME_SEED])
{
	struct acme_key key;

	if (rsa)
		return new_rsa(pem, seed);
	acme_key_new(&key, seed);
	acme_key_write(&key, pem);
	explicit_bzero(&key, sizeof(key));
	return pem->failed ? -1 : 0;
}

/* The first private key of a text. */
static int
read_key(br_skey_decoder_context *key, struct sv pem)
{
	struct buf	der = BUF_INIT;
	struct pem	block;
	int		type = 0;

	while (type == 0 && pem_next(&pem, &block) == 1) {
		if (!sv_ends(block.label, SV("PRIVATE KEY")))
			continue;
		der.n = 0;
		if (pem_decode(&der, &block) == -1)
			break;
		br_skey_decoder_init(key);
		br_skey_decoder_push(key, der.p, der.n);
		type = br_skey_decoder_key_type(key);
	}
	buf_wipe(&der);
	return type == 0 ? -1 : 0;
}

/* ---- DER ---- */

static void
put_algorithm(struct buf *b, struct sv oid, struct sv parameter, bool null)
{
	size_t at = der_begin(b, DER_SEQUENCE);

	der_put(b, DER_OID, oid);
	if (parameter.n > 0)
		der_put(b, DER_OID, parameter);
	else if (null)
		der_put(b, DER_NULL, SV(""));
	der_end(b, at);
}

static void
put_signature_algorithm(struct buf *b, bool rsa)
{
	put_algorithm(b, rsa ? SV(OID_RSA_SHA256) : SV(OID_ECDSA_SHA256),
	    SV(""), rsa);
}

static void
put_rsa_public(struct buf *b, const br_rsa_private_key *sk)
{
	unsigned char	 n[RSA_MAX];
	static const unsigned char e[] = { 1, 0, 1 };
	struct buf	 key = BUF_INIT;
	size_t		 len, at;

	len = br_rsa_compute_modulus_get_default()(NULL, sk);
	if (len == 0 || len > sizeof(n)) {
		b->failed = true;
		return;
	}
	br_rsa_compute_modulus_get_default()(n, sk);
	at = der_begin(&key, DER_SEQUENCE);
	der_put_unsigned(&key, sv_make(n, len));
	der_put_unsigned(&key, sv_make(e, sizeof(e)));
	der_end(&key, at);
	der_put_bits(b, buf_sv(&key));
	if (key.failed)
		b->failed = true;
	buf_fini(&key);
}

static void
put_public(struct buf *b, const br_skey_decoder_context *key)
{
	unsigned char	q[BR_EC_KBUF_PUB_MAX_SIZE];
	size_t		at = der_begin(b, DER_SEQUENCE), n;

	if (br_skey_decoder_key_type(key) == BR_KEYTYPE_RSA) {
		put_algorithm(b, SV(OID_RSA), SV(""), true);
		put_rsa_public(b, br_skey_decoder_get_rsa(key));
	} else {
		put_algorithm(b, SV(OID_EC), SV(OID_P256), false);
		n = br_ec_compute_pub(br_ec_get_default(), NULL, q,
		    br_skey_decoder_get_ec(key));
		if (n != ACME_POINT_LEN)
			b->failed = true;
		der_put_bits(b, sv_make(q, n));
	}
	der_end(b, at);
}

static size_t
sign_digest(const br_skey_decoder_context *key, const unsigned char *digest,
    unsigned char *sig)
{
	const br_rsa_private_key *rsa;

	if (br_skey_decoder_key_type(key) != BR_KEYTYPE_RSA)
		return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(),
		    &br_sha256_vtable, digest, br_skey_decoder_get_ec(key),
		    sig);
	rsa = br_skey_decoder_get_rsa(key);
	if (rsa->n_bitlen > RSA_MAX * 8)
		return 0;
	if (!br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, digest,
	    br_sha256_SIZE, rsa, sig))
		return 0;
	return (rsa->n_bitlen + 7) / 8;
}

/* The algorithm and the signature over what stands in b from `from' on. */
static void
put_signature(struct buf *b, size_t from, const br_skey_decoder_context *key)
{
	br_sha256_context	ctx;
	unsigned char		digest[br_sha256_SIZE];
	unsigned char		sig[RSA_MAX];
	size_t			n;

	if (b->failed)
		return;
	br_sha256_init(&ctx);
	br_sha256_update(&ctx, b->p + from, b->n - from);
	br_sha256_out(&ctx, digest);
	if ((n = sign_digest(key, digest, sig)) == 0)
		b->failed = true;
	put_signature_algorithm(b,
	    br_skey_decoder_key_type(key) == BR_KEYTYPE_RSA);
	der_put_bits(b, sv_make(sig, n));
}

/* subjectAltName as an Extension. */
static void
put_names(struct buf *b, const struct sv *name, size_t nname)
{
	unsigned char	ip[16];
	size_t		i, n, at = der_begin(b, DER_SEQUENCE), octets, list;

	der_put(b, DER_OID, SV(OID_SUBJECT_ALT_NAME));
	octets = der_begin(b, DER_OCTETS);
	list = der_begin(b, DER_SEQUENCE);
	for (i = 0; i < nname; i++) {
		n = acme_ip(name[i], ip);
		if (n > 0)
			der_put(b, DER_IMPLICIT(7), sv_make(ip, n));
		else
			der_put(b, DER_IMPLICIT(2), name[i]);
	}
	der_end(b, list);
	der_end(b, octets);
	der_end(b, at);
}

/* see csr.h */
int
acme_csr(struct buf *der, struct sv key_pem, const struct sv *name,
    size_t nname)
{
	static const unsigned char	zero = 0;
	br_skey_decoder_context		key;
	size_t	whole, from, info, attributes, attribute, set, list;

	if (read_key(&key, key_pem) == -1)
		return -1;
	whole = der_begin(der, DER_SEQUENCE);
	from = der->n;
	info = der_begin(der, DER_SEQUENCE);
	der_put(der, DER_INTEGER, sv_make(&zero, 1));
	der_put(der, DER_SEQUENCE, SV(""));
	put_public(der, &key);
	attributes = der_begin(der, DER_CONTEXT(0));
	attribute = der_begin(der, DER_SEQUENCE);
	der_put(der, DER_OID, SV(OID_EXTENSION_REQUEST));
	set = der_begin(der, DER_SET);
	list = der_begin(der, DER_SEQUENCE);
	put_names(der, name, nname);
	der_end(der, list);
	der_end(der, set);
	der_end(der, attribute);
	der_end(der, attributes);
	der_end(der, info);
	put_signature(der, from, &key);
	der_end(der, whole);
	explicit_bzero(&key, sizeof(key));
	return der->failed ? -1 : 0;
}

/* ---- the certificate of a challenge ---- */

static void
put_acme_identifier(struct buf *b, struct sv key_auth)
{
	static const unsigned char yes = 0xff;
	br_sha256_context	ctx;
	unsigned char		digest[br_sha256_SIZE];
	size_t			at = der_begin(b, DER_SEQUENCE), octets;

	br_sha256_init(&ctx);
	br_sha256_update(&ctx, key_auth.p, key_auth.n);
	br_sha256_out(&ctx, digest);
	der_put(b, DER_OID, SV(OID_ACME_IDENTIFIER));
	der_put(b, DER_BOOLEAN, sv_make(&yes, 1));
	octets = der_begin(b, DER_OCTETS);
	der_put(b, DER_OCTETS, sv_make(digest, sizeof(digest)));
	der_end(b, octets);
	der_end(b, at);
}

/* The common name, which is only decoration. */
static void
put_subject(struct buf *b)
{
	size_t name = der_begin(b, DER_SEQUENCE), set, pair;

	set = der_begin(b, DER_SET);
	pair = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_OID, SV(OID_COMMON_NAME));
	der_put(b, DER_UTF8, SV("ACME challenge"));
	der_end(b, pair);
	der_end(b, set);
	der_end(b, name);
}

static void
put_alpn_info(struct buf *b, const br_skey_decoder_context *key,
    struct sv name, struct sv key_auth, int64_t now)
{
	static const unsigned char v3 = 2, serial = 1;
	size_t	info = der_begin(b, DER_SEQUENCE), at, list;

	at = der_begin(b, DER_CONTEXT(0));
	der_put(b, DER_INTEGER, sv_make(&v3, 1));
	der_end(b, at);
	der_put(b, DER_INTEGER, sv_make(&serial, 1));
	put_signature_algorithm(b, false);
	put_subject(b);
	at = der_begin(b, DER_SEQUENCE);
	der_put_time(b, now - 86400);
	der_put_time(b, now + ALPN_DAYS * 86400);
	der_end(b, at);
	put_subject(b);
	put_public(b, key);
	at = der_begin(b, DER_CONTEXT(3));
	list = der_begin(b, DER_SEQUENCE);
	put_names(b, &name, 1);
	put_acme_identifier(b, key_auth);
	der_end(b, list);
	der_end(b, at);
	der_end(b, info);
}

/* see csr.h */
int
acme_alpn_cert(struct buf *chain, struct buf *key, struct sv name,
    struct sv key_auth, int64_t now, const unsigned char seed[ACME_SEED])
{
	br_skey_decoder_context	sk;
	struct buf		der = BUF_INIT;
	size_t			whole, from, key_at = key->n;
	int			ret = -1;

	if (acme_cert_key(key, false, seed) == -1 ||
	    read_key(&sk, sv_skip(buf_sv(key), key_at)) == -1)
		return -1;
	whole = der_begin(&der, DER_SEQUENCE);
	from = der.n;
	put_alpn_info(&der, &sk, name, key_auth, now);
	put_signature(&der, from, &sk);
	der_end(&der, whole);
	if (!der.failed) {
		put_pem(chain, (unsigned char *)der.p, der.n, "CERTIFICATE");
		ret = chain->failed ? -1 : 0;
	}
	explicit_bzero(&sk, sizeof(sk));
	buf_fini(&der);
	return ret;
}

/* ---- addresses ---- */

/* see csr.h */
size_t
acme_ip(struct sv name, unsigned char out[16])
{
	char text[INET6_ADDRSTRLEN];

	if (name.n >= sizeof(text))
		return 0;
	sv_copy(text, sizeof(text), name);
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* see csr.h */
void
acme_alpn_host(struct buf *b, struct sv name)
{
	static const char	hex[] = "0123456789abcdef";
	unsigned char		ip[16];
	size_t			n = acme_ip(name, ip);

	if (n == 0) {
		buf_putsv(b, name);
		return;
	}
	if (n == 4) {
		buf_printf(b, "%u.%u.%u.%u.in-addr.arpa", ip[3], ip[2],
		    ip[1], ip[0]);
		return;
	}
	while (n-- > 0)
		buf_printf(b, "%c.%c.", hex[ip[n] & 15], hex[ip[n] >> 4]);
	buf_puts(b, "ip6.arpa");
}

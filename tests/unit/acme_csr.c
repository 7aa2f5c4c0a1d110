/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Certificate requests: one compared with OpenSSL's, others read back and
 * verified; keys, challenge certificates, and names of addresses.
 */
#include <stdio.h>

#include "acme/csr.h"
#include "tests/unit/acme_data.h"
#include "tests/unit/acme_pki.h"
#include "util/pem.h"
#include "tls/tls.h"
#include "tls/x509.h"

static const struct sv names[] = { SV_INIT("a.example"),
    SV_INIT("www.a.example"), SV_INIT("192.0.2.1"), SV_INIT("2001:db8::1") };

static struct buf
der_of(struct sv text)
{
	struct buf	der = BUF_INIT;
	struct pem	block;

	if (CHECK_INT(pem_next(&text, &block), 1))
		CHECK_INT(pem_decode(&der, &block), 0);
	return der;
}

/* All that is signed is as OpenSSL has it; signatures are never the same. */
TEST(a_request_like_others_make_it)
{
	struct buf	theirs = der_of(SV(DATA_CSR)), ours = BUF_INIT;
	struct pki_csr	a, b;

	CHECK_INT(pki_csr_read(&a, buf_sv(&theirs), true), 0);
	CHECK_INT(acme_csr(&ours, SV(DATA_SEC1), names, 4), 0);
	CHECK_INT(pki_csr_read(&b, buf_sv(&ours), true), 0);
	CHECK_SVEQ(b.signed_part, a.signed_part);
	buf_fini(&theirs);
	buf_fini(&ours);
}

TEST(requests_of_new_keys)
{
	static const unsigned char	seed[ACME_SEED] = "seed";
	struct buf			pem = BUF_INIT, der = BUF_INIT;
	struct pki_csr			c;
	int				rsa;

	for (rsa = 0; rsa < 2; rsa++) {
		test_note("rsa %d", rsa);
		buf_reset(&pem);
		buf_reset(&der);
		CHECK_INT(acme_cert_key(&pem, rsa, seed), 0);
		CHECK_INT(acme_csr(&der, buf_sv(&pem), names, 1), 0);
		CHECK_INT(pki_csr_read(&c, buf_sv(&der), true), 0);
		CHECK_SV(c.names, "\x82\x09" "a.example");
		CHECK_INT(c.key.family, rsa ? JWT_RSA : JWT_EC);
		CHECK_INT(c.key.n, rsa ? 256 : 65);
	}
	buf_fini(&pem);
	buf_fini(&der);
}

TEST(a_hundred_names)
{
	struct sv	many[100];
	char		text[100][64];
	struct buf	der = BUF_INIT;
	struct pki_csr	c;
	struct sv	v;
	unsigned	i;

	for (i = 0; i < 100; i++) {
		snprintf(text[i], sizeof(text[i]), "a-name-that-is-not-that-"
		    "short-%u.example", i);
		many[i] = sv_from(text[i]);
	}
	CHECK_INT(acme_csr(&der, SV(DATA_SEC1), many, 100), 0);
	CHECK_INT(pki_csr_read(&c, buf_sv(&der), true), 0);
	for (i = 0; i < 100; i++) {
		CHECK_INT(der_get(&c.names, DER_IMPLICIT(2), &v), 0);
		CHECK_SVEQ(v, many[i]);
	}
	CHECK_INT(c.names.n, 0);
	buf_fini(&der);
}

TEST(no_request_without_a_key)
{
	struct buf	der = BUF_INIT;
	char	       *p;
	size_t		i;

	for (i = 0; i + 2 < sizeof(DATA_SEC1); i++) {
		p = guard_dup(sv_make(DATA_SEC1, i));
		CHECK_INT(acme_csr(&der, sv_make(p, i), names, 1), -1);
		guard_free(p);
	}
	CHECK_INT(acme_csr(&der, SV(DATA_CERT), names, 1), -1);
	CHECK_INT(acme_csr(&der, SV(DATA_ENCRYPTED), names, 1), -1);
	CHECK_INT(acme_csr(&der, SV(DATA_P384), names, 1), -1);
	buf_fini(&der);
}

/* ---- the certificate of a challenge ---- */

/* The signature over what is signed, by the certificate's own key. */
static void
check_self_signed(struct sv der, const struct x509 *x)
{
	struct sv	all, tbs, algorithm, sig;
	struct jwt_key	key = { .family = JWT_EC, .curve = BR_EC_secp256r1 };

	CHECK_INT(der_get(&der, DER_SEQUENCE, &all), 0);
	CHECK_INT(der_get_whole(&all, DER_SEQUENCE, &tbs), 0);
	CHECK_INT(der_get(&all, DER_SEQUENCE, &algorithm), 0);
	CHECK_INT(der_get_bits(&all, &sig), 0);
	key.n = (uint16_t)x->key.key.ec.qlen;
	memcpy(key.bytes, x->key.key.ec.q, key.n);
	CHECK(pki_verify(&key, tbs, sig));
}

/* RFC 8737, 3: one name, and the hash in a critical extension. */
TEST(the_certificate_of_a_challenge)
{
	static const unsigned char	seed[ACME_SEED] = "challenge";
	static const struct sv		hosts[] = { SV_INIT("a.example"),
					    SV_INIT("192.0.2.1"),
					    SV_INIT("2001:db8::1") };
	const int64_t			now = 1800000000;
	const struct sv			auth = SV("token.thumbprint");
	struct buf			chain = BUF_INIT, key = BUF_INIT, der,
					ext = BUF_INIT;
	struct tls_cred		       *cred;
	struct x509			x;
	const char		       *why;
	unsigned char			digest[32];
	size_t				i;

	pki_sha256(auth, digest);
	buf_put(&ext, "\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff"
	    "\x04\x22\x04\x20", 17);
	buf_put(&ext, digest, sizeof(digest));
	for (i = 0; i < 3; i++) {
		test_note("%.*s", SV_ARG(hosts[i]));
		buf_reset(&chain);
		buf_reset(&key);
		CHECK_INT(acme_alpn_cert(&chain, &key, hosts[i], auth, now,
		    seed), 0);
		der = der_of(buf_sv(&chain));
		CHECK_INT(x509_read(&x, buf_sv(&der), &why), 0);
		CHECK(x509_matches(&x, hosts[i], NULL));
		CHECK(x509_is_self_signed(&x));
		CHECK(x.not_before <= now && x.not_after > now + 86400);
		CHECK(memmem(der.p, der.n, ext.p, ext.n) != NULL);
		check_self_signed(buf_sv(&der), &x);
		CHECK_INT(tls_cred_load(&cred, buf_sv(&chain), buf_sv(&key),
		    now, NULL), 0);
		tls_cred_unref(cred);
		buf_fini(&der);
	}
	buf_fini(&chain);
	buf_fini(&key);
	buf_fini(&ext);
}

/* ---- addresses ---- */

TEST(names_and_addresses)
{
	static const struct {
		const char	*name;
		size_t		 n;
		const char	*host;
	} rows[] = {
		{ "a.example", 0, "a.example" }, { "", 0, "" },
		{ "192.0.2.1", 4, "1.2.0.192.in-addr.arpa" },
		{ "192.0.2", 0, "192.0.2" }, { "1.2.3.4.5", 0, "1.2.3.4.5" },
		{ "2001:db8::567:89ab", 16, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
		{ "::ffff:192.0.2.1", 16, "1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0."
		    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaa" },
	};
	struct buf	b = BUF_INIT;
	unsigned char	ip[16];
	char	       *p;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].name);
		p = guard_dup(sv_from(rows[i].name));
		CHECK_INT(acme_ip(sv_make(p, strlen(rows[i].name)), ip),
		    rows[i].n);
		guard_free(p);
		buf_reset(&b);
		acme_alpn_host(&b, sv_from(rows[i].name));
		CHECK_SV(buf_sv(&b), rows[i].host);
	}
	CHECK_INT(acme_ip(SV("10.1.2.3"), ip), 4);
	CHECK(memcmp(ip, "\x0a\x01\x02\x03", 4) == 0);
	buf_fini(&b);
}

/* ---- memory ---- */

static bool
everything(void)
{
	static const unsigned char	seed[ACME_SEED] = "memory";
	struct buf			a = BUF_INIT, b = BUF_INIT,
					c = BUF_INIT;
	bool				good;

	good = acme_csr(&a, SV(DATA_SEC1), names, 4) == 0 &&
	    acme_alpn_cert(&b, &c, names[0], SV("auth"), 1800000000, seed) ==
	    0;
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&c);
	return good;
}

TEST(without_memory)
{
	ALLOC_SWEEP(everything);
}

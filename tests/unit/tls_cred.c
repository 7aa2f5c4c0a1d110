/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Credentials: every form that is accepted, and the sentence for everything
 * that is wrong with one.
 */
#include <stdlib.h>

#include "tests/unit/tls_certs.h"
#include "tests/unit/tls_pem.h"
#include "tls/handshake.h"

#define NOW	1767830400	/* 2026-01-08 00:00 UTC */
#define CHAIN	CERT_LEAF CERT_INTER
#define AFTER(pem)	pem CERT_INTER

typedef int loader(struct tls_cred **, struct sv, struct sv, int64_t,
	    const struct tls_report *);

static const char cut_chain[] = CERT_LEAF "-----BEGIN CERTIFICATE-----\nMII";
static const char bad_digits[] =
    CERT_LEAF "-----BEGIN CERTIFICATE-----\nM*==\n-----END CERTIFICATE-----\n";
static const char bad_der[] =
    CERT_LEAF "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

/* Load, from copies that end with their page; findings go to text. */
static struct tls_cred *
load(loader *fn, const char *chain, const char *key, int64_t now,
    struct buf *text)
{
	struct tls_report	 report = { collect, text };
	struct tls_cred		*c = NULL;
	char			*a = guard_dup(sv_from(chain));
	char			*b = guard_dup(sv_from(key));
	int			 rc;

	rc = fn(&c, sv_make(a, strlen(chain)), sv_make(b, strlen(key)), now,
	    &report);
	CHECK((rc == 0) == (c != NULL));
	CHECK((rc == -1) == (text->n > 0 && (text->p[0] == '!' ||
	    memmem(text->p, text->n, "\n!", 2) != NULL)));
	guard_free(a);
	guard_free(b);
	return c;
}

/* ---- what is accepted ---- */

static const struct {
	const char	*chain, *key, *type, *want;
	size_t		 n;
	int		 key_type, issuer_type;
} good[] = {
	{ CHAIN, EC_KEY, "EC P-256", "", 2, BR_KEYTYPE_EC, BR_KEYTYPE_EC },
	{ CHAIN CERT_ROOT, EC_KEY_SEC1, "EC P-256", "", 3, BR_KEYTYPE_EC,
	    BR_KEYTYPE_EC },
	{ AFTER(CERT_P384), P384_KEY, "EC P-384", "", 2, BR_KEYTYPE_EC,
	    BR_KEYTYPE_EC },
	{ AFTER(CERT_P384), P384_KEY_SEC1, "EC P-384", "", 2, BR_KEYTYPE_EC,
	    BR_KEYTYPE_EC },
	{ AFTER(CERT_RSA), RSA_KEY, "RSA 3072", "", 2, BR_KEYTYPE_RSA,
	    BR_KEYTYPE_EC },
	{ AFTER(CERT_RSA), RSA_KEY_PKCS1, "RSA 3072", "", 2, BR_KEYTYPE_RSA,
	    BR_KEYTYPE_EC },
	/* All in one file, and text around. */
	{ "subject=x\n" CHAIN EC_KEY, CERT_LEAF "text\n" EC_KEY_SEC1,
	    "EC P-256", "", 2, BR_KEYTYPE_EC, BR_KEYTYPE_EC },
};

TEST(keys_of_every_form)
{
	const struct tls_cred_parts	*parts;
	struct tls_cred			*c;
	struct buf			 text = BUF_INIT;
	size_t				 i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&text);
		c = load(tls_cred_load, good[i].chain, good[i].key, NOW,
		    &text);
		CHECK_SV(buf_sv(&text), good[i].want);
		if (c == NULL)
			continue;
		parts = tls_cred_parts(c);
		CHECK_INT(parts->nchain, good[i].n);
		CHECK_INT(parts->key_type, good[i].key_type);
		CHECK_INT(parts->issuer_key_type, good[i].issuer_type);
		CHECK((parts->rsa != NULL) ==
		    (good[i].key_type == BR_KEYTYPE_RSA));
		CHECK((parts->ec != NULL) ==
		    (good[i].key_type == BR_KEYTYPE_EC));
		CHECK_STR(tls_cred_info(c)->key_type, good[i].type);
		tls_cred_unref(c);
	}
	buf_fini(&text);
}

TEST(what_is_told_of_it)
{
	const struct tls_cred_parts	*parts;
	const struct tls_cert_info	*info;
	struct buf			 text = BUF_INIT, der;
	struct tls_cred			*c;
	bool				 exact;

	c = load(tls_cred_load, CHAIN, EC_KEY, NOW, &text);
	if (!CHECK(c != NULL))
		return;
	CHECK(tls_cred_ref(c) == c);
	tls_cred_unref(c);
	info = tls_cred_info(c);
	CHECK_SV(info->subject, "CN=a.example");
	CHECK_SV(info->issuer, "CN=intermediate,O=fugu tests");
	CHECK_SV(info->names, "a.example *.b.example xn--bcher-kva.example "
	    "192.0.2.7 2001:db8::1");
	CHECK_INT(info->not_before, 1577836800);
	CHECK_INT(info->not_after, 4733510400);
	CHECK(tls_cred_matches(c, SV("a.example"), &exact) && exact);
	CHECK(tls_cred_matches(c, SV("x.b.example"), &exact) && !exact);
	CHECK(tls_cred_matches(c, SV("192.0.2.7"), &exact) && exact);
	CHECK(!tls_cred_matches(c, SV("b.example"), &exact));
	parts = tls_cred_parts(c);
	der = der_of(CERT_INTER);
	CHECK_SVEQ(sv_make(parts->chain[1].data, parts->chain[1].data_len),
	    buf_sv(&der));
	tls_cred_unref(c);
	tls_cred_unref(NULL);
	buf_fini(&der);
	buf_fini(&text);
}

TEST(without_a_report)
{
	struct tls_cred	*c;

	CHECK_INT(tls_cred_load(&c, SV(CHAIN), SV(EC_KEY), NOW, NULL), 0);
	tls_cred_unref(c);
	CHECK_INT(tls_cred_load(&c, SV(CHAIN), SV(""), NOW, NULL), -1);
	CHECK(c == NULL);
}

/* ---- what is refused ---- */

#define ALLOWED	"it must be RSA of 2048 to 4096 bits, EC P-256 or EC P-384\n"

static const struct {
	const char	*chain, *key, *want;
} refused[] = {
	{ "", "", "!the certificate chain is empty\n"
	    "!the private key is empty\n" },
	{ EC_KEY, CHAIN, "!there is a private key where the certificate chain "
	    "belongs: are the two swapped?\n"
	    "!there is a certificate where the private key belongs: are the "
	    "two swapped?\n" },
	{ "0\x82", "0\x82", "!the certificate chain is DER, not PEM: convert "
	    "it with openssl x509 -inform der\n"
	    "!the private key is DER, not PEM: convert it with openssl pkey "
	    "-inform der\n" },
	{ "hello", "hello", "!the certificate chain holds no certificate "
	    "(-----BEGIN CERTIFICATE-----)\n"
	    "!there is no private key (-----BEGIN PRIVATE KEY-----)\n" },
	{ "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"
	    "-----END CERTIFICATE REQUEST-----\n", EC_KEY_PUBLIC,
	    "!there is a CERTIFICATE REQUEST where the certificate chain "
	    "belongs\n"
	    "!there is a public key where the private key belongs\n" },
	{ cut_chain, EC_KEY, "!the certificate chain is cut off in the middle "
	    "of a block\n" },
	{ bad_digits, EC_KEY, "!certificate 2 of the chain is not base 64\n" },
	{ bad_der, EC_KEY,
	    "!certificate 2 of the chain is cut off or malformed\n" },
	/* keys */
	{ CHAIN, "-----BEGIN PRIVATE KEY-----\nMII", "!the private key is "
	    "cut off in the middle of its block\n" },
	{ CHAIN, "-----BEGIN PRIVATE KEY-----\nMI*=\n"
	    "-----END PRIVATE KEY-----\n",
	    "!the private key is not base 64\n" },
	{ CHAIN, "-----BEGIN PRIVATE KEY-----\nMAA=\n"
	    "-----END PRIVATE KEY-----\n",
	    "!the private key is cut off or malformed\n" },
	{ CHAIN, EC_KEY_PKCS8_ENCRYPTED, "!the private key is encrypted: "
	    "decrypt it with openssl pkey -in old.pem -out new.pem\n" },
	{ CHAIN, EC_KEY_SEC1_ENCRYPTED, "!the private key is encrypted: "
	    "decrypt it with openssl pkey -in old.pem -out new.pem\n" },
	{ CHAIN, ED25519_KEY, "!the private key is Ed25519: " ALLOWED },
	{ CHAIN, P521_KEY, "!the private key is EC P-521: " ALLOWED },
	{ CHAIN, K256_KEY, "!the private key is EC, other curve: " ALLOWED },
	{ CHAIN, K256_KEY_SEC1,
	    "!the private key is EC, other curve: " ALLOWED },
	{ CHAIN, RSA1024_KEY, "!the private key is RSA 1024: " ALLOWED },
	{ CHAIN, RSA5120_KEY, "!the private key is RSA of more than 4096 "
	    "bits: " ALLOWED },
	{ CHAIN, RSA5120_KEY_PKCS1, "!the private key is RSA of more than "
	    "4096 bits: " ALLOWED },
	{ CHAIN, DSA_KEY, "!the private key is DSA: " ALLOWED },
	{ CHAIN, SSH_KEY, "!the private key is in OpenSSH's own format: "
	    ALLOWED },
	/* key and chain */
	{ CHAIN, INTER_KEY, "!the private key belongs to certificate 2 of the "
	    "chain (CN=intermediate,O=fugu tests): put the server's "
	    "certificate first, then its issuer's\n" },
	{ CERT_ROOT CERT_INTER CERT_LEAF, EC_KEY, "!the private key belongs "
	    "to certificate 3 of the chain (CN=a.example): put the server's "
	    "certificate first, then its issuer's\n" },
	{ CHAIN, ROOT_KEY, "!the private key does not belong to the "
	    "certificate (CN=a.example, EC P-256): one of the two is "
	    "another's or old\n" },
	{ AFTER(CERT_RSA), EC_KEY, "!the private key does not belong to the "
	    "certificate (CN=rsa.example, RSA 3072): one of the two is "
	    "another's or old\n" },
	{ CHAIN, P384_KEY, "!the private key does not belong to the "
	    "certificate (CN=a.example, EC P-256): one of the two is "
	    "another's or old\n" },
	{ CERT_LEAF CERT_ROOT, EC_KEY, "!certificate 2 of the chain "
	    "(CN=root,O=fugu tests) is not the issuer of certificate 1 "
	    "(CN=a.example), which is CN=intermediate,O=fugu tests: put the "
	    "server's certificate first, then its issuer's and so on\n" },
	/* certificates */
	{ AFTER(CERT_EXPIRED), EC_KEY, "!certificate 1 of the chain "
	    "(CN=expired.example) expired 2199 days ago, on 2020-01-01 00:00 "
	    "UTC: renew it\n" },
	{ AFTER(CERT_CA_LEAF), EC_KEY, "!the certificate (CN=ca.example) is a "
	    "CA's, not a server's\n" },
	{ AFTER(CERT_CLIENT), EC_KEY, "!the certificate (CN=client) is not "
	    "for servers (extended key usage)\n"
	    "the certificate (CN=client) has no names (subjectAltName): most "
	    "clients refuse it\n" },
	{ AFTER(CERT_RSA1024), RSA_KEY, "!the private key does not belong to "
	    "the certificate (CN=rsa1024.example, RSA 1024): one of the two "
	    "is another's or old\n"
	    "!the certificate's key (CN=rsa1024.example) is RSA 1024: "
	    ALLOWED },
	{ AFTER(CERT_ED25519), EC_KEY, "!the private key does not belong to "
	    "the certificate (CN=ed25519.example, Ed25519): one of the two "
	    "is another's or old\n"
	    "!the certificate's key (CN=ed25519.example) is Ed25519: "
	    ALLOWED },
	{ AFTER(CERT_P521), EC_KEY, "!the private key does not belong to "
	    "the certificate (CN=p521.example, EC P-521): one of the two "
	    "is another's or old\n"
	    "!the certificate's key (CN=p521.example) is EC P-521: "
	    ALLOWED },
};

TEST(sentences_for_what_is_wrong)
{
	struct buf	text = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&text);
		CHECK(load(tls_cred_load, refused[i].chain, refused[i].key,
		    NOW, &text) == NULL);
		CHECK_SV(buf_sv(&text), refused[i].want);
	}
	buf_fini(&text);
}

TEST(a_chain_that_is_a_bundle)
{
	struct buf	chain = BUF_INIT, text = BUF_INIT;
	size_t		i;

	for (i = 0; i < 10; i++)
		buf_puts(&chain, i == 0 ? CERT_SELF : CERT_ROOT);
	buf_putc(&chain, '\0');
	CHECK(load(tls_cred_load, chain.p, EC_KEY, NOW, &text) == NULL);
	CHECK(sv_starts(buf_sv(&text), SV("!certificate 2 of the chain ")));
	chain.n--;
	buf_puts(&chain, CERT_ROOT);
	buf_putc(&chain, '\0');
	buf_reset(&text);
	CHECK(load(tls_cred_load, chain.p, EC_KEY, NOW, &text) == NULL);
	CHECK_SV(buf_sv(&text), "!the certificate chain has more than 10 "
	    "certificates: is it a CA bundle?\n");
	buf_fini(&chain);
	buf_fini(&text);
}

static const struct {
	loader		*fn;
	const char	*chain;
	int64_t		 now;
	const char	*want;
} warned[] = {
	{ tls_cred_load, AFTER(CERT_FUTURE), NOW, "certificate 1 of the chain "
	    "(CN=future.example) is valid from 2100-01-01 00:00 UTC, but the "
	    "clock says 2026-01-08 00:00 UTC: is it right?\n" },
	{ tls_cred_load, CERT_LEAF, NOW, "the chain has only the certificate "
	    "(CN=a.example): who does not know its issuer "
	    "(CN=intermediate,O=fugu tests) refuses it, so add that one's "
	    "(fullchain.pem)\n" },
	{ tls_cred_load, CERT_SELF, NOW, "the certificate (CN=self.example) "
	    "has no names (subjectAltName): most clients refuse it\n"
	    "the certificate (CN=self.example) is self-signed: clients refuse "
	    "it unless told to trust it\n" },
	{ tls_cred_load, AFTER(CERT_NOSIGN), NOW, "the certificate "
	    "(CN=nosign.example) does not allow its key to sign (key usage): "
	    "many clients refuse it\n" },
	{ tls_cred_load, AFTER(CERT_SHA1), NOW, "certificate 1 of the chain "
	    "(CN=sha1.example) is signed with MD5 or SHA-1: most clients "
	    "refuse it\n" },
	{ tls_cred_load, CERT_LEAF CERT_OLD_INTER, NOW, "certificate 2 of the "
	    "chain (CN=intermediate,O=fugu tests) expired 2199 days ago, on "
	    "2020-01-01 00:00 UTC: renew it\n" },
	/* Valid from 2026-01-01 for 30 days: the last fifth are six. */
	{ tls_cred_load, AFTER(CERT_MONTH), 1769299200, "" },
	{ tls_cred_load, AFTER(CERT_MONTH), 1769299201, "the certificate "
	    "(CN=month.example) expires in 5 days, on 2026-01-31 00:00 UTC: "
	    "renew it\n" },
	{ tls_cred_load, AFTER(CERT_MONTH), 1769813999, "the certificate "
	    "(CN=month.example) expires in 1 hour, on 2026-01-31 00:00 UTC: "
	    "renew it\n" },
	/* For 60 days, of which the last fifth are twelve. */
	{ tls_cred_load, AFTER(CERT_SIXTY), 1771200000, "" },
	{ tls_cred_load, AFTER(CERT_SIXTY), 1771200001, "the certificate "
	    "(CN=sixty.example) expires in 13 days, on 2026-03-02 00:00 UTC: "
	    "renew it\n" },
	/* For six days: never has 14, and that is as it should be. */
	{ tls_cred_load, AFTER(CERT_WEEK), 1767400000, "" },
	/* For a hundred years, of which the last fifth is long. */
	{ tls_cred_load, CHAIN, 4102444800, "the certificate (CN=a.example) "
	    "expires in 7304 days, on 2120-01-01 00:00 UTC: renew it\n" },
	{ tls_cred_load_client, AFTER(CERT_CLIENT), NOW, "" },
	{ tls_cred_load_client, CHAIN, NOW, "" },
	{ tls_cred_load_client, CERT_SELF, NOW, "" },
};

TEST(sentences_for_what_is_doubtful)
{
	struct buf	 text = BUF_INIT;
	struct tls_cred	*c;
	size_t		 i;

	for (i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&text);
		c = load(warned[i].fn, warned[i].chain, EC_KEY, warned[i].now,
		    &text);
		CHECK(c != NULL);
		CHECK_SV(buf_sv(&text), warned[i].want);
		tls_cred_unref(c);
	}
	buf_reset(&text);
	CHECK(load(tls_cred_load_client, AFTER(CERT_SERVER), EC_KEY, NOW,
	    &text) == NULL);
	CHECK_SV(buf_sv(&text), "!the certificate (CN=server) is not for "
	    "clients (extended key usage)\n");
	buf_fini(&text);
}

/* As openssl req -x509 makes them, who does not ask for more. */
TEST(a_root_for_a_server)
{
	struct buf	 text = BUF_INIT;
	struct tls_cred	*c;

	c = load(tls_cred_load, CERT_ROOT, ROOT_KEY, NOW, &text);
	CHECK(c != NULL);
	tls_cred_unref(c);
	CHECK_SV(buf_sv(&text), "the certificate (CN=root,O=fugu tests) does "
	    "not allow its key to sign (key usage): many clients refuse it\n"
	    "the certificate (CN=root,O=fugu tests) has no names "
	    "(subjectAltName): most clients refuse it\n"
	    "the certificate (CN=root,O=fugu tests) is self-signed: clients "
	    "refuse it unless told to trust it\n");
	buf_fini(&text);
}

/* The day it ends: the last second is still valid. */
TEST(the_last_second)
{
	struct buf	 text = BUF_INIT;
	struct tls_cred	*c;

	c = load(tls_cred_load, AFTER(CERT_MONTH), EC_KEY, 1769817600, &text);
	CHECK(c != NULL);
	tls_cred_unref(c);
	buf_reset(&text);
	CHECK(load(tls_cred_load, AFTER(CERT_MONTH), EC_KEY, 1769817601,
	    &text) == NULL);
	CHECK_SV(buf_sv(&text), "!certificate 1 of the chain "
	    "(CN=month.example) expired 0 hours ago, on 2026-01-31 00:00 UTC: "
	    "renew it\n");
	buf_fini(&text);
}

/* ---- a key of which something is wrong ---- */

/* BearSSL reads from the first prime on; before stand the modulus and both
 * exponents, of which it wants no more than the sizes. */
#define FIRST_PRIME	789

TEST(an_rsa_key_with_a_byte_changed)
{
	struct buf	 pem = BUF_INIT, der = der_of(RSA_KEY_PKCS1);
	struct tls_cred	*c;
	size_t		 i;

	/* Not each of 1,800: a signature takes a while. */
	for (i = 1; i < der.n; i += 37) {
		test_note("byte %zu", i);
		der.p[i] ^= 0x10;
		buf_reset(&pem);
		pem_write(&pem, "RSA PRIVATE KEY", buf_sv(&der));
		CHECK(tls_cred_load(&c, SV(AFTER(CERT_RSA)), buf_sv(&pem),
		    NOW, NULL) == -1 || i < FIRST_PRIME);
		tls_cred_unref(c);
		der.p[i] ^= 0x10;
	}
	buf_fini(&pem);
	buf_fini(&der);
}

TEST(a_key_cut_off_at_every_byte)
{
	struct buf	 pem = BUF_INIT, der = der_of(EC_KEY);
	struct tls_cred	*c;
	size_t		 n;

	for (n = 0; n < der.n; n++) {
		test_note("%zu bytes", n);
		buf_reset(&pem);
		pem_write(&pem, "PRIVATE KEY", sv_make(der.p, n));
		CHECK_INT(tls_cred_load(&c, SV(CHAIN), buf_sv(&pem), NOW,
		    NULL), -1);
	}
	buf_fini(&pem);
	buf_fini(&der);
}

/* ---- describing ---- */

TEST(descriptions)
{
	struct buf	out = BUF_INIT;

	tls_cred_describe(SV(CHAIN), SV(EC_KEY), NOW, &out);
	CHECK_SV(buf_sv(&out),
	    "certificate 1: CN=a.example\n"
	    "  names: a.example *.b.example xn--bcher-kva.example 192.0.2.7 "
	    "2001:db8::1\n"
	    "  issuer: CN=intermediate,O=fugu tests\n"
	    "  key: EC P-256, of the private key\n"
	    "  valid: 2020-01-01 00:00 UTC to 2120-01-01 00:00 UTC, 34325 "
	    "days left\n"
	    "certificate 2: CN=intermediate,O=fugu tests\n"
	    "  issuer: CN=root,O=fugu tests\n"
	    "  key: EC P-256\n"
	    "  valid: 2020-01-01 00:00 UTC to 2120-01-01 00:00 UTC, 34325 "
	    "days left\n");
	buf_reset(&out);
	tls_cred_describe(SV(CERT_EXPIRED), SV(P384_KEY), NOW, &out);
	CHECK_SV(buf_sv(&out),
	    "certificate 1: CN=expired.example\n"
	    "  names: a.example\n"
	    "  issuer: CN=intermediate,O=fugu tests\n"
	    "  key: EC P-256, not of the private key\n"
	    "  valid: 2019-01-01 00:00 UTC to 2020-01-01 00:00 UTC, expired "
	    "2199 days ago\n");
	buf_reset(&out);
	tls_cred_describe(SV("x"), SV(""), NOW, &out);
	CHECK_SV(buf_sv(&out), "no certificate\n");
	buf_reset(&out);
	tls_cred_describe(sv_from(bad_der), SV(""), NOW, &out);
	CHECK(sv_ends(buf_sv(&out), SV("certificate 2: malformed\n")));
	buf_fini(&out);
}

/* ---- without memory ---- */

static bool
sweep_load(void)
{
	struct tls_cred	*c;
	int		 rc;

	rc = tls_cred_load(&c, SV(CHAIN), SV(EC_KEY), NOW, NULL);
	CHECK((rc == 0) == (c != NULL));
	tls_cred_unref(c);
	return rc == 0;
}

static bool
sweep_describe(void)
{
	struct buf	out = BUF_INIT;
	bool		ok;

	tls_cred_describe(SV(CHAIN), SV(EC_KEY), NOW, &out);
	ok = !out.failed && alloc_failed() == 0;
	buf_fini(&out);
	return ok;
}

TEST(without_memory)
{
	struct buf	text = BUF_INIT;

	ALLOC_SWEEP(sweep_load);
	ALLOC_SWEEP(sweep_describe);
	buf_reserve(&text, 4096);
	alloc_fail_from(1);
	CHECK(load(tls_cred_load, CHAIN, EC_KEY, NOW, &text) == NULL);
	alloc_fail_at(0);
	CHECK_SV(buf_sv(&text), "!out of memory\n");
	buf_fini(&text);
}

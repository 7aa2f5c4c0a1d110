/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Certificates read: what another implementation wrote, cut off at every
 * byte, with every byte changed, and names that are hard to write or match.
 */
#include "tests/unit/tls_certs.h"
#include "tests/unit/tls_pem.h"
#include "util/der.h"
#include "tls/x509.h"

#define DN_MAX	1000

static const struct {
	const char	*pem, *subject, *key, *names;
	int		 key_type;
	bool		 is_ca, may_sign, weak;
	unsigned	 purposes;
} certs[] = {
	{ CERT_ROOT, "CN=root,O=fugu tests", "EC P-256", "", BR_KEYTYPE_EC,
	    true, false, false, 3 },
	{ CERT_LEAF, "CN=a.example", "EC P-256", "a.example *.b.example "
	    "xn--bcher-kva.example 192.0.2.7 2001:db8::1", BR_KEYTYPE_EC,
	    false, true, false, 3 },
	{ CERT_RSA, "CN=rsa.example", "RSA 3072", "a.example",
	    BR_KEYTYPE_RSA, false, true, false, 3 },
	{ CERT_P384, "CN=p384.example", "EC P-384", "a.example",
	    BR_KEYTYPE_EC, false, true, false, 3 },
	{ CERT_P521, "CN=p521.example", "EC P-521", "a.example",
	    BR_KEYTYPE_EC, false, true, false, 3 },
	{ CERT_K256, "CN=k256.example", "EC, other curve", "a.example", 0,
	    false, true, false, 3 },
	{ CERT_ED25519, "CN=ed25519.example", "Ed25519", "a.example", 0,
	    false, true, false, 3 },
	{ CERT_CLIENT, "CN=client", "EC P-256", "", BR_KEYTYPE_EC,
	    false, true, false, X509_FOR_CLIENT },
	{ CERT_SERVER, "CN=server", "EC P-256", "a.example", BR_KEYTYPE_EC,
	    false, true, false, X509_FOR_SERVER },
	{ CERT_NOSIGN, "CN=nosign.example", "EC P-256", "a.example",
	    BR_KEYTYPE_EC, false, false, false, 3 },
	{ CERT_SHA1, "CN=sha1.example", "EC P-256", "a.example",
	    BR_KEYTYPE_EC, false, true, true, 3 },
	{ CERT_X1, "CN=ISRG Root X1,O=Internet Security Research Group,C=US",
	    "RSA 4096", "", BR_KEYTYPE_RSA, true, false, false, 3 },
};

static struct sv
dn_text(struct buf *b, struct sv dn)
{
	buf_reset(b);
	CHECK_INT(x509_name_put(b, dn, DN_MAX), 0);
	return buf_sv(b);
}

TEST(certificates_of_every_kind)
{
	struct buf	der, text = BUF_INIT;
	struct x509	x;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		test_note("%s", certs[i].subject);
		der = der_of(certs[i].pem);
		CHECK_INT(x509_read(&x, buf_sv(&der), &why), 0);
		CHECK(why == NULL);
		CHECK_SV(dn_text(&text, x.subject), certs[i].subject);
		CHECK_STR(x.key_name, certs[i].key);
		CHECK_INT(x.key.key_type, certs[i].key_type);
		buf_reset(&text);
		x509_names_put(&text, &x, DN_MAX);
		CHECK_SV(buf_sv(&text), certs[i].names);
		CHECK(x.is_ca == certs[i].is_ca);
		CHECK(x.may_sign == certs[i].may_sign);
		CHECK(x.weak_hash == certs[i].weak);
		CHECK(x.has_extensions);
		CHECK_INT(x.purposes, certs[i].purposes);
		CHECK(x509_is_self_signed(&x) == (x.is_ca));
		buf_fini(&der);
	}
	buf_fini(&text);
}

TEST(parts_of_a_certificate)
{
	struct buf	der = der_of(CERT_LEAF), text = BUF_INIT;
	struct x509	x;
	const char	*why;

	CHECK_INT(x509_read(&x, buf_sv(&der), &why), 0);
	CHECK_INT(x.not_before, 1577836800);
	CHECK_INT(x.not_after, 4733510400);
	CHECK_SVEQ(x.serial, SV("\x10\x02"));
	CHECK_SV(dn_text(&text, x.issuer), "CN=intermediate,O=fugu tests");
	CHECK_INT(x.signer, BR_KEYTYPE_EC);
	CHECK_INT(x.key.key.ec.curve, BR_EC_secp256r1);
	CHECK_INT(x.key.key.ec.qlen, 65);
	buf_fini(&der);
	der = der_of(CERT_X1);
	CHECK_INT(x509_read(&x, buf_sv(&der), &why), 0);
	CHECK_INT(x.signer, BR_KEYTYPE_RSA);
	CHECK_INT(x.key.key.rsa.nlen, 512);
	CHECK_SVEQ(sv_make(x.key.key.rsa.e, x.key.key.rsa.elen), SV("\1\0\1"));
	buf_fini(&der);
	buf_fini(&text);
}

/* Whatever is in it can be used without leaving it. */
static void
use(const struct x509 *x)
{
	struct buf	b = BUF_INIT;

	x509_name_put(&b, x->subject, DN_MAX);
	x509_name_put(&b, x->issuer, DN_MAX);
	x509_names_put(&b, x, DN_MAX);
	x509_matches(x, SV("www.b.example"), NULL);
	CHECK(!x509_matches(x, SV("other.example"), NULL));
	buf_fini(&b);
}

TEST(cut_off_at_every_byte)
{
	struct buf	der = der_of(CERT_LEAF);
	struct x509	x;
	const char	*why;
	char		*p;
	size_t		n;

	for (n = 0; n < der.n; n++) {
		test_note("%zu bytes", n);
		p = guard_dup(sv_make(der.p, n));
		CHECK_INT(x509_read(&x, sv_make(p, n), &why), -1);
		CHECK_STR(why, "is cut off or malformed");
		CHECK(x.subject.n == 0 && x.key.key_type == 0);
		guard_free(p);
	}
	buf_putc(&der, 0);
	CHECK_INT(x509_read(&x, buf_sv(&der), &why), -1);
	buf_fini(&der);
}

TEST(every_byte_changed)
{
	static const char	*const pems[] = { CERT_LEAF, CERT_RSA };
	struct buf		 der;
	struct x509		 x;
	const char		*why;
	char			*p;
	size_t			 i, k, bit;

	for (k = 0; k < 2; k++) {
		der = der_of(pems[k]);
		p = guard_dup(buf_sv(&der));
		for (i = 0; i < der.n; i++)
			for (bit = 0; bit < 8; bit++) {
				p[i] ^= (char)(1 << bit);
				if (x509_read(&x, sv_make(p, der.n),
				    &why) == 0)
					use(&x);
				p[i] = der.p[i];
			}
		guard_free(p);
		buf_fini(&der);
	}
}

#define RSA_WITH(hash)	SV_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01" hash)

static const struct {
	struct sv	 signature, extensions, tail;
	int		 rc;
	bool		 weak, extended, is_ca;
} made[] = {
	{ RSA_WITH("\x04"), SV_INIT(""), SV_INIT(""), 0, true, false, false },
	{ RSA_WITH("\x05"), SV_INIT(""), SV_INIT(""), 0, true, false, false },
	{ RSA_WITH("\x0b"), SV_INIT(""), SV_INIT(""), 0, false, false,
	    false },
	/* Unique identifiers, and no extensions in their place. */
	{ RSA_WITH("\x0b"), SV_INIT("\x81\x02\0x\x82\x02\0x\xa3\x02\x30\0"),
	    SV_INIT(""), 0, false, true, false },
	/* cA TRUE, FALSE written out, and left out */
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55"
	    "\x1d\x13\x04\x05\x30\x03\x01\x01\xff"), SV_INIT(""), 0, false,
	    true, true },
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55"
	    "\x1d\x13\x04\x05\x30\x03\x01\x01\0"), SV_INIT(""), 0, false,
	    true, false },
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55"
	    "\x1d\x13\x04\x02\x30\0"), SV_INIT(""), 0, false, true, false },
	/* A purpose that is none, and what there is too much of. */
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x0f\x30\x0d\x30\x0b\x06\x03\x55"
	    "\x1d\x25\x04\x04\x30\x02\x05\0"), SV_INIT(""), -1, false, false,
	    false },
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x02\x30\0\x05\0"), SV_INIT(""), -1,
	    false, false, false },
	{ RSA_WITH("\x0b"), SV_INIT("\xa3\x04\x30\0\x05\0"), SV_INIT(""), -1,
	    false, false, false },
	{ RSA_WITH("\x0b"), SV_INIT(""), SV_INIT("\x05\0"), -1, false, false,
	    false },
};

TEST(certificates_of_odd_shapes)
{
	struct buf	der;
	struct x509	x;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		test_note("row %zu", i);
		der = make_cert(made[i].signature, made[i].extensions,
		    made[i].tail);
		CHECK_INT(x509_read(&x, buf_sv(&der), &why), made[i].rc);
		CHECK(x.weak_hash == made[i].weak);
		CHECK(x.has_extensions == made[i].extended);
		CHECK(x.is_ca == made[i].is_ca);
		buf_fini(&der);
	}
}

/* ---- distinguished names ---- */

TEST(names_as_text)
{
	struct buf	der = der_of(CERT_ODD), text = BUF_INIT;
	struct x509	x;
	const char	*why;

	CHECK_INT(x509_read(&x, buf_sv(&der), &why), 0);
	CHECK_SV(dn_text(&text, x.subject),
	    "emailAddress=m@a.example,CN=\xc3\xbc\\01+UID=u,OU=\\#2,"
	    "OU=\\ #1\\ ,O=A\\, B / \\\"C\\\" \\<x\\>\\;\\\\=,C=DE");
	buf_fini(&der);
	buf_fini(&text);
}

static void
put_attribute(struct buf *b, struct sv oid, struct sv value)
{
	size_t	set = der_begin(b, DER_SET);
	size_t	seq = der_begin(b, DER_SEQUENCE);

	der_put(b, DER_OID, oid);
	der_put(b, DER_UTF8, value);
	der_end(b, seq);
	der_end(b, set);
}

static struct buf
make_dn(struct sv oid, struct sv value, size_t times)
{
	struct buf	b = BUF_INIT;
	size_t		dn = der_begin(&b, DER_SEQUENCE);

	while (times-- > 0)
		put_attribute(&b, oid, value);
	der_end(&b, dn);
	return b;
}

static const struct {
	struct sv	 oid, value;
	size_t		 times, max;
	int		 rc;
	const char	*text;
} dns[] = {
	{ SV_INIT("\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01"), SV_INIT("y"), 1,
	    100, 0, "1.3.6.1.4.1.99999.1=y" },
	{ SV_INIT("\x88\x37\x03"), SV_INIT("y"), 1, 100, 0, "2.999.3=y" },
	{ SV_INIT("\x01\x02"), SV_INIT("y"), 1, 100, 0, "0.1.2=y" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT(""), 1, 100, 0, "CN=" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("a\0b\xff\n\x7f"), 1, 100, 0,
	    "CN=a\\00b\\FF\\0A\\7F" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("a+b"), 1, 100, 0, "CN=a\\+b" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("x"), 0, 100, 0, "" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("abc"), 3, 20, 0,
	    "CN=abc,CN=abc,CN=abc" },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("abc"), 3, 19, -1,
	    "CN=abc,CN=abc,..." },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("abcdef"), 1, 5, -1, "..." },
	{ SV_INIT(OID_COMMON_NAME), SV_INIT("x"), 33, 1000, -1, "..." },
};

TEST(unusual_names)
{
	struct buf	dn, text = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(dns) / sizeof(dns[0]); i++) {
		test_note("row %zu", i);
		dn = make_dn(dns[i].oid, dns[i].value, dns[i].times);
		buf_reset(&text);
		buf_puts(&text, "kept ");
		CHECK_INT(x509_name_put(&text, buf_sv(&dn), dns[i].max),
		    dns[i].rc);
		CHECK_SV(sv_skip(buf_sv(&text), 5), dns[i].text);
		buf_fini(&dn);
	}
	buf_reset(&text);
	CHECK_INT(x509_name_put(&text, SV("\x30\x02\x31"), 100), -1);
	CHECK_SV(buf_sv(&text), "...");
	buf_fini(&text);
}

TEST(common_name_of_a_text)
{
	static const struct {
		const char	*text;
		struct sv	 name;
	} rows[] = {
		{ "CN=a", SV_INIT("a") },
		{ "CN=a,CN=b", SV_INIT("a") },
		{ "O=x,CN=a+UID=u,C=DE", SV_INIT("a") },
		{ "UID=u+CN=a", SV_INIT("a") },
		{ "O=x\\,CN=a", SV_INIT("") },
		{ "O=x\\2CCN=a\\,,CN=b", SV_INIT("b") },
		{ "CN=\\ a\\,b\\+\\\\c\\0A\\FF\\00d\\ ",
		    SV_INIT(" a,b+\\c\n\xff\0d ") },
		{ "1.2.3CN=a,SCN=b", SV_INIT("") },
		{ "CN=", SV_INIT("") },
		{ "", SV_INIT("") },
		{ "CN=a\\", SV_INIT("a\\") },
	};
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].text);
		buf_reset(&b);
		buf_puts(&b, "kept ");
		x509_name_cn(&b, sv_from(rows[i].text));
		CHECK_INT(b.n, rows[i].name.n + 5);
		CHECK(sv_eq(sv_skip(buf_sv(&b), 5), rows[i].name));
	}
	buf_fini(&b);
}

/* ---- names of hosts ---- */

static const struct {
	const char	*name, *host;
	bool		 matches, exact;
} hosts[] = {
	{ "a.example", "a.example", true, true },
	{ "a.example", "A.Example", true, true },
	{ "A.EXAMPLE", "a.example", true, true },
	{ "a.example", "a.example.", true, true },
	{ "a.example.", "a.example", true, true },
	{ "a.example", "a.example..", false, false },
	{ "a.example", "b.example", false, false },
	{ "a.example", "www.a.example", false, false },
	{ "a.example", "a.exampl", false, false },
	{ "a.example", "", false, false },
	{ "", "", false, false },
	{ "", ".", false, false },
	{ "*.a.example", "www.a.example", true, false },
	{ "*.A.example", "WWW.a.Example.", true, false },
	{ "*.a.example", "a.example", false, false },
	{ "*.a.example", ".a.example", false, false },
	{ "*.a.example", "x.www.a.example", false, false },
	{ "*.a.example", "*.a.example", true, false },
	{ "*.example", "a.example", true, false },
	{ "*", "example", false, false },
	{ "*.", "example", false, false },
	{ "w*.a.example", "www.a.example", false, false },
	{ "www.*.example", "www.a.example", false, false },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example", true, true },
	{ "b\xc3\xbc" "cher.example", "xn--bcher-kva.example", false, false },
	{ "192.0.2.7", "192.0.2.7", false, false },
	{ "*.0.2.7", "192.0.2.7", false, false },
	{ "::1", "::1", false, false },
};

static struct x509
with_name(struct buf *b, unsigned tag, struct sv name)
{
	struct x509	x = { 0 };

	buf_reset(b);
	der_put(b, DER_IMPLICIT(1), SV("mail@a.example"));
	der_put(b, tag, name);
	x.names = buf_sv(b);
	return x;
}

TEST(hosts_match)
{
	struct buf	b = BUF_INIT;
	struct x509	x;
	char		*p;
	size_t		i;
	bool		exact;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		test_note("%s for %s", hosts[i].name, hosts[i].host);
		x = with_name(&b, DER_IMPLICIT(2), sv_from(hosts[i].name));
		p = guard_dup(sv_from(hosts[i].host));
		CHECK(x509_matches(&x, sv_make(p, strlen(hosts[i].host)),
		    &exact) == hosts[i].matches);
		CHECK(exact == hosts[i].exact);
		guard_free(p);
	}
	x = with_name(&b, DER_IMPLICIT(2), SV("a.example\0.b.example"));
	CHECK(!x509_matches(&x, SV("a.example"), NULL));
	buf_reset(&b);
	der_put(&b, DER_IMPLICIT(2), SV("*.a.example"));
	der_put(&b, DER_IMPLICIT(2), SV("www.a.example"));
	x.names = buf_sv(&b);
	CHECK(x509_matches(&x, SV("www.a.example"), &exact) && exact);
	CHECK(x509_matches(&x, SV("ftp.a.example"), &exact) && !exact);
	buf_fini(&b);
}

TEST(addresses_match)
{
	struct buf	b = BUF_INIT;
	struct x509	x;
	bool		exact;

	x = with_name(&b, DER_IMPLICIT(7), SV("\xc0\x00\x02\x07"));
	CHECK(x509_matches(&x, SV("192.0.2.7"), &exact) && exact);
	CHECK(!x509_matches(&x, SV("192.0.2.70"), NULL));
	CHECK(!x509_matches(&x, SV("192.0.2.7\0x"), NULL));
	CHECK(!x509_matches(&x, SV("::ffff:192.0.2.7"), NULL));
	CHECK(!x509_matches(&x, SV("a.example"), NULL));
	x = with_name(&b, DER_IMPLICIT(7),
	    SV("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
	CHECK(x509_matches(&x, SV("2001:db8::1"), NULL));
	CHECK(x509_matches(&x, SV("2001:DB8:0:0::1"), NULL));
	CHECK(!x509_matches(&x, SV("2001:db8::2"), NULL));
	x = with_name(&b, DER_IMPLICIT(7), SV("\xc0\x00\x02\x07\x00"));
	CHECK(!x509_matches(&x, SV("192.0.2.7"), NULL));
	buf_fini(&b);
}

TEST(lists_of_names)
{
	struct buf	b = BUF_INIT, text = BUF_INIT;
	struct x509	x = { 0 };

	der_put(&b, DER_IMPLICIT(2), SV("a b,c"));
	der_put(&b, DER_IMPLICIT(7), SV("\x7f\0\0\1"));
	der_put(&b, DER_IMPLICIT(2), SV("d.example"));
	x.names = buf_sv(&b);
	x509_names_put(&text, &x, 100);
	CHECK_SV(buf_sv(&text), "a\\20b\\,c 127.0.0.1 d.example");
	buf_reset(&text);
	x509_names_put(&text, &x, 20);
	CHECK_SV(buf_sv(&text), "a\\20b\\,c 127.0.0.1 ...");
	buf_reset(&text);
	x509_names_put(&text, &x, 3);
	CHECK_SV(buf_sv(&text), "...");
	buf_fini(&b);
	buf_fini(&text);
}

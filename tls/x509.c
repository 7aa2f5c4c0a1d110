/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Certificates: see x509.h.
 */
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "util/der.h"
#include "tls/x509.h"
#include "util/utf8.h"

#define RDN_MAX		32	/* parts of a name */
#define IP_TEXT		64	/* longer is no IP address */

/* ---- keys ---- */

static const struct {
	struct sv	 oid;
	int		 curve;		/* 0: not an elliptic curve of ours */
	const char	*name;
} kinds[] = {
	{ SV_INIT(OID_RSA), 0, "RSA" },
	{ SV_INIT(OID_P256), BR_EC_secp256r1, "EC P-256" },
	{ SV_INIT(OID_P384), BR_EC_secp384r1, "EC P-384" },
	{ SV_INIT(OID_P521), BR_EC_secp521r1, "EC P-521" },
	{ SV_INIT("\x2b\x65\x70"), 0, "Ed25519" },
	{ SV_INIT("\x2b\x65\x71"), 0, "Ed448" },
	{ SV_INIT("\x2a\x86\x48\xce\x38\x04\x01"), 0, "DSA" },
	{ SV_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), 0, "RSA-PSS" },
};

static unsigned
bit_length(struct sv s)
{
	unsigned char	top = s.n == 0 ? 0 : (unsigned char)s.p[0];
	unsigned	bits = (unsigned)s.n * 8;

	for (; bits > 0 && !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

static int
read_rsa(struct x509 *x, struct sv bits)
{
	struct sv	seq, n, e;

	if (der_get(&bits, DER_SEQUENCE, &seq) == -1 ||
	    der_get_unsigned(&seq, &n) == -1 ||
	    der_get_unsigned(&seq, &e) == -1 || n.n == 0 || e.n == 0)
		return -1;
	x->key_bits = bit_length(n);
	snprintf(x->key_name, sizeof(x->key_name), "RSA %u", x->key_bits);
	x->key.key_type = BR_KEYTYPE_RSA;
	x->key.key.rsa = (br_rsa_public_key){
		.n = (unsigned char *)n.p, .nlen = n.n,
		.e = (unsigned char *)e.p, .elen = e.n
	};
	return 0;
}

/* see x509.h */
const char *
x509_key_kind(struct sv alg, int *curve)
{
	struct sv	oid, named = { NULL, 0 };
	size_t		i;

	*curve = 0;
	if (der_get(&alg, DER_OID, &oid) == -1)
		return "malformed";
	if (sv_eq(oid, SV(OID_EC)) && der_get(&alg, DER_OID, &named) == 0)
		oid = named;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (sv_eq(oid, kinds[i].oid)) {
			*curve = kinds[i].curve;
			return kinds[i].name;
		}
	return named.n > 0 || sv_eq(oid, SV(OID_EC)) ? "EC, other curve" :
	    "unknown";
}

/* SubjectPublicKeyInfo ::= SEQUENCE { AlgorithmIdentifier, BIT STRING } */
static int
read_key(struct x509 *x, struct sv spki)
{
	struct sv	alg, bits;
	const char	*kind;
	int		 curve;

	if (der_get(&spki, DER_SEQUENCE, &alg) == -1 ||
	    der_get_bits(&spki, &bits) == -1)
		return -1;
	kind = x509_key_kind(alg, &curve);
	if (strcmp(kind, "RSA") == 0)
		return read_rsa(x, bits);
	sv_copy(x->key_name, sizeof(x->key_name), sv_from(kind));
	/* Only points that are not compressed. */
	if (curve != 0 && bits.n > 0 && bits.p[0] == 4) {
		x->key.key_type = BR_KEYTYPE_EC;
		x->key.key.ec = (br_ec_public_key){
			.curve = curve,
			.q = (unsigned char *)bits.p, .qlen = bits.n
		};
	}
	return 0;
}

/* Which kind of key signed it, and whether with a hash that is broken. */
static void
read_signature(struct x509 *x, struct sv oid)
{
	static const struct sv	pkcs1 =
	    SV_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01"),
	    ecdsa = SV_INIT("\x2a\x86\x48\xce\x3d\x04");
	unsigned char		last;

	if (oid.n == 0)
		return;
	last = (unsigned char)oid.p[oid.n - 1];
	if (sv_starts(oid, pkcs1)) {
		x->signer = BR_KEYTYPE_RSA;
		x->weak_hash = last >= 2 && last <= 5;
	} else if (sv_starts(oid, ecdsa)) {
		x->signer = BR_KEYTYPE_EC;
		x->weak_hash = last == 1;
	}
}

/* ---- extensions ---- */

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... } */
static int
read_constraints(struct x509 *x, struct sv s)
{
	struct sv	seq, ca;

	if (der_get(&s, DER_SEQUENCE, &seq) == -1)
		return -1;
	x->is_ca = der_get(&seq, DER_BOOLEAN, &ca) == 0 && ca.n == 1 &&
	    ca.p[0] != 0;
	return 0;
}

/* KeyUsage ::= BIT STRING { digitalSignature (0), ... } */
static int
read_key_usage(struct x509 *x, struct sv s)
{
	struct sv	bits;

	if (der_get(&s, DER_BITS, &bits) == -1)
		return -1;
	x->may_sign = bits.n > 1 && bits.p[1] & 0x80;
	return 0;
}

/* ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER */
static int
read_purposes(struct x509 *x, struct sv s)
{
	struct sv	seq, oid;

	if (der_get(&s, DER_SEQUENCE, &seq) == -1)
		return -1;
	x->purposes = 0;
	while (der_get(&seq, DER_OID, &oid) == 0) {
		if (sv_eq(oid, SV("\x2b\x06\x01\x05\x05\x07\x03\x01")))
			x->purposes |= X509_FOR_SERVER;
		if (sv_eq(oid, SV("\x2b\x06\x01\x05\x05\x07\x03\x02")))
			x->purposes |= X509_FOR_CLIENT;
		if (sv_eq(oid, SV("\x55\x1d\x25\x00")))
			x->purposes |= X509_FOR_SERVER | X509_FOR_CLIENT;
	}
	return seq.n == 0 ? 0 : -1;
}

/* Extension ::= SEQUENCE { OBJECT IDENTIFIER, critical BOOLEAN DEFAULT
 * FALSE, OCTET STRING } */
static int
read_extension(struct x509 *x, struct sv ext)
{
	struct sv	oid, critical, value;

	if (der_get(&ext, DER_OID, &oid) == -1 ||
	    (der_is(ext, DER_BOOLEAN) &&
	    der_get(&ext, DER_BOOLEAN, &critical) == -1) ||
	    der_get(&ext, DER_OCTETS, &value) == -1)
		return -1;
	if (sv_eq(oid, SV(OID_BASIC_CONSTRAINTS)))
		return read_constraints(x, value);
	if (sv_eq(oid, SV(OID_KEY_USAGE)))
		return read_key_usage(x, value);
	if (sv_eq(oid, SV(OID_EXT_KEY_USAGE)))
		return read_purposes(x, value);
	if (sv_eq(oid, SV(OID_SUBJECT_ALT_NAME)))
		return der_get(&value, DER_SEQUENCE, &x->names);
	return 0;
}

static int
read_extensions(struct x509 *x, struct sv tbs)
{
	struct sv	skipped, list, seq, ext;
	unsigned	tag;

	/* Unique identifiers: nobody has them. */
	while (der_is(tbs, DER_IMPLICIT(1)) || der_is(tbs, DER_IMPLICIT(2)))
		if (der_get_any(&tbs, &tag, &skipped) == -1)
			return -1;
	if (tbs.n == 0)
		return 0;
	x->has_extensions = true;
	if (der_get(&tbs, DER_CONTEXT(3), &list) == -1 || tbs.n > 0 ||
	    der_get(&list, DER_SEQUENCE, &seq) == -1 || list.n > 0)
		return -1;
	while (seq.n > 0)
		if (der_get(&seq, DER_SEQUENCE, &ext) == -1 ||
		    read_extension(x, ext) == -1)
			return -1;
	return 0;
}

/* TBSCertificate ::= SEQUENCE { [0] version, serial INTEGER, signature,
 * issuer, validity, subject, SubjectPublicKeyInfo, ..., [3] extensions } */
static int
read_tbs(struct x509 *x, struct sv tbs)
{
	struct sv	version, alg, oid, validity, spki;

	if (der_is(tbs, DER_CONTEXT(0)) &&
	    der_get(&tbs, DER_CONTEXT(0), &version) == -1)
		return -1;
	if (der_get(&tbs, DER_INTEGER, &x->serial) == -1 ||
	    der_get(&tbs, DER_SEQUENCE, &alg) == -1 ||
	    der_get(&alg, DER_OID, &oid) == -1 ||
	    der_get_whole(&tbs, DER_SEQUENCE, &x->issuer) == -1 ||
	    der_get(&tbs, DER_SEQUENCE, &validity) == -1 ||
	    der_get_time(&validity, &x->not_before) == -1 ||
	    der_get_time(&validity, &x->not_after) == -1 ||
	    der_get_whole(&tbs, DER_SEQUENCE, &x->subject) == -1 ||
	    der_get(&tbs, DER_SEQUENCE, &spki) == -1 ||
	    read_key(x, spki) == -1)
		return -1;
	read_signature(x, oid);
	return read_extensions(x, tbs);
}

/* see x509.h */
int
x509_read(struct x509 *x, struct sv der, const char **why)
{
	struct sv	cert, tbs, alg, signature;

	*x = (struct x509){
		.may_sign = true,
		.purposes = X509_FOR_SERVER | X509_FOR_CLIENT
	};
	*why = NULL;
	if (der_get(&der, DER_SEQUENCE, &cert) == 0 && der.n == 0 &&
	    der_get(&cert, DER_SEQUENCE, &tbs) == 0 &&
	    der_get(&cert, DER_SEQUENCE, &alg) == 0 &&
	    der_get_bits(&cert, &signature) == 0 && cert.n == 0 &&
	    read_tbs(x, tbs) == 0)
		return 0;
	*x = (struct x509){ 0 };
	*why = "is cut off or malformed";
	return -1;
}

/* see x509.h */
bool
x509_is_self_signed(const struct x509 *x)
{
	return sv_eq(x->issuer, x->subject);
}

/* ---- distinguished names as text ---- */

/* RFC 4514, 2.4; blanks: also those inside, which would divide names. What is
 * not UTF-8 is escaped byte by byte. */
static void
put_escaped(struct buf *out, struct sv s, bool blanks)
{
	bool		utf8 = utf8_valid(s);
	size_t		i;
	unsigned char	c;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8) ||
		    (c == ' ' && blanks)) {
			buf_printf(out, "\\%02X", c);
			continue;
		}
		if (strchr(",+\"\\<>;", c) != NULL ||
		    (c == '#' && i == 0) ||
		    (c == ' ' && (i == 0 || i == s.n - 1)))
			buf_putc(out, '\\');
		buf_putc(out, (char)c);
	}
}

static void
put_oid(struct buf *out, struct sv oid)
{
	uint64_t	v = 0;
	size_t		i;
	bool		first = true;

	for (i = 0; i < oid.n; i++) {
		v = v << 7 | ((unsigned char)oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			buf_putu64(out, v < 80 ? v / 40 : 2);
			v = v < 80 ? v % 40 : v - 80;
		}
		buf_putc(out, '.');
		buf_putu64(out, v);
		first = false;
		v = 0;
	}
}

static void
put_type(struct buf *out, struct sv oid)
{
	static const struct {
		struct sv	 oid;
		const char	*name;
	} types[] = {
		{ SV_INIT(OID_COMMON_NAME), "CN" },
		{ SV_INIT("\x55\x04\x05"), "serialNumber" },
		{ SV_INIT("\x55\x04\x06"), "C" },
		{ SV_INIT("\x55\x04\x07"), "L" },
		{ SV_INIT("\x55\x04\x08"), "ST" },
		{ SV_INIT("\x55\x04\x09"), "STREET" },
		{ SV_INIT("\x55\x04\x0a"), "O" },
		{ SV_INIT("\x55\x04\x0b"), "OU" },
		{ SV_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "DC" },
		{ SV_INIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "UID" },
		{ SV_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"),
		    "emailAddress" },
	};
	size_t	i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (sv_eq(oid, types[i].oid)) {
			buf_puts(out, types[i].name);
			return;
		}
	put_oid(out, oid);
}

/* RelativeDistinguishedName ::= SET OF SEQUENCE { OBJECT IDENTIFIER,
 * value } */
static int
put_rdn(struct buf *out, struct sv set)
{
	struct sv	seq, oid, value;
	unsigned	tag;
	bool		first;

	for (first = true; set.n > 0; first = false) {
		if (der_get(&set, DER_SEQUENCE, &seq) == -1 ||
		    der_get(&seq, DER_OID, &oid) == -1 ||
		    der_get_any(&seq, &tag, &value) == -1)
			return -1;
		if (!first)
			buf_putc(out, '+');
		put_type(out, oid);
		buf_putc(out, '=');
		put_escaped(out, value, false);
	}
	return 0;
}

/* see x509.h */
int
x509_name_put(struct buf *out, struct sv dn, size_t max)
{
	struct sv	seq, rdn[RDN_MAX];
	size_t		n = 0, start = out->n, before = start;

	if (der_get(&dn, DER_SEQUENCE, &seq) == -1)
		goto broken;
	for (; seq.n > 0; n++)
		if (n == RDN_MAX || der_get(&seq, DER_SET, &rdn[n]) == -1)
			goto broken;
	while (n-- > 0) {
		before = out->n;
		if (before > start)
			buf_putc(out, ',');
		if (put_rdn(out, rdn[n]) == -1 || out->n - start > max)
			goto broken;
	}
	return 0;
broken:
	out->n = before;
	buf_puts(out, before > start ? ",..." : "...");
	return -1;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Append a value as put_escaped() had found it; its length in the text. */
static size_t
put_unescaped(struct buf *out, struct sv s)
{
	size_t	i;
	char	c;

	for (i = 0; i < s.n && s.p[i] != ',' && s.p[i] != '+'; i++) {
		c = s.p[i];
		if (c == '\\' && i + 1 < s.n) {
			c = s.p[++i];
			if (hex_digit(c) >= 0 && i + 1 < s.n)
				c = (char)(hex_digit(c) << 4 |
				    hex_digit(s.p[++i]));
		}
		buf_putc(out, c);
	}
	return i;
}

/* see x509.h */
void
x509_name_cn(struct buf *out, struct sv text)
{
	const struct sv	cn = SV("CN=");
	size_t		start = out->n;

	while (text.n > 0) {
		if (sv_starts(text, cn)) {
			put_unescaped(out, sv_skip(text, cn.n));
			return;
		}
		text = sv_skip(text, put_unescaped(out, text));
		out->n = start;
		if (text.n > 0)
			text = sv_skip(text, 1);
	}
}

/* ---- names of hosts ---- */

/* see x509.h */
bool
x509_next_name(struct sv *names, enum x509_name *type, struct sv *value)
{
	unsigned	tag;

	while (der_get_any(names, &tag, value) == 0) {
		if (tag == DER_IMPLICIT(2)) {
			*type = X509_DNS;
			return true;
		}
		if (tag == DER_IMPLICIT(7) && (value->n == 4 ||
		    value->n == 16)) {
			*type = X509_IP;
			return true;
		}
	}
	return false;
}

/* see x509.h */
void
x509_names_put(struct buf *out, const struct x509 *x, size_t max)
{
	struct sv	list = x->names, value;
	enum x509_name	type;
	size_t		start = out->n, before;
	char		ip[INET6_ADDRSTRLEN];

	while (x509_next_name(&list, &type, &value)) {
		before = out->n;
		if (before > start)
			buf_putc(out, ' ');
		if (type == X509_DNS)
			put_escaped(out, value, true);
		else
			buf_puts(out, inet_ntop(value.n == 4 ? AF_INET :
			    AF_INET6, value.p, ip, sizeof(ip)));
		if (out->n - start > max) {
			out->n = before;
			buf_puts(out, before > start ? " ..." : "...");
			return;
		}
	}
}

/* The bytes of an address: 4, 16, or 0 for what is none. */
static size_t
parse_ip(struct sv host, unsigned char ip[16])
{
	char	text[IP_TEXT];

	if (host.n >= sizeof(text) || sv_chr(host, '\0') != -1)
		return 0;
	sv_copy(text, sizeof(text), host);
	if (inet_pton(AF_INET, text, ip) == 1)
		return 4;
	return inet_pton(AF_INET6, text, ip) == 1 ? 16 : 0;
}

static struct sv
without_dot(struct sv s)
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

/* RFC 6125, 6.4: a wildcard stands for one whole label, the first. */
static bool
matches_dns(struct sv pattern, struct sv host, bool *exact)
{
	ptrdiff_t	dot;

	pattern = without_dot(pattern);
	*exact = !sv_starts(pattern, SV("*."));
	if (*exact)
		return sv_ieq(pattern, host);
	dot = sv_chr(host, '.');
	return dot > 0 && sv_ieq(sv_skip(pattern, 1),
	    sv_skip(host, (size_t)dot));
}

/* see x509.h */
bool
x509_matches(const struct x509 *x, struct sv host, bool *exact)
{
	struct sv	list = x->names, value;
	enum x509_name	type;
	unsigned char	ip[16];
	size_t		ip_n = parse_ip(host, ip);
	bool		ok, is_exact, found = false, found_exact = false;

	host = without_dot(host);
	while (host.n > 0 && x509_next_name(&list, &type, &value)) {
		is_exact = true;
		if (type == X509_IP)
			ok = sv_eq(value, sv_make(ip, ip_n));
		else
			ok = ip_n == 0 && matches_dns(value, host, &is_exact);
		found |= ok;
		found_exact |= ok && is_exact;
	}
	if (exact != NULL)
		*exact = found_exact;
	return found;
}

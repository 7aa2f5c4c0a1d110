/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Credentials: a chain and a key are read as far as they can be, then
 * checked, and every finding says what would mend it. Signatures in the
 * chain are left to the clients, who must verify them anyway.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/der.h"
#include "tls/handshake.h"
#include "util/pem.h"
#include "tls/report.h"
#include "tls/x509.h"
#include "util/clock.h"

#define CHAIN_MAX	10
#define RSA_MIN		2048
#define RSA_MAX		4096
#define DAY		86400
#define LAST_DAYS	14	/* left: time for a warning, unless ... */
#define SHORT_LIFE	30	/* ... it never had many more */
#define DATE_TEXT	48
#define NAMES_MAX	65536

#define KEYS_ALLOWED	"RSA of 2048 to 4096 bits, EC P-256 or EC P-384"

struct tls_cred {
	atomic_uint		 refs;
	struct tls_cred_parts	 parts;
	struct tls_cert_info	 info;
	struct buf		 der;	/* what chain and cert point into */
	struct buf		 text;	/* what info points into */
	br_x509_certificate	 chain[CHAIN_MAX];
	struct x509		 cert[CHAIN_MAX];
	size_t			 n;
	br_skey_decoder_context	 key;	/* holds the private key */
	bool			 has_key;
};

/* ---- texts ---- */

static const char *
date_text(char out[DATE_TEXT], int64_t when)
{
	struct clock_date	d;

	clock_date(&d, when);
	snprintf(out, DATE_TEXT, "%04u-%02u-%02u %02u:%02u UTC", d.year,
	    d.month, d.day, d.hour, d.minute);
	return out;
}

/* "3 days", or hours if it is less than two days. */
static const char *
span_text(char out[DATE_TEXT], int64_t seconds)
{
	bool		days = seconds >= 2 * DAY;
	long long	n = seconds / (days ? DAY : 3600);

	snprintf(out, DATE_TEXT, "%lld %s%s", n, days ? "day" : "hour",
	    n == 1 ? "" : "s");
	return out;
}

static const char *
subject_text(char out[TLS_NAME_TEXT], const struct x509 *x)
{
	return tls_name_text(out, x->subject);
}

/* ---- reading the chain ---- */

/* There is no certificate: why? */
static void
say_no_chain(struct tls_findings *f, struct sv pem, struct sv other)
{
	if (pem.n == 0)
		tls_say(f, true, "the certificate chain is empty");
	else if (sv_ends(other, SV("PRIVATE KEY")))
		tls_say(f, true, "there is a private key where the "
		    "certificate chain belongs: are the two swapped?");
	else if (other.n > 0)
		tls_say(f, true, "there is a %.*s where the certificate chain "
		    "belongs", other.n > 40 ? 40 : (int)other.n, other.p);
	else if (der_is(pem, DER_SEQUENCE))
		tls_say(f, true, "the certificate chain is DER, not PEM: "
		    "convert it with openssl x509 -inform der");
	else
		tls_say(f, true, "the certificate chain holds no "
		    "certificate (-----BEGIN CERTIFICATE-----)");
}

/* Append one certificate's bytes. */
static void
take_certificate(struct tls_cred *c, const struct pem *pem,
    struct tls_findings *f)
{
	size_t	before = c->der.n;

	if (c->n == CHAIN_MAX) {
		tls_say(f, true, "the certificate chain has more than %d "
		    "certificates: is it a CA bundle?", CHAIN_MAX);
	} else if (pem_decode(&c->der, pem) == 0) {
		c->chain[c->n++].data_len = c->der.n - before;
	} else {
		tls_say(f, true, c->der.failed ? "out of memory" :
		    "certificate %zu of the chain is not base 64", c->n + 1);
	}
}

/* Every certificate's bytes are there and stay where they are. */
static void
read_certificates(struct tls_cred *c, struct tls_findings *f)
{
	const char	*why;
	char		*p = c->der.p;
	size_t		 i;

	for (i = 0; i < c->n; i++) {
		c->chain[i].data = (unsigned char *)p;
		p += c->chain[i].data_len;
		if (x509_read(&c->cert[i], sv_make(c->chain[i].data,
		    c->chain[i].data_len), &why) == -1)
			tls_say(f, true, "certificate %zu of the chain %s",
			    i + 1, why);
	}
}

static void
read_chain(struct tls_cred *c, struct sv pem, struct tls_findings *f)
{
	struct sv	rest = pem, other = { NULL, 0 };
	struct pem	block;
	int		rc;

	while (!f->fatal && (rc = pem_next(&rest, &block)) != 0) {
		if (rc == -1)
			tls_say(f, true, "the certificate chain is cut off "
			    "in the middle of a block");
		else if (sv_eq(block.label, SV("CERTIFICATE")))
			take_certificate(c, &block, f);
		else
			other = block.label;
	}
	if (c->n == 0 && !f->fatal)
		say_no_chain(f, pem, other);
	read_certificates(c, f);
}

/* ---- reading the key ---- */

static void
say_no_key(struct tls_findings *f, struct sv pem, struct sv other)
{
	if (pem.n == 0)
		tls_say(f, true, "the private key is empty");
	else if (sv_ends(other, SV("CERTIFICATE")))
		tls_say(f, true, "there is a certificate where the private "
		    "key belongs: are the two swapped?");
	else if (sv_ends(other, SV("PUBLIC KEY")))
		tls_say(f, true, "there is a public key where the private key "
		    "belongs");
	else if (der_is(pem, DER_SEQUENCE))
		tls_say(f, true, "the private key is DER, not PEM: convert "
		    "it with openssl pkey -inform der");
	else
		tls_say(f, true, "there is no private key "
		    "(-----BEGIN PRIVATE KEY-----)");
}

/* A key that BearSSL does not take: what is it? PrivateKeyInfo ::= SEQUENCE
 * { version, AlgorithmIdentifier, ... } */
static const char *
refused_kind(struct sv label, struct sv der)
{
	struct sv	seq, version, alg;
	const char	*kind = "unknown";
	int		 curve;

	if (sv_starts(label, SV("RSA ")))
		kind = "RSA";
	else if (sv_starts(label, SV("EC ")))
		kind = "EC, other curve";
	else if (sv_starts(label, SV("DSA ")))
		kind = "DSA";
	else if (sv_starts(label, SV("OPENSSH ")))
		kind = "in OpenSSH's own format";
	else if (der_get(&der, DER_SEQUENCE, &seq) == 0 &&
	    der_get(&seq, DER_INTEGER, &version) == 0 &&
	    der_get(&seq, DER_SEQUENCE, &alg) == 0)
		kind = x509_key_kind(alg, &curve);
	return strcmp(kind, "RSA") == 0 ? "RSA of more than 4096 bits" : kind;
}

/* Whether the key is of a kind and size for us; else says so. */
static bool
key_allowed(const br_skey_decoder_context *key, struct tls_findings *f)
{
	if (key->key_type == BR_KEYTYPE_EC) {
		if (key->key.ec.curve == BR_EC_secp256r1 ||
		    key->key.ec.curve == BR_EC_secp384r1)
			return true;
		tls_say(f, true, "the private key is EC P-521: it must be "
		    KEYS_ALLOWED);
		return false;
	}
	if (key->key.rsa.n_bitlen >= RSA_MIN &&
	    key->key.rsa.n_bitlen <= RSA_MAX)
		return true;
	tls_say(f, true, "the private key is RSA %u: it must be " KEYS_ALLOWED,
	    (unsigned)key->key.rsa.n_bitlen);
	return false;
}

static void
decode_key(struct tls_cred *c, struct sv label, struct sv der,
    struct tls_findings *f)
{
	int	err;

	br_skey_decoder_init(&c->key);
	br_skey_decoder_push(&c->key, der.p, der.n);
	err = br_skey_decoder_last_error(&c->key);
	if (err == 0)
		c->has_key = key_allowed(&c->key, f);
	else if (err == BR_ERR_X509_UNSUPPORTED ||
	    err == BR_ERR_X509_LIMIT_EXCEEDED ||
	    sv_starts(label, SV("OPENSSH ")) || sv_starts(label, SV("DSA ")))
		tls_say(f, true, "the private key is %s: it must be "
		    KEYS_ALLOWED, refused_kind(label, der));
	else
		tls_say(f, true, "the private key is cut off or malformed");
}

static void
take_key(struct tls_cred *c, const struct pem *pem, struct tls_findings *f)
{
	struct buf	der = BUF_INIT;

	if (pem->encrypted)
		tls_say(f, true, "the private key is encrypted: decrypt it "
		    "with openssl pkey -in old.pem -out new.pem");
	else if (pem_decode(&der, pem) == 0)
		decode_key(c, pem->label, buf_sv(&der), f);
	else
		tls_say(f, true, der.failed ? "out of memory" :
		    "the private key is not base 64");
	buf_wipe(&der);
}

/* The first key counts; a file may hold the certificates beside it. */
static void
read_key(struct tls_cred *c, struct sv pem, struct tls_findings *f)
{
	struct sv	rest = pem, other = { NULL, 0 };
	struct pem	block;
	int		rc;

	while ((rc = pem_next(&rest, &block)) != 0) {
		if (rc == -1) {
			tls_say(f, true, "the private key is cut off in the "
			    "middle of its block");
			return;
		}
		if (sv_ends(block.label, SV("PRIVATE KEY"))) {
			take_key(c, &block, f);
			return;
		}
		other = block.label;
	}
	say_no_key(f, pem, other);
}

/* ---- the key and the certificate ---- */

/* Whether what the private key signs the public key accepts: that also finds
 * a private key of which a part is wrong. Padding that comes out right is
 * proof enough. */
static bool
rsa_matches(const br_rsa_private_key *sk, const br_rsa_public_key *pk)
{
	static const unsigned char	hash[br_sha256_SIZE];
	unsigned char			sig[RSA_MAX / 8], got[br_sha256_SIZE];

	return br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash,
	    sizeof(hash), sk, sig) == 1 &&
	    br_rsa_pkcs1_vrfy_get_default()(sig, (sk->n_bitlen + 7) / 8,
	    BR_HASH_OID_SHA256, sizeof(hash), pk, got) == 1;
}

/* A point is as long as no other curve's. */
static bool
ec_matches(const br_ec_private_key *sk, const br_ec_public_key *pk)
{
	unsigned char	point[BR_EC_KBUF_PUB_MAX_SIZE];
	size_t		n;

	n = br_ec_compute_pub(br_ec_get_default(), NULL, point, sk);
	return n > 0 && sv_eq(sv_make(point, n), sv_make(pk->q, pk->qlen));
}

static bool
key_matches(const struct tls_cred *c, const struct x509 *x)
{
	if (!c->has_key || x->key.key_type != c->key.key_type)
		return false;
	return x->key.key_type == BR_KEYTYPE_EC ?
	    ec_matches(&c->key.key.ec, &x->key.key.ec) :
	    rsa_matches(&c->key.key.rsa, &x->key.key.rsa);
}

/* False if the order is so wrong that no more can be said. */
static bool
check_key(const struct tls_cred *c, struct tls_findings *f)
{
	char	name[TLS_NAME_TEXT];
	size_t	i;

	if (key_matches(c, &c->cert[0]))
		return true;
	for (i = 1; i < c->n; i++)
		if (key_matches(c, &c->cert[i])) {
			tls_say(f, true, "the private key belongs to "
			    "certificate %zu of the chain (%s): put the "
			    "server's certificate first, then its issuer's",
			    i + 1, subject_text(name, &c->cert[i]));
			return false;
		}
	tls_say(f, true, "the private key does not belong to the certificate "
	    "(%s, %s): one of the two is another's or old",
	    subject_text(name, &c->cert[0]), c->cert[0].key_name);
	return true;
}

/* ---- the certificates ---- */

static void
check_order(const struct tls_cred *c, struct tls_findings *f)
{
	char	upper[TLS_NAME_TEXT], lower[TLS_NAME_TEXT];
	char	issuer[TLS_NAME_TEXT];
	size_t	i;

	for (i = 0; i + 1 < c->n; i++)
		if (!sv_eq(c->cert[i].issuer, c->cert[i + 1].subject)) {
			tls_say(f, true, "certificate %zu of the chain (%s) "
			    "is not the issuer of certificate %zu (%s), "
			    "which is %s: put the server's certificate "
			    "first, then its issuer's and so on", i + 2,
			    subject_text(upper, &c->cert[i + 1]), i + 1,
			    subject_text(lower, &c->cert[i]),
			    tls_name_text(issuer, c->cert[i].issuer));
			return;
		}
}

static void
check_leaf_key(const struct x509 *x, const char *name, struct tls_findings *f)
{
	bool	ok;

	if (x->key.key_type == BR_KEYTYPE_EC)
		ok = x->key.key.ec.curve != BR_EC_secp521r1;
	else
		ok = x->key.key_type == BR_KEYTYPE_RSA &&
		    x->key_bits >= RSA_MIN && x->key_bits <= RSA_MAX;
	if (!ok)
		tls_say(f, true, "the certificate's key (%s) is %s: it must be "
		    KEYS_ALLOWED, name, x->key_name);
	if (!x->may_sign)
		tls_say(f, false, "the certificate (%s) does not allow its "
		    "key to sign (key usage): many clients refuse it", name);
}

/* What a certificate of that purpose must be, and what clients of it
 * expect. */
static void
check_leaf(const struct tls_cred *c, unsigned purpose, struct tls_findings *f)
{
	const struct x509	*x = &c->cert[0];
	bool			 self_signed = x509_is_self_signed(x);
	bool			 server = purpose == X509_FOR_SERVER;
	char			 name[TLS_NAME_TEXT], issuer[TLS_NAME_TEXT];

	subject_text(name, x);
	check_leaf_key(x, name, f);
	if (x->is_ca && !self_signed)
		tls_say(f, true, "the certificate (%s) is a CA's, not a %s",
		    name, server ? "server's" : "client's");
	if (!(x->purposes & purpose))
		tls_say(f, true, "the certificate (%s) is not for %s "
		    "(extended key usage)", name, server ? "servers" :
		    "clients");
	if (server && x->names.n == 0)
		tls_say(f, false, "the certificate (%s) has no names "
		    "(subjectAltName): most clients refuse it", name);
	if (server && self_signed)
		tls_say(f, false, "the certificate (%s) is self-signed: "
		    "clients refuse it unless told to trust it", name);
	if (c->n == 1 && !self_signed)
		tls_say(f, false, "the chain has only the certificate (%s): "
		    "who does not know its issuer (%s) refuses it, so add "
		    "that one's (fullchain.pem)", name,
		    tls_name_text(issuer, x->issuer));
}

static void
check_hashes(const struct tls_cred *c, struct tls_findings *f)
{
	char	name[TLS_NAME_TEXT];
	size_t	i;

	for (i = 0; i < c->n; i++)
		if (c->cert[i].weak_hash && !x509_is_self_signed(&c->cert[i]))
			tls_say(f, false, "certificate %zu of the chain (%s) "
			    "is signed with MD5 or SHA-1: most clients refuse "
			    "it", i + 1, subject_text(name, &c->cert[i]));
}

/* It is valid now: for long enough? */
static void
check_days_left(const struct x509 *x, const char *name, int64_t now,
    struct tls_findings *f)
{
	int64_t	life = x->not_after - x->not_before;
	int64_t	left = x->not_after - now;
	char	span[DATE_TEXT], date[DATE_TEXT];

	if (left < life / 5 ||
	    (left < LAST_DAYS * DAY && life > SHORT_LIFE * DAY))
		tls_say(f, false, "the certificate (%s) expires in %s, on %s: "
		    "renew it", name, span_text(span, left),
		    date_text(date, x->not_after));
}

static void
check_validity(const struct tls_cred *c, int64_t now, struct tls_findings *f)
{
	const struct x509	*x;
	char			 name[TLS_NAME_TEXT], span[DATE_TEXT];
	char			 date[DATE_TEXT], clock[DATE_TEXT];
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		x = &c->cert[i];
		subject_text(name, x);
		if (now > x->not_after)
			tls_say(f, i == 0, "certificate %zu of the chain (%s) "
			    "expired %s ago, on %s: renew it", i + 1, name,
			    span_text(span, now - x->not_after),
			    date_text(date, x->not_after));
		else if (now < x->not_before)
			tls_say(f, false, "certificate %zu of the chain (%s) "
			    "is valid from %s, but the clock says %s: is it "
			    "right?", i + 1, name,
			    date_text(date, x->not_before),
			    date_text(clock, now));
		else if (i == 0)
			check_days_left(x, name, now, f);
	}
}

/* ---- making ---- */

/* What does not change any more, as others use it. */
static int
finish(struct tls_cred *c)
{
	const struct x509	*x = &c->cert[0];
	size_t			 subject, issuer;

	x509_name_put(&c->text, x->subject, SIZE_MAX);
	subject = c->text.n;
	x509_name_put(&c->text, x->issuer, SIZE_MAX);
	issuer = c->text.n - subject;
	x509_names_put(&c->text, x, NAMES_MAX);
	if (c->text.failed)
		return -1;
	c->info = (struct tls_cert_info){
		.subject = sv_make(c->text.p, subject),
		.issuer = sv_make(c->text.p + subject, issuer),
		.names = sv_skip(buf_sv(&c->text), subject + issuer),
		.key_type = x->key_name,
		.not_before = x->not_before, .not_after = x->not_after
	};
	c->parts = (struct tls_cred_parts){
		.chain = c->chain, .nchain = c->n,
		.key_type = c->key.key_type,
		.rsa = br_skey_decoder_get_rsa(&c->key),
		.ec = br_skey_decoder_get_ec(&c->key),
		.issuer_key_type = (unsigned)x->signer
	};
	return 0;
}

static int
load(struct tls_cred **out, struct sv chain_pem, struct sv key_pem,
    int64_t now, unsigned purpose, const struct tls_report *report)
{
	struct tls_findings	 f = { report, false };
	struct tls_cred		*c;

	*out = NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		tls_say(&f, true, "out of memory");
		return -1;
	}
	atomic_init(&c->refs, 1);
	read_chain(c, chain_pem, &f);
	read_key(c, key_pem, &f);
	if (!f.fatal && check_key(c, &f)) {
		check_order(c, &f);
		check_leaf(c, purpose, &f);
		check_hashes(c, &f);
		check_validity(c, now, &f);
	}
	if (!f.fatal && finish(c) == -1)
		tls_say(&f, true, "out of memory");
	if (f.fatal) {
		tls_cred_unref(c);
		return -1;
	}
	*out = c;
	return 0;
}

/* see tls.h */
int
tls_cred_load(struct tls_cred **out, struct sv chain_pem, struct sv key_pem,
    int64_t now, const struct tls_report *report)
{
	return load(out, chain_pem, key_pem, now, X509_FOR_SERVER, report);
}

/* see tls.h */
int
tls_cred_load_client(struct tls_cred **out, struct sv chain_pem,
    struct sv key_pem, int64_t now, const struct tls_report *report)
{
	return load(out, chain_pem, key_pem, now, X509_FOR_CLIENT, report);
}

/* see tls.h */
struct tls_cred *
tls_cred_ref(struct tls_cred *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

/* see tls.h */
void
tls_cred_unref(struct tls_cred *c)
{
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	buf_fini(&c->der);
	buf_fini(&c->text);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

/* ---- using ---- */

/* see tls.h */
const struct tls_cert_info *
tls_cred_info(const struct tls_cred *c)
{
	return &c->info;
}

/* see handshake.h */
const struct tls_cred_parts *
tls_cred_parts(const struct tls_cred *c)
{
	return &c->parts;
}

/* see tls.h */
bool
tls_cred_matches(const struct tls_cred *c, struct sv host, bool *exact)
{
	return x509_matches(&c->cert[0], host, exact);
}

static void
describe_validity(const struct x509 *x, int64_t now, struct buf *out)
{
	char	from[DATE_TEXT], to[DATE_TEXT], span[DATE_TEXT];

	buf_printf(out, "  valid: %s to %s, ", date_text(from, x->not_before),
	    date_text(to, x->not_after));
	if (now > x->not_after)
		buf_printf(out, "expired %s ago\n",
		    span_text(span, now - x->not_after));
	else
		buf_printf(out, "%s left\n",
		    span_text(span, x->not_after - now));
}

static void
describe(const struct tls_cred *c, size_t i, int64_t now, struct buf *out)
{
	const struct x509	*x = &c->cert[i];

	buf_printf(out, "certificate %zu: ", i + 1);
	if (x->subject.n == 0) {
		buf_puts(out, "malformed\n");
		return;
	}
	x509_name_put(out, x->subject, SIZE_MAX);
	if (i == 0) {
		buf_puts(out, "\n  names: ");
		x509_names_put(out, x, NAMES_MAX);
	}
	buf_puts(out, "\n  issuer: ");
	x509_name_put(out, x->issuer, SIZE_MAX);
	buf_printf(out, "\n  key: %s", x->key_name);
	if (i == 0)
		buf_puts(out, key_matches(c, x) ? ", of the private key" :
		    ", not of the private key");
	buf_putc(out, '\n');
	describe_validity(x, now, out);
}

/* see tls.h */
void
tls_cred_describe(struct sv chain_pem, struct sv key_pem, int64_t now,
    struct buf *out)
{
	struct tls_findings	 f = { NULL, false };
	struct tls_cred		*c;
	size_t			 i;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		out->failed = true;
		return;
	}
	atomic_init(&c->refs, 1);
	read_chain(c, chain_pem, &f);
	read_key(c, key_pem, &f);
	for (i = 0; i < c->n; i++)
		describe(c, i, now, out);
	if (c->n == 0)
		buf_puts(out, "no certificate\n");
	tls_cred_unref(c);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See verify.h. A BearSSL X.509 class that passes the chain on to the minimal
 * engine and keeps a copy of its first certificate, which is read (x509.h)
 * when the chain has ended: for the checks that are ours, and to say what is
 * wrong in words. Of its issuers one at a time is kept, to be read likewise.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tls/handshake.h"
#include "tls/verify.h"
#include "tls/x509.h"
#include "util/clock.h"

#define CERT_MAX	16384
#define CERTS_MAX	10
#define NAMES_MAX	200		/* in a sentence */
#define RSA_MIN		(2048 / 8)
#define DAY_S		86400
#define DAYS_TO_1970	719528		/* from the year 0 */

struct tls_verify {
	const br_x509_class	*vtable;	/* the engine has its address */
	br_x509_minimal_context	 minimal;
	struct tls_verify_options o;
	char			*host;
	struct buf		 leaf;		/* the first certificate */
	struct buf		 issuer;	/* one behind it, on the way to
						 * the trusted one */
	struct x509		 x;		/* views of it */
	bool			 read;		/* x is set */
	size_t			 ncerts;
	bool			 on_path;	/* the issuer counts */
	bool			 unfit;		/* an issuer is of those for
						 * other purposes */
	const char		*unreadable;	/* why it could not be read */
	struct buf		 subject;	/* with a NUL */
};

static struct tls_verify *
verify_of(const br_x509_class *const *ctx)
{
	return (struct tls_verify *)(uintptr_t)ctx;
}

static const br_x509_class **
minimal(struct tls_verify *v)
{
	return &v->minimal.vtable;
}

/* ---- the engine's calls ---- */

static void
start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct tls_verify *v = verify_of(ctx);

	/* Names are compared here. */
	(void)server_name;
	buf_reset(&v->leaf);
	v->ncerts = 0;
	v->read = v->unfit = false;
	v->unreadable = NULL;
	br_x509_minimal_vtable.start_chain(minimal(v), NULL);
}

static void
start_cert(const br_x509_class **ctx, uint32_t length)
{
	struct tls_verify *v = verify_of(ctx);

	v->ncerts++;
	if (v->ncerts > CERTS_MAX)
		v->unreadable = "comes with too many others";
	else if (length > CERT_MAX)
		v->unreadable = v->ncerts == 1 ? "is too large" :
		    "comes with one that is too large";
	buf_reset(&v->issuer);
	v->on_path = v->ncerts > 1 && v->minimal.err == 0;
	if (v->unreadable == NULL)
		br_x509_minimal_vtable.start_cert(minimal(v), length);
}

static void
append(const br_x509_class **ctx, const unsigned char *p, size_t n)
{
	struct tls_verify *v = verify_of(ctx);

	if (v->unreadable != NULL)
		return;
	if (v->ncerts == 1)
		buf_put(&v->leaf, p, n);
	else if (v->on_path)
		buf_put(&v->issuer, p, n);
	br_x509_minimal_vtable.append(minimal(v), p, n);
}

/* A CA may be one for some purposes only, by which BearSSL does not go. */
static void
check_issuer(struct tls_verify *v)
{
	struct x509	x;
	const char	*why;

	if (v->issuer.failed || x509_read(&x, buf_sv(&v->issuer),
	    &why) == -1 || (x.purposes & v->o.purpose) == 0)
		v->unfit = true;
}

static void
end_cert(const br_x509_class **ctx)
{
	struct tls_verify *v = verify_of(ctx);

	if (v->unreadable != NULL)
		return;
	if (v->on_path)
		check_issuer(v);
	br_x509_minimal_vtable.end_cert(minimal(v));
}

static void
read_leaf(struct tls_verify *v)
{
	if (v->leaf.failed)
		v->unreadable = "could not be read: out of memory";
	else if (v->ncerts > 0 && v->unreadable == NULL)
		v->read = x509_read(&v->x, buf_sv(&v->leaf),
		    &v->unreadable) == 0;
}

static int
keep_subject(struct tls_verify *v)
{
	if (x509_name_put(&v->subject, v->x.subject, TLS_SUBJECT_MAX) == -1)
		return -1;
	buf_putc(&v->subject, '\0');
	return v->subject.failed ? -1 : 0;
}

/* What BearSSL has accepted, or what need not be verified. It reads keys on a
 * curve that handshakes do without (handshake.c), too. */
static unsigned
check_leaf(struct tls_verify *v)
{
	const br_x509_pkey *key = &v->x.key;

	if (key->key_type == 0 || (key->key_type == BR_KEYTYPE_EC &&
	    key->key.ec.curve == BR_EC_secp521r1))
		return BR_ERR_X509_UNSUPPORTED;
	if (keep_subject(v) == -1)
		return BR_ERR_X509_BAD_DN;
	if (v->o.trust == NULL)
		return 0;
	if (v->unfit || (v->x.purposes & v->o.purpose) == 0)
		return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
	if (v->host != NULL && !x509_matches(&v->x, sv_from(v->host), NULL))
		return BR_ERR_X509_BAD_SERVER_NAME;
	return 0;
}

static unsigned
end_chain(const br_x509_class **ctx)
{
	struct tls_verify	*v = verify_of(ctx);
	unsigned		 err;

	err = br_x509_minimal_vtable.end_chain(minimal(v));
	read_leaf(v);
	if (v->ncerts > 0 && !v->read)
		err = BR_ERR_X509_LIMIT_EXCEEDED;
	else if (v->read && (err == 0 || v->o.trust == NULL))
		err = check_leaf(v);
	/* A bad certificate is not as good as none. */
	if (err != 0) {
		buf_fini(&v->subject);
		br_ssl_engine_remove_flags(v->o.eng,
		    BR_OPT_TOLERATE_NO_CLIENT_AUTH);
	}
	return err;
}

static const br_x509_pkey *
get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	struct tls_verify *v = verify_of(ctx);

	if (v->o.trust != NULL)
		return br_x509_minimal_vtable.get_pkey(
		    (const br_x509_class *const *)&v->minimal.vtable, usages);
	if (usages != NULL)
		*usages = BR_KEYTYPE_SIGN;
	return v->read ? &v->x.key : NULL;
}

static const br_x509_class class = {
	.context_size = sizeof(struct tls_verify),
	.start_chain = start_chain, .start_cert = start_cert,
	.append = append, .end_cert = end_cert, .end_chain = end_chain,
	.get_pkey = get_pkey
};

/* ---- making one ---- */

static void
init_minimal(struct tls_verify *v)
{
	br_x509_minimal_context		*m = &v->minimal;
	const br_x509_trust_anchor	*anchors = NULL;
	size_t				 n = 0;

	if (v->o.trust != NULL)
		anchors = tls_trust_anchors(v->o.trust, &n);
	br_x509_minimal_init(m, &br_sha256_vtable, anchors, n);
	br_x509_minimal_set_hash(m, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(m, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(m, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_rsa(m, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(m, br_ec_get_default(),
	    br_ecdsa_vrfy_asn1_get_default());
	br_x509_minimal_set_minrsa(m, RSA_MIN);
	br_x509_minimal_set_time(m,
	    (uint32_t)(v->o.now / DAY_S + DAYS_TO_1970),
	    (uint32_t)(v->o.now % DAY_S));
}

/* see verify.h */
struct tls_verify *
tls_verify_new(const struct tls_verify_options *o)
{
	struct tls_verify *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	v->vtable = &class;
	v->o = *o;
	if (o->host != NULL && (v->host = strdup(o->host)) == NULL) {
		free(v);
		return NULL;
	}
	init_minimal(v);
	br_ssl_engine_set_x509(o->eng, &v->vtable);
	return v;
}

/* see verify.h */
void
tls_verify_free(struct tls_verify *v)
{
	if (v == NULL)
		return;
	br_ssl_engine_set_x509(v->o.eng, NULL);
	buf_fini(&v->leaf);
	buf_fini(&v->issuer);
	buf_fini(&v->subject);
	free(v->host);
	free(v);
}

/* see verify.h */
const char *
tls_verify_subject(const struct tls_verify *v)
{
	return v->subject.n > 0 ? v->subject.p : "";
}

/* see verify.h */
int64_t
tls_verify_not_after(const struct tls_verify *v)
{
	return v->subject.n > 0 ? v->x.not_after : INT64_MAX;
}

/* ---- in words ---- */

static void
put_date(struct buf *b, const char *before, int64_t t)
{
	struct clock_date d;

	clock_date(&d, t);
	buf_printf(b, "%s%04u-%02u-%02u", before, d.year, d.month, d.day);
}

static void
explain_dates(const struct tls_verify *v, struct buf *b)
{
	if (v->o.now > v->x.not_after)
		put_date(b, "expired on ", v->x.not_after);
	else if (v->o.now < v->x.not_before)
		put_date(b, "is not valid before ", v->x.not_before);
	else
		buf_puts(b, "comes with an issuer's that is not valid now");
	put_date(b, "; the clock says ", v->o.now);
	if (v->o.now < TLS_MADE)
		buf_puts(b, ", which is before this program was made: set it");
}

static void
explain_name(const struct tls_verify *v, struct buf *b)
{
	size_t n;

	buf_puts(b, "is for ");
	n = b->n;
	x509_names_put(b, &v->x, NAMES_MAX);
	if (b->n == n)
		buf_puts(b, "no host name");
	buf_printf(b, ", not %s", v->host);
}

static bool
is_trusted_name(const struct tls_verify *v, struct sv dn)
{
	const br_x509_trust_anchor	*a;
	size_t				 n, i;

	a = tls_trust_anchors(v->o.trust, &n);
	for (i = 0; i < n; i++)
		if (sv_eq(sv_make(a[i].dn.data, a[i].dn.len), dn))
			return true;
	return false;
}

static void
explain_trust(const struct tls_verify *v, struct buf *b)
{
	if (x509_is_self_signed(&v->x)) {
		buf_puts(b, "is self-signed and not trusted");
		return;
	}
	buf_puts(b, v->ncerts == 1 ? "was issued by " :
	    "has a chain that leads to no trusted CA: it was issued by ");
	x509_name_put(b, v->x.issuer, NAMES_MAX);
	if (v->ncerts == 1)
		buf_puts(b, is_trusted_name(v, v->x.issuer) ?
		    ", which is trusted, but not with the key that signed it" :
		    ", which is not a trusted CA, and came without an "
		    "intermediate certificate");
}

static void
explain_purpose(const struct tls_verify *v, struct buf *b)
{
	if (v->unfit)
		buf_printf(b, "was issued by a CA that is not for %ss "
		    "(extended key usage)", v->o.purpose == X509_FOR_SERVER ?
		    "server" : "client");
	else if (v->x.purposes & v->o.purpose)
		buf_puts(b, "has a key usage that does not allow this");
	else
		buf_printf(b, "may not be used by a %s (extended key usage)",
		    v->o.purpose == X509_FOR_SERVER ? "server" : "client");
}

static const char *
explain_other(int err)
{
	switch (err) {
	case BR_ERR_X509_BAD_SIGNATURE:
		return "has a wrong signature in its chain";
	case BR_ERR_X509_DN_MISMATCH:
		return "is not followed by its issuer's in the chain";
	case BR_ERR_X509_NOT_CA:
		return "was issued by one that is no CA's";
	case BR_ERR_X509_WEAK_PUBLIC_KEY:
		return "has an RSA key under 2048 bits in its chain";
	case BR_ERR_X509_CRITICAL_EXTENSION:
		return "has a critical extension that is not known here";
	case BR_ERR_X509_UNSUPPORTED:
	case BR_ERR_X509_WRONG_KEY_TYPE:
		return "has a kind of key or signature in its chain that is "
		    "not supported";
	case BR_ERR_X509_BAD_DN:
		return "has a subject that is malformed or too long";
	default:
		return "is malformed";
	}
}

/* see verify.h */
void
tls_verify_explain(const struct tls_verify *v, int err, struct buf *b)
{
	const char *peer = v->o.purpose == X509_FOR_SERVER ? "server" :
	    "client";

	if (err == BR_ERR_X509_EMPTY_CHAIN || v->ncerts == 0) {
		buf_printf(b, "the %s sent no certificate", peer);
		return;
	}
	buf_printf(b, "the %s's certificate ", peer);
	if (!v->read)
		buf_puts(b, v->unreadable);
	else if (err == BR_ERR_X509_EXPIRED)
		explain_dates(v, b);
	else if (err == BR_ERR_X509_BAD_SERVER_NAME)
		explain_name(v, b);
	else if (err == BR_ERR_X509_NOT_TRUSTED)
		explain_trust(v, b);
	else if (err == BR_ERR_X509_FORBIDDEN_KEY_USAGE ||
	    err == BR_ERR_WRONG_KEY_USAGE)
		explain_purpose(v, b);
	else
		buf_puts(b, explain_other(err));
}

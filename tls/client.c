/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The client's side: see tls.h and handshake.h. Every connection shakes hands
 * in full: those that we make are kept long.
 */
#include <arpa/inet.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tls/side.h"
#include "tls/x509.h"
#include "util/clock.h"

struct tls_client {
	atomic_uint		 refs;
	struct tls_trust	*trust;		/* NULL: not verified */
	struct tls_cred		*cred;		/* or NULL */
	char			*server_name;	/* or NULL */
};

/* see tls.h */
struct tls_client *
tls_client_new(const struct tls_client_options *o)
{
	struct tls_client *c;

	/* Nobody is trusted by oversight. */
	assert(o->trust != NULL || o->insecure_skip_verify);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	atomic_init(&c->refs, 1);
	if (o->server_name != NULL &&
	    (c->server_name = strdup(o->server_name)) == NULL) {
		free(c);
		return NULL;
	}
	if (!o->insecure_skip_verify)
		c->trust = tls_trust_ref(o->trust);
	if (o->cred != NULL)
		c->cred = tls_cred_ref(o->cred);
	return c;
}

/* see tls.h */
struct tls_client *
tls_client_ref(struct tls_client *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

/* see tls.h */
void
tls_client_unref(struct tls_client *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1,
	    memory_order_acq_rel) > 1)
		return;
	tls_trust_unref(c->trust);
	tls_cred_unref(c->cred);
	free(c->server_name);
	free(c);
}

/* ---- handshakes ---- */

static bool
is_address(const char *host)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, buf) == 1 ||
	    inet_pton(AF_INET6, host, buf) == 1;
}

static void
set_cred(br_ssl_client_context *cc, const struct tls_cred *cred)
{
	const struct tls_cred_parts *p = tls_cred_parts(cred);

	if (p->key_type == BR_KEYTYPE_RSA)
		br_ssl_client_set_single_rsa(cc, p->chain, p->nchain, p->rsa,
		    br_rsa_pkcs1_sign_get_default());
	else
		br_ssl_client_set_single_ec(cc, p->chain, p->nchain, p->ec,
		    BR_KEYTYPE_SIGN, p->issuer_key_type, br_ec_get_default(),
		    br_ecdsa_sign_asn1_get_default());
}

static void
set_verification(br_ssl_engine_context *eng)
{
	/* Some sign with this one; it costs the server's side nothing. */
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_default_rsavrfy(eng);
	br_ssl_engine_set_ecdsa(eng, br_ecdsa_vrfy_asn1_get_default());
}

/* see handshake.h */
struct tls_handshake *
tls_handshake_client(struct tls_client *c, br_ssl_client_context *cc,
    const char *host)
{
	struct tls_verify_options	 o;
	struct tls_handshake		*h;

	if (c->server_name != NULL)
		host = c->server_name;
	if ((h = tls_handshake_new(&cc->eng)) == NULL)
		return NULL;
	h->client = tls_client_ref(c);
	set_verification(&cc->eng);
	o = (struct tls_verify_options){ .eng = &cc->eng, .trust = c->trust,
	    .purpose = X509_FOR_SERVER, .host = host,
	    .now = clock_wall_ms() / MSEC_PER_SEC };
	h->verify = tls_verify_new(&o);
	if (c->cred != NULL)
		set_cred(cc, c->cred);
	if (h->verify == NULL || !br_ssl_client_reset(cc,
	    is_address(host) ? NULL : host, 0)) {
		tls_handshake_free(h);
		return NULL;
	}
	return h;
}

/* see side.h */
void
tls_client_forget(struct tls_handshake *h)
{
	br_ssl_client_set_client_certificate((void *)h->eng, NULL);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Between the files of tls/: what a BearSSL context is given for a handshake
 * and what must live until the handshake is over. The engine (engine.c) owns
 * the contexts and the buffers; this owns everything else that they point
 * to while the handshake runs.
 */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include <bearssl.h>

#include "tls/tls.h"

#define TLS_ALPN_ACME	"acme-tls/1"

struct tls_handshake;

/* Set suites, algorithms, curves, flags, policy, session cache, entropy and
 * protocol names of sc, and reset it for a handshake: everything but the
 * buffers, which are set already. Takes a reference to the server settings.
 * NULL: no memory or no entropy. */
struct tls_handshake *tls_handshake_server(struct tls_server *,
	    br_ssl_server_context *sc);
/* The same for a client that wants to talk to host (a name, or an IP address
 * without brackets): X.509 engine, client certificate, SNI. */
struct tls_handshake *tls_handshake_client(struct tls_client *,
	    br_ssl_client_context *cc, const char *host);
/* The handshake is over: what is freed here must no longer be pointed to from
 * the context, so this clears those pointers. What the engine needs for
 * records (implementations) is static. */
void	tls_handshake_free(struct tls_handshake *);

/* After success: whether a session was resumed, and the subject of the
 * peer's certificate ("" without one; valid until tls_handshake_free). */
bool	tls_handshake_resumed(const struct tls_handshake *);
struct sv tls_handshake_subject(const struct tls_handshake *);
/* Whether it was the answer to a challenge (RFC 8737): the connection is
 * closed then, without having carried anything. */
bool	tls_handshake_is_challenge(const struct tls_handshake *);
/* After failure with BearSSL's error: which counter, and a sentence for the
 * log that a person understands, with names and dates where they matter
 * ("the certificate is for a.example, not b.example"). Valid until
 * tls_handshake_free. */
enum tls_failure tls_handshake_failure(struct tls_handshake *, int err,
	    const char **why);
/* The alert for what is TLS_FAIL_CLIENT_CERT, which BearSSL leaves unsaid. */
uint8_t	tls_handshake_alert(int err);

/* ---- credentials, as handshakes use them (cred.c) ---- */

struct tls_cred_parts {
	const br_x509_certificate *chain;
	size_t			   nchain;
	int			   key_type;	/* BR_KEYTYPE_RSA or _EC */
	const br_rsa_private_key  *rsa;
	const br_ec_private_key	  *ec;
	unsigned		   issuer_key_type; /* BR_KEYTYPE_* that signed
						     * the leaf */
};
const struct tls_cred_parts *tls_cred_parts(const struct tls_cred *);

/* ---- trust anchors, as handshakes use them (trust.c) ---- */

const br_x509_trust_anchor *tls_trust_anchors(const struct tls_trust *,
	    size_t *n);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What both sides' handshakes have in common: see handshake.h and side.h.
 *
 * The contexts are set up here piece by piece and not by br_ssl_*_init_full,
 * which would link every suite and mode there is. TLS 1.2 with ephemeral
 * keys and AEAD suites only. X25519 comes first among the curves (BearSSL
 * always prefers it, and it costs half of P-256), then P-256 and P-384. The
 * implementations are the library's choice for the machine, so that a newer
 * one's faster ones are used when it is linked. It is asked once: to find out
 * what the processor can do takes it microseconds in a virtual machine.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tls/side.h"
#include "util/ct.h"

#define ENTROPY	32
#define CURVES	(1u << BR_EC_curve25519 | 1u << BR_EC_secp256r1 | \
		    1u << BR_EC_secp384r1)

/* Where the processor does AES, that is much faster; elsewhere ChaCha20. */
static const uint16_t aes_first[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
};
static const uint16_t chacha_first[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
};
#define NSUITES	(sizeof(aes_first) / sizeof(aes_first[0]))

/* see tls.h */
const char *const tls_failure_name[TLS_FAIL_MAX] = {
	[TLS_FAIL_NOT_TLS] = "not_tls",
	[TLS_FAIL_VERSION] = "version",
	[TLS_FAIL_NO_CIPHER] = "no_cipher",
	[TLS_FAIL_ALPN] = "alpn",
	[TLS_FAIL_NO_CERT] = "no_cert",
	[TLS_FAIL_CLIENT_CERT] = "client_cert",
	[TLS_FAIL_TIMEOUT] = "timeout",
	[TLS_FAIL_CLOSED] = "closed",
	[TLS_FAIL_ALERT] = "alert",
	[TLS_FAIL_OVERLOAD] = "overload",
	[TLS_FAIL_PROTOCOL] = "protocol"
};

/* What was chosen for this machine, and in what order. */
static struct {
	pthread_once_t			 once;
	const uint16_t			*suites;
	const br_block_ctr_class	*aes;
	br_ghash			 ghash;
	br_chacha20_run			 chacha20;
	br_poly1305_run			 poly1305;
	br_ec_impl			 ec;
} chosen = { .once = PTHREAD_ONCE_INIT };

static void
choose(void)
{
	br_ssl_engine_context eng = { 0 };	/* to be told, no more */

	br_ssl_engine_set_default_aes_gcm(&eng);
	br_ssl_engine_set_default_chapol(&eng);
	chosen.aes = eng.iaes_ctr;
	chosen.ghash = eng.ighash;
	chosen.chacha20 = eng.ichacha;
	chosen.poly1305 = eng.ipoly;
	chosen.suites = br_aes_x86ni_ctr_get_vtable() != NULL ||
	    br_aes_pwr8_ctr_get_vtable() != NULL ? aes_first : chacha_first;
	chosen.ec = *br_ec_get_default();
	chosen.ec.supported_curves &= CURVES;
}

static void
set_algorithms(br_ssl_engine_context *eng)
{
	pthread_once(&chosen.once, choose);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_suites(eng, chosen.suites, NSUITES);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable,
	    &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng, chosen.aes);
	br_ssl_engine_set_ghash(eng, chosen.ghash);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable,
	    &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, chosen.chacha20);
	br_ssl_engine_set_poly1305(eng, chosen.poly1305);
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, &br_tls12_sha384_prf);
	br_ssl_engine_set_ec(eng, &chosen.ec);
	br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION);
}

/* see side.h */
struct tls_handshake *
tls_handshake_new(br_ssl_engine_context *eng)
{
	struct tls_handshake	*h;
	unsigned char		 seed[ENTROPY];

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->eng = eng;
	set_algorithms(eng);
	/* After the hashes, of which the generator is made. */
	random_bytes(seed, sizeof(seed));
	br_ssl_engine_inject_entropy(eng, seed, sizeof(seed));
	explicit_bzero(seed, sizeof(seed));
	/* Enough: it need not ask the processor and the system as well,
	 * which is a tenth of a resumed handshake. */
	eng->rng_os_rand_done = 1;
	return h;
}

/* see handshake.h */
void
tls_handshake_free(struct tls_handshake *h)
{
	if (h == NULL)
		return;
	/* This has no setter. */
	h->eng->chain = NULL;
	h->eng->chain_len = 0;
	if (h->server != NULL)
		tls_server_forget(h);
	if (h->client != NULL)
		tls_client_forget(h);
	tls_verify_free(h->verify);
	tls_cred_unref(h->cred);
	tls_server_unref(h->server);
	tls_client_unref(h->client);
	free(h->subject);
	buf_fini(&h->why);
	free(h);
}

/* see handshake.h */
bool
tls_handshake_resumed(const struct tls_handshake *h)
{
	return h->server != NULL && h->cred == NULL;
}

/* see handshake.h */
bool
tls_handshake_is_challenge(const struct tls_handshake *h)
{
	const char *name = br_ssl_engine_get_selected_protocol(h->eng);

	return name != NULL && strcmp(name, TLS_ALPN_ACME) == 0;
}

/* see handshake.h */
struct sv
tls_handshake_subject(const struct tls_handshake *h)
{
	if (tls_handshake_resumed(h))
		return sv_from(h->subject);
	return sv_from(h->verify == NULL ? "" :
	    tls_verify_subject(h->verify));
}

/* ---- failures ---- */

/* Alerts (RFC 5246, 7.2; RFC 6066; RFC 7301). */
static const struct {
	uint8_t		 code;
	const char	*text;
} alerts[] = {
	{ 10, "unexpected message" },
	{ 20, "bad record MAC" },
	{ 40, "handshake failure: no cipher suite in common, or it "
	    "wants a certificate" },
	{ 41, "no certificate" },
	{ 42, "bad certificate" },
	{ 43, "unsupported certificate" },
	{ 44, "certificate revoked" },
	{ 45, "certificate expired" },
	{ 46, "certificate unknown" },
	{ 47, "illegal parameter" },
	{ 48, "unknown CA" },
	{ 49, "access denied" },
	{ 50, "decode error" },
	{ 51, "decrypt error" },
	{ 70, "protocol version (TLS 1.2 is the newest here)" },
	{ 71, "insufficient security" },
	{ 80, "internal error" },
	{ 86, "inappropriate fallback" },
	{ 90, "canceled by the user" },
	{ 112, "unrecognized server name" },
	{ 116, "a certificate is required" },
	{ 120, "no common application protocol" }
};

static enum tls_failure
explain_alert(struct buf *b, int code)
{
	size_t i;

	for (i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (alerts[i].code == code)
			break;
	if (i < sizeof(alerts) / sizeof(alerts[0]))
		buf_printf(b, "the peer refused: %s", alerts[i].text);
	else
		buf_printf(b, "the peer refused: alert %d", code);
	return TLS_FAIL_ALERT;
}

/* Where we refused with an alert. */
static enum tls_failure
explain_refusal(struct tls_handshake *h, int code)
{
	switch (code) {
	case 70:
	case 86:
		buf_puts(&h->why, "the client offers no TLS 1.2");
		return TLS_FAIL_VERSION;
	case 120:
		buf_puts(&h->why, "the client wants another protocol than "
		    "HTTP/1.1");
		return TLS_FAIL_ALPN;
	case 40:
		buf_puts(&h->why, h->no_cert ?
		    "there is no certificate for this name (yet)" :
		    "no cipher suite, curve or signature in common");
		return h->no_cert ? TLS_FAIL_NO_CERT : TLS_FAIL_NO_CIPHER;
	default:
		buf_printf(&h->why, "protocol error (alert %d)", code);
		return TLS_FAIL_PROTOCOL;
	}
}

static enum tls_failure
explain_protocol(struct tls_handshake *h, int err)
{
	static const struct {
		uint8_t		 err, failure;
		const char	*text;
	} table[] = {
		{ BR_ERR_OK, TLS_FAIL_CLOSED,
		    "the peer closed the connection" },
		{ BR_ERR_IO, TLS_FAIL_CLOSED, "the connection was lost" },
		{ BR_ERR_UNSUPPORTED_VERSION, TLS_FAIL_VERSION,
		    "the peer speaks no TLS 1.2" },
		{ BR_ERR_BAD_VERSION, TLS_FAIL_VERSION,
		    "the peer speaks no TLS 1.2" },
		{ BR_ERR_UNKNOWN_TYPE, TLS_FAIL_NOT_TLS,
		    "the peer does not speak TLS" },
		{ BR_ERR_BAD_CIPHER_SUITE, TLS_FAIL_NO_CIPHER,
		    "the peer chose a cipher suite that was not offered" },
		{ BR_ERR_INVALID_ALGORITHM, TLS_FAIL_NO_CIPHER,
		    "the peer chose a curve or hash that was not offered" },
		{ BR_ERR_BAD_MAC, TLS_FAIL_PROTOCOL,
		    "a record was damaged, or forged" },
		{ BR_ERR_BAD_FINISHED, TLS_FAIL_PROTOCOL,
		    "the handshake was tampered with" },
		{ BR_ERR_BAD_SIGNATURE, TLS_FAIL_CLIENT_CERT,
		    "the peer does not have the key of its certificate" },
		{ BR_ERR_NO_CLIENT_AUTH, TLS_FAIL_CLIENT_CERT,
		    "the client sent no certificate, and must" },
		{ BR_ERR_TOO_LARGE, TLS_FAIL_PROTOCOL,
		    "a record is too large" }
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].err == err) {
			buf_puts(&h->why, table[i].text);
			return table[i].failure;
		}
	buf_printf(&h->why, "protocol error (%d)", err);
	return TLS_FAIL_PROTOCOL;
}

/* see handshake.h */
enum tls_failure
tls_handshake_failure(struct tls_handshake *h, int err, const char **why)
{
	enum tls_failure f;

	buf_reset(&h->why);
	if (err >= BR_ERR_SEND_FATAL_ALERT) {
		f = explain_refusal(h, err - BR_ERR_SEND_FATAL_ALERT);
	} else if (err >= BR_ERR_RECV_FATAL_ALERT) {
		f = explain_alert(&h->why, err - BR_ERR_RECV_FATAL_ALERT);
	} else if (h->verify != NULL &&
	    (err >= BR_ERR_X509_OK || err == BR_ERR_WRONG_KEY_USAGE)) {
		f = TLS_FAIL_CLIENT_CERT;
		tls_verify_explain(h->verify, err, &h->why);
	} else {
		f = explain_protocol(h, err);
	}
	buf_putc(&h->why, '\0');
	*why = h->why.failed ? "out of memory" : h->why.p;
	return f;
}

/* see handshake.h */
uint8_t
tls_handshake_alert(int err)
{
	switch (err) {
	case BR_ERR_NO_CLIENT_AUTH:
	case BR_ERR_X509_EMPTY_CHAIN:
		return 40;	/* handshake_failure */
	case BR_ERR_WRONG_KEY_USAGE:
	case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
	case BR_ERR_X509_UNSUPPORTED:
	case BR_ERR_X509_WRONG_KEY_TYPE:
		return 43;	/* unsupported_certificate */
	case BR_ERR_X509_EXPIRED:
		return 45;	/* certificate_expired */
	case BR_ERR_X509_NOT_TRUSTED:
		return 48;	/* unknown_ca */
	case BR_ERR_BAD_SIGNATURE:
		return 51;	/* decrypt_error */
	default:
		return 42;	/* bad_certificate */
	}
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS 1.2 (RFC 5246) with BearSSL: what a configuration is made into.
 * Credentials, trust, and the two sides' settings are immutable once made
 * and counted with atomic references, so that every worker shares them and a
 * reload is one pointer. Connections are in filter.h, the engine without
 * sockets in engine.h.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

/* ---- findings: what is wrong, or worth a warning, with certificates ---- */

/* Told each finding, one sentence without newline, never with key material;
 * fatal ones make the call fail. */
struct tls_report {
	void	(*say)(void *arg, bool fatal, const char *text);
	void	*arg;
};

/* A say for who wants the first fatal finding alone: it is put into arg, a
 * struct buf, empty until then. */
void	tls_report_first(void *buf, bool fatal, const char *text);

/* ---- credentials: a certificate chain and its private key ---- */

struct tls_cred;

/* What a person wants to know of a certificate. Views live as long as the
 * credentials. */
struct tls_cert_info {
	struct sv	subject, issuer;	/* "CN=a.example,O=..." */
	struct sv	names;		/* DNS names and IP addresses, by
					 * spaces; "" if it has none */
	const char	*key_type;	/* "RSA 2048", "EC P-256", ... */
	int64_t		not_before, not_after;	/* Unix seconds */
};

/*
 * Read and check a server's chain (leaf first, as fullchain.pem) and its key
 * (PKCS#1, SEC1, PKCS#8; RSA 2048-4096, P-256, P-384), both PEM texts. Fatal:
 * one is empty or does not parse, a certificate's issuer is not the subject
 * of the next, the key is another's, the leaf has expired at `now' (Unix
 * seconds), is a CA's or not for servers. Warnings: not yet valid (names the
 * clock), ends soon (in its last fifth or 14 days), another of the chain has
 * expired, self-signed, issuer missing, no names, a weak hash. One reference
 * in *out and 0, or -1 with *out NULL and at least one fatal finding. Without
 * a report nothing is told.
 */
int	tls_cred_load(struct tls_cred **out, struct sv chain_pem,
	    struct sv key_pem, int64_t now, const struct tls_report *);
/* The same for a certificate to show to servers: it needs no names and must
 * be allowed to be a client's. */
int	tls_cred_load_client(struct tls_cred **out, struct sv chain_pem,
	    struct sv key_pem, int64_t now, const struct tls_report *);
struct tls_cred *tls_cred_ref(struct tls_cred *);
/* Wipes the key with the last one. NULL is fine. */
void	tls_cred_unref(struct tls_cred *);
const struct tls_cert_info *tls_cred_info(const struct tls_cred *);
/* Whether the leaf is good for this host name (RFC 6125: exact, or a wildcard
 * for one whole label) or IP address; exact tells which. */
bool	tls_cred_matches(const struct tls_cred *, struct sv host,
	    bool *exact);
/* Append what there is to know of each certificate for fugu checkconfig:
 * subject, names, issuer, key and whether it is the private key's, validity
 * and days left, a line each. Also of certificates that were refused. */
void	tls_cred_describe(struct sv chain_pem, struct sv key_pem, int64_t now,
	    struct buf *out);

/* ---- trust anchors ---- */

struct tls_trust;

/* Every certificate of a PEM text. Those that can't be used are findings, not
 * fatal unless none is left. */
int	tls_trust_load(struct tls_trust **out, struct sv pem,
	    const struct tls_report *);
/* A file with certificates or a directory of such files. */
int	tls_trust_load_path(struct tls_trust **out, const char *path,
	    const struct tls_report *);
/* The system's, from the usual places or SSL_CERT_FILE and SSL_CERT_DIR; the
 * built-in roots of the Internet Security Research Group if there is none. */
int	tls_trust_load_system(struct tls_trust **out,
	    const struct tls_report *);
struct tls_trust *tls_trust_ref(struct tls_trust *);
void	tls_trust_unref(struct tls_trust *);
size_t	tls_trust_count(const struct tls_trust *);

/* ---- sessions, for resumption: one cache for all workers ---- */

struct tls_sessions;

struct tls_sessions *tls_sessions_new(size_t entries);
void	tls_sessions_free(struct tls_sessions *);

/* ---- the server's side ---- */

struct tls_server;

enum tls_client_auth { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL,
    TLS_CLIENT_REQUIRED };

struct tls_server_options {
	struct tls_cred *const	*cred;	/* the first is the default; may be 0
					 * of them, then every handshake gets
					 * an alert until there is one */
	size_t			 ncred;
	struct tls_trust	*client_ca;	/* or NULL */
	enum tls_client_auth	 client_auth;
	struct tls_sessions	*sessions;	/* or NULL; outlives it */
	const char		*default_name;	/* stands for no SNI; or NULL */
};

/* References are taken, strings copied. NULL: no memory. */
struct tls_server *tls_server_new(const struct tls_server_options *);
struct tls_server *tls_server_ref(struct tls_server *);
void	tls_server_unref(struct tls_server *);
/* The earliest not_after of its certificates, 0 without any. */
int64_t	tls_server_not_after(const struct tls_server *);
/*
 * tls-alpn-01 (RFC 8737): the certificate for a client that offers only
 * "acme-tls/1" for this name, until taken back with cred NULL. Safe from
 * every thread. -1: no memory.
 */
int	tls_server_set_challenge(struct tls_server *, struct sv host,
	    struct tls_cred *);

/* ---- the client's side ---- */

struct tls_client;

struct tls_client_options {
	struct tls_trust	*trust;	/* NULL only with skip_verify */
	struct tls_cred		*cred;	/* to show when asked for, or NULL */
	const char		*server_name;	/* instead of the host; or
						 * NULL */
	bool			 insecure_skip_verify;
};

struct tls_client *tls_client_new(const struct tls_client_options *);
struct tls_client *tls_client_ref(struct tls_client *);
void	tls_client_unref(struct tls_client *);

/* ---- counters: of one worker, plain; summed when asked ---- */

enum tls_failure {
	TLS_FAIL_NOT_TLS,	/* what came was no TLS, e.g. plain HTTP */
	TLS_FAIL_VERSION,	/* no TLS 1.2 */
	TLS_FAIL_NO_CIPHER,	/* nothing in common */
	TLS_FAIL_ALPN,
	TLS_FAIL_NO_CERT,	/* we have none (yet) */
	TLS_FAIL_CLIENT_CERT,	/* the peer's certificate was refused */
	TLS_FAIL_TIMEOUT,
	TLS_FAIL_CLOSED,	/* the peer went away in the middle */
	TLS_FAIL_ALERT,		/* the peer refused us */
	TLS_FAIL_OVERLOAD,	/* dropped as the oldest of too many */
	TLS_FAIL_PROTOCOL,	/* anything else */
	TLS_FAIL_MAX
};
/* "not_tls", "version", ...: labels of the metric. */
extern const char *const tls_failure_name[TLS_FAIL_MAX];

struct tls_stats {
	uint64_t	full, resumed;
	uint64_t	failed[TLS_FAIL_MAX];
	uint64_t	handshaking;	/* now */
	uint64_t	open;		/* now, handshake done */
};

#endif

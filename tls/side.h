/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A handshake as server.c and client.c fill it in and handshake.c takes it
 * apart again; for those three only. Everything that a BearSSL context
 * points to while it shakes hands is in here or held by a reference.
 */
#ifndef TLS_SIDE_H
#define TLS_SIDE_H

#include "tls/handshake.h"
#include "tls/session.h"
#include "tls/verify.h"

struct tls_handshake {
	br_ssl_engine_context	*eng;
	struct tls_verify	*verify;	/* of the peer, or NULL */
	char			*subject;	/* of a session, or NULL */
	struct buf		 why;
	/* The server's side. BearSSL is given the addresses of these two
	 * vtables, and by them the callbacks find the handshake. */
	const br_ssl_server_policy_class *policy;
	const br_ssl_session_cache_class *cache;
	struct tls_server	*server;	/* or NULL */
	struct tls_cred		*cred;		/* chosen: not resumed */
	struct tls_session_scope scope;
	bool			 no_cert;	/* that was why */
	/* The client's side. */
	struct tls_client	*client;	/* or NULL */
};

/* A handshake with its algorithms, suites and entropy set in eng: what both
 * sides have in common. NULL: no memory. */
struct tls_handshake *tls_handshake_new(br_ssl_engine_context *);

/* Take what server.c or client.c has put into the context out of it. */
void	tls_server_forget(struct tls_handshake *);
void	tls_client_forget(struct tls_handshake *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS under connections of the event loop. The layers above see plaintext
 * and need not know.
 */
#ifndef TLS_FILTER_H
#define TLS_FILTER_H

#include "net/net.h"
#include "tls/tls.h"

/* What the TLS connections of one worker share: counters, the scratch that
 * records are sealed in, and the handshakes in progress. */
struct tls_worker;

struct tls_worker *tls_worker_new(struct worker *);
/* After the connections are gone. */
void	tls_worker_free(struct tls_worker *);
/* How long a client may take to shake hands (10 s if never set), and how
 * many may be at it; one more, and the oldest is dropped (4096). */
void	tls_worker_limit(struct tls_worker *, int timeout_ms,
	    unsigned max_handshakes);
const struct tls_stats *tls_worker_stats(const struct tls_worker *);

/* The connection's peer is a TLS client: in on_accept, or from within on_read
 * when something came before TLS, with what is left unconsumed as the first
 * of it. -1: no memory, close it. */
int	tls_accept(struct conn *, struct tls_server *, struct tls_worker *);
/* The same for what conn_dial() gave, before the turn ends: host is what the
 * certificate must be for, a name or an address without brackets. What is
 * queued waits until TLS stands; on_drained is called then. */
int	tls_connect(struct conn *, struct tls_client *, const char *host,
	    struct tls_worker *);

/* Whether it speaks TLS. */
bool	tls_conn_is(const struct conn *);
/* The subject of the client's verified certificate; "" without one. */
struct sv tls_conn_subject(const struct conn *);

#endif

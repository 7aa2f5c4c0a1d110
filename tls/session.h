/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Sessions for resumption by id (RFC 5246, 7.3), one cache for all workers:
 * a client comes back to whichever worker the kernel picks. Four places a
 * bucket, in memory that is touched only as it fills; the session that would
 * end first makes room. One lock, held for a few compares.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <bearssl.h>

#include "tls/tls.h"

/* How long a session can be resumed; the secret is in memory until its place
 * is needed. */
#define TLS_SESSION_MS	(12 * 3600 * 1000)

/* What a session is good for besides its id: it is not resumed for another
 * server name (RFC 6066, 3), nor where other client certificates are asked
 * for than those that were checked. */
struct tls_session_scope {
	uint64_t	name;	/* hash of it */
	uint64_t	trust;	/* fingerprint of the client CA, or 0 */
};

/* Remember p until `until' on the clock that now is from (milliseconds, over
 * 0). subject: of the client's certificate, or "". What can't be remembered
 * for lack of memory is not. */
void	tls_sessions_put(struct tls_sessions *,
	    const br_ssl_session_parameters *p,
	    const struct tls_session_scope *, const char *subject,
	    int64_t now, int64_t until);
/* Look p's id (32 bytes) up and fill in the rest of p. True if it is there;
 * *subject is malloc'd then, or NULL. */
bool	tls_sessions_get(struct tls_sessions *, br_ssl_session_parameters *p,
	    const struct tls_session_scope *, int64_t now, char **subject);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The certificates of the TLS ports: made of the configuration and, with
 * tls_autocert, of what the CA gave; checked whole; read again when asked to
 * or when a file has changed. Belongs to the main worker; the settings that
 * come out are shared by all.
 */
#ifndef API_CERTS_H
#define API_CERTS_H

#include "conf/conf.h"
#include "tls/tls.h"

struct certs_stamp;

struct certs {
	/* NULL: that port is plain. One reference each. */
	struct tls_server	*external, *internal;
	/* What the files were like when they were last looked at. */
	struct certs_stamp	*stamp;
	size_t			 nstamp;
};

/* Whether any port is for TLS with the certificates of http_server.tls. */
bool	certs_used(const struct conf *);

/* Told each finding: a sentence that begins with the option's name. */
typedef void certs_say(void *arg, bool fatal, const char *text);

/* Read and check everything. more: certificates of tls_autocert, which come
 * behind the configured ones. 0, or -1 with *certs empty and at least one
 * fatal finding. */
int	certs_load(struct certs *, const struct conf *,
	    struct tls_cred *const *more, size_t nmore,
	    struct tls_sessions *, certs_say *, void *arg);
void	certs_fini(struct certs *);
/* Whether a file has changed, appeared or gone since they were read or this
 * was last asked. */
bool	certs_changed(struct certs *);
/* For fugu checkconfig: what each configured certificate is, as lines. */
void	certs_describe(const struct conf *, struct buf *out);

#endif

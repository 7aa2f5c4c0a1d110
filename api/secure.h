/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS of the listeners, over the life of the process: what is in force, and
 * how new certificates come into force without a restart, at a reload or
 * when a file has changed; and TLS of the calls to https URLs. Belongs to
 * the main worker.
 */
#ifndef API_SECURE_H
#define API_SECURE_H

#include "api/certs.h"
#include "api/ports.h"
#include "client/node.h"
#include "http/client.h"

/* TLS of a worker's own calls, to https URLs. */
struct secure_calls {
	struct http_tls		 tls;	/* first */
	struct tls_client	*client;
	struct tls_worker	*tw;
};

struct secure {
	struct certs		 certs;		/* in force */
	/* Of tls_autocert; whoever sets them calls secure_load() and
	 * secure_apply(). */
	struct tls_cred		*const *more;
	size_t			 nmore;
	/* Or NULL: told of the external port's settings before they are in
	 * force. */
	void			(*loaded)(void *arg, struct tls_server *);
	void			*loaded_arg;
	/* Private from here on. */
	const struct conf	*conf;		/* a reference */
	struct tls_sessions	*sessions;
	struct tls_client	*client;	/* or NULL: not needed */
	struct tls_worker	*tw[WORKERS_MAX];
	struct secure_calls	 calls[WORKERS_MAX];
	struct server		*srv;
	struct ports		*ports;
	struct timer		 watch;
	bool			 refused;	/* what the watch has found */
	bool			 again;		/* and has told of already */
};

/* Read and check all certificates. 0; or -1 after saying what is wrong, and
 * what was in force stays. It stays also where other ports than at the start
 * would speak TLS, which is said and no failure. */
int	secure_load(struct secure *, const struct conf *);
/* Put them in force on a worker that does not run yet. 0 or -1. */
int	secure_start(struct secure *, struct ports *, struct server *,
	    struct worker *);
/* And on all that run. -1: no memory. */
int	secure_apply(struct secure *);
/* Look at the files from time to time, from the main worker. */
void	secure_watch(struct secure *);
/* After the last connection of a worker; and of all. */
void	secure_end(struct secure *, const struct worker *);
void	secure_fini(struct secure *);

#endif

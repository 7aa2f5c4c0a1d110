/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The listeners of the process: which there are by configuration, what each
 * one serves, and the way of a connection from accept to HTTP. All are
 * opened before anything is served, or none.
 *
 * A TCP address has a socket for each worker (SO_REUSEPORT); a Unix socket
 * and those inherited from the service manager are shared by all. Inherited
 * ones take the place of those that would be bound for the same.
 */
#ifndef API_PORTS_H
#define API_PORTS_H

#include "conf/conf.h"
#include "http/server.h"
#include "net/activate.h"

struct port;
struct tls_server;
struct tls_worker;

struct ports {
	struct port		*v;
	size_t			 n;
	unsigned		 workers;
	const struct conf	*conf;		/* a reference */
	struct limiter		*limiter;	/* or NULL */
	/* In force on each worker; see ports_set_tls(). */
	struct ports_tls {
		struct tls_worker	*tw;
		struct tls_server	*external, *internal;
	} tls[WORKERS_MAX];
};

/* What is served; all of it outlives the ports. */
struct ports_sites {
	const struct http_site	*external, *internal, *redirect;
};

/* Whether anything listens for the internal endpoints alone. */
bool	ports_separate(const struct conf *, const struct activated *);
/* Whether something is to redirect to https. */
bool	ports_redirect(const struct conf *, const struct activated *);
/* The port that clients are served on with TLS; 443 if none is known. */
uint16_t ports_https(const struct conf *, const struct activated *);
/*
 * Bind every listener for that many workers, or take it over. 0, or an exit
 * status after saying all that is wrong and what would mend it; nothing is
 * open then. The inherited ones are no longer the caller's.
 */
int	ports_open(struct ports *, const struct conf *, struct activated *,
	    const struct ports_sites *, unsigned workers);
/* What TLS ports offer on a worker from now on; on that worker, or before it
 * runs. References are taken; NULL: none, and its connections are closed. */
void	ports_set_tls(struct ports *, const struct worker *,
	    struct tls_worker *, struct tls_server *external,
	    struct tls_server *internal);
/* Accept on a worker; before it runs. 0, or -1 with errno. */
int	ports_start(struct ports *, struct worker *);
/* Stop accepting on a worker; by itself or after it has ended. */
void	ports_stop(struct ports *, const struct worker *);
/* Close what is left, remove the files of Unix sockets, free. After the last
 * connection of every worker. */
void	ports_close(struct ports *);
/* Say in the log where one can connect. */
void	ports_announce(const struct ports *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The listeners of the process: which there are by configuration, what each
 * one serves, and the way of a connection from accept to HTTP. All are
 * opened before anything is served, or none.
 *
 * A TCP address has a socket for each worker (SO_REUSEPORT); a socket that
 * there can be only one of is shared by all.
 */
#ifndef API_PORTS_H
#define API_PORTS_H

#include "conf/conf.h"
#include "http/server.h"

struct port;

struct ports {
	struct port	*v;
	size_t		 n;
	unsigned	 workers;
};

/*
 * Bind every listener for that many workers. internal is NULL if it has no
 * address of its own. 0, or an exit status after saying all that is wrong
 * and what would mend it; nothing is open then. conf and the sites outlive
 * the ports.
 */
int	ports_open(struct ports *, const struct conf *,
	    const struct http_site *external, const struct http_site *internal,
	    unsigned workers);
/* Accept on a worker; before it runs. 0, or -1 with errno. */
int	ports_start(struct ports *, struct worker *);
/* Stop accepting on a worker; by itself or after it has ended. */
void	ports_stop(struct ports *, const struct worker *);
/* Close what no worker accepts on, and free; after ports_stop everywhere. */
void	ports_close(struct ports *);
/* Say in the log where one can connect. */
void	ports_announce(const struct ports *);

#endif

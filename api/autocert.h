/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * http_server.tls_autocert: certificates by themselves. Here is the server's
 * part: the process that obtains them is begun, what it wants shown to a CA
 * is shown, and what it brings comes into force. Belongs to the main worker.
 */
#ifndef API_AUTOCERT_H
#define API_AUTOCERT_H

#include "acme/process.h"
#include "acme/show.h"
#include "api/secure.h"

struct autocert_shown;

struct autocert {
	bool			 enabled;
	/* Private from here on. */
	const struct conf	*conf;		/* a reference */
	struct acme_options	 o;
	struct buf		 ca;
	struct acme_show	 show;
	struct autocert_shown	*shown;		/* by tls-alpn-01 */
	struct acme_process	 process;
	struct secure		*secure;
	struct server		*srv;
	struct tls_cred		*cred[ACME_NAMES_MAX];	/* of each set */
	struct tls_cred		*more[ACME_NAMES_MAX];	/* those there are */
	unsigned		 failures[ACME_NAMES_MAX];
	char			 why[256];
};

/* Take what the configuration says, see that the directory can be used, and
 * give secure the certificates that it holds; before secure_load(). 0, or an
 * exit status after saying why. */
int	autocert_open(struct autocert *, const struct conf *,
	    struct secure *);
/* What plain ports have to serve. */
void	autocert_route(struct autocert *, struct http_route *);
/* Begin, on the main worker. */
void	autocert_start(struct autocert *, struct server *);
/* All zero is fine. */
void	autocert_close(struct autocert *);

/* fugu acme: argv is what follows. The exit status. */
int	autocert_command(char *const *argv);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Requests to a CA: the HTTP client over TLS, with what ACME asks of headers
 * and wants to know of them. One request at a time.
 */
#ifndef ACME_HTTPS_H
#define ACME_HTTPS_H

#include "acme/order.h"
#include "http/client.h"

struct tls_client;
struct tls_worker;

struct acme_https {
	struct http_tls		 tls;	/* first */
	struct worker		*w;
	struct tls_worker	*tw;
	struct http_client	*hc;
	struct tls_client	*client;	/* NULL: resting */
	void			(*done)(void *arg, const struct acme_reply *);
	void			*arg;
};

/* 0 or -1: no memory. */
int	acme_https_init(struct acme_https *, struct worker *);
/* Before the worker's connections are closed; and after that. */
void	acme_https_close(struct acme_https *);
void	acme_https_fini(struct acme_https *);

/* Read whom to trust, anew each time: these certificates (PEM), or the
 * system's if there are none. 0; or -1, with a sentence behind *why. Not from
 * within done. */
int	acme_https_trust(struct acme_https *, const char *ca_pem,
	    struct buf *why);
/* There is a pause: keep no connection over it. */
void	acme_https_pause(struct acme_https *);
/* There is a long one: forget whom to trust, too, which takes memory. */
void	acme_https_rest(struct acme_https *);

/* Ask; done is called later, once. An empty body: GET, or HEAD. -1: no
 * memory. */
int	acme_https_ask(struct acme_https *, struct sv url, struct sv body,
	    bool head, void (*done)(void *arg, const struct acme_reply *),
	    void *arg);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What to do next to have a certificate (RFC 8555), as a machine without
 * sockets, files, clock or random source. It is told the time, what is on
 * disk and what the CA said, and answers with one step: send this request,
 * show this challenge, write this file, wait until then. Whoever drives it
 * (process.c, or a test) carries the step out and reports back.
 *
 * Killed at any point and started again with what it had asked to be
 * written, it goes on where it was: an order is written down before anything
 * is done with it, so that none is made twice for nothing. Back-off and the
 * limits of the CA are part of what is written, so a crash loop can't burn
 * them.
 */
#ifndef ACME_ORDER_H
#define ACME_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

#define ACME_NAMES_MAX	100	/* identifiers in one certificate */

enum acme_challenge { ACME_HTTP_01, ACME_TLS_ALPN_01, ACME_CHALLENGES };

/* What is wanted: one certificate. Everything is borrowed and outlives the
 * machine. */
struct acme_want {
	struct sv	 directory;		/* URL */
	const struct sv	*name;			/* DNS names, IP addresses */
	size_t		 nname;
	struct sv	 email;			/* or empty */
	struct sv	 eab_kid, eab_key;	/* the key decoded; or empty */
	struct sv	 profile;		/* or empty */
	struct sv	 preferred_chain;	/* issuer's name, or empty */
	bool		 can[ACME_CHALLENGES];	/* in this order of liking;
						 * one that fails comes last
						 * from then on */
	bool		 rsa;			/* certificate key RSA 2048 */
};

/* The CA's answer to a request, or why there is none. */
struct acme_reply {
	const char	*why;		/* NULL, or: no answer came */
	int		 status;
	struct sv	 ctype, location, nonce, retry_after;
	const struct sv	*link;		/* values of Link lines */
	size_t		 nlink;
	struct sv	 body;
};

enum acme_do {
	ACME_REQUEST,	/* url, body (a whole JWS; empty: GET, or HEAD) */
	ACME_SHOW,	/* challenge, name, token, key_auth: answer for it from
			 * now on; then call acme_done() */
	ACME_HIDE,	/* of that name and token: no longer */
	ACME_SAVE,	/* file, body: write atomically, mode 0600 */
	ACME_REMOVE,	/* file */
	ACME_WAIT,	/* until that time, in the middle of things */
	ACME_HAVE,	/* a new certificate: chain and key, PEM; it has been
			 * checked against the names and the key */
	ACME_IDLE,	/* nothing is to be done before that time */
};

/* What is kept in the state directory for one certificate (the account key
 * is for all of them). */
enum acme_file { ACME_FILE_ACCOUNT, ACME_FILE_STATE, ACME_FILE_KEY };

struct acme_step {
	enum acme_do		 what;
	struct sv		 url, body;
	bool			 head;
	enum acme_challenge	 challenge;
	struct sv		 name, token, key_auth;
	enum acme_file		 file;
	struct sv		 chain, key;
	int64_t			 until;		/* Unix seconds */
	struct sv		 say;		/* progress, a line for a
						 * person; or empty */
	bool			 warn;		/* it is a problem */
};

/* What was found in the state directory; empty: nothing. */
struct acme_disk {
	struct sv	account;	/* key, PEM */
	struct sv	state;		/* as last saved */
	struct sv	new_key;	/* of a certificate not yet given */
	struct sv	chain, key;	/* the present certificate, PEM */
};

struct acme;

/* random(p, n) fills p; jitter and keys come from it. NULL: no memory. */
struct acme *acme_new(const struct acme_want *,
	    void (*random)(void *p, size_t n));
void	acme_free(struct acme *);

/* Before the first step. What is damaged is said in a step and replaced. */
void	acme_load(struct acme *, const struct acme_disk *);

/* The next step at this time. Views are valid until the next call. */
void	acme_next(struct acme *, int64_t now, struct acme_step *);
/* The step was carried out: a request was answered; any other (but WAIT and
 * IDLE, which end by themselves) is done, or failed with a text. */
void	acme_reply(struct acme *, int64_t now, const struct acme_reply *);
void	acme_done(struct acme *, int64_t now, const char *why);

/* Renew at the next step whatever the dates say (fugu acme renew); a back-off
 * or limit in force still counts unless force. */
void	acme_renew_now(struct acme *, bool force);

/* For fugu acme status and health. Views are valid until the next call. */
struct acme_status {
	bool		have;		/* a certificate for all the names */
	int64_t		not_before, not_after;	/* of it */
	int64_t		renew_at;		/* when renewal is due */
	int64_t		next_at;		/* when something is tried */
	int64_t		pause_until;		/* and nothing before that,
						 * also if asked for */
	unsigned	failures;		/* in a row */
	const char	*problem;		/* the last one, or NULL */
	const char	*account_url, *order_url;	/* or NULL */
};
void	acme_status(const struct acme *, int64_t now, struct acme_status *);

/* The request that revokes the present certificate (RFC 8555, 7.6), as steps:
 * asked for instead of everything else, until one step is IDLE. */
void	acme_revoke(struct acme *, unsigned reason);

#endif

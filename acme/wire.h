/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What an ACME server says (RFC 8555, 7.1; RFC 9773), read out of its JSON.
 * Nothing in it is believed beyond its type: texts are bounded, whatever is
 * missing is NULL. Pure.
 */
#ifndef ACME_WIRE_H
#define ACME_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

#define ACME_URL_MAX	2048
#define ACME_AUTHZ_MAX	100

/* URLs go into request lines: neither empty nor too long, no blanks and no
 * control bytes. */
bool	acme_is_url(struct sv);

/* Each of these reads a whole body: 0, or -1 if it is no such thing or memory
 * is out; then there is nothing to free. Strings are malloc'd. */

struct acme_directory {
	char	*new_nonce, *new_account, *new_order;	/* never NULL */
	char	*revoke_cert, *renewal_info;
	char	*profiles;	/* names, each followed by a blank; or NULL:
				 * none are offered */
	bool	 eab_required;
};
int	acme_directory_read(struct acme_directory *, struct sv json);
void	acme_directory_fini(struct acme_directory *);

enum acme_state {
	ACME_PENDING, ACME_READY, ACME_PROCESSING, ACME_VALID,
	ACME_INVALID,	/* and whatever else won't become valid */
};

struct acme_order {
	enum acme_state	 state;
	char		*authz[ACME_AUTHZ_MAX];
	size_t		 nauthz;
	char		*finalize;	/* never NULL */
	char		*certificate;	/* or NULL */
	char		*problem;	/* one line, or NULL */
};
int	acme_order_read(struct acme_order *, struct sv json);
void	acme_order_fini(struct acme_order *);

struct acme_authz {
	enum acme_state	 state;
	char		*name;		/* the identifier; never NULL */
	char		*types;		/* of the challenges offered */
	/* The challenge of the type asked for; NULL if there is none. */
	char		*url, *token;
	char		*problem;	/* one line, or NULL */
};
/* type: "http-01" and so on. */
int	acme_authz_read(struct acme_authz *, struct sv json,
	    const char *type);
void	acme_authz_fini(struct acme_authz *);

/* When to renew, in Unix seconds: start <= end. */
struct acme_window {
	int64_t	start, end;
};
int	acme_window_read(struct acme_window *, struct sv json);

/* ---- problems (RFC 9457) ---- */

enum acme_trouble {
	ACME_OTHER, ACME_BAD_NONCE, ACME_NO_ACCOUNT, ACME_RATE_LIMITED,
	ACME_NOT_READY, ACME_REPLACED, ACME_MALFORMED
};

/* Append what a refused request means as a line for a person: what the CA
 * says, and what would mend it. body may be anything. */
enum acme_trouble acme_problem_put(struct buf *, int status, struct sv ctype,
	    struct sv body);

/* ---- headers ---- */

/* Seconds to wait from now on: a number or a date (RFC 9110, 10.2.3); 0 if
 * it is missing or neither. */
int64_t	acme_retry_after(struct sv value, int64_t now);
/* The target of the next link with this relation in a Link value, which may
 * hold several; it is taken off up to there. Empty: there is none. */
struct sv acme_link(struct sv *value, const char *rel);
/* A date of RFC 3339 in UTC or with an offset, or of HTTP; -1: neither. */
int64_t	acme_date(struct sv);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Carries out what the machine of order.h asks for: requests, files, waiting,
 * in the loop of one worker; and for as many certificates as are wanted, one
 * after the other, since they share an account. What is shown to the CA's
 * validators and given to the server is up to whoever drives.
 */
#ifndef ACME_DRIVE_H
#define ACME_DRIVE_H

#include "acme/https.h"
#include "acme/order.h"
#include "acme/store.h"

/* What is wanted, in plain strings; "": none. */
enum acme_text {
	ACME_DIRECTORY, ACME_EMAIL, ACME_EAB_KID,
	ACME_EAB_KEY,		/* base64 or base64url */
	ACME_PROFILE, ACME_PREFERRED_CHAIN,
	ACME_CA_PEM,		/* the text itself */
	ACME_DIR, ACME_WEBROOT, ACME_USER,
	ACME_HTTP_ADDR,		/* where fugu acme answers for itself */
	ACME_TEXTS
};
struct acme_options {
	const char	*text[ACME_TEXTS];
	const char	*name[ACME_NAMES_MAX];
	size_t		 nname;
	bool		 can[ACME_CHALLENGES];
	bool		 rsa;
	bool		 separate;	/* a certificate for each name */
};

/* How many certificates those are, and the names of one. */
#define ACME_SETS_MAX	60	/* see certs.c of api */
size_t	acme_sets(const struct acme_options *);
size_t	acme_set_names(const struct acme_options *, size_t set,
	    struct sv out[ACME_NAMES_MAX]);

/* The certificate in the directory whose first name is that; NULL: there is
 * none of use. */
struct tls_cred;
struct tls_report;
struct tls_cred *acme_cred_load(const struct acme_store *, const char *name,
	    bool rsa, const struct tls_report *);
/* Go's autocert has a certificate for each name. If that is what is in the
 * directory, and all are good but none for all the names, then it goes on
 * like that. */
void	acme_sets_settle(struct acme_options *, const struct acme_store *);

/* What an operation gives that is done later. */
extern const char acme_later[];

/* NULL: done; acme_later: acme_drive_done() will be called; otherwise why it
 * can't be done. */
struct acme_drive_ops {
	const char *(*show)(void *arg, const struct acme_step *);
	const char *(*hide)(void *arg, const struct acme_step *);
	/* It is not in the directory yet. */
	const char *(*have)(void *arg, size_t set, struct sv chain,
	    struct sv key);
	void	(*say)(void *arg, bool warn, struct sv line);
	/* One certificate's machine is idle until then. */
	void	(*idle)(void *arg, size_t set, int64_t until);
};

struct acme_set;

struct acme_drive {
	struct worker			*w;
	const struct acme_options	*o;
	const struct acme_store		*store;
	const struct acme_drive_ops	*ops;
	void				*arg;
	struct acme_https		 https;
	struct buf			 eab_key;
	struct acme_set			*set;
	size_t				 nset;
	struct acme_set			*busy;	/* or NULL */
	const char			*unkept; /* why a certificate could
						  * not be kept, or NULL */
	struct timer			 timer;
};

/* Read what the directory has and begin, from the loop's next turn on. What
 * is given outlives it. 0; or -1, with a sentence behind *why. */
int	acme_drive_init(struct acme_drive *, struct worker *,
	    const struct acme_options *, const struct acme_store *,
	    const struct acme_drive_ops *, void *arg, struct buf *why);
/* Before the worker's connections are closed; and after that. */
void	acme_drive_close(struct acme_drive *);
void	acme_drive_fini(struct acme_drive *);

void	acme_drive_done(struct acme_drive *, const char *why);
/* See order.h; of all certificates. */
void	acme_drive_renew(struct acme_drive *, bool force);
void	acme_drive_revoke(struct acme_drive *, unsigned reason);
void	acme_drive_status(const struct acme_drive *, size_t set,
	    struct acme_status *);

#endif

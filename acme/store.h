/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The directory with certificates, account and state: tls_autocert.cache_dir.
 * Its files are those of Go's autocert, so that a cache of Centrifugo is read
 * and goes on to be one: HOST (or HOST+rsa) holds the key and the chain of
 * the certificate whose first name is HOST, acme_account+key the account's.
 * What is our own lies beside: HOST+state, HOST+newkey and fugu.lock.
 *
 * Files are written whole or not at all, also when the power fails, and are
 * readable by their owner only.
 */
#ifndef ACME_STORE_H
#define ACME_STORE_H

#include <sys/types.h>

#include "acme/order.h"

struct acme_store {
	int	dir;
	int	lock;		/* or -1 */
};

#define ACME_STORE_CLOSED	{ -1, -1 }

/* Open the directory, made if it is missing, and see that files can be
 * written there. user: whose it is to be, when made by root; (uid_t)-1: the
 * caller's. 0; or -1, with a sentence behind *why. */
int	acme_store_open(struct acme_store *, const char *path, uid_t user,
	    struct buf *why);
void	acme_store_close(struct acme_store *);

/* Be the only process that orders certificates with it, until it is closed.
 * 0, or -1 with errno: EWOULDBLOCK if there is another. */
int	acme_store_lock(struct acme_store *);
/* Let others know that this one, which has the lock, takes signals (SIGUSR1:
 * renew, SIGUSR2: also against the back-off). */
void	acme_store_sign(const struct acme_store *);
/* The process that has done so and has the lock now; 0: there is none. Not for
 * one that has the lock itself, which it would lose. */
pid_t	acme_store_signed(const struct acme_store *);

#define ACME_STORE_NAME	300

/* The name of the file, for the certificate of that first name. */
enum acme_store_file { ACME_STORE_CERT, ACME_STORE_STATE, ACME_STORE_KEY,
    ACME_STORE_ACCOUNT };
const char *acme_store_name(char out[ACME_STORE_NAME], enum acme_store_file,
	    struct sv host, bool rsa);

/* Append the file's bytes; of one that is missing there are none. 0, or -1
 * with errno. */
int	acme_store_read(const struct acme_store *, const char *name,
	    struct buf *out);
/* 0, or -1 with errno, and the file is as it was. */
int	acme_store_write(const struct acme_store *, const char *name,
	    struct sv);
int	acme_store_remove(const struct acme_store *, const char *name);

/* The part of a certificate's file that is the chain; empty: there is
 * none. */
struct sv acme_store_chain(struct sv file);

#endif

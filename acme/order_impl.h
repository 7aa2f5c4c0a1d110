/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The machine's inside, for its files: order.c (what to do next),
 * order_answer.c (what the CA's answers mean) and order_state.c (what is
 * remembered).
 */
#ifndef ACME_ORDER_IMPL_H
#define ACME_ORDER_IMPL_H

#include "acme/jws.h"
#include "acme/order.h"
#include "acme/wire.h"

#define ACME_ORDERS_HOUR	5	/* new orders in an hour, at most */
#define ACME_ALTERNATES		5	/* chains looked at */
#define ACME_POLL_MOST		600	/* seconds, for one decision */

/* What is done next, in the order of an issuance. */
enum acme_phase {
	ACME_DECIDE,		/* whether anything is to be done */
	ACME_ASK_DIRECTORY,
	ACME_ASK_WINDOW,	/* renewal information, then decide */
	ACME_ASK_ACCOUNT,
	ACME_ASK_NEW_ORDER,
	ACME_ASK_ORDER,		/* how it stands */
	ACME_ASK_AUTHZ,
	ACME_SHOW_IT,
	ACME_ASK_CHECK,		/* tell the CA to look at it */
	ACME_ASK_FINALIZE,
	ACME_ASK_CHAIN,
	ACME_ASK_ALTERNATE,
	ACME_GIVE,		/* the new certificate to who wants it */
	ACME_ASK_REVOKE
};

struct acme {
	const struct acme_want	*want;
	void			(*random)(void *, size_t);
	enum acme_phase		 phase;
	bool			 revoking, forced, force;
	bool			 revoked;	/* or not possible: over */
	unsigned		 revoke_reason;
	uint16_t		 jitter;	/* of the certificate */

	/* Remembered on disk. */
	struct acme_key		 key;
	bool			 has_key;
	char			*account_url, *order_url;
	struct buf		 new_key;	/* PEM */
	unsigned		 failures;
	int64_t			 failed_at;	/* the last time, and */
	int64_t			 next_at;	/* nothing is tried before */
	char			*problem;
	bool			 other;		/* challenge than the one
						 * liked best: that failed */
	int64_t			 ordered[ACME_ORDERS_HOUR]; /* latest first */
	struct {
		int64_t	start, end, renew_at, asked_at, ask_at;
		int64_t	had_at;	/* when we got the certificate; 0: unknown */
		int64_t	of;	/* not_after of the certificate */
	} window;		/* renewal information; renew_at 0: none */

	/* The present certificate. */
	struct buf		 chain, chain_key;
	bool			 have;
	int64_t			 not_before, not_after;

	/* What of it has to be written: bits 1 << enum acme_file. unsaved:
	 * it could not be, so it has to be before anything is asked. */
	unsigned		 save;
	bool			 unsaved;

	/* The attempt under way. */
	struct acme_directory	 dir;
	struct acme_order	 order;
	struct acme_authz	 authz;
	size_t			 authz_i;
	enum acme_challenge	 challenge;
	bool			 shown, hide, finalized, asked_window,
				 replaces, no_replaces, new_account_tried;
	char			*nonce;
	bool			 asking_nonce;
	unsigned		 bad_nonces;
	int64_t			 poll_at, poll_until;
	struct buf		 new_chain;
	char			*alternate[ACME_ALTERNATES];
	size_t			 nalternate;

	/* The step that is out. */
	enum acme_do		 out;
	enum acme_file		 out_file;
	struct buf		 body, scratch, say, said;
	bool			 warn;
};

/* ---- order.c ---- */

/* Say a line with the next step. */
void	acme_say(struct acme *, bool warn, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* The attempt has failed: remember the problem and when to try again. What
 * can't be gone on with has been dropped before. */
void	acme_fail(struct acme *, int64_t now, bool soft, int64_t retry_after,
	    const char *, ...) __attribute__((format(printf, 5, 6)));
/* Forget the order, its key and authorizations. */
void	acme_drop_order(struct acme *);
/* A new order, unless there were too many: noted before it is asked for, so
 * that one lost on the way counts, too. */
void	acme_begin_order(struct acme *, int64_t now);
/* Wait before asking again how the order or authorization stands; fails when
 * that has taken too long, or the CA wants more patience than that. */
void	acme_poll(struct acme *, int64_t now, enum acme_phase,
	    int64_t retry_after);
const char *acme_challenge_type(enum acme_challenge);
/* Whether the directory offers the profile that is wanted. */
bool	acme_has_profile(const struct acme *);
void	acme_set(char **, struct sv);

/* ---- order_answer.c ---- */

void	acme_answer(struct acme *, int64_t now, const struct acme_reply *);

/* ---- order_state.c ---- */

/* Write the state file's text into a->body. */
void	acme_state_put(struct acme *);
/* Read it; damaged or another CA's: -1, and as if there were none. */
int	acme_state_get(struct acme *, struct sv text);
/* Take a certificate as the present one; what is known of its renewal is
 * forgotten if that was another's. now 0: at a time when it is valid. 0; or
 * -1 with *why, a sentence in a->scratch: it is not what is wanted. */
int	acme_take_cert(struct acme *, struct sv chain, struct sv key,
	    int64_t now, const char **why);

#endif

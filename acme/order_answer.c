/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the CA's answers mean for the machine of order.c: each is checked for
 * what it should be, and moves the phase on or ends the attempt.
 */
#include <string.h>

#include "acme/order_impl.h"
#include "acme/renew.h"
#include "util/der.h"
#include "util/pem.h"
#include "tls/x509.h"

#define NONCES_REFUSED	20	/* in a row */
#define WINDOW_DEFAULT	21600	/* seconds between questions about it */
#define WINDOW_MOST	86400
#define CHAIN_MAX	65536	/* bytes */
#define ISSUER_MAX	512

static const char *const phase_name[] = {
	[ACME_ASK_DIRECTORY] = "the directory",
	[ACME_ASK_WINDOW] = "renewal information",
	[ACME_ASK_ACCOUNT] = "the account",
	[ACME_ASK_NEW_ORDER] = "a new order",
	[ACME_ASK_ORDER] = "the order",
	[ACME_ASK_AUTHZ] = "an authorization",
	[ACME_ASK_CHECK] = "a challenge",
	[ACME_ASK_FINALIZE] = "finalizing the order",
	[ACME_ASK_CHAIN] = "the certificate",
	[ACME_ASK_ALTERNATE] = "another chain",
	[ACME_ASK_REVOKE] = "revocation",
};

/* Whether the question is not worth an attempt: without renewal information
 * the dates decide, and without another chain there is the first one. */
static bool
is_favour(const struct acme *a)
{
	return a->phase == ACME_ASK_WINDOW || a->phase == ACME_ASK_ALTERNATE ||
	    (a->phase == ACME_ASK_DIRECTORY && a->asked_window);
}

static void no_favour(struct acme *, int64_t now,
    const struct acme_reply *);

static void
soft(struct acme *a, int64_t now, const struct acme_reply *r,
    const char *what)
{
	if (is_favour(a))
		no_favour(a, now, r);
	else
		acme_fail(a, now, true, acme_retry_after(r->retry_after,
		    now), "%s (asked for %s)", what, phase_name[a->phase]);
}

static bool
is_type(struct sv ctype, const char *type)
{
	return sv_ieq(sv_trim(sv_cut(&ctype, ';')), sv_from(type));
}

/* JSON that is no such object. */
static void
no_object(struct acme *a, int64_t now, const struct acme_reply *r)
{
	struct sv ctype = r->ctype;

	if (ctype.n > 64)
		ctype.n = 64;
	if (is_favour(a) || is_type(r->ctype, "application/json")) {
		soft(a, now, r, "the CA's answer is incomplete or malformed");
		return;
	}
	if (ctype.n == 0)
		ctype = SV("something");
	acme_fail(a, now, true, 0, "the CA answers with %.*s instead of JSON "
	    "(asked for %s): is this an ACME directory, and is there a proxy "
	    "in between?", SV_ARG(ctype), phase_name[a->phase]);
}

/* ---- chains ---- */

/* The issuer of the last certificate names the root. */
static bool
is_preferred(struct acme *a, struct sv pem)
{
	struct buf	 der = BUF_INIT;
	struct pem	 block, last = { .body = SV("") };
	struct x509	 x;
	const char	*why;
	bool		 is = false;

	while (pem_next(&pem, &block) == 1)
		last = block;
	buf_reset(&a->scratch);
	if (pem_decode(&der, &last) == 0 &&
	    x509_read(&x, buf_sv(&der), &why) == 0 &&
	    x509_name_put(&a->scratch, x.issuer, ISSUER_MAX) == 0 &&
	    !a->scratch.failed)
		is = memmem(a->scratch.p, a->scratch.n,
		    a->want->preferred_chain.p,
		    a->want->preferred_chain.n) != NULL;
	buf_fini(&der);
	return is;
}

static void
drop_alternates(struct acme *a)
{
	while (a->nalternate > 0)
		acme_set(&a->alternate[--a->nalternate], SV(""));
}

static void
take_alternates(struct acme *a, const struct acme_reply *r)
{
	struct sv	url, value;
	size_t		i;

	for (i = 0; i < r->nlink; i++)
		for (value = r->link[i]; a->nalternate < ACME_ALTERNATES &&
		    (url = acme_link(&value, "alternate")).n > 0; ) {
			if (!acme_is_url(url))
				continue;
			acme_set(&a->alternate[a->nalternate], url);
			if (a->alternate[a->nalternate] != NULL)
				a->nalternate++;
		}
}

/* Whether it may be used is found out by acme_take_cert(), tried here so
 * that nobody is given what would be refused. */
static void
give(struct acme *a, int64_t now)
{
	struct acme	copy = { .want = a->want };
	const char     *why;

	if (acme_take_cert(&copy, buf_sv(&a->new_chain),
	    buf_sv(&a->new_key), now, &why) == 0) {
		a->phase = ACME_GIVE;
	} else {
		acme_fail(a, now, false, 0, "the CA's certificate can't be "
		    "used: %s", why);
		acme_drop_order(a);
	}
	buf_fini(&copy.chain);
	buf_wipe(&copy.chain_key);
	buf_fini(&copy.scratch);
}

/* ---- refusals ---- */

/* Decide again; renewal information is asked for after that many seconds. */
static void
ask_again(struct acme *a, int64_t now, int64_t after)
{
	a->window.asked_at = now;
	a->window.ask_at = now + (after > WINDOW_MOST ? WINDOW_MOST : after);
	a->save |= 1u << ACME_FILE_STATE;
	a->phase = ACME_DECIDE;
}

/* Renewal information is a favour; without it the dates decide. */
static void
no_window(struct acme *a, int64_t now, const struct acme_reply *r)
{
	int64_t after = acme_retry_after(r->retry_after, now);

	ask_again(a, now, after > WINDOW_DEFAULT ? after : WINDOW_DEFAULT);
}

static void
no_favour(struct acme *a, int64_t now, const struct acme_reply *r)
{
	if (a->phase == ACME_ASK_ALTERNATE) {
		drop_alternates(a);
		give(a, now);
	} else {
		no_window(a, now, r);
	}
}

static void
no_account(struct acme *a, int64_t now, const char *line)
{
	acme_set(&a->account_url, SV(""));
	acme_drop_order(a);
	if (a->new_account_tried) {
		acme_fail(a, now, false, 0, "%s", line);
		return;
	}
	a->new_account_tried = true;
	acme_say(a, true, "the CA does not know the account any more, making "
	    "a new one");
	a->phase = ACME_ASK_ACCOUNT;
}

/* A refusal that concerns the order leaves nothing of it to go on with. */
static void
refused_order(struct acme *a)
{
	if (a->phase >= ACME_ASK_ORDER && a->phase <= ACME_ASK_CHAIN)
		acme_drop_order(a);
}

/* An order that replaces a certificate may be refused for many reasons that
 * don't concern one that does not. */
static bool
is_about_replacing(const struct acme *a, enum acme_trouble trouble)
{
	return a->phase == ACME_ASK_NEW_ORDER && a->replaces &&
	    (trouble == ACME_REPLACED || trouble == ACME_MALFORMED ||
	    trouble == ACME_OTHER);
}

static void
refused(struct acme *a, int64_t now, const struct acme_reply *r)
{
	int64_t			after = acme_retry_after(r->retry_after, now);
	enum acme_trouble	trouble;
	struct buf		line = BUF_INIT;
	const char	       *text;

	trouble = acme_problem_put(&line, r->status, r->ctype, r->body);
	buf_printf(&line, " (asked for %s)", phase_name[a->phase]);
	buf_putc(&line, '\0');
	text = line.failed ? "out of memory" : line.p;
	if (trouble == ACME_BAD_NONCE && ++a->bad_nonces < NONCES_REFUSED) {
		/* Once more, with the nonce that came along. */
	} else if (is_favour(a)) {
		no_favour(a, now, r);
	} else if (trouble == ACME_NO_ACCOUNT &&
	    a->phase > ACME_ASK_ACCOUNT) {
		no_account(a, now, text);
	} else if (r->status < 500 && is_about_replacing(a, trouble)) {
		a->no_replaces = true;
	} else if (trouble == ACME_NOT_READY &&
	    a->phase == ACME_ASK_FINALIZE) {
		acme_poll(a, now, ACME_ASK_ORDER, after);
	} else if (trouble == ACME_MALFORMED && a->phase == ACME_ASK_CHECK) {
		/* It was told before we were killed. */
		acme_poll(a, now, ACME_ASK_AUTHZ, after);
	} else if (r->status >= 500 || trouble == ACME_RATE_LIMITED ||
	    trouble == ACME_BAD_NONCE) {
		acme_fail(a, now, r->status != 429, after, "%s", text);
	} else {
		refused_order(a);
		acme_fail(a, now, false, after, "%s", text);
	}
	buf_fini(&line);
}

/* ---- answers ---- */

static void
with_account(struct acme *a, int64_t now)
{
	if (a->revoking)
		a->phase = ACME_ASK_REVOKE;
	else if (a->order_url != NULL)
		a->phase = ACME_ASK_ORDER;
	else
		acme_begin_order(a, now);
}

static void
got_directory(struct acme *a, int64_t now, const struct acme_reply *r)
{
	const struct acme_want *w = a->want;

	acme_directory_fini(&a->dir);
	if (acme_directory_read(&a->dir, r->body) == -1) {
		no_object(a, now, r);
		return;
	}
	if (a->asked_window) {
		buf_reset(&a->scratch);
		if (a->dir.renewal_info == NULL ||
		    acme_cert_id(&a->scratch, buf_sv(&a->chain)) == -1)
			no_window(a, now, r);
		else
			a->phase = ACME_ASK_WINDOW;
		return;
	}
	if (a->dir.eab_required && w->eab_kid.n == 0 &&
	    a->account_url == NULL) {
		acme_fail(a, now, false, 0, "the CA wants accounts bound to "
		    "one that you have with it: set tls_autocert.eab_kid and "
		    "eab_hmac_key");
		return;
	}
	if (w->profile.n > 0 && !acme_has_profile(a))
		acme_say(a, true, "the CA offers no profile %.*s but %s",
		    SV_ARG(w->profile), a->dir.profiles != NULL ?
		    a->dir.profiles : "none");
	if (a->revoking && (a->dir.revoke_cert == NULL || !a->have)) {
		acme_fail(a, now, false, 0, a->have ? "the CA revokes "
		    "nothing" : "there is no certificate to revoke");
		return;
	}
	a->phase = ACME_ASK_ACCOUNT;
	if (a->account_url != NULL)
		with_account(a, now);
}

static void
got_window(struct acme *a, int64_t now, const struct acme_reply *r)
{
	struct acme_window	w;
	int64_t			after = acme_retry_after(r->retry_after, now);
	uint16_t		where;

	if (acme_window_read(&w, r->body) == -1) {
		no_window(a, now, r);
		return;
	}
	if (w.start != a->window.start || w.end != a->window.end) {
		a->random(&where, sizeof(where));
		a->window.start = w.start;
		a->window.end = w.end;
		a->window.renew_at = w.start +
		    (w.end - w.start) * where / 65536;
		acme_say(a, false, "the CA suggests to renew in %lld hours",
		    (long long)(a->window.renew_at - now) / 3600);
	}
	ask_again(a, now, after < 60 ? WINDOW_DEFAULT : after);
}

/* Keep the Location; without one the attempt fails. */
static int
take_location(struct acme *a, int64_t now, const struct acme_reply *r,
    char **where, const char *without)
{
	if (!acme_is_url(r->location)) {
		soft(a, now, r, without);
		return -1;
	}
	acme_set(where, r->location);
	if (*where != NULL)
		return 0;
	soft(a, now, r, "out of memory");
	return -1;
}

static void
got_account(struct acme *a, int64_t now, const struct acme_reply *r)
{
	if (take_location(a, now, r, &a->account_url,
	    "the CA does not say where the account is") == -1)
		return;
	a->save |= 1u << ACME_FILE_STATE;
	acme_say(a, false, "account %.*s", SV_ARG(r->location));
	with_account(a, now);
}

/* The order stands so: what follows? */
static void
go_on(struct acme *a, int64_t now, int64_t after)
{
	struct acme_order *o = &a->order;

	switch (o->state) {
	case ACME_PENDING:
		if (a->poll_until != 0) {
			/* Every authorization was valid already. */
			acme_poll(a, now, ACME_ASK_ORDER, after);
			break;
		}
		a->authz_i = 0;
		a->phase = ACME_ASK_AUTHZ;
		if (o->nauthz == 0)
			acme_poll(a, now, ACME_ASK_ORDER, after);
		break;
	case ACME_READY:
		if (a->finalized) {
			acme_poll(a, now, ACME_ASK_ORDER, after);
			break;
		}
		a->poll_until = 0;
		a->phase = ACME_ASK_FINALIZE;
		break;
	case ACME_PROCESSING:
		acme_poll(a, now, ACME_ASK_ORDER, after);
		break;
	case ACME_VALID:
		if (a->new_key.n == 0 || o->certificate == NULL) {
			bool lost = a->new_key.n == 0;

			acme_drop_order(a);
			acme_fail(a, now, lost, 0, lost ?
			    "the key of the order is lost, ordering anew" :
			    "the CA does not say where the certificate is");
			break;
		}
		a->phase = ACME_ASK_CHAIN;
		break;
	case ACME_INVALID:
		acme_fail(a, now, false, after, "the CA has given the order "
		    "up: %s", o->problem != NULL ? o->problem :
		    "without a reason");
		acme_drop_order(a);
		break;
	}
}

static void
got_order(struct acme *a, int64_t now, const struct acme_reply *r)
{
	acme_order_fini(&a->order);
	if (acme_order_read(&a->order, r->body) == -1) {
		no_object(a, now, r);
		return;
	}
	go_on(a, now, acme_retry_after(r->retry_after, now));
}

static void
got_new_order(struct acme *a, int64_t now, const struct acme_reply *r)
{
	if (take_location(a, now, r, &a->order_url,
	    "the CA does not say where the order is") == -1)
		return;
	a->finalized = false;
	a->save |= 1u << ACME_FILE_STATE;
	acme_say(a, false, "order %.*s", SV_ARG(r->location));
	got_order(a, now, r);
}

/* The challenge that is shown, or else the one to be tried first. */
static enum acme_challenge
first_choice(const struct acme *a)
{
	const bool *can = a->want->can;

	if (a->shown)
		return a->challenge;
	return can[ACME_HTTP_01] && !(a->other && can[ACME_TLS_ALPN_01]) ?
	    ACME_HTTP_01 : ACME_TLS_ALPN_01;
}

/* Read an authorization for the first challenge that we may answer; for the
 * one that is shown, when there is one. */
static int
read_authz(struct acme *a, struct sv body, struct acme_authz *out)
{
	enum acme_challenge c = first_choice(a), other;

	if (acme_authz_read(out, body, acme_challenge_type(c)) == -1)
		return -1;
	other = c == ACME_HTTP_01 ? ACME_TLS_ALPN_01 : ACME_HTTP_01;
	if (!a->shown && out->url == NULL && a->want->can[other]) {
		acme_authz_fini(out);
		c = other;
		if (acme_authz_read(out, body, acme_challenge_type(c)) == -1)
			return -1;
	}
	a->challenge = c;
	return 0;
}

static void
authz_valid(struct acme *a, int64_t now)
{
	acme_say(a, false, "%s is validated", a->authz.name);
	a->hide |= a->shown;
	a->poll_until = 0;
	if (++a->authz_i < a->order.nauthz)
		a->phase = ACME_ASK_AUTHZ;
	else
		acme_poll(a, now, ACME_ASK_ORDER, 1);
}

static void
authz_invalid(struct acme *a, int64_t now)
{
	a->other = a->challenge == ACME_HTTP_01;
	acme_fail(a, now, false, 0, "%s is not validated by %s: %s",
	    a->authz.name, acme_challenge_type(a->challenge),
	    a->authz.problem != NULL ? a->authz.problem :
	    "the CA gives no reason");
	acme_drop_order(a);
}

static void
got_authz(struct acme *a, int64_t now, const struct acme_reply *r)
{
	struct acme_authz	 z;
	char			*token;
	bool			 waits = a->shown;

	if (read_authz(a, r->body, &z) == -1) {
		no_object(a, now, r);
		return;
	}
	if (waits) {
		/* It may not be told any more, but is to be hidden. */
		token = z.token;
		z.token = a->authz.token;
		a->authz.token = token;
	}
	acme_authz_fini(&a->authz);
	a->authz = z;
	if (z.state == ACME_VALID) {
		authz_valid(a, now);
	} else if (z.state != ACME_PENDING) {
		authz_invalid(a, now);
	} else if (waits) {
		acme_poll(a, now, ACME_ASK_AUTHZ,
		    acme_retry_after(r->retry_after, now));
	} else if (z.url == NULL) {
		acme_fail(a, now, false, 0, "for %s the CA offers %s, and "
		    "nothing of it is possible here", z.name,
		    *z.types != '\0' ? z.types : "no challenge");
		acme_drop_order(a);
	} else {
		acme_say(a, false, "answering the %s challenge for %s",
		    acme_challenge_type(a->challenge), z.name);
		a->phase = ACME_SHOW_IT;
	}
}

static void
got_finalized(struct acme *a, int64_t now, const struct acme_reply *r)
{
	a->finalized = true;
	got_order(a, now, r);
}

/* ---- the certificate ---- */

static void
got_chain(struct acme *a, int64_t now, const struct acme_reply *r)
{
	bool first = a->phase == ACME_ASK_CHAIN;

	if (!is_type(r->ctype, "application/pem-certificate-chain") ||
	    r->body.n > CHAIN_MAX) {
		soft(a, now, r, "the CA's answer is no certificate chain");
		return;
	}
	if (first || is_preferred(a, r->body)) {
		buf_reset(&a->new_chain);
		buf_putsv(&a->new_chain, r->body);
	}
	if (first && a->want->preferred_chain.n > 0 &&
	    !is_preferred(a, r->body))
		take_alternates(a, r);
	if (!first && is_preferred(a, r->body))
		drop_alternates(a);
	else if (!first)
		acme_set(&a->alternate[--a->nalternate], SV(""));
	if (a->nalternate > 0) {
		a->phase = ACME_ASK_ALTERNATE;
		return;
	}
	if (a->want->preferred_chain.n > 0 &&
	    !is_preferred(a, buf_sv(&a->new_chain)))
		acme_say(a, true, "the CA offers no chain of "
		    "tls_autocert.preferred_chain, using its default");
	give(a, now);
}

static void
got_revoked(struct acme *a, int64_t now)
{
	(void)now;
	acme_say(a, false, "the certificate is revoked");
	a->revoking = a->have = false;
	a->revoked = true;
	a->phase = ACME_DECIDE;
}

/* ---- dispatch ---- */

static void
got(struct acme *a, int64_t now, const struct acme_reply *r)
{
	switch (a->phase) {
	case ACME_ASK_DIRECTORY:
		got_directory(a, now, r);
		break;
	case ACME_ASK_WINDOW:
		got_window(a, now, r);
		break;
	case ACME_ASK_ACCOUNT:
		got_account(a, now, r);
		break;
	case ACME_ASK_NEW_ORDER:
		got_new_order(a, now, r);
		break;
	case ACME_ASK_ORDER:
		got_order(a, now, r);
		break;
	case ACME_ASK_AUTHZ:
		got_authz(a, now, r);
		break;
	case ACME_ASK_CHECK:
		acme_poll(a, now, ACME_ASK_AUTHZ,
		    acme_retry_after(r->retry_after, now));
		break;
	case ACME_ASK_FINALIZE:
		got_finalized(a, now, r);
		break;
	case ACME_ASK_CHAIN:
	case ACME_ASK_ALTERNATE:
		got_chain(a, now, r);
		break;
	case ACME_ASK_REVOKE:
		got_revoked(a, now);
		break;
	default:
		break;
	}
}

static void
got_nonce(struct acme *a, int64_t now, const struct acme_reply *r)
{
	a->asking_nonce = false;
	if (r->why != NULL)
		acme_fail(a, now, true, 0, "the CA can't be reached: %s",
		    r->why);
	else if (a->nonce == NULL)
		soft(a, now, r, "the CA gives no nonce");
}

/* see order_impl.h */
void
acme_answer(struct acme *a, int64_t now, const struct acme_reply *r)
{
	if (r->why == NULL && r->nonce.n > 0 && r->nonce.n <= 512)
		acme_set(&a->nonce, r->nonce);
	if (a->asking_nonce)
		got_nonce(a, now, r);
	else if (r->why != NULL && is_favour(a))
		no_favour(a, now, r);
	else if (r->why != NULL)
		acme_fail(a, now, true, 0, "the CA can't be reached: %s",
		    r->why);
	else if (r->status >= 400)
		refused(a, now, r);
	else if (r->status < 200 || r->status >= 300)
		soft(a, now, r, "the CA redirects, which ACME does not know");
	else {
		a->bad_nonces = 0;
		got(a, now, r);
	}
}

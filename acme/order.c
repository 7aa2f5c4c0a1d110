/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See order.h. One attempt goes through the phases in their order; whatever
 * goes wrong in between ends in acme_fail(), which remembers when to try
 * again, and the next attempt begins with what is still good.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/csr.h"
#include "acme/order_impl.h"
#include "acme/renew.h"
#include "tls/verify.h"
#include "util/base64.h"
#include "util/json.h"

#define HOUR		3600
#define DAY		(24 * HOUR)
#define POLL_SOON	2	/* seconds between questions, */
#define POLL_LATER	15	/* later on */
#define CLOCK_WAIT	60	/* for the clock to be set */
#define MEMORY_WAIT	5	/* for there to be some */
#define ORDER_LIFE	DAY	/* of an order that leads nowhere */

#define SENTENCE	1024

/* ---- small things ---- */

/* see order_impl.h */
void
acme_set(char **where, struct sv s)
{
	free(*where);
	*where = s.n > 0 ? sv_dup(s) : NULL;
}

/* see order_impl.h */
const char *
acme_challenge_type(enum acme_challenge c)
{
	return c == ACME_HTTP_01 ? "http-01" : "tls-alpn-01";
}

static void
say_line(struct acme *a, bool warn, const char *text)
{
	if (a->say.n > 0)
		buf_puts(&a->say, "; ");
	buf_puts(&a->say, text);
	a->warn |= warn;
}

/* see order_impl.h */
void
acme_say(struct acme *a, bool warn, const char *fmt, ...)
{
	char	line[SENTENCE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say_line(a, warn, line);
}

static uint16_t
draw(struct acme *a)
{
	uint16_t r;

	a->random(&r, sizeof(r));
	return r;
}

/* "a.example, b.example and 3 more" */
static const char *
names_text(struct acme *a)
{
	const struct acme_want	*w = a->want;
	size_t			 i;

	buf_reset(&a->scratch);
	for (i = 0; i < w->nname && i < 3; i++)
		buf_printf(&a->scratch, "%s%.*s", i > 0 ? ", " : "",
		    SV_ARG(w->name[i]));
	if (i < w->nname)
		buf_printf(&a->scratch, " and %zu more", w->nname - i);
	buf_putc(&a->scratch, '\0');
	return a->scratch.failed ? "" : a->scratch.p;
}

/* ---- failure ---- */

static void
end_attempt(struct acme *a)
{
	a->hide |= a->shown;
	a->phase = ACME_DECIDE;
	a->asked_window = a->no_replaces = a->new_account_tried = false;
	a->finalized = false;
	a->bad_nonces = 0;
	a->poll_at = a->poll_until = 0;
	acme_directory_fini(&a->dir);
	acme_order_fini(&a->order);
	while (a->nalternate > 0)
		free(a->alternate[--a->nalternate]);
	buf_fini(&a->new_chain);
}

/* see order_impl.h */
void
acme_drop_order(struct acme *a)
{
	acme_set(&a->order_url, SV(""));
	acme_order_fini(&a->order);
	if (a->new_key.n > 0)
		a->save |= 1u << ACME_FILE_KEY;
	buf_wipe(&a->new_key);
	a->save |= 1u << ACME_FILE_STATE;
}

static int64_t	try_at(const struct acme *, int64_t now);

/* see order_impl.h */
void
acme_fail(struct acme *a, int64_t now, bool soft, int64_t retry_after,
    const char *fmt, ...)
{
	char	line[SENTENCE];
	int64_t	wait, left = a->have ? a->not_after - now : 0;
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say_line(a, true, line);
	if (a->revoking) {
		/* No reason to put off a renewal. */
		a->revoking = false;
		a->revoked = true;
		end_attempt(a);
		return;
	}
	a->failures++;
	a->failed_at = now;
	a->next_at = now + acme_backoff(a->failures, soft, left, retry_after,
	    draw(a));
	a->forced = a->force = false;
	acme_set(&a->problem, sv_from(line));
	a->save |= 1u << ACME_FILE_STATE;
	wait = try_at(a, now) - now;
	acme_say(a, true, "next try in %lld %s", (long long)(wait < 2 * HOUR ?
	    wait : wait / HOUR), wait < 2 * HOUR ? "s" : "hours");
	if (a->have && left <= 0)
		acme_say(a, true, "the certificate has expired");
	else if (a->have && acme_is_late(a->not_before, a->not_after, now))
		acme_say(a, true, "the certificate has %lld hours left",
		    (long long)left / HOUR);
	end_attempt(a);
}

/* see order_impl.h */
void
acme_poll(struct acme *a, int64_t now, enum acme_phase phase,
    int64_t retry_after)
{
	if (a->poll_until == 0)
		a->poll_until = now + ACME_POLL_MOST;
	if (retry_after > ACME_POLL_MOST) {
		acme_fail(a, now, true, retry_after, "the CA will not come to "
		    "a decision on %s before long", names_text(a));
		return;
	}
	if (now >= a->poll_until) {
		acme_drop_order(a);
		acme_fail(a, now, false, retry_after, "the CA has not come to "
		    "a decision on %s in %d minutes", names_text(a),
		    ACME_POLL_MOST / 60);
		return;
	}
	if (retry_after < 1)
		retry_after = a->poll_until - now > ACME_POLL_MOST - 30 ?
		    POLL_SOON : POLL_LATER;
	a->poll_at = now + retry_after;
	a->phase = phase;
}

/* ---- whether there is anything to do ---- */

/* A certificate that was due when it was made (by its dates, or for a CA
 * whose window is always past) is kept for a while nevertheless. */
static int64_t
renew_at(const struct acme *a)
{
	int64_t at, had = a->window.had_at, least = 0;

	if (!a->have)
		return 0;
	at = a->window.renew_at;
	if (at == 0 || at >= a->not_after)
		at = acme_renew_at(a->not_before, a->not_after, a->jitter);
	if (had > 0)
		least = (a->not_after - had) / 3;
	if (least > DAY)
		least = DAY;
	return at > had + least ? at : had + least;
}

/* When one more order may be made. */
static int64_t
order_at(const struct acme *a, int64_t now)
{
	int64_t oldest = a->ordered[ACME_ORDERS_HOUR - 1];

	return oldest > 0 && oldest <= now && !a->force ? oldest + HOUR : 0;
}

/* see order_impl.h */
void
acme_begin_order(struct acme *a, int64_t now)
{
	int64_t at = order_at(a, now);

	if (at > now) {
		acme_fail(a, now, true, at - now, "%d orders in an hour are "
		    "enough", ACME_ORDERS_HOUR);
		return;
	}
	a->phase = ACME_ASK_NEW_ORDER;
	memmove(a->ordered + 1, a->ordered,
	    sizeof(a->ordered) - sizeof(a->ordered[0]));
	a->ordered[0] = now;
	a->save |= 1u << ACME_FILE_STATE;
}

static void
idle(struct acme_step *s, int64_t until)
{
	s->what = ACME_IDLE;
	s->until = until;
}

/* What was remembered when the clock was ahead of now says nothing. */
static void
mend_times(struct acme *a, int64_t now)
{
	if (a->failed_at > now)
		a->next_at = 0;
	if (a->window.asked_at > now)
		a->window.ask_at = 0;
	if (a->window.had_at > now)
		a->window.had_at = 0;
}

/* By back-off or limit. */
static int64_t
pause_until(const struct acme *a, int64_t now)
{
	int64_t at = a->force || a->failed_at > now ? 0 : a->next_at;

	return a->order_url == NULL && order_at(a, now) > at ?
	    order_at(a, now) : at;
}

/* When a certificate is asked for, perhaps already. */
static int64_t
try_at(const struct acme *a, int64_t now)
{
	int64_t at = a->forced ? 0 : renew_at(a), pause = pause_until(a, now);

	return pause > at ? pause : at;
}

/* When there is something to do, perhaps already. */
static int64_t
due_at(const struct acme *a, int64_t now)
{
	int64_t at = try_at(a, now), ask = a->window.ask_at;

	if (a->revoking)
		return 0;
	if (ask < a->next_at)
		ask = a->next_at;
	return a->asked_window && ask < at ? ask : at;
}

/* Decide, and go on with the first phase or be idle. */
static bool
decide(struct acme *a, int64_t now, struct acme_step *s)
{
	int64_t at;

	if (now < TLS_MADE) {
		acme_say(a, true, "the clock is wrong: nothing can be asked "
		    "of a CA before it is set");
		idle(s, now + CLOCK_WAIT);
		return false;
	}
	if (a->revoked) {
		idle(s, INT64_MAX);
		return false;
	}
	mend_times(a, now);
	a->asked_window = !a->forced && !a->revoking && renew_at(a) > now;
	if ((at = due_at(a, now)) > now) {
		idle(s, at);
		return false;
	}
	if (a->order_url != NULL && now - a->ordered[0] > ORDER_LIFE)
		acme_drop_order(a);
	if (a->unsaved)
		a->save |= 1u << ACME_FILE_STATE;
	a->phase = ACME_ASK_DIRECTORY;
	return true;
}

/* ---- requests ---- */

static void
step_get(struct acme_step *s, const char *url, bool head)
{
	s->what = ACME_REQUEST;
	s->url = sv_from(url);
	s->head = head;
}

/* A signed request, or first one for a nonce. The payload is freed; NULL:
 * POST-as-GET. */
static void
step_post(struct acme *a, struct acme_step *s, const char *url,
    struct buf *payload, bool with_account)
{
	struct buf none = BUF_INIT;

	if (payload == NULL)
		payload = &none;
	if (a->nonce == NULL) {
		buf_fini(payload);
		a->asking_nonce = true;
		step_get(s, a->dir.new_nonce, true);
		return;
	}
	buf_reset(&a->body);
	acme_jws(&a->body, &a->key, with_account ? sv_from(a->account_url) :
	    SV(""), sv_from(a->nonce), sv_from(url), buf_sv(payload));
	a->body.failed |= payload->failed || url == NULL;
	buf_fini(payload);
	acme_set(&a->nonce, SV(""));
	step_get(s, url, false);
	s->body = buf_sv(&a->body);
}

static void
step_account(struct acme *a, struct acme_step *s)
{
	const struct acme_want	*w = a->want;
	struct buf		 b = BUF_INIT;

	buf_puts(&b, "{\"termsOfServiceAgreed\":true");
	if (w->email.n > 0) {
		buf_reset(&a->scratch);
		buf_printf(&a->scratch, "mailto:%.*s", SV_ARG(w->email));
		buf_puts(&b, ",\"contact\":[");
		json_put_str(&b, buf_sv(&a->scratch));
		buf_putc(&b, ']');
	}
	if (w->eab_kid.n > 0) {
		buf_puts(&b, ",\"externalAccountBinding\":");
		acme_jws_binding(&b, &a->key, w->eab_kid, w->eab_key,
		    sv_from(a->dir.new_account));
	}
	buf_putc(&b, '}');
	step_post(a, s, a->dir.new_account, &b, false);
}

/* see order_impl.h */
bool
acme_has_profile(const struct acme *a)
{
	struct sv names = sv_from(a->dir.profiles);

	while (names.n > 0 && a->want->profile.n > 0)
		if (sv_eq(sv_cut(&names, ' '), a->want->profile))
			return true;
	return false;
}

static void
put_identifier(struct buf *b, struct sv name)
{
	unsigned char ip[16];

	buf_printf(b, "{\"type\":\"%s\",\"value\":",
	    acme_ip(name, ip) > 0 ? "ip" : "dns");
	json_put_str(b, name);
	buf_putc(b, '}');
}

static void
step_new_order(struct acme *a, struct acme_step *s)
{
	const struct acme_want	*w = a->want;
	struct buf		 b = BUF_INIT;
	size_t			 i;

	buf_puts(&b, "{\"identifiers\":[");
	for (i = 0; i < w->nname; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		put_identifier(&b, w->name[i]);
	}
	buf_putc(&b, ']');
	if (acme_has_profile(a)) {
		buf_puts(&b, ",\"profile\":");
		json_put_str(&b, w->profile);
	}
	buf_reset(&a->scratch);
	a->replaces = a->have && a->dir.renewal_info != NULL &&
	    !a->no_replaces &&
	    acme_cert_id(&a->scratch, buf_sv(&a->chain)) == 0;
	if (a->replaces) {
		buf_puts(&b, ",\"replaces\":");
		json_put_str(&b, buf_sv(&a->scratch));
	}
	buf_putc(&b, '}');
	step_post(a, s, a->dir.new_order, &b, true);
}

static void
step_finalize(struct acme *a, struct acme_step *s)
{
	struct buf csr = BUF_INIT, b = BUF_INIT;

	if (acme_csr(&csr, buf_sv(&a->new_key), a->want->name,
	    a->want->nname) == -1)
		b.failed = true;
	buf_puts(&b, "{\"csr\":\"");
	base64url_put(&b, buf_sv(&csr));
	buf_puts(&b, "\"}");
	step_post(a, s, a->order.finalize, &b, true);
	buf_fini(&csr);
}

static void
step_window(struct acme *a, struct acme_step *s)
{
	buf_reset(&a->body);
	buf_printf(&a->body, "%s/", a->dir.renewal_info);
	if (acme_cert_id(&a->body, buf_sv(&a->chain)) == -1)
		a->body.failed = true;
	s->what = ACME_REQUEST;
	s->url = buf_sv(&a->body);
}

/* The leaf in base64url, and why. */
static void
step_revoke(struct acme *a, struct acme_step *s)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "{\"certificate\":\"");
	if (acme_leaf_put(&b, buf_sv(&a->chain)) == -1)
		b.failed = true;
	buf_printf(&b, "\",\"reason\":%u}", a->revoke_reason);
	step_post(a, s, a->dir.revoke_cert, &b, true);
}

/* ---- keys ---- */

static void
make_account_key(struct acme *a)
{
	unsigned char seed[ACME_SEED];

	a->random(seed, sizeof(seed));
	acme_key_new(&a->key, seed);
	explicit_bzero(seed, sizeof(seed));
	a->has_key = true;
	a->save |= 1u << ACME_FILE_ACCOUNT;
	acme_set(&a->account_url, SV(""));
}

/* Before the order is finalized, so that the key is on disk by then. */
static int
make_new_key(struct acme *a, int64_t now)
{
	unsigned char	seed[ACME_SEED];
	int		ret;

	a->random(seed, sizeof(seed));
	ret = acme_cert_key(&a->new_key, a->want->rsa, seed);
	explicit_bzero(seed, sizeof(seed));
	if (ret == -1) {
		buf_wipe(&a->new_key);
		acme_fail(a, now, true, 0, "can't make a key");
		return -1;
	}
	a->save |= 1u << ACME_FILE_KEY;
	return 0;
}

/* ---- one step ---- */

/* A key is there before what needs it, and goes after it. */
static enum acme_file
first_file(const struct acme *a)
{
	if (a->save & 1u << ACME_FILE_ACCOUNT)
		return ACME_FILE_ACCOUNT;
	if (a->save & 1u << ACME_FILE_STATE && (a->new_key.n == 0 ||
	    !(a->save & 1u << ACME_FILE_KEY)))
		return ACME_FILE_STATE;
	return ACME_FILE_KEY;
}

/* What has to be written before anything else is done. */
static bool
step_save(struct acme *a, struct acme_step *s)
{
	if (a->save == 0)
		return false;
	buf_reset(&a->body);
	s->file = first_file(a);
	s->what = ACME_SAVE;
	if (s->file == ACME_FILE_ACCOUNT) {
		acme_key_write(&a->key, &a->body);
	} else if (s->file == ACME_FILE_STATE) {
		acme_state_put(a);
	} else if (a->new_key.n > 0) {
		buf_putsv(&a->body, buf_sv(&a->new_key));
	} else {
		s->what = ACME_REMOVE;
	}
	a->out_file = s->file;
	s->body = buf_sv(&a->body);
	return true;
}

static bool
step_hide(struct acme *a, struct acme_step *s)
{
	if (!a->hide)
		return false;
	s->what = ACME_HIDE;
	s->challenge = a->challenge;
	s->name = sv_from(a->authz.name);
	s->token = sv_from(a->authz.token);
	return true;
}

static void
step_show(struct acme *a, struct acme_step *s)
{
	char thumbprint[ACME_THUMBPRINT];

	buf_reset(&a->body);
	if (acme_thumbprint(&a->key, thumbprint) == -1)
		a->body.failed = true;
	else
		buf_printf(&a->body, "%s.%.*s", a->authz.token,
		    ACME_THUMBPRINT, thumbprint);
	s->what = ACME_SHOW;
	s->challenge = a->challenge;
	s->name = sv_from(a->authz.name);
	s->token = sv_from(a->authz.token);
	s->key_auth = buf_sv(&a->body);
}

static void
step_ask(struct acme *a, struct acme_step *s)
{
	struct buf b = BUF_INIT;

	switch (a->phase) {
	case ACME_ASK_ACCOUNT:
		step_account(a, s);
		break;
	case ACME_ASK_NEW_ORDER:
		step_new_order(a, s);
		break;
	case ACME_ASK_ORDER:
		step_post(a, s, a->order_url, NULL, true);
		break;
	case ACME_ASK_AUTHZ:
		step_post(a, s, a->order.authz[a->authz_i], NULL, true);
		break;
	case ACME_ASK_CHECK:
		buf_puts(&b, "{}");
		step_post(a, s, a->authz.url, &b, true);
		break;
	case ACME_ASK_FINALIZE:
		step_finalize(a, s);
		break;
	case ACME_ASK_CHAIN:
		step_post(a, s, a->order.certificate, NULL, true);
		break;
	case ACME_ASK_ALTERNATE:
		step_post(a, s, a->alternate[a->nalternate - 1], NULL, true);
		break;
	case ACME_ASK_REVOKE:
		step_revoke(a, s);
		break;
	default:
		break;
	}
}

static void
step_give(struct acme *a, struct acme_step *s)
{
	s->what = ACME_HAVE;
	s->chain = buf_sv(&a->new_chain);
	s->key = buf_sv(&a->new_key);
}

/* Prepare the phase, which may turn it into another one, and give its step.
 * False: look again. */
static bool
step_phase(struct acme *a, int64_t now, struct acme_step *s)
{
	switch (a->phase) {
	case ACME_DECIDE:
		return !decide(a, now, s);
	case ACME_ASK_DIRECTORY:
		s->what = ACME_REQUEST;
		s->url = a->want->directory;
		return true;
	case ACME_ASK_WINDOW:
		step_window(a, s);
		return true;
	case ACME_ASK_ACCOUNT:
		if (!a->has_key) {
			make_account_key(a);
			return false;
		}
		break;
	case ACME_ASK_FINALIZE:
		if (a->new_key.n == 0) {
			make_new_key(a, now);
			return false;
		}
		break;
	case ACME_SHOW_IT:
		step_show(a, s);
		return true;
	case ACME_GIVE:
		step_give(a, s);
		return true;
	default:
		break;
	}
	if (a->poll_at > now + ACME_POLL_MOST)	/* the clock was set back */
		a->poll_at = a->poll_until = 0;
	if (a->poll_at > now) {
		s->what = ACME_WAIT;
		s->until = a->poll_at;
		return true;
	}
	a->poll_at = 0;
	step_ask(a, s);
	return true;
}

/* What was said since the last step goes out with this one. */
static void
attach_line(struct acme *a, struct acme_step *s)
{
	struct buf b = a->said;

	a->said = a->say;
	a->say = b;
	buf_reset(&a->say);
	s->say = buf_sv(&a->said);
	s->warn = a->warn;
	a->warn = false;
}

/* see order.h */
void
acme_next(struct acme *a, int64_t now, struct acme_step *s)
{
	memset(s, 0, sizeof(*s));
	while (!step_save(a, s) && !step_hide(a, s) &&
	    !step_phase(a, now, s))
		continue;
	if (a->body.failed) {
		memset(s, 0, sizeof(*s));
		buf_reset(&a->body);
		a->asking_nonce = false;
		acme_say(a, true, "out of memory");
		s->what = ACME_WAIT;
		s->until = now + MEMORY_WAIT;
	}
	a->out = s->what;
	attach_line(a, s);
}

/* ---- what came of a step ---- */

static void
hidden(struct acme *a)
{
	a->hide = a->shown = false;
	acme_authz_fini(&a->authz);
}

static void
saved(struct acme *a, int64_t now, const char *why)
{
	if (why == NULL) {
		a->save &= ~(1u << a->out_file);
		a->unsaved &= a->out_file != ACME_FILE_STATE;
		return;
	}
	/* Without memory on disk nothing is asked of a CA. The attempt ends;
	 * the next one begins with writing. */
	acme_fail(a, now, true, 60, "the state directory can't be written: "
	    "%s", why);
	a->save = 0;
	a->unsaved = true;
	a->has_key = a->has_key && a->out_file != ACME_FILE_ACCOUNT;
	if (a->out_file == ACME_FILE_KEY)
		buf_wipe(&a->new_key);
}

static void
given(struct acme *a, int64_t now, const char *why)
{
	const char *reason;

	if (why != NULL) {
		acme_fail(a, now, true, 60, "the new certificate can't be put "
		    "into use: %s", why);
		return;
	}
	if (acme_take_cert(a, buf_sv(&a->new_chain), buf_sv(&a->new_key),
	    now, &reason) == -1) {
		acme_fail(a, now, true, 0, "%s", reason);
		return;
	}
	a->window.had_at = now;
	a->failures = 0;
	a->next_at = 0;
	a->forced = a->force = false;
	acme_set(&a->problem, SV(""));
	acme_say(a, false, "have a certificate for %s, valid for %lld hours",
	    names_text(a), (long long)(a->not_after - now) / HOUR);
	acme_drop_order(a);
	end_attempt(a);
}

/* see order.h */
void
acme_done(struct acme *a, int64_t now, const char *why)
{
	switch (a->out) {
	case ACME_SAVE:
	case ACME_REMOVE:
		saved(a, now, why);
		break;
	case ACME_HIDE:
		hidden(a);
		break;
	case ACME_SHOW:
		a->shown = true;
		a->phase = ACME_ASK_CHECK;
		if (why != NULL) {
			a->other = a->challenge == ACME_HTTP_01;
			acme_fail(a, now, false, 0, "the %s challenge can't "
			    "be shown: %s", acme_challenge_type(a->challenge),
			    why);
		}
		break;
	case ACME_HAVE:
		given(a, now, why);
		break;
	default:
		break;
	}
}

/* see order.h */
void
acme_reply(struct acme *a, int64_t now, const struct acme_reply *r)
{
	if (a->out == ACME_REQUEST)
		acme_answer(a, now, r);
}

/* ---- life ---- */

/* see order.h */
struct acme *
acme_new(const struct acme_want *want, void (*random)(void *, size_t))
{
	struct acme *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->want = want;
	a->random = random;
	return a;
}

/* see order.h */
void
acme_free(struct acme *a)
{
	if (a == NULL)
		return;
	end_attempt(a);
	acme_authz_fini(&a->authz);
	free(a->account_url);
	free(a->order_url);
	free(a->problem);
	free(a->nonce);
	buf_wipe(&a->new_key);
	buf_wipe(&a->chain_key);
	buf_wipe(&a->body);
	buf_fini(&a->chain);
	buf_fini(&a->scratch);
	buf_fini(&a->say);
	buf_fini(&a->said);
	explicit_bzero(a, sizeof(*a));
	free(a);
}

/* The key of the order that is under way; or that order is done, if the
 * present certificate has it. */
static void
load_new_key(struct acme *a, const struct acme_disk *d)
{
	struct buf csr = BUF_INIT;

	if (d->new_key.n == 0)
		return;
	buf_putsv(&a->new_key, d->new_key);
	if (a->have && memmem(d->key.p, d->key.n, d->new_key.p,
	    d->new_key.n) != NULL) {
		acme_drop_order(a);
	} else if (acme_csr(&csr, d->new_key, a->want->name,
	    a->want->nname) == -1) {
		acme_say(a, true, "the key of the order is damaged");
		buf_wipe(&a->new_key);
	}
	buf_fini(&csr);
}

/* see order.h */
void
acme_load(struct acme *a, const struct acme_disk *d)
{
	const char *why;

	if (d->account.n > 0) {
		a->has_key = acme_key_read(&a->key, d->account) == 0;
		if (!a->has_key)
			acme_say(a, true, "the account key is damaged, "
			    "making a new one");
	}
	if (d->state.n > 0 && acme_state_get(a, d->state) == -1)
		acme_say(a, true, "the state file is damaged or of another "
		    "CA, beginning anew");
	if (d->chain.n > 0 &&
	    acme_take_cert(a, d->chain, d->key, 0, &why) == -1)
		acme_say(a, true, "the certificate that is there is of no "
		    "use: %s", why);
	if (a->order_url != NULL)
		load_new_key(a, d);
	if (a->new_key.n == 0 && d->new_key.n > 0)
		a->save |= 1u << ACME_FILE_KEY;		/* of no use */
}

/* see order.h */
void
acme_renew_now(struct acme *a, bool force)
{
	a->forced = true;
	a->force = force;
	if (force)
		a->next_at = 0;
}

/* see order.h */
void
acme_revoke(struct acme *a, unsigned reason)
{
	a->revoking = true;
	a->revoke_reason = reason;
}

/* see order.h */
void
acme_status(const struct acme *a, int64_t now, struct acme_status *s)
{
	memset(s, 0, sizeof(*s));
	s->have = a->have;
	s->not_before = a->not_before;
	s->not_after = a->not_after;
	s->renew_at = renew_at(a);
	s->next_at = try_at(a, now);
	s->pause_until = pause_until(a, now);
	s->failures = a->failures;
	s->problem = a->problem;
	s->account_url = a->account_url;
	s->order_url = a->order_url;
}

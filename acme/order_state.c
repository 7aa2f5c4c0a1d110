/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the machine of order.c remembers: the state file, a JSON object that
 * is only good for the directory it was written for, and the present
 * certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/order_impl.h"
#include "acme/renew.h"
#include "tls/tls.h"
#include "tls/x509.h"
#include "util/json.h"
#include "util/pem.h"

static void
put_text(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, sv_from(value));
}

static void
put_number(struct buf *b, const char *name, int64_t n)
{
	if (n != 0)
		buf_printf(b, ",\"%s\":%lld", name, (long long)n);
}

/* Of the account's key, which may be replaced. */
static void
put_thumbprint(struct buf *b, const struct acme *a)
{
	char text[ACME_THUMBPRINT + 1] = "";

	if (acme_thumbprint(&a->key, text) == 0)
		put_text(b, "account_key", text);
}

/* see order_impl.h */
void
acme_state_put(struct acme *a)
{
	struct buf	*b = &a->body;
	size_t		 i;

	buf_puts(b, "{\"directory\":");
	json_put_str(b, a->want->directory);
	put_text(b, "account", a->account_url);
	put_thumbprint(b, a);
	put_text(b, "order", a->order_url);
	put_number(b, "failures", a->failures);
	put_number(b, "failed_at", a->failed_at);
	put_number(b, "next_at", a->next_at);
	put_text(b, "problem", a->problem);
	put_number(b, "other_challenge", a->other);
	put_number(b, "window_start", a->window.start);
	put_number(b, "window_end", a->window.end);
	put_number(b, "renew_at", a->window.renew_at);
	put_number(b, "asked_at", a->window.asked_at);
	put_number(b, "ask_at", a->window.ask_at);
	put_number(b, "had_at", a->window.had_at);
	put_number(b, "of", a->window.of);
	buf_puts(b, ",\"ordered\":[");
	for (i = 0; i < ACME_ORDERS_HOUR && a->ordered[i] != 0; i++)
		buf_printf(b, "%s%lld", i > 0 ? "," : "",
		    (long long)a->ordered[i]);
	buf_puts(b, "]}\n");
}

static void
get_text(struct jv obj, const char *name, char **out)
{
	struct buf	scratch = BUF_INIT;
	struct sv	s;

	if (jv_str(jv_get(obj, name), &scratch, &s) == 0)
		acme_set(out, s);
	buf_fini(&scratch);
}

static void
get_number(struct jv obj, const char *name, int64_t *out)
{
	int64_t n;

	if (jv_i64(jv_get(obj, name), &n) == 0 && n >= 0)
		*out = n;
}

static bool
is_text(struct jv root, const char *name, struct sv text)
{
	struct buf	scratch = BUF_INIT;
	struct sv	s;
	bool		is;

	is = jv_str(jv_get(root, name), &scratch, &s) == 0 && sv_eq(s, text);
	buf_fini(&scratch);
	return is;
}

/* The account, and an order of it, are of use with their key only. */
static void
get_account(struct acme *a, struct jv root)
{
	char thumbprint[ACME_THUMBPRINT];

	if (!a->has_key || acme_thumbprint(&a->key, thumbprint) == -1 ||
	    !is_text(root, "account_key", sv_make(thumbprint,
	    ACME_THUMBPRINT)))
		return;
	get_text(root, "account", &a->account_url);
	get_text(root, "order", &a->order_url);
}

static void
get_all(struct acme *a, struct jv root)
{
	struct jv	v;
	int64_t		failures = 0, other = 0, at;
	size_t		i = 0;

	get_account(a, root);
	get_text(root, "problem", &a->problem);
	get_number(root, "failures", &failures);
	a->failures = failures > 1000 ? 1000 : (unsigned)failures;
	get_number(root, "other_challenge", &other);
	a->other = other != 0;
	get_number(root, "failed_at", &a->failed_at);
	get_number(root, "next_at", &a->next_at);
	get_number(root, "window_start", &a->window.start);
	get_number(root, "window_end", &a->window.end);
	get_number(root, "renew_at", &a->window.renew_at);
	get_number(root, "asked_at", &a->window.asked_at);
	get_number(root, "ask_at", &a->window.ask_at);
	get_number(root, "had_at", &a->window.had_at);
	get_number(root, "of", &a->window.of);
	for (v = jv_first(jv_get(root, "ordered")); jv_is(v) &&
	    i < ACME_ORDERS_HOUR; v = jv_next(v))
		if (jv_i64(v, &at) == 0 && at > 0)
			a->ordered[i++] = at;
}

/* see order_impl.h */
int
acme_state_get(struct acme *a, struct sv text)
{
	struct json	j;
	int		ret = -1;

	json_init(&j);
	if (json_parse(&j, text, 0) == 0 &&
	    is_text(json_root(&j), "directory", a->want->directory)) {
		get_all(a, json_root(&j));
		ret = 0;
	}
	json_fini(&j);
	return ret;
}

/* ---- the present certificate ---- */

/* When the leaf begins to be valid. */
static int64_t
begin_of(struct sv chain)
{
	struct buf	 der = BUF_INIT;
	struct pem	 block;
	struct x509	 x;
	const char	*why;
	int64_t		 at = 0;

	if (pem_next(&chain, &block) == 1 && pem_decode(&der, &block) == 0 &&
	    x509_read(&x, buf_sv(&der), &why) == 0)
		at = x.not_before;
	buf_fini(&der);
	return at;
}

/* The name that the certificate is not for, or NULL. */
static const struct sv *
missing_name(const struct acme *a, const struct tls_cred *cred)
{
	size_t	i;
	bool	exact;

	for (i = 0; i < a->want->nname; i++)
		if (!tls_cred_matches(cred, a->want->name[i], &exact))
			return &a->want->name[i];
	return NULL;
}

/* see order_impl.h */
int
acme_take_cert(struct acme *a, struct sv chain, struct sv key, int64_t now,
    const char **why)
{
	const struct tls_report	 report = { tls_report_first, &a->scratch };
	struct tls_cred		*cred;
	const struct sv		*name;

	*why = "out of memory";
	buf_reset(&a->scratch);
	if (tls_cred_load(&cred, chain, key, now > 0 ? now : begin_of(chain),
	    &report) == -1) {
		buf_putc(&a->scratch, '\0');
		if (!a->scratch.failed && *a->scratch.p != '\0')
			*why = a->scratch.p;
		return -1;
	}
	if ((name = missing_name(a, cred)) != NULL) {
		buf_printf(&a->scratch, "it is not for %.*s", SV_ARG(*name));
		buf_putc(&a->scratch, '\0');
		if (!a->scratch.failed)
			*why = a->scratch.p;
		tls_cred_unref(cred);
		return -1;
	}
	a->not_before = tls_cred_info(cred)->not_before;
	a->not_after = tls_cred_info(cred)->not_after;
	tls_cred_unref(cred);
	a->jitter = acme_jitter(chain);
	if (a->window.of != a->not_after) {
		memset(&a->window, 0, sizeof(a->window));
		a->window.of = a->not_after;
	}
	buf_reset(&a->chain);
	buf_putsv(&a->chain, chain);
	buf_reset(&a->chain_key);
	buf_putsv(&a->chain_key, key);
	a->have = !a->chain.failed && !a->chain_key.failed;
	return a->have ? 0 : -1;
}

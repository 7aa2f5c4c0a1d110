/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See secure.h.
 */
#include <stdlib.h>
#include <strings.h>

#include "api/secure.h"
#include "tls/filter.h"
#include "util/log.h"

static void
say(void *arg, bool fatal, const char *text)
{
	const struct secure *s = arg;

	if (s->again)
		return;
	if (fatal)
		log_error(text);
	else
		log_warn(text);
}

/* ---- calls to https URLs ---- */

static bool
is_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

/* Whom to trust is read when first needed. */
static int
load_client(struct secure *s, const struct conf *conf)
{
	const struct tls_report		report = { say, s };
	struct tls_client_options	o = { .trust = NULL };

	if (s->client != NULL ||
	    (!is_https(conf->client.token.jwks_public_endpoint) &&
	    !is_https(conf->client.subscription_token.token
	    .jwks_public_endpoint)))
		return 0;
	if (tls_trust_load_system(&o.trust, &report) == -1)
		return -1;
	s->client = tls_client_new(&o);
	tls_trust_unref(o.trust);
	return s->client == NULL ? -1 : 0;
}

static int
start_call(const struct http_tls *t, struct conn *c, const char *host)
{
	const struct secure_calls *calls =
	    (const struct secure_calls *)(const void *)t;

	return tls_connect(c, calls->client, host, calls->tw);
}

/* On the node's worker, or before it runs. */
static void
set_calls(struct secure *s, const struct node *n, struct tls_client *client)
{
	struct secure_calls *calls = &s->calls[n->w->id];

	if (client == NULL || calls->client != NULL)
		return;
	calls->tls.start = start_call;
	calls->client = tls_client_ref(client);
	calls->tw = s->tw[n->w->id];
	http_client_set_tls(n->http, &calls->tls);
}

/* ---- certificates ---- */

/* Whether the same ports speak TLS, with the same certificates. Which do is
 * settled at the start. */
static bool
same_ports(const struct conf *a, const struct conf *b)
{
	const struct conf_http_server *x = &a->http_server,
	    *y = &b->http_server;

	return certs_used(a) == certs_used(b) &&
	    x->internal_tls.enabled == y->internal_tls.enabled &&
	    x->tls_external == y->tls_external;
}

/* see secure.h */
int
secure_load(struct secure *s, const struct conf *conf)
{
	const struct conf_tls	*t = &conf->http_server.tls;
	struct certs		 fresh;

	if (s->sessions == NULL && t->session_cache_size > 0 &&
	    (certs_used(conf) || conf->http_server.internal_tls.enabled))
		s->sessions = tls_sessions_new((size_t)t->session_cache_size);
	if (certs_load(&fresh, conf, s->more, s->nmore, s->sessions, say,
	    s) == -1)
		return -1;
	if (load_client(s, conf) == -1) {
		certs_fini(&fresh);
		return -1;
	}
	if (s->conf != NULL && !same_ports(s->conf, conf)) {
		log_warn("which ports speak TLS changes at a restart only: "
		    "until then the certificates stay as they are");
		certs_fini(&fresh);
		return 0;
	}
	certs_fini(&s->certs);
	s->certs = fresh;
	s->refused = false;
	conf_unref(s->conf);
	s->conf = conf_ref(conf);
	if (s->loaded != NULL && s->certs.external != NULL)
		s->loaded(s->loaded_arg, s->certs.external);
	return 0;
}

/* For the metrics. */
static void
tell_expiry(struct secure *s)
{
	s->srv->cert_not_after = s->certs.external == NULL ? 0 :
	    tls_server_not_after(s->certs.external);
}

/* see secure.h */
int
secure_start(struct secure *s, struct ports *ports, struct server *srv,
    struct worker *w)
{
	const struct conf_tls *t = &s->conf->http_server.tls;

	s->ports = ports;
	s->srv = srv;
	if ((s->tw[w->id] = tls_worker_new(w)) == NULL)
		return -1;
	tls_worker_limit(s->tw[w->id], (int)t->handshake_timeout,
	    (unsigned)t->max_handshakes / srv->n);
	ports_set_tls(ports, w, s->tw[w->id], s->certs.external,
	    s->certs.internal);
	set_calls(s, srv->node[w->id], s->client);
	srv->node[w->id]->tls = tls_worker_stats(s->tw[w->id]);
	tell_expiry(s);
	return 0;
}

/* ---- new certificates on running workers ---- */

struct delivery {
	struct mail		 mail;
	struct secure		*secure;
	struct tls_server	*external, *internal;
	struct tls_client	*client;
};

static void
delivery_free(struct delivery *d)
{
	tls_server_unref(d->external);
	tls_server_unref(d->internal);
	tls_client_unref(d->client);
	free(d);
}

static void
deliver(struct mail *m, void *ctx)
{
	struct delivery		*d = (struct delivery *)(void *)m;
	const struct node	*n = ctx;

	ports_set_tls(d->secure->ports, n->w, d->secure->tw[n->w->id],
	    d->external, d->internal);
	set_calls(d->secure, n, d->client);
	delivery_free(d);
}

static struct delivery *
delivery_new(struct secure *s)
{
	struct delivery *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->mail.run = deliver;
	d->secure = s;
	if (s->certs.external != NULL)
		d->external = tls_server_ref(s->certs.external);
	if (s->certs.internal != NULL)
		d->internal = tls_server_ref(s->certs.internal);
	if (s->client != NULL)
		d->client = tls_client_ref(s->client);
	return d;
}

/* see secure.h */
int
secure_apply(struct secure *s)
{
	struct delivery	*d[WORKERS_MAX];
	unsigned	 i;

	tell_expiry(s);
	for (i = 0; i < s->srv->n; i++) {
		if ((d[i] = delivery_new(s)) == NULL) {
			while (i > 0)
				delivery_free(d[--i]);
			return -1;
		}
	}
	for (i = 0; i < s->srv->n; i++)
		worker_post(s->srv->worker[i], &d[i]->mail);
	return 0;
}

/* ---- files that change ---- */

/* What could not be used is tried again each time, as that may have had
 * other reasons, but is told of once. */
static void
on_watch(struct timer *t)
{
	struct secure *s = (struct secure *)(void *)((char *)t -
	    offsetof(struct secure, watch));
	bool changed = certs_changed(&s->certs);

	if (changed || s->refused) {
		s->again = !changed;
		s->refused = secure_load(s, s->conf) == -1 ||
		    secure_apply(s) == -1;
		s->again = false;
		if (!s->refused)
			log_info("certificates have changed and were read "
			    "again");
		else if (changed)
			log_error("certificates have changed, but the new "
			    "ones can't be used: the old ones stay in force");
	}
	secure_watch(s);
}

/* see secure.h */
void
secure_watch(struct secure *s)
{
	struct worker	*w = s->srv->worker[0];
	int64_t		 interval = s->conf->http_server.tls.reload_interval;

	s->watch.fn = on_watch;
	timer_stop(&s->watch);
	if (interval > 0 && s->certs.nstamp > 0)
		timer_set(w, &s->watch, w->now + interval);
}

/* see secure.h */
void
secure_end(struct secure *s, const struct worker *w)
{
	timer_stop(&s->watch);
	tls_client_unref(s->calls[w->id].client);
	tls_worker_free(s->tw[w->id]);
	s->tw[w->id] = NULL;
}

/* see secure.h */
void
secure_fini(struct secure *s)
{
	certs_fini(&s->certs);
	tls_sessions_free(s->sessions);
	tls_client_unref(s->client);
	conf_unref(s->conf);
	*s = (struct secure){ .nmore = 0 };
}

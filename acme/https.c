/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See https.h.
 */
#include "acme/https.h"
#include "tls/filter.h"

#define TIMEOUT_MS	60000	/* from the name to the end of the answer */
#define ANSWER_MAX	(128 * 1024)
#define LINKS_MAX	32

#define AGENT		"User-Agent: fugu/" FUGU_VERSION "\r\n"
#define JOSE		"Content-Type: application/jose+json\r\n"

static int
start_tls(const struct http_tls *t, struct conn *c, const char *host)
{
	const struct acme_https *h = (const struct acme_https *)
	    (const void *)t;

	return tls_connect(c, h->client, host, h->tw);
}

/* see https.h */
int
acme_https_init(struct acme_https *h, struct worker *w)
{
	*h = (struct acme_https){ .tls = { start_tls }, .w = w };
	h->tw = tls_worker_new(w);
	h->hc = http_client_new(w);
	return h->tw != NULL && h->hc != NULL ? 0 : -1;
}

/* see https.h */
void
acme_https_close(struct acme_https *h)
{
	if (h->hc != NULL)
		http_client_free(h->hc);
	h->hc = NULL;
}

/* see https.h */
void
acme_https_fini(struct acme_https *h)
{
	tls_worker_free(h->tw);
	tls_client_unref(h->client);
	*h = (struct acme_https){ .w = NULL };
}

/* ---- trust ---- */

/* see https.h */
int
acme_https_trust(struct acme_https *h, const char *ca_pem, struct buf *why)
{
	const struct tls_report		 report = { tls_report_first, why };
	struct tls_client_options	 o = { .trust = NULL };
	int				 ret;

	acme_https_rest(h);
	if (*ca_pem != '\0')
		ret = tls_trust_load(&o.trust, sv_from(ca_pem), &report);
	else
		ret = tls_trust_load_system(&o.trust, &report);
	if (ret == -1)
		return -1;
	h->client = tls_client_new(&o);
	tls_trust_unref(o.trust);
	if (h->client == NULL) {
		buf_puts(why, "out of memory");
		return -1;
	}
	http_client_set_tls(h->hc, &h->tls);
	return 0;
}

/* see https.h */
void
acme_https_pause(struct acme_https *h)
{
	http_client_set_tls(h->hc, &h->tls);
}

/* see https.h */
void
acme_https_rest(struct acme_https *h)
{
	http_client_set_tls(h->hc, NULL);
	tls_client_unref(h->client);
	h->client = NULL;
}

/* ---- requests ---- */

static void
on_answer(void *arg, const struct http_answer *a)
{
	struct acme_https		*h = arg;
	const struct http_reply		*r = a->reply;
	struct acme_reply		 reply = { .why = a->why };
	struct sv			 link[LINKS_MAX];
	size_t				 i;

	if (a->why == NULL) {
		reply.status = r->status;
		reply.ctype = http_reply_header(r, "Content-Type");
		reply.location = http_reply_header(r, "Location");
		reply.nonce = http_reply_header(r, "Replay-Nonce");
		reply.retry_after = http_reply_header(r, "Retry-After");
		reply.body = a->body;
		reply.link = link;
		for (i = 0; i < r->nheader && reply.nlink < LINKS_MAX; i++)
			if (sv_ieq(r->header[i].name, SV("Link")))
				link[reply.nlink++] = r->header[i].value;
	}
	h->done(h->arg, &reply);
}

/* see https.h */
int
acme_https_ask(struct acme_https *h, struct sv url, struct sv body,
    bool head, void (*done)(void *, const struct acme_reply *), void *arg)
{
	const struct http_ask ask = {
		.method = body.n > 0 ? HTTP_POST : head ? HTTP_HEAD :
		    HTTP_GET,
		.url = url,
		.headers = body.n > 0 ? SV(AGENT JOSE) : SV(AGENT),
		.body = body,
		.max_body = ANSWER_MAX,
		.timeout_ms = TIMEOUT_MS,
		.tls = NULL,
	};

	h->done = done;
	h->arg = arg;
	return http_call(h->hc, &ask, on_answer, h) == NULL ? -1 : 0;
}

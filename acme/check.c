/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * fugu acme check: walks through what must be true, a line each.
 */
#include <errno.h>
#include <string.h>

#include "acme/cmd_impl.h"
#include "acme/wire.h"
#include "net/dns.h"
#include "tls/verify.h"
#include "util/clock.h"
#include "util/log.h"

#define DIAL_MS		5000

/* What is being waited for. */
struct asking {
	struct acme_run	*r;
	bool		 over, ok;
	char		 text[512];	/* what came of it */
	struct addr	 addr[DNS_ADDRS];
	size_t		 naddr;
};

static void
wait_for(struct asking *q)
{
	while (!q->over)
		worker_turn(q->r->w, 1000);
}

static bool
line(const struct acme_run *r, bool ok, const char *what, const char *text)
{
	fprintf(r->c->out, "%-4s %s: %s\n", ok ? "ok" : "FAIL", what, text);
	return ok;
}

/* ---- the CA ---- */

static void
on_directory(void *arg, const struct acme_reply *r)
{
	struct asking		*q = arg;
	struct acme_directory	 dir;

	q->over = true;
	if (r->why != NULL) {
		snprintf(q->text, sizeof(q->text), "%s", r->why);
	} else if (r->status != 200 ||
	    acme_directory_read(&dir, r->body) == -1) {
		snprintf(q->text, sizeof(q->text), "status %d, and no ACME "
		    "directory", r->status);
	} else {
		q->ok = true;
		snprintf(q->text, sizeof(q->text), "answers");
		acme_directory_fini(&dir);
	}
}

static bool
check_ca(struct acme_run *r)
{
	struct asking	q = { .r = r };
	struct buf	why = BUF_INIT;
	const char     *url = r->o.text[ACME_DIRECTORY];

	if (acme_https_trust(&r->drive.https, r->o.text[ACME_CA_PEM],
	    &why) == 0 && acme_https_ask(&r->drive.https, sv_from(url),
	    SV(""), false, on_directory, &q) == 0)
		wait_for(&q);
	else
		sv_copy(q.text, sizeof(q.text), buf_sv(&why));
	buf_fini(&why);
	return line(r, q.ok, url, q.text);
}

/* ---- names and ports ---- */

static void
on_resolved(void *arg, const struct addr *v, size_t n, const char *why)
{
	struct asking	*q = arg;
	char		 text[ADDR_STRLEN];
	size_t		 i, at = 0;

	q->over = true;
	q->ok = n > 0;
	q->naddr = n;
	if (n == 0)
		snprintf(q->text, sizeof(q->text), "%s", why);
	else
		memcpy(q->addr, v, n * sizeof(*v));
	for (i = 0; i < n && at < sizeof(q->text); i++)
		at += (size_t)snprintf(q->text + at, sizeof(q->text) - at,
		    "%s%s", i > 0 ? " " : "", addr_format(&v[i], text));
}

static void
on_page(void *arg, const struct http_answer *a)
{
	struct asking *q = arg;

	q->over = true;
	q->ok = a->why == NULL && a->reply->status == 200 &&
	    sv_eq(a->body, SV(ACME_SELF));
	if (q->ok)
		snprintf(q->text, sizeof(q->text), "leads here");
	else if (a->why != NULL)
		snprintf(q->text, sizeof(q->text), "%s: is port 80 open and "
		    "forwarded to %s?", a->why, q->r->o.text[ACME_HTTP_ADDR]);
	else
		snprintf(q->text, sizeof(q->text), "another web server "
		    "answers (status %d)", a->reply->status);
}

/* Whether a challenge would be seen on port 80. */
static bool
check_http(struct acme_run *r, const char *name)
{
	struct asking	q = { .r = r };
	struct buf	url = BUF_INIT;
	bool		v6 = strchr(name, ':') != NULL;
	struct http_ask	ask = { .method = HTTP_GET, .max_body = 65536,
	    .timeout_ms = DIAL_MS };

	buf_printf(&url, "http://%s%s%s" ACME_WELL_KNOWN ACME_SELF,
	    v6 ? "[" : "", name, v6 ? "]" : "");
	ask.url = buf_sv(&url);
	if (!url.failed && http_call(r->drive.https.hc, &ask, on_page,
	    &q) != NULL)
		wait_for(&q);
	q.ok = line(r, q.ok, url.failed ? name : "port 80", q.text);
	buf_fini(&url);
	return q.ok;
}

static void
on_connected(struct conn *c)
{
	struct asking *q = c->proto;

	q->ok = true;
	conn_close(c);
}

static size_t
on_bytes(struct conn *c, char *p, size_t n)
{
	(void)p;
	on_connected(c);
	return n;
}

static void
on_gone(struct conn *c)
{
	struct asking *q = c->proto;

	q->over = true;
	snprintf(q->text, sizeof(q->text), "%s", q->ok ? "open" :
	    c->err == 0 ? "no answer in time" : log_strerror(c->err));
}

static const struct conn_ops dial_ops = { .on_read = on_bytes,
    .on_drained = on_connected, .on_timer = conn_close,
    .on_close = on_gone };

static bool
check_tls(struct acme_run *r, struct addr *a)
{
	struct asking	 q = { .r = r };
	struct conn	*c;

	a->in.sin_port = htons(443);	/* where IPv6 has it, too */
	c = conn_dial(r->w, a, &dial_ops, &q);
	if (c != NULL) {
		conn_timer(c, r->w->now + DIAL_MS);
		wait_for(&q);
	}
	return line(r, q.ok, "port 443", q.text);
}

static bool
check_name(struct acme_run *r, const char *name)
{
	struct asking	q = { .r = r };
	bool		web, tls;

	if (dns_resolve(r->w, sv_from(name), 443, NULL, on_resolved,
	    &q) != NULL)
		wait_for(&q);
	if (!line(r, q.ok, name, q.text))
		return false;
	web = r->o.can[ACME_HTTP_01] && *r->o.text[ACME_WEBROOT] == '\0' &&
	    check_http(r, name);
	tls = r->o.can[ACME_TLS_ALPN_01] && check_tls(r, &q.addr[0]);
	return web || tls || *r->o.text[ACME_WEBROOT] != '\0';
}

static bool
check_webroot(const struct acme_run *r)
{
	const char	*root = r->o.text[ACME_WEBROOT];
	int		 ret;

	ret = acme_show_file(root, SV(ACME_SELF), SV(ACME_SELF));
	if (ret == 0)
		acme_show_file(root, SV(ACME_SELF), SV(""));
	return line(r, ret == 0, root, ret == 0 ? "is writable" :
	    log_strerror(errno));
}

/* see cmd.h */
int
acme_cmd_check(const struct acme_cmd *c)
{
	struct acme_run	r;
	bool		ok;
	size_t		i;

	if (acme_run_open(&r, c) == -1)
		return ACME_CMD_FAILED;
	line(&r, true, r.o.text[ACME_DIR], "is writable");
	ok = line(&r, clock_wall_ms() / MSEC_PER_SEC >= TLS_MADE, "clock",
	    "as far as can be told from here");
	/* Without a server the port is open only if we open it. */
	if (acme_store_lock(&r.store) == 0 &&
	    r.o.can[ACME_HTTP_01] && *r.o.text[ACME_WEBROOT] == '\0' &&
	    acme_run_listen(&r) == -1)
		ok = line(&r, false, r.o.text[ACME_HTTP_ADDR],
		    log_strerror(errno));
	r.quiet = true;
	if (acme_run_drive(&r) == -1) {
		acme_run_close(&r);
		return ACME_CMD_FAILED;
	}
	timer_stop(&r.drive.timer);
	if (*r.o.text[ACME_WEBROOT] != '\0')
		ok = check_webroot(&r) && ok;
	ok = check_ca(&r) && ok;
	for (i = 0; i < r.o.nname; i++)
		ok = check_name(&r, r.o.name[i]) && ok;
	acme_run_close(&r);
	return ok ? 0 : ACME_CMD_FAILED;
}

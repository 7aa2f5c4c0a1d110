/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Calls and the connections that carry them: see client.h. A call asks for
 * addresses, or takes a kept connection; a link is a connection and the call
 * it serves, if any. Whatever goes wrong ends in fail(), which lets go of
 * everything and reports on the next tick; success reports at once, from the
 * loop's callback.
 */
#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/client.h"

/* A connection; proto of its conn. */
struct link {
	LIST_ENTRY(link)	 entry;		/* while idle */
	struct http_client	*hc;
	struct http_call	*call;		/* NULL: idle, or let go */
	struct conn		*c;
	char			*host;
	const struct http_tls	*tls;		/* under it, or NULL */
	uint16_t		 port;
	bool			 idle;
	bool			 reused;	/* has served another call */
	bool			 last;		/* is to serve no other */
	bool			 up;		/* connected, TLS stands, all
						 * was sent */
};

LIST_HEAD(link_list, link);
LIST_HEAD(call_list, http_call);

struct http_client {
	struct worker		*w;
	const struct dns_files	*files;
	const struct http_tls	*tls;		/* for who brings none */
	struct link_list	 idle;		/* latest first */
	size_t			 nidle;
	struct call_list	 calls;
};

struct http_call {
	LIST_ENTRY(http_call)	 entry;
	struct http_client	*hc;
	void			(*done)(void *, const struct http_answer *);
	void			*arg;
	struct timer		 timer;
	const char		*why;		/* static, or why_text */
	char			*why_text;
	enum http_method	 method;
	size_t			 max_body;
	char			*host;
	const struct http_tls	*tls;		/* NULL: http */
	uint16_t		 port;
	struct buf		 request;
	struct dns_query	*dns;
	struct addr		 addr[DNS_ADDRS];
	size_t			 naddr, tried;
	struct link		*link;
	bool			 heard;		/* bytes of an answer */
	enum { HEAD, LENGTH, CHUNKED, TO_END } state;
	struct http_chunked	 chunked;
	uint64_t		 left;
	struct buf		 head, body;
	struct http_reply	 reply;
};

static void	resolve(struct http_call *);
static void	connect_next(struct http_call *);

static struct http_call *
call_of(struct timer *t)
{
	return (struct http_call *)(void *)((char *)t -
	    offsetof(struct http_call, timer));
}

/* ---- the end of a call ---- */

static void
call_free(struct http_call *x)
{
	timer_stop(&x->timer);
	LIST_REMOVE(x, entry);
	buf_fini(&x->request);
	buf_fini(&x->head);
	buf_fini(&x->body);
	free(x->host);
	free(x->why_text);
	free(x);
}

/* Let go of what the call waits for. */
static void
abandon(struct http_call *x)
{
	if (x->dns != NULL)
		dns_cancel(x->dns);
	x->dns = NULL;
	if (x->link != NULL) {
		x->link->call = NULL;
		conn_close(x->link->c);
	}
	x->link = NULL;
}

/* see client.h */
void
http_call_cancel(struct http_call *x)
{
	abandon(x);
	call_free(x);
}

static void
report_failure(struct timer *t)
{
	struct http_call	*x = call_of(t);
	struct http_answer	 a = { .why = x->why };

	x->done(x->arg, &a);
	call_free(x);
}

static void
fail(struct http_call *x, const char *why)
{
	abandon(x);
	x->why = why;
	x->timer.fn = report_failure;
	timer_set(x->hc->w, &x->timer, x->hc->w->now);
}

/* With a text that does not last. */
static void
fail_copy(struct http_call *x, const char *why)
{
	x->why_text = strdup(why);
	fail(x, x->why_text == NULL ? "out of memory" : x->why_text);
}

static void
on_timeout(struct timer *t)
{
	fail(call_of(t), "no answer in time");
}

/* ---- kept connections ---- */

static void
unkeep(struct link *l)
{
	if (!l->idle)
		return;
	l->idle = false;
	LIST_REMOVE(l, entry);
	l->hc->nidle--;
}

static void
keep(struct link *l)
{
	struct http_client *hc = l->hc;

	if (hc->nidle == HTTP_CLIENT_IDLE_MAX) {
		conn_close(l->c);
		return;
	}
	l->idle = l->reused = true;
	LIST_INSERT_HEAD(&hc->idle, l, entry);
	hc->nidle++;
	conn_timer(l->c, hc->w->now + HTTP_CLIENT_IDLE_MS);
}

static struct link *
take_kept(const struct http_call *x)
{
	struct link *l;

	LIST_FOREACH(l, &x->hc->idle, entry)
		if (!l->c->closing && l->port == x->port &&
		    l->tls == x->tls && strcmp(l->host, x->host) == 0) {
			unkeep(l);
			timer_stop(&l->c->timer);
			return l;
		}
	return NULL;
}

/* ---- the answer ---- */

/* The answer is whole. clean: nothing came behind it. */
static void
complete(struct http_call *x, bool clean)
{
	struct http_answer	 a = { NULL, &x->reply, buf_sv(&x->body) };
	struct link		*l = x->link;

	x->link = NULL;
	l->call = NULL;
	if (clean && x->reply.keep_alive && x->state != TO_END &&
	    l->c->out_n == 0 && !l->last)
		keep(l);
	else
		conn_close(l->c);
	timer_stop(&x->timer);
	x->done(x->arg, &a);
	call_free(x);
}

/* What follows the head (RFC 9112, 6.3). */
static const char *
begin_body(struct http_call *x)
{
	const struct http_reply *r = &x->reply;

	x->state = LENGTH;
	x->left = 0;
	if (r->status == 101)
		return "switched protocols without being asked";
	if (x->method == HTTP_HEAD || http_status_bodiless(r->status))
		return NULL;
	if (r->chunked) {
		x->state = CHUNKED;
		http_chunked_init(&x->chunked, x->max_body);
	} else if (r->has_length) {
		x->left = r->length;
		if (r->length > x->max_body)
			return "answer is too large";
	} else {
		x->state = TO_END;
	}
	return NULL;
}

/* Bytes of the body: how many are its own; *whole: it has ended. */
static size_t
take_body(struct http_call *x, char *p, size_t n, bool *whole,
    const char **why)
{
	ptrdiff_t	k;
	size_t		out = n;

	*whole = false;
	if (x->state == CHUNKED) {
		if ((k = http_chunked_feed(&x->chunked, p, n, &out)) < 0)
			*why = x->chunked.status == 413 ?
			    "answer is too large" : x->chunked.why;
		else if (k > 0)
			n = (size_t)k;
		*whole = k > 0;
	} else if (x->state == LENGTH) {
		if (n > x->left)
			n = (size_t)x->left;
		out = n;
		x->left -= n;
		*whole = x->left == 0;
	} else if (n > x->max_body - x->body.n) {
		*why = "answer is too large";
	}
	if (*why == NULL)
		buf_put(&x->body, p, out);
	if (x->body.failed)
		*why = "out of memory";
	return n;
}

/* Heads, of which only the last is the answer's. The bytes taken. */
static size_t
take_heads(struct http_call *x, struct sv s, const char **why)
{
	size_t		n = 0;
	ptrdiff_t	k;

	while (x->state == HEAD && *why == NULL) {
		k = http_reply_parse(&x->reply, sv_skip(s, n));
		if (k == 0)
			break;
		if (k < 0) {
			*why = x->reply.why;
			break;
		}
		n += (size_t)k;
		if (x->reply.status < 200 && x->reply.status != 101)
			continue;
		/* Again, as views of a copy that stays. */
		buf_put(&x->head, s.p + n - k, (size_t)k);
		if (x->head.failed)
			*why = "out of memory";
		else if (http_reply_parse(&x->reply, buf_sv(&x->head)) > 0)
			*why = begin_body(x);
	}
	return n;
}

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	struct link		*l = c->proto;
	struct http_call	*x = l->call;
	const char		*why = NULL;
	bool			 whole = false;
	size_t			 used;

	if (x == NULL) {
		/* Nobody asked. */
		conn_close(c);
		return n;
	}
	l->up = x->heard = true;
	used = take_heads(x, sv_make(p, n), &why);
	if (why == NULL && x->state != HEAD)
		used += take_body(x, p + used, n - used, &whole, &why);
	if (why != NULL)
		fail(x, why);
	else if (whole)
		complete(x, used == n);
	return used;
}

static void
on_eof(struct conn *c)
{
	struct link *l = c->proto;

	if (l->call != NULL && l->call->state == TO_END)
		complete(l->call, false);
	conn_close(c);
}

static void
on_drained(struct conn *c)
{
	((struct link *)c->proto)->up = true;
}

/* A kept connection has been idle long enough. */
static void
on_idle(struct conn *c)
{
	unkeep(c->proto);
	conn_close(c);
}

static void
lost(struct link *l, struct http_call *x)
{
	int	err = l->c->err;
	bool	refused = err == ECONNREFUSED || err == EHOSTUNREACH ||
	    err == ENETUNREACH || err == ETIMEDOUT;

	x->link = NULL;
	if (x->heard)
		fail(x, "connection closed before the end of the answer");
	else if (!l->up && refused)
		connect_next(x);
	else if (!l->up && l->tls != NULL)
		fail_copy(x, conn_why(l->c));
	else if (l->reused &&
	    (x->method == HTTP_GET || x->method == HTTP_HEAD))
		resolve(x);
	else
		fail(x, "connection closed before the answer");
}

static void
on_close(struct conn *c)
{
	struct link *l = c->proto;

	unkeep(l);
	if (l->call != NULL)
		lost(l, l->call);
	free(l->host);
	free(l);
}

static const struct conn_ops ops = {
	.on_read = on_read, .on_eof = on_eof, .on_drained = on_drained,
	.on_timer = on_idle, .on_close = on_close
};

/* ---- the beginning of a call ---- */

static void
send_request(struct http_call *x, struct link *l)
{
	x->link = l;
	l->call = x;
	if (conn_send_copy(l->c, x->request.p, x->request.n) == -1)
		fail(x, "out of memory");
}

static struct link *
link_new(struct http_call *x, const struct addr *a)
{
	struct link *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->hc = x->hc;
	l->port = x->port;
	l->tls = x->tls;
	if ((l->host = strdup(x->host)) == NULL ||
	    (l->c = conn_dial(x->hc->w, a, &ops, l)) == NULL) {
		free(l->host);
		free(l);
		return NULL;
	}
	if (l->tls != NULL && l->tls->start(l->tls, l->c, l->host) == -1) {
		conn_close(l->c);
		return NULL;
	}
	return l;
}

static void
connect_next(struct http_call *x)
{
	struct link *l;

	while (x->tried < x->naddr)
		if ((l = link_new(x, &x->addr[x->tried++])) != NULL) {
			send_request(x, l);
			return;
		}
	fail(x, "can't connect");
}

static void
on_resolved(void *arg, const struct addr *v, size_t n, const char *why)
{
	struct http_call *x = arg;

	x->dns = NULL;
	if (n == 0) {
		fail(x, why);
		return;
	}
	memcpy(x->addr, v, n * sizeof(*v));
	x->naddr = n;
	connect_next(x);
}

static void
resolve(struct http_call *x)
{
	x->tried = 0;
	if (addr_parse(x->addr, x->host, x->port, false) == 0) {
		x->naddr = 1;
		connect_next(x);
		return;
	}
	x->dns = dns_resolve(x->hc->w, sv_from(x->host), x->port,
	    x->hc->files, on_resolved, x);
	if (x->dns == NULL)
		fail(x, "out of memory");
}

static int
put_request(struct http_call *x, const struct http_ask *ask,
    const struct http_url *u)
{
	struct buf *b = &x->request;

	buf_puts(b, http_method_name(ask->method));
	buf_putc(b, ' ');
	if (u->target.n == 0 || u->target.p[0] == '?')
		buf_putc(b, '/');
	buf_putsv(b, u->target);
	buf_puts(b, " HTTP/1.1\r\nHost: ");
	buf_putsv(b, u->authority);
	buf_puts(b, "\r\n");
	if (ask->body.n > 0 || ask->method == HTTP_POST ||
	    ask->method == HTTP_PUT || ask->method == HTTP_PATCH) {
		buf_puts(b, "Content-Length: ");
		buf_putu64(b, ask->body.n);
		buf_puts(b, "\r\n");
	}
	buf_putsv(b, ask->headers);
	buf_puts(b, "\r\n");
	buf_putsv(b, ask->body);
	return b->failed ? -1 : 0;
}

static void
start(struct http_call *x, const struct http_ask *ask)
{
	struct http_url	 u;
	struct link	*l;
	const char	*why;

	if (http_url_parse(&u, ask->url, &why) == -1) {
		fail(x, why);
		return;
	}
	x->port = u.port;
	if (u.https) {
		x->tls = ask->tls != NULL ? ask->tls : x->hc->tls;
		if (x->tls == NULL) {
			fail(x, "https needs TLS, which is not set up here");
			return;
		}
	}
	if ((x->host = sv_dup(u.host)) == NULL ||
	    put_request(x, ask, &u) == -1)
		fail(x, "out of memory");
	else if ((l = take_kept(x)) != NULL)
		send_request(x, l);
	else
		resolve(x);
}

/* see client.h */
struct http_call *
http_call(struct http_client *hc, const struct http_ask *ask,
    void (*done)(void *, const struct http_answer *), void *arg)
{
	struct http_call *x;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	x->hc = hc;
	x->done = done;
	x->arg = arg;
	x->method = ask->method;
	x->max_body = ask->max_body;
	LIST_INSERT_HEAD(&hc->calls, x, entry);
	x->timer.fn = on_timeout;
	timer_set(hc->w, &x->timer, hc->w->now + ask->timeout_ms);
	start(x, ask);
	return x;
}

/* ---- the client ---- */

/* see client.h */
struct http_client *
http_client_new(struct worker *w)
{
	struct http_client *hc;

	if ((hc = calloc(1, sizeof(*hc))) == NULL)
		return NULL;
	hc->w = w;
	LIST_INIT(&hc->idle);
	LIST_INIT(&hc->calls);
	return hc;
}

/* see client.h */
void
http_client_set_tls(struct http_client *hc, const struct http_tls *tls)
{
	struct http_call	*x;
	struct link		*l, *next;

	LIST_FOREACH_SAFE(l, &hc->idle, entry, next)
		if (l->tls != NULL && l->tls == hc->tls) {
			unkeep(l);
			conn_close(l->c);
		}
	LIST_FOREACH(x, &hc->calls, entry)
		if (x->link != NULL && x->link->tls == hc->tls)
			x->link->last = true;
	hc->tls = tls;
}

/* see client.h */
void
http_client_set_files(struct http_client *hc, const struct dns_files *files)
{
	hc->files = files;
}

/* see client.h */
void
http_client_free(struct http_client *hc)
{
	struct http_call	*x;
	struct link		*l;

	if (hc == NULL)
		return;
	while ((x = LIST_FIRST(&hc->calls)) != NULL)
		http_call_cancel(x);
	while ((l = LIST_FIRST(&hc->idle)) != NULL) {
		unkeep(l);
		conn_close(l->c);
	}
	free(hc);
}

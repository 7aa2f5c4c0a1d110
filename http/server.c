/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The HTTP server: reads requests off a connection one after the other and
 * answers them in that order. While one is with its handler the connection
 * is paused and what the peer sends meanwhile waits with it.
 *
 * An idle connection owns a struct http_conn and nothing else. From the end
 * of its head to its answer a request lives in an exchange, which holds a
 * copy of its bytes, so that a handler may keep views of them for as long
 * as it likes; answered exchanges are kept by the worker for the next ones.
 *
 * After an answer to something that was not understood, or whose body was
 * not read, nothing that follows can be told apart from it: such answers
 * close the connection.
 */
#include <sys/queue.h>

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/forwarded.h"
#include "http/server.h"
#include "util/clock.h"

#define SPARE_MAX	16		/* exchanges kept by a worker */
#define SPARE_BUF	(8 * 1024)	/* bytes kept in each of their bufs */
#define OUT_MAX		(128 * 1024)	/* unread answers of a pipeline */

enum phase {
	IDLE,		/* between requests */
	HEAD,		/* part of a head is here */
	BODY,		/* x is read */
	BUSY,		/* x is with its handler; paused */
	STALLED,	/* the peer must read first; paused */
	CLOSING,	/* nothing more is read */
	UPGRADED	/* no longer ours, freed at the end of on_read */
};

struct http_conn {
	LIST_ENTRY(http_conn)	 link;
	struct conn		*c;
	const struct http_site	*site;
	struct http_exchange	*x;
	int64_t			 since;		/* of this phase's deadline, or
						 * 0: it has not begun */
	uint32_t		 scanned;	/* of a head, to no avail */
	enum phase		 phase;
	bool			 in_read;
};

LIST_HEAD(http_conns, http_conn);

/* What a worker keeps; touched by it alone. */
static struct http_worker {
	alignas(64) struct http_conns conns;
	struct http_exchange	*spare;
	unsigned		 nspare;
	unsigned		 refused;	/* that are still there */
	bool			 draining;
	int64_t			 date_at;	/* the worker's time of date */
	struct http_date	 date;
} workers[WORKERS_MAX];

static struct http_worker *
http_worker(const struct worker *w)
{
	return &workers[w->id];
}

/* ---- exchanges ---- */

static struct http_exchange *
exchange_new(struct http_conn *hc)
{
	struct http_worker	*hw = http_worker(hc->c->w);
	struct http_exchange	*x = hw->spare;

	if (x != NULL) {
		hw->spare = x->next;
		hw->nspare--;
	} else if ((x = calloc(1, sizeof(*x))) == NULL) {
		return NULL;
	}
	x->conn = hc->c;
	x->w = hc->c->w;
	x->site = hc->site;
	x->route = NULL;
	x->ctx = NULL;
	x->body = sv_make(NULL, 0);
	x->close = false;
	memcpy(x->client_ip, hc->c->peer_ip, IP_LEN);
	/* What an answer without a request goes by. */
	x->req.method = HTTP_OTHER;
	x->req.minor = 1;
	x->req.keep_alive = false;
	return x;
}

static void
spare_buf(struct buf *b)
{
	if (b->cap > SPARE_BUF)
		buf_fini(b);
	else
		buf_reset(b);
}

static void
exchange_release(struct http_exchange *x)
{
	buf_fini(&x->headers);
	buf_fini(&x->head_bytes);
	buf_fini(&x->body_bytes);
	free(x);
}

static void
exchange_free(struct http_exchange *x)
{
	struct http_worker *hw = http_worker(x->w);

	if (hw->nspare == SPARE_MAX) {
		exchange_release(x);
		return;
	}
	spare_buf(&x->headers);
	spare_buf(&x->head_bytes);
	spare_buf(&x->body_bytes);
	x->next = hw->spare;
	hw->spare = x;
	hw->nspare++;
}

/* see server.h */
void
http_worker_fini(struct worker *w)
{
	struct http_worker	*hw = http_worker(w);
	struct http_exchange	*x;

	while ((x = hw->spare) != NULL) {
		hw->spare = x->next;
		exchange_release(x);
	}
	hw->nspare = 0;
	hw->draining = false;
}

static void
exchange_done(const struct http_exchange *x, int status)
{
	if (x->site->on_done != NULL)
		x->site->on_done(x->w,
		    x->route == NULL ? NULL : x->route->path, x->req.method,
		    status);
}

/* ---- ends ---- */

/* Out of memory: the connection is lost, the process lives. */
static void
drop(struct http_conn *hc)
{
	hc->phase = CLOSING;
	conn_close(hc->c);
}

/* Close when the answers are read. */
static void
shut(struct http_conn *hc)
{
	hc->phase = CLOSING;
	conn_close_drained(hc->c);
}

/* An answer is on its way. */
static void
answered(struct http_conn *hc, bool last)
{
	struct conn *c = hc->c;

	hc->since = 0;
	if (last) {
		shut(hc);
		return;
	}
	hc->phase = IDLE;
	if (!hc->in_read) {
		conn_timer(c, c->w->now + hc->site->idle_timeout_ms);
		conn_resume(c);
	}
}

/* ---- answers ---- */

static const char *
date_now(const struct worker *w)
{
	struct http_worker *hw = http_worker(w);

	if (hw->date_at != w->now) {
		hw->date_at = w->now;
		http_date_set(&hw->date, clock_wall_ms() / MSEC_PER_SEC);
	}
	return hw->date.text;
}

static struct http_response
response_head(const struct http_exchange *x, int status, const char *ctype)
{
	return (struct http_response){
		.status = status,
		.date = date_now(x->w),
		.ctype = sv_from(ctype),
		.headers = buf_sv(&x->headers),
		.close = x->close,
		.keep_alive = x->req.minor == 0
	};
}

static struct blob *
response_blob(const struct http_exchange *x, const struct http_response *r,
    struct sv body)
{
	struct blob	*b;
	size_t		 n;

	if (x->headers.failed)
		return NULL;
	if (x->req.method == HTTP_HEAD || http_status_bodiless(r->status))
		body.n = 0;
	if ((b = blob_new(http_response_size(r) + body.n)) == NULL)
		return NULL;
	n = http_response_put(r, b->data);
	if (body.n > 0)
		memcpy(b->data + n, body.p, body.n);
	b->n = (uint32_t)(n + body.n);
	return b;
}

/* see server.h */
void
http_respond(struct http_exchange *x, int status, const char *ctype,
    struct sv body)
{
	struct conn		*c = x->conn;
	struct http_conn	*hc;
	struct http_response	 r;
	struct blob		*b;
	bool			 last;

	exchange_done(x, status);
	if (c == NULL) {
		exchange_free(x);
		return;
	}
	hc = c->proto;
	if (!x->req.keep_alive || c->reserve || http_worker(x->w)->draining)
		x->close = true;
	last = x->close;
	r = response_head(x, status, ctype);
	r.length = body.n;
	b = response_blob(x, &r, body);
	hc->x = NULL;
	exchange_free(x);
	if (b == NULL || conn_send(c, b) == -1)
		drop(hc);
	else
		answered(hc, last);
}

/* see server.h */
void
http_respond_error(struct http_exchange *x, int status, const char *why)
{
	char	text[160];
	int	n;

	n = snprintf(text, sizeof(text), "%d %s%s%s\n", status,
	    http_status_text(status), why == NULL ? "" : ": ",
	    why == NULL ? "" : why);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	http_respond(x, status, "text/plain; charset=utf-8",
	    sv_make(text, (size_t)n));
}

/* Answer and close: what follows on this connection is not understood, or
 * not wanted. There need not be an exchange. */
static void
refuse(struct http_conn *hc, int status, const char *why)
{
	if (hc->x == NULL && (hc->x = exchange_new(hc)) == NULL) {
		drop(hc);
		return;
	}
	hc->x->close = true;
	http_respond_error(hc->x, status, why);
}

/* ---- limits per client address ---- */

/* What an address waits before it tries again, in seconds. */
#define RETRY_CONNS	10
#define RETRY_RATE	1
/* So many of a worker's refused ones may take their time to read the answer;
 * who is refused a thousand times must not hold a thousand descriptors. */
#define REFUSED_MAX	64

static const char too_many_conns[] = "too many connections from your address";
static const char too_many_new[] = "too many new connections from your "
    "address, try again in a moment";

static int
retry_after(enum limit_verdict v)
{
	return v == LIMIT_RATE ? RETRY_RATE : RETRY_CONNS;
}

static const char *
refusal(enum limit_verdict v)
{
	return v == LIMIT_RATE ? too_many_new : too_many_conns;
}

static size_t
discard(struct conn *c, char *p, size_t n)
{
	(void)c;
	(void)p;
	return n;
}

static void
forget(struct conn *c)
{
	if (c->proto != NULL)
		((struct http_worker *)c->proto)->refused--;
}

/* see server.h */
void
http_refuse(struct conn *c, enum limit_verdict v)
{
	static const struct conn_ops ops = {
		.on_read = discard, .on_close = forget
	};
	struct http_worker	*hw = http_worker(c->w);
	const char		*why = refusal(v);
	char			 text[256];
	int			 n;

	n = snprintf(text, sizeof(text), "HTTP/1.1 429 Too Many Requests\r\n"
	    "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Retry-After: %d\r\nContent-Length: %zu\r\n\r\n%s\n",
	    retry_after(v), strlen(why) + 1, why);
	c->ops = &ops;
	c->proto = NULL;
	if (conn_send_copy(c, text, (size_t)n) == -1 ||
	    hw->refused == REFUSED_MAX) {
		conn_close(c);
		return;
	}
	hw->refused++;
	c->proto = hw;
	conn_close_drained(c);
}

/* The connection becomes its client's alone. false: that has too many, and
 * the exchange has been answered. */
static bool
claim(struct http_exchange *x)
{
	struct conn		*c = x->conn;
	enum limit_verdict	 v;

	if (!c->limited)
		memcpy(c->peer_ip, x->client_ip, IP_LEN);
	if ((v = conn_limit(c)) == LIMIT_OK)
		return true;
	buf_printf(&x->headers, "Retry-After: %d\r\n", retry_after(v));
	x->close = true;
	http_respond_error(x, 429, refusal(v));
	return false;
}

/* see server.h */
int
http_take(struct http_exchange *x, const struct conn_ops *ops, void *proto)
{
	struct conn		*c = x->conn;
	struct http_conn	*hc;

	if (c == NULL || c->closing) {
		exchange_free(x);
		return -1;
	}
	if (!claim(x))
		return -1;
	hc = c->proto;
	timer_stop(&c->timer);
	LIST_REMOVE(hc, link);
	c->ops = ops;
	c->proto = proto;
	if (hc->in_read) {
		hc->phase = UPGRADED;
	} else {
		free(hc);
		conn_resume(c);
	}
	return 0;
}

/* see server.h */
int
http_begin(struct http_exchange *x, int status, const char *ctype,
    struct sv body, bool all)
{
	struct http_response	 r;
	struct blob		*b;

	exchange_done(x, status);
	x->close = true;
	r = response_head(x, status, ctype);
	r.length = body.n;
	r.until_close = !all;
	if ((b = response_blob(x, &r, body)) == NULL)
		return -1;
	return conn_send(x->conn, b);
}

/* see server.h */
void
http_release(struct http_exchange *x)
{
	exchange_free(x);
}

/* see server.h */
int
http_upgrade(struct http_exchange *x, struct sv head,
    const struct conn_ops *ops, void *proto)
{
	struct conn		*c = x->conn;
	struct http_conn	*hc;
	uint64_t		 status;

	/* "HTTP/1.1 101" */
	assert(head.n >= 12);
	if (c == NULL || c->closing) {
		exchange_free(x);
		return -1;
	}
	if (!claim(x))
		return -1;
	sv_u64(sv_make(head.p + 9, 3), &status);
	exchange_done(x, (int)status);
	if (conn_send_copy(c, head.p, head.n) == -1) {
		hc = c->proto;
		hc->x = NULL;
		exchange_free(x);
		drop(hc);
		return -1;
	}
	(void)http_take(x, ops, proto);		/* claimed: it can't fail */
	exchange_free(x);
	return 0;
}

/* ---- requests ---- */

static void
handle(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;

	hc->phase = BUSY;
	x->body = buf_sv(&x->body_bytes);
	x->route->handler(x);
}

/* Find the route of a request; the status if it is refused, or 0. */
static int
admit(struct http_exchange *x)
{
	x->route = http_route_find(x->site, x->req.path);
	if (x->conn->reserve && (x->route == NULL || !x->route->reserve_ok))
		return 503;
	if (x->route == NULL)
		return 404;
	x->ctx = x->route->ctx;
	if (x->route->prepare != NULL)
		x->route->prepare(x);
	if (!http_route_allows(x->route, x->req.method))
		return 405;
	if (x->req.length > x->route->max_body)
		return 413;
	return 0;
}

static void
turn_away(struct http_exchange *x, int status)
{
	if (x->req.chunked || x->req.length > 0)
		x->close = true;
	if (status != 405) {
		http_respond_error(x, status, NULL);
		return;
	}
	http_route_put_allow(x->route, &x->headers);
	http_respond(x, status, NULL, sv_make(NULL, 0));
}

/* A head is whole; more: and bytes follow it. */
static void
on_head(struct http_conn *hc, bool more)
{
	struct http_exchange	*x = hc->x;
	int			 status;

	if (hc->site->trusted != NULL)
		http_forwarded(&x->req, hc->site->forwarded_header,
		    hc->site->trusted, x->client_ip);
	if ((status = admit(x)) != 0) {
		turn_away(x, status);
		return;
	}
	if (!x->req.chunked && x->req.length == 0) {
		handle(hc);
		return;
	}
	hc->phase = BODY;
	x->left = x->req.length;
	http_chunked_init(&x->chunked, x->route->max_body);
	if (x->req.expect_continue && !more) {
		const struct sv go = SV("HTTP/1.1 100 Continue\r\n\r\n");

		if (conn_send_copy(hc->c, go.p, go.n) == -1)
			drop(hc);
	}
}

/* Take a head from p: how many bytes were used, 0 if it is not whole. A
 * head that comes in pieces is parsed again only when a line has ended, so
 * at most once a line, however small the pieces. */
static size_t
read_head(struct http_conn *hc, const char *p, size_t n)
{
	const struct http_limits limits = { hc->site->max_head, UINT64_MAX };
	struct http_exchange	*x;
	ptrdiff_t		 k;

	assert(hc->scanned <= n);
	if (hc->scanned > 0 && n < limits.head &&
	    memchr(p + hc->scanned, '\n', n - hc->scanned) == NULL) {
		hc->scanned = (uint32_t)n;
		return 0;
	}
	if ((x = exchange_new(hc)) == NULL) {
		drop(hc);
		return n;
	}
	if ((k = http_request_parse(&x->req, sv_make(p, n), &limits)) == 0) {
		exchange_free(x);
		hc->scanned = (uint32_t)n;
		return 0;
	}
	hc->scanned = 0;
	hc->x = x;
	if (k < 0) {
		refuse(hc, x->req.status, x->req.why);
		return n;
	}
	buf_put(&x->head_bytes, p, (size_t)k);
	if (x->head_bytes.failed) {
		drop(hc);
		return n;
	}
	http_request_rebase(&x->req, p, x->head_bytes.p);
	on_head(hc, (size_t)k < n);
	return (size_t)k;
}

/* Take as much of the body as is here: how many bytes were used. */
static size_t
read_body(struct http_conn *hc, char *p, size_t n)
{
	struct http_exchange	*x = hc->x;
	ptrdiff_t		 k;
	size_t			 out;
	bool			 whole;

	if (x->req.chunked) {
		k = http_chunked_feed(&x->chunked, p, n, &out);
		if (k < 0) {
			refuse(hc, x->chunked.status, x->chunked.why);
			return n;
		}
		whole = k > 0;
		n = whole ? (size_t)k : n;
	} else {
		n = n < x->left ? n : (size_t)x->left;
		out = n;
		x->left -= n;
		whole = x->left == 0;
	}
	buf_put(&x->body_bytes, p, out);
	if (x->body_bytes.failed)
		drop(hc);
	else if (whole)
		handle(hc);
	return n;
}

/* ---- events ---- */

/* Whether to go on with what has been received. */
static bool
may_read(struct http_conn *hc)
{
	struct conn *c = hc->c;

	if (hc->phase == IDLE && c->out_bytes >= OUT_MAX) {
		if (!c->blocked)
			conn_flush(c);
		if (c->blocked)
			hc->phase = STALLED;
	}
	return !c->closing && (hc->phase == IDLE || hc->phase == HEAD ||
	    hc->phase == BODY);
}

/* Set the deadline of the phase that reading has ended in. */
static void
settle(struct http_conn *hc, bool more)
{
	struct conn			*c = hc->c;
	const struct http_site		*site = hc->site;

	if (hc->phase == IDLE && more)
		hc->phase = HEAD;
	if (hc->since == 0)
		hc->since = c->w->now;
	switch (hc->phase) {
	case IDLE:
		hc->since = 0;
		conn_timer(c, c->w->now + site->idle_timeout_ms);
		break;
	case HEAD:
		conn_timer(c, hc->since + site->header_timeout_ms);
		break;
	case BODY:
		conn_timer(c, hc->since + site->body_timeout_ms);
		break;
	case BUSY:
		timer_stop(&c->timer);
		conn_pause(c);
		break;
	case STALLED:
		conn_timer(c, hc->since + site->body_timeout_ms);
		conn_pause(c);
		break;
	default:
		break;
	}
}

/* The bytes behind an upgrade go to the new protocol. */
static size_t
hand_over(struct http_conn *hc, char *p, size_t n)
{
	struct conn *c = hc->c;

	free(hc);
	if (n == 0 || c->closing)
		return 0;
	return c->ops->on_read(c, p, n);
}

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	struct http_conn	*hc = c->proto;
	size_t			 used = 0, k;

	hc->in_read = true;
	while (used < n && may_read(hc)) {
		k = hc->phase == BODY ? read_body(hc, p + used, n - used) :
		    read_head(hc, p + used, n - used);
		if (k == 0)
			break;
		used += k;
	}
	hc->in_read = false;
	if (hc->phase == UPGRADED)
		return used + hand_over(hc, p + used, n - used);
	if (hc->phase == CLOSING)
		return n;
	settle(hc, used < n);
	return used;
}

static void
on_drained(struct conn *c)
{
	struct http_conn *hc = c->proto;

	if (hc->phase == STALLED)
		answered(hc, false);
}

/* The first request has its time from here; until then the filter has. */
static void
on_open(struct conn *c)
{
	const struct http_conn *hc = c->proto;

	conn_timer(c, c->w->now + hc->site->header_timeout_ms);
}

static void
on_timer(struct conn *c)
{
	struct http_conn *hc = c->proto;

	if (hc->phase == HEAD || hc->phase == BODY)
		refuse(hc, 408, NULL);
	else
		conn_close(c);
}

static void
on_eof(struct conn *c)
{
	struct http_conn *hc = c->proto;

	if (hc->phase == BUSY)
		hc->x->close = true;
	else
		shut(hc);
}

static void
on_close(struct conn *c)
{
	struct http_conn *hc = c->proto;

	if (hc->x != NULL) {
		hc->x->conn = NULL;
		if (hc->phase != BUSY)
			exchange_free(hc->x);
	}
	LIST_REMOVE(hc, link);
	free(hc);
}

static const struct conn_ops http_ops = {
	.on_read = on_read,
	.on_eof = on_eof,
	.on_drained = on_drained,
	.on_open = on_open,
	.on_timer = on_timer,
	.on_close = on_close
};

/* see server.h */
void
http_serve(struct conn *c, void *site)
{
	struct http_conn *hc;

	if ((hc = calloc(1, sizeof(*hc))) == NULL) {
		conn_close(c);
		return;
	}
	hc->c = c;
	hc->site = site;
	c->ops = &http_ops;
	c->proto = hc;
	LIST_INSERT_HEAD(&http_worker(c->w)->conns, hc, link);
	if (!c->opening)
		on_open(c);
}

/* see server.h */
void
http_drain(struct worker *w)
{
	struct http_worker	*hw = http_worker(w);
	struct http_conn	*hc;

	hw->draining = true;
	LIST_FOREACH(hc, &hw->conns, link)
		if (hc->phase == IDLE && hc->c->in_n == 0)
			shut(hc);
}

/* see server.h */
bool
http_is_idle(const struct worker *w)
{
	struct http_conn *hc;

	LIST_FOREACH(hc, &http_worker(w)->conns, link)
		if (hc->phase == CLOSING ? hc->c->out_n > 0 :
		    hc->phase != IDLE || hc->c->in_n > 0)
			return false;
	return true;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The engine between a connection and its socket: see filter.h.
 *
 * A handshake costs a millisecond or several, records next to nothing. So
 * that a storm of the former does not hold up the latter, a worker shakes
 * hands for a few milliseconds in a turn of its loop; who comes later stays
 * in the kernel, which tells of it again in the next turn. Handshakes in
 * progress are limited in time and number: to stop somebody new because
 * somebody old does not get on would be the wrong way round, so the oldest
 * has to go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tls/engine.h"
#include "tls/filter.h"
#include "util/clock.h"
#include "util/log.h"

#define TURN_NS		(4 * NSEC_PER_MSEC)	/* for handshakes */
#define BURST_MS	1000	/* without output: what comes next is new */
#define LOG_MS		1000	/* a failure in that time is told */
#define HANDSHAKES	4096
#define TIMEOUT_MS	10000

/* A client at its handshake. */
struct pending {
	TAILQ_ENTRY(pending)	 link;
	struct timer		 timer;
	struct conn		*c;
};

struct tls_conn {
	struct conn_filter	 filter;
	struct tls_worker	*tw;
	struct pending		*pending;
	int64_t			 sent_at;
	struct tls_engine	 engine;
	bool			 shaking;
};

struct tls_worker {
	struct worker		*w;
	struct tls_stats	 stats;
	TAILQ_HEAD(, pending)	 pending;	/* the oldest first */
	unsigned		 npending, max;
	int			 timeout_ms;
	uint64_t		 turn;		/* that `spent' is of */
	int64_t			 spent;		/* ns shaking hands */
	int64_t			 logged_at;
	unsigned char		 scratch[TLS_SCRATCH];
};

static struct tls_conn *
tls_of(const struct conn *c)
{
	return (struct tls_conn *)(void *)c->filter;
}

/* see filter.h */
struct tls_worker *
tls_worker_new(struct worker *w)
{
	struct tls_worker *tw;

	if ((tw = calloc(1, sizeof(*tw))) == NULL)
		return NULL;
	tw->w = w;
	TAILQ_INIT(&tw->pending);
	tw->logged_at = w->now - LOG_MS;
	tls_worker_limit(tw, TIMEOUT_MS, HANDSHAKES);
	return tw;
}

/* see filter.h */
void
tls_worker_free(struct tls_worker *tw)
{
	free(tw);
}

/* see filter.h */
void
tls_worker_limit(struct tls_worker *tw, int timeout_ms,
    unsigned max_handshakes)
{
	tw->timeout_ms = timeout_ms;
	tw->max = max_handshakes > 0 ? max_handshakes : 1;
}

/* see filter.h */
const struct tls_stats *
tls_worker_stats(const struct tls_worker *tw)
{
	return &tw->stats;
}

/* ---- output ---- */

static int
filter_flush(struct conn *c)
{
	struct tls_engine	*e = &tls_of(c)->engine;
	struct sv		 s;
	ssize_t			 n;
	int			 error;

	while ((s = tls_engine_output(e)).n > 0) {
		n = send(c->io.fd, s.p, s.n, MSG_NOSIGNAL);
		error = n == -1 ? errno : 0;
		if (error == EINTR)
			continue;
		if (tls_engine_sent(e, n == -1 ? 0 : (size_t)n) == -1)
			error = ENOMEM;
		if (error != 0) {
			errno = error;
			return -1;
		}
	}
	return 0;
}

/* ---- handshakes ---- */

/* No longer shaking hands, one way or the other. */
static void
settled(struct tls_conn *tc)
{
	struct tls_worker *tw = tc->tw;

	tc->shaking = false;
	tw->stats.handshaking--;
	if (tc->pending != NULL) {
		timer_stop(&tc->pending->timer);
		TAILQ_REMOVE(&tw->pending, tc->pending, link);
		tw->npending--;
		free(tc->pending);
		tc->pending = NULL;
	}
}

static void
log_failure(struct conn *c, struct tls_conn *tc, const char *why)
{
	struct tls_worker	*tw = tc->tw;
	enum log_level		 level = LOG_DEBUG;
	char			 peer[ADDR_STRLEN];

	/* Some of them: on the Internet they never end. */
	if (tw->w->now - tw->logged_at >= LOG_MS) {
		tw->logged_at = tw->w->now;
		level = LOG_INFO;
	}
	LOG_AT(level, "TLS handshake failed",
	    kv_s("peer", conn_peer(c, peer)), kv_s("error", why),
	    LOG_KV_END);
}

/* The handshake has failed; if the layer above closed, because of what. */
static void
count_failure(struct conn *c, struct tls_conn *tc)
{
	if (!tc->shaking)
		return;
	settled(tc);
	tls_engine_abort(&tc->engine, TLS_FAIL_CLOSED, c->err != 0 ?
	    log_strerror(c->err) : "closed in the handshake");
	tc->tw->stats.failed[tc->engine.failure]++;
	log_failure(c, tc, tls_engine_why(&tc->engine));
}

/* Whether its last words are waited for: that this is the wrong port, or what
 * is wrong with the certificate. A peer may still be sending, and would lose
 * them to a reset. */
static bool
has_last_words(const struct tls_engine *e)
{
	return e->server_side && tls_engine_output(e).n > 0 &&
	    (e->failure == TLS_FAIL_NOT_TLS ||
	    e->failure == TLS_FAIL_CLIENT_CERT);
}

/* The engine has failed. What it still says is an alert, or to a browser
 * that this is the wrong port. */
static void
failed(struct conn *c)
{
	struct tls_conn *tc = tls_of(c);

	count_failure(c, tc);
	c->err = tc->engine.failure == TLS_FAIL_CLOSED ? ECONNRESET : EPROTO;
	if (has_last_words(&tc->engine)) {
		conn_drop_output(c);
		conn_filter_open(c);
		conn_close_drained(c);
		return;
	}
	(void)!filter_flush(c);
	conn_close(c);
}

static void
opened(struct conn *c)
{
	struct tls_conn		*tc = tls_of(c);
	struct tls_stats	*stats = &tc->tw->stats;
	char			 peer[ADDR_STRLEN];

	settled(tc);
	stats->open++;
	if (tc->engine.resumed)
		stats->resumed++;
	else
		stats->full++;
	log_debug("TLS handshake done", kv_s("peer", conn_peer(c, peer)),
	    kv_s("cipher", tls_engine_cipher(&tc->engine)),
	    kv_s("session", tc->engine.resumed ? "resumed" : "new"),
	    kv_sv("subject", tls_conn_subject(c)));
	conn_filter_open(c);
	if (tc->engine.challenge)
		conn_close_drained(c);
}

static void
drop(struct conn *c, enum tls_failure failure, const char *why)
{
	tls_engine_abort(&tls_of(c)->engine, failure, why);
	failed(c);
}

static void
timed_out(struct timer *t)
{
	struct pending *p = (struct pending *)(void *)((char *)t -
	    offsetof(struct pending, timer));

	drop(p->c, TLS_FAIL_TIMEOUT, "the handshake took too long");
}

/* ---- what the connection calls ---- */

static bool
may_read(struct conn *c)
{
	struct tls_conn		*tc = tls_of(c);
	struct tls_worker	*tw = tc->tw;

	if (!tc->shaking)
		return true;
	if (tw->turn != tw->w->stats.turns) {
		tw->turn = tw->w->stats.turns;
		tw->spent = 0;
	}
	return tw->spent < TURN_NS;
}

/* Whether the next record is an alert, most likely a close_notify: what is
 * queued has to go out before it, as nothing can afterwards. */
static bool
alert_next(const struct tls_engine *e, const struct tls_span *in)
{
	const char *p = e->in_n > 0 && !e->in_used ? e->in : in->p;

	return e->open && in->n > 0 && *p == TLS_REC_ALERT;
}

/* Take one record, or what there is of it. */
static bool
step(struct conn *c, struct tls_span *in)
{
	struct tls_engine	*e = &tls_of(c)->engine;
	struct tls_span		 plain;
	enum tls_step		 s;

	if (c->out_n > 0 && alert_next(e, in))
		conn_flush(c);
	s = tls_engine_feed(e, in, &plain);
	if (s == TLS_FAILED) {
		failed(c);
		return false;
	}
	if (s == TLS_OPEN)
		opened(c);
	else if (s == TLS_DATA)
		conn_filter_input(c, plain.p, plain.n);
	else if (s == TLS_EOF)
		conn_filter_eof(c);
	if (s != TLS_DATA && tls_engine_output(e).n > 0)
		conn_flush(c);
	return s != TLS_MORE && !c->closing;
}

static void
on_input(struct conn *c, char *p, size_t n)
{
	struct tls_conn	*tc = tls_of(c);
	struct tls_span	 in = { p, n };
	bool		 shaking = tc->shaking;
	int64_t		 since = shaking ? clock_mono_ns() : 0;

	while (!c->closing && step(c, &in))
		continue;
	if (shaking)
		tc->tw->spent += clock_mono_ns() - since;
}

static void
on_eof(struct conn *c)
{
	if (tls_engine_eof(&tls_of(c)->engine))
		conn_filter_eof(c);
	else
		failed(c);
}

static ssize_t
filter_send(struct conn *c, const struct iovec *iov, int n)
{
	struct tls_conn	*tc = tls_of(c);
	int64_t		 now = c->w->now;
	size_t		 taken = 0;

	if (tls_engine_ready(&tc->engine))
		taken = tls_engine_seal(&tc->engine, iov, n,
		    now - tc->sent_at >= BURST_MS);
	if (taken == 0) {
		errno = EPIPE;		/* after a close_notify */
		return -1;
	}
	tc->sent_at = now;
	if (filter_flush(c) == -1 && errno != EAGAIN)
		return -1;
	return (ssize_t)taken;
}

static bool
filter_holds(const struct conn *c)
{
	return tls_engine_output(&tls_of(c)->engine).n > 0;
}

static void
filter_finish(struct conn *c)
{
	tls_engine_finish(&tls_of(c)->engine);
}

static const char *
filter_why(const struct conn *c)
{
	return tls_engine_why(&tls_of(c)->engine);
}

static void
filter_free(struct conn *c)
{
	struct tls_conn *tc = tls_of(c);

	count_failure(c, tc);
	if (tc->engine.open)
		tc->tw->stats.open--;
	tls_engine_fini(&tc->engine);
	free(tc);
}

static const struct conn_filter_ops tls_ops = {
	.may_read = may_read, .on_input = on_input, .on_eof = on_eof,
	.send = filter_send, .flush = filter_flush, .holds = filter_holds,
	.finish = filter_finish, .why = filter_why, .free = filter_free
};

/* ---- beginning ---- */

static struct tls_conn *
tls_conn_new(struct tls_worker *tw)
{
	struct tls_conn *tc;

	if ((tc = calloc(1, sizeof(*tc))) == NULL)
		return NULL;
	tc->filter.ops = &tls_ops;
	tc->tw = tw;
	tc->sent_at = tw->w->now - BURST_MS;
	return tc;
}

static void
begin(struct conn *c, struct tls_conn *tc)
{
	tc->shaking = true;
	tc->tw->stats.handshaking++;
	conn_set_filter(c, &tc->filter);
}

/* see filter.h */
int
tls_accept(struct conn *c, struct tls_server *server, struct tls_worker *tw)
{
	struct tls_conn	*tc;
	struct pending	*p;

	if ((tc = tls_conn_new(tw)) == NULL)
		return -1;
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    tls_engine_server(&tc->engine, server, tw->scratch) == -1) {
		free(p);
		free(tc);
		return -1;
	}
	begin(c, tc);
	tc->pending = p;
	p->c = c;
	p->timer.fn = timed_out;
	timer_set(tw->w, &p->timer, tw->w->now + tw->timeout_ms);
	TAILQ_INSERT_TAIL(&tw->pending, p, link);
	if (++tw->npending > tw->max)
		drop(TAILQ_FIRST(&tw->pending)->c, TLS_FAIL_OVERLOAD,
		    "too many handshakes at once: this was the oldest");
	return 0;
}

/* see filter.h */
int
tls_connect(struct conn *c, struct tls_client *client, const char *host,
    struct tls_worker *tw)
{
	struct tls_conn	*tc;

	if ((tc = tls_conn_new(tw)) == NULL)
		return -1;
	if (tls_engine_client(&tc->engine, client, host, tw->scratch) == -1) {
		tls_engine_fini(&tc->engine);
		free(tc);
		return -1;
	}
	begin(c, tc);
	return 0;
}

/* see filter.h */
bool
tls_conn_is(const struct conn *c)
{
	return c->filter != NULL && c->filter->ops == &tls_ops;
}

/* see filter.h */
struct sv
tls_conn_subject(const struct conn *c)
{
	return sv_from(tls_conn_is(c) ? tls_of(c)->engine.subject : NULL);
}

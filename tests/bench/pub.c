/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Publishers: HTTP/1.1 keep-alive connections with one request under way
 * on each. Message m goes to channel m % nchan on connection m % npub, so
 * the messages of one channel keep their order as long as npub divides
 * nchan; where it does not, the order is not checked.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PATIENCE	(20 * NSEC)	/* for the last delivery */

struct pub {
	struct ev	ev;
	uint64_t	next;		/* message */
	bool		busy;
	size_t		n;
	char		in[4096];
};

static struct pub *pubs;
static unsigned npub;
static struct ev ticker;
static uint64_t start, base, limit, nsent, nbusy;
static double pace;			/* messages a second; 0: no pause */

/* How many messages should have been sent by now. */
static uint64_t
due(void)
{
	uint64_t n;

	if (pace == 0)
		return limit;
	n = base + (uint64_t)((double)(now_ns() - start) * pace / NSEC) + 1;
	return n < limit ? n : limit;
}

/* Names and numbers, as much as JSON usually repeats itself; each message
 * has others. */
static void
prose_format(char *p, size_t n, uint64_t m)
{
	static const char *const word[] = { "price", "amount", "symbol",
	    "currency", "timestamp", "volume", "status", "quantity" };
	uint64_t x = m * 0x9e3779b97f4a7c15 | 1;
	size_t at = 0;

	while (at < n) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		at += (size_t)snprintf(p + at, n - at, "'%s':%" PRIu64 ".%02"
		    PRIu64 ", ", word[x % 8], (x >> 8) % 100000,
		    (x >> 32) % 100);
	}
}

/* The data: load.size bytes. on_message in sub.c knows the columns. */
static int
data_format(char *p, size_t cap, uint64_t m)
{
	static char pad[16384];
	size_t npad = load.size - 52;
	uint64_t seq = m / load.nchan + 1, now = now_ns();

	if (load.since_due)
		now = start + (uint64_t)((double)(m - base) * NSEC / pace);
	if (load.prose)
		prose_format(pad, npad + 1, m);
	else
		memset(pad, '0', npad);
	return snprintf(p, cap, "{\"s\":\"%010" PRIu64 "\",\"t\":\"%020" PRIu64
	    "\",\"p\":\"%.*s\"}", seq, now, (int)npad, pad);
}

static int
channels_format(char *p, size_t cap, uint64_t chan)
{
	unsigned i;
	int n;

	if (load.broadcast == 0)
		return snprintf(p, cap, "{\"channel\":\"%sb%" PRIu64
		    "\",\"data\":", load.prefix, chan);
	n = snprintf(p, cap, "{\"channels\":[");
	for (i = 0; i < load.broadcast; i++)
		n += snprintf(p + n, cap - (size_t)n, "%s\"%sb%" PRIu64 "\"",
		    i > 0 ? "," : "", load.prefix, chan * load.broadcast + i);
	return n + snprintf(p + n, cap - (size_t)n, "],\"data\":");
}

/*
 * A plain server is given the text that one of Centrifugo's dialect would
 * make of the same data, so that what is delivered has the same size.
 */
static size_t
msg_format(char *p, size_t cap, uint64_t m)
{
	uint64_t chan = m % load.nchan;
	int n;

	if (load.dialect == PLAIN)
		n = snprintf(p, cap, "{\"push\":{\"channel\":\"b%" PRIu64
		    "\",\"pub\":{\"data\":", chan);
	else
		n = channels_format(p, cap, chan);
	n += data_format(p + n, cap - (size_t)n, m);
	n += snprintf(p + n, cap - (size_t)n,
	    load.dialect == PLAIN ? "}}}" : "}");
	return (size_t)n;
}

static void
pub_send(struct pub *p)
{
	char body[20000], req[20400], path[32] = "/api/publish";
	size_t nbody = msg_format(body, sizeof(body), p->next);
	int n;

	if (load.dialect == PLAIN)
		snprintf(path, sizeof(path), "/pub/%" PRIu64,
		    p->next % load.nchan);
	else if (load.broadcast > 0)
		snprintf(path, sizeof(path), "/api/broadcast");
	n = snprintf(req, sizeof(req), "POST %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nX-API-Key: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    path, load.apikey, nbody, body);
	if (send(p->ev.fd, req, (size_t)n, MSG_NOSIGNAL) != n)
		err(1, "publisher: send");
	p->next += npub;
	p->busy = true;
	nbusy++;
	nsent++;
}

/* The bytes of a whole response, or 0: need more. */
static size_t
response_parse(const char *p, size_t n)
{
	const char *body, *field;
	size_t len = 0;

	if ((body = memmem(p, n, "\r\n\r\n", 4)) == NULL)
		return 0;
	body += 4;
	if (strncmp(p, "HTTP/1.1 2", 10) != 0)
		errx(1, "publish: %.*s", (int)n, p);
	if ((field = strcasestr(p, "\r\ncontent-length:")) != NULL &&
	    field < body)
		len = strtoul(field + 17, NULL, 10);
	else if (strncmp(p, "HTTP/1.1 204", 12) != 0)
		errx(1, "publish: no Content-Length: %.*s", (int)n, p);
	if (n - (size_t)(body - p) < len)
		return 0;
	if (memmem(body, len, "\"error\"", 7) != NULL)
		errx(1, "publish: %.*s", (int)len, body);
	return (size_t)(body - p) + len;
}

static void
pub_ready(struct ev *ev, uint32_t events)
{
	struct pub *p = (struct pub *)ev;
	ssize_t r;

	(void)events;
	r = read(ev->fd, p->in + p->n, sizeof(p->in) - 1 - p->n);
	if (r <= 0)
		errx(1, "publisher: %s", r == 0 ? "the server hangs up" :
		    strerror(errno));
	p->n += (size_t)r;
	p->in[p->n] = '\0';
	if (response_parse(p->in, p->n) == 0)
		return;
	p->n = 0;
	p->busy = false;
	nbusy--;
	if (p->next < due())
		pub_send(p);
}

static void
tick(struct ev *ev, uint32_t events)
{
	uint64_t expired;
	unsigned i;

	(void)events;
	if (ev != NULL && read(ev->fd, &expired, sizeof(expired)) == -1)
		return;
	for (i = 0; i < npub; i++)
		if (!pubs[i].busy && pubs[i].next < due())
			pub_send(&pubs[i]);
}

void
pubs_open(unsigned n)
{
	unsigned i;

	if ((pubs = calloc(n, sizeof(*pubs))) == NULL)
		err(1, NULL);
	for (i = 0; i < n; i++) {
		pubs[i].ev.on_ready = pub_ready;
		pubs[i].ev.fd = dial(&load.api, NULL);
		loop_add(&pubs[i].ev, EPOLLIN);
	}
	npub = n;
	load.ordered = load.nchan % n == 0;
	ticker.on_ready = tick;
	if ((ticker.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)) == -1)
		err(1, "timerfd_create");
	loop_add(&ticker, EPOLLIN);
}

/* Wake up rate times a second; 0 stops the clock. */
static void
ticker_set(double rate)
{
	struct itimerspec it = {0};
	uint64_t ns = rate > 0 ? (uint64_t)(NSEC / rate) : 0;

	it.it_interval.tv_sec = (time_t)(ns / NSEC);
	it.it_interval.tv_nsec = (long)(ns % NSEC);
	it.it_value = it.it_interval;
	if (timerfd_settime(ticker.fd, 0, &it, NULL) == -1)
		err(1, "timerfd_settime");
}

/* Until every request is answered and every message is delivered. */
static void
drain(uint64_t expected)
{
	uint64_t end = now_ns() + PATIENCE;

	while (nbusy > 0 || load.received < expected) {
		loop_turn(now_ns() + NSEC / 10);
		if (now_ns() > end)
			errx(1, "%" PRIu64 " of %" PRIu64 " messages are"
			    " lost, %" PRIu64 " requests without an answer",
			    expected - load.received, expected, nbusy);
	}
	loop_turn(now_ns() + NSEC / 20);
	if (load.received > expected)
		errx(1, "%" PRIu64 " messages too many",
		    load.received - expected);
}

/* Messages base.. limit - 1, but none after the time end. */
static uint64_t
publish(uint64_t end)
{
	uint64_t before = load.received;
	unsigned i;

	nsent = 0;
	for (i = 0; i < npub; i++)
		pubs[i].next = base + (i + npub - base % npub) % npub;
	ticker_set(pace);
	tick(NULL, 0);
	while (base + nsent < limit && now_ns() < end)
		loop_turn(now_ns() + NSEC / 10);
	limit = 0;
	ticker_set(0);
	drain(before + nsent * load.nsub / load.nchan);
	base += nsent;
	return nsent;
}

uint64_t
pubs_run(double rate, double seconds)
{
	pace = rate;
	start = now_ns();
	if (rate == 0) {
		limit = UINT64_MAX;
		return publish(start + (uint64_t)(seconds * NSEC));
	}
	limit = base + (uint64_t)(rate * seconds);
	return publish(UINT64_MAX);
}

uint64_t
pubs_send(uint64_t n)
{
	pace = 0;
	limit = base + n;
	return publish(UINT64_MAX);
}

void
pubs_stop(void)
{
	limit = base + nsent;
}

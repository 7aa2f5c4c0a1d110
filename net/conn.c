/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Connections: input through the worker's shared buffer, output through a
 * queue of shared blobs. An idle connection owns nothing but its struct:
 * input is owned only while the layer above waits for the rest of it, and
 * the queue's array is freed when it has run empty. A filter (see net.h) may
 * stand between both and the socket.
 */
#include <sys/epoll.h>
#include <sys/uio.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/internal.h"
#include "util/log.h"

#define IOV_BATCH	64
#define IN_MIN		1024	/* least room for a read into c->in */

static void
conn_touch(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = NULL;
	*c->w->dirty_tail = c;
	c->w->dirty_tail = &c->next_dirty;
}

/* see net.h */
void
conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	c->next_closing = c->w->closing;
	c->w->closing = c;
}

/* see internal.h */
void
conn_fail(struct conn *c, int error)
{
	c->err = (uint8_t)error;
	conn_close(c);
}

/* A filter that opens reads on. */
static bool
deaf(const struct conn *c)
{
	return c->eof || (c->paused && !c->opening);
}

/* The events that fit the connection's state. While a filter opens, output
 * may wait for input. */
static void
conn_update_events(struct conn *c)
{
	uint32_t want = 0;

	if (!deaf(c))
		want |= EPOLLIN;
	if (c->blocked && (!c->opening || c->filter->ops->holds(c)))
		want |= EPOLLOUT;
	if (io_want(c->w, &c->io, want) == -1)
		conn_fail(c, errno);
}

/* ---- input ---- */

/* Keep what the layer above did not take. p may lie in c->in. */
static int
conn_keep(struct conn *c, const char *p, size_t n)
{
	if (n == 0) {
		free(c->in);
		c->in = NULL;
		c->in_n = c->in_cap = 0;
		return 0;
	}
	if (c->in == NULL) {
		if ((c->in = malloc(n)) == NULL)
			return -1;
		c->in_cap = (uint32_t)n;
	}
	memmove(c->in, p, n);
	c->in_n = (uint32_t)n;
	return 0;
}

/* The layer above has put a filter under itself and left it its input. */
static void
conn_refilter(struct conn *c)
{
	char	*p = c->in;
	size_t	 n = c->in_n;

	c->in = NULL;
	c->in_n = c->in_cap = 0;
	if (n > 0)
		c->filter->ops->on_input(c, p, n);
	free(p);
}

static void
conn_deliver(struct conn *c, char *p, size_t n)
{
	const struct conn_filter	*filter = c->filter;
	size_t				 used;

	c->redeliver = false;
	used = c->ops->on_read(c, p, n);
	if (c->closing)
		return;
	if (conn_keep(c, p + used, n - used) == -1)
		conn_fail(c, ENOMEM);
	else if (c->filter != filter)
		conn_refilter(c);
}

/* Room behind the kept input: at least n, doubling. */
static int
conn_grow_in(struct conn *c, size_t n)
{
	size_t	 cap = c->in_cap;
	char	*p;

	if (cap - c->in_n >= n)
		return 0;
	cap = cap * 2 < c->in_n + n ? c->in_n + n : cap * 2;
	if (cap > INT_MAX || (p = realloc(c->in, cap)) == NULL)
		return -1;
	c->in = p;
	c->in_cap = (uint32_t)cap;
	return 0;
}

static void
conn_eof(struct conn *c)
{
	c->eof = true;
	if (c->lingering || (c->ops->on_eof == NULL && !c->close_drained)) {
		conn_close(c);
		return;
	}
	conn_update_events(c);
	if (!c->close_drained)
		c->ops->on_eof(c);
}

static void
conn_read(struct conn *c)
{
	char	*p = c->w->rbuf;
	size_t	 room = WORKER_RBUF;
	ssize_t	 n;

	if (c->in != NULL && !c->close_drained) {
		if (conn_grow_in(c, IN_MIN) == -1) {
			conn_fail(c, ENOMEM);
			return;
		}
		p = c->in + c->in_n;
		room = c->in_cap - c->in_n;
	}
	n = recv(c->io.fd, p, room, 0);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			conn_fail(c, errno);
	} else if (n == 0) {
		conn_eof(c);
	} else if (!c->close_drained) {
		c->w->stats.bytes_in += (uint64_t)n;
		if (c->in == NULL) {
			conn_deliver(c, p, (size_t)n);
		} else {
			c->in_n += (uint32_t)n;
			conn_deliver(c, c->in, c->in_n);
		}
	}
}

/* see net.h */
void
conn_filter_input(struct conn *c, char *p, size_t n)
{
	if (c->closing || c->close_drained || c->eof || n == 0)
		return;
	c->w->stats.bytes_in += n;
	if (c->in == NULL && !c->paused) {
		conn_deliver(c, p, n);
		return;
	}
	if (conn_grow_in(c, n) == -1) {
		conn_fail(c, ENOMEM);
		return;
	}
	memcpy(c->in + c->in_n, p, n);
	c->in_n += (uint32_t)n;
	if (!c->paused)
		conn_deliver(c, c->in, c->in_n);
}

/* see net.h */
void
conn_filter_eof(struct conn *c)
{
	if (c->closing || c->eof)
		return;
	/* Without a filter a paused connection does not hear of it. */
	if (c->paused || c->redeliver)
		c->eof_waits = true;	/* after what is kept */
	else
		conn_eof(c);
}

static void
conn_read_filtered(struct conn *c)
{
	const struct conn_filter_ops	*f = c->filter->ops;
	bool				 ignore;
	ssize_t				 n;

	if (c->eof_waits || !f->may_read(c))
		return;
	ignore = c->close_drained && !c->opening;
	n = recv(c->io.fd, c->w->rbuf, WORKER_RBUF, 0);
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			conn_fail(c, errno);
	} else if (n == 0) {
		if (ignore)
			conn_eof(c);
		else
			f->on_eof(c);
	} else if (!ignore) {
		f->on_input(c, c->w->rbuf, (size_t)n);
	}
}

static void
conn_event(struct io *io, struct worker *w, uint32_t ev)
{
	struct conn *c = container_of(io, struct conn, io);

	(void)w;
	if (c->closing)
		return;
	if (ev & EPOLLOUT) {
		conn_touch(c);
	} else if (ev & (EPOLLERR | EPOLLHUP) && deaf(c)) {
		conn_fail(c, ECONNRESET);
		return;
	}
	if (deaf(c)) {
		/* Input came after conn_pause(): stop asking for it only
		 * now, because most pauses end before any comes. */
		conn_update_events(c);
	} else if (ev & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		if (c->filter != NULL)
			conn_read_filtered(c);
		else
			conn_read(c);
	}
}

/* see net.h */
void
conn_pause(struct conn *c)
{
	/* The end of a connection reads on for the peer's FIN. */
	if (!c->close_drained)
		c->paused = true;
}

/* see net.h */
void
conn_resume(struct conn *c)
{
	if (!c->paused || c->closing)
		return;
	c->paused = false;
	conn_update_events(c);
	if (c->in_n > 0)
		c->redeliver = true;
	if (c->redeliver || c->eof_waits)
		conn_touch(c);
}

/* ---- output ---- */

static struct blob **
out_slot(struct conn *c, uint32_t i)
{
	uint32_t k = c->out_head + i;

	return &c->out[k >= c->out_cap ? k - c->out_cap : k];
}

static int
out_grow(struct conn *c)
{
	uint32_t	  cap = c->out_cap * 2, i;
	struct blob	**v;

	if ((v = malloc(cap * sizeof(*v))) == NULL)
		return -1;
	for (i = 0; i < c->out_n; i++)
		v[i] = *out_slot(c, i);
	if (c->out != c->out_one)
		free(c->out);
	c->out = v;
	c->out_cap = cap;
	c->out_head = 0;
	return 0;
}

/* The queue has run empty: give its array back. */
static void
out_release(struct conn *c)
{
	if (c->out != c->out_one)
		free(c->out);
	c->out = c->out_one;
	c->out_cap = CONN_OUT_INLINE;
	c->out_head = c->out_n = c->out_off = c->out_bytes = 0;
}

/* see net.h */
int
conn_send(struct conn *c, struct blob *b)
{
	if (c->closing || c->close_drained || b->n == 0) {
		blob_unref(b);
		return 0;
	}
	if ((c->out_n == c->out_cap && out_grow(c) == -1) ||
	    b->n > UINT32_MAX - c->out_bytes) {
		blob_unref(b);
		return -1;
	}
	*out_slot(c, c->out_n++) = b;
	c->out_bytes += b->n;
	if (!c->blocked)
		conn_touch(c);
	return 0;
}

/* see net.h */
int
conn_send_copy(struct conn *c, const void *p, size_t n)
{
	struct blob *b = blob_new(n);

	if (b == NULL)
		return -1;
	memcpy(b->data, p, n);
	return conn_send(c, b);
}

/* see net.h */
void
conn_drop_output(struct conn *c)
{
	struct blob	*b;
	uint32_t	 keep = c->out_off > 0;

	while (c->out_n > keep) {
		b = *out_slot(c, --c->out_n);
		c->out_bytes -= b->n;
		blob_unref(b);
	}
	if (c->out_n == 0)
		out_release(c);
}

/* n bytes were written: drop what is done with. */
static void
out_ack(struct conn *c, size_t n)
{
	struct blob *b;

	c->out_bytes -= (uint32_t)n;
	n += c->out_off;
	while (c->out_n > 0 && n >= (b = *out_slot(c, 0))->n) {
		n -= b->n;
		blob_unref(b);
		c->out_head = c->out_head + 1 == c->out_cap ? 0 :
		    c->out_head + 1;
		c->out_n--;
	}
	c->out_off = (uint32_t)n;
}

/* One write of as much of the queue as fits: bytes, or -1. */
static ssize_t
out_write(struct conn *c)
{
	struct iovec	 iov[IOV_BATCH];
	struct msghdr	 mh = { .msg_iov = iov };
	struct blob	*b = *out_slot(c, 0);
	uint32_t	 i;

	if (c->out_n == 1 && c->filter == NULL)
		return send(c->io.fd, b->data + c->out_off,
		    b->n - c->out_off, MSG_NOSIGNAL);
	for (i = 0; i < c->out_n && i < IOV_BATCH; i++) {
		b = *out_slot(c, i);
		iov[i].iov_base = b->data;
		iov[i].iov_len = b->n;
	}
	iov[0].iov_base = (*out_slot(c, 0))->data + c->out_off;
	iov[0].iov_len -= c->out_off;
	if (c->filter != NULL)
		return c->filter->ops->send(c, iov, (int)i);
	mh.msg_iovlen = i;
	return sendmsg(c->io.fd, &mh, MSG_NOSIGNAL);
}

/* The last byte is out: FIN, and wait for the peer's. Closing at once could
 * reset the connection under input not yet read, and lose our answer. */
static void
conn_linger(struct conn *c)
{
	if (c->eof || shutdown(c->io.fd, SHUT_WR) == -1) {
		conn_close(c);
		return;
	}
	c->lingering = true;
}

static void
out_drained(struct conn *c)
{
	bool was_blocked = c->blocked;

	out_release(c);
	if (was_blocked) {
		c->blocked = false;
		conn_update_events(c);
	}
	if (c->close_drained)
		conn_linger(c);
	else if (was_blocked && c->ops->on_drained != NULL)
		c->ops->on_drained(c);
}

/* Output has to wait, and has got on in this turn or begins to wait. */
static void
out_block(struct conn *c, bool progress)
{
	if (progress || !c->blocked)
		c->blocked_at = c->w->now;
	c->blocked = true;
	conn_update_events(c);
}

/* Have the filter send what it holds. Whether it takes output then. */
static bool
filter_flush(struct conn *c)
{
	if (c->filter->ops->flush(c) == -1) {
		if (errno == EAGAIN)
			out_block(c, false);
		else
			conn_fail(c, errno);
		return false;
	}
	if (c->opening && (c->out_n > 0 || c->blocked))
		out_block(c, false);
	return !c->opening;
}

/* The same for its last words. */
static bool
filter_finish(struct conn *c)
{
	c->filter->ops->finish(c);
	return filter_flush(c);
}

/* see net.h */
void
conn_flush(struct conn *c)
{
	ssize_t n;

	if (c->filter != NULL && (c->closing || !filter_flush(c)))
		return;
	while (c->out_n > 0) {
		if ((n = out_write(c)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN) {
				conn_fail(c, errno);
				return;
			}
			n = 0;
		}
		c->w->stats.bytes_out += (uint64_t)n;
		out_ack(c, (size_t)n);
		if (n == 0 || (c->filter == NULL ? c->out_off > 0 :
		    c->filter->ops->holds(c))) {
			/* The kernel's buffer is full. */
			out_block(c, n > 0);
			return;
		}
	}
	if (c->filter == NULL || !c->close_drained || filter_finish(c))
		out_drained(c);
}

/* see internal.h */
void
conns_flush(struct worker *w)
{
	struct conn *c = w->dirty, *next;

	/* What callbacks touch from here on waits for the next turn. */
	w->dirty = NULL;
	w->dirty_tail = &w->dirty;
	for (; c != NULL; c = next) {
		next = c->next_dirty;
		c->dirty = false;
		if (c->closing)
			continue;
		if (c->redeliver && !c->paused && !c->close_drained) {
			conn_deliver(c, c->in, c->in_n);
			if (c->closing)
				continue;
		}
		if (c->eof_waits && !c->paused &&
		    (!c->redeliver || c->close_drained)) {
			c->eof_waits = false;
			conn_eof(c);
			if (c->closing)
				continue;
		}
		if (c->out_n > 0 || c->close_drained || c->blocked)
			conn_flush(c);
	}
}

/* ---- life ---- */

static void
conn_timer_fired(struct timer *t)
{
	struct conn *c = container_of(t, struct conn, timer);

	if (c->closing)
		return;
	if (c->close_drained)
		conn_close(c);
	else
		c->ops->on_timer(c);
}

/* see net.h */
struct conn *
conn_new(struct worker *w, int fd, const struct addr *peer,
    const struct conn_ops *ops, void *proto)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return NULL;
	}
	c->io.fd = fd;
	c->io.on_event = conn_event;
	c->w = w;
	c->ops = ops;
	c->proto = proto;
	c->timer.fn = conn_timer_fired;
	c->out = c->out_one;
	c->out_cap = CONN_OUT_INLINE;
	if (peer != NULL)
		c->peer_port = addr_ip(peer, c->peer_ip);
	if (io_add(w, &c->io, EPOLLIN) == -1) {
		close(fd);
		free(c);
		return NULL;
	}
	LIST_INSERT_HEAD(&w->conns, c, all);
	w->stats.conns_open++;
	return c;
}

/* see net.h */
void
conn_close_drained(struct conn *c)
{
	if (c->closing || c->close_drained)
		return;
	if (c->opening && c->out_n == 0) {
		conn_close(c);
		return;
	}
	c->close_drained = true;
	c->paused = false;
	conn_update_events(c);
	conn_timer(c, c->w->now + CONN_LINGER_MS);
	conn_touch(c);
}

/* see net.h */
void
conn_set_filter(struct conn *c, struct conn_filter *f)
{
	c->filter = f;
	c->opening = true;
}

/* see net.h */
void
conn_filter_open(struct conn *c)
{
	c->opening = false;
	conn_touch(c);
	if (c->ops->on_open != NULL)
		c->ops->on_open(c);
}

/* see net.h */
const char *
conn_why(const struct conn *c)
{
	const char *why = NULL;

	if (c->filter != NULL)
		why = c->filter->ops->why(c);
	if (why == NULL)
		why = c->err == 0 ? "connection closed" : log_strerror(c->err);
	return why;
}

/* The last try to get output out. */
static void
conn_last_words(struct conn *c)
{
	if (c->err != 0 || c->blocked || c->opening)
		return;
	if (c->out_n > 0)
		(void)!out_write(c);
	if (c->filter != NULL) {
		c->filter->ops->finish(c);
		(void)!c->filter->ops->flush(c);
	}
}

static void
conn_free(struct conn *c)
{
	conn_last_words(c);
	timer_stop(&c->timer);
	if (c->ops != NULL)
		c->ops->on_close(c);
	if (c->filter != NULL)
		c->filter->ops->free(c);
	c->out_off = 0;
	conn_drop_output(c);
	/* A process that has just been forked may have it still: close()
	 * alone would leave it registered. */
	io_del(c->w, &c->io);
	close(c->io.fd);
	free(c->in);
	net_conn_gone(c);
	LIST_REMOVE(c, all);
	c->w->stats.conns_open--;
	free(c);
}

/* see internal.h */
void
conns_reap(struct worker *w)
{
	struct conn **pp, *c, *list;

	if (w->closing == NULL)
		return;
	/* A closing connection may still be in the list of touched ones. */
	w->dirty_tail = &w->dirty;
	for (pp = &w->dirty; (c = *pp) != NULL; ) {
		if (c->closing)
			*pp = c->next_dirty;
		else
			pp = &c->next_dirty;
		w->dirty_tail = pp;
	}
	list = w->closing;
	w->closing = NULL;
	while ((c = list) != NULL) {
		list = c->next_closing;
		conn_free(c);
	}
}

/* see net.h */
void
worker_close_conns(struct worker *w)
{
	struct conn *c;

	while (!LIST_EMPTY(&w->conns)) {
		LIST_FOREACH(c, &w->conns, all)
			conn_close(c);
		conns_reap(w);
	}
}

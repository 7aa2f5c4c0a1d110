/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Workers, their event loop, timers, connections and listeners.
 *
 * A worker is a thread with an epoll loop; everything below belongs to one
 * worker and is touched only by it, except worker_post(). A turn of the
 * loop is: wait, run mail, handle events, run the mail that came meanwhile,
 * run timers, flush the output of every touched connection with one write
 * each, free what was closed.
 *
 * Nobody frees a connection inside a callback: conn_close() marks it, no
 * callback but on_close comes after that, and on_close and free happen at
 * the end of the turn.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/ip.h"
#include "net/limit.h"
#include "util/blob.h"
#include "util/mail.h"
#include "util/sv.h"

struct conn;
struct worker;

/* ---- timers: a hashed wheel; set and stop are O(1) ---- */

#define WHEEL_SLOTS	4096	/* a power of two */
#define WHEEL_TICK_MS	16	/* how late a timer may be */

struct timer {
	struct timer	 *next, **prev;	/* prev == NULL: not running */
	int64_t		  at;		/* monotonic ms */
	void		(*fn)(struct timer *);
};

/* (Re)start t to call t->fn once, at or up to one tick after `at'. */
void	timer_set(struct worker *, struct timer *t, int64_t at);
void	timer_stop(struct timer *);
static inline bool
timer_is_set(const struct timer *t)
{
	return t->prev != NULL;
}

/* ---- descriptors ---- */

/* Something the loop waits on. Embedded in a conn, listener or eventfd. */
struct io {
	int		  fd;
	uint32_t	  want;		/* EPOLL* registered now */
	void		(*on_event)(struct io *, struct worker *, uint32_t ev);
};

/* Register, change the wanted events, take out (does not close the fd; no
 * event of it comes any more, it may be freed). 0 or -1 with errno. */
int	io_add(struct worker *, struct io *, uint32_t events);
int	io_want(struct worker *, struct io *, uint32_t events);
void	io_del(struct worker *, struct io *);

/* ---- workers ---- */

#define WORKERS_MAX	64

struct worker_stats {
	uint64_t	conns_accepted;
	uint64_t	conns_open;
	uint64_t	conns_refused;	/* 503 for lack of descriptors */
	uint64_t	bytes_in, bytes_out;
	uint64_t	turns;
};

struct worker {
	unsigned	  id;		/* 0 .. nworkers-1 */
	int64_t		  now;		/* monotonic ms, once a turn */
	void		 *ctx;		/* of the rooms above; mail gets it */
	struct worker_stats stats;
	/* Private to net/ from here on. */
	int		  epfd;
	struct io	  wake;		/* eventfd behind mail */
	struct mailq	  mail;
	struct timer	 *slot[WHEEL_SLOTS];
	uint64_t	  slot_used[WHEEL_SLOTS / 64];
	int64_t		  wheel_at;	/* last tick handled */
	size_t		  ntimers;
	LIST_HEAD(, conn) conns;
	struct conn	 *dirty, **dirty_tail, *closing;
	char		 *rbuf;		/* the one receive buffer */
	struct epoll_event *ev;		/* in hand */
	int		  nev;
	bool		  stop, running;
	int		  spare_fd;
	pthread_t	  thread;
};

#define WORKER_RBUF	(64 * 1024 + 256)

/* Make a worker (heap: it is large). NULL with errno. */
struct worker *worker_new(unsigned id);
void	worker_free(struct worker *);
/* Close and free every connection, after the loop has ended. */
void	worker_close_conns(struct worker *);
/* Run until worker_stop(); worker_start runs it in a thread of its own with
 * every signal blocked. */
void	worker_run(struct worker *);
int	worker_start(struct worker *);
void	worker_join(struct worker *);
/* From the worker itself: leave the loop at the end of this turn. */
void	worker_stop(struct worker *);
/* From any thread: m->run(m, w->ctx) on w, in this thread's order. */
void	worker_post(struct worker *w, struct mail *m);
/* Whether mail waits for it. */
bool	worker_has_mail(struct worker *);
/* One turn, waiting at most max_ms (-1: until something happens); for
 * tests. */
void	worker_turn(struct worker *, int max_ms);

/* ---- addresses ---- */

struct addr {
	union {
		struct sockaddr		sa;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
	};
	socklen_t	len;
};

#define ADDR_STRLEN	64	/* "[...]:65535" and a NUL */
/* Numeric IPv4 or IPv6 address (with or without brackets), "localhost", or
 * "" for every address; 0 or -1. any6: what "" means. */
int	addr_parse(struct addr *, const char *host, uint16_t port, bool any6);
const char *addr_format(const struct addr *, char out[ADDR_STRLEN]);
/* The IP address of it (none if it is no such) and the port. */
uint16_t addr_ip(const struct addr *, uint8_t ip[IP_LEN]);

/* ---- connections ---- */

struct conn_ops {
	/* p[0..n) arrived, together with what was left of earlier bytes. May
	 * be changed in place. Returns how many bytes are done with; the
	 * rest is kept (owned by the connection) and comes again in front of
	 * the next bytes. Not called while reading is paused. */
	size_t	(*on_read)(struct conn *, char *p, size_t n);
	/* The peer sent FIN. NULL: conn_close(). */
	void	(*on_eof)(struct conn *);
	/* All output has been handed to the kernel after it had to wait.
	 * May be NULL. */
	void	(*on_drained)(struct conn *);
	/* Its filter has opened. May be NULL. */
	void	(*on_open)(struct conn *);
	void	(*on_timer)(struct conn *);
	/* The last call; c is freed after it. c->proto is the callee's to
	 * free. */
	void	(*on_close)(struct conn *);
};

#define CONN_OUT_INLINE	2

struct conn {
	struct io		 io;
	struct worker		*w;
	const struct conn_ops	*ops;
	void			*proto;		/* of the layer above */
	struct timer		 timer;		/* ops->on_timer */
	int64_t			 blocked_at;	/* of the last progress */
	LIST_ENTRY(conn)	 all;
	struct conn		*next_dirty, *next_closing;
	struct conn_filter	*filter;	/* or NULL */
	char			*in;		/* unconsumed input, or NULL */
	uint32_t		 in_n, in_cap;
	struct blob	       **out;		/* ring; out_one while small */
	struct blob		*out_one[CONN_OUT_INLINE];
	uint32_t		 out_head, out_n, out_cap;
	uint32_t		 out_off;	/* sent of the first blob */
	uint32_t		 out_bytes;	/* queued and unsent */
	uint32_t		 tag;		/* free for the layer above */
	uint8_t			 peer_ip[IP_LEN]; /* of the client, where a
						 * trusted proxy names it */
	uint16_t		 peer_port;
	uint8_t			 err;		/* errno of a failed I/O call */
	bool			 reserve;	/* see net_set_conn_limit() */
	bool			 closing;
	bool			 blocked;	/* output waits for the peer */
	/* Private. */
	bool			 opening;	/* the filter takes no output */
	bool			 eof_waits;	/* until input is taken again */
	bool			 dirty, paused, redeliver, eof,
				 close_drained, lingering, counted,
				 limited;
};

/* Take over a connected non-blocking fd. NULL: no memory (fd is closed). */
struct conn *conn_new(struct worker *, int fd, const struct addr *peer,
	    const struct conn_ops *, void *proto);
/* Open a TCP connection. What is queued meanwhile is sent when it stands (and
 * its filter is open), and on_drained is called then (also if nothing was
 * queued). on_close with
 * c->err, at the earliest at the end of the turn, if it comes to nothing.
 * NULL with errno: it failed at once, without any callback. How long it may
 * take is the caller's matter. */
struct conn *conn_dial(struct worker *, const struct addr *,
	    const struct conn_ops *, void *proto);
/* The same for UDP: on_read gets one datagram a call and takes it whole; of
 * what is sent, flush each before the next. */
struct conn *conn_dial_udp(struct worker *, const struct addr *,
	    const struct conn_ops *, void *proto);
/* Queue one reference to b (taken from the caller, also on failure). It is
 * written at the end of the turn. -1: no memory, nothing queued; the caller
 * closes. Output to a closing connection is dropped (0). Limits are the
 * caller's: look at c->out_bytes before. */
int	conn_send(struct conn *, struct blob *b);
/* Queue a copy of n bytes. */
int	conn_send_copy(struct conn *, const void *p, size_t n);
/* Write now what the kernel takes, for those who queue much in one turn. */
void	conn_flush(struct conn *);
/* Drop queued output that has not been started; a blob partly written stays
 * so that the peer's framing survives. */
void	conn_drop_output(struct conn *);
/* Close now (end of this turn; queued output gets one last try). */
void	conn_close(struct conn *);
/* Close when the queue has been written: a FIN, then a wait for the peer's so
 * that it can read the answer; both together take CONN_LINGER_MS at most. No
 * more input is delivered, and the connection's timer is taken over. */
#define CONN_LINGER_MS	5000
void	conn_close_drained(struct conn *);
/* Stop and start delivery of input; start delivers what is buffered at the
 * end of the turn or at the next one. */
void	conn_pause(struct conn *);
void	conn_resume(struct conn *);
/* (Re)start or stop the connection's timer; at in monotonic ms. */
static inline void
conn_timer(struct conn *c, int64_t at)
{
	timer_set(c->w, &c->timer, at);
}
/* The peer's address without port. */
const char *conn_peer(const struct conn *, char out[ADDR_STRLEN]);
/* Why it was closed, for on_close: what the filter says, or c->err's text. */
const char *conn_why(const struct conn *);

/* ---- filters: what stands between a connection and its socket ---- */

/* While the connection is `opening', no output is handed to the filter, and
 * input is read even if the layer above has paused it. A filter that fails
 * sets c->err and closes. */
struct conn_filter_ops {
	/* Whether to read from the socket now; false: in the next turn. */
	bool	(*may_read)(struct conn *);
	/* p[0..n) came from the socket and may be changed in place. What it
	 * is made into goes to conn_filter_input(). */
	void	(*on_input)(struct conn *, char *p, size_t n);
	/* The peer sent FIN. */
	void	(*on_eof)(struct conn *);
	/* Take output, as much as suits, once all that is held is out. Bytes
	 * taken, more than 0; or -1 with errno. */
	ssize_t	(*send)(struct conn *, const struct iovec *, int n);
	/* Hand what is held to the kernel. 0: all; -1 with errno. */
	int	(*flush)(struct conn *);
	/* Whether anything is held. */
	bool	(*holds)(const struct conn *);
	/* There will be no more output: hold what says so to the peer. Called
	 * any number of times. */
	void	(*finish)(struct conn *);
	/* Why it has failed: a text until free, or NULL if it has not. */
	const char *(*why)(const struct conn *);
	/* After on_close. */
	void	(*free)(struct conn *);
};

/* The first member of what the filter keeps for a connection. */
struct conn_filter {
	const struct conn_filter_ops *ops;
};

/* Put a filter, opening, under a connection that has none: in on_accept,
 * after conn_dial(), or from within on_read. What that leaves unconsumed is
 * the filter's first input. */
void	conn_set_filter(struct conn *, struct conn_filter *);
/* From the filter: output is taken from now on. */
void	conn_filter_open(struct conn *);
/* From the filter: input for the layer above, which may be changed in place.
 * The connection may be closing afterwards. */
void	conn_filter_input(struct conn *, char *p, size_t n);
/* From the filter: there will be no more input. */
void	conn_filter_eof(struct conn *);

/* ---- listeners ---- */

struct listener;

/* How many connections this process may hold. The next NET_RESERVE ones are
 * marked `reserve', and the layer above refuses them all but health checks;
 * beyond those, and when there are no descriptors at all, a connection gets
 * the text `refusal' (static) and is closed. Set once, before the workers
 * start. */
#define NET_RESERVE	32
void	net_set_conn_limit(unsigned max_conns, const char *refusal);
/* What limits connections by their peer's address, or NULL. It outlives the
 * workers' connections. */
void	net_set_limiter(struct limiter *);
/* What it has done; all zero without one. */
void	net_limit_stats(struct limit_stats *);
/* Count a connection among its peer's, until it ends; for once only, and
 * those without an IP address are not counted. Not LIMIT_OK: it is one too
 * many, refuse it. Its peer_ip must not change from then on. */
enum limit_verdict conn_limit(struct conn *);
/* Connections open in the process. */
unsigned net_conns(void);
/* CPUs that this process may use, by affinity and control group; at most
 * WORKERS_MAX. */
unsigned net_cpus(void);
/* Raise RLIMIT_NOFILE to its hard limit; the resulting number. */
unsigned net_raise_nofile(void);

/* Bind and listen, with SO_REUSEPORT if shared (one listener a worker on
 * the same address). An fd, or -1 with errno. */
int	net_listen(const struct addr *, bool shared, int backlog);
/* Whether the address is free: SO_REUSEPORT would let a second process in
 * silently. 0, or -1 with errno (EADDRINUSE). */
int	net_probe(const struct addr *);
/* Where a listening socket listens, for people: an address or "unix:" and a
 * path. */
#define NET_WHERE_LEN	120
void	net_where(int fd, char out[NET_WHERE_LEN]);
/* Accept on fd in this worker; shared: others do, too. on_accept gets a new
 * connection's conn with ops and proto NULL and sets them (and may conn_close
 * it). ctx is kept in the listener. */
struct listener *listener_new(struct worker *, int fd, bool shared,
	    void (*on_accept)(struct conn *, void *ctx), void *ctx);
/* Stop accepting and close the fd. */
void	listener_free(struct listener *);

#endif

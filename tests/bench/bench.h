/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the parts of the load generator share: one epoll loop, connections
 * (conn.c) with TLS (tls.c) or without, the ways in (ws.c, stream.c, msg.c),
 * subscribers (sub.c), publishers (pub.c), a latency histogram (hist.c) and
 * what /proc tells about the measured server (proc.c). It uses nothing of the
 * server's own code, so that a fault there can't hide itself; its TLS is
 * OpenSSL's.
 *
 * A message carries a sequence number per channel and the time when it was
 * sent, both as digits of fixed width (see msg_format), so every subscriber
 * checks that it has each message once and in order, and knows how long it
 * took. Any fault ends the program with status 1: a benchmark of a server
 * that loses messages is worth nothing.
 */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSEC	1000000000ULL

/* The first member of whatever sits in the epoll set. */
struct ev {
	void	(*on_ready)(struct ev *, uint32_t events);
	int	  fd;
};

struct text {
	char	*p;
	size_t	 n;
};

struct conn {
	struct ev	 ev;
	struct ssl_st	*tls;		/* OpenSSL's, or NULL */
	bool		 shaking;	/* TLS is not up yet */
	bool		 is_open;	/* the answer's head has come */
	uint8_t		 in_chunk;	/* see stream.c */
	uint32_t	 chunk;		/* bytes of it that are to come */
	uint32_t	 npart;		/* bytes of an unfinished frame */
	char		*part;
	struct text	 request;	/* until it is sent */
	void		(*on_open)(struct conn *);
	void		(*on_line)(struct conn *, const char *, size_t,
			    uint64_t now);
};

/* Nanoseconds, log-linear: 32 steps to each power of two (3% wide). */
struct hist {
	uint64_t	n;
	uint64_t	max;
	uint64_t	bucket[64 * 32];
};

struct cpu {
	uint64_t	ns;		/* all threads, exact */
	uint64_t	user, sys;	/* ticks, sampled by the kernel */
};

struct mem {
	uint64_t	rss, priv, pss;	/* of the processes, bytes */
	uint64_t	kernel;		/* slab, TCP buffers; everybody's */
};

struct span {
	struct cpu	cpu;
	uint64_t	wall, self;	/* ns; self is this program's CPU */
};

enum dialect {
	CENTRIFUGO,	/* /connection/websocket, POST /api/publish */
	PLAIN		/* /sub/CHANNEL, POST /pub/CHANNEL, raw messages */
};

/* How a subscriber of a CENTRIFUGO comes in. */
struct way {
	const char	*name, *target;
	bool		 ws, protobuf, one_way, in_url;
};

struct tls_want {
	bool		 on;
	const char	*name;		/* of the server */
	const char	*group;		/* for the key exchange */
	bool		 v13;		/* TLS 1.3 and nothing else */
	bool		 full;		/* never resume a session */
};

struct load {
	struct sockaddr_in	 addr;
	struct sockaddr_in	 api;		/* publishers go there */
	enum dialect		 dialect;
	const struct way	*way;
	struct tls_want		 tls;
	bool			 deflate;	/* offer it */
	bool			 prose;		/* pad with something like it */
	const char		*token;		/* of one-way clients */
	const char		*apikey;
	const char		*prefix;	/* of the channels' names */
	unsigned		 nsub, nchan;
	size_t			 size;		/* of the data in a message */
	pid_t			 pid[8];	/* the server's */
	size_t			 npid;
	int			 ep;
	bool			 ordered;	/* check sequence numbers */
	bool			 since_due;	/* latency counts from when
						   a message should have gone */
	unsigned		 broadcast;	/* channels of each message */
	uint64_t		 received;	/* messages delivered */
	uint64_t		 bytes;		/* of their text */
	uint64_t		 pings;
	uint64_t		 zipped;	/* compressed frames */
	struct hist		 lat;
};

extern struct load load;

/* load.c */
uint64_t	now_ns(void);
void		loop_add(struct ev *, uint32_t events);
void		loop_turn(uint64_t until);
int		dial(const struct sockaddr_in *to,
		    const struct in_addr *source);

struct span	span_begin(void);
/* Add to sum what went by since from. */
void		span_add(struct span *sum, const struct span *from);
/* Of n equal pieces of work: the server's microseconds for each. */
void		report_cpu(const char *name, const struct span *, double n);
void		pause_for(double seconds);

/* conn.c: i chooses the address that it comes from; takes the request. */
void	conn_dial(struct conn *, unsigned i);
void	conn_start(struct conn *, unsigned i, struct text request);
void	conn_write(struct conn *, const void *, size_t);
void	conn_drop(struct conn *);

/* ws.c: WebSocket. The request for a target. */
struct text ws_request(const char *target);
void	conn_send(struct conn *, unsigned op, const char *, size_t);
/* The answer to the request, then frames. The bytes taken; 0: need more. */
size_t	ws_head(const char *, size_t);
size_t	ws_frame(struct conn *, char *, size_t, uint64_t now);

/* stream.c: answers without end. The request for the way in load. */
struct text stream_request(unsigned chan);
size_t	stream_head(struct conn *, const char *, size_t);
/* Take what is of chunks out of what came, in place. The bytes left. */
size_t	stream_chunks(struct conn *, char *, size_t);

/*
 * msg.c: the messages in a text or a protobuf body; each but pings goes to
 * on_line. The bytes taken: all, or without the last one that isn't whole.
 */
const struct way *way_find(const char *name);
size_t	msg_take(struct conn *, const char *, size_t, uint64_t now);
/* The kind of a reply; REPLY_NONE is none. */
enum reply { REPLY_NONE, REPLY_ERROR, REPLY_CONNECT, REPLY_SUBSCRIBE };
enum reply msg_reply(const char *, size_t);
/* A connect and a subscribe command, by themselves or as one body; more is
 * JSON for the latter. The bytes. */
size_t	msg_connect(char *, size_t cap);
size_t	msg_subscribe(char *, size_t cap, unsigned chan, const char *more);

/* tls.c: OpenSSL, client side. */
void	tls_begin(struct conn *);
/* Whether the handshake is over; not yet is false. */
bool	tls_shake(struct conn *);
ssize_t	tls_read(struct conn *, void *, size_t);
void	tls_write(struct conn *, const void *, size_t);
void	tls_drop(struct conn *);
/* "TLSv1.2 ECDHE-... X25519" of the last connection; "" without any. */
const char *tls_suite(void);
/* The scene: as many handshakes in a row as the server manages. */
void	do_shakes(double seconds);

/*
 * sub.c: open all subscribers, at most 128 of them under way at a time. Drop
 * closes all connections; return opens them anew with recovery and checks
 * that each gets the n messages that were published in between.
 */
void	subs_open(void);
void	subs_drop(void);
void	subs_return(unsigned n);

/*
 * pub.c: n keep-alive connections, one request at a time on each. Run sends
 * rate messages a second in all, spread evenly over time, round the
 * channels; with rate 0 as many as the server takes. Send sends n messages
 * as fast as the server takes them. Both return when all are answered and
 * delivered; the result is the number of messages. Stop, called while they
 * run, makes them send no more.
 */
void		pubs_open(unsigned n);
uint64_t	pubs_run(double rate, double seconds);
uint64_t	pubs_send(uint64_t n);
void		pubs_stop(void);

/* The scenes of storm.c, churn.c and keep.c. */
void	do_storm(unsigned missed);
void	do_churn(unsigned nconn, double seconds);
void	do_keep(unsigned n);
void	do_expire(unsigned n);

/* hist.c: the value below which the fraction q of all lies. */
void		hist_reset(struct hist *);
void		hist_add(struct hist *, uint64_t);
uint64_t	hist_quantile(const struct hist *, double q);

/* proc.c */
struct cpu	cpu_read(void);
struct mem	mem_read(void);
/* The largest RSS since the last reset. */
void		mem_peak_reset(void);
uint64_t	mem_peak(void);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the parts of the load generator share: one epoll loop, subscribers
 * (sub.c), publishers (pub.c), a latency histogram (hist.c) and what /proc
 * tells about the measured server (proc.c). It uses nothing of the server's
 * own code, so that a fault there can't hide itself.
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

enum dialect {
	CENTRIFUGO,	/* /connection/websocket, POST /api/publish */
	PLAIN		/* /sub/CHANNEL, POST /pub/CHANNEL, raw messages */
};

struct load {
	struct sockaddr_in	 addr;
	enum dialect		 dialect;
	const char		*apikey;
	unsigned		 nsub, nchan;
	size_t			 size;		/* of the data in a message */
	pid_t			 pid[8];	/* the server's */
	size_t			 npid;
	int			 ep;
	bool			 ordered;	/* check sequence numbers */
	uint64_t		 received;	/* messages delivered */
	uint64_t		 bytes;		/* of their text */
	uint64_t		 pings;
	struct hist		 lat;
};

extern struct load load;

/* load.c */
uint64_t	now_ns(void);
void		loop_add(struct ev *, uint32_t events);
void		loop_turn(uint64_t until);
int		dial(const struct in_addr *source);

/* sub.c: open n subscribers, at most 128 of them under way at a time. */
void	subs_open(unsigned n);

/*
 * pub.c: n keep-alive connections, one request at a time on each. Run sends
 * rate messages a second in all, spread evenly over time, round the
 * channels; with rate 0 as many as the server takes. It returns when all
 * are answered and delivered; the result is the number of messages.
 */
void		pubs_open(unsigned n);
uint64_t	pubs_run(double rate, double seconds);

/* hist.c: the value below which the fraction q of all lies. */
void		hist_reset(struct hist *);
void		hist_add(struct hist *, uint64_t);
uint64_t	hist_quantile(const struct hist *, double q);

/* proc.c */
struct cpu	cpu_read(void);
struct mem	mem_read(void);

#endif

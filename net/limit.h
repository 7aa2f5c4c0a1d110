/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Limits for each client address: connections at a time, and new ones a
 * second. IPv6 addresses count by their /64, which is what one client has.
 * One table for all workers, in parts with a lock each, and touched only
 * when a connection comes or goes. An address is forgotten a second after
 * its last connection.
 */
#ifndef NET_LIMIT_H
#define NET_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/ip.h"

struct limiter;

enum limit_verdict { LIMIT_OK, LIMIT_CONNS, LIMIT_RATE };

/* Counters since the start. */
struct limit_stats {
	uint64_t	refused_conns, refused_rate;
	uint64_t	addresses;	/* known now */
};

/* 0: no such limit. NULL: no memory. */
struct limiter *limiter_new(unsigned conns, unsigned rate);
void	limiter_free(struct limiter *);
/* A connection from ip wants in, at `now' in monotonic ms. LIMIT_OK: it
 * counts until limiter_give(). Out of memory nobody is refused or counted:
 * *counted says. */
enum limit_verdict limiter_take(struct limiter *, const uint8_t ip[IP_LEN],
	    int64_t now, bool *counted);
void	limiter_give(struct limiter *, const uint8_t ip[IP_LEN], int64_t now);
void	limiter_stats(struct limiter *, struct limit_stats *);

#endif

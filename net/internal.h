/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files of net/ share with each other and nobody else sees.
 */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/net.h"

/* timer.c */
void	wheel_run(struct worker *);
int	wheel_wait(const struct worker *);

/* conn.c: write what is queued and deliver what was held back, on every
 * touched connection; free what was closed. */
void	conns_flush(struct worker *);
void	conns_reap(struct worker *);
/* Close with an error that on_close sees. */
void	conn_fail(struct conn *, int error);

/* listen.c: a connection has ended; it may have been counted. */
void	net_conn_gone(const struct conn *);

#define container_of(p, type, member) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Limits on connections that concern more than one of them.
 */
#ifndef CLIENT_ADMISSION_H
#define CLIENT_ADMISSION_H

#include "client/client.h"

/* Whether the other workers must be asked before this user may connect. */
bool	admission_needed(const struct client *, struct sv user);
/* Ask them; the command under way is run again afterwards, unless the client
 * has been sent away with 3504. */
void	admission_ask(struct client *, struct sv user);
/* The client goes. */
void	admission_forget(struct client *);

/* A place for one more connection: there is none while draining, beyond
 * client.connection_limit, and beyond client.connection_rate_limit: a burst
 * of that many, refilled by one a second (spec 12.59). */
bool	admission_enter(struct node *);
void	admission_leave(struct node *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files of this room need of command.c.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "client/client.h"

/* A publish of a client under way; outlives the client. */
struct client_publish {
	struct hub_publish	 hub;		/* first */
	struct client		*client;	/* NULL: gone */
	uint32_t		 cmd_id;
};

/* hub_ops.joined: the subscription is live, answer the command. */
void	command_joined(struct hub_sub *, enum hub_err,
	    const struct hub_recover *);

#endif

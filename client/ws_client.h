/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files of the two WebSocket transports share.
 */
#ifndef CLIENT_WS_CLIENT_H
#define CLIENT_WS_CLIENT_H

#include "client/client.h"
#include "ws/ws.h"

struct ws_client {
	struct client	c;	/* first */
	struct ws	ws;
};

static inline struct ws_client *
ws_of(struct client *c)
{
	return (struct ws_client *)(void *)c;
}

/* ---- ws.c ---- */

/* Shake hands and switch protocols; the client has `size' bytes, of which
 * struct ws_client is the first. NULL: x has been answered. */
struct client *ws_open(struct http_exchange *x, const struct transport *,
	    size_t size);
/* One frame. NULL: no memory. */
struct blob *ws_frame(enum ws_op, struct sv data);
/* The close frame, and the end of the connection (transport.close). */
void	ws_send_close(struct client *, uint32_t code, const char *reason);

/* ---- uni_ws.c ---- */

/* A message from the peer. */
void	uni_ws_message(struct client *, struct sv data);

#endif

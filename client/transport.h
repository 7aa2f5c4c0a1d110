/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The transports that carry the client protocol, as HTTP handlers. They find
 * their node in the worker's ctx.
 */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include "http/server.h"

/* GET with an Upgrade: the bidirectional WebSocket (spec 1, 3). */
void	ws_transport_handler(struct http_exchange *);

#ifdef FUGU_ECHO
/* A WebSocket that sends every message back, so that a conformance suite
 * can drive the frame code. Never in a release build. */
void	ws_echo_handler(struct http_exchange *);
#endif

#endif

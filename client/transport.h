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

/* For every route of a transport: lets pages of the allowed origins read the
 * answer (CORS); nothing is refused by it (spec 12.43). */
void	transport_prepare(struct http_exchange *);

/* Streams with commands by way of /emulation: GET, POST, OPTIONS; POST,
 * OPTIONS; and that endpoint: POST, OPTIONS. */
void	sse_handler(struct http_exchange *);
void	http_stream_handler(struct http_exchange *);
void	emulation_handler(struct http_exchange *);

/* GET with an Upgrade: the one-way WebSocket (spec 4). */
void	uni_ws_handler(struct http_exchange *);

/* One-way streams: GET, POST, OPTIONS; POST, OPTIONS. */
void	uni_sse_handler(struct http_exchange *);
void	uni_http_stream_handler(struct http_exchange *);

/* GET: {}, for clients and load balancers that try the way here. */
void	init_handler(struct http_exchange *);

#ifdef FUGU_ECHO
/* A WebSocket that sends every message back, so that a conformance suite
 * can drive the frame code. Never in a release build. */
void	ws_echo_handler(struct http_exchange *);
#endif

#endif

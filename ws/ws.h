/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * WebSocket (RFC 6455): the opening handshake, frames and messages, with no
 * socket and no clock. The engine is the server's side: it demands masked
 * frames and sends unmasked ones.
 *
 * Feed received bytes; take one event after the other. A message that lies
 * whole in the fed bytes is unmasked in place and borrowed from there;
 * only a fragmented or partly received message is collected in a buffer,
 * which is freed when the message is done, so an idle engine owns nothing.
 */
#ifndef WS_WS_H
#define WS_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

enum ws_op {
	WS_OP_CONT = 0, WS_OP_TEXT = 1, WS_OP_BINARY = 2,
	WS_OP_CLOSE = 8, WS_OP_PING = 9, WS_OP_PONG = 10
};

/* Close codes (RFC 6455, 7.4.1). */
enum ws_close {
	WS_CLOSE_NORMAL = 1000, WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002, WS_CLOSE_UNSUPPORTED = 1003,
	WS_CLOSE_NO_STATUS = 1005,	/* never on the wire */
	WS_CLOSE_INVALID_DATA = 1007, WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009, WS_CLOSE_INTERNAL = 1011
};

enum ws_event_type {
	WS_NEED,	/* all fed bytes were taken, nothing complete */
	WS_MESSAGE,	/* text or binary, whole */
	WS_PING,	/* answer with a pong that carries data */
	WS_PONG,
	WS_CLOSE,	/* the peer's close frame: code (WS_CLOSE_NO_STATUS if
			 * it had none) and reason in data; answer and close.
			 * Sticky: no event comes after it. */
	WS_ERROR	/* protocol error: close with code; clause says why.
			 * Sticky. */
};

struct ws_event {
	enum ws_event_type type;
	enum ws_op	   op;		/* WS_MESSAGE: text or binary */
	bool		   deflated;	/* WS_MESSAGE: see deflate.h */
	struct sv	   data;	/* valid until the next ws_feed */
	uint16_t	   code;	/* WS_CLOSE, WS_ERROR */
	const char	  *clause;	/* WS_ERROR: "RFC 6455 5.1: ..." */
};

/* All private. Idle memory is budgeted: see the assertion in frame.c. */
struct ws {
	struct buf	msg;		/* message being collected */
	char		*ctl;		/* control payload come in pieces */
	uint64_t	left;		/* payload of this frame to come */
	uint32_t	limit;		/* bytes in one message; 0: none */
	uint8_t		mask[4];	/* turned so that it begins at `left' */
	uint8_t		head[14];	/* header of this frame, or what came */
	uint16_t	code;		/* of the peer's close frame */
	uint8_t		nhead, nctl;	/* bytes in head and ctl */
	uint8_t		phase;
	uint8_t		msgop;		/* of the message, 0 between */
	uint8_t		utf8;		/* state over the message's text */
	uint8_t		err;		/* which rule was broken */
	bool		deflate;	/* was negotiated */
	bool		deflated;	/* this message is */
};

void	ws_init(struct ws *, uint32_t limit);
void	ws_fini(struct ws *);
/* permessage-deflate has been negotiated: messages may come compressed. They
 * are handed out as they came; the limit is one of compressed bytes. */
static inline void
ws_allow_deflate(struct ws *ws)
{
	ws->deflate = true;
}
/*
 * Take the next event out of p[0..n), unmasking in place; *used bytes are
 * done with (always set; bytes of a partial frame are kept by the engine, so
 * WS_NEED means *used == n). Call again with the rest, even if that is empty,
 * until WS_NEED, WS_CLOSE or WS_ERROR: the call after an event frees what the
 * event borrowed. Text, unless deflated, is checked as UTF-8 as it arrives.
 * Over the limit: WS_ERROR with 1009, at the header that crosses it. Out of
 * memory: WS_ERROR with 1011.
 */
enum ws_event_type ws_feed(struct ws *, char *p, size_t n, size_t *used,
	    struct ws_event *);

/* Whether a close code may stand in a close frame that we receive. */
bool	ws_close_code_valid(unsigned code);

/* Server frame header for n payload bytes into out (2, 4 or 10 bytes);
 * returns its length. fin is always set: we never fragment. */
#define WS_HEAD_MAX	10
size_t	ws_head_format(unsigned char out[WS_HEAD_MAX], enum ws_op op, size_t n);
#define WS_RSV1		0x40	/* to be set in its first byte: compressed */
/* A whole close frame into out; the reason is cut to 123 bytes at a UTF-8
 * boundary. Returns its length. Code 0 or WS_CLOSE_NO_STATUS: an empty close
 * frame. */
#define WS_CLOSE_MAX	(2 + 125)
size_t	ws_close_format(unsigned char out[WS_CLOSE_MAX], unsigned code,
	    struct sv reason);
/* XOR p with the mask, beginning at byte `pos' of the mask's cycle. */
void	ws_unmask(char *p, size_t n, const uint8_t mask[4], unsigned pos);

/* ---- opening handshake (section 4.2) ---- */

/* Append the Sec-WebSocket-Accept value for a client's key. */
void	ws_accept_put(struct buf *, struct sv key);

/* What the handshake looks at; values as received, empty when absent. */
struct ws_request {
	bool		is_get, http11;		/* HTTP/1.1 or later 1.x */
	bool		has_upgrade;		/* Upgrade: websocket */
	bool		has_connection;		/* Connection: upgrade */
	struct sv	version;		/* Sec-WebSocket-Version */
	struct sv	key;			/* Sec-WebSocket-Key */
	struct sv	protocols;		/* all Sec-WebSocket-Protocol,
						 * joined by ", " */
	struct sv	extensions;		/* the same of -Extensions */
};

/* 0 when the request is a correct opening handshake; otherwise the HTTP
 * status to answer (400, 405, 426 with Sec-WebSocket-Version: 13) and *why,
 * a static sentence a person understands ("no Upgrade header: is there a
 * proxy that does not forward it?"). */
int	ws_handshake_check(const struct ws_request *, const char **why);
/* The first of the names in `supported' (NULL-terminated) that the client
 * offers, in the client's order; NULL if none. */
const char *ws_protocol_select(struct sv offered,
	    const char *const *supported);
/* What is agreed on about compression. */
struct ws_deflate_terms {
	bool		on;
	uint8_t		window;		/* server_max_window_bits, or 0: not
					 * asked for */
};
/* The window that we compress with, in bits. */
#define WS_DEFLATE_WINDOW	12
/* Whether they let us compress what we send; who wants a smaller window than
 * ours is sent messages as they are. */
static inline bool
ws_deflate_sends(struct ws_deflate_terms t)
{
	return t.on && (t.window == 0 || t.window >= WS_DEFLATE_WINDOW);
}
/* The first good offer of permessage-deflate among the extensions offered
 * (all Sec-WebSocket-Extensions, joined by ", "). */
struct ws_deflate_terms ws_deflate_select(struct sv offered);

/* The 101 response, headers to the empty line. protocol may be NULL. */
void	ws_handshake_format(struct buf *, struct sv key, const char *protocol,
	    struct ws_deflate_terms);

#endif

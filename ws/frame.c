/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * WebSocket frames and messages (RFC 6455, sections 5 to 8), the receiving
 * side of a server: one engine fed with bytes in any pieces. Every check is
 * made at the first byte that can break it, so that the outcome does not
 * depend on how the bytes were cut. The only extension there may be is
 * permessage-deflate (RFC 7692): RSV1 on a message's first frame; every other
 * RSV bit is refused. What it holds is checked when it is inflated.
 *
 * A frame goes through two phases, header and body; a close frame and an
 * error are the last two, and stay. The header is kept while its body comes.
 */
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"
#include "ws/ws.h"

#define CTL_MAX		125	/* bytes in a control frame's payload */

enum phase { PHASE_HEAD, PHASE_BODY, PHASE_CLOSED, PHASE_FAILED };

enum ws_err {
	E_NONE, E_RSV, E_OPCODE, E_CTL_FRAGMENT, E_CTL_SIZE, E_MASK,
	E_NOT_MINIMAL, E_TOP_BIT, E_NO_MESSAGE, E_IN_MESSAGE, E_UTF8,
	E_CLOSE_SIZE, E_CLOSE_CODE, E_CLOSE_UTF8, E_TOO_BIG, E_MEMORY
};

static const struct {
	uint16_t	 code;
	const char	*clause;
} errors[] = {
	[E_NONE] = { 0, "" },
	[E_RSV] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.2: RSV bit set that was not negotiated" },
	[E_OPCODE] = { WS_CLOSE_PROTOCOL, "RFC 6455 5.2: reserved opcode" },
	[E_CTL_FRAGMENT] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.5: fragmented control frame" },
	[E_CTL_SIZE] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.5: control frame over 125 bytes" },
	[E_MASK] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.1: frame from a client not masked" },
	[E_NOT_MINIMAL] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.2: length not in its shortest form" },
	[E_TOP_BIT] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.2: length over 63 bits" },
	[E_NO_MESSAGE] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.4: continuation of no message" },
	[E_IN_MESSAGE] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.4: new message inside a fragmented one" },
	[E_UTF8] = { WS_CLOSE_INVALID_DATA,
	    "RFC 6455 8.1: text is not UTF-8" },
	[E_CLOSE_SIZE] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 5.5.1: close frame with half a code" },
	[E_CLOSE_CODE] = { WS_CLOSE_PROTOCOL,
	    "RFC 6455 7.4: code that may not be sent" },
	[E_CLOSE_UTF8] = { WS_CLOSE_INVALID_DATA,
	    "RFC 6455 5.5.1: close reason is not UTF-8" },
	[E_TOO_BIG] = { WS_CLOSE_TOO_BIG,
	    "RFC 6455 7.4.1: message over the size limit" },
	[E_MEMORY] = { WS_CLOSE_INTERNAL, "out of memory" },
};

_Static_assert(sizeof(errors) / sizeof(errors[0]) == E_MEMORY + 1,
    "an error without a clause");
_Static_assert(sizeof(struct ws) <= 80, "idle memory is budgeted");

static void
fail(struct ws *ws, enum ws_err err)
{
	ws->err = (uint8_t)err;
	ws->phase = PHASE_FAILED;
}

static enum ws_op
frame_op(const struct ws *ws)
{
	return (enum ws_op)(ws->head[0] & 0x0f);
}

static bool
frame_fin(const struct ws *ws)
{
	return (ws->head[0] & 0x80) != 0;
}

static bool
is_control(enum ws_op op)
{
	return (op & 0x08) != 0;
}

/* see ws.h */
void
ws_init(struct ws *ws, uint32_t limit)
{
	memset(ws, 0, sizeof(*ws));
	buf_init(&ws->msg);
	ws->limit = limit;
}

/* see ws.h */
void
ws_fini(struct ws *ws)
{
	buf_fini(&ws->msg);
	free(ws->ctl);
	ws->ctl = NULL;
}

/* Free what the event before this call borrowed. */
static void
release(struct ws *ws)
{
	if (ws->msgop == 0)
		buf_fini(&ws->msg);
	if (ws->phase != PHASE_BODY) {
		free(ws->ctl);
		ws->ctl = NULL;
	}
}

/* FIN, RSV1-3 and the opcode. */
static enum ws_err
check_first_byte(const struct ws *ws)
{
	enum ws_op	op = frame_op(ws);
	unsigned	rsv = ws->head[0] & 0x70;

	if ((rsv & ~WS_RSV1) || (rsv && (!ws->deflate || is_control(op) ||
	    op == WS_OP_CONT)))
		return E_RSV;
	switch (op) {
	case WS_OP_CONT:
		return ws->msgop == 0 ? E_NO_MESSAGE : E_NONE;
	case WS_OP_TEXT:
	case WS_OP_BINARY:
		return ws->msgop != 0 ? E_IN_MESSAGE : E_NONE;
	case WS_OP_CLOSE:
	case WS_OP_PING:
	case WS_OP_PONG:
		return frame_fin(ws) ? E_NONE : E_CTL_FRAGMENT;
	}
	return E_OPCODE;
}

/* MASK and the seven bit length. */
static enum ws_err
check_second_byte(const struct ws *ws)
{
	if (!(ws->head[1] & 0x80))
		return E_MASK;
	if (is_control(frame_op(ws)) && (ws->head[1] & 0x7f) > CTL_MAX)
		return E_CTL_SIZE;
	return E_NONE;
}

/* Bytes of the extended length that the second byte announces. */
static size_t
length_size(const struct ws *ws)
{
	switch (ws->head[1] & 0x7f) {
	case 126:
		return 2;
	case 127:
		return 8;
	default:
		return 0;
	}
}

static enum ws_err
parse_length(struct ws *ws)
{
	size_t		i, size = length_size(ws);
	uint64_t	len = 0;

	if (size == 0) {
		ws->left = ws->head[1] & 0x7f;
		return E_NONE;
	}
	for (i = 0; i < size; i++)
		len = len << 8 | ws->head[2 + i];
	if (len >> 63)
		return E_TOP_BIT;
	if (len <= (size == 2 ? 125 : UINT16_MAX))
		return E_NOT_MINIMAL;
	ws->left = len;
	return E_NONE;
}

/* The header is whole: begin the body. */
static enum ws_err
begin_body(struct ws *ws)
{
	enum ws_op	op = frame_op(ws);
	enum ws_err	err;

	if ((err = parse_length(ws)) != E_NONE)
		return err;
	memcpy(ws->mask, ws->head + ws->nhead - 4, 4);
	ws->phase = PHASE_BODY;
	if (is_control(op)) {
		ws->nctl = 0;
		return E_NONE;
	}
	if (op != WS_OP_CONT) {
		ws->msgop = (uint8_t)op;
		ws->utf8 = UTF8_ACCEPT;
		ws->deflated = (ws->head[0] & WS_RSV1) != 0;
	}
	if (ws->limit != 0 && ws->left > ws->limit - ws->msg.n)
		return E_TOO_BIG;
	return E_NONE;
}

static enum ws_err
check_head(struct ws *ws)
{
	if (ws->nhead == 1)
		return check_first_byte(ws);
	if (ws->nhead == 2)
		return check_second_byte(ws);
	if (ws->nhead == 2 + length_size(ws) + 4)
		return begin_body(ws);
	return E_NONE;
}

/* Returns how many bytes were taken. */
static size_t
take_head(struct ws *ws, const char *p, size_t n)
{
	enum ws_err	err;
	size_t		i = 0;

	while (i < n && ws->phase == PHASE_HEAD) {
		ws->head[ws->nhead++] = (uint8_t)p[i++];
		if ((err = check_head(ws)) != E_NONE)
			fail(ws, err);
	}
	return i;
}

static void
end_frame(struct ws *ws)
{
	ws->nhead = 0;
	ws->phase = PHASE_HEAD;
}

/* n unmasked bytes of a text or binary message. */
static void
take_data(struct ws *ws, char *p, size_t n, struct ws_event *ev)
{
	bool		whole = ws->left == 0 && frame_fin(ws);
	struct sv	data = { p, n };

	if (ws->msgop == WS_OP_TEXT && !ws->deflated) {
		ws->utf8 = utf8_feed(ws->utf8, p, n);
		if (ws->utf8 == UTF8_REJECT ||
		    (whole && ws->utf8 != UTF8_ACCEPT)) {
			fail(ws, E_UTF8);
			return;
		}
	}
	if (!whole || ws->msg.n > 0) {
		buf_putsv(&ws->msg, data);
		if (ws->msg.failed) {
			fail(ws, E_MEMORY);
			return;
		}
		data = buf_sv(&ws->msg);
	}
	if (ws->left == 0)
		end_frame(ws);
	if (whole) {
		ev->type = WS_MESSAGE;
		ev->op = (enum ws_op)ws->msgop;
		ev->deflated = ws->deflated;
		ev->data = data;
		ws->msgop = 0;
	}
}

static void
take_close(struct ws *ws, struct sv data, struct ws_event *ev)
{
	ws->code = WS_CLOSE_NO_STATUS;
	if (data.n == 1) {
		fail(ws, E_CLOSE_SIZE);
		return;
	}
	if (data.n >= 2) {
		ws->code = (uint16_t)((uint8_t)data.p[0] << 8 |
		    (uint8_t)data.p[1]);
		if (!ws_close_code_valid(ws->code)) {
			fail(ws, E_CLOSE_CODE);
			return;
		}
		data = sv_skip(data, 2);
		if (!utf8_valid(data)) {
			fail(ws, E_CLOSE_UTF8);
			return;
		}
	}
	ws->phase = PHASE_CLOSED;
	ev->data = data;
}

/* n unmasked bytes of a control frame, which may stand between the frames
 * of a message and is kept apart from it. */
static void
take_control(struct ws *ws, char *p, size_t n, struct ws_event *ev)
{
	struct sv	data = { p, n };

	if (ws->left > 0 || ws->nctl > 0) {
		if (ws->ctl == NULL && (ws->ctl = malloc(CTL_MAX)) == NULL) {
			fail(ws, E_MEMORY);
			return;
		}
		memcpy(ws->ctl + ws->nctl, p, n);
		ws->nctl += (uint8_t)n;
		data = sv_make(ws->ctl, ws->nctl);
	}
	if (ws->left > 0)
		return;
	end_frame(ws);
	if (frame_op(ws) == WS_OP_CLOSE) {
		take_close(ws, data, ev);
		return;
	}
	ev->type = frame_op(ws) == WS_OP_PING ? WS_PING : WS_PONG;
	ev->data = data;
}

/* Returns how many bytes were taken. */
static size_t
take_body(struct ws *ws, char *p, size_t n, struct ws_event *ev)
{
	uint8_t	mask[4];
	size_t	i;

	if (n > ws->left)
		n = (size_t)ws->left;
	ws_unmask(p, n, ws->mask, 0);
	memcpy(mask, ws->mask, 4);
	for (i = 0; i < 4; i++)
		ws->mask[i] = mask[(n + i) % 4];
	ws->left -= n;
	if (is_control(frame_op(ws)))
		take_control(ws, p, n, ev);
	else
		take_data(ws, p, n, ev);
	return n;
}

/* see ws.h */
enum ws_event_type
ws_feed(struct ws *ws, char *p, size_t n, size_t *used, struct ws_event *ev)
{
	size_t	off = 0;

	*used = n;
	*ev = (struct ws_event){ .type = WS_NEED };
	release(ws);
	while (off < n && ev->type == WS_NEED && ws->phase <= PHASE_BODY) {
		if (ws->phase == PHASE_HEAD)
			off += take_head(ws, p + off, n - off);
		if (ws->phase == PHASE_BODY)
			off += take_body(ws, p + off, n - off, ev);
	}
	if (ws->phase == PHASE_CLOSED) {
		ev->type = WS_CLOSE;
		ev->code = ws->code;
	} else if (ws->phase == PHASE_FAILED) {
		ev->type = WS_ERROR;
		ev->code = errors[ws->err].code;
		ev->clause = errors[ws->err].clause;
	} else {
		*used = off;
	}
	return ev->type;
}

/* see ws.h */
bool
ws_close_code_valid(unsigned code)
{
	/* 1012 to 1014 came into the registry after the RFC. 1004 is
	 * reserved; 1005, 1006 and 1015 are never on the wire. */
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) ||
	    (code >= 3000 && code <= 4999);
}

/* see ws.h */
size_t
ws_head_format(unsigned char out[WS_HEAD_MAX], enum ws_op op, size_t n)
{
	uint64_t	len = n;
	size_t		i, size;

	out[0] = (unsigned char)(0x80 | op);
	if (len <= 125) {
		out[1] = (unsigned char)len;
		return 2;
	}
	size = len <= UINT16_MAX ? 2 : 8;
	out[1] = size == 2 ? 126 : 127;
	for (i = 0; i < size; i++)
		out[2 + i] = (unsigned char)(len >> (8 * (size - 1 - i)));
	return 2 + size;
}

/* see ws.h */
size_t
ws_close_format(unsigned char out[WS_CLOSE_MAX], unsigned code,
    struct sv reason)
{
	size_t	n = reason.n;

	if (code == 0 || code == WS_CLOSE_NO_STATUS)
		return ws_head_format(out, WS_OP_CLOSE, 0);
	if (n > CTL_MAX - 2) {
		n = CTL_MAX - 2;
		while (n > 0 && (reason.p[n] & 0xc0) == 0x80)
			n--;
	}
	ws_head_format(out, WS_OP_CLOSE, 2 + n);
	out[2] = (unsigned char)(code >> 8);
	out[3] = (unsigned char)code;
	if (n > 0)
		memcpy(out + 4, reason.p, n);
	return 4 + n;
}

/* see ws.h */
void
ws_unmask(char *p, size_t n, const uint8_t mask[4], unsigned pos)
{
	uint8_t		m[8];
	uint64_t	w, x;
	size_t		i;

	for (i = 0; i < sizeof(m); i++)
		m[i] = mask[(pos + i) % 4];
	memcpy(&x, m, sizeof(x));
	for (; n >= sizeof(w); n -= sizeof(w), p += sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		w ^= x;
		memcpy(p, &w, sizeof(w));
	}
	for (i = 0; i < n; i++)
		p[i] = (char)(p[i] ^ m[i]);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See encode.h. Members go by their numbers in the protocol, as Centrifugo's
 * encoder does it.
 */
#include <string.h>

#include "client/encode.h"
#include "ws/ws.h"

const struct wire wire_forms[WIRE_MAX] = {
	[WIRE_WS_JSON] = { FRAMING_WS, false, false, false },
	[WIRE_WS_PB] = { FRAMING_WS, true, false, false },
	[WIRE_WS_JSON_DEFLATE] = { FRAMING_WS, false, false, true },
	[WIRE_WS_PB_DEFLATE] = { FRAMING_WS, true, false, true },
	[WIRE_SSE] = { FRAMING_SSE, false, false, false },
	[WIRE_STREAM_JSON] = { FRAMING_STREAM, false, false, false },
	[WIRE_STREAM_PB] = { FRAMING_STREAM, true, false, false },
	[WIRE_UNI_WS] = { FRAMING_WS, false, true, false },
	[WIRE_UNI_WS_DEFLATE] = { FRAMING_WS, false, true, true },
	[WIRE_UNI_SSE] = { FRAMING_SSE, false, true, false },
	[WIRE_UNI_STREAM] = { FRAMING_STREAM, false, true, false },
};

/* see encode.h */
void
encode_init(struct enc *e, struct buf *b, enum wire_form form)
{
	enc_init(e, b, wire_forms[form].protobuf);
	e->uni = wire_forms[form].uni;
}

/* ---- replies ---- */

/* Members of Reply. */
static const uint8_t result_num[METHOD_MAX] = {
	[METHOD_CONNECT] = 5, [METHOD_SUBSCRIBE] = 6,
	[METHOD_UNSUBSCRIBE] = 7, [METHOD_PUBLISH] = 8,
	[METHOD_PRESENCE] = 9, [METHOD_PRESENCE_STATS] = 10,
	[METHOD_HISTORY] = 11, [METHOD_RPC] = 13, [METHOD_REFRESH] = 14,
	[METHOD_SUB_REFRESH] = 15,
};

/* see encode.h */
void
encode_reply_begin(struct enc *e, uint32_t id, enum client_method m)
{
	enc_open(e);
	enc_u64(e, 1, "id", id);
	enc_begin(e, result_num[m], client_method_name[m]);
}

/* see encode.h */
void
encode_reply_end(struct enc *e)
{
	enc_end(e);
	enc_close(e);
}

/* see encode.h */
void
encode_error(struct enc *e, uint32_t id, uint32_t code)
{
	enc_open(e);
	enc_u64(e, 1, "id", id);
	enc_begin(e, 2, "error");
	enc_u64(e, 1, "code", code);
	enc_str_always(e, 2, "message", sv_from(error_message(code)));
	enc_bool(e, 3, "temporary", error_is_temporary(code));
	enc_end(e);
	enc_close(e);
}

/* ---- publications ---- */

/* see encode.h */
void
encode_info(struct enc *e, const struct hub_info *info)
{
	enc_str_always(e, 1, "user", info->user);
	enc_str_always(e, 2, "client", info->client);
	enc_data(e, 3, "conn_info", info->conn_info);
	enc_data(e, 4, "chan_info", info->chan_info);
}

/* The data: a subscription with delta has it as a string of JSON. */
static void
put_data(struct enc *e, const struct hub_pub_view *v,
    const struct pub_form *f)
{
	e->unfit |= !e->pb && v->is_binary;
	if (f == NULL || f->kind == PUB_PLAIN || (e->pb &&
	    f->kind == PUB_STRING))
		enc_data(e, 4, "data", v->data);
	else
		enc_str_always(e, 4, "data", f->kind == PUB_DELTA ?
		    f->patch : v->data);
}

/* see encode.h */
void
encode_pub(struct enc *e, const struct hub_pub *pub,
    const struct pub_form *f)
{
	struct hub_pub_view	v;
	bool			plain = f == NULL || f->kind == PUB_PLAIN;

	hub_pub_view(pub, &v);
	put_data(e, &v, f);
	if (v.has_info) {
		enc_begin(e, 5, "info");
		encode_info(e, &v.info);
		enc_end(e);
	}
	enc_u64(e, 6, "offset", v.offset);
	enc_strings(e, 7, "tags", v.tags);
	enc_bool(e, 8, "delta", f != NULL && f->kind == PUB_DELTA);
	if (plain && f != NULL && f->epoch != NULL && v.offset == 1)
		enc_str(e, 14, "epoch", sv_from(f->epoch));
	if (plain)
		enc_u64(e, 16, "version", v.version);
}

/* ---- pushes ---- */

/* see encode.h */
void
encode_push_begin(struct enc *e, struct sv channel, unsigned num,
    const char *kind)
{
	enc_open(e);
	if (!e->uni)
		enc_begin(e, 4, "push");
	enc_str(e, 2, "channel", channel);
	enc_begin(e, num, kind);
}

/* see encode.h */
void
encode_push_end(struct enc *e)
{
	enc_end(e);
	if (!e->uni)
		enc_end(e);
	enc_close(e);
}

/* see encode.h */
void
encode_pub_push(struct enc *e, const struct hub_pub *pub,
    const struct pub_form *f)
{
	struct hub_pub_view	v;
	bool			join = pub->type == HUB_PUB_JOIN;

	if (pub->type == HUB_PUB) {
		encode_push_begin(e, hub_pub_channel(pub), 4, "pub");
		encode_pub(e, pub, f);
	} else {
		hub_pub_view(pub, &v);
		encode_push_begin(e, v.channel, join ? 5 : 6,
		    join ? "join" : "leave");
		enc_begin(e, 1, "info");
		encode_info(e, &v.info);
		enc_end(e);
	}
	encode_push_end(e);
}

/* see encode.h */
void
encode_unsubscribe_push(struct enc *e, struct sv channel, uint32_t code,
    const char *reason)
{
	encode_push_begin(e, channel, 7, "unsubscribe");
	enc_u64(e, 2, "code", code);
	enc_str(e, 3, "reason", sv_from(reason));
	encode_push_end(e);
}

/* see encode.h */
void
encode_disconnect_push(struct enc *e, uint32_t code, const char *reason)
{
	encode_push_begin(e, SV(""), 11, "disconnect");
	enc_u64(e, 1, "code", code);
	enc_str(e, 2, "reason", sv_from(reason));
	encode_push_end(e);
}

/* ---- frames ---- */

static struct blob *
wire_ws(const struct wire *w, struct sv message)
{
	unsigned char	 head[WS_HEAD_MAX];
	size_t		 nhead;
	struct blob	*b;

	nhead = ws_head_format(head, w->protobuf ? WS_OP_BINARY : WS_OP_TEXT,
	    message.n);
	if ((b = blob_new(nhead + message.n)) == NULL)
		return NULL;
	memcpy(b->data, head, nhead);
	if (message.n > 0)
		memcpy(b->data + nhead, message.p, message.n);
	return b;
}

/* The messages, a line each, as events. Carriage returns, white space of
 * JSON, would end a line of an event. */
static void
put_events(struct buf *b, struct sv message)
{
	struct sv line;

	while (message.n > 0) {
		line = sv_cut(&message, '\n');
		buf_puts(b, "data: ");
		while (line.n > 0)
			buf_putsv(b, sv_cut(&line, '\r'));
		buf_puts(b, "\n\n");
	}
}

/* A piece of an answer that ends with its connection. */
static struct blob *
wire_stream(const struct wire *w, struct sv message)
{
	struct buf	 b = BUF_INIT;
	struct blob	*blob = NULL;

	if (w->framing == FRAMING_SSE) {
		put_events(&b, message);
	} else {
		buf_putsv(&b, message);
		if (!w->protobuf)
			buf_putc(&b, '\n');
	}
	if (!b.failed && (blob = blob_new(b.n)) != NULL)
		memcpy(blob->data, b.p, b.n);
	buf_fini(&b);
	return blob;
}

/* see encode.h */
struct blob *
encode_wire(enum wire_form form, struct sv message)
{
	const struct wire *w = &wire_forms[form];

	return w->framing == FRAMING_WS ? wire_ws(w, message) :
	    wire_stream(w, message);
}

/* see encode.h */
struct blob *
encode_ping(enum wire_form form)
{
	return encode_wire(form, wire_forms[form].protobuf ?
	    sv_make("", 1) : SV("{}"));
}

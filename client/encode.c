/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See encode.h. Field order follows the field numbers of the protocol, zero
 * and empty values are left out, as Centrifugo's encoder does it.
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
encode_reply_begin(struct buf *b, uint32_t id, const char *method)
{
	if (b->n > 0)
		buf_putc(b, '\n');
	buf_puts(b, "{\"id\":");
	buf_putu64(b, id);
	buf_puts(b, ",\"");
	buf_puts(b, method);
	buf_puts(b, "\":");
}

/* see encode.h */
void
encode_reply_end(struct buf *b)
{
	buf_putc(b, '}');
}

/* see encode.h */
void
encode_error(struct buf *b, uint32_t id, uint32_t code)
{
	encode_reply_begin(b, id, "error");
	buf_puts(b, "{\"code\":");
	buf_putu64(b, code);
	buf_puts(b, ",\"message\":");
	json_put_str(b, sv_from(error_message(code)));
	if (error_is_temporary(code))
		buf_puts(b, ",\"temporary\":true");
	buf_putc(b, '}');
	encode_reply_end(b);
}

/* see encode.h */
void
encode_info(struct buf *b, const struct hub_info *info)
{
	buf_puts(b, "{\"user\":");
	json_put_str(b, info->user);
	buf_puts(b, ",\"client\":");
	json_put_str(b, info->client);
	if (info->conn_info.n > 0) {
		buf_puts(b, ",\"conn_info\":");
		json_put_raw(b, info->conn_info);
	}
	if (info->chan_info.n > 0) {
		buf_puts(b, ",\"chan_info\":");
		json_put_raw(b, info->chan_info);
	}
	buf_putc(b, '}');
}

/* The name of a member, behind a comma unless it is the first. */
static void
put_name(struct buf *b, const char *name)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_putc(b, ',');
	buf_putc(b, '"');
	buf_puts(b, name);
	buf_puts(b, "\":");
}

static void
put_number(struct buf *b, const char *name, uint64_t n)
{
	put_name(b, name);
	buf_putu64(b, n);
}

static void
put_data(struct buf *b, const struct hub_pub_view *v,
    const struct pub_form *f)
{
	/* Format binary may publish nothing at all. */
	if (v->data.n == 0 && (f == NULL || f->kind == PUB_PLAIN))
		return;
	buf_puts(b, "\"data\":");
	if (f == NULL || f->kind == PUB_PLAIN)
		json_put_raw(b, v->data);
	else
		json_put_str(b, f->kind == PUB_DELTA ? f->patch : v->data);
}

/* see encode.h */
void
encode_pub(struct buf *b, const struct hub_pub *pub,
    const struct pub_form *f)
{
	struct hub_pub_view	v;
	bool			plain = f == NULL || f->kind == PUB_PLAIN;

	hub_pub_view(pub, &v);
	buf_putc(b, '{');
	put_data(b, &v, f);
	if (v.has_info) {
		put_name(b, "info");
		encode_info(b, &v.info);
	}
	if (v.offset > 0)
		put_number(b, "offset", v.offset);
	if (v.tags.n > 0) {
		put_name(b, "tags");
		json_put_raw(b, v.tags);
	}
	if (f != NULL && f->kind == PUB_DELTA) {
		put_name(b, "delta");
		buf_puts(b, "true");
	}
	if (plain && f != NULL && f->epoch != NULL && v.offset == 1) {
		put_name(b, "epoch");
		json_put_str(b, sv_from(f->epoch));
	}
	if (plain && v.version > 0)
		put_number(b, "version", v.version);
	buf_putc(b, '}');
}

/* see encode.h */
void
encode_pub_push(struct buf *b, const struct hub_pub *pub,
    const struct pub_form *f)
{
	struct hub_pub_view v;

	buf_puts(b, "{\"push\":{\"channel\":");
	json_put_str(b, hub_pub_channel(pub));
	if (pub->type == HUB_PUB) {
		buf_puts(b, ",\"pub\":");
		encode_pub(b, pub, f);
	} else {
		hub_pub_view(pub, &v);
		buf_puts(b, pub->type == HUB_PUB_JOIN ? ",\"join\":" :
		    ",\"leave\":");
		buf_puts(b, "{\"info\":");
		encode_info(b, &v.info);
		buf_putc(b, '}');
	}
	buf_puts(b, "}}");
}

/* see encode.h */
void
encode_presence(struct buf *b, const struct hub_info *info, size_t n)
{
	bool	first = true;
	size_t	i;

	buf_puts(b, "{\"presence\":{");
	for (i = 0; i < n; i++) {
		if (!first)
			buf_putc(b, ',');
		first = false;
		json_put_str(b, info[i].client);
		buf_putc(b, ':');
		encode_info(b, &info[i]);
	}
	buf_puts(b, "}}");
}

/* see encode.h */
void
encode_push_begin(struct buf *b, struct sv channel, const char *kind)
{
	buf_puts(b, "{\"push\":{");
	if (channel.n > 0) {
		buf_puts(b, "\"channel\":");
		json_put_str(b, channel);
		buf_putc(b, ',');
	}
	buf_printf(b, "\"%s\":", kind);
}

/* see encode.h */
void
encode_push_end(struct buf *b)
{
	buf_puts(b, "}}");
}

/* see encode.h */
void
encode_unsubscribe_push(struct buf *b, struct sv channel, uint32_t code,
    const char *reason)
{
	encode_push_begin(b, channel, "unsubscribe");
	buf_puts(b, "{\"code\":");
	buf_putu64(b, code);
	if (*reason != '\0') {
		buf_puts(b, ",\"reason\":");
		json_put_str(b, sv_from(reason));
	}
	buf_putc(b, '}');
	encode_push_end(b);
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

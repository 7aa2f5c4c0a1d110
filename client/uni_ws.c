/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The one-way WebSocket (spec 4): the connect request comes with the URL or
 * as the first message, whatever comes later is ignored. Each push is a text
 * frame of its own, also with join_push_messages, which allows more in one.
 */
#include <string.h>

#include "client/stream.h"
#include "client/transport.h"
#include "client/ws_client.h"
#include "util/ct.h"

struct uni_client {
	struct ws_client	wc;	/* first */
	uint8_t			secret[SECRET_LEN];
};

static void
uni_close(struct client *c, uint32_t code, const char *reason)
{
	const struct conf_websocket *o = &c->node->conf->uni_websocket;

	if (!o->disable_disconnect_push &&
	    stream_farewell(c, code, reason) == -1)
		conn_close(c->conn);
	else if (o->disable_closing_handshake)
		conn_close_drained(c->conn);
	else
		ws_send_close(c, code, reason);
}

static int64_t
write_timeout(const struct conf *conf)
{
	return conf->uni_websocket.write_timeout;
}

/* Two frames: a message, which scripts of a page can see, and a ping, which
 * the peer's WebSocket answers by itself. */
static struct blob *
make_ping(void)
{
	static const unsigned char frames[] = {
		0x80 | WS_OP_TEXT, 2, '{', '}', 0x80 | WS_OP_PING, 0
	};
	struct blob *b = blob_new(sizeof(frames));

	if (b != NULL)
		memcpy(b->data, frames, sizeof(frames));
	return b;
}

static size_t
session(const struct client *c, char out[CLIENT_SESSION_MAX])
{
	const struct uni_client *uc = (const void *)c;

	return session_format(c, uc->secret, out);
}

static const struct transport uni_ws_transport = {
	.kind = TRANSPORT_UNI_WEBSOCKET,
	.close = uni_close,
	.write_timeout = write_timeout,
	.ping = make_ping,
	.refused = uni_refused,
	.session = session,
};

/* see ws_client.h */
void
uni_ws_message(struct client *c, struct sv data)
{
	struct sv input;

	if (c->state != CLIENT_NEW)
		return;
	if (uni_request(c->node, data, &input))
		client_input(c, input);
	else
		client_disconnect(c, DISCONNECT_BAD_REQUEST, NULL);
}

/* see transport.h */
void
uni_ws_handler(struct http_exchange *x)
{
	struct buf	 b = BUF_INIT;
	struct sv	 text, input = { NULL, 0 };
	struct client	*c;

	if (uni_query(&x->req, &b, &text) &&
	    !uni_request(x->w->ctx, text, &input)) {
		http_respond_error(x, 400, "malformed connect request");
	} else if ((c = ws_open(x, &uni_ws_transport,
	    sizeof(struct uni_client))) != NULL) {
		random_bytes(((struct uni_client *)(void *)c)->secret,
		    SECRET_LEN);
		if (input.n > 0)
			client_input(c, input);
	}
	buf_fini(&b);
}

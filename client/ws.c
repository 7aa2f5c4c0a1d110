/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * WebSockets: the handshake on top of HTTP, frames from and to a client, and
 * the bidirectional transport. The one-way transport is in uni_ws.c.
 */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/transport.h"
#include "client/wire.h"
#include "client/ws_client.h"
#include "util/log.h"
#include "ws/ws.h"

#define PROTOBUF	"centrifuge-protobuf"

static const char *const protocols[] = { "centrifuge-json", PROTOBUF, NULL };

/* ---- frames ---- */

/* see ws_client.h */
struct blob *
ws_frame(enum ws_op op, struct sv data)
{
	unsigned char	 head[WS_HEAD_MAX];
	size_t		 n = ws_head_format(head, op, data.n);
	struct blob	*b = blob_new(n + data.n);

	if (b == NULL)
		return NULL;
	memcpy(b->data, head, n);
	if (data.n > 0)
		memcpy(b->data + n, data.p, data.n);
	return b;
}

static void
send_pong(struct client *c, struct sv data)
{
	struct blob *b = ws_frame(WS_OP_PONG, data);

	if (b == NULL)
		conn_close(c->conn);
	else
		client_send(c, b, OUT_PING);
}

/* see ws_client.h */
void
ws_send_close(struct client *c, uint32_t code, const char *reason)
{
	unsigned char	frame[WS_CLOSE_MAX];
	size_t		n = ws_close_format(frame, code, sv_from(reason));

	if (conn_send_copy(c->conn, frame, n) == -1)
		conn_close(c->conn);
	else
		conn_close_drained(c->conn);
}

/* The peer closes or has broken the protocol: our close frame, then the
 * end. */
static void
close_with(struct client *c, unsigned code)
{
	if (client_ended(c, code))
		ws_send_close(c, code, "");
}

static struct blob *
make_ping(void)
{
	return ws_frame(WS_OP_PING, SV(""));
}

static int64_t
write_timeout(const struct conf *conf)
{
	return conf->websocket.write_timeout;
}

static const struct transport ws_transport = {
	.kind = TRANSPORT_WEBSOCKET,
	.close = ws_send_close,
	.write_timeout = write_timeout,
	.ping = make_ping,
};

static bool
is_uni(const struct client *c)
{
	return c->tr->kind == TRANSPORT_UNI_WEBSOCKET;
}

static const struct conf_websocket *
options(const struct conf *conf, const struct transport *tr)
{
	return tr->kind == TRANSPORT_UNI_WEBSOCKET ? &conf->uni_websocket :
	    &conf->websocket;
}

static void
on_event(struct client *c, const struct ws_event *ev)
{
	char peer[ADDR_STRLEN];

	switch (ev->type) {
	case WS_MESSAGE:
		if (is_uni(c))
			uni_ws_message(c, ev->data);
		else
			client_input(c, ev->data);
		break;
	case WS_PING:
		send_pong(c, ev->data);
		break;
	case WS_PONG:
		client_pong_frame(c);
		break;
	case WS_CLOSE:
		close_with(c, ev->code == WS_CLOSE_NO_STATUS ? 0 : ev->code);
		break;
	case WS_ERROR:
		log_debug("websocket error", kv_s("error", ev->clause),
		    kv_s("peer", conn_peer(c->conn, peer)));
		client_stats(c)->outgoing_close[disconnect_slot(ev->code)]++;
		close_with(c, ev->code);
		break;
	case WS_NEED:
		break;
	}
}

static size_t
ws_read(struct conn *conn, char *p, size_t n)
{
	struct client		*c = conn->proto;
	struct ws_client	*wc = ws_of(c);
	struct ws_event		 ev;
	size_t			 at = 0, used, take;

	while (c->state != CLIENT_CLOSED) {
		/* What stands behind a command that waits is taken later;
		 * the engine only lets go of the message it lent. */
		take = c->waiting ? 0 : n - at;
		if (ws_feed(&wc->ws, p + at, take, &used, &ev) == WS_NEED)
			return at + take;
		at += used;
		if (ev.deflated)
			wire_inflate(c->node, options(c->node->conf, c->tr),
			    &ev);
		on_event(c, &ev);
		ws_zip_release(&c->node->zip);
	}
	return n;
}

static void
ws_timer(struct conn *conn)
{
	client_timer(conn->proto);
}

static void
ws_closed(struct conn *conn)
{
	client_ended(conn->proto, 0);
	ws_fini(&ws_of(conn->proto)->ws);
	client_free(conn->proto);
}

static const struct conn_ops ws_conn_ops = {
	.on_read = ws_read,
	.on_timer = ws_timer,
	.on_close = ws_closed,
};

/* ---- handshake ---- */

/* All header lines of a name as one list. */
static struct sv
joined(const struct http_request *req, struct sv name, struct buf *b)
{
	size_t i;

	for (i = 0; i < req->nheader; i++) {
		if (!sv_ieq(req->header[i].name, name))
			continue;
		if (b->n > 0)
			buf_puts(b, ", ");
		buf_putsv(b, req->header[i].value);
	}
	return buf_sv(b);
}

/* The lists are kept in b[0] and b[1]. */
static struct ws_request
handshake_of(const struct http_request *req, struct buf *b)
{
	return (struct ws_request){
		.is_get = req->method == HTTP_GET,
		.http11 = req->minor >= 1,
		.has_upgrade = http_header_has_token(req, "Upgrade",
		    "websocket"),
		.has_connection = http_header_has_token(req, "Connection",
		    "upgrade"),
		.version = http_header_get(req, "Sec-WebSocket-Version"),
		.key = http_header_get(req, "Sec-WebSocket-Key"),
		.protocols = joined(req, SV("Sec-WebSocket-Protocol"), &b[0]),
		.extensions = joined(req, SV("Sec-WebSocket-Extensions"),
		    &b[1]),
	};
}

/* Whether it is a good handshake; if not it has been answered. */
static bool
handshake_ok(struct http_exchange *x, const struct ws_request *hs)
{
	const char	*why;
	char		 peer[IP_STRLEN];
	int		 status;

	if ((status = ws_handshake_check(hs, &why)) == 0)
		return true;
	log_info("WebSocket handshake refused", kv_s("error", why),
	    kv_s("peer", http_client(x, peer)));
	if (status == 426)
		buf_puts(&x->headers, "Sec-WebSocket-Version: 13\r\n");
	http_respond_error(x, status, why);
	return false;
}

static bool
query_is(struct sv query, const char *name, const char *value)
{
	struct buf	scratch = BUF_INIT;
	struct sv	v;
	bool		is;

	is = http_query_get(query, name, &scratch, &v) &&
	    sv_eq(v, sv_from(value));
	buf_fini(&scratch);
	return is;
}

/* How to speak, by the URL or the subprotocol that was chosen. */
static enum wire_form
form_of(const struct http_request *req, const char *protocol, bool deflate)
{
	if (query_is(req->query, "cf_protocol", "protobuf") ||
	    query_is(req->query, "format", "protobuf") ||
	    (protocol != NULL && strcmp(protocol, PROTOBUF) == 0))
		return deflate ? WIRE_WS_PB_DEFLATE : WIRE_WS_PB;
	return deflate ? WIRE_WS_JSON_DEFLATE : WIRE_WS_JSON;
}

/* Switch protocols; see ws_client.h. */
static struct client *
upgrade(struct http_exchange *x, const struct ws_request *hs,
    const struct transport *tr, size_t size)
{
	struct node		*n = x->w->ctx;
	const struct conf_websocket *o = options(n->conf, tr);
	bool			 uni = tr->kind == TRANSPORT_UNI_WEBSOCKET;
	struct buf		 head = BUF_INIT;
	struct ws_deflate_terms	 terms = { .on = false };
	const char		*protocol = NULL;
	struct client		*c;
	enum wire_form		 form;

	if (o->compression)
		terms = ws_deflate_select(hs->extensions);
	if (!uni)
		protocol = ws_protocol_select(hs->protocols, protocols);
	form = uni ? (ws_deflate_sends(terms) ? WIRE_UNI_WS_DEFLATE :
	    WIRE_UNI_WS) : form_of(&x->req, protocol, ws_deflate_sends(terms));
	if ((c = client_open(x, tr, form, size)) == NULL)
		return NULL;
	ws_init(&ws_of(c)->ws, (uint32_t)o->message_size_limit);
	if (terms.on)
		ws_allow_deflate(&ws_of(c)->ws);
	c->frame_ping = uni || query_is(x->req.query, "cf_ws_frame_ping_pong",
	    "true");
	ws_handshake_format(&head, hs->key, protocol, terms);
	if (head.failed) {
		http_respond_error(x, 503, "out of memory");
		client_free(c);
		c = NULL;
	} else if (http_upgrade(x, buf_sv(&head), &ws_conn_ops, c) == -1) {
		client_free(c);
		c = NULL;
	} else {
		client_set_timer(c);
	}
	buf_fini(&head);
	return c;
}

/* see ws_client.h */
struct client *
ws_open(struct http_exchange *x, const struct transport *tr, size_t size)
{
	struct sv		 origin = http_header_get(&x->req, "Origin");
	struct buf		 b[2] = { BUF_INIT, BUF_INIT };
	struct ws_request	 hs = handshake_of(&x->req, b);
	struct client		*c = NULL;

	if (!handshake_ok(x, &hs)) {
		;		/* it has been answered */
	} else if (!node_origin_allowed(x->w->ctx, origin)) {
		log_info("request origin is not among client.allowed_origins",
		    kv_sv("origin", origin));
		http_respond_error(x, 403, "this Origin is not allowed");
	} else {
		c = upgrade(x, &hs, tr, size);
	}
	buf_fini(&b[0]);
	buf_fini(&b[1]);
	return c;
}

/* see transport.h */
void
ws_transport_handler(struct http_exchange *x)
{
	(void)ws_open(x, &ws_transport, sizeof(struct ws_client));
}

#ifdef FUGU_ECHO

/* ---- the echo endpoint ---- */

/* What comes compressed goes back compressed, even if that makes it longer
 * or the client wants a small window. */
#define ECHO_MAX	(16 * 1024 * 1024)

struct echo {
	struct ws	ws;
	struct ws_zip	zip;
};

static void
echo_frame(struct conn *conn, enum ws_op op, struct sv data)
{
	struct blob *b = ws_frame(op, data);

	if (b == NULL || conn_send(conn, b) == -1)
		conn_close(conn);
}

static void
echo_message(struct conn *conn, const struct ws_event *ev)
{
	struct echo	*e = conn->proto;
	struct blob	*b;
	size_t		 max = ev->data.n + ev->data.n / 8 + 64, n = 0;
	char		*zip = malloc(max + WS_ZIP_SPARE);

	if (ev->deflated && zip != NULL)
		n = ws_zip_deflate(&e->zip, 1, ev->data, zip, max);
	if (n == 0) {
		echo_frame(conn, ev->op, ev->data);
	} else if ((b = ws_frame(ev->op, sv_make(zip, n))) == NULL) {
		conn_close(conn);
	} else {
		b->data[0] |= WS_RSV1;
		if (conn_send(conn, b) == -1)
			conn_close(conn);
	}
	free(zip);
}

static size_t
echo_read(struct conn *conn, char *p, size_t n)
{
	struct echo	*e = conn->proto;
	unsigned char	 frame[WS_CLOSE_MAX];
	struct ws_event	 ev;
	size_t		 at = 0, used;

	for (;;) {
		ws_feed(&e->ws, p + at, n - at, &used, &ev);
		if (ev.deflated)
			ws_zip_inflate(&e->zip, &ev, ECHO_MAX);
		switch (ev.type) {
		case WS_MESSAGE:
			echo_message(conn, &ev);
			ws_zip_release(&e->zip);
			break;
		case WS_PING:
			echo_frame(conn, WS_OP_PONG, ev.data);
			break;
		case WS_CLOSE:
		case WS_ERROR:
			conn_send_copy(conn, frame, ws_close_format(frame,
			    ev.code == WS_CLOSE_NO_STATUS ? 0 : ev.code,
			    SV("")));
			conn_close_drained(conn);
			return n;
		case WS_PONG:
			break;
		case WS_NEED:
			return n;
		}
		at += used;
	}
}

static void
echo_timer(struct conn *conn)
{
	conn_close(conn);
}

static void
echo_closed(struct conn *conn)
{
	struct echo *e = conn->proto;

	ws_fini(&e->ws);
	ws_zip_fini(&e->zip);
	free(e);
}

static const struct conn_ops echo_conn_ops = {
	.on_read = echo_read,
	.on_timer = echo_timer,
	.on_close = echo_closed,
};

/* see transport.h */
void
ws_echo_handler(struct http_exchange *x)
{
	struct node		*n = x->w->ctx;
	struct buf		 b[2] = { BUF_INIT, BUF_INIT };
	struct buf		 head = BUF_INIT;
	struct ws_request	 hs = handshake_of(&x->req, b);
	struct ws_deflate_terms	 terms = { .on = false };
	struct echo		*e;

	if (!handshake_ok(x, &hs))
		goto out;
	if (n->conf->websocket.compression)
		terms = ws_deflate_select(hs.extensions);
	ws_handshake_format(&head, hs.key, NULL, terms);
	if ((e = malloc(sizeof(*e))) == NULL || head.failed) {
		http_respond_error(x, 503, "out of memory");
		free(e);
		goto out;
	}
	ws_init(&e->ws, ECHO_MAX);
	if (terms.on)
		ws_allow_deflate(&e->ws);
	ws_zip_init(&e->zip, terms.window == 0 ? WS_DEFLATE_WINDOW :
	    terms.window > 9 ? terms.window : 9);
	if (http_upgrade(x, buf_sv(&head), &echo_conn_ops, e) == -1)
		free(e);
out:
	buf_fini(&b[0]);
	buf_fini(&b[1]);
	buf_fini(&head);
}

#endif

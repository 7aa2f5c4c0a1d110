/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Transports whose messages are one HTTP answer without end (spec 4):
 * Server-Sent Events and the HTTP stream, both with commands by way of
 * /emulation or one-way. The request that begins one carries the connect
 * command.
 *
 * The answer has no length and ends with the connection. What the peer sends
 * behind its request is ignored: it could not be answered.
 */
#include <stdlib.h>

#include "client/encode.h"
#include "client/stream.h"
#include "client/transport.h"
#include "http/cors.h"
#include "util/clock.h"
#include "util/ct.h"

/* As Centrifugo; nosniff because browsers hold plain text back to look at
 * what it is. */
#define HEADERS	"X-Accel-Buffering: no\r\n"				\
	"Cache-Control: private, no-cache, no-store, must-revalidate, "	\
	"max-age=0\r\n"							\
	"Pragma: no-cache\r\n"						\
	"Expires: 0\r\n"						\
	"X-Content-Type-Options: nosniff\r\n"

static const struct sv empty = { NULL, 0 };

static struct stream_client *
stream_of(struct client *c)
{
	return (struct stream_client *)(void *)c;
}

/* ---- the answer ---- */

/* The answer is under way, or the connection is gone. */
static void
release(struct stream_client *sc)
{
	if (sc->x == NULL || sc->opening)
		return;
	http_release(sc->x);
	sc->x = NULL;
}

static const char *
content_type(enum wire_form form)
{
	if (wire_forms[form].framing == FRAMING_SSE)
		return "text/event-stream; charset=utf-8";
	return wire_forms[form].protobuf ? "application/octet-stream" :
	    "text/plain; charset=utf-8";
}

/* Begin the stream. The first bytes of events are an empty line, so that a
 * client knows that it is open. */
static void
begin(struct client *c)
{
	struct stream_client	*sc = stream_of(c);
	bool			 sse = wire_forms[c->form].framing ==
				    FRAMING_SSE;

	if (sc->begun)
		return;
	sc->begun = true;
	buf_puts(&sc->x->headers, HEADERS);
	if (http_begin(sc->x, 200, content_type(c->form),
	    sse ? SV("\r\n") : empty, false) == -1)
		conn_close(c->conn);
	release(sc);
}

static const struct conf_stream *
conf_of(const struct client *c)
{
	const struct conf *conf = c->node->conf;

	return c->tr->kind == TRANSPORT_UNI_SSE ? &conf->uni_sse :
	    &conf->uni_http_stream;
}

/* Instead of a stream: what the configuration makes of this error or
 * disconnect code, whose text is the body unless another one is set. */
static void
answer_code(struct client *c, uint32_t code, const char *text)
{
	const struct conf_response_transforms *map =
	    &conf_of(c)->connect_code_to_http_response.transforms;
	struct stream_client	*sc = stream_of(c);
	int			 status = 500;
	const char		*body = http_status_text(500);
	size_t			 i;

	for (i = 0; i < map->n; i++) {
		if (map->v[i].code != code)
			continue;
		status = (int)map->v[i].to.status_code;
		body = map->v[i].to.body;
		if (*body == '\0')
			body = text;
		break;
	}
	sc->begun = true;
	if (http_begin(sc->x, status, "text/plain; charset=utf-8",
	    sv_from(body), true) == -1)
		conn_close(c->conn);
	else
		conn_close_drained(c->conn);
	release(sc);
}

/* ---- transport ---- */

/* see stream.h */
int
stream_farewell(struct client *c, uint32_t code, const char *reason)
{
	struct buf	 b = BUF_INIT;
	struct blob	*blob = NULL;
	struct enc	 e;

	encode_init(&e, &b, c->form);
	encode_disconnect_push(&e, code, reason);
	if (!b.failed)
		blob = encode_wire(c->form, buf_sv(&b));
	buf_fini(&b);
	return blob == NULL ? -1 : conn_send(c->conn, blob);
}

static void
stream_close(struct client *c, uint32_t code, const char *reason)
{
	if (!stream_of(c)->begun)
		answer_code(c, code, reason);
	else if (stream_farewell(c, code, reason) == -1)
		conn_close(c->conn);
	else
		conn_close_drained(c->conn);
}

static void
stream_refused(struct client *c, uint32_t error)
{
	if (stream_of(c)->begun)
		uni_refused(c, error);
	else if (client_ended(c, error))
		answer_code(c, error, error_message(error));
}

static int64_t
write_timeout(const struct conf *conf)
{
	(void)conf;
	return MSEC_PER_SEC;
}

static size_t
stream_session(const struct client *c, char out[CLIENT_SESSION_MAX])
{
	const struct stream_client *sc = (const void *)c;

	return session_format(c, sc->secret, out);
}

static const struct transport sse_transport = {
	.kind = TRANSPORT_SSE,
	.emulated = true,
	.close = stream_close,
	.write_timeout = write_timeout,
	.session = stream_session,
};

static const struct transport http_stream_transport = {
	.kind = TRANSPORT_HTTP_STREAM,
	.emulated = true,
	.close = stream_close,
	.write_timeout = write_timeout,
	.session = stream_session,
};

static const struct transport uni_sse_transport = {
	.kind = TRANSPORT_UNI_SSE,
	.close = stream_close,
	.write_timeout = write_timeout,
	.accepted = begin,
	.refused = stream_refused,
	.session = stream_session,
};

static const struct transport uni_http_stream_transport = {
	.kind = TRANSPORT_UNI_HTTP_STREAM,
	.close = stream_close,
	.write_timeout = write_timeout,
	.accepted = begin,
	.refused = stream_refused,
	.session = stream_session,
};

/* ---- connection ---- */

static size_t
stream_read(struct conn *conn, char *p, size_t n)
{
	(void)conn;
	(void)p;
	return n;
}

static void
stream_timer(struct conn *conn)
{
	client_timer(conn->proto);
}

static void
stream_free(struct stream_client *sc)
{
	release(sc);
	if (sc->listed)
		emulation_del(sc);
	client_free(&sc->c);
}

static void
stream_closed(struct conn *conn)
{
	client_ended(conn->proto, 0);
	stream_free(conn->proto);
}

static const struct conn_ops stream_conn_ops = {
	.on_read = stream_read,
	.on_timer = stream_timer,
	.on_close = stream_closed,
};

/* A client for the request, and its first input. wait: with its answer
 * until connect is decided. */
static void
open_stream(struct http_exchange *x, const struct transport *tr,
    enum wire_form form, struct sv input, bool wait)
{
	struct stream_client	*sc;
	struct client		*c;

	if ((c = client_open(x, tr, form, sizeof(*sc))) == NULL)
		return;
	sc = stream_of(c);
	random_bytes(sc->secret, sizeof(sc->secret));
	if (tr->emulated && emulation_add(sc) == -1) {
		stream_free(sc);
		http_respond_error(x, 503, "out of memory");
		return;
	}
	if (http_take(x, &stream_conn_ops, sc) == -1) {
		stream_free(sc);
		return;
	}
	sc->x = x;
	sc->opening = true;
	client_set_timer(c);
	if (!wait)
		begin(c);
	client_input(c, input);
	sc->opening = false;
	if (sc->begun)
		release(sc);
}

/* ---- requests ---- */

/* see transport.h */
void
transport_prepare(struct http_exchange *x)
{
	if (node_origin_allowed(x->w->ctx, http_header_get(&x->req,
	    "Origin")))
		http_cors_allow(x);
}

/* see stream.h */
bool
stream_is_protobuf(const struct http_request *req)
{
	return sv_ieq(http_header_get(req, "Content-Type"),
	    SV("application/octet-stream"));
}

/* see transport.h */
void
sse_handler(struct http_exchange *x)
{
	struct buf	b = BUF_INIT;
	struct sv	input = x->body;

	if (x->req.method == HTTP_OPTIONS)
		http_cors_preflight(x, "GET, POST, OPTIONS");
	else if (x->req.method == HTTP_HEAD)
		http_respond(x, 405, NULL, empty);
	else if (x->req.method == HTTP_GET && !uni_query(&x->req, &b, &input))
		http_respond_error(x, 400, "no cf_connect in the URL");
	else
		open_stream(x, &sse_transport, WIRE_SSE, input, false);
	buf_fini(&b);
}

/* see transport.h */
void
http_stream_handler(struct http_exchange *x)
{
	if (x->req.method == HTTP_OPTIONS)
		http_cors_preflight(x, "POST, OPTIONS");
	else
		open_stream(x, &http_stream_transport,
		    stream_is_protobuf(&x->req) ? WIRE_STREAM_PB :
		    WIRE_STREAM_JSON, x->body, false);
}

static void
open_uni(struct http_exchange *x, const struct transport *tr,
    enum wire_form form, struct sv text, const struct conf_stream *conf)
{
	struct sv input;

	if (!uni_request(x->w->ctx, text, &input))
		http_respond_error(x, 400, "malformed connect request");
	else
		open_stream(x, tr, form, input,
		    conf->connect_code_to_http_response.enabled);
}

/* see transport.h */
void
uni_sse_handler(struct http_exchange *x)
{
	struct node	*n = x->w->ctx;
	struct buf	 b = BUF_INIT;
	struct sv	 text = x->body;

	if (x->req.method == HTTP_GET && !uni_query(&x->req, &b, &text))
		text = SV("{}");
	if (x->req.method == HTTP_OPTIONS)
		http_cors_preflight(x, "GET, POST, OPTIONS");
	else if (x->req.method == HTTP_HEAD)
		http_respond(x, 405, NULL, empty);
	else
		open_uni(x, &uni_sse_transport, WIRE_UNI_SSE, text,
		    &n->conf->uni_sse);
	buf_fini(&b);
}

/* see transport.h */
void
uni_http_stream_handler(struct http_exchange *x)
{
	struct node *n = x->w->ctx;

	if (x->req.method == HTTP_OPTIONS)
		http_cors_preflight(x, "POST, OPTIONS");
	else
		open_uni(x, &uni_http_stream_transport, WIRE_UNI_STREAM,
		    x->body, &n->conf->uni_http_stream);
}

/* see transport.h */
void
init_handler(struct http_exchange *x)
{
	http_respond(x, 200, "application/json; charset=utf-8", SV("{}"));
}

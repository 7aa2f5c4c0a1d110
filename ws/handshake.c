/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The WebSocket opening handshake, server's side (RFC 6455, section 4.2).
 * The Host header is the HTTP codec's to check, Origin the caller's.
 */
#include <bearssl.h>

#include "util/base64.h"
#include "ws/ws.h"

/* RFC 6455, 1.3 */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static bool
is_base64_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Base 64 of 16 bytes. Stray bits under the padding do no harm here. */
static bool
is_key(struct sv s)
{
	size_t	i;

	if (s.n != 24 || !sv_ends(s, SV("==")))
		return false;
	for (i = 0; i < 22; i++)
		if (!is_base64_char(s.p[i]))
			return false;
	return true;
}

/* see ws.h */
int
ws_handshake_check(const struct ws_request *r, const char **why)
{
	int	status = 400;

	*why = NULL;
	if (!r->is_get) {
		*why = "a WebSocket is opened with GET";
		status = 405;
	} else if (!r->http11) {
		*why = "a WebSocket needs HTTP/1.1: does a proxy speak "
		    "HTTP/1.0 (nginx: proxy_http_version 1.1)?";
	} else if (!r->has_upgrade) {
		*why = "no \"Upgrade: websocket\" header: this is a WebSocket "
		    "endpoint; does a proxy not forward the header?";
	} else if (!r->has_connection) {
		*why = "no \"Connection: Upgrade\" header: does a proxy not "
		    "forward it?";
	} else if (r->version.n == 0) {
		*why = "no Sec-WebSocket-Version header";
	} else if (!sv_eq(r->version, SV("13"))) {
		*why = "the WebSocket version spoken here is 13";
		status = 426;
	} else if (r->key.n == 0) {
		*why = "no Sec-WebSocket-Key header";
	} else if (!is_key(r->key)) {
		*why = "Sec-WebSocket-Key is not 16 bytes in base 64";
	}
	return *why == NULL ? 0 : status;
}

/* see ws.h */
const char *
ws_protocol_select(struct sv offered, const char *const *supported)
{
	struct sv	name;
	size_t		i;

	while (offered.p != NULL) {
		name = sv_trim(sv_cut(&offered, ','));
		for (i = 0; supported[i] != NULL; i++)
			if (sv_eq(name, sv_from(supported[i])))
				return supported[i];
	}
	return NULL;
}

/* see ws.h */
void
ws_accept_put(struct buf *b, struct sv key)
{
	unsigned char	digest[br_sha1_SIZE];
	br_sha1_context	sha1;

	br_sha1_init(&sha1);
	br_sha1_update(&sha1, key.p, key.n);
	br_sha1_update(&sha1, guid, sizeof(guid) - 1);
	br_sha1_out(&sha1, digest);
	base64_put(b, sv_make(digest, sizeof(digest)));
}

/* see ws.h */
void
ws_handshake_format(struct buf *b, struct sv key, const char *protocol)
{
	buf_puts(b, "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: ");
	ws_accept_put(b, key);
	if (protocol != NULL) {
		buf_puts(b, "\r\nSec-WebSocket-Protocol: ");
		buf_puts(b, protocol);
	}
	buf_puts(b, "\r\n\r\n");
}

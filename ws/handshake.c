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

/* ---- permessage-deflate (RFC 7692, section 7.1) ---- */

/* As sv_cut(), but blind to a separator within quotes. */
static struct sv
cut_unquoted(struct sv *rest, char sep)
{
	struct sv	s = *rest;
	bool		quoted = false;
	size_t		i;

	for (i = 0; i < s.n && (quoted || s.p[i] != sep); i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '\\' && quoted && i + 1 < s.n)
			i++;
	}
	*rest = i < s.n ? sv_skip(s, i + 1) : sv_make(NULL, 0);
	return sv_make(s.p, i);
}

/* A number of window bits: 8 to 15. */
static bool
window_bits(struct sv s, uint64_t *bits)
{
	if (s.n >= 2 && sv_starts(s, SV("\"")) && sv_ends(s, SV("\"")))
		s = sv_make(s.p + 1, s.n - 2);
	return sv_u64(s, bits) == 0 && *bits >= 8 && *bits <= 15 &&
	    s.p[0] != '0';
}

/* Whether a parameter of an offer is good; each may come once. */
static bool
take_param(struct sv param, unsigned *seen, struct ws_deflate_terms *t)
{
	static const char *const names[] = { "server_no_context_takeover",
	    "client_no_context_takeover", "server_max_window_bits",
	    "client_max_window_bits" };
	struct sv	value = param, name = sv_trim(sv_cut(&value, '='));
	uint64_t	bits;
	unsigned	i;

	for (i = 0; i < 4 && !sv_eq(name, sv_from(names[i])); i++)
		;
	if (i == 4 || *seen & 1u << i)
		return false;
	*seen |= 1u << i;
	if (value.p == NULL)
		return i != 2;
	if (i < 2 || !window_bits(sv_trim(value), &bits))
		return false;
	if (i == 2)
		t->window = (uint8_t)bits;
	return true;
}

/* see ws.h */
struct ws_deflate_terms
ws_deflate_select(struct sv offered)
{
	struct ws_deflate_terms	t;
	struct sv		offer, name;
	unsigned		seen;

#ifndef FUGU_DEFLATE
	offered = sv_make(NULL, 0);
#endif
	while (offered.p != NULL) {
		offer = cut_unquoted(&offered, ',');
		name = sv_trim(cut_unquoted(&offer, ';'));
		if (!sv_eq(name, SV("permessage-deflate")))
			continue;
		t = (struct ws_deflate_terms){ .on = true };
		seen = 0;
		while (t.on && offer.p != NULL)
			t.on = take_param(cut_unquoted(&offer, ';'), &seen,
			    &t);
		if (t.on)
			return t;
	}
	return (struct ws_deflate_terms){ .on = false };
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
ws_handshake_format(struct buf *b, struct sv key, const char *protocol,
    struct ws_deflate_terms deflate)
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
	if (deflate.on) {
		buf_puts(b, "\r\nSec-WebSocket-Extensions: "
		    "permessage-deflate; server_no_context_takeover; "
		    "client_no_context_takeover");
		if (deflate.window != 0)
			buf_printf(b, "; server_max_window_bits=%u",
			    deflate.window);
	}
	buf_puts(b, "\r\n\r\n");
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See proxyproto.h.
 */
#include <stdlib.h>

#include "net/internal.h"
#include "net/proxyproto.h"
#include "util/log.h"

#define V2_HEAD	16		/* signature, version, family, length */

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* ---- version 1: a line ---- */

/* A decimal port without leading zeros. */
static int
parse_port(struct sv s, uint16_t *port)
{
	uint64_t n;

	if (s.n > 5 || (s.n > 1 && s.p[0] == '0') || sv_u64(s, &n) == -1 ||
	    n > UINT16_MAX)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

/* "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP source-port SP
 * destination-port, or "PROXY UNKNOWN" and anything. */
static int
parse_line(struct proxy_header *h, struct sv line)
{
	struct sv	family, src, dst, sport;
	uint8_t		ip[IP_LEN];
	uint16_t	port;
	bool		v4;

	sv_cut(&line, ' ');
	family = sv_cut(&line, ' ');
	if (sv_eq(family, SV("UNKNOWN")))
		return 0;
	v4 = sv_eq(family, SV("TCP4"));
	if (!v4 && !sv_eq(family, SV("TCP6")))
		return -1;
	src = sv_cut(&line, ' ');
	dst = sv_cut(&line, ' ');
	sport = sv_cut(&line, ' ');
	if ((sv_chr(src, ':') == -1) != v4 || (sv_chr(dst, ':') == -1) != v4 ||
	    ip_parse(h->src, src) == -1 || ip_parse(ip, dst) == -1 ||
	    parse_port(sport, &h->src_port) == -1 ||
	    parse_port(line, &port) == -1)
		return -1;
	h->has_src = true;
	return 0;
}

static ptrdiff_t
parse_v1(struct proxy_header *h, struct sv s, const char **why)
{
	struct sv	line = s;
	ptrdiff_t	i;

	if (line.n > PROXY_V1_MAX)
		line.n = PROXY_V1_MAX;
	if ((i = sv_chr(line, '\n')) == -1) {
		*why = "the line is too long";
		return s.n < PROXY_V1_MAX ? 0 : -1;
	}
	*why = "malformed line";
	if (line.p[i - 1] != '\r' ||
	    parse_line(h, sv_make(line.p, (size_t)i - 1)) == -1)
		return -1;
	return i + 1;
}

/* ---- version 2: binary ---- */

/* Addresses of TCP; of anything else nothing is of use. */
static int
parse_addresses(struct proxy_header *h, unsigned family, struct sv s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	switch (family) {
	case 0x11:	/* IPv4: 4 + 4 + 2 + 2 bytes */
		if (s.n < 12)
			return -1;
		ip_from_v4(h->src, p);
		p += 8;
		break;
	case 0x21:	/* IPv6: 16 + 16 + 2 + 2 bytes */
		if (s.n < 36)
			return -1;
		memcpy(h->src, p, IP_LEN);
		p += 32;
		break;
	default:
		return family >> 4 > 3 || (family & 15) > 2 ? -1 : 0;
	}
	h->src_port = (uint16_t)(p[0] << 8 | p[1]);
	h->has_src = true;
	return 0;
}

static ptrdiff_t
parse_v2(struct proxy_header *h, struct sv s, const char **why)
{
	const uint8_t	*p = (const uint8_t *)s.p;
	size_t		 n;

	if (s.n < V2_HEAD)
		return 0;
	n = (size_t)p[14] << 8 | p[15];
	if (n > PROXY_V2_MAX - V2_HEAD) {
		*why = "the header is too long";
		return -1;
	}
	*why = "malformed header";
	if (p[12] != 0x20 && p[12] != 0x21)
		return -1;
	if (s.n < V2_HEAD + n)
		return 0;
	/* LOCAL: the proxy's own connection, a health check perhaps. */
	if (p[12] == 0x21 &&
	    parse_addresses(h, p[13], sv_make(s.p + V2_HEAD, n)) == -1)
		return -1;
	return (ptrdiff_t)(V2_HEAD + n);
}

static bool
may_begin(struct sv s, struct sv prefix)
{
	return sv_starts(s, prefix) || sv_starts(prefix, s);
}

/* see proxyproto.h */
ptrdiff_t
proxy_parse(struct proxy_header *h, struct sv s, const char **why)
{
	const struct sv v1 = SV("PROXY "),
	    v2 = sv_make(v2_signature, sizeof(v2_signature));

	*h = (struct proxy_header){ .has_src = false };
	*why = "no PROXY protocol header";
	if (!may_begin(s, v1) && !may_begin(s, v2))
		return -1;
	if (s.n < v1.n)
		return 0;
	return *s.p == 'P' ? parse_v1(h, s, why) : parse_v2(h, s, why);
}

/* ---- on a connection ---- */

/* A connection whose header is awaited. */
struct waiting {
	void	(*next)(struct conn *, void *);
	void	*ctx;
};

static void
refuse(struct conn *c, const char *why)
{
	char peer[ADDR_STRLEN];

	log_info("connection closed: its PROXY protocol header is missing or "
	    "wrong", kv_s("peer", conn_peer(c, peer)), kv_s("error", why));
	conn_close(c);
}

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	struct waiting		*wait = c->proto, next = *wait;
	struct proxy_header	 h;
	const char		*why;
	ptrdiff_t		 k;
	size_t			 used;

	if ((k = proxy_parse(&h, sv_make(p, n), &why)) == 0)
		return 0;
	if (k < 0) {
		refuse(c, why);
		return n;
	}
	if (h.has_src && !ip_is_none(h.src)) {
		memcpy(c->peer_ip, h.src, IP_LEN);
		c->peer_port = h.src_port;
	}
	free(wait);
	c->proto = NULL;
	c->ops = NULL;
	timer_stop(&c->timer);
	next.next(c, next.ctx);
	used = (size_t)k;
	/* A filter is given what is left by the connection itself. */
	if (used < n && !c->closing && c->filter == NULL)
		used += c->ops->on_read(c, p + used, n - used);
	return used;
}

static void
on_timer(struct conn *c)
{
	refuse(c, "none came in time");
}

static void
on_close(struct conn *c)
{
	free(c->proto);
}

static const struct conn_ops ops = {
	.on_read = on_read, .on_timer = on_timer, .on_close = on_close
};

/* see proxyproto.h */
void
proxy_accept(struct conn *c, const struct ip_set *trusted, int timeout_ms,
    void (*next)(struct conn *, void *), void *ctx)
{
	struct waiting *wait;

	if (!ip_set_has(trusted, c->peer_ip)) {
		refuse(c, "the peer is not one of http_server.trusted_proxies");
		return;
	}
	if ((wait = malloc(sizeof(*wait))) == NULL) {
		conn_close(c);
		return;
	}
	*wait = (struct waiting){ next, ctx };
	c->ops = &ops;
	c->proto = wait;
	conn_timer(c, c->w->now + timeout_ms);
}

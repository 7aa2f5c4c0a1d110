/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See redirect.h.
 */
#include "http/redirect.h"
#include "net/ip.h"

#define HTTPS_PORT	443

/* The host of a Host header without its port, IPv6 with its brackets. */
static int
host_of(struct sv *host)
{
	uint8_t		ip[IP_LEN];
	ptrdiff_t	i;

	if (host->n > 0 && host->p[0] == '[') {
		if ((i = sv_chr(*host, ']')) == -1 ||
		    ip_parse(ip, sv_make(host->p + 1, (size_t)i - 1)) == -1)
			return -1;
		host->n = (size_t)i + 1;
	} else if ((i = sv_chr(*host, ':')) != -1) {
		host->n = (size_t)i;
	}
	return host->n == 0 ? -1 : 0;
}

/* see redirect.h */
int
http_redirect_put(struct buf *b, const struct http_request *r, uint16_t port)
{
	struct sv host = http_header_get(r, "Host");

	/* The parser has seen to it that there is one Host at most, that it
	 * is made of a host's characters, and the target of a URL's. */
	if (host_of(&host) == -1)
		return -1;
	buf_puts(b, "https://");
	buf_putsv(b, host);
	if (port != HTTPS_PORT)
		buf_printf(b, ":%u", port);
	buf_putsv(b, r->path);
	if (r->query.p != NULL) {
		buf_putc(b, '?');
		buf_putsv(b, r->query);
	}
	return 0;
}

/* see redirect.h */
void
http_redirect_handler(struct http_exchange *x)
{
	const struct http_redirect	*to = x->ctx;
	size_t				 at = x->headers.n;

	buf_puts(&x->headers, "Location: ");
	if (http_redirect_put(&x->headers, &x->req, to->port) == -1) {
		x->headers.n = at;
		http_respond_error(x, 400, "no host to redirect to");
		return;
	}
	buf_puts(&x->headers, "\r\n");
	http_respond_error(x, to->status, NULL);
}

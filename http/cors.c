/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See cors.h. Header values come from a parsed request, so they hold no
 * line ends.
 */
#include "http/cors.h"

static void
put_line(struct buf *b, const char *name, struct sv value)
{
	buf_puts(b, name);
	buf_puts(b, ": ");
	buf_putsv(b, value);
	buf_puts(b, "\r\n");
}

/* see cors.h */
void
http_cors_allow(struct http_exchange *x)
{
	struct sv origin = http_header_get(&x->req, "Origin");
	struct sv headers = http_header_get(&x->req,
	    "Access-Control-Request-Headers");

	if (origin.n == 0)
		return;
	put_line(&x->headers, "Access-Control-Allow-Origin", origin);
	if (headers.n > 0 && !sv_eq(headers, SV("null")))
		put_line(&x->headers, "Access-Control-Allow-Headers", headers);
	put_line(&x->headers, "Access-Control-Allow-Credentials", SV("true"));
}

/* see cors.h */
void
http_cors_preflight(struct http_exchange *x, const char *methods)
{
	put_line(&x->headers, "Access-Control-Allow-Methods",
	    sv_from(methods));
	put_line(&x->headers, "Access-Control-Max-Age", SV("300"));
	http_respond(x, 204, NULL, sv_make(NULL, 0));
}

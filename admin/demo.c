/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See demo.h. The page is admin/demo.html, built in by the Makefile.
 */
#include "admin/demo.h"

static const char page[] = {
#include "admin/demo_html.h"
};

static void
hex(char *out, const unsigned char *p, size_t n)
{
	static const char	digit[] = "0123456789abcdef";
	size_t			i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	out[2 * n] = '\0';
}

/* see demo.h */
int
demo_init(struct demo *d, void (*random)(void *, size_t))
{
	unsigned char	raw[32];
	char		key[33], secret[65];

	*d = (struct demo){ .conf = BUF_INIT };
	random(raw, 16);
	hex(key, raw, 16);
	random(raw, 32);
	hex(secret, raw, 32);
	buf_printf(&d->conf,
	    "{\"client\":{\"allowed_origins\":[\"*\"],"
	    "\"token\":{\"hmac_secret_key\":\"%s\"}},"
	    "\"channel\":{\"without_namespace\":{"
	    "\"allow_subscribe_for_client\":true,"
	    "\"allow_publish_for_client\":true}},"
	    "\"http_api\":{\"key\":\"%s\"},"
	    "\"health\":{\"enabled\":true},"
	    "\"prometheus\":{\"enabled\":true}}", secret, key);
	return d->conf.failed ? -1 : 0;
}

/* see demo.h */
int
demo_fill(struct demo *d, struct sv token, struct sv key)
{
	const struct { struct sv mark, value; } fill[] = {
		{ SV("@TOKEN@"), token },
		{ SV("@API_KEY@"), key },
	};
	struct sv	rest = { page, sizeof(page) };
	size_t		i;

	while (rest.n > 0) {
		for (i = 0; i < 2; i++)
			if (sv_starts(rest, fill[i].mark))
				break;
		if (i < 2) {
			buf_putsv(&d->page, fill[i].value);
			rest = sv_skip(rest, fill[i].mark.n);
		} else {
			buf_putc(&d->page, *rest.p);
			rest = sv_skip(rest, 1);
		}
	}
	buf_putsv(&d->token, token);
	return d->page.failed || d->token.failed ? -1 : 0;
}

/* see demo.h */
void
demo_fini(struct demo *d)
{
	buf_fini(&d->conf);
	buf_fini(&d->page);
	buf_fini(&d->token);
}

/* see demo.h */
void
demo_handler(struct http_exchange *x)
{
	const struct demo *d = x->ctx;

	buf_puts(&x->headers, "Cache-Control: no-store\r\n");
	http_respond(x, 200, "text/html; charset=utf-8", buf_sv(&d->page));
}

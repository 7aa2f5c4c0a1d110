/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See demo.h. The page is admin/demo.html, built in by the Makefile: in the
 * format of gzip where zlib is, of which only the deflated part is read.
 */
#ifdef FUGU_DEFLATE
#define ZLIB_CONST
#include <zlib.h>
#endif

#include "admin/demo.h"

#define GZIP_HEAD	10	/* without a name */
#define GZIP_TAIL	8	/* checksum and length */
#define PAGE_MAX	(64 << 10)

static const unsigned char built_in[] = {
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

#ifdef FUGU_DEFLATE
static void
unpack(struct buf *b)
{
	z_stream z = {
		.next_in = built_in + GZIP_HEAD,
		.avail_in = sizeof(built_in) - GZIP_HEAD - GZIP_TAIL,
		.next_out = (unsigned char *)buf_reserve(b, PAGE_MAX),
		.avail_out = PAGE_MAX,
	};

	if (b->failed)
		return;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
		b->failed = true;
		return;
	}
	b->failed = inflate(&z, Z_FINISH) != Z_STREAM_END;
	inflateEnd(&z);
	buf_commit(b, z.total_out);
}
#else
static void
unpack(struct buf *b)
{
	buf_put(b, built_in, sizeof(built_in));
}
#endif

/* see demo.h */
int
demo_fill(struct demo *d, struct sv token, struct sv key)
{
	const struct { struct sv mark, value; } fill[] = {
		{ SV("@TOKEN@"), token },
		{ SV("@API_KEY@"), key },
	};
	struct buf	page = BUF_INIT;
	struct sv	rest;
	size_t		i;

	unpack(&page);
	d->page.failed = page.failed;
	rest = buf_sv(&page);
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
	buf_fini(&page);
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

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Whose address a request comes from when proxies stand in front.
 */
#include <stdio.h>

#include "http/forwarded.h"
#include "tests/unit/test.h"

/* 10.0.0.0/8, 2001:db8::/32 and Unix sockets are trusted. */
static struct ip_net	net[] = {
	{ { [10] = 0xff, [11] = 0xff, 10 }, 96 + 8 },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
};
static struct ip_set	trusted = { net, 2, true };

struct row {
	const char	*header, *lines;	/* of the request */
	const char	*peer, *client;		/* NULL: a Unix socket */
};

#define XFF	"X-Forwarded-For"
#define FWD	"Forwarded"

static const struct row rows[] = {
	{ XFF, "", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: 1.2.3.4\r\n", "10.0.0.1", "1.2.3.4" },
	{ XFF, "x-forwarded-for: 1.2.3.4\r\n", "10.0.0.1", "1.2.3.4" },
	{ XFF, "X-Forwarded-For: 1.2.3.4\r\n", NULL, "1.2.3.4" },
	{ XFF, "X-Forwarded-For: 2001:db9::7\r\n", "2001:db8::1",
	    "2001:db9::7" },
	/* not from whom nobody trusts */
	{ XFF, "X-Forwarded-For: 1.2.3.4\r\n", "9.9.9.9", "9.9.9.9" },
	{ XFF, "X-Forwarded-For: 1.2.3.4\r\n", "2001:db9::1", "2001:db9::1" },
	/* nor another header, nor none */
	{ XFF, "X-Real-IP: 1.2.3.4\r\n", "10.0.0.1", "10.0.0.1" },
	{ "", "X-Forwarded-For: 1.2.3.4\r\n", "10.0.0.1", "10.0.0.1" },
	/* what the client itself sent stands to the left */
	{ XFF, "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n", "10.0.0.1",
	    "1.2.3.4" },
	{ XFF, "X-Forwarded-For: 10.0.0.6, 1.2.3.4\r\n", "10.0.0.1",
	    "1.2.3.4" },
	{ XFF, "X-Forwarded-For: 6.6.6.6 , 1.2.3.4,10.0.0.2 , 10.9.9.9\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ XFF, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\n"
	    "Host: x\r\nX-Forwarded-For: 10.0.0.3\r\n", "10.0.0.1",
	    "1.2.3.4" },
	/* all trusted: the farthest */
	{ XFF, "X-Forwarded-For: 10.0.0.9, 10.0.0.8\r\n", "10.0.0.1",
	    "10.0.0.9" },
	/* what can't be read hides all before it */
	{ XFF, "X-Forwarded-For: 6.6.6.6, unknown\r\n", "10.0.0.1",
	    "10.0.0.1" },
	{ XFF, "X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.2\r\n", "10.0.0.1",
	    "10.0.0.2" },
	{ XFF, "X-Forwarded-For: 6.6.6.6,\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: \r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: ::\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: 1.2.3.4 5.6.7.8\r\n", "10.0.0.1",
	    "10.0.0.1" },
	/* ports and brackets */
	{ XFF, "X-Forwarded-For: 1.2.3.4:567\r\n", "10.0.0.1", "1.2.3.4" },
	{ XFF, "X-Forwarded-For: [2001:db9::7]:567\r\n", "10.0.0.1",
	    "2001:db9::7" },
	{ XFF, "X-Forwarded-For: [2001:db9::7]\r\n", "10.0.0.1",
	    "2001:db9::7" },
	{ XFF, "X-Forwarded-For: 1.2.3.4:65536\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: 1.2.3.4:\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: [2001:db9::7\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: [2001:db9::7]5\r\n", "10.0.0.1",
	    "10.0.0.1" },
	{ XFF, "X-Forwarded-For: [1.2.3.4]\r\n", "10.0.0.1", "10.0.0.1" },
	{ XFF, "X-Forwarded-For: ::ffff:1.2.3.4\r\n", "10.0.0.1", "1.2.3.4" },
	{ "X-Real-IP", "X-Real-IP: 1.2.3.4\r\nX-Forwarded-For: 6.6.6.6\r\n",
	    "10.0.0.1", "1.2.3.4" },
	/* RFC 7239 */
	{ FWD, "Forwarded: for=1.2.3.4\r\n", "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: For=\"[2001:db9::7]:4711\"\r\n", "10.0.0.1",
	    "2001:db9::7" },
	{ FWD, "Forwarded: proto=https;FOR=1.2.3.4;by=203.0.113.43\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: for=6.6.6.6, for=1.2.3.4;by=x , for=10.0.0.2\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: for=6.6.6.6, for=_hidden\r\n", "10.0.0.1",
	    "10.0.0.1" },
	{ FWD, "Forwarded: for=6.6.6.6, for=unknown, for=10.0.0.2\r\n",
	    "10.0.0.1", "10.0.0.2" },
	{ FWD, "Forwarded: for=6.6.6.6, proto=http\r\n", "10.0.0.1",
	    "10.0.0.1" },
	{ FWD, "Forwarded: for=6.6.6.6\r\nForwarded: for=\"1.2.3.4\"\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: by=\"a,b;for=6.6.6.6\";for=1.2.3.4\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: for=1.2.3.4;;\r\n", "10.0.0.1", "1.2.3.4" },
	/* nothing of the client's swallows a hop of the proxy's, nor hides
	 * the client */
	{ FWD, "Forwarded: for=6.6.6.6;x=\", for=1.2.3.4\r\n", "10.0.0.1",
	    "1.2.3.4" },
	{ FWD, "Forwarded: for=6.6.6.6;x=\", for=\"[2001:db9::7]\"\r\n",
	    "10.0.0.1", "2001:db9::7" },
	{ FWD, "Forwarded: for=6.6.6.6;x=\"a\\\", for=1.2.3.4\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: for=6.6.6.6;x=\"\r\nForwarded: for=1.2.3.4\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: garbage, for=1.2.3.4\r\n", "10.0.0.1",
	    "1.2.3.4" },
	{ FWD, "Forwarded: garbage;more, for=1.2.3.4, for=10.0.0.2\r\n",
	    "10.0.0.1", "1.2.3.4" },
	{ FWD, "Forwarded: for=1.2.3.4, garbage\r\n", "10.0.0.1",
	    "10.0.0.1" },
	{ FWD, "Forwarded: for=6.6.6.6;x=\", for=1.2.3.4;host=\","
	    "for=9.9.9.9;y=\"\r\n", "10.0.0.1", "10.0.0.1" },
	{ FWD, "Forwarded: 6.6.6.6\r\n", "10.0.0.1", "10.0.0.1" },
	{ FWD, "Forwarded: for=\r\n", "10.0.0.1", "10.0.0.1" },
};

TEST(clients_behind_proxies)
{
	const struct http_limits limits = { 4096, 0 };
	struct http_request	 r;
	uint8_t			 ip[IP_LEN];
	char			 head[512], text[IP_STRLEN], *p;
	size_t			 i;
	int			 n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		test_note("%s from %s", row->lines, row->peer);
		n = snprintf(head, sizeof(head), "GET / HTTP/1.0\r\n%s\r\n",
		    row->lines);
		p = guard_dup(sv_make(head, (size_t)n));
		CHECK_INT(http_request_parse(&r, sv_make(p, (size_t)n),
		    &limits), n);
		memset(ip, 0, sizeof(ip));
		if (row->peer != NULL)
			ip_parse(ip, sv_from(row->peer));
		http_forwarded(&r, row->header, &trusted, ip);
		CHECK_STR(ip_format(ip, text), row->client);
		guard_free(p);
	}
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See hello.h. A length-prefixed vector is cut off the front of a view; a
 * failed cut leaves { NULL, 0 } and a flag, so that the grammar reads top
 * down and is judged once.
 */
#include "tls/hello.h"

#define EXT_SERVER_NAME	0
#define EXT_ALPN	16

struct reader {
	struct sv	s;
	bool		bad;
};

/* uint8 or uint16, by the number of bytes */
static size_t
take_int(struct reader *r, size_t bytes)
{
	size_t v = 0;

	if (r->s.n < bytes) {
		r->bad = true;
		r->s.n = 0;
		return 0;
	}
	for (; bytes > 0; bytes--, r->s = sv_skip(r->s, 1))
		v = v << 8 | (unsigned char)r->s.p[0];
	return v;
}

/* opaque <0..2^(8 * bytes) - 1> */
static struct reader
take_vector(struct reader *r, size_t bytes)
{
	size_t		n = take_int(r, bytes);
	struct reader	v = { { r->s.p, n }, false };

	if (n > r->s.n) {
		r->bad = true;
		v.s.n = n = r->s.n;
	}
	r->s = sv_skip(r->s, n);
	return v;
}

/* struct { NameType type; opaque name<1..2^16-1>; } list<1..2^16-1> */
static bool
server_name(struct tls_hello *h, struct reader ext)
{
	struct reader	list = take_vector(&ext, 2), name;
	size_t		type;
	bool		again = h->named;

	h->named = true;
	while (list.s.n > 0) {
		type = take_int(&list, 1);
		name = take_vector(&list, 2);
		if (type == 0)
			h->name = name.s;
	}
	return !again && !ext.bad && !list.bad && ext.s.n == 0;
}

/* opaque ProtocolName<1..2^8-1> list<2..2^16-1> */
static bool
protocols(struct tls_hello *h, struct reader ext)
{
	struct reader	list = take_vector(&ext, 2);
	bool		again = h->alpn;

	h->alpn = true;
	while (list.s.n > 0)
		if (sv_eq(take_vector(&list, 1).s, SV("http/1.1")))
			h->http = true;
	return !again && !ext.bad && !list.bad && ext.s.n == 0;
}

/* see hello.h */
int
tls_hello_parse(struct tls_hello *h, struct sv rest)
{
	struct reader	r = { rest, false }, all, ext;
	size_t		type;
	bool		good = true;

	*h = (struct tls_hello){ .name = SV("") };
	take_vector(&r, 2);
	take_vector(&r, 1);
	all = take_vector(&r, 2);
	while (good && all.s.n > 0) {
		type = take_int(&all, 2);
		ext = take_vector(&all, 2);
		if (type == EXT_SERVER_NAME)
			good = server_name(h, ext);
		else if (type == EXT_ALPN)
			good = protocols(h, ext);
	}
	return good && !all.bad && !r.bad && r.s.n == 0 ? 0 : -1;
}

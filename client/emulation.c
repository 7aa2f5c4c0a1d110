/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands for clients whose transport only goes one way: POST /emulation
 * names a node and a session (spec 4, 12.42). A session says on which worker
 * it lives; the body is mailed there, and whether it is found makes no
 * difference to the answer.
 *
 * The secret of a session is looked up by its hash under a key of this
 * process, so the time it takes says nothing about the secrets there are.
 */
#include <stdlib.h>

#include "client/stream.h"
#include "client/transport.h"
#include "http/cors.h"
#include "util/pb.h"

#define SESSION_LEN	(2 + 2 * SECRET_LEN)	/* worker and secret, hex */

/* Of each worker; touched by it alone. */
static struct htab registers[WORKERS_MAX];

static struct stream_client *
of_entry(const struct hnode *h)
{
	return (struct stream_client *)((uintptr_t)h -
	    offsetof(struct stream_client, entry));
}

static struct sv
secret_of(const struct hnode *h)
{
	return sv_make((const char *)of_entry(h)->secret, SECRET_LEN);
}

/* see stream.h */
int
emulation_add(struct stream_client *sc)
{
	struct htab	*t = &registers[sc->c.node->w->id];
	struct sv	 key = secret_of(&sc->entry);

	if (t->n == 0)
		htab_init(t, secret_of);
	if (htab_put(t, hash_sv(key), &sc->entry) == -1)
		return -1;
	sc->listed = true;
	return 0;
}

/* see stream.h */
void
emulation_del(struct stream_client *sc)
{
	struct htab *t = &registers[sc->c.node->w->id];

	htab_del(t, &sc->entry);
	sc->listed = false;
}

static struct stream_client *
find(const struct node *n, const uint8_t secret[SECRET_LEN])
{
	struct htab	*t = &registers[n->w->id];
	struct sv	 key = sv_make((const char *)secret, SECRET_LEN);
	struct hnode	*h;

	if (t->n == 0 || (h = htab_get(t, hash_sv(key), key)) == NULL)
		return NULL;
	return of_entry(h);
}

/* ---- sessions ---- */

static char *
put_hex(char *p, uint8_t v)
{
	static const char digits[] = "0123456789abcdef";

	*p++ = digits[v >> 4];
	*p++ = digits[v & 15];
	return p;
}

/* see stream.h */
size_t
session_format(const struct client *c, const uint8_t secret[SECRET_LEN],
    char out[CLIENT_SESSION_MAX])
{
	char	*p = put_hex(out, (uint8_t)c->node->w->id);
	size_t	 i;

	for (i = 0; i < SECRET_LEN; i++)
		p = put_hex(p, secret[i]);
	return SESSION_LEN;
}

/* Worker and secret of a session; false: it is none of ours. */
static bool
parse_session(struct sv s, unsigned *worker, uint8_t secret[SECRET_LEN])
{
	uint8_t	byte[1 + SECRET_LEN];
	size_t	i;
	int	hi, lo;

	if (s.n != SESSION_LEN)
		return false;
	for (i = 0; i < sizeof(byte); i++) {
		hi = http_hex_digit(s.p[2 * i]);
		lo = http_hex_digit(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		byte[i] = (uint8_t)(hi << 4 | lo);
	}
	*worker = byte[0];
	memcpy(secret, byte + 1, SECRET_LEN);
	return true;
}

/* ---- requests ---- */

static int
parse_pb(struct emulation *e, struct sv body)
{
	struct sv *const	field[] = { &e->node, &e->session, &e->data };
	struct pb_field		f;
	int			r;

	while ((r = pb_next(&body, &f)) > 0) {
		if (f.num < 1 || f.num > 3)
			continue;
		if (f.wire != PB_LEN)
			return -1;
		*field[f.num - 1] = f.s;
	}
	return r;
}

static int
get_str(struct jv obj, const char *name, struct buf *scratch, struct sv *out)
{
	struct jv v = jv_get(obj, name);

	return jv_is(v) ? jv_str(v, scratch, out) : 0;
}

/* see stream.h */
int
emulation_parse(struct emulation *e, struct sv body, bool protobuf,
    struct json *json, struct buf *scratch)
{
	struct jv o;

	*e = (struct emulation){ .data = sv_make(NULL, 0) };
	if (protobuf)
		return parse_pb(e, body);
	/* Strings are never longer unescaped, so the views stay. */
	buf_reset(scratch);
	if (json_parse(json, body, 0) == -1 ||
	    buf_reserve(scratch, body.n) == NULL)
		return -1;
	o = json_root(json);
	if (jv_type(o) != JSON_OBJECT ||
	    get_str(o, "node", scratch, &e->node) == -1 ||
	    get_str(o, "session", scratch, &e->session) == -1 ||
	    get_str(o, "data", scratch, &e->data) == -1)
		return -1;
	return 0;
}

/* ---- delivery ---- */

struct delivery {
	struct mail	mail;
	uint8_t		secret[SECRET_LEN];
	size_t		n;
	char		data[];
};

static void
deliver(struct mail *m, void *ctx)
{
	struct delivery		*d = (struct delivery *)(void *)m;
	struct stream_client	*sc = find(ctx, d->secret);

	if (sc != NULL)
		client_input(&sc->c, sv_make(d->data, d->n));
	free(d);
}

/* Hand the data to its session, if there is one. -1: no memory. */
static int
forward(struct node *n, const struct emulation *e)
{
	struct delivery	*d;
	uint8_t		 secret[SECRET_LEN];
	unsigned	 worker;

	if (!parse_session(e->session, &worker, secret) ||
	    worker >= n->srv->n)
		return 0;
	if ((d = malloc(sizeof(*d) + e->data.n)) == NULL)
		return -1;
	d->mail.run = deliver;
	memcpy(d->secret, secret, SECRET_LEN);
	d->n = e->data.n;
	if (d->n > 0)
		memcpy(d->data, e->data.p, d->n);
	/* Our own mail too: a command from elsewhere may wait there, which
	 * was answered before this one was sent. */
	worker_post(n->srv->worker[worker], &d->mail);
	return 0;
}

/* see transport.h */
void
emulation_handler(struct http_exchange *x)
{
	struct node		*n = x->w->ctx;
	struct emulation	 e;

	if (x->req.method == HTTP_OPTIONS) {
		http_cors_preflight(x, "POST, OPTIONS");
		return;
	}
	if (emulation_parse(&e, x->body, stream_is_protobuf(&x->req), &n->json,
	    &n->scratch) == -1)
		http_respond_error(x, 400, "malformed emulation request");
	else if (!sv_eq(e.node, sv_from(n->srv->uid)))
		http_respond_error(x, 404, "no such node");
	else if (forward(n, &e) == -1)
		http_respond_error(x, 503, "out of memory");
	else
		http_respond(x, 204, NULL, sv_make(NULL, 0));
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See engine.h. A record is given to BearSSL whole, and all that this makes
 * BearSSL want to send is taken from it at once, so that it holds nothing
 * when the call ends and its buffers can be taken away: lend() is the one
 * function that touches what the library's header calls opaque.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tls/engine.h"

#define HEADER		5
#define RECORD_MAX	(16384 + 256)	/* without header */
#define HELLO_MAX	8192		/* ours are 300, the largest 2,000 */
#define OUT_MAX		(128 * 1024)	/* a handshake's, or alerts */

static const char not_tls_answer[] =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 49\r\n"
    "Connection: close\r\n\r\n"
    "This port speaks TLS: use https:// or wss:// URLs";
_Static_assert(sizeof("This port speaks TLS: use https:// or wss:// URLs") -
    1 == 49, "Content-Length");

/* ---- the engine's private parts ---- */

/*
 * What lend() relies on, checked against the header that we are built with
 * (and, against the library, by the unit test): the fields, their order and
 * types, and what they mean while the engine is neither in the middle of a
 * record nor failed (BearSSL 0.6, src/ssl/ssl_engine.c, "Input mode" and
 * "Output mode"):
 *
 *	ixa == ixb == 0, ixc == 5	waiting for the next header
 *	oxa == oxc, oxa < oxb		nothing accumulated, nothing to send
 *
 * Both are offsets into the buffers, not pointers, and no state but these is
 * in the buffers. hbuf_* are set before each use of them. The two lengths
 * stay as they are: the buffers lent always have that much room, or (input)
 * as much as the record that is fed.
 */
#define FIELD(f)	offsetof(br_ssl_engine_context, f)
#define FOLLOWS(a, b)	(FIELD(b) == FIELD(a) + \
			    sizeof(((br_ssl_engine_context *)0)->a))
#define IS(f, t)	_Generic(((br_ssl_engine_context *)0)->f, t: 1, \
			    default: 0)
_Static_assert(FOLLOWS(ibuf, obuf) && FOLLOWS(obuf, ibuf_len) &&
    FOLLOWS(ibuf_len, obuf_len) && FOLLOWS(obuf_len, max_frag_len) &&
    FOLLOWS(ixa, ixb) && FOLLOWS(ixb, ixc) && FOLLOWS(ixc, oxa) &&
    FOLLOWS(oxa, oxb) && FOLLOWS(oxb, oxc) && FOLLOWS(oxc, iomode) &&
    FOLLOWS(iomode, incrypt) && FOLLOWS(hbuf_in, hbuf_out) &&
    FOLLOWS(hbuf_out, saved_hbuf_out) && IS(ibuf, unsigned char *) &&
    IS(obuf, unsigned char *) && IS(ixa, size_t) && IS(oxc, size_t) &&
    IS(hbuf_in, unsigned char *) && BR_SSL_BUFSIZE_INPUT == 16384 + 325 &&
    BR_SSL_BUFSIZE_OUTPUT == 16384 + 85, "not the BearSSL we know");

/* Lend the engine memory for a record in and for one out; without either,
 * take both back. Whether it holds nothing in what it has had. */
static bool
lend(br_ssl_engine_context *eng, void *in, void *out)
{
	bool idle = eng->ixa == 0 && eng->ixb == 0 && eng->ixc == HEADER &&
	    eng->oxa == eng->oxc && eng->oxa < eng->oxb;

	eng->ibuf = in;
	eng->obuf = out;
	eng->hbuf_in = eng->hbuf_out = eng->saved_hbuf_out = NULL;
	return idle;
}

/* ---- failure ---- */

static enum tls_step
fail(struct tls_engine *e, enum tls_failure failure, const char *why)
{
	if (!e->failed) {
		e->failed = true;
		e->failure = (uint8_t)failure;
		e->why = why;
	}
	return TLS_FAILED;
}

static enum tls_step
fail_memory(struct tls_engine *e)
{
	return fail(e, TLS_FAIL_PROTOCOL, "out of memory");
}

/* see engine.h */
void
tls_engine_abort(struct tls_engine *e, enum tls_failure failure,
    const char *why)
{
	fail(e, failure, why);
}

/* see engine.h */
const char *
tls_engine_why(const struct tls_engine *e)
{
	return e->failed ? e->why : NULL;
}

/* ---- output ---- */

/* Keep ciphertext behind what is kept. */
static int
out_keep(struct tls_engine *e, const void *p, size_t n)
{
	char *out;

	if (e->out_n + n > OUT_MAX ||
	    (out = realloc(e->out, e->out_n + n)) == NULL)
		return -1;
	memcpy(out + e->out_n, p, n);
	e->out = out;
	e->out_n += (uint32_t)n;
	return 0;
}

/* Keep what BearSSL has to send. Once that is gone it may have more. */
static int
out_drain(struct tls_engine *e)
{
	unsigned char	*p;
	size_t		 n;

	while ((p = br_ssl_engine_sendrec_buf(e->eng, &n)) != NULL) {
		if (out_keep(e, p, n) == -1) {
			fail_memory(e);
			return -1;
		}
		br_ssl_engine_sendrec_ack(e->eng, n);
	}
	return 0;
}

/* see engine.h */
struct sv
tls_engine_output(const struct tls_engine *e)
{
	if (e->out != NULL)
		return sv_make(e->out + e->out_off, e->out_n - e->out_off);
	return sv_make(e->scratch, e->sealed);
}

/* see engine.h */
int
tls_engine_sent(struct tls_engine *e, size_t n)
{
	size_t left = e->sealed;

	e->sealed = 0;
	if (e->out == NULL)
		return n == left ? 0 :
		    out_keep(e, e->scratch + n, left - n);
	e->out_off += (uint32_t)n;
	if (e->out_off == e->out_n) {
		free(e->out);
		e->out = NULL;
		e->out_n = e->out_off = 0;
	}
	return 0;
}

/* see engine.h */
bool
tls_engine_ready(const struct tls_engine *e)
{
	return e->open && !e->failed && !e->finished && !e->ended &&
	    e->out == NULL && e->sealed == 0;
}

/* Copy up to max bytes of the vector, of which `taken' are done with. */
static size_t
gather(unsigned char *to, size_t max, const struct iovec *iov, int n,
    size_t taken)
{
	size_t got = 0, k;

	for (; n > 0 && got < max; iov++, n--) {
		if (taken >= iov->iov_len) {
			taken -= iov->iov_len;
			continue;
		}
		k = iov->iov_len - taken;
		if (k > max - got)
			k = max - got;
		memcpy(to + got, (const char *)iov->iov_base + taken, k);
		got += k;
		taken = 0;
	}
	return got;
}

/* Seal one record of at most max bytes behind what is sealed. */
static size_t
seal_one(struct tls_engine *e, size_t max, const struct iovec *iov, int n,
    size_t taken)
{
	unsigned char	*at = e->scratch + e->sealed, *p;
	size_t		 room, len, got = 0;

	assert(e->sealed + BR_SSL_BUFSIZE_OUTPUT <= TLS_SCRATCH);
	lend(e->eng, NULL, at);
	if ((p = br_ssl_engine_sendapp_buf(e->eng, &room)) != NULL)
		got = gather(p, room < max ? room : max, iov, n, taken);
	if (got > 0) {
		br_ssl_engine_sendapp_ack(e->eng, got);
		br_ssl_engine_flush(e->eng, 0);
		p = br_ssl_engine_sendrec_buf(e->eng, &len);
		memmove(at, p, len);
		e->sealed += (uint16_t)len;
		br_ssl_engine_sendrec_ack(e->eng, len);
	}
	lend(e->eng, NULL, NULL);
	return got;
}

/* see engine.h */
size_t
tls_engine_seal(struct tls_engine *e, const struct iovec *iov, int n,
    bool first)
{
	size_t taken = 0;

	assert(tls_engine_ready(e));
	if (first)
		taken = seal_one(e, TLS_SMALL, iov, n, 0);
	return taken + seal_one(e, SIZE_MAX, iov, n, taken);
}

/* see engine.h */
void
tls_engine_finish(struct tls_engine *e)
{
	if (!e->open || e->failed || e->finished || e->ended)
		return;
	e->finished = true;
	assert(e->sealed == 0);
	lend(e->eng, NULL, e->scratch);
	br_ssl_engine_close(e->eng);
	out_drain(e);
	lend(e->eng, NULL, NULL);
}

/* ---- input ---- */

/* Why n bytes can't be the beginning of a record; NULL: they can. */
static const char *
why_not(const struct tls_engine *e, const char *p, size_t n)
{
	const unsigned char	*h = (const void *)p;
	bool			 hello = e->eng == NULL;
	size_t			 size;

	if (hello ? h[0] != TLS_REC_HANDSHAKE :
	    h[0] < TLS_REC_CCS || h[0] > TLS_REC_DATA)
		return "what came is not TLS";
	if (n > 1 && h[1] != 3)
		return "the peer speaks an unknown version of TLS";
	if (n < HEADER)
		return NULL;
	size = (size_t)h[3] << 8 | h[4];
	if (size > (hello ? HELLO_MAX : RECORD_MAX))
		return "a record is too large";
	return NULL;
}

/* Whether n bytes (more than 0) may be the beginning of a record. If not, it
 * has failed, and a browser is told that this is the wrong port. */
static bool
plausible(struct tls_engine *e, const char *p, size_t n)
{
	const char	*why = why_not(e, p, n);
	unsigned char	 first = (unsigned char)*p;
	bool		 not_tls = !e->open &&
	    (first < TLS_REC_CCS || first > TLS_REC_DATA);

	if (why == NULL)
		return true;
	if (not_tls && e->server_side && e->eng == NULL && first >= 'A' &&
	    first <= 'Z' &&
	    out_keep(e, not_tls_answer, sizeof(not_tls_answer) - 1) == 0)
		why = "what came is not TLS but probably plain HTTP";
	fail(e, not_tls ? TLS_FAIL_NOT_TLS : TLS_FAIL_PROTOCOL, why);
	return false;
}

static size_t
record_size(const char *p)
{
	return HEADER + ((size_t)(uint8_t)p[3] << 8 | (uint8_t)p[4]);
}

/* What is missing of the kept record: of its header, then of the rest. */
static size_t
missing(const struct tls_engine *e)
{
	return (e->in_n < HEADER ? HEADER : record_size(e->in)) - e->in_n;
}

/* Keep n more bytes, which are no more than what is missing. */
static int
keep(struct tls_engine *e, struct tls_span *in, size_t n)
{
	size_t	 cap = (size_t)e->in_cap * 2, need = e->in_n + n;
	char	*p;

	if (need > e->in_cap) {
		if (cap > e->in_n + missing(e))
			cap = e->in_n + missing(e);
		if (cap < need)
			cap = need;
		if ((p = realloc(e->in, cap)) == NULL)
			return -1;
		e->in = p;
		e->in_cap = (uint32_t)cap;
	}
	memcpy(e->in + e->in_n, in->p, n);
	e->in_n += (uint32_t)n;
	in->p += n;
	in->n -= n;
	return 0;
}

/* The record that was kept is done with. */
static void
in_release(struct tls_engine *e)
{
	free(e->in);
	e->in = NULL;
	e->in_n = e->in_cap = 0;
	e->in_used = false;
}

/* A record that is whole in what came; NULL if it is not. */
static char *
record_in_place(struct tls_span *in, size_t *n)
{
	char *p = in->p;

	if (in->n < HEADER || (*n = record_size(p)) > in->n)
		return NULL;
	in->p += *n;
	in->n -= *n;
	return p;
}

/* The next whole record, in place or kept; NULL: it has not come yet, or
 * never will (failed). */
static char *
next_record(struct tls_engine *e, struct tls_span *in, size_t *n)
{
	char	*p;
	size_t	 k;

	while (in->n > 0) {
		if (e->in_n == 0) {
			if (!plausible(e, in->p, in->n))
				return NULL;
			if ((p = record_in_place(in, n)) != NULL)
				return p;
		}
		k = missing(e);
		if (keep(e, in, k < in->n ? k : in->n) == -1) {
			fail_memory(e);
			return NULL;
		}
		if (!plausible(e, e->in, e->in_n))
			return NULL;
		if (e->in_n >= HEADER && missing(e) == 0) {
			*n = e->in_n;
			e->in_used = true;
			return e->in;
		}
	}
	return NULL;
}

/* The handshake is over. */
static int
opened(struct tls_engine *e)
{
	br_ssl_session_parameters	s;
	struct sv			subject;

	subject = tls_handshake_subject(e->hs);
	if (e->server_side && subject.n > 0 &&
	    (e->subject = sv_dup(subject)) == NULL)
		return -1;
	e->resumed = tls_handshake_resumed(e->hs);
	e->challenge = tls_handshake_is_challenge(e->hs);
	br_ssl_engine_get_session_parameters(e->eng, &s);
	e->cipher = s.cipher_suite;
	explicit_bzero(&s, sizeof(s));
	tls_handshake_free(e->hs);
	e->hs = NULL;
	e->open = true;
	return 0;
}

/* Say what is wrong with the peer's certificate: BearSSL does not, and either
 * side checks it while it still sends in the clear. */
static void
put_alert(struct tls_engine *e, uint8_t alert)
{
	const uint8_t record[] = { TLS_REC_ALERT, 3, 3, 0, 2, 2, alert };

	(void)!out_keep(e, record, sizeof(record));
}

/* BearSSL has failed. */
static enum tls_step
fail_bearssl(struct tls_engine *e, int err)
{
	const char	*why = "the peer broke the protocol";
	enum tls_failure f = TLS_FAIL_PROTOCOL;

	if (e->hs != NULL)
		f = tls_handshake_failure(e->hs, err, &why);
	else if (err == BR_ERR_BAD_MAC)
		why = "a record was damaged or forged";
	else if (err >= BR_ERR_RECV_FATAL_ALERT &&
	    err < BR_ERR_SEND_FATAL_ALERT)
		why = "the peer gave up with an alert";
	if (f == TLS_FAIL_CLIENT_CERT)
		put_alert(e, tls_handshake_alert(err));
	return fail(e, f, why);
}

/* What the engine has become with a record. */
static enum tls_step
settle(struct tls_engine *e, bool idle, unsigned state)
{
	int err;

	if (e->failed)
		return TLS_FAILED;
	if (state == BR_SSL_CLOSED) {
		err = br_ssl_engine_last_error(e->eng);
		if (err != BR_ERR_OK || !e->open)
			return fail_bearssl(e, err);
		e->ended = true;
		return TLS_EOF;
	}
	if (!idle)
		return fail(e, TLS_FAIL_PROTOCOL,
		    "the peer sent what was not expected");
	if (e->open || !(state & BR_SSL_SENDAPP))
		return TLS_AGAIN;
	return opened(e) == -1 ? fail_memory(e) : TLS_OPEN;
}

/* Give the engine n bytes that lie where it wants them. */
static void
push(struct tls_engine *e, const char *p, size_t n)
{
	unsigned char	*buf;
	size_t		 room;

	buf = br_ssl_engine_recvrec_buf(e->eng, &room);
	if (buf == NULL || n == 0)
		return;			/* it has failed */
	assert((char *)buf == p && room >= n);
	br_ssl_engine_recvrec_ack(e->eng, n);
}

/* Feed one whole record. */
static enum tls_step
take_record(struct tls_engine *e, char *p, size_t n, struct tls_span *plain)
{
	unsigned char	*data;
	unsigned	 state;
	size_t		 len;
	bool		 idle;

	lend(e->eng, p, e->scratch);
	push(e, p, HEADER);
	push(e, p + HEADER, n - HEADER);
	out_drain(e);
	if ((data = br_ssl_engine_recvapp_buf(e->eng, &len)) != NULL) {
		*plain = (struct tls_span){ (char *)data, len };
		br_ssl_engine_recvapp_ack(e->eng, len);
	}
	state = br_ssl_engine_current_state(e->eng);
	idle = lend(e->eng, NULL, NULL);
	if (data != NULL && idle && !e->failed)
		return TLS_DATA;
	return settle(e, idle, state);
}

/* The first record is there: time to have an engine. */
static int
begin_server(struct tls_engine *e, char *p)
{
	if ((e->sc = calloc(1, sizeof(*e->sc))) == NULL)
		return -1;
	br_ssl_engine_set_buffers_bidi(e->eng, p, BR_SSL_BUFSIZE_INPUT,
	    e->scratch, BR_SSL_BUFSIZE_OUTPUT);
	if ((e->hs = tls_handshake_server(e->server, e->sc)) == NULL)
		return -1;
	tls_server_unref(e->server);
	e->server = NULL;
	return 0;
}

/* see engine.h */
enum tls_step
tls_engine_feed(struct tls_engine *e, struct tls_span *in,
    struct tls_span *plain)
{
	char	*p;
	size_t	 n;

	*plain = (struct tls_span){ NULL, 0 };
	if (e->in_used)
		in_release(e);
	if (e->failed)
		return TLS_FAILED;
	if (e->ended)
		*in = (struct tls_span){ NULL, 0 };
	if ((p = next_record(e, in, &n)) == NULL)
		return e->failed ? TLS_FAILED : TLS_MORE;
	if (e->eng == NULL && begin_server(e, p) == -1)
		return fail_memory(e);
	return take_record(e, p, n, plain);
}

/* see engine.h */
bool
tls_engine_eof(struct tls_engine *e)
{
	if (e->ended || (e->finished && !e->failed))
		return true;
	fail(e, TLS_FAIL_CLOSED, !e->open ?
	    "the peer closed the connection in the handshake" :
	    "the peer closed the connection without saying so in TLS: "
	    "what it sent may have been cut off");
	return false;
}

/* ---- life ---- */

/* see engine.h */
int
tls_engine_server(struct tls_engine *e, struct tls_server *server,
    unsigned char *scratch)
{
	*e = (struct tls_engine){ .scratch = scratch, .server_side = true };
	e->server = tls_server_ref(server);
	return 0;
}

/* see engine.h */
int
tls_engine_client(struct tls_engine *e, struct tls_client *client,
    const char *host, unsigned char *scratch)
{
	unsigned char nothing[1];

	*e = (struct tls_engine){ .scratch = scratch };
	if ((e->cc = calloc(1, sizeof(*e->cc))) == NULL)
		return -1;
	/* It reads nothing before the hello is out. */
	br_ssl_engine_set_buffers_bidi(e->eng, nothing, BR_SSL_BUFSIZE_INPUT,
	    scratch, BR_SSL_BUFSIZE_OUTPUT);
	e->hs = tls_handshake_client(client, e->cc, host);
	if (e->hs == NULL || out_drain(e) == -1)
		return -1;
	return lend(e->eng, NULL, NULL) ? 0 : -1;
}

/* see engine.h */
void
tls_engine_fini(struct tls_engine *e)
{
	tls_handshake_free(e->hs);
	tls_server_unref(e->server);
	if (e->eng != NULL)
		freezero(e->eng, e->server_side ? sizeof(*e->sc) :
		    sizeof(*e->cc));
	free(e->subject);
	free(e->out);
	in_release(e);
}

/* see engine.h */
const char *
tls_engine_cipher(const struct tls_engine *e)
{
	static const char *const name[] = {
		[0] = "ECDHE-ECDSA-AES128-GCM-SHA256",
		[1] = "ECDHE-ECDSA-AES256-GCM-SHA384",
		[4] = "ECDHE-RSA-AES128-GCM-SHA256",
		[5] = "ECDHE-RSA-AES256-GCM-SHA384"
	};

	switch (e->cipher) {
	case BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:
	case BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:
	case BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:
	case BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
		return name[e->cipher -
		    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
	case BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return "ECDHE-ECDSA-CHACHA20-POLY1305";
	case BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
		return "ECDHE-RSA-CHACHA20-POLY1305";
	default:
		return "";
	}
}

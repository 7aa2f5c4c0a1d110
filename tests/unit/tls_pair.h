/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A TLS server and a client for tests, and their engines with nothing in
 * between but memory. Whatever an engine is given is freed or made
 * inaccessible as soon as the call is over. One source a program includes
 * it.
 */
#ifndef TESTS_UNIT_TLS_PAIR_H
#define TESTS_UNIT_TLS_PAIR_H

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/tls_fixtures.h"
#include "tls/engine.h"
#include "util/clock.h"

/* Bytes in use, of the sanitizers' allocator (gcc has no header for it), and
 * how much more that may be than was asked for. */
size_t	__sanitizer_get_current_allocated_bytes(void);
#ifdef __SANITIZE_THREAD__
#define HEAP_ROUNDS	2048
#else
#define HEAP_ROUNDS	0
#endif

static inline size_t
heap(void)
{
	return __sanitizer_get_current_allocated_bytes();
}

static struct tls_server *pair_server;
static struct tls_client *pair_client;

static inline void
pair_say(void *arg, bool fatal, const char *text)
{
	(void)arg;
	if (fatal)
		printf("# %s\n", text);
}

static inline struct tls_cred *
pair_cred(const char *chain, const char *key, bool client)
{
	struct tls_report	 report = { pair_say, NULL };
	struct tls_cred		*cred;
	int64_t			 now = clock_wall_ms() / 1000;

	(client ? tls_cred_load_client : tls_cred_load)(&cred,
	    sv_from(chain), sv_from(key), now, &report);
	return cred;
}

static inline struct tls_trust *
pair_trust(void)
{
	struct tls_report	 report = { pair_say, NULL };
	struct tls_trust	*trust;

	tls_trust_load(&trust, SV(TLS_CA_PEM), &report);
	return trust;
}

/* A server with that certificate, asking for the client's or not, and a
 * client that has one. */
static inline bool
pair_sides(bool rsa, enum tls_client_auth auth, struct tls_sessions *sessions)
{
	struct tls_cred		*cred = rsa ?
	    pair_cred(TLS_RSA_PEM, TLS_RSA_KEY, false) :
	    pair_cred(TLS_EC_PEM, TLS_EC_KEY, false);
	struct tls_cred		*mine = pair_cred(TLS_CLIENT_PEM,
	    TLS_CLIENT_KEY, true);
	struct tls_trust	*trust = pair_trust();

	pair_server = NULL;
	pair_client = NULL;
	if (cred != NULL && mine != NULL && trust != NULL) {
		pair_server = tls_server_new(&(struct tls_server_options){
		    .cred = &cred, .ncred = 1, .sessions = sessions,
		    .client_auth = auth,
		    .client_ca = auth != TLS_CLIENT_NONE ? trust : NULL });
		pair_client = tls_client_new(&(struct tls_client_options){
		    .trust = trust, .cred = mine });
	}
	tls_cred_unref(cred);
	tls_cred_unref(mine);
	tls_trust_unref(trust);
	return CHECK(pair_server != NULL && pair_client != NULL);
}

static inline void
pair_sides_free(void)
{
	tls_server_unref(pair_server);
	tls_client_unref(pair_client);
}

static inline const char *
pair_host(bool rsa)
{
	return rsa ? "rsa.example" : "ec.example";
}

/* ---- an engine whose surroundings vanish between calls ---- */

static unsigned char pair_scratch[TLS_SCRATCH];

struct side {
	struct tls_engine	e;
	char			*got;	/* plaintext */
	size_t			 ngot;
	enum tls_step		 last;	/* but for TLS_MORE and TLS_AGAIN */
	int			 opened, eofs;
};

static inline void
pair_veil(void)
{
	ASAN_POISON_MEMORY_REGION(pair_scratch, sizeof(pair_scratch));
}

static inline void
pair_unveil(void)
{
	ASAN_UNPOISON_MEMORY_REGION(pair_scratch, sizeof(pair_scratch));
}

/* Take what a side wants to send: malloc'd, *n bytes. */
static inline char *
side_take(struct side *s, size_t *n)
{
	struct sv	 out;
	char		*p = NULL;

	pair_unveil();
	*n = 0;
	while ((out = tls_engine_output(&s->e)).n > 0) {
		p = realloc(p, *n + out.n);
		memcpy(p + *n, out.p, out.n);
		*n += out.n;
		tls_engine_sent(&s->e, out.n);
	}
	pair_veil();
	return p;
}

/* Give it n bytes in memory that ends with them and then is gone. */
static inline void
side_feed(struct side *s, const char *p, size_t n)
{
	char		*mem = malloc(n);
	struct tls_span	 in = { mem, n }, plain;
	enum tls_step	 step;

	if (mem == NULL)
		return;
	memcpy(mem, p, n);
	pair_unveil();
	do {
		step = tls_engine_feed(&s->e, &in, &plain);
		if (step != TLS_MORE && step != TLS_AGAIN)
			s->last = step;
		s->opened += step == TLS_OPEN;
		s->eofs += step == TLS_EOF;
		if (step == TLS_DATA) {
			s->got = realloc(s->got, s->ngot + plain.n);
			memcpy(s->got + s->ngot, plain.p, plain.n);
			memset(plain.p, 'x', plain.n);
			s->ngot += plain.n;
		}
	} while (step != TLS_MORE && step != TLS_FAILED);
	pair_veil();
	free(mem);
}

/* Seal all of it; the ciphertext, malloc'd. */
static inline char *
side_seal(struct side *s, const void *p, size_t n, size_t *out)
{
	struct iovec	 iov;
	char		*all = NULL, *some;
	size_t		 k, off = 0;
	bool		 first = true;

	*out = 0;
	while (off < n && tls_engine_ready(&s->e)) {
		iov.iov_base = (char *)(uintptr_t)p + off;
		iov.iov_len = n - off;
		pair_unveil();
		off += tls_engine_seal(&s->e, &iov, 1, first);
		first = false;
		some = side_take(s, &k);
		all = realloc(all, *out + k);
		memcpy(all + *out, some, k);
		*out += k;
		free(some);
	}
	return all;
}

static inline void
side_finish(struct side *s)
{
	pair_unveil();
	tls_engine_finish(&s->e);
	pair_veil();
}

static inline void
side_fini(struct side *s)
{
	tls_engine_fini(&s->e);
	free(s->got);
	memset(s, 0, sizeof(*s));
}

static uint32_t pair_seed = 1;

static inline size_t
pair_random(size_t below)
{
	pair_seed = pair_seed * 1664525 + 1013904223;
	return (pair_seed >> 8) % below;
}

/* Give bytes to a side in pieces: of `piece' bytes, or 0: all at once, or
 * SIZE_MAX: of random sizes. */
static inline void
side_feed_pieces(struct side *s, const char *p, size_t n, size_t piece)
{
	size_t off = 0, k;

	while (off < n) {
		k = piece == 0 ? n : piece == SIZE_MAX ?
		    1 + pair_random(pair_random(4) == 0 ? 40000 : 30) : piece;
		if (k > n - off)
			k = n - off;
		side_feed(s, p + off, k);
		off += k;
	}
}

/* Carry what one wants to send to the other; whether there was anything. */
static inline bool
carry(struct side *from, struct side *to, size_t piece)
{
	size_t	 n;
	char	*p = side_take(from, &n);

	side_feed_pieces(to, p, n, piece);
	free(p);
	return n > 0;
}

static inline bool
pair_begin(struct side *srv, struct side *cli, const char *host)
{
	int rc;

	*srv = (struct side){ .last = TLS_MORE };
	*cli = (struct side){ .last = TLS_MORE };
	pair_unveil();
	rc = tls_engine_server(&srv->e, pair_server, pair_scratch);
	if (tls_engine_client(&cli->e, pair_client, host, pair_scratch) == -1)
		rc = -1;
	pair_veil();
	return rc == 0;
}

/* Both shake hands until nothing moves any more. */
static inline void
pair_shake(struct side *srv, struct side *cli, size_t piece)
{
	bool moved;

	do {
		moved = carry(cli, srv, piece);
		moved |= carry(srv, cli, piece);
	} while (moved);
}

static inline void
pair_end(struct side *srv, struct side *cli)
{
	side_fini(srv);
	side_fini(cli);
}

#endif

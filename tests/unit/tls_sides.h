/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A client and a server that shake hands in memory, for tests of the two
 * sides without the engine: BearSSL's contexts with buffers as it wants
 * them.
 */
#ifndef TESTS_UNIT_TLS_SIDES_H
#define TESTS_UNIT_TLS_SIDES_H

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tests/unit/tls_pki.h"
#include "tls/handshake.h"

#define IN_2026	1793000000
#define IN_2020	1590000000
#define IN_2110	4420000000

struct side {
	union {
		br_ssl_engine_context	eng;
		br_ssl_server_context	sc;
		br_ssl_client_context	cc;
	};
	struct tls_handshake	*hs;
	unsigned char		 in[BR_SSL_BUFSIZE_INPUT],
				 out[BR_SSL_BUFSIZE_OUTPUT];
};

static void
pair_say(void *arg, bool fatal, const char *text)
{
	(void)arg;
	(void)fatal;
	(void)text;
}

static const struct tls_report pair_report = { pair_say, NULL };

static struct tls_cred *
pair_cred(const char *chain, const char *key, int64_t now)
{
	struct tls_cred *c;

	tls_cred_load(&c, sv_from(chain), sv_from(key), now, &pair_report);
	return c;
}

static struct tls_cred *
pair_client_cred(const char *chain, const char *key, int64_t now)
{
	struct tls_cred *c;

	tls_cred_load_client(&c, sv_from(chain), sv_from(key), now,
	    &pair_report);
	return c;
}

static struct tls_trust *
pair_trust(const char *pem)
{
	struct tls_trust *t;

	tls_trust_load(&t, sv_from(pem), &pair_report);
	return t;
}

static struct side *
side_new(void)
{
	struct side *s = calloc(1, sizeof(*s));

	if (s != NULL)
		br_ssl_engine_set_buffers_bidi(&s->eng, s->in, sizeof(s->in),
		    s->out, sizeof(s->out));
	return s;
}

static void
side_free(struct side *s)
{
	if (s == NULL)
		return;
	tls_handshake_free(s->hs);
	free(s);
}

static bool
is_open(struct side *s)
{
	return br_ssl_engine_current_state(&s->eng) & BR_SSL_SENDAPP;
}

/* Whether bytes went from a to b. */
static bool
pump(struct side *a, struct side *b)
{
	unsigned char	*from, *to;
	size_t		 n = 0, room = 0;

	from = br_ssl_engine_sendrec_buf(&a->eng, &n);
	to = br_ssl_engine_recvrec_buf(&b->eng, &room);
	if (from == NULL)
		return false;
	if (to == NULL) {
		/* Nobody reads; but an alert has been sent. */
		br_ssl_engine_sendrec_ack(&a->eng, n);
		return true;
	}
	if (n > room)
		n = room;
	memcpy(to, from, n);
	br_ssl_engine_sendrec_ack(&a->eng, n);
	br_ssl_engine_recvrec_ack(&b->eng, n);
	return true;
}

static void
shake(struct side *a, struct side *b)
{
	bool more = true;

	while (more) {
		more = pump(a, b);
		more = pump(b, a) || more;
	}
}

static enum tls_failure
failure(struct side *s, const char **why)
{
	*why = "";
	return tls_handshake_failure(s->hs,
	    br_ssl_engine_last_error(&s->eng), why);
}

#endif

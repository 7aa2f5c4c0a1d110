/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS with OpenSSL, and the scene that does nothing but shake hands. No
 * certificate is verified: this measures the server. What is offered looks
 * like a browser's: AES-128-GCM and ChaCha20 before AES-256-GCM.
 */
#include <sys/socket.h>
#include <sys/epoll.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench.h"

#define WINDOW	16	/* handshakes under way */
#define CIPHERS	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

static SSL_CTX *ctx;
static SSL_SESSION *session;	/* the last that a server gave */
static char suite[128];

static _Noreturn void
fail(const char *what)
{
	ERR_print_errors_fp(stderr);
	errx(1, "%s", what);
}

static int
on_session(SSL *s, SSL_SESSION *new)
{
	(void)s;
	SSL_SESSION_free(session);
	session = new;
	return 1;
}

static void
setup(void)
{
	int v = load.tls.v13 ? TLS1_3_VERSION : TLS1_2_VERSION;

	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, v) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, v) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
	    SSL_CTX_set1_groups_list(ctx, load.tls.group) != 1)
		fail("TLS settings");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
}

void
tls_begin(struct conn *c)
{
	if (ctx == NULL)
		setup();
	if ((c->tls = SSL_new(ctx)) == NULL ||
	    SSL_set_fd(c->tls, c->ev.fd) != 1 ||
	    SSL_set_tlsext_host_name(c->tls, load.tls.name) != 1)
		fail("TLS connection");
	if (session != NULL && !load.tls.full &&
	    SSL_set_session(c->tls, session) != 1)
		fail("TLS session");
	SSL_set_connect_state(c->tls);
}

/* Whether r of a call means to try again, when more has come. */
static bool
is_early(struct conn *c, int r)
{
	switch (SSL_get_error(c->tls, r)) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		errx(1, "the server ends TLS");
	default:
		fail("TLS");
	}
}

bool
tls_shake(struct conn *c)
{
	int r = SSL_do_handshake(c->tls);

	if (r != 1)
		return !is_early(c, r);
	if (suite[0] == '\0')
		snprintf(suite, sizeof(suite), "%s %s %s",
		    SSL_get_version(c->tls), SSL_get_cipher_name(c->tls),
		    OBJ_nid2sn(SSL_get_negotiated_group(c->tls)));
	return true;
}

const char *
tls_suite(void)
{
	return suite;
}

ssize_t
tls_read(struct conn *c, void *p, size_t n)
{
	int r = SSL_read(c->tls, p, (int)n);

	if (r <= 0 && is_early(c, r)) {
		errno = EAGAIN;
		return -1;
	}
	return r;
}

void
tls_write(struct conn *c, const void *p, size_t n)
{
	if (SSL_write(c->tls, p, (int)n) != (int)n)
		fail("TLS write");
}

void
tls_drop(struct conn *c)
{
	/* or else OpenSSL would not use the session again */
	SSL_set_shutdown(c->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->tls);
	c->tls = NULL;
}

/* ---- the scene ---- */

static struct conn shakers[WINDOW];
static uint64_t nshaken;
static unsigned next_address;
static bool go_on;

static void shaker_ready(struct ev *, uint32_t);

/* Both sides say goodbye: a reset could overtake the client's last word. */
static void
shaker_done(struct conn *c)
{
	c->shaking = false;
	if (!load.tls.full && !SSL_session_reused(c->tls))
		errx(1, "the server forgot a session");
	(void)SSL_shutdown(c->tls);
	shutdown(c->ev.fd, SHUT_WR);
}

static void
shaker_start(struct conn *c)
{
	c->ev.on_ready = shaker_ready;
	c->shaking = true;
	conn_dial(c, next_address++);
	if (tls_shake(c))
		shaker_done(c);
	loop_add(&c->ev, EPOLLIN);
}

static void
shaker_ready(struct ev *ev, uint32_t events)
{
	struct conn *c = (struct conn *)ev;
	char rest[512];
	ssize_t r;

	(void)events;
	if (c->shaking) {
		if (!tls_shake(c))
			return;
		shaker_done(c);
	}
	r = read(ev->fd, rest, sizeof(rest));
	if (r > 0 || (r == -1 && errno == EAGAIN))
		return;
	if (r == -1)
		err(1, "read");
	nshaken++;
	conn_drop(c);
	if (go_on)
		shaker_start(c);
}

/* One connection that ends with the server's session known: TLS 1.3 brings
 * it after the handshake. */
static void
get_session(void)
{
	struct pollfd fd = { .events = POLLIN };
	struct conn c = {0};
	char rest[512];

	conn_dial(&c, 0);
	fd.fd = c.ev.fd;
	while (!tls_shake(&c))
		poll(&fd, 1, -1);
	while (session == NULL && poll(&fd, 1, 1000) == 1)
		(void)!tls_read(&c, rest, sizeof(rest));
	if (session == NULL)
		errx(1, "the server keeps no sessions");
	conn_drop(&c);
}

static void
shake_for(double seconds)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * NSEC);

	while (now_ns() < end)
		loop_turn(end);
}

void
do_shakes(double seconds)
{
	struct span s, all = {0};
	uint64_t n;
	unsigned i;

	if (!load.tls.full)
		get_session();
	go_on = true;
	for (i = 0; i < WINDOW; i++)
		shaker_start(&shakers[i]);
	shake_for(.3);
	s = span_begin();
	n = nshaken;
	shake_for(seconds);
	span_add(&all, &s);
	report_cpu("shake", &all, (double)(nshaken - n));
	printf("shake_per_core_s %.0f\n", (double)(nshaken - n) * NSEC /
	    (double)all.cpu.ns);
	fprintf(stderr, "%s\n", tls_suite());
	go_on = false;
}

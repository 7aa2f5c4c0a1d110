/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * https calls, from URL to answer: the HTTP client over TLS to a server of
 * the same loop, and what those who made a call are told when it fails.
 */
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/client.h"
#include "tests/unit/test.h"
#include "tests/unit/tls_pki.h"
#include "tls/filter.h"
#include "util/clock.h"
#include "util/log.h"

#define IN_2020	1590000000
#define IN_2026	1793000000

static struct worker		*w;
static struct http_client	*hc;
static struct tls_worker	*tw;
static struct tls_server	*server;
static struct listener		*listener;
static struct addr		 at;
static int			 accepted, requests;
static bool			 cut;	/* without a close_notify */

/* The settings of calls. */
static struct caller {
	struct http_tls		 tls;
	struct tls_client	*client;
} caller;

static struct {
	int	calls, status;
	char	why[256], body[64];
} got;

static int
start_tls(const struct http_tls *tls, struct conn *c, const char *host)
{
	struct caller *k = (struct caller *)(uintptr_t)tls;

	return tls_connect(c, k->client, host, tw);
}

/* ---- the server ---- */

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\nhello";

	(void)p;
	requests++;
	CHECK_INT(conn_send_copy(c, answer, sizeof(answer) - 1), 0);
	if (cut) {
		conn_flush(c);
		shutdown(c->io.fd, SHUT_RDWR);
	} else {
		conn_close_drained(c);
	}
	return n;
}

static void
on_close(struct conn *c)
{
	(void)c;
}

static const struct conn_ops ops = { .on_read = on_read,
    .on_close = on_close };

static void
on_accept(struct conn *c, void *ctx)
{
	(void)ctx;
	accepted++;
	c->ops = &ops;
	if (server != NULL && tls_accept(c, server, tw) == -1)
		conn_close(c);
}

static void
say(void *arg, bool fatal, const char *text)
{
	(void)arg;
	CHECK(!fatal);
	(void)text;
}

static const struct tls_report report = { say, NULL };

static struct tls_trust *
trust_new(const char *pem)
{
	struct tls_trust *t;

	CHECK_INT(tls_trust_load(&t, sv_from(pem), &report), 0);
	return t;
}

static void
start(const char *chain, int64_t loaded, const char *trust)
{
	const struct log_options	 quiet = { .level = LOG_NONE };
	struct tls_cred			*cred;
	struct tls_server_options	 so = { .cred = &cred, .ncred = 1 };
	struct tls_client_options	 co = { .trust = trust_new(trust) };
	int				 fd;

	log_init(&quiet);
	accepted = requests = 0;
	cut = false;
	w = worker_new(0);
	tw = tls_worker_new(w);
	hc = http_client_new(w);
	CHECK_INT(tls_cred_load(&cred, sv_from(chain), SV(PKI_KEY), loaded,
	    &report), 0);
	server = tls_server_new(&so);
	caller = (struct caller){ { start_tls }, tls_client_new(&co) };
	http_client_set_tls(hc, &caller.tls);
	tls_cred_unref(cred);
	tls_trust_unref(co.trust);
	CHECK_INT(addr_parse(&at, "127.0.0.1", 0, false), 0);
	fd = net_listen(&at, false, 16);
	CHECK_INT(getsockname(fd, &at.sa, &at.len), 0);
	listener = listener_new(w, fd, false, on_accept, NULL);
}

static void
stop(void)
{
	listener_free(listener);
	http_client_free(hc);
	worker_close_conns(w);
	tls_worker_free(tw);
	worker_free(w);
	tls_server_unref(server);
	tls_client_unref(caller.client);
}

/* ---- calls ---- */

static void
done(void *arg, const struct http_answer *a)
{
	CHECK(arg == &got);
	got.calls++;
	strlcpy(got.why, a->why == NULL ? "" : a->why, sizeof(got.why));
	got.status = a->why == NULL ? a->reply->status : 0;
	snprintf(got.body, sizeof(got.body), "%.*s", SV_ARG(a->body));
}

static void
call(const char *scheme, const char *host)
{
	static const struct dns_files files = { "/dev/null", "/dev/null", 9 };
	char		url[64];
	struct http_ask	ask = { .method = HTTP_GET, .max_body = 100,
	    .timeout_ms = 2000 };
	int64_t		end = clock_mono_ms() + 3000;

	memset(&got, 0, sizeof(got));
	http_client_set_files(hc, &files);
	snprintf(url, sizeof(url), "%s://%s:%u/", scheme, host,
	    (unsigned)ntohs(at.in.sin_port));
	ask.url = sv_from(url);
	CHECK(http_call(hc, &ask, done, &got) != NULL);
	while (got.calls == 0 && clock_mono_ms() < end)
		worker_turn(w, 10);
	CHECK_INT(got.calls, 1);
}

static void
use_name(const char *name, const char *trust)
{
	struct tls_client_options o = { .server_name = name,
	    .trust = trust_new(trust) };

	tls_client_unref(caller.client);
	caller.client = tls_client_new(&o);
	tls_trust_unref(o.trust);
}

TEST(answers_through_tls)
{
	start(PKI_LEAF PKI_INTER, IN_2026, PKI_ROOT);
	use_name("a.example", PKI_ROOT);
	call("https", "127.0.0.1");
	CHECK_STR(got.why, "");
	CHECK_INT(got.status, 200);
	CHECK_STR(got.body, "hello");
	CHECK_INT(tls_worker_stats(tw)->full, 2);
	stop();
}

TEST(says_why_tls_failed)
{
	start(PKI_LEAF PKI_INTER, IN_2026, PKI_ROOT);
	call("https", "127.0.0.1");
	CHECK_STR(got.why, "the server's certificate is for a.example "
	    "192.0.2.1 2001:db8::1, not 127.0.0.1");
	use_name("a.example", PKI_ROOT2);
	call("https", "127.0.0.1");
	CHECK_STR(got.why, "the server's certificate has a chain that leads "
	    "to no trusted CA: it was issued by CN=pki intermediate,O=fugu "
	    "tests");
	CHECK_INT(requests, 0);
	stop();
	start(PKI_OLD, IN_2020, PKI_ROOT);
	use_name("a.example", PKI_ROOT);
	call("https", "127.0.0.1");
	CHECK(sv_starts(sv_from(got.why), SV("the server's certificate "
	    "expired on 2021-02-03; the clock says 20")));
	CHECK_INT(accepted, 1);
	stop();
}

TEST(says_that_there_is_no_tls)
{
	start(PKI_LEAF PKI_INTER, IN_2026, PKI_ROOT);
	tls_server_unref(server);
	server = NULL;
	call("https", "127.0.0.1");
	CHECK_STR(got.why, "what came is not TLS");
	stop();
}

/* The end of a body that ends with the connection is not for everybody who
 * can cut it to say. */
TEST(does_not_take_a_cut_for_the_end)
{
	start(PKI_LEAF PKI_INTER, IN_2026, PKI_ROOT);
	use_name("a.example", PKI_ROOT);
	cut = true;
	call("https", "127.0.0.1");
	CHECK_STR(got.why, "connection closed before the end of the answer");
	stop();
}

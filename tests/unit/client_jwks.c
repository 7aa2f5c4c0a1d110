/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The cache of key sets, with an HTTP server on the same worker. An hour
 * passes by setting the worker's clock forward between turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/jwks.h"
#include "http/server.h"
#include "tests/unit/jwt_data.h"
#include "tests/unit/test.h"
#include "util/clock.h"
#include "util/log.h"

#define RSA(kid) "{\"kid\":\"" kid "\",\"use\":\"sig\","		\
	"\"kty\":\"RSA\","						\
	"\"n\":\"" JWK_RSA_N "\",\"e\":\"AQAB\"}"
#define EC(kid) "{\"kid\":\"" kid "\",\"use\":\"sig\",\"kty\":\"EC\","	\
	"\"crv\":\"P-256\",\"x\":\"" JWK_P256_X "\",\"y\":\"" JWK_P256_Y "\"}"
#define SET(keys)	"{\"keys\":[" keys "]}"
#define ONE		SET(RSA("rsa-1"))
#define BOTH		SET(RSA("rsa-1") "," EC("ec-1"))

static struct worker		*w;
static struct http_client	*hc;
static struct jwks		*j;
static struct listener		*l;
static char			 base[64];

/* What the server says. */
static struct {
	const char	*body;
	int		 status, fail_first;
	int		 requests;
	bool		 silent;
	struct http_exchange *held[4];
	int		 nheld;
} server;

static void
serve_keys(struct http_exchange *x)
{
	server.requests++;
	if (server.silent && server.nheld < 4)
		server.held[server.nheld++] = x;
	else
		http_respond(x, server.requests <= server.fail_first ? 503 :
		    server.status, "application/json", sv_from(server.body));
}

static const struct http_route routes[] = {
	{ .path = "/", .prefix = true, .methods = 1u << HTTP_GET,
	    .handler = serve_keys },
};
static const struct http_site site = {
	.route = routes, .nroute = 1, .max_head = 4000,
	.header_timeout_ms = 10000, .body_timeout_ms = 10000,
	.idle_timeout_ms = 10000
};

static void
accept_on(struct conn *c, void *ctx)
{
	http_serve(c, ctx);
}

static void
start(void)
{
	const struct log_options quiet = { .level = LOG_NONE };
	struct addr	a;
	int		fd;

	log_init(&quiet);
	memset(&server, 0, sizeof(server));
	server.body = ONE;
	server.status = 200;
	w = worker_new(0);
	CHECK_INT(addr_parse(&a, "127.0.0.1", 0, false), 0);
	fd = net_listen(&a, false, 256);
	CHECK_INT(getsockname(fd, &a.sa, &a.len), 0);
	net_set_conn_limit(500, "");
	l = listener_new(w, fd, false, accept_on, (void *)(uintptr_t)&site);
	hc = http_client_new(w);
	j = jwks_new(w, hc);
	snprintf(base, sizeof(base), "http://127.0.0.1:%u/",
	    (unsigned)ntohs(a.in.sin_port));
}

static void
stop(void)
{
	jwks_free(j);
	http_client_free(hc);
	listener_free(l);
	worker_close_conns(w);
	while (server.nheld > 0)
		http_respond(server.held[--server.nheld], 200, NULL, SV(""));
	http_worker_fini(w);
	worker_free(w);
}

/* One who waits. */
struct waiter {
	int		 calls;
	enum jwt_family	 family;	/* of the key it was given */
	struct jwks_wait *cancel;	/* when called, and ask again */
	bool		 again;
};

static void
on_key(void *arg, const struct jwt_key *key)
{
	struct waiter *x = arg;

	x->calls++;
	x->family = key == NULL ? JWT_NO_FAMILY : key->family;
	if (x->cancel != NULL)
		jwks_cancel(x->cancel);
	if (x->again) {
		x->again = false;
		CHECK(jwks_get(j, sv_from(base), SV("rsa-1"), on_key, x) !=
		    NULL);
	}
}

static struct jwks_wait *
ask(struct waiter *x, const char *kid)
{
	struct jwks_wait *r = jwks_get(j, sv_from(base), sv_from(kid), on_key,
	    x);

	CHECK(r != NULL);
	return r;
}

static void
turn_until(const struct waiter *x, int calls)
{
	int64_t end = clock_mono_ms() + 5000;

	while (x->calls < calls && clock_mono_ms() < end)
		worker_turn(w, 20);
	CHECK_INT(x->calls, calls);
}

TEST(fetches_once_and_keeps)
{
	struct waiter	x = { 0 };
	int		i;

	start();
	CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) == NULL);
	ask(&x, "rsa-1");
	CHECK_INT(x.calls, 0);
	turn_until(&x, 1);
	CHECK_INT(x.family, JWT_RSA);
	for (i = 0; i < 10; i++)
		CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) != NULL);
	CHECK(jwks_find(j, sv_from(base), SV("rsa-2")) == NULL);
	CHECK(jwks_find(j, SV("http://other/"), SV("rsa-1")) == NULL);
	CHECK_INT(server.requests, 1);
	stop();
}

TEST(one_fetch_for_all_who_wait)
{
	struct waiter	x[20] = { { 0 } };
	int		i;

	start();
	server.body = BOTH;
	for (i = 0; i < 20; i++)
		ask(&x[i], i % 2 == 0 ? "rsa-1" : "ec-1");
	turn_until(&x[0], 1);
	for (i = 0; i < 20; i++) {
		CHECK_INT(x[i].calls, 1);
		CHECK_INT(x[i].family, i % 2 == 0 ? JWT_RSA : JWT_EC);
	}
	CHECK_INT(server.requests, 1);
	stop();
}

/* A key that was added later is found, but not by asking all the time. */
TEST(unknown_ids_are_asked_for_once_a_second)
{
	struct waiter	x = { 0 }, y = { 0 };
	int64_t		begin;
	int		i;

	start();
	ask(&x, "ec-1");
	turn_until(&x, 1);
	CHECK_INT(x.family, JWT_NO_FAMILY);
	server.body = BOTH;
	begin = clock_mono_ms();
	ask(&x, "ec-1");
	for (i = 0; i < 100; i++)
		ask(&y, "nobody");
	turn_until(&x, 2);
	CHECK(clock_mono_ms() - begin > 700);
	CHECK(clock_mono_ms() - begin < 4000);
	CHECK_INT(x.family, JWT_EC);
	CHECK_INT(y.calls, 100);
	CHECK_INT(y.family, JWT_NO_FAMILY);
	CHECK_INT(server.requests, 2);
	stop();
}

/* Nothing else moves the clock while no turn is taken. */
TEST(a_set_is_believed_for_an_hour)
{
	struct waiter x = { 0 };

	start();
	ask(&x, "rsa-1");
	turn_until(&x, 1);
	w->now += JWKS_TTL_MS - 5000;
	CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) != NULL);
	w->now += 5000;
	CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) == NULL);
	stop();
}

TEST(a_key_taken_out_is_gone)
{
	struct waiter x = { 0 };

	start();
	server.body = BOTH;
	ask(&x, "rsa-1");
	turn_until(&x, 1);
	server.body = SET(EC("ec-1"));
	ask(&x, "rsa-1");
	turn_until(&x, 2);
	CHECK_INT(x.family, JWT_NO_FAMILY);
	CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) == NULL);
	CHECK(jwks_find(j, sv_from(base), SV("ec-1")) != NULL);
	stop();
}

TEST(second_try)
{
	struct waiter x = { 0 };

	start();
	server.fail_first = 1;
	ask(&x, "rsa-1");
	turn_until(&x, 1);
	CHECK_INT(x.family, JWT_RSA);
	CHECK_INT(server.requests, 2);
	stop();
}

static const struct {
	const char	*body;
	int		 status, requests;
} failures[] = {
	{ ONE, 404, 2 }, { ONE, 302, 2 }, { ONE, 503, 2 },
	{ "", 200, 1 }, { "<html>", 200, 1 }, { "{}", 200, 1 },
	{ SET(""), 200, 1 },
};

TEST(failures_by_table)
{
	struct waiter	x;
	size_t		i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		test_note("row %zu", i);
		start();
		x = (struct waiter){ 0 };
		server.body = failures[i].body;
		server.status = failures[i].status;
		ask(&x, "rsa-1");
		turn_until(&x, 1);
		CHECK_INT(x.family, JWT_NO_FAMILY);
		CHECK_INT(server.requests, failures[i].requests);
		stop();
	}
}

/* A refresh that fails costs nothing of what is known. */
TEST(failed_refresh_keeps_the_set)
{
	struct waiter x = { 0 };

	start();
	ask(&x, "rsa-1");
	turn_until(&x, 1);
	server.status = 500;
	ask(&x, "ec-1");
	turn_until(&x, 2);
	CHECK_INT(x.family, JWT_NO_FAMILY);
	CHECK(jwks_find(j, sv_from(base), SV("rsa-1")) != NULL);
	stop();
}

TEST(silent_server)
{
	struct waiter	x = { 0 };
	int64_t		begin;

	start();
	server.silent = true;
	begin = clock_mono_ms();
	ask(&x, "rsa-1");
	turn_until(&x, 1);
	CHECK_INT(x.family, JWT_NO_FAMILY);
	CHECK(clock_mono_ms() - begin > 1900);
	CHECK(clock_mono_ms() - begin < 4500);
	CHECK_INT(server.requests, 2);
	stop();
}

TEST(cancelled)
{
	struct waiter		 x = { 0 }, y = { 0 };
	struct jwks_wait	*r;
	int			 i;

	start();
	r = ask(&x, "rsa-1");
	jwks_cancel(r);
	for (i = 0; i < 20; i++)
		worker_turn(w, 5);
	CHECK_INT(x.calls, 0);
	/* One who is called cancels another who would be called next; the
	 * one who asked first is called first. */
	x.cancel = NULL;
	ask(&x, "rsa-1");
	x.cancel = ask(&y, "rsa-1");
	turn_until(&x, 1);
	CHECK_INT(y.calls, 0);
	stop();
}

TEST(asks_again_when_called)
{
	struct waiter x = { .again = true };

	start();
	ask(&x, "rsa-1");
	turn_until(&x, 2);
	CHECK_INT(x.family, JWT_RSA);
	CHECK_INT(server.requests, 2);
	stop();
}

TEST(freed_while_somebody_waits)
{
	struct waiter x = { 0 };

	start();
	server.silent = true;
	ask(&x, "rsa-1");
	worker_turn(w, 20);
	worker_turn(w, 20);
	stop();
	CHECK_INT(x.calls, 0);
}

/* Sources that nobody waits for make room; others don't. */
TEST(many_urls)
{
	struct waiter	x = { 0 };
	char		url[128];
	int		i;

	start();
	for (i = 0; i < JWKS_URLS_MAX; i++) {
		snprintf(url, sizeof(url), "%s%d", base, i);
		CHECK(jwks_get(j, sv_from(url), SV("rsa-1"), on_key, &x) !=
		    NULL);
	}
	CHECK(jwks_get(j, sv_from(base), SV("rsa-1"), on_key, &x) == NULL);
	turn_until(&x, JWKS_URLS_MAX);
	snprintf(url, sizeof(url), "%s%d", base, 0);
	w->now++;
	CHECK(jwks_find(j, sv_from(url), SV("rsa-1")) != NULL);
	ask(&x, "rsa-1");
	turn_until(&x, JWKS_URLS_MAX + 1);
	/* The one just used is still there, one of the others not. */
	CHECK(jwks_find(j, sv_from(url), SV("rsa-1")) != NULL);
	for (i = 0; i < JWKS_URLS_MAX; i++) {
		snprintf(url, sizeof(url), "%s%d", base, i);
		if (jwks_find(j, sv_from(url), SV("rsa-1")) == NULL)
			break;
	}
	CHECK(i < JWKS_URLS_MAX);
	stop();
}

static bool
sweep_get(void)
{
	struct waiter		 x = { 0 };
	struct jwks_wait	*r;
	int64_t			 end = clock_mono_ms() + 3000;

	jwks_free(j);
	if ((j = jwks_new(w, hc)) == NULL)
		return false;
	r = jwks_get(j, sv_from(base), SV("rsa-1"), on_key, &x);
	if (r == NULL)
		return false;
	while (x.calls == 0 && clock_mono_ms() < end)
		worker_turn(w, 20);
	CHECK_INT(x.calls, 1);
	return x.family == JWT_RSA;
}

TEST(allocation_sweep)
{
	start();
	ALLOC_SWEEP(sweep_get);
	stop();
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Which endpoint is served where.
 */
#include "api/ports.h"
#include "api/site.h"
#include "tests/unit/test.h"

static const struct conf	*conf;
static struct site		 external, internal;
static const struct activated	 none;

static void
page(struct http_exchange *x)
{
	(void)x;
}

static const struct http_route extra = {
	.path = "/page", .methods = 1u << HTTP_GET, .handler = page,
};

static int
build(const char *text)
{
	struct conf_errors	errs = CONF_ERRORS_INIT;
	struct conf_source	src = { .path = "test" };
	int			rc = -1;

	test_note("%s", text);
	src.text = sv_from(text);
	conf = NULL;
	if (conf_load(&conf, &src, &errs) == 0)
		rc = site_build(&external, &internal, conf,
		    ports_separate(conf, &none), &extra, 1);
	conf_errors_fini(&errs);
	return rc;
}

static void
fini(void)
{
	site_fini(&external);
	site_fini(&internal);
	conf_unref(conf);
}

static bool
has(const struct site *s, const char *path)
{
	return http_route_find(&s->http, sv_from(path)) != NULL;
}

TEST(one_address_serves_everything)
{
	CHECK_INT(build("{\"health\":{\"enabled\":true},"
	    "\"prometheus\":{\"enabled\":true}}"), 0);
	CHECK_INT(internal.http.nroute, 0);
	CHECK(has(&external, "/connection/websocket"));
	CHECK(has(&external, "/api"));
	CHECK(has(&external, "/api/publish"));
	CHECK(has(&external, "/api/history_remove"));
	CHECK(has(&external, "/health"));
	CHECK(has(&external, "/healthz"));
	CHECK(has(&external, "/readyz"));
	CHECK(has(&external, "/metrics"));
	CHECK(has(&external, "/page"));
	CHECK(!has(&external, "/api/nope"));
	CHECK(!has(&external, "/api/publish/"));
	CHECK(!has(&external, "/"));
	CHECK(http_route_find(&external.http, SV("/health"))->reserve_ok);
	CHECK(http_route_find(&external.http, SV("/metrics"))->reserve_ok);
	CHECK(!http_route_find(&external.http, SV("/api"))->reserve_ok);
	fini();
}

TEST(internal_port_takes_what_is_not_for_clients)
{
	CHECK_INT(build("{\"http_server\":{\"internal_port\":\"9000\"},"
	    "\"health\":{\"enabled\":true},"
	    "\"prometheus\":{\"enabled\":true}}"), 0);
	CHECK(internal.http.nroute > 0);
	CHECK(has(&external, "/connection/websocket"));
	CHECK(has(&external, "/page"));
	CHECK_INT(external.http.nroute, 2);
	CHECK(has(&internal, "/api/publish"));
	CHECK(has(&internal, "/api"));
	CHECK(has(&internal, "/health"));
	CHECK(has(&internal, "/metrics"));
	CHECK(!has(&internal, "/connection/websocket"));
	fini();
}

TEST(api_may_be_external)
{
	CHECK_INT(build("{\"http_server\":{\"internal_port\":\"9000\"},"
	    "\"http_api\":{\"external\":true,\"handler_prefix\":\"/x\"}}"), 0);
	CHECK(has(&external, "/x/publish"));
	CHECK(has(&external, "/x"));
	CHECK(!has(&external, "/api"));
	CHECK_INT(internal.http.nroute, 0);
	fini();
}

TEST(internal_address_alone_separates)
{
	CHECK_INT(build("{\"http_server\":{\"internal_address\":"
	    "\"127.0.0.1\"}}"), 0);
	CHECK(internal.http.nroute > 0);
	CHECK(!has(&external, "/health"));
	fini();
}

TEST(what_is_off_is_not_served)
{
	CHECK_INT(build("{\"http_api\":{\"disabled\":true},"
	    "\"websocket\":{\"disabled\":true}}"), 0);
	CHECK_INT(external.http.nroute, 1);
	CHECK(has(&external, "/page"));
	fini();
}

TEST(prefix_may_be_the_root)
{
	CHECK_INT(build("{\"http_api\":{\"handler_prefix\":\"/\"}}"), 0);
	CHECK(has(&external, "/"));
	CHECK(has(&external, "/publish"));
	CHECK(!has(&external, "//publish"));
	fini();
}

TEST(health_may_have_the_name_of_an_addition)
{
	CHECK_INT(build("{\"health\":{\"enabled\":true,"
	    "\"handler_prefix\":\"/readyz\"}}"), 0);
	CHECK(has(&external, "/readyz"));
	CHECK(has(&external, "/healthz"));
	fini();
}

TEST(two_endpoints_cannot_share_a_path)
{
	CHECK_INT(build("{\"websocket\":{\"handler_prefix\":\"/api\"}}"), -1);
	CHECK_INT(external.http.nroute, 0);
	conf_unref(conf);
	CHECK_INT(build("{\"websocket\":{\"handler_prefix\":\"/page\"}}"), -1);
	conf_unref(conf);
}

static bool
build_once(void)
{
	bool ok = build("{\"health\":{\"enabled\":true}}") == 0;

	if (ok)
		fini();
	else
		conf_unref(conf);
	return ok;
}

TEST(sites_survive_lack_of_memory)
{
	ALLOC_SWEEP(build_once);
}

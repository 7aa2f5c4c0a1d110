/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Routes.
 */
#include "http/server.h"
#include "tests/unit/test.h"

static const struct http_route routes[] = {
	{ .path = "/admin/x/", .prefix = true },
	{ .path = "/admin/", .prefix = true, .methods = 1u << HTTP_GET },
	{ .path = "/", .methods = 1u << HTTP_GET },
	{ .path = "/api", .methods = 1u << HTTP_POST },
	{ .path = "/api/publish", .methods = 1u << HTTP_POST |
	    1u << HTTP_OPTIONS },
	{ .path = "/admin/api/", .prefix = true },
	{ .path = "/admin/api/x" },
	{ .path = "/exact/" },
	{ .path = "/noslash", .prefix = true },
};

static const struct http_site site = {
	.route = routes, .nroute = sizeof(routes) / sizeof(routes[0])
};

TEST(find)
{
	static const struct { const char *path, *route; } v[] = {
		{ "/", "/" },
		{ "/api", "/api" },
		{ "/api/", NULL },
		{ "/api/publish", "/api/publish" },
		{ "/api/publish/", NULL },
		{ "/API", NULL },
		{ "/ap", NULL },
		{ "/api%2Fpublish", NULL },
		{ "//", NULL },
		{ "*", NULL },
		{ "", NULL },
		{ "/admin", NULL },
		{ "/admin/", "/admin/" },
		{ "/admin/x/y", "/admin/x/" },
		{ "/admin/x", "/admin/" },
		{ "/admin/api", "/admin/" },
		{ "/admin/api/", "/admin/api/" },
		{ "/admin/api/x", "/admin/api/x" },
		{ "/admin/api/xy", "/admin/api/" },
		{ "/exact/", "/exact/" },
		{ "/exact/x", NULL },
		{ "/noslash", "/noslash" },
		{ "/noslash/x", NULL },
	};
	const struct http_route	*rt;
	size_t			 i;
	char			*p;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		test_note("%s", v[i].path);
		p = guard_dup(sv_from(v[i].path));
		rt = http_route_find(&site, sv_make(p, strlen(v[i].path)));
		guard_free(p);
		CHECK_STR(rt == NULL ? NULL : rt->path, v[i].route);
	}
}

TEST(methods)
{
	CHECK(http_route_allows(&routes[2], HTTP_GET));
	CHECK(http_route_allows(&routes[2], HTTP_HEAD));
	CHECK(!http_route_allows(&routes[2], HTTP_POST));
	CHECK(!http_route_allows(&routes[3], HTTP_HEAD));
	CHECK(!http_route_allows(&routes[3], HTTP_TRACE));
	CHECK(http_route_allows(&routes[4], HTTP_OPTIONS));
}

TEST(allow_line)
{
	struct buf b = BUF_INIT;

	http_route_put_allow(&routes[2], &b);
	CHECK_SV(buf_sv(&b), "Allow: GET, HEAD\r\n");
	buf_reset(&b);
	http_route_put_allow(&routes[4], &b);
	CHECK_SV(buf_sv(&b), "Allow: POST, OPTIONS\r\n");
	buf_fini(&b);
}

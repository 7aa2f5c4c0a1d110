/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Response heads and dates.
 */
#include <stdlib.h>

#include "http/http.h"
#include "tests/unit/test.h"

#define DATE	"Sun, 06 Nov 1994 08:49:37 GMT"

TEST(dates)
{
	static const struct { int64_t sec; const char *text; } v[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, DATE },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
		{ 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" },
	};
	struct http_date	d = { 0 };
	size_t			i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		CHECK_STR(http_date_set(&d, v[i].sec), v[i].text);
		CHECK_INT(strlen(d.text), HTTP_DATE_LEN);
	}
	/* The same second is not made again. */
	d.text[0] = 'x';
	CHECK_INT(http_date_set(&d, d.sec)[0], 'x');
	CHECK_INT(http_date_set(&d, d.sec + 1)[0], 'M');
}

/* An overrun of the bound is found by the address sanitizer. */
static void
check_head(const struct http_response *r, const char *want)
{
	size_t	 size = http_response_size(r), n;
	char	*p = malloc(size);

	if (!CHECK(p != NULL))
		return;
	n = http_response_put(r, p);
	CHECK(n <= size);
	CHECK_SV(sv_make(p, n), want);
	free(p);
}

TEST(heads)
{
	struct http_response r = { .status = 200, .date = DATE };

	check_head(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
	    "Content-Length: 0\r\n\r\n");
	r.ctype = SV("application/json");
	r.length = UINT64_MAX;
	check_head(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: 18446744073709551615\r\n\r\n");
	r.headers = SV("A: b\r\nC: d\r\n");
	r.close = r.keep_alive = true;
	r.length = 10;
	check_head(&r, "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
	    "Content-Type: application/json\r\nContent-Length: 10\r\n"
	    "Connection: close\r\nA: b\r\nC: d\r\n\r\n");
}

TEST(heads_without_body)
{
	struct http_response r = {
		.status = 204, .date = DATE, .length = 3, .keep_alive = true
	};

	check_head(&r, "HTTP/1.1 204 No Content\r\nDate: " DATE "\r\n"
	    "Connection: keep-alive\r\n\r\n");
	r.status = 304;
	check_head(&r, "HTTP/1.1 304 Not Modified\r\nDate: " DATE "\r\n"
	    "Connection: keep-alive\r\n\r\n");
	CHECK(http_status_bodiless(101));
	CHECK(!http_status_bodiless(200));
	CHECK(!http_status_bodiless(205));
}

/* The bound holds for the longest of everything. */
TEST(bound)
{
	struct http_response r = {
		.date = DATE, .ctype = SV("c"), .headers = SV("h"),
		.length = UINT64_MAX, .keep_alive = true
	};
	char	out[512];

	for (r.status = 100; r.status < 600; r.status++)
		CHECK(http_response_put(&r, out) <= http_response_size(&r));
}

TEST(status_texts)
{
	static const int used[] = {
		100, 101, 200, 204, 400, 401, 403, 404, 405, 408, 411, 413,
		414, 417, 426, 431, 500, 501, 503, 505
	};
	size_t i;

	for (i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		test_note("%d", used[i]);
		CHECK(!sv_eq(sv_from(http_status_text(used[i])),
		    SV("Unknown")));
	}
	CHECK_STR(http_status_text(431), "Request Header Fields Too Large");
	CHECK_STR(http_status_text(299), "Unknown");
}

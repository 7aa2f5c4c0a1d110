/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The response head (RFC 9112, 4 to 6), and the names of the statuses. Time
 * is the caller's; the text of a date is made once a second.
 */
#include <stdio.h>

#include "http/http.h"
#include "util/clock.h"

/* see http.h */
const char *
http_status_text(int status)
{
	switch (status) {
	case 100: return "Continue";
	case 101: return "Switching Protocols";
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 206: return "Partial Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	default: return "Unknown";
	}
}

/* see http.h */
bool
http_status_bodiless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

/* IMF-fixdate (RFC 9110, 5.6.7); see http.h */
const char *
http_date_set(struct http_date *d, int64_t sec)
{
	static const char	day[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	}, month[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec"
	};
	struct clock_date	c;

	if (d->sec == sec && d->text[0] != '\0')
		return d->text;
	clock_date(&c, sec);
	snprintf(d->text, sizeof(d->text),
	    "%s, %02u %s %04u %02u:%02u:%02u GMT", day[c.weekday],
	    c.day % 100, month[c.month - 1], c.year % 10000, c.hour % 100,
	    c.minute % 100, c.second % 100);
	d->sec = sec;
	return d->text;
}

static char *
put(char *p, struct sv s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

static char *
put_u64(char *p, uint64_t v)
{
	char	digits[20];
	size_t	n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return put(p, sv_make(digits + n, sizeof(digits) - n));
}

/* see http.h */
size_t
http_response_size(const struct http_response *r)
{
	/* Each fixed part at its longest, with its CRLF. */
	return sizeof("HTTP/1.1 999 ") + 2 +
	    strlen(http_status_text(r->status)) +
	    sizeof("Date: \r\n") + HTTP_DATE_LEN +
	    sizeof("Content-Type: \r\n") + r->ctype.n +
	    sizeof("Content-Length: 18446744073709551615\r\n") +
	    sizeof("Connection: keep-alive\r\n") + r->headers.n + 2;
}

/* see http.h */
size_t
http_response_put(const struct http_response *r, char *out)
{
	char *p = out;

	p = put(p, SV("HTTP/1.1 "));
	p = put_u64(p, (uint64_t)r->status);
	p = put(p, SV(" "));
	p = put(p, sv_from(http_status_text(r->status)));
	p = put(p, SV("\r\nDate: "));
	p = put(p, sv_make(r->date, HTTP_DATE_LEN));
	if (r->ctype.n > 0) {
		p = put(p, SV("\r\nContent-Type: "));
		p = put(p, r->ctype);
	}
	if (!http_status_bodiless(r->status) && !r->until_close) {
		p = put(p, SV("\r\nContent-Length: "));
		p = put_u64(p, r->length);
	}
	if (r->close)
		p = put(p, SV("\r\nConnection: close"));
	else if (r->keep_alive)
		p = put(p, SV("\r\nConnection: keep-alive"));
	p = put(p, SV("\r\n"));
	p = put(p, r->headers);
	p = put(p, SV("\r\n"));
	return (size_t)(p - out);
}

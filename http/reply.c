/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The response head (RFC 9112, 4 to 6.3) and URLs, for the client. A head is
 * looked for its end first and then taken apart line by line: it comes from
 * a peer that the configuration names, and not often. What could make the
 * end of the body a matter of opinion is refused.
 */
#include <string.h>

#include "http/client.h"

static bool
is_tchar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_text(struct sv s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return false;
	return true;
}

static int
refuse(struct http_reply *r, const char *why)
{
	r->why = why;
	return -1;
}

/* The length of the head with its empty line, or 0. */
static size_t
head_length(struct sv s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p != NULL && end - p >= 4) {
		if ((p = memchr(p, '\r', (size_t)(end - p) - 3)) == NULL)
			return 0;
		if (memcmp(p, "\r\n\r\n", 4) == 0)
			return (size_t)(p - s.p) + 4;
		p++;
	}
	return 0;
}

/* status-line = "HTTP/1." DIGIT SP 3DIGIT SP [ reason-phrase ] */
static int
take_status(struct http_reply *r, struct sv line)
{
	uint64_t status;

	if (!sv_starts(line, SV("HTTP/1.")) || line.n < 12 ||
	    (line.p[7] != '0' && line.p[7] != '1') || line.p[8] != ' ' ||
	    (line.n > 12 && line.p[12] != ' ') || !is_text(line) ||
	    sv_u64(sv_make(line.p + 9, 3), &status) == -1 || status < 100)
		return refuse(r, "malformed status line");
	r->minor = line.p[7] - '0';
	r->status = (int)status;
	return 0;
}

/* field-line = field-name ":" OWS field-value OWS */
static int
take_field(struct http_reply *r, struct sv line)
{
	struct http_header	*f = &r->header[r->nheader];
	size_t			 n;

	if (r->nheader == HTTP_MAX_HEADERS)
		return refuse(r, "too many headers");
	for (n = 0; n < line.n && is_tchar(line.p[n]); n++)
		continue;
	if (n == 0 || n == line.n || line.p[n] != ':')
		return refuse(r, "malformed header line");
	f->name = sv_make(line.p, n);
	f->value = sv_trim(sv_skip(line, n + 1));
	if (!is_text(f->value))
		return refuse(r, "bad character in a header value");
	r->nheader++;
	return 0;
}

static int
on_framing(struct http_reply *r, const struct http_header *f)
{
	struct sv list = f->value, token;

	if (sv_ieq(f->name, SV("content-length"))) {
		if (r->has_length || sv_u64(f->value, &r->length) == -1)
			return refuse(r, "bad Content-Length");
		r->has_length = true;
	} else if (sv_ieq(f->name, SV("transfer-encoding"))) {
		if (r->chunked || !sv_ieq(f->value, SV("chunked")))
			return refuse(r, "bad Transfer-Encoding");
		r->chunked = true;
	} else if (sv_ieq(f->name, SV("connection"))) {
		while (list.p != NULL) {
			token = sv_trim(sv_cut(&list, ','));
			if (sv_ieq(token, SV("close")))
				r->keep_alive = false;
		}
	}
	return 0;
}

static int
take_head(struct http_reply *r, struct sv head)
{
	struct sv	line;
	size_t		n;
	bool		first = true;

	for (; head.n > 0; head = sv_skip(head, n + 2)) {
		for (n = 0; head.p[n] != '\r'; n++)
			continue;
		line = sv_make(head.p, n);
		if (head.p[n + 1] != '\n')
			return refuse(r, "CR without LF");
		if (first) {
			if (take_status(r, line) == -1)
				return -1;
			r->keep_alive = r->minor == 1;
		} else if (take_field(r, line) == -1 ||
		    on_framing(r, &r->header[r->nheader - 1]) == -1) {
			return -1;
		}
		first = false;
	}
	if (r->chunked && (r->has_length || r->minor == 0))
		return refuse(r, r->minor == 0 ?
		    "Transfer-Encoding in HTTP/1.0" :
		    "both Content-Length and Transfer-Encoding");
	return 0;
}

/* see client.h */
ptrdiff_t
http_reply_parse(struct http_reply *r, struct sv s)
{
	size_t n;

	r->status = r->minor = 0;
	r->nheader = 0;
	r->keep_alive = r->chunked = r->has_length = false;
	r->length = 0;
	r->why = NULL;
	if (s.n > HTTP_REPLY_HEAD_MAX)
		s.n = HTTP_REPLY_HEAD_MAX;
	if ((n = head_length(s)) == 0)
		return s.n < HTTP_REPLY_HEAD_MAX ? 0 :
		    refuse(r, "headers are too long");
	return take_head(r, sv_make(s.p, n - 2)) == -1 ? -1 : (ptrdiff_t)n;
}

/* see client.h */
struct sv
http_reply_header(const struct http_reply *r, const char *name)
{
	struct sv	want = sv_from(name);
	size_t		i;

	for (i = 0; i < r->nheader; i++)
		if (sv_ieq(r->header[i].name, want))
			return r->header[i].value;
	return sv_make(NULL, 0);
}

/* ---- URLs ---- */

static int
take_port(struct http_url *u, struct sv port)
{
	uint64_t v;

	if (sv_u64(port, &v) == -1 || v == 0 || v > 65535)
		return -1;
	u->port = (uint16_t)v;
	return 0;
}

/* host [ ":" port ], the host in brackets if it is an IPv6 address */
static int
split_authority(struct http_url *u)
{
	struct sv	s = u->authority;
	ptrdiff_t	i;

	if (s.n > 0 && s.p[0] == '[') {
		if ((i = sv_chr(s, ']')) < 2)
			return -1;
		u->host = sv_make(s.p + 1, (size_t)i - 1);
		s = sv_skip(s, (size_t)i + 1);
		if (s.n == 0)
			return 0;
		return s.p[0] == ':' ? take_port(u, sv_skip(s, 1)) : -1;
	}
	i = sv_chr(s, ':');
	u->host = i == -1 ? s : sv_make(s.p, (size_t)i);
	if (u->host.n == 0)
		return -1;
	return i == -1 ? 0 : take_port(u, sv_skip(s, (size_t)i + 1));
}

/* The scheme with its "://", in any case. */
static bool
take_scheme(struct http_url *u, struct sv *url)
{
	static const struct sv	scheme[] = { SV_INIT("http://"),
				    SV_INIT("https://") };
	int			i;

	for (i = 0; i < 2; i++)
		if (url->n >= scheme[i].n &&
		    sv_ieq(sv_make(url->p, scheme[i].n), scheme[i])) {
			*url = sv_skip(*url, scheme[i].n);
			u->https = i == 1;
			u->port = u->https ? 443 : 80;
			return true;
		}
	return false;
}

/* see client.h */
int
http_url_parse(struct http_url *u, struct sv url, const char **why)
{
	size_t i;

	memset(u, 0, sizeof(*u));
	*why = "not an absolute http:// or https:// URL";
	for (i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= 0x20 ||
		    (unsigned char)url.p[i] >= 0x7f || url.p[i] == '#')
			return -1;
	if (!take_scheme(u, &url))
		return -1;
	for (i = 0; i < url.n && url.p[i] != '/' && url.p[i] != '?'; i++)
		continue;
	u->authority = sv_make(url.p, i);
	u->target = sv_skip(url, i);
	if (sv_chr(u->authority, '@') != -1) {
		*why = "no user and password in a URL";
		return -1;
	}
	if (split_authority(u) == -1)
		return -1;
	*why = NULL;
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The request head (RFC 9112, sections 2 to 6). One pass over the bytes, no
 * allocation, nothing kept between calls: a head that is not complete is
 * parsed anew when more of it has come. The parser stops at the first byte
 * that breaks a rule, so what it says of a prefix holds for all that begin
 * with it.
 *
 * It refuses whatever two parsers in a row might understand differently:
 * line ends other than CRLF, folded lines, blanks before a colon, a body
 * with two lengths or a length given twice, codings after chunked, several
 * Host fields, or a target that names another host than Host does.
 */
#include "http/http.h"

/* A head being parsed. Parts return 0, or -1 to stop: then r->status says
 * why, or is 0 if the bytes ran out. */
struct head {
	struct http_request	*r;
	const char		*p, *end;
	bool			 in_target;	/* for 414 */
	bool			 close, keep_alive, coding;
	unsigned		 nhost;
	struct sv		 host, authority;
};

/* Sets of ASCII characters, one bit each. */
struct charset { uint64_t bits[2]; };

/* RFC 9110, 5.6.2: ALPHA DIGIT !#$%&'*+-.^_`|~ */
static const struct charset tchar = {
	{ 0x03ff6cfa00000000, 0x57ffffffc7fffffe }
};
/* Every visible character but '#': browsers leave more than a URI may have
 * unescaped in queries. */
static const struct charset target_char = {
	{ 0xfffffff600000000, 0x7fffffffffffffff }
};
/* RFC 3986, 3.2.2, reg-name: unreserved, sub-delims and % */
static const struct charset name_char = {
	{ 0x2bff7ff200000000, 0x47fffffe87fffffe }
};

static bool
in_set(const struct charset *set, char ch)
{
	unsigned char c = (unsigned char)ch;

	return c < 128 && (set->bits[c >> 6] >> (c & 63) & 1);
}

static bool
all_in_set(const struct charset *set, struct sv s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!in_set(set, s.p[i]))
			return false;
	return true;
}

static int
refuse(struct head *h, int status, const char *why)
{
	h->r->status = status;
	h->r->why = why;
	return -1;
}

/* ---- lexical parts ---- */

/* The run of characters of a set, and the one after it, which there must
 * be; h->p is left at that. */
static int
take_run(struct head *h, const struct charset *set, struct sv *out)
{
	const char *p = h->p;

	while (p < h->end && in_set(set, *p))
		p++;
	if (p == h->end)
		return -1;
	*out = sv_make(h->p, (size_t)(p - h->p));
	h->p = p;
	return 0;
}

static int
take_crlf(struct head *h, const char *why)
{
	if (h->p == h->end)
		return -1;
	if (*h->p != '\r')
		return refuse(h, 400, why);
	if (h->end - h->p < 2)
		return -1;
	if (h->p[1] != '\n')
		return refuse(h, 400, "CR without LF");
	h->p += 2;
	return 0;
}

/* Whether one of 8 bytes is a control character (below 0x20, or DEL). */
static bool
has_control(uint64_t v)
{
	const uint64_t	one = 0x0101010101010101, high = one << 7;
	uint64_t	del = v ^ one * 0x7f;

	return (((v - one * 0x20) & ~v) | ((del - one) & ~del)) & high;
}

/* field-content: HTAB, SP, visible characters and bytes over 0x7f. */
static const char *
skip_text(const char *p, const char *end)
{
	uint64_t	v;
	unsigned char	c;

	for (; end - p >= 8; p += 8) {
		memcpy(&v, p, 8);
		if (has_control(v))
			break;
	}
	for (; p < end; p++) {
		c = (unsigned char)*p;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			break;
	}
	return p;
}

/* field-line = field-name ":" OWS field-value OWS */
static int
take_field(struct head *h, struct http_header *f)
{
	const char *p;

	if (*h->p == ' ' || *h->p == '\t')
		return refuse(h, 400, "folded header line");
	if (take_run(h, &tchar, &f->name) == -1)
		return -1;
	if (*h->p != ':')
		return refuse(h, 400, *h->p == ' ' || *h->p == '\t' ?
		    "blank in or after a header name" :
		    "bad character in a header name");
	if (f->name.n == 0)
		return refuse(h, 400, "empty header name");
	h->p++;
	p = skip_text(h->p, h->end);
	f->value = sv_trim(sv_make(h->p, (size_t)(p - h->p)));
	h->p = p;
	return take_crlf(h, "bad character in a header value");
}

/* ---- the request line ---- */

static const char methods[HTTP_OTHER + 1][8] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_PATCH] = "PATCH",
	[HTTP_CONNECT] = "CONNECT", [HTTP_TRACE] = "TRACE"
};

/* see http.h */
const char *
http_method_name(enum http_method m)
{
	return methods[m];
}

static enum http_method
method_of(struct sv s)
{
	int m;

	for (m = 0; m < HTTP_OTHER; m++)
		if (sv_eq(s, sv_from(methods[m])))
			break;
	return (enum http_method)m;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT */
static int
take_version(struct head *h)
{
	static const char	form[] = "HTTP/0.0";
	size_t			i;
	const char		*p = h->p;
	bool			ok;

	for (i = 0; i < sizeof(form) - 1; i++) {
		if (p + i == h->end)
			return -1;
		ok = form[i] == '0' ? p[i] >= '0' && p[i] <= '9' :
		    p[i] == form[i];
		if (!ok)
			return refuse(h, 400, "malformed request line");
	}
	h->p = p + i;
	h->r->minor = p[7] - '0';
	if (take_crlf(h, "malformed request line") == -1)
		return -1;
	if (p[5] != '1' || h->r->minor > 1)
		return refuse(h, 505, "neither HTTP/1.1 nor HTTP/1.0");
	return 0;
}

/* uri-host = "[" IPv6address "]" / reg-name; port = *DIGIT */
static bool
is_authority(struct sv s)
{
	static const struct charset	v6 = {
		{ 0x07ff400000000000, 0x0000007e0000007e }
	}, digit = { { 0x03ff000000000000, 0 } };
	struct sv			host;
	ptrdiff_t			i;

	if (s.n > 0 && s.p[0] == '[') {
		if ((i = sv_chr(s, ']')) < 2 ||
		    !all_in_set(&v6, sv_make(s.p + 1, (size_t)i - 1)))
			return false;
		s = sv_skip(s, (size_t)i + 1);
	} else {
		i = sv_chr(s, ':');
		host = i == -1 ? s : sv_make(s.p, (size_t)i);
		if (host.n == 0 || !all_in_set(&name_char, host))
			return false;
		s = sv_skip(s, host.n);
	}
	return s.n == 0 ||
	    (s.p[0] == ':' && s.n <= 6 && all_in_set(&digit, sv_skip(s, 1)));
}

/* Cut "http://authority" off an absolute-form target. */
static int
cut_authority(struct head *h, struct sv *t)
{
	size_t n;

	if (t->n >= 7 && sv_ieq(sv_make(t->p, 7), SV("http://")))
		*t = sv_skip(*t, 7);
	else if (t->n >= 8 && sv_ieq(sv_make(t->p, 8), SV("https://")))
		*t = sv_skip(*t, 8);
	else
		return refuse(h, 400, "target is neither a path nor a URL");
	for (n = 0; n < t->n && t->p[n] != '/' && t->p[n] != '?'; n++)
		continue;
	h->authority = sv_make(t->p, n);
	if (!is_authority(h->authority))
		return refuse(h, 400, "bad host in the target");
	*t = sv_skip(*t, n);
	return 0;
}

/* RFC 9112, 3.2: origin-form, absolute-form, or "*" with OPTIONS. */
static int
split_target(struct head *h)
{
	struct http_request	*r = h->r;
	struct sv		 t = r->target;

	if (sv_eq(t, SV("*")) && r->method == HTTP_OPTIONS) {
		r->path = t;
		return 0;
	}
	if (t.p[0] != '/' && cut_authority(h, &t) == -1)
		return -1;
	r->path = sv_cut(&t, '?');
	r->query = t;
	if (r->path.n == 0)
		/* The slash in front of the host will do: a view of it
		 * moves along with the head. */
		r->path = sv_make(h->authority.p - 1, 1);
	return 0;
}

/* request-line = method SP request-target SP HTTP-version */
static int
take_request_line(struct head *h)
{
	struct http_request *r = h->r;

	if (take_run(h, &tchar, &r->method_text) == -1)
		return -1;
	if (r->method_text.n == 0 || *h->p != ' ')
		return refuse(h, 400, "malformed request line");
	r->method = method_of(r->method_text);
	h->p++;
	h->in_target = true;
	if (take_run(h, &target_char, &r->target) == -1)
		return -1;
	h->in_target = false;
	if (r->target.n == 0 || *h->p != ' ')
		return refuse(h, 400, "bad character in the target");
	h->p++;
	if (take_version(h) == -1)
		return -1;
	if (r->method == HTTP_OTHER || r->method == HTTP_CONNECT)
		return refuse(h, 501, "method not implemented");
	return split_target(h);
}

/* ---- fields that matter to the framing ---- */

static int
on_host(struct head *h, struct sv v)
{
	if (++h->nhost > 1)
		return refuse(h, 400, "several Host headers");
	if (v.n > 0 && !is_authority(v))
		return refuse(h, 400, "bad character in Host");
	if (h->authority.n > 0 && !sv_ieq(v, h->authority))
		return refuse(h, 400, "target and Host differ");
	h->host = v;
	return 0;
}

static int
on_content_length(struct head *h, struct sv v)
{
	if (h->r->has_length)
		return refuse(h, 400, "several Content-Length values");
	if (sv_u64(v, &h->r->length) == -1)
		return refuse(h, 400, "malformed Content-Length");
	h->r->has_length = true;
	return 0;
}

static int
on_transfer_encoding(struct head *h, struct sv v)
{
	struct sv coding;

	while (v.p != NULL) {
		coding = sv_trim(sv_cut(&v, ','));
		if (coding.n == 0)
			return refuse(h, 400, "malformed Transfer-Encoding");
		if (h->r->chunked)
			return refuse(h, 400, "chunked is not the last coding");
		if (sv_ieq(coding, SV("chunked")))
			h->r->chunked = true;
		else
			h->coding = true;
	}
	return 0;
}

static void
on_connection(struct head *h, struct sv v)
{
	struct sv token;

	while (v.p != NULL) {
		token = sv_trim(sv_cut(&v, ','));
		if (sv_ieq(token, SV("close")))
			h->close = true;
		else if (sv_ieq(token, SV("keep-alive")))
			h->keep_alive = true;
	}
}

static int
on_expect(struct head *h, struct sv v)
{
	if (!sv_ieq(v, SV("100-continue")))
		return refuse(h, 417, "unknown expectation");
	/* RFC 9110, 10.1.1: HTTP/1.0 can't wait for it. */
	h->r->expect_continue = h->r->minor >= 1;
	return 0;
}

static int
on_field(struct head *h, const struct http_header *f)
{
	switch (f->name.n) {
	case 4:
		if (sv_ieq(f->name, SV("host")))
			return on_host(h, f->value);
		break;
	case 6:
		if (sv_ieq(f->name, SV("expect")))
			return on_expect(h, f->value);
		break;
	case 10:
		if (sv_ieq(f->name, SV("connection")))
			on_connection(h, f->value);
		break;
	case 14:
		if (sv_ieq(f->name, SV("content-length")))
			return on_content_length(h, f->value);
		break;
	case 17:
		if (sv_ieq(f->name, SV("transfer-encoding")))
			return on_transfer_encoding(h, f->value);
		break;
	}
	return 0;
}

/* *( field-line CRLF ) CRLF */
static int
take_fields(struct head *h)
{
	struct http_request	*r = h->r;
	struct http_header	*f;

	for (;;) {
		if (h->p == h->end)
			return -1;
		if (*h->p == '\r')
			return take_crlf(h, NULL);
		if (r->nheader == HTTP_MAX_HEADERS)
			return refuse(h, 431, "too many headers");
		f = &r->header[r->nheader];
		if (take_field(h, f) == -1 || on_field(h, f) == -1)
			return -1;
		r->nheader++;
	}
}

/* What only the whole head can tell. */
static int
check_whole(struct head *h, const struct http_limits *limits)
{
	struct http_request *r = h->r;

	if (r->minor >= 1 && h->nhost == 0)
		return refuse(h, 400, "no Host header");
	if (r->has_length && (r->chunked || h->coding))
		return refuse(h, 400,
		    "both Content-Length and Transfer-Encoding");
	if (r->minor == 0 && (r->chunked || h->coding))
		return refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
	if (h->coding)
		return refuse(h, 501, "transfer coding not implemented");
	if (!r->has_length && !r->chunked && (r->method == HTTP_POST ||
	    r->method == HTTP_PUT || r->method == HTTP_PATCH))
		return refuse(h, 411, "no Content-Length");
	if (r->length > limits->body)
		return refuse(h, 413, "body is too large");
	r->keep_alive = !h->close && (r->minor >= 1 || h->keep_alive);
	return 0;
}

static void
request_init(struct http_request *r)
{
	r->method = HTTP_OTHER;
	r->method_text = r->target = r->path = r->query = sv_make(NULL, 0);
	r->minor = 0;
	r->nheader = 0;
	r->keep_alive = r->chunked = r->expect_continue = false;
	r->has_length = false;
	r->length = 0;
	r->status = 0;
	r->why = NULL;
}

/* see http.h */
ptrdiff_t
http_request_parse(struct http_request *r, struct sv s,
    const struct http_limits *limits)
{
	struct head	h = { .r = r, .p = s.p, .end = s.p };
	int		rc;

	request_init(r);
	if (s.n == 0)
		return 0;
	h.end += s.n < limits->head ? s.n : limits->head;
	rc = *h.p == '\r' ? take_crlf(&h, NULL) : 0;
	if (rc == 0)
		rc = take_request_line(&h);
	if (rc == 0)
		rc = take_fields(&h);
	if (rc == 0)
		rc = check_whole(&h, limits);
	if (rc == 0)
		return h.p - s.p;
	if (r->status == 0) {
		if (s.n < limits->head)
			return 0;
		refuse(&h, h.in_target ? 414 : 431, h.in_target ?
		    "target is too long" : "headers are too long");
	}
	return -1;
}

/* ---- what callers ask of a parsed head ---- */

static void
rebase(struct sv *s, const char *from, const char *to)
{
	if (s->p != NULL)
		s->p = to + (s->p - from);
}

/* see http.h */
void
http_request_rebase(struct http_request *r, const char *from, const char *to)
{
	size_t i;

	rebase(&r->method_text, from, to);
	rebase(&r->target, from, to);
	rebase(&r->path, from, to);
	rebase(&r->query, from, to);
	for (i = 0; i < r->nheader; i++) {
		rebase(&r->header[i].name, from, to);
		rebase(&r->header[i].value, from, to);
	}
}

/* see http.h */
struct sv
http_header_get(const struct http_request *r, const char *name)
{
	struct sv	want = sv_from(name);
	size_t		i;

	for (i = 0; i < r->nheader; i++)
		if (sv_ieq(r->header[i].name, want))
			return r->header[i].value;
	return sv_make(NULL, 0);
}

/* see http.h */
bool
http_header_has_token(const struct http_request *r, const char *name,
    const char *token)
{
	struct sv	want = sv_from(name), list;
	size_t		i;

	for (i = 0; i < r->nheader; i++) {
		if (!sv_ieq(r->header[i].name, want))
			continue;
		list = r->header[i].value;
		while (list.p != NULL)
			if (sv_ieq(sv_trim(sv_cut(&list, ',')),
			    sv_from(token)))
				return true;
	}
	return false;
}

/* Append s without its escapes; -1 if one is malformed. */
static int
query_decode(struct buf *b, struct sv s)
{
	size_t	i;
	int	hi, lo;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_putc(b, s.p[i] == '+' ? ' ' : s.p[i]);
			continue;
		}
		if (s.n - i < 3 || (hi = http_hex_digit(s.p[i + 1])) == -1 ||
		    (lo = http_hex_digit(s.p[i + 2])) == -1)
			return -1;
		buf_putc(b, (char)(hi << 4 | lo));
		i += 2;
	}
	return 0;
}

/* see http.h */
bool
http_query_get(struct sv query, const char *name, struct buf *scratch,
    struct sv *out)
{
	struct sv	pair, key;
	size_t		start = scratch->n;
	bool		found;

	*out = sv_make(NULL, 0);
	while (query.p != NULL) {
		pair = sv_cut(&query, '&');
		key = sv_cut(&pair, '=');
		found = query_decode(scratch, key) == 0 &&
		    sv_eq(sv_skip(buf_sv(scratch), start), sv_from(name));
		scratch->n = start;
		if (!found)
			continue;
		if (query_decode(scratch, pair) == -1 || scratch->failed) {
			scratch->n = start;
			return false;
		}
		*out = sv_skip(buf_sv(scratch), start);
		return true;
	}
	return false;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * DNS messages, and the two files of old: see dns.h. Every read of a message
 * is through a cursor that knows its end; names are skipped, never followed,
 * because the question is repeated literally and the addresses need none.
 */
#include <string.h>

#include "net/dns.h"

#define HEADER		12
#define CLASS_IN	1
#define FLAG_ANSWER	0x80	/* first byte of flags */
#define RCODE_MASK	0x0f	/* second byte */
#define RCODE_NXDOMAIN	3

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* ---- messages ---- */

/* see dns.h */
size_t
dns_put_question(unsigned char out[DNS_MESSAGE_MAX], uint16_t id,
    struct sv name, enum dns_type type)
{
	struct sv	label;
	size_t		n = HEADER;

	if (sv_ends(name, SV(".")))
		name.n--;
	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return 0;
	memset(out, 0, HEADER);
	put16(out, id);
	out[2] = 1;		/* recursion desired */
	put16(out + 4, 1);	/* one question */
	while (name.p != NULL) {
		label = sv_cut(&name, '.');
		if (label.n == 0 || label.n > 63)
			return 0;
		out[n++] = (unsigned char)label.n;
		memcpy(out + n, label.p, label.n);
		n += label.n;
	}
	out[n++] = 0;
	put16(out + n, type);
	put16(out + n + 2, CLASS_IN);
	return n + 4;
}

/* Skip a name: labels up to an empty one or a pointer. */
static int
skip_name(struct sv *s)
{
	unsigned char len;

	while (s->n > 0) {
		len = (unsigned char)s->p[0];
		if (len >= 0xc0) {
			if (s->n < 2)
				return -1;
			*s = sv_skip(*s, 2);
			return 0;
		}
		if (len > 63 || s->n < 1u + len)
			return -1;
		*s = sv_skip(*s, 1u + len);
		if (len == 0)
			return 0;
	}
	return -1;
}

static void
add_addr(struct addr v[DNS_ADDRS], size_t *n, int family, const void *ip,
    uint16_t port)
{
	struct addr *a;

	if (*n == DNS_ADDRS)
		return;
	a = &v[(*n)++];
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->in.sin_family = AF_INET;
		memcpy(&a->in.sin_addr, ip, 4);
		a->in.sin_port = htons(port);
		a->len = sizeof(a->in);
	} else {
		a->in6.sin6_family = AF_INET6;
		memcpy(&a->in6.sin6_addr, ip, 16);
		a->in6.sin6_port = htons(port);
		a->len = sizeof(a->in6);
	}
}

/* One record: owner, type, class, ttl, length, data. Of the type asked for
 * any owner will do: the server has followed the aliases for us. */
static int
read_record(struct sv *s, unsigned type, uint16_t port,
    struct addr v[DNS_ADDRS], size_t *n)
{
	const unsigned char	*p;
	size_t			 len;

	if (skip_name(s) == -1 || s->n < 10)
		return -1;
	p = (const unsigned char *)s->p;
	len = get16(p + 8);
	if (s->n - 10 < len)
		return -1;
	if (get16(p) == type && get16(p + 2) == CLASS_IN) {
		if (type == DNS_A && len == 4)
			add_addr(v, n, AF_INET, p + 10, port);
		else if (type == DNS_AAAA && len == 16)
			add_addr(v, n, AF_INET6, p + 10, port);
	}
	*s = sv_skip(*s, 10 + len);
	return 0;
}

/* Whether both begin with the same header and ask the same; case is not
 * looked at. */
static bool
repeats(struct sv answer, struct sv question)
{
	const unsigned char *p = (const unsigned char *)answer.p;

	return answer.n >= question.n &&
	    memcmp(answer.p, question.p, 2) == 0 &&
	    p[2] & FLAG_ANSWER && get16(p + 4) == 1 &&
	    sv_ieq(sv_make(answer.p + HEADER, question.n - HEADER),
	    sv_skip(question, HEADER));
}

/* see dns.h */
enum dns_result
dns_read_answer(struct sv answer, struct sv question, uint16_t port,
    struct addr v[DNS_ADDRS], size_t *n)
{
	const unsigned char	*p = (const unsigned char *)answer.p;
	unsigned		 type, left;
	bool			 truncated;

	if (!repeats(answer, question))
		return DNS_FOREIGN;
	type = get16((const unsigned char *)question.p + question.n - 4);
	if ((p[3] & RCODE_MASK) == RCODE_NXDOMAIN)
		return DNS_NO_NAME;
	if (p[3] & RCODE_MASK)
		return DNS_BROKEN;
	truncated = p[2] & 2;
	left = get16(p + 6);
	answer = sv_skip(answer, question.n);
	while (left-- > 0)
		if (read_record(&answer, type, port, v, n) == -1)
			return truncated ? DNS_FOUND : DNS_BROKEN;
	return DNS_FOUND;
}

/* ---- files ---- */

/* The next word of a line, and what is behind it. */
static struct sv
word(struct sv *line)
{
	struct sv	s;
	size_t		n;

	s = *line = sv_trim(*line);
	for (n = 0; n < s.n && s.p[n] != ' ' && s.p[n] != '\t'; n++)
		continue;
	*line = sv_skip(s, n);
	return sv_make(s.p, n);
}

/* The next line without its comment. */
static struct sv
next_line(struct sv *text)
{
	struct sv	line = sv_cut(text, '\n');
	size_t		n;

	for (n = 0; n < line.n && line.p[n] != '#' && line.p[n] != ';' &&
	    line.p[n] != '\r'; n++)
		continue;
	return sv_make(line.p, n);
}

static int
read_addr(struct addr *a, struct sv s, uint16_t port)
{
	char text[ADDR_STRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return addr_parse(a, text, port, false);
}

/* see dns.h */
size_t
dns_hosts_find(struct sv hosts, struct sv name, uint16_t port,
    struct addr v[DNS_ADDRS])
{
	struct addr	a;
	struct sv	line, ip;
	size_t		n = 0;

	while (hosts.p != NULL && n < DNS_ADDRS) {
		line = next_line(&hosts);
		ip = word(&line);
		while (line.n > 0)
			if (sv_ieq(word(&line), name)) {
				if (read_addr(&a, ip, port) == 0)
					v[n++] = a;
				break;
			}
	}
	return n;
}

static void
read_options(struct dns_conf *c, struct sv line)
{
	struct sv	opt;
	uint64_t	v;

	while (line.n > 0) {
		opt = word(&line);
		if (sv_starts(opt, SV("ndots:")) &&
		    sv_u64(sv_skip(opt, 6), &v) == 0)
			c->ndots = v > 15 ? 15 : (unsigned)v;
	}
}

/* see dns.h */
void
dns_conf_read(struct dns_conf *c, struct sv text, uint16_t port)
{
	struct sv line, key, s;

	memset(c, 0, sizeof(*c));
	c->ndots = 1;
	while (text.p != NULL) {
		line = next_line(&text);
		key = word(&line);
		if (sv_eq(key, SV("nameserver"))) {
			if (c->nserver < DNS_SERVERS &&
			    read_addr(&c->server[c->nserver], word(&line),
			    port) == 0)
				c->nserver++;
		} else if (sv_eq(key, SV("search")) ||
		    sv_eq(key, SV("domain"))) {
			/* The last of them counts. */
			for (c->nsearch = 0; c->nsearch < DNS_SEARCH; ) {
				if ((s = word(&line)).n == 0)
					break;
				if (!sv_eq(s, SV(".")))
					c->search[c->nsearch++] = s;
			}
		} else if (sv_eq(key, SV("options"))) {
			read_options(c, line);
		}
	}
	if (c->nserver == 0)
		(void)addr_parse(&c->server[c->nserver++], "127.0.0.1", port,
		    false);
}

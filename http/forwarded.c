/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See forwarded.h. The hops are read from the left, over all lines of the
 * header. What is kept is the answer were the list to end here: a hop that
 * is not trusted makes all before it worthless, and so does one that can't
 * be read (an obfuscated name, "unknown", garbage). It takes nothing from
 * those that follow it: a client's garbage does not hide the client.
 */
#include "http/forwarded.h"

/* An address as proxies write it: with or without port, IPv6 in brackets or
 * bare. */
static int
parse_hop(struct sv s, uint8_t ip[IP_LEN])
{
	struct sv	port = sv_make(NULL, 0);
	ptrdiff_t	i;
	uint64_t	n;

	if (s.n > 0 && s.p[0] == '[') {
		if ((i = sv_chr(s, ']')) == -1)
			return -1;
		port = sv_skip(s, (size_t)i + 1);
		s = sv_make(s.p + 1, (size_t)i - 1);
		if (sv_chr(s, ':') == -1 || (port.n > 0 && port.p[0] != ':'))
			return -1;
	} else if ((i = sv_chr(s, ':')) != -1 &&
	    sv_chr(sv_skip(s, (size_t)i + 1), ':') == -1) {
		port = sv_skip(s, (size_t)i);
		s.n = (size_t)i;
	}
	if (port.n > 0 && (sv_u64(sv_skip(port, 1), &n) == -1 || n > 65535))
		return -1;
	return ip_parse(ip, s) == -1 || ip_is_none(ip) ? -1 : 0;
}

/* value = token / quoted-string, up to one of ",;" or the end. Without
 * escapes: no address needs one. */
static int
take_value(struct sv *s, struct sv *out)
{
	ptrdiff_t	i;
	size_t		n = 0;

	if (s->n > 0 && s->p[0] == '"') {
		*s = sv_skip(*s, 1);
		if ((i = sv_chr(*s, '"')) == -1 ||
		    memchr(s->p, '\\', (size_t)i) != NULL)
			return -1;
		*out = sv_make(s->p, (size_t)i);
		*s = sv_skip(*s, (size_t)i + 1);
	} else {
		while (n < s->n && strchr(",; \t\"", s->p[n]) == NULL)
			n++;
		*out = sv_make(s->p, n);
		*s = sv_skip(*s, n);
	}
	*s = sv_trim(*s);
	return s->n == 0 || *s->p == ',' || *s->p == ';' ? 0 : -1;
}

/*
 * forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
 * forwarded-pair = token "=" value
 *
 * Cut one element off s; *hop is the value of its "for". -1: it is none.
 */
static int
take_element(struct sv *s, struct sv *hop)
{
	struct sv	name, value;
	ptrdiff_t	i;

	*hop = sv_make(NULL, 0);
	for (;;) {
		*s = sv_trim(*s);
		if (s->n > 0 && *s->p != ',' && *s->p != ';') {
			if ((i = sv_chr(*s, '=')) == -1)
				return -1;
			name = sv_make(s->p, (size_t)i);
			if (sv_chr(name, ',') != -1)
				return -1;
			*s = sv_skip(*s, (size_t)i + 1);
			if (take_value(s, &value) == -1)
				return -1;
			if (sv_ieq(name, SV("for")))
				*hop = value;
		}
		if (s->n == 0 || *s->p == ',')
			break;
		*s = sv_skip(*s, 1);
	}
	*s = s->n == 0 ? sv_make(NULL, 0) : sv_skip(*s, 1);
	return 0;
}

/* The answer so far. */
struct trail {
	const struct ip_set	*trusted;
	bool			 known;
	uint8_t			 ip[IP_LEN];
};

static void
add_hop(struct trail *t, struct sv hop)
{
	uint8_t ip[IP_LEN];

	if (parse_hop(hop, ip) == -1) {
		t->known = false;
	} else if (!t->known || !ip_set_has(t->trusted, ip)) {
		memcpy(t->ip, ip, IP_LEN);
		t->known = true;
	}
}

/* Forwarded: a list of elements. What is none ends at the first comma, also
 * in what looks like quotes: the next hop may have closed them. */
static void
add_elements(struct trail *t, struct sv line)
{
	struct sv start, hop;

	while (line.p != NULL) {
		start = line;
		if (take_element(&line, &hop) == -1) {
			hop = sv_make(NULL, 0);
			line = start;
			sv_cut(&line, ',');
		}
		add_hop(t, hop);
	}
}

/* see forwarded.h */
void
http_forwarded(const struct http_request *r, const char *header,
    const struct ip_set *trusted, uint8_t ip[IP_LEN])
{
	const struct sv	 name = sv_from(header);
	bool		 rfc7239 = sv_ieq(name, SV("forwarded"));
	struct trail	 t = { .trusted = trusted };
	struct sv	 line;
	size_t		 i;

	if (name.n == 0 || !ip_set_has(trusted, ip))
		return;
	for (i = 0; i < r->nheader; i++) {
		if (!sv_ieq(r->header[i].name, name))
			continue;
		line = r->header[i].value;
		if (rfc7239)
			add_elements(&t, line);
		else
			while (line.p != NULL)
				add_hop(&t, sv_trim(sv_cut(&line, ',')));
	}
	if (t.known)
		memcpy(ip, t.ip, IP_LEN);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Socket addresses from and to text. Numeric only: names are the DNS
 * thread's matter, and a listener has no use for them.
 */
#include <sys/un.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "net/net.h"

static void
addr_set4(struct addr *a, struct in_addr ip, uint16_t port)
{
	a->in.sin_family = AF_INET;
	a->in.sin_addr = ip;
	a->in.sin_port = htons(port);
	a->len = sizeof(a->in);
}

static void
addr_set6(struct addr *a, struct in6_addr ip, uint16_t port)
{
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_addr = ip;
	a->in6.sin6_port = htons(port);
	a->len = sizeof(a->in6);
}

/* see net.h */
int
addr_parse(struct addr *a, const char *host, uint16_t port, bool any6)
{
	struct in_addr	 ip4 = { htonl(INADDR_ANY) };
	struct in6_addr	 ip6 = IN6ADDR_ANY_INIT;
	char		 text[INET6_ADDRSTRLEN];
	size_t		 n = strlen(host);

	memset(a, 0, sizeof(*a));
	if (n == 0) {
		if (any6)
			addr_set6(a, ip6, port);
		else
			addr_set4(a, ip4, port);
		return 0;
	}
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &ip4) == 1) {
		addr_set4(a, ip4, port);
		return 0;
	}
	if (host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof(text))
		return -1;
	memcpy(text, host, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &ip6) != 1)
		return -1;
	addr_set6(a, ip6, port);
	return 0;
}

/* see net.h */
const char *
addr_format(const struct addr *a, char out[ADDR_STRLEN])
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (a->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof(ip));
		snprintf(out, ADDR_STRLEN, "[%s]:%u", ip,
		    (unsigned)ntohs(a->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a->in.sin_addr, ip, sizeof(ip));
		snprintf(out, ADDR_STRLEN, "%s:%u", ip,
		    (unsigned)ntohs(a->in.sin_port));
	}
	return out;
}

/* see net.h */
uint16_t
addr_ip(const struct addr *a, uint8_t ip[IP_LEN])
{
	if (a->sa.sa_family == AF_INET6) {
		memcpy(ip, &a->in6.sin6_addr, IP_LEN);
		return ntohs(a->in6.sin6_port);
	}
	if (a->sa.sa_family == AF_INET) {
		ip_from_v4(ip, &a->in.sin_addr);
		return ntohs(a->in.sin_port);
	}
	memset(ip, 0, IP_LEN);
	return 0;
}

/* see net.h */
void
net_where(int fd, char out[NET_WHERE_LEN])
{
	struct sockaddr_un	un;
	struct addr		a;
	socklen_t		n = sizeof(un);
	char			*path = un.sun_path;

	memset(&un, 0, sizeof(un));
	a.len = sizeof(a.in6);
	if (getsockname(fd, (struct sockaddr *)&un, &n) == -1 ||
	    un.sun_family == AF_UNIX) {
		if (*path == '\0' && path[1] != '\0')
			*path = '@';
		snprintf(out, NET_WHERE_LEN, "unix:%.*s",
		    (int)sizeof(un.sun_path), path);
	} else if (getsockname(fd, &a.sa, &a.len) == 0) {
		addr_format(&a, out);
	}
}

/* see net.h */
const char *
conn_peer(const struct conn *c, char out[ADDR_STRLEN])
{
	return ip_format(c->peer_ip, out);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Addresses and networks as text: 192.0.2.1, 10.0.0.0/8, 2001:db8::/32. An
 * IPv4 network is kept as the part of IPv6 that it is mapped to.
 */
#include <arpa/inet.h>

#include "conf/load.h"

#define V4_BITS		32
#define V6_BITS		128
#define MAPPED		96	/* length of ::ffff:0:0/96 */

/* Decimal digits of a number up to max, and nothing else. */
static int
parse_bits(struct sv s, unsigned max, unsigned *out)
{
	size_t i;

	*out = 0;
	if (s.n == 0 || s.n > 3)
		return -1;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		*out = *out * 10 + (unsigned)(s.p[i] - '0');
	}
	return *out <= max ? 0 : -1;
}

/* Whether all bits after the first are zero. */
static bool
is_network(const struct conf_cidr *c)
{
	unsigned i;

	for (i = c->bits; i < V6_BITS; i++)
		if (c->addr[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

/* see load.h */
int
conf_cidr_parse(struct sv s, struct conf_cidr *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	unsigned max = V6_BITS, bits;
	struct sv host;

	*out = (struct conf_cidr){ .bits = 0 };
	host = sv_cut(&s, '/');
	if (host.n == 0 || host.n >= sizeof(text))
		return -1;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, out->addr + sizeof(mapped)) == 1) {
		memcpy(out->addr, mapped, sizeof(mapped));
		max = V4_BITS;
	} else if (inet_pton(AF_INET6, text, out->addr) != 1)
		return -1;
	bits = max;
	if (s.p != NULL && parse_bits(s, max, &bits) == -1)
		return -1;
	out->bits = (uint8_t)(max == V4_BITS ? bits + MAPPED : bits);
	return is_network(out) ? 0 : -1;
}

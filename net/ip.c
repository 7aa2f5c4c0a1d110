/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See ip.h.
 */
#include <sys/socket.h>
#include <arpa/inet.h>

#include "net/ip.h"

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* see ip.h */
bool
ip_is_none(const uint8_t ip[IP_LEN])
{
	static const uint8_t none[IP_LEN];

	return memcmp(ip, none, IP_LEN) == 0;
}

/* see ip.h */
bool
ip_is_v4(const uint8_t ip[IP_LEN])
{
	return memcmp(ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* see ip.h */
void
ip_from_v4(uint8_t ip[IP_LEN], const void *four)
{
	memcpy(ip, v4_prefix, sizeof(v4_prefix));
	memcpy(ip + sizeof(v4_prefix), four, 4);
}

/* see ip.h */
int
ip_parse(uint8_t ip[IP_LEN], struct sv text)
{
	char		buf[INET6_ADDRSTRLEN];
	uint8_t		four[4];

	memset(ip, 0, IP_LEN);
	if (text.n >= sizeof(buf) || (text.n > 0 &&
	    memchr(text.p, '\0', text.n) != NULL))
		return -1;
	sv_copy(buf, sizeof(buf), text);
	if (inet_pton(AF_INET, buf, four) == 1) {
		ip_from_v4(ip, four);
		return 0;
	}
	return inet_pton(AF_INET6, buf, ip) == 1 ? 0 : -1;
}

/* see ip.h */
const char *
ip_format(const uint8_t ip[IP_LEN], char out[IP_STRLEN])
{
	if (ip_is_none(ip))
		sv_copy(out, IP_STRLEN, SV("unix:"));
	else if (ip_is_v4(ip))
		inet_ntop(AF_INET, ip + sizeof(v4_prefix), out, IP_STRLEN);
	else
		inet_ntop(AF_INET6, ip, out, IP_STRLEN);
	return out;
}

static bool
net_has(const struct ip_net *net, const uint8_t ip[IP_LEN])
{
	unsigned bytes = net->bits / 8, rest = net->bits % 8;

	return memcmp(net->ip, ip, bytes) == 0 && (rest == 0 ||
	    (net->ip[bytes] ^ ip[bytes]) >> (8 - rest) == 0);
}

/* see ip.h */
bool
ip_set_has(const struct ip_set *s, const uint8_t ip[IP_LEN])
{
	size_t i;

	if (ip_is_none(ip))
		return s->none;
	for (i = 0; i < s->n; i++)
		if (net_has(&s->net[i], ip))
			return true;
	return false;
}

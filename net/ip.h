/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * IP addresses as 16 bytes, IPv4 ones as ::ffff:a.b.c.d, and sets of
 * networks. Pure. Sixteen zeros are no address: that is how a peer on a Unix
 * socket appears, and as text it is "unix:".
 */
#ifndef NET_IP_H
#define NET_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sv.h"

#define IP_LEN		16
#define IP_STRLEN	48	/* the longest text and a NUL */

bool	ip_is_none(const uint8_t ip[IP_LEN]);
bool	ip_is_v4(const uint8_t ip[IP_LEN]);
void	ip_from_v4(uint8_t ip[IP_LEN], const void *four);
/* A numeric address, nothing around it. 0, or -1 with ip all zero. */
int	ip_parse(uint8_t ip[IP_LEN], struct sv text);
const char *ip_format(const uint8_t ip[IP_LEN], char out[IP_STRLEN]);

/* A set of networks; bits behind a prefix are 0. */
struct ip_net {
	uint8_t		ip[IP_LEN];
	uint8_t		bits;		/* of 128 */
};
struct ip_set {
	struct ip_net	*net;
	size_t		 n;
	bool		 none;		/* peers on Unix sockets, too */
};

bool	ip_set_has(const struct ip_set *, const uint8_t ip[IP_LEN]);

#endif

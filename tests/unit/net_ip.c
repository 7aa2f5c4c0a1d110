/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * IP addresses and sets of networks.
 */
#include "net/ip.h"
#include "tests/unit/test.h"

TEST(addresses_to_and_from_text)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::1", "::1" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "2001:DB8:0::5", "2001:db8::5" },
		{ "", NULL }, { "1.2.3", NULL }, { "1.2.3.4.5", NULL },
		{ "256.1.1.1", NULL }, { "01.2.3.4", NULL },
		{ "1.2.3.4 ", NULL }, { "[::1]", NULL }, { "1::2::3", NULL },
		{ "fe80::1%eth0", NULL }, { "localhost", NULL },
		{ "1111:2222:3333:4444:5555:6666:123.123.123.1234", NULL },
	};
	uint8_t	ip[IP_LEN];
	char	text[IP_STRLEN];
	size_t	i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *in = guard_dup(sv_from(rows[i].in));

		test_note("<%s>", rows[i].in);
		CHECK_INT(ip_parse(ip, sv_make(in, strlen(rows[i].in))),
		    rows[i].out == NULL ? -1 : 0);
		CHECK_STR(ip_format(ip, text),
		    rows[i].out == NULL ? "unix:" : rows[i].out);
		CHECK(ip_is_none(ip) == (rows[i].out == NULL));
		guard_free(in);
	}
	CHECK_INT(ip_parse(ip, sv_make("1.2.3.4\0x", 9)), -1);
	CHECK(ip_parse(ip, SV("1.2.3.4")) == 0 && ip_is_v4(ip));
	CHECK(ip_parse(ip, SV("::2")) == 0 && !ip_is_v4(ip));
}

static struct ip_net
net_of(const char *ip, unsigned bits)
{
	struct ip_net net = { .bits = (uint8_t)bits };

	CHECK_INT(ip_parse(net.ip, sv_from(ip)), 0);
	return net;
}

static bool
has(const struct ip_set *s, const char *text)
{
	uint8_t ip[IP_LEN];

	CHECK_INT(ip_parse(ip, sv_from(text)), 0);
	return ip_set_has(s, ip);
}

TEST(networks_have_their_addresses_and_no_other)
{
	static const uint8_t none[IP_LEN];
	struct ip_net	net[] = {
		net_of("10.0.0.0", 96 + 8), net_of("192.168.4.0", 96 + 22),
		net_of("203.0.113.7", 128), net_of("2001:db8::", 33),
	};
	struct ip_set	s = { .net = net, .n = 4 };

	CHECK(has(&s, "10.0.0.0"));
	CHECK(has(&s, "10.255.255.255"));
	CHECK(!has(&s, "11.0.0.0"));
	CHECK(!has(&s, "9.255.255.255"));
	CHECK(has(&s, "192.168.7.255"));
	CHECK(!has(&s, "192.168.8.0"));
	CHECK(!has(&s, "192.168.3.255"));
	CHECK(has(&s, "203.0.113.7"));
	CHECK(!has(&s, "203.0.113.6"));
	CHECK(has(&s, "2001:db8:7fff::1"));
	CHECK(!has(&s, "2001:db8:8000::1"));
	CHECK(!has(&s, "::10.0.0.1"));
	CHECK(!ip_set_has(&s, none));
	s.none = true;
	CHECK(ip_set_has(&s, none));
	net[0].bits = 0;
	CHECK(has(&s, "9.9.9.9"));
	s.n = 0;
	CHECK(!has(&s, "10.0.0.1"));
}

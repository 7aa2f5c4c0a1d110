/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Answers to a question for "a.bc", the two files, and names: the input is
 * each of them.
 */
#include <assert.h>

#include "net/dns.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned char	q[DNS_MESSAGE_MAX];
	struct dns_conf	conf;
	struct addr	v[DNS_ADDRS];
	struct sv	s = sv_make(p, n);
	size_t		len, k = 0;

	len = dns_put_question(q, 0x1234, SV("a.bc"), DNS_A);
	(void)dns_read_answer(s, sv_make(q, len), 80, v, &k);
	assert(k <= DNS_ADDRS);
	len = dns_put_question(q, 0x1234, SV("a.bc"), DNS_AAAA);
	(void)dns_read_answer(s, sv_make(q, len), 80, v, &k);
	assert(k <= DNS_ADDRS);
	assert(dns_hosts_find(s, SV("x"), 80, v) <= DNS_ADDRS);
	dns_conf_read(&conf, s, 53);
	assert(conf.nserver >= 1 && conf.nserver <= DNS_SERVERS);
	len = dns_put_question(q, 0, s, DNS_A);
	assert(len == 0 || len <= 12 + DNS_NAME_MAX + 2 + 4);
	return 0;
}

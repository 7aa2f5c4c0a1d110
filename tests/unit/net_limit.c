/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Limits for each client address.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/limit.h"
#include "tests/unit/test.h"

static struct limiter *l;

static enum limit_verdict
come(const char *text, int64_t now)
{
	uint8_t	ip[IP_LEN];
	bool	counted;

	enum limit_verdict v;

	CHECK_INT(ip_parse(ip, sv_from(text)), 0);
	v = limiter_take(l, ip, now, &counted);
	CHECK_INT(counted, v == LIMIT_OK);
	return v;
}

static void
go(const char *text, int64_t now)
{
	uint8_t ip[IP_LEN];

	CHECK_INT(ip_parse(ip, sv_from(text)), 0);
	limiter_give(l, ip, now);
}

static uint64_t
known(void)
{
	struct limit_stats s;

	limiter_stats(l, &s);
	return s.addresses;
}

TEST(connections_at_a_time)
{
	struct limit_stats s;

	l = limiter_new(2, 0);
	CHECK_INT(come("1.1.1.1", 5), LIMIT_OK);
	CHECK_INT(come("1.1.1.1", 5), LIMIT_OK);
	CHECK_INT(come("1.1.1.1", 5), LIMIT_CONNS);
	CHECK_INT(come("1.1.1.2", 5), LIMIT_OK);
	go("1.1.1.1", 6);
	CHECK_INT(come("1.1.1.1", 6), LIMIT_OK);
	CHECK_INT(come("1.1.1.1", 6), LIMIT_CONNS);
	limiter_stats(l, &s);
	CHECK_INT(s.refused_conns, 2);
	CHECK_INT(s.refused_rate, 0);
	CHECK_INT(s.addresses, 2);
	limiter_free(l);
}

TEST(new_connections_a_second)
{
	struct limit_stats	s;
	int			i, n = 0;

	l = limiter_new(0, 10);
	for (i = 0; i < 25; i++)
		if (come("1.1.1.1", 1000) == LIMIT_OK)
			n++;
	CHECK_INT(n, 10);
	CHECK_INT(come("1.1.1.1", 1099), LIMIT_RATE);
	CHECK_INT(come("1.1.1.1", 1100), LIMIT_OK);
	CHECK_INT(come("1.1.1.1", 1100), LIMIT_RATE);
	/* Over time it is the rate, whatever was refused between. */
	for (i = 0, n = 0; i < 5000; i++)
		if (come("1.1.1.1", 1101 + i) == LIMIT_OK)
			n++;
	CHECK_INT(n, 50);
	limiter_stats(l, &s);
	CHECK(s.refused_rate > 4900);
	limiter_free(l);
}

TEST(one_a_second)
{
	l = limiter_new(0, 1);
	CHECK_INT(come("::1", 0), LIMIT_OK);
	CHECK_INT(come("::1", 999), LIMIT_RATE);
	CHECK_INT(come("::1", 1000), LIMIT_OK);
	limiter_free(l);
}

TEST(a_network_of_64_bits_is_one_client)
{
	l = limiter_new(1, 0);
	CHECK_INT(come("2001:db8::1", 0), LIMIT_OK);
	CHECK_INT(come("2001:db8::ffff:ffff:ffff:ffff", 0), LIMIT_CONNS);
	CHECK_INT(come("2001:db8:0:1::1", 0), LIMIT_OK);
	CHECK_INT(come("10.0.0.1", 0), LIMIT_OK);
	CHECK_INT(come("10.0.0.2", 0), LIMIT_OK);
	go("2001:db8::7", 0);
	CHECK_INT(come("2001:db8::2", 0), LIMIT_OK);
	limiter_free(l);
}

TEST(addresses_are_forgotten)
{
	char	text[32];
	int	i, k;

	l = limiter_new(0, 5);
	for (k = 0; k < 20; k++) {
		for (i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "10.%d.%d.%d", k, i / 250,
			    i % 250);
			CHECK_INT(come(text, k * 1000), LIMIT_OK);
			go(text, k * 1000);
		}
		CHECK(known() <= 2000);
	}
	/* Who stays is remembered. */
	CHECK_INT(come("9.9.9.9", 20000), LIMIT_OK);
	for (i = 0; i < 250; i++) {
		snprintf(text, sizeof(text), "11.0.0.%d", i);
		come(text, 90000);
		go(text, 90000);
	}
	go("9.9.9.9", 90000);
	CHECK(known() >= 1);
	limiter_free(l);
}

/* Threads that come and go leave nothing behind. */
static void *
churn(void *arg)
{
	unsigned	seed = (unsigned)(uintptr_t)arg;
	uint8_t		ip[IP_LEN];
	bool		counted;
	char		text[32];
	int		i;

	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		snprintf(text, sizeof(text), "10.0.0.%u", seed >> 20 & 63);
		ip_parse(ip, sv_from(text));
		if (limiter_take(l, ip, i, &counted) == LIMIT_OK && counted)
			limiter_give(l, ip, i);
	}
	return NULL;
}

TEST(shared_by_threads)
{
	pthread_t	t[4];
	uintptr_t	i;
	char		text[32];

	l = limiter_new(2, 0);
	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, churn, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < 64; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u", (unsigned)i);
		CHECK_INT(come(text, 30000), LIMIT_OK);
		CHECK_INT(come(text, 30000), LIMIT_OK);
		CHECK_INT(come(text, 30000), LIMIT_CONNS);
	}
	limiter_free(l);
}

/* Out of memory nobody is refused, and what was not counted is not given. */
static bool
sweep(void)
{
	static const uint8_t	ip[IP_LEN] = { 1 };
	bool			counted, ok = false;

	if ((l = limiter_new(1, 1)) == NULL)
		return false;
	if (limiter_take(l, ip, 0, &counted) == LIMIT_OK && counted) {
		limiter_give(l, ip, 0);
		ok = true;
	}
	limiter_free(l);
	return ok;
}

TEST(out_of_memory)
{
	ALLOC_SWEEP(sweep);
}

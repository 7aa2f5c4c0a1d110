/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The session cache: what it gives back to whom, and what it forgets.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "tls/session.h"

static const struct tls_session_scope here = { 7, 9 };

static br_ssl_session_parameters
session(unsigned i)
{
	br_ssl_session_parameters p = { .session_id_len = 32,
	    .version = BR_TLS12, .cipher_suite = (uint16_t)(0xc000 + i) };

	memcpy(p.session_id, &i, sizeof(i));
	memset(p.master_secret, (int)i, sizeof(p.master_secret));
	return p;
}

static void
put(struct tls_sessions *ss, unsigned i, const char *subject, int64_t now,
    int64_t until)
{
	br_ssl_session_parameters p = session(i);

	tls_sessions_put(ss, &p, &here, subject, now, until);
}

static bool
get(struct tls_sessions *ss, unsigned i, int64_t now)
{
	br_ssl_session_parameters p = session(i), want = p;
	char	*subject;
	bool	 found;

	memset(p.master_secret, 0, sizeof(p.master_secret));
	p.version = p.cipher_suite = 0;
	found = tls_sessions_get(ss, &p, &here, now, &subject);
	if (found) {
		CHECK(memcmp(p.master_secret, want.master_secret, 48) == 0);
		CHECK_INT(p.version, want.version);
		CHECK_INT(p.cipher_suite, want.cipher_suite);
		CHECK(memcmp(p.session_id, want.session_id, 32) == 0);
	}
	free(subject);
	return found;
}

TEST(remembers_until_the_end)
{
	struct tls_sessions *ss = tls_sessions_new(64);

	put(ss, 1, "", 1000, 2000);
	CHECK(get(ss, 1, 1000));
	CHECK(get(ss, 1, 1999));
	CHECK(!get(ss, 2, 1500));
	CHECK(!get(ss, 1, 2000));
	/* And not again if the clock were wrong. */
	CHECK(!get(ss, 1, 1500));
	put(ss, 3, "", 1000, 1000);
	CHECK(!get(ss, 3, 0));
	tls_sessions_free(ss);
}

TEST(keeps_to_its_scope)
{
	struct tls_sessions		*ss = tls_sessions_new(64);
	br_ssl_session_parameters	 p = session(1), kept = p;
	char				*subject;
	struct tls_session_scope	 name = { 8, 9 }, trust = { 7, 10 };

	put(ss, 1, "CN=jack", 1000, 2000);
	memset(p.master_secret, 0, 48);
	CHECK(!tls_sessions_get(ss, &p, &name, 1500, &subject));
	CHECK(subject == NULL);
	CHECK(!tls_sessions_get(ss, &p, &trust, 1500, &subject));
	CHECK(memcmp(p.master_secret, kept.master_secret, 48) != 0);
	CHECK(tls_sessions_get(ss, &p, &here, 1500, &subject));
	CHECK_STR(subject, "CN=jack");
	free(subject);
	tls_sessions_free(ss);
}

TEST(makes_room_for_new_ones)
{
	struct tls_sessions	*ss = tls_sessions_new(4);
	unsigned		 i;

	/* The one that ends first goes, not the one that came first. */
	for (i = 0; i < 4; i++)
		put(ss, i, i == 2 ? "CN=jack" : "", 1000, i == 2 ? 1500 : 2000);
	put(ss, 4, "", 1000, 2000);
	for (i = 0; i < 5; i++)
		CHECK_INT(get(ss, i, 1100), i != 2);
	/* One that is over, before any. */
	put(ss, 5, "", 1000, 1200);
	CHECK_INT(get(ss, 0, 1100) + get(ss, 1, 1100) + get(ss, 3, 1100) +
	    get(ss, 4, 1100) + get(ss, 5, 1100), 4);
	put(ss, 6, "", 1300, 2300);
	CHECK(get(ss, 6, 1300));
	CHECK_INT(get(ss, 0, 1300) + get(ss, 1, 1300) + get(ss, 3, 1300) +
	    get(ss, 4, 1300), 3);
	tls_sessions_free(ss);
	ss = tls_sessions_new(0);
	put(ss, 1, "", 1000, 2000);
	CHECK(get(ss, 1, 1000));
	tls_sessions_free(ss);
	tls_sessions_free(NULL);
}

TEST(holds_as_many_as_it_was_made_for)
{
	struct tls_sessions	*ss = tls_sessions_new(1000);
	unsigned		 i, found = 0;

	/* Ids of a counter, spread evenly: none is pushed out. */
	for (i = 0; i < 1000; i++)
		put(ss, i, "", 1000, 2000);
	for (i = 0; i < 1000; i++)
		found += get(ss, i, 1500);
	CHECK_INT(found, 1000);
	tls_sessions_free(ss);
}

static bool
use_all(void)
{
	struct tls_sessions	*ss = tls_sessions_new(8);
	bool			 found = false;

	if (ss == NULL)
		return false;
	put(ss, 1, "CN=jack", 1000, 2000);
	found = get(ss, 1, 1000);
	tls_sessions_free(ss);
	return found;
}

TEST(does_without_memory)
{
	ALLOC_SWEEP(use_all);
}

static void *
hammer(void *arg)
{
	struct tls_sessions	*ss = arg;
	unsigned		 i;

	for (i = 0; i < 5000; i++) {
		put(ss, i % 50, "CN=jack", i, i + 100);
		get(ss, (i + 7) % 50, i);
	}
	return NULL;
}

TEST(is_everybodys)
{
	struct tls_sessions	*ss = tls_sessions_new(16);
	pthread_t		 t[4];
	int			 i;

	for (i = 0; i < 4; i++)
		CHECK_INT(pthread_create(&t[i], NULL, hammer, ss), 0);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	tls_sessions_free(ss);
}

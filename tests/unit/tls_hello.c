/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What is read ahead of a ClientHello: name, protocols, and everything that
 * must not pass for a whole one.
 */
#include "tests/unit/test.h"
#include "tls/hello.h"

#define SUITES	"\0\2\xc0\x2f" "\1\0"
#define NAME	"\0\0" "\0\xe" "\0\xc" "\0" "\0\x9" "a.example"
#define HTTP	"\0\x10" "\0\xb" "\0\x9" "\x8" "http/1.1"
#define H2	"\0\x10" "\0\x5" "\0\x3" "\2h2"
#define BOTH	"\0\x10" "\0\xe" "\0\xc" "\2h2" "\x8" "http/1.1"
#define OTHER	"\0\x17\0\0"

static const struct {
	struct sv	 in;
	int		 rc;
	const char	*name;
	bool		 alpn, http;
} rows[] = {
	{ SV_INIT(SUITES "\0\0"), 0, "", false, false },
	{ SV_INIT(SUITES "\0\4" OTHER), 0, "", false, false },
	{ SV_INIT(SUITES "\0\x12" NAME), 0, "a.example", false, false },
	{ SV_INIT(SUITES "\0\xf" HTTP), 0, "", true, true },
	{ SV_INIT(SUITES "\0\x9" H2), 0, "", true, false },
	{ SV_INIT(SUITES "\0\x28" OTHER NAME BOTH), 0, "a.example", true,
	    true },
	/* No extensions: might be cut off. */
	{ SV_INIT(SUITES), -1, "", false, false },
	{ SV_INIT(""), -1, "", false, false },
	/* Twice, where the last would count. */
	{ SV_INIT(SUITES "\0\x18" HTTP H2), -1, "", true, true },
	{ SV_INIT(SUITES "\0\x24" NAME NAME), -1, "", false, false },
	/* Lengths that lie. */
	{ SV_INIT(SUITES "\0\5" OTHER), -1, "", false, false },
	{ SV_INIT(SUITES "\0\3" OTHER), -1, "", false, false },
	{ SV_INIT(SUITES "\0\4" "\0\x17\0\1"), -1, "", false, false },
	{ SV_INIT(SUITES "\0\6" "\0\x10\0\2\0\1"), -1, "", false, false },
	{ SV_INIT(SUITES "\0\7" "\0\x10\0\3\0\1\2"), -1, "", false, false },
	{ SV_INIT(SUITES "\0\7" "\0\x10\0\3\0\0\2"), -1, "", false, false },
	{ SV_INIT(SUITES "\0\7" "\0\0\0\3\0\1\0"), -1, "", false, false },
	{ SV_INIT("\xff\xff" SUITES), -1, "", false, false }
};

TEST(reads_ahead)
{
	struct tls_hello	 h;
	size_t			 i;
	char			*p;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		p = guard_dup(rows[i].in);
		CHECK_INT(tls_hello_parse(&h, sv_make(p, rows[i].in.n)),
		    rows[i].rc);
		if (rows[i].rc == 0) {
			CHECK_SV(h.name, rows[i].name);
			CHECK_INT(h.alpn, rows[i].alpn);
			CHECK_INT(h.http, rows[i].http);
		}
		guard_free(p);
	}
}

TEST(takes_no_part_for_the_whole)
{
	struct sv		 whole = SV(SUITES "\0\x28" OTHER NAME BOTH);
	struct tls_hello	 h;
	size_t			 n;
	char			*p;

	for (n = 0; n < whole.n; n++) {
		p = guard_dup(sv_make(whole.p, n));
		CHECK_INT(tls_hello_parse(&h, sv_make(p, n)), -1);
		guard_free(p);
	}
}

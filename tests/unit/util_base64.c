/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Base 64: the vectors of RFC 4648, section 10, what must be refused, and
 * every length both ways.
 */
#include "tests/unit/test.h"
#include "util/base64.h"

static const struct {
	const char	*plain, *std, *url;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbe", "+/++", "-_--" },
	{ "\xff\xff", "//8=", "__8" },
};

static const struct {
	const char	*in;
	bool		 url;
} bad[] = {
	/* padding */
	{ "Zg", false }, { "Zg=", false }, { "Zg===", false },
	{ "Zm8", false }, { "Zm8==", false }, { "=", false }, { "==", false },
	{ "===", false }, { "====", false }, { "Zm9v====", false },
	{ "Zg==Zg==", false }, { "Z===", false }, { "Z=g=", false },
	{ "=Zg=", false },
	{ "Zg==", true }, { "Zm8=", true }, { "=", true },
	/* one digit is no byte */
	{ "Z", true }, { "Zm9vY", true },
	/* trailing bits */
	{ "Zh==", false }, { "Zm9=", false }, { "Zh", true }, { "Zm9", true },
	{ "Zv", true },
	/* the other alphabet, white space, others */
	{ "-_--", false }, { "+/++", true }, { "Zm9 ", false },
	{ "Zm\n9", false }, { "Zm9v\n", true }, { " Zm9v", true },
	{ "Zm9.", true }, { "Zm\xc3\xa4", false }, { "Zm9@", true },
	{ "Zm9[", true }, { "Zm9`", true }, { "Zm9{", true }, { "Zm9:", true },
	{ "Zm9,", true },
};

static int
get(struct buf *b, const char *in, bool url)
{
	char	*p = guard_dup(sv_from(in));
	int	 rc = url ? base64url_get(b, sv_make(p, strlen(in))) :
		    base64_get(b, sv_make(p, strlen(in)));

	guard_free(p);
	return rc;
}

TEST(rfc_vectors)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char	*p = guard_dup(sv_from(vectors[i].plain));
		struct sv s = sv_make(p, strlen(vectors[i].plain));

		test_note("row %zu", i);
		buf_reset(&b);
		base64_put(&b, s);
		CHECK_SV(buf_sv(&b), vectors[i].std);
		buf_reset(&b);
		base64url_put(&b, s);
		CHECK_SV(buf_sv(&b), vectors[i].url);
		buf_reset(&b);
		CHECK_INT(get(&b, vectors[i].std, false), 0);
		CHECK_SV(buf_sv(&b), vectors[i].plain);
		buf_reset(&b);
		CHECK_INT(get(&b, vectors[i].url, true), 0);
		CHECK_SV(buf_sv(&b), vectors[i].plain);
		guard_free(p);
	}
	buf_fini(&b);
}

TEST(refuses)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	buf_puts(&b, "kept");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("row %zu: %s", i, bad[i].in);
		CHECK_INT(get(&b, bad[i].in, bad[i].url), -1);
		CHECK_SV(buf_sv(&b), "kept");
	}
	CHECK_INT(base64_get(&b, SV("Zm\0v")), -1);
	CHECK(!b.failed);
	buf_fini(&b);
}

TEST(every_length_both_ways)
{
	char		bytes[256];
	struct buf	e = BUF_INIT, d = BUF_INIT;
	size_t		n;

	for (n = 0; n < sizeof(bytes); n++)
		bytes[n] = (char)(n * 167 + 13);
	for (n = 0; n <= sizeof(bytes); n++) {
		struct sv	s = sv_make(bytes, n);

		buf_reset(&e);
		buf_reset(&d);
		base64_put(&e, s);
		CHECK_INT(e.n, (n + 2) / 3 * 4);
		CHECK_INT(base64_get(&d, buf_sv(&e)), 0);
		CHECK_SVEQ(buf_sv(&d), s);
		buf_reset(&e);
		buf_reset(&d);
		base64url_put(&e, s);
		CHECK_INT(base64url_get(&d, buf_sv(&e)), 0);
		CHECK_SVEQ(buf_sv(&d), s);
	}
	buf_fini(&e);
	buf_fini(&d);
}

static bool
round_trip(void)
{
	struct buf	e = BUF_INIT, d = BUF_INIT;
	bool		ok;

	base64_put(&e, SV("foobar"));
	ok = base64_get(&d, buf_sv(&e)) == 0 && d.n == 6;
	if (d.failed)
		CHECK(!ok);
	buf_fini(&e);
	buf_fini(&d);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(round_trip);
}

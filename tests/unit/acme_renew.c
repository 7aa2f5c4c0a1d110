/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * When to renew and to try again, and the identifier that renewal information
 * is asked with, of a certificate cut off at every byte.
 */
#include "acme/renew.h"
#include "tests/unit/acme_data.h"
#include "tests/unit/test.h"
#include "util/pem.h"
#include "util/base64.h"

#define HOUR	3600
#define DAY	(24 * HOUR)

TEST(renewal_with_a_third_left)
{
	static const struct {
		int64_t		life, left;	/* hours, without jitter */
	} rows[] = {
		{ 90 * 24, 30 * 24 }, { 64 * 24, 64 * 8 }, { 45 * 24, 15 * 24 },
		{ 6 * 24 + 16, 160 / 3 }, { 24, 8 }, { 365 * 24, 365 * 8 },
	};
	const int64_t	from = 1800000000;
	int64_t		to;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%lld hours", (long long)rows[i].life);
		to = from + rows[i].life * HOUR;
		CHECK_INT((to - acme_renew_at(from, to, 0)) / HOUR,
		    rows[i].left);
		/* Jitter makes it earlier, by a twentieth at most. */
		CHECK(acme_renew_at(from, to, 1) <= acme_renew_at(from, to,
		    0));
		CHECK(acme_renew_at(from, to, 65535) <
		    acme_renew_at(from, to, 32768));
		CHECK(acme_renew_at(from, to, 65535) >= acme_renew_at(from,
		    to, 0) - (to - from) / 20);
	}
}

TEST(late_is_the_last_fifth)
{
	CHECK(!acme_is_late(0, 100, 79));
	CHECK(!acme_is_late(0, 100, 80));
	CHECK(acme_is_late(0, 100, 81));
	CHECK(acme_is_late(0, 100, 200));
}

/* n, soft, left, retry_after; what it is without jitter. */
TEST(back_off)
{
	static const struct {
		unsigned	n;
		bool		soft;
		int64_t		left, retry, wait;
	} rows[] = {
		{ 0, false, 0, 0, 60 }, { 1, false, 0, 0, 60 },
		{ 2, false, 0, 0, 120 }, { 5, false, 0, 0, 960 },
		{ 9, false, 0, 0, 15360 }, { 10, false, 0, 0, 6 * HOUR },
		{ 4000000000u, false, 0, 0, 6 * HOUR },
		{ 1, true, 0, 0, 5 }, { 3, true, 0, 0, 20 },
		{ 1000, true, 0, 0, 6 * HOUR },
		/* Nothing helps if it is tried after the end. */
		{ 100, false, 80 * DAY, 0, DAY }, { 100, false, 4 * DAY, 0,
		    12 * HOUR }, { 100, false, HOUR, 0, HOUR },
		{ 100, false, -DAY, 0, 6 * HOUR },
		{ 1, true, 0, 7200, 7200 }, { 1, false, 0, 30, 60 },
		{ 1, true, 0, INT32_MAX, 7 * DAY },
		{ 1, true, 0, -5, 5 },
	};
	int64_t	least, most;
	size_t	i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		CHECK_INT(acme_backoff(rows[i].n, rows[i].soft, rows[i].left,
		    rows[i].retry, 32768), rows[i].wait);
		least = acme_backoff(rows[i].n, rows[i].soft, rows[i].left,
		    rows[i].retry, 0);
		most = acme_backoff(rows[i].n, rows[i].soft, rows[i].left,
		    rows[i].retry, 65535);
		CHECK(rows[i].retry > 60 || (least <= rows[i].wait &&
		    least >= rows[i].wait * 3 / 4 && most >= rows[i].wait &&
		    most <= rows[i].wait * 5 / 4));
	}
}

/* ---- identifiers ---- */

static struct buf
der_of(struct sv text)
{
	struct buf	der = BUF_INIT;
	struct pem	block;

	CHECK_INT(pem_next(&text, &block), 1);
	CHECK_INT(pem_decode(&der, &block), 0);
	return der;
}

TEST(the_identifier_of_a_certificate)
{
	struct buf	b = BUF_INIT;

	buf_puts(&b, "x/");
	CHECK_INT(acme_cert_id(&b, SV(DATA_CERT)), 0);
	CHECK_SV(buf_sv(&b), "x/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	/* It is that of the first. */
	buf_reset(&b);
	CHECK_INT(acme_cert_id(&b, SV(DATA_CERT DATA_BARE)), 0);
	CHECK_SV(buf_sv(&b), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	buf_reset(&b);
	CHECK_INT(acme_cert_id(&b, SV(DATA_BARE DATA_CERT)), -1);
	CHECK_INT(acme_cert_id(&b, SV(DATA_CSR)), -1);
	CHECK_INT(acme_cert_id(&b, SV(DATA_SEC1)), -1);
	CHECK_INT(acme_cert_id(&b, SV("")), -1);
	buf_fini(&b);
}

TEST(the_leaf)
{
	struct buf	b = BUF_INIT, want = BUF_INIT, der;

	der = der_of(SV(DATA_CERT));
	base64url_put(&want, buf_sv(&der));
	CHECK_INT(acme_leaf_put(&b, SV("text\n" DATA_CERT DATA_BARE)), 0);
	CHECK_SVEQ(buf_sv(&b), buf_sv(&want));
	CHECK_INT(acme_leaf_put(&b, SV("")), -1);
	buf_fini(&b);
	buf_fini(&want);
	buf_fini(&der);
}

/* Nothing of a certificate is believed: cut off, or with any byte changed, it
 * has an identifier or has none. */
TEST(damaged_certificates)
{
	struct buf	der = der_of(SV(DATA_CERT)), pem = BUF_INIT,
			id = BUF_INIT;
	size_t		i;
	int		cut;

	for (cut = 0; cut < 2; cut++)
		for (i = 0; i < der.n; i++) {
			buf_reset(&pem);
			buf_reset(&id);
			der.p[i] ^= cut ? 0 : 0x41;
			buf_puts(&pem, "-----BEGIN CERTIFICATE-----\n");
			base64_put(&pem, sv_make(der.p, cut ? i : der.n));
			buf_puts(&pem, "\n-----END CERTIFICATE-----\n");
			der.p[i] ^= cut ? 0 : 0x41;
			if (acme_cert_id(&id, buf_sv(&pem)) == 0)
				CHECK(!cut && id.n < 100);
			else
				CHECK(cut || i < 300);
		}
	buf_fini(&der);
	buf_fini(&pem);
	buf_fini(&id);
}

static bool
identify(void)
{
	struct buf	b = BUF_INIT;
	bool		good;

	good = acme_cert_id(&b, SV(DATA_CERT)) == 0 &&
	    acme_leaf_put(&b, SV(DATA_CERT)) == 0 && !b.failed;
	buf_fini(&b);
	return good;
}

TEST(without_memory)
{
	ALLOC_SWEEP(identify);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Protocol Buffers wire format. The bytes of the rows are those of the
 * examples in its documentation, or worked out by hand from its tables.
 */
#include "tests/unit/test.h"
#include "util/pb.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	struct sv	in;
	int		rc;
	uint64_t	u;
} varints[] = {
	{ SV_INIT("\x00"), 1, 0 },
	{ SV_INIT("\x01"), 1, 1 },
	{ SV_INIT("\x7f"), 1, 127 },
	{ SV_INIT("\x80\x01"), 2, 128 },
	{ SV_INIT("\x96\x01"), 2, 150 },
	{ SV_INIT("\xac\x02"), 2, 300 },
	{ SV_INIT("\xff\xff\xff\xff\x0f"), 5, UINT32_MAX },
	{ SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 9, INT64_MAX },
	{ SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 10,
	    UINT64_MAX },
	{ SV_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), 10,
	    UINT64_C(1) << 63 },
	{ SV_INIT("\x80\x00"), 2, 0 },		/* longer than need be */
	{ SV_INIT("\x01\xff"), 1, 1 },
	{ SV_INIT(""), 0, 0 },
	{ SV_INIT("\x80"), 0, 0 },
	{ SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, 0 },
	{ SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), -1, 0 },
	{ SV_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"), -1, 0 },
	{ SV_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), -1, 0 },
};

TEST(varint)
{
	size_t		i;
	uint64_t	u;

	for (i = 0; i < N(varints); i++) {
		char	*p = guard_dup(varints[i].in);

		test_note("row %zu", i);
		u = 9;
		CHECK_INT(pb_varint(sv_make(p, varints[i].in.n), &u),
		    varints[i].rc);
		CHECK(u == varints[i].u);
		guard_free(p);
	}
}

TEST(varint_round_trip)
{
	struct buf	b = BUF_INIT;
	int		bit, d;
	uint64_t	u, got;

	for (bit = 0; bit < 64; bit++) {
		for (d = -1; d <= 1; d++) {
			u = (UINT64_C(1) << bit) + (uint64_t)d;
			buf_reset(&b);
			pb_put_varint(&b, u);
			CHECK_INT(b.n, pb_varint_size(u));
			CHECK_INT(pb_varint(buf_sv(&b), &got), b.n);
			CHECK(got == u);
		}
	}
	CHECK_INT(pb_varint_size(0), 1);
	CHECK_INT(pb_varint_size(UINT64_MAX), 10);
	buf_fini(&b);
}

TEST(zigzag)
{
	static const int64_t	rows[] = {
		0, -1, 1, -2, 2, INT64_MAX, INT64_MIN
	};
	static const uint64_t	wire[] = {
		0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX
	};
	size_t			i;

	for (i = 0; i < N(rows); i++)
		CHECK_INT(pb_zigzag(wire[i]), rows[i]);
}

TEST(writes)
{
	struct buf	b = BUF_INIT;

	pb_put_u64(&b, 1, 150);
	pb_put_sv(&b, 2, SV("testing"));
	pb_put_i64(&b, 3, -2);
	pb_put_sint(&b, 4, -2);
	pb_put_sint(&b, 4, INT64_MIN);
	pb_put_bool(&b, 5, true);
	pb_put_double(&b, 6, 1.0);
	pb_put_head(&b, 7, 0);
	pb_put_head(&b, 16, 300);
	CHECK_SVEQ(buf_sv(&b), SV("\x08\x96\x01" "\x12\x07testing"
	    "\x18\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" "\x20\x03"
	    "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "\x28\x01"
	    "\x31\0\0\0\0\0\0\xf0\x3f" "\x3a\0" "\x82\x01\xac\x02"));
	buf_fini(&b);
}

TEST(leaves_out_defaults)
{
	struct buf	b = BUF_INIT;

	pb_put_u64(&b, 1, 0);
	pb_put_i64(&b, 1, 0);
	pb_put_sint(&b, 1, 0);
	pb_put_bool(&b, 1, false);
	pb_put_double(&b, 1, 0.0);
	pb_put_sv(&b, 1, SV(""));
	CHECK_INT(b.n, 0);
	pb_put_double(&b, 1, -0.0);
	CHECK_INT(b.n, 9);
	buf_fini(&b);
}

TEST(reads)
{
	struct sv	in = SV("\x08\x96\x01" "\x12\x07testing"
			    "\x31\x01\0\0\0\0\0\0\x80" "\x3d\x01\0\0\xff"
			    "\x3a\0" "\xf8\xff\xff\xff\x0f\x05");
	char		*p = guard_dup(in);
	struct sv	s = sv_make(p, in.n);
	struct pb_field	f;

	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 1 && f.wire == PB_VARINT && f.u == 150);
	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 2 && f.wire == PB_LEN);
	CHECK_SV(f.s, "testing");
	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 6 && f.wire == PB_I64 &&
	    f.u == UINT64_C(0x8000000000000001));
	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 7 && f.wire == PB_I32 && f.u == 0xff000001);
	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 7 && f.wire == PB_LEN && f.s.n == 0);
	CHECK_INT(pb_next(&s, &f), 1);
	CHECK(f.num == 536870911 && f.u == 5);
	CHECK_INT(pb_next(&s, &f), 0);
	guard_free(p);
}

TEST(refuses)
{
	static const struct sv	rows[] = {
		SV_INIT("\x00\x01"),			/* number 0 */
		SV_INIT("\x02\x00"),
		SV_INIT("\x0b"),			/* groups */
		SV_INIT("\x0c"),
		SV_INIT("\x0e\x00"),			/* no such types */
		SV_INIT("\x0f\x00"),
		SV_INIT("\x08"),			/* cut */
		SV_INIT("\x08\x80"),
		SV_INIT("\x88"),
		SV_INIT("\x0d\x01\x02\x03"),
		SV_INIT("\x09\x01\x02\x03\x04\x05\x06\x07"),
		SV_INIT("\x0a"),
		SV_INIT("\x0a\x01"),
		SV_INIT("\x0a\x05test"),
		SV_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
		SV_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02x"),
		SV_INIT("\x88\x80\x80\x80\x10\x01"),	/* number too great */
	};
	struct pb_field		f;
	size_t			i;

	for (i = 0; i < N(rows); i++) {
		char		*p = guard_dup(rows[i]);
		struct sv	 s = sv_make(p, rows[i].n);

		test_note("row %zu", i);
		CHECK_INT(pb_next(&s, &f), -1);
		guard_free(p);
	}
}

static bool
write_all(void)
{
	struct buf	b = BUF_INIT;
	bool		ok;

	pb_put_u64(&b, 1, 5);
	pb_put_sv(&b, 2, SV("0123456789012345678901234567890123456789"
	    "01234567890123456789012345678901234567890"));
	ok = !b.failed && b.n == 85;
	buf_fini(&b);
	return ok;
}

TEST(allocation_failures)
{
	ALLOC_SWEEP(write_all);
}

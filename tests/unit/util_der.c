/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * DER read and written, and PEM.
 */
#include "tests/unit/test.h"
#include "tests/unit/tls_certs.h"
#include "util/der.h"
#include "util/pem.h"

#define S(lit)	SV_INIT(lit)

/* A copy at the end of a page, so that no byte more is read. */
static int
get(struct sv in, unsigned tag, struct sv *value, size_t *left)
{
	char		*p = guard_dup(in);
	struct sv	 s = sv_make(p, in.n);
	int		 rc = der_get(&s, tag, value);

	/* Seen from the input, which lives on. */
	if (value->n > 0)
		value->p = in.p + (value->p - p);
	CHECK(rc == 0 || (s.p == p && s.n == in.n && value->n == 0));
	*left = s.n;
	guard_free(p);
	return rc;
}

TEST(values_of_every_length)
{
	static const size_t	sizes[] = {
		0, 1, 127, 128, 129, 255, 256, 257, 65535
	};
	static const size_t	heads[] = { 2, 2, 2, 3, 3, 3, 4, 4, 4 };
	static char		bytes[65536];
	struct buf		b = BUF_INIT;
	struct sv		value;
	size_t			i, left, cut;

	memset(bytes, 'x', sizeof(bytes));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		test_note("%zu bytes", sizes[i]);
		buf_reset(&b);
		der_put(&b, DER_OCTETS, sv_make(bytes, sizes[i]));
		CHECK_INT(b.n, heads[i] + sizes[i]);
		CHECK_INT(get(buf_sv(&b), DER_OCTETS, &value, &left), 0);
		CHECK_SVEQ(value, sv_make(bytes, sizes[i]));
		CHECK_INT(left, 0);
		CHECK_INT(get(buf_sv(&b), DER_UTF8, &value, &left), -1);
		for (cut = 0; cut < b.n && cut < 200; cut++)
			CHECK_INT(get(sv_make(b.p, cut), DER_OCTETS, &value,
			    &left), -1);
		CHECK_INT(get(sv_make(b.p, b.n - 1), DER_OCTETS, &value,
		    &left), -1);
	}
	buf_reset(&b);
	der_put(&b, DER_OCTETS, sv_make(bytes, sizeof(bytes)));
	CHECK(b.failed);
	buf_fini(&b);
}

TEST(one_way_to_write_a_length)
{
	static const struct {
		struct sv	head;
		size_t		n;	/* bytes that follow */
		int		rc;
	} rows[] = {
		{ S("\x04\x7f"), 127, 0 },
		{ S("\x04\x81\x80"), 128, 0 },
		{ S("\x04\x82\x01\x00"), 256, 0 },
		{ S("\x04\x80"), 200, -1 },		/* indefinite */
		{ S("\x04\x81\x01"), 1, -1 },
		{ S("\x04\x81\x7f"), 127, -1 },
		{ S("\x04\x82\x00\x80"), 128, -1 },
		{ S("\x04\x83\x00\x01\x00"), 256, -1 },
		{ S("\x1f\x04"), 4, -1 },	/* a tag of many bytes */
	};
	struct sv		value, s;
	char			bytes[300] = { 0 };
	unsigned		tag;
	size_t			i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		memcpy(bytes, rows[i].head.p, rows[i].head.n);
		s = sv_make(bytes, rows[i].head.n + rows[i].n);
		CHECK_INT(der_get_any(&s, &tag, &value), rows[i].rc);
		CHECK_INT(value.n, rows[i].rc == 0 ? rows[i].n : 0);
		CHECK((s.p == bytes) == (rows[i].rc == -1));
	}
}

TEST(nested_values)
{
	struct buf	b = BUF_INIT;
	struct sv	s, outer, inner, whole;
	size_t		a, c;

	a = der_begin(&b, DER_SEQUENCE);
	c = der_begin(&b, DER_CONTEXT(3));
	der_put(&b, DER_OID, SV(OID_EC));
	der_end(&b, c);
	der_put(&b, DER_NULL, SV(""));
	der_end(&b, a);
	s = buf_sv(&b);
	CHECK(der_is(s, DER_SEQUENCE) && !der_is(s, DER_SET));
	CHECK_INT(der_get_whole(&s, DER_SEQUENCE, &whole), 0);
	CHECK_SVEQ(whole, buf_sv(&b));
	s = whole;
	CHECK_INT(der_get(&s, DER_SEQUENCE, &outer), 0);
	CHECK_INT(der_get(&outer, 0xa3, &inner), 0);
	CHECK_INT(der_get(&inner, DER_OID, &s), 0);
	CHECK_SVEQ(s, SV(OID_EC));
	CHECK_INT(der_get(&outer, DER_NULL, &s), 0);
	CHECK(!der_is(outer, DER_NULL) && outer.n == 0);
	buf_fini(&b);
}

TEST(numbers)
{
	static const struct {
		struct sv	number, der;
	} rows[] = {
		{ S(""), S("\x02\x01\x00") },
		{ S("\x01"), S("\x02\x01\x01") },
		{ S("\x7f"), S("\x02\x01\x7f") },
		{ S("\x80"), S("\x02\x02\x00\x80") },
		{ S("\x01\x00\x01"), S("\x02\x03\x01\x00\x01") },
	};
	static const struct sv	bad[] = {
		S("\x02\x00"), S("\x02\x01\x80"), S("\x02\x02\x00\x7f"),
		S("\x02\x02\x00\x00"), S("\x03\x01\x01"),
	};
	struct buf		b = BUF_INIT;
	struct sv		s, value;
	size_t			i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		der_put_unsigned(&b, rows[i].number);
		CHECK_SVEQ(buf_sv(&b), rows[i].der);
		s = rows[i].der;
		CHECK_INT(der_get_unsigned(&s, &value), 0);
		CHECK_SVEQ(value, rows[i].number);
	}
	buf_reset(&b);
	der_put_unsigned(&b, SV("\0\0\x80"));
	CHECK_SVEQ(buf_sv(&b), SV("\x02\x02\x00\x80"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("bad row %zu", i);
		s = bad[i];
		CHECK_INT(der_get_unsigned(&s, &value), -1);
		CHECK_SVEQ(s, bad[i]);
	}
	buf_fini(&b);
}

TEST(bit_strings)
{
	struct buf	b = BUF_INIT;
	struct sv	s, value;

	der_put_bits(&b, SV("ab"));
	CHECK_SVEQ(buf_sv(&b), SV("\x03\x03\0ab"));
	s = buf_sv(&b);
	CHECK_INT(der_get_bits(&s, &value), 0);
	CHECK_SV(value, "ab");
	s = SV("\x03\x02\x01\x80");
	CHECK_INT(der_get_bits(&s, &value), -1);
	CHECK_INT(s.n, 4);
	s = SV("\x03\x00");
	CHECK_INT(der_get_bits(&s, &value), -1);
	buf_fini(&b);
}

static const struct {
	int64_t		when;
	const char	*der;	/* NULL: can't be written */
} times[] = {
	{ 0, "\x17\x0d" "700101000000Z" },
	{ 951782400, "\x17\x0d" "000229000000Z" },
	{ 951868799, "\x17\x0d" "000229235959Z" },
	{ 951868800, "\x17\x0d" "000301000000Z" },
	{ 1614556800, "\x17\x0d" "210301000000Z" },
	{ 1577836800, "\x17\x0d" "200101000000Z" },
	{ 2524607999, "\x17\x0d" "491231235959Z" },
	{ 2524608000, "\x18\x0f" "20500101000000Z" },
	{ 4102444800, "\x18\x0f" "21000101000000Z" },
	{ 4107542400, "\x18\x0f" "21000301000000Z" },
	{ 253402300799, "\x18\x0f" "99991231235959Z" },
};

TEST(times)
{
	struct buf	b = BUF_INIT;
	struct sv	s;
	int64_t		got;
	size_t		i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		der_put_time(&b, times[i].when);
		CHECK_SV(buf_sv(&b), times[i].der);
		s = sv_from(times[i].der);
		CHECK_INT(der_get_time(&s, &got), 0);
		CHECK_INT(got, times[i].when);
	}
	s = SV("\x17\x0d" "500101000000Z");
	CHECK_INT(der_get_time(&s, &got), 0);
	CHECK_INT(got, -631152000);
	buf_fini(&b);
}

TEST(what_is_no_time)
{
	static const char *const	bad[] = {
		"\x17\x0d" "701301000000Z", "\x17\x0d" "700001000000Z",
		"\x17\x0d" "700132000000Z", "\x17\x0d" "700101240000Z",
		"\x17\x0d" "700101006000Z", "\x17\x0d" "700101000060Z",
		"\x17\x0d" "70010100000 Z", "\x17\x0c" "700101000000",
		"\x17\x0b" "7001010000Z", "\x18\x0d" "700101000000Z",
		"\x18\x11" "20500101000000.0Z", "\x04\x0d" "700101000000Z",
		"\x17\x11" "700101000000+0000",
	};
	struct sv			s;
	int64_t				got;
	size_t				i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("row %zu", i);
		s = sv_from(bad[i]);
		CHECK_INT(der_get_time(&s, &got), -1);
		CHECK_SV(s, bad[i]);
		CHECK_INT(got, 0);
	}
}

static bool
sweep_write(void)
{
	struct buf	b = BUF_INIT;
	size_t		a = der_begin(&b, DER_SEQUENCE);
	bool		ok;

	der_put(&b, DER_UTF8, SV("sixty bytes or so, that the buffer must "
	    "grow for its second time"));
	der_put_time(&b, 0);
	der_put_bits(&b, SV("more than one hundred and twenty-seven in all"));
	der_end(&b, a);
	ok = !b.failed;
	CHECK(!ok || (unsigned char)b.p[1] == 0x81);
	buf_fini(&b);
	return ok;
}

TEST(without_memory)
{
	ALLOC_SWEEP(sweep_write);
}

/* ---- PEM ---- */

static void
check_blocks(const char *text, const char *want)
{
	struct buf	got = BUF_INIT;
	char		*p = guard_dup(sv_from(text));
	struct sv	rest = sv_make(p, strlen(text));
	struct pem	pem;
	int		rc;

	while ((rc = pem_next(&rest, &pem)) == 1) {
		buf_putsv(&got, pem.label);
		buf_puts(&got, pem.encrypted ? "!=" : "=");
		if (pem_decode(&got, &pem) == -1)
			buf_puts(&got, "?");
		buf_putc(&got, ' ');
	}
	buf_puts(&got, rc == 0 ? "." : "broken");
	CHECK_SV(buf_sv(&got), want);
	buf_fini(&got);
	guard_free(p);
}

TEST(blocks_of_a_text)
{
	check_blocks("", ".");
	check_blocks("text", ".");
	check_blocks("-----BEGIN A-----\nYWJj\n-----END A-----\n", "A=abc .");
	check_blocks("-----BEGIN A-----\r\nYW\r\nJj\r\n\r\n-----END A-----\r\n",
	    "A=abc .");
	check_blocks("Bag\n-----BEGIN A B-----\n YWI=\t\n-----END A B-----\n"
	    "between\n\n-----BEGIN C-----\nYQ==\n-----END C-----",
	    "A B=ab C=a .");
	check_blocks("-----BEGIN A-----\n-----END A-----\n", "A= .");
	check_blocks("-----BEGIN A-----\nY*==\n-----END A-----\n", "A=? .");
	check_blocks("-----BEGIN A-----\nYW\n-----END A-----\n", "A=? .");
	check_blocks("-----BEGIN ENCRYPTED A-----\nYQ==\n"
	    "-----END ENCRYPTED A-----\n", "ENCRYPTED A!=a .");
	check_blocks("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nYQ==\n"
	    "-----END A-----\n", "A!=? .");
	check_blocks("-----BEGIN A-----\nYQ==\n-----END A-----\n"
	    "-----BEGIN B-----\nYQ==\n", "A=a broken");
	check_blocks("-----BEGIN A-----\nYQ==\n-----END B-----\n", "broken");
	check_blocks("-----BEGIN A----\nYQ==\n", "broken");
	check_blocks("-----BEGIN A", "broken");
	check_blocks("-----BEGIN A-----\nYQ==\n-----END A", "broken");
}

static bool
sweep_pem(void)
{
	struct buf	out = BUF_INIT;
	struct sv	rest = SV(CERT_ROOT);
	struct pem	pem;
	bool		ok;

	CHECK_INT(pem_next(&rest, &pem), 1);
	ok = pem_decode(&out, &pem) == 0;
	CHECK(ok || out.failed);
	CHECK(ok == (out.n > 0));
	buf_fini(&out);
	return ok;
}

TEST(pem_without_memory)
{
	ALLOC_SWEEP(sweep_pem);
}

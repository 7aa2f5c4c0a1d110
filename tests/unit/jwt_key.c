/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Reading public keys: those that another implementation wrote, and every
 * way in which one can be weak or malformed.
 */
#include <bearssl.h>

#include <stdlib.h>

#include "jwt/key.h"
#include "tests/unit/jwt_data.h"
#include "tests/unit/test.h"
#include "util/base64.h"

static const struct {
	const char	*pem;
	enum jwt_family	 family;
	int		 curve;
	unsigned	 n, e;
} good[] = {
	{ PEM_RSA, JWT_RSA, 0, 256, 3 },
	{ PEM_RSA_PKCS1, JWT_RSA, 0, 256, 3 },
	{ PEM_RSA_4096, JWT_RSA, 0, 512, 1 },
	{ PEM_P256, JWT_EC, BR_EC_secp256r1, 65, 0 },
	{ PEM_P384, JWT_EC, BR_EC_secp384r1, 97, 0 },
	{ PEM_P521, JWT_EC, BR_EC_secp521r1, 133, 0 },
	{ "Bag\n" PEM_P256 "rest", JWT_EC, BR_EC_secp256r1, 65, 0 },
};

static int
read_pem(struct jwt_key *key, struct sv pem, const char **why)
{
	char	*p = guard_dup(pem);
	int	 rc;

	memset(key, 0xff, sizeof(*key));
	rc = jwt_key_pem(key, sv_make(p, pem.n), why);
	guard_free(p);
	CHECK((rc == 0) == (*why == NULL));
	CHECK((rc == 0) == (key->family != JWT_NO_FAMILY));
	return rc;
}

TEST(keys_of_every_kind)
{
	struct jwt_key	key;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		test_note("row %zu", i);
		CHECK_INT(read_pem(&key, sv_from(good[i].pem), &why), 0);
		CHECK_INT(key.family, good[i].family);
		CHECK_INT(key.curve, good[i].curve);
		CHECK_INT(key.n, good[i].n);
		CHECK_INT(key.e, good[i].e);
		CHECK_INT(key.alg, JWT_NONE);
	}
}

TEST(pkcs1_and_spki_are_the_same_key)
{
	struct jwt_key	a, b;
	const char	*why;

	CHECK_INT(read_pem(&a, SV(PEM_RSA), &why), 0);
	CHECK_INT(read_pem(&b, SV(PEM_RSA_PKCS1), &why), 0);
	CHECK(memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0);
}

#define BLOCK(label, body)						\
	"-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"

static const struct {
	const char	*pem, *why;
} bad[] = {
	{ "", "no PEM block" },
	{ "-----BEGIN PUBLIC KEY-----", "no PEM block" },
	{ "-----BEGIN PUBLIC KEY-----\nAAAA\n", "no PEM block" },
	{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n",
	    "no PEM block" },
	{ BLOCK("PUBLIC KEY", "!!!!"), "malformed base 64 in the PEM block" },
	{ BLOCK("PUBLIC KEY", ""), "malformed public key" },
	{ BLOCK("PUBLIC KEY", "MAA="), "malformed public key" },
	{ BLOCK("CERTIFICATE", "MAA="),
	    "the PEM block is not a PUBLIC KEY" },
	{ BLOCK("PRIVATE KEY", "MAA="),
	    "a private key, where only its public part belongs" },
	{ BLOCK("RSA PRIVATE KEY", "MAA="),
	    "a private key, where only its public part belongs" },
	{ BLOCK("RSA PUBLIC KEY", "MAA="),
	    "the PEM block is not what it says" },
	{ PEM_RSA_1024, "RSA key of less than 2048 bits" },
	{ PEM_K256, "curve is none of P-256, P-384, P-521" },
	{ PEM_ED25519, "neither an RSA nor an EC public key" },
	{ PEM_P256_COMPRESSED, "point of the wrong size or compressed" },
};

TEST(keys_that_are_refused)
{
	struct jwt_key	key;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("row %zu", i);
		CHECK_INT(read_pem(&key, sv_from(bad[i].pem), &why), -1);
		CHECK_STR(why, bad[i].why);
	}
}

TEST(armour_longer_than_any_key)
{
	struct buf	b = BUF_INIT;
	struct jwt_key	key;
	const char	*why;
	int		i;

	buf_puts(&b, "-----BEGIN PUBLIC KEY-----\n");
	for (i = 0; i < 5000; i++)
		buf_puts(&b, "AAAA");
	buf_puts(&b, "-----END PUBLIC KEY-----\n");
	CHECK_INT(read_pem(&key, buf_sv(&b), &why), -1);
	CHECK_STR(why, "malformed public key");
	buf_fini(&b);
}

/* ---- DER ---- */

static struct buf
der_of(struct sv pem)
{
	struct buf	packed = BUF_INIT, der = BUF_INIT;
	struct sv	line;

	while (pem.p != NULL) {
		line = sv_cut(&pem, '\n');
		if (line.n > 0 && line.p[0] != '-')
			buf_putsv(&packed, line);
	}
	CHECK_INT(base64_get(&der, buf_sv(&packed)), 0);
	buf_fini(&packed);
	return der;
}

static int
read_der(struct sv der)
{
	struct jwt_key	 key;
	const char	*why;
	char		*p = guard_dup(der);
	int		 rc = jwt_key_der(&key, sv_make(p, der.n), &why);

	guard_free(p);
	return rc;
}

/* No prefix of a key is one, nor is a key with something behind it; and of
 * all keys that differ in one bit none has the wrong size or curve. */
TEST(one_way_to_write_a_key)
{
	static const char *const pems[] = { PEM_RSA_PKCS1, PEM_RSA, PEM_P384 };
	struct buf	der;
	size_t		i, k, head;

	for (i = 0; i < 3; i++) {
		der = der_of(sv_from(pems[i]));
		test_note("key %zu", i);
		CHECK_INT(read_der(buf_sv(&der)), 0);
		for (k = 0; k < der.n; k++)
			CHECK_INT(read_der(sv_make(der.p, k)), -1);
		/* The heads of the values in front of the numbers. */
		head = i == 0 ? 8 : i == 1 ? 32 : 24;
		for (k = 0; k < head * 8; k++) {
			der.p[k / 8] ^= (char)(1 << k % 8);
			if (!CHECK_INT(read_der(buf_sv(&der)), -1))
				test_note("key %zu, bit %zu", i, k);
			der.p[k / 8] ^= (char)(1 << k % 8);
		}
		buf_putc(&der, 0);
		CHECK_INT(read_der(buf_sv(&der)), -1);
		buf_fini(&der);
	}
}

/* Lengths in more bytes than they need. */
TEST(lengths_that_are_too_long)
{
	struct buf	der = der_of(SV(PEM_P256)), b = BUF_INIT;

	CHECK_INT((unsigned char)der.p[1], 0x59);
	buf_put(&b, "\x30\x81", 2);
	buf_put(&b, der.p + 1, der.n - 1);
	CHECK_INT(read_der(buf_sv(&b)), -1);
	buf_reset(&b);
	buf_put(&b, "\x30\x82\0", 3);
	buf_put(&b, der.p + 1, der.n - 1);
	CHECK_INT(read_der(buf_sv(&b)), -1);
	buf_fini(&b);
	buf_fini(&der);
}

/* PKCS#1 with a modulus of so many bytes before its last, and an exponent. */
static void
put_pkcs1(struct buf *b, size_t n, char first, struct sv e)
{
	size_t	k, len = n + 4 + 2 + e.n;

	buf_put(b, "\x30\x82", 2);
	buf_putc(b, (char)(len >> 8));
	buf_putc(b, (char)len);
	buf_put(b, "\x02\x82", 2);
	buf_putc(b, (char)(n >> 8));
	buf_putc(b, (char)n);
	buf_putc(b, 0);
	buf_putc(b, first);
	for (k = 2; k < n; k++)
		buf_putc(b, '\x55');
	buf_putc(b, 2);
	buf_putc(b, (char)e.n);
	buf_putsv(b, e);
}

static const struct {
	size_t		n;		/* with the zero in front */
	char		first;
	struct sv	e;
	const char	*why;		/* NULL: accepted */
} rsa[] = {
	{ 257, '\x80', SV_INIT("\1\0\1"), NULL },
	{ 257, '\x80', SV_INIT("\3"), NULL },
	{ 257, '\x80', SV_INIT("\0\xff\xff\xff\xff"), NULL },
	{ 385, '\x80', SV_INIT("\1\0\1"), NULL },
	{ 513, '\xff', SV_INIT("\1\0\1"), NULL },
	{ 257, '\x7f', SV_INIT("\1\0\1"), "malformed RSA public key" },
	{ 256, '\x80', SV_INIT("\1\0\1"), "RSA key of less than 2048 bits" },
	{ 514, '\x80', SV_INIT("\1\0\1"), "RSA key of more than 4096 bits" },
	{ 1025, '\x80', SV_INIT("\1\0\1"), "RSA key of more than 4096 bits" },
	{ 257, '\x80', SV_INIT("\1"), "RSA exponent is not an odd number "
	    "from 3 to 4294967295" },
	{ 257, '\x80', SV_INIT("\2"), "RSA exponent is not an odd number "
	    "from 3 to 4294967295" },
	{ 257, '\x80', SV_INIT("\1\0\0\0\1"), "RSA exponent is not an odd "
	    "number from 3 to 4294967295" },
	{ 257, '\x80', SV_INIT("\0"), "RSA exponent is not an odd number "
	    "from 3 to 4294967295" },
	{ 257, '\x80', SV_INIT("\0\1"), "malformed RSA public key" },
	{ 257, '\x80', SV_INIT("\x81"), "malformed RSA public key" },
	{ 257, '\x80', SV_INIT(""), "malformed RSA public key" },
};

TEST(rsa_sizes_and_exponents)
{
	struct buf	b = BUF_INIT;
	struct jwt_key	key;
	const char	*why;
	size_t		i;

	for (i = 0; i < sizeof(rsa) / sizeof(rsa[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		put_pkcs1(&b, rsa[i].n, rsa[i].first, rsa[i].e);
		CHECK_INT(jwt_key_der(&key, buf_sv(&b), &why),
		    rsa[i].why == NULL ? 0 : -1);
		if (rsa[i].why == NULL)
			CHECK(why == NULL);
		else
			CHECK_STR(why, rsa[i].why);
	}
	buf_fini(&b);
}

TEST(rsa_2047_bits_and_even_modulus)
{
	unsigned char	n[256];
	struct jwt_key	key;
	const char	*why;

	memset(n, 0x55, sizeof(n));
	n[0] = 0x7f;
	CHECK_INT(jwt_key_rsa(&key, sv_make(n, 256), SV("\3"), &why), -1);
	CHECK_STR(why, "RSA key of less than 2048 bits");
	n[0] = 0x80;
	CHECK_INT(jwt_key_rsa(&key, sv_make(n, 256), SV("\3"), &why), 0);
	n[255] = 0x54;
	CHECK_INT(jwt_key_rsa(&key, sv_make(n, 256), SV("\3"), &why), -1);
	CHECK_STR(why, "RSA modulus is even");
	CHECK_INT(jwt_key_rsa(&key, SV(""), SV("\3"), &why), -1);
}

/* Invalid curve attacks need a point that isn't on the curve. */
TEST(points_off_the_curve)
{
	static const char *const pems[] = { PEM_P256, PEM_P384, PEM_P521 };
	struct buf	der;
	struct jwt_key	key;
	const char	*why;
	size_t		i;

	for (i = 0; i < 3; i++) {
		test_note("key %zu", i);
		der = der_of(sv_from(pems[i]));
		der.p[der.n - 1] ^= 1;
		CHECK_INT(jwt_key_der(&key, buf_sv(&der), &why), -1);
		CHECK_STR(why, "point is not on the curve");
		memset(der.p + der.n - 64, 0, 64);
		CHECK_INT(jwt_key_der(&key, buf_sv(&der), &why), -1);
		CHECK_STR(why, "point is not on the curve");
		buf_fini(&der);
	}
}

TEST(coordinates_of_the_wrong_size)
{
	static const char	zero[66];
	struct jwt_key		key;
	const char		*why;

	CHECK_INT(jwt_key_ec(&key, BR_EC_secp256r1, sv_make(zero, 31),
	    sv_make(zero, 32), &why), -1);
	CHECK_STR(why, "point of the wrong size");
	CHECK_INT(jwt_key_ec(&key, BR_EC_secp521r1, sv_make(zero, 66),
	    sv_make(zero, 65), &why), -1);
	CHECK_STR(why, "point of the wrong size");
	CHECK_INT(jwt_key_ec(&key, BR_EC_curve25519, sv_make(zero, 32),
	    sv_make(zero, 32), &why), -1);
	CHECK_STR(why, "curve is none of P-256, P-384, P-521");
}

static bool
sweep_pem(void)
{
	struct jwt_key	key;
	const char	*why;
	int		rc = jwt_key_pem(&key, SV(PEM_RSA), &why);

	CHECK_INT(rc, alloc_failed() == 0 ? 0 : -1);
	if (rc == -1)
		CHECK_STR(why, "out of memory");
	return rc == 0;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_pem);
}

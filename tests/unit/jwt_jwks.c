/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Key sets: what is taken of one, and what is passed over.
 */
#include <bearssl.h>

#include "jwt/jwks.h"
#include "tests/unit/jwt_data.h"
#include "tests/unit/test.h"

#define NOW	INT64_C(1700000000)

#define SIG	"\"use\":\"sig\","
#define RSA	"\"kty\":\"RSA\",\"n\":\"" JWK_RSA_N "\",\"e\":\"AQAB\""
#define EC(crv, x, y)							\
	"\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\""
#define P256	EC("P-256", JWK_P256_X, JWK_P256_Y)
#define P384	EC("P-384", JWK_P384_X, JWK_P384_Y)
#define P521	EC("P-521", JWK_P521_X, JWK_P521_Y)
#define OKP	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""		\
	JWK_ED25519_X "\""
#define KEY(kid, rest)	"{\"kid\":\"" kid "\"," rest "}"
#define SET(keys)	"{\"keys\":[" keys "]}"

static int
parse(struct jwt_set *set, const char *text)
{
	char		*p = guard_dup(sv_from(text));
	const char	*why;
	int		 rc = jwt_set_parse(set, sv_make(p, strlen(text)),
	    &why);

	guard_free(p);
	CHECK((rc == 0) == (why == NULL));
	if (rc == -1)
		CHECK(set->v == NULL && set->n == 0);
	return rc;
}

static enum jwt_err
verify(const struct jwt_key *key, const char *token)
{
	static const struct jwt_verifier v = { .key_url = SV_INIT("http://x") };
	struct jwt	t;
	enum jwt_err	err;

	jwt_init(&t);
	err = jwt_verify_key(&t, &v, key, sv_from(token), NOW);
	jwt_fini(&t);
	return err;
}

TEST(a_set_of_every_kind)
{
	struct jwt_set		 set = JWT_SET_INIT;
	const struct jwt_key	*key;

	CHECK_INT(parse(&set, SET(KEY("ed", SIG OKP) "," KEY("rsa-1", SIG RSA)
	    "," KEY("ec-1", SIG "\"x5c\":[1],\"alg\":\"ES256\"," P256) ","
	    KEY("3", SIG P384) "," KEY("5", SIG P521))), 0);
	CHECK_INT(set.n, 4);
	CHECK(jwt_set_find(&set, SV("ed")) == NULL);
	CHECK(jwt_set_find(&set, SV("")) == NULL);
	if (CHECK((key = jwt_set_find(&set, SV("rsa-1"))) != NULL)) {
		CHECK_INT(key->family, JWT_RSA);
		CHECK_INT(verify(key, TOKEN_RS256_KID), JWT_OK);
		CHECK_INT(verify(key, TOKEN_RS384_KID), JWT_OK);
	}
	if (CHECK((key = jwt_set_find(&set, SV("ec-1"))) != NULL)) {
		CHECK_INT(key->alg, JWT_ES256);
		CHECK_INT(verify(key, TOKEN_ES256_KID), JWT_OK);
	}
	if (CHECK((key = jwt_set_find(&set, SV("3"))) != NULL))
		CHECK_INT(verify(key, TOKEN_ES384), JWT_OK);
	if (CHECK((key = jwt_set_find(&set, SV("5"))) != NULL))
		CHECK_INT(verify(key, TOKEN_ES512), JWT_OK);
	jwt_set_fini(&set);
}

/* Keys that are passed over; each stands beside a good one. */
static const char *const	passed_over[] = {
	KEY("k", RSA),
	KEY("k", "\"use\":\"enc\"," RSA),
	KEY("k", "\"use\":1," RSA),
	"{" SIG RSA "}",
	"{\"kid\":1," SIG RSA "}",
	"{\"kid\":\"\"," SIG RSA "}",
	"{\"kid\":null," SIG RSA "}",
	KEY("k", SIG OKP),
	KEY("k", SIG "\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"c2VjcmV0\""),
	KEY("k", SIG "\"alg\":\"HS256\"," RSA),
	KEY("k", SIG "\"alg\":\"ES256\"," RSA),
	KEY("k", SIG "\"alg\":\"RS256\"," P256),
	KEY("k", SIG "\"alg\":\"ES384\"," P256),
	KEY("k", SIG "\"alg\":\"RSA-OAEP\"," RSA),
	KEY("k", SIG "\"alg\":\"none\"," RSA),
	KEY("k", SIG "\"alg\":7," RSA),
	KEY("k", SIG "\"kty\":\"RSA\",\"n\":\"" JWK_RSA_1024_N
	    "\",\"e\":\"AQAB\""),
	KEY("k", SIG "\"kty\":\"RSA\",\"n\":\"" JWK_RSA_N
	    "\",\"e\":\"AQ\""),
	KEY("k", SIG "\"kty\":\"RSA\",\"n\":\"" JWK_RSA_N "\""),
	KEY("k", SIG "\"kty\":\"RSA\",\"e\":\"AQAB\""),
	KEY("k", SIG "\"kty\":\"RSA\",\"n\":\"" JWK_RSA_N
	    "==\",\"e\":\"AQAB\""),
	KEY("k", SIG "\"kty\":\"rsa\",\"n\":\"" JWK_RSA_N
	    "\",\"e\":\"AQAB\""),
	KEY("k", SIG EC("P-384", JWK_P256_X, JWK_P256_Y)),
	KEY("k", SIG EC("P-256", JWK_P384_X, JWK_P384_Y)),
	KEY("k", SIG EC("secp256k1", JWK_P256_X, JWK_P256_Y)),
	KEY("k", SIG EC("P-256", JWK_P256_X, JWK_P256_X)),
	KEY("k", SIG EC("P-256", "AA", "AA")),
	"1", "null", "\"k\"", "[]", "{}",
};

TEST(keys_that_are_passed_over)
{
	struct jwt_set	set = JWT_SET_INIT;
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
		test_note("%s", passed_over[i]);
		buf_reset(&b);
		buf_printf(&b, "{\"keys\":[%s,%s]}", passed_over[i],
		    KEY("good", SIG P256));
		buf_putc(&b, '\0');
		CHECK_INT(parse(&set, b.p), 0);
		CHECK_INT(set.n, 1);
		CHECK(jwt_set_find(&set, SV("good")) != NULL);
		jwt_set_fini(&set);
	}
	buf_fini(&b);
}

TEST(the_last_of_one_id_counts)
{
	struct jwt_set set = JWT_SET_INIT;

	CHECK_INT(parse(&set, SET(KEY("a", SIG RSA) ","
	    KEY("a", SIG P256))), 0);
	CHECK_INT(jwt_set_find(&set, SV("a"))->family, JWT_EC);
	jwt_set_fini(&set);
}

TEST(key_id_with_escapes)
{
	struct jwt_set set = JWT_SET_INIT;

	CHECK_INT(parse(&set, SET(KEY("\\u0000\\n", SIG P256))), 0);
	CHECK(jwt_set_find(&set, SV("\0\n")) != NULL);
	CHECK(jwt_set_find(&set, SV("\0")) == NULL);
	jwt_set_fini(&set);
}

TEST(what_is_no_set)
{
	static const char *const text[] = {
		"", "{", "[]", "null", "{}", "{\"keys\":{}}",
		"{\"keys\":null}", "{\"keys\":[]} x",
		"{\"keys\":[],\"keys\":[]}",
		SET("{\"kid\":\"a\",\"kid\":\"b\"}"),
	};
	struct jwt_set	set = JWT_SET_INIT;
	size_t		i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		test_note("%s", text[i]);
		CHECK_INT(parse(&set, text[i]), -1);
	}
	CHECK_INT(parse(&set, SET("")), 0);
	CHECK_INT(set.n, 0);
	jwt_set_fini(&set);
}

TEST(too_many_keys)
{
	struct jwt_set	set = JWT_SET_INIT;
	struct buf	b = BUF_INIT;
	int		i;

	buf_puts(&b, "{\"keys\":[0");
	for (i = 1; i < JWT_SET_MAX; i++)
		buf_puts(&b, ",0");
	buf_puts(&b, "]}");
	buf_putc(&b, '\0');
	CHECK_INT(parse(&set, b.p), 0);
	jwt_set_fini(&set);
	b.n -= 3;
	buf_puts(&b, ",0]}");
	buf_putc(&b, '\0');
	CHECK_INT(parse(&set, b.p), -1);
	buf_fini(&b);
}

static bool
sweep_set(void)
{
	struct jwt_set	set = JWT_SET_INIT;
	const char	*why;
	int		rc;

	rc = jwt_set_parse(&set, SV(SET(KEY("\\u0061", SIG RSA) ","
	    KEY("b", SIG P256))), &why);
	CHECK_INT(rc, alloc_failed() == 0 ? 0 : -1);
	if (rc == 0)
		CHECK_INT(set.n, 2);
	jwt_set_fini(&set);
	return rc == 0;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_set);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Verifying tokens: fixed tokens made by another implementation, claims by
 * table, and every attack in a test of its own name. Each token stands
 * before a guard page.
 */
#include <bearssl.h>

#include <stdio.h>
#include <stdlib.h>

#include "jwt/jwt.h"
#include "tests/unit/test.h"
#include "util/base64.h"

#define NOW	INT64_C(1700000000)
#define SECRET	"bbe7d157-a253-4094-9759-06a8236543f9"
#define HS256	"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

/* {"sub":"42","exp":1700000060} under SECRET. */
static const char *const	token_42[] = {
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
	".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	".dKa564nDp-svtApi0qtXEop65a-OnIH8qeECZcd_Oxs",
	"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9"
	".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	".JfljUXmeUjSpmeH0mBrAO7aU3goG7dqokLJ2EkM_h87MudSWgQl2Dwx_ky8WU5j7",
	"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9"
	".eyJzdWIiOiI0MiIsImV4cCI6MTcwMDAwMDA2MH0"
	".RhszsETLBp4oSKZU18J400DSOtXdttcjGYE3Ta-gMv5JkDPmYxFqkuE9xtDJGr6Q"
	"xngK_x2C5aZsfe56nL7Y3w"
};

static const struct jwt_verifier	plain = {
	.hmac_secret = SV_INIT(SECRET)
};

/* Verify before a guard page; the caller finishes t. */
static enum jwt_err
verify_at(struct jwt *t, const struct jwt_verifier *v, struct sv token,
    int64_t now)
{
	enum jwt_err	err;
	char		*p = guard_dup(token);

	err = jwt_verify(t, v, sv_make(p, token.n), now);
	guard_free(p);
	if (err != JWT_OK)
		CHECK(t->text.p == NULL && t->scratch.p == NULL &&
		    t->json.tok == NULL && t->sub.n == 0 && t->exp == 0 &&
		    t->channel.n == 0 && !t->has_channel);
	return err;
}

static enum jwt_err
verify(const struct jwt_verifier *v, struct sv token)
{
	struct jwt	t;
	enum jwt_err	err;

	jwt_init(&t);
	err = verify_at(&t, v, token, NOW);
	jwt_fini(&t);
	return err;
}

/* Append a token of any header and claims, signed with HMAC-SHA-256. */
static void
put_token(struct buf *b, struct sv header, struct sv claims, struct sv secret)
{
	br_hmac_key_context	key;
	br_hmac_context		ctx;
	unsigned char		mac[32];
	size_t			start = b->n;

	base64url_put(b, header);
	buf_putc(b, '.');
	base64url_put(b, claims);
	br_hmac_key_init(&key, &br_sha256_vtable, secret.p, secret.n);
	br_hmac_init(&ctx, &key, 0);
	br_hmac_update(&ctx, b->p + start, b->n - start);
	br_hmac_out(&ctx, mac);
	buf_putc(b, '.');
	base64url_put(b, sv_make(mac, sizeof(mac)));
}

static enum jwt_err
verify_made(const struct jwt_verifier *v, struct sv header, struct sv claims)
{
	struct buf	b = BUF_INIT;
	enum jwt_err	err;

	put_token(&b, header, claims, SV(SECRET));
	err = verify(v, buf_sv(&b));
	buf_fini(&b);
	return err;
}

#define VERIFY_HEADER(header)	verify_made(&plain, SV(header), SV("{}"))
#define VERIFY_CLAIMS(v, claims) verify_made(v, SV(HS256), SV(claims))

/* ---- what is accepted ---- */

TEST(rfc_7515_example)
{
	static const char	token[] =
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
	    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
	    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char	key[] =
	    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
	    "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	struct buf		secret = BUF_INIT;
	struct jwt_verifier	v = { .issuer = SV("joe") };
	struct jwt		t;
	bool			root;

	CHECK_INT(base64url_get(&secret, sv_from(key)), 0);
	v.hmac_secret = buf_sv(&secret);
	jwt_init(&t);
	CHECK_INT(verify_at(&t, &v, sv_from(token), 1300819379), JWT_OK);
	CHECK_INT(t.alg, JWT_HS256);
	CHECK_INT(t.exp, 1300819380);
	CHECK_INT(t.sub.n, 0);
	CHECK_INT(jv_bool(jv_get(json_root(&t.json),
	    "http://example.com/is_root"), &root), 0);
	CHECK(root);
	CHECK_INT(verify_at(&t, &v, sv_from(token), 1300819380), JWT_EXPIRED);
	jwt_fini(&t);
	buf_fini(&secret);
}

TEST(each_algorithm)
{
	struct jwt	t;
	size_t		i;

	jwt_init(&t);
	for (i = 0; i < 3; i++) {
		test_note("HS%zu", 256 + 128 * i);
		CHECK_INT(verify_at(&t, &plain, sv_from(token_42[i]), NOW),
		    JWT_OK);
		CHECK_INT(t.alg, JWT_HS256 + i);
		CHECK_SV(t.sub, "42");
		CHECK_INT(t.exp, NOW + 60);
		CHECK(!t.has_channel);
	}
	jwt_fini(&t);
}

TEST(secret_longer_than_a_block)
{
	char			secret[200];
	struct jwt_verifier	v = { .hmac_secret = sv_make(secret, 200) };
	size_t			i;

	for (i = 0; i < sizeof(secret); i++)
		secret[i] = (char)i;
	CHECK_INT(verify(&v, SV("eyJhbGciOiJIUzI1NiJ9.e30"
	    ".A_oNhtIKeTZCemZZNFwnflhtXzGMm3WsjDCs4GHpGsI")), JWT_OK);
	CHECK_INT(verify(&v, SV("eyJhbGciOiJIUzUxMiJ9.e30"
	    ".A6EPnHKzYFZ-SY9v5Pq4PZcmLC_YCh1V_7YNYgAQfEkwR6eF9w2nj_4xi1QZEpFJ"
	    "c2KkbsXrPmPJEnxPYhuBIw")), JWT_OK);
}

TEST(header_members_that_change_nothing)
{
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\"}"), JWT_OK);
	CHECK_INT(VERIFY_HEADER("{\"typ\":7,\"kid\":\"k\",\"alg\":\"HS256\","
	    "\"jku\":\"http://x/\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"},"
	    "\"x5u\":null}"), JWT_OK);
	CHECK_INT(VERIFY_HEADER(" { \"alg\" :\n\"HS\\u0032\\u00356\" } "),
	    JWT_OK);
}

/* ---- claims ---- */

static const struct {
	const char	*claims;
	enum jwt_err	 err;
	const char	*sub, *channel;
	int64_t		 exp;
} claims[] = {
	{ "{}", JWT_OK, "", "", 0 },
	{ "{\"sub\":\"\"}", JWT_OK, "", "", 0 },
	{ "{\"sub\":\"u\\u00e9\\n\"}", JWT_OK, "u\xc3\xa9\n", "", 0 },
	{ "{\"sub\":\"a\\tb\",\"channel\":\"c\\td\",\"iss\":\"\\\"\","
	    "\"aud\":[\"\\\\\",\"\\/\"]}", JWT_OK, "a\tb", "c\td", 0 },
	{ "{\"sub\":null,\"exp\":null,\"nbf\":null,\"aud\":null,"
	    "\"iss\":null,\"channel\":null}", JWT_OK, "", "", 0 },
	{ "{\"sub\":42}", JWT_CLAIMS, "", "", 0 },
	{ "{\"sub\":true}", JWT_CLAIMS, "", "", 0 },
	{ "{\"sub\":[\"a\"]}", JWT_CLAIMS, "", "", 0 },
	{ "{\"sub\":{\"a\":\"b\"}}", JWT_CLAIMS, "", "", 0 },
	{ "{\"channel\":\"news\"}", JWT_OK, "", "news", 0 },
	{ "{\"channel\":\"\"}", JWT_OK, "", "", 0 },
	{ "{\"channel\":1}", JWT_CLAIMS, "", "", 0 },
	{ "{\"channel\":[]}", JWT_CLAIMS, "", "", 0 },
	/* exp: refused from its second on */
	{ "{\"exp\":1700000001}", JWT_OK, "", "", NOW + 1 },
	{ "{\"exp\":1700000000}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":1699999999}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":1700000001.9}", JWT_OK, "", "", NOW + 1 },
	{ "{\"exp\":1700000000.9}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":1.7000000015e9}", JWT_OK, "", "", NOW + 1 },
	{ "{\"exp\":17000000600E-1}", JWT_OK, "", "", NOW + 60 },
	{ "{\"exp\":0}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":-0.5}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":-1}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":-1e300}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":-9223372036854775808}", JWT_EXPIRED, "", "", 0 },
	{ "{\"exp\":1700000060000}", JWT_OK, "", "", INT64_C(1700000060000) },
	{ "{\"exp\":9007199254740992}", JWT_OK, "", "", INT64_C(1) << 53 },
	{ "{\"exp\":9223372036854775807}", JWT_OK, "", "", INT64_C(1) << 53 },
	{ "{\"exp\":9223372036854775808}", JWT_OK, "", "", INT64_C(1) << 53 },
	{ "{\"exp\":1e300}", JWT_OK, "", "", INT64_C(1) << 53 },
	{ "{\"exp\":1e999}", JWT_CLAIMS, "", "", 0 },
	{ "{\"exp\":\"1700000060\"}", JWT_CLAIMS, "", "", 0 },
	{ "{\"exp\":true}", JWT_CLAIMS, "", "", 0 },
	{ "{\"exp\":[1700000060]}", JWT_CLAIMS, "", "", 0 },
	{ "{\"exp\":{}}", JWT_CLAIMS, "", "", 0 },
	/* nbf: refused before its second, as expired (contract 12.28) */
	{ "{\"nbf\":1700000000}", JWT_OK, "", "", 0 },
	{ "{\"nbf\":1700000000.5}", JWT_OK, "", "", 0 },
	{ "{\"nbf\":1700000001}", JWT_EXPIRED, "", "", 0 },
	{ "{\"nbf\":1e300}", JWT_EXPIRED, "", "", 0 },
	{ "{\"nbf\":-5}", JWT_OK, "", "", 0 },
	{ "{\"nbf\":0,\"exp\":1700000060}", JWT_OK, "", "", NOW + 60 },
	{ "{\"nbf\":1700000001,\"exp\":1700000060}", JWT_EXPIRED, "", "", 0 },
	{ "{\"nbf\":\"1\"}", JWT_CLAIMS, "", "", 0 },
	/* not looked at */
	{ "{\"iat\":\"x\",\"jti\":7,\"info\":{\"a\":1}}", JWT_OK, "", "", 0 },
	/* types count even where the value does not */
	{ "{\"aud\":5}", JWT_CLAIMS, "", "", 0 },
	{ "{\"aud\":[\"a\",5]}", JWT_CLAIMS, "", "", 0 },
	{ "{\"aud\":[null]}", JWT_CLAIMS, "", "", 0 },
	{ "{\"aud\":{}}", JWT_CLAIMS, "", "", 0 },
	{ "{\"iss\":5}", JWT_CLAIMS, "", "", 0 },
	{ "{\"iss\":[\"a\"]}", JWT_CLAIMS, "", "", 0 },
	/* no objects */
	{ "", JWT_MALFORMED, "", "", 0 },
	{ "null", JWT_MALFORMED, "", "", 0 },
	{ "[]", JWT_MALFORMED, "", "", 0 },
	{ "\"sub\"", JWT_MALFORMED, "", "", 0 },
	{ "{\"sub\":\"a\"", JWT_MALFORMED, "", "", 0 },
	{ "{\"sub\":\"a\"}{}", JWT_MALFORMED, "", "", 0 },
	{ "{\"sub\":\"\xff\"}", JWT_MALFORMED, "", "", 0 },
	{ "{\"sub\":\"\\ud800\"}", JWT_MALFORMED, "", "", 0 },
};

TEST(claims_by_table)
{
	struct buf	b = BUF_INIT;
	struct jwt	t;
	size_t		i;

	jwt_init(&t);
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		test_note("%s", claims[i].claims);
		buf_reset(&b);
		put_token(&b, SV(HS256), sv_from(claims[i].claims),
		    SV(SECRET));
		CHECK_INT(verify_at(&t, &plain, buf_sv(&b), NOW),
		    claims[i].err);
		CHECK_SV(t.sub, claims[i].sub);
		CHECK_SV(t.channel, claims[i].channel);
		CHECK_INT(t.has_channel, claims[i].channel[0] != '\0');
		CHECK_INT(t.exp, claims[i].exp);
	}
	jwt_fini(&t);
	buf_fini(&b);
}

TEST(audience)
{
	struct jwt_verifier	v = plain;

	v.audience = SV("chat");
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"chat\"}"), JWT_OK);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[\"mail\",\"chat\"]}"), JWT_OK);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[\"\\u0063hat\"]}"), JWT_OK);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"mail\"}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"chat \"}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"Chat\"}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[]}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[\"a\",\"b\"]}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":null}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[[\"chat\"]]}"), JWT_CLAIMS);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":[\"chat\",1]}"), JWT_CLAIMS);
}

TEST(issuer)
{
	struct jwt_verifier	v = plain;

	v.issuer = SV("https://id.example");
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":\"https://id.example\"}"),
	    JWT_OK);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":\"https:\\/\\/id.example\"}"),
	    JWT_OK);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":\"https://id.example/\"}"),
	    JWT_ISSUER);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":\"\"}"), JWT_ISSUER);
	CHECK_INT(VERIFY_CLAIMS(&v, "{}"), JWT_ISSUER);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":[\"https://id.example\"]}"),
	    JWT_CLAIMS);
}

TEST(expiry_is_told_before_audience_and_issuer)
{
	struct jwt_verifier	v = plain;

	v.audience = SV("a");
	v.issuer = SV("i");
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"exp\":1}"), JWT_EXPIRED);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"iss\":\"x\"}"), JWT_AUDIENCE);
}

TEST(user_id_claim)
{
	static const struct {
		const char	*claims;
		enum jwt_err	 err;
		const char	*sub;
	} row[] = {
		{ "{\"sub\":\"s\",\"user_id\":\"u\"}", JWT_OK, "u" },
		{ "{\"user_id\":\"\\u0075\",\"sub\":\"\\u0073\"}", JWT_OK,
		    "u" },
		{ "{\"sub\":\"s\"}", JWT_OK, "" },
		{ "{\"sub\":\"s\",\"user_id\":null}", JWT_OK, "" },
		{ "{\"user_id\":42}", JWT_OK, "42" },
		{ "{\"user_id\":-7}", JWT_OK, "-7" },
		{ "{\"user_id\":4.2}", JWT_CLAIMS, "" },
		{ "{\"user_id\":1e3}", JWT_CLAIMS, "" },
		{ "{\"user_id\":true}", JWT_CLAIMS, "" },
		{ "{\"user_id\":{\"id\":1}}", JWT_CLAIMS, "" },
		{ "{\"sub\":1,\"user_id\":\"u\"}", JWT_CLAIMS, "" },
		{ "{\"a\":{\"user_id\":\"inner\"}}", JWT_OK, "" },
	};
	struct jwt_verifier	v = plain;
	struct buf		b = BUF_INIT;
	struct jwt		t;
	size_t			i;

	v.user_id_claim = SV("user_id");
	jwt_init(&t);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].claims);
		buf_reset(&b);
		put_token(&b, SV(HS256), sv_from(row[i].claims), SV(SECRET));
		CHECK_INT(verify_at(&t, &v, buf_sv(&b), NOW), row[i].err);
		CHECK_SV(t.sub, row[i].sub);
	}
	jwt_fini(&t);
	buf_fini(&b);
}

TEST(many_escaped_strings_stay_where_they_are)
{
	struct jwt_verifier	v = plain;
	struct buf		c = BUF_INIT, b = BUF_INIT;
	struct jwt		t;
	int			i;

	/* The largest one is needed twice. */
	v.user_id_claim = SV("channel");
	buf_puts(&c, "{\"sub\":\"\\u0061\",\"channel\":\"\\u0062");
	for (i = 0; i < 32000; i++)
		buf_putc(&c, 'c');
	buf_puts(&c, "\",\"aud\":[\"\\u0063\"");
	for (i = 0; i < 100; i++)
		buf_puts(&c, ",\"\\\\\"");
	buf_puts(&c, "]}");
	put_token(&b, SV(HS256), buf_sv(&c), SV(SECRET));
	jwt_init(&t);
	CHECK_INT(verify_at(&t, &v, buf_sv(&b), NOW), JWT_OK);
	CHECK_INT(t.sub.n, 32001);
	CHECK(sv_starts(t.sub, SV("bccc")));
	CHECK_SVEQ(t.channel, t.sub);
	jwt_fini(&t);
	buf_fini(&c);
	buf_fini(&b);
}

/* ---- keys ---- */

TEST(no_secret_no_token)
{
	struct jwt_verifier	v = { .audience = SV("") };
	struct buf		b = BUF_INIT;

	CHECK_INT(verify(&v, sv_from(token_42[0])), JWT_ALG);
	/* Nor one signed with the empty secret. */
	put_token(&b, SV(HS256), SV("{}"), SV(""));
	CHECK_INT(verify(&v, buf_sv(&b)), JWT_ALG);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_SIGNATURE);
	v.hmac_previous_secret = SV(SECRET);
	CHECK_INT(verify(&v, sv_from(token_42[0])), JWT_ALG);
	buf_fini(&b);
}

TEST(previous_secret_until_its_time)
{
	struct jwt_verifier	v = { .hmac_secret = SV("new"),
	    .hmac_previous_secret = SV(SECRET) };
	struct buf		b = BUF_INIT;

	CHECK_INT(verify(&v, sv_from(token_42[2])), JWT_OK);
	v.hmac_previous_valid_until = NOW;
	CHECK_INT(verify(&v, sv_from(token_42[2])), JWT_OK);
	v.hmac_previous_valid_until = NOW - 1;
	CHECK_INT(verify(&v, sv_from(token_42[2])), JWT_SIGNATURE);
	/* The current one always counts, a third one never. */
	put_token(&b, SV(HS256), SV("{}"), SV("new"));
	CHECK_INT(verify(&v, buf_sv(&b)), JWT_OK);
	v.hmac_previous_valid_until = 0;
	CHECK_INT(verify(&v, buf_sv(&b)), JWT_OK);
	buf_reset(&b);
	put_token(&b, SV(HS256), SV("{}"), SV("newer"));
	CHECK_INT(verify(&v, buf_sv(&b)), JWT_SIGNATURE);
	buf_fini(&b);
}

TEST(previous_secret_empty_is_no_secret)
{
	struct buf	b = BUF_INIT;

	put_token(&b, SV(HS256), SV("{}"), SV(""));
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_SIGNATURE);
	buf_fini(&b);
}

TEST(insecure_skip_signature_still_checks_the_rest)
{
	struct jwt_verifier	v = { .insecure_skip_signature = true,
	    .audience = SV("chat") };

	/* {"alg":"none"}, {"aud":"chat"} and so on, nothing signed */
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"chat\"}"), JWT_OK);
	CHECK_INT(verify(&v, SV("eyJhbGciOiJub25lIn0"
	    ".eyJhdWQiOiJjaGF0In0.")), JWT_OK);
	CHECK_INT(verify(&v, SV("eyJhbGciOiJub25lIn0"
	    ".eyJhdWQiOiJjaGF0In0")), JWT_MALFORMED);
	CHECK_INT(verify(&v, SV("e30.eyJhdWQiOiJjaGF0In0.")), JWT_MALFORMED);
	CHECK_INT(VERIFY_CLAIMS(&v, "{}"), JWT_AUDIENCE);
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"chat\",\"exp\":1}"),
	    JWT_EXPIRED);
	v.issuer = SV("i");
	CHECK_INT(VERIFY_CLAIMS(&v, "{\"aud\":\"chat\"}"), JWT_ISSUER);
}

/* ---- attacks ---- */

TEST(attack_alg_none_in_any_case)
{
	static const char *const	none[] = {
	    "none", "None", "NONE", "nOnE", "n\\u006fne", "", " ", "null",
	    "none\\u0000", "HS256\\u0000", " HS256", "HS256 "
	};
	struct buf	b = BUF_INIT, header = BUF_INIT;
	size_t		i, dot;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		test_note("%s", none[i]);
		buf_reset(&header);
		buf_printf(&header, "{\"alg\":\"%s\"}", none[i]);
		buf_reset(&b);
		put_token(&b, buf_sv(&header), SV("{}"), SV(SECRET));
		CHECK_INT(verify(&plain, buf_sv(&b)), JWT_ALG);
		for (dot = b.n; b.p[dot - 1] != '.'; dot--)
			;
		CHECK_INT(verify(&plain, sv_make(b.p, dot)), JWT_ALG);
	}
	buf_fini(&b);
	buf_fini(&header);
}

TEST(attack_alg_in_another_case_or_unknown)
{
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"hs256\"}"), JWT_ALG);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS2567\"}"), JWT_ALG);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS25\"}"), JWT_ALG);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS1\"}"), JWT_ALG);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"EdDSA\"}"), JWT_ALG);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"PS256\"}"), JWT_ALG);
}

TEST(attack_alg_missing_or_no_string)
{
	CHECK_INT(VERIFY_HEADER("{}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"typ\":\"JWT\"}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":null}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":1}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":[\"HS256\"]}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"ALG\":\"HS256\"}"), JWT_MALFORMED);
}

/* A public key is public: a MAC under its text proves nothing, whatever the
 * header says, and even if the same text were the secret. */
TEST(attack_public_key_as_hmac_secret)
{
	static const char	pem[] = "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
	    "-----END PUBLIC KEY-----\n";
	static const char *const	alg[] = {
	    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"
	};
	struct jwt_verifier	same = { .hmac_secret = sv_from(pem) };
	struct buf		b = BUF_INIT, header = BUF_INIT;
	size_t			i;

	for (i = 0; i < sizeof(alg) / sizeof(alg[0]); i++) {
		test_note("%s", alg[i]);
		buf_reset(&header);
		buf_printf(&header, "{\"alg\":\"%s\"}", alg[i]);
		buf_reset(&b);
		put_token(&b, buf_sv(&header), SV("{}"), sv_from(pem));
		CHECK_INT(verify(&plain, buf_sv(&b)), JWT_ALG);
		CHECK_INT(verify(&same, buf_sv(&b)), JWT_ALG);
	}
	buf_reset(&b);
	put_token(&b, SV(HS256), SV("{}"), sv_from(pem));
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_SIGNATURE);
	buf_fini(&b);
	buf_fini(&header);
}

/* The MAC of one algorithm under the header of another. */
TEST(attack_signature_of_a_sibling)
{
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS384\"}"), JWT_SIGNATURE);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS512\"}"), JWT_SIGNATURE);
}

TEST(attack_signature_empty)
{
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30.")),
	    JWT_SIGNATURE);
}

/* Every beginning of a good token, which includes every shorter MAC. */
TEST(attack_signature_truncated)
{
	struct sv	token;
	size_t		i, n;

	for (i = 0; i < 3; i++) {
		token = sv_from(token_42[i]);
		for (n = 0; n < token.n; n++)
			if (!CHECK(verify(&plain, sv_make(token.p, n)) !=
			    JWT_OK))
				return;
	}
}

TEST(attack_signature_extended)
{
	char	token[256];

	snprintf(token, sizeof(token), "%sAAAA", token_42[1]);
	CHECK_INT(verify(&plain, sv_from(token)), JWT_SIGNATURE);
}

/* Stray bits at the end of a part would make a second token of the same
 * meaning. */
TEST(attack_every_byte_changed)
{
	char	token[256];
	size_t	i, n;
	int	c;

	n = (size_t)snprintf(token, sizeof(token), "%s", token_42[0]);
	for (i = 0; i < n; i++) {
		for (c = 0; c < 256; c += i + 1 == n ? 1 : 37) {
			if ((char)c == token_42[0][i])
				continue;
			token[i] = (char)c;
			test_note("byte %zu is %d", i, c);
			if (!CHECK(verify(&plain, sv_make(token, n)) !=
			    JWT_OK))
				return;
		}
		token[i] = token_42[0][i];
	}
}

TEST(attack_crit)
{
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"crit\":[\"b64\"],"
	    "\"b64\":false}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"crit\":[]}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"crit\":null}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"\\u0063rit\":[\"x\"]}"),
	    JWT_MALFORMED);
}

TEST(attack_alg_twice)
{
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"none\",\"alg\":\"HS256\"}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"alg\":\"none\"}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}"),
	    JWT_MALFORMED);
}

TEST(attack_claim_twice)
{
	CHECK_INT(VERIFY_CLAIMS(&plain, "{\"sub\":\"a\",\"sub\":\"admin\"}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_CLAIMS(&plain,
	    "{\"sub\":\"a\",\"s\\u0075b\":\"a\"}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_CLAIMS(&plain, "{\"exp\":1,\"exp\":1700000060}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_CLAIMS(&plain, "{\"info\":{\"a\":1,\"a\":2}}"),
	    JWT_MALFORMED);
}

TEST(attack_padding)
{
	struct buf	b = BUF_INIT;

	/* e30 is {}; e30= is the same with padding */
	buf_printf(&b, "%s=", token_42[0]);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30=.AAAA")),
	    JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV("eyJhbGciOiAibm9uZSJ9==.e30.AAAA")),
	    JWT_MALFORMED);
	buf_fini(&b);
}

TEST(attack_other_alphabet_and_white_space)
{
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30.AA+/")),
	    JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV(" eyJhbGciOiJIUzI1NiJ9.e30.AAAA")),
	    JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30.AAAA\n")),
	    JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30.AA\0AA")),
	    JWT_MALFORMED);
	CHECK_INT(verify(&plain, SV("eyJhbGciOiJIUzI1NiJ9.e30.\xc3\xa4")),
	    JWT_MALFORMED);
}

TEST(attack_number_of_parts)
{
	static const char *const	token[] = {
	    "", ".", "..", "...", "e30", "e30.", ".e30.", "e30.e30", "a",
	    "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.e30",
	    "eyJhbGciOiJIUzI1NiJ9..", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.",
	    "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA", ".e30.AAAA",
	    "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA.AAAA" /* JWE has five */
	};
	struct buf	b = BUF_INIT;
	struct jwt	t;
	size_t		i;

	for (i = 0; i < sizeof(token) / sizeof(token[0]); i++) {
		test_note("%s", token[i]);
		if (strcmp(token[i], "eyJhbGciOiJIUzI1NiJ9..") == 0)
			CHECK_INT(verify(&plain, sv_from(token[i])),
			    JWT_SIGNATURE);
		else
			CHECK_INT(verify(&plain, sv_from(token[i])),
			    JWT_MALFORMED);
	}
	buf_printf(&b, "%s.", token_42[0]);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_MALFORMED);
	buf_reset(&b);
	buf_printf(&b, ".%s", token_42[0]);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_MALFORMED);
	buf_fini(&b);
	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &plain, (struct sv){ NULL, 0 }, NOW),
	    JWT_MALFORMED);
}

TEST(attack_header_is_no_object)
{
	CHECK_INT(VERIFY_HEADER("[]"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("\"HS256\""), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("null"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER(""), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\"}}"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\",}"), JWT_MALFORMED);
}

TEST(attack_huge)
{
	struct buf	c = BUF_INIT, b = BUF_INIT;

	buf_puts(&c, "{\"sub\":\"");
	while (c.n < 48000)
		buf_putc(&c, 'x');
	buf_puts(&c, "\"}");
	put_token(&b, SV(HS256), buf_sv(&c), SV(SECRET));
	CHECK(b.n <= JWT_MAX);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_OK);
	while (b.n <= JWT_MAX)
		buf_putc(&b, 'A');
	CHECK_INT(b.n, JWT_MAX + 1);
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_TOOBIG);
	b.n--;
	CHECK(verify(&plain, buf_sv(&b)) != JWT_TOOBIG);
	buf_fini(&b);
	buf_fini(&c);
}

TEST(attack_deep_json)
{
	struct buf	c = BUF_INIT;
	int		i;

	buf_puts(&c, "{\"alg\":\"HS256\",\"x\":");
	for (i = 0; i < 20000; i++)
		buf_putc(&c, '[');
	for (i = 0; i < 20000; i++)
		buf_putc(&c, ']');
	buf_putc(&c, '}');
	CHECK_INT(verify_made(&plain, SV(HS256), buf_sv(&c)), JWT_MALFORMED);
	CHECK_INT(verify_made(&plain, buf_sv(&c), SV("{}")), JWT_MALFORMED);
	buf_fini(&c);
}

TEST(attack_embedded_nul)
{
	struct buf	b = BUF_INIT;
	struct jwt	t;

	CHECK_INT(VERIFY_CLAIMS(&plain, "{\"sub\":\"a\0b\"}"),
	    JWT_MALFORMED);
	CHECK_INT(VERIFY_CLAIMS(&plain, "{}\0"), JWT_MALFORMED);
	CHECK_INT(VERIFY_HEADER("{\"alg\":\"HS256\"}\0"), JWT_MALFORMED);
	/* Escaped it is a character like others, and part of the id. */
	put_token(&b, SV(HS256), SV("{\"sub\":\"admin\\u0000x\"}"),
	    SV(SECRET));
	jwt_init(&t);
	CHECK_INT(verify_at(&t, &plain, buf_sv(&b), NOW), JWT_OK);
	CHECK_SVEQ(t.sub, SV("admin\0x"));
	jwt_fini(&t);
	buf_fini(&b);
}

/* Claims are not even parsed before the signature is known to be good. */
TEST(attack_forged_token_learns_nothing_about_claims)
{
	struct buf	b = BUF_INIT;

	put_token(&b, SV(HS256), SV("{\"exp\":1}"), SV("guess"));
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_SIGNATURE);
	buf_reset(&b);
	put_token(&b, SV(HS256), SV("no JSON"), SV("guess"));
	CHECK_INT(verify(&plain, buf_sv(&b)), JWT_SIGNATURE);
	buf_fini(&b);
}

/* ---- ownership ---- */

TEST(struct_can_be_used_again)
{
	struct jwt	t;

	jwt_init(&t);
	CHECK_INT(verify_at(&t, &plain, sv_from(token_42[0]), NOW), JWT_OK);
	CHECK_INT(verify_at(&t, &plain, SV("x"), NOW), JWT_MALFORMED);
	CHECK_INT(verify_at(&t, &plain, sv_from(token_42[1]), NOW), JWT_OK);
	CHECK_SV(t.sub, "42");
	jwt_fini(&t);
	jwt_fini(&t);
}

TEST(every_error_has_a_text)
{
	int	e;

	for (e = JWT_OK; e <= JWT_NOMEM; e++)
		CHECK(strlen(jwt_strerror((enum jwt_err)e)) > 5);
}

static char	sweep_token[512];

static bool
sweep_verify(void)
{
	struct jwt_verifier	v = plain;
	struct jwt		t;
	enum jwt_err		err;
	bool			ok;

	v.user_id_claim = SV("uid");
	v.audience = SV("c");
	jwt_init(&t);
	err = jwt_verify(&t, &v, sv_from(sweep_token), NOW);
	ok = err == JWT_OK && sv_eq(t.sub, SV("u\n")) &&
	    sv_eq(t.channel, SV("ch\t"));
	CHECK(ok || err == JWT_NOMEM);
	jwt_fini(&t);
	return ok;
}

TEST(allocation_sweep)
{
	struct buf	b = BUF_INIT;

	put_token(&b, SV("{\"alg\":\"HS\\u003256\"}"), SV("{\"uid\":\"u\\n\","
	    "\"channel\":\"ch\\t\",\"aud\":[\"\\u0063\"],"
	    "\"exp\":1700000060}"), SV(SECRET));
	snprintf(sweep_token, sizeof(sweep_token), "%.*s", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
	ALLOC_SWEEP(sweep_verify);
}

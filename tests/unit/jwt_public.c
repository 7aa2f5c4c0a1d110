/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tokens signed with private keys: fixed ones made by another
 * implementation, by static keys and by keys of a set; and every attack in
 * a test of its own name.
 */
#include <bearssl.h>

#include "jwt/jwt.h"
#include "jwt/key.h"
#include "tests/unit/jwt_data.h"
#include "tests/unit/test.h"
#include "util/base64.h"

#define NOW	INT64_C(1700000000)
#define URL	"http://127.0.0.1/keys"

static struct jwt_key
key_of(const char *pem)
{
	struct jwt_key	key;
	const char	*why;

	CHECK_INT(jwt_key_pem(&key, sv_from(pem), &why), 0);
	return key;
}

/* Verify before a guard page, with a static key of either family. */
static enum jwt_err
verify_with(const struct jwt_key *key, struct sv token)
{
	struct jwt_verifier	v = {
		.rsa_key = key->family == JWT_RSA ? key : NULL,
		.ecdsa_key = key->family == JWT_EC ? key : NULL
	};
	struct jwt		t;
	enum jwt_err		err;
	char			*p = guard_dup(token);

	jwt_init(&t);
	err = jwt_verify(&t, &v, sv_make(p, token.n), NOW);
	if (err == JWT_OK) {
		CHECK_SV(t.sub, "42");
		CHECK_INT(t.exp, NOW + 60);
		CHECK(t.kid.p == NULL && t.key_url.p == NULL);
	} else {
		CHECK(t.text.p == NULL && t.sub.n == 0);
	}
	jwt_fini(&t);
	guard_free(p);
	return err;
}

static enum jwt_err
verify(const char *pem, const char *token)
{
	struct jwt_key key = key_of(pem);

	return verify_with(&key, sv_from(token));
}

/* ---- what is accepted, and what each key refuses ---- */

static const struct {
	const char	*name, *token, *pem;
} tokens[] = {
	{ "RS256", TOKEN_RS256, PEM_RSA },
	{ "RS384", TOKEN_RS384, PEM_RSA },
	{ "RS512", TOKEN_RS512, PEM_RSA },
	{ "RS256 of 4096 bits", TOKEN_RS256_4096, PEM_RSA_4096 },
	{ "ES256", TOKEN_ES256, PEM_P256 },
	{ "ES384", TOKEN_ES384, PEM_P384 },
	{ "ES512", TOKEN_ES512, PEM_P521 },
};

#define NTOKENS	(sizeof(tokens) / sizeof(tokens[0]))

TEST(each_algorithm_with_each_key)
{
	enum jwt_err	err;
	size_t		i, k;

	for (i = 0; i < NTOKENS; i++)
		for (k = 0; k < NTOKENS; k++) {
			test_note("%s with the key of %s", tokens[i].name,
			    tokens[k].name);
			err = verify(tokens[k].pem, tokens[i].token);
			if (strcmp(tokens[i].pem, tokens[k].pem) == 0)
				CHECK_INT(err, JWT_OK);
			else
				/* Another RSA key is for RS256 as well, but
				 * an EC key is for one curve only. */
				CHECK_INT(err, i < 4 && k < 4 ?
				    JWT_SIGNATURE : JWT_ALG);
		}
}

TEST(several_keys_at_once)
{
	struct jwt_key		rsa = key_of(PEM_RSA), ec = key_of(PEM_P256);
	struct jwt_verifier	v = { .hmac_secret = SV("secret"),
	    .rsa_key = &rsa, .ecdsa_key = &ec };
	struct buf		b = BUF_INIT;
	struct jwt		t;

	jwt_init(&t);
	CHECK_INT(jwt_sign(&b, JWT_HS256, SV("secret"), SV("{}")), 0);
	CHECK_INT(jwt_verify(&t, &v, buf_sv(&b), NOW), JWT_OK);
	CHECK_INT(t.alg, JWT_HS256);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_RS512), NOW), JWT_OK);
	CHECK_INT(t.alg, JWT_RS512);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_ES256), NOW), JWT_OK);
	CHECK_INT(t.alg, JWT_ES256);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_ES384), NOW), JWT_ALG);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_RS256), NOW + 60), JWT_EXPIRED);
	jwt_fini(&t);
	buf_fini(&b);
}

TEST(no_key_no_token)
{
	struct jwt_verifier	v = { .hmac_secret = SV("secret") };
	struct jwt		t;

	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_RS256), NOW), JWT_ALG);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_ES256), NOW), JWT_ALG);
	jwt_fini(&t);
}

TEST(public_keys_sign_nothing)
{
	struct buf	b = BUF_INIT;

	CHECK_INT(jwt_sign(&b, JWT_RS256, SV(PEM_RSA), SV("{}")), -1);
	CHECK_INT(jwt_sign(&b, JWT_ES256, SV(PEM_P256), SV("{}")), -1);
	CHECK_INT(b.n, 0);
	buf_fini(&b);
}

/* ---- attacks ---- */

TEST(hs256_with_the_public_key_as_secret)
{
	struct jwt_key		rsa = key_of(PEM_RSA);
	struct jwt_verifier	v = { .rsa_key = &rsa };
	struct jwt		t;

	CHECK_INT(verify(PEM_RSA, TOKEN_HS256_BY_RSA_PEM), JWT_ALG);
	/* Also where there is a secret besides. */
	v.hmac_secret = SV("secret");
	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_HS256_BY_RSA_PEM), NOW),
	    JWT_SIGNATURE);
	/* The attack itself works on one who is careless. */
	v.hmac_secret = SV(PEM_RSA);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_HS256_BY_RSA_PEM), NOW),
	    JWT_OK);
	jwt_fini(&t);
}

TEST(es256_signed_with_a_p384_key)
{
	CHECK_INT(verify(PEM_P384, TOKEN_ES256_BY_P384), JWT_ALG);
	CHECK_INT(verify(PEM_P256, TOKEN_ES256_BY_P384), JWT_SIGNATURE);
}

TEST(es256_signature_in_der)
{
	CHECK_INT(verify(PEM_P256, TOKEN_ES256_DER), JWT_SIGNATURE);
}

TEST(pss_is_not_pkcs1)
{
	CHECK_INT(verify(PEM_RSA, TOKEN_RS256_PSS), JWT_SIGNATURE);
	CHECK_INT(verify(PEM_RSA, TOKEN_PS256), JWT_ALG);
}

TEST(rs256_signed_with_another_hash)
{
	CHECK_INT(verify(PEM_RSA, TOKEN_RS256_IS_SHA384), JWT_SIGNATURE);
}

/* A cube root whose padding looks right at the front only. */
TEST(bleichenbachers_cube_root)
{
	CHECK_INT(verify(PEM_RSA_4096, TOKEN_RS256_CUBE_ROOT), JWT_SIGNATURE);
}

/* The token with its signature changed by fn. */
static enum jwt_err
verify_changed(const char *pem, const char *token,
    void (*fn)(struct buf *sig))
{
	struct jwt_key	key = key_of(pem);
	struct sv	s = sv_from(token), rest = s;
	struct buf	sig = BUF_INIT, b = BUF_INIT;
	enum jwt_err	err;

	(void)sv_cut(&rest, '.');
	(void)sv_cut(&rest, '.');
	CHECK_INT(base64url_get(&sig, rest), 0);
	fn(&sig);
	buf_putsv(&b, sv_make(s.p, s.n - rest.n));
	base64url_put(&b, buf_sv(&sig));
	err = verify_with(&key, buf_sv(&b));
	buf_fini(&sig);
	buf_fini(&b);
	return err;
}

static void
nothing(struct buf *sig)
{
	(void)sig;
}

static void
truncate_one(struct buf *sig)
{
	sig->n--;
}

static void
truncate_two(struct buf *sig)
{
	sig->n -= 2;
}

static void
empty(struct buf *sig)
{
	sig->n = 0;
}

static void
add_zeros_in_front(struct buf *sig)
{
	if (!CHECK(buf_reserve(sig, 2) != NULL))
		return;
	memmove(sig->p + 2, sig->p, sig->n);
	memset(sig->p, 0, 2);
	sig->n += 2;
}

static void
add_zeros_behind(struct buf *sig)
{
	buf_put(sig, "\0", 2);
}

static void
flip_first(struct buf *sig)
{
	sig->p[0] ^= 1;
}

static void
flip_last(struct buf *sig)
{
	sig->p[sig->n - 1] ^= 1;
}

static void
all_zero(struct buf *sig)
{
	memset(sig->p, 0, sig->n);
}

static void
all_ones(struct buf *sig)
{
	memset(sig->p, 0xff, sig->n);
}

static void
r_zero(struct buf *sig)
{
	memset(sig->p, 0, sig->n / 2);
}

static void
s_zero(struct buf *sig)
{
	memset(sig->p + sig->n / 2, 0, sig->n / 2);
}

static void
put_order(struct buf *sig, size_t at)
{
	size_t			 n;
	const unsigned char	*order = br_ec_get_default()->order(
	    sig->n == 64 ? BR_EC_secp256r1 : sig->n == 96 ?
	    BR_EC_secp384r1 : BR_EC_secp521r1, &n);

	CHECK_INT(n, sig->n / 2);
	memcpy(sig->p + at, order, n);
}

static void
r_is_the_order(struct buf *sig)
{
	put_order(sig, 0);
}

static void
s_is_the_order(struct buf *sig)
{
	put_order(sig, sig->n / 2);
}

/* r = s = 1 and the like, which a sloppy inversion accepts. */
static void
both_one(struct buf *sig)
{
	all_zero(sig);
	sig->p[sig->n / 2 - 1] = sig->p[sig->n - 1] = 1;
}

static void
swapped(struct buf *sig)
{
	size_t	i, half = sig->n / 2;
	char	c;

	for (i = 0; i < half; i++) {
		c = sig->p[i];
		sig->p[i] = sig->p[half + i];
		sig->p[half + i] = c;
	}
}

/* The same signature, one that BearSSL alone would take: the same number
 * with zeros in front of both halves. */
static void
wider_halves(struct buf *sig)
{
	size_t half = sig->n / 2;

	if (!CHECK(buf_reserve(sig, 2) != NULL))
		return;
	memmove(sig->p + half + 2, sig->p + half, half);
	memmove(sig->p + 1, sig->p, half);
	sig->p[0] = sig->p[half + 1] = 0;
	sig->n += 2;
}

static const struct {
	const char	*name;
	void		(*fn)(struct buf *);
	bool		ec_only;
} changes[] = {
	{ "truncated by one", truncate_one, false },
	{ "truncated by two", truncate_two, false },
	{ "empty", empty, false },
	{ "zeros in front", add_zeros_in_front, false },
	{ "zeros behind", add_zeros_behind, false },
	{ "first byte changed", flip_first, false },
	{ "last byte changed", flip_last, false },
	{ "all zero", all_zero, false },
	{ "all ones", all_ones, false },
	{ "r is zero", r_zero, true },
	{ "s is zero", s_zero, true },
	{ "r is the order", r_is_the_order, true },
	{ "s is the order", s_is_the_order, true },
	{ "r and s are one", both_one, true },
	{ "r and s swapped", swapped, true },
	{ "wider halves", wider_halves, true },
};

TEST(changed_signatures)
{
	size_t i, k;

	for (i = 0; i < NTOKENS; i++) {
		test_note("%s", tokens[i].name);
		CHECK_INT(verify_changed(tokens[i].pem, tokens[i].token,
		    nothing), JWT_OK);
		for (k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
			if (changes[k].ec_only && i < 4)
				continue;
			test_note("%s, %s", tokens[i].name, changes[k].name);
			CHECK_INT(verify_changed(tokens[i].pem,
			    tokens[i].token, changes[k].fn), JWT_SIGNATURE);
		}
	}
}

/* Changing what was signed, one character at a time. */
static void
change_claims(const char *pem, const char *token)
{
	struct jwt_key	key = key_of(pem);
	struct buf	b = BUF_INIT;
	size_t		i;

	buf_puts(&b, token);
	for (i = 0; b.p[i] != '.'; i++)
		continue;
	for (i++; b.p[i] != '.'; i++) {
		b.p[i] = b.p[i] == 'A' ? 'B' : 'A';
		CHECK_INT(verify_with(&key, buf_sv(&b)), token[i] == b.p[i] ?
		    JWT_OK : JWT_SIGNATURE);
		b.p[i] = token[i];
	}
	CHECK_INT(verify_with(&key, buf_sv(&b)), JWT_OK);
	buf_fini(&b);
}

TEST(changed_claims)
{
	change_claims(PEM_P256, TOKEN_ES256);
	change_claims(PEM_RSA, TOKEN_RS512);
}

/* ---- keys of a set ---- */

static const struct jwt_verifier	of_set = { .key_url = SV_INIT(URL) };

TEST(asks_for_the_key)
{
	struct jwt_key	rsa = key_of(PEM_RSA);
	struct jwt	t;

	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &of_set, SV(TOKEN_RS256_KID), NOW),
	    JWT_KEY_UNKNOWN);
	CHECK_SV(t.kid, "rsa-1");
	CHECK_SV(t.key_url, URL);
	CHECK_INT(t.sub.n, 0);
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_RS256_KID), NOW),
	    JWT_OK);
	CHECK_SV(t.sub, "42");
	CHECK(t.kid.p == NULL && t.key_url.p == NULL);
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_RS256_KID),
	    NOW + 60), JWT_EXPIRED);
	jwt_fini(&t);
}

TEST(key_id_with_escapes)
{
	struct buf	b = BUF_INIT;
	struct jwt	t;

	base64url_put(&b, SV("{\"alg\":\"ES256\",\"kid\":\"a\\u0062\\/\"}"));
	buf_puts(&b, ".e30.AA");
	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &of_set, buf_sv(&b), NOW), JWT_KEY_UNKNOWN);
	CHECK_SV(t.kid, "ab/");
	jwt_fini(&t);
	buf_fini(&b);
}

TEST(with_a_set_the_static_keys_dont_count)
{
	struct jwt_key		rsa = key_of(PEM_RSA), ec = key_of(PEM_P256);
	struct jwt_verifier	v = { .hmac_secret = SV("secret"),
	    .rsa_key = &rsa, .ecdsa_key = &ec, .key_url = SV(URL) };
	struct jwt		t;

	jwt_init(&t);
	/* Without an id there is nothing to look for. */
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_RS256), NOW), JWT_ALG);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_ES256), NOW), JWT_ALG);
	/* A shared secret is in no set. */
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_HS256_KID), NOW), JWT_ALG);
	jwt_fini(&t);
}

TEST(keys_of_a_set_that_dont_fit)
{
	struct jwt_key	rsa = key_of(PEM_RSA), ec = key_of(PEM_P256);
	struct jwt	t;

	jwt_init(&t);
	CHECK_INT(jwt_verify_key(&t, &of_set, &ec, SV(TOKEN_RS256_KID), NOW),
	    JWT_ALG);
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_ES256_KID), NOW),
	    JWT_ALG);
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_HS256_KID), NOW),
	    JWT_ALG);
	CHECK_INT(jwt_verify_key(&t, &of_set, &ec, SV(TOKEN_ES256_KID), NOW),
	    JWT_OK);
	/* A key bound to an algorithm is for no other of its family. */
	rsa.alg = JWT_RS384;
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_RS256_KID), NOW),
	    JWT_ALG);
	CHECK_INT(jwt_verify_key(&t, &of_set, &rsa, SV(TOKEN_RS384_KID), NOW),
	    JWT_OK);
	jwt_fini(&t);
}

TEST(skipping_signatures_needs_no_key)
{
	struct jwt_verifier	v = of_set;
	struct jwt		t;

	v.insecure_skip_signature = true;
	jwt_init(&t);
	CHECK_INT(jwt_verify(&t, &v, SV(TOKEN_RS256_KID), NOW), JWT_OK);
	CHECK_SV(t.sub, "42");
	jwt_fini(&t);
}

static bool
sweep_ask(void)
{
	struct jwt_key	ec;
	const char	*why;
	struct jwt	t;
	enum jwt_err	err;

	if (jwt_key_pem(&ec, SV(PEM_P256), &why) == -1)
		return false;
	jwt_init(&t);
	err = jwt_verify(&t, &of_set, SV(TOKEN_ES256_KID), NOW);
	if (err == JWT_KEY_UNKNOWN)
		err = jwt_verify_key(&t, &of_set, &ec, SV(TOKEN_ES256_KID),
		    NOW);
	CHECK_INT(err, alloc_failed() == 0 ? JWT_OK : JWT_NOMEM);
	jwt_fini(&t);
	return err == JWT_OK;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_ask);
}

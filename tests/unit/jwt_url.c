/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * URLs of key sets made of what issuer and audience match, what they must
 * not become, and patterns that are not safe; and the same expressions as a
 * check of claims.
 */
#include <stdio.h>

#include "jwt/key.h"
#include "jwt/url.h"
#include "tests/unit/jwt_data.h"
#include "tests/unit/test.h"
#include "util/base64.h"
#include "util/regex.h"

#define NOW	INT64_C(1700000000)

static const struct {
	const char	*url, *value, *out;	/* out NULL: refused */
} expansions[] = {
	{ "http://h/keys", "x", "http://h/keys" },
	{ "http://h//keys/..", "x", "http://h//keys/.." },
	{ "http://h/{{a}}/keys", "x", "http://h/x/keys" },
	{ "http://{{a}}.h/{{a}}", "x", "http://x.h/x" },
	{ "http://h/{{b}}", "x", "http://h/" },
	{ "http://h/{{a}}/", "x", "http://h/x/" },
	{ "http://h/{{a}}/{{a", "x", "http://h/x/{{a" },
	{ "http://h/{{a}}?q={{a}}", "x", "http://h/x?q=x" },
	{ "http://h/k?q={{a}}", "../..", "http://h/k?q=../.." },
	{ "http://h/{{a}}", "realms/x", "http://h/realms/x" },
	{ "http://h/{{a}}", "...", "http://h/..." },
	{ "http://h/{{a}}", "a%20b", "http://h/a%20b" },
	{ "http://h/{{a}}/keys", "", NULL },
	{ "http://h/{{a}}/keys", ".", NULL },
	{ "http://h/{{a}}/keys", "..", NULL },
	{ "http://h/{{a}}", "x/..", NULL },
	{ "http://h/{{a}}", "x//y", NULL },
	{ "http://h/{{a}}", "%2e%2E", NULL },
	{ "http://h/{{a}}", ".%2e", NULL },
	{ "http://h/{{a}}", "x%2fy", NULL },
	{ "http://h/{{a}}", "x%5Cy", NULL },
	{ "http://h/{{a}}", "x%", NULL },
	{ "http://h/{{a}}", "x%2", NULL },
	{ "http://h/{{a}}", "x%zz", NULL },
	{ "http://h/{{a}}", "x\\y", NULL },
	{ "http://h/{{a}}", "x y", NULL },
	{ "http://h/{{a}}", "x#", NULL },
	{ "http://h/{{a}}", "x\r\nA: b", NULL },
	{ "http://h/{{a}}", "\xc3\xa9", NULL },
};

TEST(expansions_by_table)
{
	struct jwt_vars	vars = { .n = 1 };
	struct buf	b = BUF_INIT;
	size_t		i;

	vars.v[0].name = SV("a");
	for (i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		vars.v[0].value = sv_from(expansions[i].value);
		CHECK_INT(jwt_url_expand(&b, sv_from(expansions[i].url),
		    &vars), expansions[i].out == NULL ? JWT_CLAIMS : JWT_OK);
		if (expansions[i].out != NULL)
			CHECK_SV(buf_sv(&b), expansions[i].out);
	}
	buf_fini(&b);
}

static const struct {
	const char	*url, *issuer, *audience;
	bool		 ok;
} checks[] = {
	{ "http://h/keys", "[a-z]+", ".*", true },
	{ "http://h/{{a}}", "^http://(?P<a>x|y)\\.z$", "", true },
	{ "http://h/{{a}}", "^http://(?<a>x|y)$", "", true },
	{ "http://h/{{a}}", "", "(?P<a>x)", true },
	{ "http://h/{{a}}", "(?P<a>(?:x|y)z|(u)\\.v)", "", true },
	{ "http://h/{{a}}", "(?P<b>.*)(?P<a>x|y)", "", true },
	{ "http://h/{{a}}/{{b}}", "(?P<b>x)", "(?P<a>x|y)", true },
	{ "http://h/{{a}}", "", "", false },
	{ "http://h/{{a}}", "(?P<b>x)", "", false },
	{ "http://h/{{a}}", "(?P<a>.)", "", false },
	{ "http://h/{{a}}", "(?P<a>x*)", "", false },
	{ "http://h/{{a}}", "(?P<a>x+)", "", false },
	{ "http://h/{{a}}", "(?P<a>x?)", "", false },
	{ "http://h/{{a}}", "(?P<a>x{2})", "", false },
	{ "http://h/{{a}}", "(?P<a>(x|y+))", "", false },
	{ "http://h/{{a}}", "(?P<a>[xy])", "", false },
	{ "http://h/{{a}}", "(?P<a>x)[0-9]", "", false },
	{ "http://h/{{a}}", "(?P<a>x)", "\\d", false },
	{ "http://h/{{a}}", "(?P<a>\\w)", "", false },
	{ "http://h/{{a}}", "(?P<a>\\S)", "", false },
	{ "http://h/{{a}}", "(?P<a>\\pL)", "", false },
	{ "http://h/{{a}}", "(?P<a>\\x41)", "", false },
	{ "http://h/{{a}}", "(?P<a>^x)", "", false },
	{ "http://h/{{a}}", "(?P<a>x$)", "", false },
	{ "http://h/{{a}}", "(?P<a>(?i)x)", "", false },
	{ "http://h/{{a}}", "\\(?P<a>x)", "", false },
	{ "http://h/{{a}}", "(?P<a>x", "", false },
	{ "http://h/{{a}}", "(?P<a>x\\", "", false },
	{ "http://h/{{a}}", "(?P<a", "", false },
	{ "http://h/{{a}}", "(?P<a>x)(?P<b>.)", "(?P<a>.+)", false },
};

TEST(checks_by_table)
{
	const char	*why;
	size_t		 i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		test_note("row %zu", i);
		CHECK_INT(jwt_url_check(sv_from(checks[i].url),
		    sv_from(checks[i].issuer), sv_from(checks[i].audience),
		    &why), checks[i].ok ? 0 : -1);
		CHECK((why == NULL) == checks[i].ok);
	}
}

/* ---- in a verifier ---- */

static struct regex *
compile(const char *text)
{
	const char	*err;
	struct regex	*re = regex_new(sv_from(text), &err);

	CHECK(re != NULL);
	return re;
}

/* A token that wants a key: nobody has signed it. */
static void
put_token(struct buf *b, const char *kid, const char *claims)
{
	char header[64];

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	    kid);
	base64url_put(b, sv_from(header));
	buf_putc(b, '.');
	base64url_put(b, sv_from(claims));
	buf_puts(b, ".AA");
}

static const struct {
	const char	*claims;
	enum jwt_err	 err;
	const char	*url;
} wants[] = {
	{ "{\"iss\":\"http://x.z\",\"aud\":\"app-1\"}", JWT_KEY_UNKNOWN,
	    "http://h/x/1" },
	{ "{\"iss\":\"http://y.z\",\"aud\":[\"b\",\"app-2\",\"app-1\"]}",
	    JWT_KEY_UNKNOWN, "http://h/y/2" },
	{ "{\"iss\":\"http:\\/\\/x.z\",\"aud\":\"app\\u002d1\"}",
	    JWT_KEY_UNKNOWN, "http://h/x/1" },
	{ "{\"iss\":\"http://w.z\",\"aud\":\"app-1\"}", JWT_ISSUER, NULL },
	{ "{\"aud\":\"app-1\"}", JWT_ISSUER, NULL },
	{ "{\"iss\":null,\"aud\":\"app-1\"}", JWT_ISSUER, NULL },
	{ "{\"iss\":7,\"aud\":\"app-1\"}", JWT_CLAIMS, NULL },
	{ "{\"iss\":\"http://x.z\",\"aud\":\"app-3\"}", JWT_AUDIENCE, NULL },
	{ "{\"iss\":\"http://x.z\",\"aud\":[]}", JWT_AUDIENCE, NULL },
	{ "{\"iss\":\"http://x.z\"}", JWT_AUDIENCE, NULL },
	{ "{\"iss\":\"http://x.z\",\"aud\":[1]}", JWT_CLAIMS, NULL },
	{ "[]", JWT_MALFORMED, NULL },
};

static struct jwt_verifier
verifier_of_sets(void)
{
	return (struct jwt_verifier){
	    .key_url = SV("http://h/{{tenant}}/{{app}}"),
	    .issuer_regex = compile("^http://(?P<tenant>x|y)\\.z$"),
	    .audience_regex = compile("^app-(?P<app>1|2)$") };
}

static void
verifier_fini(struct jwt_verifier *v)
{
	regex_free((struct regex *)(uintptr_t)v->issuer_regex);
	regex_free((struct regex *)(uintptr_t)v->audience_regex);
}

TEST(urls_of_claims)
{
	struct jwt_verifier	v = verifier_of_sets();
	struct buf		b = BUF_INIT;
	struct jwt		t;
	size_t			i;

	jwt_init(&t);
	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		put_token(&b, "k\\u0021", wants[i].claims);
		CHECK_INT(jwt_verify(&t, &v, buf_sv(&b), NOW), wants[i].err);
		if (wants[i].url != NULL) {
			CHECK_SV(t.key_url, wants[i].url);
			CHECK_SV(t.kid, "k!");
		}
	}
	jwt_fini(&t);
	buf_fini(&b);
	verifier_fini(&v);
}

TEST(expressions_without_a_set)
{
	struct jwt_verifier	v = verifier_of_sets();
	struct buf		b = BUF_INIT;
	struct jwt		t;
	size_t			i;

	v.key_url = SV("");
	v.hmac_secret = SV("secret");
	jwt_init(&t);
	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		CHECK_INT(jwt_sign(&b, JWT_HS256, SV("secret"),
		    sv_from(wants[i].claims)), 0);
		CHECK_INT(jwt_verify(&t, &v, buf_sv(&b), NOW),
		    wants[i].url != NULL ? JWT_OK : wants[i].err);
		CHECK_INT(t.key_url.n, 0);
	}
	jwt_fini(&t);
	buf_fini(&b);
	verifier_fini(&v);
}

TEST(more_groups_than_count)
{
	struct buf	b = BUF_INIT;
	struct jwt_vars	vars = { .n = 0 };
	struct regex	*re;
	bool		matched;
	int		i;

	for (i = 0; i < JWT_VARS_MAX; i++)
		buf_printf(&b, "(?P<g%d>a)", i);
	buf_putc(&b, '\0');
	re = compile(b.p);
	CHECK_INT(jwt_vars_match(&vars, re, SV("aaaaaaaaaaaaaaaa"), &matched),
	    JWT_OK);
	CHECK(matched);
	CHECK_INT(vars.n, JWT_VARS_MAX);
	CHECK_INT(jwt_vars_match(&vars, re, SV("aaaaaaaaaaaaaaaa"), &matched),
	    JWT_OK);
	CHECK(!matched);
	regex_free(re);
	buf_fini(&b);
}

static struct jwt_verifier	sweep_v;
static struct buf		sweep_token;

static bool
sweep_url(void)
{
	struct jwt	t;
	enum jwt_err	err;

	jwt_init(&t);
	err = jwt_verify(&t, &sweep_v, buf_sv(&sweep_token), NOW);
	CHECK_INT(err, alloc_failed() == 0 ? JWT_KEY_UNKNOWN : JWT_NOMEM);
	if (err == JWT_KEY_UNKNOWN)
		CHECK_SV(t.key_url, "http://h/x/1");
	jwt_fini(&t);
	return err == JWT_KEY_UNKNOWN;
}

TEST(allocation_sweep)
{
	sweep_v = verifier_of_sets();
	put_token(&sweep_token, "k\\u0021", wants[2].claims);
	ALLOC_SWEEP(sweep_url);
	buf_fini(&sweep_token);
	verifier_fini(&sweep_v);
}

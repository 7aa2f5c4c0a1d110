/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Account keys and what they sign, against values computed by others: the key
 * in OpenSSL's two forms, its thumbprint, a binding; signatures as jwt/ sees
 * them.
 */
#include "acme/jws.h"
#include "jwt/key.h"
#include "tests/unit/acme_data.h"
#include "tests/unit/test.h"
#include "util/base64.h"
#include "util/json.h"

static struct acme_key
the_key(void)
{
	struct acme_key key;

	CHECK_INT(acme_key_read(&key, SV(DATA_SEC1)), 0);
	return key;
}

TEST(keys_of_both_forms)
{
	struct acme_key	a = the_key(), b;
	struct buf	out = BUF_INIT;

	CHECK_INT(acme_key_read(&b, SV("text before\n" DATA_PKCS8)), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	/* A certificate may stand before it. */
	CHECK_INT(acme_key_read(&b, SV(DATA_CERT DATA_SEC1)), 0);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	acme_key_write(&a, &out);
	CHECK_SV(buf_sv(&out), DATA_SEC1);
	buf_fini(&out);
}

TEST(what_is_no_key)
{
	static const char *const bad[] = {
		"", "nonsense", DATA_CERT, DATA_P384, DATA_ENCRYPTED,
		"-----BEGIN EC PRIVATE KEY-----\n"
		"-----END EC PRIVATE KEY-----\n",
		"-----BEGIN EC PRIVATE KEY-----\nAAAA\n"
		"-----END EC PRIVATE KEY-----\n",
	};
	static const struct acme_key	none;
	struct acme_key			key;
	char			       *p;
	size_t				i, n = sizeof(DATA_SEC1) - 2;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("row %zu", i);
		CHECK_INT(acme_key_read(&key, sv_from(bad[i])), -1);
		CHECK(memcmp(&key, &none, sizeof(key)) == 0);
	}
	for (i = 0; i < n; i++) {
		test_note("%zu bytes", i);
		p = guard_dup(sv_make(DATA_SEC1, i));
		CHECK_INT(acme_key_read(&key, sv_make(p, i)), -1);
		guard_free(p);
	}
}

TEST(new_keys)
{
	unsigned char	seed[48] = "one";
	struct acme_key	a, b;
	struct jwt_key	k;
	const char     *why;

	acme_key_new(&a, seed);
	acme_key_new(&b, seed);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	seed[47] ^= 1;
	acme_key_new(&b, seed);
	CHECK(memcmp(a.secret, b.secret, sizeof(a.secret)) != 0);
	CHECK_INT(a.point[0], 4);
	CHECK_INT(jwt_key_ec(&k, 23, sv_make(a.point + 1, 32),
	    sv_make(a.point + 33, 32), &why), 0);
}

TEST(thumbprint)
{
	struct acme_key	key = the_key();
	char		out[ACME_THUMBPRINT];

	CHECK_INT(acme_thumbprint(&key, out), 0);
	CHECK_SV(sv_make(out, sizeof(out)), DATA_THUMBPRINT);
}

/* ---- signatures ---- */

static struct sv
member(struct json *j, const char *name)
{
	struct buf	none = BUF_INIT;
	struct sv	s;

	CHECK_INT(jv_str(jv_get(json_root(j), name), &none, &s), 0);
	buf_fini(&none);
	return s;
}

/* The header as it is decoded; and the payload is, and the signature good. */
static void
check_jws(struct sv text, const char *header, const char *payload)
{
	struct acme_key	key = the_key();
	struct buf	b = BUF_INIT, sig = BUF_INIT;
	struct json	j;
	struct jwt_key	k;
	const char     *why;

	json_init(&j);
	if (!CHECK_INT(json_parse(&j, text, JSON_NODUP), 0))
		return;
	CHECK_INT(jv_len(json_root(&j)), 3);
	CHECK_INT(base64url_get(&b, member(&j, "protected")), 0);
	CHECK_SV(buf_sv(&b), header);
	buf_reset(&b);
	CHECK_INT(base64url_get(&b, member(&j, "payload")), 0);
	CHECK_SV(buf_sv(&b), payload);
	CHECK_INT(base64url_get(&sig, member(&j, "signature")), 0);
	CHECK_INT(sig.n, 64);
	buf_reset(&b);
	buf_printf(&b, "%.*s.%.*s", SV_ARG(member(&j, "protected")),
	    SV_ARG(member(&j, "payload")));
	CHECK_INT(jwt_key_ec(&k, 23, sv_make(key.point + 1, 32),
	    sv_make(key.point + 33, 32), &why), 0);
	CHECK(jwt_key_verify(&k, JWT_ES256, buf_sv(&b), buf_sv(&sig)));
	buf_fini(&b);
	buf_fini(&sig);
	json_fini(&j);
}

TEST(requests)
{
	static const struct {
		const char *kid, *nonce, *url, *payload, *header;
	} rows[] = {
		{ "", "n1", "https://ca.example/acct", "{\"a\":1}",
		    "{\"alg\":\"ES256\",\"jwk\":" DATA_JWK ",\"nonce\":\"n1\","
		    "\"url\":\"https://ca.example/acct\"}" },
		{ "https://ca.example/acct/1", "n-_", "https://ca.example/o",
		    "", "{\"alg\":\"ES256\",\"kid\":\"https://ca.example/acct/"
		    "1\",\"nonce\":\"n-_\",\"url\":\"https://ca.example/o\"}"
		},
		{ "k\"\\", "\n", "u", "{}", "{\"alg\":\"ES256\",\"kid\":"
		    "\"k\\\"\\\\\",\"nonce\":\"\\n\",\"url\":\"u\"}" },
	};
	struct acme_key	key = the_key();
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		buf_puts(&b, "before ");
		acme_jws(&b, &key, sv_from(rows[i].kid),
		    sv_from(rows[i].nonce), sv_from(rows[i].url),
		    sv_from(rows[i].payload));
		CHECK(!b.failed);
		check_jws(sv_skip(buf_sv(&b), 7), rows[i].header,
		    rows[i].payload);
	}
	buf_fini(&b);
}

TEST(a_binding)
{
	struct acme_key	key = the_key();
	struct buf	b = BUF_INIT, want = BUF_INIT;

	buf_puts(&want, "{\"protected\":\"" DATA_BINDING_HEADER
	    "\",\"payload\":\"");
	base64url_put(&want, SV(DATA_JWK));
	buf_puts(&want, "\",\"signature\":\"" DATA_BINDING_MAC "\"}");
	acme_jws_binding(&b, &key, SV("kid \"1\""),
	    SV("0123456789abcdef0123456789abcdef"),
	    SV("https://ca.example/new-acct"));
	CHECK_SVEQ(buf_sv(&b), buf_sv(&want));
	buf_fini(&b);
	buf_fini(&want);
}

/* ---- memory ---- */

static bool
everything(void)
{
	struct acme_key	key;
	struct buf	b = BUF_INIT;
	char		out[ACME_THUMBPRINT];
	bool		good;

	if (acme_key_read(&key, SV(DATA_SEC1)) == -1)
		return false;
	good = acme_thumbprint(&key, out) == 0;
	acme_key_write(&key, &b);
	acme_jws(&b, &key, SV("kid"), SV("nonce"), SV("url"), SV("{}"));
	acme_jws_binding(&b, &key, SV("kid"), SV("key"), SV("url"));
	/* Cut short is failed. */
	CHECK(b.failed || sv_ends(buf_sv(&b), SV("\"}")));
	good = good && !b.failed;
	buf_fini(&b);
	return good;
}

TEST(without_memory)
{
	ALLOC_SWEEP(everything);
}

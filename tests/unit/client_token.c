/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Connection tokens, and the commands that make and check them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "client/token.h"
#include "tests/unit/test.h"
#include "util/base64.h"

#define NOW	1700000000
#define SECRET	"a secret of the tests"

static const struct token_verifier verifier = { .jwt = {
	.hmac_secret = SV_INIT(SECRET),
} };

/* A token with these claims until the next call. */
static const char *
sign(const char *claims)
{
	static char	out[4096];
	struct buf	b = BUF_INIT;

	CHECK_INT(jwt_sign(&b, JWT_HS256, SV(SECRET), sv_from(claims)), 0);
	snprintf(out, sizeof(out), "%.*s", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
	return out;
}

/* ---- claims ---- */

TEST(claims)
{
	static const struct {
		const char	*claims;
		enum jwt_err	 err;
		const char	*user, *info;
		int64_t		 expire_at;
	} row[] = {
		{ "{}", JWT_OK, "", "", 0 },
		{ "{\"sub\":\"42\"}", JWT_OK, "42", "", 0 },
		{ "{\"sub\":\"\\u00fc\\n\"}", JWT_OK, "\u00fc\n", "", 0 },
		{ "{\"sub\":\"a\",\"exp\":1700000001}", JWT_OK, "a", "",
		    1700000001 },
		{ "{\"sub\":\"a\",\"exp\":1600000000}", JWT_EXPIRED,
		    "", "", 0 },
		/* info is any JSON, as it stands. */
		{ "{\"info\":{\"b\": 2.50}}", JWT_OK, "", "{\"b\": 2.50}", 0 },
		{ "{\"info\":\"x\"}", JWT_OK, "", "\"x\"", 0 },
		{ "{\"info\":null}", JWT_OK, "", "", 0 },
		/* b64info is base 64 of JSON, and wins. */
		{ "{\"b64info\":\"eyJhIjoxfQ==\"}", JWT_OK, "",
		    "{\"a\":1}", 0 },
		{ "{\"b64info\":\"eyJhIjoxfQ==\",\"info\":7}", JWT_OK, "",
		    "{\"a\":1}", 0 },
		{ "{\"b64info\":\"eyJhIjox\\u0066Q==\"}", JWT_OK, "",
		    "{\"a\":1}", 0 },
		{ "{\"b64info\":null,\"info\":7}", JWT_OK, "", "7", 0 },
		{ "{\"b64info\":\"\",\"info\":7}", JWT_OK, "", "7", 0 },
		{ "{\"sub\":\"a\",\"b64info\":7,\"info\":7}", JWT_CLAIMS,
		    "", "", 0 },
		{ "{\"sub\":\"a\",\"b64info\":\"eyJhIjoxfQ\"}", JWT_CLAIMS,
		    "", "", 0 },
		/* {"a": */
		{ "{\"sub\":\"a\",\"info\":7,\"b64info\":\"eyJhIjo=\"}",
		    JWT_CLAIMS, "", "", 0 },
		/* expire_at replaces exp, but exp is still verified. */
		{ "{\"expire_at\":1700000009,\"exp\":1700000001}", JWT_OK, "",
		    "", 1700000009 },
		{ "{\"expire_at\":1700000009,\"exp\":1600000000}",
		    JWT_EXPIRED, "", "", 0 },
		{ "{\"expire_at\":1.9}", JWT_OK, "", "", 1 },
		{ "{\"expire_at\":1e15}", JWT_OK, "", "", 1000000000000000 },
		{ "{\"expire_at\":0,\"exp\":1700000001}", JWT_OK, "", "", 0 },
		{ "{\"expire_at\":-1,\"exp\":1700000001}", JWT_OK, "", "", 0 },
		{ "{\"expire_at\":null,\"exp\":1700000001}", JWT_OK, "", "",
		    1700000001 },
		{ "{\"sub\":\"a\",\"expire_at\":\"9\"}", JWT_CLAIMS,
		    "", "", 0 },
		{ "{\"sub\":\"a\",\"info\":1,\"expire_at\":1e16}",
		    JWT_CLAIMS, "", "", 0 },
		{ "{\"sub\":\"a\",\"expire_at\":1e999}", JWT_CLAIMS,
		    "", "", 0 },
		/* A token for a channel does not open a connection. */
		{ "{\"sub\":\"a\",\"channel\":\"c\",\"info\":7}", JWT_CLAIMS,
		    "", "", 0 },
		{ "{\"sub\":\"a\",\"channel\":\"\"}", JWT_OK, "a", "", 0 },
	};
	struct connect_token	t;
	size_t			i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].claims);
		connect_token_init(&t);
		CHECK_INT(connect_token_verify(&t, &verifier,
		    sv_from(sign(row[i].claims)), NOW), row[i].err);
		CHECK_SV(t.user, row[i].user);
		CHECK_SV(t.info, row[i].info);
		CHECK_INT(t.expire_at, row[i].expire_at);
		connect_token_fini(&t);
	}
}

static char swept[512];

static bool
sweep(void)
{
	struct connect_token	t;
	enum jwt_err		err;

	connect_token_init(&t);
	err = connect_token_verify(&t, &verifier, sv_from(swept), NOW);
	CHECK(err == JWT_OK || err == JWT_NOMEM);
	CHECK(err == JWT_OK || t.user.n == 0);
	CHECK(err == JWT_OK || t.info.n == 0);
	connect_token_fini(&t);
	return err == JWT_OK;
}

TEST(out_of_memory)
{
	strlcpy(swept, sign("{\"sub\":\"\\u0061\","
	    "\"b64info\":\"eyJhIjox\\u0066Q==\"}"), sizeof(swept));
	ALLOC_SWEEP(sweep);
}

/* ---- commands ---- */

static char	*out, *err;
static char	 path[] = "/tmp/fugu-token-XXXXXX";

/* An empty configuration, so that none of the working directory is read. */
static const char *
conf_file(void)
{
	int fd;

	if (strstr(path, "XXXXXX") != NULL) {
		fd = mkstemp(path);
		CHECK_INT(write(fd, "{}", 2), 2);
		close(fd);
	}
	return path;
}

__attribute__((destructor)) static void
clean_up(void)
{
	unlink(path);
	free(out);
	free(err);
}

static int
run(int (*cmd)(const struct conf_cmd_env *, int64_t), char *const *argv)
{
	struct conf_cmd_env	e = { .argv = argv };
	size_t			n, k;
	int			code;

	free(out);
	free(err);
	e.out = open_memstream(&out, &n);
	e.err = open_memstream(&err, &k);
	code = cmd(&e, NOW);
	fclose(e.out);
	fclose(e.err);
	CHECK(strstr(out, SECRET) == NULL);
	CHECK(strstr(err, SECRET) == NULL);
	return code;
}

#define KEY	"--client.token.hmac_secret_key=" SECRET
#define RUN(cmd, ...) run(token_cmd_##cmd,				\
    (char *const []){ (char *)(uintptr_t)"-c",				\
    (char *)(uintptr_t)conf_file(), __VA_ARGS__, NULL })

/* The claims of what gentoken -q has printed. */
static const char *
printed_claims(void)
{
	static char	text[512];
	struct jwt	t;

	jwt_init(&t);
	text[0] = '\0';
	if (CHECK_INT(jwt_verify(&t, &verifier.jwt, sv_from(out), NOW), JWT_OK))
		snprintf(text, sizeof(text), "%.*s",
		    SV_ARG(jv_raw(json_root(&t.json))));
	jwt_fini(&t);
	return text;
}

TEST(gentoken_claims)
{
	CHECK_INT(RUN(gentoken, KEY, "-q"), 0);
	CHECK_STR(printed_claims(),
	    "{\"sub\":\"\",\"exp\":1700604800,\"iat\":1700000000}");
	CHECK_INT(RUN(gentoken, KEY, "-q", "-u", "a\"b", "-t", "60"), 0);
	CHECK_STR(printed_claims(),
	    "{\"sub\":\"a\\\"b\",\"exp\":1700000060,\"iat\":1700000000}");
	CHECK_INT(RUN(gentoken, KEY, "--quiet", "--ttl=-1"), 0);
	CHECK_STR(printed_claims(), "{\"sub\":\"\",\"iat\":1700000000}");
	CHECK_STR(err, "");
}

TEST(gentoken_text)
{
	CHECK_INT(RUN(gentoken, KEY, "-u", "42", "-t", "0"), 0);
	CHECK(sv_starts(sv_from(out), SV("HMAC SHA-256 JWT for user \"42\", "
	    "expires in 0 seconds:\ney")));
	CHECK_INT(out[strlen(out) - 1], '\n');
	CHECK_INT(RUN(gentoken, KEY, "-t", "-1"), 0);
	CHECK(sv_starts(sv_from(out),
	    SV("HMAC SHA-256 JWT for user \"\":\ney")));
}

TEST(gentoken_refuses)
{
	CHECK_INT(RUN(gentoken, "-u", "42"), EX_CONFIG);
	CHECK(strstr(err, "client.token.hmac_secret_key") != NULL);
	CHECK_INT(RUN(gentoken, KEY, "-t", "-2"), EX_USAGE);
	CHECK_INT(RUN(gentoken, KEY, "-t", "1h"), EX_USAGE);
	CHECK_INT(RUN(gentoken, KEY, "-t", "2147483647"), 0);
	CHECK_INT(RUN(gentoken, KEY, "-t", "2147483648"), EX_USAGE);
	CHECK(strstr(err, "seconds") != NULL);
	CHECK_STR(out, "");
	CHECK_INT(RUN(gentoken, KEY, "--nosuch"), EX_USAGE);
	CHECK_INT(RUN(gentoken, KEY, "--client.ping_interval=x"), EX_CONFIG);
	CHECK(strstr(err, "client.ping_interval") != NULL);
	CHECK_STR(out, "");
}

/* checktoken of a token with these claims. */
static int
check(const char *claims)
{
	return RUN(checktoken, KEY, (char *)(uintptr_t)sign(claims));
}

TEST(checktoken_accepts)
{
	CHECK_INT(check("{\"sub\":\"42\",\"exp\":1700000001}"), 0);
	CHECK_STR(out, "valid token for user \"42\"\n"
	    "payload: {\"sub\":\"42\",\"exp\":1700000001}\n");
	CHECK_STR(err, "");
}

/* A user's name is the peer's choice, and this goes to a terminal. */
TEST(checktoken_escapes)
{
	CHECK_INT(check("{\"sub\":\"\\u001b[2J\\u0000x\"}"), 0);
	CHECK_STR(out, "valid token for user \"\\u001b[2J\\u0000x\"\n"
	    "payload: {\"sub\":\"\\u001b[2J\\u0000x\"}\n");
}

TEST(checktoken_refuses)
{
	CHECK_INT(check("{\"exp\":1600000000}"), 1);
	CHECK(strstr(err, "expired") != NULL);
	CHECK_STR(out, "");
	CHECK_INT(check("{\"channel\":\"c\"}"), 1);
	CHECK_INT(RUN(checktoken, KEY, "x.y.z"), 1);
	CHECK_INT(RUN(checktoken, "--client.token.hmac_secret_key=other",
	    (char *)(uintptr_t)sign("{}")), 1);
	CHECK_STR(out, "");
	CHECK_INT(RUN(checktoken, KEY), EX_USAGE);
	CHECK_INT(RUN(checktoken, KEY, "a", "b"), EX_USAGE);
	CHECK(strstr(err, "usage") != NULL);
	CHECK_INT(RUN(checktoken, "--nosuch", "a"), EX_USAGE);
	CHECK_INT(RUN(checktoken, "--client.ping_interval=x", "a"),
	    EX_CONFIG);
}

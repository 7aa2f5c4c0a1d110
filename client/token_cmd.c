/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands that make and check tokens by the configuration at hand:
 * gentoken, gensubtoken, checktoken, checksubtoken.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "client/token.h"

#define TTL_DEFAULT	(7 * 24 * 3600)

static const struct conf *
load(const struct conf_args *args, const struct conf_cmd_env *e, int *code)
{
	struct conf_errors	 errs = CONF_ERRORS_INIT;
	struct conf_source	 src = conf_args_source(args, e->environ);
	const struct conf	*conf = NULL;
	size_t			 i;

	*code = 0;
	if (conf_load(&conf, &src, &errs) == -1) {
		for (i = 0; i < errs.n; i++)
			fprintf(e->err, "fugu: %s\n", errs.v[i].text);
		*code = conf_errors_exit(&errs);
	}
	conf_errors_fini(&errs);
	return conf;
}

/* ---- making ---- */

enum { OWN_USER, OWN_TTL, OWN_QUIET, OWN_CHANNEL, OWN_MAX };

static int
fail(const struct conf_cmd_env *e, int code, const char *why)
{
	fprintf(e->err, "fugu: %s\n", why);
	return code;
}

static void
put_claims(struct buf *b, const struct conf_own_flag *own, bool sub,
    int64_t seconds, int64_t now)
{
	buf_puts(b, "{\"sub\":");
	json_put_str(b, sv_from(own[OWN_USER].set ? own[OWN_USER].value : ""));
	if (sub) {
		buf_puts(b, ",\"channel\":");
		json_put_str(b, sv_from(own[OWN_CHANNEL].value));
	}
	if (seconds >= 0)
		buf_printf(b, ",\"exp\":%lld", (long long)(now + seconds));
	buf_printf(b, ",\"iat\":%lld}", (long long)now);
}

static void
print_token(FILE *out, const struct conf_own_flag *own, bool sub,
    int64_t seconds, struct sv token)
{
	if (own[OWN_QUIET].set) {
		fprintf(out, "%.*s", SV_ARG(token));
		return;
	}
	fprintf(out, "HMAC SHA-256 JWT for user \"%s\"",
	    own[OWN_USER].set ? own[OWN_USER].value : "");
	if (sub)
		fprintf(out, " and channel \"%s\"", own[OWN_CHANNEL].value);
	if (seconds >= 0)
		fprintf(out, ", expires in %lld seconds", (long long)seconds);
	fprintf(out, ":\n%.*s\n", SV_ARG(token));
}

static int
make_token(const struct conf *conf, const struct conf_own_flag *own, bool sub,
    int64_t now, const struct conf_cmd_env *e)
{
	const struct conf_client *c = &conf->client;
	struct sv	secret = sv_from(
			    sub && c->subscription_token.enabled ?
			    c->subscription_token.token.hmac_secret_key :
			    c->token.hmac_secret_key);
	struct buf	claims = BUF_INIT, token = BUF_INIT;
	int64_t		seconds = TTL_DEFAULT;
	int		code = 0;

	if (secret.n == 0)
		return fail(e, EX_CONFIG, "client.token.hmac_secret_key is "
		    "not set: there is nothing to sign with");
	if (own[OWN_TTL].set && (sv_i64(sv_from(own[OWN_TTL].value),
	    &seconds) == -1 || seconds < -1 || seconds > INT32_MAX))
		return fail(e, EX_USAGE, "ttl is a number of seconds, or -1 "
		    "for a token that does not expire");
	put_claims(&claims, own, sub, seconds, now);
	if (claims.failed || jwt_sign(&token, JWT_HS256, secret,
	    buf_sv(&claims)) == -1)
		code = fail(e, EX_OSERR, "out of memory");
	else
		print_token(e->out, own, sub, seconds, buf_sv(&token));
	buf_fini(&claims);
	buf_fini(&token);
	return code;
}

static int
cmd_make(const struct conf_cmd_env *e, bool sub, int64_t now)
{
	struct conf_own_flag	 own[OWN_MAX] = {
		[OWN_USER] = { .name = "user", .letter = 'u',
		    .has_value = true },
		[OWN_TTL] = { .name = "ttl", .letter = 't',
		    .has_value = true },
		[OWN_QUIET] = { .name = "quiet", .letter = 'q' },
		[OWN_CHANNEL] = { .name = "channel", .letter = 's',
		    .has_value = true },
	};
	struct conf_args	 args;
	const struct conf	*conf = NULL;
	int			 code = EX_USAGE;

	if (conf_args_parse(&args, e->argv, own,
	    sub ? OWN_MAX : OWN_CHANNEL, e->err) == 0) {
		if (sub && !own[OWN_CHANNEL].set)
			fprintf(e->err, "fugu: gensubtoken needs a channel: "
			    "-s channel\n");
		else if ((conf = load(&args, e, &code)) != NULL)
			code = make_token(conf, own, sub, now, e);
	}
	conf_unref(conf);
	conf_args_fini(&args);
	return code;
}

/* see token.h */
int
token_cmd_gentoken(const struct conf_cmd_env *e, int64_t now)
{
	return cmd_make(e, false, now);
}

/* see token.h */
int
token_cmd_gensubtoken(const struct conf_cmd_env *e, int64_t now)
{
	return cmd_make(e, true, now);
}

/* ---- checking ---- */

/* Strings are quoted: terminals obey control characters. */
static void
print_valid(FILE *out, struct sv user, const struct sv *channel,
    const struct jwt *jwt)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "valid token for user ");
	json_put_str(&b, user);
	if (channel != NULL) {
		buf_puts(&b, " and channel ");
		json_put_str(&b, *channel);
	}
	buf_puts(&b, "\npayload: ");
	buf_putsv(&b, jv_raw(json_root(&jwt->json)));
	fprintf(out, "%.*s\n", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
}

static enum jwt_err
check_connect(const struct token_verifier *v, struct sv token, int64_t now,
    FILE *out)
{
	struct connect_token	t;
	enum jwt_err		err;

	connect_token_init(&t);
	err = connect_token_verify(&t, v, token, now);
	if (err == JWT_OK)
		print_valid(out, t.user, NULL, &t.jwt);
	connect_token_fini(&t);
	return err;
}

static enum jwt_err
check_sub(const struct token_verifier *v, struct sv token, int64_t now,
    FILE *out)
{
	struct sub_token	t;
	enum jwt_err		err;

	sub_token_init(&t);
	err = sub_token_verify(&t, v, token, now);
	if (err == JWT_OK)
		print_valid(out, t.user, &t.channel, &t.jwt);
	sub_token_fini(&t);
	return err;
}

static int
check_token(const struct conf *conf, struct sv token, bool sub, int64_t now,
    const struct conf_cmd_env *e)
{
	struct token_verifier	v;
	const char		*why;
	enum jwt_err		err;

	if ((sub ? sub_token_verifier_init(&v, conf, NULL, &why) :
	    token_verifier_init(&v, conf, NULL, &why)) == -1)
		return fail(e, EX_CONFIG, why);
	err = sub ? check_sub(&v, token, now, e->out) :
	    check_connect(&v, token, now, e->out);
	if (err == JWT_KEY_UNKNOWN)
		return fail(e, EX_UNAVAILABLE, "token error: its key is in a "
		    "key set, which only the server fetches");
	if (err != JWT_OK)
		fprintf(e->err, "fugu: token error: %s\n",
		    jwt_strerror(err));
	return err == JWT_OK ? 0 : 1;
}

static int
cmd_check(const struct conf_cmd_env *e, bool sub, int64_t now)
{
	struct conf_args	 args;
	const struct conf	*conf = NULL;
	int			 code = EX_USAGE;

	if (conf_args_parse(&args, e->argv, NULL, 0, e->err) == 0) {
		if (args.noperands != 1)
			fprintf(e->err, "usage: fugu check%stoken [-c file] "
			    "token\n", sub ? "sub" : "");
		else if ((conf = load(&args, e, &code)) != NULL)
			code = check_token(conf, sv_from(args.operands[0]),
			    sub, now, e);
	}
	conf_unref(conf);
	conf_args_fini(&args);
	return code;
}

/* see token.h */
int
token_cmd_checktoken(const struct conf_cmd_env *e, int64_t now)
{
	return cmd_check(e, false, now);
}

/* see token.h */
int
token_cmd_checksubtoken(const struct conf_cmd_env *e, int64_t now)
{
	return cmd_check(e, true, now);
}

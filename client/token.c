/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See token.h.
 */
#include <sysexits.h>

#include "client/token.h"
#include "util/base64.h"

#define TTL_DEFAULT	(7 * 24 * 3600)

static void
verifier_of(struct jwt_verifier *v, const struct conf_token *t, bool insecure)
{
	*v = (struct jwt_verifier){
		.hmac_secret = sv_from(t->hmac_secret_key),
		.hmac_previous_secret = sv_from(t->hmac_previous_secret_key),
		.hmac_previous_valid_until =
		    t->hmac_previous_secret_key_valid_until,
		.audience = sv_from(t->audience),
		.issuer = sv_from(t->issuer),
		.user_id_claim = sv_from(t->user_id_claim),
		.insecure_skip_signature = insecure,
	};
}

/* see token.h */
void
token_verifier(struct jwt_verifier *v, const struct conf *conf)
{
	verifier_of(v, &conf->client.token,
	    conf->client.insecure_skip_token_signature_verify);
}

/* see token.h */
void
sub_token_verifier(struct jwt_verifier *v, const struct conf *conf)
{
	const struct conf_client *c = &conf->client;

	verifier_of(v, c->subscription_token.enabled ?
	    &c->subscription_token.token : &c->token,
	    c->insecure_skip_token_signature_verify);
}

/* see token.h */
void
connect_token_init(struct connect_token *t)
{
	*t = (struct connect_token){ .expire_at = 0 };
	jwt_init(&t->jwt);
	buf_init(&t->b64);
}

/* see token.h */
void
connect_token_fini(struct connect_token *t)
{
	jwt_fini(&t->jwt);
	buf_fini(&t->b64);
}

/* see token.h */
enum jwt_err
token_json(struct jv claims, const char *name, const char *name64,
    struct buf *b64, struct sv *out)
{
	struct jv	v64 = jv_get(claims, name64);
	struct jv	v = jv_get(claims, name);
	struct buf	scratch = BUF_INIT;
	struct json	check;
	struct sv	s;
	bool		ok, nomem;

	if (jv_is(v) && jv_type(v) != JSON_NULL)
		*out = jv_raw(v);
	if (!jv_is(v64) || jv_type(v64) == JSON_NULL)
		return JWT_OK;
	ok = jv_str(v64, &scratch, &s) == 0 && base64_get(b64, s) == 0;
	nomem = scratch.failed || b64->failed;
	buf_fini(&scratch);
	if (!ok)
		return nomem ? JWT_NOMEM : JWT_CLAIMS;
	if (b64->n == 0)
		return JWT_OK;
	json_init(&check);
	ok = json_parse(&check, buf_sv(b64), 0) == 0;
	nomem = check.err == JSON_NOMEM;
	json_fini(&check);
	if (!ok)
		return nomem ? JWT_NOMEM : JWT_CLAIMS;
	*out = buf_sv(b64);
	return JWT_OK;
}

/* expire_at replaces exp as the end; 0 and less mean never. */
static enum jwt_err
token_expire_at(struct jv claims, int64_t exp, int64_t *out)
{
	struct jv	v = jv_get(claims, "expire_at");
	double		d;

	*out = exp;
	if (!jv_is(v) || jv_type(v) == JSON_NULL)
		return JWT_OK;
	if (jv_double(v, &d) == -1 || d > 1e15)
		return JWT_CLAIMS;
	*out = d > 0 ? (int64_t)d : 0;
	return JWT_OK;
}

/* see token.h */
enum jwt_err
connect_token_verify(struct connect_token *t, const struct jwt_verifier *v,
    struct sv token, int64_t now)
{
	struct jv	claims;
	enum jwt_err	err;

	if ((err = jwt_verify(&t->jwt, v, token, now)) != JWT_OK)
		return err;
	claims = json_root(&t->jwt.json);
	/* A token for a channel does not open a connection. */
	if (t->jwt.has_channel)
		err = JWT_CLAIMS;
	if (err == JWT_OK)
		err = token_json(claims, "info", "b64info", &t->b64,
		    &t->info);
	if (err == JWT_OK)
		err = token_expire_at(claims, t->jwt.exp, &t->expire_at);
	if (err == JWT_OK)
		t->user = t->jwt.sub;
	else
		t->info = (struct sv){ NULL, 0 };
	return err;
}

/* ---- subscription tokens ---- */

/* see token.h */
void
sub_token_init(struct sub_token *t)
{
	*t = (struct sub_token){ .expire_at = 0 };
	jwt_init(&t->jwt);
}

/* see token.h */
void
sub_token_fini(struct sub_token *t)
{
	jwt_fini(&t->jwt);
	buf_fini(&t->info64);
	buf_fini(&t->data64);
	buf_fini(&t->text);
}

/* see token.h */
enum jwt_err
sub_token_verify(struct sub_token *t, const struct jwt_verifier *v,
    struct sv token, int64_t now)
{
	struct jv	claims, client;
	enum jwt_err	err;

	if ((err = jwt_verify(&t->jwt, v, token, now)) != JWT_OK)
		return err;
	claims = json_root(&t->jwt.json);
	client = jv_get(claims, "client");
	t->user = t->jwt.sub;
	t->channel = t->jwt.channel;
	t->override = jv_get(claims, "override");
	if (t->channel.n == 0)
		return JWT_CLAIMS;
	if (jv_is(client) && jv_type(client) != JSON_NULL &&
	    jv_str(client, &t->text, &t->client) == -1)
		return t->text.failed ? JWT_NOMEM : JWT_CLAIMS;
	err = token_json(claims, "info", "b64info", &t->info64, &t->info);
	if (err == JWT_OK)
		err = token_json(claims, "data", "b64data", &t->data64,
		    &t->data);
	if (err == JWT_OK)
		err = token_expire_at(claims, t->jwt.exp, &t->expire_at);
	return err;
}

/* see token.h */
bool
sub_token_is_for(const struct sub_token *t, struct sv channel, struct sv user,
    struct sv client)
{
	return sv_eq(t->channel, channel) && sv_eq(t->user, user) &&
	    (t->client.n == 0 || sv_eq(t->client, client));
}

/* ---- commands ---- */

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

static int
gentoken(const struct conf *conf, const struct conf_own_flag *user,
    const struct conf_own_flag *ttl, bool quiet, int64_t now,
    const struct conf_cmd_env *e)
{
	struct sv	secret = sv_from(conf->client.token.hmac_secret_key);
	struct buf	claims = BUF_INIT, token = BUF_INIT;
	int64_t		seconds = TTL_DEFAULT;
	int		code = 0;

	if (secret.n == 0) {
		fprintf(e->err, "fugu: client.token.hmac_secret_key is not "
		    "set: there is nothing to sign with\n");
		return EX_CONFIG;
	}
	if (ttl->set && (sv_i64(sv_from(ttl->value), &seconds) == -1 ||
	    seconds < -1 || seconds > INT32_MAX)) {
		fprintf(e->err, "fugu: ttl is a number of seconds, or -1 for "
		    "a token that does not expire\n");
		return EX_USAGE;
	}
	buf_puts(&claims, "{\"sub\":");
	json_put_str(&claims, sv_from(user->set ? user->value : ""));
	if (seconds >= 0)
		buf_printf(&claims, ",\"exp\":%lld",
		    (long long)(now + seconds));
	buf_printf(&claims, ",\"iat\":%lld}", (long long)now);
	if (claims.failed || jwt_sign(&token, JWT_HS256, secret,
	    buf_sv(&claims)) == -1) {
		fprintf(e->err, "fugu: out of memory\n");
		code = EX_OSERR;
	} else if (quiet) {
		fprintf(e->out, "%.*s", SV_ARG(buf_sv(&token)));
	} else {
		fprintf(e->out, "HMAC SHA-256 JWT for user \"%s\"",
		    user->set ? user->value : "");
		if (seconds >= 0)
			fprintf(e->out, ", expires in %lld seconds",
			    (long long)seconds);
		fprintf(e->out, ":\n%.*s\n", SV_ARG(buf_sv(&token)));
	}
	buf_fini(&claims);
	buf_fini(&token);
	return code;
}

/* see token.h */
int
token_cmd_gentoken(const struct conf_cmd_env *e, int64_t now)
{
	struct conf_own_flag	 own[] = {
		{ .name = "user", .letter = 'u', .has_value = true },
		{ .name = "ttl", .letter = 't', .has_value = true },
		{ .name = "quiet", .letter = 'q' },
	};
	struct conf_args	 args;
	const struct conf	*conf;
	int			 code = EX_USAGE;

	if (conf_args_parse(&args, e->argv, own, 3, e->err) == 0) {
		if ((conf = load(&args, e, &code)) != NULL)
			code = gentoken(conf, &own[0], &own[1], own[2].set,
			    now, e);
		conf_unref(conf);
	}
	conf_args_fini(&args);
	return code;
}

/* The user is quoted: terminals obey control characters. */
static void
print_valid(const struct connect_token *t, FILE *out)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "valid token for user ");
	json_put_str(&b, t->user);
	buf_puts(&b, "\npayload: ");
	buf_putsv(&b, jv_raw(json_root(&t->jwt.json)));
	fprintf(out, "%.*s\n", SV_ARG(buf_sv(&b)));
	buf_fini(&b);
}

static int
checktoken(const struct conf *conf, struct sv token, int64_t now,
    const struct conf_cmd_env *e)
{
	struct connect_token	t;
	struct jwt_verifier	v;
	enum jwt_err		err;

	token_verifier(&v, conf);
	connect_token_init(&t);
	err = connect_token_verify(&t, &v, token, now);
	if (err == JWT_OK)
		print_valid(&t, e->out);
	else
		fprintf(e->err, "fugu: token error: %s\n", jwt_strerror(err));
	connect_token_fini(&t);
	return err == JWT_OK ? 0 : 1;
}

/* see token.h */
int
token_cmd_checktoken(const struct conf_cmd_env *e, int64_t now)
{
	struct conf_args	 args;
	const struct conf	*conf = NULL;
	int			 code = EX_USAGE;

	if (conf_args_parse(&args, e->argv, NULL, 0, e->err) == 0) {
		if (args.noperands != 1)
			fprintf(e->err,
			    "usage: fugu checktoken [-c file] token\n");
		else if ((conf = load(&args, e, &code)) != NULL)
			code = checktoken(conf, sv_from(args.operands[0]),
			    now, e);
	}
	conf_unref(conf);
	conf_args_fini(&args);
	return code;
}

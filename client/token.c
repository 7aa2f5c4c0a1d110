/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See token.h.
 */
#include "client/token.h"
#include "util/base64.h"

/* A public key option. 0, also if it is not set. */
static int
load_key(struct jwt_key *key, const char *value, const struct jwt_key **out,
    const char **why)
{
	struct buf	pem = BUF_INIT;
	int		r = 0;

	*out = NULL;
	*key = (struct jwt_key){ .family = JWT_NO_FAMILY };
	if (*value == '\0')
		return 0;
	r = conf_pem_read(value, &pem, why);
	if (r == 0)
		r = jwt_key_pem(key, buf_sv(&pem), why);
	buf_fini(&pem);
	if (r == 0)
		*out = key;
	return r;
}

static int
verifier_of(struct token_verifier *v, const struct conf_token *t,
    bool insecure, struct jwks *jwks, const char **why)
{
	v->jwks = jwks;
	v->jwt = (struct jwt_verifier){
		.hmac_secret = sv_from(t->hmac_secret_key),
		.hmac_previous_secret = sv_from(t->hmac_previous_secret_key),
		.hmac_previous_valid_until =
		    t->hmac_previous_secret_key_valid_until,
		.key_url = sv_from(t->jwks_public_endpoint),
		.audience = sv_from(t->audience),
		.issuer = sv_from(t->issuer),
		.audience_regex = t->audience_re,
		.issuer_regex = t->issuer_re,
		.user_id_claim = sv_from(t->user_id_claim),
		.insecure_skip_signature = insecure,
	};
	if (load_key(&v->rsa, t->rsa_public_key, &v->jwt.rsa_key,
	    why) == -1)
		return -1;
	return load_key(&v->ecdsa, t->ecdsa_public_key, &v->jwt.ecdsa_key,
	    why);
}

/* see token.h */
int
token_verifier_init(struct token_verifier *v, const struct conf *conf,
    struct jwks *jwks, const char **why)
{
	return verifier_of(v, &conf->client.token,
	    conf->client.insecure_skip_token_signature_verify, jwks, why);
}

/* see token.h */
int
sub_token_verifier_init(struct token_verifier *v, const struct conf *conf,
    struct jwks *jwks, const char **why)
{
	const struct conf_client *c = &conf->client;

	return verifier_of(v, c->subscription_token.enabled ?
	    &c->subscription_token.token : &c->token,
	    c->insecure_skip_token_signature_verify, jwks, why);
}

/* see token.h */
bool
token_keys_ok(const struct conf *conf, const char **why)
{
	struct token_verifier v;

	return token_verifier_init(&v, conf, NULL, why) == 0 &&
	    sub_token_verifier_init(&v, conf, NULL, why) == 0;
}

/* Verify, with a key that has been fetched if that is asked for. */
static enum jwt_err
verify(struct jwt *t, const struct token_verifier *v, struct sv token,
    int64_t now)
{
	const struct jwt_key	*key = NULL;
	enum jwt_err		 err = jwt_verify(t, &v->jwt, token, now);

	if (err == JWT_KEY_UNKNOWN && v->jwks != NULL)
		key = jwks_find(v->jwks, t->key_url, t->kid);
	return key == NULL ? err :
	    jwt_verify_key(t, &v->jwt, key, token, now);
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
connect_token_verify(struct connect_token *t, const struct token_verifier *v,
    struct sv token, int64_t now)
{
	struct jv	claims;
	enum jwt_err	err;

	if ((err = verify(&t->jwt, v, token, now)) != JWT_OK)
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
sub_token_verify(struct sub_token *t, const struct token_verifier *v,
    struct sv token, int64_t now)
{
	struct jv	claims, client;
	enum jwt_err	err;

	if ((err = verify(&t->jwt, v, token, now)) != JWT_OK)
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

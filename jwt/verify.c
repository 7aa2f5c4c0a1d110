/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Verifying tokens: JWS compact serialization (RFC 7515, 7.1), then the
 * claims (RFC 7519, 4.1). The order is the defence: the shape, the header,
 * the signature, and only of a token that we know to be genuine the claims.
 *
 * Which key is used follows from the family of the algorithm that the header
 * names, and a key belongs to one family: the text of a public key can never
 * serve as an HMAC secret (RFC 8725, 3.1).
 */
#include <stdlib.h>
#include <string.h>

#include "jwt/alg.h"
#include "jwt/key.h"
#include "jwt/url.h"
#include "util/base64.h"
#include "util/ct.h"
#include "util/regex.h"

/* Times are kept within +-2^53 s, so that nobody overflows by counting in
 * milliseconds; it is for ever either way. */
#define TIME_MAX	(INT64_C(1) << 53)

struct parts {
	struct sv	header, claims, signature;	/* decoded */
	struct sv	input;		/* what is signed, as received */
};

static const char *const errors[] = {
	[JWT_OK] = "no error",
	[JWT_EXPIRED] = "token is expired or not valid yet",
	[JWT_MALFORMED] = "not a JSON Web Token that can be understood",
	[JWT_ALG] = "no key for the token's algorithm",
	[JWT_SIGNATURE] = "signature does not match",
	[JWT_CLAIMS] = "claim of the wrong type",
	[JWT_AUDIENCE] = "token is for another audience",
	[JWT_ISSUER] = "token is from another issuer",
	[JWT_TOOBIG] = "token is too long",
	[JWT_KEY_UNKNOWN] = "no key of that id at hand",
	[JWT_NOMEM] = "out of memory",
};

_Static_assert(sizeof(errors) / sizeof(errors[0]) == JWT_NOMEM + 1,
    "an error without a text");

/* see jwt.h */
const char *
jwt_strerror(enum jwt_err e)
{
	return errors[e];
}

/* see jwt.h */
void
jwt_init(struct jwt *t)
{
	memset(t, 0, sizeof(*t));
	json_init(&t->json);
	buf_init(&t->text);
	buf_init(&t->scratch);
	buf_init(&t->url);
}

/* see jwt.h */
void
jwt_fini(struct jwt *t)
{
	json_fini(&t->json);
	buf_wipe(&t->text);
	buf_wipe(&t->scratch);
	buf_fini(&t->url);
	jwt_init(t);
}

/* token = b64url(header) "." b64url(claims) "." b64url(signature) */
static enum jwt_err
split(struct jwt *t, struct sv token, struct parts *part)
{
	struct sv	rest = token, header, claims;
	size_t		end_header, end_claims;

	header = sv_cut(&rest, '.');
	claims = sv_cut(&rest, '.');
	if (rest.p == NULL)
		return JWT_MALFORMED;
	/* All the room at once: growth would leave copies unwiped. None of
	 * what follows can run out of memory. */
	if (buf_reserve(&t->text, token.n) == NULL)
		return JWT_NOMEM;
	if (base64url_get(&t->text, header) == -1)
		return JWT_MALFORMED;
	end_header = t->text.n;
	if (base64url_get(&t->text, claims) == -1)
		return JWT_MALFORMED;
	end_claims = t->text.n;
	if (base64url_get(&t->text, rest) == -1)
		return JWT_MALFORMED;
	part->input = sv_make(token.p, header.n + 1 + claims.n);
	part->header = sv_make(t->text.p, end_header);
	part->claims = sv_make(t->text.p + end_header,
	    end_claims - end_header);
	part->signature = sv_skip(buf_sv(&t->text), end_claims);
	/* And room for every string that is unescaped, of which the user's
	 * may be read twice: growth would move what is borrowed. */
	if (memchr(t->text.p, '\\', end_claims) != NULL &&
	    buf_reserve(&t->scratch, 2 * end_claims) == NULL)
		return JWT_NOMEM;
	return JWT_OK;
}

/* A JSON object without duplicate keys, at any depth. */
static enum jwt_err
parse_object(struct json *j, struct sv text)
{
	if (json_parse(j, text, JSON_NODUP) == -1)
		return j->err == JSON_NOMEM ? JWT_NOMEM : JWT_MALFORMED;
	return jv_type(json_root(j)) == JSON_OBJECT ? JWT_OK : JWT_MALFORMED;
}

/* RFC 7515, 4.1: alg is needed; crit would demand an extension, of which we
 * have none; kid matters to key sets, and the others change nothing. */
static enum jwt_err
read_header(struct jwt *t, struct sv text)
{
	struct json	j;
	struct buf	scratch = BUF_INIT;
	struct sv	alg;
	struct jv	kid;
	enum jwt_err	err;

	json_init(&j);
	if ((err = parse_object(&j, text)) == JWT_OK) {
		if (jv_is(jv_get(json_root(&j), "crit")))
			err = JWT_MALFORMED;
		else if (jv_str(jv_get(json_root(&j), "alg"), &scratch,
		    &alg) == -1)
			err = scratch.failed ? JWT_NOMEM : JWT_MALFORMED;
		else
			t->alg = jwt_alg_parse(alg);
		kid = jv_get(json_root(&j), "kid");
		if (jv_type(kid) == JSON_STRING &&
		    jv_str(kid, &t->scratch, &t->kid) == -1)
			err = JWT_NOMEM;
	}
	buf_fini(&scratch);
	json_fini(&j);
	return err;
}

static bool
hmac_matches(enum jwt_alg alg, struct sv secret, const struct parts *part)
{
	unsigned char	mac[JWT_MAC_MAX];
	size_t		n;
	bool		same;

	if (secret.n == 0)
		return false;
	n = jwt_hmac(alg, secret, part->input, mac);
	same = ct_eq(sv_make(mac, n), part->signature);
	explicit_bzero(mac, sizeof(mac));
	return same;
}

static enum jwt_err
check_hmac(const struct jwt *t, const struct jwt_verifier *v,
    const struct parts *part, int64_t now)
{
	if (v->hmac_secret.n == 0)
		return JWT_ALG;
	if (hmac_matches(t->alg, v->hmac_secret, part))
		return JWT_OK;
	if ((v->hmac_previous_valid_until == 0 ||
	    now <= v->hmac_previous_valid_until) &&
	    hmac_matches(t->alg, v->hmac_previous_secret, part))
		return JWT_OK;
	return JWT_SIGNATURE;
}

static enum jwt_err
check_key(const struct jwt *t, const struct jwt_key *key,
    const struct parts *part)
{
	if (key == NULL || !jwt_key_fits(key, t->alg))
		return JWT_ALG;
	return jwt_key_verify(key, t->alg, part->input, part->signature) ?
	    JWT_OK : JWT_SIGNATURE;
}

/* By the keys that are configured. */
static enum jwt_err
check_signature(const struct jwt *t, const struct jwt_verifier *v,
    const struct parts *part, int64_t now)
{
	switch (jwt_alg_info(t->alg)->family) {
	case JWT_HMAC:
		return check_hmac(t, v, part, now);
	case JWT_RSA:
		return check_key(t, v->rsa_key, part);
	case JWT_EC:
		return check_key(t, v->ecdsa_key, part);
	default:
		return JWT_ALG;
	}
}

/* A claim by name; null is the same as absent. */
static struct jv
claim(const struct jwt *t, const char *name)
{
	struct jv	v = jv_get(json_root(&t->json), name);

	return jv_type(v) == JSON_NULL ? (struct jv){ NULL, 0 } : v;
}

static enum jwt_err
read_str(struct jwt *t, struct jv v, struct sv *out)
{
	*out = SV("");
	if (jv_is(v) && jv_str(v, &t->scratch, out) == -1)
		return JWT_CLAIMS;
	return JWT_OK;
}

/* The user id: sub, or the configured claim, which may be a whole number
 * too; its digits are the id then. */
static enum jwt_err
read_user(struct jwt *t, const struct jwt_verifier *v)
{
	enum jwt_err	err;
	struct jv	user;
	int64_t		number;
	char		*name;

	if ((err = read_str(t, claim(t, "sub"), &t->sub)) != JWT_OK ||
	    v->user_id_claim.n == 0)
		return err;
	if ((name = sv_dup(v->user_id_claim)) == NULL)
		return JWT_NOMEM;
	user = claim(t, name);
	free(name);
	if (jv_i64(user, &number) == 0) {
		t->sub = jv_raw(user);
		return JWT_OK;
	}
	return read_str(t, user, &t->sub);
}

/* NumericDate: seconds, a fraction is cut off. */
static enum jwt_err
read_time(struct jv v, int64_t *out)
{
	double	d;

	if (jv_i64(v, out) == -1) {
		if (jv_double(v, &d) == -1)
			return JWT_CLAIMS;
		*out = d >= (double)TIME_MAX ? TIME_MAX :
		    d <= (double)-TIME_MAX ? -TIME_MAX : (int64_t)d;
	}
	if (*out > TIME_MAX)
		*out = TIME_MAX;
	return JWT_OK;
}

/* exp: refused from that second on. nbf: refused before it, and with the
 * same error, because clients know what to do about that one. */
static enum jwt_err
check_times(struct jwt *t, int64_t now)
{
	struct jv	exp = claim(t, "exp"), nbf = claim(t, "nbf");
	int64_t		from = now;

	if ((jv_is(exp) && read_time(exp, &t->exp) != JWT_OK) ||
	    (jv_is(nbf) && read_time(nbf, &from) != JWT_OK))
		return JWT_CLAIMS;
	if ((jv_is(exp) && t->exp <= now) || from > now)
		return JWT_EXPIRED;
	return JWT_OK;
}

/* Whether one value of iss or aud is ours. With vars the groups of the
 * expression are taken, too. */
static enum jwt_err
match(struct sv s, struct sv want, const struct regex *re,
    struct jwt_vars *vars, bool *matched)
{
	*matched = want.n == 0 || sv_eq(s, want);
	if (re == NULL || !*matched)
		return JWT_OK;
	if (vars != NULL)
		return jwt_vars_match(vars, re, s, matched);
	*matched = regex_match(re, s);
	return JWT_OK;
}

/* aud: a string or a list of strings, of which one must be ours; the first
 * such counts. */
static enum jwt_err
check_audience(struct jwt *t, const struct jwt_verifier *v,
    struct jwt_vars *vars)
{
	struct jv	aud = claim(t, "aud"), one = aud;
	enum jwt_err	err;
	struct sv	s;
	bool		found = false, any = v->audience.n == 0 &&
	    v->audience_regex == NULL;

	if (jv_type(aud) == JSON_ARRAY)
		one = jv_first(aud);
	for (; jv_is(one); one = jv_type(aud) == JSON_ARRAY ? jv_next(one) :
	    (struct jv){ NULL, 0 }) {
		if ((err = read_str(t, one, &s)) != JWT_OK)
			return err;
		if (!found && (err = match(s, v->audience, v->audience_regex,
		    vars, &found)) != JWT_OK)
			return err;
	}
	return found || any ? JWT_OK : JWT_AUDIENCE;
}

static enum jwt_err
check_issuer(struct jwt *t, const struct jwt_verifier *v,
    struct jwt_vars *vars)
{
	enum jwt_err	err;
	struct sv	s;
	bool		matched;

	if ((err = read_str(t, claim(t, "iss"), &s)) != JWT_OK ||
	    (err = match(s, v->issuer, v->issuer_regex, vars, &matched)) !=
	    JWT_OK)
		return err;
	return matched ? JWT_OK : JWT_ISSUER;
}

static enum jwt_err
read_claims(struct jwt *t, const struct jwt_verifier *v, struct sv text,
    int64_t now)
{
	enum jwt_err	err;

	if ((err = parse_object(&t->json, text)) != JWT_OK ||
	    (err = read_user(t, v)) != JWT_OK ||
	    (err = read_str(t, claim(t, "channel"), &t->channel)) != JWT_OK ||
	    (err = check_times(t, now)) != JWT_OK ||
	    (err = check_audience(t, v, NULL)) != JWT_OK)
		return err;
	t->has_channel = t->channel.n > 0;
	return check_issuer(t, v, NULL);
}

/* Which key of which set the token wants. Its claims are read for that, but
 * nothing in them is believed yet: they choose among the URLs that the
 * configuration allows. */
static enum jwt_err
want_key(struct jwt *t, const struct jwt_verifier *v, struct sv claims)
{
	enum jwt_family	family = jwt_alg_info(t->alg)->family;
	struct jwt_vars	vars = { .n = 0 };
	enum jwt_err	err;

	if ((family != JWT_RSA && family != JWT_EC) || t->kid.n == 0)
		return JWT_ALG;
	if ((err = parse_object(&t->json, claims)) != JWT_OK ||
	    (err = check_issuer(t, v, &vars)) != JWT_OK ||
	    (err = check_audience(t, v, &vars)) != JWT_OK ||
	    (err = jwt_url_expand(&t->url, v->key_url, &vars)) != JWT_OK)
		return err;
	t->key_url = buf_sv(&t->url);
	return JWT_KEY_UNKNOWN;
}

static enum jwt_err
verify(struct jwt *t, const struct jwt_verifier *v,
    const struct jwt_key *key, struct sv token, int64_t now)
{
	enum jwt_err	err = JWT_OK;
	struct parts	part;

	if (token.n > JWT_MAX)
		return JWT_TOOBIG;
	if ((err = split(t, token, &part)) != JWT_OK ||
	    (err = read_header(t, part.header)) != JWT_OK)
		return err;
	if (!v->insecure_skip_signature) {
		if (v->key_url.n == 0)
			err = check_signature(t, v, &part, now);
		else if (key == NULL)
			err = want_key(t, v, part.claims);
		else
			err = check_key(t, key, &part);
		if (err != JWT_OK)
			return err;
	}
	t->kid = sv_make(NULL, 0);
	return read_claims(t, v, part.claims, now);
}

/* see jwt.h */
enum jwt_err
jwt_verify_key(struct jwt *t, const struct jwt_verifier *v,
    const struct jwt_key *key, struct sv token, int64_t now)
{
	enum jwt_err	err;

	jwt_fini(t);
	err = verify(t, v, key, token, now);
	if (err != JWT_OK && err != JWT_KEY_UNKNOWN)
		jwt_fini(t);
	return err;
}

/* see jwt.h */
enum jwt_err
jwt_verify(struct jwt *t, const struct jwt_verifier *v, struct sv token,
    int64_t now)
{
	return jwt_verify_key(t, v, NULL, token, now);
}

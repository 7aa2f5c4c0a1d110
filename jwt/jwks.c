/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See jwks.h.
 */
#include <stdlib.h>

#include <bearssl.h>

#include "jwt/alg.h"
#include "jwt/jwks.h"
#include "util/base64.h"

/* Reading one key; the buffer is for unescaped and decoded members, and has
 * room for all of them from the start. */
struct reader {
	struct jv	jwk;
	struct buf	scratch;
};

/* A member that is a string; empty if it is absent or anything else. */
static struct sv
member(struct reader *r, const char *name)
{
	struct sv s;

	(void)jv_str(jv_get(r->jwk, name), &r->scratch, &s);
	return s;
}

/* A member that is base 64 of bytes (RFC 7518, 2: Base64urlUInt). */
static struct sv
bytes(struct reader *r, const char *name)
{
	struct sv	text = member(r, name);
	size_t		start = r->scratch.n;

	if (base64url_get(&r->scratch, text) == -1)
		return sv_make(NULL, 0);
	return sv_skip(buf_sv(&r->scratch), start);
}

static int
read_ec(struct reader *r, struct jwt_key *key)
{
	struct sv	crv = member(r, "crv");
	const char	*why;
	int		 curve = sv_eq(crv, SV("P-256")) ? BR_EC_secp256r1 :
	    sv_eq(crv, SV("P-384")) ? BR_EC_secp384r1 :
	    sv_eq(crv, SV("P-521")) ? BR_EC_secp521r1 : 0;

	return jwt_key_ec(key, curve, bytes(r, "x"), bytes(r, "y"), &why);
}

/* The key itself; -1 if it is none that we can use. */
static int
read_key(struct reader *r, struct jwt_key *key)
{
	struct sv	kty = member(r, "kty"), alg = member(r, "alg");
	const char	*why;
	int		 rc = -1;

	if (!sv_eq(member(r, "use"), SV("sig")))
		return -1;
	if (sv_eq(kty, SV("RSA")))
		rc = jwt_key_rsa(key, bytes(r, "n"), bytes(r, "e"), &why);
	else if (sv_eq(kty, SV("EC")))
		rc = read_ec(r, key);
	if (rc == -1 || !jv_is(jv_get(r->jwk, "alg")))
		return rc;
	key->alg = jwt_alg_parse(alg);
	return key->alg != JWT_NONE && jwt_key_fits(key, key->alg) ? 0 : -1;
}

/* Add the key to the set if it is of use; -1: no memory. */
static int
add_key(struct jwt_set *set, struct jv jwk)
{
	struct reader		 r = { jwk, BUF_INIT };
	struct jwt_set_key	*k = &set->v[set->n];
	struct sv		 kid;
	int			 rc = -1;

	/* Each member once unescaped and once decoded: views stay put. */
	if (buf_reserve(&r.scratch, 2 * jv_raw(jwk).n) == NULL)
		return -1;
	kid = member(&r, "kid");
	if (kid.n == 0 || kid.n > JWT_KID_MAX || read_key(&r, &k->key) == -1) {
		rc = 0;
	} else if ((k->kid = sv_dup(kid)) != NULL) {
		k->kid_n = kid.n;
		set->n++;
		rc = 0;
	}
	buf_fini(&r.scratch);
	return rc;
}

static const char *
read_set(struct jwt_set *set, const struct json *j)
{
	struct jv	keys = jv_get(json_root(j), "keys"), v;
	size_t		n = jv_len(keys);

	if (jv_type(keys) != JSON_ARRAY)
		return "not a JSON Web Key Set";
	if (n > JWT_SET_MAX)
		return "too many keys in the set";
	if ((set->v = calloc(n + 1, sizeof(*set->v))) == NULL)
		return "out of memory";
	for (v = jv_first(keys); jv_is(v); v = jv_next(v))
		if (add_key(set, v) == -1)
			return "out of memory";
	return NULL;
}

/* see jwks.h */
int
jwt_set_parse(struct jwt_set *set, struct sv text, const char **why)
{
	struct json j;

	json_init(&j);
	if (json_parse(&j, text, JSON_NODUP) == -1)
		*why = json_strerror(j.err);
	else
		*why = read_set(set, &j);
	json_fini(&j);
	if (*why == NULL)
		return 0;
	jwt_set_fini(set);
	return -1;
}

/* see jwks.h */
void
jwt_set_fini(struct jwt_set *set)
{
	while (set->n > 0)
		free(set->v[--set->n].kid);
	free(set->v);
	set->v = NULL;
}

/* see jwks.h */
const struct jwt_key *
jwt_set_find(const struct jwt_set *set, struct sv kid)
{
	size_t i;

	for (i = set->n; i-- > 0; )
		if (sv_eq(kid, sv_make(set->v[i].kid, set->v[i].kid_n)))
			return &set->v[i].key;
	return NULL;
}

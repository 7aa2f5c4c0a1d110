/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * JSON Web Tokens (RFC 7515, 7519) as Centrifugo uses them, and the rules of
 * RFC 8725: the algorithm is the verifier's choice, "none" never, duplicate
 * claims refused, signatures compared in constant time. No clock: the time
 * is an argument. Claims are views into the decoded token.
 */
#ifndef JWT_JWT_H
#define JWT_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/json.h"
#include "util/sv.h"

struct jwt_key;
struct regex;

enum jwt_alg {
	JWT_NONE,
	JWT_HS256, JWT_HS384, JWT_HS512,
	JWT_RS256, JWT_RS384, JWT_RS512,
	JWT_ES256, JWT_ES384, JWT_ES512
};

/* Whose keys are of one kind. A key never serves another family. */
enum jwt_family { JWT_NO_FAMILY, JWT_HMAC, JWT_RSA, JWT_EC };

enum jwt_err {
	JWT_OK,
	JWT_EXPIRED,		/* exp passed, or nbf to come (spec 12.28) */
	JWT_MALFORMED,		/* not three parts of base64url JSON objects,
				 * or a header that demands an extension */
	JWT_ALG,		/* unknown, none, or no key for it */
	JWT_SIGNATURE,
	JWT_CLAIMS,		/* a claim of the wrong type */
	JWT_AUDIENCE,
	JWT_ISSUER,
	JWT_TOOBIG,
	JWT_KEY_UNKNOWN,	/* get the key t->kid of t->key_url, and call
				 * jwt_verify_key() with it */
	JWT_NOMEM
};

#define JWT_MAX		(64 * 1024)	/* bytes of a token */

/* What is accepted. All views and pointers are borrowed from the
 * configuration; empty or NULL means not configured. With key_url the keys
 * above it are not looked at: the only ones that count are those of the JSON
 * Web Key Set there, and no token is accepted without. */
struct jwt_verifier {
	struct sv	hmac_secret;
	struct sv	hmac_previous_secret;
	int64_t		hmac_previous_valid_until; /* last unix s it counts;
						    * 0: for ever */
	const struct jwt_key *rsa_key, *ecdsa_key;
	struct sv	key_url;	/* of a key set; see jwt/url.h for the
					 * {{names}} in it */
	struct sv	audience;
	struct sv	issuer;
	const struct regex *audience_regex, *issuer_regex;
	struct sv	user_id_claim;	/* empty: sub. May hold a whole number,
					 * whose digits are the id then */
	bool		insecure_skip_signature; /* exp etc. still checked */
};

/* A verified token. Owns its decoded text; fini it when done. */
struct jwt {
	enum jwt_alg	alg;
	struct sv	sub;		/* the user id, by user_id_claim */
	int64_t		exp;		/* unix s, at most 2^53; 0: none */
	bool		has_channel;	/* and it is not "" */
	struct sv	channel;
	struct json	json;		/* the claims */
	/* With JWT_KEY_UNKNOWN these two only: */
	struct sv	kid, key_url;
	struct buf	text;		/* private: decoded parts */
	struct buf	scratch;	/* private: unescaped strings */
	struct buf	url;		/* private: key_url */
};

void	jwt_init(struct jwt *);
void	jwt_fini(struct jwt *);		/* wipes */
/* Verify token at time now (unix s). On JWT_OK the fields are set; claims
 * not among them are read with jv_get(json_root(&t->json), name). Anything
 * else leaves t empty but initialised. What t held before is gone. A claim
 * that is null counts as absent. */
enum jwt_err jwt_verify(struct jwt *t, const struct jwt_verifier *,
	    struct sv token, int64_t now);
/* The same token again, with the key that JWT_KEY_UNKNOWN asked for. */
enum jwt_err jwt_verify_key(struct jwt *t, const struct jwt_verifier *,
	    const struct jwt_key *key, struct sv token, int64_t now);
const char *jwt_strerror(enum jwt_err);

/* Append a token: claims is a JSON object's text. 0, or -1 with nothing
 * appended: no memory, no algorithm (JWT_NONE) or an empty secret. */
int	jwt_sign(struct buf *out, enum jwt_alg alg, struct sv secret,
	    struct sv claims);

#endif

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

enum jwt_alg { JWT_NONE, JWT_HS256, JWT_HS384, JWT_HS512 };

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
	JWT_NOMEM
};

#define JWT_MAX		(64 * 1024)	/* bytes of a token */

/* What is accepted. All views are borrowed from the configuration; empty
 * means not configured. */
struct jwt_verifier {
	struct sv	hmac_secret;
	struct sv	hmac_previous_secret;
	int64_t		hmac_previous_valid_until; /* last unix s it counts;
						    * 0: for ever */
	struct sv	audience;
	struct sv	issuer;
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
	struct buf	text;		/* private: decoded parts */
	struct buf	scratch;	/* private: unescaped strings */
};

void	jwt_init(struct jwt *);
void	jwt_fini(struct jwt *);		/* wipes */
/* Verify token at time now (unix s). On JWT_OK the fields are set; claims
 * not among them are read with jv_get(json_root(&t->json), name). Anything
 * else leaves t empty but initialised. What t held before is gone. A claim
 * that is null counts as absent. */
enum jwt_err jwt_verify(struct jwt *t, const struct jwt_verifier *,
	    struct sv token, int64_t now);
const char *jwt_strerror(enum jwt_err);

/* Append a token: claims is a JSON object's text. 0, or -1 with nothing
 * appended: no memory, no algorithm (JWT_NONE) or an empty secret. */
int	jwt_sign(struct buf *out, enum jwt_alg alg, struct sv secret,
	    struct sv claims);

#endif

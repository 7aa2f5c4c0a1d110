/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * URLs of key sets with {{name}} in them, each of which stands for the group
 * of that name in the regular expression of the issuer or the audience (the
 * audience's, if both have it). What a group matches comes from a token that
 * nobody has verified yet, so it chooses where we ask for keys: the groups
 * used must be lists of fixed texts, and whatever they give, the path must
 * stay one without tricks.
 */
#ifndef JWT_URL_H
#define JWT_URL_H

#include "jwt/jwt.h"

#define JWT_VARS_MAX	16	/* named groups that count */

struct jwt_var { struct sv name, value; };

struct jwt_vars {
	struct jwt_var	v[JWT_VARS_MAX];
	size_t		n;
};

/* Match text and add the named groups, as views of it. JWT_OK with *matched
 * set, or JWT_NOMEM. */
enum jwt_err jwt_vars_match(struct jwt_vars *, const struct regex *,
	    struct sv text, bool *matched);

/* Append the URL to out. JWT_OK, JWT_NOMEM, or JWT_CLAIMS: it has characters
 * that no URL has, or empty segments or those of dots in its path. */
enum jwt_err jwt_url_expand(struct buf *out, struct sv url,
	    const struct jwt_vars *);

/* Whether the groups that the URL uses are alternations of fixed texts, and
 * neither pattern has classes of characters; an empty pattern is none. 0, or
 * -1 with *why, a static text. Without {{ everything is fine. To be asked
 * when the configuration is read, unless
 * insecure_skip_jwks_endpoint_safety_check is set. */
int	jwt_url_check(struct sv url, struct sv issuer_regex,
	    struct sv audience_regex, const char **why);

#endif

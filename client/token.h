/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Connection tokens: from the configuration to a verifier, from a token to
 * what a connection needs (spec 6). Also the commands gentoken and
 * checktoken.
 */
#ifndef CLIENT_TOKEN_H
#define CLIENT_TOKEN_H

#include <stdio.h>

#include "conf/conf.h"
#include "client/jwks.h"
#include "jwt/jwt.h"
#include "jwt/key.h"

/* What verifies the tokens of a configuration, whose strings it borrows. It
 * must not be moved. */
struct token_verifier {
	struct jwt_verifier	 jwt;
	struct jwt_key		 rsa, ecdsa;
	struct jwks		*jwks;	/* or NULL: no key can be fetched */
};

/* For connections, and for subscriptions, which may have a verifier of their
 * own. -1: a key can't be used; *why says which and why, statically. */
int	token_verifier_init(struct token_verifier *, const struct conf *,
	    struct jwks *, const char **why);
int	sub_token_verifier_init(struct token_verifier *, const struct conf *,
	    struct jwks *, const char **why);

/* Whether the public keys of a configuration can be used; *why otherwise. */
bool	token_keys_ok(const struct conf *, const char **why);

struct connect_token {
	struct sv	user;		/* views into jwt */
	struct sv	info;		/* JSON, or empty */
	int64_t		expire_at;	/* Unix s; 0: never */
	struct jwt	jwt;
	struct buf	b64;		/* private: decoded b64info */
};

/* A JSON claim, or its base64 twin, which wins if both are there; it is
 * decoded into b64, which *out then is a view of. *out is left alone if the
 * claim is absent. */
enum jwt_err token_json(struct jv claims, const char *name,
	    const char *name64, struct buf *b64, struct sv *out);

void	connect_token_init(struct connect_token *);
void	connect_token_fini(struct connect_token *);
/* Verify a connection token at time now (Unix s). Anything but JWT_OK leaves
 * the fields empty; JWT_KEY_UNKNOWN: t->jwt says which key to fetch. */
enum jwt_err connect_token_verify(struct connect_token *,
	    const struct token_verifier *, struct sv token, int64_t now);

/* What a subscription token says. */
struct sub_token {
	struct sv	channel, user, client;	/* views into jwt */
	struct sv	info, data;		/* JSON, or empty */
	struct jv	override;		/* or absent */
	int64_t		expire_at;		/* Unix s; 0: never */
	struct jwt	jwt;
	struct buf	info64, data64, text;	/* private */
};

void	sub_token_init(struct sub_token *);
void	sub_token_fini(struct sub_token *);
enum jwt_err sub_token_verify(struct sub_token *,
	    const struct token_verifier *, struct sv token, int64_t now);
/* Whether it was made for this channel, user and (if it names one) client. */
bool	sub_token_is_for(const struct sub_token *, struct sv channel,
	    struct sv user, struct sv client);

/* The commands: what follows the command's name is in e->argv. */
int	token_cmd_gentoken(const struct conf_cmd_env *e, int64_t now);
int	token_cmd_checktoken(const struct conf_cmd_env *e, int64_t now);
int	token_cmd_gensubtoken(const struct conf_cmd_env *e, int64_t now);
int	token_cmd_checksubtoken(const struct conf_cmd_env *e, int64_t now);

#endif

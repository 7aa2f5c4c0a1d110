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
#include "jwt/jwt.h"

/* Views into conf: for connections, and for subscriptions, which may have a
 * verifier of their own. */
void	token_verifier(struct jwt_verifier *, const struct conf *);
void	sub_token_verifier(struct jwt_verifier *, const struct conf *);

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
 * the fields empty. */
enum jwt_err connect_token_verify(struct connect_token *,
	    const struct jwt_verifier *, struct sv token, int64_t now);

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
	    const struct jwt_verifier *, struct sv token, int64_t now);
/* Whether it was made for this channel, user and (if it names one) client. */
bool	sub_token_is_for(const struct sub_token *, struct sv channel,
	    struct sv user, struct sv client);

/* The commands: what follows the command's name is in e->argv. */
int	token_cmd_gentoken(const struct conf_cmd_env *e, int64_t now);
int	token_cmd_checktoken(const struct conf_cmd_env *e, int64_t now);

#endif

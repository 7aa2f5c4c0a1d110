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

/* Views into conf. */
void	token_verifier(struct jwt_verifier *, const struct conf *);

struct connect_token {
	struct sv	user;		/* views into jwt */
	struct sv	info;		/* JSON, or empty */
	int64_t		expire_at;	/* Unix s; 0: never */
	struct jwt	jwt;
	struct buf	b64;		/* private: decoded b64info */
};

void	connect_token_init(struct connect_token *);
void	connect_token_fini(struct connect_token *);
/* Verify a connection token at time now (Unix s). Anything but JWT_OK leaves
 * the fields empty. */
enum jwt_err connect_token_verify(struct connect_token *,
	    const struct jwt_verifier *, struct sv token, int64_t now);

/* The commands: what follows the command's name is in e->argv. */
int	token_cmd_gentoken(const struct conf_cmd_env *e, int64_t now);
int	token_cmd_checktoken(const struct conf_cmd_env *e, int64_t now);

#endif

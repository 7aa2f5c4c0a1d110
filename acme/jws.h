/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The account key of ACME (RFC 8555) and what is signed with it: requests as
 * flattened JSON Web Signatures (RFC 7515). The key is always P-256 and the
 * algorithm ES256. Pure.
 */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include "util/buf.h"
#include "util/sv.h"

#define ACME_SECRET_LEN	32
#define ACME_POINT_LEN	65
#define ACME_THUMBPRINT	43	/* characters */

/* A P-256 key: that of the account, or of a certificate. */
struct acme_key {
	unsigned char	secret[ACME_SECRET_LEN];
	unsigned char	point[ACME_POINT_LEN];	/* uncompressed */
};

/* Make a new key out of 48 random bytes. */
void	acme_key_new(struct acme_key *, const unsigned char seed[48]);
/* Read a PEM text with an EC key (SEC1 or PKCS#8). 0, or -1 if it holds no
 * P-256 key. */
int	acme_key_read(struct acme_key *, struct sv pem);
/* Append it as PEM, "EC PRIVATE KEY": what Go's autocert reads and writes. */
void	acme_key_write(const struct acme_key *, struct buf *pem);

/* The base64url SHA-256 of the public key as a JWK (RFC 7638). 0, or -1: no
 * memory. */
int	acme_thumbprint(const struct acme_key *,
	    char out[ACME_THUMBPRINT]);

/* Append a signed request. kid empty: the key itself is sent along. payload
 * empty: POST-as-GET. */
void	acme_jws(struct buf *, const struct acme_key *, struct sv kid,
	    struct sv nonce, struct sv url, struct sv payload);
/* Append the external account binding (RFC 8555, 7.3.4): the public key,
 * signed with the key that the CA gave out. */
void	acme_jws_binding(struct buf *, const struct acme_key *,
	    struct sv kid, struct sv key, struct sv url);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What ACME needs of X.509: keys for certificates, requests for them (PKCS
 * #10, RFC 2986), and the certificate that answers a tls-alpn-01 challenge
 * (RFC 8737). Pure: randomness is an argument.
 */
#ifndef ACME_CSR_H
#define ACME_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

#define ACME_SEED	48	/* random bytes behind a key */

/* Append a new key as PEM: P-256, or RSA of 2048 bits, which takes a second
 * or two. 0 or -1. */
int	acme_cert_key(struct buf *pem, bool rsa,
	    const unsigned char seed[ACME_SEED]);
/* Append a request for these names and addresses, signed with the key: DER.
 * 0, or -1: no such key, or no memory. */
int	acme_csr(struct buf *der, struct sv key_pem, const struct sv *name,
	    size_t nname);
/* Append the certificate for a challenge and its key, PEM. 0 or -1. */
int	acme_alpn_cert(struct buf *chain, struct buf *key, struct sv name,
	    struct sv key_auth, int64_t now,
	    const unsigned char seed[ACME_SEED]);

/* The bytes of an IP address: 4 or 16; 0 if it is a host name. */
size_t	acme_ip(struct sv name, unsigned char out[16]);
/* What a CA puts into SNI when it checks that name: itself, or the reverse
 * name of an address (RFC 8738, 6). Appended. */
void	acme_alpn_host(struct buf *, struct sv name);

#endif

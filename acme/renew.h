/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * When: to renew a certificate, to try again after a failure, to order once
 * more. Pure arithmetic over Unix seconds; jitter is a number from 0 to 65535
 * drawn by the caller.
 */
#ifndef ACME_RENEW_H
#define ACME_RENEW_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sv.h"

/* When renewal is due by the dates alone: when a third of the lifetime is
 * left, or up to a twentieth of it earlier. */
int64_t	acme_renew_at(int64_t not_before, int64_t not_after, uint16_t jitter);
/* Whether so little is left that people should be warned: a fifth. */
bool	acme_is_late(int64_t not_before, int64_t not_after, int64_t now);

/* How long to wait after the nth failure in a row (from 1): doubling, with a
 * quarter of jitter either way, at least retry_after or a week. soft: it was
 * a failure of the way to the CA and not of what was asked for, so a try
 * costs little.
 * left: seconds that the present certificate is good for, or 0. */
int64_t	acme_backoff(unsigned n, bool soft, int64_t left,
	    int64_t retry_after, uint16_t jitter);

/* Append the identifier that renewal information is asked with (RFC 9773,
 * 4.1) for a certificate, the first of a PEM text; -1: it has no authority
 * key identifier. */
int	acme_cert_id(struct buf *, struct sv pem);
/* Jitter for that certificate: by chance, but the same for who looks at it
 * again. */
uint16_t acme_jitter(struct sv pem);
/* Append that certificate in base64url, as revocation wants it. */
int	acme_leaf_put(struct buf *, struct sv pem);

#endif

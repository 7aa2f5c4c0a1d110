/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See renew.h.
 */
#include <string.h>

#include "acme/renew.h"
#include "util/der.h"
#include "util/pem.h"
#include "util/base64.h"

#define HOUR			3600
#define DAY			(24 * HOUR)

#define OID_AUTHORITY_KEY_ID	"\x55\x1d\x23"

/* see renew.h */
int64_t
acme_renew_at(int64_t not_before, int64_t not_after, uint16_t jitter)
{
	int64_t life = not_after - not_before;

	return not_after - life / 3 - life / 20 * jitter / 65536;
}

/* see renew.h */
bool
acme_is_late(int64_t not_before, int64_t not_after, int64_t now)
{
	return not_after - now < (not_after - not_before) / 5;
}

/* see renew.h */
int64_t
acme_backoff(unsigned n, bool soft, int64_t left, int64_t retry_after,
    uint16_t jitter)
{
	int64_t most = left > 0 ? left / 8 : 6 * HOUR;
	int64_t wait = soft ? 5 : 60;

	if (most < HOUR)
		most = HOUR;
	if (most > DAY)
		most = DAY;
	while (n-- > 1 && wait < most)
		wait *= 2;
	if (wait > most)
		wait = most;
	wait += wait * (jitter - 32768) / (4 * 32768);
	if (retry_after > 7 * DAY)
		retry_after = 7 * DAY;
	return wait < retry_after ? retry_after : wait;
}

/* ---- the identifier of a certificate ---- */

/* Take fields off a TBSCertificate up to its extensions. */
static int
skip_to_extensions(struct sv *tbs, struct sv *serial)
{
	struct sv	v;
	unsigned	tag;
	int		i;

	if (der_is(*tbs, DER_CONTEXT(0)) &&
	    der_get_any(tbs, &tag, &v) == -1)
		return -1;
	if (der_get(tbs, DER_INTEGER, serial) == -1)
		return -1;
	/* Algorithm, issuer, validity, subject, key. */
	for (i = 0; i < 5; i++)
		if (der_get(tbs, DER_SEQUENCE, &v) == -1)
			return -1;
	while (tbs->n > 0 && !der_is(*tbs, DER_CONTEXT(3)))
		if (der_get_any(tbs, &tag, &v) == -1)
			return -1;
	return 0;
}

/* The key identifier in the extension of that name. */
static int
find_key_id(struct sv list, struct sv *id)
{
	struct sv	ext, oid, value, seq;
	unsigned	tag;

	while (der_get(&list, DER_SEQUENCE, &ext) == 0) {
		if (der_get(&ext, DER_OID, &oid) == -1)
			return -1;
		if (!sv_eq(oid, SV(OID_AUTHORITY_KEY_ID)))
			continue;
		if (der_is(ext, DER_BOOLEAN))
			der_get_any(&ext, &tag, &value);
		if (der_get(&ext, DER_OCTETS, &value) == -1 ||
		    der_get(&value, DER_SEQUENCE, &seq) == -1)
			return -1;
		return der_get(&seq, DER_IMPLICIT(0), id);
	}
	return -1;
}

static int
put_id(struct buf *b, struct sv der)
{
	struct sv cert, tbs, serial, outer, list, id;

	if (der_get(&der, DER_SEQUENCE, &cert) == -1 ||
	    der_get(&cert, DER_SEQUENCE, &tbs) == -1 ||
	    skip_to_extensions(&tbs, &serial) == -1 ||
	    der_get(&tbs, DER_CONTEXT(3), &outer) == -1 ||
	    der_get(&outer, DER_SEQUENCE, &list) == -1 ||
	    find_key_id(list, &id) == -1)
		return -1;
	base64url_put(b, id);
	buf_putc(b, '.');
	base64url_put(b, serial);
	return b->failed ? -1 : 0;
}

/* The DER of the first block. */
static int
first_der(struct buf *der, struct sv pem)
{
	struct pem block;

	return pem_next(&pem, &block) == 1 ? pem_decode(der, &block) : -1;
}

/* see renew.h */
int
acme_cert_id(struct buf *b, struct sv pem)
{
	struct buf	der = BUF_INIT;
	int		ret = first_der(&der, pem);

	if (ret == 0)
		ret = put_id(b, buf_sv(&der));
	buf_fini(&der);
	return ret;
}

/* see renew.h: the end of a signature is as good as drawn. */
uint16_t
acme_jitter(struct sv pem)
{
	struct buf	der = BUF_INIT;
	uint16_t	jitter = 0;

	if (first_der(&der, pem) == 0 && der.n >= 2)
		memcpy(&jitter, der.p + der.n - 2, 2);
	buf_fini(&der);
	return jitter;
}

/* see renew.h */
int
acme_leaf_put(struct buf *b, struct sv pem)
{
	struct buf	der = BUF_INIT;
	int		ret = first_der(&der, pem);

	base64url_put(b, buf_sv(&der));
	buf_fini(&der);
	return ret;
}

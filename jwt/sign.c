/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Making tokens (RFC 7515), with a shared secret only.
 */
#include "jwt/alg.h"
#include "util/base64.h"

/* see jwt.h */
int
jwt_sign(struct buf *out, enum jwt_alg alg, struct sv secret,
    struct sv claims)
{
	struct buf	header = BUF_INIT;
	unsigned char	mac[JWT_MAC_MAX];
	size_t		start = out->n, n;

	if (jwt_alg_info(alg)->family != JWT_HMAC || secret.n == 0)
		return -1;
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
	    jwt_alg_info(alg)->name);
	base64url_put(out, buf_sv(&header));
	buf_putc(out, '.');
	base64url_put(out, claims);
	if (!header.failed && !out->failed) {
		n = jwt_hmac(alg, secret, sv_skip(buf_sv(out), start), mac);
		buf_putc(out, '.');
		base64url_put(out, sv_make(mac, n));
	}
	if (header.failed || out->failed) {
		out->n = start;
		buf_fini(&header);
		return -1;
	}
	buf_fini(&header);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See jws.h.
 */
#include <string.h>

#include <bearssl.h>

#include "acme/jws.h"
#include "util/pem.h"
#include "util/base64.h"
#include "util/json.h"

#define ES256_LEN	64
#define PEM_ROOM	512	/* of an EC key */

static br_ec_private_key
private_key(const struct acme_key *a)
{
	return (br_ec_private_key){ .curve = BR_EC_secp256r1,
	    .x = (unsigned char *)(uintptr_t)a->secret,
	    .xlen = sizeof(a->secret) };
}

/* The public key that belongs to the secret. */
static int
compute_point(struct acme_key *a)
{
	br_ec_private_key sk = private_key(a);

	return br_ec_compute_pub(br_ec_get_default(), NULL, a->point, &sk) ==
	    sizeof(a->point) ? 0 : -1;
}

/* see jws.h */
void
acme_key_new(struct acme_key *a, const unsigned char seed[48])
{
	br_hmac_drbg_context	drbg;
	br_ec_private_key	sk;

	br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, 48);
	br_ec_keygen(&drbg.vtable, br_ec_get_default(), &sk, a->secret,
	    BR_EC_secp256r1);
	explicit_bzero(&drbg, sizeof(drbg));
	(void)compute_point(a);
}

/* A secret may have been written without the zeros in front of it. */
static int
take_secret(struct acme_key *a, const br_ec_private_key *sk)
{
	size_t		     n = sk->xlen;
	const unsigned char *x = sk->x;

	for (; n > sizeof(a->secret) && *x == 0; n--)
		x++;
	if (sk->curve != BR_EC_secp256r1 || n > sizeof(a->secret))
		return -1;
	memset(a->secret, 0, sizeof(a->secret));
	memcpy(a->secret + sizeof(a->secret) - n, x, n);
	return compute_point(a);
}

/* see jws.h */
int
acme_key_read(struct acme_key *a, struct sv pem)
{
	br_skey_decoder_context	key;
	struct buf		der = BUF_INIT;
	struct pem		block;
	int			ret = -1;

	while (ret == -1 && pem_next(&pem, &block) == 1) {
		der.n = 0;
		if (!sv_ends(block.label, SV("PRIVATE KEY")) ||
		    pem_decode(&der, &block) == -1)
			continue;
		br_skey_decoder_init(&key);
		br_skey_decoder_push(&key, der.p, der.n);
		if (br_skey_decoder_key_type(&key) == BR_KEYTYPE_EC)
			ret = take_secret(a, br_skey_decoder_get_ec(&key));
		explicit_bzero(&key, sizeof(key));
	}
	buf_wipe(&der);
	if (ret == -1)
		explicit_bzero(a, sizeof(*a));
	return ret;
}

/* see jws.h */
void
acme_key_write(const struct acme_key *a, struct buf *pem)
{
	br_ec_private_key	sk = private_key(a);
	br_ec_public_key	pk = { .curve = BR_EC_secp256r1,
				    .q = (unsigned char *)(uintptr_t)a->point,
				    .qlen = sizeof(a->point) };
	unsigned char		der[PEM_ROOM];
	size_t			n = br_encode_ec_raw_der(NULL, &sk, &pk);
	char		       *p = buf_reserve(pem, 2 * PEM_ROOM);

	if (p == NULL || n > sizeof(der))
		return;
	br_encode_ec_raw_der(der, &sk, &pk);
	buf_commit(pem, br_pem_encode(p, der, n, "EC PRIVATE KEY",
	    BR_PEM_LINE64));
	explicit_bzero(der, sizeof(der));
}

/* ---- the public key ---- */

/* The members of the JWK in the order that its thumbprint wants. */
static void
put_jwk(struct buf *b, const struct acme_key *a)
{
	buf_puts(b, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	base64url_put(b, sv_make(a->point + 1, 32));
	buf_puts(b, "\",\"y\":\"");
	base64url_put(b, sv_make(a->point + 33, 32));
	buf_puts(b, "\"}");
}

/* see jws.h */
int
acme_thumbprint(const struct acme_key *a, char out[ACME_THUMBPRINT])
{
	br_sha256_context	ctx;
	unsigned char		digest[br_sha256_SIZE];
	struct buf		b = BUF_INIT;
	int			ret = -1;

	put_jwk(&b, a);
	br_sha256_init(&ctx);
	br_sha256_update(&ctx, b.p, b.n);
	br_sha256_out(&ctx, digest);
	b.n = 0;
	base64url_put(&b, sv_make(digest, sizeof(digest)));
	if (!b.failed) {
		memcpy(out, b.p, ACME_THUMBPRINT);
		ret = 0;
	}
	buf_fini(&b);
	return ret;
}

/* ---- signatures ---- */

/* {"protected":"...","payload":"...","signature":"..."} */
struct jws {
	struct buf	*out;
	size_t		 header, dot;	/* where they begin in out */
	struct buf	 scratch;
};

static void
jws_payload(struct jws *j, struct sv payload)
{
	buf_puts(j->out, "{\"protected\":\"");
	j->header = j->out->n;
	base64url_put(j->out, buf_sv(&j->scratch));
	j->dot = j->out->n;
	buf_puts(j->out, "\",\"payload\":\"");
	base64url_put(j->out, payload);
}

/* The text that is signed: the header, a dot, the payload. */
static struct sv
jws_input(struct jws *j)
{
	const size_t	gap = sizeof("\",\"payload\":\"") - 1;
	struct buf     *b = &j->scratch;

	b->n = 0;
	if (j->out->failed)
		return SV("");
	buf_put(b, j->out->p + j->header, j->dot - j->header);
	buf_putc(b, '.');
	buf_put(b, j->out->p + j->dot + gap, j->out->n - j->dot - gap);
	return buf_sv(b);
}

static void
jws_signature(struct jws *j, struct sv signature)
{
	buf_puts(j->out, "\",\"signature\":\"");
	base64url_put(j->out, signature);
	buf_puts(j->out, "\"}");
	if (j->scratch.failed)
		j->out->failed = true;
	buf_fini(&j->scratch);
}

static void
put_member(struct buf *b, const char *name, struct sv value)
{
	buf_printf(b, ",\"%s\":", name);
	json_put_str(b, value);
}

/* see jws.h */
void
acme_jws(struct buf *out, const struct acme_key *a, struct sv kid,
    struct sv nonce, struct sv url, struct sv payload)
{
	struct jws		 j = { .out = out, .scratch = BUF_INIT };
	br_ec_private_key	 sk = private_key(a);
	br_sha256_context	 ctx;
	unsigned char		 digest[br_sha256_SIZE], sig[ES256_LEN];
	struct sv		 input;

	buf_puts(&j.scratch, "{\"alg\":\"ES256\"");
	if (kid.n > 0) {
		put_member(&j.scratch, "kid", kid);
	} else {
		buf_puts(&j.scratch, ",\"jwk\":");
		put_jwk(&j.scratch, a);
	}
	put_member(&j.scratch, "nonce", nonce);
	put_member(&j.scratch, "url", url);
	buf_putc(&j.scratch, '}');
	jws_payload(&j, payload);
	input = jws_input(&j);
	br_sha256_init(&ctx);
	br_sha256_update(&ctx, input.p, input.n);
	br_sha256_out(&ctx, digest);
	if (br_ecdsa_sign_raw_get_default()(br_ec_get_default(),
	    &br_sha256_vtable, digest, &sk, sig) != sizeof(sig))
		out->failed = true;
	jws_signature(&j, sv_make(sig, sizeof(sig)));
}

/* see jws.h */
void
acme_jws_binding(struct buf *out, const struct acme_key *a,
    struct sv kid, struct sv key, struct sv url)
{
	struct jws		j = { .out = out, .scratch = BUF_INIT };
	struct buf		jwk = BUF_INIT;
	br_hmac_key_context	kc;
	br_hmac_context		hmac;
	unsigned char		mac[br_sha256_SIZE];
	struct sv		input;

	buf_puts(&j.scratch, "{\"alg\":\"HS256\"");
	put_member(&j.scratch, "kid", kid);
	put_member(&j.scratch, "url", url);
	buf_putc(&j.scratch, '}');
	put_jwk(&jwk, a);
	jws_payload(&j, buf_sv(&jwk));
	input = jws_input(&j);
	br_hmac_key_init(&kc, &br_sha256_vtable, key.p, key.n);
	br_hmac_init(&hmac, &kc, 0);
	br_hmac_update(&hmac, input.p, input.n);
	br_hmac_out(&hmac, mac);
	explicit_bzero(&kc, sizeof(kc));
	jws_signature(&j, sv_make(mac, sizeof(mac)));
	if (jwk.failed)
		out->failed = true;
	buf_fini(&jwk);
}

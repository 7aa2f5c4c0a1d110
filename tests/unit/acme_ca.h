/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A CA (RFC 8555, 9773) without a network, for tests of the machine that
 * asks it: it verifies every signature, nonce, challenge and certificate
 * request, counts what it is asked for, and can be put into a mood at any
 * place of the conversation.
 */
#ifndef TESTS_UNIT_ACME_CA_H
#define TESTS_UNIT_ACME_CA_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "acme/order.h"
#include "tests/unit/acme_pki.h"
#include "util/base64.h"
#include "util/json.h"

#define CA		"https://ca.example"
#define CA_ORDERS	1024
#define CA_NAMES	8
#define HOUR		3600
#define DAY		(24 * HOUR)

enum ca_at { CA_ANYWHERE, CA_DIRECTORY, CA_NONCE, CA_ACCOUNT, CA_NEW_ORDER,
    CA_ORDER, CA_AUTHZ, CA_CHALLENGE, CA_FINALIZE, CA_CERT, CA_OTHER_CERT,
    CA_WINDOW, CA_REVOKE };

enum ca_how {
	CA_FINE,
	CA_SAY,		/* nothing is done; status, ctype, text, retry */
	CA_SILENT,	/* nothing is done, nor answered */
	CA_LOST,	/* it is done, but the answer is lost */
	CA_CUT,		/* half of the answer */
	CA_NOWHERE,	/* no Location */
	CA_TYPE,	/* another content type */
	CA_NO_NONCE,
	CA_EDIT,	/* text replaced by to */
	CA_LATER	/* the answer with a Retry-After */
};

struct ca_mood {
	enum ca_at	 at;
	enum ca_how	 how;
	int		 times;		/* -1: for ever */
	int		 status;
	const char	*ctype, *text, *to, *retry;
};

struct ca_order {
	int64_t		 at;
	bool		 finalized, replaces, profile;
	unsigned	 told, polls;	/* bits of names; since finalized */
	struct buf	 cert;		/* PEM */
};

struct ca {
	int64_t			 now;
	const struct acme_want	*want;
	struct ca_mood		 mood;
	/* What it is like. */
	int64_t			 life, backdated, window_from, window_to;
	bool			 no_http, no_alpn, eab, profiles, alternates,
				 windows, reuses;
	unsigned		 slow;	/* answers before it is decided */
	const char		*denied;	/* error of a challenge */
	struct sv		 other_name;	/* put into certificates */
	bool			 expired, other_key;
	bool			 half_nonces;	/* every second is refused */
	bool			 lazy;		/* verifies no signatures */
	/* What has happened. */
	struct acme_key		 key;
	struct jwt_key		 account;
	bool			 known;		/* the account */
	unsigned char		 thumb[32];
	struct ca_order		 order[CA_ORDERS];
	unsigned		 norder, accounts, issued, revoked, requests,
				 checks, windows_asked;
	unsigned		 nonce, spent;
	bool			 authz_valid[CA_NAMES];
	/* What is shown to it: key authorizations, by name. */
	char			 shown[CA_NAMES][128];
	enum acme_challenge	 how_shown[CA_NAMES];
	bool			 is_shown[CA_NAMES];
	/* The answer. */
	struct buf		 body, payload, scratch;
	char			 location[64], nonce_text[24];
	struct sv		 link[2];
};

static inline void
ca_init(struct ca *ca, const struct acme_want *want)
{
	unsigned char seed[48] = "of the CA";

	memset(ca, 0, sizeof(*ca));
	ca->want = want;
	ca->life = 90 * DAY;
	acme_key_new(&ca->key, seed);
}

static inline void
ca_fini(struct ca *ca)
{
	unsigned i;

	for (i = 0; i < ca->norder; i++)
		buf_fini(&ca->order[i].cert);
	buf_fini(&ca->body);
	buf_fini(&ca->payload);
	buf_fini(&ca->scratch);
}

/* The most orders in an hour. */
static inline unsigned
ca_busiest_hour(const struct ca *ca)
{
	unsigned i, j, most = 0;

	for (i = j = 0; i < ca->norder; i++) {
		while (ca->order[j].at <= ca->order[i].at - HOUR)
			j++;
		if (i - j + 1 > most)
			most = i - j + 1;
	}
	return most;
}

/* ---- answers ---- */

static inline void
ca_say(struct ca *ca, struct acme_reply *r, int status, const char *ctype)
{
	r->status = status;
	r->ctype = sv_from(ctype);
	r->body = buf_sv(&ca->body);
}

static inline void
ca_problem(struct ca *ca, struct acme_reply *r, int status, const char *type,
    const char *detail)
{
	buf_reset(&ca->body);
	buf_printf(&ca->body, "{\"type\":\"urn:ietf:params:acme:error:%s\","
	    "\"detail\":\"%s\",\"status\":%d}", type, detail, status);
	ca_say(ca, r, status, "application/problem+json");
}

static inline void
ca_json(struct ca *ca, struct acme_reply *r, int status)
{
	ca_say(ca, r, status, "application/json; charset=utf-8");
}

/* ---- signed requests ---- */

static inline struct sv
ca_text(struct jv obj, const char *name)
{
	struct buf	none = BUF_INIT;
	struct sv	s;

	if (jv_str(jv_get(obj, name), &none, &s) == -1)
		s = SV("");
	buf_fini(&none);	/* nothing we look at has escapes */
	return s;
}

/* A member in base64url; appended. */
static inline void
ca_bytes(struct buf *b, struct jv obj, const char *name)
{
	CHECK_INT(base64url_get(b, ca_text(obj, name)), 0);
}

static inline bool
ca_nonce_is_good(struct ca *ca, struct sv nonce)
{
	char		text[24];
	unsigned	n;

	sv_copy(text, sizeof(text), nonce);
	if (sscanf(text, "nonce-%u", &n) != 1 || n > ca->nonce ||
	    n <= ca->spent)
		return false;
	ca->spent = n;
	return !ca->half_nonces || n % 2 == 0;
}

/* The key in a request: its thumbprint goes into ca->thumb. */
static inline void
ca_take_jwk(struct ca *ca, struct jv jwk, struct jwt_key *key)
{
	struct buf	x = BUF_INIT, y = BUF_INIT, b = BUF_INIT;
	const char     *why;

	ca_bytes(&x, jwk, "x");
	ca_bytes(&y, jwk, "y");
	CHECK_SV(ca_text(jwk, "crv"), "P-256");
	CHECK_INT(jwt_key_ec(key, BR_EC_secp256r1, buf_sv(&x), buf_sv(&y),
	    &why), 0);
	buf_printf(&b, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\","
	    "\"y\":\"%.*s\"}", SV_ARG(ca_text(jwk, "x")),
	    SV_ARG(ca_text(jwk, "y")));
	pki_sha256(buf_sv(&b), ca->thumb);
	buf_fini(&b);
	buf_fini(&x);
	buf_fini(&y);
}

/* The external account binding: its payload is the account's key, its MAC
 * made with "a key of the CA's own choosing". */
static inline void
ca_check_binding(struct ca *ca, struct jv eab, struct jv jwk)
{
	struct buf	b = BUF_INIT, mac = BUF_INIT, key = BUF_INIT;
	struct jv	v;

	if (!CHECK(jv_is(eab)))
		return;
	buf_printf(&b, "%.*s.%.*s", SV_ARG(ca_text(eab, "protected")),
	    SV_ARG(ca_text(eab, "payload")));
	v = jv_get(eab, "signature");
	CHECK(jv_is(v));
	ca_bytes(&key, eab, "payload");
	CHECK_SVEQ(buf_sv(&key), jv_raw(jwk));
	ca_bytes(&mac, eab, "signature");
	br_hmac_key_context	kc;
	br_hmac_context		hc;
	unsigned char		out[32];

	br_hmac_key_init(&kc, &br_sha256_vtable, ca->want->eab_key.p,
	    ca->want->eab_key.n);
	br_hmac_init(&hc, &kc, 0);
	br_hmac_update(&hc, b.p, b.n);
	br_hmac_out(&hc, out);
	CHECK_SVEQ(buf_sv(&mac), sv_make(out, sizeof(out)));
	buf_reset(&key);
	ca_bytes(&key, eab, "protected");
	CHECK_SV(buf_sv(&key), "{\"alg\":\"HS256\",\"kid\":\"kid-1\","
	    "\"url\":\"" CA "/account\"}");
	buf_fini(&b);
	buf_fini(&mac);
	buf_fini(&key);
}

/* Verify a request and leave its payload in ca->payload. False: refused. */
static inline bool
ca_open(struct ca *ca, const struct acme_step *s, struct acme_reply *r,
    enum ca_at at)
{
	struct buf	head = BUF_INIT, sig = BUF_INIT, text = BUF_INIT;
	struct json	j, h;
	struct jwt_key	key = ca->account;
	struct jv	v, p;
	bool		good = false;

	json_init(&j);
	json_init(&h);
	buf_reset(&ca->payload);
	if (!CHECK_INT(json_parse(&j, s->body, JSON_NODUP), 0))
		goto out;
	v = json_root(&j);
	ca_bytes(&head, v, "protected");
	ca_bytes(&ca->payload, v, "payload");
	ca_bytes(&sig, v, "signature");
	if (!CHECK_INT(json_parse(&h, buf_sv(&head), JSON_NODUP), 0))
		goto out;
	p = json_root(&h);
	CHECK_SV(ca_text(p, "alg"), "ES256");
	CHECK_SVEQ(ca_text(p, "url"), s->url);
	if (!ca_nonce_is_good(ca, ca_text(p, "nonce"))) {
		ca_problem(ca, r, 400, "badNonce", "that nonce is not good");
		goto out;
	}
	CHECK(jv_is(jv_get(p, "jwk")) == (at == CA_ACCOUNT));
	if (at == CA_ACCOUNT)
		ca_take_jwk(ca, jv_get(p, "jwk"), &key);
	else if (!ca->known) {
		ca_problem(ca, r, 400, "accountDoesNotExist", "who is that?");
		goto out;
	} else
		CHECK_SV(ca_text(p, "kid"), CA "/account/1");
	buf_printf(&text, "%.*s.%.*s", SV_ARG(ca_text(v, "protected")),
	    SV_ARG(ca_text(v, "payload")));
	CHECK(ca->lazy || jwt_key_verify(&key, JWT_ES256, buf_sv(&text),
	    buf_sv(&sig)));
	if (at == CA_ACCOUNT && ca->eab) {
		json_fini(&j);
		json_init(&j);
		CHECK_INT(json_parse(&j, buf_sv(&ca->payload), 0), 0);
		ca_check_binding(ca, jv_get(json_root(&j),
		    "externalAccountBinding"), jv_get(p, "jwk"));
	}
	if (at == CA_ACCOUNT)
		ca->account = key;
	good = true;
out:
	buf_fini(&head);
	buf_fini(&sig);
	buf_fini(&text);
	json_fini(&j);
	json_fini(&h);
	return good;
}

/* ---- places ---- */

static inline void
ca_directory(struct ca *ca, struct acme_reply *r)
{
	buf_reset(&ca->body);
	buf_printf(&ca->body, "{\"newNonce\":\"" CA "/nonce\",\"newAccount\":"
	    "\"" CA "/account\",\"newOrder\":\"" CA "/order\",\"revokeCert\":"
	    "\"" CA "/revoke\",\"keyChange\":\"" CA "/key\"%s,\"meta\":{"
	    "\"termsOfService\":\"" CA "/terms\"%s%s}}",
	    ca->windows ? ",\"renewalInfo\":\"" CA "/ari\"" : "",
	    ca->eab ? ",\"externalAccountRequired\":true" : "",
	    ca->profiles ? ",\"profiles\":{\"classic\":\"x\","
	    "\"shortlived\":\"y\"}" : "");
	ca_json(ca, r, 200);
}

static inline void
ca_account(struct ca *ca, struct acme_reply *r)
{
	CHECK(memmem(ca->payload.p, ca->payload.n,
	    "\"termsOfServiceAgreed\":true", 27) != NULL);
	if (ca->want->email.n > 0)
		CHECK(memmem(ca->payload.p, ca->payload.n,
		    "\"contact\":[\"mailto:me@a.example\"]", 33) != NULL);
	ca->accounts += !ca->known;
	snprintf(ca->location, sizeof(ca->location), CA "/account/1");
	buf_reset(&ca->body);
	buf_puts(&ca->body, "{\"status\":\"valid\"}");
	ca_json(ca, r, ca->known ? 200 : 201);
	ca->known = true;
}

static inline bool
ca_all_valid(const struct ca *ca, const struct ca_order *o)
{
	size_t i;

	for (i = 0; i < ca->want->nname; i++)
		if (!(o->told & 1u << i) || o->polls < ca->slow)
			return false;
	return true;
}

static inline const char *
ca_state(const struct ca *ca, const struct ca_order *o)
{
	if (o->cert.n > 0)
		return o->polls < ca->slow ? "processing" : "valid";
	return ca_all_valid(ca, o) ? "ready" : "pending";
}

static inline void
ca_put_order(struct ca *ca, struct acme_reply *r, unsigned n, int status)
{
	const struct ca_order	*o = &ca->order[n];
	size_t			 i;

	buf_reset(&ca->body);
	buf_printf(&ca->body, "{\"status\":\"%s\",\"authorizations\":[",
	    ca_state(ca, o));
	for (i = 0; i < ca->want->nname; i++)
		buf_printf(&ca->body, "%s\"" CA "/authz/%u/%zu\"",
		    i > 0 ? "," : "", n, i);
	buf_printf(&ca->body, "],\"finalize\":\"" CA "/finalize/%u\"", n);
	if (strcmp(ca_state(ca, o), "valid") == 0)
		buf_printf(&ca->body, ",\"certificate\":\"" CA "/cert/%u\"",
		    n);
	buf_putc(&ca->body, '}');
	snprintf(ca->location, sizeof(ca->location), CA "/order/%u", n);
	ca_json(ca, r, status);
}

static inline void
ca_new_order(struct ca *ca, struct acme_reply *r)
{
	struct ca_order	*o = &ca->order[ca->norder];
	struct json	 j;
	struct jv	 v;
	size_t		 i = 0;

	json_init(&j);
	if (!CHECK(ca->norder < CA_ORDERS) ||
	    !CHECK_INT(json_parse(&j, buf_sv(&ca->payload), 0), 0))
		return;
	for (v = jv_first(jv_get(json_root(&j), "identifiers")); jv_is(v);
	    v = jv_next(v), i++) {
		if (!CHECK(i < ca->want->nname))
			break;
		CHECK_SVEQ(ca_text(v, "value"), ca->want->name[i]);
		CHECK_SV(ca_text(v, "type"), sv_chr(ca->want->name[i], ':') >=
		    0 || ca->want->name[i].p[0] == '1' ? "ip" : "dns");
	}
	CHECK_INT(i, ca->want->nname);
	o->at = ca->now;
	o->replaces = jv_is(jv_get(json_root(&j), "replaces"));
	o->profile = jv_is(jv_get(json_root(&j), "profile"));
	if (ca->reuses)
		o->told = ca->order[0].told;
	json_fini(&j);
	ca_put_order(ca, r, ca->norder++, 201);
}

static inline void
ca_authz(struct ca *ca, struct acme_reply *r, unsigned n, unsigned i)
{
	struct ca_order	*o = &ca->order[n];
	bool		 valid = o->told & 1u << i && o->polls >= ca->slow;

	if (o->told & 1u << i)
		o->polls++;
	buf_reset(&ca->body);
	buf_printf(&ca->body, "{\"status\":\"%s\",\"identifier\":{\"type\":"
	    "\"dns\",\"value\":\"%.*s\"},\"challenges\":[{\"type\":\"dns-01\","
	    "\"url\":\"x\",\"token\":\"y\"}", valid ? ca->denied != NULL ?
	    "invalid" : "valid" : "pending", SV_ARG(ca->want->name[i]));
	if (!ca->no_http)
		buf_printf(&ca->body, ",{\"type\":\"http-01\",\"url\":\"" CA
		    "/check/%u/%u\",\"token\":\"token-%u-%u\"", n, i, n, i);
	if (!ca->no_http && valid && ca->denied != NULL)
		buf_printf(&ca->body, ",\"error\":%s", ca->denied);
	if (!ca->no_http)
		buf_putc(&ca->body, '}');
	if (!ca->no_alpn)
		buf_printf(&ca->body, ",{\"type\":\"tls-alpn-01\",\"url\":\""
		    CA "/check/%u/%u\",\"token\":\"token-%u-%u\"}", n, i, n,
		    i);
	buf_puts(&ca->body, "]}");
	ca_json(ca, r, 200);
}

static inline void
ca_check(struct ca *ca, struct acme_reply *r, unsigned n, unsigned i)
{
	struct ca_order	*o = &ca->order[n];
	struct buf	 want = BUF_INIT;

	CHECK_SV(buf_sv(&ca->payload), "{}");
	if (o->told & 1u << i) {
		ca_problem(ca, r, 400, "malformed", "it is not pending");
		return;
	}
	ca->checks++;
	buf_printf(&want, "token-%u-%u.", n, i);
	base64url_put(&want, sv_make(ca->thumb, sizeof(ca->thumb)));
	buf_putc(&want, '\0');
	if (CHECK(ca->is_shown[i]))
		CHECK_STR(ca->shown[i], want.p);
	buf_fini(&want);
	o->told |= 1u << i;
	buf_reset(&ca->body);
	buf_puts(&ca->body, "{\"status\":\"processing\"}");
	ca_json(ca, r, 200);
}

/* The names of a request are those of the order. */
static inline void
ca_check_names(struct ca *ca, struct sv names)
{
	struct sv	v;
	unsigned	tag;
	size_t		i = 0;

	while (der_get_any(&names, &tag, &v) == 0 && i < ca->want->nname) {
		if (tag == DER_IMPLICIT(2))
			CHECK_SVEQ(v, ca->want->name[i]);
		else if (CHECK_INT(tag, DER_IMPLICIT(7)))
			CHECK(v.n == 4 || v.n == 16);
		i++;
	}
	CHECK_INT(i, ca->want->nname);
}

static inline void
ca_issue(struct ca *ca, struct ca_order *o, const struct pki_csr *csr)
{
	struct pki_cert	c = { .issuer = "Inter", .subject = "leaf",
	    .spki = csr->spki, .serial = 0x87654321u + ca->issued,
	    .not_before = ca->now - ca->backdated, .names = csr->names };
	struct buf	names = BUF_INIT, spki = BUF_INIT;

	c.not_after = c.not_before + ca->life;
	if (ca->expired)
		c.not_after = ca->now - 1;
	if (ca->other_name.n > 0) {
		der_put(&names, DER_IMPLICIT(2), ca->other_name);
		c.names = buf_sv(&names);
	}
	pki_spki(&spki, &ca->key);
	if (ca->other_key)
		c.spki = buf_sv(&spki);
	pki_cert_put(&o->cert, &c, &ca->key);
	ca->issued++;
	buf_fini(&names);
	buf_fini(&spki);
}

static inline void
ca_finalize(struct ca *ca, struct acme_reply *r, unsigned n)
{
	struct ca_order	*o = &ca->order[n];
	struct pki_csr	 csr;
	struct buf	 der = BUF_INIT;
	struct json	 j;

	if (!ca_all_valid(ca, o)) {
		ca_problem(ca, r, 403, "orderNotReady", "not yet");
		return;
	}
	json_init(&j);
	CHECK_INT(json_parse(&j, buf_sv(&ca->payload), 0), 0);
	ca_bytes(&der, json_root(&j), "csr");
	json_fini(&j);
	if (CHECK_INT(pki_csr_read(&csr, buf_sv(&der), !ca->lazy), 0)) {
		ca_check_names(ca, csr.names);
		CHECK((csr.key.family == JWT_RSA) == ca->want->rsa);
		CHECK(csr.key.n != ca->account.n || memcmp(csr.key.bytes,
		    ca->account.bytes, csr.key.n) != 0);
		o->polls = 0;
		buf_reset(&o->cert);
		ca_issue(ca, o, &csr);
	}
	buf_fini(&der);
	ca_put_order(ca, r, n, 200);
}

/* Another chain ends with another root. */
static inline void
ca_cert(struct ca *ca, struct acme_reply *r, unsigned n, bool other)
{
	struct pki_cert	c = { .issuer = other ? "Root X2" : "Root X1",
	    .subject = "Inter", .serial = 5, .not_before = 1577836800,
	    .not_after = 4102444800 };
	struct buf	spki = BUF_INIT;

	pki_spki(&spki, &ca->key);
	c.spki = buf_sv(&spki);
	buf_reset(&ca->body);
	buf_putsv(&ca->body, buf_sv(&ca->order[n].cert));
	pki_cert_put(&ca->body, &c, &ca->key);
	buf_fini(&spki);
	ca_say(ca, r, 200, "application/pem-certificate-chain");
	if (!ca->alternates || other)
		return;
	buf_reset(&ca->scratch);
	buf_printf(&ca->scratch, "<" CA "/dir>;rel=\"index\", <" CA
	    "/other/%u>; rel=\"alternate\"", n);
	ca->link[0] = SV("<" CA "/nothing>;rel=\"up\"");
	ca->link[1] = buf_sv(&ca->scratch);
	r->link = ca->link;
	r->nlink = 2;
}

static inline void
ca_put_date(struct buf *b, const char *name, int64_t t)
{
	char		text[40];
	time_t		s = (time_t)t;
	struct tm	tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.5Z", gmtime_r(&s,
	    &tm));
	buf_printf(b, "\"%s\":\"%s\"", name, text);
}

/* The identifier is that of the latest certificate. */
static inline void
ca_window(struct ca *ca, const struct acme_step *s, struct acme_reply *r)
{
	struct buf	want = BUF_INIT;
	uint32_t	serial = 0x87654321u + ca->issued - 1;
	unsigned char	bytes[5] = { 0, (unsigned char)(serial >> 24),
			    (unsigned char)(serial >> 16),
			    (unsigned char)(serial >> 8),
			    (unsigned char)serial };
	int64_t		at;

	ca->windows_asked++;
	CHECK(s->body.n == 0 && !s->head);
	buf_puts(&want, CA "/ari/");
	base64url_put(&want, SV(PKI_KEY_ID));
	buf_putc(&want, '.');
	base64url_put(&want, sv_make(bytes, sizeof(bytes)));
	CHECK_SVEQ(s->url, buf_sv(&want));
	buf_fini(&want);
	at = ca->order[ca->norder - 1].at;
	buf_reset(&ca->body);
	buf_puts(&ca->body, "{\"suggestedWindow\":{");
	ca_put_date(&ca->body, "start", at + ca->window_from);
	buf_putc(&ca->body, ',');
	ca_put_date(&ca->body, "end", at + ca->window_to);
	buf_puts(&ca->body, "},\"explanationURL\":\"" CA "/why\"}");
	ca_json(ca, r, 200);
	r->retry_after = SV("21600");
}

/* ---- the whole ---- */

static inline enum ca_at
ca_place(struct sv url, unsigned *n, unsigned *i)
{
	static const struct { const char *form; enum ca_at at; } places[] = {
		{ CA "/dir%n", CA_DIRECTORY }, { CA "/nonce%n", CA_NONCE },
		{ CA "/account%n", CA_ACCOUNT },
		{ CA "/order%n", CA_NEW_ORDER },
		{ CA "/revoke%n", CA_REVOKE },
	};
	static const struct { const char *form; enum ca_at at; } numbered[] = {
		{ CA "/order/%u%n", CA_ORDER },
		{ CA "/finalize/%u%n", CA_FINALIZE },
		{ CA "/cert/%u%n", CA_CERT },
		{ CA "/other/%u%n", CA_OTHER_CERT },
	};
	char	text[128];
	int	end = 0;
	size_t	k;

	sv_copy(text, sizeof(text), url);
	for (k = 0; k < sizeof(places) / sizeof(places[0]); k++)
		if (sv_eq(url, sv_make(places[k].form,
		    strlen(places[k].form) - 2)))
			return places[k].at;
	for (k = 0; k < sizeof(numbered) / sizeof(numbered[0]); k++)
		if (sscanf(text, numbered[k].form, n, &end) == 1 &&
		    (size_t)end == url.n)
			return numbered[k].at;
	if (sscanf(text, CA "/authz/%u/%u%n", n, i, &end) == 2)
		return CA_AUTHZ;
	if (sscanf(text, CA "/check/%u/%u%n", n, i, &end) == 2)
		return CA_CHALLENGE;
	return sv_starts(url, SV(CA "/ari/")) ? CA_WINDOW : CA_ANYWHERE;
}

static inline void
ca_work(struct ca *ca, const struct acme_step *s, struct acme_reply *r,
    enum ca_at at, unsigned n, unsigned i)
{
	if (at >= CA_ORDER && at <= CA_OTHER_CERT &&
	    !CHECK(n < ca->norder && i < CA_NAMES))
		return;
	if (at == CA_DIRECTORY) {
		CHECK(s->body.n == 0 && !s->head);
		ca_directory(ca, r);
	} else if (at == CA_NONCE) {
		CHECK(s->head);
		r->status = 204;
	} else if (at == CA_WINDOW) {
		ca_window(ca, s, r);
	} else if (!ca_open(ca, s, r, at)) {
		return;
	} else if (at == CA_ACCOUNT) {
		ca_account(ca, r);
	} else if (at == CA_NEW_ORDER) {
		ca_new_order(ca, r);
	} else if (at == CA_ORDER) {
		ca->order[n].polls++;
		ca_put_order(ca, r, n, 200);
	} else if (at == CA_AUTHZ) {
		ca_authz(ca, r, n, i);
	} else if (at == CA_CHALLENGE) {
		ca_check(ca, r, n, i);
	} else if (at == CA_FINALIZE) {
		ca_finalize(ca, r, n);
	} else if (at == CA_CERT || at == CA_OTHER_CERT) {
		ca_cert(ca, r, n, at == CA_OTHER_CERT);
	} else if (CHECK_INT(at, CA_REVOKE)) {
		ca->revoked++;
		r->status = 200;
	}
}

/* Replace one text in the body by another. */
static inline void
ca_edit(struct ca *ca, struct acme_reply *r, const char *from,
    const char *to)
{
	struct buf	b = BUF_INIT;
	const char     *at = memmem(ca->body.p, ca->body.n, from,
			    strlen(from));

	if (at == NULL)
		return;
	buf_put(&b, ca->body.p, (size_t)(at - ca->body.p));
	buf_puts(&b, to);
	at += strlen(from);
	buf_put(&b, at, (size_t)(ca->body.p + ca->body.n - at));
	buf_fini(&ca->body);
	ca->body = b;
	r->body = buf_sv(&ca->body);
}

static inline void
ca_spoil(struct ca *ca, struct acme_reply *r, const struct ca_mood *m)
{
	switch (m->how) {
	case CA_LOST:
		memset(r, 0, sizeof(*r));
		r->why = "timed out";
		break;
	case CA_CUT:
		r->body.n /= 2;
		break;
	case CA_NOWHERE:
		r->location = SV("");
		break;
	case CA_TYPE:
		r->ctype = sv_from(m->ctype);
		break;
	case CA_NO_NONCE:
		r->nonce = SV("");
		break;
	case CA_EDIT:
		ca_edit(ca, r, m->text, m->to);
		break;
	case CA_LATER:
		r->retry_after = sv_from(m->retry);
		break;
	default:
		break;
	}
}

static inline void
ca_answer(struct ca *ca, const struct acme_step *s, struct acme_reply *r)
{
	struct ca_mood	*m = &ca->mood;
	unsigned	 n = 0, i = 0;
	enum ca_at	 at = ca_place(s->url, &n, &i);
	bool		 here;

	memset(r, 0, sizeof(*r));
	ca->requests++;
	CHECK(at != CA_ANYWHERE);
	here = m->how != CA_FINE && m->times != 0 &&
	    (m->at == at || m->at == CA_ANYWHERE);
	if (here && m->times > 0)
		m->times--;
	if (here && m->how == CA_SILENT) {
		r->why = "connection refused";
		return;
	}
	ca->location[0] = '\0';
	if (here && m->how == CA_SAY) {
		buf_reset(&ca->body);
		buf_puts(&ca->body, m->text != NULL ? m->text : "");
		ca_say(ca, r, m->status, m->ctype);
		r->retry_after = sv_from(m->retry);
	} else {
		ca_work(ca, s, r, at, n, i);
	}
	snprintf(ca->nonce_text, sizeof(ca->nonce_text), "nonce-%u",
	    ++ca->nonce);
	if (at != CA_DIRECTORY && at != CA_WINDOW)
		r->nonce = sv_from(ca->nonce_text);
	r->location = sv_from(ca->location);
	if (here)
		ca_spoil(ca, r, m);
}

#endif

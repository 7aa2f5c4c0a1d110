/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server's side: see tls.h and handshake.h. BearSSL asks three things of
 * us while it shakes hands: which certificate and suite (choose), to sign,
 * and for sessions.
 *
 * A session is looked up before BearSSL has read the rest of the ClientHello,
 * which says whether it may be resumed, so that is read ahead here. BearSSL
 * 0.6 itself would not even look at ALPN then, and answer a protocol that is
 * not in its list from beyond the list's end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tls/hello.h"
#include "tls/side.h"
#include "tls/x509.h"
#include "util/clock.h"
#include "util/hash.h"

/* A certificate to show for a name, only by "acme-tls/1". */
struct challenge {
	struct challenge	*next;
	char			*host;
	struct tls_cred		*cred;
};

struct tls_server {
	atomic_uint		 refs;
	struct tls_cred	       **cred;		/* the first is the default */
	size_t			 ncred;
	struct tls_trust	*client_ca;	/* or NULL */
	enum tls_client_auth	 client_auth;
	uint64_t		 trust;		/* fingerprint of these two */
	struct tls_sessions	*sessions;	/* or NULL */
	char			*default_name;	/* or NULL */
	pthread_mutex_t		 lock;		/* of what follows */
	struct challenge	*challenges;
	atomic_bool		 challenged;	/* there are any */
};

/* ---- making one ---- */

/* Of who is let in by a certificate: 0 where none are asked for. */
static uint64_t
fingerprint(const struct tls_trust *ca, enum tls_client_auth auth)
{
	const br_x509_trust_anchor	*a;
	br_sha256_context		 sha;
	unsigned char			 digest[br_sha256_SIZE];
	size_t				 n, i;
	uint64_t			 v;

	if (ca == NULL)
		return 0;
	a = tls_trust_anchors(ca, &n);
	br_sha256_init(&sha);
	br_sha256_update(&sha, &auth, sizeof(auth));
	for (i = 0; i < n; i++) {
		br_sha256_update(&sha, a[i].dn.data, a[i].dn.len);
		if (a[i].pkey.key_type == BR_KEYTYPE_RSA)
			br_sha256_update(&sha, a[i].pkey.key.rsa.n,
			    a[i].pkey.key.rsa.nlen);
		else
			br_sha256_update(&sha, a[i].pkey.key.ec.q,
			    a[i].pkey.key.ec.qlen);
	}
	br_sha256_out(&sha, digest);
	memcpy(&v, digest, sizeof(v));
	return v;
}

static int
copy_options(struct tls_server *s, const struct tls_server_options *o)
{
	size_t i;

	if (o->default_name != NULL &&
	    (s->default_name = strdup(o->default_name)) == NULL)
		return -1;
	if ((s->cred = calloc(o->ncred + 1, sizeof(struct tls_cred *))) ==
	    NULL)
		return -1;
	for (i = 0; i < o->ncred; i++)
		s->cred[s->ncred++] = tls_cred_ref(o->cred[i]);
	s->sessions = o->sessions;
	if (o->client_ca != NULL && o->client_auth != TLS_CLIENT_NONE) {
		s->client_ca = tls_trust_ref(o->client_ca);
		s->client_auth = o->client_auth;
		s->trust = fingerprint(s->client_ca, s->client_auth);
	}
	return 0;
}

/* see tls.h */
struct tls_server *
tls_server_new(const struct tls_server_options *o)
{
	struct tls_server *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	atomic_init(&s->refs, 1);
	pthread_mutex_init(&s->lock, NULL);
	if (copy_options(s, o) == -1) {
		tls_server_unref(s);
		return NULL;
	}
	return s;
}

/* see tls.h */
struct tls_server *
tls_server_ref(struct tls_server *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

static void
challenge_free(struct challenge *c)
{
	tls_cred_unref(c->cred);
	free(c->host);
	free(c);
}

/* see tls.h */
void
tls_server_unref(struct tls_server *s)
{
	struct challenge	*c;
	size_t			 i;

	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1,
	    memory_order_acq_rel) > 1)
		return;
	while ((c = s->challenges) != NULL) {
		s->challenges = c->next;
		challenge_free(c);
	}
	for (i = 0; i < s->ncred; i++)
		tls_cred_unref(s->cred[i]);
	if (s->client_ca != NULL)
		tls_trust_unref(s->client_ca);
	pthread_mutex_destroy(&s->lock);
	free(s->cred);
	free(s->default_name);
	free(s);
}

/* see tls.h */
int64_t
tls_server_not_after(const struct tls_server *s)
{
	int64_t	t, first = 0;
	size_t	i;

	for (i = 0; i < s->ncred; i++) {
		t = tls_cred_info(s->cred[i])->not_after;
		if (i == 0 || t < first)
			first = t;
	}
	return first;
}

/* ---- challenges ---- */

/* The place of that host's, or the end of the list; with the lock. */
static struct challenge **
find_challenge(struct tls_server *s, struct sv host)
{
	struct challenge **c = &s->challenges;

	while (*c != NULL && !sv_ieq(sv_from((*c)->host), host))
		c = &(*c)->next;
	return c;
}

/* see tls.h */
int
tls_server_set_challenge(struct tls_server *s, struct sv host,
    struct tls_cred *cred)
{
	struct challenge *new = NULL, *old, **place;

	if (cred != NULL) {
		if ((new = calloc(1, sizeof(*new))) == NULL ||
		    (new->host = sv_dup(host)) == NULL) {
			free(new);
			return -1;
		}
		new->cred = tls_cred_ref(cred);
	}
	pthread_mutex_lock(&s->lock);
	place = find_challenge(s, host);
	old = *place;
	if (new != NULL)
		new->next = old == NULL ? NULL : old->next;
	if (new != NULL || old != NULL)
		*place = new != NULL ? new : old->next;
	s->challenged = s->challenges != NULL;
	pthread_mutex_unlock(&s->lock);
	if (old != NULL)
		challenge_free(old);
	return 0;
}

static struct tls_cred *
challenge_cred(struct tls_server *s, struct sv host)
{
	struct challenge	*c;
	struct tls_cred		*cred = NULL;

	pthread_mutex_lock(&s->lock);
	if ((c = *find_challenge(s, host)) != NULL)
		cred = tls_cred_ref(c->cred);
	pthread_mutex_unlock(&s->lock);
	return cred;
}

/* ---- which certificate ---- */

static struct tls_handshake *
handshake_of_policy(const br_ssl_server_policy_class **p)
{
	return (struct tls_handshake *)(void *)((char *)p -
	    offsetof(struct tls_handshake, policy));
}

/* The first suite in order of preference that is for this kind of key, as
 * the client supports it; 0 if none is. */
static uint16_t
suite_for(const br_ssl_server_context *sc, int key_type)
{
	const br_suite_translated	*suite;
	unsigned			 keyx;
	size_t				 n, i;

	keyx = key_type == BR_KEYTYPE_RSA ? BR_SSLKEYX_ECDHE_RSA :
	    BR_SSLKEYX_ECDHE_ECDSA;
	suite = br_ssl_server_get_client_suites(sc, &n);
	for (i = 0; i < n; i++)
		if (suite[i][1] >> 12 == keyx)
			return suite[i][0];
	return 0;
}

/* Whether the client can verify signatures of that key. */
static bool
can_use(const br_ssl_server_context *sc, const struct tls_cred *cred)
{
	const struct tls_cred_parts *p = tls_cred_parts(cred);

	if (suite_for(sc, p->key_type) == 0)
		return false;
	return p->key_type == BR_KEYTYPE_RSA ||
	    (br_ssl_server_get_client_curves(sc) >> p->ec->curve & 1);
}

/*
 * The exact name before a wildcard before the first one that there is, and
 * then a key on a curve before RSA (P-256 signs four times as fast as RSA
 * 2048 here); of those that the client can use. If it can use none for the
 * name it asked for, then none: another name's would only be a riddle.
 */
static struct tls_cred *
choose_cred(const struct tls_server *s, const br_ssl_server_context *sc,
    struct sv host)
{
	struct tls_cred	*best = NULL, *other = NULL;
	int		 rank, best_rank = 0;
	bool		 exact, named = false;
	size_t		 i;

	for (i = 0; i < s->ncred; i++) {
		rank = 0;
		if (host.n > 0 && tls_cred_matches(s->cred[i], host, &exact))
			rank = (exact ? 4 : 2) +
			    (tls_cred_parts(s->cred[i])->key_type ==
			    BR_KEYTYPE_EC);
		named = named || rank > 0;
		if (!can_use(sc, s->cred[i]))
			continue;
		if (other == NULL)
			other = s->cred[i];
		if (rank > best_rank) {
			best_rank = rank;
			best = s->cred[i];
		}
	}
	if (best == NULL && !named)
		best = other;
	return best == NULL ? NULL : tls_cred_ref(best);
}

static int
choose(const br_ssl_server_policy_class **pctx,
    const br_ssl_server_context *sc, br_ssl_server_choices *choices)
{
	struct tls_handshake		*h = handshake_of_policy(pctx);
	struct tls_server		*s = h->server;
	const struct tls_cred_parts	*p;
	uint32_t			 hashes;
	struct sv			 host;
	unsigned			 hash = br_sha256_ID;

	host = sv_from(br_ssl_engine_get_server_name(&sc->eng));
	if (tls_handshake_is_challenge(h)) {
		/* A CA has none to show, and is served nothing. */
		br_ssl_engine_add_flags(h->eng,
		    BR_OPT_TOLERATE_NO_CLIENT_AUTH);
		h->cred = challenge_cred(s, host);
	} else {
		if (host.n == 0 && s->default_name != NULL)
			host = sv_from(s->default_name);
		h->cred = choose_cred(s, sc, host);
	}
	h->no_cert = h->cred == NULL &&
	    (s->ncred == 0 || tls_handshake_is_challenge(h));
	if (h->cred == NULL || !can_use(sc, h->cred))
		return 0;
	p = tls_cred_parts(h->cred);
	hashes = br_ssl_server_get_client_hashes(sc);
	if (p->key_type == BR_KEYTYPE_EC)
		hashes >>= 8;
	/* BearSSL has seen to it that there is one of the two. */
	if (!(hashes >> hash & 1))
		hash = br_sha384_ID;
	choices->cipher_suite = suite_for(sc, p->key_type);
	choices->algo_id = 0xff00 + hash;
	choices->chain = p->chain;
	choices->chain_len = p->nchain;
	return 1;
}

/* There are no suites that would need this. */
static uint32_t
do_keyx(const br_ssl_server_policy_class **pctx, unsigned char *data,
    size_t *len)
{
	(void)pctx;
	(void)data;
	(void)len;
	return 0;
}

static size_t
sign_rsa(const struct tls_cred_parts *p, int hash, unsigned char *data,
    const unsigned char *digest, size_t n, size_t room)
{
	size_t len = (p->rsa->n_bitlen + 7) / 8;

	if (len > room || !br_rsa_pkcs1_sign_get_default()(
	    hash == br_sha256_ID ? BR_HASH_OID_SHA256 : BR_HASH_OID_SHA384,
	    digest, n, p->rsa, data))
		return 0;
	return len;
}

static size_t
do_sign(const br_ssl_server_policy_class **pctx, unsigned algo_id,
    unsigned char *data, size_t n, size_t room)
{
	struct tls_handshake		*h = handshake_of_policy(pctx);
	const struct tls_cred_parts	*p = tls_cred_parts(h->cred);
	unsigned char			 digest[64];
	int				 hash = algo_id & 0xff;

	if (n > sizeof(digest))
		return 0;
	memcpy(digest, data, n);
	if (p->key_type == BR_KEYTYPE_RSA)
		return sign_rsa(p, hash, data, digest, n, room);
	return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(),
	    br_multihash_getimpl(&h->eng->mhash, hash), digest, p->ec, data);
}

static const br_ssl_server_policy_class policy = {
	.context_size = sizeof(struct tls_handshake),
	.choose = choose, .do_keyx = do_keyx, .do_sign = do_sign
};

/* ---- sessions ---- */

static struct tls_handshake *
handshake_of_cache(const br_ssl_session_cache_class **p)
{
	return (struct tls_handshake *)(void *)((char *)p -
	    offsetof(struct tls_handshake, cache));
}

static struct tls_session_scope
scope_for(const struct tls_server *s, struct sv name)
{
	char	lower[256];
	size_t	i;

	if (name.n > sizeof(lower))
		name.n = sizeof(lower);
	for (i = 0; i < name.n; i++) {
		lower[i] = name.p[i];
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] |= 0x20;
	}
	return (struct tls_session_scope){
	    .name = hash_sv(sv_make(lower, i)), .trust = s->trust };
}

/* A session ends with the certificate that the client has shown. */
static void
save(const br_ssl_session_cache_class **cache, br_ssl_server_context *sc,
    const br_ssl_session_parameters *p)
{
	struct tls_handshake	*h = handshake_of_cache(cache);
	struct tls_session_scope scope;
	int64_t			 life = TLS_SESSION_MS, now, left;

	if (tls_handshake_is_challenge(h))
		return;
	if (h->verify != NULL && tls_verify_not_after(h->verify) < INT64_MAX) {
		left = tls_verify_not_after(h->verify) * MSEC_PER_SEC -
		    clock_wall_ms();
		if (left < life)
			life = left;
	}
	now = clock_mono_ms();
	scope = scope_for(h->server,
	    sv_from(br_ssl_engine_get_server_name(&sc->eng)));
	tls_sessions_put(h->server->sessions, p, &scope, h->verify == NULL ?
	    "" : tls_verify_subject(h->verify), now, now + life);
}

/* A hello that has not come whole is not waited for: that is a full
 * handshake then. */
static int
load(const br_ssl_session_cache_class **cache, br_ssl_server_context *sc,
    br_ssl_session_parameters *p)
{
	struct tls_handshake	*h = handshake_of_cache(cache);
	struct tls_session_scope scope;
	struct tls_hello	 hello;

	if (tls_hello_parse(&hello, sv_make(sc->eng.hbuf_in,
	    sc->eng.hlen_in)) == -1 || (hello.alpn && !hello.http))
		return 0;
	scope = scope_for(h->server, hello.name);
	return tls_sessions_get(h->server->sessions, p, &scope,
	    clock_mono_ms(), &h->subject);
}

static const br_ssl_session_cache_class session_cache = {
	.context_size = sizeof(struct tls_handshake),
	.save = save, .load = load
};

/* ---- a handshake ---- */

static int
ask_for_certificate(struct tls_handshake *h, br_ssl_server_context *sc)
{
	const struct tls_server		*s = h->server;
	const br_x509_trust_anchor	*a;
	size_t				 n;
	struct tls_verify_options	 o = {
		.eng = h->eng, .trust = s->client_ca,
		.purpose = X509_FOR_CLIENT,
		.now = clock_wall_ms() / MSEC_PER_SEC
	};

	if (s->client_ca == NULL)
		return 0;
	if ((h->verify = tls_verify_new(&o)) == NULL)
		return -1;
	a = tls_trust_anchors(s->client_ca, &n);
	br_ssl_server_set_trust_anchor_names_alt(sc, a, n);
	br_ssl_engine_set_default_rsavrfy(h->eng);
	br_ssl_engine_set_ecdsa(h->eng, br_ecdsa_vrfy_asn1_get_default());
	if (s->client_auth == TLS_CLIENT_OPTIONAL)
		br_ssl_engine_add_flags(h->eng,
		    BR_OPT_TOLERATE_NO_CLIENT_AUTH);
	return 0;
}

/* see handshake.h */
struct tls_handshake *
tls_handshake_server(struct tls_server *s, br_ssl_server_context *sc)
{
	/* The second only while there is something to answer it with. */
	static const char	*protocols[] = { "http/1.1", TLS_ALPN_ACME };
	struct tls_handshake	*h;

	if ((h = tls_handshake_new(&sc->eng)) == NULL)
		return NULL;
	h->server = tls_server_ref(s);
	br_ssl_engine_add_flags(h->eng, BR_OPT_ENFORCE_SERVER_PREFERENCES |
	    BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_engine_set_protocol_names(h->eng, protocols,
	    s->challenged ? 2 : 1);
	h->policy = &policy;
	br_ssl_server_set_policy(sc, &h->policy);
	h->cache = &session_cache;
	if (s->sessions != NULL)
		br_ssl_server_set_cache(sc, &h->cache);
	if (ask_for_certificate(h, sc) == -1 || !br_ssl_server_reset(sc)) {
		tls_handshake_free(h);
		return NULL;
	}
	return h;
}

/* see side.h */
void
tls_server_forget(struct tls_handshake *h)
{
	br_ssl_server_context *sc = (void *)h->eng;

	br_ssl_server_set_policy(sc, NULL);
	br_ssl_server_set_cache(sc, NULL);
	br_ssl_server_set_trust_anchor_names_alt(sc, NULL, 0);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What a client says to each kind of certificate, in the words that a person
 * reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tls_certs.h"
#include "tests/unit/tls_sides.h"
#include "util/pem.h"
#include "tls/verify.h"
#include "tls/x509.h"

struct row {
	const char	*what, *chain, *key;
	int64_t		 loaded;	/* when the server was started */
	const char	*host, *name;	/* dialled; server_name or NULL */
	const char	*trust;
	bool		 skip;
	const char	*why;		/* NULL: good; else how it begins */
	const char	*also;		/* and what is in it, or NULL */
};

static const struct row rows[] = {
	{ "name", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "a.example", NULL,
	    PKI_ROOT, false, NULL, NULL },
	{ "upper case", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "A.Example",
	    NULL, PKI_ROOT, false, NULL, NULL },
	{ "address", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "192.0.2.1", NULL,
	    PKI_ROOT, false, NULL, NULL },
	{ "address 6", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "2001:db8::1",
	    NULL, PKI_ROOT, false, NULL, NULL },
	{ "wildcard", PKI_WILD, PKI_KEY, IN_2026, "x.a.example", NULL,
	    PKI_ROOT, false, NULL, NULL },
	{ "server_name", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "10.0.0.1",
	    "a.example", PKI_ROOT, false, NULL, NULL },
	{ "RSA", PKI_RSA, PKI_RSA_KEY, IN_2026, "a.example", NULL, PKI_ROOT,
	    false, NULL, NULL },
	{ "P-384", PKI_P384, PKI_P384_KEY, IN_2026, "a.example", NULL,
	    PKI_ROOT, false, NULL, NULL },
	{ "trusted itself", PKI_SELF, PKI_KEY, IN_2026, "a.example", NULL,
	    PKI_SELF, false, NULL, NULL },
	{ "skip", PKI_SELF, PKI_KEY, IN_2026, "other.example", NULL, NULL,
	    true, NULL, NULL },
	{ "skip, RSA", PKI_RSA, PKI_RSA_KEY, IN_2026, "other.example", NULL,
	    NULL, true, NULL, NULL },
	{ "skip, expired", PKI_OLD, PKI_KEY, IN_2020, "a.example", NULL,
	    NULL, true, NULL, NULL },

	{ "expired", PKI_OLD, PKI_KEY, IN_2020, "a.example", NULL, PKI_ROOT,
	    false, "the server's certificate expired on 2021-02-03; the "
	    "clock says 20", NULL },
	{ "not yet", PKI_YOUNG, PKI_KEY, IN_2110, "a.example", NULL, PKI_ROOT,
	    false, "the server's certificate is not valid before 2100-04-05; "
	    "the clock says 20", NULL },
	{ "wrong host", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "b.example",
	    NULL, PKI_ROOT, false, "the server's certificate is for "
	    "a.example 192.0.2.1 2001:db8::1, not b.example", NULL },
	{ "wrong address", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "192.0.2.2",
	    NULL, PKI_ROOT, false, "the server's certificate is for",
	    "not 192.0.2.2" },
	{ "a label too many", PKI_WILD, PKI_KEY, IN_2026, "x.y.a.example",
	    NULL, PKI_ROOT, false, "the server's certificate is for "
	    "*.a.example, not x.y.a.example", NULL },
	{ "wrong server_name", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026,
	    "a.example", "c.example", PKI_ROOT, false,
	    "the server's certificate is for", "not c.example" },
	{ "unknown CA", PKI_LEAF PKI_INTER, PKI_KEY, IN_2026, "a.example",
	    NULL, PKI_ROOT2, false, "the server's certificate has a chain "
	    "that leads to no trusted CA: it was issued by CN=pki "
	    "intermediate,O=fugu tests", NULL },
	{ "no intermediate", PKI_LEAF, PKI_KEY, IN_2026, "a.example", NULL,
	    PKI_ROOT, false, "the server's certificate was issued by CN=pki "
	    "intermediate,O=fugu tests, which is not a trusted CA, and came "
	    "without an intermediate certificate", NULL },
	{ "self-signed", PKI_SELF, PKI_KEY, IN_2026, "a.example", NULL,
	    PKI_ROOT, false,
	    "the server's certificate is self-signed and not trusted", NULL }
};

static int
start(const struct row *r, struct tls_cred *cred, struct side *server,
    struct side *client)
{
	struct tls_server_options	 so = { .cred = &cred, .ncred = 1 };
	struct tls_client_options	 co = { .server_name = r->name,
					    .insecure_skip_verify = r->skip };
	struct tls_server		*s = tls_server_new(&so);
	struct tls_client		*c;

	if (r->trust != NULL)
		co.trust = pair_trust(r->trust);
	c = tls_client_new(&co);
	server->hs = tls_handshake_server(s, &server->sc);
	client->hs = tls_handshake_client(c, &client->cc, r->host);
	tls_server_unref(s);
	tls_client_unref(c);
	tls_trust_unref(co.trust);
	return server->hs != NULL && client->hs != NULL ? 0 : -1;
}

static void
check_refused(const struct row *r, struct side *client)
{
	const char *why;

	CHECK(!is_open(client));
	CHECK_INT(failure(client, &why), TLS_FAIL_CLIENT_CERT);
	if (!CHECK(sv_starts(sv_from(why), sv_from(r->why))))
		fprintf(stderr, "%s\n", why);
	if (r->also != NULL)
		CHECK(strstr(why, r->also) != NULL);
}

static void
run(const struct row *r, struct tls_cred *cred)
{
	struct side *server = side_new(), *client = side_new();

	if (CHECK_INT(start(r, cred, server, client), 0)) {
		shake(client, server);
		if (r->why != NULL)
			check_refused(r, client);
		else if (!CHECK(is_open(client) && is_open(server))) {
			const char *why;

			failure(client, &why);
			fprintf(stderr, "%s\n", why);
		}
	}
	side_free(server);
	side_free(client);
}

TEST(says_what_is_wrong_with_a_server)
{
	struct tls_cred	*cred;
	size_t		 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].what);
		cred = pair_cred(rows[i].chain, rows[i].key, rows[i].loaded);
		if (CHECK(cred != NULL))
			run(&rows[i], cred);
		tls_cred_unref(cred);
	}
}

TEST(does_not_take_a_client_for_a_server)
{
	static const struct row row = { "client's", NULL, NULL, 0,
	    "a.example", NULL, PKI_ROOT, false, "the server's certificate "
	    "may not be used by a server (extended key usage)", NULL };
	struct tls_cred *cred = pair_client_cred(PKI_CLIENT, PKI_KEY, IN_2026);

	if (CHECK(cred != NULL))
		run(&row, cred);
	tls_cred_unref(cred);
}

/* ---- chains that no server of ours would send ---- */

struct chain {
	br_ssl_client_context	 cc;
	struct tls_verify	*v;
	struct buf		 der, why;
};

static void
chain_begin(struct chain *c, const struct tls_trust *trust, int64_t now)
{
	struct tls_verify_options o = { .eng = &c->cc.eng, .trust = trust,
	    .purpose = X509_FOR_SERVER, .host = "a.example", .now = now };

	memset(c, 0, sizeof(*c));
	c->v = tls_verify_new(&o);
	(*c->cc.eng.x509ctx)->start_chain(c->cc.eng.x509ctx, "");
}

/* In pieces, as BearSSL does it. flip: the byte to damage, from the end. */
static void
chain_add(struct chain *c, const char *pem, size_t flip)
{
	const br_x509_class    **xc = c->cc.eng.x509ctx;
	struct sv		 text = sv_from(pem);
	struct pem		 block;
	size_t			 i, n;

	while (pem_next(&text, &block) == 1) {
		buf_reset(&c->der);
		CHECK_INT(pem_decode(&c->der, &block), 0);
		if (flip > 0)
			c->der.p[c->der.n - flip] ^= 1;
		(*xc)->start_cert(xc, (uint32_t)c->der.n);
		for (i = 0; i < c->der.n; i += n) {
			n = c->der.n - i < 256 ? c->der.n - i : 256;
			(*xc)->append(xc, (unsigned char *)c->der.p + i, n);
		}
		(*xc)->end_cert(xc);
	}
}

/* The end; why it was refused, or "". */
static const char *
chain_end(struct chain *c)
{
	const br_x509_class    **xc = c->cc.eng.x509ctx;
	unsigned		 err = (*xc)->end_chain(xc);

	buf_reset(&c->why);
	if (err != 0)
		tls_verify_explain(c->v, (int)err, &c->why);
	buf_putc(&c->why, '\0');
	CHECK_INT(tls_verify_subject(c->v)[0] == '\0', err != 0);
	return c->why.p;
}

static void
chain_free(struct chain *c)
{
	tls_verify_free(c->v);
	CHECK(c->cc.eng.x509ctx == NULL);
	buf_fini(&c->der);
	buf_fini(&c->why);
}

static const struct {
	const char	*pem;
	size_t		 flip, times;
	int64_t		 now;
	const char	*why;
} chains[] = {
	{ PKI_LEAF PKI_INTER, 0, 1, IN_2026, "" },
	/* What follows the trusted one is not looked at. */
	{ PKI_LEAF PKI_INTER PKI_ROOT PKI_ROOT2, 0, 1, IN_2026, "" },
	{ "", 0, 1, IN_2026, "the server sent no certificate" },
	{ PKI_LEAF PKI_ROOT2, 0, 1, IN_2026, "the server's certificate is "
	    "not followed by its issuer's in the chain" },
	{ PKI_UNDER PKI_B, 0, 1, IN_2026, "the server's certificate was "
	    "issued by one that is no CA's" },
	{ PKI_WILD, 5, 1, IN_2026, "the server's certificate was issued by "
	    "CN=pki root,O=fugu tests, which is trusted, but not with the "
	    "key that signed it" },
	{ PKI_LEAF PKI_INTER, 3, 1, IN_2026, "the server's certificate has a "
	    "wrong signature in its chain" },
	{ PKI_LEAF PKI_INTER, 0, 1, 1, "the server's certificate is not "
	    "valid before 2020-01-01; the clock says 1970-01-01, which is "
	    "before this program was made: set it" },
	/* An issuer's purpose is that of what it issues, too; but what is
	 * not on the way to the trusted one does not count. */
	{ PKI_MAILED PKI_BOTH, 0, 1, IN_2110, "" },
	{ PKI_MAILED PKI_BOTH PKI_MAIL, 0, 1, IN_2110, "" },
	{ PKI_MAILED PKI_MAIL, 0, 1, IN_2110, "the server's certificate was "
	    "issued by a CA that is not for servers (extended key usage)" },
	{ PKI_LEAF, 0, 11, IN_2026,
	    "the server's certificate comes with too many others" }
};

TEST(says_what_is_wrong_with_a_chain)
{
	struct tls_trust	*trust = pair_trust(PKI_ROOT PKI_ROOT3);
	struct chain		 c;
	size_t			 i, k;

	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		test_note("chain %zu", i);
		chain_begin(&c, trust, chains[i].now);
		for (k = 0; k < chains[i].times; k++)
			chain_add(&c, chains[i].pem, chains[i].flip);
		CHECK_STR(chain_end(&c), chains[i].why);
		chain_free(&c);
	}
	tls_trust_unref(trust);
}

/* Its signature under the handshake could not be verified. */
TEST(says_that_a_curve_is_not_supported)
{
	struct tls_trust	*trust[2] = { pair_trust(CERT_INTER), NULL };
	struct chain		 c;
	size_t			 i;

	for (i = 0; i < 2; i++) {
		chain_begin(&c, trust[i], IN_2026);
		chain_add(&c, CERT_P521, 0);
		CHECK_STR(chain_end(&c), "the server's certificate has a kind "
		    "of key or signature in its chain that is not supported");
		chain_free(&c);
	}
	tls_trust_unref(trust[0]);
}

static void
add_bytes(struct chain *c, const char *p, size_t n, uint32_t length)
{
	const br_x509_class **xc = c->cc.eng.x509ctx;

	(*xc)->start_cert(xc, length);
	(*xc)->append(xc, (const unsigned char *)p, n);
	(*xc)->end_cert(xc);
}

TEST(survives_garbage)
{
	static char		 zero[20000];
	struct tls_trust	*trust = pair_trust(PKI_ROOT);
	struct chain		 c;
	int			 i;

	chain_begin(&c, trust, IN_2026);
	add_bytes(&c, "garbage", 7, 7);
	CHECK(strstr(chain_end(&c), "malformed") != NULL);
	chain_free(&c);

	chain_begin(&c, NULL, IN_2026);
	add_bytes(&c, "", 0, 0);
	CHECK(strstr(chain_end(&c), "malformed") != NULL);
	CHECK((*c.cc.eng.x509ctx)->get_pkey(c.cc.eng.x509ctx, NULL) == NULL);
	chain_free(&c);

	chain_begin(&c, trust, IN_2026);
	add_bytes(&c, zero, sizeof(zero), sizeof(zero));
	CHECK_STR(chain_end(&c), "the server's certificate is too large");
	chain_free(&c);

	chain_begin(&c, trust, IN_2026);
	chain_add(&c, PKI_LEAF PKI_INTER, 0);
	for (i = 0; i < 9; i++)
		add_bytes(&c, zero, 1, 1);
	CHECK_STR(chain_end(&c),
	    "the server's certificate comes with too many others");
	chain_free(&c);
	tls_trust_unref(trust);
}

TEST(knows_when_a_certificate_ends)
{
	struct tls_trust	*trust = pair_trust(PKI_ROOT);
	struct chain		 c;

	chain_begin(&c, trust, IN_2020);
	CHECK_INT(tls_verify_not_after(c.v), INT64_MAX);
	chain_add(&c, PKI_OLD, 0);
	CHECK_STR(chain_end(&c), "");
	CHECK_STR(tls_verify_subject(c.v), "CN=a.example");
	CHECK_INT(tls_verify_not_after(c.v), 1612310400);
	chain_free(&c);
	tls_trust_unref(trust);
}

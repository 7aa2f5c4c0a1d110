/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server's side of handshakes, by what a client sees and by what the
 * server says of it: certificates by name and key, protocols, sessions, and
 * certificates of clients.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tls_sides.h"

#define ECDSA	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
#define RSA	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256

/* How a client shakes hands; what is NULL or 0 is left as it is. */
struct how {
	const char	*host;		/* "127.0.0.1": no name is sent */
	uint16_t	 suite;
	uint32_t	 curves;	/* mask */
	uint16_t	 version;
	bool		 sha384;	/* no other hash */
	const char	*alpn[2];
	const br_ssl_session_parameters *resume;
	struct tls_cred	*cred;
};

static struct side *server, *client;

static void
over(void)
{
	side_free(server);
	side_free(client);
	server = client = NULL;
}

static void
set_up(const struct how *how)
{
	static br_ec_impl	 fewer;
	br_ssl_engine_context	*eng = &client->eng;

	if (how->suite != 0)
		br_ssl_engine_set_suites(eng, &how->suite, 1);
	if (how->curves != 0) {
		fewer = *eng->iec;
		fewer.supported_curves = how->curves;
		br_ssl_engine_set_ec(eng, &fewer);
	}
	if (how->version != 0)
		br_ssl_engine_set_versions(eng, how->version, how->version);
	if (how->sha384) {
		br_ssl_engine_set_hash(eng, br_sha256_ID, NULL);
		br_ssl_engine_set_hash(eng, br_sha512_ID, NULL);
	}
	if (how->alpn[0] != NULL)
		br_ssl_engine_set_protocol_names(eng,
		    (const char **)(uintptr_t)how->alpn,
		    how->alpn[1] == NULL ? 1 : 2);
	if (how->resume != NULL)
		br_ssl_engine_set_session_parameters(eng, how->resume);
	br_ssl_client_reset(&client->cc, strcmp(how->host, "127.0.0.1") == 0 ?
	    NULL : how->host, how->resume != NULL);
}

/* Shake hands; whether it went well on both sides. over() is the caller's. */
static bool
meet(struct tls_server *s, const struct how *how)
{
	struct tls_client_options	 o = { .insecure_skip_verify = true,
					       .cred = how->cred };
	struct tls_client		*c = tls_client_new(&o);

	server = side_new();
	client = side_new();
	server->hs = tls_handshake_server(s, &server->sc);
	client->hs = tls_handshake_client(c, &client->cc, how->host);
	tls_client_unref(c);
	set_up(how);
	shake(client, server);
	return is_open(client) && is_open(server);
}

/* The server's failure. */
static void
check_failed(enum tls_failure want, const char *why)
{
	const char *said;

	CHECK(!is_open(server));
	CHECK_INT(failure(server, &said), want);
	CHECK_STR(said, why);
}

static int
alert_of(struct side *s)
{
	return tls_handshake_alert(br_ssl_engine_last_error(&s->eng));
}

/* It was the client's certificate. */
static void
check_refused(const char *why, int alert)
{
	check_failed(TLS_FAIL_CLIENT_CERT, why);
	CHECK_INT(alert_of(server), alert);
}

static struct tls_server *
server_new(struct tls_cred *cred)
{
	struct tls_server_options o = { .cred = &cred,
	    .ncred = cred != NULL };

	return tls_server_new(&o);
}

/* ---- certificates ---- */

static const struct {
	const char	*what;
	struct how	 how;
	const char	*subject;	/* of the certificate; NULL: refused */
} choices[] = {
	{ "exact", { .host = "b.example" }, "CN=b" },
	{ "any case", { .host = "B.EXAMPLE" }, "CN=b" },
	{ "wildcard", { .host = "x.a.example" }, "CN=wildcard" },
	{ "a curve before RSA", { .host = "a.example" }, "CN=p384" },
	{ "RSA if it must be", { .host = "a.example", .suite = RSA },
	    "CN=rsa" },
	{ "RSA without P-384", { .host = "a.example",
	    .curves = 1u << BR_EC_secp256r1 }, "CN=rsa" },
	{ "SHA-384, RSA", { .host = "a.example", .sha384 = true,
	    .suite = BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 }, "CN=rsa" },
	{ "SHA-384", { .host = "b.example", .sha384 = true,
	    .suite = BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 }, "CN=b" },
	{ "no name", { .host = "127.0.0.1" }, "CN=wildcard" },
	{ "unknown name", { .host = "c.example" }, "CN=wildcard" },
	{ "unknown name, RSA", { .host = "c.example", .suite = RSA },
	    "CN=rsa" },
	{ "too many labels", { .host = "x.y.a.example" }, "CN=wildcard" },
	{ "not with that key", { .host = "b.example", .suite = RSA }, NULL }
};

TEST(chooses_a_certificate)
{
	struct tls_cred	*cred[4] = {
		pair_cred(PKI_WILD, PKI_KEY, IN_2026),
		pair_cred(PKI_RSA, PKI_RSA_KEY, IN_2026),
		pair_cred(PKI_P384, PKI_P384_KEY, IN_2026),
		pair_cred(PKI_B, PKI_KEY, IN_2026)
	};
	struct tls_server_options o = { .cred = cred, .ncred = 4 };
	struct tls_server	*s = tls_server_new(&o);
	size_t			 i;

	for (i = 0; i < 4; i++)
		tls_cred_unref(cred[i]);
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		test_note("%s", choices[i].what);
		CHECK_INT(meet(s, &choices[i].how),
		    choices[i].subject != NULL);
		if (choices[i].subject == NULL)
			check_failed(TLS_FAIL_NO_CIPHER,
			    "no cipher suite, curve or signature in common");
		else
			CHECK_SV(tls_handshake_subject(client->hs),
			    choices[i].subject);
		over();
	}
	CHECK_INT(tls_server_not_after(s), 4733510400);
	tls_server_unref(s);
}

TEST(has_a_name_for_who_names_none)
{
	struct tls_cred	*cred[2] = {
		pair_cred(PKI_WILD, PKI_KEY, IN_2026),
		pair_cred(PKI_B, PKI_KEY, IN_2026)
	};
	struct tls_server_options o = { .cred = cred, .ncred = 2,
	    .default_name = "b.example" };
	struct tls_server	*s = tls_server_new(&o);

	CHECK(meet(s, &(struct how){ .host = "127.0.0.1" }));
	CHECK_SV(tls_handshake_subject(client->hs), "CN=b");
	over();
	CHECK(meet(s, &(struct how){ .host = "x.a.example" }));
	CHECK_SV(tls_handshake_subject(client->hs), "CN=wildcard");
	over();
	tls_server_unref(s);
	tls_cred_unref(cred[0]);
	tls_cred_unref(cred[1]);
}

TEST(waits_for_a_certificate)
{
	struct tls_server *s = server_new(NULL);

	CHECK(!meet(s, &(struct how){ .host = "a.example" }));
	check_failed(TLS_FAIL_NO_CERT,
	    "there is no certificate for this name (yet)");
	CHECK_INT(tls_server_not_after(s), 0);
	over();
	tls_server_unref(s);
}

/* ---- versions, suites, protocols ---- */

static const struct {
	const char	*what;
	struct how	 how;
	bool		 good;
	enum tls_failure failure;
	const char	*why;
} refusals[] = {
	{ "TLS 1.1", { .host = "b.example", .version = BR_TLS11 }, false,
	    TLS_FAIL_VERSION, "the client offers no TLS 1.2" },
	{ "no RSA here", { .host = "b.example", .suite = RSA }, false,
	    TLS_FAIL_NO_CIPHER,
	    "no cipher suite, curve or signature in common" },
	{ "P-521", { .host = "b.example",
	    .curves = 1u << BR_EC_secp521r1 }, false, TLS_FAIL_NO_CIPHER,
	    "no cipher suite, curve or signature in common" },
	{ "h2", { .host = "b.example", .alpn = { "h2" } }, false,
	    TLS_FAIL_ALPN,
	    "the client wants another protocol than HTTP/1.1" },
	{ "a challenge", { .host = "b.example", .alpn = { "acme-tls/1" } },
	    false, TLS_FAIL_ALPN,
	    "the client wants another protocol than HTTP/1.1" },
	{ "h2 or 1.1", { .host = "b.example", .alpn = { "h2", "http/1.1" } },
	    true, 0, NULL },
	{ "1.1", { .host = "b.example", .alpn = { "http/1.1" } }, true, 0,
	    NULL }
};

TEST(refuses_what_it_does_not_speak)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_server	*s = server_new(cred);
	const char		*name;
	size_t			 i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		test_note("%s", refusals[i].what);
		CHECK_INT(meet(s, &refusals[i].how), refusals[i].good);
		name = br_ssl_engine_get_selected_protocol(&client->eng);
		if (refusals[i].good)
			CHECK_STR(name, "http/1.1");
		else
			check_failed(refusals[i].failure, refusals[i].why);
		over();
	}
	tls_server_unref(s);
	tls_cred_unref(cred);
}

TEST(answers_challenges)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_cred		*proof = pair_cred(PKI_SELF, PKI_KEY, IN_2026);
	struct tls_server	*s = server_new(cred);
	struct how		 ask = { .host = "New.example",
					 .alpn = { "acme-tls/1" } };
	struct how		 both = { .host = "new.example",
	    .alpn = { "acme-tls/1", "http/1.1" } };
	int			 i;

	for (i = 0; i < 2; i++) {
		CHECK_INT(tls_server_set_challenge(s, SV("new.example"),
		    i == 0 ? cred : proof), 0);
		CHECK_INT(tls_server_set_challenge(s, SV("other.example"),
		    proof), 0);
	}
	CHECK(meet(s, &ask));
	CHECK_SV(tls_handshake_subject(client->hs), "CN=self");
	CHECK(tls_handshake_is_challenge(server->hs));
	over();
	CHECK(meet(s, &both));
	CHECK_SV(tls_handshake_subject(client->hs), "CN=b");
	CHECK(!tls_handshake_is_challenge(server->hs));
	over();
	CHECK_INT(tls_server_set_challenge(s, SV("new.example"), NULL), 0);
	CHECK_INT(tls_server_set_challenge(s, SV("new.example"), NULL), 0);
	CHECK(!meet(s, &ask));
	check_failed(TLS_FAIL_NO_CERT,
	    "there is no certificate for this name (yet)");
	over();
	CHECK_INT(tls_server_set_challenge(s, SV("other.example"), NULL), 0);
	CHECK(!meet(s, &ask));
	check_failed(TLS_FAIL_ALPN,
	    "the client wants another protocol than HTTP/1.1");
	over();
	tls_server_set_challenge(s, SV("last.example"), proof);
	tls_server_unref(s);
	tls_cred_unref(cred);
	tls_cred_unref(proof);
}

/* ---- sessions ---- */

static struct tls_server *
server_with(struct tls_cred *cred, struct tls_sessions *sessions,
    const char *ca, enum tls_client_auth auth)
{
	struct tls_server_options o = { .cred = &cred, .ncred = 1,
	    .sessions = sessions, .client_auth = auth };
	struct tls_server	*s;

	if (ca != NULL)
		o.client_ca = pair_trust(ca);
	s = tls_server_new(&o);
	tls_trust_unref(o.client_ca);
	return s;
}

/* Meet anew and give the session. */
static br_ssl_session_parameters
begin(struct tls_server *s, const struct how *how)
{
	br_ssl_session_parameters p;

	CHECK(meet(s, how));
	CHECK(!tls_handshake_resumed(server->hs));
	br_ssl_engine_get_session_parameters(&client->eng, &p);
	over();
	return p;
}

TEST(resumes)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_sessions	*ss = tls_sessions_new(16);
	struct tls_server	*s = server_with(cred, ss, NULL, 0);
	struct tls_server	*renewed = server_with(cred, ss, NULL, 0);
	struct tls_server	*without = server_with(cred, NULL, NULL, 0);
	struct how		 how = { .host = "b.example" };
	br_ssl_session_parameters p = begin(s, &how);

	how.resume = &p;
	CHECK(meet(s, &how));
	CHECK(tls_handshake_resumed(server->hs));
	CHECK_SV(tls_handshake_subject(server->hs), "");
	over();
	/* After a reload, with the name in other letters, with HTTP. */
	how = (struct how){ .host = "B.example", .resume = &p,
	    .alpn = { "h2", "http/1.1" } };
	CHECK(meet(renewed, &how));
	CHECK(tls_handshake_resumed(server->hs));
	over();
	CHECK(meet(without, &how));
	CHECK(!tls_handshake_resumed(server->hs));
	over();
	tls_server_unref(s);
	tls_server_unref(renewed);
	tls_server_unref(without);
	tls_sessions_free(ss);
	tls_cred_unref(cred);
}

static const struct {
	const char	*what;
	struct how	 how;
	bool		 good;		/* in full */
} strangers[] = {
	{ "another name", { .host = "c.example" }, true },
	{ "no name", { .host = "127.0.0.1" }, true },
	{ "another suite", { .host = "b.example",
	    .suite = BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 }, true },
	/* BearSSL alone would read 65534 names past its list of two. */
	{ "another protocol", { .host = "b.example", .alpn = { "h2" } },
	    false },
	{ "a challenge", { .host = "b.example",
	    .alpn = { "acme-tls/1" } }, true }
};

TEST(does_not_resume_for_others)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_sessions	*ss = tls_sessions_new(16);
	struct tls_server	*s = server_with(cred, ss, NULL, 0);
	br_ssl_session_parameters p = begin(s,
	    &(struct how){ .host = "b.example", .suite = ECDSA }), q;
	struct how		 how;
	size_t			 i;

	tls_server_set_challenge(s, SV("b.example"), cred);
	for (i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		test_note("%s", strangers[i].what);
		how = strangers[i].how;
		how.resume = &p;
		CHECK_INT(meet(s, &how), strangers[i].good);
		CHECK(!tls_handshake_resumed(server->hs) ||
		    !strangers[i].good);
		br_ssl_engine_get_session_parameters(&client->eng, &q);
		over();
	}
	/* A challenge leaves no session. */
	test_note("after a challenge");
	CHECK(meet(s, &(struct how){ .host = "b.example", .resume = &q }));
	CHECK(!tls_handshake_resumed(server->hs));
	over();
	tls_server_unref(s);
	tls_sessions_free(ss);
	tls_cred_unref(cred);
}

/* ---- certificates of clients ---- */

static const struct {
	const char	*what;
	const char	*pem;		/* NULL: none */
	int64_t		 loaded;
	enum tls_client_auth auth;
	const char	*subject;	/* NULL: refused */
	const char	*why;
	uint8_t		 alert;
} clients[] = {
	{ "good", PKI_CLIENT, IN_2026, TLS_CLIENT_REQUIRED,
	    "CN=jack,O=fugu tests", NULL, 0 },
	{ "good, optional", PKI_CLIENT, IN_2026, TLS_CLIENT_OPTIONAL,
	    "CN=jack,O=fugu tests", NULL, 0 },
	{ "none, optional", NULL, 0, TLS_CLIENT_OPTIONAL, "", NULL, 0 },
	{ "not asked", PKI_STRANGER, IN_2026, TLS_CLIENT_NONE, "", NULL, 0 },
	{ "none", NULL, 0, TLS_CLIENT_REQUIRED, NULL,
	    "the client sent no certificate, and must", 40 },
	{ "stranger", PKI_STRANGER, IN_2026, TLS_CLIENT_REQUIRED, NULL,
	    "the client's certificate was issued by CN=other root,O=fugu "
	    "tests, which is not a trusted CA, and came without an "
	    "intermediate certificate", 48 },
	{ "stranger, optional", PKI_STRANGER, IN_2026, TLS_CLIENT_OPTIONAL,
	    NULL, "the client's certificate was issued by CN=other root,"
	    "O=fugu tests, which is not a trusted CA, and came without an "
	    "intermediate certificate", 48 },
	{ "too long", PKI_LONG, IN_2026, TLS_CLIENT_OPTIONAL, NULL,
	    "the client's certificate has a subject that is malformed or too "
	    "long", 42 }
};

static void
check_client(size_t i)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_server	*s = server_with(cred, NULL, PKI_ROOT,
	    clients[i].auth);
	struct how		 how = { .host = "b.example" };

	if (clients[i].pem != NULL)
		how.cred = pair_client_cred(clients[i].pem, PKI_KEY,
		    clients[i].loaded);
	CHECK_INT(meet(s, &how), clients[i].subject != NULL);
	if (clients[i].subject == NULL)
		check_refused(clients[i].why, clients[i].alert);
	else
		CHECK_SV(tls_handshake_subject(server->hs),
		    clients[i].subject);
	over();
	tls_cred_unref(how.cred);
	tls_server_unref(s);
	tls_cred_unref(cred);
}

TEST(knows_its_clients)
{
	size_t i;

	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		test_note("%s", clients[i].what);
		check_client(i);
	}
}

/* A CA that looks at a challenge has no certificate to show. */
TEST(answers_challenges_where_clients_show_certificates)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_server	*s = server_with(cred, NULL, PKI_ROOT,
	    TLS_CLIENT_REQUIRED);
	struct how		 ask = { .host = "new.example",
					 .alpn = { "acme-tls/1" } };

	CHECK_INT(tls_server_set_challenge(s, SV("new.example"), cred), 0);
	CHECK(meet(s, &ask));
	CHECK(tls_handshake_is_challenge(server->hs));
	over();
	ask.alpn[0] = "http/1.1";
	CHECK(!meet(s, &ask));
	check_failed(TLS_FAIL_CLIENT_CERT,
	    "the client sent no certificate, and must");
	over();
	tls_server_unref(s);
	tls_cred_unref(cred);
}

TEST(refuses_an_expired_client_with_dates)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_cred		*late = pair_client_cred(PKI_LATE, PKI_KEY,
				    IN_2020);
	struct tls_server	*s = server_with(cred, NULL, PKI_ROOT,
				    TLS_CLIENT_REQUIRED);
	const char		*why;

	CHECK(!meet(s, &(struct how){ .host = "b.example", .cred = late }));
	CHECK_INT(failure(server, &why), TLS_FAIL_CLIENT_CERT);
	CHECK(sv_starts(sv_from(why), SV("the client's certificate expired "
	    "on 2021-02-03; the clock says 20")));
	CHECK_INT(alert_of(server), 45);
	over();
	tls_server_unref(s);
	tls_cred_unref(cred);
	tls_cred_unref(late);
}

TEST(refuses_a_server_as_client)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_server	*s = server_with(cred, NULL, PKI_ROOT,
				    TLS_CLIENT_REQUIRED);

	CHECK(!meet(s, &(struct how){ .host = "b.example", .cred = cred }));
	check_refused("the client's certificate may not be used by a client "
	    "(extended key usage)", 43);
	over();
	tls_server_unref(s);
	tls_cred_unref(cred);
}

TEST(knows_who_resumes)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_cred		*jack = pair_client_cred(PKI_CLIENT, PKI_KEY,
				    IN_2026);
	struct tls_sessions	*ss = tls_sessions_new(16);
	struct tls_server	*s = server_with(cred, ss, PKI_ROOT,
				    TLS_CLIENT_OPTIONAL);
	struct tls_server	*again = server_with(cred, ss, PKI_ROOT,
				    TLS_CLIENT_OPTIONAL);
	struct tls_server	*other[] = {
		server_with(cred, ss, PKI_ROOT2, TLS_CLIENT_OPTIONAL),
		server_with(cred, ss, PKI_ROOT, TLS_CLIENT_REQUIRED),
		server_with(cred, ss, NULL, TLS_CLIENT_NONE)
	};
	br_ssl_session_parameters p = begin(s,
	    &(struct how){ .host = "b.example", .cred = jack });
	struct how		 how = { .host = "b.example", .resume = &p };
	size_t			 i;

	CHECK(meet(again, &how));
	CHECK(tls_handshake_resumed(server->hs));
	CHECK_SV(tls_handshake_subject(server->hs), "CN=jack,O=fugu tests");
	over();
	/* A session that was found and is not used says nothing. */
	how.suite = BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
	CHECK(meet(again, &how));
	CHECK(!tls_handshake_resumed(server->hs));
	CHECK_SV(tls_handshake_subject(server->hs), "");
	over();
	how.suite = 0;
	for (i = 0; i < 3; i++) {
		test_note("other %zu", i);
		CHECK_INT(meet(other[i], &how), i != 1);
		CHECK(!tls_handshake_resumed(server->hs));
		over();
		tls_server_unref(other[i]);
	}
	tls_server_unref(s);
	tls_server_unref(again);
	tls_sessions_free(ss);
	tls_cred_unref(cred);
	tls_cred_unref(jack);
}

/* ---- afterwards ---- */

/* No pointer into the freed handshake is used: the sanitizer would see. */
TEST(needs_nothing_when_it_is_over)
{
	struct tls_cred		*cred = pair_cred(PKI_B, PKI_KEY, IN_2026);
	struct tls_server	*s = server_new(cred);
	unsigned char		*p;
	size_t			 n = 0;

	CHECK(meet(s, &(struct how){ .host = "b.example" }));
	tls_server_unref(s);
	tls_cred_unref(cred);
	tls_handshake_free(server->hs);
	tls_handshake_free(client->hs);
	server->hs = client->hs = NULL;
	/* The server asks, the client declines. */
	br_ssl_engine_renegotiate(&server->eng);
	shake(server, client);
	/* What a client might send in spite of that is declined, too. */
	p = br_ssl_engine_sendapp_buf(&client->eng, &n);
	if (CHECK(p != NULL)) {
		client->eng.record_type_out = 22;
		memcpy(p, "\1\0\0\0", 4);
		br_ssl_engine_sendapp_ack(&client->eng, 4);
		br_ssl_engine_flush(&client->eng, 0);
		client->eng.record_type_out = 23;
	}
	shake(client, server);
	CHECK_INT(br_ssl_engine_last_error(&server->eng), 0);
	br_ssl_engine_close(&server->eng);
	shake(server, client);
	CHECK_INT(br_ssl_engine_current_state(&client->eng), BR_SSL_CLOSED);
	over();
}

static bool
meet_once(void)
{
	static struct tls_cred		*cred, *jack;
	static struct tls_sessions	*ss;
	struct tls_trust		*ca = NULL;
	struct tls_server_options	 o = { .ncred = 1,
	    .client_auth = TLS_CLIENT_REQUIRED, .default_name = "b.example" };
	struct tls_client_options	 co = { .insecure_skip_verify = true };
	struct tls_server		*s = NULL;
	struct tls_client		*c = NULL;
	bool				 good = false;

	if ((cred = pair_cred(PKI_B, PKI_KEY, IN_2026)) == NULL ||
	    (jack = pair_client_cred(PKI_CLIENT, PKI_KEY, IN_2026)) == NULL ||
	    (ca = pair_trust(PKI_ROOT)) == NULL ||
	    (ss = tls_sessions_new(4)) == NULL)
		goto out;
	o.cred = &cred;
	o.client_ca = ca;
	o.sessions = ss;
	co.cred = jack;
	if ((s = tls_server_new(&o)) == NULL ||
	    (c = tls_client_new(&co)) == NULL ||
	    tls_server_set_challenge(s, SV("x"), jack) == -1 ||
	    (server = side_new()) == NULL || (client = side_new()) == NULL)
		goto out;
	server->hs = tls_handshake_server(s, &server->sc);
	client->hs = tls_handshake_client(c, &client->cc, "b.example");
	if (server->hs != NULL && client->hs != NULL) {
		shake(client, server);
		good = is_open(client) && is_open(server);
	}
 out:
	over();
	tls_server_unref(s);
	tls_client_unref(c);
	tls_sessions_free(ss);
	tls_trust_unref(ca);
	tls_cred_unref(cred);
	tls_cred_unref(jack);
	cred = jack = NULL;
	ss = NULL;
	return good;
}

TEST(does_without_memory)
{
	ALLOC_SWEEP(meet_once);
}

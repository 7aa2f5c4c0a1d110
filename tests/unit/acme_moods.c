/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Every mood of a CA ends in a certificate or in a back-off with a clear
 * line: for once, and for days with a restart at each idle moment, in which
 * the number of orders stays within its bound.
 */
#include "tests/unit/acme_world.h"

#define PROBLEM		"application/problem+json"
#define JSON		"application/json"
#define URN		"urn:ietf:params:acme:error:"

static const struct row {
	const char	*name;
	struct ca_mood	 mood;
	const char	*say;		/* NULL: there is a certificate */
	int64_t		 retry;		/* seconds to wait at least */
	unsigned	 orders;	/* until there is one, at most */
	int		 days;		/* that it lasts, too; or 0 */
} rows[] = {
	{ "directory: nobody there",
	    { CA_DIRECTORY, CA_SILENT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: connection refused; next try in ", 3,
	    1, 7 },
	{ "directory: a page",
	    { CA_DIRECTORY, CA_SAY, 1, 200, "text/html", "<p>Hello</p>", NULL,
	    NULL },
	    "the CA answers with text/html instead of JSON (asked for the "
	    "directory): is this an ACME directory", 3, 1, 0 },
	{ "directory: nothing at all",
	    { CA_DIRECTORY, CA_SAY, 1, 200, NULL, "", NULL, NULL },
	    "the CA answers with something instead of JSON", 3, 1, 0 },
	{ "directory: cut off",
	    { CA_DIRECTORY, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's answer is incomplete or malformed (asked for the "
	    "directory)", 3, 1, 0 },
	{ "directory: moved",
	    { CA_DIRECTORY, CA_SAY, 1, 301, "text/html", "", NULL, NULL },
	    "the CA redirects, which ACME does not know (asked for the "
	    "directory)", 3, 1, 0 },
	{ "directory: too many requests",
	    { CA_DIRECTORY, CA_SAY, 1, 429, PROBLEM, "{\"type\":\"" URN
	    "rateLimited\",\"detail\":\"too many requests\"}", NULL, "7200" },
	    "the CA answers 429: too many requests (rateLimited): the CA has "
	    "had enough requests for now; use the staging directory", 7200,
	    1, 7 },
	{ "directory: down for maintenance",
	    { CA_DIRECTORY, CA_SAY, 1, 503, "text/html", "<p>", NULL,
	    "Fri, 15 Jan 2027 11:00:00 GMT" },
	    "the CA answers 503: no problem document but text/html: is "
	    "something between here and the CA? (asked for the directory)",
	    10700, 1, 0 },
	{ "directory: the answer to another question",
	    { CA_DIRECTORY, CA_SAY, 1, 400, PROBLEM, "{\"type\":\"" URN
	    "accountDoesNotExist\",\"detail\":\"who?\"}", NULL, NULL },
	    "who? (accountDoesNotExist) (asked for the directory)", 45, 1,
	    0 },
	{ "nonce: nobody there",
	    { CA_NONCE, CA_SILENT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: connection refused", 3, 1, 0 },
	{ "nonce: none",
	    { CA_NONCE, CA_NO_NONCE, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA gives no nonce (asked for the account)", 3, 1, 0 },
	{ "nonces: none with answers",
	    { CA_ACCOUNT, CA_NO_NONCE, 1, 0, NULL, NULL, NULL, NULL },
	    NULL, 0, 1, 0 },
	{ "nonces: never good",
	    { CA_NEW_ORDER, CA_SAY, 20, 400, PROBLEM, "{\"type\":\"" URN
	    "badNonce\",\"detail\":\"no\"}", NULL, NULL },
	    "the CA answers 400: no (badNonce) (asked for a new order)", 3,
	    1, 0 },
	{ "nonces: nineteen times not good",
	    { CA_NEW_ORDER, CA_SAY, 19, 400, PROBLEM, "{\"type\":\"" URN
	    "badNonce\",\"detail\":\"no\"}", NULL, NULL }, NULL, 0, 1, 0 },
	{ "account: no Location",
	    { CA_ACCOUNT, CA_NOWHERE, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA does not say where the account is", 3, 1, 0 },
	{ "account: refused",
	    { CA_ACCOUNT, CA_SAY, 1, 400, PROBLEM, "{\"type\":\"" URN
	    "invalidContact\",\"detail\":\"bad \\u001b[1m\\nmail\"}", NULL,
	    NULL },
	    "the CA answers 400: bad  [1m mail (invalidContact): look at "
	    "tls_autocert.email (asked for the account)", 45, 1, 7 },
	{ "account: a broken server",
	    { CA_ACCOUNT, CA_SAY, 1, 500, PROBLEM, "{\"type\":\"" URN
	    "serverInternal\",\"detail\":\"oops\"}", NULL, NULL },
	    "the CA answers 500: oops", 3, 1, 0 },
	{ "new order: refused for names",
	    { CA_NEW_ORDER, CA_SAY, 1, 400, PROBLEM, "{\"type\":\"" URN
	    "rejectedIdentifier\",\"detail\":\"errors\",\"subproblems\":[{"
	    "\"type\":\"" URN "caa\",\"detail\":\"CAA says no\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}]}",
	    NULL, NULL },
	    "errors (rejectedIdentifier): the CA gives no certificates for "
	    "this name; a.example: CAA says no (caa): a CAA record of the "
	    "name forbids this CA", 45, 1, 7 },
	{ "new order: too many",
	    { CA_NEW_ORDER, CA_SAY, 1, 429, PROBLEM, "{\"type\":\"" URN
	    "rateLimited\",\"detail\":\"too many certificates (5) already "
	    "issued\"}", NULL, "172800" },
	    "too many certificates (5) already issued (rateLimited)", 172800,
	    1, 0 },
	{ "new order: too many, for ages",
	    { CA_NEW_ORDER, CA_SAY, 1, 429, PROBLEM, "{}", NULL,
	    "99999999999999" },
	    "the CA answers 429:  (no type)", 7 * DAY, 1, false },
	{ "new order: nobody there",
	    { CA_NEW_ORDER, CA_SILENT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached", 3, 1, 0 },
	{ "new order: answer lost",
	    { CA_NEW_ORDER, CA_LOST, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: timed out", 3, 2, 7 },
	{ "new order: no Location",
	    { CA_NEW_ORDER, CA_NOWHERE, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA does not say where the order is", 3, 2, 7 },
	{ "new order: cut off",
	    { CA_NEW_ORDER, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's answer is incomplete or malformed (asked for a new "
	    "order)", 3, 1, 0 },
	{ "new order: nothing to finalize",
	    { CA_NEW_ORDER, CA_EDIT, 1, 0, NULL, "\"finalize\"", "\"final\"",
	    NULL },
	    "the CA's answer is incomplete or malformed (asked for a new "
	    "order)", 3, 1, 0 },
	{ "new order: the answer to another question",
	    { CA_NEW_ORDER, CA_SAY, 1, 403, PROBLEM, "{\"type\":\"" URN
	    "orderNotReady\",\"detail\":\"no\"}", NULL, NULL },
	    "no (orderNotReady) (asked for a new order)", 45, 1, 0 },
	{ "new order: the account is gone",
	    { CA_NEW_ORDER, CA_SAY, 1, 400, PROBLEM, "{\"type\":\"" URN
	    "accountDoesNotExist\"}", NULL, NULL }, NULL, 0, 1, 0 },
	{ "new order: the account is gone again",
	    { CA_NEW_ORDER, CA_SAY, 2, 400, PROBLEM, "{\"type\":\"" URN
	    "accountDoesNotExist\",\"detail\":\"who?\"}", NULL, NULL },
	    "the CA answers 400: who? (accountDoesNotExist)", 45, 1, 2 },
	{ "order: given up",
	    { CA_ORDER, CA_SAY, 1, 200, JSON, "{\"status\":\"invalid\","
	    "\"finalize\":\"" CA "/finalize/0\",\"error\":{\"type\":\"" URN
	    "unauthorized\",\"detail\":\"it is over\"}}", NULL, NULL },
	    "the CA has given the order up: it is over (unauthorized)", 45,
	    2, 2 },
	{ "order: of an unknown state",
	    { CA_ORDER, CA_EDIT, 1, 0, NULL, "\"ready\"", "\"thinking\"",
	    NULL },
	    "the CA has given the order up: without a reason", 45, 2, 0 },
	{ "order: not there",
	    { CA_ORDER, CA_SAY, 1, 404, PROBLEM, "{\"type\":\"" URN
	    "malformed\",\"detail\":\"no such order\"}", NULL, NULL },
	    "the CA answers 404: no such order (malformed) (asked for the "
	    "order)", 45, 2, 0 },
	{ "order: cut off",
	    { CA_ORDER, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's answer is incomplete or malformed (asked for the "
	    "order)", 3, 1, 0 },
	{ "order: stuck in processing",
	    { CA_ANYWHERE, CA_EDIT, -1, 0, NULL, "\"valid\",\"auth",
	    "\"processing\",\"auth", NULL },
	    "the CA has not come to a decision on a.example in 10 minutes",
	    45, 2, 1 },
	{ "order: later",
	    { CA_ORDER, CA_LATER, 1, 0, NULL, NULL, NULL, "100" }, NULL, 0,
	    1, 0 },
	{ "order: much later",
	    { CA_FINALIZE, CA_SAY, 1, 200, JSON, "{\"status\":\"processing\","
	    "\"finalize\":\"" CA "/finalize/0\"}", NULL, "7200" },
	    "the CA will not come to a decision on a.example before long",
	    7200, 1, 0 },
	{ "authorization: not answered there",
	    { CA_AUTHZ, CA_SAY, 1, 200, JSON, "{\"status\":\"invalid\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"url\":\"" CA "/x\","
	    "\"token\":\"t\",\"status\":\"invalid\",\"error\":{\"type\":\""
	    URN "connection\",\"detail\":\"192.0.2.1: Timeout\"}}]}", NULL,
	    NULL },
	    "a.example is not validated by http-01: 192.0.2.1: Timeout "
	    "(connection): the CA can't connect: is port 80 (http-01) or 443 "
	    "(tls-alpn-01) of that name open", 45, 2, 2 },
	{ "authorization: withdrawn",
	    { CA_AUTHZ, CA_SAY, 1, 200, JSON, "{\"status\":\"deactivated\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"challenges\":[]}", NULL, NULL },
	    "a.example is not validated by tls-alpn-01: the CA gives no "
	    "reason", 45, 2, 0 },
	{ "authorization: only what is not possible here",
	    { CA_AUTHZ, CA_SAY, 1, 200, JSON, "{\"status\":\"pending\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"challenges\":[{\"type\":\"tls-sni-01\",\"url\":\"" CA "/x\","
	    "\"token\":\"t\"},{\"type\":\"dns-01\"}]}", NULL, NULL },
	    "for a.example the CA offers tls-sni-01, dns-01, and nothing of "
	    "it is possible here", 45, 2, 0 },
	{ "authorization: a token that is a path",
	    { CA_AUTHZ, CA_SAY, 1, 200, JSON, "{\"status\":\"pending\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"url\":\"" CA "/x\","
	    "\"token\":\"../../etc/passwd\"}]}", NULL, NULL },
	    "for a.example the CA offers http-01, and nothing of it is "
	    "possible here", 45, 2, 0 },
	{ "authorization: cut off",
	    { CA_AUTHZ, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's answer is incomplete or malformed (asked for an "
	    "authorization)", 3, 1, 0 },
	{ "challenge: answer lost",
	    { CA_CHALLENGE, CA_LOST, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: timed out", 3, 1, 0 },
	{ "challenge: a broken server",
	    { CA_CHALLENGE, CA_SAY, 1, 502, "text/html", "", NULL, NULL },
	    "the CA answers 502: no problem document but text/html", 3, 1, 0 },
	{ "challenge: refused",
	    { CA_CHALLENGE, CA_SAY, 1, 403, PROBLEM, "{\"type\":\"" URN
	    "userActionRequired\",\"detail\":\"read this\"}", NULL, NULL },
	    "read this (userActionRequired): the CA wants something of the "
	    "account's owner (asked for a challenge)", 45, 2, 0 },
	{ "finalize: answer lost",
	    { CA_FINALIZE, CA_LOST, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: timed out", 3, 1, 0 },
	{ "finalize: a broken server",
	    { CA_FINALIZE, CA_SAY, 1, 500, PROBLEM, "{\"type\":\"" URN
	    "serverInternal\",\"detail\":\"oops\"}", NULL, NULL },
	    "the CA answers 500: oops", 3, 1, 0 },
	{ "finalize: not ready yet",
	    { CA_FINALIZE, CA_SAY, 1, 403, PROBLEM, "{\"type\":\"" URN
	    "orderNotReady\",\"detail\":\"not yet\"}", NULL, NULL }, NULL, 0,
	    1, 0 },
	{ "finalize: bad request",
	    { CA_FINALIZE, CA_SAY, 1, 400, PROBLEM, "{\"type\":\"" URN
	    "badCSR\",\"detail\":\"I don't like it\"}", NULL, NULL },
	    "the CA answers 400: I don't like it (" URN "badCSR)", 45, 2, 1 },
	{ "finalize: cut off",
	    { CA_FINALIZE, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's answer is incomplete or malformed (asked for "
	    "finalizing the order)", 3, 1, 0 },
	{ "certificate: nowhere",
	    { CA_FINALIZE, CA_EDIT, 1, 0, NULL, "\"certificate\"", "\"cert\"",
	    NULL },
	    "the CA does not say where the certificate is", 45, 2, 1 },
	{ "certificate: of another type",
	    { CA_CERT, CA_TYPE, 1, 0, "text/plain", NULL, NULL, NULL },
	    "the CA's answer is no certificate chain (asked for the "
	    "certificate)", 3, 1, 1 },
	{ "certificate: a page",
	    { CA_CERT, CA_SAY, 1, 200, "text/html", "<p>Sorry", NULL, NULL },
	    "the CA's answer is no certificate chain", 3, 1, 0 },
	{ "certificate: empty",
	    { CA_CERT, CA_SAY, 1, 200, "application/pem-certificate-chain",
	    "", NULL, NULL },
	    "the CA's certificate can't be used: ", 45, 2, 0 },
	{ "certificate: cut off",
	    { CA_CERT, CA_CUT, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA's certificate can't be used: ", 45, 2, 1 },
	{ "certificate: answer lost",
	    { CA_CERT, CA_LOST, 1, 0, NULL, NULL, NULL, NULL },
	    "the CA can't be reached: timed out", 3, 1, 0 },
};
#define NROWS	(sizeof(rows) / sizeof(rows[0]))

static void
check_once(const struct row *row)
{
	struct world		w;
	struct acme_status	s;
	int64_t			until;

	world_init(&w, "a.example");
	w.ca->lazy = true;
	w.ca->mood = row->mood;
	until = world_settle(&w);
	s = world_status(&w);
	if (row->say == NULL) {
		CHECK(world_is_well(&w));
		CHECK(w.ca->norder <= row->orders);
	} else {
		CHECK(world_has_said(&w, row->say));
		CHECK(w.warned);
		CHECK(until >= w.now + row->retry);
		CHECK_INT(s.failures, 1);
		CHECK_INT(s.next_at, until);
		CHECK(s.problem != NULL);
		CHECK(!w.ca->is_shown[0]);
	}
	w.ca->mood.how = CA_FINE;
	world_run(&w, until + DAY);
	CHECK(world_is_well(&w));
	if (!CHECK(w.ca->norder <= row->orders))
		printf("%u orders\n%.*s", w.ca->norder,
		    SV_ARG(world_said(&w)));
	world_fini(&w);
}

TEST(moods_for_once)
{
	size_t i;

	for (i = 0; i < NROWS; i++) {
		test_note("%s", rows[i].name);
		check_once(&rows[i]);
	}
}

/* The time between what is tried grows, and is remembered. */
static void
check_days(const struct ca_mood *mood, void (*knob)(struct ca *), int days)
{
	struct world	w;
	int64_t		begun, until, gap = 0;
	unsigned	n = 0;

	world_init(&w, "a.example");
	w.ca->mood = *mood;
	w.ca->mood.times = -1;
	w.ca->lazy = true;
	if (knob != NULL)
		knob(w.ca);
	for (begun = w.now; w.now < begun + days * DAY &&
	    CHECK(n++ < 400); w.now = until) {
		until = world_settle(&w);
		CHECK(!w.ca->is_shown[0]);
		gap = until - w.now;
		world_boot(&w);
		CHECK_INT(world_status(&w).next_at, until);
	}
	CHECK(gap >= 3 * HOUR);
	CHECK(n < 60);
	CHECK(ca_busiest_hour(w.ca) <= 5);
	CHECK(w.ca->norder <= 50);
	CHECK(!world_status(&w).have);
	w.ca->mood.how = CA_FINE;
	w.ca->expired = w.ca->other_key = false;
	w.ca->other_name = SV("");
	w.ca->slow = 0;
	world_run(&w, w.now + 2 * DAY);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

TEST(moods_for_days)
{
	size_t i;

	for (i = 0; i < NROWS; i++) {
		if (rows[i].days == 0)
			continue;
		test_note("%s", rows[i].name);
		check_days(&rows[i].mood, NULL, rows[i].days);
	}
}

/* ---- certificates that are not what was asked for ---- */

static void
names_another(struct ca *ca)
{
	ca->other_name = SV("b.example");
}

static void
has_expired(struct ca *ca)
{
	ca->expired = true;
}

static void
has_another_key(struct ca *ca)
{
	ca->other_key = true;
}

static void
never_decides(struct ca *ca)
{
	ca->slow = 1000000;
}

TEST(certificates_of_no_use)
{
	static const struct {
		void		(*knob)(struct ca *);
		const char	*say;
	} bad[] = {
		{ names_another, "the CA's certificate can't be used: it is "
		    "not for a.example; next try in " },
		{ has_expired, "the CA's certificate can't be used: " },
		{ has_another_key, "the CA's certificate can't be used: " },
		{ never_decides, "the CA has not come to a decision on "
		    "a.example in 10 minutes" },
	};
	static const struct ca_mood	fine;
	struct world			w;
	size_t				i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("row %zu", i);
		world_init(&w, "a.example");
		bad[i].knob(w.ca);
		CHECK(world_settle(&w) > w.now + 40);
		CHECK(world_has_said(&w, bad[i].say));
		CHECK(w.warned);
		CHECK_INT(w.haves, 0);
		CHECK_INT(w.ca->norder, 1);
		world_fini(&w);
		if (i == 0)
			check_days(&fine, bad[i].knob, 1);
	}
}

/* The old certificate stays, and people are warned in its last fifth. */
TEST(renewal_that_fails)
{
	struct world		w;
	struct acme_status	s;

	world_init(&w, "a.example");
	world_settle(&w);
	w.ca->mood = (struct ca_mood){ CA_NEW_ORDER, CA_SAY, -1, 403, PROBLEM,
	    "{\"type\":\"" URN "unauthorized\",\"detail\":\"no\"}", NULL,
	    NULL };
	world_run(&w, WORLD_START + 65 * DAY);
	s = world_status(&w);
	CHECK(s.have && s.failures > 3);
	CHECK_STR(s.problem, "the CA answers 403: no (unauthorized): something "
	    "else answers there: does the name point to this machine, and "
	    "nothing in front answer for it? (asked for a new order)");
	CHECK(memmem(w.said.p, w.said.n, "hours left", 10) == NULL);
	world_run(&w, WORLD_START + 80 * DAY);
	CHECK(world_has_said(&w, "; the certificate has "));
	CHECK(world_has_said(&w, " hours left"));
	/* Often enough to be in time when it works again. */
	CHECK(s.next_at - w.now <= DAY + DAY / 4);
	w.ca->mood.how = CA_FINE;
	world_run(&w, w.now + 2 * DAY);
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

TEST(every_second_nonce_is_refused)
{
	struct world w;

	world_init(&w, "a.example b.example");
	w.ca->half_nonces = true;
	w.ca->windows = true;
	w.ca->window_from = w.ca->window_to = 30 * DAY;
	world_settle(&w);
	CHECK(world_is_well(&w));
	CHECK(!w.warned);
	world_run(&w, w.now + 40 * DAY);
	CHECK_INT(w.ca->norder, 2);
	world_fini(&w);
}

/* An order that can't be got on with is given up after a day, not before. */
TEST(an_order_that_leads_nowhere)
{
	struct world w;

	world_init(&w, "a.example");
	w.ca->mood = (struct ca_mood){ CA_ORDER, CA_SAY, -1, 500, PROBLEM,
	    "{\"type\":\"" URN "serverInternal\"}", NULL, NULL };
	world_run(&w, w.now + 23 * HOUR);
	CHECK_INT(w.ca->norder, 1);
	world_run(&w, w.now + 12 * HOUR);
	CHECK_INT(w.ca->norder, 2);
	world_fini(&w);
}

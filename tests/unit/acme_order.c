/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The machine that gets certificates against the CA of acme_ca.h: the ways
 * that it can go well, renewal, and revocation. Moods of the CA, limits and
 * being killed are in acme_moods.c.
 */
#include "acme/renew.h"
#include "tests/unit/acme_world.h"

/* Have a certificate at the first try. */
static void
world_succeed(struct world *w)
{
	world_settle(w);
	if (!world_is_well(w))
		printf("said:\n%.*s", SV_ARG(world_said(w)));
	CHECK(!w->warned);
}

TEST(a_certificate_by_http_01)
{
	struct world w;

	world_init(&w, "a.example");
	w.want.email = SV("me@a.example");
	world_succeed(&w);
	CHECK_INT(w.ca->norder, 1);
	CHECK_INT(w.ca->accounts, 1);
	CHECK_INT(w.ca->how_shown[0], ACME_HTTP_01);
	CHECK_INT(w.shows, 1);
	CHECK_INT(w.hides, 1);
	CHECK_INT(w.haves, 1);
	CHECK(w.now - WORLD_START < 10);
	CHECK(world_has_said(&w, "account " CA "/account/1"));
	CHECK(world_has_said(&w, "order " CA "/order/0"));
	CHECK(world_has_said(&w, "answering the http-01 challenge for "
	    "a.example"));
	CHECK(world_has_said(&w, "a.example is validated"));
	CHECK(world_has_said(&w, "have a certificate for a.example, valid "
	    "for 2160 hours"));
	world_fini(&w);
}

TEST(ways_to_a_certificate)
{
	static const struct {
		const char		*names;
		bool			 no_http, no_alpn, can_http, can_alpn;
		unsigned		 slow;
		enum acme_challenge	 by;
	} rows[] = {
		{ "a.example", true, false, true, true, 0, ACME_TLS_ALPN_01 },
		{ "a.example", false, false, false, true, 0,
		    ACME_TLS_ALPN_01 },
		{ "a.example", false, true, true, true, 0, ACME_HTTP_01 },
		{ "a.example", false, false, true, false, 0, ACME_HTTP_01 },
		{ "a.example b.example www.a.example", false, false, true,
		    true, 0, ACME_HTTP_01 },
		{ "a.example b.example c.example d.example", false, false,
		    false, true, 3, ACME_TLS_ALPN_01 },
		{ "192.0.2.1", false, false, true, true, 0, ACME_HTTP_01 },
		{ "2001:db8::1 a.example", false, false, false, true, 0,
		    ACME_TLS_ALPN_01 },
	};
	struct world	w;
	size_t		i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		world_init(&w, rows[i].names);
		w.ca->no_http = rows[i].no_http;
		w.ca->no_alpn = rows[i].no_alpn;
		w.ca->slow = rows[i].slow;
		w.want.can[ACME_HTTP_01] = rows[i].can_http;
		w.want.can[ACME_TLS_ALPN_01] = rows[i].can_alpn;
		world_succeed(&w);
		CHECK_INT(w.ca->norder, 1);
		CHECK_INT(w.ca->checks, w.want.nname);
		for (k = 0; k < w.want.nname; k++)
			CHECK_INT(w.ca->how_shown[k], rows[i].by);
		world_fini(&w);
	}
}

/* A port that is closed once is no reason never to come back to it. */
TEST(challenges_take_turns_when_they_fail)
{
	static const enum acme_challenge by[] = { ACME_HTTP_01,
	    ACME_TLS_ALPN_01, ACME_HTTP_01 };
	struct world	w;
	size_t		i;

	world_init(&w, "a.example");
	w.ca->denied = "{\"type\":\"urn:ietf:params:acme:error:connection"
	    "\",\"detail\":\"refused\"}";
	for (i = 0; i < 3; i++) {
		test_note("attempt %zu", i);
		w.now = world_settle(&w);
		CHECK_INT(w.ca->how_shown[0], by[i]);
		CHECK(world_has_said(&w, "(tls-alpn-01) of that name open"));
		world_boot(&w);
	}
	/* What worked is what a renewal begins with. */
	w.ca->denied = NULL;
	w.warned = false;
	world_succeed(&w);
	CHECK_INT(w.ca->how_shown[0], ACME_TLS_ALPN_01);
	world_boot(&w);
	w.now += HOUR;
	acme_renew_now(w.a, false);
	world_succeed(&w);
	CHECK_INT(w.ca->how_shown[0], ACME_TLS_ALPN_01);
	/* But not what can't be done any more, or is not offered. */
	w.want.can[ACME_TLS_ALPN_01] = false;
	acme_renew_now(w.a, false);
	world_succeed(&w);
	CHECK_INT(w.ca->how_shown[0], ACME_HTTP_01);
	w.want.can[ACME_TLS_ALPN_01] = true;
	w.ca->no_alpn = true;
	acme_renew_now(w.a, false);
	world_succeed(&w);
	CHECK_INT(w.ca->how_shown[0], ACME_HTTP_01);
	world_fini(&w);
}

TEST(an_account_bound_to_another)
{
	struct world w;

	world_init(&w, "a.example");
	w.ca->eab = true;
	w.want.eab_kid = SV("kid-1");
	w.want.eab_key = SV("a key of the CA's own choosing");
	world_succeed(&w);
	/* Without one the CA is not even asked. */
	world_fini(&w);
	world_init(&w, "a.example");
	w.ca->eab = true;
	CHECK(world_settle(&w) > w.now);
	CHECK_INT(w.ca->requests, 1);
	CHECK(world_has_said(&w, "set tls_autocert.eab_kid and "
	    "eab_hmac_key"));
	world_fini(&w);
}

/* Once there is an account its binding does not matter. */
TEST(a_bound_account_is_used_without_its_binding)
{
	struct world w;

	world_init(&w, "a.example");
	world_succeed(&w);
	w.ca->eab = true;
	acme_renew_now(w.a, false);
	w.warned = false;
	world_succeed(&w);
	CHECK_INT(w.ca->norder, 2);
	CHECK_INT(w.ca->accounts, 1);
	world_fini(&w);
}

TEST(a_profile_where_it_is_offered)
{
	struct world w;

	world_init(&w, "a.example");
	w.want.profile = SV("shortlived");
	w.ca->profiles = true;
	world_succeed(&w);
	CHECK(w.ca->order[0].profile);
	world_fini(&w);

	world_init(&w, "a.example");
	w.want.profile = SV("short");
	w.ca->profiles = true;
	world_settle(&w);
	CHECK(world_is_well(&w));
	CHECK(!w.ca->order[0].profile);
	CHECK(world_has_said(&w, "the CA offers no profile short but classic "
	    "shortlived"));
	world_fini(&w);
}

TEST(a_key_of_rsa)
{
	struct world w;

	world_init(&w, "a.example");
	w.want.rsa = true;
	world_succeed(&w);
	CHECK(sv_starts(buf_sv(&w.key), SV("-----BEGIN RSA PRIVATE KEY")));
	world_fini(&w);
}

TEST(what_is_valid_already_is_not_checked_again)
{
	struct world w;

	world_init(&w, "a.example b.example");
	world_succeed(&w);
	w.ca->reuses = true;
	acme_renew_now(w.a, false);
	world_succeed(&w);
	CHECK_INT(w.ca->norder, 2);
	CHECK_INT(w.ca->checks, 2);
	CHECK_INT(w.ca->accounts, 1);
	world_fini(&w);
}

TEST(the_chain_that_is_preferred)
{
	static const struct {
		const char	*preferred;
		bool		 alternates, other, warned;
	} rows[] = {
		{ "", true, false, false }, { "Root X1", true, false, false },
		{ "Root X2", true, true, false },
		{ "Root X2", false, false, true },
		{ "Root X9", true, false, true },
	};
	struct world	w, one;
	size_t		i;

	world_init(&one, "a.example");
	world_succeed(&one);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		world_init(&w, "a.example");
		w.want.preferred_chain = sv_from(rows[i].preferred);
		w.ca->alternates = rows[i].alternates;
		world_settle(&w);
		CHECK(world_is_well(&w));
		/* The second certificate tells; they differ in it. */
		CHECK((w.chain.n == one.chain.n && memcmp(w.chain.p +
		    w.chain.n / 2, one.chain.p + w.chain.n / 2, 300) == 0) ==
		    !rows[i].other);
		CHECK(w.warned == rows[i].warned);
		if (rows[i].warned)
			CHECK(world_has_said(&w, "the CA offers no chain of "
			    "tls_autocert.preferred_chain"));
		world_fini(&w);
	}
	world_fini(&one);
}

/* The other chain is a favour. */
TEST(another_chain_that_can_not_be_had)
{
	static const struct ca_mood moods[] = {
		{ CA_OTHER_CERT, CA_SAY, -1, 500, "text/html", "oops", NULL,
		    NULL },
		{ CA_OTHER_CERT, CA_SAY, -1, 200, "text/html", "oops", NULL,
		    NULL },
		{ CA_OTHER_CERT, CA_SILENT, -1, 0, NULL, NULL, NULL, NULL },
	};
	struct world	w;
	size_t		i;

	for (i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		test_note("row %zu", i);
		world_init(&w, "a.example");
		w.want.preferred_chain = SV("Root X2");
		w.ca->alternates = true;
		w.ca->mood = moods[i];
		world_settle(&w);
		CHECK(world_is_well(&w));
		CHECK_INT(w.ca->norder, 1);
		world_fini(&w);
	}
}

/* ---- renewal ---- */

TEST(renewal_by_the_dates)
{
	static const int days[] = { 90, 64, 45, 6, 1 };
	struct world	w;
	struct acme_status s;
	int64_t		life, at;
	size_t		i;
	unsigned	k;

	for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		test_note("%d days", days[i]);
		world_init(&w, "a.example");
		w.ca->life = life = days[i] * DAY;
		world_succeed(&w);
		for (k = 1; k <= 3; k++) {
			s = world_status(&w);
			at = w.ca->order[k - 1].at + life;
			CHECK(s.renew_at <= at - life / 3 + 60 &&
			    s.renew_at >= at - life / 3 - life / 20);
			/* Restarts in between change nothing. */
			world_boot(&w);
			world_run(&w, s.renew_at - life / 10);
			world_boot(&w);
			CHECK_INT(w.ca->norder, k);
			world_run(&w, s.renew_at + life / 10);
			CHECK_INT(w.ca->norder, k + 1);
			CHECK(!w.ca->order[k].replaces);
		}
		CHECK(world_is_well(&w));
		CHECK_INT(w.ca->accounts, 1);
		CHECK(!w.warned);
		world_fini(&w);
	}
}

TEST(renewal_when_the_ca_says)
{
	struct world	w;
	int64_t		at;

	world_init(&w, "a.example");
	w.ca->windows = true;
	w.ca->window_from = 20 * DAY;
	w.ca->window_to = 21 * DAY;
	world_succeed(&w);
	world_run(&w, w.now + 3600);
	at = world_status(&w).renew_at;
	CHECK(at >= WORLD_START + 20 * DAY && at < WORLD_START + 21 * DAY +
	    60);
	CHECK(world_has_said(&w, "the CA suggests to renew in "));
	world_run(&w, at - 1);
	CHECK_INT(w.ca->norder, 1);
	/* Every six hours, as it said. */
	CHECK(w.ca->windows_asked >= 80 && w.ca->windows_asked < 90);
	world_run(&w, at + 3600);
	CHECK_INT(w.ca->norder, 2);
	CHECK(w.ca->order[1].replaces);
	CHECK(!w.warned);
	/* The same for the next one: what is known is of that one. */
	world_run(&w, at + 19 * DAY);
	CHECK_INT(w.ca->norder, 2);
	at = world_status(&w).renew_at;
	CHECK(at >= w.ca->order[1].at + 20 * DAY &&
	    at < w.ca->order[1].at + 21 * DAY + 60);
	/* And it changes its mind: now, because of a revocation. */
	w.ca->window_from = 1 * DAY;
	w.ca->window_to = 2 * DAY;
	world_run(&w, w.now + 7 * HOUR);
	CHECK_INT(w.ca->norder, 3);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* What is remembered of a window survives, its point is drawn once. */
TEST(the_window_is_remembered)
{
	struct world	w;
	int64_t		at;
	unsigned	asked, i;

	world_init(&w, "a.example");
	w.ca->windows = true;
	w.ca->window_from = 20 * DAY;
	w.ca->window_to = 30 * DAY;
	world_succeed(&w);
	world_run(&w, w.now + 60);
	at = world_status(&w).renew_at;
	asked = w.ca->windows_asked;
	CHECK_INT(asked, 1);
	for (i = 0; i < 10; i++) {
		world_boot(&w);
		world_run(&w, w.now + 60);
	}
	CHECK_INT(w.ca->windows_asked, asked);
	world_run(&w, w.now + DAY);
	CHECK_INT(world_status(&w).renew_at, at);
	world_fini(&w);
}

/* A CA whose window is always past gets an order a day and no more; one whose
 * certificates are due when made as well. */
TEST(certificates_that_are_due_when_made)
{
	struct world w;

	world_init(&w, "a.example");
	w.ca->windows = true;
	w.ca->window_from = -2 * DAY;
	w.ca->window_to = -DAY;
	world_run(&w, w.now + 7 * DAY);
	CHECK(w.ca->norder >= 7 && w.ca->norder <= 9);
	CHECK(world_is_well(&w));
	world_fini(&w);

	world_init(&w, "a.example");
	w.ca->backdated = 60 * DAY;
	w.ca->life = 61 * DAY;
	world_run(&w, w.now + 2 * DAY);
	CHECK(w.ca->norder >= 5 && w.ca->norder <= 7);
	world_fini(&w);
}

TEST(renewal_information_is_a_favour)
{
	static const struct ca_mood moods[] = {
		{ CA_WINDOW, CA_SAY, -1, 500, "text/html", "", NULL, NULL },
		{ CA_WINDOW, CA_SAY, -1, 404, "application/problem+json",
		    "{\"type\":\"urn:ietf:params:acme:error:malformed\"}",
		    NULL, NULL },
		{ CA_WINDOW, CA_SAY, -1, 301, "text/html", "", NULL, NULL },
		{ CA_WINDOW, CA_SAY, -1, 200, "application/json",
		    "{\"suggestedWindow\":{\"start\":\"2027-02-01T00:00:00Z\","
		    "\"end\":\"2027-01-01T00:00:00Z\"}}", NULL, NULL },
		{ CA_WINDOW, CA_SAY, -1, 200, "application/json", "{", NULL,
		    NULL },
		{ CA_WINDOW, CA_SILENT, -1, 0, NULL, NULL, NULL, NULL },
		{ CA_DIRECTORY, CA_SILENT, -1, 0, NULL, NULL, NULL, NULL },
		{ CA_DIRECTORY, CA_SAY, -1, 503, "text/html", "", NULL,
		    NULL },
		{ CA_DIRECTORY, CA_SAY, -1, 200, "text/html", "<p>", NULL,
		    NULL },
	};
	struct world		w;
	struct acme_status	s;
	size_t			i;
	unsigned		before;

	for (i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		test_note("row %zu", i);
		world_init(&w, "a.example");
		w.ca->windows = true;
		w.ca->window_from = 20 * DAY;
		w.ca->window_to = 21 * DAY;
		world_settle(&w);
		w.ca->order[0].at += DAY;	/* a new suggestion */
		w.ca->mood = moods[i];
		before = w.ca->requests;
		world_run(&w, w.now + 2 * DAY);
		CHECK(!w.warned);
		CHECK(w.ca->requests - before <= 2 * 10);
		s = world_status(&w);
		CHECK_INT(s.failures, 0);
		CHECK(world_is_well(&w));
		w.ca->mood.how = CA_FINE;
		world_run(&w, WORLD_START + 23 * DAY);
		CHECK_INT(w.ca->norder, 2);
		world_fini(&w);
	}
}

/* A CA that wants to know nothing of the certificate that is replaced. */
TEST(an_order_that_must_not_replace)
{
	static const char *const types[] = {
		"alreadyReplaced", "malformed", "unauthorized"
	};
	struct world	w;
	char		text[128];
	size_t		i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		test_note("%s", types[i]);
		world_init(&w, "a.example");
		w.ca->windows = true;
		w.ca->window_from = 20 * DAY;
		w.ca->window_to = 21 * DAY;
		world_succeed(&w);
		snprintf(text, sizeof(text), "{\"type\":\"urn:ietf:params:"
		    "acme:error:%s\",\"detail\":\"no\"}", types[i]);
		w.ca->mood = (struct ca_mood){ CA_NEW_ORDER, CA_SAY, 1, 409,
		    "application/problem+json", text, NULL, NULL };
		world_run(&w, WORLD_START + 22 * DAY);
		CHECK_INT(w.ca->norder, 2);
		CHECK(!w.ca->order[1].replaces);
		CHECK(!w.warned);
		CHECK(world_is_well(&w));
		world_fini(&w);
	}
}

/* A certificate that somebody else put there is used as long as it is good,
 * and one for other names is not. */
TEST(a_certificate_that_is_there)
{
	struct world	w;
	int64_t		renew_at;

	world_init(&w, "a.example b.example");
	world_succeed(&w);
	renew_at = world_status(&w).renew_at;
	buf_fini(&w.file[ACME_FILE_STATE]);
	buf_fini(&w.file[ACME_FILE_ACCOUNT]);
	world_boot(&w);
	world_run(&w, renew_at - 10 * DAY);
	CHECK_INT(w.ca->norder, 1);
	CHECK(world_status(&w).have);
	/* One name less is covered by it, one more is not. */
	w.want.nname = 1;
	world_boot(&w);
	world_run(&w, w.now + DAY);
	CHECK_INT(w.ca->norder, 1);
	w.want.nname = 3;
	w.name[2] = SV("c.example");
	world_boot(&w);
	world_settle(&w);
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_has_said(&w, "the certificate that is there is of no "
	    "use: it is not for c.example"));
	CHECK(world_is_well(&w));
	/* Its key is lost. */
	buf_fini(&w.key);
	buf_puts(&w.key, "nonsense");
	world_boot(&w);
	world_settle(&w);
	CHECK_INT(w.ca->norder, 3);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* Who asks sees the very time that the server will keep to. */
TEST(renewal_is_due_at_the_same_time_for_everybody)
{
	struct world	w;
	int64_t		at, before = 0;
	unsigned	i, same = 0;

	world_init(&w, "a.example");
	for (i = 0; i < 4; i++) {
		acme_renew_now(w.a, false);
		world_succeed(&w);
		at = world_status(&w).renew_at - w.now;
		same += at == before;
		before = at;
		world_boot(&w);
		CHECK_INT(world_status(&w).renew_at - w.now, at);
	}
	CHECK(same < 3);
	world_fini(&w);
}

TEST(an_expired_certificate_is_replaced)
{
	struct world w;

	world_init(&w, "a.example");
	world_succeed(&w);
	w.now += 200 * DAY;
	world_boot(&w);
	world_settle(&w);
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* ---- on request ---- */

TEST(renewal_on_request)
{
	struct acme_status	s;
	struct world		w;
	char			text[64];

	world_init(&w, "a.example");
	world_succeed(&w);
	acme_renew_now(w.a, false);
	world_succeed(&w);
	CHECK_INT(w.ca->norder, 2);
	/* A back-off counts, unless forced. */
	w.ca->mood = (struct ca_mood){ CA_DIRECTORY, CA_SILENT, -1, 0, NULL,
	    NULL, NULL, NULL };
	acme_renew_now(w.a, false);
	world_settle(&w);
	w.ca->mood.how = CA_FINE;
	/* By itself it is not tried again before its time; by request it can
	 * be, soon. */
	s = world_status(&w);
	CHECK_INT(s.next_at, s.renew_at);
	CHECK(s.pause_until > w.now && s.pause_until < w.now + 60);
	snprintf(text, sizeof(text), "; next try in %lld hours\n",
	    (long long)(s.renew_at - w.now) / HOUR);
	CHECK(world_has_said(&w, text));
	acme_renew_now(w.a, false);
	CHECK(world_settle(&w) > w.now);
	CHECK_INT(w.ca->norder, 2);
	acme_renew_now(w.a, true);
	world_settle(&w);
	CHECK_INT(w.ca->norder, 3);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

TEST(revocation)
{
	struct world w;

	world_init(&w, "a.example");
	world_succeed(&w);
	acme_revoke(w.a, 1);
	CHECK_INT(world_settle(&w), INT64_MAX);
	CHECK_INT(w.ca->revoked, 1);
	CHECK(memmem(w.ca->payload.p, w.ca->payload.n, ",\"reason\":1}", 12) !=
	    NULL);
	CHECK(world_has_said(&w, "the certificate is revoked"));
	CHECK(!world_status(&w).have);
	world_fini(&w);

	world_init(&w, "a.example");
	acme_revoke(w.a, 0);
	CHECK_INT(world_settle(&w), INT64_MAX);
	CHECK(world_has_said(&w, "there is no certificate to revoke"));
	CHECK_INT(w.ca->revoked, 0);
	CHECK_INT(w.ca->norder, 0);
	/* Which puts nothing off. */
	world_boot(&w);
	w.warned = false;
	world_succeed(&w);
	world_fini(&w);
}

/* Another directory is another CA: nothing of the first one's counts. */
TEST(another_ca)
{
	struct world w;

	world_init(&w, "a.example");
	w.ca->mood = (struct ca_mood){ CA_FINALIZE, CA_SILENT, -1, 0, NULL,
	    NULL, NULL, NULL };
	world_settle(&w);
	CHECK(world_status(&w).order_url != NULL);
	w.want.directory = SV("https://other.example/dir");
	world_boot(&w);
	CHECK(world_status(&w).order_url == NULL);
	CHECK(world_status(&w).account_url == NULL);
	CHECK_INT(world_status(&w).failures, 0);
	world_fini(&w);
}

/* What was suggested for one certificate is nothing for the next. */
TEST(a_window_is_of_one_certificate)
{
	struct world w;

	world_init(&w, "a.example");
	w.ca->windows = true;
	w.ca->window_from = 20 * DAY;
	w.ca->window_to = 21 * DAY;
	world_settle(&w);
	world_run(&w, w.now + HOUR);
	w.ca->mood = (struct ca_mood){ CA_WINDOW, CA_SILENT, -1, 0, NULL,
	    NULL, NULL, NULL };
	world_run(&w, WORLD_START + 22 * DAY);
	CHECK_INT(w.ca->norder, 2);
	world_run(&w, WORLD_START + 70 * DAY);
	CHECK_INT(w.ca->norder, 2);
	world_fini(&w);
}

/* A CA that does not tell the challenge any more once it was answered. */
TEST(what_is_shown_is_hidden)
{
	struct acme_step	s = { .what = ACME_IDLE };
	struct world		w;

	world_init(&w, "a.example");
	while (s.what != ACME_SHOW)
		world_step(&w, &s, true);
	w.ca->mood = (struct ca_mood){ CA_AUTHZ, CA_SAY, 1, 200,
	    "application/json", "{\"status\":\"valid\",\"identifier\":{"
	    "\"value\":\"a.example\"}}", NULL, NULL };
	world_settle(&w);
	CHECK_INT(w.hides, 1);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

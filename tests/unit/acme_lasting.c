/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the machine of acme/order.h remembers: killed at every step, with a
 * disk that fails at every write, with damaged files, with a clock that
 * jumps, and without memory it ends with a certificate and makes hardly an
 * order more than it needs.
 */
#include "tests/unit/acme_world.h"

#define STEPS_MOST	200

/* Names, whether the CA is slow, and a renewal instead of the first one. */
static void
begin(struct world *w, const char *names, unsigned slow, bool renewal)
{
	world_init(w, names);
	w->ca->lazy = true;
	w->ca->slow = slow;
	w->ca->windows = true;
	w->ca->window_from = 40 * DAY;
	w->ca->window_to = 41 * DAY;
	if (!renewal)
		return;
	world_settle(w);
	world_run(w, WORLD_START + 39 * DAY);
	w->now += 3 * DAY;
	w->steps = 0;
}

/* Carry out k steps, the last one without the machine being told. False: it
 * was idle before. */
static bool
steps_then_die(struct world *w, unsigned k)
{
	struct acme_step s;

	while (k-- > 0)
		switch (world_step(w, &s, k > 0)) {
		case ACME_IDLE:
			return false;
		case ACME_WAIT:
			w->now = s.until;
			break;
		default:
			break;
		}
	return true;
}

static void
kill_everywhere(const char *names, unsigned slow, bool renewal)
{
	struct world	w;
	unsigned	k, before;
	bool		died = true;

	for (k = 1; died && CHECK(k < STEPS_MOST); k++) {
		test_note("%s, killed in step %u", names, k);
		begin(&w, names, slow, renewal);
		before = w.ca->norder;
		died = steps_then_die(&w, k);
		world_boot(&w);
		world_run(&w, w.now + 2 * HOUR);
		CHECK(world_is_well(&w));
		CHECK(w.ca->norder - before <= 2);
		/* Only one that is lost on its way is made again. */
		if (w.ca->norder - before == 2)
			CHECK(w.ca->order[before].told == 0);
		CHECK_INT(w.ca->issued, before + 1);
		CHECK_INT(w.ca->accounts, 1);
		if (!CHECK(!w.warned))
			printf("said:\n%.*s", SV_ARG(world_said(&w)));
		world_fini(&w);
	}
}

TEST(killed_in_every_step)
{
	kill_everywhere("a.example b.example", 0, false);
}

TEST(killed_in_every_step_of_a_slow_ca)
{
	kill_everywhere("a.example", 3, false);
}

TEST(killed_in_every_step_of_a_renewal)
{
	kill_everywhere("a.example", 0, true);
}

/* A crash loop: started again and again, killed anywhere. */
TEST(a_crash_loop_does_not_burn_the_limits)
{
	struct world	w;
	int64_t		end;
	uint16_t	r;

	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_NEW_ORDER, CA_LOST, -1, 0, NULL,
	    NULL, NULL, NULL };
	for (end = w.now + DAY; w.now < end; w.now += 120) {
		world_random(&r, sizeof(r));
		steps_then_die(&w, 1 + r % 12);
		world_boot(&w);
	}
	CHECK(ca_busiest_hour(w.ca) <= 5);
	CHECK(w.ca->norder <= 5 * 24);
	w.ca->mood.how = CA_FINE;
	world_run(&w, w.now + DAY);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* ---- the disk ---- */

TEST(the_disk_fails_at_every_write)
{
	struct world	w;
	unsigned	n, failed = 1;

	for (n = 1; failed > 0 && CHECK(n < STEPS_MOST); n++) {
		test_note("write %u", n);
		begin(&w, "a.example", 0, false);
		w.fail_save = n;
		world_settle(&w);
		failed = world_status(&w).failures;
		if (failed > 0) {
			CHECK_INT(failed, 1);
			CHECK(w.warned);
			CHECK(world_has_said(&w, "the state directory can't "
			    "be written: no space left on device; next try "
			    "in "));
			CHECK_STR(world_status(&w).problem, "the state "
			    "directory can't be written: no space left on "
			    "device");
			CHECK(world_status(&w).have || world_status(&w).
			    next_at >= w.now + 60);
		}
		/* What was not written is, before the CA is asked again. */
		world_run(&w, w.now + HOUR);
		world_boot(&w);
		world_run(&w, w.now + 50 * DAY);
		CHECK(w.ca->norder <= 2);
		CHECK(world_is_well(&w));
		world_fini(&w);
	}
	CHECK(n > 5);
}

TEST(a_full_disk_costs_no_orders)
{
	struct world w;

	begin(&w, "a.example", 0, false);
	w.disk_full = true;
	world_run(&w, w.now + 7 * DAY);
	CHECK_INT(w.ca->norder, 0);
	CHECK_INT(w.ca->accounts, 0);
	CHECK(w.ca->requests < 60);
	w.disk_full = false;
	world_run(&w, w.now + DAY);
	CHECK(world_is_well(&w));
	/* Full in the middle of an order. */
	world_fini(&w);
	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_AUTHZ, CA_SILENT, 1, 0, NULL, NULL,
	    NULL, NULL };
	world_settle(&w);
	w.disk_full = true;
	world_run(&w, w.now + 7 * DAY);
	CHECK_INT(w.ca->norder, 1);
	CHECK_INT(w.ca->issued, 0);
	w.disk_full = false;
	world_run(&w, w.now + DAY);
	CHECK(w.ca->norder <= 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

TEST(what_can_not_be_shown_or_used)
{
	struct world w;

	begin(&w, "a.example", 0, false);
	w.fail_show = "permission denied";
	world_settle(&w);
	CHECK(world_has_said(&w, "the http-01 challenge can't be shown: "
	    "permission denied; next try in "));
	CHECK_INT(w.shows, 1);
	CHECK_INT(w.hides, 1);
	w.fail_show = NULL;
	w.fail_have = "read-only file system";
	world_run(&w, w.now + 600);
	CHECK(world_has_said(&w, "the new certificate can't be put into use: "
	    "read-only file system; next try in "));
	CHECK(world_status(&w).failures > 0);
	CHECK(!world_status(&w).have);
	w.fail_have = NULL;
	world_run(&w, w.now + HOUR);
	CHECK(world_is_well(&w));
	CHECK_INT(w.ca->norder, 1);
	CHECK_INT(w.ca->issued, 1);
	world_fini(&w);
}

/* ---- damage ---- */

/* Somebody has removed the account's key, or it was replaced: with another one
 * it is another account, and the order of the old one is lost. */
TEST(an_account_has_its_own_key)
{
	struct acme_step	s = { .what = ACME_IDLE };
	struct acme_key		key;
	struct world		w;
	unsigned char		seed[48] = "another one";

	begin(&w, "a.example", 0, false);
	w.ca->lazy = false;
	while (s.what != ACME_SHOW)
		world_step(&w, &s, true);
	CHECK(world_status(&w).order_url != NULL);
	acme_key_new(&key, seed);
	buf_reset(&w.file[ACME_FILE_ACCOUNT]);
	acme_key_write(&key, &w.file[ACME_FILE_ACCOUNT]);
	world_boot(&w);
	CHECK(world_status(&w).account_url == NULL);
	CHECK(world_status(&w).order_url == NULL);
	/* The CA verifies all by the key that it was told of last. */
	world_settle(&w);
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

TEST(a_state_file_cut_off_anywhere)
{
	struct world	w;
	struct buf	whole = BUF_INIT;
	size_t		n;

	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_AUTHZ, CA_SAY, 1, 500, "text/html",
	    "", NULL, NULL };
	world_settle(&w);
	whole = w.file[ACME_FILE_STATE];
	buf_init(&w.file[ACME_FILE_STATE]);
	CHECK(whole.n > 100);
	for (n = 0; n + 2 < whole.n; n++) {
		test_note("%zu bytes", n);
		buf_reset(&w.file[ACME_FILE_STATE]);
		buf_put(&w.file[ACME_FILE_STATE], whole.p, n);
		world_boot(&w);
		CHECK(world_status(&w).order_url == NULL);
		CHECK_INT(world_status(&w).failures, 0);
	}
	world_settle(&w);
	CHECK(world_has_said(&w, "the state file is damaged or of another "
	    "CA, beginning anew"));
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
	buf_fini(&whole);
}

TEST(damaged_keys)
{
	struct world w;

	/* Of the account: a new account, and nothing of the old one. */
	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_AUTHZ, CA_SILENT, 1, 0, NULL, NULL,
	    NULL, NULL };
	world_settle(&w);
	w.file[ACME_FILE_ACCOUNT].n /= 2;
	w.ca->known = false;
	world_boot(&w);
	world_run(&w, w.now + HOUR);
	CHECK(world_has_said(&w, "the account key is damaged, making a new "
	    "one"));
	CHECK_INT(w.ca->accounts, 2);
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);

	/* Of the certificate, before it is used: another one does. */
	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_FINALIZE, CA_SILENT, 1, 0, NULL,
	    NULL, NULL, NULL };
	world_settle(&w);
	w.file[ACME_FILE_KEY].n /= 2;
	world_boot(&w);
	world_run(&w, w.now + HOUR);
	CHECK(world_has_said(&w, "the key of the order is damaged"));
	CHECK_INT(w.ca->norder, 1);
	CHECK(world_is_well(&w));
	world_fini(&w);

	/* And after: another order has to. */
	begin(&w, "a.example", 0, false);
	w.ca->mood = (struct ca_mood){ CA_FINALIZE, CA_LOST, 1, 0, NULL,
	    NULL, NULL, NULL };
	world_settle(&w);
	buf_reset(&w.file[ACME_FILE_KEY]);
	world_boot(&w);
	world_run(&w, w.now + HOUR);
	CHECK(world_has_said(&w, "the key of the order is lost, ordering "
	    "anew"));
	CHECK_INT(w.ca->norder, 2);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* ---- the clock ---- */

TEST(a_clock_that_is_not_set)
{
	struct world w;

	world_init(&w, "a.example");
	w.now = 1000;
	CHECK_INT(world_settle(&w), 1060);
	CHECK(w.warned);
	CHECK(world_has_said(&w, "the clock is wrong: nothing can be asked of "
	    "a CA before it is set"));
	CHECK_INT(w.ca->requests, 0);
	w.now = WORLD_START;
	world_settle(&w);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* After every step the clock jumps a year ahead, or back, and then is right
 * again: an order more, at most, and no waiting for a year. */
TEST(a_clock_that_jumps)
{
	static const int64_t	years[] = { 365 * DAY, -20 * DAY };
	struct world		w;
	struct acme_step	s;
	int64_t			right;
	size_t			i;
	unsigned		k, n;

	for (i = 0; i < 2; i++)
		for (k = 1; k < 40; k += 4) {
			test_note("jump %zu at step %u", i, k);
			begin(&w, "a.example", 2, false);
			w.now = right = WORLD_START + 30 * DAY;
			for (n = 0; n < k; n++)
				if (world_step(&w, &s, true) == ACME_WAIT)
					w.now = s.until;
			right = w.now;
			w.now += years[i];
			for (n = 0; n < 5; n++)
				if (world_step(&w, &s, true) == ACME_WAIT)
					CHECK(s.until - w.now <= 600);
			w.now = right + 60;
			world_run(&w, w.now + HOUR);
			CHECK(world_status(&w).have);
			CHECK(w.ca->norder <= 2);
			world_fini(&w);
		}
}

/* A failure noted while the clock was ahead does not hold up for years. */
TEST(a_back_off_of_the_future)
{
	struct world w;

	begin(&w, "a.example", 0, false);
	w.now += 1000 * DAY;
	w.ca->mood = (struct ca_mood){ CA_ACCOUNT, CA_SILENT, 3, 0, NULL,
	    NULL, NULL, NULL };
	world_settle(&w);
	CHECK_INT(world_status(&w).failures, 1);
	w.now = WORLD_START;
	w.ca->mood.how = CA_FINE;
	world_boot(&w);
	world_settle(&w);
	CHECK(w.now < WORLD_START + 60);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/* ---- memory ---- */

/* Each allocation of an issuance fails once (the machine's only): it may fail
 * or wait, but writes nothing that is cut short, and gets over it. */
TEST(memory_that_is_short)
{
	struct acme_step	s;
	struct acme_reply	r;
	struct world		w;
	unsigned long		at, n;
	unsigned		k;
	bool			hit = true;

	for (at = 1; hit && CHECK(at < 4000); at += 1 + at / 12) {
		test_note("allocation %lu", at);
		begin(&w, "a.example", 0, false);
		n = at;
		hit = false;
		for (k = 0; k < 60 && !hit; k++) {
			alloc_fail_at(n);
			acme_next(w.a, w.now, &s);
			hit = alloc_failed() > 0;
			n -= hit ? 0 : alloc_count();
			alloc_fail_at(0);
			w.ca->now = w.now;
			if (s.what == ACME_WAIT)
				w.now = s.until;
			if (s.what == ACME_REQUEST && s.url.n > 0) {
				ca_answer(w.ca, &s, &r);
				if (!hit)
					alloc_fail_at(n);
				acme_reply(w.a, w.now, &r);
				if (!hit) {
					hit = alloc_failed() > 0;
					n -= hit ? 0 : alloc_count();
				}
				alloc_fail_at(0);
				continue;
			}
			if (s.what == ACME_SAVE)
				CHECK(s.file != ACME_FILE_STATE ||
				    sv_ends(s.body, SV("]}\n")));
			if (s.what == ACME_SAVE || s.what == ACME_REMOVE)
				world_save(&w, &s);
			if (s.what == ACME_SHOW)
				world_show(&w, &s);
			if (s.what == ACME_HIDE)
				world_hide(&w, &s);
			if (s.what == ACME_HAVE)
				world_have(&w, &s);
			if (s.what == ACME_IDLE)
				break;
			if (!hit)
				alloc_fail_at(n);
			acme_done(w.a, w.now, NULL);
			if (!hit) {
				hit = alloc_failed() > 0;
				n -= hit ? 0 : alloc_count();
			}
			alloc_fail_at(0);
		}
		world_run(&w, w.now + 7 * HOUR);
		CHECK(world_status(&w).have);
		CHECK(w.ca->norder <= 2);
		world_fini(&w);
	}
	CHECK(at > 100);
}

/* An order that could not be noted is, before the CA is asked for more. */
TEST(what_was_not_written_comes_first)
{
	struct acme_step	s = { .what = ACME_IDLE };
	struct world		w;

	begin(&w, "a.example", 0, false);
	while (w.ca->norder == 0)
		world_step(&w, &s, true);
	w.fail_save = w.saves + 1;
	w.now = world_settle(&w);
	CHECK_INT(world_status(&w).failures, 1);
	do {
		world_step(&w, &s, true);
	} while (s.what != ACME_REQUEST);
	world_boot(&w);
	world_run(&w, w.now + HOUR);
	CHECK_INT(w.ca->norder, 1);
	CHECK(world_is_well(&w));
	world_fini(&w);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What surrounds the machine of acme/order.h in tests: a clock, a disk, and
 * the CA of acme_ca.h. Steps are carried out one by one, so that a test can
 * kill the machine between any two, or before it is told.
 */
#ifndef TESTS_UNIT_ACME_WORLD_H
#define TESTS_UNIT_ACME_WORLD_H

#include "tests/unit/acme_ca.h"

#define WORLD_START	1800000000	/* 2027-01-15 */

struct world {
	struct acme_want	 want;
	struct sv		 name[CA_NAMES];
	struct ca		*ca;
	struct acme		*a;
	int64_t			 now;
	/* The disk. */
	struct buf		 file[3];	/* by enum acme_file */
	struct buf		 chain, key;	/* the present certificate */
	unsigned		 saves, haves, shows, hides, steps;
	unsigned		 fail_save;	/* that one fails; 0: none */
	bool			 disk_full;
	const char		*fail_show, *fail_have;
	struct buf		 said;		/* lines */
	bool			 warned;
};

static uint64_t world_seed;

static inline void
world_random(void *p, size_t n)
{
	unsigned char *c = p;

	while (n-- > 0) {
		world_seed = world_seed * 6364136223846793005u +
		    1442695040888963407u;
		*c++ = (unsigned char)(world_seed >> 56);
	}
}

static inline struct sv
world_said(struct world *w)
{
	return buf_sv(&w->said);
}

static inline bool
world_has_said(struct world *w, const char *text)
{
	bool said = w->said.n > 0 && memmem(w->said.p, w->said.n, text,
	    strlen(text)) != NULL;

	if (!said && w->said.n > 0)
		printf("said:\n%.*s", SV_ARG(world_said(w)));
	return said;
}

/* Begin with a machine that reads what is on the disk. */
static inline void
world_boot(struct world *w)
{
	struct acme_disk d = { buf_sv(&w->file[ACME_FILE_ACCOUNT]),
	    buf_sv(&w->file[ACME_FILE_STATE]), buf_sv(&w->file[ACME_FILE_KEY]),
	    buf_sv(&w->chain), buf_sv(&w->key) };

	acme_free(w->a);
	memset(w->ca->is_shown, 0, sizeof(w->ca->is_shown));
	if ((w->a = acme_new(&w->want, world_random)) != NULL)
		acme_load(w->a, &d);
}

static inline void
world_init(struct world *w, const char *names)
{
	struct sv all = sv_from(names);

	memset(w, 0, sizeof(*w));
	world_seed = 1;
	while (all.p != NULL && all.n > 0)
		w->name[w->want.nname++] = sv_cut(&all, ' ');
	w->want.name = w->name;
	w->want.directory = SV(CA "/dir");
	w->want.can[ACME_HTTP_01] = w->want.can[ACME_TLS_ALPN_01] = true;
	w->now = WORLD_START;
	w->ca = calloc(1, sizeof(*w->ca));
	ca_init(w->ca, &w->want);
	world_boot(w);
}

static inline void
world_fini(struct world *w)
{
	size_t i;

	acme_free(w->a);
	ca_fini(w->ca);
	free(w->ca);
	for (i = 0; i < 3; i++)
		buf_fini(&w->file[i]);
	buf_fini(&w->chain);
	buf_fini(&w->key);
	buf_fini(&w->said);
}

static inline struct acme_status
world_status(const struct world *w)
{
	struct acme_status s;

	acme_status(w->a, w->now, &s);
	return s;
}

/* ---- steps ---- */

static inline size_t
world_name(const struct world *w, struct sv name)
{
	size_t i;

	for (i = 0; i < w->want.nname && !sv_eq(w->name[i], name); i++)
		continue;
	return CHECK(i < w->want.nname) ? i : 0;
}

static inline const char *
world_save(struct world *w, const struct acme_step *s)
{
	if (w->disk_full || ++w->saves == w->fail_save)
		return "no space left on device";
	buf_reset(&w->file[s->file]);
	if (s->what == ACME_SAVE) {
		CHECK(s->body.n > 0);
		buf_putsv(&w->file[s->file], s->body);
	}
	return NULL;
}

static inline const char *
world_show(struct world *w, const struct acme_step *s)
{
	size_t i = world_name(w, s->name);

	w->shows++;
	if (w->fail_show != NULL)
		return w->fail_show;
	CHECK(!w->ca->is_shown[i]);
	w->ca->is_shown[i] = true;
	w->ca->how_shown[i] = s->challenge;
	sv_copy(w->ca->shown[i], sizeof(w->ca->shown[i]), s->key_auth);
	return NULL;
}

static inline void
world_hide(struct world *w, const struct acme_step *s)
{
	size_t i = world_name(w, s->name);

	w->hides++;
	CHECK(s->token.n > 0 && (w->fail_show != NULL ||
	    (w->ca->is_shown[i] && w->ca->how_shown[i] == s->challenge &&
	    sv_starts(sv_from(w->ca->shown[i]), s->token))));
	w->ca->is_shown[i] = false;
}

static inline const char *
world_have(struct world *w, const struct acme_step *s)
{
	w->haves++;
	if (w->fail_have != NULL)
		return w->fail_have;
	buf_reset(&w->chain);
	buf_putsv(&w->chain, s->chain);
	buf_reset(&w->key);
	buf_putsv(&w->key, s->key);
	return NULL;
}

static inline void
world_listen(struct world *w, const struct acme_step *s)
{
	w->warned |= s->warn;
	if (s->say.n == 0)
		return;
	CHECK(memchr(s->say.p, '\n', s->say.n) == NULL);
	buf_putsv(&w->said, s->say);
	buf_putc(&w->said, '\n');
}

/* Carry out the next step; tell the machine only if asked to. Its kind. */
static inline enum acme_do
world_step(struct world *w, struct acme_step *s, bool tell)
{
	struct acme_reply	 r;
	const char		*why = NULL;

	acme_next(w->a, w->now, s);
	w->steps++;
	world_listen(w, s);
	w->ca->now = w->now;
	switch (s->what) {
	case ACME_REQUEST:
		ca_answer(w->ca, s, &r);
		if (tell)
			acme_reply(w->a, w->now, &r);
		return s->what;
	case ACME_SAVE:
	case ACME_REMOVE:
		why = world_save(w, s);
		break;
	case ACME_SHOW:
		why = world_show(w, s);
		break;
	case ACME_HIDE:
		world_hide(w, s);
		break;
	case ACME_HAVE:
		why = world_have(w, s);
		break;
	case ACME_WAIT:
	case ACME_IDLE:
		CHECK(s->until > w->now);
		return s->what;
	}
	if (tell)
		acme_done(w->a, w->now, why);
	return s->what;
}

/* Go on until there is nothing to do before that time; the clock goes there.
 * How many times the machine was idle. */
static inline unsigned
world_run(struct world *w, int64_t until)
{
	struct acme_step	s;
	unsigned		n = 0, idle = 0;

	while (CHECK(n++ < 500000)) {
		switch (world_step(w, &s, true)) {
		case ACME_IDLE:
			idle++;
			/* FALLTHROUGH */
		case ACME_WAIT:
			if (s.until > until) {
				w->now = until;
				return idle;
			}
			w->now = s.until;
			break;
		default:
			break;
		}
	}
	return idle;
}

/* Go on until it is idle for the first time; until when it wants to be. */
static inline int64_t
world_settle(struct world *w)
{
	struct acme_step	s;
	unsigned		n = 0;

	while (CHECK(n++ < 2000)) {
		switch (world_step(w, &s, true)) {
		case ACME_IDLE:
			return s.until;
		case ACME_WAIT:
			w->now = s.until;
			break;
		default:
			break;
		}
	}
	return 0;
}

/* Nothing is shown, and what is on disk is a certificate. */
static inline bool
world_is_well(struct world *w)
{
	struct acme_status	s = world_status(w);
	size_t			i;
	bool			shown = false;

	for (i = 0; i < w->want.nname; i++)
		shown |= w->ca->is_shown[i];
	return CHECK(s.have) && CHECK(s.not_after > w->now) &&
	    CHECK_INT(s.failures, 0) && CHECK(s.problem == NULL) &&
	    CHECK(s.order_url == NULL) && CHECK(s.account_url != NULL) &&
	    CHECK(w->chain.n > 0 && w->key.n > 0) &&
	    CHECK_INT(w->file[ACME_FILE_KEY].n, 0) && CHECK(!shown);
}

#endif

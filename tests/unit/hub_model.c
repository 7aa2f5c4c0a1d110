/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The in-memory broker's history under random operations, leaps of time and
 * sweeps, against a model that keeps everything in plain arrays.
 */
#include "tests/unit/broker.h"

#define CHANNELS	4
#define LOG_MAX		4000

struct model {
	bool		exists;
	char		epoch[HUB_EPOCH_MAX];	/* "": not seen yet */
	uint64_t	top, version, from;	/* kept: from + 1 to top */
	int		number[LOG_MAX];	/* by offset */
	int64_t		pubs_expire, expires;
	char		version_epoch;
};

static struct model model[CHANNELS];

static void
model_update(struct model *m)
{
	if (m->exists && m->expires <= now)
		*m = (struct model){ 0 };
	if (m->exists && m->pubs_expire <= now)
		m->from = m->top;
}

static void
model_touch(struct model *m, int64_t meta_ttl)
{
	m->exists = true;
	m->expires = meta_ttl == 0 ? INT64_MAX : now + meta_ttl;
}

static void
model_position(struct model *m, const struct hub_position *pos)
{
	CHECK_INT(pos->offset, m->top);
	if (m->epoch[0] == '\0')
		strlcpy(m->epoch, pos->epoch, sizeof(m->epoch));
	CHECK_STR(pos->epoch, m->epoch);
}

static int64_t
some_ttl(void)
{
	static const int64_t ttl[] = { 1, 1000, 5000, 60000, 1500000,
	    86400000 };

	return ttl[rnd(sizeof(ttl) / sizeof(*ttl))];
}

static void
model_publish(struct model *m, const char *channel, int number)
{
	struct hub_publish	p = { .history_size = 1 + rnd(6),
				    .history_ttl = some_ttl(),
				    .meta_ttl = rnd(8) ? some_ttl() : 0,
				    .version = rnd(3) ? 0 : 1 + rnd(9) };
	char			epoch = "ab"[rnd(2)];
	bool			old;

	if (rnd(2) == 0)
		p.version_epoch = sv_make(&epoch, 1);
	old = p.version > 0 && p.version <= m->version &&
	    (p.version_epoch.n == 0 || epoch == m->version_epoch);
	CHECK_INT(publish(&p, channel, number), HUB_OK);
	model_touch(m, p.meta_ttl);
	m->pubs_expire = now + p.history_ttl;
	CHECK_INT(p.suppressed, old);
	if (!old) {
		m->number[++m->top] = number;
		if (m->top - m->from > p.history_size)
			m->from = m->top - p.history_size;
		m->version = p.version;
		m->version_epoch = p.version_epoch.n ? epoch : '\0';
	}
	model_position(m, &p.pos);
}

static void
model_read(struct model *m, const char *channel)
{
	struct hub_history	p = { .reverse = rnd(2), .has_since = rnd(2),
				    .since = m->from + rnd(9),
				    .limit = (int64_t)rnd(6) - 1,
				    .meta_ttl = rnd(8) ? some_ttl() : 0 };
	char			want[1024] = "";
	uint64_t		at;
	size_t			n = 0, used = 0;

	p.since -= p.since > 2 ? 2 : 0;
	if (p.reverse)
		at = p.has_since ? p.since - 1 : m->top;
	else
		at = p.has_since && p.since > m->from ? p.since + 1 :
		    m->from + 1;
	for (; at > m->from && at <= m->top && n != (size_t)p.limit;
	    n++, at += p.reverse ? UINT64_MAX : 1)
		used += (size_t)snprintf(want + used, sizeof(want) - used,
		    "%s%llu=%d", n ? " " : "", (unsigned long long)at,
		    m->number[at]);
	CHECK_STR(history(&p, channel), want);
	model_touch(m, p.meta_ttl);
	model_position(m, &p.top);
}

static void
model_run(unsigned n, uint32_t run_seed)
{
	static const int64_t	 jump[] = { 1, 999, 1000, 4000, 55000,
				     1100000, 90000000 };
	struct hub_request	 remove = { 0 };
	struct model		*m;
	char			 channel[8];
	int			 i;

	memset(model, 0, sizeof(model));
	start(n);
	seed = run_seed;
	for (i = 0; i < 400; i++) {
		test_note("%u workers, seed %u, step %d", n, run_seed, i);
		m = &model[rnd(CHANNELS)];
		snprintf(channel, sizeof(channel), "ch%d", (int)(m - model));
		model_update(m);
		switch (rnd(10)) {
		case 0:
			now += jump[rnd(sizeof(jump) / sizeof(*jump))];
			break;
		case 1:
			expire();
			break;
		case 2:
			run(&remove, HUB_HISTORY_REMOVE, channel);
			m->from = m->top;
			break;
		case 3:
		case 4:
		case 5:
			model_read(m, channel);
			break;
		default:
			model_publish(m, channel, i);
		}
	}
	stop();
}

TEST(random_operations_against_a_model)
{
	uint32_t i;

	for (i = 0; i < 150; i++) {
		model_run(1, i);
		model_run(HUBS_MAX, i);
	}
}

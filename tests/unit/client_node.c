/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Nodes: asking all workers, configurations that change, origins, the limit
 * of connections, draining.
 */
#include "client/token.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define ANON	"\"allow_anonymous_connect_without_token\":true"

/* ---- asking all workers ---- */

#define WORKERS	4
#define ROUNDS	500

static struct {
	unsigned	rounds;
	bool		wrong;
	struct mail	start, stop[WORKERS];
} asking;

struct answer {
	unsigned	id, calls;
	uint64_t	turns;
};

static void
answer(struct node *n, void *arg, void *result)
{
	struct answer *a = result;

	if (arg != &asking || a->calls != 0)
		asking.wrong = true;
	a->id = n->w->id;
	a->calls++;
	a->turns = n->w->stats.turns;
}

static void
stop_worker(struct mail *m, void *ctx)
{
	(void)m;
	worker_stop(((struct node *)ctx)->w);
}

static void ask_all(struct node *);

static void
answered(struct gather *g)
{
	struct answer	*a;
	unsigned	 i;

	if (g->home->w->id != 1 || g->arg != &asking)
		asking.wrong = true;
	for (i = 0; i < WORKERS; i++) {
		a = gather_result(g, i);
		if (a->id != i || a->calls != 1)
			asking.wrong = true;
	}
	if (++asking.rounds < ROUNDS) {
		ask_all(g->home);
		return;
	}
	for (i = 0; i < WORKERS; i++) {
		asking.stop[i].run = stop_worker;
		worker_post(srv.worker[i], &asking.stop[i]);
	}
}

static void
ask_all(struct node *n)
{
	if (node_gather(n, sizeof(struct answer), &asking, answer,
	    answered) == -1)
		asking.wrong = true;
}

static void
start_asking(struct mail *m, void *ctx)
{
	(void)m;
	ask_all(ctx);
}

/* With the workers at work in threads of their own. */
TEST(every_worker_answers_once)
{
	unsigned i;

	memset(&asking, 0, sizeof(asking));
	start(WORKERS, "{}");
	asking.start.run = start_asking;
	worker_post(srv.worker[1], &asking.start);
	for (i = 0; i < WORKERS; i++)
		CHECK_INT(worker_start(srv.worker[i]), 0);
	for (i = 0; i < WORKERS; i++)
		worker_join(srv.worker[i]);
	CHECK_INT(asking.rounds, ROUNDS);
	CHECK(!asking.wrong);
	CHECK(stop());
}

static unsigned	ran, done;

static void
count_run(struct node *n, void *arg, void *result)
{
	(void)n;
	(void)arg;
	(void)result;
	ran++;
}

static void
count_done(struct gather *g)
{
	CHECK_INT(g->left, 0);
	done++;
}

/* One worker answers itself at once. */
TEST(one_worker_asks_itself)
{
	start(1, "{}");
	ran = done = 0;
	CHECK_INT(node_gather(srv.node[0], 0, NULL, count_run, count_done), 0);
	CHECK_INT(ran, 1);
	CHECK_INT(done, 1);
	CHECK(stop());
}

static bool
gather_sweep(void)
{
	bool ok = false;

	ran = done = 0;
	if (!start(2, "{}"))
		return false;
	if (node_gather(srv.node[0], 8, NULL, count_run, count_done) == 0) {
		ok = true;
		turns(2);
	}
	CHECK_INT(ran, ok ? 2 : 0);
	CHECK_INT(done, ok ? 1 : 0);
	stop();
	return ok;
}

TEST(asking_without_memory)
{
	ALLOC_SWEEP(gather_sweep);
}

/* ---- configurations ---- */

TEST(origins)
{
	static const struct {
		const char	*list, *origin;
		bool		 allowed;
	} row[] = {
		/* Who sends none is no browser. */
		{ "[]", "", true },
		{ "[]", "https://a.org", false },
		{ "[]", "null", false },
		{ "[\"*\"]", "https://a.org", true },
		{ "[\"*\"]", "null", true },
		{ "[\"https://a.org\"]", "https://a.org", true },
		{ "[\"https://a.org\"]", "HTTPS://A.ORG", true },
		{ "[\"https://a.org\"]", "http://a.org", false },
		{ "[\"https://a.org\"]", "https://a.org:443", false },
		{ "[\"https://a.org\"]", "https://a.org.evil.org", false },
		{ "[\"https://a.org\"]", "https://evil.org/https://a.org",
		    false },
		{ "[\"https://a.org\"]", "https://xa.org", false },
		{ "[\"https://*.a.org\"]", "https://b.a.org", true },
		{ "[\"https://*.a.org\"]", "https://c.b.a.org", true },
		{ "[\"https://*.a.org\"]", "https://a.org", false },
		{ "[\"https://a.org\",\"https://b.org\"]", "https://b.org",
		    true },
		{ "[\"https://a.org\",\"*\"]", "https://c.org", true },
		{ "[\"https://a.org:*\"]", "https://a.org:8443", true },
	};
	char	text[256];
	size_t	i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"client\":{\"allowed_origins\":%s}}", row[i].list);
		test_note("%s of %s", row[i].origin, row[i].list);
		if (!CHECK(start(1, text)))
			return;
		CHECK(node_origin_allowed(srv.node[0],
		    sv_from(row[i].origin)) == row[i].allowed);
		CHECK(stop());
	}
}

/* The longest Origin that is looked at. */
TEST(long_origins)
{
	static char origin[1025];

	memset(origin, 'a', sizeof(origin));
	start(1, "{\"client\":{\"allowed_origins\":[\"aa*\"]}}");
	CHECK(node_origin_allowed(srv.node[0], sv_make(origin, 1024)));
	CHECK(!node_origin_allowed(srv.node[0], sv_make(origin, 1025)));
	CHECK(stop());
}

/* Another configuration is in force at once, also for those connected, and
 * the old one goes when nobody uses it any more. */
TEST(a_change_of_configuration)
{
	const struct conf	*other;
	struct node		*n;
	int			 fd;

	start(1, "{\"client\":{" ANON ",\"allowed_origins\":[\"http://a\"],"
	    "\"token\":{\"hmac_secret_key\":\"one\"}}}");
	n = srv.node[0];
	fd = connected(0);
	CHECK_STR(ask(fd, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}"),
	    "{\"id\":2,\"error\":{\"code\":103,"
	    "\"message\":\"permission denied\"}}");
	other = load("{\"client\":{\"allowed_origins\":[\"*\"],"
	    "\"token\":{\"hmac_secret_key\":\"two\"}},"
	    "\"channel\":{\"without_namespace\":{"
	    "\"allow_subscribe_for_client\":true,"
	    "\"allow_subscribe_for_anonymous\":true}}}");
	CHECK_INT(node_set_conf(n, other), 0);
	conf_unref(other);
	CHECK_STR(ask(fd, "{\"id\":3,\"subscribe\":{\"channel\":\"a\"}}"),
	    "{\"id\":3,\"subscribe\":{}}");
	CHECK_SV(n->verifier->jwt.hmac_secret, "two");
	CHECK(node_origin_allowed(n, SV("http://b")));
	close(fd);
	CHECK(stop());
}

static bool
set_conf_sweep(void)
{
	const struct conf	*other;
	bool			 ok;

	if (!start(1, "{\"client\":{\"allowed_origins\":[\"http://a\"]}}"))
		return false;
	if ((other = load("{\"client\":{\"allowed_origins\":[\"http://b\","
	    "\"http://c\"]}}")) == NULL) {
		stop();
		return false;
	}
	ok = node_set_conf(srv.node[0], other) == 0;
	CHECK(node_origin_allowed(srv.node[0], SV("http://c")) == ok);
	CHECK(node_origin_allowed(srv.node[0], SV("http://a")) == !ok);
	CHECK((srv.node[0]->conf == other) == ok);
	conf_unref(other);
	CHECK(stop());
	return ok;
}

TEST(a_change_without_memory)
{
	ALLOC_SWEEP(set_conf_sweep);
}

/* ---- the limit of connections ---- */

/* Dial worker i; the status of the answer. The descriptor goes to *fd. */
static int
status_of(unsigned i, int *fd)
{
	char	text[512] = "";
	int	status = 0;

	*fd = dial(i, PEER_HEAD "\r\n");
	(void)!read(*fd, text, sizeof(text) - 1);
	sscanf(text, "HTTP/1.1 %d", &status);
	return status;
}

TEST(connection_limit)
{
	int fd[3], other;

	start(2, "{\"client\":{" ANON ",\"connection_limit\":2}}");
	CHECK_INT(status_of(0, &fd[0]), 101);
	CHECK_INT(status_of(1, &fd[1]), 101);
	CHECK_INT(status_of(0, &fd[2]), 503);
	close(fd[2]);
	CHECK_INT(status_of(1, &fd[2]), 503);
	close(fd[2]);
	CHECK_INT(atomic_load(&srv.transports), 2);
	/* A place that is given back can be taken again. */
	close(fd[1]);
	turns(3);
	CHECK_INT(atomic_load(&srv.transports), 1);
	CHECK_INT(status_of(0, &fd[1]), 101);
	CHECK_INT(status_of(0, &other), 503);
	close(other);
	close(fd[0]);
	close(fd[1]);
	CHECK(stop());
}

/* Who is not a client takes no place. */
TEST(only_clients_take_places)
{
	int	fd;
	char	text[512] = "";

	start(1, "{\"client\":{\"connection_limit\":1}}");
	fd = dial(0, "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK_INT(atomic_load(&srv.transports), 0);
	close(fd);
	fd = dial(0, PEER_HEAD "Origin: http://a\r\n\r\n");
	(void)!read(fd, text, sizeof(text) - 1);
	CHECK(sv_starts(sv_from(text), SV("HTTP/1.1 403 ")));
	CHECK_INT(atomic_load(&srv.transports), 0);
	close(fd);
	CHECK(stop());
}

static bool
upgrade_sweep(void)
{
	int	fd;
	bool	ok;

	if (!start(1, "{\"client\":{\"connection_limit\":1}}"))
		return false;
	ok = status_of(0, &fd) == 101;
	if (fd != -1)
		close(fd);
	CHECK(stop());
	return ok;
}

TEST(no_place_is_lost_without_memory)
{
	ALLOC_SWEEP(upgrade_sweep);
}

/* ---- what a node does by itself ---- */

/* Once a second it lets go of what has expired. */
TEST(ticks)
{
	struct node	*n;

	start(1, "{}");
	n = srv.node[0];
	CHECK(timer_is_set(&n->tick));
	CHECK_INT(n->tick.at, srv.worker[0]->now + 1000);
	timer_stop(&n->tick);
	n->tick.fn(&n->tick);
	CHECK(timer_is_set(&n->tick));
	CHECK_INT(n->tick.at, srv.worker[0]->now + 1000);
	CHECK(stop());
}

/* ---- draining ---- */

TEST(drain_at_once)
{
	int fd[2], late, i;

	start(1, "{\"client\":{" ANON "},"
	    "\"shutdown\":{\"disconnect_spread\":\"1ms\"}}");
	fd[0] = connected(0);
	fd[1] = upgraded(0);
	node_drain(srv.node[0]);
	CHECK_INT(drains, 0);
	CHECK_INT(status_of(0, &late), 503);
	close(late);
	for (i = 0; i < 10; i++)
		worker_turn(srv.worker[0], 10);
	CHECK_STR(get(fd[0]), "close 3001");
	CHECK_STR(get(fd[1]), "close 3001");
	CHECK_INT(drains, 0);
	close(fd[0]);
	turns(2);
	CHECK_INT(drains, 0);
	close(fd[1]);
	turns(2);
	CHECK_INT(drains, 1);
	CHECK(stop());
}

/* They go at random times, none later than asked for. */
TEST(drain_with_a_spread)
{
	enum { N = 64, SPREAD = 8000 };
	struct client	*c;
	int		 fd[N], i, early = 0;
	int64_t		 at;

	start(1, "{\"client\":{" ANON "},"
	    "\"shutdown\":{\"disconnect_spread\":\"8s\"}}");
	for (i = 0; i < N; i++)
		fd[i] = connected(0);
	node_drain(srv.node[0]);
	LIST_FOREACH(c, &srv.node[0]->clients, entry) {
		at = c->shutdown_at - srv.worker[0]->now;
		CHECK(at >= 0 && at < SPREAD);
		CHECK(c->conn->timer.at <= c->shutdown_at);
		early += at < SPREAD / 2;
	}
	/* One half of 64, within six standard deviations. */
	CHECK(early > 8 && early < 56);
	for (i = 0; i < N; i++)
		close(fd[i]);
	turns(3);
	CHECK_INT(drains, 1);
	CHECK(stop());
}

TEST(drain_without_clients)
{
	start(1, "{}");
	node_drain(srv.node[0]);
	CHECK_INT(drains, 1);
	CHECK(stop());
}

/* ---- counters ---- */

TEST(slots_of_codes)
{
	static const struct { uint32_t code; unsigned slot; } row[] = {
		{ 2999, 200 }, { 3000, 0 }, { 3099, 99 }, { 3100, 200 },
		{ 3499, 200 }, { 3500, 100 }, { 3599, 199 }, { 3600, 200 },
		{ 0, 200 }, { UINT32_MAX, 200 },
	};
	unsigned i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("code %u", (unsigned)row[i].code);
		CHECK_INT(disconnect_slot(row[i].code), row[i].slot);
	}
	for (i = 0; i < CODE_SLOTS - 1; i++)
		CHECK_INT(disconnect_slot(disconnect_slot_code(i)), i);
	CHECK_INT(disconnect_slot_code(CODE_SLOTS - 1), 0);
}

TEST(durations)
{
	struct duration_stats d = { .count = 0 };

	duration_observe(&d, 100000);		/* 0.1 ms, a bound itself */
	duration_observe(&d, 100001);
	duration_observe(&d, 1000000000);	/* 1 s */
	duration_observe(&d, 1000000001);
	CHECK_INT(d.bucket[0], 1);
	CHECK_INT(d.bucket[1], 1);
	CHECK_INT(d.bucket[DURATION_BUCKETS - 2], 1);
	CHECK_INT(d.bucket[DURATION_BUCKETS - 1], 1);
	CHECK_INT(d.count, 4);
	CHECK_INT(d.sum_ns, 2000200002);
}

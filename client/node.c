/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Nodes: configuration in force, origins, draining, and asking all workers.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/jwks.h"
#include "client/token.h"
#include "http/server.h"
#include "util/ct.h"
#include "util/heap.h"
#include "util/log.h"

#define TICK_MS		1000
#define TRIM_AT		4096	/* allocations that expired in a tick */
#define DRAIN_LOOK_MS	20	/* between looks at requests in hand */

/* ---- counters ---- */

const double duration_bound[DURATION_BUCKETS - 1] = {
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1
};

/* see node.h */
void
duration_observe(struct duration_stats *d, int64_t ns)
{
	double	s = (double)ns / 1e9;
	int	i;

	for (i = 0; i < DURATION_BUCKETS - 1 && s > duration_bound[i]; i++)
		continue;
	d->bucket[i]++;
	d->count++;
	d->sum_ns += (uint64_t)ns;
}

/* see node.h */
unsigned
disconnect_slot(uint32_t code)
{
	if (code >= 3000 && code < 3100)
		return code - 3000;
	if (code >= 3500 && code < 3600)
		return code - 3500 + 100;
	return CODE_SLOTS - 1;
}

/* see node.h */
uint32_t
disconnect_slot_code(unsigned slot)
{
	if (slot < 100)
		return slot + 3000;
	return slot < 200 ? slot - 100 + 3500 : 0;
}

/* ---- configuration ---- */

static void
origins_free(struct glob **v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		glob_free(v[i]);
	free(v);
}

static int
origins_compile(const struct conf *conf, struct glob ***out)
{
	const struct conf_list	*list = &conf->client.allowed_origins;
	const char		*err;
	size_t			 i;

	*out = NULL;
	if (list->n == 0)
		return 0;
	if ((*out = calloc(list->n, sizeof(**out))) == NULL)
		return -1;
	for (i = 0; i < list->n; i++) {
		(*out)[i] = glob_new(sv_from(list->v[i]), &err);
		if ((*out)[i] == NULL) {
			log_error("client.allowed_origins is not usable",
			    kv_s("origin", list->v[i]), kv_s("error", err));
			origins_free(*out, list->n);
			return -1;
		}
	}
	return 0;
}

static int
verifiers_init(struct node *n, const struct conf *conf,
    struct token_verifier *v, struct token_verifier *sub)
{
	const char *why;

	if (token_verifier_init(v, conf, n->jwks, &why) == 0 &&
	    sub_token_verifier_init(sub, conf, n->jwks, &why) == 0)
		return 0;
	log_error("a public key for tokens can't be used",
	    kv_s("error", why));
	return -1;
}

/* see node.h */
int
node_set_conf(struct node *n, const struct conf *conf)
{
	const struct conf_list	 *list = &conf->client.allowed_origins;
	struct glob		**origin;
	struct token_verifier	 *v, *sub;

	if (origins_compile(conf, &origin) == -1)
		return -1;
	v = calloc(1, sizeof(*v));
	sub = calloc(1, sizeof(*sub));
	if (v == NULL || sub == NULL ||
	    verifiers_init(n, conf, v, sub) == -1) {
		free(v);
		free(sub);
		origins_free(origin, list->n);
		return -1;
	}
	free(n->verifier);
	free(n->sub_verifier);
	n->verifier = v;
	n->sub_verifier = sub;
	origins_free(n->origin, n->norigin);
	n->origin = origin;
	n->norigin = list->n;
	n->origin_any = list->n == 1 && strcmp(list->v[0], "*") == 0;
	conf_ref(conf);
	conf_unref(n->conf);
	n->conf = conf;
	return 0;
}

/* see node.h */
bool
node_origin_allowed(struct node *n, struct sv origin)
{
	char	lower[1024];
	size_t	i;

	if (origin.n == 0 || n->origin_any)
		return true;
	if (origin.n > sizeof(lower))
		return false;
	for (i = 0; i < origin.n; i++)
		lower[i] = origin.p[i] >= 'A' && origin.p[i] <= 'Z' ?
		    (char)(origin.p[i] + 'a' - 'A') : origin.p[i];
	for (i = 0; i < n->norigin; i++)
		if (glob_match(n->origin[i], sv_make(lower, origin.n)))
			return true;
	return false;
}

/* ---- life ---- */

static void
on_tick(struct timer *t)
{
	struct node *n = (struct node *)(void *)((char *)t -
	    offsetof(struct node, tick));

	if (n->draining && n->nclients == 0) {
		node_client_gone(n);
		return;
	}
	if (hub_expire(&n->hub) > TRIM_AT)
		heap_trim();
	timer_set(n->w, t, n->w->now + TICK_MS);
}

/* see node.h */
int
node_init(struct server *srv, struct worker *w, const struct conf *conf)
{
	struct node *n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return -1;
	n->w = w;
	n->srv = srv;
	LIST_INIT(&n->clients);
	json_init(&n->json);
	ws_zip_init(&n->zip, WS_DEFLATE_WINDOW);
	buf_init(&n->reply);
	buf_init(&n->scratch);
	buf_init(&n->push);
	filter_tags_init(&n->fan.tags);
	srv->worker[w->id] = w;
	srv->node[w->id] = n;
	srv->hub[w->id] = &n->hub;
	hub_init(&n->hub, w->id, srv->n, srv->hub, &client_hub_ops, n);
	if ((n->http = http_client_new(w)) == NULL ||
	    (n->jwks = jwks_new(w, n->http)) == NULL ||
	    (n->hub.broker = memory_broker_new(&n->hub,
	    random_bytes)) == NULL ||
	    node_set_conf(n, conf) == -1) {
		node_free(n);
		return -1;
	}
	w->ctx = n;
	n->tick.fn = on_tick;
	timer_set(w, &n->tick, w->now + TICK_MS);
	return 0;
}

/* see node.h */
void
node_free(struct node *n)
{
	if (n == NULL)
		return;
	assert(n->nclients == 0);
	timer_stop(&n->tick);
	if (n->jwks != NULL)
		jwks_free(n->jwks);
	if (n->http != NULL)
		http_client_free(n->http);
	hub_fini(&n->hub);
	free(n->verifier);
	free(n->sub_verifier);
	origins_free(n->origin, n->norigin);
	conf_unref(n->conf);
	json_fini(&n->json);
	ws_zip_fini(&n->zip);
	buf_fini(&n->reply);
	buf_fini(&n->scratch);
	buf_fini(&n->push);
	buf_fini(&n->fan.patch);
	filter_tags_fini(&n->fan.tags);
	n->srv->node[n->w->id] = NULL;
	free(n);
}

/* ---- draining ---- */

/* see node.h */
void
node_drain(struct node *n)
{
	int64_t		 spread = n->conf->shutdown.disconnect_spread;
	struct client	*c, *next;
	uint32_t	 r;

	n->draining = true;
	for (c = LIST_FIRST(&n->clients); c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		random_bytes(&r, sizeof(r));
		c->shutdown_at = n->w->now +
		    (spread > 0 ? (int64_t)(r % (uint64_t)spread) : 0);
		client_set_timer(c);
	}
	node_client_gone(n);
}

/* see node.h */
void
node_client_gone(struct node *n)
{
	if (!n->draining || n->nclients > 0)
		return;
	if (http_is_idle(n->w))
		n->srv->drained(n);
	else
		timer_set(n->w, &n->tick, n->w->now + DRAIN_LOOK_MS);
}

/* ---- asking all workers ---- */

struct gather_mail {
	struct mail	 mail;
	struct gather	*g;
	unsigned	 i;
};

static void
gather_finish(struct gather *g)
{
	g->done(g);
	free(g->mail);
	free(g->results);
	free(g);
}

static void
gather_answered(struct mail *m, void *ctx)
{
	struct gather *g = ((struct gather_mail *)(void *)m)->g;

	(void)ctx;
	if (--g->left == 0)
		gather_finish(g);
}

static void
gather_asked(struct mail *m, void *ctx)
{
	struct gather_mail	*gm = (struct gather_mail *)(void *)m;
	struct gather		*g = gm->g;

	g->run(ctx, g->arg, gather_result(g, gm->i));
	m->run = gather_answered;
	worker_post(g->home->w, m);
}

/* see node.h */
int
node_gather(struct node *home, size_t result_size, void *arg,
    void (*run)(struct node *, void *, void *),
    void (*done)(struct gather *))
{
	struct server	*srv = home->srv;
	struct gather	*g;
	unsigned	 i;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		return -1;
	g->results = calloc(srv->n, result_size > 0 ? result_size : 1);
	g->mail = calloc(srv->n, sizeof(*g->mail));
	if (g->results == NULL || g->mail == NULL) {
		free(g->results);
		free(g->mail);
		free(g);
		return -1;
	}
	g->home = home;
	g->arg = arg;
	g->left = srv->n;
	g->run = run;
	g->done = done;
	g->result_size = result_size;
	for (i = 0; i < srv->n; i++) {
		g->mail[i] = (struct gather_mail){
		    { NULL, gather_asked }, g, i };
		if (i != home->w->id)
			worker_post(srv->worker[i], &g->mail[i].mail);
	}
	run(home, arg, gather_result(g, home->w->id));
	if (--g->left == 0)
		gather_finish(g);
	return 0;
}

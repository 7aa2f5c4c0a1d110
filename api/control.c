/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The methods that ask every worker: disconnect, subscribe, unsubscribe,
 * refresh, channels and info (spec 5). What workers get to read is fixed
 * before they are asked; each writes into a result of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/code.h"
#include "client/sub.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/glob.h"

/* ---- what is done to the connections of a user ---- */

/* Which connections, and what becomes of them. */
struct control {
	struct sv	 user, client, session, channel;
	uint32_t	 code;
	bool		 own_reason;
	char		 reason[128];	/* a close frame holds 123 bytes */
	struct sub_request request;
	struct sub_options options;
	bool		 expired;
	int64_t		 expire_at;
	struct sv	 info;
	uint32_t	 refused;	/* who is meant refuses: the error */
	void		(*act)(struct client *, const struct control *);
	size_t		 nkeep;
	struct sv	 keep[];	/* clients that are left alone */
};

/* A bidirectional WebSocket has none. */
static bool
has_session(const struct client *c, struct sv s)
{
	char text[CLIENT_SESSION_MAX];

	return c->tr->session != NULL &&
	    ct_eq(s, sv_make(text, c->tr->session(c, text)));
}

static bool
is_meant(const struct control *ctl, const struct client *c)
{
	char		id[37];
	struct sv	s = sv_from(client_id(c, id));
	size_t		i;

	if (ctl->client.n > 0 && !sv_eq(ctl->client, s))
		return false;
	if (ctl->session.n > 0 && !has_session(c, ctl->session))
		return false;
	for (i = 0; i < ctl->nkeep; i++)
		if (sv_eq(ctl->keep[i], s))
			return false;
	return true;
}

/* From the last to the first: who goes is replaced by one who has been
 * looked at. The result is whether there was anybody. */
static void
control_run(struct node *n, void *arg, void *result)
{
	const struct control	*ctl = ((struct api_call *)arg)->work;
	struct hub_sub *const	*v;
	struct client		*c;
	bool			*any = result;
	size_t			 i;

	i = hub_members(&n->hub, HUB_USERS, ctl->user, &v);
	while (i-- > 0) {
		/* The register may have moved. */
		if (i >= hub_members(&n->hub, HUB_USERS, ctl->user, &v))
			continue;
		c = client_of_user_sub(v[i]);
		if (!is_meant(ctl, c))
			continue;
		*any = true;
		if (ctl->refused == 0)
			ctl->act(c, ctl);
	}
}

static void
control_done(struct gather *g)
{
	struct api_call		*c = g->arg;
	const struct control	*ctl = c->work;
	unsigned		 i;
	bool			 any = false;

	for (i = 0; i < g->home->srv->n; i++)
		any |= *(const bool *)gather_result(g, i);
	api_call_finish(c, any ? ctl->refused : 0);
}

static struct control *
control_new(struct api_call *c, const struct api_params *p,
    void (*act)(struct client *, const struct control *))
{
	struct control	*ctl;
	struct jv	 v;

	c->work = ctl = calloc(1, sizeof(*ctl) +
	    jv_len(p->whitelist) * sizeof(ctl->keep[0]));
	if (ctl == NULL)
		return NULL;
	ctl->user = p->user;
	ctl->client = p->client;
	ctl->session = p->session;
	ctl->channel = p->channel;
	ctl->act = act;
	for (v = jv_first(p->whitelist); jv_is(v); v = jv_next(v))
		ctl->keep[ctl->nkeep++] = api_string(v, &c->strings);
	return ctl;
}

static void
control_ask(struct api_call *c)
{
	if (c->work == NULL ||
	    node_gather(c->node, sizeof(bool), c, control_run,
	    control_done) == -1)
		api_call_finish(c, ERROR_INTERNAL);
}

static void
send_away(struct client *c, const struct control *ctl)
{
	client_disconnect(c, ctl->code, ctl->own_reason ? ctl->reason : NULL);
}

/* see call.h */
void
api_disconnect(struct api_call *c, const struct api_params *p)
{
	struct control	*ctl = control_new(c, p, send_away);
	size_t		 n = p->reason.n;

	if (ctl != NULL && jv_is(p->disconnect)) {
		if (n > sizeof(ctl->reason) - 1)
			n = sizeof(ctl->reason) - 1;
		if (n > 0)
			memcpy(ctl->reason, p->reason.p, n);
		ctl->own_reason = true;
		ctl->code = p->code;
	} else if (ctl != NULL) {
		ctl->code = DISCONNECT_FORCE_NO_RECONNECT;
	}
	control_ask(c);
}

/* The push comes in any case, and without a channel it is all that
 * happens (spec 12.48). */
static void
take_out(struct client *c, const struct control *ctl)
{
	client_unsubscribe(c, ctl->channel);
}

/* see call.h */
void
api_unsubscribe(struct api_call *c, const struct api_params *p)
{
	if (p->channel.n > 0 &&
	    channel_options(c->node->conf, p->channel, NULL) == NULL) {
		api_call_finish(c, ERROR_UNKNOWN_CHANNEL);
		return;
	}
	control_new(c, p, take_out);
	control_ask(c);
}

static void
bring_in(struct client *c, const struct control *ctl)
{
	client_subscribe(c, &ctl->request, &ctl->options);
}

/* What the subscription comes with: data for the client and chan_info. */
static uint32_t
take_payloads(struct api_call *c, const struct api_params *p,
    struct control *ctl)
{
	bool		data_ok, info_ok = true;
	uint32_t	error;

	/* The second may not move the first. */
	if (p->b64data.n > 0 && p->b64info.n > 0)
		buf_reserve(&c->decoded, p->b64data.n + p->b64info.n + 8);
	error = api_payload(c, p->data, p->b64data, &ctl->options.data,
	    &data_ok);
	if (error == 0)
		error = api_payload(c, p->info, p->b64info,
		    &ctl->options.info, &info_ok);
	/* No client could be told. */
	if (error == 0 && !(data_ok && info_ok))
		ctl->refused = ERROR_INTERNAL;
	return error;
}

/* An end that has passed is a mistake if there is anybody to whom it
 * matters. */
static uint32_t
make_subscription(struct api_call *c, const struct api_params *p,
    const struct conf_channel *opt, struct control *ctl)
{
	struct sub_options *o = &ctl->options;

	ctl->request = (struct sub_request){
		.channel = p->channel,
		.recover = jv_is(p->since),
		.offset = p->offset,
		.epoch = p->epoch,
	};
	sub_options_default(o, c->node->conf, opt);
	if (sub_options_override(o, p->override) == -1)
		return ERROR_BAD_REQUEST;
	o->server_side = true;
	/* recover_since is a place in the stream. */
	o->cache = o->auto_recover = false;
	o->expire_at = p->expire_at > 0 ? p->expire_at : 0;
	if (o->expire_at > 0 &&
	    o->expire_at <= clock_wall_ms() / MSEC_PER_SEC)
		ctl->refused = ERROR_INTERNAL;
	return take_payloads(c, p, ctl);
}

/* see call.h */
void
api_subscribe(struct api_call *c, const struct api_params *p)
{
	const struct conf_channel	*opt;
	struct control			*ctl;
	uint32_t			 error;

	if (p->channel.n == 0) {
		api_call_finish(c, ERROR_BAD_REQUEST);
		return;
	}
	if ((opt = channel_options(c->node->conf, p->channel, NULL)) == NULL) {
		api_call_finish(c, ERROR_UNKNOWN_CHANNEL);
		return;
	}
	if ((ctl = control_new(c, p, bring_in)) != NULL &&
	    (error = make_subscription(c, p, opt, ctl)) != 0)
		api_call_finish(c, error);
	else
		control_ask(c);
}

static void
prolong(struct client *c, const struct control *ctl)
{
	client_refresh(c, ctl->expired, ctl->expire_at, ctl->info);
}

/* see call.h */
void
api_refresh(struct api_call *c, const struct api_params *p)
{
	struct control *ctl = control_new(c, p, prolong);

	if (ctl != NULL) {
		ctl->expired = p->expired;
		ctl->expire_at = p->expire_at > 0 ? p->expire_at : 0;
		/* Who is to stay for ever stays what he is. */
		if (ctl->expire_at > 0)
			ctl->info = p->info;
	}
	control_ask(c);
}

/* ---- channels ---- */

/* What a worker answers: for each channel a struct record and its name. */
struct record {
	size_t	members;
	size_t	nname;
};

struct listing {
	const struct glob	*pattern;	/* NULL: every channel */
	struct buf		*out;
};

static void
list_channel(void *arg, struct sv name, size_t members)
{
	struct listing	*l = arg;
	struct record	 r = { members, name.n };

	if (l->pattern != NULL && !glob_match(l->pattern, name))
		return;
	buf_put(l->out, &r, sizeof(r));
	buf_putsv(l->out, name);
}

static void
channels_run(struct node *n, void *arg, void *result)
{
	struct listing l = { ((struct api_call *)arg)->work, result };

	hub_each(&n->hub, HUB_CHANNELS, list_channel, &l);
}

struct channel {
	struct sv	name;
	size_t		members;
};

static int
compare(const void *a, const void *b)
{
	const struct channel	*x = a, *y = b;
	size_t			 n = x->name.n < y->name.n ? x->name.n :
				    y->name.n;
	int			 d = memcmp(x->name.p, y->name.p, n);

	if (d != 0)
		return d;
	return x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

/* Append the channels of one worker to *v. */
static int
collect(const struct buf *records, struct channel **v, size_t *n, size_t *cap)
{
	struct channel	*grown;
	struct record	 r;
	size_t		 at;

	for (at = 0; at < records->n; at += sizeof(r) + r.nname) {
		if (*n == *cap) {
			*cap = *cap == 0 ? 64 : *cap * 2;
			grown = reallocarray(*v, *cap, sizeof(*grown));
			if (grown == NULL)
				return -1;
			*v = grown;
		}
		memcpy(&r, records->p + at, sizeof(r));
		(*v)[(*n)++] = (struct channel){
		    sv_make(records->p + at + sizeof(r), r.nname),
		    r.members };
	}
	return records->failed ? -1 : 0;
}

/* In the order of their names; those of several workers are summed. */
static void
put_channels(struct buf *b, const struct channel *v, size_t n)
{
	size_t i, members;

	buf_puts(b, "{\"channels\":{");
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(b, ',');
		json_put_str(b, v[i].name);
		members = v[i].members;
		for (; i + 1 < n && compare(&v[i], &v[i + 1]) == 0; i++)
			members += v[i + 1].members;
		buf_puts(b, ":{\"num_clients\":");
		buf_putu64(b, members);
		buf_putc(b, '}');
	}
	buf_puts(b, "}}");
}

static void
channels_done(struct gather *g)
{
	struct api_call	*c = g->arg;
	struct channel	*v = NULL;
	size_t		 n = 0, cap = 0;
	unsigned	 i, nodes = g->home->srv->n;
	int		 rc = 0;

	for (i = 0; i < nodes && rc == 0; i++)
		rc = collect(gather_result(g, i), &v, &n, &cap);
	if (n > 0)
		qsort(v, n, sizeof(*v), compare);
	if (rc == 0)
		put_channels(&c->result, v, n);
	free(v);
	for (i = 0; i < nodes; i++)
		buf_fini(gather_result(g, i));
	glob_free(c->work);
	c->work = NULL;
	api_call_finish(c, rc == 0 ? 0 : ERROR_INTERNAL);
}

/* see call.h */
void
api_channels(struct api_call *c, const struct api_params *p)
{
	const char *err;

	if (p->pattern.n > 0 &&
	    (c->work = glob_new(p->pattern, &err)) == NULL) {
		api_call_finish(c, ERROR_INTERNAL);
		return;
	}
	if (node_gather(c->node, sizeof(struct buf), c, channels_run,
	    channels_done) == -1) {
		glob_free(c->work);
		c->work = NULL;
		api_call_finish(c, ERROR_INTERNAL);
	}
}

/* ---- info ---- */

struct sums {
	uint64_t	clients, users, channels, subs;
};

static void
info_run(struct node *n, void *arg, void *result)
{
	struct sums *s = result;

	(void)arg;
	s->clients = n->stats.num_clients;
	s->users = n->hub.table[HUB_USERS].owned;
	s->channels = n->hub.table[HUB_CHANNELS].owned;
	s->subs = n->hub.nsubs;
}

static void
put_info(struct buf *b, const struct server *srv, const struct sums *s)
{
	int64_t up = (clock_wall_ms() - srv->started_wall_ms) / MSEC_PER_SEC;

	buf_printf(b, "{\"nodes\":[{\"uid\":\"%s\",\"name\":", srv->uid);
	json_put_str(b, sv_from(srv->name));
	buf_puts(b, ",\"version\":\"" FUGU_VERSION "\",\"num_clients\":");
	buf_putu64(b, s->clients);
	buf_puts(b, ",\"num_users\":");
	buf_putu64(b, s->users);
	buf_puts(b, ",\"num_channels\":");
	buf_putu64(b, s->channels);
	if (up > 0) {
		buf_puts(b, ",\"uptime\":");
		buf_puti64(b, up);
	}
	if (s->subs > 0) {
		buf_puts(b, ",\"num_subs\":");
		buf_putu64(b, s->subs);
	}
	buf_puts(b, "}]}");
}

static void
info_done(struct gather *g)
{
	struct api_call		*c = g->arg;
	struct sums		 all = { 0, 0, 0, 0 };
	const struct sums	*s;
	unsigned		 i;

	for (i = 0; i < g->home->srv->n; i++) {
		s = gather_result(g, i);
		all.clients += s->clients;
		all.users += s->users;
		all.channels += s->channels;
		all.subs += s->subs;
	}
	put_info(&c->result, g->home->srv, &all);
	api_call_finish(c, 0);
}

/* see call.h */
void
api_info(struct api_call *c, const struct api_params *p)
{
	(void)p;
	if (node_gather(c->node, sizeof(struct sums), c, info_run,
	    info_done) == -1)
		api_call_finish(c, ERROR_INTERNAL);
}

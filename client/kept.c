/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What channels keep, asked for by clients: history, presence and
 * presence_stats (spec 3).
 */
#include <stdlib.h>

#include "client/command.h"

/* The error that refuses access to what the channel keeps, or 0. */
static uint32_t
check_access(struct client *c, struct sv channel,
    bool (*kept)(const struct conf_channel *),
    bool (*may)(const struct conf_channel *, bool, bool),
    const struct conf_channel **opt)
{
	struct sv rest;

	*opt = channel_options(c->node->conf, channel, &rest);
	if (*opt == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_name_valid(*opt, rest))
		return ERROR_BAD_REQUEST;
	if (!kept(*opt))
		return ERROR_NOT_AVAILABLE;
	if (may(*opt, client_user(c).n == 0,
	    client_find_sub(c, channel) != NULL) ||
	    c->node->conf->client.insecure)
		return 0;
	return ERROR_PERMISSION_DENIED;
}

static void
send_or_fail(struct client *c, enum client_method m, uint32_t id,
    struct client_request *r)
{
	if (r == NULL)
		client_reply_error(c, m, id, ERROR_INTERNAL);
	else
		request_send(c, r);
}

/* ---- history ---- */

static void
put_history(struct enc *e, const struct hub_history *h)
{
	const struct pub_form	f = { .epoch = h->top.epoch };
	size_t			i;

	enc_list(e, "publications");
	for (i = 0; i < h->npub; i++) {
		enc_item(e, 1);
		encode_pub(e, h->pub[i], &f);
		enc_end(e);
	}
	enc_list_end(e);
	enc_str_always(e, 2, "epoch", sv_from(h->top.epoch));
	enc_u64_always(e, 3, "offset", h->top.offset);
}

static void
history_answered(struct client *c, struct client_request *r)
{
	struct hub_history *h = &r->hub.history;

	if (h->req.err != HUB_OK) {
		client_reply_error(c, METHOD_HISTORY, r->cmd_id,
		    ERROR_INTERNAL);
	} else if (r->epoch[0] != '\0' &&
	    strcmp(r->epoch, h->top.epoch) != 0) {
		client_reply_error(c, METHOD_HISTORY, r->cmd_id,
		    ERROR_UNRECOVERABLE_POSITION);
	} else {
		put_history(command_reply(c, METHOD_HISTORY, r->cmd_id), h);
		command_reply_end(c, METHOD_HISTORY);
	}
}

/* see command.h */
void
command_history(struct client *c, uint32_t id,
    const struct history_request *q)
{
	const struct conf		*conf = c->node->conf;
	const struct conf_channel	*opt;
	struct client_request		*r;
	int64_t				 limit = q->limit, max;
	uint32_t			 code;

	if (!command_channel(c, q->channel))
		return;
	code = check_access(c, q->channel, channel_keeps_history,
	    channel_may_history, &opt);
	if (code == 0 && q->reverse && q->since.given && q->since.offset == 0)
		code = ERROR_BAD_REQUEST;
	if (code != 0) {
		client_reply_error(c, METHOD_HISTORY, id, code);
		return;
	}
	max = conf->client.history_max_publication_limit;
	if (max > 0 && (limit < 0 || limit > max))
		limit = max;
	r = request_new(c, HUB_HISTORY, q->channel, id, history_answered);
	if (r != NULL) {
		r->hub.history.reverse = q->reverse;
		r->hub.history.has_since = q->since.given;
		r->hub.history.since = q->since.offset;
		r->hub.history.limit = limit;
		r->hub.history.meta_ttl = conf_meta_ttl(conf, opt);
		sv_copy(r->epoch, sizeof(r->epoch), q->since.epoch);
	}
	send_or_fail(c, METHOD_HISTORY, id, r);
}

/* ---- presence ---- */

static void
presence_answered(struct client *c, struct client_request *r)
{
	const struct hub_presence	*p = &r->hub.presence;
	struct enc			*e;
	size_t				 i;

	if (p->req.err != HUB_OK) {
		client_reply_error(c, METHOD_PRESENCE, r->cmd_id,
		    ERROR_INTERNAL);
		return;
	}
	e = command_reply(c, METHOD_PRESENCE, r->cmd_id);
	enc_map(e, "presence");
	for (i = 0; i < p->num_clients; i++) {
		enc_entry(e, 1, p->info[i].client);
		encode_info(e, &p->info[i]);
		enc_entry_end(e);
	}
	enc_map_end(e);
	command_reply_end(c, METHOD_PRESENCE);
}

static void
stats_answered(struct client *c, struct client_request *r)
{
	const struct hub_presence	*p = &r->hub.presence;
	struct enc			*e;

	if (p->req.err != HUB_OK) {
		client_reply_error(c, METHOD_PRESENCE_STATS, r->cmd_id,
		    ERROR_INTERNAL);
		return;
	}
	e = command_reply(c, METHOD_PRESENCE_STATS, r->cmd_id);
	enc_u64_always(e, 1, "num_clients", p->num_clients);
	enc_u64_always(e, 2, "num_users", p->num_users);
	command_reply_end(c, METHOD_PRESENCE_STATS);
}

static void
ask_presence(struct client *c, enum client_method m, enum hub_op op,
    uint32_t id, struct sv channel,
    void (*answered)(struct client *, struct client_request *))
{
	const struct conf_channel	*opt;
	uint32_t			 code;

	if (!command_channel(c, channel))
		return;
	code = check_access(c, channel, channel_keeps_presence,
	    channel_may_presence, &opt);
	if (code != 0)
		client_reply_error(c, m, id, code);
	else
		send_or_fail(c, m, id, request_new(c, op, channel, id,
		    answered));
}

/* see command.h */
void
command_presence(struct client *c, uint32_t id,
    const struct channel_request *q)
{
	ask_presence(c, METHOD_PRESENCE, HUB_PRESENCE, id, q->channel,
	    presence_answered);
}

/* see command.h */
void
command_presence_stats(struct client *c, uint32_t id,
    const struct channel_request *q)
{
	ask_presence(c, METHOD_PRESENCE_STATS, HUB_PRESENCE_STATS, id,
	    q->channel, stats_answered);
}

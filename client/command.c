/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The commands of the client protocol (spec 3): dispatch, and what those that
 * act on them share.
 */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/command.h"
#include "util/clock.h"
#include "util/log.h"

/* In the order in which they are looked for. */
const char *const client_method_name[METHOD_MAX] = {
	[METHOD_CONNECT] = "connect",
	[METHOD_SUBSCRIBE] = "subscribe",
	[METHOD_UNSUBSCRIBE] = "unsubscribe",
	[METHOD_PUBLISH] = "publish",
	[METHOD_PRESENCE] = "presence",
	[METHOD_PRESENCE_STATS] = "presence_stats",
	[METHOD_HISTORY] = "history",
	[METHOD_RPC] = "rpc",
	[METHOD_SEND] = "send",
	[METHOD_REFRESH] = "refresh",
	[METHOD_SUB_REFRESH] = "sub_refresh",
};

/* see command.h */
void
command_bad(struct client *c, const char *why)
{
	char id[37];

	log_debug("bad request from client", kv_s("why", why),
	    kv_s("client", client_id(c, id)), kv_sv("user", client_user(c)));
	client_disconnect(c, DISCONNECT_BAD_REQUEST, NULL);
}

/* see command.h */
bool
command_channel(struct client *c, struct sv channel)
{
	if (channel.n == 0)
		command_bad(c, "channel is empty");
	return channel.n > 0;
}

/* ---- answers ---- */

static void
count_duration(struct client *c, enum client_method m)
{
	duration_observe(&c->node->stats.command_duration[m],
	    clock_mono_ns() - c->cmd_started);
}

/* see client.h */
void
client_reply_error(struct client *c, enum client_method m, uint32_t id,
    uint32_t code)
{
	unsigned slot = code - 100 < ERROR_SLOTS - 1 ? code - 100 :
	    ERROR_SLOTS - 1;

	encode_error(client_reply_begin(c), id, code);
	c->node->stats.command_errors[m][slot]++;
	count_duration(c, m);
}

/* see command.h */
struct enc *
command_reply(struct client *c, enum client_method m, uint32_t id)
{
	struct enc *e = client_reply_begin(c);

	encode_reply_begin(e, id, m);
	return e;
}

/* see command.h */
void
command_reply_end(struct client *c, enum client_method m)
{
	encode_reply_end(&c->node->reply_enc);
	count_duration(c, m);
}

/* see command.h */
void
command_reply_empty(struct client *c, enum client_method m, uint32_t id)
{
	command_reply(c, m, id);
	command_reply_end(c, m);
}

/* ---- requests ---- */

/* The request with its answer, which is ours. */
static void
request_free(struct client_request *r)
{
	const struct hub_request *req = &r->hub.req;

	if (req->op == HUB_HISTORY)
		hub_pubs_free(req->home, r->hub.history.pub,
		    r->hub.history.npub);
	else if (req->op == HUB_PRESENCE)
		free(r->hub.presence.info);
	free(r);
}

static void
request_done(struct hub_request *req)
{
	struct client_request	*r = (struct client_request *)(void *)req;
	struct client		*c = r->client;

	if (c == NULL) {
		request_free(r);
		return;
	}
	c->request = NULL;
	if (c->state != CLIENT_CLOSED)
		r->answer(c, r);
	request_free(r);
	client_resume(c);
}

/* see command.h */
struct client_request *
request_new(struct client *c, enum hub_op op, struct sv channel,
    uint32_t cmd_id, void (*answer)(struct client *, struct client_request *))
{
	struct client_request *r;

	if ((r = calloc(1, sizeof(*r) + channel.n)) == NULL)
		return NULL;
	memcpy(r->channel, channel.p, channel.n);
	r->hub.req.op = op;
	r->hub.req.channel = sv_make(r->channel, channel.n);
	r->hub.req.done = request_done;
	r->client = c;
	r->cmd_id = cmd_id;
	r->answer = answer;
	return r;
}

/* see command.h */
void
request_send(struct client *c, struct client_request *r)
{
	c->request = r;
	c->waiting = true;
	hub_request(&c->node->hub, &r->hub.req);
}

/* ---- dispatch ---- */

static void
do_pong(struct client *c)
{
	if (!c->ping_out || c->frame_ping) {
		command_bad(c, "pong without a ping");
		return;
	}
	c->ping_out = false;
	c->pong_at = 0;
	client_stats(c)->pongs++;
	duration_observe(&client_stats(c)->ping_pong,
	    clock_mono_ns() - c->ping_sent);
}

static void
run(struct client *c, const struct command *cmd)
{
	uint32_t id = cmd->id;

	c->node->stats.commands[cmd->method]++;
	c->cmd_started = clock_mono_ns();
	switch (cmd->method) {
	case METHOD_CONNECT:
		command_connect(c, id, &cmd->u.connect);
		break;
	case METHOD_SUBSCRIBE:
		command_subscribe(c, id, &cmd->u.subscribe);
		break;
	case METHOD_UNSUBSCRIBE:
		command_unsubscribe(c, id, &cmd->u.channel);
		break;
	case METHOD_PUBLISH:
		command_publish(c, id, &cmd->u.publish);
		break;
	case METHOD_PRESENCE:
		command_presence(c, id, &cmd->u.channel);
		break;
	case METHOD_PRESENCE_STATS:
		command_presence_stats(c, id, &cmd->u.channel);
		break;
	case METHOD_HISTORY:
		command_history(c, id, &cmd->u.history);
		break;
	case METHOD_RPC:
		/* Nobody answers calls: there is no rpc proxy. */
		client_reply_error(c, METHOD_RPC, id, ERROR_NOT_AVAILABLE);
		break;
	case METHOD_SEND:
		client_disconnect(c, DISCONNECT_NOT_AVAILABLE, NULL);
		break;
	case METHOD_REFRESH:
		command_refresh(c, id, &cmd->u.refresh);
		break;
	case METHOD_SUB_REFRESH:
		command_sub_refresh(c, id, &cmd->u.refresh);
		break;
	case METHOD_MAX:
		break;
	}
	if (c->retry)
		c->node->stats.commands[cmd->method]--;
}

/* see client.h */
void
client_command(struct client *c, const struct command *cmd)
{
	bool uni = wire_forms[c->form].uni;

	if (c->state != CLIENT_CONNECTED && cmd->method != METHOD_CONNECT)
		command_bad(c, "command before connect");
	else if (cmd->id == 0 && cmd->method != METHOD_SEND &&
	    cmd->method != METHOD_CONNECT)
		do_pong(c);
	else if (cmd->method == METHOD_MAX ||
	    (cmd->id == 0 && cmd->method == METHOD_CONNECT && !uni))
		command_bad(c, "no command, or one without an id");
	else
		run(c, cmd);
}

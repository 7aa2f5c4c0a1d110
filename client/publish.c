/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * publish: a client speaks to a channel.
 */
#include <stdlib.h>

#include "client/command.h"

static uint32_t
check_publish(struct client *c, struct sv channel, struct sv data,
    const struct conf_channel **opt)
{
	const struct conf	*conf = c->node->conf;
	struct sv		 rest;

	if ((*opt = channel_options(conf, channel, &rest)) == NULL)
		return ERROR_UNKNOWN_CHANNEL;
	if (!channel_name_valid(*opt, rest) ||
	    !channel_data_valid(conf, *opt, data))
		return ERROR_BAD_REQUEST;
	if (channel_may_publish(*opt, client_user(c).n == 0,
	    client_find_sub(c, channel) != NULL) || conf->client.insecure)
		return 0;
	return ERROR_PERMISSION_DENIED;
}

static void
publish_answered(struct client *c, struct client_request *r)
{
	if (r->hub.req.err == HUB_OK)
		command_reply_empty(c, METHOD_PUBLISH, r->cmd_id);
	else
		client_reply_error(c, METHOD_PUBLISH, r->cmd_id,
		    ERROR_INTERNAL);
}

/* What comes as JSON is JSON. Without memory to see it, bytes are bytes. */
static bool
is_binary(struct client *c, struct sv data)
{
	return wire_forms[c->form].protobuf && data.n > 0 &&
	    json_parse(&c->node->json, data, 0) == -1;
}

static struct hub_pub *
make_pub(struct client *c, struct sv channel, struct sv data)
{
	char			uid[37];
	struct client_sub	*s = client_find_sub(c, channel);
	struct hub_pub_view	view = {
		.channel = channel,
		.data = data,
		.is_binary = is_binary(c, data),
		.has_info = true,
		.info = client_info(c, s, uid),
	};

	return hub_pub_new(&view);
}

static void
send_publish(struct client *c, uint32_t id, struct hub_pub *pub,
    const struct conf_channel *opt)
{
	struct client_request *r;

	r = pub == NULL ? NULL : request_new(c, HUB_PUBLISH, SV(""), id,
	    publish_answered);
	if (r == NULL) {
		hub_pub_unref(&c->node->hub, pub);
		client_reply_error(c, METHOD_PUBLISH, id, ERROR_INTERNAL);
		return;
	}
	r->hub.publish.pub = pub;
	channel_keep(c->node->conf, opt, &r->hub.publish);
	r->hub.publish.delta = opt->delta_publish;
	c->node->stats.published++;
	c->request = r;
	c->waiting = true;
	hub_publish(&c->node->hub, &r->hub.publish);
}

/* see command.h */
void
command_publish(struct client *c, uint32_t id,
    const struct publish_request *q)
{
	const struct conf_channel	*opt;
	uint32_t			 code;

	if (!command_channel(c, q->channel))
		return;
	code = q->type != 0 ? ERROR_NOT_AVAILABLE :
	    check_publish(c, q->channel, q->data, &opt);
	if (code != 0)
		client_reply_error(c, METHOD_PUBLISH, id, code);
	else
		send_publish(c, id, make_pub(c, q->channel, q->data), opt);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files that handle commands share: answering, and the requests
 * that wait for a channel's owner.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "client/channel.h"
#include "client/client.h"
#include "client/decode.h"
#include "client/encode.h"

/* Send away who does not keep to the protocol; why is for the log. */
void	command_bad(struct client *, const char *why);
/* Whether a channel is named. false: the client has been sent away. */
bool	command_channel(struct client *, struct sv channel);

/* ---- answering ---- */

/* The reply to command id is begun; write the result's members and end it. */
struct enc *command_reply(struct client *, enum client_method, uint32_t id);
void	command_reply_end(struct client *, enum client_method);
/* One that says nothing. */
void	command_reply_empty(struct client *, enum client_method, uint32_t id);

/* ---- waiting for a channel's owner ---- */

struct client_request {
	union {
		struct hub_request	req;	/* first in all of them */
		struct hub_publish	publish;
		struct hub_history	history;
		struct hub_presence	presence;
	} hub;
	struct client	*client;	/* NULL: gone */
	uint32_t	 cmd_id;
	char		 epoch[HUB_EPOCH_MAX];	/* asked for; "": any */
	/* The answer; not called when the client is gone. The reply is
	 * flushed and the client resumed by the caller. */
	void		(*answer)(struct client *, struct client_request *);
	char		 channel[];	/* for req.channel */
};

/* A request for channel with c waiting for it; the caller fills in the rest
 * and calls request_send(). NULL: no memory, c does not wait. */
struct client_request *request_new(struct client *, enum hub_op,
	    struct sv channel, uint32_t cmd_id,
	    void (*answer)(struct client *, struct client_request *));
void	request_send(struct client *, struct client_request *);

/* ---- the commands ---- */

void	command_connect(struct client *, uint32_t id,
	    const struct connect_request *);
void	command_refresh(struct client *, uint32_t id,
	    const struct refresh_request *);
void	command_subscribe(struct client *, uint32_t id,
	    const struct sub_request *);
void	command_unsubscribe(struct client *, uint32_t id,
	    const struct channel_request *);
void	command_sub_refresh(struct client *, uint32_t id,
	    const struct refresh_request *);
void	command_publish(struct client *, uint32_t id,
	    const struct publish_request *);
void	command_history(struct client *, uint32_t id,
	    const struct history_request *);
void	command_presence(struct client *, uint32_t id,
	    const struct channel_request *);
void	command_presence_stats(struct client *, uint32_t id,
	    const struct channel_request *);

#endif

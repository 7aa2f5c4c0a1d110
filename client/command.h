/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files that handle commands share: decoding, answering, and the
 * requests that wait for a channel's owner.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "client/channel.h"
#include "client/client.h"
#include "client/encode.h"

/* ---- decoding ---- */

/* The string member of that name, empty when absent or null; -1 if it is
 * something else. Unescaped into the node's scratch buffer. */
int	command_str(struct client *, struct jv obj, const char *name,
	    struct sv *out);
/* A whole number (0) or a boolean (false) when absent or null; -1 if it is
 * something else. */
int	command_i64(struct jv obj, const char *name, int64_t *out);
int	command_bool(struct jv obj, const char *name, bool *out);
/* Send away who does not keep to the protocol; why is for the log. */
void	command_bad(struct client *, const char *why);
/* The channel of a request. false: the client has been sent away. */
bool	command_channel(struct client *, struct jv req, struct sv *channel);

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

void	command_connect(struct client *, uint32_t id, struct jv);
void	command_refresh(struct client *, uint32_t id, struct jv);
void	command_subscribe(struct client *, uint32_t id, struct jv);
void	command_unsubscribe(struct client *, uint32_t id, struct jv);
void	command_sub_refresh(struct client *, uint32_t id, struct jv);
void	command_publish(struct client *, uint32_t id, struct jv);
void	command_history(struct client *, uint32_t id, struct jv);
void	command_presence(struct client *, uint32_t id, struct jv);
void	command_presence_stats(struct client *, uint32_t id, struct jv);

#endif

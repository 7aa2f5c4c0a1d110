/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What a channel's name means: its namespace, whether it is private, and
 * who may do what in it (spec 2, channel names and permissions). Pure.
 */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "conf/conf.h"
#include "hub/hub.h"
#include "util/sv.h"

/* The options of the channel's namespace, or NULL if there is no such
 * namespace. *rest is what stands behind the boundary; may be NULL. */
const struct conf_channel *channel_options(const struct conf *,
	    struct sv channel, struct sv *rest);
/* Whether it begins with channel.private_prefix. */
bool	channel_is_private(const struct conf *, struct sv channel);
/* Bytes that a channel's name may have. */
size_t	channel_max_length(const struct conf *);
/* Whether what follows the namespace is a name that channel_regex allows;
 * without one a name must be ASCII. */
bool	channel_name_valid(const struct conf_channel *, struct sv rest);
/* Whether it is user-limited, and whether that user is listed in it. */
bool	channel_is_user_limited(const struct conf *,
	    const struct conf_channel *, struct sv channel);
bool	channel_lists_user(const struct conf *, struct sv channel,
	    struct sv user);
/* Whether data may be published: what publication_data_format asks for. */
bool	channel_data_valid(const struct conf *, const struct conf_channel *,
	    struct sv data);
/* What a publication to this channel leaves behind. */
void	channel_keep(const struct conf *, const struct conf_channel *,
	    struct hub_publish *);

/* What is kept, and permissions of a client: anonymous means an empty user
 * id. */
bool	channel_keeps_history(const struct conf_channel *);
bool	channel_keeps_presence(const struct conf_channel *);
bool	channel_may_subscribe(const struct conf_channel *, bool anonymous);
bool	channel_may_publish(const struct conf_channel *, bool anonymous,
	    bool subscribed);
bool	channel_may_history(const struct conf_channel *, bool anonymous,
	    bool subscribed);
bool	channel_may_presence(const struct conf_channel *, bool anonymous,
	    bool subscribed);

#endif

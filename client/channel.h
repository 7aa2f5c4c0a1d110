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
#include "util/sv.h"

/* The options of the channel's namespace, or NULL if there is no such
 * namespace. *rest is what stands behind the boundary; may be NULL. */
const struct conf_channel *channel_options(const struct conf *,
	    struct sv channel, struct sv *rest);
/* Whether it begins with channel.private_prefix. */
bool	channel_is_private(const struct conf *, struct sv channel);
/* Bytes that a channel's name may have. */
size_t	channel_max_length(const struct conf *);
/* A name without channel_regex must be ASCII. */
bool	channel_name_valid(struct sv rest);
/* Permissions of a client: anonymous means an empty user id. */
bool	channel_may_subscribe(const struct conf_channel *, bool anonymous);
bool	channel_may_publish(const struct conf_channel *, bool anonymous,
	    bool subscribed);

#endif

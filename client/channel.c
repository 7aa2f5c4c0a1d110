/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See channel.h.
 */
#include "client/channel.h"

#define CHANNEL_LENGTH_DEFAULT	255	/* where the option is 0 */

/* see channel.h */
bool
channel_is_private(const struct conf *conf, struct sv channel)
{
	struct sv prefix = sv_from(conf->channel.private_prefix);

	return prefix.n > 0 && sv_starts(channel, prefix);
}

/* see channel.h */
const struct conf_channel *
channel_options(const struct conf *conf, struct sv channel, struct sv *rest)
{
	struct sv	boundary = sv_from(conf->channel.namespace_boundary);
	struct sv	bare = channel, name = { NULL, 0 };
	const char	*at = NULL;

	if (channel_is_private(conf, channel))
		bare = sv_skip(channel, strlen(conf->channel.private_prefix));
	if (bare.n > 0)
		at = memmem(bare.p, bare.n, boundary.p, boundary.n);
	if (at != NULL) {
		name = sv_make(bare.p, (size_t)(at - bare.p));
		channel = sv_skip(bare, name.n + boundary.n);
	}
	if (rest != NULL)
		*rest = channel;
	return conf_channel_find(conf, name);
}

/* see channel.h */
size_t
channel_max_length(const struct conf *conf)
{
	return conf->channel.max_length > 0 ?
	    (size_t)conf->channel.max_length : CHANNEL_LENGTH_DEFAULT;
}

/* see channel.h */
bool
channel_name_valid(struct sv rest)
{
	size_t i;

	for (i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] >= 0x80)
			return false;
	return true;
}

/* see channel.h */
bool
channel_may_subscribe(const struct conf_channel *opt, bool anonymous)
{
	return opt->allow_subscribe_for_client &&
	    (!anonymous || opt->allow_subscribe_for_anonymous);
}

/* see channel.h */
bool
channel_may_publish(const struct conf_channel *opt, bool anonymous,
    bool subscribed)
{
	if (anonymous && !opt->allow_publish_for_anonymous)
		return false;
	return opt->allow_publish_for_client ||
	    (opt->allow_publish_for_subscriber && subscribed);
}

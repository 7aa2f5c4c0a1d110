/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See channel.h.
 */
#include "client/channel.h"
#include "util/json.h"
#include "util/regex.h"

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
channel_name_valid(const struct conf_channel *opt, struct sv rest)
{
	size_t i;

	if (opt->channel_re != NULL)
		return regex_match(opt->channel_re, rest);
	for (i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] >= 0x80)
			return false;
	return true;
}

/* see channel.h */
bool
channel_is_user_limited(const struct conf *conf,
    const struct conf_channel *opt, struct sv channel)
{
	struct sv boundary = sv_from(conf->channel.user_boundary);

	return opt->allow_user_limited_channels && channel.n > 0 &&
	    memmem(channel.p, channel.n, boundary.p, boundary.n) != NULL;
}

/* see channel.h */
bool
channel_lists_user(const struct conf *conf, struct sv channel, struct sv user)
{
	struct sv	 boundary = sv_from(conf->channel.user_boundary);
	struct sv	 sep = sv_from(conf->channel.user_separator);
	const char	*at;
	size_t		 n;

	/* The users stand behind the last boundary. */
	while (channel.n > 0 && (at = memmem(channel.p, channel.n, boundary.p,
	    boundary.n)) != NULL)
		channel = sv_skip(channel, (size_t)(at - channel.p) +
		    boundary.n);
	for (;;) {
		at = channel.n == 0 ? NULL :
		    memmem(channel.p, channel.n, sep.p, sep.n);
		n = at == NULL ? channel.n : (size_t)(at - channel.p);
		if (sv_eq(sv_make(channel.p, n), user))
			return true;
		if (at == NULL)
			return false;
		channel = sv_skip(channel, n + sep.n);
	}
}

/* see channel.h */
bool
channel_data_valid(const struct conf *conf, const struct conf_channel *opt,
    struct sv data)
{
	const char	*format = conf_data_format(conf, opt);
	struct json	 j;
	bool		 ok;

	if (strcmp(format, "binary") == 0)
		return true;
	if (data.n == 0)
		return false;
	if (*format == '\0')
		return true;
	json_init(&j);
	ok = json_parse(&j, data, 0) == 0 && (strcmp(format, "json") == 0 ||
	    jv_type(json_root(&j)) == JSON_OBJECT);
	json_fini(&j);
	return ok;
}

/* see channel.h */
void
channel_keep(const struct conf *conf, const struct conf_channel *opt,
    struct hub_publish *p)
{
	p->history_size = (uint32_t)opt->history_size;
	p->history_ttl = opt->history_ttl;
	p->meta_ttl = conf_meta_ttl(conf, opt);
}

/* see channel.h */
bool
channel_keeps_history(const struct conf_channel *opt)
{
	return opt->history_size > 0 && opt->history_ttl > 0;
}

/* see channel.h */
bool
channel_keeps_presence(const struct conf_channel *opt)
{
	return opt->presence;
}

/* see channel.h */
bool
channel_may_subscribe(const struct conf_channel *opt, bool anonymous)
{
	return opt->allow_subscribe_for_client &&
	    (!anonymous || opt->allow_subscribe_for_anonymous);
}

/* The triple of permissions: for_anonymous only widens the other two. */
static bool
may(bool for_client, bool for_subscriber, bool for_anonymous,
    bool anonymous, bool subscribed)
{
	if (anonymous && !for_anonymous)
		return false;
	return for_client || (for_subscriber && subscribed);
}

/* see channel.h */
bool
channel_may_publish(const struct conf_channel *opt, bool anonymous,
    bool subscribed)
{
	return may(opt->allow_publish_for_client,
	    opt->allow_publish_for_subscriber,
	    opt->allow_publish_for_anonymous, anonymous, subscribed);
}

/* see channel.h */
bool
channel_may_history(const struct conf_channel *opt, bool anonymous,
    bool subscribed)
{
	return may(opt->allow_history_for_client,
	    opt->allow_history_for_subscriber,
	    opt->allow_history_for_anonymous, anonymous, subscribed);
}

/* see channel.h */
bool
channel_may_presence(const struct conf_channel *opt, bool anonymous,
    bool subscribed)
{
	return may(opt->allow_presence_for_client,
	    opt->allow_presence_for_subscriber,
	    opt->allow_presence_for_anonymous, anonymous, subscribed);
}

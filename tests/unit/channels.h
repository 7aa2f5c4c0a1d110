/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Channels for tests of clients: namespaces that keep history, presence and
 * more, and one channel in hand that the last worker owns, so that with two
 * workers what its subscribers on the first one ask takes a way through the
 * mail. All texts are written with ' for ". In what is sent @ is the channel
 * and ^ its epoch; in what has come the epoch shows as E and ids of clients
 * as ID.
 */
#ifndef TESTS_UNIT_CHANNELS_H
#define TESTS_UNIT_CHANNELS_H

#include "client/channel.h"
#include "tests/unit/peer.h"
#include "tests/unit/test.h"

#define KEY	"\"token\":{\"hmac_secret_key\":\"secret\"}"
#define KEEP \
	"\"history_size\":3,\"history_ttl\":\"60s\"," \
	"\"allow_history_for_subscriber\":true," ALLOW
#define ALLOW \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true," \
	"\"allow_publish_for_client\":true," \
	"\"allow_publish_for_anonymous\":true," \
	"\"allow_history_for_client\":true," \
	"\"allow_history_for_anonymous\":true," \
	"\"allow_presence_for_client\":true," \
	"\"allow_presence_for_anonymous\":true"
#define NAMESPACES \
	"\"channel\":{\"without_namespace\":{" ALLOW "},\"namespaces\":[" \
	"{\"name\":\"keep\",\"allow_tags_filter\":true," KEEP "}," \
	"{\"name\":\"must\",\"force_recovery\":true," KEEP "}," \
	"{\"name\":\"seen\",\"presence\":true,\"join_leave\":true," \
	"\"allow_positioning\":true," KEEP "}," \
	"{\"name\":\"delta\",\"delta_publish\":true,\"allow_tags_filter\":" \
	"true,\"allowed_delta_types\":[\"fossil\"]," KEEP "}," \
	"{\"name\":\"cache\",\"force_recovery\":true," \
	"\"force_recovery_mode\":\"cache\",\"allow_tags_filter\":true," \
	KEEP "}," \
	"{\"name\":\"auto\",\"force_recovery\":true,\"auto_cache_recover\":" \
	"true,\"force_recovery_mode\":\"cache\"," KEEP "}]}"
#define CHANNELS_CONF \
	"{\"client\":{\"allow_anonymous_connect_without_token\":true," \
	"\"ping_interval\":\"9h\",\"pong_timeout\":\"-1s\"," KEY "}," \
	NAMESPACES "}"

#define PEERS_MAX	16

static unsigned		workers;
static char		channel[32], epoch[HUB_EPOCH_MAX];
static int		peers[PEERS_MAX];
static unsigned		npeers;
static struct hub	*owner;

static inline bool
begin_with(const char *text, const char *ns)
{
	unsigned i = 0;

	do
		snprintf(channel, sizeof(channel), "%s%sc%u", ns,
		    *ns == '\0' ? "" : ":", i++ % 1000);
	while (hash_sv(sv_from(channel)) % 2 != 1);
	npeers = 0;
	epoch[0] = '\0';
	if (!start(workers, text))
		return false;
	owner = &srv.node[workers - 1]->hub;
	test_note("%u workers", workers);
	return true;
}

static inline bool
began(const char *text, const char *ns)
{
	return CHECK(begin_with(text, ns));
}

/* A body that ends with end(), for one worker and for two. */
#define WITH_WORKERS(text, ns)						\
	for (workers = 1; workers <= 2 && began(text, ns);		\
	    workers++)

/* All peers go; whether nothing was left of them. */
static inline bool
end(void)
{
	while (npeers > 0)
		close(peers[--npeers]);
	turns(6);
	return stop();
}

static inline int
remember(int fd)
{
	if (fd != -1)
		peers[npeers++] = fd;
	return fd;
}

/* A connected client of worker i. */
static inline int
come(unsigned i)
{
	return remember(connected(i));
}

static inline struct client *
newest(unsigned i)
{
	return LIST_FIRST(&srv.node[i]->clients);
}

static inline const char *
fill(const char *s)
{
	static char	 out[8192];
	char		*o = out;

	for (; *s != '\0'; s++)
		if (*s == '@' || *s == '^')
			o = stpcpy(o, *s == '@' ? channel : epoch);
		else
			*o++ = *s == '\'' ? '"' : *s;
	*o = '\0';
	return out;
}

/* What is expected, with the channel's name for '@'. */
static inline const char *
want(const char *s)
{
	static char	 out[8192];
	char		*o = out;

	for (; *s != '\0'; s++)
		if (*s == '@' && s[1] == '\'')
			o = stpcpy(o, channel);
		else
			*o++ = *s;
	*o = '\0';
	return out;
}

static inline bool
is_uuid(const char *s)
{
	return strspn(s, "0123456789abcdef-") == 36 && s[8] == '-' &&
	    s[13] == '-' && s[18] == '-' && s[23] == '-';
}

static inline const char *
show(const char *s)
{
	static char	 out[1 << 17];
	static const char mark[] = "\"epoch\":\"";
	char		*o = out;
	size_t		 n;

	while (*s != '\0') {
		if (strncmp(s, mark, sizeof(mark) - 1) == 0) {
			s += sizeof(mark) - 1;
			n = strcspn(s, "\"");
			if (n > 0 && n < sizeof(epoch))
				sv_copy(epoch, sizeof(epoch), sv_make(s, n));
			o += sprintf(o, "'epoch':'%s", n > 0 ? "E" : "");
			s += n;
		} else if (is_uuid(s)) {
			o = stpcpy(o, "ID");
			s += 36;
		} else {
			*o++ = *s == '"' ? '\'' : *s;
			s++;
		}
	}
	*o = '\0';
	return out;
}

static inline const char *
heard(int fd)
{
	turns(4);
	return show(get(fd));
}

static inline const char *
tell(int fd, const char *text)
{
	put(fd, fill(text));
	return heard(fd);
}

/* {'id':2,'subscribe':...} with more members, each with its comma. */
static inline const char *
join(int fd, const char *members)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "{'id':2,'subscribe':{'channel':'@'%s}}", members);
	return tell(fd, text);
}

static inline void
nothing_done(struct hub_request *req)
{
	(void)req;
}

/* A publication by nobody, as the server API makes them; all have it when
 * this returns. */
static inline bool
say_tagged(const char *data, const char *tags)
{
	struct hub_publish		 p = { .suppressed = false };
	const struct conf_channel	*opt;
	struct hub_pub_view		 v = { .channel = sv_from(channel) };
	char				 text[2][1024];

	strlcpy(text[0], fill(data), sizeof(text[0]));
	strlcpy(text[1], fill(tags), sizeof(text[1]));
	v.data = sv_from(text[0]);
	v.tags = sv_from(text[1]);
	opt = channel_options(conf, v.channel, NULL);
	if ((p.pub = hub_pub_new(&v)) == NULL)
		return false;
	channel_keep(conf, opt, &p);
	p.delta = opt->delta_publish;
	p.req.done = nothing_done;
	hub_publish(&srv.node[0]->hub, &p);
	turns(4);
	return p.req.err == HUB_OK;
}

static inline bool
say(const char *data)
{
	return say_tagged(data, "");
}

/* One that nobody asked for: what a broker that lost something delivers. */
static inline void
forge(uint64_t offset, const char *ep)
{
	const struct hub_pub_view v = {
		.channel = sv_from(channel), .data = SV("\"forged\""),
		.offset = offset,
	};

	struct hub_pub *pub = hub_pub_new(&v);

	if (pub != NULL)
		hub_deliver(owner, pub, NULL, ep);
	turns(4);
}

/* The periodic work of a client of the first worker, after so long; the next
 * turn sets the clock right again. */
static inline void
tick_after(struct client *c, int64_t ms)
{
	srv.worker[0]->now += ms;
	client_timer(c);
	turns(6);
}

#endif

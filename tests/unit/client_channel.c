/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Names of channels, and what clients may do in them.
 */
#include "client/channel.h"
#include "tests/unit/test.h"
#include "util/regex.h"

static struct conf_namespace spaces[] = {
	{ .name = "chat" }, { .name = "chat-2" }, { .name = "a:b" },
};

static struct conf conf = {
	.channel = {
		.private_prefix = "$",
		.namespace_boundary = ":",
		.namespaces = { spaces, 3 },
	},
};

struct row {
	const char	*channel;
	const char	*space;		/* "": none; NULL: unknown */
	const char	*rest;
	bool		 private;
};

static void
check(const struct row *r, const char *prefix, const char *boundary)
{
	const struct conf_channel	*want, *opt;
	struct sv			 rest;

	conf.channel.private_prefix = prefix;
	conf.channel.namespace_boundary = boundary;
	test_note("%s with %s and %s", r->channel, prefix, boundary);
	want = r->space == NULL ? NULL :
	    conf_channel_find(&conf, sv_from(r->space));
	CHECK((want == NULL) == (r->space == NULL));
	opt = channel_options(&conf, sv_from(r->channel), &rest);
	CHECK(opt == want);
	CHECK_SV(rest, r->rest);
	CHECK(channel_options(&conf, sv_from(r->channel), NULL) == want);
	CHECK(channel_is_private(&conf, sv_from(r->channel)) == r->private);
}

TEST(namespaces)
{
	static const struct row row[] = {
		{ "news", "", "news", false },
		{ "chat:news", "chat", "news", false },
		{ "chat-2:news", "chat-2", "news", false },
		{ "chat", "", "chat", false },
		{ "chat:", "chat", "", false },
		/* The first boundary is the one that counts. */
		{ "chat:a:b", "chat", "a:b", false },
		{ "a:b:c", NULL, "b:c", false },
		{ "chat-3:news", NULL, "news", false },
		{ "cha:news", NULL, "news", false },
		{ "CHAT:news", NULL, "news", false },
		/* An empty namespace is none. */
		{ ":rest", "", "rest", false },
		{ ":", "", "", false },
		{ "", "", "", false },
		/* Behind the prefix of private channels. */
		{ "$news", "", "$news", true },
		{ "$chat:news", "chat", "news", true },
		{ "$nope:news", NULL, "news", true },
		{ "$", "", "$", true },
		{ "$:a", "", "a", true },
		{ "a$chat:b", NULL, "b", false },
		{ "$$chat:b", NULL, "b", true },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check(&row[i], "$", ":");
}

TEST(boundaries_of_several_characters)
{
	static const struct row row[] = {
		{ "chat::news", "chat", "news", false },
		{ "chat:news", "", "chat:news", false },
		{ "chat:::news", "chat", ":news", false },
		{ "a:b::c", "a:b", "c", false },
		{ "::rest", "", "rest", false },
		{ "private-chat::x", "chat", "x", true },
		{ "private-x", "", "private-x", true },
		{ "private-", "", "private-", true },
		{ "private", "", "private", false },
		{ "$chat::x", NULL, "x", false },
		{ "chat:", "", "chat:", false },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check(&row[i], "private-", "::");
}

/* Without a prefix there are no private channels. */
TEST(no_private_prefix)
{
	static const struct row row[] = {
		{ "$chat:x", NULL, "x", false },
		{ "", "", "", false },
		{ "chat:x", "chat", "x", false },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check(&row[i], "", ":");
}

TEST(only_ascii_names)
{
	const struct conf_channel any = { .channel_re = NULL };

	CHECK(channel_name_valid(&any, SV("")));
	CHECK(channel_name_valid(&any, SV("a b\x7f\x01#&")));
	CHECK(!channel_name_valid(&any, SV("\x80")));
	CHECK(!channel_name_valid(&any, SV("gr\u00fcn")));
	CHECK(!channel_name_valid(&any, SV("news\xff")));
}

/* An expression says what a name is, ASCII or not. */
TEST(names_by_expression)
{
	const char		*err;
	struct regex		*re = regex_new(SV("^gr\u00fcn[0-9]+$"), &err);
	const struct conf_channel opt = { .channel_re = re };

	if (!CHECK(re != NULL))
		return;
	CHECK(channel_name_valid(&opt, SV("gr\u00fcn12")));
	CHECK(!channel_name_valid(&opt, SV("gr\u00fcn")));
	CHECK(!channel_name_valid(&opt, SV("")));
	regex_free(re);
}

TEST(longest_name)
{
	conf.channel.max_length = 0;
	CHECK_INT(channel_max_length(&conf), 255);
	conf.channel.max_length = 1;
	CHECK_INT(channel_max_length(&conf), 1);
	conf.channel.max_length = 1000;
	CHECK_INT(channel_max_length(&conf), 1000);
}

TEST(who_may_subscribe)
{
	struct conf_channel	opt = { .allow_subscribe_for_client = false };
	unsigned		i;

	for (i = 0; i < 4; i++) {
		opt.allow_subscribe_for_client = (i & 1) != 0;
		opt.allow_subscribe_for_anonymous = (i & 2) != 0;
		test_note("options %u", i);
		CHECK(channel_may_subscribe(&opt, false) == ((i & 1) != 0));
		/* The second modifies the first. */
		CHECK(channel_may_subscribe(&opt, true) == (i == 3));
	}
}

TEST(who_may_publish)
{
	/* For each set of options, who may: 1 a user, 2 a user who is
	 * subscribed, 4 and 8 the same without a user id. */
	static const unsigned want[8] = {
		0,			/* nothing is allowed */
		1 | 2,			/* clients */
		2,			/* subscribers */
		1 | 2,			/* both */
		0,			/* anonymous, but nothing else */
		1 | 2 | 4 | 8,
		2 | 8,
		1 | 2 | 4 | 8,
	};
	struct conf_channel	opt = { .allow_publish_for_client = false };
	unsigned		i, who;

	for (i = 0; i < 8; i++) {
		opt.allow_publish_for_client = (i & 1) != 0;
		opt.allow_publish_for_subscriber = (i & 2) != 0;
		opt.allow_publish_for_anonymous = (i & 4) != 0;
		for (who = 0; who < 4; who++) {
			test_note("options %u, who %u", i, who);
			CHECK(channel_may_publish(&opt, (who & 2) != 0,
			    (who & 1) != 0) == ((want[i] >> who & 1) != 0));
		}
	}
}

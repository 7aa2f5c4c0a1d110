/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What must agree among the options of channels and of tokens, each rule by
 * what breaks it and what just does not, and the expressions that are
 * compiled on the way. Whether Centrifugo takes such a configuration was
 * found out by asking it; where fugu refuses more, the row says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/load.h"
#include "tests/unit/test.h"
#include "util/base64.h"
#include "util/regex.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define PEM	"-----BEGIN PUBLIC KEY-----"	/* enough to be taken for it */

/* Load a text with ' for "; all findings in out, a line each, warnings with
 * a "W ". */
static const struct conf *
load(const char *text, char *out, size_t n)
{
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_source src = { .path = "c.json" };
	char *json = strdup(text), *p;
	const struct conf *c;
	size_t i, len = 0;

	for (p = json; (p = strchr(p, '\'')) != NULL;)
		*p = '"';
	src.text = sv_from(json);
	conf_load(&c, &src, &errs);
	out[0] = '\0';
	for (i = 0; i < errs.n && len < n; i++)
		len += (size_t)snprintf(out + len, n - len, "%s%s%s",
		    i > 0 ? "\n" : "",
		    errs.v[i].kind == CONF_WARN ? "W " : "", errs.v[i].text);
	CHECK((c == NULL) == (conf_errors_exit(&errs) != 0));
	conf_errors_fini(&errs);
	free(json);
	return c;
}

/* Options, and what is said about one of them after "c.json:1:COLUMN: " and
 * the name of the group. */
struct row {
	const char	*opts;
	const char	*error;
};

/* The group that the text has at %s gets the options of each row. */
static void
check_rows(const char *text, const char *group, const struct row *row,
    size_t n)
{
	char doc[1024], got[1024], want[1024];
	const char *error;
	size_t i;

	for (i = 0; i < n; i++) {
		test_note("%s: %s", group, row[i].opts);
		snprintf(doc, sizeof(doc), text, row[i].opts);
		conf_unref(load(doc, got, sizeof(got)));
		error = strncmp(got, "c.json:1:", 9) == 0 ?
		    strstr(got, ": ") + 2 : got;
		if (*row[i].error == '\0')
			want[0] = '\0';
		else if (strncmp(row[i].error, "W ", 2) == 0)
			snprintf(want, sizeof(want), "W %s.%s", group,
			    row[i].error + 2);
		else
			snprintf(want, sizeof(want), "%s.%s", group,
			    row[i].error);
		CHECK_STR(error, want);
	}
}

#define HISTORY	"'history_size':1,'history_ttl':'10s'"
#define CACHE	"'auto_cache_recover':true,'force_recovery_mode':'cache',"

static const struct row channel_rows[] = {
	{ HISTORY, "" },
	{ "'history_size':1", "history_size: needs history_ttl" },
	{ "'history_ttl':'1s'", "history_ttl: needs history_size" },
	{ "'history_size':1,'history_ttl':'1500ms'",
	    "history_ttl: must be whole seconds" },
	{ "'history_size':1,'history_ttl':'1000000001ns'",
	    "history_ttl: must be whole seconds" },
	{ "'history_size':1,'history_ttl':1000000000", "" },
	{ "'history_meta_ttl':'1s'", "" },
	{ "'history_meta_ttl':'1ms'",
	    "history_meta_ttl: must be whole seconds" },
	{ HISTORY ",'history_meta_ttl':'10s'", "" },
	{ HISTORY ",'history_meta_ttl':'9s'",
	    "history_ttl: must not be longer than history_meta_ttl" },
	{ "'history_size':1,'history_ttl':'720h'", "" },
	{ "'history_size':1,'history_ttl':'721h'",
	    "history_ttl: must not be longer than history_meta_ttl" },
	{ "'history_size':1,'history_ttl':'721h','history_meta_ttl':'721h'",
	    "" },
	/* Centrifugo has no opinion about these two. */
	{ "'history_size':-1,'history_ttl':'1s'",
	    "history_size: must be from 0 to 2147483647" },
	{ "'history_size':1,'history_ttl':'-1s'",
	    "history_ttl: must be from 0s up" },
	{ HISTORY ",'force_recovery':true", "" },
	{ "'force_recovery':true",
	    "force_recovery: needs history_size and history_ttl" },
	{ "'allow_recovery':true,'allow_positioning':true,"
	    "'force_positioning':true", "" },
	{ CACHE HISTORY ",'force_recovery':true", "" },
	{ CACHE HISTORY, "auto_cache_recover: needs force_recovery, and cache "
	    "as force_recovery_mode" },
	{ "'auto_cache_recover':true,'force_recovery':true," HISTORY,
	    "auto_cache_recover: needs force_recovery, and cache as "
	    "force_recovery_mode" },
	{ "'auto_cache_recover':true,'force_recovery':true,"
	    "'force_recovery_mode':'stream'," HISTORY,
	    "auto_cache_recover: needs force_recovery, and cache as "
	    "force_recovery_mode" },
	{ "'force_recovery_mode':'stream'", "" },
	{ "'force_recovery_mode':'Cache'",
	    "force_recovery_mode: must be one of: stream cache" },
	{ "'allowed_delta_types':['fossil','fossil']", "" },
	{ "'allowed_delta_types':['fossil','x']",
	    "allowed_delta_types: must be one of: fossil" },
	{ "'allowed_delta_types':['']",
	    "allowed_delta_types: must be one of: fossil" },
	{ "'publication_data_format':'json'", "" },
	{ "'publication_data_format':'json_object'", "" },
	{ "'publication_data_format':'binary'", "" },
	{ "'publication_data_format':'text'", "publication_data_format: "
	    "must be one of: json json_object binary" },
	{ "'subscription_type':'stream'", "" },
	{ "'subscription_type':'map'",
	    "subscription_type: must be one of: stream" },
	{ "'channel_regex':'^[a-z]+$'", "" },
	{ "'channel_regex':'(a'", "channel_regex: missing )" },
};

TEST(options_of_channels)
{
	check_rows("{'channel':{'without_namespace':{%s}}}",
	    "channel.without_namespace", channel_rows, N(channel_rows));
}

/* What is wrong in itself is found earlier, and called by the index. */
TEST(options_of_namespaces)
{
	char text[] = "{'channel':{'namespaces':[{'name':'ab'},"
	    "{'name':'chat',%s}]}}";
	bool early;
	size_t i;

	for (i = 0; i < N(channel_rows); i++) {
		early = strstr(channel_rows[i].error, "must be one of") ||
		    strstr(channel_rows[i].error, "must be from");
		check_rows(text, early ? "channel.namespaces[1]" :
		    "channel.namespaces[chat]", &channel_rows[i], 1);
	}
}

static const struct row channels_rows[] = {
	{ "'history_meta_ttl':'1s'", "" },
	{ "'history_meta_ttl':'1500ms'",
	    "history_meta_ttl: must be whole seconds" },
	{ "'history_meta_ttl':'1ms'", "history_meta_ttl: must be from 1s up" },
	{ "'history_meta_ttl':'9s','without_namespace':{" HISTORY "}",
	    "without_namespace.history_ttl: must not be longer than "
	    "history_meta_ttl" },
	{ "'history_meta_ttl':'9s','without_namespace':{" HISTORY
	    ",'history_meta_ttl':'10s'}", "" },
	{ "'publication_data_format':'binary'", "" },
	{ "'publication_data_format':'x'", "publication_data_format: must "
	    "be one of: json json_object binary" },
};

TEST(options_of_all_channels)
{
	check_rows("{'channel':{%s}}", "channel", channels_rows,
	    N(channels_rows));
}

#define WITH	"'presence':true"
#define CHAT	"'personal_channel_namespace':'chat'"
#define ONE	"'single_connection':true"

TEST(personal_channels)
{
	static const struct {
		const char	*without, *chat, *opts, *error;
	} rows[] = {
		{ "", "", "'enabled':true", "" },
		{ "", "", "'enabled':true," CHAT, "" },
		{ "", "", "'enabled':true,'personal_channel_namespace':'cha'",
		    "personal_channel_namespace: there is no such "
		    "namespace" },
		{ "", "", "'personal_channel_namespace':'cha'", "" },
		{ "", WITH, "'enabled':true," ONE, "single_connection: needs "
		    "presence in the personal channels" },
		{ WITH, "", "'enabled':true," ONE, "" },
		{ WITH, "", "'enabled':true," ONE "," CHAT, "single_connection"
		    ": needs presence in the personal channels" },
		{ "", WITH, "'enabled':true," ONE "," CHAT, "" },
		{ "", "", ONE, "single_connection: needs presence in the "
		    "personal channels" },
		{ WITH, WITH, ONE "," CHAT, "" },
	};
	char text[512];
	struct row row;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		snprintf(text, sizeof(text), "{'channel':{'namespaces':[{"
		    "'name':'chat'%s%s}],'without_namespace':{%s}},'client':{"
		    "'subscribe_to_user_personal_channel':{%%s}}}",
		    *rows[i].chat != '\0' ? "," : "", rows[i].chat,
		    rows[i].without);
		row = (struct row){ rows[i].opts, rows[i].error };
		check_rows(text, "client.subscribe_to_user_personal_channel",
		    &row, 1);
	}
}

#define URL	"'jwks_public_endpoint':'http://k/{{x}}/{{y}}',"
#define ISS	URL "'issuer_regex':"
#define WORDS	"issuer_regex: the group in jwks_public_endpoint must be a "   \
		"list of words"
#define CLASS	"issuer_regex: must hold no class of characters, because "     \
		"jwks_public_endpoint holds a group"

static const struct row token_rows[] = {
	{ "'user_id_claim':'user_ID'", "" },
	{ "'user_id_claim':'a-b'",
	    "user_id_claim: must be of letters and _ only" },
	{ "'user_id_claim':'a1'",
	    "user_id_claim: must be of letters and _ only" },
	{ "'audience':'a','issuer':'b'", "" },
	{ "'audience_regex':'a','issuer_regex':'b'", "" },
	{ "'audience':'a','issuer_regex':'b'", "" },
	{ "'audience':'a','audience_regex':'b'",
	    "audience_regex: can't be used together with audience" },
	{ "'issuer':'a','issuer_regex':'b'",
	    "issuer_regex: can't be used together with issuer" },
	{ "'audience_regex':'(a'", "audience_regex: missing )" },
	{ "'issuer_regex':'(a'", "issuer_regex: missing )" },
	{ "'rsa_public_key':'" PEM "','ecdsa_public_key':'" PEM "'", "" },
	{ "'rsa_public_key':'/nonexistent'",
	    "rsa_public_key: No such file or directory" },
	{ "'ecdsa_public_key':'/dev/null'",
	    "ecdsa_public_key: the file holds no PEM text" },
	{ "'jwks_public_endpoint':'http://keys.example.com/'", "" },
	{ "'jwks_public_endpoint':'ftp://keys.example.com/'",
	    "jwks_public_endpoint: must begin with https:// or http://" },
	{ "'jwks_public_endpoint':'https://keys.example.com/'", "" },
	/* Groups that stand in the URL. */
	{ URL "'audience_regex':'(?P<y>.*)'", "audience_regex: the group in "
	    "jwks_public_endpoint must be a list of words" },
	{ URL "'audience_regex':'(?P<z>.*)'", "" },
	{ URL "'audience_regex':'(?P<x>.*)',"
	    "'insecure_skip_jwks_endpoint_safety_check':true",
	    "W audience_regex: the group in jwks_public_endpoint must be a "
	    "list of words" },
	{ "'jwks_public_endpoint':'http://k/{x}','issuer_regex':"
	    "'(?P<x>[a].)'", "" },
	{ "'issuer_regex':'(?P<x>[a].)'", "" },
	{ ISS "'(?P<x>a|b)'", "" },
	{ ISS "'(?<x>a|b)'", "" },
	{ ISS "'(?P<x>)'", "" },
	{ ISS "'^https://(?P<x>a|b)\\\\.com.*$'", "" },
	{ ISS "'(?P<x>a(b|(?:c|d)(?P<z>e)(?<w>f)))+.*'", "" },
	{ ISS "'(?P<x>a\\\\.b)'", "" },
	{ ISS "'(?P<x>a\\\\)|b)'", "" },
	{ ISS "'\\\\[(?P<x>\\\\[)'", "" },
	{ ISS "'(?i)(?P<x>a)'", "" },
	{ ISS "'(?P<x>.*)'", WORDS },
	{ ISS "'(?<y>.*)'", WORDS },
	{ ISS "'(?P<x>a|b+)'", WORDS },
	{ ISS "'(?P<x>ab*)'", WORDS },
	{ ISS "'(?P<x>a?)'", WORDS },
	{ ISS "'(?P<x>a{2})'", WORDS },
	{ ISS "'(?P<x>^a)'", WORDS },
	{ ISS "'(?P<x>a$)'", WORDS },
	{ ISS "'(?P<x>a\\\\b)'", WORDS },
	{ ISS "'(?P<x>(?:a)b|.)'", WORDS },
	{ ISS "'(?P<x>(?P<z>a)b|.)'", WORDS },
	{ ISS "'(?P<x>a(b|.)c)'", WORDS },
	{ ISS "'(?P<x>a\\\\)|.*)'", WORDS },
	{ ISS "'\\\\\\\\(?P<x>.*)'", WORDS },
	{ ISS "'(?P<z>(?P<x>.*))'", WORDS },
	{ ISS "'(?P<x>a)(?P<y>.)'", WORDS },
	{ ISS "'(?P<x>[ab])'", CLASS },
	{ ISS "'(?P<x>\\\\d)'", CLASS },
	{ ISS "'(?P<x>a)[b]'", CLASS },
	{ ISS "'\\\\w(?P<x>a)'", CLASS },
	/* Centrifugo sees that these are fixed words, too. */
	{ ISS "'(?P<x>(?i)a)'", WORDS },
	{ ISS "'(?P<x>\\\\x41)'", WORDS },
};

TEST(verification_of_connection_tokens)
{
	check_rows("{'client':{'token':{%s}}}", "client.token", token_rows,
	    N(token_rows));
}

TEST(verification_of_subscription_tokens)
{
	check_rows("{'client':{'subscription_token':{'enabled':true,%s}}}",
	    "client.subscription_token", token_rows, N(token_rows));
}

TEST(what_is_not_enabled_may_be_wrong_but_for_the_claim)
{
	static const struct row rows[] = {
		{ "'audience':'a','audience_regex':'('", "" },
		{ "'rsa_public_key':'/nonexistent'", "" },
		{ "'user_id_claim':'a-b'",
		    "user_id_claim: must be of letters and _ only" },
	};

	check_rows("{'client':{'subscription_token':{%s}}}",
	    "client.subscription_token", rows, N(rows));
}

TEST(public_keys_may_be_files_or_base64)
{
	char path[] = "/tmp/fugu-key-XXXXXX", doc[512], got[512];
	struct buf b64 = BUF_INIT;
	const struct conf *c;
	int fd;

	if (!CHECK((fd = mkstemp(path)) != -1))
		return;
	CHECK(write(fd, PEM, sizeof(PEM) - 1) == sizeof(PEM) - 1);
	close(fd);
	base64_put(&b64, SV(PEM));
	snprintf(doc, sizeof(doc), "{'client':{'token':{'rsa_public_key':"
	    "'%s','ecdsa_public_key':'%.*s'}}}", path, SV_ARG(buf_sv(&b64)));
	c = load(doc, got, sizeof(got));
	CHECK_STR(got, "");
	if (CHECK(c != NULL))
		CHECK_STR(c->client.token.rsa_public_key, path);
	conf_unref(c);
	unlink(path);
	conf_unref(load(doc, got, sizeof(got)));
	CHECK_STR(got, "client.token.rsa_public_key: No such file or "
	    "directory");
	buf_fini(&b64);
}

TEST(no_key_in_a_finding)
{
	char got[512];

	CHECK(load("{'client':{'token':{'rsa_public_key':'S3CRET'}}}", got,
	    sizeof(got)) == NULL);
	CHECK(strstr(got, "S3CRET") == NULL);
}

TEST(expressions_are_compiled)
{
	char got[512];
	const struct conf_client *cl;
	const struct conf_channel *chat, *any;
	const struct conf *c = load("{'client':{'token':{'audience_regex':"
	    "'^a$','issuer_regex':'^i$'},'subscription_token':{'enabled':true,"
	    "'audience_regex':'^sa$','issuer_regex':'^si$'}},'channel':{"
	    "'without_namespace':{'channel_regex':'^w$'},'namespaces':[{"
	    "'name':'any'},{'name':'chat','channel_regex':'^c$'}]}}", got,
	    sizeof(got));

	CHECK_STR(got, "");
	if (!CHECK(c != NULL))
		return;
	cl = &c->client;
	chat = conf_channel_find(c, SV("chat"));
	any = conf_channel_find(c, SV("any"));
	CHECK(regex_match(cl->token.audience_re, SV("a")));
	CHECK(regex_match(cl->token.issuer_re, SV("i")));
	CHECK(regex_match(cl->subscription_token.token.audience_re,
	    SV("sa")));
	CHECK(regex_match(cl->subscription_token.token.issuer_re, SV("si")));
	CHECK(regex_match(c->channel.without_namespace.channel_re, SV("w")));
	CHECK(!regex_match(c->channel.without_namespace.channel_re,
	    SV("c")));
	CHECK(chat != NULL && regex_match(chat->channel_re, SV("c")));
	CHECK(any != NULL && any->channel_re == NULL);
	conf_unref(c);
}

TEST(what_counts_for_a_channel)
{
	char got[512];
	const struct conf_channel *own, *any;
	const struct conf *c = load("{'channel':{'history_meta_ttl':'90s',"
	    "'publication_data_format':'json','namespaces':[{'name':'own',"
	    "'history_meta_ttl':'10s','publication_data_format':'binary'},"
	    "{'name':'any'}]}}", got, sizeof(got));

	CHECK_STR(got, "");
	if (!CHECK(c != NULL))
		return;
	own = conf_channel_find(c, SV("own"));
	any = conf_channel_find(c, SV("any"));
	if (CHECK(own != NULL && any != NULL)) {
		CHECK_INT(conf_meta_ttl(c, own), 10000);
		CHECK_INT(conf_meta_ttl(c, any), 90000);
		CHECK_STR(conf_data_format(c, own), "binary");
		CHECK_STR(conf_data_format(c, any), "json");
	}
	conf_unref(c);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A configuration made of file, environment and flags.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/load.h"
#include "tests/unit/test.h"

#define REAL	"tests/unit/data/centrifugo.json"
#define N(a)	(sizeof(a) / sizeof((a)[0]))

/* Load src; all findings in out, a line each, warnings with a "W ". */
static const struct conf *
load(const struct conf_source *src, char *out, size_t n)
{
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;
	size_t i, len = 0;
	int ret;

	ret = conf_load(&c, src, &errs);
	CHECK_INT(ret, c == NULL ? -1 : 0);
	CHECK_INT(ret, conf_errors_exit(&errs) == 0 ? 0 : -1);
	out[0] = '\0';
	for (i = 0; i < errs.n && len < n; i++)
		len += (size_t)snprintf(out + len, n - len, "%s%s%s",
		    i > 0 ? "\n" : "",
		    errs.v[i].kind == CONF_WARN ? "W " : "", errs.v[i].text);
	conf_errors_fini(&errs);
	return c;
}

static const struct conf *
load_text(const char *text, char *out, size_t n)
{
	struct conf_source src = { .path = "c.json", .text = sv_from(text) };

	return load(&src, out, n);
}

/* One that must be right. */
static const struct conf *
must(const struct conf_source *src)
{
	char errors[4096];
	const struct conf *c = load(src, errors, sizeof(errors));

	CHECK_STR(errors, "");
	CHECK(c != NULL);
	return c;
}

TEST(defaults)
{
	const struct conf *c = must(&(struct conf_source){ .path = "x",
	    .text = SV("{}") });

	if (c == NULL)
		return;
	CHECK_STR(c->http_server.address, "");
	CHECK_INT(c->http_server.port, 8000);
	CHECK_STR(conf_internal_address(c), "");
	CHECK_INT(conf_internal_port(c), 8000);
	CHECK_INT(c->http_server.header_timeout, 10000);
	CHECK_INT(c->http_server.backlog, 4096);
	CHECK_STR(c->log.level, "info");
	CHECK_STR(c->log.format, "logfmt");
	CHECK_INT(c->client.ping_interval, 25000);
	CHECK_INT(c->client.pong_timeout, 8000);
	CHECK_INT(c->client.channel_limit, 128);
	CHECK_INT(c->client.queue_max_size, 1048576);
	CHECK_INT(c->client.allowed_origins.n, 0);
	CHECK(!c->client.insecure);
	CHECK_STR(c->client.token.hmac_secret_key, "");
	CHECK_INT(c->channel.max_length, 255);
	CHECK_STR(c->channel.private_prefix, "$");
	CHECK_STR(c->channel.namespace_boundary, ":");
	CHECK_INT(c->channel.namespaces.n, 0);
	CHECK_STR(c->http_api.handler_prefix, "/api");
	CHECK_STR(c->websocket.handler_prefix, "/connection/websocket");
	CHECK_INT(c->websocket.write_timeout, 1000);
	CHECK_INT(c->websocket.message_size_limit, 65536);
	CHECK_STR(c->prometheus.handler_prefix, "/metrics");
	CHECK(!c->prometheus.enabled);
	CHECK_INT(c->shutdown.timeout, 30000);
	CHECK_INT(c->shutdown.disconnect_spread, 1000);
	CHECK_INT(c->workers, 0);
	CHECK(conf_channel_find(c, SV("")) == &c->channel.without_namespace);
	CHECK(conf_channel_find(c, SV("chat")) == NULL);
	CHECK(conf_ref(c) == c);
	conf_unref(c);
	conf_unref(c);
	conf_unref(NULL);
}

TEST(a_file_as_centrifugo_has_them)
{
	const struct conf *c = must(&(struct conf_source){ .path = REAL });
	const struct conf_channel *ch;

	if (c == NULL)
		return;
	CHECK_STR(c->http_server.address, "127.0.0.1");
	CHECK_INT(c->http_server.port, 8010);
	CHECK_STR(conf_internal_address(c), "127.0.0.1");
	CHECK_INT(conf_internal_port(c), 8011);
	CHECK_STR(c->log.level, "debug");
	CHECK_STR(c->client.token.hmac_secret_key,
	    "bbe7d157-a253-4094-9759-06a8236543f9");
	CHECK_STR(c->client.token.audience, "chat");
	CHECK_STR(c->client.token.issuer, "https://auth.example.com");
	CHECK_INT(c->client.allowed_origins.n, 2);
	CHECK_STR(c->client.allowed_origins.v[1], "https://*.example.com");
	CHECK_INT(c->client.ping_interval, 20000);
	CHECK_INT(c->client.pong_timeout, 7000);
	CHECK_INT(c->client.channel_limit, 128);
	CHECK(c->client.subscription_token.enabled);
	CHECK_STR(c->client.subscription_token.token.issuer_regex,
	    "^https://(?P<realm>eu|us)\\.example\\.com$");
	CHECK_STR(c->client.subscription_token.token.hmac_secret_key, "");
	CHECK(c->client.subscribe_to_user_personal_channel.enabled);
	CHECK_INT(c->client.user_connection_limit, 5);
	CHECK_INT(c->client.channel_position_max_time_lag, 3000);
	CHECK_INT(c->client.history_max_publication_limit, 300);
	CHECK_INT(c->channel.history_meta_ttl, 720 * 3600 * 1000LL);
	CHECK_INT(c->channel.max_length, 200);
	CHECK_STR(c->channel.private_prefix, "$");
	CHECK(c->channel.without_namespace.allow_subscribe_for_client);
	CHECK(!c->channel.without_namespace.allow_publish_for_client);
	CHECK_INT(c->channel.namespaces.n, 2);
	ch = conf_channel_find(c, SV("chat"));
	CHECK(ch != NULL && ch->allow_publish_for_subscriber &&
	    !ch->allow_subscribe_for_anonymous && ch->presence &&
	    ch->join_leave && ch->force_recovery && !ch->allow_recovery &&
	    ch->allow_history_for_subscriber && ch->history_size == 100 &&
	    ch->history_ttl == 300000 && ch->history_meta_ttl == 0 &&
	    ch->allowed_delta_types.n == 1 &&
	    ch->allow_user_limited_channels && ch->channel_re != NULL);
	ch = conf_channel_find(c, SV("news-1.public"));
	CHECK(ch != NULL && !ch->allow_publish_for_subscriber &&
	    ch->allow_subscribe_for_anonymous && !ch->presence &&
	    ch->history_size == 0 && ch->channel_re == NULL);
	CHECK_STR(c->http_api.handler_prefix, "/server/api");
	CHECK_STR(c->http_api.error_mode, "transport");
	CHECK_INT(c->websocket.message_size_limit, 131072);
	CHECK(c->prometheus.enabled && c->health.enabled);
	CHECK_STR(c->health.handler_prefix, "/healthz");
	CHECK_STR(c->node.name, "node_1");
	conf_unref(c);
}

/* Texts of files, and all that is said about them. */
static const struct {
	const char	*text;
	const char	*errors;
} files[] = {
	{ "{}", "" },
	{ "{\"HTTP_Server\":{\"PORT\":\"0x50\"}}", "" },
	{ "{\"http_server.port\":80,\"http_server\":{\"address\":\"x\"}}", "" },
	{ "{\"client\":null,\"channel\":{\"namespaces\":null}}", "" },
	{ "{\"http_server\":{\"internal_port\":9000}}", "" },
	{ "{\"client\":{\"insecure\":\"yes\",\"allowed_origins\":\"*\"}}", "" },
	{ "", "c.json:1:1: not valid JSON: no JSON value" },
	{ "[]", "c.json: expected an object" },
	{ "3", "c.json: expected an object" },
	{ "{\"a\":1}", "c.json:1:2: a: unknown key" },
	{ "{\n  \"client\": {\n    \"ping_intervall\": \"3s\"\n  }\n}",
	    "c.json:3:5: client.ping_intervall: unknown key (did you mean "
	    "client.ping_interval?)" },
	{ "{\"http_server.prot\":1}", "c.json:1:2: http_server.prot: unknown "
	    "key (did you mean http_server.port?)" },
	{ "{\"http_server.port.x\":1}", "c.json:1:2: http_server.port.x: "
	    "unknown key" },
	{ "{\"\":1}", "c.json:1:2: unknown key" },
	{ "{\"a\\u001b[1m\\nb\":1}", "c.json:1:2: a\\x1b[1m\\x0ab: unknown "
	    "key" },
	{ "{\"log\":{\"level\":\"info\"},\"LOG\":{\"file\":\"\"}}",
	    "c.json:1:25: log: stands twice" },
	{ "{\"workers\":1,\"Workers\":2,\"workerS\":3}",
	    "c.json:1:14: workers: stands twice\n"
	    "c.json:1:26: workers: stands twice" },
	{ "{\"workers\":1.5}", "c.json:1:12: workers: expected a whole number,"
	    " got 1.5" },
	{ "{\"workers\":true}", "c.json:1:12: workers: expected a whole "
	    "number, got true" },
	{ "{\"workers\":-1}", "c.json:1:12: workers: must be from 0 to 1024" },
	{ "{\"workers\":1025}",
	    "c.json:1:12: workers: must be from 0 to 1024" },
	{ "{\"pid_file\":[\"x\"]}", "c.json:1:13: pid_file: expected a string,"
	    " got [\"x\"]" },
	{ "{\"pid_file\":\"a\\u0000b\"}", "c.json:1:13: pid_file: expected a "
	    "string, got \"a\\u0000b\"" },
	{ "{\"client\":[]}", "c.json:1:2: client: expected an object" },
	{ "{\"client\":{\"ping_interval\":\"abc\"}}", "c.json:1:28: client."
	    "ping_interval: expected a duration such as 25s or 1h30m, got "
	    "\"abc\"" },
	{ "{\"client\":{\"insecure\":\"perhaps\"}}", "c.json:1:23: client."
	    "insecure: expected true or false, got \"perhaps\"" },
	{ "{\"client\":{\"insecure\":2}}", "c.json:1:23: client."
	    "insecure: expected true or false, got 2" },
	{ "{\"client\":{\"allowed_origins\":[\"a\",1]}}", "c.json:1:30: client."
	    "allowed_origins: expected a list of strings, got [\"a\",1]" },
	{ "{\"log\":{\"level\":\"verbose\"}}", "c.json:1:17: log.level: must "
	    "be one of: trace debug info warn error fatal none" },
	{ "{\"http_server\":{\"port\":65536}}", "c.json:1:24: http_server."
	    "port: must be from 0 to 65535" },
	{ "{\"http_server\":{\"internal_port\":\"http\"}}", "c.json:1:33: "
	    "http_server.internal_port: expected a port number, got \"http\"" },
	{ "{\"http_api\":{\"key\":[\"SECRET\"]}}",
	    "c.json:1:20: http_api.key: expected a string" },
	{ "{\"engine\":{\"type\":\"redis\"}}",
	    "c.json:1:19: engine.type: not supported yet" },
	{ "{\"engine\":{\"type\":\"etcd\"}}",
	    "c.json:1:19: engine.type: must be one of: memory redis" },
	{ "{\"uni_grpc\":{\"enabled\":true},\"channel\":{"
	    "\"without_namespace\":{\"subscribe_proxy_enabled\":true}}}",
	    "c.json:1:24: uni_grpc.enabled: not supported yet\n"
	    "c.json:1:88: channel.without_namespace.subscribe_proxy_enabled: "
	    "not supported yet" },
	{ "{\"channel\":{\"namespaces\":{\"chat\":{}}}}", "c.json:1:13: "
	    "channel.namespaces: expected a list of objects" },
	{ "{\"channel\":{\"namespaces\":[1,{\"name\":\"ab\",\"x\":1}]}}",
	    "c.json:1:27: channel.namespaces[0]: expected an object\n"
	    "c.json:1:42: channel.namespaces[1].x: unknown key" },
	{ "{\"proxies\":[{\"name\":\"p\",\"endpoint\":\"x\",\"xyz\":1}]}",
	    "c.json:1:2: proxies: not supported yet\n"
	    "c.json:1:40: proxies[0].xyz: unknown key" },
	{ "{\"rpc\":{\"proxy\":{\"http\":{\"static_headers\":"
	    "[{\"key\":\"a\",\"value\":\"b\"},{\"key\":\"a\",\"value\":\"\"}]}}"
	    "}}", "c.json:1:68: rpc.proxy.http.static_headers: a stands "
	    "twice" },
	{ "{\"rpc\":{\"proxy\":{\"http\":{\"static_headers\":{}}}}}", "" },
	{ "{\"rpc\":{\"proxy\":{\"http\":{\"static_headers\":[]}}}}", "" },
	{ "{\"rpc\":{\"proxy\":{\"http\":{\"static_headers\":{\"a\":"
	    "\"${CENTRIFUGO_VAR_NONE}\"}}}}}", "c.json:1:48: rpc.proxy.http."
	    "static_headers: variable CENTRIFUGO_VAR_NONE is not set" },
	/* What is wrong as a whole. */
	{ "{\"client\":{\"ping_interval\":\"8s\"}}", "client.ping_interval: "
	    "must be longer than client.pong_timeout" },
	{ "{\"client\":{\"pong_timeout\":-1}}", "" },
	{ "{\"client\":{\"token\":{\"user_id_claim\":\"user-id\"}}}", "client."
	    "token.user_id_claim: must be of letters and _ only" },
	{ "{\"client\":{\"token\":{\"user_id_claim\":\"user_ID\"}}}", "" },
	{ "{\"channel\":{\"namespaces\":[{\"name\":\"ab\"},"
	    "{\"name\":\"ab\"}]}}",
	    "channel.namespaces: the name \"ab\" stands twice" },
	{ "{\"channel\":{\"namespaces\":[{\"name\":\"a\"}]}}", "channel."
	    "namespaces: the name \"a\" is not 2 to 100 letters, digits and "
	    "-_." },
	{ "{\"channel\":{\"namespaces\":[{}]}}", "channel."
	    "namespaces: the name \"\" is not 2 to 100 letters, digits and "
	    "-_." },
	{ "{\"channel\":{\"namespaces\":[{\"name\":\"a:b\"}]}}", "channel."
	    "namespaces: the name \"a:b\" is not 2 to 100 letters, digits and "
	    "-_." },
	{ "{\"http_api\":{\"handler_prefix\":\"api\"}}",
	    "http_api.handler_prefix: must begin with /" },
	{ "{\"http_api\":{\"handler_prefix\":\"/a b\"}}",
	    "http_api.handler_prefix: must be a plain path" },
	{ "{\"http_api\":{\"handler_prefix\":\"/metrics/\"},\"prometheus\":{"
	    "\"enabled\":true}}", "prometheus.handler_prefix: is the same as "
	    "http_api.handler_prefix" },
	{ "{\"http_api\":{\"handler_prefix\":\"/metrics/\"}}", "" },
	{ "{\"http_api\":{\"handler_prefix\":\"/ws\"},\"websocket\":{"
	    "\"handler_prefix\":\"/ws\"},\"http_server\":{\"internal_port\":"
	    "\"9000\"}}", "" },
};

TEST(what_is_said_about_a_file)
{
	char errors[4096];
	size_t i;

	for (i = 0; i < N(files); i++) {
		char *text = guard_dup(sv_from(files[i].text));
		struct conf_source src = { .path = "c.json",
		    .text = sv_make(text, strlen(files[i].text)) };

		test_note("%s", files[i].text);
		conf_unref(load(&src, errors, sizeof(errors)));
		CHECK_STR(errors, files[i].errors);
		guard_free(text);
	}
}

TEST(the_place_of_a_syntax_error_is_told)
{
	char errors[256];

	CHECK(load_text("{\n  \"log\": {\n    \"level\" \"info\"\n  }\n}",
	    errors, sizeof(errors)) == NULL);
	CHECK(strncmp(errors, "c.json:3:", 9) == 0);
	CHECK(strstr(errors, "not valid JSON") != NULL);
}

TEST(not_only_the_first_finding_and_not_without_end)
{
	struct buf b = BUF_INIT;
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_source src = { .path = "c.json" };
	const struct conf *c;
	int i;

	buf_puts(&b, "{\"zzz0\":1");
	for (i = 1; i < 1000; i++)
		buf_printf(&b, ",\"zzz%d\":1", i);
	buf_putc(&b, '}');
	src.text = buf_sv(&b);
	CHECK_INT(conf_load(&c, &src, &errs), -1);
	CHECK_INT(errs.bad, 1000);
	CHECK_INT(errs.n, 200);
	CHECK_INT(conf_errors_exit(&errs), EX_CONFIG);
	conf_errors_fini(&errs);
	buf_fini(&b);
}

/* Spec 12.56. */
TEST(zero_stands_for_the_default_in_the_file_only)
{
	char *vars[] = { "CENTRIFUGO_CLIENT_CHANNEL_LIMIT=0",
	    "FUGU_SHUTDOWN_DISCONNECT_SPREAD=0s", NULL };
	struct conf_flag flags[] = { { "channel.private_prefix", "" },
	    { "http_server.port", "0" } };
	struct conf_source src = { .path = "c.json", .text =
	    SV("{\"client\":{\"channel_limit\":0,\"ping_interval\":0},"
	    "\"channel\":{\"private_prefix\":\"\"},"
	    "\"http_server\":{\"port\":0},"
	    "\"shutdown\":{\"disconnect_spread\":\"0s\"}}") };
	const struct conf *c = must(&src);

	if (c == NULL)
		return;
	CHECK_INT(c->client.channel_limit, 128);
	CHECK_INT(c->client.ping_interval, 25000);
	CHECK_STR(c->channel.private_prefix, "$");
	CHECK_INT(c->http_server.port, 8000);
	CHECK_INT(c->shutdown.disconnect_spread, 1000);
	conf_unref(c);
	src.environ = vars;
	src.flags = flags;
	src.nflags = N(flags);
	if ((c = must(&src)) == NULL)
		return;
	CHECK_INT(c->client.channel_limit, 0);
	CHECK_INT(c->shutdown.disconnect_spread, 0);
	CHECK_STR(c->channel.private_prefix, "");
	CHECK_INT(c->http_server.port, 0);
	conf_unref(c);
}

TEST(each_source_is_stronger_than_the_one_before)
{
	char *vars[] = { "FUGU_HTTP_SERVER_PORT=4",
	    "CENTRIFUGO_HTTP_SERVER_PORT=3", NULL };
	struct conf_flag flag = { "HTTP_server.port", "5" };
	struct conf_source src = { .path = "c.json", .text = SV("{}") };
	const struct conf *c;
	int64_t got[5] = { 0 };
	int i;

	for (i = 0; i < 5; i++) {
		if (i == 1)
			src.text = SV("{\"http_server\":{\"port\":2}}");
		if (i == 2)
			src.environ = vars + 1;
		if (i == 3)
			src.environ = vars;
		src.flags = &flag;
		src.nflags = i == 4;
		if ((c = must(&src)) == NULL)
			return;
		got[i] = c->http_server.port;
		conf_unref(c);
	}
	CHECK_INT(got[0], 8000);
	for (i = 1; i < 5; i++)
		CHECK_INT(got[i], i + 1);
}

/* Environments, and all that is said about them. */
static const struct {
	char		*env[4];
	const char	*errors;
} environments[] = {
	{ { NULL }, "" },
	{ { "CENTRIFUGO_HTTP_SERVER_PORT=" }, "" },
	{ { "CENTRIFUGO_CLIENT_ALLOWED_ORIGINS= a  b " }, "" },
	{ { "CENTRIFUGO_HTTP_SERVER_PORT=x" }, "CENTRIFUGO_HTTP_SERVER_PORT: "
	    "http_server.port: expected a whole number, got x" },
	{ { "FUGU_CLIENT_PING_INTERVAL=5" }, "FUGU_CLIENT_PING_INTERVAL: "
	    "client.ping_interval: expected a duration such as 25s or 1h30m, "
	    "got 5" },
	{ { "CENTRIFUGO_FOO=1", "FUGU_FOO=", "OTHER=1" },
	    "W CENTRIFUGO_FOO: unknown variable\n"
	    "W FUGU_FOO: unknown variable" },
	{ { "CENTRIFUGO_PORT=tcp://1.2.3.4:80", "CENTRIFUGO_PORT_80_TCP=x",
	    "CENTRIFUGO_WEB_SERVICE_HOST=x" }, "" },
	{ { "FUGU_VAR_X=1", "CENTRIFUGO_VAR_Y=1" }, "" },
	{ { "centrifugo_foo=1", "CENTRIFUGO_", "CENTRIFUGO_FOO" }, "" },
	{ { "CENTRIFUGO_HTTP_API_KEY=a",
	    "CENTRIFUGO_HTTP_API_KEY_FILE=/dev/null" },
	    "CENTRIFUGO_HTTP_API_KEY_FILE: CENTRIFUGO_HTTP_API_KEY is set, "
	    "too" },
	{ { "CENTRIFUGO_HTTP_API_KEY_FILE=/nonexistent" },
	    "CENTRIFUGO_HTTP_API_KEY_FILE: /nonexistent: No such file or "
	    "directory" },
	{ { "CENTRIFUGO_NODE_NAME_FILE=/dev/null" },
	    "W CENTRIFUGO_NODE_NAME_FILE: unknown variable" },
	{ { "CENTRIFUGO_PROXIES=a b", "CENTRIFUGO_PROXIES_A_ENDPOINT=x" },
	    "CENTRIFUGO_PROXIES: proxies: not supported yet" },
	{ { "CENTRIFUGO_CHANNEL_NAMESPACES=[{\"name\":\"ab\",\"xx\":1}]" },
	    "CENTRIFUGO_CHANNEL_NAMESPACES:1:15: channel.namespaces[0].xx: "
	    "unknown key" },
	{ { "CENTRIFUGO_CHANNEL_NAMESPACES=ab", "CENTRIFUGO_CHANNEL_"
	    "NAMESPACES_AB_MAP_KEY_TTL=1s" }, "CENTRIFUGO_CHANNEL_NAMESPACES_"
	    "AB_MAP_KEY_TTL: map.key_ttl: not supported yet" },
	{ { "CENTRIFUGO_UNI_SSE_CONNECT_CODE_TO_HTTP_RESPONSE_TRANSFORMS=ab" },
	    "CENTRIFUGO_UNI_SSE_CONNECT_CODE_TO_HTTP_RESPONSE_TRANSFORMS: "
	    "uni_sse.connect_code_to_http_response.transforms: expected a "
	    "list of objects" },
	{ { "CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS={\"a\":1}" },
	    "CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS:1:6: rpc.proxy.http."
	    "static_headers: expected an object of strings, or a list of "
	    "{key, value}" },
	{ { "CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS={\"a\":\"${FUGU_VAR_A}"
	    "${FUGU_VAR_B}\"}", "FUGU_VAR_A=1" },
	    "CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS:1:6: rpc.proxy.http."
	    "static_headers: variable FUGU_VAR_B is not set" },
};

TEST(what_is_said_about_an_environment)
{
	struct conf_source src = { .path = "c.json", .text = SV("{}") };
	char errors[4096];
	size_t i;

	for (i = 0; i < N(environments); i++) {
		test_note("%s", environments[i].env[0]);
		src.environ = environments[i].env;
		conf_unref(load(&src, errors, sizeof(errors)));
		CHECK_STR(errors, environments[i].errors);
	}
}

TEST(values_from_the_environment)
{
	char *vars[] = { "CENTRIFUGO_CLIENT_ALLOWED_ORIGINS= a  b ",
	    "CENTRIFUGO_CLIENT_CHANNEL_LIMIT=0x10",
	    "CENTRIFUGO_CLIENT_INSECURE=on",
	    "CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT=9000",
	    "CENTRIFUGO_CHANNEL_NAMESPACES=chat news-1.public",
	    "CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_ALLOW_PUBLISH_FOR_CLIENT=1",
	    "CENTRIFUGO_CHANNEL_NAMESPACES_NEWS_1_PUBLIC_ALLOW_SUBSCRIBE_FOR_"
	    "CLIENT=t",
	    "FUGU_CHANNEL_NAMESPACES_CHAT_ALLOW_PUBLISH_FOR_SUBSCRIBER=true",
	    "CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_HISTORY_SIZE=7",
	    "CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_HISTORY_TTL=1m",
	    "CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_ALLOWED_DELTA_TYPES=fossil",
	    NULL };
	struct conf_source src = { .path = "c.json", .text =
	    SV("{\"channel\":{\"namespaces\":[{\"name\":\"other\"}]}}"),
	    .environ = vars };
	const struct conf *c = must(&src);
	const struct conf_channel *chat, *news;

	if (c == NULL)
		return;
	CHECK_INT(c->client.allowed_origins.n, 2);
	CHECK_STR(c->client.allowed_origins.v[0], "a");
	CHECK_STR(c->client.allowed_origins.v[1], "b");
	CHECK_INT(c->client.channel_limit, 16);
	CHECK(c->client.insecure);
	CHECK_INT(conf_internal_port(c), 9000);
	CHECK_INT(c->channel.namespaces.n, 2);
	chat = conf_channel_find(c, SV("chat"));
	news = conf_channel_find(c, SV("news-1.public"));
	CHECK(chat != NULL && chat->allow_publish_for_client &&
	    chat->allow_publish_for_subscriber &&
	    !chat->allow_subscribe_for_client && chat->history_size == 7 &&
	    chat->history_ttl == 60000 && chat->allowed_delta_types.n == 1);
	CHECK(news != NULL && news->allow_subscribe_for_client &&
	    !news->allow_publish_for_client);
	conf_unref(c);
	vars[4] = "CENTRIFUGO_CHANNEL_NAMESPACES=[{\"name\":\"chat\","
	    "\"allow_subscribe_for_anonymous\":true}]";
	vars[6] = NULL;
	if ((c = must(&src)) == NULL)
		return;
	CHECK_INT(c->channel.namespaces.n, 1);
	chat = conf_channel_find(c, SV("chat"));
	CHECK(chat != NULL && chat->allow_subscribe_for_anonymous &&
	    chat->allow_publish_for_client);
	conf_unref(c);
}

TEST(namespaces_of_the_file_take_variables_too)
{
	char *vars[] = { "CENTRIFUGO_CHANNEL_NAMESPACES_OTHER_ALLOW_"
	    "PUBLISH_FOR_CLIENT=1", NULL };
	const struct conf *c = must(&(struct conf_source){ .path = "c.json",
	    .text = SV("{\"channel\":{\"namespaces\":[{\"name\":\"other\"}]}}"),
	    .environ = vars });
	const struct conf_channel *ch;

	if (c == NULL)
		return;
	ch = conf_channel_find(c, SV("other"));
	CHECK(ch != NULL && ch->allow_publish_for_client);
	conf_unref(c);
}

/* A file of this test's own in the current directory's build area. */
static char tmp_dir[] = "/tmp/fugu-conf-XXXXXX";

static void
write_file(char *path, size_t n, const char *name, const char *text)
{
	FILE *f;

	if (strstr(tmp_dir, "XXXXXX") != NULL)
		CHECK(mkdtemp(tmp_dir) != NULL);
	snprintf(path, n, "%s/%s", tmp_dir, name);
	if (!CHECK((f = fopen(path, "w")) != NULL))
		return;
	fputs(text, f);
	fclose(f);
}

TEST(secrets_from_files)
{
	static const struct { const char *text, *key; } rows[] = {
		{ "s3cret\n", "s3cret" }, { "s3cret", "s3cret" },
		{ "s3cret\n\n", "s3cret\n" }, { "\n", "" },
	};
	char path[128], var[256];
	char *vars[] = { var, NULL };
	const struct conf *c;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		write_file(path, sizeof(path), "secret", rows[i].text);
		snprintf(var, sizeof(var),
		    "FUGU_CLIENT_TOKEN_HMAC_SECRET_KEY_FILE=%s", path);
		c = must(&(struct conf_source){ .path = "c.json",
		    .text = SV("{}"), .environ = vars });
		if (c != NULL)
			CHECK_STR(c->client.token.hmac_secret_key,
			    rows[i].key);
		conf_unref(c);
		unlink(path);
	}
	rmdir(tmp_dir);
}

TEST(no_secret_in_a_finding)
{
	char *vars[] = { "CENTRIFUGO_CONSUMERS=[{\"name\":\"S3CRET\"]",
	    "CENTRIFUGO_RPC_PROXY_HTTP_STATIC_HEADERS=S3CRET",
	    "CENTRIFUGO_SHARED_POLL_HMAC_SECRET_KEY=S3CRET", NULL };
	struct conf_flag flags[] = { { "http_api.kee=S3CRET", "S3CRET" } };
	char errors[4096];

	load(&(struct conf_source){ .path = "c.json", .text = SV("{"
	    "\"http_api\":{\"key\":[\"S3CRET\"]},\"client\":{\"token\":{"
	    "\"hmac_secret_key\":{\"x\":\"S3CRET\"}}},\"rpc\":{\"proxy\":{"
	    "\"http\":{\"static_headers\":{\"a\":[\"S3CRET\"]}}}}}"),
	    .environ = vars, .flags = flags, .nflags = 1 }, errors,
	    sizeof(errors));
	CHECK(strstr(errors, "http_api.key: expected") != NULL);
	CHECK(strstr(errors, "hmac_secret_key: expected") != NULL);
	CHECK(strstr(errors, "static_headers: expected") != NULL);
	CHECK(strstr(errors, "shared_poll.hmac_secret_key: not") != NULL);
	CHECK(strstr(errors, "--http_api.kee: unknown option") != NULL);
	CHECK(strstr(errors, "S3CRET") == NULL);
}

TEST(files_that_are_not_there_or_not_json)
{
	static const struct {
		const char	*path;
		const char	*errors;
		int		 code;
	} rows[] = {
		{ "/nonexistent.json", "/nonexistent.json: No such file or "
		    "directory", EX_NOINPUT },
		{ "/", "/: Is a directory", EX_NOINPUT },
		{ "c.yaml", "c.yaml: YAML is not supported: convert it to "
		    "JSON, for instance with yq -o json", EX_CONFIG },
		{ "c.yml", "c.yml: YAML is not supported: convert it to "
		    "JSON, for instance with yq -o json", EX_CONFIG },
		{ "c.toml", "c.toml: TOML is not supported: convert it to "
		    "JSON, for instance with yq -o json", EX_CONFIG },
	};
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_source src = { 0 };
	const struct conf *c;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		test_note("%s", rows[i].path);
		src.path = rows[i].path;
		CHECK_INT(conf_load(&c, &src, &errs), -1);
		if (CHECK_INT(errs.n, 1))
			CHECK_STR(errs.v[0].text, rows[i].errors);
		CHECK_INT(conf_errors_exit(&errs), rows[i].code);
		conf_errors_fini(&errs);
	}
}

/* Spec 12.57, and .env: in a directory of its own. */
TEST(without_a_file_it_starts_and_reads_dotenv)
{
	char *vars[] = { "CENTRIFUGO_NODE_NAME=env", NULL };
	struct conf_source src = { .environ = vars };
	char dir[] = "/tmp/fugu-dot-XXXXXX", errors[512];
	int was = open(".", O_RDONLY | O_DIRECTORY);
	const struct conf *c;
	FILE *f;

	if (!CHECK(was != -1 && mkdtemp(dir) != NULL && chdir(dir) == 0))
		return;
	c = load(&src, errors, sizeof(errors));
	CHECK(c != NULL);
	CHECK_STR(errors, "W config.json: no such file: starting without a "
	    "configuration file");
	conf_unref(c);
	if (CHECK((f = fopen(".env", "w")) != NULL)) {
		fputs("# a comment\nexport CENTRIFUGO_LOG_LEVEL='warn'\r\n"
		    "CENTRIFUGO_NODE_NAME=dotenv\n\nFUGU_HTTP_API_KEY = "
		    "\"a b\"\nOTHER=x\nFUGU_X\n", f);
		fclose(f);
	}
	if (CHECK((f = fopen("config.json", "w")) != NULL)) {
		fputs("{\"pid_file\":\"x.pid\"}", f);
		fclose(f);
	}
	if ((c = must(&src)) != NULL) {
		CHECK_STR(c->node.name, "env");
		CHECK_STR(c->log.level, "warn");
		CHECK_STR(c->http_api.key, "a b");
		CHECK_STR(c->pid_file, "x.pid");
	}
	/* A reload does not take it for empty when it has gone. */
	src.was = c;
	CHECK(rename("config.json", "c") == 0);
	CHECK(load(&src, errors, sizeof(errors)) == NULL);
	CHECK_STR(errors, "config.json: No such file or directory");
	CHECK(rename("c", "config.json") == 0 && unlink(".env") == 0);
	CHECK(load(&src, errors, sizeof(errors)) == NULL);
	CHECK_STR(errors, ".env: No such file or directory");
	conf_unref(c);
	src.was = NULL;
	c = must(&src);
	CHECK(unlink("config.json") == 0);
	conf_unref(c);
	/* What was not there at the start need not come. */
	src.was = c = load(&src, errors, sizeof(errors));
	conf_unref(load(&src, errors, sizeof(errors)));
	CHECK_STR(errors, "W config.json: no such file: starting without a "
	    "configuration file");
	conf_unref(c);
	src = (struct conf_source){ .path = "config.json", .environ = vars };
	if (CHECK((f = fopen(".env", "w")) != NULL)) {
		fputs("CENTRIFUGO_LOG_LEVEL=warn\n", f);
		fclose(f);
	}
	if (CHECK((f = fopen("config.json", "w")) != NULL)) {
		fputs("{}", f);
		fclose(f);
	}
	if ((c = must(&src)) != NULL)
		CHECK_STR(c->log.level, "info");
	conf_unref(c);
	CHECK(unlink(".env") == 0 && unlink("config.json") == 0);
	CHECK(fchdir(was) == 0);
	close(was);
	rmdir(dir);
}

/* String maps belong to options that are not supported, so their values
 * are looked at before the table refuses them. */
TEST(maps_expand_variables)
{
	static const struct conf_opt map = { .name = "m\0", .type = CONF_MAP };
	struct conf_mem *mem = NULL;
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct conf_var vars[] = { { "CENTRIFUGO_VAR_A", "1", false },
	    { "FUGU_VAR_B", "", false }, { "CENTRIFUGO_NO", "x", false } };
	struct conf_load l = { .mem = &mem, .errs = &errs, .var = vars,
	    .nvar = N(vars) };
	struct conf_value v;

	CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, "m", &map,
	    "{\"X-Key\":\"<${CENTRIFUGO_VAR_A}${FUGU_VAR_B}>\",\"x-key\":"
	    "\"${CENTRIFUGO_NO} ${ $\"}", &v), 0);
	if (CHECK_INT(v.map.n, 2)) {
		CHECK_STR(v.map.v[0].key, "X-Key");
		CHECK_STR(v.map.v[0].value, "<1>");
		CHECK_STR(v.map.v[1].value, "${CENTRIFUGO_NO} ${ $");
	}
	CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, "m", &map,
	    "[{\"key\":\"a\",\"value\":\"${CENTRIFUGO_VAR_A}\"}]", &v), 0);
	if (CHECK_INT(v.map.n, 1)) {
		CHECK_STR(v.map.v[0].key, "a");
		CHECK_STR(v.map.v[0].value, "1");
	}
	CHECK_INT(errs.n, 0);
	CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, "m", &map,
	    "[{\"key\":\"a\"}]", &v), -1);
	CHECK_INT(conf_value_text(&l, (struct conf_at){ 0 }, "m", &map,
	    "{\"a\":\"b\"", &v), -1);
	CHECK_INT(errs.n, 2);
	conf_errors_fini(&errs);
	conf_mem_free(mem);
}

TEST(what_a_reload_cannot_change_is_named)
{
	const struct conf *a, *b;
	struct buf names = BUF_INIT;

	a = must(&(struct conf_source){ .path = "x", .text = SV("{}") });
	b = must(&(struct conf_source){ .path = "x", .text = SV("{"
	    "\"http_server\":{\"port\":1,\"tls\":{\"max_handshakes\":1,"
	    "\"handshake_timeout\":\"1s\",\"reload_interval\":\"1s\"},"
	    "\"trusted_proxies\":[\"unix\"],"
	    "\"forwarded_header\":\"none\",\"address_connection_limit\":1,"
	    "\"address_connection_rate_limit\":1},"
	    "\"pid_file\":\"x\",\"workers\":2,"
	    "\"log\":{\"level\":\"none\",\"format\":\"json\","
	    "\"file\":\"x\"},\"websocket\":{\"compression\":true},"
	    "\"client\":{\"insecure\":true,\"token\":{\"audience\":\"x\"}},"
	    "\"http_api\":{\"key\":\"x\",\"external\":true},"
	    "\"channel\":{\"namespaces\":[{\"name\":\"ab\"}]}}") });
	if (a != NULL && b != NULL) {
		CHECK_INT(conf_diff_reload(a, b, &names), 10);
		CHECK_SV(buf_sv(&names), "http_server.port, "
		    "http_server.tls.handshake_timeout, "
		    "http_server.tls.max_handshakes, "
		    "http_server.trusted_proxies, "
		    "http_server.forwarded_header, "
		    "http_server.address_connection_limit, "
		    "http_server.address_connection_rate_limit, "
		    "http_api.external, pid_file, workers");
		buf_reset(&names);
		CHECK_INT(conf_diff_reload(b, b, &names), 0);
		CHECK_INT(names.n, 0);
	}
	buf_fini(&names);
	conf_unref(a);
	conf_unref(b);
}

static bool
sweep_load(void)
{
	char *vars[] = { "CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_ALLOW_"
	    "PUBLISH_FOR_CLIENT=1", "FUGU_CLIENT_ALLOWED_ORIGINS=a b",
	    "CENTRIFUGO_HTTP_API_KEY_FILE=/dev/null", NULL };
	struct conf_flag flag = { "http_api.handler_prefix", "/x/" };
	struct conf_source src = { .path = REAL, .environ = vars,
	    .flags = &flag, .nflags = 1 };
	struct conf_errors errs = CONF_ERRORS_INIT;
	const struct conf *c;
	bool ok;

	ok = conf_load(&c, &src, &errs) == 0;
	/* A pattern that is not compiled says so in its own words. */
	CHECK(ok || conf_errors_exit(&errs) == EX_OSERR ||
	    strstr(errs.v[errs.n - 1].text, "out of memory") != NULL);
	conf_unref(c);
	conf_errors_fini(&errs);
	return ok;
}

TEST(no_memory_is_an_error_and_nothing_leaks)
{
	ALLOC_SWEEP(sweep_load);
}

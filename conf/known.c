/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The options that Centrifugo has and fugu has not: enough is known of
 * them to tell a value from nonsense and the default from anything else, to
 * find the name that was meant, and to say what is not supported. They are
 * many, so they are not rows of a table, but text: for each group its
 * identifier and its options one after the other, each with a letter for
 * its type, its name and its default. Options that do something are in
 * table.c and groups.c.
 */
#include "conf/table.h"

/* An option: marks, type, name, default, and what some types have more. */
#define BOOL(name)		"b" name "\0\0"
#define INT(name, def)		"i" name "\0" def "\0"
#define DUR(name, def)		"d" name "\0" def "\0"
#define STR(name, def)		"s" name "\0" def "\0"
#define PEM(name, def)		"p" name "\0" def "\0"
#define LIST(name, def)		"l" name "\0" def "\0"
#define MAP(name, def)		"m" name "\0" def "\0"
#define ONEOF(name, def, words)	"c" name "\0" def "\0" words "\0"
#define OBJECT(name, id)	"{" name "\0\0" id "\0"
#define OBJECTS(name, id)	"[" name "\0\0" id "\0"
#define ROWS(id)		"+\0\0" id "\0"
#define SECRET			"!"
#define NOP			"~"
#define NAMED			"*"
#define ID(id)			id "\0"

/* Where a message that is data alone says the rest, by kind of queue. */
#define DATA_MODE(suffix)						\
	BOOL("enabled")							\
	STR("channels_" suffix, "centrifugo-channels")			\
	STR("idempotency_key_" suffix, "centrifugo-idempotency-key")	\
	STR("delta_" suffix, "centrifugo-delta")			\
	STR("version_" suffix, "centrifugo-version")			\
	STR("version_epoch_" suffix, "centrifugo-version-epoch")	\
	STR("tags_" suffix "_prefix", "centrifugo-tag-")

static const char *const known[] = {
	ID("switch")
	    BOOL("enabled"),
	ID("http_server")
	    OBJECT("http3", "switch")
	    BOOL("h2c_external"),
	ID("redis_broker")
	    STR("prefix", "centrifugo")
	    ROWS("redis")
	    BOOL("history_use_lists"),
	ID("redis_presence_ttl")
	    DUR("presence_ttl", "60s")
	    BOOL("presence_hash_field_ttl")
	    BOOL("presence_user_mapping"),
	ID("redis_engine")
	    ROWS("redis_broker")
	    ROWS("redis_presence_ttl"),
	ID("redis_presence")
	    STR("prefix", "centrifugo")
	    ROWS("redis")
	    ROWS("redis_presence_ttl"),
	ID("redis_map")
	    STR("prefix", "centrifugo")
	    ROWS("redis")
	    DUR("cleanup_interval", "1s")
	    INT("cleanup_batch_size", "100")
	    DUR("idempotent_result_ttl", "5m")
	    BOOL("skip_pub_sub"),
	ID("engine")
	    ONEOF("type", "memory", "memory redis")
	    OBJECT("redis", "redis_engine"),
	ID("redisnats")
	    OBJECT("redis", "redis_broker")
	    OBJECT("nats", "nats"),
	ID("broker")
	    BOOL("enabled")
	    ONEOF("type", "memory", "memory redis nats postgres redisnats")
	    OBJECT("redis", "redis_broker")
	    OBJECT("nats", "nats")
	    OBJECT("postgres", "postgres")
	    OBJECT("redisnats", "redisnats"),
	ID("presence_manager")
	    BOOL("enabled")
	    ONEOF("type", "memory", "memory redis")
	    OBJECT("redis", "redis_presence"),
	ID("map_broker")
	    ONEOF("type", "memory", "memory redis postgres")
	    OBJECT("redis", "redis_map")
	    OBJECT("postgres", "map_pg"),
	ID("controller")
	    BOOL("enabled")
	    STR("type", "")
	    OBJECT("postgres", "controller_pg"),
	ID("shared_poll")
	    SECRET STR("hmac_secret_key", "")
	    SECRET STR("hmac_previous_secret_key", "")
	    INT("hmac_previous_secret_key_valid_until", "")
	    INT("concurrency_limit", ""),
	ID("switched_proxy")
	    BOOL("enabled")
	    ROWS("proxy"),
	ID("client_proxy")
	    OBJECT("connect", "switched_proxy")
	    OBJECT("refresh", "switched_proxy"),
	ID("client")
	    OBJECT("proxy", "client_proxy")
	    NOP INT("concurrency", ""),
	ID("channel_proxy")
	    OBJECT("subscribe", "proxy")
	    OBJECT("publish", "proxy")
	    OBJECT("sub_refresh", "proxy")
	    OBJECT("subscribe_stream", "proxy")
	    OBJECT("map_publish", "proxy")
	    OBJECT("map_remove", "proxy")
	    OBJECT("shared_poll_refresh", "proxy"),
	ID("channels")
	    OBJECT("proxy", "channel_proxy"),
	ID("rpc_namespace")
	    STR("name", "")
	    ROWS("rpc"),
	ID("rpc_ping")
	    BOOL("enabled")
	    STR("method", "ping"),
	ID("rpcs")
	    OBJECT("proxy", "proxy")
	    OBJECT("without_namespace", "rpc")
	    NAMED OBJECTS("namespaces", "rpc_namespace")
	    OBJECT("ping", "rpc_ping")
	    STR("namespace_boundary", ":"),
	ID("named_proxy")
	    STR("name", "")
	    ROWS("proxy"),
	ID("grpc_api")
	    BOOL("enabled")
	    ONEOF("error_mode", "", "transport")
	    STR("address", "")
	    INT("port", "10000")
	    SECRET STR("key", "")
	    OBJECT("tls", "tls")
	    BOOL("reflection")
	    INT("max_receive_message_size", ""),
	ID("frame")
	    NOP INT("read_buffer_size", "")
	    NOP BOOL("use_write_buffer_pool")
	    NOP INT("write_buffer_size", ""),
	ID("webtransport")
	    BOOL("enabled")
	    STR("handler_prefix", "/connection/webtransport")
	    INT("message_size_limit", "65536"),
	ID("uni_grpc")
	    BOOL("enabled")
	    STR("address", "")
	    INT("port", "11000")
	    INT("max_receive_message_size", "")
	    OBJECT("tls", "tls"),
	ID("admin")
	    BOOL("enabled")
	    STR("handler_prefix", "")
	    NOP SECRET STR("password", "")
	    NOP SECRET STR("secret", "")
	    BOOL("insecure")
	    STR("web_path", "")
	    STR("web_proxy_address", "")
	    BOOL("external"),
	ID("prometheus")
	    BOOL("instrument_http_handlers")
	    BOOL("recovered_publications_histogram")
	    BOOL("native_histograms"),
	ID("swagger")
	    BOOL("enabled")
	    STR("handler_prefix", "/swagger"),
	ID("debug")
	    BOOL("enabled")
	    STR("handler_prefix", "/debug/pprof"),
	ID("opentelemetry")
	    BOOL("enabled")
	    BOOL("api")
	    BOOL("consuming")
	    BOOL("google_cloud_adc_auth"),
	ID("graphite")
	    BOOL("enabled")
	    STR("host", "localhost")
	    INT("port", "2003")
	    STR("prefix", "centrifugo")
	    DUR("interval", "10s")
	    BOOL("tags"),
	ID("usage_stats")
	    NOP BOOL("disabled"),
	ID("node")
	    DUR("info_metrics_aggregate_interval", "60s"),
	ID("root")
	    OBJECT("engine", "engine")
	    OBJECT("broker", "broker")
	    OBJECT("presence_manager", "presence_manager")
	    OBJECT("map_broker", "map_broker")
	    OBJECT("controller", "controller")
	    OBJECT("shared_poll", "shared_poll")
	    OBJECT("rpc", "rpcs")
	    NAMED OBJECTS("proxies", "named_proxy")
	    OBJECT("grpc_api", "grpc_api")
	    NAMED OBJECTS("consumers", "consumer")
	    OBJECT("webtransport", "webtransport")
	    OBJECT("uni_grpc", "uni_grpc")
	    OBJECT("admin", "admin")
	    OBJECT("swagger", "swagger")
	    OBJECT("debug", "debug")
	    OBJECT("opentelemetry", "opentelemetry")
	    OBJECT("graphite", "graphite")
	    OBJECT("usage_stats", "usage_stats")
	    BOOL("enable_unreleased_features"),
	ID("redis")
	    SECRET LIST("address", "redis://127.0.0.1:6379")
	    DUR("connect_timeout", "1s")
	    DUR("io_timeout", "4s")
	    INT("db", "0")
	    STR("user", "")
	    SECRET STR("password", "")
	    STR("client_name", "")
	    BOOL("force_resp2")
	    SECRET LIST("cluster_address", "")
	    OBJECT("tls", "tls")
	    SECRET LIST("sentinel_address", "")
	    STR("sentinel_user", "")
	    SECRET STR("sentinel_password", "")
	    STR("sentinel_master_name", "")
	    STR("sentinel_client_name", "")
	    OBJECT("sentinel_tls", "tls")
	    OBJECT("replica_client", "switch"),
	ID("proxy_error")
	    INT("code", "")
	    STR("message", "")
	    BOOL("temporary"),
	ID("status_transform")
	    INT("status_code", "")
	    OBJECT("to_error", "proxy_error")
	    OBJECT("to_disconnect", "disconnect"),
	ID("proxy_http")
	    OBJECT("tls", "tls")
	    SECRET MAP("static_headers", "")
	    OBJECTS("status_to_code_transforms", "status_transform"),
	ID("proxy_grpc")
	    OBJECT("tls", "tls")
	    STR("credentials_key", "")
	    SECRET STR("credentials_value", "")
	    BOOL("compression")
	    SECRET MAP("static_metadata", ""),
	ID("proxy")
	    STR("endpoint", "")
	    DUR("timeout", "1s")
	    LIST("http_headers", "")
	    LIST("grpc_metadata", "")
	    LIST("emulated_headers", "")
	    BOOL("binary_encoding")
	    BOOL("include_connection_meta")
	    OBJECT("http", "proxy_http")
	    OBJECT("grpc", "proxy_grpc"),
	ID("map")
	    ONEOF("mode", "", "ephemeral recoverable persistent")
	    DUR("key_ttl", "")
	    INT("stream_size", "")
	    DUR("stream_ttl", "")
	    DUR("meta_ttl", "")
	    BOOL("remove_client_on_unsubscribe")
	    ONEOF("client_key", "", "client_id user_id")
	    BOOL("allow_publish_for_client")
	    BOOL("allow_publish_for_subscriber")
	    BOOL("allow_publish_for_anonymous")
	    BOOL("allow_remove_for_client")
	    BOOL("allow_remove_for_subscriber")
	    BOOL("allow_remove_for_anonymous")
	    BOOL("publish_proxy_enabled")
	    STR("publish_proxy_name", "default")
	    BOOL("remove_proxy_enabled")
	    STR("remove_proxy_name", "default")
	    INT("default_page_size", "")
	    INT("min_page_size", "")
	    INT("max_page_size", "")
	    INT("live_transition_max_publication_limit", "")
	    DUR("subscribe_catch_up_timeout", ""),
	ID("channel_poll")
	    STR("proxy_name", "")
	    DUR("refresh_interval", "")
	    INT("refresh_batch_size", "")
	    INT("max_keys_per_connection", "")
	    ONEOF("mode", "", "versionless versioned")
	    DUR("channel_shutdown_delay", "")
	    DUR("track_expired_extra_delay", "")
	    BOOL("publish_enabled"),
	ID("channel")
	    STR("map_clients_presence_channel_prefix", "")
	    STR("map_users_presence_channel_prefix", "")
	    BOOL("subscribe_proxy_enabled")
	    STR("subscribe_proxy_name", "default")
	    BOOL("publish_proxy_enabled")
	    STR("publish_proxy_name", "default")
	    BOOL("sub_refresh_proxy_enabled")
	    STR("sub_refresh_proxy_name", "default")
	    BOOL("subscribe_stream_proxy_enabled")
	    STR("subscribe_stream_proxy_name", "default")
	    BOOL("subscribe_stream_proxy_bidirectional")
	    NOP ONEOF("subscription_type", "", "stream")
	    OBJECT("map", "map")
	    OBJECT("shared_poll", "channel_poll"),
	ID("rpc")
	    BOOL("proxy_enabled")
	    STR("proxy_name", "default"),
	ID("nats_raw")
	    BOOL("enabled")
	    MAP("channel_replacements", "")
	    STR("prefix", ""),
	ID("nats")
	    STR("prefix", "centrifugo")
	    SECRET STR("url", "nats://localhost:4222")
	    DUR("dial_timeout", "1s")
	    DUR("write_timeout", "1s")
	    OBJECT("tls", "tls")
	    BOOL("allow_wildcards")
	    OBJECT("raw_mode", "nats_raw"),
	ID("outbox")
	    DUR("poll_interval", "100ms")
	    INT("batch_size", "1000"),
	ID("postgres")
	    SECRET STR("dsn", "")
	    OBJECT("tls", "tls")
	    INT("pool_size", "16")
	    INT("num_shards", "8")
	    DUR("cleanup_interval", "1m")
	    DUR("idempotent_result_ttl", "5m")
	    BOOL("binary_data")
	    DUR("stream_retention", "24h")
	    BOOL("use_notify")
	    SECRET STR("notify_dsn", "")
	    STR("table_prefix", "cf")
	    BOOL("skip_schema_init")
	    OBJECT("outbox", "outbox")
	    INT("partition_lookahead_days", "2")
	    INT("partition_retention_days", "7"),
	ID("map_pg")
	    ROWS("postgres")
	    DUR("ttl_check_interval", "1s"),
	ID("controller_pg")
	    SECRET STR("dsn", "")
	    OBJECT("tls", "tls")
	    INT("pool_size", "8")
	    INT("num_shards", "1")
	    STR("table_prefix", "cf")
	    DUR("poll_interval", "50ms")
	    BOOL("use_notify")
	    SECRET STR("notify_dsn", "")
	    INT("partition_retention_days", "1")
	    INT("partition_lookahead_days", "2")
	    DUR("partition_cleanup_interval", "1m")
	    INT("batch_size", "1000")
	    BOOL("skip_schema_init"),
	ID("postgresql")
	    SECRET STR("dsn", "")
	    STR("outbox_table_name", "")
	    INT("num_partitions", "1")
	    INT("partition_select_limit", "100")
	    DUR("partition_poll_interval", "300ms")
	    STR("partition_notification_channel", "")
	    SECRET STR("partition_notification_dsn", "")
	    OBJECT("tls", "tls")
	    BOOL("use_try_lock"),
	ID("kafka")
	    LIST("brokers", "")
	    LIST("topics", "")
	    STR("consumer_group", "")
	    INT("max_poll_records", "100")
	    INT("fetch_max_bytes", "")
	    DUR("fetch_max_wait", "500ms")
	    BOOL("fetch_read_uncommitted")
	    INT("partition_queue_max_size", "1000")
	    DUR("dial_timeout", "3s")
	    OBJECT("tls", "tls")
	    STR("sasl_mechanism", "")
	    STR("sasl_user", "")
	    SECRET STR("sasl_password", "")
	    STR("assume_role_arn", "")
	    STR("instance_id", "")
	    STR("method_header", "centrifugo-method")
	    OBJECT("publication_data_mode", "header_mode"),
	ID("nats_jetstream")
	    SECRET STR("url", "nats://127.0.0.1:4222")
	    STR("credentials_file", "")
	    STR("username", "")
	    SECRET STR("password", "")
	    SECRET STR("token", "")
	    STR("stream_name", "")
	    BOOL("use_existing_consumer")
	    LIST("subjects", "")
	    STR("durable_consumer_name", "")
	    ONEOF("deliver_policy", "new", "new all")
	    INT("max_ack_pending", "100")
	    STR("method_header", "centrifugo-method")
	    OBJECT("publication_data_mode", "header_mode")
	    OBJECT("tls", "tls"),
	ID("redis_stream")
	    ROWS("redis")
	    LIST("streams", "")
	    STR("consumer_group", "")
	    DUR("visibility_timeout", "30s")
	    INT("num_workers", "1")
	    STR("payload_value", "payload")
	    STR("method_value", "method")
	    OBJECT("publication_data_mode", "value_mode"),
	ID("google_pub_sub")
	    STR("project_id", "")
	    LIST("subscriptions", "")
	    INT("max_outstanding_messages", "100")
	    INT("max_outstanding_bytes", "1000000")
	    STR("auth_mechanism", "")
	    STR("credentials_file", "")
	    STR("method_attribute", "centrifugo-method")
	    OBJECT("publication_data_mode", "attr_mode"),
	ID("aws_sqs")
	    LIST("queues", "")
	    BOOL("sns_envelope")
	    STR("region", "")
	    INT("max_number_of_messages", "10")
	    DUR("wait_time_time", "20s")
	    DUR("visibility_timeout", "30s")
	    INT("max_concurrency", "1")
	    STR("credentials_profile", "")
	    STR("assume_role_arn", "")
	    STR("method_attribute", "centrifugo-method")
	    STR("localstack_endpoint", "")
	    OBJECT("publication_data_mode", "attr_mode"),
	ID("azure_service_bus")
	    SECRET STR("connection_string", "")
	    BOOL("use_azure_identity")
	    STR("fully_qualified_namespace", "")
	    STR("tenant_id", "")
	    STR("client_id", "")
	    SECRET STR("client_secret", "")
	    LIST("queues", "")
	    BOOL("use_sessions")
	    INT("max_concurrent_calls", "1")
	    INT("max_receive_messages", "1")
	    STR("method_property", "centrifugo-method")
	    OBJECT("publication_data_mode", "prop_mode"),
	ID("consumer")
	    STR("name", "")
	    BOOL("enabled")
	    ONEOF("type", "", "postgresql kafka nats_jetstream "
		"redis_stream google_pub_sub aws_sqs azure_service_bus")
	    OBJECT("postgresql", "postgresql")
	    OBJECT("kafka", "kafka")
	    OBJECT("nats_jetstream", "nats_jetstream")
	    OBJECT("redis_stream", "redis_stream")
	    OBJECT("google_pub_sub", "google_pub_sub")
	    OBJECT("aws_sqs", "aws_sqs")
	    OBJECT("azure_service_bus", "azure_service_bus"),
	ID("header_mode")
	    DATA_MODE("header"),
	ID("value_mode")
	    DATA_MODE("value"),
	ID("attr_mode")
	    DATA_MODE("attribute"),
	ID("prop_mode")
	    DATA_MODE("property"),
	ID("tls")
	    BOOL("enabled")
	    PEM("cert_pem", "")
	    SECRET PEM("key_pem", "")
	    PEM("server_ca_pem", "")
	    PEM("client_ca_pem", "")
	    BOOL("insecure_skip_verify")
	    STR("server_name", ""),
	ID("disconnect")
	    INT("code", "")
	    STR("reason", ""),
};

/* The options of the group called id. */
static const char *
find_group(const char *id)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], id) == 0)
			return known[i] + strlen(id) + 1;
	return "";
}

/* The string at *text, which is skipped. */
static const char *
next_string(const char **text)
{
	const char *s = *text;

	*text += strlen(s) + 1;
	return s;
}

static unsigned
mark(char c)
{
	return c == '!' ? OF_SECRET : c == '~' ? OF_NOP :
	    c == '*' ? OF_NAMED : 0;
}

/* The next option of a text; false at its end. */
static bool
decode(const char **text, struct conf_opt *o)
{
	static const char letters[] = {
		[CONF_BOOL] = 'b', [CONF_INT] = 'i', [CONF_DUR] = 'd',
		[CONF_STR] = 's', [CONF_PEM] = 'p', [CONF_LIST] = 'l',
		[CONF_MAP] = 'm', [CONF_GROUP] = '{', [CONF_SQUASH] = '+',
		[CONF_ITEMS] = '[',
	};
	unsigned flags = 0, more;
	char c;

	if (**text == '\0')
		return false;
	*o = (struct conf_opt){ .name = NULL };
	for (; (more = mark(**text)) != 0; (*text)++)
		flags |= more;
	o->flags = (uint16_t)flags;
	c = *(*text)++;
	o->type = CONF_STR;
	if (c != 'c')
		o->type = (uint8_t)((const char *)memchr(letters, c,
		    sizeof(letters)) - letters);
	o->name = next_string(text);
	next_string(text);		/* the default */
	if (c == 'c')
		o->choices = next_string(text);
	else if (o->type >= CONF_GROUP)
		o->known = next_string(text);
	return true;
}

/* see table.h */
struct conf_rows
conf_rows(const struct conf_opt *group)
{
	struct conf_rows r = { .text = "" };

	if (group->flags & OF_STORED)
		r.next = group->sub;
	else
		r.text = find_group(group->known);
	return r;
}

/* see table.h */
const struct conf_opt *
conf_rows_next(struct conf_rows *r)
{
	if (r->next != NULL)
		return r->next->type == CONF_END ? NULL : r->next++;
	return decode(&r->text, &r->row) ? &r->row : NULL;
}

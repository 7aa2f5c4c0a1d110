/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The groups of the table that are used in several places. See table.h.
 */
#include "conf/table.h"

const struct conf_opt conf_tls_opts[] = {
	OPT(BOOL, conf_tls, enabled, 0, "", "Use TLS."),
	OPT(PEM, conf_tls, cert_pem, OF_RELOAD, "",
	    "Certificate chain, the server's own certificate first."),
	OPT(PEM, conf_tls, key_pem, OF_SECRET | OF_RELOAD, "",
	    "Private key of the certificate."),
	OPT(PEM, conf_tls, server_ca_pem, OF_RELOAD, "",
	    "Authorities that the server's certificate must come from. A "
	    "server does not use it."),
	OPT(PEM, conf_tls, client_ca_pem, OF_RELOAD, "",
	    "Authorities that clients' certificates must come from."),
	OPT(BOOL, conf_tls, insecure_skip_verify, OF_RELOAD, "",
	    "Accept every certificate; for tests only. A server does not "
	    "use it."),
	OPT(STR, conf_tls, server_name, OF_RELOAD, "",
	    "Name to send and to verify. A server does not use it."),
	END
};

static const struct conf_opt replica_opts[] = {
	NO(BOOL, "enabled", "", "Read from replicas."),
	END
};

const struct conf_opt conf_redis_opts[] = {
	NO_FLAG(LIST, "address", OF_SECRET, "redis://127.0.0.1:6379",
	    "Where Redis is; several addresses share the channels."),
	NO(DUR, "connect_timeout", "1s", "Time to connect."),
	NO(DUR, "io_timeout", "4s", "Time to answer."),
	NO(INT, "db", "0", "Number of the database."),
	NO(STR, "user", "", "User."),
	NO_FLAG(STR, "password", OF_SECRET, "", "Password."),
	NO(STR, "client_name", "", "Name that Redis shows."),
	NO(BOOL, "force_resp2", "", "Use version 2 of the protocol."),
	NO_FLAG(LIST, "cluster_address", OF_SECRET, "",
	    "Where the cluster is; a comma separates its first nodes."),
	NO_GROUP("tls", conf_tls_opts, "TLS to Redis."),
	NO_FLAG(LIST, "sentinel_address", OF_SECRET, "",
	    "Where the sentinels are."),
	NO(STR, "sentinel_user", "", "User at the sentinels."),
	NO_FLAG(STR, "sentinel_password", OF_SECRET, "",
	    "Password at the sentinels."),
	NO(STR, "sentinel_master_name", "", "What they call the master."),
	NO(STR, "sentinel_client_name", "", "Name that sentinels show."),
	NO_GROUP("sentinel_tls", conf_tls_opts, "TLS to the sentinels."),
	NO_GROUP("replica_client", replica_opts, "Replicas."),
	END
};

const struct conf_opt conf_disconnect_opts[] = {
	OPT_RANGE(INT, conf_disconnect, code, OF_RELOAD, 3000, 4999, "",
	    "Code of the disconnect."),
	OPT(STR, conf_disconnect, reason, OF_RELOAD, "", "Its reason."),
	END
};

static const struct conf_opt proxy_error_opts[] = {
	NO(INT, "code", "", "Code of the error."),
	NO(STR, "message", "", "Its message."),
	NO(BOOL, "temporary", "", "Whether to try again."),
	END
};

static const struct conf_opt status_transform_opts[] = {
	NO(INT, "status_code", "", "HTTP status of the application."),
	NO_GROUP("to_error", proxy_error_opts, "The error it stands for."),
	NO_GROUP("to_disconnect", conf_disconnect_opts,
	    "The disconnect it stands for."),
	END
};

static const struct conf_opt proxy_http_opts[] = {
	NO_GROUP("tls", conf_tls_opts, "TLS to the application."),
	NO_FLAG(MAP, "static_headers", OF_SECRET, "",
	    "Headers of every request."),
	NO_ITEMS("status_to_code_transforms", 0, status_transform_opts,
	    "What statuses of the application stand for."),
	END
};

static const struct conf_opt proxy_grpc_opts[] = {
	NO_GROUP("tls", conf_tls_opts, "TLS to the application."),
	NO(STR, "credentials_key", "", "Name of a credential."),
	NO_FLAG(STR, "credentials_value", OF_SECRET, "", "Its value."),
	NO(BOOL, "compression", "", "Compress calls."),
	NO_FLAG(MAP, "static_metadata", OF_SECRET, "",
	    "Metadata of every call."),
	END
};

const struct conf_opt conf_proxy_opts[] = {
	NO(STR, "endpoint", "", "Where the application is."),
	NO(DUR, "timeout", "1s", "Time it has to answer."),
	NO(LIST, "http_headers", "",
	    "Headers of the client's request that are passed on."),
	NO(LIST, "grpc_metadata", "",
	    "Metadata of the client's call that is passed on."),
	NO(LIST, "emulated_headers", "",
	    "Headers of the client's connect that are passed on."),
	NO(BOOL, "binary_encoding", "", "Send data as base 64."),
	NO(BOOL, "include_connection_meta", "",
	    "Send the connection's meta data."),
	NO_GROUP("http", proxy_http_opts, "Calls over HTTP."),
	NO_GROUP("grpc", proxy_grpc_opts, "Calls over gRPC."),
	END
};

const struct conf_opt conf_token_opts[] = {
	OPT(STR, conf_token, hmac_secret_key, OF_SECRET | OF_RELOAD, "",
	    "Key of tokens signed with HS256, HS384 or HS512."),
	OPT(STR, conf_token, hmac_previous_secret_key, OF_SECRET | OF_RELOAD,
	    "", "Key that is being replaced; still accepted."),
	OPT(INT, conf_token, hmac_previous_secret_key_valid_until, OF_RELOAD,
	    "", "Unix time in seconds at which the previous key ends."),
	OPT(STR, conf_token, rsa_public_key, OF_RELOAD, "",
	    "Key of tokens signed with RS256, RS384 or RS512: PEM text, base "
	    "64 of it, or a file name."),
	OPT(STR, conf_token, ecdsa_public_key, OF_RELOAD, "",
	    "Key of tokens signed with ES256, ES384 or ES512, in the same "
	    "forms."),
	OPT(STR, conf_token, jwks_public_endpoint, OF_RELOAD, "",
	    "URL at which the keys of tokens are published. Named groups of "
	    "audience_regex and issuer_regex can stand in it as {{name}}."),
	OPT(STR, conf_token, audience, OF_RELOAD, "",
	    "Audience that tokens must name."),
	OPT(STR, conf_token, audience_regex, OF_RELOAD, "",
	    "The same as an expression; not together with audience."),
	OPT(STR, conf_token, issuer, OF_RELOAD, "",
	    "Issuer that tokens must name."),
	OPT(STR, conf_token, issuer_regex, OF_RELOAD, "",
	    "The same as an expression; not together with issuer."),
	OPT(STR, conf_token, user_id_claim, OF_RELOAD, "",
	    "Claim that names the user; empty for sub."),
	OPT(BOOL, conf_token, insecure_skip_jwks_endpoint_safety_check,
	    OF_RELOAD, "", "Let groups that stand in the URL match more than "
	    "a fixed list of words."),
	END
};

static const struct conf_opt map_opts[] = {
	NO_ONEOF("mode", "ephemeral recoverable persistent", "",
	    "What outlives what."),
	NO(DUR, "key_ttl", "", "How long a key is kept."),
	NO(INT, "stream_size", "", "Changes kept; 0 for 100."),
	NO(DUR, "stream_ttl", "", "How long; 0 for one minute."),
	NO(DUR, "meta_ttl", "", "How long the position is kept."),
	NO(BOOL, "remove_client_on_unsubscribe", "",
	    "Remove a client's key when it unsubscribes."),
	NO_ONEOF("client_key", "client_id user_id", "",
	    "What clients' keys are."),
	NO(BOOL, "allow_publish_for_client", "",
	    "Users may set keys."),
	NO(BOOL, "allow_publish_for_subscriber", "",
	    "Subscribers may set keys."),
	NO(BOOL, "allow_publish_for_anonymous", "",
	    "The anonymous user may, too."),
	NO(BOOL, "allow_remove_for_client", "",
	    "Users may remove keys."),
	NO(BOOL, "allow_remove_for_subscriber", "",
	    "Subscribers may remove keys."),
	NO(BOOL, "allow_remove_for_anonymous", "",
	    "The anonymous user may, too."),
	NO(BOOL, "publish_proxy_enabled", "",
	    "Ask the application about new keys."),
	NO(STR, "publish_proxy_name", "default", "Which application."),
	NO(BOOL, "remove_proxy_enabled", "",
	    "Ask the application about removed keys."),
	NO(STR, "remove_proxy_name", "default", "Which application."),
	NO(INT, "default_page_size", "", "Keys of a page; 0 for 100."),
	NO(INT, "min_page_size", "", "Least; 0 for 100."),
	NO(INT, "max_page_size", "", "Most; 0 for 1000."),
	NO(INT, "live_transition_max_publication_limit", "",
	    "Most changes that a subscriber may catch up on."),
	NO(DUR, "subscribe_catch_up_timeout", "",
	    "Time for that; 0 for 5 seconds."),
	END
};

static const struct conf_opt channel_poll_opts[] = {
	NO(STR, "proxy_name", "", "Which application."),
	NO(DUR, "refresh_interval", "", "How often; 0 for 10 seconds."),
	NO(INT, "refresh_batch_size", "",
	    "Keys of one request; 0 for 1000."),
	NO(INT, "max_keys_per_connection", "",
	    "Most keys of a connection; 0 for 5000."),
	NO_ONEOF("mode", "versionless versioned", "",
	    "Whether keys have versions."),
	NO(DUR, "channel_shutdown_delay", "",
	    "How long polling goes on without subscribers; 0 for one "
	    "second."),
	NO(DUR, "track_expired_extra_delay", "",
	    "How long an expired key is kept; 0 for 25 seconds."),
	NO(BOOL, "publish_enabled", "", "Allow publications, too."),
	END
};

const struct conf_opt conf_channel_opts[] = {
	OPT(BOOL, conf_channel, presence, OF_RELOAD, "",
	    "Keep who is subscribed."),
	OPT(BOOL, conf_channel, join_leave, OF_RELOAD, "",
	    "Tell who comes and goes."),
	OPT(BOOL, conf_channel, force_push_join_leave, OF_RELOAD, "",
	    "Tell it those who did not ask, too."),
	NO(STR, "map_clients_presence_channel_prefix", "",
	    "Keep presence of clients in a map channel."),
	NO(STR, "map_users_presence_channel_prefix", "",
	    "Keep presence of users in a map channel."),
	OPT_RANGE(INT, conf_channel, history_size, OF_RELOAD,
	    0, INT32_MAX, "",
	    "Publications kept; 0 for none. Needs history_ttl."),
	OPT(DUR, conf_channel, history_ttl, OF_RELOAD, "",
	    "How long they are kept; whole seconds. Needs history_size."),
	OPT(DUR, conf_channel, history_meta_ttl, OF_RELOAD, "",
	    "How long the position is kept; whole seconds, not less than "
	    "history_ttl, and 0 for channel.history_meta_ttl."),
	OPT(BOOL, conf_channel, force_positioning, OF_RELOAD, "",
	    "Watch every subscriber's position."),
	OPT(BOOL, conf_channel, allow_positioning, OF_RELOAD, "",
	    "Watch the position of those who ask."),
	OPT(BOOL, conf_channel, force_recovery, OF_RELOAD, "",
	    "Recover what anybody missed. Needs history."),
	OPT(BOOL, conf_channel, allow_recovery, OF_RELOAD, "",
	    "Recover for those who ask."),
	OPT_ONEOF(conf_channel, force_recovery_mode, OF_RELOAD,
	    "stream cache", "",
	    "Recover all, or the newest only; empty for stream."),
	OPT(BOOL, conf_channel, auto_cache_recover, OF_RELOAD, "",
	    "Give the newest to every new subscriber. Needs force_recovery "
	    "and cache as force_recovery_mode."),
	OPT_LISTOF(conf_channel, allowed_delta_types, OF_RELOAD, "fossil", "",
	    "Forms of differences that clients may ask for."),
	OPT(BOOL, conf_channel, allow_tags_filter, OF_RELOAD, "",
	    "Clients may filter by tags."),
	OPT(BOOL, conf_channel, delta_publish, OF_RELOAD, "",
	    "Send differences."),
	OPT(BOOL, conf_channel, allow_subscribe_for_anonymous, OF_RELOAD, "",
	    "With allow_subscribe_for_client: the anonymous user may, too."),
	OPT(BOOL, conf_channel, allow_subscribe_for_client, OF_RELOAD, "",
	    "Users may subscribe without a subscription token."),
	OPT(BOOL, conf_channel, allow_publish_for_anonymous, OF_RELOAD, "",
	    "With allow_publish_for_client or allow_publish_for_subscriber: "
	    "the anonymous user may, too."),
	OPT(BOOL, conf_channel, allow_publish_for_subscriber, OF_RELOAD, "",
	    "Those who are subscribed may publish."),
	OPT(BOOL, conf_channel, allow_publish_for_client, OF_RELOAD, "",
	    "Users may publish."),
	OPT(BOOL, conf_channel, allow_presence_for_anonymous, OF_RELOAD, "",
	    "With allow_presence_for_client or allow_presence_for_subscriber: "
	    "the anonymous user may, too."),
	OPT(BOOL, conf_channel, allow_presence_for_subscriber, OF_RELOAD, "",
	    "Those who are subscribed may ask for presence."),
	OPT(BOOL, conf_channel, allow_presence_for_client, OF_RELOAD, "",
	    "Users may ask for presence."),
	OPT(BOOL, conf_channel, allow_history_for_anonymous, OF_RELOAD, "",
	    "With allow_history_for_client or allow_history_for_subscriber: "
	    "the anonymous user may, too."),
	OPT(BOOL, conf_channel, allow_history_for_subscriber, OF_RELOAD, "",
	    "Those who are subscribed may ask for history."),
	OPT(BOOL, conf_channel, allow_history_for_client, OF_RELOAD, "",
	    "Users may ask for history."),
	OPT(BOOL, conf_channel, allow_user_limited_channels, OF_RELOAD, "",
	    "Names of channels may list their users."),
	OPT(STR, conf_channel, channel_regex, OF_RELOAD, "",
	    "Expression that the part after the namespace must match."),
	OPT_ONEOF(conf_channel, publication_data_format, OF_RELOAD,
	    "json json_object binary", "",
	    "What the data of publications must be; empty for "
	    "channel.publication_data_format."),
	NO(BOOL, "subscribe_proxy_enabled", "",
	    "Ask the application about subscriptions."),
	NO(STR, "subscribe_proxy_name", "default", "Which application."),
	NO(BOOL, "publish_proxy_enabled", "",
	    "Ask the application about publications of clients."),
	NO(STR, "publish_proxy_name", "default", "Which application."),
	NO(BOOL, "sub_refresh_proxy_enabled", "",
	    "Ask the application to renew subscriptions."),
	NO(STR, "sub_refresh_proxy_name", "default", "Which application."),
	NO(BOOL, "subscribe_stream_proxy_enabled", "",
	    "Let the application stream into subscriptions."),
	NO(STR, "subscribe_stream_proxy_name", "default",
	    "Which application."),
	NO(BOOL, "subscribe_stream_proxy_bidirectional", "",
	    "Stream from the client, too."),
	/* Of Centrifugo's types, the only one that there is. */
	{ .name = "subscription_type", .type = CONF_STR, .flags = OF_NOP,
	  .choices = "stream", .def = "",
	  .help = "What a subscription is." },
	NO_GROUP("map", map_opts, "Maps."),
	NO_GROUP("shared_poll", channel_poll_opts, "Shared polls."),
	END
};

const struct conf_opt conf_rpc_opts[] = {
	NO(BOOL, "proxy_enabled", "", "Pass calls to the application."),
	NO(STR, "proxy_name", "default", "Which application."),
	END
};

static const struct conf_opt nats_raw_opts[] = {
	NO(BOOL, "enabled", "", "Publish data as it is."),
	NO(MAP, "channel_replacements", "",
	    "What is replaced in names of channels."),
	NO(STR, "prefix", "", "First part of subjects."),
	END
};

const struct conf_opt conf_nats_opts[] = {
	NO(STR, "prefix", "centrifugo", "First part of subjects."),
	NO_FLAG(STR, "url", OF_SECRET, "nats://localhost:4222",
	    "Where NATS is."),
	NO(DUR, "dial_timeout", "1s", "Time to connect."),
	NO(DUR, "write_timeout", "1s", "Time to write."),
	NO_GROUP("tls", conf_tls_opts, "TLS to NATS."),
	NO(BOOL, "allow_wildcards", "",
	    "Subscriptions may hold wildcards."),
	NO_GROUP("raw_mode", nats_raw_opts, "Without an envelope."),
	END
};

static const struct conf_opt outbox_opts[] = {
	NO(DUR, "poll_interval", "100ms", "How often it is read."),
	NO(INT, "batch_size", "1000", "Most rows at a time."),
	END
};

static const struct conf_opt pg_common_opts[] = {
	NO_FLAG(STR, "dsn", OF_SECRET, "", "Where PostgreSQL is."),
	NO_GROUP("tls", conf_tls_opts, "TLS to PostgreSQL."),
	NO(INT, "pool_size", "16", "Most connections."),
	NO(INT, "num_shards", "8", "Workers that deliver."),
	NO(DUR, "cleanup_interval", "1m", "How often to clean up."),
	NO(DUR, "idempotent_result_ttl", "5m",
	    "How long the result for an idempotency key is kept."),
	NO(BOOL, "binary_data", "", "Store data that is not JSON."),
	NO(DUR, "stream_retention", "24h", "How long entries are kept."),
	NO(BOOL, "use_notify", "", "Wake up by LISTEN and NOTIFY."),
	NO_FLAG(STR, "notify_dsn", OF_SECRET, "",
	    "Where to listen, if elsewhere."),
	NO(STR, "table_prefix", "cf", "First part of tables' names."),
	NO(BOOL, "skip_schema_init", "", "Create no tables."),
	NO_GROUP("outbox", outbox_opts, "The outbox."),
	NO(INT, "partition_lookahead_days", "2",
	    "Days for which partitions are made."),
	NO(INT, "partition_retention_days", "7",
	    "Days for which partitions are kept."),
	END
};

const struct conf_opt conf_stream_pg_opts[] = {
	NO_SQUASH(pg_common_opts),
	END
};

const struct conf_opt conf_map_pg_opts[] = {
	NO_SQUASH(pg_common_opts),
	NO(DUR, "ttl_check_interval", "1s",
	    "How often expired keys are looked for."),
	END
};

const struct conf_opt conf_controller_pg_opts[] = {
	NO_FLAG(STR, "dsn", OF_SECRET, "", "Where PostgreSQL is."),
	NO_GROUP("tls", conf_tls_opts, "TLS to PostgreSQL."),
	NO(INT, "pool_size", "8", "Most connections."),
	NO(INT, "num_shards", "1", "Shards of the messages."),
	NO(STR, "table_prefix", "cf", "First part of tables' names."),
	NO(DUR, "poll_interval", "50ms", "How often to look."),
	NO(BOOL, "use_notify", "", "Wake up by LISTEN and NOTIFY."),
	NO_FLAG(STR, "notify_dsn", OF_SECRET, "",
	    "Where to listen, if elsewhere."),
	NO(INT, "partition_retention_days", "1",
	    "Days for which partitions are kept."),
	NO(INT, "partition_lookahead_days", "2",
	    "Days for which partitions are made."),
	NO(DUR, "partition_cleanup_interval", "1m",
	    "How often to clean up."),
	NO(INT, "batch_size", "1000", "Most rows at a time."),
	NO(BOOL, "skip_schema_init", "", "Create no tables."),
	END
};

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The part of the table that is about consumers. See table.h.
 */
#include "conf/table.h"

static const struct conf_opt postgresql_opts[] = {
	NO_FLAG(STR, "dsn", OF_SECRET, "", "Where PostgreSQL is."),
	NO(STR, "outbox_table_name", "", "Table that is read."),
	NO(INT, "num_partitions", "1", "Partitions of the table."),
	NO(INT, "partition_select_limit", "100", "Most rows at a time."),
	NO(DUR, "partition_poll_interval", "300ms", "How often to look."),
	NO(STR, "partition_notification_channel", "",
	    "Channel that announces rows."),
	NO_FLAG(STR, "partition_notification_dsn", OF_SECRET, "",
	    "Where to listen, if elsewhere."),
	NO_GROUP("tls", conf_tls_opts, "TLS to PostgreSQL."),
	NO(BOOL, "use_try_lock", "", "Skip what is locked."),
	END
};

/* Where a message that is data alone says the rest, by kind of queue. */
#define DATA_MODE(suffix)						\
	NO(BOOL, "enabled", "", "Messages are data to publish."),	\
	NO(STR, "channels_" suffix, "centrifugo-channels",		\
	    "Names the channels."),					\
	NO(STR, "idempotency_key_" suffix, "centrifugo-idempotency-key",\
	    "Names the idempotency key."),				\
	NO(STR, "delta_" suffix, "centrifugo-delta",			\
	    "Asks for differences."),					\
	NO(STR, "version_" suffix, "centrifugo-version",		\
	    "Names the version."),					\
	NO(STR, "version_epoch_" suffix, "centrifugo-version-epoch",	\
	    "Names the version's epoch."),				\
	NO(STR, "tags_" suffix "_prefix", "centrifugo-tag-",		\
	    "Begins the names of tags."),				\
	END

static const struct conf_opt header_mode_opts[] = { DATA_MODE("header") };
static const struct conf_opt value_mode_opts[] = { DATA_MODE("value") };
static const struct conf_opt attr_mode_opts[] = { DATA_MODE("attribute") };
static const struct conf_opt prop_mode_opts[] = { DATA_MODE("property") };

static const struct conf_opt kafka_opts[] = {
	NO(LIST, "brokers", "", "Where Kafka is."),
	NO(LIST, "topics", "", "Topics that are read."),
	NO(STR, "consumer_group", "", "Group to read in."),
	NO(INT, "max_poll_records", "100", "Most records at a time."),
	NO(INT, "fetch_max_bytes", "", "Most bytes at a time."),
	NO(DUR, "fetch_max_wait", "500ms", "Longest wait."),
	NO(BOOL, "fetch_read_uncommitted", "",
	    "Read what is not committed."),
	NO(INT, "partition_queue_max_size", "1000",
	    "Records of a partition that may wait."),
	NO(DUR, "dial_timeout", "3s", "Time to connect."),
	NO_GROUP("tls", conf_tls_opts, "TLS to Kafka."),
	NO(STR, "sasl_mechanism", "", "How to log in."),
	NO(STR, "sasl_user", "", "User."),
	NO_FLAG(STR, "sasl_password", OF_SECRET, "", "Password."),
	NO(STR, "assume_role_arn", "", "Role to take."),
	NO(STR, "instance_id", "", "Name within the group."),
	NO(STR, "method_header", "centrifugo-method",
	    "Header that names the method."),
	NO_GROUP("publication_data_mode", header_mode_opts,
	    "Records that are data alone."),
	END
};

static const struct conf_opt nats_jetstream_opts[] = {
	NO_FLAG(STR, "url", OF_SECRET, "nats://127.0.0.1:4222",
	    "Where NATS is."),
	NO(STR, "credentials_file", "", "File with credentials."),
	NO(STR, "username", "", "User."),
	NO_FLAG(STR, "password", OF_SECRET, "", "Password."),
	NO_FLAG(STR, "token", OF_SECRET, "", "Token."),
	NO(STR, "stream_name", "", "Stream that is read."),
	NO(BOOL, "use_existing_consumer", "", "Create no consumer."),
	NO(LIST, "subjects", "", "Subjects that are read."),
	NO(STR, "durable_consumer_name", "", "Name of the consumer."),
	NO_ONEOF("deliver_policy", "new all", "new", "Where to begin."),
	NO(INT, "max_ack_pending", "100", "Messages under way at once."),
	NO(STR, "method_header", "centrifugo-method",
	    "Header that names the method."),
	NO_GROUP("publication_data_mode", header_mode_opts,
	    "Messages that are data alone."),
	NO_GROUP("tls", conf_tls_opts, "TLS to NATS."),
	END
};

static const struct conf_opt redis_stream_opts[] = {
	NO_SQUASH(conf_redis_opts),
	NO(LIST, "streams", "", "Streams that are read."),
	NO(STR, "consumer_group", "", "Group to read in."),
	NO(DUR, "visibility_timeout", "30s",
	    "When an unanswered message is read again."),
	NO(INT, "num_workers", "1", "Messages of a stream at once."),
	NO(STR, "payload_value", "payload", "Field with the payload."),
	NO(STR, "method_value", "method", "Field with the method."),
	NO_GROUP("publication_data_mode", value_mode_opts,
	    "Messages that are data alone."),
	END
};

static const struct conf_opt google_pub_sub_opts[] = {
	NO(STR, "project_id", "", "Project."),
	NO(LIST, "subscriptions", "", "Subscriptions that are read."),
	NO(INT, "max_outstanding_messages", "100",
	    "Messages under way at once."),
	NO(INT, "max_outstanding_bytes", "1000000",
	    "Bytes under way at once."),
	NO(STR, "auth_mechanism", "", "How to log in."),
	NO(STR, "credentials_file", "", "File with credentials."),
	NO(STR, "method_attribute", "centrifugo-method",
	    "Attribute that names the method."),
	NO_GROUP("publication_data_mode", attr_mode_opts,
	    "Messages that are data alone."),
	END
};

static const struct conf_opt aws_sqs_opts[] = {
	NO(LIST, "queues", "", "Queues that are read."),
	NO(BOOL, "sns_envelope", "", "Messages come from SNS."),
	NO(STR, "region", "", "Region."),
	NO(INT, "max_number_of_messages", "10",
	    "Most messages at a time."),
	NO(DUR, "wait_time_time", "20s", "Longest wait."),
	NO(DUR, "visibility_timeout", "30s",
	    "When an unanswered message is read again."),
	NO(INT, "max_concurrency", "1", "Messages at once."),
	NO(STR, "credentials_profile", "", "Profile with credentials."),
	NO(STR, "assume_role_arn", "", "Role to take."),
	NO(STR, "method_attribute", "centrifugo-method",
	    "Attribute that names the method."),
	NO(STR, "localstack_endpoint", "", "A local stand-in for AWS."),
	NO_GROUP("publication_data_mode", attr_mode_opts,
	    "Messages that are data alone."),
	END
};

static const struct conf_opt azure_service_bus_opts[] = {
	NO_FLAG(STR, "connection_string", OF_SECRET, "",
	    "Where the service is."),
	NO(BOOL, "use_azure_identity", "", "Log in with an identity."),
	NO(STR, "fully_qualified_namespace", "", "Host of the service."),
	NO(STR, "tenant_id", "", "Tenant."),
	NO(STR, "client_id", "", "Client."),
	NO_FLAG(STR, "client_secret", OF_SECRET, "", "Its secret."),
	NO(LIST, "queues", "", "Queues that are read."),
	NO(BOOL, "use_sessions", "", "Messages belong to sessions."),
	NO(INT, "max_concurrent_calls", "1", "Messages at once."),
	NO(INT, "max_receive_messages", "1", "Most messages at a time."),
	NO(STR, "method_property", "centrifugo-method",
	    "Property that names the method."),
	NO_GROUP("publication_data_mode", prop_mode_opts,
	    "Messages that are data alone."),
	END
};

const struct conf_opt conf_consumer_opts[] = {
	NO(STR, "name", "", "Its name."),
	NO(BOOL, "enabled", "", "Read from it."),
	NO_ONEOF("type", "postgresql kafka nats_jetstream redis_stream "
	    "google_pub_sub aws_sqs azure_service_bus", "",
	    "What it reads from."),
	NO_GROUP("postgresql", postgresql_opts, "A table in PostgreSQL."),
	NO_GROUP("kafka", kafka_opts, "Kafka."),
	NO_GROUP("nats_jetstream", nats_jetstream_opts, "NATS JetStream."),
	NO_GROUP("redis_stream", redis_stream_opts, "Streams in Redis."),
	NO_GROUP("google_pub_sub", google_pub_sub_opts, "Google Pub/Sub."),
	NO_GROUP("aws_sqs", aws_sqs_opts, "AWS SQS."),
	NO_GROUP("azure_service_bus", azure_service_bus_opts,
	    "Azure Service Bus."),
	END
};

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The options: names, types, defaults, ranges and help, in the order in
 * which they are shown. Everything else about options (file, environment,
 * flags, documentation) is derived from these rows. See table.h for how a
 * row is read, groups.c for the groups that are used more than once, and
 * known.c for the options that do nothing.
 */
#include "conf/table.h"

#define MS		1
#define SECOND		1000
#define DAY		(24 * 3600 * (int64_t)SECOND)

/* A list of items is a pointer and a count. */
#define IS_ITEMS(st)							\
	_Static_assert(offsetof(struct st, v) ==			\
	    offsetof(struct conf_items, v) &&				\
	    offsetof(struct st, n) == offsetof(struct conf_items, n) &&	\
	    sizeof(struct st) == sizeof(struct conf_items), "items: " #st)
IS_ITEMS(conf_namespaces);
IS_ITEMS(conf_certificates);
IS_ITEMS(conf_listeners);
IS_ITEMS(conf_disconnect_transforms);
IS_ITEMS(conf_response_transforms);

static const struct conf_opt certificate_opts[] = {
	OPT(PEM, conf_certificate, cert_pem, OF_RELOAD | OF_EXTRA, "",
	    "Certificate chain."),
	OPT(PEM, conf_certificate, key_pem,
	    OF_SECRET | OF_RELOAD | OF_EXTRA, "", "Its private key."),
	END
};

/* TLS of a listening port. */
static const struct conf_opt internal_tls_opts[] = {
	SAME(conf_tls_opts),
	OPT_ONEOF(conf_tls, client_auth, OF_RELOAD | OF_EXTRA,
	    "require optional", "",
	    "Whether clients must bring a certificate; empty for require "
	    "if client_ca_pem is given."),
	ITEMS(conf_tls, certificates, conf_certificate,
	    OF_RELOAD | OF_EXTRA, certificate_opts,
	    "More certificates: objects with cert_pem and key_pem. The "
	    "client's server name chooses; cert_pem serves the others."),
	END
};

static const struct conf_opt server_tls_opts[] = {
	SAME(internal_tls_opts),
	OPT_RANGE(DUR, conf_tls, reload_interval, OF_RELOAD | OF_EXTRA,
	    TIME_OR_0, "1m",
	    "How often files of certificates and keys are looked at for "
	    "changes; 0 given as a flag or variable for never."),
	OPT_RANGE(INT, conf_tls, session_cache_size, OF_EXTRA, UP, "16384",
	    "Sessions kept for clients that come back; 0 given as a flag or "
	    "variable for none."),
	OPT_RANGE(DUR, conf_tls, handshake_timeout, OF_EXTRA, TIME, "10s",
	    "Time that a handshake may take."),
	OPT_RANGE(INT, conf_tls, max_handshakes, OF_EXTRA, FROM_1, "4096",
	    "Most handshakes at a time; the oldest gives way."),
	END
};

static const struct conf_opt autocert_opts[] = {
	OPT(BOOL, conf_tls_autocert, enabled, 0, "",
	    "Obtain certificates from an ACME authority."),
	OPT(LIST, conf_tls_autocert, host_whitelist, 0, "",
	    "Host names, or addresses, to obtain certificates for."),
	OPT(STR, conf_tls_autocert, cache_dir, 0, "",
	    "Directory in which certificates and account are kept."),
	OPT(STR, conf_tls_autocert, email, 0, "",
	    "Address that the authority may write to."),
	OPT(STR, conf_tls_autocert, server_name, 0, "",
	    "Name to assume for clients that send none."),
	OPT(BOOL, conf_tls_autocert, http, 0, "",
	    "Answer http-01 challenges."),
	OPT(STR, conf_tls_autocert, http_addr, 0, ":80",
	    "Where http-01 challenges are answered."),
	OPT(BOOL, conf_tls_autocert, force_rsa, OF_EXTRA, "",
	    "Have keys of RSA, with 2048 bits, instead of P-256."),
	OPT(STR, conf_tls_autocert, directory, OF_EXTRA, "",
	    "URL of the authority's directory; empty for Let's Encrypt, "
	    "staging for its test authority."),
	OPT(STR, conf_tls_autocert, webroot, OF_EXTRA, "",
	    "Root directory of another web server on port 80, into which "
	    "the answers to http-01 challenges are written."),
	OPT(STR, conf_tls_autocert, profile, OF_EXTRA, "",
	    "Profile of certificates to ask for, if the authority has any."),
	OPT(STR, conf_tls_autocert, preferred_chain, OF_EXTRA, "",
	    "Name of the root that the chain should lead to."),
	OPT(STR, conf_tls_autocert, eab_kid, OF_EXTRA, "",
	    "Key identifier of an external account."),
	OPT(STR, conf_tls_autocert, eab_hmac_key, OF_SECRET | OF_EXTRA, "",
	    "Key of the external account, in base 64."),
	OPT(PEM, conf_tls_autocert, ca_pem, OF_EXTRA, "",
	    "Authorities that the directory's own certificate must come "
	    "from; empty for those of the system."),
	OPT_ONEOF(conf_tls_autocert, challenge, OF_EXTRA,
	    "http-01 tls-alpn-01", "",
	    "How to prove the names; empty for whichever can work."),
	OPT(BOOL, conf_tls_autocert, separate, OF_EXTRA, "",
	    "Have a certificate for each name, and not one for all."),
	OPT(STR, conf_tls_autocert, user, OF_EXTRA, "",
	    "User that the process that speaks to the authority runs as."),
	END
};

static const struct conf_opt redirect_opts[] = {
	OPT(BOOL, conf_tls_redirect, enabled, OF_EXTRA, "",
	    "Send clients that come without TLS to the TLS port."),
	OPT(STR, conf_tls_redirect, address, OF_EXTRA, "",
	    "Address to listen on; empty for all interfaces."),
	OPT_RANGE(INT, conf_tls_redirect, port, OF_EXTRA, PORT, "80",
	    "Port to listen on."),
	OPT(INT, conf_tls_redirect, code, OF_EXTRA, "301",
	    "Status of the answer: 301, or 308 to keep the method."),
	END
};

static const struct conf_opt unix_socket_opts[] = {
	OPT(STR, conf_unix_socket, path, OF_EXTRA, "",
	    "Path of a Unix socket to listen on, or @ and a name for an "
	    "abstract one; empty for none."),
	OPT(STR, conf_unix_socket, mode, OF_EXTRA | OF_TEXT, "660",
	    "Its mode, in octal."),
	OPT(STR, conf_unix_socket, owner, OF_EXTRA, "",
	    "User it belongs to; empty for fugu's."),
	OPT(STR, conf_unix_socket, group, OF_EXTRA, "",
	    "Group it belongs to; empty for fugu's."),
	END
};

static const struct conf_opt listener_opts[] = {
	OPT(STR, conf_listener, name, OF_EXTRA, "",
	    "Name of the listener, for the log."),
	OPT(STR, conf_listener, address, OF_EXTRA, "",
	    "Address to listen on; empty for all interfaces."),
	OPT_RANGE(INT, conf_listener, port, OF_EXTRA, PORT_OR_0, "",
	    "Port to listen on."),
	OPT(STR, conf_listener, unix_socket, OF_EXTRA, "",
	    "Path of a Unix socket to listen on, instead of port. Mode and "
	    "owner are those of unix_socket, or internal_unix_socket."),
	OPT(BOOL, conf_listener, tls, OF_EXTRA, "",
	    "Use TLS, with the certificates of tls or tls_autocert."),
	OPT(BOOL, conf_listener, proxy_protocol, OF_EXTRA, "",
	    "Expect the PROXY protocol."),
	OPT(BOOL, conf_listener, internal, OF_EXTRA, "",
	    "Serve the internal endpoints instead of the external ones."),
	END
};

static const struct conf_opt http_server_opts[] = {
	OPT(STR, conf_http_server, address, 0, "",
	    "Address to listen on; empty for all interfaces."),
	OPT_RANGE(INT, conf_http_server, port, 0, PORT_OR_0, "8000",
	    "Port to listen on; 0 given as a flag or variable for none."),
	OPT(STR, conf_http_server, internal_address, 0, "",
	    "Address for the internal endpoints (API, metrics, health); "
	    "empty for the same as address."),
	OPT_RANGE(PORT, conf_http_server, internal_port, 0, PORT_OR_0, "",
	    "Port for the internal endpoints; empty for the same as port."),
	OPT(BOOL, conf_http_server, tcp_disabled, OF_EXTRA, "",
	    "Do not listen on port, but on Unix sockets, listeners, and "
	    "internal_port if that is another one, alone."),
	GROUP(conf_http_server, tls, server_tls_opts),
	GROUP(conf_http_server, tls_autocert, autocert_opts),
	OPT(BOOL, conf_http_server, tls_external, 0, "",
	    "Use TLS on the external port only."),
	GROUP(conf_http_server, internal_tls, internal_tls_opts),
	GROUP(conf_http_server, tls_redirect, redirect_opts),
	GROUP(conf_http_server, unix_socket, unix_socket_opts),
	GROUP(conf_http_server, internal_unix_socket, unix_socket_opts),
	ITEMS(conf_http_server, listeners, conf_listener, OF_EXTRA,
	    listener_opts, "More listeners: objects with these options."),
	OPT(BOOL, conf_http_server, proxy_protocol, OF_EXTRA, "",
	    "Expect the PROXY protocol on the external port. Needs "
	    "trusted_proxies."),
	OPT(BOOL, conf_http_server, internal_proxy_protocol, OF_EXTRA, "",
	    "The same on the internal port."),
	OPT(LIST, conf_http_server, trusted_proxies, OF_EXTRA, "",
	    "Addresses, or networks as in 10.0.0.0/8, of proxies that "
	    "are believed who the client is; unix for whoever comes over a "
	    "Unix socket."),
	OPT_ONEOF(conf_http_server, forwarded_header, OF_EXTRA,
	    "X-Forwarded-For X-Real-IP Forwarded none", "X-Forwarded-For",
	    "Header in which trusted proxies name the client."),
	OPT_RANGE(INT, conf_http_server, address_connection_limit,
	    OF_EXTRA, UP, "",
	    "Most connections of one client address; 0 for no limit."),
	OPT_RANGE(INT, conf_http_server, address_connection_rate_limit,
	    OF_EXTRA, UP, "",
	    "Most new connections a second of one client address; 0 for no "
	    "limit."),
	OPT_RANGE(DUR, conf_http_server, header_timeout, OF_EXTRA, TIME,
	    "10s", "Time a client has to send a request's head."),
	OPT_RANGE(DUR, conf_http_server, body_timeout, OF_EXTRA, TIME,
	    "30s", "Time a client has to send a request's body."),
	OPT_RANGE(DUR, conf_http_server, idle_timeout, OF_EXTRA, TIME, "60s",
	    "How long a connection is kept open between two requests."),
	OPT_RANGE(INT, conf_http_server, max_header_size, OF_EXTRA, HEAD,
	    "16384", "Most bytes of a request's head."),
	OPT_RANGE(INT, conf_http_server, backlog, OF_EXTRA, PORT, "4096",
	    "Connections the system may hold that are not yet accepted."),
	KNOWN("http_server"),
	END
};

static const struct conf_opt log_opts[] = {
	OPT_ONEOF(conf_log, level, OF_RELOAD,
	    "trace debug info warn error fatal none", "info",
	    "Least weight of a line that is logged."),
	OPT(STR, conf_log, file, OF_RELOAD, "",
	    "File to log to; empty for standard error."),
	OPT_ONEOF(conf_log, format, OF_EXTRA | OF_RELOAD, "logfmt json",
	    "logfmt",
	    "How lines are written."),
	END
};

static const struct conf_opt subscription_token_opts[] = {
	OPT(BOOL, conf_subscription_token, enabled, OF_RELOAD, "",
	    "Verify subscription tokens by what is given here, and not as "
	    "connection tokens."),
	SQUASH(conf_subscription_token, token, conf_token_opts),
	END
};

static const struct conf_opt personal_channel_opts[] = {
	OPT(BOOL, conf_personal_channel, enabled, OF_RELOAD, "",
	    "Subscribe every user to a channel of its own."),
	OPT(STR, conf_personal_channel, personal_channel_namespace,
	    OF_RELOAD, "", "Namespace of these channels; empty for none."),
	OPT(BOOL, conf_personal_channel, single_connection, OF_RELOAD, "",
	    "Close a user's older connections. Needs presence in these "
	    "channels."),
	END
};

static const struct conf_opt uni_transform_opts[] = {
	OPT_RANGE(INT, conf_disconnect_transform, code, OF_RELOAD, ERROR, "",
	    "Error code of the connect reply."),
	GROUP(conf_disconnect_transform, to, conf_disconnect_opts),
	END
};

static const struct conf_opt uni_disconnect_opts[] = {
	OPT(BOOL, conf_code_to_disconnect, enabled, OF_RELOAD, "",
	    "Translate the codes."),
	ITEMS(conf_code_to_disconnect, transforms, conf_disconnect_transform,
	    OF_RELOAD, uni_transform_opts,
	    "The translations: objects with code and to, an object with "
	    "code and reason."),
	END
};

static const struct conf_opt client_opts[] = {
	OPT(LIST, conf_client, allowed_origins, OF_RELOAD, "",
	    "Origins that browsers may connect from, as globs; empty for "
	    "none, * for all. Clients that send no Origin are not "
	    "concerned."),
	GROUP(conf_client, token, conf_token_opts),
	GROUP(conf_client, subscription_token, subscription_token_opts),
	OPT(BOOL, conf_client, allow_anonymous_connect_without_token,
	    OF_RELOAD, "", "Let clients connect without a token, as the "
	    "user with the empty name."),
	OPT(BOOL, conf_client, disallow_anonymous_connection_tokens,
	    OF_RELOAD, "", "Refuse tokens without a user."),
	OPT_RANGE(DUR, conf_client, ping_interval, OF_RELOAD, TIME, "25s",
	    "How often a client is pinged. Must be longer than "
	    "pong_timeout."),
	OPT_RANGE(DUR, conf_client, pong_timeout, OF_RELOAD, ANY_TIME, "8s",
	    "How long a client may take to answer a ping; negative to wait "
	    "for no answer."),
	OPT_RANGE(DUR, conf_client, expired_close_delay, OF_RELOAD,
	    TIME_OR_0, "25s",
	    "Time to renew an expired token before the connection is "
	    "closed."),
	OPT_RANGE(DUR, conf_client, expired_sub_close_delay, OF_RELOAD,
	    TIME_OR_0, "25s",
	    "Time to renew an expired subscription before it is ended."),
	OPT_RANGE(DUR, conf_client, stale_close_delay, OF_RELOAD, TIME,
	    "10s", "Time a connection has to send its connect."),
	OPT_RANGE(INT, conf_client, channel_limit, OF_RELOAD, UP, "128",
	    "Most channels of one connection at a time."),
	OPT_RANGE(INT, conf_client, queue_max_size, OF_RELOAD, FROM_1,
	    "1048576",
	    "Bytes that may wait for a slow client before it is "
	    "disconnected."),
	OPT_RANGE(DUR, conf_client, presence_update_interval, OF_RELOAD,
	    TIME, "27s", "How often presence is renewed."),
	OPT_RANGE(DUR, conf_client, channel_position_check_delay, OF_RELOAD,
	    TIME, "40s",
	    "How often the position in a channel is checked."),
	OPT_RANGE(DUR, conf_client, channel_position_max_time_lag,
	    OF_RELOAD, TIME_OR_0, "",
	    "Most a position may lag behind; 0 to not check."),
	OPT_RANGE(INT, conf_client, connection_limit, OF_RELOAD, UP, "",
	    "Most connections of this server; 0 for no limit."),
	OPT_RANGE(INT, conf_client, user_connection_limit, OF_RELOAD, UP, "",
	    "Most connections of one user; 0 for no limit."),
	OPT_RANGE(INT, conf_client, connection_rate_limit, OF_RELOAD, UP, "",
	    "Most new connections a second; 0 for no limit."),
	OPT(BOOL, conf_client, connect_include_server_time, OF_RELOAD, "",
	    "Tell the time in the reply to connect."),
	OPT_RANGE(INT, conf_client, history_max_publication_limit,
	    OF_RELOAD, UP, "300",
	    "Most publications that a client gets from history; 0 given as "
	    "a flag or variable for no limit."),
	OPT_RANGE(INT, conf_client, recovery_max_publication_limit,
	    OF_RELOAD, UP, "300",
	    "Most publications that can be recovered; 0 given as a flag or "
	    "variable for no limit."),
	OPT(BOOL, conf_client, insecure_skip_token_signature_verify,
	    OF_RELOAD, "", "Believe tokens whatever their signature; for "
	    "tests only."),
	OPT(STR, conf_client, user_id_http_header, OF_RELOAD, "",
	    "Header in which a trusted proxy names the user; clients then "
	    "need no token."),
	OPT_ONEOF(conf_client, user_id_client_certificate,
	    OF_EXTRA | OF_RELOAD, "cn subject", "",
	    "Take the user from the client's certificate: its common name, "
	    "or the whole subject. Clients then need no token."),
	OPT(BOOL, conf_client, insecure, OF_RELOAD, "",
	    "Let every client connect, subscribe and publish; for tests "
	    "only."),
	GROUP(conf_client, subscribe_to_user_personal_channel,
	    personal_channel_opts),
	GROUP(conf_client, connect_code_to_unidirectional_disconnect,
	    uni_disconnect_opts),
	KNOWN("client"),
	END
};

static const struct conf_opt namespace_opts[] = {
	OPT(STR, conf_namespace, name, OF_RELOAD, "",
	    "What stands before the boundary in names of its channels."),
	SQUASH(conf_namespace, opt, conf_channel_opts),
	END
};

static const struct conf_opt channels_opts[] = {
	GROUP(conf_channels, without_namespace, conf_channel_opts),
	ITEMS(conf_channels, namespaces, conf_namespace,
	    OF_NAMED | OF_RELOAD, namespace_opts,
	    "The namespaces: objects with a name and the options of "
	    "without_namespace."),
	OPT_RANGE(DUR, conf_channels, history_meta_ttl, OF_RELOAD, SECONDS,
	    "720h",
	    "How long a channel's position is kept after the last "
	    "publication; whole seconds."),
	OPT_ONEOF(conf_channels, publication_data_format, OF_RELOAD,
	    "json json_object binary", "",
	    "What the data of publications must be; empty for what the "
	    "protocol demands."),
	OPT_RANGE(INT, conf_channels, max_length, OF_RELOAD, PORT, "255",
	    "Most bytes of a channel's name."),
	OPT(STR, conf_channels, private_prefix, OF_RELOAD, "$",
	    "Channels whose names begin with it need a subscription "
	    "token."),
	OPT(STR, conf_channels, namespace_boundary, OF_RELOAD | OF_FULL, ":",
	    "What ends the namespace in a channel's name."),
	OPT(STR, conf_channels, user_boundary, OF_RELOAD | OF_FULL, "#",
	    "What begins the list of users in a channel's name."),
	OPT(STR, conf_channels, user_separator, OF_RELOAD | OF_FULL, ",",
	    "What separates the users in a channel's name."),
	KNOWN("channels"),
	END
};

static const struct conf_opt http_api_opts[] = {
	OPT(BOOL, conf_http_api, disabled, 0, "", "Serve no server API."),
	OPT(STR, conf_http_api, handler_prefix, OF_PREFIX, "/api",
	    "Path of the server API."),
	OPT(STR, conf_http_api, key, OF_SECRET | OF_RELOAD, "",
	    "Key that requests must bring; without one every request is "
	    "refused, unless insecure is set."),
	OPT_ONEOF(conf_http_api, error_mode, OF_RELOAD, "transport", "",
	    "transport to answer errors with an HTTP status instead of "
	    "200."),
	OPT(BOOL, conf_http_api, external, 0, "",
	    "Serve the API on the external port."),
	OPT(BOOL, conf_http_api, insecure, OF_RELOAD, "",
	    "Ask for no key; for trusted networks only."),
	OPT_RANGE(INT, conf_http_api, max_body_size, OF_EXTRA, FROM_1,
	    "33554432", "Most bytes of a request's body."),
	END
};

/* Of websocket and uni_websocket. */
static const struct conf_opt frame_opts[] = {
	OPT(BOOL, conf_websocket, compression, OF_RELOAD, "",
	    "Offer permessage-deflate."),
	OPT_RANGE(INT, conf_websocket, compression_min_size, OF_RELOAD, UP,
	    "",
	    "Least bytes of a message that is compressed."),
	OPT_RANGE(INT, conf_websocket, compression_level, OF_RELOAD, LEVEL,
	    "1",
	    "Effort, from 1 (fast) to 9 (small)."),
	OPT_RANGE(DUR, conf_websocket, write_timeout, OF_RELOAD, TIME,
	    "1000ms",
	    "Time a write may take before the client counts as gone."),
	OPT_RANGE(INT, conf_websocket, message_size_limit, OF_RELOAD, FROM_1,
	    "65536", "Most bytes of a message from a client."),
	OPT_RANGE(INT, conf_websocket, decompressed_message_size_limit,
	    OF_RELOAD, UP, "",
	    "The same after decompression; 0 for ten times as much."),
	KNOWN("frame"),
	END
};

static const struct conf_opt websocket_opts[] = {
	OPT(BOOL, conf_websocket, disabled, 0, "", "Serve no WebSocket."),
	OPT(STR, conf_websocket, handler_prefix, OF_PREFIX,
	    "/connection/websocket", "Path of the WebSocket endpoint."),
	SAME(frame_opts),
	END
};

static const struct conf_opt body_opts[] = {
	OPT_RANGE(INT, conf_stream, max_request_body_size, 0, FROM_1,
	    "65536", "Most bytes of a connect request."),
	END
};

static const struct conf_opt sse_opts[] = {
	OPT(BOOL, conf_stream, enabled, 0, "", "Serve server-sent events."),
	OPT(STR, conf_stream, handler_prefix, OF_PREFIX, "/connection/sse",
	    "Path."),
	SAME(body_opts),
	END
};

static const struct conf_opt http_stream_opts[] = {
	OPT(BOOL, conf_stream, enabled, 0, "", "Serve HTTP streaming."),
	OPT(STR, conf_stream, handler_prefix, OF_PREFIX,
	    "/connection/http_stream", "Path."),
	SAME(body_opts),
	END
};

static const struct conf_opt response_opts[] = {
	OPT_RANGE(INT, conf_response, status_code, OF_RELOAD, STATUS, "",
	    "HTTP status."),
	OPT(STR, conf_response, body, OF_RELOAD, "", "Body of the response."),
	END
};

static const struct conf_opt http_transform_opts[] = {
	OPT_RANGE(INT, conf_response_transform, code, OF_RELOAD, ERROR, "",
	    "Error code of the connect reply."),
	GROUP(conf_response_transform, to, response_opts),
	END
};

static const struct conf_opt http_response_opts[] = {
	OPT(BOOL, conf_code_to_response, enabled, OF_RELOAD, "",
	    "Translate the codes."),
	ITEMS(conf_code_to_response, transforms, conf_response_transform,
	    OF_RELOAD, http_transform_opts,
	    "The translations: objects with code and to, an object with "
	    "status_code and body."),
	END
};

/* Of uni_sse and uni_http_stream. */
static const struct conf_opt uni_stream_opts[] = {
	SAME(body_opts),
	GROUP(conf_stream, connect_code_to_http_response, http_response_opts),
	END
};

static const struct conf_opt uni_sse_opts[] = {
	OPT(BOOL, conf_stream, enabled, 0, "",
	    "Serve unidirectional server-sent events."),
	OPT(STR, conf_stream, handler_prefix, OF_PREFIX,
	    "/connection/uni_sse", "Path."),
	SAME(uni_stream_opts),
	END
};

static const struct conf_opt uni_http_stream_opts[] = {
	OPT(BOOL, conf_stream, enabled, 0, "",
	    "Serve unidirectional HTTP streaming."),
	OPT(STR, conf_stream, handler_prefix, OF_PREFIX,
	    "/connection/uni_http_stream", "Path."),
	SAME(uni_stream_opts),
	END
};

static const struct conf_opt uni_websocket_opts[] = {
	OPT(BOOL, conf_websocket, enabled, 0, "",
	    "Serve unidirectional WebSocket."),
	OPT(STR, conf_websocket, handler_prefix, OF_PREFIX,
	    "/connection/uni_websocket", "Path."),
	SAME(frame_opts),
	OPT(BOOL, conf_websocket, disable_closing_handshake, OF_RELOAD, "",
	    "Send no close frame."),
	OPT(BOOL, conf_websocket, disable_disconnect_push, OF_RELOAD, "",
	    "Send no disconnect push."),
	OPT(BOOL, conf_websocket, join_push_messages, 0, "",
	    "Allow several pushes in a message, which is never done."),
	END
};

static const struct conf_opt emulation_opts[] = {
	OPT(STR, conf_emulation, handler_prefix, OF_PREFIX, "/emulation",
	    "Path."),
	OPT_RANGE(INT, conf_emulation, max_request_body_size, 0, FROM_1,
	    "65536", "Most bytes of a request."),
	END
};

static const struct conf_opt prometheus_opts[] = {
	OPT(BOOL, conf_endpoint, enabled, 0, "",
	    "Serve metrics on the internal port."),
	OPT(STR, conf_endpoint, handler_prefix, OF_PREFIX, "/metrics",
	    "Path of the metrics."),
	KNOWN("prometheus"),
	END
};

static const struct conf_opt health_opts[] = {
	OPT(BOOL, conf_endpoint, enabled, 0, "",
	    "Answer health checks on the internal port."),
	OPT(STR, conf_endpoint, handler_prefix, OF_PREFIX, "/health",
	    "Path of the health check."),
	END
};

static const struct conf_opt init_opts[] = {
	OPT(BOOL, conf_endpoint, enabled, 0, "",
	    "Serve the endpoint that sets cookies of load balancers."),
	OPT(STR, conf_endpoint, handler_prefix, OF_PREFIX,
	    "/connection/init", "Path."),
	END
};

static const struct conf_opt node_opts[] = {
	OPT(STR, conf_node, name, 0, "",
	    "Name of this server; empty for host name and port."),
	KNOWN("node"),
	END
};

static const struct conf_opt shutdown_opts[] = {
	OPT_RANGE(DUR, conf_shutdown, timeout, OF_RELOAD, TIME_OR_0, "30s",
	    "Longest time that stopping may take."),
	OPT_RANGE(DUR, conf_shutdown, disconnect_spread,
	    OF_EXTRA | OF_RELOAD, TIME_OR_0, "1s",
	    "Time over which the clients are disconnected, so that they "
	    "don't all come back at once."),
	END
};

static const struct conf_opt root_opts[] = {
	GROUP(conf, http_server, http_server_opts),
	GROUP(conf, log, log_opts),
	GROUP(conf, client, client_opts),
	GROUP(conf, channel, channels_opts),
	GROUP(conf, http_api, http_api_opts),
	GROUP(conf, websocket, websocket_opts),
	GROUP(conf, sse, sse_opts),
	GROUP(conf, http_stream, http_stream_opts),
	GROUP(conf, uni_sse, uni_sse_opts),
	GROUP(conf, uni_http_stream, uni_http_stream_opts),
	GROUP(conf, uni_websocket, uni_websocket_opts),
	GROUP(conf, emulation, emulation_opts),
	GROUP(conf, prometheus, prometheus_opts),
	GROUP(conf, health, health_opts),
	GROUP(conf, init, init_opts),
	GROUP(conf, node, node_opts),
	GROUP(conf, shutdown, shutdown_opts),
	OPT(STR, conf, pid_file, 0, "",
	    "File that the process id is written to; empty for none."),
	OPT_RANGE(INT, conf, workers, OF_EXTRA, THREADS, "",
	    "Threads that serve connections; 0 for one per CPU that the "
	    "process may use."),
	KNOWN("root"),
	END
};

const struct conf_opt conf_root = {
	.type = CONF_GROUP, .flags = OF_STORED, .sub = root_opts,
};

/* see table.h */
struct conf_range
conf_range(const struct conf_opt *o)
{
	static const struct conf_range ranges[] = {
		[CONF_R_FROM_0] = { 0, INT64_MAX },
		[CONF_R_FROM_1] = { 1, INT32_MAX },
		[CONF_R_UP] = { 0, INT32_MAX },
		[CONF_R_PORT] = { 1, UINT16_MAX },
		[CONF_R_PORT_OR_0] = { 0, UINT16_MAX },
		[CONF_R_TIME] = { MS, DAY },
		[CONF_R_TIME_OR_0] = { 0, DAY },
		[CONF_R_ANY_TIME] = { -DAY, DAY },
		[CONF_R_SECONDS] = { SECOND, INT64_MAX },
		[CONF_R_HEAD] = { 1024, 1024 * 1024 },
		[CONF_R_THREADS] = { 0, 1024 },
		[CONF_R_LEVEL] = { 1, 9 },
		[CONF_R_STATUS] = { 100, 599 },
		[CONF_R_DISCONNECT] = { 3000, 4999 },
		[CONF_R_ERROR] = { 1, UINT32_MAX },
	};

	return ranges[o->range];
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The configuration: an immutable, reference-counted snapshot made of the
 * defaults, one JSON file, the environment and the command line, in rising
 * order of strength. The path of a field is the dotted name of its option.
 * conf/table.c is the only place where names, types, defaults, ranges and
 * help are written; fields exist for the options that fugu acts on.
 *
 * Types: strings are never NULL ("" when unset), whole numbers int64_t,
 * durations int64_t milliseconds, lists struct conf_list.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/buf.h"
#include "util/sv.h"

struct regex;

struct conf_list {
	const char	**v;
	size_t		  n;
};

struct conf_pair {
	const char	*key;
	const char	*value;
};

struct conf_map {
	struct conf_pair *v;
	size_t		  n;
};

/* A list of networks: IPv4 ones are mapped to ::ffff:0:0/96. */
struct conf_cidr {
	uint8_t		 addr[16];		/* bits after the first are 0 */
	uint8_t		 bits;
};

struct conf_cidrs {
	struct conf_cidr *v;
	size_t		 n;
};

/* A certificate chain and its key, both PEM options (see conf_pem_read). */
struct conf_certificate {
	const char	*cert_pem;
	const char	*key_pem;
};

struct conf_certificates {
	struct conf_certificate *v;
	size_t		 n;
};

/*
 * What is PEM could be read when it was loaded; what is inside is for tls/
 * to judge. The last four are options of http_server.tls alone, and of the
 * whole process.
 */
struct conf_tls {
	bool		 enabled;
	const char	*cert_pem;	/* this and key_pem: both or none */
	const char	*key_pem;
	const char	*server_ca_pem;		/* these three: client role */
	bool		 insecure_skip_verify;
	const char	*server_name;
	const char	*client_ca_pem;
	const char	*client_auth;	/* "": see conf_client_auth */
	struct conf_certificates certificates;	/* more, chosen by SNI */
	int64_t		 reload_interval;	/* 0: files not watched */
	int64_t		 session_cache_size;	/* 0: none */
	int64_t		 handshake_timeout;
	int64_t		 max_handshakes;
};

struct conf_tls_autocert {
	bool		 enabled;	/* then the next two are given */
	struct conf_list host_whitelist;
	const char	*cache_dir;
	const char	*email;
	const char	*server_name;
	bool		 http;
	const char	*http_addr;
	bool		 force_rsa;
	const char	*directory;	/* "", "staging" or a URL */
	const char	*webroot;
	const char	*profile;
	const char	*preferred_chain;
	const char	*eab_kid;	/* both this and the next, or none */
	const char	*eab_hmac_key;
	const char	*ca_pem;	/* trusted for the directory; PEM */
	const char	*challenge;	/* "", "http-01", "tls-alpn-01" */
	bool		 separate;	/* one certificate a name */
	const char	*user;		/* of the process; "": see main */
};

struct conf_tls_redirect {
	bool		 enabled;
	const char	*address;	/* "": all interfaces */
	int64_t		 port;
	int64_t		 code;		/* 301 or 308 */
};

struct conf_unix_socket {
	const char	*path;		/* "": none; absolute or "@name" */
	const char	*mode;
	int64_t		 mode_bits;	/* what mode says, <= 0777 */
	const char	*owner;		/* "": as it comes */
	const char	*group;
};

/* One more listener: either port or unix_socket is set. */
struct conf_listener {
	const char	*name;
	const char	*address;	/* "": all interfaces */
	int64_t		 port;
	const char	*unix_socket;	/* a path, as of conf_unix_socket */
	bool		 tls;
	bool		 proxy_protocol;
	bool		 internal;	/* which endpoints */
};

struct conf_listeners {
	struct conf_listener *v;
	size_t		 n;
};

struct conf_http_server {
	const char	*address;		/* "": all interfaces */
	int64_t		 port;			/* 0: no TCP listener */
	const char	*internal_address;	/* "": as address */
	int64_t		 internal_port;		/* 0: as port */
	bool		 tcp_disabled;		/* as port 0 */
	struct conf_tls	 tls;
	struct conf_tls_autocert tls_autocert;
	bool		 tls_external;
	struct conf_tls	 internal_tls;
	struct conf_tls_redirect tls_redirect;
	struct conf_unix_socket unix_socket;
	struct conf_unix_socket internal_unix_socket;
	struct conf_listeners listeners;
	bool		 proxy_protocol;	/* of the external port */
	bool		 internal_proxy_protocol;
	struct conf_list trusted_proxies;
	struct conf_cidrs trusted_cidrs;	/* the same, parsed */
	bool		 trusted_unix;		/* "unix" is among them */
	const char	*forwarded_header;	/* "": none */
	int64_t		 address_connection_limit;	/* 0: none */
	int64_t		 address_connection_rate_limit;	/* 0: none */
	int64_t		 header_timeout;
	int64_t		 body_timeout;
	int64_t		 idle_timeout;
	int64_t		 max_header_size;
	int64_t		 backlog;
};

struct conf_log {
	const char	*level;		/* a name log_level_parse() knows */
	const char	*file;		/* "": stderr */
	const char	*format;	/* "logfmt" or "json" */
};

struct conf_token {
	const char	*hmac_secret_key;
	const char	*hmac_previous_secret_key;
	int64_t		 hmac_previous_secret_key_valid_until;	/* Unix s */
	/* PEM options (see conf_pem_read) that could be read when loaded. */
	const char	*rsa_public_key;
	const char	*ecdsa_public_key;
	const char	*jwks_public_endpoint;
	const char	*audience;		/* at most one of each two */
	const char	*audience_regex;
	const struct regex *audience_re;	/* NULL: no audience_regex */
	const char	*issuer;
	const char	*issuer_regex;
	const struct regex *issuer_re;		/* NULL: no issuer_regex */
	const char	*user_id_claim;
	bool		 insecure_skip_jwks_endpoint_safety_check;
};

struct conf_subscription_token {
	bool		  enabled;	/* if not, client.token serves */
	struct conf_token token;
};

struct conf_personal_channel {
	bool		 enabled;
	const char	*personal_channel_namespace;	/* "": none; exists */
	bool		 single_connection;
};

struct conf_disconnect {
	int64_t		 code;		/* 3000 to 4999 */
	const char	*reason;	/* at most 123 bytes of ASCII */
};

struct conf_disconnect_transform {
	int64_t		 code;		/* of the error; > 0 */
	struct conf_disconnect to;
};

struct conf_disconnect_transforms {
	struct conf_disconnect_transform *v;
	size_t		 n;
};

/* Which disconnect an error of connect becomes. */
struct conf_code_to_disconnect {
	bool		 enabled;
	struct conf_disconnect_transforms transforms;
};

struct conf_response {
	int64_t		 status_code;	/* 100 to 599 */
	const char	*body;
};

struct conf_response_transform {
	int64_t		 code;		/* of the error; > 0 */
	struct conf_response to;
};

struct conf_response_transforms {
	struct conf_response_transform *v;
	size_t		 n;
};

/* Which HTTP response an error of connect becomes. */
struct conf_code_to_response {
	bool		 enabled;
	struct conf_response_transforms transforms;
};

struct conf_client {
	struct conf_list  allowed_origins;
	struct conf_token token;
	struct conf_subscription_token subscription_token;
	bool		  allow_anonymous_connect_without_token;
	bool		  disallow_anonymous_connection_tokens;
	int64_t		  ping_interval;
	int64_t		  pong_timeout;		/* < 0: pongs not awaited */
	int64_t		  expired_close_delay;
	int64_t		  expired_sub_close_delay;
	int64_t		  stale_close_delay;
	int64_t		  channel_limit;
	int64_t		  queue_max_size;
	int64_t		  presence_update_interval;
	int64_t		  channel_position_check_delay;
	int64_t		  channel_position_max_time_lag;	/* 0: any */
	int64_t		  connection_limit;	/* 0: none */
	int64_t		  user_connection_limit;	/* 0: none */
	int64_t		  connection_rate_limit;	/* 0: none */
	bool		  connect_include_server_time;
	int64_t		  history_max_publication_limit;	/* 0: none */
	int64_t		  recovery_max_publication_limit;	/* 0: none */
	bool		  insecure_skip_token_signature_verify;
	const char	 *user_id_http_header;	/* "": none */
	const char	 *user_id_client_certificate; /* "", "cn", "subject" */
	bool		  insecure;
	struct conf_personal_channel subscribe_to_user_personal_channel;
	struct conf_code_to_disconnect
			  connect_code_to_unidirectional_disconnect;
};

/* Options of the channels of one namespace. */
struct conf_channel {
	bool		 presence;
	bool		 join_leave;
	bool		 force_push_join_leave;
	int64_t		 history_size;		/* 0 if and only if */
	int64_t		 history_ttl;		/* this is; whole seconds */
	int64_t		 history_meta_ttl;	/* see conf_meta_ttl */
	bool		 force_positioning;
	bool		 allow_positioning;
	bool		 force_recovery;
	bool		 allow_recovery;
	const char	*force_recovery_mode;	/* "", "stream", "cache" */
	bool		 auto_cache_recover;
	struct conf_list allowed_delta_types;	/* none but "fossil" */
	bool		 allow_tags_filter;
	bool		 delta_publish;
	bool		 allow_subscribe_for_client;
	bool		 allow_subscribe_for_anonymous;
	bool		 allow_publish_for_client;
	bool		 allow_publish_for_subscriber;
	bool		 allow_publish_for_anonymous;
	bool		 allow_presence_for_client;
	bool		 allow_presence_for_subscriber;
	bool		 allow_presence_for_anonymous;
	bool		 allow_history_for_client;
	bool		 allow_history_for_subscriber;
	bool		 allow_history_for_anonymous;
	bool		 allow_user_limited_channels;
	const char	*channel_regex;
	const struct regex *channel_re;		/* NULL: no channel_regex */
	const char	*publication_data_format; /* see conf_data_format */
};

struct conf_namespace {
	const char		*name;
	struct conf_channel	 opt;
};

struct conf_namespaces {
	struct conf_namespace	*v;
	size_t			 n;
};

struct conf_channels {
	int64_t			 history_meta_ttl;
	const char		*publication_data_format;
	int64_t			 max_length;		/* bytes */
	const char		*private_prefix;
	const char		*namespace_boundary;	/* never "" */
	const char		*user_boundary;		/* never "" */
	const char		*user_separator;	/* never "" */
	struct conf_channel	 without_namespace;
	struct conf_namespaces	 namespaces;
};

struct conf_http_api {
	bool		 disabled;
	const char	*handler_prefix;
	const char	*key;
	const char	*error_mode;	/* "" or "transport" */
	bool		 external;
	bool		 insecure;
	int64_t		 max_body_size;
};

/* websocket has disabled, uni_websocket enabled and the last three. */
struct conf_websocket {
	bool		 disabled;
	bool		 enabled;
	const char	*handler_prefix;
	bool		 compression;
	int64_t		 compression_min_size;
	int64_t		 compression_level;	/* 1 to 9 */
	int64_t		 write_timeout;
	int64_t		 message_size_limit;
	int64_t		 decompressed_message_size_limit; /* 0: ten times
							   * the above */
	bool		 disable_closing_handshake;
	bool		 disable_disconnect_push;
	bool		 join_push_messages;
};

/* sse, http_stream; the one-way kinds have the last, too. */
struct conf_stream {
	bool		 enabled;
	const char	*handler_prefix;
	int64_t		 max_request_body_size;
	struct conf_code_to_response connect_code_to_http_response;
};

struct conf_emulation {
	const char	*handler_prefix;
	int64_t		 max_request_body_size;
};

/* An HTTP endpoint that can only be switched and moved. */
struct conf_endpoint {
	bool		 enabled;
	const char	*handler_prefix;
};

struct conf_node {
	const char	*name;		/* "": host name and port */
};

struct conf_shutdown {
	int64_t		timeout;
	int64_t		disconnect_spread;
};

/*
 * Every handler_prefix begins with '/' and has no trailing one, except for
 * "/" itself.
 */
struct conf {
	struct conf_http_server	http_server;
	struct conf_log		log;
	struct conf_client	client;
	struct conf_channels	channel;
	struct conf_http_api	http_api;
	struct conf_websocket	websocket;
	struct conf_stream	sse;
	struct conf_stream	http_stream;
	struct conf_stream	uni_sse;
	struct conf_stream	uni_http_stream;
	struct conf_websocket	uni_websocket;
	struct conf_emulation	emulation;
	struct conf_endpoint	init;
	struct conf_endpoint	prometheus;
	struct conf_endpoint	health;
	struct conf_node	node;
	struct conf_shutdown	shutdown;
	const char	       *pid_file;
	int64_t			workers;	/* 0: one per CPU */
	/* Of the files that may be missing, those that were not. */
	bool			has_file, has_dotenv;
};

/* Count a reference; safe from every thread. The last unref frees all that
 * the configuration points to, after wiping it. NULL is fine for unref. */
const struct conf *conf_ref(const struct conf *);
void	conf_unref(const struct conf *);

/* The options of channels in the namespace called name ("": those without
 * a namespace), or NULL if there is no such namespace. */
const struct conf_channel *conf_channel_find(const struct conf *,
	    struct sv name);

/* What counts for these channels: their own history_meta_ttl or format of
 * publications, or else that of all channels. The format is "", "json",
 * "json_object" or "binary". */
int64_t	conf_meta_ttl(const struct conf *, const struct conf_channel *);
const char *conf_data_format(const struct conf *,
	    const struct conf_channel *);

/* Whether a server with these options asks clients for certificates:
 * "require", "optional", or "" for not. Without client_ca_pem it does not. */
const char *conf_client_auth(const struct conf_tls *);

/* What http_server.internal_* stand for when they are not set. */
const char *conf_internal_address(const struct conf *);
int64_t	conf_internal_port(const struct conf *);
/* Whether that is another port than the external one. */
bool	conf_is_separate(const struct conf *);

/*
 * What is wrong with a configuration: every finding, each one line without
 * newline. Texts never hold the value of a secret, and text from outside
 * is escaped.
 */
enum conf_kind {
	CONF_WARN,	/* worth a log line; the configuration is good */
	CONF_BAD,	/* the configuration is wrong: EX_CONFIG */
	CONF_NOFILE,	/* the file asked for can't be read: EX_NOINPUT */
	CONF_NOMEM	/* out of memory: EX_OSERR */
};

struct conf_error {
	enum conf_kind	 kind;
	char		*text;
};

struct conf_errors {
	struct conf_error *v;
	size_t		   n, cap;
	size_t		   bad;		/* how many are not CONF_WARN */
	bool		   nomem;	/* memory ran out; stands for any */
};

#define CONF_ERRORS_INIT	{ NULL, 0, 0, 0, false }

void	conf_errors_fini(struct conf_errors *);
/* The sysexits code that these findings call for; 0 if all are warnings. */
int	conf_errors_exit(const struct conf_errors *);

/* An option given on the command line. */
struct conf_flag {
	const char	*name;		/* dotted, as in the table */
	const char	*value;
};

/*
 * Where a configuration comes from. The same source loaded again is a
 * reload. Everything is borrowed for the time of the call.
 */
struct conf_source {
	/* NULL: config.json and .env of the working directory, either of
	 * which may be missing. "-": standard input. */
	const char		*path;
	/* In force; NULL: none yet. What that was read from must be there
	 * still. */
	const struct conf	*was;
	/* If text.p is not NULL it is the file's text; path only names it. */
	struct sv		 text;
	char *const		*environ;	/* NAME=value; NULL: none */
	const struct conf_flag	*flags;
	size_t			 nflags;
};

/*
 * Build a configuration. 0 with one reference for the caller in *out, or
 * -1 with *out NULL and at least one finding that is no warning (or
 * errs->nomem). Findings are appended to errs in both cases.
 */
int	conf_load(const struct conf **out, const struct conf_source *,
	    struct conf_errors *errs);

/* Append the names of options that differ between the two but take effect
 * at a restart only, comma separated; their number. */
size_t	conf_diff_reload(const struct conf *was, const struct conf *now,
	    struct buf *names);

/*
 * The bytes of a PEM option: the PEM text itself, base64 of it, or the
 * path of a file with it. Appended to out; 0, or -1 with *why static.
 */
int	conf_pem_read(const char *value, struct buf *out, const char **why);

/*
 * Command line, after the program's and the command's name: the flags
 * of the table (--dotted.name=value, --dotted.name value, --bool), -c and
 * --config, -a and -p as short forms, the flags that the command itself
 * has, and operands. `--' ends the flags.
 */
struct conf_own_flag {
	const char	*name;		/* long name, without dashes; or NULL */
	char		 letter;	/* or 0 */
	bool		 has_value;
	bool		 set;		/* outputs */
	const char	*value;
};

struct conf_args {
	const char	 *config;	/* of -c, or NULL */
	struct conf_flag *flags;
	size_t		  nflags;
	const char	**operands;
	size_t		  noperands;
};

/* 0; or -1 after one line on err (the caller exits with EX_USAGE; lack of
 * memory is reported in the same way). own is an array of nown. args is
 * always to be given to conf_args_fini. Strings are borrowed from argv. */
int	conf_args_parse(struct conf_args *, char *const *argv,
	    struct conf_own_flag *own, size_t nown, FILE *err);
void	conf_args_fini(struct conf_args *);
/* The source these arguments stand for. */
struct conf_source conf_args_source(const struct conf_args *,
	    char *const *env);
/* The flags of the table, a line each, for --help. */
void	conf_usage(FILE *out);

/*
 * The commands that concern the configuration: argv is what follows the
 * command's name. They return the exit code.
 */
struct conf_cmd_env {
	char *const	*argv;
	char *const	*environ;
	FILE		*out;
	FILE		*err;
	void		(*random)(void *, size_t);	/* random_bytes */
	/* checkconfig: look at what options refer to, too, when everything
	 * else is good. 0, or an exit code after saying why; or NULL. */
	int		(*look)(const struct conf *, FILE *out, FILE *err);
};

int	conf_cmd_checkconfig(const struct conf_cmd_env *);
int	conf_cmd_genconfig(const struct conf_cmd_env *);
int	conf_cmd_defaultconfig(const struct conf_cmd_env *);
int	conf_cmd_defaultenv(const struct conf_cmd_env *);
int	conf_cmd_configdoc(const struct conf_cmd_env *);

#endif

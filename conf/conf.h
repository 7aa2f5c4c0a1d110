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

struct conf_http_server {
	const char	*address;		/* "": all interfaces */
	int64_t		 port;
	const char	*internal_address;	/* "": as address */
	int64_t		 internal_port;		/* 0: as port */
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
	bool		  insecure;
	struct conf_personal_channel subscribe_to_user_personal_channel;
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

struct conf_websocket {
	bool		 disabled;
	const char	*handler_prefix;
	int64_t		 write_timeout;
	int64_t		 message_size_limit;
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
	struct conf_endpoint	prometheus;
	struct conf_endpoint	health;
	struct conf_node	node;
	struct conf_shutdown	shutdown;
	const char	       *pid_file;
	int64_t			workers;	/* 0: one per CPU */
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

/* What http_server.internal_* stand for when they are not set. */
const char *conf_internal_address(const struct conf *);
int64_t	conf_internal_port(const struct conf *);

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
};

int	conf_cmd_checkconfig(const struct conf_cmd_env *);
int	conf_cmd_genconfig(const struct conf_cmd_env *);
int	conf_cmd_defaultconfig(const struct conf_cmd_env *);
int	conf_cmd_defaultenv(const struct conf_cmd_env *);
int	conf_cmd_configdoc(const struct conf_cmd_env *);

#endif

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

const struct conf_opt conf_disconnect_opts[] = {
	OPT_RANGE(INT, conf_disconnect, code, OF_RELOAD, DISCONNECT, "",
	    "Code of the disconnect."),
	OPT(STR, conf_disconnect, reason, OF_RELOAD, "", "Its reason."),
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

const struct conf_opt conf_channel_opts[] = {
	OPT(BOOL, conf_channel, presence, OF_RELOAD, "",
	    "Keep who is subscribed."),
	OPT(BOOL, conf_channel, join_leave, OF_RELOAD, "",
	    "Tell who comes and goes."),
	OPT(BOOL, conf_channel, force_push_join_leave, OF_RELOAD, "",
	    "Tell it those who did not ask, too."),
	OPT_RANGE(INT, conf_channel, history_size, OF_RELOAD, UP, "",
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
	KNOWN("channel"),
	END
};


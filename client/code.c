/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The tables behind code.h.
 */
#include <stddef.h>

#include "client/code.h"

struct code {
	uint32_t	 code;
	const char	*text;
};

static const struct code errors[] = {
	{ ERROR_INTERNAL, "internal server error" },
	{ ERROR_UNAUTHORIZED, "unauthorized" },
	{ ERROR_UNKNOWN_CHANNEL, "unknown channel" },
	{ ERROR_PERMISSION_DENIED, "permission denied" },
	{ ERROR_METHOD_NOT_FOUND, "method not found" },
	{ ERROR_ALREADY_SUBSCRIBED, "already subscribed" },
	{ ERROR_LIMIT_EXCEEDED, "limit exceeded" },
	{ ERROR_BAD_REQUEST, "bad request" },
	{ ERROR_NOT_AVAILABLE, "not available" },
	{ ERROR_TOKEN_EXPIRED, "token expired" },
	{ ERROR_EXPIRED, "expired" },
	{ ERROR_TOO_MANY_REQUESTS, "too many requests" },
	{ ERROR_UNRECOVERABLE_POSITION, "unrecoverable position" },
	{ ERROR_CONCURRENT_PAGINATION, "concurrent pagination" },
};

static const struct code disconnects[] = {
	{ DISCONNECT_CONNECTION_CLOSED, "connection closed" },
	{ DISCONNECT_SHUTDOWN, "shutdown" },
	{ DISCONNECT_SERVER_ERROR, "internal server error" },
	{ DISCONNECT_EXPIRED, "connection expired" },
	{ DISCONNECT_SUBSCRIPTION_EXPIRED, "subscription expired" },
	{ DISCONNECT_SLOW, "slow" },
	{ DISCONNECT_WRITE_ERROR, "write error" },
	{ DISCONNECT_INSUFFICIENT_STATE, "insufficient state" },
	{ DISCONNECT_FORCE_RECONNECT, "force reconnect" },
	{ DISCONNECT_NO_PONG, "no pong" },
	{ DISCONNECT_TOO_MANY_REQUESTS, "too many requests" },
	{ DISCONNECT_STATE_INVALIDATED, "state invalidated" },
	{ DISCONNECT_INVALID_TOKEN, "invalid token" },
	{ DISCONNECT_BAD_REQUEST, "bad request" },
	{ DISCONNECT_STALE, "stale" },
	{ DISCONNECT_FORCE_NO_RECONNECT, "force disconnect" },
	{ DISCONNECT_CONNECTION_LIMIT, "connection limit" },
	{ DISCONNECT_CHANNEL_LIMIT, "channel limit" },
	{ DISCONNECT_INAPPROPRIATE_PROTOCOL, "inappropriate protocol" },
	{ DISCONNECT_PERMISSION_DENIED, "permission denied" },
	{ DISCONNECT_NOT_AVAILABLE, "not available" },
	{ DISCONNECT_TOO_MANY_ERRORS, "too many errors" },
};

static const struct code unsubscribes[] = {
	{ UNSUBSCRIBE_CLIENT, "client unsubscribed" },
	{ UNSUBSCRIBE_DISCONNECT, "client disconnected" },
	{ UNSUBSCRIBE_SERVER, "server unsubscribe" },
	{ UNSUBSCRIBE_INSUFFICIENT, "insufficient state" },
	{ UNSUBSCRIBE_EXPIRED, "subscription expired" },
};

static const char *
find(const struct code *t, size_t n, uint32_t code)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (t[i].code == code)
			return t[i].text;
	return "";
}

#define FIND(table, code) \
	find(table, sizeof(table) / sizeof(table[0]), code)

/* see code.h */
const char *
error_message(uint32_t code)
{
	return FIND(errors, code);
}

/* see code.h */
bool
error_is_temporary(uint32_t code)
{
	return code == ERROR_INTERNAL || code == ERROR_TOO_MANY_REQUESTS ||
	    code == ERROR_CONCURRENT_PAGINATION;
}

/* see code.h */
const char *
disconnect_reason(uint32_t code)
{
	return FIND(disconnects, code);
}

/* see code.h */
const char *
unsubscribe_reason(uint32_t code)
{
	return FIND(unsubscribes, code);
}

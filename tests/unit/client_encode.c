/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What goes to clients, byte by byte.
 */
#include <stdlib.h>

#include "client/encode.h"
#include "tests/unit/test.h"

static struct buf	b;
static struct enc	e;

/* A writer to b; as if for a client of that form. */
static struct enc *
to(enum wire_form form)
{
	encode_init(&e, &b, form);
	return &e;
}

#define JSON_TO	to(WIRE_WS_JSON)

/* What has been encoded since the last call. */
static const char *
text(void)
{
	static char	out[4096];

	snprintf(out, sizeof(out), "%.*s", SV_ARG(buf_sv(&b)));
	CHECK(!b.failed);
	buf_fini(&b);
	return out;
}

TEST(replies)
{
	encode_reply_begin(JSON_TO, 7, METHOD_RPC);
	encode_reply_end(&e);
	CHECK_STR(text(), "{\"id\":7,\"rpc\":{}}");
	/* The greatest id there is, and several in one frame. */
	encode_reply_begin(JSON_TO, UINT32_MAX, METHOD_SUBSCRIBE);
	encode_reply_end(&e);
	encode_error(&e, 2, ERROR_PERMISSION_DENIED);
	encode_error(&e, 3, 999);
	CHECK_STR(text(), "{\"id\":4294967295,\"subscribe\":{}}\n"
	    "{\"id\":2,\"error\":{\"code\":103,"
	    "\"message\":\"permission denied\"}}\n"
	    "{\"id\":3,\"error\":{\"code\":999,\"message\":\"\"}}");
}

/* The protocol's texts, and which errors may pass. */
TEST(errors)
{
	static const struct {
		uint32_t	 code;
		const char	*message;
		bool		 temporary;
	} row[] = {
		{ 100, "internal server error", true },
		{ 101, "unauthorized", false },
		{ 102, "unknown channel", false },
		{ 103, "permission denied", false },
		{ 104, "method not found", false },
		{ 105, "already subscribed", false },
		{ 106, "limit exceeded", false },
		{ 107, "bad request", false },
		{ 108, "not available", false },
		{ 109, "token expired", false },
		{ 110, "expired", false },
		{ 111, "too many requests", true },
		{ 112, "unrecoverable position", false },
		{ 113, "concurrent pagination", true },
	};
	char	want[128];
	size_t	i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		encode_error(JSON_TO, 1, row[i].code);
		snprintf(want, sizeof(want), "{\"id\":1,\"error\":{\"code\":%u,"
		    "\"message\":\"%s\"%s}}", (unsigned)row[i].code,
		    row[i].message, row[i].temporary ?
		    ",\"temporary\":true" : "");
		CHECK_STR(text(), want);
	}
}

TEST(disconnects_and_unsubscribes)
{
	static const struct {
		uint32_t	 code;
		const char	*reason;
	} away[] = {
		{ 3000, "connection closed" }, { 3001, "shutdown" },
		{ 3004, "internal server error" },
		{ 3005, "connection expired" },
		{ 3006, "subscription expired" }, { 3008, "slow" },
		{ 3009, "write error" }, { 3010, "insufficient state" },
		{ 3011, "force reconnect" }, { 3012, "no pong" },
		{ 3013, "too many requests" }, { 3014, "state invalidated" },
		{ 3500, "invalid token" }, { 3501, "bad request" },
		{ 3502, "stale" }, { 3503, "force disconnect" },
		{ 3504, "connection limit" }, { 3505, "channel limit" },
		{ 3506, "inappropriate protocol" },
		{ 3507, "permission denied" }, { 3508, "not available" },
		{ 3509, "too many errors" }, { 3002, "" }, { 4000, "" },
	}, out[] = {
		{ 0, "client unsubscribed" }, { 1, "client disconnected" },
		{ 2000, "server unsubscribe" }, { 2500, "insufficient state" },
		{ 2501, "subscription expired" }, { 2, "" },
	};
	size_t i;

	for (i = 0; i < sizeof(away) / sizeof(away[0]); i++)
		CHECK_STR(disconnect_reason(away[i].code), away[i].reason);
	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		CHECK_STR(unsubscribe_reason(out[i].code), out[i].reason);
}

/* Every member in the order of the protocol's field numbers; what is empty
 * is left out; strings are escaped, JSON keeps all but its newlines. */
static const char *
pushed(const struct hub_pub_view *view, const struct pub_form *form)
{
	struct hub_pub *pub = hub_pub_new(view);

	if (!CHECK(pub != NULL))
		return "";
	encode_pub_push(JSON_TO, pub, form);
	free(pub);
	return text();
}

TEST(publications)
{
	struct hub_pub_view pub = {
		.channel = SV("a\"<b"),
		.data = SV("{\"x\":\n [1,\n2]}"),
	};

	CHECK_STR(pushed(&pub, NULL),
	    "{\"push\":{\"channel\":\"a\\\"\\u003cb\","
	    "\"pub\":{\"data\":{\"x\": [1,2]}}}}");

	pub.channel = SV("c");
	pub.data = SV("1");
	pub.offset = UINT64_MAX;
	pub.tags = SV("{\"k\":\n\"v\"}");
	CHECK_STR(pushed(&pub, NULL), "{\"push\":{\"channel\":\"c\",\"pub\":{"
	    "\"data\":1,\"offset\":18446744073709551615,"
	    "\"tags\":{\"k\":\"v\"}}}}");

	pub.has_info = true;
	pub.tags = SV("");
	pub.offset = 1;
	pub.info.user = SV("u\n");
	CHECK_STR(pushed(&pub, NULL), "{\"push\":{\"channel\":\"c\",\"pub\":{"
	    "\"data\":1,\"info\":{\"user\":\"u\\n\",\"client\":\"\"},"
	    "\"offset\":1}}}");
}

/* As a string, as a delta; and the epoch, which only the first plain
 * one has. */
TEST(forms_of_publications)
{
	struct pub_form		form = { .kind = PUB_STRING, .epoch = "ep" };
	struct hub_pub_view	pub = {
		.channel = SV("c"), .data = SV("{\"x\": \"\u00fc\"}"),
		.offset = 1,
	};

	CHECK_STR(pushed(&pub, &form), "{\"push\":{\"channel\":\"c\",\"pub\":{"
	    "\"data\":\"{\\\"x\\\": \\\"\u00fc\\\"}\",\"offset\":1}}}");
	form.kind = PUB_PLAIN;
	CHECK_STR(pushed(&pub, &form), "{\"push\":{\"channel\":\"c\",\"pub\":{"
	    "\"data\":{\"x\": \"\u00fc\"},\"offset\":1,\"epoch\":\"ep\"}}}");
	form.kind = PUB_DELTA;
	form.patch = SV("5\n5@0,abc;");
	pub.offset = 2;
	CHECK_STR(pushed(&pub, &form), "{\"push\":{\"channel\":\"c\",\"pub\":{"
	    "\"data\":\"5\\n5@0,abc;\",\"offset\":2,\"delta\":true}}}");
	pub.type = HUB_PUB_JOIN;
	pub.has_info = true;
	pub.info.user = SV("u");
	pub.info.chan_info = SV("{\"c\":\n1}");
	CHECK_STR(pushed(&pub, NULL), "{\"push\":{\"channel\":\"c\",\"join\":{"
	    "\"info\":{\"user\":\"u\",\"client\":\"\","
	    "\"chan_info\":{\"c\":1}}}}}");
	pub.type = HUB_PUB_LEAVE;
	CHECK_STR(pushed(&pub, NULL), "{\"push\":{\"channel\":\"c\",\"leave\":{"
	    "\"info\":{\"user\":\"u\",\"client\":\"\","
	    "\"chan_info\":{\"c\":1}}}}}");
}

TEST(client_infos)
{
	struct hub_info info = {
		.user = SV("42"), .client = SV("id"),
		.chan_info = SV("{\"b\":\n2}"),
	};

	enc_begin(JSON_TO, 1, "info");
	encode_info(&e, &info);
	enc_end(&e);
	CHECK_STR(text(), "\"info\":{\"user\":\"42\",\"client\":\"id\","
	    "\"chan_info\":{\"b\":2}}");
	info.conn_info = SV("{\"a\":\n1}");
	enc_begin(JSON_TO, 1, "info");
	encode_info(&e, &info);
	enc_end(&e);
	CHECK_STR(text(), "\"info\":{\"user\":\"42\",\"client\":\"id\","
	    "\"conn_info\":{\"a\":1},\"chan_info\":{\"b\":2}}");
}

TEST(unsubscribe_pushes)
{
	encode_unsubscribe_push(JSON_TO, SV("a&b"), 2000, "why \"not\"");
	CHECK_STR(text(), "{\"push\":{\"channel\":\"a\\u0026b\","
	    "\"unsubscribe\":{\"code\":2000,"
	    "\"reason\":\"why \\\"not\\\"\"}}}");
	encode_unsubscribe_push(JSON_TO, SV(""), 2500, "");
	CHECK_STR(text(), "{\"push\":{\"unsubscribe\":{\"code\":2500}}}");
}

/* ---- frames ---- */

/* A text frame from the server: FIN, no mask, the shortest length form. */
TEST(frames)
{
	static const struct {
		size_t		n, nhead;
		unsigned char	head[10];
	} row[] = {
		{ 0, 2, { 0x81, 0 } },
		{ 1, 2, { 0x81, 1 } },
		{ 125, 2, { 0x81, 125 } },
		{ 126, 4, { 0x81, 126, 0, 126 } },
		{ 65535, 4, { 0x81, 126, 0xff, 0xff } },
		{ 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
	};
	static char	message[65536];
	struct blob	*f;
	size_t		i, k;

	for (k = 0; k < sizeof(message); k++)
		message[k] = (char)('a' + k % 26);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%zu bytes", row[i].n);
		f = encode_wire(WIRE_WS_JSON, sv_make(message, row[i].n));
		if (!CHECK(f != NULL))
			return;
		CHECK_INT(f->refs, 1);
		CHECK_INT(f->n, row[i].nhead + row[i].n);
		CHECK(memcmp(f->data, row[i].head, row[i].nhead) == 0);
		CHECK(memcmp(f->data + row[i].nhead, message, row[i].n) == 0);
		blob_unref(f);
	}
}

TEST(pings)
{
	struct blob *f = encode_ping(WIRE_WS_JSON);

	CHECK_SVEQ(sv_make(f->data, f->n), SV("\x81\x02{}"));
	blob_unref(f);
	alloc_fail_at(1);
	CHECK(encode_ping(WIRE_WS_JSON) == NULL);
	alloc_fail_at(0);
}

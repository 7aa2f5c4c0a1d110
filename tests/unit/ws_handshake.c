/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The WebSocket opening handshake.
 */
#include "tests/unit/test.h"
#include "util/buf.h"
#include "ws/ws.h"

#define PLAIN	((struct ws_deflate_terms){ .on = false })
#define KEY	"dGhlIHNhbXBsZSBub25jZQ=="	/* RFC 6455, 1.3 */
#define ACCEPT	"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct ws_request
good(void)
{
	return (struct ws_request){
	    .is_get = true, .http11 = true, .has_upgrade = true,
	    .has_connection = true, .version = SV("13"), .key = SV(KEY)
	};
}

static void
check_status(struct ws_request r, int status, const char *word)
{
	const char	*why = "not set";

	CHECK_INT(ws_handshake_check(&r, &why), status);
	if (status == 0)
		CHECK(why == NULL);
	else if (CHECK(why != NULL))
		CHECK(strstr(why, word) != NULL);
}

TEST(correct_request)
{
	check_status(good(), 0, "");
}

TEST(each_fault_has_its_status_and_sentence)
{
	struct ws_request	r;

	r = good(), r.is_get = false;
	check_status(r, 405, "GET");
	r = good(), r.http11 = false;
	check_status(r, 400, "HTTP/1.1");
	r = good(), r.has_upgrade = false;
	check_status(r, 400, "Upgrade: websocket");
	r = good(), r.has_connection = false;
	check_status(r, 400, "Connection: Upgrade");
	r = good(), r.version = SV("");
	check_status(r, 400, "no Sec-WebSocket-Version");
	r = good(), r.key = SV("");
	check_status(r, 400, "no Sec-WebSocket-Key");
}

TEST(only_version_13)
{
	static const char *const	version[] = {
	    "8", "7", "0", "14", "1", "013", "13.0", "+13", "13, 8", "x"
	};
	struct ws_request	r = good();
	size_t			i;

	for (i = 0; i < sizeof(version) / sizeof(version[0]); i++) {
		test_note("%s", version[i]);
		r.version = sv_from(version[i]);
		check_status(r, 426, "13");
	}
}

TEST(key_is_16_bytes_in_base64)
{
	static const struct { const char *key; bool ok; } row[] = {
		{ "AAAAAAAAAAAAAAAAAAAAAA==", true },
		{ "+/+/+/+/+/+/+/+/+/+/+w==", true },
		{ "x3JJHMbDL1EzLkh9GBhXDw==", true },
		{ "AAAAAAAAAAAAAAAAAAAAAAA=", false },	/* 17 bytes */
		{ "AAAAAAAAAAAAAAAAAAAAAAAA", false },	/* 18 bytes */
		{ "AAAAAAAAAAAAAAAAAAAA", false },	/* 15 bytes */
		{ "AAAAAAAAAAAAAAAAAAAAAA", false },	/* no padding */
		{ "AAAAAAAAAAAAAAAAAAAAAA=A", false },
		{ "AAAAAAAAAAAAAAAAAAAAA===", false },
		{ "AAAAAAAAAAAAAAAAAAAA-_==", false },	/* url alphabet */
		{ "AAAAAAAAAA AAAAAAAAAAA==", false },
		{ "AAAAAAAAAAAAAAAAAAAAAA==AAAA", false },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAA==", false },	/* 19 */
		{ "A", false },
		{ "==", false },
	};
	struct ws_request	r = good();
	size_t			i;
	char			*p;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].key);
		p = guard_dup(sv_from(row[i].key));
		r.key = sv_make(p, strlen(row[i].key));
		check_status(r, row[i].ok ? 0 : 400, "Sec-WebSocket-Key");
		guard_free(p);
	}
	r.key = SV("AAAAAAAAAA\0AAAAAAAAAAA==");
	check_status(r, 400, "Sec-WebSocket-Key");
}

TEST(accept_of_the_rfc_example)
{
	struct buf	b = BUF_INIT;

	ws_accept_put(&b, SV(KEY));
	CHECK_SV(buf_sv(&b), ACCEPT);
	buf_fini(&b);
}

TEST(response)
{
	struct buf	b = BUF_INIT;

	ws_handshake_format(&b, SV(KEY), NULL, PLAIN);
	CHECK_SV(buf_sv(&b), "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n");
	buf_reset(&b);
	ws_handshake_format(&b, SV(KEY), "centrifuge-protobuf",
	    PLAIN);
	CHECK_SV(buf_sv(&b), "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: " ACCEPT "\r\n"
	    "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n\r\n");
	buf_fini(&b);
}

TEST(protocol_is_the_clients_first_that_we_know)
{
	static const char *const	known[] = { "json", "protobuf", NULL };
	static const struct { const char *offered, *want; } row[] = {
		{ "json", "json" },
		{ "protobuf, json", "protobuf" },
		{ "json,protobuf", "json" },
		{ "x, \t y ,protobuf ", "protobuf" },
		{ "xml", NULL },
		{ "JSON", NULL },
		{ "jsonx, jso", NULL },
		{ ",,json", "json" },
		{ "json protobuf", NULL },
		{ ",", NULL },
		{ "", NULL },
	};
	const char	*got;
	size_t		 i;
	char		*p;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].offered);
		p = guard_dup(sv_from(row[i].offered));
		got = ws_protocol_select(
		    sv_make(p, strlen(row[i].offered)), known);
		CHECK_STR(got, row[i].want);
		guard_free(p);
	}
	CHECK(ws_protocol_select((struct sv){ NULL, 0 }, known) == NULL);
}

static bool
sweep_format(void)
{
	struct buf	b = BUF_INIT;
	bool		ok;

	ws_handshake_format(&b, SV(KEY), "centrifuge-protobuf",
	    PLAIN);
	ok = !b.failed;
	if (ok)
		CHECK(sv_ends(buf_sv(&b), SV("protobuf\r\n\r\n")));
	buf_fini(&b);
	return ok;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_format);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands from both encodings: the same command has to come out, and from
 * what is malformed or cut, none.
 */
#include <stdlib.h>
#include <string.h>

#include "client/decode.h"
#include "tests/unit/test.h"
#include "util/pb.h"

static struct json	doc;
static struct buf	scratch;

static enum decode_err
decode(struct sv text, bool pb, struct command *cmd)
{
	struct decode d = { &doc, &scratch, NULL };

	return (pb ? decode_command_pb : decode_command_json)(&d, text, cmd);
}

static void
put_sub(struct buf *b, const struct sub_request *r)
{
	buf_printf(b, "(%.*s %.*s %.*s %.*s %llu %d%d%d%d %lld %lld)",
	    SV_ARG(r->channel), SV_ARG(r->token), SV_ARG(r->epoch),
	    SV_ARG(r->delta), (unsigned long long)r->offset, r->recover,
	    r->positioned, r->recoverable, r->join_leave, (long long)r->flag,
	    (long long)r->type);
	if (jv_is(r->tf))
		buf_putsv(b, jv_raw(r->tf));
}

/* A command as a text. */
static struct sv
told(const struct command *cmd, struct buf *b)
{
	const struct connect_request	*q = &cmd->u.connect;
	const struct history_request	*h = &cmd->u.history;
	size_t				 i;

	buf_reset(b);
	buf_printf(b, "%u %s ", (unsigned)cmd->id, cmd->method < METHOD_MAX ?
	    client_method_name[cmd->method] : "none");
	switch (cmd->method) {
	case METHOD_CONNECT:
		buf_printf(b, "%.*s %.*s %.*s %.*s", SV_ARG(q->token),
		    SV_ARG(q->data), SV_ARG(q->name), SV_ARG(q->version));
		for (i = 0; i < q->nsubs; i++)
			put_sub(b, &q->subs[i]);
		break;
	case METHOD_SUBSCRIBE:
		put_sub(b, &cmd->u.subscribe);
		break;
	case METHOD_PUBLISH:
		buf_printf(b, "%.*s %.*s %lld",
		    SV_ARG(cmd->u.publish.channel),
		    SV_ARG(cmd->u.publish.data),
		    (long long)cmd->u.publish.type);
		break;
	case METHOD_HISTORY:
		buf_printf(b, "%.*s %lld %d %d %llu %.*s", SV_ARG(h->channel),
		    (long long)h->limit, h->reverse, h->since.given,
		    (unsigned long long)h->since.offset,
		    SV_ARG(h->since.epoch));
		break;
	case METHOD_RPC:
		buf_printf(b, "%.*s %.*s", SV_ARG(cmd->u.rpc.method),
		    SV_ARG(cmd->u.rpc.data));
		break;
	case METHOD_REFRESH:
	case METHOD_SUB_REFRESH:
		buf_printf(b, "%.*s %.*s", SV_ARG(cmd->u.refresh.channel),
		    SV_ARG(cmd->u.refresh.token));
		break;
	case METHOD_SEND:
	case METHOD_MAX:
		break;
	default:
		buf_putsv(b, cmd->u.channel.channel);
		break;
	}
	return buf_sv(b);
}

static const struct row {
	const char	*json;
	struct sv	 pb;
	const char	*want;
} rows[] = {
	{ "{}", SV_INIT(""), "0 none " },
	{ "{\"id\":4294967295,\"ping\":{}}",
	    SV_INIT("\x08\xff\xff\xff\xff\x0f\x5a\x00"), "4294967295 none " },
	{ "{\"id\":1,\"connect\":{}}", SV_INIT("\x08\x01\x22\x00"),
	    "1 connect    " },
	{ "{\"id\":1,\"connect\":{\"token\":\"\\u0074\",\"data\":[1],"
	    "\"name\":\"js\",\"version\":\"2\",\"headers\":{\"a\":\"b\"}}}",
	    SV_INIT("\x08\x01\x22\x17\x0a\x01t\x12\x03[1]\x22\x02js\x2a\x01"
	    "2\x32\x06\x0a\x01" "a\x12\x01" "b"), "1 connect t [1] js 2" },
	{ "{\"id\":1,\"connect\":{\"subs\":{\"a\":{\"recover\":true,"
	    "\"offset\":300,\"epoch\":\"e\"},\"b\":null}}}",
	    SV_INIT("\x08\x01\x22\x14\x1a\x0d\x0a\x01" "a\x12\x08\x18\x01"
	    "\x32\x01" "e\x38\xac\x02\x1a\x03\x0a\x01" "b"),
	    "1 connect    (a  e  300 1000 0 0)(b    0 0000 0 0)" },
	{ "{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"token\":\"t\","
	    "\"recover\":true,\"epoch\":\"e\",\"offset\":7,\"data\":1,"
	    "\"positioned\":true,\"recoverable\":true,\"join_leave\":true,"
	    "\"delta\":\"fossil\",\"flag\":2,\"type\":1}}",
	    SV_INIT("\x08\x02\x2a\x22\x0a\x01" "c\x12\x01t\x18\x01\x32\x01"
	    "e\x38\x07\x42\x01" "1\x48\x01\x50\x01\x58\x01\x62\x06" "fossil"
	    "\x70\x02\x78\x01"),
	    "2 subscribe (c t e fossil 7 1111 2 1)" },
	{ "{\"id\":3,\"unsubscribe\":{\"channel\":\"c\"}}",
	    SV_INIT("\x08\x03\x32\x03\x0a\x01" "c"), "3 unsubscribe c" },
	{ "{\"id\":3,\"publish\":{\"channel\":\"c\",\"data\":null,"
	    "\"type\":-1}}",
	    SV_INIT("\x08\x03\x3a\x14\x0a\x01" "c\x12\x04null\x18\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\x01"), "3 publish c null -1" },
	{ "{\"id\":3,\"presence\":{\"channel\":\"c\"}}",
	    SV_INIT("\x08\x03\x42\x03\x0a\x01" "c"), "3 presence c" },
	{ "{\"id\":3,\"presence_stats\":{\"channel\":\"c\"}}",
	    SV_INIT("\x08\x03\x4a\x03\x0a\x01" "c"), "3 presence_stats c" },
	{ "{\"id\":3,\"history\":{\"channel\":\"c\",\"limit\":5,"
	    "\"reverse\":true,\"since\":{\"offset\":9,\"epoch\":\"e\"}}}",
	    SV_INIT("\x08\x03\x52\x0e\x0a\x01" "c\x38\x05\x42\x05\x08\x09"
	    "\x12\x01" "e\x48\x01"), "3 history c 5 1 1 9 e" },
	{ "{\"id\":3,\"history\":{\"channel\":\"c\",\"since\":{}}}",
	    SV_INIT("\x08\x03\x52\x05\x0a\x01" "c\x42\x00"),
	    "3 history c 0 0 1 0 " },
	{ "{\"send\":{\"data\":1}}", SV_INIT("\x62\x03\x0a\x01" "1"),
	    "0 send " },
	{ "{\"id\":3,\"rpc\":{\"method\":\"m\",\"data\":{\"a\": 1}}}",
	    SV_INIT("\x08\x03\x6a\x0d\x0a\x08{\"a\": 1}\x12\x01m"),
	    "3 rpc m {\"a\": 1}" },
	{ "{\"id\":3,\"refresh\":{\"token\":\"t\"}}",
	    SV_INIT("\x08\x03\x72\x03\x0a\x01t"), "3 refresh  t" },
	{ "{\"id\":3,\"sub_refresh\":{\"channel\":\"c\",\"token\":\"t\"}}",
	    SV_INIT("\x08\x03\x7a\x06\x0a\x01" "c\x12\x01t"),
	    "3 sub_refresh c t" },
	/* The first in the protocol's order, not in the text's. */
	{ "{\"rpc\":{},\"presence\":{\"channel\":\"p\"},\"id\":3,"
	    "\"connect\":null}", SV_INIT("\x6a\x00\x42\x03\x0a\x01p\x08\x03"),
	    "3 presence p" },
};

TEST(the_same_from_both)
{
	struct buf	b = BUF_INIT;
	struct command	cmd;
	size_t		i;
	char		*copy;

	json_init(&doc);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].json);
		copy = guard_dup(sv_from(rows[i].json));
		CHECK_INT(decode(sv_make(copy, strlen(rows[i].json)), false,
		    &cmd), DECODE_OK);
		CHECK_SV(told(&cmd, &b), rows[i].want);
		command_fini(&cmd);
		guard_free(copy);
		copy = guard_dup(rows[i].pb);
		CHECK_INT(decode(sv_make(copy, rows[i].pb.n), true, &cmd),
		    DECODE_OK);
		CHECK_SV(told(&cmd, &b), rows[i].want);
		command_fini(&cmd);
		guard_free(copy);
	}
	json_fini(&doc);
	buf_fini(&scratch);
	buf_fini(&b);
}

/* A FilterNode is turned into the JSON of the same meaning. */
TEST(filters)
{
	static const struct {
		struct sv	 pb;
		const char	*want;		/* NULL: malformed */
	} row[] = {
		{ SV_INIT(""), "{}" },
		{ SV_INIT("\x12\x01k\x1a\x02" "eq\x22\x02\"\n"),
		    "{\"key\":\"k\",\"cmp\":\"eq\",\"val\":\"\\\"\\n\"}" },
		{ SV_INIT("\x0a\x02or\x32\x0d\x12\x01k\x1a\x02in\x2a\x01x"
		    "\x2a\x01y\x32\x00"),
		    "{\"op\":\"or\",\"nodes\":[{\"key\":\"k\","
		    "\"cmp\":\"in\",\"vals\":[\"x\",\"y\"]},{}]}" },
		{ SV_INIT("\x08\x01"), NULL },
		{ SV_INIT("\x0a\x01\xff"), NULL },
		{ SV_INIT("\x28\x01"), NULL },
		{ SV_INIT("\x2a\x01\xff"), NULL },
		{ SV_INIT("\x30\x01"), NULL },
		{ SV_INIT("\x32\x02\x30\x01"), NULL },
		{ SV_INIT("\x0a\x05x"), NULL },
		{ SV_INIT("\x32\x02\x0a\x05"), NULL },
	};
	struct buf	b = BUF_INIT;
	struct command	cmd;
	size_t		i;

	json_init(&doc);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		pb_put_head(&b, 5, row[i].pb.n + 2);
		pb_put_head(&b, 13, row[i].pb.n);
		buf_putsv(&b, row[i].pb);
		if (row[i].want == NULL) {
			CHECK_INT(decode(buf_sv(&b), true, &cmd), DECODE_BAD);
		} else if (CHECK_INT(decode(buf_sv(&b), true, &cmd),
		    DECODE_OK)) {
			CHECK_SV(jv_raw(cmd.u.subscribe.tf), row[i].want);
		}
		command_fini(&cmd);
	}
	json_fini(&doc);
	buf_fini(&scratch);
	buf_fini(&b);
}

/* Nodes within nodes: so many, and no more. */
TEST(deep_filters)
{
	struct buf	b = BUF_INIT, inner = BUF_INIT;
	struct command	cmd;
	int		depth;

	json_init(&doc);
	for (depth = 1; depth <= 70; depth++) {
		test_note("%d", depth);
		buf_reset(&b);
		pb_put_head(&b, 6, inner.n);
		buf_putsv(&b, buf_sv(&inner));
		buf_reset(&inner);
		buf_putsv(&inner, buf_sv(&b));
		buf_reset(&b);
		pb_put_head(&b, 5, inner.n + 1 + pb_varint_size(inner.n));
		pb_put_head(&b, 13, inner.n);
		buf_putsv(&b, buf_sv(&inner));
		CHECK_INT(decode(buf_sv(&b), true, &cmd), depth < 64 ?
		    DECODE_OK : DECODE_BAD);
		command_fini(&cmd);
	}
	json_fini(&doc);
	buf_fini(&scratch);
	buf_fini(&b);
	buf_fini(&inner);
}

TEST(malformed)
{
	static const char *const json[] = {
		"", " ", "{", "1", "[]", "null", "{}{}", "\xff",
		"{\"id\":-1}", "{\"id\":4294967296}", "{\"id\":\"1\"}",
		"{\"id\":1.5}", "{\"connect\":1}", "{\"rpc\":[]}",
		"{\"connect\":{\"token\":1}}", "{\"connect\":{\"name\":[]}}",
		"{\"connect\":{\"subs\":[]}}",
		"{\"connect\":{\"subs\":{\"a\":1}}}",
		"{\"connect\":{\"subs\":{\"a\":{\"offset\":-1}}}}",
		"{\"subscribe\":{\"channel\":{}}}",
		"{\"subscribe\":{\"recover\":1}}",
		"{\"subscribe\":{\"offset\":-1}}",
		"{\"subscribe\":{\"offset\":18446744073709551616}}",
		"{\"history\":{\"since\":1}}",
		"{\"history\":{\"since\":{\"offset\":\"\"}}}",
		"{\"history\":{\"limit\":true}}",
		"{\"connect\":{},\"send\":0}",
	};
	static const struct sv pb[] = {
		SV_INIT("\x08"), SV_INIT("\x00\x00"), SV_INIT("\x0b\x0c"),
		SV_INIT("\x0a\x01x"), SV_INIT("\x08\x80\x80\x80\x80\x10"),
		SV_INIT("\x20\x01"), SV_INIT("\x22\x01"),
		SV_INIT("\x22\x01\x0a"), SV_INIT("\x22\x02\x08\x01"),
		SV_INIT("\x22\x03\x0a\x01\xff"), SV_INIT("\x22\x02\x10\x01"),
		SV_INIT("\x22\x02\x18\x01"),
		SV_INIT("\x22\x04\x1a\x02\x10\x01"),
		SV_INIT("\x22\x04\x1a\x02\x08\x01"),
		SV_INIT("\x22\x03\x1a\x01\x12"),
		SV_INIT("\x22\x06\x1a\x04\x12\x02\x08\x01"),
		SV_INIT("\x22\x05\x1a\x03\x0a\x01\xff"),
		SV_INIT("\x2a\x03\x1a\x01x"), SV_INIT("\x2a\x03\x3a\x01x"),
		SV_INIT("\x2a\x02\x68\x01"), SV_INIT("\x52\x02\x40\x01"),
		SV_INIT("\x52\x04\x42\x02\x10\x01"), SV_INIT("\x22\x00\x62"),
		SV_INIT("\x22\x00\x60\x00"),
	};
	struct command	cmd;
	size_t		i;

	json_init(&doc);
	for (i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
		test_note("%s", json[i]);
		CHECK_INT(decode(sv_from(json[i]), false, &cmd), DECODE_BAD);
		command_fini(&cmd);
	}
	for (i = 0; i < sizeof(pb) / sizeof(pb[0]); i++) {
		test_note("protobuf %zu", i);
		CHECK_INT(decode(pb[i], true, &cmd), DECODE_BAD);
		command_fini(&cmd);
	}
	json_fini(&doc);
	buf_fini(&scratch);
}

/* Every beginning of every command, right before a page that can't be read:
 * it may be a command or not. */
TEST(truncations)
{
	struct command	cmd;
	size_t		i, n;
	char		*copy;

	json_init(&doc);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (n = 0; n < rows[i].pb.n; n++) {
			copy = guard_dup(sv_make(rows[i].pb.p, n));
			CHECK(decode(sv_make(copy, n), true, &cmd) !=
			    DECODE_NOMEM);
			command_fini(&cmd);
			guard_free(copy);
		}
		for (n = 0; n < strlen(rows[i].json); n++) {
			CHECK_INT(decode(sv_make(rows[i].json, n), false,
			    &cmd), DECODE_BAD);
			command_fini(&cmd);
		}
	}
	json_fini(&doc);
	buf_fini(&scratch);
}

/* A connect request by itself. */
TEST(one_way)
{
	struct decode	d = { &doc, &scratch, NULL };
	struct command	cmd;

	json_init(&doc);
	CHECK_INT(decode_connect_json(&d, SV("{\"token\":\"t\",\"subs\":"
	    "{\"a\":{\"recover\":true}}}"), &cmd), DECODE_OK);
	CHECK_INT(cmd.id, 0);
	CHECK_INT(cmd.method, METHOD_CONNECT);
	CHECK_SV(cmd.u.connect.token, "t");
	if (CHECK_INT(cmd.u.connect.nsubs, 1))
		CHECK(cmd.u.connect.subs[0].recover);
	command_fini(&cmd);
	CHECK_INT(decode_connect_json(&d, SV("1"), &cmd), DECODE_BAD);
	command_fini(&cmd);
	json_fini(&doc);
	buf_fini(&scratch);
}

static bool
decode_all(void)
{
	struct command	cmd;
	bool		ok = true;
	size_t		i;

	json_init(&doc);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ok &= decode(rows[i].pb, true, &cmd) == DECODE_OK;
		command_fini(&cmd);
		ok &= decode(sv_from(rows[i].json), false, &cmd) == DECODE_OK;
		command_fini(&cmd);
	}
	ok &= decode(SV("\x2a\x04\x6a\x02\x32\x00"), true, &cmd) == DECODE_OK;
	command_fini(&cmd);
	json_fini(&doc);
	buf_fini(&scratch);
	return ok;
}

TEST(without_memory)
{
	ALLOC_SWEEP(decode_all);
}

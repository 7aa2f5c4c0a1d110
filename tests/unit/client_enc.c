/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The writer of both encodings: each message is written once and compared
 * with what it is in JSON and in protobuf.
 */
#include <stdlib.h>
#include <string.h>

#include "client/encode.h"
#include "tests/unit/test.h"
#include "util/pb.h"

static void
nothing(struct enc *e)
{
	enc_str(e, 1, "s", SV(""));
	enc_u64(e, 2, "n", 0);
	enc_bool(e, 3, "b", false);
	enc_data(e, 4, "d", SV(""));
	enc_strings(e, 5, "m", SV(""));
}

static void
plain(struct enc *e)
{
	enc_str(e, 1, "s", SV("a\"\n"));
	enc_u64(e, 2, "n", 300);
	enc_bool(e, 3, "b", true);
	enc_data(e, 4, "d", SV("[1,\n2]"));
	enc_u64(e, 16, "great", UINT64_MAX);
}

static void
always(struct enc *e)
{
	enc_str_always(e, 1, "s", SV(""));
	enc_u64_always(e, 2, "n", 0);
	enc_str_always(e, 3, "t", SV("x"));
	enc_u64_always(e, 4, "o", 1);
}

static void
nested(struct enc *e)
{
	enc_begin(e, 1, "a");
	enc_begin(e, 2, "b");
	enc_end(e);
	enc_u64(e, 3, "n", 5);
	enc_end(e);
	enc_bool(e, 4, "t", true);
}

static void
lists(struct enc *e)
{
	enc_list(e, "none");
	enc_list_end(e);
	enc_list(e, "v");
	enc_item(e, 1);
	enc_u64(e, 1, "n", 7);
	enc_end(e);
	enc_item(e, 1);
	enc_end(e);
	enc_list_end(e);
	enc_u64(e, 2, "o", 1);
}

static void
maps(struct enc *e)
{
	enc_map(e, "none");
	enc_map_end(e);
	enc_map(e, "m");
	enc_entry(e, 1, SV("k<"));
	enc_u64(e, 1, "n", 7);
	enc_entry_end(e);
	enc_entry(e, 1, SV(""));
	enc_entry_end(e);
	enc_map_end(e);
}

static void
strings(struct enc *e)
{
	enc_strings(e, 7, "tags", SV("{\"a\\u0021\":\"b\",\"c\":\"\"}"));
}

static void
encoded(struct enc *e)
{
	struct buf	b = BUF_INIT;
	struct enc	inner;

	enc_init(&inner, &b, e->pb);
	enc_u64(&inner, 1, "n", 7);
	enc_encoded(e, 2, "in", buf_sv(&b));
	buf_fini(&b);
}

static const struct row {
	void		(*write)(struct enc *);
	const char	*json;
	struct sv	 pb;
} rows[] = {
	{ nothing, "{}", SV_INIT("\0") },
	{ plain, "{\"s\":\"a\\\"\\n\",\"n\":300,\"b\":true,\"d\":[1,2],"
	    "\"great\":18446744073709551615}",
	    SV_INIT("\x1e\x0a\x03" "a\"\n\x10\xac\x02\x18\x01\x22\x06[1,\n2]"
	    "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
	{ always, "{\"s\":\"\",\"n\":0,\"t\":\"x\",\"o\":1}",
	    SV_INIT("\x05\x1a\x01x\x20\x01") },
	{ nested, "{\"a\":{\"b\":{},\"n\":5},\"t\":true}",
	    SV_INIT("\x08\x0a\x04\x12\x00\x18\x05\x20\x01") },
	{ lists, "{\"none\":[],\"v\":[{\"n\":7},{}],\"o\":1}",
	    SV_INIT("\x08\x0a\x02\x08\x07\x0a\x00\x10\x01") },
	{ maps, "{\"none\":{},\"m\":{\"k\\u003c\":{\"n\":7},\"\":{}}}",
	    SV_INIT("\x0e\x0a\x08\x0a\x02k<\x12\x02\x08\x07\x0a\x02\x12\x00") },
	{ strings, "{\"tags\":{\"a\\u0021\":\"b\",\"c\":\"\"}}",
	    SV_INIT("\x0e\x3a\x07\x0a\x02" "a!\x12\x01" "b\x3a\x03"
	    "\x0a\x01" "c") },
	{ encoded, "{\"in\":{\"n\":7}}", SV_INIT("\x04\x12\x02\x08\x07") },
};

static void
put_row(struct buf *b, const struct row *r, bool pb)
{
	struct enc e;

	enc_init(&e, b, pb);
	enc_open(&e);
	r->write(&e);
	enc_close(&e);
	CHECK_INT(e.depth, 0);
}

TEST(both_encodings)
{
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		put_row(&b, &rows[i], false);
		CHECK_SV(buf_sv(&b), rows[i].json);
		buf_reset(&b);
		put_row(&b, &rows[i], true);
		CHECK_SVEQ(buf_sv(&b), rows[i].pb);
		buf_reset(&b);
	}
	buf_fini(&b);
}

/* Lines of JSON; protobuf needs nothing between messages. */
TEST(several_messages)
{
	struct buf b = BUF_INIT;

	put_row(&b, &rows[7], false);
	put_row(&b, &rows[0], false);
	CHECK_SV(buf_sv(&b), "{\"in\":{\"n\":7}}\n{}");
	buf_reset(&b);
	put_row(&b, &rows[7], true);
	put_row(&b, &rows[0], true);
	CHECK_SVEQ(buf_sv(&b), SV("\x04\x12\x02\x08\x07\x00"));
	buf_fini(&b);
}

/* Lengths of every size, each in three messages around the data. */
TEST(lengths)
{
	static const size_t size[] = { 1, 119, 120, 121, 122, 123, 124, 125,
	    126, 127, 128, 129, 16371, 16375, 16379, 16383, 16384, 16385,
	    2097143, 2097152 };
	struct buf	b = BUF_INIT;
	struct enc	e;
	struct pb_field	f;
	struct sv	s;
	char		*data = calloc(1, size[19]);
	size_t		i, k;
	uint64_t	n;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		test_note("%zu bytes", size[i]);
		memset(data, (int)('a' + i), size[i]);
		enc_init(&e, &b, true);
		enc_open(&e);
		enc_begin(&e, 1, "a");
		enc_begin(&e, 1, "b");
		enc_data(&e, 1, "c", sv_make(data, size[i]));
		enc_end(&e);
		enc_end(&e);
		enc_close(&e);
		s = buf_sv(&b);
		k = (size_t)pb_varint(s, &n);
		CHECK_INT(n, s.n - k);
		for (s = sv_skip(s, k), k = 0; k < 3; k++) {
			CHECK_INT(pb_next(&s, &f), 1);
			CHECK_INT(f.num, 1);
			CHECK_INT(s.n, 0);
			s = f.s;
		}
		CHECK_SVEQ(s, sv_make(data, size[i]));
		buf_reset(&b);
	}
	free(data);
	buf_fini(&b);
}

static bool
write_all(void)
{
	struct buf	b[2] = { BUF_INIT, BUF_INIT };
	size_t		i;
	bool		ok;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_row(&b[0], &rows[i], false);
		put_row(&b[1], &rows[i], true);
	}
	ok = !b[0].failed && !b[1].failed;
	buf_fini(&b[0]);
	buf_fini(&b[1]);
	return ok;
}

TEST(without_memory)
{
	ALLOC_SWEEP(write_all);
}

/* ---- messages of the protocol in protobuf, by hand ---- */

static struct buf out;

static struct enc *
to(struct enc *e, enum wire_form form)
{
	buf_reset(&out);
	encode_init(e, &out, form);
	return e;
}

TEST(replies_and_pushes)
{
	struct hub_pub_view view = { .channel = SV("c"), .data = SV("\0\n"),
	    .offset = 1, .is_binary = true, .tags = SV("{\"k\":\"v\"}"),
	    .version = 3, .has_info = true, .info = { .user = SV("u"),
	    .client = SV("i"), .conn_info = SV("1"), .chan_info = SV("2") } };
	struct pub_form	 f = { .epoch = "e" };
	struct hub_pub	*pub = hub_pub_new(&view);
	struct enc	 e;

	encode_error(to(&e, WIRE_WS_PB), 2, 111);
	CHECK_SVEQ(buf_sv(&out), SV("\x1b\x08\x02\x12\x17\x08\x6f\x12\x11"
	    "too many requests\x18\x01"));
	encode_reply_begin(to(&e, WIRE_WS_PB), 2, METHOD_SUB_REFRESH);
	encode_reply_end(&e);
	CHECK_SVEQ(buf_sv(&out), SV("\x04\x08\x02\x7a\x00"));

	encode_pub_push(to(&e, WIRE_WS_PB), pub, &f);
	CHECK(!e.unfit);
	CHECK_SVEQ(buf_sv(&out), SV("\x29\x22\x27\x12\x01" "c\x22\x22"
	    "\x22\x02\0\n\x2a\x0c\x0a\x01u\x12\x01i\x1a\x01" "1\x22\x01" "2"
	    "\x30\x01\x3a\x06\x0a\x01k\x12\x01v\x72\x01" "e\x80\x01\x03"));
	f.kind = PUB_STRING;
	encode_pub_push(to(&e, WIRE_WS_PB), pub, &f);
	CHECK_SVEQ(buf_sv(&out), SV("\x23\x22\x21\x12\x01" "c\x22\x1c"
	    "\x22\x02\0\n\x2a\x0c\x0a\x01u\x12\x01i\x1a\x01" "1\x22\x01" "2"
	    "\x30\x01\x3a\x06\x0a\x01k\x12\x01v"));
	/* JSON can't carry it. */
	encode_pub_push(to(&e, WIRE_WS_JSON), pub, &f);
	CHECK(e.unfit);
	free(pub);

	encode_unsubscribe_push(to(&e, WIRE_WS_PB), SV("c"), 2000, "r");
	CHECK_SVEQ(buf_sv(&out), SV("\x0d\x22\x0b\x12\x01" "c\x3a\x06\x10"
	    "\xd0\x0f\x1a\x01r"));
	buf_fini(&out);
}

/* To a connection that is one way a push goes bare. */
TEST(bare_pushes)
{
	struct hub_pub_view	 view = { .channel = SV("c"), .data = SV("1"),
				    .type = HUB_PUB_LEAVE, .has_info = true };
	struct hub_pub		*pub = hub_pub_new(&view);
	struct enc		 e;

	encode_pub_push(to(&e, WIRE_UNI_SSE), pub, NULL);
	CHECK_SV(buf_sv(&out), "{\"channel\":\"c\",\"leave\":{\"info\":{"
	    "\"user\":\"\",\"client\":\"\"}}}");
	free(pub);
	encode_disconnect_push(to(&e, WIRE_UNI_STREAM), 3000, "why");
	CHECK_SV(buf_sv(&out),
	    "{\"disconnect\":{\"code\":3000,\"reason\":\"why\"}}");
	encode_disconnect_push(to(&e, WIRE_SSE), 3000, "");
	CHECK_SV(buf_sv(&out), "{\"push\":{\"disconnect\":{\"code\":3000}}}");
	encode_unsubscribe_push(to(&e, WIRE_UNI_WS), SV("c"), 2500, "");
	CHECK_SV(buf_sv(&out),
	    "{\"channel\":\"c\",\"unsubscribe\":{\"code\":2500}}");
	buf_fini(&out);
}

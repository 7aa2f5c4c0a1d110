/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Compressed messages: what is negotiated, which frames may be compressed,
 * what damaged messages and bombs come to, and that both directions agree
 * with zlib used in the plainest way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/unit/test.h"
#include "util/buf.h"
#include "ws/deflate.h"

#define LIMIT	100000

/* ---- negotiation ---- */

TEST(offers)
{
	/* window -1: declined. */
	static const struct { const char *offered; int window; } row[] = {
		{ "permessage-deflate", 0 },
		{ " permessage-deflate ", 0 },
		{ "permessage-deflate; client_max_window_bits", 0 },
		{ "permessage-deflate;client_max_window_bits=8", 0 },
		{ "permessage-deflate; client_max_window_bits=\"15\"", 0 },
		{ "permessage-deflate; server_no_context_takeover", 0 },
		{ "permessage-deflate; client_no_context_takeover", 0 },
		{ "permessage-deflate; server_no_context_takeover; "
		    "client_no_context_takeover; server_max_window_bits=15; "
		    "client_max_window_bits=15", 15 },
		{ "permessage-deflate; server_max_window_bits=8", 8 },
		{ "permessage-deflate; server_max_window_bits = 12 ", 12 },
		{ "permessage-deflate; server_max_window_bits=\"9\"", 9 },
		{ "permessage-deflate; server_max_window_bits=10, "
		    "permessage-deflate", 10 },
		/* Others are no business of ours. */
		{ "x-webkit-deflate-frame, permessage-deflate", 0 },
		{ "permessage-bzip2; level=9, permessage-deflate", 0 },
		{ "x; y=\"a, b; c\\\"\", permessage-deflate", 0 },
		{ ",, permessage-deflate", 0 },
		{ "", -1 },
		{ ",", -1 },
		{ "permessage-bzip2", -1 },
		{ "permessage-deflate2", -1 },
		{ "deflate", -1 },
		{ "PERMESSAGE-DEFLATE", -1 },
		{ "x; y=\", permessage-deflate, \"", -1 },
		{ "x; y=\"\\\", permessage-deflate, \"", -1 },
		{ "x; y=\"permessage-deflate", -1 },
		/* Bad offers, and a good one behind. */
		{ "permessage-deflate; server_max_window_bits", -1 },
		{ "permessage-deflate; server_max_window_bits=", -1 },
		{ "permessage-deflate; server_max_window_bits=7", -1 },
		{ "permessage-deflate; server_max_window_bits=16", -1 },
		{ "permessage-deflate; server_max_window_bits=08", -1 },
		{ "permessage-deflate; server_max_window_bits=0", -1 },
		{ "permessage-deflate; server_max_window_bits=-9", -1 },
		{ "permessage-deflate; server_max_window_bits=9x", -1 },
		{ "permessage-deflate; server_max_window_bits=\"9", -1 },
		{ "permessage-deflate; server_max_window_bits=\"", -1 },
		{ "permessage-deflate; server_max_window_bits=\"\"", -1 },
		{ "permessage-deflate; client_max_window_bits=7", -1 },
		{ "permessage-deflate; client_max_window_bits=16", -1 },
		{ "permessage-deflate; client_max_window_bits=", -1 },
		{ "permessage-deflate; server_no_context_takeover=1", -1 },
		{ "permessage-deflate; client_no_context_takeover=\"\"", -1 },
		{ "permessage-deflate; server_no_context_takeover; "
		    "server_no_context_takeover", -1 },
		{ "permessage-deflate; client_max_window_bits; "
		    "client_max_window_bits=9", -1 },
		{ "permessage-deflate; server_max_window_bits=9; "
		    "server_max_window_bits=9", -1 },
		{ "permessage-deflate; level=9", -1 },
		{ "permessage-deflate;", -1 },
		{ "permessage-deflate=1", -1 },
		{ "permessage-deflate; level=9, permessage-deflate", 0 },
		{ "permessage-deflate; server_max_window_bits=16, "
		    "permessage-deflate; server_max_window_bits=11, "
		    "permessage-deflate", 11 },
	};
	struct ws_deflate_terms	t;
	size_t			i;
	char			*p;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].offered);
		p = guard_dup(sv_from(row[i].offered));
		t = ws_deflate_select(sv_make(p, strlen(row[i].offered)));
		CHECK_INT(t.on ? t.window : -1, row[i].window);
		guard_free(p);
	}
	CHECK(!ws_deflate_select(sv_make(NULL, 0)).on);
}

TEST(who_wants_a_small_window_is_sent_nothing_compressed)
{
	struct ws_deflate_terms t = { .on = false };

	CHECK(!ws_deflate_sends(t));
	t.on = true;
	CHECK(ws_deflate_sends(t));
	for (t.window = 8; t.window <= 15; t.window++)
		CHECK_INT(ws_deflate_sends(t), t.window >= WS_DEFLATE_WINDOW);
}

TEST(answers)
{
	static const struct {
		struct ws_deflate_terms	 t;
		const char		*want;
	} row[] = {
		{ { false, 0 }, "gZhbQ=\r\n\r\n" },
		{ { true, 0 }, "\r\nSec-WebSocket-Extensions: "
		    "permessage-deflate; server_no_context_takeover; "
		    "client_no_context_takeover\r\n\r\n" },
		{ { true, 9 }, "client_no_context_takeover; "
		    "server_max_window_bits=9\r\n\r\n" },
	};
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		buf_reset(&b);
		ws_handshake_format(&b, SV("Og5Ue9hy+Ck8GZyDNMmRDA=="), NULL,
		    row[i].t);
		if (row[i].t.on)
			CHECK(sv_ends(buf_sv(&b), sv_from(row[i].want)));
		else
			CHECK(memmem(b.p, b.n, "Extensions", 10) == NULL);
	}
	buf_fini(&b);
}

/* ---- which frames ---- */

#define TEXT	0x81
#define DTEXT	(TEXT | WS_RSV1)
#define DTEXT_	(DTEXT & ~0x80)
#define DBIN	0xc2
#define CONT	0x80
#define CONT_	0x00
#define PING	0x89

static void
put_frame(struct buf *b, unsigned b0, struct sv data)
{
	buf_putc(b, (char)b0);
	buf_putc(b, (char)(0x80 | data.n));
	buf_put(b, "\0\0\0\0", 4);
	buf_putsv(b, data);
}

struct frame { unsigned b0; const char *p; size_t n; };
#define F(b0, lit)	{ b0, lit, sizeof(lit) - 1 }
#define HELLO		"\xf2\x48\xcd\xc9\xc9\x07\x00"	/* RFC 7692, 7.2.3.1 */

static void
log_events(struct ws *ws, struct sv in, struct ws_zip *z, struct buf *log)
{
	enum ws_event_type	type;
	struct ws_event		ev;
	size_t			used;
	char			*p = malloc(in.n);
	size_t			at = 0;

	memcpy(p, in.p, in.n);
	do {
		type = ws_feed(ws, p + at, in.n - at, &used, &ev);
		at += used;
		if (type == WS_MESSAGE && ev.deflated)
			type = ws_zip_inflate(z, &ev, LIMIT);
		if (type == WS_ERROR)
			buf_printf(log, "error %u ", ev.code);
		else if (type == WS_CLOSE)
			buf_printf(log, "close ");
		else if (type != WS_NEED)
			buf_printf(log, "%s%s(%.*s) ", type == WS_PING ?
			    "ping" : ev.op == WS_OP_TEXT ? "text" : "binary",
			    ev.deflated ? "*" : "", SV_ARG(ev.data));
		ws_zip_release(z);
	} while (type != WS_NEED && type != WS_ERROR && type != WS_CLOSE);
	free(p);
}

static const struct row {
	const char	*name;
	bool		 off;		/* not negotiated */
	struct frame	 frame[5];
	const char	*events;
} rows[] = {
	{ "one frame", false, { F(DTEXT, HELLO) }, "text*(Hello) " },
	{ "binary", false, { F(DBIN, HELLO) }, "binary*(Hello) " },
	{ "not compressed", false, { F(TEXT, "a"), F(DTEXT, HELLO),
	    F(TEXT, "b") }, "text(a) text*(Hello) text(b) " },
	{ "fragments", false, { F(DTEXT_, "\xf2\x48\xcd"), F(CONT_, ""),
	    F(CONT, "\xc9\xc9\x07\x00") }, "text*(Hello) " },
	{ "a ping between", false, { F(DTEXT_, "\xf2\x48\xcd"), F(PING, "p"),
	    F(CONT, "\xc9\xc9\x07\x00"), F(TEXT, "x") },
	    "ping(p) text*(Hello) text(x) " },
	{ "RSV1 on the second", false, { F(DTEXT_, "\xf2\x48\xcd"),
	    F(CONT | WS_RSV1, "\xc9\xc9\x07\x00") }, "error 1002 " },
	{ "RSV1 on the second only", false, { F(TEXT & ~0x80, "a"),
	    F(CONT | WS_RSV1, "b") }, "error 1002 " },
	{ "RSV1 on a ping", false, { F(PING | WS_RSV1, HELLO) },
	    "error 1002 " },
	{ "RSV1 on a close", false, { F(0x88 | WS_RSV1, "") },
	    "error 1002 " },
	{ "RSV2 too", false, { F(DTEXT | 0x20, HELLO) }, "error 1002 " },
	{ "RSV3", false, { F(TEXT | 0x10, "a") }, "error 1002 " },
	{ "not negotiated", true, { F(DTEXT, HELLO) }, "error 1002 " },
	{ "reserved opcode", false, { F(0xc3, HELLO) }, "error 1002 " },
	/* Text is checked when it is inflated, and only then. */
	{ "no UTF-8 before", false, { F(DTEXT_, "\xf2"),
	    F(CONT, "\x48\xcd\xc9\xc9\x07\x00") }, "text*(Hello) " },
	{ "no UTF-8 inside", false, { F(DTEXT, "\x00\x02\x00\xfd\xff\xc3\x28"
	    "\x00") }, "error 1007 " },
	{ "binary may", false, { F(DBIN, "\x00\x02\x00\xfd\xff\xc3\x28\x00") },
	    "binary*(\xc3\x28) " },
	{ "checked again", false, { F(DTEXT, HELLO), F(TEXT, "\xc3\x28") },
	    "text*(Hello) error 1007 " },
};

TEST(frames)
{
	struct buf	wire = BUF_INIT, log = BUF_INIT;
	struct ws_zip	z;
	struct ws	ws;
	size_t		i, j;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].name);
		buf_reset(&wire);
		buf_reset(&log);
		for (j = 0; j < 5 && rows[i].frame[j].p != NULL; j++)
			put_frame(&wire, rows[i].frame[j].b0,
			    sv_make(rows[i].frame[j].p, rows[i].frame[j].n));
		ws_init(&ws, 0);
		if (!rows[i].off)
			ws_allow_deflate(&ws);
		log_events(&ws, buf_sv(&wire), &z, &log);
		ws_fini(&ws);
		CHECK_SVEQ(buf_sv(&log), sv_from(rows[i].events));
	}
	ws_zip_fini(&z);
	buf_fini(&wire);
	buf_fini(&log);
}

/* ---- messages ---- */

/* Inflate a message; 0 and what it holds, or the close code. */
static unsigned
inflate_to(struct ws_zip *z, struct sv in, size_t limit, struct buf *out)
{
	struct ws_event	ev = { .type = WS_MESSAGE, .op = WS_OP_BINARY,
			    .deflated = true };
	char		*p = guard_dup(in);
	unsigned	 code = 0;

	ev.data = sv_make(p, in.n);
	buf_reset(out);
	if (ws_zip_inflate(z, &ev, limit) == WS_MESSAGE)
		buf_putsv(out, ev.data);
	else
		code = CHECK(ev.type == WS_ERROR && ev.clause != NULL) ?
		    ev.code : 1;
	ws_zip_release(z);
	guard_free(p);
	return code;
}

TEST(messages_by_hand)
{
	static const struct {
		const char	*name;
		struct sv	 in;
		unsigned	 code;
		const char	*out;
	} row[] = {
		{ "7.2.3.1", SV_INIT(HELLO), 0, "Hello" },
		{ "7.2.3.3, stored", SV_INIT("\0\x05\0\xfa\xffHello\0"), 0,
		    "Hello" },
		{ "7.2.3.4, last block", SV_INIT("\xf3\x48\xcd\xc9\xc9\x07"
		    "\0\0"), 0, "Hello" },
		{ "last block and no more", SV_INIT("\xf3\x48\xcd\xc9\xc9\x07"
		    "\0"), 0, "Hello" },
		{ "a block behind the last", SV_INIT("\xf3\x48\xcd\xc9\xc9"
		    "\x07\0" HELLO), 0, "HelloHello" },
		{ "7.2.3.5, two blocks", SV_INIT("\xf2\x48\x05\0\0\0\xff\xff"
		    "\xca\xc9\xc9\x07\0"), 0, "Hello" },
		{ "7.2.3.6, empty", SV_INIT("\0"), 0, "" },
		{ "no byte at all", SV_INIT(""), 1007, "" },
		{ "reserved type of block", SV_INIT("\xff"), 1007, "" },
		{ "stored, wrong length", SV_INIT("\0\x05\0\xfb\xffHello\0"),
		    1007, "" },
		{ "cut short", SV_INIT("\xf2\x48\xcd\xc9"), 1007, "" },
		{ "cut in a stored block", SV_INIT("\0\x05\0\xfa\xffHel"),
		    1007, "" },
		{ "from before the window", SV_INIT("\x02\x05\0\0"), 1007,
		    "" },
		{ "not taken over", SV_INIT("\xf2\0\x11\0\0"), 1007, "" },
	};
	struct buf	out = BUF_INIT;
	struct ws_zip	z;
	size_t		i;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("%s", row[i].name);
		CHECK_INT(inflate_to(&z, row[i].in, LIMIT, &out), row[i].code);
		CHECK_SVEQ(buf_sv(&out), sv_from(row[i].out));
	}
	ws_zip_fini(&z);
	buf_fini(&out);
}

/* n bytes that compress about as JSON does. */
static void
fill(struct buf *b, size_t n)
{
	uint32_t seed = 1;

	buf_reset(b);
	while (b->n < n) {
		seed = seed * 1664525u + 1013904223u;
		buf_printf(b, "{\"id\":%u,\"text\":\"message %u\"},", seed >> 8,
		    seed >> 24);
	}
	b->n = n;
}

static size_t
deflate_to(struct ws_zip *z, int level, struct sv in, struct buf *out)
{
	buf_reset(out);
	if (buf_reserve(out, in.n + WS_ZIP_SPARE) == NULL)
		return 0;
	buf_commit(out, ws_zip_deflate(z, level, in, out->p, in.n));
	return out->n;
}

/* Of every size around those that matter, at every level, and back; what is
 * sent fits the window that was promised. */
static void
there_and_back(int window)
{
	static const size_t	size[] = { 100, 1000, 4095, 4096, 4097, 8192,
				    40000, LIMIT };
	struct buf		in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	char			*plain = malloc(LIMIT);
	struct ws_zip		z;
	z_stream		s;
	size_t			i;
	int			level;

	ws_zip_init(&z, window);
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		for (level = 1; level <= 9; level += 4) {
			test_note("%zu bytes, level %d, window %d", size[i],
			    level, window);
			fill(&in, size[i]);
			if (!CHECK(deflate_to(&z, level, buf_sv(&in), &zip) >
			    0))
				continue;
			CHECK(zip.n < in.n * 9 / 10);
			CHECK_INT(inflate_to(&z, buf_sv(&zip), LIMIT, &out),
			    0);
			CHECK(sv_eq(buf_sv(&out), buf_sv(&in)));
			memset(&s, 0, sizeof(s));
			inflateInit2(&s, -window);
			buf_put(&zip, "\0\0\xff\xff", 4);
			s.next_in = (unsigned char *)zip.p;
			s.avail_in = (unsigned)zip.n;
			s.next_out = (unsigned char *)plain;
			s.avail_out = LIMIT;
			inflate(&s, Z_SYNC_FLUSH);
			CHECK(s.avail_in == 0 && s.total_out == in.n);
			CHECK(memcmp(plain, in.p, in.n) == 0);
			inflateEnd(&s);
		}
	}
	ws_zip_fini(&z);
	free(plain);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

TEST(there_and_back)
{
	there_and_back(WS_DEFLATE_WINDOW);
	there_and_back(9);
	there_and_back(15);
}

/* A message does not depend on those before it, nor on their levels. */
TEST(each_message_alone)
{
	struct buf	in = BUF_INIT, first = BUF_INIT, zip = BUF_INIT;
	struct ws_zip	z;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	fill(&in, 3000);
	deflate_to(&z, 6, buf_sv(&in), &first);
	deflate_to(&z, 1, buf_sv(&in), &zip);
	CHECK(zip.n > first.n);
	deflate_to(&z, 6, buf_sv(&in), &zip);
	CHECK_SVEQ(buf_sv(&zip), buf_sv(&first));
	ws_zip_fini(&z);
	buf_fini(&in);
	buf_fini(&first);
	buf_fini(&zip);
}

TEST(what_does_not_shrink_is_left_alone)
{
	struct buf	zip = BUF_INIT;
	char		noise[1000];
	uint32_t	seed = 7;
	struct ws_zip	z;
	size_t		i;

	for (i = 0; i < sizeof(noise); i++) {
		seed = seed * 1664525u + 1013904223u;
		noise[i] = (char)(seed >> 24);
	}
	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	for (i = 1; i < sizeof(noise); i++)
		CHECK_INT(deflate_to(&z, 1, sv_make(noise, i), &zip), 0);
	CHECK_INT(deflate_to(&z, 1, SV(""), &zip), 0);
	CHECK_INT(deflate_to(&z, 1, SV("{}"), &zip), 0);
	CHECK(deflate_to(&z, 1, SV("aaaaaaaaaaaaaaaaaaaaaaaaa"), &zip) > 0);
	/* Unless there is room. */
	CHECK_INT(ws_zip_deflate(&z, 1, SV("{}"), noise, 100), 4);
	CHECK_INT(ws_zip_deflate(&z, 1, SV(""), noise, 100), 1);
	ws_zip_fini(&z);
	buf_fini(&zip);
}

/* ---- limits ---- */

TEST(limit_of_inflated_bytes)
{
	static const size_t	size[] = { 1, 10, 4095, 4096, 4097, 8192,
				    50000 };
	struct buf		in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	struct ws_zip		z;
	size_t			i;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		test_note("%zu bytes", size[i]);
		fill(&in, size[i]);
		if (deflate_to(&z, 1, buf_sv(&in), &zip) == 0) {
			buf_reset(&zip);
			buf_put(&zip, "\0\0\0\xff\xff", 5);
			zip.p[1] = (char)size[i];
			zip.p[3] = (char)~size[i];
			buf_putsv(&zip, buf_sv(&in));
			buf_putc(&zip, '\0');
		}
		CHECK_INT(inflate_to(&z, buf_sv(&zip), size[i], &out), 0);
		CHECK(sv_eq(buf_sv(&out), buf_sv(&in)));
		CHECK_INT(inflate_to(&z, buf_sv(&zip), 0, &out), 0);
		CHECK(sv_eq(buf_sv(&out), buf_sv(&in)));
		CHECK_INT(inflate_to(&z, buf_sv(&zip), size[i] - 1 +
		    (size[i] == 1), &out), size[i] == 1 ? 0 : 1009);
	}
	ws_zip_fini(&z);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

/* A thousand times its size: refused without memory for it. */
TEST(bomb)
{
	struct buf	in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	struct ws_event	ev;
	struct ws_zip	z;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	memset(buf_reserve(&in, 8 << 20), ' ', 8 << 20);
	buf_commit(&in, 8 << 20);
	CHECK(deflate_to(&z, 9, buf_sv(&in), &zip) < 10000);
	CHECK_INT(inflate_to(&z, buf_sv(&zip), LIMIT, &out), 1009);
	alloc_fail_at(0);
	ev = (struct ws_event){ .type = WS_MESSAGE, .op = WS_OP_TEXT,
	    .deflated = true, .data = buf_sv(&zip) };
	CHECK_INT(ws_zip_inflate(&z, &ev, LIMIT), WS_ERROR);
	CHECK_INT(ev.code, 1009);
	CHECK_INT(alloc_count(), 0);
	/* And the worker goes on. */
	CHECK_INT(inflate_to(&z, SV(HELLO), LIMIT, &out), 0);
	CHECK_SV(buf_sv(&out), "Hello");
	/* Many last blocks, each with nothing in it. */
	buf_reset(&zip);
	while (zip.n < 60000)
		buf_put(&zip, "\3", 2);
	CHECK_INT(inflate_to(&z, buf_sv(&zip), LIMIT, &out), 0);
	CHECK_INT(out.n, 0);
	ws_zip_fini(&z);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

TEST(limit_of_compressed_bytes)
{
	struct buf	wire = BUF_INIT, log = BUF_INIT;
	struct ws_zip	z;
	struct ws	ws;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	put_frame(&wire, DTEXT, SV(HELLO));
	ws_init(&ws, sizeof(HELLO) - 1);
	ws_allow_deflate(&ws);
	log_events(&ws, buf_sv(&wire), &z, &log);
	CHECK_SV(buf_sv(&log), "text*(Hello) ");
	ws_fini(&ws);
	buf_reset(&log);
	ws_init(&ws, sizeof(HELLO) - 2);
	ws_allow_deflate(&ws);
	log_events(&ws, buf_sv(&wire), &z, &log);
	CHECK_SV(buf_sv(&log), "error 1009 ");
	ws_fini(&ws);
	ws_zip_fini(&z);
	buf_fini(&wire);
	buf_fini(&log);
}

/* ---- memory ---- */

/* Nothing is allocated before it is needed, nothing more after the first
 * messages. */
TEST(memory_of_a_worker)
{
	struct buf	in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	struct ws_zip	z;
	int		i;

	fill(&in, 3000);
	buf_reserve(&zip, 4000);
	buf_reserve(&out, 4000);
	alloc_fail_at(0);
	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	CHECK_INT(alloc_count(), 0);
	for (i = 0; i < 3; i++) {
		CHECK(deflate_to(&z, 1 + i, buf_sv(&in), &zip) > 0);
		CHECK_INT(inflate_to(&z, buf_sv(&zip), LIMIT, &out), 0);
		if (i > 0)
			CHECK_INT(alloc_count(), 0);
		alloc_fail_at(0);
	}
	ws_zip_fini(&z);
	CHECK(z.in == NULL && z.out == NULL && z.scratch == NULL);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

static bool
sweep(void)
{
	static char	text[20000], zip[sizeof(text) + WS_ZIP_SPARE];
	struct ws_event	ev = { .type = WS_MESSAGE, .op = WS_OP_TEXT };
	struct ws_zip	z;
	size_t		n;
	bool		ok = false;

	memset(text, 'a', sizeof(text));
	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	n = ws_zip_deflate(&z, 1, sv_make(text, sizeof(text)), zip,
	    sizeof(text));
	if (n > 0) {
		ev.data = sv_make(zip, n);
		if (ws_zip_inflate(&z, &ev, sizeof(text)) == WS_MESSAGE) {
			CHECK(sv_eq(ev.data, sv_make(text, sizeof(text))));
			ok = true;
		} else {
			CHECK_INT(ev.code, WS_CLOSE_INTERNAL);
		}
	}
	ws_zip_fini(&z);
	return ok;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep);
}

/* The message after one that there was no memory for is well. */
TEST(out_of_memory_harms_one_message)
{
	struct buf	in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	struct ws_zip	z;
	unsigned long	n, failed = 1;
	unsigned	code;

	ws_zip_init(&z, WS_DEFLATE_WINDOW);
	fill(&in, 20000);
	deflate_to(&z, 1, buf_sv(&in), &zip);
	buf_reserve(&out, 40000);
	for (n = 1; failed != 0 && n < 20; n++) {
		alloc_fail_at(n);
		code = inflate_to(&z, buf_sv(&zip), LIMIT, &out);
		failed = alloc_failed();
		alloc_fail_at(0);
		CHECK_INT(code, failed ? 1011 : 0);
		CHECK_INT(inflate_to(&z, buf_sv(&zip), LIMIT, &out), 0);
		CHECK(sv_eq(buf_sv(&out), buf_sv(&in)));
		ws_zip_fini(&z);
	}
	CHECK(n > 4);
	ws_zip_fini(&z);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

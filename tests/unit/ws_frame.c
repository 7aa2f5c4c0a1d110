/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The frame engine. Rows follow the groups of the Autobahn suite, of which
 * their names give the number; each is run whole, byte by byte, in pieces
 * and against a guard page. Then random streams, cut at random, against a
 * decoder that is too simple to be wrong in the same way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "util/buf.h"
#include "util/utf8.h"
#include "ws/ws.h"

#define FRAMES_MAX	8

struct frame {
	unsigned	 b0;		/* FIN, RSV, opcode */
	const char	*p;
	size_t		 n;
};

struct row {
	const char	*name;
	struct frame	 frame[FRAMES_MAX];
	const char	*events;
};

#define F(b0, lit)	{ b0, lit, sizeof(lit) - 1 }
#define FIN		0x80u
#define TEXT		(FIN | 1)
#define BINARY		(FIN | 2)
#define CLOSE		(FIN | 8)
#define PING		(FIN | 9)
#define PONG		(FIN | 10)
#define TEXT_		1u		/* more follows */
#define BINARY_		2u
#define CONT_		0u
#define CONT		(FIN | 0)

static uint32_t	seed = 1;

static uint32_t
rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* ---- client's side: frames onto the wire ---- */

static void
put_length(struct buf *b, uint64_t n, int size)
{
	buf_putc(b, (char)(0x80 | (size == 0 ? n : size == 2 ? 126u : 127u)));
	while (size-- > 0)
		buf_putc(b, (char)(n >> (8 * size)));
}

static void
put_frame(struct buf *b, unsigned b0, struct sv data)
{
	char	mask[4];
	size_t	i;

	for (i = 0; i < 4; i++)
		mask[i] = (char)rnd(256);
	buf_putc(b, (char)b0);
	put_length(b, data.n, data.n < 126 ? 0 : data.n < 65536 ? 2 : 8);
	buf_put(b, mask, 4);
	for (i = 0; i < data.n; i++)
		buf_putc(b, (char)(data.p[i] ^ mask[i % 4]));
}

/* ---- what the engine said, as one line of text ---- */

static void
log_data(struct buf *log, struct sv s)
{
	uint32_t	sum = 0;
	size_t		i;

	if (s.n <= 125) {
		buf_putc(log, '(');
		buf_putsv(log, s);
		buf_puts(log, ") ");
		return;
	}
	for (i = 0; i < s.n; i++)
		sum = sum * 31 + (uint8_t)s.p[i];
	buf_printf(log, "[%zu %08x] ", s.n, sum);
}

static void
log_event(struct buf *log, const struct ws_event *ev)
{
	switch (ev->type) {
	case WS_NEED:
		break;
	case WS_MESSAGE:
		buf_puts(log, ev->op == WS_OP_TEXT ? "text" : "binary");
		log_data(log, ev->data);
		break;
	case WS_PING:
	case WS_PONG:
		buf_puts(log, ev->type == WS_PING ? "ping" : "pong");
		log_data(log, ev->data);
		break;
	case WS_CLOSE:
		buf_printf(log, "close %u", ev->code);
		log_data(log, ev->data);
		break;
	case WS_ERROR:
		buf_printf(log, "error %u", ev->code);
		break;
	}
}

/* Feed one piece and say where the engine stands. */
static enum ws_event_type
feed_piece(struct ws *ws, char *p, size_t n, struct buf *log)
{
	struct ws_event		ev;
	enum ws_event_type	type;
	size_t			used;

	do {
		type = ws_feed(ws, p, n, &used, &ev);
		if (!CHECK(used <= n) || !CHECK_INT(type, ev.type))
			return WS_ERROR;
		CHECK((type == WS_ERROR) == (ev.clause != NULL));
		log_event(log, &ev);
		p += used;
		n -= used;
	} while (type != WS_NEED && type != WS_CLOSE && type != WS_ERROR);
	if (type == WS_NEED)
		CHECK_INT(n, 0);
	return type;
}

/* Once closed or failed it stays so, and takes everything. */
static void
check_sticky(struct ws *ws, enum ws_event_type was)
{
	char		more[] = "\x81\x80\0\0\0\0";
	struct ws_event	ev;
	size_t		used;

	CHECK_INT(ws_feed(ws, more, 6, &used, &ev), was);
	CHECK_INT(used, 6);
}

/* Run the wire in pieces of at most `piece' bytes (0: of random size), each
 * in memory of its own, before a guard page if so. */
static void
run(struct sv wire, uint32_t limit, size_t piece, bool guard, struct buf *log)
{
	enum ws_event_type	type = WS_NEED;
	struct ws		ws;
	size_t			n;
	char			*p;

	buf_reset(log);
	ws_init(&ws, limit);
	while (type == WS_NEED && wire.n > 0) {
		n = piece == 0 ? 1 + rnd(40) : piece;
		if (n > wire.n)
			n = wire.n;
		p = guard ? guard_dup(sv_make(wire.p, n)) : malloc(n);
		memcpy(p, wire.p, n);
		type = feed_piece(&ws, p, n, log);
		if (guard)
			guard_free(p);
		else
			free(p);
		wire = sv_skip(wire, n);
	}
	if (type != WS_NEED)
		check_sticky(&ws, type);
	else if (ws.msgop == 0 && ws.nhead == 0)
		CHECK(ws.msg.p == NULL && ws.ctl == NULL);
	ws_fini(&ws);
}

static void
check_wire(struct sv wire, uint32_t limit, const char *events)
{
	static const struct { size_t piece; bool guard; } how[] = {
		{ (size_t)-1, false }, { 1, false }, { 7, false },
		{ 0, false }, { (size_t)-1, true }, { 3, true }
	};
	struct buf	log = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		if (how[i].guard && wire.n > 4096)
			continue;
		run(wire, limit, how[i].piece, how[i].guard, &log);
		while (log.n > 0 && log.p[log.n - 1] == ' ')
			log.n--;
		CHECK_SVEQ(buf_sv(&log), sv_from(events));
	}
	buf_fini(&log);
}

static void
check_rows(const struct row *row, size_t n)
{
	struct buf	wire = BUF_INIT;
	size_t		i, j;

	for (i = 0; i < n; i++) {
		test_note("%s", row[i].name);
		buf_reset(&wire);
		for (j = 0; j < FRAMES_MAX && row[i].frame[j].p != NULL; j++)
			put_frame(&wire, row[i].frame[j].b0,
			    sv_make(row[i].frame[j].p, row[i].frame[j].n));
		check_wire(buf_sv(&wire), 0, row[i].events);
	}
	buf_fini(&wire);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- groups 1 and 9: sizes ---- */

static void
check_size(unsigned op, size_t n, size_t fragment)
{
	struct buf	payload = BUF_INIT, wire = BUF_INIT, want = BUF_INIT;
	size_t		off, take;

	test_note("op %u, %zu bytes in fragments of %zu", op, n, fragment);
	for (off = 0; off < n; off++)
		buf_putc(&payload, (char)('a' + off % 23));
	off = 0;
	do {
		take = n - off < fragment ? n - off : fragment;
		put_frame(&wire, (off == 0 ? op : 0) |
		    (off + take == n ? FIN : 0),
		    take == 0 ? SV("") : sv_make(payload.p + off, take));
		off += take;
	} while (off < n);
	buf_puts(&want, op == WS_OP_TEXT ? "text" : "binary");
	log_data(&want, buf_sv(&payload));
	want.n--;
	buf_putc(&want, '\0');
	check_wire(buf_sv(&wire), 0, want.p);
	buf_fini(&payload);
	buf_fini(&wire);
	buf_fini(&want);
}

TEST(case_1_sizes_of_messages)
{
	static const size_t	size[] = {
	    0, 1, 7, 8, 9, 125, 126, 127, 128, 65535, 65536, 65537
	};
	size_t	i;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		check_size(WS_OP_TEXT, size[i], size[i]);
		check_size(WS_OP_BINARY, size[i], size[i]);
	}
}

TEST(case_9_and_10_large_and_in_fragments)
{
	check_size(WS_OP_TEXT, 1 << 20, 1 << 20);
	check_size(WS_OP_BINARY, 1 << 18, 64);
	check_size(WS_OP_TEXT, 1 << 18, 1300);
	check_size(WS_OP_TEXT, 300, 1);
}

static const struct row control[] = {
	{ "2.1", { F(PING, "") }, "ping()" },
	{ "2.2", { F(PING, "Hello") }, "ping(Hello)" },
	{ "2.3", { F(PING, "\x01\xff\xfe\x80") }, "ping(\x01\xff\xfe\x80)" },
	{ "2.7", { F(PONG, "") }, "pong()" },
	{ "2.8", { F(PONG, "unasked") }, "pong(unasked)" },
	{ "2.9", { F(PONG, "a"), F(PING, "b") }, "pong(a) ping(b)" },
	{ "2.10", { F(PING, "1"), F(PING, "22"), F(PING, "333") },
	    "ping(1) ping(22) ping(333)" },
	{ "3.1 RSV3", { F(TEXT | 0x10, "x") }, "error 1002" },
	{ "3.2 RSV2", { F(TEXT, "ok"), F(TEXT | 0x20, "x"), F(PING, "") },
	    "text(ok) error 1002" },
	{ "3.4 RSV1", { F(TEXT | 0x40, "x") }, "error 1002" },
	{ "3.5 RSV on binary", { F(BINARY | 0x50, "x") }, "error 1002" },
	{ "3.6 RSV on ping", { F(PING | 0x60, "x") }, "error 1002" },
	{ "3.7 RSV on close", { F(CLOSE | 0x70, "") }, "error 1002" },
	{ "4.1.1", { F(FIN | 3, "") }, "error 1002" },
	{ "4.1.2", { F(FIN | 4, "x") }, "error 1002" },
	{ "4.1.3", { F(TEXT, "a"), F(FIN | 5, "") }, "text(a) error 1002" },
	{ "4.1.4", { F(TEXT, "a"), F(FIN | 6, "x") }, "text(a) error 1002" },
	{ "4.1.5", { F(TEXT, "a"), F(7, "x") }, "text(a) error 1002" },
	{ "4.2.1", { F(FIN | 11, "") }, "error 1002" },
	{ "4.2.2", { F(FIN | 12, "x") }, "error 1002" },
	{ "4.2.3", { F(FIN | 13, "") }, "error 1002" },
	{ "4.2.4", { F(FIN | 14, "") }, "error 1002" },
	{ "4.2.5", { F(FIN | 15, "") }, "error 1002" },
};

TEST(case_2_to_4_control_frames_bits_and_opcodes)
{
	CHECK_ROWS(control);
}

static const struct row fragments[] = {
	{ "5.1", { F(9, "frag"), F(CONT, "ment") }, "error 1002" },
	{ "5.2", { F(10, "frag"), F(CONT, "ment") }, "error 1002" },
	{ "5.3", { F(TEXT_, "frag"), F(CONT, "ment") }, "text(fragment)" },
	{ "5.6", { F(TEXT_, "frag"), F(PING, "p"), F(CONT, "ment") },
	    "ping(p) text(fragment)" },
	{ "5.9", { F(CONT, "no"), F(TEXT, "x") }, "error 1002" },
	{ "5.12", { F(CONT_, "no"), F(TEXT, "x") }, "error 1002" },
	{ "5.15", { F(TEXT_, "a"), F(CONT, "b"), F(CONT_, "c") },
	    "text(ab) error 1002" },
	{ "5.16", { F(CONT_, "a"), F(TEXT, "b") }, "error 1002" },
	{ "5.18", { F(TEXT_, "a"), F(TEXT, "b") }, "error 1002" },
	{ "5.18 binary", { F(TEXT_, "a"), F(BINARY_, "b") }, "error 1002" },
	{ "5.19", { F(TEXT_, "1"), F(CONT_, "2"), F(PING, "a"), F(CONT_, "3"),
	    F(CONT_, "4"), F(PING, "b"), F(PONG, "c"), F(CONT, "5") },
	    "ping(a) ping(b) pong(c) text(12345)" },
	{ "empty fragments", { F(BINARY_, ""), F(CONT_, ""), F(CONT, "") },
	    "binary()" },
	{ "empty but the last", { F(TEXT_, ""), F(CONT_, ""), F(CONT, "x") },
	    "text(x)" },
	{ "empty last", { F(TEXT_, "x"), F(CONT, ""), F(TEXT, "") },
	    "text(x) text()" },
	{ "two after the other", { F(TEXT_, "a"), F(CONT, "b"),
	    F(BINARY_, "c"), F(CONT, "d") }, "text(ab) binary(cd)" },
	{ "close inside a message", { F(TEXT_, "a"), F(CLOSE, "\x03\xe8"),
	    F(CONT, "b") }, "close 1000()" },
};

TEST(case_5_fragmentation)
{
	CHECK_ROWS(fragments);
}

static const struct row closing[] = {
	{ "7.1.2", { F(CLOSE, "\x03\xe8"), F(CLOSE, "\x03\xe8") },
	    "close 1000()" },
	{ "7.1.3", { F(CLOSE, "\x03\xe8"), F(PING, "x") }, "close 1000()" },
	{ "7.1.4", { F(CLOSE, "\x03\xe8"), F(TEXT, "x") }, "close 1000()" },
	{ "7.1.5", { F(TEXT_, "x"), F(CLOSE, ""), F(CONT, "y") },
	    "close 1005()" },
	{ "7.3.1", { F(CLOSE, "") }, "close 1005()" },
	{ "7.3.2", { F(CLOSE, "a") }, "error 1002" },
	{ "7.3.3", { F(CLOSE, "\x03\xe8") }, "close 1000()" },
	{ "7.3.4", { F(CLOSE, "\x03\xe8going") }, "close 1000(going)" },
	{ "7.5.1", { F(CLOSE, "\x03\xe8\xce\xba\xe1\xbd\xb9\xed\xa0\x80") },
	    "error 1007" },
	{ "7.5.1 cut short", { F(CLOSE, "\x03\xe8\xce") }, "error 1007" },
	{ "code before reason", { F(CLOSE, "\x03\xe7\xff") }, "error 1002" },
};

TEST(case_7_closing)
{
	CHECK_ROWS(closing);
}

TEST(case_7_longest_reason)
{
	struct buf	wire = BUF_INIT, want = BUF_INIT;
	char		data[126];

	memset(data, '*', sizeof(data));
	memcpy(data, "\x03\xe8", 2);
	put_frame(&wire, CLOSE, sv_make(data, 125));
	buf_printf(&want, "close 1000(%.*s)", 123, data + 2);
	check_wire(buf_sv(&wire), 0, want.p);
	buf_reset(&wire);
	put_frame(&wire, CLOSE, sv_make(data, 126));
	check_wire(buf_sv(&wire), 0, "error 1002");
	buf_fini(&wire);
	buf_fini(&want);
}

TEST(case_7_close_codes)
{
	static const struct { unsigned from, to; } valid[] = {
		{ 1000, 1003 }, { 1007, 1014 }, { 3000, 4999 }
	};
	char		data[2];
	struct buf	wire = BUF_INIT, log = BUF_INIT;
	unsigned	code, i;
	bool		want;

	for (code = 0; code <= 65535; code++) {
		want = false;
		for (i = 0; i < 3; i++)
			want |= code >= valid[i].from && code <= valid[i].to;
		if (ws_close_code_valid(code) != want) {
			test_note("code %u", code);
			CHECK_INT(ws_close_code_valid(code), want);
		}
		data[0] = (char)(code >> 8);
		data[1] = (char)code;
		buf_reset(&wire);
		put_frame(&wire, CLOSE, sv_make(data, 2));
		run(buf_sv(&wire), 0, 0, false, &log);
		CHECK(sv_starts(buf_sv(&log),
		    want ? SV("close") : SV("error 1002")));
	}
	CHECK(!ws_close_code_valid(65536 + 1000));
	buf_fini(&wire);
	buf_fini(&log);
}

/* ---- headers that no client may send ---- */

static const struct {
	const char	*name;
	struct sv	 wire;
	const char	*events;
} raw[] = {
	{ "5.1 not masked", { "\x81\x05Hello", 7 }, "error 1002" },
	{ "not masked, empty", { "\x81\x00", 2 }, "error 1002" },
	{ "not masked, long", { "\x82\x7e", 2 }, "error 1002" },
	{ "2.5 ping of 126", { "\x89\xfe\x00\x7e", 4 }, "error 1002" },
	{ "ping in 64 bits", { "\x89\xff", 2 }, "error 1002" },
	{ "close of 126", { "\x88\xfe", 2 }, "error 1002" },
	{ "125 in 16 bits", { "\x81\xfe\x00\x7d\0\0\0\0", 8 }, "error 1002" },
	{ "0 in 16 bits", { "\x81\xfe\0\0\0\0\0\0", 8 }, "error 1002" },
	{ "65535 in 64 bits",
	    { "\x81\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", 14 }, "error 1002" },
	{ "5 in 64 bits",
	    { "\x81\xff\0\0\0\0\0\0\0\x05\0\0\0\0", 14 }, "error 1002" },
	{ "top bit", { "\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 14 },
	    "error 1002" },
	{ "all bits", { "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
	    14 }, "error 1002" },
	{ "63 bits are a length",
	    { "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0ab", 16 }, "" },
	{ "opcode before mask", { "\x83", 1 }, "error 1002" },
	{ "RSV at the first byte", { "\xc1", 1 }, "error 1002" },
	{ "mask at the second byte", { "\x81\x01", 2 }, "error 1002" },
	{ "header cut short", { "\x81\xfe\x01", 3 }, "" },
};

TEST(headers)
{
	size_t	i;

	for (i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
		test_note("%s", raw[i].name);
		check_wire(raw[i].wire, 0, raw[i].events);
	}
}

TEST(rfc_example_is_unmasked)
{
	check_wire(SV("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), 0,
	    "text(Hello)");
}

/* ---- group 6: UTF-8; bad is the index of the byte that decides, or -1 if
 * only the end does ---- */

static const struct {
	const char	*name, *text;
	int		 bad;
} text[] = {
	{ "6.2.1 two bytes", "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4", -2 },
	{ "6.5 three bytes", "\xe1\xbd\xb9\xef\xbf\xbf\xed\x9f\xbf", -2 },
	{ "6.5 four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", -2 },
	{ "6.6.1 cut", "a\xce", -1 },
	{ "6.6.6 cut", "\xf4\x8f\xbf", -1 },
	{ "6.3.1 surrogate", "\xce\xba\xed\xa0\x80" "edited", 3 },
	{ "6.4.1 over U+10FFFF", "\xce\xba\xf4\x90\x80\x80", 3 },
	{ "6.8.1 five bytes", "x\xf8\x88\x80\x80\x80", 1 },
	{ "6.8.2 six bytes", "\xfc\x84\x80\x80\x80\x80", 0 },
	{ "6.10.1 fe", "\xfe", 0 },
	{ "6.10.2 ff", "ab\xff", 2 },
	{ "6.11.5 lone continuation", "\x80", 0 },
	{ "6.12.1 overlong slash", "\xc0\xaf", 0 },
	{ "6.12.3 overlong slash", "\xf0\x80\x80\xaf", 1 },
	{ "6.13.4 overlong NUL", "\xe0\x80\x80", 1 },
	{ "6.14.1 half a pair", "\xed\xa0\x80", 1 },
	{ "continuation missing", "\xe1\xbd" "x", 2 },
};

/* A frame of one byte each: the error comes at byte `bad', not after. */
static void
check_fail_fast(struct sv s, int bad)
{
	struct buf	wire = BUF_INIT, log = BUF_INIT;
	int		i;

	for (i = 0; i <= bad; i++) {
		put_frame(&wire, i == 0 ? TEXT_ : CONT_, sv_make(s.p + i, 1));
		run(buf_sv(&wire), 0, 0, false, &log);
		CHECK_SV(buf_sv(&log), i == bad ? "error 1007" : "");
	}
	buf_fini(&wire);
	buf_fini(&log);
}

TEST(case_6_text_is_utf8)
{
	struct buf	wire = BUF_INIT, want = BUF_INIT;
	struct sv	s;
	size_t		i, cut;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		test_note("%s", text[i].name);
		s = sv_from(text[i].text);
		buf_reset(&want);
		buf_printf(&want, text[i].bad == -2 ? "text(%s)" :
		    "error 1007", s.p);
		for (cut = 0; cut <= s.n; cut++) {
			buf_reset(&wire);
			put_frame(&wire, TEXT_, sv_make(s.p, cut));
			put_frame(&wire, CONT, sv_skip(s, cut));
			check_wire(buf_sv(&wire), 0, want.p);
		}
		check_fail_fast(s, text[i].bad);
		/* Binary is nobody's business. */
		buf_reset(&wire);
		put_frame(&wire, BINARY, s);
		buf_reset(&want);
		buf_printf(&want, "binary(%s)", s.p);
		check_wire(buf_sv(&wire), 0, want.p);
	}
	buf_fini(&wire);
	buf_fini(&want);
}

/* ---- size limit ---- */

TEST(limit_is_on_the_message_not_the_frame)
{
	struct buf	wire = BUF_INIT;

	put_frame(&wire, TEXT, SV("0123456789"));
	check_wire(buf_sv(&wire), 10, "text(0123456789)");
	check_wire(buf_sv(&wire), 9, "error 1009");
	buf_reset(&wire);
	put_frame(&wire, BINARY_, SV("01234"));
	put_frame(&wire, PING, SV("larger than the limit"));
	put_frame(&wire, CONT, SV("56789"));
	check_wire(buf_sv(&wire), 10,
	    "ping(larger than the limit) binary(0123456789)");
	check_wire(buf_sv(&wire), 9,
	    "ping(larger than the limit) error 1009");
	buf_fini(&wire);
}

TEST(limit_holds_at_the_header)
{
	check_wire(SV("\x81\xff\0\0\0\0\0\x01\0\0\0\0\0\0"), 65535,
	    "error 1009");
	check_wire(SV("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
	    UINT32_MAX, "error 1009");
	check_wire(SV("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0"),
	    UINT32_MAX, "");
}

/* ---- what is borrowed, what is owned ---- */

TEST(whole_message_is_borrowed_from_the_input)
{
	struct buf	wire = BUF_INIT;
	struct ws	ws;
	struct ws_event	ev;
	size_t		used;

	put_frame(&wire, TEXT, SV("Hello"));
	put_frame(&wire, PING, SV("p"));
	ws_init(&ws, 0);
	alloc_fail_from(1);
	CHECK_INT(ws_feed(&ws, wire.p, wire.n, &used, &ev), WS_MESSAGE);
	CHECK_INT(used, 11);
	CHECK(ev.data.p == wire.p + 6);
	CHECK_SV(ev.data, "Hello");
	CHECK_INT(ws_feed(&ws, wire.p + 11, wire.n - 11, &used, &ev), WS_PING);
	CHECK(ev.data.p == wire.p + 17);
	CHECK_INT(alloc_count(), 0);
	alloc_fail_at(0);
	ws_fini(&ws);
	buf_fini(&wire);
}

TEST(collected_message_is_freed_by_the_next_call)
{
	struct buf	wire = BUF_INIT;
	struct ws	ws;
	struct ws_event	ev;
	size_t		used;

	put_frame(&wire, TEXT, SV("Hello"));
	put_frame(&wire, PING, SV("ping"));
	ws_init(&ws, 0);
	CHECK_INT(ws_feed(&ws, wire.p, 8, &used, &ev), WS_NEED);
	CHECK_INT(ws_feed(&ws, wire.p + 8, 3, &used, &ev), WS_MESSAGE);
	CHECK_SV(ev.data, "Hello");
	CHECK_INT(ws_feed(&ws, wire.p + 11, 8, &used, &ev), WS_NEED);
	CHECK(ws.msg.p == NULL);
	CHECK_INT(ws_feed(&ws, wire.p + 19, 2, &used, &ev), WS_PING);
	CHECK_SV(ev.data, "ping");
	CHECK_INT(ws_feed(&ws, NULL, 0, &used, &ev), WS_NEED);
	CHECK(ws.ctl == NULL);
	ws_fini(&ws);
	buf_fini(&wire);
}

static bool
sweep_body(void)
{
	static const char	wire[] = "\x01\x82\0\0\0\0ab"
	    "\x89\x82\0\0\0\0cd"
	    "\x80\x82\0\0\0\0ef";
	struct ws		ws;
	struct ws_event		ev;
	size_t			i, used, seen = 0;
	char			c;

	ws_init(&ws, 0);
	for (i = 0; i < sizeof(wire) - 1; i++) {
		c = wire[i];
		switch (ws_feed(&ws, &c, 1, &used, &ev)) {
		case WS_PING:
			seen += sv_eq(ev.data, SV("cd"));
			break;
		case WS_MESSAGE:
			seen += sv_eq(ev.data, SV("abef"));
			break;
		case WS_ERROR:
			CHECK_INT(ev.code, WS_CLOSE_INTERNAL);
			ws_fini(&ws);
			return false;
		default:
			break;
		}
	}
	ws_fini(&ws);
	CHECK_INT(alloc_failed(), 0);	/* it would have been an error */
	return seen == 2;
}

TEST(allocation_sweep)
{
	ALLOC_SWEEP(sweep_body);
}

/* ---- against a simple decoder ---- */

struct model {
	struct buf	 msg, body;
	unsigned	 op, msgop;
	bool		 fin;
	uint64_t	 len;
	size_t		 size;		/* of the header */
};

/* Look at the header in front of in: the error it is, or 0; size stays 0
 * while it is not whole. */
static unsigned
model_head(struct model *m, struct sv in, uint32_t limit)
{
	const uint8_t	*p = (const uint8_t *)in.p;
	int		 i, ext;

	m->size = 0;
	m->op = p[0] & 15;
	m->fin = p[0] & 0x80;
	if ((p[0] & 0x70) || (m->op > 2 && m->op < 8) || m->op > 10 ||
	    (m->op >= 8 && !m->fin) || (m->op == 0 && !m->msgop) ||
	    ((m->op == 1 || m->op == 2) && m->msgop))
		return 1002;
	if (in.n < 2)
		return 0;
	m->len = p[1] & 127;
	if (!(p[1] & 0x80) || (m->op >= 8 && m->len > 125))
		return 1002;
	ext = m->len == 126 ? 2 : m->len == 127 ? 8 : 0;
	if (in.n < (size_t)(6 + ext))
		return 0;
	for (i = 0; i < ext; i++)
		m->len = (i ? m->len << 8 : 0) | p[2 + i];
	if ((ext == 2 && m->len < 126) ||
	    (ext == 8 && (m->len < 65536 || m->len >> 63)))
		return 1002;
	if (m->op < 8 && limit && m->msg.n + m->len > limit)
		return 1009;
	m->size = (size_t)(6 + ext);
	return 0;
}

/* The body is in, whole if whole. */
static unsigned
model_data(struct model *m, bool whole, struct buf *log)
{
	struct ws_event	ev = { .type = WS_MESSAGE };
	uint8_t		state;

	if (m->op != 0)
		m->msgop = m->op;
	buf_putsv(&m->msg, buf_sv(&m->body));
	state = utf8_feed(UTF8_ACCEPT, m->msg.p, m->msg.n);
	whole = whole && m->fin;
	if (m->msgop == 1 && (state == UTF8_REJECT || (whole && state != 0)))
		return 1007;
	if (whole) {
		ev.op = m->msgop == 1 ? WS_OP_TEXT : WS_OP_BINARY;
		ev.data = buf_sv(&m->msg);
		log_event(log, &ev);
		m->msgop = 0;
		buf_reset(&m->msg);
	}
	return 0;
}

static unsigned
model_control(struct model *m, struct buf *log)
{
	struct ws_event	ev = { .data = buf_sv(&m->body), .code = 1005 };
	const uint8_t	*p = (const uint8_t *)m->body.p;

	ev.type = m->op == 8 ? WS_CLOSE : m->op == 9 ? WS_PING : WS_PONG;
	if (m->op == 8 && ev.data.n > 0) {
		if (ev.data.n == 1)
			return 1002;
		ev.code = (uint16_t)(p[0] << 8 | p[1]);
		ev.data = sv_skip(ev.data, 2);
		if (!ws_close_code_valid(ev.code))
			return 1002;
		if (!utf8_valid(ev.data))
			return 1007;
	}
	log_event(log, &ev);
	return 0;
}

/* Parse the whole stream at once, frame by frame, a byte at a time. */
static void
model(struct sv in, uint32_t limit, struct buf *log)
{
	struct model	m = { .msg = BUF_INIT, .body = BUF_INIT };
	unsigned	err = 0;
	size_t		i;

	while (in.n > 0 && err == 0) {
		err = model_head(&m, in, limit);
		if (err != 0 || m.size == 0)
			break;
		buf_reset(&m.body);
		for (i = m.size; i < in.n && i - m.size < m.len; i++)
			buf_putc(&m.body, (char)(in.p[i] ^
			    in.p[m.size - 4 + (i - m.size) % 4]));
		if (m.op < 8)
			err = model_data(&m, m.body.n == m.len, log);
		else if (m.body.n == m.len)
			err = model_control(&m, log);
		if (m.op == 8 || m.body.n < m.len)
			break;
		in = sv_skip(in, i);
	}
	if (err != 0)
		buf_printf(log, "error %u", err);
	buf_fini(&m.msg);
	buf_fini(&m.body);
}

/* Mostly sensible frames, with here and there a mistake. */
static void
random_stream(struct buf *wire)
{
	static const unsigned	b0[] = { TEXT, BINARY, TEXT_, BINARY_, CONT_,
	    CONT_, CONT, CONT, CONT, PING, PONG };
	char	data[300];
	size_t	i, n, frames = 1 + rnd(12);
	bool	open = false;

	buf_reset(wire);
	while (frames-- > 0) {
		unsigned	b = b0[rnd(sizeof(b0) / sizeof(b0[0]))];

		if ((b & 15) < 8 && rnd(50) != 0) {
			b = open ? (b & 0x80) : ((b & 15) == 0 ? TEXT_ : b);
			open = !(b & 0x80);
		}
		n = rnd(8) == 0 ? rnd(sizeof(data)) : rnd(20);
		if ((b & 15) >= 8 && n > 125 && rnd(10) != 0)
			n = 125;
		for (i = 0; i < n; i++)
			data[i] = (char)('a' + rnd(26));
		if (n >= 2 && rnd(3) == 0)
			memcpy(data + n - 2, "\xc3\xa4", 2);
		if (n > 0 && rnd(10) == 0)
			data[n - 1] = (char)(0x80 + rnd(128));
		put_frame(wire, b, sv_make(data, n));
	}
	if (rnd(3) == 0)
		put_frame(wire, CLOSE, rnd(3) ? SV("\x03\xe8" "bye") : SV(""));
	if (rnd(5) == 0)
		wire->p[rnd((uint32_t)wire->n)] ^= (char)(1 << rnd(8));
	if (rnd(5) == 0)
		wire->n = rnd((uint32_t)wire->n + 1);
}

TEST(random_streams_cut_at_random_against_the_model)
{
	struct buf	wire = BUF_INIT, want = BUF_INIT, log = BUF_INIT;
	uint32_t	limit, round;

	for (round = 0; round < 20000; round++) {
		seed = round + 1;
		random_stream(&wire);
		limit = rnd(4) == 0 ? 1 + rnd(300) : 0;
		buf_reset(&want);
		model(buf_sv(&wire), limit, &want);
		run(buf_sv(&wire), limit, round % 8, false, &log);
		test_note("round %u", round);
		if (!CHECK_SVEQ(buf_sv(&log), buf_sv(&want)))
			break;
	}
	buf_fini(&wire);
	buf_fini(&want);
	buf_fini(&log);
}

/* ---- unmasking and the sending side ---- */

TEST(unmask_at_every_alignment_length_and_position)
{
	static const uint8_t	mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	unsigned char	mem[96];
	size_t		at, n, i;
	unsigned	pos, x;

	for (at = 0; at < 16; at++)
		for (n = 0; n < 64; n++)
			for (pos = 0; pos < 4; pos++) {
				memset(mem, 0x55, sizeof(mem));
				ws_unmask((char *)mem + at, n, mask, pos);
				for (i = 0; i < sizeof(mem); i++) {
					x = i >= at && i < at + n ?
					    mask[(pos + i - at) % 4] : 0;
					if (!CHECK_INT(mem[i], 0x55 ^ x))
						return;
				}
			}
}

TEST(head_format)
{
	static const struct { size_t n; struct sv want; } head[] = {
		{ 0, { "\x81\x00", 2 } },
		{ 125, { "\x81\x7d", 2 } },
		{ 126, { "\x81\x7e\x00\x7e", 4 } },
		{ 65535, { "\x81\x7e\xff\xff", 4 } },
		{ 65536, { "\x81\x7f\0\0\0\0\0\x01\0\0", 10 } },
		{ 0x12345678, { "\x81\x7f\0\0\0\0\x12\x34\x56\x78", 10 } },
	};
	unsigned char	out[WS_HEAD_MAX];
	size_t		i, n;

	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		n = ws_head_format(out, WS_OP_TEXT, head[i].n);
		CHECK_SVEQ(sv_make(out, n), head[i].want);
	}
	n = ws_head_format(out, WS_OP_BINARY, 1);
	CHECK_SVEQ(sv_make(out, n), SV("\x82\x01"));
	n = ws_head_format(out, WS_OP_PONG, 3);
	CHECK_SVEQ(sv_make(out, n), SV("\x8a\x03"));
}

TEST(close_format)
{
	unsigned char	out[WS_CLOSE_MAX];
	size_t		n;

	n = ws_close_format(out, 3501, SV("bad request"));
	CHECK_SVEQ(sv_make(out, n), SV("\x88\x0d\x0d\xad" "bad request"));
	n = ws_close_format(out, 1000, SV(""));
	CHECK_SVEQ(sv_make(out, n), SV("\x88\x02\x03\xe8"));
	n = ws_close_format(out, 0, SV("dropped"));
	CHECK_SVEQ(sv_make(out, n), SV("\x88\x00"));
	n = ws_close_format(out, WS_CLOSE_NO_STATUS, SV(""));
	CHECK_SVEQ(sv_make(out, n), SV("\x88\x00"));
}

TEST(close_format_cuts_the_reason_between_characters)
{
	unsigned char	out[WS_CLOSE_MAX];
	char		reason[130];
	size_t		i, n;

	for (i = 0; i < 4; i++) {
		memset(reason, 'a', sizeof(reason));
		memcpy(reason + 120 + i, "\xf0\x9f\x90\xa1", 4);
		n = ws_close_format(out, 1000, sv_make(reason, 130));
		CHECK_INT(n, 4 + (i == 0 ? 120 : 120 + i));
		CHECK_INT(out[1], n - 2);
		CHECK(utf8_valid(sv_make(out + 4, n - 4)));
	}
	memset(reason, 'a', sizeof(reason));
	CHECK_INT(ws_close_format(out, 1000, sv_make(reason, 123)), 127);
	CHECK_INT(ws_close_format(out, 1000, sv_make(reason, 124)), 127);
}

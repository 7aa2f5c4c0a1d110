/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The TLS engine: handshakes and data in pieces of every size, what it owns
 * when, every end, and what is not TLS.
 */
#include "tests/unit/tls_pair.h"

static const size_t pieces[] = { 0, 1, 7, 1000, SIZE_MAX };
#define NPIECES	(sizeof(pieces) / sizeof(pieces[0]))

TEST(both_keys_in_pieces_of_every_size)
{
	struct side	srv, cli;
	size_t		i, n;
	char	       *p;

	for (i = 0; i < 2 * NPIECES; i++) {
		bool rsa = i % 2 == 0;

		test_note("row %zu", i);
		if (!pair_sides(rsa, TLS_CLIENT_NONE, NULL))
			return;
		CHECK(pair_begin(&srv, &cli, pair_host(rsa)));
		pair_shake(&srv, &cli, pieces[i / 2]);
		CHECK_INT(srv.opened, 1);
		CHECK_INT(cli.opened, 1);
		CHECK(tls_engine_why(&srv.e) == NULL);
		CHECK(tls_engine_why(&cli.e) == NULL);
		CHECK(srv.e.hs == NULL && cli.e.hs == NULL);
		CHECK(!srv.e.resumed);
		CHECK(strncmp(tls_engine_cipher(&srv.e), rsa ? "ECDHE-RSA-" :
		    "ECDHE-ECDSA-", 10) == 0);
		CHECK_STR(tls_engine_cipher(&cli.e),
		    tls_engine_cipher(&srv.e));
		p = side_seal(&cli, "hello", 5, &n);
		CHECK_INT(n, 5 + 5 + 16 +
		    (strstr(tls_engine_cipher(&cli.e), "CHACHA") ? 0 : 8));
		side_feed_pieces(&srv, p, n, pieces[i / 2]);
		CHECK_SVEQ(sv_make(srv.got, srv.ngot), SV("hello"));
		free(p);
		pair_end(&srv, &cli);
		pair_sides_free();
	}
}

TEST(suites_have_names)
{
	static const struct {
		uint16_t	 suite;
		const char	*name;
	} row[] = {
		{ 0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256" },
		{ 0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384" },
		{ 0xc02f, "ECDHE-RSA-AES128-GCM-SHA256" },
		{ 0xc030, "ECDHE-RSA-AES256-GCM-SHA384" },
		{ 0xcca8, "ECDHE-RSA-CHACHA20-POLY1305" },
		{ 0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305" },
		{ 0, "" }
	};
	struct tls_engine	e = { .cipher = 0 };
	size_t			i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		e.cipher = row[i].suite;
		CHECK_STR(tls_engine_cipher(&e), row[i].name);
	}
}

/* ---- memory ---- */

TEST(owns_no_buffer_between_calls)
{
	struct side	srv, cli;
	size_t		before, n, idle;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	p = side_take(&cli, &n);
	before = heap();
	/* Nothing before the hello is whole but what came of it. */
	side_feed(&srv, p, n - 1);
	CHECK(srv.e.eng == NULL);
	CHECK(heap() - before <= n - 1 + HEAP_ROUNDS);
	side_feed(&srv, p + n - 1, 1);
	free(p);
	CHECK(srv.e.in == NULL || srv.e.in_used);
	p = side_take(&srv, &n);
	/* Between flights: the context and the handshake. */
	CHECK(srv.e.eng->ibuf == NULL && srv.e.eng->obuf == NULL);
	CHECK(srv.e.out == NULL);
	CHECK(heap() - before < 4128 + 4096 + 512 + HEAP_ROUNDS);
	side_feed(&cli, p, n);
	free(p);
	pair_shake(&srv, &cli, 0);
	CHECK(srv.e.open && cli.e.open);
	idle = heap();
	CHECK(srv.e.in == NULL && srv.e.out == NULL && srv.e.hs == NULL);
	CHECK(srv.e.subject == NULL);
	/* What is left on both sides is the contexts, for which the client's
	 * was there before. */
	CHECK(idle < before + sizeof(br_ssl_server_context) + HEAP_ROUNDS);
	/* And so it stays. */
	p = side_seal(&cli, pair_host(true), 11, &n);
	side_feed_pieces(&srv, p, n, 1);
	side_feed(&srv, "", 0);
	free(p);
	free(srv.got);
	srv.got = NULL;
	CHECK_INT(heap(), idle);
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(keeps_what_the_kernel_did_not_take)
{
	struct side	srv, cli;
	struct iovec	iov = { (char *)(uintptr_t)"abcdef", 6 };
	struct sv	out;
	char		copy[64];
	size_t		n;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	pair_unveil();
	CHECK_INT(tls_engine_seal(&srv.e, &iov, 1, true), 6);
	CHECK(!tls_engine_ready(&srv.e));
	out = tls_engine_output(&srv.e);
	n = out.n;
	memcpy(copy, out.p, n);
	CHECK_INT(tls_engine_sent(&srv.e, 3), 0);
	pair_veil();
	CHECK(!tls_engine_ready(&srv.e));
	CHECK_INT(srv.e.out_n, n - 3);
	CHECK_SVEQ(tls_engine_output(&srv.e), sv_make(copy + 3, n - 3));
	CHECK_INT(tls_engine_sent(&srv.e, 0), 0);
	CHECK_INT(tls_engine_sent(&srv.e, 1), 0);
	CHECK_SVEQ(tls_engine_output(&srv.e), sv_make(copy + 4, n - 4));
	CHECK_INT(tls_engine_sent(&srv.e, n - 4), 0);
	CHECK(tls_engine_ready(&srv.e) && srv.e.out == NULL);
	side_feed(&cli, copy, n);
	CHECK_SVEQ(sv_make(cli.got, cli.ngot), SV("abcdef"));
	pair_end(&srv, &cli);
	pair_sides_free();
}

/* ---- data ---- */

TEST(first_record_small_then_full_size)
{
	struct side	srv, cli;
	static char	big[100000];
	size_t		n, off, k;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	p = side_seal(&srv, big, sizeof(big), &n);
	for (off = 0, k = 0; off < n; k++) {
		size_t len = (size_t)(uint8_t)p[off + 3] << 8 |
		    (uint8_t)p[off + 4];

		CHECK_INT(p[off], TLS_REC_DATA);
		if (k == 0)
			CHECK(5 + len <= 1380);
		else if (off + 5 + len < n)
			CHECK(len >= 16384 + 16);
		off += 5 + len;
	}
	CHECK_INT(k, 1 + (sizeof(big) - TLS_SMALL + 16383) / 16384);
	side_feed(&cli, p, n);
	CHECK_INT(cli.ngot, sizeof(big));
	free(p);
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(several_pieces_share_a_record)
{
	struct iovec	iov[4] = { { "one,", 4 }, { "", 0 }, { "two,", 4 },
	    { "three", 5 } };
	struct side	srv, cli;
	char	       *p;
	size_t		n;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	pair_unveil();
	CHECK_INT(tls_engine_seal(&srv.e, iov, 4, false), 13);
	p = side_take(&srv, &n);
	CHECK_INT((uint8_t)p[4] + 5, n);
	side_feed(&cli, p, n);
	CHECK_SVEQ(sv_make(cli.got, cli.ngot), SV("one,two,three"));
	free(p);
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(records_end_within_pieces)
{
	static char	data[9000];
	struct iovec	iov[9];
	struct side	srv, cli;
	size_t		i, n;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)pair_random(256);
	for (i = 0; i < 9; i++)
		iov[i] = (struct iovec){ data + i * 1000, 1000 };
	pair_unveil();
	CHECK_INT(tls_engine_seal(&srv.e, iov, 9, true), sizeof(data));
	p = side_take(&srv, &n);
	side_feed(&cli, p, n);
	CHECK_SVEQ(sv_make(cli.got, cli.ngot), sv_make(data, sizeof(data)));
	free(p);
	pair_end(&srv, &cli);
	pair_sides_free();
}

static void
bulk(struct side *from, struct side *to)
{
	static char	data[200000];
	size_t		i, n, size, at = to->ngot;
	char	       *p;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)pair_random(256);
	size = 1 + pair_random(pair_random(3) == 0 ? sizeof(data) : 3000);
	p = side_seal(from, data, size, &n);
	side_feed_pieces(to, p, n, SIZE_MAX);
	free(p);
	CHECK_INT(to->ngot - at, size);
	CHECK(memcmp(to->got + at, data, size) == 0);
}

TEST(bulk_both_ways_in_random_pieces)
{
	struct side	srv, cli;
	int		i;

	if (!pair_sides(true, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "rsa.example"));
	pair_shake(&srv, &cli, SIZE_MAX);
	for (i = 0; i < 30; i++) {
		bulk(&srv, &cli);
		bulk(&cli, &srv);
	}
	pair_end(&srv, &cli);
	pair_sides_free();
}

/* ---- ends ---- */

TEST(close_notify_is_said_and_heard)
{
	struct side	srv, cli;
	size_t		i, n;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	for (i = 0; i < 2 * NPIECES; i++) {
		struct side *a = i % 2 ? &srv : &cli, *b = i % 2 ? &cli : &srv;

		CHECK(pair_begin(&srv, &cli, "ec.example"));
		pair_shake(&srv, &cli, 0);
		p = side_seal(a, "last", 4, &n);
		side_feed_pieces(b, p, n, pieces[i / 2]);
		free(p);
		side_finish(a);
		side_finish(a);
		CHECK(!tls_engine_ready(&a->e));
		/* What crosses it still arrives, or is dropped. */
		p = side_seal(b, "crossing", 8, &n);
		side_feed(a, p, n);
		free(p);
		CHECK(tls_engine_eof(&a->e));
		CHECK(carry(a, b, pieces[i / 2]));
		CHECK_INT(b->eofs, 1);
		CHECK_SVEQ(sv_make(b->got, b->ngot), SV("last"));
		CHECK(!tls_engine_ready(&b->e));
		CHECK(tls_engine_eof(&b->e));
		/* Anything after it is ignored. */
		side_feed(b, "garbage", 7);
		CHECK(tls_engine_why(&b->e) == NULL);
		/* It says so, too. */
		CHECK(carry(b, a, pieces[i / 2]));
		CHECK_INT(a->eofs, 1);
		CHECK(tls_engine_why(&a->e) == NULL);
		CHECK(!carry(a, b, 0));
		pair_end(&srv, &cli);
	}
	pair_sides_free();
}

TEST(an_end_without_close_notify_is_a_failure)
{
	struct side srv, cli;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	CHECK(!tls_engine_eof(&cli.e));
	CHECK_INT(cli.e.failure, TLS_FAIL_CLOSED);
	CHECK(strstr(tls_engine_why(&cli.e), "cut off") != NULL);
	pair_end(&srv, &cli);
	pair_sides_free();
}

/* The client goes away after each byte of its handshake. */
TEST(an_end_at_every_byte_of_the_handshake)
{
	struct side	srv, cli;
	size_t		cut, sent, n, k;
	bool		whole = false;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	for (cut = 0; !whole; cut += cut < 8 ? 1 : 23) {
		test_note("after %zu bytes", cut);
		CHECK(pair_begin(&srv, &cli, "ec.example"));
		for (sent = 0; sent < cut; sent += k) {
			p = side_take(&cli, &n);
			k = n < cut - sent ? n : cut - sent;
			side_feed(&srv, p, k);
			free(p);
			carry(&srv, &cli, 0);
			if (k == 0)
				break;
		}
		whole = srv.e.open;
		CHECK(!tls_engine_eof(&srv.e));
		CHECK_INT(srv.e.failure, TLS_FAIL_CLOSED);
		pair_end(&srv, &cli);
	}
	CHECK(cut > 200);
	pair_sides_free();
}

TEST(a_damaged_record_ends_it)
{
	struct side	srv, cli;
	size_t		n, i;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	for (i = 0; i < 30; i += 3) {
		CHECK(pair_begin(&srv, &cli, "ec.example"));
		pair_shake(&srv, &cli, 0);
		p = side_seal(&cli, "hello", 5, &n);
		test_note("byte %zu", i);
		if (i >= n)
			i = n - 1;
		p[i] ^= (char)0x80;
		side_feed(&srv, p, n);
		free(p);
		if (i != 3) {
			CHECK_INT(srv.last, TLS_FAILED);
			CHECK(tls_engine_why(&srv.e) != NULL);
			CHECK_INT(srv.e.failure, TLS_FAIL_PROTOCOL);
		}
		CHECK_INT(srv.ngot, 0);
		CHECK(!tls_engine_ready(&srv.e));
		side_feed(&srv, "more", 4);
		pair_end(&srv, &cli);
	}
	pair_sides_free();
}

TEST(the_peer_is_told_why)
{
	struct side srv, cli;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "other.example"));
	pair_shake(&srv, &cli, 0);
	CHECK_INT(cli.last, TLS_FAILED);
	CHECK(strstr(tls_engine_why(&cli.e), "other.example") != NULL);
	CHECK(!srv.e.open);
	CHECK_INT(srv.e.failure, TLS_FAIL_ALERT);
	CHECK_STR(tls_engine_why(&srv.e), "the peer refused: bad certificate");
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(a_client_is_told_why)
{
	struct side srv, cli;

	if (!pair_sides(false, TLS_CLIENT_REQUIRED, NULL))
		return;
	tls_client_unref(pair_client);
	pair_client = tls_client_new(&(struct tls_client_options){
	    .insecure_skip_verify = true });
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	CHECK_INT(srv.e.failure, TLS_FAIL_CLIENT_CERT);
	CHECK_INT(cli.e.failure, TLS_FAIL_ALERT);
	CHECK(sv_starts(sv_from(tls_engine_why(&cli.e)),
	    SV("the peer refused: handshake failure")));
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(renegotiation_is_refused_and_harmless)
{
	struct side	 srv, cli;
	static char	 in[BR_SSL_BUFSIZE_INPUT];
	size_t		 n;
	char		*p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	/* A client that does not care about our wishes. */
	br_ssl_engine_set_all_flags(cli.e.eng, 0);
	pair_unveil();
	cli.e.eng->ibuf = (unsigned char *)in;
	cli.e.eng->obuf = pair_scratch;
	CHECK(br_ssl_engine_renegotiate(cli.e.eng));
	p = (char *)br_ssl_engine_sendrec_buf(cli.e.eng, &n);
	if (!CHECK(p != NULL))
		return;
	CHECK_INT(p[0], TLS_REC_HANDSHAKE);
	p = memcpy(in, p, n);
	pair_veil();
	side_feed_pieces(&srv, p, n, 50);
	CHECK(tls_engine_why(&srv.e) == NULL);
	p = side_take(&srv, &n);
	CHECK(n > 0 && p[0] == TLS_REC_ALERT);
	free(p);
	p = side_seal(&srv, "still here", 10, &n);
	CHECK(n > 10 && p[0] == TLS_REC_DATA);
	free(p);
	pair_end(&srv, &cli);
	pair_sides_free();
}

/* ---- what is not TLS ---- */

TEST(what_is_no_tls)
{
	static const struct {
		struct sv	 in;
		int		 failure;	/* -1: it may become one */
		bool		 answer;
	} row[] = {
		{ SV_INIT("GET / HTTP/1.1\r\n\r\n"), TLS_FAIL_NOT_TLS, true },
		{ SV_INIT("P"), TLS_FAIL_NOT_TLS, true },
		{ SV_INIT("\x80\x2e\x01\x03\x01"), TLS_FAIL_NOT_TLS, false },
		{ SV_INIT("\0"), TLS_FAIL_NOT_TLS, false },
		{ SV_INIT("ssh"), TLS_FAIL_NOT_TLS, false },
		{ SV_INIT("\x15\x03\x01\x00\x02\x01\x00"), TLS_FAIL_PROTOCOL,
		    false },
		{ SV_INIT("\x17\x03\x03"), TLS_FAIL_PROTOCOL, false },
		{ SV_INIT("\x16\x02"), TLS_FAIL_PROTOCOL, false },
		{ SV_INIT("\x16\x03\x01\x20\x01"), TLS_FAIL_PROTOCOL, false },
		{ SV_INIT("\x16\x03\x01\xff\xff"), TLS_FAIL_PROTOCOL, false },
		{ SV_INIT("\x16\x03\x01\x20\x00"), -1, false },
		{ SV_INIT("\x16\x03"), -1, false },
		{ SV_INIT("\x16"), -1, false },
		{ SV_INIT("\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00"), -1,
		    false },
		{ SV_INIT("\x16\x03\x01\x00\x04\x02\x00\x00\x00"),
		    TLS_FAIL_PROTOCOL, false },
		{ SV_INIT("\x16\x03\x01\x00\x01\x01\x14\x03\x01\x00\x01\x01"),
		    TLS_FAIL_PROTOCOL, false },
	};
	struct side	srv, cli;
	size_t		i, n;
	char	       *p;

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	for (i = 0; i < 2 * (sizeof(row) / sizeof(row[0])); i++) {
		test_note("row %zu", i / 2);
		CHECK(pair_begin(&srv, &cli, "ec.example"));
		side_feed_pieces(&srv, row[i / 2].in.p, row[i / 2].in.n,
		    i % 2);
		CHECK_INT(srv.e.failed ? srv.e.failure : -1,
		    row[i / 2].failure);
		p = side_take(&srv, &n);
		CHECK_INT(n > 90 && memcmp(p, "HTTP/1.1 400 ", 13) == 0,
		    row[i / 2].answer);
		free(p);
		pair_end(&srv, &cli);
	}
	/* And a server that is none. */
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	side_feed(&cli, "HTTP/1.1 400 Bad", 16);
	CHECK_INT(cli.e.failure, TLS_FAIL_NOT_TLS);
	CHECK_STR(tls_engine_why(&cli.e), "what came is not TLS");
	pair_end(&srv, &cli);
	pair_sides_free();
}

TEST(a_hello_in_many_records)
{
	struct side	srv, cli;
	size_t		n, i;
	char	       *p, rec[6] = "\x16\x03\x01\x00\x01";

	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	p = side_take(&cli, &n);
	for (i = 5; i < n; i++) {
		rec[5] = p[i];
		side_feed(&srv, rec, 6);
	}
	free(p);
	pair_shake(&srv, &cli, 0);
	CHECK(srv.e.open && cli.e.open);
	pair_end(&srv, &cli);
	pair_sides_free();
}

/* ---- who the client is ---- */

TEST(the_subject_of_the_client_is_kept)
{
	struct side	srv, cli;
	int		i;

	for (i = 0; i < 2; i++) {
		if (!pair_sides(false, i == 0 ? TLS_CLIENT_OPTIONAL :
		    TLS_CLIENT_REQUIRED, NULL))
			return;
		CHECK(pair_begin(&srv, &cli, "ec.example"));
		pair_shake(&srv, &cli, 1);
		CHECK(srv.e.open && cli.e.open);
		CHECK_STR(srv.e.subject, "CN=client.example,O=fugu tests");
		CHECK(cli.e.subject == NULL);
		pair_end(&srv, &cli);
		pair_sides_free();
	}
}

/* Make its hello anew, asking for a session. */
static char *
hello_again(struct side *cli, const br_ssl_session_parameters *p, size_t *n)
{
	br_ssl_engine_context	*eng = cli->e.eng;
	unsigned char		*rec;
	char			*hello;

	free(cli->e.out);
	cli->e.out = NULL;
	cli->e.out_n = 0;
	br_ssl_engine_set_session_parameters(eng, p);
	pair_unveil();
	eng->ibuf = pair_scratch;
	eng->obuf = pair_scratch + 1;
	br_ssl_client_reset(cli->e.cc, "ec.example", 1);
	rec = br_ssl_engine_sendrec_buf(eng, n);
	hello = malloc(*n);
	memcpy(hello, rec, *n);
	br_ssl_engine_sendrec_ack(eng, *n);
	pair_veil();
	eng->ibuf = eng->obuf = NULL;
	return hello;
}

TEST(sessions_are_resumed)
{
	struct tls_sessions		*sessions = tls_sessions_new(16);
	br_ssl_session_parameters	 session;
	struct side			 srv, cli;
	char				*p;
	size_t				 n;

	if (!pair_sides(false, TLS_CLIENT_NONE, sessions))
		return;
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	pair_shake(&srv, &cli, 0);
	CHECK(srv.e.open && !srv.e.resumed);
	br_ssl_engine_get_session_parameters(cli.e.eng, &session);
	pair_end(&srv, &cli);
	CHECK(pair_begin(&srv, &cli, "ec.example"));
	p = hello_again(&cli, &session, &n);
	side_feed_pieces(&srv, p, n, 1);
	free(p);
	pair_shake(&srv, &cli, 1);
	CHECK(srv.e.open && srv.e.resumed);
	CHECK(cli.e.open);
	pair_end(&srv, &cli);
	pair_sides_free();
	tls_sessions_free(sessions);
}

/* ---- no memory ---- */

static bool
talk(void)
{
	struct side	srv, cli;
	struct iovec	iov = { "0123456789", 10 };
	struct tls_span	plain, in;
	struct sv	out;
	char		copy[8192];
	bool		ok = false;
	int		i;

	pair_unveil();
	memset(&srv, 0, sizeof(srv));
	memset(&cli, 0, sizeof(cli));
	if (tls_engine_server(&srv.e, pair_server, pair_scratch) == -1 ||
	    tls_engine_client(&cli.e, pair_client, "ec.example",
	    pair_scratch) == -1)
		goto out;
	for (i = 0; i < 8; i++) {
		struct tls_engine	*a = i % 2 ? &srv.e : &cli.e;
		struct tls_engine	*b = i % 2 ? &cli.e : &srv.e;
		enum tls_step		 s;

		if (tls_engine_ready(a))
			tls_engine_seal(a, &iov, 1, true);
		out = tls_engine_output(a);
		if (out.n > sizeof(copy))
			goto out;
		memcpy(copy, out.p, out.n);
		/* Half is taken, the rest later. */
		if (tls_engine_sent(a, out.n / 2) == -1 ||
		    tls_engine_sent(a, out.n - out.n / 2) == -1)
			goto out;
		in = (struct tls_span){ copy, out.n / 3 };
		do
			s = tls_engine_feed(b, &in, &plain);
		while (s != TLS_MORE && s != TLS_FAILED);
		in = (struct tls_span){ copy + out.n / 3, out.n - out.n / 3 };
		do {
			s = tls_engine_feed(b, &in, &plain);
			ok |= s == TLS_DATA && plain.n == 10;
		} while (s != TLS_MORE && s != TLS_FAILED);
		if (s == TLS_FAILED) {
			ok = false;
			goto out;
		}
	}
	ok &= srv.e.subject != NULL;
out:
	pair_veil();
	pair_end(&srv, &cli);
	return ok;
}

TEST(without_memory)
{
	if (!pair_sides(false, TLS_CLIENT_REQUIRED, NULL))
		return;
	ALLOC_SWEEP(talk);
	pair_sides_free();
}

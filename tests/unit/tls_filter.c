/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS under connections of the loop, with peers at the other end of socket
 * pairs that are engines of their own, and with connections to ourselves.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <unistd.h>

#include "tests/unit/tls_pair.h"
#include "tls/filter.h"
#include "util/log.h"

static struct worker		*w;
static struct tls_worker	*tw;

/* A connection as the layer above sees it. */
struct up {
	struct conn	*c;
	char		*got;
	size_t		 ngot;
	int		 eofs, drained, closed, err;
	char		 why[200];
	/* What it does. */
	bool		 echo, pause, blink, close, close_drained, answer_eof;
	size_t		 take;	/* bytes to take in one call; 0: all */
};

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	struct up	*u = c->proto;
	char		*got;
	size_t		 take = u->take == 0 || u->take > n ? n : u->take;

	CHECK(c == u->c);
	if (n < u->take)
		return 0;
	if ((got = realloc(u->got, u->ngot + take + 1)) == NULL) {
		conn_close(c);
		return 0;
	}
	u->got = got;
	memcpy(u->got + u->ngot, p, take);
	u->ngot += take;
	u->got[u->ngot] = '\0';
	if (u->echo)
		conn_send_copy(c, p, take);
	memset(p, 'x', take);
	if (u->pause || u->blink)
		conn_pause(c);
	if (u->blink)
		conn_resume(c);
	if (u->close)
		conn_close(c);
	if (u->close_drained)
		conn_close_drained(c);
	return take;
}

static void
on_eof(struct conn *c)
{
	struct up *u = c->proto;

	u->eofs++;
	if (u->answer_eof)
		conn_send_copy(c, "late", 4);
}

static void
on_drained(struct conn *c)
{
	((struct up *)c->proto)->drained++;
}

static void
on_timer(struct conn *c)
{
	(void)c;
}

static void
on_close(struct conn *c)
{
	struct up *u = c->proto;

	u->closed++;
	u->err = c->err;
	snprintf(u->why, sizeof(u->why), "%s", conn_why(c));
	u->c = NULL;
}

static const struct conn_ops ops = {
	.on_read = on_read,
	.on_eof = on_eof,
	.on_drained = on_drained,
	.on_timer = on_timer,
	.on_close = on_close,
};

static bool
start(void)
{
	log_init(&(struct log_options){ .level = LOG_NONE });
	if ((w = worker_new(0)) == NULL)
		return false;
	if ((tw = tls_worker_new(w)) == NULL) {
		worker_free(w);
		return false;
	}
	return true;
}

static const struct tls_stats *
stats(void)
{
	return tls_worker_stats(tw);
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(stats()->open, 0);
	CHECK_INT(stats()->handshaking, 0);
	CHECK_INT(w->stats.conns_open, 0);
	CHECK_INT(w->ntimers, 0);
	tls_worker_free(tw);
	worker_free(w);
}

/* A peer: an engine at the other end of a socket pair. */
struct peer {
	struct up	u;	/* the connection's end */
	struct side	s;
	int		fd;
	bool		fin;	/* has seen the end */
};

static bool
peer_dial(struct peer *p, const char *host)
{
	int fd[2], small = 4096;

	memset(p, 0, sizeof(*p));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		return false;
	p->fd = fd[1];
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	p->u.c = conn_new(w, fd[0], NULL, &ops, &p->u);
	pair_unveil();
	if (p->u.c == NULL ||
	    tls_engine_client(&p->s.e, pair_client, host, pair_scratch) == -1)
		return false;
	pair_veil();
	return true;
}

/* Move what there is between engine and socket. */
static void
peer_move(struct peer *p)
{
	char	 buf[9000], *out;
	ssize_t	 n;
	size_t	 k;

	while (!p->fin && (n = read(p->fd, buf, sizeof(buf))) >= 0) {
		if (n == 0) {
			p->fin = true;
			break;
		}
		side_feed(&p->s, buf, (size_t)n);
	}
	out = side_take(&p->s, &k);
	CHECK(k == 0 || p->fin ||
	    send(p->fd, out, k, MSG_NOSIGNAL) == (ssize_t)k);
	free(out);
}

static void
peer_put(struct peer *p, const char *text)
{
	size_t	 n;
	char	*out = side_seal(&p->s, text, strlen(text), &n);

	CHECK(n > 0 && write(p->fd, out, n) == (ssize_t)n);
	free(out);
}

static const char *
peer_got(struct peer *p)
{
	p->s.got = realloc(p->s.got, p->s.ngot + 1);
	p->s.got[p->s.ngot] = '\0';
	return p->s.got;
}

static void
turns(struct peer *p, int n)
{
	while (n-- > 0) {
		if (p != NULL)
			peer_move(p);
		worker_turn(w, 0);
		if (p != NULL)
			peer_move(p);
	}
}

static void
peer_end(struct peer *p)
{
	if (p->u.c != NULL)
		conn_close(p->u.c);
	worker_turn(w, 0);
	CHECK_INT(p->u.closed, 1);
	CHECK(p->u.c == NULL);
	close(p->fd);
	side_fini(&p->s);
	free(p->u.got);
}

/* A peer that has shaken hands. */
static bool
peer_open(struct peer *p)
{
	if (!CHECK(peer_dial(p, "ec.example")) ||
	    !CHECK(tls_accept(p->u.c, pair_server, tw) == 0))
		return false;
	turns(p, 6);
	return CHECK(p->s.opened == 1) && CHECK(stats()->open > 0);
}

#define BEGIN(auth)							\
	if (!pair_sides(false, (auth), NULL) || !CHECK(start()))	\
		return
#define END()								\
	do {								\
		stop();							\
		pair_sides_free();					\
	} while (0)

TEST(plaintext_both_ways)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	CHECK(tls_conn_is(p.u.c));
	CHECK_SV(tls_conn_subject(p.u.c), "");
	CHECK_INT(stats()->full, 1);
	CHECK_INT(stats()->handshaking, 0);
	p.u.echo = true;
	peer_put(&p, "hello");
	turns(&p, 2);
	CHECK_STR(p.u.got, "hello");
	CHECK_STR(peer_got(&p), "hello");
	CHECK_INT(w->stats.bytes_in, 5);
	CHECK_INT(w->stats.bytes_out, 5);
	/* In pieces that the layer above puts together. */
	p.u.take = 6;
	peer_put(&p, "abc");
	turns(&p, 1);
	CHECK_INT(p.u.c->in_n, 3);
	peer_put(&p, "def");
	turns(&p, 2);
	CHECK_STR(p.u.got, "helloabcdef");
	CHECK(p.u.c->in == NULL);
	CHECK_STR(peer_got(&p), "helloabcdef");
	peer_end(&p);
	END();
}

TEST(subject_of_the_client)
{
	struct peer p;

	BEGIN(TLS_CLIENT_REQUIRED);
	if (!peer_open(&p))
		return;
	CHECK_SV(tls_conn_subject(p.u.c), "CN=client.example,O=fugu tests");
	peer_end(&p);
	END();
}

TEST(a_plain_connection_is_none)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(!tls_conn_is(p.u.c));
	CHECK_SV(tls_conn_subject(p.u.c), "");
	peer_end(&p);
	CHECK_STR(p.u.why, "connection closed");
	END();
}

TEST(output_waits_for_the_handshake_without_spinning)
{
	struct peer	p;
	int64_t		since;

	BEGIN(TLS_CLIENT_NONE);
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	conn_send_copy(p.u.c, "welcome", 7);
	worker_turn(w, 0);
	since = clock_mono_ms();
	worker_turn(w, 60);
	CHECK(clock_mono_ms() - since >= 50);
	CHECK_INT(p.u.c->out_bytes, 7);
	CHECK(p.u.c->blocked);
	turns(&p, 6);
	CHECK_STR(peer_got(&p), "welcome");
	CHECK_INT(p.u.drained, 1);
	CHECK(!p.u.c->blocked);
	since = clock_mono_ms();
	worker_turn(w, 60);
	CHECK(clock_mono_ms() - since >= 50);
	peer_end(&p);
	END();
}

TEST(bulk_over_a_small_socket)
{
	static char	data[3000000];
	struct blob    *b;
	struct peer	p;
	size_t		i, n;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)pair_random(256);
	for (i = 0; i < sizeof(data); i += n) {
		n = 1 + pair_random(60000);
		if (n > sizeof(data) - i)
			n = sizeof(data) - i;
		b = blob_new(n);
		memcpy(b->data, data + i, n);
		CHECK_INT(conn_send(p.u.c, b), 0);
	}
	worker_turn(w, 0);
	CHECK(p.u.c->blocked);
	for (i = 0; i < 3000 && p.s.ngot < sizeof(data); i++)
		turns(&p, 1);
	CHECK_INT(p.s.ngot, sizeof(data));
	CHECK(p.s.got != NULL && memcmp(p.s.got, data, p.s.ngot) == 0);
	turns(&p, 1);
	CHECK_INT(p.u.drained, 1);
	CHECK(!p.u.c->blocked);
	peer_end(&p);
	END();
}

TEST(paused_input_is_kept_and_comes_again)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	p.u.pause = true;
	peer_put(&p, "one,");
	peer_put(&p, "two,");
	turns(&p, 1);
	CHECK_STR(p.u.got, "one,");
	peer_put(&p, "three");
	/* And the end, which must not overtake. */
	side_finish(&p.s);
	turns(&p, 3);
	CHECK_STR(p.u.got, "one,");
	CHECK_INT(p.u.eofs, 0);
	conn_resume(p.u.c);
	turns(&p, 2);
	CHECK_STR(p.u.got, "one,two,three");
	CHECK_INT(p.u.eofs, 0);
	p.u.pause = false;
	conn_resume(p.u.c);
	turns(&p, 2);
	CHECK_INT(p.u.eofs, 1);
	peer_end(&p);
	END();
}

TEST(an_end_waits_for_paused_input)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	p.u.pause = true;
	peer_put(&p, "one,");
	peer_put(&p, "two");
	side_finish(&p.s);
	turns(&p, 2);
	CHECK_STR(p.u.got, "one,");
	CHECK_INT(p.u.eofs, 0);
	p.u.pause = false;
	conn_resume(p.u.c);
	turns(&p, 1);
	CHECK_STR(p.u.got, "one,two");
	CHECK_INT(p.u.eofs, 1);
	peer_end(&p);
	END();
}

/* As when a request is answered at once and the next one waits. */
TEST(an_end_waits_for_input_that_comes_again)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	p.u.pause = true;
	p.u.take = 4;
	peer_put(&p, "one,two,tri,");
	side_finish(&p.s);
	turns(&p, 2);
	CHECK_STR(p.u.got, "one,");
	p.u.pause = false;
	p.u.blink = true;
	conn_resume(p.u.c);
	turns(&p, 1);
	CHECK_STR(p.u.got, "one,two,");
	CHECK_INT(p.u.eofs, 0);
	turns(&p, 3);
	CHECK_STR(p.u.got, "one,two,tri,");
	CHECK_INT(p.u.eofs, 1);
	peer_end(&p);
	END();
}

TEST(a_pause_does_not_stop_the_handshake)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	conn_pause(p.u.c);
	conn_send_copy(p.u.c, "welcome", 7);
	turns(&p, 6);
	CHECK_STR(peer_got(&p), "welcome");
	peer_put(&p, "hello");
	turns(&p, 2);
	CHECK_INT(p.u.ngot, 0);
	conn_resume(p.u.c);
	turns(&p, 2);
	CHECK_STR(p.u.got, "hello");
	peer_end(&p);
	END();
}

/* ---- ends ---- */

TEST(close_says_so_after_the_output)
{
	struct peer	p;
	int		i;

	BEGIN(TLS_CLIENT_NONE);
	for (i = 0; i < 2; i++) {
		test_note(i == 0 ? "conn_close" : "conn_close_drained");
		if (!peer_open(&p))
			return;
		p.u.echo = true;
		p.u.close = i == 0;
		p.u.close_drained = i == 1;
		peer_put(&p, "bye");
		turns(&p, 3);
		CHECK_STR(peer_got(&p), "bye");
		CHECK_INT(p.s.eofs, 1);
		CHECK(p.fin);
		if (i == 1) {
			CHECK_INT(p.u.closed, 0);
			shutdown(p.fd, SHUT_WR);
			turns(&p, 1);
		}
		CHECK_INT(p.u.closed, 1);
		CHECK_INT(p.u.err, 0);
		CHECK_STR(p.u.why, "connection closed");
		peer_end(&p);
	}
	END();
}

TEST(close_drained_with_much_output)
{
	static char	big[300000];
	struct peer	p;
	int		i;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	conn_send_copy(p.u.c, big, sizeof(big));
	conn_close_drained(p.u.c);
	for (i = 0; i < 500 && !p.fin; i++)
		turns(&p, 1);
	CHECK_INT(p.s.ngot, sizeof(big));
	CHECK_INT(p.s.eofs, 1);
	CHECK(p.fin);
	peer_end(&p);
	END();
}

TEST(the_peers_close_notify_is_its_end)
{
	struct peer	p;
	char		buf[200];
	ssize_t		n;
	size_t		data;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	p.u.echo = p.u.answer_eof = true;
	peer_put(&p, "question");
	side_finish(&p.s);
	peer_move(&p);
	worker_turn(w, 0);
	CHECK_INT(p.u.eofs, 1);
	/* The answer to what it asked just before, our close_notify, and
	 * nothing of what came later. */
	n = read(p.fd, buf, sizeof(buf));
	data = 5 + (uint8_t)buf[4];
	CHECK_INT(buf[0], TLS_REC_DATA);
	CHECK(data >= 5 + 8 + 16);
	CHECK_INT(buf[data], TLS_REC_ALERT);
	CHECK_INT(n, data + 5 + (uint8_t)buf[data + 4]);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, EPIPE);
	peer_end(&p);
	END();
}

TEST(a_fin_without_it_is_an_error)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	shutdown(p.fd, SHUT_WR);
	turns(&p, 1);
	CHECK_INT(p.u.eofs, 0);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, ECONNRESET);
	CHECK(strstr(p.u.why, "cut off") != NULL);
	CHECK_INT(stats()->failed[TLS_FAIL_CLOSED], 0);
	peer_end(&p);
	END();
}

TEST(garbage_after_the_handshake)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	CHECK_INT(write(p.fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	turns(&p, 1);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, EPROTO);
	CHECK_STR(p.u.why, "what came is not TLS");
	CHECK_INT(p.s.ngot, 0);
	peer_end(&p);
	END();
}

/* ---- handshakes that come to nothing ---- */

TEST(plain_http_gets_an_answer)
{
	struct peer	p;
	char		buf[400] = "";

	BEGIN(TLS_CLIENT_NONE);
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	conn_send_copy(p.u.c, "secret", 6);
	CHECK_INT(write(p.fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27), 27);
	turns(NULL, 2);
	CHECK(read(p.fd, buf, sizeof(buf) - 1) > 0);
	CHECK(strncmp(buf, "HTTP/1.1 400 Bad Request\r\n", 26) == 0);
	CHECK(strstr(buf, "https://") != NULL);
	CHECK(strstr(buf, "secret") == NULL);
	CHECK_INT(read(p.fd, buf, 1), 0);
	CHECK_INT(p.u.closed, 0);
	shutdown(p.fd, SHUT_WR);
	turns(NULL, 1);
	CHECK_INT(p.u.closed, 1);
	CHECK(strstr(p.u.why, "not TLS") != NULL);
	CHECK_INT(stats()->failed[TLS_FAIL_NOT_TLS], 1);
	peer_end(&p);
	END();
}

TEST(failures_are_counted_and_told)
{
	struct peer p;

	BEGIN(TLS_CLIENT_NONE);
	/* The client refuses us. */
	CHECK(peer_dial(&p, "ec.example"));
	tls_client_unref(pair_client);
	pair_client = tls_client_new(&(struct tls_client_options){
	    .insecure_skip_verify = true });
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	CHECK_INT(write(p.fd, "\x16\x03\x01\x00\x04", 5), 5);
	turns(NULL, 1);
	CHECK_INT(stats()->handshaking, 1);
	close(p.fd);
	p.fd = dup(0);
	turns(NULL, 1);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, ECONNRESET);
	CHECK_INT(stats()->failed[TLS_FAIL_CLOSED], 1);
	CHECK_INT(stats()->handshaking, 0);
	peer_end(&p);
	/* The layer above closes. */
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	conn_close_drained(p.u.c);
	turns(NULL, 1);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(stats()->failed[TLS_FAIL_CLOSED], 2);
	peer_end(&p);
	END();
}

TEST(an_alert_reaches_the_peer)
{
	struct peer p;

	if (!pair_sides(true, TLS_CLIENT_NONE, NULL) || !CHECK(start()))
		return;
	/* Demands a certificate that the client does not have. */
	tls_server_unref(pair_server);
	tls_client_unref(pair_client);
	pair_client = tls_client_new(&(struct tls_client_options){
	    .insecure_skip_verify = true });
	pair_server = tls_server_new(&(struct tls_server_options){
	    .ncred = 0 });
	CHECK(peer_dial(&p, "rsa.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	turns(&p, 3);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, EPROTO);
	CHECK_INT(stats()->failed[TLS_FAIL_NO_CERT], 1);
	CHECK_INT(p.s.last, TLS_FAILED);
	CHECK_INT(p.s.e.failure, TLS_FAIL_ALERT);
	peer_end(&p);
	END();
}

/* It does, though the peer is not done with what it has to say. */
TEST(a_refused_client_is_heard_out)
{
	struct peer	p;
	char	       *flight;
	size_t		n, first;

	BEGIN(TLS_CLIENT_REQUIRED);
	tls_client_unref(pair_client);
	pair_client = tls_client_new(&(struct tls_client_options){
	    .insecure_skip_verify = true });
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	conn_send_copy(p.u.c, "secret", 6);
	peer_move(&p);
	worker_turn(w, 0);
	flight = malloc(9000);
	n = (size_t)read(p.fd, flight, 9000);
	side_feed(&p.s, flight, n);
	free(flight);
	flight = side_take(&p.s, &n);
	/* Its first record says that it has none. */
	CHECK_INT(flight[0], TLS_REC_HANDSHAKE);
	first = 5 + (size_t)(uint8_t)flight[4];
	CHECK(n > first + 2);
	CHECK(write(p.fd, flight, first) == (ssize_t)first);
	turns(NULL, 2);
	CHECK_INT(stats()->failed[TLS_FAIL_CLIENT_CERT], 1);
	CHECK_INT(stats()->handshaking, 0);
	CHECK_INT(p.u.closed, 0);
	CHECK(send(p.fd, flight + first, n - first, MSG_NOSIGNAL) ==
	    (ssize_t)(n - first));
	free(flight);
	turns(&p, 2);
	CHECK_INT(p.s.e.failure, TLS_FAIL_ALERT);
	CHECK_INT(p.s.ngot, 0);
	CHECK(p.fin);
	shutdown(p.fd, SHUT_WR);
	turns(&p, 1);
	CHECK_INT(p.u.closed, 1);
	CHECK_INT(p.u.err, EPROTO);
	CHECK(strstr(p.u.why, "no certificate") != NULL);
	peer_end(&p);
	END();
}

TEST(a_handshake_has_its_time)
{
	static const char	hello[] = "\x16\x03\x01\x02\x00";
	struct peer		p, q;
	int64_t			since;
	int			n = 0;

	BEGIN(TLS_CLIENT_NONE);
	tls_worker_limit(tw, 100, 10);
	if (!peer_open(&q))
		return;
	CHECK(peer_dial(&p, "ec.example"));
	CHECK(tls_accept(p.u.c, pair_server, tw) == 0);
	since = clock_mono_ms();
	while (p.u.closed == 0 && clock_mono_ms() - since < 3000) {
		/* A byte now and then does not help. */
		(void)!write(p.fd, &hello[n < 4 ? n++ : 4], 1);
		worker_turn(w, 0);
		usleep(5000);
	}
	CHECK(clock_mono_ms() - since >= 99);
	CHECK_INT(stats()->failed[TLS_FAIL_TIMEOUT], 1);
	CHECK_STR(p.u.why, "the handshake took too long");
	CHECK_INT(q.u.closed, 0);
	peer_end(&p);
	peer_end(&q);
	END();
}

TEST(too_many_handshakes_drop_the_oldest)
{
	struct peer	p[5], q;
	int		i;

	BEGIN(TLS_CLIENT_NONE);
	tls_worker_limit(tw, 10000, 3);
	for (i = 0; i < 5; i++) {
		CHECK(peer_dial(&p[i], "ec.example"));
		CHECK(tls_accept(p[i].u.c, pair_server, tw) == 0);
		worker_turn(w, 0);
	}
	CHECK_INT(stats()->handshaking, 3);
	CHECK_INT(stats()->failed[TLS_FAIL_OVERLOAD], 2);
	CHECK_INT(p[0].u.closed, 1);
	CHECK_INT(p[1].u.closed, 1);
	CHECK_INT(p[2].u.closed, 0);
	CHECK(peer_open(&q));
	peer_end(&q);
	for (i = 0; i < 5; i++)
		peer_end(&p[i]);
	END();
}

/* A turn shakes some hands and leaves the rest to the next. */
TEST(handshakes_take_turns)
{
	static struct peer	p[40];
	size_t			i, round, done = 0;
	char		       *hello;
	int			avail;

	if (!pair_sides(true, TLS_CLIENT_NONE, NULL) || !CHECK(start()))
		return;
	for (i = 0; i < 40; i++) {
		size_t n;

		CHECK(peer_dial(&p[i], "rsa.example"));
		CHECK(tls_accept(p[i].u.c, pair_server, tw) == 0);
		hello = side_take(&p[i].s, &n);
		CHECK(write(p[i].fd, hello, n) == (ssize_t)n);
		free(hello);
	}
	for (round = 0; round < 200 && done < 40; round++) {
		worker_turn(w, 0);
		for (done = i = 0; i < 40; i++) {
			avail = 0;
			ioctl(p[i].fd, FIONREAD, &avail);
			done += avail > 0;
		}
		if (round == 0)
			CHECK(done > 0 && done < 40);
	}
	CHECK_INT(done, 40);
	for (i = 0; i < 40; i++)
		peer_end(&p[i]);
	END();
}

/* ---- under something that came before ---- */

static size_t
on_read_prefix(struct conn *c, char *p, size_t n)
{
	if (n < 7)
		return 0;
	CHECK(memcmp(p, "PROXY\r\n", 7) == 0);
	c->ops = &ops;
	CHECK(tls_accept(c, pair_server, tw) == 0);
	return 7;
}

TEST(what_follows_a_prefix_is_tls)
{
	static const struct conn_ops prefix = {
		.on_read = on_read_prefix,
		.on_eof = on_eof,
		.on_drained = on_drained,
		.on_timer = on_timer,
		.on_close = on_close,
	};
	struct peer	p;
	size_t		n, piece;
	char	       *hello;

	BEGIN(TLS_CLIENT_NONE);
	for (piece = 0; piece < 3; piece++) {
		CHECK(peer_dial(&p, "ec.example"));
		p.u.c->ops = &prefix;
		hello = side_take(&p.s, &n);
		CHECK_INT(write(p.fd, "PRO", 3), 3);
		if (piece == 0)
			worker_turn(w, 0);
		CHECK_INT(write(p.fd, "XY\r\n", 4), 4);
		if (piece == 1)
			worker_turn(w, 0);
		CHECK(write(p.fd, hello, n - 1) == (ssize_t)n - 1);
		worker_turn(w, 0);
		CHECK(write(p.fd, hello + n - 1, 1) == 1);
		free(hello);
		turns(&p, 5);
		CHECK_INT(p.s.opened, 1);
		p.u.echo = true;
		peer_put(&p, "hello");
		turns(&p, 2);
		CHECK_STR(peer_got(&p), "hello");
		peer_end(&p);
	}
	END();
}

/* ---- both ends ours ---- */

static struct up accepted;

static void
on_accept(struct conn *c, void *ctx)
{
	(void)ctx;
	memset(&accepted, 0, sizeof(accepted));
	accepted.c = c;
	accepted.echo = true;
	c->ops = &ops;
	c->proto = &accepted;
	if (tls_accept(c, pair_server, tw) == -1)
		conn_close(c);
}

static struct listener *
listen_on(struct addr *a)
{
	int fd;

	addr_parse(a, "127.0.0.1", 0, false);
	if ((fd = net_listen(a, false, 8)) == -1)
		return NULL;
	getsockname(fd, &a->sa, &a->len);
	return listener_new(w, fd, false, on_accept, NULL);
}

TEST(dialed)
{
	struct listener *l;
	struct addr	 a;
	struct up	 u = { .take = 0 };
	int		 i;

	BEGIN(TLS_CLIENT_NONE);
	if (!CHECK((l = listen_on(&a)) != NULL))
		return;
	u.c = conn_dial(w, &a, &ops, &u);
	if (!CHECK(u.c != NULL))
		return;
	CHECK_INT(tls_connect(u.c, pair_client, "127.0.0.1", tw), 0);
	conn_send_copy(u.c, "early", 5);
	for (i = 0; i < 100 && u.ngot < 5; i++)
		worker_turn(w, 10);
	CHECK_STR(u.got, "early");
	CHECK_INT(u.drained, 1);
	CHECK_INT(stats()->open, 2);
	conn_close(u.c);
	for (i = 0; i < 100 && accepted.eofs == 0; i++)
		worker_turn(w, 10);
	CHECK_INT(accepted.eofs, 1);
	conn_close(accepted.c);
	worker_turn(w, 0);
	CHECK_INT(accepted.closed, 1);
	free(u.got);
	free(accepted.got);
	/* A name that its certificate is not for. */
	memset(&u, 0, sizeof(u));
	u.c = conn_dial(w, &a, &ops, &u);
	CHECK_INT(tls_connect(u.c, pair_client, "other.example", tw), 0);
	conn_send_copy(u.c, "secret", 6);
	for (i = 0; i < 100 && (u.closed == 0 || accepted.closed == 0); i++)
		worker_turn(w, 10);
	CHECK_INT(u.err, EPROTO);
	CHECK(strstr(u.why, "other.example") != NULL);
	CHECK_INT(u.drained, 0);
	CHECK_INT(accepted.ngot, 0);
	listener_free(l);
	/* Nobody there. */
	memset(&u, 0, sizeof(u));
	u.c = conn_dial(w, &a, &ops, &u);
	if (u.c != NULL) {
		CHECK_INT(tls_connect(u.c, pair_client, "x.example", tw), 0);
		for (i = 0; i < 100 && u.closed == 0; i++)
			worker_turn(w, 10);
		CHECK_INT(u.err, ECONNREFUSED);
		CHECK_STR(u.why, log_strerror(ECONNREFUSED));
	}
	END();
}

/* ---- memory ---- */

TEST(an_idle_connection_is_small)
{
	size_t		before, each;
	struct peer	p;

	BEGIN(TLS_CLIENT_NONE);
	if (!peer_open(&p))
		return;
	peer_end(&p);
	before = heap();
	if (!peer_open(&p))
		return;
	each = heap() - before - sizeof(br_ssl_client_context);
	test_note("%zu bytes", each);
	CHECK(each <= sizeof(br_ssl_server_context) + sizeof(struct conn) +
	    160 + HEAP_ROUNDS);
	peer_end(&p);
	CHECK_INT(heap(), before);
	END();
}

static bool
talk(void)
{
	struct addr	 a;
	struct listener *l = NULL;
	struct up	 u = { .take = 0 };
	int		 i;
	bool		 ok = false;

	if (!start())
		return false;
	memset(&accepted, 0, sizeof(accepted));
	if ((l = listen_on(&a)) == NULL ||
	    (u.c = conn_dial(w, &a, &ops, &u)) == NULL)
		goto out;
	if (tls_connect(u.c, pair_client, "127.0.0.1", tw) == -1)
		goto out;
	conn_send_copy(u.c, "early", 5);
	for (i = 0; i < 30 && u.closed == 0 && u.ngot < 5; i++)
		worker_turn(w, accepted.closed ? 0 : 1);
	ok = u.ngot == 5;
out:
	listener_free(l);
	stop();
	free(u.got);
	free(accepted.got);
	return ok;
}

TEST(without_memory)
{
	if (!pair_sides(false, TLS_CLIENT_NONE, NULL))
		return;
	ALLOC_SWEEP(talk);
	pair_sides_free();
}

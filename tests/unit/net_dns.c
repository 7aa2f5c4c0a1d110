/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Names: messages and files by table, then queries to a name server that
 * the test plays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/dns.h"
#include "tests/unit/test.h"
#include "util/clock.h"

/* ---- messages ---- */

#define QUESTION_A	"\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\2bc\0\0\1\0\1"

TEST(question)
{
	unsigned char out[DNS_MESSAGE_MAX];

	CHECK_INT(dns_put_question(out, 0x1234, SV("a.bc"), DNS_A), 22);
	CHECK_SVEQ(sv_make(out, 22), SV(QUESTION_A));
	CHECK_INT(dns_put_question(out, 0x1234, SV("a.bc."), DNS_AAAA), 22);
	CHECK_INT(out[19], DNS_AAAA);
}

TEST(what_is_no_name)
{
	unsigned char	out[DNS_MESSAGE_MAX];
	char		name[300];

	CHECK_INT(dns_put_question(out, 0, SV(""), DNS_A), 0);
	CHECK_INT(dns_put_question(out, 0, SV("."), DNS_A), 0);
	CHECK_INT(dns_put_question(out, 0, SV(".a"), DNS_A), 0);
	CHECK_INT(dns_put_question(out, 0, SV("a..b"), DNS_A), 0);
	memset(name, 'a', sizeof(name));
	CHECK_INT(dns_put_question(out, 0, sv_make(name, 64), DNS_A), 0);
	CHECK_INT(dns_put_question(out, 0, sv_make(name, 63), DNS_A), 81);
	name[60] = name[120] = name[180] = name[240] = '.';
	CHECK_INT(dns_put_question(out, 0, sv_make(name, 253), DNS_A), 271);
	CHECK_INT(dns_put_question(out, 0, sv_make(name, 254), DNS_A), 0);
}

#define HEAD(id, flags, n) id flags "\0\1\0" n "\0\0\0\0"
#define NAME	"\1a\2bc\0\0\1\0\1"
#define IP(ip)	"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" ip
#define ALIAS	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\3\1b\0"

static const struct {
	struct sv	answer;
	enum dns_result	r;
	const char	*addrs;
} answers[] = {
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") NAME IP("\1\2\3\4")),
	    DNS_FOUND, "1.2.3.4:80 " },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\3") "\1A\2bC\0\0\1\0\1"
	    ALIAS IP("\1\2\3\4") "\1b\0\0\1\0\1\0\0\0\x3c\0\4\5\6\7\b"),
	    DNS_FOUND, "1.2.3.4:80 5.6.7.8:80 " },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\0") NAME), DNS_FOUND, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x83", "\0") NAME), DNS_NO_NAME, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x82", "\0") NAME), DNS_BROKEN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x85", "\0") NAME), DNS_BROKEN, "" },
	/* More announced than came: fine only if it says so. */
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\2") NAME IP("\1\2\3\4")),
	    DNS_BROKEN, "1.2.3.4:80 " },
	{ SV_INIT(HEAD("\x12\x34", "\x83\x80", "\2") NAME IP("\1\2\3\4")),
	    DNS_FOUND, "1.2.3.4:80 " },
	/* Other types, classes and lengths are passed over. */
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\3") NAME
	    "\xc0\x0c\0\1\0\3\0\0\0\x3c\0\4\1\1\1\1"
	    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\3\1\1\1"
	    "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\4\1\1\1\1"), DNS_FOUND, "" },
	/* Not ours. */
	{ SV_INIT(HEAD("\x12\x35", "\x81\x80", "\1") NAME IP("\1\2\3\4")),
	    DNS_FOREIGN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\1\x80", "\1") NAME IP("\1\2\3\4")),
	    DNS_FOREIGN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") "\1a\2bd\0\0\1\0\1"
	    IP("\1\2\3\4")), DNS_FOREIGN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") "\1a\2bc\0\0\x1c\0\1"
	    IP("\1\2\3\4")), DNS_FOREIGN, "" },
	{ SV_INIT("\x12\x34\x81\x80\0\2\0\1\0\0\0\0" NAME IP("\1\2\3\4")),
	    DNS_FOREIGN, "" },
	{ SV_INIT("\x12\x34\x81"), DNS_FOREIGN, "" },
	{ SV_INIT(""), DNS_FOREIGN, "" },
	/* Names that lead nowhere. */
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") NAME "\xc0"),
	    DNS_BROKEN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") NAME "\x3f" "abc"),
	    DNS_BROKEN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") NAME "\x80" "abc"),
	    DNS_BROKEN, "" },
	{ SV_INIT(HEAD("\x12\x34", "\x81\x80", "\1") NAME
	    "\xc0\x0c\0\1\0\1\0\0\0\x3c\xff\xff\1\2\3\4"), DNS_BROKEN, "" },
};

static void
check_addrs(const struct addr *v, size_t n, const char *want)
{
	char	text[ADDR_STRLEN], all[DNS_ADDRS * ADDR_STRLEN] = "";
	size_t	i;

	for (i = 0; i < n; i++) {
		strlcat(all, addr_format(&v[i], text), sizeof(all));
		strlcat(all, " ", sizeof(all));
	}
	CHECK_STR(all, want);
}

TEST(answers_by_table)
{
	struct addr	v[DNS_ADDRS];
	size_t		i, k, n;
	char		*p;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		test_note("row %zu", i);
		p = guard_dup(answers[i].answer);
		n = 0;
		CHECK_INT(dns_read_answer(sv_make(p, answers[i].answer.n),
		    SV(QUESTION_A), 80, v, &n), answers[i].r);
		check_addrs(v, n, answers[i].addrs);
		guard_free(p);
		for (k = 0; k < answers[i].answer.n; k++) {
			p = guard_dup(sv_make(answers[i].answer.p, k));
			n = 0;
			dns_read_answer(sv_make(p, k), SV(QUESTION_A), 80, v,
			    &n);
			guard_free(p);
		}
	}
}

TEST(more_addresses_than_room)
{
	struct addr	v[DNS_ADDRS];
	char		text[1024];
	size_t		n = 0, len = 22;
	int		i;

	memcpy(text, HEAD("\x12\x34", "\x81\x80", "\x14") NAME, len);
	for (i = 0; i < 20; i++, len += 16)
		memcpy(text + len, IP("\1\2\3\4"), 16);
	CHECK_INT(dns_read_answer(sv_make(text, len), SV(QUESTION_A), 80, v,
	    &n), DNS_FOUND);
	CHECK_INT(n, DNS_ADDRS);
}

/* ---- files ---- */

TEST(hosts)
{
	static const struct sv text = SV_INIT("# 1.1.1.1 x\n"
	    "127.0.0.1\tlocal  Db #c\n::1 local\n\nnonsense y\n"
	    "1.2.3.4 x.y x\r\n5.6.7.8 x ; 9");
	struct addr	v[DNS_ADDRS];

	check_addrs(v, dns_hosts_find(text, SV("local"), 1, v),
	    "127.0.0.1:1 [::1]:1 ");
	check_addrs(v, dns_hosts_find(text, SV("dB"), 1, v), "127.0.0.1:1 ");
	check_addrs(v, dns_hosts_find(text, SV("x"), 1, v),
	    "1.2.3.4:1 5.6.7.8:1 ");
	check_addrs(v, dns_hosts_find(text, SV("y"), 1, v), "");
	check_addrs(v, dns_hosts_find(text, SV("c"), 1, v), "");
	check_addrs(v, dns_hosts_find(text, SV("9"), 1, v), "");
	check_addrs(v, dns_hosts_find(text, SV("127.0.0.1"), 1, v), "");
	check_addrs(v, dns_hosts_find(SV(""), SV("x"), 1, v), "");
}

TEST(resolv_conf)
{
	struct dns_conf	c;

	dns_conf_read(&c, SV("domain z\nnameserver 1.2.3.4 # x\nnameserver"
	    "\nnameserver x\nnameserver ::1\nsearch a.b  c\t. d\n"
	    "options rotate ndots:5 ndots:x\nnameserver 2.2.2.2\n"
	    "nameserver 3.3.3.3\nfoo bar\n"), 53);
	check_addrs(c.server, c.nserver, "1.2.3.4:53 [::1]:53 2.2.2.2:53 ");
	CHECK_INT(c.ndots, 5);
	CHECK_INT(c.nsearch, 3);
	CHECK_SV(c.search[0], "a.b");
	CHECK_SV(c.search[1], "c");
	CHECK_SV(c.search[2], "d");
	dns_conf_read(&c, SV("search a b c d e f g h\noptions ndots:99"), 53);
	CHECK_INT(c.nsearch, DNS_SEARCH);
	CHECK_INT(c.ndots, 15);
	dns_conf_read(&c, SV(""), 53);
	check_addrs(c.server, c.nserver, "127.0.0.1:53 ");
	CHECK_INT(c.ndots, 1);
}

/* ---- queries ---- */

static struct worker	*w;
static int		 server = -1;	/* the name server's socket */
static char		 dir[64], hosts[96], resolv[96];
static struct dns_files	 files = { hosts, resolv, 0 };

static struct {
	int	calls;
	char	why[64];
	struct addr v[DNS_ADDRS];
	size_t	n;
} got;

/* How the name server behaves. */
static enum { ANSWER, SILENT, BROKEN, FORGED, NO_AAAA } manner;
static char	asked[512];	/* the names it was asked for, A only */
static int	questions;

static void
done(void *arg, const struct addr *v, size_t n, const char *why)
{
	CHECK(arg == &got);
	got.calls++;
	got.n = n;
	if (n > 0)
		memcpy(got.v, v, n * sizeof(*v));
	CHECK((n == 0) == (why != NULL));
	strlcpy(got.why, why == NULL ? "" : why, sizeof(got.why));
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (CHECK(f != NULL)) {
		fputs(text, f);
		fclose(f);
	}
}

static void
start(const char *conf)
{
	struct addr a;

	memset(&got, 0, sizeof(got));
	asked[0] = '\0';
	questions = 0;
	manner = ANSWER;
	w = worker_new(0);
	strlcpy(dir, "/tmp/fugu-dns.XXXXXX", sizeof(dir));
	CHECK(mkdtemp(dir) != NULL);
	snprintf(hosts, sizeof(hosts), "%s/hosts", dir);
	snprintf(resolv, sizeof(resolv), "%s/resolv.conf", dir);
	write_file(hosts, "9.9.9.9 known\n");
	write_file(resolv, conf);
	server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK_INT(addr_parse(&a, "127.0.0.1", 0, false), 0);
	CHECK_INT(bind(server, &a.sa, a.len), 0);
	CHECK_INT(getsockname(server, &a.sa, &a.len), 0);
	files.port = ntohs(a.in.sin_port);
}

static void
stop(void)
{
	worker_close_conns(w);
	CHECK_INT(w->stats.conns_open, 0);
	worker_free(w);
	close(server);
	unlink(hosts);
	unlink(resolv);
	rmdir(dir);
}

/* "a.b" of a question. */
static void
name_of(const unsigned char *p, char *out)
{
	for (p += 12; *p != 0; p += *p + 1) {
		memcpy(out, p + 1, *p);
		out += *p;
		*out++ = '.';
	}
	*out = '\0';
}

/* Answer one question: names that begin with "no" don't exist; any other
 * has 10.0.0.1 and ::2. */
static void
serve(void)
{
	struct addr	from = { .len = sizeof(from.in6) };
	unsigned char	m[1024];
	char		name[300];
	ssize_t		n;
	bool		aaaa;

	n = recvfrom(server, m, sizeof(m), 0, &from.sa, &from.len);
	if (n < 16)
		return;
	questions++;
	name_of(m, name);
	aaaa = m[n - 3] == DNS_AAAA;
	if (!aaaa) {
		strlcat(asked, name, sizeof(asked));
		strlcat(asked, " ", sizeof(asked));
	}
	if (manner == SILENT)
		return;
	m[2] |= 0x80;
	if (manner == FORGED) {
		m[0] ^= 1;
		sendto(server, "", 0, 0, &from.sa, from.len);
	}
	if (manner == BROKEN || (manner == NO_AAAA && aaaa)) {
		m[3] = 2;
	} else if (strncmp(name, "no", 2) == 0) {
		m[3] = 3;
	} else {
		m[7] = 1;
		memcpy(m + n, "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x0a\0\0\1", 16);
		if (aaaa) {
			memset(m + n + 12, 0, 16);
			m[n + 3] = DNS_AAAA;
			m[n + 11] = 16;
			m[n + 27] = 2;
			n += 12;
		}
		n += 16;
	}
	sendto(server, m, (size_t)n, 0, &from.sa, from.len);
}

/* Resolve, with the server at work; how long it took. */
static int64_t
resolve(const char *name)
{
	int64_t begin = clock_mono_ms();

	CHECK(dns_resolve(w, sv_from(name), 80, &files, done, &got) != NULL);
	CHECK_INT(got.calls, 0);
	while (got.calls == 0 && clock_mono_ms() < begin + 9000) {
		worker_turn(w, 5);
		serve();
		serve();
	}
	CHECK_INT(got.calls, 1);
	worker_turn(w, 0);
	return clock_mono_ms() - begin;
}

#define LOCAL	"nameserver 127.0.0.1\n"

TEST(numeric_and_known_names_need_no_server)
{
	start(LOCAL);
	resolve("127.0.0.2");
	check_addrs(got.v, got.n, "127.0.0.2:80 ");
	got.calls = 0;
	resolve("[::1]");
	check_addrs(got.v, got.n, "[::1]:80 ");
	got.calls = 0;
	resolve("KNOWN");
	check_addrs(got.v, got.n, "9.9.9.9:80 ");
	CHECK_INT(questions, 0);
	stop();
}

TEST(asks_the_server)
{
	start(LOCAL);
	resolve("example.org");
	check_addrs(got.v, got.n, "10.0.0.1:80 [::2]:80 ");
	CHECK_STR(asked, "example.org. ");
	CHECK_INT(questions, 2);
	stop();
}

TEST(no_such_host)
{
	start(LOCAL);
	resolve("no.example.org");
	CHECK_STR(got.why, "no such host");
	CHECK_INT(questions, 2);
	stop();
}

TEST(search_list)
{
	start(LOCAL "search no1 b\noptions ndots:2\n");
	resolve("no");
	CHECK_STR(asked, "no.no1. no.b. no. ");
	CHECK_STR(got.why, "no such host");
	got.calls = 0;
	asked[0] = '\0';
	resolve("no.a.b");
	CHECK_STR(asked, "no.a.b. no.a.b.no1. no.a.b.b. ");
	got.calls = 0;
	asked[0] = '\0';
	resolve("no.");
	CHECK_STR(asked, "no. ");
	got.calls = 0;
	asked[0] = '\0';
	resolve("x.y");
	CHECK_STR(asked, "x.y.no1. ");
	CHECK_INT(got.n, 2);
	stop();
}

TEST(server_that_cant_say)
{
	start(LOCAL);
	manner = BROKEN;
	resolve("example.org");
	CHECK_STR(got.why, "no answer from the name servers");
	CHECK_INT(questions, 6);
	stop();
}

TEST(server_that_fails_for_ipv6)
{
	start(LOCAL);
	manner = NO_AAAA;
	CHECK(resolve("example.org") < 390);
	check_addrs(got.v, got.n, "10.0.0.1:80 ");
	stop();
}

/* Silence is met with patience, which has an end. */
TEST(silent_server)
{
	int64_t ms;

	start(LOCAL);
	manner = SILENT;
	ms = resolve("example.org");
	CHECK(ms >= 2800 && ms < 8000);
	CHECK_STR(got.why, "no answer from the name servers");
	CHECK_STR(asked, "example.org. example.org. example.org. ");
	stop();
}

TEST(second_server_takes_over)
{
	int64_t ms;

	/* Nobody listens on 127.0.0.9, which is told at once. */
	start("nameserver 127.0.0.9\n" LOCAL);
	ms = resolve("example.org");
	CHECK(ms < 390);
	CHECK_INT(got.n, 2);
	stop();
}

TEST(forged_answers_are_passed_over)
{
	start(LOCAL);
	manner = FORGED;
	resolve("example.org");
	CHECK_INT(got.n, 0);
	stop();
}

TEST(names_that_are_none)
{
	char	name[300];

	start(LOCAL);
	resolve("a..b");
	CHECK_STR(got.why, "not a host name");
	got.calls = 0;
	resolve("");
	CHECK_STR(got.why, "not a host name");
	got.calls = 0;
	memset(name, 'a', sizeof(name));
	name[299] = '\0';
	resolve(name);
	CHECK_STR(got.why, "not a host name");
	CHECK_INT(questions, 0);
	stop();
}

TEST(cancelled)
{
	struct dns_query	*q;
	int			 i;

	start(LOCAL);
	q = dns_resolve(w, SV("example.org"), 80, &files, done, &got);
	dns_cancel(q);
	q = dns_resolve(w, SV("127.0.0.1"), 80, &files, done, &got);
	dns_cancel(q);
	q = dns_resolve(w, SV("example.org"), 80, &files, done, &got);
	worker_turn(w, 5);
	serve();
	dns_cancel(q);
	for (i = 0; i < 10; i++)
		worker_turn(w, 5);
	CHECK_INT(got.calls, 0);
	stop();
}

static bool
sweep_query(void)
{
	struct dns_query	*q;
	bool			 ok;
	int			 i;

	memset(&got, 0, sizeof(got));
	q = dns_resolve(w, SV("example.org"), 80, &files, done, &got);
	if (q == NULL)
		return false;
	for (i = 0; i < 20 && got.calls == 0; i++) {
		worker_turn(w, 5);
		serve();
		serve();
	}
	ok = got.n == 2;
	if (got.calls == 0)
		dns_cancel(q);
	worker_turn(w, 0);
	return ok;
}

TEST(allocation_sweep)
{
	start(LOCAL);
	ALLOC_SWEEP(sweep_query);
	stop();
}

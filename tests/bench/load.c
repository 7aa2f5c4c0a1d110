/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The load generator: opens subscribers, then does what it is told in this
 * order: look at the memory and sit idle (-i), publish at a fixed rate (-r),
 * publish as fast as the server answers (-f). Or one scene by itself:
 * subscribers that drop and come back having missed messages (-S), subscribe
 * and unsubscribe over some connections (-u), publications that are kept
 * (-m), publications to as many channels that expire (-x), handshakes (-H).
 * Prints one "figure value" a line. CPU is the server's (-P), never this
 * program's, except for "busy": whether this program was the bottleneck.
 *
 * Subscribers speak TLS 1.2 (-T, -G group, -h name of the server; -3: 1.3;
 * -F: never resume a session) and come in by -W: ws, ws-pb, sse, http,
 * http-pb, uni-ws, uni-sse, uni-http (these with a token, -j).
 *
 * usage: load [-3FJMpTz] [-A port of the API] [-a port] [-c channels]
 *     [-f publishers] [-G group] [-H seconds] [-h name] [-i seconds]
 *     [-j token] [-K publishers] [-k apikey] [-m publications] [-N prefix]
 *     [-n subscribers] [-P pid] [-r rate] [-S missed] [-s size] [-t seconds]
 *     [-u connections] [-W way] [-w seconds] [-x channels]
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define LIFETIME	180	/* seconds; then SIGALRM, whatever happens */
#define OPTIONS		"3A:a:c:Ff:G:H:h:i:Jj:K:k:Mm:N:n:P:pr:S:s:Tt:u:W:w:x:z"

struct plan {
	unsigned	idle, publishers, flood;
	unsigned	missed, churn, keep, expire;
	double		rate, seconds, warmup, shakes;
	bool		memory;
};

struct load load = {
	.apikey = "bench", .prefix = "", .nchan = 1, .size = 128,
	.ordered = true, .tls.group = "X25519:P-256:P-384",
	.tls.name = "ec256.example"
};
static volatile sig_atomic_t go;

uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC + (uint64_t)t.tv_nsec;
}

void
loop_add(struct ev *ev, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = ev };

	if (epoll_ctl(load.ep, EPOLL_CTL_ADD, ev->fd, &e) == -1)
		err(1, "epoll_ctl");
}

/* Handle what is ready; if nothing is, wait for it, but not past until. */
void
loop_turn(uint64_t until)
{
	struct epoll_event e[256];
	uint64_t now = now_ns();
	struct ev *ev;
	int i, n, ms;

	ms = until > now ? (int)((until - now + 999999) / 1000000) : 0;
	if ((n = epoll_wait(load.ep, e, 256, ms)) == -1 && errno != EINTR)
		err(1, "epoll_wait");
	for (i = 0; i < n; i++) {
		ev = e[i].data.ptr;
		ev->on_ready(ev, e[i].events);
	}
}

/*
 * A connection to the server, reset when it is closed so that no port has
 * to wait. On loopback connect() does not block.
 */
int
dial(const struct sockaddr_in *to, const struct in_addr *source)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct linger reset = { .l_onoff = 1 };
	int fd, on = 1;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (source != NULL) {
		from.sin_addr = *source;
		if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1)
			err(1, "bind");
	}
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1)
		err(1, "connect");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		err(1, "fcntl");
	return fd;
}

void
pause_for(double seconds)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * NSEC);

	while (now_ns() < end)
		loop_turn(end);
}

struct span
span_begin(void)
{
	struct rusage ru;
	struct span s;

	getrusage(RUSAGE_SELF, &ru);
	s.self = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * NSEC +
	    (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
	s.wall = now_ns();
	s.cpu = cpu_read();
	return s;
}

void
span_add(struct span *sum, const struct span *from)
{
	struct span s = span_begin();

	sum->self += s.self - from->self;
	sum->wall += s.wall - from->wall;
	sum->cpu.ns += s.cpu.ns - from->cpu.ns;
	sum->cpu.user += s.cpu.user - from->cpu.user;
	sum->cpu.sys += s.cpu.sys - from->cpu.sys;
}

static struct span
span_end(const struct span *from)
{
	struct span s = {0};

	span_add(&s, from);
	return s;
}

void
report_cpu(const char *name, const struct span *s, double n)
{
	double us = (double)s->cpu.ns / 1000 / n;
	double ticks = (double)(s->cpu.user + s->cpu.sys);
	double user = ticks > 0 ? (double)s->cpu.user / ticks : 0;

	printf("%s_cpu_us %.3f\n", name, us);
	printf("%s_user_us %.3f\n", name, us * user);
	printf("%s_sys_us %.3f\n", name, us * (1 - user));
	printf("%s_busy_server %.3f\n", name, (double)s->cpu.ns /
	    (double)s->wall);
	printf("%s_busy_load %.3f\n", name, (double)s->self /
	    (double)s->wall);
}

static void
do_open(void)
{
	struct span s = span_begin();

	subs_open();
	s = span_end(&s);
	printf("connect_per_s %.0f\n", load.nsub * (double)NSEC /
	    (double)s.wall);
	report_cpu("connect", &s, load.nsub);
}

/* Open, and look at the memory before and after. */
static void
do_memory(void)
{
	struct mem a = mem_read(), b;

	do_open();
	pause_for(1);
	b = mem_read();
	printf("rss_start %.0f\n", (double)a.rss);
	printf("rss_conn %.0f\n", ((double)b.rss - (double)a.rss) / load.nsub);
	printf("pss_conn %.0f\n", ((double)b.pss - (double)a.pss) / load.nsub);
	printf("private_conn %.0f\n", ((double)b.priv - (double)a.priv) /
	    load.nsub);
	printf("kernel_conn %.0f\n", ((double)b.kernel - (double)a.kernel) /
	    load.nsub);
}

/* The same, and when told by SIGUSR1 sit for a while. */
static void
do_idle(unsigned seconds)
{
	struct span s;

	do_memory();
	printf("open 1\n");
	fflush(stdout);
	while (!go)
		loop_turn(now_ns() + NSEC);
	load.pings = 0;
	s = span_begin();
	pause_for(seconds);
	s = span_end(&s);
	report_cpu("idle", &s, (double)load.nsub * seconds);
	printf("idle_pings %.3f\n", (double)load.pings / load.nsub);
}

static void
do_rate(const struct plan *p)
{
	uint64_t bytes, n, zipped;
	struct span s;

	pubs_open(p->publishers);
	pubs_run(p->rate, p->warmup);
	hist_reset(&load.lat);
	bytes = load.bytes;
	zipped = load.zipped;
	n = load.received;
	s = span_begin();
	pubs_run(p->rate, p->seconds);
	s = span_end(&s);
	n = load.received - n;
	report_cpu("deliver", &s, (double)n);
	printf("delivered %.0f\n", (double)n);
	if (load.deflate && load.zipped - zipped != n)
		errx(1, "not all messages were compressed");
	printf("message_bytes %.1f\n", (double)(load.bytes - bytes) /
	    (double)n);
	printf("stretch %.3f\n", (double)s.wall / NSEC / p->seconds);
	printf("p50_ms %.3f\n", (double)hist_quantile(&load.lat, .5) / 1e6);
	printf("p99_ms %.3f\n", (double)hist_quantile(&load.lat, .99) / 1e6);
	printf("max_ms %.3f\n", (double)load.lat.max / 1e6);
}

static void
do_flood(const struct plan *p)
{
	struct span s;
	uint64_t n;

	pubs_open(p->flood);
	pubs_run(0, p->warmup);
	s = span_begin();
	n = pubs_run(0, p->seconds);
	s = span_end(&s);
	printf("publish_per_s %.0f\n", (double)n * NSEC / (double)s.wall);
	report_cpu("publish", &s, (double)n);
}

static void
on_usr1(int sig)
{
	(void)sig;
	go = 1;
}

static unsigned
number(const char *s, unsigned min)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*end != '\0' || v < min || v > 1000000)
		errx(64, "not a number to use: %s", s);
	return (unsigned)v;
}

static void
add_pid(const char *s)
{
	if (load.npid == sizeof(load.pid) / sizeof(load.pid[0]))
		errx(64, "too many processes");
	load.pid[load.npid++] = (pid_t)number(s, 1);
}

static void
set_port(struct sockaddr_in *to, const char *port)
{
	to->sin_port = htons((uint16_t)number(port, 1));
}

/* What there is to do. */
static bool
plan_option(struct plan *p, int c)
{
	switch (c) {
	case 'f': p->flood = number(optarg, 1); break;
	case 'H': p->shakes = atof(optarg); break;
	case 'i': p->idle = number(optarg, 1); break;
	case 'K': p->publishers = number(optarg, 1); break;
	case 'M': p->memory = true; break;
	case 'm': p->keep = number(optarg, 1); break;
	case 'r': p->rate = atof(optarg); break;
	case 'S': p->missed = number(optarg, 1); break;
	case 't': p->seconds = atof(optarg); break;
	case 'u': p->churn = number(optarg, 1); break;
	case 'w': p->warmup = atof(optarg); break;
	case 'x': p->expire = number(optarg, 1); break;
	default: return false;
	}
	return true;
}

/* Against whom, and how. */
static void
load_option(int c)
{
	switch (c) {
	case '3': load.tls.v13 = true; break;
	case 'A': set_port(&load.api, optarg); break;
	case 'a': set_port(&load.addr, optarg); break;
	case 'c': load.nchan = number(optarg, 1); break;
	case 'F': load.tls.full = true; break;
	case 'G': load.tls.group = optarg; break;
	case 'h': load.tls.name = optarg; break;
	case 'J': load.prose = true; break;
	case 'j': load.token = optarg; break;
	case 'k': load.apikey = optarg; break;
	case 'N': load.prefix = optarg; break;
	case 'n': load.nsub = number(optarg, 0); break;
	case 'P': add_pid(optarg); break;
	case 'p': load.dialect = PLAIN; break;
	case 's': load.size = number(optarg, 53); break;
	case 'T': load.tls.on = true; break;
	case 'W': load.way = way_find(optarg); break;
	case 'z': load.deflate = true; break;
	default: errx(64, "see the top of load.c");
	}
}

static void
options(struct plan *p, int argc, char *argv[])
{
	int c;

	load.way = way_find("ws");
	while ((c = getopt(argc, argv, OPTIONS)) != -1)
		if (!plan_option(p, c))
			load_option(c);
	if (load.api.sin_port == 0)
		load.api.sin_port = load.addr.sin_port;
	if (load.size > 16384 || load.nsub % load.nchan != 0)
		errx(64, "at most 16384 bytes, equal channels");
	if (load.way->one_way && (load.token == NULL || load.nchan != 1))
		errx(64, "one-way clients need a token for one channel");
}

static void
act(const struct plan *p)
{
	if (p->missed > 0)
		do_storm(p->missed);
	else if (p->churn > 0)
		do_churn(p->churn, p->seconds);
	else if (p->keep > 0)
		do_keep(p->keep);
	else if (p->expire > 0)
		do_expire(p->expire);
	else if (p->shakes > 0)
		do_shakes(p->shakes);
	else if (p->idle > 0)
		do_idle(p->idle);
	else if (p->memory)
		do_memory();
	else if (load.nsub > 0)
		do_open();
	pause_for(.2);
	if (p->rate > 0)
		do_rate(p);
	else if (p->flood > 0)
		do_flood(p);
}

int
main(int argc, char *argv[])
{
	struct plan plan = { .publishers = 1, .seconds = 3, .warmup = .5 };
	struct rlimit lim;

	alarm(LIFETIME);
	load.addr.sin_family = load.api.sin_family = AF_INET;
	load.addr.sin_addr.s_addr = load.api.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK);
	options(&plan, argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	if (signal(SIGUSR1, on_usr1) == SIG_ERR ||
	    (load.ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, NULL);
	act(&plan);
	return 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Asking the name servers: see dns.h. A try is one name sent to one server
 * through a socket of its own, both questions (A and AAAA) at once, with
 * random ids: who wants to forge an answer must guess those and the port.
 * After a time-out the next server is asked, with more patience each round;
 * after "no such name" the next name of the search list.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/dns.h"
#include "net/internal.h"
#include "util/buf.h"
#include "util/ct.h"

#define ROUNDS		3
#define PATIENCE_MS	400	/* of the first round; doubles */
#define FILE_MAX	(256 * 1024)

static const struct dns_files etc = { "/etc/hosts", "/etc/resolv.conf", 53 };

struct question {
	unsigned char	text[DNS_MESSAGE_MAX];
	size_t		n;
	bool		answered;
};

struct dns_query {
	struct worker	*w;
	struct timer	 timer;		/* gives the result, later */
	void		(*done)(void *, const struct addr *, size_t,
			    const char *);
	void		*arg;
	struct buf	 conf_text;
	struct dns_conf	 conf;
	char		 name[DNS_NAME_MAX + 1];
	size_t		 name_n;
	uint16_t	 port;
	unsigned	 candidate;	/* name being tried, of the list */
	unsigned	 round, server;
	struct conn	*c;		/* of the try under way */
	struct question	 q[2];
	struct addr	 v[2][DNS_ADDRS];	/* of A and of AAAA */
	size_t		 n[2];
	const char	*why;
};

static void	try(struct dns_query *);

/* The file's text; empty if it can't be read: no file is as good as an
 * empty one. */
static void
read_file(struct buf *b, const char *path)
{
	ssize_t	 n = 1;
	char	*p;
	int	 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return;
	while (n > 0 && b->n < FILE_MAX &&
	    (p = buf_reserve(b, 4096)) != NULL)
		if ((n = read(fd, p, 4096)) > 0)
			buf_commit(b, (size_t)n);
	close(fd);
}

/* ---- the end ---- */

static void
drop_conn(struct dns_query *q)
{
	if (q->c == NULL)
		return;
	q->c->proto = NULL;
	conn_close(q->c);
	q->c = NULL;
}

/* see dns.h */
void
dns_cancel(struct dns_query *q)
{
	drop_conn(q);
	timer_stop(&q->timer);
	buf_fini(&q->conf_text);
	free(q);
}

static void
give_result(struct timer *t)
{
	struct dns_query	*q = container_of(t, struct dns_query, timer);
	struct addr		 v[DNS_ADDRS];
	size_t			 i, n = 0;

	for (i = 0; i < q->n[0]; i++)
		v[n++] = q->v[0][i];
	for (i = 0; i < q->n[1] && n < DNS_ADDRS; i++)
		v[n++] = q->v[1][i];
	q->done(q->arg, v, n, n > 0 ? NULL : q->why);
	dns_cancel(q);
}

/* On the next tick, so that nobody is called back from within a call. */
static void
finish(struct dns_query *q, const char *why)
{
	drop_conn(q);
	q->why = why;
	q->timer.fn = give_result;
	timer_set(q->w, &q->timer, q->w->now);
}

/* ---- a try ---- */

/* The candidate's name: as it is and with each suffix, in the order that the
 * number of its dots wants (resolv.conf(5), ndots). 0: the list has ended. */
static size_t
candidate(const struct dns_query *q, char out[DNS_NAME_MAX + 1])
{
	struct sv	name = sv_make(q->name, q->name_n), suffix;
	size_t		i, dots = 0, nsearch = q->conf.nsearch;
	unsigned	k = q->candidate;
	bool		as_it_is;

	for (i = 0; i < name.n; i++)
		dots += name.p[i] == '.';
	if (sv_ends(name, SV(".")))
		nsearch = 0;
	if (k > nsearch)
		return 0;
	as_it_is = dots >= q->conf.ndots ? k == 0 : k == nsearch;
	suffix = sv_make(NULL, 0);
	if (!as_it_is)
		suffix = q->conf.search[dots >= q->conf.ndots ? k - 1 : k];
	if (name.n + 1 + suffix.n > DNS_NAME_MAX)
		suffix = sv_make(NULL, 0);
	memcpy(out, name.p, name.n);
	if (suffix.n == 0)
		return name.n;
	out[name.n] = '.';
	memcpy(out + name.n + 1, suffix.p, suffix.n);
	return name.n + 1 + suffix.n;
}

static void
next_server(struct dns_query *q)
{
	drop_conn(q);
	if (++q->server == q->conf.nserver) {
		q->server = 0;
		q->round++;
	}
	if (q->round == ROUNDS)
		finish(q, "no answer from the name servers");
	else
		try(q);
}

static void
next_candidate(struct dns_query *q)
{
	drop_conn(q);
	q->candidate++;
	q->round = q->server = 0;
	try(q);
}

static void
on_answer(struct dns_query *q, struct sv answer)
{
	enum dns_result	r = DNS_FOREIGN;
	int		i;

	for (i = 0; i < 2 && r == DNS_FOREIGN; i++) {
		if (q->q[i].answered)
			continue;
		r = dns_read_answer(answer, sv_make(q->q[i].text, q->q[i].n),
		    q->port, q->v[i], &q->n[i]);
		q->q[i].answered = r != DNS_FOREIGN;
	}
	if (r == DNS_FOREIGN)
		return;
	if (r == DNS_BROKEN) {
		/* Some servers can't do AAAA: what A gave is enough then. */
		if (q->n[0] + q->n[1] > 0)
			finish(q, NULL);
		else
			next_server(q);
		return;
	}
	if (!q->q[0].answered || !q->q[1].answered)
		return;
	if (q->n[0] + q->n[1] > 0)
		finish(q, NULL);
	else
		next_candidate(q);
}

static size_t
on_read(struct conn *c, char *p, size_t n)
{
	if (c->proto != NULL)
		on_answer(c->proto, sv_make(p, n));
	return n;
}

/* An empty datagram looks like the end, and is none. */
static void
on_eof(struct conn *c)
{
	conn_close(c);
}

/* Nobody listens there, which the kernel tells at once. */
static void
on_close(struct conn *c)
{
	struct dns_query *q = c->proto;

	if (q == NULL)
		return;
	q->c = NULL;
	next_server(q);
}

static void
on_timeout(struct timer *t)
{
	struct dns_query *q = container_of(t, struct dns_query, timer);

	if (q->n[0] + q->n[1] > 0)
		finish(q, NULL);
	else
		next_server(q);
}

static const struct conn_ops ops = {
	.on_read = on_read, .on_eof = on_eof, .on_close = on_close
};

static int
ask(struct dns_query *q, struct sv name)
{
	static const enum dns_type	types[2] = { DNS_A, DNS_AAAA };
	struct question			*a;
	uint16_t			 id[2];
	int				 i;

	random_bytes(id, sizeof(id));
	for (i = 0; i < 2; i++) {
		a = &q->q[i];
		a->answered = false;
		a->n = dns_put_question(a->text, id[i], name, types[i]);
		if (a->n == 0)
			return -1;
	}
	q->n[0] = q->n[1] = 0;
	q->c = conn_dial_udp(q->w, &q->conf.server[q->server], &ops, q);
	for (i = 0; i < 2 && q->c != NULL; i++) {
		if (conn_send_copy(q->c, q->q[i].text, q->q[i].n) == -1)
			conn_close(q->c);
		else
			conn_flush(q->c);
	}
	return 0;
}

static void
try(struct dns_query *q)
{
	char	name[DNS_NAME_MAX + 1];
	size_t	n = candidate(q, name);

	if (n == 0) {
		finish(q, "no such host");
		return;
	}
	if (ask(q, sv_make(name, n)) == -1) {
		finish(q, "not a host name");
		return;
	}
	/* Without a socket the time-out moves things on as well. */
	q->timer.fn = on_timeout;
	timer_set(q->w, &q->timer, q->w->now + (PATIENCE_MS << q->round));
}

/* ---- the beginning ---- */

/* Numeric, or in the hosts file. */
static bool
known(struct dns_query *q, const struct dns_files *files)
{
	struct buf hosts = BUF_INIT;

	if (addr_parse(&q->v[0][0], q->name, q->port, false) == 0) {
		q->n[0] = 1;
		return true;
	}
	read_file(&hosts, files->hosts);
	q->n[0] = dns_hosts_find(buf_sv(&hosts), sv_make(q->name, q->name_n),
	    q->port, q->v[0]);
	buf_fini(&hosts);
	return q->n[0] > 0;
}

/* see dns.h */
struct dns_query *
dns_resolve(struct worker *w, struct sv name, uint16_t port,
    const struct dns_files *files,
    void (*done)(void *, const struct addr *, size_t, const char *),
    void *arg)
{
	struct dns_query *q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	if (files == NULL)
		files = &etc;
	q->w = w;
	q->done = done;
	q->arg = arg;
	q->port = port;
	buf_init(&q->conf_text);
	if (name.n == 0 || name.n > DNS_NAME_MAX) {
		finish(q, "not a host name");
		return q;
	}
	q->name_n = name.n;
	memcpy(q->name, name.p, name.n);
	if (known(q, files)) {
		finish(q, NULL);
		return q;
	}
	read_file(&q->conf_text, files->resolv_conf);
	dns_conf_read(&q->conf, buf_sv(&q->conf_text), files->port);
	try(q);
	return q;
}

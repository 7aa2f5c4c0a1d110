/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscribe and unsubscribe: connections that subscribe to some channels
 * each (-c), then unsubscribe from all of them, again and again. Each kind is
 * timed by itself. Together they have WINDOW commands or more under way.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define WINDOW		64

struct client {
	struct conn	conn;
	unsigned	number;
	unsigned	sent, answered;		/* commands of this turn */
};

static struct client *clients;
static unsigned nclient, nready, nidle;
static const char *command;

static void
client_send(struct client *c)
{
	char cmd[125];
	int n;

	n = snprintf(cmd, sizeof(cmd),
	    "{\"id\":%u,\"%s\":{\"channel\":\"%su%u_%u\"}}", c->sent + 2,
	    command, load.prefix, c->number, c->sent);
	conn_send(&c->conn, 1, cmd, (size_t)n);
	c->sent++;
}

static void
client_line(struct conn *conn, const char *p, size_t n, uint64_t now)
{
	struct client *c = (struct client *)conn;

	(void)now;
	if (memmem(p, n, "\"error\"", 7) != NULL ||
	    memmem(p, n, command, strlen(command)) == NULL)
		errx(1, "not understood: %.*s", (int)n, p);
	if (strcmp(command, "connect") == 0)
		nready++;
	else if (++c->answered == load.nchan)
		nidle++;
	else if (c->sent < load.nchan)
		client_send(c);
}

static void
client_open(struct conn *c)
{
	conn_send(c, 1, "{\"id\":1,\"connect\":{}}", 21);
}

static void
open_all(void)
{
	unsigned i;

	command = "connect";
	if ((clients = calloc(nclient, sizeof(*clients))) == NULL)
		err(1, NULL);
	for (i = 0; i < nclient; i++) {
		clients[i].number = i;
		clients[i].conn.on_open = client_open;
		clients[i].conn.on_line = client_line;
		conn_start(&clients[i].conn, i,
		    ws_request("/connection/websocket"));
	}
	while (nready < nclient)
		loop_turn(now_ns() + NSEC);
}

/* The command once for every channel. */
static void
turn(const char *name, struct span *sum)
{
	unsigned window = nclient < WINDOW ? WINDOW / nclient : 1, i, k;
	struct span s = span_begin();

	command = name;
	nidle = 0;
	for (i = 0; i < nclient; i++) {
		clients[i].sent = clients[i].answered = 0;
		for (k = 0; k < window && k < load.nchan; k++)
			client_send(&clients[i]);
	}
	while (nidle < nclient)
		loop_turn(now_ns() + NSEC);
	span_add(sum, &s);
}

static void
report(const char *name, const struct span *s, double n)
{
	printf("%s_per_s %.0f\n", name, n * NSEC / (double)s->wall);
	report_cpu(name, s, n);
}

void
do_churn(unsigned nconn, double seconds)
{
	struct span sub = {0}, unsub = {0};
	uint64_t end;
	double n = 0;

	nclient = nconn;
	open_all();
	end = now_ns() + (uint64_t)(seconds * NSEC);
	do {
		turn("subscribe", &sub);
		turn("unsubscribe", &unsub);
		n += load.nchan * nconn;
	} while (now_ns() < end);
	report("subscribe", &sub, n);
	report("unsubscribe", &unsub, n);
}

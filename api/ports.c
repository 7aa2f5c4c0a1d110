/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See ports.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/ports.h"
#include "util/log.h"

#define PORTS_MAX	2

struct port {
	const char		*name;
	const struct http_site	*site;
	struct addr		 addr;
	int			 fd[WORKERS_MAX];	/* not yet accepting */
	struct listener		*listener[WORKERS_MAX];
};

/* Listeners being opened. */
struct opening {
	struct ports		*ports;
	const struct conf	*conf;
	int			 code;	/* exit status of the first failure */
};

static void
failed(struct opening *o, int code)
{
	if (o->code == 0)
		o->code = code;
}

static int
listen_code(int error)
{
	switch (error) {
	case EADDRINUSE:
		return EX_TEMPFAIL;
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	case EADDRNOTAVAIL:
		return EX_CONFIG;
	default:
		return EX_OSERR;
	}
}

/* Say what is wrong and what would mend it. */
static void
listen_failed(struct opening *o, const struct port *p, int error)
{
	const char	*hint = "";
	char		 text[ADDR_STRLEN];

	if (error == EADDRINUSE)
		hint = "another process listens there: stop it or choose "
		    "another port";
	else if (error == EACCES)
		hint = "ports below 1024 need CAP_NET_BIND_SERVICE or a "
		    "socket from the service manager";
	else if (error == EADDRNOTAVAIL)
		hint = "no interface has this address";
	log_fatal("can't listen", kv_s("port", p->name),
	    kv_s("address", addr_format(&p->addr, text)), kv_errno(error),
	    kv_s("hint", hint));
	failed(o, listen_code(error));
}

static struct port *
add_port(struct opening *o, const char *name, const struct http_site *site)
{
	struct port	*p = &o->ports->v[o->ports->n++];
	unsigned	 i;

	*p = (struct port){ .name = name, .site = site };
	for (i = 0; i < WORKERS_MAX; i++)
		p->fd[i] = -1;
	return p;
}

/* A socket for each worker. 0, or -1 with errno. */
static int
bind_tcp(struct opening *o, struct port *p)
{
	unsigned i, n = o->ports->workers;

	if (n > 1 && net_probe(&p->addr) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		p->fd[i] = net_listen(&p->addr, n > 1,
		    (int)o->conf->http_server.backlog);
		if (p->fd[i] == -1)
			return -1;
	}
	return 0;
}

static void
open_tcp(struct opening *o, const char *name, const char *host, int64_t port,
    const struct http_site *site)
{
	struct port	*p = add_port(o, name, site);
	int		 rc;

	if (addr_parse(&p->addr, host, (uint16_t)port, true) == -1) {
		log_fatal("not a numeric address", kv_s("port", name),
		    kv_s("address", host));
		failed(o, EX_CONFIG);
		return;
	}
	rc = bind_tcp(o, p);
	/* A machine without IPv6 listens on every IPv4 address instead. */
	if (rc == -1 && errno == EAFNOSUPPORT && host[0] == '\0') {
		addr_parse(&p->addr, host, (uint16_t)port, false);
		rc = bind_tcp(o, p);
	}
	if (rc == -1)
		listen_failed(o, p, errno);
}

/* see ports.h */
int
ports_open(struct ports *ports, const struct conf *conf,
    const struct http_site *external, const struct http_site *internal,
    unsigned workers)
{
	struct opening o = { .ports = ports, .conf = conf };

	*ports = (struct ports){ .workers = workers };
	if ((ports->v = calloc(PORTS_MAX, sizeof(*ports->v))) == NULL) {
		log_fatal("out of memory");
		return EX_OSERR;
	}
	open_tcp(&o, "external", conf->http_server.address,
	    conf->http_server.port, external);
	if (internal != NULL)
		open_tcp(&o, "internal", conf_internal_address(conf),
		    conf_internal_port(conf), internal);
	if (o.code != 0)
		ports_close(ports);
	return o.code;
}

/* see ports.h */
int
ports_start(struct ports *ports, struct worker *w)
{
	struct port	*p;

	for (p = ports->v; p < ports->v + ports->n; p++) {
		p->listener[w->id] = listener_new(w, p->fd[w->id], http_serve,
		    (void *)(uintptr_t)p->site);
		if (p->listener[w->id] == NULL)
			return -1;
		p->fd[w->id] = -1;
	}
	return 0;
}

/* see ports.h */
void
ports_stop(struct ports *ports, const struct worker *w)
{
	struct port *p;

	for (p = ports->v; p < ports->v + ports->n; p++) {
		listener_free(p->listener[w->id]);
		p->listener[w->id] = NULL;
	}
}

/* see ports.h */
void
ports_close(struct ports *ports)
{
	struct port	*p;
	unsigned	 i;

	for (p = ports->v; p < ports->v + ports->n; p++)
		for (i = 0; i < ports->workers; i++)
			if (p->fd[i] != -1)
				close(p->fd[i]);
	free(ports->v);
	*ports = (struct ports){ .n = 0 };
}

/* see ports.h */
void
ports_announce(const struct ports *ports)
{
	const struct port	*p;
	char			 text[ADDR_STRLEN];

	for (p = ports->v; p < ports->v + ports->n; p++)
		log_info("listening", kv_s("port", p->name),
		    kv_s("address", addr_format(&p->addr, text)));
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See ports.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/certs.h"
#include "api/ports.h"
#include "net/proxyproto.h"
#include "net/unix.h"
#include "tls/filter.h"
#include "util/log.h"

#define PORTS_OWN	8	/* besides http_server.listeners */
#define HTTPS_PORT	443	/* where nothing else is known */

/* What a listener is for. */
enum use { EXTERNAL, INTERNAL, REDIRECT, USES };

struct port {
	struct ports		*ports;
	const char		*name;
	enum use		 use;
	const struct http_site	*site;
	bool			 tls, proxy_protocol;
	bool			 shared;	/* one socket for all workers */
	char			 where[NET_WHERE_LEN];	/* for people */
	const char		*path;		/* of a Unix socket, or NULL */
	struct unix_file	 file;
	int			 fd[WORKERS_MAX];	/* not yet accepting */
	struct listener		*listener[WORKERS_MAX];
};

/* Listeners being opened. */
struct opening {
	struct ports			*ports;
	const struct conf_http_server	*conf;
	const struct ports_sites	*sites;
	bool				 inherited[USES];
	int				 code;	/* of the first failure */
};

/* ---- the way of a connection ---- */

static void
serve(struct conn *c, void *arg)
{
	const struct port	*p = arg;
	const struct ports_tls	*tls = &p->ports->tls[c->w->id];
	struct tls_server	*server = p->use == INTERNAL &&
	    tls->internal != NULL ? tls->internal : tls->external;
	enum limit_verdict	 v = LIMIT_OK;

	/* Clients of trusted proxies are looked at when they are known. */
	if (p->use != INTERNAL && !ip_set_has(p->site->trusted, c->peer_ip))
		v = conn_limit(c);
	if (v != LIMIT_OK && !p->tls) {
		http_refuse(c, v);
		return;
	}
	if (v != LIMIT_OK || (p->tls && (server == NULL ||
	    tls_accept(c, server, tls->tw) == -1))) {
		conn_close(c);
		return;
	}
	http_serve(c, (void *)(uintptr_t)p->site);
}

static void
accepted(struct conn *c, void *arg)
{
	struct port	*p = arg;
	pid_t		 pid;
	uid_t		 uid;

	if (log_on(LOG_DEBUG) && ip_is_none(c->peer_ip) &&
	    unix_peer(c->io.fd, &pid, &uid))
		log_debug("connection on a Unix socket",
		    kv_s("port", p->name), kv_i("pid", pid), kv_u("uid", uid));
	if (p->proxy_protocol)
		proxy_accept(c, p->site->trusted, p->site->header_timeout_ms,
		    serve, p);
	else
		serve(c, p);
}

/* see ports.h */
int
ports_start(struct ports *ports, struct worker *w)
{
	struct port *p;

	for (p = ports->v; p < ports->v + ports->n; p++) {
		p->listener[w->id] = listener_new(w, p->fd[w->id], p->shared,
		    accepted, p);
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
ports_set_tls(struct ports *ports, const struct worker *w,
    struct tls_worker *tw, struct tls_server *external,
    struct tls_server *internal)
{
	struct ports_tls *tls = &ports->tls[w->id], old = *tls;

	tls->tw = tw;
	tls->external = external == NULL ? NULL : tls_server_ref(external);
	tls->internal = internal == NULL ? NULL : tls_server_ref(internal);
	tls_server_unref(old.external);
	tls_server_unref(old.internal);
}

/* ---- what can go wrong ---- */

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
	case EINVAL:
		return EX_CONFIG;
	case EEXIST:
	case ENOENT:
	case ENOTDIR:
	case EROFS:
		return EX_CANTCREAT;
	default:
		return EX_OSERR;
	}
}

static const char *
listen_hint(const struct port *p, int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another process listens there: stop it or choose "
		    "another port";
	case EACCES:
	case EPERM:
		return p->path != NULL ?
		    "the directory must be writable for fugu's user" :
		    "ports below 1024 need CAP_NET_BIND_SERVICE or a socket "
		    "from the service manager";
	case EADDRNOTAVAIL:
		return "no interface has this address";
	case ENOENT:
		return "the directory must exist: fugu makes none";
	default:
		return "";
	}
}

/* Say what is wrong and what would mend it. */
static void
listen_failed(struct opening *o, const struct port *p, int error,
    const char *why)
{
	log_fatal("can't listen", kv_s("port", p->name),
	    kv_s("address", p->where), kv_errno(error),
	    kv_s("hint", why != NULL ? why : listen_hint(p, error)));
	failed(o, listen_code(error));
}

/* ---- opening ---- */

static struct port *
add_port(struct opening *o, const char *name, enum use use)
{
	const struct http_site *const site[USES] = {
		[EXTERNAL] = o->sites->external,
		[INTERNAL] = o->sites->internal,
		[REDIRECT] = o->sites->redirect,
	};
	struct port	*p = &o->ports->v[o->ports->n++];
	unsigned	 i;

	*p = (struct port){ .ports = o->ports, .name = name, .use = use,
	    .site = site[use] };
	for (i = 0; i < WORKERS_MAX; i++)
		p->fd[i] = -1;
	return p;
}

/* Each worker gets a descriptor of the same socket. */
static void
share(struct opening *o, struct port *p, int fd)
{
	unsigned i;

	p->shared = o->ports->workers > 1;
	p->fd[0] = fd;
	for (i = 1; i < o->ports->workers; i++)
		if ((p->fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
			listen_failed(o, p, errno, NULL);
}

/* At path, with the mode and owner of un. */
static void
open_unix(struct opening *o, struct port *p, const char *path,
    const struct conf_unix_socket *un)
{
	const struct unix_options	 options = { path,
	    (unsigned)un->mode_bits, un->owner, un->group };
	const char			*why;
	int				 fd;

	snprintf(p->where, sizeof(p->where), "unix:%s", path);
	p->path = path;
	fd = unix_listen(&options, (int)o->conf->backlog, &p->file, &why);
	if (fd == -1)
		listen_failed(o, p, errno, why);
	else
		share(o, p, fd);
}

/* A socket for each worker. 0, or -1 with errno. */
static int
bind_tcp(struct opening *o, struct port *p, const struct addr *a)
{
	unsigned i, n = o->ports->workers;

	addr_format(a, p->where);
	if (n > 1 && net_probe(a) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		p->fd[i] = net_listen(a, n > 1, (int)o->conf->backlog);
		if (p->fd[i] == -1)
			return -1;
	}
	return 0;
}

static void
open_tcp(struct opening *o, struct port *p, const char *host, int64_t port)
{
	struct addr	a;
	int		rc;

	if (addr_parse(&a, host, (uint16_t)port, true) == -1) {
		log_fatal("not a numeric address", kv_s("port", p->name),
		    kv_s("address", host));
		failed(o, EX_CONFIG);
		return;
	}
	rc = bind_tcp(o, p, &a);
	/* A machine without IPv6 listens on every IPv4 address instead. */
	if (rc == -1 && errno == EAFNOSUPPORT && host[0] == '\0') {
		addr_parse(&a, host, (uint16_t)port, false);
		rc = bind_tcp(o, p, &a);
	}
	if (rc == -1)
		listen_failed(o, p, errno, NULL);
}

/* ---- which there are ---- */

static bool
tls_enabled(const struct conf_http_server *s, enum use use)
{
	bool external = s->tls.enabled || s->tls_autocert.enabled;

	if (use == EXTERNAL)
		return external;
	return use == INTERNAL && (s->internal_tls.enabled ||
	    (external && !s->tls_external));
}

/* The external or internal address and path. */
static void
open_main(struct opening *o, enum use use, const char *name,
    const char *unix_name, const char *host, int64_t port, bool proxy,
    const struct conf_unix_socket *un)
{
	struct port *p;

	if (o->inherited[use])
		return;
	if (port != 0) {
		p = add_port(o, name, use);
		p->tls = tls_enabled(o->conf, use);
		p->proxy_protocol = proxy;
		open_tcp(o, p, host, port);
	}
	if (*un->path != '\0')
		open_unix(o, add_port(o, unix_name, use), un->path, un);
}

static bool
has_redirect(const struct conf_http_server *s)
{
	return s->tls_redirect.enabled ||
	    (s->tls_autocert.enabled && s->tls_autocert.http);
}

/* tls_autocert.http_addr is HOST:PORT, which has been checked. */
static void
open_autocert(struct opening *o)
{
	const char	*place = o->conf->tls_autocert.http_addr;
	const char	*colon = strrchr(place, ':');
	uint64_t	 port;
	char		 host[ADDR_STRLEN];

	sv_copy(host, sizeof(host), sv_make(place, (size_t)(colon - place)));
	sv_u64(sv_from(colon + 1), &port);
	/* Challenges are answered where everybody is redirected, too. */
	if (!o->conf->tls_redirect.enabled ||
	    o->conf->tls_redirect.port != (int64_t)port)
		open_tcp(o, add_port(o, "autocert", REDIRECT), host,
		    (int64_t)port);
}

static void
open_redirects(struct opening *o)
{
	const struct conf_http_server *s = o->conf;

	if (o->inherited[REDIRECT])
		return;
	if (s->tls_redirect.enabled)
		open_tcp(o, add_port(o, "redirect", REDIRECT),
		    s->tls_redirect.address, s->tls_redirect.port);
	if (s->tls_autocert.enabled && s->tls_autocert.http)
		open_autocert(o);
}

static void
open_extra(struct opening *o, const struct conf_listener *l)
{
	struct port *p = add_port(o, *l->name == '\0' ? "extra" : l->name,
	    l->internal ? INTERNAL : EXTERNAL);

	p->tls = l->tls;
	p->proxy_protocol = l->proxy_protocol;
	if (*l->unix_socket != '\0')
		open_unix(o, p, l->unix_socket, l->internal ?
		    &o->conf->internal_unix_socket : &o->conf->unix_socket);
	else
		open_tcp(o, p, l->address, l->port);
}

/* ---- inherited sockets ---- */

/* What a name of LISTEN_FDNAMES stands for. */
static const struct known {
	const char	*name;
	enum use	 use;
	enum { AS_CONFIGURED, PLAIN, WITH_TLS } tls;
} known[] = {
	{ "external", EXTERNAL, AS_CONFIGURED },
	{ "http", EXTERNAL, PLAIN },
	{ "https", EXTERNAL, WITH_TLS },
	{ "tls", EXTERNAL, WITH_TLS },
	{ "internal", INTERNAL, AS_CONFIGURED },
	{ "redirect", REDIRECT, PLAIN },
};

/* What an inherited socket is for. The service manager calls those without a
 * name "unknown" or by the unit: the first is external, the second internal. */
static const struct known *
find_known(const struct activated *a, size_t i)
{
	static const struct known	*const unnamed[] = {
		&known[0], &known[4]
	};
	const struct sv			 name = sv_from(a->v[i].name);
	size_t				 k;

	for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
		if (sv_eq(name, sv_from(known[k].name)))
			return &known[k];
	if (i < 2 && (name.n == 0 || sv_eq(name, SV("unknown")) ||
	    sv_ends(name, SV(".socket"))))
		return unnamed[i];
	return NULL;
}

static const struct conf_listener *
find_listener(const struct conf_http_server *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->listeners.n; i++)
		if (*name != '\0' &&
		    strcmp(s->listeners.v[i].name, name) == 0)
			return &s->listeners.v[i];
	return NULL;
}

static bool
is_inherited(const struct activated *a, enum use use)
{
	const struct known	*k;
	size_t			 i;

	for (i = 0; i < a->n; i++)
		if ((k = find_known(a, i)) != NULL && k->use == use)
			return true;
	return false;
}

static bool
is_inherited_extra(const struct activated *a, const struct conf_listener *l)
{
	size_t i;

	for (i = 0; *l->name != '\0' && i < a->n; i++)
		if (strcmp(a->v[i].name, l->name) == 0)
			return true;
	return false;
}

/* Whether an inherited socket is for TLS: by what its name stands for, or as
 * the listener of that name. */
static bool
wants_tls(const struct conf_http_server *s, const struct known *k,
    const struct conf_listener *l)
{
	if (k == NULL)
		return l != NULL && l->tls;
	return k->tls == AS_CONFIGURED ? tls_enabled(s, k->use) :
	    k->tls == WITH_TLS;
}

/* The port of an inherited socket on which clients are served with TLS, or
 * 0. */
static uint16_t
inherited_https(const struct conf_http_server *s, const struct activated *a,
    size_t i)
{
	const struct known		*k = find_known(a, i);
	const struct conf_listener	*l = find_listener(s, a->v[i].name);
	struct addr			 at = { .len = sizeof(at.in6) };
	uint8_t				 ip[IP_LEN];

	if (!wants_tls(s, k, l) ||
	    (k != NULL ? k->use != EXTERNAL : l->internal) ||
	    getsockname(a->v[i].fd, &at.sa, &at.len) == -1)
		return 0;
	return addr_ip(&at, ip);
}

static void
inherit(struct opening *o, const struct activated *a, size_t i)
{
	const struct conf_http_server	*s = o->conf;
	const struct known		*k = find_known(a, i);
	const struct conf_listener	*l = find_listener(s, a->v[i].name);
	struct port			*p;

	if (k != NULL) {
		p = add_port(o, k->name, k->use);
		p->proxy_protocol = k->use == EXTERNAL ? s->proxy_protocol :
		    k->use == INTERNAL && s->internal_proxy_protocol;
	} else if (l != NULL) {
		p = add_port(o, l->name, l->internal ? INTERNAL : EXTERNAL);
		p->proxy_protocol = l->proxy_protocol;
	} else {
		log_fatal("an inherited socket has a name that says nothing",
		    kv_s("name", a->v[i].name), kv_s("hint", "external, http, "
		    "https, internal and redirect do, and the names of "
		    "http_server.listeners"));
		failed(o, EX_CONFIG);
		close(a->v[i].fd);
		return;
	}
	p->tls = wants_tls(s, k, l);
	if (p->tls && !certs_used(o->ports->conf) &&
	    !(p->use == INTERNAL && s->internal_tls.enabled)) {
		log_fatal("an inherited socket is for TLS, and there is no "
		    "certificate", kv_s("name", a->v[i].name));
		failed(o, EX_CONFIG);
	}
	net_where(a->v[i].fd, p->where);
	share(o, p, a->v[i].fd);
}

/* ---- all of them ---- */

/* see ports.h */
bool
ports_separate(const struct conf *conf, const struct activated *a)
{
	const struct conf_http_server	*s = &conf->http_server;
	size_t				 i;

	for (i = 0; i < s->listeners.n; i++)
		if (s->listeners.v[i].internal)
			return true;
	return conf_is_separate(conf) ||
	    *s->internal_unix_socket.path != '\0' ||
	    is_inherited(a, INTERNAL);
}

/* see ports.h */
bool
ports_redirect(const struct conf *conf, const struct activated *a)
{
	return has_redirect(&conf->http_server) || is_inherited(a, REDIRECT);
}

/* see ports.h */
uint16_t
ports_https(const struct conf *conf, const struct activated *a)
{
	const struct conf_http_server	*s = &conf->http_server;
	const struct conf_listener	*l;
	uint16_t			 port;
	size_t				 i;

	if (tls_enabled(s, EXTERNAL) && !s->tcp_disabled && s->port != 0 &&
	    !is_inherited(a, EXTERNAL))
		return (uint16_t)s->port;
	for (i = 0; i < a->n; i++)
		if ((port = inherited_https(s, a, i)) != 0)
			return port;
	for (i = 0; i < s->listeners.n; i++) {
		l = &s->listeners.v[i];
		if (l->tls && l->port != 0 && !l->internal &&
		    !is_inherited_extra(a, l))
			return (uint16_t)l->port;
	}
	return HTTPS_PORT;
}

static void
open_all(struct opening *o, const struct activated *a)
{
	const struct conf		*conf = o->ports->conf;
	const struct conf_http_server	*s = o->conf;
	size_t				 i;

	for (i = 0; i < USES; i++)
		o->inherited[i] = is_inherited(a, (enum use)i);
	for (i = 0; i < a->n; i++)
		inherit(o, a, i);
	open_main(o, EXTERNAL, "external", "unix", s->address,
	    s->tcp_disabled ? 0 : s->port, s->proxy_protocol,
	    &s->unix_socket);
	open_main(o, INTERNAL, "internal", "internal unix",
	    conf_internal_address(conf),
	    conf_is_separate(conf) ? conf_internal_port(conf) : 0,
	    s->internal_proxy_protocol, &s->internal_unix_socket);
	open_redirects(o);
	for (i = 0; i < s->listeners.n; i++)
		if (!is_inherited_extra(a, &s->listeners.v[i]))
			open_extra(o, &s->listeners.v[i]);
	if (o->ports->n == 0) {
		log_fatal("there is nothing to listen on: http_server.port is "
		    "off, and no Unix socket or listener is configured");
		failed(o, EX_CONFIG);
	}
}

static int
set_limits(struct ports *ports, const struct conf_http_server *s)
{
	if (s->address_connection_limit == 0 &&
	    s->address_connection_rate_limit == 0)
		return 0;
	ports->limiter = limiter_new((unsigned)s->address_connection_limit,
	    (unsigned)s->address_connection_rate_limit);
	net_set_limiter(ports->limiter);
	return ports->limiter == NULL ? -1 : 0;
}

/* see ports.h */
int
ports_open(struct ports *ports, const struct conf *conf,
    struct activated *inherited, const struct ports_sites *sites,
    unsigned workers)
{
	const struct conf_http_server	*s = &conf->http_server;
	struct opening			 o = { .ports = ports, .conf = s,
	    .sites = sites };

	*ports = (struct ports){ .workers = workers, .conf = conf_ref(conf) };
	ports->v = calloc(PORTS_OWN + s->listeners.n + inherited->n,
	    sizeof(*ports->v));
	if (ports->v == NULL || set_limits(ports, s) == -1) {
		log_fatal("out of memory");
		failed(&o, EX_OSERR);
	} else {
		open_all(&o, inherited);
	}
	inherited->n = 0;
	if (o.code != 0)
		ports_close(ports);
	return o.code;
}

/* see ports.h */
void
ports_close(struct ports *ports)
{
	struct port	*p;
	unsigned	 i;

	for (p = ports->v; p < ports->v + ports->n; p++) {
		for (i = 0; i < ports->workers; i++)
			if (p->fd[i] != -1)
				close(p->fd[i]);
		if (p->path != NULL)
			unix_remove(p->path, &p->file);
	}
	for (i = 0; i < ports->workers; i++) {
		tls_server_unref(ports->tls[i].external);
		tls_server_unref(ports->tls[i].internal);
	}
	net_set_limiter(NULL);
	limiter_free(ports->limiter);
	free(ports->v);
	conf_unref(ports->conf);
	*ports = (struct ports){ .n = 0 };
}

/* see ports.h */
void
ports_announce(const struct ports *ports)
{
	const struct port *p;

	for (p = ports->v; p < ports->v + ports->n; p++)
		log_info("listening", kv_s("port", p->name),
		    kv_s("address", p->where), kv_s("tls", p->tls ? "yes" :
		    "no"));
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What must be right about http_server: TLS that can be served, sockets
 * that can be made, proxies that can be told from clients. Modes and
 * networks are parsed on the way. Whether what is PEM holds certificates,
 * and whether addresses can be had, is found out elsewhere.
 */
#include <sys/stat.h>

#include "conf/load.h"

#define HS		"http_server"
#define PATH_LEN	107	/* of sockaddr_un, less the end */
#define LISTENERS_MAX	64
#define MODE_MAX	0777

static void
bad(struct conf_load *l, const char *group, const char *name,
    const char *what)
{
	conf_bad(l, CONF_BAD, group, name, what);
}

static bool
is_set(const char *s)
{
	return *s != '\0';
}

/* GROUP[i] */
static const char *
item_name(struct conf_path *p, const char *group, size_t i)
{
	conf_path_pop(p, 0);
	conf_path_add(p, sv_from(group));
	conf_path_index(p, i);
	return p->s;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A certificate and its key: both, and readable. */
static void
check_pair(struct conf_load *l, const char *group, const char *cert,
    const char *key)
{
	if (!is_set(cert))
		bad(l, group, "cert_pem", "is needed for TLS");
	if (!is_set(key))
		bad(l, group, "key_pem", "is needed for TLS");
	conf_check_pem(l, group, "cert_pem", cert);
	conf_check_pem(l, group, "key_pem", key);
}

static void
check_tls(struct conf_load *l, const char *group, const struct conf_tls *t,
    bool autocert)
{
	struct conf_path list = { .n = 0 }, item;
	size_t i;

	if (!autocert || is_set(t->cert_pem) || is_set(t->key_pem))
		check_pair(l, group, t->cert_pem, t->key_pem);
	if (!is_directory(t->client_ca_pem))
		conf_check_pem(l, group, "client_ca_pem", t->client_ca_pem);
	if (is_set(t->client_auth) && !is_set(t->client_ca_pem))
		bad(l, group, "client_auth", "needs client_ca_pem");
	conf_path_push(&list, sv_from(group));
	conf_path_push(&list, SV("certificates"));
	for (i = 0; i < t->certificates.n; i++)
		check_pair(l, item_name(&item, list.s, i),
		    t->certificates.v[i].cert_pem,
		    t->certificates.v[i].key_pem);
}

/* Whether there is a port that internal_tls is for. */
static bool
has_internal_port(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->http_server.listeners.n; i++)
		if (c->http_server.listeners.v[i].internal &&
		    c->http_server.listeners.v[i].tls)
			return true;
	return conf_is_separate(c);
}

/* Whether the certificates of http_server.tls are used by any port. */
static bool
uses_tls(const struct conf_http_server *s)
{
	bool used = s->tls.enabled;
	size_t i;

	for (i = 0; i < s->listeners.n; i++)
		used |= s->listeners.v[i].tls;
	return used;
}

/* A name without a wildcard, or an address. */
static bool
is_host(const char *s)
{
	struct conf_cidr any;

	if (conf_cidr_parse(sv_from(s), &any) == 0)
		return strchr(s, '/') == NULL;
	return is_set(s) && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] == '\0';
}

/* [HOST]:PORT */
static bool
is_place(const char *s)
{
	const char *colon = strrchr(s, ':');
	int64_t port;

	return colon != NULL &&
	    conf_parse_int(sv_from(colon + 1), &port) == 0 && port >= 0 &&
	    port <= UINT16_MAX;
}

static void
check_autocert(struct conf_load *l, const struct conf_tls_autocert *a)
{
	const char *group = HS ".tls_autocert", *dir = a->directory;
	size_t i;

	if (a->host_whitelist.n == 0)
		bad(l, group, "host_whitelist", "is needed: the names to "
		    "obtain certificates for");
	for (i = 0; i < a->host_whitelist.n; i++)
		if (!is_host(a->host_whitelist.v[i])) {
			bad(l, group, "host_whitelist",
			    *a->host_whitelist.v[i] == '*' ? "can't hold "
			    "wildcards: they need a DNS challenge, which fugu "
			    "does not have" :
			    "must hold host names and addresses only");
			break;
		}
	if (!is_set(a->cache_dir))
		bad(l, group, "cache_dir", "is needed: certificates that "
		    "are lost can't be had again at will");
	if (!is_place(a->http_addr))
		bad(l, group, "http_addr", "must be an address and a port, "
		    "as in :80");
	if (is_set(dir) && strcmp(dir, "staging") != 0 &&
	    strncmp(dir, "https://", 8) != 0)
		bad(l, group, "directory",
		    "must be staging or begin with https://");
	if (is_set(a->eab_kid) != is_set(a->eab_hmac_key))
		bad(l, group, "eab_kid", "needs eab_hmac_key, and that this");
	conf_check_pem(l, group, "ca_pem", a->ca_pem);
}

static void
check_redirect(struct conf_load *l, const struct conf_http_server *s)
{
	const char *group = HS ".tls_redirect";

	if (s->tls_redirect.code != 301 && s->tls_redirect.code != 308)
		bad(l, group, "code", "must be 301 or 308");
	if (!s->tls.enabled && !s->tls_autocert.enabled)
		bad(l, group, "enabled",
		    "needs " HS ".tls or " HS ".tls_autocert");
}

/* Why a socket can't have this path, or NULL. */
static const char *
path_error(const char *path)
{
	const char *p;

	if (path[0] != '/' && (path[0] != '@' || path[1] == '\0'))
		return "must begin with /, or be @ and a name";
	if (strlen(path) > PATH_LEN)
		return "must not be longer than 107 bytes";
	for (p = path; path[0] == '/' && (p = strstr(p, "/..")) != NULL; p++)
		if (p[3] == '/' || p[3] == '\0')
			return "must not hold ..";
	if (path[0] == '/' && path[strlen(path) - 1] == '/')
		return "must not end in /";
	return NULL;
}

static void
check_path(struct conf_load *l, const char *group, const char *name,
    const char *path)
{
	const char *why = is_set(path) ? path_error(path) : NULL;

	if (why != NULL)
		bad(l, group, name, why);
}

/* About a socket with the mode of u. */
static void
warn_world(struct conf_load *l, const char *group, const char *name,
    const struct conf_unix_socket *u)
{
	if (u->mode_bits & 02)
		conf_bad(l, CONF_WARN, group, name,
		    "everybody on this machine can connect");
}

static void
check_socket(struct conf_load *l, const char *group,
    struct conf_unix_socket *u)
{
	const char *p = u->mode;

	check_path(l, group, "path", u->path);
	u->mode_bits = 0;
	for (; *p >= '0' && *p <= '7' && u->mode_bits <= MODE_MAX; p++)
		u->mode_bits = u->mode_bits * 8 + (*p - '0');
	if (*p != '\0' || !is_set(u->mode) || u->mode_bits > MODE_MAX)
		bad(l, group, "mode", "must be octal, at most 777");
	else if (is_set(u->path))
		warn_world(l, group, "mode", u);
}

/* Where something listens: a path, or a port of an address. */
struct place {
	const char	*key;
	const char	*path;		/* "": none */
	const char	*address;
	int64_t		 port;		/* 0: none */
};

static bool
same_place(const struct place *a, const struct place *b)
{
	if (is_set(a->path) || is_set(b->path))
		return strcmp(a->path, b->path) == 0;
	return a->port != 0 && a->port == b->port &&
	    strcmp(a->address, b->address) == 0;
}

/* Nothing may listen where something else does; the internal port may be
 * the external one. */
static void
check_places(struct conf_load *l, const struct conf_http_server *s)
{
	const bool tcp = !s->tcp_disabled;
	const struct place fixed[] = {
		{ HS ".port", "", s->address, tcp ? s->port : 0 },
		{ HS ".tls_redirect.port", "", s->tls_redirect.address,
		    s->tls_redirect.enabled ? s->tls_redirect.port : 0 },
		{ HS ".unix_socket.path", s->unix_socket.path, "", 0 },
		{ HS ".internal_unix_socket.path",
		    s->internal_unix_socket.path, "", 0 },
		{ HS ".internal_port", "", conf_internal_address(l->c),
		    conf_is_separate(l->c) ? conf_internal_port(l->c) : 0 },
	};
	enum { FIXED = sizeof(fixed) / sizeof(fixed[0]) };
	struct place all[FIXED + LISTENERS_MAX];
	size_t i, j, n = FIXED;

	memcpy(all, fixed, sizeof(fixed));
	for (i = 0; i < s->listeners.n; i++, n++) {
		const struct conf_listener *x = &s->listeners.v[i];

		all[n] = (struct place){ HS ".listeners", x->unix_socket,
		    x->address, x->port };
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			if (same_place(&all[i], &all[j]))
				conf_say(l->errs, CONF_BAD,
				    (struct conf_at){ 0 }, all[i].key,
				    "listens where %s does", all[j].key);
}

static void
check_listener(struct conf_load *l, const char *group,
    const struct conf_listener *x)
{
	const struct conf_http_server *s = &l->c->http_server;

	if ((x->port != 0) == is_set(x->unix_socket))
		bad(l, group, "port", "or unix_socket must be given, and not "
		    "both");
	check_path(l, group, "unix_socket", x->unix_socket);
	if (is_set(x->unix_socket))
		warn_world(l, group, "unix_socket", x->internal ?
		    &s->internal_unix_socket : &s->unix_socket);
	if (x->tls && !is_set(s->tls.cert_pem) && !s->tls_autocert.enabled)
		bad(l, group, "tls", "needs " HS ".tls.cert_pem or " HS
		    ".tls_autocert");
	if (x->proxy_protocol && s->trusted_proxies.n == 0)
		bad(l, group, "proxy_protocol",
		    "needs " HS ".trusted_proxies");
}

static void
check_listeners(struct conf_load *l)
{
	const struct conf_listeners *ls = &l->c->http_server.listeners;
	struct conf_path item;
	size_t i;

	if (ls->n > LISTENERS_MAX) {
		bad(l, HS, "listeners", "are too many: at most 64");
		return;
	}
	for (i = 0; i < ls->n; i++)
		check_listener(l, item_name(&item, HS ".listeners", i),
		    &ls->v[i]);
	check_places(l, &l->c->http_server);
}

static void
check_proxies(struct conf_load *l, struct conf_http_server *s)
{
	const struct conf_list *t = &s->trusted_proxies;
	struct conf_cidrs *out = &s->trusted_cidrs;
	size_t i;

	if (s->proxy_protocol && t->n == 0)
		bad(l, HS, "proxy_protocol", "needs trusted_proxies");
	if (s->internal_proxy_protocol && t->n == 0)
		bad(l, HS, "internal_proxy_protocol",
		    "needs trusted_proxies");
	if (strcmp(s->forwarded_header, "none") == 0)
		s->forwarded_header = "";
	if (t->n == 0)
		return;
	out->v = conf_alloc(l->mem, t->n * sizeof(*out->v));
	if (out->v == NULL) {
		conf_say(l->errs, CONF_NOMEM, (struct conf_at){ 0 }, "",
		    "memory");
		return;
	}
	for (i = 0; i < t->n; i++)
		if (strcmp(t->v[i], "unix") == 0)
			s->trusted_unix = true;
		else if (conf_cidr_parse(sv_from(t->v[i]),
		    &out->v[out->n]) == 0)
			out->n++;
		else
			conf_say(l->errs, CONF_BAD, (struct conf_at){ 0 },
			    HS ".trusted_proxies", "%s: is no address or "
			    "network, as 10.0.0.0/8 is one", t->v[i]);
}

/* see load.h */
void
conf_check_server(struct conf_load *l)
{
	struct conf_http_server *s = &l->c->http_server;
	const struct conf_client *cl = &l->c->client;

	if (uses_tls(s))
		check_tls(l, HS ".tls", &s->tls, s->tls_autocert.enabled);
	if (s->internal_tls.enabled) {
		check_tls(l, HS ".internal_tls", &s->internal_tls, false);
		if (!has_internal_port(l->c))
			bad(l, HS, "internal_tls", "needs internal_port or "
			    "internal_address");
	}
	if (s->tls_autocert.enabled)
		check_autocert(l, &s->tls_autocert);
	if (s->tls_redirect.enabled)
		check_redirect(l, s);
	if (is_set(cl->user_id_client_certificate) &&
	    !is_set(s->tls.client_ca_pem))
		bad(l, "client", "user_id_client_certificate",
		    "needs " HS ".tls.client_ca_pem");
	check_socket(l, HS ".unix_socket", &s->unix_socket);
	check_socket(l, HS ".internal_unix_socket",
	    &s->internal_unix_socket);
	check_listeners(l);
	check_proxies(l, s);
}

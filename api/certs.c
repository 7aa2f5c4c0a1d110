/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See certs.h. TLS asked for and not possible is always fatal: nothing here
 * falls back to plain.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/certs.h"
#include "util/clock.h"

#define CREDS_MAX	64	/* configured and by tls_autocert */

struct certs_stamp {
	char	*path;
	bool	 exists;
	ino_t	 ino;
	off_t	 size;
	int64_t	 mtime_ns;
};

/* One call of certs_load(). */
struct loading {
	struct certs		*certs;
	certs_say		*say;
	void			*arg;
	const char		*option;	/* whose value is being read */
	int			 failed;
	struct tls_cred		*cred[CREDS_MAX];
	size_t			 ncred;
	struct tls_trust	*client_ca;
};

static void
say(void *arg, bool fatal, const char *text)
{
	struct loading	*l = arg;
	char		 line[512];

	snprintf(line, sizeof(line), "%s: %s", l->option, text);
	l->say(l->arg, fatal, line);
	if (fatal)
		l->failed = -1;
}

/* ---- files ---- */

static void
stamp_take(struct certs_stamp *s)
{
	struct stat st;

	s->exists = stat(s->path, &st) == 0;
	if (!s->exists)
		return;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
	    st.st_mtim.tv_nsec;
}

/* Remember what the option's file is like, before it is read. What isn't
 * the name of a file is the PEM text itself. */
static int
stamp_add(struct certs *c, const char *value)
{
	struct certs_stamp	*v, s = { .path = NULL };
	struct stat		 st;

	if (stat(value, &st) == -1)
		return 0;
	v = reallocarray(c->stamp, c->nstamp + 1, sizeof(*v));
	if (v == NULL)
		return -1;
	c->stamp = v;
	if ((s.path = strdup(value)) == NULL)
		return -1;
	stamp_take(&s);
	c->stamp[c->nstamp++] = s;
	return 0;
}

/* see certs.h */
bool
certs_changed(struct certs *c)
{
	struct certs_stamp	*now, was;
	bool			 changed = false;

	for (now = c->stamp; now < c->stamp + c->nstamp; now++) {
		was = *now;
		stamp_take(now);
		if (now->exists != was.exists || now->ino != was.ino ||
		    now->size != was.size || now->mtime_ns != was.mtime_ns)
			changed = true;
	}
	return changed;
}

/* ---- reading ---- */

static int
read_pem(struct loading *l, const char *value, const char *what,
    struct buf *out)
{
	const char	*why;
	char		 text[256];

	if (stamp_add(l->certs, value) == -1) {
		say(l, true, "out of memory");
		return -1;
	}
	if (conf_pem_read(value, out, &why) == 0)
		return 0;
	snprintf(text, sizeof(text), "%s can't be read: %s", what, why);
	say(l, true, text);
	return -1;
}

static void
load_cred(struct loading *l, const char *cert_pem, const char *key_pem)
{
	const struct tls_report	 report = { say, l };
	struct buf		 chain = BUF_INIT, key = BUF_INIT;

	if (l->ncred == CREDS_MAX)
		say(l, true, "too many certificates");
	else if (read_pem(l, cert_pem, "cert_pem", &chain) == 0 &&
	    read_pem(l, key_pem, "key_pem", &key) == 0 &&
	    tls_cred_load(&l->cred[l->ncred], buf_sv(&chain), buf_sv(&key),
	    clock_wall_ms() / 1000, &report) == 0)
		l->ncred++;
	buf_fini(&chain);
	buf_wipe(&key);
}

static void
load_client_ca(struct loading *l, const char *value)
{
	const struct tls_report	 report = { say, l };
	struct buf		 pem = BUF_INIT;
	struct stat		 st;

	if (stat(value, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (stamp_add(l->certs, value) == -1)
			say(l, true, "out of memory");
		else
			tls_trust_load_path(&l->client_ca, value, &report);
	} else if (read_pem(l, value, "client_ca_pem", &pem) == 0) {
		tls_trust_load(&l->client_ca, buf_sv(&pem), &report);
	}
	buf_fini(&pem);
}

static enum tls_client_auth
client_auth(const struct conf_tls *t)
{
	const char *auth = conf_client_auth(t);

	if (*auth == '\0')
		return TLS_CLIENT_NONE;
	return strcmp(auth, "optional") == 0 ? TLS_CLIENT_OPTIONAL :
	    TLS_CLIENT_REQUIRED;
}

/* see certs.h */
bool
certs_used(const struct conf *conf)
{
	const struct conf_http_server	*h = &conf->http_server;
	size_t				 i;

	for (i = 0; i < h->listeners.n; i++)
		if (h->listeners.v[i].tls)
			return true;
	return h->tls.enabled || h->tls_autocert.enabled;
}

/* The settings of one group of options; NULL after findings. */
static struct tls_server *
load_group(struct loading *l, const struct conf_tls *t, const char *option,
    struct tls_cred *const *more, size_t nmore, const char *default_name,
    struct tls_sessions *sessions)
{
	struct tls_server_options o = {
		.cred = l->cred,
		.client_auth = client_auth(t),
		.sessions = sessions,
		.default_name = default_name,
	};
	struct tls_server	*server = NULL;
	size_t			 i;

	l->option = option;
	if (t->cert_pem[0] != '\0') {
		load_cred(l, t->cert_pem, t->key_pem);
		for (i = 0; i < t->certificates.n; i++)
			load_cred(l, t->certificates.v[i].cert_pem,
			    t->certificates.v[i].key_pem);
	}
	if (t->client_ca_pem[0] != '\0')
		load_client_ca(l, t->client_ca_pem);
	for (i = 0; i < nmore && l->ncred < CREDS_MAX; i++)
		l->cred[l->ncred++] = tls_cred_ref(more[i]);
	o.ncred = l->ncred;
	o.client_ca = l->client_ca;
	if (l->failed == 0 && (server = tls_server_new(&o)) == NULL)
		say(l, true, "out of memory");
	while (l->ncred > 0)
		tls_cred_unref(l->cred[--l->ncred]);
	tls_trust_unref(l->client_ca);
	l->client_ca = NULL;
	return server;
}

/* see certs.h */
int
certs_load(struct certs *c, const struct conf *conf,
    struct tls_cred *const *more, size_t nmore,
    struct tls_sessions *sessions, certs_say *tell, void *arg)
{
	const struct conf_http_server *h = &conf->http_server;
	struct loading	l = { .certs = c, .say = tell, .arg = arg };
	const char	*name = h->tls_autocert.server_name;

	memset(c, 0, sizeof(*c));
	if (certs_used(conf))
		c->external = load_group(&l, &h->tls, "http_server.tls",
		    more, nmore, *name == '\0' ? NULL : name, sessions);
	if (h->internal_tls.enabled)
		c->internal = load_group(&l, &h->internal_tls,
		    "http_server.internal_tls", NULL, 0, NULL, sessions);
	else if (!h->tls_external && c->external != NULL)
		c->internal = tls_server_ref(c->external);
	if (l.failed == 0)
		return 0;
	certs_fini(c);
	return -1;
}

/* see certs.h */
void
certs_fini(struct certs *c)
{
	tls_server_unref(c->external);
	tls_server_unref(c->internal);
	while (c->nstamp > 0)
		free(c->stamp[--c->nstamp].path);
	free(c->stamp);
	memset(c, 0, sizeof(*c));
}

/* ---- for people ---- */

static void
describe(const char *option, const char *cert_pem, const char *key_pem,
    struct buf *out)
{
	struct buf	 chain = BUF_INIT, key = BUF_INIT;
	const char	*why;

	buf_printf(out, "%s\n", option);
	if (conf_pem_read(cert_pem, &chain, &why) == -1)
		buf_printf(out, "  cert_pem can't be read: %s\n", why);
	else if (conf_pem_read(key_pem, &key, &why) == -1)
		buf_printf(out, "  key_pem can't be read: %s\n", why);
	else
		tls_cred_describe(buf_sv(&chain), buf_sv(&key),
		    clock_wall_ms() / 1000, out);
	buf_fini(&chain);
	buf_wipe(&key);
}

static void
describe_group(const char *option, const struct conf_tls *t, struct buf *out)
{
	size_t i;

	if (!t->enabled)
		return;
	describe(option, t->cert_pem, t->key_pem, out);
	for (i = 0; i < t->certificates.n; i++)
		describe(option, t->certificates.v[i].cert_pem,
		    t->certificates.v[i].key_pem, out);
}

/* see certs.h */
void
certs_describe(const struct conf *conf, struct buf *out)
{
	describe_group("http_server.tls", &conf->http_server.tls, out);
	describe_group("http_server.internal_tls",
	    &conf->http_server.internal_tls, out);
}

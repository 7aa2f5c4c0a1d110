/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See autocert.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "acme/cmd.h"
#include "acme/csr.h"
#include "api/autocert.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

#define LETS_ENCRYPT	"https://acme-v02.api.letsencrypt.org/directory"
#define STAGING		"https://acme-staging-v02.api.letsencrypt.org/directory"

#define CA_MAX		(64 * 1024)
#define LOCK_TRIES	50
#define LOCK_PAUSE_US	100000

extern char **environ;

/* A certificate that answers a challenge. */
struct autocert_shown {
	struct autocert_shown	*next;
	char			*host;		/* as in SNI */
	struct tls_cred		*cred;
};

/* ---- options ---- */

/* Whether anything but http_addr is there for a CA on port 80. */
static bool
has_port_80(const struct conf_http_server *s)
{
	size_t i;

	for (i = 0; i < s->listeners.n; i++)
		if (!s->listeners.v[i].tls && s->listeners.v[i].port == 80)
			return true;
	return s->tls_redirect.enabled && s->tls_redirect.port == 80;
}

static void
set_challenges(struct acme_options *o, const struct conf_http_server *s)
{
	const struct conf_tls_autocert	*a = &s->tls_autocert;
	bool				 any = *a->challenge == '\0';

	o->can[ACME_HTTP_01] = strcmp(a->challenge, "http-01") == 0 ||
	    (any && (a->http || *a->webroot != '\0' || has_port_80(s)));
	o->can[ACME_TLS_ALPN_01] = any ||
	    strcmp(a->challenge, "tls-alpn-01") == 0;
}

static int
add_name(struct acme_options *o, const char *name)
{
	char *copy = strdup(name), *p;

	if (copy == NULL)
		return -1;
	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (p > copy && p[-1] == '.')
		p[-1] = '\0';
	o->name[o->nname++] = copy;
	return 0;
}

static const char *
directory(const char *value)
{
	if (*value == '\0')
		return LETS_ENCRYPT;
	return strcmp(value, "staging") == 0 ? STAGING : value;
}

/* 0, or -1 with a sentence behind *out. ca holds what the options borrow. */
static int
set_options(struct acme_options *o, const struct conf *conf, struct buf *ca,
    struct buf *out)
{
	const struct conf_tls_autocert	*a = &conf->http_server.tls_autocert;
	const char			*why = NULL;
	size_t				 i;

	*o = (struct acme_options){
		.text = {
			[ACME_DIRECTORY] = directory(a->directory),
			[ACME_EMAIL] = a->email,
			[ACME_EAB_KID] = a->eab_kid,
			[ACME_EAB_KEY] = a->eab_hmac_key,
			[ACME_PROFILE] = a->profile,
			[ACME_PREFERRED_CHAIN] = a->preferred_chain,
			[ACME_CA_PEM] = "",
			[ACME_DIR] = a->cache_dir,
			[ACME_WEBROOT] = a->webroot,
			[ACME_USER] = a->user,
			[ACME_HTTP_ADDR] = a->http_addr,
		},
		.rsa = a->force_rsa,
		.separate = a->separate,
	};
	set_challenges(o, &conf->http_server);
	for (i = 0; i < a->host_whitelist.n && i < ACME_NAMES_MAX; i++)
		if (add_name(o, a->host_whitelist.v[i]) == -1)
			why = "out of memory";
	if (a->host_whitelist.n > ACME_NAMES_MAX ||
	    acme_sets(o) > ACME_SETS_MAX)
		why = "host_whitelist is too long";
	if (*a->ca_pem != '\0' && conf_pem_read(a->ca_pem, ca, &why) == 0) {
		if (ca->n > CA_MAX)
			why = "ca_pem is too long";
		buf_putc(ca, '\0');
		o->text[ACME_CA_PEM] = ca->p;
	}
	if (ca->failed)
		why = "out of memory";
	if (why != NULL)
		buf_printf(out, "http_server.tls_autocert: %s", why);
	return why == NULL ? 0 : -1;
}

static void
free_options(struct acme_options *o)
{
	while (o->nname > 0)
		free((char *)(uintptr_t)o->name[--o->nname]);
}

/* ---- what the directory holds ---- */

static void
say_finding(void *arg, bool fatal, const char *text)
{
	(void)fatal;
	log_warn("a certificate in tls_autocert.cache_dir",
	    kv_s("name", arg), kv_s("finding", text));
}

/* Read a certificate for each set. */
static void
load_creds(struct autocert *ac, const struct acme_store *store)
{
	struct tls_report	report = { .say = say_finding };
	size_t			i;

	acme_sets_settle(&ac->o, store);
	for (i = 0; i < acme_sets(&ac->o); i++) {
		report.arg = (char *)(uintptr_t)ac->o.name[i];
		ac->cred[i] = acme_cred_load(store, ac->o.name[i],
		    ac->o.rsa, &report);
	}
}

/* Give those there are to the ports. */
static void
set_more(struct autocert *ac)
{
	size_t i, n = 0;

	for (i = 0; i < acme_sets(&ac->o); i++)
		if (ac->cred[i] != NULL)
			ac->more[n++] = ac->cred[i];
	ac->secure->more = ac->more;
	ac->secure->nmore = n;
}

/* Whether another one uses the directory. The process takes the lock for
 * good; one before it may need a moment to end. */
static int
try_lock(struct acme_store *store)
{
	int i, error;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (acme_store_lock(store) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			break;
		usleep(LOCK_PAUSE_US);
	}
	error = errno;
	log_fatal("tls_autocert.cache_dir can't be locked: does another fugu "
	    "use it?", kv_i("pid", acme_store_signed(store)),
	    kv_errno(error));
	return error == EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT;
}

static int
open_store(struct autocert *ac)
{
	struct acme_store	store;
	struct buf		why = BUF_INIT;
	uid_t			user;
	int			code = EX_CONFIG;

	if (acme_process_user(&ac->o, &user, &why) == -1)
		goto out;
	code = EX_CANTCREAT;
	if (acme_store_open(&store, ac->o.text[ACME_DIR], user, &why) == -1)
		goto out;
	if ((code = try_lock(&store)) == 0)
		load_creds(ac, &store);
	acme_store_close(&store);
out:
	buf_putc(&why, '\0');
	if (why.n > 1)
		log_fatal("tls_autocert.cache_dir must keep certificates over "
		    "a restart", kv_s("error", why.p));
	buf_fini(&why);
	return code;
}

/* ---- challenges ---- */

static void
shown_apply(const struct autocert *ac, struct tls_server *server)
{
	const struct autocert_shown *s;

	for (s = ac->shown; s != NULL; s = s->next)
		tls_server_set_challenge(server, sv_from(s->host), s->cred);
}

/* secure.h: other settings are about to come into force. */
static void
on_loaded(void *arg, struct tls_server *external)
{
	shown_apply(arg, external);
}

static void
shown_drop(struct autocert *ac, const char *host)
{
	struct autocert_shown **place, *s;

	for (place = &ac->shown; (s = *place) != NULL; place = &s->next)
		if (strcmp(s->host, host) == 0)
			break;
	if (s == NULL)
		return;
	*place = s->next;
	tls_server_set_challenge(ac->secure->certs.external,
	    sv_from(s->host), NULL);
	tls_cred_unref(s->cred);
	free(s->host);
	free(s);
}

/* What the CA sends in SNI for that name. */
static char *
alpn_host(const char *name)
{
	struct buf	b = BUF_INIT;
	size_t		n;

	acme_alpn_host(&b, sv_from(name));
	buf_putc(&b, '\0');
	return buf_steal(&b, &n);
}

static struct tls_cred *
alpn_cred(const char *name, const char *key_auth)
{
	struct buf	 chain = BUF_INIT, key = BUF_INIT;
	struct tls_cred	*cred = NULL;
	unsigned char	 seed[ACME_SEED];
	int64_t		 now = clock_wall_ms() / MSEC_PER_SEC;

	random_bytes(seed, sizeof(seed));
	if (acme_alpn_cert(&chain, &key, sv_from(name), sv_from(key_auth),
	    now, seed) == 0)
		tls_cred_load(&cred, buf_sv(&chain), buf_sv(&key), now, NULL);
	buf_fini(&chain);
	buf_wipe(&key);
	return cred;
}

static const char *
show_alpn(struct autocert *ac, const char *name, const char *key_auth)
{
	struct autocert_shown *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return "out of memory";
	s->host = alpn_host(name);
	s->cred = alpn_cred(name, key_auth);
	if (s->host == NULL || s->cred == NULL) {
		tls_cred_unref(s->cred);
		free(s->host);
		free(s);
		return "no certificate can be made for it";
	}
	shown_drop(ac, s->host);
	s->next = ac->shown;
	ac->shown = s;
	shown_apply(ac, ac->secure->certs.external);
	return NULL;
}

static const char *
on_show(void *arg, enum acme_challenge challenge, const char *name,
    const char *token, const char *key_auth)
{
	struct autocert *ac = arg;

	if (challenge == ACME_TLS_ALPN_01)
		return show_alpn(ac, name, key_auth);
	return acme_show_put(&ac->show, sv_from(token),
	    sv_from(key_auth)) == -1 ? "out of memory" : NULL;
}

static void
on_hide(void *arg, enum acme_challenge challenge, const char *name,
    const char *token)
{
	struct autocert	*ac = arg;
	char		*host;

	if (challenge == ACME_HTTP_01) {
		acme_show_drop(&ac->show, sv_from(token));
	} else if ((host = alpn_host(name)) != NULL) {
		shown_drop(ac, host);
		free(host);
	}
}

static void
on_ended(void *arg)
{
	struct autocert *ac = arg;

	acme_show_drop_all(&ac->show);
	while (ac->shown != NULL)
		shown_drop(ac, ac->shown->host);
}

/* ---- what the process says ---- */

static void
on_say(void *arg, bool warn, const char *line)
{
	(void)arg;
	if (warn)
		log_warn("certificates by themselves", kv_s("step", line));
	else
		log_info("certificates by themselves", kv_s("step", line));
}

/* Bring it into force; takes the reference. -1: the one before stays. */
static int
use(struct autocert *ac, size_t set, struct tls_cred *cred)
{
	struct tls_cred *old = ac->cred[set];

	ac->cred[set] = cred;
	set_more(ac);
	if (secure_load(ac->secure, ac->secure->conf) == -1 ||
	    secure_apply(ac->secure) == -1) {
		ac->cred[set] = old;
		set_more(ac);
		tls_cred_unref(cred);
		return -1;
	}
	tls_cred_unref(old);
	log_info("a new certificate is in force",
	    kv_sv("names", tls_cred_info(cred)->names));
	return 0;
}

/* What the directory has may have been refused by a clock that was wrong when
 * we began. */
static void
load_late(struct autocert *ac, size_t set)
{
	const struct tls_report	 report = { say_finding,
	    (char *)(uintptr_t)ac->o.name[set] };
	struct acme_store	 store;
	struct buf		 why = BUF_INIT;
	struct tls_cred		*cred = NULL;

	if (acme_store_open(&store, ac->o.text[ACME_DIR], (uid_t)-1,
	    &why) == 0)
		cred = acme_cred_load(&store, ac->o.name[set], ac->o.rsa,
		    &report);
	acme_store_close(&store);
	buf_fini(&why);
	if (cred != NULL)
		use(ac, set, cred);
}

static void
on_failing(void *arg, size_t set, unsigned failures)
{
	struct autocert	*ac = arg;
	unsigned	 sum = 0;
	size_t		 i;

	ac->failures[set] = failures;
	for (i = 0; i < acme_sets(&ac->o); i++)
		sum += ac->failures[i];
	ac->srv->acme_failures = sum;
	if (ac->cred[set] == NULL)
		load_late(ac, set);
}

/* The first fatal one. */
static void
keep_finding(void *arg, bool fatal, const char *text)
{
	struct autocert *ac = arg;

	if (fatal && *ac->why == '\0')
		strlcpy(ac->why, text, sizeof(ac->why));
}

static const char *
on_have(void *arg, size_t set, const char *chain, const char *key)
{
	struct autocert		*ac = arg;
	const struct tls_report	 report = { keep_finding, ac };
	struct tls_cred		*cred;

	*ac->why = '\0';
	if (tls_cred_load(&cred, sv_from(chain), sv_from(key),
	    clock_wall_ms() / MSEC_PER_SEC, &report) == -1)
		return ac->why;
	return use(ac, set, cred) == 0 ? NULL :
	    "the server could not load it, see the line before";
}

static const struct acme_process_ops ops = {
	.say = on_say, .show = on_show, .hide = on_hide, .have = on_have,
	.failing = on_failing, .ended = on_ended
};

/* ---- life ---- */

/* see autocert.h */
int
autocert_open(struct autocert *ac, const struct conf *conf,
    struct secure *secure)
{
	struct buf	why = BUF_INIT;
	int		code;

	acme_show_init(&ac->show);
	ac->enabled = conf->http_server.tls_autocert.enabled;
	if (!ac->enabled)
		return 0;
	ac->conf = conf_ref(conf);
	ac->secure = secure;
	if (set_options(&ac->o, conf, &ac->ca, &why) == -1) {
		log_fatal("can't start", kv_sv("error", buf_sv(&why)));
		buf_fini(&why);
		return EX_CONFIG;
	}
	if ((code = open_store(ac)) != 0)
		return code;
	set_more(ac);
	secure->loaded = on_loaded;
	secure->loaded_arg = ac;
	if (secure->nmore == 0)
		log_warn("there is no certificate yet: TLS clients are turned "
		    "away until the authority has given one");
	return 0;
}

/* see autocert.h */
void
autocert_route(struct autocert *ac, struct http_route *r)
{
	acme_show_route(&ac->show, r);
}

/* see autocert.h */
void
autocert_start(struct autocert *ac, struct server *srv)
{
	ac->srv = srv;
	srv->wants_cert = ac->enabled;
	if (ac->enabled && acme_process_start(&ac->process, srv->worker[0],
	    &ac->o, &ops, ac) == -1)
		log_error("out of memory: no certificates will be obtained");
}

/* see autocert.h */
void
autocert_close(struct autocert *ac)
{
	size_t i;

	if (!ac->enabled)
		return;
	acme_process_stop(&ac->process);
	on_ended(ac);
	ac->secure->more = NULL;
	ac->secure->nmore = 0;
	for (i = 0; i < ACME_NAMES_MAX; i++)
		tls_cred_unref(ac->cred[i]);
	acme_show_fini(&ac->show);
	free_options(&ac->o);
	buf_fini(&ac->ca);
	conf_unref(ac->conf);
}

/* ---- fugu acme ---- */

static int
command_usage_acme(void)
{
	fprintf(stderr, "usage: fugu acme status | issue | renew | revoke | "
	    "check\n"
	    "                 [--force] [--reason=number] [-c file] "
	    "[--option=value ...]\n");
	return EX_USAGE;
}

static int
run_command(const char *what, const struct acme_cmd *c)
{
	if (strcmp(what, "status") == 0)
		return acme_cmd_status(c);
	if (strcmp(what, "issue") == 0)
		return acme_cmd_issue(c, false);
	if (strcmp(what, "renew") == 0)
		return acme_cmd_issue(c, true);
	if (strcmp(what, "revoke") == 0)
		return acme_cmd_revoke(c);
	if (strcmp(what, "check") == 0)
		return acme_cmd_check(c);
	return command_usage_acme();
}

static void
print_findings(const struct conf_errors *errs)
{
	size_t i;

	for (i = 0; i < errs->n; i++)
		if (errs->v[i].kind != CONF_WARN)
			fprintf(stderr, "%s\n", errs->v[i].text);
}

static int
with_conf(const char *what, const struct conf *conf, struct acme_cmd *c)
{
	struct acme_options	o;
	struct buf		ca = BUF_INIT, why = BUF_INIT;
	int			code = EX_CONFIG;

	if (!conf->http_server.tls_autocert.enabled) {
		fprintf(stderr, "http_server.tls_autocert is not enabled\n");
		return EX_CONFIG;
	}
	if (set_options(&o, conf, &ca, &why) == 0) {
		c->o = &o;
		code = run_command(what, c);
	} else {
		fprintf(stderr, "%.*s\n", SV_ARG(buf_sv(&why)));
	}
	free_options(&o);
	buf_fini(&ca);
	buf_fini(&why);
	return code;
}

/* see autocert.h */
int
autocert_command(char *const *argv)
{
	struct conf_own_flag	 own[] = {
		{ .name = "force" },
		{ .name = "reason", .has_value = true },
	};
	struct conf_errors	 errs = CONF_ERRORS_INIT;
	struct acme_cmd		 c = { .out = stdout, .err = stderr };
	struct conf_args	 args;
	struct conf_source	 source;
	const struct conf	*conf;
	uint64_t		 reason = 0;
	int			 code = EX_USAGE;

	if (*argv != NULL && strcmp(*argv, ACME_PROCESS_WORD) == 0)
		return acme_process_main();
	if (conf_args_parse(&args, argv, own, 2, stderr) == -1 ||
	    args.noperands != 1 || (own[1].set &&
	    (sv_u64(sv_from(own[1].value), &reason) == -1 || reason > 10))) {
		conf_args_fini(&args);
		return command_usage_acme();
	}
	c.force = own[0].set;
	c.reason = (unsigned)reason;
	source = conf_args_source(&args, environ);
	if (conf_load(&conf, &source, &errs) == -1)
		code = conf_errors_exit(&errs);
	else
		code = with_conf(args.operands[0], conf, &c);
	print_findings(&errs);
	conf_errors_fini(&errs);
	conf_unref(conf);
	conf_args_fini(&args);
	return code;
}

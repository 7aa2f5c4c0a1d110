/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * fugu: commands, start, signals, stop. The order of a start is: read and
 * check the configuration, raise limits, bind every listener, write the pid
 * file, make the workers, and only then serve; whatever fails ends the
 * process before anything was served.
 *
 * Worker 0 runs in the main thread and takes the signals.
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <bsd/libutil.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/demo.h"
#include "api/api.h"
#include "api/autocert.h"
#include "api/command.h"
#include "api/order.h"
#include "api/ports.h"
#include "api/secure.h"
#include "api/service.h"
#include "api/site.h"
#include "api/summary.h"
#include "client/client.h"
#include "client/token.h"
#include "client/transport.h"
#include "conf/conf.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

extern char **environ;

#define FDS_OWN	64	/* descriptors kept for other than connections */

/* The process. */
static struct app {
	struct conf_source	 source;	/* for reloads */
	const struct conf	*conf;
	struct server		 srv;
	struct activated	 inherited;	/* sockets */
	struct site		 external, internal, redirect;
	struct ports		 ports;
	struct secure		 secure;
	struct autocert		 autocert;
	struct pidfh		*pidfile;
	struct io		 signals;
	struct timer		 deadline;
	unsigned		 undrained;	/* workers not yet drained */
	bool			 stopping;	/* draining, or further */
	bool			 stopped;	/* workers are told to end */
	int			 code;		/* exit status */
	struct demo		*demo;
} app;

/* ---- configuration ---- */

static void
report(const struct conf_errors *errs)
{
	size_t i;

	for (i = 0; i < errs->n; i++) {
		if (errs->v[i].kind == CONF_WARN)
			log_warn(errs->v[i].text);
		else
			log_error(errs->v[i].text);
	}
	if (errs->nomem)
		log_error("out of memory while reading the configuration");
}

static int
setup_log(const struct conf *conf)
{
	struct log_options o = {
		.file = conf->log.file,
		.format = strcmp(conf->log.format, "json") == 0 ? LOG_JSON :
		    LOG_LOGFMT,
		.journal = log_stderr_is_journal(),
	};

	log_level_parse(sv_from(conf->log.level), &o.level);
	if (log_init(&o) == 0)
		return 0;
	log_error("log.file can't be opened", kv_s("file", conf->log.file),
	    kv_errno(errno));
	return -1;
}

static bool
keys_ok(const struct conf *conf)
{
	const char *why;

	if (token_keys_ok(conf, &why))
		return true;
	log_error("a public key for tokens can't be used",
	    kv_s("error", why));
	return false;
}

/* The configuration at start, only to try it or for good. 0, or the exit code
 * after saying why. */
static int
load_conf(bool test)
{
	struct conf_errors	errs = CONF_ERRORS_INIT;
	int			code = 0;

	if (conf_load(&app.conf, &app.source, &errs) == -1)
		code = conf_errors_exit(&errs);
	else if (setup_log(app.conf) == -1)
		code = EX_CANTCREAT;
	report(&errs);
	conf_errors_fini(&errs);
	if (code == 0 && !test)
		code = autocert_open(&app.autocert, app.conf, &app.secure);
	if (code == 0 && (!keys_ok(app.conf) ||
	    secure_load(&app.secure, app.conf) == -1))
		code = EX_CONFIG;
	return code;
}

/* ---- pid file ---- */

static int
open_pidfile(void)
{
	pid_t other;

	if (app.conf->pid_file[0] == '\0')
		return 0;
	app.pidfile = pidfile_open(app.conf->pid_file, 0644, &other);
	if (app.pidfile != NULL) {
		pidfile_write(app.pidfile);
		return 0;
	}
	if (errno == EEXIST) {
		log_fatal("another fugu runs with this pid_file",
		    kv_s("pid_file", app.conf->pid_file),
		    kv_i("pid", other));
		return EX_TEMPFAIL;
	}
	log_fatal("pid_file can't be written",
	    kv_s("pid_file", app.conf->pid_file), kv_errno(errno));
	return EX_CANTCREAT;
}

/* ---- stop ---- */

static void
stop_worker(struct node *n, const struct conf *conf)
{
	(void)conf;
	worker_stop(n->w);
}

/* The first reason to end is the one that counts. */
static void
stop_now(int code)
{
	if (app.stopped)
		return;
	app.stopped = true;
	app.code = code;
	if (order_all(&app.srv, stop_worker, NULL) == -1)
		_exit(code);
}

static void
drained_mail(struct mail *m, void *ctx)
{
	(void)ctx;
	free(m);
	if (--app.undrained == 0 && !app.stopped) {
		log_info("all clients have left");
		stop_now(0);
	}
}

/* srv.drained: on any worker, at least once. */
static void
on_drained(struct node *n)
{
	struct mail *m;

	if (n->drain_reported || (m = calloc(1, sizeof(*m))) == NULL)
		return;		/* without memory the deadline ends it */
	n->drain_reported = true;
	m->run = drained_mail;
	worker_post(app.srv.worker[0], m);
}

static void
drain_worker(struct node *n, const struct conf *conf)
{
	(void)conf;
	ports_stop(&app.ports, n->w);
	http_drain(n->w);
	node_drain(n);
}

static void
on_deadline(struct timer *t)
{
	(void)t;
	log_error("shutdown.timeout has passed, clients are left");
	stop_now(1);
}

static void
on_terminate(int sig)
{
	if (app.stopping) {
		log_warn("second signal, not waiting any longer",
		    kv_s("signal", strsignal(sig)));
		if (app.pidfile != NULL)
			pidfile_remove(app.pidfile);
		_exit(1);
	}
	log_info("stopping", kv_s("signal", strsignal(sig)),
	    kv_u("connections", net_conns()));
	service_stopping(app.conf->shutdown.timeout);
	app.stopping = true;
	app.undrained = app.srv.n;
	timer_set(app.srv.worker[0], &app.deadline, app.srv.worker[0]->now +
	    app.conf->shutdown.timeout);
	if (order_all(&app.srv, drain_worker, NULL) == -1)
		stop_now(EX_OSERR);
}

/* ---- other signals ---- */

static void
set_conf(struct node *n, const struct conf *conf)
{
	if (node_set_conf(n, conf) == -1)
		log_error("out of memory: a worker keeps the old "
		    "configuration", kv_u("worker", n->w->id));
}

/* Whether the new configuration is in force. */
static bool
reload(void)
{
	struct conf_errors	 errs = CONF_ERRORS_INIT;
	const struct conf	*conf;
	struct buf		 names = BUF_INIT;

	app.source.was = app.conf;
	if (conf_load(&conf, &app.source, &errs) == 0 && (!keys_ok(conf) ||
	    secure_load(&app.secure, conf) == -1)) {
		conf_unref(conf);
		conf = NULL;
	}
	report(&errs);
	conf_errors_fini(&errs);
	if (conf == NULL) {
		log_error("the configuration was not reloaded: it is wrong, "
		    "the old one stays in force");
		return false;
	}
	/* From what they were at the start. */
	if (conf_diff_reload(app.ports.conf, conf, &names) > 0)
		log_warn("some changed options take effect at a restart only",
		    kv_sv("options", buf_sv(&names)));
	buf_fini(&names);
	setup_log(conf);
	if (order_all(&app.srv, set_conf, conf) == -1 ||
	    secure_apply(&app.secure) == -1) {
		log_error("out of memory: the configuration was not reloaded");
		conf_unref(conf);
		return false;
	}
	conf_unref(app.conf);
	app.conf = conf;
	secure_watch(&app.secure);
	log_info("configuration reloaded");
	return true;
}

static void
on_signals(struct io *io, struct worker *w, uint32_t ev)
{
	struct signalfd_siginfo si;

	(void)w;
	(void)ev;
	while (read(io->fd, &si, sizeof(si)) == sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			on_terminate((int)si.ssi_signo);
			break;
		case SIGQUIT:
			log_info("stopping without waiting for clients");
			stop_now(0);
			break;
		case SIGHUP:
			service_reloading();
			service_reloaded(reload());
			break;
		case SIGUSR1:
			if (log_reopen() == -1)
				log_error("log.file can't be opened again",
				    kv_errno(errno));
			break;
		case SIGUSR2:
			summary_log(app.srv.node[0]);
			break;
		}
	}
}

static int
open_signals(void)
{
	static const int	wanted[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP,
				    SIGUSR1, SIGUSR2 };
	sigset_t		set;
	size_t			i;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	app.signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	app.signals.on_event = on_signals;
	return app.signals.fd == -1 ? -1 :
	    io_add(app.srv.worker[0], &app.signals, EPOLLIN);
}

/* ---- start ---- */

static void
name_server(void)
{
	struct server	*srv = &app.srv;
	unsigned char	 r[16];
	char		 host[128] = "localhost";

	random_bytes(r, sizeof(r));
	uuid4_format(srv->uid, r);
	if (app.conf->node.name[0] != '\0') {
		snprintf(srv->name, sizeof(srv->name), "%s",
		    app.conf->node.name);
		return;
	}
	gethostname(host, sizeof(host) - 1);
	snprintf(srv->name, sizeof(srv->name), "%s_%lld", host,
	    (long long)app.conf->http_server.port);
}

static int
make_workers(void)
{
	struct server	*srv = &app.srv;
	struct worker	*w;
	unsigned	 i;

	for (i = 0; i < srv->n; i++) {
		if ((w = worker_new(i)) == NULL)
			return -1;
		srv->worker[i] = w;
		if (node_init(srv, w, app.conf) == -1 ||
		    api_node_init(srv->node[i]) == -1 ||
		    secure_start(&app.secure, &app.ports, srv, w) == -1 ||
		    ports_start(&app.ports, w) == -1)
			return -1;
	}
	return 0;
}

static void
limit_conns(void)
{
	unsigned max = net_raise_nofile();

	max = max > 2 * FDS_OWN + NET_RESERVE ?
	    max - FDS_OWN - NET_RESERVE : max / 2;
	net_set_conn_limit(max, "HTTP/1.1 503 Service Unavailable\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\n");
}

static void
announce_demo(const struct demo *demo)
{
	long long	 port = app.conf->http_server.port;
	const char	*key = app.conf->http_api.key;

	printf("\nfugu demo: open http://localhost:%lld/ in two windows\n\n"
	    "  API key  %s\n"
	    "  publish  curl -X POST http://localhost:%lld/api/publish \\\n"
	    "             -H 'X-API-Key: %s' \\\n"
	    "             -d '{\"channel\":\"demo\","
	    "\"data\":{\"nick\":\"curl\",\"text\":\"hello\"}}'\n"
	    "  token    %.*s\n\n"
	    "The secrets are new at every start. Stop it with Ctrl-C.\n\n",
	    port, key, port, key, SV_ARG(buf_sv(&demo->token)));
	fflush(stdout);
}

static void
announce(void)
{
	ports_announce(&app.ports);
	secure_watch(&app.secure);
	service_ready(app.srv.node[0]);
	log_info("fugu is running", kv_s("version", FUGU_VERSION),
	    kv_u("workers", app.srv.n), kv_i("pid", getpid()),
	    kv_s("node", app.srv.name));
	if (app.demo != NULL)
		announce_demo(app.demo);
}

/* Deliver what the workers said to each other at the end. */
static void
deliver_last(struct server *srv)
{
	bool		more = true;
	unsigned	i;

	while (more) {
		more = false;
		for (i = 0; i < srv->n; i++) {
			if (!worker_has_mail(srv->worker[i]))
				continue;
			worker_turn(srv->worker[i], 0);
			more = true;
		}
	}
}

static void
tear_down(void)
{
	struct server	*srv = &app.srv;
	unsigned	 i;

	service_end();
	for (i = 1; i < srv->n; i++)
		worker_join(srv->worker[i]);
	autocert_close(&app.autocert);
	for (i = 0; i < srv->n; i++) {
		ports_stop(&app.ports, srv->worker[i]);
		worker_close_conns(srv->worker[i]);
	}
	deliver_last(srv);
	for (i = 0; i < srv->n; i++) {
		api_node_fini(srv->node[i]);
		node_free(srv->node[i]);
		http_worker_fini(srv->worker[i]);
		secure_end(&app.secure, srv->worker[i]);
		worker_free(srv->worker[i]);
	}
	ports_close(&app.ports);
	secure_fini(&app.secure);
	site_fini(&app.external);
	site_fini(&app.internal);
	site_fini(&app.redirect);
	conf_unref(app.conf);
	if (app.pidfile != NULL)
		pidfile_remove(app.pidfile);
}

/* Bind everything that is served. 0, or an exit status after saying why
 * not. The first extra route is for tls_autocert, on every plain port. */
static int
open_ports(const struct http_route *extra, size_t nextra)
{
	const struct conf	*conf = app.conf;
	const struct ports_sites sites = { &app.external.http,
	    &app.internal.http, &app.redirect.http };
	const char		*why;
	int			 fd;

	if (!app.autocert.enabled) {
		extra++;
		nextra--;
	}
	if (activate_take(&app.inherited, &why, &fd) == -1) {
		log_fatal("an inherited socket can't be used",
		    kv_i("fd", fd), kv_s("error", why));
		return EX_CONFIG;
	}
	if (site_build(&app.external, &app.internal, conf,
	    ports_separate(conf, &app.inherited), extra, nextra) == -1 ||
	    (ports_redirect(conf, &app.inherited) &&
	    site_build_redirect(&app.redirect, conf,
	    ports_https(conf, &app.inherited), extra,
	    app.autocert.enabled ? 1 : 0) == -1)) {
		log_fatal("the endpoints can't be served as configured");
		return EX_CONFIG;
	}
	return ports_open(&app.ports, conf, &app.inherited, &sites,
	    app.srv.n);
}

/* From a good configuration to the end. */
static int
serve(const struct http_route *extra, size_t nextra)
{
	struct server	*srv = &app.srv;
	unsigned	 i;
	int		 code;

	notify_init();
	srv->n = app.conf->workers > 0 ? (unsigned)app.conf->workers :
	    net_cpus();
	srv->drained = on_drained;
	srv->started_wall_ms = clock_wall_ms();
	app.deadline.fn = on_deadline;
	limit_conns();
	name_server();
	if ((code = open_ports(extra, nextra)) != 0)
		return code;
	if ((code = open_pidfile()) != 0) {
		ports_close(&app.ports);
		return code;
	}
	if (make_workers() == -1 || open_signals() == -1) {
		log_fatal("can't start", kv_errno(errno));
		ports_close(&app.ports);
		if (app.pidfile != NULL)
			pidfile_remove(app.pidfile);
		return EX_OSERR;
	}
	autocert_start(&app.autocert, srv);
	for (i = 1; i < srv->n; i++) {
		if (worker_start(srv->worker[i]) == -1) {
			log_fatal("can't start a thread", kv_errno(errno));
			_exit(EX_OSERR);
		}
	}
	announce();
	worker_run(srv->worker[0]);
	tear_down();
	log_info("stopped");
	return app.code;
}

/* ---- commands ---- */

/* The page's token, by whatever secret is configured. */
static int
fill_demo(struct demo *demo)
{
	struct buf	claims = BUF_INIT, token = BUF_INIT;
	int		r = -1;

	buf_printf(&claims, "{\"sub\":\"demo\",\"iat\":%lld}",
	    (long long)(clock_wall_ms() / MSEC_PER_SEC));
	if (!claims.failed && jwt_sign(&token, JWT_HS256,
	    sv_from(app.conf->client.token.hmac_secret_key),
	    buf_sv(&claims)) == 0)
		r = demo_fill(demo, buf_sv(&token),
		    sv_from(app.conf->http_api.key));
	buf_fini(&claims);
	buf_fini(&token);
	return r;
}

enum {
	OWN_TEST, OWN_HELP, OWN_VERSION,
#ifdef FUGU_ECHO
	OWN_ECHO,
#endif
	OWN_MAX
};

/* fugu and fugu demo. argv is what follows. */
static int
cmd_server(char *const *argv, struct demo *demo)
{
	struct conf_own_flag	 own[OWN_MAX] = {
		[OWN_TEST] = { .letter = 't' },
		[OWN_HELP] = { .name = "help", .letter = 'h' },
		[OWN_VERSION] = { .name = "version", .letter = 'v' },
#ifdef FUGU_ECHO
		[OWN_ECHO] = { .name = "echo" },
#endif
	};
	struct http_route	 extra[3];
	size_t			 nextra = 1;
	struct conf_args	 args;
	int			 code = EX_USAGE;

	if (conf_args_parse(&args, argv, own, OWN_MAX, stderr) == -1) {
		fprintf(stderr, "fugu: try `fugu --help'\n");
	} else if (own[OWN_HELP].set) {
		command_usage(stdout);
		code = 0;
	} else if (own[OWN_VERSION].set) {
		code = command_version();
	} else if (args.noperands > 0) {
		fprintf(stderr, "fugu: unknown command: %s\n",
		    args.operands[0]);
	} else {
		app.source = conf_args_source(&args, environ);
		if (demo != NULL && app.source.path == NULL) {
			app.source.path = "demo";
			app.source.text = buf_sv(&demo->conf);
		}
		app.demo = demo;
		autocert_route(&app.autocert, &extra[0]);
		if (demo != NULL)
			extra[nextra++] = (struct http_route){
				.path = "/", .methods = 1u << HTTP_GET,
				.handler = demo_handler, .ctx = demo,
			};
#ifdef FUGU_ECHO
		if (own[OWN_ECHO].set)
			extra[nextra++] = (struct http_route){
				.path = "/echo", .methods = 1u << HTTP_GET,
				.handler = ws_echo_handler,
			};
#endif
		code = load_conf(own[OWN_TEST].set);
		if (code == 0 && own[OWN_TEST].set)
			printf("the configuration is good\n");
		else if (code == 0 && demo != NULL && fill_demo(demo) == -1)
			code = EX_OSERR;
		else if (code == 0)
			code = serve(extra, nextra);
	}
	conf_args_fini(&args);
	return code;
}

static int
cmd_demo(char *const *argv)
{
	static struct demo	demo;
	int			code;

	if (demo_init(&demo, random_bytes) == -1) {
		fprintf(stderr, "fugu: out of memory\n");
		return EX_OSERR;
	}
	code = cmd_server(argv, &demo);
	demo_fini(&demo);
	return code;
}

int
main(int argc, char *argv[])
{
	unsigned char	 seed[16];
	char *const	*rest = argv + (argc > 1 ? 2 : 1);
	int		 code;

	random_bytes(seed, sizeof(seed));
	hash_seed(seed);
	if (argc < 2 || argv[1][0] == '-')
		return cmd_server(argv + 1, NULL);
	if (strcmp(argv[1], "demo") == 0)
		return cmd_demo(rest);
	if ((code = command_run(argv[1], rest)) != -1)
		return code;
	fprintf(stderr, "fugu: unknown command: %s\n", argv[1]);
	command_usage(stderr);
	return EX_USAGE;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See cmd.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "acme/cmd_impl.h"
#include "acme/process.h"
#include "util/clock.h"
#include "util/log.h"

#define WATCH_S		300	/* how long a server is watched doing it */
#define WATCH_PAUSE_US	200000

static int64_t
now(void)
{
	return clock_wall_ms() / MSEC_PER_SEC;
}

/* ---- what a run has ---- */

/* see cmd_impl.h */
int
acme_run_open(struct acme_run *r, const struct acme_cmd *c)
{
	const struct log_options quiet = { .level = LOG_NONE };
	struct buf	why = BUF_INIT;
	uid_t		user;

	log_init(&quiet);
	*r = (struct acme_run){ .c = c, .o = *c->o,
	    .store = ACME_STORE_CLOSED };
	acme_show_init(&r->show);
	if (acme_process_user(c->o, &user, &why) == 0 &&
	    acme_store_open(&r->store, c->o->text[ACME_DIR], user,
	    &why) == 0) {
		acme_sets_settle(&r->o, &r->store);
		if ((r->w = worker_new(0)) != NULL)
			return 0;
		buf_puts(&why, log_strerror(errno));
	}
	fprintf(c->err, "%.*s\n", SV_ARG(buf_sv(&why)));
	buf_fini(&why);
	acme_run_close(r);
	return -1;
}

/* see cmd_impl.h */
void
acme_run_close(struct acme_run *r)
{
	if (r->driving)
		acme_drive_close(&r->drive);
	if (r->w != NULL) {
		listener_free(r->listener);
		worker_close_conns(r->w);
		http_worker_fini(r->w);
	}
	if (r->driving)
		acme_drive_fini(&r->drive);
	if (r->w != NULL)
		worker_free(r->w);
	acme_show_fini(&r->show);
	acme_store_close(&r->store);
}

static void
on_accept(struct conn *c, void *ctx)
{
	http_serve(c, ctx);
}

/* see cmd_impl.h */
int
acme_run_listen(struct acme_run *r)
{
	const char	*place = r->o.text[ACME_HTTP_ADDR];
	const char	*colon = strrchr(place, ':');
	struct addr	 a;
	uint64_t	 port;
	char		 host[ADDR_STRLEN];
	int		 fd = -1;

	acme_show_route(&r->show, &r->route);
	r->site = (struct http_site){
		.route = &r->route, .nroute = 1, .max_head = 16384,
		.header_timeout_ms = 10000, .body_timeout_ms = 10000,
		.idle_timeout_ms = 10000, .forwarded_header = "",
	};
	sv_copy(host, sizeof(host), sv_make(place, (size_t)(colon - place)));
	sv_u64(sv_from(colon + 1), &port);
	errno = EINVAL;
	if (addr_parse(&a, host, (uint16_t)port, true) == 0)
		fd = net_listen(&a, false, 64);
	if (fd == -1 && errno == EAFNOSUPPORT && addr_parse(&a, host,
	    (uint16_t)port, false) == 0)
		fd = net_listen(&a, false, 64);
	if (fd != -1)
		r->listener = listener_new(r->w, fd, false, on_accept,
		    &r->site);
	return r->listener == NULL ? -1 : 0;
}

/* ---- what the machines say and want ---- */

static void
say(void *arg, bool warn, struct sv line)
{
	struct acme_run *r = arg;

	if (r->quiet)
		return;
	r->said = true;
	fprintf(warn ? r->c->err : r->c->out, "%.*s\n", SV_ARG(line));
	fflush(r->c->out);
}

static const char *
show(void *arg, const struct acme_step *st)
{
	struct acme_run *r = arg;

	return acme_show_put(&r->show, st->token, st->key_auth) == -1 ?
	    "out of memory" : NULL;
}

static const char *
hide(void *arg, const struct acme_step *st)
{
	struct acme_run *r = arg;

	acme_show_drop(&r->show, st->token);
	return NULL;
}

static const char *
have(void *arg, size_t set, struct sv chain, struct sv key)
{
	struct acme_run *r = arg;

	(void)set;
	(void)chain;
	(void)key;
	r->changed = true;
	return NULL;
}

/* Each in its turn, once. */
static void
idle(void *arg, size_t set, int64_t until)
{
	struct acme_run *r = arg;

	(void)set;
	if (until > r->until)
		r->until = until;
	if (++r->nidle == r->drive.nset)
		worker_stop(r->w);
}

static const struct acme_drive_ops ops = {
	.show = show, .hide = hide, .have = have, .say = say, .idle = idle
};

/* see cmd_impl.h */
int
acme_run_drive(struct acme_run *r)
{
	struct buf	why = BUF_INIT;
	int		ret;

	ret = acme_process_become(&r->o, &why);
	if (ret == 0) {
		r->driving = true;
		ret = acme_drive_init(&r->drive, r->w, &r->o, &r->store,
		    &ops, r, &why);
	}
	if (ret == -1)
		fprintf(r->c->err, "%.*s\n", SV_ARG(buf_sv(&why)));
	buf_fini(&why);
	return ret;
}

/* ---- status ---- */

static void
print_time(FILE *f, const char *before, int64_t at)
{
	struct clock_date	d;
	int64_t			left = at - now();

	clock_date(&d, at);
	fprintf(f, "%s%04u-%02u-%02u %02u:%02u UTC", before, d.year, d.month,
	    d.day, d.hour, d.minute);
	if (left > 2 * 86400)
		fprintf(f, " (in %lld days)", (long long)left / 86400);
	else if (left > 0)
		fprintf(f, " (in %lld hours)", (long long)left / 3600);
	fputc('\n', f);
}

static void
print_status(const struct acme_run *r, size_t set,
    const struct acme_status *s)
{
	struct sv	name[ACME_NAMES_MAX];
	size_t		n = acme_set_names(&r->o, set, name), i;
	FILE		*f = r->c->out;

	for (i = 0; i < n; i++)
		fprintf(f, "%s%.*s", i > 0 ? " " : "", SV_ARG(name[i]));
	fputc('\n', f);
	if (s->have)
		print_time(f, "  certificate  valid until ", s->not_after);
	else
		fputs("  certificate  none\n", f);
	if (s->have)
		print_time(f, "  renewal      ", s->renew_at);
	if (s->next_at > s->renew_at)
		print_time(f, "  next try     ", s->next_at);
	if (s->problem != NULL)
		fprintf(f, "  problem      %s (failed %u times in a row)\n",
		    s->problem, s->failures);
	if (s->account_url != NULL)
		fprintf(f, "  account      %s\n", s->account_url);
	if (s->order_url != NULL)
		fprintf(f, "  order        %s\n", s->order_url);
}

static bool
is_valid(const struct acme_status *s)
{
	return s->have && s->not_before <= now() && now() < s->not_after;
}

/* see cmd.h */
int
acme_cmd_status(const struct acme_cmd *c)
{
	struct acme_run		r;
	struct acme_status	s;
	bool			all = true;
	size_t			i;

	if (acme_run_open(&r, c) == -1)
		return ACME_CMD_FAILED;
	if (acme_run_drive(&r) == -1) {
		acme_run_close(&r);
		return ACME_CMD_FAILED;
	}
	for (i = 0; i < r.drive.nset; i++) {
		acme_drive_status(&r.drive, i, &s);
		print_status(&r, i, &s);
		all = all && is_valid(&s);
	}
	acme_run_close(&r);
	return all ? 0 : ACME_CMD_FAILED;
}

/* ---- a server does it ---- */

/* What the directory says of all certificates. */
struct sum {
	int64_t		not_before;	/* the sum, changes with any */
	int64_t		pause_until;	/* the latest */
	unsigned	failures;
	bool		valid;		/* all are */
	char		problem[1024];
};

static int
sum_up(struct acme_run *r, struct sum *sum)
{
	struct acme_status	s;
	size_t			i;

	*sum = (struct sum){ .valid = true };
	r->quiet = true;
	if (acme_run_drive(r) == -1)
		return -1;
	for (i = 0; i < r->drive.nset; i++) {
		acme_drive_status(&r->drive, i, &s);
		sum->not_before += s.not_before;
		sum->failures += s.failures;
		sum->valid = sum->valid && is_valid(&s);
		if (s.failures > 0 && s.pause_until > sum->pause_until)
			sum->pause_until = s.pause_until;
		if (s.problem != NULL)
			strlcpy(sum->problem, s.problem,
			    sizeof(sum->problem));
	}
	acme_drive_close(&r->drive);
	acme_drive_fini(&r->drive);
	r->driving = false;
	return 0;
}

static int
watch(struct acme_run *r, const struct sum *before)
{
	const struct acme_cmd	*c = r->c;
	struct sum		 after;
	int64_t			 end = now() + WATCH_S;

	do {
		usleep(WATCH_PAUSE_US);
		if (sum_up(r, &after) == -1)
			return ACME_CMD_FAILED;
		if (after.not_before != before->not_before) {
			fprintf(c->out, "there is a new certificate\n");
			return ACME_CMD_CHANGED;
		}
		if (after.failures > before->failures &&
		    after.pause_until > now()) {
			fprintf(c->err, "%s\n", after.problem);
			return ACME_CMD_FAILED;
		}
	} while (now() < end);
	fprintf(c->err, "the server has not done it in %d s, see its log\n",
	    WATCH_S);
	return ACME_CMD_FAILED;
}

static int
ask_server(struct acme_run *r, bool renew)
{
	const struct acme_cmd	*c = r->c;
	struct sum		 before;
	pid_t			 pid;

	if (sum_up(r, &before) == -1)
		return ACME_CMD_FAILED;
	if (before.valid && !renew) {
		fprintf(c->out, "nothing is to be done, the certificate is "
		    "good\n");
		return ACME_CMD_UNCHANGED;
	}
	if (before.pause_until > now() && !c->force) {
		fprintf(c->err, "%s\n", before.problem);
		print_time(c->err, "the next try is not before ",
		    before.pause_until);
		return ACME_CMD_FAILED;
	}
	if ((pid = acme_store_signed(&r->store)) <= 1) {
		fprintf(c->err, "another process is at work in the "
		    "directory\n");
		return ACME_CMD_FAILED;
	}
	if (kill(pid, c->force ? SIGUSR2 : SIGUSR1) == -1) {
		fprintf(c->err, "a server uses the directory and can't be "
		    "told: %s\n", log_strerror(errno));
		return ACME_CMD_FAILED;
	}
	fprintf(c->out, "asked the running server\n");
	fflush(c->out);
	return watch(r, &before);
}

/* ---- it is done here ---- */

/* Something is missing; nothing was tried if it had to wait. */
static int
failed(const struct acme_run *r, const struct acme_status *s)
{
	if (!r->said) {
		if (s->problem != NULL)
			fprintf(r->c->err, "%s\n", s->problem);
		print_time(r->c->err, "the next try is not before ",
		    r->until);
	}
	return ACME_CMD_FAILED;
}

static int
outcome(const struct acme_run *r)
{
	struct acme_status	s;
	size_t			i;

	for (i = 0; i < r->drive.nset; i++) {
		acme_drive_status(&r->drive, i, &s);
		/* Failures of old count while they hold something up. */
		if (!is_valid(&s) || (s.failures > 0 &&
		    (r->said || s.renew_at <= now())))
			return failed(r, &s);
	}
	if (!r->changed)
		fprintf(r->c->out, "nothing is to be done, the certificate is "
		    "good\n");
	return r->changed ? ACME_CMD_CHANGED : ACME_CMD_UNCHANGED;
}

static int
do_issue(struct acme_run *r, bool renew)
{
	/* There is no TLS port here. */
	r->o.can[ACME_HTTP_01] = true;
	r->o.can[ACME_TLS_ALPN_01] = false;
	if (*r->o.text[ACME_WEBROOT] == '\0' && acme_run_listen(r) == -1) {
		fprintf(r->c->err, "can't listen on %s to answer the CA: "
		    "%s\n", r->o.text[ACME_HTTP_ADDR], log_strerror(errno));
		return ACME_CMD_FAILED;
	}
	if (acme_run_drive(r) == -1)
		return ACME_CMD_FAILED;
	if (renew || r->c->force)
		acme_drive_renew(&r->drive, r->c->force);
	worker_run(r->w);
	return outcome(r);
}

/* see cmd.h */
int
acme_cmd_issue(const struct acme_cmd *c, bool renew)
{
	struct acme_run	r;
	int		code = ACME_CMD_FAILED;

	if (acme_run_open(&r, c) == -1)
		return ACME_CMD_FAILED;
	if (acme_store_lock(&r.store) == 0)
		code = do_issue(&r, renew);
	else if (errno == EWOULDBLOCK)
		code = ask_server(&r, renew);
	else
		fprintf(c->err, "the directory can't be locked: %s\n",
		    log_strerror(errno));
	acme_run_close(&r);
	return code;
}

/* see cmd.h */
int
acme_cmd_revoke(const struct acme_cmd *c)
{
	struct acme_run		r;
	struct acme_status	s;
	struct sv		name[ACME_NAMES_MAX];
	char			file[ACME_STORE_NAME];
	pid_t			server = 0;
	bool			any = false;
	int			code = ACME_CMD_FAILED;
	size_t			i;

	if (acme_run_open(&r, c) == -1)
		return ACME_CMD_FAILED;
	if (acme_store_lock(&r.store) == -1)
		server = acme_store_signed(&r.store);
	if (acme_run_drive(&r) == 0) {
		for (i = 0; i < r.drive.nset; i++) {
			acme_drive_status(&r.drive, i, &s);
			any = any || s.have;
		}
		acme_drive_revoke(&r.drive, c->reason);
		worker_run(r.w);
		code = any ? ACME_CMD_CHANGED : ACME_CMD_FAILED;
	}
	for (i = 0; code == ACME_CMD_CHANGED && i < r.drive.nset; i++) {
		acme_drive_status(&r.drive, i, &s);
		if (s.have) {
			code = ACME_CMD_FAILED;
			break;
		}
		acme_set_names(&r.o, i, name);
		acme_store_remove(&r.store, acme_store_name(file,
		    ACME_STORE_CERT, name[0], r.o.rsa));
	}
	/* A server must not go on with it. */
	if (code == ACME_CMD_CHANGED && server > 1 &&
	    server == acme_store_signed(&r.store) && kill(server, SIGUSR2) == 0)
		fprintf(c->out, "asked the running server for a new one\n");
	acme_run_close(&r);
	return code;
}

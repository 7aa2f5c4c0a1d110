/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See drive.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acme/drive.h"
#include "acme/jws.h"
#include "acme/show.h"
#include "tls/tls.h"
#include "util/base64.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"

/* The clock may be set meanwhile, or the machine sleep. */
#define LOOK_MS		(30 * 60 * MSEC_PER_SEC)

struct acme_set {
	struct acme_want	 want;
	struct sv		 name[ACME_NAMES_MAX];
	struct acme		*a;
	int64_t			 until;		/* Unix seconds */
};

const char acme_later[] = "";

static int64_t
now(void)
{
	return clock_wall_ms() / MSEC_PER_SEC;
}

/* ---- options ---- */

/* see drive.h */
size_t
acme_sets(const struct acme_options *o)
{
	return o->separate ? o->nname : 1;
}

/* see drive.h */
size_t
acme_set_names(const struct acme_options *o, size_t set,
    struct sv out[ACME_NAMES_MAX])
{
	size_t i;

	if (o->separate) {
		out[0] = sv_from(o->name[set]);
		return 1;
	}
	for (i = 0; i < o->nname; i++)
		out[i] = sv_from(o->name[i]);
	return o->nname;
}

/* see drive.h */
struct tls_cred *
acme_cred_load(const struct acme_store *store, const char *name, bool rsa,
    const struct tls_report *report)
{
	char		 file[ACME_STORE_NAME];
	struct tls_cred	*cred = NULL;
	struct buf	 b = BUF_INIT;

	acme_store_name(file, ACME_STORE_CERT, sv_from(name), rsa);
	if (acme_store_read(store, file, &b) == -1)
		report->say(report->arg, true, log_strerror(errno));
	else if (b.n > 0)
		tls_cred_load(&cred, buf_sv(&b), buf_sv(&b), now(), report);
	buf_wipe(&b);
	return cred;
}

/* Nobody asks why. */
static void
say_nothing(void *arg, bool fatal, const char *text)
{
	(void)arg;
	(void)fatal;
	(void)text;
}

static bool
is_for(const struct tls_cred *cred, const char *name)
{
	bool exact;

	return cred != NULL && tls_cred_matches(cred, sv_from(name), &exact);
}

/* see drive.h */
void
acme_sets_settle(struct acme_options *o, const struct acme_store *store)
{
	const struct tls_report	 report = { say_nothing, NULL };
	struct tls_cred		*first = NULL, *cred;
	bool			 each = o->nname <= ACME_SETS_MAX, all = true;
	size_t			 i;

	for (i = 0; i < o->nname && each; i++) {
		cred = acme_cred_load(store, o->name[i], o->rsa, &report);
		if (i == 0)
			first = cred;
		each = is_for(cred, o->name[i]);
		all = all && is_for(first, o->name[i]);
		if (i > 0)
			tls_cred_unref(cred);
	}
	tls_cred_unref(first);
	if (each && !all)
		o->separate = true;
}

/* ---- a step carried out ---- */

static const char *
file_name(const struct acme_drive *d, const struct acme_set *s,
    enum acme_file f, char out[ACME_STORE_NAME])
{
	static const enum acme_store_file file[] = {
		[ACME_FILE_ACCOUNT] = ACME_STORE_ACCOUNT,
		[ACME_FILE_STATE] = ACME_STORE_STATE,
		[ACME_FILE_KEY] = ACME_STORE_KEY,
	};

	return acme_store_name(out, file[f], s->name[0], d->o->rsa);
}

static const char *
write_file(struct acme_drive *d, const struct acme_step *st)
{
	char		 scratch[ACME_STORE_NAME];
	const char	*name = file_name(d, d->busy, st->file, scratch);
	int		 ret;

	if (st->what == ACME_REMOVE)
		ret = acme_store_remove(d->store, name);
	else
		ret = acme_store_write(d->store, name, st->body);
	return ret == -1 ? log_strerror(errno) : NULL;
}

static const char *
show(struct acme_drive *d, const struct acme_step *st)
{
	const char	*webroot = d->o->text[ACME_WEBROOT];
	int		 ret;

	if (st->challenge != ACME_HTTP_01 || *webroot == '\0')
		return st->what == ACME_SHOW ? d->ops->show(d->arg, st) :
		    d->ops->hide(d->arg, st);
	ret = acme_show_file(webroot, st->token, st->key_auth);
	return ret == -1 ? log_strerror(errno) : NULL;
}

/* The key before the chain, as Go's autocert has it. */
static const char *
keep(struct acme_drive *d, struct sv chain, struct sv key)
{
	char		 name[ACME_STORE_NAME];
	struct buf	 b = BUF_INIT;
	const char	*why = NULL;

	buf_putsv(&b, key);
	buf_putsv(&b, chain);
	acme_store_name(name, ACME_STORE_CERT, d->busy->name[0], d->o->rsa);
	if (b.failed)
		why = log_strerror(ENOMEM);
	else if (acme_store_write(d->store, name, buf_sv(&b)) == -1)
		why = log_strerror(errno);
	buf_wipe(&b);
	return why;
}

static const char *
have(struct acme_drive *d, const struct acme_step *st)
{
	const char *why;

	/* It is used even if it can't be kept. */
	d->unkept = keep(d, st->chain, st->key);
	why = d->ops->have(d->arg, (size_t)(d->busy - d->set), st->chain,
	    st->key);
	return why == NULL ? d->unkept : why;
}

static const char *
carry_out(struct acme_drive *d, const struct acme_step *st)
{
	switch (st->what) {
	case ACME_SHOW:
	case ACME_HIDE:
		return show(d, st);
	case ACME_HAVE:
		return have(d, st);
	default:
		return write_file(d, st);
	}
}

/* ---- one machine at work ---- */

static void	step(struct acme_drive *);
static void	on_timer(struct timer *);

static struct acme_drive *
drive_of(struct timer *t)
{
	return (struct acme_drive *)(void *)((char *)t -
	    offsetof(struct acme_drive, timer));
}

static void
on_waited(struct timer *t)
{
	step(drive_of(t));
}

/* fn is called at that time, or sooner. */
static void
wait_until(struct acme_drive *d, int64_t until, void (*fn)(struct timer *))
{
	int64_t left = until - now();

	if (left > LOOK_MS / MSEC_PER_SEC)
		left = LOOK_MS / MSEC_PER_SEC;
	d->timer.fn = fn;
	timer_set(d->w, &d->timer, d->w->now +
	    (left > 0 ? left * MSEC_PER_SEC : 0));
}

static void
on_reply(void *arg, const struct acme_reply *r)
{
	struct acme_drive *d = arg;

	acme_reply(d->busy->a, now(), r);
	step(d);
}

/* 0, or -1: it came to nothing, which the machine was told. */
static int
request(struct acme_drive *d, const struct acme_step *st)
{
	struct acme_reply	none = { .why = "out of memory" };
	struct buf		why = BUF_INIT;
	int			ret = 0;

	if (d->https.client == NULL)
		ret = acme_https_trust(&d->https, d->o->text[ACME_CA_PEM],
		    &why);
	if (ret == 0)
		ret = acme_https_ask(&d->https, st->url, st->body, st->head,
		    on_reply, d);
	buf_putc(&why, '\0');
	if (why.n > 1 && !why.failed)
		none.why = why.p;
	if (ret == -1)
		acme_reply(d->busy->a, now(), &none);
	buf_fini(&why);
	return ret;
}

/* Another one's turn, from the timer: this may be within an answer. */
static void
rest(struct acme_drive *d, int64_t until)
{
	size_t i = (size_t)(d->busy - d->set);

	d->busy->until = until;
	d->busy = NULL;
	wait_until(d, 0, on_timer);
	d->ops->idle(d->arg, i, until);
}

static void
step(struct acme_drive *d)
{
	struct acme_step	 st;
	const char		*why;

	for (;;) {
		acme_next(d->busy->a, now(), &st);
		if (st.say.n > 0)
			d->ops->say(d->arg, st.warn, st.say);
		if (st.what == ACME_IDLE) {
			rest(d, st.until);
			return;
		}
		if (st.what == ACME_WAIT) {
			acme_https_pause(&d->https);
			wait_until(d, st.until, on_waited);
			return;
		}
		if (st.what == ACME_REQUEST) {
			if (request(d, &st) == 0)
				return;
			continue;
		}
		if ((why = carry_out(d, &st)) == acme_later)
			return;
		acme_done(d->busy->a, now(), why);
	}
}

/* see drive.h */
void
acme_drive_done(struct acme_drive *d, const char *why)
{
	if (d->busy == NULL)
		return;
	if (why == NULL)
		why = d->unkept;
	d->unkept = NULL;
	acme_done(d->busy->a, now(), why);
	step(d);
}

/* ---- whose turn it is ---- */

static void
on_timer(struct timer *t)
{
	struct acme_drive	*d = drive_of(t);
	struct acme_set		*s, *next = d->set;
	int64_t			 look = now() + LOOK_MS / MSEC_PER_SEC;

	for (s = d->set; s < d->set + d->nset; s++) {
		if (s->until < next->until)
			next = s;
		if (s->until > look)
			s->until = look;
	}
	if (next->until > now()) {
		acme_https_rest(&d->https);
		wait_until(d, next->until, on_timer);
		return;
	}
	d->busy = next;
	step(d);
}

/* ---- life ---- */

static void
load(struct acme_drive *d, struct acme_set *s)
{
	enum { FILES = 4 };
	char		 name[ACME_STORE_NAME];
	struct buf	 b[FILES] = { BUF_INIT };
	struct acme_disk disk;
	int		 f;

	for (f = 0; f < FILES; f++)
		if (acme_store_read(d->store, acme_store_name(name,
		    (enum acme_store_file)f, s->name[0], d->o->rsa),
		    &b[f]) == -1)
			d->ops->say(d->arg, true,
			    SV("a file in the directory can't be read"));
	disk = (struct acme_disk){
		.account = buf_sv(&b[ACME_STORE_ACCOUNT]),
		.state = buf_sv(&b[ACME_STORE_STATE]),
		.new_key = buf_sv(&b[ACME_STORE_KEY]),
		.key = buf_sv(&b[ACME_STORE_CERT]),
		.chain = acme_store_chain(buf_sv(&b[ACME_STORE_CERT])),
	};
	acme_load(s->a, &disk);
	for (f = 0; f < FILES; f++)
		buf_wipe(&b[f]);
}

/* One for all, which they would not find if each made its own. */
static void
ensure_account(struct acme_drive *d)
{
	char		 name[ACME_STORE_NAME];
	struct buf	 pem = BUF_INIT;
	struct acme_key	 key;
	unsigned char	 seed[48];

	acme_store_name(name, ACME_STORE_ACCOUNT, SV(""), false);
	if (acme_store_read(d->store, name, &pem) == 0 &&
	    acme_key_read(&key, buf_sv(&pem)) == -1) {
		random_bytes(seed, sizeof(seed));
		acme_key_new(&key, seed);
		buf_reset(&pem);
		acme_key_write(&key, &pem);
		acme_store_write(d->store, name, buf_sv(&pem));
	}
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(seed, sizeof(seed));
	buf_wipe(&pem);
}

static int
set_init(struct acme_drive *d, size_t i)
{
	const char *const	*t = d->o->text;
	struct acme_set		*s = &d->set[i];

	s->want = (struct acme_want){
		.directory = sv_from(t[ACME_DIRECTORY]),
		.name = s->name,
		.nname = acme_set_names(d->o, i, s->name),
		.email = sv_from(t[ACME_EMAIL]),
		.eab_kid = sv_from(t[ACME_EAB_KID]),
		.eab_key = buf_sv(&d->eab_key),
		.profile = sv_from(t[ACME_PROFILE]),
		.preferred_chain = sv_from(t[ACME_PREFERRED_CHAIN]),
		.rsa = d->o->rsa,
	};
	memcpy(s->want.can, d->o->can, sizeof(s->want.can));
	if ((s->a = acme_new(&s->want, random_bytes)) == NULL)
		return -1;
	load(d, s);
	return 0;
}

/* Both alphabets are about. */
static int
decode_eab(struct buf *out, const char *text)
{
	struct sv s = sv_from(text);

	if (s.n == 0 || base64url_get(out, s) == 0)
		return 0;
	buf_reset(out);
	return base64_get(out, s);
}

/* see drive.h */
int
acme_drive_init(struct acme_drive *d, struct worker *w,
    const struct acme_options *o, const struct acme_store *store,
    const struct acme_drive_ops *ops, void *arg, struct buf *why)
{
	size_t i;

	*d = (struct acme_drive){ .w = w, .o = o, .store = store, .ops = ops,
	    .arg = arg };
	if (decode_eab(&d->eab_key, o->text[ACME_EAB_KEY]) == -1) {
		buf_puts(why, "tls_autocert.eab_hmac_key is not base 64");
		return -1;
	}
	d->nset = acme_sets(o);
	d->set = calloc(d->nset, sizeof(*d->set));
	if (acme_https_init(&d->https, w) == -1 || d->set == NULL) {
		buf_puts(why, "out of memory");
		return -1;
	}
	if (d->nset > 1 && store->lock != -1)
		ensure_account(d);
	for (i = 0; i < d->nset; i++)
		if (set_init(d, i) == -1) {
			buf_puts(why, "out of memory");
			return -1;
		}
	wait_until(d, 0, on_timer);
	return 0;
}

/* see drive.h */
void
acme_drive_close(struct acme_drive *d)
{
	timer_stop(&d->timer);
	acme_https_close(&d->https);
}

/* see drive.h */
void
acme_drive_fini(struct acme_drive *d)
{
	size_t i;

	acme_https_fini(&d->https);
	for (i = 0; d->set != NULL && i < d->nset; i++)
		acme_free(d->set[i].a);
	free(d->set);
	buf_wipe(&d->eab_key);
}

/* ---- what is asked for by people ---- */

/* Whatever was to be waited for. */
static void
look_now(struct acme_drive *d)
{
	size_t i;

	for (i = 0; i < d->nset; i++)
		d->set[i].until = 0;
	if (d->busy == NULL)
		wait_until(d, 0, on_timer);
}

/* see drive.h */
void
acme_drive_renew(struct acme_drive *d, bool force)
{
	size_t i;

	for (i = 0; i < d->nset; i++)
		acme_renew_now(d->set[i].a, force);
	look_now(d);
}

/* see drive.h */
void
acme_drive_revoke(struct acme_drive *d, unsigned reason)
{
	size_t i;

	for (i = 0; i < d->nset; i++)
		acme_revoke(d->set[i].a, reason);
	look_now(d);
}

/* see drive.h */
void
acme_drive_status(const struct acme_drive *d, size_t set,
    struct acme_status *status)
{
	acme_status(d->set[set].a, now(), status);
}

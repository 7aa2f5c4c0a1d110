/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See wire.h.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/wire.h"
#include "util/json.h"

#define BODY_MAX	(1024 * 1024)
#define TEXT_MAX	300	/* of what a CA may put into our log */

/* ---- JSON ---- */

/* A document whose root is an object. */
static int
parse(struct json *j, struct sv text)
{
	json_init(j);
	j->max_tokens = 20000;
	if (text.n <= BODY_MAX && json_parse(j, text, 0) == 0 &&
	    jv_type(json_root(j)) == JSON_OBJECT)
		return 0;
	json_fini(j);
	return -1;
}

/* A copy of a string member, or NULL. People and terminals will see it, so
 * control bytes become blanks. */
static char *
get_string(struct jv obj, const char *key, size_t max)
{
	struct buf	scratch = BUF_INIT;
	struct sv	s;
	char	       *copy = NULL, *p;

	if (jv_str(jv_get(obj, key), &scratch, &s) == 0 && s.n > 0 &&
	    s.n <= max && memchr(s.p, '\0', s.n) == NULL)
		copy = sv_dup(s);
	for (p = copy; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	buf_fini(&scratch);
	return copy;
}

/* see wire.h */
bool
acme_is_url(struct sv s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' ||
		    (unsigned char)s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= ACME_URL_MAX;
}

/* A copy of a URL, or NULL. */
static char *
copy_url(struct jv v)
{
	struct buf	scratch = BUF_INIT;
	struct sv	s;
	char	       *copy = NULL;

	if (jv_str(v, &scratch, &s) == 0 && acme_is_url(s))
		copy = sv_dup(s);
	buf_fini(&scratch);
	return copy;
}

static char *
get_url(struct jv obj, const char *key)
{
	return copy_url(jv_get(obj, key));
}

static bool
string_is(struct jv v, const char *text)
{
	struct buf	scratch = BUF_INIT;
	struct sv	s;
	bool		is;

	is = jv_str(v, &scratch, &s) == 0 && sv_eq(s, sv_from(text));
	buf_fini(&scratch);
	return is;
}

static enum acme_state
get_state(struct jv obj)
{
	static const char *const name[] = {
		[ACME_PENDING] = "pending",
		[ACME_READY] = "ready",
		[ACME_PROCESSING] = "processing",
		[ACME_VALID] = "valid",
	};
	struct jv	v = jv_get(obj, "status");
	size_t		i;

	for (i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (string_is(v, name[i]))
			return (enum acme_state)i;
	return ACME_INVALID;
}

/* ---- directory ---- */

static char *
get_profiles(struct jv meta)
{
	struct jv	v;
	struct buf	names = BUF_INIT, scratch = BUF_INIT;
	struct sv	s;

	for (v = jv_first(jv_get(meta, "profiles")); jv_is(v);
	    v = jv_next(v)) {
		scratch.n = 0;
		if (jv_str(jv_key(v), &scratch, &s) == 0 &&
		    names.n + s.n < TEXT_MAX) {
			buf_putsv(&names, s);
			buf_putc(&names, ' ');
		}
	}
	buf_fini(&scratch);
	if (names.n == 0) {
		buf_fini(&names);
		return NULL;
	}
	buf_putc(&names, '\0');
	return buf_steal(&names, &s.n);
}

/* see wire.h */
int
acme_directory_read(struct acme_directory *d, struct sv text)
{
	struct json	j;
	struct jv	root, meta;

	memset(d, 0, sizeof(*d));
	if (parse(&j, text) == -1)
		return -1;
	root = json_root(&j);
	meta = jv_get(root, "meta");
	d->new_nonce = get_url(root, "newNonce");
	d->new_account = get_url(root, "newAccount");
	d->new_order = get_url(root, "newOrder");
	d->revoke_cert = get_url(root, "revokeCert");
	d->renewal_info = get_url(root, "renewalInfo");
	d->profiles = get_profiles(meta);
	jv_bool(jv_get(meta, "externalAccountRequired"), &d->eab_required);
	json_fini(&j);
	if (d->new_nonce != NULL && d->new_account != NULL &&
	    d->new_order != NULL)
		return 0;
	acme_directory_fini(d);
	return -1;
}

/* see wire.h */
void
acme_directory_fini(struct acme_directory *d)
{
	free(d->new_nonce);
	free(d->new_account);
	free(d->new_order);
	free(d->revoke_cert);
	free(d->renewal_info);
	free(d->profiles);
	memset(d, 0, sizeof(*d));
}

/* ---- problems ---- */

/* What would mend it, by the type behind urn:ietf:params:acme:error: */
static const struct trouble {
	const char		*type;
	enum acme_trouble	 trouble;
	const char		*hint;
} troubles[] = {
	{ "badNonce", ACME_BAD_NONCE, "" },
	{ "accountDoesNotExist", ACME_NO_ACCOUNT, "" },
	{ "rateLimited", ACME_RATE_LIMITED,
	    "the CA has had enough requests for now; use the staging "
	    "directory for tests" },
	{ "orderNotReady", ACME_NOT_READY, "" },
	{ "alreadyReplaced", ACME_REPLACED, "" },
	{ "malformed", ACME_MALFORMED, "" },
	{ "connection", ACME_OTHER,
	    "the CA can't connect: is port 80 (http-01) or 443 (tls-alpn-01) "
	    "of that name open to the Internet and fugu's?" },
	{ "dns", ACME_OTHER,
	    "the name does not resolve: has it an A or AAAA record?" },
	{ "caa", ACME_OTHER,
	    "a CAA record of the name forbids this CA" },
	{ "incorrectResponse", ACME_OTHER,
	    "something else answers there: does the name point to this "
	    "machine, and nothing in front answer for it?" },
	{ "unauthorized", ACME_OTHER,
	    "something else answers there: does the name point to this "
	    "machine, and nothing in front answer for it?" },
	{ "tls", ACME_OTHER,
	    "the CA can't speak TLS with what answers on port 443" },
	{ "rejectedIdentifier", ACME_OTHER,
	    "the CA gives no certificates for this name" },
	{ "unsupportedIdentifier", ACME_OTHER,
	    "the CA gives no certificates for names of this kind" },
	{ "externalAccountRequired", ACME_OTHER,
	    "set tls_autocert.eab_kid and eab_hmac_key to what the CA gave" },
	{ "invalidContact", ACME_OTHER, "look at tls_autocert.email" },
	{ "unsupportedContact", ACME_OTHER, "look at tls_autocert.email" },
	{ "userActionRequired", ACME_OTHER,
	    "the CA wants something of the account's owner" },
	{ "invalidProfile", ACME_OTHER, "look at tls_autocert.profile" },
};

static const struct trouble *
trouble_of(const char *type)
{
	static const struct sv	prefix =
				    SV_INIT("urn:ietf:params:acme:error:");
	struct sv		s = sv_from(type);
	size_t			i;

	if (type == NULL || !sv_starts(s, prefix))
		return NULL;
	s = sv_skip(s, prefix.n);
	for (i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (sv_eq(s, sv_from(troubles[i].type)))
			return &troubles[i];
	return NULL;
}

/* One problem object as a line; what concerns one name comes after it. */
static enum acme_trouble
put_problem(struct buf *b, struct jv v)
{
	char			*type = get_string(v, "type", TEXT_MAX);
	char			*detail = get_string(v, "detail",
				    ACME_URL_MAX);
	const struct trouble	*t = trouble_of(type);
	enum acme_trouble	 trouble = t == NULL ? ACME_OTHER :
				    t->trouble;
	struct sv		 text = sv_from(detail);

	if (text.n > TEXT_MAX)
		text.n = TEXT_MAX;
	buf_printf(b, "%.*s (%s)", SV_ARG(text), t != NULL ? t->type :
	    type != NULL ? type : "no type");
	if (t != NULL && *t->hint != '\0')
		buf_printf(b, ": %s", t->hint);
	free(type);
	free(detail);
	return trouble;
}

/* The first subproblem says more than "several errors". */
static enum acme_trouble
put_problems(struct buf *b, struct jv v)
{
	struct jv		sub = jv_first(jv_get(v, "subproblems"));
	enum acme_trouble	trouble = put_problem(b, v);
	char		       *name;

	if (jv_type(sub) == JSON_OBJECT) {
		name = get_string(jv_get(sub, "identifier"), "value",
		    TEXT_MAX);
		buf_printf(b, "; %s: ", name != NULL ? name : "first");
		put_problem(b, sub);
		free(name);
	}
	return trouble;
}

/* The member error as a line, or NULL. */
static char *
get_problem(struct jv obj)
{
	struct jv	v = jv_get(obj, "error");
	struct buf	b = BUF_INIT;
	size_t		n;

	if (jv_type(v) != JSON_OBJECT)
		return NULL;
	put_problems(&b, v);
	buf_putc(&b, '\0');
	return buf_steal(&b, &n);
}

/* see wire.h */
enum acme_trouble
acme_problem_put(struct buf *b, int status, struct sv ctype, struct sv body)
{
	struct json		j;
	enum acme_trouble	trouble = ACME_OTHER;

	buf_printf(b, "the CA answers %d: ", status);
	if (parse(&j, body) == 0) {
		trouble = put_problems(b, json_root(&j));
		json_fini(&j);
	} else {
		if (ctype.n > 64)
			ctype.n = 64;
		if (ctype.n == 0)
			ctype = SV("nothing that has a type");
		buf_printf(b, "no problem document but %.*s: is something "
		    "between here and the CA?", SV_ARG(ctype));
	}
	if (status == 429)
		trouble = ACME_RATE_LIMITED;
	return trouble;
}

/* ---- orders and authorizations ---- */

/* see wire.h */
int
acme_order_read(struct acme_order *o, struct sv text)
{
	struct json	j;
	struct jv	root, v;

	memset(o, 0, sizeof(*o));
	if (parse(&j, text) == -1)
		return -1;
	root = json_root(&j);
	o->state = get_state(root);
	o->finalize = get_url(root, "finalize");
	o->certificate = get_url(root, "certificate");
	o->problem = get_problem(root);
	for (v = jv_first(jv_get(root, "authorizations")); jv_is(v) &&
	    o->nauthz < ACME_AUTHZ_MAX; v = jv_next(v))
		if ((o->authz[o->nauthz] = copy_url(v)) != NULL)
			o->nauthz++;
	json_fini(&j);
	if (o->finalize != NULL)
		return 0;
	acme_order_fini(o);
	return -1;
}

/* see wire.h */
void
acme_order_fini(struct acme_order *o)
{
	while (o->nauthz > 0)
		free(o->authz[--o->nauthz]);
	free(o->finalize);
	free(o->certificate);
	free(o->problem);
	memset(o, 0, sizeof(*o));
}

static void
read_challenge(struct acme_authz *a, struct jv v, const char *type,
    struct buf *types)
{
	char *name = get_string(v, "type", 32);

	if (name == NULL)
		return;
	buf_printf(types, "%s%s", types->n > 0 ? ", " : "", name);
	if (strcmp(name, type) == 0 && a->url == NULL) {
		a->url = get_url(v, "url");
		a->token = get_string(v, "token", 256);
	}
	if (a->problem == NULL)
		a->problem = get_problem(v);
	free(name);
}

/* Tokens become file names and paths: base64url only (RFC 8555, 8.3). */
static bool
is_token(const char *s)
{
	return s != NULL && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

/* see wire.h */
int
acme_authz_read(struct acme_authz *a, struct sv text, const char *type)
{
	struct json	j;
	struct jv	root, v;
	struct buf	types = BUF_INIT;
	size_t		n, count = 0;

	memset(a, 0, sizeof(*a));
	if (parse(&j, text) == -1)
		return -1;
	root = json_root(&j);
	a->state = get_state(root);
	a->name = get_string(jv_get(root, "identifier"), "value", TEXT_MAX);
	for (v = jv_first(jv_get(root, "challenges")); jv_is(v) &&
	    count++ < 20; v = jv_next(v))
		read_challenge(a, v, type, &types);
	json_fini(&j);
	buf_putc(&types, '\0');
	a->types = buf_steal(&types, &n);
	if (a->url != NULL && !is_token(a->token)) {
		free(a->url);
		a->url = NULL;
	}
	if (a->name != NULL && a->types != NULL)
		return 0;
	acme_authz_fini(a);
	return -1;
}

/* see wire.h */
void
acme_authz_fini(struct acme_authz *a)
{
	free(a->name);
	free(a->types);
	free(a->url);
	free(a->token);
	free(a->problem);
	memset(a, 0, sizeof(*a));
}

/* ---- dates and headers ---- */

/* n decimal digits at the front of *s. */
static int
digits(struct sv *s, size_t n)
{
	int	value = 0;
	size_t	i;

	if (s->n < n)
		return -1;
	for (i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		value = value * 10 + s->p[i] - '0';
	}
	*s = sv_skip(*s, n);
	return value;
}

static bool
skip_char(struct sv *s, const char *any)
{
	if (s->n == 0 || *s->p == '\0' || strchr(any, *s->p) == NULL)
		return false;
	*s = sv_skip(*s, 1);
	return true;
}

/* Days from 1970-01-01 (proleptic Gregorian calendar). */
static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	y -= era * 400;
	return era * 146097 + y * 365 + y / 4 - y / 100 +
	    (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1 - 719468;
}

static int64_t
unix_time(int y, int mon, int d, int h, int min, int sec)
{
	if (y < 1970 || mon < 1 || mon > 12 || d < 1 || d > 31 || h < 0 ||
	    h > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
		return -1;
	return days_of(y, mon, d) * 86400 + h * 3600 + min * 60 + sec;
}

/* hh:mm:ss */
static bool
clock_of(struct sv *s, int *h, int *min, int *sec)
{
	*h = digits(s, 2);
	if (!skip_char(s, ":"))
		return false;
	*min = digits(s, 2);
	if (!skip_char(s, ":"))
		return false;
	*sec = digits(s, 2);
	return true;
}

/* 2026-01-02T03:04:05.678Z, or with an offset instead of the Z. */
static int64_t
date_3339(struct sv s)
{
	int	y, mon, d, h, min, sec, sign, oh, om;
	int64_t	t;

	y = digits(&s, 4);
	if (!skip_char(&s, "-"))
		return -1;
	mon = digits(&s, 2);
	if (!skip_char(&s, "-"))
		return -1;
	d = digits(&s, 2);
	if (!skip_char(&s, "Tt ") || !clock_of(&s, &h, &min, &sec))
		return -1;
	if (skip_char(&s, "."))
		while (skip_char(&s, "0123456789"))
			continue;
	t = unix_time(y, mon, d, h, min, sec);
	if (t == -1 || (skip_char(&s, "Zz") && s.n == 0))
		return t;
	sign = s.n > 0 && *s.p == '-' ? -1 : 1;
	if (!skip_char(&s, "+-"))
		return -1;
	oh = digits(&s, 2);
	if (!skip_char(&s, ":"))
		return -1;
	om = digits(&s, 2);
	if (oh < 0 || om < 0 || s.n > 0)
		return -1;
	return t - sign * (oh * 3600 + om * 60);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static int64_t
date_http(struct sv s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int		  y, mon, d, h, min, sec;

	s = sv_skip(s, 5);
	d = digits(&s, 2);
	if (!skip_char(&s, " ") || s.n < 3)
		return -1;
	for (mon = 0; mon < 12; mon++)
		if (memcmp(s.p, months + mon * 3, 3) == 0)
			break;
	s = sv_skip(s, 3);
	if (!skip_char(&s, " "))
		return -1;
	y = digits(&s, 4);
	if (!skip_char(&s, " ") || !clock_of(&s, &h, &min, &sec))
		return -1;
	return unix_time(y, mon + 1, d, h, min, sec);
}

/* see wire.h */
int64_t
acme_date(struct sv s)
{
	if (s.n == 0)
		return -1;
	return *s.p >= '0' && *s.p <= '9' ? date_3339(s) : date_http(s);
}

/* see wire.h */
int64_t
acme_retry_after(struct sv value, int64_t now)
{
	uint64_t	n;
	int64_t		at;

	value = sv_trim(value);
	if (sv_u64(value, &n) == 0)
		return n > INT32_MAX ? INT32_MAX : (int64_t)n;
	at = acme_date(value);
	return at > now ? at - now : 0;
}

/* Take what stands before the separator; one in quotes is none. */
static struct sv
cut_unquoted(struct sv *s, char sep)
{
	bool		quoted = false;
	struct sv	part = *s;
	size_t		i;

	for (i = 0; i < s->n && (quoted || s->p[i] != sep); i++)
		if (s->p[i] == '"')
			quoted = !quoted;
	part.n = i;
	*s = sv_skip(*s, i + 1);
	return part;
}

static bool
has_relation(struct sv params, const char *rel)
{
	struct sv param, name;

	while (params.n > 0) {
		param = cut_unquoted(&params, ';');
		name = sv_trim(sv_cut(&param, '='));
		param = sv_trim(param);
		if (param.n >= 2 && *param.p == '"' &&
		    param.p[param.n - 1] == '"')
			param = sv_make(param.p + 1, param.n - 2);
		if (sv_ieq(name, SV("rel")) && sv_ieq(param, sv_from(rel)))
			return true;
	}
	return false;
}

/* see wire.h */
struct sv
acme_link(struct sv *value, const char *rel)
{
	struct sv	target, params;
	ptrdiff_t	at, end;

	while ((at = sv_chr(*value, '<')) >= 0) {
		*value = sv_skip(*value, (size_t)at + 1);
		if ((end = sv_chr(*value, '>')) < 0)
			break;
		target = sv_make(value->p, (size_t)end);
		*value = sv_skip(*value, (size_t)end + 1);
		params = cut_unquoted(value, ',');
		if (has_relation(params, rel))
			return target;
	}
	return SV("");
}

/* see wire.h */
int
acme_window_read(struct acme_window *w, struct sv text)
{
	struct json	j;
	struct jv	v;
	char	       *start, *end;

	memset(w, 0, sizeof(*w));
	if (parse(&j, text) == -1)
		return -1;
	v = jv_get(json_root(&j), "suggestedWindow");
	start = get_string(v, "start", 64);
	end = get_string(v, "end", 64);
	w->start = acme_date(sv_from(start));
	w->end = acme_date(sv_from(end));
	free(start);
	free(end);
	json_fini(&j);
	return w->start < 0 || w->end < w->start ? -1 : 0;
}

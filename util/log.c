/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The log: see log.h. A line is built in a static buffer under one mutex
 * and leaves with one write(2). Nothing is allocated, so that lack of memory
 * can be logged. What does not fit is cut, with "..." in its place, and the
 * line stays well formed: room for the closing marks is kept back.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/utf8.h"

#define LINE_MAX_BYTES	4096
#define CLOSE_RESERVE	8	/* for ... " } and newline */
#define REPEAT_MS	1000

struct line {
	char	p[LINE_MAX_BYTES];
	size_t	n;
	size_t	body;		/* where the part without the time starts */
	bool	full;
};

static const struct {
	const char	*name;
	int		 priority;	/* of syslog(3), for the journal */
} levels[] = {
	[LOG_TRACE] = { "trace", 7 },
	[LOG_DEBUG] = { "debug", 7 },
	[LOG_INFO] = { "info", 6 },
	[LOG_WARN] = { "warn", 4 },
	[LOG_ERROR] = { "error", 3 },
	[LOG_FATAL] = { "fatal", 2 },
	[LOG_NONE] = { "none", 7 },
};

static atomic_int	threshold = LOG_INFO;

static pthread_mutex_t	mutex = PTHREAD_MUTEX_INITIALIZER;
/* All below under the mutex. */
static enum log_format	format = LOG_LOGFMT;
static bool		journal;
static int		fd = STDERR_FILENO;
static char		path[PATH_MAX];		/* empty: stderr */
static struct line	cur, last;
static enum log_level	last_level;
static int64_t		last_ms;		/* when last was written */
static unsigned long	repeats;		/* of last, not yet told */

/* Append all of it or, if it does not fit, nothing from now on. */
static bool
put(struct line *l, const char *p, size_t n)
{
	if (l->full || l->n + n > sizeof(l->p) - CLOSE_RESERVE) {
		l->full = true;
		return false;
	}
	memcpy(l->p + l->n, p, n);
	l->n += n;
	return true;
}

static bool
__attribute__((format(printf, 2, 3)))
putf(struct line *l, const char *fmt, ...)
{
	char	tmp[256];
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	return n >= 0 && put(l, tmp, (size_t)n < sizeof(tmp) ?
	    (size_t)n : sizeof(tmp) - 1);
}

/* A closing mark, out of the room kept back for it. */
static void
put_close(struct line *l, const char *s)
{
	size_t	n = strlen(s);

	memcpy(l->p + l->n, s, n);
	l->n += n;
}

/* Length of the character at the front of s; 0 if it is not UTF-8 or is a
 * control character, U+0080 to U+009F included: terminals obey them. */
static size_t
plain_char(struct sv s)
{
	unsigned char	c = (unsigned char)s.p[0];

	if (c < 0x20 || c == 0x7f ||
	    (c == 0xc2 && s.n > 1 && (unsigned char)s.p[1] < 0xa0))
		return 0;
	return utf8_char(s);
}

/* One byte that is not shown as it is. */
static void
put_escape(struct line *l, unsigned char c)
{
	if (c == '\n')
		put(l, "\\n", 2);
	else if (c == '\r')
		put(l, "\\r", 2);
	else if (c == '\t')
		put(l, "\\t", 2);
	else if (format == LOG_LOGFMT)
		putf(l, "\\x%02x", c);
	else if (c < 0x80)
		putf(l, "\\u%04x", c);
	else
		put(l, "\\ufffd", 6);
}

static void
put_text(struct line *l, struct sv s)
{
	size_t	n;

	while (s.n > 0 && !l->full) {
		if ((n = plain_char(s)) == 0) {
			put_escape(l, (unsigned char)s.p[0]);
			n = 1;
		} else if (s.p[0] == '"' || s.p[0] == '\\') {
			put(l, (const char[]){ '\\', s.p[0] }, 2);
		} else {
			put(l, s.p, n);
		}
		s = sv_skip(s, n);
	}
}

static bool
needs_quotes(struct sv s)
{
	size_t	n;

	if (s.n == 0)
		return true;
	for (; s.n > 0; s = sv_skip(s, n)) {
		n = plain_char(s);
		if (n == 0 || memchr(" =\"\\", s.p[0], 4) != NULL)
			return true;
	}
	return false;
}

/* sep, key and the mark between key and value. */
static bool
put_key(struct line *l, const char *key, const char *quote)
{
	if (format == LOG_JSON)
		return putf(l, ",\"%s\":%s", key, quote);
	return putf(l, " %s=%s", key, quote);
}

static void
put_str(struct line *l, const char *key, struct sv s)
{
	bool	quoted = format == LOG_JSON || needs_quotes(s);

	if (!put_key(l, key, quoted ? "\"" : ""))
		return;
	put_text(l, s);
	if (l->full)
		put_close(l, "...");
	if (quoted)
		put_close(l, "\"");
}

static void
put_kv(struct line *l, const struct log_kv *kv)
{
	char	digits[24];

	if (l->full)
		return;
	if (kv->type == LOG_KV_STR) {
		put_str(l, kv->key, kv->s);
		return;
	}
	if (kv->type == LOG_KV_INT)
		snprintf(digits, sizeof(digits), "%" PRId64, kv->i);
	else
		snprintf(digits, sizeof(digits), "%" PRIu64, kv->u);
	put_key(l, kv->key, digits);
}

/* 2026-01-02T03:04:05.678Z */
static void
put_time(struct line *l)
{
	int64_t			ms = clock_wall_ms();
	struct clock_date	d;

	clock_date(&d, ms / MSEC_PER_SEC);
	putf(l, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year, d.month,
	    d.day, d.hour, d.minute, d.second, (unsigned)(ms % MSEC_PER_SEC));
}

static void
put_head_json(struct line *l, enum log_level lv)
{
	put(l, "{", 1);
	if (!journal) {
		put(l, "\"time\":\"", 8);
		put_time(l);
		put(l, "\",", 2);
	}
	l->body = l->n;
	putf(l, "\"level\":\"%s\"", levels[lv].name);
}

static void
put_head_logfmt(struct line *l, enum log_level lv)
{
	put(l, "time=", 5);
	put_time(l);
	l->body = l->n;
	putf(l, " level=%s", levels[lv].name);
}

static void
build(struct line *l, enum log_level lv, const char *msg,
    const struct log_kv *kv)
{
	l->n = l->body = 0;
	l->full = false;
	if (journal)
		putf(l, "<%d>", levels[lv].priority);
	if (format == LOG_JSON) {
		put_head_json(l, lv);
		put_str(l, "message", sv_from(msg));
	} else if (journal) {
		put_text(l, sv_from(msg));
	} else {
		put_head_logfmt(l, lv);
		put_str(l, "msg", sv_from(msg));
	}
	for (; kv->key != NULL; kv++)
		put_kv(l, kv);
	if (format == LOG_JSON)
		put_close(l, "}");
	put_close(l, "\n");
}

/* A log that can't be written has nowhere to say so. */
static void
write_line(const struct line *l)
{
	while (write(fd, l->p, l->n) == -1 && errno == EINTR)
		continue;
}

static void
tell_repeats(void)
{
	static struct line	l;
	char			msg[64];

	if (repeats == 0)
		return;
	snprintf(msg, sizeof(msg), "last line repeated %lu time%s", repeats,
	    repeats == 1 ? "" : "s");
	repeats = 0;
	build(&l, last_level, msg, &LOG_KV_END);
	write_line(&l);
}

static bool
is_repeat(enum log_level lv, int64_t now)
{
	size_t	n = cur.n - cur.body;

	return lv == last_level && now - last_ms < REPEAT_MS &&
	    n == last.n - last.body &&
	    memcmp(cur.p + cur.body, last.p + last.body, n) == 0;
}

void
log_emit(enum log_level lv, const char *msg, const struct log_kv *kv)
{
	int64_t	now = clock_mono_ms();
	int	saved = errno;

	pthread_mutex_lock(&mutex);
	build(&cur, lv, msg, kv);
	if (is_repeat(lv, now)) {
		repeats++;
	} else {
		tell_repeats();
		write_line(&cur);
		last = cur;
		last_level = lv;
		last_ms = now;
	}
	pthread_mutex_unlock(&mutex);
	errno = saved;
}

static int
open_file(const char *file)
{
	return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* Close what we write to, and write to newfd from now on. */
static void
switch_fd(int newfd)
{
	if (fd != STDERR_FILENO)
		close(fd);
	fd = newfd;
}

int
log_init(const struct log_options *o)
{
	const char	*file = o->file == NULL ? "" : o->file;
	int		 newfd = STDERR_FILENO;

	if (strlen(file) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (file[0] != '\0' && (newfd = open_file(file)) == -1)
		return -1;
	pthread_mutex_lock(&mutex);
	tell_repeats();
	switch_fd(newfd);
	strlcpy(path, file, sizeof(path));
	format = o->format;
	journal = o->journal && file[0] == '\0';
	last.n = last.body = 0;
	pthread_mutex_unlock(&mutex);
	atomic_store_explicit(&threshold, (int)o->level, memory_order_relaxed);
	return 0;
}

int
log_reopen(void)
{
	int	newfd, rc = 0;

	pthread_mutex_lock(&mutex);
	if (path[0] != '\0') {
		tell_repeats();
		if ((newfd = open_file(path)) == -1)
			rc = -1;
		else
			switch_fd(newfd);
	}
	pthread_mutex_unlock(&mutex);
	return rc;
}

bool
log_stderr_is_journal(void)
{
	const char		*env = getenv("JOURNAL_STREAM");
	struct sv		 ino = sv_from(env), dev = sv_cut(&ino, ':');
	uint64_t		 d, i;
	struct stat		 st;

	return sv_u64(dev, &d) == 0 && sv_u64(ino, &i) == 0 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == d && st.st_ino == i;
}

bool
log_on(enum log_level lv)
{
	return (int)lv >= atomic_load_explicit(&threshold,
	    memory_order_relaxed);
}

int
log_level_parse(struct sv s, enum log_level *lv)
{
	size_t	i;

	*lv = LOG_INFO;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (sv_eq(s, sv_from(levels[i].name))) {
			*lv = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

const char *
log_level_name(enum log_level lv)
{
	return levels[lv].name;
}

const char *
log_strerror(int e)
{
	return strerror(e);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * One line an event, to stderr (or a file): logfmt by default, JSON with
 * log.format=json, an <N> syslog priority in front when the journal reads
 * us. Values that came from a peer are escaped. A line equal to the one
 * before it (same message and values) within a second is counted, not
 * printed: "last line repeated N times". Safe from every thread.
 *
 *	log_info("listening", kv_s("addr", a), kv_u("port", p));
 *
 * Messages are lower-case sentences without a full stop; the cause comes
 * first, then what the operator can do. Never log a secret: tokens, keys,
 * passwords, query strings and Authorization values stay out.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "util/sv.h"

enum log_level {
	LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL, LOG_NONE
};

enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_kv {
	const char	*key;		/* NULL ends a list */
	enum { LOG_KV_STR, LOG_KV_INT, LOG_KV_UINT } type;
	union {
		struct sv	 s;
		int64_t		 i;
		uint64_t	 u;
	};
};

#define kv_sv(k, v)							\
	((struct log_kv){ .key = (k), .type = LOG_KV_STR, .s = (v) })
#define kv_s(k, v)	kv_sv(k, sv_from(v))
#define kv_i(k, v)							\
	((struct log_kv){ .key = (k), .type = LOG_KV_INT, .i = (v) })
#define kv_u(k, v)							\
	((struct log_kv){ .key = (k), .type = LOG_KV_UINT, .u = (v) })
/* strerror(errno-value e) under the key "error". */
#define kv_errno(e)	kv_s("error", log_strerror(e))

#define LOG_KV_END	((struct log_kv){ .key = NULL })
#define LOG_AT(lv, msg, ...) do {					\
	if (log_on(lv))							\
		log_emit(lv, msg, (const struct log_kv[]){ __VA_ARGS__ });\
} while (0)
#define LOG_ARGS(lv, ...)	LOG_AT(lv, __VA_ARGS__)

#define log_trace(...)	LOG_ARGS(LOG_TRACE, __VA_ARGS__, LOG_KV_END)
#define log_debug(...)	LOG_ARGS(LOG_DEBUG, __VA_ARGS__, LOG_KV_END)
#define log_info(...)	LOG_ARGS(LOG_INFO, __VA_ARGS__, LOG_KV_END)
#define log_warn(...)	LOG_ARGS(LOG_WARN, __VA_ARGS__, LOG_KV_END)
#define log_error(...)	LOG_ARGS(LOG_ERROR, __VA_ARGS__, LOG_KV_END)
#define log_fatal(...)	LOG_ARGS(LOG_FATAL, __VA_ARGS__, LOG_KV_END)

struct log_options {
	enum log_level	 level;
	enum log_format	 format;
	bool		 journal;	/* prefix <N>, leave out the time */
	const char	*file;		/* NULL or "": stderr */
};

/* Before it is called: level info, logfmt, stderr. -1 with errno if the
 * file can't be opened (nothing changes then). May be called again. */
int	log_init(const struct log_options *);
/* Close and open the log file again (log rotation). */
int	log_reopen(void);
/* Whether stderr is the systemd journal ($JOURNAL_STREAM names its inode). */
bool	log_stderr_is_journal(void);
bool	log_on(enum log_level);
/* Parse a level's name (trace ... none); -1 if there is none such. */
int	log_level_parse(struct sv, enum log_level *);
const char *log_level_name(enum log_level);
const char *log_strerror(int);
void	log_emit(enum log_level, const char *msg, const struct log_kv *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Findings about a configuration, the memory that it is made of, and
 * reading files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/load.h"
#include "util/utf8.h"

/* More findings than this help nobody; the rest is counted. */
#define ERRORS_MAX	200
#define FILE_MAX	(16u << 20)
#define CHUNK		8192

struct conf_mem {
	struct conf_mem	*next;
	size_t		 n;
	max_align_t	 data[];
};

/* see load.h */
void *
conf_alloc(struct conf_mem **list, size_t n)
{
	struct conf_mem *m;

	if (n > SIZE_MAX - sizeof(*m))
		return NULL;
	m = calloc(1, sizeof(*m) + n);
	if (m == NULL)
		return NULL;
	m->n = n;
	m->next = *list;
	*list = m;
	return m->data;
}

/* see load.h */
const char *
conf_strdup(struct conf_mem **list, struct sv s)
{
	char *p;

	if (s.n == 0)
		return "";
	p = conf_alloc(list, s.n + 1);
	if (p != NULL)
		memcpy(p, s.p, s.n);
	return p;
}

/* see load.h */
void
conf_mem_free(struct conf_mem *m)
{
	struct conf_mem *next;

	for (; m != NULL; m = next) {
		next = m->next;
		freezero(m, sizeof(*m) + m->n);
	}
}

/* Bytes that would spoil a line of a terminal or a log become \xNN. */
static void
put_escaped(struct buf *out, struct sv s)
{
	bool utf8 = utf8_valid(s);
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch < 0x20 || ch == 0x7f || (ch >= 0x80 && !utf8))
			buf_printf(out, "\\x%02x", ch);
		else
			buf_putc(out, (char)ch);
	}
	buf_putc(out, '\0');
}

static int
errors_push(struct conf_errors *e, enum conf_kind kind, struct sv raw)
{
	struct buf text = BUF_INIT;
	struct conf_error *v;
	size_t cap, n;

	if (e->n == e->cap) {
		cap = e->cap ? e->cap * 2 : 8;
		v = reallocarray(e->v, cap, sizeof(*v));
		if (v == NULL)
			return -1;
		e->v = v;
		e->cap = cap;
	}
	put_escaped(&text, raw);
	if (text.failed) {
		buf_fini(&text);
		return -1;
	}
	e->v[e->n].kind = kind;
	e->v[e->n].text = buf_steal(&text, &n);
	e->n++;
	return 0;
}

static void
put_at(struct buf *b, struct conf_at at)
{
	unsigned line, col;

	if (at.name == NULL)
		return;
	buf_puts(b, at.name);
	if (at.p != NULL && at.text.p != NULL) {
		json_position(at.text, (size_t)(at.p - at.text.p), &line,
		    &col);
		buf_printf(b, ":%u:%u", line, col);
	}
	buf_puts(b, ": ");
}

/* see load.h */
void
conf_say(struct conf_errors *e, enum conf_kind kind, struct conf_at at,
    const char *key, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	char msg[512];
	va_list ap;

	if (kind != CONF_WARN)
		e->bad++;
	if (kind == CONF_NOMEM)
		e->nomem = true;
	if (e->n >= ERRORS_MAX || kind == CONF_NOMEM)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	put_at(&b, at);
	if (*key != '\0') {
		buf_puts(&b, key);
		buf_puts(&b, ": ");
	}
	buf_puts(&b, msg);
	if (b.failed || errors_push(e, kind, buf_sv(&b)) == -1)
		e->nomem = true;
	buf_fini(&b);
}

/* see conf.h */
void
conf_errors_fini(struct conf_errors *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		free(e->v[i].text);
	free(e->v);
	*e = (struct conf_errors)CONF_ERRORS_INIT;
}

/* see conf.h */
int
conf_errors_exit(const struct conf_errors *e)
{
	size_t i;

	if (e->nomem)
		return EX_OSERR;
	for (i = 0; i < e->n; i++)
		if (e->v[i].kind == CONF_NOFILE)
			return EX_NOINPUT;
	return e->bad > 0 ? EX_CONFIG : 0;
}

static int
read_fd(int fd, struct buf *out)
{
	ssize_t n;
	char *p;

	for (;;) {
		if ((p = buf_reserve(out, CHUNK)) == NULL) {
			errno = ENOMEM;
			return -1;
		}
		n = read(fd, p, CHUNK);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			buf_commit(out, (size_t)n);
		if (out->n > FILE_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
}

/* see load.h */
int
conf_read_file(const char *path, struct buf *out)
{
	int fd, ret, e;

	if (strcmp(path, "-") == 0)
		return read_fd(STDIN_FILENO, out);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	ret = read_fd(fd, out);
	e = errno;
	close(fd);
	errno = e;
	return ret;
}

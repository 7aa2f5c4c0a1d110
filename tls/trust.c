/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Trust anchors: of each certificate its name and its public key, all in one
 * allocation. While they are collected the anchors have lengths but no
 * pointers: their bytes stand in the other buffer, in the same order.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls/handshake.h"
#include "util/pem.h"
#include "tls/report.h"
#include "tls/roots.h"
#include "tls/x509.h"
#include "util/log.h"

#define FILE_MAX	(16 * 1024 * 1024)
#define READ_SIZE	65536
#define RSA_MAX		4096		/* BearSSL's limit */

struct tls_trust {
	atomic_uint		 refs;
	size_t			 n;
	br_x509_trust_anchor	 anchors[];	/* then the bytes */
};

struct collection {
	struct tls_findings	 findings;
	struct buf		 anchors;	/* br_x509_trust_anchor each */
	struct buf		 bytes;
	struct buf		 file;		/* that is being read */
	size_t			 n;
};

/* ---- anchors ---- */

/* How many bytes stand for it. */
static size_t
anchor_size(const br_x509_trust_anchor *a)
{
	return a->dn.len + (a->pkey.key_type == BR_KEYTYPE_EC ?
	    a->pkey.key.ec.qlen :
	    a->pkey.key.rsa.nlen + a->pkey.key.rsa.elen);
}

static void
put_bytes(struct buf *out, const br_x509_trust_anchor *a)
{
	buf_put(out, a->dn.data, a->dn.len);
	if (a->pkey.key_type == BR_KEYTYPE_EC) {
		buf_put(out, a->pkey.key.ec.q, a->pkey.key.ec.qlen);
	} else {
		buf_put(out, a->pkey.key.rsa.n, a->pkey.key.rsa.nlen);
		buf_put(out, a->pkey.key.rsa.e, a->pkey.key.rsa.elen);
	}
}

/* Point at the bytes; returns what follows them. */
static unsigned char *
set_pointers(br_x509_trust_anchor *a, unsigned char *p)
{
	unsigned char	*end = p + anchor_size(a);

	a->dn.data = p;
	p += a->dn.len;
	if (a->pkey.key_type == BR_KEYTYPE_EC) {
		a->pkey.key.ec.q = p;
	} else {
		a->pkey.key.rsa.n = p;
		a->pkey.key.rsa.e = p + a->pkey.key.rsa.nlen;
	}
	return end;
}

/* Whether those bytes are another anchor's already. */
static bool
is_known(const struct collection *col, struct sv bytes)
{
	const br_x509_trust_anchor	*a;
	struct sv			 rest = buf_sv(&col->bytes);
	size_t				 i, n;

	a = (const br_x509_trust_anchor *)(const void *)col->anchors.p;
	for (i = 0; i < col->n; i++) {
		n = anchor_size(&a[i]);
		if (sv_eq(sv_make(rest.p, n), bytes))
			return true;
		rest = sv_skip(rest, n);
	}
	return false;
}

static void
add_anchor(struct collection *col, const br_x509_trust_anchor *a)
{
	size_t	before = col->bytes.n;

	put_bytes(&col->bytes, a);
	if (col->bytes.failed)
		return;
	if (is_known(col, sv_skip(buf_sv(&col->bytes), before))) {
		col->bytes.n = before;
		return;
	}
	buf_put(&col->anchors, a, sizeof(*a));
	if (!col->anchors.failed)
		col->n++;
}

/* ---- certificates ---- */

/* A root of the first version has no extensions to say that it is a CA's. */
static void
add_certificate(struct collection *col, const struct x509 *x)
{
	br_x509_trust_anchor	a = {
		.dn = { (unsigned char *)x->subject.p, x->subject.n },
		.flags = x->is_ca || !x->has_extensions ? BR_X509_TA_CA : 0,
		.pkey = x->key
	};

	add_anchor(col, &a);
}

static void
add_block(struct collection *col, const struct pem *pem, const char *from)
{
	struct buf	der = BUF_INIT;
	struct x509	x;
	const char	*why;
	char		name[TLS_NAME_TEXT];

	if (pem_decode(&der, pem) == -1) {
		if (der.failed)
			col->bytes.failed = true;
		else
			tls_say(&col->findings, false, "%s: a certificate is "
			    "skipped: it is not base 64", from);
	} else if (x509_read(&x, buf_sv(&der), &why) == -1) {
		tls_say(&col->findings, false, "%s: a certificate is skipped: "
		    "it %s", from, why);
	} else if (x.key.key_type == 0 || x.key_bits > RSA_MAX) {
		tls_say(&col->findings, false, "%s: the certificate %s is "
		    "skipped: its key is %s", from,
		    tls_name_text(name, x.subject), x.key_name);
	} else {
		add_certificate(col, &x);
	}
	buf_fini(&der);
}

static void
add_pem(struct collection *col, struct sv text, const char *from)
{
	struct pem	pem;
	int		rc;

	while ((rc = pem_next(&text, &pem)) != 0)
		if (rc == -1)
			tls_say(&col->findings, false, "%s: the last block is "
			    "cut off", from);
		else if (sv_eq(pem.label, SV("CERTIFICATE")))
			add_block(col, &pem, from);
}

/* ---- files ---- */

static int
read_all(struct buf *out, int fd)
{
	ssize_t	n;
	char	*p;

	buf_reset(out);
	do {
		if ((p = buf_reserve(out, READ_SIZE)) == NULL ||
		    out->n > FILE_MAX) {
			errno = p == NULL ? ENOMEM : EFBIG;
			return -1;
		}
		if ((n = read(fd, p, READ_SIZE)) == -1)
			return -1;
		buf_commit(out, (size_t)n);
	} while (n > 0);
	return 0;
}

/* A directory's entry that is no file is skipped. */
static int
add_file(struct collection *col, int dir, const char *name, const char *from)
{
	struct stat	st;
	int		fd, saved, rc = -1;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		rc = 0;
	} else if (read_all(&col->file, fd) == 0) {
		add_pem(col, buf_sv(&col->file), from);
		rc = 0;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int
add_directory(struct collection *col, const char *path)
{
	struct dirent	*e;
	DIR		*dir;

	if ((dir = opendir(path)) == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' &&
		    add_file(col, dirfd(dir), e->d_name, e->d_name) == -1)
			tls_say(&col->findings, false, "%s/%s is skipped: %s",
			    path, e->d_name, log_strerror(errno));
	closedir(dir);
	return 0;
}

static int
add_path(struct collection *col, const char *path)
{
	struct stat	st;

	if (stat(path, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return add_directory(col, path);
	return add_file(col, AT_FDCWD, path, path);
}

/* ---- making ---- */

static struct tls_trust *
make(const struct collection *col)
{
	struct tls_trust	*t;
	unsigned char		*p;
	size_t			 i;

	t = malloc(sizeof(*t) + col->anchors.n + col->bytes.n);
	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	t->n = col->n;
	memcpy(t->anchors, col->anchors.p, col->anchors.n);
	p = (unsigned char *)(t->anchors + t->n);
	memcpy(p, col->bytes.p, col->bytes.n);
	for (i = 0; i < t->n; i++)
		p = set_pointers(&t->anchors[i], p);
	return t;
}

/* What was collected, unless it is nothing or there was something fatal. */
static int
finish(struct collection *col, struct tls_trust **out, const char *from)
{
	struct tls_findings	*f = &col->findings;

	*out = NULL;
	if (!f->fatal && (col->bytes.failed || col->anchors.failed ||
	    (col->n > 0 && (*out = make(col)) == NULL)))
		tls_say(f, true, "%s: out of memory", from);
	else if (!f->fatal && col->n == 0)
		tls_say(f, true, "%s: there is no certificate that can be "
		    "used", from);
	buf_fini(&col->anchors);
	buf_fini(&col->bytes);
	buf_fini(&col->file);
	return *out == NULL ? -1 : 0;
}

/* see tls.h */
int
tls_trust_load(struct tls_trust **out, struct sv pem,
    const struct tls_report *report)
{
	static const char	from[] = "the CA certificates";
	struct collection	col = { .findings = { report, false } };

	add_pem(&col, pem, from);
	return finish(&col, out, from);
}

/* see tls.h */
int
tls_trust_load_path(struct tls_trust **out, const char *path,
    const struct tls_report *report)
{
	struct collection	col = { .findings = { report, false } };

	if (add_path(&col, path) == -1)
		tls_say(&col.findings, true, "%s: %s", path,
		    log_strerror(errno));
	return finish(&col, out, path);
}

/* What the environment says; false if it says nothing. That is wrong is
 * fatal: who narrows trust does not want to have it all. */
static bool
add_environment(struct collection *col)
{
	static const char *const	names[] = {
		"SSL_CERT_FILE", "SSL_CERT_DIR"
	};
	const char			*path;
	bool				 found = false;
	size_t				 i;

	for (i = 0; i < 2; i++) {
		if ((path = getenv(names[i])) == NULL || *path == '\0')
			continue;
		found = true;
		if (add_path(col, path) == -1)
			tls_say(&col->findings, true, "%s=%s: %s", names[i],
			    path, log_strerror(errno));
	}
	return found;
}

static void
add_usual(struct collection *col)
{
	static const char *const	paths[] = {
		"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora */
		"/etc/ssl/ca-bundle.pem",		/* SUSE */
		"/etc/ssl/cert.pem",
		"/etc/ssl/certs",
	};
	size_t				 i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]) && col->n == 0; i++)
		if (add_path(col, paths[i]) == -1 && errno != ENOENT &&
		    errno != ENOTDIR)
			tls_say(&col->findings, false, "%s is skipped: %s",
			    paths[i], log_strerror(errno));
	if (col->n > 0)
		return;
	for (i = 0; i < TLS_ROOTS; i++)
		add_anchor(col, &tls_roots[i]);
}

/* see tls.h */
int
tls_trust_load_system(struct tls_trust **out, const struct tls_report *report)
{
	struct collection	col = { .findings = { report, false } };

	if (!add_environment(&col))
		add_usual(&col);
	return finish(&col, out, "the system's CA certificates");
}

/* see tls.h */
struct tls_trust *
tls_trust_ref(struct tls_trust *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

/* see tls.h */
void
tls_trust_unref(struct tls_trust *t)
{
	if (t != NULL && atomic_fetch_sub(&t->refs, 1) == 1)
		free(t);
}

/* see tls.h */
size_t
tls_trust_count(const struct tls_trust *t)
{
	return t->n;
}

/* see handshake.h */
const br_x509_trust_anchor *
tls_trust_anchors(const struct tls_trust *t, size_t *n)
{
	*n = t->n;
	return t->anchors;
}

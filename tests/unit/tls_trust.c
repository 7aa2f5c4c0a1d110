/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Trust anchors out of texts, files and folders, and those that are built
 * in.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/tls_certs.h"
#include "tests/unit/tls_pem.h"
#include "tls/handshake.h"
#include "tls/roots.h"
#include "tls/x509.h"

static struct tls_trust *
load(const char *pem, struct buf *text)
{
	struct tls_report	 report = { collect, text };
	struct tls_trust	*t;
	char			*p = guard_dup(sv_from(pem));
	int			 rc;

	rc = tls_trust_load(&t, sv_make(p, strlen(pem)), &report);
	CHECK((rc == 0) == (t != NULL));
	guard_free(p);
	return t;
}

/* ---- anchors ---- */

static void
check_name(const br_x509_trust_anchor *a, const char *want)
{
	struct buf	b = BUF_INIT;

	CHECK_INT(x509_name_put(&b, sv_make(a->dn.data, a->dn.len), 200), 0);
	CHECK_SV(buf_sv(&b), want);
	buf_fini(&b);
}

TEST(anchors_of_a_text)
{
	const br_x509_trust_anchor	*a;
	struct tls_trust		*t;
	struct buf			 text = BUF_INIT;
	size_t				 n;

	t = load(CERT_ROOT CERT_X1 "text\n" CERT_ROOT CERT_LEAF, &text);
	CHECK_SV(buf_sv(&text), "");
	if (!CHECK(t != NULL))
		return;
	a = tls_trust_anchors(t, &n);
	CHECK_INT(n, 3);
	CHECK_INT(tls_trust_count(t), 3);
	check_name(&a[0], "CN=root,O=fugu tests");
	CHECK_INT(a[0].flags, BR_X509_TA_CA);
	CHECK_INT(a[0].pkey.key_type, BR_KEYTYPE_EC);
	CHECK_INT(a[0].pkey.key.ec.curve, BR_EC_secp256r1);
	CHECK_INT(a[0].pkey.key.ec.qlen, 65);
	CHECK_INT(a[0].pkey.key.ec.q[0], 4);
	check_name(&a[1],
	    "CN=ISRG Root X1,O=Internet Security Research Group,C=US");
	CHECK_INT(a[1].pkey.key_type, BR_KEYTYPE_RSA);
	CHECK_INT(a[1].pkey.key.rsa.nlen, 512);
	/* A server's own certificate, which is trusted as it stands. */
	check_name(&a[2], "CN=a.example");
	CHECK_INT(a[2].flags, 0);
	CHECK(tls_trust_ref(t) == t);
	tls_trust_unref(t);
	tls_trust_unref(t);
	tls_trust_unref(NULL);
	buf_fini(&text);
}

/* The first version has no extensions, and roots of it are CAs'. */
TEST(a_root_of_version_1)
{
	struct tls_trust	*t;
	struct buf		 text = BUF_INIT, der, pem = BUF_INIT;
	size_t			 n;

	der = make_cert(SV(OID_ECDSA_SHA256), SV(""), SV(""));
	pem_write(&pem, "CERTIFICATE", buf_sv(&der));
	buf_putc(&pem, '\0');
	t = load(pem.p, &text);
	if (CHECK(t != NULL))
		CHECK_INT(tls_trust_anchors(t, &n)->flags, BR_X509_TA_CA);
	tls_trust_unref(t);
	buf_fini(&der);
	buf_fini(&pem);
	buf_fini(&text);
}

/* Whether a certificate is what an anchor says, by its own signature. */
static bool
verifies(struct sv der, const br_x509_trust_anchor *a)
{
	br_x509_minimal_context	 x;
	const br_x509_class	**vt = (const br_x509_class **)&x.vtable;

	br_x509_minimal_init_full(&x, a, 1);
	br_x509_minimal_set_time(&x, 739000, 0);	/* in 2023 */
	(*vt)->start_chain(vt, NULL);
	(*vt)->start_cert(vt, (uint32_t)der.n);
	(*vt)->append(vt, (const unsigned char *)der.p, der.n);
	(*vt)->end_cert(vt);
	return (*vt)->end_chain(vt) == 0;
}

TEST(an_anchor_verifies)
{
	static const char	*const pems[] = { CERT_INTER, CERT_LEAF };
	struct tls_trust	*t, *other;
	struct buf		 text = BUF_INIT, der;
	size_t			 n;

	t = load(CERT_ROOT, &text);
	other = load(CERT_X1, &text);
	if (!CHECK(t != NULL && other != NULL))
		return;
	der = der_of(pems[0]);
	CHECK(verifies(buf_sv(&der), tls_trust_anchors(t, &n)));
	CHECK(!verifies(buf_sv(&der), tls_trust_anchors(other, &n)));
	buf_fini(&der);
	der = der_of(pems[1]);
	CHECK(!verifies(buf_sv(&der), tls_trust_anchors(t, &n)));
	buf_fini(&der);
	tls_trust_unref(t);
	tls_trust_unref(other);
	buf_fini(&text);
}

static void
check_same(const br_x509_trust_anchor *a, const br_x509_trust_anchor *b)
{
	const br_rsa_public_key	*r = &a->pkey.key.rsa, *s = &b->pkey.key.rsa;
	const br_ec_public_key	*e = &a->pkey.key.ec, *f = &b->pkey.key.ec;

	CHECK_SVEQ(sv_make(a->dn.data, a->dn.len),
	    sv_make(b->dn.data, b->dn.len));
	CHECK_INT(a->flags, b->flags);
	if (!CHECK_INT(a->pkey.key_type, b->pkey.key_type))
		return;
	if (a->pkey.key_type == BR_KEYTYPE_RSA) {
		CHECK_SVEQ(sv_make(r->n, r->nlen), sv_make(s->n, s->nlen));
		CHECK_SVEQ(sv_make(r->e, r->elen), sv_make(s->e, s->elen));
	} else {
		CHECK_INT(e->curve, f->curve);
		CHECK_SVEQ(sv_make(e->q, e->qlen), sv_make(f->q, f->qlen));
	}
}

/* The built-in roots are what the published certificates say, which in turn
 * verify with them. */
TEST(built_in_roots)
{
	static const char	*const pems[] = { CERT_X1, CERT_X2 };
	struct tls_trust	*t;
	struct buf		 text = BUF_INIT, der;
	size_t			 i, n;

	t = load(CERT_X1 CERT_X2, &text);
	if (!CHECK(t != NULL) || !CHECK_INT(tls_trust_count(t), TLS_ROOTS))
		return;
	for (i = 0; i < TLS_ROOTS; i++) {
		check_same(&tls_roots[i], &tls_trust_anchors(t, &n)[i]);
		der = der_of(pems[i]);
		CHECK(verifies(buf_sv(&der), &tls_roots[i]));
		CHECK(!verifies(buf_sv(&der), &tls_roots[1 - i]));
		buf_fini(&der);
	}
	tls_trust_unref(t);
	buf_fini(&text);
}

/* ---- what is skipped, what is refused ---- */

#define BAD_DIGITS							\
	"-----BEGIN CERTIFICATE-----\nM*==\n-----END CERTIFICATE-----\n"
#define BAD_DER								\
	"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"

static const struct {
	const char	*pem;
	size_t		 n;
	const char	*want;
} rows[] = {
	{ "", 0, "!the CA certificates: there is no certificate that can be "
	    "used\n" },
	{ EC_KEY, 0, "!the CA certificates: there is no certificate that can "
	    "be used\n" },
	{ CERT_RSA5120 CERT_ROOT, 1, "the CA certificates: the certificate "
	    "CN=rsa5120.example is skipped: its key is RSA 5120\n" },
	{ CERT_ROOT CERT_ED25519, 1, "the CA certificates: the certificate "
	    "CN=ed25519.example is skipped: its key is Ed25519\n" },
	{ CERT_K256, 0, "the CA certificates: the certificate "
	    "CN=k256.example is skipped: its key is EC, other curve\n"
	    "!the CA certificates: there is no certificate that can be "
	    "used\n" },
	{ BAD_DIGITS CERT_ROOT BAD_DER, 1, "the CA certificates: a "
	    "certificate is skipped: it is not base 64\n"
	    "the CA certificates: a certificate is skipped: it is cut off or "
	    "malformed\n" },
	{ CERT_ROOT "-----BEGIN CERTIFICATE-----\nMII", 1,
	    "the CA certificates: the last block is cut off\n" },
	{ CERT_P521 CERT_INTER, 2, "" },
};

TEST(sentences_for_what_is_skipped)
{
	struct tls_trust	*t;
	struct buf		 text = BUF_INIT;
	size_t			 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&text);
		t = load(rows[i].pem, &text);
		CHECK_INT(t == NULL ? 0 : tls_trust_count(t), rows[i].n);
		CHECK_SV(buf_sv(&text), rows[i].want);
		tls_trust_unref(t);
	}
	buf_fini(&text);
}

/* ---- files and folders ---- */

static char	dir[] = "/tmp/fugu-trust-XXXXXX";

static const char *
path_of(const char *name)
{
	static char	path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put_file(const char *name, const char *text)
{
	FILE	*f = fopen(path_of(name), "w");

	if (CHECK(f != NULL)) {
		fputs(text, f);
		fclose(f);
	}
}

/* Load a path and compare the findings, in which @ stands for the folder. */
static void
check_path(const char *path, size_t n, const char *want)
{
	struct buf		 text = BUF_INIT, expected = BUF_INIT;
	struct tls_report	 report = { collect, &text };
	struct tls_trust	*t;

	for (; *want != '\0'; want++)
		if (*want == '@')
			buf_puts(&expected, dir);
		else
			buf_putc(&expected, *want);
	CHECK_INT(tls_trust_load_path(&t, path, &report), n == 0 ? -1 : 0);
	CHECK_INT(t == NULL ? 0 : tls_trust_count(t), n);
	CHECK_SVEQ(buf_sv(&text), buf_sv(&expected));
	tls_trust_unref(t);
	buf_fini(&text);
	buf_fini(&expected);
}

static void
remove_files(void)
{
	static const char *const	names[] = {
		"a.pem", "b.crt", "link.0", "README", "fifo", ".hidden",
		"dangling", "large", "sub"
	};
	size_t				i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(path_of(names[i]));
	rmdir(dir);
}

static void
system_in_environment(void)
{
	struct buf		 text = BUF_INIT;
	struct tls_report	 report = { collect, &text };
	struct tls_trust	*t;

	unsetenv("SSL_CERT_DIR");
	setenv("SSL_CERT_FILE", path_of("a.pem"), 1);
	CHECK_INT(tls_trust_load_system(&t, &report), 0);
	CHECK_INT(tls_trust_count(t), 1);
	tls_trust_unref(t);
	setenv("SSL_CERT_DIR", dir, 1);
	CHECK_INT(tls_trust_load_system(&t, NULL), 0);
	CHECK_INT(tls_trust_count(t), 3);
	tls_trust_unref(t);
	CHECK_SV(buf_sv(&text), "");
	setenv("SSL_CERT_FILE", "/nowhere/ca.pem", 1);
	CHECK_INT(tls_trust_load_system(&t, &report), -1);
	CHECK(t == NULL);
	CHECK_SV(buf_sv(&text), "!SSL_CERT_FILE=/nowhere/ca.pem: No such "
	    "file or directory\n");
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	buf_fini(&text);
}

static bool
sweep_path(void)
{
	struct tls_trust	*t;
	int			 rc;

	rc = tls_trust_load_path(&t, path_of("a.pem"), NULL);
	CHECK((rc == 0) == (t != NULL));
	tls_trust_unref(t);
	return rc == 0;
}

TEST(files_and_folders)
{
	if (!CHECK(mkdtemp(dir) != NULL))
		return;
	check_path(path_of("a.pem"), 0,
	    "!@/a.pem: No such file or directory\n");
	check_path(dir, 0, "!@: there is no certificate that can be used\n");
	put_file("a.pem", CERT_ROOT);
	check_path(path_of("a.pem"), 1, "");
	put_file("b.crt", CERT_X1 CERT_X2 CERT_ROOT);
	put_file("README", "of no use");
	put_file(".hidden", CERT_LEAF);
	CHECK_INT(symlink("a.pem", path_of("link.0")), 0);
	CHECK_INT(mkfifo(path_of("fifo"), 0600), 0);
	CHECK_INT(mkdir(path_of("sub"), 0700), 0);
	check_path(path_of("README"), 0,
	    "!@/README: there is no certificate that can be used\n");
	check_path(dir, 3, "");
	system_in_environment();
	ALLOC_SWEEP(sweep_path);
	CHECK_INT(symlink("gone", path_of("dangling")), 0);
	check_path(dir, 3,
	    "@/dangling is skipped: No such file or directory\n");
	put_file("large", "");
	CHECK_INT(truncate(path_of("large"), 17 * 1024 * 1024), 0);
	check_path(path_of("large"), 0, "!@/large: File too large\n");
	remove_files();
}

/* In an empty root file system there is nothing but what is built in. */
static int
load_in_empty_root(const char *root)
{
	struct tls_trust	*t;
	int			 rc;

	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	if (chroot(root) == -1 && (unshare(CLONE_NEWUSER) == -1 ||
	    chroot(root) == -1))
		return 2;	/* not allowed to try */
	if (chdir("/") == -1 || tls_trust_load_system(&t, NULL) == -1)
		return 1;
	rc = tls_trust_count(t) == TLS_ROOTS ? 0 : 1;
	tls_trust_unref(t);
	return rc;
}

TEST(a_machine_without_certificates)
{
	char	root[] = "/tmp/fugu-root-XXXXXX";
	int	status = 0;
	pid_t	pid;

	if (!CHECK(mkdtemp(root) != NULL))
		return;
	if ((pid = fork()) == 0)
		_exit(load_in_empty_root(root));
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 1);
	rmdir(root);
}

/* ---- without memory ---- */

static bool
sweep_load(void)
{
	struct tls_trust	*t;
	int			 rc;

	rc = tls_trust_load(&t, SV(CERT_ROOT CERT_X2), NULL);
	CHECK((rc == 0) == (t != NULL));
	CHECK(t == NULL || tls_trust_count(t) == 2);
	tls_trust_unref(t);
	return rc == 0;
}

TEST(without_memory)
{
	ALLOC_SWEEP(sweep_load);
}

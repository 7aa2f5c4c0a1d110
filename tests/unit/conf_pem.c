/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The three forms of a PEM option.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "tests/unit/test.h"
#include "util/base64.h"

#define PEM	"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

static void
check(const char *value, const char *want, const char *why)
{
	struct buf out = BUF_INIT;
	const char *got;

	buf_puts(&out, "kept");
	CHECK_INT(conf_pem_read(value, &out, &got), why == NULL ? 0 : -1);
	if (why == NULL)
		CHECK(got == NULL);
	else
		CHECK_STR(got, why);
	CHECK_SV(sv_make(out.p, 4), "kept");
	CHECK_SV(sv_skip(buf_sv(&out), 4), want);
	buf_fini(&out);
}

TEST(text_base64_and_file)
{
	char path[] = "/tmp/fugu-pem-XXXXXX";
	struct buf b64 = BUF_INIT;
	int fd;

	check(PEM, PEM, NULL);
	check("# a comment\n" PEM, "# a comment\n" PEM, NULL);
	base64_put(&b64, SV(PEM));
	buf_putc(&b64, '\0');
	check(b64.p, PEM, NULL);
	buf_fini(&b64);
	if (!CHECK((fd = mkstemp(path)) != -1))
		return;
	check(path, "", "the file holds no PEM text");
	CHECK(write(fd, PEM, sizeof(PEM) - 1) == sizeof(PEM) - 1);
	close(fd);
	check(path, PEM, NULL);
	unlink(path);
	check(path, "", "No such file or directory");
	check("", "", "No such file or directory");
	/* Base 64 of something else is taken for a file name. */
	check("AAAA", "", "No such file or directory");
}

static bool
sweep_pem(void)
{
	struct buf out = BUF_INIT;
	const char *why;
	bool ok;

	ok = conf_pem_read(PEM, &out, &why) == 0;
	CHECK(ok == (why == NULL));
	buf_fini(&out);
	return ok;
}

TEST(no_memory_is_an_error)
{
	ALLOC_SWEEP(sweep_pem);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Messages between the server and the process that speaks to the CA.
 */
#include <stdio.h>
#include <string.h>

#include "acme/message.h"
#include "tests/unit/test.h"

static int
get(struct acme_message *m, const char *bytes, size_t n)
{
	char	*p = guard_dup(sv_make(bytes, n));
	int	 ret = acme_message_get(m, sv_make(p, n));
	size_t	 i;

	for (i = 0; ret == 0 && i < m->n; i++)
		CHECK(strlen(m->v[i]) < n);
	guard_free(p);
	return ret;
}

TEST(takes_apart_what_was_put_together)
{
	const char *const	v[] = { "warn", "", "a line\nand more" };
	struct acme_message	m;
	struct buf		b = BUF_INIT;

	acme_message_put(&b, ACME_MSG_SAY, v, 3);
	CHECK_INT(acme_message_get(&m, buf_sv(&b)), 0);
	CHECK_INT(m.type, ACME_MSG_SAY);
	CHECK_INT(m.n, 3);
	CHECK_STR(m.v[0], "warn");
	CHECK_STR(m.v[1], "");
	CHECK_STR(m.v[2], "a line\nand more");
	buf_fini(&b);
}

TEST(refuses_what_is_no_message)
{
	struct acme_message	m;
	char			many[ACME_MSG_STRINGS + 2] = { 's' };

	CHECK_INT(get(&m, "", 0), -1);
	CHECK_INT(get(&m, "s", 1), 0);
	CHECK_INT(m.n, 0);
	CHECK_INT(get(&m, "sx", 2), -1);
	CHECK_INT(get(&m, "sx\0y", 4), -1);
	CHECK_INT(get(&m, "sx\0y", 3), 0);
	CHECK_INT(get(&m, many, sizeof(many) - 1), 0);
	CHECK_INT(m.n, ACME_MSG_STRINGS);
	CHECK_INT(get(&m, many, sizeof(many)), -1);
}

TEST(numbers)
{
	unsigned n;

	CHECK_INT(acme_message_number("0", &n), 0);
	CHECK_INT(acme_message_number("4294967295", &n), 0);
	CHECK_INT(n, 4294967295u);
	CHECK_INT(acme_message_number("4294967296", &n), -1);
	CHECK_INT(acme_message_number("-1", &n), -1);
	CHECK_INT(acme_message_number("", &n), -1);
	CHECK_INT(acme_message_number("1x", &n), -1);
	CHECK_INT(n, 0);
}

static struct acme_options
options(size_t nname)
{
	static char		name[ACME_NAMES_MAX][32];
	static char		text[ACME_TEXTS][32];
	struct acme_options	o = { .rsa = true, .nname = nname,
				    .can = { [ACME_TLS_ALPN_01] = true } };
	size_t			i;

	for (i = 0; i < ACME_TEXTS; i++) {
		snprintf(text[i], sizeof(text[i]), "t%zu", i);
		o.text[i] = text[i];
	}
	for (i = 0; i < nname; i++) {
		snprintf(name[i], sizeof(name[i]), "n%zu.example", i);
		o.name[i] = name[i];
	}
	return o;
}

TEST(options_come_over_whole)
{
	const size_t		sizes[] = { 1, 2, ACME_NAMES_MAX };
	struct acme_options	in, out;
	struct acme_message	m;
	struct buf		b = BUF_INIT;
	size_t			k, i;

	for (k = 0; k < 3; k++) {
		in = options(sizes[k]);
		buf_reset(&b);
		acme_message_put_options(&b, &in);
		CHECK_INT(acme_message_get(&m, buf_sv(&b)), 0);
		CHECK_INT(acme_message_get_options(&m, &out), 0);
		CHECK_INT(out.nname, sizes[k]);
		CHECK(out.rsa && !out.separate);
		CHECK(out.can[ACME_TLS_ALPN_01] && !out.can[ACME_HTTP_01]);
		for (i = 0; i < ACME_TEXTS; i++)
			CHECK_STR(out.text[i], in.text[i]);
		for (i = 0; i < out.nname; i++)
			CHECK_STR(out.name[i], in.name[i]);
	}
	/* Without a name, and of another kind. */
	in = options(0);
	buf_reset(&b);
	acme_message_put_options(&b, &in);
	CHECK_INT(acme_message_get(&m, buf_sv(&b)), 0);
	CHECK_INT(acme_message_get_options(&m, &out), -1);
	in = options(1);
	buf_reset(&b);
	acme_message_put_options(&b, &in);
	b.p[0] = ACME_MSG_DONE;
	CHECK_INT(acme_message_get(&m, buf_sv(&b)), 0);
	CHECK_INT(acme_message_get_options(&m, &out), -1);
	buf_fini(&b);
}

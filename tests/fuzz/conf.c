/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The text of a configuration file; what comes after a line "--" is the
 * value of a variable that holds a list of objects, and of a duration.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "util/buf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sv text = sv_make(data, n), rest = text;
	struct conf_errors errs = CONF_ERRORS_INIT;
	struct buf a = BUF_INIT, b = BUF_INIT;
	const struct conf *c;
	char *vars[3] = { NULL };
	struct conf_source src = { .path = "f.json", .environ = vars };

	for (; rest.n > 0 && !sv_starts(rest, SV("\n--\n"));)
		rest = sv_skip(rest, 1);
	src.text = sv_make(text.p != NULL ? text.p : "", n - rest.n);
	buf_puts(&a, "FUGU_CHANNEL_NAMESPACES=");
	buf_putsv(&a, sv_skip(rest, 4));
	buf_putc(&a, '\0');
	buf_puts(&b, "FUGU_CLIENT_PING_INTERVAL=");
	buf_putsv(&b, sv_skip(rest, 4));
	buf_putc(&b, '\0');
	if (rest.n > 0 && !a.failed && !b.failed) {
		vars[0] = a.p;
		vars[1] = b.p;
	}
	conf_load(&c, &src, &errs);
	conf_unref(c);
	conf_errors_fini(&errs);
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}

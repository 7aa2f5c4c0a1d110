/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Findings: see report.h.
 */
#include <stdarg.h>
#include <stdio.h>

#include "tls/report.h"
#include "tls/x509.h"

#define TEXT_MAX	640

/* see report.h */
void
tls_say(struct tls_findings *f, bool fatal, const char *fmt, ...)
{
	char	text[TEXT_MAX];
	va_list	ap;

	f->fatal |= fatal;
	if (f->to == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->to->say(f->to->arg, fatal, text);
}

/* see tls.h */
void
tls_report_first(void *buf, bool fatal, const char *text)
{
	struct buf *b = buf;

	if (fatal && b->n == 0)
		buf_puts(b, text);
}

/* see report.h */
const char *
tls_name_text(char out[TLS_NAME_TEXT], struct sv dn)
{
	struct buf	b = BUF_INIT;

	x509_name_put(&b, dn, TLS_NAME_TEXT - 8);
	sv_copy(out, TLS_NAME_TEXT, b.n == 0 ? SV("no name") : buf_sv(&b));
	buf_fini(&b);
	return out;
}

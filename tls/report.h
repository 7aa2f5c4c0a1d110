/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Telling findings: see struct tls_report.
 */
#ifndef TLS_REPORT_H
#define TLS_REPORT_H

#include "tls/tls.h"

struct tls_findings {
	const struct tls_report	*to;	/* or NULL: nobody wants to know */
	bool			 fatal;	/* there was a fatal one */
};

/* A sentence; what is in it from a certificate is escaped already. */
void	tls_say(struct tls_findings *, bool fatal, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* A distinguished name for a sentence, cut short if it is long. Returns
 * out. */
#define TLS_NAME_TEXT	160
const char *tls_name_text(char out[TLS_NAME_TEXT], struct sv dn);

#endif

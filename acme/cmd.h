/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * fugu acme: what people and cron do with certificates, also without a
 * running server. If there is one it is asked to do it; otherwise it is done
 * here, with the same machine and directory.
 */
#ifndef ACME_CMD_H
#define ACME_CMD_H

#include <stdio.h>

#include "acme/drive.h"

/* Exit status besides those of sysexits(3), as of acme-client(1). */
enum { ACME_CMD_CHANGED = 0, ACME_CMD_FAILED = 1, ACME_CMD_UNCHANGED = 2 };

struct acme_cmd {
	const struct acme_options *o;
	bool		 force;		/* back-off or not */
	unsigned	 reason;	/* to revoke: RFC 5280, 5.3.1 */
	FILE		*out, *err;
};

/* What is in the directory, and when it is renewed. 0 if there is a valid
 * certificate for every name, or else 1. */
int	acme_cmd_status(const struct acme_cmd *);
/* Obtain what is missing or due; renew: also what is not. */
int	acme_cmd_issue(const struct acme_cmd *, bool renew);
int	acme_cmd_revoke(const struct acme_cmd *);
/* Whether what must be true is. 0 or 1. */
int	acme_cmd_check(const struct acme_cmd *);

#endif

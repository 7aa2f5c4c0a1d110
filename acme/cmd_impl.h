/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the files of `fugu acme' share: one run of it, with a loop of its own.
 */
#ifndef ACME_CMD_IMPL_H
#define ACME_CMD_IMPL_H

#include "acme/cmd.h"
#include "acme/show.h"

struct acme_run {
	const struct acme_cmd	*c;
	struct acme_options	 o;		/* as it is here */
	struct acme_store	 store;
	struct worker		*w;
	struct acme_show	 show;
	struct http_route	 route;
	struct http_site	 site;
	struct listener		*listener;	/* or NULL */
	struct acme_drive	 drive;
	bool			 driving;	/* drive is to be ended */
	bool			 quiet;		/* what is said is not for
						 * now */
	bool			 said;		/* something was */
	bool			 changed;
	int64_t			 until;		/* the machines rest */
	size_t			 nidle;
};

/* 0, or -1 after a line; then there is nothing to close. */
int	acme_run_open(struct acme_run *, const struct acme_cmd *);
void	acme_run_close(struct acme_run *);
/* Answer challenges on tls_autocert.http_addr. 0, or -1 with errno. */
int	acme_run_listen(struct acme_run *);
/* Make the machines, as tls_autocert.user from now on. 0, or -1 after a
 * line. */
int	acme_run_drive(struct acme_run *);

#endif

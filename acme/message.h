/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Messages between the server and the process that speaks to the CA: a
 * letter and strings, each with its NUL. Pure.
 */
#ifndef ACME_MESSAGE_H
#define ACME_MESSAGE_H

#include "acme/drive.h"

enum {
	ACME_MSG_OPTIONS = 'o',	/* to the process, once: see below */
	ACME_MSG_SAY = 's',	/* "warn" or "info", line */
	ACME_MSG_SHOW = 'c',	/* challenge, name, token, key_auth */
	ACME_MSG_HIDE = 'h',	/* challenge, name, token */
	ACME_MSG_HAVE = 'k',	/* set, chain, key */
	ACME_MSG_FAILING = 'f',	/* set, failures */
	ACME_MSG_DONE = 'd'	/* to the process: "", or why not; answers
				 * SHOW, HIDE and HAVE */
};

#define ACME_MSG_STRINGS	(ACME_TEXTS + ACME_NAMES_MAX + 1)
#define ACME_MSG_BYTES		(160 * 1024)

struct acme_message {
	char		 type;
	const char	*v[ACME_MSG_STRINGS];
	size_t		 n;
};

/* Append a message. v holds n strings. */
void	acme_message_put(struct buf *, char type, const char *const *v,
	    size_t n);
/* Take a packet apart into views of it. 0, or -1: it is none. */
int	acme_message_get(struct acme_message *, struct sv packet);
/* A string as a number from 0 on; -1: it is none, or too large. */
int	acme_message_number(const char *, unsigned *);

/* The options as a message, and back. 0, or -1: that is no such message. */
void	acme_message_put_options(struct buf *, const struct acme_options *);
int	acme_message_get_options(const struct acme_message *,
	    struct acme_options *);

#endif

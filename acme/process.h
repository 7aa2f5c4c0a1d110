/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The process that speaks to the CA, and the server's end of it. It holds the
 * account's key, which the server never sees; it listens nowhere and is asked
 * for nothing but what stands here. It is this program, executed again, so
 * that nothing of the server's memory is in it; it ends when the server does,
 * and is begun again, with growing pauses, when it ends by itself.
 *
 * They speak over a socket pair, a packet a message: a letter and strings.
 */
#ifndef ACME_PROCESS_H
#define ACME_PROCESS_H

#include "acme/drive.h"
#include "net/net.h"

struct acme_process_ops {
	void	(*say)(void *arg, bool warn, const char *line);
	/* NULL, or why it can't be done. */
	const char *(*show)(void *arg, enum acme_challenge, const char *name,
		    const char *token, const char *key_auth);
	void	(*hide)(void *arg, enum acme_challenge, const char *name,
		    const char *token);
	const char *(*have)(void *arg, size_t set, const char *chain,
		    const char *key);
	void	(*failing)(void *arg, size_t set, unsigned failures);
	/* It has ended: nothing that it showed is to be shown any more. */
	void	(*ended)(void *arg);
};

struct acme_process {
	struct io		 io;	/* first; fd -1: there is none */
	struct worker		*w;
	const struct acme_options *o;
	const struct acme_process_ops *ops;
	void			*arg;
	pid_t			 pid;
	struct timer		 timer;
	unsigned		 tries;
	int64_t			 begun_at;
	char			*packet;
};

/* Begin, on the main worker. What is given outlives it. 0 or -1: no memory;
 * that the process can't be started is no such thing. */
int	acme_process_start(struct acme_process *, struct worker *,
	    const struct acme_options *, const struct acme_process_ops *,
	    void *arg);
void	acme_process_stop(struct acme_process *);

/* The word that stands for the process after `fugu acme'. */
#define ACME_PROCESS_WORD	"--process"
/* What the program does then, with the socket as descriptor 3. The exit
 * status. */
int	acme_process_main(void);

/* The user that the process is to be; (uid_t)-1: the same as we. 0, or -1
 * with a sentence behind *why. */
int	acme_process_user(const struct acme_options *, uid_t *,
	    struct buf *why);
/* Be that user from now on. 0, or -1 with a sentence behind *why. */
int	acme_process_become(const struct acme_options *, struct buf *why);

#endif

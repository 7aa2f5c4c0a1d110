/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A growable byte buffer, owned by whoever embeds it. Writers never check
 * for memory on each call: a failed allocation makes the buffer `failed',
 * later writes are ignored, and the caller looks once at the end. Reserve
 * and commit give room to read(2) or to an encoder without a copy.
 */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sv.h"

struct buf {
	char	*p;		/* malloc'd; NULL: nothing was written */
	size_t	 n;		/* bytes in use */
	size_t	 cap;
	bool	 failed;	/* out of memory since init or reset */
};

#define BUF_INIT	{ NULL, 0, 0, false }

void	buf_init(struct buf *);
void	buf_fini(struct buf *);		/* frees; usable again as after init */
void	buf_wipe(struct buf *);		/* the same, for secrets */
void	buf_reset(struct buf *);	/* empty, not failed; keeps memory */

/* Room for at least n more bytes at the returned pointer, or NULL (failed
 * is set). Valid until the next call on the buffer. */
char	*buf_reserve(struct buf *, size_t n);
/* Say how many of the reserved bytes were written. */
void	buf_commit(struct buf *, size_t n);

void	buf_put(struct buf *, const void *, size_t);
void	buf_putsv(struct buf *, struct sv);
void	buf_puts(struct buf *, const char *);
void	buf_putc(struct buf *, char);
void	buf_putu64(struct buf *, uint64_t);	/* decimal */
void	buf_puti64(struct buf *, int64_t);
void	buf_printf(struct buf *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* Drop the first n bytes; the rest moves to the front. */
void	buf_consume(struct buf *, size_t n);

/* Hand the memory to the caller, who frees it; the buffer is empty then.
 * NULL if it failed or nothing was written. */
char	*buf_steal(struct buf *, size_t *n);

static inline struct sv
buf_sv(const struct buf *b)
{
	return (struct sv){ b->p, b->n };
}

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * One side of one TLS connection: bytes in, bytes out, no socket and no
 * clock. The loop's filter (filter.h) and blocking callers drive it alike:
 *
 *	feed what was received, step by step, until TLS_MORE, and
 *	seal what is to be sent; after either
 *	send tls_engine_output() and say so with tls_engine_sent().
 *
 * Memory is the point. BearSSL wants two record buffers of 16 KB; here it is
 * lent the caller's receive buffer, in which a whole record is decrypted in
 * place, and a scratch that all engines of a thread share, in which records
 * are sealed, each only within a call. Between calls an engine owns its
 * BearSSL context; a copy of a record while only part of it has come; and a
 * copy of the ciphertext that the kernel did not take.
 */
#ifndef TLS_ENGINE_H
#define TLS_ENGINE_H

#include <sys/uio.h>

#include "tls/handshake.h"

/* Payload of a record that fits one packet, wherever it goes: what a peer
 * can read before the next packet has come. */
#define TLS_SMALL	1350
/* Bytes of a scratch: one small record and a full one. */
#define TLS_SCRATCH	(BR_SSL_BUFSIZE_OUTPUT + TLS_SMALL + 85)

/* Types of records. */
enum {
	TLS_REC_CCS = 20,	/* the lowest */
	TLS_REC_ALERT = 21,
	TLS_REC_HANDSHAKE = 22,
	TLS_REC_DATA = 23	/* the highest */
};

struct tls_engine {
	union {			/* NULL: before the hello, or no more */
		br_ssl_engine_context	*eng;
		br_ssl_server_context	*sc;
		br_ssl_client_context	*cc;
	};
	unsigned char		*scratch;
	struct tls_server	*server;	/* until the hello is there */
	struct tls_handshake	*hs;		/* until it is over */
	char			*subject;	/* of the client, or NULL */
	const char		*why;		/* static: our own failure */
	char			*in;		/* part of a record, or the
						 * one being delivered */
	char			*out;		/* ciphertext not taken */
	uint32_t		 in_n, in_cap;
	uint32_t		 out_n, out_off;
	uint16_t		 sealed;	/* bytes in scratch */
	uint16_t		 cipher;	/* suite, once open */
	uint8_t			 failure;	/* enum tls_failure */
	bool			 server_side, open, resumed, failed;
	bool			 challenge;	/* see handshake.h: to be
						 * closed once open */
	bool			 in_used;	/* in is done with */
	bool			 finished;	/* no more is sent */
	bool			 ended;		/* the peer said so */
};

/* Begin. scratch has TLS_SCRATCH bytes, is the thread's, and is not used
 * between calls. A server takes a reference and no memory before the first
 * record; a client's hello is in the output at once. -1: no memory or no
 * entropy. Either way tls_engine_fini() is allowed. */
int	tls_engine_server(struct tls_engine *, struct tls_server *,
	    unsigned char *scratch);
int	tls_engine_client(struct tls_engine *, struct tls_client *,
	    const char *host, unsigned char *scratch);
/* Wipe and free what it owns. */
void	tls_engine_fini(struct tls_engine *);

enum tls_step {
	TLS_MORE,	/* all was taken and more is needed */
	TLS_AGAIN,	/* a record is done with; call again */
	TLS_OPEN,	/* the same, and the handshake is over */
	TLS_DATA,	/* plain is the plaintext of a record */
	TLS_EOF,	/* the peer said that it sends no more */
	TLS_FAILED	/* see tls_engine_failure(); there may be output */
};
struct tls_span {
	char	*p;
	size_t	 n;
};

/* Take at most one record from in, which is advanced; its bytes are changed
 * in place. plain (only for TLS_DATA) may be changed, too, and lies in what
 * in was or in memory of the engine: valid until the next feed. */
enum tls_step tls_engine_feed(struct tls_engine *, struct tls_span *in,
	    struct tls_span *plain);

/* Whether plaintext is taken now: open, not finished, no ciphertext left. */
bool	tls_engine_ready(const struct tls_engine *);
/* Seal plaintext (only when ready) into the scratch: one record, or if first
 * (of a burst) a small one and another. How many bytes were taken, more than
 * 0. The output must be dealt with before the next call. */
size_t	tls_engine_seal(struct tls_engine *, const struct iovec *, int n,
	    bool first);
/* Ciphertext to be sent. Valid until the next call. */
struct sv tls_engine_output(const struct tls_engine *);
/* n bytes of it were sent (0: none could be). What is left is kept. -1: no
 * memory, the connection is of no use any more. */
int	tls_engine_sent(struct tls_engine *, size_t n);
/* Say that nothing more will be sent: adds a close_notify to the output if
 * the connection is open. */
void	tls_engine_finish(struct tls_engine *);
/* The transport ended. True if that is fine: both sides had said so, or the
 * peer had. False: it has failed, as data may be missing. */
bool	tls_engine_eof(struct tls_engine *);
/* Give up, with a static sentence. */
void	tls_engine_abort(struct tls_engine *, enum tls_failure,
	    const char *why);

/* Why it failed, a sentence valid as long as the engine; NULL if not. */
const char *tls_engine_why(const struct tls_engine *);
/* "ECDHE-ECDSA-CHACHA20-POLY1305" and so on; "" before it is open. */
const char *tls_engine_cipher(const struct tls_engine *);

#endif

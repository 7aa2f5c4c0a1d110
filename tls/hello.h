/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What must be known of a ClientHello (RFC 5246, 7.4.1.2) before a session is
 * resumed, when BearSSL has not read that far: pure.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stdbool.h>

#include "util/sv.h"

struct tls_hello {
	struct sv	name;	/* server name, as sent; "" without one */
	bool		named;	/* has that extension */
	bool		alpn;	/* names protocols, */
	bool		http;	/* and HTTP/1.1 is among them */
};

/* Parse what follows the session id, cipher suites first. Views of rest. 0,
 * or -1: cut off, malformed, the same thing said twice, or without any
 * extensions (where the end could not be told from a cut). */
int	tls_hello_parse(struct tls_hello *, struct sv rest);

#endif

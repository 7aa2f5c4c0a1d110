/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Cross-origin requests of browsers (the CORS protocol of the Fetch
 * standard), as far as the connection endpoints need it. Whose pages are
 * allowed is the caller's matter, and nothing is refused here: a page that
 * is not allowed just can't read the answer.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/server.h"

/* Append the headers that let the page that asks read the answer, with
 * credentials. Nothing when the request names no Origin. */
void	http_cors_allow(struct http_exchange *);
/* Answer a preflight request (OPTIONS); methods as "POST, OPTIONS". */
void	http_cors_preflight(struct http_exchange *, const char *methods);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Which route serves a path. Paths are compared as they were sent: no
 * decoding, no dot segments, so nothing can be reached by two spellings.
 */
#include "http/server.h"

static bool
route_matches(const struct http_route *rt, struct sv path)
{
	struct sv own = sv_from(rt->path);

	if (sv_eq(own, path))
		return true;
	return rt->prefix && sv_ends(own, SV("/")) && sv_starts(path, own);
}

/* see server.h */
const struct http_route *
http_route_find(const struct http_site *site, struct sv path)
{
	const struct http_route	*rt, *best = NULL;
	size_t			 i, n, best_n = 0;

	for (i = 0; i < site->nroute; i++) {
		rt = &site->route[i];
		if (!route_matches(rt, path))
			continue;
		n = strlen(rt->path);
		if (n == path.n)
			return rt;
		if (best == NULL || n > best_n) {
			best = rt;
			best_n = n;
		}
	}
	return best;
}

static unsigned
route_methods(const struct http_route *rt)
{
	unsigned m = rt->methods;

	if (m & 1u << HTTP_GET)
		m |= 1u << HTTP_HEAD;
	return m;
}

/* see server.h */
bool
http_route_allows(const struct http_route *rt, enum http_method m)
{
	return route_methods(rt) >> m & 1;
}

/* see server.h */
void
http_route_put_allow(const struct http_route *rt, struct buf *b)
{
	const unsigned	 methods = route_methods(rt);
	const char	*sep = "Allow: ";
	int		 m;

	for (m = 0; m < HTTP_OTHER; m++) {
		if ((methods >> m & 1) == 0)
			continue;
		buf_puts(b, sep);
		buf_puts(b, http_method_name((enum http_method)m));
		sep = ", ";
	}
	buf_puts(b, "\r\n");
}

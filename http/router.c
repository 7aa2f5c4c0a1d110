/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Which route serves a path. Paths are compared as they were sent: no
 * decoding, no dot segments, so nothing can be reached by two spellings.
 */
#include "http/server.h"

static bool
is_exact(const struct http_route *rt, struct sv path)
{
	return strncmp(rt->path, path.p, path.n) == 0 &&
	    rt->path[path.n] == '\0';
}

static const struct http_route *
find_prefix(const struct http_site *site, struct sv path)
{
	const struct http_route	*best = NULL;
	struct sv		 own;
	size_t			 i, best_n = 0;

	for (i = 0; i < site->nroute; i++) {
		if (!site->route[i].prefix)
			continue;
		own = sv_from(site->route[i].path);
		if (own.n > best_n && sv_ends(own, SV("/")) &&
		    sv_starts(path, own)) {
			best = &site->route[i];
			best_n = own.n;
		}
	}
	return best;
}

/* see server.h */
const struct http_route *
http_route_find(const struct http_site *site, struct sv path)
{
	size_t i;

	for (i = 0; i < site->nroute; i++)
		if (is_exact(&site->route[i], path))
			return &site->route[i];
	return find_prefix(site, path);
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

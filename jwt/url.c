/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See url.h.
 */
#include <string.h>

#include "jwt/url.h"
#include "util/regex.h"

/* ---- expanding ---- */

static struct sv
var_get(const struct jwt_vars *vars, struct sv name)
{
	size_t i;

	for (i = vars->n; i-- > 0; )
		if (sv_eq(vars->v[i].name, name))
			return vars->v[i].value;
	return sv_make(NULL, 0);
}

/* see url.h */
enum jwt_err
jwt_vars_match(struct jwt_vars *vars, const struct regex *re, struct sv text,
    bool *matched)
{
	size_t		i, n = regex_ngroups(re);
	struct sv	group[JWT_VARS_MAX];

	if (n > JWT_VARS_MAX - vars->n) {
		*matched = false;
		return JWT_OK;
	}
	if (regex_groups(re, text, group, matched) == -1)
		return JWT_NOMEM;
	for (i = 0; *matched && i < n; i++)
		vars->v[vars->n++] = (struct jwt_var){
		    regex_group_name(re, i), group[i] };
	return JWT_OK;
}

/* The next {{name}}: cut off with what is in front of it. false: none. */
static bool
next_name(struct sv *rest, struct sv *before, struct sv *name)
{
	size_t i, k;

	for (i = 0; i + 1 < rest->n; i++)
		if (rest->p[i] == '{' && rest->p[i + 1] == '{')
			break;
	for (k = i + 2; k + 1 < rest->n; k++)
		if (rest->p[k] == '}' && rest->p[k + 1] == '}') {
			*before = sv_make(rest->p, i);
			*name = sv_make(rest->p + i + 2, k - i - 2);
			*rest = sv_skip(*rest, k + 2);
			return true;
		}
	return false;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A segment that leads elsewhere: empty, or dots, also if they are escaped,
 * and any escaped slash. */
static bool
is_tricky(struct sv s)
{
	size_t	i, dots = 0, others = 0;
	int	c;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c == '%') {
			if (s.n - i < 3 || hex_digit(s.p[i + 1]) == -1 ||
			    hex_digit(s.p[i + 2]) == -1)
				return true;
			c = hex_digit(s.p[i + 1]) << 4 |
			    hex_digit(s.p[i + 2]);
			if (c == '/' || c == '\\')
				return true;
			i += 2;
		}
		if (c == '.')
			dots++;
		else
			others++;
	}
	return others == 0 && dots <= 2;
}

/* The URL begins with a scheme and an authority; only its path matters. */
static bool
is_straight(struct sv url)
{
	struct sv	path, segment;
	size_t		i;

	for (i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= 0x20 || url.p[i] == '\\' ||
		    (unsigned char)url.p[i] >= 0x7f || url.p[i] == '#')
			return false;
	path = sv_cut(&url, '?');
	for (i = 0; i < 3 && path.p != NULL; i++)
		(void)sv_cut(&path, '/');
	while (path.p != NULL) {
		segment = sv_cut(&path, '/');
		/* A slash may end the path. */
		if (is_tricky(segment) && (segment.n > 0 || path.p != NULL))
			return false;
	}
	return true;
}

/* see url.h */
enum jwt_err
jwt_url_expand(struct buf *out, struct sv url, const struct jwt_vars *vars)
{
	struct sv	before, name;
	size_t		start = out->n;
	bool		as_it_is = true;

	while (next_name(&url, &before, &name)) {
		buf_putsv(out, before);
		buf_putsv(out, var_get(vars, name));
		as_it_is = false;
	}
	buf_putsv(out, url);
	if (out->failed)
		return JWT_NOMEM;
	return as_it_is || is_straight(sv_skip(buf_sv(out), start)) ? JWT_OK :
	    JWT_CLAIMS;
}

/* ---- checking the configuration ---- */

static bool
uses(struct sv url, struct sv want)
{
	struct sv before, name;

	while (next_name(&url, &before, &name))
		if (sv_eq(name, want))
			return true;
	return false;
}

/* Classes of characters: anywhere, because the rest of the pattern decides
 * what is left for a group. */
static bool
has_class(struct sv re)
{
	size_t i;

	for (i = 0; i < re.n; i++) {
		if (re.p[i] == '[')
			return true;
		if (re.p[i] == '\\' && ++i < re.n &&
		    strchr("dDwWsSpP", re.p[i]) != NULL)
			return true;
	}
	return false;
}

/* Whether the pattern up to the parenthesis that ends the group is made of
 * characters and alternatives only; groups may be nested. */
static bool
is_fixed(struct sv s)
{
	size_t	i;
	int	depth = 0;

	for (i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '\\':
			/* An escaped letter or digit is never itself. */
			if (++i == s.n || (s.p[i] >= '0' && s.p[i] <= '9') ||
			    ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'))
				return false;
			break;
		case '(':
			depth++;
			if (sv_starts(sv_skip(s, i + 1), SV("?:")))
				i += 2;
			break;
		case ')':
			if (depth-- == 0)
				return true;
			break;
		case '.': case '*': case '+': case '?': case '{': case '[':
		case '^': case '$':
			return false;
		}
	}
	return false;
}

/* The next (?P<name> or (?<name>: *name, and what follows it. */
static bool
next_group(struct sv *re, struct sv *name)
{
	struct sv	s = *re;
	ptrdiff_t	n;

	for (; s.n > 0; s = sv_skip(s, 1)) {
		if (s.p[0] == '\\') {
			s = sv_skip(s, 1);
			continue;
		}
		if (!sv_starts(s, SV("(?P<")) && !sv_starts(s, SV("(?<")))
			continue;
		s = sv_skip(s, s.p[2] == 'P' ? 4 : 3);
		if ((n = sv_chr(s, '>')) == -1)
			return false;
		*name = sv_make(s.p, (size_t)n);
		*re = sv_skip(s, (size_t)n + 1);
		return true;
	}
	return false;
}

static const char *
check_groups(struct sv url, struct sv re, bool *found)
{
	struct sv name;

	if (has_class(re))
		return "a class of characters in the regular expression, "
		    "where only lists of values are safe";
	while (next_group(&re, &name)) {
		if (!uses(url, name))
			continue;
		*found = true;
		if (!is_fixed(re))
			return "a group that the URL uses is not a list of "
			    "values";
	}
	return NULL;
}

/* see url.h */
int
jwt_url_check(struct sv url, struct sv issuer_regex, struct sv audience_regex,
    const char **why)
{
	struct sv	rest = url, before, name;
	bool		found = false;

	*why = NULL;
	if (!next_name(&rest, &before, &name))
		return 0;
	if ((*why = check_groups(url, issuer_regex, &found)) != NULL ||
	    (*why = check_groups(url, audience_regex, &found)) != NULL)
		return -1;
	if (!found)
		*why = "the URL uses a group that neither regular expression "
		    "has";
	return found ? 0 : -1;
}

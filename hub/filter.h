/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tags filters: a subscriber's condition on the tags of publications. It is
 * a tree of nodes {op, key, cmp, val, vals, nodes}: op `and', `or' and `not'
 * hold for nodes, and without op a node compares the tag `key':
 *
 *	eq neq		is val, or not (also without such a tag)
 *	in nin		is one of vals, or none ("" without such a tag)
 *	ex nex		is there, or not
 *	sw ew ct	starts with, ends with, contains val
 *	gt gte lt lte	is more or less than val: both decimal numbers
 *
 * A filter takes one allocation and matches in time linear in its size (and
 * logarithmic in the number of tags), without recursion.
 */
#ifndef HUB_FILTER_H
#define HUB_FILTER_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/json.h"
#include "util/sv.h"

enum filter_err {
	FILTER_OK,
	FILTER_MALFORMED,	/* no such tree: a member of another type */
	FILTER_INVALID,		/* a tree, but what it says makes no sense */
	FILTER_NOMEM
};

struct filter;

/* Compile the tree at v, of which nothing is kept. NULL with *err set. */
struct filter *filter_new(struct jv v, enum filter_err *err);
void	filter_free(struct filter *);

struct filter_tag {
	struct sv	key, val;
	size_t		number;		/* its place in the text */
};

/* The tags of a publication, made ready once for all filters. The memory is
 * kept for the next publication. */
struct filter_tags {
	struct filter_tag *tag;		/* sorted, no key twice */
	size_t		 n, cap;
	struct json	 json;
	struct buf	 scratch;
};

void	filter_tags_init(struct filter_tags *);
void	filter_tags_fini(struct filter_tags *);
/* Take the tags in s, a JSON object of strings or empty, which must stay as
 * long as they are used. -1, and no tags, when out of memory or if s is
 * something else. */
int	filter_tags_load(struct filter_tags *, struct sv s);

bool	filter_match(const struct filter *, const struct filter_tags *);

#endif

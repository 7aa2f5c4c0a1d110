/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tags filters: see filter.h. The nodes stand in one array, each before
 * those it holds, and know where that subtree ends and whose child they are:
 * so the tree is gone through in a loop, and what is decided is skipped.
 */
#include <assert.h>
#include <stdlib.h>

#include "hub/decimal.h"
#include "hub/filter.h"

enum op { OP_LEAF, OP_AND, OP_OR, OP_NOT };

enum cmp {
	CMP_NONE,
	CMP_EQ, CMP_NEQ, CMP_SW, CMP_EW, CMP_CT,	/* take val */
	CMP_GT, CMP_GTE, CMP_LT, CMP_LTE,		/* a number */
	CMP_IN, CMP_NIN,				/* vals */
	CMP_EX, CMP_NEX					/* neither */
};

static const char *const ops[] = {
	[OP_LEAF] = "", [OP_AND] = "and", [OP_OR] = "or", [OP_NOT] = "not",
};
static const char *const cmps[] = {
	[CMP_NONE] = "", [CMP_EQ] = "eq", [CMP_NEQ] = "neq",
	[CMP_SW] = "sw", [CMP_EW] = "ew", [CMP_CT] = "ct",
	[CMP_GT] = "gt", [CMP_GTE] = "gte", [CMP_LT] = "lt",
	[CMP_LTE] = "lte", [CMP_IN] = "in", [CMP_NIN] = "nin",
	[CMP_EX] = "ex", [CMP_NEX] = "nex",
};
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define NONE		UINT32_MAX
/* A node in another is two levels of JSON. */
#define MAX_NESTING	(JSON_MAX_DEPTH / 2 + 1)

/* A string in the filter's bytes. A JSON text has at most INT32_MAX. */
struct text {
	uint32_t	at, n;
};

struct node {
	uint8_t		op, cmp;
	uint32_t	parent;		/* NONE: the root */
	uint32_t	end;		/* the next node outside of this one */
	struct text	key, val;
	uint32_t	vals, nvals;	/* vals[vals] ... */
};

struct filter {
	const struct text	*vals;	/* these two behind the nodes */
	const char		*bytes;
	struct node		 node[];
};

/* ---- compilation ---- */

struct builder {
	struct buf	nodes;		/* of struct node */
	struct buf	vals;		/* of struct text */
	struct buf	bytes;
	struct buf	scratch;
};

static uint32_t
count_nodes(const struct builder *b)
{
	return (uint32_t)(b->nodes.n / sizeof(struct node));
}

static struct node *
node_at(const struct builder *b, uint32_t i)
{
	return (struct node *)(void *)b->nodes.p + i;
}

static bool
is_or_none(struct jv v, enum json_type type)
{
	return !jv_is(v) || jv_type(v) == type || jv_type(v) == JSON_NULL;
}

/* Whether all is of the right type, also what the filter will not look at.
 * Calls itself as deep as JSON_MAX_DEPTH allows. */
static bool
has_types(struct jv node)
{
	static const char *const	strings[] = {
		"op", "key", "cmp", "val"
	};
	struct jv	vals = jv_get(node, "vals");
	struct jv	nodes = jv_get(node, "nodes"), v;
	size_t		i;

	if (jv_type(node) != JSON_OBJECT || !is_or_none(vals, JSON_ARRAY) ||
	    !is_or_none(nodes, JSON_ARRAY))
		return false;
	for (i = 0; i < COUNT(strings); i++)
		if (!is_or_none(jv_get(node, strings[i]), JSON_STRING))
			return false;
	for (v = jv_first(vals); jv_is(v); v = jv_next(v))
		if (jv_type(v) != JSON_STRING)
			return false;
	for (v = jv_first(nodes); jv_is(v); v = jv_next(v))
		if (!has_types(v))
			return false;
	return true;
}

/* A string's value; none counts as an empty one. */
static enum filter_err
get_text(struct builder *b, struct jv v, struct sv *out)
{
	buf_reset(&b->scratch);
	*out = sv_make("", 0);
	if (jv_type(v) == JSON_STRING && jv_str(v, &b->scratch, out) == -1)
		return FILTER_NOMEM;
	return FILTER_OK;
}

/* The number of the name in a table. */
static enum filter_err
find_name(struct builder *b, struct jv v, const char *const *table,
    size_t size, uint8_t *out)
{
	struct sv	name;
	size_t		i;

	if (get_text(b, v, &name) != FILTER_OK)
		return FILTER_NOMEM;
	for (i = 0; i < size; i++)
		if (sv_eq(name, sv_from(table[i])))
			break;
	*out = (uint8_t)i;
	return i < size ? FILTER_OK : FILTER_INVALID;
}

static enum filter_err
add_text(struct builder *b, struct jv v, struct text *out)
{
	struct sv	s;

	if (get_text(b, v, &s) != FILTER_OK)
		return FILTER_NOMEM;
	*out = (struct text){ (uint32_t)b->bytes.n, (uint32_t)s.n };
	buf_putsv(&b->bytes, s);
	return b->bytes.failed ? FILTER_NOMEM : FILTER_OK;
}

static enum filter_err
add_vals(struct builder *b, struct jv vals, struct node *n)
{
	struct text	t;
	struct jv	v;

	n->vals = (uint32_t)(b->vals.n / sizeof(t));
	n->nvals = (uint32_t)jv_len(vals);
	for (v = jv_first(vals); jv_is(v); v = jv_next(v)) {
		if (add_text(b, v, &t) != FILTER_OK)
			return FILTER_NOMEM;
		buf_put(&b->vals, &t, sizeof(t));
	}
	return b->vals.failed ? FILTER_NOMEM : FILTER_OK;
}

static enum filter_err
add_leaf(struct builder *b, struct jv v, struct node *n)
{
	enum filter_err	e;

	e = find_name(b, jv_get(v, "cmp"), cmps, COUNT(cmps), &n->cmp);
	if (e == FILTER_OK)
		e = add_text(b, jv_get(v, "key"), &n->key);
	if (e == FILTER_OK)
		e = add_text(b, jv_get(v, "val"), &n->val);
	if (e == FILTER_OK)
		e = add_vals(b, jv_get(v, "vals"), n);
	return e;
}

static bool
is_valid_leaf(const struct node *n)
{
	switch (n->cmp) {
	case CMP_NONE:
		return false;
	case CMP_EX:
	case CMP_NEX:
		return n->val.n == 0 && n->nvals == 0;
	case CMP_IN:
	case CMP_NIN:
		return n->key.n > 0 && n->val.n == 0 && n->nvals > 0;
	default:
		return n->key.n > 0 && n->val.n > 0 && n->nvals == 0;
	}
}

static bool
is_valid(const struct node *n, size_t children)
{
	switch (n->op) {
	case OP_LEAF:
		return is_valid_leaf(n);
	case OP_NOT:
		return children == 1;
	default:
		return children > 0;
	}
}

/* Only of a leaf it matters how it compares, and only of others what nodes
 * they hold. *first: the first of these. */
static enum filter_err
add_node(struct builder *b, struct jv v, uint32_t parent, struct jv *first)
{
	struct node	n = { .parent = parent, .end = count_nodes(b) + 1 };
	struct jv	nodes = jv_get(v, "nodes");
	enum filter_err	e;

	e = find_name(b, jv_get(v, "op"), ops, COUNT(ops), &n.op);
	if (e == FILTER_OK && n.op == OP_LEAF)
		e = add_leaf(b, v, &n);
	if (e != FILTER_OK)
		return e;
	if (!is_valid(&n, jv_len(nodes)))
		return FILTER_INVALID;
	*first = n.op == OP_LEAF ? (struct jv){ NULL, 0 } : jv_first(nodes);
	buf_put(&b->nodes, &n, sizeof(n));
	return b->nodes.failed ? FILTER_NOMEM : FILTER_OK;
}

static enum filter_err
add_tree(struct builder *b, struct jv v)
{
	struct jv	up[MAX_NESTING], next;
	uint32_t	parent = NONE;
	size_t		depth = 0;
	enum filter_err	e;

	for (;; v = next) {
		if ((e = add_node(b, v, parent, &next)) != FILTER_OK)
			return e;
		if (jv_is(next)) {
			assert(depth < MAX_NESTING);
			up[depth++] = v;
			parent = count_nodes(b) - 1;
			continue;
		}
		while (depth > 0 && !jv_is(next = jv_next(v))) {
			node_at(b, parent)->end = count_nodes(b);
			parent = node_at(b, parent)->parent;
			v = up[--depth];
		}
		if (depth == 0)
			return FILTER_OK;
	}
}

static struct filter *
pack(const struct builder *b)
{
	struct filter	*f;
	char		*p;

	f = malloc(sizeof(*f) + b->nodes.n + b->vals.n + b->bytes.n);
	if (f == NULL)
		return NULL;
	p = (char *)f->node;
	memcpy(p, b->nodes.p, b->nodes.n);
	p += b->nodes.n;
	f->vals = (struct text *)(void *)p;
	if (b->vals.n > 0)
		memcpy(p, b->vals.p, b->vals.n);
	p += b->vals.n;
	f->bytes = p;
	if (b->bytes.n > 0)
		memcpy(p, b->bytes.p, b->bytes.n);
	return f;
}

/* see filter.h */
struct filter *
filter_new(struct jv v, enum filter_err *err)
{
	struct builder	b = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	struct filter	*f = NULL;

	*err = has_types(v) ? add_tree(&b, v) : FILTER_MALFORMED;
	if (*err == FILTER_OK && (f = pack(&b)) == NULL)
		*err = FILTER_NOMEM;
	buf_fini(&b.nodes);
	buf_fini(&b.vals);
	buf_fini(&b.bytes);
	buf_fini(&b.scratch);
	return f;
}

/* see filter.h */
void
filter_free(struct filter *f)
{
	free(f);
}

/* ---- tags ---- */

/* see filter.h */
void
filter_tags_init(struct filter_tags *t)
{
	*t = (struct filter_tags){ .tag = NULL };
	json_init(&t->json);
	buf_init(&t->scratch);
}

/* see filter.h */
void
filter_tags_fini(struct filter_tags *t)
{
	free(t->tag);
	json_fini(&t->json);
	buf_fini(&t->scratch);
}

static int
compare_keys(struct sv a, struct sv b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

static int
compare_tags(const void *a, const void *b)
{
	const struct filter_tag	*x = a, *y = b;
	int			 order = compare_keys(x->key, y->key);

	if (order != 0)
		return order;
	return x->number < y->number ? -1 : 1;
}

/* Sort; of a key that stands twice the last one counts. */
static void
sort_tags(struct filter_tags *t)
{
	size_t	i, n = 0;

	if (t->n < 2)
		return;
	qsort(t->tag, t->n, sizeof(*t->tag), compare_tags);
	for (i = 0; i < t->n; i++) {
		if (i > 0 && compare_keys(t->tag[i].key,
		    t->tag[i - 1].key) == 0)
			n--;
		t->tag[n++] = t->tag[i];
	}
	t->n = n;
}

static int
add_tags(struct filter_tags *t, struct jv obj)
{
	struct filter_tag	*p;
	struct jv		 v;

	if (jv_type(obj) != JSON_OBJECT)
		return -1;
	if (jv_len(obj) > t->cap) {
		p = reallocarray(t->tag, jv_len(obj), sizeof(*p));
		if (p == NULL)
			return -1;
		t->tag = p;
		t->cap = jv_len(obj);
	}
	for (v = jv_first(obj); jv_is(v); v = jv_next(v)) {
		p = &t->tag[t->n];
		p->number = t->n;
		if (jv_str(jv_key(v), &t->scratch, &p->key) == -1 ||
		    jv_str(v, &t->scratch, &p->val) == -1)
			return -1;
		t->n++;
	}
	sort_tags(t);
	return 0;
}

/* see filter.h */
int
filter_tags_load(struct filter_tags *t, struct sv s)
{
	t->n = 0;
	if (s.n == 0)
		return 0;
	/* room for all at once, so that no string ever moves */
	buf_reset(&t->scratch);
	if (buf_reserve(&t->scratch, s.n) == NULL ||
	    json_parse(&t->json, s, 0) == -1 ||
	    add_tags(t, json_root(&t->json)) == -1) {
		t->n = 0;
		return -1;
	}
	return 0;
}

/* ---- matching ---- */

static const struct filter_tag *
find_tag(const struct filter_tags *t, struct sv key)
{
	size_t	lo = 0, hi = t->n, mid;
	int	order;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		order = compare_keys(key, t->tag[mid].key);
		if (order == 0)
			return &t->tag[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static struct sv
text(const struct filter *f, struct text t)
{
	return sv_make(f->bytes + t.at, t.n);
}

static bool
is_among(const struct filter *f, const struct node *n, struct sv s)
{
	uint32_t	i;

	for (i = 0; i < n->nvals; i++)
		if (sv_eq(text(f, f->vals[n->vals + i]), s))
			return true;
	return false;
}

static bool
compares(enum cmp cmp, struct sv a, struct sv b)
{
	struct decimal	x, y;
	int		order;

	if (decimal_parse(&x, a) == -1 || decimal_parse(&y, b) == -1)
		return false;
	order = decimal_compare(&x, &y);
	switch (cmp) {
	case CMP_GT:
		return order > 0;
	case CMP_GTE:
		return order >= 0;
	case CMP_LT:
		return order < 0;
	default:
		return order <= 0;
	}
}

static bool
leaf_matches(const struct filter *f, const struct node *n,
    const struct filter_tags *tags)
{
	const struct filter_tag	*tag = find_tag(tags, text(f, n->key));
	struct sv		 val = text(f, n->val);

	switch (n->cmp) {
	case CMP_EQ:
		return tag != NULL && sv_eq(tag->val, val);
	case CMP_NEQ:
		return tag == NULL || !sv_eq(tag->val, val);
	case CMP_IN:
		return is_among(f, n, tag == NULL ? SV("") : tag->val);
	case CMP_NIN:
		return !is_among(f, n, tag == NULL ? SV("") : tag->val);
	case CMP_EX:
		return tag != NULL;
	case CMP_NEX:
		return tag == NULL;
	case CMP_SW:
		return tag != NULL && sv_starts(tag->val, val);
	case CMP_EW:
		return tag != NULL && sv_ends(tag->val, val);
	case CMP_CT:
		return tag != NULL && memmem(tag->val.p, tag->val.n,
		    val.p, val.n) != NULL;
	default:
		return tag != NULL && compares(n->cmp, tag->val, val);
	}
}

/* see filter.h */
bool
filter_match(const struct filter *f, const struct filter_tags *tags)
{
	const struct node	*n = f->node, *parent;
	bool			 is;

	for (;;) {
		while (n->op != OP_LEAF)
			n++;
		is = leaf_matches(f, n, tags);
		/* up to where a sibling still has a say */
		for (;; n = parent) {
			if (n->parent == NONE)
				return is;
			parent = &f->node[n->parent];
			if (parent->op == OP_NOT)
				is = !is;
			else if (is == (parent->op == OP_AND) &&
			    n->end < parent->end)
				break;
		}
		n = &f->node[n->end];
	}
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The shape of the table of options (inside this room only). The table is a
 * tree, as the JSON is: groups hold options and other groups. A group that
 * Centrifugo uses in several places (TLS, Redis, a proxy, ...) is written
 * once and referred to.
 *
 * An option with storage is supported. One without is known: its value is
 * read and checked, and refused when it isn't the default, unless OF_NOP
 * says that any value is fine. Inside a group without storage nothing has.
 * To support an option, give it a field in conf.h and turn its NO row into
 * an OPT row.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "util/sv.h"

enum conf_type {
	CONF_END,	/* the row after the last */
	CONF_BOOL,
	CONF_INT,
	CONF_PORT,	/* an int that Centrifugo writes as a string */
	CONF_DUR,
	CONF_STR,
	CONF_PEM,
	CONF_LIST,
	CONF_MAP,
	CONF_GROUP,	/* an object */
	CONF_SQUASH,	/* rows of another table, without a name of its own */
	CONF_ITEMS	/* an array of objects */
};

#define OF_RELOAD	0x01	/* SIGHUP changes it */
#define OF_SECRET	0x02	/* never shown; has a _FILE variable */
#define OF_EXTRA	0x04	/* fugu's own: Centrifugo has no such option */
#define OF_NOP		0x08	/* every value accepted, none has an effect */
#define OF_PREFIX	0x10	/* a path prefix, normalised after loading */
#define OF_NAMED	0x20	/* items with a name: can come from variables */
#define OF_FULL		0x40	/* must not be the empty string */
#define OF_TEXT		0x80	/* in JSON a string; no number stands for it */

struct conf_opt {
	const char		*name;
	enum conf_type		 type;
	unsigned		 flags;
	bool			 stored;
	size_t			 off;		/* in the group's structure */
	const struct conf_opt	*sub;		/* GROUP, SQUASH, ITEMS */
	size_t			 item_size;	/* ITEMS with storage */
	int64_t			 min, max;	/* both 0: from 0 up */
	const char		*choices;	/* of a string, or of a list's
						 * members; by spaces */
	const char		*def;		/* as in the environment */
	const char		*help;		/* a sentence; the type is not
						 * repeated */
};

/* ITEMS with storage look like this: struct conf_namespaces and friends. */
struct conf_items {
	void		*v;
	size_t		 n;
};

extern const struct conf_opt conf_root[];

/* Groups used by more than one file of the table. */
extern const struct conf_opt conf_tls_opts[];
extern const struct conf_opt conf_redis_opts[];
extern const struct conf_opt conf_proxy_opts[];
extern const struct conf_opt conf_token_opts[];
extern const struct conf_opt conf_channel_opts[];
extern const struct conf_opt conf_rpc_opts[];
extern const struct conf_opt conf_nats_opts[];
extern const struct conf_opt conf_stream_pg_opts[];
extern const struct conf_opt conf_map_pg_opts[];
extern const struct conf_opt conf_controller_pg_opts[];
extern const struct conf_opt conf_disconnect_opts[];
extern const struct conf_opt conf_consumer_opts[];

/* The field's offset; compiles only if its type is T. */
#define FIELD(T, st, f)							\
	_Generic(&((struct st *)0)->f, T *: offsetof(struct st, f))
#define FIELD_BOOL(st, f)	FIELD(bool, st, f)
#define FIELD_INT(st, f)	FIELD(int64_t, st, f)
#define FIELD_PORT(st, f)	FIELD(int64_t, st, f)
#define FIELD_DUR(st, f)	FIELD(int64_t, st, f)
#define FIELD_STR(st, f)	FIELD(const char *, st, f)
#define FIELD_PEM(st, f)	FIELD(const char *, st, f)
#define FIELD_LIST(st, f)	FIELD(struct conf_list, st, f)
#define FIELD_MAP(st, f)	FIELD(struct conf_map, st, f)

/* Rows with storage: struct conf_X, field, flags, default, help. */
#define OPT(t, st, f, fl, d, h)						\
	{ .name = #f, .type = CONF_##t, .flags = fl, .stored = true,	\
	  .off = FIELD_##t(st, f), .def = d, .help = h }
#define OPT_RANGE(t, st, f, fl, lo, hi, d, h)				\
	{ .name = #f, .type = CONF_##t, .flags = fl, .stored = true,	\
	  .off = FIELD_##t(st, f), .min = lo, .max = hi, .def = d,	\
	  .help = h }
#define OPT_ONEOF(st, f, fl, ch, d, h)					\
	{ .name = #f, .type = CONF_STR, .flags = fl, .stored = true,	\
	  .off = FIELD_STR(st, f), .choices = ch, .def = d, .help = h }
#define OPT_LISTOF(st, f, fl, ch, d, h)					\
	{ .name = #f, .type = CONF_LIST, .flags = fl, .stored = true,	\
	  .off = FIELD_LIST(st, f), .choices = ch, .def = d, .help = h }
#define GROUP(st, f, s, h)						\
	{ .name = #f, .type = CONF_GROUP, .stored = true,		\
	  .off = offsetof(struct st, f), .sub = s, .help = h }
#define SQUASH(st, f, s)						\
	{ .type = CONF_SQUASH, .stored = true,				\
	  .off = offsetof(struct st, f), .sub = s }
/* Rows of another table about the same structure. */
#define SAME(s)	{ .type = CONF_SQUASH, .stored = true, .sub = s }
#define ITEMS(st, f, item, fl, s, h)					\
	{ .name = #f, .type = CONF_ITEMS, .flags = fl, .stored = true,	\
	  .off = offsetof(struct st, f), .sub = s,			\
	  .item_size = sizeof(struct item), .def = "", .help = h }

/* Rows without: name, default, help. */
#define NO(t, n, d, h)							\
	{ .name = n, .type = CONF_##t, .def = d, .help = h }
#define NO_FLAG(t, n, fl, d, h)						\
	{ .name = n, .type = CONF_##t, .flags = fl, .def = d, .help = h }
#define NO_ONEOF(n, ch, d, h)						\
	{ .name = n, .type = CONF_STR, .choices = ch, .def = d, .help = h }
#define NO_GROUP(n, s, h)						\
	{ .name = n, .type = CONF_GROUP, .sub = s, .help = h }
#define NO_SQUASH(s)	{ .type = CONF_SQUASH, .sub = s }
#define NO_ITEMS(n, fl, s, h)						\
	{ .name = n, .type = CONF_ITEMS, .flags = fl, .sub = s,		\
	  .def = "", .help = h }
#define END		{ .type = CONF_END }

/* A dotted name being put together; too long a name is cut, so that it
 * matches nothing. */
#define CONF_PATH_MAX	512

struct conf_path {
	char	s[CONF_PATH_MAX];
	size_t	n;
};

void	conf_path_add(struct conf_path *, struct sv);
/* Append "." (but not at the start) and name; gives the length before. */
size_t	conf_path_push(struct conf_path *, struct sv name);
/* Append "[i]". */
size_t	conf_path_index(struct conf_path *, size_t i);
void	conf_path_pop(struct conf_path *, size_t n);

/* The place of opt's value under base, or NULL if it has none. */
static inline void *
conf_slot(const struct conf_opt *opt, const void *base)
{
	if (base == NULL || !opt->stored)
		return NULL;
	return (char *)(uintptr_t)base + opt->off;
}

/*
 * Visit every option below a table in order, groups included, with its
 * dotted name and its slot. For a group the visitor says whether to go in;
 * the items of an ITEMS row are left to it.
 */
struct conf_visitor {
	bool	(*visit)(struct conf_visitor *, const struct conf_opt *,
		    void *slot);
	struct conf_path path;
};

void	conf_visit(struct conf_visitor *, const struct conf_opt *table,
	    const void *base);

/* The option called name (case is ignored, no dots) in a table, and its
 * slot under base. */
const struct conf_opt *conf_find(const struct conf_opt *table,
	    struct sv name, const void *base, void **slot);
/* The same for a dotted name from the root; *canon is its spelling. */
const struct conf_opt *conf_find_dotted(struct sv name,
	    const struct conf *, void **slot, struct conf_path *canon);

/* The name nearest to a mistaken one, in near; false if none is near. */
bool	conf_suggest(const char *wrong, struct conf_path *near);

/* Name in the environment: prefix, then upper case with '_' for '.'. */
void	conf_env_name(struct conf_path *, const char *prefix,
	    const char *dotted);
/* What the variables of an item begin with: LIST_NAME_ */
void	conf_env_item(struct conf_path *, const char *list,
	    const char *name);

#endif

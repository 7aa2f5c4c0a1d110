/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The shape of the table of options (inside this room only). The table is a
 * tree, as the JSON is: groups hold options and other groups. A group that
 * Centrifugo uses in several places (TLS, Redis, a proxy, ...) is written
 * once and referred to.
 *
 * An option with a row has a field in conf.h, in which its value is stored.
 * The options that Centrifugo has and fugu has not are in known.c: of these
 * a value is read and checked, and refused when it isn't the default, unless
 * OF_NOP says that any value is fine. To support such an option, give it a
 * field and a row, and take it from there.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
#define OF_STORED	0x100	/* has a place in struct conf */

/* The numbers that an option may have. */
enum conf_ranges {
	CONF_R_FROM_0, CONF_R_FROM_1, CONF_R_UP, CONF_R_PORT,
	CONF_R_PORT_OR_0, CONF_R_TIME, CONF_R_TIME_OR_0, CONF_R_ANY_TIME,
	CONF_R_SECONDS, CONF_R_HEAD, CONF_R_THREADS, CONF_R_LEVEL,
	CONF_R_STATUS, CONF_R_DISCONNECT, CONF_R_ERROR
};

struct conf_range {
	int64_t		min, max;
};

/* Small, because there are hundreds. */
struct conf_opt {
	/* The name, and after its zero byte the default, as it stands in
	 * the environment, and after that one, of what is stored, the help:
	 * a sentence that does not repeat the type. */
	const char		*name;
	union {
		const struct conf_opt *sub;	/* of what is stored */
		const char	*known;		/* or else an ID of known.c */
		const char	*choices;	/* of a string, or of a list's
						 * members; by spaces */
	};
	uint16_t		 flags;
	uint16_t		 off;		/* in the group's structure */
	uint16_t		 item_size;	/* ITEMS with storage */
	uint8_t			 type;		/* enum conf_type */
	uint8_t			 range;		/* enum conf_ranges */
};

/* For what is stored. */
struct conf_range conf_range(const struct conf_opt *);

/* ITEMS with storage look like this: struct conf_namespaces and friends. */
struct conf_items {
	void		*v;
	size_t		 n;
};

/* The group of all. */
extern const struct conf_opt conf_root;

/* Groups used by more than one file of the table. */
extern const struct conf_opt conf_tls_opts[];
extern const struct conf_opt conf_token_opts[];
extern const struct conf_opt conf_channel_opts[];
extern const struct conf_opt conf_disconnect_opts[];

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

/* A row: struct conf_X, field, flags, range or choices, default, help. */
#define OPT(t, st, f, fl, d, h)						\
	OPT_RANGE(t, st, f, fl, FROM_0, d, h)
#define OPT_RANGE(t, st, f, fl, r, d, h)				\
	{ .name = #f "\0" d "\0" h, .type = CONF_##t,			\
	  .flags = OF_STORED | (fl), .off = FIELD_##t(st, f),		\
	  .range = CONF_R_##r }
#define OPT_ONEOF(st, f, fl, ch, d, h)					\
	{ .name = #f "\0" d "\0" h, .type = CONF_STR,			\
	  .flags = OF_STORED | (fl), .off = FIELD_STR(st, f),		\
	  .choices = ch }
#define OPT_LISTOF(st, f, fl, ch, d, h)					\
	{ .name = #f "\0" d "\0" h, .type = CONF_LIST,			\
	  .flags = OF_STORED | (fl), .off = FIELD_LIST(st, f),		\
	  .choices = ch }
#define GROUP(st, f, s)							\
	{ .name = #f "\0\0", .type = CONF_GROUP, .flags = OF_STORED,	\
	  .off = offsetof(struct st, f), .sub = s }
#define SQUASH(st, f, s)						\
	{ .type = CONF_SQUASH, .flags = OF_STORED,			\
	  .off = offsetof(struct st, f), .sub = s }
/* Rows of another table about the same structure. */
#define SAME(s)								\
	{ .type = CONF_SQUASH, .flags = OF_STORED, .sub = s }
#define ITEMS(st, f, item, fl, s, h)					\
	{ .name = #f "\0\0" h, .type = CONF_ITEMS,			\
	  .flags = OF_STORED | (fl), .off = offsetof(struct st, f),	\
	  .sub = s, .item_size = sizeof(struct item) }
/* The options of known.c that belong to the group. */
#define KNOWN(id)	{ .type = CONF_SQUASH, .known = id }
#define END		{ .type = CONF_END }

/*
 * Goes through the rows of a GROUP, SQUASH or ITEMS in order. NULL after the
 * last; what it gives may be gone after the next.
 */
struct conf_rows {
	const struct conf_opt	*next;	/* of a table, or NULL: */
	const char		*text;	/* of known.c */
	struct conf_opt		 row;
};

struct conf_rows conf_rows(const struct conf_opt *group);
const struct conf_opt *conf_rows_next(struct conf_rows *);

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

static inline const char *
conf_default(const struct conf_opt *o)
{
	return o->name + strlen(o->name) + 1;
}

/* "" for what is not stored. */
static inline const char *
conf_help(const struct conf_opt *o)
{
	const char *def = conf_default(o);

	return o->flags & OF_STORED ? def + strlen(def) + 1 : "";
}

/* The words that it may be, or NULL if it may be any. */
static inline const char *
conf_choices(const struct conf_opt *o)
{
	return o->type == CONF_STR || o->type == CONF_LIST ? o->choices :
	    NULL;
}

/* The place of opt's value under base, or NULL if it has none. */
static inline void *
conf_slot(const struct conf_opt *opt, const void *base)
{
	if (base == NULL || !(opt->flags & OF_STORED))
		return NULL;
	return (char *)(uintptr_t)base + opt->off;
}

/*
 * Visit every option below a group in order, groups included, with its
 * dotted name and its slot. For a group the visitor says whether to go in;
 * the items of an ITEMS row are left to it.
 */
struct conf_visitor {
	bool	(*visit)(struct conf_visitor *, const struct conf_opt *,
		    void *slot);
	struct conf_path path;
};

void	conf_visit(struct conf_visitor *, const struct conf_opt *group,
	    const void *base);

/* The option called name (case is ignored, no dots) in a group, and its
 * slot under base. False with *slot NULL if there is none. */
bool	conf_find(const struct conf_opt *group, struct sv name,
	    const void *base, struct conf_opt *, void **slot);
/* The same for a dotted name from the root; *canon is its spelling. */
bool	conf_find_dotted(struct sv name, const struct conf *,
	    struct conf_opt *, void **slot, struct conf_path *canon);

/* The name nearest to a mistaken one, in near; false if none is near. */
bool	conf_suggest(const char *wrong, struct conf_path *near);

/* Name in the environment: prefix, then upper case with '_' for '.'. */
void	conf_env_name(struct conf_path *, const char *prefix,
	    const char *dotted);
/* What the variables of an item begin with: LIST_NAME_ */
void	conf_env_item(struct conf_path *, const char *list,
	    const char *name);

#endif

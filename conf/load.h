/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the sources of a configuration share while it is being built
 * (inside this room only): memory, findings, and values.
 */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/conf.h"
#include "conf/table.h"
#include "util/json.h"

/* Memory that lives as long as the configuration: a list of blocks. */
struct conf_mem;

void	*conf_alloc(struct conf_mem **, size_t);	/* zeroed; or NULL */
const char *conf_strdup(struct conf_mem **, struct sv);
void	 conf_mem_free(struct conf_mem *);	/* wipes first */

/* A variable of the environment or of .env that is ours by its prefix. */
struct conf_var {
	const char	*name;
	const char	*value;
	bool		 used;
};

struct conf_load {
	struct conf		 *c;
	struct conf_mem		**mem;
	struct conf_errors	 *errs;
	struct conf_var		 *var;
	size_t			  nvar;
	unsigned		  nsuggest;	/* suggestions still to make */
};

const char *conf_var_get(struct conf_load *, const char *name);

/* Where a value stands: a name, and if the text is known the position of
 * p in it. */
struct conf_at {
	const char	*name;
	struct sv	 text;
	const char	*p;
};

/* Add a finding "AT: KEY: message". key may be "". */
void	conf_say(struct conf_errors *, enum conf_kind, struct conf_at,
	    const char *key, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* A value of any type but GROUP, SQUASH and ITEMS. */
struct conf_value {
	bool		 b;
	int64_t		 i;	/* INT, PORT, DUR */
	const char	*s;	/* STR, PEM */
	struct conf_list list;
	struct conf_map	 map;
};

/* Go's notation (1h30m, 1.5s, 300ms) in milliseconds, what is left over
 * rounded away from zero. 0 or -1. */
int	conf_parse_duration(struct sv, int64_t *ms);
/* true/false, t/f, 1/0, yes/no, on/off, in any case. */
int	conf_parse_bool(struct sv, bool *);
/* Decimal, 0x and 0 (octal) as strtol has them, with a sign. */
int	conf_parse_int(struct sv, int64_t *);
void	conf_put_duration(struct buf *, int64_t ms);

/* Read a value in the notation of variables and flags, or from JSON. 0; or
 * -1 after a finding, or for lack of memory. key is for the finding. */
int	conf_value_text(struct conf_load *, struct conf_at, const char *key,
	    const struct conf_opt *, const char *text, struct conf_value *);
int	conf_value_json(struct conf_load *, struct conf_at, const char *key,
	    const struct conf_opt *, struct jv, struct conf_value *);
bool	conf_value_is_zero(const struct conf_opt *, const struct conf_value *);
bool	conf_value_is_default(struct conf_load *, const struct conf_opt *,
	    const struct conf_value *);
/* What the slot of an option holds. */
struct conf_value conf_value_of(const struct conf_opt *, const void *slot);
bool	conf_value_eq(const struct conf_opt *, const struct conf_value *,
	    const struct conf_value *);
/* In the notation of variables; a number as the option's type has it. */
void	conf_put_value(struct buf *, const struct conf_opt *,
	    const struct conf_value *);
void	conf_put_number(struct buf *, const struct conf_opt *, int64_t);

/* Check a value against the row and store it, or refuse it. */
void	conf_set(struct conf_load *, struct conf_at, const char *key,
	    const struct conf_opt *, void *slot, const struct conf_value *);
/* Give every option below the group its default. 0 or -1: no memory. */
int	conf_set_defaults(struct conf_load *, const struct conf_opt *group,
	    void *base);

/* Items: room for n, each with its defaults. 0 or -1: no memory. */
int	conf_items_alloc(struct conf_load *, const struct conf_opt *,
	    struct conf_items *, size_t n);

/* The sources, in rising strength. */
void	conf_load_json(struct conf_load *, const char *name, struct sv text);
/* An array of objects, found in a variable or flag. */
void	conf_load_items(struct conf_load *, const char *name,
	    const char *text, const struct conf_opt *, const char *key,
	    void *slot);
void	conf_load_env(struct conf_load *, const char *prefix);
void	conf_load_flags(struct conf_load *, const struct conf_flag *,
	    size_t);

/* What is wrong with the whole; also the normal form of path prefixes, and
 * expressions compiled. */
void	conf_check(struct conf_load *);
/* Its parts. */
void	conf_check_tokens(struct conf_load *);
void	conf_check_channels(struct conf_load *);
void	conf_check_server(struct conf_load *);
/* Add a finding about GROUP.NAME; group may be "". */
void	conf_bad(struct conf_load *, enum conf_kind, const char *group,
	    const char *name, const char *what);
/* Compile a pattern, unless it is "", or add a finding. */
void	conf_compile(struct conf_load *, const char *group,
	    const char *name, const char *pattern, const struct regex **);
bool	conf_is_letter(char);		/* or _ */
/* Add a finding if the value of a PEM option is given, but can't be read. */
void	conf_check_pem(struct conf_load *, const char *group,
	    const char *name, const char *value);
/* An address, or a network as 10.0.0.0/8 without bits beyond. 0 or -1. */
int	conf_cidr_parse(struct sv, struct conf_cidr *);

/* The whole of a file ("-": standard input) appended to out. 0, or -1 with
 * errno; EFBIG if it is longer than 16 MB. */
int	conf_read_file(const char *path, struct buf *out);

#endif

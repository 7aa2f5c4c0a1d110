/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A filter, a newline, tags. `and' and `or' of the filter alone say what it
 * says, `not' the contrary.
 */
#include <stdlib.h>

#include "hub/filter.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
judge(struct jv v, const struct filter_tags *tags, bool *match)
{
	enum filter_err	err;
	struct filter	*f = filter_new(v, &err);

	if ((f == NULL) == (err == FILTER_OK) || err == FILTER_NOMEM)
		abort();
	if (f != NULL)
		*match = filter_match(f, tags);
	filter_free(f);
	return f != NULL;
}

static void
judge_with(const char *op, struct jv v, const struct filter_tags *tags,
    bool want)
{
	struct buf	b = BUF_INIT;
	struct json	j;
	bool		match;

	buf_printf(&b, "{\"op\":\"%s\",\"nodes\":[", op);
	buf_putsv(&b, jv_raw(v));
	buf_puts(&b, "]}");
	json_init(&j);
	if (json_parse(&j, buf_sv(&b), 0) == 0 &&
	    (!judge(json_root(&j), tags, &match) || match != want))
		abort();
	json_fini(&j);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sv		tags = sv_make(p, n);
	struct sv		text = sv_cut(&tags, '\n');
	struct filter_tags	t;
	struct json		j;
	bool			match;

	json_init(&j);
	filter_tags_init(&t);
	if (filter_tags_load(&t, tags) == 0 && json_parse(&j, text, 0) == 0 &&
	    judge(json_root(&j), &t, &match)) {
		judge_with("and", json_root(&j), &t, match);
		judge_with("or", json_root(&j), &t, match);
		judge_with("not", json_root(&j), &t, !match);
	}
	filter_tags_fini(&t);
	json_fini(&j);
	return 0;
}

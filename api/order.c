/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See order.h.
 */
#include <stdlib.h>

#include "api/order.h"

struct order {
	struct mail		 mail;
	void			(*fn)(struct node *, const struct conf *);
	const struct conf	*conf;	/* a reference, or NULL */
};

static void
order_run(struct mail *m, void *ctx)
{
	struct order *o = (struct order *)(void *)m;

	o->fn(ctx, o->conf);
	conf_unref(o->conf);
	free(o);
}

/* see order.h */
int
order_all(struct server *srv, void (*fn)(struct node *, const struct conf *),
    const struct conf *conf)
{
	struct order	*o[WORKERS_MAX];
	unsigned	 i;

	for (i = 0; i < srv->n; i++) {
		if ((o[i] = calloc(1, sizeof(*o[i]))) == NULL) {
			while (i > 0)
				free(o[--i]);
			return -1;
		}
		o[i]->mail.run = order_run;
		o[i]->fn = fn;
		o[i]->conf = conf;
	}
	for (i = 0; i < srv->n; i++) {
		if (conf != NULL)
			conf_ref(conf);
		worker_post(srv->worker[i], &o[i]->mail);
	}
	return 0;
}

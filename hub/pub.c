/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Publications: one allocation that holds the struct, a mail for each worker
 * when there are several, and the bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"

static struct sv
place(char **at, struct sv s)
{
	struct sv out = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return out;
}

/* see hub.h */
struct hub_pub *
hub_pub_new(const struct hub *h, const struct hub_pub *from)
{
	const struct hub_info	*in = &from->info;
	struct hub_pub		*pub;
	size_t			 nmail, n;
	char			*at;

	nmail = h->n > 1 ? h->n : 0;
	n = from->channel.n + from->data.n + from->tags.n +
	    from->idempotency_key.n;
	if (from->has_info)
		n += in->user.n + in->client.n + in->conn_info.n +
		    in->chan_info.n;
	pub = malloc(sizeof(*pub) + nmail * sizeof(pub->mail[0]) + n);
	if (pub == NULL)
		return NULL;
	*pub = (struct hub_pub){
		.version = from->version,
		.is_binary = from->is_binary,
		.has_info = from->has_info,
	};
	atomic_init(&pub->refs, 1);
	pub->mail = (struct hub_mail *)(void *)(pub + 1);
	at = (char *)(pub->mail + nmail);
	pub->channel = place(&at, from->channel);
	pub->data = place(&at, from->data);
	pub->tags = place(&at, from->tags);
	pub->idempotency_key = place(&at, from->idempotency_key);
	if (from->has_info) {
		pub->info.user = place(&at, in->user);
		pub->info.client = place(&at, in->client);
		pub->info.conn_info = place(&at, in->conn_info);
		pub->info.chan_info = place(&at, in->chan_info);
	}
	return pub;
}

/* With one worker the count is touched by one thread: plain loads and
 * stores do. see hub.h */
void
hub_pub_ref(const struct hub *h, struct hub_pub *pub)
{
	if (h->n == 1)
		atomic_store_explicit(&pub->refs, atomic_load_explicit(
		    &pub->refs, memory_order_relaxed) + 1,
		    memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&pub->refs, 1,
		    memory_order_relaxed);
}

/* see hub.h */
void
hub_pub_unref(const struct hub *h, struct hub_pub *pub)
{
	unsigned was;

	if (pub == NULL)
		return;
	if (h->n == 1) {
		was = atomic_load_explicit(&pub->refs, memory_order_relaxed);
		atomic_store_explicit(&pub->refs, was - 1,
		    memory_order_relaxed);
	} else {
		was = atomic_fetch_sub_explicit(&pub->refs, 1,
		    memory_order_acq_rel);
	}
	if (was == 1)
		free(pub);
}

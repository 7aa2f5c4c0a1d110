/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Publications: one allocation that holds the struct, the channel's name,
 * the data, and, only if there are any, the rare parts, each as its length
 * and its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"

/* The rare parts, in this order. */
enum { TAGS, USER, CLIENT, CONN_INFO, CHAN_INFO, VERSION, EXTRAS };

static void
list_extras(const struct hub_pub_view *v, struct sv part[EXTRAS])
{
	const struct hub_info none = { .user = { NULL, 0 } };
	const struct hub_info *info = v->has_info ? &v->info : &none;

	part[TAGS] = v->tags;
	part[USER] = info->user;
	part[CLIENT] = info->client;
	part[CONN_INFO] = info->conn_info;
	part[CHAN_INFO] = info->chan_info;
	part[VERSION] = sv_make(&v->version, sizeof(v->version));
}

static bool
has_extras(const struct hub_pub_view *v)
{
	return v->has_info || v->tags.n > 0 || v->version != 0;
}

static char *
place(char *at, struct sv s)
{
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	return at + s.n;
}

static char *
place_part(char *at, struct sv s)
{
	uint32_t n = (uint32_t)s.n;

	return place(place(at, sv_make(&n, sizeof(n))), s);
}

static const char *
take_part(const char *at, struct sv *s)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	*s = sv_make(at + sizeof(n), n);
	return at + sizeof(n) + n;
}

/* see hub.h */
struct hub_pub *
hub_pub_new(const struct hub_pub_view *v)
{
	struct sv	 part[EXTRAS];
	struct hub_pub	*pub;
	size_t		 n = v->channel.n + v->data.n, nextra = 0, i;
	char		*at;

	list_extras(v, part);
	if (has_extras(v))
		for (i = 0; i < EXTRAS; i++)
			nextra += sizeof(uint32_t) + part[i].n;
	if (v->channel.n > UINT16_MAX || n + nextra > UINT32_MAX / 2)
		return NULL;
	/* Not sizeof: very many may be kept, and padding is no use. */
	pub = malloc(offsetof(struct hub_pub, bytes) + n + nextra);
	if (pub == NULL)
		return NULL;
	atomic_init(&pub->refs, 1);
	pub->ndata = (uint32_t)v->data.n;
	pub->offset = v->offset;
	pub->nchannel = (uint16_t)v->channel.n;
	pub->type = (uint8_t)v->type;
	pub->has_info = v->has_info;
	pub->is_binary = v->is_binary;
	pub->has_extra = nextra > 0;
	at = place(place(pub->bytes, v->channel), v->data);
	if (nextra > 0)
		for (i = 0; i < EXTRAS; i++)
			at = place_part(at, part[i]);
	return pub;
}

/* see hub.h */
void
hub_pub_view(const struct hub_pub *pub, struct hub_pub_view *v)
{
	const char	*at = pub->bytes + pub->nchannel + pub->ndata;
	struct sv	 version;

	*v = (struct hub_pub_view){
		.type = (enum hub_pub_type)pub->type,
		.offset = pub->offset,
		.channel = hub_pub_channel(pub),
		.data = hub_pub_data(pub),
		.has_info = pub->has_info,
		.is_binary = pub->is_binary,
	};
	if (!pub->has_extra)
		return;
	at = take_part(at, &v->tags);
	at = take_part(at, &v->info.user);
	at = take_part(at, &v->info.client);
	at = take_part(at, &v->info.conn_info);
	at = take_part(at, &v->info.chan_info);
	take_part(at, &version);
	memcpy(&v->version, version.p, sizeof(v->version));
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

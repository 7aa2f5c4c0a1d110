/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See message.h.
 */
#include <limits.h>
#include <string.h>

#include "acme/message.h"

/* see message.h */
void
acme_message_put(struct buf *b, char type, const char *const *v, size_t n)
{
	size_t i;

	buf_putc(b, type);
	for (i = 0; i < n; i++)
		buf_put(b, v[i], strlen(v[i]) + 1);
}

/* see message.h */
int
acme_message_get(struct acme_message *m, struct sv packet)
{
	size_t len;

	m->n = 0;
	if (packet.n == 0)
		return -1;
	m->type = packet.p[0];
	packet = sv_skip(packet, 1);
	if (packet.n > 0 && packet.p[packet.n - 1] != '\0')
		return -1;
	while (packet.n > 0) {
		if (m->n == ACME_MSG_STRINGS)
			return -1;
		m->v[m->n++] = packet.p;
		len = strlen(packet.p) + 1;
		packet = sv_skip(packet, len);
	}
	return 0;
}

/* see message.h */
int
acme_message_number(const char *s, unsigned *out)
{
	uint64_t n;

	*out = 0;
	if (sv_u64(sv_from(s), &n) == -1 || n > UINT_MAX)
		return -1;
	*out = (unsigned)n;
	return 0;
}

/* ---- options: flags, texts, names ---- */

/* see message.h */
void
acme_message_put_options(struct buf *b, const struct acme_options *o)
{
	const char	*v[ACME_MSG_STRINGS];
	char		 flags[] = "----";
	size_t		 n = 0;

	if (o->can[ACME_HTTP_01])
		flags[0] = 'h';
	if (o->can[ACME_TLS_ALPN_01])
		flags[1] = 't';
	if (o->rsa)
		flags[2] = 'r';
	if (o->separate)
		flags[3] = 's';
	v[n++] = flags;
	memcpy(v + n, o->text, sizeof(o->text));
	n += ACME_TEXTS;
	memcpy(v + n, o->name, o->nname * sizeof(o->name[0]));
	acme_message_put(b, ACME_MSG_OPTIONS, v, n + o->nname);
}

/* see message.h */
int
acme_message_get_options(const struct acme_message *m,
    struct acme_options *o)
{
	const char *flags = m->n > 0 ? m->v[0] : "";

	if (m->type != ACME_MSG_OPTIONS || m->n < 1 + ACME_TEXTS + 1 ||
	    strlen(flags) != 4)
		return -1;
	*o = (struct acme_options){
		.can = { flags[0] == 'h', flags[1] == 't' },
		.rsa = flags[2] == 'r',
		.separate = flags[3] == 's',
		.nname = m->n - 1 - ACME_TEXTS,
	};
	memcpy(o->text, m->v + 1, sizeof(o->text));
	memcpy(o->name, m->v + 1 + ACME_TEXTS, o->nname * sizeof(o->name[0]));
	return 0;
}

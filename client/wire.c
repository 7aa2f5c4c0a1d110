/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Messages in forms that are compressed: see wire.h.
 */
#include <stdlib.h>

#include "client/encode.h"
#include "client/wire.h"

#define INFLATED_TIMES	10	/* message_size_limit, unless it is set */

static const struct conf_websocket *
options(const struct node *n, enum wire_form form)
{
	return wire_forms[form].uni ? &n->conf->uni_websocket :
	    &n->conf->websocket;
}

/* see wire.h */
struct blob *
wire_message(struct node *n, enum wire_form form, struct sv message)
{
	const struct conf_websocket *o = options(n, form);
	struct blob	*b;
	size_t		 len = 0;
	char		*zip;

	if (!wire_forms[form].deflate ||
	    message.n <= (uint64_t)o->compression_min_size)
		return encode_wire(form, message);
	if ((zip = malloc(message.n + WS_ZIP_SPARE)) != NULL)
		len = ws_zip_deflate(&n->zip, (int)o->compression_level,
		    message, zip, message.n);
	if (len == 0) {
		b = encode_wire(form, message);
	} else {
		b = encode_wire(form, sv_make(zip, len));
		if (b != NULL)
			b->data[0] |= WS_RSV1;
	}
	free(zip);
	return b;
}

/* see wire.h */
enum ws_event_type
wire_inflate(struct node *n, const struct conf_websocket *o,
    struct ws_event *ev)
{
	int64_t limit = o->decompressed_message_size_limit;

	if (limit == 0)
		limit = o->message_size_limit * INFLATED_TIMES;
	return ws_zip_inflate(&n->zip, ev, (size_t)limit);
}

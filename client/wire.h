/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Messages in forms that are compressed (permessage-deflate), out and in:
 * zlib's memory is the node's, the options are those of the form's
 * endpoint.
 */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include "client/client.h"
#include "ws/deflate.h"

/* encode_wire(), and where the form says so compressed: messages longer than
 * compression_min_size that get shorter by it. NULL: no memory. */
struct blob *wire_message(struct node *, enum wire_form, struct sv message);
/* ws_zip_inflate(), with the limit of the endpoint. */
enum ws_event_type wire_inflate(struct node *, const struct conf_websocket *,
	    struct ws_event *);

#endif

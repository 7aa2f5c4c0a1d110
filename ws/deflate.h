/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Compressed messages (permessage-deflate, RFC 7692), without context
 * takeover on either side: each message stands alone, so that connections
 * own nothing and one compressed broadcast serves all of them. A worker has
 * one struct ws_zip, which allocates about 40 KB when the first message is
 * compressed and as much when the first one is inflated.
 *
 * Built without FUGU_DEFLATE nothing is ever negotiated.
 */
#ifndef WS_DEFLATE_H
#define WS_DEFLATE_H

#include "ws/ws.h"

struct ws_zip {			/* all private */
	struct z_stream_s	*out, *in;	/* NULL until needed */
	int			 level, window;	/* of out */
	char			*scratch;
	char			*large;		/* did not fit there */
};

/* The window is that for compressing, in bits: WS_DEFLATE_WINDOW, or 9 to
 * 15. */
void	ws_zip_init(struct ws_zip *, int window);
void	ws_zip_fini(struct ws_zip *);

/*
 * Compress a message at a level of 1 to 9 into out, which has room for n +
 * WS_ZIP_SPARE bytes. Returns how many it has become, always fewer than n;
 * 0: that is not enough for it, or no memory: send it as it is.
 */
#define WS_ZIP_SPARE	4
size_t	ws_zip_deflate(struct ws_zip *, int level, struct sv in, char *out,
	    size_t n);

/*
 * Inflate a message that ws_feed() said is deflated; ev->data is then lent
 * from ws_zip until ws_zip_release(). Otherwise ev becomes a WS_ERROR: over
 * the limit (1009; 0 is none), damaged or text that is not UTF-8 (1007), no
 * memory (1011). Returns ev->type. Over the limit nothing has been allocated
 * for it.
 */
enum ws_event_type ws_zip_inflate(struct ws_zip *, struct ws_event *ev,
	    size_t limit);
void	ws_zip_release(struct ws_zip *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * One call of a method of the server API: from its parameters to its
 * answer, whoever asks. The answer comes when the thing is done: a publish
 * when the channel's owner has published, a control method when every
 * worker has run it.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/params.h"
#include "client/node.h"

struct api_call {
	/* Set by the caller, the rest zero. */
	struct node	 *node;
	enum api_method	  method;
	/* On the node's worker, perhaps before api_call_run() returns. May
	 * free the call. */
	void		(*done)(struct api_call *);
	/* The answer: an error code, or 0 and an object (empty: {}). */
	uint32_t	  error;
	struct buf	  result;
	/* Private. */
	int64_t		  started;
	struct buf	  strings;	/* unescaped ones of the parameters */
	struct buf	  decoded;	/* what came as base 64 */
	struct buf	  tags;		/* as clients get them */
	struct sv	  epoch;	/* history must be of; empty: any */
	union {
		struct hub_request	req;	/* first in all of them */
		struct hub_publish	publish;
		struct hub_history	history;
		struct hub_presence	presence;
	} hub;
	void		 *work;		/* what a method needs while it waits */
};

/* Run c->method, which is any but API_BATCH. The text that params come from
 * must live until done, the document only until this returns. 0: done was
 * or will be called; -1: malformed parameters, and it will not be. */
int	api_call_run(struct api_call *c, struct jv params);
/* Free what it holds, not c itself. */
void	api_call_fini(struct api_call *);

/* The answer of a call to one that waits for it. */
void	api_call_finish(struct api_call *, uint32_t error);

/* ---- between the files of this room ---- */

/* Errors of the API (spec 5) as {"code":N,"message":"..."}. */
void	api_put_error(struct buf *, uint32_t code);
/* The HTTP status of an error in transport mode. */
int	api_error_status(uint32_t code);

/* Bytes that came as JSON or, if that was given, as base 64; *is_json tells
 * whether they are JSON (or nothing). 0, or the error to answer with. Views
 * into c->decoded, which must have room if there are several. */
uint32_t api_payload(struct api_call *c, struct sv json, struct sv b64,
	    struct sv *out, bool *is_json);

/* The methods: publish.c, kept.c, control.c. */
void	api_publish(struct api_call *, const struct api_params *);
void	api_broadcast(struct api_call *, const struct api_params *);
void	api_history(struct api_call *, const struct api_params *);
void	api_history_remove(struct api_call *, const struct api_params *);
void	api_presence(struct api_call *, const struct api_params *);
void	api_presence_stats(struct api_call *, const struct api_params *);
void	api_subscribe(struct api_call *, const struct api_params *);
void	api_unsubscribe(struct api_call *, const struct api_params *);
void	api_disconnect(struct api_call *, const struct api_params *);
void	api_refresh(struct api_call *, const struct api_params *);
void	api_channels(struct api_call *, const struct api_params *);
void	api_info(struct api_call *, const struct api_params *);

#endif

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Bodies of API requests, run by a node of one worker. The first byte picks
 * the method, one past the last being the legacy form. The peer is gone by
 * the time of the answer, so that there is no socket.
 */
#include <stdlib.h>

#include "api/api.h"
#include "api/params.h"
#include "util/log.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct server		 srv = { .n = 1 };
static const struct http_site	 site;

static void
start(void)
{
	const struct log_options	quiet = { .level = LOG_NONE };
	struct conf_errors		errs = CONF_ERRORS_INIT;
	struct conf_source		src = { .path = "fuzz" };
	const struct conf		*conf;

	src.text = SV("{\"http_api\":{\"insecure\":true}}");
	log_init(&quiet);
	if (conf_load(&conf, &src, &errs) == -1 ||
	    node_init(&srv, worker_new(0), conf) == -1 ||
	    api_node_init(srv.node[0]) == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http_exchange	*x;
	unsigned		 m;

	if (srv.node[0] == NULL)
		start();
	if (n == 0 || (x = calloc(1, sizeof(*x))) == NULL)
		return 0;
	m = data[0] % (API_METHODS + 1);
	x->w = srv.worker[0];
	x->site = &site;
	x->req.method = HTTP_POST;
	buf_put(&x->body_bytes, data + 1, n - 1);
	x->body = buf_sv(&x->body_bytes);
	if (m < API_METHODS) {
		x->ctx = (void *)(uintptr_t)&api_method_name[m];
		api_handler(x);
	} else {
		api_legacy_handler(x);
	}
	return 0;
}

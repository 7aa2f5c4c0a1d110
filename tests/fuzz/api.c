/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Bodies of API requests, run by a node of one worker. The first byte picks
 * the method, one past the last being the legacy form. The peer is gone by
 * the time of the answer, so that there is no socket. What channels keep
 * stays for the inputs that follow, but not for ever.
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

	src.text = SV("{\"http_api\":{\"insecure\":true},\"channel\":{"
	    "\"without_namespace\":{\"history_size\":4,"
	    "\"history_ttl\":\"9s\",\"presence\":true},"
	    "\"namespaces\":[{\"name\":\"ns\","
	    "\"publication_data_format\":\"json_object\"}]}}");
	log_init(&quiet);
	if (conf_load(&conf, &src, &errs) == -1 ||
	    node_init(&srv, worker_new(0), conf) == -1 ||
	    api_node_init(srv.node[0]) == -1)
		abort();
}

static void
stop(void)
{
	const struct conf *conf = srv.node[0]->conf;

	api_node_fini(srv.node[0]);
	node_free(srv.node[0]);
	worker_free(srv.worker[0]);
	conf_unref(conf);
	srv = (struct server){ .n = 1 };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct http_exchange	*x;
	static unsigned		 inputs;
	unsigned		 m;

	if (srv.node[0] != NULL && ++inputs % 4096 == 0)
		stop();
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

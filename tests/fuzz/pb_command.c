/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands in protobuf: strings that come out are UTF-8 within the input, and
 * a filter is JSON.
 */
#include <assert.h>

#include "client/decode.h"
#include "util/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct sv in;

static void
check(struct sv s)
{
	assert(s.n == 0 || (s.p >= in.p && s.p + s.n <= in.p + in.n));
	assert(utf8_valid(s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json	j;
	struct buf	b = BUF_INIT;
	struct decode	d = { &j, &b, NULL };
	struct command	cmd;
	enum decode_err	err;
	size_t		i;

	json_init(&j);
	in = sv_make(data, size);
	err = decode_command_pb(&d, in, &cmd);
	assert(err != DECODE_NOMEM && (err == DECODE_OK) == (d.why == NULL));
	if (err == DECODE_OK && cmd.method == METHOD_CONNECT) {
		check(cmd.u.connect.token);
		for (i = 0; i < cmd.u.connect.nsubs; i++)
			check(cmd.u.connect.subs[i].channel);
	} else if (err == DECODE_OK && cmd.method == METHOD_SUBSCRIBE) {
		check(cmd.u.subscribe.channel);
		check(cmd.u.subscribe.epoch);
		if (jv_is(cmd.u.subscribe.tf))
			assert(jv_type(cmd.u.subscribe.tf) == JSON_OBJECT);
	}
	command_fini(&cmd);
	json_fini(&j);
	buf_fini(&b);
	return 0;
}

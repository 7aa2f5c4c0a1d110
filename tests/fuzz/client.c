/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The client protocol: two clients of a server with one or two workers (the
 * first byte says) do what the input says, and when they have gone nothing
 * of them may be left. A step is a byte and the text of a message up to the
 * next NUL; the byte's bits: whose it is, the workers that take a turn after
 * it, and that the client goes and another comes.
 */
#include <assert.h>

#include "tests/unit/peer.h"
#include "util/log.h"

int	LLVMFuzzerInitialize(int *, char ***);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CONF \
	"{\"client\":{\"allow_anonymous_connect_without_token\":true," \
	"\"channel_limit\":3,\"token\":{\"hmac_secret_key\":\"secret\"}}," \
	"\"channel\":{\"without_namespace\":{" ALLOW "}," \
	"\"namespaces\":[{\"name\":\"hh\"," ALLOW "," KEEP "}," \
	"{\"name\":\"dd\"," ALLOW "," KEEP ",\"delta_publish\":true," \
	"\"allowed_delta_types\":[\"fossil\"]}," \
	"{\"name\":\"cc\"," ALLOW "," KEEP ",\"force_recovery\":true," \
	"\"force_recovery_mode\":\"cache\"}]}}"
#define ALLOW \
	"\"allow_subscribe_for_client\":true," \
	"\"allow_subscribe_for_anonymous\":true," \
	"\"allow_publish_for_client\":true," \
	"\"allow_publish_for_anonymous\":true"
#define KEEP \
	"\"history_size\":3,\"history_ttl\":\"60s\",\"presence\":true," \
	"\"join_leave\":true,\"force_push_join_leave\":true," \
	"\"allow_tags_filter\":true,\"allow_recovery\":true," \
	"\"allow_positioning\":true," \
	"\"allow_history_for_client\":true," \
	"\"allow_history_for_anonymous\":true," \
	"\"allow_presence_for_client\":true," \
	"\"allow_presence_for_anonymous\":true"

static const struct conf *common;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	common = load(CONF);
	assert(common != NULL);
	return log_init(&(struct log_options){ .level = LOG_NONE });
}

static void
step(int fd[2], struct sv s)
{
	char		*text = sv_dup(sv_skip(s, 1));
	unsigned	 op = (unsigned char)s.p[0], who = op & 1;

	put(fd[who], text);
	free(text);
	if (op & 2)
		worker_turn(srv.worker[0], 0);
	if (op & 4)
		worker_turn(srv.worker[srv.n - 1], 0);
	if (op & 8) {
		close(fd[who]);
		fd[who] = upgraded(who % srv.n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv	in = sv_make(data, size), s;
	int		fd[2];

	if (size == 0 || !start_with(1 + (data[0] & 1), conf_ref(common)))
		return 0;
	fd[0] = connected(0);
	fd[1] = upgraded(1 % srv.n);
	for (in = sv_skip(in, 1); in.n > 0; ) {
		s = sv_cut(&in, '\0');
		if (s.n > 0)
			step(fd, s);
	}
	turns(4);
	close(fd[0]);
	close(fd[1]);
	turns(2);
	assert(stop());
	return 0;
}

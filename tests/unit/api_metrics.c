/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The metrics: sums over workers, names and labels as Centrifugo has them,
 * and the form of the whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics.h"
#include "tests/unit/test.h"

static struct metrics_worker	*worker;	/* two of them */
static struct metrics		 m;

static void
set_up(void)
{
	worker = calloc(2, sizeof(*worker));
	m = (struct metrics){ .worker = worker, .n = 2,
	    .process = { 1.5, 4096, 8192, 7, 1024 },
	    .limits = { 3, 4, 5 }, .started_wall_ms = 1700000000123 };
}

static bool
has_line(struct sv text, const char *line)
{
	while (text.n > 0)
		if (sv_eq(sv_cut(&text, '\n'), sv_from(line)))
			return true;
	return false;
}

#define CHECK_LINE(line)	(test_note("%s", line), \
				    CHECK(has_line(buf_sv(&b), line)))

TEST(figures_of_workers_are_summed)
{
	struct buf	b = BUF_INIT;
	int		i;

	set_up();
	for (i = 0; i < 2; i++) {
		worker[i].node.num_clients = 10 + (uint64_t)i;
		worker[i].node.published = 3;
		worker[i].node.disconnects[disconnect_slot(3503)] = 2;
		worker[i].node.disconnects[disconnect_slot(4000)] = 1;
		worker[i].node.transport[TRANSPORT_WEBSOCKET].
		    outgoing_close[disconnect_slot(3001)] = 1;
		worker[i].node.transport[TRANSPORT_SSE].sent[OUT_PUB] = 9;
		worker[i].node.transport[TRANSPORT_SSE].accepted = 4;
		worker[i].node.transport[TRANSPORT_WEBSOCKET].open[1] = 3;
		worker[i].node.command_errors[METHOD_SUBSCRIBE][2] = 4;
		duration_observe(&worker[i].node
		    .command_duration[METHOD_CONNECT], 200000);
		worker[i].users = 5;
		worker[i].net.bytes_in = 100 + (uint64_t)i;
		worker[i].api.counters.errors[API_UNKNOWN][4] = 1;
		worker[i].api.counters.errors[API_PUBLISH]
		    [API_ERROR_MALFORMED] = 2;
	}
	duration_observe(&worker[1].api.counters.duration[API_PUBLISH],
	    2000000000);
	CHECK_INT(metrics_put(&b, &m), 0);
	CHECK_LINE("centrifugo_node_num_clients 21");
	CHECK_LINE("centrifugo_node_num_users 10");
	CHECK_LINE("centrifugo_node_messages_sent_count{"
	    "channel_namespace=\"\",type=\"publication\"} 6");
	CHECK_LINE("centrifugo_client_num_server_disconnects{code=\"3503\"}"
	    " 4");
	CHECK_LINE("centrifugo_client_num_server_disconnects{code=\"0\"} 2");
	CHECK_LINE("centrifugo_transport_messages_sent{"
	    "channel_namespace=\"\",frame_type=\"push_publication\","
	    "transport=\"sse\"} 18");
	CHECK_LINE("centrifugo_transport_connections_open{"
	    "encoding=\"protobuf\",transport=\"websocket\"} 6");
	CHECK(memmem(b.p, b.n, "uni_sse", 7) == NULL);
	CHECK_LINE("centrifugo_transport_outgoing_close_count{code=\"3001\","
	    "transport=\"websocket\"} 2");
	CHECK_LINE("centrifugo_client_num_reply_errors{channel_namespace="
	    "\"\",code=\"102\",method=\"subscribe\"} 8");
	CHECK_LINE("centrifugo_client_command_duration_seconds_sum{"
	    "channel_namespace=\"\",method=\"connect\"} 0.0004");
	CHECK_LINE("centrifugo_client_command_duration_seconds_histogram_"
	    "bucket{channel_namespace=\"\",method=\"connect\",le=\"0.0001\"}"
	    " 0");
	CHECK_LINE("centrifugo_client_command_duration_seconds_histogram_"
	    "bucket{channel_namespace=\"\",method=\"connect\",le=\"0.00025\"}"
	    " 2");
	CHECK_LINE("centrifugo_client_command_duration_seconds_histogram_"
	    "bucket{channel_namespace=\"\",method=\"connect\",le=\"+Inf\"} 2");
	CHECK_LINE("centrifugo_api_command_duration_seconds_count{"
	    "method=\"publish\",protocol=\"http\"} 1");
	CHECK_LINE("centrifugo_api_command_errors_total{error=\"104\","
	    "method=\"unknown\",protocol=\"http\"} 2");
	CHECK_LINE("centrifugo_api_command_errors_total{error=\"unmarshal\","
	    "method=\"publish\",protocol=\"http\"} 4");
	CHECK_LINE("fugu_received_bytes_total{worker=\"1\"} 101");
	CHECK_LINE("fugu_connections_limited_total{limit=\"connections\"} 3");
	CHECK_LINE("fugu_connections_limited_total{limit=\"rate\"} 4");
	CHECK_LINE("fugu_limited_addresses 5");
	CHECK_LINE("process_cpu_seconds_total 1.500000");
	CHECK_LINE("process_open_fds 7");
	CHECK_LINE("process_start_time_seconds 1700000000.123");
	buf_fini(&b);
	free(worker);
}

/* A family is named in the manual, as a word of its own. */
static bool
is_described(struct sv page, struct sv name)
{
	const char *p;

	for (; (p = memmem(page.p, page.n, name.p, name.n)) != NULL;
	    page = sv_skip(page, (size_t)(p - page.p) + 1))
		if (strchr(" \n", p[-1]) && strchr(" \n", p[name.n]))
			return true;
	return false;
}

/* Every line is a comment or a sample whose family was announced just
 * before, and no sample stands twice. */
TEST(form_is_that_of_prometheus)
{
	static char	page[65536];
	struct buf	b = BUF_INIT;
	FILE		*f;
	size_t		n;
	struct sv	rest, line, name = SV(""), again, key;

	if (!CHECK((f = fopen("man/fugu.8", "r")) != NULL))
		return;
	n = fread(page, 1, sizeof(page), f);
	fclose(f);
	set_up();
	m.cert_not_after = 1;
	api_count_http(&worker[0].api, "/x", HTTP_GET, 200, 1);
	worker[0].node.command_duration[METHOD_CONNECT].count = 1;
	CHECK_INT(metrics_put(&b, &m), 0);
	for (rest = buf_sv(&b); rest.n > 0; ) {
		line = sv_cut(&rest, '\n');
		test_note("%.*s", SV_ARG(line));
		if (sv_starts(line, SV("# TYPE "))) {
			name = sv_skip(line, 7);
			name = sv_cut(&name, ' ');
			CHECK(is_described(sv_make(page, n), name));
			continue;
		}
		if (sv_starts(line, SV("# HELP ")))
			continue;
		CHECK(name.n > 0 && sv_starts(line, name));
		key = line;
		while (key.n > 0 && key.p[key.n - 1] != ' ')
			key.n--;
		CHECK(key.n > 1);
		for (again = rest; again.n > 0; )
			CHECK(!sv_starts(sv_cut(&again, '\n'), key));
	}
	buf_fini(&b);
	free(worker);
}

TEST(unknown_figures_are_left_out)
{
	struct buf b = BUF_INIT;

	set_up();
	m.process = (struct process){ -1, -1, -1, -1, -1 };
	CHECK_INT(metrics_put(&b, &m), 0);
	CHECK(memmem(b.p, b.n, "process_open_fds", 16) == NULL);
	CHECK(memmem(b.p, b.n, "process_cpu", 11) == NULL);
	buf_fini(&b);
	free(worker);
}

TEST(http_requests_are_counted_by_route_method_and_status)
{
	static char	path[2][8] = { "/a", "/a" };
	struct buf	b = BUF_INIT;
	uint32_t	i;

	set_up();
	api_count_http(&worker[0].api, path[0], HTTP_GET, 200, 1);
	api_count_http(&worker[0].api, path[0], HTTP_GET, 200, 1);
	api_count_http(&worker[1].api, path[1], HTTP_GET, 200, 1);
	api_count_http(&worker[1].api, path[1], HTTP_POST, 405, 1);
	api_count_http(&worker[1].api, NULL, HTTP_OTHER, 404, 1);
	api_count_http(&worker[1].api, "/q\"\\", HTTP_GET, 200, 1);
	CHECK_INT(metrics_put(&b, &m), 0);
	CHECK_LINE("centrifugo_node_incoming_http_requests_total{"
	    "method=\"GET\",path=\"/a\",status=\"200\"} 3");
	CHECK_LINE("centrifugo_node_incoming_http_requests_total{"
	    "method=\"POST\",path=\"/a\",status=\"405\"} 1");
	CHECK_LINE("centrifugo_node_incoming_http_requests_total{"
	    "method=\"other\",path=\"other\",status=\"404\"} 1");
	CHECK_LINE("centrifugo_node_incoming_http_requests_total{"
	    "method=\"GET\",path=\"/q\\\"\\\\\",status=\"200\"} 1");
	buf_reset(&b);
	for (i = 0; i < 2 * HTTP_COUNTS; i++)
		api_count_http(&worker[0].api, "/b", HTTP_GET, 1000 + i, 1);
	CHECK_INT(worker[0].api.nhttp, HTTP_COUNTS);
	CHECK_INT(worker[0].api.http[HTTP_COUNTS - 1].n, HTTP_COUNTS + 2);
	buf_fini(&b);
	free(worker);
}

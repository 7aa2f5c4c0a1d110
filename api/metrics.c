/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See metrics.h. Labels that fugu has no figures for have the value that
 * Centrifugo gives them then, so that its dashboards find what they look
 * for. The summaries have no quantiles, only sum and count: those of
 * several workers can't be joined.
 */
#include <stdlib.h>

#include "api/metrics.h"

#define PREFIX		"centrifugo_"
#define NAMESPACE	"channel_namespace=\"\""

/* ---- the format ---- */

static void
family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* labels: the inside of the braces, or "" for none. */
static void
sample(struct buf *b, const char *name, const char *labels, uint64_t v)
{
	buf_puts(b, name);
	if (*labels != '\0')
		buf_printf(b, "{%s}", labels);
	buf_putc(b, ' ');
	buf_putu64(b, v);
	buf_putc(b, '\n');
}

static void
single(struct buf *b, const char *name, const char *type, const char *help,
    const char *labels, uint64_t v)
{
	family(b, name, type, help);
	sample(b, name, labels, v);
}

/* A label's value, escaped. */
static void
put_value(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			buf_putc(b, '\\');
		if (*s == '\n')
			buf_puts(b, "\\n");
		else
			buf_putc(b, *s);
	}
}

static void
sum_and_count(struct buf *b, const char *name, const char *labels,
    const struct duration_stats *d)
{
	buf_printf(b, "%s_sum{%s} %.9g\n", name, labels,
	    (double)d->sum_ns / 1e9);
	buf_printf(b, "%s_count{%s} %llu\n", name, labels,
	    (unsigned long long)d->count);
}

static void
histogram(struct buf *b, const char *name, const char *labels,
    const struct duration_stats *d)
{
	uint64_t	n = 0;
	int		i;

	for (i = 0; i < DURATION_BUCKETS; i++) {
		n += d->bucket[i];
		buf_printf(b, "%s_bucket{%s,le=\"", name, labels);
		if (i < DURATION_BUCKETS - 1)
			buf_printf(b, "%g", duration_bound[i]);
		else
			buf_puts(b, "+Inf");
		buf_printf(b, "\"} %llu\n", (unsigned long long)n);
	}
	sum_and_count(b, name, labels, d);
}

/* Durations of several methods, as a summary and as a histogram; what was
 * never called is left out. The format has the method in it. */
static void
durations(struct buf *b, const char *name, const char *format,
    const char *const *method, const struct duration_stats *d, int n)
{
	char	full[96], labels[96];
	int	i, kind;

	for (kind = 0; kind < 2; kind++) {
		snprintf(full, sizeof(full), "%s%s", name,
		    kind == 0 ? "" : "_histogram");
		family(b, full, kind == 0 ? "summary" : "histogram",
		    "Time that commands took, in seconds.");
		for (i = 0; i < n; i++) {
			if (d[i].count == 0)
				continue;
			snprintf(labels, sizeof(labels), format, method[i]);
			if (kind == 0)
				sum_and_count(b, full, labels, &d[i]);
			else
				histogram(b, full, labels, &d[i]);
		}
	}
}

/* ---- nodes ---- */

static void
put_node(struct buf *b, const struct metrics_worker *s)
{
	single(b, PREFIX "node_num_clients", "gauge",
	    "Clients connected.", "", s->node.num_clients);
	single(b, PREFIX "node_num_users", "gauge",
	    "Different users connected.", "", s->users);
	single(b, PREFIX "node_num_subscriptions", "gauge",
	    "Subscriptions of all clients.", "", s->subs);
	single(b, PREFIX "node_num_channels", "gauge",
	    "Channels with a subscriber.", "", s->channels);
	single(b, PREFIX "node_num_nodes", "gauge",
	    "Nodes known.", "", 1);
	single(b, PREFIX "node_build", "gauge",
	    "The version, as a label.", "version=\"" FUGU_VERSION "\"", 1);
	family(b, PREFIX "node_action_count", "counter",
	    "What the node was asked to do.");
	sample(b, PREFIX "node_action_count",
	    "action=\"add_client\"," NAMESPACE, s->node.connections_accepted);
	sample(b, PREFIX "node_action_count",
	    "action=\"add_subscription\"," NAMESPACE,
	    s->node.subscriptions_accepted);
	/* The broker is in memory: what is sent is received. */
	single(b, PREFIX "node_messages_sent_count", "counter",
	    "Messages given to the broker.",
	    NAMESPACE ",type=\"publication\"", s->node.published);
	single(b, PREFIX "node_messages_received_count", "counter",
	    "Messages taken from the broker.",
	    NAMESPACE ",type=\"publication\"", s->node.published);
}

static void
put_http(struct buf *b, const struct api_stats *s)
{
	const char		*name =
				    PREFIX "node_incoming_http_requests_total";
	const struct http_count	*c;
	unsigned		 i;

	family(b, name, "counter", "HTTP requests answered.");
	for (i = 0; i < s->nhttp; i++) {
		c = &s->http[i];
		buf_printf(b, "%s{method=\"%s\",path=\"", name,
		    c->method == HTTP_OTHER ? "other" :
		    http_method_name((enum http_method)c->method));
		put_value(b, c->path == NULL ? "other" : c->path);
		buf_printf(b, "\",status=\"%lu\"} %llu\n",
		    (unsigned long)c->status, (unsigned long long)c->n);
	}
}

/* ---- clients ---- */

static void
put_reply_errors(struct buf *b, const struct node_stats *s)
{
	const char	*name = PREFIX "client_num_reply_errors";
	char		 labels[96];
	int		 m, i;

	family(b, name, "counter", "Commands answered with an error.");
	for (m = 0; m < METHOD_MAX; m++) {
		for (i = 0; i < ERROR_SLOTS; i++) {
			if (s->command_errors[m][i] == 0)
				continue;
			snprintf(labels, sizeof(labels), NAMESPACE
			    ",code=\"%d\",method=\"%s\"",
			    i < ERROR_SLOTS - 1 ? i + 100 : 0,
			    client_method_name[m]);
			sample(b, name, labels, s->command_errors[m][i]);
		}
	}
}

/* Counts by disconnect code; after: the labels that follow it. */
static void
put_codes(struct buf *b, const char *name, const char *after,
    const uint64_t *count)
{
	char		labels[64];
	unsigned	i;

	for (i = 0; i < CODE_SLOTS; i++) {
		if (count[i] == 0)
			continue;
		snprintf(labels, sizeof(labels), "code=\"%lu\"%s",
		    (unsigned long)disconnect_slot_code(i), after);
		sample(b, name, labels, count[i]);
	}
}

/* ---- by transport: WebSockets always, others when there have been any ---- */

static bool
is_told(const struct node_stats *s, int i)
{
	const struct transport_stats *t = &s->transport[i];

	return i == TRANSPORT_WEBSOCKET || t->accepted > 0 ||
	    t->open[0] > 0 || t->open[1] > 0;
}

/* The samples of one count, which lies there in struct transport_stats;
 * before: the labels that precede the transport's. */
static void
each_transport(struct buf *b, const struct node_stats *s, const char *name,
    const char *before, size_t at)
{
	const char	*t;
	char		 labels[160];
	int		 i;

	for (i = 0; i < TRANSPORT_MAX; i++) {
		if (!is_told(s, i))
			continue;
		t = (const char *)&s->transport[i];
		snprintf(labels, sizeof(labels), "%s,transport=\"%s\"",
		    before, transport_name[i]);
		sample(b, name, labels,
		    *(const uint64_t *)(const void *)(t + at));
	}
}

#define AT(member)	offsetof(struct transport_stats, member)

static void
put_connections(struct buf *b, const struct metrics_worker *s)
{
	const char *const conn = "accept_protocol=\"\","
	    "client_name=\"unregistered\",client_version=\"unregistered\"";
	const char *const sub = NAMESPACE ",client_name=\"unregistered\"";
	const char *const accepted = PREFIX "client_connections_accepted";
	const char *const inflight = PREFIX "client_connections_inflight";
	const char *const open = PREFIX "transport_connections_open";

	family(b, accepted, "counter", "Connections that became clients.");
	each_transport(b, &s->node, accepted, conn, AT(accepted));
	family(b, inflight, "gauge", "Clients connected.");
	each_transport(b, &s->node, inflight, conn, AT(inflight));
	family(b, open, "gauge", "Connections, clients or not yet.");
	each_transport(b, &s->node, open, "encoding=\"json\"", AT(open[0]));
	each_transport(b, &s->node, open, "encoding=\"protobuf\"",
	    AT(open[1]));
	single(b, PREFIX "client_subscriptions_accepted", "counter",
	    "Subscriptions that were let in.", sub,
	    s->node.subscriptions_accepted);
	single(b, PREFIX "client_subscriptions_inflight", "gauge",
	    "Subscriptions of all clients.", sub, s->subs);
}

/* What has labels of its own for each transport. */
static void
put_pings_and_closes(struct buf *b, const struct node_stats *s)
{
	const char *const ping = PREFIX "client_ping_pong_duration_seconds";
	const char *const closes = PREFIX "transport_outgoing_close_count";
	char	label[TRANSPORT_MAX][48];
	int	i;

	family(b, ping, "histogram", "Time from ping to pong, in seconds.");
	for (i = 0; i < TRANSPORT_MAX; i++) {
		snprintf(label[i], sizeof(label[i]), ",transport=\"%s\"",
		    transport_name[i]);
		if (is_told(s, i))
			histogram(b, ping, label[i] + 1,
			    &s->transport[i].ping_pong);
	}
	family(b, closes, "counter", "Closes said to clients.");
	for (i = 0; i < TRANSPORT_MAX; i++)
		put_codes(b, closes, label[i], s->transport[i].outgoing_close);
}

static void
put_client(struct buf *b, const struct metrics_worker *s)
{
	const char *const disconnects = PREFIX "client_num_server_disconnects";

	durations(b, PREFIX "client_command_duration_seconds",
	    NAMESPACE ",method=\"%s\"", client_method_name,
	    s->node.command_duration, METHOD_MAX);
	put_reply_errors(b, &s->node);
	family(b, disconnects, "counter", "Disconnects by the server.");
	put_codes(b, disconnects, "", s->node.disconnects);
	single(b, PREFIX "client_num_server_unsubscribes", "counter",
	    "Unsubscribes by the server.", NAMESPACE ",code=\"2000\"",
	    s->node.unsubscribes);
	put_connections(b, s);
}

static void
put_sent(struct buf *b, const struct node_stats *s, const char *name,
    const char *help, size_t at)
{
	static const char *const before[OUT_MAX] = {
		[OUT_REPLY] = NAMESPACE ",frame_type=\"reply\"",
		[OUT_PUB] = NAMESPACE ",frame_type=\"push_publication\"",
		[OUT_PUSH] = NAMESPACE ",frame_type=\"push\"",
		[OUT_PING] = NAMESPACE ",frame_type=\"server_ping\"",
	};
	size_t i;

	family(b, name, "counter", help);
	for (i = 0; i < OUT_MAX; i++)
		each_transport(b, s, name, before[i],
		    at + i * sizeof(uint64_t));
}

static void
put_transport(struct buf *b, const struct node_stats *s)
{
	const char *const command = NAMESPACE ",frame_type=\"command\"";
	const char *const received = PREFIX "transport_messages_received";
	const char *const size = PREFIX "transport_messages_received_size";

	put_sent(b, s, PREFIX "transport_messages_sent",
	    "Messages sent to clients.", AT(sent));
	put_sent(b, s, PREFIX "transport_messages_sent_size",
	    "Bytes of messages sent to clients.", AT(sent_size));
	family(b, received, "counter", "Messages received from clients.");
	each_transport(b, s, received, command, AT(received));
	family(b, size, "counter", "Bytes of messages received from clients.");
	each_transport(b, s, size, command, AT(received_size));
	put_pings_and_closes(b, s);
}

/* ---- the server API ---- */

static const char *
error_method(int m)
{
	if (m == API_BROADCAST_PUBLISH)
		return "broadcast_publish";
	return m == API_UNKNOWN ? "unknown" : api_method_name[m];
}

static void
put_api(struct buf *b, const struct api_counters *s)
{
	const char	*name = PREFIX "api_command_errors_total";
	int		 m, i;

	durations(b, PREFIX "api_command_duration_seconds",
	    "method=\"%s\",protocol=\"http\"", api_method_name, s->duration,
	    API_METHODS);
	family(b, name, "counter", "Commands answered with an error.");
	for (m = 0; m < API_ERROR_METHODS; m++) {
		for (i = 0; i < API_ERROR_SLOTS; i++) {
			if (s->errors[m][i] == 0)
				continue;
			buf_printf(b, "%s{error=\"", name);
			if (i == API_ERROR_MALFORMED)
				buf_puts(b, "unmarshal");
			else
				buf_putu64(b, (uint64_t)i + 100);
			buf_printf(b, "\",method=\"%s\",protocol=\"http\"} "
			    "%llu\n", error_method(m),
			    (unsigned long long)s->errors[m][i]);
		}
	}
	name = PREFIX "broker_publish_suppressed_count";
	family(b, name, "counter", "Publications of the API not delivered.");
	sample(b, name, NAMESPACE ",reason=\"idempotency\"",
	    s->suppressed[API_SUPPRESSED_KEY]);
	sample(b, name, NAMESPACE ",reason=\"version\"",
	    s->suppressed[API_SUPPRESSED_VERSION]);
}

/* ---- the process and its workers ---- */

static void
put_process(struct buf *b, const struct metrics *m)
{
	const struct {
		const char	*name, *help;
		int64_t		 value;
	} gauge[] = {
		{ "process_resident_memory_bytes", "Memory in use.",
		    m->process.resident },
		{ "process_virtual_memory_bytes", "Address space in use.",
		    m->process.virtual },
		{ "process_open_fds", "Descriptors open.",
		    m->process.open_fds },
		{ "process_max_fds", "Descriptors that may be open.",
		    m->process.max_fds },
	};
	size_t i;

	for (i = 0; i < sizeof(gauge) / sizeof(gauge[0]); i++)
		if (gauge[i].value >= 0)
			single(b, gauge[i].name, "gauge", gauge[i].help, "",
			    (uint64_t)gauge[i].value);
	if (m->process.cpu_seconds >= 0) {
		family(b, "process_cpu_seconds_total", "counter",
		    "Time on the processor, in seconds.");
		buf_printf(b, "process_cpu_seconds_total %.6f\n",
		    m->process.cpu_seconds);
	}
	family(b, "process_start_time_seconds", "gauge",
	    "When it was started, in seconds since 1970.");
	buf_printf(b, "process_start_time_seconds %.3f\n",
	    (double)m->started_wall_ms / 1e3);
}

static void
put_workers(struct buf *b, const struct metrics *m)
{
	static const struct {
		const char	*name, *type, *help;
		size_t		 off;
	} of[] = {
		{ "fugu_connections_open", "gauge", "Connections open.",
		    offsetof(struct worker_stats, conns_open) },
		{ "fugu_connections_accepted_total", "counter",
		    "Connections accepted.",
		    offsetof(struct worker_stats, conns_accepted) },
		{ "fugu_connections_refused_total", "counter",
		    "Connections refused for want of descriptors.",
		    offsetof(struct worker_stats, conns_refused) },
		{ "fugu_received_bytes_total", "counter", "Bytes received.",
		    offsetof(struct worker_stats, bytes_in) },
		{ "fugu_sent_bytes_total", "counter", "Bytes sent.",
		    offsetof(struct worker_stats, bytes_out) },
	};
	char		labels[32];
	size_t		i;
	unsigned	w;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		family(b, of[i].name, of[i].type, of[i].help);
		for (w = 0; w < m->n; w++) {
			snprintf(labels, sizeof(labels), "worker=\"%u\"", w);
			sample(b, of[i].name, labels,
			    *(const uint64_t *)(const void *)((const char *)
			    &m->worker[w].net + of[i].off));
		}
	}
}

/* Who was refused by its address. */
static void
put_limits(struct buf *b, const struct limit_stats *s)
{
	const char *const name = "fugu_connections_limited_total";

	family(b, name, "counter",
	    "Connections refused by the limits of their client's address.");
	sample(b, name, "limit=\"connections\"", s->refused_conns);
	sample(b, name, "limit=\"rate\"", s->refused_rate);
	single(b, "fugu_limited_addresses", "gauge",
	    "Client addresses that are counted.", "", s->addresses);
}

/* ---- TLS ---- */

static void
put_tls(struct buf *b, const struct tls_stats *s, const struct metrics *m)
{
	const char	*name = "fugu_tls_handshakes_total";
	char		 labels[64];
	int		 i;

	family(b, name, "counter", "TLS handshakes with clients.");
	sample(b, name, "result=\"full\"", s->full);
	sample(b, name, "result=\"resumed\"", s->resumed);
	for (i = 0; i < TLS_FAIL_MAX; i++) {
		snprintf(labels, sizeof(labels),
		    "result=\"failed\",reason=\"%s\"", tls_failure_name[i]);
		sample(b, name, labels, s->failed[i]);
	}
	single(b, "fugu_tls_handshakes_inflight", "gauge",
	    "TLS handshakes under way.", "", s->handshaking);
	single(b, "fugu_tls_connections_open", "gauge",
	    "Connections that speak TLS.", "", s->open);
	single(b, "fugu_acme_renewal_failures", "gauge",
	    "Attempts in a row that have not brought a certificate.", "",
	    m->acme_failures);
	if (m->cert_not_after > 0)
		single(b, "fugu_tls_certificate_not_after_seconds", "gauge",
		    "When the first certificate expires, in seconds since "
		    "1970.", "", (uint64_t)m->cert_not_after);
}

/* ---- sums ---- */

static void
add_all(uint64_t *to, const uint64_t *from, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*to); i++)
		to[i] += from[i];
}

/* They are nothing but counters. */
#define ADD(to, from)							\
	add_all((uint64_t *)(void *)&(to), (const uint64_t *)(const void *)\
	    &(from), sizeof(to))
_Static_assert(sizeof(struct node_stats) % sizeof(uint64_t) == 0 &&
    sizeof(struct tls_stats) % sizeof(uint64_t) == 0 &&
    sizeof(struct api_counters) % sizeof(uint64_t) == 0, "counters only");

static void
sum(struct metrics_worker *all, const struct metrics_worker *w)
{
	const struct http_count	*c;
	unsigned		 i;

	ADD(all->node, w->node);
	ADD(all->api.counters, w->api.counters);
	ADD(all->tls, w->tls);
	all->users += w->users;
	all->channels += w->channels;
	all->subs += w->subs;
	for (i = 0; i < w->api.nhttp; i++) {
		c = &w->api.http[i];
		api_count_http(&all->api, c->path, c->method, c->status,
		    c->n);
	}
}

/* see metrics.h */
int
metrics_put(struct buf *b, const struct metrics *m)
{
	struct metrics_worker	*all;
	unsigned		 i;

	if ((all = calloc(1, sizeof(*all))) == NULL)
		return -1;
	for (i = 0; i < m->n; i++)
		sum(all, &m->worker[i]);
	put_node(b, all);
	put_http(b, &all->api);
	put_client(b, all);
	put_transport(b, &all->node);
	put_api(b, &all->api.counters);
	put_tls(b, &all->tls, m);
	put_process(b, m);
	put_workers(b, m);
	put_limits(b, &m->limits);
	free(all);
	return b->failed ? -1 : 0;
}

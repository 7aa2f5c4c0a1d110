/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The life of a client: creation, input and its order, output and its
 * limits, deadlines, and the end. Commands are in command.c.
 *
 * Commands of one client are handled strictly one after the other. When an
 * answer has to wait for another worker, the rest of the input waits with
 * it: what is left of the message in a backlog, the rest in the connection,
 * whose reading is paused.
 */
#include <stdlib.h>
#include <string.h>

#include "client/admission.h"
#include "client/client.h"
#include "client/command.h"
#include "client/connect.h"
#include "client/jwks.h"
#include "client/encode.h"
#include "client/sub.h"
#include "client/wire.h"
#include "tls/filter.h"
#include "tls/x509.h"
#include "util/clock.h"
#include "util/ct.h"
#include "util/log.h"
#include "util/pb.h"
#include "util/utf8.h"

#define BACKLOG_MAX	(1024 * 1024)

/* Input that waits for the answer to the command before it. */
struct backlog {
	struct buf	b;
	size_t		at;	/* done with up to here */
};

const char *const transport_name[TRANSPORT_MAX] = {
	[TRANSPORT_WEBSOCKET] = "websocket",
	[TRANSPORT_SSE] = "sse",
	[TRANSPORT_HTTP_STREAM] = "http_stream",
	[TRANSPORT_UNI_WEBSOCKET] = "uni_websocket",
	[TRANSPORT_UNI_SSE] = "uni_sse",
	[TRANSPORT_UNI_HTTP_STREAM] = "uni_http_stream",
};

/* ---- beginning ---- */

static void
about_free(struct client_about *a)
{
	if (a == NULL)
		return;
	free(a->user);
	free(a->agent);
	free(a);
}

/* The user by the client's certificate
 * (client.user_id_client_certificate); empty for none. What can't be a
 * user's name (not text, or text that ends early) is none. */
static void
put_certified(const struct node *n, const struct conn *conn, struct buf *out)
{
	const char	*way = n->conf->client.user_id_client_certificate;
	struct sv	 subject = tls_conn_subject(conn);

	if (strcmp(way, "subject") == 0)
		buf_putsv(out, subject);
	else if (*way != '\0')
		x509_name_cn(out, subject);
	if (out->n > 0 && (!utf8_valid(buf_sv(out)) ||
	    memchr(out->p, '\0', out->n) != NULL))
		out->n = 0;
}

/* The user as a trusted proxy names it (client.user_id_http_header). */
static struct sv
user_of_request(const struct node *n, const struct http_request *req)
{
	const char *name = n->conf->client.user_id_http_header;

	if (*name == '\0')
		return (struct sv){ NULL, 0 };
	return http_header_get(req, name);
}

/* -1: no memory. */
static int
make_about(struct client *c, const struct http_request *req, struct sv user,
    bool proven)
{
	struct sv		 agent = http_header_get(req, "User-Agent");
	struct client_about	*a;

	if (!proven)
		user = user_of_request(c->node, req);
	if (user.n == 0 && !log_on(LOG_DEBUG))
		return 0;
	if ((c->about = a = calloc(1, sizeof(*a))) == NULL)
		return -1;
	a->opened = c->node->w->now;
	a->proven = proven;
	if (user.n > 0 && (a->user = sv_dup(user)) == NULL)
		return -1;
	if (agent.n > 0 && (a->agent = sv_dup(agent)) == NULL)
		return -1;
	return 0;
}

/* The same, with the user by certificate if there is one. */
static int
know_client(struct client *c, const struct http_request *req)
{
	struct buf	name = BUF_INIT;
	int		rc;

	put_certified(c->node, c->conn, &name);
	rc = name.failed ? -1 : make_about(c, req, buf_sv(&name), name.n > 0);
	buf_fini(&name);
	return rc;
}

/* Whether a page of another site has the browser speak for its user, who is
 * named by the way: that the page can't read the answers is not enough then,
 * as commands come with the request. */
static bool
is_misused(const struct client *c, const struct http_request *req)
{
	return c->about != NULL && c->about->user != NULL &&
	    !node_origin_allowed(c->node, http_header_get(req, "Origin"));
}

/* see client.h */
struct client *
client_open(struct http_exchange *x, const struct transport *tr,
    enum wire_form form, size_t size)
{
	struct node	*n = x->w->ctx;
	struct client	*c;

	if (!admission_enter(n)) {
		http_respond_error(x, 503, "too many connections");
		return NULL;
	}
	if ((c = calloc(1, size)) == NULL) {
		admission_leave(n);
		http_respond_error(x, 503, "out of memory");
		return NULL;
	}
	c->conn = x->conn;
	c->node = n;
	c->tr = tr;
	c->form = (uint8_t)form;
	c->state = CLIENT_NEW;
	SLIST_INIT(&c->subs);
	random_bytes(c->id, sizeof(c->id));
	LIST_INSERT_HEAD(&n->clients, c, entry);
	n->nclients++;
	n->stats.transport_open++;
	client_stats(c)->open[wire_forms[form].protobuf]++;
	if (n->conf->client.stale_close_delay > 0)
		c->stale_at = n->w->now + n->conf->client.stale_close_delay;
	if (know_client(c, &x->req) == -1) {
		client_free(c);
		http_respond_error(x, 503, "out of memory");
		return NULL;
	}
	if (is_misused(c, &x->req)) {
		client_free(c);
		http_respond_error(x, 403, "this Origin is not allowed");
		return NULL;
	}
	return c;
}

/* see client.h */
const char *
client_id(const struct client *c, char out[37])
{
	uuid4_format(out, c->id);
	return out;
}

/* see client.h */
struct sv
client_user(const struct client *c)
{
	if (c->user.entry == NULL)
		return (struct sv){ NULL, 0 };
	return hub_sub_name(&c->user);
}

/* see client.h */
struct hub_info
client_info(const struct client *c, const struct client_sub *s, char id[37])
{
	return (struct hub_info){
		.user = client_user(c),
		.client = sv_make(client_id(c, id), 36),
		.conn_info = sv_make(c->info, c->ninfo),
		.chan_info = s == NULL ? sv_make(NULL, 0) : sub_info(s),
	};
}

/* see client.h */
void
client_leave(struct client *c)
{
	while (!SLIST_EMPTY(&c->subs))
		sub_drop(SLIST_FIRST(&c->subs));
	if (c->user.entry != NULL) {
		hub_user_del(&c->node->hub, &c->user);
		c->node->stats.num_clients--;
		client_stats(c)->inflight--;
	}
}

static void
backlog_free(struct client *c)
{
	if (c->backlog != NULL)
		buf_fini(&c->backlog->b);
	free(c->backlog);
	c->backlog = NULL;
}

/* see client.h */
void
client_free(struct client *c)
{
	struct node *n = c->node;

	client_leave(c);
	if (n->replying == c) {
		n->replying = NULL;
		buf_reset(&n->reply);
	}
	if (c->request != NULL)
		c->request->client = NULL;
	backlog_free(c);
	connecting_free(c);
	if (c->key_wait != NULL)
		jwks_cancel(c->key_wait);
	admission_forget(c);
	about_free(c->about);
	free(c->info);
	LIST_REMOVE(c, entry);
	n->nclients--;
	n->stats.transport_open--;
	client_stats(c)->open[wire_forms[c->form].protobuf]--;
	free(c);
	admission_leave(n);
	node_client_gone(n);
}

/* ---- input ---- */

/* Keep what is left of a message until the command under way is answered,
 * behind what waits already. */
static void
backlog_put(struct client *c, struct sv rest)
{
	struct backlog *k = c->backlog;

	if (k == NULL && (c->backlog = k = calloc(1, sizeof(*k))) == NULL) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	buf_consume(&k->b, k->at);
	k->at = 0;
	if (k->b.n > 0 && k->b.n + rest.n > BACKLOG_MAX) {
		client_disconnect(c, DISCONNECT_TOO_MANY_REQUESTS, NULL);
		return;
	}
	/* Lines end before the next message; an empty one is no command. */
	if (!wire_forms[c->form].protobuf && k->b.n > 0 &&
	    k->b.p[k->b.n - 1] != '\n')
		buf_putc(&k->b, '\n');
	buf_putsv(&k->b, rest);
	if (k->b.failed)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
}

/* Take the next command off *text: a line, a protobuf message behind its
 * length, or, one way, all there is. false: there is none. */
static bool
next_command(const struct client *c, struct sv *text, struct sv *one)
{
	const struct wire	*w = &wire_forms[c->form];
	uint64_t		 n = text->n;
	int			 head = 0;

	if (!w->uni && !w->protobuf) {
		*one = sv_cut(text, '\n');
		return true;
	}
	if (w->protobuf && ((head = pb_varint(*text, &n)) <= 0 ||
	    n > text->n - (size_t)head))
		return false;
	*one = sv_make(text->p + head, (size_t)n);
	*text = sv_skip(*text, (size_t)head + (size_t)n);
	return true;
}

static void
handle_command(struct client *c, struct sv one)
{
	const struct wire	*w = &wire_forms[c->form];
	struct decode		 d = { &c->node->json, &c->node->scratch,
				    NULL };
	enum decode_err		 err;
	struct command		 cmd;

	if (c->state == CLIENT_CLOSED)
		return;		/* since it began to wait */
	if (w->uni)
		err = decode_connect_json(&d, one, &cmd);
	else if (w->protobuf)
		err = decode_command_pb(&d, one, &cmd);
	else
		err = decode_command_json(&d, one, &cmd);
	if (err == DECODE_OK)
		client_command(c, &cmd);
	else if (err == DECODE_BAD)
		command_bad(c, d.why);
	else
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	command_fini(&cmd);
}

/* The commands of a message, of which there must be one at least. What has to
 * wait is returned. */
static struct sv
handle_commands(struct client *c, struct sv text)
{
	const struct node	*n = c->node;
	struct sv		 one, all;

	c->in_input = true;
	do {
		if (c->waiting)
			break;
		all = text;
		if (!next_command(c, &text, &one)) {
			command_bad(c, "cut message");
			break;
		}
		do {
			c->retry = false;
			handle_command(c, one);
		} while (c->retry && !c->waiting);
		if (c->retry)	/* back to the front of what is left */
			text = all;
		else
			c->key_tried = false;
		c->retry = false;
		/* Short commands may have long answers. */
		if (n->reply.n > (uint64_t)n->conf->client.queue_max_size)
			client_reply_flush(c);
	} while (text.n > 0 && c->state != CLIENT_CLOSED);
	c->in_input = false;
	client_reply_flush(c);
	if (c->waiting)
		conn_pause(c->conn);
	return c->waiting ? text : sv_make(NULL, 0);
}

/* see client.h */
void
client_input(struct client *c, struct sv p)
{
	if (c->state == CLIENT_CLOSED)
		return;
	client_stats(c)->received++;
	client_stats(c)->received_size += p.n;
	if (c->about != NULL)
		c->about->bytes_in += p.n;
	if (!c->waiting)
		p = handle_commands(c, p);
	if (p.n > 0)
		backlog_put(c, p);
}

/* see client.h */
void
client_retry(struct client *c)
{
	c->retry = true;
	c->waiting = true;
}

static void
on_key(void *arg, const struct jwt_key *key)
{
	struct client *c = arg;

	(void)key;	/* the command finds it */
	c->key_wait = NULL;
	client_resume(c);
}

/* see client.h */
bool
client_fetch_key(struct client *c, const struct jwt *t)
{
	if (c->key_tried)
		return false;
	c->key_wait = jwks_get(c->node->jwks, t->key_url, t->kid, on_key, c);
	if (c->key_wait == NULL)
		return false;
	c->key_tried = true;
	client_retry(c);
	return true;
}

/* see client.h */
void
client_resume(struct client *c)
{
	struct backlog	*k = c->backlog;
	struct sv	 rest = { NULL, 0 };

	c->waiting = false;
	if (c->in_input)
		return;		/* the answer came at once */
	if (k != NULL)
		rest = sv_skip(buf_sv(&k->b), k->at);
	if (rest.n > 0)
		rest = handle_commands(c, rest);
	else
		client_reply_flush(c);
	if (k != NULL)
		k->at = k->b.n - rest.n;
	if (c->waiting)
		return;
	backlog_free(c);
	conn_resume(c->conn);
}

/* ---- output ---- */

/* Whether output has waited for the peer too long. */
static bool
is_stuck(const struct client *c)
{
	int64_t patience;

	if (!c->conn->blocked)
		return false;
	patience = c->tr->write_timeout(c->node->conf);
	return patience > 0 &&
	    c->node->w->now - c->conn->blocked_at > patience;
}

/* see client.h */
void
client_send(struct client *c, struct blob *b, enum out_type type)
{
	struct conn		*conn = c->conn;
	const struct conf	*conf = c->node->conf;
	uint64_t		 max = (uint64_t)conf->client.queue_max_size;

	if (c->state == CLIENT_CLOSED) {
		blob_unref(b);
		return;
	}
	/* No push goes before the reply to connect. */
	if ((type == OUT_PUB || type == OUT_PUSH) && connecting_hold(c, b))
		return;
	if (max > 0 && (uint64_t)conn->out_bytes + b->n > max) {
		/* Much in one turn is no fault of the peer, nor is a turn
		 * that takes long: it may have read since. */
		conn_flush(conn);
		if ((uint64_t)conn->out_bytes + b->n > max &&
		    conn->out_bytes > 0) {
			blob_unref(b);
			client_disconnect(c, DISCONNECT_SLOW, NULL);
			return;
		}
	}
	if (is_stuck(c))
		conn_flush(conn);
	if (is_stuck(c)) {
		blob_unref(b);
		client_disconnect(c, DISCONNECT_WRITE_ERROR, NULL);
		return;
	}
	client_stats(c)->sent[type]++;
	client_stats(c)->sent_size[type] += b->n;
	if (c->about != NULL)
		c->about->bytes_out += b->n;
	if (conn_send(conn, b) == -1)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
}

/* see client.h */
struct enc *
client_reply_begin(struct client *c)
{
	struct node *n = c->node;

	if (n->replying != c) {
		if (n->replying != NULL)
			client_reply_flush(n->replying);
		n->replying = c;
		encode_init(&n->reply_enc, &n->reply, c->form);
	}
	return &n->reply_enc;
}

/* see client.h */
void
client_reply_flush(struct client *c)
{
	struct node	*n = c->node;
	uint32_t	 code = DISCONNECT_SERVER_ERROR;
	struct blob	*b = NULL;

	if (n->replying != c)
		return;
	n->replying = NULL;
	if (n->reply_enc.unfit)		/* spec 12.20 */
		code = DISCONNECT_INAPPROPRIATE_PROTOCOL;
	else if (!n->reply.failed)
		b = wire_message(c->node, c->form, buf_sv(&n->reply));
	buf_reset(&n->reply);
	if (b == NULL)
		client_disconnect(c, code, NULL);
	else
		client_send(c, b, OUT_REPLY);
}

static void
post_mail(void *ctx, unsigned i, struct mail *m)
{
	struct node *n = ctx;

	worker_post(n->srv->worker[i], m);
}

static int64_t
mono_now(void *ctx)
{
	struct node *n = ctx;

	return n->w->now;
}

const struct hub_ops client_hub_ops = {
	.post = post_mail,
	.now = mono_now,
	.deliver = sub_deliver,
	.done = sub_delivered,
	.joined = sub_joined,
};

/* see client.h */
struct enc
client_push_begin(struct client *c)
{
	struct enc e;

	buf_reset(&c->node->push);
	encode_init(&e, &c->node->push, c->form);
	return e;
}

/* see client.h */
void
client_push_send(struct client *c, const struct enc *e)
{
	struct blob *b = NULL;

	if (!e->b->failed)
		b = wire_message(c->node, c->form, buf_sv(e->b));
	if (b == NULL)
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
	else
		client_send(c, b, OUT_PUSH);
}

/* see client.h */
void
client_unsubscribe_push(struct client *c, struct sv channel, uint32_t code)
{
	struct enc e = client_push_begin(c);

	encode_unsubscribe_push(&e, channel, code, unsubscribe_reason(code));
	c->node->stats.unsubscribes++;
	client_push_send(c, &e);
}

/* ---- deadlines ---- */

/* see client.h */
void
client_set_timer(struct client *c)
{
	const int64_t	at[] = { c->stale_at, c->ping_at, c->pong_at,
			    c->expire_at, c->shutdown_at, c->tick_at };
	int64_t		next = 0;
	size_t		i;

	if (c->state == CLIENT_CLOSED)
		return;		/* the connection's own timer runs */
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] != 0 && (next == 0 || at[i] < next))
			next = at[i];
	if (next != 0)
		conn_timer(c->conn, next);
}

static bool
is_due(const struct client *c, int64_t at)
{
	return at != 0 && at <= c->node->w->now;
}

/* Whether a ping is answered: not by who can't send anything. */
static bool
client_must_pong(const struct client *c)
{
	return c->frame_ping || !wire_forms[c->form].uni;
}

static void
send_ping(struct client *c)
{
	const struct conf	*conf = c->node->conf;
	struct blob		*b;
	int64_t			 now = c->node->w->now;

	b = c->frame_ping ? c->tr->ping() : encode_ping(c->form);
	if (b == NULL) {
		client_disconnect(c, DISCONNECT_SERVER_ERROR, NULL);
		return;
	}
	c->ping_out = true;
	c->ping_sent = clock_mono_ns();
	c->ping_at = now + conf->client.ping_interval;
	if (conf->client.pong_timeout > 0 && client_must_pong(c))
		c->pong_at = now + conf->client.pong_timeout;
	client_send(c, b, OUT_PING);
}

/* see client.h */
void
client_timer(struct client *c)
{
	if (is_due(c, c->shutdown_at))
		client_disconnect(c, DISCONNECT_SHUTDOWN, NULL);
	else if (is_due(c, c->stale_at))
		client_disconnect(c, DISCONNECT_STALE, NULL);
	else if (is_due(c, c->expire_at))
		client_disconnect(c, DISCONNECT_EXPIRED, NULL);
	else if (is_due(c, c->pong_at))
		client_disconnect(c, DISCONNECT_NO_PONG, NULL);
	else if (is_due(c, c->tick_at))
		sub_tick(c);
	if (is_due(c, c->ping_at) && c->state != CLIENT_CLOSED)
		send_ping(c);
	client_set_timer(c);
}

/* see client.h */
void
client_pong_frame(struct client *c)
{
	if (!c->frame_ping || !c->ping_out)
		return;
	c->ping_out = false;
	c->pong_at = 0;
}

/* ---- the end ---- */

/* The last line of a connection's log. */
static void
log_end(struct client *c, uint32_t code, const char *reason)
{
	const struct client_about	*a = c->about;
	char				 id[37], peer[ADDR_STRLEN];

	if (a == NULL || !log_on(LOG_DEBUG))
		return;
	log_debug("client disconnected", kv_s("client", client_id(c, id)),
	    kv_s("transport", transport_name[c->tr->kind]),
	    kv_sv("user", client_user(c)), kv_u("code", code),
	    kv_s("reason", reason), kv_s("peer", conn_peer(c->conn, peer)),
	    kv_s("agent", a->agent == NULL ? "" : a->agent),
	    kv_i("duration_ms", c->node->w->now - a->opened),
	    kv_u("bytes_in", a->bytes_in), kv_u("bytes_out", a->bytes_out));
}

/* Nothing more goes out but the transport's last word. false: so it was
 * before. */
static bool
shut(struct client *c)
{
	client_reply_flush(c);
	if (c->state == CLIENT_CLOSED)
		return false;
	c->state = CLIENT_CLOSED;
	return true;
}

/* see client.h */
bool
client_ended(struct client *c, unsigned code)
{
	if (!shut(c))
		return false;
	log_end(c, code, "");
	client_leave(c);
	return true;
}

/* see client.h */
void
client_disconnect(struct client *c, uint32_t code, const char *reason)
{
	struct node *n = c->node;

	if (c->state == CLIENT_CLOSED)
		return;
	if (reason == NULL)
		reason = disconnect_reason(code);
	if (!shut(c))
		return;		/* the last replies were too much for it */
	n->stats.disconnects[disconnect_slot(code)]++;
	client_stats(c)->outgoing_close[disconnect_slot(code)]++;
	log_end(c, code, reason);
	if (code == DISCONNECT_SLOW || code == DISCONNECT_WRITE_ERROR)
		conn_drop_output(c->conn);
	c->tr->close(c, code, reason);
	if (!n->delivering)
		client_leave(c);
}

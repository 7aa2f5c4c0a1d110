/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Several commands in one request: the method batch, whose commands may run
 * side by side, and the legacy form, JSON objects one after the other. The
 * whole request is checked before its first command runs.
 */
#include <stdlib.h>

#include "api/api.h"
#include "api/call.h"
#include "api/stats.h"
#include "api/window.h"
#include "client/code.h"

struct step {
	struct api_call	 call;		/* first */
	struct batch	*batch;
	uint32_t	 id;		/* legacy only; 0: none */
};

struct batch {
	struct window		 window;	/* first */
	struct http_exchange	*x;
	struct node		*node;
	struct json		 doc;
	struct jv		 next;		/* command of a batch */
	struct sv		 rest;		/* of a legacy body */
	struct buf		 out;
	struct step		 step[];
};

static void
on_done(struct api_call *c)
{
	struct step *s = (struct step *)(void *)c;

	window_done(&s->batch->window, (unsigned)(s - s->batch->step));
}

/* A command that is answered with an error without being run. */
static void
refuse(struct step *s, unsigned method, uint32_t error)
{
	s->call.error = error;
	api_count_error(s->batch->node, method, error);
	on_done(&s->call);
}

static void
start(struct batch *b, unsigned i, enum api_method method, struct jv params)
{
	struct step *s = &b->step[i];

	if (method >= API_BATCH)
		refuse(s, API_UNKNOWN, ERROR_METHOD_NOT_FOUND);
	else if (api_call_run(&s->call, params) == -1)
		refuse(s, method, ERROR_BAD_REQUEST);
}

static void
prepare(struct batch *b, unsigned i, enum api_method method, uint32_t id)
{
	b->step[i] = (struct step){
		.call = { .node = b->node, .method = method, .done = on_done },
		.batch = b,
		.id = id,
	};
}

static void
finish(struct window *w)
{
	struct batch *b = (struct batch *)(void *)w;

	if (b->out.failed)
		http_respond_error(b->x, 500, NULL);
	else
		api_reply_json(b->x, 200, buf_sv(&b->out));
	json_fini(&b->doc);
	buf_fini(&b->out);
	free(b);
}

static struct batch *
batch_new(struct http_exchange *x, unsigned limit)
{
	struct batch *b;

	b = calloc(1, sizeof(*b) + limit * sizeof(b->step[0]));
	if (b == NULL) {
		http_respond_error(x, 500, NULL);
		return NULL;
	}
	b->x = x;
	b->node = x->w->ctx;
	b->window.limit = limit;
	b->window.finish = finish;
	return b;
}

/* ---- batch ---- */

/* Which method a command calls; params is what stands under its name. */
static enum api_method
command_method(struct jv cmd, struct jv *params)
{
	int m;

	for (m = 0; m < API_BATCH; m++) {
		*params = jv_get(cmd, api_method_name[m]);
		if (jv_is(*params) && jv_type(*params) != JSON_NULL)
			return (enum api_method)m;
	}
	return API_METHODS;
}

/* Whether the parameters of all commands are of their types. */
static int
check_commands(struct jv commands)
{
	struct buf		scratch = BUF_INIT;
	struct api_params	p;
	enum api_method		m;
	struct jv		cmd, params;
	int			rc = 0;

	for (cmd = jv_first(commands); jv_is(cmd) && rc == 0;
	    cmd = jv_next(cmd)) {
		if ((m = command_method(cmd, &params)) != API_METHODS)
			rc = api_params_decode(m, params, &scratch, &p);
		buf_reset(&scratch);
	}
	buf_fini(&scratch);
	return rc;
}

static bool
batch_start(struct window *w, unsigned i)
{
	struct batch	*b = (struct batch *)(void *)w;
	struct jv	 cmd = b->next, params;
	enum api_method	 m;

	if (!jv_is(cmd))
		return false;
	b->next = jv_next(cmd);
	m = command_method(cmd, &params);
	prepare(b, i, m, 0);
	if (jv_type(cmd) == JSON_NULL)
		refuse(&b->step[i], API_UNKNOWN, ERROR_BAD_REQUEST);
	else
		start(b, i, m, params);
	return true;
}

static void
batch_take(struct window *w, unsigned i)
{
	struct batch	*b = (struct batch *)(void *)w;
	struct api_call	*c = &b->step[i].call;

	buf_puts(&b->out, b->out.n == 0 ? "{\"replies\":[" : ",");
	if (c->error != 0) {
		buf_puts(&b->out, "{\"error\":");
		api_put_error(&b->out, c->error);
	} else {
		buf_printf(&b->out, "{\"%s\":", api_method_name[c->method]);
		buf_putsv(&b->out, c->result.n > 0 ? buf_sv(&c->result) :
		    SV("{}"));
	}
	buf_putc(&b->out, '}');
	api_call_fini(c);
}

static void
batch_finish(struct window *w)
{
	struct batch *b = (struct batch *)(void *)w;

	buf_puts(&b->out, b->out.n == 0 ? "{}" : "]}");
	finish(w);
}

/* see api.h */
void
api_batch(struct http_exchange *x)
{
	struct buf		scratch = BUF_INIT;
	struct api_params	p;
	struct json		doc;
	struct batch		*b;

	json_init(&doc);
	if (json_parse(&doc, x->body, 0) == -1 ||
	    api_params_decode(API_BATCH, json_root(&doc), &scratch,
	    &p) == -1 || check_commands(p.commands) == -1) {
		api_reply_malformed(x, API_BATCH, doc.err, "wrong type");
		json_fini(&doc);
		return;
	}
	if ((b = batch_new(x, p.parallel ? WINDOW_MAX : 1)) == NULL) {
		json_fini(&doc);
		return;
	}
	b->doc = doc;
	b->next = jv_first(jv_get(json_root(&b->doc), "commands"));
	b->window.start = batch_start;
	b->window.take = batch_take;
	b->window.finish = batch_finish;
	window_run(&b->window);
}

/* ---- the legacy form ---- */

struct command {
	int64_t		id;
	enum api_method	method;
	struct jv	params;
};

/* Methods go by name or by number. A name must be one of ours, a number
 * need not. */
static int
decode_method(struct jv v, enum api_method *m)
{
	struct buf	scratch = BUF_INIT;
	struct sv	name;
	int64_t		i = 0;
	int		rc = 0;

	*m = API_PUBLISH;
	if (jv_type(v) == JSON_STRING) {
		if ((rc = jv_str(v, &scratch, &name)) == 0)
			*m = api_method_find(name);
		buf_fini(&scratch);
		if (*m >= API_BATCH)
			rc = -1;
	} else if (jv_is(v)) {
		rc = jv_i64(v, &i);
		*m = i >= 0 && i < API_BATCH ? (enum api_method)i :
		    API_METHODS;
	}
	return rc;
}

static int
decode_command(struct jv v, struct command *cmd)
{
	struct jv id = jv_get(v, "id");

	*cmd = (struct command){ .id = 0 };
	if (jv_type(v) != JSON_OBJECT)
		return -1;
	if (jv_is(id) && jv_type(id) != JSON_NULL &&
	    (jv_i64(id, &cmd->id) == -1 || cmd->id < 0 ||
	    cmd->id > UINT32_MAX))
		return -1;
	cmd->params = jv_get(v, "params");
	return decode_method(jv_get(v, "method"), &cmd->method);
}

/* The number of commands in the text; 0 if it is malformed. */
static size_t
count_commands(struct json *doc, struct sv text)
{
	struct command	cmd;
	size_t		n;

	for (n = 0; json_parse(doc, text, JSON_STREAM) == 0; n++) {
		if (decode_command(json_root(doc), &cmd) == -1)
			return 0;
		text = sv_skip(text, doc->used);
	}
	return doc->err == JSON_EMPTY ? n : 0;
}

static bool
legacy_start(struct window *w, unsigned i)
{
	struct batch	*b = (struct batch *)(void *)w;
	struct json	*doc = &b->node->json;
	struct command	 cmd;

	/* It was parsed before: what can fail is memory, and there is none
	 * for the rest either. */
	if (json_parse(doc, b->rest, JSON_STREAM) == -1 ||
	    decode_command(json_root(doc), &cmd) == -1) {
		b->out.failed |= doc->err != JSON_EMPTY;
		return false;
	}
	b->rest = sv_skip(b->rest, doc->used);
	prepare(b, i, cmd.method, (uint32_t)cmd.id);
	start(b, i, cmd.method, cmd.params);
	return true;
}

static void
legacy_take(struct window *w, unsigned i)
{
	struct batch	*b = (struct batch *)(void *)w;
	struct step	*s = &b->step[i];

	if (b->out.n > 0)
		buf_putc(&b->out, '\n');
	buf_putc(&b->out, '{');
	if (s->id != 0)
		buf_printf(&b->out, "\"id\":%lu,", (unsigned long)s->id);
	if (s->call.error != 0) {
		buf_puts(&b->out, "\"error\":");
		api_put_error(&b->out, s->call.error);
	} else {
		buf_puts(&b->out, "\"result\":");
		buf_putsv(&b->out, s->call.result.n > 0 ?
		    buf_sv(&s->call.result) : SV("{}"));
	}
	buf_putc(&b->out, '}');
	api_call_fini(&s->call);
}

/* see api.h */
void
api_legacy(struct http_exchange *x)
{
	struct node	*n = x->w->ctx;
	struct batch	*b;

	if (count_commands(&n->json, x->body) == 0) {
		api_reply_malformed(x, API_UNKNOWN, n->json.err,
		    "no command");
		return;
	}
	if ((b = batch_new(x, 1)) == NULL)
		return;
	b->rest = x->body;
	b->window.start = legacy_start;
	b->window.take = legacy_take;
	window_run(&b->window);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands in JSON: see decode.h. A member that is null is absent.
 *
 * Unescaped strings are never longer than the text, and each is taken once:
 * with that much reserved the buffer does not move under them.
 */
#include "client/decode.h"

static enum decode_err get_fields(struct decode *, struct jv obj,
	    const struct message *, void *out);

static bool
is_absent(struct jv v)
{
	return !jv_is(v) || jv_type(v) == JSON_NULL;
}

static enum decode_err
bad(struct decode *d, const char *why)
{
	d->why = why;
	return DECODE_BAD;
}

static enum decode_err
get_subs(struct decode *d, struct jv obj, struct connect_request *r)
{
	const struct message	*m = &decode_request[METHOD_SUBSCRIBE];
	struct sub_request	*s;
	struct sv		 channel;
	enum decode_err		 err;
	struct jv		 v;

	if (jv_type(obj) != JSON_OBJECT)
		return bad(d, "subs");
	if (decode_subs_new(r, jv_len(obj)) == -1)
		return DECODE_NOMEM;
	for (v = jv_first(obj); jv_is(v); v = jv_next(v)) {
		s = &r->subs[r->nsubs++];
		if (jv_str(jv_key(v), d->scratch, &channel) == -1)
			return bad(d, "subs");
		if (!is_absent(v) && (err = get_fields(d, v, m, s)) !=
		    DECODE_OK)
			return err;
		s->channel = channel;
	}
	return DECODE_OK;
}

static enum decode_err
get_since(struct decode *d, struct jv v, struct since *s)
{
	s->given = true;
	return get_fields(d, v, &decode_since, s);
}

static enum decode_err
get_field(struct decode *d, struct jv v, const struct field *f, void *out)
{
	int rc = 0;

	switch ((enum field_type)f->type) {
	case FIELD_STR:
		rc = jv_str(v, d->scratch, out);
		break;
	case FIELD_DATA:
		*(struct sv *)out = jv_raw(v);
		break;
	case FIELD_BOOL:
		rc = jv_bool(v, out);
		break;
	case FIELD_U64:
		rc = jv_u64(v, out);
		break;
	case FIELD_I64:
		rc = jv_i64(v, out);
		break;
	case FIELD_SINCE:
		return get_since(d, v, out);
	case FIELD_SUBS:
		return get_subs(d, v, (void *)((char *)out -
		    offsetof(struct connect_request, subs)));
	case FIELD_FILTER:
		*(struct jv *)out = v;
		break;
	}
	return rc == 0 ? DECODE_OK : bad(d, f->name);
}

static enum decode_err
get_fields(struct decode *d, struct jv obj, const struct message *m,
    void *out)
{
	const struct field	*f;
	enum decode_err		 err;
	struct jv		 v;

	if (jv_type(obj) != JSON_OBJECT)
		return bad(d, "request is no object");
	for (f = m->field; f < m->field + m->nfield; f++) {
		v = jv_get(obj, f->name);
		if (!jv_is(v) || (jv_type(v) == JSON_NULL &&
		    f->type != FIELD_DATA))
			continue;
		err = get_field(d, v, f, (char *)out + f->at);
		if (err != DECODE_OK)
			return err;
	}
	return DECODE_OK;
}

static enum decode_err
parse(struct decode *d, struct sv text)
{
	buf_reset(d->scratch);
	if (buf_reserve(d->scratch, text.n + 1) == NULL)
		return DECODE_NOMEM;
	if (json_parse(d->json, text, 0) == 0)
		return DECODE_OK;
	return d->json->err == JSON_NOMEM ? DECODE_NOMEM :
	    bad(d, json_strerror(d->json->err));
}

/* see decode.h */
enum decode_err
decode_connect_json(struct decode *d, struct sv text, struct command *cmd)
{
	enum decode_err err;

	*cmd = (struct command){ .method = METHOD_CONNECT };
	if ((err = parse(d, text)) != DECODE_OK)
		return err;
	return get_fields(d, json_root(d->json),
	    &decode_request[METHOD_CONNECT], &cmd->u);
}

/* Which command it is: the first of the known members in the protocol's
 * order, null ones passed over. */
static enum decode_err
get_method(struct decode *d, struct jv obj, struct command *cmd,
    struct jv *req)
{
	struct jv	v;
	int		m;

	for (m = 0; m < METHOD_MAX; m++) {
		v = jv_get(obj, client_method_name[m]);
		if (is_absent(v))
			continue;
		if (jv_type(v) != JSON_OBJECT)
			return bad(d, "request is no object");
		if (cmd->method == METHOD_MAX) {
			cmd->method = (enum client_method)m;
			*req = v;
		}
	}
	return DECODE_OK;
}

/* see decode.h */
enum decode_err
decode_command_json(struct decode *d, struct sv text, struct command *cmd)
{
	enum decode_err	err;
	struct jv	obj, req, id;
	uint64_t	n = 0;

	*cmd = (struct command){ .method = METHOD_MAX };
	if ((err = parse(d, text)) != DECODE_OK)
		return err;
	obj = json_root(d->json);
	if (jv_type(obj) != JSON_OBJECT)
		return bad(d, "command is no object");
	id = jv_get(obj, "id");
	if (!is_absent(id) && (jv_u64(id, &n) == -1 || n > UINT32_MAX))
		return bad(d, "id");
	cmd->id = (uint32_t)n;
	if ((err = get_method(d, obj, cmd, &req)) != DECODE_OK ||
	    cmd->method == METHOD_MAX)
		return err;
	return get_fields(d, req, &decode_request[cmd->method], &cmd->u);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Commands in protobuf: see decode.h. Unknown fields are passed over, known
 * ones must be of their type, and strings must be UTF-8. Of a field that
 * comes twice the last counts.
 */
#include <string.h>

#include "client/decode.h"
#include "client/enc.h"
#include "util/pb.h"
#include "util/utf8.h"

#define FILTER_DEPTH	64	/* nodes within nodes */

static enum decode_err get_fields(struct decode *, struct sv bytes,
	    const struct message *, void *out);

static enum decode_err
bad(struct decode *d, const char *why)
{
	d->why = why;
	return DECODE_BAD;
}

static bool
take_str(const struct pb_field *f, struct sv *out)
{
	if (f->wire != PB_LEN || !utf8_valid(f->s))
		return false;
	*out = f->s;
	return true;
}

/* ---- filters: what takes them knows them as JSON ---- */

static bool
put_strings(struct enc *e, struct sv node, unsigned num, const char *name)
{
	struct pb_field	f;
	struct sv	s;
	bool		any = false;

	while (pb_next(&node, &f) > 0) {
		if (f.num != num)
			continue;
		if (!take_str(&f, &s))
			return false;
		if (!any)
			enc_list(e, name);
		else
			buf_putc(e->b, ',');
		json_put_str(e->b, s);
		any = true;
	}
	if (any)
		enc_list_end(e);
	return true;
}

/* The members of a FilterNode. false: malformed. */
static bool
put_filter(struct enc *e, struct sv node, unsigned depth)
{
	static const char *const name[] = { NULL, "op", "key", "cmp", "val" };
	struct sv	rest = node, s[5] = { { NULL, 0 } };
	struct pb_field	f;
	bool		any = false;
	unsigned	i;
	int		rc;

	while ((rc = pb_next(&rest, &f)) > 0)
		if (f.num < 5 && !take_str(&f, &s[f.num]))
			return false;
	if (rc < 0 || depth == FILTER_DEPTH)
		return false;
	for (i = 1; i < 5; i++)
		enc_str(e, i, name[i], s[i]);
	if (!put_strings(e, node, 5, "vals"))
		return false;
	while (pb_next(&node, &f) > 0) {
		if (f.num != 6)
			continue;
		if (f.wire != PB_LEN)
			return false;
		if (!any)
			enc_list(e, "nodes");
		any = true;
		enc_item(e, 6);
		if (!put_filter(e, f.s, depth + 1))
			return false;
		enc_end(e);
	}
	if (any)
		enc_list_end(e);
	return true;
}

static enum decode_err
get_filter(struct decode *d, struct sv node, struct jv *out)
{
	struct enc e;

	buf_reset(d->scratch);
	enc_init(&e, d->scratch, false);
	enc_open(&e);
	if (!put_filter(&e, node, 0))
		return bad(d, "tf");
	enc_close(&e);
	if (d->scratch->failed ||
	    json_parse(d->json, buf_sv(d->scratch), 0) == -1)
		return DECODE_NOMEM;
	*out = json_root(d->json);
	return DECODE_OK;
}

/* ---- fields ---- */

/* An entry of the map of connect; its filter, which nothing acts on there,
 * would need a document of its own. */
static enum decode_err
get_sub(struct decode *d, struct sv entry, struct sub_request *r)
{
	const struct message	*m = &decode_request[METHOD_SUBSCRIBE];
	struct pb_field		 f;
	struct sv		 channel = { NULL, 0 };
	enum decode_err		 err;
	int			 rc;

	while ((rc = pb_next(&entry, &f)) > 0) {
		if (f.num == 1 && !take_str(&f, &channel))
			return bad(d, "subs");
		if (f.num != 2)
			continue;
		if (f.wire != PB_LEN)
			return bad(d, "subs");
		if ((err = get_fields(d, f.s, m, r)) != DECODE_OK)
			return err;
	}
	r->channel = channel;
	r->tf = (struct jv){ NULL, 0 };
	return rc < 0 ? bad(d, "subs") : DECODE_OK;
}

/* The entries stand one by one among the other fields of connect. */
static enum decode_err
get_subs(struct decode *d, struct sv bytes, struct connect_request *r)
{
	struct sv	rest = bytes;
	struct pb_field	f;
	enum decode_err	err;
	size_t		n = 0;

	while (pb_next(&rest, &f) > 0)
		n += f.num == 3;
	if (decode_subs_new(r, n) == -1)
		return DECODE_NOMEM;
	while (pb_next(&bytes, &f) > 0) {
		if (f.num != 3)
			continue;
		if (f.wire != PB_LEN)
			return bad(d, "subs");
		err = get_sub(d, f.s, &r->subs[r->nsubs++]);
		if (err != DECODE_OK)
			return err;
	}
	return DECODE_OK;
}

static enum decode_err
get_since(struct decode *d, struct sv bytes, struct since *s)
{
	s->given = true;
	return get_fields(d, bytes, &decode_since, s);
}

static bool
is_varint(enum field_type t)
{
	return t == FIELD_BOOL || t == FIELD_U64 || t == FIELD_I64;
}

static enum decode_err
get_field(struct decode *d, const struct pb_field *f,
    const struct field *field, void *out)
{
	enum field_type t = (enum field_type)field->type;

	if (f->wire != (is_varint(t) ? PB_VARINT : PB_LEN))
		return bad(d, field->name);
	switch (t) {
	case FIELD_STR:
		if (!take_str(f, out))
			return bad(d, field->name);
		break;
	case FIELD_DATA:
		*(struct sv *)out = f->s;
		break;
	case FIELD_BOOL:
		*(bool *)out = f->u != 0;
		break;
	case FIELD_U64:
		*(uint64_t *)out = f->u;
		break;
	case FIELD_I64:
		*(int64_t *)out = (int64_t)f->u;
		break;
	case FIELD_SINCE:
		return get_since(d, f->s, out);
	case FIELD_FILTER:
		return get_filter(d, f->s, out);
	case FIELD_SUBS:
		break;		/* all together: get_subs() */
	}
	return DECODE_OK;
}

static enum decode_err
get_fields(struct decode *d, struct sv bytes, const struct message *m,
    void *out)
{
	const struct field	*field, *end = m->field + m->nfield;
	struct pb_field		 f;
	enum decode_err		 err;
	int			 rc;

	while ((rc = pb_next(&bytes, &f)) > 0) {
		for (field = m->field; field < end; field++)
			if (field->num == f.num)
				break;
		if (field == end)
			continue;
		err = get_field(d, &f, field, (char *)out + field->at);
		if (err != DECODE_OK)
			return err;
	}
	return rc < 0 ? bad(d, "malformed protobuf") : DECODE_OK;
}

/* ---- commands ---- */

static int
method_of(uint32_t num)
{
	int m;

	for (m = 0; m < METHOD_MAX; m++)
		if (decode_request[m].num == num)
			break;
	return m;
}

/* see decode.h */
enum decode_err
decode_command_pb(struct decode *d, struct sv bytes, struct command *cmd)
{
	struct sv	req[METHOD_MAX];
	struct pb_field	f;
	enum decode_err	err;
	int		m, rc;

	*cmd = (struct command){ .method = METHOD_MAX };
	while ((rc = pb_next(&bytes, &f)) > 0) {
		m = method_of(f.num);
		if (f.num == 1) {
			if (f.wire != PB_VARINT || f.u > UINT32_MAX)
				return bad(d, "id");
			cmd->id = (uint32_t)f.u;
		} else if (m < METHOD_MAX) {
			if (f.wire != PB_LEN)
				return bad(d, client_method_name[m]);
			req[m] = f.s;
			if (m < (int)cmd->method)
				cmd->method = (enum client_method)m;
		}
	}
	if (rc < 0)
		return bad(d, "malformed protobuf");
	m = (int)cmd->method;
	if (m == METHOD_MAX)
		return DECODE_OK;
	err = get_fields(d, req[m], &decode_request[m], &cmd->u);
	if (err == DECODE_OK && m == METHOD_CONNECT)
		err = get_subs(d, req[m], &cmd->u.connect);
	return err;
}

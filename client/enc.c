/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See enc.h. Whether a comma goes before a member of JSON is seen by the byte
 * before it: texts that are put in whole never end in a bracket that opens.
 * In protobuf one byte is kept for a length; a message that turns out to need
 * more is moved.
 */
#include <assert.h>
#include <string.h>

#include "client/enc.h"
#include "util/json.h"
#include "util/pb.h"

/* see enc.h */
void
enc_init(struct enc *e, struct buf *b, bool pb)
{
	*e = (struct enc){ .b = b, .pb = pb };
}

/* ---- JSON ---- */

static bool
needs_comma(const struct buf *b)
{
	return b->n > 0 && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[';
}

/* The name of a member and what goes around it; open: a bracket that opens
 * its value, or NUL. */
static void
put_name(struct buf *b, const char *name, char open)
{
	size_t	 n = strlen(name);
	char	*p = buf_reserve(b, n + 5), *start = p;

	if (p == NULL)
		return;
	if (needs_comma(b))
		*p++ = ',';
	*p++ = '"';
	memcpy(p, name, n);
	p += n;
	*p++ = '"';
	*p++ = ':';
	if (open != '\0')
		*p++ = open;
	buf_commit(b, (size_t)(p - start));
}

/* ---- protobuf ---- */

/* A length is to go here. */
static void
length_begin(struct enc *e)
{
	assert(e->depth < ENC_DEPTH);
	e->mark[e->depth++] = e->b->n;
	buf_putc(e->b, 0);
}

/* It is what has been written since. */
static void
length_end(struct enc *e)
{
	struct buf	*b = e->b;
	size_t		 at = e->mark[--e->depth], n, more;
	char		*p;

	if (b->failed)
		return;
	n = b->n - at - 1;
	more = pb_varint_size(n) - 1;
	if (more > 0) {
		if (buf_reserve(b, more) == NULL)
			return;
		memmove(b->p + at + 1 + more, b->p + at + 1, n);
		buf_commit(b, more);
	}
	for (p = b->p + at; n >= 0x80; n >>= 7)
		*p++ = (char)(0x80 | (n & 0x7f));
	*p = (char)n;
}

static void
message_begin(struct enc *e, unsigned num)
{
	pb_put_varint(e->b, num << 3 | PB_LEN);
	length_begin(e);
}

/* ---- messages ---- */

/* see enc.h */
void
enc_open(struct enc *e)
{
	if (e->pb) {
		length_begin(e);
		return;
	}
	if (e->b->n > 0)
		buf_putc(e->b, '\n');
	buf_putc(e->b, '{');
}

/* see enc.h */
void
enc_close(struct enc *e)
{
	enc_end(e);
}

/* see enc.h */
void
enc_begin(struct enc *e, unsigned num, const char *name)
{
	if (e->pb)
		message_begin(e, num);
	else
		put_name(e->b, name, '{');
}

/* see enc.h */
void
enc_end(struct enc *e)
{
	if (e->pb)
		length_end(e);
	else
		buf_putc(e->b, '}');
}

/* see enc.h */
void
enc_encoded(struct enc *e, unsigned num, const char *name, struct sv s)
{
	enc_begin(e, num, name);
	buf_putsv(e->b, s);
	enc_end(e);
}

/* see enc.h */
void
enc_list(struct enc *e, const char *name)
{
	if (!e->pb)
		put_name(e->b, name, '[');
}

/* see enc.h */
void
enc_item(struct enc *e, unsigned num)
{
	if (e->pb) {
		message_begin(e, num);
		return;
	}
	if (needs_comma(e->b))
		buf_putc(e->b, ',');
	buf_putc(e->b, '{');
}

/* see enc.h */
void
enc_list_end(struct enc *e)
{
	if (!e->pb)
		buf_putc(e->b, ']');
}

/* see enc.h */
void
enc_map(struct enc *e, const char *name)
{
	if (!e->pb)
		enc_begin(e, 0, name);
}

/* see enc.h */
void
enc_entry(struct enc *e, unsigned num, struct sv key)
{
	if (e->pb) {
		message_begin(e, num);
		pb_put_sv(e->b, 1, key);
		message_begin(e, 2);
		return;
	}
	if (needs_comma(e->b))
		buf_putc(e->b, ',');
	json_put_str(e->b, key);
	buf_put(e->b, ":{", 2);
}

/* see enc.h */
void
enc_entry_end(struct enc *e)
{
	enc_end(e);
	if (e->pb)
		enc_end(e);
}

/* see enc.h */
void
enc_map_end(struct enc *e)
{
	if (!e->pb)
		enc_end(e);
}

/* ---- plain members ---- */

/* see enc.h */
void
enc_u64_always(struct enc *e, unsigned num, const char *name, uint64_t u)
{
	if (e->pb) {
		pb_put_u64(e->b, num, u);
	} else {
		put_name(e->b, name, '\0');
		buf_putu64(e->b, u);
	}
}

/* see enc.h */
void
enc_u64(struct enc *e, unsigned num, const char *name, uint64_t u)
{
	if (u > 0)
		enc_u64_always(e, num, name, u);
}

/* see enc.h */
void
enc_bool(struct enc *e, unsigned num, const char *name, bool v)
{
	if (!v)
		return;
	if (e->pb) {
		pb_put_bool(e->b, num, v);
	} else {
		put_name(e->b, name, '\0');
		buf_put(e->b, "true", 4);
	}
}

/* see enc.h */
void
enc_str_always(struct enc *e, unsigned num, const char *name, struct sv s)
{
	if (e->pb) {
		pb_put_sv(e->b, num, s);
	} else {
		put_name(e->b, name, '\0');
		json_put_str(e->b, s);
	}
}

/* see enc.h */
void
enc_str(struct enc *e, unsigned num, const char *name, struct sv s)
{
	if (s.n > 0)
		enc_str_always(e, num, name, s);
}

/* see enc.h */
void
enc_data(struct enc *e, unsigned num, const char *name, struct sv s)
{
	if (s.n == 0)
		return;
	if (e->pb) {
		pb_put_sv(e->b, num, s);
	} else {
		put_name(e->b, name, '\0');
		json_put_raw(e->b, s);
	}
}

/* One entry of a map of strings, unescaped into the scratch buffers. */
static void
put_entry(struct enc *e, unsigned num, struct jv member, struct buf scratch[2])
{
	struct sv key, value;

	buf_reset(&scratch[0]);
	buf_reset(&scratch[1]);
	if (jv_str(jv_key(member), &scratch[0], &key) == -1 ||
	    jv_str(member, &scratch[1], &value) == -1) {
		e->b->failed |= scratch[0].failed || scratch[1].failed;
		return;
	}
	message_begin(e, num);
	pb_put_sv(e->b, 1, key);
	pb_put_sv(e->b, 2, value);
	enc_end(e);
}

/* see enc.h */
void
enc_strings(struct enc *e, unsigned num, const char *name, struct sv object)
{
	struct buf	scratch[2] = { BUF_INIT, BUF_INIT };
	struct json	j;
	struct jv	v;

	if (object.n == 0)
		return;
	if (!e->pb) {
		enc_data(e, num, name, object);
		return;
	}
	json_init(&j);
	if (json_parse(&j, object, 0) == 0)
		for (v = jv_first(json_root(&j)); jv_is(v); v = jv_next(v))
			put_entry(e, num, v, scratch);
	else if (j.err == JSON_NOMEM)
		e->b->failed = true;
	json_fini(&j);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
}

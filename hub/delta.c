/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Makes fossil deltas: see delta.h. What source and target have in common at
 * either end is found by comparing. For what lies between, blocks of the
 * source at regular distances go into a hash table, and every place of the
 * target is looked up in it; a block found is extended both ways. Few blocks
 * of one hash are tried, and what was copied is never looked at again: that
 * makes it linear.
 */
#include <stdlib.h>

#include "hub/delta.h"

#define BLOCK		16
#define MAX_BLOCKS	65536
#define MAX_TRIES	8

struct encoder {
	struct buf	*out;
	struct sv	 src, dst;
	size_t		 done;		/* of dst, written */
	/* The blocks of src, one every `distance' bytes: table[h], for h with
	 * `bits' bits, is the first of hash h, next[i] the one after block i;
	 * all by their number + 1. */
	uint32_t	*table, *next;
	size_t		 distance;
	unsigned	 bits;
};

struct match {
	size_t	src, dst, n;
};

/* ---- numbers ---- */

static size_t
count_digits(size_t v)
{
	size_t	n = 1;

	while ((v >>= 6) > 0)
		n++;
	return n;
}

static void
put_number(struct buf *out, size_t v)
{
	static const char	digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTU"
				    "VWXYZ_abcdefghijklmnopqrstuvwxyz~";
	size_t			n = count_digits(v);

	while (n-- > 0)
		buf_putc(out, digits[v >> 6 * n & 63]);
}

static uint32_t
checksum(struct sv s)
{
	const unsigned char	*p = (const unsigned char *)s.p;
	uint32_t		 sum = 0;
	size_t			 i;

	for (i = 0; i + 4 <= s.n; i += 4)
		sum += (uint32_t)p[i] << 24 | (uint32_t)p[i + 1] << 16 |
		    (uint32_t)p[i + 2] << 8 | p[i + 3];
	for (; i < s.n; i++)
		sum += (uint32_t)p[i] << (24 - 8 * (i & 3));
	return sum;
}

/* ---- output ---- */

static void
put_literal(struct encoder *e, size_t end)
{
	if (end == e->done)
		return;
	put_number(e->out, end - e->done);
	buf_putc(e->out, ':');
	buf_put(e->out, e->dst.p + e->done, end - e->done);
	e->done = end;
}

/* Whether a place of the target is inside a UTF-8 character. */
static bool
is_inside(struct sv s, size_t i)
{
	return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

/* Make a match begin and end between characters. Only text that is not
 * UTF-8 has more than three bytes to skip; there it does not matter. */
static void
trim(const struct encoder *e, struct match *m)
{
	int	i;

	for (i = 0; i < 3 && m->n > 0 && is_inside(e->dst, m->dst); i++) {
		m->dst++;
		m->src++;
		m->n--;
	}
	for (i = 0; i < 3 && m->n > 0 && is_inside(e->dst, m->dst + m->n);
	    i++)
		m->n--;
}

/* Whether the match is shorter as a copy, counting the head of the literal
 * before it; it is written then. */
static bool
put_copy(struct encoder *e, struct match m)
{
	size_t	cost;

	trim(e, &m);
	cost = count_digits(m.n) + count_digits(m.src) + 2;
	if (m.dst > e->done)
		cost += count_digits(m.dst - e->done) + 1;
	if (m.n <= cost)
		return false;
	put_literal(e, m.dst);
	put_number(e->out, m.n);
	buf_putc(e->out, '@');
	put_number(e->out, m.src);
	buf_putc(e->out, ',');
	e->done += m.n;
	return true;
}

/* ---- search ---- */

static size_t
same_forward(const char *a, const char *b, size_t max)
{
	size_t	n = 0;

	while (n + 8 <= max && memcmp(a + n, b + n, 8) == 0)
		n += 8;
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* a and b are where to start from, backward. */
static size_t
same_backward(const char *a, const char *b, size_t max)
{
	size_t	n = 0;

	while (n + 8 <= max && memcmp(a - n - 8, b - n - 8, 8) == 0)
		n += 8;
	while (n < max && a[-(ptrdiff_t)n - 1] == b[-(ptrdiff_t)n - 1])
		n++;
	return n;
}

static uint32_t
hash_block(const struct encoder *e, const char *p)
{
	uint64_t	a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	a = (a * UINT64_C(0x9e3779b97f4a7c15) ^ a >> 32) + b;
	return (uint32_t)(a * UINT64_C(0x9e3779b97f4a7c15) >>
	    (64 - e->bits));
}

static int
make_index(struct encoder *e)
{
	size_t		i, nblock;
	uint32_t	h;

	e->distance = BLOCK * (1 + e->src.n / BLOCK / MAX_BLOCKS);
	nblock = (e->src.n - BLOCK) / e->distance + 1;
	for (e->bits = 4; (size_t)1 << e->bits < nblock * 2; e->bits++)
		;
	e->table = calloc(((size_t)1 << e->bits) + nblock,
	    sizeof(*e->table));
	if (e->table == NULL)
		return -1;
	e->next = e->table + ((size_t)1 << e->bits);
	for (i = nblock; i-- > 0;) {
		h = hash_block(e, e->src.p + i * e->distance);
		e->next[i] = e->table[h];
		e->table[h] = (uint32_t)i + 1;
	}
	return 0;
}

/* The longest match, between what was done and `end', that has the block at
 * `at' in it. */
static struct match
find(const struct encoder *e, size_t at, size_t end)
{
	struct match	best = { 0, 0, 0 };
	const char	*p = e->dst.p + at, *q;
	uint32_t	i;
	size_t		src, back, n, room;
	int		tries;

	i = e->table[hash_block(e, p)];
	for (tries = 0; i != 0 && tries < MAX_TRIES; tries++) {
		src = (i - 1) * e->distance;
		i = e->next[i - 1];
		q = e->src.p + src;
		if (memcmp(p, q, BLOCK) != 0)
			continue;
		room = end - at < e->src.n - src ? end - at : e->src.n - src;
		n = same_forward(p, q, room);
		room = at - e->done < src ? at - e->done : src;
		back = same_backward(p, q, room);
		if (n + back > best.n)
			best = (struct match){ src - back, at - back,
			    n + back };
	}
	return best;
}

static int
put_middle(struct encoder *e, size_t end)
{
	struct match	m;
	size_t		at = e->done;

	if (end - at < BLOCK || e->src.n < BLOCK)
		return 0;
	if (make_index(e) == -1)
		return -1;
	while (at + BLOCK <= end) {
		m = find(e, at, end);
		at = m.n > 0 && put_copy(e, m) ? e->done : at + 1;
	}
	free(e->table);
	return 0;
}

/* see delta.h */
int
delta_fossil(struct buf *out, struct sv source, struct sv target)
{
	struct encoder	e = { .out = out, .src = source, .dst = target };
	size_t		tail, room;

	if (source.n > INT32_MAX || target.n > INT32_MAX)
		return -1;
	put_number(out, target.n);
	buf_putc(out, '\n');
	room = source.n < target.n ? source.n : target.n;
	if (room > 0)
		put_copy(&e, (struct match){ 0, 0, same_forward(source.p,
		    target.p, room) });
	room = source.n < target.n - e.done ? source.n : target.n - e.done;
	tail = room == 0 ? 0 : same_backward(source.p + source.n,
	    target.p + target.n, room);
	if (tail < BLOCK)
		tail = 0;
	if (put_middle(&e, target.n - tail) == -1)
		return -1;
	if (tail > 0)
		put_copy(&e, (struct match){ source.n - tail,
		    target.n - tail, tail });
	put_literal(&e, target.n);
	put_number(out, checksum(target));
	buf_putc(out, ';');
	return out->failed ? -1 : 0;
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Compiles regular expressions: see regex.h for the syntax, regex_prog.h for
 * the program. One pass, one function for each production of
 *
 *	alternatives = sequence *( "|" sequence )
 *	sequence     = *( atom [ repetition ] / flags )
 *	repetition   = ( "*" / "+" / "?" / "{" min [ "," [ max ] ] "}" ) [ "?" ]
 *	atom         = group / class / "." / "^" / "$" / escape / character
 *	group        = "(" [ "?:" / "?" flags ":" / "?P<" name ">" /
 *		       "?<" name ">" ] alternatives ")"
 *
 * Code is emitted as it is read. What turns out to be repeated is copied or
 * has an instruction put before it, which relative jumps allow.
 */
#include <stdlib.h>

#include "util/regex_prog.h"

#define MAX_NESTING	200
#define MAX_REPEAT	1000
#define MAX_GROUPS	32
#define INFINITE	(-1)
#define NONE		(-1)

#define FOLD		0x1	/* i */
#define MULTILINE	0x2	/* m */
#define DOT_NEWLINE	0x4	/* s */
#define UNGREEDY	0x8	/* U */

struct compiler {
	struct regex	*re;
	struct sv	 in;		/* what is still to be read */
	const char	*err;
	size_t		 capinst;
	struct regex_set set;		/* becomes re->range */
	unsigned	 flags;
	unsigned	 depth;
};

/* A piece of program that ends where the program ends now. */
struct piece {
	size_t		start;
	int		repeats;	/* product of the nested repetitions */
};

static int	parse_alternatives(struct compiler *, struct piece *);

/* ---- code ---- */

static int
fail(struct compiler *c, const char *why)
{
	c->err = why;
	return -1;
}

static int
no_memory(struct compiler *c)
{
	return fail(c, "out of memory");
}

static int
reserve(struct compiler *c, size_t n)
{
	struct regex_inst	*p;
	size_t			 want = c->re->ninst + n, cap = c->capinst;

	if (want > REGEX_INST_MAX)
		return fail(c, "pattern too big");
	if (want <= cap)
		return 0;
	while (cap < want)
		cap = cap == 0 ? 16 : cap * 2;
	if ((p = reallocarray(c->re->inst, cap, sizeof(*p))) == NULL)
		return no_memory(c);
	c->re->inst = p;
	c->capinst = cap;
	return 0;
}

static int
emit_n(struct compiler *c, enum regex_op op, size_t n, ptrdiff_t arg)
{
	if (reserve(c, 1) == -1)
		return -1;
	c->re->inst[c->re->ninst++] = (struct regex_inst){
		.op = (uint16_t)op, .n = (uint16_t)n, .arg = (int32_t)arg
	};
	return 0;
}

static int
emit(struct compiler *c, enum regex_op op, ptrdiff_t arg)
{
	return emit_n(c, op, 0, arg);
}

/* Put an instruction before those from `at' on. */
static int
insert(struct compiler *c, size_t at, enum regex_op op, ptrdiff_t arg)
{
	struct regex_inst	*p, in;

	if (emit(c, op, arg) == -1)
		return -1;
	p = c->re->inst + at;
	in = c->re->inst[c->re->ninst - 1];
	memmove(p + 1, p, (c->re->ninst - 1 - at) * sizeof(*p));
	*p = in;
	return 0;
}

static int
copy(struct compiler *c, size_t from, size_t n)
{
	if (n == 0)
		return 0;
	if (reserve(c, n) == -1)
		return -1;
	memcpy(c->re->inst + c->re->ninst, c->re->inst + from,
	    n * sizeof(*c->re->inst));
	c->re->ninst += n;
	return 0;
}

/* Send jumps, of which each arg holds the index of the one before it or
 * NONE, to the program's end. */
static void
land(struct compiler *c, int32_t jump)
{
	struct regex_inst	*in = c->re->inst;
	int32_t			 before;

	for (; jump != NONE; jump = before) {
		before = in[jump].arg;
		in[jump].arg = (int32_t)c->re->ninst - jump;
	}
}

/* ---- text ---- */

static int
peek(const struct compiler *c)
{
	return c->in.n > 0 ? (unsigned char)c->in.p[0] : NONE;
}

static bool
take(struct compiler *c, struct sv s)
{
	if (!sv_starts(c->in, s))
		return false;
	c->in = sv_skip(c->in, s.n);
	return true;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "x" 2HEXDIG / "x{" 1*HEXDIG "}", behind the x */
static int
parse_hex(struct compiler *c, uint32_t *out)
{
	bool	brace = take(c, SV("{"));
	int	d, n;

	*out = 0;
	for (n = 0; (brace || n < 2) && (d = hex_digit(peek(c))) != -1; n++) {
		*out = *out << 4 | (uint32_t)d;
		if (*out > REGEX_CHAR_MAX)
			return fail(c, "invalid escape sequence");
		c->in = sv_skip(c->in, 1);
	}
	if (n == 0 || (brace ? !take(c, SV("}")) : n != 2))
		return fail(c, "invalid escape sequence");
	return 0;
}

/* "0" *2OCTDIG / OCTDIG 1*2OCTDIG, behind the first */
static int
parse_octal(struct compiler *c, int first, uint32_t *out)
{
	int	n;

	*out = (uint32_t)(first - '0');
	for (n = 1; n < 3 && peek(c) >= '0' && peek(c) <= '7'; n++) {
		*out = *out << 3 | (uint32_t)(peek(c) - '0');
		c->in = sv_skip(c->in, 1);
	}
	return n == 1 && first != '0' ?
	    fail(c, "back references are not supported") : 0;
}

/* An escape that stands for one character, behind the \. */
static int
parse_escape(struct compiler *c, uint32_t *out)
{
	static const char	from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
	const char		*p;
	int			 ch = peek(c);

	if (ch == NONE)
		return fail(c, "pattern ends with \\");
	c->in = sv_skip(c->in, 1);
	if (ch >= '0' && ch <= '7')
		return parse_octal(c, ch, out);
	if (ch == 'x')
		return parse_hex(c, out);
	if (ch == 'p' || ch == 'P')
		return fail(c, "Unicode classes are not supported");
	*out = (uint32_t)ch;
	if (ch != '\0' && (p = strchr(from, ch)) != NULL)
		*out = (unsigned char)to[p - from];
	else if (ch >= 0x80 || (ch >= '0' && ch <= '9') ||
	    ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'))
		return fail(c, "unknown or unsupported escape sequence");
	return 0;
}

/* ---- classes ---- */

static int
add_range(struct compiler *c, uint32_t lo, uint32_t hi)
{
	bool	fold = (c->flags & FOLD) != 0;

	if (fold && hi >= 0x80)
		return fail(c, "case folding beyond ASCII is not supported");
	return regex_set_add(&c->set, lo, hi, fold) == -1 ? no_memory(c) : 0;
}

static int
emit_class(struct compiler *c, size_t from, bool negate)
{
	if (regex_set_close(&c->set, from, negate) == -1)
		return no_memory(c);
	return emit_n(c, RX_CLASS, c->set.n - from, (ptrdiff_t)from);
}

/* \d and its like, behind the \: whether there was one, or -1. */
static int
parse_perl_class(struct compiler *c)
{
	int	ch = peek(c);
	char	name = (char)(ch | 0x20);

	if (ch == NONE || strchr("dswDSW", ch) == NULL || ch == '\0')
		return 0;
	c->in = sv_skip(c->in, 1);
	if (regex_set_add_named(&c->set, sv_make(&name, 1), ch < 'a',
	    (c->flags & FOLD) != 0) == REGEX_NOMEM)
		return no_memory(c);
	return 1;
}

/* "[:" ["^"] name ":]": whether there was one, or -1. */
static int
parse_named_class(struct compiler *c)
{
	struct sv	name;
	bool		negate;
	size_t		i;

	if (!sv_starts(c->in, SV("[:")))
		return 0;
	name = sv_skip(c->in, 2);
	for (i = 0; i < name.n && !sv_starts(sv_skip(name, i), SV(":]")); i++)
		;
	if (i == name.n)
		return 0;
	c->in = sv_skip(name, i + 2);
	name.n = i;
	negate = sv_starts(name, SV("^"));
	if (negate)
		name = sv_skip(name, 1);
	/* d, s and w are no names here */
	switch (name.n < 2 ? REGEX_UNKNOWN : regex_set_add_named(&c->set,
	    name, negate, (c->flags & FOLD) != 0)) {
	case REGEX_FOUND:
		return 1;
	case REGEX_UNKNOWN:
		return fail(c, "invalid class name");
	default:
		return no_memory(c);
	}
}

static int
parse_class_char(struct compiler *c, uint32_t *out)
{
	if (c->in.n == 0)
		return fail(c, "missing ]");
	if (take(c, SV("\\")))
		return parse_escape(c, out);
	*out = regex_take(&c->in);
	return 0;
}

/* "\d" / "[:alpha:]" / char [ "-" char ] */
static int
parse_class_item(struct compiler *c)
{
	struct sv	before = c->in;
	uint32_t	lo, hi;
	int		rc;

	if ((rc = parse_named_class(c)) != 0)
		return rc;
	if (take(c, SV("\\"))) {
		if ((rc = parse_perl_class(c)) != 0)
			return rc;
		c->in = before;
	}
	if (parse_class_char(c, &lo) == -1)
		return -1;
	hi = lo;
	if (c->in.n >= 2 && c->in.p[0] == '-' && c->in.p[1] != ']') {
		c->in = sv_skip(c->in, 1);
		if (parse_class_char(c, &hi) == -1)
			return -1;
	}
	if (hi < lo)
		return fail(c, "invalid class range");
	return add_range(c, lo, hi);
}

/* "[" ["^"] ["]"] *item "]", behind the [ */
static int
parse_class(struct compiler *c)
{
	size_t	from = c->set.n;
	bool	negate = take(c, SV("^"));

	do {
		if (parse_class_item(c) == -1)
			return -1;
	} while (!take(c, SV("]")));
	return emit_class(c, from, negate);
}

/* ---- atoms ---- */

static int
emit_char(struct compiler *c, uint32_t ch)
{
	size_t	from = c->set.n;

	if ((c->flags & FOLD) == 0)
		return emit(c, RX_CHAR, (ptrdiff_t)ch);
	if (add_range(c, ch, ch) == -1)
		return -1;
	return emit_class(c, from, false);
}

static int
emit_dot(struct compiler *c)
{
	size_t	from = c->set.n;

	if ((c->flags & DOT_NEWLINE) != 0)
		return emit(c, RX_ANY, 0);
	if (regex_set_add(&c->set, '\n', '\n', false) == -1)
		return no_memory(c);
	return emit_class(c, from, true);
}

/* An escape outside of a class, behind the \. */
static int
parse_escape_atom(struct compiler *c)
{
	size_t		from = c->set.n;
	uint32_t	ch;
	int		rc;

	if (take(c, SV("A")))
		return emit(c, RX_ASSERT, RX_TEXT_START);
	if (take(c, SV("z")))
		return emit(c, RX_ASSERT, RX_TEXT_END);
	if (take(c, SV("b")))
		return emit(c, RX_ASSERT, RX_WORD);
	if (take(c, SV("B")))
		return emit(c, RX_ASSERT, RX_NOT_WORD);
	if ((rc = parse_perl_class(c)) == -1)
		return -1;
	if (rc == 1)
		return emit_class(c, from, false);
	if (parse_escape(c, &ch) == -1)
		return -1;
	return emit_char(c, ch);
}

/* name ">": the slot of a new group, or -1. */
static int
parse_name(struct compiler *c)
{
	struct regex	*re = c->re;
	struct sv	*p, name = c->in;
	size_t		 i;

	for (i = 0; i < name.n && name.p[i] != '>'; i++)
		if (hex_digit(name.p[i]) == -1 && name.p[i] != '_' &&
		    ((name.p[i] | 0x20) < 'g' || (name.p[i] | 0x20) > 'z'))
			return fail(c, "invalid group name");
	if (i == 0 || i == name.n)
		return fail(c, "invalid group name");
	c->in = sv_skip(name, i + 1);
	name.n = i;
	for (i = 0; i < re->ngroup; i++)
		if (sv_eq(re->name[i], name))
			return fail(c, "group name used twice");
	if (re->ngroup == MAX_GROUPS)
		return fail(c, "too many named groups");
	p = reallocarray(re->name, re->ngroup + 1, sizeof(*p));
	if (p == NULL)
		return no_memory(c);
	re->name = p;
	re->name[re->ngroup] = name;
	return (int)(2 * re->ngroup++);
}

/* [flags] ["-" flags] ( ":" / ")" ), behind the ?: whether a group follows,
 * or -1. */
static int
parse_flags(struct compiler *c)
{
	static const char	letters[] = "imsU";
	unsigned		flags = c->flags, bit;
	bool			clear = false;
	const char		*p;
	int			ch;

	while ((ch = peek(c)) != ':' && ch != ')') {
		if (ch == '-' && !clear) {
			c->in = sv_skip(c->in, 1);
			clear = true;
			ch = peek(c);
		}
		if (ch <= 0 || (p = strchr(letters, ch)) == NULL)
			return fail(c, "unknown or unsupported group");
		bit = 1u << (p - letters);
		flags = clear ? flags & ~bit : flags | bit;
		c->in = sv_skip(c->in, 1);
	}
	c->in = sv_skip(c->in, 1);
	c->flags = flags;
	return ch == ':';
}

/* alternatives ")" */
static int
parse_group_body(struct compiler *c, struct piece *piece, int slot)
{
	if (++c->depth > MAX_NESTING)
		return fail(c, "nested too deeply");
	if (slot != NONE && emit(c, RX_SAVE, slot) == -1)
		return -1;
	if (parse_alternatives(c, piece) == -1)
		return -1;
	if (slot != NONE && emit(c, RX_SAVE, slot + 1) == -1)
		return -1;
	if (!take(c, SV(")")))
		return fail(c, "missing )");
	c->depth--;
	return 0;
}

/* A group, behind the (: whether there was one and not only flags, or -1. */
static int
parse_group(struct compiler *c, struct piece *piece)
{
	unsigned	flags = c->flags;
	int		slot = NONE, rc;

	if (take(c, SV("?P<")) || take(c, SV("?<"))) {
		if ((slot = parse_name(c)) == -1)
			return -1;
	} else if (take(c, SV("?"))) {
		if ((rc = parse_flags(c)) != 1)
			return rc;
	}
	if (parse_group_body(c, piece, slot) == -1)
		return -1;
	c->flags = flags;
	return 1;
}

static int
parse_simple_atom(struct compiler *c)
{
	bool	multi = (c->flags & MULTILINE) != 0;

	if (take(c, SV(".")))
		return emit_dot(c);
	if (take(c, SV("^")))
		return emit(c, RX_ASSERT,
		    multi ? RX_LINE_START : RX_TEXT_START);
	if (take(c, SV("$")))
		return emit(c, RX_ASSERT, multi ? RX_LINE_END : RX_TEXT_END);
	if (take(c, SV("[")))
		return parse_class(c);
	if (take(c, SV("\\")))
		return parse_escape_atom(c);
	return emit_char(c, regex_take(&c->in));
}

/* Whether there was an atom and not only flags, or -1. *piece is the former
 * atom and stays if there was none. */
static int
parse_atom(struct compiler *c, struct piece *piece)
{
	struct piece	inner = { 0, 1 };
	size_t		start = c->re->ninst;
	int		rc = 1;

	if (take(c, SV("(")))
		rc = parse_group(c, &inner);
	else if (parse_simple_atom(c) == -1)
		rc = -1;
	if (rc == 1)
		*piece = (struct piece){ start, inner.repeats };
	return rc;
}

/* ---- repetitions and what they are in ---- */

/* 1*DIGIT without needless zeros in front; more than MAX_REPEAT is given as
 * MAX_REPEAT + 1. NONE, and nothing read, if there is none. */
static int
parse_count(struct sv *s)
{
	int	n = 0;
	size_t	i;

	for (i = 0; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		if (n <= MAX_REPEAT)
			n = n * 10 + (s->p[i] - '0');
	if (i == 0 || (i > 1 && s->p[0] == '0'))
		return NONE;
	*s = sv_skip(*s, i);
	return n > MAX_REPEAT ? MAX_REPEAT + 1 : n;
}

/* "{" min [ "," [ max ] ] "}"; anything else in braces is plain text. */
static bool
take_braces(struct compiler *c, int *min, int *max)
{
	struct sv	s = sv_skip(c->in, 1);

	if ((*min = *max = parse_count(&s)) == NONE)
		return false;
	if (sv_starts(s, SV(","))) {
		s = sv_skip(s, 1);
		*max = INFINITE;
		if (!sv_starts(s, SV("}")) &&
		    (*max = parse_count(&s)) == NONE)
			return false;
	}
	if (!sv_starts(s, SV("}")))
		return false;
	c->in = sv_skip(s, 1);
	return true;
}

static bool
take_repetition(struct compiler *c, int *min, int *max, bool *lazy)
{
	*min = 0;
	*max = INFINITE;
	switch (peek(c)) {
	case '*':
		break;
	case '+':
		*min = 1;
		break;
	case '?':
		*max = 1;
		break;
	case '{':
		if (!take_braces(c, min, max))
			return false;
		goto lazy;
	default:
		return false;
	}
	c->in = sv_skip(c->in, 1);
lazy:
	*lazy = take(c, SV("?")) != ((c->flags & UNGREEDY) != 0);
	return true;
}

static int
check_repetition(struct compiler *c, struct piece *p, int min, int max)
{
	int	n = max == INFINITE ? min : max;

	if (min > MAX_REPEAT || n > MAX_REPEAT ||
	    (max != INFINITE && min > max))
		return fail(c, "invalid repeat count");
	if (n > 1)
		p->repeats *= n;
	return p->repeats > MAX_REPEAT ?
	    fail(c, "invalid repeat count") : 0;
}

/*
 * Repeat the piece that ends here. What is optional has a branch to the end
 * before it; without a maximum, the last copy has one back to its start
 * behind it: x{2,4} is x x (x (x)?)?, x{2,} is x x+, and x* is (x+)?.
 */
static int
repeat(struct compiler *c, size_t start, int min, int max, bool lazy)
{
	enum regex_op	stay = lazy ? RX_JUMP : RX_NEXT;
	enum regex_op	back = lazy ? RX_NEXT : RX_JUMP;
	size_t		n = c->re->ninst - start, last;
	int32_t		ends = NONE;
	int		i, count;

	if (max == 0) {
		c->re->ninst = start;
		return 0;
	}
	if (min == 0) {
		if (insert(c, start, stay, ends) == -1)
			return -1;
		ends = (int32_t)start++;
	}
	count = max != INFINITE ? max : min > 0 ? min : 1;
	for (last = start, i = 1; i < count; i++) {
		if (i >= min) {
			if (emit(c, stay, ends) == -1)
				return -1;
			ends = (int32_t)c->re->ninst - 1;
		}
		last = c->re->ninst;
		if (copy(c, start, n) == -1)
			return -1;
	}
	if (max == INFINITE && emit(c, back, (ptrdiff_t)last -
	    (ptrdiff_t)c->re->ninst) == -1)
		return -1;
	land(c, ends);
	return 0;
}

static int
parse_sequence(struct compiler *c, int *repeats)
{
	struct piece	atom = { 0, 1 };
	bool		have = false, repeated = false, lazy;
	int		min, max, rc;

	while (peek(c) != NONE && peek(c) != '|' && peek(c) != ')') {
		if (take_repetition(c, &min, &max, &lazy)) {
			if (!have)
				return fail(c, "nothing to repeat");
			if (repeated)
				return fail(c, "repetition of a repetition");
			if (check_repetition(c, &atom, min, max) == -1 ||
			    repeat(c, atom.start, min, max, lazy) == -1)
				return -1;
			repeated = true;
		} else {
			if ((rc = parse_atom(c, &atom)) == -1)
				return -1;
			if (rc == 1)
				have = true;
			repeated = false;
		}
		if (atom.repeats > *repeats)
			*repeats = atom.repeats;
	}
	return 0;
}

static int
parse_alternatives(struct compiler *c, struct piece *piece)
{
	size_t		start = c->re->ninst;
	int32_t		ends = NONE;

	*piece = (struct piece){ start, 1 };
	for (;;) {
		if (parse_sequence(c, &piece->repeats) == -1)
			return -1;
		if (!take(c, SV("|")))
			break;
		if (insert(c, start, RX_NEXT, (ptrdiff_t)(c->re->ninst + 2 -
		    start)) == -1 || emit(c, RX_GOTO, ends) == -1)
			return -1;
		ends = (int32_t)c->re->ninst - 1;
		start = c->re->ninst;
	}
	land(c, ends);
	return 0;
}

/* ---- the whole ---- */

static int
compile(struct compiler *c)
{
	struct piece	piece;

	if (!utf8_valid(c->in))
		return fail(c, "pattern is not UTF-8");
	if (parse_alternatives(c, &piece) == -1)
		return -1;
	if (c->in.n > 0)
		return fail(c, "unexpected )");
	return emit(c, RX_MATCH, 0);
}

/* see regex.h */
struct regex *
regex_new(struct sv pattern, const char **err)
{
	struct compiler	c = { .err = NULL };
	struct regex	*re;

	*err = "out of memory";
	if ((re = calloc(1, sizeof(*re))) == NULL)
		return NULL;
	if ((re->pattern = sv_dup(pattern)) == NULL)
		goto fail;
	c.re = re;
	c.in = sv_make(re->pattern, pattern.n);
	if (compile(&c) == -1)
		*err = c.err;
	re->range = c.set.range;
	if (c.err != NULL)
		goto fail;
	*err = NULL;
	return re;
fail:
	regex_free(re);
	return NULL;
}

/* see regex.h */
void
regex_free(struct regex *re)
{
	if (re == NULL)
		return;
	free(re->inst);
	free(re->range);
	free(re->name);
	free(re->pattern);
	free(re);
}

/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Matching of regular expressions: see regex.h. All the threads of a
 * program, that is the instructions a match may be at, go through the text
 * together, in order of preference, and no two stand at one instruction: so
 * a character costs at most as many steps as the program is long.
 */
#include <stdlib.h>

#include "util/regex_prog.h"

#define NOWHERE	((size_t)-1)

struct threads {
	size_t		 n;
	uint16_t	 pc[REGEX_INST_MAX];
	size_t		*slot;		/* nslot for each */
};

struct vm {
	const struct regex *re;
	struct sv	 text;
	struct threads	 threads[2];
	uint64_t	 seen[REGEX_INST_MAX / 64];
	/* What is still to be visited: instructions, and from REGEX_INST_MAX
	 * on slots to take their former values back from `former'. */
	uint16_t	 stack[REGEX_INST_MAX + 1];
	/* Of regex_groups() only. */
	size_t		 nslot;
	size_t		*slot;		/* of the thread at hand */
	size_t		*best;		/* of the match found */
	size_t		*former;
};

static bool
is_word(struct sv s, size_t i)
{
	char	c;

	if (i >= s.n)
		return false;
	c = s.p[i];
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
holds(struct sv s, int32_t what, size_t pos)
{
	switch (what) {
	case RX_TEXT_START:
		return pos == 0;
	case RX_TEXT_END:
		return pos == s.n;
	case RX_LINE_START:
		return pos == 0 || s.p[pos - 1] == '\n';
	case RX_LINE_END:
		return pos == s.n || s.p[pos] == '\n';
	default:
		return (is_word(s, pos - 1) != is_word(s, pos)) ==
		    (what == RX_WORD);
	}
}

static bool
accepts(const struct regex *re, const struct regex_inst *in, uint32_t c)
{
	const struct regex_range	*r;
	size_t				 lo = 0, hi = in->n, mid;

	if (in->op != RX_CLASS)
		return in->op == RX_ANY || (uint32_t)in->arg == c;
	r = re->range + in->arg;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (c < r[mid].lo)
			hi = mid;
		else if (c > r[mid].hi)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

/* Whether pc was not seen yet at this place of the text. */
static bool
first_visit(struct vm *vm, size_t pc)
{
	uint64_t	bit = UINT64_C(1) << pc % 64;
	bool		first = (vm->seen[pc / 64] & bit) == 0;

	vm->seen[pc / 64] |= bit;
	return first;
}

static void
add_thread(struct vm *vm, struct threads *to, size_t pc)
{
	size_t	i;

	for (i = 0; i < vm->nslot; i++)
		to->slot[to->n * vm->nslot + i] = vm->slot[i];
	to->pc[to->n++] = (uint16_t)pc;
}

static void
load_slots(const struct vm *vm, size_t *slot, const struct threads *from,
    size_t i)
{
	if (vm->nslot > 0)
		memcpy(slot, from->slot + i * vm->nslot,
		    vm->nslot * sizeof(*slot));
}

/*
 * Follow the program from pc through everything that needs no character, and
 * add a thread for each instruction that does. An instruction leaves at most
 * one entry more on the stack than it found, and is visited once.
 */
static void
follow(struct vm *vm, struct threads *to, size_t pc, size_t pos)
{
	const struct regex_inst	*in;
	size_t			 n = 0, nformer = 0;

	vm->stack[n++] = (uint16_t)pc;
	while (n > 0) {
		pc = vm->stack[--n];
		if (pc >= REGEX_INST_MAX) {
			vm->slot[pc - REGEX_INST_MAX] = vm->former[--nformer];
			continue;
		}
		if (!first_visit(vm, pc))
			continue;
		in = &vm->re->inst[pc];
		switch (in->op) {
		case RX_GOTO:
			vm->stack[n++] = (uint16_t)((int32_t)pc + in->arg);
			break;
		case RX_NEXT:
			vm->stack[n++] = (uint16_t)((int32_t)pc + in->arg);
			vm->stack[n++] = (uint16_t)(pc + 1);
			break;
		case RX_JUMP:
			vm->stack[n++] = (uint16_t)(pc + 1);
			vm->stack[n++] = (uint16_t)((int32_t)pc + in->arg);
			break;
		case RX_SAVE:
			if (vm->nslot > 0) {
				vm->stack[n++] =
				    (uint16_t)(REGEX_INST_MAX + in->arg);
				vm->former[nformer++] = vm->slot[in->arg];
				vm->slot[in->arg] = pos;
			}
			vm->stack[n++] = (uint16_t)(pc + 1);
			break;
		case RX_ASSERT:
			if (holds(vm->text, in->arg, pos))
				vm->stack[n++] = (uint16_t)(pc + 1);
			break;
		default:
			add_thread(vm, to, pc);
		}
	}
}

static void
forget_seen(struct vm *vm)
{
	memset(vm->seen, 0, (vm->re->ninst + 63) / 64 * sizeof(vm->seen[0]));
}

/*
 * Let the threads at pos take the character c and stand at next. Whether one
 * of them was at the end of the program: those after it, which are less
 * preferred, are dropped then.
 */
static bool
step(struct vm *vm, struct threads *from, struct threads *to, uint32_t c,
    size_t next)
{
	size_t	i;

	to->n = 0;
	forget_seen(vm);
	for (i = 0; i < from->n; i++) {
		const struct regex_inst	*in = &vm->re->inst[from->pc[i]];

		if (in->op == RX_MATCH) {
			load_slots(vm, vm->best, from, i);
			return true;
		}
		if (next == NOWHERE || !accepts(vm->re, in, c))
			continue;
		load_slots(vm, vm->slot, from, i);
		follow(vm, to, from->pc[i] + 1u, next);
	}
	return false;
}

static bool
is_anchored(const struct regex *re)
{
	return re->inst[0].op == RX_ASSERT &&
	    re->inst[0].arg == RX_TEXT_START;
}

static void
start_thread(struct vm *vm, struct threads *to, size_t pos)
{
	size_t	i;

	for (i = 0; i < vm->nslot; i++)
		vm->slot[i] = NOWHERE;
	follow(vm, to, 0, pos);
}

static bool
run(struct vm *vm)
{
	struct threads	*now = &vm->threads[0], *then = &vm->threads[1], *t;
	struct sv	 rest = vm->text;
	size_t		 pos, next;
	uint32_t	 c;
	bool		 matched = false;

	now->n = 0;
	forget_seen(vm);
	for (pos = 0;; pos = next) {
		if (!matched && (pos == 0 || !is_anchored(vm->re)))
			start_thread(vm, now, pos);
		else if (now->n == 0)
			return matched;
		c = 0;
		next = NOWHERE;
		if (rest.n > 0) {
			c = regex_take(&rest);
			next = vm->text.n - rest.n;
		}
		if (step(vm, now, then, c, next))
			matched = true;
		if (next == NOWHERE || (matched && vm->nslot == 0))
			return matched;
		t = now;
		now = then;
		then = t;
	}
}

static void
vm_init(struct vm *vm, const struct regex *re, struct sv text)
{
	vm->re = re;
	vm->text = text;
	vm->nslot = 0;
	vm->threads[0].slot = vm->threads[1].slot = NULL;
	vm->slot = vm->best = vm->former = NULL;
}

/* see regex.h */
bool
regex_match(const struct regex *re, struct sv text)
{
	struct vm	vm;

	vm_init(&vm, re, text);
	return run(&vm);
}

/* see regex.h */
size_t
regex_ngroups(const struct regex *re)
{
	return re->ngroup;
}

/* see regex.h */
struct sv
regex_group_name(const struct regex *re, size_t i)
{
	return re->name[i];
}

/* see regex.h */
int
regex_groups(const struct regex *re, struct sv text, struct sv *group,
    bool *matched)
{
	struct vm	 vm;
	size_t		*mem, i, n = 2 * re->ngroup;

	*matched = false;
	for (i = 0; i < re->ngroup; i++)
		group[i] = sv_make(NULL, 0);
	if (n == 0) {
		*matched = regex_match(re, text);
		return 0;
	}
	mem = reallocarray(NULL, 2 * n + (2 * n + 1) * re->ninst,
	    sizeof(*mem));
	if (mem == NULL)
		return -1;
	vm_init(&vm, re, text);
	vm.nslot = n;
	vm.slot = mem;
	vm.best = vm.slot + n;
	vm.former = vm.best + n;
	vm.threads[0].slot = vm.former + re->ninst;
	vm.threads[1].slot = vm.threads[0].slot + n * re->ninst;
	*matched = run(&vm);
	for (i = 0; *matched && i < re->ngroup; i++)
		if (vm.best[2 * i] != NOWHERE)
			group[i] = sv_make(text.p + vm.best[2 * i],
			    vm.best[2 * i + 1] - vm.best[2 * i]);
	free(mem);
	return 0;
}

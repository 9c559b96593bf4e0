/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of syscall numbers -> instructions.
 *
 * Theory of operation: a jump of classic BPF goes forward only, 255 instructions if it is
 * conditional. So the program is written from its end: whatever is jumped to is already there and
 * its distance known. A target that is too far away gets an unconditional jump of its own, nearer.
 * `struct emit` counts positions from the end; emit_program() turns the program around.
 *
 *	load arch; if it is A: section A; if B: section B; return the action for others
 *	section: load nr; binary search over the spans; each ends in a return or in conditions
 */
#include "seccomp/range.h"

#include <string.h>

#include "base/types.h"

#define FAR 255
#define RETS 32 /* different actions that are remembered; more only cost space */

typedef size_t pos; /* of an instruction, from the end */

struct emit {
	struct sock_filter *p;
	size_t n;
	bool full;
	struct {
		uint32_t ret;
		pos at;
	} rets[RETS];
	size_t n_rets;
};

static pos put(struct emit *m, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (m->n == BPF_MAXINSNS) {
		m->full = true;
		return 0;
	}
	m->p[m->n] = (struct sock_filter){code, jt, jf, k};
	return m->n++;
}

/* What the next instruction jumps over to get to `to`. */
static uint32_t distance(const struct emit *m, pos to)
{
	return m->full ? 0 : (uint32_t) (m->n - 1 - to);
}

/* The same place, within reach of the next three instructions. */
static pos nearer(struct emit *m, pos to)
{
	return distance(m, to) > FAR - 3 ? put(m, BPF_JMP | BPF_JA, 0, 0, distance(m, to)) : to;
}

static pos put_jump(struct emit *m, uint16_t op, uint32_t k, pos yes, pos no)
{
	yes = nearer(m, yes);
	no = nearer(m, no);
	return put(m, BPF_JMP | BPF_K | op, (uint8_t) distance(m, yes), (uint8_t) distance(m, no),
		   k);
}

/* Makes `to` the instruction that comes next. */
static void put_follow(struct emit *m, pos to)
{
	if (distance(m, to) > 0)
		put(m, BPF_JMP | BPF_JA, 0, 0, distance(m, to));
}

static pos put_load(struct emit *m, size_t offset)
{
	return put(m, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t) offset);
}

/* A return with this value that is near enough to be jumped to. */
static pos put_ret(struct emit *m, uint32_t ret)
{
	size_t i = 0;

	while (i < m->n_rets && m->rets[i].ret != ret)
		i++;
	if (i == RETS)
		return put(m, BPF_RET | BPF_K, 0, 0, ret);
	if (i == m->n_rets)
		m->n_rets++;
	else if (distance(m, m->rets[i].at) <= FAR - 3)
		return m->rets[i].at;
	m->rets[i].ret = ret;
	m->rets[i].at = put(m, BPF_RET | BPF_K, 0, 0, ret);
	return m->rets[i].at;
}

/* ---- conditions ---- */

static size_t word_offset(uint32_t index, bool high)
{
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return offsetof(struct seccomp_data, args) + 8 * (size_t) index + (high != big ? 4 : 0);
}

static pos put_word(struct emit *m, const struct cond *c, bool high)
{
	uint32_t mask = (uint32_t) (high ? c->mask >> 32 : c->mask);

	if (mask != UINT32_MAX)
		put(m, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
	return put_load(m, word_offset(c->index, high));
}

/* The test of a condition that leads to `yes` or `no`. LT, LE, NE are GE, GT, EQ with the ways
 * swapped. */
static pos put_cond(struct emit *m, const struct cond *c, pos yes, pos no)
{
	uint32_t low = (uint32_t) c->value, high = (uint32_t) (c->value >> 32);
	bool swap = c->op == OP_NE || c->op == OP_LT || c->op == OP_LE;
	pos t = swap ? no : yes, f = swap ? yes : no, test;
	uint16_t op = BPF_JEQ;

	if (c->op == OP_GT || c->op == OP_LE)
		op = BPF_JGT;
	if (c->op == OP_GE || c->op == OP_LT)
		op = BPF_JGE;
	test = t;
	if ((uint32_t) c->mask) {
		put_jump(m, op, low, t, f);
		test = put_word(m, c, false);
	}
	if (!(c->mask >> 32))
		return test;
	if (op == BPF_JEQ) {
		put_jump(m, BPF_JEQ, high, test, f);
	} else {
		test = put_jump(m, BPF_JEQ, high, test, f);
		put_jump(m, BPF_JGT, high, t, test);
	}
	return put_word(m, c, true);
}

static pos put_leaf(struct emit *m, const struct leaf *l)
{
	pos next = put_ret(m, l->ret), yes;

	for (size_t i = l->n; i-- > 0;) {
		yes = put_ret(m, l->branch[i].ret);
		for (size_t k = l->branch[i].n; k-- > 0;)
			yes = put_cond(m, &l->branch[i].cond[k], yes, next);
		next = yes;
	}
	return next;
}

/* ---- numbers ---- */

static bool same_ret(const struct leaf *a, const struct leaf *b)
{
	return a->n == 0 && b->n == 0 && a->ret == b->ret;
}

static pos put_search(struct emit *m, const struct span *s, size_t n)
{
	size_t mid = n / 2;
	pos yes, no;

	if (n == 1)
		return put_leaf(m, &s[0].leaf);
	if (n == 3 && s[2].lo - s[1].lo == 1 && same_ret(&s[0].leaf, &s[2].leaf)) {
		yes = put_leaf(m, &s[1].leaf);
		no = put_leaf(m, &s[0].leaf);
		return put_jump(m, BPF_JEQ, s[1].lo, yes, no);
	}
	yes = put_search(m, s + mid, n - mid);
	no = put_search(m, s, mid);
	return put_jump(m, BPF_JGE, s[mid].lo, yes, no);
}

static pos put_section(struct emit *m, const struct section *s)
{
	put_follow(m, put_search(m, s->span, s->n));
	return put_load(m, offsetof(struct seccomp_data, nr));
}

bool emit_program(const struct section *s, size_t n, uint32_t badarch_ret, struct arena *a,
		  struct bytes *ret)
{
	struct sock_filter program[BPF_MAXINSNS];
	struct emit m = {.p = program};
	pos start[FILTER_ABI_MAX], next;

	for (size_t i = n; i-- > 0;)
		start[i] = put_section(&m, &s[i]);
	next = put_ret(&m, badarch_ret);
	for (size_t i = n; i-- > 0;)
		next = put_jump(&m, BPF_JEQ, s[i].audit, start[i], next);
	put_follow(&m, next);
	put_load(&m, offsetof(struct seccomp_data, arch));
	if (m.full)
		return false;
	ret->n = m.n * sizeof(*program);
	ret->v = arena_alloc(a, ret->n);
	for (size_t i = 0; i < m.n; i++)
		memcpy(ret->v + i * sizeof(*program), &program[m.n - 1 - i], sizeof(*program));
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a filter without the kernel: for tests, and to tell which dangerous calls a filter denies.
 *
 * Theory of operation: values are either known or unknown. A call with all its arguments known
 * takes one path, as in the kernel. When a jump depends on something unknown, both ways are
 * followed and the actions at their ends collected; a filter has only forward jumps, so every path
 * ends. The instructions are those that the kernel's seccomp_check_filter() lets through. Whatever
 * it would refuse counts as killing the process: a filter that cannot be loaded lets nothing run.
 */
#include "seccomp/filter.h"

#include <string.h>

#include "base/types.h"

#define SIM_STEPS 200000 /* instructions over all paths: above any filter that we write */
#define SIM_DEPTH 512	 /* open branches */

struct val {
	uint32_t v;
	bool known;
};

struct state {
	size_t pc;
	struct val a, x, m[BPF_MEMWORDS];
};

struct search {
	const struct sock_filter *prog;
	size_t n;
	const struct sim_call *call;
	uint32_t *ret;
	size_t n_ret, max;
	unsigned long steps;
};

static void found(struct search *s, uint32_t action)
{
	for (size_t i = 0; i < s->n_ret && i < s->max; i++)
		if (s->ret[i] == action)
			return;
	if (s->n_ret < s->max)
		s->ret[s->n_ret] = action;
	if (s->n_ret <= s->max)
		s->n_ret++;
}

static bool load(const struct search *s, const struct sock_filter *i, struct val *ret)
{
	size_t word = i->k / 4;

	if (i->k % 4 || word >= sizeof(struct seccomp_data) / 4)
		return false;
	ret->known = !(s->call->unknown & 1U << word);
	ret->v = ret->known ? s->call->word[word] : 0;
	return true;
}

/* A = A op v. Returns false for what the kernel refuses; *ret_dead when it would end the filter
 * with 0. */
static bool alu(uint16_t code, struct val *a, struct val v, bool *ret_dead)
{
	if (BPF_OP(code) == BPF_DIV && v.known && v.v == 0) {
		*ret_dead = BPF_SRC(code) == BPF_X;
		return *ret_dead;
	}
	if ((BPF_OP(code) == BPF_LSH || BPF_OP(code) == BPF_RSH) && BPF_SRC(code) == BPF_K &&
	    v.v >= 32)
		return false;
	if (BPF_OP(code) == BPF_AND && ((a->known && a->v == 0) || (v.known && v.v == 0))) {
		*a = (struct val){.known = true};
		return true;
	}
	a->known = a->known && (v.known || BPF_OP(code) == BPF_NEG);
	switch (BPF_OP(code)) {
	case BPF_ADD: a->v += v.v; break;
	case BPF_SUB: a->v -= v.v; break;
	case BPF_MUL: a->v *= v.v; break;
	case BPF_DIV: a->v = a->known ? a->v / v.v : 0; break;
	case BPF_AND: a->v &= v.v; break;
	case BPF_OR: a->v |= v.v; break;
	case BPF_XOR: a->v ^= v.v; break;
	case BPF_LSH: a->v <<= v.v & 31; break;
	case BPF_RSH: a->v >>= v.v & 31; break;
	case BPF_NEG: a->v = -a->v; break;
	default: return false;
	}
	return true;
}

/* 1 taken, 0 not taken, -1 either, -2 not an instruction */
static int jump(uint16_t code, struct val a, struct val v)
{
	bool known = a.known && v.known;

	switch (BPF_OP(code)) {
	case BPF_JEQ: return known ? a.v == v.v : -1;
	case BPF_JGT: return known ? a.v > v.v : -1;
	case BPF_JGE: return known ? a.v >= v.v : -1;
	case BPF_JSET: return known ? (a.v & v.v) != 0 : -1;
	default: return -2;
	}
}

static void follow(struct search *s, struct state st, unsigned depth);

/* Does the jump at st->pc. Returns false when the instruction is none. */
static bool step_jump(struct search *s, struct state *st, unsigned depth)
{
	const struct sock_filter *i = &s->prog[st->pc];
	struct val k = {i->k, true};
	struct state other;
	int taken;

	if (i->code == (BPF_JMP | BPF_JA)) {
		if (i->k >= s->n - st->pc - 1)
			return false;
		st->pc += 1 + (size_t) i->k;
		return true;
	}
	taken = jump(i->code, st->a, BPF_SRC(i->code) == BPF_X ? st->x : k);
	if (taken < -1)
		return false;
	if (taken == -1) {
		other = *st;
		other.pc += 1 + (size_t) i->jt;
		follow(s, other, depth + 1);
	}
	st->pc += 1 + (size_t) (taken == 1 ? i->jt : i->jf);
	return true;
}

/* Does one instruction that is neither a jump nor a return. */
static bool step_plain(const struct search *s, struct state *st, bool *ret_dead)
{
	const struct sock_filter *i = &s->prog[st->pc++];
	struct val k = {i->k, true};

	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS: return load(s, i, &st->a);
	case BPF_LD | BPF_W | BPF_LEN:
		st->a = (struct val){sizeof(struct seccomp_data), true};
		return true;
	case BPF_LDX | BPF_W | BPF_LEN:
		st->x = (struct val){sizeof(struct seccomp_data), true};
		return true;
	case BPF_LD | BPF_IMM: st->a = k; return true;
	case BPF_LDX | BPF_IMM: st->x = k; return true;
	case BPF_MISC | BPF_TAX: st->x = st->a; return true;
	case BPF_MISC | BPF_TXA: st->a = st->x; return true;
	default: break;
	}
	if (BPF_CLASS(i->code) == BPF_ALU)
		return alu(i->code, &st->a, BPF_SRC(i->code) == BPF_X ? st->x : k, ret_dead);
	if (i->k >= BPF_MEMWORDS)
		return false;
	switch (i->code) {
	case BPF_LD | BPF_MEM: st->a = st->m[i->k]; return true;
	case BPF_LDX | BPF_MEM: st->x = st->m[i->k]; return true;
	case BPF_ST: st->m[i->k] = st->a; return true;
	case BPF_STX: st->m[i->k] = st->x; return true;
	default: return false;
	}
}

static void follow(struct search *s, struct state st, unsigned depth)
{
	const struct sock_filter *i;
	bool dead = false;

	if (depth > SIM_DEPTH)
		return found(s, SECCOMP_RET_KILL_PROCESS);
	while (st.pc < s->n && s->steps++ < SIM_STEPS && s->n_ret <= s->max) {
		i = &s->prog[st.pc];
		if (i->code == (BPF_RET | BPF_K))
			return found(s, i->k);
		if (i->code == (BPF_RET | BPF_A))
			return found(s, st.a.known ? st.a.v : SECCOMP_RET_KILL_PROCESS);
		if (BPF_CLASS(i->code) == BPF_JMP) {
			if (!step_jump(s, &st, depth))
				break;
		} else if (!step_plain(s, &st, &dead)) {
			break;
		}
		if (dead)
			return found(s, SECCOMP_RET_KILL_THREAD);
	}
	found(s, SECCOMP_RET_KILL_PROCESS);
}

void sim_call(struct sim_call *c, uint32_t arch, int nr, const uint64_t *args)
{
	struct seccomp_data d = {.nr = nr, .arch = arch};

	if (args)
		memcpy(d.args, args, sizeof(d.args));
	memcpy(c->word, &d, sizeof(c->word));
	/* words 2 and 3 are the instruction pointer: 0, no filter of ours looks at it */
	c->unknown = args ? 0 : ~0U << offsetof(struct seccomp_data, args) / 4;
}

size_t sim_outcomes(const struct bytes *bpf, const struct sim_call *c, uint32_t *ret, size_t max)
{
	struct search s = {
		.prog = (const struct sock_filter *) (const void *) bpf->v,
		.n = bpf->n / sizeof(struct sock_filter),
		.call = c,
		.ret = ret,
		.max = max,
	};

	if (bpf->n % sizeof(struct sock_filter))
		s.n = 0;
	/* as the kernel has it: A and X start as 0, M[] must be written before it is read */
	follow(&s, (struct state){.a.known = true, .x.known = true}, 0);
	return s.n_ret;
}

uint32_t seccomp_sim(const struct bytes *bpf, uint32_t arch, int nr, const uint64_t args[6])
{
	static const uint64_t zeros[FILTER_ARGS];
	struct sim_call c;
	uint32_t ret = SECCOMP_RET_KILL_PROCESS;

	sim_call(&c, arch, nr, args ? args : zeros);
	sim_outcomes(bpf, &c, &ret, 1);
	return ret;
}

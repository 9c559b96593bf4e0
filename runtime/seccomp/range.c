/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own way from rules to a program: for each ABI, what happens to every number, as few spans as
 * possible. A filter that is a binary search over spans is a third of the size of libseccomp's, the
 * kernel loads it in less than half of the time, and it is made in a hundredth of the time.
 *
 * Rules mean what libseccomp makes of them, see compile.c; where several rules with conditions meet
 * in one call and disagree, the strictest action of those whose conditions hold. libseccomp has no
 * rule for that case, and 2.5.4 goes wrong in it: with ordering operators it can lose a condition.
 * tests/unit/test_seccomp_equiv.c compares the program with libseccomp's and with the rules, on
 * every number, ABI and corner of an argument. Rare ABIs, which nobody here can test, are left to
 * libseccomp.
 *
 * What libseccomp does and a reader would not expect:
 * - 32-bit ABIs, x32 among them, compare the lower halves of arguments and values only.
 * - MASKED_EQ ignores bits of the value outside of the mask.
 * - On x86 the calls behind socketcall(2) and ipc(2) are matched there too, by the first argument.
 *   Their own first argument is then not looked at, as it is in memory; conditions on others stay
 *   and look at the wrong thing.
 * - On x86_64 without x32, numbers from 0x40000000 belong to another architecture, except -1, which
 *   a tracer sets for "skip this call".
 */
#include "seccomp/range.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/types.h"

#define X86_SOCKETCALL 102
#define X86_IPC 117

static const struct abi_row {
	uint32_t token;
	bool wide;	/* compares 64 bits */
	bool has_muxes; /* x86's */
} abi_rows[] = {
	{AUDIT_ARCH_X86_64, true, false}, {AUDIT_ARCH_I386, false, true},
	{FILTER_TOKEN_X32, false, false}, {AUDIT_ARCH_AARCH64, true, false},
	{AUDIT_ARCH_ARM, false, false},	  {AUDIT_ARCH_RISCV64, true, false},
};

/* First argument of socketcall(2) and ipc(2) on x86 (linux/net.h, linux/ipc.h), and the number that
 * the call has by itself, 0 = none (asm/unistd_32.h). */
static const struct mux {
	const char *name;
	uint16_t nr, sub, direct;
} muxes[] = {
	{"socket", X86_SOCKETCALL, 1, 359},
	{"bind", X86_SOCKETCALL, 2, 361},
	{"connect", X86_SOCKETCALL, 3, 362},
	{"listen", X86_SOCKETCALL, 4, 363},
	{"accept", X86_SOCKETCALL, 5, 0},
	{"getsockname", X86_SOCKETCALL, 6, 367},
	{"getpeername", X86_SOCKETCALL, 7, 368},
	{"socketpair", X86_SOCKETCALL, 8, 360},
	{"send", X86_SOCKETCALL, 9, 0},
	{"recv", X86_SOCKETCALL, 10, 0},
	{"sendto", X86_SOCKETCALL, 11, 369},
	{"recvfrom", X86_SOCKETCALL, 12, 371},
	{"shutdown", X86_SOCKETCALL, 13, 373},
	{"setsockopt", X86_SOCKETCALL, 14, 366},
	{"getsockopt", X86_SOCKETCALL, 15, 365},
	{"sendmsg", X86_SOCKETCALL, 16, 370},
	{"recvmsg", X86_SOCKETCALL, 17, 372},
	{"accept4", X86_SOCKETCALL, 18, 364},
	{"recvmmsg", X86_SOCKETCALL, 19, 337},
	{"sendmmsg", X86_SOCKETCALL, 20, 345},
	{"semop", X86_IPC, 1, 0},
	{"semget", X86_IPC, 2, 393},
	{"semctl", X86_IPC, 3, 394},
	{"semtimedop", X86_IPC, 4, 0},
	{"msgsnd", X86_IPC, 11, 400},
	{"msgrcv", X86_IPC, 12, 401},
	{"msgget", X86_IPC, 13, 399},
	{"msgctl", X86_IPC, 14, 402},
	{"shmat", X86_IPC, 21, 397},
	{"shmdt", X86_IPC, 22, 398},
	{"shmget", X86_IPC, 23, 395},
	{"shmctl", X86_IPC, 24, 396},
};

/* A rule as it applies to one number of one ABI. */
struct entry {
	uint32_t nr, order;
	const struct filter_rule *rule;
	const struct mux *mux; /* the number is a multiplexer's */
};

struct range {
	const struct filter *f;
	struct arena *a;
	const struct abi_row *row;
	struct entry *entry;
	size_t n_entries;
	struct section *out;
	uint64_t next; /* first number that has no span yet */
};

static const struct abi_row *find_row(uint32_t token)
{
	for (size_t i = 0; i < ARRAY_LEN(abi_rows); i++)
		if (abi_rows[i].token == token)
			return &abi_rows[i];
	return NULL;
}

static const struct mux *find_mux(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(muxes); i++)
		if (str_eq(muxes[i].name, name))
			return &muxes[i];
	return NULL;
}

/* ---- conditions ---- */

/* Returns false for a condition that holds always: MASKED_EQ on nothing that the ABI compares. */
static bool reduce_arg(const struct abi_row *row, const struct pol_seccomp_arg *arg,
		       struct cond *ret)
{
	uint64_t all = row->wide ? UINT64_MAX : UINT32_MAX;

	*ret = (struct cond){arg->index, arg->op, all, arg->value & all};
	if (arg->op != OP_MASKED_EQ)
		return true;
	ret->mask = arg->value & all;
	ret->value = arg->value2 & ret->mask;
	return ret->mask != 0;
}

static void reduce_entry(const struct abi_row *row, const struct entry *en, struct branch *ret)
{
	*ret = (struct branch){.ret = en->rule->ret};
	if (en->mux)
		ret->cond[ret->n++] = (struct cond){0, OP_EQ, UINT32_MAX, en->mux->sub};
	for (uint32_t i = 0; i < en->rule->n_args; i++) {
		if (en->mux && en->rule->args[i].index == 0)
			continue;
		if (reduce_arg(row, &en->rule->args[i], &ret->cond[ret->n]))
			ret->n++;
	}
}

/* ---- leaves ---- */

/* The strictest first, otherwise in the order of the profile. Insertion: there are few. */
static void insert_branch(struct branch *b, size_t n, const struct branch *one)
{
	while (n > 0 && filter_rank(b[n - 1].ret) > filter_rank(one->ret)) {
		b[n] = b[n - 1];
		n--;
	}
	b[n] = *one;
}

#define BRANCHES_MAX 2048 /* for one number; more do not fit into a program */

/* What n entries for one number make of it: the first without conditions decides alone. */
static bool make_leaf(const struct range *g, const struct entry *en, size_t n, struct leaf *ret)
{
	struct branch *b, one;

	if (n > BRANCHES_MAX)
		return false;
	b = en->rule->n_args || en->mux ? arena_array(g->a, n, sizeof(*b)) : NULL;
	for (size_t i = 0; i < n; i++) {
		reduce_entry(g->row, &en[i], &one);
		if (one.n == 0) {
			*ret = (struct leaf){.ret = one.ret};
			return true;
		}
		insert_branch(b, i, &one);
	}
	*ret = (struct leaf){g->f->default_ret, (uint32_t) n, b};
	return true;
}

/* ---- spans ---- */

static bool same_leaf(const struct leaf *a, const struct leaf *b)
{
	return a->ret == b->ret && a->n == 0 && b->n == 0;
}

/* Numbers lo to hi; what lies between the span before and lo gets the default action. */
static bool add_span(struct range *g, uint32_t lo, uint32_t hi, struct leaf leaf)
{
	struct section *s = g->out;

	assert(lo >= g->next); /* rules' numbers are sorted, and ENOSYS is above them */
	if (lo < g->next)
		return false;
	if (lo > g->next &&
	    !add_span(g, (uint32_t) g->next, lo - 1, (struct leaf){.ret = g->f->default_ret}))
		return false;
	if (s->n == 0 || !same_leaf(&s->span[s->n - 1].leaf, &leaf))
		s->span[s->n++] = (struct span){lo, leaf};
	g->next = (uint64_t) hi + 1;
	return true;
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void add_entry(struct range *g, int nr, size_t order, const struct mux *mux)
{
	if (nr >= 0)
		g->entry[g->n_entries++] = (struct entry){(uint32_t) nr, (uint32_t) order,
							  &g->f->rules[order], mux};
}

static void collect_entries(struct range *g, size_t abi)
{
	const struct filter_rule *rule;
	const struct mux *mux;

	g->n_entries = 0;
	for (size_t i = 0; i < g->f->n_rules; i++) {
		rule = &g->f->rules[i];
		mux = g->row->has_muxes ? find_mux(rule->name) : NULL;
		if (mux)
			add_entry(g, mux->nr, i, mux);
		if (mux && mux->direct && rule->nr[abi] < 0)
			add_entry(g, mux->direct, i, NULL);
		else
			add_entry(g, rule->nr[abi], i, NULL);
	}
	qsort(g->entry, g->n_entries, sizeof(*g->entry), compare_entries);
}

/* The spans of one ABI: its rules' numbers and those that get ENOSYS. */
static bool add_abi(struct range *g, size_t abi)
{
	const struct filter_abi *fa = &g->f->abi[abi];
	struct nr_range no[ENOSYS_RANGES];
	size_t n_no = enosys_wanted(g->f->default_ret) ? enosys_ranges(fa, no) : 0, k = 0, same;
	struct leaf leaf;

	g->row = find_row(fa->token);
	collect_entries(g, abi);
	for (size_t i = 0; i <= g->n_entries; i += same) {
		uint64_t nr = i < g->n_entries ? g->entry[i].nr : UINT64_MAX;

		for (; k < n_no && no[k].lo <= nr; k++) {
			leaf = (struct leaf){.ret = SECCOMP_RET_ERRNO | ENOSYS};
			if (!add_span(g, no[k].lo, no[k].hi, leaf))
				return false;
		}
		same = 1;
		if (i == g->n_entries)
			break;
		while (i + same < g->n_entries && g->entry[i + same].nr == nr)
			same++;
		if (!make_leaf(g, &g->entry[i], same, &leaf) ||
		    !add_span(g, (uint32_t) nr, (uint32_t) nr, leaf))
			return false;
	}
	return true;
}

static size_t find_abi(const struct filter *f, uint32_t token)
{
	size_t i = 0;

	while (i < f->n_abis && f->abi[i].token != token)
		i++;
	return i;
}

/* All numbers of an ABI's AUDIT_ARCH_*. x86_64's are its own and, above, x32's. */
static bool make_section(struct range *g, size_t abi, struct section *ret)
{
	const struct leaf by_default = {.ret = g->f->default_ret};
	const uint32_t audit = g->f->abi[abi].audit;
	size_t x32 = find_abi(g->f, FILTER_TOKEN_X32);

	*ret = (struct section){.audit = audit};
	/* each number ends a gap and may begin one; ENOSYS twice for each ABI; the ends */
	ret->span = arena_array(g->a, 4 * g->f->n_rules + 16, sizeof(*ret->span));
	g->out = ret;
	g->next = 0;
	if (!add_abi(g, abi))
		return false;
	if (audit == AUDIT_ARCH_X86_64 && x32 < g->f->n_abis) {
		if (!add_abi(g, x32))
			return false;
	} else if (audit == AUDIT_ARCH_X86_64) {
		if (!add_span(g, FILTER_X32_BIT, UINT32_MAX - 1,
			      (struct leaf){.ret = g->f->badarch_ret}))
			return false;
	}
	return g->next > UINT32_MAX || add_span(g, UINT32_MAX, UINT32_MAX, by_default);
}

bool range_is_ours(const struct filter *f)
{
	for (size_t i = 0; i < f->n_abis; i++)
		if (!find_row(f->abi[i].token))
			return false;
	/* x32 by itself: only if kavach were built for it */
	return find_abi(f, AUDIT_ARCH_X86_64) < f->n_abis ||
	       find_abi(f, FILTER_TOKEN_X32) == f->n_abis;
}

int range_compile(const struct filter *f, struct arena *a, struct bytes *ret, struct err *e)
{
	struct range g = {.f = f, .a = a};
	struct section section[FILTER_ABI_MAX];
	size_t n = 0;

	if (!range_is_ours(f))
		return 0;
	g.entry = arena_array(a, 2 * f->n_rules + 1, sizeof(*g.entry));
	for (size_t i = 0; i < f->n_abis; i++)
		if (f->abi[i].token != FILTER_TOKEN_X32 && !make_section(&g, i, &section[n++]))
			return filter_too_big(e);
	if (!emit_program(section, n, f->badarch_ret, a, ret))
		return filter_too_big(e);
	return 1;
}

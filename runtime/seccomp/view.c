/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter does with every call. An ABI that the kernel offers but the profile does not list is looked at too:
 * programs can enter the kernel through it whether or not the profile's author thought of it.
 */
#include "seccomp/view.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/types.h"

#define NUMBERS 1024 /* more than any table has: numbers of all ABIs are below */
#define X32_HIGH 512 /* its second list begins */
#define ARM_PRIVATE 0xf0000
#define ARM_PRIVATE_N 16

/* What a kernel takes calls of. Ours: CONFIG_IA32_EMULATION, CONFIG_X86_X32, CONFIG_COMPAT may be off, nobody can rely
 * on it. */
static const struct machine {
	const char *name;
	struct {
		const char *name;
		uint32_t token;
	} abi[VIEW_ABIS];
} machines[] = {
	{"x86_64",
	 {{"x86_64", AUDIT_ARCH_X86_64}, {"x86", AUDIT_ARCH_I386}, {"x32", FILTER_TOKEN_X32}}},
	{"aarch64", {{"aarch64", AUDIT_ARCH_AARCH64}, {"arm", AUDIT_ARCH_ARM}}},
	{"i686", {{"x86", AUDIT_ARCH_I386}}},
	{"armv7l", {{"arm", AUDIT_ARCH_ARM}}},
	{"riscv64", {{"riscv64", AUDIT_ARCH_RISCV64}}},
	{"ppc64le", {{"ppc64le", AUDIT_ARCH_PPC64LE}}},
	{"ppc64", {{"ppc64", AUDIT_ARCH_PPC64}, {"ppc", AUDIT_ARCH_PPC}}},
	{"s390x", {{"s390x", AUDIT_ARCH_S390X}, {"s390", AUDIT_ARCH_S390}}},
};

const char *view_abi_name(uint32_t token)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		for (size_t k = 0; k < VIEW_ABIS && machines[i].abi[k].name; k++)
			if (machines[i].abi[k].token == token)
				return machines[i].abi[k].name;
	return NULL;
}

static bool passes(uint32_t ret)
{
	return filter_rank(ret) >= filter_rank(SECCOMP_RET_LOG);
}

static bool asks(uint32_t ret)
{
	return !passes(ret) && filter_rank(ret) >= filter_rank(SECCOMP_RET_USER_NOTIF);
}

enum view_verdict view_verdict(const uint32_t *out, size_t n)
{
	size_t pass = 0, ask = 0;

	for (size_t i = 0; i < n; i++) {
		pass += passes(out[i]);
		ask += asks(out[i]);
	}
	if (pass == n)
		return VIEW_ALLOWED;
	if (pass + ask == 0)
		return VIEW_DENIED;
	return ask == n ? VIEW_ASKED : VIEW_CONDITIONAL;
}

static void judge(const struct view *l, const struct view_abi *abi, struct view_call *c)
{
	struct sim_call call;

	sim_call(&call, abi->audit, c->nr, NULL);
	c->n_out = sim_outcomes(&l->bpf, &call, c->out, VIEW_OUTCOMES);
	if (c->n_out > VIEW_OUTCOMES)
		c->n_out = VIEW_OUTCOMES;
	for (size_t i = 1; i < c->n_out; i++)
		for (size_t k = i; k > 0 && filter_rank(c->out[k]) < filter_rank(c->out[k - 1]);
		     k--) {
			uint32_t t = c->out[k];

			c->out[k] = c->out[k - 1];
			c->out[k - 1] = t;
		}
	c->verdict = view_verdict(c->out, c->n_out);
}

static void add_numbers(struct view *l, struct view_abi *abi, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct view_call *c = &abi->call[abi->n_calls];

		c->nr = (int) i;
		c->name = filter_call_name(abi->token, c->nr, l->a);
		if (!c->name)
			continue;
		judge(l, abi, c);
		abi->count[c->verdict]++;
		abi->n_calls++;
	}
}

/* The first number of those at the end that are all answered with ENOSYS. */
static int64_t newer_from(const struct view *l, const struct view_abi *abi, uint32_t base)
{
	const uint32_t want = SECCOMP_RET_ERRNO | ENOSYS;
	const uint32_t last = base ? X32_HIGH : NUMBERS;
	uint32_t out[2], n = last;
	struct sim_call c;

	for (; n > 0; n--) {
		sim_call(&c, abi->audit, (int) (base + n - 1), NULL);
		if (sim_outcomes(&l->bpf, &c, out, ARRAY_LEN(out)) != 1 || out[0] != want)
			break;
	}
	return n == last || n == 0 ? -1 : (int64_t) n;
}

static void view_abi(struct view *l, const char *name, uint32_t token)
{
	struct view_abi *abi = &l->abi[l->n_abis++];
	uint32_t base = token == FILTER_TOKEN_X32 ? FILTER_X32_BIT : 0;

	abi->name = name;
	abi->token = token;
	abi->audit = token == FILTER_TOKEN_X32 ? AUDIT_ARCH_X86_64 : token;
	abi->covered = view_abi_index(&l->f, token) >= 0;
	abi->call = arena_array(l->a, NUMBERS + ARM_PRIVATE_N + 1, sizeof(*abi->call));
	add_numbers(l, abi, base, NUMBERS);
	if (token == AUDIT_ARCH_ARM)
		add_numbers(l, abi, ARM_PRIVATE, ARM_PRIVATE_N);
	abi->uniform = abi->n_calls > 0;
	for (size_t i = 0; i < abi->n_calls; i++)
		if (abi->call[i].n_out != 1 || abi->call[i].out[0] != abi->call[0].out[0])
			abi->uniform = false;
	abi->newer_from = newer_from(l, abi, base);
}

int view_abi_index(const struct filter *f, uint32_t token)
{
	for (size_t i = 0; i < f->n_abis; i++)
		if (f->abi[i].token == token)
			return (int) i;
	return -1;
}

const char *view_arch_word(uint32_t token, struct arena *a)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		for (size_t k = 0; k < VIEW_ABIS && machines[i].abi[k].name; k++)
			if (machines[i].abi[k].token == token) {
				char *w = arena_printf(a, "SCMP_ARCH_%s", machines[i].abi[k].name);

				for (char *c = w; *c; c++)
					*c = (char) toupper((unsigned char) *c);
				return w;
			}
	return "SCMP_ARCH_?";
}

const struct view_call *view_find(const struct view_abi *abi, const char *name)
{
	for (size_t i = 0; i < abi->n_calls; i++)
		if (str_eq(abi->call[i].name, name))
			return &abi->call[i];
	return NULL;
}

void view_note(struct view *l, enum view_kind kind, const char *abi, const char *call,
	       const char *fmt, ...)
{
	struct view_note *n = arena_new(l->a, struct view_note), **at = &l->notes;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n->kind = kind;
	n->abi = abi;
	n->call = call;
	n->text = arena_strdup(l->a, text);
	while (*at && (*at)->kind <= kind)
		at = &(*at)->next;
	n->next = *at;
	*at = n;
	l->n_notes[kind]++;
}

int view_at(const struct pol_seccomp *s, const char *title, const char *machine, struct arena *a,
	    struct view *ret, struct err *e)
{
	const struct machine *m = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (str_eq(machines[i].name, machine))
			m = &machines[i];
	if (!m)
		return err_set(e, -EINVAL, "%s: which calls this machine has is not known here",
			       machine);
	*ret = (struct view){.title = title, .machine = machine, .a = a};
	r = filter_resolve(s, a, &ret->f, e);
	if (r == 0)
		r = seccomp_compile(s, a, &ret->bpf, e);
	if (r < 0)
		return err_context(e, "%s", title);
	for (size_t i = 0; i < VIEW_ABIS && m->abi[i].name; i++)
		view_abi(ret, m->abi[i].name, m->abi[i].token);
	view_rules(ret, s);
	return 0;
}

static size_t corners_of(const struct pol_seccomp_arg *arg, uint64_t *ret)
{
	const uint64_t mask = arg->value, v = arg->value;
	size_t n = 0;

	if (arg->op == OP_MASKED_EQ) {
		uint64_t hit = arg->value2 & mask;

		ret[n++] = hit;
		ret[n++] = hit | ~mask;
		ret[n++] = hit ^ (mask & -mask); /* its lowest bit is another */
		ret[n++] = hit ^ mask;
		ret[n++] = (hit ^ mask) | ~mask;
		return n;
	}
	ret[n++] = v;
	ret[n++] = v - 1;
	ret[n++] = v + 1;
	ret[n++] = v | 1ULL << 32; /* where the kernel takes an int, it is the same */
	ret[n++] = v & UINT32_MAX;
	return n;
}

static size_t put_value(uint64_t *v, size_t n, size_t max, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == value)
			return n;
	if (n < max)
		v[n++] = value;
	return n;
}

size_t view_corners(const struct filter *f, size_t abi, int nr, uint32_t index, uint64_t *ret,
		    size_t max)
{
	uint64_t some[8];
	size_t n = 0, have;

	n = put_value(ret, n, max, 0);
	for (size_t i = 0; i < f->n_rules; i++) {
		const struct filter_rule *r = &f->rules[i];

		if (r->nr[abi] != nr)
			continue;
		for (uint32_t k = 0; k < r->n_args; k++) {
			if (r->args[k].index != index)
				continue;
			have = corners_of(&r->args[k], some);
			for (size_t j = 0; j < have; j++)
				n = put_value(ret, n, max, some[j]);
		}
	}
	return put_value(ret, n, max, UINT64_MAX);
}

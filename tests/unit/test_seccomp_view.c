/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/*
 * What is said about a filter against its rules, read here in another way: for every name of every ABI, whether the
 * first rule without conditions, or the default, is what the view says.
 */
#include "seccomp_profile.h"
#include "seccomp/view.h"
#include "tap.h"

static struct arena arena;
static struct err err;

static const char *const action_words[] = {
	[POL_ACT_KILL_PROCESS] = "KILL_PROCESS",
	[POL_ACT_ERRNO] = "EPERM",
	[POL_ACT_ALLOW] = "ALLOW",
	[POL_ACT_LOG] = "LOG",
	[POL_ACT_NOTIFY] = "NOTIFY",
	[POL_ACT_TRAP] = "TRAP",
};

/* The rule of this name, or NULL: each name is in one rule of the profiles here. */
static const struct pol_seccomp_rule *rule_of(const struct pol_seccomp *s, const char *name)
{
	for (size_t i = 0; i < s->rules.n; i++)
		if (strs_has(&s->rules.v[i].names, name))
			return &s->rules.v[i];
	return NULL;
}

static size_t wrong(const struct pol_seccomp *s, const struct view_abi *abi)
{
	size_t n = 0;

	for (size_t i = 0; i < abi->n_calls; i++) {
		const struct view_call *c = &abi->call[i];
		const struct pol_seccomp_rule *r = rule_of(s, c->name);
		uint32_t want = r ? r->action : s->default_action;
		bool fine = c->n_out == 1 &&
			    str_eq(view_action(&arena, c->out[0]), action_words[want]);

		if (str_eq(c->name, "socketcall") || str_eq(c->name, "ipc"))
			continue;
		if (r && r->args.n)
			fine = c->verdict == VIEW_CONDITIONAL && c->n_out == 2;
		if (!r && abi->newer_from >= 0 && (c->nr & ~FILTER_X32_BIT) >= abi->newer_from)
			fine = c->n_out == 1 && str_eq(view_action(&arena, c->out[0]), "ENOSYS");
		if (!fine)
			printf("# %s %s\n", abi->name, c->name);
		n += !fine;
	}
	return n;
}

static void test_against_rules(uint32_t def, uint32_t other, const char *archs, const char *machine)
{
	struct pol_seccomp *s = profile_new(&arena, def, 1, archs);
	struct view v;

	profile_rule(s, &arena, other, 1, "read write openat clone3 mount bpf futex exit_group");
	profile_arg(profile_rule(s, &arena, other, 1, "ioctl"), 1, SCMP_CMP_EQ, 0x5412, 0);
	profile_arg(profile_rule(s, &arena, other, 1, "clone"), 0, SCMP_CMP_MASKED_EQ, 0x10000000,
		    0x10000000);
	err_clear(&err);
	ok(view_at(s, "test", machine, &arena, &v, &err) == 0, "%s: %s", machine, archs);
	if (err.code)
		return;
	for (size_t i = 0; i < v.n_abis; i++) {
		if (!v.abi[i].covered)
			ok(v.abi[i].uniform && v.abi[i].call[0].verdict == VIEW_DENIED,
			   "%s, not covered, is closed", v.abi[i].name);
		else
			ok(wrong(s, &v.abi[i]) == 0 && v.abi[i].n_calls > 200,
			   "%s: %zu calls are as the rules say", v.abi[i].name, v.abi[i].n_calls);
	}
}

/* A remark counts only with its opposite: the same profile, put right, has none of the kind. */
static size_t notes(enum view_kind kind, const char *denied, bool also)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, "SCMP_ARCH_X86_64");
	struct view v;

	profile_rule(s, &arena, POL_ACT_ERRNO, 1, denied);
	if (also)
		profile_rule(s, &arena, POL_ACT_ERRNO, 38, "clone3 clone io_uring_setup openat2");
	err_clear(&err);
	return view_at(s, "test", "x86_64", &arena, &v, &err) < 0 ? SIZE_MAX : v.n_notes[kind];
}

int main(void)
{
	if (filter_native() != AUDIT_ARCH_X86_64) {
		skip("compares ABIs of x86_64", "what is said of a filter is what its rules say");
		return done();
	}
	test_against_rules(POL_ACT_ERRNO, POL_ACT_ALLOW, "SCMP_ARCH_X86_64", "x86_64");
	test_against_rules(POL_ACT_ALLOW, POL_ACT_ERRNO,
			   "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32", "x86_64");
	test_against_rules(POL_ACT_KILL_PROCESS, POL_ACT_LOG, "SCMP_ARCH_X86_64 SCMP_ARCH_X86",
			   "x86_64");
	test_against_rules(POL_ACT_ALLOW, POL_ACT_TRAP, "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM",
			   "aarch64");
	test_against_rules(POL_ACT_ERRNO, POL_ACT_ALLOW, "SCMP_ARCH_RISCV64", "riscv64");
	ok(notes(VIEW_HOLE, "unshare", false) == 2, "unshare denied, clone and clone3 not");
	ok(notes(VIEW_HOLE, "unshare", true) == 0, "unshare denied with clone and clone3");
	ok(notes(VIEW_FALLBACK, "statx", false) == 1, "statx with EPERM breaks something");
	ok(notes(VIEW_FALLBACK, "fstat statx", false) == 0, "without fstat nothing is lost");
	arena_free(&arena);
	return done();
}

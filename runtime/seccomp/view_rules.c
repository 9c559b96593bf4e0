/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the author of a filter should know: tables of what goes wrong in profiles, each row tried out on the program.
 * Sources: man pages of the calls, the kernel's SYSCALL_DEFINE lines for the width of arguments, glibc's and musl's
 * fallbacks for the errno that they take as "this kernel has no such call".
 */
#include "seccomp/view.h"

#include <string.h>

#include "base/str.h"
#include "base/types.h"

#define ARG_BIT(n) (1U << (n))

/* Who denies the first means the second too. Only where the second gives the same power, or more. */
static const struct way {
	const char *denied, *way, *why;
} ways[] = {
	{"clone", "clone3", "its flags are in memory, where a filter cannot look"},
	{"unshare", "clone3", "it makes the same namespaces"},
	{"unshare", "clone", "it makes the same namespaces"},
	{"open", "openat", "it opens the same files"},
	{"open", "openat2", "it opens the same files; its flags are in memory"},
	{"openat", "open", "it opens the same files"},
	{"openat", "openat2", "it opens the same files; its flags are in memory"},
	{"openat", "io_uring_setup", "a ring opens files without openat"},
	{"socket", "io_uring_setup", "a ring makes sockets without socket (Linux 5.19)"},
	{"connect", "io_uring_setup", "a ring connects without connect"},
	{"sendto", "sendmsg", "it sends the same"},
	{"mount", "move_mount", "with fsopen and fsmount or open_tree it mounts the same"},
	{"mount", "mount_setattr", "it changes the flags of mounts"},
	{"execve", "execveat", "it starts the same programs"},
	{"mknod", "mknodat", "it makes the same devices"},
	{"chmod", "fchmodat", "it sets the same modes"},
	{"fchmodat", "fchmodat2", "it sets the same modes"},
	{"kill", "pidfd_send_signal", "it sends the same signals"},
	{"init_module", "finit_module", "it loads the same code"},
	{"kexec_load", "kexec_file_load", "it loads another kernel too"},
	{"process_vm_readv", "ptrace", "it reads other processes too"},
	{"process_vm_writev", "ptrace", "it writes to other processes too"},
	{"settimeofday", "clock_settime", "it sets the same clock"},
	{"quotactl", "quotactl_fd", "it does the same"},
	{"io_uring_enter", "io_uring_setup", "with IORING_SETUP_SQPOLL a ring works without it"},
};

/* Calls behind socketcall(2): first argument there. */
static const struct {
	const char *name;
	uint32_t sub;
} socketcalls[] = {
	{"socket", 1},	{"bind", 2},	    {"connect", 3},  {"listen", 4},   {"socketpair", 8},
	{"sendto", 11}, {"setsockopt", 14}, {"sendmsg", 16}, {"accept4", 18},
};

/* Arguments of which the kernel takes 32 bits, and such that are addresses. */
static const struct {
	const char *name;
	unsigned narrow, pointer;
} args[] = {
	{"ioctl", ARG_BIT(0) | ARG_BIT(1), 0},
	{"socket", ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2), 0},
	{"socketpair", ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2), ARG_BIT(3)},
	{"personality", ARG_BIT(0), 0},
	{"prctl", ARG_BIT(0), 0},
	{"fcntl", ARG_BIT(0) | ARG_BIT(1), 0},
	{"setsockopt", ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2), ARG_BIT(3)},
	{"getsockopt", ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2), ARG_BIT(3) | ARG_BIT(4)},
	{"clone", ARG_BIT(0), ARG_BIT(1) | ARG_BIT(2)},
	{"clone3", 0, ARG_BIT(0)},
	{"keyctl", ARG_BIT(0), 0},
	{"bpf", ARG_BIT(0) | ARG_BIT(2), ARG_BIT(1)},
	{"setns", ARG_BIT(0) | ARG_BIT(1), 0},
	{"seccomp", ARG_BIT(0) | ARG_BIT(1), ARG_BIT(2)},
	{"kill", ARG_BIT(0) | ARG_BIT(1), 0},
	{"open", ARG_BIT(1), ARG_BIT(0)},
	{"openat", ARG_BIT(0) | ARG_BIT(2), ARG_BIT(1)},
	{"openat2", ARG_BIT(0), ARG_BIT(1) | ARG_BIT(2)},
	{"creat", 0, ARG_BIT(0)},
	{"stat", 0, ARG_BIT(0) | ARG_BIT(1)},
	{"statx", ARG_BIT(0) | ARG_BIT(2), ARG_BIT(1)},
	{"access", ARG_BIT(1), ARG_BIT(0)},
	{"unlink", 0, ARG_BIT(0)},
	{"mkdir", 0, ARG_BIT(0)},
	{"chmod", 0, ARG_BIT(0)},
	{"chown", 0, ARG_BIT(0)},
	{"connect", ARG_BIT(0), ARG_BIT(1)},
	{"bind", ARG_BIT(0), ARG_BIT(1)},
	{"sendto", ARG_BIT(0), ARG_BIT(1) | ARG_BIT(4)},
	{"sendmsg", ARG_BIT(0), ARG_BIT(1)},
	{"execve", 0, ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2)},
	{"execveat", ARG_BIT(0), ARG_BIT(1) | ARG_BIT(2) | ARG_BIT(3)},
	{"mount", 0, ARG_BIT(0) | ARG_BIT(1) | ARG_BIT(2) | ARG_BIT(4)},
	{"write", ARG_BIT(0), ARG_BIT(1)},
	{"read", ARG_BIT(0), ARG_BIT(1)},
};

/* Calls that are tried first and given up for an older one only on ENOSYS. */
static const struct {
	const char *name, *who;
	const char *instead; /* the older one: without it there is nothing to fall back on */
} fallbacks[] = {
	{"clone3", "pthread_create and posix_spawn of glibc 2.34 and later fail", "clone"},
	{"statx", "stat of glibc on 32-bit machines and ls of coreutils fail", "fstat"},
	{"faccessat2", "faccessat with flags fails in glibc and musl", "faccessat"},
	{"fchmodat2", "fchmodat with flags fails in glibc 2.39 and later", "fchmodat"},
	{"epoll_pwait2", "epoll_pwait2 of programs that probe for it fails", "epoll_pwait"},
	{"futex_time64", "waiting with a timeout fails in 32-bit programs", "futex"},
	{"clock_gettime64", "reading the clock fails in 32-bit programs", "clock_gettime"},
	{"clock_nanosleep_time64", "sleeping fails in 32-bit programs", "clock_nanosleep"},
	{"ppoll_time64", "ppoll fails in 32-bit programs", "ppoll"},
	{"pselect6_time64", "select fails in 32-bit programs", "pselect6"},
	{"utimensat_time64", "setting file times fails in 32-bit programs", "utimensat"},
};

static const char *how(struct view *l, const struct view_call *c)
{
	return c->verdict == VIEW_CONDITIONAL ? "limited" : view_action(l->a, c->out[0]);
}

static void find_ways(struct view *l, const struct view_abi *abi)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const struct view_call *c = view_find(abi, ways[i].denied);
		const struct view_call *w = view_find(abi, ways[i].way);

		if (!c || !w || c->verdict == VIEW_ALLOWED || w->verdict != VIEW_ALLOWED)
			continue;
		view_note(l, VIEW_HOLE, abi->name, c->name, "%s is %s, but %s is allowed: %s",
			  c->name,
			  c->verdict == VIEW_CONDITIONAL ? "limited"
			  : c->verdict == VIEW_ASKED	 ? "watched"
							 : "denied",
			  w->name, ways[i].why);
	}
}

/* The program is asked about the multiplexer with each of its functions. */
static void find_muxes(struct view *l, const struct view_abi *abi)
{
	const struct view_call *mux = view_find(abi, "socketcall");
	uint32_t out[VIEW_OUTCOMES];
	struct sim_call call;
	size_t n;

	for (size_t i = 0; mux && i < ARRAY_LEN(socketcalls); i++) {
		const struct view_call *c = view_find(abi, socketcalls[i].name);

		if (!c || c->verdict == VIEW_ALLOWED)
			continue;
		sim_call(&call, abi->audit, mux->nr, NULL);
		call.word[offsetof(struct seccomp_data, args) / 4] = socketcalls[i].sub;
		call.word[offsetof(struct seccomp_data, args) / 4 + 1] = 0;
		call.unknown &= ~(3U << offsetof(struct seccomp_data, args) / 4);
		n = sim_outcomes(&l->bpf, &call, out, VIEW_OUTCOMES);
		if (n > VIEW_OUTCOMES || view_verdict(out, n) != VIEW_DENIED)
			view_note(
				l, VIEW_HOLE, abi->name, c->name,
				"%s is %s, but socketcall does it unseen: its arguments are in memory",
				c->name, how(l, c));
	}
}

/* What another ABI lets through that the machine's own does not. */
static void find_foreign(struct view *l, const struct view_abi *abi)
{
	const struct view_abi *own = &l->abi[0];
	size_t n = 0;
	const char *first = NULL, *second = NULL;

	if (abi == own)
		return;
	for (size_t i = 0; i < abi->n_calls; i++) {
		const struct view_call *c = view_find(own, abi->call[i].name);

		if (!c || c->verdict == VIEW_ALLOWED || abi->call[i].verdict != VIEW_ALLOWED)
			continue;
		second = first && !second ? c->name : second;
		first = first ? first : c->name;
		n++;
	}
	if (n)
		view_note(l, VIEW_HOLE, abi->name, n == 1 ? first : NULL,
			  "%zu calls that are not free on %s are allowed on %s: %s%s%s%s", n,
			  own->name, abi->name, first, second ? ", " : "", second ? second : "",
			  n > 2 ? ", ..." : "");
}

static void find_fallbacks(struct view *l, const struct view_abi *abi)
{
	for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++) {
		const struct view_call *c = view_find(abi, fallbacks[i].name);
		const struct view_call *old = view_find(abi, fallbacks[i].instead);

		if (!c || c->verdict != VIEW_DENIED || !old || old->verdict == VIEW_DENIED ||
		    c->out[0] == (SECCOMP_RET_ERRNO | ENOSYS))
			continue;
		view_note(l, VIEW_FALLBACK, abi->name, c->name, "%s gives %s: %s; ENOSYS would do",
			  c->name, how(l, c), fallbacks[i].who);
	}
}

/* ---- rules ---- */

/* A value of the argument for which the condition holds on 64 bits; false when there is none. */
static bool witness(const struct pol_seccomp_arg *c, uint64_t *ret)
{
	switch (c->op) {
	case OP_NE: *ret = c->value ^ 1; return true;
	case OP_LT: *ret = c->value - 1; return c->value > 0;
	case OP_GT: *ret = c->value + 1; return c->value < UINT64_MAX;
	case OP_MASKED_EQ: *ret = c->value2 & c->value; return true;
	default: *ret = c->value; return true; /* EQ, LE, GE */
	}
}

static bool satisfy(const struct filter_rule *r, uint64_t v[FILTER_ARGS])
{
	memset(v, 0, sizeof(*v) * FILTER_ARGS);
	for (uint32_t i = 0; i < r->n_args; i++)
		if (!witness(&r->args[i], &v[r->args[i].index]))
			return false;
	return true;
}

/* Whether the program can end in the action of this rule, for arguments that are as its EQ conditions say. */
static bool can_decide(const struct view *l, const struct view_abi *abi, int nr,
		       const struct filter_rule *r, uint32_t *out, size_t *ret_n)
{
	const size_t first = offsetof(struct seccomp_data, args) / 4;
	struct sim_call call, exact;
	uint64_t v[FILTER_ARGS];

	*ret_n = 0;
	if (!satisfy(r, v))
		return false;
	sim_call(&call, abi->audit, nr, NULL);
	sim_call(&exact, abi->audit, nr, v);
	for (uint32_t i = 0; i < r->n_args; i++) {
		size_t w = first + 2 * (size_t) r->args[i].index;

		if (r->args[i].op != OP_EQ)
			continue;
		memcpy(&call.word[w], &exact.word[w], 2 * sizeof(call.word[0]));
		call.unknown &= ~(3U << w);
	}
	*ret_n = sim_outcomes(&l->bpf, &call, out, VIEW_OUTCOMES);
	if (*ret_n > VIEW_OUTCOMES)
		return true;
	for (size_t i = 0; i < *ret_n; i++)
		if (out[i] == r->ret)
			return true;
	return false;
}

static bool always_same(const struct view_abi *abi, int nr)
{
	for (size_t i = 0; i < abi->n_calls; i++)
		if (abi->call[i].nr == nr)
			return abi->call[i].n_out == 1;
	return false;
}

static void find_useless(struct view *l, const struct view_abi *abi, size_t index)
{
	for (size_t i = 0; i < l->f.n_rules; i++) {
		const struct filter_rule *r = &l->f.rules[i];
		int nr = r->nr[index];
		uint32_t out[VIEW_OUTCOMES];
		size_t n;

		if (nr < 0)
			continue;
		if (!can_decide(l, abi, nr, r, out, &n))
			view_note(l, VIEW_USELESS, abi->name, r->name,
				  "syscalls[%zu]: %s for %s%s%s never decides: %s", r->config_index,
				  view_action(l->a, r->ret), r->name, r->n_args ? " with " : "",
				  view_conditions(l->a, r),
				  n == 0 ? "no argument is like that"
					 : "other rules are before it");
		else if (r->n_args && always_same(abi, nr))
			view_note(
				l, VIEW_USELESS, abi->name, r->name,
				"syscalls[%zu]: the condition %s on %s changes nothing: %s anyway",
				r->config_index, view_conditions(l->a, r), r->name,
				view_action(l->a, out[0]));
	}
}

/* The kernel ignores the upper half of such an argument; a rule that denies must then ignore it too. */
static void find_bypass(struct view *l, const struct view_abi *abi, const struct filter_rule *r,
			int nr, const struct pol_seccomp_arg *arg)
{
	uint64_t v[FILTER_ARGS];
	uint32_t plain, dressed;

	if (!satisfy(r, v))
		return;
	plain = seccomp_sim(&l->bpf, abi->audit, nr, v);
	v[arg->index] ^= 1ULL << 32;
	dressed = seccomp_sim(&l->bpf, abi->audit, nr, v);
	if (view_verdict(&plain, 1) == VIEW_DENIED && view_verdict(&dressed, 1) == VIEW_ALLOWED)
		view_note(
			l, VIEW_BYPASS, abi->name, r->name,
			"syscalls[%zu]: %s with arg %u = %#llx is denied, with %#llx allowed, and the "
			"kernel takes both for the same: compare with SCMP_CMP_MASKED_EQ and the mask "
			"0xffffffff",
			r->config_index, r->name, arg->index,
			(unsigned long long) (v[arg->index] ^ 1ULL << 32),
			(unsigned long long) v[arg->index]);
}

static void find_in_args(struct view *l, const struct view_abi *abi, const struct filter_rule *r,
			 int nr)
{
	bool wide = abi->audit & __AUDIT_ARCH_64BIT && abi->token != FILTER_TOKEN_X32;
	unsigned narrow = 0, pointer = 0;

	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		if (str_eq(args[i].name, r->name)) {
			narrow = args[i].narrow;
			pointer = args[i].pointer;
		}
	for (uint32_t i = 0; i < r->n_args; i++) {
		const struct pol_seccomp_arg *arg = &r->args[i];

		if (wide && narrow & ARG_BIT(arg->index))
			find_bypass(l, abi, r, nr, arg);
		if (pointer & ARG_BIT(arg->index) && !(arg->value == 0 && arg->op != OP_MASKED_EQ))
			view_note(
				l, VIEW_POINTER, abi->name, r->name,
				"syscalls[%zu]: arg %u of %s is an address; the filter sees that, not "
				"what is there",
				r->config_index, arg->index, r->name);
		if (!wide && (arg->value > UINT32_MAX || arg->value2 > UINT32_MAX))
			view_note(
				l, VIEW_TRUNCATED, abi->name, r->name,
				"syscalls[%zu]: of %s, arg %u of %s, only the lower 32 bits count",
				r->config_index, view_conditions(l->a, r), arg->index, r->name);
	}
}

void view_rules(struct view *l, const struct pol_seccomp *s)
{
	struct strs unknown = seccomp_unknown_names(s, l->a);

	for (size_t i = 0; i < l->n_abis; i++) {
		const struct view_abi *abi = &l->abi[i];
		int index = view_abi_index(&l->f, abi->token);

		if (abi->uniform && abi->call[0].verdict == VIEW_DENIED)
			continue;
		find_ways(l, abi);
		find_muxes(l, abi);
		find_foreign(l, abi);
		find_fallbacks(l, abi);
		if (index < 0)
			continue;
		find_useless(l, abi, (size_t) index);
		for (size_t k = 0; k < l->f.n_rules; k++)
			if (l->f.rules[k].nr[index] >= 0)
				find_in_args(l, abi, &l->f.rules[k], l->f.rules[k].nr[index]);
	}
	for (size_t i = 0; i < unknown.n; i++)
		view_note(l, VIEW_UNKNOWN, NULL, unknown.v[i],
			  "\"%s\" is no call that libseccomp %s knows: its rules are left out",
			  unknown.v[i], seccomp_library(l->a));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/*
 * Profiles against what their programs do: by simulation for every ABI that libseccomp knows with
 * this byte order, and by loading them into children.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "seccomp_profile.h"
#include "seccomp/view.h"
#include "tap.h"

#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))
#define KILL SECCOMP_RET_KILL_PROCESS

static struct arena arena;
static struct err err;

/* a number as a call of this ABI */
static int nr(uint32_t token, const char *name)
{
	return seccomp_syscall_resolve_name_arch(token, name);
}

static struct bytes compiled(const struct pol_seccomp *s)
{
	struct bytes b = {0};

	err_clear(&err);
	if (seccomp_compile(s, &arena, &b, &err) < 0)
		printf("# %s\n", err.msg);
	return b;
}

static uint32_t run6(const struct bytes *b, uint32_t arch, int n, uint64_t a0, uint64_t a1,
		     uint64_t a2)
{
	const uint64_t args[6] = {a0, a1, a2, 0, 0, 0};

	return seccomp_sim(b, arch, n, args);
}

static uint32_t native(const struct bytes *b, const char *name)
{
	return run6(b, filter_native(), nr(SCMP_ARCH_NATIVE, name), 0, 0, 0);
}

static const struct {
	const char *name;
	uint32_t action, err, want;
} action_rows[] = {
	{"KILL_THREAD", POL_ACT_KILL_THREAD, 0, SECCOMP_RET_KILL_THREAD},
	{"KILL_PROCESS", POL_ACT_KILL_PROCESS, 0, SECCOMP_RET_KILL_PROCESS},
	{"TRAP", POL_ACT_TRAP, 0, SECCOMP_RET_TRAP},
	{"ERRNO 1", POL_ACT_ERRNO, 1, ERRNO(1)},
	{"ERRNO 0", POL_ACT_ERRNO, 0, ERRNO(0)},
	{"ERRNO 4094", POL_ACT_ERRNO, 4094, ERRNO(4094)},
	{"TRACE 7", POL_ACT_TRACE, 7, SECCOMP_RET_TRACE | 7},
	{"TRACE 65535", POL_ACT_TRACE, 65535, SECCOMP_RET_TRACE | 65535},
	{"ALLOW", POL_ACT_ALLOW, 0, SECCOMP_RET_ALLOW},
	{"LOG", POL_ACT_LOG, 0, SECCOMP_RET_LOG},
	{"NOTIFY", POL_ACT_NOTIFY, 0, SECCOMP_RET_USER_NOTIF},
};

static void test_actions(void)
{
	struct pol_seccomp *s;
	struct bytes b;

	for (size_t i = 0; i < ARRAY_LEN(action_rows); i++) {
		bool allow = action_rows[i].action == POL_ACT_ALLOW;

		s = profile_new(&arena, allow ? POL_ACT_KILL_PROCESS : POL_ACT_ALLOW, 0, "");
		profile_rule(s, &arena, action_rows[i].action, action_rows[i].err, "getppid");
		b = compiled(s);
		ok(native(&b, "getppid") == action_rows[i].want, "rule action %s",
		   action_rows[i].name);
		ok(native(&b, "getpid") == (allow ? KILL : SECCOMP_RET_ALLOW),
		   "rule action %s leaves other calls alone", action_rows[i].name);

		s = profile_new(&arena, action_rows[i].action, action_rows[i].err, "");
		profile_rule(s, &arena, allow ? POL_ACT_TRAP : POL_ACT_ALLOW, 0, "futex");
		b = compiled(s);
		ok(native(&b, "getppid") == action_rows[i].want, "default action %s",
		   action_rows[i].name);
	}
}

/* one condition on argument 1, with 64-bit values */
static const struct {
	const char *name;
	uint32_t op;
	uint64_t value, value2, yes[3], no[3];
} op_rows[] = {
	{"EQ",
	 SCMP_CMP_EQ,
	 0x500000007,
	 0,
	 {0x500000007, 0x500000007, 0x500000007},
	 {7, 0x500000000, 0x700000005}},
	{"NE",
	 SCMP_CMP_NE,
	 0x500000007,
	 0,
	 {7, 0x500000000, 0},
	 {0x500000007, 0x500000007, 0x500000007}},
	{"LT",
	 SCMP_CMP_LT,
	 0x500000007,
	 0,
	 {0, 0x500000006, 0x4ffffffff},
	 {0x500000007, 0x600000000, ~0ULL}},
	{"LE",
	 SCMP_CMP_LE,
	 0x500000007,
	 0,
	 {0, 0x500000007, 0x4ffffffff},
	 {0x500000008, 0x600000000, ~0ULL}},
	{"GT",
	 SCMP_CMP_GT,
	 0x500000007,
	 0,
	 {0x500000008, 0x600000000, ~0ULL},
	 {0, 0x500000007, 0x4ffffffff}},
	{"GE",
	 SCMP_CMP_GE,
	 0x500000007,
	 0,
	 {0x500000007, 0x600000000, ~0ULL},
	 {0, 0x500000006, 0x4ffffffff}},
	{"MASKED_EQ low",
	 SCMP_CMP_MASKED_EQ,
	 0xf0,
	 0x30,
	 {0x30, 0x3f, 0xabcd00000030},
	 {0x20, 0x70, 0}},
	{"MASKED_EQ high",
	 SCMP_CMP_MASKED_EQ,
	 0xf000000000,
	 0x3000000000,
	 {0x3000000000, 0x3fffffffff, 0x13000000000},
	 {0x30, 0x7000000000, 0}},
};

static void test_operators(void)
{
	for (size_t i = 0; i < ARRAY_LEN(op_rows); i++) {
		struct pol_seccomp *s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "");
		bool good = true;
		struct bytes b;

		profile_arg(profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl"), 1, op_rows[i].op,
			    op_rows[i].value, op_rows[i].value2);
		b = compiled(s);
		for (size_t k = 0; k < 3; k++) {
			good &= run6(&b, filter_native(), SYS_ioctl, 9, op_rows[i].yes[k], 9) ==
				SECCOMP_RET_ALLOW;
			good &= run6(&b, filter_native(), SYS_ioctl, 9, op_rows[i].no[k], 9) ==
				ERRNO(EPERM);
		}
		ok(good, "operator %s compares all 64 bits", op_rows[i].name);
	}
}

static void test_conditions(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "");
	struct pol_seccomp_rule *r;
	uint32_t n = filter_native();
	struct bytes b;

	r = profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl");
	profile_arg(profile_arg(r, 2, SCMP_CMP_EQ, 2, 0), 0, SCMP_CMP_EQ, 5, 0);
	b = compiled(s);
	ok(run6(&b, n, SYS_ioctl, 5, 0, 2) == SECCOMP_RET_ALLOW &&
		   run6(&b, n, SYS_ioctl, 5, 0, 3) == ERRNO(EPERM) &&
		   run6(&b, n, SYS_ioctl, 4, 0, 2) == ERRNO(EPERM),
	   "conditions on different arguments must all hold");

	s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "");
	r = profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl");
	profile_arg(profile_arg(r, 1, SCMP_CMP_EQ, 2, 0), 1, SCMP_CMP_EQ, 5, 0);
	b = compiled(s);
	ok(run6(&b, n, SYS_ioctl, 0, 2, 0) == SECCOMP_RET_ALLOW &&
		   run6(&b, n, SYS_ioctl, 0, 5, 0) == SECCOMP_RET_ALLOW &&
		   run6(&b, n, SYS_ioctl, 0, 4, 0) == ERRNO(EPERM),
	   "of two conditions on one argument either is enough");

	s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "");
	profile_arg(profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_EQ, 2, 0);
	profile_arg(profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_EQ, 5, 0);
	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "getppid");
	profile_rule(s, &arena, POL_ACT_ALLOW, 0, "getpid getpid getpid");
	b = compiled(s);
	ok(run6(&b, n, SYS_ioctl, 0, 2, 0) == SECCOMP_RET_ALLOW &&
		   run6(&b, n, SYS_ioctl, 0, 5, 0) == SECCOMP_RET_ALLOW &&
		   run6(&b, n, SYS_ioctl, 0, 3, 0) == ERRNO(EPERM),
	   "of two rules for one call either is enough");
	ok(native(&b, "getppid") == ERRNO(EPERM),
	   "a rule that equals the default action is left out");
	ok(native(&b, "getpid") == SECCOMP_RET_ALLOW, "repeated names count once");

	profile_rule(s, &arena, POL_ACT_ERRNO, ENOTTY, "ioctl");
	profile_rule(s, &arena, POL_ACT_TRAP, 0, "ioctl");
	b = compiled(s);
	ok(run6(&b, n, SYS_ioctl, 0, 2, 0) == ERRNO(ENOTTY),
	   "the first rule without conditions decides alone");
}

/* The ABIs that can be in one filter with the native one, in three filters so that each is seen
 * first. */
static const char *const abi_lists[] = {
	"SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32",
	"SCMP_ARCH_AARCH64 SCMP_ARCH_ARM SCMP_ARCH_RISCV64 SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64 SCMP_ARCH_MIPSEL64N32",
	"SCMP_ARCH_S390 SCMP_ARCH_S390X SCMP_ARCH_PPC SCMP_ARCH_PPC64 SCMP_ARCH_MIPS SCMP_ARCH_MIPS64 "
	"SCMP_ARCH_MIPS64N32 SCMP_ARCH_PARISC SCMP_ARCH_PARISC64",
};

static bool other_byte_order(const char *arch)
{
	static const char *const big[] = {"SCMP_ARCH_S390",	 "SCMP_ARCH_S390X",
					  "SCMP_ARCH_PPC",	 "SCMP_ARCH_PPC64",
					  "SCMP_ARCH_MIPS",	 "SCMP_ARCH_MIPS64",
					  "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_PARISC",
					  "SCMP_ARCH_PARISC64"};
	bool is_big = false;

	for (size_t i = 0; i < ARRAY_LEN(big); i++)
		is_big |= str_eq(big[i], arch);
	return is_big == !!(filter_native() & __AUDIT_ARCH_LE);
}

static void test_abi(const struct pol_seccomp *s, const struct bytes *b, const char *arch)
{
	struct filter f;
	struct filter_abi *abi = NULL;
	uint32_t bit;

	ok(filter_resolve(s, &arena, &f, &err) == 0, "%s: resolves", arch);
	for (size_t i = 0; i < f.n_abis; i++)
		if (str_eq(f.abi[i].name, arch))
			abi = &f.abi[i];
	if (!abi && str_eq(arch, "SCMP_ARCH_X86_64")) /* it is "the native architecture" */
		abi = &f.abi[0];
	ok(abi != NULL, "%s is in the filter", arch);
	if (!abi)
		return;
	bit = abi->token == FILTER_TOKEN_X32 ? FILTER_X32_BIT : 0;
	ok(run6(b, abi->audit, nr(abi->token, "read"), 0, 0, 0) == SECCOMP_RET_ALLOW,
	   "%s: read is allowed", arch);
	ok(run6(b, abi->audit, nr(abi->token, "mknodat"), 0, 0, 0) == ERRNO(EPERM),
	   "%s: a call that is not named gets the default", arch);
	ok(run6(b, abi->audit, nr(abi->token, "openat2"), 0, 0, 0) == ERRNO(EACCES),
	   "%s: its own errno", arch);
	ok(run6(b, abi->audit, nr(abi->token, "ioctl"), 0, 0x5412, 0) == ERRNO(EPERM) &&
		   run6(b, abi->audit, nr(abi->token, "ioctl"), 0, 0x5413, 0) == SECCOMP_RET_ALLOW,
	   "%s: conditions hold", arch);
	is_int(abi->last | bit, nr(abi->token, "faccessat2"), "%s: faccessat2 is its newest", arch);
	ok(run6(b, abi->audit, (int) (abi->last | bit) - 1, 0, 0, 0) != ERRNO(ENOSYS) &&
		   run6(b, abi->audit, (int) (abi->last | bit), 0, 0, 0) == SECCOMP_RET_ALLOW,
	   "%s: up to the newest call rules apply", arch);
	ok(run6(b, abi->audit, (int) (abi->last | bit) + 1, 0, 0, 0) == ERRNO(ENOSYS) &&
		   run6(b, abi->audit, (int) (abi->last | bit) + 20, 0, 0, 0) == ERRNO(ENOSYS),
	   "%s: newer calls get ENOSYS", arch);
}

static struct pol_seccomp *abi_profile(const char *archs)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ERRNO, EPERM, archs);

	profile_rule(s, &arena, POL_ACT_ALLOW, 0,
		     "read write faccessat2 rt_sigaction set_tls cacheflush");
	profile_rule(s, &arena, POL_ACT_ERRNO, EACCES, "openat2");
	profile_arg(profile_rule(s, &arena, POL_ACT_ALLOW, 0, "ioctl"), 1, SCMP_CMP_NE, 0x5412, 0);
	return s;
}

static void test_abis(void)
{
	for (size_t i = 0; i < ARRAY_LEN(abi_lists); i++) {
		struct strs names = str_split(&arena, abi_lists[i], ' ');
		struct pol_seccomp *s = abi_profile(abi_lists[i]);
		struct bytes b;

		if (other_byte_order(names.v[0])) {
			struct arena tmp = {0};

			for (size_t k = 0; k < names.n; k++) {
				s->archs.v[0] = names.v[k];
				s->archs.n = 1;
				ok(seccomp_compile(s, &tmp, &b, &err) == -EINVAL &&
					   strstr(err.msg, names.v[k]) &&
					   strstr(err.msg, "byte order"),
				   "refuses %s, which has the other byte order", names.v[k]);
			}
			arena_free(&tmp);
			continue;
		}
		b = compiled(s);
		for (size_t k = 0; k < names.n; k++)
			test_abi(s, &b, names.v[k]);
		ok(run6(&b, AUDIT_ARCH_ALPHA, 0, 0, 0, 0) == KILL,
		   "an ABI that is not listed is killed");
	}
}

static void test_x86(void)
{
	struct pol_seccomp *s = abi_profile("");
	struct bytes b = compiled(s), all;

	if (filter_native() != AUDIT_ARCH_X86_64) {
		skip("not x86_64", "x86 corner cases");
		return;
	}
	ok(native(&b, "read") == SECCOMP_RET_ALLOW, "no architectures means the native one");
	ok(run6(&b, AUDIT_ARCH_I386, 3, 0, 0, 0) == KILL,
	   "without SCMP_ARCH_X86 32-bit calls are killed");
	ok(run6(&b, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT, 0, 0, 0) == KILL &&
		   run6(&b, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT + 5000, 0, 0, 0) == KILL,
	   "without SCMP_ARCH_X32 its calls are killed");
	ok(run6(&b, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT - 1, 0, 0, 0) == ERRNO(ENOSYS),
	   "the last number below x32 gets ENOSYS");
	ok(run6(&b, AUDIT_ARCH_X86_64, -1, 0, 0, 0) == ERRNO(EPERM),
	   "call -1 gets the default on x86_64");

	s = abi_profile("SCMP_ARCH_X86 SCMP_ARCH_X32");
	all = compiled(s);
	ok(run6(&all, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT + 512, 0, 0, 0) == SECCOMP_RET_ALLOW,
	   "x32: rt_sigaction of the second table is allowed");
	ok(run6(&all, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT + 547, 0, 0, 0) == ERRNO(EPERM),
	   "x32: the last call of the second table gets the default");
	ok(run6(&all, AUDIT_ARCH_X86_64, (int) FILTER_X32_BIT + 548, 0, 0, 0) == ERRNO(ENOSYS),
	   "x32: numbers above the second table get ENOSYS");
	ok(run6(&all, AUDIT_ARCH_I386, 102, 1, 0, 0) == ERRNO(EPERM),
	   "x86: socketcall is not allowed by other rules");
	profile_rule(s, &arena, POL_ACT_ALLOW, 0, "socket");
	all = compiled(s);
	ok(run6(&all, AUDIT_ARCH_I386, 102, 1, 0, 0) == SECCOMP_RET_ALLOW &&
		   run6(&all, AUDIT_ARCH_I386, 102, 2, 0, 0) == ERRNO(EPERM) &&
		   run6(&all, AUDIT_ARCH_I386, 359, 0, 0, 0) == SECCOMP_RET_ALLOW,
	   "x86: socket is allowed directly and through socketcall");
	s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "SCMP_ARCH_X86");
	profile_rule(s, &arena, POL_ACT_ALLOW, 0, "read socket");
	all = compiled(s);
	ok(run6(&all, AUDIT_ARCH_I386, 359, 0, 0, 0) == SECCOMP_RET_ALLOW &&
		   run6(&all, AUDIT_ARCH_I386, 403, 0, 0, 0) == ERRNO(ENOSYS),
	   "x86: a call behind socketcall is not newer than itself");
}

static void test_arm(void)
{
	struct pol_seccomp *s = abi_profile("SCMP_ARCH_ARM");
	struct bytes b;

	if (other_byte_order("SCMP_ARCH_ARM")) {
		skip("other byte order", "arm's private calls");
		return;
	}
	b = compiled(s);
	ok(run6(&b, AUDIT_ARCH_ARM, 0xf0005, 0, 0, 0) == SECCOMP_RET_ALLOW &&
		   run6(&b, AUDIT_ARCH_ARM, 0xf0001, 0, 0, 0) == ERRNO(EPERM) &&
		   run6(&b, AUDIT_ARCH_ARM, 0xeffff, 0, 0, 0) == ERRNO(ENOSYS),
	   "arm: private calls neither hide newer calls nor get ENOSYS");
}

static void test_enosys_defaults(void)
{
	const int fresh = 5000;

	for (size_t i = 0; i < ARRAY_LEN(action_rows); i++) {
		uint32_t act = action_rows[i].action;
		bool denies = act == POL_ACT_KILL_THREAD || act == POL_ACT_KILL_PROCESS ||
			      act == POL_ACT_TRAP || act == POL_ACT_ERRNO;
		struct pol_seccomp *s = profile_new(&arena, act, action_rows[i].err, "");
		struct bytes b;

		profile_rule(s, &arena, act == POL_ACT_ALLOW ? POL_ACT_ERRNO : POL_ACT_ALLOW, EPERM,
			     "futex");
		b = compiled(s);
		ok(run6(&b, filter_native(), fresh, 0, 0, 0) ==
			   (denies ? ERRNO(ENOSYS) : action_rows[i].want),
		   "with the default %s a newer call gets %s", action_rows[i].name,
		   denies ? "ENOSYS" : "the default");
	}
}

static void test_enosys_edges(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ERRNO, EPERM, "");
	struct filter_abi abi = {.token = AUDIT_ARCH_S390X, .last = -1, .last_high = -1};
	struct nr_range r[ENOSYS_RANGES];
	struct bytes b;

	b = compiled(s);
	ok(b.n > 0 && run6(&b, filter_native(), 5000, 0, 0, 0) == ERRNO(EPERM),
	   "a profile without names has no newest call");
	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "openat2");
	b = compiled(s);
	ok(native(&b, "openat2") == ERRNO(EPERM) && native(&b, "faccessat2") == ERRNO(ENOSYS),
	   "names of rules that are left out count for the newest call");
	s = profile_new(&arena, POL_ACT_ERRNO, ENOSYS, "");
	profile_rule(s, &arena, POL_ACT_ALLOW, 0, "read");
	b = compiled(s);
	ok(native(&b, "write") == ERRNO(ENOSYS), "a default of ENOSYS needs no answer in front");
	enosys_note(&abi, 4);
	enosys_note(&abi, 3);
	enosys_note(&abi, -7);
	is_int(enosys_ranges(&abi, r), 2, "s390x has two ranges");
	ok(r[0].lo == 0 && r[0].hi == 0 && r[1].lo == 5 && r[1].hi == UINT32_MAX,
	   "s390x: 0 and everything above the newest");
	abi = (struct filter_abi){.token = AUDIT_ARCH_X86_64, .last = -1};
	is_int(enosys_ranges(&abi, r), 0, "no range without a name");
}

static void test_names(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	struct strs unknown;
	struct bytes b;

	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "getppid made_up");
	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "another made_up");
	b = compiled(s);
	ok(native(&b, "getppid") == ERRNO(EPERM),
	   "names that libseccomp does not know are left out");
	unknown = seccomp_unknown_names(s, &arena);
	ok(unknown.n == 2 && str_eq(unknown.v[0], "made_up") && str_eq(unknown.v[1], "another"),
	   "and are listed once each");
	s->fail_unknown = true;
	is_int(seccomp_compile(s, &arena, &b, &err), -EINVAL,
	       "with fail_unknown they are an error");
	is_str(err.msg, "linux.seccomp.syscalls[0]: names[1]: libseccomp does not know \"made_up\"",
	       "that names the rule");
}

/* Calls that came after the library: one number on all machines, and no way past a deny list. */
static void test_late_names(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0,
					    "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32");
	struct bytes b;

	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "open_tree_attr");
	is_int(filter_late_call("cachestat"), 451, "the first of them");
	is_int(filter_late_call("file_setattr"), 469, "the last");
	is_int(filter_late_call("getppid"), -1, "an old one is none");
	ok(str_eq0(filter_call_name(AUDIT_ARCH_AARCH64, 467, &arena), "open_tree_attr"),
	   "the name of a number");
	b = compiled(s);
	ok(seccomp_sim(&b, AUDIT_ARCH_X86_64, 467, NULL) == ERRNO(EPERM) &&
		   seccomp_sim(&b, AUDIT_ARCH_I386, 467, NULL) == ERRNO(EPERM) &&
		   seccomp_sim(&b, AUDIT_ARCH_X86_64, 467 | (int) FILTER_X32_BIT, NULL) ==
			   ERRNO(EPERM),
	   "a call younger than libseccomp is denied, on all ABIs");
	ok(seccomp_sim(&b, AUDIT_ARCH_X86_64, 466, NULL) == SECCOMP_RET_ALLOW &&
		   seccomp_sim(&b, AUDIT_ARCH_X86_64, 468, NULL) == SECCOMP_RET_ALLOW,
	   "and no other");
	is_int((int) seccomp_unknown_names(s, &arena).n, 0, "its name is not unknown");
}

/* What is refused, and where the message says it is. */
static void refused(const struct pol_seccomp *s, int want, const char *where)
{
	struct bytes b = {(uint8_t *) "x", 1};
	int r = seccomp_compile(s, &arena, &b, &err);

	ok(r == want && strstr(err.msg, where) == err.msg && b.n == 1, "refused: %s", err.msg);
}

static void test_refusals(void)
{
	struct pol_seccomp *s;

	s = profile_new(&arena, POL_ACT_ALLOW, 0, "SCMP_ARCH_VAX");
	refused(s, -EINVAL, "linux.seccomp.architectures: SCMP_ARCH_VAX: libseccomp ");
	s = profile_new(&arena, POL_ACT_ALLOW, 0, "x86_64");
	refused(s, -EINVAL, "linux.seccomp.architectures: x86_64: libseccomp ");
	s = profile_new(&arena, 0, 0, "");
	refused(s, -EINVAL, "linux.seccomp.defaultAction: action number 0 ");
	s = profile_new(&arena, POL_ACT_ERRNO, 4095, "");
	refused(s, -ERANGE, "linux.seccomp.defaultAction: errno 4095 ");
	s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	profile_rule(s, &arena, POL_ACT_NOTIFY + 1, 0, "read");
	refused(s, -EINVAL, "linux.seccomp.syscalls[0]: action number 9 ");
	s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	profile_arg(profile_rule(s, &arena, POL_ACT_TRAP, 0, "read"), 6, SCMP_CMP_EQ, 0, 0);
	refused(s, -EINVAL, "linux.seccomp.syscalls[0]: args[0].index: 6 ");
	s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	profile_arg(profile_rule(s, &arena, POL_ACT_TRAP, 0, "read"), 1, 0, 0, 0);
	refused(s, -EINVAL, "linux.seccomp.syscalls[0]: args[0].op: operator number 0 ");
	s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	profile_arg(profile_rule(s, &arena, POL_ACT_TRAP, 0, "read"), 1, 8, 0, 0);
	refused(s, -EINVAL, "linux.seccomp.syscalls[0]: args[0].op: operator number 8 ");

	s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	s->rules.v[0].action = POL_ACT_TRAP;
	s->rules.v[0].names = str_split(&arena, "read", ' ');
	s->rules.v[0].args.n = 70000;
	s->rules.v[0].args.v = arena_array(&arena, 70000, sizeof(struct pol_seccomp_arg));
	s->rules.n = 1;
	refused(s, -E2BIG, "linux.seccomp.syscalls: more than ");
	s->rules.v[0].args.n = 5000;
	for (size_t i = 0; i < 5000; i++)
		s->rules.v[0].args.v[i] = (struct pol_seccomp_arg){0, SCMP_CMP_EQ, i * 2, 0};
	refused(s, -E2BIG, "linux.seccomp: the filter needs more than 4096 instructions");
}

/* ---- the simulator ---- */

static void test_sim(void)
{
	struct sock_filter loop[] = {BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0),
				     BPF_STMT(BPF_RET | BPF_K, 1)};
	struct sock_filter off[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
				    BPF_STMT(BPF_RET | BPF_K, 1)};
	struct sock_filter far[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
				    BPF_STMT(BPF_RET | BPF_K, 1)};
	struct sock_filter fall[] = {BPF_STMT(BPF_LD | BPF_IMM, 2)};
	struct sock_filter math[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),	BPF_STMT(BPF_ST, 15),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 4), BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 15),		BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_NEG, 0),		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 10),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 1), BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_filter zero[] = {BPF_STMT(BPF_LDX | BPF_IMM, 0),
				     BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_filter either[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
#define PROG(p) (&(struct bytes){(uint8_t *) (p), sizeof(p)})
	const uint64_t args[6] = {1, 2, 3, 4, 5, 6};
	uint32_t ret[4];
	struct sim_call c;

	ok(run6(PROG(loop), 0, 0, 0, 0, 0) == KILL, "simulator: a jump outside is not loadable");
	ok(run6(PROG(off), 0, 0, 0, 0, 0) == KILL, "simulator: nor an odd offset");
	ok(run6(PROG(far), 0, 0, 0, 0, 0) == KILL, "simulator: nor data behind the structure");
	ok(run6(PROG(fall), 0, 0, 0, 0, 0) == KILL, "simulator: nor a program without an end");
	ok(seccomp_sim(&(struct bytes){(uint8_t *) fall, 7}, 0, 0, NULL) == KILL,
	   "simulator: nor a piece of one");
	ok(run6(PROG(math), 0, 0, 0, 0, 0) == 97, "simulator: arithmetic");
	ok(run6(PROG(zero), 0, 0, 0, 0, 0) == 0,
	   "simulator: division by a zero X kills the thread");
	sim_call(&c, 0, 0, NULL);
	is_int(sim_outcomes(PROG(either), &c, ret, 4), 2,
	       "simulator: unknown arguments take both ways");
	ok((ret[0] ^ ret[1]) == (SECCOMP_RET_LOG ^ SECCOMP_RET_ALLOW),
	   "simulator: and end in both actions");
	is_int(sim_outcomes(PROG(either), &c, ret, 1), 2,
	       "simulator: more outcomes than room are told");
	sim_call(&c, 0, 0, args);
	is_int(sim_outcomes(PROG(either), &c, ret, 4), 1,
	       "simulator: known arguments take one way");
	ok(ret[0] == SECCOMP_RET_ALLOW, "simulator: the right one");
}

static void test_dangerous(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	const struct seccomp_verdict *mnt = NULL, *clone = NULL;
	struct seccomp_verdict *v;
	struct bytes b = compiled(s);
	size_t n;

	is_int(seccomp_dangerous(&b, &arena, &v), 0,
	       "a filter that allows everything denies nothing dangerous");
	profile_rule(s, &arena, POL_ACT_ERRNO, EPERM, "mount kexec_load getpid");
	profile_arg(profile_rule(s, &arena, POL_ACT_ERRNO, EACCES, "clone"), 0, SCMP_CMP_MASKED_EQ,
		    0x10000000, 0x10000000);
	b = compiled(s);
	n = seccomp_dangerous(&b, &arena, &v);
	for (size_t i = 0; i < n; i++) {
		mnt = str_eq(v[i].name, "mount") ? &v[i] : mnt;
		clone = str_eq(v[i].name, "clone") ? &v[i] : clone;
	}
	is_int(n, 3, "three dangerous calls are denied");
	ok(mnt && mnt->action == ERRNO(EPERM) && !mnt->conditional, "mount always");
	ok(clone && clone->action == ERRNO(EACCES) && clone->conditional,
	   "clone depending on its arguments");
	b = compiled(profile_engine(&arena, EPERM, ""));
	n = seccomp_dangerous(&b, &arena, &v);
	ok(n > 20, "an engine's profile denies many of them (%zu)", n);
}

/* ---- in the kernel ---- */

static int load(const struct bytes *b, unsigned flags)
{
	struct sock_fprog p = {(unsigned short) (b->n / 8), (struct sock_filter *) (void *) b->v};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p) < 0 ? -errno : 0;
}

/* Loads the filter in a child and runs fn there; returns fn's result, or 128 + the signal. */
static int in_child(const struct bytes *b, unsigned flags, int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(load(b, flags) < 0 ? 99 : fn());
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int errno_of(long r)
{
	return r < 0 ? errno : 0;
}

static int call_getppid(void)
{
	return errno_of(syscall(SYS_getppid));
}

static int call_mkdir(void)
{
	return errno_of(mkdir("/tmp/kavach-test-seccomp-mkdir", 0700));
}

static int call_new(void)
{
	return errno_of(syscall(1000));
}

static int call_socket(void)
{
	int inet = errno_of(socket(AF_UNIX, SOCK_STREAM, 0)),
	    audit = errno_of(socket(AF_NETLINK, SOCK_RAW, 9));

	return inet == 0 && audit == EINVAL ? 0 : 1;
}

static int call_nothing(void)
{
	return 42;
}

#ifdef __x86_64__
static int int80(int n)
{
	int r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(n), "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? -r : 0;
}

static int call_acct32(void)
{
	return int80(51);
}

static int call_getppid32(void)
{
	return int80(64);
}

static int call_new32(void)
{
	return int80(1000);
}

static void test_kernel_32(void)
{
	struct pol_seccomp *s = profile_engine(&arena, EPERM, "SCMP_ARCH_X86");
	struct bytes b = compiled(s);

	if (in_child(&b, 0, call_getppid32) != 0) {
		skip("no 32-bit calls here", "32-bit calls in the kernel");
		return;
	}
	is_int(in_child(&b, 0, call_acct32), EPERM, "kernel: a 32-bit call is denied");
	is_int(in_child(&b, 0, call_new32), ENOSYS, "kernel: a newer 32-bit call gets ENOSYS");
	s->archs.n = 0;
	b = compiled(s);
	is_int(in_child(&b, 0, call_getppid32), 128 + SIGSYS,
	       "kernel: a 32-bit call without its ABI is killed");
}
#else
static void test_kernel_32(void)
{
	skip("not x86_64", "32-bit calls in the kernel");
}
#endif

static const struct {
	const char *name;
	unsigned flag;
} flag_rows[] = {
	{"none", 0},
	{"TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
	{"LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
};

static void test_kernel(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, "");
	struct bytes b = compiled(s);

	if (in_child(&b, 0, call_nothing) != 42) {
		skip("seccomp(2) does not work here", "filters in the kernel");
		return;
	}
	ok(true, "kernel: a filter without rules loads");
	profile_rule(s, &arena, POL_ACT_ERRNO, EXDEV, "getppid");
	profile_rule(s, &arena, POL_ACT_ERRNO, EACCES, "mkdir mkdirat");
	b = compiled(s);
	for (size_t i = 0; i < ARRAY_LEN(flag_rows); i++)
		is_int(in_child(&b, flag_rows[i].flag, call_getppid), EXDEV,
		       "kernel: getppid is denied, flags %s", flag_rows[i].name);
	is_int(in_child(&b, 0, call_mkdir), EACCES, "kernel: mkdir is denied");
	s->rules.v[1].action = POL_ACT_KILL_PROCESS;
	b = compiled(s);
	is_int(in_child(&b, 0, call_mkdir), 128 + SIGSYS, "kernel: mkdir is killed");
	s = profile_engine(&arena, EPERM, "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32");
	if (filter_native() != AUDIT_ARCH_X86_64)
		s->archs.n = 0;
	b = compiled(s);
	is_int(in_child(&b, 0, call_getppid), 0, "kernel: an engine's profile allows getppid");
	is_int(in_child(&b, 0, call_new), ENOSYS,
	       "kernel: and answers ENOSYS to a call of the future");
	is_int(in_child(&b, 0, call_socket), 0, "kernel: and looks at socket's arguments");
	test_kernel_32();
}

/* ---- cost, for people ---- */

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static double load_us(const struct bytes *b)
{
	double best = 1e9;

	for (int i = 0; i < 15; i++) {
		int p[2];
		double us = 1e9;

		if (pipe(p) < 0)
			return 0;
		if (fork() == 0) {
			double t = now_us();

			us = load(b, 0) < 0 ? 1e9 : now_us() - t;
			_exit(write(p[1], &us, sizeof(us)) != sizeof(us));
		}
		close(p[1]);
		if (read(p[0], &us, sizeof(us)) == sizeof(us) && us < best)
			best = us;
		close(p[0]);
		wait(NULL);
	}
	return best;
}

static void print_cost(void)
{
	struct pol_seccomp *s = profile_engine(&arena, EPERM,
					       "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32");
	struct arena tmp = {0};
	double best = 1e9, t;
	struct bytes b = {0};

	if (filter_native() != AUDIT_ARCH_X86_64)
		s->archs.n = 0;
	for (int i = 0; i < 5; i++) {
		t = now_us();
		if (seccomp_compile(s, &tmp, &b, &err) < 0)
			return;
		if (now_us() - t < best)
			best = now_us() - t;
	}
	printf("# an engine's profile, %zu names: compiled in %.0f us, %zu instructions, loaded in %.0f us\n",
	       s->rules.v[1].names.n, best, b.n / 8, load_us(&b));
	arena_free(&tmp);
}

int main(void)
{
	test_actions();
	test_operators();
	test_conditions();
	test_abis();
	test_x86();
	test_arm();
	test_enosys_defaults();
	test_enosys_edges();
	test_names();
	test_late_names();
	test_refusals();
	test_sim();
	test_dangerous();
	test_kernel();
	print_cost();
	arena_free(&arena);
	return done();
}

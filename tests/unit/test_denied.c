/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy base */
/*
 * Filters that report what they deny: for every call they answer as before, but that an errno has become a question, and the
 * errno that is given to it is the one of before. And the words of a report.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccomp/filter.h"
#include "seccomp/report.h"
#include "seccomp_profile.h"
#include "tap.h"

#define CALLS 520
#define ARCHS "SCMP_ARCH_X86_64 SCMP_ARCH_X86"

static struct arena arena;
static struct err err;

/* The kernel's: the strictest action; of equal ones that of the youngest filter. */
static uint32_t together(const struct bytes *f, size_t n, uint32_t arch, int nr,
			 const uint64_t *args)
{
	uint32_t ret = SECCOMP_RET_ALLOW;

	while (n-- > 0) {
		uint32_t one = seccomp_sim(&f[n], arch, nr, args);

		if (filter_rank(one) < filter_rank(ret))
			ret = one;
	}
	return ret;
}

static bool same(const struct bytes *from, size_t n, const struct bytes *to, uint32_t arch, int nr,
		 const uint64_t *args)
{
	uint32_t before = together(from, n, arch, nr, args),
		 after = together(to, n + 1, arch, nr, args);

	if ((before & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return after == before;
	return after == SECCOMP_RET_USER_NOTIF &&
	       report_errno(from, n, arch, nr, args) == (int) (before & SECCOMP_RET_DATA);
}

static void compare(const struct pol_seccomp *const *s, size_t n, const char *what)
{
	static const uint64_t values[] = {0,	      1,	  2,	       16,
					  0x10000000, 0xffffffff, 0x100000001, UINT64_MAX};
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
					 AUDIT_ARCH_ARM};
	struct bytes from[4], to[5];
	size_t asked = 0, wrong = 0;

	for (size_t i = 0; i < n; i++)
		if (seccomp_compile(s[i], &arena, &from[i], &err) < 0)
			bail_out(err.msg);
	if (report_filters(from, n, to, &arena, &err) < 0)
		bail_out(err.msg);
	for (size_t a = 0; a < ARRAY_LEN(archs); a++)
		for (int nr = 0; nr < CALLS; nr++)
			for (size_t v = 0; v < ARRAY_LEN(values); v++) {
				const uint64_t args[6] = {values[v], values[(v + 3) % 8],
							  values[v], values[(v + 5) % 8],
							  values[v], values[v]};

				wrong += !same(from, n, to, archs[a], nr, args);
				asked += together(to, n + 1, archs[a], nr, args) ==
					 SECCOMP_RET_USER_NOTIF;
			}
	ok(wrong == 0 && asked > 0, "%s: %zu of %zu calls are asked about, all are as before", what,
	   asked, ARRAY_LEN(archs) * CALLS * ARRAY_LEN(values));
}

static struct pol_seccomp *few(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, ARCHS);

	profile_rule(s, &arena, POL_ACT_ERRNO, 1, "mkdir chroot reboot");
	profile_rule(s, &arena, POL_ACT_KILL_PROCESS, 0, "swapon");
	profile_rule(s, &arena, POL_ACT_TRAP, 0, "swapoff");
	profile_rule(s, &arena, POL_ACT_LOG, 0, "getpid");
	profile_rule(s, &arena, POL_ACT_ERRNO, 0, "getppid"); /* as if it had succeeded */
	profile_arg(profile_rule(s, &arena, POL_ACT_ERRNO, 97, "socket"), 0, 4, 16, 0);
	profile_arg(profile_rule(s, &arena, POL_ACT_ERRNO, 1, "personality"), 0, 1, 0, 0);
	return s;
}

/* What the first one says with an errno it says otherwise, and the other way round. */
static struct pol_seccomp *others(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, ARCHS);

	profile_rule(s, &arena, POL_ACT_ERRNO, 38, "swapon swapoff getpid mkdir mount");
	profile_rule(s, &arena, POL_ACT_KILL_THREAD, 0, "chroot");
	profile_rule(s, &arena, POL_ACT_TRACE, 7, "reboot umount2");
	profile_rule(s, &arena, POL_ACT_LOG, 0, "getppid");
	return s;
}

static struct pol_seccomp *denying(void)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ERRNO, 38, ARCHS);

	profile_rule(s, &arena, POL_ACT_ALLOW, 0,
		     "read write seccomp execve exit_group mkdir chroot swapon swapoff reboot");
	profile_rule(s, &arena, POL_ACT_ERRNO, 1, "bpf ptrace");
	profile_rule(s, &arena, POL_ACT_KILL_PROCESS, 0, "kexec_load");
	profile_arg(profile_rule(s, &arena, POL_ACT_ALLOW, 0, "personality"), 0, 4, 0, 0);
	return s;
}

static void test_same(void)
{
	const struct pol_seccomp *a = few(), *b = others(), *c = denying(),
				 *engine = profile_engine(&arena, POL_ACT_ERRNO, ARCHS);

	compare((const struct pol_seccomp *[]){a}, 1, "one filter");
	compare((const struct pol_seccomp *[]){c}, 1, "one that denies by default");
	compare((const struct pol_seccomp *[]){a, b}, 2, "two");
	compare((const struct pol_seccomp *[]){b, a}, 2, "two the other way round");
	compare((const struct pol_seccomp *[]){a, b, c}, 3, "three");
	compare((const struct pol_seccomp *[]){c, a, engine, b}, 4, "four, an engine's among them");
}

static void refused(const char *call, uint32_t action, const char *message)
{
	struct pol_seccomp *s = profile_new(&arena, POL_ACT_ALLOW, 0, ARCHS);
	struct bytes from, to[2];

	profile_rule(s, &arena, action, 1, call);
	if (seccomp_compile(s, &arena, &from, &err) < 0)
		bail_out(err.msg);
	err = ERR_INIT;
	is_str(report_filters(&from, 1, to, &arena, &err) < 0 ? err.msg : "accepted", message,
	       "%s is needed", call);
}

static void test_refused(void)
{
	struct sock_filter *f = arena_array(&arena, BPF_MAXINSNS, sizeof(*f));
	struct bytes long_one = {.v = (void *) f, .n = BPF_MAXINSNS * sizeof(*f)}, to[2];
	struct sock_filter computed[] = {BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW),
					 BPF_STMT(BPF_RET | BPF_A, 0)};
	struct bytes odd = {.v = (void *) computed, .n = sizeof(computed)};

#define NEEDS(call)                                                                                \
	"denied calls cannot be reported: the seccomp filter denies " call                         \
	", which hands the listener over"
	refused("write", POL_ACT_ERRNO, NEEDS("write"));
	refused("read", POL_ACT_TRAP, NEEDS("read"));
	refused("seccomp", POL_ACT_KILL_PROCESS, NEEDS("seccomp"));
	refused("mkdir", POL_ACT_ERRNO, "accepted");
	for (size_t i = 0; i < BPF_MAXINSNS; i++)
		f[i] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	is_int(report_filters(&long_one, 1, to, &arena, &err), -E2BIG, "what would be too long");
	is_int(report_filters(&odd, 1, to, &arena, &err), -EINVAL, "what computes its answer");
}

/* ---- words ---- */

static const char *text_of(const char *name, const uint64_t *args, uint32_t token)
{
	buf_auto b = BUF_WRITER(4096);
	int nr = seccomp_syscall_resolve_name_arch(token, name);

	report_call(&b, token, nr, args, (uint32_t) getpid(), &arena);
	return arena_strndup(&arena, (const char *) b.p, b.n);
}

#define A(...)                                                                                     \
	(const uint64_t[6])                                                                        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define S(text) ((uint64_t) (uintptr_t) (text))
#define CALL(name, text, ...)                                                                      \
	is_str(text_of(name, A(__VA_ARGS__), filter_native()), text, "%s", name)

static void test_words(void)
{
	uint64_t clone3[11] = {0x10020000};
	struct {
		uint16_t family;
		char rest[14];
	} sa = {16, ""};
	char many[200];

	memset(many, 'x', sizeof(many));
	CALL("mount", "mount(\"a\\x22\\x0a\", \"/mnt\", NULL, MS_RDONLY|MS_BIND|0x40000000, NULL)",
	     S("a\"\n"), S("/mnt"), 0, 0x40001001, 0);
	CALL("clone3", "clone3({flags=CLONE_NEWNS|CLONE_NEWUSER}, 88)", S(clone3), 88);
	CALL("clone", "clone(CLONE_NEWUSER, NULL, NULL, NULL, 0)", 0x10000011);
	CALL("unshare", "unshare(CLONE_NEWTIME|CLONE_NEWNET)", 0x40000080);
	CALL("socket", "socket(AF_PACKET, SOCK_RAW, 768)", 17, 0x80003, 768);
	CALL("socket", "socket(0x3e7, SOCK_STREAM, 0)", 999, 1, 0);
	CALL("connect", "connect(3, {AF_NETLINK}, 16)", 3, S(&sa), 16);
	CALL("ioctl", "ioctl(0, TIOCSTI, 0x1)", 0, 0x5412, 1);
	CALL("ioctl", "ioctl(-1, TIOCLINUX, 0)", UINT32_MAX, 0xffffffff0000541c, 0);
	CALL("bpf", "bpf(BPF_PROG_LOAD, 0x10, 72)", 5, 16, 72);
	CALL("ptrace", "ptrace(PTRACE_ATTACH, 1, NULL, NULL)", 16, 1, 0, 0);
	CALL("openat", "openat(AT_FDCWD, \"/x\", O_WRONLY|O_CREAT, 0644)", (uint64_t) -100, S("/x"),
	     0101, 0644);
	CALL("mknodat", "mknodat(5, \"d\", 060600, 8:1)", 5, S("d"), 060600, 0x801);
	CALL("personality", "personality(0xffffffff)", 0xffffffff);
	CALL("getpriority", "getpriority(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)", 1, 2, 3, 4, 5, 6);
	CALL("chroot", "chroot(0x8)", 8);
	CALL("vhangup", "vhangup()", 0);
	ok(strstr(text_of("chroot", A(S(many)), filter_native()), "xxx\"...)"), "long text is cut");
	is_str(text_of("chroot", A(0), AUDIT_ARCH_I386), "chroot(NULL) of x86",
	       "another convention");
	is_str(report_errno_name(38, &arena), "ENOSYS", "an errno has its name");
	is_str(report_errno_name(4000, &arena), "errno 4000", "if it has one");
}

static const char *log_of(const char *line)
{
	buf_auto b = BUF_WRITER(4096);

	if (!report_log(&b, line, strlen(line), &arena))
		return "none";
	return arena_strndup(&arena, (const char *) b.p, b.n);
}

static void test_log(void)
{
#define HEAD "type=1326 audit(1795276543.431:4559): auid=4294967295 uid=0 "
	is_str(log_of(HEAD
		      "pid=20 comm=\"a b\" exe=\"/x\" sig=31 arch=c000003e syscall=165 compat=0 "
		      "ip=0x7f code=0x80000000"),
	       "2026-11-21T15:55:43Z pid 20 \"a b\" (\"/x\"): mount is denied: the process is killed\n",
	       "a call that killed");
	is_str(log_of(HEAD "pid=20 comm=61FF exe=(null) arch=c000003e syscall=9999 code=0x50026"),
	       "2026-11-21T15:55:43Z pid 20 \"a\\xff\" (\"\"): call_9999 is denied: ENOSYS\n",
	       "names in hex, a number without a name");
	is_str(log_of(HEAD "comm=\"x\" exe=\"/x\" arch=c000003e syscall=1 code=0x0"), "none",
	       "without a process");
	is_str(log_of(HEAD "pid=99999999999 comm=\"x\" arch=c000003e syscall=1 code=0x0"), "none",
	       "with a number too large");
	is_str(log_of("type=1327 pid=1 arch=c000003e syscall=1 code=0x0"), "none",
	       "about something else");
}

int main(void)
{
#ifdef __x86_64__
	test_same();
	test_refused();
	test_words();
	test_log();
#else
	ok(true, "for x86_64");
#endif
	arena_free(&arena);
	return done();
}

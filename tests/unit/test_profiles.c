/* SPDX-License-Identifier: Apache-2.0 */
/* libs: seccomp policy host spec json base */
/* timeout: 120 */
/*
 * The named seccomp profiles, loaded: real programs start under them (how they work: presets.bats), the kernel is asked
 * about every number of every table, and does what the simulator says; what must be denied is written down here once
 * more. The profiles of other machines are compared with what libseccomp makes of them. Needs no root: no_new_privs is
 * enough to load a filter.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "../tools/try_calls.h"
#include "policy_fixture.h"
#include "seccomp/view.h"

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define SHARED_MAX (TRY_ALL_MAX + 1024)

/* The kernel's answers, from another process. */
static struct shared {
	size_t at, n;
	int failed;
	struct try_call call[SHARED_MAX];
} * shared;

static const struct pol_seccomp *profile(const char *preset, const char *machine)
{
	reset();
	snprintf(host.machine, sizeof(host.machine), "%.15s", machine);
	return &MUST(.top = arena_printf(&arena, "'annotations':{'io.kavach.preset':'%s'}", preset))
			->seccomp;
}

static struct bytes compile(const struct pol_seccomp *s)
{
	struct bytes bpf = {0};

	if (seccomp_compile(s, &arena, &bpf, &err) < 0)
		bail_out(err.msg);
	return bpf;
}

static void load(const struct bytes *bpf)
{
	struct sock_fprog prog = {.len = (unsigned short) (bpf->n / sizeof(struct sock_filter)),
				  .filter = (struct sock_filter *) (void *) bpf->v};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		_exit(99);
}

/* ---- programs ---- */

static const struct {
	const char *name;
	const char *argv[4];
} programs[] = {
	{"a dynamic program", {"/bin/true"}},
	{"a shell with a pipeline",
	 {"/bin/sh", "-c", "echo hello | grep -q hell && test -d / && ls / >/dev/null"}},
	{"bash with jobs and substitution",
	 {"/bin/bash", "-c",
	  "sleep 0.01 & wait; x=$(uname -s); [[ $x = Linux ]] && cat <(echo y) >/dev/null"}},
	{"static busybox", {"/bin/busybox", "sh", "-c", "busybox ls / | busybox wc -l >/dev/null"}},
	{"a Go program", {"/usr/sbin/runc", "--version"}},
	{"python with threads, a process and a socket",
	 {"/usr/bin/python3", "-c",
	  "import threading,subprocess,socket,tempfile,os\n"
	  "t=threading.Thread(target=lambda: None); t.start(); t.join()\n"
	  "assert subprocess.run(['/bin/true']).returncode==0\n"
	  "a,b=socket.socketpair(); a.send(b'x'); assert b.recv(1)==b'x'\n"
	  "f=tempfile.TemporaryFile(); f.write(b'x'); f.flush(); os.fsync(f.fileno())\n"}},
	{"node with workers, timers and a child",
	 {"/usr/bin/node", "-e",
	  "const {Worker}=require('worker_threads');"
	  "new Worker('1',{eval:true}).on('exit',()=>{"
	  "require('child_process').execFileSync('/bin/true');"
	  "setTimeout(()=>require('fs').promises.readdir('/').then(()=>process.exit(0)),5)})"}},
};

static int run_program(const struct bytes *bpf, const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 0);
		dup2(null, 1);
		load(bpf);
		execv(argv[0], (char *const *) (uintptr_t) argv);
		_exit(98);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_programs(const char *preset, const struct bytes *bpf)
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		if (access(programs[i].argv[0], X_OK) < 0) {
			skip("not installed", "%s runs %s", preset, programs[i].name);
			continue;
		}
		is_int(run_program(bpf, programs[i].argv), 0, "%s runs %s", preset,
		       programs[i].name);
	}
}

/* ---- the kernel and the simulator ---- */

static void ask_kernel(const struct bytes *bpf)
{
	pid_t pid = fork();

	shared->failed = 1;
	if (pid == 0) {
		load(bpf);
		shared->failed = try_calls(shared->call, shared->n, &shared->at) < 0;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0 || shared->failed)
		bail_out("the kernel could not be asked");
}

static uint32_t audit_of(const struct try_call *c)
{
	return c->abi == TRY_32 ? AUDIT_ARCH_I386 : filter_native();
}

/* No filter sees uretprobe and uprobe (Linux 6.12, 6.18). */
static bool is_unfiltered(const struct try_call *c)
{
#ifdef __x86_64__
	return c->abi == TRY_NATIVE && (c->nr == 335 || c->nr == 336) &&
	       (c->answer == TRY_FAULTS || c->answer == ENXIO);
#else
	(void) c;
	return false;
#endif
}

/* What an action of the simulator is as an answer. */
static int answer_of(uint32_t ret)
{
	switch (ret & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: return TRY_PASSES;
	case SECCOMP_RET_ERRNO: return (int) (ret & SECCOMP_RET_DATA);
	case SECCOMP_RET_KILL_PROCESS: return TRY_KILLS;
	default: return -1;
	}
}

static bool agrees(const struct bytes *bpf, const struct try_call *c)
{
	const uint64_t args[6] = {c->args[0], c->args[1], c->args[2],
				  c->args[3], c->args[4], TRY_MAGIC};
	int want = answer_of(seccomp_sim(bpf, audit_of(c), (int) c->nr, args));

	if (c->answer == want || is_unfiltered(c))
		return true;
	printf("# abi %d number %u (%llx, %llx): kernel %d, simulator %d\n", c->abi, c->nr,
	       (unsigned long long) c->args[0], (unsigned long long) c->args[1], c->answer, want);
	return false;
}

static void test_all_numbers(const char *preset, const struct bytes *bpf)
{
	static const char *const names[] = {"native", "32-bit", "x32"};
	size_t n[3] = {0}, same[3] = {0}, missing = 0;

	shared->n = try_all(shared->call);
	ask_kernel(bpf);
	for (size_t i = 0; i < shared->n; i++) {
		const struct try_call *c = &shared->call[i];
		size_t k = c->abi == TRY_32 ? 1 : c->nr & TRY_X32 ? 2 : 0;

		n[k]++;
		missing += c->answer == TRY_NO_ABI;
		same[k] += c->answer == TRY_NO_ABI || agrees(bpf, c);
	}
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		if (!n[k] || (k == 1 && missing))
			skip("not an ABI of this kernel", "%s: %s numbers", preset, names[k]);
		else
			is_int(same[k], n[k], "%s: the kernel answers all %s numbers as simulated",
			       preset, names[k]);
	}
}

/* ---- what must be denied, in words of this file's own ---- */

static const char *const denied[] = {
	"mount",
	"umount2",
	"pivot_root",
	"move_mount",
	"open_tree",
	"open_tree_attr",
	"fsopen",
	"fsmount",
	"fsconfig",
	"fspick",
	"mount_setattr",
	"unshare",
	"setns",
	"open_by_handle_at",
	"bpf",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"kcmp",
	"pidfd_getfd",
	"keyctl",
	"add_key",
	"request_key",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"userfaultfd",
	"perf_event_open",
	"fanotify_init",
	"settimeofday",
	"clock_settime",
	"clock_adjtime",
	"adjtimex",
	"swapon",
	"swapoff",
	"acct",
	"sethostname",
	"setdomainname",
	"syslog",
	"quotactl",
	"quotactl_fd",
	"vhangup",
	"lookup_dcookie",
	"personality",
	"move_pages",
	"migrate_pages",
	"mbind",
	"set_mempolicy",
	"iopl",
	"ioperm",
	"modify_ldt",
	"ustat",
	"sysfs",
	"nfsservctl",
	"stime",
	"umount",
	"vm86",
	"vm86old",
	"clock_settime64",
	"clock_adjtime64",
};

/* Not on the deny list, and not needed either. */
static const char *const not_in_strict[] = {
	"chroot",	    "name_to_handle_at",
	"vmsplice",	    "memfd_secret",
	"process_mrelease", "statmount",
	"listmount",	    "lsm_set_self_attr",
	"remap_file_pages", "set_mempolicy_home_node",
	"cachestat",	    "mseal",
	"setxattrat",	    "file_setattr",
};

static void add_name(enum try_abi abi, uint32_t token, const char *name)
{
	int nr = filter_call_nr(token, name);

	if (nr >= 0)
		shared->call[shared->n++] = (struct try_call){.abi = abi, .nr = (uint32_t) nr};
}

static void add_names(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add_name(TRY_NATIVE, filter_native(), names[i]);
#ifdef __x86_64__
		add_name(TRY_32, AUDIT_ARCH_I386, names[i]);
		add_name(TRY_NATIVE, FILTER_TOKEN_X32, names[i]);
#endif
	}
}

static void test_denied(const char *preset, const struct bytes *bpf, bool strict)
{
	size_t n_denied, wrong = 0;

	shared->n = 0;
	add_names(denied, ARRAY_LEN(denied));
	n_denied = shared->n;
	if (strict)
		add_names(not_in_strict, ARRAY_LEN(not_in_strict));
	ask_kernel(bpf);
	for (size_t i = 0; i < shared->n; i++) {
		const struct try_call *c = &shared->call[i];
		int want = i < n_denied ? EPERM : ENOSYS;

		if (c->nr & TRY_X32 || (c->abi == TRY_32 && strict))
			want = TRY_KILLS;
		if (c->answer == want || c->answer == TRY_NO_ABI)
			continue;
		printf("# %s: abi %d number %u: %d\n", preset, c->abi, c->nr, c->answer);
		wrong++;
	}
	ok(wrong == 0 && shared->n > ARRAY_LEN(denied) - 8, "%s denies what it must, %zu numbers",
	   preset, shared->n);
}

/* ---- what depends on arguments ---- */

#define HIGH 0x100000000ULL
static const struct {
	const char *what, *name;
	uint64_t args[3];
	int basic, strict;
} cases[] = {
	{"a thread", "clone", {0x3d0f00}, TRY_PASSES, TRY_PASSES},
	{"a child", "clone", {SIGCHLD}, TRY_PASSES, TRY_PASSES},
	{"a user namespace", "clone", {CLONE_NEWUSER | SIGCHLD}, EPERM, ENOSYS},
	{"a network namespace", "clone", {CLONE_NEWNET | SIGCHLD}, EPERM, ENOSYS},
	{"a mount namespace", "clone", {CLONE_NEWNS}, EPERM, ENOSYS},
	{"a pid namespace", "clone", {CLONE_NEWPID}, EPERM, ENOSYS},
	{"a cgroup namespace", "clone", {CLONE_NEWCGROUP}, EPERM, ENOSYS},
	{"an ipc namespace", "clone", {CLONE_NEWIPC}, EPERM, ENOSYS},
	{"a uts namespace", "clone", {CLONE_NEWUTS | HIGH}, EPERM, ENOSYS},
	{"clone3", "clone3", {0, 88}, ENOSYS, ENOSYS},
	{"the size of a terminal", "ioctl", {0, 0x5413}, TRY_PASSES, TRY_PASSES},
	{"typing into a terminal", "ioctl", {0, 0x5412}, EPERM, EPERM},
	{"the same with bits that the kernel drops", "ioctl", {0, HIGH | 0x5412}, EPERM, EPERM},
	{"pasting into a console", "ioctl", {0, 0x541c}, EPERM, EPERM},
	{"the same with bits that the kernel drops", "ioctl", {0, 2 * HIGH | 0x541c}, EPERM, EPERM},
	{"a socket of unix", "socket", {AF_UNIX, SOCK_STREAM}, TRY_PASSES, TRY_PASSES},
	{"inet", "socket", {AF_INET, SOCK_DGRAM, 17}, TRY_PASSES, TRY_PASSES},
	{"inet6, sign-extended", "socket", {AF_INET6 | 7 * HIGH}, TRY_PASSES, TRY_PASSES},
	{"routes", "socket", {AF_NETLINK, SOCK_RAW, 0}, TRY_PASSES, TRY_PASSES},
	{"netfilter", "socket", {AF_NETLINK, SOCK_RAW, 12}, TRY_PASSES, ENOSYS},
	{"audit", "socket", {AF_NETLINK, SOCK_RAW, 9}, TRY_PASSES, ENOSYS},
	{"packets", "socket", {AF_PACKET, SOCK_RAW, 3}, TRY_PASSES, ENOSYS},
	{"a vsock", "socket", {AF_VSOCK, SOCK_STREAM}, TRY_PASSES, ENOSYS},
	{"kernel crypto", "socket", {AF_ALG, SOCK_SEQPACKET}, TRY_PASSES, ENOSYS},
	{"bluetooth", "socket", {AF_BLUETOOTH, SOCK_RAW}, TRY_PASSES, ENOSYS},
	{"a family of none", "socket", {HIGH}, TRY_PASSES, ENOSYS},
};

static void test_cases(const char *preset, const struct bytes *bpf, bool strict)
{
	shared->n = ARRAY_LEN(cases);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct try_call *c = &shared->call[i];

		*c = (struct try_call){
			.nr = (uint32_t) filter_call_nr(filter_native(), cases[i].name)};
		memcpy(c->args, cases[i].args, sizeof(cases[i].args));
	}
	ask_kernel(bpf);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		is_int(shared->call[i].answer, strict ? cases[i].strict : cases[i].basic,
		       "%s: %s (%s)", preset, cases[i].what, cases[i].name);
		ok(agrees(bpf, &shared->call[i]), "as simulated");
	}
}

/* ---- other machines ---- */

static bool has(const struct pol_seccomp *s, uint32_t action, uint32_t token, int nr)
{
	for (size_t i = 0; i < s->rules.n; i++)
		for (size_t k = 0; k < s->rules.v[i].names.n; k++)
			if (s->rules.v[i].action == action && !s->rules.v[i].args.n &&
			    filter_call_nr(token, s->rules.v[i].names.v[k]) == nr)
				return true;
	return false;
}

static bool is_conditional(const struct pol_seccomp *s, uint32_t token, int nr)
{
	for (size_t i = 0; i < s->rules.n; i++)
		if (s->rules.v[i].args.n && filter_call_nr(token, s->rules.v[i].names.v[0]) == nr)
			return true;
	return false;
}

/* Every number against the lists. */
static void test_lists(const char *preset, const char *machine, uint32_t token, bool covered)
{
	const struct pol_seccomp *s = profile(preset, machine);
	struct bytes bpf = compile(s);
	size_t n[3] = {0}, wrong = 0;
	uint32_t other = s->default_action == POL_ACT_ALLOW ? SECCOMP_RET_ALLOW : ERRNO(ENOSYS);

	for (int nr = 0; nr < TRY_NUMBERS; nr++) {
		uint32_t got = seccomp_sim(&bpf, token, nr, NULL), want = other;
		bool deny = has(s, POL_ACT_ERRNO, token, nr),
		     allow = has(s, POL_ACT_ALLOW, token, nr);

		if (is_conditional(s, token, nr))
			continue;
		if (allow || deny)
			want = allow ? SECCOMP_RET_ALLOW : ERRNO(EPERM);
		if (deny && nr == filter_call_nr(token, "clone3"))
			want = ERRNO(ENOSYS);
		if (!covered)
			want = SECCOMP_RET_KILL_PROCESS;
		n[allow ? 0 : deny ? 1 : 2]++;
		if (got != want)
			printf("# %s %x: number %d: %x\n", machine, token, nr, got);
		wrong += got != want || (allow && deny);
	}
	ok(wrong == 0 && n[1] > 50 && n[2] > 100 && (n[0] > 200 || other == SECCOMP_RET_ALLOW),
	   "%s on %s, ABI %08x: %zu allowed, %zu denied, %zu others", preset, machine, token, n[0],
	   n[1], n[2]);
	for (size_t i = 0; i < ARRAY_LEN(denied) && covered; i++) {
		int nr = filter_call_nr(token, denied[i]);

		if (nr >= 0 && seccomp_sim(&bpf, token, nr, NULL) != ERRNO(EPERM))
			ok(0, "%s on %s denies %s", preset, machine, denied[i]);
	}
}

/* The same rules given to libseccomp itself, for one ABI. */
static bool oracle(const struct pol_seccomp *s, uint32_t token, struct bytes *ret)
{
	const uint32_t by_default = s->default_action == POL_ACT_ALLOW ? SCMP_ACT_ALLOW
								       : SCMP_ACT_ERRNO(ENOSYS);
	scmp_filter_ctx ctx = seccomp_init(by_default);
	int fd = memfd_create("oracle", MFD_CLOEXEC), r = fd < 0 ? -1 : 0;

	if (token != seccomp_arch_native() &&
	    (seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) < 0 || seccomp_arch_add(ctx, token) < 0))
		r = -1;
	for (size_t i = 0; i < s->rules.n && r == 0; i++) {
		const struct pol_seccomp_rule *rule = &s->rules.v[i];
		uint32_t act = rule->action == POL_ACT_ALLOW ? SCMP_ACT_ALLOW
							     : SCMP_ACT_ERRNO(rule->errno_ret);
		struct scmp_arg_cmp cmp[2];

		for (size_t k = 0; k < rule->args.n; k++)
			cmp[k] = (struct scmp_arg_cmp){rule->args.v[k].index,
						       (enum scmp_compare) rule->args.v[k].op,
						       rule->args.v[k].value,
						       rule->args.v[k].value2};
		for (size_t k = 0; k < rule->names.n && r == 0; k++) {
			int nr = seccomp_syscall_resolve_name(rule->names.v[k]);

			if (nr != __NR_SCMP_ERROR && act != by_default &&
			    !str_eq(rule->names.v[k], "ioctl"))
				r = seccomp_rule_add_array(ctx, act, nr, (unsigned) rule->args.n,
							   cmp);
		}
	}
	if (r < 0)
		printf("# libseccomp: %d\n", r);
	ret->v = arena_alloc(&arena, BPF_MAXINSNS * sizeof(struct sock_filter));
	if (r == 0 && seccomp_export_bpf(ctx, fd) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		ret->n = (size_t) read(fd, ret->v, BPF_MAXINSNS * sizeof(struct sock_filter));
	close(fd);
	seccomp_release(ctx);
	return r == 0 && ret->n > 0;
}

/* Except for what only we know (late calls), and ioctl, where rules overlap and libseccomp says nothing of which counts. */
static void test_oracle(const char *preset, const char *machine, uint32_t token)
{
	static const uint64_t firsts[] = {
		0,	    SIGCHLD, CLONE_NEWUSER, CLONE_NEWPID | SIGCHLD,    AF_UNIX,
		AF_NETLINK, AF_ALG,  AF_INET6,	    CLONE_NEWNS | CLONE_NEWNET};
	const struct pol_seccomp *s = profile(preset, machine);
	struct bytes ours = compile(s), theirs = {0};
	size_t wrong = 0, n = 0;

	if (!oracle(s, token, &theirs))
		bail_out("libseccomp does not compile the profile");
	for (int nr = 0; nr < TRY_NUMBERS; nr++) {
		const char *name = filter_call_name(token, nr, &arena);

		if (name && (str_eq(name, "ioctl") || filter_late_call(name) > 456))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(firsts); i++, n++) {
			const uint64_t args[6] = {firsts[i], 0, i % 2};

			if (seccomp_sim(&ours, token, nr, args) ==
			    seccomp_sim(&theirs, token, nr, args))
				continue;
			printf("# number %d, first argument %llx\n", nr,
			       (unsigned long long) firsts[i]);
			wrong++;
		}
	}
	ok(wrong == 0, "%s on %s: libseccomp's own program answers the same, %zu calls", preset,
	   machine, n);
}

static void test_machine(const char *machine, uint32_t token, uint32_t narrow)
{
	static const char *const presets[] = {"basic", "strict"};

	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		test_lists(presets[i], machine, token, true);
		test_oracle(presets[i], machine, token);
		if (narrow)
			test_lists(presets[i], machine, narrow, i == 0);
	}
}

/* libseccomp writes the program for ppc64le, where the rules must not overlap: every value near the two. */
static void test_ioctl(const char *preset, const char *machine, uint32_t token)
{
	struct bytes bpf = compile(profile(preset, machine));
	int nr = filter_call_nr(token, "ioctl");
	size_t wrong = 0;

	for (uint64_t v = 0x5000; v < 0x5800; v++)
		for (uint64_t high = 0; high < 3; high++) {
			const uint64_t args[6] = {0, v | high << 31};
			bool deny = (uint32_t) args[1] == 0x5412 || (uint32_t) args[1] == 0x541c;
			uint32_t got = seccomp_sim(&bpf, token, nr, args);

			wrong += (got == SECCOMP_RET_ALLOW) == deny;
		}
	is_int((int) wrong, 0, "%s on %s: typing into a terminal is denied, all else is not",
	       preset, machine);
}

int main(void)
{
	static const char *const presets[] = {"basic", "strict"};
	struct utsname u;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || uname(&u) < 0)
		bail_out("no memory to share");
	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		struct bytes bpf = compile(profile(presets[i], u.machine));

		test_programs(presets[i], &bpf);
		test_all_numbers(presets[i], &bpf);
		test_denied(presets[i], &bpf, i == 1);
		test_cases(presets[i], &bpf, i == 1);
	}
	test_machine("aarch64", AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM);
	test_machine("x86_64", AUDIT_ARCH_X86_64, AUDIT_ARCH_I386);
	test_machine("riscv64", AUDIT_ARCH_RISCV64, 0);
	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		test_ioctl(presets[i], "x86_64", AUDIT_ARCH_X86_64);
		test_ioctl(presets[i], "aarch64", AUDIT_ARCH_AARCH64);
		test_ioctl(presets[i], "ppc64le", AUDIT_ARCH_PPC64LE);
	}
	arena_free(&arena);
	return done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The named seccomp profiles. Names that a machine or its libseccomp does not have are skipped when the
 * filter is compiled, so one list serves all machines.
 *
 * `basic` allows by default and denies what a container has no business with: loading code into the
 * kernel, changing mounts, clocks, accounting and quota of the host, reading other processes, and kernel
 * interfaces whose faults were the way out of containers. It is for programs of which nothing is known.
 *
 * `strict` denies by default. It allows what non-interactive programs on glibc and musl need (shells,
 * busybox, python, node, static and dynamic Go), and nothing of the list above. The answer to everything
 * else is ENOSYS, so that a C library that probes for a newer call takes its fallback instead of giving
 * up; what is on the deny list answers EPERM, because programs know that as "not allowed".
 *
 * clone: a new namespace is a way to more kernel, so its flags are not allowed in the first argument.
 * clone3 has them behind a pointer that seccomp cannot follow: ENOSYS, and the C libraries use clone.
 *
 * ioctl: TIOCSTI and TIOCLINUX type into the terminal, which can be the one of the person outside.
 *
 * socket, in strict: only what programs talk through. The other families are parts of the kernel that few use and many holes
 * were found in, and a vsock leads around the network namespace to the hypervisor. Of netlink only what lists interfaces.
 *
 * x32 is in neither: its numbers are second names for calls, no distribution's kernel takes them, and what is not listed
 * kills.
 */
#include "policy/pb.h"

#define EPERM_RET 1
#define ENOSYS_RET 38

#define CMP_NE 1	/* SCMP_CMP_NE */
#define CMP_MASKED_EQ 7 /* SCMP_CMP_MASKED_EQ */
#define INT_MASK                                                                                   \
	0xffffffffULL /* the kernel looks at the lower half of an int, so does the filter */

/* CLONE_NEW* of linux/sched.h. NEWTIME (0x80) shares its bit with the exit signal of clone(2) and cannot
 * be asked for there. */
static const uint64_t new_namespaces[] = {
	0x00020000 /* mount */,	  0x02000000 /* cgroup */, 0x04000000 /* uts */,
	0x08000000 /* ipc */,	  0x10000000 /* user */,   0x20000000 /* pid */,
	0x40000000 /* network */,
};
#define CLONE_NEW_MASK 0x7e020000ULL

/* The same numbers on all machines that we know. */
static const uint64_t terminal_input[] = {0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */};

/* AF_* */
static const uint64_t families[] = {1 /* unix */, 2 /* inet */, 10 /* inet6 */};
#define FAMILY_NETLINK 16
#define NETLINK_ROUTE 0

/* clang-format off */
static const char *const dangerous[] = {
	/* code into the kernel, another kernel */
	"init_module", "finit_module", "delete_module", "create_module", "query_module",
	"get_kernel_syms", "kexec_load", "kexec_file_load", "bpf", "reboot",
	/* mounts and roots */
	"mount", "umount", "umount2", "pivot_root", "open_tree", "open_tree_attr", "move_mount",
	"fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr",
	/* namespaces; file handles go around the root */
	"unshare", "setns", "open_by_handle_at",
	/* other processes */
	"ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
	/* the host's clocks, names, swap, accounting, quota, log */
	"settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
	"adjtimex", "sethostname", "setdomainname", "swapon", "swapoff", "acct", "quotactl",
	"quotactl_fd", "syslog", "vhangup", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl",
	/* hardware */
	"iopl", "ioperm", "vm86", "vm86old", "modify_ldt", "pciconfig_read", "pciconfig_write",
	"pciconfig_iobase", "s390_pci_mmio_read", "s390_pci_mmio_write",
	/* interfaces whose faults were ways out of containers, and that seccomp cannot see into */
	"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "perf_event_open",
	"keyctl", "add_key", "request_key", "fanotify_init", "fanotify_mark", "lookup_dcookie",
	"personality", "move_pages", "migrate_pages", "mbind", "set_mempolicy", "vserver",
};

static const char *const allowed[] = {
	/* files */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
	"pwritev2", "open", "openat", "openat2", "creat", "close", "close_range", "lseek", "_llseek",
	"stat", "stat64", "fstat", "fstat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
	"statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "getdents",
	"getdents64", "readlink", "readlinkat", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
	"symlinkat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "chown32", "fchown",
	"fchown32", "lchown", "lchown32", "fchownat", "umask", "truncate", "truncate64", "ftruncate",
	"ftruncate64", "fallocate", "fsync", "fdatasync", "sync_file_range", "syncfs", "sync",
	"fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead", "utime", "utimes", "utimensat",
	"utimensat_time64", "futimesat", "getxattr", "lgetxattr", "fgetxattr", "listxattr",
	"llistxattr", "flistxattr", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
	"lremovexattr", "fremovexattr", "mknod", "mknodat", "copy_file_range", "sendfile", "sendfile64",
	"splice", "tee", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock", "pipe",
	"pipe2", "memfd_create", "inotify_init", "inotify_init1", "inotify_add_watch",
	"inotify_rm_watch",
	/* memory */
	"brk", "mmap", "mmap2", "munmap", "mprotect", "pkey_alloc", "pkey_free", "pkey_mprotect",
	"mremap", "msync", "mincore", "madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall",
	"membarrier", "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop",
	"semtimedop_time64", "msgget", "msgsnd", "msgrcv", "msgctl", "ipc", "get_mempolicy", "map_shadow_stack",
	/* processes and threads */
	"fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid",
	"getpid", "getppid", "gettid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "kill",
	"tkill", "tgkill", "pidfd_open", "pidfd_send_signal", "set_tid_address", "set_robust_list",
	"get_robust_list", "rseq", "futex", "futex_time64", "futex_waitv", "futex_wake", "futex_wait",
	"futex_requeue", "set_thread_area", "get_thread_area", "arch_prctl", "set_tls", "breakpoint",
	"cacheflush", "riscv_flush_icache", "swapcontext", "prctl", "seccomp",
	"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
	"sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_setparam",
	"sched_getscheduler", "sched_setscheduler", "sched_getattr", "sched_setattr",
	"sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "getpriority", "setpriority", "ioprio_get", "ioprio_set",
	"getcpu", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "times", "sysinfo",
	"uname", "rt_tgsigqueueinfo", "rt_sigqueueinfo",
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaction", "sigprocmask", "sigreturn",
	"sigpending", "sigsuspend", "signal", "sigaltstack", "signalfd", "signalfd4", "alarm", "pause",
	"restart_syscall",
	/* identity */
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32",
	"getresuid", "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "setuid",
	"setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32",
	"setresuid", "setresuid32", "setresgid", "setresgid32", "setgroups", "setgroups32", "setfsuid",
	"setfsuid32", "setfsgid", "setfsgid32", "capget", "capset",
	/* time */
	"time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "getitimer",
	"setitimer", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
	"timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
	"timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
	/* waiting */
	"select", "_newselect", "pselect6", "pselect6_time64", "poll", "ppoll", "ppoll_time64",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old",
	"epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "io_setup", "io_destroy", "io_submit",
	"io_cancel", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "mq_open", "mq_unlink",
	"mq_timedsend", "mq_timedsend_time64", "mq_timedreceive", "mq_timedreceive_time64",
	"mq_notify", "mq_getsetattr",
	/* network */
	"socketpair", "socketcall", "bind", "listen", "accept", "accept4", "connect",
	"getsockname", "getpeername", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom",
	"recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown", "getsockopt", "setsockopt",
	"getrandom",
};
/* clang-format on */

static struct pol_seccomp_rule *add_rule(struct pol_seccomp *s, uint32_t action, uint32_t ret)
{
	struct pol_seccomp_rule *r = &s->rules.v[s->rules.n++];

	r->action = action;
	r->errno_ret = ret;
	return r;
}

static void set_names(struct arena *a, struct pol_seccomp_rule *r, const char *const *names,
		      size_t n)
{
	r->names.v = arena_memdup(a, names, n * sizeof(*names));
	r->names.n = n;
	r->names.set = true;
}

/* The argument of clone that has the flags: the second one on s390. */
static uint32_t clone_flags_arg(const char *arch)
{
	return str_prefix(arch, "SCMP_ARCH_S390") ? 1 : 0;
}

static struct pol_seccomp_rule *add_call(struct arena *a, struct pol_seccomp *s, uint32_t action,
					 uint32_t ret, const char *name)
{
	struct pol_seccomp_rule *r = add_rule(s, action, ret);

	set_names(a, r, &name, 1);
	r->args.v = arena_array(a, 2, sizeof(*r->args.v));
	return r;
}

static void add_arg(struct pol_seccomp_rule *r, uint32_t index, uint32_t op, uint64_t v,
		    uint64_t v2)
{
	r->args.v[r->args.n++] = (struct pol_seccomp_arg){index, op, v, v2};
}

/* "Any of these bits" is no comparison that seccomp has: a default that allows needs one rule per bit, one
 * that denies a single rule for "none of them". */
static void add_clone_rules(struct pb *b, struct pol_seccomp *s, bool strict)
{
	uint32_t arg = clone_flags_arg(pb_native_arch(b->h->machine));
	struct pol_seccomp_rule *r;

	add_call(b->a, s, POL_ACT_ERRNO, ENOSYS_RET, "clone3");
	if (strict) {
		r = add_call(b->a, s, POL_ACT_ALLOW, 0, "clone");
		add_arg(r, arg, CMP_MASKED_EQ, CLONE_NEW_MASK, 0);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(new_namespaces); i++) {
		r = add_call(b->a, s, POL_ACT_ERRNO, EPERM_RET, "clone");
		add_arg(r, arg, CMP_MASKED_EQ, new_namespaces[i], new_namespaces[i]);
	}
}

static void allow_ioctl(struct pb *b, struct pol_seccomp *s, uint32_t op, uint64_t v, uint64_t v2)
{
	add_arg(add_call(b->a, s, POL_ACT_ALLOW, 0, "ioctl"), 1, op, v, v2);
}

/* Without rules that overlap: what differs from both in some bit, and what has each bit of one of them, but is neither. */
static void allow_ioctl_by_bits(struct pb *b, struct pol_seccomp *s)
{
	const uint64_t x = terminal_input[0], y = terminal_input[1], differ = x ^ y;

	for (uint64_t bit = 1; bit <= INT_MASK; bit <<= 1)
		if (!(differ & bit))
			allow_ioctl(b, s, CMP_MASKED_EQ, bit, ~x & bit);
	for (uint64_t i = differ;; i = (i - 1) & differ) {
		if (i != (x & differ) && i != (y & differ))
			allow_ioctl(b, s, CMP_MASKED_EQ, INT_MASK, (x & ~differ) | i);
		if (!i)
			break;
	}
}

/* Where the machine's program is ours (seccomp/range.c), the stricter of rules that hold together counts. In libseccomp's it
 * is not said which one. */
static bool may_overlap(const char *arch)
{
	static const char *const ours[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64",
					   "SCMP_ARCH_ARM", "SCMP_ARCH_RISCV64"};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (str_eq(ours[i], arch))
			return true;
	return false;
}

static void add_ioctl_rules(struct pb *b, struct pol_seccomp *s, bool strict)
{
	if (strict && !may_overlap(pb_native_arch(b->h->machine)))
		return allow_ioctl_by_bits(b, s);
	if (strict) /* what only the upper half makes different is denied below */
		allow_ioctl(b, s, CMP_NE, terminal_input[0], 0);
	for (size_t i = 0; i < ARRAY_LEN(terminal_input); i++)
		add_arg(add_call(b->a, s, POL_ACT_ERRNO, EPERM_RET, "ioctl"), 1, CMP_MASKED_EQ,
			INT_MASK, terminal_input[i]);
}

static void add_socket_rules(struct pb *b, struct pol_seccomp *s)
{
	struct pol_seccomp_rule *r;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		r = add_call(b->a, s, POL_ACT_ALLOW, 0, "socket");
		add_arg(r, 0, CMP_MASKED_EQ, INT_MASK, families[i]);
	}
	r = add_call(b->a, s, POL_ACT_ALLOW, 0, "socket");
	add_arg(r, 0, CMP_MASKED_EQ, INT_MASK, FAMILY_NETLINK);
	add_arg(r, 2, CMP_MASKED_EQ, INT_MASK, NETLINK_ROUTE);
}

/* The machine's 32-bit ABI: without it a filter kills its programs, and strict leaves it at that. */
static void set_archs(struct pb *b, struct pol_seccomp *s, bool strict)
{
	static const struct {
		const char *native, *narrow;
	} pairs[] = {
		{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"},
		{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"},
		{"SCMP_ARCH_S390X", "SCMP_ARCH_S390"},
	};
	const char *native = pb_native_arch(b->h->machine);
	struct strs list = {.v = arena_array(b->a, 2, sizeof(*list.v)), .set = true};

	list.v[list.n++] = (char *) (uintptr_t) native;
	for (size_t i = 0; i < ARRAY_LEN(pairs) && !strict; i++)
		if (str_eq(pairs[i].native, native))
			list.v[list.n++] = (char *) (uintptr_t) pairs[i].narrow;
	s->archs = list;
}

#define RULES_MAX 64 /* 12 on most machines, 48 at most */

void pb_profile(struct pb *b, uint32_t preset, struct pol_seccomp *ret)
{
	bool strict = preset == POL_PRESET_STRICT;

	*ret = (struct pol_seccomp){
		.set = true,
		.default_action = strict ? POL_ACT_ERRNO : POL_ACT_ALLOW,
		.default_errno = strict ? ENOSYS_RET : 0,
		.source = (char *) (uintptr_t) (strict ? "profile strict" : "profile basic"),
	};
	set_archs(b, ret, strict);
	ret->rules.v = arena_array(b->a, RULES_MAX, sizeof(*ret->rules.v));
	set_names(b->a, add_rule(ret, POL_ACT_ERRNO, EPERM_RET), dangerous, ARRAY_LEN(dangerous));
	if (strict)
		set_names(b->a, add_rule(ret, POL_ACT_ALLOW, 0), allowed, ARRAY_LEN(allowed));
	add_clone_rules(b, ret, strict);
	add_ioctl_rules(b, ret, strict);
	if (strict)
		add_socket_rules(b, ret);
}

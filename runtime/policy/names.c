/* SPDX-License-Identifier: Apache-2.0 */
/* The name tables (names.h). Data and two parsers; part of the in-container stage. */
#include <signal.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/num.h"
#include "policy/names.h"
#include "policy/policy.h"

/* linux/capability.h, in number order; the newest is CAP_CHECKPOINT_RESTORE (5.9). */
const struct name_val cap_names[] = {
	{"CAP_CHOWN", 0},
	{"CAP_DAC_OVERRIDE", 1},
	{"CAP_DAC_READ_SEARCH", 2},
	{"CAP_FOWNER", 3},
	{"CAP_FSETID", 4},
	{"CAP_KILL", 5},
	{"CAP_SETGID", 6},
	{"CAP_SETUID", 7},
	{"CAP_SETPCAP", 8},
	{"CAP_LINUX_IMMUTABLE", 9},
	{"CAP_NET_BIND_SERVICE", 10},
	{"CAP_NET_BROADCAST", 11},
	{"CAP_NET_ADMIN", 12},
	{"CAP_NET_RAW", 13},
	{"CAP_IPC_LOCK", 14},
	{"CAP_IPC_OWNER", 15},
	{"CAP_SYS_MODULE", 16},
	{"CAP_SYS_RAWIO", 17},
	{"CAP_SYS_CHROOT", 18},
	{"CAP_SYS_PTRACE", 19},
	{"CAP_SYS_PACCT", 20},
	{"CAP_SYS_ADMIN", 21},
	{"CAP_SYS_BOOT", 22},
	{"CAP_SYS_NICE", 23},
	{"CAP_SYS_RESOURCE", 24},
	{"CAP_SYS_TIME", 25},
	{"CAP_SYS_TTY_CONFIG", 26},
	{"CAP_MKNOD", 27},
	{"CAP_LEASE", 28},
	{"CAP_AUDIT_WRITE", 29},
	{"CAP_AUDIT_CONTROL", 30},
	{"CAP_SETFCAP", 31},
	{"CAP_MAC_OVERRIDE", 32},
	{"CAP_MAC_ADMIN", 33},
	{"CAP_SYSLOG", 34},
	{"CAP_WAKE_ALARM", 35},
	{"CAP_BLOCK_SUSPEND", 36},
	{"CAP_AUDIT_READ", 37},
	{"CAP_PERFMON", 38},
	{"CAP_BPF", 39},
	{"CAP_CHECKPOINT_RESTORE", 40},
};
const size_t cap_names_n = ARRAY_LEN(cap_names);

const struct name_val ns_names[] = {
	{"user", POL_NS_USER},	   {"pid", POL_NS_PID},	  {"network", POL_NS_NET},
	{"mount", POL_NS_MNT},	   {"ipc", POL_NS_IPC},	  {"uts", POL_NS_UTS},
	{"cgroup", POL_NS_CGROUP}, {"time", POL_NS_TIME},
};
const size_t ns_names_n = ARRAY_LEN(ns_names);

const struct name_val rlimit_names[] = {
	{"RLIMIT_CPU", RLIMIT_CPU},	      {"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_DATA", RLIMIT_DATA},	      {"RLIMIT_STACK", RLIMIT_STACK},
	{"RLIMIT_CORE", RLIMIT_CORE},	      {"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_NPROC", RLIMIT_NPROC},	      {"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},   {"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},	      {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
};
const size_t rlimit_names_n = ARRAY_LEN(rlimit_names);

/* The first row of a value is its name in what we write; SCMP_ACT_KILL is the old word. */
const struct name_val seccomp_action_names[] = {
	{"SCMP_ACT_KILL_THREAD", POL_ACT_KILL_THREAD},
	{"SCMP_ACT_KILL", POL_ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", POL_ACT_KILL_PROCESS},
	{"SCMP_ACT_TRAP", POL_ACT_TRAP},
	{"SCMP_ACT_ERRNO", POL_ACT_ERRNO},
	{"SCMP_ACT_TRACE", POL_ACT_TRACE},
	{"SCMP_ACT_ALLOW", POL_ACT_ALLOW},
	{"SCMP_ACT_LOG", POL_ACT_LOG},
	{"SCMP_ACT_NOTIFY", POL_ACT_NOTIFY},
};
const size_t seccomp_action_names_n = ARRAY_LEN(seccomp_action_names);

const struct name_val seccomp_op_names[] = {
	{"SCMP_CMP_NE", 1}, {"SCMP_CMP_LT", 2}, {"SCMP_CMP_LE", 3},	   {"SCMP_CMP_EQ", 4},
	{"SCMP_CMP_GE", 5}, {"SCMP_CMP_GT", 6}, {"SCMP_CMP_MASKED_EQ", 7},
};
const size_t seccomp_op_names_n = ARRAY_LEN(seccomp_op_names);

const struct name_val seccomp_arch_names[] = {
	{"SCMP_ARCH_X86", 1},	    {"SCMP_ARCH_X86_64", 2},	   {"SCMP_ARCH_X32", 3},
	{"SCMP_ARCH_ARM", 4},	    {"SCMP_ARCH_AARCH64", 5},	   {"SCMP_ARCH_MIPS", 6},
	{"SCMP_ARCH_MIPS64", 7},    {"SCMP_ARCH_MIPS64N32", 8},	   {"SCMP_ARCH_MIPSEL", 9},
	{"SCMP_ARCH_MIPSEL64", 10}, {"SCMP_ARCH_MIPSEL64N32", 11}, {"SCMP_ARCH_PPC", 12},
	{"SCMP_ARCH_PPC64", 13},    {"SCMP_ARCH_PPC64LE", 14},	   {"SCMP_ARCH_S390", 15},
	{"SCMP_ARCH_S390X", 16},    {"SCMP_ARCH_PARISC", 17},	   {"SCMP_ARCH_PARISC64", 18},
	{"SCMP_ARCH_RISCV64", 19},  {"SCMP_ARCH_LOONGARCH64", 20}, {"SCMP_ARCH_M68K", 21},
	{"SCMP_ARCH_SH", 22},	    {"SCMP_ARCH_SHEB", 23},
};
const size_t seccomp_arch_names_n = ARRAY_LEN(seccomp_arch_names);

/* linux/seccomp.h; NEW_LISTENER and TSYNC_ESRCH are ours to set, not the config's. */
const struct name_val seccomp_flag_names[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", 1 << 0},
	{"SECCOMP_FILTER_FLAG_LOG", 1 << 1},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1 << 2},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1 << 5},
};
const size_t seccomp_flag_names_n = ARRAY_LEN(seccomp_flag_names);

const struct name_val signal_names[] = {
	{"HUP", SIGHUP},       {"INT", SIGINT},	  {"QUIT", SIGQUIT},	 {"ILL", SIGILL},
	{"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"IOT", SIGABRT},	 {"BUS", SIGBUS},
	{"FPE", SIGFPE},       {"KILL", SIGKILL}, {"USR1", SIGUSR1},	 {"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},	 {"TERM", SIGTERM},
#ifdef SIGSTKFLT
	{"STKFLT", SIGSTKFLT},
#endif
	{"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},	 {"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},	 {"URG", SIGURG},
	{"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
	{"WINCH", SIGWINCH},   {"IO", SIGIO},	  {"POLL", SIGIO},	 {"PWR", SIGPWR},
	{"SYS", SIGSYS},
};
const size_t signal_names_n = ARRAY_LEN(signal_names);

_Static_assert(ARRAY_LEN(cap_names) == CAP_NAMES_N, "names.h");
_Static_assert(ARRAY_LEN(ns_names) == NS_NAMES_N && NS_NAMES_N == POL_NS_MAX - 1,
	       "names.h, policy.h");
_Static_assert(ARRAY_LEN(rlimit_names) == RLIMIT_NAMES_N && RLIMIT_NAMES_N == (int) RLIM_NLIMITS,
	       "names.h");
_Static_assert(ARRAY_LEN(seccomp_action_names) == SECCOMP_ACTION_NAMES_N, "names.h");
_Static_assert(ARRAY_LEN(seccomp_op_names) == SECCOMP_OP_NAMES_N, "names.h");
_Static_assert(ARRAY_LEN(seccomp_arch_names) == 23, "config-linux.md, seccomp architectures");

/* The kernel's range of real-time signals; the C library keeps the first ones for itself, but a signal
 * number sent to a container is the kernel's. */
#define RT_MIN 32
#define RT_MAX 64

/* "+N" or "-N" after RTMIN or RTMAX; nothing is 0. */
static int rt_offset(const char *s, char sign, uint32_t *ret)
{
	*ret = 0;
	if (!*s)
		return 0;
	return *s == sign ? num_parse_u32(s + 1, ret) : -EINVAL;
}

/*
 * RTMIN is what sigaction(2) users mean by it: the first signal that the C library leaves to programs,
 * 34 with glibc (musl: 35). We take glibc's, for this is what kill(1) and the other runtimes send.
 */
static int parse_rt(const char *s)
{
	uint32_t off;

	if (strncasecmp(s, "RTMIN", 5) == 0 && rt_offset(s + 5, '+', &off) == 0 &&
	    off <= RT_MAX - RT_MIN - 2)
		return (int) (RT_MIN + 2 + off);
	if (strncasecmp(s, "RTMAX", 5) == 0 && rt_offset(s + 5, '-', &off) == 0 &&
	    off <= RT_MAX - RT_MIN - 2)
		return (int) (RT_MAX - off);
	return -EINVAL;
}

int signal_parse(const char *s)
{
	uint64_t n;

	if (num_parse_u64(s, RT_MAX, &n) == 0)
		return n ? (int) n : -EINVAL;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (size_t i = 0; i < signal_names_n; i++)
		if (strcasecmp(s, signal_names[i].name) == 0)
			return (int) signal_names[i].val;
	return parse_rt(s);
}

int cap_parse(const char *s)
{
	if (strncasecmp(s, "CAP_", 4) == 0)
		s += 4;
	for (size_t i = 0; i < cap_names_n; i++)
		if (strcasecmp(s, cap_names[i].name + 4) == 0)
			return (int) cap_names[i].val;
	return -ENOENT;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call in words: its name, and its arguments as far as they matter to whoever wonders why it was denied. What a call takes is a
 * table: one letter for each argument. Calls that are not in it show six numbers.
 *
 * Sources: man-pages(2), linux/sched.h, linux/mount.h, linux/ptrace.h, linux/bpf.h, linux/keyctl.h, asm-generic/ioctls.h.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "seccomp/report.h"
#include "seccomp/view.h"

#define STRING_MAX 96 /* of a string that is shown */

/* ---- text ---- */

void report_put(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_put(b, text, n < (int) sizeof(text) ? (size_t) n : sizeof(text) - 1);
}

void report_quote(struct buf *b, const char *s, size_t n, bool cut)
{
	report_put(b, "\"");
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			report_put(b, "\\x%02x", (unsigned char) s[i]);
		else
			buf_put(b, &s[i], 1);
	report_put(b, cut ? "\"..." : "\"");
}

const char *report_errno_name(int err, struct arena *a)
{
	const char *name = err ? strerrorname_np(err) : "success";

	return name ? name : arena_printf(a, "errno %d", err);
}

/* ---- words for numbers ---- */

struct word {
	uint64_t v;
	const char *name;
};

static const struct word families[] = {
	{1, "AF_UNIX"},	     {2, "AF_INET"},	 {3, "AF_AX25"},    {4, "AF_IPX"},
	{5, "AF_APPLETALK"}, {9, "AF_X25"},	 {10, "AF_INET6"},  {15, "AF_KEY"},
	{16, "AF_NETLINK"},  {17, "AF_PACKET"},	 {20, "AF_ATMSVC"}, {21, "AF_RDS"},
	{24, "AF_PPPOX"},    {29, "AF_CAN"},	 {30, "AF_TIPC"},   {31, "AF_BLUETOOTH"},
	{33, "AF_RXRPC"},    {38, "AF_ALG"},	 {39, "AF_NFC"},    {40, "AF_VSOCK"},
	{41, "AF_KCM"},	     {42, "AF_QIPCRTR"}, {43, "AF_SMC"},    {44, "AF_XDP"},
	{45, "AF_MCTP"},
};
static const struct word clone_flags[] = {
	{0x80, "CLONE_NEWTIME"},
	{0x20000, "CLONE_NEWNS"},
	{0x2000000, "CLONE_NEWCGROUP"},
	{0x4000000, "CLONE_NEWUTS"},
	{0x8000000, "CLONE_NEWIPC"},
	{0x10000000, "CLONE_NEWUSER"},
	{0x20000000, "CLONE_NEWPID"},
	{0x40000000, "CLONE_NEWNET"},
	{0x100, "CLONE_VM"},
	{0x4000, "CLONE_VFORK"},
	{0x10000, "CLONE_THREAD"},
	{0x2000, "CLONE_PTRACE"},
	{0x8000, "CLONE_PARENT"},
	{0x1000, "CLONE_PIDFD"},
	{0x200000000, "CLONE_INTO_CGROUP"},
};
static const struct word mount_flags[] = {
	{0x1, "MS_RDONLY"},	    {0x2, "MS_NOSUID"},	     {0x4, "MS_NODEV"},
	{0x8, "MS_NOEXEC"},	    {0x20, "MS_REMOUNT"},    {0x1000, "MS_BIND"},
	{0x2000, "MS_MOVE"},	    {0x4000, "MS_REC"},	     {0x8000, "MS_SILENT"},
	{0x20000, "MS_UNBINDABLE"}, {0x40000, "MS_PRIVATE"}, {0x80000, "MS_SLAVE"},
	{0x100000, "MS_SHARED"},
};
static const struct word open_flags[] = {
	{01, "O_WRONLY"},   {02, "O_RDWR"},	 {0100, "O_CREAT"},
	{01000, "O_TRUNC"}, {02000, "O_APPEND"}, {02000000, "O_CLOEXEC"},
};
static const struct word ioctls[] = {
	{0x5401, "TCGETS"},	   {0x5402, "TCSETS"},
	{0x540e, "TIOCSCTTY"},	   {0x5412, "TIOCSTI"},
	{0x5413, "TIOCGWINSZ"},	   {0x5414, "TIOCSWINSZ"},
	{0x541b, "FIONREAD"},	   {0x541c, "TIOCLINUX"},
	{0x5421, "FIONBIO"},	   {0x541d, "TIOCCONS"},
	{0x5422, "TIOCNOTTY"},	   {0x5423, "TIOCSETD"},
	{0x8912, "SIOCGIFCONF"},   {0x8914, "SIOCSIFFLAGS"},
	{0x400454ca, "TUNSETIFF"}, {0x40086602, "FS_IOC_SETFLAGS"},
	{0x4c00, "LOOP_SET_FD"},   {0xae01, "KVM_CREATE_VM"},
};
static const struct word ptraces[] = {
	{0, "PTRACE_TRACEME"},	{1, "PTRACE_PEEKTEXT"}, {2, "PTRACE_PEEKDATA"},
	{4, "PTRACE_POKETEXT"}, {5, "PTRACE_POKEDATA"}, {7, "PTRACE_CONT"},
	{16, "PTRACE_ATTACH"},	{24, "PTRACE_SYSCALL"}, {0x4206, "PTRACE_SEIZE"},
};
static const struct word bpfs[] = {
	{0, "BPF_MAP_CREATE"},	{1, "BPF_MAP_LOOKUP_ELEM"}, {2, "BPF_MAP_UPDATE_ELEM"},
	{5, "BPF_PROG_LOAD"},	{6, "BPF_OBJ_PIN"},	    {7, "BPF_OBJ_GET"},
	{8, "BPF_PROG_ATTACH"}, {18, "BPF_BTF_LOAD"},	    {28, "BPF_LINK_CREATE"},
};
static const struct word keyctls[] = {
	{0, "KEYCTL_GET_KEYRING_ID"}, {1, "KEYCTL_JOIN_SESSION_KEYRING"},
	{2, "KEYCTL_UPDATE"},	      {3, "KEYCTL_REVOKE"},
	{4, "KEYCTL_CHOWN"},	      {5, "KEYCTL_SETPERM"},
	{6, "KEYCTL_DESCRIBE"},	      {8, "KEYCTL_LINK"},
	{10, "KEYCTL_SEARCH"},	      {11, "KEYCTL_READ"},
};
static const struct word prctls[] = {
	{1, "PR_SET_PDEATHSIG"},     {4, "PR_SET_DUMPABLE"}, {8, "PR_SET_KEEPCAPS"},
	{15, "PR_SET_NAME"},	     {22, "PR_SET_SECCOMP"}, {24, "PR_CAPBSET_DROP"},
	{28, "PR_SET_SECUREBITS"},   {35, "PR_SET_MM"},	     {36, "PR_SET_CHILD_SUBREAPER"},
	{38, "PR_SET_NO_NEW_PRIVS"}, {47, "PR_CAP_AMBIENT"}, {53, "PR_SET_SPECULATION_CTRL"},
};
static const struct word types[] = {
	{1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"},	   {3, "SOCK_RAW"},
	{4, "SOCK_RDM"},    {5, "SOCK_SEQPACKET"}, {10, "SOCK_PACKET"},
};

static const char *word_of(const struct word *t, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].name;
	return NULL;
}

static void put_word(struct buf *b, const struct word *t, size_t n, uint64_t v)
{
	const char *name = word_of(t, n, v);

	if (name)
		report_put(b, "%s", name);
	else
		report_put(b, "%#" PRIx64, v);
}

static void put_flags(struct buf *b, const struct word *t, size_t n, uint64_t v)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (v & t[i].v) {
			report_put(b, "%s%s", any ? "|" : "", t[i].name);
			v &= ~t[i].v;
			any = true;
		}
	if (v || !any)
		report_put(b, any ? "|%#" PRIx64 : v ? "%#" PRIx64 : "%" PRIu64, v);
}

/* ---- from the process ---- */

static ssize_t read_memory(uint32_t pid, uint64_t at, void *to, size_t n)
{
	char path[32];
	fd_auto int fd = -EBADF;

	if (!pid || !at)
		return -1;
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : pread(fd, to, n, (off_t) at);
}

static void put_string(struct buf *b, uint32_t pid, uint64_t at)
{
	char text[STRING_MAX];
	ssize_t n = read_memory(pid, at, text, sizeof(text));
	size_t len = n > 0 ? strnlen(text, (size_t) n) : 0;

	if (!at)
		report_put(b, "NULL");
	else if (n <= 0)
		report_put(b, "%#" PRIx64, at);
	else
		report_quote(b, text, len, len == (size_t) n);
}

static void put_address(struct buf *b, uint32_t pid, uint64_t at)
{
	uint16_t family;

	if (read_memory(pid, at, &family, sizeof(family)) != (ssize_t) sizeof(family)) {
		report_put(b, "%#" PRIx64, at);
		return;
	}
	report_put(b, "{");
	put_word(b, families, ARRAY_LEN(families), family);
	report_put(b, "}");
}

static void put_clone_args(struct buf *b, uint32_t pid, uint64_t at)
{
	uint64_t flags;

	if (read_memory(pid, at, &flags, sizeof(flags)) != (ssize_t) sizeof(flags)) {
		report_put(b, "%#" PRIx64, at);
		return;
	}
	report_put(b, "{flags=");
	put_flags(b, clone_flags, ARRAY_LEN(clone_flags), flags);
	report_put(b, "}");
}

/* ---- calls ---- */

/*
 * s string   d number   x number in hex   o mode   f descriptor   p pointer   A address of a socket   C struct clone_args
 * c flags of clone, whose lowest byte is a signal   n the same without one   m flags of mount   h flags of open   D device
 * F family   T type of a socket   i request of ioctl   P request of ptrace   B command of bpf   K operation of keyctl
 * R option of prctl
 */
static const struct {
	const char *name, *args;
} calls[] = {
	{"accept", "fpp"},
	{"acct", "s"},
	{"add_key", "sspxd"},
	{"adjtimex", "p"},
	{"bind", "fAd"},
	{"bpf", "Bpd"},
	{"capset", "pp"},
	{"chmod", "so"},
	{"chown", "sdd"},
	{"chroot", "s"},
	{"clock_adjtime", "dp"},
	{"clock_settime", "dp"},
	{"clone", "cpppx"},
	{"clone3", "Cd"},
	{"connect", "fAd"},
	{"delete_module", "sx"},
	{"execve", "spp"},
	{"execveat", "fsppx"},
	{"fanotify_init", "xx"},
	{"fanotify_mark", "fxxfs"},
	{"fchmod", "fo"},
	{"fchmodat", "fso"},
	{"fchownat", "fsddx"},
	{"finit_module", "fsx"},
	{"fsconfig", "fdssd"},
	{"fsmount", "fxx"},
	{"fsopen", "sx"},
	{"fspick", "fsx"},
	{"get_mempolicy", "ppxpx"},
	{"init_module", "pxs"},
	{"io_uring_enter", "fdddpx"},
	{"io_uring_register", "fdpd"},
	{"io_uring_setup", "dp"},
	{"ioctl", "fix"},
	{"ioperm", "xdd"},
	{"iopl", "d"},
	{"kcmp", "ddddd"},
	{"kexec_file_load", "ffdsx"},
	{"kexec_load", "pdpx"},
	{"keyctl", "Kxxxx"},
	{"kill", "dd"},
	{"lchown", "sdd"},
	{"link", "ss"},
	{"linkat", "fsfsx"},
	{"lookup_dcookie", "xpd"},
	{"mbind", "pxdpxx"},
	{"memfd_create", "sx"},
	{"mkdir", "so"},
	{"mkdirat", "fso"},
	{"mknod", "soD"},
	{"mknodat", "fsoD"},
	{"mlock", "pd"},
	{"mlockall", "x"},
	{"mount", "sssmp"},
	{"mount_setattr", "fsxpd"},
	{"move_mount", "fsfsx"},
	{"move_pages", "ddpppx"},
	{"name_to_handle_at", "fsppx"},
	{"nfsservctl", "dpp"},
	{"open", "sho"},
	{"open_by_handle_at", "fph"},
	{"open_tree", "fsx"},
	{"openat", "fsho"},
	{"openat2", "fspd"},
	{"perf_event_open", "pddfx"},
	{"personality", "x"},
	{"pidfd_getfd", "ffx"},
	{"pidfd_open", "dx"},
	{"pidfd_send_signal", "fdpx"},
	{"pivot_root", "ss"},
	{"prctl", "Rxxxx"},
	{"prlimit64", "ddpp"},
	{"process_madvise", "fpddx"},
	{"process_vm_readv", "dpdpdx"},
	{"process_vm_writev", "dpdpdx"},
	{"ptrace", "Pdpp"},
	{"quotactl", "xsdp"},
	{"quotactl_fd", "fxdp"},
	{"reboot", "xxxp"},
	{"rename", "ss"},
	{"renameat2", "fsfsx"},
	{"request_key", "sssd"},
	{"rmdir", "s"},
	{"sched_setscheduler", "ddp"},
	{"seccomp", "dxp"},
	{"set_mempolicy", "dpx"},
	{"setdomainname", "sd"},
	{"setgid", "d"},
	{"setgroups", "dp"},
	{"sethostname", "sd"},
	{"setns", "fn"},
	{"setpriority", "ddd"},
	{"setrlimit", "dp"},
	{"settimeofday", "pp"},
	{"setuid", "d"},
	{"setxattr", "sspdx"},
	{"socket", "FTd"},
	{"socketcall", "dp"},
	{"socketpair", "FTdp"},
	{"statfs", "sp"},
	{"stime", "p"},
	{"swapoff", "s"},
	{"swapon", "sx"},
	{"symlink", "ss"},
	{"sysfs", "dxx"},
	{"syslog", "dpd"},
	{"umount", "s"},
	{"umount2", "sx"},
	{"unlink", "s"},
	{"unlinkat", "fsx"},
	{"unshare", "n"},
	{"userfaultfd", "x"},
	{"uselib", "s"},
	{"ustat", "Dp"},
	{"vhangup", ""},
	{"vmsplice", "fpdx"},
};

#define WORD(b, t, v) put_word((b), (t), ARRAY_LEN(t), (v))
#define FLAGS(b, t, v) put_flags((b), (t), ARRAY_LEN(t), (v))

static void put_arg(struct buf *b, char kind, uint64_t v, uint32_t pid)
{
	switch (kind) {
	case 's': put_string(b, pid, v); break;
	case 'd': report_put(b, "%d", (int) v); break;
	case 'o': report_put(b, "%#" PRIo64, v & 0177777); break;
	case 'f':
		if ((int) v == AT_FDCWD)
			report_put(b, "AT_FDCWD");
		else
			report_put(b, "%d", (int) v);
		break;
	case 'A': put_address(b, pid, v); break;
	case 'C': put_clone_args(b, pid, v); break;
	case 'c': FLAGS(b, clone_flags, v & ~(uint64_t) 0xff); break;
	case 'n': FLAGS(b, clone_flags, v); break;
	case 'm': FLAGS(b, mount_flags, v); break;
	case 'h': FLAGS(b, open_flags, v); break;
	case 'D':
		report_put(b, "%u:%u", (unsigned) (v >> 8 & 0xfff),
			   (unsigned) ((v & 0xff) | (v >> 12 & 0xfff00)));
		break;
	case 'F': WORD(b, families, v); break;
	case 'T': WORD(b, types, v & 0xf); break;
	case 'i': WORD(b, ioctls, v & UINT32_MAX); break;
	case 'P': WORD(b, ptraces, v); break;
	case 'B': WORD(b, bpfs, v); break;
	case 'K': WORD(b, keyctls, v); break;
	case 'R': WORD(b, prctls, v); break;
	case 'p':
		if (!v) {
			report_put(b, "NULL");
			break;
		}
		/* fall through */
	default: report_put(b, "%#" PRIx64, v);
	}
}

void report_call(struct buf *b, uint32_t token, int nr, const uint64_t *args, uint32_t pid,
		 struct arena *a)
{
	const char *name = filter_call_name(token, nr, a), *kinds = "xxxxxx",
		   *abi = view_abi_name(token);

	if (!name)
		name = arena_printf(a, "call_%d", nr & ~(int) FILTER_X32_BIT);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (str_eq(calls[i].name, name))
			kinds = calls[i].args;
	report_put(b, "%s(", name);
	for (size_t i = 0; kinds[i] && i < FILTER_ARGS; i++) {
		report_put(b, "%s", i ? ", " : "");
		put_arg(b, kinds[i], args[i], pid);
	}
	report_put(b, ")");
	if (token != filter_native())
		report_put(b, " of %s", abi ? abi : "another machine");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor gives up before it listens to the guest: all capabilities, new privileges, and every system call that it
 * does not need to go on. It has no file of the host open and cannot open one.
 *
 * The list is by number and for one architecture: what is not on it ends the monitor, and with it the VM.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/types.h"
#include "vm/monitor.h"

static const int allowed[] = {
	__NR_read,	   __NR_write,		 __NR_writev,
	__NR_pread64,	   __NR_close,		 __NR_poll,
	__NR_ppoll,	   __NR_fstat,		 __NR_newfstatat,
	__NR_fcntl,	   __NR_ioctl,		 __NR_sendto,
	__NR_sendmsg,	   __NR_recvfrom,	 __NR_recvmsg,
	__NR_accept4,	   __NR_getsockopt,	 __NR_mmap,
	__NR_munmap,	   __NR_mremap,		 __NR_madvise,
	__NR_brk,	   __NR_clock_gettime,	 __NR_wait4,
	__NR_rt_sigreturn, __NR_restart_syscall, __NR_exit,
	__NR_exit_group,   __NR_capset,
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the monitor's filter has no row for this architecture"
#endif

static int load_filter(struct err *e)
{
	enum { HEAD = 4, N = ARRAY_LEN(allowed) };
	struct sock_filter f[HEAD + N + 2];
	struct sock_fprog prog = {.len = ARRAY_LEN(f), .filter = f};
	int r;

	f[0] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, arch));
	f[1] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[2] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[3] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < N; i++)
		f[HEAD + i] = (struct sock_filter) BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) allowed[i], (uint8_t) (N - i), 0);
	f[HEAD + N] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[HEAD + N + 1] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog);
	return r < 0 ? err_neg(e, r, "the monitor's system call filter") : 0;
}

int mon_confine_net(struct err *e)
{
	int r = sys_capset(0, 0, 0);

	return r < 0 ? err_neg(e, r, "giving up the monitor's capabilities") : 0;
}

int mon_confine(bool keep_net, struct err *e)
{
	uint64_t keep = keep_net ? 1ull << CAP_NET_ADMIN : 0;
	int r;

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(e, "giving up the monitor's capabilities");
	r = sys_capset(keep, keep, 0);
	if (r < 0)
		return err_neg(e, r, "giving up the monitor's capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "giving up new privileges");
	return load_filter(e);
}

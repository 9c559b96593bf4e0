/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order: the user first, for that takes privilege, then capabilities, then no_new_privs, which the filter needs.
 * A call that the filter does not know fails with EPERM rather than kills: libcrypto probes for this and that, and does
 * without.
 */
#include "attest/confine.h"

#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attest/crypto.h"
#include "base/types.h"

#define NOBODY 65534

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_ARCH AUDIT_ARCH_RISCV64
#else
#error "confine.c: which architecture does the kernel report here?"
#endif

static const uint32_t allowed[] = {
	__NR_read, __NR_write, __NR_writev, __NR_close, __NR_fstat, __NR_lseek, __NR_mmap,
	__NR_munmap, __NR_mremap, __NR_mprotect, __NR_madvise, __NR_brk, __NR_futex, __NR_getrandom,
	__NR_clock_gettime, __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_getpid,
	__NR_gettid, __NR_exit, __NR_exit_group,
	/* a build with sanitizers asks where its stack is before _exit() */
	__NR_sigaltstack,
#ifdef __NR_newfstatat
	__NR_newfstatat, /* glibc's fstat() */
#endif
};

/* What a service needs besides: to wait, to take connections, and to get its log onto the disk. */
static const uint32_t service[] = {
	__NR_ppoll,	 __NR_accept4,	 __NR_recvfrom,	       __NR_sendto,
	__NR_getsockopt, __NR_fdatasync, __NR_restart_syscall, __NR_clock_getres,
#ifdef __NR_poll
	__NR_poll,
#endif
};

static int drop_user(struct err *e)
{
	if (geteuid() != 0)
		return 0;
	/* In a user namespace "nobody" may not be mapped; there root is somebody's own user anyway. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(e, "dropping groups");
	if ((setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) &&
	    errno != EINVAL)
		return err_sys(e, "becoming user %d", NOBODY);
	return 0;
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "dropping capabilities");
	return 0;
}

static int load_filter(bool serves, struct err *e)
{
	enum { ALL = ARRAY_LEN(allowed) + ARRAY_LEN(service) };
	struct sock_filter f[ALL + 6];
	struct sock_fprog prog = {.filter = f};
	unsigned n = 0, left = ARRAY_LEN(allowed) + (serves ? ARRAY_LEN(service) : 0);

	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (size_t i = 0; left > 0; i++, left--)
		f[n++] = (struct sock_filter) BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K,
			i < ARRAY_LEN(allowed) ? allowed[i] : service[i - ARRAY_LEN(allowed)],
			(uint8_t) left, 0);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short) n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return err_sys(e, "loading our own seccomp filter");
	return 0;
}

static int confine(bool serves, struct err *e)
{
	int r;

	crypto_ready();
	r = drop_user(e);
	if (r == 0)
		r = drop_capabilities(e);
	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "giving up privileges");
	return load_filter(serves, e);
}

int confine_self(struct err *e)
{
	return confine(false, e);
}

int confine_service(struct err *e)
{
	return confine(true, e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the calls that matter a filter denies: what `kavach policy` shows and the strength score
 * reads.
 * The answer comes from the program that the kernel will run and not from the rules, so it is also
 * true for conditions, for rules that hide each other and for the ENOSYS answer.
 */
#include "seccomp/view.h"

#include <sys/syscall.h>

#include "base/types.h"

#define OUTCOMES 16

/* Ways out of a container, into the kernel's less tested parts or into other processes. Debian 12's
 * headers know all of these on the ABIs that have them; kavach is built for one of those. */
static const struct {
	const char *name;
	int nr;
} calls[] = {
	{"mount", SYS_mount},
	{"umount2", SYS_umount2},
	{"pivot_root", SYS_pivot_root},
	{"move_mount", SYS_move_mount},
	{"open_tree", SYS_open_tree},
	{"fsopen", SYS_fsopen},
	{"fsmount", SYS_fsmount},
	{"mount_setattr", SYS_mount_setattr},
	{"setns", SYS_setns},
	{"unshare", SYS_unshare},
	{"clone", SYS_clone},
	{"clone3", SYS_clone3},
	{"bpf", SYS_bpf},
	{"perf_event_open", SYS_perf_event_open},
	{"userfaultfd", SYS_userfaultfd},
	{"io_uring_setup", SYS_io_uring_setup},
	{"ptrace", SYS_ptrace},
	{"process_vm_readv", SYS_process_vm_readv},
	{"process_vm_writev", SYS_process_vm_writev},
	{"pidfd_getfd", SYS_pidfd_getfd},
	{"kcmp", SYS_kcmp},
	{"open_by_handle_at", SYS_open_by_handle_at},
	{"keyctl", SYS_keyctl},
	{"add_key", SYS_add_key},
	{"request_key", SYS_request_key},
	{"kexec_load", SYS_kexec_load},
#ifdef SYS_kexec_file_load
	{"kexec_file_load", SYS_kexec_file_load},
#endif
	{"init_module", SYS_init_module},
	{"finit_module", SYS_finit_module},
	{"delete_module", SYS_delete_module},
	{"reboot", SYS_reboot},
	{"swapon", SYS_swapon},
	{"swapoff", SYS_swapoff},
	{"acct", SYS_acct},
	{"syslog", SYS_syslog},
	{"quotactl", SYS_quotactl},
	{"settimeofday", SYS_settimeofday},
	{"clock_settime", SYS_clock_settime},
	{"mknodat", SYS_mknodat},
#ifdef SYS_iopl
	{"iopl", SYS_iopl},
#endif
#ifdef SYS_ioperm
	{"ioperm", SYS_ioperm},
#endif
};

static bool denies(uint32_t ret)
{
	return filter_rank(ret) < filter_rank(SECCOMP_RET_USER_NOTIF);
}

static bool judge(const struct bytes *bpf, int nr, struct seccomp_verdict *ret)
{
	uint32_t out[OUTCOMES], strictest;
	struct sim_call c;
	size_t n;

	sim_call(&c, filter_native(), nr, NULL);
	n = sim_outcomes(bpf, &c, out, OUTCOMES);
	strictest = out[0];
	for (size_t i = 1; i < n && i < OUTCOMES; i++)
		if (filter_rank(out[i]) < filter_rank(strictest))
			strictest = out[i];
	ret->action = strictest;
	ret->conditional = n > 1;
	return denies(strictest);
}

size_t seccomp_dangerous(const struct bytes *bpf, struct arena *a, struct seccomp_verdict **ret)
{
	struct seccomp_verdict *v = arena_array(a, ARRAY_LEN(calls), sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		v[n].name = calls[i].name;
		if (judge(bpf, calls[i].nr, &v[n]))
			n++;
	}
	*ret = v;
	return n;
}

const char *seccomp_dangerous_name(size_t i)
{
	return i < ARRAY_LEN(calls) ? calls[i].name : NULL;
}

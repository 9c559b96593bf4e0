/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installing the compiled filter. The program was made on the host (seccomp/); here it is only checked for its size
 * (boot.c) and handed to the kernel, which verifies it. From here on only write(2), read(2) for the listener's
 * acknowledgement, execve(2) and exit_group(2) are used.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/sys.h"
#include "exec/ctx.h"

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

int filter_load(struct stage *s, int *ret_listener, struct err *e)
{
	const struct stage_boot *b = s->boot;
	struct sock_fprog prog = {.len = (unsigned short) (b->bpf.n / sizeof(struct sock_filter)),
				  .filter = (struct sock_filter *) (void *) b->bpf.v};
	/* TSYNC is about other threads of this process: there are none, and a listener excludes it. */
	unsigned flags = (unsigned) b->seccomp_flags & ~(unsigned) SECCOMP_FILTER_FLAG_TSYNC;
	int r;

	*ret_listener = -EBADF;
	if (b->seccomp_notify)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (r == -EACCES)
		return err_set(e, -EPERM,
			       "linux.seccomp: loading a filter needs process.noNewPrivileges or "
			       "CAP_SYS_ADMIN");
	if (r < 0)
		return err_neg(
			e, r, "linux.seccomp: loading the filter of %u instructions with flags %#x",
			prog.len, flags);
	if (b->seccomp_notify)
		*ret_listener = r;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installing the compiled filters. The programs were made on the host (seccomp/); here they are only checked for their size
 * (boot.c) and handed to the kernel, which verifies them. The kernel evaluates all of them for each call, and the strictest
 * action counts. From the first one on only seccomp(2), and after the last one only write(2), read(2) for the listener's
 * acknowledgement, execve(2) and exit_group(2) are used.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/sys.h"
#include "exec/ctx.h"

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

static int load_one(const struct stage_filter *f, int *ret_listener, struct err *e)
{
	struct sock_fprog prog = {.len = (unsigned short) (f->bpf.n / sizeof(struct sock_filter)),
				  .filter = (struct sock_filter *) (void *) f->bpf.v};
	/* TSYNC is about other threads of this process: there are none, and a listener excludes it. */
	unsigned flags = (unsigned) f->flags & ~(unsigned) SECCOMP_FILTER_FLAG_TSYNC;
	int r;

	if (f->notify)
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
	if (f->notify)
		*ret_listener = r;
	return 0;
}

int filters_load(struct stage *s, int *ret_listener, struct err *e)
{
	int r = 0;

	*ret_listener = -EBADF;
	for (size_t i = 0; i < s->boot->filters.n && r == 0; i++)
		r = load_one(&s->boot->filters.v[i], ret_listener, e);
	return r;
}

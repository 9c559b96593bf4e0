/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering namespaces where others live already. This is done here and not by kavach itself, because from the moment
 * a process is in a container's pid namespace, a privileged process there can open /proc/PID/exe and keep it until
 * the program has ended and can be written to (CVE-2019-5736): what it gets hold of must be the sealed stage. For the
 * same reason nobody there can trace us, not for one moment (CVE-2016-9962): we were made undumpable, and our memory
 * belongs to the host's user namespace, before the first process of the container can see us.
 *
 * A pid namespace is entered by being born in it, so we join as an intermediate process and clone the real one as our
 * sister (CLONE_PARENT), a child of kavach. Namespaces to create come with that clone, after the joins: a new user
 * namespace has no privilege over the owner of the joined ones, while a joined user namespace must own the new ones.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "exec/ctx.h"
#include "exec/proto.h"

/*
 * One after the other, the user namespace in between: what belongs to the host is joined before it, while we have the
 * host's privilege, and what belongs to it (all that an ordinary user can join) after it.
 */
static int join_list(const struct stage_boot *b, struct err *e)
{
	uint64_t done = 0;

	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < b->join_fds.n; i++) {
			uint64_t flag = b->join_flags.v[i];

			if (done & flag || (pass == 1) != (flag == CLONE_NEWUSER))
				continue;
			if (setns((int) b->join_fds.v[i], (int) flag) == 0)
				done |= flag;
			else if (pass > 0 || errno != EPERM)
				return err_sys(e, "linux.namespaces: joining a namespace");
		}
	return 0;
}

static int join_all(const struct stage_boot *b, struct err *e)
{
	if (b->target_pidfd < 0)
		return join_list(b, e);
	/* in one call the kernel looks at our privilege as it is before */
	if (b->target_ns && setns(b->target_pidfd, (int) b->target_ns) < 0)
		return err_sys(e, "joining the container's namespaces");
	return 0;
}

static uint64_t joined(const struct stage_boot *b)
{
	uint64_t f = b->target_pidfd >= 0 ? b->target_ns : 0;

	for (size_t i = 0; i < b->join_flags.n; i++)
		f |= b->join_flags.v[i];
	return f;
}

/* By a pipe of its own: on the sync socket our sister might speak before us. */
static void __attribute__((noreturn)) leave(const struct stage_boot *b, pid_t child)
{
	int32_t pid = child;

	if (write(b->pid_fd, &pid, sizeof(pid)) != (ssize_t) sizeof(pid))
		kill(child, SIGKILL);
	_exit(0);
}

int stage_join(struct stage *s, struct err *e)
{
	const struct stage_boot *b = s->boot;
	uint64_t late;
	pid_t pid;
	int r;

	if (!b->join_here)
		return 0;
	r = join_all(b, e);
	if (r < 0)
		return r;
	late = stage_ns_late(b->create_ns, joined(b));
	pid = sys_clone3((b->create_ns & ~late) | CLONE_PARENT, -EBADF, NULL);
	if (pid < 0)
		return err_neg(e, pid, "creating the container's namespaces");
	if (pid > 0)
		leave(b, pid);
	if (b->create_ns & CLONE_NEWUSER) {
		r = msg_expect(s->sync, MSG_IDS, NULL, 0, e);
		if (r < 0)
			return r;
	}
	if ((joined(b) | b->create_ns) & CLONE_NEWUSER) {
		r = ids_become_root(e);
		if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			r = err_sys(e, "making the stage untraceable");
		if (r == 0 && late && unshare((int) late) < 0)
			r = err_sys(e, "creating the container's IPC namespace");
	}
	/* not inherited, and changed ids clear it */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = err_sys(e, "ending with kavach");
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our process to the stage inside new namespaces.
 *
 * Theory of operation. The usual case is one clone3() with all CLONE_NEW* flags, straight into the v2 cgroup; the
 * child then only joins what it has to join and execs the stage. Exceptions, each forced by the kernel:
 *  - a pid namespace to join: setns() changes the caller's future children only, so we do it before the clone and
 *    go back afterwards;
 *  - a new cgroup namespace: clone3() would root it at *our* cgroup, not at the one the child is cloned into; the
 *    stage unshares it after joining;
 *  - time offsets: they can be written only before a process enters the namespace, so we unshare it, write, and go
 *    back with setns() after the clone;
 *  - a user namespace combined with joined namespaces: joins need privilege over the owner of each namespace, so
 *    an intermediate child joins first (a user namespace to join before all others) and clones the real one as its
 *    sister (CLONE_PARENT), which is then our child too. The intermediate exits at once.
 * The child is still us until it execs the stage: it runs no code of the container and touches no file of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "process/process.h"

/* The stage's program, embedded at build time (stage_blob.S). */
extern const char kavach_stage_start[], kavach_stage_end[];

/* ---- in the child ---- */

static void __attribute__((noreturn)) child_fail(int sync, int err, const char *what)
{
	struct err e = ERR_INIT;

	err_sys_at(&e, err, "%s", what);
	(void) msg_send_err(sync, &e);
	_exit(1);
}

static void child_join(const struct spawn *s, uint64_t skip)
{
	if (s->target_pidfd >= 0) {
		uint64_t f = s->target_ns & ~skip;

		if (f && setns(s->target_pidfd, (int) f) < 0)
			child_fail(s->sync_child, errno, "joining the container's namespaces");
		return;
	}
	for (size_t i = 0; i < s->n_joins; i++) {
		if (s->join[i].flag & skip)
			continue;
		if (setns(s->join[i].fd, (int) s->join[i].flag) < 0)
			child_fail(s->sync_child, errno, "joining a namespace");
	}
}

static bool enters_userns(const struct spawn *s)
{
	if ((s->create & CLONE_NEWUSER) || (s->target_pidfd >= 0 && (s->target_ns & CLONE_NEWUSER)))
		return true;
	for (size_t i = 0; i < s->n_joins; i++)
		if (s->join[i].flag == CLONE_NEWUSER)
			return true;
	return false;
}

/*
 * An execve by an id that is not root of the user namespace drops all capabilities, and the stage needs them. So we
 * become root of it, once the parent has written the maps; where 0 is not mapped, ambient capabilities survive the
 * execve instead.
 */
static void child_own_userns(const struct spawn *s)
{
	uint64_t eff, perm, inh;
	struct err e = ERR_INIT;

	if (!enters_userns(s))
		return;
	if ((s->create & CLONE_NEWUSER) && msg_expect(s->sync_child, MSG_IDS, NULL, 0, &e) < 0)
		_exit(1);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		if (sys_capget(&eff, &perm, &inh) < 0 || sys_capset(eff, perm, perm) < 0)
			child_fail(s->sync_child, errno, "keeping the capabilities of the user namespace");
		for (unsigned cap = 0; cap < 64; cap++)
			if (perm >> cap & 1)
				(void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	/* changing ids cleared it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * The stage's file cannot be read (0111), and the kernel never lets a process be traced that executes such a file: it
 * has no moment, between the execve and its first instruction, in which the container could take hold of it. Root
 * can read everything, unless it does without for this one call: execve gives it back what it has in its permitted set.
 */
static void child_hide_stage(void)
{
	uint64_t eff, perm, inh;

	if (sys_capget(&eff, &perm, &inh) == 0)
		(void) sys_capset(eff & ~(1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH), perm, inh);
}

static void __attribute__((noreturn)) child_exec(const struct spawn *s, int stage_fd)
{
	static char *const env[] = {NULL};
	char num[24];
	char *argv[] = {(char *) (uintptr_t) "kavach-init", num, NULL};

	child_own_userns(s);
	for (size_t i = 0; i < s->n_inherit; i++)
		if (s->inherit[i] >= 0 && fcntl(s->inherit[i], F_SETFD, 0) < 0)
			child_fail(s->sync_child, errno, "handing a descriptor to the stage");
	(void) fcntl(s->boot_fd, F_SETFD, 0);
	(void) fcntl(s->sync_child, F_SETFD, 0);
	num_fmt_u64(num, (uint64_t) s->boot_fd);
	child_hide_stage();
	sys_execveat(stage_fd, "", argv, env, AT_EMPTY_PATH);
	child_fail(s->sync_child, errno, "starting the in-container stage");
}

static void child_begin(const struct spawn *s, pid_t parent)
{
	/* until the state record knows this process, it must not outlive us (B-12) */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent && getppid() != parent)
		_exit(1);
	close(s->sync_parent);
}

/* The intermediate: joins everything, clones the real child as its sister, tells us its pid. */
static void __attribute__((noreturn)) intermediate(const struct spawn *s, int stage_fd)
{
	uint64_t create = s->create;
	int32_t pid;

	child_join(s, 0);
	pid = sys_clone3(create | CLONE_PARENT, -EBADF, NULL);
	if (pid < 0)
		child_fail(s->sync_child, -pid, "creating the container's namespaces");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_exec(s, stage_fd);
	}
	if (msg_send(s->sync_child, MSG_PID, &pid, sizeof(pid)) < 0)
		kill(pid, SIGKILL);
	_exit(0);
}

/* ---- in the parent ---- */

static int time_ns_begin(const struct spawn *s, int *ret_old, struct err *e)
{
	char text[160];
	size_t n = 0;

	*ret_old = -EBADF;
	if (!s->time_offsets)
		return 0;
	*ret_old = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	if (*ret_old < 0)
		return err_sys(e, "linux.timeOffsets: opening our time namespace");
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "creating a time namespace");
	for (size_t i = 0; i < s->time_offsets->time_offsets.n; i++) {
		const struct pol_time_offset *t = &s->time_offsets->time_offsets.v[i];

		n += (size_t) snprintf(text + n, sizeof(text) - n, "%s %lld %llu\n",
				       t->clock == 1 ? "monotonic" : "boottime", (long long) t->secs,
				       (unsigned long long) t->nanosecs);
	}
	int r = io_write_at(AT_FDCWD, "/proc/self/timens_offsets", 0, text, n);

	return r < 0 ? err_neg(e, r, "linux.timeOffsets: writing the offsets") : 0;
}

static void time_ns_end(int old)
{
	if (old < 0)
		return;
	(void) setns(old, CLONE_NEWTIME);
	close(old);
}

/* Our children's pid namespace is the container's from here on; *ret_old brings it back. */
static int pid_ns_begin(const struct spawn *s, int *ret_old, struct err *e)
{
	int fd = -EBADF;

	*ret_old = -EBADF;
	if (s->target_pidfd >= 0 && (s->target_ns & CLONE_NEWPID))
		fd = s->target_pidfd;
	for (size_t i = 0; i < s->n_joins && fd < 0; i++)
		if (s->join[i].flag == CLONE_NEWPID)
			fd = s->join[i].fd;
	if (fd < 0)
		return 0;
	*ret_old = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (*ret_old < 0)
		return err_sys(e, "opening our pid namespace");
	if (setns(fd, CLONE_NEWPID) < 0)
		return err_sys(e, "joining the pid namespace");
	return 0;
}

static void pid_ns_end(int old)
{
	if (old < 0)
		return;
	(void) setns(old, CLONE_NEWPID);
	close(old);
}

static bool needs_intermediate(const struct spawn *s)
{
	uint64_t joined = s->target_pidfd >= 0 ? s->target_ns : 0;

	for (size_t i = 0; i < s->n_joins; i++)
		joined |= s->join[i].flag;
	return joined && ((joined | s->create) & CLONE_NEWUSER);
}

static int reap_intermediate(struct spawn *s, pid_t mid, pid_t *ret_pid, struct err *e)
{
	int32_t pid = 0;
	int st, r;

	close(s->sync_child);
	s->sync_child = -EBADF;
	r = msg_expect(s->sync_parent, MSG_PID, &pid, sizeof(pid), e);
	while (waitpid(mid, &st, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return r;
	if (pid <= 0)
		return err_set(e, -EPROTO, "the container's process has no pid here");
	*ret_pid = pid;
	return 0;
}

/*
 * A process of the container must not get hold of our copy while it has joined and is still us, with our descriptors
 * and our memory (CVE-2016-9962). Set before the clone, because the copy is visible in a joined pid namespace at once.
 * Not where an ordinary user's helpers have to write the id maps: they could not; there, nobody is inside yet.
 */
static bool must_hide(const struct spawn *s)
{
	if ((s->create & CLONE_NEWUSER) && geteuid() != 0)
		return false;
	return s->target_pidfd >= 0 || s->n_joins;
}

int spawn_stage(struct spawn *s, pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	bool mid = needs_intermediate(s), hidden;
	fd_auto int stage_fd = -EBADF, pidfd = -EBADF;
	int old_pid = -EBADF, old_time = -EBADF;
	pid_t pid = -1, self = getpid();
	int r;

	stage_fd = io_memfd("kavach-init", kavach_stage_start, (size_t) (kavach_stage_end - kavach_stage_start));
	if (stage_fd < 0)
		return err_neg(e, stage_fd, "making the sealed copy of the in-container stage");
	if (fchmod(stage_fd, 0111) < 0)
		return err_sys(e, "hiding the in-container stage");
	hidden = must_hide(s) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
	r = time_ns_begin(s, &old_time, e);
	if (r == 0 && !mid)
		r = pid_ns_begin(s, &old_pid, e);
	if (r == 0) {
		pid = sys_clone3(mid ? 0 : s->create, s->cgroup_fd, &pidfd);
		if (pid == 0) {
			child_begin(s, old_pid >= 0 || (s->create & CLONE_NEWPID) ? 0 : self);
			if (mid)
				intermediate(s, stage_fd);
			child_join(s, CLONE_NEWPID);
			child_exec(s, stage_fd);
		}
		if (pid < 0)
			r = err_neg(e, pid, "creating the container's process");
	}
	pid_ns_end(old_pid);
	time_ns_end(old_time);
	if (hidden)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (r < 0)
		return r;
	if (mid) {
		pidfd = fd_close(pidfd);
		r = reap_intermediate(s, pid, &pid, e);
		if (r < 0)
			return r;
		pidfd = sys_pidfd_open(pid, 0);
		if (pidfd < 0)
			return err_neg(e, pidfd, "opening the container's process");
	} else {
		close(s->sync_child);
		s->sync_child = -EBADF;
	}
	*ret_pid = pid;
	*ret_pidfd = fd_take(&pidfd);
	return 0;
}

void spawn_kill(pid_t pid, int pidfd)
{
	if (pid <= 0)
		return;
	if (pidfd >= 0)
		(void) sys_pidfd_send_signal(pidfd, SIGKILL);
	else
		(void) kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

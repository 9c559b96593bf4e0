/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our process to the stage inside new namespaces.
 *
 * Theory of operation. The usual case is one clone3() with all CLONE_NEW* flags, straight into the v2 cgroup; the
 * child then joins what it has to join and execs the stage. Exceptions, each forced by the kernel or by an attack:
 *  - a pid or mount namespace to join, or a user namespace together with any to join: the stage does it (exec/join.c), because
 *    nobody in a container may ever see a process whose program is the host's kavach;
 *  - an IPC namespace together with a new user namespace: whoever makes it owns its /dev/mqueue, so the child unshares
 *    it once it is root of the user namespace;
 *  - a new cgroup namespace: clone3() would root it at *our* cgroup, not at the one the child is cloned into; the
 *    stage unshares it after joining;
 *  - time offsets: they can be written only before a process enters the namespace, so we unshare it, write, and go
 *    back with setns() after the clone;
 *  - a systemd scope whose directory we may not clone into, because our own cgroup is outside of what the user owns:
 *    systemd moves the child, which waits for that before anything else.
 * The child is still us until it execs the stage: it runs no code of the container and touches no file of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/sys.h"
#include "cgroup/cgroup.h"
#include "exec/proto.h"
#include "host/hint.h"
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

static void child_join(const struct spawn *s)
{
	for (size_t i = 0; i < s->n_joins; i++)
		if (setns(s->join[i].fd, (int) s->join[i].flag) < 0)
			child_fail(s->sync_child, errno, "joining a namespace");
}

/*
 * An execve by an id that is not root of the user namespace drops all capabilities, and the stage needs them. So we
 * become root of it, once the parent has written the maps; where 0 is not mapped, ambient capabilities survive the
 * execve instead.
 */
static void child_own_userns(const struct spawn *s)
{
	uint64_t eff, perm, inh, late;
	struct err e = ERR_INIT;

	if (!(s->create & CLONE_NEWUSER))
		return;
	if (msg_expect(s->sync_child, MSG_IDS, NULL, 0, &e) < 0)
		_exit(1);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		if (sys_capget(&eff, &perm, &inh) < 0 || sys_capset(eff, perm, perm) < 0)
			child_fail(s->sync_child, errno,
				   "keeping the capabilities of the user namespace");
		for (unsigned cap = 0; cap < 64; cap++)
			if (perm >> cap & 1)
				(void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	late = stage_ns_late(s->create, 0);
	if (late && unshare((int) late) < 0)
		child_fail(s->sync_child, errno, "creating the container's IPC namespace");
	/* changing ids cleared it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void __attribute__((noreturn)) child_exec(const struct spawn *s, int stage_fd)
{
	static char *const env[] = {NULL};
	char num[24];
	const char *name = s->name ? s->name : "kavach-init";
	char *argv[] = {(char *) (uintptr_t) name, num, NULL, NULL};

	if (!s->join_in_stage) {
		child_join(s);
		child_own_userns(s);
	}
	for (size_t i = 0; i < s->n_inherit; i++)
		if (s->inherit[i] >= 0 && fcntl(s->inherit[i], F_SETFD, 0) < 0)
			child_fail(s->sync_child, errno, "handing a descriptor to the stage");
	num_fmt_u64(num, (uint64_t) s->sync_child);
	if (s->boot_fd >= 0) {
		(void) fcntl(s->boot_fd, F_SETFD, 0);
		num_fmt_u64(num, (uint64_t) s->boot_fd);
		argv[2] = (char *) (uintptr_t) "file";
	}
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
	if (s->attach) {
		char moved;

		/* not the sync socket: the boot block may be in that */
		close(s->moved[1]);
		if (io_read_full(s->moved[0], &moved, 1) != 1)
			_exit(1);
	}
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
				       t->clock == 1 ? "monotonic" : "boottime",
				       (long long) t->secs, (unsigned long long) t->nanosecs);
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

void spawn_decide(struct spawn *s)
{
	uint64_t joined = s->target_pidfd >= 0 ? s->target_ns : 0;

	for (size_t i = 0; i < s->n_joins; i++)
		joined |= s->join[i].flag;
	s->join_in_stage = s->target_pidfd >= 0 || (joined & (CLONE_NEWPID | CLONE_NEWNS)) ||
			   (joined && ((joined | s->create) & CLONE_NEWUSER));
}

static int reap_intermediate(struct spawn *s, pid_t mid, pid_t *ret_pid, struct err *e)
{
	int32_t pid = 0;
	ssize_t n;
	int st;

	n = io_read_full(s->pid_parent, &pid, sizeof(pid));
	while (waitpid(mid, &st, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t) sizeof(pid)) {
		/* it ended early: why, is on the sync socket */
		int r = msg_expect(s->sync_parent, MSG_READY, NULL, 0, e);

		return r < 0 ? r
			     : err_set(e, -EPROTO,
				       "the container's process ended before it said who it is");
	}
	if (pid <= 0)
		return err_set(e, -EPROTO, "the container's process has no pid here");
	*ret_pid = pid;
	return 0;
}

static int move_child(struct spawn *s, pid_t pid, int pidfd, struct err *e)
{
	int r = cgroup_attach(s->scope, s->scope_init, pid, e);

	if (r == 0) {
		r = io_write_all(s->moved[1], "", 1);
		if (r < 0)
			err_neg(e, r, "answering the container's process");
	}
	if (r < 0)
		spawn_kill(pid, pidfd);
	return r;
}

static pid_t clone_child(struct spawn *s, int *ret_pidfd)
{
	uint64_t flags = s->join_in_stage ? 0 : s->create & ~stage_ns_late(s->create, 0);
	pid_t pid = sys_clone3(flags, s->cgroup_fd, ret_pidfd);

	if (pid != -EACCES || !s->scope || s->cgroup_fd < 0)
		return pid;
	if (pipe2(s->moved, O_CLOEXEC) < 0)
		return -errno;
	s->attach = true;
	return sys_clone3(flags, -EBADF, ret_pidfd);
}

static int clone_failed(const struct spawn *s, int r, struct err *e)
{
	/* cgroup2 asks for write access to cgroup.procs of the nearest cgroup above both, too */
	if (r == -EACCES && s->cgroup_fd >= 0) {
		err_set(e, r,
			"creating the container's process: it cannot move from our cgroup to its own; we "
			"would have to be below a cgroup that is ours to write to");
		return err_hint_cgroup(e);
	}
	err_neg(e, r, "creating the container's process");
	return err_hint_namespaces(e, s->create);
}

int spawn_stage(struct spawn *s, pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	fd_auto int stage_fd = -EBADF, pidfd = -EBADF;
	bool new_pidns = !s->join_in_stage && (s->create & CLONE_NEWPID);
	pid_t pid = -1, self = new_pidns ? 0 : getpid(); /* our pid as the child sees it */
	int old_time = -EBADF, r;

	stage_fd = s->program >= 0 ? fcntl(s->program, F_DUPFD_CLOEXEC, 3)
				   : io_memfd("kavach-init", kavach_stage_start,
					      (size_t) (kavach_stage_end - kavach_stage_start));
	if (stage_fd < 0)
		r = err_neg(e, stage_fd, "making the sealed copy of the in-container stage");
	else
		r = time_ns_begin(s, &old_time, e);
	if (r == 0) {
		pid = clone_child(s, &pidfd);
		if (pid == 0) {
			child_begin(s, self);
			child_exec(s, stage_fd);
		}
		if (pid < 0)
			r = clone_failed(s, pid, e);
	}
	time_ns_end(old_time);
	/* What has ended is seen as the end of a file only if we do not hold the other end. */
	s->ours[s->n_ours++] = fd_take(&stage_fd);
	fd_close_all(s->ours, s->n_ours);
	if (s->attach) {
		if (r == 0)
			r = move_child(s, pid, pidfd, e);
		close(s->moved[0]);
		close(s->moved[1]);
		s->attach = false;
	}
	if (r < 0)
		return r;
	if (s->join_in_stage) {
		pidfd = fd_close(pidfd);
		r = reap_intermediate(s, pid, &pid, e);
		if (r < 0)
			return r;
		pidfd = sys_pidfd_open(pid, 0);
		if (pidfd < 0) {
			r = err_neg(e, pidfd, "opening the container's process");
			spawn_kill(pid, -EBADF);
			return r;
		}
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

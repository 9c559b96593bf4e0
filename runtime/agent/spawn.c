/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the agent to a stage. It is what process/spawn.c and launch.c do on a host without what a guest does not have: user
 * namespaces, time offsets, v1 cgroups, systemd, descriptors of the caller's. The child is the agent's own program until it
 * executes the sealed copy; nobody of the container can see it before that.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/sys.h"
#include "exec/proto.h"

#define BOOT_MAX (32u << 20)

struct child {
	const struct agent *a;
	const struct stage_boot *boot;
	struct stdio_ends io;
	const char *affinity; /* before the program: config execCPUAffinity.initial */
	int boot_fd;	      /* of a large boot block; -EBADF: it waits in the socket */
};

static void __attribute__((noreturn)) child_fail(const struct child *c, const char *what)
{
	struct err e = ERR_INIT;

	err_sys_at(&e, errno, "%s", what);
	(void) msg_send_err(c->boot->sync_fd, &e);
	_exit(1);
}

static void __attribute__((noreturn)) child_run(const struct child *c)
{
	static char *const env[] = {NULL};
	const int inherit[] = {c->boot->sync_fd, c->boot->console_fd, c->boot->target_pidfd,
			       c->boot->pid_fd,	 c->boot_fd,	      c->boot->secrets_fd};
	char num[24];
	char *argv[] = {(char *) (uintptr_t) "kavach-init", num, NULL, NULL};
	struct err e = ERR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* until the stage is ready */
	for (int i = 0; i < 3; i++)
		if (dup2(c->io.fd[i], i) < 0)
			child_fail(c, "the process's input and output");
	for (size_t i = 0; i < ARRAY_LEN(inherit); i++)
		if (inherit[i] >= 0 && fcntl(inherit[i], F_SETFD, 0) < 0)
			child_fail(c, "handing a descriptor to the stage");
	if ((c->a->guest && guest_child_limits(&e) < 0) ||
	    (c->affinity && exec_affinity(0, c->affinity, &e) < 0)) {
		(void) msg_send_err(c->boot->sync_fd, &e);
		_exit(1);
	}
	umask(022); /* what a process gets whose config has none of its own: there is no caller here to inherit from */
	num_fmt_u64(num, (uint64_t) c->boot->sync_fd);
	if (c->boot_fd >= 0) {
		num_fmt_u64(num, (uint64_t) c->boot_fd);
		argv[2] = (char *) (uintptr_t) "file";
	}
	sys_execveat(c->a->stage_fd, "", argv, env, AT_EMPTY_PATH);
	child_fail(c, "starting the in-container stage");
}

/* The usual size waits in the socket for the stage. */
static int pass_boot(struct proc *p, const struct stage_boot *boot, int *ret_fd, struct err *e)
{
	buf_auto b = BUF_WRITER(BOOT_MAX);

	codec_encode(&b, &stage_boot_table, boot);
	if (b.bad)
		return err_set(e, -EFBIG, "the configuration is too large to hand over");
	if (b.n <= BOOT_PACKET_MAX &&
	    send(p->sync, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) b.n)
		return 0;
	*ret_fd = io_memfd("kavach-boot", b.p, b.n);
	return *ret_fd < 0 ? err_neg(e, *ret_fd, "sealing the boot block") : 0;
}

/* Namespaces where others live are entered by being born there: the stage clones its sister and ends (exec/join.c). It is
 * our own program that does this and no one can stop it there, so we wait. */
static int await_sister(struct proc *p, pid_t mid, int pipe_fd, struct err *e)
{
	int32_t pid = 0;
	ssize_t n = io_read_full(pipe_fd, &pid, sizeof(pid));

	while (waitpid(mid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t) sizeof(pid)) {
		/* it ended early: why, is on the sync socket */
		int r = msg_expect(p->sync, MSG_READY, NULL, 0, e);

		return r < 0 ? r : err_set(e, -EPROTO, "the new process ended before it was there");
	}
	if (pid <= 0)
		return err_set(e, -EPROTO, "the new process has no pid here");
	p->pidfd = sys_pidfd_open(pid, 0);
	if (p->pidfd < 0) {
		err_neg(e, p->pidfd, "opening the new process");
		kill(pid, SIGKILL);
		return e->code;
	}
	p->pid = pid;
	return 0;
}

static int open_sync(struct proc *p, struct stage_boot *boot, struct err *e)
{
	int sv[2], flags;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_sys(e, "making the sync socket");
	p->sync = sv[0];
	boot->sync_fd = sv[1];
	flags = fcntl(p->sync, F_GETFL);
	return flags < 0 || fcntl(p->sync, F_SETFL, flags | O_NONBLOCK) < 0
		       ? err_sys(e, "making the sync socket")
		       : 0;
}

static int clone_it(struct agent *a, struct proc *p, struct child *c, uint64_t create, int target,
		    struct err *e)
{
	fd_auto int cgroup = -EBADF, pidfd = -EBADF;
	const struct proc *init = proc_find(a, 1);
	pid_t pid;

	if (a->cg.layout != CG_NONE) {
		cgroup = target >= 0 && init ? cgroup_clone_fd_of(&a->cg, init->pid, e)
					     : cgroup_clone_fd(&a->cg, e);
		if (cgroup < 0 && cgroup != -EBADF)
			return cgroup;
		p->oom = cgroup_oom_count(&a->cg);
	}
	pid = sys_clone3(create, cgroup, &pidfd);
	if (pid == 0)
		child_run(c);
	if (pid < 0)
		return err_neg(e, pid, "creating the container's process");
	p->pid = pid;
	p->pidfd = fd_take(&pidfd);
	return 0;
}

static int spawn_joining(struct agent *a, struct proc *p, struct stage_boot *boot, struct child *c,
			 int target, struct err *e)
{
	fd_auto int from = -EBADF;
	int v[2], r;
	pid_t mid;

	if (pipe2(v, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	from = v[0];
	boot->join_here = true;
	boot->target_pidfd = target;
	boot->pid_fd = v[1];
	r = pass_boot(p, boot, &c->boot_fd, e);
	if (r == 0)
		r = clone_it(a, p, c, 0, target, e);
	close(v[1]);
	close(boot->sync_fd); /* what has ended is seen only if nobody else holds the other end */
	boot->sync_fd = -1;
	if (r < 0)
		return r;
	mid = p->pid;
	p->pid = 0;
	p->pidfd = fd_close(p->pidfd);
	return await_sister(p, mid, from, e);
}

int proc_spawn(struct agent *a, struct proc *p, struct stage_boot *boot, uint64_t create,
	       int target, struct err *e)
{
	struct child c = {.a = a, .boot = boot, .boot_fd = -EBADF};
	int r = open_sync(p, boot, e);

	if (p->process)
		c.affinity = p->process->affinity_initial;
	if (r == 0)
		r = stdio_open(p, p->process && p->process->terminal, &c.io, e);
	else
		c.io = (struct stdio_ends){{-EBADF, -EBADF, -EBADF}, -EBADF};
	boot->start_fd = boot->proc_fd = boot->target_pidfd = boot->pid_fd = -1;
	boot->rootfs_fd = -1;
	boot->secrets_fd = p->secrets >= 0 ? p->secrets : -1;
	boot->console_fd = c.io.console >= 0 ? c.io.console : -1;
	boot->chown_stdio = true;
	if (r == 0 && target >= 0) {
		r = spawn_joining(a, p, boot, &c, target, e);
	} else if (r == 0) {
		r = pass_boot(p, boot, &c.boot_fd, e);
		if (r == 0)
			r = clone_it(a, p, &c, create, -EBADF, e);
	}
	if (boot->sync_fd >= 0)
		close(boot->sync_fd);
	fd_closep(&c.boot_fd);
	fd_closep(&p->secrets);
	stdio_close_ends(&c.io);
	return r;
}

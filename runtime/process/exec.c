/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: one more process in a running container. It joins the namespaces of the container's first process through
 * that process's pidfd (which is verified by its start time), gets into the cgroup as create does, and ends in the
 * same code of the stage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "exec/proto.h"
#include "process/process.h"

/* What joining needs, whoever joins. */
static void fill_joining(struct launch *l, struct box *b)
{
	l->boot.mode = STAGE_EXEC;
	l->spawn.target_pidfd = b->init_pidfd;
	l->spawn.target_ns = b->ns_flags;
	l->boot.joined_userns = b->ns_flags & CLONE_NEWUSER;
	l->boot.setgroups_denied = b->host->rootless && ns_setgroups_denied(b->init_pid);
}

static int prepare(struct launch *l, struct box *b, const struct pol_process *p, struct buf *enc,
		   struct err *e)
{
	int r;

	codec_encode(enc, &pol_process_table, p);
	if (enc->bad)
		return err_set(e, -EFBIG, "the process description is too large");
	l->boot.process = (struct bytes){.v = enc->p, .n = enc->n};
	l->boot.landlock.v = b->policy->landlock.v;
	l->boot.landlock.n = b->policy->landlock.n;
	r = launch_seccomp(l, b, b->policy, e);
	if (r < 0)
		return r;
	r = launch_secrets(l, b, SECRETS_EXEC, e);
	if (r < 0)
		return r;
	fill_joining(l, b);
	return launch_cgroup(l, b, e);
}

/* What the process gets from outside, when it is ready. */
static int set_outside(struct box *b, const struct pol_process *p, struct err *e)
{
	int r = exec_outside(b->pid, AT_FDCWD, p, b->host->rootless,
			     (b->ns_flags & CLONE_NEWUSER ? OUTSIDE_RLIMITS : 0) |
				     (!p->affinity_initial && !p->affinity_final ? OUTSIDE_ALL_CPUS
										 : 0),
			     e);

	return r >= 0 && p->affinity_final ? exec_affinity(b->pid, p->affinity_final, e) : r;
}

/* p: NULL when the process is not the one that was asked for but stands for it (vm/). */
static int converse(struct launch *l, struct box *b, const struct pol_process *p,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	int sock = l->spawn.sync_parent, r;

	r = msg_expect(sock, MSG_READY, NULL, 0, e);
	if (r >= 0 && p)
		r = set_outside(b, p, e);
	if (r >= 0) {
		r = msg_send(sock, MSG_ACK, NULL, 0);
		if (r < 0)
			err_neg(e, r, "answering the new process");
	}
	if (r >= 0)
		r = follow_exec(b, sock, e);
	/* last: of an exec that failed there must be no pid file (C-08) */
	return r < 0 ? r : ready(b, arg, e);
}

static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static int run(struct launch *l, struct box *b, const struct pol_process *p,
	       int (*ready)(struct box *b, void *arg, struct err *e), void *arg, struct err *e)
{
	int r = launch_spawn(l, b, e);

	if (r < 0)
		return r;
	r = rdt_enter(&host_rdt, b->rdt, l->pid, e);
	if (r == 0)
		r = converse(l, b, p, ready, arg, e);
	if (r < 0)
		spawn_kill(l->pid, l->pidfd);
	return r;
}

static int finish(struct launch *l, struct box *b, int r, pid_t *ret_pid, int *ret_pidfd,
		  struct err *e)
{
	launch_close(l);
	if (r < 0 && has_ended(b->init_pidfd))
		r = err_set_id(
			e, ERR_NOT_RUNNING, -ESRCH,
			"container not running: it ended while the process was being started");
	if (r < 0) {
		l->pidfd = fd_close(l->pidfd);
		return r;
	}
	*ret_pid = l->pid;
	*ret_pidfd = l->pidfd;
	return 0;
}

int process_exec(struct box *b, const struct pol_process *p, const struct box_io *io,
		 int (*ready)(struct box *b, void *arg, struct err *e), void *arg, pid_t *ret_pid,
		 int *ret_pidfd, struct err *e)
{
	buf_auto enc = BUF_WRITER(8u << 20);
	struct launch l;
	int r;

	/* "initial" is in force before the process is in the container's cgroup: it inherits ours (S-21) */
	if (p->affinity_initial) {
		r = exec_affinity(0, p->affinity_initial, e);
		if (r < 0)
			return r;
	}
	r = launch_init(&l, b, io, NULL, e);
	if (r == 0)
		r = prepare(&l, b, p, &enc, e);
	if (r == 0)
		r = run(&l, b, p, ready, arg, e);
	return finish(&l, b, r, ret_pid, ret_pidfd, e);
}

int process_exec_as(struct box *b, const struct box_io *io, const struct launch_as *as,
		    int (*ready)(struct box *b, void *arg, struct err *e), void *arg,
		    pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	struct launch l;
	int r = launch_init(&l, b, io, as, e);

	if (r == 0) {
		fill_joining(&l, b);
		r = launch_cgroup(&l, b, e);
	}
	if (r == 0)
		r = as->prepare(&l, b, as->arg, e);
	if (r == 0)
		r = run(&l, b, NULL, ready, arg, e);
	return finish(&l, b, r, ret_pid, ret_pidfd, e);
}

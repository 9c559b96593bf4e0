/* SPDX-License-Identifier: Apache-2.0 */
/* The container's first process and its execs, from EXEC to DRAINED. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/sys.h"

struct proc *proc_new(struct agent *a, uint32_t stream)
{
	struct proc *p = calloc(1, sizeof(*p)), **end = &a->procs;

	if (!p)
		return NULL;
	p->stream = stream;
	p->pidfd = p->sync = p->console = p->secrets = -EBADF;
	p->in.fd = p->out[0].fd = p->out[1].fd = -EBADF;
	p->in.flow = p->out[0].flow = p->out[1].flow = WIRE_FLOW_INIT;
	while (*end)
		end = &(*end)->next;
	*end = p;
	a->n_procs++;
	a->last_stream = stream;
	return p;
}

struct proc *proc_find(struct agent *a, uint32_t stream)
{
	for (struct proc *p = a->procs; p; p = p->next)
		if (p->stream == stream && p->state != PROC_GONE)
			return p;
	return NULL;
}

void proc_fail(struct agent *a, struct proc *p, const struct err *e)
{
	agent_put_fail(a, p->stream, 0, e);
	p->state = PROC_GONE;
	if (p->pidfd >= 0)
		(void) sys_pidfd_send_signal(p->pidfd, SIGKILL);
}

static bool was_oom(const struct agent *a, const struct proc *p)
{
	return a->cg.layout != CG_NONE && cgroup_oom_count(&a->cg) > p->oom;
}

static uint64_t us(const struct timeval *t)
{
	return (uint64_t) t->tv_sec * 1000000u + (uint64_t) t->tv_usec;
}

static void ended(struct agent *a, struct proc *p, int status, const struct rusage *ru)
{
	struct wire_exit x = {.status = (uint32_t) status,
			      .oom = WIFSIGNALED(status) && was_oom(a, p),
			      .user_us = us(&ru->ru_utime),
			      .system_us = us(&ru->ru_stime),
			      .max_rss = (uint64_t) ru->ru_maxrss * 1024};
	struct err e = ERR_INIT;

	/* what its stage still had to say comes first */
	while (p->sync >= 0 && p->state != PROC_GONE && proc_talk(a, p))
		;
	p->pid = 0;
	if (p->state == PROC_GONE)
		return;
	if (p->state != PROC_RUNNING) {
		err_set(&e, -EPIPE, "the container's process ended before it ran its program");
		proc_fail(a, p, &e);
		return;
	}
	agent_oom(a);
	agent_put_body(a, WIRE_EXIT, p->stream, &wire_exit_table, &x);
	p->state = PROC_ENDED;
	/* in a pid namespace of its own everybody ends with the first process */
	if (p->stream == 1 && !(a->ns_flags & CLONE_NEWPID))
		agent_kill_all(a);
}

void procs_reap(struct agent *a)
{
	struct rusage ru;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &ru)) > 0)
		for (struct proc *p = a->procs; p; p = p->next)
			if (p->pid == pid)
				ended(a, p, status, &ru);
}

/* Of a process that has ended: what its pipes hold. Whoever else has them open does not count. */
static bool drained(struct agent *a, struct proc *p)
{
	for (unsigned i = 0; i < 2; i++)
		while (p->out[i].fd >= 0) {
			if (!agent_room(a) || !p->out[i].flow.window)
				return false;
			if (!stdio_pull(a, p, i))
				break;
		}
	return true;
}

static void forget(struct proc *p)
{
	stdio_close(p);
	fd_closep(&p->pidfd);
	fd_closep(&p->sync);
	fd_closep(&p->console);
	fd_closep(&p->secrets);
	arena_free(&p->a);
	free(p);
}

void procs_sweep(struct agent *a)
{
	bool alive = false;

	for (struct proc **at = &a->procs; *at;) {
		struct proc *p = *at;

		if (p->state == PROC_ENDED && drained(a, p)) {
			agent_put(a, WIRE_DRAINED, 0, p->stream, NULL, 0);
			p->state = PROC_GONE;
		}
		alive |= p->pid > 0;
		if (p->state == PROC_GONE && !p->pid) {
			*at = p->next;
			a->n_procs--;
			forget(p);
		} else {
			at = &p->next;
		}
	}
	if (a->syncing && !alive) {
		const struct wire_ask done = {.tag = a->sync_tag};

		sync();
		a->syncing = false;
		agent_put_body(a, WIRE_DONE, 0, &wire_ask_table, &done);
	}
}

void proc_signal(struct agent *a, struct proc *p, int sig, bool all)
{
	struct err e = ERR_INIT;

	if (all && a->cg.layout != CG_NONE)
		(void) cgroup_kill(&a->cg, sig, &e);
	else if (p->pidfd >= 0 && p->pid > 0)
		(void) sys_pidfd_send_signal(p->pidfd, sig);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a container that exists: signals, freezing, limits, statistics, the end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "base/sys.h"
#include "process/process.h"

#define DESTROY_TIMEOUT_MS 10000

int process_signal(struct box *b, int sig, bool all, struct err *e)
{
	int r;

	/* without a pid namespace of its own, the end of the first process ends nobody else (B-04) */
	if (b->cg->layout != CG_NONE && (all || (sig == SIGKILL && b->shared_pidns)))
		return cgroup_kill(b->cg, sig, e);
	if (b->pidfd < 0)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	r = sys_pidfd_send_signal(b->pidfd, sig);
	if (r == -ESRCH)
		return err_set_id(e, ERR_NOT_RUNNING, -ESRCH, "container not running");
	if (r < 0)
		return err_neg(e, r, "sending signal %d to container %s", sig, b->id);
	/* v1: a frozen process does not even die */
	if (sig == SIGKILL && (b->cg->layout == CG_V1 || b->cg->layout == CG_HYBRID) &&
	    cgroup_frozen(b->cg) == 1)
		return cgroup_freeze(b->cg, false, e);
	return 0;
}

int process_pause(struct box *b, bool on, struct err *e)
{
	if (b->cg->layout == CG_NONE)
		return err_set(e, -ENOTSUP,
			       "container %s has no cgroup of its own: it cannot be paused", b->id);
	return cgroup_freeze(b->cg, on, e);
}

int process_update(struct box *b, const struct pol_resources *r, struct err *e)
{
	if (b->cg->layout == CG_NONE)
		return err_set(e, -ENOTSUP,
			       "container %s has no cgroup of its own: it has no limits to update",
			       b->id);
	return cgroup_update(b->cg, r, b->host, e);
}

int process_pids(struct box *b, struct u64s *ret, struct err *e)
{
	if (b->cg->layout != CG_NONE)
		return cgroup_pids(b->cg, b->a, ret, e);
	ret->v = arena_array(b->a, 1, sizeof(uint64_t));
	ret->v[0] = (uint64_t) b->pid;
	ret->n = 1;
	return 0;
}

int process_stats(struct box *b, struct buf *out, struct err *e)
{
	struct cg_stats *st;
	struct jsonw w;
	int r;

	if (b->cg->layout == CG_NONE)
		return err_set(e, -ENOTSUP,
			       "container %s has no cgroup of its own: there are no statistics",
			       b->id);
	r = cgroup_stats(b->cg, b->a, &st, e);
	if (r < 0)
		return r;
	jw_init(&w, out, false);
	jw_obj(&w);
	cgroup_stats_json(&w, st);
	rdt_stats(&w, &host_rdt, b->rdt);
	if (b->ns_flags & CLONE_NEWNET)
		cgroup_net_json(&w, b->pid);
	jw_obj_end(&w);
	return 0;
}

/* Kills whatever is left, waits for the first process by its pidfd (no polling loop), removes the cgroup. */
int process_destroy(struct box *b, struct err *e)
{
	struct pollfd pfd = {.fd = b->pidfd, .events = POLLIN};
	struct err sub = ERR_INIT;
	int r;

	/* -ESRCH: it has ended and was waited for */
	if (b->pidfd >= 0 && sys_pidfd_send_signal(b->pidfd, SIGKILL) != -ESRCH) {
		if (b->cg->layout != CG_NONE && cgroup_frozen(b->cg) == 1)
			(void) cgroup_freeze(b->cg, false, &sub); /* else it would not die */
		if (poll(&pfd, 1, DESTROY_TIMEOUT_MS) == 0)
			return err_set(e, -ETIMEDOUT,
				       "container %s: process %d does not end after SIGKILL", b->id,
				       (int) b->pid);
	}
	if (b->cg->layout == CG_NONE)
		return rdt_remove(&host_rdt, b->rdt, e);
	/* Our own pid namespace took everybody with it; a shared one did not. Of a create that did not get as far as
	 * having a process, only what is in a cgroup that it made itself is ours. */
	if (b->shared_pidns && (b->pid > 0 || b->cg->made_by_us)) {
		err_clear(&sub);
		(void) cgroup_kill(b->cg, SIGKILL, &sub);
	}
	r = cgroup_remove(b->cg, e);
	return r < 0 ? r : rdt_remove(&host_rdt, b->rdt, e);
}

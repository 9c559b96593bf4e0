/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal to everything in the container.
 *
 * Theory of operation: cgroup.kill (v2 and hybrid hosts, since 5.14) sends SIGKILL to all processes and to
 * whatever they fork meanwhile, in one write. Everything else is a loop: list, signal, list again. The
 * cgroup is frozen during the loop, so that nothing can fork away from under it. A pid from the list is
 * pinned by a pidfd and looked up in a second list before it is signalled: between the two, the number
 * cannot have gone to a stranger unnoticed.
 *
 * On v1 a frozen task does not even die by SIGKILL, so the cgroup is thawed after the loop; for SIGKILL
 * also when it was paused before (B-04). On v2 frozen tasks die, and a paused container stays paused.
 */
#include <errno.h>
#include <signal.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cgroup/internal.h"

#define KILL_ROUNDS 64
#define AT_ONCE 256 /* pidfds */

static bool has_pid(const struct u64s *l, uint64_t pid)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->v[mid] == pid)
			return true;
		if (l->v[mid] < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static int signal_some(const struct cg_hier *h, const struct u64s *pids, size_t from, size_t n,
		       int sig, struct arena *a, struct err *e)
{
	int *fds = arena_array(a, n, sizeof(*fds));
	struct u64s again;
	int r = 0, failed = 0;

	for (size_t i = 0; i < n; i++)
		fds[i] = sys_pidfd_open((pid_t) pids->v[from + i], 0);
	r = cg_hier_pids(h, a, &again, e);
	for (size_t i = 0; i < n; i++) {
		uint64_t pid = pids->v[from + i];

		if (fds[i] < 0) {
			if (fds[i] != -ESRCH && fds[i] != -EINVAL) /* EINVAL: its leader is gone */
				failed = fds[i];
			continue;
		}
		if (r == 0 && has_pid(&again, pid)) {
			int s = sys_pidfd_send_signal(fds[i], sig);

			if (s < 0 && s != -ESRCH)
				failed = s;
		}
		fd_close(fds[i]);
	}
	if (r == 0 && failed)
		r = err_neg(e, failed, "send signal %d to the processes in %s%s", sig, h->mount,
			    h->path);
	return r;
}

/* The pids of `l` that are not in `seen`, in place. */
static void drop_seen(struct u64s *l, const struct u64s *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (!has_pid(seen, l->v[i]))
			l->v[n++] = l->v[i];
	l->n = n;
}

/* Everybody once. A process that has got its SIGKILL cannot fork any more, so this ends when a list has
 * no new pid; for other signals the freezer sees to that. */
static int signal_all(const struct cg_hier *h, int sig, struct err *e)
{
	struct u64s seen = {0}, all, fresh;
	arena_auto a = {0};
	int r = 0;

	for (unsigned round = 0; r == 0 && round < KILL_ROUNDS; round++) {
		r = cg_hier_pids(h, &a, &all, e);
		if (r < 0)
			break;
		fresh = (struct u64s){arena_memdup(&a, all.v, all.n * sizeof(*all.v)), all.n};
		drop_seen(&fresh, &seen);
		if (fresh.n == 0)
			break;
		for (size_t i = 0; r == 0 && i < fresh.n; i += AT_ONCE)
			r = signal_some(h, &fresh, i, fresh.n - i < AT_ONCE ? fresh.n - i : AT_ONCE,
					sig, &a, e);
		seen = all;
	}
	return r;
}

/* Freezes without waiting for the end: what matters is that forks are caught. Returns whether to thaw. */
static bool hold(const struct cg_hier *f)
{
	if (!f)
		return false;
	return (cg_hier_is_v2(f) ? cg_write(f, "cgroup.freeze", "1", NULL)
				 : cg_write(f, "freezer.state", "FROZEN", NULL)) == 0;
}

static void let_go(const struct cg_hier *f)
{
	if (!f)
		return;
	if (cg_hier_is_v2(f))
		cg_write(f, "cgroup.freeze", "0", NULL);
	else
		cg_write(f, "freezer.state", "THAWED", NULL);
}

static int loop(const struct cg *cg, const struct cg_hier *h, int sig, struct err *e)
{
	const struct cg_hier *f = cg_where(cg, CTL_FREEZER);
	bool held = cgroup_frozen(cg) == 0 && hold(f);
	int r = signal_all(h, sig, e);

	if (held || (sig == SIGKILL && f && !cg_hier_is_v2(f)))
		let_go(f);
	return r;
}

int cgroup_kill(const struct cg *cg, int sig, struct err *e)
{
	const struct cg_hier *u = cg_unified(cg), *f = cg_where(cg, CTL_FREEZER), *h = cg_main(cg);
	int r;

	if (!h)
		return err_set(e, -EOPNOTSUPP,
			       "the container has no cgroup: its processes cannot be found");
	if (sig == SIGKILL && u) {
		r = cg_write(u, "cgroup.kill", "1", NULL);
		if (r == 0 && f && !cg_hier_is_v2(f) && cgroup_frozen(cg) == 1)
			let_go(f);
		/* ENOENT: an older kernel, or no such cgroup any more; EOPNOTSUPP: a threaded one */
		if (r != -ENOENT && r != -EOPNOTSUPP)
			return r < 0 ? err_neg(e, r, "writing \"1\" to %s%s/cgroup.kill", u->mount,
					       u->path)
				     : 0;
	}
	return loop(cg, h, sig, e);
}

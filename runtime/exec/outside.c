/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parent sets on the process from outside, because the process has left the privilege for it behind (in its
 * user namespace it may not raise a limit) or never wants it (its oom score is protected by its not being able to
 * write it).
 */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/num.h"
#include "base/sys.h"
#include "exec/stage.h"
#include "exec/rlimit.h"

#define LONG_BITS (8 * sizeof(long))
#define CPUS_MAX 8192 /* the kernel's largest NR_CPUS; what it does not have it ignores */

static int set_rlimits(pid_t pid, const struct pol_process *p, struct err *e)
{
	for (size_t i = 0; i < p->rlimits.n; i++) {
		struct rlimit want = {p->rlimits.v[i].soft, p->rlimits.v[i].hard}, now;

		if (prlimit(pid, (int) p->rlimits.v[i].resource, &want, NULL) == 0)
			continue;
		if (errno != EPERM)
			return err_sys(e, "process.rlimits[%zu]", i);
		/* EPERM has two meanings. Reading fails too when the process is out of reach because it has other ids
		 * already; it then sets the limit itself, which it has made sure of (rlimit.c). */
		if (prlimit(pid, (int) p->rlimits.v[i].resource, NULL, &now) == 0)
			return rlimit_refused(i, &p->rlimits.v[i], now.rlim_max, e);
	}
	return 0;
}

static int set_oom_score(pid_t pid, int procfd, int64_t adj, bool rootless, struct err *e)
{
	char path[64] = "/proc/", value[24];
	size_t n = procfd == AT_FDCWD ? strlen(path) : 0;
	int r;

	n += num_fmt_u64(path + n, (uint64_t) pid);
	memcpy(path + n, "/oom_score_adj", sizeof("/oom_score_adj"));
	r = io_write_at(procfd, path, 0, value, num_fmt_i64(value, adj));
	if (r == 0)
		return 0;
	/* Lowering it below what was inherited is a privilege: an ordinary user's container does without. */
	if (rootless && (r == -EACCES || r == -EPERM)) {
		log_warn("process.oomScoreAdj: not lowered to %s, that needs privilege", value);
		return 0;
	}
	if (r == -EACCES || r == -EPERM)
		return err_set(
			e, r,
			"process.oomScoreAdj: lowering it to %s needs CAP_SYS_RESOURCE, which this runtime does "
			"not have",
			value);
	return err_neg(e, r, "process.oomScoreAdj: setting %s", value);
}

static int set_scheduler(pid_t pid, const struct pol_scheduler *s, struct err *e)
{
	struct sys_sched_attr attr = {
		.sched_policy = s->policy,
		.sched_flags = s->flags,
		.sched_nice = (int32_t) s->nice,
		.sched_priority = (uint32_t) s->priority,
		.sched_runtime = s->runtime,
		.sched_deadline = s->deadline,
		.sched_period = s->period,
	};
	int r = sys_sched_setattr(pid, &attr);

	if (r == -EPERM)
		return err_set(
			e, r,
			"process.scheduler: policy %u, nice %d, priority %u needs CAP_SYS_NICE or a higher "
			"limit, which this runtime does not have",
			attr.sched_policy, attr.sched_nice, attr.sched_priority);
	return r < 0 ? err_neg(e, r, "process.scheduler: policy %u, nice %d, priority %u",
			       attr.sched_policy, attr.sched_nice, attr.sched_priority)
		     : 0;
}

static int set_all_cpus(pid_t pid, struct err *e)
{
	unsigned char mask[CPUS_MAX / 8];

	memset(mask, 0xff, sizeof(mask));
	if (sched_setaffinity(pid, sizeof(mask), (const cpu_set_t *) (const void *) mask) == 0)
		return 0;
	/* A process of a user namespace that is not ours keeps what it inherited from us. */
	return errno == EPERM ? 0 : err_sys(e, "resetting the CPU affinity");
}

int exec_outside(pid_t pid, int procfd, const struct pol_process *p, bool rootless, unsigned also,
		 struct err *e)
{
	int r;

	r = also & OUTSIDE_RLIMITS ? set_rlimits(pid, p, e) : 0;
	if (r == 0 && (also & OUTSIDE_ALL_CPUS))
		r = set_all_cpus(pid, e);
	/* SCHED_DEADLINE excludes a restricted affinity, so it comes after that. */
	if (r == 0 && p->sched.set)
		r = set_scheduler(pid, &p->sched, e);
	if (r == 0 && p->ioprio.set) {
		r = sys_ioprio_set(IOPRIO_WHO_PROCESS, pid, (int) p->ioprio.v);
		if (r < 0)
			err_neg(e, r, "process.ioPriority: class %d, priority %d",
				(int) IOPRIO_PRIO_CLASS(p->ioprio.v),
				(int) IOPRIO_PRIO_DATA(p->ioprio.v));
	}
	if (r == 0 && p->oom_score_adj.set)
		r = set_oom_score(pid, procfd, p->oom_score_adj.v, rootless, e);
	return r;
}

int exec_affinity(pid_t pid, const char *list, struct err *e)
{
	arena_auto a = {0};
	unsigned long *mask;
	size_t bits;
	int r;

	r = exec_parse_list(list, &a, &mask, &bits);
	if (r < 0)
		return err_set_id(e, ERR_CONFIG, r,
				  "process.execCPUAffinity: \"%s\" is not a list of CPUs", list);
	if (sched_setaffinity(pid, (bits + LONG_BITS - 1) / LONG_BITS * sizeof(long),
			      (const cpu_set_t *) (const void *) mask) < 0)
		return err_sys(e, "process.execCPUAffinity: \"%s\"", list);
	return 0;
}

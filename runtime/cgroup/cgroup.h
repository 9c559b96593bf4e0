/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's control group, on v2, v1 and hybrid hosts.
 *
 * Rules that matter for start-up (measured): never write a pid of another process into cgroup.procs on
 * the start path (an RCU grace period: 5-16 ms on an idle host). On v2 the parent clones straight into
 * the directory (cgroup_clone_fd); on v1 the child itself writes "0" into the `tasks` files that the
 * parent opened (cgroup_tasks_fds). Limits are set before anything joins. Nothing reads mountinfo on the
 * start path: hierarchies are found at their usual places by file system magic.
 */
#ifndef KAVACH_CGROUP_CGROUP_H
#define KAVACH_CGROUP_CGROUP_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/host.h"
#include "policy/policy.h"

#define CG_MAX_HIER 24

/* One hierarchy the container has a directory in. */
struct cg_hier {
	char *name; /* v1: controllers as mounted ("cpu,cpuacct", "name=systemd"); v2 and unified: "" */
	char *mount; /* "/sys/fs/cgroup/memory" */
	char *path;  /* below mount, e.g. "/machine/abc"; as seen from our cgroup namespace */
};

struct cg_holder;

/* What the state record keeps; enough for every later command. */
struct cg {
	uint32_t layout;  /* enum cg_layout; CG_NONE: no cgroup at all */
	uint32_t manager; /* enum pol_cg_manager */
	struct {
		struct cg_hier *v;
		size_t n;
	} hier;
	char *scope;	 /* systemd unit, NULL otherwise */
	bool scope_user; /* of the user's manager */
	char *sub; /* "/name": where in the scope the container's processes are; NULL: in itself */
	struct kvs scope_props; /* what the unit is started with, without limits. Not stored */
	struct cg_holder *
		holder; /* who keeps the scope until the container is in it (scope.h). Not stored */
	bool made_by_us; /* delete removes the directories; cgroup_make clears it when all of them existed */
	char *error; /* why limits could not be applied (rootless degradation); NULL otherwise */
	struct arena *
		arena; /* cgroup_plan's; cgroup_make puts `error` there. Not stored: NULL after decode */
};
extern const struct ctable cg_table; /* codec rows of struct cg (cgroup/fields.c) */

/* cgroup_plan: decides the directories for a container (no side effect), S-37: an absolute cgroupsPath counts from
 * the root of each mount (with the systemd manager it is "slice:prefix:name", see scope.h), a relative one from the caller's own cgroup (v2: from the parent of that one, which has
 * no processes of its own and may therefore hand controllers down); absent is "kavach/<id>", relative. */
int cgroup_plan(const struct pol_cgroup *p, const char *id, const struct host *h, struct arena *a,
		struct cg *ret, struct err *e);

/* cgroup_exists: whether directories of the plan are there already, by a look at the first and at the cgroup2 one. */
bool cgroup_exists(const struct cg *cg);

/* cgroup_make: creates the directories (undo: cgroup_remove), enables the controllers that the resources
 * need, and writes all limits. An existing directory must be fit: not frozen, and empty (S-38). A limit that cannot
 * be applied is an error that names field, value and file. Under rootless, a file or controller that is out of
 * reach is a warning and is noted in cg->error, and device rules are left out; a value that is refused by a
 * file that can be written stays an error. On failure nothing is left behind. */
int cgroup_make(struct cg *cg, const struct pol_resources *r, const struct host *h, struct err *e);

/* cgroup_clone_fd: fd of the cgroup2 directory for CLONE_INTO_CGROUP (caller closes): on v2 the only one, on hybrid
 * hosts the unified one. -EBADF without an error: pure v1, or no cgroup. */
int cgroup_clone_fd(const struct cg *cg, struct err *e);
/* cgroup_clone_fd_of: the same for `exec`: the cgroup2 directory that `init` is in now, if that is the container's
 * or below it; a container that handed controllers down (systemd in it) takes no process in its own directory. */
int cgroup_clone_fd_of(const struct cg *cg, pid_t init, struct err *e);
/* cgroup_tasks_fds: v1 and hybrid: opens `tasks` of each v1 hierarchy for the child's own write of "0"; without
 * close-on-exec, for the child inherits them. Not the unified one: even a process's own write to cgroup.procs waits for a grace period; clone into it (cgroup_clone_fd).
 * Returns the number of fds written to fds[CG_MAX_HIER], or -errno. v2: 0. */
int cgroup_tasks_fds(const struct cg *cg, int fds[CG_MAX_HIER], struct err *e);
/* cgroup_join_pid: slow way for a pid that exists already (exec fallback, restore). */
int cgroup_join_pid(const struct cg *cg, pid_t pid, struct err *e);
/* cgroup_entered: the container's first process is in the cgroup: what kept a systemd scope alive until now goes, and a
 * limit on processes that had no room for it is set. Nothing with other managers. */
int cgroup_entered(const struct cg *cg, struct err *e);
/* cgroup_attach: asks systemd to move a process that we may not move ourselves, because our own cgroup and the scope have no
 * parent in common that is ours (rootless, from a login session). `init`: the container's first process, whose place
 * below the scope is taken; 0 for that process itself. -EOPNOTSUPP without an error: not a scope. */
int cgroup_attach(const struct cg *cg, pid_t init, pid_t pid, struct err *e);
/* cgroup_delegate: S-39 chown to uid:gid (as seen on the host). */
int cgroup_delegate(const struct cg *cg, uint32_t uid, uint32_t gid, struct err *e);

/* cgroup_update: merge: only what is set in r changes; keeps the other half of quota/period, orders memory and
 * swap writes so that no intermediate state is refused. */
int cgroup_update(const struct cg *cg, const struct pol_resources *r, const struct host *h,
		  struct err *e);

int cgroup_freeze(const struct cg *cg, bool frozen,
		  struct err *e); /* waits until done; thaws again on failure */
/* cgroup_frozen: 1 frozen, 0 not, -errno. Cheap (one or two reads). */
int cgroup_frozen(const struct cg *cg);

/* cgroup_pids: all processes in the cgroup and below, sorted. */
int cgroup_pids(const struct cg *cg, struct arena *a, struct u64s *ret, struct err *e);
/* cgroup_kill: signal to every process: cgroup.kill for SIGKILL on v2, else freeze + loop + thaw. */
int cgroup_kill(const struct cg *cg, int sig, struct err *e);
/* cgroup_remove: removes what we made, with sub-cgroups; waits with poll on events/populated, no sleep on the usual
 * path. Missing directories are fine. */
int cgroup_remove(const struct cg *cg, struct err *e);

/* cgroup_inspect: what the files say now, for everything that r asks for, in the order of the knobs. Nothing is written. A
 * file that cannot be read is CG_UNSEEN. Texts are in the arena. */
enum cg_verdict {
	CG_SAME,
	CG_TIGHTER, /* allows less than was asked for */
	CG_DIFFERS,
	CG_UNSEEN
};
struct cg_seen {
	const char *field; /* "memory.limit" */
	const char *file, *want, *have;
	enum cg_verdict verdict;
};
int cgroup_inspect(const struct cg *cg, const struct pol_resources *r, struct arena *a,
		   struct cg_seen **ret, size_t *ret_n, struct err *e);
/* cgroup_inspect_devices: the same for the device rules: v1's list, v2's program. ret->file is NULL: there are no rules. */
void cgroup_inspect_devices(const struct cg *cg, const struct pol_resources *r, struct arena *a,
			    struct cg_seen *ret);

/* ---- statistics for events (values in the kernel's units; cpu in ns) ---- */
struct cg_stats;
int cgroup_stats(const struct cg *cg, struct arena *a, struct cg_stats **ret, struct err *e);
/* cgroup_stats_json: the members of the "data" object of `events` as runc prints it (C-05), into the object that the
 * caller has opened; network_interfaces, which needs a process, is the caller's. */
struct jsonw;
void cgroup_stats_json(struct jsonw *w, const struct cg_stats *s);
/* cgroup_net_json: network_interfaces: those of the network namespace that the process is in. */
void cgroup_net_json(struct jsonw *w, pid_t pid);
/* cgroup_oom_count: OOM kills so far (memory.events oom_kill / memory.oom_control), or -errno. */
int64_t cgroup_oom_count(const struct cg *cg);
/* cgroup_oom_fd: an fd that becomes readable on OOM: v1's eventfd, or an inotify watch on v2's memory.events, which
 * also speaks up for events that are no OOM: compare cgroup_oom_count(). Both are re-armed by reading them
 * (at most 4096 bytes). *ret_events: what to poll for, POLLIN. */
int cgroup_oom_fd(const struct cg *cg, short *ret_events, struct err *e);

/* cgroup_mount_sources: what a `cgroup` mount needs on v1: pairs (host path of the container's directory, name below
 * /sys/fs/cgroup) plus controller symlinks (cpu -> cpu,cpuacct). v2: empty. In the arena. */
struct cg_bind {
	char *source; /* directory to bind; NULL: `name` is a symlink to the bind that has it in its list */
	char *name; /* "cpu,cpuacct", "systemd", "unified"; for a symlink "cpu" */
};
size_t cgroup_mount_sources(const struct cg *cg, struct arena *a, struct cg_bind **ret);

/* cgroup_probe_layout: for host_probe: by statfs magic of /sys/fs/cgroup and /sys/fs/cgroup/unified. */
enum cg_layout cgroup_probe_layout(void);

#endif

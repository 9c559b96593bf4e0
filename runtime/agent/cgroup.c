/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's cgroup in the guest, always cgroup2: /container below the root, with the limits that the guest keeps
 * (vm/split.h). So an OOM is the container's and not the guest's, and what its processes use is known without the kernel's share.
 *
 * Outside of a guest, in tests, it is below the unified hierarchy that the machine has. Where that has no controllers (v1
 * has them), limits are left out, and the host is told so.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"

#define ROOT "/sys/fs/cgroup"

static bool is_cgroup2(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

static void describe(struct agent *a, const char *mount, const char *path)
{
	struct cg_hier *h = arena_new(&a->a, struct cg_hier);

	*h = (struct cg_hier){.name = arena_strdup(&a->a, ""),
			      .mount = arena_strdup(&a->a, mount),
			      .path = arena_strdup(&a->a, path)};
	a->cg.layout = CG_V2;
	a->cg.manager = POL_CG_CGROUPFS;
	a->cg.hier.v = h;
	a->cg.hier.n = 1;
	a->cg.made_by_us = true;
	a->cg.arena = &a->a;
}

static int make(struct agent *a, const struct pol_resources *r, struct err *e)
{
	int rc = cgroup_make(&a->cg, r, &a->host, e);

	if (rc < 0) {
		a->cg.layout = CG_NONE;
		return rc;
	}
	if (a->part.cgroup.delegate && a->part.has_process)
		rc = cgroup_delegate(&a->cg, a->part.process.uid, a->part.process.gid, e);
	if (rc == 0) {
		short events;

		a->oom_fd = cgroup_oom_fd(&a->cg, &events, e);
		err_clear(e); /* no memory controller: there is no OOM to tell of */
	}
	return rc;
}

/* The machine may have its cgroups read-only, or no way to load device rules: then the container has none, which is told. */
static int try_outside(struct agent *a, const struct pol_resources *r, struct err *e)
{
	if (make(a, r, e) == 0)
		return 0;
	agent_log(a, e->msg);
	err_clear(e);
	agent_log(a, "the container has no cgroup");
	a->cg.layout = CG_NONE;
	return 0;
}

static int make_outside(struct agent *a, struct err *e)
{
	const struct pol_resources none = {
		.devices = {a->part.resources.devices.v, a->part.resources.devices.n}};
	char name[48];

	snprintf(name, sizeof(name), "/kavach-agent.%d", (int) getpid());
	if (is_cgroup2(ROOT)) {
		describe(a, ROOT, name);
		return try_outside(a, &a->part.resources, e);
	}
	if (!is_cgroup2(ROOT "/unified")) {
		agent_log(a, "this machine has no cgroup2: the container has no cgroup");
		return 0;
	}
	agent_log(a, "this machine's cgroup2 has no controllers: no limits are in force");
	describe(a, ROOT "/unified", name);
	return try_outside(a, &none, e);
}

int agent_cgroup_make(struct agent *a, struct err *e)
{
	a->oom_fd = -EBADF;
	if (!a->guest)
		return make_outside(a, e);
	describe(a, ROOT, "/container");
	return make(a, &a->part.resources, e);
}

void agent_oom(struct agent *a)
{
	const struct wire_event oom = {.kind = 1};
	int64_t n = a->cg.layout == CG_NONE ? 0 : cgroup_oom_count(&a->cg);

	if (n <= a->oom)
		return;
	a->oom = n;
	agent_put_body(a, WIRE_EVENT, 0, &wire_event_table, &oom);
}

static int no_cgroup(struct err *e)
{
	return err_set(e, -ENOTSUP, "the container has no cgroup of its own in the guest");
}

int agent_stats(struct agent *a, struct buf *out, struct err *e)
{
	const struct proc *first = proc_find(a, 1);
	arena_auto tmp = {0};
	struct cg_stats *st;
	struct jsonw w;
	int r;

	if (a->cg.layout == CG_NONE)
		return no_cgroup(e);
	r = cgroup_stats(&a->cg, &tmp, &st, e);
	if (r < 0)
		return r;
	jw_init(&w, out, false);
	jw_obj(&w);
	cgroup_stats_json(&w, st);
	if (first && first->pid > 0)
		cgroup_net_json(&w, first->pid);
	jw_obj_end(&w);
	return 0;
}

static void one_process(struct jsonw *w, uint64_t pid)
{
	char path[64], comm[64];

	snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long) pid);
	jw_obj(w);
	jw_ku64(w, "pid", pid);
	if (io_read_small(AT_FDCWD, path, comm, sizeof(comm)) >= 0)
		jw_kstr(w, "command", comm);
	jw_obj_end(w);
}

int agent_ps(struct agent *a, struct buf *out, struct err *e)
{
	arena_auto tmp = {0};
	struct u64s pids = {0};
	struct jsonw w;
	int r = 0;

	if (a->cg.layout != CG_NONE)
		r = cgroup_pids(&a->cg, &tmp, &pids, e);
	if (r < 0)
		return r;
	jw_init(&w, out, false);
	jw_arr(&w);
	for (size_t i = 0; i < pids.n; i++)
		one_process(&w, pids.v[i]);
	for (struct proc *p = a->procs; p && a->cg.layout == CG_NONE; p = p->next)
		if (p->pid > 0)
			one_process(&w, (uint64_t) p->pid);
	jw_arr_end(&w);
	return 0;
}

int agent_update(struct agent *a, const struct pol_resources *r, struct err *e)
{
	return a->cg.layout == CG_NONE ? no_cgroup(e) : cgroup_update(&a->cg, r, &a->host, e);
}

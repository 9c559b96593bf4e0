/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "data" object of `events`, member by member as runc's types/events.go declares them: engines decode
 * it with that very structure. Where Go leaves out a zero ("omitempty"), so do we.
 */
#include "base/jsonw.h"
#include "base/str.h"
#include "cgroup/stats.h"

static void some_u64(struct jsonw *w, const char *key, uint64_t v)
{
	if (v)
		jw_ku64(w, key, v);
}

static void some_list(struct jsonw *w, const char *key, const struct u64s *l)
{
	if (l->n == 0)
		return;
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < l->n; i++)
		jw_u64(w, l->v[i]);
	jw_arr_end(w);
}

static void open_obj(struct jsonw *w, const char *key)
{
	jw_key(w, key);
	jw_obj(w);
}

static void psi_average(struct jsonw *w, const char *key, const char *text)
{
	jw_key(w, key);
	jw_raw(w, *text ? text : "0");
}

static void psi_line(struct jsonw *w, const char *key, const struct cg_psi_line *l)
{
	open_obj(w, key);
	psi_average(w, "avg10", l->avg10);
	psi_average(w, "avg60", l->avg60);
	psi_average(w, "avg300", l->avg300);
	jw_ku64(w, "total", l->total);
	jw_obj_end(w);
}

static void psi(struct jsonw *w, const struct cg_psi *p)
{
	if (!p->set)
		return;
	open_obj(w, "psi");
	psi_line(w, "some", &p->some);
	psi_line(w, "full", &p->full);
	jw_obj_end(w);
}

static void cpu(struct jsonw *w, const struct cg_stats *s)
{
	open_obj(w, "cpu");
	open_obj(w, "usage");
	some_u64(w, "total", s->cpu.total);
	some_list(w, "percpu", &s->cpu.percpu);
	some_list(w, "percpu_kernel", &s->cpu.percpu_kernel);
	some_list(w, "percpu_user", &s->cpu.percpu_user);
	jw_ku64(w, "kernel", s->cpu.kernel);
	jw_ku64(w, "user", s->cpu.user);
	jw_obj_end(w);
	open_obj(w, "throttling");
	some_u64(w, "periods", s->cpu.periods);
	some_u64(w, "throttledPeriods", s->cpu.throttled_periods);
	some_u64(w, "throttledTime", s->cpu.throttled_ns);
	jw_obj_end(w);
	psi(w, &s->cpu.psi);
	jw_obj_end(w);
}

static void cpuset(struct jsonw *w, const struct cg_stats *s)
{
	open_obj(w, "cpuset");
	some_list(w, "cpus", &s->cpuset.cpus);
	jw_ku64(w, "cpu_exclusive", s->cpuset.num[CPUSET_CPU_EXCLUSIVE]);
	some_list(w, "mems", &s->cpuset.mems);
	jw_ku64(w, "mem_hardwall", s->cpuset.num[CPUSET_MEM_HARDWALL]);
	jw_ku64(w, "mem_exclusive", s->cpuset.num[CPUSET_MEM_EXCLUSIVE]);
	jw_ku64(w, "memory_migrate", s->cpuset.num[CPUSET_MEMORY_MIGRATE]);
	jw_ku64(w, "memory_spread_page", s->cpuset.num[CPUSET_SPREAD_PAGE]);
	jw_ku64(w, "memory_spread_slab", s->cpuset.num[CPUSET_SPREAD_SLAB]);
	jw_ku64(w, "memory_pressure", s->cpuset.num[CPUSET_PRESSURE]);
	jw_ku64(w, "sched_load_balance", s->cpuset.num[CPUSET_LOAD_BALANCE]);
	jw_ki64(w, "sched_relax_domain_level", s->cpuset.relax_domain_level);
	jw_obj_end(w);
}

static void memory_entry(struct jsonw *w, const char *key, const struct cg_mem_entry *m)
{
	open_obj(w, key);
	jw_ku64(w, "limit", m->limit);
	some_u64(w, "usage", m->usage);
	some_u64(w, "max", m->max);
	jw_ku64(w, "failcnt", m->failcnt);
	jw_obj_end(w);
}

static void memory(struct jsonw *w, const struct cg_stats *s)
{
	open_obj(w, "memory");
	some_u64(w, "cache", s->memory.cache);
	memory_entry(w, "usage", &s->memory.usage);
	memory_entry(w, "swap", &s->memory.swap);
	memory_entry(w, "kernel", &s->memory.kernel);
	memory_entry(w, "kernelTCP", &s->memory.kernel_tcp);
	if (s->memory.raw.n) {
		open_obj(w, "raw");
		for (size_t i = 0; i < s->memory.raw.n; i++)
			jw_ku64(w, s->memory.raw.v[i].name, s->memory.raw.v[i].v);
		jw_obj_end(w);
	}
	psi(w, &s->memory.psi);
	jw_obj_end(w);
}

static void blkio(struct jsonw *w, const struct cg_stats *s)
{
	static const char *const names[IO_MAX] = {
		[IO_BYTES] = "ioServiceBytesRecursive",
		[IO_OPS] = "ioServicedRecursive",
		[IO_QUEUE] = "ioQueueRecursive",
		[IO_SERVICE_TIME] = "ioServiceTimeRecursive",
		[IO_WAIT_TIME] = "ioWaitTimeRecursive",
		[IO_MERGED] = "ioMergedRecursive",
		[IO_TIME] = "ioTimeRecursive",
		[IO_SECTORS] = "sectorsRecursive",
	};

	open_obj(w, "blkio");
	for (size_t l = 0; l < IO_MAX; l++) {
		if (s->io.list[l].n == 0)
			continue;
		jw_key(w, names[l]);
		jw_arr(w);
		for (size_t i = 0; i < s->io.list[l].n; i++) {
			const struct cg_io_entry *x = &s->io.list[l].v[i];

			jw_obj(w);
			some_u64(w, "major", x->major);
			some_u64(w, "minor", x->minor);
			if (*x->op)
				jw_kstr(w, "op", x->op);
			some_u64(w, "value", x->value);
			jw_obj_end(w);
		}
		jw_arr_end(w);
	}
	psi(w, &s->io.psi);
	jw_obj_end(w);
}

static void hugetlb(struct jsonw *w, const struct cg_stats *s)
{
	open_obj(w, "hugetlb");
	for (size_t i = 0; i < s->huge.n; i++) {
		open_obj(w, s->huge.v[i].size);
		some_u64(w, "usage", s->huge.v[i].usage);
		some_u64(w, "max", s->huge.v[i].max);
		jw_ku64(w, "failcnt", s->huge.v[i].failcnt);
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

/* events: how often a resource was refused for want of room */
static void misc(struct jsonw *w, const struct cg_stats *s)
{
	if (s->misc.usage.n == 0)
		return;
	open_obj(w, "misc");
	for (size_t i = 0; i < s->misc.usage.n; i++) {
		const struct cg_named *u = &s->misc.usage.v[i];

		open_obj(w, u->name);
		jw_ku64(w, "usage", u->v);
		for (size_t k = 0; k < s->misc.events.n; k++) {
			const char *end = str_prefix(s->misc.events.v[k].name, u->name);

			if (end && str_eq(end, ".max"))
				jw_ku64(w, "events", s->misc.events.v[k].v);
		}
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

void cgroup_stats_json(struct jsonw *w, const struct cg_stats *s)
{
	cpu(w, s);
	cpuset(w, s);
	memory(w, s);
	open_obj(w, "pids");
	some_u64(w, "current", s->pids.current);
	some_u64(w, "limit", s->pids.limit);
	jw_obj_end(w);
	blkio(w, s);
	hugetlb(w, s);
	misc(w, s);
	open_obj(w, "intel_rdt"); /* monitoring groups are not read */
	jw_obj_end(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: new limits for a running container. Options and --resources FILE fill the same OCI object, so both pass the
 * same checks. What is not named stays as it is; device rules are never touched (B-13).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "cmd/audited.h"
#include "cmd/box.h"
#include "json/read.h"
#include "spec/spec.h"

struct update_opts {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_share, *cpu_burst, *cpu_idle,
		*cpu_rt_period, *cpu_rt_runtime, *cpuset_cpus, *cpuset_mems, *memory,
		*memory_reservation, *memory_swap, *pids_limit, *kernel_memory, *kernel_memory_tcp,
		*l3, *mb;
};

static int usage(struct err *e, const char *opt, const char *expected, const char *v)
{
	return err_set_id(e, ERR_USAGE, -EINVAL, "--%s: expected %s, found \"%s\"", opt, expected,
			  v);
}

/* "512m", "1g", "1048576", "-1": bytes, as docker and runc take them. */
static int get_bytes(const char *opt, const char *v, struct opt_i64 *ret, struct err *e)
{
	static const char units[] = "bkmgt";
	char num[32];
	size_t n;
	int64_t x;
	int shift = 0;

	if (!v)
		return 0;
	n = strlen(v);
	if (n && (v[n - 1] == 'B' || v[n - 1] == 'b') && n > 1)
		n--;
	if (n && !(v[n - 1] >= '0' && v[n - 1] <= '9')) {
		const char *u = strchr(units, v[n - 1] | 0x20);

		if (!u)
			return usage(e, opt, "bytes, with a unit k, m, g or t, or -1", v);
		shift = 10 * (int) (u - units);
		n--;
	}
	if (n == 0 || n >= sizeof(num))
		return usage(e, opt, "bytes, with a unit k, m, g or t, or -1", v);
	memcpy(num, v, n);
	num[n] = 0;
	if (num_parse_i64(num, -1, INT64_MAX >> shift, &x) < 0)
		return usage(e, opt, "bytes, with a unit k, m, g or t, or -1", v);
	*ret = (struct opt_i64){.set = true, .v = x < 0 ? x : x << shift};
	return 0;
}

static int get_u64(const char *opt, const char *v, struct opt_u64 *ret, struct err *e)
{
	if (!v)
		return 0;
	if (num_parse_u64(v, UINT64_MAX, &ret->v) < 0)
		return usage(e, opt, "a number", v);
	ret->set = true;
	return 0;
}

static int get_i64(const char *opt, const char *v, struct opt_i64 *ret, struct err *e)
{
	if (!v)
		return 0;
	if (num_parse_i64(v, INT64_MIN, INT64_MAX, &ret->v) < 0)
		return usage(e, opt, "a number", v);
	ret->set = true;
	return 0;
}

static int from_options(struct globals *g, const struct update_opts *o, struct spec_resources *res,
			struct err *e)
{
	struct spec_memory *mem = arena_new(g->a, struct spec_memory);
	struct spec_cpu *cpu = arena_new(g->a, struct spec_cpu);
	int r = 0;

	res->memory = mem;
	res->cpu = cpu;
	res->pids = arena_new(g->a, struct spec_pids);
	res->blockIO = arena_new(g->a, struct spec_blkio);
	cpu->cpus = (char *) (uintptr_t) o->cpuset_cpus;
	cpu->mems = (char *) (uintptr_t) o->cpuset_mems;
#define GET(fn, opt, v, to) (r == 0 ? (r = fn(opt, v, to, e)) : r)
	GET(get_bytes, "memory", o->memory, &mem->limit);
	GET(get_bytes, "memory-reservation", o->memory_reservation, &mem->reservation);
	GET(get_bytes, "memory-swap", o->memory_swap, &mem->swap);
	GET(get_bytes, "kernel-memory", o->kernel_memory, &mem->kernel);
	GET(get_bytes, "kernel-memory-tcp", o->kernel_memory_tcp, &mem->kernelTCP);
	GET(get_u64, "cpu-period", o->cpu_period, &cpu->period);
	GET(get_i64, "cpu-quota", o->cpu_quota, &cpu->quota);
	GET(get_u64, "cpu-share", o->cpu_share, &cpu->shares);
	GET(get_u64, "cpu-burst", o->cpu_burst, &cpu->burst);
	GET(get_i64, "cpu-idle", o->cpu_idle, &cpu->idle);
	GET(get_u64, "cpu-rt-period", o->cpu_rt_period, &cpu->realtimePeriod);
	GET(get_i64, "cpu-rt-runtime", o->cpu_rt_runtime, &cpu->realtimeRuntime);
	GET(get_i64, "pids-limit", o->pids_limit, &res->pids->limit);
	GET(get_u64, "blkio-weight", o->blkio_weight, &res->blockIO->weight);
#undef GET
	return r;
}

/* Standard input may be slow: nothing is locked yet. */
static int read_resources(struct globals *g, const struct update_opts *o, struct pol_resources *ret,
			  struct err *e)
{
	const char *name = o->resources;
	const struct spec_resources *res;
	struct spec_resources own = {0};
	struct bytes text;
	int r;

	if (!name) {
		r = from_options(g, o, &own, e);
		return r < 0 ? r : policy_build_resources(&own, &g->host, "options", g->a, ret, e);
	}
	r = cmd_read_file(g->a, name, JSON_MAX_SIZE, &text, e);
	if (str_eq(name, "-"))
		name = "standard input";
	if (r == 0)
		r = spec_parse_resources(name, (const char *) text.v, text.n, g->a, &res, e);
	return r < 0 ? r : policy_build_resources(res, &g->host, name, g->a, ret, e);
}

/* What is in force now is on record, for `inspect`: it is no drift. */
static void note(struct globals *g, struct loaded *l, const struct pol_resources *res)
{
	struct state_record *rec = l->st.rec;
	struct pol_resources *now = arena_new(g->a, struct pol_resources);
	struct err sub = ERR_INIT;

	if (rec->updated.n)
		*now = rec->updated.v[0];
	policy_merge_resources(now, res, g->a);
	rec->updated.v = now;
	rec->updated.n = 1;
	if (state_save(&l->st, &sub) < 0)
		log_warn("the new limits are in force, but not on record: %s", sub.msg);
}

static int cmd_update(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct update_opts *o = opts;
	box_auto l = LOADED_INIT;
	struct pol_resources res = {0};
	int r;

	(void) argc;
	if (o->mb && !str_prefix(o->mb, "MB:"))
		return usage(e, "mem-bw-schema", "a line that starts with MB:", o->mb);
	r = cmd_probe_host(g, e);
	if (r == 0)
		r = read_resources(g, o, &res, e);
	if (r == 0)
		r = box_load(g, argv[0], OP_UPDATE, STATE_LOCK, false, &l, e);
	if (r < 0)
		return r;
	if (o->l3 || o->mb)
		r = rdt_update(&host_rdt, l.box.rdt, o->l3, o->mb, e);
	if (r == 0)
		r = l.ops->update(&l.box, &res, e);
	if (r == 0)
		note(g, &l, &res);
	return audited_result(g, AUDIT_UPDATE, argv[0], l.st.rec, NULL, 0, r, e);
}

#define O(field) offsetof(struct update_opts, field)

static const struct opt opts_table[] = {
	{"resources", 'r', OPT_STR, "FILE", "OCI linux.resources object; - is standard input",
	 O(resources)},
	{"memory", 0, OPT_STR, "BYTES", "memory limit", O(memory)},
	{"memory-reservation", 0, OPT_STR, "BYTES", "memory soft limit", O(memory_reservation)},
	{"memory-swap", 0, OPT_STR, "BYTES", "memory plus swap, -1 for no limit", O(memory_swap)},
	{"pids-limit", 0, OPT_STR, "N", "number of processes, -1 for no limit", O(pids_limit)},
	{"cpu-period", 0, OPT_STR, "USEC", "length of a CPU quota period", O(cpu_period)},
	{"cpu-quota", 0, OPT_STR, "USEC", "CPU time per period, -1 for no limit", O(cpu_quota)},
	{"cpu-burst", 0, OPT_STR, "USEC", "CPU time that may be saved up", O(cpu_burst)},
	{"cpu-share", 0, OPT_STR, "N", "relative CPU weight (1024 is usual)", O(cpu_share)},
	{"cpu-idle", 0, OPT_STR, "0|1", "run only when nobody else wants the CPU", O(cpu_idle)},
	{"cpu-rt-period", 0, OPT_STR, "USEC", "real-time period (cgroup v1)", O(cpu_rt_period)},
	{"cpu-rt-runtime", 0, OPT_STR, "USEC", "real-time runtime (cgroup v1)", O(cpu_rt_runtime)},
	{"cpuset-cpus", 0, OPT_STR, "LIST", "CPUs to use", O(cpuset_cpus)},
	{"cpuset-mems", 0, OPT_STR, "LIST", "memory nodes to use", O(cpuset_mems)},
	{"blkio-weight", 0, OPT_STR, "N", "relative I/O weight, 10 to 1000", O(blkio_weight)},
	{"kernel-memory", 0, OPT_STR, "BYTES", NULL, O(kernel_memory)},
	{"kernel-memory-tcp", 0, OPT_STR, "BYTES", NULL, O(kernel_memory_tcp)},
	{"l3-cache-schema", 0, OPT_STR, "SCHEMA", "L3 cache schema of its resctrl group", O(l3)},
	{"mem-bw-schema", 0, OPT_STR, "SCHEMA", "memory bandwidth schema of its resctrl group",
	 O(mb)},
};

const struct command command_update = {
	.name = "update",
	.args = "CONTAINER",
	.help = "change the resource limits of a container",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct update_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_update,
};

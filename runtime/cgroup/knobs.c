/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From resources to file contents, without touching anything: what is decided here is unit-tested on any
 * host. The rows stand in the order in which the files are written; the reason for a place is beside it.
 *
 * Zero: engines send 0 for "not set" in the memory, cpu and weight members, as the Go structures do, and
 * no kernel takes it as a useful value there, so it is no setting. pids.limit 0 is one (runtime-spec 1.3).
 */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cgroup/internal.h"

/* How a row finds its number in struct pol_resources. */
enum {
	SRC_U64,
	SRC_I64,
	SRC_STR,
};

enum {
	ROW_ZERO = 1 << 0,	 /* 0 is a value */
	ROW_V2_IGNORED = 1 << 1, /* v2 has nothing like it: a warning, as all runtimes do (S-45) */
	ROW_RETRY = 1 << 2,	 /* CGK_RETRY */
};

struct knobs_ctx {
	const struct pol_resources *r;
	const struct cg_world *w;
	struct arena *a;
	struct cg_knobs *out;
	struct err *e;
};

struct knob_row {
	const char *field; /* below linux.resources. */
	enum cg_ctl ctl;
	uint8_t src;
	uint8_t flags;
	uint16_t off;
	const char *v1, *v1_alt; /* files; v2 NULL: no counterpart */
	const char *v2, *v2_alt;
	char *(*v1_fmt)(struct arena *a, uint64_t v);
	char *(*v2_fmt)(struct arena *a, uint64_t v);
	char *(*v2_alt_fmt)(struct arena *a, uint64_t v);
	bool (*when)(const struct knobs_ctx *x);
	/* instead of all the above: rows with more than one file or value */
	int (*emit)(struct knobs_ctx *x);
};

/* ---- formats ---- */

static char *fmt_u64(struct arena *a, uint64_t v)
{
	return arena_printf(a, "%llu", (unsigned long long) v);
}

static char *fmt_i64(struct arena *a, uint64_t v)
{
	return (int64_t) v < 0 ? arena_strdup(a, "-1") : fmt_u64(a, v);
}

static char *fmt_max(struct arena *a, uint64_t v)
{
	return (int64_t) v < 0 ? arena_strdup(a, "max") : fmt_u64(a, v);
}

/* memory.low "max" would guard all of the container's memory from reclaim, the contrary of what an
 * unlimited soft limit on v1 is. */
static char *fmt_low(struct arena *a, uint64_t v)
{
	return (int64_t) v < 0 ? arena_strdup(a, "0") : fmt_u64(a, v);
}

static char *fmt_weight(struct arena *a, uint64_t v)
{
	return fmt_u64(a, cg_shares_to_weight(v));
}

static char *fmt_io_weight(struct arena *a, uint64_t v)
{
	return fmt_u64(a, cg_blkio_to_io_weight(v));
}

/* ---- adding ---- */

static struct cg_knob *add(struct knobs_ctx *x, const char *field, enum cg_ctl c, const char *file,
			   const char *value)
{
	struct cg_knobs *k = x->out;
	struct cg_knob *knob;

	k->v = arena_room(x->a, k->v, k->n, &k->cap, sizeof(*k->v));
	knob = &k->v[k->n++];
	*knob = (struct cg_knob){.v2 = x->w->version[c] == 2, .file = file, .value = value};
	knob->field = arena_printf(x->a, "linux.resources.%s", field);
	knob->ctl = cg_ctl_name(c, knob->v2);
	return knob;
}

static bool is_v2(const struct knobs_ctx *x, enum cg_ctl c)
{
	return x->w->version[c] == 2;
}

/* For rows that name a list element. */
static const char *at_index(struct knobs_ctx *x, const char *list, size_t i)
{
	return arena_printf(x->a, "%s[%zu]", list, i);
}

static int refuse(struct knobs_ctx *x, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

static int refuse(struct knobs_ctx *x, int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(x->e, code, "linux.resources.%s", text);
}

static int not_on_v2(struct knobs_ctx *x, const char *field)
{
	return refuse(x, -EOPNOTSUPP, "%s: there is nothing like it in cgroup v2", field);
}

/* ---- cpu ---- */

/* An idle group has no weight: the kernel refuses to give it one (B-13). */
static bool not_idle(const struct knobs_ctx *x)
{
	return !x->r->cpu_idle.set || x->r->cpu_idle.v != 1;
}

/* v2 has one file for quota and period. A single number leaves the period as it is; a period needs the
 * quota in front of it: the new one, the old one, or none. */
static int emit_cpu_max(struct knobs_ctx *x)
{
	const struct pol_resources *r = x->r;
	bool period = r->cpu_period.set && r->cpu_period.v;
	bool quota = r->cpu_quota.set && r->cpu_quota.v;
	const char *q = x->w->cpu_quota ? x->w->cpu_quota : "max";

	if (!is_v2(x, CTL_CPU) || (!quota && !period))
		return 0;
	if (quota)
		q = fmt_max(x->a, (uint64_t) r->cpu_quota.v);
	if (period)
		q = arena_printf(x->a, "%s %s", q, fmt_u64(x->a, r->cpu_period.v));
	add(x, quota ? "cpu.quota" : "cpu.period", CTL_CPU, "cpu.max", q);
	return 0;
}

static bool on_cpu_v1(const struct knobs_ctx *x)
{
	return x->w->version[CTL_CPU] != 2;
}

/* ---- memory ---- */

static int check_usage(struct knobs_ctx *x, const char *field, int64_t limit)
{
	const struct cg_world *w = x->w;

	if (!x->r->check_before_update.v || !w->mem_usage.set || limit <= 0 ||
	    (uint64_t) limit >= w->mem_usage.v)
		return 0;
	return refuse(x, -EBUSY,
		      "memory.%s: %lld is below the memory in use, %llu (checkBeforeUpdate)", field,
		      (long long) limit, (unsigned long long) w->mem_usage.v);
}

/*
 * v1 counts memory and memory+swap, and at no moment may the first limit be above the second. Going up
 * beyond the old memory+swap limit, that one goes first; in all other cases the memory limit does.
 */
static void add_memory_v1(struct knobs_ctx *x, int64_t limit, int64_t swap, bool swap_implied)
{
	const struct cg_world *w = x->w;
	uint64_t goal = limit < 0 ? UINT64_MAX : (uint64_t) limit;
	bool swap_first = limit && w->memsw_limit.set && goal > w->memsw_limit.v;
	struct cg_knob *k;

	for (int pass = 0; pass < 2; pass++) {
		if (limit && (pass == 0) != swap_first)
			add(x, "memory.limit", CTL_MEMORY, "memory.limit_in_bytes",
			    fmt_i64(x->a, (uint64_t) limit));
		if (swap && (pass == 0) == swap_first) {
			k = add(x, "memory.swap", CTL_MEMORY, "memory.memsw.limit_in_bytes",
				fmt_i64(x->a, (uint64_t) swap));
			/* without swap accounting there is no limit to lift */
			k->flags = swap < 0 || swap_implied ? CGK_OPTIONAL : 0;
		}
	}
}

/* v2 counts swap alone: the difference. */
static int add_memory_v2(struct knobs_ctx *x, int64_t limit, int64_t swap)
{
	struct cg_knob *k;
	int64_t base = limit;

	if (swap > 0 &&
	    base == 0) { /* update of the one half: the other is what the container has */
		if (!x->w->mem_limit.set)
			return refuse(x, -EINVAL,
				      "memory.swap: it includes memory and needs memory.limit");
		base = x->w->mem_limit.v > INT64_MAX ? -1 : (int64_t) x->w->mem_limit.v;
	}
	if (swap > 0 && base > 0) {
		if (swap < base)
			return refuse(x, -EINVAL,
				      "memory.swap: %lld is less than the memory limit, %lld",
				      (long long) swap, (long long) base);
		swap -= base;
		k = add(x, "memory.swap", CTL_MEMORY, "memory.swap.max",
			fmt_u64(x->a, (uint64_t) swap));
		k->flags = swap == 0 ? CGK_OPTIONAL : 0;
	} else if (swap) {
		k = add(x, "memory.swap", CTL_MEMORY, "memory.swap.max",
			fmt_max(x->a, (uint64_t) swap));
		k->flags = swap < 0 ? CGK_OPTIONAL : 0;
	}
	if (limit)
		add(x, "memory.limit", CTL_MEMORY, "memory.max", fmt_max(x->a, (uint64_t) limit));
	return 0;
}

static int emit_memory(struct knobs_ctx *x)
{
	const struct pol_resources *r = x->r;
	int64_t limit = r->memory.v, swap = r->memory_swap.v;
	bool swap_implied = limit < 0 && swap == 0;
	int rc;

	rc = check_usage(x, "limit", limit);
	if (rc == 0)
		rc = check_usage(x, "swap", swap);
	if (rc < 0)
		return rc;
	if (swap_implied) /* no limit on memory means none on memory plus swap (B-13) */
		swap = -1;
	if (swap > 0 && (limit < 0 || swap < limit))
		return refuse(x, -EINVAL,
			      "memory.swap: %lld includes memory and cannot be less than it",
			      (long long) swap);
	if (is_v2(x, CTL_MEMORY))
		return add_memory_v2(x, limit, swap);
	add_memory_v1(x, limit, swap, swap_implied);
	return 0;
}

static int emit_oom(struct knobs_ctx *x)
{
	const struct opt_bool *d = &x->r->disable_oom_killer;

	/* false is what a new cgroup has; writing it matters only if it was true before */
	if (!d->set || (!d->v && (!x->w->update || is_v2(x, CTL_MEMORY))))
		return 0;
	if (is_v2(x, CTL_MEMORY))
		return not_on_v2(x, "memory.disableOOMKiller");
	add(x, "memory.disableOOMKiller", CTL_MEMORY, "memory.oom_control",
	    arena_strdup(x->a, d->v ? "1" : "0"));
	return 0;
}

/* ---- block devices ---- */

static const struct {
	const char *field;
	const char *v1, *v1_alt; /* file */
	const char *v2;		 /* key in io.max; NULL: a weight */
} blkio_rows[] = {
	[POL_BLKIO_WEIGHT] = {"blockIO.weightDevice", "blkio.weight_device",
			      "blkio.bfq.weight_device", NULL},
	[POL_BLKIO_LEAF_WEIGHT] = {"blockIO.weightDevice leafWeight", "blkio.leaf_weight_device",
				   NULL, NULL},
	[POL_BLKIO_RBPS] = {"blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", NULL,
			    "rbps"},
	[POL_BLKIO_WBPS] = {"blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device",
			    NULL, "wbps"},
	[POL_BLKIO_RIOPS] = {"blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
			     NULL, "riops"},
	[POL_BLKIO_WIOPS] = {"blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
			     NULL, "wiops"},
};

static char *dev_value(struct knobs_ctx *x, const struct pol_blkio_dev *d, const char *key,
		       const char *value)
{
	return arena_printf(x->a, "%llu:%llu %s%s%s", (unsigned long long) d->major,
			    (unsigned long long) d->minor, key ? key : "", key ? "=" : "", value);
}

static int emit_blkio_device(struct knobs_ctx *x, const struct pol_blkio_dev *d)
{
	const char *field = arena_printf(x->a, "%s of %llu:%llu", blkio_rows[d->knob].field,
					 (unsigned long long) d->major,
					 (unsigned long long) d->minor);
	const char *number = fmt_u64(x->a, d->value);
	struct cg_knob *k;

	if (!is_v2(x, CTL_BLKIO)) {
		k = add(x, field, CTL_BLKIO, blkio_rows[d->knob].v1, dev_value(x, d, NULL, number));
		k->alt_file = blkio_rows[d->knob].v1_alt;
		k->alt_value = k->value;
	} else if (d->knob == POL_BLKIO_LEAF_WEIGHT) {
		return not_on_v2(x, field);
	} else if (d->knob == POL_BLKIO_WEIGHT) {
		k = add(x, field, CTL_BLKIO, "io.bfq.weight", dev_value(x, d, NULL, number));
		k->alt_file = "io.weight";
		k->alt_value = dev_value(x, d, NULL, fmt_io_weight(x->a, d->value));
	} else { /* v1 lifts a limit with 0, v2 with a word */
		add(x, field, CTL_BLKIO, "io.max",
		    dev_value(x, d, blkio_rows[d->knob].v2, d->value ? number : "max"));
	}
	return 0;
}

static int emit_blkio(struct knobs_ctx *x)
{
	int r = 0;

	for (size_t i = 0; i < x->r->blkio.n && r == 0; i++) {
		const struct pol_blkio_dev *d = &x->r->blkio.v[i];

		if (d->knob == 0 || d->knob >= ARRAY_LEN(blkio_rows))
			return refuse(x, -EINVAL, "blockIO: unknown kind %u", d->knob);
		r = emit_blkio_device(x, d);
	}
	return r;
}

/* ---- the other lists ---- */

/*
 * The reservation limit is the one that lets mmap() fail instead of killing by SIGBUS later (S-44), but
 * pages that are faulted in without a reservation count only against the plain one. So both are set.
 */
static int emit_hugepages(struct knobs_ctx *x)
{
	for (size_t i = 0; i < x->r->hugepages.n; i++) {
		const struct pol_hugepage *h = &x->r->hugepages.v[i];
		const char *end = is_v2(x, CTL_HUGETLB) ? "max" : "limit_in_bytes";
		const char *field = at_index(x, "hugepageLimits", i);

		add(x, field, CTL_HUGETLB, arena_printf(x->a, "hugetlb.%s.%s", h->size, end),
		    fmt_u64(x->a, h->limit));
		add(x, field, CTL_HUGETLB, arena_printf(x->a, "hugetlb.%s.rsvd.%s", h->size, end),
		    fmt_u64(x->a, h->limit))
			->flags = CGK_OPTIONAL;
	}
	return 0;
}

static int emit_net_prio(struct knobs_ctx *x)
{
	if (x->r->net_prio.n && is_v2(x, CTL_NET_PRIO)) {
		log_warn(
			"linux.resources.network.priorities is ignored: there is nothing like it in cgroup v2");
		return 0;
	}
	for (size_t i = 0; i < x->r->net_prio.n; i++)
		add(x, "network.priorities", CTL_NET_PRIO, "net_prio.ifpriomap",
		    arena_printf(x->a, "%s %s", x->r->net_prio.v[i].key, x->r->net_prio.v[i].val));
	return 0;
}

static int emit_rdma(struct knobs_ctx *x)
{
	for (size_t i = 0; i < x->r->rdma.n; i++) {
		const struct pol_rdma *d = &x->r->rdma.v[i];
		const char *field = arena_printf(x->a, "rdma.%s", d->device);
		char *s = arena_strdup(x->a, d->device);

		if (!d->handles.set && !d->objects.set)
			return refuse(x, -EINVAL, "%s: needs hcaHandles or hcaObjects", field);
		if (d->handles.set)
			s = arena_printf(x->a, "%s hca_handle=%llu", s,
					 (unsigned long long) d->handles.v);
		if (d->objects.set)
			s = arena_printf(x->a, "%s hca_object=%llu", s,
					 (unsigned long long) d->objects.v);
		add(x, field, CTL_RDMA, "rdma.max", s);
	}
	return 0;
}

/* Verbatim, one line of the value per write: that is how the kernel reads keyed files. Last, so that it
 * wins over what was converted. The controller is the part before the first dot; "cgroup." is the core. */
static int emit_unified(struct knobs_ctx *x)
{
	for (size_t i = 0; i < x->r->unified.n; i++) {
		const struct kv *u = &x->r->unified.v[i];
		const char *field = arena_printf(x->a, "unified[\"%s\"]", u->key);
		struct strs lines = str_split(x->a, u->val, '\n');
		size_t n = strcspn(u->key, ".");

		if (strchr(u->key, '/') || n == 0)
			return refuse(x, -EINVAL, "%s: not the name of a cgroup file", field);
		if (lines.n == 0)
			return refuse(x, -EINVAL, "%s: is empty", field);
		for (size_t l = 0; l < lines.n; l++) {
			struct cg_knob *k = add(x, field, CTL_MEMORY, u->key, lines.v[l]);

			k->v2 = true;
			k->ctl = str_prefix(u->key, "cgroup.") ? NULL
							       : arena_strndup(x->a, u->key, n);
		}
	}
	return 0;
}

/* ---- the table ---- */

#define OFF(m) .off = offsetof(struct pol_resources, m)

static const struct knob_row rows[] = {
	/* before anything that is charged: where memory comes from */
	{"cpu.cpus", CTL_CPUSET, SRC_STR, OFF(cpus), .v1 = "cpuset.cpus", .v2 = "cpuset.cpus"},
	{"cpu.mems", CTL_CPUSET, SRC_STR, OFF(mems), .v1 = "cpuset.mems", .v2 = "cpuset.mems"},
	/* idle before shares: a group that stops being idle takes a weight only after that */
	{"cpu.idle", CTL_CPU, SRC_I64, ROW_ZERO, OFF(cpu_idle), .v1 = "cpu.idle", .v2 = "cpu.idle"},
	{"cpu.shares", CTL_CPU, SRC_U64, OFF(cpu_shares), .v1 = "cpu.shares", .v2 = "cpu.weight",
	 .v2_fmt = fmt_weight, .when = not_idle},
	/* Each of the three is checked against the other two and the parent's, so whichever is refused at
	 * first is tried again after the others. */
	{"cpu.burst", CTL_CPU, SRC_U64, ROW_ZERO | ROW_RETRY, OFF(cpu_burst),
	 .v1 = "cpu.cfs_burst_us", .v2 = "cpu.max.burst"},
	{"cpu.period", CTL_CPU, SRC_U64, ROW_RETRY, OFF(cpu_period), .v1 = "cpu.cfs_period_us",
	 .when = on_cpu_v1},
	{"cpu.quota", CTL_CPU, SRC_I64, ROW_RETRY, OFF(cpu_quota), .v1 = "cpu.cfs_quota_us",
	 .when = on_cpu_v1},
	{.emit = emit_cpu_max},
	{"cpu.realtimePeriod", CTL_CPU, SRC_U64, ROW_RETRY, OFF(cpu_rt_period),
	 .v1 = "cpu.rt_period_us"},
	{"cpu.realtimeRuntime", CTL_CPU, SRC_I64, ROW_RETRY, OFF(cpu_rt_runtime),
	 .v1 = "cpu.rt_runtime_us"},
	{.emit = emit_memory},
	{"memory.reservation", CTL_MEMORY, SRC_I64, OFF(memory_reservation),
	 .v1 = "memory.soft_limit_in_bytes", .v2 = "memory.low", .v2_fmt = fmt_low},
	{"memory.swappiness", CTL_MEMORY, SRC_U64, ROW_ZERO, OFF(swappiness),
	 .v1 = "memory.swappiness"},
	{.emit = emit_oom},
	/* kernel_memory and kernel_memory_tcp have no file any more; the policy has warned */
	{"pids.limit", CTL_PIDS, SRC_I64, ROW_ZERO, OFF(pids), .v1 = "pids.max", .v1_fmt = fmt_max,
	 .v2 = "pids.max"},
	{"blockIO.weight", CTL_BLKIO, SRC_U64, OFF(blkio_weight), .v1 = "blkio.weight",
	 .v1_alt = "blkio.bfq.weight", .v2 = "io.bfq.weight", .v2_alt = "io.weight",
	 .v2_alt_fmt = fmt_io_weight},
	{"blockIO.leafWeight", CTL_BLKIO, SRC_U64, OFF(blkio_leaf_weight),
	 .v1 = "blkio.leaf_weight"},
	{.emit = emit_blkio},
	{.emit = emit_hugepages},
	{"network.classID", CTL_NET_CLS, SRC_U64, ROW_V2_IGNORED, OFF(net_classid),
	 .v1 = "net_cls.classid"},
	{.emit = emit_net_prio},
	{.emit = emit_rdma},
	{.emit = emit_unified},
};

/* Whether the row's member is set, and its bits. */
static bool row_value(const struct knobs_ctx *x, const struct knob_row *row, uint64_t *ret)
{
	const char *p = (const char *) x->r + row->off;
	const struct opt_u64 *u = (const struct opt_u64 *) p;
	const struct opt_i64 *i = (const struct opt_i64 *) p;

	if (row->src == SRC_STR) {
		*ret = 0;
		return !str_empty(*(char *const *) p);
	}
	*ret = row->src == SRC_U64 ? u->v : (uint64_t) i->v;
	return (row->src == SRC_U64 ? u->set : i->set) && (*ret || (row->flags & ROW_ZERO));
}

static int add_row(struct knobs_ctx *x, const struct knob_row *row)
{
	bool v2 = is_v2(x, row->ctl);
	struct cg_knob *k;
	uint64_t v;

	if (!row_value(x, row, &v) || (row->when && !row->when(x)))
		return 0;
	if (v2 && !row->v2) {
		if (!(row->flags & ROW_V2_IGNORED))
			return not_on_v2(x, row->field);
		log_warn("linux.resources.%s is ignored: there is nothing like it in cgroup v2",
			 row->field);
		return 0;
	}
	k = add(x, row->field, row->ctl, v2 ? row->v2 : row->v1, NULL);
	k->flags = row->flags & ROW_RETRY ? CGK_RETRY : 0;
	k->alt_file = v2 ? row->v2_alt : row->v1_alt;
	if (row->src == SRC_STR)
		k->value = *(char *const *) (const void *) ((const char *) x->r + row->off);
	else if (v2 && row->v2_fmt)
		k->value = row->v2_fmt(x->a, v);
	else if (!v2 && row->v1_fmt)
		k->value = row->v1_fmt(x->a, v);
	else if (row->src == SRC_I64)
		k->value = v2 ? fmt_max(x->a, v) : fmt_i64(x->a, v);
	else
		k->value = fmt_u64(x->a, v);
	k->alt_value = v2 && row->v2_alt_fmt ? row->v2_alt_fmt(x->a, v) : k->value;
	return 0;
}

int cgroup_knobs(const struct pol_resources *r, const struct cg_world *w, struct arena *a,
		 struct cg_knobs *ret, struct err *e)
{
	struct cg_knobs out = {0};
	struct knobs_ctx x = {r, w, a, &out, e};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = rows[i].emit ? rows[i].emit(&x) : add_row(&x, &rows[i]);

		if (rc < 0)
			return rc;
	}
	*ret = out;
	return 0;
}

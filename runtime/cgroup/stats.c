/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the statistics of a container. Each controller is looked for where it is, v1 or v2; what the
 * host does not have is zero or absent, as with other runtimes. v2's numbers are put into v1's terms,
 * because that is the format that engines read: cpu times in ns, swap including memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "cgroup/stats.h"

#define FILE_MAX (1u << 20)

/* The text of a file without the blanks at its end, or NULL if the kernel does not have it here. */
static char *slurp(const struct cg_hier *h, const char *file, struct arena *a)
{
	char path[PATH_MAX];
	struct bytes b;

	if (!h || cg_path(path, h, file) < 0 || io_read_at(AT_FDCWD, path, 0, FILE_MAX, a, &b) < 0)
		return NULL;
	while (b.n > 0 && (b.v[b.n - 1] == '\n' || b.v[b.n - 1] == ' '))
		b.v[--b.n] = '\0';
	return (char *) b.v;
}

static uint64_t number(const struct cg_hier *h, const char *file)
{
	uint64_t v;

	return h && cg_read_u64(h, file, &v) == 0 ? v : 0;
}

static uint64_t flat(const char *text, const char *key)
{
	uint64_t v;

	return text && cg_flat_get(text, key, &v) ? v : 0;
}

static uint64_t add_limits(uint64_t a, uint64_t b)
{
	uint64_t sum;

	if (a == UINT64_MAX || b == UINT64_MAX || __builtin_add_overflow(a, b, &sum))
		return UINT64_MAX;
	return sum;
}

static void read_psi(const struct cg *cg, const char *file, struct arena *a, struct cg_psi *ret)
{
	const char *text = slurp(cg_unified(cg), file, a);

	if (text)
		cg_parse_psi(text, ret);
}

/* ---- cpu ---- */

static void percpu(struct cg_stats *s, const struct cg_hier *h, struct arena *a)
{
	char *text = slurp(h, "cpuacct.usage_percpu", a), *all = slurp(h, "cpuacct.usage_all", a);
	struct strs w;

	if (text) {
		w = str_split(a, text, ' ');
		s->cpu.percpu.v = arena_array(a, w.n + 1, sizeof(uint64_t));
		for (size_t i = 0; i < w.n; i++) {
			uint64_t *v = &s->cpu.percpu.v[s->cpu.percpu.n];

			s->cpu.percpu.n += num_parse_u64(w.v[i], UINT64_MAX, v) == 0;
		}
	}
	if (!all)
		return;
	w = str_split(a, all, '\n'); /* a heading, then "cpu user system" */
	s->cpu.percpu_user.v = arena_array(a, w.n + 1, sizeof(uint64_t));
	s->cpu.percpu_kernel.v = arena_array(a, w.n + 1, sizeof(uint64_t));
	for (size_t i = 1; i < w.n; i++) {
		struct strs f = str_split(a, w.v[i], ' ');
		size_t n = s->cpu.percpu_user.n;

		if (f.n != 3 || num_parse_u64(f.v[1], UINT64_MAX, &s->cpu.percpu_user.v[n]) < 0 ||
		    num_parse_u64(f.v[2], UINT64_MAX, &s->cpu.percpu_kernel.v[n]) < 0)
			continue;
		s->cpu.percpu_user.n = s->cpu.percpu_kernel.n = n + 1;
	}
}

static void cpu_v1(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	const struct cg_hier *acct = cg_hier_v1(cg, "cpuacct");
	const char *stat = slurp(cg_hier_v1(cg, "cpu"), "cpu.stat", a);

	s->cpu.total = number(acct, "cpuacct.usage");
	/* in ns; cpuacct.stat has only clock ticks */
	s->cpu.user = number(acct, "cpuacct.usage_user");
	s->cpu.kernel = number(acct, "cpuacct.usage_sys");
	percpu(s, acct, a);
	s->cpu.periods = flat(stat, "nr_periods");
	s->cpu.throttled_periods = flat(stat, "nr_throttled");
	s->cpu.throttled_ns = flat(stat, "throttled_time");
}

static void cpu_v2(const struct cg_hier *h, struct arena *a, struct cg_stats *s)
{
	const char *stat = slurp(h, "cpu.stat", a);

	s->cpu.total = flat(stat, "usage_usec") * 1000;
	s->cpu.user = flat(stat, "user_usec") * 1000;
	s->cpu.kernel = flat(stat, "system_usec") * 1000;
	s->cpu.periods = flat(stat, "nr_periods");
	s->cpu.throttled_periods = flat(stat, "nr_throttled");
	s->cpu.throttled_ns = flat(stat, "throttled_usec") * 1000;
}

static void read_cpu(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	if (cg_hier_v1(cg, "cpuacct") || cg_hier_v1(cg, "cpu"))
		cpu_v1(cg, a, s);
	else if (cg_unified(cg))
		cpu_v2(cg_unified(cg), a, s);
	read_psi(cg, "cpu.pressure", a, &s->cpu.psi);
}

static void read_cpuset(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	static const char *const files[CPUSET_NUM_MAX] = {
		[CPUSET_CPU_EXCLUSIVE] = "cpuset.cpu_exclusive",
		[CPUSET_MEM_HARDWALL] = "cpuset.mem_hardwall",
		[CPUSET_MEM_EXCLUSIVE] = "cpuset.mem_exclusive",
		[CPUSET_MEMORY_MIGRATE] = "cpuset.memory_migrate",
		[CPUSET_SPREAD_PAGE] = "cpuset.memory_spread_page",
		[CPUSET_SPREAD_SLAB] = "cpuset.memory_spread_slab",
		[CPUSET_PRESSURE] = "cpuset.memory_pressure",
		[CPUSET_LOAD_BALANCE] = "cpuset.sched_load_balance",
	};
	const struct cg_hier *h = cg_hier_v1(cg, "cpuset");
	char *text, level[32];

	if (!h) { /* v2: only the sets */
		h = cg_unified(cg);
		if ((text = slurp(h, "cpuset.cpus.effective", a)))
			cg_parse_list(text, a, &s->cpuset.cpus);
		if ((text = slurp(h, "cpuset.mems.effective", a)))
			cg_parse_list(text, a, &s->cpuset.mems);
		return;
	}
	for (size_t i = 0; i < CPUSET_NUM_MAX; i++)
		s->cpuset.num[i] = number(h, files[i]);
	if (cg_read(h, "cpuset.sched_relax_domain_level", level, sizeof(level)) > 0)
		(void) !num_parse_i64(level, INT64_MIN, INT64_MAX, &s->cpuset.relax_domain_level);
	if ((text = slurp(h, "cpuset.cpus", a)))
		cg_parse_list(text, a, &s->cpuset.cpus);
	if ((text = slurp(h, "cpuset.mems", a)))
		cg_parse_list(text, a, &s->cpuset.mems);
}

/* ---- memory ---- */

static void memory_v1_entry(const struct cg_hier *h, const char *kind, struct arena *a,
			    struct cg_mem_entry *ret)
{
	ret->limit = number(h, arena_printf(a, "memory.%slimit_in_bytes", kind));
	ret->usage = number(h, arena_printf(a, "memory.%susage_in_bytes", kind));
	ret->max = number(h, arena_printf(a, "memory.%smax_usage_in_bytes", kind));
	ret->failcnt = number(h, arena_printf(a, "memory.%sfailcnt", kind));
}

static void memory_v2(const struct cg_hier *h, struct arena *a, struct cg_stats *s)
{
	struct cg_mem_entry *m = &s->memory.usage, *w = &s->memory.swap;

	m->usage = number(h, "memory.current");
	m->limit = number(h, "memory.max");
	m->max = number(h, "memory.peak");
	m->failcnt = flat(slurp(h, "memory.events", a), "max");
	w->usage = number(h, "memory.swap.current") + m->usage;
	w->limit = add_limits(number(h, "memory.swap.max"), m->limit);
	w->max = number(h, "memory.swap.peak");
	w->failcnt = flat(slurp(h, "memory.swap.events", a), "max");
}

static void read_memory(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	const struct cg_hier *h = cg_where(cg, CTL_MEMORY);
	const char *stat = slurp(h, "memory.stat", a);
	bool v2 = h && cg_hier_is_v2(h);

	if (stat) {
		cg_parse_flat(stat, a, &s->memory.raw);
		s->memory.cache = flat(stat, v2 ? "file" : "cache");
	}
	if (v2) {
		memory_v2(h, a, s);
	} else if (h) {
		memory_v1_entry(h, "", a, &s->memory.usage);
		memory_v1_entry(h, "memsw.", a, &s->memory.swap);
		memory_v1_entry(h, "kmem.", a, &s->memory.kernel);
		memory_v1_entry(h, "kmem.tcp.", a, &s->memory.kernel_tcp);
	}
	read_psi(cg, "memory.pressure", a, &s->memory.psi);
}

/* ---- pids, block devices, huge pages ---- */

static void read_pids(const struct cg *cg, struct cg_stats *s)
{
	const struct cg_hier *h = cg_where(cg, CTL_PIDS);

	s->pids.current = number(h, "pids.current");
	s->pids.limit = number(h, "pids.max");
	if (s->pids.limit == UINT64_MAX)
		s->pids.limit = 0;
}

/* Which of the three I/O accountings of v1 is alive depends on the scheduler: BFQ, the old CFQ, or none
 * of them but the throttling layer. The first that has counted something is it. */
static void io_v1(const struct cg_hier *h, struct arena *a, struct cg_stats *s)
{
	static const struct {
		enum cg_io_list list;
		const char *file[3];
	} files[] = {
		{IO_BYTES,
		 {"blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
		  "blkio.throttle.io_service_bytes_recursive"}},
		{IO_OPS,
		 {"blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
		  "blkio.throttle.io_serviced_recursive"}},
		{IO_QUEUE, {"blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive"}},
		{IO_SERVICE_TIME,
		 {"blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive"}},
		{IO_WAIT_TIME,
		 {"blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive"}},
		{IO_MERGED, {"blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive"}},
		{IO_TIME, {"blkio.bfq.time_recursive", "blkio.time_recursive"}},
		{IO_SECTORS, {"blkio.bfq.sectors_recursive", "blkio.sectors_recursive"}},
	};
	_Static_assert(ARRAY_LEN(files) == IO_MAX, "one row per list");

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		enum cg_io_list l = files[i].list;

		for (size_t k = 0; k < 3 && files[i].file[k] && s->io.list[l].n == 0; k++) {
			const char *text = slurp(h, files[i].file[k], a);

			if (text)
				cg_parse_blkio(text, a, l, s);
		}
	}
}

static void read_io(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	const struct cg_hier *h = cg_where(cg, CTL_BLKIO);
	const char *text;

	if (h && !cg_hier_is_v2(h))
		io_v1(h, a, s);
	else if ((text = slurp(h, "io.stat", a)))
		cg_parse_io_stat(text, a, s);
	read_psi(cg, "io.pressure", a, &s->io.psi);
}

static uint64_t huge_number(const struct cg_hier *h, const char *size, const char *end,
			    struct arena *a, bool *ret_found)
{
	uint64_t v = 0;

	/* reservations first, as with the limits (S-44) */
	*ret_found = cg_read_u64(h, arena_printf(a, "hugetlb.%s.rsvd.%s", size, end), &v) == 0 ||
		     cg_read_u64(h, arena_printf(a, "hugetlb.%s.%s", size, end), &v) == 0;
	return v;
}

static void huge_size(const struct cg_hier *h, const char *size, struct arena *a,
		      struct cg_stats *s)
{
	struct cg_huge *g = &s->huge.v[s->huge.n];
	bool v2 = cg_hier_is_v2(h), found, ignored;

	g->size = arena_strdup(a, size);
	g->usage = huge_number(h, size, v2 ? "current" : "usage_in_bytes", a, &found);
	if (!found)
		return;
	if (v2) {
		g->failcnt = flat(slurp(h, arena_printf(a, "hugetlb.%s.events", size), a), "max");
	} else {
		g->max = huge_number(h, size, "max_usage_in_bytes", a, &ignored);
		g->failcnt = huge_number(h, size, "failcnt", a, &ignored);
	}
	s->huge.n++;
}

/* The sizes that the machine has, "hugepages-2048kB", are the cgroup's in the next unit: "2MB". */
static void read_huge(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	const struct cg_hier *h = cg_where(cg, CTL_HUGETLB);
	DIR *dir = h ? opendir("/sys/kernel/mm/hugepages") : NULL;
	struct dirent *d;
	enum { SIZES_MAX = 16 };

	s->huge.v = arena_array(a, SIZES_MAX, sizeof(*s->huge.v));
	while (dir && (d = readdir(dir)) && s->huge.n < SIZES_MAX) {
		const char *kb = str_prefix(d->d_name, "hugepages-");
		uint64_t v;

		if (!kb)
			continue;
		kb = arena_strndup(a, kb, strspn(kb, "0123456789"));
		if (num_parse_u64(kb, UINT64_MAX >> 10, &v) < 0)
			continue;
		if (v >= 1 << 20)
			huge_size(h, arena_printf(a, "%lluGB", (unsigned long long) v >> 20), a, s);
		else if (v >= 1 << 10)
			huge_size(h, arena_printf(a, "%lluMB", (unsigned long long) v >> 10), a, s);
		else
			huge_size(h, arena_printf(a, "%lluKB", (unsigned long long) v), a, s);
	}
	if (dir)
		closedir(dir);
}

/* What no controller of its own counts: ids of encrypted guests (sev, sev_es), for instance. */
static void read_misc(const struct cg *cg, struct arena *a, struct cg_stats *s)
{
	char *usage = slurp(cg_unified(cg), "misc.current", a);
	char *events = usage ? slurp(cg_unified(cg), "misc.events", a) : NULL;

	if (usage)
		cg_parse_flat(usage, a, &s->misc.usage);
	if (events)
		cg_parse_flat(events, a, &s->misc.events);
}

int cgroup_stats(const struct cg *cg, struct arena *a, struct cg_stats **ret, struct err *e)
{
	struct cg_stats *s = arena_new(a, struct cg_stats);
	const struct cg_hier *h = cg_main(cg);
	char path[PATH_MAX];

	if (!h)
		return err_set(e, -EOPNOTSUPP,
			       "the container has no cgroup: there are no statistics");
	/* Everything below takes a missing file for a missing facility, so look for the directory once. */
	if (cg_path(path, h, NULL) < 0 || access(path, F_OK) < 0)
		return err_sys(e, "statistics of cgroup %s%s", h->mount, h->path);
	read_cpu(cg, a, s);
	read_cpuset(cg, a, s);
	read_memory(cg, a, s);
	read_pids(cg, s);
	read_io(cg, a, s);
	read_huge(cg, a, s);
	read_misc(cg, a, s);
	*ret = s;
	return 0;
}

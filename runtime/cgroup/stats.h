/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of `events --stats`, between reading (stats.c) and printing (stats_json.c). */
#ifndef KAVACH_CGROUP_STATS_H
#define KAVACH_CGROUP_STATS_H

#include "cgroup/internal.h"

/* Pressure averages are kept as the kernel's text: it is valid JSON already, and no float is rounded. */
struct cg_psi_line {
	char avg10[16], avg60[16], avg300[16];
	uint64_t total; /* us */
};
struct cg_psi {
	bool set;
	struct cg_psi_line some, full;
};

struct cg_mem_entry {
	uint64_t limit, usage, max, failcnt; /* UINT64_MAX: no limit */
};

struct cg_named {
	char *name;
	uint64_t v;
};
typedef POL_LIST(struct cg_named) cg_nameds;

struct cg_io_entry {
	uint64_t major, minor, value;
	char *op; /* "Read", "Write", "Sync", ...; "" for files without operations */
};

enum cg_io_list {
	IO_BYTES,
	IO_OPS,
	IO_QUEUE,
	IO_SERVICE_TIME,
	IO_WAIT_TIME,
	IO_MERGED,
	IO_TIME,
	IO_SECTORS,
	IO_MAX
};

struct cg_huge {
	char *size;
	uint64_t usage, max, failcnt;
};

enum cg_cpuset_num {
	CPUSET_CPU_EXCLUSIVE,
	CPUSET_MEM_HARDWALL,
	CPUSET_MEM_EXCLUSIVE,
	CPUSET_MEMORY_MIGRATE,
	CPUSET_SPREAD_PAGE,
	CPUSET_SPREAD_SLAB,
	CPUSET_PRESSURE,
	CPUSET_LOAD_BALANCE,
	CPUSET_NUM_MAX
};

struct cg_stats {
	struct {
		uint64_t total, kernel, user; /* ns */
		struct u64s percpu, percpu_kernel, percpu_user;
		uint64_t periods, throttled_periods, throttled_ns;
		struct cg_psi psi;
	} cpu;
	struct {
		struct u64s cpus, mems;
		uint64_t num[CPUSET_NUM_MAX];
		int64_t relax_domain_level;
	} cpuset;
	struct {
		uint64_t cache;
		struct cg_mem_entry usage, swap, kernel, kernel_tcp;
		cg_nameds raw;
		struct cg_psi psi;
	} memory;
	struct {
		uint64_t current, limit; /* 0: no limit */
	} pids;
	struct {
		POL_LIST(struct cg_io_entry) list[IO_MAX];
		struct cg_psi psi;
	} io;
	POL_LIST(struct cg_huge) huge;
	struct {
		cg_nameds usage, events; /* of the misc controller, v2: resource; resource.max */
	} misc;
};

/* stats_parse.c: pure. Lines that are not understood are left out: a newer kernel may print more. */
void cg_parse_psi(const char *text, struct cg_psi *ret);
/* "0-3,7" -> 0 1 2 3 7 */
void cg_parse_list(const char *text, struct arena *a, struct u64s *ret);
/* "key value" lines */
void cg_parse_flat(const char *text, struct arena *a, cg_nameds *ret);
/* v1: "8:0 Read 4096" or "8:0 4096" lines; totals are left out */
void cg_parse_blkio(const char *text, struct arena *a, enum cg_io_list l, struct cg_stats *s);
/* v2: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" lines */
void cg_parse_io_stat(const char *text, struct arena *a, struct cg_stats *s);

#endif

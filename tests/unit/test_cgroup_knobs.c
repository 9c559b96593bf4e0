/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup host json base */
#include "tap.h"

#include "base/log.h"
#include "cgroup/internal.h"

static struct cg_world v1, v2, hybrid; /* hybrid: hugetlb on v2, everything else on v1 */

static void init_worlds(void)
{
	for (enum cg_ctl c = 0; c < CTL_MAX; c++) {
		v1.version[c] = hybrid.version[c] = 1;
		v2.version[c] = 2;
	}
	hybrid.version[CTL_HUGETLB] = hybrid.version[CTL_RDMA] = 2;
	hybrid.version[CTL_NET_CLS] = hybrid.version[CTL_NET_PRIO] = 2;
}

/* "[v2 ]controller file=value[ ?][ ~][ | alt_file=alt_value]" per knob; ?: optional, ~: retried. */
static char *dump(struct arena *a, const struct cg_knobs *k)
{
	char *s = arena_strdup(a, "");

	for (size_t i = 0; i < k->n; i++) {
		const struct cg_knob *x = &k->v[i];

		s = arena_printf(a, "%s%s%s%s %s=%s%s%s", s, i ? "; " : "", x->v2 ? "v2 " : "",
				 x->ctl ? x->ctl : "core", x->file, x->value,
				 x->flags & CGK_OPTIONAL ? " ?" : "",
				 x->flags & CGK_RETRY ? " ~" : "");
		if (x->alt_file)
			s = arena_printf(a, "%s | %s=%s", s, x->alt_file, x->alt_value);
	}
	return s;
}

static void expect(const struct pol_resources *r, const struct cg_world *w, const char *want,
		   const char *name)
{
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct cg_knobs k;

	if (cgroup_knobs(r, w, &a, &k, &e) < 0) {
		ok(0, "%s", name);
		printf("#   error: %s\n", e.msg);
		return;
	}
	is_str(dump(&a, &k), want, "%s", name);
}

static void refuse(const struct pol_resources *r, const struct cg_world *w, const char *want,
		   const char *name)
{
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct cg_knobs k;
	int rc = cgroup_knobs(r, w, &a, &k, &e);

	ok(rc < 0 && strstr(e.msg, want), "%s", name);
	if (rc >= 0 || !strstr(e.msg, want))
		printf("#   got: %d %s\n#   want: %s\n", rc, e.msg, want);
}

#define RES(...) (&(struct pol_resources){__VA_ARGS__})
#define N(x)                                                                                       \
	{                                                                                          \
		true, (x)                                                                          \
	}

static void test_memory(void)
{
	struct cg_world w;

	expect(RES(.memory = N(0)), &v1, "", "no resource, no knob");
	expect(RES(.memory = N(4096)), &v1, "memory memory.limit_in_bytes=4096",
	       "v1: memory limit");
	expect(RES(.memory = N(4096)), &v2, "v2 memory memory.max=4096", "v2: memory limit");
	expect(RES(.memory = N(100), .memory_swap = N(300)), &v1,
	       "memory memory.limit_in_bytes=100; memory memory.memsw.limit_in_bytes=300",
	       "v1: memory before memory+swap on a new cgroup");
	expect(RES(.memory = N(100), .memory_swap = N(300)), &v2,
	       "v2 memory memory.swap.max=200; v2 memory memory.max=100",
	       "v2: swap is the difference");
	expect(RES(.memory = N(100), .memory_swap = N(100)), &v2,
	       "v2 memory memory.swap.max=0 ?; v2 memory memory.max=100",
	       "v2: no swap at all needs no swap accounting");
	expect(RES(.memory = N(100), .memory_swap = N(-1)), &v2,
	       "v2 memory memory.swap.max=max ?; v2 memory memory.max=100", "v2: unlimited swap");
	expect(RES(.memory = N(-1)), &v2,
	       "v2 memory memory.swap.max=max ?; v2 memory memory.max=max",
	       "v2: memory -1 implies swap -1");
	expect(RES(.memory = N(-1)), &v1,
	       "memory memory.limit_in_bytes=-1; memory memory.memsw.limit_in_bytes=-1 ?",
	       "v1: memory -1 implies swap -1");
	refuse(RES(.memory = N(100), .memory_swap = N(50)), &v1, "memory.swap",
	       "v1: memory+swap below memory is refused");
	refuse(RES(.memory = N(100), .memory_swap = N(50)), &v2, "memory.swap",
	       "v2: memory+swap below memory is refused");
	refuse(RES(.memory_swap = N(50)), &v2, "memory.limit",
	       "v2: swap without memory is refused on a new cgroup");
	expect(RES(.memory_swap = N(-1)), &v2, "v2 memory memory.swap.max=max ?",
	       "v2: unlimited swap alone is fine");

	w = v1;
	w.update = true;
	w.memsw_limit = (struct opt_u64) N(200);
	expect(RES(.memory = N(300), .memory_swap = N(400)), &w,
	       "memory memory.memsw.limit_in_bytes=400; memory memory.limit_in_bytes=300",
	       "v1 update: going up beyond the old memory+swap, that goes first");
	expect(RES(.memory = N(50), .memory_swap = N(60)), &w,
	       "memory memory.limit_in_bytes=50; memory memory.memsw.limit_in_bytes=60",
	       "v1 update: going down, memory goes first");
	expect(RES(.memory = N(-1)), &w,
	       "memory memory.memsw.limit_in_bytes=-1 ?; memory memory.limit_in_bytes=-1",
	       "v1 update: to unlimited, memory+swap goes first");
	w.memsw_limit.v = UINT64_MAX;
	expect(RES(.memory = N(300), .memory_swap = N(400)), &w,
	       "memory memory.limit_in_bytes=300; memory memory.memsw.limit_in_bytes=400",
	       "v1 update: from unlimited, memory goes first");

	w = v2;
	w.update = true;
	w.mem_limit = (struct opt_u64) N(100);
	expect(RES(.memory_swap = N(150)), &w, "v2 memory memory.swap.max=50",
	       "v2 update: swap alone counts from the old limit");
	refuse(RES(.memory_swap = N(50)), &w, "less than the memory limit",
	       "v2 update: swap below the old limit is refused");
	w.mem_limit.v = UINT64_MAX;
	expect(RES(.memory_swap = N(150)), &w, "v2 memory memory.swap.max=150",
	       "v2 update: swap beside unlimited memory is taken as it is");

	w.mem_usage = (struct opt_u64) N(5000);
	refuse(RES(.memory = N(4096), .check_before_update = N(true)), &w, "checkBeforeUpdate",
	       "checkBeforeUpdate refuses a limit below the usage");
	expect(RES(.memory = N(5000), .check_before_update = N(true)), &w,
	       "v2 memory memory.max=5000", "checkBeforeUpdate lets a limit at the usage pass");
	expect(RES(.memory = N(4096), .check_before_update = N(false)), &w,
	       "v2 memory memory.max=4096", "without checkBeforeUpdate the kernel decides");
}

static void test_memory_rest(void)
{
	struct cg_world w = v1;

	expect(RES(.memory_reservation = N(7)), &v1, "memory memory.soft_limit_in_bytes=7",
	       "v1: reservation");
	expect(RES(.memory_reservation = N(7)), &v2, "v2 memory memory.low=7", "v2: reservation");
	expect(RES(.memory_reservation = N(-1)), &v2, "v2 memory memory.low=0",
	       "v2: an unlimited soft limit guards nothing");
	expect(RES(.swappiness = N(0)), &v1, "memory memory.swappiness=0",
	       "v1: swappiness 0 is a value");
	refuse(RES(.swappiness = N(10)), &v2, "memory.swappiness", "v2: swappiness is refused");
	expect(RES(.disable_oom_killer = N(true)), &v1, "memory memory.oom_control=1",
	       "v1: OOM killer off");
	expect(RES(.disable_oom_killer = N(false)), &v1, "",
	       "v1: OOM killer on is what a new cgroup has");
	w.update = true;
	expect(RES(.disable_oom_killer = N(false)), &w, "memory memory.oom_control=0",
	       "v1 update: OOM killer on again");
	refuse(RES(.disable_oom_killer = N(true)), &v2, "disableOOMKiller",
	       "v2: OOM killer off is refused");
	expect(RES(.disable_oom_killer = N(false)), &v2, "", "v2: OOM killer on is no setting");
	expect(RES(.kernel_memory = N(1), .kernel_memory_tcp = N(1)), &v1, "",
	       "kernel memory limits are ignored");
}

static void test_cpu(void)
{
	struct cg_world w = v2;

	expect(RES(.cpu_shares = N(1024)), &v1, "cpu cpu.shares=1024", "v1: shares");
	expect(RES(.cpu_shares = N(1024)), &v2, "v2 cpu cpu.weight=100",
	       "v2: shares become a weight");
	expect(RES(.cpu_shares = N(0)), &v2, "", "shares 0 are not set");
	expect(RES(.cpu_quota = N(50000), .cpu_period = N(100000)), &v1,
	       "cpu cpu.cfs_period_us=100000 ~; cpu cpu.cfs_quota_us=50000 ~",
	       "v1: period and quota, each retried after the other");
	expect(RES(.cpu_quota = N(50000), .cpu_period = N(100000)), &v2,
	       "v2 cpu cpu.max=50000 100000", "v2: quota and period");
	expect(RES(.cpu_quota = N(50000)), &v2, "v2 cpu cpu.max=50000",
	       "v2: quota alone leaves the period");
	expect(RES(.cpu_quota = N(-1)), &v2, "v2 cpu cpu.max=max", "v2: quota -1 is none");
	expect(RES(.cpu_quota = N(-1)), &v1, "cpu cpu.cfs_quota_us=-1 ~", "v1: quota -1");
	expect(RES(.cpu_period = N(20000)), &v2, "v2 cpu cpu.max=max 20000",
	       "v2: period alone on a new cgroup");
	w.update = true;
	w.cpu_quota = (char[]){"70000"};
	expect(RES(.cpu_period = N(20000)), &w, "v2 cpu cpu.max=70000 20000",
	       "v2 update: period alone keeps the quota");
	expect(RES(.cpu_burst = N(1000), .cpu_quota = N(5000)), &v2,
	       "v2 cpu cpu.max.burst=1000 ~; v2 cpu cpu.max=5000",
	       "v2: burst is retried after the quota");
	expect(RES(.cpu_burst = N(0)), &v1, "cpu cpu.cfs_burst_us=0 ~", "v1: burst 0 is a value");
	expect(RES(.cpu_idle = N(1), .cpu_shares = N(512)), &v2, "v2 cpu cpu.idle=1",
	       "an idle group gets no weight");
	expect(RES(.cpu_idle = N(0), .cpu_shares = N(512)), &v2,
	       "v2 cpu cpu.idle=0; v2 cpu cpu.weight=59", "idle ends before a weight is set");
	expect(RES(.cpu_rt_period = N(1000), .cpu_rt_runtime = N(500)), &v1,
	       "cpu cpu.rt_period_us=1000 ~; cpu cpu.rt_runtime_us=500 ~", "v1: real-time");
	refuse(RES(.cpu_rt_runtime = N(500)), &v2, "cpu.realtimeRuntime",
	       "v2: real-time is refused");
	refuse(RES(.cpu_rt_period = N(500)), &v2, "cpu.realtimePeriod",
	       "v2: real-time period is refused");
	expect(RES(.cpus = (char[]){"0-3"}, .mems = (char[]){"0"}), &v1,
	       "cpuset cpuset.cpus=0-3; cpuset cpuset.mems=0", "v1: cpuset");
	expect(RES(.cpus = (char[]){"0-3"}), &v2, "v2 cpuset cpuset.cpus=0-3", "v2: cpuset");
	expect(RES(.cpus = (char[]){""}), &v2, "", "an empty CPU list is not set");
	expect(RES(.cpu_burst = N(UINT64_MAX)), &v1, "cpu cpu.cfs_burst_us=18446744073709551615 ~",
	       "large unsigned numbers stay unsigned");
}

static void test_pids(void)
{
	expect(RES(.pids = N(100)), &v1, "pids pids.max=100", "v1: pids");
	expect(RES(.pids = N(0)), &v2, "v2 pids pids.max=0", "pids 0 is a limit");
	expect(RES(.pids = N(-1)), &v1, "pids pids.max=max", "v1: pids -1 is none");
	expect(RES(.pids = N(-1)), &v2, "v2 pids pids.max=max", "v2: pids -1 is none");
	expect(RES(.pids = {false, 7}), &v2, "", "pids absent is left alone");
}

static void test_blkio(void)
{
	struct pol_blkio_dev d[] = {{POL_BLKIO_WEIGHT, 8, 0, 500},
				    {POL_BLKIO_RBPS, 8, 0, 1000},
				    {POL_BLKIO_WBPS, 8, 16, 2000},
				    {POL_BLKIO_RIOPS, 8, 0, 30},
				    {POL_BLKIO_WIOPS, 8, 0, 0}};
	struct pol_blkio_dev leaf = {POL_BLKIO_LEAF_WEIGHT, 8, 0, 5}, odd = {99, 8, 0, 5};

	expect(RES(.blkio_weight = N(100)), &v1, "blkio blkio.weight=100 | blkio.bfq.weight=100",
	       "v1: weight, or BFQ's");
	expect(RES(.blkio_weight = N(100)), &v2, "v2 io io.bfq.weight=100 | io.weight=910",
	       "v2: BFQ's weight, or the converted one");
	expect(RES(.blkio_leaf_weight = N(100)), &v1, "blkio blkio.leaf_weight=100",
	       "v1: leaf weight");
	refuse(RES(.blkio_leaf_weight = N(100)), &v2, "blockIO.leafWeight",
	       "v2: leaf weight is refused");
	expect(RES(.blkio = {d, ARRAY_LEN(d)}), &v1,
	       "blkio blkio.weight_device=8:0 500 | blkio.bfq.weight_device=8:0 500; "
	       "blkio blkio.throttle.read_bps_device=8:0 1000; blkio blkio.throttle.write_bps_device=8:16 2000; "
	       "blkio blkio.throttle.read_iops_device=8:0 30; blkio blkio.throttle.write_iops_device=8:0 0",
	       "v1: devices");
	expect(RES(.blkio = {d, ARRAY_LEN(d)}), &v2,
	       "v2 io io.bfq.weight=8:0 500 | io.weight=8:0 4950; v2 io io.max=8:0 rbps=1000; "
	       "v2 io io.max=8:16 wbps=2000; v2 io io.max=8:0 riops=30; v2 io io.max=8:0 wiops=max",
	       "v2: devices; 0 lifts a limit");
	expect(RES(.blkio = {&leaf, 1}), &v1, "blkio blkio.leaf_weight_device=8:0 5",
	       "v1: leaf weight of a device");
	refuse(RES(.blkio = {&leaf, 1}), &v2, "leafWeight",
	       "v2: leaf weight of a device is refused");
	refuse(RES(.blkio = {&odd, 1}), &v1, "unknown kind",
	       "an unknown kind of device limit is refused");
}

static void test_lists(void)
{
	struct pol_hugepage h = {(char[]){"2MB"}, 4194304};
	struct pol_rdma both = {(char[]){"mlx5_1"}, N(3), N(10000)},
			one = {(char[]){"mlx4_0"}, {0}, N(1000)},
			none = {(char[]){"mlx4_0"}, {0}, {0}};
	struct kv prio[] = {{(char[]){"eth0"}, (char[]){"5"}}, {(char[]){"lo"}, (char[]){"1"}}};

	expect(RES(.hugepages = {&h, 1}), &v1,
	       "hugetlb hugetlb.2MB.limit_in_bytes=4194304; hugetlb hugetlb.2MB.rsvd.limit_in_bytes=4194304 ?",
	       "v1: huge pages, and their reservation if the kernel has it");
	expect(RES(.hugepages = {&h, 1}), &v2,
	       "v2 hugetlb hugetlb.2MB.max=4194304; v2 hugetlb hugetlb.2MB.rsvd.max=4194304 ?",
	       "v2: huge pages");
	expect(RES(.hugepages = {&h, 1}, .pids = N(5)), &hybrid,
	       "pids pids.max=5; v2 hugetlb hugetlb.2MB.max=4194304; v2 hugetlb hugetlb.2MB.rsvd.max=4194304 ?",
	       "hybrid: each controller where it is");
	expect(RES(.rdma = {&both, 1}), &v2,
	       "v2 rdma rdma.max=mlx5_1 hca_handle=3 hca_object=10000", "rdma: both");
	expect(RES(.rdma = {&one, 1}), &v1, "rdma rdma.max=mlx4_0 hca_object=1000", "rdma: one");
	refuse(RES(.rdma = {&none, 1}), &v2, "hcaHandles", "rdma: none is refused");
	expect(RES(.net_classid = N(0x100001), .net_prio = {prio, 2}), &v1,
	       "net_cls net_cls.classid=1048577; net_prio net_prio.ifpriomap=eth0 5; net_prio net_prio.ifpriomap=lo 1",
	       "v1: network");
	expect(RES(.net_classid = N(0x100001), .net_prio = {prio, 2}), &v2, "",
	       "v2: network is ignored");
}

static void test_unified(void)
{
	struct kv u[] = {{(char[]){"cgroup.max.depth"}, (char[]){"3"}},
			 {(char[]){"io.max"}, (char[]){"8:0 rbps=1\n8:16 rbps=2\n"}},
			 {(char[]){"memory.high"}, (char[]){"1000"}}};
	struct kv slash = {(char[]){"../memory.high"}, (char[]){"1"}},
		  empty = {(char[]){"memory.high"}, (char[]){""}},
		  dot = {(char[]){".hidden"}, (char[]){"1"}};

	expect(RES(.unified = {u, 3}), &v2,
	       "v2 core cgroup.max.depth=3; v2 io io.max=8:0 rbps=1; v2 io io.max=8:16 rbps=2; v2 memory memory.high=1000",
	       "unified is verbatim, line by line");
	expect(RES(.unified = {u + 2, 1}, .memory = N(5)), &v2,
	       "v2 memory memory.max=5; v2 memory memory.high=1000", "unified comes last");
	expect(RES(.unified = {u + 2, 1}), &hybrid, "v2 memory memory.high=1000",
	       "hybrid: unified goes to cgroup2");
	refuse(RES(.unified = {&slash, 1}), &v2, "unified[\"../memory.high\"]",
	       "unified: a key with a slash is refused");
	refuse(RES(.unified = {&dot, 1}), &v2, "unified",
	       "unified: a key without controller is refused");
	refuse(RES(.unified = {&empty, 1}), &v2, "is empty", "unified: an empty value is refused");
}

static void test_fields(void)
{
	struct pol_hugepage h = {(char[]){"2MB"}, 1};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct cg_knobs k;

	ok(cgroup_knobs(RES(.memory = N(1), .hugepages = {&h, 1}), &v2, &a, &k, &e) == 0 &&
		   k.n == 3,
	   "three knobs");
	is_str(k.v[0].field, "linux.resources.memory.limit",
	       "a knob knows its place in config.json");
	is_str(k.v[1].field, "linux.resources.hugepageLimits[0]", "also in a list");
}

int main(void)
{
	struct err e = ERR_INIT;

	log_init("/dev/null", false, LOG_LEVEL_ERROR, &e); /* the warnings are expected */
	init_worlds();
	test_memory();
	test_memory_rest();
	test_cpu();
	test_pids();
	test_blkio();
	test_lists();
	test_unified();
	test_fields();
	return done();
}

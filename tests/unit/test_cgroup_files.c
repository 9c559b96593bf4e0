/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy host json base */
/*
 * Reading and writing cgroup files, on directories of plain files: what cgroup v2 with all controllers
 * looks like can so be tested on any host, and without root.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "cgroup/internal.h"
#include "policy/codec.h"

#define RES(...) (&(struct pol_resources){__VA_ARGS__})
#define N(x)                                                                                       \
	{                                                                                          \
		true, (x)                                                                          \
	}

static char top[64];
static struct arena arena;
static struct err e;

static struct cg_hier hier_v2, hier_v1;
static struct cg v2 = {.layout = CG_V2, .manager = POL_CG_CGROUPFS}, v1 = {.layout = CG_V1};

static void put(const struct cg_hier *h, const char *file, const char *content)
{
	char path[PATH_MAX];
	FILE *f;

	cg_path(path, h, file);
	f = fopen(path, "w");
	if (!f)
		bail_out(path);
	fputs(content, f);
	fclose(f);
}

static const char *got(const struct cg_hier *h, const char *file)
{
	char buf[4096];

	return cg_read(h, file, buf, sizeof(buf)) < 0 ? "(missing)" : arena_strdup(&arena, buf);
}

static void make_world(void)
{
	snprintf(top, sizeof(top), "/tmp/kavach-files.XXXXXX");
	if (!mkdtemp(top))
		bail_out("mkdtemp");
	hier_v2 = (struct cg_hier){(char[]){""}, top, (char[]){"/v2"}};
	hier_v1 = (struct cg_hier){(char[]){"cpu,cpuacct,cpuset,memory,pids,blkio,hugetlb"}, top,
				   (char[]){"/v1"}};
	hier_v1.name = arena_strdup(&arena, hier_v1.name);
	hier_v1.path = arena_strdup(&arena, hier_v1.path);
	hier_v2.name = arena_strdup(&arena, hier_v2.name);
	hier_v2.path = arena_strdup(&arena, hier_v2.path);
	v2.hier.v = &hier_v2;
	v1.hier.v = &hier_v1;
	v2.hier.n = v1.hier.n = 1;
	mkdir(arena_printf(&arena, "%s/v1", top), 0700);
	mkdir(arena_printf(&arena, "%s/v2", top), 0700);
}

static int drop_world(void)
{
	return system(arena_printf(&arena, "rm -rf '%s'", top));
}

/* ---- writing ---- */

static void test_update_v2(void)
{
	static const char *const files[] = {"memory.max",  "memory.swap.max", "cpu.max.burst",
					    "pids.max",	   "io.weight",	      "cpuset.cpus",
					    "memory.high", "memory.current"};
	struct kv high = {(char[]){"memory.high"}, (char[]){"7"}};
	struct host h = {.cgroup = CG_V2};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put(&hier_v2, files[i], "");
	put(&hier_v2, "cpu.max",
	    "7000 9\n"); /* shorter than what will be written: nobody truncates here */
	put(&hier_v2, "memory.current", "9999\n");
	put(&hier_v2, "cgroup.controllers", "cpu cpuset io memory pids hugetlb\n");
	is_int(cgroup_update(&v2,
			     RES(.memory = N(4096), .memory_swap = N(8192), .cpu_period = N(50000),
				 .cpu_burst = N(9), .pids = N(-1), .blkio_weight = N(500),
				 .cpus = (char[]){"0-1"}, .unified = {&high, 1}),
			     &h, &e),
	       0, "update on v2");
	is_str(got(&hier_v2, "memory.max"), "4096", "memory.max is written");
	is_str(got(&hier_v2, "memory.swap.max"), "4096", "memory.swap.max is the difference");
	is_str(got(&hier_v2, "cpu.max"), "7000 50000", "cpu.max keeps the old quota");
	is_str(got(&hier_v2, "cpu.max.burst"), "9", "cpu.max.burst is written");
	is_str(got(&hier_v2, "pids.max"), "max", "pids.max is written");
	is_str(got(&hier_v2, "io.weight"), "4950", "io.weight is used where io.bfq.weight is not");
	is_str(got(&hier_v2, "cpuset.cpus"), "0-1", "cpuset.cpus is written");
	is_str(got(&hier_v2, "memory.high"), "7", "unified is written");
	is_int(cgroup_update(&v2, RES(.memory = N(5000), .check_before_update = N(true)), &h, &e),
	       -EBUSY, "checkBeforeUpdate looks at memory.current");
	is_int(cgroup_update(&v2, RES(.memory_reservation = N(5000)), &h, &e), -ENOENT,
	       "a file that is missing is an error");
	ok(strstr(e.msg, "linux.resources.memory.reservation: writing \"5000\" to ") &&
		   strstr(e.msg, "/v2/memory.low: not found"),
	   "which names field, value and file");
	is_int(cgroup_update(&v2, RES(.memory_swap = N(-1)), &h, &e), 0, "unlimited swap");
	unlink(arena_printf(&arena, "%s/v2/memory.swap.max", top));
	is_int(cgroup_update(&v2, RES(.memory_swap = N(-1)), &h, &e), 0,
	       "is fine where swap is not counted");
	is_int(cgroup_update(&v2, RES(.memory = N(10000), .memory_swap = N(20000)), &h, &e),
	       -ENOENT, "a limit on swap is not");
}

/* Controllers are written to subtree_control of each directory above, only if they are missing there. */
static void test_enable(void)
{
	struct cg_hier root = {hier_v2.name, top, (char[]){""}},
		       a = {hier_v2.name, top, (char[]){"/a"}},
		       leaf = {hier_v2.name, top, (char[]){"/a/b"}};
	struct cg cg = {.layout = CG_V2, .hier = {&leaf, 1}};
	struct cg_knob knob = {.field = "linux.resources.pids.limit", .ctl = "pids", .v2 = true};
	struct cg_knobs k = {.v = &knob, .n = 1};

	root.path = arena_strdup(&arena, "");
	a.path = arena_strdup(&arena, "/a");
	leaf.path = arena_strdup(&arena, "/a/b");
	mkdir(arena_printf(&arena, "%s/a", top), 0700);
	mkdir(arena_printf(&arena, "%s/a/b", top), 0700);
	put(&root, "cgroup.controllers", "cpu io memory pids rdma\n");
	put(&root, "cgroup.subtree_control", "memory\n");
	put(&a, "cgroup.subtree_control", "");
	put(&leaf, "cgroup.controllers", "");
	is_int(cg_enable(&cg, &k, NULL, &e), 0, "enable");
	is_str(got(&root, "cgroup.subtree_control"), "+pids +cpu +io",
	       "the root gets what it does not hand down yet");
	is_str(got(&a, "cgroup.subtree_control"), "+pids +cpu +io +memory",
	       "the directory below gets everything");
	put(&leaf, "cgroup.controllers", "cpu io memory pids hugetlb\n");
	put(&a, "cgroup.subtree_control", "untouched\n");
	is_int(cg_enable(&cg, &k, NULL, &e), 0, "enable again");
	is_str(got(&a, "cgroup.subtree_control"), "untouched",
	       "nothing is written when everything has arrived");
	put(&leaf, "cgroup.controllers", "memory\n");
	put(&root, "cgroup.controllers", "memory io\n");
	is_int(cg_enable(&cg, &k, NULL, &e), -EOPNOTSUPP,
	       "a controller that the host does not have is an error");
	is_str(e.msg,
	       "linux.resources.pids.limit: controller pids is not available in /a/b (available: memory io)",
	       "which says what there is");
	is_int(cg_enable(&cg, &(struct cg_knobs){0}, NULL, &e), 0,
	       "what is only wanted is no error");
}

/* ---- reading ---- */

static char *stats_json(const struct cg *cg)
{
	buf_auto b = BUF_WRITER(1 << 16);
	struct cg_stats *s;
	struct jsonw w;

	if (cgroup_stats(cg, &arena, &s, &e) < 0)
		return e.msg;
	jw_init(&w, &b, false);
	jw_obj(&w);
	cgroup_stats_json(&w, s);
	jw_obj_end(&w);
	return arena_strndup(&arena, (char *) b.p, b.n);
}

/* From "key": to the end of its object. */
static char *member(const char *json, const char *key)
{
	const char *s = strstr(json, arena_printf(&arena, "\"%s\":{", key)), *end = s;
	int depth = 0;

	if (!s)
		return NULL;
	do {
		depth += *end == '{';
		depth -= *end == '}';
	} while (*end++ && (depth > 0 || end[-1] != '}'));
	return arena_strndup(&arena, s, (size_t) (end - s));
}

static void test_stats_v2(void)
{
	char *json;

	put(&hier_v2, "cpu.stat",
	    "usage_usec 300\nuser_usec 200\nsystem_usec 100\nnr_periods 5\nnr_throttled 2\nthrottled_usec 77\n");
	put(&hier_v2, "cpu.pressure",
	    "some avg10=1.50 avg60=0.20 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n");
	put(&hier_v2, "cpuset.cpus.effective", "0-2,5\n");
	put(&hier_v2, "cpuset.mems.effective", "0\n");
	put(&hier_v2, "memory.current", "1000\n");
	put(&hier_v2, "memory.max", "5000\n");
	put(&hier_v2, "memory.peak", "2000\n");
	put(&hier_v2, "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
	put(&hier_v2, "memory.swap.current", "10\n");
	put(&hier_v2, "memory.swap.max", "max\n");
	put(&hier_v2, "memory.stat", "anon 600\nfile 400\n");
	put(&hier_v2, "pids.current", "3\n");
	put(&hier_v2, "pids.max", "max\n");
	put(&hier_v2, "io.stat",
	    "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n254:16 rbytes=9 wbytes=0 rios=1 wios=0\n");
	put(&hier_v2, "hugetlb.2MB.current", "4194304\n");
	put(&hier_v2, "hugetlb.2MB.events", "max 6\n");
	ok(!strstr(stats_json(&v2), "misc"), "v2: no misc without the controller");
	put(&hier_v2, "misc.current", "sev 2\nsev_es 0\n");
	put(&hier_v2, "misc.events", "sev.max 1\nsev_es.max 3\n");
	json = stats_json(&v2);
	is_str(member(json, "misc"),
	       "\"misc\":{\"sev\":{\"usage\":2,\"events\":1},\"sev_es\":{\"usage\":0,\"events\":3}}",
	       "v2: misc");
	is_str(member(json, "cpu"),
	       "\"cpu\":{\"usage\":{\"total\":300000,\"kernel\":100000,\"user\":200000},"
	       "\"throttling\":{\"periods\":5,\"throttledPeriods\":2,\"throttledTime\":77000},"
	       "\"psi\":{\"some\":{\"avg10\":1.50,\"avg60\":0.20,\"avg300\":0.00,\"total\":123},"
	       "\"full\":{\"avg10\":0.00,\"avg60\":0.00,\"avg300\":0.00,\"total\":4}}}",
	       "v2: cpu, in ns");
	ok(strstr(member(json, "cpuset"), "\"cpus\":[0,1,2,5]") && strstr(json, "\"mems\":[0]"),
	   "v2: cpuset");
	is_str(member(json, "memory"),
	       "\"memory\":{\"cache\":400,\"usage\":{\"limit\":5000,\"usage\":1000,\"max\":2000,\"failcnt\":3},"
	       "\"swap\":{\"limit\":18446744073709551615,\"usage\":1010,\"failcnt\":0},"
	       "\"kernel\":{\"limit\":0,\"failcnt\":0},\"kernelTCP\":{\"limit\":0,\"failcnt\":0},"
	       "\"raw\":{\"anon\":600,\"file\":400}}",
	       "v2: memory; swap counts memory too");
	is_str(member(json, "pids"), "\"pids\":{\"current\":3}", "v2: pids without a limit");
	is_str(member(json, "blkio"),
	       "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":1},"
	       "{\"major\":8,\"op\":\"Write\",\"value\":2},{\"major\":8,\"op\":\"Discard\"},"
	       "{\"major\":254,\"minor\":16,\"op\":\"Read\",\"value\":9},{\"major\":254,\"minor\":16,\"op\":\"Write\"}],"
	       "\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":\"Write\",\"value\":4},"
	       "{\"major\":8,\"op\":\"Discard\"},{\"major\":254,\"minor\":16,\"op\":\"Read\",\"value\":1},"
	       "{\"major\":254,\"minor\":16,\"op\":\"Write\"}]}",
	       "v2: block devices");
	if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK) == 0)
		ok(strstr(json, "\"hugetlb\":{\"2MB\":{\"usage\":4194304,\"failcnt\":6}}") != NULL,
		   "v2: huge pages");
	else
		skip("no huge pages of 2 MB here", "v2: huge pages");
	is_int(cgroup_oom_count(&v2), 1, "v2: OOM kills");
}

static void test_stats_v1(void)
{
	char *json;

	put(&hier_v1, "cpuacct.usage", "1000\n");
	put(&hier_v1, "cpuacct.usage_user", "600\n");
	put(&hier_v1, "cpuacct.usage_sys", "400\n");
	put(&hier_v1, "cpuacct.usage_percpu", "700 300 \n");
	put(&hier_v1, "cpuacct.usage_all", "cpu user system\n0 500 200\n1 100 200\n");
	put(&hier_v1, "cpu.stat", "nr_periods 1\nnr_throttled 0\nthrottled_time 5\n");
	put(&hier_v1, "memory.limit_in_bytes", "9223372036854771712\n");
	put(&hier_v1, "memory.usage_in_bytes", "100\n");
	put(&hier_v1, "memory.max_usage_in_bytes", "200\n");
	put(&hier_v1, "memory.failcnt", "2\n");
	put(&hier_v1, "memory.stat", "cache 40\nrss 60\n");
	put(&hier_v1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
	put(&hier_v1, "pids.current", "2\n");
	put(&hier_v1, "pids.max", "10\n");
	put(&hier_v1, "blkio.bfq.io_service_bytes_recursive", "Total 0\n");
	put(&hier_v1, "blkio.throttle.io_service_bytes_recursive",
	    "8:0 Read 11\n8:0 Write 12\n8:0 Total 23\nTotal 23\n");
	put(&hier_v1, "blkio.sectors_recursive", "8:0 99\n");
	json = stats_json(&v1);
	is_str(member(json, "cpu"),
	       "\"cpu\":{\"usage\":{\"total\":1000,\"percpu\":[700,300],\"percpu_kernel\":[200,200],"
	       "\"percpu_user\":[500,100],\"kernel\":400,\"user\":600},\"throttling\":{\"periods\":1,\"throttledTime\":5}}",
	       "v1: cpu");
	ok(strstr(json,
		  "\"usage\":{\"limit\":9223372036854771712,\"usage\":100,\"max\":200,\"failcnt\":2}") &&
		   strstr(json, "\"raw\":{\"cache\":40,\"rss\":60}"),
	   "v1: memory");
	is_str(member(json, "pids"), "\"pids\":{\"current\":2,\"limit\":10}", "v1: pids");
	is_str(member(json, "blkio"),
	       "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":11},"
	       "{\"major\":8,\"op\":\"Write\",\"value\":12},{\"major\":8,\"op\":\"Total\",\"value\":23}],"
	       "\"sectorsRecursive\":[{\"major\":8,\"value\":99}]}",
	       "v1: block devices, from the accounting that has counted something");
	is_int(cgroup_oom_count(&v1), 7, "v1: OOM kills");
}

/* What a hostile or newer kernel file may hold does no harm. */
static void test_odd_files(void)
{
	put(&hier_v2, "cpu.pressure",
	    "some avg10=1e9\"} avg60= avg300=. total=x\nmore avg10=1\n\n");
	put(&hier_v2, "io.stat",
	    "\nnonsense\n8:0\n8:x rbytes=1\n8:0 rbytes=-1 wbytes=99999999999999999999999\n");
	put(&hier_v2, "memory.stat", "anon\nfile x\n\n  \nslab 1 2\n");
	put(&hier_v2, "cpuset.cpus.effective", "3-1,x,0-,7\n");
	put(&hier_v2, "memory.current", "many\n");
	is_str(member(stats_json(&v2), "blkio"), "\"blkio\":{}",
	       "lines of io.stat that make no sense are left out");
	ok(strstr(stats_json(&v2),
		  "\"psi\":{\"some\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}"),
	   "pressure that is no number is 0");
	ok(strstr(stats_json(&v2), "\"cpus\":[0,7]") != NULL,
	   "CPU ranges that make no sense are left out");
}

/* ---- the state record ---- */

static void test_record(void)
{
	buf_auto b = BUF_WRITER(4096);
	struct cg back = {0};
	struct buf r;

	v2.made_by_us = true;
	v2.error = arena_strdup(&arena, "no limits");
	codec_encode(&b, &cg_table, &v2);
	r = BUF_READER(b.p, b.n);
	codec_decode(&r, &cg_table, &back, &arena);
	ok(!r.bad && buf_left(&r) == 0, "the record of a cgroup can be read back");
	ok(back.layout == CG_V2 && back.manager == POL_CG_CGROUPFS && back.hier.n == 1 &&
		   back.made_by_us && !back.scope && str_eq(back.hier.v[0].path, "/v2") &&
		   str_eq(back.hier.v[0].mount, top) && str_eq(back.hier.v[0].name, "") &&
		   str_eq(back.error, "no limits"),
	   "with everything in it");
}

int main(void)
{
	log_init("/dev/null", false, LOG_LEVEL_ERROR, &e);
	make_world();
	test_update_v2();
	test_enable();
	test_stats_v2();
	test_stats_v1();
	test_odd_files();
	test_record();
	if (drop_world() != 0)
		printf("# left behind: %s\n", top);
	arena_free(&arena);
	return done();
}

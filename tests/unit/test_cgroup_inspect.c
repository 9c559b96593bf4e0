/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup host json base */
/* What files of control groups say, against what was written to them; and lists of devices against the rules. */
#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/internal.h"

static struct arena arena;

static const char *word(enum cg_verdict v)
{
	static const char *const words[] = {"same", "tighter", "differs", "unseen"};

	return words[v];
}

static void test_values(void)
{
	static const struct {
		const char *file, *want, *have, *verdict;
	} t[] = {
		{"memory.max", "104857600", "104857600", "same"},
		{"memory.max", "104857601", "104857600", "same"},
		{"memory.max", "104857600", "104857601", "differs"},
		{"memory.max", "104857600", "max", "differs"},
		{"memory.max", "max", "104857600", "tighter"},
		{"memory.max", "104857600", "1048576", "tighter"},
		{"memory.limit_in_bytes", "-1", "9223372036854771712", "same"},
		{"memory.limit_in_bytes", "4096", "9223372036854771712", "differs"},
		{"memory.max", "104857600", "", "differs"},
		{"memory.low", "4096", "0", "differs"},
		{"hugetlb.2MB.max", "5000000", "4194304", "same"},
		{"hugetlb.2MB.max", "5000000", "2097152", "tighter"},
		{"hugetlb.1GB.limit_in_bytes", "1073741825", "1073741824", "same"},
		{"pids.max", "10", "10", "same"},
		{"pids.max", "10", "9", "tighter"},
		{"pids.max", "10", "11", "differs"},
		{"pids.max", "10", "max", "differs"},
		{"cpu.max", "50000", "50000 100000", "same"},
		{"cpu.max", "50000 100000", "50000 100000", "same"},
		{"cpu.max", "50000 100000", "max 100000", "differs"},
		{"cpu.max", "50000 100000", "10000 100000", "tighter"},
		{"cpu.max", "50000 100000", "50000 50000", "differs"},
		{"cpu.max", "50000 100000", "20000 50000", "tighter"},
		{"cpu.max", "max 100000", "max 50000", "same"},
		{"cpu.max", "50000 100000", "x", "differs"},
		{"cpu.cfs_quota_us", "-1", "-1", "same"},
		{"cpu.cfs_quota_us", "50000", "-1", "differs"},
		{"cpu.shares", "512", "512", "same"},
		{"cpu.shares", "512", "511", "differs"},
		{"cpu.weight", "20", "200", "differs"},
		{"cpuset.cpus", "0,1,2", "0-2", "same"},
		{"cpuset.cpus", "0-3", "1,3", "tighter"},
		{"cpuset.cpus", "0-1", "0-2", "differs"},
		{"cpuset.mems", "0", "", "tighter"},
		{"cpuset.cpus", "0-1", "0-", "differs"},
		{"cpuset.cpus", "0-1", "1-0", "differs"},
		{"cpuset.cpus", "0-1", "0-99999", "differs"},
		{"memory.swappiness", "0", "0", "same"},
		{"memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0\noom_kill 0", "same"},
		{"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0", "differs"},
		{"io.max", "8:0 rbps=1000", "8:16 rbps=5\n8:0 rbps=1000 wbps=max riops=max",
		 "same"},
		{"io.max", "8:0 wbps=1000", "8:0 rbps=1000 wbps=max", "differs"},
		{"io.max", "8:0 wbps=1000", "8:0 rbps=1000 wbps=10", "tighter"},
		{"io.max", "8:0 rbps=1000", "", "differs"},
		{"io.max", "8:0 rbps=max", "", "same"},
		{"io.max", "8:0 rbps=1000", "18:0 rbps=1000", "differs"},
		{"io.weight", "100", "default 100", "same"},
		{"io.bfq.weight", "8:0 200", "default 100\n8:0 200", "same"},
		{"io.bfq.weight", "8:0 200", "default 100", "differs"},
		{"blkio.throttle.read_bps_device", "8:0 1000", "8:0 1000", "same"},
		{"blkio.throttle.read_bps_device", "8:0 1000", "8:0 100", "tighter"},
		{"blkio.throttle.read_bps_device", "8:0 1000", "", "differs"},
		{"blkio.weight_device", "8:0 500", "8:0 400", "differs"},
		{"rdma.max", "mlx hca_handle=2 hca_object=9", "mlx hca_handle=2 hca_object=9",
		 "same"},
		{"rdma.max", "mlx hca_handle=2", "mlx hca_handle=max hca_object=9", "differs"},
		{"net_prio.ifpriomap", "eth0 5", "lo 0\neth0 5", "same"},
		{"net_prio.ifpriomap", "eth0 5", "lo 0\neth0 4", "differs"},
		{"misc.max", "5", "5", "same"},
		{"io.max", "8:0\trbps=5\t", "8:0 rbps=5\twbps=max", "same"},
		{"io.max", "8:0 rbps=5\t\n", "8:0\t\trbps=5", "differs"},
		{"io.max", "8:0 rbps=5\twbps=7", "8:0 wbps=7\trbps=5", "same"},
		{"some.file", "any text", "any text", "same"},
		{"some.file", "any text", "any texts", "differs"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		is_str(word(cg_compare(t[i].file, t[i].want, t[i].have)), t[i].verdict,
		       "%s: \"%s\" and \"%s\"", t[i].file, t[i].want, t[i].have);
}

static void test_devices(void)
{
	static const struct pol_device_rule closed[] = {
		{false, 'a', -1, -1, 7}, {true, 'c', 1, 3, 7}, {true, 'c', 136, -1, 3}};
	static const struct pol_device_rule opened[] = {{true, 'a', -1, -1, 7}};
	static const struct pol_device_rule but[] = {{true, 'a', -1, -1, 7}, {false, 'b', 8, 0, 7}};
	static const struct {
		const char *text, *verdict;
	} t[] = {
		{"c 1:3 rwm\nc 136:* rw", "same"},
		{"c 136:* rw\nc 1:3 rwm\n", "same"},
		{"c 1:3 rwm", "tighter"},
		{"c 1:3 r\nc 136:* rw", "tighter"},
		{"c 1:3 rwm\nc 136:* rwm", "differs"},
		{"c 1:3 rwm\nc 136:* rw\nb 8:0 r", "differs"},
		{"a *:* rwm", "differs"},
		{"c 1:3 rwx", "differs"},
		{"nonsense", "differs"},
		{"", "tighter"},
	};
	struct cg_dev_cells c;

	cg_devices_resolve(closed, ARRAY_LEN(closed), &arena, &c);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		is_str(word(cg_devices_compare(&c, t[i].text, &arena)), t[i].verdict,
		       "devices.list: \"%s\"", t[i].text);
	cg_devices_resolve(opened, ARRAY_LEN(opened), &arena, &c);
	is_str(word(cg_devices_compare(&c, "a *:* rwm", &arena)), "same", "all devices");
	is_str(word(cg_devices_compare(&c, "c 1:3 rwm", &arena)), "tighter", "fewer than all");
	cg_devices_resolve(but, ARRAY_LEN(but), &arena, &c);
	is_str(word(cg_devices_compare(&c, "a *:* rwm", &arena)), "unseen",
	       "exceptions from all are not shown");
}

/* ---- files ---- */

static char dir[] = "/tmp/kavach-cginspect.XXXXXX";

static void put(const char *file, const char *text)
{
	FILE *f = fopen(arena_printf(&arena, "%s/c/%s", dir, file), "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		bail_out("a file of the test cannot be written");
}

static void test_files(void)
{
	static char empty[] = "", path[] = "/c", key[] = "memory.high", val[] = "1048576";
	struct cg_hier h = {.name = empty, .mount = dir, .path = path};
	struct cg cg = {.layout = CG_V2, .hier = {&h, 1}};
	struct kv unified = {key, val};
	struct pol_resources r = {
		.memory = {true, 1 << 20},
		.memory_swap = {true, 1 << 20}, /* no swap at all: optional */
		.pids = {true, 5},
		.cpu_quota = {true, 1000},
		.unified = {&unified, 1},
	};
	struct err e = ERR_INIT;
	struct cg_seen *v;
	size_t n;

	put("memory.max", "1048576\n");
	put("pids.max", "max\n");
	put("memory.high", "1048576\n");
	is_int(cgroup_inspect(&cg, &r, &arena, &v, &n, &e), 0, "files are compared");
	is_int(n, 5, "each of them");
	for (size_t i = 0; i < n; i++)
		printf("# %s %s %s %s %s\n", v[i].field, v[i].file, v[i].want, v[i].have,
		       word(v[i].verdict));
	is_str(v[0].have, "?", "one that is not there");
	is_str(word(v[0].verdict), "unseen", "is not seen");
	is_str(word(v[1].verdict), "same", "unless its absence has the same effect");
	is_str(v[2].field, "memory.limit", "the names are those of the configuration");
	is_str(word(v[2].verdict), "same", "a value as it was written");
	is_str(v[3].have, "max", "one that is not");
	is_str(word(v[3].verdict), "differs", "is told");
	is_str(word(v[4].verdict), "same", "files that were named as they are");
}

int main(void)
{
	if (!mkdtemp(dir) || mkdir(arena_printf(&arena, "%s/c", dir), 0700) < 0)
		bail_out("no directory for the test");
	test_values();
	test_devices();
	test_files();
	for (const char *const *f =
		     (const char *const[]){"memory.max", "pids.max", "memory.high", NULL};
	     *f; f++)
		unlink(arena_printf(&arena, "%s/c/%s", dir, *f));
	rmdir(arena_printf(&arena, "%s/c", dir));
	rmdir(dir);
	arena_free(&arena);
	return done();
}

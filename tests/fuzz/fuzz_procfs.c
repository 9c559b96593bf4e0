/* SPDX-License-Identifier: Apache-2.0 */
/* libs: inspect cgroup policy host json base */
/*
 * Any bytes as the files of /proc/PID and of a control group. The kernel writes them, but names in them are the workload's:
 * nothing is read outside of them, and what comes out is within its limits.
 */
#include <assert.h>
#include <string.h>

#include "cgroup/internal.h"
#include "inspect/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(struct arena *a, const uint8_t *data, size_t size)
{
	return arena_strndup(a, (const char *) data, size);
}

static void try_process(const uint8_t *data, size_t size, struct arena *a)
{
	struct seen_limit limits[RLIMIT_NAMES_N];
	struct seen_status s;
	seen_cgroups groups;
	pol_idmaps maps;

	seen_parse_status(text_of(a, data, size), a, &s);
	assert(s.set == (s.state != 0));
	for (size_t i = 0; i < s.groups.n; i++)
		assert(s.groups.v[i] <= UINT32_MAX);
	seen_parse_limits(text_of(a, data, size), limits);
	seen_parse_cgroups(text_of(a, data, size), a, &groups);
	for (size_t i = 0; i < groups.n; i++)
		assert(groups.v[i].path[0] == '/' && !strchr(groups.v[i].path, '\n') &&
		       !strchr(groups.v[i].name, ':'));
	if (seen_parse_idmap(text_of(a, data, size), a, &maps))
		for (size_t i = 1; i < maps.n; i++)
			assert(maps.v[i - 1].container <= maps.v[i].container);
	(void) seen_parse_ns(text_of(a, data, size));
}

static void try_mounts(const uint8_t *data, size_t size, struct arena *a)
{
	struct mountinfo *m;
	size_t n = mountinfo_parse((const char *) data, size, a, &m);

	for (size_t i = 0; i < n; i++)
		assert(m[i].place[0] == '/' && m[i].type[0] && strlen(m[i].super) <= size);
	/* each mount is at its place, or something is over it */
	for (size_t i = 0; i < n && i < 50; i++) {
		const struct mountinfo *at = mountinfo_at(m, n, m[i].place);

		assert(!at || (at >= m && at < m + n));
	}
}

static void try_cgroup(const uint8_t *data, size_t size, struct arena *a)
{
	static const struct pol_device_rule rules[] = {{false, 'a', -1, -1, 7},
						       {true, 'c', 1, 3, 7}};
	static const char *const t[][2] = {
		{"memory.max", "1048576"},	{"cpu.max", "5000 100000"},
		{"cpuset.cpus", "0-3"},		{"io.max", "8:0 rbps=5"},
		{"rdma.max", "x hca_handle=2"}, {"io.weight", "100"},
		{"memory.oom_control", "1"},	{"blkio.throttle.read_bps_device", "8:0 5"},
	};
	const char *text = text_of(a, data, size);
	struct cg_dev_cells c;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert(cg_compare(t[i][0], t[i][1], text) <= CG_DIFFERS);
		/* and the other way round: values of `unified` come from a file, too */
		if (!strchr(text, '\n'))
			assert(cg_compare(t[i][0], text, t[i][1]) <= CG_DIFFERS);
	}
	cg_devices_resolve(rules, ARRAY_LEN(rules), a, &c);
	assert(cg_devices_compare(&c, text, a) <= CG_UNSEEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	arena_auto a = {0};

	if (size > 65536)
		return 0;
	try_process(data, size, &a);
	try_mounts(data, size, &a);
	try_cgroup(data, size, &a);
	return 0;
}

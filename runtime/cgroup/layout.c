/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup versions the host shows, and which hierarchy a controller lives in. */
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "cgroup/internal.h"

static const struct {
	const char *v1, *v2; /* v2 NULL: core functionality or nothing */
} ctl_names[] = {
	[CTL_CPU] = {"cpu", "cpu"},
	[CTL_CPUACCT] = {"cpuacct", "cpu"},
	[CTL_CPUSET] = {"cpuset", "cpuset"},
	[CTL_MEMORY] = {"memory", "memory"},
	[CTL_BLKIO] = {"blkio", "io"},
	[CTL_PIDS] = {"pids", "pids"},
	[CTL_DEVICES] = {"devices", NULL},
	[CTL_FREEZER] = {"freezer", NULL},
	[CTL_HUGETLB] = {"hugetlb", "hugetlb"},
	[CTL_NET_CLS] = {"net_cls", NULL},
	[CTL_NET_PRIO] = {"net_prio", NULL},
	[CTL_RDMA] = {"rdma", "rdma"},
};
_Static_assert(ARRAY_LEN(ctl_names) == CTL_MAX, "one row per controller");

enum cg_layout cgroup_probe_layout(void)
{
	struct statfs st;

	if (statfs(CG_ROOT, &st) < 0)
		return CG_NONE;
	if (st.f_type == CGROUP2_SUPER_MAGIC)
		return CG_V2;
	if (st.f_type != TMPFS_MAGIC)
		return CG_NONE;
	if (statfs(CG_ROOT "/unified", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
		return CG_HYBRID;
	return CG_V1;
}

const char *cg_ctl_name(enum cg_ctl c, bool v2)
{
	return v2 ? ctl_names[c].v2 : ctl_names[c].v1;
}

bool cg_has_word(const char *list, const char *word, char sep)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, sep)) {
		s += *s == sep;
		if (strncmp(s, word, n) == 0 && (s[n] == sep || s[n] == '\0' || s[n] == '\n'))
			return true;
	}
	return false;
}

const struct cg_hier *cg_unified(const struct cg *cg)
{
	for (size_t i = 0; i < cg->hier.n; i++)
		if (cg_hier_is_v2(&cg->hier.v[i]))
			return &cg->hier.v[i];
	return NULL;
}

const struct cg_hier *cg_hier_v1(const struct cg *cg, const char *controller)
{
	for (size_t i = 0; i < cg->hier.n; i++)
		if (!cg_hier_is_v2(&cg->hier.v[i]) &&
		    cg_has_word(cg->hier.v[i].name, controller, ','))
			return &cg->hier.v[i];
	return NULL;
}

const struct cg_hier *cg_where(const struct cg *cg, enum cg_ctl c)
{
	const struct cg_hier *h = cg_hier_v1(cg, ctl_names[c].v1);

	return h ? h : cg_unified(cg);
}

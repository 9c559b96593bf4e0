/* SPDX-License-Identifier: Apache-2.0 */
/* What a container without a view of its own sees below /sys/fs/cgroup on v1 and hybrid hosts. */
#include "cgroup/internal.h"

/* "cpu,cpuacct" is also reached as "cpu" and as "cpuacct". */
static size_t add_links(struct arena *a, struct cg_bind *v, const char *names)
{
	struct strs parts = str_split(a, names, ',');
	size_t n = 0;

	for (size_t i = 0; parts.n > 1 && i < parts.n; i++)
		v[n++] = (struct cg_bind){.name = parts.v[i]};
	return n;
}

static size_t links_max(const struct cg *cg)
{
	size_t n = 0;

	for (size_t i = 0; i < cg->hier.n; i++)
		for (const char *s = cg->hier.v[i].name; s; s = strchr(s + 1, ','))
			n++;
	return n;
}

size_t cgroup_mount_sources(const struct cg *cg, struct arena *a, struct cg_bind **ret)
{
	size_t n = 0;

	*ret = NULL;
	if (cg->layout != CG_V1 && cg->layout != CG_HYBRID)
		return 0;
	*ret = arena_array(a, cg->hier.n + links_max(cg), sizeof(**ret));
	for (size_t i = 0; i < cg->hier.n; i++) {
		const struct cg_hier *h = &cg->hier.v[i];
		const char *plain = str_prefix(h->name, "name=");

		(*ret)[n++] = (struct cg_bind){
			.source = arena_printf(a, "%s%s", h->mount, h->path),
			.name = arena_strdup(a, cg_hier_is_v2(h) ? "unified"
						: plain		 ? plain
								 : h->name),
		};
		if (!plain)
			n += add_links(a, *ret + n, h->name);
	}
	return n;
}

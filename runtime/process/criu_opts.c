/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore both tell CRIU, and the facts that the plan of a container's mounts needs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "criu/criu.h"
#include "criu/plan.h"
#include "process/process.h"

#define MOUNTINFO_MAX (16u << 20)
#define LOG_LEVEL_OF_CRIU 4 /* what its own advice for bug reports is */

void criu_opts_common(const struct box *b, const struct box_criu *o, struct rpc_opts *ret)
{
	*ret = (struct rpc_opts){
		.images_fd = {true, o->image_fd},
		.work_fd = {true, o->work_fd},
		.log_level = {true, LOG_LEVEL_OF_CRIU},
		.root = b->policy->rootfs,
		.config_file = (char *) (uintptr_t) o->config_file,
		.cg_mode = o->cg_mode,
		.manage_cgroups = true,
		.network_lock = o->network_lock,
		.empty_ns = o->empty_ns,
		.notify_scripts = true,
		.orphan_pts_master = true,
		.tcp_established = o->tcp_established,
		.ext_unix_sk = o->ext_unix_sk,
		.shell_job = o->shell_job,
		.file_locks = o->file_locks,
		.auto_dedup = o->auto_dedup,
		.lazy_pages = o->lazy_pages,
	};
}

static char *fd_path(int fd, struct arena *a)
{
	char link[48], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n <= 0 || n == (ssize_t) sizeof(path) ? NULL : arena_strndup(a, path, (size_t) n);
}

char *process_resolve(int root, const char *path, struct arena *a)
{
	char *head = arena_strdup(a, path), *slash, *found, *root_path = fd_path(root, a);
	const char *rest;
	int fd;

	for (;;) {
		fd = path_open_in(root, head, O_PATH, 0, 0);
		if (fd >= 0 || !(slash = strrchr(head, '/')) || slash == head)
			break;
		*slash = 0;
	}
	if (fd < 0)
		return arena_strdup(a, path);
	found = fd_path(fd, a);
	close(fd);
	rest = path + strlen(head);
	if (!found || !path_below(found, root_path ? root_path : "/"))
		return arena_strdup(a, path);
	if (root_path && !str_eq(root_path, "/"))
		found += strlen(root_path);
	return path_clean(a, arena_printf(a, "%s%s", found, rest));
}

static void fill_cgroup(const struct box *b, struct plan *ret)
{
	const struct pol_ns *ns = pol_ns_find(b->policy, POL_NS_CGROUP);
	struct cg_bind *binds;
	size_t n;

	ret->cgroup_bound = b->cg->layout == CG_V2 && !ns;
	ret->cgroup_below = b->cg->layout != CG_V2;
	for (size_t i = 0; i < b->policy->mounts.n; i++) {
		struct {
			struct rpc_mount *v;
			size_t n;
		} list = {0};

		if (b->policy->mounts.v[i].kind != POL_MOUNT_CGROUP)
			continue;
		n = cgroup_mount_sources(b->cg, b->a, &binds);
		for (size_t k = 0; k < n; k++)
			if (binds[k].source)
				*rpc_add(b->a, &list) = (struct rpc_mount){
					arena_printf(b->a, "%s/%s", ret->places[i], binds[k].name),
					binds[k].source};
		if (ret->cgroup_bound && b->cg->hier.n)
			*rpc_add(b->a, &list) = (struct rpc_mount){
				ret->places[i], arena_printf(b->a, "%s%s", b->cg->hier.v[0].mount,
							     b->cg->hier.v[0].path)};
		ret->cg = list.v;
		ret->n_cg = list.n;
	}
}

int criu_plan(const struct box *b, int root, pid_t mountinfo_of, struct plan *ret, struct err *e)
{
	const struct policy *p = b->policy;
	char **places = arena_array(b->a, p->mounts.n, sizeof(*places));
	struct bytes text;
	struct mountinfo *mnt;
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int) mountinfo_of);
	r = io_read_at(AT_FDCWD, path, 0, MOUNTINFO_MAX, b->a, &text);
	if (r < 0)
		return err_neg(e, r, "reading %s", path);
	for (size_t i = 0; i < p->mounts.n; i++)
		places[i] = process_resolve(root, p->mounts.v[i].destination, b->a);
	*ret = (struct plan){.p = p, .places = places, .a = b->a};
	ret->n_mnt = mountinfo_parse((const char *) text.v, text.n, b->a, &mnt);
	ret->mnt = mnt;
	fill_cgroup(b, ret);
	return plan_check(p, e);
}

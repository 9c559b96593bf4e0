/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the container's directories will be. Nothing is created here.
 *
 * Theory of operation: /proc/self/cgroup names every hierarchy and our place in it, in one read of a
 * few hundred bytes. Where a hierarchy is mounted stands only in mountinfo, which on a busy host is
 * long and slow, so we look at the places where every distribution puts it (/sys/fs/cgroup/<controllers>
 * as listed, or the symlink named like the first of them) and check the file system's magic there. A
 * hierarchy that is not mounted at its place is left alone: we could not reach it anyway.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "cgroup/gvariant.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

#define PROC_CGROUP_MAX (256 * 1024)

/* Returns the mount point of a v1 hierarchy, or NULL. `names` is the second field of its line. */
static char *find_mount(struct arena *a, const char *names)
{
	const char *plain = str_prefix(names, "name=");
	char *dir = arena_printf(a, CG_ROOT "/%s", plain ? plain : names);
	struct statfs st;

	/* One name, one place; whether it is mounted there is seen when the directory is made (make.c). */
	if (plain || !strchr(names, ','))
		return dir;
	if (statfs(dir, &st) == 0 && st.f_type == CGROUP_SUPER_MAGIC)
		return dir;
	/* The kernel and the mount point may list co-mounted controllers in different order. */
	dir = arena_printf(a, CG_ROOT "/%.*s", (int) strcspn(names, ","), names);
	return statfs(dir, &st) == 0 && st.f_type == CGROUP_SUPER_MAGIC ? dir : NULL;
}

/* The container's path in a hierarchy in which we are at `own`. `up`: count from own's parent. */
static char *place(struct arena *a, const char *wanted, const char *own, bool up)
{
	const char *slash;

	if (wanted[0] == '/')
		return path_clean(a, wanted);
	own = path_clean(a, own);
	slash = strrchr(own, '/');
	/* Both parts are cleaned by themselves, so that "../.." in the config stays below our own place. */
	return path_clean(a,
			  arena_printf(a, "%.*s/%s", up ? (int) (slash - own) : (int) strlen(own),
				       own, path_clean(a, arena_printf(a, "/%s", wanted))));
}

static int add_hier(struct cg *cg, const char *name, char *mount, char *path, struct err *e)
{
	if (cg->hier.n == CG_MAX_HIER)
		return err_set(e, -E2BIG, "more than %d cgroup hierarchies", CG_MAX_HIER);
	cg->hier.v[cg->hier.n++] = (struct cg_hier){
		.name = arena_strdup(cg->arena, name), .mount = mount, .path = path};
	return 0;
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH", cut up in place. */
static int add_line(struct cg *cg, char *line, const char *wanted, struct err *e)
{
	struct arena *a = cg->arena;
	char *names = strchr(line, ':'), *own = names ? strchr(names + 1, ':') : NULL, *mount;

	if (!own || own[1] != '/')
		return err_set(e, -EPROTO, "/proc/self/cgroup: cannot make sense of \"%s\"", line);
	*names++ = '\0';
	*own++ = '\0';
	if (*names == '\0') { /* cgroup2 */
		if (cg->layout == CG_V1)
			return 0;
		mount = arena_strdup(a, cg->layout == CG_V2 ? CG_ROOT : CG_ROOT "/unified");
		return add_hier(cg, "", mount, place(a, wanted, own, cg->layout == CG_V2), e);
	}
	if (cg->layout == CG_V2)
		return 0;
	mount = find_mount(a, names);
	return mount ? add_hier(cg, names, mount, place(a, wanted, own, false), e) : 0;
}

static int find_hierarchies(struct cg *cg, const char *wanted, struct err *e)
{
	char small[4096], *line = small, *end;
	struct bytes text;
	ssize_t r;

	if (cg->layout == CG_V2 && wanted[0] == '/') /* no need to know where we are ourselves */
		return add_hier(cg, "", arena_strdup(cg->arena, CG_ROOT),
				path_clean(cg->arena, wanted), e);
	r = io_read_small(AT_FDCWD, "/proc/self/cgroup", small, sizeof(small));
	if (r == -EFBIG) { /* deep in somebody's hierarchy */
		r = io_read_at(AT_FDCWD, "/proc/self/cgroup", 0, PROC_CGROUP_MAX, cg->arena, &text);
		line = r < 0 ? NULL : (char *) text.v;
	}
	if (r < 0)
		return err_neg(e, (int) r, "read /proc/self/cgroup");
	for (; *line; line = end) {
		int rc;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		rc = add_line(cg, line, wanted, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The path is a guess for a user's manager, whose own place systemd tells us later. */
static int plan_unit(const struct pol_cgroup *p, const char *id, const struct host *h,
		     struct cg *cg, struct cg *ret, struct err *e)
{
	struct arena *a = cg->arena;
	struct cg_unit unit;
	char *helper, *about;
	int r;

	r = cg_unit_name(p->path, id, h->rootless, a, &unit, e);
	if (r < 0)
		return r;
	cg->scope_props.v = arena_array(a, CG_UNIT_PROPS_MAX + 1, sizeof(struct kv));
	about = gv_quote(a, arena_printf(a, "container %s", id));
	r = cg_unit_basics(&unit, about, a, &cg->scope_props, e);
	if (r == 0)
		r = cg_unit_annotations(&p->systemd_props, a, &cg->scope_props, &cg->sub, e);
	if (r < 0)
		return r;
	if (cg->sub && !unit.slice)
		return err_set(
			e, -EINVAL,
			"annotation run.oci.systemd.subgroup: a slice has none, only a scope");
	if (h->cgroup != CG_V2)
		return err_set(
			e, -EOPNOTSUPP,
			"the systemd cgroup driver needs cgroup v2 alone (\"unified\"), which this "
			"host does not have: use --cgroup-manager=cgroupfs, or start the host with "
			"systemd.unified_cgroup_hierarchy=1");
	r = cg_scope_find(a, &helper, e);
	if (r < 0)
		return r;
	cg->scope = unit.unit;
	cg->scope_user = h->rootless;
	/* Until it is started, the name may be somebody else's; and if we end before the container is in it, it goes by
	 * itself. */
	cg->made_by_us = false;
	cg->hier.v = arena_array(a, CG_MAX_HIER, sizeof(struct cg_hier));
	r = add_hier(cg, "", arena_strdup(a, CG_ROOT), unit.path, e);
	if (r == 0)
		*ret = *cg;
	return r;
}

int cgroup_plan(const struct pol_cgroup *p, const char *id, const struct host *h, struct arena *a,
		struct cg *ret, struct err *e)
{
	struct cg cg = {.layout = h->cgroup, .made_by_us = true, .arena = a};
	const char *wanted = p->path;
	int r;

	cg.manager = p->manager ? p->manager : POL_CG_CGROUPFS;
	if (cg.manager == POL_CG_SYSTEMD)
		return plan_unit(p, id, h, &cg, ret, e);
	if (cg.manager == POL_CG_DISABLED || h->cgroup == CG_NONE) {
		cg.layout = CG_NONE;
		cg.made_by_us = false;
		*ret = cg;
		return 0;
	}
	if (str_empty(wanted))
		wanted = arena_printf(a, "kavach/%s", id);
	cg.hier.v = arena_array(a, CG_MAX_HIER, sizeof(struct cg_hier));
	r = find_hierarchies(&cg, wanted, e);
	if (r < 0)
		return r;
	if (cg.hier.n == 0)
		return err_set(
			e, -ENODEV,
			"none of the hierarchies in /proc/self/cgroup is mounted below " CG_ROOT);
	for (size_t i = 0; i < cg.hier.n; i++)
		if (str_eq(cg.hier.v[i].path, "/"))
			return err_set(
				e, -EINVAL,
				"linux.cgroupsPath: \"%s\" is the root of the hierarchy; the container needs a "
				"directory of its own",
				wanted);
	*ret = cg;
	return 0;
}

bool cgroup_exists(const struct cg *cg)
{
	const struct cg_hier *look[] = {cg->hier.n ? &cg->hier.v[0] : NULL, cg_unified(cg)};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(look); i++)
		if (look[i] && cg_path(path, look[i], NULL) == 0 && access(path, F_OK) == 0)
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `cgroup` mount: what the container sees of its own control groups.
 *
 * v2: a new cgroup2 mount shows the root of the cgroup namespace. Without a namespace of its own
 * that would be the whole machine (and a new mount would cost an RCU grace period), so it is a bind
 * of the container's own directory. v1 and hybrid: a tmpfs with a bind of the container's directory
 * per hierarchy, and symlinks for controllers that share one (cpu -> cpu,cpuacct).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "exec/mount.h"

static uint64_t attrs(const struct pol_mount *m)
{
	return m->attr_set | m->rattr_set;
}

/* ---- v2 ---- */

static int bind_own_v2(struct stage *s, const struct pol_mount *m, int target, struct err *e)
{
	struct pol_mount ro = *m;

	if (!str_empty(s->boot->cg_v2_path))
		return mnt_bind_host(s, m, s->boot->cg_v2_path, false, target, e);
	/* No cgroup of its own: the host's, which is never writable (CVE-2023-25809). */
	ro.attr_set |= MOUNT_ATTR_RDONLY;
	return mnt_bind_host(s, &ro, "/sys/fs/cgroup", true, target, e);
}

static int mount_v2(struct stage *s, const struct pol_mount *m, int target, struct err *e)
{
	struct mnt_fs f = {.type = "cgroup2", .source = "cgroup", .attr = attrs(m)};
	fd_late int fd = -EBADF;

	if (s->boot->host_cgroupns)
		return bind_own_v2(s, m, target, e);
	fd = mnt_place(s, m, &f, target, e);
	/* The namespace belongs to another user namespace, or v2 is in use by v1. */
	if (fd == -EPERM || fd == -EBUSY) {
		err_clear(e);
		return bind_own_v2(s, m, target, e);
	}
	return fd < 0 ? fd : 0;
}

/* ---- v1 ---- */

/* The mounted combination that has the controller in it: "cpu" -> "cpu,cpuacct". */
static const char *link_target(struct stage *s, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < s->boot->cg_binds.n; i++) {
		const struct stage_cg_bind *b = &s->boot->cg_binds.v[i];
		const char *p;

		if (!b->source && b->fd < 0)
			continue;
		for (p = b->name; *p; p += strcspn(p, ","), p += *p == ',')
			if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
				return b->name;
	}
	return NULL;
}

static int add_link(struct stage *s, const struct stage_cg_bind *b, int dir, struct err *e)
{
	const char *to = link_target(s, b->name);

	if (to && !str_eq(to, b->name) && symlinkat(to, dir, b->name) < 0 && errno != EEXIST)
		return err_sys(e, "make the symlink %s", b->name);
	return 0;
}

/* Names in the tmpfs that we have just made, that is our working directory, and that nobody else
 * can reach. */
static int add_bind(struct stage *s, const struct pol_mount *m, const struct stage_cg_bind *b,
		    int dir, struct err *e)
{
	struct pol_mount one = {.kind = POL_MOUNT_BIND, .attr_set = attrs(m)};
	fd_late int src = -EBADF, at = -EBADF;
	int r;

	if (mkdir(b->name, 0755) < 0)
		return err_sys(e, "make %s", b->name);
	if (s->fs->legacy) { /* each has to get its flags by itself */
		src = open(b->source ? b->source : "", O_PATH | O_DIRECTORY | O_CLOEXEC);
		at = openat(dir, b->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (src < 0 || at < 0)
			return err_sys(e, "open %s", b->source ? b->source : b->name);
		one.destination = arena_printf(s->a, "%s/%s", m->destination, b->name);
		r = legacy_bind(s, &one, src, at, e);
		if (r == 0 && fchdir(dir) < 0)
			r = err_sys(e, "go to the mount point");
		return r;
	}
	if (b->fd >= 0)
		r = sys_move_mount(b->fd, "", AT_FDCWD, b->name, MOVE_MOUNT_F_EMPTY_PATH);
	else
		r = mount(b->source, b->name, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
	return r < 0 ? err_neg(e, r, "bind %s", b->source ? b->source : b->name) : 0;
}

/* Flags of the binds and of the tmpfs in one call, when everything is in place: until then nothing
 * runs here that could use them. The trees that the parent opened are peers of the host's: no
 * longer after this. */
static int finish_v1(struct stage *s, const struct pol_mount *m, int top, struct err *e)
{
	struct mount_attr a = {.attr_set = attrs(m), .propagation = MS_PRIVATE};
	int r;

	if (s->fs->legacy)
		r = legacy_set(s, top, attrs(m), 0);
	else
		r = mnt_set(top, &a, true);
	return r < 0 ? err_neg(e, r, "set mount flags") : 0;
}

static int mount_v1(struct stage *s, const struct pol_mount *m, int target, struct err *e)
{
	static const char *const opt[] = {"mode=755"};
	struct mnt_fs f = {.type = "tmpfs", .opt = opt, .opt_n = 1};
	fd_late int top = -EBADF;
	int r;

	f.attr = attrs(m) & ~(uint64_t) MOUNT_ATTR_RDONLY;
	top = mnt_place(s, m, &f, target, e);
	if (top < 0)
		return top;
	if (fchdir(top) < 0)
		return err_sys(e, "go to the mount point");
	for (size_t i = 0; i < s->boot->cg_binds.n; i++) {
		const struct stage_cg_bind *b = &s->boot->cg_binds.v[i];

		if (b->source || b->fd >= 0)
			r = add_bind(s, m, b, top, e);
		else
			r = add_link(s, b, top, e);
		if (r < 0)
			return r;
	}
	return finish_v1(s, m, top, e);
}

int mount_cgroup(struct stage *s, const struct pol_mount *m, struct err *e)
{
	fd_late int target = mnt_target(s, m, -EBADF, NULL, e);

	if (target < 0)
		return target;
	return s->boot->cg_binds.n > 0 ? mount_v1(s, m, target, e) : mount_v2(s, m, target, e);
}

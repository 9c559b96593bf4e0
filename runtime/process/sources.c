/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host side opens for the stage: bind mount sources as detached trees, before anything is created. The
 * stage may be in a user namespace that cannot reach the path, a missing source is reported before the first side
 * effect, and nobody can exchange a directory between look-up and mount. Without CAP_SYS_ADMIN, or on kernels
 * without the new mount API, the stage opens the paths itself.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "process/process.h"

/* after linux/mount.h */
#include <sys/mount.h>

#define SOURCE_PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

static int idmap_tree(int fd, const struct policy *p, const struct pol_mount *m,
		      const struct host *h, struct err *e)
{
	bool own = m->uid_map.n > 0;
	fd_auto int userns = idmap_userns(own ? &m->uid_map : &p->uid_map,
					  own ? &m->gid_map : &p->gid_map, h, e);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	int r;

	if (userns < 0)
		return userns;
	attr.userns_fd = (uint64_t) userns;
	r = sys_mount_setattr(
		fd, "", AT_EMPTY_PATH | (m->flags & POL_MOUNT_IDMAP_REC ? AT_RECURSIVE : 0), &attr);
	if (r == -EINVAL)
		return err_set(
			e, r,
			"id-mapped mounts are not possible on the file system of %s with this kernel, "
			"or it is id-mapped already",
			m->source);
	return r < 0 ? err_neg(e, r, "mapping the ids of %s", m->source) : 0;
}

/* The usual bind mount of one directory or file gets its flags and propagation in the call that opens it. Not where flags
 * may be locked (user namespaces) or take more than one step: those are the stage's (mnt_bind_attrs). */
static int open_set(const struct policy *p, const struct pol_mount *m, const struct host *h,
		    int dir, const char *path)
{
	uint64_t asked = m->propagation & SOURCE_PROPAGATION,
		 of_root = p->rootfs_propagation & SOURCE_PROPAGATION;
	struct mount_attr a = {
		.attr_set = m->attr_set | m->rattr_set,
		.attr_clr = m->attr_clr | m->rattr_clr,
		.propagation = asked		       ? asked
			       : of_root == MS_PRIVATE ? MS_PRIVATE
						       : MS_SLAVE,
	};

	if (m->kind != POL_MOUNT_BIND || (m->flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC)) ||
	    asked == MS_SHARED || of_root == MS_SHARED || of_root == MS_UNBINDABLE ||
	    (m->flags & POL_MOUNT_SRC_NOFOLLOW) || h->in_userns || pol_ns_find(p, POL_NS_USER))
		return -ENOSYS;
	if ((a.attr_set | a.attr_clr) & MOUNT_ATTR__ATIME)
		a.attr_clr |= MOUNT_ATTR__ATIME; /* the kernel wants the whole field */
	return sys_open_tree_attr(dir, path, OPEN_TREE_CLONE | (*path ? 0 : AT_EMPTY_PATH), &a);
}

static int source_open(const struct policy *p, const struct pol_mount *m, const struct host *h,
		       struct stage_fd *ret, struct err *e)
{
	/* inherited by the stage: see process.h */
	unsigned flags = OPEN_TREE_CLONE | (m->kind == POL_MOUNT_RBIND ? AT_RECURSIVE : 0) |
			 (m->flags & POL_MOUNT_SRC_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
	/* the site limits where sources may be: a path that it has judged must not lead elsewhere by now */
	bool real = m->flags & POL_MOUNT_SRC_REAL;
	fd_auto int place = real ? path_open_real(m->source) : -EBADF;
	const char *path = real ? "" : m->source;
	int dir = real ? place : AT_FDCWD, r;
	fd_auto int fd = -EBADF;

	ret->set = false;
	ret->fd = -EBADF;
	if (real && place < 0)
		return err_neg(e, place, "mounts[%u].source: %s", m->config_index, m->source);
	fd = open_set(p, m, h, dir, path);
	ret->set = fd >= 0;
	if (fd == -ENOSYS || fd == -EPERM)
		fd = sys_open_tree(dir, path, flags | (real ? AT_EMPTY_PATH : 0));
	if (fd == -ENOSYS || fd == -EPERM)
		return 0; /* the stage has the fallback, and its error if that fails too */
	if (fd < 0)
		return err_neg(e, fd, "mounts[%u].source: %s", m->config_index, m->source);
	if (m->flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC)) {
		r = idmap_tree(fd, p, m, h, e);
		if (r < 0)
			return err_context(e, "mounts[%u]", m->config_index);
	}
	ret->fd = fd_take(&fd);
	return 0;
}

static bool wants_source(const struct pol_mount *m)
{
	if (m->kind != POL_MOUNT_BIND && m->kind != POL_MOUNT_RBIND)
		return false;
	return !(m->flags & (POL_MOUNT_COPY_SYMLINK | POL_MOUNT_SRC_NOFOLLOW));
}

static void add_fd(struct sources *s, int fd)
{
	assert(s->n < s->cap);
	s->fds[s->n++] = fd;
}

/* A stage in a user namespace may not be able to reach the path, one in a joined mount namespace has no such path. */
static bool wants_trees(const struct policy *p)
{
	const struct pol_ns *mnt = pol_ns_find(p, POL_NS_MNT);

	return pol_ns_find(p, POL_NS_USER) || !mnt || mnt->path;
}

static void add_cg_binds(const struct cg *cg, bool trees, struct arena *a, struct stage_boot *boot,
			 struct sources *s)
{
	struct cg_bind *b;
	size_t n = cgroup_mount_sources(cg, a, &b);

	boot->cg_binds.v = arena_array(a, n, sizeof(*boot->cg_binds.v));
	boot->cg_binds.n = n;
	for (size_t i = 0; i < n; i++) {
		struct stage_cg_bind *t = &boot->cg_binds.v[i];
		int fd = trees && b[i].source
				 ? sys_open_tree(AT_FDCWD, b[i].source, OPEN_TREE_CLONE)
				 : -1;

		t->fd = fd < 0 ? -1 : fd;
		if (fd >= 0) /* links have none */
			add_fd(s, fd);
		t->source = b[i].source;
		t->name = b[i].name;
	}
}

static bool has_cgroup_mount(const struct policy *p)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == POL_MOUNT_CGROUP)
			return true;
	return false;
}

int sources_open(const struct policy *p, const struct host *h, struct arena *a,
		 struct stage_boot *boot, struct sources *ret, struct err *e)
{
	int r;

	ret->cap = p->mounts.n + CG_MAX_HIER + 8;
	ret->fds = arena_array(a, ret->cap, sizeof(int));
	if (!(h->caps >> CAP_SYS_ADMIN & 1))
		return 0;
	boot->mount_fds.v = arena_array(a, p->mounts.n, sizeof(*boot->mount_fds.v));
	for (size_t i = 0; i < p->mounts.n; i++) {
		const struct pol_mount *m = &p->mounts.v[i];
		struct stage_fd src = {.index = (uint32_t) i};

		if (!wants_source(m))
			continue;
		r = source_open(p, m, h, &src, e);
		if (r < 0)
			return r;
		if (src.fd < 0)
			continue;
		add_fd(ret, src.fd);
		boot->mount_fds.v[boot->mount_fds.n++] = src;
	}
	return 0;
}

int sources_open_live(const struct policy *p, const struct host *h, struct arena *a,
		      struct stage_boot *boot, struct sources *ret, struct err *e)
{
	ret->cap = p->mounts.n;
	ret->fds = arena_array(a, ret->cap, sizeof(int));
	boot->mount_fds.v = arena_array(a, p->mounts.n, sizeof(*boot->mount_fds.v));
	for (size_t i = 0; i < p->mounts.n; i++) {
		const struct pol_mount *m = &p->mounts.v[i];
		struct stage_fd src = {.index = (uint32_t) i};
		int r;

		if (m->kind != POL_MOUNT_BIND && m->kind != POL_MOUNT_RBIND)
			continue;
		r = source_open(p, m, h, &src, e);
		if (r < 0)
			return r;
		if (src.fd < 0)
			return err_set(
				e, -EPERM,
				"mounts[%u].source: %s: taking a mount to a container that lives "
				"needs CAP_SYS_ADMIN here (and Linux 5.12)",
				m->config_index, m->source);
		add_fd(ret, src.fd);
		boot->mount_fds.v[boot->mount_fds.n++] = src;
	}
	return 0;
}

void sources_open_cgroup(const struct policy *p, const struct cg *cg, struct arena *a,
			 struct stage_boot *boot, struct sources *s)
{
	if (has_cgroup_mount(p) && cg->layout != CG_V2)
		add_cg_binds(cg, wants_trees(p), a, boot, s);
}

void sources_close(struct sources *s)
{
	fd_close_all(s->fds, s->n);
	s->n = 0;
}

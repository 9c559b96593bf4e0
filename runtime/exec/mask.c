/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths: a directory gets an empty read-only tmpfs over it, a file the null
 * device, and a read-only path a read-only copy of itself.
 *
 * The null device is the host's, checked on the fd and copied before the pivot: the container's own
 * may be anything (CVE-2025-31133). The copy is read-only, or root in the container could change
 * the mode, owner and times of the host's node through it; reading and writing the device is not
 * affected. Each target is resolved once and held by fd, so that what is made read-only is what was
 * looked at (GHSA-3q8j-pf29-vwv8). All directories share one tmpfs.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "exec/mount.h"

#define MASK_ATTR (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
/* not nodev: reading a masked file gives nothing rather than an error */
#define NULL_ATTR (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

int masks_open_null(struct stage *s, struct err *e)
{
	struct mount_attr a = {.attr_set = NULL_ATTR};
	fd_late int fd = -EBADF;
	struct stat st;

	if (s->fs->legacy) {
		fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open the host's /dev/null");
	} else {
		fd = mnt_clone_set(s, AT_FDCWD, "/dev/null", AT_SYMLINK_NOFOLLOW, &a);
		if (fd < 0)
			return err_neg(e, fd, "open the host's /dev/null");
	}
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, -ENODEV, "the host's /dev/null is not the null device");
	s->fs->null_tree = fd_take(&fd);
	return 0;
}

/* What covers one kind of target: the first use attaches it, later ones attach copies of what is
 * attached. */
struct cover {
	int tree;
	bool used;
};

static int put_cover(struct cover *c, int target)
{
	fd_late int copy = -EBADF;

	if (!c->used) {
		c->used = true;
		return mnt_attach(c->tree, target);
	}
	copy = mnt_clone(c->tree, false);
	return copy < 0 ? copy : mnt_attach(copy, target);
}

static int mask_dir(struct stage *s, struct cover *c, int target, struct err *e)
{
	const char *label = mnt_label(s);
	struct mnt_fs f = {
		.type = "tmpfs", .attr = MASK_ATTR, .opt = &label, .opt_n = label ? 1 : 0};
	int r;

	if (s->fs->legacy)
		return legacy_fs(s, &f, target, e);
	if (c->tree < 0) {
		c->tree = mnt_new_fs(&f, e);
		if (c->tree < 0)
			return c->tree;
	}
	r = put_cover(c, target);
	return r < 0 ? err_neg(e, r, "cover the directory") : 0;
}

static int mask_file_legacy(struct stage *s, const char *path, int target)
{
	fd_late int top = -EBADF;
	int r = legacy_raw(s, s->fs->null_tree, NULL, target, NULL, MS_BIND, NULL);

	if (r < 0)
		return r;
	top = legacy_top(s, path, s->fs->null_tree, -EBADF);
	return top < 0 ? top : legacy_set(s, top, NULL_ATTR, 0);
}

static int mask_file(struct stage *s, struct cover *c, const char *path, int target, struct err *e)
{
	int r = s->fs->legacy ? mask_file_legacy(s, path, target) : put_cover(c, target);

	return r < 0 ? err_neg(e, r, "cover the file") : 0;
}

/* Gives an O_PATH fd, or -EBADF if there is nothing: the lists name what exists on any machine. */
static int find_target(struct stage *s, const char *path, struct err *e)
{
	int fd = path_open_in(s->root_fd, path, O_PATH, 0, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return -EBADF;
	return fd < 0 ? err_neg(e, fd, "open it") : fd;
}

static int mask_path(struct stage *s, struct cover *dirs, struct cover *files, const char *path,
		     struct err *e)
{
	fd_late int target = find_target(s, path, e);
	struct stat st;

	if (target == -EBADF)
		return 0;
	if (target < 0)
		return target;
	if (fstat(target, &st) < 0)
		return err_sys(e, "look at it");
	return S_ISDIR(st.st_mode) ? mask_dir(s, dirs, target, e)
				   : mask_file(s, files, path, target, e);
}

static int readonly_legacy(struct stage *s, const char *path, int target, struct err *e)
{
	fd_late int top = -EBADF;
	int r = legacy_raw(s, target, NULL, target, NULL, MS_BIND | MS_REC, NULL);

	if (r < 0)
		return err_neg(e, r, "bind it onto itself");
	top = legacy_top(s, path, target, -EBADF);
	if (top < 0)
		return err_neg(e, top, "open it again");
	r = legacy_set(s, top, MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? err_neg(e, r, "make it read-only") : 0;
}

static int readonly_path(struct stage *s, const char *path, struct err *e)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_RDONLY};
	fd_late int target = find_target(s, path, e), tree = -EBADF;
	int r;

	if (target == -EBADF)
		return 0;
	if (target < 0)
		return target;
	if (s->fs->legacy)
		return readonly_legacy(s, path, target, e);
	tree = mnt_clone_set(s, target, "", AT_EMPTY_PATH | AT_RECURSIVE, &a);
	if (tree < 0)
		return err_neg(e, tree, "make a read-only copy of it");
	r = mnt_attach(tree, target);
	return r < 0 ? err_neg(e, r, "attach it") : 0;
}

/* Read-only first: a copy taken later would have the masks in it, one mount more for each. */
int masks_run(struct stage *s, struct err *e)
{
	struct cover files = {.tree = s->fs->null_tree}, dirs = {.tree = -EBADF};
	int r = 0;

	for (size_t i = 0; i < s->p->readonly.n && r == 0; i++) {
		r = readonly_path(s, s->p->readonly.v[i], e);
		if (r < 0)
			err_context(e, "linux.readonlyPaths[%zu] (%s)", i, s->p->readonly.v[i]);
	}
	for (size_t i = 0; i < s->p->masked.n && r == 0; i++) {
		r = mask_path(s, &dirs, &files, s->p->masked.v[i], e);
		if (r < 0)
			err_context(e, "linux.maskedPaths[%zu] (%s)", i, s->p->masked.v[i]);
	}
	fd_late_closep(&dirs.tree);
	return r;
}

int masks_apply(struct stage *s, struct err *e)
{
	int r = s->fs->masks_done ? 0 : masks_run(s, e);

	fd_late_closep(&s->fs->null_tree);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting with mount(2), for kernels before 5.12 and for outer containers whose filter hides the
 * new calls.
 *
 * Theory of operation: mount(2) knows only paths, so the working directory becomes our private
 * procfs and source and target are named "self/fd/N": the kernel jumps to exactly the file that the
 * fd holds. A bind mount takes its flags only in a second call on the mount itself; for that the
 * destination is resolved once more and has to be the same inode that was bound. What mount(2)
 * cannot do (recursive flags, id-mapped mounts) is refused by name: nothing is silently left out.
 */
#include "exec/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

#define FD_PATH_MAX 40
#define DATA_MAX 4095 /* mount(2) takes one page */

#ifndef ST_NOSYMFOLLOW
#define ST_NOSYMFOLLOW 0x2000
#endif

/* MOUNT_ATTR_* of the new calls, MS_* of mount(2), ST_* of statfs(2). */
static const struct {
	uint64_t attr;
	unsigned long ms, st;
} flag_rows[] = {
	{MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY},
	{MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID},
	{MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV},
	{MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC},
	{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME},
	{MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, ST_NOSYMFOLLOW},
};

unsigned long mnt_ms_flags(uint64_t attr)
{
	unsigned long ms = 0;

	for (size_t i = 0; i < ARRAY_LEN(flag_rows); i++)
		ms |= attr & flag_rows[i].attr ? flag_rows[i].ms : 0;
	switch (attr & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_NOATIME: return ms | MS_NOATIME;
	case MOUNT_ATTR_STRICTATIME: return ms | MS_STRICTATIME;
	default: return ms | MS_RELATIME;
	}
}

static uint64_t attrs_of(int fd)
{
	struct statfs st;
	uint64_t attr = 0;

	if (fstatfs(fd, &st) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(flag_rows); i++)
		attr |= (unsigned long) st.f_flags & flag_rows[i].st ? flag_rows[i].attr : 0;
	if (st.f_flags & ST_NOATIME)
		return attr | MOUNT_ATTR_NOATIME;
	return st.f_flags & ST_RELATIME ? attr : attr | MOUNT_ATTR_STRICTATIME;
}

static const char *fd_path(char buf[FD_PATH_MAX], int fd)
{
	strcpy(buf, "self/fd/");
	num_fmt_u64(buf + strlen(buf), (uint64_t) fd);
	return buf;
}

int legacy_raw(struct stage *s, int src_fd, const char *src, int target, const char *type,
	       unsigned long flags, const char *data)
{
	char from[FD_PATH_MAX], to[FD_PATH_MAX];
	int r = 0;

	if (fchdir(s->proc_fd) < 0)
		return -errno;
	if (mount(src_fd >= 0 ? fd_path(from, src_fd) : src, fd_path(to, target), type, flags,
		  data) < 0)
		r = -errno;
	if (chdir("/") < 0 && r == 0) /* hooks inherit the working directory */
		r = -errno;
	return r;
}

/* A label with categories has commas in it, and mount(2) wants that in quotes; fsconfig(2) does
 * not. */
static bool needs_quotes(const char *opt)
{
	const char *eq = strchr(opt, '=');

	return eq && strchr(eq, ',') && eq - opt >= 7 && strncmp(eq - 7, "context", 7) == 0;
}

/* Options joined by commas, as mount(2) takes them. */
static int join_options(const struct mnt_fs *f, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < f->opt_n; i++) {
		const char *opt = f->opt[i];
		bool quote = needs_quotes(opt);
		size_t len = strlen(opt), head = quote ? (size_t) (strchr(opt, '=') - opt) + 1 : 0;

		if (n + len + 4 > size)
			return -E2BIG;
		if (n > 0)
			buf[n++] = ',';
		memcpy(buf + n, opt, head);
		n += head;
		if (quote)
			buf[n++] = '"';
		memcpy(buf + n, opt + head, len - head);
		n += len - head;
		if (quote)
			buf[n++] = '"';
	}
	buf[n] = '\0';
	return 0;
}

static unsigned long fs_flags(const struct mnt_fs *f)
{
	return mnt_ms_flags(f->attr) | (unsigned long) f->sb_flags | (f->sb_ro ? MS_RDONLY : 0);
}

int mnt_here(const struct mnt_fs *f, int target)
{
	char data[DATA_MAX + 1];
	int r = join_options(f, data, sizeof(data));

	if (r < 0)
		return r;
	if (fchdir(target) < 0)
		return -errno;
	return mount(f->source ? f->source : f->type, ".", f->type, fs_flags(f), data) < 0 ? -errno
											   : 0;
}

int legacy_fs(struct stage *s, const struct mnt_fs *f, int target, struct err *e)
{
	const char *source = f->source ? f->source : f->type;
	char data[DATA_MAX + 1];
	int r = join_options(f, data, sizeof(data));

	if (r < 0)
		return err_set(e, r, "the mount options are longer than %d bytes", DATA_MAX);
	r = legacy_raw(s, -EBADF, source, target, f->type, fs_flags(f), data);
	if (r == -EINVAL && f->lenient_gid) {
		struct mnt_fs less = *f;
		const char **opt = arena_array(s->a, f->opt_n + 1, sizeof(*opt));

		less.opt = opt;
		less.opt_n = 0;
		less.lenient_gid = false;
		for (size_t i = 0; i < f->opt_n; i++)
			if (!str_prefix(f->opt[i], "gid="))
				opt[less.opt_n++] = f->opt[i];
		return legacy_fs(s, &less, target, e);
	}
	if (r == -ENODEV)
		return err_set(e, r, "the kernel has no file system %s", f->type);
	if (r == -ENOTDIR)
		return err_set(e, r, "the mount point is not a directory");
	return r < 0 ? err_neg(e, r, "make a %s file system with options \"%.256s\"",
			       f->type ? f->type : "changed", data)
		     : 0;
}

int legacy_top(struct stage *s, const char *dest, int like, int below)
{
	fd_auto int fd = path_open_in(s->root_fd, dest, O_PATH, 0, 0);
	struct stat now, other;

	if (fd < 0)
		return fd;
	if (fstat(fd, &now) < 0 || fstat(like >= 0 ? like : below, &other) < 0)
		return -errno;
	if (like >= 0 ? now.st_dev != other.st_dev || now.st_ino != other.st_ino
		      : now.st_dev == other.st_dev && now.st_ino == other.st_ino)
		return -EXDEV; /* somebody changed the path in the meantime */
	return fd_take(&fd);
}

int legacy_set(struct stage *s, int fd, uint64_t set, uint64_t clr)
{
	uint64_t attr = attrs_of(fd);

	if ((set | clr) & MOUNT_ATTR__ATIME)
		clr |= MOUNT_ATTR__ATIME;
	attr = (attr & ~clr) | set;
	return legacy_raw(s, -EBADF, NULL, fd, NULL, MS_BIND | MS_REMOUNT | mnt_ms_flags(attr),
			  NULL);
}

static int set_flags(struct stage *s, const struct pol_mount *m, int fd, struct err *e)
{
	uint64_t set = m->attr_set | m->rattr_set, clr = m->attr_clr | m->rattr_clr;
	int r;

	if (!set && !clr)
		return 0;
	r = legacy_set(s, fd, set, clr);
	if (r == -EPERM && clr && !(m->flags & POL_MOUNT_USER_CLEARED))
		r = legacy_set(s, fd, set & ~(uint64_t) MOUNT_ATTR__ATIME, 0);
	if (r == -EPERM && clr)
		return mnt_err_locked(e);
	return r < 0 ? err_neg(e, r, "set mount flags") : 0;
}

int legacy_bind(struct stage *s, const struct pol_mount *m, int src, int target, struct err *e)
{
	bool rec = m->kind == POL_MOUNT_RBIND;
	fd_auto int fd = -EBADF;
	int r;

	if (m->flags & (POL_MOUNT_IDMAP | POL_MOUNT_IDMAP_REC))
		return err_set(e, -ENOSYS, "id-mapped mounts need mount_setattr (Linux 5.12)");
	if (rec && (m->rattr_set || m->rattr_clr))
		return err_set(e, -ENOSYS,
			       "recursive mount options need mount_setattr (Linux 5.12)");
	r = legacy_raw(s, src, NULL, target, NULL, MS_BIND | (rec ? MS_REC : 0), NULL);
	if (r == -ENOTDIR)
		return mnt_err_mismatch(e);
	if (r < 0)
		return err_neg(e, r, "bind the source");
	if (!m->attr_set && !m->attr_clr && !m->rattr_set && !m->rattr_clr && !m->propagation)
		return 0;
	fd = legacy_top(s, m->destination, src, -EBADF);
	if (fd < 0)
		return err_neg(e, fd, "open the new mount");
	r = set_flags(s, m, fd, e);
	if (r < 0 || !m->propagation)
		return r;
	r = legacy_raw(s, -EBADF, NULL, fd, NULL, (unsigned long) m->propagation, NULL);
	return r < 0 ? err_neg(e, r, "set the propagation") : 0;
}

/* "/" stays shared with the host only if the policy wants that; then at least the mount that the
 * rootfs lies on must not be, or the container's mounts would show up there. It is the first parent
 * that is a mount point. */
static int make_parent_private(const char *rootfs)
{
	char path[4096];
	char *slash;

	if (strlen(rootfs) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, rootfs);
	for (;;) {
		if (mount(NULL, path, NULL, MS_PRIVATE, NULL) == 0)
			return 0;
		if (errno != EINVAL || str_eq(path, "/"))
			return -errno;
		slash = strrchr(path, '/');
		slash[slash == path ? 1 : 0] = '\0';
	}
}

int legacy_root(struct stage *s, struct err *e)
{
	const char *rootfs = s->p->rootfs;
	fd_auto int dir = -EBADF, top = -EBADF;
	struct stat a, b;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | (unsigned long) s->fs->propagation, NULL) < 0)
		return err_sys(e, "set the propagation of the host's mounts");
	if (s->fs->propagation == MS_SHARED) {
		r = make_parent_private(rootfs);
		if (r < 0)
			return err_neg(e, r, "make the mount below %s private", rootfs);
	}
	dir = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "root.path: open %s", rootfs);
	r = legacy_raw(s, dir, NULL, dir, NULL, MS_BIND | MS_REC, NULL);
	if (r < 0)
		return err_neg(e, r, "root.path: bind %s", rootfs);
	top = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || fstat(top, &a) < 0 || fstat(dir, &b) < 0)
		return err_sys(e, "root.path: open %s", rootfs);
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return err_set(e, -EXDEV, "root.path: %s changed meanwhile", rootfs);
	r = legacy_raw(s, -EBADF, NULL, top, NULL, MS_REC | MS_PRIVATE, NULL);
	return r < 0 ? err_neg(e, r, "make the root private") : fd_take(&top);
}

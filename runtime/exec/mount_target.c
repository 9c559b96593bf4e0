/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount goes: the place inside the root, resolved once, made if it is missing, and held.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/mount.h"

/* Files of procfs that a mount may cover: what lxcfs and nested engines replace. Anything
 * else below /proc would let an image volume stand in for a file that decides about security
 * (CVE-2019-16884). */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static bool wants_plain_path(const struct pol_mount *m)
{
	return str_eq0(m->type, "proc") || str_eq0(m->type, "sysfs") ||
	       str_eq(m->destination, "/proc") || str_eq(m->destination, "/sys") ||
	       str_eq(m->destination, "/dev");
}

int mnt_target_error(const struct pol_mount *m, int r, struct err *e)
{
	if (r == -ELOOP && wants_plain_path(m))
		return err_set(
			e, r,
			"the mount point is reached through a symlink, which is refused for %s",
			m->destination);
	if (r == -ENOTDIR)
		return err_set(e, r, "the mount point or a part of its path is not a directory");
	if (r == -EISDIR)
		return err_set(e, -ENOTDIR,
			       "the mount point is a directory, but the source is not a directory");
	return err_neg(e, r, "open the mount point");
}

/* Whether the place is made as a directory; for a bind that depends on its source. */
static bool like_is_dir(int like)
{
	struct stat st;

	return like < 0 || (fstat(like, &st) == 0 && S_ISDIR(st.st_mode));
}

static int make_in(int parent, const char *name, bool dir)
{
	int fd;

	if (!dir)
		fd = openat(parent, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0644);
	else if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	else
		fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The usual case: only the last part is missing. -errno if it is not (a link that leads nowhere, a
 * race, more missing). */
static int make_last(struct stage *s, const struct pol_mount *m, bool dir)
{
	const char *name;
	fd_late int parent = path_open_parent_in(s->root_fd, m->destination, false, &name);
	int fd;

	if (parent < 0)
		return -ENOENT;
	fd = make_in(parent, name, dir);
	if (fd >= 0) {
		fd_late_closep(&s->fs->parent_fd);
		s->fs->parent_fd = fd_take(&parent);
		s->fs->parent = m->destination;
	}
	return fd;
}

/* Engines mount several things side by side where nothing is yet, in a tmpfs of ours: so what comes
 * next to the place that was made last is made without looking for it first. */
static int make_beside(struct stage *s, const struct pol_mount *m, int like)
{
	const char *a = m->destination, *b = s->fs->parent, *slash = strrchr(a, '/');

	/* a container that lives may have moved that directory meanwhile */
	if (s->fs->parent_fd < 0 || s->fs->live || wants_plain_path(m) || !slash || !slash[1] ||
	    strncmp(a, b, (size_t) (slash + 1 - a)) != 0 || strchr(b + (slash + 1 - a), '/'))
		return -ENOENT;
	return make_in(s->fs->parent_fd, slash + 1, like_is_dir(like));
}

void mnt_forget_parent(struct stage *s, const char *covered)
{
	if (s->fs->parent_fd < 0)
		return;
	/* The place that was made stands in the directory, so covering that alone covers nothing. */
	if (covered && (!path_below(s->fs->parent, covered) || str_eq(s->fs->parent, covered)))
		return;
	fd_late_closep(&s->fs->parent_fd);
	s->fs->parent_fd = -EBADF;
}

static int make_target(struct stage *s, const struct pol_mount *m, bool dir, unsigned flags)
{
	int fd = make_last(s, m, dir);

	if (fd < 0)
		fd = dir ? path_mkdir_in(s->root_fd, m->destination, 0755)
			 : path_make_file_in(s->root_fd, m->destination, 0644);
	if (fd < 0 || !wants_plain_path(m))
		return fd;
	/* Making follows links inside the root: what counts is what a strict look-up finds now. */
	fd_close(fd);
	return path_open_in(s->root_fd, m->destination, O_PATH, 0, flags);
}

bool mnt_may_cover_proc(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(proc_files); i++)
		if (str_eq(path, proc_files[i]))
			return true;
	return false;
}

/* Asked only where the path says so or goes through a symlink, which may lead to /proc from
 * anywhere. */
static int check_not_proc(const struct pol_mount *m, int target, struct err *e)
{
	if (str_eq0(m->type, "proc") || str_eq(m->destination, "/proc") ||
	    !fd_is_fs(target, PROC_SUPER_MAGIC))
		return 0;
	if (mnt_may_cover_proc(m->destination))
		return 0;
	return err_set(e, -EPERM, "nothing may be mounted inside the proc file system here");
}

int mnt_target(struct stage *s, const struct pol_mount *m, int like, bool *ret_made, struct err *e)
{
	unsigned flags = PATH_NO_SYMLINKS |
			 (m->flags & POL_MOUNT_DEST_NOFOLLOW ? PATH_NOFOLLOW : 0);
	bool check = path_below(m->destination, "/proc");
	fd_late int fd = -EBADF;
	int r = 0;

	if (str_eq(m->destination, "/"))
		return err_set(e, -EINVAL, "the root itself cannot be a mount point");
	fd = make_beside(s, m, like);
	if (fd >= 0) {
		if (ret_made)
			*ret_made = true;
		return fd_take(&fd);
	}
	fd = path_open_in(s->root_fd, m->destination, O_PATH | (like < 0 ? O_DIRECTORY : 0), 0,
			  flags);
	if (fd == -ELOOP && !wants_plain_path(m)) {
		mnt_forget_parent(s, NULL); /* who knows what the link covers */
		flags &= ~(unsigned) PATH_NO_SYMLINKS;
		check = true;
		fd = path_open_in(s->root_fd, m->destination, O_PATH | (like < 0 ? O_DIRECTORY : 0),
				  0, flags);
	}
	if (ret_made)
		*ret_made = fd == -ENOENT;
	if (fd == -ENOENT)
		fd = make_target(s, m, like_is_dir(like), flags);
	if (fd < 0)
		return mnt_target_error(m, fd, e);
	if (check)
		r = check_not_proc(m, fd, e);
	if (r == 0 && s->fs->live)
		r = live_check_target(s, m, fd, e);
	return r < 0 ? r : fd_take(&fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: what a directory of the image holds, copied into the tmpfs that is going to cover it.
 *
 * Everything goes by fd and without following a link, so that what is read lies below the source,
 * whatever the image's files point to. The size is bounded by the tmpfs (ENOSPC), the depth by
 * TREE_DEPTH_MAX.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "exec/mount.h"

#define TREE_DEPTH_MAX 64 /* one fd pair per level */
#define LIST_MAX 4096
#define VALUE_MAX 4096

/* Best effort: tmpfs takes security.* and, depending on the kernel, user.*; a label of the mount
 * itself wins. */
static void copy_xattrs(int src, int dst)
{
	char list[LIST_MAX], value[VALUE_MAX];
	ssize_t n = flistxattr(src, list, sizeof(list));

	for (ssize_t i = 0; i < n; i += (ssize_t) strlen(list + i) + 1) {
		ssize_t len = fgetxattr(src, list + i, value, sizeof(value));

		if (len >= 0)
			(void) fsetxattr(dst, list + i, value, (size_t) len, 0);
	}
}

/* Owner first: changing it clears set-id bits and capabilities. */
static int copy_meta(int src, int dst, const struct stat *st)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(dst, st->st_uid, st->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno; /* not mapped in a user namespace: stays ours */
	copy_xattrs(src, dst);
	if (fchmod(dst, st->st_mode & 07777) < 0 || futimens(dst, times) < 0)
		return -errno;
	return 0;
}

static int copy_bytes(int src, int dst)
{
	for (;;) {
		ssize_t n = sendfile(dst, src, NULL, 1 << 20);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int copy_file(int sdir, int ddir, const char *name)
{
	/* O_NONBLOCK: the name may have become a fifo */
	fd_auto int src = openat(sdir, name,
				 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd_auto int dst = -EBADF;
	struct stat st;
	int r;

	if (src < 0 || fstat(src, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN;
	dst = openat(ddir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst < 0)
		return -errno;
	r = copy_bytes(src, dst);
	return r < 0 ? r : copy_meta(src, dst, &st);
}

/* An owner that has no id in our user namespace, or that we may not give, stays ours. */
static int copy_owner(int ddir, const char *name, const struct stat *st)
{
	if (fchownat(ddir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EPERM && errno != EINVAL)
		return -errno;
	return 0;
}

static int copy_link(int sdir, int ddir, const char *name, const struct stat *st)
{
	char to[4096];
	ssize_t n = readlinkat(sdir, name, to, sizeof(to) - 1);

	if (n < 0)
		return -errno;
	to[n] = '\0';
	if (symlinkat(to, ddir, name) < 0)
		return -errno;
	return copy_owner(ddir, name, st);
}

/* Sockets are of no use without the program behind them; device nodes need a privilege that may be
 * missing. */
static int copy_special(int ddir, const char *name, const struct stat *st)
{
	int r;

	if (S_ISSOCK(st->st_mode))
		return 0;
	if (mknodat(ddir, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0)
		return errno == EPERM ? 0 : -errno;
	r = copy_owner(ddir, name, st);
	if (r < 0)
		return r;
	return fchmodat(ddir, name, st->st_mode & 07777, 0) < 0 ? -errno : 0;
}

static int copy_dir(int src, int dst, unsigned depth, struct err *e);

static int copy_subdir(int sdir, int ddir, const char *name, unsigned depth, struct err *e)
{
	fd_auto int src = openat(sdir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd_auto int dst = -EBADF;
	struct stat st;
	int r;

	if (src < 0 || fstat(src, &st) < 0 || mkdirat(ddir, name, 0700) < 0)
		return err_sys(e, "copy the directory %s", name);
	dst = openat(ddir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst < 0)
		return err_sys(e, "copy the directory %s", name);
	r = copy_dir(src, dst, depth + 1, e);
	if (r < 0)
		return err_context(e, "%s", name);
	r = copy_meta(src, dst, &st); /* last: the times, and a mode that may forbid writing */
	return r < 0 ? err_neg(e, r, "copy the directory %s", name) : 0;
}

static int copy_entry(int sdir, int ddir, const char *name, unsigned depth, struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(sdir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(sdir, ddir, name, depth, e);
	if (S_ISREG(st.st_mode))
		r = copy_file(sdir, ddir, name);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(sdir, ddir, name, &st);
	else
		r = copy_special(ddir, name, &st);
	return r < 0 ? err_neg(e, r, "copy %s", name) : 0;
}

static int copy_dir(int src, int dst, unsigned depth, struct err *e)
{
	int own = fcntl(src, F_DUPFD_CLOEXEC, 3), r = 0;
	struct dirent *d;
	DIR *dir;

	if (depth > TREE_DEPTH_MAX) {
		fd_close(own);
		return err_set(e, -ELOOP, "more than %d levels of directories", TREE_DEPTH_MAX);
	}
	dir = own < 0 ? NULL : fdopendir(own);
	if (!dir) {
		r = err_sys(e, "read the directory");
		fd_close(own);
		return r;
	}
	while (r == 0 && (errno = 0, d = readdir(dir)) != NULL)
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			r = copy_entry(src, dst, d->d_name, depth, e);
	if (r == 0 && errno != 0)
		r = err_sys(e, "read the directory");
	closedir(dir);
	return r;
}

int tmpcopy_tree(int src, int dst, struct err *e)
{
	struct stat st;
	int r = copy_dir(src, dst, 0, e);

	if (r < 0)
		return err_context(e, "tmpcopyup");
	/* The mode of the top is the mount's own business (mode=). */
	if (fstat(src, &st) < 0)
		return err_sys(e, "tmpcopyup: look at the directory");
	if (fchown(dst, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return err_sys(e, "tmpcopyup: owner of the directory");
	return 0;
}
